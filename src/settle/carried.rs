//! What failed of earlier periods and comes in with this one, where the job carries it
//! (`carry_failed`): as money carried out of its period, so that it enters as `CARRY_IN`.

use super::SettleError;
use super::reconcile::{PastTold, to_pay_again};
use crate::allocation::PostedLine;
use crate::domain::Month;
use crate::job::Job;
use crate::ledger::{Claim, ClaimedLine, Ledger, RunState};
use crate::publish::YearToDate;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Failed money on its way into a period.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// The lines of the payments that failed.
    lines: Vec<ClaimedLine>,
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
            for (at, payment) in of.book.payments.iter().enumerate() {
                let key = payment.payment;
                let fen = if let Some(then) = &then {
                    then.get(&key).copied().unwrap_or(0)
                } else {
                    let others = claimed.get(&key).map_or(0, |(fen, _)| *fen);
                    to_pay_again(&of.book, at, judged[at].as_ref()) - others
                };
                if fen > 0 {
                    this.claims.push(Claim { payment: key, fen });
                    // Writing to memory cannot fail.
                    let _ = writeln!(this.text, "{} {fen}", payment.end_to_end_id);
                }
            }
        }
        this.lines = ledger.lines_claimed(&this.claims)?;
        Ok(this)
    }

    /// The lines that carry it out of the periods it failed in.
    pub(super) fn posted(&self) -> impl Iterator<Item = PostedLine> + '_ {
        self.lines.iter().map(ClaimedLine::carried_out)
    }

    /// Takes it off a year to date, which holds it from when it was paid for the first time.
    pub(super) fn less(&self, sums: &mut YearToDate) {
        for ClaimedLine { line, fen, .. } in &self.lines {
            let less = |sums: &mut BTreeMap<String, i64>, key: &str| {
                *sums.entry(key.to_owned()).or_default() -= fen;
            };
            less(&mut sums.by_institution, &line.institution_id);
            less(&mut sums.by_item, &line.item);
            less(&mut sums.by_source, &line.source);
            less(&mut sums.by_budget_line, &line.budget_doc_no);
            sums.total -= fen;
        }
    }
}
