//! Allocation: lines in; exclusions, caps, budget and funding split out (S8, S13, S25).
//!
//! In: frames, law, entitlements, what was posted before. Out: [`Allocation`]; `allocated` and
//! `cut_by` of the lines are filled. Order: after `subsidy`. Never: knows a bank, changes an amount
//! (only a line it must refuse loses its amount, so that a refused line has none).
//!
//! # The order (S8), and how this room reads it
//!
//! 1. **Payees and shares.** A payable line without an institution is refused (`no_parent_row`,
//!    S10); so are the lines of an institution whose split weights have no value.
//! 2. **Exclusion groups**, in pack order. The sums of the items under one key row compete; only
//!    sums above zero do. An item in kind may win, never lose.
//! 3. **Caps**: item, institution, cumulative; within a stage in pack order. A cap bounds the net
//!    sum of its lines (receivables make room); a limit below zero counts as zero, a null limit is
//!    no limit, a limit without a value refuses the lines under it with its reason. Limits that are
//!    not whole are floored to the fen unless the cap rounds them. See [`cap`].
//! 4. **Items due to date**: the total less what was paid of it before (S26). See [`to_date`].
//! 5. **Budget shortage.** See [`shortage`].
//! 6. **Funding split** with both margins (S13), then budget lines in order of 指标文号. See [`split`]
//!    and [`budget`].
//!
//! Rules come from the law of the first segment of the month: exclusions, caps, shortages and
//! splits are never split inside a month. Everything that has to choose chooses by input values
//! (S9).

mod budget;
mod cap;
mod claims;
mod exclusion;
mod lines;
mod queue;
mod rows;
mod shares;
mod shortage;
mod split;
mod to_date;
mod window;

pub(crate) use queue::order_basis;
pub(crate) use rows::divide;
pub(crate) use split::split_weights;
pub(crate) use to_date::cut as cut_instalments;

pub use shares::{SplitShares, both_margins, split_total};

use crate::domain::{Basis, Frames, Month};
use crate::history::Past;
use crate::law::LawOfMonth;
use crate::subsidy::Entitlements;
use lines::Lines;
use split::Splits;
use std::sync::Arc;

/// What was posted in earlier periods and still counts (the spine hands it in from the ledger).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedLine {
    /// Period it was posted in (last service month).
    pub period: Month,
    /// Service month the money is for.
    pub source_period: Month,
    /// Institution.
    pub institution_id: Arc<str>,
    /// Item.
    pub item: Arc<str>,
    /// `ORIGINAL`, `CORRECTION` …
    pub line_kind: Arc<str>,
    /// Funding source.
    pub source: Arc<str>,
    /// Fen.
    pub payable_fen: i64,
    /// 指标文号, or empty.
    pub budget_doc_no: Arc<str>,
}

/// A cap that bound, for findings, explain and `cut_fen`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Cap, exclusion or shortage id.
    pub rule: Arc<str>,
    /// Row of the institution frame the cut falls on; `None` for a cut over the whole settlement.
    pub institution: Option<u32>,
    /// Key row on the rule's own basis, as text for people (`institution 9151…`).
    pub key: String,
    /// Sum before, fen (or quantity for quantity caps).
    pub before: i64,
    /// The limit; in a window longer than the month what earlier months left of it.
    pub limit: i64,
    /// Fen cut.
    pub cut_fen: i64,
}

/// One budget line 指标.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BudgetLine {
    /// 指标文号.
    pub budget_doc_no: String,
    /// Funding source.
    pub source: String,
    /// 功能分类.
    pub exp_func_code: String,
    /// 政府经济分类.
    pub gov_eco_code: String,
    /// 部门经济分类.
    pub dep_eco_code: String,
    /// 资金性质.
    pub fund_type_code: String,
    /// 项目代码.
    pub project_code: String,
    /// Balance before this settlement, fen.
    pub balance_fen: i64,
    /// Amount of the indicator, fen, where it is told.
    pub amount_fen: Option<i64>,
    /// Fiscal year.
    pub fiscal_year: i32,
}

/// Allocated fen of one (institution, item, source, budget line).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FundingCell {
    /// Row of the institution frame.
    pub institution: u32,
    /// Index into [`crate::subsidy::Entitlements::items`].
    pub item: u32,
    /// Index into [`Allocation::sources`].
    pub source: u32,
    /// Index into [`Allocation::budget_lines`]; `u32::MAX` = none known.
    pub budget_line: u32,
    /// Fen, may be negative only for items with `sign = "any"`.
    pub fen: i64,
}

/// The result of the room for one service month.
#[derive(Debug, Clone, Default)]
pub struct Allocation {
    /// Funding sources in the fixed order of the splits.
    pub sources: Vec<Arc<str>>,
    /// Budget lines.
    pub budget_lines: Vec<BudgetLine>,
    /// Money by (institution, item, source, budget line), sorted by those.
    pub cells: Vec<FundingCell>,
    /// Cuts, in order of stages.
    pub cuts: Vec<Cut>,
    /// (institution row, item index, fen) carried to the next period by a `carry` shortage.
    pub carried: Vec<(u32, u32, i64)>,
    /// What stands behind the cells: gross, cut and carried by the same keys, in the same order.
    /// Holds also what was cut or carried wholly and so has no cell.
    pub shares: Vec<FundingShare>,
}

