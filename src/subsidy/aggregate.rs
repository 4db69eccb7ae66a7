//! Aggregates of finer rows on the same key (S3).

use super::columns::evaluate;
use crate::domain::{
    Basis, Calendar, Cell, Column, Date, Fraction, Frame, Frames, Month, NumColumn, RowError,
    Stored,
};
use crate::history::{Counted, Past, RowKeys};
use crate::law::dictionary::SESSIONS;
use crate::law::{Aggregate, AggregateRule, Law};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Lines of an item as aggregates read them.
pub(crate) struct ItemView<'a> {
    pub(crate) eligible: &'a [bool],
    pub(crate) amount: &'a [i64],
}

/// The row of `basis` each row of `over` belongs to, [`Frame::NO_ROW`] where none: main rows only.
pub(crate) fn parents(frames: &Frames, over: &Basis, basis: &Basis) -> Vec<u32> {
    let Some(fine) = frames.get(over) else { return Vec::new() };
    if over == basis {
        return (0..u32::try_from(fine.rows).unwrap_or(u32::MAX)).collect();
    }
    let Some(links) = fine.links.get(basis) else { return vec![Frame::NO_ROW; fine.rows] };
    match (basis, frames.get(basis).and_then(|frame| frame.links.get(basis))) {
        (Basis::Institution, Some(mains)) => {
            let main = |row: &u32| mains.get(*row as usize).copied().unwrap_or(Frame::NO_ROW);
            links.par_iter().with_min_len(16_384).map(main).collect()
        }
        _ => links.clone(),
    }
}

/// Computes one aggregate for every row of its basis.
pub(crate) fn compute(
    rule: &AggregateRule,
    frames: &Frames,
    item: Option<&ItemView<'_>>,
    calendar: &Calendar,
) -> Stored {
    let groups = frames.get(&rule.basis).map_or(0, |frame| frame.rows);
    let parents = parents(frames, &rule.over, &rule.basis);
    if let (None, None, Some(item)) = (&rule.filter, &rule.argument, item)
        && let Some(stored) = fold_lines(rule, &parents, groups, item)
    {
        return copy_to_versions(frames, &rule.basis, stored);
    }
    let rows: Vec<u32> = (0..u32::try_from(parents.len()).unwrap_or(u32::MAX)).collect();
    let eval = |expr: &crate::law::expr::Expr| evaluate(expr, frames, &rule.over, &rows, calendar);
    let filter = rule.filter.as_ref().map(eval);
    let argument = rule.argument.as_ref().map(eval);
    let mut errors: Vec<Option<RowError>> = vec![None; groups];
    let mut picked: Vec<(u32, u32)> = Vec::with_capacity(rows.len());
    for row in &rows {
        let at = *row as usize;
        let parent = parents[at];
        if parent == Frame::NO_ROW {
            continue;
        }
        let kept = match &filter {
            None => true,
            Some(filter) => {
                if let Some(error) = filter.error(at) {
                    keep_worst(&mut errors[parent as usize], error);
                }
                matches!(&filter.column, Column::Bool(values) if values[at]) && !filter.is_null(at)
            }
        };
        if kept {
            if let Some(error) = argument.as_ref().and_then(|argument| argument.error(at)) {
                keep_worst(&mut errors[parent as usize], error);
            } else {
                picked.push((parent, *row));
            }
        }
    }
    let fold = Fold { groups, picked: &picked, argument: argument.as_ref() };
    let mut stored = fold.compute(rule, frames, item, &mut errors);
    if errors.iter().any(Option::is_some) {
        stored.errors = Some(errors);
    }
    copy_to_versions(frames, &rule.basis, stored)
}

/// What earlier months paid of an item, for every row of the aggregate's basis. Rows have no value where
/// it is not known what was paid.
pub(crate) fn earlier(rule: &AggregateRule, frames: &Frames, past: &Past<'_>, law: &Law) -> Stored {
    let rows = frames.get(&rule.basis).map_or(0, |frame| frame.rows);
    let unknown = || Stored {
        column: Column::whole(vec![0; rows]),
        nulls: None,
        errors: Some(vec![Some(RowError::NoParent); rows]),
    };
    let (Some((item, window)), Some(history)) = (rule.function.of_history(), past.history) else {
        return unknown();
    };
    let Some(keys) = RowKeys::of(frames, &rule.basis, false, past, history) else {
        return unknown();
    };
    let (items, counted) = ([Arc::clone(item)], Counted::as_paid(law));
    let sums = |counts: &dyn Fn(Month) -> bool| {
        keys.fold(history.of_items(&items, counts), &0_i64, |sum, line| {
            *sum = sum.saturating_add(line.fen(counted));
            Some(())
        })
        .unwrap_or_default()
    };
    let counts = |month: Month| month < law.month && window.holds(month, law.month);
    let of_group = match rule.function {
        Aggregate::PaidMonths(..) => {
            let months: BTreeSet<Month> =
                history.of_items(&items, counts).map(|line| line.month).collect();
            let mut paid = vec![0_i64; keys.count()];
            for month in months {
                for (paid, sum) in paid.iter_mut().zip(sums(&|other| other == month)) {
                    *paid += i64::from(sum > 0);
                }
            }
            paid
        }
        _ => sums(&counts),
    };
    let values = (0..rows).map(|row| of_group.get(keys.at(row)).copied().unwrap_or(0)).collect();
    Stored::plain(Column::whole(values))
}

