//! Subsidy: priced facts and law in, entitlement lines out.
//!
//! In: frames, law. Out: [`Entitlements`]. Order: after `price`. Never: caps, splits, pays.

mod aggregate;
mod breach;
mod columns;
mod grouping;
mod item;
mod payees;
mod rounding;
mod steps;
mod verdicts;
mod within;

pub(crate) use aggregate::{parents, starts};
pub(crate) use breach::children_in_breach;
pub(crate) use columns::{Rounded, evaluate, join};
pub use item::reasons;
pub(crate) use item::{admitted, institution_text, of_child, overlapping_on};
pub use payees::OtherPayee;
pub(crate) use payees::payee_column;
pub(crate) use rounding::MEMBERS;
pub use steps::entitle;
pub(crate) use steps::{gate_column, merge};
pub(crate) use within::{Group, Member, standing};

use crate::domain::{Basis, CodeList, Fraction, Stored};
use crate::law::SubsidyRule;
use std::sync::Arc;

/// What became of one (basis row, item).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum LineStatus {
    /// The item is not in force for the row: there is no line.
    #[default]
    Absent = 0,
    /// An amount other than zero.
    Paid = 1,
    /// Zero with a reason.
    Zero = 2,
    /// Refused with a reason.
    Refused = 3,
}

impl LineStatus {
    /// The word in outputs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Paid => "paid",
            Self::Zero => "zero",
            Self::Refused => "refused",
        }
    }
}

/// All lines of one item: one entry a row of the basis' frame.
#[derive(Debug, Clone)]
pub struct ItemLines {
    /// Item id.
    pub item: Arc<str>,
    /// Basis.
    pub basis: Basis,
    /// The rule by segment of the month (`None` where the item is not in force). Most months have
    /// one segment; a row's segment is the frame column `segment` (absent = all rows segment 0).
    pub rules: Vec<Option<Arc<SubsidyRule>>>,
    /// Whom each row is paid to, an owner ([`Entitlements::owner`]), for items that are not paid to
    /// the institution of the row.
    pub owners: Option<Vec<u32>>,
    /// Status by row.
    pub status: Vec<LineStatus>,
    /// Reason code by row into [`Entitlements::reasons`]; 0 = none.
    pub reason: Vec<u16>,
    /// Fen after rounding; 0 unless paid.
    pub amount: Vec<i64>,
    /// Exact value before rounding (fen; null or in error unless the gates passed).
    pub exact: Option<Stored>,
    /// Shown quantity.
    pub quantity: Option<Stored>,
    /// Shown rate in fen.
    pub rate: Option<Stored>,
    /// Fen after exclusions, caps and budget; filled by `allocation` (starts as `amount`).
    pub allocated: Vec<i64>,
    /// Fen after exclusions and caps, where a budget shortage may have taken more (S25); filled by
    /// `allocation`, `None` where it is `allocated`.
    pub capped: Option<Vec<i64>>,
    /// What stands behind the lines of an item due to date; filled by `allocation`, which makes
    /// `amount` what is due now.
    pub to_date: Option<ToDate>,
    /// What the lines used up of caps on quantities that run over several months: cap, then an exact
    /// number a row; filled by `allocation`.
    pub used: Vec<(Arc<str>, Vec<Fraction>)>,
    /// The last cap or shortage rule that cut the line, into [`Entitlements::cutters`]; 0 = none.
    pub cut_by: Vec<u16>,
}

/// The totals of an item due to date, one entry a row.
#[derive(Debug, Clone, Default)]
pub struct ToDate {
    /// Total to date after rounding, fen.
    pub total: Vec<i64>,
    /// Total after caps.
    pub capped: Vec<i64>,
    /// Paid of the item before.
    pub before: Vec<i64>,
    /// Paid of the items deducted.
    pub less: Vec<i64>,
    /// Instalments closed by earlier months, one bit a part, the first lowest.
    pub settled: Vec<u64>,
    /// Instalments closed by this month.
    pub due: Vec<u64>,
    /// For an item that recovers another: the most that can be taken back.
    pub recoverable: Option<Vec<i64>>,
    /// What would be due without that bound.
    pub asked: Vec<i64>,
}

/// All entitlement lines of one service month.
#[derive(Debug, Clone, Default)]
pub struct Entitlements {
    /// Reason codes; code 0 is the empty text.
    pub reasons: CodeList,
    /// Ids of exclusions, caps and shortage rules that cut; code 0 is the empty text.
    pub cutters: CodeList,
    /// Items in pack order.
    pub items: Vec<ItemLines>,
    /// Payees that are no institutions of the register.
    pub payees: Vec<OtherPayee>,
}
