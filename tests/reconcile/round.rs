//! Pay, hear, reconcile, pay again: after every step the books say what the bank did, to the fen.

use super::bank::Bank;
use super::desk::Desk;
use super::orders::{Fate, Order};
use std::collections::{BTreeMap, BTreeSet};
use tuoyu::domain::Month;
use tuoyu::ledger::RunState;

/// Fen of an order.
type Part = fn(&Order) -> i64;

/// A desk and a bank, and what has gone out again so far.
struct Trip {
    desk: Desk,
    bank: Bank,
    corrected: BTreeSet<u32>,
    /// Payments whose failed money went out again.
    carried: BTreeSet<String>,
    /// Payments whose failed money is held in a batch that is out: it waits for an account.
    waiting: BTreeSet<String>,
    round: usize,
    why: String,
}

impl Trip {
    fn new(seed: u64, bank: Bank, fixed: Option<&[Fate]>) -> Self {
        let mut trip = Self {
            desk: Desk::new(),
            bank,
            corrected: BTreeSet::new(),
            carried: BTreeSet::new(),
            waiting: BTreeSet::new(),
            round: 0,
            why: format!("seed {seed}"),
        };
        trip.bank.take(&trip.desk.path("run-2026-09.release"), true, fixed);
        // Six institutions of three sources; the seventh has no account.
        assert_eq!(trip.bank.orders.len(), 18);
        trip
    }

    fn correct(&mut self, ids: impl IntoIterator<Item = u32>) {
        self.corrected.extend(ids);
        let ids: Vec<u32> = self.corrected.iter().copied().collect();
        self.desk.correct_accounts(&ids);
    }

    /// The bank answers, the desk reconciles, everything is checked; gives the report.
    fn hear(&mut self) -> serde_json::Value {
        let folder = format!("answers-{}", self.round);
        for (name, bytes) in self.bank.round() {
            self.desk.write(&format!("{folder}/{name}"), bytes);
        }
        self.round += 1;
        let (exit, report) = self.desk.reconcile(&folder);
        self.check(exit, &report);
        report
    }

    /// The last answers once more: no event, whatever their files are called.
    fn again(&mut self) -> (u8, serde_json::Value) {
        let before = self.desk.verified();
        let folder = format!("answers-{}", self.round - 1);
        let first = self.desk.reconcile(&folder).1;
        if first["posted"] == "already_there" {
            assert_eq!(self.desk.verified(), before, "{}", self.why);
        }
        let (proved, bytes) = (self.desk.verified(), self.desk.bytes("recon"));
        let (exit, report) = self.desk.reconcile(&folder);
        assert_eq!(self.desk.verified(), proved, "{}", self.why);
        assert!(self.desk.bytes("recon") == bytes, "{}: other bytes", self.why);
        for (at, (_, bytes)) in self.desk.bytes(&folder).into_iter().rev().enumerate() {
            self.desk.write(&format!("again-{}/{at:03}", self.round), bytes);
        }
        let (other, _) = self.desk.reconcile(&format!("again-{}", self.round));
        assert_eq!((other, self.desk.verified()), (exit, proved), "{}", self.why);
        self.check(exit, &report);
        (exit, report)
    }

    /// Whether the failed money of an order goes to an account it may go to.
    fn may_go(&self, of: &Order) -> bool {
        self.corrected.contains(&of.institution) || of.want.code.starts_with("AM")
    }