/// What an aggregate over an item's lines adds up of each; `None` for one over values.
fn of_line(function: &Aggregate) -> Option<fn(&ItemView<'_>, usize) -> i64> {
    match function {
        Aggregate::CountEligible(_) => Some(|item, row| i64::from(item.eligible[row])),
        Aggregate::CountPaid(_) => Some(|item, row| i64::from(item.amount[row] > 0)),
        Aggregate::SumAmount(_) => Some(|item, row| item.amount[row]),
        _ => None,
    }
}

/// An aggregate over an item's lines alone, which nothing filters.
fn fold_lines(
    rule: &AggregateRule,
    parents: &[u32],
    groups: usize,
    item: &ItemView<'_>,
) -> Option<Stored> {
    let of = of_line(&rule.function)?;
    let mut sums = vec![0_i64; groups];
    for (row, parent) in parents.iter().enumerate() {
        if let Some(sum) = sums.get_mut(*parent as usize) {
            *sum = sum.saturating_add(of(item, row));
        }
    }
    Some(Stored::plain(Column::whole(sums)))
}

fn keep_worst(slot: &mut Option<RowError>, error: RowError) {
    *slot = Some(slot.map_or(error, |known| known.min(error)));
}

/// Rows that take over inside the month read what their main row reads.
fn copy_to_versions(frames: &Frames, basis: &Basis, stored: Stored) -> Stored {
    let mains = frames.get(basis).and_then(|frame| frame.links.get(basis));
    match (basis, mains) {
        (Basis::Institution, Some(mains))
            if mains.iter().enumerate().any(|(row, main)| row != *main as usize) =>
        {
            stored.take(mains)
        }
        _ => stored,
    }
}

struct Fold<'a> {
    groups: usize,
    picked: &'a [(u32, u32)],
    argument: Option<&'a Stored>,
}

