//! Rows under a key: which coarser row a line belongs to, what stands first, and what a limit is.
//!
//! Nothing here changes a line. Ties end in input values, never in row numbers (S9).

use crate::domain::{
    Basis, Calendar, Column, Fraction, Frame, Frames, Key, KeyColumn, Rounding, RowError, Stored,
    compare_cells,
};
use crate::facts::identity_columns;
use crate::law::{LawOfMonth, expr::Expr};
use crate::subsidy::OtherPayee;
use rayon::prelude::*;
use std::cmp::Ordering;
use std::sync::Arc;

/// The input values that tell the rows of one frame apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Identity<'a> {
    columns: Vec<&'a Stored>,
}

impl<'a> Identity<'a> {
    /// The [`identity_columns`] of a basis.
    pub(super) fn of(frames: &'a Frames, law: &LawOfMonth, basis: &Basis) -> Self {
        let Some(frame) = frames.get(basis) else { return Self::default() };
        let names = identity_columns(frames, law, basis);
        Self { columns: names.iter().filter_map(|name| frame.get(name)).collect() }
    }

    /// Compares two rows of the frame.
    pub(super) fn compare(&self, left: usize, right: usize) -> Ordering {
        self.columns
            .iter()
            .map(|stored| compare_cells(stored, left, stored, right))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

/// A limit, a quantity or a weight on one row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Figure {
    /// Null: no limit, nothing used up.
    None,
    /// An exact number.
    Is(Fraction),
    /// No value, and why.
    Error(RowError),
}

impl Figure {
    fn read(stored: &Stored, row: usize) -> Self {
        if let Some(error) = stored.error(row) {
            return Self::Error(error);
        }
        stored.number(row).map_or(Self::None, Self::Is)
    }

    /// The figure after a stated rounding.
    pub(super) fn rounded(self, round: Option<Rounding>) -> Self {
        match (self, round) {
            (Self::Is(value), Some(round)) => {
                round.apply(value).map_or(Self::Error(RowError::Overflow), Self::Is)
            }
            _ => self,
        }
    }
}

/// Rows in a chunk of parallel evaluation.
const CHUNK: usize = 16 * 1024;

/// Evaluates an expression on rows of a basis, one figure a row.
pub(super) fn evaluate(
    expr: &Expr,
    frames: &Frames,
    basis: &Basis,
    rows: &[u32],
    calendar: &Calendar,
) -> Vec<Figure> {
    let pieces: Vec<Vec<Figure>> = rows
        .par_chunks(CHUNK)
        .map(|chunk| {
            let stored = expr.eval(frames, basis, chunk, calendar);
            (0..chunk.len()).map(|row| Figure::read(&stored, row)).collect()
        })
        .collect();
    pieces.concat()
}

/// Payees in order of their ids, and the ids themselves: institutions by their rows, then the others.
#[derive(Debug, Clone)]
pub(super) struct Owners<'a> {
    ids: Option<&'a KeyColumn>,
    others: Vec<Arc<str>>,
    /// Rows of the institution frame.
    pub(super) institutions: usize,
    /// Number of owners.
    pub(super) rows: usize,
    /// Owners in order of id.
    pub(super) in_order: Vec<u32>,
    /// Place of each owner in that order.
    pub(super) rank: Vec<u32>,
}

impl<'a> Owners<'a> {
    /// Reads the institution frame; without one there are no institutions.
    pub(super) fn of(frames: &'a Frames, others: &[OtherPayee]) -> Self {
        let frame = frames.get(&Basis::Institution);
        let institutions = frame.map_or(0, |f| f.rows);
        let ids = frame.and_then(|f| f.get("institution_id")).and_then(|s| match &s.column {
            Column::Key(keys) => Some(keys),
            _ => None,
        });
        let others: Vec<Arc<str>> = others.iter().map(|other| Arc::clone(&other.id)).collect();
        let rows = institutions + others.len();
        let count = u32::try_from(rows).unwrap_or(Frame::NO_ROW);
        let mut this =
            Self { ids, others, institutions, rows, in_order: Vec::new(), rank: vec![0; rows] };
        let mut in_order: Vec<u32> = (0..count).collect();
        if ids.is_some() || !this.others.is_empty() {
            in_order.sort_by_cached_key(|row| (this.key(*row), *row));
        }
        for (place, row) in in_order.iter().enumerate() {
            this.rank[*row as usize] = u32::try_from(place).unwrap_or(u32::MAX);
        }
        this.in_order = in_order;
        this
    }

