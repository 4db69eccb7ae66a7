//! A debt that outlives its institution is given up by two persons (S27).

use super::Office;
use super::world::World;
use crate::audit::{duckdb_is_here, recomputed};
use crate::ledger::journal::hledger;
use std::collections::BTreeMap;

/// Lines of institution 6 in a run folder: kind, item, source, fen.
fn lines(office: &Office, folder: &str) -> Vec<(String, String, String, i64)> {
    let rows = office.rows(folder, "schedule.csv").into_iter();
    let of = rows.filter(|row| row["institution_id"] == "I6");
    of.map(|row| {
        let text = |name: &str| row[name].clone();
        let fen = row["payable_fen"].parse().unwrap();
        (text("line_kind"), text("item"), text("source"), fen)
    })
    .collect()
}

/// Sums by kind.
fn sums(lines: &[(String, String, String, i64)]) -> BTreeMap<&str, i64> {
    let mut sums = BTreeMap::new();
    for (kind, .., fen) in lines {
        *sums.entry(kind.as_str()).or_default() += fen;
    }
    sums
}

/// The month in `DuckDB`, where there is one.
fn computes_again(office: &Office, month: usize) {
    if duckdb_is_here() {
        let out = office.computes_again(month);
        assert!(office.kinds(&out).contains_key("WRITE_OFF"));
    }
}

#[test]
fn a_debt_is_given_up_once_and_is_gone() {
    let (mut office, mut world) = (Office::new(), World::new(5));
    office.deliver(&world, 0, "in");
    office.pay(0);
    // Institution 6 leaves; then it is found that January was under a sanction.
    for month in 1..5 {
        let truth = &mut world.months[month];
        truth.stays.retain(|stay| stay.institution != 6);
        truth.slots.remove(&6);
        truth.inclusive.remove(&6);
        office.deliver(&world, month, "in");
    }
    world.months[0].sanctioned.push(6);
    office.deliver_late(&world, 0, "sanctions", "2026-02-20");
    office.pay(1);
    // What was paid for care is owed; the slots are paid all the same.
    let care = lines(&office, "run-2026-01").into_iter().filter(|(_, item, ..)| item == "care");
    let care: i64 = care.map(|(.., fen)| fen).sum();
    assert!(care > 0);
    let owed = lines(&office, "run-2026-02");
    assert_eq!(sums(&owed), BTreeMap::from([("CARRY_OUT", care), ("REFUND", -care)]));

    // First 100.00 yuan are given up, then the rest.
    let late = office.late.clone();
    let act = "[[write_off]]\ninstitution = \"I6\"\nreason = \"机构注销，无可执行财产\"\n\
               by = [\"张三\", \"李四\"]\n";
    office.late = format!("{late}{act}amount = \"100.00\"\n");
    office.pay(2);
    computes_again(&office, 2);
    assert_eq!(
        sums(&lines(&office, "run-2026-03")),
        BTreeMap::from([("CARRY_IN", -care), ("CARRY_OUT", care - 10_000), ("WRITE_OFF", 10_000)])
    );
    office.late = format!("{late}{act}");
    office.pay(3);
    computes_again(&office, 3);
    let gone = lines(&office, "run-2026-04");
    let rest = care - 10_000;
    assert_eq!(sums(&gone), BTreeMap::from([("CARRY_IN", -rest), ("WRITE_OFF", rest)]));
    let told = office.rows("run-2026-04", "findings.csv");
    let told = told.iter().find(|row| row["code"] == "written_off").expect("a finding");
    assert_eq!((&*told["institution_id"], &*told["severity"]), ("I6", "note"));
    assert!(told["text"].contains("张三、李四"), "{}", told["text"]);

    // Nothing of it comes in again, whether or not the job still has it.
    for late in [office.late.clone(), late] {
        office.job("job.toml", "in", &late);
        office.must("run @job.toml --period 2026-05 --out @run-2026-05 --ledger @ledger.db");
        assert!(lines(&office, "run-2026-05").is_empty());
        let codes = office.rows("run-2026-05", "findings.csv");
        let idle = codes.iter().any(|row| row["code"] == "nothing_to_write_off");
        assert_eq!(idle, late.contains("write_off"));
    }
    for run in ["run-2026-04", "run-2026-05"] {
        office.must(&format!("audit rerun @{run} --ledger @ledger.db"));
    }
    office.must("ledger journal --out @books.journal --ledger @ledger.db");
    let books = office.path("books.journal");
    // The script is written from the archive: nothing else is needed.
    for gone in ["in", "pack", "reference"] {
        std::fs::remove_dir_all(office.path(gone)).unwrap();
    }
    std::fs::remove_file(office.path("job.toml")).unwrap();
    office.must("audit sql @run-2026-04 --out @alone --ledger @ledger.db");
    if duckdb_is_here() {
        assert_eq!(recomputed(&office.path("alone")).0, Vec::<&str>::new());
    }
    let Some((content, said)) = hledger(&books, &["check", "--strict"]) else { return };
    assert!(content, "{said}");
    // Neither payable nor carried is left; what was spent on it stays spent.
    let (_, balance) = hledger(&books, &["balance", "I6", "--no-total"]).unwrap();
    assert_eq!(balance.trim(), "");
}
