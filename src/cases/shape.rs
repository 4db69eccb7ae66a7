//! The form of a file of cases; docs/cases.md tells it key by key.

use super::CasesError;
use super::expected::{Expect, Fact, Found, Funded, Pay, Sum};
use crate::domain::{Date, Month};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Unexpected, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::value::Datetime;

/// A file of cases as read.
#[derive(Debug, Clone)]
pub struct CaseFile {
    /// Folder and file, `cases/rates.toml`, for messages.
    pub name: String,
    /// Folder of the pack by its name, for files that do not lie in one.
    pub pack: Option<String>,
    /// Packs below this one, in layer order, by the names of their folders beside it.
    pub with: Vec<String>,
    /// Cases with their lines, shared settings and tables laid into each.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Debug, Clone)]
pub struct Case {
    /// Line of the file.
    pub line: u32,
    /// One line that says what it shows.
    pub name: String,
    /// The clause or publication its figures are from.
    pub from: String,
    /// The arithmetic by hand.
    pub note: String,
    /// Last service month of the settlement period.
    pub period: Month,
    /// Law and deliveries as known on.
    pub known_on: Date,
    /// Overlay lines.
    pub law: toml::Table,
    /// Words of the pack and those that are read in their place.
    pub wording: BTreeMap<String, String>,
    /// The case has to stop with a message that holds these words.
    pub error: Option<String>,
    /// Tables as delivered.
    pub tables: BTreeMap<String, String>,
    /// Periods settled before it, in order.
    pub before: Vec<Earlier>,
    /// Entitlement lines, with their place in the file.
    pub expect: Vec<(u32, Expect)>,
    /// Lines counted and summed.
    pub sum: Vec<(u32, Sum)>,
    /// Money by funding source.
    pub source: Vec<(u32, Funded)>,
    /// Findings.
    pub finding: Vec<(u32, Found)>,
    /// Lines of the schedule.
    pub pay: Vec<(u32, Pay)>,
    /// Cells as they are held.
    pub fact: Vec<(u32, Fact)>,
    /// Cells in the words of the pack.
    pub value: Vec<(u32, Fact)>,
}

/// A period settled before the case's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Last service month.
    pub period: Month,
    /// As known on.
    pub known_on: Date,
    /// Tables as delivered.
    pub tables: BTreeMap<String, String>,
}

