//! A calendar year by budget line.

use super::read::{HEAD, head};
use super::rows::ROWS_MAX;
use super::{BooksError, ClaimedLine, Ledger};
use rusqlite::params;

/// What the released runs of a year pay for an item from a budget line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YearLine {
    /// Item.
    pub item: String,
    /// Funding source, or empty.
    pub source: String,
    /// 指标文号, or empty.
    pub budget_doc_no: String,
    /// Payable, fen; payments held are in it.
    pub payable_fen: i64,
}

impl Ledger {
    /// Payable of the released runs whose periods lie in a calendar year, in order of item, source
    /// and budget line. A closed month's correction counts in the year of the period that pays.
    ///
    /// # Errors
    /// When the ledger does not hold or has no run of that job.
    pub fn year(&self, job_id: Option<&str>, year: i32) -> Result<Vec<YearLine>, BooksError> {
        self.verify()?;
        self.know_job(job_id)?;
        let sql = "SELECT items.text, sources.text, budgets.text, sum(payable_fen)
             FROM runs JOIN totals ON total BETWEEN runs.run_no * ?3 AND runs.run_no * ?3 + ?3 - 1
             JOIN texts AS items ON items.text_no = item
             JOIN texts AS sources ON sources.text_no = source
             JOIN texts AS budgets ON budgets.text_no = budget_doc_no
             WHERE state IN ('released', 'answered', 'closed') AND period / 100 = ?2
                 AND CASE WHEN ?1 IS NULL THEN instr(job_id, '+') = 0 ELSE job_id = ?1 END
             GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
        let mut lines = self.rows(sql, params![job_id, year, ROWS_MAX], |row| {
            Ok(YearLine {
                item: row.get(0)?,
                source: row.get(1)?,
                budget_doc_no: row.get(2)?,
                payable_fen: row.get(3)?,
            })
        })?;
        // What a settlement carried in of failed payments was counted when it was paid first.
        let sql = format!(
            "SELECT {HEAD} FROM runs WHERE state IN ('released', 'answered', 'closed')
                 AND period / 100 = ?2 AND instr(job_id, '+') = 0
                 AND (?1 IS NULL OR job_id = ?1) ORDER BY run_no"
        );
        for run in self.rows(&sql, params![job_id, year], head)? {
            for ClaimedLine { line, fen, .. } in self.lines_claimed(&self.claims_of(&run)?)? {
                let same = |of: &&mut YearLine| {
                    *of.item == *line.item
                        && *of.source == *line.source
                        && *of.budget_doc_no == *line.budget_doc_no
                };
                if let Some(of) = lines.iter_mut().find(same) {
                    of.payable_fen -= fen;
                }
            }
        }
        Ok(lines)
    }
}
