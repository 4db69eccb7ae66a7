//! Refunds against payments: DOMAIN 7's list of carry-overs, and the most a law takes back (S27).

use super::district::{head, month};
use super::schedule::{
    allocation, check_identities, law, payments, posted, share, three, told, two_items,
};
use std::sync::Arc;
use tuoyu::allocation::{MonthInput, PostedLine};
use tuoyu::domain::{CodeList, Fraction, Month};
use tuoyu::job::WriteOff;
use tuoyu::law::OffsetRule;
use tuoyu::retro::{CorrectedCell, Correction};
use tuoyu::schedule::{LineKind, Schedule, plan};

fn corrected(of: Month, institution: &str, refund_fen: i64, correction_fen: i64) -> Correction {
    Correction {
        month: of,
        texts: CodeList::default(),
        changes: Vec::new(),
        notices: Vec::new(),
        deliveries: Vec::new(),
        cells: vec![CorrectedCell {
            institution_id: Arc::from(institution),
            item: Arc::from("child"),
            source: Arc::from("区"),
            refund_fen,
            correction_fen,
            budget_doc_no: Arc::from("示例财指2号"),
            old_rule: Arc::from("child@2026-01-01/2025-12-20"),
            new_rule: Arc::from("child@2026-01-01/2026-06-01"),
        }],
    }
}

/// September pays A `fen`, with corrections, what was posted before, and a limit of offsets.
fn settle(
    fen: i64,
    corrections: &[Correction],
    posted: &[PostedLine],
    rule: Option<OffsetRule>,
) -> Schedule {
    settle_with(fen, corrections, posted, rule, &[])
}

/// The same with debts that are given up.
fn settle_with(
    fen: i64,
    corrections: &[Correction],
    posted: &[PostedLine],
    rule: Option<OffsetRule>,
    write_offs: &[WriteOff],
) -> Schedule {
    let (frames, mut law, entitlements) = (three(), law(), two_items());
    law.segments[0].offset = rule.map(Arc::new);
    let shares = if fen == 0 { vec![] } else { vec![share([1, 0, 1, 1], fen, 0, 0)] };
    let allocation = allocation(shares);
    let input = MonthInput {
        month: month("2026-09"),
        frames: &frames,
        entitlements: &entitlements,
        allocation: &allocation,
        law: &law,
    };
    let schedule =
        plan("district", month("2026-09"), &[input], posted, corrections, (write_offs, &[]))
            .expect("a plan");
    check_identities(&schedule);
    schedule
}

fn july() -> Month {
    month("2026-07")
}

fn paid(schedule: &Schedule) -> i64 {
    schedule.payments.iter().map(|payment| payment.amount_fen).sum()
}

/// Fen moved on by source month.
fn moved(schedule: &Schedule) -> Vec<(String, i64)> {
    let lines = schedule.lines.iter().filter(|line| line.kind == LineKind::CarryOut);
    lines.map(|line| (line.source_period.to_string(), line.carried_out_fen)).collect()
}

#[test]
fn a_refund_and_its_correction_are_lines_of_the_month_that_pays() {
    let schedule = settle(9_000, &[corrected(july(), "A", 3_000, 1_500)], &[], None);
    let expected = [
        ("A", "ORIGINAL", "child", "区", 9_000),
        ("A", "CORRECTION", "child", "区", 1_500),
        ("A", "REFUND", "child", "区", -3_000),
    ];
    assert_eq!(told(&schedule), expected);
    assert_eq!(payments(&schedule), [("A", "区", 7_500)]);
    assert_eq!(&*schedule.lines[2].rule_version, "child@2026-01-01/2025-12-20");
    assert_eq!(schedule.lines[1].source_period, july());
}

#[test]
fn a_refund_equal_to_a_month_is_taken_in_full_and_above_it_the_rest_moves_on() {
    let schedule = settle(9_000, &[corrected(july(), "A", 9_000, 0)], &[], None);
    assert!(schedule.payments.is_empty() && moved(&schedule).is_empty());
    let schedule = settle(9_000, &[corrected(july(), "A", 10_000, 0)], &[], None);
    assert!(schedule.payments.is_empty());
    assert_eq!(moved(&schedule), [("2026-07".to_owned(), -1_000)]);
    // An increase makes room for more refund.
    let schedule = settle(9_500, &[corrected(july(), "A", 10_000, 0)], &[], None);
    assert_eq!(moved(&schedule), [("2026-07".to_owned(), -500)]);
    // Without a payable month there is no negative payment.
    let schedule = settle(0, &[corrected(july(), "A", 10_000, 0)], &[], None);
    assert!(schedule.payments.is_empty());
    assert_eq!(moved(&schedule), [("2026-07".to_owned(), -10_000)]);
}

#[test]
fn an_institution_that_left_keeps_its_debt() {
    let schedule = settle(9_000, &[corrected(july(), "GONE", 700, 0)], &[], None);
    assert_eq!(payments(&schedule), [("A", "区", 9_000)]);
    assert_eq!(moved(&schedule), [("2026-07".to_owned(), -700)]);
    // A later correction in its favour is offset against it first.
    let owed = PostedLine {
        institution_id: "GONE".into(),
        source_period: july(),
        ..posted(LineKind::CarryOut, "GONE", "区", 700)
    };
    let schedule = settle(0, &[corrected(month("2026-06"), "GONE", 100, 900)], &[owed], None);
    assert_eq!(payments(&schedule), [("GONE", "区", 100)]);
}

