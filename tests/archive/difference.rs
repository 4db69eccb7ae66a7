//! Why two runs differ: input, law, engine, and the parts of every line sum to its difference.

use super::Office;
use super::late::late;
use super::rerun::rewrite;
use std::fs;

/// The rate is 12 from September on, which became known on 20 October.
const LATER: &str = "\n[notice]\nnumber = \"示例2号\"\ntitle = \"补充(示例)\"\npublished = 2026-10-20\n\
     \n[[parameter]]\nid = \"rate\"\nclause = \"一\"\neffective_from = 2026-09-01\n\
     supersedes = { known_from = 2026-01-01, until = \"open\" }\n\
     unit = \"yuan/day\"\nvalue = \"12\"\n";

/// Period, then fen before, after, by engine, by input, by law.
type Line = (String, [i64; 5]);

struct Told {
    exit: u8,
    lines: Vec<Line>,
    err: String,
}

fn diff(office: &Office, more: &str) -> Told {
    let ledger = if more.contains("--ledger") { "" } else { "--ledger ledger.db" };
    let (exit, out, err) = office.tuoyu(&format!("audit diff --lang en {ledger} {more}"));
    let mut lines: Vec<Line> = Vec::new();
    for (at, line) in out.lines().enumerate() {
        let fields: Vec<&str> = line.split(',').collect();
        if at == 0 {
            assert_eq!(
                fields[10..],
                ["before_fen", "after_fen", "engine_fen", "input_fen", "law_fen"]
            );
            continue;
        }
        assert_eq!(fields[1..4], ["I1", "care", "spell"], "{line}");
        assert_eq!(fields[4].len(), 16, "a pseudonym: {line}");
        let fen: Vec<i64> = fields[10..].iter().map(|fen| fen.parse().unwrap()).collect();
        assert_eq!(fen[1] - fen[0], fen[2] + fen[3] + fen[4], "{line}");
        lines.push((fields[0].to_owned(), fen.try_into().unwrap()));
    }
    lines.sort();
    Told { exit, lines, err }
}

fn september(fen: [i64; 5]) -> Line {
    ("2026-09".to_owned(), fen)
}

#[test]
fn a_changed_delivery_is_input() {
    let office = Office::new();
    let (first, _) = office.settle("2026-09", "");
    // A 12 days instead of 10; B is no more in it.
    office.attendance("attendance.csv", &[("A", "2026-09", 12)]);
    let (second, _) = office.settle("2026-09", "");
    office.forget();
    let told = diff(&office, &format!("{first} run-2026-09"));
    assert_eq!(told.exit, 0, "{}", told.err);
    assert_eq!(
        told.lines,
        [september([5_000, 0, 0, -5_000, 0]), september([10_000, 12_000, 0, 2_000, 0])]
    );
    for part in [
        format!("A {}, B {}: 2 lines differ, -30.00 in all.", &first[..8], &second[..8]),
        "engine 0.00, input -30.00, law 0.00; A pays 150.00, B 120.00.".to_owned(),
        "table attendance, only in A attendance.csv, only in B attendance.csv".to_owned(),
    ] {
        assert!(told.err.contains(&part), "{part}: {}", told.err);
    }
    assert!(!told.err.contains("law:") && !told.err.contains("law of"), "{}", told.err);
    // A run beside itself.
    let told = diff(&office, &format!("{} {second}", &second[..8]));
    assert_eq!((told.exit, told.lines), (0, Vec::new()), "{}", told.err);
}

#[test]
fn a_notice_known_later_is_law() {
    let office = Office::new();
    office.write("pack/later.toml", LATER);
    let (first, _) = office.settle("2026-09", "--known-on 2026-10-19");
    let (second, _) = office.settle("2026-09", "--known-on 2026-10-20");
    let wanted = [
        // 5 days and 10 days, at 10 and at 12.
        september([5_000, 6_000, 0, 0, 1_000]),
        september([10_000, 12_000, 0, 0, 2_000]),
    ];
    let told = diff(&office, &format!("{first} {second}"));
    assert_eq!((told.exit, told.lines), (0, wanted.to_vec()), "{}", told.err);
    assert!(told.err.contains("known in one run and not in the other: 示例2号"), "{}", told.err);
    assert!(told.err.contains("law of 2026-09: parameter rate"), "{}", told.err);
    assert!(!told.err.contains("deliveries:"), "{}", told.err);
    // What the job gives as known later, against the run known before; nothing is posted.
    let events = office.ledger().events().unwrap();
    let told = diff(&office, &format!("{first} job.toml --period 2026-09 --known-on 2026-10-20"));
    assert_eq!((told.exit, told.lines), (0, wanted.to_vec()), "{}", told.err);
    assert_eq!(office.ledger().events().unwrap(), events);
    // The other way round the notice is A's.
    let told = diff(&office, &format!("{second} {first} --threads 2"));
    assert_eq!(
        told.lines,
        [september([6_000, 5_000, 0, 0, -1_000]), september([12_000, 10_000, 0, 0, -2_000])]
    );
    assert!(told.err.contains("示例2号"), "{}", told.err);
}

