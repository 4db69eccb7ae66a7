//! Retro: two settlements of one closed month in, refunds and corrections out (S23-S25).
//!
//! In: the lines of a month as they were paid ([`LineBook`]), the same month settled as known now,
//! what the ledger posted for it by source. Out: [`Correction`]. Order: after `allocation`, before
//! `schedule`. Never: settles a month, reads a file, touches a month that is not closed.
//!
//! * A line is the same line in two settlements when its identity is: payee, item, row key and span
//!   (S24). Equal lines cancel, whatever changed in their traces; what is left is refunded as it was
//!   paid and paid as it should have been.
//! * Rows equal in their whole identity (twins) are one sum.
//! * A past cut of a short budget stays (S25): a line keeps the fen it lost, down to nothing.
//! * Items due to date are not compared: what earlier months paid of them is deducted in the next open
//!   one ([`LineBook::leave_out`], [`crate::history`]).
//! * Sources: an institution's refunds and corrections of one item differ, source by source, by what
//!   the new settlement gives the source less what was posted for it. So the money of every source
//!   is what one settlement with the knowledge of today gives it, to the fen.

mod book;
mod compare;
mod delivery;
mod examined;
mod past;
mod sources;

pub use crate::history::{NO_TEXT, Person};
pub use book::{BookLine, LineBook, LineKey};
pub use compare::{Cause, Change, PastCut, Side, attribute, changes};
pub use delivery::Delivery;
pub use examined::Examined;
pub use sources::{CorrectedCell, correct, draw};

use crate::domain::Month;

/// What one closed month has to correct.
#[derive(Debug, Clone)]
pub struct Correction {
    /// The closed service month.
    pub month: Month,
    /// Texts behind the keys of the changes.
    pub texts: crate::domain::CodeList,
    /// Lines that changed, in order of institution id, item and key.
    pub changes: Vec<Change>,
    /// Notices 文号 that became known since the month was last settled.
    pub notices: Vec<String>,
    /// Deliveries that came in since.
    pub deliveries: Vec<Delivery>,
    /// Refunds and corrections by institution, item and source, in that order.
    pub cells: Vec<CorrectedCell>,
}
