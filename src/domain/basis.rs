//! Bases (S2): the kinds of row a rule can stand on, and what can go wrong on one row.

use std::fmt;
use std::sync::Arc;

/// The kind of row a rule is evaluated on (S2). A basis is a table and a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Basis {
    /// child x institution x date: the days of the month with rows of `sessions` (逐日托育).
    Day,
    /// child x institution x ISO week that has such days.
    Week,
    /// A listing clipped to the month and cut at law, version and age boundaries (在托时段).
    Spell,
    /// One enrolment row as delivered (收托记录).
    Listing,
    /// child x institution x month.
    Child,
    /// institution x age class x service (托位).
    Slot,
    /// One row of `classes` (班级).
    Class,
    /// One institution in the month (机构).
    Institution,
    /// One row of `caregivers` (保育人员).
    Caregiver,
    /// One row of `venues` (场地).
    Venue,
    /// One row of `contracts` (政府购买服务).
    Contract,
    /// One row of `certificates` (培训鉴定).
    Certificate,
    /// The whole settlement: exactly one row.
    Programme,
    /// A table declared by a pack (`[[input]]`) or, later, a declared grouping.
    Declared(Arc<str>),
}

impl Basis {
    /// Built-in bases, finest first.
    pub const BUILT_IN: [Self; 13] = [
        Self::Day,
        Self::Week,
        Self::Spell,
        Self::Listing,
        Self::Child,
        Self::Slot,
        Self::Class,
        Self::Caregiver,
        Self::Venue,
        Self::Contract,
        Self::Certificate,
        Self::Institution,
        Self::Programme,
    ];

    /// The word used in packs, outputs and messages.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Spell => "spell",
            Self::Listing => "listing",
            Self::Child => "child",
            Self::Slot => "slot",
            Self::Class => "class",
            Self::Institution => "institution",
            Self::Caregiver => "caregiver",
            Self::Venue => "venue",
            Self::Contract => "contract",
            Self::Certificate => "certificate",
            Self::Programme => "programme",
            Self::Declared(name) => name,
        }
    }

    /// First and last day of the rows of a basis of spans: the column of each, and the days after it.
    #[must_use]
    pub const fn span_columns(&self) -> Option<[(&'static str, i32); 2]> {
        match self {
            Self::Day => Some([("date", 0), ("date", 0)]),
            Self::Week => Some([("week_start", 0), ("week_start", 6)]),
            Self::Spell => Some([("spell_from", 0), ("spell_until", 0)]),
            Self::Listing => Some([("listing_from", 0), ("listing_until", 0)]),
            _ => None,
        }
    }

    /// The basis a pack means by `word`; unknown words are declared tables.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        Self::BUILT_IN
            .iter()
            .find(|basis| basis.name() == word)
            .cloned()
            .unwrap_or_else(|| Self::Declared(Arc::from(word)))
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why an expression has no value on one row. The row is refused with this reason (S6, S11, S14);
/// the order is the order of precedence when one operator meets two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum RowError {
    /// A coarser row the rule reads does not exist (for instance an unknown institution).
    NoParent = 1,
    /// A table lookup found no row for a key that is a fact.
    TableMiss = 2,
    /// Division by zero.
    DivisionByZero = 3,
    /// A result does not fit 128 bits, or an amount is beyond 10^15 fen.
    Overflow = 4,
    /// A payable came out below zero and the rule does not say `sign = "any"` (S14).
    NegativeAmount = 5,
}

impl RowError {
    /// The public reason code.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::NoParent => "no_parent_row",
            Self::TableMiss => "table_miss",
            Self::DivisionByZero => "division_by_zero",
            Self::Overflow => "overflow",
            Self::NegativeAmount => "negative_amount",
        }
    }
}
