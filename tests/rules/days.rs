//! Days and weeks beside their amounts: rows in another order, and what is told of one line.

use super::{job, settled};
use std::collections::BTreeMap;
use std::path::Path;
use tuoyu::domain::Silent;
use tuoyu::explain::{ExplainInput, Explanation, Question, explain};
use tuoyu::job::Job;
use tuoyu::settle::{Settled, compute};

const FILE: &str = "days.toml";

/// Turns the rows of every table of a folder round.
fn turned(folder: &Path) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|ending| ending == "csv") {
            let text = std::fs::read_to_string(&path).expect("a table");
            let mut lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
            lines[1..].reverse();
            std::fs::write(&path, lines.join("\n")).expect("written");
        }
    }
}

/// How often each amount stands on each named row.
fn amounts(settled: &Settled) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for month in &settled.months {
        for lines in &month.entitlements.items {
            let frame = month.frames.get(&lines.basis).expect("rows");
            for row in 0..lines.status.len() {
                let named = [
                    "child_ref",
                    "family_ref",
                    "band",
                    "institution_id",
                    "date",
                    "week_start",
                    "spell_from",
                ]
                .map(|name| frame.get(name).map(|stored| stored.cell(row)));
                let reason = month.entitlements.reasons.text(u32::from(lines.reason[row]));
                let (fen, status) =
                    ((lines.amount[row], lines.allocated[row]), lines.status[row].word());
                let line = format!("{} {named:?} {status} {reason} {fen:?}", lines.item);
                *found.entry(line).or_default() += 1;
            }
        }
    }
    found
}

fn settle(job: &Job) -> Settled {
    compute(job, None, &mut Silent).expect("a settlement")
}

/// A row may stand anywhere in its file (S9).
pub(super) fn rows_turned_round_change_nothing(file: &str) {
    for (name, expected) in settled(file) {
        let folder = tempfile::tempdir().expect("a folder");
        let job = job(file, &name, folder.path(), "");
        turned(folder.path());
        assert_eq!(amounts(&settle(&job)), amounts(&expected), "{name}");
    }
}

#[test]
fn days_do_not_depend_on_the_order_of_rows() {
    rows_turned_round_change_nothing(FILE);
}

/// The explanation of the lines of an item at I1.
pub(super) fn explained(settled: &Settled, item: &str) -> Explanation {
    let of = settled.months.last().expect("a month");
    let input = ExplainInput {
        month: of.input(),
        schedule: &settled.schedule,
        tables: &settled.tables,
        attended: &of.attended,
    };
    let question = Question {
        institution: "I1",
        item: Some(item),
        child: None,
        alias: &|_| String::from("x"),
        limit: 100,
    };
    explain(&input, &question).expect("an explanation")
}

#[test]
fn a_line_of_a_day_names_its_date_and_its_sessions() {
    let cases = settled(FILE);
    let (_, first) = &cases[0];
    let told = explained(first, "care.day");
    let day = |date: &str| {
        let of = |line: &&tuoyu::explain::LineSaid| line.key.iter().any(|(_, value)| value == date);
        told.lines.iter().find(of).expect("a line of the day")
    };
    // Two rows make the hours of the 2nd: no single record gave them. One row made the 3rd's.
    let second = day("2026-09-02");
    assert_eq!(second.quantity, "4");
    assert_eq!(second.amount_fen, 4000);
    let hours = |line: &tuoyu::explain::LineSaid| {
        let fact = line.facts.iter().find(|fact| fact.name == "hours_attended").expect("hours");
        (fact.value.clone(), fact.record, fact.computed.clone())
    };
    assert_eq!(hours(second), ("4".to_owned(), 0, "sessions".to_owned()));
    assert_eq!(hours(day("2026-09-03")), ("3".to_owned(), 5, String::new()));
    let weeks = explained(first, "care.hours");
    assert!(weeks.lines.iter().any(|line| {
        line.key.iter().any(|(_, value)| value == "2026-08-31") && line.amount_fen == 7500
    }));
}

#[test]
fn tables_beside_rows_do_not_depend_on_the_order_of_theirs() {
    rows_turned_round_change_nothing("sides.toml");
}

#[test]
fn a_fact_of_a_table_beside_a_row_names_its_record() {
    let cases = settled("sides.toml");
    let told = explained(&cases[0].1, "care.read");
    let shares: Vec<(String, &str, u64)> = told
        .lines
        .iter()
        .flat_map(|line| line.facts.iter().filter(|fact| fact.basis == "bands"))
        .filter(|fact| fact.name == "share")
        .map(|fact| (fact.value.clone(), &*fact.file, fact.record))
        .collect();
    // A in three pieces: the first of the first record, the others of the second.
    let want = [("1", 1), ("0.5", 2), ("0.5", 2)];
    assert_eq!(shares, want.map(|(share, record)| (share.to_owned(), "bands.csv", record)));
}
