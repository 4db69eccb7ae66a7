//! What can stop a settlement: the world, the law, our own sums.

use super::LawRewritten;
use crate::allocation::AllocationError;
use crate::archive::ArchiveError;
use crate::domain::CalendarError;
use crate::intake::IntakeError;
use crate::job::NotDelivered;
use crate::law::LawErrors;
use crate::ledger::LedgerError;
use crate::publish::{ProfileError, PublishError};
use crate::schedule::ScheduleError;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// The law is incomplete or wrong (exit 4).
    #[error(transparent)]
    Law(#[from] LawErrors),
    /// A calendar year is not published (exit 4).
    #[error("{0}; add the year to data/reference/calendars, or set provisional_calendar = true")]
    Calendar(#[from] CalendarError),
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
    /// A column map of `data/reference/profiles` is wrong (exit 1).
    #[error(transparent)]
    Profile(ProfileError),
    /// The worker threads could not be started (exit 1).
    #[error("cannot start {threads} threads: {reason}")]
    Threads {
        /// Number asked for.
        threads: usize,
        /// What the system says.
        reason: String,
    },
}
