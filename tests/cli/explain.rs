//! Explanations of the sample: what is told is what was paid, and no child is named.

use super::transcript::tuoyu;
use std::path::Path;
use tuoyu::domain::{Cell, Column, Fraction, Frame, RowError, Silent, Stored};
use tuoyu::job::{self, LedgerChoice, Overrides};
use tuoyu::law::{Step, TraceStep};
use tuoyu::settle::{self, Settled, SettledMonth};

/// The sample's September, settled without a ledger.
fn sample() -> Settled {
    let overrides = Overrides { ledger: Some(LedgerChoice::None), ..Overrides::default() };
    let job = job::read(Path::new("jobs/monthly.toml"), &overrides).expect("the sample's job");
    settle::compute(&job, None, &mut Silent).expect("the sample settles")
}

/// The segment of the month a row's law was looked up in.
fn segment(frame: &Frame, row: usize) -> usize {
    match frame.get("segment").map(|stored| stored.cell(row)) {
        Some(Cell::Num(number, _)) => usize::try_from(number).expect("a segment"),
        _ => 0,
    }
}

fn same(stored: &Stored, row: usize, trace: &[TraceStep]) -> Result<(), String> {
    let told: &Result<Cell, RowError> = &trace.first().expect("a trace has a root").value;
    let kept = stored.error(row).map_or_else(|| Ok(stored.cell(row)), Err);
    let equal = match (&kept, told) {
        (Ok(Cell::Num(a, b)), Ok(Cell::Num(c, d))) => {
            let [left, right] = [(a, b), (c, d)]
                .map(|(num, den)| Fraction::new(*num, *den).expect("not over zero").reduced());
            (left.num, left.den) == (right.num, right.den)
        }
        (kept, told) => kept == told,
    };
    if equal { Ok(()) } else { Err(format!("kept {kept:?}, told {told:?}")) }
}

/// Compares every value and amount of a month with its trace; returns how many.
fn compare(month: &SettledMonth) -> usize {
    let mut compared = 0;
    let check = |name: &str, frame: &Frame, row: usize, stored: &Stored, trace: &[TraceStep]| {
        if let Err(difference) = same(stored, row, trace) {
            panic!("{name}, row {row} of {}: {difference}", frame.basis);
        }
    };
    let calendar = &month.law.calendar;
    for (at, law) in month.law.segments.iter().enumerate() {
        for step in &law.steps {
            let Step::Value(rule) = step else { continue };
            let Some(frame) = month.frames.get(&rule.basis) else { continue };
            let stored = frame.get(&rule.head.id).expect("a value is kept under its id");
            let expr = rule.round.map_or_else(|| rule.expr.clone(), |r| rule.expr.rounded(r));
            for row in (0..frame.rows).filter(|row| segment(frame, *row) == at) {
                let trace =
                    expr.trace(&month.frames, &rule.basis, u32::try_from(row).unwrap(), calendar);
                check(&rule.head.id, frame, row, stored, &trace);
                compared += 1;
            }
        }
    }
    for item in &month.entitlements.items {
        let Some(exact) = &item.exact else { continue };
        let frame = month.frames.get(&item.basis).expect("an item has rows");
        assert!(!matches!(exact.column, Column::Bool(_)));
        for row in (0..frame.rows).filter(|row| !exact.is_null(*row)) {
            let Some(rule) = &item.rules[segment(frame, row)] else { continue };
            let row_no = u32::try_from(row).unwrap();
            let trace = rule.amount.trace(&month.frames, &item.basis, row_no, calendar);
            check(&item.item, frame, row, exact, &trace);
            compared += 1;
        }
    }
    compared
}

#[test]
fn every_value_of_the_sample_is_what_its_steps_say() {
    let settled = sample();
    let compared: usize = settled.months.iter().map(compare).sum();
    assert!(compared > 2_000, "the sample has thousands of values, {compared} were compared");
}

fn explained(more: &[&str]) -> (u8, String, String) {
    let words = ["explain", "jobs/monthly.toml", "--ledger", "none"];
    let words: Vec<String> = words.iter().chain(more).map(|word| (*word).to_owned()).collect();
    tuoyu(&words)
}

