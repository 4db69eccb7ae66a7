//! Words of the audits that settle archived runs again: rerun, diff.

use super::args::{UsageError, date, language, month, threads};
use crate::domain::texts::Language;
use crate::domain::{Date, Month};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct LowRerun {
    /// The run folder, or the first letters of a run id, at least eight
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The ledger the run was posted to
    #[arg(long, value_name = "FILE", default_value = "var/ledger.db")]
    ledger: PathBuf,
    /// The archive; default: `archive` beside the ledger
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    /// Worker threads; the result is the same with any number
    #[arg(long, value_name = "N")]
    threads: Option<String>,
    /// Folder to leave the new run in
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Language: zh-CN or en
    #[arg(long, value_name = "TAG")]
    lang: Option<String>,
    /// Write the answer as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct LowRunsDiff {
    /// A: the run folder, or the first letters of a run id, at least eight
    #[arg(value_name = "A")]
    before: PathBuf,
    /// B: another run of the same period, or a job file for what it gives now
    #[arg(value_name = "B|JOB.toml")]
    after: PathBuf,
    /// Last service month of the period, where a job file is named
    #[arg(long, value_name = "YYYY-MM")]
    period: Option<String>,
    /// Law and deliveries as known on this day, where a job file is named
    #[arg(long, value_name = "DATE")]
    known_on: Option<String>,
    /// The ledger the runs were posted to; default: the job's, else var/ledger.db
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// The archive; default: the job's, else `archive` beside the ledger
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    /// Worker threads; the result is the same with any number
    #[arg(long, value_name = "N")]
    threads: Option<String>,
    /// Language: zh-CN or en
    #[arg(long, value_name = "TAG")]
    lang: Option<String>,
    /// Write the answer as JSON
    #[arg(long)]
    json: bool,
}

/// Which run is to be settled again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RerunCommand {
    /// Run folder, or the first letters of a run id.
    pub run: PathBuf,
    /// Ledger file.
    pub ledger: PathBuf,
    /// Archive folder.
    pub archive: PathBuf,
    /// Worker threads, at least one.
    pub threads: Option<usize>,
    /// Folder to leave the new run in.
    pub out: Option<PathBuf>,
    /// Language.
    pub language: Option<Language>,
    /// Whether the answer is written as JSON.
    pub json: bool,
}

/// Which two runs are to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffCommand {
    /// Run folder, or the first letters of a run id.
    pub before: PathBuf,
    /// The same, or a job file.
    pub after: PathBuf,
    /// Last service month of the period.
    pub period: Option<Month>,
    /// Day of knowledge.
    pub known_on: Option<Date>,
    /// Ledger file.
    pub ledger: Option<PathBuf>,
    /// Archive folder.
    pub archive: Option<PathBuf>,
    /// Worker threads, at least one.
    pub threads: Option<usize>,
    /// Language.
    pub language: Option<Language>,
    /// Whether the answer is written as JSON.
    pub json: bool,
}

pub(super) fn rerun(low: LowRerun) -> Result<RerunCommand, UsageError> {
    Ok(RerunCommand {
        run: low.run,
        archive: low.archive.unwrap_or_else(|| low.ledger.with_file_name("archive")),
        ledger: low.ledger,
        threads: low.threads.map(threads).transpose()?,
        out: low.out,
        language: low.lang.map(language).transpose()?,
        json: low.json,
    })
}

pub(super) fn diff(low: LowRunsDiff) -> Result<DiffCommand, UsageError> {
    Ok(DiffCommand {
        before: low.before,
        after: low.after,
        period: low.period.map(|word| month("--period", word)).transpose()?,
        known_on: low.known_on.map(|word| date("--known-on", word)).transpose()?,
        ledger: low.ledger,
        archive: low.archive,
        threads: low.threads.map(threads).transpose()?,
        language: low.lang.map(language).transpose()?,
        json: low.json,
    })
}
