//! What can go wrong with the books.

use super::{Refusal, RunState};
use crate::domain::Month;
use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};

/// Why the ledger refused. `Busy` and `Broken` are exit 7, the others exit 1.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another run is writing.
    #[error(
        "{path}: another run is writing; hint: wait until it has ended and run again",
        path = path.display()
    )]
    Busy {
        /// The ledger.
        path: PathBuf,
    },
    /// The chain, or what hangs on it, does not hold.
    #[error(
        "{path}: event {seq} ({event}) does not hold: {found}; hint: restore the ledger from its \
         last good copy",
        path = path.display()
    )]
    Broken {
        /// The ledger.
        path: PathBuf,
        /// Number of the first event that does not hold; 0 where the file itself is meant.
        seq: i64,
        /// Kind and run of that event, for people.
        event: String,
        /// What differs.
        found: String,
    },
    /// The file is no ledger.
    #[error("{path}: is not a ledger; hint: name another file", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A later version of the engine has written the file.
    #[error(
        "{path}: has layout {found}, this engine writes {known}; hint: use the later engine",
        path = path.display()
    )]
    Newer {
        /// The ledger.
        path: PathBuf,
        /// Layout of the file.
        found: i32,
        /// Layout of this engine.
        known: i32,
    },
    /// The period is past its draft: closed months never change (S31).
    #[error(
        "period {period} of job {job_id} is {state} as run {run_id}, expected a draft; hint: {hint}",
        state = state.word(),
        hint = way_out(*state)
    )]
    Approved {
        /// The run that stands.
        run_id: String,
        /// Job.
        job_id: String,
        /// Period.
        period: Month,
        /// Its state.
        state: RunState,
    },
    /// A person may not do this with the run.
    #[error("period {period}, run {run_id} {refusal}")]
    Refused {
        /// The run.
        run_id: String,
        /// Its period.
        period: Month,
        /// Why.
        refusal: Refusal,
    },
    /// There is no such run.
    #[error(
        "{path}: has no run {run_id}; hint: name the ledger the run was posted to with --ledger",
        path = path.display()
    )]
    Unknown {
        /// The ledger.
        path: PathBuf,
        /// Its id.
        run_id: String,
    },
    /// The same run id came with another manifest: the engine is not repeatable (S29).
    #[error(
        "run {run_id} was posted with manifest {posted}, found {found}; the same inputs and law \
         must give the same bytes: this is a fault of the engine"
    )]
    RunDiffers {
        /// The run.
        run_id: String,
        /// Manifest hash in the ledger.
        posted: String,
        /// Manifest hash of this run.
        found: String,
    },
    /// A record that contradicts itself: a fault of the engine.
    #[error("run {run_id} cannot be posted: {found}")]
    Record {
        /// The run.
        run_id: String,
        /// What is wrong with it.
        found: String,
    },
    /// The folder of the ledger, or a new ledger in it, cannot be made.
    #[error("{path}: a new ledger cannot be made here", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A failed payment was claimed meanwhile by somebody else.
    #[error(
        "{path}: a payment that failed is paid again by another batch or settlement, made meanwhile; \
         expected one that claims it; hint: run the job again", path = path.display()
    )]
    Claimed {
        /// The ledger.
        path: PathBuf,
    },
    /// The store failed.
    #[error("{path}: the ledger cannot be read or written", path = path.display())]
    Store {
        /// The ledger.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
}

/// What can still be done about a period that is past its draft.
const fn way_out(state: RunState) -> &'static str {
    match state {
        RunState::Draft | RunState::Approved => {
            "as long as it is not released, another person than who approved it may reopen it"
        }
        RunState::Released | RunState::Answered | RunState::Closed => {
            "what became known later enters the next open period"
        }
    }
}

impl LedgerError {
    /// An error of the store by its meaning.
    pub(super) fn store(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        // The triggers on claims say so themselves.
        let said = match &source {
            rusqlite::Error::SqliteFailure(_, Some(text)) => text.as_str(),
            _ => "",
        };
        if said.starts_with("claims: ") {
            return Self::Claimed { path };
        }
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            Some(ErrorCode::NotADatabase) => Self::Foreign { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Broken {
                path,
                seq: 0,
                event: "the file".to_owned(),
                found: "the store says it is damaged".to_owned(),
            },
            _ => Self::Store { path, source },
        }
    }
}
