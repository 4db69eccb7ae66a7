//! What the commands ask of the rooms, and how each room's error becomes an exit code: the one
//! place where `cli` meets the spine.

use super::args::Changes;
use super::args_acts::MakerWords;
use super::args_audit::RerunCommand;
use super::console::Trouble;
use super::exit::Exit;
use crate::allocation::AllocationError;
use crate::archive::{Archive, ArchiveError};
use crate::audit::{DifferenceError, RerunError, RerunQuestion, RerunReport};
use crate::domain::texts::Language;
use crate::domain::{Date, Month, Progress, SecretKey};
use crate::explain::{AnswerError, Asked, Explanation, Names};
use crate::job::{self, ArchiveChoice, Books, Job, JobError, LedgerChoice, Overrides};
use crate::law::LawErrors;
use crate::ledger::{ActKind, Ledger, LedgerError};
use crate::publish::{MANIFEST, Manifest, Pseudonyms, PublishError};
use crate::schedule::ScheduleError;
use crate::settle::{self, Checked, Maker, RunReport, SettleError, Settled};
use std::path::Path;

/// What stands in the ledger for the engine that made a run; it enters no output (S29).
const ENGINE: &str = concat!("tuoyu ", env!("CARGO_PKG_VERSION"));

impl From<&SettleError> for Exit {
    fn from(error: &SettleError) -> Self {
        match error {
            SettleError::Law(_)
            | SettleError::Calendar(_)
            | SettleError::CalendarFile(_)
            | SettleError::LawRewritten(_) => Self::Law,
            SettleError::Archive(error) => Self::from(error),
            SettleError::Lines(_) => Self::Differs,
            SettleError::Allocation(error) => match error {
                AllocationError::HistoryNotKept { .. }
                | AllocationError::KeyNotReachable { .. }
                | AllocationError::OrderColumnMissing { .. }
                | AllocationError::SplitMissing { .. } => Self::Law,
                AllocationError::Overflow { .. } => Self::World,
            },
            SettleError::Schedule(error) => match error {
                ScheduleError::Calendar(_)
                | ScheduleError::WorkdayMissing { .. }
                | ScheduleError::NeverOpen { .. } => Self::Law,
                ScheduleError::Overflow { .. } => Self::World,
            },
            SettleError::Ledger(error) => Self::from(error),
            SettleError::Publish(PublishError::Control(_)) => Self::Bug,
            SettleError::Publish(
                PublishError::Folder(_)
                | PublishError::Write { .. }
                | PublishError::Bank(_)
                | PublishError::Overflow,
            )
            | SettleError::Intake(_)
            | SettleError::NotDelivered(_)
            | SettleError::Key { .. }
            | SettleError::Profile(_)
            | SettleError::NoLedger { .. }
            | SettleError::NothingSent { .. }
            | SettleError::NotFailed { .. }
            | SettleError::Overdrawn { .. }
            | SettleError::BatchProfile(_)
            | SettleError::OtherRun { .. }
            | SettleError::Damaged { .. }
            | SettleError::Unreadable { .. }
            | SettleError::Overflow { .. }
            | SettleError::Threads { .. } => Self::World,
        }
    }
}

impl From<&LedgerError> for Exit {
    fn from(error: &LedgerError) -> Self {
        match error {
            LedgerError::Busy { .. } | LedgerError::Broken { .. } => Self::Ledger,
            LedgerError::RunDiffers { .. } => Self::Differs,
            LedgerError::Record { .. } => Self::Bug,
            LedgerError::Foreign { .. }
            | LedgerError::Newer { .. }
            | LedgerError::Approved { .. }
            | LedgerError::Refused { .. }
            | LedgerError::Unknown { .. }
            | LedgerError::Folder { .. }
            | LedgerError::Claimed { .. }
            | LedgerError::Store { .. } => Self::World,
        }
    }
}

impl From<&ArchiveError> for Exit {
    fn from(error: &ArchiveError) -> Self {
        if error.is_damage() { Self::Differs } else { Self::World }
    }
}

impl From<&JobError> for Exit {
    fn from(error: &JobError) -> Self {
        match error {
            JobError::Wrong { .. } | JobError::Unset { .. } => Self::Usage,
            JobError::Unreadable { .. } | JobError::Missing { .. } => Self::World,
        }
    }
}

impl From<LawErrors> for Trouble {
    fn from(errors: LawErrors) -> Self {
        Self::pointed(Exit::Law, errors.0)
    }
}

impl From<SettleError> for Trouble {
    fn from(error: SettleError) -> Self {
        match error {
            SettleError::Law(errors) => Self::from(errors),
            error => Self::of(Exit::from(&error), &error),
        }
    }
}

impl Trouble {
    /// What the ledger says, with its exit code.
    pub(super) fn from_ledger(error: &LedgerError) -> Self {
        Self::of(Exit::from(error), error)
    }
}

/// Who makes a run: as the command says, else the user of the system, now.
pub(super) fn maker<'a>(
    words: &'a MakerWords,
    key: Option<&'a SecretKey>,
    (user, now): (&'a str, &'a str),
) -> Maker<'a> {
    let by = words.by.as_deref().unwrap_or(user);
    Maker { by, at: words.at.as_deref().unwrap_or(now), key, engine: ENGINE }
}

