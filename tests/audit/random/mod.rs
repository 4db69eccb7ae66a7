//! Laws drawn from seeds, which use every construct together, over deliveries drawn from the same
//! seeds: what the columns' kernels settle, the trace of each row tells and the SQL computes again.

mod bounds;
mod columns;
mod draw;
mod items;
mod law;
mod rows;
mod terms;

use self::draw::Uses;
use super::{duckdb_is_here, recomputed};
use crate::rules::same::{lowest, traces_are_the_kernels};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use tuoyu::audit;
use tuoyu::domain::{Cell, Fraction, Frame, Silent};
use tuoyu::explain::{ExplainInput, line};
use tuoyu::job::{self, Overrides};
use tuoyu::law::{RoundScope, Step};
use tuoyu::settle::{Settled, SettledMonth, compute};
use tuoyu::subsidy::{ItemLines, LineStatus};

/// Seeds of every run; `TUOYU_SEEDS=30..330` draws others.
const SEEDS: std::ops::Range<u64> = 0..30;

/// Constructs that some law of [`SEEDS`] has to use.
const CONSTRUCTS: &str = include_str!("constructs.txt");

fn seeds() -> std::ops::Range<u64> {
    let Ok(asked) = std::env::var("TUOYU_SEEDS") else { return SEEDS };
    let (from, until) = asked.split_once("..").expect("seeds as 30..330");
    from.parse().expect("a seed")..until.parse().expect("a seed")
}

fn settled(seed: u64, law: &str, folder: &Path) -> Settled {
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).expect("written");
    };
    std::fs::create_dir(folder.join("pack")).expect("a folder");
    write("pack/pack.toml", law);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shown = |path: &Path| toml::Value::from(path.display().to_string()).to_string();
    let mut job = format!(
        "id = \"drawn\"\nperiod = \"2026-09\"\nledger = \"none\"\nworkbooks = false\n\
         packs = [{}]\nreference = {}\nkey_file = {}\ninput = {}\n",
        shown(&folder.join("pack")),
        shown(&root.join("data/reference")),
        shown(&root.join("data/reference/keys/demo.key")),
        shown(folder),
    );
    for (table, text) in rows::tables(seed) {
        write(&format!("{table}.csv"), &text);
        let _ = writeln!(job, "[inputs.{table}]\nfile = \"{table}.csv\"");
    }
    write("job.toml", &job);
    let job = job::read(&folder.join("job.toml"), &Overrides::default());
    let job = job.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    compute(&job, None, &mut Silent).unwrap_or_else(|error| panic!("seed {seed}: {error}"))
}

/// The part of the month a row lies in.
fn segment(frame: &Frame, row: usize) -> usize {
    match frame.get("segment").map(|stored| stored.cell(row)) {
        Some(Cell::Num(number, _)) => usize::try_from(number).expect("a segment"),
        _ => 0,
    }
}

/// Holds values and gates of every row against their traces; how many there were.
fn columns_are_traced(name: &str, month: &SettledMonth) -> usize {
    let mut held = 0;
    for (number, law) in month.law.segments.iter().enumerate() {
        for step in &law.steps {
            let (id, basis, expr) = match step {
                Step::Value(rule) if rule.round.is_none() => {
                    (rule.head.id.to_string(), &rule.basis, &rule.expr)
                }
                Step::Gate(rule) => (format!("gate:{}", rule.head.id), &rule.basis, &rule.require),
                _ => continue,
            };
            let Some(frame) = month.frames.get(basis) else { continue };
            let Some(stored) = frame.get(&id) else { continue };
            for row in (0..frame.rows).filter(|row| segment(frame, *row) == number) {
                let at = u32::try_from(row).expect("a row");
                let steps = expr.trace(&month.frames, basis, at, &month.law.calendar);
                let traced = steps.first().expect("a step").value.clone();
                let found = stored.error(row).map_or_else(|| Ok(stored.cell(row)), Err);
                let (found, traced) = (found.map(|c| lowest(&c)), traced.map(|c| lowest(&c)));
                assert_eq!(found, traced, "{name}: {id} on {basis}, row {row}");
                held += 1;
            }
        }
    }
    held
}

/// What shares one rounding of an item.
fn shares(lines: &ItemLines, frame: &Frame, row: usize) -> String {
    let rule = lines.rules[segment(frame, row)].as_ref().expect("a rule");
    let text = |name: &str| format!("{:?}", frame.get(name).map(|stored| stored.cell(row)));
    let key = match rule.round_scope {
        RoundScope::Line => row.to_string(),
        RoundScope::ChildMonth => text("child_ref") + &text("institution_id"),
        RoundScope::InstitutionMonth => text("institution_id"),
        RoundScope::Settlement => String::new(),
    };
    format!("{:?} {key}", rule.round)
}

