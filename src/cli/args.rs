//! The command line in two stages: what was typed ([`Low`]), then what the program needs
//! ([`Command`]). Everything that can be wrong with a word is wrong here, once, with exit 2.

use super::args_acts::{
    self, ActCommand, KeysCommand, LowAct, LowKeys, LowProve, LowVerify, MakerWords, ProveCommand,
    VerifyCommand,
};
use super::args_audit::{self, DiffCommand, LowRerun, LowRunsDiff, RerunCommand};
use super::args_authoring::{self, DocWords, ScaffoldWords, SchemaOf};
use super::args_cases::{self, CasesWords};
use super::args_draft::{self, DraftWords};
use super::args_explain::{self, ExplainCommand, LowExplain};
use super::args_ledger::{self, LedgerCommand, LowLedger};
use super::args_profile::{self, LowProfile, ProfileCommand};
use super::args_workbench::{self, LowWorkbench, WorkbenchCommand};
use crate::domain::texts::Language;
use crate::domain::{Date, Month};
use crate::law::DiffOf;
use crate::ledger::ActKind;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const ABOUT: &str = "Settles inclusive childcare subsidies 普惠托育: dated law as data, exact to \
                     the fen, explained line by line";

const EXITS: &str = "Exit codes: 0 done; 1 the world failed; 2 usage; 3 done with refused rows; \
                     4 law or calendar incomplete; 5 differences open, or figures no case \
                     notices; 6 a rerun or a case differs; 7 ledger busy or chain broken; \
                     8 a person stopped it; 70 our bug.";

/// What was typed.
#[derive(Debug, Parser)]
#[command(name = "tuoyu", version, about = ABOUT, after_help = EXITS)]
pub(super) struct Low {
    #[command(subcommand)]
    command: LowCommand,
}

#[derive(Debug, Subcommand)]
enum LowCommand {
    /// Settle a period: write the run folder and post it as a draft
    Run(LowRun),
    /// Read law and inputs and say what is wrong; write nothing
    Check(LowCheck),
    /// The law: static checks, what is in force, what a notice changed, a draft of a new one
    #[command(subcommand)]
    Policy(LowPolicy),
    /// Column maps, forms and texts of banks: static checks
    #[command(subcommand)]
    Profile(LowProfile),
    /// Every step of an amount, then and as corrected since; a statement for one child
    Explain(LowExplain),
    /// Agree to a draft, as another person than its maker
    Approve(LowAct),
    /// Let the payments of an approved run out: write the release folder
    Release(LowAct),
    /// Close the month of a released run
    Close(LowAct),
    /// Undo an approval or a closing, with a reason
    Reopen(LowAct),
    /// Keys of the persons who act on runs
    #[command(subcommand)]
    Keys(LowKeys),
    /// The ledger as books: a journal for hledger, a year by budget line
    #[command(subcommand)]
    Ledger(LowLedger),
    /// Means to check a settlement without this program
    #[command(subcommand)]
    Audit(LowAudit),
    /// Move the figures of the law on a page of this machine, and see what it comes to
    Workbench(LowWorkbench),
}

#[derive(Debug, Subcommand)]
enum LowAudit {
    /// Write the settlement as facts and SQL that computes it again
    Sql(LowAuditSql),
    /// Settle a run again from the archive alone and compare every byte
    Rerun(LowRerun),
    /// Why two runs of one period differ: every changed line by input, law and engine
    Diff(LowRunsDiff),
    /// Prove the ledger: chain, rows, acts; names the first event that does not hold
    Verify(LowVerify),
    /// Prove that a line stands in a schedule, without showing another; or check such a proof
    Prove(LowProve),
}

