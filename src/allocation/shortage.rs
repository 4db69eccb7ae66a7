//! Budget shortage: what happens when the money does not reach.
//!
//! How S8 ("shortage before the split") is read here:
//!
//! * A shortage with a `limit` expression and no `sources` bounds the whole need. It cuts the needs
//!   of (institution, item); the split then divides what is left, so both its margins hold.
//! * A shortage bound to sources needs to know what each source is asked for, so the needs are
//!   split first and the cells of the short sources are cut: by budget balance each source is its own
//!   bound, by expression the named sources share one. The other sources pay their full part.
//!   The lines then bear what their (institution, item) lost.
//! * `prorata` cuts all claims by largest remainder, so the parts left sum to the bound exactly;
//!   equal remainders go by institution id, item, source. `queue` serves institutions in order; the
//!   one at the edge shares what is left among its own claims. `carry` serves institutions in order
//!   and carries one that does not fit whole, with all its sources; those behind it are still
//!   served when they fit.
//! * Claims are sums above zero: a receivable does not widen the budget. A source without a budget
//!   line of the fiscal year is not bounded (its cells show no budget line); a null limit is none.

use super::lines::Lines;
use super::rows::{Figure, apportion, compare_cells, evaluate};
use super::split::{Cells, Needs, Splits};
use super::{AllocationError, BudgetLine, Cut};
use crate::domain::{Basis, Month, RowError, Stored};
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

/// Money asked for by one institution and item (from one source).
#[derive(Debug, Clone, Copy)]
struct Claim {
    institution: u32,
    item: u32,
    /// Cell, for claims on sources.
    cell: usize,
    /// Bound it falls under; `None` = carried along with its institution only.
    bound: Option<usize>,
    fen: i64,
}

/// What one bound did to one institution (`None` = to the whole settlement).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Short {
    institution: Option<u32>,
    bound: usize,
    before: i64,
    limit: i64,
    cut: i64,
}

/// Cut fen by claim, whether the cut is carried, and what to tell people.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    cut: Vec<i64>,
    carried: bool,
    shorts: Vec<Short>,
}

/// Shares short money among claims. `order` lists institution rows in the order of the queue, `rank`
/// their order of ids. Claims stand in order of (institution, item, source). `None` on overflow.
fn share_out(
    claims: &[Claim],
    limits: &[i64],
    method: &ShortageMethod,
    order: &[u32],
    rank: &[u32],
) -> Option<Outcome> {
    let mut outcome = Outcome { cut: vec![0; claims.len()], ..Outcome::default() };
    let mut totals = vec![0_i64; limits.len()];
    for claim in claims {
        if let Some(bound) = claim.bound {
            totals[bound] = totals[bound].checked_add(claim.fen)?;
        }
    }
    if totals.iter().zip(limits).all(|(total, limit)| total <= limit) {
        return Some(outcome);
    }
    match method {
        ShortageMethod::ProRata => {
            for (bound, (total, limit)) in totals.iter().zip(limits).enumerate() {
                if total > limit {
                    let under = under(claims, 0..claims.len(), bound);
                    cut_among(claims, &under, total - limit, rank, &mut outcome.cut)?;
                    outcome.shorts.push(Short {
                        institution: None,
                        bound,
                        before: *total,
                        limit: *limit,
                        cut: total - limit,
                    });
                }
            }
        }
        ShortageMethod::Queue(_) => {
            for (bound, limit) in limits.iter().enumerate() {
                let mut left = *limit;
                for (institution, range) in runs(claims, order) {
                    let under = under(claims, range, bound);
                    let need: i64 = under.iter().map(|place| claims[*place].fen).sum();
                    if need > left {
                        cut_among(claims, &under, need - left, rank, &mut outcome.cut)?;
                        outcome.shorts.push(Short {
                            institution: Some(institution),
                            bound,
                            before: need,
                            limit: left,
                            cut: need - left,
                        });
                    }
                    left = (left - need).max(0);
                }
            }
        }
        ShortageMethod::Carry(_) => {
            outcome.carried = true;
            let mut left = limits.to_vec();
            for (institution, range) in runs(claims, order) {
                let mut needs = vec![0_i64; limits.len()];
                for claim in &claims[range.clone()] {
                    if let Some(bound) = claim.bound {
                        needs[bound] += claim.fen;
                    }
                }
                let short = (0..limits.len()).find(|bound| needs[*bound] > left[*bound]);
                let Some(bound) = short else {
                    for (left, need) in left.iter_mut().zip(needs) {
                        *left -= need;
                    }
                    continue;
                };
                let mut carried = 0_i64;
                for place in range {
                    outcome.cut[place] = claims[place].fen;
                    carried = carried.checked_add(claims[place].fen)?;
                }
                outcome.shorts.push(Short {
                    institution: Some(institution),
                    bound,
                    before: needs[bound],
                    limit: left[bound],
                    cut: carried,
                });
            }
        }
    }
    Some(outcome)
}

