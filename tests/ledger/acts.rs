//! Acts of persons: what may follow what, who may do it, in which order of months.

use super::{AT, Books, act, settled};
use tuoyu::domain::Fen;
use tuoyu::job::Approval;
use tuoyu::ledger::{Act, ActKind, Ledger, LedgerError, Refusal, RunState};

/// Why an act was refused.
fn refusal(of: Result<tuoyu::ledger::Acted, LedgerError>) -> Refusal {
    match of {
        Err(LedgerError::Refused { refusal, .. }) => refusal,
        other => panic!("{other:?}"),
    }
}

/// Brings September into a state by the acts that lead there.
fn bring(ledger: &mut Ledger, state: RunState) {
    settled("r9", "2026-09", 90_000).post(ledger).unwrap();
    let acts = [ActKind::Approve, ActKind::Release, ActKind::Answer, ActKind::Close];
    let steps = RunState::ALL.iter().position(|known| *known == state).unwrap();
    for kind in acts.into_iter().take(steps) {
        act(ledger, "r9", kind, "李四").unwrap();
    }
}

#[test]
fn every_act_in_every_state() {
    use RunState::{Answered, Approved, Closed, Draft, Released};
    // State, then where approve, release, answer, close, reopen lead; by persons not yet seen.
    let table = [
        (Draft, [Some(Approved), None, None, None, None]),
        (Approved, [None, Some(Released), None, None, Some(Draft)]),
        (Released, [None, None, Some(Answered), Some(Closed), None]),
        (Answered, [None, None, None, Some(Closed), None]),
        (Closed, [None, None, None, None, Some(Answered)]),
    ];
    for (state, leads) in table {
        for (kind, lead) in ActKind::ALL.into_iter().zip(leads) {
            let books = Books::new();
            let mut ledger = books.open();
            bring(&mut ledger, state);
            let (events, found) = (ledger.events().unwrap(), act(&mut ledger, "r9", kind, "赵六"));
            if let Some(lead) = lead {
                assert_eq!(found.unwrap().course.state, lead, "{kind:?} of {state:?}");
                assert_eq!(ledger.events().unwrap(), events + 1);
            } else {
                assert_eq!(refusal(found), Refusal::State { kind, state });
                assert_eq!(ledger.events().unwrap(), events, "{kind:?} of {state:?}");
            }
            let stands = ledger.find("monthly", super::month("2026-09")).unwrap().unwrap();
            assert_eq!(stands.state, lead.unwrap_or(state));
            ledger.verify().unwrap();
        }
    }
}

#[test]
fn a_run_closed_without_answers_reopens_as_released() {
    let books = Books::new();
    let mut ledger = books.open();
    bring(&mut ledger, RunState::Released);
    act(&mut ledger, "r9", ActKind::Close, "李四").unwrap();
    let again = act(&mut ledger, "r9", ActKind::Reopen, "王五").unwrap();
    assert_eq!(again.course.state, RunState::Released);
    assert_eq!(again.course.closing, None);
    act(&mut ledger, "r9", ActKind::Close, "王五").unwrap();
    ledger.verify().unwrap();
}

#[test]
fn the_maker_neither_approves_nor_releases() {
    let books = Books::new();
    let mut ledger = books.open();
    settled("r9", "2026-09", 90_000).post(&mut ledger).unwrap();
    for name in ["张三", "  张三 "] {
        let refused = refusal(act(&mut ledger, "r9", ActKind::Approve, name));
        assert_eq!(refused, Refusal::Maker { name: "张三".to_owned() });
    }
    act(&mut ledger, "r9", ActKind::Approve, "李四").unwrap();
    let refused = refusal(act(&mut ledger, "r9", ActKind::Release, "张三"));
    assert_eq!(refused, Refusal::Maker { name: "张三".to_owned() });
    // The approver may release, and the maker may close: nothing is agreed to there.
    act(&mut ledger, "r9", ActKind::Release, "李四").unwrap();
    let closed = act(&mut ledger, "r9", ActKind::Close, "张三").unwrap();
    let course = &closed.course;
    assert_eq!((&*course.made.by, &*course.approvals[0].by), ("张三", "李四"));
    assert_eq!(course.approvals[0].reason, "核对无误");
    assert_eq!(course.closing.as_ref().unwrap().hash, ledger.head().unwrap());
    let message = act(&mut ledger, "r9", ActKind::Close, "张三").unwrap_err().to_string();
    assert_eq!(message, "period 2026-09, run r9 is closed; expected a released or answered run");
}

