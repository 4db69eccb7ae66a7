//! Tests of room `schedule`.

use super::district::{
    date, district, entitlements, head, law_of_month, lines, month, no_law, pays, texts, whole,
    with,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tuoyu::allocation::{Allocation, BudgetLine, FundingCell, FundingShare, PostedLine};
use tuoyu::domain::{Basis, Calendar, CalendarError, Column, Date, Frames, Roll, Stored};
use tuoyu::law::{LawOfMonth, PayBase, PayDateRule, PayOn};
use tuoyu::schedule::{LineKind, MonthInput, Schedule, ScheduleError, pay_date, plan};
use tuoyu::subsidy::Entitlements;

/// 2026 around National Day: off 1-7 October, made up on Sunday 20 September and Saturday 10
/// October.
fn calendar() -> Calendar {
    let paper = || "示例".to_owned();
    Calendar {
        id: "cn".to_owned(),
        weekend: BTreeSet::from([6, 7]),
        off: (1..=7).map(|day| (Date::from_ymd(2026, 10, day).expect("a date"), paper())).collect(),
        make_up: BTreeMap::from([(date("2026-09-20"), paper()), (date("2026-10-10"), paper())]),
        years: BTreeSet::from([2026]),
        every_year: false,
    }
}

fn rule(base: PayBase, on: PayOn, roll: Roll) -> PayDateRule {
    PayDateRule { head: head("pay"), base, on, roll }
}

#[test]
fn pay_dates_follow_the_calendar() {
    use PayBase::{NextMonth, PeriodEnd, SameMonth};
    // October 2026 works on 8, 9, 10 (made up), 12, 13, 14 …
    for (period, base, on, roll, expected) in [
        ("2026-09", NextMonth, PayOn::Workday(1), Roll::None, "2026-10-08"),
        ("2026-09", NextMonth, PayOn::Workday(3), Roll::None, "2026-10-10"),
        ("2026-09", NextMonth, PayOn::Workday(4), Roll::None, "2026-10-12"),
        ("2026-10", SameMonth, PayOn::Workday(18), Roll::None, "2026-10-30"),
        ("2026-09", NextMonth, PayOn::Day(5), Roll::Next, "2026-10-08"),
        ("2026-09", NextMonth, PayOn::Day(5), Roll::Previous, "2026-09-30"),
        ("2026-09", NextMonth, PayOn::Day(5), Roll::None, "2026-10-05"),
        ("2026-09", SameMonth, PayOn::Day(31), Roll::None, "2026-09-30"),
        ("2026-10", PeriodEnd, PayOn::Base, Roll::Previous, "2026-10-30"),
        ("2026-09", PeriodEnd, PayOn::Base, Roll::Next, "2026-09-30"),
        ("2026-09", NextMonth, PayOn::Base, Roll::Next, "2026-10-08"),
        // Sunday 20 September is worked.
        ("2026-09", SameMonth, PayOn::Day(20), Roll::Next, "2026-09-20"),
    ] {
        let found = pay_date(&rule(base, on, roll), month(period), &calendar());
        assert_eq!(found, Ok(date(expected)), "{period} {base:?} {on:?} {roll:?}");
    }
}

#[test]
fn pay_dates_are_never_guessed() {
    let found = |period: &str, on: PayOn, roll: Roll| {
        pay_date(&rule(PayBase::NextMonth, on, roll), month(period), &calendar())
    };
    let unpublished = CalendarError { calendar: "cn".to_owned(), year: 2027 };
    assert_eq!(found("2026-12", PayOn::Workday(5), Roll::None), Err(unpublished.into()));
    // DOMAIN 4.10: October 2026 has 18 work days.
    let short = ScheduleError::WorkdayMissing { month: month("2026-10"), found: 18, wanted: 19 };
    assert_eq!(found("2026-09", PayOn::Workday(19), Roll::None), Err(short));
}

/// One share: institution, item, source, budget line; gross, cut, carried.
pub(super) fn share(key: [u32; 4], gross_fen: i64, cut_fen: i64, carried_fen: i64) -> FundingShare {
    let [institution, item, source, budget_line] = key;
    let fen = gross_fen - cut_fen - carried_fen;
    FundingShare {
        cell: FundingCell { institution, item, source, budget_line, fen },
        gross_fen,
        cut_fen,
        carried_fen,
    }
}

pub(super) fn allocation(shares: Vec<FundingShare>) -> Allocation {
    let line = |doc: &str, source: &str| BudgetLine {
        budget_doc_no: doc.to_owned(),
        source: source.to_owned(),
        fiscal_year: 2026,
        ..BudgetLine::default()
    };
    Allocation {
        sources: vec![Arc::from("省"), Arc::from("区")],
        budget_lines: vec![line("示例财指1号", "省"), line("示例财指2号", "区")],
        cells: shares.iter().map(|share| share.cell).filter(|cell| cell.fen != 0).collect(),
        shares,
        ..Allocation::default()
    }
}

pub(super) fn posted(
    kind: LineKind,
    institution: &str,
    source: &str,
    payable_fen: i64,
) -> PostedLine {
    PostedLine {
        period: month("2026-08"),
        source_period: month("2026-08"),
        institution_id: institution.into(),
        item: "child".into(),
        line_kind: kind.word().into(),
        source: source.into(),
        payable_fen,
        budget_doc_no: "示例财指2号".into(),
    }
}

/// Institutions in the order of a file, not of their ids; B has no account, C a wrong 联行号.
pub(super) fn three() -> Frames {
    let mut frames = district(&["C", "A", "B"]);
    with(&mut frames, "name", texts(&["丙托育", "甲托育", "乙托育"]));
    with(&mut frames, "account_no", texts(&["33", "11", ""]));
    with(&mut frames, "bank_no", texts(&["123", "102521000335", ""]));
    with(&mut frames, "bank_no_valid", Stored::plain(Column::Bool(vec![false, true, false])));
    frames
}

pub(super) fn law() -> LawOfMonth {
    let mut law = no_law(month("2026-09"));
    pays(&mut law, rule(PayBase::NextMonth, PayOn::Workday(1), Roll::None));
    law_of_month(law, calendar())
}

pub(super) fn two_items() -> Entitlements {
    let mut child = lines("child", Basis::Institution, &[5_000, 9_000, 700]);
    child.quantity = Some(Stored::plain(Column::Ratio(vec![(5, 2), (9, 1), (1, 3)])));
    child.rate = Some(whole(&[2_000, 1_000, 2_100]));
    entitlements(vec![child, lines("slot", Basis::Institution, &[800, 0, 0])])
}

fn settle(allocation: &Allocation, posted: &[PostedLine]) -> Schedule {
    settle_job("district", allocation, posted)
}

fn settle_job(job: &str, allocation: &Allocation, posted: &[PostedLine]) -> Schedule {
    let (frames, law, entitlements) = (three(), law(), two_items());
    let input = MonthInput {
        month: month("2026-09"),
        frames: &frames,
        entitlements: &entitlements,
        allocation,
        law: &law,
    };
    plan(job, month("2026-09"), &[input], posted, &[], (&[], &[])).expect("a plan")
}

/// Checks what every schedule keeps, whatever its lines are.
pub(super) fn check_identities(schedule: &Schedule) {
    let mut paid: BTreeMap<u32, (i64, u32)> = BTreeMap::new();
    for (number, line) in (1_u32..).zip(&schedule.lines) {
        assert_eq!(line.line_no, number);
        let carried = line.carried_in_fen - line.carried_out_fen;
        assert_eq!(line.payable_fen, line.gross_fen - line.cut_fen + carried, "{line:?}");
        assert!(line.cut_fen >= 0);
        let entry = paid.entry(line.payment).or_default();
        *entry = (entry.0 + line.payable_fen, entry.1 + 1);
    }
    assert_eq!(paid.remove(&u32::MAX).map_or(0, |(fen, _)| fen), 0, "unpaid lines balance");
    for (place, payment) in (0_u32..).zip(&schedule.payments) {
        assert!(payment.amount_fen > 0, "{payment:?}");
        assert_eq!(paid.remove(&place), Some((payment.amount_fen, payment.lines)));
        assert_eq!(payment.payment_no, format!("2026-09-{:06}", place + 1));
        assert!(payment.end_to_end_id.len() <= 35);
        assert!(payment.end_to_end_id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }
    assert!(paid.is_empty());
    let ids: BTreeSet<&str> =
        schedule.payments.iter().map(|payment| payment.end_to_end_id.as_str()).collect();
    assert_eq!(ids.len(), schedule.payments.len(), "ids are distinct");
}

/// Lines as (institution, kind, item, source, payable).
pub(super) fn told(schedule: &Schedule) -> Vec<(&str, &str, &str, &str, i64)> {
    schedule
        .lines
        .iter()
        .map(|line| {
            let payee = &schedule.payees[line.payee as usize];
            (&*payee.institution_id, line.kind.word(), &*line.item, &*line.source, line.payable_fen)
        })
        .collect()
}

/// Payments as (institution, source, amount).
pub(super) fn payments(schedule: &Schedule) -> Vec<(&str, &str, i64)> {
    schedule
        .payments
        .iter()
        .map(|payment| {
            let payee = &schedule.payees[payment.payee as usize];
            (&*payee.institution_id, &*payment.source, payment.amount_fen)
        })
        .collect()
}

#[test]
fn lines_come_by_institution_and_payments_by_budget_line() {
    let shares = vec![
        share([0, 0, 0, 0], 2_500, 100, 0),
        share([0, 0, 1, 1], 2_500, 100, 0),
        share([0, 1, 1, 1], 800, 0, 0),
        share([1, 0, 0, 0], 9_000, 9_000, 0),
        share([2, 0, 1, 1], 700, 0, 0),
    ];
    let schedule = settle(&allocation(shares), &[]);
    check_identities(&schedule);
    let expected = [
        ("A", "ORIGINAL", "child", "省", 0),
        ("B", "ORIGINAL", "child", "区", 700),
        ("C", "ORIGINAL", "child", "省", 2_400),
        ("C", "ORIGINAL", "child", "区", 2_400),
        ("C", "ORIGINAL", "slot", "区", 800),
    ];
    assert_eq!(told(&schedule), expected);
    let expected = [("B", "区", 700), ("C", "省", 2_400), ("C", "区", 3_200)];
    assert_eq!(payments(&schedule), expected);
    // What was cut to nothing shows, and has no payment.
    assert_eq!((schedule.lines[0].gross_fen, schedule.lines[0].payment), (9_000, u32::MAX));
    let holds: Vec<&str> = schedule.payees.iter().map(|payee| &*payee.hold_reason).collect();
    assert_eq!(holds, ["", "account_missing", "bank_no_invalid"]);
    assert_eq!(&*schedule.payees[0].institution_name, "甲托育");
    // Quantities are exact; the slot item shows none of its own, so its one line counts.
    let shown: Vec<(&str, Option<i64>)> =
        schedule.lines.iter().map(|line| (&*line.quantity, line.rate_fen)).collect();
    let expected = [
        ("9", Some(1_000)),
        ("1/3", Some(2_100)),
        ("2.5", Some(2_000)),
        ("2.5", Some(2_000)),
        ("1", None),
    ];
    assert_eq!(shown, expected);
    // The first work day of October 2026 is the 8th.
    assert!(schedule.payments.iter().all(|payment| payment.pay_on == Some(date("2026-10-08"))));
}

#[test]
fn a_rerun_gives_the_same_payments_and_another_job_others() {
    let shares = vec![share([1, 0, 0, 0], 9_000, 0, 0)];
    let allocated = allocation(shares);
    let (first, again) = (settle(&allocated, &[]), settle(&allocated, &[]));
    assert_eq!(first.payments, again.payments);
    let job = settle_job("another", &allocated, &[]);
    let source = settle(&allocation(vec![share([1, 0, 1, 1], 9_000, 0, 0)]), &[]);
    for other in [job, source] {
        assert_ne!(first.payments[0].end_to_end_id, other.payments[0].end_to_end_id);
    }
}

#[test]
fn what_a_shortage_carries_leaves_and_comes_back() {
    let schedule = settle(&allocation(vec![share([1, 0, 1, 1], 9_000, 500, 8_500)]), &[]);
    check_identities(&schedule);
    let expected =
        [("A", "ORIGINAL", "child", "区", 8_500), ("A", "CARRY_OUT", "child", "区", -8_500)];
    assert_eq!(told(&schedule), expected);
    assert_eq!(schedule.lines[1].carried_out_fen, 8_500);
    assert!(schedule.payments.is_empty());

    // A period later it comes in, on the same budget line, once.
    let carried = [posted(LineKind::CarryOut, "A", "区", -8_500)];
    let next = settle(&allocation(vec![share([1, 0, 1, 1], 100, 0, 0)]), &carried);
    check_identities(&next);
    let expected = [("A", "ORIGINAL", "child", "区", 100), ("A", "CARRY_IN", "child", "区", 8_500)];
    assert_eq!(told(&next), expected);
    assert_eq!(next.lines[1].source_period, month("2026-08"));
    assert_eq!(payments(&next), [("A", "区", 8_600)]);

    let settled = [carried[0].clone(), posted(LineKind::CarryIn, "A", "区", 8_500)];
    let last = settle(&allocation(vec![share([1, 0, 1, 1], 100, 0, 0)]), &settled);
    assert_eq!(told(&last), [("A", "ORIGINAL", "child", "区", 100)]);
}

#[test]
fn a_payment_is_never_negative() {
    // A receivable of 90.00 in the month against 8.00, and 20.00 owed since August.
    let shares = vec![share([0, 0, 1, 1], -9_000, 0, 0), share([0, 1, 1, 1], 800, 0, 0)];
    let owed = [posted(LineKind::CarryOut, "C", "区", 2_000)];
    let schedule = settle(&allocation(shares), &owed);
    check_identities(&schedule);
    // August's 20.00 are offset first as far as 8.00 reach: September's 90.00 and 12.00 of August
    // move on.
    let expected = [
        ("C", "ORIGINAL", "child", "区", -9_000),
        ("C", "CARRY_IN", "child", "区", -2_000),
        ("C", "CARRY_OUT", "child", "区", 1_200),
        ("C", "CARRY_OUT", "child", "区", 9_000),
        ("C", "ORIGINAL", "slot", "区", 800),
    ];
    assert_eq!(told(&schedule), expected);
    assert_eq!(schedule.lines[3].carried_out_fen, -9_000);
    assert!(schedule.payments.is_empty());
}

#[test]
fn carried_money_reaches_an_institution_that_left() {
    let carried = [posted(LineKind::CarryOut, "GONE", "区", -700)];
    let schedule = settle(&allocation(vec![]), &carried);
    check_identities(&schedule);
    assert_eq!(payments(&schedule), [("GONE", "区", 700)]);
    assert_eq!(&*schedule.payees[0].hold_reason, "account_missing");
}

#[test]
fn the_account_in_force_at_the_end_of_the_month_is_paid() {
    let (law, entitlements) =
        (law(), entitlements(vec![lines("child", Basis::Institution, &[700, 0])]));
    let mut frames = district(&["A", "A"]);
    with(&mut frames, "account_no", texts(&["11", "22"]));
    with(&mut frames, "bank_no", texts(&["102521000335", "102521000335"]));
    let starts = vec![date("2026-01-01"), date("2026-09-15")];
    with(&mut frames, "valid_from", Stored::plain(Column::Date(starts)));
    frames
        .get_mut(&Basis::Institution)
        .expect("institutions")
        .links
        .insert(Basis::Institution, vec![0, 0]);
    let allocation = allocation(vec![share([0, 0, 0, 0], 700, 0, 0)]);
    let input = MonthInput {
        month: month("2026-09"),
        frames: &frames,
        entitlements: &entitlements,
        allocation: &allocation,
        law: &law,
    };
    let schedule =
        plan("district", month("2026-09"), &[input], &[], &[], (&[], &[])).expect("a plan");
    assert_eq!(&*schedule.payees[0].account_no, "22");
}
