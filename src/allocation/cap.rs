//! Caps 封顶 on money or on a quantity, over a key row and a window.
//!
//! * A cap on money bounds the net sum of the lines under a key row. Apportioned by largest
//!   remainder, the lines above zero bear the cut in proportion to their fen. In a queue the lines
//!   are served in order until the limit is used up; the line at the edge keeps what is left.
//! * A cap on a quantity bounds what the lines use up. In a queue a line that does not fit wholly
//!   keeps `fen x left / quantity`, floored to the fen. By largest remainder the sum kept is `sum x
//!   limit / quantity`, floored to the fen, and the cut is borne in proportion to the fen. A
//!   quantity that is null or not above zero uses nothing up, and its line keeps its money.
//! * On key `line` each line stands alone against its own limit, by the same formulas.
//! * A window longer than the month is used up by its other months too, see [`super::window`].

use super::lines::{Bound, Groups, Line, Lines, Tally};
use super::queue::{Queue, part, serve};
use super::rows::{Figure, evaluate, gcd};
use super::window::{NOTHING, across, cut_uses, note, of_history, used_before, used_up};
use super::{AllocationError, Cut, PostedLine};
use crate::domain::{Basis, Fraction, KeyRows, Month, RowError};
use crate::history::Past;
use crate::law::{Apportion, CapRule, Window};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

const REASON: &str = "cap_exhausted";

/// Applies one cap.
pub(super) fn cap(
    lines: &mut Lines,
    rule: &CapRule,
    posted: &[PostedLine],
    past: &Past<'_>,
    month: Month,
) -> Result<(), AllocationError> {
    let items = lines.money_items(&rule.items);
    let quantities = quantities(lines, rule, &items);
    match &rule.key {
        None => each_line(lines, rule, &items, &quantities, past, month),
        Some(key) => {
            let used = used_before(lines, rule, key, posted, past, month)?;
            shared(lines, rule, key, &items, &quantities, &used)
        }
    }
}

/// What each line uses up, by item and row; `None` for a cap on money.
type Quantities = Option<BTreeMap<usize, Vec<Figure>>>;

/// Evaluates the quantities of the live lines; a line whose quantity has no value is refused.
fn quantities(lines: &mut Lines, rule: &CapRule, items: &[usize]) -> Quantities {
    let exprs = rule.quantity.as_ref()?;
    let mut all = BTreeMap::new();
    for item in items {
        let list = &lines.entitlements.items[*item];
        let mut figures = vec![Figure::None; list.status.len()];
        if let Some(expr) = exprs.get(&list.item) {
            let rows = live_rows(lines, *item);
            let values = evaluate(expr, lines.frames, &list.basis, &rows, &lines.law.calendar);
            for (row, value) in rows.iter().zip(values) {
                figures[*row as usize] = value;
                if let Figure::Error(error) = value {
                    lines.refuse(*item, *row as usize, error);
                }
            }
        }
        all.insert(*item, figures);
    }
    Some(all)
}

fn live_rows(lines: &Lines, item: usize) -> Vec<u32> {
    lines.live(item).filter_map(|(row, _)| u32::try_from(row).ok()).collect()
}

/// Exact numbers brought to whole counts of one unit, so that the stages compare integers.
#[derive(Debug, Clone, Copy)]
struct Unit(i128);

impl Unit {
    /// The unit of a cap on money is the fen: a limit between two fen is floored.
    const FEN: Self = Self(1);

    /// The smallest unit in which all figures are whole.
    fn of<'f>(figures: impl Iterator<Item = &'f Figure>) -> Option<Self> {
        let mut unit: i128 = 1;
        for figure in figures {
            if let Figure::Is(value) = figure
                && unit % value.den != 0
            {
                let den = value.reduced().den;
                unit = (unit / gcd(unit, den)).checked_mul(den)?;
            }
        }
        Some(Self(unit))
    }

    /// A figure in whole units, floored; `None` for null, in error, or beyond 128 bits.
    fn count(self, figure: Figure) -> Option<i128> {
        match figure {
            Figure::Is(value) => Some(value.num.checked_mul(self.0)?.div_euclid(value.den)),
            _ => None,
        }
    }
}

