//! Control totals: every identity a settlement must satisfy, and `control.csv` 对账单.
//!
//! A mismatch is a bug of ours and fails the run (exit 70); both sides of each are told.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::register::{NOBODY, Register};
use super::sheet::{Sheet, Values};
use super::tally::{Tallies, Tally};
use super::{Publication, PublishError};
use crate::domain::{Fen, amount_in_words};
use crate::schedule::LineKind;
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

/// The schedule pays what was allocated: gross is the amounts, payable is the allocation.
fn check_schedule(
    run: &Publication<'_>,
    tallies: &Tallies,
    checks: &mut Checks,
) -> Result<(), PublishError> {
    let settled = |line: &&crate::schedule::ScheduleLine| {
        matches!(line.kind, LineKind::Original | LineKind::CarryOut)
            && run.months.iter().any(|month| month.month == line.source_period)
    };
    let mut by_item: FxHashMap<&str, i128> = FxHashMap::default();
    let mut by_source: BTreeMap<&str, i128> = BTreeMap::new();
    for line in run.schedule.lines.iter().filter(settled) {
        *by_item.entry(&line.item).or_default() += i128::from(line.payable_fen);
        *by_source.entry(&line.source).or_default() += i128::from(line.payable_fen);
    }
    for (at, face) in tallies.items.iter().enumerate() {
        let sum = tallies.sum(None, Some(at))?;
        let allocated = if face.in_kind { 0 } else { i128::from(sum.allocated) };
        let payable = by_item.remove(&*face.id).unwrap_or(0);
        let what = || format!("schedule of item {}", face.id);
        checks.equal(what, ("allocated fen", allocated), ("payable fen", payable));
    }
    let mut funded: BTreeMap<&str, i128> = BTreeMap::new();
    for month in &run.months {
        for cell in &month.allocation.cells {
            let source = month.allocation.sources.get(cell.source as usize);
            *funded.entry(source.map_or("", |s| s)).or_default() += i128::from(cell.fen);
        }
    }
    let sources: std::collections::BTreeSet<&str> =
        funded.keys().chain(by_source.keys()).copied().collect();
    for source in sources {
        let get = |map: &BTreeMap<&str, i128>| map.get(source).copied().unwrap_or(0);
        let what = || format!("schedule of source {source}");
        checks.equal(what, ("funded fen", get(&funded)), ("payable fen", get(&by_source)));
    }
    for line in &run.schedule.lines {
        let made = i128::from(line.gross_fen) - i128::from(line.cut_fen)
            + i128::from(line.carried_in_fen)
            - i128::from(line.carried_out_fen);
        let what = || format!("schedule line {}", line.line_no);
        let payable = i128::from(line.payable_fen);
        checks.equal(what, ("payable", payable), ("gross - cut + carried in - carried out", made));
    }
    Ok(())
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

/// Rows of `control.csv` in the making.
#[derive(Default)]
struct Rows {
    scope: Vec<String>,
    key: Vec<String>,
    counts: [Vec<Option<i64>>; 6],
    amount: Vec<Option<i64>>,
    words: Vec<String>,
    to_date: Vec<Option<i64>>,
}

impl Rows {
    fn push(
        &mut self,
        scope: &str,
        key: &str,
        counts: [Option<u64>; 6],
        money: Option<(i64, i64)>,
    ) {
        self.scope.push(scope.to_owned());
        self.key.push(key.to_owned());
        for (column, count) in self.counts.iter_mut().zip(counts) {
            column.push(count.map(|n| i64::try_from(n).unwrap_or(i64::MAX)));
        }
        self.amount.push(money.map(|(fen, _)| fen));
        self.words.push(money.map_or_else(String::new, |(fen, _)| amount_in_words(Fen(fen))));
        self.to_date.push(money.map(|(fen, before)| fen.saturating_add(before)));
    }
}

/// Counts of lines in the order of the columns: read, used, unused, refused, paid, zero.
fn counts(tally: Tally) -> [Option<u64>; 6] {
    let Tally { paid, zero, refused, .. } = tally;
    [None, Some(tally.lines()), None, Some(refused), Some(paid), Some(zero)]
}

/// `control.csv`: one row per input table, institution, item, source, budget line, and the total.
/// Money is what the schedule pays (corrections included), so that every scope sums to the total.
///
/// # Errors
/// When a sum overflows.
pub(super) fn sheet(
    run: &Publication<'_>,
    register: &Register,
    tallies: &Tallies,
    control: &Control,
) -> Result<Sheet, PublishError> {
    let mut rows = Rows::default();
    for table in run.usage {
        let TableUse { read, used, unused, refused, .. } = *table;
        let counts = [Some(read), Some(used), Some(unused), Some(refused), None, None];
        rows.push("table", &table.table, counts, None);
    }
    let paid = payable_by_scope(run)?;
    let before = run.year_to_date;
    let get = |map: &BTreeMap<String, i64>, key: &str| map.get(key).copied().unwrap_or(0);
    institution_rows(run, register, tallies, &paid.institution, &mut rows)?;
    let mut items: Vec<&str> = tallies.items.iter().map(|face| &*face.id).collect();
    items.extend(
        paid.item.keys().copied().filter(|id| !tallies.items.iter().any(|f| &*f.id == *id)),
    );
    for item in items {
        let at = tallies.items.iter().position(|face| &*face.id == item);
        let tally = at.map_or(Ok(Tally::default()), |at| tallies.sum(None, Some(at)))?;
        let fen = paid.item.get(item).copied().unwrap_or(0);
        rows.push("item", item, counts(tally), Some((fen, get(&before.by_item, item))));
    }
    for (source, fen) in &paid.source {
        rows.push("source", source, [None; 6], Some((*fen, get(&before.by_source, source))));
    }
    for (line, fen) in &paid.budget {
        rows.push("budget_line", line, [None; 6], Some((*fen, get(&before.by_budget_line, line))));
    }
    rows.push("total", "", counts(control.lines), Some((control.payable_fen, before.total)));
    Ok(rows.sheet())
}

fn institution_rows(
    run: &Publication<'_>,
    register: &Register,
    tallies: &Tallies,
    paid: &BTreeMap<&str, i64>,
    rows: &mut Rows,
) -> Result<(), PublishError> {
    let mut ids: BTreeMap<&str, u32> = BTreeMap::new();
    for (index, entry) in (0_u32..).zip(&register.institutions) {
        ids.insert(&entry.id, index);
    }
    for id in paid.keys() {
        ids.entry(id).or_insert(NOBODY);
    }
    for (id, index) in ids {
        let tally =
            if index == NOBODY { Tally::default() } else { tallies.sum(Some(index), None)? };
        let before = run.year_to_date.by_institution.get(id).copied().unwrap_or(0);
        let fen = paid.get(id).copied().unwrap_or(0);
        rows.push("institution", id, counts(tally), Some((fen, before)));
    }
    let nobody = tallies.sum(Some(u32::try_from(register.len()).unwrap_or(NOBODY)), None)?;
    if nobody.lines() > 0 {
        rows.push("institution", "", counts(nobody), Some((0, 0)));
    }
    Ok(())
}

impl Rows {
    fn sheet(self) -> Sheet {
        let mut sheet = Sheet::new("control", self.scope.len());
        sheet.put("scope", "范围", Values::Text(self.scope));
        sheet.put("key", "对象", Values::Text(self.key));
        let names = [
            ("rows_read", "读入行数"),
            ("rows_used", "使用行数"),
            ("rows_unused", "未用行数"),
            ("rows_refused", "不予补助行数"),
            ("rows_paid", "补助行数"),
            ("rows_zero", "零补助行数"),
        ];
        for ((name, label), column) in names.into_iter().zip(self.counts) {
            sheet.put(name, label, Values::MaybeInt(column));
        }
        sheet.put("amount_fen", "金额", Values::MaybeFen(self.amount));
        sheet.put("amount_in_words", "人民币大写", Values::Text(self.words));
        sheet.put("year_to_date_fen", "本年累计", Values::MaybeFen(self.to_date));
        sheet
    }
}

struct Payable<'a> {
    institution: BTreeMap<&'a str, i64>,
    item: BTreeMap<&'a str, i64>,
    source: BTreeMap<&'a str, i64>,
    budget: BTreeMap<&'a str, i64>,
}

fn payable_by_scope<'a>(run: &'a Publication<'_>) -> Result<Payable<'a>, PublishError> {
    let schedule = run.schedule;
    let mut made = Payable {
        institution: BTreeMap::new(),
        item: BTreeMap::new(),
        source: BTreeMap::new(),
        budget: BTreeMap::new(),
    };
    for line in &schedule.lines {
        let payee = schedule.payees.get(line.payee as usize).map_or("", |p| &*p.institution_id);
        let budget = schedule.budget_lines.get(line.budget_line as usize);
        let keys = [
            (&mut made.institution, payee),
            (&mut made.item, &*line.item),
            (&mut made.source, &*line.source),
            (&mut made.budget, budget.map_or("", |b| &*b.budget_doc_no)),
        ];
        for (map, key) in keys {
            let sum = map.entry(key).or_default();
            *sum = add(*sum, line.payable_fen)?;
        }
    }
    Ok(made)
}
