//! The job file and the command line -> [`Job`].

use super::files::{self, CORE_FILES};
use super::reconcile;
use super::toml_walk::{Section, Text, join, parse_month};
use super::{
    ArchiveChoice, Capture, Job, JobError, JobKind, LedgerChoice, Overrides, TableSpec, approval,
    canonical, codes, late, pay, write_off,
};
use crate::domain::texts::Language;
use crate::domain::{Date, Month};
use regex::Regex;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(super) const TOP: [&str; 31] = [
    "id",
    "kind",
    "title",
    "period",
    "packs",
    "overlays",
    "reference",
    "input",
    "cut_off_day",
    "known_on",
    "key_file",
    "out",
    "ledger",
    "form",
    "workbooks",
    "entitlements_csv",
    "change_percent",
    "provisional_calendar",
    "retro",
    "opening",
    "before_opening",
    "office",
    "approval",
    "inputs",
    "archive",
    "late",
    "write_off",
    "pay",
    "carry_failed",
    "codes",
    "language",
];

pub(super) const TABLE: [&str; 11] = [
    "file",
    "optional",
    "sheet",
    "header_row",
    "headers",
    "values",
    "captures",
    "constants",
    "ignore",
    "received_on",
    "complete_for",
];

/// Reads a job file and resolves every default (`docs/job.md`).
///
/// # Errors
/// When the file is not there, is not TOML, has an unknown key or a value out of bounds, or names
/// an input that does not exist. Each with its place.
pub fn read(path: &Path, overrides: &Overrides) -> Result<Job, JobError> {
    let file = path.display().to_string();
    let bytes = std::fs::read_to_string(path)
        .map_err(|source| JobError::Unreadable { file: file.clone(), source })?;
    let text = Text { file: &file, text: &bytes };
    let parsed = text.parse()?;
    let kind = kind(text, parsed.get_ref())?;
    let top = Section::new(text, "", parsed.get_ref(), &TOP)?;
    let id = id(&top)?;
    let period = overrides.period.or(top.month("period")?).ok_or_else(|| JobError::Unset {
        file: file.clone(),
        key: "period",
        hint: "set period = \"YYYY-MM\" in the job or give --period YYYY-MM",
    })?;
    let input = if let Some(input) = &overrides.input {
        input.clone()
    } else {
        let text = top.string("input")?.ok_or_else(|| JobError::Unset {
            file: file.clone(),
            key: "input",
            hint: "set input = \"FOLDER\" in the job or give --input FOLDER",
        })?;
        PathBuf::from(filled(&text, period, &id))
    };
    let cut_off = top.integer("cut_off_day", 1..=28)?.unwrap_or(10);
    let known_on = overrides.known_on.or(top.date("known_on")?);
    let out = out(&top)?;
    let input = Input::new(text, &input, period)?;
    let tables = tables(&top, &input)?;
    let ledger = ledger(&top, overrides)?;
    let title = top.string("title")?.unwrap_or_else(|| id.clone());
    let reference: PathBuf =
        top.string("reference")?.map_or_else(|| "data/reference".into(), PathBuf::from);
    let mut job = Job {
        kind,
        pay: pay::read(&top, &title)?,
        carry_failed: top.truth("carry_failed")?.unwrap_or(false),
        title,
        period,
        packs: paths(&top, "packs")?,
        overlays: paths(&top, "overlays")?,
        codes: codes::read(&top, &reference)?,
        reference,
        known_on: known_on.unwrap_or_else(|| after(period, cut_off)),
        law_known_on: None,
        late: late::read(&top, &input, &tables)?,
        tables,
        key_file: key_file(&top)?,
        out: overrides.out.clone().unwrap_or_else(|| PathBuf::from(filled(&out, period, &id))),
        archive: archive(&top, overrides, ledger.as_deref())?,
        ledger,
        form: top.reference("form", "profiles")?,
        workbooks: top.truth("workbooks")?.unwrap_or(true),
        entitlements_csv: top.truth("entitlements_csv")?.unwrap_or(false),
        change_percent: top.integer("change_percent", 0..=1000)?.unwrap_or(20),
        retro: top.truth("retro")?.unwrap_or(true),
        provisional_calendar: top.truth("provisional_calendar")?.unwrap_or(false),
        opening: top.month("opening")?,
        pay_before_opening: pay_before_opening(&top)?,
        office: top.string("office")?.unwrap_or_default(),
        write_offs: write_off::read(&top)?,
        approval: approval::read(&top)?,
        language: language(&top, overrides)?,
        threads: overrides.threads.filter(|threads| *threads > 0),
        canonical: String::new(),
        id,
    };
    if job.packs.is_empty() {
        return Err(JobError::Unset {
            file,
            key: "packs",
            hint: "name at least one folder, packs = [\"data/policy/…\"]",
        });
    }
    job.canonical = canonical::canonical(&job, &[]);
    Ok(job)
}

