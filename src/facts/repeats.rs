//! Rows of a declared table that share the key which names one row: how many, which comes first by
//! its values, whether they contradict each other. What is made of it is the law's business.

use super::identity::values;
use super::{Spot, Tally, count, text_at};
use crate::domain::{Column, FindingCode, Frame, Stored};
use crate::intake::Table;
use crate::law::InputTable;
use rustc_hash::FxHashMap;

/// What each row is among those of its key.
pub(super) struct Repeats {
    /// How many there are.
    pub(super) times: Vec<i64>,
    /// Whether it comes first by its values.
    pub(super) firsts: Vec<bool>,
    /// Whether any two differ.
    contradicts: Vec<bool>,
    /// Rows of one key where there are several, by their places.
    groups: Vec<Vec<usize>>,
}

impl Repeats {
    /// Of rows of a table, by the columns of a key.
    pub(super) fn of<'k>(
        key: impl IntoIterator<Item = &'k str>,
        table: &Table,
        rows: &[u32],
    ) -> Self {
        let keys: Vec<Option<&Stored>> = key.into_iter().map(|name| table.get(name)).collect();
        let mut same: FxHashMap<Vec<u128>, Vec<usize>> = FxHashMap::default();
        for (number, row) in rows.iter().enumerate() {
            let key = keys.iter().map(|stored| mark(*stored, *row as usize)).collect();
            same.entry(key).or_default().push(number);
        }
        let mut groups: Vec<Vec<usize>> = same.into_values().filter(|all| all.len() > 1).collect();
        groups.sort_unstable();
        let mut times = vec![1; rows.len()];
        let mut firsts = vec![true; rows.len()];
        let mut contradicts = vec![false; rows.len()];
        for group in &groups {
            let cells = |at: &usize| values(table.columns.values(), rows[*at] as usize);
            let values: Vec<Vec<String>> = group.iter().map(cells).collect();
            let differ = values.iter().any(|of| *of != values[0]);
            let first = (0..group.len()).min_by(|a, b| values[*a].cmp(&values[*b])).unwrap_or(0);
            for (place, at) in group.iter().enumerate() {
                times[*at] = count(group.len());
                firsts[*at] = place == first;
                contradicts[*at] = differ;
            }
        }
        Self { times, firsts, contradicts, groups }
    }
}

/// Puts the facts, and finds what is delivered more than once.
pub(super) fn put(
    input: &InputTable,
    table: &Table,
    rows: &[u32],
    frame: &mut Frame,
    tally: &mut Tally,
) {
    let found = Repeats::of(input.key.iter().map(|name| &**name), table, rows);
    for group in found.groups {
        let row = group.iter().map(|at| rows[*at] as usize).min().unwrap_or(0);
        let spot = Spot { file: table.file_of(row), record: table.records[row] };
        let id = text_at(table.get("institution_id"), row);
        let told = u64::try_from(group.len()).unwrap_or(u64::MAX);
        let code = FindingCode::RowsListedTwice;
        tally.add(code, &id, &table.name, told, Some(spot), Vec::new());
    }
    frame.put("listed_times", Stored::plain(Column::whole(found.times)));
    frame.put("listed_first", Stored::plain(Column::Bool(found.firsts)));
    frame.put("listed_contradicts", Stored::plain(Column::Bool(found.contradicts)));
}

/// What tells a key cell from every other of its column.
fn mark(stored: Option<&Stored>, row: usize) -> u128 {
    let Some(stored) = stored.filter(|stored| !stored.is_null(row)) else { return u128::MAX };
    let apart = |number: i128| number.unsigned_abs() << 1 | u128::from(number < 0);
    match &stored.column {
        Column::Key(column) => column.keys[row].0,
        Column::Code(column) => u128::from(column.codes[row]),
        Column::Bool(values) => u128::from(values[row]),
        Column::Date(values) => apart(i128::from(values[row].days())),
        Column::Num(column) => apart(i128::from(column.values[row])),
        Column::Ratio(values) => apart(values[row].0) ^ apart(values[row].1).rotate_left(64),
    }
}
