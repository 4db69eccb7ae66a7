//! Coverage of tables (S19): each combination of proved keys has exactly one answer.
//!
//! Every key is cut into atoms: its listed values, or the points and gaps between the bounds that
//! occur, or (for a key that is a fact) the values that occur and "any other". Within one
//! combination of atoms every row matches wholly or not at all, so trying each combination once is
//! a proof.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::expr::KeyCell;
use super::fault::{At, Faults};
use super::lookup::{
    KeySpec, Row, cell_text, compare, fraction_text, key_text, place_on_line, rank,
};
use super::model::Ty;
use crate::domain::{Cell, Date};

/// Most comparisons of a row with a piece of a key; more is told instead of proved.
const MOST_COMPARISONS: usize = 50_000_000;
/// Gaps and overlaps listed one by one before "and n more".
const MOST_TOLD: usize = 5;

/// Most pairs of rows remembered as overlapping.
const MOST_OVERLAPS: usize = 1000;

/// A piece of a key on which every row agrees.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Atom {
    Value(Cell),
    Point((i128, i128)),
    /// Between two bounds, both excluded; `None` = endless.
    Between(Option<(i128, i128)>, Option<(i128, i128)>),
    /// Any value no row names.
    Other,
}

struct Walk<'a> {
    keys: &'a [KeySpec],
    /// Key indexes, facts first.
    order: Vec<usize>,
    atoms: Vec<Vec<Atom>>,
    rows: &'a [Row],
    fact: bool,
    left: usize,
    gaps: Missing,
    /// Combinations of facts nothing covers.
    open: Missing,
    overlaps: BTreeSet<(usize, usize)>,
    overlap_texts: Vec<(usize, String)>,
    wins: Vec<bool>,
}

/// Combinations without a row: how many, and the first few.
#[derive(Default)]
struct Missing {
    count: usize,
    first: Vec<String>,
}

impl Missing {
    fn add(&mut self, text: String) {
        self.count += 1;
        if self.first.len() < MOST_TOLD {
            self.first.push(text);
        }
    }

    fn text(&self) -> String {
        let shown = self.first.join("; ");
        match self.count - self.first.len() {
            0 => shown,
            more => format!("{shown}; and {more} more"),
        }
    }
}

/// Checks cover, overlap and shadowing; `when` says since when the rows hold. Returns whether every
/// combination is covered, `None` with faults when the table cannot be used.
pub(super) fn check(
    what: &str,
    at: &At,
    keys: &[KeySpec],
    rows: &[Row],
    (fact, when): (bool, &str),
    faults: &mut Faults,
) -> Option<bool> {
    let atoms: Vec<Vec<Atom>> =
        keys.iter().enumerate().map(|(index, key)| atoms(index, key, rows)).collect();
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by_key(|index| proved(&keys[*index]));
    let mut walk = Walk {
        keys,
        order,
        atoms,
        rows,
        fact,
        left: MOST_COMPARISONS,
        gaps: Missing::default(),
        open: Missing::default(),
        overlaps: BTreeSet::new(),
        overlap_texts: Vec::new(),
        wins: vec![false; rows.len()],
    };
    let all: Vec<usize> = (0..rows.len()).collect();
    walk.step(0, &all, &mut Vec::new());
    if walk.left == 0 {
        let message = format!("{what} takes more than {MOST_COMPARISONS} comparisons");
        faults.error("table_size", at, message, "a table that can be checked", "split the table");
        return None;
    }
    walk.tell(what, when, at, faults)
}

/// Whether every value of the key is known beforehand.
fn proved(key: &KeySpec) -> bool {
    key.listed().is_some() || key.cover.is_some()
}

fn atoms(index: usize, key: &KeySpec, rows: &[Row]) -> Vec<Atom> {
    if let Some(values) = key.listed() {
        return values.into_iter().map(Atom::Value).collect();
    }
    if key.key.range {
        return line(index, key, rows);
    }
    let values: BTreeMap<String, &Cell> = rows
        .iter()
        .filter_map(|row| match &row.keys[index] {
            KeyCell::Is(cell) => Some((cell_text(cell), cell)),
            _ => None,
        })
        .collect();
    values.into_values().cloned().map(Atom::Value).chain([Atom::Other]).collect()
}