/// Where a job keeps its results and its books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Books {
    /// Job id.
    pub id: String,
    /// Ledger file; `None` is a trial.
    pub ledger: Option<PathBuf>,
    /// Run folder of the period; `None` where no period was named.
    pub out: Option<PathBuf>,
    /// The archive the job names; where it names none, it lies beside the ledger.
    pub archive: Option<PathBuf>,
}

/// Reads where a job keeps its results and its books, and nothing else: who acts on a run that was
/// settled needs no deliveries.
///
/// # Errors
/// When the file is not there, is not TOML or has an unknown key.
pub fn books(path: &Path, period: Option<Month>) -> Result<Books, JobError> {
    let file = path.display().to_string();
    let bytes = std::fs::read_to_string(path)
        .map_err(|source| JobError::Unreadable { file: file.clone(), source })?;
    let text = Text { file: &file, text: &bytes };
    let parsed = text.parse()?;
    let top = Section::new(text, "", parsed.get_ref(), &TOP)?;
    let (id, out) = (id(&top)?, out(&top)?);
    let period = period.or(top.month("period")?);
    Ok(Books {
        ledger: ledger(&top, &Overrides::default())?,
        out: period.map(|period| PathBuf::from(filled(&out, period, &id))),
        archive: top.string("archive")?.map(PathBuf::from),
        id,
    })
}

fn out(top: &Section<'_>) -> Result<String, JobError> {
    Ok(top.string("out")?.unwrap_or_else(|| "out/{period}".to_owned()))
}

pub(super) fn filled(text: &str, period: Month, id: &str) -> String {
    text.replace("{period}", &period.to_string()).replace("{id}", id)
}

/// The language of files and messages: the command line's, the job's, Chinese.
pub(super) fn language(top: &Section<'_>, overrides: &Overrides) -> Result<Language, JobError> {
    let own = match top.string("language")? {
        None => Language::default(),
        Some(tag) => Language::parse(&tag).ok_or_else(|| {
            let span = top.get("language").map_or(0..0, Spanned::span);
            let message = format!("language is {tag:?}; expected \"zh-CN\" or \"en\"");
            top.text.wrong(span, message)
        })?,
    };
    Ok(overrides.language.unwrap_or(own))
}

/// What becomes of months before the opening (S23).
fn pay_before_opening(top: &Section<'_>) -> Result<bool, JobError> {
    match top.string("before_opening")?.as_deref() {
        None | Some("ignore") => Ok(false),
        Some("pay") => Ok(true),
        Some(other) => {
            let span = top.get("before_opening").map_or(0..0, Spanned::span);
            let message = format!("before_opening is {other:?}; expected \"ignore\" or \"pay\"");
            Err(top.text.wrong(span, message))
        }
    }
}

/// The cut-off: a day of the month after the period, which every month has.
fn after(period: Month, day: i64) -> Date {
    let days = i32::try_from(day - 1).unwrap_or(0);
    period.plus(1).first().plus_days(days)
}

pub(super) fn id(top: &Section<'_>) -> Result<String, JobError> {
    let id = top.required("id", 0..0)?;
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    if id.is_empty() || id.len() > 32 || !id.chars().all(legal) {
        let span = top.get("id").map_or(0..0, Spanned::span);
        let message = format!("id is {id:?}; expected 1 to 32 characters of a-z, 0-9, _ and -");
        return Err(top.text.wrong(span, message));
    }
    Ok(id)
}

/// Asked before the keys are: a job of another kind has others.
fn kind(text: Text<'_>, table: &DeTable<'_>) -> Result<JobKind, JobError> {
    match reconcile::kind_of(text, table)? {
        (JobKind::Settle, _) => Ok(JobKind::Settle),
        (JobKind::Reconcile, span) => Err(text.wrong(
            span,
            "this job reads answers; expected kind = \"settle\"; hint: tuoyu run takes either \
             kind, this command takes a settle job",
        )),
        (JobKind::Tune, span) => Err(text.wrong(
            span,
            "kind is \"tune\"; expected a job that settles; hint: `tuoyu run` takes it",
        )),
    }
}

