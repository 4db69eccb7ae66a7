//! Words of the commands that show the ledger as books.

use super::args::{UsageError, language};
use super::meant::LEDGER;
use crate::domain::texts::Language;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum LowLedger {
    /// Write the released runs as a journal that hledger reads
    Journal(LowJournal),
    /// Write what the released runs of a year pay, by item and budget line, as CSV
    Year(LowYear),
}

#[derive(Debug, Args)]
pub(super) struct LowBooks {
    /// Ledger file
    #[arg(long, value_name = "FILE", default_value = LEDGER)]
    ledger: PathBuf,
    /// Only runs of the job with this id
    #[arg(long, value_name = "ID")]
    job: Option<String>,
    /// Language: zh-CN or en
    #[arg(long, value_name = "TAG")]
    lang: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct LowJournal {
    #[command(flatten)]
    books: LowBooks,
    /// Journal file; `-` is stdout
    #[arg(long, value_name = "FILE|-", default_value = "-")]
    out: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct LowYear {
    #[command(flatten)]
    books: LowBooks,
    /// Calendar year of the periods
    #[arg(long, value_name = "YYYY")]
    year: String,
}

/// What is asked of the ledger as books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerCommand {
    /// Ledger.
    pub ledger: PathBuf,
    /// Only this job.
    pub job: Option<String>,
    /// Language.
    pub language: Option<Language>,
    /// The question.
    pub question: LedgerQuestion,
}

/// Which books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerQuestion {
    /// The journal, into a file or, with `None`, to stdout.
    Journal(Option<PathBuf>),
    /// A calendar year.
    Year(i32),
}

pub(super) fn ledger(low: LowLedger) -> Result<LedgerCommand, UsageError> {
    let (books, question) = match low {
        LowLedger::Journal(low) => {
            let out = (low.out.as_os_str() != "-").then_some(low.out);
            (low.books, LedgerQuestion::Journal(out))
        }
        LowLedger::Year(low) => (low.books, LedgerQuestion::Year(year(low.year)?)),
    };
    Ok(LedgerCommand {
        ledger: books.ledger,
        job: books.job,
        language: books.lang.map(language).transpose()?,
        question,
    })
}

fn year(word: String) -> Result<i32, UsageError> {
    word.parse().ok().filter(|year| (1901..=2199).contains(year)).ok_or(UsageError {
        option: "--year",
        found: word,
        expected: "a year as 2026",
    })
}