/// References of children at an institution, as delivered.
fn children(settled: &Settled, institution: &str) -> Vec<String> {
    let frame = settled.months[0].frames.get(&tuoyu::domain::Basis::Spell).expect("spells");
    let text = |name: &str, row| match frame.get(name).expect("a column").cell(row) {
        Cell::Text(text) => text,
        other => panic!("{other:?}"),
    };
    (0..frame.rows)
        .filter(|row| text("institution_id", *row) == institution)
        .map(|row| text("child_ref", row))
        .collect()
}

const FIRST: &str = "91999900MA0000015N";

#[test]
fn no_child_is_named_unless_the_asker_names_it() {
    let settled = sample();
    let children = children(&settled, FIRST);
    assert!(children.len() > 10);
    for format in [
        &["--institution", FIRST, "--limit", "1000"][..],
        &["--institution", FIRST, "--limit", "1000", "--json"],
    ] {
        let (exit, out, err) = explained(format);
        assert_eq!((exit, err.as_str()), (0, ""));
        for child in &children {
            assert!(!out.contains(child.as_str()), "a number of a child is shown");
        }
        assert!(!out.contains("示例童"), "a name of a child is shown");
    }
    let child = &children[0];
    let (exit, out, _) = explained(&["--institution", FIRST, "--child", child]);
    assert_eq!(exit, 0);
    assert!(out.contains(child.as_str()), "who gives the number sees the number");
    // The pseudonym of an explanation finds the same lines.
    let json: serde_json::Value = {
        let (_, out, _) = explained(&["--institution", FIRST, "--limit", "1000", "--json"]);
        serde_json::from_str(&out).expect("JSON")
    };
    let pseudonym = json["lines"][0]["child"].as_str().expect("a child").to_owned();
    let (exit, out, _) = explained(&["--institution", FIRST, "--child", &pseudonym]);
    assert_eq!(exit, 0);
    assert!(out.contains(&pseudonym));
}

#[test]
fn a_question_nothing_answers_says_what_there_is() {
    for (question, part) in [
        (&["--institution", "1"][..], "institution 1: not in the register"),
        (
            &["--institution", FIRST, "--item", "nosuch"],
            "expected one of child.birth_order, child.needy",
        ),
        (&["--institution", FIRST, "--child", "nobody"], "no line of that child or item"),
    ] {
        let (exit, out, err) = explained(question);
        assert_eq!((exit, out.as_str()), (1, ""), "{question:?}");
        assert!(err.contains(part), "{err}");
    }
}

/// A line of the sample worked out by hand from the clauses of the pack 示例:
/// child 1 of institution 1 (乳儿班, 全日托, grade 一级), 1-15 September: 300 yuan x 1.1 = 330 a month;
/// 7 days attended and 5 of 5 days ill make 12 of 11 work days: step 1;
/// 11 of the month's 22 work days: 330 x 11 / 22 x 1 = 165.00.
#[test]
fn a_line_is_told_as_worked_out_by_hand() {
    let (exit, out, _) =
        explained(&["--institution", FIRST, "--item", "child.operating", "--limit", "1", "--json"]);
    assert_eq!(exit, 0);
    let json: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let line = &json["lines"][0];
    assert_eq!(line["exact"], "165.00");
    let value = |id: &str| {
        let values = line["values"].as_array().expect("values");
        values.iter().find(|v| v["rule"]["id"] == id).expect(id)["value"].clone()
    };
    assert_eq!(value("days.credited"), "12");
    assert_eq!(value("attendance.step"), "1");
    assert_eq!(value("operating.rate"), "330.00");
    let fact = |name: &str| {
        let facts = line["facts"].as_array().expect("facts");
        facts.iter().find(|fact| fact["name"] == name).expect(name).clone()
    };
    assert_eq!(fact("days_illness")["value"], "5");
    assert_eq!(fact("fee_monthly")["file"], "part-1.csv");
    assert_eq!(fact("workdays_month")["value"], "22");
}
