//! Whom lines are paid to. An owner is a number: the main row of an institution in its frame, or,
//! counted on from there, a payee that is no institution of the register (S10).

use super::steps::Walk;
use super::verdicts::verdict_of;
use super::{Entitlements, ItemLines, LineStatus};
use crate::domain::{Basis, Cell, Column, Frame, Frames, Key, KeyRows, Stored, key_rows};
use crate::law::{PayeeRule, SubsidyRule};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A payee that is no institution of the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherPayee {
    /// Its id: as delivered until the spine puts the pseudonym of a person in its place.
    pub id: Arc<str>,
    /// Whether the id is a child's or a person's reference.
    pub person: bool,
}

/// Column that holds the payee's id of an item that names one.
pub(crate) fn payee_column(item: &str) -> String {
    format!("payee:{item}")
}

impl Walk<'_> {
    /// Puts the payees of a segment's rows beside their facts; `first` begins the item anew.
    pub(super) fn put_payees(
        &mut self,
        rule: &SubsidyRule,
        payee: &PayeeRule,
        rows: &[u32],
        first: bool,
    ) {
        let stored = self.eval(&payee.id, &rule.basis, rows);
        self.put_rows(&rule.basis, &payee_column(&rule.head.id), stored, rows, first);
    }

    /// Whether each row of an item names its payee: 0 it does, 1 it does not, else why there is none.
    pub(super) fn payee_verdicts(&self, rule: &SubsidyRule, len: usize) -> Vec<u8> {
        let frame = self.frames.get(&rule.basis);
        let stored = frame.and_then(|frame| frame.get(&payee_column(&rule.head.id)));
        let verdict = |row: usize| match stored {
            None => 1,
            Some(stored) => match stored.error(row) {
                Some(error) => verdict_of(error),
                None => u8::from(stored.is_null(row)),
            },
        };
        (0..len).map(verdict).collect()
    }
}

fn key_at(stored: &Stored, row: usize) -> Option<Key> {
    match &stored.column {
        _ if stored.is_null(row) || stored.error(row).is_some() => None,
        Column::Key(ids) => Some(ids.keys[row]),
        _ => None,
    }
}

/// Numbers the payees of all items that name them; a payee that is an institution of the register is
/// that institution.
pub(super) fn number_owners(frames: &Frames, entitlements: &mut Entitlements) {
    let names = |lines: &ItemLines| lines.rules.iter().flatten().any(|rule| rule.payee.is_some());
    if !entitlements.items.iter().any(names) {
        return;
    }
    let institutions = main_rows(frames);
    let mut others: BTreeMap<String, (bool, Vec<(usize, usize)>)> = BTreeMap::new();
    for (item, lines) in entitlements.items.iter_mut().enumerate() {
        if !names(lines) {
            continue;
        }
        let homes = lines.paid_to(frames);
        let mut owners: Vec<u32> = (0..lines.status.len()).map(|row| homes.at(row)).collect();
        let frame = frames.get(&lines.basis);
        let stored = frame.and_then(|frame| frame.get(&payee_column(&lines.item)));
        let mut rules = lines.rules.iter().flatten();
        let person = rules.any(|rule| rule.payee.as_ref().is_some_and(|payee| payee.person));
        for (row, owner) in owners.iter_mut().enumerate() {
            let is_line = matches!(lines.status[row], LineStatus::Paid | LineStatus::Zero);
            let Some(stored) = stored.filter(|_| is_line) else { continue };
            let Some(key) = key_at(stored, row) else { continue };
            if let Some(institution) = institutions.get(&key) {
                *owner = *institution;
            } else if let Cell::Text(id) = stored.cell(row) {
                let of = others.entry(id).or_default();
                of.0 |= person;
                of.1.push((item, row));
            }
        }
        lines.owners = Some(owners);
    }
    let first = frames.get(&Basis::Institution).map_or(0, |frame| frame.rows);
    for (place, (id, (person, rows))) in others.into_iter().enumerate() {
        let owner = u32::try_from(first + place).unwrap_or(Frame::NO_ROW);
        for (item, row) in rows {
            if let Some(owners) = &mut entitlements.items[item].owners {
                owners[row] = owner;
            }
        }
        entitlements.payees.push(OtherPayee { id: Arc::from(id), person });
    }
}

/// The main row of each institution by id.
fn main_rows(frames: &Frames) -> FxHashMap<Key, u32> {
    let mut rows = FxHashMap::default();
    let Some(ids) = institution_ids(frames) else { return rows };
    let mains = key_rows(frames, &Basis::Institution, &Basis::Institution);
    let mains = mains.unwrap_or(KeyRows::Own);
    for (row, id) in ids.keys.iter().enumerate() {
        rows.entry(*id).or_insert_with(|| mains.at(row));
    }
    rows
}

fn institution_ids(frames: &Frames) -> Option<&crate::domain::KeyColumn> {
    match &frames.get(&Basis::Institution)?.get("institution_id")?.column {
        Column::Key(ids) => Some(ids),
        _ => None,
    }
}

impl ItemLines {
    /// The owner each row is paid to; [`Frame::NO_ROW`] where there is none.
    #[must_use]
    pub fn paid_to<'f>(&'f self, frames: &'f Frames) -> KeyRows<'f> {
        match &self.owners {
            Some(owners) => KeyRows::Linked(Cow::Borrowed(owners)),
            None => key_rows(frames, &self.basis, &Basis::Institution).unwrap_or(KeyRows::Nowhere),
        }
    }
}

impl Entitlements {
    /// The payee of an owner, where it is no institution.
    #[must_use]
    pub fn other_payee(&self, frames: &Frames, owner: u32) -> Option<&OtherPayee> {
        let first = frames.get(&Basis::Institution).map_or(0, |frame| frame.rows);
        self.payees.get((owner as usize).checked_sub(first)?)
    }

    /// The id of an owner as text; empty where there is none.
    #[must_use]
    pub fn owner(&self, frames: &Frames, owner: u32) -> String {
        match self.other_payee(frames, owner) {
            Some(other) => other.id.to_string(),
            None => super::institution_text(frames, owner),
        }
    }

    /// The packed ids of all owners.
    #[must_use]
    pub fn owner_keys(&self, frames: &Frames) -> Vec<Key> {
        let institutions = institution_ids(frames).map_or(&[][..], |ids| &ids.keys);
        let others = self.payees.iter().map(|other| Key::pack(other.id.as_bytes()).0);
        institutions.iter().copied().chain(others).collect()
    }
}