fn key_file(top: &Section<'_>) -> Result<PathBuf, JobError> {
    top.string("key_file")?.map(PathBuf::from).ok_or_else(|| JobError::Unset {
        file: top.text.file.to_owned(),
        key: "key_file",
        hint: "name the bureau's key file; pseudonyms in outputs are made with it",
    })
}

fn ledger(top: &Section<'_>, overrides: &Overrides) -> Result<Option<PathBuf>, JobError> {
    let own = top.string("ledger")?.unwrap_or_else(|| "var/ledger.db".to_owned());
    Ok(match &overrides.ledger {
        Some(LedgerChoice::File(path)) => Some(path.clone()),
        Some(LedgerChoice::None) => None,
        None if own == "none" => None,
        None => Some(PathBuf::from(own)),
    })
}

/// The archive lies beside the ledger unless stated; without a ledger nothing is archived.
fn archive(
    top: &Section<'_>,
    overrides: &Overrides,
    ledger: Option<&Path>,
) -> Result<Option<PathBuf>, JobError> {
    let own = top.string("archive")?;
    let Some(ledger) = ledger else { return Ok(None) };
    Ok(match (&overrides.archive, own.as_deref()) {
        (Some(ArchiveChoice::Folder(path)), _) => Some(path.clone()),
        (Some(ArchiveChoice::None), _) | (None, Some("none")) => None,
        (None, Some(own)) => Some(PathBuf::from(own)),
        (None, None) => Some(ledger.with_file_name("archive")),
    })
}

fn paths(top: &Section<'_>, key: &str) -> Result<Vec<PathBuf>, JobError> {
    let texts = top.strings(key)?.unwrap_or_default();
    Ok(texts.into_iter().map(|text| PathBuf::from(text.into_inner())).collect())
}

/// The deliveries of a job: a folder of files, or one file that serves several tables.
pub(super) struct Input<'i> {
    path: &'i Path,
    folder: bool,
    names: Vec<String>,
    period: Month,
}

impl<'i> Input<'i> {
    fn new(text: Text<'_>, path: &'i Path, period: Month) -> Result<Self, JobError> {
        let missing = || JobError::Missing {
            file: text.file.to_owned(),
            key: "input".to_owned(),
            path: path.display().to_string(),
            hint: "paths stand relative to the folder the command is run in",
        };
        if !path.exists() {
            return Err(missing());
        }
        let folder = path.is_dir();
        let names = if folder { files::names(path).map_err(|_| missing())? } else { Vec::new() };
        Ok(Self { path, folder, names, period })
    }
}

fn tables(top: &Section<'_>, input: &Input<'_>) -> Result<Vec<TableSpec>, JobError> {
    let mut specs = Vec::new();
    let mut listed = BTreeSet::new();
    if let Some(value) = top.get("inputs") {
        let DeValue::Table(inputs) = value.get_ref() else {
            return Err(top
                .text
                .wrong(value.span(), "inputs is no table; expected [inputs.<table>]"));
        };
        for (name, value) in inputs {
            let table = name.get_ref().to_string();
            specs.push(table_spec(top.text, &table, name, value, input)?);
            listed.insert(table);
        }
    }
    for (table, _) in CORE_FILES {
        if input.folder && !listed.contains(table) {
            let paths = files::by_default(table, input.path, &input.names);
            specs.push(TableSpec { table: table.to_owned(), paths, ..TableSpec::default() });
        }
    }
    specs.sort_by(|a, b| a.table.cmp(&b.table));
    Ok(specs)
}

fn table_spec<'t>(
    text: Text<'t>,
    table: &str,
    name: &Spanned<std::borrow::Cow<'_, str>>,
    value: &'t Spanned<DeValue<'t>>,
    input: &Input<'_>,
) -> Result<TableSpec, JobError> {
    let path = join("inputs", table);
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if table.is_empty() || !table.chars().all(legal) {
        let message = format!("{path}: no table has such a name; expected a-z, 0-9 and _");
        return Err(text.wrong(name.span(), message));
    }
    let DeValue::Table(keys) = value.get_ref() else {
        return Err(text.wrong(value.span(), format!("{path} is no table; expected [{path}]")));
    };
    near_core(text, table, name.span())?;
    let section = Section::new(text, &path, keys, &TABLE)?;
    Ok(TableSpec {
        table: table.to_owned(),
        paths: table_paths(&section, table, input)?,
        optional: section.truth("optional")?.unwrap_or(false),
        sheet: section.string("sheet")?,
        header_row: section
            .integer("header_row", 1..=1000)?
            .and_then(|row| u32::try_from(row).ok()),
        headers: section.map("headers")?,
        values: section.maps("values")?,
        captures: captures(&section)?,
        constants: section.map("constants")?,
        ignore: section
            .strings("ignore")?
            .unwrap_or_default()
            .into_iter()
            .map(Spanned::into_inner)
            .collect(),
        received_on: section.date("received_on")?,
        complete_for: complete_for(&section)?,
    })
}

