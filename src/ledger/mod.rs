//! Ledger: runs, their lines and payments, and what people did with them, in one `SQLite` file.
//!
//! In: a settled period ([`RunRecord`]). Out: what was posted before, states, the hash chain.
//! Order: after `schedule`. Never: changes or deletes what was posted, reads a clock, computes an
//! amount. A draft is replaced by a new run beside it; everything else is corrected by more rows.
//!
//! A run is drafted, approved by a second person, released, answered and closed; each step is an
//! event that names who, when and why, signed where the job demands it (`docs/lifecycle.md`). Only
//! what is released counts for later periods (S29).
//!
//! Publishing (S31): the outputs are written beside their place and synced, then
//! [`Pending::commit`] decides, then they are renamed into place. What a crash left is judged by
//! [`Ledger::find`]: outputs beside their place with the id of the run that stands are moved in,
//! others are removed.

mod acts;
mod answers;
mod chain;
mod course;
mod error;
mod failed;
mod journal;
mod lines;
mod order;
mod post;
mod read;
mod recall;
mod refusal;
mod rows;
mod schema;
mod seal;
mod verify;
mod year;

pub use acts::{Acted, Money};
pub use answers::{Claim, MatchRule, Message, SentPayment, SentRun, Told, batch_job, is_batch};
pub use chain::EventKind;
pub use course::{Act, ActKind, Course, Deed, Demand, message};
pub use error::LedgerError;
pub use failed::{CameBack, ClaimedLine, PaidLine, apportion};
pub use journal::{BooksError, JournalTotals};
pub use lines::PostedRow;
pub use post::{Pending, Posted, RunRecord, Written};
pub use read::{InstitutionMonth, Previous, RunHead, RunState, YearToDate};
pub use recall::Recalled;
pub use refusal::Refusal;
pub use verify::Verified;
pub use year::YearLine;

use rusqlite::{Connection, TransactionBehavior};
use schema::Made;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a second writer waits before it is told that the ledger is busy.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// An open ledger.
#[derive(Debug)]
pub struct Ledger {
    connection: Connection,
    path: PathBuf,
    /// Set while the books are read as a past run read them.
    recalled: Option<Recalled>,
}

/// A new ledger in the making on a thread of its own, so that a first run does not wait for the disk
/// between settling and writing. It has no name before [`LedgerAhead::open`]; dropped without that it
/// is removed.
#[derive(Debug)]
pub struct LedgerAhead {
    path: PathBuf,
    making: Option<JoinHandle<Result<Made, LedgerError>>>,
}

impl LedgerAhead {
    /// Begins to make the ledger `path` does not name yet; `None` where there is no folder for it, for
    /// a run that stops leaves none behind.
    #[must_use]
    pub fn begin(path: &Path) -> Option<Self> {
        let path = path.to_owned();
        schema::folder_of(&path).is_dir().then(|| {
            let place = path.clone();
            Self { path, making: Some(std::thread::spawn(move || Made::beside(&place))) }
        })
    }

    /// Gives the ledger its name and opens it; where another run was quicker, that run's ledger.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open(mut self) -> Result<Ledger, LedgerError> {
        if let Some(made) = self.made() {
            made?.put(&self.path)?;
        }
        Ledger::open(&self.path)
    }

    fn made(&mut self) -> Option<Result<Made, LedgerError>> {
        let made = self.making.take()?.join();
        Some(made.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }
}

impl Drop for LedgerAhead {
    fn drop(&mut self) {
        // Waited for, so that the file is not left behind; why a run stops is told already.
        if let Some(making) = self.making.take() {
            drop(making.join());
        }
    }
}

/// A view of the books, see [`Ledger::view`].
#[derive(Debug)]
pub struct View<'a> {
    _transaction: rusqlite::Transaction<'a>,
}

impl Ledger {
    /// Opens the ledger, making the file and its folder where there are none, and brings an older
    /// layout up to date. Waits up to ten seconds for another run that is writing.
    ///
    /// # Errors
    /// [`LedgerError::Busy`] after the wait, [`LedgerError::Foreign`] or [`LedgerError::Newer`] for
    /// a file that is not ours to write, else the world's reasons.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Self::open_waiting(path, WAIT_MAX)
    }

    /// [`Ledger::open`] with another patience.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open_waiting(path: &Path, wait: Duration) -> Result<Self, LedgerError> {
        let connection = schema::open(path, wait)?;
        Ok(Self { connection, path: path.to_owned(), recalled: None })
    }

    /// One view of the books for several readings: what another run posts or another person does
    /// meanwhile is in all of them or in none. It ends when it is dropped.
    ///
    /// # Errors
    /// When the store fails.
    pub fn view(&self) -> Result<View<'_>, LedgerError> {
        let view = self.connection.unchecked_transaction().map_err(|source| self.store(source))?;
        Ok(View { _transaction: view })
    }

    /// Starts posting: takes the write lock and checks the chain of events (not the rows behind
    /// it; that is [`Ledger::verify`]). Nothing is seen by others before [`Pending::commit`].
    ///
    /// # Errors
    /// [`LedgerError::Busy`] when another run keeps the lock, [`LedgerError::Broken`] when the
    /// chain does not hold.
    pub fn begin(&mut self) -> Result<Pending<'_>, LedgerError> {
        let path = self.path.as_path();
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|source| LedgerError::store(path, source))?;
        let head = chain::walk(&transaction, path, |_, _| Ok(()))?;
        Ok(Pending::new(transaction, path, head))
    }

    /// Posts one run in a transaction of its own: [`Ledger::begin`], [`Pending::post`],
    /// [`Pending::commit`].
    ///
    /// # Errors
    /// As those.
    pub fn post(
        &mut self,
        record: &RunRecord<'_>,
        at: &str,
        by: &str,
    ) -> Result<Posted, LedgerError> {
        let mut pending = self.begin()?;
        let posted = pending.post(record, at, by)?;
        pending.commit()?;
        Ok(posted)
    }
}
