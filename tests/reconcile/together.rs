//! Two at once: reconciliations stand one after the other; a batch goes out only while what it pays again
//! has failed.

use super::again::{debit, orders, status};
use super::desk::{Desk, OURS};
use super::orders::read_orders;
use super::paper::{camt053, pain002};

/// Reconciles two folders at the same time, each into a folder of its own.
fn both(desk: &Desk, folders: [&str; 2]) -> [serde_json::Value; 2] {
    let reports = std::thread::scope(|scope| {
        let threads = folders.map(|folder| {
            scope.spawn(move || {
                // The same files may come from two sides, to two places.
                let at = std::thread::current().id();
                let out = format!("out-{folder}-{at:?}").replace(['(', ')'], "");
                desk.reconcile_with(&format!("--input @{folder} --out @{out}")).1
            })
        });
        threads.map(|thread| thread.join().unwrap())
    });
    desk.verified();
    reports
}

fn count(desk: &Desk, sql: &str) -> i64 {
    desk.raw().query_row(sql, (), |row| row.get(0)).unwrap()
}

const RECONCILED: &str = "SELECT count(*) FROM events WHERE kind = 'reconciled'";

#[test]
fn different_answers_at_once_are_both_in_the_books() {
    for turn in 0..6 {
        let desk = Desk::new();
        let orders = orders(&desk);
        let message = &orders[0].message;
        let paid: Vec<_> = orders[..9].iter().map(|of| status(of, "ACSC", "")).collect();
        desk.write("one/a.xml", pain002("P1", message, &paid));
        let entries: Vec<_> =
            orders[5..].iter().enumerate().map(|(at, of)| debit(of, &format!("R{at}"))).collect();
        desk.write("two/b.xml", camt053("S1", OURS, 0, &entries).0);
        for report in both(&desk, ["one", "two"]) {
            assert_eq!(report["messages"], 1, "{turn}");
        }
        assert_eq!(count(&desk, RECONCILED), 2, "{turn}");
        assert_eq!(count(&desk, "SELECT count(*) FROM messages"), 2);
        // Nine answers of the report, thirteen of the statement.
        assert_eq!(count(&desk, "SELECT count(*) FROM answers"), 9 + 13);
        let (exit, report) = desk.reconcile("one");
        assert_eq!((exit, &report["paid"]["count"], &report["open"]), (0, &18.into(), &0.into()));
        assert_eq!(count(&desk, "SELECT count(*) FROM events WHERE kind = 'answered'"), 1);
    }
}

#[test]
fn the_same_answers_from_two_sides_are_one_event() {
    for turn in 0..6 {
        let desk = Desk::new();
        let orders = orders(&desk);
        let failed = [status(&orders[0], "RJCT", "AM04"), status(&orders[1], "ACSC", "")];
        desk.write("same/a.xml", pain002("P1", &orders[0].message, &failed));
        let reports = both(&desk, ["same", "same"]);
        let mut messages = reports.map(|report| report["messages"].as_i64().unwrap());
        messages.sort_unstable();
        assert_eq!(messages, [0, 1], "{turn}");
        assert_eq!(count(&desk, RECONCILED), 1, "{turn}");
        assert_eq!(count(&desk, "SELECT count(*) FROM messages"), 1);
        assert_eq!(count(&desk, "SELECT count(*) FROM claims"), 1);
    }
}

