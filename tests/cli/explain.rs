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

/// Settles a delivery under a pack of the cases and explains a child's line of an item.
fn told(pack: &str, item: &str, tables: &[(&str, &str)]) -> (serde_json::Value, String) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in tables {
        std::fs::write(folder.path().join(format!("{name}.csv")), text).expect("written");
    }
    let job = folder.path().join("job.toml");
    let inputs = tables.iter().fold(String::new(), |text, (name, _)| {
        text + "[inputs." + name + "]\nfile = \"" + name + ".csv\"\n"
    });
    let text = format!(
        "id = \"told\"\nperiod = \"2026-09\"\npacks = [\"tests/rules/packs/{pack}\"]\n\
         input = {:?}\nkey_file = \"data/reference/keys/demo.key\"\nledger = \"none\"\n\
         workbooks = false\n{inputs}",
        folder.path().display().to_string()
    );
    std::fs::write(&job, text).expect("written");
    let job = job.display().to_string();
    let ask = |more: &[&str]| -> String {
        let words = ["explain", &job, "--institution", "I1", "--item", item, "--child", "A"];
        let words: Vec<String> = words.iter().chain(more).map(|w| (*w).to_owned()).collect();
        let (exit, out, err) = tuoyu(&words);
        assert_eq!(exit, 0, "{err}");
        out
    };
    let json = serde_json::from_str(&ask(&["--json"])).expect("JSON");
    (json, ask(&["--lang", "en"]))
}

/// (file, record, what it was computed from) of a fact of the only line.
fn place(told: &serde_json::Value, name: &str) -> (String, u64, String) {
    let lines = told["lines"].as_array().expect("lines");
    let facts = lines.iter().flat_map(|line| line["facts"].as_array().expect("facts"));
    let fact = facts.into_iter().find(|fact| fact["name"] == name);
    let fact = fact.unwrap_or_else(|| panic!("no fact {name} in {told}"));
    let text = |key: &str| fact[key].as_str().expect("a text").to_owned();
    (text("file"), fact["record"].as_u64().expect("a number"), text("computed"))
}

/// Of a spell's facts the fee came with the enrolment, the days with the attendance, and the work
/// days of the month with neither.
#[test]
fn every_fact_is_told_with_its_own_place() {
    let register = "institution_id,name,filed_from,slots_built,left_on\nI1,甲,2024-01-01,,\n";
    let enrolments = "child_ref,birth_date,institution_id,age_class,service,spell_from,fee_monthly\n\
                      B,2025-01-10,I1,托小班,全日托,2026-01-05,700\n\
                      A,2025-01-10,I1,托小班,全日托,2026-01-05,800\n";
    let attendance = "child_ref,institution_id,period,days_attended\n\
                      C,I1,2026-09,3\nB,I1,2026-09,20\nC,I1,2026-08,3\nA,I1,2026-09,15\n";
    let tables =
        [("institutions", register), ("enrolments", enrolments), ("attendance", attendance)];
    let (json, text) = told("traps", "care", &tables);
    let at =
        |file: &str, record: u64, computed: &str| (file.to_owned(), record, computed.to_owned());
    assert_eq!(place(&json, "fee_monthly"), at("enrolments.csv", 2, ""));
    assert_eq!(place(&json, "days_attended"), at("attendance.csv", 4, ""));
    assert_eq!(place(&json, "attendance_found"), at("attendance.csv", 4, ""));
    assert_eq!(place(&json, "in_month"), at("enrolments.csv", 2, "dates"));
    assert_eq!(place(&json, "overlapping"), at("", 0, "listings"));
    assert_eq!(place(&json, "workdays_month"), at("", 0, "calendar"));
    assert!(text.contains("from attendance.csv record 4"), "{text}");
    assert!(text.contains("computed from the service month and the calendar\n"), "{text}");

    // Days marked one by one have no single record; a child nobody marked has none at all.
    let daily = "child_ref,institution_id,date,mark\nA,I1,2026-09-01,出勤\nA,I1,2026-09-02,出勤\n";
    let tables = [("institutions", register), ("enrolments", enrolments), ("attendance", daily)];
    let (json, _) = told("traps", "care", &tables);
    assert_eq!(place(&json, "days_attended"), at("", 0, "attendance_rows"));
    let nobody = "child_ref,institution_id,period,days_attended\nB,I1,2026-09,20\n";
    let tables = [("institutions", register), ("enrolments", enrolments), ("attendance", nobody)];
    let (json, text) = told("traps", "care", &tables);
    assert_eq!(place(&json, "days_attended"), at("", 0, "no_attendance"));
    assert!(text.contains("computed from the attendance, which has no row of the child"), "{text}");
}

