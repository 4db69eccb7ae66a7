//! Acts of persons on a run, each in one transaction: judged, written as an event, then the state.

use super::chain::{self, Event};
use super::course::{Act, Course, deed};
use super::order::{self, Other};
use super::post::Pending;
use super::read::{self, RunHead, RunState};
use super::refusal::Refusal;
use super::rows::keys;
use super::{Ledger, LedgerError};
use rusqlite::{Connection, params};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// What an act came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acted {
    /// The run after it.
    pub course: Course,
    /// Number of its event.
    pub seq: i64,
    /// Hash of its event: the head of the ledger, to be kept elsewhere.
    pub head: String,
}

/// The payments of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Money {
    /// Number of payments.
    pub payments: i64,
    /// Their sum, fen.
    pub amount_fen: i64,
    /// Of these, held: number.
    pub held: i64,
    /// Of these, held: fen.
    pub held_fen: i64,
    /// Fen by funding source.
    pub by_source: BTreeMap<String, i64>,
}

impl Ledger {
    /// Does something with the run of that id, in a transaction of its own: [`Ledger::begin`],
    /// [`Pending::act`], [`Pending::commit`].
    ///
    /// # Errors
    /// As those.
    pub fn act(&mut self, run_id: &str, act: &Act<'_>) -> Result<Acted, LedgerError> {
        let mut pending = self.begin()?;
        let acted = pending.act(run_id, act)?;
        pending.commit()?;
        Ok(acted)
    }

    /// The course of a run that stands in this ledger, replaced or not.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] when there is none, [`LedgerError::Broken`] when its events do not
    /// hold together.
    pub fn course(&self, run_id: &str) -> Result<Course, LedgerError> {
        course_of(&self.connection, &self.path, run_id)
    }

    /// The runs that stand whose id begins with `prefix`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn named(&self, prefix: &str) -> Result<Vec<RunHead>, LedgerError> {
        read::named(&self.connection, prefix).map_err(|source| self.store(source))
    }

    /// The payments of a run.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] when there is no such run, else when the store fails.
    pub fn money(&self, run_id: &str) -> Result<Money, LedgerError> {
        money_of(&self.connection, &self.path, run_id)
    }
}

impl Pending<'_> {
    /// [`Ledger::course`], as this transaction sees it.
    ///
    /// # Errors
    /// As [`Ledger::course`].
    pub fn course(&self, run_id: &str) -> Result<Course, LedgerError> {
        course_of(&self.transaction, self.path, run_id)
    }

    /// [`Ledger::money`], as this transaction sees it.
    ///
    /// # Errors
    /// As [`Ledger::money`].
    pub fn money(&self, run_id: &str) -> Result<Money, LedgerError> {
        money_of(&self.transaction, self.path, run_id)
    }

    /// Does something with the run of that id: the event, then the state of the run. The release
    /// folder is written between this and [`Pending::commit`].
    ///
    /// # Errors
    /// [`LedgerError::Refused`] when the act may not be done, [`LedgerError::Unknown`] when there
    /// is no such run, else the store's reasons. After an error nothing should be committed.
    pub fn act(&mut self, run_id: &str, act: &Act<'_>) -> Result<Acted, LedgerError> {
        let connection: &Connection = &self.transaction;
        let head = find(connection, self.path, run_id)?;
        let refused = |refusal| LedgerError::Refused {
            run_id: head.run_id.clone(),
            period: head.period,
            refusal,
        };
        if let Some(by) =
            read::successor(connection, head.run_no).map_err(|source| self.store(source))?
        {
            return Err(refused(Refusal::Replaced { by }));
        }
        let mut course = course(connection, self.path, head.run_no)?;
        let state = course.after(act).map_err(refused)?;
        let standing = read::standing(connection, &head.job_id, i64::MAX)
            .map_err(|source| self.store(source))?;
        let others: Vec<Other<'_>> = standing
            .iter()
            .filter(|other| other.run_no != head.run_no)
            .map(|other| Other { period: other.period, state: other.state, run_id: &other.run_id })
            .collect();
        order::check(&course, act.kind, &others).map_err(refused)?;
        let body = course.body(act, state, &self.head.hash);
        let words = (act.at, act.by.trim());
        let kind = act.kind.event();
        let event = chain::event(&self.head, kind, head.run_no, words, &body);
        let after = chain::append(connection, &event).map_err(|source| self.store(source))?;
        if state != course.state {
            connection
                .execute(
                    "UPDATE runs SET state = ?2 WHERE run_no = ?1",
                    params![head.run_no, state.word()],
                )
                .map_err(|source| self.store(source))?;
        }
        course.take(&event, &after.hash, &body).map_err(refused)?;
        self.head = after;
        Ok(Acted { course, seq: self.head.seq, head: self.head.hash.clone() })
    }
}

