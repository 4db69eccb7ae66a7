//! Dates against another calendar.

use chrono::NaiveDate;
use tuoyu::domain::{Date, Month};

#[test]
fn every_date_and_no_other_from_1900_to_2199() {
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
    for year in 1898..=2201 {
        for (month, day) in (0..=13).flat_map(|month| (0..=32).map(move |day| (month, day))) {
            let known = NaiveDate::from_ymd_opt(year, month, day)
                .filter(|_| (1900..=2199).contains(&year))
                .map(|date| date.signed_duration_since(epoch).num_days());
            let found = Date::from_ymd(year, month, day).map(|date| i64::from(date.days()));
            assert_eq!(found, known, "{year}-{month}-{day}");
        }
    }
    assert_eq!(Date::from_ymd(2026, 1, u32::MAX), None);
    assert_eq!(Date::from_ymd(i32::MIN, u32::MAX, 1), None);
}

#[test]
fn months_begin_on_their_first_day_and_end_before_the_next() {
    let mut month = Month::new(1900, 1).unwrap().plus(-30);
    while month.year() < 2203 {
        let first = NaiveDate::from_ymd_opt(month.year(), month.number(), 1).unwrap();
        assert_eq!(month.first().to_string(), first.to_string());
        assert_eq!(month.last().plus_days(1), month.plus(1).first());
        month = month.plus(1);
    }
}
