//! Columns made from the rows of a group: who is in it, in what order, what each row gets.
//!
//! In: frames, a rule. Out: the column by row; for an explanation, the group of one row in order.
//! Order: where the walk meets the step. Never: depends on the order of rows (S9): ties end in
//! what tells them apart. A row of the group without a value leaves every row of it without one.

mod parts;

use super::columns::{evaluate, join};
use crate::domain::{
    Basis, Column, Fraction, Frame, Frames, KeyRows, NumColumn, RowError, Stored, compare_cells,
    key_rows,
};
use crate::facts::identity_columns;
use crate::law::expr::Expr;
use crate::law::{LawOfMonth, Step, WithinKind, WithinRule};
use rayon::prelude::*;
use std::cmp::Ordering;

/// A row that takes part in its group.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// Row of the basis.
    pub(crate) row: u32,
    /// Whether the condition holds; in a streak rows stand where it does not.
    pub(crate) holds: bool,
    /// Whether the condition has no value.
    doubt: bool,
    /// Its figure: quantity, weight, most, what it counts for.
    pub(crate) figure: Fraction,
    /// Why it has none, or no place.
    error: Option<RowError>,
}

/// Rows that share one row of the coarser basis, in order.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// That row.
    pub(crate) key: u32,
    /// Its rows.
    pub(crate) members: Vec<Member>,
    /// Limit or amount; zero where the rule has none.
    pub(crate) figure: Fraction,
    error: Option<RowError>,
}

/// The column of a rule, one entry a row of its basis.
pub(crate) fn compute(law: &LawOfMonth, frames: &Frames, rule: &WithinRule) -> Stored {
    let seen = Seen { law, frames, rule };
    let rows = frames.get(&rule.basis).map_or(0, |frame| frame.rows);
    let (groups, loose) = seen.groups(None);
    let parts: Vec<_> = groups.par_iter().map(|group| seen.parts(group)).collect();
    let mut column = Made::new(rows, matches!(rule.kind, WithinKind::Rank));
    for (group, parts) in groups.iter().zip(parts) {
        for (member, part) in group.members.iter().zip(parts) {
            column.put(member.row, part);
        }
    }
    for member in loose {
        if !seen.zero_anyway(&member) {
            column.put(member.row, Err(member.error.unwrap_or(RowError::NoParent)));
        }
    }
    let stored = column.stored();
    match key_rows(frames, &rule.basis, &rule.basis) {
        // Rows that take over inside the month read what their main row reads.
        Some(KeyRows::Linked(mains)) => stored.take(&mains),
        _ => stored,
    }
}

/// The group of a row with its place in it; `None` where it takes no part or has no group.
pub(crate) fn standing(
    law: &LawOfMonth,
    frames: &Frames,
    rule: &WithinRule,
    row: usize,
) -> Option<(Group, usize)> {
    let own = key_rows(frames, &rule.basis, &rule.basis)?.at(row);
    let key = key_rows(frames, &rule.basis, &rule.within)?.at(own as usize);
    let (groups, _) = Seen { law, frames, rule }.groups(Some(key));
    let group = groups.into_iter().next()?;
    let place = group.members.iter().position(|member| member.row == own)?;
    Some((group, place))
}

/// What a rule is evaluated on.
#[derive(Clone, Copy)]
struct Seen<'a> {
    law: &'a LawOfMonth,
    frames: &'a Frames,
    rule: &'a WithinRule,
}

