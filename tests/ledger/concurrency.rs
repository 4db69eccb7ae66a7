//! Two runs at once: one after the other or busy, never double.

use super::{AT, BY, Books, act, settled};
use std::time::Duration;
use tuoyu::ledger::{ActKind, Ledger, LedgerError, Posted, Refusal};

#[test]
fn a_second_writer_is_told_that_the_ledger_is_busy() {
    let books = Books::new();
    let mut first = books.open();
    let mut second = Ledger::open_waiting(&books.path(), Duration::from_millis(1)).unwrap();
    let run = settled("r1", "2026-09", 90_000);
    let mut pending = first.begin().unwrap();
    pending.post(&run.record(), AT, BY).unwrap();
    let busy = run.post(&mut second).unwrap_err();
    assert!(matches!(busy, LedgerError::Busy { .. }), "{busy}");
    // Readers do not wait, and see nothing of it.
    assert_eq!(second.find("monthly", run.period).unwrap(), None);
    second.verify().unwrap();
    pending.commit().unwrap();
    assert_eq!(run.post(&mut second).unwrap(), Posted::AlreadyThere);
    assert_eq!(second.events().unwrap(), 1);
}

#[test]
fn the_same_run_from_many_sides_is_posted_once() {
    let books = Books::new();
    let run = settled("r1", "2026-09", 90_000);
    // The file is new to all of them: they also race for its making.
    let outcomes: Vec<Posted> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..6).map(|_| scope.spawn(|| run.post(&mut books.open()).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|posted| **posted == Posted::New).count(), 1);
    let ledger = books.open();
    assert_eq!(ledger.events().unwrap(), 1);
    ledger.verify().unwrap();
}

#[test]
fn different_runs_of_a_period_replace_each_other_in_some_order() {
    let books = Books::new();
    let runs: Vec<_> = (0..6).map(|n| settled(&format!("r{n}"), "2026-09", 100 + n)).collect();
    std::thread::scope(|scope| {
        for run in &runs {
            let books = &books;
            scope.spawn(move || run.post(&mut books.open()).unwrap());
        }
    });
    let ledger = books.open();
    let proved = ledger.verify().unwrap();
    assert_eq!((proved.events, proved.runs), (6, 6));
    assert_eq!(ledger.standing("monthly", super::month("2026-10")).unwrap().len(), 1);
}

#[test]
fn of_two_releases_at_once_one_counts() {
    let books = Books::new();
    let mut ledger = books.open();
    settled("r1", "2026-09", 90_000).post(&mut ledger).unwrap();
    act(&mut ledger, "r1", ActKind::Approve, "李四").unwrap();
    let outcomes: Vec<bool> = std::thread::scope(|scope| {
        let release = || act(&mut books.open(), "r1", ActKind::Release, "王五");
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(release)).collect();
        threads
            .into_iter()
            .map(|thread| match thread.join().unwrap() {
                Ok(_) => true,
                Err(LedgerError::Refused { refusal: Refusal::State { .. }, .. }) => false,
                Err(other) => panic!("{other}"),
            })
            .collect()
    });
    assert_eq!(outcomes.iter().filter(|released| **released).count(), 1);
    assert_eq!(ledger.verify().unwrap().events, 3);
}
