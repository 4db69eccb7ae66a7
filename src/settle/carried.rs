//! What failed of earlier periods and comes in with this one, where the job carries it
//! (`carry_failed`): as money carried out of its period, so that it enters as `CARRY_IN`.

use super::SettleError;
use super::reconcile::{PastTold, apportion, to_pay_again};
use crate::allocation::PostedLine;
use crate::domain::Month;
use crate::job::Job;
use crate::ledger::{Claim, Ledger, RunState};
use crate::schedule::LineKind;
use rustc_hash::{FxHashMap, FxHashSet};
use std::fmt::Write as _;
use std::sync::Arc;

/// Failed money on its way into a period.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// Lines that carry it out of its own period.
    pub(super) lines: Vec<PostedLine>,
    /// What of which payment, for the books: nobody else pays it again.
    pub(super) claims: Vec<Claim>,
    /// The same by end-to-end id, for the run id.
    pub(super) text: String,
}

impl Carried {
    /// What of the released payments before `first` was rejected, returned or held and is claimed by
    /// nobody else; of a run settled again, what it claimed then.
    pub(super) fn of(
        job: &Job,
        ledger: Option<&Ledger>,
        (first, period): (Month, Month),
    ) -> Result<Self, SettleError> {
        let mut this = Self::default();
        let Some(ledger) = ledger.filter(|_| job.carry_failed) else { return Ok(this) };
        let then: Option<FxHashMap<i64, i64>> = match ledger.recalled_run() {
            Some(run_id) => {
                let claims = ledger.claims_of(&ledger.run(run_id)?)?;
                Some(claims.iter().map(|claim| (claim.payment, claim.fen)).collect())
            }
            None => None,
        };
        // A draft of this very period is settled anew: what it claims is free.
        let own = ledger.find(&job.id, period)?.filter(|head| head.state == RunState::Draft);
        let own = own.map(|head| head.run_id);
        for earlier in ledger.released_periods(&job.id)? {
            if earlier >= first {
                continue;
            }
            let Some(of) = PastTold::of(ledger, &job.id, earlier)? else { continue };
            let claimed = ledger.claimed(&of.book.runs, own.as_deref())?;
            let judged = of.judged();
            let mut due: Vec<(usize, i64)> = Vec::new();
            for (at, payment) in of.book.payments.iter().enumerate() {
                let key = payment.payment;
                let fen = if let Some(then) = &then {
                    then.get(&key).copied().unwrap_or(0)
                } else {
                    let others = claimed.get(&key).map_or(0, |(fen, _)| *fen);
                    to_pay_again(&of.book, at, judged[at].as_ref()) - others
                };
                if fen > 0 {
                    due.push((at, fen));
                }
            }
            this.take(ledger, &of, earlier, &due)?;
        }
        Ok(this)
    }

    fn take(
        &mut self,
        ledger: &Ledger,
        of: &PastTold,
        earlier: Month,
        due: &[(usize, i64)],
    ) -> Result<(), SettleError> {
        if due.is_empty() {
            return Ok(());
        }
        let payments = &of.book.payments;
        let keys: FxHashSet<i64> = due.iter().map(|(at, _)| payments[*at].payment).collect();
        let mut lines = FxHashMap::default();
        for run in &of.book.runs {
            for line in ledger.lines_paid_by(run, &keys)? {
                lines.entry(line.payment).or_insert_with(Vec::new).push(line);
            }
        }
        for (at, fen) in due {
            let payment = &payments[*at];
            let parts = lines.remove(&payment.payment).unwrap_or_default();
            for (part, share) in parts.iter().zip(apportion(*fen, &parts)) {
                if share == 0 {
                    continue;
                }
                self.lines.push(PostedLine {
                    period: earlier,
                    source_period: part.source_period,
                    institution_id: Arc::clone(&payment.institution_id),
                    item: Arc::clone(&part.item),
                    line_kind: Arc::from(LineKind::CarryOut.word()),
                    source: Arc::clone(&payment.source),
                    payable_fen: -share,
                    budget_doc_no: Arc::clone(&payment.budget_doc_no),
                });
            }
            self.claims.push(Claim { payment: payment.payment, fen: *fen });
            // Writing to memory cannot fail.
            let _ = writeln!(self.text, "{} {fen}", payment.end_to_end_id);
        }
        Ok(())
    }
}
