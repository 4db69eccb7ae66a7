//! What the statement of one child says.

use super::super::timeline::{ChangeSaid, DeliverySaid, FactChangeSaid, LawChangeSaid};
use super::super::{RuleSaid, RunSaid};
use serde::Serialize;
use std::collections::BTreeMap;

/// The statement of one child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// Job.
    pub job: String,
    /// The run it was asked of.
    pub run_id: String,
    /// The child, as the asker named it.
    pub child: String,
    /// The institution it is limited to, or empty.
    pub institution_id: String,
    /// First month, `YYYY-MM`.
    pub from: String,
    /// Last month.
    pub until: String,
    /// Months that were settled, in order.
    pub months: Vec<MonthSaid>,
    /// Months of the span that no run settled.
    pub unsettled: Vec<String>,
    /// Periods of released runs that the archive does not hold.
    pub unknown: Vec<String>,
    /// By item, in order of id.
    pub items: Vec<TotalSaid>,
    /// By period, the order in which money went out.
    pub periods: Vec<PeriodSaid>,
    /// Fen due as known now, over all months and items.
    pub due_fen: i64,
    /// Runs met, in order of period.
    pub runs: Vec<RunSaid>,
}

/// One month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MonthSaid {
    /// Service month.
    pub period: String,
    /// The run that settled it first.
    pub run_id: String,
    /// Institutions the child was at, as known then.
    pub institutions: Vec<InstitutionSaid>,
    /// Later corrections, in order.
    pub corrections: Vec<CorrectionSaid>,
    /// Fen settled first.
    pub first_fen: i64,
    /// Fen due as known now.
    pub due_fen: i64,
}

/// An institution in a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InstitutionSaid {
    /// Institution as delivered.
    pub institution_id: String,
    /// 机构名称, or empty.
    pub institution_name: String,
    /// Stays of the child.
    pub stays: Vec<StaySaid>,
    /// Its lines of entitlement.
    pub items: Vec<ItemSaid>,
}

/// A stay of the child in the month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StaySaid {
    /// First day in the month.
    pub from: String,
    /// Last day.
    pub until: String,
    /// 班型.
    pub age_class: String,
    /// 服务类型.
    pub service: String,
    /// Attendance: name of the fact and its value.
    pub days: BTreeMap<String, String>,
    /// File of its enrolment.
    pub file: String,
    /// Record in it.
    pub record: u64,
}

/// Stays of the child at an institution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StaysSaid {
    /// Institution as delivered.
    pub institution_id: String,
    /// The stays; none where the child was not there.
    pub stays: Vec<StaySaid>,
}

/// One line of entitlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemSaid {
    /// Item id.
    pub item: String,
    /// The rule.
    pub rule: RuleSaid,
    /// `paid`, `zero`, `refused`.
    pub status: String,
    /// Reason code, or empty.
    pub reason: String,
    /// The reason in the pack's words, or empty.
    pub reason_words: String,
    /// The same in English, where the pack has it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason_english: String,
    /// The gate or guide price that gave the reason; none where none did.
    pub reason_rule: Option<RuleSaid>,
    /// The amount's expression as the pack writes it.
    pub expression: String,
    /// Value before rounding in currency units, or empty.
    pub exact: String,
    /// Fen after rounding.
    pub amount_fen: i64,
    /// Fen after exclusions, caps and budget.
    pub allocated_fen: i64,
    /// The rule that cut it last, or empty.
    pub cut_by: String,
    /// Support in kind: recorded, never paid.
    pub in_kind: bool,
    /// Schedule lines the amount is part of.
    pub places: Vec<PlaceSaid>,
}

/// A schedule line the child's money is part of. Its amount is the institution's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlaceSaid {
    /// Line number in the run.
    pub line_no: i64,
    /// `ORIGINAL` …
    pub kind: String,
    /// Funding source, or empty.
    pub source: String,
    /// The source's share as the law writes it, or empty.
    pub share: String,
    /// Pay date, or empty.
    pub pay_on: String,
    /// The payment it went into, or empty.
    pub payment_no: String,
    /// Why the payee is held, or empty.
    pub hold_reason: String,
}

/// What a later run corrected of the month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CorrectionSaid {
    /// Period of the run.
    pub period: String,
    /// The run.
    pub run_id: String,
    /// Lines that are due something else.
    pub changes: Vec<ChangedSaid>,
    /// Stays at the institutions of these lines, as known then.
    pub stays: Vec<StaysSaid>,
    /// Clauses of notices that became known.
    pub notices: Vec<String>,
    /// Deliveries that came in.
    pub deliveries: Vec<DeliverySaid>,
    /// Rules of the lines that are others than before.
    pub law: Vec<LawChangeSaid>,
    /// Facts of the lines that are others than before.
    pub facts: Vec<FactChangeSaid>,
    /// Whether nothing of the lines themselves differs: what they share with other lines (a cap, a
    /// group) moved them.
    pub shared: bool,
}

/// A line that is due something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedSaid {
    /// The change.
    #[serde(flatten)]
    pub change: ChangeSaid,
    /// Why nothing is due any more: the reason in the pack's words or as a code, with its rule; none
    /// where something is due, or the line is gone.
    pub refused: Option<(String, Option<RuleSaid>)>,
    /// Schedule lines it is part of.
    pub places: Vec<PlaceSaid>,
}

/// Fen of one item over all months.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TotalSaid {
    /// Item.
    pub item: String,
    /// In words, in Chinese.
    pub label: String,
    /// In English words, where the pack has them.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub english: String,
    /// Settled first.
    pub first_fen: i64,
    /// Changed since.
    pub net_fen: i64,
    /// Due as known now.
    pub due_fen: i64,
}

/// Fen that one run settled or corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PeriodSaid {
    /// Period.
    pub period: String,
    /// The run.
    pub run_id: String,
    /// Fen of the period's own months.
    pub own_fen: i64,
    /// Fen of corrections of earlier months.
    pub corrected_fen: i64,
}
