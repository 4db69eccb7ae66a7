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