/// The word of an act in `--json`.
pub(super) const fn act_word(kind: ActKind) -> &'static str {
    match kind {
        ActKind::Approve => "approve",
        ActKind::Release => "release",
        ActKind::Answer => "answer",
        ActKind::Close => "close",
        ActKind::Reopen => "reopen",
    }
}

/// Reads a job file with the changes of the command line.
///
/// # Errors
/// When the file cannot be read or says something no job can say.
pub(super) fn job(path: &Path, changes: &Changes) -> Result<Job, Trouble> {
    job::read(path, &overrides(changes)).map_err(|error| Trouble::of(Exit::from(&error), &error))
}

/// What the command line says in place of a job file.
pub(super) fn overrides(changes: &Changes) -> Overrides {
    Overrides {
        period: changes.period,
        input: changes.input.clone(),
        out: changes.out.clone(),
        ledger: changes.ledger.clone().map(|file| match file {
            Some(file) => LedgerChoice::File(file),
            None => LedgerChoice::None,
        }),
        archive: changes.archive.clone().map(|folder| match folder {
            Some(folder) => ArchiveChoice::Folder(folder),
            None => ArchiveChoice::None,
        }),
        known_on: changes.known_on,
        threads: changes.threads,
        language: changes.language,
    }
}

/// Reads where a job keeps its results and its books.
///
/// # Errors
/// When the file cannot be read or is no job.
pub(super) fn books(path: &Path, period: Option<Month>) -> Result<Books, Trouble> {
    job::books(path, period).map_err(|error| Trouble::of(Exit::from(&error), &error))
}

/// Settles.
///
/// # Errors
/// Whatever stopped the run; nothing was written.
pub(super) fn settle(
    job: &Job,
    progress: &mut dyn Progress,
    maker: &Maker<'_>,
) -> Result<RunReport, Trouble> {
    Ok(settle::run(job, progress, maker)?)
}

/// Checks law and inputs.
///
/// # Errors
/// When law or inputs cannot be read.
pub(super) fn check(job: &Job, progress: &mut dyn Progress) -> Result<Checked, Trouble> {
    Ok(settle::check(job, progress)?)
}

/// What a run folder says of its run.
pub(super) struct RunNamed {
    pub(super) run_id: String,
    pub(super) job: String,
    pub(super) period: Month,
    pub(super) known_on: Date,
    pub(super) language: Language,
}

/// Reads the manifest of a run folder.
///
/// # Errors
/// When there is none that can be read.
pub(super) fn manifest(folder: &Path) -> Result<RunNamed, Trouble> {
    let hint = "hint: make a run folder with `tuoyu run` and name it, or name the job file";
    let manifest = Manifest::read(folder).map_err(|error| {
        Trouble::told(Exit::World, format!("{error}; expected the folder of a run; {hint}"))
    })?;
    let bad = |what: &str| {
        let folder = folder.display();
        Trouble::told(Exit::World, format!("{folder}: the manifest's {what} cannot be read"))
    };
    Ok(RunNamed {
        period: Month::parse(&manifest.period).map_err(|_| bad("period"))?,
        known_on: Date::parse_iso(&manifest.known_on).map_err(|_| bad("known_on"))?,
        language: manifest.language().ok_or_else(|| bad("language"))?,
        run_id: manifest.run_id,
        job: manifest.job,
    })
}

/// Settles a period again in memory; the run id must be the one asked for.
pub(super) fn settled_again(
    job: &Job,
    run_id: Option<&str>,
    run: &Path,
    audited: bool,
    progress: &mut dyn Progress,
) -> Result<Settled, Trouble> {
    // A ledger nobody made is no ledger: to explain writes nothing.
    let ledger = job.ledger.as_deref().filter(|file| file.is_file());
    let ledger = match (ledger, run_id) {
        (Some(path), Some(run_id)) => Some(settle::books_of(job, path, run_id)?),
        (Some(path), None) => Some(Ledger::open(path).map_err(SettleError::Ledger)?),
        (None, _) => None,
    };
    let settled = if audited {
        settle::compute_audited(job, ledger.as_ref(), progress)?
    } else {
        settle::compute(job, ledger.as_ref(), progress)?
    };
    if let Some(run_id) = run_id.filter(|run_id| *run_id != settled.run_id) {
        let found = &settled.run_id;
        let message = format!(
            "{folder}: settling again gives run {found}; expected {run_id}; hint: inputs, law, \
             ledger or engine have changed since; run the period again to explain it as it is now",
            folder = run.display()
        );
        return Err(Trouble::told(Exit::Differs, message));
    }
    Ok(settled)
}

impl From<RerunError> for Trouble {
    fn from(error: RerunError) -> Self {
        match error {
            RerunError::Settle(error) => Self::from(error),
            RerunError::Archive(error) => Self::of(Exit::from(&error), &error),
            RerunError::Ledger(error) => Self::of(Exit::from(&error), &error),
            RerunError::Disowned { .. } | RerunError::Otherwise { .. } => {
                Self::of(Exit::Differs, &error)
            }
            RerunError::LedgerMissing { .. }
            | RerunError::Read { .. }
            | RerunError::Occupied { .. } => Self::of(Exit::World, &error),
        }
    }
}

