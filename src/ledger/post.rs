//! Posting: one settled period into the books, in one transaction (S31).

use super::chain::{self, EventKind, Head};
use super::read::{self, RunState};
use super::seal::{InstitutionRow, LineRow, PayeeRow, PaymentRow, Seal, TotalRow};
use super::{InstitutionMonth, LedgerError};
use crate::domain::{Date, Month};
use crate::schedule::{Payment, Schedule, ScheduleLine};
use rusqlite::{CachedStatement, OptionalExtension, Transaction, params};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Index that stands for "none" in a [`Schedule`].
const NONE: u32 = u32::MAX;

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
        check(record, at, by)
            .map_err(|found| LedgerError::Record { run_id: record.run_id.to_owned(), found })?;
        let standing = self.find(record.job_id, record.period)?;
        if let Some(standing) = &standing {
            if standing.run_id == record.run_id {
                return already(standing, record);
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
        let run_no = self
            .write_run(record, standing.as_ref().map(|standing| standing.run_no))
            .map_err(|source| self.store(source))?;
        let rows = Rows { transaction: &self.transaction, run_no, record };
        let seals = rows.write().map_err(|source| self.store(source))?;
        let kind = if old_run_id.is_some() { EventKind::Replaced } else { EventKind::Posted };
        let body = body(record, old_run_id, &seals);
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

    fn write_run(&self, record: &RunRecord<'_>, old: Option<i64>) -> rusqlite::Result<i64> {
        let run_no: i64 = self.transaction.query_row(
            "SELECT coalesce(max(run_no), 0) + 1 FROM runs",
            (),
            |row| row.get(0),
        )?;
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
                record.manifest_hash,
                read::date_number(record.known_on),
                RunState::Draft.word(),
            ],
        )?;
        Ok(run_no)
    }
}

/// The same run again is nothing new, unless its bytes differ.
fn already(standing: &read::RunHead, record: &RunRecord<'_>) -> Result<Posted, LedgerError> {
    if standing.manifest_hash == record.manifest_hash {
        return Ok(Posted::AlreadyThere);
    }
    Err(LedgerError::RunDiffers {
        run_id: standing.run_id.clone(),
        posted: standing.manifest_hash.clone(),
        found: record.manifest_hash.to_owned(),
    })
}

/// The text of the event: everything about the run, and the seals over its rows.
fn body(record: &RunRecord<'_>, replaces: Option<&str>, seals: &Value) -> Value {
    json!({
        "calc_version": record.calc_version,
        "engine": record.engine,
        "job_id": record.job_id,
        "known_on": record.known_on.to_string(),
        "law_hash": record.law_hash,
        "manifest_hash": record.manifest_hash,
        "period": record.period.to_string(),
        "replaces": replaces,
        "run_id": record.run_id,
        "seals": seals,
    })
}

/// Refuses a record that contradicts itself; the last look before the books.
fn check(record: &RunRecord<'_>, at: &str, by: &str) -> Result<(), String> {
    let named = [record.run_id, record.job_id, record.calc_version, record.manifest_hash, at, by];
    if named.iter().any(|text| text.is_empty()) {
        return Err("run, job, calculation, manifest, time and person must be named".to_owned());
    }
    let mut ids: Vec<&str> = record.institutions.iter().map(|row| &*row.institution_id).collect();
    ids.sort_unstable();
    if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("institution {} is listed twice", pair[0]));
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
        if no <= last {
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

/// Writes the rows of one run and seals them.
struct Rows<'a> {
    transaction: &'a Transaction<'a>,
    run_no: i64,
    record: &'a RunRecord<'a>,
}

impl<'a> Rows<'a> {
    /// Parents before children: payees, payments, lines; then what is derived.
    fn write(&self) -> rusqlite::Result<Value> {
        let mut texts = Texts::new(self.transaction)?;
        let payees = self.payees()?;
        let payments = self.payments(&mut texts)?;
        let (lines, totals) = self.lines(&mut texts)?;
        let totals = self.totals(&totals, &mut texts)?;
        let institutions = self.institutions()?;
        Ok(json!({
            "institutions": institutions,
            "lines": lines,
            "payees": payees,
            "payments": payments,
            "totals": totals,
        }))
    }

