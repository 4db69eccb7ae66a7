//! The rows of a run on their way in, each sealed as it is written.

use super::seal::{ClaimRow, InstitutionRow, LineRow, PayeeRow, PaymentRow, Seal, TotalRow};
use super::{InstitutionMonth, RunRecord, read};
use crate::schedule::{Payee, Payment, ScheduleLine};
use rusqlite::{CachedStatement, OptionalExtension, Transaction, params};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Index that stands for "none" in a [`crate::schedule::Schedule`].
pub(super) const NONE: u32 = u32::MAX;

/// Keys a run has in each table: its rows are numbered from `run_no * ROWS_MAX`.
pub(super) const ROWS_MAX: i64 = 100_000_000;

/// First and last key of a run.
pub(super) fn keys(run_no: i64) -> [i64; 2] {
    [run_no * ROWS_MAX, run_no * ROWS_MAX + (ROWS_MAX - 1)]
}

/// Writes the rows of one run and seals them.
pub(super) struct Rows<'a> {
    transaction: &'a Transaction<'a>,
    run_no: i64,
    first: i64,
    record: &'a RunRecord<'a>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(
        transaction: &'a Transaction<'a>,
        run_no: i64,
        record: &'a RunRecord<'a>,
    ) -> Self {
        Self { transaction, run_no, first: keys(run_no)[0], record }
    }

    /// Writes all rows and gives their seals by table. Parents before children: payees, payments,
    /// lines; then what is derived.
    pub(super) fn write(&self) -> rusqlite::Result<Value> {
        let mut texts = Texts::new(self.transaction)?;
        let payees = self.payees()?;
        let payments = self.payments(&mut texts)?;
        let (lines, totals) = self.lines(&mut texts)?;
        let totals = self.totals(&totals, &mut texts)?;
        let institutions = self.institutions()?;
        let mut seals = json!({
            "institutions": institutions,
            "lines": lines,
            "payees": payees,
            "payments": payments,
            "totals": totals,
        });
        if !self.record.claims.is_empty() {
            seals["claims"] = self.claims()?;
        }
        Ok(seals)
    }

    fn claims(&self) -> rusqlite::Result<Value> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO claims (claim, run_no, payment, fen) VALUES (?1, ?2, ?3, ?4)",
        )?;
        let mut seal = Seal::new();
        for (of, claim) in self.record.claims.iter().zip(self.first..) {
            let row = ClaimRow { claim, run_no: self.run_no, payment: of.payment, fen: of.fen };
            statement.execute(params![row.claim, row.run_no, row.payment, row.fen])?;
            seal.add(&row);
        }
        Ok(seal.finish())
    }

    fn payees(&self) -> rusqlite::Result<Value> {
        let schedule = self.record.schedule;
        let mut sums = vec![0_i64; schedule.payees.len()];
        for line in &schedule.lines {
            // A sum of amounts below 10^15 fen over at most 2^32 lines; a wrap would panic.
            sums[line.payee as usize] += line.payable_fen;
        }
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO payees (payee, run_no, institution_id, institution_name, account_name,
                                 account_no, bank_name, bank_no, hold_reason, payable_fen)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        let mut seal = Seal::new();
        for ((payee, payable_fen), number) in schedule.payees.iter().zip(sums).zip(self.first..) {
            let row = self.payee_row(payee, number, payable_fen);
            let [id, name, account, account_no, bank, bank_no, hold] = row.texts;
            statement.execute(params![
                row.payee,
                row.run_no,
                id,
                name,
                account,
                account_no,
                bank,
                bank_no,
                hold,
                payable_fen
            ])?;
            seal.add(&row);
        }
        Ok(seal.finish())
    }

    fn payments(&self, texts: &mut Texts<'a>) -> rusqlite::Result<Value> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO payments (payment, payment_no, end_to_end_id, payee, source,
                                   budget_doc_no, pay_on, amount_fen, lines)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        let mut seal = Seal::new();
        for (payment, number) in self.record.schedule.payments.iter().zip(self.first..) {
            let row = self.payment_row(payment, number);
            statement.execute(params![
                row.payment,
                row.payment_no,
                row.end_to_end_id,
                row.payee,
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
            "INSERT INTO lines (line, payee, line_kind, source_period, item, quantity,
                                rate_fen, gross_fen, cut_fen, carried_in_fen, carried_out_fen,
                                payable_fen, source, budget_doc_no, pay_on, rule_version, payment)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
                     ?17)",
        )?;
        let mut seal = Seal::new();
        let mut totals = Totals::new();
        for line in &self.record.schedule.lines {
            let row = self.line_row(line);
            let [gross, cut, carried_in, carried_out] = row.parts_fen;
            statement.execute(params![
                row.line,
                row.payee,
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
            "INSERT INTO totals (total, run_no, item, source, budget_doc_no, payable_fen)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        let mut seal = Seal::new();
        for (((item, source, budget_doc_no), payable_fen), total) in totals.iter().zip(self.first..)
        {
            let row = TotalRow {
                total,
                run_no: self.run_no,
                item,
                source,
                budget_doc_no,
                payable_fen: *payable_fen,
            };
            statement.execute(params![
                row.total,
                row.run_no,
                texts.number(item)?,
                texts.number(source)?,
                texts.number(budget_doc_no)?,
                row.payable_fen
            ])?;
            seal.add(&row);
        }
        Ok(seal.finish())
    }

    fn institutions(&self) -> rusqlite::Result<Value> {
        let mut statement = self.transaction.prepare_cached(
            "INSERT INTO institutions (institution, run_no, institution_id, headcount, slots,
                                       amount_fen)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        let mut sorted: Vec<&InstitutionMonth> = self.record.institutions.iter().collect();
        sorted.sort_by(|a, b| a.institution_id.cmp(&b.institution_id));
        let mut seal = Seal::new();
        for (month, institution) in sorted.into_iter().zip(self.first..) {
            let row = InstitutionRow {
                institution,
                run_no: self.run_no,
                institution_id: &month.institution_id,
                headcount: month.headcount,
                slots: month.slots,
                amount_fen: month.amount_fen,
            };
            statement.execute(params![
                row.institution,
                row.run_no,
                row.institution_id,
                row.headcount,
                row.slots,
                row.amount_fen
            ])?;
            seal.add(&row);
        }
        Ok(seal.finish())
    }

    fn payee_row(&self, payee: &'a Payee, number: i64, payable_fen: i64) -> PayeeRow<'a> {
        PayeeRow {
            payee: number,
            run_no: self.run_no,
            texts: [
                &payee.institution_id,
                &payee.institution_name,
                &payee.account_name,
                &payee.account_no,
                &payee.bank_name,
                &payee.bank_no,
                &payee.hold_reason,
            ],
            payable_fen,
        }
    }

    fn payment_row(&self, payment: &'a Payment, number: i64) -> PaymentRow<'a> {
        PaymentRow {
            payment: number,
            payment_no: &payment.payment_no,
            end_to_end_id: &payment.end_to_end_id,
            payee: self.first + i64::from(payment.payee),
            source: &payment.source,
            budget_doc_no: self.budget_doc_no(payment.budget_line),
            pay_on: payment.pay_on.map(read::date_number),
            amount_fen: payment.amount_fen,
            lines: i64::from(payment.lines),
        }
    }

    fn line_row(&self, line: &'a ScheduleLine) -> LineRow<'a> {
        LineRow {
            line: self.first + i64::from(line.line_no),
            payee: self.first + i64::from(line.payee),
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
            payment: (line.payment != NONE).then(|| self.first + i64::from(line.payment)),
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
pub(super) struct Texts<'a> {
    find: CachedStatement<'a>,
    add: CachedStatement<'a>,
    known: FxHashMap<&'a str, i64>,
    /// The last ones asked for: lines share few texts, told by where they stand.
    recent: [(&'a str, i64); RECENT],
    next: usize,
}

/// More than the texts that the lines of an institution share.
const RECENT: usize = 16;

impl<'a> Texts<'a> {
    pub(super) fn new(transaction: &'a Transaction<'a>) -> rusqlite::Result<Self> {
        Ok(Self {
            find: transaction.prepare_cached("SELECT text_no FROM texts WHERE text = ?1")?,
            add: transaction
                .prepare_cached("INSERT INTO texts (text) VALUES (?1) RETURNING text_no")?,
            known: FxHashMap::default(),
            recent: [("", 0); RECENT],
            next: 0,
        })
    }

    pub(super) fn number(&mut self, text: &'a str) -> rusqlite::Result<i64> {
        let same = |(known, _): &&(&str, i64)| std::ptr::eq(*known, text) && !text.is_empty();
        if let Some((_, number)) = self.recent.iter().find(same) {
            return Ok(*number);
        }
        let number = self.kept(text)?;
        self.recent[self.next] = (text, number);
        self.next = (self.next + 1) % RECENT;
        Ok(number)
    }

    fn kept(&mut self, text: &'a str) -> rusqlite::Result<i64> {
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