fn at_most(share: Option<(i128, i128)>, amount_fen: Option<i64>) -> OffsetRule {
    let share = share.map(|(num, den)| Fraction { num, den });
    OffsetRule { head: head("offset"), share, amount_fen }
}

#[test]
fn the_law_limits_what_is_taken_back_in_one_period() {
    let owed = |of: &str, fen: i64| PostedLine {
        source_period: month(of),
        ..posted(LineKind::CarryOut, "A", "区", fen)
    };
    // Half of 90.01, floored to the fen, is 45.00: May's 30.00 go first, then 15.00 of July's 40.00.
    let posted = [owed("2026-05", 3_000)];
    let corrections = [corrected(july(), "A", 6_000, 2_000)];
    let schedule = settle(9_001, &corrections, &posted, Some(at_most(Some((1, 2)), None)));
    assert_eq!(paid(&schedule), 4_501);
    assert_eq!(moved(&schedule), [("2026-07".to_owned(), -2_500)]);
    // An amount: 35.00 an institution and period.
    let schedule = settle(9_001, &corrections, &posted, Some(at_most(None, Some(3_500))));
    assert_eq!(paid(&schedule), 9_001 - 3_500);
    assert_eq!(moved(&schedule), [("2026-07".to_owned(), -3_500)]);
    // Nothing is taken where the law says nothing.
    let schedule = settle(9_001, &corrections, &posted, Some(at_most(Some((0, 1)), None)));
    assert_eq!(paid(&schedule), 9_001);
    assert_eq!(moved(&schedule), [("2026-05".to_owned(), -3_000), ("2026-07".to_owned(), -4_000)]);
    // A correction that nets a refund of its own month and item is no offset.
    let up = [corrected(july(), "A", 2_000, 6_000)];
    let schedule = settle(9_001, &up, &[], Some(at_most(Some((0, 1)), None)));
    assert_eq!(paid(&schedule), 13_001);
}

#[test]
fn an_amount_is_for_the_oldest_debt_whichever_source_it_is_owed_to() {
    // 省 owes for May, 区 for August; each is paid 500. 150 may be taken back: May's 100, then 50.
    let owed = |of: &str, source: &str, doc: &str| PostedLine {
        source_period: month(of),
        budget_doc_no: doc.into(),
        ..posted(LineKind::CarryOut, "A", source, 100)
    };
    let books = [owed("2026-08", "区", "示例财指2号"), owed("2026-05", "省", "示例财指1号")];
    let (frames, mut law, entitlements) = (three(), law(), two_items());
    law.segments[0].offset = Some(Arc::new(at_most(None, Some(150))));
    let allocation =
        allocation(vec![share([1, 0, 0, 0], 500, 0, 0), share([1, 0, 1, 1], 500, 0, 0)]);
    let input = MonthInput {
        month: month("2026-09"),
        frames: &frames,
        entitlements: &entitlements,
        allocation: &allocation,
        law: &law,
    };
    let schedule =
        plan("district", month("2026-09"), &[input], &books, &[], (&[], &[])).expect("a plan");
    check_identities(&schedule);
    assert_eq!(payments(&schedule), [("A", "省", 400), ("A", "区", 450)]);
    assert_eq!(moved(&schedule), [("2026-08".to_owned(), -50)]);
}

/// A debt of July, a payment of September, and what two persons give up.
fn given_up(fen: i64, amount_fen: Option<i64>, item: Option<&str>) -> Vec<(String, i64)> {
    let owed =
        PostedLine { source_period: july(), ..posted(LineKind::CarryOut, "A", "区", 10_000) };
    let act = WriteOff {
        institution_id: "A".to_owned(),
        item: item.map(str::to_owned),
        source_period: Some("2026-07".to_owned()),
        source: Some("区".to_owned()),
        amount_fen,
        reason: "机构注销".to_owned(),
        by: ["张三".to_owned(), "李四".to_owned()],
    };
    let schedule = settle_with(fen, &[], &[owed], None, std::slice::from_ref(&act));
    let lines: Vec<(String, i64)> =
        schedule.lines.iter().map(|line| (line.kind.word().to_owned(), line.payable_fen)).collect();
    let gone =
        lines.iter().filter(|(kind, _)| kind == "WRITE_OFF").map(|(_, fen)| fen).sum::<i64>();
    assert_eq!(schedule.written_off(&act), gone);
    // Nothing is paid in either case: what there was went against the debt.
    assert_eq!(paid(&schedule), 0);
    lines
}

#[test]
fn a_debt_given_up_is_what_this_period_does_not_take_back() {
    let line = |kind: &str, fen: i64| (kind.to_owned(), fen);
    // 100.00 owed, 30.00 taken back, 70.00 given up: nothing is carried on.
    assert_eq!(
        given_up(3_000, None, None),
        [line("ORIGINAL", 3_000), line("CARRY_IN", -10_000), line("WRITE_OFF", 7_000)]
    );
    // At most 50.00 are given up: 20.00 stay owed.
    assert_eq!(
        given_up(3_000, Some(5_000), Some("child")),
        [
            line("ORIGINAL", 3_000),
            line("CARRY_IN", -10_000),
            line("CARRY_OUT", 2_000),
            line("WRITE_OFF", 5_000)
        ]
    );
    // More than is owed gives up what is owed; another item gives up nothing.
    assert_eq!(given_up(0, Some(99_999), None)[1], line("WRITE_OFF", 10_000));
    assert_eq!(given_up(0, None, Some("other"))[1], line("CARRY_OUT", 10_000));
}
