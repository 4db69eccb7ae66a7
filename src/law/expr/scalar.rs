//! One value at a time: the meaning of every operator on plain cells, for constants and traces.

use crate::domain::{Cell, Date, Month, RowError};
use std::cmp::Ordering;

use super::exact::Exact;
use super::tree::{Comparison, Op};

/// Whether the operator needs nothing but the values of all its arguments.
pub(super) const fn is_strict(op: &Op) -> bool {
    !matches!(
        op,
        Op::Const(_)
            | Op::Column(_)
            | Op::And
            | Op::Or
            | Op::IsNull
            | Op::Case
            | Op::Coalesce
            | Op::Workdays
            | Op::Lookup(_)
    )
}

/// Applies a strict operator to values that are not null.
pub(super) fn apply(op: &Op, args: &[Cell]) -> Result<Cell, RowError> {
    match op {
        Op::Neg => Ok(cell(number(args, 0)?.neg())),
        Op::Abs => Ok(cell(number(args, 0)?.abs())),
        Op::Add => fits(number(args, 0)?.add(number(args, 1)?)),
        Op::Sub => fits(number(args, 0)?.sub(number(args, 1)?)),
        Op::Mul => fits(number(args, 0)?.mul(number(args, 1)?)),
        Op::Div => {
            let (top, bottom) = (number(args, 0)?, number(args, 1)?);
            if bottom.num == 0 {
                return Err(RowError::DivisionByZero);
            }
            fits(top.mul(bottom.reciprocal()))
        }
        Op::Mod => {
            let (top, bottom) = (number(args, 0)?, number(args, 1)?);
            if bottom.num == 0 {
                return Err(RowError::DivisionByZero);
            }
            fits(top.modulo(bottom))
        }
        Op::Round(to) => fits(number(args, 0)?.round(*to)),
        Op::Least | Op::Greatest => {
            let wanted = if *op == Op::Least { Ordering::Less } else { Ordering::Greater };
            let mut best = args[0].clone();
            for candidate in &args[1..] {
                if order(candidate, &best)? == wanted {
                    best = candidate.clone();
                }
            }
            Ok(best)
        }
        Op::Compare(how) => Ok(Cell::Bool(compare(*how, &args[0], &args[1])?)),
        Op::Not => Ok(Cell::Bool(!boolean(&args[0]))),
        Op::In(list) => {
            for candidate in list {
                if compare(Comparison::Equal, &args[0], candidate)? {
                    return Ok(Cell::Bool(true));
                }
            }
            Ok(Cell::Bool(false))
        }
        Op::Length => Ok(whole(i128::try_from(text(&args[0]).chars().count()).unwrap_or(0))),
        Op::StartsWith(start) => Ok(Cell::Bool(text(&args[0]).starts_with(start.as_str()))),
        _ => dates(op, args),
    }
}

fn dates(op: &Op, args: &[Cell]) -> Result<Cell, RowError> {
    let at = |index: usize| date(&args[index]);
    match op {
        Op::MonthsBetween => Ok(whole(at(0).months_until(at(1)).into())),
        Op::MonthIndex => Ok(whole(at(0).month().index().into())),
        Op::DaysIn => Ok(whole(at(0).month().days().into())),
        Op::DaysBetween => Ok(whole((at(1).days() - at(0).days()).into())),
        Op::OverlapDays => {
            let from = at(0).max(at(2)).days();
            let until = at(1).min(at(3)).days();
            Ok(whole((until - from + 1).max(0).into()))
        }
        Op::AddMonths => {
            let months = number(args, 1)?.num;
            add_months(at(0), months).map(Cell::Date).ok_or(RowError::Overflow)
        }
        Op::AddDays => {
            let days = number(args, 1)?.num;
            add_days(at(0), days).map(Cell::Date).ok_or(RowError::Overflow)
        }
        Op::WeekStart => Ok(Cell::Date(week_start(at(0)))),
        Op::Weekday => Ok(whole(at(0).weekday().into())),
        Op::TermOf(terms) => terms.of(at(0)).map(Cell::Date).ok_or(RowError::Overflow),
        Op::TermAfter(terms) => terms.after(at(0)).map(Cell::Date).ok_or(RowError::Overflow),
        Op::Year => Ok(whole(at(0).ymd().0.into())),
        Op::Month => Ok(whole(at(0).ymd().1.into())),
        Op::Day => Ok(whole(at(0).ymd().2.into())),
        Op::DateOf => {
            let part = |index: usize| number(args, index).map(|value| value.num);
            date_of(part(0)?, part(1)?, part(2)?).map(Cell::Date).ok_or(RowError::Overflow)
        }
        // The checker hands every other operator to the code that knows rows, tables or branches.
        _ => unreachable!("operator {op:?} is not strict"),
    }
}

