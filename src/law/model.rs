//! What the law room hands on: types, dictionary entries, compiled rules, the law in force.

use crate::domain::{Basis, Calendar, Cell, Date, Month, Rounding, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::expr::Expr;

/// The unit of a number: currency, child, slot, day … with their powers. Empty for plain numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub struct Unit(pub BTreeMap<Arc<str>, i8>);

/// The type of an expression or column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ty {
    /// Yes or no.
    Bool,
    /// A text; `Some` lists the values of an enum in their order.
    Text(Option<Arc<Vec<Arc<str>>>>),
    /// An identifier (institution, child, person): a text kept as a key column.
    Key,
    /// A number. Money is a number whose unit contains the currency; it is held in fen.
    Num {
        /// Whether only whole numbers (whole fen for money) occur.
        integer: bool,
        /// Its unit.
        unit: Unit,
    },
    /// A date.
    Date,
}

/// One readable name of a basis: a fact column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DictionaryEntry {
    /// Basis whose frame holds the column.
    pub basis: Basis,
    /// English name: the column's name in the frame.
    pub name: Arc<str>,
    /// Chinese alias.
    pub alias: Arc<str>,
    /// Type and unit.
    pub ty: Ty,
    /// Whether the column may be null.
    pub nullable: bool,
    /// Which input column or computation it comes from.
    pub source: Arc<str>,
}

/// Where a piece of law stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LawPlace {
    /// Pack id.
    pub pack: Arc<str>,
    /// Path of the file inside the pack.
    pub file: Arc<str>,
    /// Line of the block, 1-based.
    pub line: u32,
}

/// What every rule in force carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleHead {
    /// Dotted id as printed: bare, or `pack:id` when a job names several packs. Unique among blocks
    /// of one kind; a gate may share its id with an item or a fact.
    pub id: Arc<str>,
    /// 条款 with the notice's number, for people: `示例财规〔2026〕1号 第五条`.
    pub clause: Arc<str>,
    /// Version, printed as `id@effective_from/known_from`.
    pub version: Arc<str>,
    /// First day in force.
    pub effective_from: Date,
    /// Last day in force, if ended.
    pub effective_until: Option<Date>,
    /// Since when anyone could have known.
    pub known_from: Date,
    /// Text for people (`zh`), or the id.
    pub label: Arc<str>,
    /// Where it stands.
    pub place: LawPlace,
}

/// A named age in completed months (S20).
#[derive(Debug, Clone)]
pub struct AgeRule {
    /// Head; the id is the column name on spell, listing and child.
    pub head: RuleHead,
    /// Reference instant.
    pub at: AgeAt,
    /// Births on the 29th-31st complete a month on the last day of a short month (true) or on the
    /// first of the next (false).
    pub last_day: bool,
    /// Treatment of the month of the birthday.
    pub birthday_month: BirthdayMonth,
}

/// The instant an age is taken at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgeAt {
    /// First day of the service month.
    MonthStart,
    /// Last day of the service month.
    MonthEnd,
    /// First day of the spell.
    SpellStart,
    /// The last 1 September on or before the end of the month.
    SeptemberFirst,
}

/// What the month of a birthday counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BirthdayMonth {
    /// By the day.
    Exact,
    /// Not yet completed during the whole month.
    In,
    /// Completed from the first day of the month.
    Out,
}

/// A typed expression on a basis; traced, never paid (S4). Stored in the frame under its id.
#[derive(Debug, Clone)]
pub struct ValueRule {
    /// Head.
    pub head: RuleHead,
    /// Basis.
    pub basis: Basis,
    /// The expression.
    pub expr: Expr,
    /// Own rounding, if stated.
    pub round: Option<Rounding>,
    /// True for hidden steps (aggregates lifted out of expressions): not shown to people.
    pub hidden: bool,
}

/// An aggregate over a finer basis, lifted out of an expression; stored on `basis` under `name`.
#[derive(Debug, Clone)]
pub struct AggregateRule {
    /// Column name on `basis`.
    pub name: Arc<str>,
    /// The coarser basis that reads.
    pub basis: Basis,
    /// The finer basis that is read.
    pub over: Basis,
    /// Function.
    pub function: Aggregate,
    /// Argument on `over`; absent for `count(basis)`.
    pub argument: Option<Expr>,
    /// FILTER, on `over`.
    pub filter: Option<Expr>,
}

/// Aggregate functions (S3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aggregate {
    /// Sum; the argument has one denominator for all rows. 0 over nothing.
    Sum,
    /// Number of rows (with a non-null argument, where given).
    Count,
    /// Number of distinct values.
    CountDistinct,
    /// Smallest; null over nothing.
    Min,
    /// Largest; null over nothing.
    Max,
    /// Whether any row holds; false over nothing.
    Any,
    /// Whether all rows hold; true over nothing.
    All,
    /// Value of the first row in input order of values (ties end in values, S9); null over nothing.
    First,
    /// Value of the last row; null over nothing.
    Last,
    /// Lines of an item whose gates all passed.
    CountEligible(Arc<str>),
    /// Lines of an item above zero.
    CountPaid(Arc<str>),
    /// Sum of an item's amounts in fen.
    SumAmount(Arc<str>),
}

