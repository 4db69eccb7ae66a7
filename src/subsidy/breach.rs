//! Breaches of guide prices: what they refuse, and how many there are.

use super::aggregate::parents;
use super::item::{Test, institution_text, reason, reasons, spot};
use super::steps::{Walk, missing_column, prices, rows_of};
use super::verdicts::Verdicts;
use crate::domain::{Basis, Cell, Column, Fen, FindingCode, Frame, Frames, Key, Stored};
use crate::law::{Breach, LawOfMonth, PriceRule, SubsidyRule};
use crate::price::Assessed;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The tests a guide price puts on the rows of an item: first what the row itself has done, then
/// what another row of its child or its institution has.
pub(crate) fn price_tests(
    walk: &mut Walk<'_>,
    price: &PriceRule,
    rule: &SubsidyRule,
    len: usize,
    tests: &mut Vec<Test>,
) {
    let id = &price.head.id;
    let own = &rule.basis;
    let mut push = |walk: &mut Walk<'_>, code: &str, verdicts: Option<Verdicts>| {
        if let Some(verdicts) = verdicts {
            tests.push(Test { reason: reason(walk, code), zero: false, verdicts });
        }
    };
    let failed = |walk: &Walk<'_>, column: &str| {
        Verdicts::failing(walk.frames, own, &price.basis, column, len)
    };
    match price.breach {
        Breach::RefuseChild => {
            for (column, code) in [
                (missing_column(id), reasons::FEE_MISSING),
                (format!("{id}.over"), reasons::FEE_ABOVE),
                (format!("{id}.under"), reasons::FEE_BELOW),
            ] {
                let found = failed(walk, &column);
                push(walk, code, found);
            }
            let found = children_in_breach(walk.law, walk.frames, price, own).map(Verdicts::Made);
            push(walk, reasons::CHILD_BREACH, found);
        }
        Breach::RefuseInstitution => {
            if price.basis == *own {
                let found = failed(walk, &missing_column(id));
                push(walk, reasons::FEE_MISSING, found);
            }
            let found =
                institutions_in_breach(walk.law, walk.frames, price, own).map(Verdicts::Made);
            push(walk, reasons::INSTITUTION_BREACH, found);
        }
        Breach::ReduceToCeiling | Breach::Warn => {}
    }
}

/// Rows of the price's basis with a fee outside: in the month, and where the law of their days
/// gives a breach the same outcome. Empty where there is none.
fn rows_in_breach(law: &LawOfMonth, frames: &Frames, price: &PriceRule) -> Vec<u32> {
    let Some(frame) = frames.get(&price.basis) else { return Vec::new() };
    let bools = |column: &str| match frame.get(column).map(|stored| &stored.column) {
        Some(Column::Bool(values)) => Some(values.as_slice()),
        _ => None,
    };
    let over = bools(&format!("{}.over", price.head.id)).unwrap_or_default();
    let under = bools(&format!("{}.under", price.head.id)).unwrap_or_default();
    if !over.contains(&true) && !under.contains(&true) {
        return Vec::new();
    }
    let in_month = bools("in_month");
    let outside = |row: &u32| {
        let row = *row as usize;
        let of = |values: &[bool]| values.get(row).copied().unwrap_or(false);
        (of(over) || of(under)) && in_month.is_none_or(of)
    };
    rows_of(frames, &price.basis, law.segments.len())
        .into_iter()
        .enumerate()
        .filter(|(segment, _)| {
            let mut known = prices(law, *segment).into_iter();
            known.any(|of| of.head.id == price.head.id && of.breach == price.breach)
        })
        .flat_map(|(_, rows)| rows)
        .filter(outside)
        .collect()
}

/// Rows of `own` whose institution has a row in breach of the price.
fn institutions_in_breach(
    law: &LawOfMonth,
    frames: &Frames,
    price: &PriceRule,
    own: &Basis,
) -> Option<Vec<u8>> {
    let rows = rows_in_breach(law, frames, price);
    if rows.is_empty() {
        return None;
    }
    let homes = parents(frames, &price.basis, &Basis::Institution);
    let mut breached = vec![false; frames.get(&Basis::Institution)?.rows];
    for row in rows {
        if let Some(slot) = breached.get_mut(homes[row as usize] as usize) {
            *slot = true;
        }
    }
    let homes = parents(frames, own, &Basis::Institution);
    let verdict = |home: &u32| u8::from(breached.get(*home as usize).copied().unwrap_or(false));
    Some(homes.iter().map(verdict).collect())
}

/// Rows of `own` in the month whose child has a row in breach of the price at the same institution.
/// A child at an institution nobody knows is refused for that; it is the same child nowhere.
pub(crate) fn children_in_breach(
    law: &LawOfMonth,
    frames: &Frames,
    price: &PriceRule,
    own: &Basis,
) -> Option<Vec<u8>> {
    let rows = rows_in_breach(law, frames, price);
    if rows.is_empty() {
        return None;
    }
    let child = child_of(frames, &price.basis)?;
    let breached: BTreeSet<(u32, Key)> = rows.into_iter().filter_map(child).collect();
    let child = child_of(frames, own)?;
    let frame = frames.get(own)?;
    let in_month = |row: u32| match frame.get("in_month").map(|stored| &stored.column) {
        Some(Column::Bool(values)) => values[row as usize],
        _ => true,
    };
    let verdict = |row: u32| {
        u8::from(in_month(row) && child(row).is_some_and(|child| breached.contains(&child)))
    };
    Some((0..frame.rows).filter_map(|row| u32::try_from(row).ok()).map(verdict).collect())
}

