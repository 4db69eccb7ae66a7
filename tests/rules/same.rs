//! Every case of every pack, held three ways: the columns' kernels, the trace of each row, and the SQL
//! that `DuckDB` runs; and periods settled one after another, held against one settlement of them all.

use super::{job_of, packs_with_cases, reference, root, settled, toml_files};
use crate::audit::{duckdb_is_here, recomputed};
use tuoyu::audit;
use tuoyu::cases::{Desk, Held, render};
use tuoyu::domain::{Cell, Fraction, Silent};
use tuoyu::settle::{Settled, SettledMonth, compute};

/// A number in lowest terms.
pub(crate) fn lowest(cell: &Cell) -> Cell {
    match cell {
        Cell::Num(num, den) => {
            let Fraction { num, den } = Fraction::new(*num, *den).expect("a number").reduced();
            Cell::Num(num, den)
        }
        other => other.clone(),
    }
}

/// Holds the exact amount of every line against the trace of its row; how many there were.
pub(crate) fn traces_are_the_kernels(name: &str, month: &SettledMonth) -> usize {
    let mut held = 0;
    for lines in &month.entitlements.items {
        let Some(exact) = &lines.exact else { continue };
        let frame = month.frames.get(&lines.basis).expect("rows");
        for row in 0..lines.status.len() {
            if exact.is_null(row) || exact.error(row).is_some() {
                continue;
            }
            let segment = match frame.get("segment").map(|stored| stored.cell(row)) {
                Some(Cell::Num(number, _)) => usize::try_from(number).expect("a segment"),
                _ => 0,
            };
            let rule = lines.rules[segment].as_ref().expect("a rule");
            let at = u32::try_from(row).expect("a row");
            let steps = rule.amount.trace(&month.frames, &lines.basis, at, &month.law.calendar);
            let traced = steps.first().and_then(|step| step.value.clone().ok()).expect("a value");
            assert_eq!(
                lowest(&exact.cell(row)),
                lowest(&traced),
                "{name}: {} row {row}",
                lines.item
            );
            held += 1;
        }
    }
    held
}

/// Lines of a settlement as text: the two ways to settle a case have to agree.
fn lines(settled: &Settled) -> Vec<String> {
    let months = settled.months.iter();
    let lines = months.flat_map(|month| month.entitlements.items.iter().map(move |of| (month, of)));
    lines
        .map(|(month, of)| {
            let (status, amount, allocated) = (&of.status, &of.amount, &of.allocated);
            format!("{} {} {status:?} {amount:?} {allocated:?}", month.month, of.item)
        })
        .collect()
}

#[test]
fn kernels_traces_and_sql_agree_on_every_case_of_the_packs() {
    let with_sql = duckdb_is_here();
    let mut held = 0;
    for pack in packs_with_cases() {
        let desk = Desk::open(&pack, &reference()).expect("cases");
        for file in desk.files() {
            for case in file.cases.iter().filter(|case| case.error.is_none()) {
                let name = format!("{}, {}: {}", pack.display(), file.name, case.name);
                let in_memory = desk.settle(file, case).expect("a settlement");
                for month in in_memory.iter().flat_map(|settled| &settled.months) {
                    held += traces_are_the_kernels(&name, month);
                }
                // A job settles one period; what earlier ones paid would stand in its ledger.
                if !case.before.is_empty() || !file.with.is_empty() {
                    continue;
                }
                let folder = tempfile::tempdir().expect("a folder");
                let job = job_of(&pack, case, folder.path(), "");
                let settled = compute(&job, None, &mut Silent).expect("a settlement");
                let own = in_memory.last().expect("its own period");
                assert_eq!(lines(own), lines(&settled), "{name}");
                if with_sql {
                    let out = folder.path().join("audit");
                    audit::sql(&settled, &out).expect("written");
                    assert_eq!((&name, recomputed(&out).0), (&name, Vec::new()));
                }
            }
        }
    }
    assert!(held > 200, "{held} amounts say nothing");
}

/// Their SQL is held file by file in `tests/audit`.
#[test]
fn kernels_and_traces_agree_on_every_case_of_the_small_packs() {
    let mut held = 0;
    for path in toml_files(&root().join("tests/rules")) {
        let file = path.file_name().expect("a name").to_string_lossy().into_owned();
        for (name, settled) in settled(&file) {
            for month in &settled.months {
                held += traces_are_the_kernels(&format!("{file}: {name}"), month);
            }
        }
    }
    assert!(held > 500, "{held} amounts say nothing");
}

/// The months of a year, each a period of its own after those before it, come to what the year comes to.
#[test]
fn periods_after_one_another_are_one_settlement() {
    let folder = tempfile::tempdir().expect("a folder");
    let pack = folder.path().join("months");
    std::fs::create_dir_all(&pack).expect("a folder");
    let from = root().join("tests/rules");
    let text = std::fs::read_to_string(from.join("packs/months/pack.toml")).expect("a pack");
    let monthly = text.replace("settlement = \"year\"", "settlement = \"month\"");
    assert_ne!(text, monthly);
    std::fs::write(pack.join("pack.toml"), monthly).expect("written");
    let text = std::fs::read_to_string(from.join("months.toml")).expect("cases");
    let months: Vec<String> = (1..12).map(|month| format!("\"2026-{month:02}\"")).collect();
    let period = "period = \"2026-12\"";
    let cases = text.replace(period, &format!("{period}\nmonths = [{}]", months.join(", ")));
    let file = folder.path().join("months.toml");
    std::fs::write(&file, cases).expect("written");
    let desk = Desk::of_files(&pack, &reference(), &[file]).expect("cases");
    let said = desk.run(None);
    assert!(said.len() > 5);
    assert!(said.iter().all(|case| case.held == Held::Holds), "\n{}", render("months", &said));
}