    fn payees(&self) -> rusqlite::Result<Value> {
        let schedule = self.record.schedule;
        let mut sums = vec![0_i64; schedule.payees.len()];
        for line in &schedule.lines {
            // A sum of amounts below 10^15 fen over at most 2^32 lines; a wrap would panic.
            sums[line.payee as usize] += line.payable_fen;
        }
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO payees (run_no, payee_no, institution_id, institution_name, account_name,
                                 account_no, bank_name, bank_no, hold_reason, payable_fen)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        let mut seal = Seal::new();
        for ((payee, payable_fen), payee_no) in schedule.payees.iter().zip(sums).zip(0_i64..) {
            let texts = [
                &*payee.institution_id,
                &*payee.institution_name,
                &*payee.account_name,
                &*payee.account_no,
                &*payee.bank_name,
                &*payee.bank_no,
                &*payee.hold_reason,
            ];
            let [id, name, account, account_no, bank, bank_no, hold] = texts;
            statement.execute(params![
                self.run_no,
                payee_no,
                id,
                name,
                account,
                account_no,
                bank,
                bank_no,
                hold,
                payable_fen
            ])?;
            seal.add(&PayeeRow { payee_no, texts, payable_fen });
        }
        Ok(seal.finish())
    }

    fn payments(&self, texts: &mut Texts<'a>) -> rusqlite::Result<Value> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO payments (run_no, payment, payment_no, end_to_end_id, payee_no, source,
                                   budget_doc_no, pay_on, amount_fen, lines)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        let mut seal = Seal::new();
        for (payment, number) in self.record.schedule.payments.iter().zip(0_i64..) {
            let row = self.payment_row(payment, number);
            statement.execute(params![
                self.run_no,
                row.payment,
                row.payment_no,
                row.end_to_end_id,
                row.payee_no,
                texts.number(row.source)?,
                texts.number(row.budget_doc_no)?,
                row.pay_on,
                row.amount_fen,
                row.lines,
            ])?;
            seal.add(&row);
        }
        Ok(seal.finish())
    }

    /// Writes the lines; gives their seal and their sums by (item, source, budget line).
    fn lines(&self, texts: &mut Texts<'a>) -> rusqlite::Result<(Value, Totals<'a>)> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO lines (run_no, line_no, payee_no, line_kind, source_period, item, quantity,
                                rate_fen, gross_fen, cut_fen, carried_in_fen, carried_out_fen,
                                payable_fen, source, budget_doc_no, pay_on, rule_version, payment)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
                     ?18)",
        )?;
        let mut seal = Seal::new();
        let mut totals = Totals::new();
        for line in &self.record.schedule.lines {
            let row = self.line_row(line);
            let [gross, cut, carried_in, carried_out] = row.parts_fen;
            statement.execute(params![
                self.run_no,
                row.line_no,
                row.payee_no,
                texts.number(row.line_kind)?,
                row.source_period,
                texts.number(row.item)?,
                row.quantity,
                row.rate_fen,
                gross,
                cut,
                carried_in,
                carried_out,
                row.payable_fen,
                texts.number(row.source)?,
                texts.number(row.budget_doc_no)?,
                row.pay_on,
                texts.number(row.rule_version)?,
                row.payment,
            ])?;
            seal.add(&row);
            *totals.entry((row.item, row.source, row.budget_doc_no)).or_default() +=
                row.payable_fen;
        }
        Ok((seal.finish(), totals))
    }

    fn totals(&self, totals: &Totals<'a>, texts: &mut Texts<'a>) -> rusqlite::Result<Value> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO totals (run_no, item, source, budget_doc_no, payable_fen)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        let mut seal = Seal::new();
        for ((item, source, budget_doc_no), payable_fen) in totals {
            statement.execute(params![
                self.run_no,
                texts.number(item)?,
                texts.number(source)?,
                texts.number(budget_doc_no)?,
                payable_fen
            ])?;
            seal.add(&TotalRow { item, source, budget_doc_no, payable_fen: *payable_fen });
        }
        Ok(seal.finish())
    }

    fn institutions(&self) -> rusqlite::Result<Value> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO institutions (run_no, institution_id, headcount, slots, amount_fen)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        let mut sorted: Vec<&InstitutionMonth> = self.record.institutions.iter().collect();
        sorted.sort_by(|a, b| a.institution_id.cmp(&b.institution_id));
        let mut seal = Seal::new();
        for row in sorted {
            let id = &*row.institution_id;
            let (headcount, slots, amount_fen) = (row.headcount, row.slots, row.amount_fen);
            statement.execute(params![self.run_no, id, headcount, slots, amount_fen])?;
            seal.add(&InstitutionRow { institution_id: id, headcount, slots, amount_fen });
        }
        Ok(seal.finish())
    }

    fn payment_row(&self, payment: &'a Payment, number: i64) -> PaymentRow<'a> {
        PaymentRow {
            payment: number,
            payment_no: &payment.payment_no,
            end_to_end_id: &payment.end_to_end_id,
            payee_no: i64::from(payment.payee),
            source: &payment.source,
            budget_doc_no: self.budget_doc_no(payment.budget_line),
            pay_on: payment.pay_on.map(read::date_number),
            amount_fen: payment.amount_fen,
            lines: i64::from(payment.lines),
        }
    }

    fn line_row(&self, line: &'a ScheduleLine) -> LineRow<'a> {
        LineRow {
            line_no: i64::from(line.line_no),
            payee_no: i64::from(line.payee),
            line_kind: line.kind.word(),
            source_period: read::month_number(line.source_period),
            item: &line.item,
            quantity: &line.quantity,
            rate_fen: line.rate_fen,
            parts_fen: [line.gross_fen, line.cut_fen, line.carried_in_fen, line.carried_out_fen],
            payable_fen: line.payable_fen,
            source: &line.source,
            budget_doc_no: self.budget_doc_no(line.budget_line),
            pay_on: line.pay_on.map(read::date_number),
            rule_version: &line.rule_version,
            payment: (line.payment != NONE).then_some(i64::from(line.payment)),
        }
    }

    /// 指标文号 of a budget line, or empty.
    fn budget_doc_no(&self, index: u32) -> &'a str {
        let lines = &self.record.schedule.budget_lines;
        lines.get(index as usize).map_or("", |line| &line.budget_doc_no)
    }
}

/// Payable fen by (item, source, 指标文号), in that order.
type Totals<'a> = BTreeMap<(&'a str, &'a str, &'a str), i64>;

/// The numbers of texts, each looked up once a run.
struct Texts<'a> {
    find: CachedStatement<'a>,
    add: CachedStatement<'a>,
    known: FxHashMap<&'a str, i64>,
}

impl<'a> Texts<'a> {
    fn new(transaction: &'a Transaction<'a>) -> rusqlite::Result<Self> {
        Ok(Self {
            find: transaction.prepare_cached("SELECT text_no FROM texts WHERE text = ?1")?,
            add: transaction
                .prepare_cached("INSERT INTO texts (text) VALUES (?1) RETURNING text_no")?,
            known: FxHashMap::default(),
        })
    }

    fn number(&mut self, text: &'a str) -> rusqlite::Result<i64> {
        if let Some(number) = self.known.get(text) {
            return Ok(*number);
        }
        let stored = self.find.query_row([text], |row| row.get(0)).optional()?;
        let number = match stored {
            Some(number) => number,
            None => self.add.query_row([text], |row| row.get(0))?,
        };
        self.known.insert(text, number);
        Ok(number)
    }
}
