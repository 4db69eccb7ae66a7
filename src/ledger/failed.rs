//! What a failed payment was made of: its payee and its lines, for the batch that pays it again; what
//! a batch claims.

use super::read::{month, month_number};
use super::rows::{ROWS_MAX, keys};
use super::{Claim, Ledger, LedgerError, RunHead, SentRun};
use crate::allocation::PostedLine;
use crate::domain::Month;
use crate::schedule::{LineKind, Payee};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A schedule line of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidLine {
    /// The payment, by its key in this ledger.
    pub payment: i64,
    /// Institution.
    pub institution_id: Arc<str>,
    /// Service month the money is for.
    pub source_period: Month,
    /// Item id.
    pub item: Arc<str>,
    /// Funding source.
    pub source: Arc<str>,
    /// 指标文号.
    pub budget_doc_no: Arc<str>,
    /// Fen; a line may take back.
    pub payable_fen: i64,
    /// Rule version.
    pub rule_version: Arc<str>,
}

/// A claim on one line of the payment that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedLine {
    /// Period of the run whose payment failed.
    pub period: Month,
    /// The line.
    pub line: PaidLine,
    /// What of it is claimed, fen.
    pub fen: i64,
}

impl ClaimedLine {
    /// The line by which the money left the period it failed in: it comes in where it is claimed.
    #[must_use]
    pub fn carried_out(&self) -> PostedLine {
        let line = &self.line;
        PostedLine {
            period: self.period,
            source_period: line.source_period,
            institution_id: Arc::clone(&line.institution_id),
            item: Arc::clone(&line.item),
            line_kind: Arc::from(LineKind::CarryOut.word()),
            source: Arc::clone(&line.source),
            payable_fen: -self.fen,
            budget_doc_no: Arc::clone(&line.budget_doc_no),
        }
    }
}

/// What failed over the lines of its payment: each running total is rounded down, so that the parts
/// make up the whole, also where a line takes back.
#[must_use]
pub fn apportion(fen: i64, lines: &[PaidLine]) -> Vec<i64> {
    let sum: i128 = lines.iter().map(|line| i128::from(line.payable_fen)).sum();
    let (mut running, mut given) = (0_i128, 0_i128);
    lines
        .iter()
        .map(|line| {
            running += i128::from(line.payable_fen);
            let until = if sum == 0 { 0 } else { (i128::from(fen) * running).div_euclid(sum) };
            let part = until - given;
            given = until;
            // A part is no larger than its line, which fits.
            i64::try_from(part).unwrap_or_default()
        })
        .collect()
}

/// Money that came back to an indicator: funding source, 指标文号, fen.
pub type CameBack = (Arc<str>, Arc<str>, i64);

impl Ledger {
    /// What one run has claimed, in the order it was claimed.
    ///
    /// # Errors
    /// When the store fails.
    pub fn claims_of(&self, run: &RunHead) -> Result<Vec<Claim>, LedgerError> {
        self.rows(
            "SELECT payment, fen FROM claims WHERE claim BETWEEN ?1 AND ?2 ORDER BY claim",
            keys(run.run_no),
            |row| Ok(Claim { payment: row.get(0)?, fen: row.get(1)? }),
        )
    }

    /// The lines of these payments of a run, in order of payment and line.
    ///
    /// # Errors
    /// When the store fails.
    pub fn lines_paid_by(
        &self,
        run: &SentRun,
        payments: &FxHashSet<i64>,
    ) -> Result<Vec<PaidLine>, LedgerError> {
        self.lines_paid(run.run_no, payments)
    }

    fn lines_paid(
        &self,
        run_no: i64,
        payments: &FxHashSet<i64>,
    ) -> Result<Vec<PaidLine>, LedgerError> {
        let mut lines = self.rows(
            "SELECT payment, source_period, items.text, lines.payable_fen, rules.text,
                    institution_id, sources.text, budgets.text
             FROM lines
             JOIN payees ON payees.payee = lines.payee
             JOIN texts AS items ON items.text_no = item
             JOIN texts AS rules ON rules.text_no = rule_version
             JOIN texts AS sources ON sources.text_no = source
             JOIN texts AS budgets ON budgets.text_no = budget_doc_no
             WHERE line BETWEEN ?1 AND ?2 AND payment IS NOT NULL ORDER BY payment, line",
            keys(run_no),
            |row| {
                Ok(PaidLine {
                    payment: row.get(0)?,
                    source_period: month(row, 1)?,
                    item: row.get(2)?,
                    payable_fen: row.get(3)?,
                    rule_version: row.get(4)?,
                    institution_id: row.get(5)?,
                    source: row.get(6)?,
                    budget_doc_no: row.get(7)?,
                })
            },
        )?;
        lines.retain(|line| payments.contains(&line.payment));
        Ok(lines)
    }

