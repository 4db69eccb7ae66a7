//! The grammar of packs as JSON Schema 2020-12, for editors that complete and check while one
//! types. Made of the grammar's own table; what a key means is read from its reference.
//!
//! A schema sees shapes only: that names exist, units fit and tables have no gap is told by
//! `policy check`. TOML dates are texts to a schema, and JSON knows no difference between 1 and
//! 1.0, so that only a float with decimals is refused here.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use super::text::BlockKind;
use super::text::schema::{DATED, Key, NOTICE, PACK, Shape};

/// The dialect every schema of ours is written in.
pub(crate) const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

const REFERENCE: &str = include_str!("../../docs/policy-pack.md");

/// Every day of 1900 to 2199, with a 29 February in every year.
const DAY: &str = "(19|20|21)[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|\
                   (0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|[12][0-9]))";
const DECIMAL: &str = "-?[0-9]+(\\.[0-9]+)?";

/// The schema of a file of a pack: `[pack]`, `[notice]` and blocks of every kind.
#[must_use]
pub fn pack_schema() -> Value {
    let mut properties = Map::new();
    let mut definitions = Map::new();
    let mut with_notice = Map::new();
    let head = |heading: &str, keys: &[Key]| record(keys, &tables(REFERENCE, heading), &[]);
    properties.insert("pack".to_owned(), head("## `[pack]`", PACK));
    properties.insert("notice".to_owned(), head("## `[notice]`", NOTICE));
    let dated = tables(REFERENCE, "## Keys of every dated block");
    for kind in BlockKind::ALL {
        let word = kind.word().to_owned();
        let mut told = tables(REFERENCE, &format!("## `[[{word}]]`"));
        if kind.dated() {
            let own = told.first().cloned().unwrap_or_default();
            let mut all = dated.first().cloned().unwrap_or_default();
            all.extend(own);
            told.splice(..told.len().min(1), [all]);
            with_notice.insert(word.clone(), json!(["notice"]));
        }
        let before: &[Key] = if kind.dated() { DATED } else { &[] };
        let items = json!({ "$ref": format!("#/$defs/{word}") });
        properties.insert(word.clone(), json!({ "type": "array", "items": items }));
        let mut block = record(kind.keys(), &told, before);
        together(kind, &mut block);
        block["title"] = format!("{word} {}", kind.chinese()).into();
        definitions.insert(word, block);
    }
    json!({
        "$schema": DIALECT,
        "title": "tuoyu policy pack",
        "description": "A file of a policy pack; see docs/policy-pack.md",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "dependentRequired": with_notice,
        "$defs": definitions,
    })
}

/// What keys of a block ask of each other, as the readers do.
fn together(kind: BlockKind, block: &mut Value) {
    match kind {
        BlockKind::Parameter | BlockKind::Table => {
            block["anyOf"] = json!([{ "required": ["unit"] }, { "required": ["type"] }]);
            if kind == BlockKind::Table {
                block["oneOf"] = json!([{ "required": ["rows"] }, { "required": ["file"] }]);
            }
        }
        BlockKind::GuidePrice => {
            block["dependentRequired"] = json!({ "float_up": ["round"], "float_down": ["round"] });
        }
        _ => {}
    }
}

/// A table of keys; the first of `told` describes its keys, the second those of its entries.
fn record(keys: &[Key], told: &[BTreeMap<String, String>], before: &[Key]) -> Value {
    let none = BTreeMap::new();
    let one = |key: &Key| {
        let mut value = shape(key.shape, told.get(1..).unwrap_or_default());
        if !key.default.is_empty() {
            value["default"] = match (key.shape, key.default) {
                (Shape::Bool, word) => (word == "true").into(),
                (_, word) => word.into(),
            };
        }
        (key.name, value, key.required)
    };
    section(before.iter().chain(keys).map(one), told.first().unwrap_or(&none))
}

/// An object of keys: name, what its value must look like, whether it must be there. `told` says
/// what they mean.
pub(crate) fn section<'k>(
    keys: impl IntoIterator<Item = (&'k str, Value, bool)>,
    told: &BTreeMap<String, String>,
) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, mut value, must) in keys {
        if let Some(text) = told.get(name) {
            value["description"] = text.as_str().into();
        }
        properties.insert(name.to_owned(), value);
        if must {
            required.push(Value::from(name));
        }
    }
    object(properties, required)
}

