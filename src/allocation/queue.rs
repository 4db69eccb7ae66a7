//! A queue under a cap: who is served first, and what is left for the others.

use super::AllocationError;
use super::lines::{Groups, Line, Lines};
use crate::domain::{Basis, Frame, Frames, KeyRows, Stored, compare_cells, key_rows};
use rayon::prelude::*;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One column of a queue for one item: the column, the rows to read it on, whether it descends.
type OrderColumn<'a> = (&'a Stored, KeyRows<'a>, bool);

/// The order of a queue: stated columns, then the order of ties.
#[derive(Debug)]
pub(super) struct Queue<'a> {
    columns: BTreeMap<u32, Vec<OrderColumn<'a>>>,
}

impl<'a> Queue<'a> {
    pub(super) fn new(
        lines: &Lines<'a>,
        keyed: &[(usize, KeyRows)],
        order: &[(Arc<str>, bool)],
        rule: &Arc<str>,
    ) -> Result<Self, AllocationError> {
        let mut columns = BTreeMap::new();
        for (item, _) in keyed {
            let basis = &lines.entitlements.items[*item].basis;
            let mut list = Vec::with_capacity(order.len());
            for (name, descending) in order {
                let (stored, rows) = find_column(lines, basis, name).ok_or_else(|| {
                    AllocationError::OrderColumnMissing {
                        rule: Arc::clone(rule),
                        column: Arc::clone(name),
                        basis: basis.clone(),
                    }
                })?;
                list.push((stored, rows, *descending));
            }
            columns.insert(u32::try_from(*item).unwrap_or(u32::MAX), list);
        }
        Ok(Self { columns })
    }

    fn compare(&self, lines: &Lines, a: &Line, b: &Line) -> Ordering {
        let empty = Vec::new();
        let left = self.columns.get(&a.item).unwrap_or(&empty);
        let right = self.columns.get(&b.item).unwrap_or(&empty);
        for ((x, x_rows, descending), (y, y_rows, _)) in left.iter().zip(right) {
            let (i, j) = (x_rows.at(a.row as usize), y_rows.at(b.row as usize));
            let order = match (i == Frame::NO_ROW, j == Frame::NO_ROW) {
                (false, false) => compare_cells(x, i as usize, y, j as usize),
                (no_left, no_right) => no_right.cmp(&no_left),
            };
            if order.is_ne() {
                return if *descending { order.reverse() } else { order };
            }
        }
        lines.tie(a, b)
    }
}

/// Where a queue reads a column: on the basis itself, or the finest coarser one that has it.
pub(crate) fn order_basis(frames: &Frames, basis: &Basis, name: &str) -> Option<Basis> {
    let frame = frames.get(basis)?;
    if frame.get(name).is_some() {
        return Some(basis.clone());
    }
    let mut coarser = frame.links.keys();
    coarser.find(|coarser| frames.get(coarser).is_some_and(|of| of.get(name).is_some())).cloned()
}

fn find_column<'a>(
    lines: &Lines<'a>,
    basis: &Basis,
    name: &str,
) -> Option<(&'a Stored, KeyRows<'a>)> {
    let of = order_basis(lines.frames, basis, name)?;
    let stored = lines.frames.get(&of)?.get(name)?;
    let rows = if of == *basis { KeyRows::Own } else { key_rows(lines.frames, basis, &of)? };
    Some((stored, rows))
}

/// Serves each group in order until its limit is used up.
pub(super) fn serve(
    lines: &Lines,
    groups: &Groups,
    queue: &Queue,
    by_quantity: bool,
    limit_of: &(dyn Fn(u32) -> i128 + Sync),
    rule: &Arc<str>,
) -> Result<Vec<Vec<i64>>, AllocationError> {
    (0..groups.keys.len())
        .into_par_iter()
        .map(|slot| {
            let group = groups.of(slot);
            let mut places: Vec<usize> = (0..group.len()).collect();
            places.sort_by(|a, b| queue.compare(lines, &group[*a], &group[*b]));
            // Receivables make room under a cap on money, wherever they stand in the queue.
            let room: i128 =
                if by_quantity { 0 } else { group.iter().map(|line| line.used.min(0)).sum() };
            let mut left = limit_of(groups.keys[slot]) - room;
            let mut kept = vec![0_i64; group.len()];
            for place in places {
                let line = &group[place];
                kept[place] = part(line.fen, line.used, left)
                    .ok_or_else(|| AllocationError::overflow(rule))?;
                left = (left - line.used.max(0)).max(0);
            }
            Ok(kept)
        })
        .collect()
}

/// What a line of `fen` using `used` keeps when only `left` may be used.
pub(super) fn part(fen: i64, used: i128, left: i128) -> Option<i64> {
    if used <= left || used <= 0 || fen <= 0 {
        return Some(fen);
    }
    i64::try_from(i128::from(fen).checked_mul(left.max(0))?.div_euclid(used)).ok()
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn a_line_partly_inside_keeps_its_floored_share() {
        // 100.00 for 3 slots, 2 left: 66.66.
        assert_eq!(part(10_000, 3, 2), Some(6_666));
        assert_eq!(part(10_000, 3, 3), Some(10_000));
        assert_eq!(part(10_000, 3, 0), Some(0));
        assert_eq!(part(10_000, 0, 0), Some(10_000));
        assert_eq!(part(-500, 3, 0), Some(-500));
    }
}
