//! Windows longer than a month: what other months used up of a cap, and what this one uses up.
//!
//! Money over an institution or the programme is read from the posted lines, anything finer and every
//! quantity from the history. Items due to date are left out: their total holds what was paid before.

use super::lines::{Groups, Line, Lines};
use super::{AllocationError, PostedLine};
use crate::domain::{Basis, Column, Fraction, Frame, Key, KeyRows, Month};
use crate::history::{Counted, Past, RowKeys, used_of};
use crate::law::{CapRule, Window};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::sync::Arc;

pub(super) const NOTHING: Fraction = Fraction { num: 0, den: 1 };

/// Items of a cap whose other months count.
fn counted(lines: &Lines, rule: &CapRule) -> Vec<Arc<str>> {
    let total = |item: &Arc<str>| {
        lines.rules.iter().flatten().any(|of| of.head.id == *item && of.to_date.is_some())
    };
    rule.items.iter().filter(|item| !total(item)).cloned().collect()
}

/// What the other months of the window used up, one entry a row of the key.
pub(super) fn used_before(
    lines: &Lines,
    rule: &CapRule,
    key: &Basis,
    posted: &[PostedLine],
    past: &Past<'_>,
    month: Month,
) -> Result<Vec<Fraction>, AllocationError> {
    let rows = lines.frames.get(key).map_or(0, |frame| frame.rows).max(1);
    if rule.window == Window::Month {
        return Ok(vec![NOTHING; rows]);
    }
    if rule.reads_posted() {
        let used = of_posted(lines, rule, key, posted, month)?;
        return Ok((0..rows)
            .map(|row| {
                let of = u32::try_from(row).ok().and_then(|row| lines.owners.key(row));
                let of = (*key == Basis::Institution).then_some(of).flatten();
                Fraction::whole(i128::from(used.get(&of).copied().unwrap_or(0)))
            })
            .collect());
    }
    let (keys, used) = of_history(lines, rule, key, past, month)?;
    Ok((0..rows).map(|row| used.get(keys.at(row)).copied().unwrap_or(NOTHING)).collect())
}

/// Fen posted for the other months of the window, by institution id (programme: under no id).
fn of_posted(
    lines: &Lines,
    rule: &CapRule,
    key: &Basis,
    posted: &[PostedLine],
    month: Month,
) -> Result<FxHashMap<Option<Key>, i64>, AllocationError> {
    let items = counted(lines, rule);
    let mut used = FxHashMap::default();
    for line in posted {
        // What only moved between periods was used up where it was due; a debt given up is not due.
        let moved = matches!(&*line.line_kind, "CARRY_IN" | "CARRY_OUT" | "WRITE_OFF");
        let counts = !moved
            && line.source_period != month
            && rule.window.holds(line.source_period, month)
            && items.iter().any(|item| **item == *line.item);
        if counts {
            let of =
                (*key == Basis::Institution).then(|| Key::pack(line.institution_id.as_bytes()).0);
            let sum: &mut i64 = used.entry(of).or_default();
            *sum = sum
                .checked_add(line.payable_fen)
                .ok_or_else(|| AllocationError::overflow(&rule.head.id))?;
        }
    }
    Ok(used)
}

/// What the lines of other months used up, by group of the key's rows.
pub(super) fn of_history(
    lines: &Lines,
    rule: &CapRule,
    key: &Basis,
    past: &Past<'_>,
    month: Month,
) -> Result<(RowKeys, Vec<Fraction>), AllocationError> {
    let id = &rule.head.id;
    let unknown = || AllocationError::HistoryNotKept { rule: Arc::clone(id) };
    let history = past.history.ok_or_else(unknown)?;
    let keys = RowKeys::of(lines.frames, key, rule.across, past, history).ok_or_else(unknown)?;
    let items = counted(lines, rule);
    let in_window = |other: Month| other != month && rule.window.holds(other, month);
    let money = lines.law.segments.first().map(Counted::as_paid);
    let used = keys.fold(history.of_items(&items, in_window), &NOTHING, |sum, line| {
        let more = if rule.quantity.is_some() {
            used_of(history.texts.text(line.used), id).unwrap_or(NOTHING)
        } else {
            Fraction::whole(i128::from(money.map_or(0, |counted| line.fen(counted))))
        };
        *sum = sum.checked_add(more)?;
        Some(())
    });
    Ok((keys, used.ok_or_else(|| AllocationError::overflow(id))?))
}

