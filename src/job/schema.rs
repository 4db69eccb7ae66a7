//! Job files as JSON Schema 2020-12, for editors: one alternative for each kind of job. The keys
//! are those the readers know, which a test holds; their meaning is read from the references.

use crate::law::json_schema::{DIALECT, date, month, section, tables, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a value of a job must look like.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Text,
    /// A text or a list of texts.
    Texts,
    Month,
    Date,
    Truth,
    /// A whole number within bounds.
    Whole(i64, i64),
    /// An exact decimal as a text.
    Decimal,
    Word(&'static [&'static str]),
    /// A table of texts.
    Map,
    /// A table of tables of texts.
    Maps,
    /// First and last month.
    Months,
    /// Two persons.
    Persons,
    /// Overlay paths and what is laid over them.
    Overlay,
    Table(Keys),
    Tables(Keys),
    /// A table of tables under names of the job's own.
    Named(Keys),
}

/// Name, shape, whether it must be there.
type Key = (&'static str, Shape, bool);
type Keys = &'static [Key];

/// The keys of two lists, `N` in all.
const fn both<const N: usize>(first: Keys, second: Keys) -> [Key; N] {
    assert!(first.len() + second.len() == N, "the number of keys");
    let mut all = [first[0]; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < first.len() { first[at] } else { second[at - first.len()] };
        at += 1;
    }
    all
}

const LANGUAGE: Key = ("language", Shape::Word(&["zh-CN", "en"]), false);

const CAPTURE: Keys =
    &[("column", Shape::Text, true), ("from", Shape::Text, true), ("pattern", Shape::Text, true)];

/// How the files of a table are read.
const READ: Keys = &[
    ("sheet", Shape::Text, false),
    ("header_row", Shape::Whole(1, 1000), false),
    ("headers", Shape::Map, false),
    ("values", Shape::Maps, false),
    ("captures", Shape::Tables(CAPTURE), false),
    ("constants", Shape::Map, false),
    ("ignore", Shape::Texts, false),
];

const TABLE: Keys = &both::<11>(
    &[
        ("file", Shape::Texts, false),
        ("optional", Shape::Truth, false),
        ("received_on", Shape::Date, false),
        ("complete_for", Shape::Months, false),
    ],
    READ,
);

const LATE: Keys = &both::<11>(
    &[
        ("table", Shape::Text, true),
        ("file", Shape::Texts, true),
        ("received_on", Shape::Date, true),
        ("complete_for", Shape::Months, true),
    ],
    READ,
);

const WRITE_OFF: Keys = &[
    ("institution", Shape::Text, true),
    ("item", Shape::Text, false),
    ("source_period", Shape::Month, false),
    ("source", Shape::Text, false),
    ("amount", Shape::Decimal, false),
    ("reason", Shape::Text, true),
    ("by", Shape::Persons, true),
];

const PAY: Keys = &[
    ("files", Shape::Texts, true),
    ("account_name", Shape::Text, true),
    ("account_no", Shape::Text, true),
    ("bank_name", Shape::Text, true),
    ("bank_no", Shape::Text, true),
    ("agency_code", Shape::Text, false),
    ("agency_name", Shape::Text, false),
    ("division_code", Shape::Text, false),
    ("pay_bank_code", Shape::Text, false),
    ("pay_type_code", Shape::Word(&["11", "12", "91"]), false),
    ("original_vt_code", Shape::Text, false),
    ("business_type_code", Shape::Text, false),
    ("purpose", Shape::Text, false),
];

const APPROVAL: Keys = &[("keys", Shape::Text, false), ("two_from", Shape::Decimal, false)];

const SETTLE: Keys = &[
    ("id", Shape::Text, true),
    ("kind", Shape::Word(&["settle"]), false),
    ("title", Shape::Text, false),
    ("period", Shape::Month, false),
    ("packs", Shape::Texts, true),
    ("overlays", Shape::Texts, false),
    ("reference", Shape::Text, false),
    ("input", Shape::Text, false),
    ("cut_off_day", Shape::Whole(1, 28), false),
    ("known_on", Shape::Date, false),
    ("key_file", Shape::Text, true),
    ("out", Shape::Text, false),
    ("ledger", Shape::Text, false),
    ("form", Shape::Text, false),
    ("workbooks", Shape::Truth, false),
    ("entitlements_csv", Shape::Truth, false),
    ("change_percent", Shape::Whole(0, 1000), false),
    ("provisional_calendar", Shape::Truth, false),
    ("retro", Shape::Truth, false),
    ("opening", Shape::Month, false),
    ("before_opening", Shape::Word(&["ignore", "pay"]), false),
    ("office", Shape::Text, false),
    ("approval", Shape::Table(APPROVAL), false),
    ("inputs", Shape::Named(TABLE), false),
    ("archive", Shape::Text, false),
    ("late", Shape::Tables(LATE), false),
    ("write_off", Shape::Tables(WRITE_OFF), false),
    ("pay", Shape::Table(PAY), false),
    ("carry_failed", Shape::Truth, false),
    ("codes", Shape::Text, false),
    LANGUAGE,
];

const EXPLAINED: Keys = &[
    ("bank_ref", Shape::Text, false),
    ("end_to_end_id", Shape::Text, false),
    ("amount", Shape::Decimal, true),
    ("reason", Shape::Text, true),
    ("by", Shape::Text, true),
];

const RECONCILE: Keys = &[
    ("id", Shape::Text, true),
    ("kind", Shape::Word(&["reconcile"]), true),
    ("title", Shape::Text, false),
    ("settles", Shape::Text, true),
    ("period", Shape::Month, false),
    ("input", Shape::Text, false),
    ("reference", Shape::Text, false),
    ("profiles", Shape::Texts, false),
    ("calendar", Shape::Text, true),
    ("currency", Shape::Text, false),
    ("account_no", Shape::Text, false),
    ("days", Shape::Whole(0, 366), false),
    ("as_of", Shape::Date, false),
    ("correct", Shape::Truth, false),
    ("accounts", Shape::Text, false),
    ("same_account", Shape::Texts, false),
    ("out", Shape::Text, false),
    ("ledger", Shape::Text, false),
    ("archive", Shape::Text, false),
    ("workbooks", Shape::Truth, false),
    ("explained", Shape::Tables(EXPLAINED), false),
    LANGUAGE,
];

const RANGE: Keys = &[
    ("path", Shape::Text, false),
    ("paths", Shape::Texts, false),
    ("title", Shape::Text, false),
    ("by", Shape::Word(&["set", "times", "add"]), false),
    ("from", Shape::Decimal, false),
    ("to", Shape::Decimal, false),
    ("step", Shape::Decimal, false),
    ("values", Shape::Texts, false),
    ("round_to", Shape::Decimal, false),
    ("mode", Shape::Word(&["half_up", "half_even", "up", "down", "floor", "ceil"]), false),
];

const SCENARIO: Keys = &[
    ("id", Shape::Text, true),
    ("title", Shape::Text, false),
    ("overlay", Shape::Texts, false),
    ("set", Shape::Overlay, false),
    ("planned", Shape::Truth, false),
];

const GRID: Keys = &[
    ("id", Shape::Text, true),
    ("title", Shape::Text, false),
    ("axes", Shape::Tables(RANGE), true),
    ("planned", Shape::Truth, false),
];

const DRAWN: Keys = &both::<6>(
    GRID,
    &[("count", Shape::Whole(1, 100_000), false), ("seed", Shape::Whole(0, i64::MAX), false)],
);

const SOLVE: Keys = &[
    ("id", Shape::Text, true),
    ("title", Shape::Text, false),
    ("range", Shape::Table(RANGE), true),
    ("want", Shape::Word(&["highest", "lowest"]), true),
    ("price", Shape::Text, false),
    ("cost_at_most", Shape::Decimal, false),
    ("within_budget_lines", Shape::Truth, false),
    ("breaches_at_most", Shape::Whole(0, i64::MAX), false),
    ("net_fee_at_most", Shape::Decimal, false),
];

/// A question asked along a second range.
const FRONTIER: Keys = &both::<10>(&[("along", Shape::Table(RANGE), true)], SOLVE);

const GROWTH: Keys = &[("percent", Shape::Decimal, true), ("source", Shape::Text, true)];
const RESPONSE: Keys = &[("elasticity", Shape::Decimal, true), ("source", Shape::Text, true)];
const ASSUMPTIONS: Keys =
    &[("growth", Shape::Table(GROWTH), false), ("response", Shape::Table(RESPONSE), false)];

const TUNE: Keys = &[
    ("id", Shape::Text, true),
    ("kind", Shape::Word(&["tune"]), true),
    ("title", Shape::Text, false),
    ("baseline", Shape::Text, true),
    ("periods", Shape::Texts, false),
    ("period", Shape::Month, false),
    ("planned", Shape::Truth, false),
    ("planned_from", Shape::Date, false),
    ("fees", Shape::Word(&["as_filed", "to_ceiling"]), false),
    ("net_of", Shape::Texts, false),
    ("scenario", Shape::Tables(SCENARIO), false),
    ("grid", Shape::Tables(GRID), false),
    ("drawn", Shape::Tables(DRAWN), false),
    ("solve", Shape::Tables(SOLVE), false),
    ("frontier", Shape::Tables(FRONTIER), false),
    ("sensitivity", Shape::Tables(RANGE), false),
    ("assumptions", Shape::Table(ASSUMPTIONS), false),
    ("chosen", Shape::Text, false),
    ("worst", Shape::Whole(1, 1000), false),
    ("out", Shape::Text, false),
    LANGUAGE,
];

/// What keys mean, by the reference and heading they are told under.
struct Told {
    keys: BTreeMap<String, String>,
    /// Those of tables inside, by the key that holds them.
    inside: BTreeMap<&'static str, BTreeMap<String, String>>,
}

impl Told {
    fn read(reference: &str, heading: &str, inside: &[(&'static str, &str)]) -> Self {
        let first = |heading: &str| tables(reference, heading).into_iter().next();
        Self {
            keys: first(heading).unwrap_or_default(),
            inside: inside
                .iter()
                .map(|(key, heading)| (*key, first(heading).unwrap_or_default()))
                .collect(),
        }
    }
}

/// The schema of a job file of any kind.
#[must_use]
pub fn job_schema() -> Value {
    let job = include_str!("../../docs/job.md");
    let inside = [
        ("approval", "## `[approval]`"),
        ("inputs", "## `[inputs.<table>]`"),
        ("late", "## `[[late]]`"),
        ("write_off", "## `[[write_off]]`"),
        ("pay", "## `[pay]`"),
    ];
    let settle = Told::read(job, "## Top level", &inside);
    let reconcile = Told::read(include_str!("../../docs/reconcile.md"), "## The job", &[]);
    let tune = Told::read(include_str!("../../docs/tune.md"), "## The job", &[]);
    json!({
        "$schema": DIALECT,
        "title": "tuoyu job",
        "description": "A job file; see docs/job.md, docs/reconcile.md and docs/tune.md",
        "oneOf": [top(SETTLE, &settle), top(RECONCILE, &reconcile), top(TUNE, &tune)],
    })
}

fn top(keys: Keys, told: &Told) -> Value {
    let none = BTreeMap::new();
    let one = |(name, shape, must): &Key| {
        (*name, schema(*shape, told.inside.get(name).unwrap_or(&none)), *must)
    };
    section(keys.iter().map(one), &told.keys)
}

fn schema(shape: Shape, told: &BTreeMap<String, String>) -> Value {
    let none = BTreeMap::new();
    let inner = |keys: Keys| {
        section(keys.iter().map(|(name, shape, must)| (*name, schema(*shape, &none), *must)), told)
    };
    let map = |values: &Value| json!({ "type": "object", "additionalProperties": values });
    let texts = || json!({ "type": "string" });
    match shape {
        Shape::Text => texts(),
        Shape::Texts => json!({
            "anyOf": [texts(), { "type": "array", "items": { "type": "string" } }],
        }),
        Shape::Month => month(),
        Shape::Date => date(),
        Shape::Truth => json!({ "type": "boolean" }),
        Shape::Whole(from, to) if to == i64::MAX => json!({ "type": "integer", "minimum": from }),
        Shape::Whole(from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
        Shape::Decimal => json!({ "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$" }),
        Shape::Word(words) => json!({ "enum": words }),
        Shape::Map => map(&texts()),
        Shape::Maps => map(&map(&texts())),
        Shape::Months => {
            json!({ "type": "array", "items": month(), "minItems": 2, "maxItems": 2 })
        }
        Shape::Persons => {
            json!({ "type": "array", "items": text(), "minItems": 2, "maxItems": 2 })
        }
        Shape::Overlay => json!({ "type": "object" }),
        Shape::Table(keys) => inner(keys),
        Shape::Tables(keys) => json!({ "type": "array", "items": inner(keys) }),
        Shape::Named(keys) => map(&inner(keys)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{axis, explained, late, pay, read, reconcile, tune, write_off};

    #[test]
    fn the_schema_knows_the_keys_the_readers_know() {
        let hold = |what: &str, keys: Keys, known: &[&str]| {
            let mut written: Vec<&str> = keys.iter().map(|(name, _, _)| *name).collect();
            let mut known = known.to_vec();
            written.sort_unstable();
            known.sort_unstable();
            assert_eq!(written, known, "src/job/schema.rs: keys of {what}");
        };
        hold("a settle job", SETTLE, &read::TOP);
        hold("an input", TABLE, &read::TABLE);
        hold("a late delivery", LATE, &late::LATE);
        hold("a write-off", WRITE_OFF, &write_off::KEYS);
        hold("pay", PAY, &pay::KEYS);
        hold("a reconcile job", RECONCILE, &reconcile::TOP);
        hold("explained", EXPLAINED, &explained::KEYS);
        hold("a tune job", TUNE, &tune::TOP);
        hold("a range", RANGE, &axis::KEYS);
        hold("a scenario", SCENARIO, &tune::SCENARIO);
        hold("a grid", GRID, &tune::GRID);
        hold("a draw", DRAWN, &tune::DRAWN);
        hold("a question", SOLVE, &[&tune::SOLVE[..], &tune::CONDITIONS].concat());
        hold("a frontier", FRONTIER, &[&tune::FRONTIER[..], &tune::CONDITIONS].concat());
    }

    #[test]
    fn a_key_says_what_its_reference_says() {
        let schema = job_schema();
        let settle = &schema["oneOf"][0]["properties"];
        assert_eq!(settle["office"]["description"], "制表单位 on printed forms");
        let input = &settle["inputs"]["additionalProperties"]["properties"];
        assert_eq!(input["sheet"]["description"], "sheet of a workbook");
        assert_eq!(settle["pay"]["required"][4], "bank_no");
    }
}
