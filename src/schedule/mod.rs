//! Schedule: allocation and posted lines in, schedule lines and payments out (FORMATS 3, S28).
//!
//! In: frames, allocations, posted lines, pay date law. Out: [`Schedule`]. Order: after
//! `allocation`. Never: computes an amount, talks to a bank.
//!
//! # How the lines come about
//!
//! * Each funding share of a service month is an ORIGINAL line (INSTALMENT or CLAWBACK where the item
//!   says so), also when it was cut to zero; an institution without gross has no line. On every line
//!   `gross - cut + carried_in - carried_out = payable`.
//! * What a `carry` shortage carried stands in the ORIGINAL line and leaves by a `CARRY_OUT` line,
//!   so the two of them pay nothing now.
//! * What changed of a closed month is a REFUND line of the fen that were posted, negated, and a
//!   CORRECTION line of those due now, on the budget line of the period that pays (S24, S25).
//! * A `CARRY_OUT` posted in an earlier period and not brought in since comes in as `CARRY_IN`,
//!   money owed to the institution above zero, money it owes below.
//! * A payment is the sum of the lines of one (payee, account, source, budget line, pay date).
//!   Where it would be negative, or more would be taken back than the law allows in a period,
//!   `CARRY_OUT` lines (of a negative `carried_out`) move receivables on: the newest, and of one month
//!   the smallest, so that the oldest and largest are offset first (S27).
//! * A payee that must not be paid yet keeps its payments; they say why they are held.

mod batches;
mod drafts;
mod offsets;
mod pay_date;
mod payees;
mod payments;
mod quantities;
mod write_offs;

pub use crate::allocation::MonthInput;
pub use batches::{BATCH_MOST, batch_number, batch_of_part, batch_part, batch_stem, message_id};
pub use pay_date::pay_date;
pub use payees::PAYEE_ALIAS;

use crate::allocation::{BudgetLine, PostedLine};
use crate::domain::{CalendarError, Date, Month};
use crate::job::{CodeRule, WriteOff};
use crate::retro::Correction;
use std::sync::Arc;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineKind {
    /// The money of a service month, paid for the first time.
    Original,
    /// The new amount of a closed month.
    Correction,
    /// The old amount of a closed month, negated.
    Refund,
    /// Brought in from an earlier period.
    CarryIn,
    /// Moved to a later period.
    CarryOut,
    /// Recovered under a rule.
    Clawback,
    /// A part of a total paid in parts.
    Instalment,
    /// A debt that is given up (S27).
    WriteOff,
}

impl LineKind {
    /// Whether such a line is the money of the service month it names, paid for the first time.
    #[must_use]
    pub const fn is_of_month(self) -> bool {
        matches!(self, Self::Original | Self::Instalment | Self::Clawback)
    }

    /// The word in outputs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Original => "ORIGINAL",
            Self::Correction => "CORRECTION",
            Self::Refund => "REFUND",
            Self::CarryIn => "CARRY_IN",
            Self::CarryOut => "CARRY_OUT",
            Self::Clawback => "CLAWBACK",
            Self::Instalment => "INSTALMENT",
            Self::WriteOff => "WRITE_OFF",
        }
    }
}

/// A payee of the period: the institution's payment data (version in force on the last service
/// month).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Payee {
    /// Institution id as delivered.
    pub institution_id: Arc<str>,
    /// 机构名称.
    pub institution_name: Arc<str>,
    /// 户名.
    pub account_name: Arc<str>,
    /// 账号.
    pub account_no: Arc<str>,
    /// 开户行.
    pub bank_name: Arc<str>,
    /// 联行号.
    pub bank_no: Arc<str>,
    /// Why nothing may be released yet, or empty (`account_missing`, `bank_no_invalid`,
    /// `sanctioned` …).
    pub hold_reason: Arc<str>,
}

/// One schedule line; grain (institution, item, line kind, source period, source, budget line).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleLine {
    /// 1-based number, in order of (institution id, item order, kind, source period, source, budget
    /// line).
    pub line_no: u32,
    /// Index into [`Schedule::payees`].
    pub payee: u32,
    /// Kind.
    pub kind: LineKind,
    /// Service month the money is for.
    pub source_period: Month,
    /// Item id.
    pub item: Arc<str>,
    /// Sum of the lines' quantities as shown text (exact decimal), or empty.
    pub quantity: Arc<str>,
    /// The rate when all paid lines share one, in fen.
    pub rate_fen: Option<i64>,
    /// Sum of amounts before cuts: this line's share of them (by the same split), fen.
    pub gross_fen: i64,
    /// Cut by exclusions, caps and shortage, this line's share, fen (>= 0).
    pub cut_fen: i64,
    /// Brought in.
    pub carried_in_fen: i64,
    /// Moved out.
    pub carried_out_fen: i64,
    /// `gross - cut + carried_in - carried_out`.
    pub payable_fen: i64,
    /// Funding source, or empty.
    pub source: Arc<str>,
    /// Index into [`Schedule::budget_lines`], or `u32::MAX`.
    pub budget_line: u32,
    /// Pay date.
    pub pay_on: Option<Date>,
    /// Rule version (`id@effective/known`).
    pub rule_version: Arc<str>,
    /// Index into [`Schedule::payments`], or `u32::MAX` (zero lines, nothing to pay).
    pub payment: u32,
}

