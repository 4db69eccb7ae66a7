//! Control totals: every identity a settlement must satisfy, and `control.csv` 对账单.
//!
//! A mismatch is a bug of ours and fails the run (exit 70); both sides of each are told.

mod sheet;

pub(super) use sheet::sheet;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::register::{NOBODY, Register};
use super::tally::{Tallies, Tally};
use super::{Publication, PublishError};
use crate::subsidy::LineStatus;

/// What became of the rows of one input table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableUse {
    /// Table.
    pub table: Arc<str>,
    /// Data rows in its files.
    pub read: u64,
    /// Rows that took part in the settlement.
    pub used: u64,
    /// Rows that were typed and not needed (another month, nobody's attendance).
    pub unused: u64,
    /// Rows that could not be typed.
    pub refused: u64,
}

/// Fen posted since the start of the fiscal year, before this run, by scope and key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct YearToDate {
    /// By institution id.
    pub by_institution: BTreeMap<String, i64>,
    /// By item.
    pub by_item: BTreeMap<String, i64>,
    /// By funding source.
    pub by_source: BTreeMap<String, i64>,
    /// By 指标文号.
    pub by_budget_line: BTreeMap<String, i64>,
    /// All.
    pub total: i64,
}

/// One identity that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What was compared, over which key.
    pub what: String,
    /// Left side and its value.
    pub left: (&'static str, i128),
    /// Right side and its value.
    pub right: (&'static str, i128),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((left, a), (right, b)) = (self.left, self.right);
        write!(f, "{}: {left} is {a}, {right} is {b}, they differ by {}", self.what, a - b)
    }
}

/// The control totals that do not tie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlMismatch {
    /// Every identity that fails, in the order of the checks.
    pub mismatches: Vec<Mismatch>,
}

impl fmt::Display for ControlMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "control totals do not tie; nothing is published")?;
        for mismatch in self.mismatches.iter().take(20) {
            write!(f, "\n  {mismatch}")?;
        }
        if self.mismatches.len() > 20 {
            write!(f, "\n  and {} more", self.mismatches.len() - 20)?;
        }
        Ok(())
    }
}

impl std::error::Error for ControlMismatch {}

/// The totals of a settlement, all identities checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Control {
    /// All entitlement lines.
    pub lines: Tally,
    /// Allocated fen that are paid in money.
    pub cash_fen: i64,
    /// Amounts recorded in kind, fen.
    pub in_kind_fen: i64,
    /// Sum of the schedule lines, fen.
    pub payable_fen: i64,
    /// Sum of the payments, fen.
    pub payments_fen: i64,
    /// Of these, held.
    pub held_fen: i64,
    /// Identities checked.
    pub checks: u64,
}

/// Collects mismatches.
#[derive(Default)]
struct Checks {
    done: u64,
    failed: Vec<Mismatch>,
}

