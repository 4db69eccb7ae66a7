//! The funding sources of what is refunded and corrected.

use super::compare::Change;
use crate::allocation::{BudgetLine, MonthInput, PostedLine};
use crate::domain::{CodeList, largest_remainder};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Refund and correction of one institution, item and source of a closed month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectedCell {
    /// Institution.
    pub institution_id: Arc<str>,
    /// Item.
    pub item: Arc<str>,
    /// Funding source, or empty.
    pub source: Arc<str>,
    /// The posted fen of the lines that changed, as paid (the REFUND line bears it negated).
    pub refund_fen: i64,
    /// What they come to now.
    pub correction_fen: i64,
    /// 指标文号 that bears the difference, or empty ([`draw`] chooses it).
    pub budget_doc_no: Arc<str>,
    /// Version of the rule they were paid under, several joined by `; `.
    pub old_rule: Arc<str>,
    /// Version of the rule they are due under.
    pub new_rule: Arc<str>,
}

/// Fen by source.
type BySource = BTreeMap<Arc<str>, i64>;

/// Institution id and item.
type Cell = (Arc<str>, Arc<str>);

/// Fen by institution and item, by source.
type Cells = FxHashMap<Cell, BySource>;

/// Divides the changes of a month over its funding sources. `month` is the month as settled now,
/// `posted` everything posted before (lines of other months are left out). With `every`, institutions
/// none of whose lines changed are looked at too: where the law changed a split may have changed alone,
/// and a split fixed on the whole settlement moves with any line. `None` when a sum does not fit 64
/// bits.
#[must_use]
pub fn correct(
    texts: &CodeList,
    changes: &[Change],
    month: &MonthInput<'_>,
    posted: &[PostedLine],
    every: bool,
) -> Option<Vec<CorrectedCell>> {
    let mut touched = touched(texts, changes)?;
    // A split that is fixed on an institution's total hands its last fen to one item or another: every
    // item of an institution that is touched is looked at.
    let wanted: BTreeSet<&str> = touched.keys().map(|(institution, _)| &**institution).collect();
    let wanted = |id: &str| every || wanted.contains(id);
    let paid = paid(posted, month, &wanted)?;
    let due = due(month, &wanted)?;
    for key in paid.keys().chain(due.keys()) {
        touched.entry(key.clone()).or_default();
    }
    let none = BySource::new();
    let mut cells = Vec::new();
    for (key, of) in &touched {
        let (paid, due) = (paid.get(key).unwrap_or(&none), due.get(key).unwrap_or(&none));
        cells.extend(divide(key, of, paid, due, &month.allocation.sources)?);
    }
    Some(cells)
}

/// What changed of one institution and item.
#[derive(Debug, Default)]
struct Touched {
    old_fen: i64,
    new_fen: i64,
    old_rules: BTreeSet<Arc<str>>,
    new_rules: BTreeSet<Arc<str>>,
}

fn touched(texts: &CodeList, changes: &[Change]) -> Option<BTreeMap<Cell, Touched>> {
    let shared =
        |code: u32| texts.texts().get(code as usize).cloned().unwrap_or_else(|| Arc::from(""));
    let mut all: BTreeMap<Cell, Touched> = BTreeMap::new();
    for change in changes {
        let key = (shared(change.key.paid_to()), shared(change.key.item));
        let of = all.entry(key).or_default();
        of.old_fen = of.old_fen.checked_add(change.old_fen())?;
        of.new_fen = of.new_fen.checked_add(change.new_fen())?;
        of.old_rules.extend(change.old.map(|side| shared(side.rule)));
        of.new_rules.extend(change.new.map(|side| shared(side.rule)));
    }
    Some(all)
}

/// What was posted for the month, first payments and corrections of it together.
fn paid(
    posted: &[PostedLine],
    month: &MonthInput<'_>,
    wanted: &dyn Fn(&str) -> bool,
) -> Option<Cells> {
    let mut cells = Cells::default();
    for line in posted.iter().filter(|line| line.source_period == month.month) {
        let counts = matches!(&*line.line_kind, "ORIGINAL" | "REFUND" | "CORRECTION");
        if !counts || !wanted(&line.institution_id) {
            continue;
        }
        let key = (Arc::from(&*line.institution_id), Arc::from(&*line.item));
        let fen = cells.entry(key).or_default().entry(Arc::from(&*line.source)).or_default();
        *fen = fen.checked_add(line.payable_fen)?;
    }
    Some(cells)
}

/// What the month settled now gives each source.
fn due(month: &MonthInput<'_>, wanted: &dyn Fn(&str) -> bool) -> Option<Cells> {
    let mut cells = Cells::default();
    for cell in &month.allocation.cells {
        let id = month.entitlements.owner(month.frames, cell.institution);
        let item = &month.entitlements.items[cell.item as usize].item;
        if !wanted(&id) {
            continue;
        }
        let source = &month.allocation.sources[cell.source as usize];
        let key = (Arc::from(id), Arc::clone(item));
        let fen = cells.entry(key).or_default().entry(Arc::clone(source)).or_default();
        *fen = fen.checked_add(cell.fen)?;
    }
    Some(cells)
}