/// What a breach of a guide price leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breach {
    /// The child's lines are refused.
    RefuseChild,
    /// Every line of the institution is refused.
    RefuseInstitution,
    /// The fee counts only up to the ceiling.
    ReduceToCeiling,
    /// A finding, nothing more.
    Warn,
}

/// A government guide price 政府指导价.
#[derive(Debug, Clone)]
pub struct PriceRule {
    /// Head.
    pub head: RuleHead,
    /// Basis.
    pub basis: Basis,
    /// Which rows have a price.
    pub when: Expr,
    /// The fee column judged.
    pub fee: Expr,
    /// The ceiling with float and rounding applied, as one expression; nullable.
    pub ceiling: Expr,
    /// The floor, if one is set; nullable.
    pub floor: Option<Expr>,
    /// Outcome of a breach.
    pub breach: Breach,
}

/// A condition with a reason.
#[derive(Debug, Clone)]
pub struct GateRule {
    /// Head.
    pub head: RuleHead,
    /// Basis.
    pub basis: Basis,
    /// What must hold.
    pub require: Expr,
    /// Reason code when it does not.
    pub reason: Arc<str>,
    /// True: a failed row is zero with the reason instead of refused (`outcome = "zero"`).
    pub zero: bool,
    /// True: a failed row yields the finding named by `reason` and nothing else
    /// (`outcome = "warn"`); such a gate need not be listed by an item.
    pub warn: bool,
}

/// The key over which exact amounts are summed before rounding (S12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundScope {
    /// Each line.
    Line,
    /// child x institution x month.
    ChildMonth,
    /// institution x month.
    InstitutionMonth,
    /// The whole settlement.
    Settlement,
}

/// One step of an item's admission, in the order the law states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateRef {
    /// A gate by id.
    Gate(Arc<str>),
    /// The breach outcome of a guide price by id.
    Price(Arc<str>),
}

/// An item that is paid (or recorded in kind).
#[derive(Debug, Clone)]
pub struct SubsidyRule {
    /// Head; the id is the item.
    pub head: RuleHead,
    /// Basis.
    pub basis: Basis,
    /// Gates and prices in order of precedence.
    pub gates: Vec<GateRef>,
    /// The exact amount, a currency in fen.
    pub amount: Expr,
    /// Rounding.
    pub round: Rounding,
    /// Rounding scope.
    pub round_scope: RoundScope,
    /// Shown quantity.
    pub quantity: Option<Expr>,
    /// Shown rate (money).
    pub rate: Option<Expr>,
    /// Funding split id.
    pub funding: Arc<str>,
    /// Instrument of DOMAIN 1.
    pub instrument: Arc<str>,
    /// Recorded, never paid.
    pub in_kind: bool,
    /// Whether an amount below zero is legal (S14).
    pub any_sign: bool,
    /// Value ids shown as columns of the entitlement file.
    pub trace: Vec<Arc<str>>,
}

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

/// One thing to evaluate; steps come in an order in which each reads only earlier ones.
#[derive(Debug, Clone)]
pub enum Step {
    /// A value.
    Value(Arc<ValueRule>),
    /// An aggregate.
    Aggregate(Arc<AggregateRule>),
    /// A guide price.
    Price(Arc<PriceRule>),
    /// A gate.
    Gate(Arc<GateRule>),
    /// An item: gates combined, amount, line rounding.
    Item(Arc<SubsidyRule>),
}

/// A declared column of an input (S5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputColumn {
    /// English name.
    pub name: Arc<str>,
    /// Chinese header.
    pub alias: Arc<str>,
    /// Type.
    pub ty: Ty,
    /// Whether it may be empty.
    pub nullable: bool,
}

/// A table declared by a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputTable {
    /// Table name.
    pub name: Arc<str>,
    /// True: adds columns to a core table.
    pub extends: bool,
    /// Key columns of a new table.
    pub key: Vec<Arc<str>>,
    /// Columns.
    pub columns: Vec<InputColumn>,
    /// Span columns, if any.
    pub span: Option<(Arc<str>, Arc<str>)>,
}

/// S18: what a start or end inside a month means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MidMonth {
    /// The month is split on the day.
    SplitDays,
    /// In force for the whole month when in force on any day of it.
    WholeIfStarted,
    /// As on the first of the month.
    ByMonthStart,
    /// A start or end counts from the month after.
    NextMonth,
}