/// Points and gaps of a range key within its cover.
fn line(index: usize, key: &KeySpec, rows: &[Row]) -> Vec<Atom> {
    let mut points: Vec<(i128, i128)> = Vec::new();
    let mut add = |cell: &KeyCell| match cell {
        KeyCell::Range { low, high } => {
            points.extend(low.iter().chain(high).map(|(bound, _)| *bound));
        }
        KeyCell::Is(cell) => points.extend(place_on_line(cell).map(|f| (f.num, f.den))),
        KeyCell::Any => {}
    };
    for row in rows {
        add(&row.keys[index]);
    }
    key.cover.iter().for_each(&mut add);
    points.sort_by(|a, b| compare(*a, *b));
    points.dedup_by(|a, b| compare(*a, *b) == Ordering::Equal);
    let mut list = vec![Atom::Between(None, points.first().copied())];
    for (place, point) in points.iter().enumerate() {
        list.push(Atom::Point(*point));
        list.push(Atom::Between(Some(*point), points.get(place + 1).copied()));
    }
    let whole = match &key.key.ty {
        Ty::Num { integer, .. } => *integer,
        _ => true,
    };
    list.retain(|atom| match atom {
        Atom::Between(Some(low), Some(high)) => {
            // Between two whole numbers next to each other there is no whole number.
            let next = low.0.div_euclid(low.1) + 1;
            (!whole || compare((next, 1), *high) == Ordering::Less)
                && compare(*low, *high) == Ordering::Less
        }
        _ => true,
    });
    if let Some(cover) = &key.cover {
        list.retain(|atom| matches(cover, atom));
    }
    list
}

/// Whether a key cell matches a whole atom.
fn matches(cell: &KeyCell, atom: &Atom) -> bool {
    match (cell, atom) {
        (KeyCell::Any, _) => true,
        (KeyCell::Is(cell), Atom::Value(value)) => cell == value,
        (KeyCell::Is(cell), Atom::Point(point)) => {
            place_on_line(cell).is_some_and(|f| compare((f.num, f.den), *point) == Ordering::Equal)
        }
        (KeyCell::Range { low, high }, Atom::Point(point)) => {
            let above = low.is_none_or(|(bound, within)| match compare(bound, *point) {
                Ordering::Less => true,
                Ordering::Equal => within,
                Ordering::Greater => false,
            });
            let below = high.is_none_or(|(bound, within)| match compare(*point, bound) {
                Ordering::Less => true,
                Ordering::Equal => within,
                Ordering::Greater => false,
            });
            above && below
        }
        (KeyCell::Range { low, high }, Atom::Between(from, until)) => {
            let above = low.is_none_or(|(bound, _)| {
                from.is_some_and(|from| compare(bound, from) != Ordering::Greater)
            });
            let below = high.is_none_or(|(bound, _)| {
                until.is_some_and(|until| compare(until, bound) != Ordering::Greater)
            });
            above && below
        }
        _ => false,
    }
}

