//! The independent recomputation: the script of `audit::sql`, run by `DuckDB` in its folder, writes
//! the expected files byte for byte; a script that is wrong does not.
//!
//! Skipped, with the reason printed, where python3 with duckdb or the shared papers are not here.

mod random;
mod within;

use polars::prelude::{ParquetReader, SerReader};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tuoyu::audit::{self, SCRIPT};
use tuoyu::domain::{Month, Silent};
use tuoyu::job::{self, LedgerChoice, Overrides};
use tuoyu::settle::{Settled, compute};

const RUNNER: &str = "import duckdb; duckdb.connect(config={'threads': \
    2}).execute(open('recompute.sql', encoding='utf-8').read())";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn succeeds(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Whether the checks can run; says why not.
pub(crate) fn duckdb_is_here() -> bool {
    let here = succeeds(Command::new("python3").args(["-c", "import duckdb"]));
    if !here {
        assert!(std::env::var_os("CI").is_none(), "python3 with duckdb computes again in CI");
        println!("skipped: python3 with duckdb is not here");
    }
    here
}

fn settled(job: &Path, period: &str, input: Option<&Path>) -> Settled {
    let overrides = Overrides {
        period: Some(Month::parse(period).expect("a month")),
        input: input.map(Path::to_path_buf),
        ledger: Some(LedgerChoice::None),
        ..Overrides::default()
    };
    let job = job::read(job, &overrides).expect("a job");
    compute(&job, None, &mut Silent).expect("a settlement")
}

/// Runs the script of a folder; the pairs of files that differ, and the number of lines expected.
pub(crate) fn recomputed(folder: &Path) -> (Vec<&'static str>, usize) {
    let output = Command::new("python3").args(["-c", RUNNER]).current_dir(folder).output();
    let output = output.expect("python3 starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut wrong = Vec::new();
    let mut lines = 0;
    for (found, expected) in [
        ("recomputed.csv", "expected.csv"),
        ("recomputed_lines.csv", "expected_lines.csv"),
        ("recomputed_amounts.csv", "expected_amounts.csv"),
    ] {
        let read = |file: &str| fs::read(folder.join(file)).expect("a file");
        let expected = read(expected);
        lines += String::from_utf8_lossy(&expected).lines().count();
        if read(found) != expected {
            wrong.push(found);
        }
    }
    (wrong, lines)
}

/// Makes a bench month; `None` where the generator or a compiler is missing.
fn bench(folder: &Path) -> Option<PathBuf> {
    let source = root().parent()?.join("shared/bench/gen/src/main.rs");
    let (program, input) = (folder.join("gen"), folder.join("in"));
    let made = source.is_file()
        && succeeds(
            Command::new("rustc").args(["--edition=2024", "-O", "-o"]).args([&program, &source]),
        )
        && succeeds(Command::new(&program).arg(&input).args(["2000", "20", "42"]));
    if !made {
        println!("skipped: the generator of the bench month is not here");
    }
    made.then_some(input)
}

#[test]
fn the_bench_month_computes_again_to_the_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    if !duckdb_is_here() {
        return;
    }
    let Some(input) = bench(folder.path()) else { return };
    let settled = settled(&root().join("jobs/bench.toml"), "2026-09", Some(&input));
    let out = folder.path().join("audit");
    audit::sql(&settled, &out).expect("written");
    let (wrong, lines) = recomputed(&out);
    assert_eq!(wrong, Vec::<&str>::new());
    assert!(lines > 100, "{lines} lines say nothing");

    // Rounded down to the fen instead of half up, the same script pays less.
    let script = fs::read_to_string(out.join(SCRIPT)).expect("the script");
    let cut = script.replace(", 'half_up')", ", 'floor')");
    assert_ne!(script, cut);
    fs::write(out.join(SCRIPT), cut).expect("written");
    assert!(recomputed(&out).0.contains(&"recomputed.csv"), "a wrong rounding goes unseen");
}

#[test]
fn no_computed_value_stands_beside_the_facts() {
    let folder = tempfile::tempdir().expect("a folder");
    let settled = settled(&root().join("jobs/dongchangfu.toml"), "2025-09", None);
    audit::sql(&settled, folder.path()).expect("written");
    let script = fs::read_to_string(folder.path().join(SCRIPT)).expect("the script");
    let facts =
        script.lines().filter(|line| line.starts_with("CREATE OR REPLACE TABLE \"facts of"));
    for line in facts {
        for computed in ["child.birth_rank", "child.days\"", "gate:", "spell.fee.ceiling"] {
            assert!(!line.contains(computed), "{computed} in {line}");
        }
    }
    if duckdb_is_here() {
        let (wrong, lines) = recomputed(folder.path());
        assert_eq!((wrong, lines > 10), (Vec::new(), true));
    }
}

#[test]
fn a_register_without_children_computes_again() {
    let Some(input) = root().parent().map(|p| p.join("shared/data/infant_centres/2026-03.csv"))
    else {
        return;
    };
    if !input.is_file() || !duckdb_is_here() {
        println!("skipped: needs duckdb and {}", input.display());
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let settled = settled(&root().join("jobs/register.toml"), "2026-03", Some(&input));
    audit::sql(&settled, folder.path()).expect("written");
    assert_eq!(recomputed(folder.path()).0, Vec::<&str>::new());
}

/// The invented district: split months, coarse rounding, every split, items that exclude each other,
/// queues, caps on quantities and over the year, a short source.
#[test]
fn the_invented_district_computes_again() {
    if !duckdb_is_here() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    for period in ["2026-08", "2026-09"] {
        let settled = settled(&root().join("jobs/monthly.toml"), period, None);
        let out = folder.path().join(period);
        audit::sql(&settled, &out).expect("written");
        let (wrong, lines) = recomputed(&out);
        assert_eq!((period, wrong, lines > 300), (period, Vec::new(), true));
    }
}

/// Cases written by hand, computed again: what shares a rounding when law or register splits a month,
/// whom a breach refuses, who bears what a cap or a short budget cuts, what rows are taken together.
const FILES: [&str; 9] = [
    "days.toml",
    "rounding.toml",
    "breach.toml",
    "shares.toml",
    "short.toml",
    "traps.toml",
    "within.toml",
    "hours.toml",
    "groups.toml",
];

#[test]
fn what_rows_share_computes_again() {
    if !duckdb_is_here() {
        return;
    }
    for file in FILES {
        computes_again(file);
    }
}

/// Facts of rows, and rows of tables beside them that cut spells.
#[test]
fn what_rows_say_computes_again() {
    if duckdb_is_here() {
        computes_again("facts.toml");
        computes_again("sides.toml");
    }
}

/// Law looked up at a date of the row, and rules whose formula changes inside the month.
#[test]
fn what_changes_by_date_computes_again() {
    if duckdb_is_here() {
        computes_again("dated.toml");
        computes_again("whole.toml");
    }
}

/// A year of months each: instalments, what is taken back, a year washed up, what is left of a limit.
#[test]
fn what_runs_over_months_computes_again() {
    if duckdb_is_here() {
        computes_again("months.toml");
        computes_again("quarter.toml");
    }
}

fn computes_again(file: &str) {
    let cases = crate::rules::settled(file);
    assert!(!cases.is_empty(), "{file} has no case");
    for (name, settled) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        audit::sql(&settled, folder.path()).expect("written");
        let (wrong, lines) = recomputed(folder.path());
        assert_eq!((&name, wrong, lines > 3), (&name, Vec::new(), true));
    }
}

/// An edit of the script: file of cases, first words of a case, what stands in its script, what is put
/// in its place.
type Edit = (&'static str, &'static str, &'static str, &'static str);

/// Queues, ties, remainders and roundings, each turned round in the script alone.
const EDITS: [Edit; 11] = [
    // The queue: the younger child first, the earlier number last, the edge rounded up.
    ("shares.toml", "queues", "o1 DESC NULLS LAST, o2", "o1 ASC NULLS FIRST, o2"),
    (
        "shares.toml",
        "queues",
        "o1 ASC NULLS FIRST, item, tie,",
        "o1 ASC NULLS FIRST, item, tie DESC,",
    ),
    ("shares.toml", "queues", "fen * rest // uses", "(fen * rest + uses - 1) // uses"),
    // The cut of a shared quantity: the limit rounded up, the smallest remainders first.
    ("shares.toml", "queues", "* most // total", "* most // total - 1"),
    ("shares.toml", "queues", "ORDER BY rest DESC, item", "ORDER BY rest, item"),
    // Each line by itself, rounded up.
    ("shares.toml", "queues", "tu_down(fen * ln * d,", "tu_down(fen * ln * d + ld * n - 1,"),
    ("shares.toml", "equal", "item, tie, fen", "item, tie DESC, fen"),
    // The lowest stays.
    ("shares.toml", "of items", "ORDER BY sum DESC", "ORDER BY sum"),
    // A short budget: institutions from the last number, those filed last first, one that does not
    // fit ends the queue.
    ("short.toml", "several", "SELECT n.place", "SELECT -n.place"),
    ("short.toml", "a queue", "o1 ASC NULLS FIRST, place", "o1 DESC NULLS LAST, place"),
    (
        "short.toml",
        "one that",
        ">= 0 THEN s.after ELSE s.rest",
        ">= -99999 THEN s.after ELSE s.rest",
    ),
];

#[test]
fn a_wrong_order_or_rounding_is_seen() {
    if !duckdb_is_here() {
        return;
    }
    let files = ["shares.toml", "short.toml"].map(|file| (file, crate::rules::settled(file)));
    for (file, words, right, wrong) in EDITS {
        let cases = files.iter().filter(|(of, _)| *of == file).flat_map(|(_, cases)| cases);
        let mut cases = cases.filter(|(name, _)| name.starts_with(words));
        let (Some((_, settled)), None) = (cases.next(), cases.next()) else {
            panic!("not one case of {file} begins with {words}");
        };
        let folder = tempfile::tempdir().expect("a folder");
        audit::sql(settled, folder.path()).expect("written");
        let path = folder.path().join(SCRIPT);
        let script = fs::read_to_string(&path).expect("the script");
        assert!(script.contains(right), "{right} is not in the script of {file}, {words}");
        fs::write(&path, script.replace(right, wrong)).expect("written");
        assert_ne!(recomputed(folder.path()).0, Vec::<&str>::new(), "{right} -> {wrong} is unseen");
    }
}

/// What there is to pay from is written as delivered; what earlier months took is the script's to
/// find.
#[test]
fn the_budget_stands_beside_the_facts_as_delivered() {
    let cases = crate::rules::settled("short.toml");
    let case = cases.iter().find(|(name, _)| name.starts_with("later months")).expect("a case");
    let folder = tempfile::tempdir().expect("a folder");
    audit::sql(&case.1, folder.path()).expect("written");
    for month in ["2026-08", "2026-09"] {
        let path = folder.path().join(format!("facts/{month}/budget.parquet"));
        let file = fs::File::open(path).expect("the budget");
        let table = ParquetReader::new(file).finish().expect("a table");
        let balances = table.column("balance").expect("a column").i64().expect("numbers");
        let balances: Vec<i64> = balances.into_no_null_iter().collect();
        assert_eq!((month, balances), (month, vec![180, 170, 1000]));
    }
}
