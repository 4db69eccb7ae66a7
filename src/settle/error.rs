//! What can stop a settlement: the world, the law, our own sums.

use super::LawRewritten;
use crate::allocation::AllocationError;
use crate::archive::ArchiveError;
use crate::domain::{CalendarError, Month};
use crate::intake::IntakeError;
use crate::job::{BatchProfileError, NotDelivered};
use crate::law::LawErrors;
use crate::law::calendar::CalendarFileError;
use crate::ledger::LedgerError;
use crate::publish::{LineFileError, ProfileError, PublishError};
use crate::schedule::ScheduleError;
use std::path::PathBuf;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// The law is incomplete or wrong (exit 4).
    #[error(transparent)]
    Law(#[from] LawErrors),
    /// A calendar year is not published (exit 4).
    #[error("{0}; add the year to data/reference/calendars, or set provisional_calendar = true")]
    Calendar(#[from] CalendarError),
    /// The calendar that open items are aged by cannot be had (exit 4).
    #[error(transparent)]
    CalendarFile(#[from] CalendarFileError),
    /// A batch profile is wrong (exit 1).
    #[error(transparent)]
    BatchProfile(#[from] BatchProfileError),
    /// A batch would pay again what has not failed, or not so much of it (exit 1).
    #[error(
        "payment {payment_no}: the batch pays {claimed} fen of it again, and {failed} fen of it \
         failed; hint: run the job again that made it, which makes it anew"
    )]
    NotFailed {
        /// The payment.
        payment_no: String,
        /// What the batch pays again.
        claimed: i64,
        /// What has failed and no other batch pays.
        failed: i64,
    },
    /// More would be drawn from an indicator than is left of it (exit 1).
    #[error(
        "payment {payment_no}: indicator {budget_doc_no} has {} yuan left and {} yuan are to be \
         paid, {} yuan short; expected a payment it covers; hint: have the indicator raised and \
         delivered, then run the period again",
        crate::domain::Fen(*left), crate::domain::Fen(*wanted), crate::domain::Fen(*short)
    )]
    Overdrawn {
        /// The payment.
        payment_no: String,
        /// 指标文号.
        budget_doc_no: String,
        /// Fen left before it.
        left: i64,
        /// Fen of the payment.
        wanted: i64,
        /// Fen that are missing.
        short: i64,
    },
    /// Nothing of the period has gone out (exit 1).
    #[error(
        "job {job_id} has no released run of {period}; expected one whose payments a bank can answer; \
         hint: approve and release it first"
    )]
    NothingSent {
        /// Settle job.
        job_id: String,
        /// Period.
        period: Month,
    },
    /// An input file cannot be read (exit 1).
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// A table was received only after the day that counts (exit 1).
    #[error(transparent)]
    NotDelivered(#[from] NotDelivered),
    /// The law of an earlier run was changed under its feet (exit 4).
    #[error(transparent)]
    LawRewritten(#[from] LawRewritten),
    /// The archive cannot be read or written (exit 1), or is damaged (exit 6).
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A cap or split cannot be applied (exit 4).
    #[error(transparent)]
    Allocation(#[from] AllocationError),
    /// The schedule cannot be planned (exit 4).
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// The ledger is busy, broken, or refuses (exit 7).
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An output cannot be written (exit 1), or a control total does not tie (exit 70).
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The key file of the pseudonyms cannot be read (exit 1).
    #[error("{path}: {reason}; expected the bureau's key file")]
    Key {
        /// Path as the job names it.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// An act needs a ledger that is there (exit 1).
    #[error(
        "{}: there is no ledger; hint: name the one the run was posted to with --ledger",
        path.display()
    )]
    NoLedger {
        /// The path.
        path: PathBuf,
    },
    /// A run folder is not what the ledger holds (exit 1).
    #[error(
        "{}: holds {found}, the ledger has {expected}; hint: run the period again, look at it, and \
         act on what stands", folder.display()
    )]
    OtherRun {
        /// The folder.
        folder: PathBuf,
        /// What it holds.
        found: String,
        /// What the ledger holds.
        expected: String,
    },
    /// A run folder differs from its manifest (exit 1).
    #[error(
        "{}: {file} is not as the manifest says ({count} such files); hint: run the period again, \
         which mends the folder", folder.display()
    )]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// First file that differs.
        file: String,
        /// Number of files that differ.
        count: usize,
    },
    /// A column map of `data/reference/profiles` is wrong (exit 1).
    #[error(transparent)]
    Profile(ProfileError),
    /// Lines of an earlier run cannot be read back from the archive (exit 6).
    #[error("the archive: {0}; hint: tuoyu audit verify names what is damaged")]
    Lines(#[from] LineFileError),
    /// A delivery cannot be read (exit 1).
    #[error("{path}: {reason}; expected a delivery the job names")]
    Unreadable {
        /// Path as the job names it.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// A sum of corrections is beyond what the engine counts with (exit 1).
    #[error("{month}: a sum of corrections does not fit the engine's numbers")]
    Overflow {
        /// Closed month.
        month: Month,
    },
    /// The worker threads could not be started (exit 1).
    #[error("cannot start {threads} threads: {reason}")]
    Threads {
        /// Number asked for.
        threads: usize,
        /// What the system says.
        reason: String,
    },
}
