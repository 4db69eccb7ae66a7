//! Explain: one settled month in, every step of one amount out.
//!
//! In: law, frames, lines, allocation and schedule of a month settled again. Out: [`Explanation`].
//! Order: after `settle`. Never: computes money of its own (it reads what the rooms computed and
//! asks expressions for their trace), shows a child's number unless the caller does.

mod gates;
mod origin;
mod reads;
mod runs;
mod show;
mod statement;
mod text;
mod timeline;
mod timeline_text;
mod to_date;
mod walk;
mod within;

use crate::domain::Month;
use crate::domain::texts::Catalogue;
use crate::intake::Tables;
use crate::schedule::{MonthInput, Schedule};
use serde::Serialize;

pub use runs::{AnswerError, Kept, Names, RunSaid};
pub use show::typed as shown;
pub use statement::{
    ChangedSaid, CorrectionSaid, InstitutionSaid, ItemSaid, MonthSaid, PeriodSaid, PlaceSaid,
    Statement, StatementAsked, StaySaid, StaysSaid, TotalSaid, render_statement, statement,
};
pub use text::render;
pub use timeline::{
    Answer, Asked, ChangeSaid, DeliverySaid, FactChangeSaid, LaterSaid, LawChangeSaid, PaidSaid,
    PostedSaid, Timeline, answer, told,
};
pub use timeline_text::render_answer;
pub use walk::{explain, line};

/// One settled month, as the rooms made it.
#[derive(Debug, Clone, Copy)]
pub struct ExplainInput<'a> {
    /// The month: law, frames with everything the rules computed, lines after allocation, split.
    pub month: MonthInput<'a>,
    /// Schedule of the period.
    pub schedule: &'a Schedule,
    /// Tables read, for the files and records of their rows.
    pub tables: &'a Tables,
    /// The attendance row of each spell.
    pub attended: &'a [u32],
}

/// Which amounts are asked for.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// Institution id as delivered.
    pub institution: &'a str,
    /// Item id; `None` = every item.
    pub item: Option<&'a str>,
    /// Whether a child reference as delivered is the one asked for; `None` = every row.
    pub child: Option<&'a dyn Fn(&str) -> bool>,
    /// What stands for a child or person reference in the answer: its pseudonym, or the reference
    /// itself where the person asking gave it.
    pub alias: &'a dyn Fn(&str) -> String,
    /// At most this many lines are explained; the rest are counted.
    pub limit: usize,
}

/// Why there is nothing to explain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// No row of the institution.
    #[error(
        "institution {found}: not in the register or the inputs of {month}; expected an \
         institution_id as delivered"
    )]
    Institution {
        /// Asked for.
        found: String,
        /// Month.
        month: Month,
    },
    /// No such item in force.
    #[error("item {found}: not in the law of {month}; expected one of {expected}")]
    Item {
        /// Asked for.
        found: String,
        /// Month.
        month: Month,
        /// Items in force.
        expected: String,
    },
    /// No line fits.
    #[error(
        "institution {institution}: no line of that child or item in {month}; hint: ask without \
         --child or --item to see what there is"
    )]
    Line {
        /// Institution.
        institution: String,
        /// Month.
        month: Month,
    },
}

/// The answer: lines in order of item, then row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Service month, `YYYY-MM`.
    pub period: String,
    /// Institution as delivered.
    pub institution_id: String,
    /// 机构名称, or empty.
    pub institution_name: String,
    /// Lines explained.
    pub lines: Vec<LineSaid>,
    /// Lines that fit and are not explained.
    pub further: usize,
}

