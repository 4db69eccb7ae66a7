//! Work days (S21): a calendar is data, off days and make-up days by year with their paper.

use super::{Date, Span};
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

impl Calendar {
    /// Whether people work on `date`.
    ///
    /// # Errors
    /// When the year is not published.
    pub fn is_workday(&self, date: Date) -> Result<bool, CalendarError> {
        let year = date.ymd().0;
        if !self.every_year && !self.years.contains(&year) {
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
}
