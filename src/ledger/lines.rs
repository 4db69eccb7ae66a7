//! The posted lines of one institution, each with the payment it went into.

use super::read::month;
use super::rows::keys;
use super::{Ledger, LedgerError};
use crate::domain::{Date, Month};

/// One schedule line as it was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedRow {
    /// Its number in the run.
    pub line_no: i64,
    /// Word of its kind.
    pub kind: String,
    /// Service month the money is for.
    pub source_period: Month,
    /// Item id.
    pub item: String,
    /// Funding source, or empty.
    pub source: String,
    /// 指标文号, or empty.
    pub budget_doc_no: String,
    /// Fen.
    pub payable_fen: i64,
    /// Pay date.
    pub pay_on: Option<Date>,
    /// The payment it went into, or empty.
    pub payment_no: String,
    /// Why its payee is held, or empty.
    pub hold_reason: String,
}

impl Ledger {
    /// The lines of an institution in a run, in order of their numbers.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] when there is no such run, else when the store fails.
    pub fn lines_of(&self, run_id: &str, institution: &str) -> Result<Vec<PostedRow>, LedgerError> {
        let [first, last] = keys(self.run(run_id)?.run_no);
        self.rows(
            "SELECT line_no, line_kind, source_period, item, source, budget_doc_no,
                    schedule_lines.payable_fen, pay_on, coalesce(payment_no, ''), hold_reason
             FROM schedule_lines JOIN payees USING (run_no, institution_id)
             WHERE line BETWEEN ?1 AND ?2 AND payees.payee BETWEEN ?1 AND ?2
               AND schedule_lines.institution_id = ?3
             ORDER BY line",
            (first, last, institution),
            |row| {
                let pay_on: Option<i32> = row.get(7)?;
                Ok(PostedRow {
                    line_no: row.get(0)?,
                    kind: row.get(1)?,
                    source_period: month(row, 2)?,
                    item: row.get(3)?,
                    source: row.get(4)?,
                    budget_doc_no: row.get(5)?,
                    payable_fen: row.get(6)?,
                    pay_on: pay_on.and_then(|day| {
                        let rest = (day % 10_000).unsigned_abs();
                        Date::from_ymd(day / 10_000, rest / 100, rest % 100)
                    }),
                    payment_no: row.get(8)?,
                    hold_reason: row.get(9)?,
                })
            },
        )
    }
}
