//! Items due to date: the total of each row less what was paid of it before (S26).
//!
//! Runs after the caps, which bound the total, and before the budget, which bounds the payment.
//!
//! * Paid before is what earlier months of the window made of the same row, before their budget: what
//!   a short budget took stays lost and what it carried comes by itself (S25). With `restore` it is
//!   what was allocated, so that the rest is due again.
//! * Instalments: the total is cut by largest remainder. A part becomes due in the first month its
//!   condition holds and is closed by it, also when nothing was left to pay. While no further part
//!   is due nothing is paid or taken back. A part that becomes due takes the difference of all
//!   closed ones; where that leaves less than nothing, nothing is paid and the parts to come are
//!   reduced in turn. Once all are closed any difference is due at once, also below zero.
//! * A row whose gates fail has no total: nothing is due and nothing is owed.
//! * What is taken back under `recovers` is at most what was paid of that item less what was taken
//!   back before, and what is given back at most what was taken.

use super::lines::{Line, Lines};
use super::{AllocationError, rows::gcd};
use crate::domain::{Column, Frame, Month, RowError, key_rows, largest_remainder};
use crate::history::{Counted, History, Past, RowKeys};
use crate::law::{Law, PartRule, SubsidyRule, ToDateRule};
use crate::subsidy::{LineStatus, ToDate};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything due to date was paid before, or no further instalment is due.
const NOTHING_DUE: &str = "nothing_due";
/// Two rows of the month cannot be told apart, and instalments of one are not those of the other.
const ROWS_ALIKE: &str = "rows_alike";

/// Turns the totals of items due to date into what is due now. Items that deduct others come after
/// them, items that take others back last.
pub(super) fn settle(
    lines: &mut Lines,
    law: &Law,
    past: &Past<'_>,
    month: Month,
) -> Result<(), AllocationError> {
    let mut items: Vec<([bool; 2], usize, Arc<SubsidyRule>)> = Vec::new();
    for (item, rule) in lines.rules.iter().enumerate() {
        if let Some(rule) = rule.as_ref().filter(|rule| rule.to_date.is_some()) {
            let of = |test: fn(&ToDateRule) -> bool| rule.to_date.as_ref().is_some_and(test);
            let order = [of(|of| of.recovers.is_some()), of(|of| !of.less.is_empty())];
            items.push((order, item, Arc::clone(rule)));
        }
    }
    items.sort_by_key(|(order, item, _)| (*order, *item));
    for (_, item, rule) in items {
        let Some(to_date) = &rule.to_date else { continue };
        let id = &lines.entitlements.items[item].item;
        let unknown = || AllocationError::HistoryNotKept { rule: Arc::clone(id) };
        let history = past.history.ok_or_else(unknown)?;
        let keys = RowKeys::of(lines.frames, &rule.basis, false, past, history);
        let keys = keys.ok_or_else(unknown)?;
        let run = Run { law, history, keys: &keys, item, rule: &rule, to_date, month };
        run.settle(lines)?;
    }
    Ok(())
}

/// One item.
struct Run<'r> {
    law: &'r Law,
    history: &'r History,
    keys: &'r RowKeys,
    item: usize,
    rule: &'r Arc<SubsidyRule>,
    to_date: &'r ToDateRule,
    month: Month,
}

/// What earlier months say of each group of rows.
struct Before {
    own: Vec<i128>,
    less: Vec<i128>,
    settled: Vec<u64>,
    /// Paid of the item recovered, and taken back so far.
    recovered: Option<(Vec<i128>, Vec<i128>)>,
}

