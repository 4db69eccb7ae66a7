//! Months before the books were opened: for nobody, or due whole (S23).

use super::world::World;
use super::{Money, Office};
use crate::audit::duckdb_is_here;

/// What the corrections of a month come to in a run's schedule, by institution, item and source.
fn of_january(office: &Office, run: &str) -> Money {
    let mut money = Money::new();
    for row in office.rows(run, "schedule.csv") {
        if row["source_period"] == "2026-01" {
            let key = ["institution_id", "item", "source"].map(|name| row[name].clone());
            let fen: i64 = row["payable_fen"].parse().unwrap();
            *money.entry(key.into()).or_default() += fen;
        }
    }
    money.retain(|_, fen| *fen != 0);
    money
}

/// January, settled and paid as a first month.
fn paid_in_january(world: &World) -> Money {
    let office = Office::new();
    office.deliver(world, 0, "in");
    office.release(0);
    of_january(&office, "run-2026-01")
}

fn opened_in_february(before: &str, world: &World) -> Office {
    let mut office = Office::new();
    office.settings = format!("opening = \"2026-02\"\n{before}");
    for table in ["institutions", "slots", "enrolments", "attendance", "sanctions"] {
        office.deliver_late(world, 0, table, "2026-02-20");
    }
    office.deliver(world, 1, "in");
    office.deliver(world, 2, "in");
    office
}

#[test]
fn a_month_before_the_opening_is_due_whole_and_then_corrected_like_any() {
    let mut world = World::new(3);
    let mut office = opened_in_february("before_opening = \"pay\"\n", &world);
    office.pay(1);
    let due = paid_in_january(&world);
    assert!(due.values().sum::<i64>() > 0);
    assert_eq!(of_january(&office, "run-2026-02"), due);
    let kinds = office.rows("run-2026-02", "schedule.csv").into_iter();
    let january = kinds.filter(|row| row["source_period"] == "2026-01");
    assert!(january.into_iter().all(|row| row["line_kind"] == "CORRECTION"));
    if duckdb_is_here() {
        office.computes_again(1);
    }
    // Known better later: the next period sets right what differs.
    world.months[0].sanctioned.push(1);
    office.deliver_late(&world, 0, "sanctions", "2026-03-20");
    office.pay(2);
    let mut sum = of_january(&office, "run-2026-03");
    assert!(!sum.is_empty() && sum.len() < due.len(), "only what differs: {sum:?}");
    for (key, fen) in due {
        *sum.entry(key).or_default() += fen;
    }
    sum.retain(|_, fen| *fen != 0);
    assert_eq!(sum, paid_in_january(&world));
    for run in ["run-2026-02", "run-2026-03"] {
        office.must(&format!("audit rerun @{run} --ledger @ledger.db"));
    }
    if duckdb_is_here() {
        office.computes_again(2);
    }
}

#[test]
fn without_it_such_a_month_is_for_nobody() {
    let office = opened_in_february("", &World::new(3));
    office.pay(1);
    assert!(of_january(&office, "run-2026-02").is_empty());
    let findings = office.rows("run-2026-02", "findings.csv");
    assert!(findings.iter().any(|row| row["code"] == "late_before_opening"), "{findings:?}");
}