/// Key `line`: each line against the limit on its own row, less what it used up in other months.
fn each_line(
    lines: &mut Lines,
    rule: &CapRule,
    items: &[usize],
    quantities: &Quantities,
    past: &Past<'_>,
    month: Month,
) -> Result<(), AllocationError> {
    let id = &rule.head.id;
    let overflow = || AllocationError::overflow(id);
    let (cutter, reason) = (lines.cutter(id), lines.reason(REASON));
    let mut bounds: BTreeMap<u32, Bound> = BTreeMap::new();
    for item in items {
        let mut rows = live_rows(lines, *item);
        let basis = lines.entitlements.items[*item].basis.clone();
        let mut before = match rule.window {
            Window::Month => None,
            _ => Some(of_history(lines, rule, &basis, past, month)?),
        };
        if before.is_some() {
            // Rows that cannot be told apart in another month use up one limit, in order of values.
            in_order(lines, *item, &mut rows);
        }
        let mut limits = evaluate(&rule.limit, lines.frames, &basis, &rows, &lines.law.calendar);
        for limit in &mut limits {
            *limit = limit.rounded(rule.round);
        }
        let used = quantities.as_ref().and_then(|all| all.get(item));
        let mut noted = vec![NOTHING; lines.entitlements.items[*item].status.len()];
        for (row, limit) in rows.iter().zip(limits) {
            let place = *row as usize;
            if let Figure::Error(error) = limit {
                lines.refuse(*item, place, error);
                continue;
            }
            let fen = lines.entitlements.items[*item].allocated[place];
            let figure = used.map(|figures| figures[place]);
            let gone = match &before {
                Some((keys, used)) => used.get(keys.at(place)).copied().unwrap_or(NOTHING),
                None => NOTHING,
            };
            let figures = [figure.unwrap_or(Figure::None), limit, Figure::Is(gone)];
            let unit = match figure {
                None => Unit::FEN,
                Some(_) => Unit::of(figures.iter()).ok_or_else(overflow)?,
            };
            let left = unit.count(Figure::Is(gone)).ok_or_else(overflow)?;
            let left = unit.count(limit).map(|limit| (limit - left).max(0));
            let used = figure.map_or(Some(i128::from(fen)), |f| unit.count(f)).unwrap_or(0);
            let mut gone_now = used.max(0);
            if let Some(left) = left {
                let kept = part(fen, used, left).ok_or_else(overflow)?;
                gone_now = used_up(fen, kept, gone_now, left);
                if kept < fen {
                    let whole = |count: i128| i64::try_from(count / unit.0).map_err(|_| overflow());
                    let bound = bounds.entry(lines.payees[*item].at(place)).or_default();
                    add(bound, whole(used)?, whole(left)?, fen - kept).ok_or_else(overflow)?;
                    lines.leave(*item, place, kept, cutter, reason);
                }
            }
            if let Some((keys, used)) = &mut before {
                let amount = Fraction::new(gone_now, unit.0).ok_or_else(overflow)?.reduced();
                noted[place] = amount;
                if let Some(sum) = used.get_mut(keys.at(place)) {
                    *sum = sum.checked_add(amount).ok_or_else(overflow)?;
                }
            }
        }
        if before.is_some() && quantities.is_some() {
            lines.entitlements.items[*item].used.push((Arc::clone(id), noted));
        }
    }
    lines.record(id, "line", &bounds);
    Ok(())
}

/// Puts rows of an item in order of what tells them apart.
fn in_order(lines: &Lines, item: usize, rows: &mut [u32]) {
    let line = |row: &u32| Line {
        item: 0,
        row: *row,
        fen: lines.entitlements.items[item].allocated[*row as usize],
        used: 0,
    };
    let identity = &lines.identities[item];
    rows.sort_by(|a, b| {
        let (left, right) = (line(a), line(b));
        identity
            .compare(left.row as usize, right.row as usize)
            .then(right.fen.cmp(&left.fen))
            .then(left.row.cmp(&right.row))
    });
}