    /// The lines that claims are about, with what of each is claimed.
    ///
    /// # Errors
    /// When the store fails.
    pub fn lines_claimed(&self, claims: &[Claim]) -> Result<Vec<ClaimedLine>, LedgerError> {
        let mut by_run: BTreeMap<i64, Vec<Claim>> = BTreeMap::new();
        for claim in claims {
            by_run.entry(claim.payment / ROWS_MAX).or_default().push(*claim);
        }
        let mut claimed = Vec::new();
        for (run_no, mut claims) in by_run {
            let period = self.run_of(run_no * ROWS_MAX)?.period;
            let wanted: FxHashSet<i64> = claims.iter().map(|claim| claim.payment).collect();
            let lines = self.lines_paid(run_no, &wanted)?;
            claims.sort_unstable_by_key(|claim| claim.payment);
            let mut lines = lines.as_slice();
            for claim in claims {
                let own = lines.partition_point(|line| line.payment <= claim.payment);
                let (of, rest) = lines.split_at(own);
                lines = rest;
                let parts = apportion(claim.fen, of);
                claimed.extend(
                    of.iter()
                        .zip(parts)
                        .filter(|(_, fen)| *fen != 0)
                        .map(|(line, fen)| ClaimedLine { period, line: line.clone(), fen }),
                );
            }
        }
        Ok(claimed)
    }

    /// Of these claims: funding source, 指标文号 and fen of the payments that went out in other periods
    /// than `period`; what was held never did.
    ///
    /// # Errors
    /// When the store fails.
    pub fn came_back(&self, claims: &[Claim], period: Month) -> Result<Vec<CameBack>, LedgerError> {
        let mut back = Vec::new();
        for claim in claims {
            back.extend(self.rows(
                "SELECT sources.text, budgets.text FROM payments
                 JOIN payees ON payees.payee = payments.payee
                 JOIN runs USING (run_no)
                 JOIN texts AS sources ON sources.text_no = payments.source
                 JOIN texts AS budgets ON budgets.text_no = payments.budget_doc_no
                 WHERE payment = ?1 AND hold_reason = '' AND period <> ?2",
                (claim.payment, month_number(period)),
                |row| Ok((row.get(0)?, row.get(1)?, claim.fen)),
            )?);
        }
        Ok(back)
    }

    /// The payees of these payments of a run, with the account as it stood, by payment.
    ///
    /// # Errors
    /// When the store fails.
    pub fn payees_of(
        &self,
        run: &SentRun,
        payments: &FxHashSet<i64>,
    ) -> Result<FxHashMap<i64, Payee>, LedgerError> {
        let found: Vec<(i64, Payee)> = self.rows(
            "SELECT payment, institution_id, institution_name, account_name, account_no, bank_name,
                    bank_no, hold_reason
             FROM payments JOIN payees USING (payee) WHERE payment BETWEEN ?1 AND ?2",
            keys(run.run_no),
            |row| {
                let payee = Payee {
                    institution_id: row.get(1)?,
                    institution_name: row.get(2)?,
                    account_name: row.get(3)?,
                    account_no: row.get(4)?,
                    bank_name: row.get(5)?,
                    bank_no: row.get(6)?,
                    hold_reason: row.get(7)?,
                };
                Ok((row.get(0)?, payee))
            },
        )?;
        Ok(found.into_iter().filter(|(payment, _)| payments.contains(payment)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(fen: i64) -> PaidLine {
        PaidLine {
            payment: 1,
            institution_id: Arc::from("I1"),
            source: Arc::from("区"),
            budget_doc_no: Arc::from("d"),
            source_period: Month::new(2026, 9).unwrap(),
            item: Arc::from("a"),
            payable_fen: fen,
            rule_version: Arc::from("v"),
        }
    }

    /// By hand: 400 of 1000 over 333, 667; over 1200, -200; all of 1000.
    #[test]
    fn parts_make_up_the_whole() {
        assert_eq!(apportion(400, &[line(333), line(667)]), [133, 267]);
        assert_eq!(apportion(400, &[line(1200), line(-200)]), [480, -80]);
        assert_eq!(apportion(1000, &[line(333), line(667)]), [333, 667]);
        assert_eq!(apportion(1, &[line(500), line(500)]), [0, 1]);
    }
}
