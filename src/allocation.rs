//! Allocation: lines in; exclusions, caps, budget and funding split out (S8, S13, S25).
//!
//! In: frames, law, entitlements, what was posted before. Out: [`Allocation`]; `allocated` and
//! `cut_by` of the lines are filled. Order: after `subsidy`. Never: changes an amount, knows a bank.

use crate::domain::Month;
use std::sync::Arc;

/// What was posted in earlier periods and still counts (the spine hands it in from the ledger).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedLine {
    /// Period it was posted in (last service month).
    pub period: Month,
    /// Service month the money is for.
    pub source_period: Month,
    /// Institution.
    pub institution_id: String,
    /// Item.
    pub item: String,
    /// `ORIGINAL`, `CORRECTION` …
    pub line_kind: String,
    /// Funding source.
    pub source: String,
    /// Fen.
    pub payable_fen: i64,
    /// 指标文号, or empty.
    pub budget_doc_no: String,
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
    /// The limit.
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
}
