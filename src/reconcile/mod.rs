//! Reconcile: what was sent and what banks said of it in, where every payment stands out (FORMATS 4).
//!
//! In: sent payments, answers. Out: matched answers, [`Standing`] of each payment, [`Totals`]. Order:
//! after `ledger`. Never: reads a file, writes the books, believes a name.
//!
//! # What is believed
//!
//! * An answer is matched by the first of the rules of [`MatchRule`] that fits one payment. Where two
//!   payments fit it is matched to none.
//! * A payment may be spoken of by several kinds of file (a voucher, a report, a statement); each kind
//!   tells the same money, so the sums of kinds are compared, never added. Within a kind two entries
//!   with different references of the bank are two movements of money; one reference told twice is one.
//! * Money that came back is taken off what was paid too much first, then off what was paid. A
//!   rejection of a payment that was returned says the same thing again and counts once.
//! * `sent = paid + rejected + returned + pending` holds for each payment, and so for all of them.

mod book;
mod matching;
mod standing;
mod totals;

pub use book::Book;
pub use matching::{Heard, matched};
pub use standing::{Class, Standing, standing};
pub use totals::{Clearing, Sum, Totals, totals};

pub use crate::ledger::MatchRule;
