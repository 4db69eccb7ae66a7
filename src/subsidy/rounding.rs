//! Rounding scopes (S12): a scope coarser than the line rounds the exact sum over its key and hands
//! it back to the lines by largest remainder. What is refused is in no sum.
//!
//! The key is a child's or an institution's month, whatever cuts the month into segments: the sum
//! runs over the lines of all segments, and over all versions of an institution. Where segments
//! state different roundings there is no one rounding of such a sum: lines share a sum only with
//! lines of the same mode, quantum and scope.

use super::columns::{Rounded, whole_fen};
use crate::domain::{Basis, Cell, Column, Fraction, Frame, Frames, Rounding, RowError, Stored};
use crate::law::{RoundScope, SubsidyRule};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one segment's law made of the rows of an item: those that passed and what the rule says of
/// each, one entry a row of `passed`.
pub(crate) struct Part {
    pub(crate) rule: Arc<SubsidyRule>,
    pub(crate) passed: Vec<u32>,
    pub(crate) exact: Stored,
    pub(crate) quantity: Option<Stored>,
    pub(crate) rate: Option<Stored>,
}

/// Lines that share a sum: same rounding, same institution, same child; each by part and place.
type Groups = BTreeMap<(usize, u32, String), Vec<(usize, usize)>>;

/// Amounts in fen of the rows of a part that passed.
pub(crate) enum Amounts<'a> {
    /// Each row for itself.
    Lines(Rounded<'a>),
    /// Shares of sums.
    Shares(Vec<Result<i64, RowError>>),
}

impl Amounts<'_> {
    /// The amount at a place of [`Part::passed`].
    #[inline]
    pub(crate) fn at(&self, place: usize) -> Result<i64, RowError> {
        match self {
            Self::Lines(rounded) => rounded.at(place),
            Self::Shares(shares) => shares[place],
        }
    }
}

/// Amounts in fen of the rows that passed, one list a part.
pub(crate) fn round_parts<'a>(
    frames: &Frames,
    basis: &Basis,
    parts: &'a [Part],
) -> Vec<Amounts<'a>> {
    let mut results: Vec<Amounts<'a>> = Vec::with_capacity(parts.len());
    let mut roundings: Vec<(Rounding, RoundScope)> = Vec::new();
    let mut groups = Groups::new();
    let mut homes: Option<Vec<u32>> = None;
    for (of, part) in parts.iter().enumerate() {
        let scope = part.rule.round_scope;
        let Some(frame) = frames.get(basis).filter(|_| scope != RoundScope::Line) else {
            results.push(Amounts::Lines(Rounded::new(&part.exact, part.rule.round)));
            continue;
        };
        let stated = (part.rule.round, scope);
        let rounding = roundings.iter().position(|known| *known == stated).unwrap_or_else(|| {
            roundings.push(stated);
            roundings.len() - 1
        });
        let homes = homes
            .get_or_insert_with(|| super::aggregate::parents(frames, basis, &Basis::Institution));
        let mut own = vec![Ok(0); part.passed.len()];
        for (at, row) in part.passed.iter().enumerate() {
            // What is refused is in no sum (S7, S14).
            let below = |at: usize| matches!(part.exact.cell(at), Cell::Num(num, _) if num < 0);
            let refused = part.exact.error(at);
            let refused = refused
                .or_else(|| (!part.rule.any_sign && below(at)).then_some(RowError::NegativeAmount));
            if let Some(error) = refused {
                own[at] = Err(error);
                continue;
            }
            let home = homes.get(*row as usize).copied().unwrap_or(Frame::NO_ROW);
            let (home, child) = key(frame, scope, home, *row);
            groups.entry((rounding, home, child)).or_default().push((of, at));
        }
        results.push(Amounts::Shares(own));
    }
    let Some(frame) = frames.get(basis).filter(|_| !groups.is_empty()) else { return results };
    for ((rounding, ..), mut members) in groups {
        // Ties of the remainder fall by the rows' own values, never by their place (S9).
        members.sort_by_cached_key(|(of, at)| {
            let row = parts[*of].passed[*at];
            (identity(frame, row), row)
        });
        let amounts: Vec<(i128, i128)> = members
            .iter()
            .map(|(of, at)| match parts[*of].exact.cell(*at) {
                Cell::Num(num, den) => (num, den),
                _ => (0, 1),
            })
            .collect();
        let shares = crate::domain::round_group(&amounts, roundings[rounding].0);
        for (nth, (of, at)) in members.into_iter().enumerate() {
            let share = shares.as_ref().map(|shares| Fraction::whole(i128::from(shares[nth])));
            if let Amounts::Shares(own) = &mut results[of] {
                own[at] = whole_fen(share);
            }
        }
    }
    results
}

/// The key a row's amount is summed over: the main row of its institution and the child.
fn key(frame: &Frame, scope: RoundScope, home: u32, row: u32) -> (u32, String) {
    match scope {
        RoundScope::Settlement => (0, String::new()),
        RoundScope::InstitutionMonth => (home, String::new()),
        RoundScope::Line | RoundScope::ChildMonth => {
            let child = match frame.get("child_ref").map(|stored| stored.cell(row as usize)) {
                Some(Cell::Text(text)) => text,
                _ => row.to_string(),
            };
            (home, child)
        }
    }
}

/// Columns that tell members of a rounding group apart, in order.
pub(crate) const MEMBERS: [&str; 18] = [
    "institution_id",
    "child_ref",
    "age_class",
    "service",
    "spell_from",
    "listing_from",
    "person_ref",
    "class_id",
    "venue_id",
    "contract_id",
    "certificate",
    "spell_until",
    "listing_until",
    "from",
    "until",
    "found_on",
    "issued_on",
    "birth_date",
];

/// The values that tell one row from another.
fn identity(frame: &Frame, row: u32) -> Vec<String> {
    MEMBERS
        .iter()
        .filter_map(|name| frame.get(name))
        .filter(|stored| !matches!(stored.column, Column::Bool(_)))
        .map(|stored| format!("{:?}", stored.cell(row as usize)))
        .collect()
}
