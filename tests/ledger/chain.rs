//! Nothing in the books can be changed without `verify` naming the first event that suffers.

use super::{Books, act, settled};
use rusqlite::Connection;
use std::sync::OnceLock;
use tuoyu::ledger::{ActKind, Ledger, LedgerError};

/// Three events: August, September, September again. Made once; every test gets a copy.
fn three() -> Books {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    let file = FILE.get_or_init(|| {
        let books = Books::new();
        let mut ledger = books.open();
        settled("r8", "2026-08", 90_000).post(&mut ledger).unwrap();
        settled("r9", "2026-09", 80_000).post(&mut ledger).unwrap();
        settled("r9b", "2026-09", 85_000).post(&mut ledger).unwrap();
        // All in one file: the last connection to close empties the log.
        drop(ledger);
        std::fs::read(books.path()).unwrap()
    });
    let books = Books::new();
    std::fs::create_dir_all(books.path().parent().unwrap()).unwrap();
    std::fs::write(books.path(), file).unwrap();
    books
}

/// Takes the triggers away, as an intruder would; gives their text to put them back.
fn disarm(raw: &Connection) -> Vec<String> {
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
    triggers.into_iter().map(|(_, sql)| sql).collect()
}

/// Does `sql` behind the ledger's back and gives the number of the event that `verify` names.
fn spoiled(sql: &str) -> (i64, String) {
    let books = three();
    let raw = books.raw();
    let triggers = disarm(&raw);
    raw.execute_batch(sql).unwrap();
    for trigger in triggers {
        raw.execute_batch(&trigger).unwrap();
    }
    match books.open().verify() {
        Err(LedgerError::Broken { seq, event, found, .. }) => (seq, format!("{event}: {found}")),
        other => panic!("{sql}: {other:?}"),
    }
}

#[test]
fn an_untouched_chain_holds() {
    let books = three();
    let proved = books.open().verify().unwrap();
    assert_eq!((proved.events, proved.runs), (3, 3));
    assert_eq!(proved.head, books.open().head().unwrap());
    // The chain follows from what was posted, not from where or when the file was made.
    let again = Books::new();
    let mut ledger = again.open();
    for (run_id, period, fen) in
        [("r8", "2026-08", 90_000), ("r9", "2026-09", 80_000), ("r9b", "2026-09", 85_000)]
    {
        settled(run_id, period, fen).post(&mut ledger).unwrap();
    }
    assert_eq!(proved, ledger.verify().unwrap());
}

