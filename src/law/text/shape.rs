//! Holds a value against its shape: unknown keys, missing keys, wrong types, words not listed.

use super::node::{Entry, Node, Value};
use super::schema::{Key, Shape};
use crate::domain::{Date, Fraction};
use crate::law::cells::UNSET;
use crate::law::fault::{At, Faults, near, near_hint};

/// Holds a table of keys against its list. Returns false when something is wrong.
pub(crate) fn record(what: &str, node: &mut Node, keys: &[Key], faults: &mut Faults) -> bool {
    let at = node.at.clone();
    let Value::Table(entries) = &mut node.value else {
        let found = node.kind();
        return wrong(&at, what, found, "a table of keys", faults);
    };
    let mut fine = true;
    for entry in entries.iter_mut() {
        if let Some(key) = keys.iter().find(|key| key.name == entry.name) {
            fine &= shape(key, entry, faults);
        } else {
            fine = false;
            let nearest = near(&entry.name, keys.iter().map(|key| key.name));
            let all: Vec<&str> = keys.iter().map(|key| key.name).collect();
            faults.error(
                "unknown_key",
                &entry.at,
                format!("unknown key `{}` in {what}", entry.name),
                "",
                near_hint(&nearest, &format!("known keys are {}", all.join(", "))),
            );
        }
    }
    // A key that was misspelt is not missing as well.
    let misspelt: Vec<String> = entries
        .iter()
        .filter(|entry| !keys.iter().any(|key| key.name == entry.name))
        .filter_map(|entry| near(&entry.name, keys.iter().map(|key| key.name)).into_iter().next())
        .collect();
    for key in keys.iter().filter(|key| key.required) {
        if misspelt.iter().any(|name| name == key.name) {
            continue;
        }
        if !entries.iter().any(|entry| entry.name == key.name) {
            fine = false;
            let (code, hint) = missing(key.name);
            faults.error(
                code,
                &at,
                format!("{what} has no `{}`", key.name),
                expected(key.shape),
                hint,
            );
        }
    }
    fine
}

fn missing(key: &str) -> (&'static str, &'static str) {
    match key {
        "clause" => {
            ("missing_clause", "every rule names its clause, for instance clause = \"第五条\"")
        }
        "round" => (
            "missing_rounding",
            "every payable rounds, for instance round = { to = \"0.01\", mode = \"half_up\" }",
        ),
        "window" | "key" => ("missing_key", "every cap has a key and a window"),
        _ => ("missing_key", ""),
    }
}

/// What a shape looks like, for messages.
fn expected(shape: Shape) -> String {
    match shape {
        Shape::Text | Shape::Clause => "a text".to_owned(),
        Shape::Id => "an id of a-z, 0-9, _ and dots".to_owned(),
        Shape::Ref => "the id of another block".to_owned(),
        Shape::Refs => "a list of ids".to_owned(),
        Shape::Date => "a date YYYY-MM-DD".to_owned(),
        Shape::DateOrOpen => "a date YYYY-MM-DD or \"open\"".to_owned(),
        Shape::Bool => "true or false".to_owned(),
        Shape::Count => "a whole number from 1".to_owned(),
        Shape::Number => "an exact number, for instance \"0.10\"".to_owned(),
        Shape::Share => "an exact number or a fraction, for instance \"1/3\"".to_owned(),
        Shape::Scalar => "a text, an integer, a date, true or false".to_owned(),
        Shape::Expr => "an expression as a text".to_owned(),
        Shape::Word(words) => words.join(" | "),
        Shape::Texts => "a list of texts".to_owned(),
        Shape::Rows => "a list of rows [[key, …, cell], …]".to_owned(),
        Shape::Record(keys) => {
            let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
            format!("a table {{ {} }}", names.join(", "))
        }
        Shape::Records(_) => "a list of tables".to_owned(),
        Shape::Keys(_) => "a list of column names or tables { name, type, … }".to_owned(),
    }
}

fn wrong(at: &At, what: &str, found: &str, expected: &str, faults: &mut Faults) -> bool {
    faults.error("wrong_type", at, format!("{what} is {found}"), expected, "");
    false
}

/// Holds one key's value against its shape; texts that stand for dates become dates.
fn shape(key: &Key, entry: &mut Entry, faults: &mut Faults) -> bool {
    let what = format!("`{}`", key.name);
    value(&what, key.shape, &mut entry.node, faults)
}

