//! Posting: one settled period into the books, in one transaction (S31).

use super::chain::{self, EventKind, Head};
use super::read::{self, RunState};
use super::rows::{NONE, ROWS_MAX, Rows};
use super::{InstitutionMonth, LedgerError};
use crate::domain::{Date, Month};
use crate::schedule::Schedule;
use rusqlite::{Transaction, params};
use serde_json::{Value, json};
use std::path::Path;

/// A settled period, ready for the books.
#[derive(Debug, Clone, Copy)]
pub struct RunRecord<'a> {
    /// Run id (S29).
    pub run_id: &'a str,
    /// Job id (S33).
    pub job_id: &'a str,
    /// Last service month of the settlement period.
    pub period: Month,
    /// Version of the calculation.
    pub calc_version: &'a str,
    /// Commit or build of the engine; stands in the event only (S29).
    pub engine: &'a str,
    /// Hash of the law snapshot.
    pub law_hash: &'a str,
    /// Hash of the manifest.
    pub manifest_hash: &'a str,
    /// Law and deliveries as known on this day.
    pub known_on: Date,
    /// Lines and payments.
    pub schedule: &'a Schedule,
    /// Every institution of the period, paid or not; any order, each once.
    pub institutions: &'a [InstitutionMonth],
}

/// What posting did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    /// The period was not in the books.
    New,
    /// The draft before no longer stands.
    Replaced {
        /// Its run id.
        old_run_id: String,
    },
    /// The same run stands already; nothing was written.
    AlreadyThere,
}

/// A transaction that posts. Dropped without [`Pending::commit`] it leaves the books as before.
#[derive(Debug)]
pub struct Pending<'a> {
    transaction: Transaction<'a>,
    path: &'a Path,
    head: Head,
}

impl<'a> Pending<'a> {
    pub(super) fn new(transaction: Transaction<'a>, path: &'a Path, head: Head) -> Self {
        Self { transaction, path, head }
    }

    /// The run that stands for a period, as this transaction sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub fn find(&self, job_id: &str, period: Month) -> Result<Option<read::RunHead>, LedgerError> {
        read::find(&self.transaction, job_id, period).map_err(|source| self.store(source))
    }

    /// Writes a run; the caller states when and by whom, since the library has no clock.
    ///
    /// # Errors
    /// [`LedgerError::Approved`] when the period is past its draft, [`LedgerError::RunDiffers`]
    /// when the same run has other bytes, [`LedgerError::Record`] when the record contradicts
    /// itself, else the store's reasons. After an error nothing should be committed.
    pub fn post(
        &mut self,
        record: &RunRecord<'_>,
        at: &str,
        by: &str,
    ) -> Result<Posted, LedgerError> {
        self.post_beside(record, &mut || Some(record.manifest_hash.to_owned()), at, by)
    }

    /// [`Pending::post`] for a run whose manifest is still being made: the rows are written first,
    /// then `manifest` is asked for the hash (the record's own is not read). `None` from it means
    /// that there will be no manifest: nothing should be committed then.
    ///
    /// # Errors
    /// As [`Pending::post`], and [`LedgerError::Record`] without a manifest.
    pub fn post_beside(
        &mut self,
        record: &RunRecord<'_>,
        manifest: &mut dyn FnMut() -> Option<String>,
        at: &str,
        by: &str,
    ) -> Result<Posted, LedgerError> {
        let mut manifest = || {
            manifest().filter(|hash| !hash.is_empty()).ok_or_else(|| LedgerError::Record {
                run_id: record.run_id.to_owned(),
                found: "the manifest was not written".to_owned(),
            })
        };
        check(record, at, by)
            .map_err(|found| LedgerError::Record { run_id: record.run_id.to_owned(), found })?;
        let standing = self.find(record.job_id, record.period)?;
        if let Some(standing) = &standing {
            if standing.run_id == record.run_id {
                return already(standing, &manifest()?);
            }
            if standing.state != RunState::Draft {
                return Err(LedgerError::Approved {
                    run_id: standing.run_id.clone(),
                    job_id: standing.job_id.clone(),
                    period: standing.period,
                    state: standing.state,
                });
            }
        }
        let old_run_id = standing.as_ref().map(|standing| standing.run_id.as_str());
        // The run's own row waits for the manifest; its children may stand before it until commit.
        let run_no = self.next_run_no().map_err(|source| self.store(source))?;
        let rows = Rows::new(&self.transaction, run_no, record);
        let seals = rows.write().map_err(|source| self.store(source))?;
        // Into the log while the files are still being written: the commit has little left to write.
        self.transaction.cache_flush().map_err(|source| self.store(source))?;
        let manifest = manifest()?;
        let old = standing.as_ref().map(|standing| standing.run_no);
        self.write_run(record, run_no, &manifest, old).map_err(|source| self.store(source))?;
        let kind = if old_run_id.is_some() { EventKind::Replaced } else { EventKind::Posted };
        let body = body(record, &manifest, old_run_id, &seals);
        self.head = chain::append(&self.transaction, &self.head, kind, run_no, (at, by), &body)
            .map_err(|source| self.store(source))?;
        Ok(match standing {
            Some(standing) => Posted::Replaced { old_run_id: standing.run_id },
            None => Posted::New,
        })
    }

    /// Makes it so: after this, and only after this, the run stands.
    ///
    /// # Errors
    /// When the store fails; the books are then as before.
    pub fn commit(self) -> Result<(), LedgerError> {
        let path = self.path;
        self.transaction.commit().map_err(|source| LedgerError::store(path, source))
    }

    fn store(&self, source: rusqlite::Error) -> LedgerError {
        LedgerError::store(self.path, source)
    }

    fn next_run_no(&self) -> rusqlite::Result<i64> {
        self.transaction.pragma_update(None, "defer_foreign_keys", true)?;
        self.transaction
            .query_row("SELECT coalesce(max(run_no), 0) + 1 FROM runs", (), |row| row.get(0))
    }

    fn write_run(
        &self,
        record: &RunRecord<'_>,
        run_no: i64,
        manifest: &str,
        old: Option<i64>,
    ) -> rusqlite::Result<()> {
        if let Some(old) = old {
            self.transaction.execute(
                "UPDATE runs SET superseded_by = ?2 WHERE run_no = ?1",
                params![old, run_no],
            )?;
        }
        self.transaction.execute(
            "INSERT INTO runs (run_no, run_id, job_id, period, calc_version, law_hash,
                               manifest_hash, known_on, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                run_no,
                record.run_id,
                record.job_id,
                read::month_number(record.period),
                record.calc_version,
                record.law_hash,
                manifest,
                read::date_number(record.known_on),
                RunState::Draft.word(),
            ],
        )?;
        Ok(())
    }
}

