//! What a failed payment was made of: its payee and its lines, for the batch that pays it again; what
//! a batch claims.

use super::read::{month, month_number};
use super::rows::keys;
use super::{Claim, Ledger, LedgerError, RunHead, SentRun};
use crate::domain::Month;
use crate::schedule::Payee;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// A schedule line of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidLine {
    /// The payment, by its key in this ledger.
    pub payment: i64,
    /// Service month the money is for.
    pub source_period: Month,
    /// Item id.
    pub item: Arc<str>,
    /// Fen; a line may take back.
    pub payable_fen: i64,
    /// Rule version.
    pub rule_version: Arc<str>,
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
        let mut lines = self.rows(
            "SELECT payment, source_period, items.text, payable_fen, rules.text
             FROM lines
             JOIN texts AS items ON items.text_no = item
             JOIN texts AS rules ON rules.text_no = rule_version
             WHERE line BETWEEN ?1 AND ?2 AND payment IS NOT NULL ORDER BY payment, line",
            keys(run.run_no),
            |row| {
                Ok(PaidLine {
                    payment: row.get(0)?,
                    source_period: month(row, 1)?,
                    item: row.get(2)?,
                    payable_fen: row.get(3)?,
                    rule_version: row.get(4)?,
                })
            },
        )?;
        lines.retain(|line| payments.contains(&line.payment));
        Ok(lines)
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
