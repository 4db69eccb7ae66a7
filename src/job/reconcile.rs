//! A job of kind `reconcile`: which answers, of which settlement's payments (`docs/reconcile.md`).

use super::explained::{self, Explained};
use super::files;
use super::read::{self, Books, filled};
use super::reasons::{self, Reason};
use super::toml_walk::{Section, Text};
use super::{ArchiveChoice, JobError, JobKind, LedgerChoice, Overrides};
use crate::domain::texts::Language;
use crate::domain::{Date, Month};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::DeTable;

pub(super) const TOP: [&str; 22] = [
    "id",
    "kind",
    "title",
    "settles",
    "period",
    "input",
    "reference",
    "profiles",
    "calendar",
    "currency",
    "account_no",
    "days",
    "as_of",
    "correct",
    "accounts",
    "same_account",
    "out",
    "ledger",
    "archive",
    "workbooks",
    "explained",
    "language",
];

/// A reconcile job with every default resolved.
#[derive(Debug, Clone)]
pub struct ReconcileJob {
    /// Id.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// Id of the settle job whose payments are answered.
    pub settles: String,
    /// Run folder of the settlement.
    pub run_folder: PathBuf,
    /// Period of the settlement.
    pub period: Month,
    /// Files of answers, sorted by name.
    pub answers: Vec<PathBuf>,
    /// Reference folder.
    pub reference: PathBuf,
    /// Batch profiles whose answers may come, by name.
    pub profiles: Vec<String>,
    /// Calendar that open items are aged by.
    pub calendar: String,
    /// Currency of the payments.
    pub currency: String,
    /// Our account; statements of others are not believed. Empty: any.
    pub account_no: String,
    /// Days after the pay date in which account and amount may match.
    pub days: i32,
    /// Day the open items are aged to; `None`: the last day any answer tells.
    pub as_of: Option<Date>,
    /// Whether what failed is gathered into a correction batch.
    pub correct: bool,
    /// Table of corrected accounts for the batch.
    pub accounts: Option<PathBuf>,
    /// Reason codes of the bank's own after which the same account may be paid again.
    pub same_account: Vec<String>,
    /// What people call reason codes, and whether they blame the account.
    pub reasons: BTreeMap<String, Reason>,
    /// Money nobody sent that a person has explained.
    pub explained: Vec<Explained>,
    /// Folder of the reconciliation.
    pub out: PathBuf,
    /// Ledger.
    pub ledger: PathBuf,
    /// Archive; `None`: answers are not kept.
    pub archive: Option<PathBuf>,
    /// Whether `exceptions.xlsx` is written.
    pub workbooks: bool,
    /// Language of files for people.
    pub language: Language,
    /// Everything that may change a byte of the outputs, as text.
    pub canonical: String,
}

/// Of which kind a job file is; what is wrong with it otherwise is told when it is read.
///
/// # Errors
/// When the file is not there, is not TOML or names a kind that is none.
pub fn kind(path: &Path) -> Result<JobKind, JobError> {
    let file = path.display().to_string();
    let bytes = std::fs::read_to_string(path)
        .map_err(|source| JobError::Unreadable { file: file.clone(), source })?;
    let text = Text { file: &file, text: &bytes };
    let parsed = text.parse()?;
    kind_of(text, parsed.get_ref()).map(|(kind, _)| kind)
}

/// The kind a job file names, and where.
pub(super) fn kind_of(
    text: Text<'_>,
    table: &DeTable<'_>,
) -> Result<(JobKind, Range<usize>), JobError> {
    let Some((_, value)) = table.iter().find(|(key, _)| key.get_ref() == "kind") else {
        return Ok((JobKind::Settle, 0..0));
    };
    match value.get_ref().as_str() {
        Some("settle") => Ok((JobKind::Settle, value.span())),
        Some("reconcile") => Ok((JobKind::Reconcile, value.span())),
        Some("tune") => Ok((JobKind::Tune, value.span())),
        other => {
            let found = other.unwrap_or("no text");
            let message =
                format!("kind is {found:?}; expected \"settle\", \"reconcile\" or \"tune\"");
            Err(text.wrong(value.span(), message))
        }
    }
}

