//! Posting: one settled period into the books, in one transaction (S31).

use super::acts;
use super::chain::{self, EventKind, Head};
use super::course::{Demand, message, rest_of_posting};
use super::read::{self, RunState};
use super::rows::{NONE, ROWS_MAX, Rows};
use super::{Claim, InstitutionMonth, LedgerError};
use crate::domain::{Date, Month, SecretKey, moment, person};
use crate::job::Approval;
use crate::schedule::Schedule;
use rusqlite::{Transaction, params};
use serde_json::{Value, json};
use std::fs::File;
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
    /// Released runs of earlier periods it was settled on, in order of period.
    pub earlier: &'a [String],
    /// Those of them whose closed months it looked at.
    pub closed: &'a [String],
    /// What the job demands of approvals.
    pub approval: &'a Approval,
    /// The key of whoever makes the run, where the posting is signed.
    pub key: Option<&'a SecretKey>,
    /// Lines and payments.
    pub schedule: &'a Schedule,
    /// Every institution of the period, paid or not; any order, each once.
    pub institutions: &'a [InstitutionMonth],
    /// What of failed payments it pays again, where it is a correction batch.
    pub claims: &'a [Claim],
}

/// What is known of a run once its files are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Written {
    /// Hash of the manifest.
    pub manifest_hash: String,
    /// Hash of the recipe in the archive; `None` where nothing is archived.
    pub archive: Option<String>,
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
    pub(super) transaction: Transaction<'a>,
    pub(super) path: &'a Path,
    pub(super) head: Head,
}

impl<'a> Pending<'a> {
    pub(super) fn new(transaction: Transaction<'a>, path: &'a Path, head: Head) -> Self {
        Self { transaction, path, head }
    }

    /// The head of the books right now: what was read under it before holds.
    #[must_use]
    pub fn head(&self) -> &str {
        &self.head.hash
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
        let written = Written { manifest_hash: record.manifest_hash.to_owned(), archive: None };
        self.post_beside(record, &mut || Some(written.clone()), at, by)
    }

