//! Exclusion groups: of items that exclude each other under one key row, one stays.

use super::AllocationError;
use super::lines::{Bound, Lines};
use crate::domain::{Frame, KeyRows};
use crate::law::ExclusionRule;
use crate::subsidy::LineStatus;
use std::collections::BTreeMap;

/// Zeroes the lines of the items that lose, with the reason `excluded`. Lines without a key row
/// stay.
pub(super) fn exclude(lines: &mut Lines, rule: &ExclusionRule) -> Result<(), AllocationError> {
    let id = &rule.head.id;
    let key_count = lines.frames.get(&rule.key).map_or(1, |frame| frame.rows);
    let mut items: Vec<(usize, KeyRows)> = Vec::new();
    for name in &rule.items {
        let index = lines.entitlements.items.iter().position(|item| item.item == *name);
        if let Some(index) = index {
            items.push((index, lines.keys_of(index, &rule.key, id)?));
        }
    }
    let mut sums: Vec<Vec<i64>> = Vec::with_capacity(items.len());
    for (item, keys) in &items {
        let mut sum = vec![0_i64; key_count];
        for (row, fen) in lines.live(*item) {
            if let Some(total) = sum.get_mut(keys.at(row) as usize) {
                *total = total.checked_add(fen).ok_or_else(|| AllocationError::overflow(id))?;
            }
        }
        sums.push(sum);
    }
    let winners: Vec<usize> = (0..key_count).map(|key| winner(&sums, key, rule.highest)).collect();
    let (cutter, reason) = (lines.cutter(id), lines.reason("excluded"));
    let mut bounds: BTreeMap<u32, Bound> = BTreeMap::new();
    for (place, (item, keys)) in items.iter().enumerate() {
        if lines.in_kind(*item) {
            continue;
        }
        let losing: Vec<(usize, i64)> = lines
            .live(*item)
            .filter(|(row, fen)| {
                let key = keys.at(*row);
                *fen > 0
                    && key != Frame::NO_ROW
                    && winners
                        .get(key as usize)
                        .is_some_and(|winner| *winner != place && *winner != NOBODY)
            })
            .collect();
        for (row, fen) in losing {
            let bound = bounds.entry(lines.payees[*item].at(row)).or_default();
            bound.rows += 1;
            for sum in [&mut bound.before, &mut bound.cut] {
                *sum = sum.checked_add(fen).ok_or_else(|| AllocationError::overflow(id))?;
            }
            lines.leave(*item, row, 0, cutter, reason);
            debug_assert_eq!(lines.entitlements.items[*item].status[row], LineStatus::Zero);
        }
    }
    let what = format!("excluded {}", rule.key);
    lines.record(id, &what, &bounds);
    Ok(())
}

const NOBODY: usize = usize::MAX;

/// Which item stays under a key row: the highest sum (ties: first in order) or the first above
/// zero.
fn winner(sums: &[Vec<i64>], key: usize, highest: bool) -> usize {
    let mut best = NOBODY;
    for (place, sum) in sums.iter().enumerate() {
        let better = best == NOBODY || (highest && sum[key] > sums[best][key]);
        if sum[key] > 0 && better {
            best = place;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::{NOBODY, winner};

    #[test]
    fn the_highest_or_the_first_stays() {
        let sums = vec![vec![0, 5, 7, -1], vec![3, 9, 7, 0]];
        let highest: Vec<usize> = (0..4).map(|key| winner(&sums, key, true)).collect();
        assert_eq!(highest, [1, 1, 0, NOBODY]);
        let first: Vec<usize> = (0..4).map(|key| winner(&sums, key, false)).collect();
        assert_eq!(first, [1, 0, 0, NOBODY]);
    }
}