/// The price that refused a child's other spell is pointed at, though the spell's own fee is fine.
#[test]
fn a_breach_on_another_spell_is_pointed_at() {
    let register = "institution_id,name,filed_from\nI1,甲,2024-01-01\n";
    let enrolments = "child_ref,birth_date,institution_id,age_class,service,spell_from,spell_until,fee_monthly\n\
         A,2025-01-10,I1,托小班,全日托,2026-09-01,2026-09-10,1700\n\
         A,2025-01-10,I1,托小班,全日托,2026-09-11,,1800\n";
    let tables = [("institutions", register), ("enrolments", enrolments)];
    let (json, text) = told("breach", "eighth", &tables);
    for (line, reason, verdict) in
        [(0, "child_fee_breach", "holds"), (1, "fee_above_ceiling", "fails")]
    {
        let line = &json["lines"][line];
        assert_eq!(line["reason"], reason);
        let gates = line["gates"].as_array().expect("gates");
        let decisive: Vec<_> = gates.iter().filter(|gate| gate["decisive"] == true).collect();
        assert_eq!(decisive.len(), 1, "{line}");
        assert_eq!(decisive[0]["rule"]["id"], "price");
        assert_eq!(decisive[0]["verdict"], verdict);
    }
    assert!(text.contains("another spell of the child"), "{text}");
}

/// B's 8 hours stand before A's 6, and 10 count: 2 are left for A. B is told by what stands for it.
#[test]
fn an_allowance_tells_its_group_and_what_was_left() {
    let register = "institution_id,name,filed_from\nI1,甲,2024-01-01\n";
    let visits = "institution_id,child_ref,seq,seen_on,hours,absent,most,divisor\n\
                  I1,A,1,2026-09-01,6,false,1,1\nI1,C,3,2026-09-01,5,false,1,1\n\
                  I1,B,2,2026-09-02,8,false,1,1\n";
    let tables = [("institutions", register), ("visits", visits)];
    let (json, text) = told("within", "of_longest_hours", &tables);
    let values = json["lines"][0]["values"].as_array().expect("values");
    let value = values.iter().find(|value| value["rule"]["id"] == "longest_hours").expect("it");
    assert_eq!(value["value"], "2");
    let group = &value["group"];
    assert_eq!((&group["within"], &group["key"]), (&"institution".into(), &"I1".into()));
    assert_eq!((&group["rows"], &group["place"]), (&3.into(), &2.into()));
    assert_eq!(group["order"], serde_json::json!(["-hours"]));
    assert_eq!((&group["figure"], &group["left"]), (&"10".into(), &"2".into()));
    let before = group["before"].as_array().expect("rows before");
    let [first] = &before[..] else { panic!("{before:?}") };
    assert_eq!((&first["by"][0], &first["part"]), (&"8".into(), &"8".into()));
    let other = first["row"][0].as_str().expect("a pseudonym");
    assert!(other.len() > 8, "{other} names the child");
    assert_eq!((&group["own"]["figure"], &group["own"]["part"]), (&"6".into(), &"2".into()));
    let of_group = "group of the institution I1: 3 rows, this one is number 2, in order of -hours";
    assert!(text.contains(of_group), "{text}");
    assert!(text.contains("the group has 10, 2 left by the rows before"), "{text}");
    assert!(text.contains("2. A 1, 6, 6 → 2 ←"), "{text}");
}
