//! Indicators 指标: what a release draws from them is pre-deducted, what fails is rolled back, and more
//! than there is does not go out.

use super::SettleError;
use super::reconcile;
use crate::ledger::Ledger;
use crate::publish::PayFile;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A budget line as payments name it: funding source and 指标文号.
type Line = (Arc<str>, Arc<str>);

/// What may still be drawn from a line, fen; `None` where nothing is told.
#[derive(Debug, Clone, Copy, Default)]
struct Left {
    /// Of the balance that was delivered with the period.
    balance: Option<i64>,
    /// Of the amount of the indicator, less what the year's releases drew.
    amount: Option<i64>,
}

/// Stops a run whose payments draw more from an indicator than is left of it: of the balance delivered
/// for its period, less what the period's releases drew already; and of its amount, less what all
/// releases of the year drew. What was rejected or returned is not drawn; what is held does not go
/// out.
///
/// # Errors
/// [`SettleError::Overdrawn`] names the first payment that goes beyond, and by how much.
pub(super) fn check(ledger: &Ledger, run_id: &str, pay: &PayFile) -> Result<(), SettleError> {
    let head = ledger.run(run_id)?;
    let job_id = head.job_id.split('+').next().unwrap_or_default();
    let mut left = limits(pay);
    for period in ledger.released_periods(job_id)? {
        if period.year() != head.period.year() {
            continue;
        }
        let Some(of) = reconcile::PastTold::of(ledger, job_id, period)? else { continue };
        for (line, fen) in of.drawn() {
            let Some(left) = left.get_mut(&line) else { continue };
            let less = |of: Option<i64>| of.map(|of| of.saturating_sub(fen));
            left.amount = less(left.amount);
            if period == head.period {
                left.balance = less(left.balance);
            }
        }
    }
    // What came back of earlier periods was rolled back into the indicator it is paid from again.
    for (source, doc, fen) in ledger.came_back(&ledger.claims_of(&head)?, head.period)? {
        if let Some(left) = left.get_mut(&(source, doc)) {
            left.balance = left.balance.map(|of| of.saturating_add(fen));
        }
    }
    let run = ledger.as_sent(run_id)?;
    for payment in ledger.sent(&run)?.iter().filter(|of| of.hold_reason.is_empty()) {
        let line = (Arc::clone(&payment.source), Arc::clone(&payment.budget_doc_no));
        let Some(left) = left.get_mut(&line) else { continue };
        for limit in [&mut left.balance, &mut left.amount].into_iter().flatten() {
            let before = *limit;
            *limit = before.saturating_sub(payment.amount_fen);
            if *limit < 0 {
                return Err(SettleError::Overdrawn {
                    payment_no: payment.payment_no.to_string(),
                    budget_doc_no: payment.budget_doc_no.to_string(),
                    left: before.max(0),
                    wanted: payment.amount_fen,
                    short: payment.amount_fen - before.max(0),
                });
            }
        }
    }
    Ok(())
}

/// What the indicators hold, by source and 指标文号: lines that differ in their codes alone are one.
fn limits(pay: &PayFile) -> BTreeMap<Line, Left> {
    let mut limits: BTreeMap<Line, Left> = BTreeMap::new();
    for line in &pay.budget_lines {
        let key = (Arc::from(line.source.as_str()), Arc::from(line.budget_doc_no.as_str()));
        let amount = line.amount_fen;
        let left = limits.entry(key).or_insert(Left { balance: Some(0), amount: Some(0) });
        left.balance = left.balance.and_then(|sum| sum.checked_add(line.balance_fen));
        left.amount = left.amount.zip(amount).and_then(|(sum, of)| sum.checked_add(of));
    }
    limits
}