    /// Lets a correction batch out; gives how many payments it pays.
    fn let_out(&mut self, report: &serde_json::Value) -> usize {
        let number = &report["correction"]["number"];
        let failed: Vec<Order> = self.failed().into_iter().cloned().collect();
        let (out, held): (Vec<Order>, Vec<Order>) =
            failed.into_iter().partition(|of| self.may_go(of));
        self.waiting.extend(held.into_iter().map(|of| of.end_to_end_id));
        let folder = self.desk.release(&format!("run-2026-09.correction-{number}"));
        let before = self.bank.orders.len();
        self.bank.take(&folder, false, None);
        self.carried.extend(out.iter().map(|of| of.end_to_end_id.clone()));
        // What went out is what failed, each to the account it may go to.
        let came: BTreeMap<(u32, i64), Vec<bool>> =
            grouped(&self.bank.orders[before..], Bank::is_corrected);
        let want = grouped(&out, |of| self.corrected.contains(&of.institution));
        assert_eq!(came, want, "{}", self.why);
        out.len()
    }

    /// Orders whose money failed and is to go out again now.
    fn failed(&self) -> Vec<&Order> {
        let open = |of: &&Order| {
            let waits = self.waiting.contains(&of.end_to_end_id);
            of.want.rejected + of.want.returned > 0
                && !self.carried.contains(&of.end_to_end_id)
                && (!waits || self.corrected.contains(&of.institution))
        };
        self.bank.orders.iter().filter(open).collect()
    }

    fn check(&self, exit: u8, report: &serde_json::Value) {
        let why = format!("{}, round {}", self.why, self.round);
        let orders = &self.bank.orders;
        let mut rows: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        let mut loose: BTreeMap<String, usize> = BTreeMap::new();
        for row in self.desk.recon() {
            if row["run_id"].is_empty() {
                *loose.entry(row["class"].clone()).or_default() += 1;
            } else {
                assert!(rows.insert(row["end_to_end_id"].clone(), row).is_none(), "{why}");
            }
        }
        let told = self.bank.loose.iter().map(|(class, count)| ((*class).to_owned(), *count));
        assert_eq!(loose, told.collect(), "{why}");
        assert_eq!(rows.len(), orders.len(), "{why}");
        let mut open = loose.values().sum::<usize>();
        for of in orders {
            let (row, want) = (&rows[&of.end_to_end_id], &of.want);
            let why = format!("{why}: {of:?} {row:?}");
            assert_eq!(row["class"], want.class, "{why}");
            assert_eq!(row["our_fen"], of.amount.to_string(), "{why}");
            assert_eq!(row["bank_fen"], of.net.to_string(), "{why}");
            assert_eq!(row["diff_fen"], (of.net - of.amount).to_string(), "{why}");
            assert_eq!(want.paid + want.excess, of.net, "{why}");
            assert!(of.pending() >= 0, "{why}");
            let carried = self.carried.contains(&of.end_to_end_id);
            assert!(!carried || !row["carried_to"].is_empty(), "{why}");
            let settled = carried && of.pending() == 0 && want.excess == 0;
            if want.class != "PAID" && !settled {
                open += 1;
            }
        }
        assert_eq!(report["open"], open, "{why}: {report}");
        assert_eq!(exit, if open > 0 { 5 } else { 0 }, "{why}");
        let moved = self.bank.movements.iter().filter(|(of, _)| of.is_some());
        let moved: i64 = moved.map(|(_, fen)| fen).sum();
        let summary = self.desk.summary();
        let fen = |part: &str| summary[part]["fen"].as_i64().unwrap();
        assert_eq!(fen("paid") + fen("excess"), moved, "{why}");
        let parts: [(&str, Part); 6] = [
            ("sent", |of| of.amount),
            ("paid", |of| of.want.paid),
            ("rejected", |of| of.want.rejected),
            ("returned", |of| of.want.returned),
            ("pending", Order::pending),
            ("excess", |of| of.want.excess),
        ];
        for (part, pick) in parts {
            let sums: Vec<i64> = orders.iter().map(pick).filter(|fen| *fen != 0).collect();
            let want = serde_json::json!({ "count": sums.len(), "fen": sums.iter().sum::<i64>() });
            assert_eq!(summary[part], want, "{why}: {part}");
            assert_eq!(report[part], want, "{why}: {part}");
        }
        let four = fen("paid") + fen("rejected") + fen("returned") + fen("pending");
        assert_eq!(fen("sent"), four, "{why}");
        assert_eq!(summary["refused"], 0, "{why}");
        self.check_batch(report, &why);
        self.check_claims(&why);
        self.check_answered(&why);
        self.desk.verified();
    }