#[derive(Debug, Args)]
struct LowAuditSql {
    /// The run folder, or the job file
    #[arg(value_name = "RUN|JOB.toml")]
    run: PathBuf,
    /// Folder for facts, script and expected results
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Last service month of the period, where a job file is named
    #[arg(long, value_name = "YYYY-MM")]
    period: Option<String>,
    /// The run's job file; default: the file of `jobs/` with the run's job id
    #[arg(long, value_name = "JOB.toml")]
    job: Option<PathBuf>,
    /// File or folder of the inputs, where the run had `--input`
    #[arg(long, value_name = "FILE|DIR")]
    input: Option<PathBuf>,
    /// Ledger file, where the run had another than the job's; none for a trial
    #[arg(long, value_name = "FILE|none")]
    ledger: Option<PathBuf>,
    /// The archive; default: the job's, else `archive` beside the ledger
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    /// Language: zh-CN or en
    #[arg(long, value_name = "TAG")]
    lang: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct LowJob {
    /// The job file
    #[arg(value_name = "JOB.toml")]
    job: PathBuf,
    /// Last service month of the period, instead of the job's
    #[arg(long, value_name = "YYYY-MM")]
    period: Option<String>,
    /// File or folder of the inputs, instead of the job's
    #[arg(long, value_name = "FILE|DIR")]
    input: Option<PathBuf>,
    /// Law and deliveries as known on this date, instead of the job's cut-off
    #[arg(long, value_name = "DATE")]
    known_on: Option<String>,
    /// Worker threads; the result is the same with any number
    #[arg(long, value_name = "N")]
    threads: Option<String>,
    /// Language of texts for people: zh-CN or en
    #[arg(long, value_name = "TAG")]
    lang: Option<String>,
    /// Write the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct LowRun {
    #[command(flatten)]
    job: LowJob,
    /// The run folder itself, instead of the job's
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Ledger file, instead of the job's; none makes the run a trial that posts nothing
    #[arg(long, value_name = "FILE|none")]
    ledger: Option<PathBuf>,
    /// Archive folder, instead of the job's; none archives nothing
    #[arg(long, value_name = "DIR|none")]
    archive: Option<PathBuf>,
    /// Name of the person who makes the run; default: the user of the system
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// That person's key file, where the job demands signatures
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// When, as 2026-10-12T09:30:00+08:00; default: now
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

#[derive(Debug, Args)]
struct LowCheck {
    #[command(flatten)]
    job: LowJob,
}

#[derive(Debug, Subcommand)]
enum LowPolicy {
    /// Static checks: every mistake with file and line
    Check(LowPacks),
    /// The law in force on a date
    Show(LowShow),
    /// What a notice changed, or what became known between two days
    Diff(LowDiff),
    /// A new pack to be filled, or a draft notice that makes the law what it is under an overlay
    New(args_draft::LowNew),
    /// The law on one page, for people
    Doc(args_authoring::LowDoc),
    /// A JSON Schema of packs or jobs, for editors
    Schema(args_authoring::LowSchema),
    /// Settle the packs' own cases and hold them against what they expect
    Test(args_cases::LowTest),
}

#[derive(Debug, Args)]
struct LowPacks {
    /// Pack folders in layer order
    #[arg(value_name = "PACK", required = true)]
    packs: Vec<PathBuf>,
    /// What-if files laid over the packs, in order
    #[arg(long, value_name = "FILE")]
    overlay: Vec<PathBuf>,
    /// Folder of calendars and codes
    #[arg(long, value_name = "DIR", default_value = "data/reference")]
    reference: PathBuf,
    /// Write the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct LowShow {
    #[command(flatten)]
    packs: LowPacks,
    /// A day, or a service month
    #[arg(long, value_name = "DATE|MONTH")]
    on: String,
    /// As known on this date; default: the last day of that month
    #[arg(long, value_name = "DATE")]
    known_on: Option<String>,
}

#[derive(Debug, Args)]
#[group(id = "which", required = true, multiple = false, args = ["notice", "known_after"])]
struct LowDiff {
    #[command(flatten)]
    packs: LowPacks,
    /// What this notice changed: its 文号, or its file inside the pack
    #[arg(long, value_name = "NOTICE")]
    notice: Option<String>,
    /// What became known after this day
    #[arg(long, value_name = "DATE")]
    known_after: Option<String>,
    /// … up to and on this day; default: everything since
    #[arg(long, value_name = "DATE", requires = "known_after")]
    known_on: Option<String>,
}

/// What the program is asked to do, every word understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `run`.
    Run(JobCommand),
    /// `check`.
    Check(JobCommand),
    /// `policy …`.
    Policy(PolicyCommand),
    /// `profile check`.
    Profile(ProfileCommand),
    /// `explain`.
    Explain(ExplainCommand),
    /// `approve`, `release`, `close`, `reopen`.
    Act(ActCommand),
    /// `keys …`.
    Keys(KeysCommand),
    /// `ledger …`.
    Ledger(LedgerCommand),
    /// `audit sql`.
    Audit(AuditCommand),
    /// `audit rerun`.
    Rerun(RerunCommand),
    /// `audit diff`.
    Diff(DiffCommand),
    /// `audit verify`.
    Verify(VerifyCommand),
    /// `audit prove`.
    Prove(ProveCommand),
    /// `workbench`.
    Workbench(WorkbenchCommand),
}

/// A job and what the command line changes in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCommand {
    /// Job file.
    pub job: PathBuf,
    /// Changes.
    pub changes: Changes,
    /// Who makes the run.
    pub maker: MakerWords,
    /// Whether the result is written as JSON.
    pub json: bool,
}

