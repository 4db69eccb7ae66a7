//! What earlier periods say to the next.

use super::{Books, act, month, settled};
use std::collections::BTreeMap;
use tuoyu::ledger::ActKind;

fn sums<const N: usize>(pairs: [(&str, i64); N]) -> BTreeMap<String, i64> {
    pairs.into_iter().map(|(key, fen)| (key.to_owned(), fen)).collect()
}

#[test]
fn only_released_runs_of_earlier_periods_of_the_job_count() {
    let books = Books::new();
    let mut ledger = books.open();
    settled("old", "2026-08", 11).post(&mut ledger).unwrap();
    settled("r8", "2026-08", 90_000).post(&mut ledger).unwrap();
    // Neither a draft nor an approved run counts.
    assert_eq!(ledger.posted("monthly", month("2026-10")).unwrap(), []);
    act(&mut ledger, "r8", ActKind::Approve, "李四").unwrap();
    assert_eq!(ledger.posted("monthly", month("2026-10")).unwrap(), []);
    act(&mut ledger, "r8", ActKind::Release, "李四").unwrap();
    settled("r9", "2026-09", 80_000).release(&mut ledger);
    settled("r10", "2026-10", 70_000).post(&mut ledger).unwrap();
    let other = settled("x8", "2026-08", 1);
    let mut record = other.record();
    record.job_id = "other";
    ledger.post(&record, super::AT, super::BY).unwrap();

    let ids = |before: &str| -> Vec<String> {
        let runs = ledger.standing("monthly", month(before)).unwrap();
        runs.into_iter().map(|run| run.run_id).collect()
    };
    assert_eq!(ids("2026-08"), [""; 0]);
    assert_eq!(ids("2026-09"), ["r8"]);
    assert_eq!(ids("2026-10"), ["r8", "r9"]);
    assert_eq!(ids("2026-12"), ["r8", "r9", "r10"]);
    let released = ledger.released("monthly", month("2026-12")).unwrap();
    assert_eq!(released.iter().map(|run| &*run.run_id).collect::<Vec<_>>(), ["r8", "r9"]);

    let lines = ledger.posted("monthly", month("2026-12")).unwrap();
    let fen: Vec<i64> = lines.iter().map(|line| line.payable_fen).collect();
    assert_eq!(fen, [90_000, 20_000, 5_505, 0, 80_000, 20_000, 5_505, 0]);
    let rent = &lines[5];
    assert_eq!((rent.period, rent.source_period), (month("2026-09"), month("2026-09")));
    assert_eq!(
        [&*rent.institution_id, &*rent.item, &*rent.line_kind, &*rent.source, &*rent.budget_doc_no],
        ["A", "rent", "ORIGINAL", "区", "财教〔2026〕2号"]
    );
    assert_eq!(&*lines[7].budget_doc_no, "");
    assert_eq!(ledger.posted("monthly", month("2026-09")).unwrap().len(), 4);
}

#[test]
fn the_previous_period_by_institution() {
    let books = Books::new();
    let mut ledger = books.open();
    assert_eq!(ledger.previous("monthly", month("2026-12")).unwrap(), None);
    settled("r6", "2026-06", 70_000).post(&mut ledger).unwrap();
    settled("r8", "2026-08", 90_000).post(&mut ledger).unwrap();
    let previous = ledger.previous("monthly", month("2026-12")).unwrap().unwrap();
    assert_eq!((previous.period, previous.run_id.as_str()), (month("2026-08"), "r8"));
    let rows: Vec<(&str, i64, i64, i64)> = previous
        .institutions
        .iter()
        .map(|row| (&*row.institution_id, row.headcount, row.slots, row.amount_fen))
        .collect();
    assert_eq!(rows, [("A", 12, 20, 110_000), ("B", 7, 20, 5_505), ("C", 0, 20, 0)]);
    assert_eq!(ledger.previous("monthly", month("2026-08")).unwrap().unwrap().run_id, "r6");
}

#[test]
fn the_year_to_date_stops_at_the_year_and_the_period() {
    let books = Books::new();
    let mut ledger = books.open();
    settled("r12", "2025-12", 1).release(&mut ledger);
    settled("r1", "2026-01", 100).release(&mut ledger);
    settled("old", "2026-02", 7).post(&mut ledger).unwrap();
    settled("r2", "2026-02", 200).release(&mut ledger);
    settled("r3", "2026-03", 400).release(&mut ledger);
    settled("r4", "2026-04", 800).post(&mut ledger).unwrap();
    // January and February: 100 + 200 of care for A, and twice 200.00 and 55.05 yuan.
    let year = ledger.year_to_date("monthly", 2026, month("2026-03")).unwrap();
    assert_eq!(year.total, 51_310);
    assert_eq!(year.by_institution, sums([("A", 40_300), ("B", 11_010)]));
    assert_eq!(year.by_item, sums([("care", 11_310), ("rent", 40_000)]));
    assert_eq!(year.by_source, sums([("区", 40_000), ("省", 11_310)]));
    assert_eq!(
        year.by_budget_doc_no,
        sums([("", 0), ("财教〔2026〕1号", 11_310), ("财教〔2026〕2号", 40_000)])
    );
    let none = ledger.year_to_date("monthly", 2026, month("2026-01")).unwrap();
    assert_eq!(none, tuoyu::ledger::YearToDate::default());
}
