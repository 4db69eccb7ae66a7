//! How long items are open, in work days of the job's calendar.

use super::SettleError;
use crate::domain::{Calendar, Date, Span};
use crate::publish::recon::Judged;
use crate::reconcile::Book;
use rustc_hash::FxHashMap;

/// Since when each payment is open; nothing where it is not.
pub(super) fn dues(book: &Book, judged: &[Option<Judged>], carried: &[bool]) -> Vec<Option<Date>> {
    let open = |(at, of): (usize, &Option<Judged>)| {
        of.as_ref().filter(|of| of.standing.is_open(carried[at])).map(|_| book.due_on(at))
    };
    judged.iter().enumerate().map(open).collect()
}

/// Work days from the day after each date until `as_of`.
pub(super) fn ages(
    calendar: &Calendar,
    as_of: Option<Date>,
    dues: impl Iterator<Item = Option<Date>>,
) -> Result<Vec<i32>, SettleError> {
    let mut known: FxHashMap<Date, i32> = FxHashMap::default();
    dues.map(|due| {
        let (Some(due), Some(as_of)) = (due, as_of) else { return Ok(0) };
        if let Some(age) = known.get(&due) {
            return Ok(*age);
        }
        let age = match Span::new(due.plus_days(1), as_of) {
            Some(span) => calendar.workdays(span)?,
            None => 0,
        };
        known.insert(due, age);
        Ok(age)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// 2026-10-01 to 07 are off and Saturday 10 October is worked (State Council paper): from Wednesday
    /// 30 September to Monday 12 October there are 8, 9, 10 and 12 October.
    #[test]
    fn work_days_of_the_calendar_count_from_the_day_after() {
        let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/reference");
        let calendar = crate::law::calendar::load(&reference, "cn").unwrap();
        let day = |month, day| Date::from_ymd(2026, month, day);
        let dues = [day(9, 30), day(10, 9), day(10, 12), day(10, 13), None];
        let ages = ages(&calendar, day(10, 12), dues.into_iter()).unwrap();
        assert_eq!(ages, [4, 2, 0, 0, 0]);
    }
}
