//! Groupings: rows with equal values become one row of a basis of its own, and everything finer is
//! linked to it.
//!
//! The rows stand in the order of their values, so that no order of input rows shows in them (S9).

use super::steps::Walk;
use crate::domain::{Basis, Column, Fraction, Frame, Stored, key_rows};
use crate::facts::PLACE;
use crate::law::GroupingRule;
use rustc_hash::FxHashMap;
use std::cmp::Ordering;

/// A value as one of a grouping's keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Word {
    Bool(bool),
    Num(i128, i128),
    Day(i32),
    Text(String),
}

impl Ord for Word {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Day(a), Self::Day(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Num(a, b), Self::Num(c, d)) => {
                // By whole parts first: what is left is below its denominator.
                let whole = a.div_euclid(*b).cmp(&c.div_euclid(*d));
                let left = || a.rem_euclid(*b).saturating_mul(*d);
                let right = || c.rem_euclid(*d).saturating_mul(*b);
                whole.then_with(|| left().cmp(&right())).then_with(|| (a, b).cmp(&(c, d)))
            }
            (a, b) => a.kind().cmp(&b.kind()),
        }
    }
}

impl PartialOrd for Word {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Word {
    const fn kind(&self) -> u8 {
        match self {
            Self::Bool(_) => 0,
            Self::Num(..) => 1,
            Self::Day(_) => 2,
            Self::Text(_) => 3,
        }
    }
}

/// No value, or no group.
const NONE: u32 = Frame::NO_ROW;

/// The distinct values of a column, and which of them each row has; [`NONE`] for null and error.
struct Words {
    of: Vec<u32>,
    distinct: Vec<Word>,
}

impl Words {
    fn of(stored: &Stored) -> Self {
        let known = |row: &usize| !stored.is_null(*row) && stored.error(*row).is_none();
        let rows = stored.column.len();
        let mut this = Self { of: vec![NONE; rows], distinct: Vec::new() };
        let told = (0..rows).filter(known);
        let number = |num: i128, den: i128| {
            let Fraction { num, den } = Fraction { num, den }.reduced();
            Word::Num(num, den)
        };
        match &stored.column {
            Column::Bool(values) => this.fill(told, |row| values[row], Word::Bool),
            Column::Date(values) => this.fill(told, |row| values[row].days(), Word::Day),
            Column::Num(column) => {
                let den = i128::from(column.den);
                this.fill(told, |row| column.values[row], |value| number(value.into(), den));
            }
            Column::Ratio(values) => {
                let reduced = |row: usize| {
                    let Fraction { num, den } =
                        Fraction { num: values[row].0, den: values[row].1 }.reduced();
                    (num, den)
                };
                this.fill(told, reduced, |(num, den)| Word::Num(num, den));
            }
            Column::Code(column) => {
                let text = |code: u32| Word::Text(column.list.text(code).to_owned());
                this.fill(told, |row| column.codes[row], text);
            }
            Column::Key(column) => {
                let mut first: FxHashMap<_, usize> = FxHashMap::default();
                for row in told.clone() {
                    first.entry(column.keys[row]).or_insert(row);
                }
                let text = |key| {
                    Word::Text(first.get(&key).map_or_else(String::new, |row| column.text(*row)))
                };
                this.fill(told, |row| column.keys[row], text);
            }
        }
        this
    }

    fn fill<T: Copy + Eq + std::hash::Hash>(
        &mut self,
        rows: impl Iterator<Item = usize>,
        read: impl Fn(usize) -> T,
        word: impl Fn(T) -> Word,
    ) {
        let mut codes: FxHashMap<T, u32> = FxHashMap::default();
        for row in rows {
            let value = read(row);
            let next = u32::try_from(self.distinct.len()).unwrap_or(NONE);
            let code = *codes.entry(value).or_insert(next);
            if code == next {
                self.distinct.push(word(value));
            }
            self.of[row] = code;
        }
    }

    /// The places of the rows' values in a list of sorted ones.
    fn placed(&self, sorted: &[Word]) -> Vec<u32> {
        let place = |word: &Word| sorted.binary_search(word).ok().and_then(|at| at.try_into().ok());
        let places: Vec<u32> =
            self.distinct.iter().map(|word| place(word).unwrap_or(NONE)).collect();
        self.of.iter().map(|code| places.get(*code as usize).copied().unwrap_or(NONE)).collect()
    }
}

/// The rows of a grouping by their values: one level a column, in order.
#[derive(Default)]
struct Levels {
    /// The distinct values of each column, sorted.
    words: Vec<Vec<Word>>,
    /// Pairs of a group of the columns before and a value of this one, sorted.
    pairs: Vec<Vec<(u32, u32)>>,
}

impl Levels {
    /// Adds a column; gives the group of each row so far.
    fn add(&mut self, stored: &Stored, before: Option<&[u32]>) -> Vec<u32> {
        let words = Words::of(stored);
        let mut sorted = words.distinct.clone();
        sorted.sort();
        // Fractions of different denominators may be one value.
        sorted.dedup();
        let places = words.placed(&sorted);
        self.words.push(sorted);
        let mut pairs = pairs(before, &places);
        pairs.sort_unstable();
        pairs.dedup();
        pairs.retain(|(group, place)| *group != NONE && *place != NONE);
        self.pairs.push(pairs);
        self.group(self.pairs.len() - 1, before, &places)
    }

