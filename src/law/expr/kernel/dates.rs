//! Dates.

use std::borrow::Cow;

use crate::domain::{Calendar, Date, RowError};
use crate::law::expr::scalar::{add_days, add_months, date_of, week_start};
use crate::law::expr::tree::{Comparison, Op};

use super::number::{holds, own_error};
use super::vector::{Data, Sel, Vector, join_errors, map1, map2};

/// Longest span of days whose work days are counted beforehand.
const PREFIX_MAX: i32 = 120_000;

pub(super) fn compare<'a>(
    how: Comparison,
    a: &Vector<'a>,
    b: &Vector<'a>,
    sel: Sel<'_>,
) -> Vector<'a> {
    let data = map2(sel, a.dates(), b.dates(), |a, b| holds(how, a.cmp(&b)));
    Vector { data: Data::Bool(Cow::Owned(data)), nulls: None, errs: join_errors(&[a, b]) }
}

pub(super) fn extreme<'a>(least: bool, args: &[&Vector<'a>], sel: Sel<'_>) -> Vector<'a> {
    let mut best = map1(sel, args[0].dates(), |date| date);
    for arg in &args[1..] {
        let dates = arg.dates();
        sel.each(|row| {
            let own = dates.at(row);
            best[row] = if least { best[row].min(own) } else { best[row].max(own) };
        });
    }
    Vector { data: Data::Date(Cow::Owned(best)), nulls: None, errs: join_errors(args) }
}

fn ints<'a>(values: Vec<i64>, args: &[&Vector<'a>]) -> Vector<'a> {
    Vector { data: Data::Int(Cow::Owned(values), 1), nulls: None, errs: join_errors(args) }
}

pub(super) fn apply<'a>(op: &Op, args: &[&Vector<'a>], sel: Sel<'_>) -> Vector<'a> {
    let one = |f: fn(Date) -> i64| ints(map1(sel, args[0].dates(), f), args);
    match op {
        Op::MonthIndex => one(|date| date.month().index().into()),
        Op::DaysIn => one(|date| date.month().days().into()),
        Op::Year => one(|date| date.ymd().0.into()),
        Op::Month => one(|date| date.ymd().1.into()),
        Op::Day => one(|date| date.ymd().2.into()),
        Op::Weekday => one(|date| date.weekday().into()),
        Op::MonthsBetween => {
            let months =
                map2(sel, args[0].dates(), args[1].dates(), |a, b| a.months_until(b).into());
            ints(months, args)
        }
        Op::DaysBetween => {
            let days = map2(sel, args[0].dates(), args[1].dates(), |a, b| {
                i64::from(b.days()) - i64::from(a.days())
            });
            ints(days, args)
        }
        Op::OverlapDays => {
            let from = map2(sel, args[0].dates(), args[2].dates(), Ord::max);
            let until = map2(sel, args[1].dates(), args[3].dates(), Ord::min);
            let days = from
                .iter()
                .zip(&until)
                .map(|(from, until)| (i64::from(until.days()) - i64::from(from.days()) + 1).max(0));
            ints(days.collect(), args)
        }
        Op::WeekStart => {
            let data = Data::Date(Cow::Owned(map1(sel, args[0].dates(), week_start)));
            Vector { data, nulls: None, errs: join_errors(args) }
        }
        Op::TermOf(terms) => made(args, sel, |row| terms.of(args[0].dates().at(row))),
        Op::TermAfter(terms) => made(args, sel, |row| terms.after(args[0].dates().at(row))),
        Op::AddDays => {
            made(args, sel, |row| add_days(args[0].dates().at(row), args[1].exact(row)?.num))
        }
        Op::AddMonths => {
            made(args, sel, |row| add_months(args[0].dates().at(row), args[1].exact(row)?.num))
        }
        _ => made(args, sel, |row| {
            let part = |index: usize| args[index].exact(row).map(|value| value.num);
            date_of(part(0)?, part(1)?, part(2)?)
        }),
    }
}

/// Dates made row by row; a date that does not exist is an error of the row.
fn made<'a>(args: &[&Vector<'a>], sel: Sel<'_>, f: impl Fn(usize) -> Option<Date>) -> Vector<'a> {
    let mut errs = join_errors(args);
    let mut out = vec![Date::default(); sel.rows()];
    sel.each(|row| match f(row) {
        Some(date) => out[row] = date,
        None => own_error(&mut errs, sel.rows(), row, RowError::Overflow),
    });
    Vector { data: Data::Date(Cow::Owned(out)), nulls: None, errs }
}

/// Work days in inclusive spans; a year without a published calendar is a miss of the row.
pub(super) fn workdays<'a>(
    a: &Vector<'a>,
    b: &Vector<'a>,
    calendar: &Calendar,
    sel: Sel<'_>,
) -> Vector<'a> {
    let mut errs = join_errors(&[a, b]);
    let (from, until) = (a.dates(), b.dates());
    let mut bounds: Option<(i32, i32)> = None;
    sel.each(|row| {
        let (first, last) = (from.at(row).days(), until.at(row).days());
        if first <= last {
            let (low, high) = bounds.unwrap_or((first, last));
            bounds = Some((low.min(first), high.max(last)));
        }
    });
    let counts = bounds
        .filter(|(low, high)| high - low < PREFIX_MAX)
        .map(|(low, high)| Counts::new(calendar, low, high));
    let mut out = vec![0_i64; sel.rows()];
    sel.each(|row| {
        let (first, last) = (from.at(row), until.at(row));
        if first > last {
            return;
        }
        let days = match &counts {
            Some(counts) => counts.between(first, last),
            None => count(calendar, first, last),
        };
        match days {
            Some(days) => out[row] = days,
            None => own_error(&mut errs, sel.rows(), row, RowError::TableMiss),
        }
    });
    Vector { data: Data::Int(Cow::Owned(out), 1), nulls: None, errs }
}

/// Work days of an inclusive span; `None` when a year is not published. Zero when it ends early.
pub(in crate::law::expr) fn count(calendar: &Calendar, from: Date, until: Date) -> Option<i64> {
    match crate::domain::Span::new(from, until) {
        Some(span) => calendar.workdays(span).ok().map(i64::from),
        None => Some(0),
    }
}

/// Running counts of work days and of unpublished days.
struct Counts {
    low: i32,
    work: Vec<i32>,
    unpublished: Vec<i32>,
}

impl Counts {
    fn new(calendar: &Calendar, low: i32, high: i32) -> Self {
        let (mut work, mut unpublished) = (vec![0], vec![0]);
        let (mut worked, mut unknown) = (0, 0);
        for day in low..=high {
            match calendar.is_workday(Date::from_days(day)) {
                Ok(works) => worked += i32::from(works),
                Err(_) => unknown += 1,
            }
            work.push(worked);
            unpublished.push(unknown);
        }
        Self { low, work, unpublished }
    }

    fn between(&self, from: Date, until: Date) -> Option<i64> {
        let at = |days: i32| usize::try_from(days - self.low).unwrap_or(0);
        let (first, last) = (at(from.days()), at(until.days()) + 1);
        let known = self.unpublished[first] == self.unpublished[last];
        known.then(|| i64::from(self.work[last] - self.work[first]))
    }
}
