//! Pay dates (S21): a base, the n-th work day or a day of the month, rolled off days off.

use super::ScheduleError;
use crate::domain::{Calendar, Date, Month, Roll};
use crate::law::{PayBase, PayDateRule, PayOn};

/// The pay date of a period that ends with the month `period`.
///
/// Base `next_month` counts in the month after the period, `same_month` and `period_end` in its
/// last month. A stated day is clipped to the month's end and then rolled. The base itself is the
/// first day of the base month, or the period's last day, rolled alike.
///
/// # Errors
/// When the calendar does not hold the year, or the month has too few work days.
pub fn pay_date(
    rule: &PayDateRule,
    period: Month,
    calendar: &Calendar,
) -> Result<Date, ScheduleError> {
    let month = match rule.base {
        PayBase::NextMonth => period.plus(1),
        PayBase::SameMonth | PayBase::PeriodEnd => period,
    };
    match (rule.on, rule.base) {
        (PayOn::Workday(wanted), _) => nth_workday(month, wanted, calendar),
        (PayOn::Day(day), _) => {
            let day = i32::try_from(day).unwrap_or(i32::MAX).clamp(1, month.days());
            roll(month.first().plus_days(day - 1), rule.roll, calendar)
        }
        (PayOn::Base, PayBase::PeriodEnd) => roll(period.last(), rule.roll, calendar),
        (PayOn::Base, _) => roll(month.first(), rule.roll, calendar),
    }
}

fn nth_workday(month: Month, wanted: u32, calendar: &Calendar) -> Result<Date, ScheduleError> {
    let mut found = 0;
    for day in 0..month.days() {
        let date = month.first().plus_days(day);
        found += u32::from(calendar.is_workday(date)?);
        if found == wanted.max(1) {
            return Ok(date);
        }
    }
    Err(ScheduleError::WorkdayMissing { month, found, wanted })
}

fn roll(date: Date, roll: Roll, calendar: &Calendar) -> Result<Date, ScheduleError> {
    let step = match roll {
        Roll::None => return Ok(date),
        Roll::Next => 1,
        Roll::Previous => -1,
    };
    // A calendar that is off all year would otherwise never end.
    for days in 0..=366 {
        let rolled = date.plus_days(days * step);
        if calendar.is_workday(rolled)? {
            return Ok(rolled);
        }
    }
    Err(ScheduleError::NeverOpen { date })
}