#[test]
fn every_column_of_every_table_is_sealed() {
    let columns = [
        ("payees", "payee = 200000000"),
        ("payments", "payment = 200000000"),
        ("lines", "line = 200000001"),
        ("institutions", "institution = 200000000"),
        ("totals", "total = 200000000"),
        ("runs", "run_no = 2"),
        ("events", "seq = 2"),
    ];
    let plain = three();
    let mut tried = 0;
    for (table, row) in columns {
        let raw = plain.raw();
        let mut statement =
            raw.prepare(&format!("SELECT name, type FROM pragma_table_info('{table}')")).unwrap();
        let names: Vec<(String, String)> = statement
            .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        for (column, kind) in names {
            let value = match (table, column.as_str(), kind.as_str()) {
                ("runs", "state", _) => "'closed'".to_owned(),
                ("runs", "period", _) => "202607".to_owned(),
                ("runs", "superseded_by", _) => "1".to_owned(),
                (_, _, "TEXT") => format!("{column} || 'x'"),
                (
                    _,
                    "run_no" | "payee" | "payment" | "line" | "institution" | "total" | "seq",
                    _,
                ) => {
                    format!("{column} + 100")
                }
                _ => format!("coalesce({column}, 0) + 1"),
            };
            let (seq, found) =
                spoiled(&format!("UPDATE {table} SET {column} = {value} WHERE {row}"));
            let want = match (table, column.as_str()) {
                // Where a run stands follows from all events: the file is named.
                ("runs", "state" | "superseded_by") => 0,
                // The gap shows at the event after it.
                ("events", "seq") => 3,
                _ => 2,
            };
            assert_eq!(seq, want, "{table}.{column}: {found}");
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried} columns");
}

#[test]
fn rows_added_taken_or_exchanged_are_found() {
    let cases = [
        ("DELETE FROM lines WHERE line = 100000004", 1),
        ("DELETE FROM institutions WHERE run_no = 1 AND institution_id = 'C'", 1),
        ("DELETE FROM payments WHERE payment = 300000002", 3),
        ("INSERT INTO institutions VALUES (200000003, 2, 'D', 1, 1, 1)", 2),
        ("UPDATE texts SET text = '市' WHERE text = '区'", 1),
        // Two amounts exchanged: count and sum stay.
        (
            "UPDATE lines SET payable_fen = 5505 WHERE line = 100000002;
             UPDATE lines SET payable_fen = 20000 WHERE line = 100000003",
            1,
        ),
        ("DELETE FROM runs WHERE run_no = 2", 2),
        ("DELETE FROM events WHERE seq = 1", 2),
        ("DELETE FROM events WHERE seq = 2", 3),
        // A cut tail leaves a run that no event posted.
        ("DELETE FROM events WHERE seq = 3", 0),
        (
            "INSERT INTO runs VALUES (4, 'r', 'monthly', 202610, '1', 'l', 'm', 20261109, 'draft', NULL)",
            0,
        ),
        ("INSERT INTO institutions VALUES (700000001, 7, 'D', 1, 1, 1)", 0),
        ("DROP INDEX runs_standing", 0),
    ];
    for (sql, want) in cases {
        let (seq, found) = spoiled(sql);
        assert_eq!(seq, want, "{sql}: {found}");
    }
}

/// September approved, released and closed; October drafted on it.
fn acted() -> Books {
    let books = Books::new();
    let mut ledger = books.open();
    settled("r9", "2026-09", 80_000).release(&mut ledger);
    act(&mut ledger, "r9", ActKind::Close, "李四").unwrap();
    let mut next = settled("r10", "2026-10", 80_000);
    next.earlier.push("r9".to_owned());
    next.post(&mut ledger).unwrap();
    books
}

#[test]
fn every_word_of_an_act_is_sealed() {
    let told = |sql: &str| -> (i64, String) {
        let books = acted();
        let raw = books.raw();
        let triggers = disarm(&raw);
        raw.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        for trigger in triggers {
            raw.execute_batch(&trigger).unwrap();
        }
        match books.open().verify() {
            Err(LedgerError::Broken { seq, found, .. }) => (seq, found),
            other => panic!("{sql}: {other:?}"),
        }
    };
    for seq in 2..=4 {
        for column in ["kind", "at", "by", "body", "prev_hash", "hash"] {
            let sql = format!("UPDATE events SET {column} = {column} || 'x' WHERE seq = {seq}");
            assert_eq!(told(&sql).0, seq, "{sql}");
        }
        let sql = format!("UPDATE events SET run_no = 2 WHERE seq = {seq}");
        assert_eq!(told(&sql).0, seq, "{sql}");
        for word in ["approvals", "from", "key", "manifest_hash", "reason", "run_id", "state"] {
            let sql = format!(
                "UPDATE events SET body = json_set(body, '$.{word}', 'x') WHERE seq = {seq}"
            );
            assert_eq!(told(&sql).0, seq, "{sql}");
        }
        let sql = format!("DELETE FROM events WHERE seq = {seq}");
        assert_eq!(told(&sql).0, seq + 1, "{sql}");
    }
    for state in ["draft", "approved", "released", "answered"] {
        let (seq, found) = told(&format!("UPDATE runs SET state = '{state}' WHERE run_no = 1"));
        assert_eq!((seq, &*found), (0, "run r9 is not closed, as the events say"));
    }
    // A cut tail leaves the run where its last event does not put it.
    let (seq, found) = told("DELETE FROM events WHERE seq >= 4; DELETE FROM runs WHERE run_no = 2");
    assert_eq!((seq, &*found), (0, "run r9 is not released, as the events say"));
}

/// Acts that no person could have done, with a chain that fits them: `verify` judges the acts too.
#[test]
fn a_chain_that_tells_of_a_forbidden_act_is_broken() {
    let cases: [(&str, &str, &str); 5] = [
        ("UPDATE events SET by = '张三' WHERE seq = 2", "was made by 张三", "the maker approves"),
        ("UPDATE events SET by = '' WHERE seq = 3", "expected a name", "nobody releases"),
        (
            "UPDATE events SET kind = 'released' WHERE seq = 2",
            "is draft; expected an approved run",
            "a draft is released",
        ),
        (
            "UPDATE events SET kind = 'reopened',
             body = json_set(body, '$.state', 'approved') WHERE seq = 4",
            "is released; expected an approved or closed run",
            "a release is undone",
        ),
        (
            "UPDATE events SET body = json_set(body, '$.approvals', 2) WHERE seq = 2",
            "does not say what it did",
            "one approval is told as two",
        ),
    ];
    for (sql, want, what) in cases {
        let books = acted();
        let raw = books.raw();
        let triggers = disarm(&raw);
        raw.execute_batch(sql).unwrap();
        super::signing::chain_anew(&raw);
        for trigger in triggers {
            raw.execute_batch(&trigger).unwrap();
        }
        let broken = Ledger::open(&books.path()).unwrap().verify().unwrap_err().to_string();
        assert!(broken.contains(want), "{what}: {broken}");
    }
}

#[test]
fn a_missing_trigger_is_found() {
    let books = three();
    books.raw().execute_batch("DROP TRIGGER lines_stay").unwrap();
    let broken = books.open().verify().unwrap_err().to_string();
    assert!(broken.contains("tables or triggers"), "{broken}");
}

#[test]
fn the_message_names_event_and_run() {
    let (_, found) = spoiled("UPDATE lines SET payable_fen = 0 WHERE line = 200000001");
    assert_eq!(found, "posted run r9: the lines of its run are not those that were posted");
    let (_, found) = spoiled("UPDATE payees SET account_no = '1' WHERE payee = 300000001");
    assert_eq!(found, "replaced run r9b: the payees of its run are not those that were posted");
}

#[test]
fn nothing_is_posted_on_a_broken_chain() {
    let books = three();
    let raw = books.raw();
    disarm(&raw);
    raw.execute("UPDATE events SET by = 'nobody' WHERE seq = 2", ()).unwrap();
    let broken = settled("r10", "2026-10", 1).post(&mut books.open()).unwrap_err();
    assert!(matches!(broken, LedgerError::Broken { seq: 2, .. }), "{broken}");
}

#[test]
fn triggers_refuse_changes_and_deletions() {
    let books = three();
    let raw = books.raw();
    for table in
        ["texts", "payees", "payments", "lines", "institutions", "totals", "events", "runs"]
    {
        let column: String = raw
            .query_row(&format!("SELECT name FROM pragma_table_info('{table}')"), (), |row| {
                row.get(0)
            })
            .unwrap();
        for sql in
            [format!("DELETE FROM {table}"), format!("UPDATE {table} SET {column} = {column}")]
        {
            let refused = raw.execute(&sql, ()).unwrap_err().to_string();
            assert!(refused.starts_with(table), "{sql}: {refused}");
        }
    }
    // A draft that was replaced stays so, and a state changes with its event only.
    let again = "UPDATE runs SET superseded_by = NULL WHERE run_no = 2";
    assert!(raw.execute(again, ()).unwrap_err().to_string().contains("standing draft"));
    for (sql, want) in [
        ("UPDATE runs SET state = 'approved' WHERE run_no = 1", "runs: "),
        ("UPDATE runs SET state = 'released' WHERE run_no = 1", "runs: "),
        ("UPDATE runs SET state = 'approved' WHERE run_no = 2", "runs: "),
        (
            "INSERT INTO runs VALUES (9, 'r', 'x', 202610, '1', 'l', 'm', 20261109, 'closed', NULL)",
            "begins as a draft",
        ),
    ] {
        let refused = raw.execute(sql, ()).unwrap_err().to_string();
        assert!(refused.contains(want), "{sql}: {refused}");
    }
}

#[test]
fn a_flipped_byte_of_the_file_is_found_or_changes_nothing() {
    let books = three();
    let file = std::fs::read(books.path()).unwrap();
    let told = |ledger: &Ledger| {
        let before = super::month("2026-12");
        let lines = ledger.posted("monthly", before)?;
        let year = ledger.year_to_date("monthly", 2026, before)?;
        Ok::<_, LedgerError>((lines, year, ledger.previous("monthly", before)?))
    };
    let want = told(&books.open()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flipped.db");
    let mut found = 0;
    // A step that is a prime walks over all kinds of pages and cells.
    for offset in (0..file.len()).step_by(401) {
        let mut flipped = file.clone();
        flipped[offset] ^= 0x10;
        for tail in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(folder.path().join(format!("flipped.db{tail}")));
        }
        std::fs::write(&path, &flipped).unwrap();
        let proved = Ledger::open(&path).and_then(|ledger| Ok((ledger.verify()?, told(&ledger)?)));
        match proved {
            Ok((_, read)) => assert!(read == want, "byte {offset} changed what is read"),
            Err(_) => found += 1,
        }
    }
    assert!(found > 20, "{found} found");
}
