//! The funding split 资金分担 (S13): by line, by institution or over the settlement.
//!
//! At institution scope the totals of the sources are fixed on the institution's total, and both
//! margins hold ([`both_margins`]). At settlement scope the rows are the (institution, item) sums
//! of all institutions with the same weights, institutions in order of id. At line scope each line
//! is split by itself and the cells are sums.

use super::AllocationError;
use super::lines::Lines;
use super::rows::{Figure, evaluate, gcd};
use super::shares::{SplitShares, both_margins};
use crate::domain::{Basis, Calendar, Frame, Frames, RowError};
use crate::law::{Law, SplitMethod, SplitRule, SplitScope};
use crate::subsidy::LineStatus;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One split with the weights of every institution that needs it.
#[derive(Debug)]
pub(super) struct Split {
    scope: SplitScope,
    /// Index into [`Splits::sources`] of each part.
    pub(super) sources: Vec<u32>,
    /// Distinct weights.
    shares: Vec<SplitShares>,
    /// Index into `shares` by institution row; [`Frame::NO_ROW`] where there is nothing to split.
    of: Vec<u32>,
}

impl Split {
    fn shares(&self, institution: u32) -> Option<&SplitShares> {
        self.shares.get(*self.of.get(institution as usize)? as usize)
    }
}

/// All splits in use.
#[derive(Debug)]
pub(super) struct Splits {
    /// Sources in the order of the items' splits.
    pub(super) sources: Vec<Arc<str>>,
    rules: Vec<Split>,
    /// Split by item; `None` for items in kind or without a line.
    of_item: Vec<Option<usize>>,
}

impl Splits {
    /// Evaluates the weights; refuses the lines of institutions whose weights have no value (a null
    /// weight counts as a miss, a negative one as a negative amount, weights that are all zero as a
    /// division by zero). An item without a split has one unnamed source.
    pub(super) fn new(lines: &mut Lines, law: &Law) -> Result<Self, AllocationError> {
        let mut this = Self { sources: Vec::new(), rules: Vec::new(), of_item: Vec::new() };
        let mut by_id: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        let mut items_of: Vec<Vec<usize>> = Vec::new();
        for item in 0..lines.entitlements.items.len() {
            let rule = lines.rules[item].clone().filter(|rule| !rule.in_kind);
            let Some(rule) = rule.filter(|_| lines.payable(item).next().is_some()) else {
                this.of_item.push(None);
                continue;
            };
            let place = *by_id.entry(Arc::clone(&rule.funding)).or_insert(items_of.len());
            if place == items_of.len() {
                items_of.push(Vec::new());
            }
            items_of[place].push(item);
            this.of_item.push(Some(place));
        }
        let mut ids: Vec<_> = by_id.into_iter().collect();
        ids.sort_by_key(|(_, place)| *place);
        for (id, place) in ids {
            let rule = find_split(lines, law, &id);
            if rule.is_none() && !id.is_empty() {
                return Err(AllocationError::SplitMissing {
                    item: Arc::clone(&lines.entitlements.items[items_of[place][0]].item),
                    split: id,
                });
            }
            let split = this.weigh(lines, rule.as_deref(), &items_of[place]);
            this.rules.push(split);
        }
        Ok(this)
    }

