//! A table of ten thousand cells against one of ten, both with five keys, looked up a row at a time.
//!
//! Checked on every run; timed where asked for, in an optimised build, which says how they compare:
//! `TUOYU_MEASURE=1 cargo test --release --locked --test main wide_tables -- --nocapture`.

use super::expr_world::{World, int, num};
use std::sync::Arc;
use std::time::Instant;
use tuoyu::domain::{
    Basis, Calendar, Cell, CodeColumn, CodeList, Column, Frame, Frames, NumColumn, Stored,
};
use tuoyu::law::expr::{Expr, KeyCell, LookupTable, TableKey, compile};
use tuoyu::law::{LawPlace, Ty};

/// Rows of one frame; the engine evaluates chunks of this size.
const ROWS: usize = 16_384;
/// First months of the age bands; the last ends at 36.
const BANDS: [i128; 5] = [0, 12, 18, 24, 30];

fn text(word: String) -> KeyCell {
    KeyCell::Is(Cell::Text(word))
}

/// county x provider x age x time x quality.
fn table(id: &str, counts: [usize; 5]) -> Arc<LookupTable> {
    let [counties, providers, ages, times, qualities] = counts;
    let mut rows = Vec::new();
    for cell in 0..counts.iter().product::<usize>() {
        let (rest, quality) = (cell / qualities, cell % qualities);
        let (rest, time) = (rest / times, rest % times);
        let (rest, age) = (rest / ages, rest % ages);
        let (place, provider) = (rest / providers, rest % providers);
        assert!(place < counties);
        let next = BANDS.get(age + 1).filter(|_| age + 1 < ages).copied().unwrap_or(36);
        let band =
            KeyCell::Range { low: Some(((BANDS[age], 1), true)), high: Some(((next, 1), false)) };
        let keys = vec![
            text(format!("county {place}")),
            text(format!("provider {provider}")),
            band,
            text(format!("time {time}")),
            KeyCell::Is(Cell::Num(i128::try_from(quality).unwrap(), 1)),
        ];
        rows.push((keys, Cell::Num(i128::try_from(cell).unwrap(), 1)));
    }
    let key = |name: &str, ty: Ty, range| TableKey { name: Arc::from(name), ty, range };
    let keys = vec![
        key("county", Ty::Text(None), false),
        key("provider", Ty::Text(None), false),
        key("age", int(""), true),
        key("time", Ty::Text(None), false),
        key("quality", int(""), false),
    ];
    let head = super::expr_world::head(id);
    Arc::new(LookupTable { head, keys, ty: num(""), rows, proved: false, dated: None })
}

fn compiled(table: &Arc<LookupTable>) -> Expr {
    let mut world = World::new();
    for (name, ty) in [
        ("county", Ty::Text(None)),
        ("provider", Ty::Text(None)),
        ("months", int("")),
        ("time", Ty::Text(None)),
        ("quality", int("")),
    ] {
        world.columns.push((Basis::Spell, name, name, ty, false));
    }
    world.tables.insert("looked", Arc::clone(table));
    let source = "looked(county, provider, months, time, quality)";
    let place = LawPlace::default();
    compile(source, &Basis::Spell, "test", &place, &world, &mut Vec::new()).expect("an expression")
}

/// Where a fixed walk over a key stands on a row.
fn walk(row: usize, step: usize, of: usize) -> usize {
    row * step / 7 % of
}

/// The number of the cell a row lies in, by the walks of its keys.
fn cell_of(row: usize, counts: [usize; 5]) -> usize {
    let [counties, providers, ages, times, qualities] = counts;
    let months = i128::try_from(walk(row, 15_485_863, 36)).unwrap();
    let age = BANDS[..ages].iter().filter(|first| **first <= months).count() - 1;
    let place = walk(row, 7919, counties) * providers + walk(row, 104_729, providers);
    let time = (place * ages + age) * times + walk(row, 1_299_709, times);
    time * qualities + walk(row, 32_452_843, qualities)
}

/// Rows spread over all cells of the table.
fn frames(counts: [usize; 5]) -> Frames {
    let mut frame = Frame::new(Basis::Spell, ROWS);
    let walks = |step: usize, of: usize| (0..ROWS).map(move |row| walk(row, step, of));
    let mut texts = |name: &str, step: usize, of: usize| {
        let words: Vec<String> = (0..of).map(|at| format!("{name} {at}")).collect();
        let list = CodeList::new(words.iter().map(String::as_str));
        let codes = walks(step, of).map(|at| u32::try_from(at).unwrap()).collect();
        let column = Column::Code(CodeColumn { codes, list: Arc::new(list) });
        frame.put(name, Stored::plain(column));
    };
    texts("county", 7919, counts[0]);
    texts("provider", 104_729, counts[1]);
    texts("time", 1_299_709, counts[3]);
    let numbers = |step: usize, of: usize| {
        let values = walks(step, of).map(|value| i64::try_from(value).unwrap()).collect();
        Stored::plain(Column::Num(NumColumn { values, den: 1 }))
    };
    frame.put("months", numbers(15_485_863, 36));
    frame.put("quality", numbers(32_452_843, counts[4]));
    let mut frames = Frames::default();
    frames.put(frame);
    frames
}

#[test]
fn every_row_finds_its_cell_in_ten_and_in_ten_thousand() {
    let (small, large) = ([5, 1, 2, 1, 1], [50, 4, 5, 2, 5]);
    // As many counties as Texas has: too many classes for the array of the first.
    let counties = [254, 4, 5, 2, 1];
    let calendar = Calendar::default();
    let rows: Vec<u32> = (0..u32::try_from(ROWS).unwrap()).collect();
    let cases: Vec<(Expr, Frames)> = [small, large, counties]
        .map(|counts| (compiled(&table("looked", counts)), frames(counts)))
        .into();
    for ((expr, frames), counts) in cases.iter().zip([small, large, counties]) {
        let stored = expr.eval(frames, &Basis::Spell, &rows, &calendar);
        for row in 0..ROWS {
            let cell = i128::try_from(cell_of(row, counts)).unwrap();
            assert_eq!(stored.cell(row), Cell::Num(cell, 1), "row {row}");
        }
        for row in (0..ROWS).step_by(1021) {
            let at = u32::try_from(row).unwrap();
            let traced = expr.trace(frames, &Basis::Spell, at, &calendar);
            assert_eq!(traced[0].value, Ok(stored.cell(row)), "row {row}");
        }
    }
    if std::env::var_os("TUOYU_MEASURE").is_none() {
        return;
    }
    let mut times = vec![Vec::new(); cases.len()];
    for _ in 0..101 {
        for ((expr, frames), times) in cases.iter().zip(&mut times) {
            let start = Instant::now();
            let stored = expr.eval(frames, &Basis::Spell, &rows, &calendar);
            times.push(start.elapsed());
            assert_eq!(stored.column.len(), ROWS);
        }
    }
    let medians: Vec<u128> = times
        .iter_mut()
        .map(|times| {
            times.sort_unstable();
            times[times.len() / 2].as_nanos()
        })
        .collect();
    for (median, cells) in medians.iter().zip(["10 cells", "10,000 cells", "10,160 cells"]) {
        let hundredths = median * 100 / medians[0];
        println!("{cells}: {median} ns for {ROWS} rows, {hundredths} hundredths of ten cells");
        assert!(hundredths <= 150, "{cells} take more than half as long again as ten");
    }
}