#[test]
fn from_the_threshold_two_approve() {
    // The lines pay 900.00, 200.00 and 55.05 yuan: 1,155.05 together.
    for (two_from, needed) in [(115_506, 1), (115_505, 2), (0, 2)] {
        let books = Books::new();
        let mut ledger = books.open();
        let mut run = settled("r9", "2026-09", 90_000);
        run.approval = Approval { two_from: Some(Fen(two_from)), keys: None };
        run.post(&mut ledger).unwrap();
        let first = act(&mut ledger, "r9", ActKind::Approve, "李四").unwrap();
        assert_eq!(first.course.demand.approvals, needed);
        if needed == 1 {
            assert_eq!(first.course.state, RunState::Approved);
            continue;
        }
        assert_eq!((first.course.state, first.course.missing()), (RunState::Draft, 1));
        let twice = refusal(act(&mut ledger, "r9", ActKind::Approve, "李四"));
        assert_eq!(twice, Refusal::Twice { name: "李四".to_owned() });
        let early = refusal(act(&mut ledger, "r9", ActKind::Release, "王五"));
        let state = RunState::Draft;
        assert_eq!(early, Refusal::State { kind: ActKind::Release, state });
        // What one has approved is still a draft: one approval may be taken back by another.
        let own = refusal(act(&mut ledger, "r9", ActKind::Reopen, "李四"));
        assert_eq!(own, Refusal::OwnAct { name: "李四".to_owned() });
        let back = act(&mut ledger, "r9", ActKind::Reopen, "王五").unwrap();
        assert_eq!((back.course.state, back.course.approvals.len()), (RunState::Draft, 0));
        act(&mut ledger, "r9", ActKind::Approve, "王五").unwrap();
        let second = act(&mut ledger, "r9", ActKind::Approve, "李四").unwrap();
        assert_eq!(second.course.state, RunState::Approved);
        act(&mut ledger, "r9", ActKind::Release, "王五").unwrap();
        ledger.verify().unwrap();
    }
}

#[test]
fn one_approval_of_two_does_not_pass_to_another_run() {
    let books = Books::new();
    let mut ledger = books.open();
    let post = |ledger: &mut _, id: &str, fen| {
        let mut run = settled(id, "2026-09", fen);
        run.approval.two_from = Some(Fen(1));
        run.post(ledger).unwrap();
    };
    post(&mut ledger, "r9", 90_000);
    act(&mut ledger, "r9", ActKind::Approve, "李四").unwrap();
    post(&mut ledger, "r9b", 80_000);
    let old = refusal(act(&mut ledger, "r9", ActKind::Approve, "王五"));
    assert_eq!(old, Refusal::Replaced { by: "r9b".to_owned() });
    let first = act(&mut ledger, "r9b", ActKind::Approve, "王五").unwrap();
    assert_eq!(first.course.missing(), 1);
    ledger.verify().unwrap();
}

#[test]
fn a_draft_under_another_demand_is_posted_anew() {
    let books = Books::new();
    let mut ledger = books.open();
    settled("r9", "2026-09", 90_000).post(&mut ledger).unwrap();
    let mut strict = settled("r9", "2026-09", 90_000);
    strict.approval.two_from = Some(Fen(1));
    let record = strict.record();
    let old_run_id = "r9".to_owned();
    let posted = ledger.post(&record, AT, "王五").unwrap();
    assert_eq!(posted, tuoyu::ledger::Posted::Replaced { old_run_id });
    // Who changed the demand has made the run.
    let refused = refusal(act(&mut ledger, "r9", ActKind::Approve, "王五"));
    assert_eq!(refused, Refusal::Maker { name: "王五".to_owned() });
    act(&mut ledger, "r9", ActKind::Approve, "李四").unwrap();
    act(&mut ledger, "r9", ActKind::Approve, "张三").unwrap();
    // Past the draft the demand stays, whatever the job says by now.
    let again = settled("r9", "2026-09", 90_000).post(&mut ledger).unwrap();
    assert_eq!(again, tuoyu::ledger::Posted::AlreadyThere);
    assert_eq!(ledger.course("r9").unwrap().demand.approvals, 2);
    ledger.verify().unwrap();
}