    fn group(&self, level: usize, before: Option<&[u32]>, places: &[u32]) -> Vec<u32> {
        let known = &self.pairs[level];
        let place =
            |pair: &(u32, u32)| known.binary_search(pair).ok().and_then(|at| at.try_into().ok());
        pairs(before, places).iter().map(|pair| place(pair).unwrap_or(NONE)).collect()
    }

    /// The group of each row of a table that holds the same columns.
    fn find(&self, columns: &[&Stored]) -> Vec<u32> {
        let mut groups: Option<Vec<u32>> = None;
        for (level, stored) in columns.iter().enumerate() {
            let places = Words::of(stored).placed(&self.words[level]);
            groups = Some(self.group(level, groups.as_deref(), &places));
        }
        groups.unwrap_or_default()
    }
}

fn pairs(before: Option<&[u32]>, places: &[u32]) -> Vec<(u32, u32)> {
    let group = |row: usize| before.map_or(0, |groups| groups[row]);
    places.iter().enumerate().map(|(row, place)| (group(row), *place)).collect()
}

impl Walk<'_> {
    /// Makes the rows of a grouping and the links to them.
    pub(super) fn group(&mut self, rule: &GroupingRule) {
        let count = self.frames.get(&rule.of).map_or(0, |frame| frame.rows);
        let all: Vec<u32> = (0_u32..).take(count).collect();
        // A row that takes over inside the month belongs where its main row belongs.
        let mains = match key_rows(self.frames, &rule.of, &rule.of) {
            Some(mains) if rule.of == Basis::Institution => {
                (0..count).map(|row| mains.at(row)).collect()
            }
            _ => all,
        };
        let mut levels = Levels::default();
        let mut groups: Option<Vec<u32>> = None;
        let mut values = Vec::with_capacity(rule.by.len());
        for key in &rule.by {
            let stored = self.eval(&key.expr, &rule.of, &mains);
            groups = Some(levels.add(&stored, groups.as_deref()));
            values.push(stored);
        }
        let groups = groups.unwrap_or_default();
        let rows = levels.pairs.last().map_or(0, Vec::len);
        let mut firsts = vec![NONE; rows];
        for (row, group) in (0_u32..).zip(&groups) {
            if let Some(first) = firsts.get_mut(*group as usize) {
                *first = row.min(*first);
            }
        }
        let mut frame = Frame::new(rule.basis.clone(), rows);
        frame.keys = rule.by.iter().map(|key| key.column.clone()).collect();
        for (key, stored) in rule.by.iter().zip(&values) {
            frame.put(&key.column, named(stored.take(&firsts)));
        }
        let places = (0_i64..).take(rows).collect();
        frame.put(PLACE, Stored::plain(Column::whole(places)));
        for shared in &rule.shared {
            if let Some(of) = key_rows(self.frames, &rule.of, shared) {
                let links = firsts.iter().map(|first| of.at(*first as usize)).collect();
                frame.links.insert(shared.clone(), links);
            }
        }
        let mut linked = vec![(rule.of.clone(), groups)];
        for table in &rule.tables {
            let Some(rows) = self.frames.get(table) else { continue };
            let columns: Option<Vec<&Stored>> =
                rule.by.iter().map(|key| rows.get(&key.column)).collect();
            if let Some(columns) = columns {
                linked.push((table.clone(), levels.find(&columns)));
            }
        }
        self.link(&rule.basis, &linked);
        self.frames.put(frame);
    }

    /// Links the rows of some bases, and through them everything finer, to a new basis.
    fn link(&mut self, to: &Basis, linked: &[(Basis, Vec<u32>)]) {
        for frame in self.frames.iter_mut().filter(|frame| frame.basis != *to) {
            let own = linked.iter().find(|(basis, _)| *basis == frame.basis);
            let through = || {
                let (links, of) =
                    linked.iter().find_map(|(basis, of)| Some((frame.links.get(basis)?, of)))?;
                let group = |row: &u32| of.get(*row as usize).copied().unwrap_or(NONE);
                Some(links.iter().map(group).collect())
            };
            match own.map(|(_, of)| of.clone()).or_else(through) {
                Some(links) => frame.links.insert(to.clone(), links),
                // What an earlier walk on the same frames left.
                None => frame.links.remove(to),
            };
        }
    }
}

/// A column of what names rows: never null, fractions in lowest terms.
fn named(mut stored: Stored) -> Stored {
    if let Column::Ratio(values) = &mut stored.column {
        for (num, den) in values {
            let lowest = Fraction { num: *num, den: *den }.reduced();
            (*num, *den) = (lowest.num, lowest.den);
        }
    }
    Stored::plain(stored.column)
}
