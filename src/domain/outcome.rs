//! What a what-if comes to: the figures one scenario of a tune job has (FORMATS 5).

use super::Month;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The shares of children at which quantiles are told, in percent.
pub const QUANTILES: [u32; 5] = [10, 25, 50, 75, 90];

/// An institution as the scenarios know it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Institution {
    /// 统一社会信用代码.
    pub id: Arc<str>,
    /// 机构名称.
    pub name: Arc<str>,
    /// 机构类型.
    pub kind: Arc<str>,
    /// 街道.
    pub street: Arc<str>,
}

/// The figures of one scenario over all pinned months. Money is fen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Allocated in all: after caps and budget, in-kind items apart.
    pub cost_fen: i64,
    /// The same by pinned month, in their order.
    pub by_month: Vec<i64>,
    /// By funding source.
    pub by_source: BTreeMap<Arc<str>, i64>,
    /// By item.
    pub by_item: BTreeMap<Arc<str>, i64>,
    /// By street of the institution.
    pub by_street: BTreeMap<Arc<str>, i64>,
    /// By kind of the institution.
    pub by_kind: BTreeMap<Arc<str>, i64>,
    /// By institution, in the order of [`Institution`]s.
    pub institutions: Vec<i64>,
    /// Months of children with an allocated line above zero: a child counts once a month.
    pub children_paid: u64,
    /// Months of institutions allocated something above zero.
    pub institutions_paid: u64,
    /// By guide price.
    pub breaches: BTreeMap<Arc<str>, Breaches>,
    /// By age class and service; two empty texts are all children.
    pub net_fees: BTreeMap<(Arc<str>, Arc<str>), NetFees>,
    /// What institutions take in and what it costs them.
    pub revenue: Revenue,
    /// Budget lines drawn beyond their balance, by budget line and source.
    pub overruns: Vec<Overrun>,
    /// Change of what children are entitled to against the baseline.
    pub children: ChildChanges,
}

/// Fees outside a guide price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Breaches {
    /// Rows above the ceiling.
    pub over: u64,
    /// By how much in all, fen.
    pub over_fen: i64,
    /// The furthest of them above it, fen.
    pub over_most_fen: i64,
    /// Rows below the floor.
    pub under: u64,
    /// By how much in all, fen.
    pub under_fen: i64,
    /// Months of institutions with a row above the ceiling.
    pub institutions: u64,
}

/// What families of a group of children pay a month after subsidies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NetFees {
    /// Months of children with a fee.
    pub children: u64,
    /// Sum of what they pay, fen.
    pub sum_fen: i64,
    /// Quantiles at [`QUANTILES`], fen: the smallest value that so many percent do not exceed.
    pub quantiles: [i64; 5],
}

/// What institutions take in, over all pinned months.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Revenue {
    /// Fees of children in the month and subsidies allocated, fen.
    pub fen: i64,
    /// Filed slots, summed over the months.
    pub slots: i64,
    /// Revenue of the institutions whose costs are delivered, fen.
    pub with_costs_fen: i64,
    /// Their costs: caregivers and rent, fen.
    pub costs_fen: i64,
    /// Months of institutions whose costs are delivered.
    pub with_costs: u64,
}

/// A budget line that is not enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overrun {
    /// 指标文号; empty for what has no budget line at all.
    pub budget_doc_no: Arc<str>,
    /// Funding source.
    pub source: Arc<str>,
    /// First pinned month in which it is not enough.
    pub month: Month,
    /// By how much at the end, fen.
    pub fen: i64,
}

/// How the entitlements of children change against the baseline, before institution caps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChildChanges {
    /// Children and months that are entitled to more.
    pub winners: u64,
    /// To less.
    pub losers: u64,
    /// To the same.
    pub same: u64,
    /// Quantiles of the change at [`QUANTILES`], fen a child and month.
    pub quantiles: [i64; 5],
}