impl Run<'_> {
    fn overflow(&self) -> AllocationError {
        AllocationError::overflow(&self.rule.head.id)
    }

    /// The rows that have a total.
    fn rows(&self, lines: &Lines) -> Vec<u32> {
        let rows = lines.with_total(self.item);
        rows.filter_map(|row| u32::try_from(row).ok()).collect()
    }

    fn settle(&self, lines: &mut Lines) -> Result<(), AllocationError> {
        let due_parts = self.due_parts(lines);
        let rows = self.rows(lines);
        let before = self.before(lines)?;
        let list = &mut lines.entitlements.items[self.item];
        let count = list.status.len();
        let zero = || vec![0_i64; count];
        list.to_date = Some(ToDate {
            total: list.amount.clone(),
            capped: list.allocated.clone(),
            before: zero(),
            less: zero(),
            due: vec![0; count],
            settled: vec![0; count],
            asked: zero(),
            recoverable: before.recovered.as_ref().map(|_| zero()),
        });
        let mut groups: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        let mut sizes = vec![0_u32; self.keys.count()];
        for row in &rows {
            sizes[self.keys.at(*row as usize)] += 1;
        }
        for row in rows {
            let group = self.keys.at(row as usize);
            if sizes[group] == 1 {
                self.group(lines, &before, &due_parts, group, &[row])?;
            } else {
                groups.entry(group).or_default().push(row);
            }
        }
        for (group, mut alike) in groups {
            if !self.to_date.parts.is_empty() {
                for row in alike {
                    lines.refuse_as(self.item, row as usize, ROWS_ALIKE);
                }
                continue;
            }
            let list = &lines.entitlements.items[self.item];
            let item = u32::try_from(self.item).unwrap_or(u32::MAX);
            let line =
                |row: &u32| Line { item, row: *row, fen: list.allocated[*row as usize], used: 0 };
            alike.sort_by(|a, b| lines.tie(&line(a), &line(b)));
            self.group(lines, &before, &due_parts, group, &alike)?;
        }
        Ok(())
    }

    /// The parts due on each row, one bit a part; a row whose condition has no value is refused.
    fn due_parts(&self, lines: &mut Lines) -> Vec<u64> {
        let mut due = vec![0_u64; lines.entitlements.items[self.item].status.len()];
        for (at, part) in self.to_date.parts.iter().enumerate() {
            let rows = self.rows(lines);
            let calendar = &lines.law.calendar;
            let stored = part.when.eval(lines.frames, &self.rule.basis, &rows, calendar);
            let Column::Bool(holds) = &stored.column else { continue };
            let mut lost: Vec<(usize, RowError)> = Vec::new();
            for (place, row) in rows.iter().enumerate() {
                match stored.error(place) {
                    Some(error) => lost.push((*row as usize, error)),
                    None if holds[place] && !stored.is_null(place) => due[*row as usize] |= 1 << at,
                    None => {}
                }
            }
            for (row, error) in lost {
                lines.refuse(self.item, row, error);
            }
        }
        due
    }

    fn before(&self, lines: &Lines) -> Result<Before, AllocationError> {
        let month = self.month;
        let window = self.to_date.window;
        let in_window = |other: Month| other < month && window.holds(other, month);
        let counted = if self.to_date.restore { Counted::Allocated } else { Counted::Capped };
        let own = [Arc::clone(&self.rule.head.id)];
        let sum = |items: &[Arc<str>], counts: &dyn Fn(Month) -> bool, counted: Counted| {
            let lines = self.history.of_items(items, counts);
            let add = |sum: &mut i128, line: &crate::history::PaidLine| {
                *sum = sum.checked_add(i128::from(line.fen(counted)))?;
                Some(())
            };
            self.keys.fold(lines, &0_i128, add).ok_or_else(|| self.overflow())
        };
        let mut less = sum(&self.to_date.less, &in_window, counted)?;
        self.add_this_month(lines, &self.to_date.less, &mut less, |fen| fen)?;
        let mine = self.history.of_items(&own, in_window);
        let settled = self.keys.fold(mine, &0_u64, |parts, line| {
            *parts |= line.parts;
            Some(())
        });
        let recovered = match &self.to_date.recovers {
            None => None,
            Some(item) => {
                let earlier = |other: Month| other < month;
                let counted = Counted::as_paid(self.law);
                let item = [Arc::clone(item)];
                let mut given = sum(&item, &earlier, counted)?;
                // What the item itself takes back this very month is not there to be taken again.
                self.add_this_month(lines, &item, &mut given, |fen| fen.min(0))?;
                Some((given, sum(&own, &earlier, counted)?))
            }
        };
        Ok(Before {
            own: sum(&own, &in_window, counted)?,
            less,
            settled: settled.ok_or_else(|| self.overflow())?,
            recovered,
        })
    }

    /// Adds what this very month allocates of some items, as far as it counts.
    fn add_this_month(
        &self,
        lines: &Lines,
        items: &[Arc<str>],
        sums: &mut [i128],
        counts: fn(i64) -> i64,
    ) -> Result<(), AllocationError> {
        for item in lines.money_items(items) {
            let basis = &lines.entitlements.items[item].basis;
            let Some(owners) = key_rows(lines.frames, basis, &self.rule.basis) else { continue };
            for (row, fen) in lines.live(item) {
                let owner = owners.at(row);
                if owner != Frame::NO_ROW {
                    let sum = &mut sums[self.keys.at(owner as usize)];
                    let fen = i128::from(counts(fen));
                    *sum = sum.checked_add(fen).ok_or_else(|| self.overflow())?;
                }
            }
        }
        Ok(())
    }

    /// Settles rows that share what was paid before: each bears it down to nothing, the last the rest.
    fn group(
        &self,
        lines: &mut Lines,
        before: &Before,
        due_parts: &[u64],
        group: usize,
        rows: &[u32],
    ) -> Result<(), AllocationError> {
        let (mut own, mut less) = (before.own[group], before.less[group]);
        let settled = before.settled[group];
        let mut taken = 0_i128;
        for (place, row) in rows.iter().enumerate() {
            let row = *row as usize;
            let list = &lines.entitlements.items[self.item];
            let total = list.allocated[row];
            let is_last = place + 1 == rows.len();
            let bear = |paid: &mut i128, room: &mut i128| {
                let share = if is_last { *paid } else { (*paid).min((*room).max(0)) };
                *paid -= share;
                *room -= share;
                share
            };
            let mut room = i128::from(total);
            let (own_share, less_share) = (bear(&mut own, &mut room), bear(&mut less, &mut room));
            let fresh = due_parts[row] & !settled;
            let due = self
                .due(total, due_parts[row] | settled, fresh != 0, own_share + less_share)
                .ok_or_else(|| self.overflow())?;
            let bounds = before.recovered.as_ref().map(|(given, back)| {
                let (given, back) = (given[group], taken - back[group]);
                ((given - back).max(0), back.max(0))
            });
            let asked = due;
            let due = match bounds {
                None => due,
                Some((most, back)) => due.clamp(-most, back),
            };
            taken -= due;
            let fen = |value: i128| i64::try_from(value).map_err(|_| self.overflow());
            let (due, own_share, less_share) = (fen(due)?, fen(own_share)?, fen(less_share)?);
            let asked = fen(asked)?;
            let most = bounds.map(|(most, _)| fen(most)).transpose()?;
            let nothing = lines.reason(NOTHING_DUE);
            let list = &mut lines.entitlements.items[self.item];
            if let Some(of) = &mut list.to_date {
                of.before[row] = own_share;
                of.less[row] = less_share;
                of.settled[row] = settled;
                of.due[row] = fresh;
                of.asked[row] = asked;
                if let (Some(list), Some(most)) = (&mut of.recoverable, most) {
                    list[row] = most;
                }
            }
            list.amount[row] = due;
            list.allocated[row] = due;
            if due != 0 {
                list.status[row] = LineStatus::Paid;
                list.reason[row] = 0;
            } else if list.status[row] == LineStatus::Paid {
                list.status[row] = LineStatus::Zero;
                list.reason[row] = nothing;
            }
        }
        Ok(())
    }

    /// What is due of a total when `closed` parts are due or settled.
    fn due(&self, total: i64, closed: u64, fresh: bool, paid: i128) -> Option<i128> {
        let parts = &self.to_date.parts;
        if parts.is_empty() {
            return Some(i128::from(total) - paid);
        }
        let all = (0..parts.len()).all(|at| closed >> at & 1 == 1);
        if !fresh && !all {
            return Some(0);
        }
        let cut = cut(total, parts)?;
        let of_closed =
            cut.iter().enumerate().filter(|(at, _)| closed >> at & 1 == 1).map(|(_, fen)| *fen);
        let target: i128 = of_closed.map(i128::from).sum();
        let due = target - paid;
        Some(if all { due } else { due.max(0) })
    }
}

/// A total in its parts, in order, by largest remainder.
pub(crate) fn cut(total: i64, parts: &[PartRule]) -> Option<Vec<i64>> {
    let mut den = 1_i128;
    for part in parts {
        let of = part.share.reduced().den;
        den = (den / gcd(den, of)).checked_mul(of)?;
    }
    let weights: Option<Vec<i64>> = parts
        .iter()
        .map(|part| {
            let share = part.share.reduced();
            i64::try_from(share.num.checked_mul(den / share.den)?).ok()
        })
        .collect();
    largest_remainder(total, &weights?)
}