/// One entitlement line, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineSaid {
    /// Item id.
    pub item: String,
    /// The rule.
    pub rule: RuleSaid,
    /// Basis of the row.
    pub basis: String,
    /// Child or person reference, as the question's `alias` gave it; empty where the row has none.
    pub child: String,
    /// Whom it is paid to, where that is not its institution; else empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub payee: String,
    /// What else names the row: (alias, value).
    pub key: Vec<(String, String)>,
    /// The columns of `key`, beside it.
    pub key_columns: Vec<String>,
    /// Days the law looked up covers, when the month has several: `from..until`.
    pub segment: String,
    /// `paid`, `zero`, `refused`.
    pub status: String,
    /// Reason code, or empty.
    pub reason: String,
    /// The reason in the words of the pack's gate, or empty.
    pub reason_words: String,
    /// The same in English, where the pack has it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason_english: String,
    /// Facts the rule read, in order of basis and name.
    pub facts: Vec<FactSaid>,
    /// Gates and guide prices in order.
    pub gates: Vec<GateSaid>,
    /// Named values the amount rests on, in the order they were computed.
    pub values: Vec<ValueSaid>,
    /// The amount's expression as the pack writes it.
    pub expression: String,
    /// Its steps, outermost first; empty when a gate failed.
    pub steps: Vec<StepSaid>,
    /// Value before rounding in currency units, or empty.
    pub exact: String,
    /// Rounding mode, quantum (in currency units) and scope.
    pub rounding: (String, String, String),
    /// Shown quantity, or empty.
    pub quantity: String,
    /// Shown rate in currency units, or empty.
    pub rate: String,
    /// After rounding, fen; for an item due to date the total.
    pub amount_fen: i64,
    /// What of a total to date is due now; none for an item of the month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_date: Option<ToDateSaid>,
    /// After exclusions, caps and budget, fen.
    pub allocated_fen: i64,
    /// Support in kind: recorded, never paid.
    pub in_kind: bool,
    /// The rule that cut this line last, or empty.
    pub cut_by: String,
    /// Caps, exclusions and shortages that bound on what this line belongs to.
    pub cuts: Vec<CutSaid>,
    /// Split of the institution's total of the item.
    pub funding: Vec<FundingSaid>,
    /// Schedule lines of the institution and item.
    pub schedule: Vec<ScheduleSaid>,
    /// Every piece of law met: rule, gates, prices, values, tables, parameters, caps; by id.
    pub clauses: Vec<RuleSaid>,
}

/// A total to date and what is due of it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToDateSaid {
    /// `year` or `life`.
    pub window: String,
    /// Total after caps, fen.
    pub total_fen: i64,
    /// Paid of the item before.
    pub before_fen: i64,
    /// Items deducted.
    pub less: Vec<String>,
    /// Paid of them.
    pub less_fen: i64,
    /// Instalments in order.
    pub instalments: Vec<InstalmentSaid>,
    /// The item taken back, or empty.
    pub recovers: String,
    /// The most that could be taken back of it, and what would have been taken without that bound.
    pub bound: Option<(i64, i64)>,
    /// Due now, before the budget.
    pub due_fen: i64,
}

/// One instalment of a total.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InstalmentSaid {
    /// Its share, as a fraction.
    pub share: String,
    /// Its condition.
    pub when: String,
    /// Its clause, or empty.
    pub clause: String,
    /// Its part of the total as it is now, fen.
    pub fen: i64,
    /// `closed` by an earlier month, `due` now, or `open`.
    pub state: String,
}

/// A piece of law, named.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RuleSaid {
    /// Id.
    pub id: String,
    /// `id@effective/known`.
    pub version: String,
    /// Notice and clause.
    pub clause: String,
    /// In words, in Chinese.
    pub label: String,
    /// In English words, where the pack has them.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub english: String,
    /// First day in force.
    pub effective_from: String,
    /// Last day in force, or empty.
    pub effective_until: String,
    /// Since when it could be known.
    pub known_from: String,
    /// The day its notice was published.
    pub published: String,
    /// Pack, file and line.
    pub place: String,
}

impl RuleSaid {
    /// What people call it; nothing where it has no name beside its id.
    #[must_use]
    pub fn named<'a>(&'a self, texts: &'a Catalogue) -> &'a str {
        let label = if self.label == self.id { "" } else { &*self.label };
        texts.named("", label, &self.english)
    }
}