/// Gross, cut and carried fen of one (institution, item, source, budget line). Sums over the
/// sources are the item's own; `gross - cut - carried = fen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FundingShare {
    /// Key and allocated fen, as in [`Allocation::cells`] (which leaves out what is zero).
    pub cell: FundingCell,
    /// Before cuts.
    pub gross_fen: i64,
    /// Cut by exclusions, caps and shortage, at least zero.
    pub cut_fen: i64,
    /// Carried to the next period by a `carry` shortage, at least zero.
    pub carried_fen: i64,
}

/// One settled service month, as later rooms take it in.
#[derive(Debug, Clone, Copy)]
pub struct MonthInput<'a> {
    /// Service month.
    pub month: Month,
    /// Its frames.
    pub frames: &'a Frames,
    /// Its lines, allocated.
    pub entitlements: &'a Entitlements,
    /// Its allocation.
    pub allocation: &'a Allocation,
    /// Its law.
    pub law: &'a LawOfMonth,
}

/// Why a month cannot be allocated at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AllocationError {
    /// A rule over several months in a job that keeps no lines of earlier ones.
    #[error(
        "{rule}: it needs what each line was paid in earlier months, which the job does not keep; \
         expected a job with retro = true, so that lines.parquet is written and read"
    )]
    HistoryNotKept {
        /// Cap or item.
        rule: Arc<str>,
    },
    /// Rows of an item have no way to the key of a rule.
    #[error("{rule}: rows of basis {basis} (item {item}) do not lead to a row of {key}")]
    KeyNotReachable {
        /// Cap or exclusion id.
        rule: Arc<str>,
        /// Item.
        item: Arc<str>,
        /// Basis of the item.
        basis: Basis,
        /// Key of the rule.
        key: Basis,
    },
    /// A queue is ordered by a column nobody has.
    #[error("{rule}: no column {column} to order by can be read from basis {basis}")]
    OrderColumnMissing {
        /// Cap or shortage id.
        rule: Arc<str>,
        /// Column.
        column: Arc<str>,
        /// Basis that was asked.
        basis: Basis,
    },
    /// An item names a split that is not in force.
    #[error("item {item}: its funding split {split} is not in force in the month")]
    SplitMissing {
        /// Item.
        item: Arc<str>,
        /// Split id.
        split: Arc<str>,
    },
    /// A sum is beyond what the engine counts with.
    #[error("{rule}: a sum of money or its share does not fit the engine's numbers")]
    Overflow {
        /// Rule, or the step.
        rule: Arc<str>,
    },
}

impl AllocationError {
    fn overflow(rule: &str) -> Self {
        Self::Overflow { rule: Arc::from(rule) }
    }
}

/// Allocates one service month: fills `allocated`, `cut_by` and the statuses of the lines, and
/// tells the money by institution, item, source and budget line. In-kind items keep their value and
/// have no cells.
///
/// `posted` is what counts toward windows longer than the month: earlier periods, and the earlier
/// months of this period when a period has several. Lines of `month` itself are left out of a
/// window, because they are what is being settled. `past` tells what each line was paid in earlier
/// months: caps over several months on keys finer than the institution, and items due to date, need
/// it. Without a `budget` the month is a closed one, settled
/// again: its shortage is over and its budget line is for the month that pays to choose (S25).
///
/// # Errors
/// See [`AllocationError`]; the lines may be half changed then.
pub fn allocate(
    law: &LawOfMonth,
    frames: &Frames,
    entitlements: &mut Entitlements,
    budget: Option<&[BudgetLine]>,
    posted: &[PostedLine],
    past: &Past<'_>,
    month: Month,
) -> Result<Allocation, AllocationError> {
    let mut lines = Lines::new(law, frames, entitlements);
    lines.refuse_without_payee();
    let Some(rules) = law.segments.first() else { return Ok(Allocation::default()) };
    let splits = Splits::new(&mut lines, rules)?;
    for rule in &rules.exclusions {
        exclusion::exclude(&mut lines, rule)?;
    }
    let mut caps: Vec<_> = rules.caps.iter().collect();
    caps.sort_by_key(|cap| cap.stage);
    for rule in caps {
        cap::cap(&mut lines, rule, posted, past, month)?;
    }
    to_date::settle(&mut lines, rules, past, month)?;
    let (shortages, budget) = match budget {
        Some(budget) => (rules.shortages.as_slice(), budget),
        None => Default::default(),
    };
    if !shortages.is_empty() {
        lines.keep_capped();
    }
    let bounds = shortage::bounds(&mut lines, &splits, shortages, budget, month)?;
    let mut needs = split::Needs::gather(&lines)?;
    shortage::cut_needs(&mut lines, &mut needs, &bounds)?;
    let mut cells = split::split(&lines, &splits, &needs)?;
    shortage::cut_sources(&mut lines, &splits, &mut cells, &bounds)?;
    budget::assign(lines, &splits, &cells, budget, month)
}
