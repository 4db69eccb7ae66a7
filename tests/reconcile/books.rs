//! Answers in the ledger: sealed, signed where a job demands it, and no money of their own.

use super::again::{debit, orders, status};
use super::desk::{Desk, OURS};
use super::paper::{camt053, pain002};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::sync::OnceLock;
use tuoyu::domain::{Fen, SecretKey};
use tuoyu::ledger::LedgerError;

/// One payment refused and gathered, one paid: events 7 (answers) and 8 (the batch) after six of two
/// months.
fn heard() -> Desk {
    static MADE: OnceLock<Desk> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let desk = Desk::new();
        let orders = orders(&desk);
        let told = [status(&orders[0], "RJCT", "AM04"), status(&orders[1], "ACSC", "")];
        desk.write("answers/a.xml", pain002("P1", &orders[0].message, &told));
        desk.write("answers/b.xml", camt053("S1", OURS, 0, &[debit(&orders[1], "R1")]).0);
        desk.reconcile("answers");
        assert_eq!(desk.verified().0, 8);
        desk
    });
    made.copied()
}

/// Does `sql` behind the ledger's back, the triggers away and back again; gives what `verify` names.
fn spoiled(sql: &str) -> Option<(i64, String)> {
    let desk = heard();
    let raw = desk.raw();
    raw.pragma_update(None, "foreign_keys", false).unwrap();
    let triggers: Vec<(String, String)> = raw
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
        .unwrap()
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for (name, _) in &triggers {
        raw.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    raw.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    for (_, trigger) in triggers {
        raw.execute_batch(&trigger).unwrap();
    }
    match desk.ledger().verify() {
        Ok(_) => None,
        Err(LedgerError::Broken { seq, found, .. }) => Some((seq, found)),
        Err(other) => panic!("{sql}: {other}"),
    }
}

fn columns(raw: &Connection, table: &str) -> Vec<(String, String)> {
    raw.prepare(&format!("SELECT name, type FROM pragma_table_info('{table}')"))
        .unwrap()
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

#[test]
fn every_column_of_answers_and_claims_is_sealed() {
    let mut tried = 0;
    for (table, row, seq) in [
        ("messages", "message = 700000001", 7),
        ("answers", "answer = 700000002", 7),
        ("claims", "claim = 300000000", 8),
    ] {
        for (column, kind) in columns(&heard().raw(), table) {
            let value = match (&*column, &*kind) {
                // Another of the words there are.
                ("said" | "rule", _) => format!("{column} + 1"),
                ("run_no", _) => "1".to_owned(),
                (_, "TEXT") => format!("{column} || 'x'"),
                _ => format!("coalesce({column}, 0) + 40"),
            };
            let sql = format!("UPDATE {table} SET {column} = {value} WHERE {row}");
            let (found, what) = spoiled(&sql).unwrap_or_else(|| panic!("{sql}: not found"));
            assert_eq!(found, seq, "{sql}: {what}");
            tried += 1;
        }
    }
    // Six of messages, thirteen of answers, four of claims.
    assert_eq!(tried, 6 + 13 + 4);
}

#[test]
fn answers_and_claims_added_taken_or_exchanged_are_found() {
    let cases = [
        ("DELETE FROM answers WHERE answer = 700000000", 7),
        ("DELETE FROM messages WHERE message = 700000001", 7),
        ("DELETE FROM claims", 8),
        ("INSERT INTO claims VALUES (300000001, 3, 200000001, 1)", 8),
        ("INSERT INTO messages VALUES (700000002, 2, 'camt.053', 'S2', 'h', 'c.xml')", 7),
        (
            "INSERT INTO answers VALUES (700000003, 700000000, 3, NULL, 8, 1, 1, NULL,
                '', '', '', '', '')",
            7,
        ),
        // What was said of two payments exchanged.
        (
            "UPDATE answers SET payment = CASE answer WHEN 700000000
                THEN (SELECT max(payment) FROM answers) ELSE
                (SELECT min(payment) FROM answers) END WHERE answer IN (700000000, 700000001)",
            7,
        ),
        // Under events that heard nothing, and under none.
        ("INSERT INTO messages VALUES (500000000, 2, 'camt.053', 'S2', 'h', 'c.xml')", 5),
        ("INSERT INTO messages VALUES (900000000, 2, 'camt.053', 'S2', 'h', 'c.xml')", 0),
        ("INSERT INTO claims VALUES (200000000, 2, 100000001, 1)", 4),
        ("INSERT INTO claims VALUES (900000000, 9, 200000001, 1)", 0),
        (
            "INSERT INTO answers VALUES (600000000, 700000000, 3, NULL, 8, 1, 1, NULL,
                '', '', '', '', '')",
            6,
        ),
        ("DELETE FROM events WHERE seq = 7", 8),
        ("UPDATE events SET body = json_remove(body, '$.seals.answers') WHERE seq = 7", 7),
        ("UPDATE runs SET state = 'answered' WHERE run_no = 2", 0),
    ];
    for (sql, want) in cases {
        let (seq, found) = spoiled(sql).unwrap_or_else(|| panic!("{sql}: not found"));
        // Rows under the wrong event are named there or with the file.
        assert!(seq == want || (seq == 0 && sql.starts_with("INSERT")), "{sql}: {seq} {found}");
    }
}

