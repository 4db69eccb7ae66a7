//! Work days (S21): a calendar is data, off days and make-up days by year with their paper.

use super::{Date, Month, Span};
use std::collections::{BTreeMap, BTreeSet};

/// A named calendar of off days and make-up days.
#[derive(Debug, Clone, Default)]
pub struct Calendar {
    /// Name used by packs.
    pub id: String,
    /// ISO weekdays (1 = Monday) that are off in an ordinary week.
    pub weekend: BTreeSet<u32>,
    /// Weekdays that are off, with the paper.
    pub off: BTreeMap<Date, String>,
    /// Weekend days that are worked, with the paper.
    pub make_up: BTreeMap<Date, String>,
    /// Years whose arrangement is published (empty with `every_year`).
    pub years: BTreeSet<i32>,
    /// True for a plain weekday calendar, which holds in every year.
    pub every_year: bool,
}

/// A year whose work days are not published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("calendar {calendar} has no work days for {year}")]
pub struct CalendarError {
    /// Calendar id.
    pub calendar: String,
    /// The year asked for.
    pub year: i32,
}

/// What to do when a pay date falls on an off day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roll {
    /// The next work day.
    Next,
    /// The work day before.
    Previous,
    /// Stay.
    None,
}

impl Roll {
    /// The rule a pack means by `word`: `next`, `previous` or `none`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "next" => Some(Self::Next),
            "previous" => Some(Self::Previous),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// No arrangement keeps people off for so long: a calendar without work days ends the search here.
const ROLL_DAYS_MAX: u32 = 366;

impl Calendar {
    /// Whether the work days of `year` are known.
    #[must_use]
    pub fn covers(&self, year: i32) -> bool {
        self.every_year || self.years.contains(&year)
    }

    /// Takes an unpublished year as plain weekdays (S21, only where the job allows it, and with
    /// the finding `calendar_provisional`). Does nothing to a year that is known.
    pub fn assume_weekdays(&mut self, year: i32) {
        if !self.covers(year) {
            self.years.insert(year);
        }
    }

    /// Whether people work on `date`.
    ///
    /// # Errors
    /// When the year is not published.
    pub fn is_workday(&self, date: Date) -> Result<bool, CalendarError> {
        let year = date.ymd().0;
        if !self.covers(year) {
            return Err(CalendarError { calendar: self.id.clone(), year });
        }
        if self.make_up.contains_key(&date) {
            return Ok(true);
        }
        Ok(!self.off.contains_key(&date) && !self.weekend.contains(&date.weekday()))
    }

    /// Number of work days in a span.
    ///
    /// # Errors
    /// When a year is not published.
    pub fn workdays(&self, span: Span) -> Result<i32, CalendarError> {
        let mut count = 0;
        for day in span.from.days()..=span.until.days() {
            count += i32::from(self.is_workday(Date::from_days(day))?);
        }
        Ok(count)
    }

    /// The `n`-th work day of a month, `n` from 1; `None` when the month has fewer.
    ///
    /// # Errors
    /// When the year is not published.
    pub fn nth_workday(&self, month: Month, n: u32) -> Result<Option<Date>, CalendarError> {
        let span = month.span();
        let mut count = 0;
        for day in span.from.days()..=span.until.days() {
            let date = Date::from_days(day);
            count += u32::from(self.is_workday(date)?);
            if count == n && n > 0 {
                return Ok(Some(date));
            }
        }
        Ok(None)
    }

    /// A pay date moved off an off day: forward, back, or not at all.
    ///
    /// # Errors
    /// When a year on the way is not published ([`Roll::None`] asks no year).
    pub fn roll(&self, date: Date, roll: Roll) -> Result<Date, CalendarError> {
        let step = match roll {
            Roll::Next => 1,
            Roll::Previous => -1,
            Roll::None => return Ok(date),
        };
        let mut day = date;
        for _ in 0..=ROLL_DAYS_MAX {
            if self.is_workday(day)? {
                return Ok(day);
            }
            day = day.plus_days(step);
        }
        Err(CalendarError { calendar: self.id.clone(), year: date.ymd().0 })
    }
}