#[test]
fn reopening_needs_a_reason_and_another_person() {
    let books = Books::new();
    let mut ledger = books.open();
    bring(&mut ledger, RunState::Approved);
    let silent = Act { kind: ActKind::Reopen, by: "王五", at: AT, reason: " ", key: None };
    assert_eq!(refusal(ledger.act("r9", &silent)), Refusal::NoReason);
    let own = refusal(act(&mut ledger, "r9", ActKind::Reopen, "李四"));
    assert_eq!(own, Refusal::OwnAct { name: "李四".to_owned() });
    // The maker may ask for the run back; it is then replaced like any draft.
    act(&mut ledger, "r9", ActKind::Reopen, "张三").unwrap();
    let replaced = settled("r9b", "2026-09", 80_000).post(&mut ledger).unwrap();
    assert_eq!(replaced, tuoyu::ledger::Posted::Replaced { old_run_id: "r9".to_owned() });
    assert_eq!(ledger.verify().unwrap().events, 4);
}

#[test]
fn what_a_month_corrects_waits_for_the_month_to_be_closed_again() {
    let books = Books::new();
    let mut ledger = books.open();
    settled("r8", "2026-08", 1).release(&mut ledger);
    act(&mut ledger, "r8", ActKind::Close, "李四").unwrap();
    let mut september = settled("r9", "2026-09", 1);
    (september.earlier, september.closed) = (vec!["r8".to_owned()], vec!["r8".to_owned()]);
    september.post(&mut ledger).unwrap();
    act(&mut ledger, "r8", ActKind::Reopen, "王五").unwrap();
    assert_eq!(refusal(act(&mut ledger, "r9", ActKind::Approve, "李四")), Refusal::Stale);
    act(&mut ledger, "r8", ActKind::Close, "李四").unwrap();
    act(&mut ledger, "r9", ActKind::Approve, "李四").unwrap();
    act(&mut ledger, "r9", ActKind::Release, "李四").unwrap();
    ledger.verify().unwrap();
}

#[test]
fn months_are_released_and_closed_in_order() {
    let books = Books::new();
    let mut ledger = books.open();
    settled("r8", "2026-08", 1).post(&mut ledger).unwrap();
    settled("r9", "2026-09", 1).post(&mut ledger).unwrap();
    act(&mut ledger, "r9", ActKind::Approve, "李四").unwrap();
    let (period, least) = (super::month("2026-08"), RunState::Released);
    for state in [RunState::Draft, RunState::Approved] {
        let refused = refusal(act(&mut ledger, "r9", ActKind::Release, "李四"));
        assert_eq!(refused, Refusal::EarlierOpen { period, state, least });
        if state == RunState::Draft {
            act(&mut ledger, "r8", ActKind::Approve, "李四").unwrap();
        }
    }
    act(&mut ledger, "r8", ActKind::Release, "李四").unwrap();
    // September was settled before August's payments counted.
    let outdated = refusal(act(&mut ledger, "r9", ActKind::Release, "李四"));
    assert_eq!(outdated, Refusal::Stale);
    act(&mut ledger, "r9", ActKind::Reopen, "王五").unwrap();
    assert_eq!(refusal(act(&mut ledger, "r9", ActKind::Approve, "李四")), Refusal::Stale);
    settled("r9b", "2026-09", 1).release(&mut ledger);
    let (state, least) = (RunState::Released, RunState::Closed);
    let early = refusal(act(&mut ledger, "r9b", ActKind::Close, "李四"));
    assert_eq!(early, Refusal::EarlierOpen { period, state, least });
    act(&mut ledger, "r8", ActKind::Close, "李四").unwrap();
    act(&mut ledger, "r9b", ActKind::Close, "李四").unwrap();
    let (period, state) = (super::month("2026-09"), RunState::Closed);
    let late = refusal(act(&mut ledger, "r8", ActKind::Reopen, "王五"));
    assert_eq!(late, Refusal::LaterDone { period, state });
    // A month nobody settled in time is not paid behind the ones after it.
    settled("r7", "2026-07", 1).post(&mut ledger).unwrap();
    let late = refusal(act(&mut ledger, "r7", ActKind::Approve, "李四"));
    let (period, state) = (super::month("2026-08"), RunState::Closed);
    assert_eq!(late, Refusal::LaterDone { period, state });
    ledger.verify().unwrap();
}

