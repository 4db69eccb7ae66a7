//! A walk over a TOML table that knows its place: every key is asked for once, and what nobody
//! asked for is refused.

use super::error::{JobError, JobPlace};
use crate::domain::{Date, Month, reason};
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The text of a job file, for places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'t> {
    pub(super) file: &'t str,
    pub(super) text: &'t str,
}

impl Text<'_> {
    /// An error at a byte range.
    pub(super) fn wrong(&self, span: Range<usize>, message: impl Into<String>) -> JobError {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |start| start.chars().count()) + 1;
        let place = JobPlace { file: self.file.to_owned(), line, column, span };
        JobError::Wrong { place, message: message.into() }
    }

    /// Parses the whole text.
    pub(super) fn parse(&self) -> Result<Spanned<DeTable<'_>>, JobError> {
        DeTable::parse(self.text).map_err(|error| {
            self.wrong(error.span().unwrap_or(0..0), format!("not TOML: {}", error.message()))
        })
    }
}

/// One table of the file and the keys it may have.
#[derive(Debug)]
pub(super) struct Section<'t> {
    pub(super) text: Text<'t>,
    /// Dotted path for messages, empty at the top.
    pub(super) path: String,
    table: &'t DeTable<'t>,
}

impl<'t> Section<'t> {
    /// The table, all of whose keys must be among `known`.
    ///
    /// # Errors
    /// On the first key that is not, with the nearest known one as a hint.
    pub(super) fn new(
        text: Text<'t>,
        path: &str,
        table: &'t DeTable<'t>,
        known: &[&str],
    ) -> Result<Self, JobError> {
        let mut keys: Vec<_> = table.keys().collect();
        keys.sort_by_key(|key| key.span().start);
        for key in keys {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let hint = nearest(name, known).map_or_else(
                    || format!("expected one of {}", known.join(", ")),
                    |near| format!("did you mean {near:?}?"),
                );
                let whole = join(path, name);
                return Err(text.wrong(key.span(), format!("unknown key {whole:?}; hint: {hint}")));
            }
        }
        Ok(Self { text, path: path.to_owned(), table })
    }

    pub(super) fn get(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.table.get(key)
    }

    fn expected(&self, key: &str, value: &Spanned<DeValue<'_>>, expected: &str) -> JobError {
        let found = value.get_ref().type_str();
        let whole = join(&self.path, key);
        self.text.wrong(value.span(), format!("{whole} is a TOML {found}; expected {expected}"))
    }

    /// A text.
    pub(super) fn string(&self, key: &str) -> Result<Option<String>, JobError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::String(text) => Ok(Some(text.to_string())),
            _ => Err(self.expected(key, value, "a text")),
        }
    }

    /// A text or a list of texts; each with its span.
    pub(super) fn strings(&self, key: &str) -> Result<Option<Vec<Spanned<String>>>, JobError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let list = match value.get_ref() {
            DeValue::String(text) => vec![Spanned::new(value.span(), text.to_string())],
            DeValue::Array(items) => {
                let mut texts = Vec::new();
                for item in items {
                    let DeValue::String(text) = item.get_ref() else {
                        return Err(self.expected(key, item, "a text"));
                    };
                    texts.push(Spanned::new(item.span(), text.to_string()));
                }
                texts
            }
            _ => return Err(self.expected(key, value, "a list of texts")),
        };
        Ok(Some(list))
    }

    /// A bool.
    pub(super) fn truth(&self, key: &str) -> Result<Option<bool>, JobError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        value
            .get_ref()
            .as_bool()
            .map(Some)
            .ok_or_else(|| self.expected(key, value, "true or false"))
    }

    /// An integer within bounds.
    pub(super) fn integer(
        &self,
        key: &str,
        within: std::ops::RangeInclusive<i64>,
    ) -> Result<Option<i64>, JobError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let bounds = format!("a whole number from {} to {}", within.start(), within.end());
        let DeValue::Integer(number) = value.get_ref() else {
            return Err(self.expected(key, value, &bounds));
        };
        let number = i64::from_str_radix(number.as_str(), number.radix()).ok();
        let Some(number) = number.filter(|number| within.contains(number)) else {
            let message = format!("{} is out of range; expected {bounds}", join(&self.path, key));
            return Err(self.text.wrong(value.span(), message));
        };
        Ok(Some(number))
    }

    /// A date, as a TOML date or a text.
    pub(super) fn date(&self, key: &str) -> Result<Option<Date>, JobError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(moment) => moment.to_string(),
            _ => return Err(self.expected(key, value, "a date, YYYY-MM-DD")),
        };
        let wrong =
            |error| self.text.wrong(value.span(), format!("{}: {error}", join(&self.path, key)));
        Date::parse_iso(&text).map(Some).map_err(wrong)
    }

    /// A month.
    pub(super) fn month(&self, key: &str) -> Result<Option<Month>, JobError> {
        let Some(text) = self.string(key)? else { return Ok(None) };
        let span = self.get(key).map_or(0..0, Spanned::span);
        parse_month(self.text, span, &join(&self.path, key), &text).map(Some)
    }

    /// A table of texts.
    pub(super) fn map(&self, key: &str) -> Result<BTreeMap<String, String>, JobError> {
        let Some(value) = self.get(key) else { return Ok(BTreeMap::new()) };
        self.texts(key, value)
    }

    /// A table of tables of texts.
    pub(super) fn maps(
        &self,
        key: &str,
    ) -> Result<BTreeMap<String, BTreeMap<String, String>>, JobError> {
        let Some(value) = self.get(key) else { return Ok(BTreeMap::new()) };
        let DeValue::Table(table) = value.get_ref() else {
            return Err(self.expected(key, value, "a table of columns"));
        };
        let mut maps = BTreeMap::new();
        for (column, value) in table {
            let column = column.get_ref().to_string();
            let map = self.texts(&format!("{key}.{column}"), value)?;
            maps.insert(column, map);
        }
        Ok(maps)
    }

    fn texts(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<BTreeMap<String, String>, JobError> {
        let DeValue::Table(table) = value.get_ref() else {
            return Err(self.expected(key, value, "a table of texts"));
        };
        let mut map = BTreeMap::new();
        for (name, value) in table {
            let name = name.get_ref().to_string();
            let DeValue::String(text) = value.get_ref() else {
                return Err(self.expected(&format!("{key}.{name}"), value, "a text in quotes"));
            };
            map.insert(name, text.to_string());
        }
        Ok(map)
    }

    /// The reason of an act, which must not be empty; `what` and `expected` stand in the message.
    pub(super) fn because(&self, what: &str, expected: &str) -> Result<String, JobError> {
        let span = || self.get("reason").map_or(0..0, Spanned::span);
        let text = self.required("reason", 0..0)?;
        match reason(&text) {
            Ok("") => {
                let message = format!("{what}.reason is empty; expected {expected}");
                Err(self.text.wrong(span(), message))
            }
            Ok(because) => Ok(because.to_owned()),
            Err(error) => Err(self.text.wrong(span(), format!("{what}.reason: {error}"))),
        }
    }

    /// A list of tables.
    pub(super) fn sections(&self, key: &str, known: &[&str]) -> Result<Vec<Self>, JobError> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let DeValue::Array(items) = value.get_ref() else {
            return Err(self.expected(key, value, "a list of tables"));
        };
        let mut sections = Vec::new();
        for item in items {
            let DeValue::Table(table) = item.get_ref() else {
                return Err(self.expected(key, item, "a table"));
            };
            sections.push(Section::new(self.text, &join(&self.path, key), table, known)?);
        }
        Ok(sections)
    }

    /// The name of a file of the reference folder, without `.toml`: no way to another folder.
    pub(super) fn reference(&self, key: &str, folder: &str) -> Result<Option<String>, JobError> {
        let Some(name) = self.string(key)? else { return Ok(None) };
        let legal = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        if name.is_empty() || !name.chars().all(legal) {
            let span = self.get(key).map_or(0..0, Spanned::span);
            let message = format!(
                "{key} is {name:?}; expected the name of a file in the reference folder's {folder}, \
                 without .toml"
            );
            return Err(self.text.wrong(span, message));
        }
        Ok(Some(name))
    }

    /// A text that must be there.
    pub(super) fn required(&self, key: &str, span: Range<usize>) -> Result<String, JobError> {
        let missing = || {
            let whole = join(&self.path, key);
            self.text.wrong(span, format!("{whole} is missing; expected a text"))
        };
        self.string(key)?.ok_or_else(missing)
    }
}

/// `YYYY-MM` at a place.
pub(super) fn parse_month(
    text: Text<'_>,
    span: Range<usize>,
    key: &str,
    month: &str,
) -> Result<Month, JobError> {
    Month::parse(month).map_err(|error| {
        text.wrong(span, format!("{key}: {:?} is not a month; expected YYYY-MM", error.found))
    })
}

pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The known word nearest to a misspelt one, if it is near enough to be meant.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let near = known.iter().map(|known| (distance(word, known), *known)).min()?;
    (near.0 <= 2 && near.0 < word.chars().count()).then_some(near.1)
}

/// Letters to add, drop or change to get from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