fn add(bound: &mut Bound, before: i64, limit: i64, cut: i64) -> Option<()> {
    bound.rows += 1;
    bound.before = bound.before.checked_add(before)?;
    bound.limit = bound.limit.checked_add(limit)?;
    bound.cut = bound.cut.checked_add(cut)?;
    Some(())
}

/// A key row shares the cap.
fn shared(
    lines: &mut Lines,
    rule: &CapRule,
    key: &Basis,
    items: &[usize],
    quantities: &Quantities,
    before: &[Fraction],
) -> Result<(), AllocationError> {
    let id = &rule.head.id;
    let overflow = || AllocationError::overflow(id);
    let count = lines.frames.get(key).map_or(0, |frame| frame.rows).max(1);
    let mut keyed: Vec<(usize, KeyRows)> = Vec::with_capacity(items.len());
    for item in items {
        let of = lines.keys_of(*item, key, id)?;
        let rows = lines.entitlements.items[*item].status.len();
        keyed.push((*item, if rule.across { across(lines, of, rows) } else { of }));
    }
    let money = |_, _, fen: i64| i128::from(fen);
    let mut tallies = lines.tally(&keyed, count, money).ok_or_else(overflow)?;
    let limits = limits(lines, rule, key, &keyed, &tallies);
    let unit = match quantities {
        None => Unit::FEN,
        Some(all) => {
            let before: Vec<Figure> = before.iter().copied().map(Figure::Is).collect();
            let figures = all.values().flatten().chain(&limits).chain(&before);
            Unit::of(figures).ok_or_else(overflow)?
        }
    };
    let used = |item: usize, row: usize, fen: i64| match quantities {
        None => i128::from(fen),
        Some(all) => all.get(&item).and_then(|f| unit.count(f[row])).unwrap_or(0).max(0),
    };
    if quantities.is_some() {
        tallies = lines.tally(&keyed, count, used).ok_or_else(overflow)?;
    }
    let left: Vec<Option<i128>> = limits
        .iter()
        .zip(before)
        .map(|(limit, before)| {
            let before = unit.count(Figure::Is(*before))?;
            unit.count(*limit).map(|limit| (limit - before).max(0))
        })
        .collect();
    let binding: Vec<bool> =
        left.iter().zip(&tallies).map(|(left, all)| left.is_some_and(|l| all.used > l)).collect();
    let groups = match quantities {
        None => lines.grouped(&keyed, &binding, &tallies, money),
        Some(_) => lines.grouped(&keyed, &binding, &tallies, used),
    };
    let limit_of = |key: u32| left[key as usize].unwrap_or(i128::MAX);
    let kept = match &rule.apportion {
        Apportion::Queue(order) => {
            let queue = Queue::new(lines, &keyed, order, id)?;
            serve(lines, &groups, &queue, quantities.is_some(), &limit_of, id)?
        }
        Apportion::LargestRemainder => {
            let cuts =
                cuts(&groups, &tallies, quantities.is_some(), &limit_of).ok_or_else(overflow)?;
            lines.shared(&groups, |key| cuts.get(&key).copied().unwrap_or(0), id)?
        }
    };
    let whole = |count: i128| i64::try_from(count / unit.0).map_err(|_| overflow());
    let mut bounds: BTreeMap<u32, Bound> = BTreeMap::new();
    let mut whole_settlement = Bound::default();
    for (slot, key_row) in groups.keys.iter().enumerate() {
        let group = groups.of(slot);
        let mut cuts = group.iter().zip(&kept[slot]).map(|(line, kept)| line.fen - kept);
        let cut = cuts.try_fold(0_i64, i64::checked_add).ok_or_else(overflow)?;
        // A key over several institutions is told at the first of them by id.
        let homes = group.iter().map(|line| lines.payees[line.item as usize].at(line.row as usize));
        let place = |home: &u32| lines.owners.rank.get(*home as usize).copied();
        let Some(home) = homes.min_by_key(place) else { continue };
        let bound = if *key == Basis::Programme {
            &mut whole_settlement
        } else {
            let of = if *key == Basis::Institution { *key_row } else { home };
            bounds.entry(of).or_default()
        };
        let before = whole(tallies[*key_row as usize].used)?;
        add(bound, before, whole(limit_of(*key_row))?, cut).ok_or_else(overflow)?;
    }
    if let Some(all) = quantities.as_ref().filter(|_| rule.window != Window::Month) {
        let queue = matches!(rule.apportion, Apportion::Queue(_));
        let cut = cut_uses(&groups, &kept, queue, &limit_of, unit.0).ok_or_else(overflow)?;
        let whole_line = |item: usize, row: usize| match all.get(&item).map(|figures| figures[row])
        {
            Some(Figure::Is(value)) if value.num > 0 => Some(value.reduced()),
            _ => Some(NOTHING),
        };
        note(lines, rule, items, &whole_line, &cut).ok_or_else(overflow)?;
    }
    let (cutter, reason) = (lines.cutter(id), lines.reason(REASON));
    lines.apply(&groups, &kept, cutter, reason);
    lines.record(id, key.name(), &bounds);
    if whole_settlement.rows > 0 {
        lines.cuts.push(Cut {
            rule: Arc::clone(id),
            institution: None,
            key: Basis::Programme.name().to_owned(),
            before: whole_settlement.before,
            limit: whole_settlement.limit,
            cut_fen: whole_settlement.cut,
        });
    }
    Ok(())
}

