//! Posting once, again, instead of a draft, after approval; and records that must not get in.

use super::{AT, BY, Books, act, settled};
use tuoyu::ledger::{ActKind, LedgerError, Posted, RunState};

#[test]
fn the_same_run_again_is_no_event() {
    let books = Books::new();
    let mut ledger = books.open();
    let run = settled("r1", "2026-09", 90_000);
    assert_eq!(run.post(&mut ledger).unwrap(), Posted::New);
    let head = ledger.head().unwrap();
    assert_eq!(run.post(&mut ledger).unwrap(), Posted::AlreadyThere);
    assert_eq!(ledger.head().unwrap(), head);
    assert_eq!(ledger.events().unwrap(), 1);
    let standing = ledger.find("monthly", run.period).unwrap().unwrap();
    assert_eq!((standing.run_id.as_str(), standing.state), ("r1", RunState::Draft));
    assert_eq!(standing.manifest_hash, "manifest of r1");
    assert_eq!(standing.known_on.to_string(), "2026-10-09");
    assert_eq!(ledger.find("other", run.period).unwrap(), None);
    assert_eq!(ledger.find("monthly", run.period.plus(1)).unwrap(), None);
}

#[test]
fn other_bytes_under_the_same_id_are_refused() {
    let books = Books::new();
    let mut ledger = books.open();
    let mut run = settled("r1", "2026-09", 90_000);
    run.post(&mut ledger).unwrap();
    run.manifest_hash = "another".to_owned();
    assert!(matches!(run.post(&mut ledger), Err(LedgerError::RunDiffers { .. })));
    assert_eq!(ledger.events().unwrap(), 1);
}

#[test]
fn a_draft_is_replaced_with_an_event_and_kept() {
    let books = Books::new();
    let mut ledger = books.open();
    settled("r1", "2026-09", 90_000).post(&mut ledger).unwrap();
    let second = settled("r2", "2026-09", 80_000);
    let replaced = Posted::Replaced { old_run_id: "r1".to_owned() };
    assert_eq!(second.post(&mut ledger).unwrap(), replaced);
    assert_eq!(ledger.events().unwrap(), 2);
    assert_eq!(ledger.find("monthly", second.period).unwrap().unwrap().run_id, "r2");
    // The old inputs come back: the run is posted anew, nothing is revived in place.
    let again = settled("r1", "2026-09", 90_000);
    let replaced = Posted::Replaced { old_run_id: "r2".to_owned() };
    assert_eq!(again.post(&mut ledger).unwrap(), replaced);
    assert_eq!(again.post(&mut ledger).unwrap(), Posted::AlreadyThere);
    let proved = ledger.verify().unwrap();
    assert_eq!((proved.events, proved.runs), (3, 3));
    let lines: i64 =
        books.raw().query_row("SELECT count(*) FROM lines", (), |row| row.get(0)).unwrap();
    assert_eq!(lines, 12);
}

#[test]
fn past_the_draft_a_period_is_refused() {
    let books = Books::new();
    let mut ledger = books.open();
    let first = settled("r1", "2026-09", 90_000);
    first.post(&mut ledger).unwrap();
    for (kind, state) in [
        (ActKind::Approve, "approved"),
        (ActKind::Release, "released"),
        (ActKind::Answer, "answered"),
        (ActKind::Close, "closed"),
    ] {
        act(&mut ledger, "r1", kind, "李四").unwrap();
        let refused = settled("r2", "2026-09", 80_000).post(&mut ledger).unwrap_err();
        let message = refused.to_string();
        assert!(matches!(refused, LedgerError::Approved { .. }), "{message}");
        assert!(message.contains(state) && message.contains("r1"), "{message}");
        assert_eq!(first.post(&mut ledger).unwrap(), Posted::AlreadyThere);
    }
    assert_eq!(ledger.verify().unwrap().events, 5);
}

#[test]
fn a_record_that_contradicts_itself_does_not_get_in() {
    let books = Books::new();
    let mut ledger = books.open();
    let check = |ledger: &mut _, spoil: fn(&mut super::Month2), want: &str| {
        let mut run = settled("r1", "2026-09", 90_000);
        spoil(&mut run);
        let message = run.post(ledger).unwrap_err().to_string();
        assert!(message.contains(want), "{message}");
    };
    check(&mut ledger, |run| run.schedule.payments[0].amount_fen += 1, "payment 2026-09-000001");
    check(&mut ledger, |run| run.schedule.payments[0].lines = 2, "payment 2026-09-000001");
    check(&mut ledger, |run| run.schedule.lines[1].payment = 0, "payment 2026-09-000001");
    check(&mut ledger, |run| run.schedule.lines[1].payment = 9, "line 2 names");
    check(&mut ledger, |run| run.schedule.lines[1].payee = 2, "line 2 names");
    check(&mut ledger, |run| run.schedule.lines[1].budget_line = 2, "line 2 names");
    check(&mut ledger, |run| run.schedule.lines[1].line_no = 1, "line 1 follows line 1");
    check(&mut ledger, |run| run.schedule.payments[2].payee = 2, "names a payee");
    check(&mut ledger, |run| run.manifest_hash.clear(), "the manifest was not written");
    check(&mut ledger, |run| run.institutions[0].institution_id = "A".into(), "listed twice");
    let run = settled("r1", "2026-09", 90_000);
    assert!(ledger.post(&run.record(), "", BY).is_err());
    assert!(ledger.post(&run.record(), AT, "").is_err());
    // A payment below zero, though its line agrees.
    let negative = settled("r1", "2026-09", -1);
    assert!(matches!(ledger.post(&negative.record(), AT, BY), Err(LedgerError::Record { .. })));
    assert_eq!(ledger.events().unwrap(), 0);
    assert_eq!(run.post(&mut ledger).unwrap(), Posted::New);
}