/// What a command line changes in a job; `None` leaves the job's own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Last service month of the period.
    pub period: Option<Month>,
    /// File or folder of the inputs.
    pub input: Option<PathBuf>,
    /// Run folder.
    pub out: Option<PathBuf>,
    /// Ledger: `Some(None)` is a trial.
    pub ledger: Option<Option<PathBuf>>,
    /// Archive: `Some(None)` archives nothing.
    pub archive: Option<Option<PathBuf>>,
    /// As known on.
    pub known_on: Option<Date>,
    /// Worker threads, at least one.
    pub threads: Option<usize>,
    /// Language of texts for people.
    pub language: Option<Language>,
}

/// What is asked of packs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyCommand {
    /// Pack folders in layer order, at least one.
    pub packs: Vec<PathBuf>,
    /// Overlays in order.
    pub overlays: Vec<PathBuf>,
    /// Folder of calendars and codes.
    pub reference: PathBuf,
    /// Whether the result is written as JSON.
    pub json: bool,
    /// The question.
    pub question: PolicyQuestion,
}

/// The question asked of packs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyQuestion {
    /// Are they complete?
    Check,
    /// What is in force?
    Show(Moment),
    /// What changed?
    Diff(DiffOf),
    /// Which notice would say the same as the overlays?
    New(DraftWords),
    /// What does a new pack need?
    Scaffold(ScaffoldWords),
    /// How does it read?
    Doc(DocWords),
    /// What do the files look like?
    Schema(SchemaOf),
    /// Do their cases hold?
    Test(CasesWords),
}

/// A service month seen with the knowledge of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Service month.
    pub month: Month,
    /// As known on.
    pub known_on: Date,
}

/// What is to be written for an audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditCommand {
    /// Run folder or job file.
    pub run: PathBuf,
    /// Folder to write.
    pub out: PathBuf,
    /// Last service month of the period.
    pub period: Option<Month>,
    /// Job file.
    pub job: Option<PathBuf>,
    /// Inputs.
    pub input: Option<PathBuf>,
    /// Ledger: `Some(None)` is a trial.
    pub ledger: Option<Option<PathBuf>>,
    /// Archive folder.
    pub archive: Option<PathBuf>,
    /// Language.
    pub language: Option<Language>,
}

/// A word of the command line that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{option}: found {found:?}; expected {expected}")]
pub struct UsageError {
    /// The option.
    pub option: &'static str,
    /// The word as typed.
    pub found: String,
    /// What it should be.
    pub expected: &'static str,
}

impl TryFrom<Low> for Command {
    type Error = UsageError;

    fn try_from(low: Low) -> Result<Self, UsageError> {
        Ok(match low.command {
            LowCommand::Run(run) => {
                let mut command = job(run.job)?;
                command.changes.out = run.out;
                command.changes.ledger = run.ledger.map(ledger);
                command.changes.archive = run.archive.map(ledger);
                command.maker = args_acts::maker(run.by.as_deref(), run.at, run.key)?;
                Self::Run(command)
            }
            LowCommand::Check(check) => Self::Check(job(check.job)?),
            LowCommand::Policy(low) => Self::Policy(policy(low)?),
            LowCommand::Profile(low) => Self::Profile(args_profile::profile(low)?),
            LowCommand::Explain(low) => Self::Explain(args_explain::explain(low)?),
            LowCommand::Approve(low) => Self::Act(args_acts::act(ActKind::Approve, low)?),
            LowCommand::Release(low) => Self::Act(args_acts::act(ActKind::Release, low)?),
            LowCommand::Close(low) => Self::Act(args_acts::act(ActKind::Close, low)?),
            LowCommand::Reopen(low) => Self::Act(args_acts::act(ActKind::Reopen, low)?),
            LowCommand::Keys(low) => Self::Keys(args_acts::keys(low)?),
            LowCommand::Ledger(low) => Self::Ledger(args_ledger::ledger(low)?),
            LowCommand::Audit(LowAudit::Verify(low)) => Self::Verify(args_acts::verify(low)?),
            LowCommand::Audit(LowAudit::Prove(low)) => Self::Prove(args_acts::prove(low)?),
            LowCommand::Audit(LowAudit::Sql(low)) => Self::Audit(AuditCommand {
                run: low.run,
                out: low.out,
                period: low.period.map(|word| month("--period", word)).transpose()?,
                job: low.job,
                input: low.input,
                ledger: low.ledger.map(ledger),
                archive: low.archive,
                language: low.lang.map(language).transpose()?,
            }),
            LowCommand::Audit(LowAudit::Rerun(low)) => Self::Rerun(args_audit::rerun(low)?),
            LowCommand::Audit(LowAudit::Diff(low)) => Self::Diff(args_audit::diff(low)?),
            LowCommand::Workbench(low) => Self::Workbench(args_workbench::workbench(low)?),
        })
    }
}

