//! The payments of a period on their way to being matched.

use crate::domain::{Date, Month};
use crate::ledger::{SentPayment, SentRun};
use crate::schedule::{BATCH_MOST, batch_number, batch_of_part, message_id};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::OnceLock;

/// The payments of a settlement and of its correction batches, held ones among them.
#[derive(Debug, Default)]
pub struct Book {
    /// The settlement first, then its batches.
    pub runs: Vec<SentRun>,
    /// Payments, run by run.
    pub payments: Vec<SentPayment>,
    /// Place of the run of each payment.
    pub run_of: Vec<u32>,
    /// First key in the ledger and first place of each run's payments, which are numbered in a row.
    firsts: Vec<(i64, u32)>,
    period: Option<Month>,
    by_id: Ids,
    /// Made when first asked for: answers mostly bear an end-to-end id.
    by_no: OnceLock<FxHashMap<Box<str>, u32>>,
    /// The same of each voucher and block of a pain.001, by its number.
    batches: OnceLock<FxHashMap<String, Vec<u32>>>,
}

/// Places by end-to-end id. Ours are 32 hexadecimal digits: a number, in capitals or not.
#[derive(Debug, Default)]
struct Ids {
    numbers: FxHashMap<u128, u32>,
    others: FxHashMap<Box<str>, u32>,
}

impl Ids {
    fn number(id: &str) -> Option<u128> {
        let plain = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        plain.then(|| u128::from_str_radix(id, 16).ok()).flatten()
    }

    fn insert(&mut self, id: &str, place: u32) {
        match Self::number(id) {
            Some(number) => self.numbers.insert(number, place),
            None => self.others.insert(folded(id), place),
        };
    }

    fn get(&self, id: &str) -> Option<u32> {
        match Self::number(id) {
            Some(number) => self.numbers.get(&number).copied(),
            None if self.others.is_empty() => None,
            None => self.others.get(&folded(id)).copied(),
        }
    }
}

impl Book {
    /// Takes in the payments of the runs, in their order.
    #[must_use]
    pub fn new(period: Month, sent: Vec<(SentRun, Vec<SentPayment>)>) -> Self {
        let count = sent.iter().map(|(_, payments)| payments.len()).sum();
        let mut book = Self { period: Some(period), ..Self::default() };
        book.run_of.reserve(count);
        book.by_id.numbers.reserve(count);
        for (run, payments) in sent {
            let of = u32::try_from(book.runs.len()).unwrap_or(u32::MAX);
            let first = u32::try_from(book.payments.len()).unwrap_or(u32::MAX);
            book.runs.push(run);
            book.firsts.push((payments.first().map_or(i64::MAX, |of| of.payment), first));
            for (payment, place) in payments.iter().zip(first..) {
                // A held payment was not sent: no answer can be about it.
                if payment.hold_reason.is_empty() {
                    book.by_id.insert(&payment.end_to_end_id, place);
                }
                book.run_of.push(of);
            }
            if book.payments.is_empty() {
                book.payments = payments;
            } else {
                book.payments.extend(payments);
            }
        }
        book
    }

    /// The batches of all runs, numbered as their files were.
    fn batches(&self) -> FxHashMap<String, Vec<u32>> {
        let mut batches = FxHashMap::default();
        let Some(period) = self.period else { return batches };
        for (run, of_run) in self.runs.iter().enumerate() {
            let mut groups: BTreeMap<(Date, &str, &str), Vec<u32>> = BTreeMap::new();
            for at in self.sent_of(run) {
                let of = &self.payments[at];
                let day = of.pay_on.unwrap_or(of_run.released_on);
                let place = u32::try_from(at).unwrap_or(u32::MAX);
                groups.entry((day, &of.source, &of.budget_doc_no)).or_default().push(place);
            }
            let pieces = groups.values().flat_map(|group| group.chunks(BATCH_MOST));
            batches.extend(
                pieces
                    .enumerate()
                    .map(|(at, piece)| (batch_number(period, &of_run.run_id, at), piece.to_vec())),
            );
        }
        batches
    }

    /// The payments that went out under a batch number.
    pub(super) fn of_batch(&self, number: &str) -> Option<&[u32]> {
        if number.is_empty() {
            return None;
        }
        self.batches.get_or_init(|| self.batches()).get(number).map(Vec::as_slice)
    }

    /// The payments of a batch of which a number names a part: it may be about any of them.
    pub(super) fn around_part(&self, number: &str) -> Option<&[u32]> {
        self.of_batch(batch_of_part(number)?)
    }

    /// Place of a payment by its key in the ledger.
    #[must_use]
    pub fn place(&self, key: i64) -> Option<usize> {
        let mine = |(first, _): &&(i64, u32)| key >= *first;
        // Later runs have larger keys, but for a batch that was posted before its settlement was again.
        let of = self.firsts.iter().filter(mine).max_by_key(|(first, _)| *first)?;
        let at = usize::try_from(key - of.0).ok()?.checked_add(of.1 as usize)?;
        (self.payments.get(at)?.payment == key).then_some(at)
    }

    /// The payment of an end-to-end id; banks fold case.
    #[must_use]
    pub(super) fn of_id(&self, id: &str) -> Option<usize> {
        if id.is_empty() { None } else { self.by_id.get(id).map(|place| place as usize) }
    }

    /// The payment of that number.
    pub(super) fn of_number(&self, number: &str) -> Option<usize> {
        if number.is_empty() {
            return None;
        }
        let numbers = self.by_no.get_or_init(|| {
            let sent = (0_u32..).zip(&self.payments).filter(|(_, of)| of.hold_reason.is_empty());
            sent.map(|(place, of)| (of.payment_no.clone(), place)).collect()
        });
        numbers.get(number).map(|place| *place as usize)
    }

    /// The run that a message to the bank was made of, by the id it bore.
    pub(super) fn of_message(&self, id: &str) -> Option<usize> {
        self.runs.iter().position(|run| message_id(&run.run_id).eq_ignore_ascii_case(id))
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
    let plain = text.chars().filter(char::is_ascii_alphanumeric);
    plain.map(|c| c.to_ascii_uppercase()).collect()
}

/// [`account`] of two texts, without making either where they are written alike.
pub(super) fn same_account(a: &str, b: &str) -> bool {
    a == b || account(a) == account(b)
}
