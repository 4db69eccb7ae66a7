//! Words of `explain`: one amount step by step and over time, or the statement of one child.

use super::args::{UsageError, language, ledger, month};
use crate::domain::Month;
use crate::domain::texts::Language;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct LowExplain {
    /// The run folder, the first letters of a run id (at least eight), or the job file
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Institution id as delivered
    #[arg(long, value_name = "ID", required_unless_present = "statement")]
    institution: Option<String>,
    /// Only this item
    #[arg(long, value_name = "ID")]
    item: Option<String>,
    /// Only this child: its pseudonym, or its reference as delivered
    #[arg(long, value_name = "REF")]
    child: Option<String>,
    /// Service month, of the run or corrected by it; default: the last of its period
    #[arg(long, value_name = "YYYY-MM")]
    month: Option<String>,
    /// All months of one child as a document: attendance, items, reasons, payments, corrections
    #[arg(long, requires = "child", conflicts_with_all = ["month", "item", "input"])]
    statement: bool,
    /// First month of the statement; default: January of the run's year
    #[arg(long, value_name = "YYYY-MM", requires = "statement")]
    from: Option<String>,
    /// Last month of the statement; default: December of the run's year
    #[arg(long, value_name = "YYYY-MM", requires = "statement")]
    to: Option<String>,
    /// File to write the statement to, UTF-8; one that is there is not replaced
    #[arg(long, value_name = "FILE", requires = "statement")]
    out: Option<PathBuf>,
    /// The run's job file; default: the file of `jobs/` with the run's job id
    #[arg(long, value_name = "JOB.toml")]
    job: Option<PathBuf>,
    /// File or folder of the inputs: settle from there, not from the archive
    #[arg(long, value_name = "FILE|DIR")]
    input: Option<PathBuf>,
    /// Ledger file; default: the job's, else var/ledger.db; none for a trial
    #[arg(long, value_name = "FILE|none")]
    ledger: Option<PathBuf>,
    /// The archive; default: the job's, else `archive` beside the ledger
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    /// At most this many lines
    #[arg(long, value_name = "N", default_value = "20")]
    limit: usize,
    /// Language: zh-CN or en
    #[arg(long, value_name = "TAG")]
    lang: Option<String>,
    /// Write the answer as JSON
    #[arg(long)]
    json: bool,
}

/// What is to be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainCommand {
    /// Run folder, first letters of a run id, or job file.
    pub run: PathBuf,
    /// Institution; only a statement needs none.
    pub institution: Option<String>,
    /// Item.
    pub item: Option<String>,
    /// Child.
    pub child: Option<String>,
    /// Service month.
    pub month: Option<Month>,
    /// The statement, where one is asked for.
    pub statement: Option<StatementWords>,
    /// Job file.
    pub job: Option<PathBuf>,
    /// Inputs.
    pub input: Option<PathBuf>,
    /// Ledger: `Some(None)` is a trial.
    pub ledger: Option<Option<PathBuf>>,
    /// Archive folder.
    pub archive: Option<PathBuf>,
    /// At most this many lines.
    pub limit: usize,
    /// Language.
    pub language: Option<Language>,
    /// Whether the answer is written as JSON.
    pub json: bool,
}

/// What a statement covers, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementWords {
    /// First month.
    pub from: Option<Month>,
    /// Last month.
    pub until: Option<Month>,
    /// File; `None` = stdout.
    pub out: Option<PathBuf>,
}

pub(super) fn explain(low: LowExplain) -> Result<ExplainCommand, UsageError> {
    let from = low.from.map(|word| month("--from", word)).transpose()?;
    let until = low.to.map(|word| month("--to", word)).transpose()?;
    Ok(ExplainCommand {
        run: low.run,
        institution: low.institution,
        item: low.item,
        child: low.child,
        month: low.month.map(|word| month("--month", word)).transpose()?,
        statement: low.statement.then_some(StatementWords { from, until, out: low.out }),
        job: low.job,
        input: low.input,
        ledger: low.ledger.map(ledger),
        archive: low.archive,
        limit: low.limit,
        language: low.lang.map(language).transpose()?,
        json: low.json,
    })
}
