//! The lines while they are being allocated, and the only places that change one.

use super::rows::{Identity, Owners, apportion};
use super::{AllocationError, Cut};
use crate::domain::{Basis, Frame, Frames, KeyRows, RowError, key_rows};
use crate::law::{LawOfMonth, SubsidyRule};
use crate::subsidy::{Entitlements, LineStatus};
use rayon::prelude::*;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One line: item index and row of the item's basis, with the money it has left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) item: u32,
    pub(super) row: u32,
    /// Allocated fen so far.
    pub(super) fen: i64,
    /// What it uses up of a cap: its fen, or a quantity in the cap's own unit.
    pub(super) used: i128,
}

/// What a rule did to the lines of one payee, for [`Cut`].
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bound {
    pub(super) rows: u64,
    pub(super) before: i64,
    pub(super) limit: i64,
    pub(super) cut: i64,
}

/// All lines of the month with what is needed to order and group them.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    pub(super) law: &'a LawOfMonth,
    pub(super) frames: &'a Frames,
    pub(super) entitlements: &'a mut Entitlements,
    pub(super) owners: Owners<'a>,
    /// Whom each row is paid to, an owner, by item.
    pub(super) payees: Vec<KeyRows<'a>>,
    /// What tells rows apart, by item.
    pub(super) identities: Vec<Identity<'a>>,
    /// The rule of each item (of the first segment it is in force in).
    pub(super) rules: Vec<Option<Arc<SubsidyRule>>>,
    pub(super) cuts: Vec<Cut>,
    /// (institution row, item index, fen) carried to the next period.
    pub(super) carried: Vec<(u32, u32, i64)>,
}

impl<'a> Lines<'a> {
    /// Starts from the amounts: whatever an earlier call allocated is forgotten.
    pub(super) fn new(
        law: &'a LawOfMonth,
        frames: &'a Frames,
        entitlements: &'a mut Entitlements,
    ) -> Self {
        let (mut payees, mut identities, mut rules) = (Vec::new(), Vec::new(), Vec::new());
        entitlements.reasons.intern("");
        entitlements.cutters.intern("");
        for item in &mut entitlements.items {
            if let Some(of) = item.to_date.take() {
                item.amount = of.total;
            }
            item.used.clear();
            item.allocated.clone_from(&item.amount);
            item.capped = None;
            item.cut_by.clear();
            item.cut_by.resize(item.amount.len(), 0);
            payees.push(match &item.owners {
                Some(owners) => KeyRows::Linked(Cow::Owned(owners.clone())),
                None => {
                    key_rows(frames, &item.basis, &Basis::Institution).unwrap_or(KeyRows::Nowhere)
                }
            });
            identities.push(Identity::of(frames, law, &item.basis));
            rules.push(item.rules.iter().flatten().next().cloned());
        }
        let owners = Owners::of(frames, &entitlements.payees);
        Self {
            law,
            frames,
            entitlements,
            owners,
            payees,
            identities,
            rules,
            cuts: Vec::new(),
            carried: Vec::new(),
        }
    }

    /// Whether an item is recorded in kind: valued, never cut, never split.
    pub(super) fn in_kind(&self, item: usize) -> bool {
        self.rules[item].as_ref().is_some_and(|rule| rule.in_kind)
    }

    /// Indices of the items of a rule that are paid in money, in pack order of the items.
    pub(super) fn money_items(&self, names: &[Arc<str>]) -> Vec<usize> {
        let wanted = |item: usize| names.contains(&self.entitlements.items[item].item);
        (0..self.entitlements.items.len())
            .filter(|item| wanted(*item) && !self.in_kind(*item))
            .collect()
    }

