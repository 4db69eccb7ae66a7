//! Assumptions about enrolment, where a job declares them: tables as delivered in, tables with more or
//! fewer children out. Every rule then sees the children as if they had been delivered.
//!
//! How many more each (institution, class, service) gets is an exact number; the sum is rounded once
//! and handed back by largest remainder, groups in order of their values (S9). Further children are
//! like those there are, taken in order of their numbers, under numbers nobody has; those who leave
//! are taken from the same end.

use crate::domain::{
    Cell, Column, Date, Fraction, Key, KeyColumn, Month, Rounding, RoundingMode, Stored,
    check_resident_id, round_group,
};
use crate::intake::{Table, Tables};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;

/// (institution, class, service).
pub(super) type Group = (String, String, String);

/// How many more children each group is assumed to have, exactly; fewer where below zero.
pub(super) type Wanted = BTreeMap<Group, Fraction>;

/// Rows of enrolments with a day in a month, by group, in order of children's numbers.
fn members(table: &Table, month: Month) -> BTreeMap<Group, Vec<u32>> {
    let text = |column: &str, row: usize| match table.get(column).map(|of| of.cell(row)) {
        Some(Cell::Text(text)) => text,
        _ => String::new(),
    };
    let day = |column: &str, row: usize| match table.get(column).map(|of| of.cell(row)) {
        Some(Cell::Date(date)) => Some(date),
        _ => None,
    };
    let mut groups: BTreeMap<Group, Vec<(String, Option<Date>, u32)>> = BTreeMap::new();
    for (number, row) in (0_u32..).zip(0..table.rows) {
        let (from, until) = (day("spell_from", row), day("spell_until", row));
        let is_here = from.is_none_or(|from| from <= month.last())
            && until.is_none_or(|until| until >= month.first());
        if is_here {
            let group = (text("institution_id", row), text("age_class", row), text("service", row));
            groups.entry(group).or_default().push((text("child_ref", row), from, number));
        }
    }
    groups
        .into_iter()
        .map(|(group, mut rows)| {
            rows.sort();
            (group, rows.into_iter().map(|(_, _, row)| row).collect())
        })
        .collect()
}

/// The children of a month by group.
pub(super) fn heads(tables: &Tables, month: Month) -> BTreeMap<Group, usize> {
    let Some(table) = tables.get("enrolments") else { return BTreeMap::new() };
    members(table, month).into_iter().map(|(group, rows)| (group, rows.len())).collect()
}

/// Gives every group the children it is assumed to have.
pub(super) fn apply(tables: &mut Tables, month: Month, wanted: &Wanted) {
    let Some(table) = tables.by_name.get("enrolments") else { return };
    let groups = members(table, month);
    let exact: Vec<(i128, i128)> = groups
        .keys()
        .map(|group| wanted.get(group).map_or((0, 1), |more| (more.num, more.den)))
        .collect();
    let whole = Rounding { quantum: (1, 1), mode: RoundingMode::HalfUp };
    let Some(more) = round_group(&exact, whole) else { return };
    let mut copies: FxHashMap<u32, usize> = FxHashMap::default();
    for (rows, more) in groups.values().zip(more) {
        if rows.is_empty() {
            continue;
        }
        let count = usize::try_from(more.unsigned_abs()).unwrap_or(0);
        if more < 0 {
            // Zero copies of a row: its child is not there.
            copies.extend(rows.iter().take(count).map(|row| (*row, 0)));
        } else {
            for at in 0..count {
                *copies.entry(rows[at % rows.len()]).or_insert(1) += 1;
            }
        }
    }
    if copies.is_empty() {
        return;
    }
    let mut known = Known::of(table);
    // (child, institution) -> numbers of its copies; empty: it has gone.
    let mut others: FxHashMap<(Key, Key), Vec<String>> = FxHashMap::default();
    for row in 0..u32::try_from(table.rows).unwrap_or(0) {
        if let (Some(count), Some(pair)) = (copies.get(&row), pair(table, row as usize)) {
            let text = key_text(table.get("child_ref"), row as usize);
            let fresh: Vec<String> = (1..*count).map(|_| known.fresh(&text)).collect();
            others.entry(pair).or_default().extend(fresh);
        }
    }
    let gone = |row: u32| copies.get(&row) == Some(&0);
    if let Some(table) = tables.by_name.get_mut("enrolments") {
        let names = |row: usize| {
            copies.get(&u32::try_from(row).ok()?).filter(|count| **count > 1)?;
            others.get(&pair(table, row)?).cloned()
        };
        let (rows, children) = spread(table, &names, &|row| gone(row));
        let changed = remade(table, &rows, &children);
        *table = changed;
    }
    if let Some(table) = tables.by_name.get_mut("attendance") {
        let names = |row: usize| others.get(&pair(table, row)?).cloned();
        let left = |row: u32| {
            let of = pair(table, row as usize).and_then(|pair| others.get(&pair));
            of.is_some_and(Vec::is_empty)
        };
        let (rows, children) = spread(table, &names, &left);
        let changed = remade(table, &rows, &children);
        *table = changed;
    }
}