pub(super) fn threads(word: String) -> Result<usize, UsageError> {
    word.parse().ok().filter(|count| (1..=1024).contains(count)).ok_or(UsageError {
        option: "--threads",
        found: word,
        expected: "a number from 1 to 1024",
    })
}

pub(super) fn job(low: LowJob) -> Result<JobCommand, UsageError> {
    let threads = low.threads.map(threads).transpose()?;
    let changes = Changes {
        period: low.period.map(|word| month("--period", word)).transpose()?,
        input: low.input,
        known_on: low.known_on.map(|word| date("--known-on", word)).transpose()?,
        threads,
        language: low.lang.map(language).transpose()?,
        ..Changes::default()
    };
    Ok(JobCommand { job: low.job, changes, maker: MakerWords::default(), json: low.json })
}

fn policy(low: LowPolicy) -> Result<PolicyCommand, UsageError> {
    let (packs, question) = match low {
        LowPolicy::Check(packs) => (packs, PolicyQuestion::Check),
        LowPolicy::Show(show) => {
            let known_on = show.known_on.map(|word| date("--known-on", word)).transpose()?;
            let at = moment("--on", show.on, known_on)?;
            (show.packs, PolicyQuestion::Show(at))
        }
        LowPolicy::Diff(diff) => {
            let of = match diff.notice {
                Some(notice) => DiffOf::Notice(notice),
                None => DiffOf::Known {
                    after: date("--known-after", diff.known_after.unwrap_or_default())?,
                    until: match diff.known_on {
                        Some(word) => date("--known-on", word)?,
                        None => Date::from_ymd(2199, 12, 31).unwrap_or_default(),
                    },
                },
            };
            (diff.packs, PolicyQuestion::Diff(of))
        }
        LowPolicy::New(new) => return args_draft::new(new),
        LowPolicy::Doc(doc) => return args_authoring::doc(doc),
        LowPolicy::Schema(of) => return args_authoring::schema(of),
        LowPolicy::Test(test) => return Ok(args_cases::test(test)),
    };
    Ok(PolicyCommand {
        packs: packs.packs,
        overlays: packs.overlay,
        reference: packs.reference,
        json: packs.json,
        question,
    })
}

/// A ledger file or an archive folder, or `none`.
pub(super) fn ledger(file: PathBuf) -> Option<PathBuf> {
    (file.as_os_str() != "none").then_some(file)
}

pub(super) fn month(option: &'static str, word: String) -> Result<Month, UsageError> {
    Month::parse(&word).map_err(|_| UsageError {
        option,
        found: word,
        expected: "a month as 2026-09",
    })
}

pub(super) fn date(option: &'static str, word: String) -> Result<Date, UsageError> {
    Date::parse_iso(&word).map_err(|_| UsageError {
        option,
        found: word,
        expected: "a date as 2026-09-30",
    })
}

/// A month, or the month a day lies in; known as of the month's end unless stated.
fn moment(
    option: &'static str,
    word: String,
    known_on: Option<Date>,
) -> Result<Moment, UsageError> {
    let month = match Date::parse_iso(&word) {
        Ok(date) => date.month(),
        Err(_) => Month::parse(&word).map_err(|_| UsageError {
            option,
            found: word,
            expected: "a date as 2026-09-30 or a month as 2026-09",
        })?,
    };
    Ok(Moment { month, known_on: known_on.unwrap_or_else(|| month.last()) })
}

pub(super) fn language(word: String) -> Result<Language, UsageError> {
    Language::parse(&word).ok_or(UsageError {
        option: "--lang",
        found: word,
        expected: "zh-CN or en",
    })
}