/// Reads a reconcile job and resolves every default.
///
/// # Errors
/// When the file is not there, is not TOML, has an unknown key or a value out of bounds, or names a
/// settle job or a folder that is not there.
pub fn read_reconcile(path: &Path, overrides: &Overrides) -> Result<ReconcileJob, JobError> {
    let file = path.display().to_string();
    let bytes = std::fs::read_to_string(path)
        .map_err(|source| JobError::Unreadable { file: file.clone(), source })?;
    let text = Text { file: &file, text: &bytes };
    let parsed = text.parse()?;
    let top = Section::new(text, "", parsed.get_ref(), &TOP)?;
    let id = read::id(&top)?;
    let unset = |key, hint| JobError::Unset { file: file.clone(), key, hint };
    let period = overrides.period.or(top.month("period")?).ok_or_else(|| {
        unset("period", "set period = \"YYYY-MM\" in the job or give --period YYYY-MM")
    })?;
    let settles = top.string("settles")?.ok_or_else(|| {
        unset("settles", "name the job file that settled the period, settles = \"jobs/….toml\"")
    })?;
    let settles = PathBuf::from(filled(&settles, period, &id));
    let Books { id: settles, ledger, out, archive } = if settles.is_dir() {
        of_folder(text, settles, period)?
    } else {
        read::books(&settles, Some(period))?
    };
    let input = match &overrides.input {
        Some(input) => input.clone(),
        None => PathBuf::from(filled(
            &top.string("input")?.ok_or_else(|| {
                unset("input", "set input = \"FOLDER\" in the job or give --input FOLDER")
            })?,
            period,
            &id,
        )),
    };
    let own = top.string("ledger")?.map(PathBuf::from).or(ledger);
    let ledger = match &overrides.ledger {
        Some(LedgerChoice::File(path)) => Some(path.clone()),
        Some(LedgerChoice::None) => None,
        None => own,
    };
    let ledger = ledger.ok_or_else(|| {
        unset("ledger", "answers belong to released payments, which only a ledger holds")
    })?;
    let archive = match (&overrides.archive, top.string("archive")?.as_deref()) {
        (Some(ArchiveChoice::Folder(path)), _) => Some(path.clone()),
        (Some(ArchiveChoice::None), _) | (None, Some("none")) => None,
        (None, Some(own)) => Some(PathBuf::from(own)),
        (None, None) => Some(archive.unwrap_or_else(|| ledger.with_file_name("archive"))),
    };
    let out_text = top.string("out")?.unwrap_or_else(|| "out/{period}.{id}".to_owned());
    let accounts = top.string("accounts")?.map(|path| PathBuf::from(filled(&path, period, &id)));
    let strings = |key: &str| -> Result<Vec<String>, JobError> {
        let found = top.strings(key)?.unwrap_or_default();
        Ok(found.into_iter().map(Spanned::into_inner).collect())
    };
    let reference: PathBuf =
        top.string("reference")?.map_or_else(|| "data/reference".into(), PathBuf::from);
    let mut job = ReconcileJob {
        reasons: reasons::read(&reference)?,
        title: top.string("title")?.unwrap_or_else(|| id.clone()),
        settles,
        run_folder: out.unwrap_or_default(),
        period,
        answers: answers(text, &input)?,
        reference,
        profiles: strings("profiles")?,
        calendar: top.required("calendar", 0..0)?,
        currency: top.string("currency")?.unwrap_or_else(|| "CNY".to_owned()),
        account_no: top.string("account_no")?.unwrap_or_default(),
        days: i32::try_from(top.integer("days", 0..=366)?.unwrap_or(10)).unwrap_or(10),
        as_of: top.date("as_of")?,
        correct: top.truth("correct")?.unwrap_or(true),
        accounts: existing(text, accounts)?,
        same_account: strings("same_account")?,
        explained: explained::read(&top)?,
        out: overrides.out.clone().unwrap_or_else(|| PathBuf::from(filled(&out_text, period, &id))),
        ledger,
        archive,
        workbooks: top.truth("workbooks")?.unwrap_or(true),
        language: read::language(&top, overrides)?,
        canonical: String::new(),
        id,
    };
    job.canonical = canonical(&job);
    Ok(job)
}

/// The settlement a run folder holds; its ledger is named by the reconcile job.
fn of_folder(text: Text<'_>, folder: PathBuf, period: Month) -> Result<Books, JobError> {
    #[derive(Deserialize)]
    struct Head {
        job: String,
        period: String,
    }
    let path = folder.join("manifest.json");
    let bytes = std::fs::read(&path).map_err(|_| JobError::Missing {
        file: text.file.to_owned(),
        key: "settles".to_owned(),
        path: path.display().to_string(),
        hint: "settles names a settle job or its run folder",
    })?;
    let head: Head = serde_json::from_slice(&bytes)
        .map_err(|error| text.wrong(0..0, format!("{}: no manifest: {error}", path.display())))?;
    if head.period != period.to_string() {
        let found = format!("settles: {} is of {}, not of {period}", folder.display(), head.period);
        return Err(text.wrong(0..0, found));
    }
    let ledger = Some(PathBuf::from("var/ledger.db"));
    Ok(Books { id: head.job, ledger, out: Some(folder), archive: None })
}

/// A file or all files of a folder, in order of their names.
fn answers(text: Text<'_>, input: &Path) -> Result<Vec<PathBuf>, JobError> {
    let missing = || JobError::Missing {
        file: text.file.to_owned(),
        key: "input".to_owned(),
        path: input.display().to_string(),
        hint: "paths stand relative to the folder the command is run in",
    };
    if input.is_file() {
        return Ok(vec![input.to_owned()]);
    }
    let names = files::names(input).map_err(|_| missing())?;
    Ok(names.into_iter().map(|name| input.join(name)).collect())
}

fn existing(text: Text<'_>, path: Option<PathBuf>) -> Result<Option<PathBuf>, JobError> {
    match path {
        Some(path) if !path.is_file() => Err(JobError::Missing {
            file: text.file.to_owned(),
            key: "accounts".to_owned(),
            path: path.display().to_string(),
            hint: "a table of institution_id, account_name, account_no, bank_name, bank_no",
        }),
        path => Ok(path),
    }
}

/// Not the folders, the ledger and the archive; the answers enter by their hashes.
fn canonical(job: &ReconcileJob) -> String {
    let mut text = serde_json::json!({
        "account_no": job.account_no,
        "as_of": job.as_of.map(|day| day.to_string()),
        "calendar": job.calendar,
        "correct": job.correct,
        "currency": job.currency,
        "days": job.days,
        "explained": job.explained,
        "id": job.id,
        "period": job.period.to_string(),
        "profiles": job.profiles,
        "reasons": job.reasons,
        "same_account": job.same_account,
        "settles": job.settles,
        "title": job.title,
        "workbooks": job.workbooks,
    });
    if job.language != Language::Chinese {
        text["language"] = job.language.tag().into();
    }
    text.to_string()
}
