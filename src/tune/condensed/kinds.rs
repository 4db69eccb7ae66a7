//! Rows that are alike in what is read of them: a number each kind, and a row that stands for it.

use crate::domain::{Column, Frame, Stored};
use rustc_hash::FxHashMap;
use std::hash::Hash;

/// A number below `count` for each row; equal values have equal numbers.
#[derive(Debug, Clone)]
pub(super) struct Codes {
    pub(super) of: Vec<u32>,
    pub(super) count: u32,
}

/// The first code of values: below it stand null and the errors of a row.
const PLAIN: u32 = 8;
/// Widest range of whole numbers that are numbered by their distance from the smallest.
const RANGE_MAX: i64 = 1 << 22;
/// Most combinations that are numbered in an array rather than in a map.
const ARRAY_MAX: u64 = 1 << 22;

impl Codes {
    /// Numbers what a column holds, nulls and errors among it.
    pub(super) fn of(stored: &Stored) -> Self {
        let mut codes = match &stored.column {
            Column::Bool(values) => {
                Self { of: values.iter().map(|value| u32::from(*value)).collect(), count: 2 }
            }
            Column::Code(column) => {
                let count = u32::try_from(column.list.texts().len()).unwrap_or(u32::MAX);
                let most = column.codes.iter().max().map_or(0, |code| code + 1);
                Self { of: column.codes.clone(), count: count.max(most) }
            }
            Column::Num(column) => numbers(&column.values),
            Column::Date(values) => {
                numbers(&values.iter().map(|date| i64::from(date.days())).collect::<Vec<_>>())
            }
            Column::Ratio(values) => by_map(values),
            Column::Key(column) => by_map(&column.keys),
        };
        for (row, code) in codes.of.iter_mut().enumerate() {
            *code = match stored.error(row) {
                Some(error) => 1 + error as u32,
                None if stored.is_null(row) => 0,
                None => PLAIN + *code,
            };
        }
        codes.count += PLAIN;
        codes
    }

    /// Those of the rows that other rows belong to; rows without one have a number of their own.
    pub(super) fn through(&self, links: impl Iterator<Item = u32>) -> Self {
        let of = |row: u32| self.of.get(row as usize).copied().unwrap_or(self.count);
        Self { of: links.map(of).collect(), count: self.count + 1 }
    }
}

fn numbers(values: &[i64]) -> Codes {
    let low = values.iter().min().copied().unwrap_or(0);
    let high = values.iter().max().copied().unwrap_or(0);
    match high.checked_sub(low).filter(|range| *range < RANGE_MAX) {
        Some(range) => Codes {
            of: values.iter().map(|value| u32::try_from(value - low).unwrap_or(0)).collect(),
            count: u32::try_from(range + 1).unwrap_or(u32::MAX),
        },
        None => by_map(values),
    }
}

fn by_map<T: Copy + Eq + Hash>(values: &[T]) -> Codes {
    let mut known: FxHashMap<T, u32> = FxHashMap::default();
    let mut next = 0;
    let number = |value: &T| {
        *known.entry(*value).or_insert_with(|| {
            next += 1;
            next - 1
        })
    };
    let of = values.iter().map(number).collect();
    Codes { of, count: next }
}

/// Rows sorted into kinds.
#[derive(Debug, Clone)]
pub(super) struct Kinds {
    /// Kind of each row.
    pub(super) of: Vec<u32>,
    /// A row of each kind.
    pub(super) first: Vec<u32>,
}

/// Rows that are told apart by one thing after another.
#[derive(Debug)]
pub(super) struct Numbering(Codes);

impl Numbering {
    /// All rows alike.
    pub(super) fn new(rows: usize) -> Self {
        Self(Codes { of: vec![0; rows], count: 1 })
    }

    /// Tells rows apart that differ in these codes too.
    pub(super) fn refine(&mut self, codes: &Codes) {
        let width = u64::from(codes.count);
        let mut next = 0_u32;
        let own = |slot: &mut u32| {
            if *slot == u32::MAX {
                *slot = next;
                next += 1;
            }
            *slot
        };
        let pairs = self.0.of.iter_mut().zip(&codes.of);
        let place = |number: u32, code: u32| u64::from(number) * width + u64::from(code);
        let cells = u64::from(self.0.count) * width;
        match usize::try_from(cells).ok().filter(|_| cells <= ARRAY_MAX) {
            Some(cells) => {
                let mut known = vec![u32::MAX; cells];
                let mut own = own;
                for (number, code) in pairs {
                    let at = usize::try_from(place(*number, *code)).unwrap_or(0);
                    *number = own(&mut known[at]);
                }
            }
            None => {
                let mut known: FxHashMap<u64, u32> = FxHashMap::default();
                let mut own = own;
                for (number, code) in pairs {
                    *number = own(known.entry(place(*number, *code)).or_insert(u32::MAX));
                }
            }
        }
        self.0.count = next.max(1);
    }

    /// The kinds, each with its first row.
    pub(super) fn finish(self) -> Kinds {
        let mut first = vec![Frame::NO_ROW; self.0.count as usize];
        for (row, kind) in (0_u32..).zip(&self.0.of) {
            let place = &mut first[*kind as usize];
            *place = (*place).min(row);
        }
        first.retain(|row| *row != Frame::NO_ROW);
        Kinds { of: self.0.of, first }
    }
}

impl Kinds {
    /// Every row a kind of its own.
    pub(super) fn single(rows: usize) -> Self {
        let all: Vec<u32> = (0_u32..).take(rows).collect();
        Self { of: all.clone(), first: all }
    }

    pub(super) const fn count(&self) -> usize {
        self.first.len()
    }
}
