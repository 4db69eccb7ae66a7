//! What was moved on the page in, an overlay out; and an overlay file back into what was moved.

use super::number::NOTHING;
use crate::domain::Fraction;
use crate::domain::texts::Catalogue;
use crate::law::{LawErrors, Lever, LeverKind, OverlayText, quoted};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Levers by path with the value each is moved to.
pub(super) type Changes = BTreeMap<String, String>;

/// How messages call the overlay of the page.
const NAME: &str = "workbench";

/// Why a workbench does not begin with an overlay file.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Not TOML.
    #[error("{file}: {error}")]
    Toml {
        /// File.
        file: String,
        /// Why.
        error: Box<toml::de::Error>,
    },
    /// A line that is no lever of the page, or no plain value.
    #[error(
        "{file}: `{path}` is no number of the law in force; expected `path = \"value\"` as the \
         workbench writes them; hint: what else an overlay changes is named in the job, under overlays"
    )]
    NoLever {
        /// File.
        file: String,
        /// Path.
        path: String,
    },
}

/// One line a change, in the order of the changes, so that a mistake finds its lever.
pub(super) fn overlay(changes: &Changes, levers: &[Lever]) -> OverlayText {
    let text = changes.iter().fold(String::new(), |text, (path, value)| {
        let lever = levers.iter().find(|lever| lever.path == *path);
        text + &line(path, value, lever)
    });
    OverlayText { name: NAME.to_owned(), text }
}

/// The same for a file: every change with what it was, and where the law says so.
pub(super) fn file(heading: &str, changes: &Changes, levers: &[Lever]) -> String {
    let mut text = format!("# {}\n", one_line(heading));
    for (path, value) in changes {
        let lever = levers.iter().find(|lever| lever.path == *path);
        if let Some(lever) = lever {
            let keys: Vec<&str> = lever.keys.iter().map(|(_, key)| key.as_str()).collect();
            let was = lever.value.as_deref().unwrap_or(NOTHING);
            let said = format!(
                "{} {} {} ({} {}): {was}",
                lever.title,
                keys.join(" · "),
                lever.unit,
                lever.notice,
                lever.clause
            );
            let _ = writeln!(text, "\n# {}", one_line(&said));
        }
        text.push_str(&line(path, value, lever));
    }
    text
}

/// One line of an overlay; only a count stands without quotes.
fn line(path: &str, value: &str, lever: Option<&Lever>) -> String {
    let is_count = lever.is_some_and(|lever| lever.kind == LeverKind::Count);
    if is_count && value.parse::<u32>().is_ok_and(|count| count.to_string() == value) {
        return format!("{} = {value}\n", quoted(path));
    }
    format!("{} = {}\n", quoted(path), quoted(value))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Changes an overlay file begins the page with.
///
/// # Errors
/// When it is no TOML, or says something no lever can say.
pub(super) fn changes(overlay: &OverlayText, levers: &[Lever]) -> Result<Changes, StartError> {
    let file = || overlay.name.clone();
    let table: toml::Table = overlay
        .text
        .parse()
        .map_err(|error| StartError::Toml { file: file(), error: Box::new(error) })?;
    let mut lines = Vec::new();
    flatten("", &toml::Value::Table(table), &mut lines);
    let read = lines.into_iter().map(|(path, value)| {
        let known = levers.iter().any(|lever| lever.path == path);
        match value.filter(|_| known) {
            Some(value) => Ok((path, value)),
            None => Err(StartError::NoLever { file: file(), path }),
        }
    });
    read.collect()
}

fn flatten(path: &str, value: &toml::Value, lines: &mut Vec<(String, Option<String>)>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&path, value, lines);
            }
        }
        toml::Value::String(text) => lines.push((path.to_owned(), Some(text.clone()))),
        toml::Value::Integer(number) => lines.push((path.to_owned(), Some(number.to_string()))),
        _ => lines.push((path.to_owned(), None)),
    }
}

/// A change that does not hold; the path is empty where no one change is meant.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Refusal {
    pub(super) path: String,
    pub(super) message: String,
}

/// Changes that are no numbers, or of no lever.
pub(super) fn unread(changes: &Changes, levers: &[Lever], texts: &Catalogue) -> Vec<Refusal> {
    let mut refused = Vec::new();
    for (path, value) in changes {
        let key = match levers.iter().find(|lever| lever.path == *path) {
            None => "workbench.no_lever",
            // What a table holds where nothing is due.
            Some(lever) if value == "none" && !lever.keys.is_empty() => continue,
            Some(lever) => match Fraction::parse_decimal(value) {
                None => "workbench.no_number",
                Some(moved) if moved.num < 0 && !is_below_zero(lever) => "workbench.below_zero",
                Some(_) => continue,
            },
        };
        let message = texts.phrase(key, &[("found", value)]);
        refused.push(Refusal { path: path.clone(), message });
    }
    refused
}

/// Whether the law itself has the number below zero: a rate that is none became a fee by a slip.
fn is_below_zero(lever: &Lever) -> bool {
    let value = lever.value.as_deref().and_then(Fraction::parse_decimal);
    value.is_some_and(|value| value.num < 0)
}

/// What the law says against the changes, each beside the line it is about.
pub(super) fn refusals(errors: &LawErrors, changes: &Changes) -> Vec<Refusal> {
    let of = |error: &crate::law::LawError| {
        let own = error.text.as_ref().is_some_and(|text| text.pack.is_empty() && text.name == NAME);
        let line = usize::try_from(error.line).unwrap_or(0).checked_sub(1);
        let path = line.filter(|_| own).and_then(|line| changes.keys().nth(line));
        let mut message = match &error.text {
            Some(text) if !own => format!("{}:{}: {}", text.name, error.line, error.message),
            _ => error.message.clone(),
        };
        if !error.expected.is_empty() {
            let _ = write!(message, "; expected {}", error.expected);
        }
        Refusal { path: path.cloned().unwrap_or_default(), message }
    };
    errors.0.iter().map(of).collect()
}
