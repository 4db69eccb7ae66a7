//! What must add up over all payments of a period.

use super::{Book, Class, Standing};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A number of payments and their fen.
pub type Sum = (u64, i128);

/// Totals of a period: `sent = paid + rejected + returned + pending`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Payments that went out, those of correction batches among them.
    pub sent: Sum,
    /// Fen that went out and stayed out; the number of payments with any.
    pub paid: Sum,
    /// Never left.
    pub rejected: Sum,
    /// Left and came back.
    pub returned: Sum,
    /// Not decided.
    pub pending: Sum,
    /// Moved beyond what was sent and not given back.
    pub excess: Sum,
    /// Not sent: held.
    pub held: Sum,
    /// Payments by class.
    pub by_class: BTreeMap<Class, Sum>,
    /// What the treasury clears (the totals of a 3507): paid by funding source and 指标文号.
    pub clearing: Vec<Clearing>,
}

/// Paid and returned on one budget line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clearing {
    /// Funding source.
    pub source: Arc<str>,
    /// 指标文号.
    pub budget_doc_no: Arc<str>,
    /// Sent.
    pub sent: Sum,
    /// Went out and stayed out (`AllNum`, `AllAmt`).
    pub paid: Sum,
    /// Rejected or returned: pre-deducted from the indicator and rolled back.
    pub failed: Sum,
    /// Not decided.
    pub pending: Sum,
}

fn add(sum: &mut Sum, fen: i64) {
    if fen != 0 {
        sum.0 += 1;
        sum.1 += i128::from(fen);
    }
}

/// Adds up; `standings` are those of the book's payments, `None` where one was not sent.
#[must_use]
pub fn totals(book: &Book, standings: &[Option<Standing>]) -> Totals {
    let mut totals = Totals::default();
    let mut lines: BTreeMap<(Arc<str>, Arc<str>), Clearing> = BTreeMap::new();
    for (payment, standing) in book.payments.iter().zip(standings) {
        let Some(of) = standing else {
            add(&mut totals.held, payment.amount_fen);
            continue;
        };
        add(&mut totals.sent, payment.amount_fen);
        add(&mut totals.paid, of.paid);
        add(&mut totals.rejected, of.rejected);
        add(&mut totals.returned, of.returned);
        add(&mut totals.pending, of.pending);
        add(&mut totals.excess, of.excess);
        add(totals.by_class.entry(of.class).or_default(), payment.amount_fen);
        let key = (Arc::clone(&payment.source), Arc::clone(&payment.budget_doc_no));
        let line = lines.entry(key).or_insert_with_key(|(source, doc)| Clearing {
            source: Arc::clone(source),
            budget_doc_no: Arc::clone(doc),
            ..Clearing::default()
        });
        add(&mut line.sent, payment.amount_fen);
        add(&mut line.paid, of.paid);
        add(&mut line.failed, of.failed());
        add(&mut line.pending, of.pending);
    }
    totals.clearing = lines.into_values().collect();
    totals
}

impl Totals {
    /// Whether `sent = paid + rejected + returned + pending`.
    #[must_use]
    pub fn tie(&self) -> bool {
        let parts = [self.paid, self.rejected, self.returned, self.pending];
        self.sent.1 == parts.iter().map(|sum| sum.1).sum::<i128>()
    }
}