    /// The proposed batch holds what failed and did not go out again, each payment once.
    fn check_batch(&self, report: &serde_json::Value, why: &str) {
        let failed = self.failed();
        let batch = &report["correction"];
        if failed.is_empty() {
            assert!(batch.is_null(), "{why}: {batch}");
            return;
        }
        let sum: i64 = failed.iter().map(|of| of.want.rejected + of.want.returned).sum();
        let held = failed.iter().filter(|of| !self.may_go(of)).count();
        assert_eq!(batch["payments"], failed.len(), "{why}: {batch}");
        assert_eq!(batch["amount_fen"], sum, "{why}: {batch}");
        assert_eq!(batch["held"], held, "{why}: {batch}");
        let lines = self.desk.rows("recon/correction_schedule.csv");
        let sum_of_lines: i64 =
            lines.iter().map(|row| row["payable_fen"].parse::<i64>().unwrap()).sum();
        assert_eq!(sum_of_lines, sum, "{why}");
        assert!(lines.iter().all(|row| row["line_kind"] == "CORRECTION"), "{why}");
    }

    /// Nobody is paid twice: over a payment and all that pays it again, no more stays out than it was.
    fn check_claims(&self, why: &str) {
        let by_id: BTreeMap<&str, &Order> =
            self.bank.orders.iter().map(|of| (&*of.end_to_end_id, of)).collect();
        let raw = self.desk.raw();
        let mut statement = raw
            .prepare(
                "SELECT runs.state, old.end_to_end_id, old.amount_fen, claims.fen,
                        new.end_to_end_id, new.amount_fen
                 FROM claims JOIN runs USING (run_no)
                 JOIN payments AS old ON old.payment = claims.payment
                 JOIN payments AS new ON new.payment = claims.claim
                 WHERE runs.superseded_by IS NULL ORDER BY claim",
            )
            .unwrap();
        let claims: Vec<(String, String, i64, i64, String, i64)> = statement
            .query_map((), |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?))
            })
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let mut claimed: BTreeMap<&str, i64> = BTreeMap::new();
        let mut root: BTreeMap<&str, &str> = BTreeMap::new();
        for (state, old, was, fen, new, amount) in &claims {
            assert_eq!(fen, amount, "{why}: {new}");
            let sum = claimed.entry(old).or_default();
            *sum += fen;
            // Of a payment that was held in a batch nothing failed, and all of it may go.
            let most = by_id.get(&**old).map_or(*was, |of| of.want.rejected + of.want.returned);
            assert!(*sum <= most, "{why}: {old} claims {sum} of {most}");
            if state != "draft" && state != "approved" {
                let first = root.get(&**old).copied().unwrap_or(old);
                assert!(root.insert(new, first).is_none(), "{why}: {new}");
            }
        }
        let mut out: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for of in &self.bank.orders {
            let first = root.get(&*of.end_to_end_id).copied().unwrap_or(&of.end_to_end_id);
            let sums = out.entry(first).or_default();
            sums.0 += of.net;
            sums.1 += of.want.excess;
        }
        for (first, (net, excess)) in out {
            assert!(net <= by_id[first].amount + excess, "{why}: {first} {net} {excess}");
        }
    }

    /// A run is answered when all its payments are decided.
    fn check_answered(&self, why: &str) {
        let ledger = self.desk.ledger();
        let month = Month::parse("2026-09").unwrap();
        for run in ledger.sent_runs("monthly", month).unwrap() {
            let head: String = run.run_id.chars().take(32).collect();
            let mut orders = self.bank.orders.iter().filter(|of| of.message == head).peekable();
            let decided = orders.peek().is_some() && orders.all(|of| of.pending() == 0);
            let want = if decided { RunState::Answered } else { RunState::Released };
            assert_eq!(run.state, want, "{why}: {}", run.job_id);
        }
    }

    /// Everything is told, let out or waits; then the month can be closed.
    fn close(&self) {
        self.desk.must("close @run-2026-08 --by 王五 --ledger @ledger.db");
        self.desk.must("close @run-2026-09 --by 王五 --ledger @ledger.db");
        self.desk.verified();
    }
}

