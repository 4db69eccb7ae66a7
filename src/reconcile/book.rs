//! The payments of a period on their way to being matched.

use crate::domain::{Date, Month};
use crate::ledger::{SentPayment, SentRun};
use crate::schedule::{BATCH_MOST, batch_number};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Characters of a run id that a message to the bank bears (pain.001 `MsgId`).
const MESSAGE_ID: usize = 32;

/// The payments of a settlement and of its correction batches, held ones among them.
#[derive(Debug, Default)]
pub struct Book {
    /// The settlement first, then its batches.
    pub runs: Vec<SentRun>,
    /// Payments, run by run.
    pub payments: Vec<SentPayment>,
    /// Place of the run of each payment.
    pub run_of: Vec<u32>,
    /// Place by key in the ledger.
    by_key: FxHashMap<i64, u32>,
    by_id: FxHashMap<Box<str>, u32>,
    by_no: FxHashMap<Box<str>, u32>,
    /// Payments of each voucher and block of a pain.001, by its number.
    batches: FxHashMap<String, Vec<u32>>,
}

impl Book {
    /// Takes in the payments of the runs, in their order.
    #[must_use]
    pub fn new(period: Month, sent: Vec<(SentRun, Vec<SentPayment>)>) -> Self {
        let count = sent.iter().map(|(_, payments)| payments.len()).sum();
        let mut book = Self::default();
        book.payments.reserve(count);
        book.by_key.reserve(count);
        book.by_id.reserve(count);
        for (run, payments) in sent {
            let of = u32::try_from(book.runs.len()).unwrap_or(u32::MAX);
            book.runs.push(run);
            for payment in payments {
                let place = u32::try_from(book.payments.len()).unwrap_or(u32::MAX);
                book.by_key.insert(payment.payment, place);
                // A held payment was not sent: no answer can be about it.
                if payment.hold_reason.is_empty() {
                    book.by_id.insert(folded(&payment.end_to_end_id), place);
                    book.by_no.insert(payment.payment_no.clone(), place);
                }
                book.run_of.push(of);
                book.payments.push(payment);
            }
        }
        for run in 0..book.runs.len() {
            book.number(period, run);
        }
        book
    }

    /// Numbers the batches of a run as its files were.
    fn number(&mut self, period: Month, run: usize) {
        let mut groups: BTreeMap<(Date, &str, &str), Vec<u32>> = BTreeMap::new();
        for at in self.sent_of(run) {
            let of = &self.payments[at];
            let day = of.pay_on.unwrap_or(self.runs[run].released_on);
            let place = u32::try_from(at).unwrap_or(u32::MAX);
            groups.entry((day, &of.source, &of.budget_doc_no)).or_default().push(place);
        }
        let pieces = groups.values().flat_map(|group| group.chunks(BATCH_MOST));
        let run_id = &self.runs[run].run_id;
        let numbered: Vec<(String, Vec<u32>)> = pieces
            .enumerate()
            .map(|(at, piece)| (batch_number(period, run_id, at), piece.to_vec()))
            .collect();
        self.batches.extend(numbered);
    }

    /// The payments that went out under a batch number.
    pub(super) fn of_batch(&self, number: &str) -> Option<&[u32]> {
        if number.is_empty() { None } else { self.batches.get(number).map(Vec::as_slice) }
    }

    /// Place of a payment by its key in the ledger.
    #[must_use]
    pub fn place(&self, key: i64) -> Option<usize> {
        self.by_key.get(&key).map(|place| *place as usize)
    }

    /// The payment of an end-to-end id; banks fold case.
    #[must_use]
    pub(super) fn of_id(&self, id: &str) -> Option<usize> {
        if id.is_empty() {
            return None;
        }
        let found = match self.by_id.get(id) {
            Some(place) => Some(place),
            None => self.by_id.get(&folded(id)),
        };
        found.map(|place| *place as usize)
    }

    /// The payment of that number.
    pub(super) fn of_number(&self, number: &str) -> Option<usize> {
        if number.is_empty() { None } else { self.by_no.get(number).map(|place| *place as usize) }
    }

    /// The run that a message to the bank was made of, by the id it bore.
    pub(super) fn of_message(&self, id: &str) -> Option<usize> {
        let head = |run: &SentRun| run.run_id.get(..MESSAGE_ID).map(str::to_owned);
        let same = |run: &&SentRun| head(run).is_some_and(|head| head.eq_ignore_ascii_case(id));
        let run = self.runs.iter().find(same)?;
        self.runs.iter().position(|other| other.run_id == run.run_id)
    }

    /// Places of the payments that went out, by run.
    pub(super) fn sent_of(&self, run: usize) -> impl Iterator<Item = usize> + '_ {
        let first = self.run_of.partition_point(|of| (*of as usize) < run);
        let last = self.run_of.partition_point(|of| (*of as usize) <= run);
        (first..last).filter(|at| self.is_sent(*at))
    }

    /// Whether the payment went out.
    #[must_use]
    pub fn is_sent(&self, at: usize) -> bool {
        self.payments[at].hold_reason.is_empty()
    }

    /// The day the money of a payment was due to move: its pay date, or the release where that came
    /// later.
    #[must_use]
    pub fn due_on(&self, at: usize) -> Date {
        let released = self.runs[self.run_of[at] as usize].released_on;
        self.payments[at].pay_on.map_or(released, |day| day.max(released))
    }

    /// The first day it may have moved: a bank may be early, and a release may be entered late.
    pub(super) fn first_day(&self, at: usize) -> Date {
        let released = self.runs[self.run_of[at] as usize].released_on;
        self.payments[at].pay_on.map_or(released, |day| day.min(released))
    }

    /// Places of sent payments by account and amount.
    pub(super) fn by_account(&self) -> FxHashMap<(Arc<str>, i64), Vec<u32>> {
        let mut places: FxHashMap<(Arc<str>, i64), Vec<u32>> = FxHashMap::default();
        for (at, payment) in (0_u32..).zip(&self.payments) {
            if payment.hold_reason.is_empty() {
                let account = Arc::from(&*account(&payment.account_no));
                places.entry((account, payment.amount_fen)).or_default().push(at);
            }
        }
        places
    }
}

/// An end-to-end id as it is compared.
fn folded(id: &str) -> Box<str> {
    id.to_ascii_uppercase().into_boxed_str()
}

/// An account number as it is compared: letters and digits, capitals.
pub(super) fn account(text: &str) -> String {
    let plain = text.chars().filter(|c| c.is_ascii_alphanumeric());
    plain.map(|c| c.to_ascii_uppercase()).collect()
}

/// [`account`] of two texts, without making either where they are written alike.
pub(super) fn same_account(a: &str, b: &str) -> bool {
    a == b || account(a) == account(b)
}
