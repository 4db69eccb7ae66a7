//! Rounding scopes (S12): a scope coarser than the line rounds the exact sum over its key and hands
//! it back to the lines by largest remainder.

use super::item::by_line;
use crate::domain::{Basis, Cell, Column, Frame, Frames, RowError, Stored};
use crate::law::{RoundScope, SubsidyRule};
use std::collections::BTreeMap;

/// Amounts in fen of the rows that passed, one entry a row of `passed`.
pub(crate) fn round_lines(
    frames: &Frames,
    rule: &SubsidyRule,
    exact: &Stored,
    passed: &[u32],
) -> Vec<Result<i64, RowError>> {
    if rule.round_scope == RoundScope::Line {
        return by_line(rule, exact);
    }
    let Some(frame) = frames.get(&rule.basis) else { return Vec::new() };
    let mut groups: BTreeMap<(u32, String), Vec<usize>> = BTreeMap::new();
    let mut results: Vec<Result<i64, RowError>> = vec![Ok(0); passed.len()];
    for (at, row) in passed.iter().enumerate() {
        if let Some(error) = exact.error(at) {
            results[at] = Err(error);
            continue;
        }
        groups.entry(group_key(frame, rule.round_scope, *row)).or_default().push(at);
    }
    for members in groups.values() {
        // Ties of the remainder fall by the rows' own values, never by their place (S9).
        let mut members = members.clone();
        members.sort_by_key(|at| identity(frame, passed[*at]));
        let amounts: Vec<(i128, i128)> = members
            .iter()
            .map(|at| match exact.cell(*at) {
                Cell::Num(num, den) => (num, den),
                _ => (0, 1),
            })
            .collect();
        match crate::domain::round_group(&amounts, rule.round) {
            Some(parts) => {
                for (at, part) in members.iter().zip(parts) {
                    results[*at] = Ok(part);
                }
            }
            None => members.iter().for_each(|at| results[*at] = Err(RowError::Overflow)),
        }
    }
    results
}

fn group_key(frame: &Frame, scope: RoundScope, row: u32) -> (u32, String) {
    let institution = frame
        .links
        .get(&Basis::Institution)
        .and_then(|links| links.get(row as usize).copied())
        .unwrap_or(Frame::NO_ROW);
    match scope {
        RoundScope::Settlement => (0, String::new()),
        RoundScope::InstitutionMonth => (institution, String::new()),
        RoundScope::Line | RoundScope::ChildMonth => {
            let child = match frame.get("child_ref").map(|stored| stored.cell(row as usize)) {
                Some(Cell::Text(text)) => text,
                _ => row.to_string(),
            };
            (institution, child)
        }
    }
}

/// The values that tell one row from another.
fn identity(frame: &Frame, row: u32) -> Vec<String> {
    ["institution_id", "child_ref", "age_class", "service", "spell_from", "listing_from"]
        .iter()
        .filter_map(|name| frame.get(name))
        .filter(|stored| !matches!(stored.column, Column::Bool(_)))
        .map(|stored| format!("{:?}", stored.cell(row as usize)))
        .collect()
}
