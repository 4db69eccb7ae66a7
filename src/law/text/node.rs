//! TOML with a place for every key and value; floats are refused here, once for all keys.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::Date;
use crate::law::fault::{At, Faults};

/// Largest file read, in bytes; a notice is a few kilobytes.
pub(crate) const MOST_BYTES: u64 = 4 << 20;

/// One value with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) at: At,
    pub(crate) value: Value,
}

/// The kinds of value a pack may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Int(i128),
    Bool(bool),
    Date(Date),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// Something already complained about.
    Bad,
}

/// One key of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) at: At,
    pub(crate) node: Node,
}

impl Node {
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn date(&self) -> Option<Date> {
        match &self.value {
            Value::Date(date) => Some(*date),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> &[Self] {
        match &self.value {
            Value::List(list) => list,
            _ => &[],
        }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a key of a table.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| entry.name == name).map(|entry| &entry.node)
    }

    /// What a person calls this kind of value.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Text(_) => "a text",
            Value::Int(_) => "an integer",
            Value::Bool(_) => "true or false",
            Value::Date(_) => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Bad => "a broken value",
        }
    }
}

/// Reads a TOML text; what cannot be read is a fault, the rest is kept.
pub(crate) fn parse(file: usize, text: &str, faults: &mut Faults) -> Node {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        faults.error("toml", &At { file, span }, error.message().trim(), "", "");
    }
    let span = table.span();
    Node { at: At { file, span }, value: entries(file, table.into_inner(), faults) }
}

fn entries(file: usize, table: DeTable<'_>, faults: &mut Faults) -> Value {
    let mut list: Vec<Entry> = table
        .into_iter()
        .map(|(name, value)| Entry {
            at: At { file, span: name.span() },
            name: name.into_inner().into_owned(),
            node: node(file, value, faults),
        })
        .collect();
    list.sort_by_key(|entry| entry.at.span.start);
    Value::Table(list)
}

fn node(file: usize, value: Spanned<DeValue<'_>>, faults: &mut Faults) -> Node {
    let at = At { file, span: value.span() };
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Boolean(yes) => Value::Bool(yes),
        DeValue::Integer(int) => {
            if let Some(int) =
                i128::from_str_radix(int.as_str(), int.radix()).ok().filter(|n| n.abs() < 1 << 62)
            {
                Value::Int(int)
            } else {
                faults.error("number", &at, "an integer that is too large", "", "");
                Value::Bad
            }
        }
        DeValue::Float(float) => {
            let found = float.as_str();
            faults.error(
                "float",
                &at,
                format!("{found} is a floating-point number"),
                "an exact number as a text",
                format!("write it as a string: \"{found}\""),
            );
            Value::Bad
        }
        DeValue::Datetime(when) => {
            let date = when.date.filter(|_| when.time.is_none()).and_then(|date| {
                Date::from_ymd(date.year.into(), date.month.into(), date.day.into())
            });
            if let Some(date) = date {
                Value::Date(date)
            } else if when.to_string().is_empty() {
                // No day of the calendar: the parser has told it.
                Value::Bad
            } else {
                faults.error(
                    "date",
                    &at,
                    format!("{when} is not a plain date"),
                    "a date YYYY-MM-DD between 1900 and 2199",
                    "",
                );
                Value::Bad
            }
        }
        DeValue::Array(array) => {
            Value::List(array.into_iter().map(|value| node(file, value, faults)).collect())
        }
        DeValue::Table(table) => entries(file, table, faults),
    };
    Node { at, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_is_refused_at_its_place() {
        let mut faults = Faults::default();
        let node = parse(0, "a = 1\nb = [1.5]\n", &mut faults);
        assert_eq!(faults.0.len(), 1);
        assert_eq!(faults.0[0].at.as_ref().unwrap().span, 11..14);
        assert_eq!(node.get("a").unwrap().value, Value::Int(1));
    }

    #[test]
    fn every_syntax_error_is_told() {
        let mut faults = Faults::default();
        parse(0, "a = \nb = 1\nc = [\n", &mut faults);
        assert!(faults.0.len() >= 2, "{faults:?}");
    }
}
