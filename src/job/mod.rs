//! The job: a TOML file plus the command line, every default resolved.
//!
//! In: a job file, overrides. Out: [`Job`]. Order: after `law`. Never: reads an input table.

mod approval;
mod axis;
mod batch_answer;
mod batch_profile;
mod batch_read;
mod batch_shape;
mod canonical;
mod codes;
mod deliveries;
mod error;
mod explained;
mod files;
mod late;
mod pay;
mod read;
mod reasons;
mod reconcile;
mod restore;
mod schema;
mod toml_walk;
mod trial;
mod tune;
mod write_off;

pub use axis::{Axis, By};
pub use batch_profile::{
    AnswerField, AnswerPart, AnswerProfile, BatchFault, BatchField, BatchProfile,
    BatchProfileError, BatchValue, FieldSource,
};
pub use batch_shape::{Align, AmountShape, DatePattern, LineEnd, TextEncoding};
pub use codes::CodeRule;
pub use deliveries::{NotDelivered, choose};
pub use error::JobError;
pub use explained::Explained;
pub use files::is_core;
pub use pay::{PAIN001, Pay, VOUCHER_8207};
pub use read::{Books, books, read};
pub use reasons::Reason;
pub use reconcile::{ReconcileJob, kind, read_reconcile};
pub use restore::{Places, RestoreError, restore};
pub use schema::job_schema;
pub use tune::{
    Assumed, Assumptions, Combined, Condition, Drawn, Frontier, Listed, Solve, TuneJob, read_tune,
};
pub use write_off::WriteOff;

pub use crate::domain::texts::Language;
use crate::domain::{Date, Fen, Month, PublicKey};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What the command line says in place of the job file.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--period`.
    pub period: Option<Month>,
    /// `--input`: a folder or a file.
    pub input: Option<PathBuf>,
    /// `--out`: the run folder itself.
    pub out: Option<PathBuf>,
    /// `--ledger`.
    pub ledger: Option<LedgerChoice>,
    /// `--archive`.
    pub archive: Option<ArchiveChoice>,
    /// `--known-on`.
    pub known_on: Option<Date>,
    /// `--threads`; zero counts as all cores.
    pub threads: Option<usize>,
    /// `--lang`.
    pub language: Option<Language>,
}

/// What `--ledger` may say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerChoice {
    /// A ledger file.
    File(PathBuf),
    /// `none`: a trial that posts nothing.
    None,
}

/// What `--archive` may say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveChoice {
    /// A folder.
    Folder(PathBuf),
    /// `none`: nothing is archived.
    None,
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// Settles a period.
    Settle,
    /// Reads what banks and the treasury answered.
    Reconcile,
    /// Asks what if.
    Tune,
}

/// A job with every default resolved and every path absolute or relative to the working directory.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "one a setting of the job")]
pub struct Job {
    /// `id`: folder and ledger entries are keyed by it (S33).
    pub id: String,
    /// Kind.
    pub kind: JobKind,
    /// Title for people.
    pub title: String,
    /// Last service month of the settlement period.
    pub period: Month,
    /// Pack folders in layer order.
    pub packs: Vec<PathBuf>,
    /// Overlay files over the packs, in order.
    pub overlays: Vec<PathBuf>,
    /// Folder of calendars, codes, profiles (`data/reference`).
    pub reference: PathBuf,
    /// Law and deliveries as known on this date: `--known-on`, else the job's cut-off for the period (S22).
    pub known_on: Date,
    /// Law as known on another day than the deliveries; only a comparison of two runs sets it.
    pub law_known_on: Option<Date>,
    /// Input tables: the base deliveries.
    pub tables: Vec<TableSpec>,
    /// Late deliveries in the order of the job file; each states `received_on` and `complete_for`
    /// (S22). [`Job::deliveries`] chooses.
    pub late: Vec<TableSpec>,
    /// Key file for pseudonyms (S32).
    pub key_file: PathBuf,
    /// Run folder.
    pub out: PathBuf,
    /// Ledger file; `None` is a trial that posts nothing.
    pub ledger: Option<PathBuf>,
    /// Archive folder; `None` archives nothing, as a trial does.
    pub archive: Option<PathBuf>,
    /// Form of `data/reference/profiles` on which the period is claimed, by name.
    pub form: Option<String>,
    /// Whether XLSX workbooks are written.
    pub workbooks: bool,
    /// Whether `entitlements.csv` is written beside the Parquet file.
    pub entitlements_csv: bool,
    /// `changes.csv` flags a change of amount above this many percent.
    pub change_percent: i64,
    /// Whether an unpublished calendar year may be taken as plain weekdays, with a finding.
    pub provisional_calendar: bool,
    /// Whether closed months are corrected (S23): the lines that carry money are kept for it.
    pub retro: bool,
    /// First month the books hold (S23).
    pub opening: Option<Month>,
    /// Whether months before it count as closed with nothing paid where late deliveries tell of them.
    pub pay_before_opening: bool,
    /// Payee name printed on forms (制表单位), or empty.
    pub office: String,
    /// What is no longer asked back (S27).
    pub write_offs: Vec<WriteOff>,
    /// Economic classification by item, form of payee and fiscal year.
    pub codes: Vec<CodeRule>,
    /// Whether payments of earlier periods that failed are carried into this one.
    pub carry_failed: bool,
    /// Who pays and in which files, where the job says so.
    pub pay: Option<Pay>,
    /// What a run demands before it is released; outside the run id (S29).
    pub approval: Approval,
    /// Language of files for people and of texts in others; in the run id where it is not Chinese.
    pub language: Language,
    /// Worker threads; `None` = all cores.
    pub threads: Option<usize>,
    /// Canonical text of everything that may change a byte of the outputs, for the run id (S29):
    /// without out, ledger, archive, threads and late deliveries (those enter when chosen).
    pub canonical: String,
}

/// `[approval]`: what a run of the job demands before it is released.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Approval {
    /// Names and public keys of those who may act, from the register; `None`: nobody has to sign.
    pub keys: Option<BTreeMap<String, PublicKey>>,
    /// Schedules whose total reaches this amount need two approvals.
    pub two_from: Option<Fen>,
}

/// Where one input table comes from and how its headers and values are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableSpec {
    /// Table name (`enrolments` …).
    pub table: String,
    /// Files, sorted by name; empty when the folder held none (the table is absent).
    pub paths: Vec<PathBuf>,
    /// Whether the table may be absent where its files are not there or not received yet.
    pub optional: bool,
    /// Sheet of a workbook; `None` = the first.
    pub sheet: Option<String>,
    /// Header row of a workbook, 1-based; `None` = the first row that is not blank.
    pub header_row: Option<u32>,
    /// File header -> column name.
    pub headers: BTreeMap<String, String>,
    /// Column -> (value as delivered -> value).
    pub values: BTreeMap<String, BTreeMap<String, String>>,
    /// Columns captured from a text column.
    pub captures: Vec<Capture>,
    /// Columns that hold one value throughout.
    pub constants: BTreeMap<String, String>,
    /// Headers known and not read.
    pub ignore: Vec<String>,
    /// Day the delivery was received (S22).
    pub received_on: Option<Date>,
    /// First and last month the delivery is complete for (S22).
    pub complete_for: Option<(Month, Month)>,
}

/// A column captured from a text column by a regular expression with one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// Column filled.
    pub column: String,
    /// Header it is taken from.
    pub from: String,
    /// Pattern; the first group is the value, no match is an empty value.
    pub pattern: String,
}