/// Pack-wide settings.
#[derive(Debug, Clone)]
pub struct PackHead {
    /// Id.
    pub id: Arc<str>,
    /// Title.
    pub title: Arc<str>,
    /// Region.
    pub region: Arc<str>,
    /// Currency unit.
    pub currency: Arc<str>,
    /// 示例: invented.
    pub sample: bool,
    /// True: children carry resident identity numbers that are checked.
    pub resident_ids: bool,
    /// True: institutions carry USCCs that are checked.
    pub uscc: bool,
    /// Who wins when listings of one child overlap.
    pub overlaps: Overlaps,
    /// Months in a settlement period: 1, 3, 6 or 12.
    pub settlement_months: u32,
    /// Mid-month meaning of filing.
    pub filing: MidMonth,
    /// Mid-month meaning of inclusive status.
    pub inclusive: MidMonth,
    /// Mid-month meaning of the grade.
    pub grade: MidMonth,
    /// Mid-month meaning of sanctions.
    pub sanctions: MidMonth,
}

/// S1: which of overlapping listings of one child wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlaps {
    /// None until resolved.
    Refuse,
    /// The one delivered later; it cuts the earlier.
    LaterKnown,
    /// The first spell.
    FirstSpell,
    /// The one with most days.
    MostDays,
    /// Gates decide.
    Allow,
}

/// The law in force for one segment of the month.
#[derive(Debug, Clone)]
pub struct Law {
    /// Service month.
    pub month: Month,
    /// The days this law covers; the whole month unless a `split_days` block cuts it.
    pub segment: Span,
    /// Ages.
    pub ages: Vec<Arc<AgeRule>>,
    /// Steps in order.
    pub steps: Vec<Step>,
    /// Items in the order of packs, then of ids.
    pub items: Vec<Arc<SubsidyRule>>,
    /// Exclusions in pack order.
    pub exclusions: Vec<Arc<ExclusionRule>>,
    /// Caps by stage, then pack order.
    pub caps: Vec<Arc<CapRule>>,
    /// Budget steps.
    pub shortages: Vec<Arc<ShortageRule>>,
    /// Splits by id.
    pub splits: BTreeMap<Arc<str>, Arc<SplitRule>>,
    /// Pay date rule.
    pub pay_date: Option<Arc<PayDateRule>>,
}

/// The law of a month: pack settings, one [`Law`] per segment (segments cover the month in order).
#[derive(Debug, Clone)]
pub struct LawOfMonth {
    /// Settings (of the last pack named by the job where they differ).
    pub head: PackHead,
    /// Settings of all packs in layer order, as their files state them.
    pub packs: Vec<PackHead>,
    /// Segments in order; the first is the law on the first of the month.
    pub segments: Vec<Law>,
    /// Declared inputs.
    pub inputs: Vec<InputTable>,
    /// Readable names: built-in, declared, ages.
    pub dictionary: Vec<DictionaryEntry>,
    /// The calendar.
    pub calendar: Arc<Calendar>,
    /// Names of input tables some rule reads (for the checklist of absent inputs).
    pub tables_read: Vec<Arc<str>>,
    /// (table, column) pairs of input columns some rule reads, sorted: rows of a register that
    /// differ in one of them contradict each other.
    pub columns_read: Vec<(Arc<str>, Arc<str>)>,
    /// Canonical text of every version in force, for the snapshot and its hash (S29).
    pub snapshot: String,
    /// The law in force to be read by people.
    pub shown: ShownLaw,
}

/// The law in force as text, for `policy show` and the forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownLaw {
    /// Titles of the packs with their ids.
    pub titles: Vec<String>,
    /// Service month.
    pub month: Month,
    /// Day of knowledge.
    pub known_on: Date,
    /// Rules in the order of packs, kinds and ids.
    pub rules: Vec<ShownRule>,
}

/// One version in force as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownRule {
    /// Kind of block: `guide_price`.
    pub kind: String,
    /// Kind in Chinese: 政府指导价.
    pub kind_zh: String,
    /// Printed id.
    pub id: String,
    /// Chinese name, or empty.
    pub label: String,
    /// 文号 and 条款.
    pub clause: String,
    /// Title of the notice.
    pub notice: String,
    /// Version.
    pub version: String,
    /// First day in force.
    pub effective_from: Date,
    /// Last day in force, if ended.
    pub effective_until: Option<Date>,
    /// Since when anyone could have known.
    pub known_from: Date,
    /// S18 word.
    pub mid_month: String,
    /// Keys and values as written, in the order of the grammar.
    pub fields: Vec<(String, String)>,
}

/// One step of a traced evaluation, for explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceStep {
    /// Nesting depth, 0 = the whole expression.
    pub depth: usize,
    /// The piece of source text.
    pub source: String,
    /// Its value, or why it has none.
    pub value: Result<Cell, crate::domain::RowError>,
    /// The table row hit, parameter version or other remark, or empty.
    pub note: String,
}
