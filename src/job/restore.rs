//! A job from its canonical text: what was settled once is settled again from other folders.

use super::canonical::YOUNGER;
use super::canonical::{canonical, names};
use super::{Capture, CodeRule, Job, JobKind, Pay, TableSpec, WriteOff};
use crate::domain::texts::Language;
use crate::domain::{Date, Month};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where everything lies that a canonical text leaves out.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Pack folders in layer order; the last names are those of the text.
    pub packs: Vec<PathBuf>,
    /// Overlay files in order.
    pub overlays: Vec<PathBuf>,
    /// Folder of calendars and profiles.
    pub reference: PathBuf,
    /// Files of each table, in the order of the text.
    pub files: BTreeMap<String, Vec<PathBuf>>,
    /// Tables that may be absent.
    pub optional: Vec<String>,
    /// Late deliveries.
    pub late: Vec<TableSpec>,
    /// Key file of the pseudonyms.
    pub key_file: PathBuf,
    /// Run folder.
    pub out: PathBuf,
}

/// A text that is no canonical job, or not the job that these places make.
#[derive(Debug, thiserror::Error)]
#[error("the text of the job cannot be read back: {reason}")]
pub struct RestoreError {
    /// What is wrong.
    pub reason: String,
}

#[expect(clippy::struct_excessive_bools, reason = "a job has as many switches")]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    id: String,
    kind: String,
    title: String,
    period: String,
    packs: Vec<String>,
    overlays: Vec<String>,
    known_on: String,
    tables: Vec<TableText>,
    form: Option<String>,
    workbooks: bool,
    entitlements_csv: bool,
    change_percent: i64,
    provisional_calendar: bool,
    retro: bool,
    opening: Option<String>,
    #[serde(default)]
    before_opening: Option<String>,
    office: String,
    #[serde(default)]
    write_offs: Vec<WriteOff>,
    #[serde(default)]
    pay: Option<Pay>,
    #[serde(default)]
    carry_failed: bool,
    #[serde(default)]
    codes: Vec<CodeRule>,
    language: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableText {
    table: String,
    files: Vec<String>,
    sheet: Option<String>,
    header_row: Option<u32>,
    headers: BTreeMap<String, String>,
    values: BTreeMap<String, BTreeMap<String, String>>,
    captures: Vec<(String, String, String)>,
    constants: BTreeMap<String, String>,
    ignore: Vec<String>,
    received_on: Option<String>,
    complete_for: Option<(String, String)>,
}

fn wrong(reason: impl Into<String>) -> RestoreError {
    RestoreError { reason: reason.into() }
}

fn month(text: &str) -> Result<Month, RestoreError> {
    Month::parse(text).map_err(|_| wrong(format!("{text:?} is no month")))
}

fn date(text: &str) -> Result<Date, RestoreError> {
    Date::parse_iso(text).map_err(|error| wrong(error.to_string()))
}

impl TableSpec {
    /// A specification from [`TableSpec::canonical`], its files at `paths`.
    ///
    /// # Errors
    /// When the text is no such specification.
    pub fn restore(text: &str, paths: Vec<PathBuf>) -> Result<Self, RestoreError> {
        let spec =
            table(serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?, paths)?;
        if spec.canonical() == text { Ok(spec) } else { Err(wrong("other files")) }
    }
}

fn table(text: TableText, paths: Vec<PathBuf>) -> Result<TableSpec, RestoreError> {
    if text.files.len() != paths.len() {
        let table = &text.table;
        return Err(wrong(format!("{table} has {} files", text.files.len())));
    }
    Ok(TableSpec {
        table: text.table,
        paths,
        optional: false,
        sheet: text.sheet,
        header_row: text.header_row,
        headers: text.headers,
        values: text.values,
        captures: text
            .captures
            .into_iter()
            .map(|(column, from, pattern)| Capture { column, from, pattern })
            .collect(),
        constants: text.constants,
        ignore: text.ignore,
        received_on: text.received_on.as_deref().map(date).transpose()?,
        complete_for: match text.complete_for {
            Some((first, last)) => Some((month(&first)?, month(&last)?)),
            None => None,
        },
    })
}

/// The job whose canonical text this is, with everything at other places: same bytes in, same
/// bytes out (S29). It has no ledger and no archive of its own.
///
/// # Errors
/// When the text is no job, or the places do not fit it.
pub fn restore(text: &str, places: Places) -> Result<Job, RestoreError> {
    let read: Text = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    if read.kind != "settle" || read.packs.len() != places.packs.len() {
        return Err(wrong("other packs or another kind"));
    }
    if !read.overlays.is_empty() && read.overlays != names(&places.overlays) {
        return Err(wrong("other overlays"));
    }
    let Places { packs, overlays, reference, mut files, optional, late, key_file, out } = places;
    let mut tables = Vec::with_capacity(read.tables.len());
    for of in read.tables {
        let paths = files.remove(&of.table).unwrap_or_default();
        let mut spec = table(of, paths)?;
        spec.optional = optional.contains(&spec.table);
        tables.push(spec);
    }
    for younger in YOUNGER {
        if !tables.iter().any(|spec| spec.table == younger) {
            tables.push(TableSpec { table: younger.to_owned(), ..TableSpec::default() });
        }
    }
    tables.sort_by(|a: &TableSpec, b| a.table.cmp(&b.table));
    let mut job = Job {
        id: read.id,
        kind: JobKind::Settle,
        title: read.title,
        period: month(&read.period)?,
        packs,
        overlays,
        reference,
        known_on: date(&read.known_on)?,
        law_known_on: None,
        tables,
        late,
        key_file,
        out,
        ledger: None,
        archive: None,
        approval: super::Approval::default(),
        form: read.form,
        write_offs: read.write_offs,
        pay: read.pay,
        carry_failed: read.carry_failed,
        codes: read.codes,
        workbooks: read.workbooks,
        entitlements_csv: read.entitlements_csv,
        change_percent: read.change_percent,
        provisional_calendar: read.provisional_calendar,
        retro: read.retro,
        pay_before_opening: read.before_opening.as_deref() == Some("pay"),
        opening: read.opening.as_deref().map(month).transpose()?,
        office: read.office,
        language: match read.language {
            None => Language::default(),
            Some(tag) => Language::parse(&tag).ok_or_else(|| wrong("another language"))?,
        },
        threads: None,
        canonical: String::new(),
    };
    job.canonical = canonical(&job, &read.overlays);
    if job.canonical == text { Ok(job) } else { Err(wrong("other names of files")) }
}
