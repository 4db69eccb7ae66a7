//! What the books hold of a period without any new answer: where its payments stand, what they draw from
//! indicators, whether a correction batch still pays again only what failed.

use super::SettleError;
use crate::domain::Month;
use crate::ledger::{Ledger, Message, Told as Answer};
use crate::publish::recon::Judged;
use crate::reconcile::{Book, standing};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

/// A period as the books tell it.
pub(in crate::settle) struct Told {
    pub(in crate::settle) book: Book,
    pub(super) messages: Vec<Message>,
    pub(super) answers: Vec<Answer>,
}

impl Told {
    /// The period of a settle job; `None` where nothing of it has gone out.
    pub(in crate::settle) fn of(
        ledger: &Ledger,
        job_id: &str,
        period: Month,
    ) -> Result<Option<Self>, SettleError> {
        let runs = ledger.sent_runs(job_id, period)?;
        let Some(settlement) = runs.first().filter(|run| run.batch == 0).cloned() else {
            return Ok(None);
        };
        let mut sent = Vec::with_capacity(runs.len());
        for run in runs {
            let payments = ledger.sent(&run)?;
            sent.push((run, payments));
        }
        let book = Book::new(period, sent);
        let (messages, answers) = ledger.told(&settlement)?;
        Ok(Some(Self { book, messages, answers }))
    }

    /// Where every payment that was sent stands.
    pub(in crate::settle) fn judged(&self) -> Vec<Option<Judged>> {
        judged(&self.book, &self.messages, &self.answers)
    }

    /// What the payments draw from each budget line, by source and 指标文号: what was sent, less what was
    /// rejected or returned.
    pub(in crate::settle) fn drawn(&self) -> BTreeMap<(Arc<str>, Arc<str>), i64> {
        let mut sums: BTreeMap<(Arc<str>, Arc<str>), i64> = BTreeMap::new();
        for (payment, judged) in self.book.payments.iter().zip(self.judged()) {
            let Some(of) = judged else { continue };
            let line = (Arc::clone(&payment.source), Arc::clone(&payment.budget_doc_no));
            let fen = payment.amount_fen - of.standing.failed();
            let sum = sums.entry(line).or_default();
            *sum = sum.saturating_add(fen);
        }
        sums
    }
}

/// Whether a run still pays again only what failed: a correction batch, or a settlement that carries in
/// what failed before. A run that is out already is not looked at.
///
/// # Errors
/// [`SettleError::NotFailed`] names the first payment of which less has failed.
pub(in crate::settle) fn claims_hold(ledger: &Ledger, run_id: &str) -> Result<(), SettleError> {
    let head = ledger.run(run_id)?;
    let claims = ledger.claims_of(&head)?;
    let mut told: BTreeMap<(String, Month), Option<Told>> = BTreeMap::new();
    for claim in &claims {
        let of = ledger.run_of(claim.payment)?;
        let job_id = of.job_id.split('+').next().unwrap_or_default().to_owned();
        if let Entry::Vacant(place) = told.entry((job_id, of.period)) {
            let of = Told::of(ledger, &place.key().0, place.key().1)?;
            place.insert(of);
        }
    }
    for of in told.values().flatten() {
        let claimed = ledger.claimed(&of.book.runs, None)?;
        let judged = of.judged();
        for claim in &claims {
            let Some(at) = of.book.place(claim.payment) else { continue };
            let failed = to_pay_again(&of.book, at, judged[at].as_ref());
            let all = claimed.get(&claim.payment).map_or(claim.fen, |(fen, _)| *fen);
            if all > failed {
                return Err(SettleError::NotFailed {
                    payment_no: of.book.payments[at].payment_no.to_string(),
                    claimed: claim.fen,
                    failed: (failed - (all - claim.fen)).max(0),
                });
            }
        }
    }
    Ok(())
}

/// What of a payment may be paid again, fen: what failed of one that went out; all of one that was
/// held, for it never did.
pub(in crate::settle) fn to_pay_again(book: &Book, at: usize, judged: Option<&Judged>) -> i64 {
    judged.map_or(book.payments[at].amount_fen, |of| of.standing.failed())
}

/// Whether all that failed of each payment has gone out again: in payments of released batches, in those
/// that pay again what a batch held, or carried into a later period that is released.
pub(super) fn carried(
    ledger: &Ledger,
    book: &Book,
    judged: &[Option<Judged>],
) -> Result<Vec<bool>, SettleError> {
    let mut again = vec![0_i64; book.payments.len()];
    for claim in ledger.carried_on(&book.runs)? {
        if let Some(at) = book.place(claim.payment) {
            again[at] = again[at].saturating_add(claim.fen);
        }
    }
    let mut carried = vec![false; book.payments.len()];
    // A batch pays again what went before it: the last one first.
    for (run, of) in book.runs.iter().enumerate().rev() {
        let first = book.run_of.partition_point(|place| (*place as usize) < run);
        let last = book.run_of.partition_point(|place| (*place as usize) <= run);
        for at in first..last {
            let failed = to_pay_again(book, at, judged[at].as_ref());
            carried[at] = failed > 0 && again[at] >= failed;
        }
        if of.batch == 0 {
            continue;
        }
        // Each payment of a batch is its claim of the same place.
        let claims = ledger.claims_of(&ledger.run(&of.run_id)?)?;
        for (at, claim) in (first..last).zip(claims) {
            if (judged[at].is_some() || carried[at])
                && let Some(old) = book.place(claim.payment)
            {
                again[old] = again[old].saturating_add(claim.fen);
            }
        }
    }
    Ok(carried)
}

/// What of each payment correction batches have paid again, fen: what a batch pays of a batch before it
/// counts for the payment it began with.
pub(super) fn repaid(
    ledger: &Ledger,
    book: &Book,
    judged: &[Option<Judged>],
) -> Result<Vec<i64>, SettleError> {
    let mut again = vec![0_i64; book.payments.len()];
    for (run, of) in book.runs.iter().enumerate().rev().filter(|(_, of)| of.batch > 0) {
        let first = book.run_of.partition_point(|place| (*place as usize) < run);
        let last = book.run_of.partition_point(|place| (*place as usize) <= run);
        let claims = ledger.claims_of(&ledger.run(&of.run_id)?)?;
        for (at, claim) in (first..last).zip(claims) {
            let paid = judged[at].map_or(0, |of| of.standing.paid).saturating_add(again[at]);
            if let Some(old) = book.place(claim.payment) {
                again[old] = again[old].saturating_add(paid);
            }
        }
    }
    Ok(again)
}

/// Where every payment that was sent stands.
pub(super) fn judged(book: &Book, messages: &[Message], told: &[Answer]) -> Vec<Option<Judged>> {
    // The answers of each payment, one after another.
    let mut places: Vec<(u32, u32)> = (0_u32..)
        .zip(told)
        .filter_map(|(at, of)| {
            let place = book.place(of.payment?)?;
            Some((u32::try_from(place).unwrap_or(u32::MAX), at))
        })
        .collect();
    places.sort_unstable();
    let mut next = 0;
    let mut of_payment = Vec::new();
    (0..book.payments.len())
        .map(|at| {
            of_payment.clear();
            let first = next;
            while let Some((_, place)) = places.get(next).filter(|(of, _)| *of as usize == at) {
                let of = &told[*place as usize];
                of_payment.push((messages[of.message as usize].kind, of));
                next += 1;
            }
            if !book.is_sent(at) {
                return None;
            }
            let standing = standing(book.payments[at].amount_fen, &of_payment);
            let by = standing.decided_by.map(|by| places[first + by].1);
            Some(Judged { standing, by })
        })
        .collect()
}