impl Seen<'_> {
    /// The rule as the law of a segment has it.
    fn version(&self, segment: usize) -> Option<&WithinRule> {
        self.law.segments.get(segment)?.steps.iter().find_map(|step| match step {
            Step::Within(rule) if rule.head.id == self.rule.head.id => Some(&**rule),
            _ => None,
        })
    }

    /// An expression of the rule on rows of a basis, each under the law of its segment; one entry a
    /// row of `rows`. `None` where the rule has no such expression.
    fn evaluated(
        &self,
        on: &Basis,
        rows: &[u32],
        of: &dyn Fn(&WithinRule) -> Option<Expr>,
    ) -> Option<Stored> {
        let whole = of(self.rule)?;
        let calendar = &self.law.calendar;
        let eval = |expr: &Expr, rows: &[u32]| evaluate(expr, self.frames, on, rows, calendar);
        let cut = self.frames.get(on).and_then(|frame| frame.get("segment"));
        let segments = self.law.segments.len();
        let Some(Stored { column: Column::Num(cut), .. }) = cut.filter(|_| segments > 1) else {
            return Some(eval(&whole, rows));
        };
        let (mut done, mut places) = (Vec::new(), vec![u32::MAX; rows.len()]);
        let mut count = 0_u32;
        for segment in 0..segments {
            let of_segment = |row: u32| {
                let own = usize::try_from(cut.values[row as usize]).unwrap_or(0);
                own.min(segments - 1) == segment
            };
            let mut own = Vec::new();
            for (row, place) in rows.iter().zip(&mut places) {
                if of_segment(*row) {
                    own.push(*row);
                    *place = count;
                    count += 1;
                }
            }
            let expr = self.version(segment).and_then(of).unwrap_or_else(|| whole.clone());
            done.push(eval(&expr, &own));
        }
        Some(join(done).take(&places))
    }

    /// The groups of the rows that take part, or one of them, and the rows without a group.
    fn groups(&self, only: Option<u32>) -> (Vec<Group>, Vec<Member>) {
        let Self { frames, rule, .. } = *self;
        let rows = frames.get(&rule.basis).map_or(0, |frame| frame.rows);
        let own = key_rows(frames, &rule.basis, &rule.basis).unwrap_or(KeyRows::Nowhere);
        let keys = key_rows(frames, &rule.basis, &rule.within).unwrap_or(KeyRows::Nowhere);
        let asked: Vec<u32> = (0..rows)
            .filter(|row| only.is_none_or(|only| keys.at(*row) == only))
            .filter_map(|row| u32::try_from(row).ok())
            .filter(|row| own.at(*row as usize) == *row)
            .collect();
        let groups = frames.get(&rule.within).map_or(0, |frame| frame.rows);
        let mut members = vec![Vec::new(); groups];
        let mut loose = Vec::new();
        for member in self.members(&asked, &keys) {
            match members.get_mut(keys.at(member.row as usize) as usize) {
                Some(group) => group.push(member),
                None => loose.push(member),
            }
        }
        let mut found: Vec<Group> = (0..)
            .zip(members)
            .filter(|(_, members)| !members.is_empty())
            .map(|(key, members)| {
                let error = members.iter().filter_map(|member| member.error).min();
                Group { key, members, figure: Fraction::whole(0), error }
            })
            .collect();
        let of_groups: Vec<u32> = found.iter().map(|group| group.key).collect();
        let figures = self.evaluated(&rule.within, &of_groups, &WithinRule::of_group_rounded);
        if let Some(figures) = figures {
            for (at, group) in found.iter_mut().enumerate() {
                match figures.number(at) {
                    Some(figure) => group.figure = figure,
                    None => group.error = worse(group.error, Some(none(&figures, at))),
                }
            }
        }
        let order = Order::of(self);
        found
            .par_iter_mut()
            .for_each(|group| group.members.sort_by(|a, b| order.compare(a.row, b.row)));
        (found, loose)
    }

    /// The rows that take part.
    fn members(&self, rows: &[u32], keys: &KeyRows<'_>) -> Vec<Member> {
        let rule = self.rule;
        let when = self.evaluated(&rule.basis, rows, &|rule| rule.when.clone());
        let figures = self.evaluated(&rule.basis, rows, &|rule| rule.of_row().cloned());
        let order = Order::of(self);
        let all = matches!(rule.kind, WithinKind::Streak { .. });
        let mut members = Vec::with_capacity(rows.len());
        for (at, row) in rows.iter().enumerate() {
            let asked = when.as_ref().and_then(|when| when.error(at));
            let holds = asked.is_none()
                && when.as_ref().is_none_or(|when| {
                    matches!(&when.column, Column::Bool(values) if values[at]) && !when.is_null(at)
                });
            if !holds && asked.is_none() && !all {
                continue;
            }
            let mut error = worse(asked, order.error(*row));
            if keys.at(*row as usize) == Frame::NO_ROW {
                error = worse(error, Some(RowError::NoParent));
            }
            let mut figure = Fraction::whole(0);
            if let Some(figures) = figures.as_ref().filter(|_| holds) {
                match figures.number(at) {
                    Some(number) => figure = number.reduced(),
                    None => error = worse(error, Some(none(figures, at))),
                }
            }
            let doubt = asked.is_some();
            members.push(Member { row: *row, holds, doubt, figure, error });
        }
        members
    }

    /// What each row of a group gets, in its order.
    fn parts(&self, group: &Group) -> Vec<Result<Fraction, RowError>> {
        let failed = |error: RowError| {
            let of = |member: &Member| {
                if self.zero_anyway(member) { Ok(Fraction::whole(0)) } else { Err(error) }
            };
            group.members.iter().map(of).collect()
        };
        if let Some(error) = group.error {
            return failed(error);
        }
        match self.divided(group) {
            Ok(parts) => parts.into_iter().map(Ok).collect(),
            Err(error) => failed(error),
        }
    }

    /// Whether a row of a streak is zero whatever its group is.
    const fn zero_anyway(&self, member: &Member) -> bool {
        matches!(self.rule.kind, WithinKind::Streak { .. }) && !member.holds && !member.doubt
    }

    fn divided(&self, group: &Group) -> Result<Vec<Fraction>, RowError> {
        let figures: Vec<Fraction> = group.members.iter().map(|member| member.figure).collect();
        let parts = match &self.rule.kind {
            WithinKind::Rank => {
                let places = (1..).take(figures.len()).map(Fraction::whole);
                Some(places.collect())
            }
            WithinKind::Allowance { quantum: None, .. } => parts::in_order(&figures, group.figure),
            WithinKind::Allowance { quantum: Some(quantum), .. } => {
                parts::in_proportion(&figures, group.figure, *quantum)
            }
            WithinKind::Streak { gap, sum } => {
                let starts = self.starts(group, *gap)?;
                let counted = sum.as_ref().map(|_| figures.as_slice());
                parts::streak(&group.members, &starts, counted)
            }
            WithinKind::Spread { round, method, .. } => {
                parts::spread(&figures, group.figure, *round, method)?
            }
        };
        parts.ok_or(RowError::Overflow)
    }

    /// Whether a gap stands before each row of a streak.
    fn starts(&self, group: &Group, gap: crate::law::Gap) -> Result<Vec<bool>, RowError> {
        let Some(term) = self.rule.order.first() else { return Ok(Vec::new()) };
        let frame = self.frames.get(&term.basis).and_then(|frame| frame.get(&term.column));
        let rows = key_rows(self.frames, &self.rule.basis, &term.basis);
        let (Some(stored), Some(rows)) = (frame, rows) else {
            return Err(RowError::NoParent);
        };
        let place = |member: &Member| rows.at(member.row as usize) as usize;
        let mut starts = vec![true; group.members.len()];
        for (pair, start) in group.members.windows(2).zip(starts.iter_mut().skip(1)) {
            if let [before, member] = pair
                && before.holds
                && member.holds
            {
                let sides = (place(before), place(member));
                *start = parts::apart(stored, sides, gap, &self.law.calendar)?;
            }
        }
        Ok(starts)
    }
}