fn value(what: &str, shape: Shape, node: &mut Node, faults: &mut Faults) -> bool {
    if node.value == Value::Bad {
        return false;
    }
    let at = node.at.clone();
    // Values of parameters and cells of tables are asked for where they are read.
    let fills = !matches!(shape, Shape::Scalar);
    if fills && node.text() == Some(UNSET) {
        let hint = "write what the notice says in place of \"unset\"";
        faults.error("unset", &at, format!("{what} is not filled"), expected(shape), hint);
        return false;
    }
    let found = node.kind();
    let refuse = |faults: &mut Faults| wrong(&at, what, found, &expected(shape), faults);
    match (shape, &mut node.value) {
        (Shape::Bool, Value::Bool(_))
        | (Shape::Date | Shape::DateOrOpen, Value::Date(_))
        | (Shape::Number | Shape::Share, Value::Int(_))
        // Whether it may be empty is asked where the notice is known.
        | (Shape::Clause, Value::Text(_))
        | (Shape::Scalar, Value::Text(_) | Value::Int(_) | Value::Bool(_) | Value::Date(_)) => true,
        (Shape::Text | Shape::Expr | Shape::Ref, Value::Text(text)) => {
            not_empty(what, &at, text, faults)
        }
        (Shape::Expr, Value::Int(int)) => {
            node.value = Value::Text(int.to_string());
            true
        }
        (Shape::Id, Value::Text(text)) => id(what, &at, text, faults),
        (Shape::DateOrOpen, Value::Text(text)) if text == "open" => true,
        (Shape::Date | Shape::DateOrOpen, Value::Text(text)) => match Date::parse_iso(text) {
            Ok(date) => {
                node.value = Value::Date(date);
                true
            }
            Err(_) => refuse(faults),
        },
        (Shape::Count, Value::Int(int)) if *int >= 1 => true,
        (Shape::Number, Value::Text(text)) if Fraction::parse_decimal(text).is_some() => true,
        (Shape::Share, Value::Text(text)) if share(text).is_some() => true,
        (Shape::Number | Shape::Share, Value::Text(text)) => {
            let message = format!("{what} is {text:?}, which is not a number");
            let hint = if text.ends_with(['%', '％']) {
                "5 % is written \"0.05\""
            } else {
                "digits and at most one point: no separators, no unit"
            };
            faults.error("wrong_type", &at, message, expected(shape), hint);
            false
        }
        (Shape::Word(words), Value::Text(text)) => word(what, &at, text, words, faults),
        (Shape::Texts | Shape::Refs, Value::List(list)) => {
            each(list, |item| value(what, Shape::Text, item, faults))
        }
        (Shape::Rows, Value::List(rows)) => each(rows, |row| {
            let found = row.kind();
            match &mut row.value {
                Value::List(cells) => {
                    each(cells, |cell| value("a cell", Shape::Scalar, cell, faults))
                }
                _ => wrong(&row.at, "a row", found, "a list [key, …, cell]", faults),
            }
        }),
        (Shape::Record(keys), Value::Table(_)) => record(what, node, keys, faults),
        (Shape::Records(keys), Value::List(list)) => {
            each(list, |item| record(&format!("an entry of {what}"), item, keys, faults))
        }
        (Shape::Keys(keys), Value::List(list)) => each(list, |item| match &item.value {
            Value::Text(_) => value("a key", Shape::Text, item, faults),
            _ => record(&format!("an entry of {what}"), item, keys, faults),
        }),
        _ => refuse(faults),
    }
}

/// Holds every item, past the first that is wrong.
fn each(list: &mut [Node], mut hold: impl FnMut(&mut Node) -> bool) -> bool {
    let mut fine = true;
    for item in list {
        fine &= hold(item);
    }
    fine
}

fn not_empty(what: &str, at: &At, text: &str, faults: &mut Faults) -> bool {
    if text.trim().is_empty() {
        return wrong(at, what, "empty", "a text", faults);
    }
    true
}

fn id(what: &str, at: &At, text: &str, faults: &mut Faults) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    if text.len() <= 100 && text.split('.').all(plain) {
        return true;
    }
    faults.error(
        "bad_id",
        at,
        format!("{what} is {text:?}"),
        "words of a-z, 0-9 and _ joined by dots, at most 100 characters",
        "a Chinese name goes to `zh`",
    );
    false
}

fn word(what: &str, at: &At, text: &str, words: &[&str], faults: &mut Faults) -> bool {
    if words.contains(&text) {
        return true;
    }
    let hint = near_hint(&near(text, words.iter().copied()), "");
    faults.error("unknown_word", at, format!("{what} is {text:?}"), words.join(" | "), hint);
    false
}

/// A decimal or `a/b`.
pub(crate) fn share(text: &str) -> Option<Fraction> {
    match text.split_once('/') {
        None => Fraction::parse_decimal(text),
        Some((top, bottom)) => {
            let whole = |text: &str| Fraction::parse_decimal(text.trim()).filter(|f| f.den == 1);
            Fraction::new(whole(top)?.num, whole(bottom)?.num).map(Fraction::reduced)
        }
    }
}