/// Tells the child at an institution (its main row) a row of the basis is about.
fn child_of<'a>(
    frames: &'a Frames,
    basis: &Basis,
) -> Option<impl Fn(u32) -> Option<(u32, Key)> + use<'a>> {
    let stored = frames.get(basis)?.get("child_ref")?;
    let Column::Key(children) = &stored.column else { return None };
    let homes = parents(frames, basis, &Basis::Institution);
    Some(move |row: u32| {
        let home = homes.get(row as usize).copied().unwrap_or(Frame::NO_ROW);
        let known = home != Frame::NO_ROW && !stored.is_null(row as usize);
        known.then(|| (home, children.keys[row as usize]))
    })
}

/// Rows one thread judges in one go.
const STRETCH: usize = 32_768;

/// What a guide price finds at one institution.
#[derive(Clone, Copy)]
struct Breached {
    rows: u64,
    money: i64,
    /// The first of the rows.
    first: u32,
}

impl Breached {
    /// Adds later rows.
    fn add(&mut self, later: Self) {
        self.rows += later.rows;
        self.money = self.money.saturating_add(later.money);
    }
}

/// Counts breaches and missing fees by institution, with the money above or below.
pub(crate) fn count_breaches(
    walk: &mut Walk<'_>,
    rule: &PriceRule,
    rows: &[u32],
    assessed: &Assessed,
) {
    let Some(frame) = walk.frames.get(&rule.basis) else { return };
    let homes = parents(walk.frames, &rule.basis, &Basis::Institution);
    let in_month = match frame.get("in_month").map(|stored| &stored.column) {
        Some(Column::Bool(values)) => Some(values),
        _ => None,
    };
    let judge = |at: usize| {
        let (code, gap) = if assessed.over[at] {
            (FindingCode::FeeAboveCeiling, distance(&assessed.fee, &assessed.ceiling, at))
        } else if assessed.under[at] {
            (FindingCode::FeeBelowFloor, distance(&assessed.floor, &assessed.fee, at))
        } else if assessed.missing[at] {
            (FindingCode::FeeMissing, 0)
        } else {
            return None;
        };
        let row = rows[at];
        let home = homes.get(row as usize).copied().unwrap_or(Frame::NO_ROW);
        let of = Breached { rows: 1, money: gap, first: row };
        in_month.is_none_or(|values| values[row as usize]).then_some(((home, code), of))
    };
    // Rows stand by institution: neighbours are counted before they meet the map.
    let stretches: Vec<Vec<((u32, FindingCode), Breached)>> = (0..rows.len().div_ceil(STRETCH))
        .into_par_iter()
        .map(|stretch| {
            let mut runs: Vec<((u32, FindingCode), Breached)> = Vec::new();
            for at in stretch * STRETCH..rows.len().min((stretch + 1) * STRETCH) {
                let Some((key, of)) = judge(at) else { continue };
                match runs.iter_mut().rev().take(3).find(|(known, _)| *known == key) {
                    Some((_, run)) => run.add(of),
                    None => runs.push((key, of)),
                }
            }
            runs
        })
        .collect();
    let mut counts: BTreeMap<(u32, FindingCode), Breached> = BTreeMap::new();
    for (key, of) in stretches.into_iter().flatten() {
        counts.entry(key).and_modify(|known| known.add(of)).or_insert(of);
    }
    let found: Vec<_> = counts
        .into_iter()
        .map(|((home, code), of)| {
            let id = institution_text(walk.frames, home);
            (code, id, of.rows, of.money, spot(frame, of.first))
        })
        .collect();
    for (code, id, count, money, spot) in found {
        let mut values = Vec::new();
        if code != FindingCode::FeeMissing {
            values.push(("amount", Fen(money).to_string()));
        }
        let fen = (code != FindingCode::FeeMissing).then_some(money);
        walk.tally.add_with_money(code, &id, &rule.head.id, count, (spot, values), fen);
    }
}

/// `a - b` in whole fen, for findings.
fn distance(a: &Stored, b: &Stored, row: usize) -> i64 {
    if let (Column::Num(left), Column::Num(right)) = (&a.column, &b.column)
        && left.den == 1
        && right.den == 1
    {
        return left.values[row].saturating_sub(right.values[row]);
    }
    match (a.cell(row), b.cell(row)) {
        (Cell::Num(num, den), Cell::Num(other, other_den)) => {
            i64::try_from((num / den).saturating_sub(other / other_den)).unwrap_or(i64::MAX)
        }
        _ => 0,
    }
}