/// Why a figure that must be there is not: its error, or a number that is none.
fn none(figures: &Stored, at: usize) -> RowError {
    figures.error(at).unwrap_or(RowError::Overflow)
}

/// Of two errors the one that stays.
fn worse(left: Option<RowError>, right: Option<RowError>) -> Option<RowError> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (left, right) => left.or(right),
    }
}

/// The order of the rows of a group: the names stated, then what tells rows apart.
struct Order<'a> {
    stated: Vec<(&'a Stored, KeyRows<'a>, bool)>,
    /// A column stated whose frame is not there.
    lost: bool,
    identity: Vec<&'a Stored>,
}

impl<'a> Order<'a> {
    fn of(seen: &Seen<'a>) -> Self {
        let Seen { law, frames, rule } = *seen;
        let mut stated = Vec::with_capacity(rule.order.len());
        let mut lost = false;
        for term in &rule.order {
            let stored = frames.get(&term.basis).and_then(|frame| frame.get(&term.column));
            match (stored, key_rows(frames, &rule.basis, &term.basis)) {
                (Some(stored), Some(rows)) => stated.push((stored, rows, term.descending)),
                _ => lost = true,
            }
        }
        let frame = frames.get(&rule.basis);
        let names = identity_columns(frames, law, &rule.basis);
        let identity = names.iter().filter_map(|name| frame?.get(name)).collect();
        Self { stated, lost, identity }
    }