impl Walk<'_> {
    /// Fixes one key after the other; `rows` are those that still match. Depth is at most 8.
    fn step(&mut self, depth: usize, rows: &[usize], chosen: &mut Vec<usize>) {
        if self.left == 0 {
            return;
        }
        let Some(key) = self.order.get(depth).copied() else {
            self.answer(rows, chosen);
            return;
        };
        let fact_key = !proved(&self.keys[key]);
        for index in 0..self.atoms[key].len() {
            self.left = self.left.saturating_sub(rows.len().max(1));
            if self.left == 0 {
                return;
            }
            let atom = &self.atoms[key][index];
            let matching: Vec<usize> = rows
                .iter()
                .copied()
                .filter(|row| matches(&self.rows[*row].keys[key], atom))
                .collect();
            chosen.push(index);
            if matching.is_empty() {
                let text = self.text(chosen);
                if fact_key { &mut self.open } else { &mut self.gaps }.add(text);
            } else {
                self.step(depth + 1, &matching, chosen);
            }
            chosen.pop();
        }
    }

    fn answer(&mut self, rows: &[usize], chosen: &[usize]) {
        let ranks = |row: usize| -> Vec<u8> { self.rows[row].keys.iter().map(rank).collect() };
        let beats = |a: usize, b: usize| {
            let (a, b) = (ranks(a), ranks(b));
            a != b && a.iter().zip(&b).all(|(x, y)| x >= y)
        };
        // Rows are sorted the most specific first, so a winner can only be the first.
        let first = rows[0];
        match rows[1..].iter().copied().find(|other| !beats(first, *other)) {
            None => self.wins[first] = true,
            Some(other) => {
                if self.overlaps.len() < MOST_OVERLAPS && self.overlaps.insert((first, other)) {
                    let text = self.text(chosen);
                    self.overlap_texts.push((other, format!("{} at {text}", self.row(first))));
                }
                for row in [first, other] {
                    self.wins[row] = true;
                }
            }
        }
    }

    fn row(&self, row: usize) -> String {
        let cells = self.rows[row].keys.iter().zip(self.keys);
        let keys: Vec<String> = cells.map(|(cell, key)| key_shown(cell, &key.key.ty)).collect();
        format!("[{}]", keys.join(", "))
    }

    /// The chosen atoms as `age_class=托小班, grade=*`, in the order of the table's keys.
    fn text(&self, chosen: &[usize]) -> String {
        let mut parts: Vec<(usize, String)> = chosen
            .iter()
            .enumerate()
            .map(|(depth, index)| {
                let key = self.order[depth];
                let atom = match &self.atoms[key][*index] {
                    Atom::Value(cell) => cell_text(cell),
                    Atom::Point(point) => point_shown(*point, &self.keys[key].key.ty),
                    Atom::Between(None, None) => "(any)".to_owned(),
                    Atom::Between(low, high) => {
                        let text = |bound: &Option<(i128, i128)>| {
                            let shown = |point| point_shown(point, &self.keys[key].key.ty);
                            bound.map_or_else(String::new, shown)
                        };
                        format!("({},{})", text(low), text(high))
                    }
                    Atom::Other => "(any other)".to_owned(),
                };
                (key, format!("{}={atom}", self.keys[key].key.name))
            })
            .collect();
        parts.sort();
        parts.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(", ")
    }

    fn tell(self, what: &str, when: &str, at: &At, faults: &mut Faults) -> Option<bool> {
        let proved = self.open.count == 0 && self.gaps.count == 0;
        if self.gaps.count > 0 {
            faults.error(
                "table_gap",
                at,
                format!("{what} has no row for {} {when}", self.gaps.text()),
                "exactly one row for each combination",
                "a covered cell without a value is \"none\"",
            );
        }
        let unsaid = !self.fact && self.open.count > 0;
        if unsaid {
            faults.error(
                "table_gap",
                at,
                format!("{what} has no row for {} {when}", self.open.text()),
                "a row \"*\", listed `values`, a `cover`, or coverage = \"fact\"",
                "with coverage = \"fact\" a lookup that finds nothing refuses the row",
            );
        }
        for (row, with) in self.overlap_texts.iter().take(MOST_TOLD) {
            faults.error(
                "table_overlap",
                &self.rows[*row].at,
                format!("{what}: row {} and row {with} both match", self.row(*row)),
                "one row that is more specific in every key",
                "",
            );
        }
        for (row, wins) in self.wins.iter().enumerate() {
            if !wins {
                let message = format!("{what}: row {} is never the answer", self.row(row));
                faults.warn(
                    "row_shadowed",
                    &self.rows[row].at,
                    message,
                    "delete it or narrow the rows above it",
                );
            }
        }
        let fine = self.gaps.count == 0 && !unsaid && self.overlaps.is_empty();
        fine.then_some(proved)
    }
}

/// A point of a key as people read it: a date as a date.
fn point_shown((num, den): (i128, i128), ty: &Ty) -> String {
    match (ty, i32::try_from(num)) {
        (Ty::Date, Ok(day)) => Date::from_days(day).to_string(),
        _ => fraction_text(num, den),
    }
}

