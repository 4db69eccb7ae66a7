//! Signatures of persons, and what happens to whoever changes them.

use super::{AT, BY, Books, Month2, settled};
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use tuoyu::domain::{PublicKey, SecretKey, hex};
use tuoyu::ledger::{Act, ActKind, Acted, EventKind, Ledger, LedgerError, Refusal, message};

fn key(of: u8) -> SecretKey {
    SecretKey::from_bytes(&[of; 32])
}

/// September of a job that demands signatures of 张三 (key 1), 李四 (2) and 王五 (3).
fn demanding() -> Month2 {
    let keys = [("张三", 1), ("李四", 2), ("王五", 3)];
    let keys: BTreeMap<String, PublicKey> =
        keys.into_iter().map(|(name, of)| (name.to_owned(), key(of).public())).collect();
    let mut run = settled("r9", "2026-09", 90_000);
    run.approval.keys = Some(keys);
    run.key = Some(key(1));
    run
}

fn act(
    ledger: &mut Ledger,
    kind: ActKind,
    by: &str,
    key: Option<&SecretKey>,
) -> Result<Acted, LedgerError> {
    ledger.act("r9", &Act { kind, by, at: AT, reason: "核对无误", key })
}

fn refusal<T: std::fmt::Debug>(of: Result<T, LedgerError>) -> Refusal {
    match of {
        Err(LedgerError::Refused { refusal, .. }) => refusal,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_key_is_one_person_whatever_the_names() {
    let books = Books::new();
    let mut ledger = books.open();
    // No register: anybody may sign or not, but never for a second person.
    let mut month = settled("r9", "2026-09", 1);
    month.key = Some(key(7));
    month.post(&mut ledger).unwrap();
    let mut approve = |of: u8| act(&mut ledger, ActKind::Approve, "李四", Some(&key(of)));
    assert_eq!(refusal(approve(7)), Refusal::Maker { name: "李四".to_owned() });
    approve(8).unwrap();
}

#[test]
fn every_act_is_signed_by_the_key_of_its_name() {
    let books = Books::new();
    let mut ledger = books.open();
    let mut run = demanding();
    run.key = None;
    let name = || BY.to_owned();
    assert_eq!(refusal(run.post(&mut ledger)), Refusal::KeyMissing { name: name() });
    run.key = Some(key(2));
    let found = key(2).public().text();
    assert_eq!(refusal(run.post(&mut ledger)), Refusal::OtherKey { name: name(), found });
    let run = demanding();
    let stranger = ledger.post(&run.record(), AT, "赵六");
    assert_eq!(refusal(stranger), Refusal::NotInRegister { name: "赵六".to_owned() });
    run.post(&mut ledger).unwrap();

    for (kind, by, own, other) in [
        (ActKind::Approve, "李四", key(2), key(3)),
        (ActKind::Release, "王五", key(3), key(1)),
        (ActKind::Close, "张三", key(1), key(9)),
        (ActKind::Reopen, "李四", key(2), key(1)),
    ] {
        let name = || by.to_owned();
        let missing = refusal(act(&mut ledger, kind, by, None));
        assert_eq!(missing, Refusal::KeyMissing { name: name() });
        let found = other.public().text();
        let wrong = refusal(act(&mut ledger, kind, by, Some(&other)));
        assert_eq!(wrong, Refusal::OtherKey { name: name(), found });
        let unknown = refusal(act(&mut ledger, kind, "赵六", Some(&own)));
        assert_eq!(unknown, Refusal::NotInRegister { name: "赵六".to_owned() });
        act(&mut ledger, kind, by, Some(&own)).unwrap();
    }
    let course = ledger.course("r9").unwrap();
    // What was signed can be checked by anybody who has the public key.
    let before = course.made.hash.clone();
    let words = ("李四", AT, "核对无误");
    let text = message(EventKind::Approved, "r9", "manifest of r9", words, &before);
    let shown =
        format!("tuoyu-act-v1\napproved\nr9\nmanifest of r9\n李四\n{AT}\n{before}\n核对无误\n");
    assert_eq!(text, shown.as_bytes());
    let signature = course.approvals[0].signature.as_deref().unwrap();
    assert!(key(2).public().signed(&text, signature));
    assert_eq!(ledger.verify().unwrap().events, 5);
}

#[test]
fn a_job_without_a_register_may_still_be_signed() {
    let books = Books::new();
    let mut ledger = books.open();
    settled("r9", "2026-09", 90_000).post(&mut ledger).unwrap();
    let signed = act(&mut ledger, ActKind::Approve, "李四", Some(&key(2))).unwrap();
    assert_eq!(signed.course.approvals[0].key, Some(key(2).public().text()));
    assert!(signed.course.made.signature.is_none());
    ledger.verify().unwrap();
}

type EventRow = (i64, String, i64, String, String, String);

/// A lie, the event it is told in, and how its text changes.
type Forgery = (&'static str, i64, fn(&str) -> String);

/// Changes the text of an event and makes the whole chain anew after it, as somebody could who may
/// write to the file and has no key.
fn forge(raw: &Connection, seq: i64, change: impl Fn(&str) -> String) {
    raw.execute_batch("DROP TRIGGER events_stay").unwrap();
    let body: String =
        raw.query_row("SELECT body FROM events WHERE seq = ?1", [seq], |row| row.get(0)).unwrap();
    raw.execute("UPDATE events SET body = ?2 WHERE seq = ?1", (seq, change(&body))).unwrap();
    chain_anew(raw);
}

/// Makes every hash fit the events as they are now.
pub(super) fn chain_anew(raw: &Connection) {
    let rows: Vec<EventRow> = raw
        .prepare("SELECT seq, kind, run_no, at, by, body FROM events ORDER BY seq")
        .unwrap()
        .query_map((), |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut before = "0".repeat(64);
    for (seq, kind, run_no, at, by, body) in rows {
        let text = serde_json::json!([seq, kind, run_no, at, by, body]).to_string();
        let hash = hex(&Sha256::digest(format!("{before}{text}")));
        raw.execute(
            "UPDATE events SET prev_hash = ?2, hash = ?3 WHERE seq = ?1",
            (seq, &before, &hash),
        )
        .unwrap();
        before = hash;
    }
}

#[test]
fn whoever_writes_the_chain_anew_lacks_the_signatures() {
    let forgeries: [Forgery; 6] = [
        ("another reason", 2, |body| body.replace("核对无误", "另有原因")),
        ("another signature", 2, |body| {
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            let old = body["signature"].as_str().unwrap();
            body.to_string().replace(old, &key(2).sign(b"something else"))
        }),
        ("no signature", 2, |body| {
            let mut body: serde_json::Value = serde_json::from_str(body).unwrap();
            body["signature"] = serde_json::Value::Null;
            body.to_string()
        }),
        // The demand is under the signature of the maker.
        ("one key exchanged", 1, |body| {
            body.replace(&key(2).public().text(), &key(9).public().text())
        }),
        ("another engine", 1, |body| body.replace("0123abc", "0123abd")),
        ("fewer approvals", 1, |body| body.replace("\"approvals\":1", "\"approvals\":0")),
    ];
    for (what, seq, change) in forgeries {
        let books = Books::new();
        let mut ledger = books.open();
        demanding().post(&mut ledger).unwrap();
        act(&mut ledger, ActKind::Approve, "李四", Some(&key(2))).unwrap();
        act(&mut ledger, ActKind::Release, "王五", Some(&key(3))).unwrap();
        let head = ledger.head().unwrap();
        forge(&books.raw(), seq, change);
        match books.open().verify() {
            Err(LedgerError::Broken { seq: told, found, .. }) => {
                assert_eq!(told, seq, "{what}: {found}");
                assert!(found.contains("signature"), "{what}: {found}");
            }
            other => panic!("{what}: {other:?}"),
        }
        assert!(books.open().verify_from(Some(&head)).is_err());
    }
}

#[test]
fn an_approval_that_was_taken_back_cannot_be_used_again() {
    let books = Books::new();
    let mut ledger = books.open();
    demanding().post(&mut ledger).unwrap();
    act(&mut ledger, ActKind::Approve, "李四", Some(&key(2))).unwrap();
    act(&mut ledger, ActKind::Reopen, "王五", Some(&key(3))).unwrap();
    act(&mut ledger, ActKind::Approve, "李四", Some(&key(2))).unwrap();
    let course = ledger.course("r9").unwrap();
    let first: String = books
        .raw()
        .query_row("SELECT json_extract(body, '$.signature') FROM events WHERE seq = 2", (), |r| {
            r.get(0)
        })
        .unwrap();
    // Same person, run, time and reason: the place in the chain makes the difference.
    assert_ne!(course.approvals[0].signature, Some(first.clone()));
    forge(&books.raw(), 4, |body| {
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        body.to_string().replace(body["signature"].as_str().unwrap(), &first)
    });
    let broken = books.open().verify().unwrap_err();
    assert!(matches!(broken, LedgerError::Broken { seq: 4, .. }), "{broken}");
}

#[test]
fn a_kept_head_finds_a_tail_that_was_cut() {
    let books = Books::new();
    let mut ledger = books.open();
    settled("r9", "2026-09", 90_000).post(&mut ledger).unwrap();
    let posted = ledger.head().unwrap();
    act(&mut ledger, ActKind::Approve, "李四", None).unwrap();
    let head = ledger.head().unwrap();
    for kept in [&posted, &head] {
        assert_eq!(ledger.verify_from(Some(kept)).unwrap().head, head);
    }
    let raw = books.raw();
    raw.execute_batch(
        "DROP TRIGGER events_remain; DROP TRIGGER runs_move; DROP TRIGGER runs_moved;
         DELETE FROM events WHERE seq = 2; UPDATE runs SET state = 'draft'",
    )
    .unwrap();
    for sql in include_str!("../../src/ledger/layout_1.sql")
        .split("CREATE ")
        .chain(include_str!("../../src/ledger/layout_2.sql").split("CREATE "))
    {
        let dropped = ["events_remain", "runs_move ", "runs_moved"];
        if dropped.iter().any(|name| sql.starts_with(&format!("TRIGGER {name}"))) {
            let sql = sql.split("END;").next().unwrap();
            raw.execute_batch(&format!("CREATE {sql}END;")).unwrap();
        }
    }
    // Whole in itself: only what was kept elsewhere tells.
    assert_eq!(books.open().verify().unwrap().head, posted);
    assert!(books.open().verify_from(Some(&posted)).is_ok());
    match books.open().verify_from(Some(&head)) {
        Err(LedgerError::Broken { seq: 2, event, found, .. }) => {
            assert_eq!(event, "missing");
            assert!(found.contains(&head) && found.ends_with("the events end at 1"), "{found}");
        }
        other => panic!("{other:?}"),
    }
}