impl From<DifferenceError> for Trouble {
    fn from(error: DifferenceError) -> Self {
        match error {
            DifferenceError::Rerun(error) => Self::from(error),
            DifferenceError::Unlike { .. } => Self::of(Exit::Usage, &error),
            DifferenceError::NoLines { .. } | DifferenceError::Overflow => {
                Self::of(Exit::World, &error)
            }
        }
    }
}

/// Settles an archived run again and compares.
///
/// # Errors
/// When the run is not in the archive, or cannot be settled again.
pub(super) fn rerun(
    command: &RerunCommand,
    progress: &mut dyn Progress,
) -> Result<RerunReport, Trouble> {
    let folder = command.run.is_dir().then_some(command.run.as_path());
    // A word that means no run is told before the archive is looked for.
    if folder.is_none() {
        run_prefix(&command.run)?;
    }
    let archive = Archive::open(&command.archive).map_err(RerunError::Archive)?;
    let run_id = archived(&archive, &command.run)?;
    let asked = RerunQuestion {
        archive: &archive,
        ledger: &command.ledger,
        run_id: &run_id,
        folder,
        out: command.out.as_deref(),
        threads: command.threads,
    };
    Ok(crate::audit::rerun(&asked, progress)?)
}

/// The id of an archived run named by its folder or the first letters of its id.
///
/// # Errors
/// When the archive has no such run.
pub(super) fn archived(archive: &Archive, run: &Path) -> Result<String, Trouble> {
    let folder = run.is_dir().then_some(run);
    let asked_for = match folder {
        Some(folder) => manifest(folder)?.run_id,
        None => run_prefix(run)?,
    };
    archive.find(&asked_for).map_err(|error| match (folder, error) {
        (Some(folder), ArchiveError::RunUnknown { path, run_id, .. }) => {
            let (file, path) = (folder.join(MANIFEST), path.display());
            let message = format!(
                "{file}: names run {run_id}; expected a run that {path} holds; hint: name its \
                 archive with --archive, or the run by its id if the manifest was changed",
                file = file.display()
            );
            Trouble::told(Exit::World, message)
        }
        (_, error) => RerunError::Archive(error).into(),
    })
}

/// The first letters of a run id, enough of them to mean one.
fn run_prefix(word: &Path) -> Result<String, Trouble> {
    let text = word.to_string_lossy();
    let hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if hex && (8..=64).contains(&text.len()) {
        return Ok(text.into_owned());
    }
    let message = format!(
        "{text}: is no run folder and no run id; expected a folder, or 8 to 64 of 0-9 and a-f"
    );
    Err(Trouble::told(Exit::Usage, message))
}

impl From<AnswerError> for Trouble {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Rerun(error) => Self::from(error),
            AnswerError::Month { .. } | AnswerError::Span { .. } => Self::of(Exit::Usage, &error),
            AnswerError::Explain(_) | AnswerError::Key(_) | AnswerError::Child { .. } => {
                Self::of(Exit::World, &error)
            }
        }
    }
}

/// Explains lines of a period settled again from its job; the run id must be the one asked for. Gives
/// the run id found.
///
/// # Errors
/// When the settlement cannot be repeated, gives another run, or has no such line.
pub(super) fn explain(
    job: &Job,
    run_id: Option<&str>,
    run: &Path,
    asked: &Asked<'_>,
    progress: &mut dyn Progress,
) -> Result<(String, Explanation), Trouble> {
    let settled = settled_again(job, run_id, run, false, progress)?;
    let month = month_of(&settled, asked.month)?;
    let names = Names::new(asked.child, pseudonyms(job)?);
    let tables = settled.tables_of(month);
    let said = crate::explain::told(month, tables, &settled.schedule, &names, asked)
        .map_err(AnswerError::Explain)?;
    Ok((settled.run_id, said))
}

fn month_of(settled: &Settled, wanted: Option<Month>) -> Result<&settle::SettledMonth, Trouble> {
    let wanted = wanted.unwrap_or(settled.period);
    settled.months.iter().find(|month| month.month == wanted).ok_or_else(|| {
        let months: Vec<String> = settled.months.iter().map(|m| m.month.to_string()).collect();
        let months = months.join(", ");
        Trouble::told(Exit::Usage, format!("--month: found {wanted}; expected one of {months}"))
    })
}

/// The bureau's key of a job.
///
/// # Errors
/// When its file cannot be read or is too short.
pub(super) fn pseudonyms(job: &Job) -> Result<Pseudonyms, Trouble> {
    let path = job.key_file.display();
    let told = |reason: String| Trouble::told(Exit::World, format!("{path}: {reason}"));
    let key = std::fs::read(&job.key_file).map_err(|error| told(error.to_string()))?;
    Pseudonyms::new(&key).map_err(|error| told(error.to_string()))
}