/// Places of the claims under a bound.
fn under(claims: &[Claim], range: std::ops::Range<usize>, bound: usize) -> Vec<usize> {
    range.filter(|place| claims[*place].bound == Some(bound)).collect()
}

/// The claims of each institution, institutions in the order given; those without claims are left out.
fn runs<'c>(
    claims: &'c [Claim],
    order: &'c [u32],
) -> impl Iterator<Item = (u32, std::ops::Range<usize>)> + 'c {
    order.iter().filter_map(|institution| {
        let start = claims.partition_point(|claim| claim.institution < *institution);
        let end = claims.partition_point(|claim| claim.institution <= *institution);
        (start < end).then_some((*institution, start..end))
    })
}

/// Cuts some claims in proportion; ties by institution id, item, source.
fn cut_among(
    claims: &[Claim],
    places: &[usize],
    cut: i64,
    rank: &[u32],
    cuts: &mut [i64],
) -> Option<()> {
    let weights: Vec<i64> = places.iter().map(|place| claims[*place].fen).collect();
    let key = |place: usize| {
        let claim = &claims[places[place]];
        (rank.get(claim.institution as usize).copied(), claim.item, claim.cell)
    };
    let parts = apportion(cut, &weights, |a, b| key(a).cmp(&key(b)))?;
    for (place, part) in places.iter().zip(parts) {
        cuts[*place] = part;
    }
    Some(())
}

