//! What the commands ask of the rooms, and how each room's error becomes an exit code: the one
//! place where `cli` meets the spine.

use super::args::{Changes, ExplainCommand, Moment, PolicyCommand};
use super::console::Trouble;
use super::exit::Exit;
use crate::domain::texts::Language;
use crate::domain::{Date, Finding, Month, Progress};
use crate::explain::Explanation;
use crate::job::{self, Job};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What became of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Posted {
    /// A new draft.
    New,
    /// Replaces an earlier draft of the period.
    Replaced,
    /// The same run was there already: nothing changed.
    AlreadyThere,
    /// Nothing was posted: `--ledger none`.
    Trial,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunReport {
    /// Run id.
    pub(super) run_id: String,
    /// Last service month.
    pub(super) period: Month,
    /// Run folder.
    pub(super) folder: PathBuf,
    /// Ledger.
    pub(super) posted: Posted,
    /// Entitlement lines.
    pub(super) lines: u64,
    /// Lines paid.
    pub(super) paid: u64,
    /// Lines zero with a reason.
    pub(super) zero: u64,
    /// Lines refused.
    pub(super) refused: u64,
    /// Input rows that could not be typed.
    pub(super) input_rows_refused: u64,
    /// Sum of the schedule, fen.
    pub(super) payable_fen: i64,
    /// Findings.
    pub(super) findings: u64,
    /// Lines refused or zero by reason code.
    pub(super) refused_by_reason: BTreeMap<String, u64>,
    /// Words of the packs' own reason codes.
    pub(super) words: BTreeMap<String, String>,
}

impl RunReport {
    /// Rows and lines refused: what makes exit 3.
    #[must_use]
    pub(super) const fn rows_refused(&self) -> u64 {
        self.refused.saturating_add(self.input_rows_refused)
    }

    /// A pack's own words for a reason.
    #[must_use]
    pub(super) fn reason_words(&self, code: &str) -> Option<String> {
        self.words.get(code).cloned()
    }
}

/// Rows of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TableRead {
    /// Table.
    pub(super) table: String,
    /// Rows read.
    pub(super) read: u64,
    /// Rows refused.
    pub(super) refused: u64,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CheckReport {
    /// Last service month.
    pub(super) period: Month,
    /// Tables.
    pub(super) tables: Vec<TableRead>,
    /// Findings.
    pub(super) findings: Vec<Finding>,
}

impl CheckReport {
    /// Rows read.
    #[must_use]
    pub(super) fn rows_read(&self) -> u64 {
        self.tables.iter().map(|table| table.read).sum()
    }

    /// Rows refused.
    #[must_use]
    pub(super) fn rows_refused(&self) -> u64 {
        self.tables.iter().map(|table| table.refused).sum()
    }
}

/// Language of a job's texts.
#[must_use]
pub(super) fn language(job: &Job) -> Language {
    match job.message_language {
        job::Language::Chinese => Language::Chinese,
        job::Language::English => Language::English,
    }
}

fn unwired() -> Trouble {
    Trouble::told(Exit::Bug, "the spine is not merged yet".to_owned())
}

/// Reads a job file with the changes of the command line.
///
/// # Errors
/// When the file cannot be read or says something no job can say.
pub(super) fn job(_path: &Path, _changes: &Changes) -> Result<Job, Trouble> {
    Err(unwired())
}

/// Settles.
///
/// # Errors
/// Whatever stopped the run; nothing was written.
pub(super) fn settle(
    _job: &Job,
    _progress: &mut dyn Progress,
    _at: &str,
) -> Result<RunReport, Trouble> {
    Err(unwired())
}

/// Checks law and inputs.
///
/// # Errors
/// When law or inputs cannot be read.
pub(super) fn check(_job: &Job, _progress: &mut dyn Progress) -> Result<CheckReport, Trouble> {
    Err(unwired())
}

/// Mistakes and remarks of packs; an empty list is a complete law.
///
/// # Errors
/// The mistakes.
pub(super) fn policy_check(_command: &PolicyCommand) -> Result<Vec<String>, Trouble> {
    Err(unwired())
}

/// The law in force.
///
/// # Errors
/// When the law is incomplete.
pub(super) fn policy_show(_command: &PolicyCommand, _at: Moment) -> Result<String, Trouble> {
    Err(unwired())
}

/// What changed.
///
/// # Errors
/// When the law is incomplete.
pub(super) fn policy_diff(
    _command: &PolicyCommand,
    _before: Moment,
    _after: Moment,
) -> Result<String, Trouble> {
    Err(unwired())
}

/// What a run folder says of its run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunNamed {
    /// Run id.
    pub(super) run_id: String,
    /// Job id.
    pub(super) job: String,
    /// Last service month.
    pub(super) period: Month,
    /// Law and deliveries as known on.
    pub(super) known_on: Date,
}

/// Reads the manifest of a run folder.
///
/// # Errors
/// When there is none that can be read.
pub(super) fn manifest(_folder: &Path) -> Result<RunNamed, Trouble> {
    Err(unwired())
}

/// Explains lines of a period settled again; the run id must be the one asked for.
///
/// # Errors
/// When the settlement cannot be repeated, gives another run, or has no such line.
pub(super) fn explain(
    _job: &Job,
    _run_id: Option<&str>,
    _command: &ExplainCommand,
    _progress: &mut dyn Progress,
) -> Result<Explanation, Trouble> {
    Err(unwired())
}