fn grouped(orders: &[Order], new: impl Fn(&Order) -> bool) -> BTreeMap<(u32, i64), Vec<bool>> {
    let mut groups: BTreeMap<(u32, i64), Vec<bool>> = BTreeMap::new();
    for of in orders {
        // Of an order that came again nothing has failed yet.
        let failed = of.want.rejected + of.want.returned;
        let fen = if failed > 0 { failed } else { of.amount };
        groups.entry((of.institution, fen)).or_default().push(new(of));
    }
    for group in groups.values_mut() {
        group.sort_unstable();
    }
    groups
}

/// Eighteen payments, each with its course; three are corrected, the rest wait for an account, then go.
#[test]
fn a_month_goes_out_and_what_failed_goes_out_again() {
    use Fate::{
        Late, NoId, Partial, PendingReject, Reject, RejectAndReturn, Rest, ReturnLater, ReturnNow,
        Success, TwiceAndBack,
    };
    // By source: six institutions each; only single amounts may be told without id.
    let fates = [
        Success,
        NoId,
        NoId,
        Reject,
        Partial,
        Rest,
        ReturnNow,
        ReturnLater,
        RejectAndReturn,
        TwiceAndBack,
        Success,
        Late,
        PendingReject,
        Success,
        Reject,
        Success,
        Success,
        Late,
    ];
    let mut trip = Trip::new(0, Bank::new(7).without_strays(), Some(&fates));
    trip.correct([1, 2]);
    let report = trip.hear();
    assert!(report["correction"]["held"].as_u64().unwrap() > 0);
    trip.let_out(&report);
    trip.hear();
    trip.correct(1..=6);
    let (mut exit, mut report) = trip.again();
    let mut batches = 1;
    while exit == 5 && !report["correction"].is_null() {
        batches += 1;
        assert!(batches < 6, "{report}");
        let from = trip.bank.orders.len();
        trip.let_out(&report);
        // From now on the bank pays whatever comes.
        for of in &mut trip.bank.orders[from..] {
            of.fate = Success;
        }
        trip.hear();
        (exit, report) = trip.again();
    }
    // All is paid: what failed, failed once and went out again.
    assert_eq!((exit, &report["open"]), (0, &0.into()));
    let paid: i64 = trip.bank.orders.iter().map(|of| of.net).sum();
    assert_eq!(paid, trip.bank.orders[..18].iter().map(|of| of.amount).sum::<i64>());
    let ledger = trip.desk.ledger();
    let head = ledger.find("monthly", Month::parse("2026-09").unwrap()).unwrap().unwrap();
    assert_eq!(head.state, RunState::Answered);
    trip.close();
}

fn random(seed: u64) {
    let mut trip = Trip::new(seed, Bank::new(seed), None);
    for round in 0..3 {
        if trip.bank.below(2) == 0 {
            let one = u32::try_from(trip.bank.below(6)).unwrap() + 1;
            trip.correct([one, one % 6 + 1]);
        }
        let mut report = trip.hear();
        if seed.is_multiple_of(4) {
            report = trip.again().1;
        }
        if round < 2 && !report["correction"].is_null() && trip.bank.below(4) > 0 {
            trip.let_out(&report);
        }
    }
    trip.close();
}

/// Any courses at all: the seed of a failure stands in its message.
#[test]
fn any_course_of_payments_ends_in_books_that_say_what_the_bank_did() {
    for seed in 1..=40 {
        random(seed);
    }
}