/// Institutions in the order of the method's columns, ties by id.
fn institution_order(lines: &Lines, shortage: &Shortage) -> Result<Vec<u32>, AllocationError> {
    let mut order = lines.institutions.in_order.clone();
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
    order.sort_by(|a, b| {
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
        for institution in (0_u32..).take(lines.institutions.rows) {
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
    let order = institution_order(lines, shortage)?;
    let rank = lines.institutions.rank.clone();
    let outcome =
        share_out(claims, &limits, &shortage.method, &order, &rank).ok_or_else(overflow)?;
    let cutter = lines.cutter(&shortage.rule);
    let reason = lines.reason(if outcome.carried { "carried_over" } else { "budget_exhausted" });
    let mut by_item: Vec<Vec<i64>> =
        vec![vec![0; lines.institutions.rows]; lines.entitlements.items.len()];
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
        let key = short.institution.map_or_else(
            || name.clone(),
            |row| format!("institution {}, {name}", lines.institutions.text(row)),
        );
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

#[cfg(test)]
mod tests {
    use super::{Claim, Outcome, Short, share_out};
    use crate::law::ShortageMethod;

    fn claim(institution: u32, item: u32, bound: usize, fen: i64) -> Claim {
        Claim { institution, item, cell: 0, bound: Some(bound), fen }
    }

    fn share(claims: &[Claim], limits: &[i64], method: &ShortageMethod, order: &[u32]) -> Outcome {
        let rank: Vec<u32> = (0..20).collect();
        share_out(claims, limits, method, order, &rank).expect("small sums")
    }

    /// DOMAIN 4.7: 1,234,567.89 yuan of 14 claims against 1,000,000.00.
    #[test]
    fn fourteen_claims_share_the_budget_exactly() {
        let fen: [i64; 14] = [
            8_818_342, 8_818_342, 8_818_342, 8_818_342, 8_818_342, 8_818_342, 8_818_342, 8_818_342,
            8_818_342, 8_818_342, 8_818_342, 8_818_342, 8_818_342, 8_818_343,
        ];
        assert_eq!(fen.iter().sum::<i64>(), 123_456_789);
        let claims: Vec<Claim> =
            (0_u32..).zip(fen).map(|(institution, fen)| claim(institution, 0, 0, fen)).collect();
        let order: Vec<u32> = (0..14).collect();
        let outcome = share(&claims, &[100_000_000], &ShortageMethod::ProRata, &order);
        let paid: Vec<i64> =
            claims.iter().zip(&outcome.cut).map(|(claim, cut)| claim.fen - cut).collect();
        assert_eq!(paid.iter().sum::<i64>(), 100_000_000);
        // 8,818,342 x 10^8 / 123,456,789 = 7,142,857.08: cut 1,675,484.92 each, so all but one or
        // two bear 1,675,485. The cut is 23,456,789 = 14 x 1,675,484 + 13; the last claim's exact
        // cut 1,675,485.11 floors to 1,675,485, so 12 of the 13 others bear a fen more.
        assert_eq!(outcome.cut[..12], [1_675_485; 12]);
        assert_eq!(outcome.cut[12..], [1_675_484, 1_675_485]);
        let short = Short {
            institution: None,
            bound: 0,
            before: 123_456_789,
            limit: 100_000_000,
            cut: 23_456_789,
        };
        assert_eq!(outcome.shorts, [short]);
    }

    #[test]
    fn a_queue_serves_in_order_and_shares_the_edge() {
        let claims =
            [claim(0, 0, 0, 50), claim(0, 1, 0, 25), claim(1, 0, 0, 60), claim(2, 0, 0, 10)];
        // Institution 1 first: 60 of 100; 40 are left for 75: 50 and 25 share the cut of 35 by
        // 23.33 and 11.67; institution 2 gets nothing.
        let outcome = share(&claims, &[100], &ShortageMethod::Queue(vec![]), &[1, 0, 2]);
        assert_eq!(outcome.cut, [23, 12, 0, 10]);
        assert!(!outcome.carried);
    }

    #[test]
    fn an_institution_that_does_not_fit_whole_is_carried() {
        let mut claims =
            vec![claim(0, 0, 0, 50), claim(0, 0, 1, 50), claim(1, 0, 0, 60), claim(2, 0, 0, 10)];
        claims[1].bound = None;
        // 60 of 100 to institution 1; 50 do not fit into 40, so both sources of institution 0 are
        // carried; institution 2 still fits.
        let outcome = share(&claims, &[100], &ShortageMethod::Carry(vec![]), &[1, 0, 2]);
        assert_eq!(outcome.cut, [50, 50, 0, 0]);
        assert!(outcome.carried);
        let short = Short { institution: Some(0), bound: 0, before: 50, limit: 40, cut: 100 };
        assert_eq!(outcome.shorts, [short]);
    }

    #[test]
    fn sources_are_bounded_each_by_itself() {
        let claims =
            [claim(0, 0, 0, 50), claim(0, 0, 1, 50), claim(1, 0, 0, 50), claim(1, 0, 1, 50)];
        let outcome = share(&claims, &[100, 61], &ShortageMethod::ProRata, &[0, 1]);
        // 39 fen over two equal claims: the odd one to the first.
        assert_eq!(outcome.cut, [0, 20, 0, 19]);
    }

    #[test]
    fn enough_money_cuts_nothing() {
        let claims = [claim(0, 0, 0, 50)];
        for method in
            [ShortageMethod::ProRata, ShortageMethod::Queue(vec![]), ShortageMethod::Carry(vec![])]
        {
            let outcome = share(&claims, &[50], &method, &[0]);
            assert_eq!(outcome, Outcome { cut: vec![0], ..Outcome::default() });
        }
    }
}
