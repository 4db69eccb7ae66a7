//! Rules that make columns and lines: ages, values, aggregates, guide prices, gates, items.

use super::money::Window;
use super::types::RuleHead;
use super::within::WithinRule;
use crate::domain::{Basis, Cell, Fraction, Rounding, Terms};
use crate::law::expr::Expr;
use std::sync::Arc;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgeAt {
    /// First day of the service month.
    MonthStart,
    /// Last day of the service month.
    MonthEnd,
    /// First day of the spell.
    SpellStart,
    /// The last 1 September on or before the end of the month.
    SeptemberFirst,
    /// First day of the term the end of the month lies in.
    TermStart(Terms),
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
    /// The date of the row that chooses among the hidden values of its versions, if it is dated by
    /// row.
    pub dated_by: Option<Arc<str>>,
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
    /// What earlier months of a window were paid of an item, in fen.
    PaidToDate(Arc<str>, Window),
    /// How many earlier months of a window were paid something of an item.
    PaidMonths(Arc<str>, Window),
}

impl Aggregate {
    /// The item whose lines of earlier months are read, with the window.
    #[must_use]
    pub const fn of_history(&self) -> Option<(&Arc<str>, Window)> {
        match self {
            Self::PaidToDate(item, window) | Self::PaidMonths(item, window) => {
                Some((item, *window))
            }
            _ => None,
        }
    }
}

/// Rows of a basis taken together by equal values: the rows of a basis of its own (S2).
#[derive(Debug, Clone)]
pub struct GroupingRule {
    /// Head.
    pub head: RuleHead,
    /// The basis it makes.
    pub basis: Basis,
    /// The basis whose rows are grouped.
    pub of: Basis,
    /// The columns whose values name a row, in order.
    pub by: Vec<GroupKey>,
    /// Bases whose row all members share, so that a row of the grouping determines it.
    pub shared: Vec<Basis>,
    /// Declared tables that hold all of `by`: their rows belong to the row with their values.
    pub tables: Vec<Basis>,
}

/// One column that names a row of a grouping.
#[derive(Debug, Clone)]
pub struct GroupKey {
    /// The column, on the grouping and where it is read.
    pub column: Arc<str>,
    /// Chinese name.
    pub alias: Arc<str>,
    /// Its value on the basis grouped.
    pub expr: Expr,
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

impl PriceRule {
    /// Which part of the price a column holds: `ceiling`, `floor`, `fee`, `over` or `under`.
    #[must_use]
    pub fn part_of<'c>(&self, basis: &Basis, column: &'c str) -> Option<&'c str> {
        let part = column.strip_prefix(&*self.head.id)?.strip_prefix('.')?;
        let known = matches!(part, "ceiling" | "floor" | "fee" | "over" | "under");
        (self.basis == *basis && known).then_some(part)
    }
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
    /// Whom it is paid to; `None` = the institution of the row.
    pub payee: Option<PayeeRule>,
    /// Funding split id.
    pub funding: Arc<str>,
    /// Instrument of DOMAIN 1.
    pub instrument: Arc<str>,
    /// Recorded, never paid.
    pub in_kind: bool,
    /// Whether an amount below zero is legal (S14).
    pub any_sign: bool,
    /// What the amount is a total of, for an item due to date.
    pub to_date: Option<ToDateRule>,
    /// What its lines are called on the schedule.
    pub kind: ItemKind,
    /// Value ids shown as columns of the entitlement file.
    pub trace: Vec<Arc<str>>,
}

/// Whom an item is paid to, where it is not the institution of the row (S10).
#[derive(Debug, Clone)]
pub struct PayeeRule {
    /// The payee's id on each row of the item's basis, a key.
    pub id: Expr,
    /// Whether the id is a child's or a person's reference, which no output shows.
    pub person: bool,
}

/// What the lines of an item are on the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// Money of the month.
    Original,
    /// A part of a total.
    Instalment,
    /// Money recovered under a rule.
    Clawback,
}

/// An item whose amount is the total due to date: what was paid of it before is deducted.
#[derive(Debug, Clone)]
pub struct ToDateRule {
    /// What the total runs over: the year or the life of the row.
    pub window: Window,
    /// The parts it is paid in, in order; none = all of it is due at once.
    pub parts: Vec<PartRule>,
    /// Items whose payments to date are deducted as well.
    pub less: Vec<Arc<str>>,
    /// The item whose payments bound what is taken back.
    pub recovers: Option<Arc<str>>,
    /// True: what a short budget took from earlier payments is due again.
    pub restore: bool,
}

/// One part of a total.
#[derive(Debug, Clone)]
pub struct PartRule {
    /// Its share; those of a rule sum to one.
    pub share: Fraction,
    /// Which rows it is due on.
    pub when: Expr,
    /// Its own clause, or empty.
    pub clause: Arc<str>,
}

/// One thing to evaluate; steps come in an order in which each reads only earlier ones.
#[derive(Debug, Clone)]
pub enum Step {
    /// A value.
    Value(Arc<ValueRule>),
    /// An aggregate.
    Aggregate(Arc<AggregateRule>),
    /// A column made from the rows of a group.
    Within(Arc<WithinRule>),
    /// A grouping: its rows stand from here on.
    Grouping(Arc<GroupingRule>),
    /// A guide price.
    Price(Arc<PriceRule>),
    /// A gate.
    Gate(Arc<GateRule>),
    /// An item: gates combined, amount, line rounding.
    Item(Arc<SubsidyRule>),
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
