//! Budget shortage: what happens when the money does not reach.
//!
//! How S8 ("shortage before the split") is read here:
//!
//! * A shortage with a `limit` expression and no `sources` bounds the whole need. It cuts the needs
//!   of (institution, item); the split then divides what is left, so both its margins hold.
//! * A shortage bound to sources needs to know what each source is asked for, so the needs are
//!   split first and the cells of the short sources are cut: by budget balance each source is its
//!   own bound, by expression the named sources share one. The other sources pay their full part.
//!   The lines then bear what their (institution, item) lost.
//! * `prorata` cuts all claims by largest remainder, so the parts left sum to the bound exactly;
//!   equal remainders go by institution id, item, source. `queue` serves institutions in order; the
//!   one at the edge shares what is left among its own claims. `carry` serves institutions in order
//!   and carries one that does not fit whole, with all its sources; those behind it are still
//!   served when they fit.
//! * Claims are sums above zero: a receivable does not widen the budget. A source without a budget
//!   line of the fiscal year is not bounded (its cells show no budget line); a null limit is none.

use super::claims::{Claim, Outcome, share_out};
use super::lines::Lines;
use super::rows::{Figure, evaluate};
use super::split::{Cells, Needs, Splits};
use super::{AllocationError, BudgetLine, Cut};
use crate::domain::{Basis, Month, RowError, Stored, compare_cells};
use crate::law::{ShortageMethod, ShortageRule};
use std::cmp::Ordering;
use std::sync::Arc;

/// One bound: the sources that share it (`None` = the whole need) and its fen.
#[derive(Debug, Clone)]
struct Bound {
    sources: Option<Vec<u32>>,
    limit: i64,
    name: String,
}

/// A shortage rule with its bounds in fen.
#[derive(Debug)]
pub(super) struct Shortage {
    rule: Arc<str>,
    method: ShortageMethod,
    bounds: Vec<Bound>,
}

impl Shortage {
    fn whole_need(&self) -> bool {
        self.bounds.iter().any(|bound| bound.sources.is_none())
    }
}

/// Evaluates the bounds. A limit without a value refuses every line the shortage stands over.
pub(super) fn bounds(
    lines: &mut Lines,
    splits: &Splits,
    rules: &[Arc<ShortageRule>],
    budget: &[BudgetLine],
    month: Month,
) -> Result<Vec<Shortage>, AllocationError> {
    let mut shortages = Vec::with_capacity(rules.len());
    for rule in rules {
        let id = &rule.head.id;
        let named = |source: &Arc<str>| rule.sources.is_empty() || rule.sources.contains(source);
        let sources: Vec<u32> = (0_u32..)
            .zip(&splits.sources)
            .filter(|(_, source)| named(source))
            .map(|(place, _)| place)
            .collect();
        let mut bounds = Vec::new();
        if let Some(limit) = &rule.limit {
            let calendar = &lines.law.calendar;
            let figure = evaluate(limit, lines.frames, &Basis::Programme, &[0], calendar);
            match figure.first() {
                Some(Figure::Is(value)) => {
                    let fen = i64::try_from(value.num.div_euclid(value.den))
                        .map_err(|_| AllocationError::overflow(id))?;
                    bounds.push(Bound {
                        sources: (!rule.sources.is_empty()).then_some(sources),
                        limit: fen.max(0),
                        name: Basis::Programme.name().to_owned(),
                    });
                }
                Some(Figure::Error(error)) => refuse(lines, splits, &sources, *error),
                Some(Figure::None) | None => {}
            }
        } else {
            for source in sources {
                let name = &splits.sources[source as usize];
                let balance =
                    balance(name, budget, month).map_err(|Beyond| AllocationError::overflow(id))?;
                bounds.extend(balance.map(|limit| Bound {
                    sources: Some(vec![source]),
                    limit: limit.max(0),
                    name: format!("source {name}"),
                }));
            }
        }
        shortages.push(Shortage { rule: Arc::clone(id), method: rule.method.clone(), bounds });
    }
    Ok(shortages)
}

/// A sum beyond 64 bits.
struct Beyond;

/// Balance of a source in the fiscal year of the month; `None` without a budget line.
fn balance(source: &str, budget: &[BudgetLine], month: Month) -> Result<Option<i64>, Beyond> {
    let mut sum = None;
    for line in budget {
        if line.source == source && line.fiscal_year == month.year() {
            sum = Some(sum.unwrap_or(0_i64).checked_add(line.balance_fen).ok_or(Beyond)?);
        }
    }
    Ok(sum)
}

fn refuse(lines: &mut Lines, splits: &Splits, sources: &[u32], error: RowError) {
    for item in 0..lines.entitlements.items.len() {
        let under = splits
            .of_item(item)
            .is_some_and(|split| split.sources.iter().any(|source| sources.contains(source)));
        if under {
            let rows: Vec<usize> = lines.live(item).map(|(row, _)| row).collect();
            for row in rows {
                lines.refuse(item, row, error);
            }
        }
    }
}