#[test]
fn triggers_hold_answers_and_claims() {
    let desk = heard();
    let raw = desk.raw();
    for table in ["messages", "answers", "claims"] {
        let (column, _) = columns(&raw, table).remove(0);
        for sql in
            [format!("DELETE FROM {table}"), format!("UPDATE {table} SET {column} = {column}")]
        {
            let refused = raw.execute(&sql, ()).unwrap_err().to_string();
            assert!(refused.starts_with(table), "{sql}: {refused}");
        }
    }
    let payment: i64 = raw.query_row("SELECT payment FROM claims", (), |row| row.get(0)).unwrap();
    // The batch that is a draft claims all of it.
    for run in [2, 3] {
        let sql = format!("INSERT INTO claims VALUES ({run}00000009, {run}, {payment}, 1)");
        let refused = raw.execute(&sql, ()).unwrap_err().to_string();
        assert!(refused.starts_with("claims: "), "{sql}: {refused}");
    }
}

#[test]
fn a_job_that_demands_keys_demands_them_of_a_reconciliation() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let mut register = String::new();
    for (name, seed) in [("张三", 1), ("李四", 2)] {
        let key = SecretKey::from_bytes(&[seed; 32]);
        fs::write(at(&format!("{seed}.key")), key.pem()).unwrap();
        writeln!(register, "\"{name}\" = \"{}\"", key.public().text()).unwrap();
    }
    fs::write(at("register.toml"), register).unwrap();
    let settings = format!("[approval]\nkeys = {:?}\n", at("register.toml"));
    let desk = Desk::settled(&settings, &format!("--key {}", at("1.key")));
    for act in ["approve", "release"] {
        let key = at("2.key");
        desk.must(&format!("{act} @run-2026-09 --by 李四 --key {key} --ledger @ledger.db"));
    }
    let orders = orders(&desk);
    let told = [status(&orders[0], "RJCT", "AM04")];
    desk.write("answers/a.xml", pain002("P1", &orders[0].message, &told));
    let proved = desk.verified();
    for (words, want) in [
        (String::new(), "demands signatures; expected the key of 张三"),
        (format!("--key {}", at("2.key")), "demands the key of 张三"),
        (format!("--by 赵六 --key {}", at("1.key")), "which 赵六 is not"),
    ] {
        let (exit, _, err) = desk.tuoyu(&format!("run @recon.toml --lang en {words}"));
        assert_eq!(exit, 1, "{words}: {err}");
        assert!(err.contains(want), "{words}: {err}");
        assert_eq!(desk.verified(), proved);
        assert!(!desk.path("recon").exists() && !desk.path("run-2026-09.correction-1").exists());
    }
    let (exit, report) = desk.reconcile_with(&format!("--key {}", at("1.key")));
    assert_eq!((exit, &report["correction"]["payments"]), (5, &1.into()));
    desk.verified();
    let unsigned: i64 = desk
        .raw()
        .query_row(
            "SELECT count(*) FROM events WHERE length(json_extract(body, '$.signature')) <> 128
                OR json_extract(body, '$.signature') IS NULL",
            (),
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(unsigned, 0);
    // The batch demands keys as its settlement does.
    let line = "approve @run-2026-09.correction-1 --by 李四 --ledger @ledger.db --lang en";
    let (exit, _, err) = desk.tuoyu(line);
    assert_eq!(exit, 1, "{err}");
    assert!(err.contains("expected the key of 李四"), "{err}");
}

/// Everything is refused and paid again; the books count it once.
#[test]
fn journal_and_year_count_a_payment_once_however_often_it_goes_out() {
    let desk = Desk::new();
    let books = |desk: &Desk| {
        let ledger = desk.ledger();
        let mut journal = Vec::new();
        ledger.write_journal(None, &mut journal).unwrap();
        (String::from_utf8(journal).unwrap(), ledger.year(None, 2026).unwrap())
    };
    let (journal, year) = books(&desk);
    let orders = orders(&desk);
    let told: Vec<_> = orders.iter().map(|of| status(of, "RJCT", "AM04")).collect();
    desk.write("answers/a.xml", pain002("P1", &orders[0].message, &told));
    let (_, report) = desk.reconcile("answers");
    assert_eq!(report["correction"]["payments"], 18);
    desk.release("run-2026-09.correction-1");
    let (after, year_after) = books(&desk);
    assert_eq!(year_after, year);
    // Slots of August 4 to 10, of September 5 to 11, at 41.12, and seven times fifteen at 100 twice.
    let sum: i64 = year.iter().map(|line| line.payable_fen).sum();
    assert_eq!(sum, 4_112 * (49 + 56) + 2 * 7 * 15 * 10_000);
    // What came back and went out again leaves every account where it was, the expenses untouched.
    let balances = |text: &str| -> BTreeMap<String, i64> {
        let mut sums = BTreeMap::new();
        for line in text.lines().filter(|line| line.contains(" CNY") && line.starts_with("    ")) {
            let (account, rest) = line.trim().split_once("  ").unwrap();
            let amount = rest.split(" CNY").next().unwrap();
            *sums.entry(account.to_owned()).or_default() += Fen::parse(amount).unwrap().0;
        }
        sums
    };
    assert_eq!(balances(&after), balances(&journal));
    assert!(balances(&journal).len() > 10);
    let again = |text: &str| text.matches("| failed before").count();
    assert_eq!((again(&journal), again(&after)), (0, 18));
    let spent = |text: &str| text.lines().filter(|line| line.contains("expenses:")).count();
    assert_eq!(spent(&after), spent(&journal));
}

#[test]
fn the_next_month_does_not_see_a_reconciliation() {
    let plain = Desk::new();
    plain.settle("2026-10");
    let desk = Desk::new();
    let orders = orders(&desk);
    let told = [status(&orders[0], "RJCT", "AM04"), status(&orders[1], "ACSC", "")];
    desk.write("answers/a.xml", pain002("P1", &orders[0].message, &told));
    desk.reconcile("answers");
    desk.release("run-2026-09.correction-1");
    desk.settle("2026-10");
    assert!(desk.bytes("run-2026-10") == plain.bytes("run-2026-10"));
    // And it goes out as any month does.
    desk.release("run-2026-10");
    desk.verified();
}
