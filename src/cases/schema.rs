//! Files of cases as JSON Schema 2020-12, for editors: the keys of `shape.rs` and `expected.rs`,
//! their meaning from docs/cases.md.

use crate::law::json_schema::{self, DIALECT, date, month, tables, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const REFERENCE: &str = include_str!("../../docs/cases.md");

/// The schema of a file of cases.
#[must_use]
pub fn case_schema() -> Value {
    let first = |heading: &str| tables(REFERENCE, heading).into_iter().next().unwrap_or_default();
    let (file, case) = (first("## A file"), first("## Keys of a case"));
    let mut told = tables(REFERENCE, "## What a case expects").into_iter();
    let mut next = || told.next().unwrap_or_default();
    let (expect, value) = (next(), next());
    let none = BTreeMap::new();
    let cells = || json!({ "type": "object", "additionalProperties": word() });
    let list = |items: &Value| json!({ "type": "array", "items": items });
    let fact = [
        ("basis", text()),
        ("month", month()),
        ("where", cells()),
        ("rows", count()),
        ("is", cells()),
    ];
    let set =
        section(&[("table", text()), ("where", cells()), ("to", cells())], &["table", "to"], &none);
    let delivered = || json!({ "type": "object", "additionalProperties": { "type": "string" } });
    let before = section(
        &[
            ("period", month()),
            ("known_on", date()),
            ("tables", delivered()),
            ("add", delivered()),
            ("set", list(&set)),
        ],
        &["period"],
        &none,
    );
    let line = [
        ("item", text()),
        ("month", month()),
        ("where", cells()),
        ("status", json!({ "enum": ["paid", "zero", "refused"] })),
        ("amount", word()),
        ("allocated", word()),
        ("reason", text()),
        ("trace", cells()),
    ];
    let sum = [
        ("item", text()),
        ("months", list(&month())),
        ("institution", text()),
        ("where", cells()),
        ("lines", count()),
        ("paid", count()),
        ("zero", count()),
        ("refused", count()),
        ("amount", word()),
        ("allocated", word()),
    ];
    let source =
        [("institution", text()), ("item", text()), ("source", text()), ("amount", word())];
    let pay = [
        ("institution", text()),
        ("item", text()),
        ("source", text()),
        ("amount", word()),
        ("on", date()),
        ("hold", json!({ "type": "string" })),
    ];
    let finding = [
        ("code", text()),
        ("institution", text()),
        ("rule", text()),
        ("count", count()),
        ("absent", json!({ "type": "boolean" })),
    ];
    let one = section(
        &[
            ("name", text()),
            ("from", text()),
            ("note", json!({ "type": "string" })),
            ("period", month()),
            ("known_on", date()),
            ("law", json!({ "type": "object" })),
            ("wording", delivered()),
            ("error", text()),
            ("tables", delivered()),
            ("add", delivered()),
            ("set", list(&set)),
            ("months", list(&month())),
            ("before", list(&before)),
            ("expect", list(&section(&line, &["item"], &expect))),
            ("sum", list(&section(&sum, &[], &none))),
            ("source", list(&section(&source, &["source", "amount"], &none))),
            ("finding", list(&section(&finding, &["code"], &none))),
            ("pay", list(&section(&pay, &[], &none))),
            ("fact", list(&section(&fact, &["basis"], &value))),
            ("value", list(&section(&fact, &["basis"], &value))),
        ],
        &["name"],
        &case,
    );
    let mut schema = section(
        &[
            ("pack", text()),
            ("with", list(&text())),
            ("from", text()),
            ("period", month()),
            ("known_on", date()),
            ("tables", delivered()),
            ("case", list(&one)),
        ],
        &["case"],
        &file,
    );
    schema["$schema"] = DIALECT.into();
    schema["title"] = "tuoyu cases".into();
    schema["description"] = "A file of cases of a pack; see docs/cases.md".into();
    schema
}

fn section(
    keys: &[(&'static str, Value)],
    must: &[&str],
    told: &BTreeMap<String, String>,
) -> Value {
    let one = |(name, value): &(&'static str, Value)| (*name, value.clone(), must.contains(name));
    json_schema::section(keys.iter().map(one), told)
}

/// A text, a whole number, a truth value or a date, which is a text here; decimals are texts.
fn word() -> Value {
    json!({ "type": ["string", "integer", "boolean"] })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}