#[test]
fn a_failed_payment_is_claimed_once_whoever_gathers_it() {
    for turn in 0..6 {
        let desk = Desk::new();
        let orders = orders(&desk);
        let message = &orders[0].message;
        let refused = |from: usize, until: usize| -> Vec<_> {
            orders[from..until].iter().map(|of| status(of, "RJCT", "AM04")).collect()
        };
        desk.write("one/a.xml", pain002("P1", message, &refused(0, 4)));
        desk.write("two/b.xml", pain002("P2", message, &refused(2, 7)));
        both(&desk, ["one", "two"]);
        let (_, report) = desk.reconcile("one");
        assert_eq!(report["correction"]["payments"], 7, "{turn}");
        assert_eq!(report["correction"]["number"], 1, "{turn}");
        let standing = "SELECT count(*) FROM claims JOIN runs USING (run_no)
                        WHERE superseded_by IS NULL";
        assert_eq!(count(&desk, standing), 7, "{turn}");
        let twice = "SELECT count(*) FROM (SELECT payment FROM claims JOIN runs USING (run_no)
                     WHERE superseded_by IS NULL GROUP BY payment HAVING count(*) > 1)";
        assert_eq!(count(&desk, twice), 0, "{turn}");
        let released = desk.release("run-2026-09.correction-1");
        let again: i64 = read_orders(&released).iter().map(|of| of.amount).sum();
        assert_eq!(again, orders[..7].iter().map(|of| of.amount).sum::<i64>());
    }
}

/// Two payments were refused and gathered; then the bank books the first of them after all.
fn stale(approved: bool) -> Desk {
    let mut desk = Desk::new();
    let orders = orders(&desk);
    let message = &orders[0].message;
    let refused = [status(&orders[0], "RJCT", "AM04"), status(&orders[1], "RJCT", "AM04")];
    desk.write("one/a.xml", pain002("P1", message, &refused));
    desk.reconcile("one");
    if approved {
        desk.must("approve @run-2026-09.correction-1 --by 李四 --ledger @ledger.db");
    } else {
        // Somebody looks and makes no batch: the draft stays as it was.
        desk.answers += "correct = false\n";
        desk.write_jobs();
    }
    desk.write("two/b.xml", camt053("S1", OURS, 0, &[debit(&orders[0], "R1")]).0);
    desk.reconcile("two");
    let row = desk.row(&orders[0].end_to_end_id);
    // The booking counts, and the bank must say what its refusal was.
    assert_eq!((&*row["class"], &*row["next_step"]), ("PAID", "ask_bank"));
    desk
}

#[test]
fn a_batch_that_would_pay_twice_is_neither_approved_nor_released() {
    let amount = |desk: &Desk| orders(desk)[0].amount;
    for (approved, act) in [(true, "release"), (false, "approve")] {
        let desk = stale(approved);
        let proved = desk.verified();
        let line =
            format!("{act} @run-2026-09.correction-1 --by 李四 --ledger @ledger.db --lang en");
        let (exit, _, err) = desk.tuoyu(&line);
        assert_eq!(exit, 1, "{act}: {err}");
        let want = format!(
            "payment {}: the batch pays {} fen of it again, and 0 fen of it failed",
            orders(&desk)[0].payment_no,
            amount(&desk)
        );
        assert!(err.contains(&want), "{act}: {err}");
        assert_eq!(desk.verified(), proved);
        assert!(!desk.path("run-2026-09.correction-1.release").exists());
    }
}

#[test]
fn a_stale_draft_is_made_anew_and_then_goes_out() {
    let mut desk = stale(false);
    desk.answers = desk.answers.replace("correct = false\n", "");
    desk.write_jobs();
    let (_, report) = desk.reconcile("two");
    let orders = orders(&desk);
    assert_eq!(report["correction"]["payments"], 1);
    assert_eq!(report["correction"]["number"], 1);
    let released = read_orders(&desk.release("run-2026-09.correction-1"));
    assert_eq!(released.len(), 1);
    assert_eq!(released[0].amount, orders[1].amount);
    desk.verified();
}

/// A batch that was approved is undone, and the next reconciliation makes it anew.
#[test]
fn an_approved_stale_batch_is_reopened_and_made_anew() {
    let desk = stale(true);
    desk.must("reopen @run-2026-09.correction-1 --by 王五 --reason 银行已付 --ledger @ledger.db");
    let (_, report) = desk.reconcile("two");
    assert_eq!(report["correction"]["payments"], 1);
    let released = read_orders(&desk.release("run-2026-09.correction-1"));
    assert_eq!(released.len(), 1);
}