/// A name that is nearly a core table's is a slip, not a pack's table.
pub(super) fn near_core(
    text: Text<'_>,
    table: &str,
    span: std::ops::Range<usize>,
) -> Result<(), JobError> {
    let core: Vec<&str> = CORE_FILES.iter().map(|(core, _)| *core).collect();
    match super::toml_walk::nearest(table, &core) {
        Some(near) if near != table => {
            let message = format!("unknown table {table:?}; hint: did you mean {near:?}?");
            Err(text.wrong(span, message))
        }
        _ => Ok(()),
    }
}

pub(super) fn table_paths(
    section: &Section<'_>,
    table: &str,
    input: &Input<'_>,
) -> Result<Vec<PathBuf>, JobError> {
    let optional = section.truth("optional")?.unwrap_or(false);
    let Some(patterns) = section.strings("file")? else {
        return Ok(if input.folder {
            files::by_default(table, input.path, &input.names)
        } else {
            Vec::new()
        });
    };
    let mut found = BTreeSet::new();
    for pattern in patterns {
        let filled = pattern.get_ref().replace("{period}", &input.period.to_string());
        if filled == "{input}" {
            if input.folder {
                let message = format!(
                    "{}.file is \"{{input}}\" and the input is a folder; expected a file; hint: \
                     give --input FILE",
                    section.path
                );
                return Err(section.text.wrong(pattern.span(), message));
            }
            found.insert(input.path.to_path_buf());
            continue;
        }
        // Beside a single input file, other files are named from the folder of the command.
        let whole = if input.folder { input.path.join(&filled) } else { PathBuf::from(&filled) };
        let last = whole.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        if files::is_pattern(&last) {
            let folder = whole.parent().unwrap_or(Path::new(""));
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            let names = files::names(folder).unwrap_or_default();
            let fitting = names.iter().filter(|name| files::fits(&last, name));
            found.extend(fitting.map(|name| folder.join(name)));
        } else if whole.is_file() {
            found.insert(whole);
        } else if !optional {
            let message = format!(
                "{}.file: {} does not exist; hint: check the input folder, or say optional = true",
                section.path,
                whole.display()
            );
            return Err(section.text.wrong(pattern.span(), message));
        }
    }
    let mut paths: Vec<PathBuf> = found.into_iter().collect();
    paths.sort_by(|a, b| a.file_name().cmp(&b.file_name()).then_with(|| a.cmp(b)));
    Ok(paths)
}

pub(super) fn captures(section: &Section<'_>) -> Result<Vec<Capture>, JobError> {
    let mut captures = Vec::new();
    let list = section.get("captures").map_or(0..0, Spanned::span);
    for item in section.sections("captures", &["column", "from", "pattern"])? {
        let capture = Capture {
            column: item.required("column", list.clone())?,
            from: item.required("from", list.clone())?,
            pattern: item.required("pattern", list.clone())?,
        };
        let span = item.get("pattern").map_or(0..0, Spanned::span);
        let wrong = |reason: String| {
            let message = format!("{}.pattern: {reason}; expected one group", item.path);
            item.text.wrong(span.clone(), message)
        };
        let regex = Regex::new(&capture.pattern).map_err(|error| {
            let reason = error.to_string();
            wrong(reason.lines().last().unwrap_or_default().trim().to_owned())
        })?;
        if regex.captures_len() != 2 {
            return Err(wrong(format!("the pattern has {} groups", regex.captures_len() - 1)));
        }
        captures.push(capture);
    }
    Ok(captures)
}

pub(super) fn complete_for(section: &Section<'_>) -> Result<Option<(Month, Month)>, JobError> {
    let Some(months) = section.strings("complete_for")? else { return Ok(None) };
    let key = join(&section.path, "complete_for");
    let span = section.get("complete_for").map_or(0..0, Spanned::span);
    let [from, until] = months.as_slice() else {
        let message = format!("{key} has {} months; expected two, first and last", months.len());
        return Err(section.text.wrong(span, message));
    };
    let first = parse_month(section.text, from.span(), &key, from.get_ref())?;
    let last = parse_month(section.text, until.span(), &key, until.get_ref())?;
    if last < first {
        let message = format!("{key}: {last} lies before {first}; expected first, then last");
        return Err(section.text.wrong(span, message));
    }
    Ok(Some((first, last)))
}