impl Checks {
    fn equal(
        &mut self,
        what: impl FnOnce() -> String,
        left: (&'static str, i128),
        right: (&'static str, i128),
    ) {
        self.done += 1;
        if left.1 != right.1 {
            self.failed.push(Mismatch { what: what(), left, right });
        }
    }
}

/// Checks every identity of a settlement.
///
/// # Errors
/// Every identity that fails.
pub(super) fn control(
    run: &Publication<'_>,
    register: &Register,
    tallies: &Tallies,
) -> Result<Control, PublishError> {
    let mut checks = Checks::default();
    check_tables(run, &mut checks);
    let lines = check_lines(run, tallies, &mut checks)?;
    check_funding(run, register, tallies, &mut checks);
    check_schedule(run, tallies, &mut checks)?;
    let payments_fen = check_payments(run, &mut checks);
    if !checks.failed.is_empty() {
        return Err(PublishError::Control(ControlMismatch { mismatches: checks.failed }));
    }
    let mut made = Control { lines, checks: checks.done, ..Control::default() };
    for (at, face) in tallies.items.iter().enumerate() {
        let sum = tallies.sum(None, Some(at))?;
        if face.in_kind {
            made.in_kind_fen = add(made.in_kind_fen, sum.amount)?;
        } else {
            made.cash_fen = add(made.cash_fen, sum.allocated)?;
        }
    }
    for line in &run.schedule.lines {
        made.payable_fen = add(made.payable_fen, line.payable_fen)?;
    }
    made.payments_fen = i64::try_from(payments_fen).map_err(|_| PublishError::Overflow)?;
    for payment in &run.schedule.payments {
        let payee = run.schedule.payees.get(payment.payee as usize);
        if payee.is_some_and(|payee| !payee.hold_reason.is_empty()) {
            made.held_fen = add(made.held_fen, payment.amount_fen)?;
        }
    }
    Ok(made)
}

fn add(sum: i64, more: i64) -> Result<i64, PublishError> {
    sum.checked_add(more).ok_or(PublishError::Overflow)
}

/// Read = used + unused + refused, and what is read is what intake counted.
fn check_tables(run: &Publication<'_>, checks: &mut Checks) {
    for table in run.usage {
        let parts = i128::from(table.used) + i128::from(table.unused) + i128::from(table.refused);
        let what = || format!("rows of table {}", table.table);
        let read = i128::from(table.read);
        checks.equal(what, ("read", read), ("used + unused + refused", parts));
        let counted = run.tables.get(&table.table).map_or(0, |t| i128::from(t.rows_read));
        checks.equal(what, ("read", read), ("read by intake", counted));
    }
    for (name, table) in &run.tables.by_name {
        let listed = run.usage.iter().any(|used| used.table == *name);
        let what = || format!("table {name} in the control totals");
        let counted = i128::from(table.rows_read);
        checks.equal(
            what,
            ("rows read", counted),
            ("rows listed", if listed { counted } else { 0 }),
        );
    }
}

/// Every line is paid, zero or refused; every refusal has a reason.
fn check_lines(
    run: &Publication<'_>,
    tallies: &Tallies,
    checks: &mut Checks,
) -> Result<Tally, PublishError> {
    let sum = tallies.sum(None, None)?;
    let mut counted = 0_i128;
    for lines in run.months.iter().flat_map(|month| &month.entitlements.items) {
        let present = lines.status.iter().filter(|status| **status != LineStatus::Absent).count();
        counted += i128::try_from(present).unwrap_or(i128::MAX);
    }
    let parts = i128::from(sum.paid) + i128::from(sum.zero) + i128::from(sum.refused);
    checks.equal(
        || "entitlement lines".to_owned(),
        ("lines", counted),
        ("paid + zero + refused", parts),
    );
    for (name, reasons, total) in [
        ("refused", &tallies.refused_by_reason, sum.refused),
        ("zero", &tallies.zero_by_reason, sum.zero),
    ] {
        let with_reason: u64 =
            reasons.iter().filter(|(reason, _)| !reason.is_empty()).map(|(_, n)| n).sum();
        checks.equal(
            || format!("lines that are {name}"),
            ("lines", i128::from(total)),
            ("lines with a reason", i128::from(with_reason)),
        );
    }
    Ok(sum)
}

/// Each allocated fen has a source, for every month, institution and item.
fn check_funding(
    run: &Publication<'_>,
    register: &Register,
    tallies: &Tallies,
    checks: &mut Checks,
) {
    for (number, month) in run.months.iter().enumerate() {
        let mut funded: FxHashMap<(u32, usize), i128> = FxHashMap::default();
        for cell in &month.allocation.cells {
            let lines = month.entitlements.items.get(cell.item as usize);
            let item = lines.and_then(|l| tallies.items.iter().position(|f| f.id == l.item));
            let owner = register.of_frame_row(number, cell.institution);
            *funded.entry((owner, item.unwrap_or(usize::MAX))).or_default() += i128::from(cell.fen);
        }
        let owners = u32::try_from(register.len()).unwrap_or(NOBODY);
        for owner in (0..owners).chain(std::iter::once(NOBODY)) {
            for (at, face) in tallies.items.iter().enumerate() {
                let allocated = tallies.cell(number, owner, at).allocated;
                let allocated = if face.in_kind { 0 } else { i128::from(allocated) };
                let given = funded.remove(&(owner, at)).unwrap_or(0);
                let what = || {
                    let id = register.institutions.get(owner as usize).map_or("nobody", |i| &*i.id);
                    format!("{} of institution {id}, item {}", month.month, face.id)
                };
                checks.equal(what, ("allocated fen", allocated), ("funded fen", given));
            }
        }
        let left: i128 = funded.values().sum();
        let what = || format!("{} funding of items without lines", month.month);
        checks.equal(what, ("allocated fen", 0), ("funded fen", left));
    }
}

/// The schedule pays what was allocated: by item and by source, the lines of the months settled
/// themselves are the allocation and what a shortage carried to the next period (that leaves again by
/// `CARRY_OUT` lines); their gross is the entitlement.
fn check_schedule(
    run: &Publication<'_>,
    tallies: &Tallies,
    checks: &mut Checks,
) -> Result<(), PublishError> {
    let mut original = Sums::default();
    for line in &run.schedule.lines {
        let of_months = run.months.iter().any(|month| month.month == line.source_period);
        if line.kind.is_of_month() && of_months {
            original.item(&line.item, line.payable_fen, line.gross_fen);
            original.source(&line.source, line.payable_fen);
        }
        let made = i128::from(line.gross_fen) - i128::from(line.cut_fen)
            + i128::from(line.carried_in_fen)
            - i128::from(line.carried_out_fen);
        let what = || format!("schedule line {}", line.line_no);
        let payable = i128::from(line.payable_fen);
        checks.equal(what, ("payable", payable), ("gross - cut + carried in - carried out", made));
    }
    let mut settled = Sums::default();
    for (at, face) in tallies.items.iter().enumerate().filter(|(_, face)| !face.in_kind) {
        let sum = tallies.sum(None, Some(at))?;
        settled.item(&face.id, sum.allocated, sum.amount);
    }
    for month in &run.months {
        let allocation = month.allocation;
        let source = |at: u32| allocation.sources.get(at as usize).map_or("", |source| source);
        for cell in &allocation.cells {
            settled.source(source(cell.source), cell.fen);
        }
        for share in allocation.shares.iter().filter(|share| share.carried_fen != 0) {
            let item = month.entitlements.items.get(share.cell.item as usize);
            let item = item.map_or("", |lines| &*lines.item);
            settled.item(item, share.carried_fen, 0);
            settled.source(source(share.cell.source), share.carried_fen);
        }
    }
    let items: BTreeSet<&str> =
        settled.by_item.keys().chain(original.by_item.keys()).copied().collect();
    for item in items {
        let of = |sums: &Sums<'_>| sums.by_item.get(item).copied().unwrap_or_default();
        let ((allocated, amount), (payable, gross)) = (of(&settled), of(&original));
        let what = || format!("schedule of item {item}");
        checks.equal(what, ("allocated and carried fen", allocated), ("payable fen", payable));
        checks.equal(what, ("entitled fen", amount), ("gross fen", gross));
    }
    let sources: BTreeSet<&str> =
        settled.by_source.keys().chain(original.by_source.keys()).copied().collect();
    for source in sources {
        let of = |sums: &Sums<'_>| sums.by_source.get(source).copied().unwrap_or(0);
        let what = || format!("schedule of source {source}");
        let (funded, payable) = (of(&settled), of(&original));
        checks.equal(what, ("funded and carried fen", funded), ("payable fen", payable));
    }
    Ok(())
}

/// Sums of one side: by item (payable, gross) and by source.
#[derive(Default)]
struct Sums<'a> {
    by_item: BTreeMap<&'a str, (i128, i128)>,
    by_source: BTreeMap<&'a str, i128>,
}

impl<'a> Sums<'a> {
    fn item(&mut self, item: &'a str, fen: i64, gross: i64) {
        let sum = self.by_item.entry(item).or_default();
        *sum = (sum.0 + i128::from(fen), sum.1 + i128::from(gross));
    }

    fn source(&mut self, source: &'a str, fen: i64) {
        *self.by_source.entry(source).or_default() += i128::from(fen);
    }
}

/// A payment is the sum of its lines. Returns the sum of all payments.
fn check_payments(run: &Publication<'_>, checks: &mut Checks) -> i128 {
    let mut sums = vec![(0_i128, 0_i128); run.schedule.payments.len()];
    for line in &run.schedule.lines {
        if let Some(sum) = sums.get_mut(line.payment as usize) {
            sum.0 += i128::from(line.payable_fen);
            sum.1 += 1;
        }
    }
    let mut total = 0;
    for (payment, (fen, lines)) in run.schedule.payments.iter().zip(sums) {
        let what = || format!("payment {}", payment.payment_no);
        let amount = i128::from(payment.amount_fen);
        checks.equal(what, ("its amount in fen", amount), ("its lines in fen", fen));
        checks.equal(what, ("its lines", i128::from(payment.lines)), ("lines naming it", lines));
        checks.equal(what, ("negative amount", amount.min(0)), ("zero", 0));
        total += amount;
    }
    total
}