    /// Key rows of an item under a rule's key.
    pub(super) fn keys_of(
        &self,
        item: usize,
        key: &Basis,
        rule: &Arc<str>,
    ) -> Result<KeyRows<'a>, AllocationError> {
        let lines = &self.entitlements.items[item];
        key_rows(self.frames, &lines.basis, key).ok_or_else(|| AllocationError::KeyNotReachable {
            rule: Arc::clone(rule),
            item: Arc::clone(&lines.item),
            basis: lines.basis.clone(),
            key: key.clone(),
        })
    }

    /// Rows of an item that are paid something so far.
    pub(super) fn live(&self, item: usize) -> impl Iterator<Item = (usize, i64)> + '_ {
        let lines = &self.entitlements.items[item];
        lines
            .status
            .iter()
            .zip(&lines.allocated)
            .enumerate()
            .filter(|(_, (status, fen))| **status == LineStatus::Paid && **fen != 0)
            .map(|(row, (_, fen))| (row, *fen))
    }

    /// Rows of an item that may yet be paid something or owe it: those paid something so far, and every
    /// row with a total to date, for what was paid before may be more than a total of nothing.
    pub(super) fn payable(&self, item: usize) -> impl Iterator<Item = usize> + '_ {
        let due_to_date = self.rules[item].as_ref().is_some_and(|rule| rule.to_date.is_some());
        let with_total = due_to_date.then(|| self.with_total(item));
        let live = (!due_to_date).then(|| self.live(item).map(|(row, _)| row));
        with_total.into_iter().flatten().chain(live.into_iter().flatten())
    }

    /// Rows of an item whose gates passed and whose amount was computed.
    pub(super) fn with_total(&self, item: usize) -> impl Iterator<Item = usize> + '_ {
        let list = &self.entitlements.items[item];
        let has_total = move |row: &usize| match list.status[*row] {
            LineStatus::Paid => true,
            LineStatus::Zero => list.exact.as_ref().is_none_or(|exact| !exact.is_null(*row)),
            LineStatus::Absent | LineStatus::Refused => false,
        };
        (0..list.status.len()).filter(has_total)
    }

    /// The order of ties: pack order of items, then what tells their rows apart, then the money.
    pub(super) fn tie(&self, a: &Line, b: &Line) -> Ordering {
        a.item
            .cmp(&b.item)
            .then_with(|| self.identities[a.item as usize].compare(a.row as usize, b.row as usize))
            .then(b.fen.cmp(&a.fen))
            .then(a.row.cmp(&b.row))
    }

    /// Code of a reason.
    pub(super) fn reason(&mut self, text: &str) -> u16 {
        u16::try_from(self.entitlements.reasons.intern(text)).unwrap_or(u16::MAX)
    }

    /// Code of a rule that cuts.
    pub(super) fn cutter(&mut self, rule: &str) -> u16 {
        u16::try_from(self.entitlements.cutters.intern(rule)).unwrap_or(u16::MAX)
    }

    /// Refuses a line: it loses its amount.
    pub(super) fn refuse(&mut self, item: usize, row: usize, error: RowError) {
        self.refuse_as(item, row, error.reason());
    }

    /// Refuses a line for a reason.
    pub(super) fn refuse_as(&mut self, item: usize, row: usize, reason: &str) {
        let reason = self.reason(reason);
        let lines = &mut self.entitlements.items[item];
        lines.status[row] = LineStatus::Refused;
        lines.reason[row] = reason;
        lines.amount[row] = 0;
        lines.allocated[row] = 0;
        lines.cut_by[row] = 0;
    }

    /// Leaves a line `fen`; a line left with nothing becomes zero with the reason.
    pub(super) fn leave(&mut self, item: usize, row: usize, fen: i64, cutter: u16, reason: u16) {
        let lines = &mut self.entitlements.items[item];
        if lines.allocated[row] == fen {
            return;
        }
        lines.allocated[row] = fen;
        lines.cut_by[row] = cutter;
        if fen == 0 {
            lines.status[row] = LineStatus::Zero;
            lines.reason[row] = reason;
        }
    }

    /// Keeps what the lines are due before the budget is asked.
    pub(super) fn keep_capped(&mut self) {
        for item in &mut self.entitlements.items {
            item.capped = Some(item.allocated.clone());
        }
    }

    /// Refuses payable lines that are paid to nobody (S10).
    pub(super) fn refuse_without_payee(&mut self) {
        for item in 0..self.entitlements.items.len() {
            if self.in_kind(item) {
                continue;
            }
            // Most months have no such line, and then the links are all there is to look at.
            if self.payees[item].all_found() {
                continue;
            }
            let nowhere = |row: &usize| self.payees[item].at(*row) == Frame::NO_ROW;
            let lost: Vec<usize> = self.payable(item).filter(nowhere).collect();
            for row in lost {
                self.refuse(item, row, RowError::NoParent);
            }
        }
    }

    /// Number of live lines and what they use up, by key row.
    pub(super) fn tally(
        &self,
        items: &[(usize, KeyRows)],
        key_rows: usize,
        used: impl Fn(usize, usize, i64) -> i128,
    ) -> Option<Vec<Tally>> {
        let mut tallies = vec![Tally::default(); key_rows];
        for (item, of) in items {
            for (row, fen) in self.live(*item) {
                if let Some(tally) = tallies.get_mut(of.at(row) as usize) {
                    tally.lines += 1;
                    tally.used = tally.used.checked_add(used(*item, row, fen))?;
                }
            }
        }
        Some(tallies)
    }

    /// The live lines of some items whose key is wanted, grouped by key. `wanted` and `tallies`
    /// hold one entry a key row; the tallies count the lines to come.
    pub(super) fn grouped(
        &self,
        items: &[(usize, KeyRows)],
        wanted: &[bool],
        tallies: &[Tally],
        used: impl Fn(usize, usize, i64) -> i128,
    ) -> Groups {
        let mut slots = vec![u32::MAX; wanted.len()];
        let mut keys: Vec<u32> = Vec::new();
        for (key, _) in wanted.iter().enumerate().filter(|(_, wanted)| **wanted) {
            slots[key] = u32::try_from(keys.len()).unwrap_or(u32::MAX);
            keys.push(u32::try_from(key).unwrap_or(u32::MAX));
        }
        let slot = |of: &KeyRows, row: usize| -> Option<usize> {
            let slot = slots.get(of.at(row) as usize).copied().filter(|slot| *slot != u32::MAX)?;
            Some(slot as usize)
        };
        let mut starts = Vec::with_capacity(keys.len() + 1);
        let mut end = 0_usize;
        starts.push(end);
        for key in &keys {
            end += tallies[*key as usize].lines as usize;
            starts.push(end);
        }
        let mut next = starts.clone();
        let mut lines =
            vec![Line { item: 0, row: 0, fen: 0, used: 0 }; starts.last().copied().unwrap_or(0)];
        for (item, of) in items {
            for (row, fen) in self.live(*item) {
                if let Some(slot) = slot(of, row) {
                    lines[next[slot]] = Line {
                        item: u32::try_from(*item).unwrap_or(u32::MAX),
                        row: u32::try_from(row).unwrap_or(u32::MAX),
                        fen,
                        used: used(*item, row, fen),
                    };
                    next[slot] += 1;
                }
            }
        }
        Groups { keys, starts, lines }
    }

    /// Cuts `cut_of` fen from the live lines of each payee of one item, by largest remainder.
    pub(super) fn cut_item(
        &mut self,
        item: usize,
        cut_of: &[i64],
        cutter: u16,
        reason: u16,
        rule: &Arc<str>,
    ) -> Result<(), AllocationError> {
        let wanted: Vec<bool> = cut_of.iter().map(|cut| *cut > 0).collect();
        let keyed = [(item, self.payees[item].clone())];
        let used = |_, _, fen: i64| i128::from(fen);
        let tallies = self.tally(&keyed, wanted.len(), used);
        let tallies = tallies.ok_or_else(|| AllocationError::overflow(rule))?;
        let groups = self.grouped(&keyed, &wanted, &tallies, used);
        let kept = self.shared(&groups, |key| cut_of[key as usize], rule)?;
        self.apply(&groups, &kept, cutter, reason);
        Ok(())
    }

    /// What each line keeps when each group bears `cut_of(key)` in proportion.
    pub(super) fn shared(
        &self,
        groups: &Groups,
        cut_of: impl Fn(u32) -> i64 + Sync,
        rule: &Arc<str>,
    ) -> Result<Vec<Vec<i64>>, AllocationError> {
        (0..groups.keys.len())
            .into_par_iter()
            .map(|slot| {
                let lines = groups.of(slot);
                // A line that uses nothing up bears nothing.
                let weight = |line: &Line| if line.used > 0 { line.fen } else { 0 };
                let weights: Vec<i64> = lines.iter().map(weight).collect();
                let parts = apportion(cut_of(groups.keys[slot]), &weights, |a, b| {
                    self.tie(&lines[a], &lines[b])
                });
                let parts = parts.ok_or_else(|| AllocationError::overflow(rule))?;
                Ok(lines.iter().zip(parts).map(|(line, part)| line.fen - part).collect())
            })
            .collect()
    }

    /// Writes back what the lines of each group keep.
    pub(super) fn apply(&mut self, groups: &Groups, kept: &[Vec<i64>], cutter: u16, reason: u16) {
        for (slot, kept) in kept.iter().enumerate() {
            for (line, fen) in groups.of(slot).iter().zip(kept) {
                self.leave(line.item as usize, line.row as usize, *fen, cutter, reason);
            }
        }
    }

    /// Records cuts of a rule, payees in order of id.
    pub(super) fn record(&mut self, rule: &Arc<str>, what: &str, bounds: &BTreeMap<u32, Bound>) {
        let mut entries: Vec<_> = bounds.iter().collect();
        entries.sort_by_key(|(row, _)| self.owners.rank.get(**row as usize).copied());
        for (row, bound) in entries {
            let of = self.owners.named(*row);
            let key = if what == Basis::Institution.name() {
                of
            } else {
                format!("{of}, rows of {what}: {}", bound.rows)
            };
            self.cuts.push(Cut {
                rule: Arc::clone(rule),
                institution: Some(*row),
                key,
                before: bound.before,
                limit: bound.limit,
                cut_fen: bound.cut,
            });
        }
    }
}

/// The live lines under one key row.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) lines: u32,
    pub(super) used: i128,
}

/// Lines grouped by key row.
#[derive(Debug)]
pub(super) struct Groups {
    /// Key row of each group.
    pub(super) keys: Vec<u32>,
    starts: Vec<usize>,
    lines: Vec<Line>,
}

impl Groups {
    /// The lines of a group.
    pub(super) fn of(&self, slot: usize) -> &[Line] {
        &self.lines[self.starts[slot]..self.starts[slot + 1]]
    }
}