/// The run of that id: the one that stands, else the last that was replaced.
fn find(connection: &Connection, path: &Path, run_id: &str) -> Result<RunHead, LedgerError> {
    read::by_id(connection, run_id)
        .map_err(|source| LedgerError::store(path, source))?
        .ok_or_else(|| LedgerError::Unknown { path: path.to_owned(), run_id: run_id.to_owned() })
}

fn course_of(connection: &Connection, path: &Path, run_id: &str) -> Result<Course, LedgerError> {
    course(connection, path, find(connection, path, run_id)?.run_no)
}

fn money_of(connection: &Connection, path: &Path, run_id: &str) -> Result<Money, LedgerError> {
    let head = find(connection, path, run_id)?;
    money(connection, head.run_no).map_err(|source| LedgerError::store(path, source))
}

/// The course of a run, by its events in order.
pub(super) fn course(
    connection: &Connection,
    path: &Path,
    run_no: i64,
) -> Result<Course, LedgerError> {
    let events =
        chain::of_run(connection, run_no).map_err(|source| LedgerError::store(path, source))?;
    let mut course: Option<Course> = None;
    for (event, hash) in events {
        let body: Value = serde_json::from_str(&event.body).unwrap_or_default();
        follow(&mut course, &event, &hash, &body)
            .map_err(|refusal| event.broken(path, refusal.to_string()))?;
    }
    course.ok_or_else(|| LedgerError::Broken {
        path: path.to_owned(),
        seq: 0,
        event: "the file".to_owned(),
        found: "a run was posted by no event".to_owned(),
    })
}

/// Takes an event into the course it belongs to; the first begins it.
pub(super) fn follow(
    course: &mut Option<Course>,
    event: &Event,
    hash: &str,
    body: &Value,
) -> Result<(), Refusal> {
    match course {
        None => {
            let made = Course::begin(event, hash, body).ok_or(Refusal::Unreadable)?;
            if made.demand.keys.is_some() || made.made.signature.is_some() {
                let kind = chain::EventKind::parse(&event.kind).ok_or(Refusal::Unreadable)?;
                made.check_posting(kind, body, &event.before)?;
            }
            *course = Some(made);
            Ok(())
        }
        Some(course) if event.kind == chain::EventKind::Reconciled.word() => {
            course.check_reconciled(&deed(event, hash, body), body, &event.before)
        }
        Some(course) => course.take(event, hash, body),
    }
}

fn money(connection: &Connection, run_no: i64) -> rusqlite::Result<Money> {
    let mut money = Money::default();
    let mut statement = connection.prepare_cached(
        "SELECT coalesce(texts.text, ''), payees.hold_reason, amount_fen
         FROM payments JOIN payees ON payees.payee = payments.payee
         LEFT JOIN texts ON text_no = source
         WHERE payment BETWEEN ?1 AND ?2 ORDER BY payment",
    )?;
    let mut rows = statement.query(keys(run_no))?;
    while let Some(row) = rows.next()? {
        let (source, hold, fen): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        money.payments += 1;
        money.amount_fen += fen;
        if !hold.is_empty() {
            money.held += 1;
            money.held_fen += fen;
        }
        *money.by_source.entry(source).or_default() += fen;
    }
    Ok(money)
}

impl RunState {
    /// Whether the lines of such a run count for later periods.
    #[must_use]
    pub fn is_released(self) -> bool {
        self >= Self::Released
    }
}