#[test]
fn another_job_keeps_its_own_months() {
    let books = Books::new();
    let mut ledger = books.open();
    let august = settled("x8", "2026-08", 1);
    let mut record = august.record();
    record.job_id = "other";
    ledger.post(&record, AT, super::BY).unwrap();
    settled("r9", "2026-09", 1).release(&mut ledger);
    ledger.verify().unwrap();
}

#[test]
fn words_that_cannot_stand_in_the_books_are_refused() {
    let books = Books::new();
    let mut ledger = books.open();
    settled("r9", "2026-09", 1).post(&mut ledger).unwrap();
    let cases =
        [("", AT, ""), ("李\u{200b}四", AT, ""), ("李四", "yesterday", ""), ("李四", AT, "a\nb")];
    for (by, at, reason) in cases {
        let act = Act { kind: ActKind::Approve, by, at, reason, key: None };
        assert!(matches!(refusal(ledger.act("r9", &act)), Refusal::Word { .. }), "{by} {at}");
    }
    let nobody = act(&mut ledger, "nosuch", ActKind::Approve, "李四");
    assert!(matches!(nobody, Err(LedgerError::Unknown { .. })));
    assert_eq!(ledger.events().unwrap(), 1);
}

#[test]
fn an_act_that_does_not_commit_leaves_the_books_as_before() {
    let books = Books::new();
    let mut ledger = books.open();
    bring(&mut ledger, RunState::Approved);
    let head = ledger.head().unwrap();
    let mut pending = ledger.begin().unwrap();
    let release = Act { kind: ActKind::Release, by: "王五", at: AT, reason: "", key: None };
    assert_eq!(pending.act("r9", &release).unwrap().course.state, RunState::Released);
    drop(pending);
    assert_eq!(ledger.head().unwrap(), head);
    assert_eq!(ledger.course("r9").unwrap().state, RunState::Approved);
    ledger.verify().unwrap();
}

#[test]
fn a_run_is_found_by_its_first_digits() {
    let books = Books::new();
    let mut ledger = books.open();
    settled("abcd1", "2026-08", 1).post(&mut ledger).unwrap();
    settled("abcd2", "2026-09", 1).post(&mut ledger).unwrap();
    settled("abcd3", "2026-09", 2).post(&mut ledger).unwrap();
    let ids = |prefix: &str| -> Vec<String> {
        ledger.named(prefix).unwrap().into_iter().map(|run| run.run_id).collect()
    };
    assert_eq!(ids("abcd"), ["abcd1", "abcd3"]);
    assert_eq!(ids("abcd3"), ["abcd3"]);
    assert_eq!(ids("abcd2"), [""; 0]);
    assert_eq!(ids("%"), [""; 0]);
    let money = ledger.money("abcd3").unwrap();
    assert_eq!((money.payments, money.amount_fen, money.held), (3, 25_507, 0));
    let by_source: Vec<_> = money.by_source.into_iter().collect();
    assert_eq!(by_source, [("区".to_owned(), 20_000), ("省".to_owned(), 5_507)]);
}

#[test]
fn a_ledger_of_the_first_layout_is_brought_up_to_date() {
    let books = Books::new();
    std::fs::create_dir_all(books.path().parent().unwrap()).unwrap();
    let raw = books.raw();
    raw.execute_batch(include_str!("../../src/ledger/layout_1.sql")).unwrap();
    raw.pragma_update(None, "application_id", 0x7475_6f79).unwrap();
    raw.pragma_update(None, "user_version", 1).unwrap();
    drop(raw);
    let mut ledger = books.open();
    settled("r8", "2026-08", 1).release(&mut ledger);
    ledger.verify().unwrap();
}