    /// [`Pending::post`] for a run whose manifest is still being made: the rows are written first,
    /// then `written` is asked for the hashes (the record's own is not read). `None` from it means
    /// that there will be no manifest: nothing should be committed then.
    ///
    /// # Errors
    /// As [`Pending::post`], and [`LedgerError::Record`] without a manifest.
    pub fn post_beside(
        &mut self,
        record: &RunRecord<'_>,
        written: &mut dyn FnMut() -> Option<Written>,
        at: &str,
        by: &str,
    ) -> Result<Posted, LedgerError> {
        let mut written = || {
            written().filter(|written| !written.manifest_hash.is_empty()).ok_or_else(|| {
                LedgerError::Record {
                    run_id: record.run_id.to_owned(),
                    found: "the manifest was not written".to_owned(),
                }
            })
        };
        let by = by.trim();
        check(record, at, by)
            .map_err(|found| LedgerError::Record { run_id: record.run_id.to_owned(), found })?;
        let standing = self.find(record.job_id, record.period)?;
        let demand = Demand::of(record.approval, total(record.schedule));
        if let Some(standing) = &standing {
            // A draft whose job has come to demand something else is posted anew: the demand is
            // part of the posting.
            let again = standing.run_id == record.run_id;
            if again && !self.demands_otherwise(standing, &demand)? {
                return already(standing, &written()?.manifest_hash);
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
        demand.allows(by, record.key.map(SecretKey::public).as_ref()).map_err(|refusal| {
            let run_id = record.run_id.to_owned();
            LedgerError::Refused { run_id, period: record.period, refusal }
        })?;
        let old_run_id = standing.as_ref().map(|standing| standing.run_id.as_str());
        // The run's own row stands before its children: while one of them has no parent, every row
        // that may be one is looked for in all of them. It is told the manifest when there is one.
        let run_no = self.next_run_no().map_err(|source| self.store(source))?;
        let old = standing.as_ref().map(|standing| standing.run_no);
        self.write_run(record, run_no, old).map_err(|source| self.store(source))?;
        let rows = Rows::new(&self.transaction, run_no, record);
        let seals = rows.write().map_err(|source| self.store(source))?;
        // Into the log while the files are still being written: the commit has little left to write.
        self.transaction.cache_flush().map_err(|source| self.store(source))?;
        self.sync_log();
        let written = written()?;
        if let Some(standing) = standing.as_ref().filter(|old| old.run_id == record.run_id) {
            already(standing, &written.manifest_hash)?; // the same bytes, posted anew
        }
        self.transaction
            .execute(
                "UPDATE runs SET manifest_hash = ?2 WHERE run_no = ?1",
                params![run_no, written.manifest_hash],
            )
            .map_err(|source| self.store(source))?;
        let kind = if old_run_id.is_some() { EventKind::Replaced } else { EventKind::Posted };
        let mut body = body(record, &written, old_run_id, &seals);
        body["approval"] = demand.body();
        if let Some(key) = record.key {
            let rest = rest_of_posting(&body);
            let words = (by, at, &*rest);
            let manifest = &written.manifest_hash;
            let text = message(kind, record.run_id, manifest, words, &self.head.hash);
            body["key"] = key.public().text().into();
            body["signature"] = key.sign(&text).into();
        }
        let event = chain::event(&self.head, kind, run_no, (at, by), &body);
        self.head =
            chain::append(&self.transaction, &event).map_err(|source| self.store(source))?;
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

    /// Whether a draft stands under another demand than the job makes now.
    fn demands_otherwise(
        &self,
        standing: &read::RunHead,
        demand: &Demand,
    ) -> Result<bool, LedgerError> {
        if standing.state != RunState::Draft {
            return Ok(false);
        }
        let course = acts::course(&self.transaction, self.path, standing.run_no)?;
        Ok(course.demand != *demand)
    }

    pub(super) fn store(&self, source: rusqlite::Error) -> LedgerError {
        LedgerError::store(self.path, source)
    }

    /// Brings the log to the disk while the files are still being written. The commit syncs it again and
    /// finds little left; a log that cannot be opened here waits for that.
    fn sync_log(&self) {
        let mut log = self.path.as_os_str().to_owned();
        log.push("-wal");
        let _ = File::open(log).and_then(|log| log.sync_data());
    }

    fn next_run_no(&self) -> rusqlite::Result<i64> {
        self.transaction
            .query_row("SELECT coalesce(max(run_no), 0) + 1 FROM runs", (), |row| row.get(0))
    }

    fn write_run(
        &self,
        record: &RunRecord<'_>,
        run_no: i64,
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
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, '', ?7, ?8)",
            params![
                run_no,
                record.run_id,
                record.job_id,
                read::month_number(record.period),
                record.calc_version,
                record.law_hash,
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
fn body(record: &RunRecord<'_>, written: &Written, replaces: Option<&str>, seals: &Value) -> Value {
    let mut body = json!({
        "calc_version": record.calc_version,
        "closed": record.closed,
        "earlier": record.earlier,
        "engine": record.engine,
        "job_id": record.job_id,
        "known_on": record.known_on.to_string(),
        "law_hash": record.law_hash,
        "manifest_hash": written.manifest_hash,
        "period": record.period.to_string(),
        "replaces": replaces,
        "run_id": record.run_id,
        "seals": seals,
    });
    if let Some(recipe) = &written.archive {
        body["archive"] = json!(recipe);
    }
    body
}

/// Refuses a record that contradicts itself; the last look before the books.
fn check(record: &RunRecord<'_>, at: &str, by: &str) -> Result<(), String> {
    let named = [record.run_id, record.job_id, record.calc_version];
    if named.iter().any(|text| text.is_empty()) {
        return Err("run, job and calculation must be named".to_owned());
    }
    moment(at).and_then(|_| person(by)).map_err(|error| error.to_string())?;
    let mut ids: Vec<&str> = record.institutions.iter().map(|row| &*row.institution_id).collect();
    ids.sort_unstable();
    if let Some([id, _]) = ids.array_windows().find(|[a, b]| a == b) {
        return Err(format!("institution {id} is listed twice"));
    }
    check_schedule(record.schedule)
}

/// Sum of the schedule, fen; checked with the lines.
fn total(schedule: &Schedule) -> i64 {
    schedule.lines.iter().fold(0, |sum, line| sum.saturating_add(line.payable_fen))
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
