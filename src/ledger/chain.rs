//! The chain: every event carries the hash of the one before.

use super::LedgerError;
use crate::domain::hex;
use rusqlite::{Connection, Row, params};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::Path;

/// The hash before the first event.
const ORIGIN: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What an event records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A period was settled for the first time.
    Posted,
    /// A period was settled again; the draft before it no longer stands.
    Replaced,
    /// A person has approved a run.
    Approved,
    /// The payments of a run have gone out.
    Released,
    /// The bank has answered all of them.
    Answered,
    /// The month of a run is closed.
    Closed,
    /// An approval or a closing was undone.
    Reopened,
    /// Answers of banks were taken in.
    Reconciled,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Posted,
        Self::Replaced,
        Self::Approved,
        Self::Released,
        Self::Answered,
        Self::Closed,
        Self::Reopened,
        Self::Reconciled,
    ];

    /// The word in the store.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Posted => "posted",
            Self::Replaced => "replaced",
            Self::Approved => "approved",
            Self::Released => "released",
            Self::Answered => "answered",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::Reconciled => "reconciled",
        }
    }

    /// The kind of a word in the store.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// One event as stored.
pub(super) struct Event {
    pub(super) seq: i64,
    pub(super) kind: String,
    pub(super) run_no: i64,
    pub(super) at: String,
    pub(super) by: String,
    pub(super) body: String,
    /// Hash of the event before.
    pub(super) before: String,
}

impl Event {
    /// SHA-256 over the hash before and the event as a JSON list.
    fn hash(&self) -> String {
        let canonical = json!([self.seq, self.kind, self.run_no, self.at, self.by, self.body]);
        let mut hash = Sha256::new();
        hash.update(self.before.as_bytes());
        hash.update(canonical.to_string().as_bytes());
        hex(&hash.finalize())
    }

    /// A complaint about this event.
    pub(super) fn broken(&self, path: &Path, found: impl Into<String>) -> LedgerError {
        let run_id = serde_json::from_str::<Value>(&self.body)
            .ok()
            .and_then(|body| body["run_id"].as_str().map(str::to_owned));
        let event = match run_id {
            Some(run_id) => format!("{} run {run_id}", self.kind),
            None => self.kind.clone(),
        };
        LedgerError::Broken { path: path.to_owned(), seq: self.seq, event, found: found.into() }
    }
}

/// The last event of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) seq: i64,
    pub(super) hash: String,
}

/// Walks the chain from its start, checks it, and shows each event with its hash to `visit`, which
/// may refuse it. Gives the head.
pub(super) fn walk(
    connection: &Connection,
    path: &Path,
    mut visit: impl FnMut(&Event, &str) -> Result<(), LedgerError>,
) -> Result<Head, LedgerError> {
    let store = |source| LedgerError::store(path, source);
    let mut head = Head { seq: 0, hash: ORIGIN.to_owned() };
    let mut statement = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM events ORDER BY seq"))
        .map_err(store)?;
    let mut rows = statement.query(()).map_err(store)?;
    while let Some(row) = rows.next().map_err(store)? {
        let (event, hash) = read(row).map_err(|error| LedgerError::Broken {
            path: path.to_owned(),
            seq: head.seq + 1,
            event: "unreadable".to_owned(),
            found: error.to_string(),
        })?;
        if event.seq != head.seq + 1 {
            return Err(event.broken(path, format!("expected event {}", head.seq + 1)));
        }
        if event.before != head.hash {
            return Err(event.broken(path, "it does not follow the event before"));
        }
        if hash != event.hash() {
            return Err(event.broken(path, "its text and its hash differ"));
        }
        visit(&event, &hash)?;
        head = Head { seq: event.seq, hash };
    }
    Ok(head)
}

/// Columns of [`read`].
const COLUMNS: &str = "seq, kind, run_no, at, by, body, prev_hash, hash";

fn read(row: &Row<'_>) -> rusqlite::Result<(Event, String)> {
    let event = Event {
        seq: row.get(0)?,
        kind: row.get(1)?,
        run_no: row.get(2)?,
        at: row.get(3)?,
        by: row.get(4)?,
        body: row.get(5)?,
        before: row.get(6)?,
    };
    Ok((event, row.get(7)?))
}

/// The events of one run with their hashes, in order.
pub(super) fn of_run(
    connection: &Connection,
    run_no: i64,
) -> rusqlite::Result<Vec<(Event, String)>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM events WHERE run_no = ?1 ORDER BY seq"))?
        .query_map([run_no], read)?
        .collect()
}

/// The event that would follow `head`.
pub(super) fn event(
    head: &Head,
    kind: EventKind,
    run_no: i64,
    (at, by): (&str, &str),
    body: &Value,
) -> Event {
    Event {
        seq: head.seq + 1,
        kind: kind.word().to_owned(),
        run_no,
        at: at.to_owned(),
        by: by.to_owned(),
        body: body.to_string(),
        before: head.hash.clone(),
    }
}

/// Writes an event; gives the new head.
pub(super) fn append(connection: &Connection, event: &Event) -> rusqlite::Result<Head> {
    let hash = event.hash();
    connection.execute(
        "INSERT INTO events (seq, kind, run_no, at, by, body, prev_hash, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            event.seq,
            event.kind,
            event.run_no,
            event.at,
            event.by,
            event.body,
            event.before,
            hash
        ],
    )?;
    Ok(Head { seq: event.seq, hash })
}
