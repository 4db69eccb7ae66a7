//! Rules about money already computed: exclusions, caps, shortages, splits, pay dates.

use super::types::RuleHead;
use crate::domain::{Basis, Month, Rounding};
use crate::law::expr::Expr;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Items that exclude each other.
#[derive(Debug, Clone)]
pub struct ExclusionRule {
    /// Head.
    pub head: RuleHead,
    /// Items in order.
    pub items: Vec<Arc<str>>,
    /// Basis whose row they share.
    pub key: Basis,
    /// True: the highest amount stays (ties: first in order); false: the first with an amount stays.
    pub highest: bool,
}

/// When a cap is applied (S8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CapStage {
    /// Item caps.
    Item,
    /// Institution caps.
    Institution,
    /// Cumulative caps.
    Cumulative,
}

/// The window a cap is used up over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The service month.
    Month,
    /// The quarter.
    Quarter,
    /// The calendar year.
    Year,
    /// For ever.
    Life,
}

impl Window {
    /// Whether another month lies in the window of a month.
    #[must_use]
    pub fn holds(self, other: Month, month: Month) -> bool {
        match self {
            Self::Month => other == month,
            Self::Quarter => other.index().div_euclid(3) == month.index().div_euclid(3),
            Self::Year => other.year() == month.year(),
            Self::Life => true,
        }
    }

    /// The word in packs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
            Self::Life => "life",
        }
    }
}

/// Who bears a cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Apportion {
    /// In proportion, by largest remainder in key order.
    LargestRemainder,
    /// Rows are served in order until the limit is used up; (column, descending).
    Queue(Vec<(Arc<str>, bool)>),
}

/// A cap on money or on a quantity.
#[derive(Debug, Clone)]
pub struct CapRule {
    /// Head.
    pub head: RuleHead,
    /// Items.
    pub items: Vec<Arc<str>>,
    /// Stage.
    pub stage: CapStage,
    /// Basis whose row shares the cap; `None` = each line on its own.
    pub key: Option<Basis>,
    /// True: the rows of a child at all its institutions share the cap (key `child`).
    pub across: bool,
    /// Window.
    pub window: Window,
    /// Limit, on the key basis (or the items' basis for `line`): fen, or a quantity.
    pub limit: Expr,
    /// Rounding of the limit, where stated.
    pub round: Option<Rounding>,
    /// What a line uses up, by item; `None` = its money.
    pub quantity: Option<BTreeMap<Arc<str>, Expr>>,
    /// Who bears the cut.
    pub apportion: Apportion,
    /// Whether some item is paid to others than institutions: what was posted then does not tell whose
    /// institution it was.
    pub pays_others: bool,
}

impl CapRule {
    /// Whether what was posted for earlier months is all it asks of them: money over the programme, or
    /// over institutions where they are the payees.
    #[must_use]
    pub fn reads_posted(&self) -> bool {
        let coarse = match self.key {
            Some(Basis::Institution) => !self.pays_others,
            Some(Basis::Programme) => true,
            _ => false,
        };
        coarse && self.quantity.is_none()
    }

    /// Whether it reads the lines of earlier months, and not only what was posted.
    #[must_use]
    pub fn reads_lines(&self) -> bool {
        self.window != Window::Month && !self.reads_posted()
    }
}

/// How a short budget is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShortageMethod {
    /// In proportion, by largest remainder.
    ProRata,
    /// In order until it is used up.
    Queue(Vec<(Arc<str>, bool)>),
    /// Institutions in order; one that does not fit whole is carried to the next period.
    Carry(Vec<(Arc<str>, bool)>),
}

/// The budget step.
#[derive(Debug, Clone)]
pub struct ShortageRule {
    /// Head.
    pub head: RuleHead,
    /// Funding sources bounded; empty = all.
    pub sources: Vec<Arc<str>>,
    /// Limit in fen on the programme; `None` = balances of the budget table by source.
    pub limit: Option<Expr>,
    /// Method.
    pub method: ShortageMethod,
    /// Whether a correction of a closed month pays what the shortage cut (S25).
    pub restore: bool,
}

/// Where the sum of a split's parts is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitScope {
    /// Each line.
    Line,
    /// Each institution (S13).
    Institution,
    /// The whole settlement.
    Settlement,
}

/// How the fen left over are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitMethod {
    /// Largest remainder, ties in the fixed order.
    LargestRemainder,
    /// The last part takes the rest.
    ResidualLast,
    /// The first part takes the rest.
    ResidualFirst,
}

/// A funding split over sources, in the fixed order.
#[derive(Debug, Clone)]
pub struct SplitRule {
    /// Head.
    pub head: RuleHead,
    /// Scope.
    pub scope: SplitScope,
    /// Sources with their weight on `institution` (shares are constant expressions).
    pub parts: Vec<(Arc<str>, Expr)>,
    /// Method.
    pub method: SplitMethod,
    /// Quantum in fen.
    pub quantum: i64,
}

/// How much of what an institution owes is taken back in one period (S27).
#[derive(Debug, Clone)]
pub struct OffsetRule {
    /// Head.
    pub head: RuleHead,
    /// The most, as a part of what is payable to the institution in the period.
    pub share: Option<crate::domain::Fraction>,
    /// The most in fen, an institution and period.
    pub amount_fen: Option<i64>,
}

/// When money is paid (S21).
#[derive(Debug, Clone)]
pub struct PayDateRule {
    /// Head.
    pub head: RuleHead,
    /// `next_month`, `same_month` or `period_end`.
    pub base: PayBase,
    /// n-th work day of the base month, or a day of the month.
    pub on: PayOn,
    /// Roll rule for a day of the month.
    pub roll: crate::domain::Roll,
}

/// The month a pay date is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayBase {
    /// The month after the period.
    NextMonth,
    /// The last month of the period.
    SameMonth,
    /// The last day of the period.
    PeriodEnd,
}

/// The day of a pay date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayOn {
    /// n-th work day, 1-based.
    Workday(u32),
    /// Day of the month, clipped to its end.
    Day(u32),
    /// The base itself.
    Base,
}

#[cfg(test)]
mod tests {
    use super::Window;
    use crate::domain::Month;

    #[test]
    fn windows_hold_the_months_of_the_calendar() {
        let month = |text: &str| Month::parse(text).expect("a month");
        let at = month("2026-05");
        for (window, other, inside) in [
            (Window::Month, "2026-05", true),
            (Window::Quarter, "2026-04", true),
            (Window::Quarter, "2026-06", true),
            (Window::Quarter, "2026-03", false),
            (Window::Year, "2026-01", true),
            (Window::Year, "2025-12", false),
            (Window::Life, "2019-01", true),
        ] {
            assert_eq!(window.holds(month(other), at), inside, "{window:?} {other}");
        }
    }
}