/// Holds what is paid against the traces of its lines, summed over what shares a rounding.
fn traces_come_to_the_amounts(name: &str, month: &SettledMonth) -> usize {
    let mut held = 0;
    for lines in month.entitlements.items.iter().filter(|lines| lines.to_date.is_none()) {
        let (Some(exact), Some(frame)) = (&lines.exact, month.frames.get(&lines.basis)) else {
            continue;
        };
        let mut sums: BTreeMap<String, (Fraction, i64, usize, bool)> = BTreeMap::new();
        for row in 0..lines.status.len() {
            if exact.is_null(row) || exact.error(row).is_some() {
                continue;
            }
            let rule = lines.rules[segment(frame, row)].as_ref().expect("a rule");
            let at = u32::try_from(row).expect("a row");
            let steps = rule.amount.trace(&month.frames, &lines.basis, at, &month.law.calendar);
            let Some(Ok(Cell::Num(num, den))) = steps.first().map(|step| step.value.clone()) else {
                panic!("{name}: {} row {row} is not traced", lines.item);
            };
            let refused = lines.status[row] == LineStatus::Refused;
            let zero = (Fraction::whole(0), 0, row, false);
            let sum = sums.entry(shares(lines, frame, row)).or_insert(zero);
            let added = sum.0.checked_add(Fraction::new(num, den).expect("a number"));
            sum.0 = added.expect("a small sum");
            sum.1 += lines.amount[row];
            sum.3 |= refused;
        }
        for (key, (sum, fen, row, refused)) in sums {
            // Lines below zero, or under a limit without a value, are refused as part of the sum.
            if refused {
                continue;
            }
            let rule = lines.rules[segment(frame, row)].as_ref().expect("a rule");
            let due = rule.round.apply(sum).expect("a small sum").reduced();
            let fen = (i128::from(fen), 1);
            assert_eq!((due.num, due.den), fen, "{name}: {} {key}", lines.item);
            held += 1;
        }
    }
    held
}

/// Explains every line and counts what became of them.
fn explained(name: &str, settled: &Settled, uses: &mut Uses) {
    for month in &settled.months {
        let input = ExplainInput {
            month: month.input(),
            schedule: &settled.schedule,
            tables: &settled.tables,
            attended: &month.attended,
        };
        for (number, lines) in month.entitlements.items.iter().enumerate() {
            for (row, status) in lines.status.iter().enumerate() {
                if *status == LineStatus::Absent {
                    continue;
                }
                let said = line(&input, number, row, &str::to_owned).expect("a line");
                let paid = *status == LineStatus::Paid;
                assert!(!paid || !said.steps.is_empty(), "{name}: {} row {row}", lines.item);
                let mut count = |of: String| *uses.entry(of).or_default() += 1;
                count(format!("line {}", status.word()));
                if paid {
                    count(format!("paid on {}", lines.basis));
                }
                let reason = month.entitlements.reasons.text(u32::from(lines.reason[row]));
                if !reason.starts_with("reason") && !reason.is_empty() {
                    count(format!("because {reason}"));
                }
                let cutter = month.entitlements.cutters.text(u32::from(lines.cut_by[row]));
                if let Some(kind) = cutter.chars().next() {
                    count(format!("cut by {kind}"));
                }
            }
        }
    }
}

/// Holds the law of one seed; what it used.
fn hold(seed: u64, with_sql: bool) -> Uses {
    let law = law::law(seed);
    let folder = tempfile::tempdir().expect("a folder");
    let name = format!("seed {seed}");
    let settled = settled(seed, &law.text, folder.path());
    let mut uses = law.uses;
    let mut held = (0, 0, 0);
    for month in &settled.months {
        held.0 += columns_are_traced(&name, month);
        held.1 += traces_are_the_kernels(&name, month);
        held.2 += traces_come_to_the_amounts(&name, month);
    }
    for (of, count) in [("columns", held.0), ("lines", held.1), ("sums", held.2)] {
        uses.insert(format!("{of} traced"), count);
    }
    explained(&name, &settled, &mut uses);
    if with_sql {
        let out = folder.path().join("audit");
        audit::sql(&settled, &out).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((&name, recomputed(&out).0), (&name, Vec::new()));
    }
    uses
}

#[test]
fn kernels_traces_and_sql_agree_on_laws_drawn_at_random() {
    let with_sql = duckdb_is_here();
    let all: Vec<Uses> = seeds().into_par_iter().map(|seed| hold(seed, with_sql)).collect();
    let all_seeds = all.len();
    let mut uses = Uses::new();
    for (construct, count) in all.into_iter().flatten() {
        *uses.entry(construct).or_default() += count;
    }
    for of in ["columns traced", "lines traced", "sums traced"] {
        assert!(uses[of] > 100 * all_seeds, "{} {of} say nothing", uses[of]);
    }
    // Other seeds may do without some construct.
    let asked: &str = if seeds() == SEEDS { CONSTRUCTS } else { "" };
    let unused: Vec<&str> =
        asked.lines().filter(|construct| !uses.contains_key(*construct)).collect();
    assert_eq!(unused, Vec::<&str>::new(), "no law uses them; all: {uses:#?}");
}
