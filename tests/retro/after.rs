//! What is asked of a run after the books went on.

use super::Office;
use super::world::World;

const EXPLAIN: &str = "explain @run-2026-02 --institution I1 --item place --job @job.toml \
                       --ledger @ledger.db --lang en";

#[test]
fn a_month_closed_later_changes_nothing_of_a_run_made_before() {
    let (office, world) = (Office::new(), World::new(2));
    for month in [0, 1] {
        office.deliver(&world, month, "in");
        office.release(month);
    }
    let bytes = office.bytes(1);
    office.close(0);
    // It explains itself, and the same run again is nothing new (S31).
    let (exit, said, err) = office.tuoyu(EXPLAIN);
    assert_eq!(exit, 0, "{said}{err}");
    let run = "run @job.toml --period 2026-02 --out @run-2026-02 --ledger @ledger.db --json";
    let (exit, said, err) = office.tuoyu(run);
    assert!(matches!(exit, 0 | 3), "{err}");
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["posted"], "already_there");
    assert_eq!(office.bytes(1), bytes);
    let (exit, said, err) = office.tuoyu("audit rerun @run-2026-02 --ledger @ledger.db");
    assert_eq!(exit, 0, "{said}{err}");
}

#[test]
fn what_the_ledger_does_not_vouch_for_corrects_nothing() {
    let (mut office, mut world) = (Office::new(), World::new(2));
    office.deliver(&world, 0, "in");
    office.pay(0);
    world.stay(0, 10).unwrap().days = 3;
    office.deliver_late(&world, 0, "attendance", "2026-02-20");
    office.deliver(&world, 1, "in");
    office.job("job.toml", "in", &office.late);
    // The recipe of January loses a letter.
    let runs = std::fs::read_dir(office.path("archive/runs")).unwrap();
    let pointer = runs.map(|entry| entry.unwrap().path()).next().unwrap();
    let text = std::fs::read_to_string(&pointer).unwrap();
    let hash = text.split('"').nth(3).unwrap().to_owned();
    let object = office.path(&format!("archive/objects/{}/{}.zst", &hash[..2], &hash[2..]));
    let bytes = std::fs::read(&object).unwrap();
    std::fs::write(&object, &bytes[1..]).unwrap();
    let run = "run @job.toml --period 2026-02 --out @run-2026-02 --ledger @ledger.db";
    let (exit, _, said) = office.tuoyu(run);
    assert_eq!(exit, 6, "{said}");
    assert!(!office.path("run-2026-02").exists());
    // Without the archive nothing is corrected, and it is said.
    std::fs::write(&object, bytes).unwrap();
    let (exit, _, said) = office.tuoyu(&format!("{run} --archive none"));
    assert!(matches!(exit, 0 | 3), "{said}");
    let codes = office.rows("run-2026-02", "findings.csv");
    assert!(codes.iter().any(|row| row["code"] == "closed_not_examined"), "{codes:?}");
}

#[test]
fn how_a_late_delivery_is_read_makes_another_run() {
    let (mut office, mut world) = (Office::new(), World::new(2));
    office.deliver(&world, 0, "in");
    office.pay(0);
    world.stay(0, 10).unwrap().days = 3;
    office.deliver_late(&world, 0, "attendance", "2026-02-20");
    office.deliver(&world, 1, "in");
    let settle = |late: &str| -> (String, usize) {
        office.job("job.toml", "in", late);
        let run = "run @job.toml --period 2026-02 --out @run-2026-02 --ledger @ledger.db --json";
        let (exit, said, err) = office.tuoyu(run);
        assert!(matches!(exit, 0 | 3), "{err}");
        let report: serde_json::Value = serde_json::from_str(&said).unwrap();
        let rows = office.rows("run-2026-02", "corrections.csv");
        (report["posted"].as_str().unwrap().to_owned(), rows.len())
    };
    assert_eq!(settle(&office.late), ("new".to_owned(), 6));
    assert_eq!(settle(&office.late), ("already_there".to_owned(), 6));
    // The same bytes read otherwise: the job says 20 days for everybody.
    let read =
        "[late.headers]\nnothing = \"days_excused\"\n[late.constants]\ndays_attended = \"20\"\n";
    let other = office.late.clone() + "ignore = [\"days_attended\"]\n" + read;
    let (posted, rows) = settle(&other);
    assert_eq!(posted, "replaced");
    assert!(rows > 6, "all children of the district are told 20 days: {rows}");
}

/// The cap of the institution is shared: another child's late days move a line of which nothing
/// differs.
#[test]
fn a_line_that_another_child_moved_says_so_and_no_more() {
    let (mut office, mut world) = (Office::new(), World::new(2));
    office.deliver(&world, 0, "in");
    office.pay(0);
    world.stay(0, 10).unwrap().days = 3;
    office.deliver_late(&world, 0, "attendance", "2026-02-20");
    office.deliver(&world, 1, "in");
    office.release(1);
    let rows = office.rows("run-2026-02", "corrections.csv");
    let net = |more: bool| {
        let all = rows.iter().map(|row| row["net_fen"].parse::<i64>().unwrap());
        all.filter(|net| (*net > 0) == more).count()
    };
    assert_eq!((net(true), net(false)), (5, 1), "five children share what one does not take");
    let ask = |words: &str| {
        let line = format!("explain @run-2026-02 --ledger @ledger.db --child C11 --json {words}");
        let (exit, said, err) = office.tuoyu(&line);
        assert_eq!(exit, 0, "{err}");
        serde_json::from_str::<serde_json::Value>(&said).unwrap()
    };
    let told = ask("--institution I1 --item care --month 2026-01");
    let event = &told["timeline"]["later"][0];
    assert_eq!(event["changes"].as_array().unwrap().len(), 1);
    assert_eq!((&event["shared"], &event["facts"]), (&true.into(), &serde_json::json!([])));
    let statement = ask("--statement");
    let correction = &statement["months"][0]["corrections"][0];
    assert_eq!(correction["shared"], true);
    assert_eq!(correction["changes"].as_array().unwrap().len(), 1);
    assert!(!statement.to_string().contains("C10"), "the child that moved it is named");
    // The child whose days changed has its own reason.
    let line = "explain @run-2026-02 --ledger @ledger.db --child C10 --json --institution I1 \
                --item care --month 2026-01";
    let own: serde_json::Value = serde_json::from_str(&office.tuoyu(line).1).unwrap();
    let event = &own["timeline"]["later"][0];
    assert_eq!(event["shared"], false);
    assert_eq!(event["facts"][0]["before"]["name"], "days_attended");
}