/// Limits of the key rows that have lines, one entry a key row; lines under a limit without a value
/// are refused.
fn limits(
    lines: &mut Lines,
    rule: &CapRule,
    key: &Basis,
    keyed: &[(usize, KeyRows)],
    tallies: &[Tally],
) -> Vec<Figure> {
    let with_lines = (0_u32..).zip(tallies).filter(|(_, tally)| tally.lines > 0);
    let rows: Vec<u32> = with_lines.map(|(row, _)| row).collect();
    let values = evaluate(&rule.limit, lines.frames, key, &rows, &lines.law.calendar);
    let mut limits = vec![Figure::None; tallies.len()];
    let mut errors: BTreeMap<u32, RowError> = BTreeMap::new();
    for (row, value) in rows.iter().zip(values) {
        let value = value.rounded(rule.round);
        limits[*row as usize] = value;
        if let Figure::Error(error) = value {
            errors.insert(*row, error);
        }
    }
    if !errors.is_empty() {
        for (item, keys) in keyed {
            for row in live_rows(lines, *item) {
                if let Some(error) = errors.get(&keys.at(row as usize)) {
                    lines.refuse(*item, row as usize, *error);
                }
            }
        }
    }
    limits
}

/// What each group must give up, by key row.
fn cuts(
    groups: &Groups,
    tallies: &[Tally],
    by_quantity: bool,
    limit_of: &dyn Fn(u32) -> i128,
) -> Option<FxHashMap<u32, i64>> {
    let mut cuts = FxHashMap::default();
    for (slot, key) in groups.keys.iter().enumerate() {
        let (total, limit) = (tallies[*key as usize].used, limit_of(*key));
        let cut = if by_quantity {
            let using = groups.of(slot).iter().filter(|line| line.used > 0);
            let sum: i128 = using.map(|line| i128::from(line.fen.max(0))).sum();
            sum - sum.checked_mul(limit)?.div_euclid(total)
        } else {
            total - limit
        };
        cuts.insert(*key, i64::try_from(cut).ok()?);
    }
    Some(cuts)
}

#[cfg(test)]
mod tests {
    use super::Unit;
    use crate::allocation::rows::Figure;
    use crate::domain::Fraction;

    #[test]
    fn figures_are_counted_in_one_unit() {
        let half = Figure::Is(Fraction { num: 1, den: 2 });
        let third = Figure::Is(Fraction { num: 7, den: 3 });
        let unit = Unit::of([half, third, Figure::None].iter()).expect("small");
        assert_eq!((unit.0, unit.count(half), unit.count(third)), (6, Some(3), Some(14)));
        assert_eq!(Unit::FEN.count(third), Some(2));
        assert_eq!(Unit::FEN.count(Figure::None), None);
    }
}