    /// The id of an owner, empty where there is none.
    pub(super) fn text(&self, row: u32) -> String {
        match self.other(row) {
            Some(id) => id.to_string(),
            None => self.ids.map_or_else(String::new, |ids| ids.text(row as usize)),
        }
    }

    /// The owner in words for people.
    pub(super) fn named(&self, row: u32) -> String {
        let what = if self.other(row).is_some() { "payee" } else { "institution" };
        format!("{what} {}", self.text(row))
    }

    /// The packed id of an owner.
    pub(super) fn key(&self, row: u32) -> Option<Key> {
        match self.other(row) {
            Some(id) => Some(Key::pack(id.as_bytes()).0),
            None => self.ids?.keys.get(row as usize).copied(),
        }
    }

    fn other(&self, row: u32) -> Option<&Arc<str>> {
        self.others.get((row as usize).checked_sub(self.institutions)?)
    }
}

/// Shares a cut over lines in proportion to `weights` by largest remainder; equal remainders go to
/// the line that stands first under `tie`. Lines at or below zero bear nothing; no line bears more
/// than its weight. `None` when `cut` is negative or above the sum of the positive weights.
pub(super) fn apportion(
    cut: i64,
    weights: &[i64],
    tie: impl Fn(usize, usize) -> Ordering,
) -> Option<Vec<i64>> {
    let total: u128 = weights.iter().map(|w| u128::from(w.max(&0).unsigned_abs())).sum();
    let whole = u128::try_from(cut).ok().filter(|whole| *whole <= total)?;
    let mut parts = vec![0_i64; weights.len()];
    if whole == 0 {
        return Some(parts);
    }
    let mut rests: Vec<(u128, usize)> = Vec::with_capacity(weights.len());
    let mut given: u128 = 0;
    for (index, weight) in weights.iter().enumerate() {
        // Both factors are below 2^63, so the product stays below 2^126.
        let product = whole * u128::from(weight.max(&0).unsigned_abs());
        let (part, rest) = divide(product, total);
        given += part;
        parts[index] = i64::try_from(part).ok()?;
        if rest > 0 {
            rests.push((rest, index));
        }
    }
    let left = usize::try_from(whole - given).ok()?;
    if left > 0 {
        rests.select_nth_unstable_by(left - 1, |a, b| b.0.cmp(&a.0).then_with(|| tie(a.1, b.1)));
        for (_, index) in &rests[..left] {
            parts[*index] += 1;
        }
    }
    Some(parts)
}

/// Quotient and remainder, in 64 bits where the numbers fit: a 128-bit division is ten times
/// dearer.
pub(crate) fn divide(num: u128, den: u128) -> (u128, u128) {
    match (u64::try_from(num), u64::try_from(den)) {
        (Ok(num), Ok(den)) => (u128::from(num / den), u128::from(num % den)),
        _ => (num / den, num % den),
    }
}

/// The greatest common divisor of numbers that are not negative.
pub(super) fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::apportion;
    use std::cmp::Ordering;

    fn by_place(a: usize, b: usize) -> Ordering {
        a.cmp(&b)
    }

    #[test]
    fn cuts_follow_the_largest_remainder_and_then_the_order() {
        // 7 over 3, 3, 3: 2.33 each, the fen left over to the first.
        assert_eq!(apportion(7, &[3, 3, 3], by_place), Some(vec![3, 2, 2]));
        // 5 over 6, 3, 1: 3.0, 1.5, 0.5: one fen left, equal remainders, to the first of them.
        assert_eq!(apportion(5, &[6, 3, 1], by_place), Some(vec![3, 2, 0]));
        // The same the other way round.
        assert_eq!(apportion(5, &[6, 3, 1], |a, b| b.cmp(&a)), Some(vec![3, 1, 1]));
        // A receivable bears nothing.
        assert_eq!(apportion(4, &[-9, 2, 2], by_place), Some(vec![0, 2, 2]));
        assert_eq!(apportion(5, &[2, 2], by_place), None);
        assert_eq!(apportion(-1, &[2, 2], by_place), None);
    }
}