/// A fact and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FactSaid {
    /// Basis of the row it stands on.
    pub basis: String,
    /// Column.
    pub name: String,
    /// Chinese name.
    pub alias: String,
    /// Value with its unit; `null` where there is none.
    pub value: String,
    /// Input file of the record it was delivered in or computed from; empty where it is no single
    /// record.
    pub file: String,
    /// Record in it; 0 = none.
    pub record: u64,
    /// What a computed fact was computed from, a word of `[computed]` of the catalogues; empty for a
    /// delivered one.
    pub computed: String,
}

/// What a gate or guide price said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It fails.
    Fails,
    /// Its expression has no value, or the row it reads does not exist.
    Unknown,
}

/// A gate or guide price and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GateSaid {
    /// The rule.
    pub rule: RuleSaid,
    /// The condition as the pack writes it; for a price its `when`.
    pub expression: String,
    /// Result.
    pub verdict: Verdict,
    /// Whether this is the one that gave the line its reason.
    pub decisive: bool,
    /// Reason code when it fails, or empty.
    pub reason: String,
    /// Fee, ceiling, floor in currency units (empty where none) and the outcome of a breach.
    pub price: Option<(String, String, String, String)>,
    /// Steps, outermost first.
    pub steps: Vec<StepSaid>,
}

/// A named value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValueSaid {
    /// The rule.
    pub rule: RuleSaid,
    /// Basis it stands on.
    pub basis: String,
    /// Expression.
    pub expression: String,
    /// Value.
    pub value: String,
    /// Steps, outermost first.
    pub steps: Vec<StepSaid>,
    /// Where the row stands in its group, for a rank, an allowance, a streak or a spread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupSaid>,
}

/// The group a value was made from, as the row sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupSaid {
    /// Basis whose row the rows share.
    pub within: String,
    /// What names that row, or empty.
    pub key: String,
    /// Names of the order, `-` in front for descending.
    pub order: Vec<String>,
    /// Rows that take part.
    pub rows: usize,
    /// Place of the row, from 1.
    pub place: usize,
    /// Rows before it that are not told.
    pub further: usize,
    /// The nearest rows before it.
    pub before: Vec<SeatSaid>,
    /// The row itself.
    pub own: SeatSaid,
    /// Limit or amount of the group, or empty.
    pub figure: String,
    /// What the rows before it left of it, where it is used up in order; else empty.
    pub left: String,
}

/// One row of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeatSaid {
    /// Place, from 1.
    pub place: usize,
    /// What names the row; persons as the question's `alias` gives them.
    pub row: Vec<String>,
    /// Values of the order.
    pub by: Vec<String>,
    /// Whether the condition holds: false only in a streak.
    pub holds: bool,
    /// Its quantity, weight or most, or what it counts for; empty where it has none.
    pub figure: String,
    /// What it got.
    pub part: String,
}

/// One step of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepSaid {
    /// Nesting depth.
    pub depth: usize,
    /// Piece of the expression.
    pub source: String,
    /// Value; money in fen.
    pub value: String,
    /// Table row hit, parameter version …
    pub note: String,
}

/// A cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CutSaid {
    /// The cap, exclusion or shortage.
    pub rule: String,
    /// What shares it.
    pub key: String,
    /// Whether `before` and `limit` are fen; else they are a quantity.
    pub in_money: bool,
    /// Before.
    pub before: i64,
    /// Limit.
    pub limit: i64,
    /// Fen cut in all.
    pub cut_fen: i64,
}

/// A part of the split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FundingSaid {
    /// Funding source.
    pub source: String,
    /// 指标文号, or empty.
    pub budget_doc_no: String,
    /// Fen.
    pub fen: i64,
}

/// A schedule line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScheduleSaid {
    /// `ORIGINAL` …
    pub kind: String,
    /// Line number.
    pub line_no: u32,
    /// Funding source, or empty.
    pub source: String,
    /// Fen.
    pub payable_fen: i64,
    /// Pay date, or empty.
    pub pay_on: String,
    /// Why it is held, or empty.
    pub hold_reason: String,
}