/// The same run again is nothing new, unless its bytes differ.
fn already(standing: &read::RunHead, manifest: &str) -> Result<Posted, LedgerError> {
    if standing.manifest_hash == manifest {
        return Ok(Posted::AlreadyThere);
    }
    Err(LedgerError::RunDiffers {
        run_id: standing.run_id.clone(),
        posted: standing.manifest_hash.clone(),
        found: manifest.to_owned(),
    })
}

/// The text of the event: everything about the run, and the seals over its rows.
fn body(record: &RunRecord<'_>, manifest: &str, replaces: Option<&str>, seals: &Value) -> Value {
    json!({
        "calc_version": record.calc_version,
        "engine": record.engine,
        "job_id": record.job_id,
        "known_on": record.known_on.to_string(),
        "law_hash": record.law_hash,
        "manifest_hash": manifest,
        "period": record.period.to_string(),
        "replaces": replaces,
        "run_id": record.run_id,
        "seals": seals,
    })
}

/// Refuses a record that contradicts itself; the last look before the books.
fn check(record: &RunRecord<'_>, at: &str, by: &str) -> Result<(), String> {
    let named = [record.run_id, record.job_id, record.calc_version, at, by];
    if named.iter().any(|text| text.is_empty()) {
        return Err("run, job, calculation, time and person must be named".to_owned());
    }
    let mut ids: Vec<&str> = record.institutions.iter().map(|row| &*row.institution_id).collect();
    ids.sort_unstable();
    if let Some([id, _]) = ids.array_windows().find(|[a, b]| a == b) {
        return Err(format!("institution {id} is listed twice"));
    }
    check_schedule(record.schedule)
}

/// Lines are numbered upwards, indices lead somewhere, and a payment is the sum of its lines (S28).
fn check_schedule(schedule: &Schedule) -> Result<(), String> {
    let known = |index: u32, count: usize| index == NONE || (index as usize) < count;
    let mut sums: Vec<(i64, u32)> = vec![(0, 0); schedule.payments.len()];
    let mut last = 0;
    for line in &schedule.lines {
        let no = line.line_no;
        if no <= last || i64::from(no) >= ROWS_MAX {
            return Err(format!("line {no} follows line {last}"));
        }
        last = no;
        if line.payee as usize >= schedule.payees.len()
            || !known(line.budget_line, schedule.budget_lines.len())
            || !known(line.payment, schedule.payments.len())
        {
            return Err(format!(
                "line {no} names a payee, budget line or payment that is not there"
            ));
        }
        if let Some((sum, lines)) = sums.get_mut(line.payment as usize) {
            *sum = sum.checked_add(line.payable_fen).ok_or("the payments overflow")?;
            *lines += 1;
        }
    }
    for (payment, (sum, lines)) in schedule.payments.iter().zip(sums) {
        if payment.payee as usize >= schedule.payees.len()
            || !known(payment.budget_line, schedule.budget_lines.len())
        {
            let no = &payment.payment_no;
            return Err(format!("payment {no} names a payee or budget line that is not there"));
        }
        if (payment.amount_fen, payment.lines) != (sum, lines) || sum < 0 {
            return Err(format!(
                "payment {} is {} fen of {} lines, its lines are {sum} fen of {lines}",
                payment.payment_no, payment.amount_fen, payment.lines
            ));
        }
    }
    Ok(())
}
