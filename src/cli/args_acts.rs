//! Words of the commands about acts of persons: approve, release, close, reopen, keys.

use super::args::{UsageError, language, month};
use crate::domain::texts::Language;
use crate::domain::{ActError, Month, moment, person, reason, unhex};
use crate::ledger::ActKind;
use crate::publish::Wanted;
use clap::{ArgGroup, Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct LowAct {
    /// The run folder, the job file, or the first digits (8 or more) of the run id
    #[arg(value_name = "RUN|JOB.toml|ID")]
    run: PathBuf,
    /// Name of the person who does it
    #[arg(long, value_name = "NAME")]
    by: String,
    /// The person's key file, where the job demands signatures
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// When, as 2026-10-12T09:30:00+08:00; default: now
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Last service month of the period, where a job file is named
    #[arg(long, value_name = "YYYY-MM")]
    period: Option<String>,
    /// The run's job file; default: the file of `jobs/` with the run's job id
    #[arg(long, value_name = "JOB.toml")]
    job: Option<PathBuf>,
    /// Ledger file, where the run had another than the job's
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Language: zh-CN or en
    #[arg(long, value_name = "TAG")]
    lang: Option<String>,
    /// Write the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum LowKeys {
    /// Make a key and print its line for the register
    New(LowKeysNew),
    /// Print the register line of a key file
    Show(LowKeysShow),
}

#[derive(Debug, Args)]
pub(super) struct LowKeysNew {
    /// Name of the person
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Key file to write; never one that is there
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct LowKeysShow {
    /// Key file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// What a person does with a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActCommand {
    /// What.
    pub kind: ActKind,
    /// Run folder, job file or run id.
    pub run: PathBuf,
    /// Name.
    pub by: String,
    /// Key file.
    pub key: Option<PathBuf>,
    /// Why; may be empty.
    pub reason: String,
    /// When; `None` is now.
    pub at: Option<String>,
    /// Last service month of the period.
    pub period: Option<Month>,
    /// Job file.
    pub job: Option<PathBuf>,
    /// Ledger.
    pub ledger: Option<PathBuf>,
    /// Language.
    pub language: Option<Language>,
    /// Whether the result is written as JSON.
    pub json: bool,
}

/// What is asked of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeysCommand {
    /// Make one.
    New {
        /// Name of the person.
        name: String,
        /// Key file to write.
        out: PathBuf,
    },
    /// Show one.
    Show {
        /// Key file.
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct LowVerify {
    /// Run folders to compare with the ledger, each with its release folder
    #[arg(value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// Ledger file; default: the job's of the first run folder, else var/ledger.db
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// The ledger's archive; default: `archive` beside the ledger
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    /// A head of the ledger that was kept, from a release: must be in the chain
    #[arg(long, value_name = "HASH")]
    head: Option<String>,
    /// The job file of the first run folder
    #[arg(long, value_name = "JOB.toml")]
    job: Option<PathBuf>,
    /// Language: zh-CN or en
    #[arg(long, value_name = "TAG")]
    lang: Option<String>,
    /// Write the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("asked").required(true).args(["line", "payment", "check"]))]
pub(super) struct LowProve {
    /// The run folder, or the job file
    #[arg(value_name = "RUN|JOB.toml", required_unless_present = "check")]
    run: Option<PathBuf>,
    /// Number of the schedule line to prove
    #[arg(long, value_name = "N", requires = "run")]
    line: Option<u64>,
    /// Number of the payment whose lines to prove
    #[arg(long, value_name = "NO", requires = "run")]
    payment: Option<String>,
    /// A proof to check
    #[arg(long, value_name = "FILE", requires = "root", conflicts_with = "run")]
    check: Option<PathBuf>,
    /// The root it must lead to
    #[arg(long, value_name = "HASH", requires = "check")]
    root: Option<String>,
    /// Last service month of the period, where a job file is named
    #[arg(long, value_name = "YYYY-MM")]
    period: Option<String>,
    /// The run's job file; default: the file of `jobs/` with the run's job id
    #[arg(long, value_name = "JOB.toml")]
    job: Option<PathBuf>,
    /// Language: zh-CN or en
    #[arg(long, value_name = "TAG")]
    lang: Option<String>,
}

/// What of the books is to be proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyCommand {
    /// Run folders.
    pub runs: Vec<PathBuf>,
    /// Ledger.
    pub ledger: Option<PathBuf>,
    /// Archive folder.
    pub archive: Option<PathBuf>,
    /// A head that was kept, 64 hex digits in lower case.
    pub head: Option<String>,
    /// Job file.
    pub job: Option<PathBuf>,
    /// Language.
    pub language: Option<Language>,
    /// Whether the result is written as JSON.
    pub json: bool,
}

/// What of a schedule is to be proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProveCommand {
    /// Write a proof.
    Make {
        /// Run folder or job file.
        run: PathBuf,
        /// Which lines.
        wanted: Wanted,
        /// Job file.
        job: Option<PathBuf>,
        /// Last service month of the period.
        period: Option<Month>,
        /// Language.
        language: Option<Language>,
    },
    /// Check a proof.
    Check {
        /// The proof.
        file: PathBuf,
        /// The root, 64 hex digits in lower case.
        root: String,
        /// Language.
        language: Option<Language>,
    },
}

impl ProveCommand {
    /// Language.
    pub(super) fn language(&self) -> Option<Language> {
        match self {
            Self::Make { language, .. } | Self::Check { language, .. } => *language,
        }
    }
}

pub(super) fn verify(low: LowVerify) -> Result<VerifyCommand, UsageError> {
    Ok(VerifyCommand {
        runs: low.runs,
        ledger: low.ledger,
        archive: low.archive,
        head: low.head.map(|word| hash("--head", word)).transpose()?,
        job: low.job,
        language: low.lang.map(language).transpose()?,
        json: low.json,
    })
}

pub(super) fn prove(low: LowProve) -> Result<ProveCommand, UsageError> {
    let language = low.lang.map(language).transpose()?;
    if let Some(file) = low.check {
        let root = hash("--root", low.root.unwrap_or_default())?;
        return Ok(ProveCommand::Check { file, root, language });
    }
    let wanted = match (low.line, low.payment) {
        (Some(line), _) => Wanted::Line(line),
        (None, payment) => Wanted::Payment(payment.unwrap_or_default()),
    };
    let period = low.period.map(|word| month("--period", word)).transpose()?;
    let run = low.run.unwrap_or_default();
    Ok(ProveCommand::Make { run, wanted, job: low.job, period, language })
}

fn hash(option: &'static str, word: String) -> Result<String, UsageError> {
    match unhex::<32>(&word) {
        Some(_) => Ok(word.to_ascii_lowercase()),
        None => Err(UsageError { option, found: word, expected: "64 hex digits" }),
    }
}

/// Who makes a run, as typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MakerWords {
    /// Name; `None` is the user of the system.
    pub by: Option<String>,
    /// When; `None` is now.
    pub at: Option<String>,
    /// Key file.
    pub key: Option<PathBuf>,
}

pub(super) fn act(kind: ActKind, low: LowAct) -> Result<ActCommand, UsageError> {
    let why = low.reason.unwrap_or_default();
    Ok(ActCommand {
        kind,
        run: low.run,
        by: named("--by", &low.by)?,
        key: low.key,
        reason: reason(&why).map_err(wrong("--reason"))?.to_owned(),
        at: when(low.at)?,
        period: low.period.map(|word| month("--period", word)).transpose()?,
        job: low.job,
        ledger: low.ledger,
        language: low.lang.map(language).transpose()?,
        json: low.json,
    })
}

pub(super) fn keys(low: LowKeys) -> Result<KeysCommand, UsageError> {
    Ok(match low {
        LowKeys::New(low) => KeysCommand::New { name: named("--name", &low.name)?, out: low.out },
        LowKeys::Show(low) => KeysCommand::Show { file: low.file },
    })
}

pub(super) fn maker(
    by: Option<&str>,
    at: Option<String>,
    key: Option<PathBuf>,
) -> Result<MakerWords, UsageError> {
    Ok(MakerWords { by: by.map(|by| named("--by", by)).transpose()?, at: when(at)?, key })
}

fn named(option: &'static str, name: &str) -> Result<String, UsageError> {
    person(name).map(str::to_owned).map_err(wrong(option))
}

fn when(at: Option<String>) -> Result<Option<String>, UsageError> {
    if let Some(at) = &at {
        moment(at).map_err(wrong("--at"))?;
    }
    Ok(at)
}

fn wrong(option: &'static str) -> impl FnOnce(ActError) -> UsageError {
    move |error| UsageError { option, found: error.found, expected: error.expected }
}