/// Payees in the order of the method's columns, ties by id.
fn payee_order(lines: &Lines, shortage: &Shortage) -> Result<Vec<u32>, AllocationError> {
    let mut order = lines.owners.in_order.clone();
    let (ShortageMethod::Queue(columns) | ShortageMethod::Carry(columns)) = &shortage.method else {
        return Ok(order);
    };
    let frame = lines.frames.get(&Basis::Institution);
    let mut stored: Vec<(&Stored, bool)> = Vec::with_capacity(columns.len());
    for (name, descending) in columns {
        let column = frame.and_then(|frame| frame.get(name));
        let column = column.ok_or_else(|| AllocationError::OrderColumnMissing {
            rule: Arc::clone(&shortage.rule),
            column: Arc::clone(name),
            basis: Basis::Institution,
        })?;
        stored.push((column, *descending));
    }
    let institutions = lines.owners.institutions;
    // A payee that is no institution has none of these columns: it comes after them, by id.
    let is_other = |row: &u32| *row as usize >= institutions;
    order.sort_by(|a, b| {
        if is_other(a) || is_other(b) {
            return is_other(a).cmp(&is_other(b));
        }
        stored
            .iter()
            .map(|(column, descending)| {
                let order = compare_cells(column, *a as usize, column, *b as usize);
                if *descending { order.reverse() } else { order }
            })
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    });
    Ok(order)
}

/// Shortages over the whole need: cut before the split.
pub(super) fn cut_needs(
    lines: &mut Lines,
    needs: &mut Needs,
    shortages: &[Shortage],
) -> Result<(), AllocationError> {
    for shortage in shortages.iter().filter(|shortage| shortage.whole_need()) {
        let mut claims = Vec::new();
        for institution in (0_u32..).take(lines.owners.rows) {
            for (item, need) in (0_u32..).zip(&needs.need) {
                let fen = need[institution as usize];
                if fen > 0 {
                    claims.push(Claim { institution, item, cell: 0, bound: Some(0), fen });
                }
            }
        }
        let outcome = settle(lines, shortage, &claims)?;
        for (claim, cut) in claims.iter().zip(&outcome.cut) {
            let (item, at) = (claim.item as usize, claim.institution as usize);
            needs.need[item][at] -= cut;
            if outcome.carried {
                needs.carried[item][at] += cut;
            }
        }
    }
    Ok(())
}

/// Shortages bound to sources: cut the cells of the split.
pub(super) fn cut_sources(
    lines: &mut Lines,
    splits: &Splits,
    cells: &mut Cells,
    shortages: &[Shortage],
) -> Result<(), AllocationError> {
    for shortage in shortages.iter().filter(|shortage| !shortage.whole_need()) {
        let mut claims = Vec::new();
        for row in &cells.rows {
            let Some(split) = splits.of_item(row.item as usize) else { continue };
            for (offset, source) in split.sources.iter().enumerate() {
                let fen = cells.fen[row.start + offset];
                let bound = shortage.bounds.iter().position(|bound| {
                    bound.sources.as_ref().is_some_and(|sources| sources.contains(source))
                });
                if fen > 0 {
                    claims.push(Claim {
                        institution: row.institution,
                        item: row.item,
                        cell: row.start + offset,
                        bound,
                        fen,
                    });
                }
            }
        }
        let outcome = settle(lines, shortage, &claims)?;
        for (claim, cut) in claims.iter().zip(&outcome.cut) {
            cells.fen[claim.cell] -= cut;
            let bearer = if outcome.carried { &mut cells.carried } else { &mut cells.cut };
            bearer[claim.cell] += cut;
        }
    }
    Ok(())
}

/// Shares out, cuts the lines, and records what happened.
fn settle(
    lines: &mut Lines,
    shortage: &Shortage,
    claims: &[Claim],
) -> Result<Outcome, AllocationError> {
    let overflow = || AllocationError::overflow(&shortage.rule);
    let limits: Vec<i64> = shortage.bounds.iter().map(|bound| bound.limit).collect();
    let order = payee_order(lines, shortage)?;
    let rank = lines.owners.rank.clone();
    let outcome =
        share_out(claims, &limits, &shortage.method, &order, &rank).ok_or_else(overflow)?;
    let cutter = lines.cutter(&shortage.rule);
    let reason = lines.reason(if outcome.carried { "carried_over" } else { "budget_exhausted" });
    let mut by_item: Vec<Vec<i64>> =
        vec![vec![0; lines.owners.rows]; lines.entitlements.items.len()];
    for (claim, cut) in claims.iter().zip(&outcome.cut) {
        by_item[claim.item as usize][claim.institution as usize] += cut;
    }
    for (item, cuts) in by_item.iter().enumerate() {
        if cuts.iter().all(|cut| *cut == 0) {
            continue;
        }
        lines.cut_item(item, cuts, cutter, reason, &shortage.rule)?;
        if outcome.carried {
            let item = u32::try_from(item).unwrap_or(u32::MAX);
            let carried = (0_u32..).zip(cuts).filter(|(_, fen)| **fen > 0);
            lines.carried.extend(carried.map(|(institution, fen)| (institution, item, *fen)));
        }
    }
    for short in &outcome.shorts {
        let name = &shortage.bounds[short.bound].name;
        let key = short
            .institution
            .map_or_else(|| name.clone(), |row| format!("{}, {name}", lines.owners.named(row)));
        lines.cuts.push(Cut {
            rule: Arc::clone(&shortage.rule),
            institution: short.institution,
            key,
            before: short.before,
            limit: short.limit,
            cut_fen: short.cut,
        });
    }
    Ok(outcome)
}