/// One payment (S28): lines of one (payee, account, source, budget line, pay date), never below
/// zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// `P` + running number in order, e.g. `2026-09-000001`.
    pub payment_no: String,
    /// Stable key, at most 35 characters of `[0-9A-Za-z]`: a hash of (job id, period, payee,
    /// account, source, budget line, pay date), unchanged by a rerun.
    pub end_to_end_id: String,
    /// Index into [`Schedule::payees`].
    pub payee: u32,
    /// Index into [`Schedule::budget_lines`], or `u32::MAX`.
    pub budget_line: u32,
    /// Source, or empty.
    pub source: Arc<str>,
    /// Pay date.
    pub pay_on: Option<Date>,
    /// Fen, above zero.
    pub amount_fen: i64,
    /// Number of lines.
    pub lines: u32,
}

/// The result of the room for a settlement period.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    /// Payees, sorted by institution id.
    pub payees: Vec<Payee>,
    /// Budget lines of the period.
    pub budget_lines: Vec<crate::allocation::BudgetLine>,
    /// Lines in order.
    pub lines: Vec<ScheduleLine>,
    /// Payments in order of (institution id, source order, budget line, pay date).
    pub payments: Vec<Payment>,
}

/// Why a period cannot be scheduled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The pay date needs work days that are not published.
    #[error("pay date: {0}; add the year's arrangement to the calendar")]
    Calendar(#[from] CalendarError),
    /// The base month is shorter than the rule asks for.
    #[error("pay date: {month} has {found} work days; expected at least {wanted}")]
    WorkdayMissing {
        /// Base month.
        month: Month,
        /// Work days it has.
        found: u32,
        /// The n-th asked for.
        wanted: u32,
    },
    /// No work day within a year of the date to roll.
    #[error("pay date: no work day near {date}; expected one within a year")]
    NeverOpen {
        /// Date that should have been rolled.
        date: Date,
    },
    /// A sum is beyond what the engine counts with.
    #[error("institution {institution_id}: a sum of money or quantities does not fit")]
    Overflow {
        /// Institution.
        institution_id: Arc<str>,
    },
}

/// Plans the schedule lines and payments of a settlement period.
///
/// `months` are the service months of the period in order; the pay date law and the payment data of
/// the payees are those of the last. `posted` holds the lines of earlier periods (only what was
/// carried out and not brought in matters; lines of `period` itself are left out). `corrections` are
/// those of closed months, in order of months; `write_offs` the debts that are given up; `codes` the
/// economic classification of payees and items, where it is not the indicator's own.
///
/// # Errors
/// See [`ScheduleError`].
pub fn plan(
    job_id: &str,
    period: Month,
    months: &[MonthInput],
    posted: &[PostedLine],
    corrections: &[Correction],
    (write_offs, codes): (&[WriteOff], &[CodeRule]),
) -> Result<Schedule, ScheduleError> {
    let pay_on = match months.last() {
        Some(last) => match last.law.segments.iter().find_map(|law| law.pay_date.as_ref()) {
            Some(rule) => Some(pay_date(rule, period, &last.law.calendar)?),
            None => None,
        },
        None => None,
    };
    let posted: Vec<&PostedLine> = posted.iter().filter(|line| line.period < period).collect();
    let mut drafts = drafts::draft(months, &posted, corrections)?;
    drafts.classify(codes);
    let rules = months.last().map(|last| &last.law.segments);
    let offset = rules.and_then(|laws| laws.iter().find_map(|law| law.offset.as_deref()));
    payments::pay(job_id, period, pay_on, (offset, write_offs), drafts)
}

/// Whether two budget lines are one but for the balance.
fn same_budget_line(a: &BudgetLine, b: &BudgetLine) -> bool {
    let codes = |line: &BudgetLine| BudgetLine { balance_fen: 0, amount_fen: None, ..line.clone() };
    codes(a) == codes(b)
}