/// Key rows of an item where the rows of a child at all institutions are one: the row at the first
/// institution by id stands for them.
pub(super) fn across<'a>(lines: &Lines<'a>, of: KeyRows<'a>, rows: usize) -> KeyRows<'a> {
    let frame = lines.frames.get(&Basis::Child);
    let keys = |name: &str| match frame.and_then(|frame| frame.get(name)).map(|s| &s.column) {
        Some(Column::Key(keys)) => Some(keys),
        _ => None,
    };
    let (Some(children), Some(institutions)) = (keys("child_ref"), keys("institution_id")) else {
        return of;
    };
    let mut first: FxHashMap<Key, u32> = FxHashMap::default();
    let mut main = vec![Frame::NO_ROW; children.keys.len()];
    for (row, child) in (0_u32..).zip(&children.keys) {
        let best = first.entry(*child).or_insert(row);
        let id = |row: u32| institutions.keys[row as usize];
        if id(row) < id(*best) {
            *best = row;
        }
    }
    for (row, child) in children.keys.iter().enumerate() {
        main[row] = first[child];
    }
    let at = |row: usize| main.get(of.at(row) as usize).copied().unwrap_or(Frame::NO_ROW);
    KeyRows::Linked(Cow::Owned((0..rows).map(at).collect()))
}

/// What a line that keeps `kept` of its money uses up of what was left.
pub(super) const fn used_up(fen: i64, kept: i64, used: i128, left: i128) -> i128 {
    if kept == fen || used <= 0 {
        used
    } else if kept == 0 {
        0
    } else if left < used {
        left
    } else {
        used
    }
}

/// Notes what the lines of a cap's groups used up, for later months of its window.
///
/// `None` on overflow.
pub(super) fn note(
    lines: &mut Lines,
    rule: &CapRule,
    items: &[usize],
    whole: &dyn Fn(usize, usize) -> Option<Fraction>,
    cut: &[(Line, Fraction)],
) -> Option<()> {
    let mut all: Vec<(usize, Vec<Fraction>)> = Vec::new();
    for item in items {
        let mut used = vec![NOTHING; lines.entitlements.items[*item].status.len()];
        for (row, _) in lines.live(*item) {
            used[row] = whole(*item, row)?;
        }
        all.push((*item, used));
    }
    for (line, amount) in cut {
        if let Some((_, used)) = all.iter_mut().find(|(item, _)| *item == line.item as usize) {
            used[line.row as usize] = *amount;
        }
    }
    for (item, used) in all {
        lines.entitlements.items[item].used.push((Arc::clone(&rule.head.id), used));
    }
    Some(())
}

/// What the lines of the groups that were cut used up, in whole counts of the cap's unit `unit`. In a
/// queue a line served whole uses its own quantity and the line at the edge what was left; shared in
/// proportion, each uses its part of the limit.
pub(super) fn cut_uses(
    groups: &Groups,
    kept: &[Vec<i64>],
    queue: bool,
    limit_of: &dyn Fn(u32) -> i128,
    unit: i128,
) -> Option<Vec<(Line, Fraction)>> {
    let mut all = Vec::new();
    for (slot, key) in groups.keys.iter().enumerate() {
        let (group, kept, limit) = (groups.of(slot), &kept[slot], limit_of(*key));
        let whole = |(line, kept): (&Line, &i64)| if *kept == line.fen { line.used } else { 0 };
        let served: i128 = group.iter().zip(kept).map(whole).sum();
        let total: i128 = group.iter().map(|line| line.used).sum();
        for (line, kept) in group.iter().zip(kept) {
            let amount = if queue {
                let used = used_up(line.fen, *kept, line.used, (limit - served).max(0));
                Fraction::new(used, unit)?
            } else if total > 0 {
                Fraction::new(line.used.checked_mul(limit)?, total.checked_mul(unit)?)?.reduced()
            } else {
                NOTHING
            };
            all.push((*line, amount));
        }
    }
    Some(all)
}