impl Fold<'_> {
    fn compute(
        &self,
        rule: &AggregateRule,
        frames: &Frames,
        item: Option<&ItemView<'_>>,
        errors: &mut [Option<RowError>],
    ) -> Stored {
        let null = |row: u32| self.argument.is_some_and(|argument| argument.is_null(row as usize));
        let truth = |row: u32| {
            matches!(self.argument.map(|a| &a.column), Some(Column::Bool(v)) if v[row as usize])
                && !null(row)
        };
        match &rule.function {
            Aggregate::Sum => self.sum(errors),
            Aggregate::Count => self.count(&|row| i64::from(!null(row))),
            // Earlier months are no rows of this one, see `earlier`: there is nothing to add up.
            Aggregate::CountEligible(_)
            | Aggregate::CountPaid(_)
            | Aggregate::SumAmount(_)
            | Aggregate::PaidToDate(..)
            | Aggregate::PaidMonths(..) => {
                let of = of_line(&rule.function).zip(item);
                self.count(&|row| of.map_or(0, |(of, item)| of(item, row as usize)))
            }
            Aggregate::CountDistinct => self.count_distinct(),
            Aggregate::Any => {
                let mut all = vec![false; self.groups];
                self.picked.iter().for_each(|(group, row)| all[*group as usize] |= truth(*row));
                Stored::plain(Column::Bool(all))
            }
            Aggregate::All => {
                let mut all = vec![true; self.groups];
                self.picked.iter().for_each(|(group, row)| all[*group as usize] &= truth(*row));
                Stored::plain(Column::Bool(all))
            }
            Aggregate::Min => self.best(&|a, b| less(a, b)),
            Aggregate::Max => self.best(&|a, b| less(b, a)),
            Aggregate::First | Aggregate::Last => {
                let order = row_order(frames, &rule.over);
                let last = rule.function == Aggregate::Last;
                self.by_order(&order, last)
            }
        }
    }

    fn count(&self, of: &dyn Fn(u32) -> i64) -> Stored {
        let mut sums = vec![0_i64; self.groups];
        for (group, row) in self.picked {
            let slot = &mut sums[*group as usize];
            *slot = slot.saturating_add(of(*row));
        }
        Stored::plain(Column::whole(sums))
    }

    fn sum(&self, errors: &mut [Option<RowError>]) -> Stored {
        let Some(argument) = self.argument else { return self.count(&|_| 0) };
        let Column::Num(column) = &argument.column else { return self.sum_ratio(errors) };
        let mut sums = vec![0_i128; self.groups];
        for (group, row) in self.picked {
            if !argument.is_null(*row as usize) {
                sums[*group as usize] += i128::from(column.values[*row as usize]);
            }
        }
        let small: Option<Vec<i64>> = sums.iter().map(|sum| i64::try_from(*sum).ok()).collect();
        Stored::plain(match small {
            Some(values) => Column::Num(NumColumn { values, den: column.den }),
            None => Column::Ratio(sums.iter().map(|sum| (*sum, i128::from(column.den))).collect()),
        })
    }

    fn sum_ratio(&self, errors: &mut [Option<RowError>]) -> Stored {
        let mut sums = vec![Some(Fraction::whole(0)); self.groups];
        for (group, row) in self.picked {
            let Some(argument) = self.argument else { break };
            if let Cell::Num(num, den) = argument.cell(*row as usize) {
                let slot = &mut sums[*group as usize];
                *slot = slot.and_then(|sum| sum.checked_add(Fraction { num, den }));
            }
        }
        for (group, sum) in sums.iter().enumerate() {
            if sum.is_none() {
                keep_worst(&mut errors[group], RowError::Overflow);
            }
        }
        let pair = |sum: &Option<Fraction>| sum.map_or((0, 1), |sum| (sum.num, sum.den));
        Stored::plain(Column::Ratio(sums.iter().map(pair).collect()))
    }

    fn count_distinct(&self) -> Stored {
        let mut seen: BTreeSet<(u32, String)> = BTreeSet::new();
        let mut counts = vec![0_i64; self.groups];
        for (group, row) in self.picked {
            let Some(argument) = self.argument else { break };
            let cell = argument.cell(*row as usize);
            let text = match cell {
                Cell::Null => continue,
                Cell::Num(num, den) => {
                    let reduced = Fraction { num, den }.reduced();
                    format!("{}/{}", reduced.num, reduced.den)
                }
                other => format!("{other:?}"),
            };
            if seen.insert((*group, text)) {
                counts[*group as usize] += 1;
            }
        }
        Stored::plain(Column::whole(counts))
    }

    /// The row that wins in each group by comparing cells; null over nothing.
    fn best(&self, wins: &dyn Fn(&Cell, &Cell) -> bool) -> Stored {
        let Some(argument) = self.argument else { return self.count(&|_| 0) };
        let mut best: Vec<u32> = vec![u32::MAX; self.groups];
        for (group, row) in self.picked {
            if argument.is_null(*row as usize) {
                continue;
            }
            let slot = &mut best[*group as usize];
            let better = *slot == u32::MAX
                || wins(&argument.cell(*row as usize), &argument.cell(*slot as usize));
            if better {
                *slot = *row;
            }
        }
        argument.take(&best)
    }

    /// First or last by the rows' own order; equal places fall to the smaller value (S9).
    fn by_order(&self, order: &[Date], last: bool) -> Stored {
        let Some(argument) = self.argument else { return self.count(&|_| 0) };
        let mut best: Vec<u32> = vec![u32::MAX; self.groups];
        for (group, row) in self.picked {
            let slot = &mut best[*group as usize];
            if *slot == u32::MAX {
                *slot = *row;
                continue;
            }
            let at = |row: u32| order.get(row as usize).copied().unwrap_or_default();
            let (new, old) = (at(*row), at(*slot));
            let earlier = if last { new > old } else { new < old };
            let tie =
                new == old && less(&argument.cell(*row as usize), &argument.cell(*slot as usize));
            if earlier || tie {
                *slot = *row;
            }
        }
        argument.take(&best)
    }
}

/// The dates rows of a basis may be ordered by, the first of them that they have.
pub(crate) fn starts(basis: &Basis) -> &'static [&'static str] {
    match basis {
        Basis::Day => &["date"],
        Basis::Week => &["week_start"],
        Basis::Declared(table) if **table == *SESSIONS => &["date"],
        _ => &["spell_from", "listing_from", "from", "valid_from", "opened_on", "effect_from"],
    }
}

/// The date rows of a basis are ordered by: their start, else all alike.
fn row_order(frames: &Frames, over: &Basis) -> Vec<Date> {
    let Some(frame) = frames.get(over) else { return Vec::new() };
    for name in starts(over) {
        if let Some(Stored { column: Column::Date(values), .. }) = frame.get(name) {
            return values.clone();
        }
    }
    vec![Date::default(); frame.rows]
}

/// Order of two cells of one type; null first.
pub(crate) fn less(a: &Cell, b: &Cell) -> bool {
    match (a, b) {
        (Cell::Num(a, b), Cell::Num(c, d)) => match (a.checked_mul(*d), c.checked_mul(*b)) {
            (Some(left), Some(right)) => left < right,
            _ => a / b < c / d,
        },
        (Cell::Bool(a), Cell::Bool(b)) => !*a && *b,
        (Cell::Date(a), Cell::Date(b)) => a < b,
        (Cell::Text(a), Cell::Text(b)) => a < b,
        (Cell::Null, Cell::Null) => false,
        (Cell::Null, _) => true,
        _ => false,
    }
}