fn key_shown(cell: &KeyCell, ty: &Ty) -> String {
    let KeyCell::Range { low, high } = cell else { return key_text(cell) };
    let open = if low.is_some_and(|(_, within)| within) { '[' } else { '(' };
    let close = if high.is_some_and(|(_, within)| within) { ']' } else { ')' };
    let [low, high] = [low, high]
        .map(|bound| bound.map_or_else(String::new, |(point, _)| point_shown(point, ty)));
    format!("{open}{low},{high}{close}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::expr::TableKey;
    use crate::law::model::Unit;
    use proptest::prelude::*;
    use std::sync::Arc;

    const WORDS: [&str; 3] = ["甲", "乙", "丙"];

    /// A listed key and an integer range key over `[0,6)`.
    fn keys() -> Vec<KeySpec> {
        let listed = Arc::new(WORDS.iter().map(|word| Arc::from(*word)).collect());
        let number = Ty::Num { integer: true, unit: Unit::default() };
        let key = |name: &str, ty, range| TableKey { name: Arc::from(name), ty, range };
        let cover = KeyCell::Range { low: Some(((0, 1), true)), high: Some(((6, 1), false)) };
        vec![
            KeySpec { key: key("word", Ty::Text(Some(listed)), false), cover: None },
            KeySpec { key: key("age", number, true), cover: Some(cover) },
        ]
    }

    /// (word, first month, last month) with 3 for any word and an empty span for any month.
    type Plain = (usize, i128, i128);

    fn row(plain: &Plain) -> Row {
        let word = WORDS.get(plain.0);
        let word = word.map_or(KeyCell::Any, |word| KeyCell::Is(Cell::Text((*word).to_owned())));
        let age = match plain.1.cmp(&plain.2) {
            Ordering::Greater => KeyCell::Any,
            Ordering::Equal => KeyCell::Is(Cell::Num(plain.1, 1)),
            Ordering::Less => KeyCell::Range {
                low: Some(((plain.1, 1), true)),
                high: Some(((plain.2 + 1, 1), false)),
            },
        };
        Row { at: At::default(), keys: vec![word, age], cell: Cell::Bool(true) }
    }

    /// Tries every word and month: (gap, overlap, rows that answer).
    fn by_hand(rows: &[Row], plains: &[Plain]) -> (bool, bool, BTreeSet<usize>) {
        let (mut gap, mut overlap, mut answers) = (false, false, BTreeSet::new());
        for word in 0..WORDS.len() {
            for age in 0..6 {
                let matching: Vec<usize> = (0..rows.len())
                    .filter(|row| {
                        let (w, low, high) = plains[*row];
                        (w == word || w == 3) && (low > high || (low <= age && age <= high))
                    })
                    .collect();
                let ranks = |row: usize| rows[row].keys.iter().map(rank).collect::<Vec<_>>();
                let beats = |a: usize, b: usize| {
                    ranks(a) != ranks(b) && ranks(a).iter().zip(ranks(b)).all(|(x, y)| *x >= y)
                };
                let best = matching
                    .iter()
                    .find(|row| matching.iter().all(|other| other == *row || beats(**row, *other)));
                gap |= matching.is_empty();
                overlap |= best.is_none() && !matching.is_empty();
                answers.extend(best);
            }
        }
        (gap, overlap, answers)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        /// The walk over atoms says what trying every single value says.
        #[test]
        fn gaps_overlaps_and_shadows_are_those_found_by_trying_every_value(
            plains in proptest::collection::vec((0..4_usize, 0..6_i128, 0..6_i128), 1..7),
        ) {
            let mut pairs: Vec<(Row, Plain)> = plains.iter().map(|p| (row(p), *p)).collect();
            pairs.sort_by(|a, b| super::super::lookup::specific_first(&a.0.keys, &b.0.keys));
            let (rows, plains): (Vec<Row>, Vec<Plain>) = pairs.into_iter().unzip();
            let (gap, overlap, answers) = by_hand(&rows, &plains);
            let mut faults = Faults::default();
            let proved = check("t", &At::default(), &keys(), &rows, (false, "ever"), &mut faults);
            let told = |code: &str| faults.0.iter().any(|fault| fault.code == code);
            prop_assert_eq!(told("table_gap"), gap);
            prop_assert_eq!(told("table_overlap"), overlap);
            prop_assert_eq!(proved == Some(true), !gap && !overlap);
            if !overlap {
                let shadowed = faults.0.iter().filter(|f| f.code == "row_shadowed").count();
                prop_assert_eq!(shadowed, rows.len() - answers.len());
            }
        }
    }
}