/// Refund and correction by source: what is refunded is shared as it was paid, and each source's
/// correction is its refund and what the source owes more or less than it paid.
fn divide(
    (institution_id, item): &Cell,
    of: &Touched,
    paid: &BySource,
    due: &BySource,
    order: &[Arc<str>],
) -> Option<Vec<CorrectedCell>> {
    let mut sources: Vec<Arc<str>> = order
        .iter()
        .filter(|source| paid.contains_key(*source) || due.contains_key(*source))
        .cloned()
        .collect();
    for source in paid.keys().chain(due.keys()) {
        if !sources.contains(source) {
            sources.push(Arc::clone(source));
        }
    }
    if sources.is_empty() {
        sources.push(Arc::from(""));
    }
    let at = |of: &BySource| -> Vec<i64> {
        sources.iter().map(|source| of.get(source).copied().unwrap_or(0)).collect()
    };
    let (paid, due) = (at(paid), at(due));
    let more = of.new_fen.checked_sub(of.old_fen)?;
    let sum = |fen: &[i64]| fen.iter().try_fold(0_i64, |sum, fen| sum.checked_add(*fen));
    let differences: Vec<i64> = if sum(&due)? == sum(&paid)?.checked_add(more)? {
        due.iter().zip(&paid).map(|(due, paid)| due.checked_sub(*paid)).collect::<Option<_>>()?
    } else {
        // A past cut stands between the two settlements: only the difference is shared.
        share(more, if due.iter().any(|fen| *fen != 0) { &due } else { &paid })
    };
    // No source's refund or correction is below zero where the lines themselves are not.
    let plain = of.old_fen >= 0 && of.new_fen >= 0;
    let least: Vec<i64> =
        differences.iter().map(|more| if plain { (-more).max(0) } else { 0 }).collect();
    let rest = of.old_fen.checked_sub(sum(&least)?)?;
    let shared = if plain && rest <= 0 { vec![0; least.len()] } else { share(rest, &paid) };
    let mut cells = Vec::with_capacity(sources.len());
    for (((source, more), least), shared) in
        sources.into_iter().zip(differences).zip(least).zip(shared)
    {
        let refund_fen = least.checked_add(shared)?;
        let correction_fen = refund_fen.checked_add(more)?;
        if refund_fen == 0 && correction_fen == 0 {
            continue;
        }
        cells.push(CorrectedCell {
            institution_id: Arc::clone(institution_id),
            item: Arc::clone(item),
            source,
            refund_fen,
            correction_fen,
            budget_doc_no: Arc::from(""),
            old_rule: joined(&of.old_rules),
            new_rule: joined(&of.new_rules),
        });
    }
    Some(cells)
}

fn joined(rules: &BTreeSet<Arc<str>>) -> Arc<str> {
    match rules.first() {
        Some(only) if rules.len() == 1 => Arc::clone(only),
        _ => Arc::from(rules.iter().map(|rule| &**rule).collect::<Vec<_>>().join("; ")),
    }
}

/// `fen` by weights, largest remainder; all to the first where no weight is above zero.
fn share(fen: i64, weights: &[i64]) -> Vec<i64> {
    let weights: Vec<i64> = weights.iter().map(|weight| weight.max(&0)).copied().collect();
    largest_remainder(fen, &weights).unwrap_or_else(|| {
        let mut parts = vec![0; weights.len()];
        if let Some(first) = parts.first_mut() {
            *first = fen;
        }
        parts
    })
}

/// Chooses the budget lines of corrections: those of the period that pays (S25), in order of 指标文号,
/// each institution and source on the first that has money left. What one takes, the next does not
/// find; the last takes the rest, as it does of first payments.
pub fn draw(corrections: &mut [super::Correction], budget: &[BudgetLine], fiscal_year: i32) {
    let mut purses: BTreeMap<&str, Vec<(&str, i64)>> = BTreeMap::new();
    for line in budget.iter().filter(|line| line.fiscal_year == fiscal_year) {
        let purse = purses.entry(&line.source).or_default();
        match purse.iter_mut().find(|(doc, _)| *doc == line.budget_doc_no) {
            Some((_, balance)) => *balance = balance.saturating_add(line.balance_fen),
            None => purse.push((&line.budget_doc_no, line.balance_fen)),
        }
    }
    for purse in purses.values_mut() {
        purse.sort_unstable();
    }
    for cell in corrections.iter_mut().flat_map(|of| &mut of.cells) {
        let Some(purse) = purses.get_mut(&*cell.source) else { continue };
        let last = purse.len() - 1;
        let at = purse.iter().position(|(_, balance)| *balance > 0).unwrap_or(last);
        let (doc, balance) = &mut purse[at];
        cell.budget_doc_no = Arc::from(*doc);
        // What an institution owes does not widen the budget.
        let more = cell.correction_fen.saturating_sub(cell.refund_fen).max(0);
        *balance = balance.saturating_sub(more);
    }
}
