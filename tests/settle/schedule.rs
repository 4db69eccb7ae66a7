//! Tests of room `schedule`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tuoyu::domain::{Calendar, CalendarError, Date, Month, Roll};
use tuoyu::law::{LawPlace, PayBase, PayDateRule, PayOn, RuleHead};
use tuoyu::schedule::{ScheduleError, pay_date};

fn date(text: &str) -> Date {
    Date::parse_iso(text).expect("a date")
}

fn month(text: &str) -> Month {
    Month::parse(text).expect("a month")
}

/// 2026 around National Day: off 1-7 October, made up on Sunday 20 September and Saturday 10 October.
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
    let head = RuleHead {
        id: Arc::from("pay"),
        clause: Arc::from("示例 第十条"),
        version: Arc::from("pay@2026-01-01/2025-12-20"),
        effective_from: date("2026-01-01"),
        effective_until: None,
        known_from: date("2025-12-20"),
        label: Arc::from("pay"),
        place: LawPlace::default(),
    };
    PayDateRule { head, base, on, roll }
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
