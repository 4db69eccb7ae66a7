//! Rows of a declared table that share the key which names one row: how many, which comes first by
//! its values, whether they contradict each other. What is made of it is the law's business.

use super::{Spot, Tally, count, text_at};
use crate::domain::{Column, FindingCode, Frame, Stored};
use crate::intake::Table;
use crate::law::InputTable;
use rustc_hash::FxHashMap;

/// Puts the facts, and finds what is delivered more than once.
pub(super) fn put(
    input: &InputTable,
    table: &Table,
    rows: &[u32],
    frame: &mut Frame,
    tally: &mut Tally,
) {
    let keys: Vec<Option<&Stored>> = input.key.iter().map(|name| table.get(name)).collect();
    let mut same: FxHashMap<Vec<u128>, Vec<usize>> = FxHashMap::default();
    for (number, row) in rows.iter().enumerate() {
        let key = keys.iter().map(|stored| mark(*stored, *row as usize)).collect();
        same.entry(key).or_default().push(number);
    }
    let mut times = vec![1; rows.len()];
    let mut firsts = vec![true; rows.len()];
    let mut contradicts = vec![false; rows.len()];
    let mut repeated: Vec<Vec<usize>> = same.into_values().filter(|all| all.len() > 1).collect();
    repeated.sort_unstable();
    for group in repeated {
        let values: Vec<Vec<String>> = group.iter().map(|at| values(table, rows[*at])).collect();
        let differ = values.iter().any(|of| *of != values[0]);
        let first = (0..group.len()).min_by(|a, b| values[*a].cmp(&values[*b])).unwrap_or(0);
        for (place, at) in group.iter().enumerate() {
            times[*at] = count(group.len());
            firsts[*at] = place == first;
            contradicts[*at] = differ;
        }
        let row = group.iter().map(|at| rows[*at] as usize).min().unwrap_or(0);
        let spot = Spot { file: table.file_of(row), record: table.records[row] };
        let id = text_at(table.get("institution_id"), row);
        let told = u64::try_from(group.len()).unwrap_or(u64::MAX);
        let code = FindingCode::RowsListedTwice;
        tally.add(code, &id, &table.name, told, Some(spot), Vec::new());
    }
    frame.put("listed_times", Stored::plain(Column::whole(times)));
    frame.put("listed_first", Stored::plain(Column::Bool(firsts)));
    frame.put("listed_contradicts", Stored::plain(Column::Bool(contradicts)));
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

/// All cells of a row, as far as any other may differ from it.
fn values(table: &Table, row: u32) -> Vec<String> {
    let cells = table.columns.values();
    cells.map(|stored| format!("{:?}", stored.cell(row as usize))).collect()
}