/// An object that has no other keys.
fn object(properties: Map<String, Value>, required: Vec<Value>) -> Value {
    let mut object = json!({ "type": "object", "additionalProperties": false });
    object["properties"] = Value::Object(properties);
    if !required.is_empty() {
        object["required"] = Value::Array(required);
    }
    object
}

/// A text with at least one letter.
pub(crate) fn text() -> Value {
    json!({ "type": "string", "pattern": "\\S" })
}

/// A day, which TOML may write with or without quotes.
pub(crate) fn date() -> Value {
    json!({ "type": "string", "pattern": format!("^{DAY}$") })
}

/// A month as a text.
pub(crate) fn month() -> Value {
    json!({ "type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$" })
}

fn number(pattern: &str) -> Value {
    json!({ "type": ["integer", "string"], "pattern": pattern })
}

fn list(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

fn shape(shape: Shape, told: &[BTreeMap<String, String>]) -> Value {
    match shape {
        Shape::Text | Shape::Ref => text(),
        Shape::Clause => json!({ "type": "string" }),
        Shape::Id => json!({
            "type": "string", "pattern": "^[a-z0-9_]+(\\.[a-z0-9_]+)*$", "maxLength": 100,
        }),
        Shape::Refs | Shape::Texts => list(&text()),
        Shape::Date => date(),
        Shape::DateOrOpen => {
            json!({ "type": "string", "pattern": format!("^({DAY}|open)$") })
        }
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Count => json!({ "type": "integer", "minimum": 1 }),
        Shape::Number => number(&format!("^{DECIMAL}$")),
        Shape::Share => number(&format!("^({DECIMAL}|\\s*-?[0-9]+\\s*/\\s*-?[0-9]+\\s*)$")),
        Shape::Scalar => scalar(),
        Shape::Expr => number("\\S"),
        Shape::Word(words) => json!({ "enum": words }),
        Shape::Rows => list(&list(&scalar())),
        Shape::Record(keys) => record(keys, told, &[]),
        Shape::Records(keys) => list(&record(keys, told, &[])),
        Shape::Keys(keys) => list(&json!({ "anyOf": [text(), record(keys, told, &[])] })),
    }
}

fn scalar() -> Value {
    json!({ "type": ["string", "integer", "boolean"] })
}

/// The tables of keys under a heading of a reference: what each key means, markup taken off.
pub(crate) fn tables(reference: &str, heading: &str) -> Vec<BTreeMap<String, String>> {
    let Some(start) = reference.find(&format!("{heading}\n")) else { return Vec::new() };
    let body = &reference[start + heading.len()..];
    let body = &body[..body.find("\n## ").unwrap_or(body.len())];
    let mut tables: Vec<BTreeMap<String, String>> = Vec::new();
    let mut meaning = 0;
    for line in body.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if let Some(at) = cells.iter().position(|cell| *cell == "meaning") {
            meaning = at;
            tables.push(BTreeMap::new());
            continue;
        }
        let (Some(table), Some(text)) = (tables.last_mut(), cells.get(meaning)) else { continue };
        if text.starts_with("---") || text.is_empty() {
            continue;
        }
        for name in cells[0].split('`').skip(1).step_by(2) {
            table.insert(name.to_owned(), plain(text));
        }
    }
    tables
}

/// A text without the marks of its page: `[words](link)` is its words.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        match (before.rsplit_once('['), after.split_once(')')) {
            (Some((front, words)), Some((_, behind))) => {
                out.push_str(front);
                out.push_str(words);
                rest = behind;
            }
            _ => break,
        }
    }
    out.push_str(rest);
    out.replace(['`', '*'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_what_its_reference_says() {
        let schema = pack_schema();
        let clause = &schema["$defs"]["gate"]["properties"]["clause"];
        assert_eq!(clause["description"], "条款; empty only in a planned notice");
        // A key of a key has the meaning of its own table, not of the block's key of that name.
        let keys = &schema["$defs"]["table"]["properties"]["keys"]["items"]["anyOf"][1];
        assert_eq!(keys["properties"]["unit"]["description"], "unit of a number");
        let unit = &schema["$defs"]["table"]["properties"]["unit"]["description"];
        assert_eq!(unit, "unit of the cells, which are exact numbers");
        assert_eq!(schema["$defs"]["gate"]["required"][0], "id");
    }

    #[test]
    fn links_are_words() {
        assert_eq!(plain("see [pay.md](pay.md) and `x` ([y](z))"), "see pay.md and x (y)");
    }
}