#[test]
fn a_negative_line_may_stand_inside_a_payment() {
    let books = Books::new();
    let mut ledger = books.open();
    let mut run = settled("r1", "2026-09", 90_000);
    run.schedule.lines[1].payable_fen = -20_000;
    run.schedule.lines[1].payment = 0;
    run.schedule.payments[0].amount_fen = 70_000;
    run.schedule.payments[0].lines = 2;
    run.schedule.payments[1].amount_fen = 0;
    run.schedule.payments[1].lines = 0;
    assert_eq!(run.post(&mut ledger).unwrap(), Posted::New);
    ledger.verify().unwrap();
}

#[test]
fn an_empty_period_is_posted() {
    let books = Books::new();
    let mut ledger = books.open();
    let mut run = settled("r1", "2026-09", 0);
    run.schedule = tuoyu::schedule::Schedule::default();
    run.institutions.clear();
    assert_eq!(run.post(&mut ledger).unwrap(), Posted::New);
    ledger.verify().unwrap();
    assert_eq!(ledger.posted("monthly", run.period.plus(1)).unwrap(), []);
}

#[test]
fn what_does_not_commit_leaves_the_books_as_before() {
    let books = Books::new();
    let mut ledger = books.open();
    settled("r1", "2026-08", 90_000).post(&mut ledger).unwrap();
    let head = ledger.head().unwrap();
    let run = settled("r2", "2026-09", 80_000);
    let mut pending = ledger.begin().unwrap();
    assert_eq!(pending.post(&run.record(), AT, BY).unwrap(), Posted::New);
    assert_eq!(pending.find("monthly", run.period).unwrap().unwrap().run_id, "r2");
    drop(pending);
    assert_eq!(ledger.head().unwrap(), head);
    assert_eq!(ledger.find("monthly", run.period).unwrap(), None);
    ledger.verify().unwrap();
}

#[test]
fn a_crash_leaves_the_books_as_before_or_as_after() {
    let books = Books::new();
    let mut ledger = books.open();
    settled("r1", "2026-08", 90_000).post(&mut ledger).unwrap();
    let head = ledger.head().unwrap();
    let run = settled("r2", "2026-09", 80_000);
    // What the disk holds when the power fails: the file and some first part of its log.
    let pictures = tempfile::tempdir().unwrap();
    let reopen = |name: &str, log: &[u8], file: &[u8]| {
        let path = pictures.path().join(name);
        std::fs::write(&path, file).unwrap();
        std::fs::write(pictures.path().join(format!("{name}-wal")), log).unwrap();
        tuoyu::ledger::Ledger::open(&path).unwrap()
    };
    let disk = || {
        let log = books.path().with_file_name("ledger.db-wal");
        (std::fs::read(log).unwrap(), std::fs::read(books.path()).unwrap())
    };
    let mut pending = ledger.begin().unwrap();
    pending.post(&run.record(), AT, BY).unwrap();
    let (log, file) = disk();
    let before = reopen("before", &log, &file);
    assert_eq!(before.verify().unwrap().head, head);
    pending.commit().unwrap();
    let (log, file) = disk();
    let after = ledger.head().unwrap();
    let mut seen = [false; 2];
    for part in 0..=20 {
        let cut = log.len() * part / 20;
        let found = reopen(&format!("cut{part}"), &log[..cut], &file).verify();
        // A log cut before the first month has no events at all; that month was then not kept.
        let found = found.unwrap().head;
        seen[0] |= found == head;
        seen[1] |= found == after;
        assert!(found == head || found == after || found.bytes().all(|b| b == b'0'), "{part}");
    }
    assert_eq!(seen, [true, true]);
}

#[test]
fn a_file_of_somebody_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.db");
    let theirs = rusqlite::Connection::open(&path).unwrap();
    theirs.execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
    let refused = tuoyu::ledger::Ledger::open(&path).unwrap_err();
    assert!(matches!(refused, LedgerError::Foreign { .. }), "{refused}");
    let tables: i64 =
        theirs.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0)).unwrap();
    assert_eq!(tables, 1);
    let empty = folder.path().join("empty.db");
    std::fs::write(&empty, "").unwrap();
    assert!(matches!(tuoyu::ledger::Ledger::open(&empty), Err(LedgerError::Foreign { .. })));
    let text = folder.path().join("text.db");
    std::fs::write(&text, "no database at all, but long enough to be looked at\n".repeat(40))
        .unwrap();
    let refused = tuoyu::ledger::Ledger::open(&text).unwrap_err();
    assert!(matches!(refused, LedgerError::Foreign { .. }), "{refused}");
}

#[test]
fn a_new_ledger_leaves_nothing_beside_it() {
    let books = Books::new();
    drop(books.open());
    let names: Vec<_> = std::fs::read_dir(books.path().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["ledger.db"]);
    // A second person opens it with the rights of any new file.
    let plain = books.path().with_file_name("plain");
    std::fs::write(&plain, "").unwrap();
    let rights = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions();
    assert_eq!(rights(&books.path()), rights(&plain));
    // Where no folder can be made, the world has failed and says where.
    let below_a_file = books.path().join("deeper/ledger.db");
    let refused = tuoyu::ledger::Ledger::open(&below_a_file).unwrap_err();
    assert!(matches!(refused, LedgerError::Folder { .. }), "{refused}");
}

#[test]
fn a_later_layout_is_left_alone() {
    let books = Books::new();
    drop(books.open());
    books.raw().pragma_update(None, "user_version", 99).unwrap();
    let refused = tuoyu::ledger::Ledger::open(&books.path()).unwrap_err();
    assert!(matches!(refused, LedgerError::Newer { found: 99, .. }), "{refused}");
}