#[test]
fn law_and_delivery_are_told_apart_on_one_line() {
    let office = Office::new();
    office.write("pack/later.toml", LATER);
    office.attendance("late.csv", &[("A", "2026-09", 20)]);
    office.job(&late("late.csv", "2026-10-25", "2026-09", "2026-09"));
    let (first, _) = office.settle("2026-09", "--known-on 2026-10-10");
    let (second, _) = office.settle("2026-09", "--known-on 2026-10-25");
    office.forget();
    // A: 10 days at 10, 20 days at 10, 20 days at 12. B: 5 days at 10, then none.
    let told = diff(&office, &format!("{first} {second}"));
    assert_eq!(
        told.lines,
        [september([5_000, 0, 0, -5_000, 0]), september([10_000, 24_000, 0, 10_000, 4_000])],
        "{}",
        told.err
    );
    assert!(told.err.contains("engine 0.00, input 50.00, law 40.00; A pays 150.00, B 240.00"));
    // Back: 20 days at 12, 10 days at 12, 10 days at 10; B none, 5 days at 12, 5 days at 10.
    let told = diff(&office, &format!("{second} {first}"));
    assert_eq!(
        told.lines,
        [september([0, 5_000, 0, 6_000, -1_000]), september([24_000, 10_000, 0, -12_000, -2_000])]
    );
    let line = format!("audit diff {first} {second} --ledger ledger.db --json");
    let (exit, out, err) = office.tuoyu(&line);
    assert_eq!(exit, 0, "{err}");
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["totals"]["law_fen"], 4_000, "{out}");
    assert_eq!(answer["totals"]["input_fen"], 5_000, "{out}");
    assert_eq!(answer["lines"].as_array().unwrap().len(), 2, "{out}");
    assert_eq!(answer["tables"][0]["after"][0], "late.csv", "{out}");
}

#[test]
fn what_was_published_otherwise_is_engine() {
    let office = Office::new();
    let (first, _) = office.settle("2026-09", "");
    office.attendance("attendance.csv", &[("A", "2026-09", 11), ("B", "2026-09", 5)]);
    let (other, _) = office.settle("2026-09", "");
    office.attendance("attendance.csv", &[("A", "2026-09", 12), ("B", "2026-09", 5)]);
    let (second, _) = office.settle("2026-09", "");
    // The first run as if it had published 110 yuan for A's ten days.
    let lines = office.archive().recipe(&other).unwrap().outputs;
    rewrite(&office, &first, |recipe| recipe.outputs = lines);
    let asked = format!("{first} {second} --ledger nowhere.db --archive archive");
    let told = diff(&office, &asked);
    assert_eq!(told.lines, [september([11_000, 12_000, -1_000, 2_000, 0])], "{}", told.err);
    assert_eq!(told.exit, 6, "our own version gives the same bytes: {}", told.err);
    rewrite(&office, &first, |recipe| recipe.calc_version = "1".to_owned());
    let told = diff(&office, &asked);
    assert_eq!(told.exit, 0, "another version may: {}", told.err);
    let ours = tuoyu::settle::CALC_VERSION;
    let versions = format!("versions of the calculation: A 1, B {ours}, ours {ours}");
    assert!(told.err.contains(&versions), "{}", told.err);
    // The same part with B published otherwise: 120 there, 120 here, 110 published, 100 again.
    let told = diff(&office, &format!("{second} {first} --ledger nowhere.db --archive archive"));
    assert_eq!(told.lines, [september([12_000, 11_000, 1_000, -2_000, 0])], "{}", told.err);
}

#[test]
fn corrections_of_closed_months_are_lines_too() {
    let office = Office::new();
    let days = [("A", "2026-08", 4), ("A", "2026-09", 10)];
    office.attendance("attendance.csv", &days);
    office.attendance("late.csv", &[("A", "2026-08", 6)]);
    office.job(&late("late.csv", "2026-10-05", "2026-08", "2026-08"));
    let (august, _) = office.settle("2026-08", "--known-on 2026-09-10");
    for (act, by) in [("approve", "李四"), ("release", "王五"), ("close", "王五")] {
        let (exit, _, err) =
            office.tuoyu(&format!("{act} run-2026-08 --by {by} --ledger ledger.db"));
        assert_eq!(exit, 0, "{err}");
    }
    let (first, _) = office.settle("2026-09", "--known-on 2026-10-01");
    let (second, payable) = office.settle("2026-09", "--known-on 2026-10-06");
    assert_eq!(payable, 10_000 + 2_000, "two more days of August");
    let told = diff(&office, &format!("{first} {second}"));
    let of_august = ("2026-08".to_owned(), [0, 2_000, 0, 2_000, 0]);
    assert_eq!((told.exit, told.lines), (0, vec![of_august]), "{}", told.err);
    assert!(told.err.contains("A pays 100.00, B 120.00"), "{}", told.err);
    // August is another period.
    let told = diff(&office, &format!("{august} {second}"));
    assert_eq!(told.exit, 2, "{}", told.err);
    assert!(told.err.contains("another period: 2026-08 and 2026-09"), "{}", told.err);
}

#[test]
fn runs_without_lines_or_of_another_key_are_refused() {
    let office = Office::new();
    office.job("retro = false\n");
    let (first, _) = office.settle("2026-09", "");
    let told = diff(&office, &format!("{first} run-2026-09"));
    assert_eq!(told.exit, 1, "{}", told.err);
    assert!(told.err.contains("kept no lines"), "{}", told.err);
    office.job("");
    let (first, _) = office.settle("2026-09", "");
    fs::write(office.path("office.key"), [7; 64]).unwrap();
    let (second, _) = office.settle("2026-09", "--known-on 2026-10-11");
    let told = diff(&office, &format!("{first} {second}"));
    assert_eq!(told.exit, 2, "{}", told.err);
    assert!(told.err.contains("another key of the pseudonyms"), "{}", told.err);
}
