//! Work days against the State Council's arrangements (S21, DOMAIN 4.10).

use super::shared_table;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tuoyu::domain::{Calendar, CalendarError, Date, Month, Roll};
use tuoyu::law::calendar::{CalendarFileError, content_hash, load};

fn reference() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/reference")
}

fn cn() -> Calendar {
    load(&reference(), "cn").unwrap()
}

fn date(text: &str) -> Date {
    Date::parse_iso(text).unwrap()
}

fn month(text: &str) -> Month {
    Month::parse(text).unwrap()
}

#[test]
fn work_days_of_each_month() {
    let calendar = cn();
    let years = [
        (2025, [19, 19, 21, 22, 19, 20, 23, 21, 23, 18, 20, 23]),
        (2026, [21, 16, 22, 21, 19, 21, 23, 21, 22, 18, 21, 23]),
    ];
    for (year, wants) in years {
        for (number, want) in (1..).zip(wants) {
            let month = Month::new(year, number).unwrap();
            assert_eq!(calendar.workdays(month.span()), Ok(want), "{month}");
        }
    }
}

#[test]
fn every_day_of_the_published_table() {
    let Some(text) = shared_table("cn_holidays_2018_2026.csv") else { return };
    let calendar = cn();
    let mut listed = BTreeSet::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let day = date(fields[0]);
        assert_eq!(calendar.is_workday(day), Ok(fields[2] == "work"), "{line}");
        if let Some(paper) = calendar.off.get(&day).or(calendar.make_up.get(&day)) {
            assert_eq!(paper, fields[3], "{line}");
        }
        listed.insert(day);
    }
    for number in date("2018-01-01").days()..=date("2026-12-31").days() {
        let day = Date::from_days(number);
        if !listed.contains(&day) {
            assert_eq!(calendar.is_workday(day), Ok(day.weekday() < 6), "{day}");
        }
    }
}

#[test]
fn pay_dates() {
    let calendar = cn();
    // October 2026: 1-7 off, Saturday the 10th worked.
    let nth =
        [("2026-10", 1, "2026-10-08"), ("2026-10", 3, "2026-10-10"), ("2026-02", 16, "2026-02-28")];
    for (of, n, want) in nth {
        assert_eq!(calendar.nth_workday(month(of), n), Ok(Some(date(want))), "{of} {n}");
    }
    assert_eq!(calendar.nth_workday(month("2026-02"), 17), Ok(None));
    assert_eq!(calendar.nth_workday(month("2026-02"), 0), Ok(None));
    let rolls = [
        ("2026-10-01", Roll::Next, "2026-10-08"),
        ("2026-10-01", Roll::Previous, "2026-09-30"),
        ("2026-10-01", Roll::None, "2026-10-01"),
        ("2026-10-10", Roll::Next, "2026-10-10"),
        ("2026-10-11", Roll::Next, "2026-10-12"),
    ];
    for (from, roll, want) in rolls {
        assert_eq!(calendar.roll(date(from), roll), Ok(date(want)), "{from} {roll:?}");
    }
}

#[test]
fn an_unpublished_year_is_an_error_until_assumed() {
    let mut calendar = cn();
    let error = CalendarError { calendar: "cn".to_owned(), year: 2027 };
    assert_eq!(calendar.workdays(month("2027-01").span()), Err(error.clone()));
    assert_eq!(calendar.nth_workday(month("2027-01"), 1), Err(error.clone()));
    assert_eq!(calendar.roll(date("2027-01-02"), Roll::Next), Err(error.clone()));
    // Rolling forward out of the last known year asks the next one.
    calendar.off.insert(date("2026-12-31"), "test".to_owned());
    assert_eq!(calendar.roll(date("2026-12-31"), Roll::Next), Err(error));
    let before = content_hash(&calendar);
    calendar.assume_weekdays(2027);
    assert_eq!(calendar.roll(date("2027-01-02"), Roll::Next), Ok(date("2027-01-04")));
    assert_ne!(content_hash(&calendar), before);
    let known = content_hash(&calendar);
    calendar.assume_weekdays(2026);
    assert_eq!(content_hash(&calendar), known);
}

#[test]
fn plain_weekdays_hold_in_every_year() {
    let calendar = load(&reference(), "weekdays").unwrap();
    assert_eq!(calendar.workdays(month("2031-05").span()), Ok(22));
    assert_eq!(calendar.workdays(month("2026-02").span()), Ok(20));
}

#[test]
fn a_calendar_without_work_days_does_not_hang() {
    let calendar = Calendar { weekend: (1..=7).collect(), every_year: true, ..Calendar::default() };
    assert!(calendar.roll(date("2026-01-01"), Roll::Next).is_err());
    assert_eq!(calendar.nth_workday(month("2026-01"), 1), Ok(None));
}

#[test]
fn files_that_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("calendars")).unwrap();
    let check = |body: &str, want: &str| {
        std::fs::write(folder.path().join("calendars/x.toml"), body).unwrap();
        let message = load(Path::new(folder.path()), "x").unwrap_err().to_string();
        assert!(message.contains(want), "{body}: {message}");
    };
    let head = "id = \"x\"\ntitle = \"t\"\nweekend = [6, 7]\n";
    check("id = \"y\"\ntitle = \"t\"\nweekend = [6, 7]\nyears = [2026]", "the file's name");
    check(&format!("{head}years = [2026]\nevery_year = true"), "not both");
    check(head, "not both");
    check(&format!("{head}years = [2026]\ncolour = 1"), "colour");
    check("id = \"x\"\ntitle = \"t\"\nweekend = [0]\nyears = [2026]", "weekend");
    let paper = |days: &str| format!("{head}years = [2026]\n[[paper]]\nsource = \"p\"\n{days}");
    check(&paper("off = [\"2026-01-03\"]"), "off holds 2026-01-03, expected a weekday");
    check(&paper("make_up = [\"2026-01-02\"]"), "make_up holds 2026-01-02");
    check(&paper("off = [\"2026-02-30\"]"), "is not a date");
    check(&paper("off = [\"2027-01-01\"]"), "its year is not in `years`");
    check(&paper("off = [\"2026-01-02\", \"2026-01-02\"]"), "listed twice");
    assert!(matches!(load(folder.path(), "../x"), Err(CalendarFileError::Name { .. })));
    assert!(matches!(load(folder.path(), "none"), Err(CalendarFileError::Read { .. })));
}