    /// Why a row has no place.
    fn error(&self, row: u32) -> Option<RowError> {
        let lost = self.lost.then_some(RowError::NoParent);
        self.stated.iter().fold(lost, |error, (stored, rows, _)| {
            let of = match rows.at(row as usize) {
                Frame::NO_ROW => Some(RowError::NoParent),
                row => stored.error(row as usize),
            };
            worse(error, of)
        })
    }

    fn compare(&self, a: u32, b: u32) -> Ordering {
        for (stored, rows, descending) in &self.stated {
            let (left, right) = (rows.at(a as usize), rows.at(b as usize));
            if left == Frame::NO_ROW || right == Frame::NO_ROW {
                continue;
            }
            let order = compare_cells(stored, left as usize, stored, right as usize);
            if order.is_ne() {
                return if *descending { order.reverse() } else { order };
            }
        }
        self.identity
            .iter()
            .map(|stored| compare_cells(stored, a as usize, stored, b as usize))
            .find(|order| order.is_ne())
            // Rows equal in all the law can read are interchangeable.
            .unwrap_or_else(|| a.cmp(&b))
    }
}

/// A column of numbers while its rows come in any order.
struct Made {
    values: Vec<(i128, i128)>,
    nulls: Vec<bool>,
    errors: Vec<Option<RowError>>,
}

impl Made {
    /// Rows without a part are null or zero.
    fn new(rows: usize, null: bool) -> Self {
        Self { values: vec![(0, 1); rows], nulls: vec![null; rows], errors: vec![None; rows] }
    }

    fn put(&mut self, row: u32, part: Result<Fraction, RowError>) {
        let row = row as usize;
        self.nulls[row] = false;
        match part {
            Ok(part) => {
                let part = part.reduced();
                self.values[row] = (part.num, part.den);
            }
            Err(error) => self.errors[row] = Some(error),
        }
    }

    fn stored(self) -> Stored {
        let column = match common(&self.values) {
            Some((values, den)) => Column::Num(NumColumn { values, den }),
            None => Column::Ratio(self.values),
        };
        let errors = self.errors.iter().any(Option::is_some).then_some(self.errors);
        Stored { errors, ..Stored::nullable(column, self.nulls) }
    }
}

/// The numbers over one denominator, where they fit.
fn common(values: &[(i128, i128)]) -> Option<(Vec<i64>, i64)> {
    let mut unit = 1_i128;
    for (_, den) in values {
        if unit % den != 0 {
            unit = parts::lcm(unit, *den).filter(|unit| *unit <= i128::from(i32::MAX))?;
        }
    }
    let whole = |(num, den): &(i128, i128)| i64::try_from(num.checked_mul(unit / den)?).ok();
    let values = values.iter().map(whole).collect::<Option<_>>()?;
    Some((values, i64::try_from(unit).ok()?))
}
