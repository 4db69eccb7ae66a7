//! Calendar files: `calendars/<id>.toml` of the reference folder in, a [`Calendar`] out (S21).
//!
//! Keys: `id`, `title`, `weekend` (ISO weekdays), `years` (published ones) or `every_year = true`,
//! and a `[[paper]]` for each arrangement with `source`, `off` (weekdays that are off) and
//! `make_up` (weekend days that are worked). A listed day that changes nothing is refused: it is
//! more often a slip than a remark.

use crate::domain::{Calendar, Date};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Why a calendar cannot be had. Every variant is exit 4: the law is incomplete.
#[derive(Debug, thiserror::Error)]
pub enum CalendarFileError {
    /// An id that is no file name of the folder.
    #[error("calendar {id:?} is not a name; expected letters, digits, '_' or '-'")]
    Name {
        /// The id asked for.
        id: String,
    },
    /// The file cannot be read.
    #[error("{path}: cannot be read; hint: a pack names a file of the calendars folder", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML of the expected keys.
    #[error("{path}: {message}", path = path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the reader says, with line and column.
        message: String,
    },
    /// A value that makes no sense.
    #[error("{path}: {message}", path = path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Which value and what was expected.
        message: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CalendarText {
    id: String,
    #[serde(rename = "title")]
    _title: String,
    weekend: Vec<u32>,
    #[serde(default)]
    years: Vec<i32>,
    #[serde(default)]
    every_year: bool,
    #[serde(default)]
    paper: Vec<PaperText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PaperText {
    source: String,
    #[serde(default)]
    off: Vec<String>,
    #[serde(default)]
    make_up: Vec<String>,
}

/// Reads the calendar `id` from the reference folder.
///
/// # Errors
/// See [`CalendarFileError`].
pub fn load(reference: &Path, id: &str) -> Result<Calendar, CalendarFileError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if id.is_empty() || !id.bytes().all(plain) {
        return Err(CalendarFileError::Name { id: id.chars().take(40).collect() });
    }
    let path = reference.join("calendars").join(format!("{id}.toml"));
    let text = std::fs::read_to_string(&path)
        .map_err(|source| CalendarFileError::Read { path: path.clone(), source })?;
    let file: CalendarText = toml::from_str(&text).map_err(|error| CalendarFileError::Syntax {
        path: path.clone(),
        message: error.to_string(),
    })?;
    let refused = |message: String| CalendarFileError::Value { path: path.clone(), message };
    if file.id != id {
        return Err(refused(format!("id is {:?}, expected {id:?}, the file's name", file.id)));
    }
    establish(file).map_err(refused)
}

/// The calendar of a file, or which value is wrong and what was expected.
fn establish(file: CalendarText) -> Result<Calendar, String> {
    let weekend: BTreeSet<u32> = file.weekend.into_iter().collect();
    if weekend.iter().any(|day| !(1..=7).contains(day)) || weekend.len() == 7 {
        return Err("weekend holds other days than 1 to 7, or all seven".to_owned());
    }
    let years: BTreeSet<i32> = file.years.into_iter().collect();
    if years.is_empty() != file.every_year {
        return Err("expected `years`, or `every_year = true`, and not both".to_owned());
    }
    let mut calendar = Calendar {
        id: file.id,
        weekend,
        years,
        every_year: file.every_year,
        ..Calendar::default()
    };
    for paper in file.paper {
        for (days, worked) in [(&paper.off, false), (&paper.make_up, true)] {
            for text in days {
                list_day(&mut calendar, text, worked, &paper.source)?;
            }
        }
    }
    Ok(calendar)
}

fn list_day(calendar: &mut Calendar, text: &str, worked: bool, source: &str) -> Result<(), String> {
    let date = Date::parse_iso(text).map_err(|error| error.to_string())?;
    if !calendar.covers(date.ymd().0) {
        return Err(format!("{date} is listed, but its year is not in `years`"));
    }
    if calendar.weekend.contains(&date.weekday()) != worked {
        let (list, expected) =
            if worked { ("make_up", "a weekend day") } else { ("off", "a weekday") };
        return Err(format!("{list} holds {date}, expected {expected}"));
    }
    let days = if worked { &mut calendar.make_up } else { &mut calendar.off };
    match days.insert(date, source.to_owned()) {
        Some(_) => Err(format!("{date} is listed twice")),
        None => Ok(()),
    }
}

/// SHA-256 of what the calendar says, lower-case hex, for the run id (S29): a year taken as plain
/// weekdays changes it, the layout of the file does not.
#[must_use]
pub fn content_hash(calendar: &Calendar) -> String {
    let mut text = format!(
        "calendar {}\nweekend {:?}\nyears {:?}\nevery_year {}\n",
        calendar.id, calendar.weekend, calendar.years, calendar.every_year
    );
    for (word, days) in [("off", &calendar.off), ("make_up", &calendar.make_up)] {
        for (date, paper) in days {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{word} {date} {paper:?}");
        }
    }
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