/// The same day `months` later, clipped to the month's last day; `None` outside 1900 ..= 2199.
pub(super) fn add_months(date: Date, months: i128) -> Option<Date> {
    let index = i128::from(date.month().index()).checked_add(months)?;
    let (year, month) = (index.div_euclid(12), index.rem_euclid(12) + 1);
    let month = Month::new(i32::try_from(year).ok()?, u32::try_from(month).ok()?)?;
    let day = date.ymd().2.min(month.days().unsigned_abs());
    Date::from_ymd(month.year(), month.number(), day)
}

/// The date `days` later; `None` outside 1900 ..= 2199.
pub(super) fn add_days(date: Date, days: i128) -> Option<Date> {
    let moved = i32::try_from(i128::from(date.days()).checked_add(days)?).ok()?;
    let last = Date::from_ymd(2199, 12, 31)?;
    let first = Date::from_ymd(1900, 1, 1)?;
    (first.days()..=last.days()).contains(&moved).then(|| Date::from_days(moved))
}

/// Monday of the date's week; the calendar itself begins on a Monday.
pub(super) fn week_start(date: Date) -> Date {
    date.plus_days(1 - date.weekday().cast_signed())
}

/// The date of a year, month and day; `None` when there is none.
pub(super) fn date_of(year: i128, month: i128, day: i128) -> Option<Date> {
    Date::from_ymd(i32::try_from(year).ok()?, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}

pub(super) fn compare(how: Comparison, left: &Cell, right: &Cell) -> Result<bool, RowError> {
    Ok(match how {
        Comparison::Equal => same(left, right)?,
        Comparison::Unequal => !same(left, right)?,
        Comparison::Below => order(left, right)? == Ordering::Less,
        Comparison::AtMost => order(left, right)? != Ordering::Greater,
    })
}

fn same(left: &Cell, right: &Cell) -> Result<bool, RowError> {
    match (left, right) {
        (Cell::Num(..), Cell::Num(..)) => Ok(order(left, right)? == Ordering::Equal),
        _ => Ok(left == right),
    }
}

fn order(left: &Cell, right: &Cell) -> Result<Ordering, RowError> {
    match (left, right) {
        (Cell::Num(a, b), Cell::Num(c, d)) => {
            exact(*a, *b)?.compare(exact(*c, *d)?).ok_or(RowError::Overflow)
        }
        (Cell::Date(a), Cell::Date(b)) => Ok(a.cmp(b)),
        _ => Ok(Ordering::Equal),
    }
}

pub(super) fn exact(num: i128, den: i128) -> Result<Exact, RowError> {
    Exact::new(num, den).ok_or(RowError::Overflow)
}

fn number(args: &[Cell], index: usize) -> Result<Exact, RowError> {
    match &args[index] {
        Cell::Num(num, den) => exact(*num, *den),
        _ => Ok(Exact::whole(0)),
    }
}

fn fits(value: Option<Exact>) -> Result<Cell, RowError> {
    value.map(cell).ok_or(RowError::Overflow)
}

pub(super) const fn cell(value: Exact) -> Cell {
    Cell::Num(value.num, value.den)
}

const fn whole(value: i128) -> Cell {
    Cell::Num(value, 1)
}

pub(super) const fn boolean(cell: &Cell) -> bool {
    matches!(cell, Cell::Bool(true))
}

pub(super) fn date(cell: &Cell) -> Date {
    match cell {
        Cell::Date(date) => *date,
        _ => Date::default(),
    }
}

fn text(cell: &Cell) -> &str {
    match cell {
        Cell::Text(text) => text,
        _ => "",
    }
}