/// A text, whole number, truth value or date of a case, as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word(pub String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Word;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a whole number, a date, true or false; write decimals as text")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Word, E> {
                Ok(Word(text.to_owned()))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Word, E> {
                Ok(Word(number.to_string()))
            }
            fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Word, E> {
                Ok(Word(truth.to_string()))
            }
            // TOML hands a date without quotes on as a map.
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Word, A::Error> {
                let date = Datetime::deserialize(MapAccessDeserializer::new(map));
                let no_date = |_| de::Error::invalid_type(Unexpected::Map, &self);
                date.map(|date| Word(date.to_string())).map_err(no_date)
            }
        }
        from.deserialize_any(Read)
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Cells of a shared table that a case has otherwise.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetCells {
    /// The table.
    pub table: String,
    /// The rows: names and texts of columns; all rows without it.
    #[serde(default, rename = "where")]
    pub place: BTreeMap<String, Word>,
    /// Names and new texts of columns.
    pub to: BTreeMap<String, Word>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LowFile {
    pack: Option<String>,
    #[serde(default)]
    with: Vec<String>,
    from: Option<String>,
    period: Option<String>,
    known_on: Option<Word>,
    #[serde(default)]
    tables: BTreeMap<String, String>,
    case: Vec<Spanned<LowCase>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LowCase {
    name: String,
    from: Option<String>,
    #[serde(default)]
    note: String,
    period: Option<String>,
    known_on: Option<Word>,
    #[serde(default)]
    law: toml::Table,
    #[serde(default)]
    wording: BTreeMap<String, String>,
    error: Option<String>,
    #[serde(default)]
    tables: BTreeMap<String, String>,
    #[serde(default)]
    add: BTreeMap<String, String>,
    #[serde(default)]
    set: Vec<SetCells>,
    #[serde(default)]
    months: Vec<String>,
    #[serde(default)]
    before: Vec<LowEarlier>,
    #[serde(default)]
    expect: Vec<Spanned<Expect>>,
    #[serde(default)]
    sum: Vec<Spanned<Sum>>,
    #[serde(default)]
    source: Vec<Spanned<Funded>>,
    #[serde(default)]
    finding: Vec<Spanned<Found>>,
    #[serde(default)]
    pay: Vec<Spanned<Pay>>,
    #[serde(default)]
    fact: Vec<Spanned<Fact>>,
    #[serde(default)]
    value: Vec<Spanned<Fact>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LowEarlier {
    period: String,
    known_on: Option<Word>,
    #[serde(default)]
    tables: BTreeMap<String, String>,
    #[serde(default)]
    add: BTreeMap<String, String>,
    #[serde(default)]
    set: Vec<SetCells>,
}

/// The files of a pack's cases, in order of name; none where it has no folder `cases`.
///
/// # Errors
/// When the folder cannot be read.
pub fn case_files(pack: &Path) -> Result<Vec<PathBuf>, CasesError> {
    let folder = pack.join("cases");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let unreadable = |source| CasesError::Unreadable { file: folder.display().to_string(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Reads one file of cases.
///
/// # Errors
/// When it cannot be read, or is not written as cases are; with its line.
pub fn read_file(path: &Path) -> Result<CaseFile, CasesError> {
    let unreadable = |source| CasesError::Unreadable { file: path.display().to_string(), source };
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let of = |part: Option<&std::ffi::OsStr>| {
        part.map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    };
    let folder = of(path.parent().and_then(Path::file_name));
    let name = format!("{folder}/{}", of(path.file_name()));
    let place = Place { name: &name, text: &text };
    let low: LowFile = toml::from_str(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        place.wrong(at, error.message().to_owned())
    })?;
    let mut cases: Vec<Case> = Vec::new();
    let LowFile { pack, with, case, from, period, known_on, tables } = low;
    let shared = Shared { from, period, known_on, tables };
    for low in case {
        let at = low.span().start;
        let case = shared.case(&place, at, low.into_inner())?;
        if cases.iter().any(|other| other.name == case.name) {
            let message =
                format!("two cases are named {:?}; expected names of their own", case.name);
            return Err(place.wrong(at, message));
        }
        cases.push(case);
    }
    Ok(CaseFile { name, pack, with, cases })
}

/// Where messages point to.
struct Place<'a> {
    name: &'a str,
    text: &'a str,
}

impl Place<'_> {
    fn line(&self, at: usize) -> u32 {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        u32::try_from(memchr::memchr_iter(b'\n', before).count() + 1).unwrap_or(u32::MAX)
    }

    fn wrong(&self, at: usize, message: String) -> CasesError {
        CasesError::Shape { file: self.name.to_owned(), line: self.line(at), message }
    }

    fn placed<T>(&self, all: Vec<Spanned<T>>) -> Vec<(u32, T)> {
        all.into_iter().map(|one| (self.line(one.span().start), one.into_inner())).collect()
    }

    fn month(&self, at: usize, text: &str) -> Result<Month, CasesError> {
        Month::parse(text).map_err(|_| {
            self.wrong(at, format!("period: found {text:?}; expected a month as \"2026-09\""))
        })
    }

    /// The day as known on; the last of the month after the period unless stated.
    fn day(&self, at: usize, text: Option<&Word>, period: Month) -> Result<Date, CasesError> {
        let Some(Word(text)) = text else { return Ok(period.plus(1).last()) };
        Date::parse_iso(text).map_err(|_| {
            self.wrong(at, format!("known_on: found {text:?}; expected a date as \"2026-09-30\""))
        })
    }
}

/// What the cases of a file share.
struct Shared {
    from: Option<String>,
    period: Option<String>,
    known_on: Option<Word>,
    tables: BTreeMap<String, String>,
}

impl Shared {
    fn case(&self, place: &Place<'_>, at: usize, low: LowCase) -> Result<Case, CasesError> {
        let missing = |key: &str| {
            let message =
                format!("case {:?}: no `{key}`; expected one here or for the file", low.name);
            place.wrong(at, message)
        };
        let wrong = |message: String| place.wrong(at, format!("case {:?}: {message}", low.name));
        let from = low.from.clone().or_else(|| self.from.clone());
        let from = from.ok_or_else(|| missing("from"))?;
        let period = low.period.as_ref().or(self.period.as_ref());
        let period = place.month(at, period.ok_or_else(|| missing("period"))?)?;
        let known_on = place.day(at, low.known_on.as_ref().or(self.known_on.as_ref()), period)?;
        let laid = super::tables::laid(&self.tables, low.tables.clone(), &low.add, &low.set);
        let tables = laid.map_err(wrong)?;
        let mut before = Vec::new();
        for month in &low.months {
            let period = place.month(at, month)?;
            let known_on = period.plus(1).last();
            before.push(Earlier { period, known_on, tables: tables.clone() });
        }
        for earlier in &low.before {
            let period = place.month(at, &earlier.period)?;
            let known_on = place.day(at, earlier.known_on.as_ref(), period)?;
            let laid =
                super::tables::laid(&tables, earlier.tables.clone(), &earlier.add, &earlier.set);
            before.push(Earlier { period, known_on, tables: laid.map_err(wrong)? });
        }
        before.sort_by_key(|earlier| earlier.period);
        let periods: Vec<Month> = before.iter().map(|earlier| earlier.period).collect();
        if periods.windows(2).any(|two| two[0] == two[1]) || periods.iter().any(|of| *of >= period)
        {
            return Err(wrong("months before it have to differ and lie before its period".into()));
        }
        Ok(Case {
            line: place.line(at),
            name: low.name,
            from,
            note: low.note,
            period,
            known_on,
            law: low.law,
            wording: low.wording,
            error: low.error,
            tables,
            before,
            expect: place.placed(low.expect),
            sum: place.placed(low.sum),
            source: place.placed(low.source),
            finding: place.placed(low.finding),
            pay: place.placed(low.pay),
            fact: place.placed(low.fact),
            value: place.placed(low.value),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_may_stand_without_quotes_and_a_decimal_may_not() {
        let to = |cell: &str| {
            toml::from_str::<SetCells>(&format!("table = \"t\"\nto = {{ x = {cell} }}"))
        };
        for (cell, text) in [
            ("2024-02-29", "2024-02-29"),
            ("\"2024-02-29\"", "2024-02-29"),
            ("-3", "-3"),
            ("true", "true"),
            ("\"0.5\"", "0.5"),
        ] {
            assert_eq!(to(cell).expect("a cell").to["x"].0, text);
        }
        for cell in ["0.5", "{ y = 1 }", "[1]"] {
            let said = to(cell).expect_err("no cell").to_string();
            assert!(said.contains("expected a text, a whole number, a date"), "{cell}: {said}");
        }
    }
}