    /// Index of a source, added when new.
    fn source(&mut self, name: &Arc<str>) -> u32 {
        let place = self.sources.iter().position(|source| source == name).unwrap_or_else(|| {
            self.sources.push(Arc::clone(name));
            self.sources.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    fn weigh(&mut self, lines: &mut Lines, rule: Option<&SplitRule>, items: &[usize]) -> Split {
        let rows = lines.owners.rows;
        let mut of = vec![Frame::NO_ROW; rows];
        let Some(rule) = rule else {
            let sources = vec![self.source(&Arc::from(""))];
            let whole = SplitShares::new(&[1], SplitMethod::LargestRemainder, 1);
            of.fill(0);
            return Split {
                scope: SplitScope::Institution,
                sources,
                shares: whole.into_iter().collect(),
                of,
            };
        };
        let sources = rule.parts.iter().map(|(name, _)| self.source(name)).collect();
        let mut known: BTreeMap<SplitShares, u32> = BTreeMap::new();
        let mut shares = Vec::new();
        let mut refused: BTreeMap<u32, RowError> = BTreeMap::new();
        let mut weights = split_weights(lines.frames, &lines.law.calendar, rule);
        if rows > lines.owners.institutions {
            // What no institution is asked about is the same for every other payee.
            let of_all = weights_at(lines.frames, &lines.law.calendar, rule, &Basis::Programme, 1);
            weights.resize(rows, of_all.into_iter().next().unwrap_or(Err(RowError::NoParent)));
        }
        for (row, found) in (0_u32..).zip(weights) {
            match found {
                Ok(found) => {
                    let next = u32::try_from(shares.len()).unwrap_or(Frame::NO_ROW);
                    of[row as usize] = *known.entry(found).or_insert_with_key(|found| {
                        shares.push(found.clone());
                        next
                    });
                }
                Err(error) => {
                    refused.insert(row, error);
                }
            }
        }
        if !refused.is_empty() {
            for item in items {
                let lost: Vec<(usize, RowError)> = lines
                    .payable(*item)
                    .filter_map(|row| Some((row, *refused.get(&lines.payees[*item].at(row))?)))
                    .collect();
                for (row, error) in lost {
                    lines.refuse(*item, row, error);
                }
            }
        }
        Split { scope: rule.scope, sources, shares, of }
    }

    /// The split of an item.
    pub(super) fn of_item(&self, item: usize) -> Option<&Split> {
        self.of_item.get(item).copied().flatten().map(|place| &self.rules[place])
    }
}

/// The weights of a split at every institution: those that have no value refuse nothing where there is
/// no line.
pub(crate) fn split_weights(
    frames: &Frames,
    calendar: &Calendar,
    rule: &SplitRule,
) -> Vec<Result<SplitShares, RowError>> {
    let basis = Basis::Institution;
    let rows = frames.get(&basis).map_or(0, |frame| frame.rows);
    weights_at(frames, calendar, rule, &basis, rows)
}

/// The weights of a split on the first `rows` rows of a basis.
fn weights_at(
    frames: &Frames,
    calendar: &Calendar,
    rule: &SplitRule,
    basis: &Basis,
    rows: usize,
) -> Vec<Result<SplitShares, RowError>> {
    let wanted: Vec<u32> = (0_u32..).take(rows).collect();
    let weigh = |weight| evaluate(weight, frames, basis, &wanted, calendar);
    let figures: Vec<Vec<Figure>> = rule.parts.iter().map(|(_, weight)| weigh(weight)).collect();
    let of = |row: usize| {
        let figures: Vec<Figure> = figures.iter().map(|part| part[row]).collect();
        weights(&figures, rule)
    };
    (0..rows).map(of).collect()
}

/// The split of an id in the first segment that has it.
fn find_split(lines: &Lines, law: &Law, id: &Arc<str>) -> Option<Arc<SplitRule>> {
    law.splits
        .get(id)
        .or_else(|| lines.law.segments.iter().find_map(|segment| segment.splits.get(id)))
        .cloned()
}

/// Whole weights in lowest terms.
fn weights(figures: &[Figure], rule: &SplitRule) -> Result<SplitShares, RowError> {
    let mut den: i128 = 1;
    let mut parts = Vec::with_capacity(figures.len());
    for figure in figures {
        match figure {
            Figure::Error(error) => return Err(*error),
            Figure::None => return Err(RowError::TableMiss),
            Figure::Is(value) if value.num < 0 => return Err(RowError::NegativeAmount),
            Figure::Is(value) => parts.push(value.reduced()),
        }
    }
    for part in &parts {
        den = (den / gcd(den, part.den)).checked_mul(part.den).ok_or(RowError::Overflow)?;
    }
    let scaled: Option<Vec<i128>> =
        parts.iter().map(|part| part.num.checked_mul(den / part.den)).collect();
    let mut scaled = scaled.ok_or(RowError::Overflow)?;
    let divisor = scaled.iter().fold(0, |divisor, weight| gcd(*weight, divisor));
    if divisor == 0 {
        return Err(RowError::DivisionByZero);
    }
    for weight in &mut scaled {
        *weight /= divisor;
    }
    SplitShares::new(&scaled, rule.method, rule.quantum).ok_or(RowError::Overflow)
}

/// Sums by item and institution row: before cuts, left to pay, carried to the next period.
#[derive(Debug, Default)]
pub(super) struct Needs {
    pub(super) gross: Vec<Vec<i64>>,
    pub(super) need: Vec<Vec<i64>>,
    pub(super) carried: Vec<Vec<i64>>,
}

impl Needs {
    /// Sums the lines; items in kind have no sums.
    pub(super) fn gather(lines: &Lines) -> Result<Self, AllocationError> {
        let rows = lines.owners.rows;
        let mut this = Self::default();
        for (item, list) in lines.entitlements.items.iter().enumerate() {
            let (mut gross, mut need) = (vec![0_i64; rows], vec![0_i64; rows]);
            if !lines.in_kind(item) {
                let overflow = || AllocationError::overflow(&list.item);
                let money = list.amount.iter().zip(&list.allocated);
                for (row, (status, (amount, left))) in list.status.iter().zip(money).enumerate() {
                    let counts = matches!(status, LineStatus::Paid | LineStatus::Zero);
                    if !counts || *amount == 0 {
                        continue;
                    }
                    let place = lines.payees[item].at(row) as usize;
                    if let (Some(gross), Some(need)) = (gross.get_mut(place), need.get_mut(place)) {
                        *gross = gross.checked_add(*amount).ok_or_else(overflow)?;
                        *need = need.checked_add(*left).ok_or_else(overflow)?;
                    }
                }
            }
            this.carried.push(vec![0; rows]);
            this.gross.push(gross);
            this.need.push(need);
        }
        Ok(this)
    }
}

/// The sources of one (institution, item): a run of cells.
#[derive(Debug, Clone, Copy)]
pub(super) struct CellRow {
    pub(super) institution: u32,
    pub(super) item: u32,
    /// First cell.
    pub(super) start: usize,
}

/// Fen by (institution, item, source).
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// In order of (institution row, item).
    pub(super) rows: Vec<CellRow>,
    pub(super) fen: Vec<i64>,
    pub(super) cut: Vec<i64>,
    pub(super) carried: Vec<i64>,
}

/// Splits what is needed, and what was cut and carried before the split by the same shares.
pub(super) fn split(
    lines: &Lines,
    splits: &Splits,
    needs: &Needs,
) -> Result<Cells, AllocationError> {
    let mut cells = Cells::default();
    let mut rests = Vec::new();
    let by_line = paid_by_line(lines, splits);
    for institution in (0_u32..).take(lines.owners.rows) {
        let at = institution as usize;
        for (item, by_line) in by_line.iter().enumerate() {
            let Some(split) = splits.of_item(item) else { continue };
            let (gross, need) = (needs.gross[item][at], needs.need[item][at]);
            let carried = needs.carried[item][at];
            let even = gross == 0 && need == 0 && carried == 0;
            if even && !by_line.get(at).is_some_and(|paid| *paid) {
                continue;
            }
            let overflow = || AllocationError::overflow(&lines.entitlements.items[item].item);
            let shares = split.shares(institution).ok_or_else(overflow)?;
            let start = cells.fen.len();
            let end = start + shares.sources();
            for (list, total) in
                [(&mut cells.cut, gross - need - carried), (&mut cells.carried, carried)]
            {
                list.resize(end, 0);
                if total != 0 {
                    let part = &mut list[start..];
                    shares.split_into(total, part, &mut rests).ok_or_else(overflow)?;
                }
            }
            cells.fen.resize(end, 0);
            let item = u32::try_from(item).unwrap_or(u32::MAX);
            cells.rows.push(CellRow { institution, item, start });
        }
    }
    for (place, split) in splits.rules.iter().enumerate() {
        let mine = |row: &&CellRow| splits.of_item[row.item as usize] == Some(place);
        match split.scope {
            SplitScope::Line => split_lines(lines, splits, place, &mut cells)?,
            SplitScope::Institution => {
                let rows: Vec<CellRow> = cells.rows.iter().filter(mine).copied().collect();
                for rows in rows.chunk_by(|a, b| a.institution == b.institution) {
                    let shares = split.shares(rows[0].institution);
                    fill(lines, needs, rows, shares, &mut cells.fen)?;
                }
            }
            SplitScope::Settlement => {
                let mut rows: Vec<CellRow> = cells.rows.iter().filter(mine).copied().collect();
                let rank = &lines.owners.rank;
                let of = |row: &CellRow| split.of[row.institution as usize];
                rows.sort_by_key(|row| (of(row), rank[row.institution as usize], row.item));
                for rows in rows.chunk_by(|a, b| of(a) == of(b)) {
                    let shares = split.shares(rows[0].institution);
                    fill(lines, needs, rows, shares, &mut cells.fen)?;
                }
            }
        }
    }
    Ok(cells)
}

/// Institutions with a line to split, by items that are split line by line: what is paid and what is
/// owed may come to nothing and yet not be split alike.
fn paid_by_line(lines: &Lines, splits: &Splits) -> Vec<Vec<bool>> {
    let mut paid = vec![Vec::new(); splits.of_item.len()];
    for (item, paid) in paid.iter_mut().enumerate() {
        if splits.of_item(item).is_some_and(|split| split.scope == SplitScope::Line) {
            paid.resize(lines.owners.rows, false);
            for (row, _) in lines.live(item) {
                if let Some(paid) = paid.get_mut(lines.payees[item].at(row) as usize) {
                    *paid = true;
                }
            }
        }
    }
    paid
}

/// Fills the cells of rows that share source totals.
fn fill(
    lines: &Lines,
    needs: &Needs,
    rows: &[CellRow],
    shares: Option<&SplitShares>,
    fen: &mut [i64],
) -> Result<(), AllocationError> {
    let totals: Vec<i64> =
        rows.iter().map(|row| needs.need[row.item as usize][row.institution as usize]).collect();
    let overflow =
        || AllocationError::overflow(&lines.entitlements.items[rows[0].item as usize].item);
    let shares = shares.ok_or_else(overflow)?;
    let parts = both_margins(&totals, shares).ok_or_else(overflow)?;
    for (row, parts) in rows.iter().zip(parts.chunks_exact(shares.sources())) {
        fen[row.start..row.start + parts.len()].copy_from_slice(parts);
    }
    Ok(())
}

/// Splits each line by itself.
fn split_lines(
    lines: &Lines,
    splits: &Splits,
    place: usize,
    cells: &mut Cells,
) -> Result<(), AllocationError> {
    let split = &splits.rules[place];
    let mut starts = vec![usize::MAX; lines.owners.rows];
    let mut parts = vec![0_i64; split.sources.len()];
    let mut rests = Vec::new();
    for item in 0..splits.of_item.len() {
        if splits.of_item[item] != Some(place) {
            continue;
        }
        let overflow = || AllocationError::overflow(&lines.entitlements.items[item].item);
        starts.fill(usize::MAX);
        for row in cells.rows.iter().filter(|row| row.item as usize == item) {
            starts[row.institution as usize] = row.start;
        }
        for (row, fen) in lines.live(item) {
            let institution = lines.payees[item].at(row);
            let shares = split.shares(institution).ok_or_else(overflow)?;
            shares.split_into(fen, &mut parts, &mut rests).ok_or_else(overflow)?;
            let start = starts[institution as usize];
            for (cell, part) in cells.fen[start..].iter_mut().zip(&parts) {
                *cell = cell.checked_add(*part).ok_or_else(overflow)?;
            }
        }
    }
    Ok(())
}
