//! `schedule.xlsx` of a release: the schedule as it was settled, with the acts that let it out and the
//! head of the ledger on every page, to be printed and signed.
//!
//! It is made from the files of the run folder, so that a release folder that was lost is made
//! again with the same bytes.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::Deserialize;

use super::folder::FolderError;
use super::labels;
use super::sheet::{Sheet, Values};
use super::summary::SUMMARY;
use super::workbook::{self, Imprint};
use super::{Manifest, Release};
use crate::domain::texts::Catalogue;
use crate::domain::{Date, Month};

/// Its name, in the run folder and in the release folder.
pub(super) const SCHEDULE_BOOK: &str = "schedule.xlsx";

/// What `summary.json` tells of the run's face.
#[derive(Deserialize)]
struct Told {
    title: String,
    office: String,
    sample: bool,
    items: BTreeMap<String, String>,
}

/// The workbook; `None` where the run has none (a job may do without, and a run of before has no
/// names to show).
///
/// # Errors
/// When a file of the run folder cannot be read, or there are more lines than a sheet has rows.
pub(super) fn schedule(
    release: &Release,
    run_folder: &Path,
    manifest: &Manifest,
) -> Result<Option<Vec<u8>>, FolderError> {
    if !manifest.outputs.iter().any(|file| file.file == SCHEDULE_BOOK) {
        return Ok(None);
    }
    let read = |name: &str| {
        let path = run_folder.join(name);
        std::fs::read(&path).map_err(|cause| FolderError::Io { path, action: "read", cause })
    };
    let Ok(told) = serde_json::from_slice::<Told>(&read(SUMMARY)?) else { return Ok(None) };
    let month = |text: &str| Month::parse(text).ok();
    let Some(period) = month(&manifest.period) else { return Ok(None) };
    let Some(language) = manifest.language() else { return Ok(None) };
    let texts = Catalogue::new(language);
    let imprint = Imprint {
        texts: &texts,
        run_id: &release.run_id,
        office: &told.office,
        title: &told.title,
        first: manifest.months.first().and_then(|text| month(text)).unwrap_or(period),
        period,
        sample: told.sample,
        release: Some(release),
    };
    let sheet = |name: &str| {
        let file = format!("{name}.csv");
        let bytes = read(&file)?;
        typed(name, &bytes).map_err(|cause| FolderError::Io {
            path: run_folder.join(file),
            action: "read",
            cause,
        })
    };
    let items = told.items.iter().map(|(id, label)| (id.as_str(), label.as_str())).collect();
    let book = workbook::schedule(&imprint, &sheet("schedule")?, &sheet("payments")?, &items);
    book.map(Some).map_err(|cause| FolderError::Io {
        path: run_folder.join(SCHEDULE_BOOK),
        action: "make",
        cause: io::Error::other(cause),
    })
}

/// A file of ours as the sheet it was written from.
fn typed(name: &str, bytes: &[u8]) -> io::Result<Sheet> {
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().map_err(io::Error::other)?.clone();
    let records: Result<Vec<csv::StringRecord>, _> = reader.records().collect();
    let records = records.map_err(io::Error::other)?;
    let mut sheet = Sheet::new(name, records.len());
    for (at, column) in header.iter().enumerate() {
        let cells = || records.iter().map(|record| record.get(at).unwrap_or_default());
        let number = |text: &str| text.parse().ok();
        let values = match labels::kind(column) {
            labels::Kind::Fen => Values::MaybeFen(cells().map(number).collect()),
            labels::Kind::Whole => Values::MaybeInt(cells().map(number).collect()),
            labels::Kind::Day => {
                Values::Date(cells().map(|text| Date::parse_iso(text).ok()).collect())
            }
            labels::Kind::Text => Values::Text(cells().map(str::to_owned).collect()),
        };
        sheet.put(column, labels::label(column), values);
    }
    Ok(sheet)
}
