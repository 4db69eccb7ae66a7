//! Dates, service months 所属期 and inclusive spans.

use chrono::{Datelike, NaiveDate};
use std::fmt;

/// A calendar date, days since 1970-01-01; 1900-01-01 ..= 2199-12-31.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Date(i32);

/// Text that is not a date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a date; expected YYYY-MM-DD between 1900 and 2199")]
pub struct DateError {
    /// The text as found.
    pub found: String,
}

impl Date {
    /// The date, or `None` when it does not exist or lies outside 1900 ..= 2199.
    #[must_use]
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        let known = (1900..=2199).contains(&year);
        if !known || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let at = (year - 1900).cast_unsigned() * 12 + month - 1;
        let (first, next) = (FIRST_DAYS[at as usize], FIRST_DAYS[at as usize + 1]);
        let date = first + day.cast_signed() - 1;
        (date < next).then_some(Self(date))
    }

    /// A date from its day number (days since 1970-01-01).
    #[must_use]
    pub const fn from_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.0
    }

    /// Year, month 1..=12, day 1..=31.
    #[must_use]
    pub fn ymd(self) -> (i32, u32, u32) {
        let date = self.civil();
        (date.year(), date.month(), date.day())
    }

    /// The service month the date lies in.
    #[must_use]
    pub fn month(self) -> Month {
        let (year, month, _) = self.ymd();
        Month::new(year, month).unwrap_or_default()
    }

    /// ISO weekday, Monday = 1 ..= Sunday = 7.
    #[must_use]
    pub const fn weekday(self) -> u32 {
        ((self.0 + 3).rem_euclid(7) + 1) as u32
    }

    /// The Monday of its ISO week.
    #[must_use]
    pub const fn monday(self) -> Self {
        Self(self.0 - (self.0 + 3).rem_euclid(7))
    }

    /// This date moved by a number of days.
    #[must_use]
    pub const fn plus_days(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Strict `YYYY-MM-DD`.
    ///
    /// # Errors
    /// When the text has another shape or names no real date.
    pub fn parse_iso(text: &str) -> Result<Self, DateError> {
        let bad = || DateError { found: text.chars().take(40).collect() };
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return Err(bad());
        }
        let number = |range: std::ops::Range<usize>| -> Option<u32> {
            bytes[range].iter().try_fold(0_u32, |sum, b| {
                b.is_ascii_digit().then(|| sum * 10 + u32::from(b - b'0'))
            })
        };
        match (number(0..4), number(5..7), number(8..10)) {
            (Some(year), Some(month), Some(day)) => {
                Self::from_ymd(year.cast_signed(), month, day).ok_or_else(bad)
            }
            _ => Err(bad()),
        }
    }

    /// Completed months from `self` to `until`: the day of the month must have been reached.
    /// Negative when `until` lies before. A birth on the 29th-31st completes its month on the
    /// first of the following month where the month is short (strict comparison of days).
    #[must_use]
    pub fn months_until(self, until: Self) -> i32 {
        let (y0, m0, d0) = self.ymd();
        let (y1, m1, d1) = until.ymd();
        (y1 - y0) * 12 + (m1.cast_signed() - m0.cast_signed()) - i32::from(d1 < d0)
    }

    fn civil(self) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(self.0.saturating_add(719_163)).unwrap_or_default()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// Day number of a proleptic Gregorian date already known to exist.
const fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let shifted = (month.cast_signed() + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + day.cast_signed() - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Day number of the first of every month from 1900-01 to 2200-01: dates are read by the million.
static FIRST_DAYS: [i32; 3601] = {
    let mut days = [0; 3601];
    let (mut year, mut month, mut at) = (1900, 1, 0);
    while at < days.len() {
        days[at] = days_from_civil(year, month, 1);
        (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        at += 1;
    }
    days
};

/// A service month 所属期, counted from year 0 (`year * 12 + month - 1`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Month(i32);

impl Month {
    /// A month before every month there is.
    pub const BEFORE_ALL: Self = Self(i32::MIN);
    /// A month after every month there is.
    pub const AFTER_ALL: Self = Self(i32::MAX);

    /// The month, or `None` outside 1900 ..= 2199 or 1 ..= 12.
    #[must_use]
    pub fn new(year: i32, month: u32) -> Option<Self> {
        ((1900..=2199).contains(&year) && (1..=12).contains(&month))
            .then(|| Self(year * 12 + month.cast_signed() - 1))
    }

    /// Strict `YYYY-MM`.
    ///
    /// # Errors
    /// When the text has another shape or names no real month.
    pub fn parse(text: &str) -> Result<Self, DateError> {
        let bad = || DateError { found: text.chars().take(40).collect() };
        if text.len() != 7 || !text.is_ascii() {
            return Err(bad());
        }
        Ok(Date::parse_iso(&format!("{text}-01")).map_err(|_| bad())?.month())
    }

    /// `year * 12 + month - 1`: month arithmetic is plain subtraction (S20).
    #[must_use]
    pub const fn index(self) -> i32 {
        self.0
    }

    /// Calendar year.
    #[must_use]
    pub const fn year(self) -> i32 {
        self.0.div_euclid(12)
    }

    /// Month of the year, 1 ..= 12.
    #[must_use]
    pub const fn number(self) -> u32 {
        (self.0.rem_euclid(12) + 1) as u32
    }

    /// The month `count` months later (earlier when negative).
    #[must_use]
    pub const fn plus(self, count: i32) -> Self {
        Self(self.0 + count)
    }

    /// First day.
    #[must_use]
    pub fn first(self) -> Date {
        let at = usize::try_from(self.0).ok().and_then(|index| index.checked_sub(1900 * 12));
        let known = at.and_then(|at| FIRST_DAYS.get(at)).copied();
        Date(known.unwrap_or_else(|| days_from_civil(self.year(), self.number(), 1)))
    }

    /// Last day.
    #[must_use]
    pub fn last(self) -> Date {
        self.plus(1).first().plus_days(-1)
    }

    /// The whole month.
    #[must_use]
    pub fn span(self) -> Span {
        Span { from: self.first(), until: self.last() }
    }

    /// Number of days, 28 ..= 31.
    #[must_use]
    pub fn days(self) -> i32 {
        self.span().days()
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year(), self.number())
    }
}

/// An inclusive span of dates; never empty when made by [`Span::new`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First day, inclusive.
    pub from: Date,
    /// Last day, inclusive.
    pub until: Date,
}

impl Span {
    /// The span, or `None` when it would end before it starts.
    #[must_use]
    pub fn new(from: Date, until: Date) -> Option<Self> {
        (from <= until).then_some(Self { from, until })
    }

    /// Number of days, at least 1.
    #[must_use]
    pub const fn days(self) -> i32 {
        self.until.0 - self.from.0 + 1
    }

    /// Whether `date` lies inside.
    #[must_use]
    pub fn contains(self, date: Date) -> bool {
        self.from <= date && date <= self.until
    }

    /// The common part, if any.
    #[must_use]
    pub fn overlap(self, other: Self) -> Option<Self> {
        Self::new(self.from.max(other.from), self.until.min(other.until))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.from, self.until)
    }
}