/// Which rows a table has now, and the child of each where it is another.
fn spread(
    table: &Table,
    names: &dyn Fn(usize) -> Option<Vec<String>>,
    gone: &dyn Fn(u32) -> bool,
) -> (Vec<u32>, Vec<Option<String>>) {
    let (mut rows, mut children) = (Vec::new(), Vec::new());
    for (number, row) in (0_u32..).zip(0..table.rows) {
        if gone(number) {
            continue;
        }
        rows.push(number);
        children.push(None);
        for name in names(row).unwrap_or_default() {
            rows.push(number);
            children.push(Some(name));
        }
    }
    (rows, children)
}

/// The table with those rows; copies stand behind the row they are of, in its file.
fn remade(table: &Table, rows: &[u32], children: &[Option<String>]) -> Table {
    let mut made = table.clone();
    for stored in made.columns.values_mut() {
        *stored = stored.take(rows);
    }
    made.records = rows.iter().map(|row| table.records[*row as usize]).collect();
    made.rows = rows.len();
    made.files = table
        .files
        .iter()
        .map(|(file, first)| (*file, rows.partition_point(|row| (*row as usize) < *first)))
        .collect();
    if let Some(Stored { column: Column::Key(keys), .. }) = made.columns.get_mut("child_ref") {
        let mut renamed = KeyColumn { keys: Vec::new(), odd: keys.odd.clone() };
        for (row, child) in children.iter().enumerate() {
            match child {
                Some(child) => renamed.push(child),
                None => renamed.keys.push(keys.keys[row]),
            }
        }
        *keys = renamed;
    }
    made
}

fn key_text(stored: Option<&Stored>, row: usize) -> String {
    match stored.map(|of| &of.column) {
        Some(Column::Key(keys)) => keys.text(row),
        _ => String::new(),
    }
}

/// Child and institution of a row.
fn pair(table: &Table, row: usize) -> Option<(Key, Key)> {
    let key = |column: &str| match table.get(column).map(|of| &of.column) {
        Some(Column::Key(keys)) => Some(keys.keys[row]),
        _ => None,
    };
    Some((key("child_ref")?, key("institution_id")?))
}

/// Numbers that are taken.
struct Known(FxHashSet<String>);

impl Known {
    fn of(table: &Table) -> Self {
        Self((0..table.rows).map(|row| key_text(table.get("child_ref"), row)).collect())
    }

    /// A number nobody has, of the same form: a resident's keeps place and day of birth and has a
    /// right check digit, another keeps its length where it can.
    fn fresh(&mut self, like: &str) -> String {
        let is_resident = check_resident_id(like).is_ok();
        let mut made = (0_u32..)
            .map(|count| if is_resident { resident(like, count) } else { numbered(like, count) });
        let fresh = made.find(|text| !text.is_empty() && !self.0.contains(text));
        let fresh = fresh.unwrap_or_default();
        self.0.insert(fresh.clone());
        fresh
    }
}

/// A resident number with another serial; beyond the thousand there are, of the next day of birth's
/// place. Empty where the digits make no number.
fn resident(like: &str, count: u32) -> String {
    let (Some(head), Some(place)) = (like.get(..14), like.get(..6)) else { return String::new() };
    let own: u32 = like.get(14..17).and_then(|serial| serial.parse().ok()).unwrap_or(0);
    let serial = (own + 1 + count) % 1000;
    let start = if count < 1000 {
        head.to_owned()
    } else {
        let place: u32 = place.parse().unwrap_or(0);
        format!("{:06}{}", (place + count / 1000) % 1_000_000, &head[6..])
    };
    let digits = format!("{start}{serial:03}");
    let check =
        "0123456789X".chars().find(|last| check_resident_id(&format!("{digits}{last}")).is_ok());
    check.map_or_else(String::new, |last| format!("{digits}{last}"))
}

/// Another identifier with a counter for its last four characters, or more where those run out.
fn numbered(like: &str, count: u32) -> String {
    let counter = format!("{count:04}");
    let keep = like.chars().count().saturating_sub(counter.len());
    like.chars().take(keep).chain(counter.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Known, numbered};
    use crate::domain::check_resident_id;
    use rustc_hash::FxHashSet;

    #[test]
    fn further_children_have_numbers_of_their_own() {
        // A number of the standard's own example (GB 11643): 11010519491231002X.
        let like = "11010519491231002X";
        let mut known = Known(FxHashSet::from_iter([like.to_owned()]));
        for _ in 0..2100 {
            let fresh = known.fresh(like);
            let (_, born) = check_resident_id(&fresh).expect("a number that checks");
            assert_eq!(born.to_string(), "1949-12-31");
        }
        assert_eq!(known.0.len(), 2101);
        assert_eq!(numbered("C2026-000001", 12), "C2026-000012");
        assert_eq!(numbered("ab", 7), "0007");
    }
}
