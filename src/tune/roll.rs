//! Who is there in a pinned month, whatever the law: children with their fees, institutions with
//! their slots and costs. Laid once, read by every scenario.

use crate::domain::{Basis, Cell, Column, Frame, Frames, Institution, Key, Stored, key_rows};
use crate::settle::pinned::Pinned;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Stands for no institution, no enrolment.
pub(super) const NOBODY: u32 = u32::MAX;

/// The institutions of all pinned months, in order of id.
pub(super) fn institutions(months: &[&Frames]) -> Vec<Institution> {
    let mut found: BTreeMap<Arc<str>, Institution> = BTreeMap::new();
    for frame in months.iter().filter_map(|frames| frames.get(&Basis::Institution)) {
        let text = |name: &str, row: usize| -> Arc<str> {
            match frame.get(name).map(|stored| stored.cell(row)) {
                Some(Cell::Text(text)) => Arc::from(text),
                _ => Arc::from(""),
            }
        };
        let mains = frame.links.get(&Basis::Institution);
        for row in (0..frame.rows).filter(|row| is_main(mains, *row)) {
            let id = text("institution_id", row);
            let (name, kind, street) = (text("name", row), text("kind", row), text("street", row));
            // What the last month shows of it stands.
            found.insert(Arc::clone(&id), Institution { id, name, kind, street });
        }
    }
    found.into_values().collect()
}

fn is_main(mains: Option<&Vec<u32>>, row: usize) -> bool {
    mains.is_none_or(|mains| mains.get(row).is_some_and(|main| *main as usize == row))
}

/// One pinned month.
#[derive(Debug)]
pub(super) struct Roll {
    /// Institution of each row of the institution frame, or [`NOBODY`].
    pub(super) institution_of: Vec<u32>,
    /// Enrolment of each spell, or [`NOBODY`] where it is not in the month; `None`: the spells are
    /// the enrolments, all of them in the month.
    pub(super) enrolment_of: Option<Vec<u32>>,
    /// First spell of each enrolment in the month.
    pub(super) first_spell: Vec<u32>,
    /// Fee a month as filed, fen; `None` where there is none.
    pub(super) fee: Vec<Option<i64>>,
    /// Class and service of each enrolment, into [`Roll::groups`].
    pub(super) group: Vec<u32>,
    /// Classes and services.
    pub(super) groups: Vec<(Arc<str>, Arc<str>)>,
    /// The child of each enrolment, numbered.
    pub(super) child: Vec<u32>,
    /// Children.
    pub(super) children: usize,
    /// Institution of each enrolment, or [`NOBODY`].
    pub(super) institution: Vec<u32>,
    /// Filed slots by institution.
    pub(super) slots: Vec<i64>,
    /// What a month costs each institution, fen, where it is delivered.
    pub(super) costs: Vec<Option<i64>>,
    /// First enrolment of each row of the child frame, or [`NOBODY`].
    pub(super) of_child_row: Vec<u32>,
    /// Enrolment of each row of the listing frame, or [`NOBODY`].
    pub(super) of_listing_row: Vec<u32>,
    /// Enrolments of the rows of days and of weeks.
    of_day_row: Vec<u32>,
    of_week_row: Vec<u32>,
}

impl Roll {
    /// Reads the facts of a month.
    pub(super) fn of(facts: &Frames, institutions: &[Institution]) -> Self {
        let places: FxHashMap<&str, u32> =
            institutions.iter().map(|of| &*of.id).zip(0_u32..).collect();
        let institution_of = institution_rows(facts, &places);
        let mut roll = Self {
            institution_of,
            enrolment_of: None,
            first_spell: Vec::new(),
            fee: Vec::new(),
            group: Vec::new(),
            groups: Vec::new(),
            child: Vec::new(),
            children: 0,
            institution: Vec::new(),
            slots: vec![0; institutions.len()],
            costs: vec![None; institutions.len()],
            of_child_row: Vec::new(),
            of_listing_row: Vec::new(),
            of_day_row: Vec::new(),
            of_week_row: Vec::new(),
        };
        if let Some(spells) = facts.get(&Basis::Spell) {
            roll.enrolments(facts, spells);
            roll.people(facts, spells);
            roll.of_day_row = roll.of_rows(facts.get(&Basis::Day), spells);
            roll.of_week_row = roll.of_rows(facts.get(&Basis::Week), spells);
        }
        roll.of_institutions(facts);
        roll
    }

    /// Enrolments with a day in the month: spells of one listing are one.
    fn enrolments(&mut self, facts: &Frames, spells: &Frame) {
        let in_month = match spells.get("in_month").map(|stored| &stored.column) {
            Some(Column::Bool(values)) => Some(values),
            _ => None,
        };
        let listings = spells.links.get(&Basis::Listing);
        let known = listings.and_then(|_| facts.get(&Basis::Listing)).map_or(0, |frame| frame.rows);
        let mut of_listing = vec![NOBODY; known];
        let mut of_spell = vec![NOBODY; spells.rows];
        let alike = Alike::of(spells);
        let mut last = None;
        for (spell, place) in (0_u32..).zip(&mut of_spell) {
            let row = spell as usize;
            if in_month.is_some_and(|values| !values[row]) {
                continue;
            }
            // The spells of a listing stand one after the other, whether or not listings have a frame.
            let shared = last.filter(|(before, _)| alike.same(*before, row)).map(|(_, of)| of);
            *place = shared.unwrap_or_else(|| {
                self.first_spell.push(spell);
                u32::try_from(self.first_spell.len() - 1).unwrap_or(NOBODY)
            });
            last = Some((row, *place));
            let listing = listings.map(|links| links[row] as usize);
            if let Some(slot) = listing.and_then(|listing| of_listing.get_mut(listing)) {
                *slot = *place;
            }
        }
        self.of_listing_row = of_listing;
        let all = self.first_spell.len() == spells.rows;
        self.enrolment_of = (!all).then_some(of_spell);
    }

    /// Enrolment of each row of a frame of days or weeks: of the spell of the day, else the child's
    /// first at the institution.
    fn of_rows(&self, frame: Option<&Frame>, spells: &Frame) -> Vec<u32> {
        let Some(frame) = frame else { return Vec::new() };
        let keys = |of: &Frame| -> Vec<(Key, Key)> {
            let [refs, ids] =
                ["child_ref", "institution_id"].map(|name| match of.get(name).map(|s| &s.column) {
                    Some(Column::Key(column)) => column.keys.clone(),
                    _ => Vec::new(),
                });
            refs.into_iter().zip(ids).collect()
        };
        let of_spells = keys(spells);
        let mut firsts: FxHashMap<(Key, Key), u32> = FxHashMap::default();
        for (at, spell) in (0_u32..).zip(&self.first_spell) {
            if let Some(key) = of_spells.get(*spell as usize) {
                firsts.entry(*key).or_insert(at);
            }
        }
        let own = frame.links.get(&Basis::Spell);
        keys(frame)
            .into_iter()
            .enumerate()
            .map(|(row, key)| match own.map_or(Frame::NO_ROW, |links| links[row]) {
                Frame::NO_ROW => firsts.get(&key).copied().unwrap_or(NOBODY),
                spell => self.enrolment(spell as usize),
            })
            .collect()
    }

    /// Enrolment of a row of a basis of children, or [`NOBODY`].
    pub(super) fn enrolment_on(&self, basis: &Basis, row: usize) -> u32 {
        let rows = match basis {
            Basis::Spell => return self.enrolment(row),
            Basis::Listing => &self.of_listing_row,
            Basis::Child => &self.of_child_row,
            Basis::Day => &self.of_day_row,
            Basis::Week => &self.of_week_row,
            _ => return NOBODY,
        };
        rows.get(row).copied().unwrap_or(NOBODY)
    }

    /// Enrolment of a spell, or [`NOBODY`].
    pub(super) fn enrolment(&self, spell: usize) -> u32 {
        match &self.enrolment_of {
            None => u32::try_from(spell).unwrap_or(NOBODY),
            Some(of) => of[spell],
        }
    }

    fn people(&mut self, facts: &Frames, spells: &Frame) {
        let homes = key_rows(facts, &Basis::Spell, &Basis::Institution);
        let class = spells.get("age_class");
        let service = spells.get("service");
        let fees = spells.get("fee_monthly");
        let mut groups: BTreeMap<(Arc<str>, Arc<str>), u32> = BTreeMap::new();
        let mut known: FxHashMap<(u32, u32), u32> = FxHashMap::default();
        let mut children: FxHashMap<Key, u32> = FxHashMap::default();
        let mut child_rows = vec![NOBODY; facts.get(&Basis::Child).map_or(0, |frame| frame.rows)];
        let to_child = spells.links.get(&Basis::Child);
        for (at, spell) in (0_u32..).zip(&self.first_spell) {
            let row = *spell as usize;
            let codes = (code(class, row), code(service, row));
            let group = *known.entry(codes).or_insert_with(|| {
                let next = u32::try_from(groups.len()).unwrap_or(NOBODY);
                *groups.entry((text(class, row), text(service, row))).or_insert(next)
            });
            self.group.push(group);
            self.fee.push(fees.and_then(|fees| fees.whole(row)));
            let number = u32::try_from(children.len()).unwrap_or(NOBODY);
            let child = match spells.get("child_ref").map(|stored| &stored.column) {
                Some(Column::Key(keys)) => *children.entry(keys.keys[row]).or_insert(number),
                _ => at,
            };
            self.child.push(child);
            let home = homes.as_ref().map_or(Frame::NO_ROW, |homes| homes.at(row));
            self.institution
                .push(self.institution_of.get(home as usize).copied().unwrap_or(NOBODY));
            let place = to_child.and_then(|links| child_rows.get_mut(links[row] as usize));
            if let Some(place @ &mut NOBODY) = place {
                *place = at;
            }
        }
        self.children =
            children.len().max(self.child.iter().max().map_or(0, |most| *most as usize + 1));
        self.of_child_row = child_rows;
        let mut names: Vec<_> = groups.into_iter().collect();
        names.sort_by_key(|(_, number)| *number);
        self.groups = names.into_iter().map(|(name, _)| name).collect();
    }

    /// Slots filed, and what caregivers and sites cost.
    fn of_institutions(&mut self, facts: &Frames) {
        for (institution, slots) in self.by_institution(facts, &Basis::Slot, "slots_filed") {
            self.slots[institution] = self.slots[institution].saturating_add(slots);
        }
        for (basis, column) in [(Basis::Caregiver, "monthly_cost"), (Basis::Venue, "rent_monthly")]
        {
            for (institution, cost) in self.by_institution(facts, &basis, column) {
                let sum = self.costs[institution].unwrap_or(0).saturating_add(cost);
                self.costs[institution] = Some(sum);
            }
        }
    }

    /// The numbers of a column with the institution of each row; what is null is left out.
    fn by_institution(&self, facts: &Frames, basis: &Basis, column: &str) -> Vec<(usize, i64)> {
        let found = facts.get(basis).and_then(|frame| {
            Some((frame, frame.get(column)?, key_rows(facts, basis, &Basis::Institution)?))
        });
        let Some((frame, stored, homes)) = found else { return Vec::new() };
        let of = |row: usize| {
            let home = self.institution_of.get(homes.at(row) as usize).copied()?;
            (home != NOBODY).then_some((home as usize, stored.whole(row)?))
        };
        (0..frame.rows).filter_map(of).collect()
    }
}

/// Tells spells of one listing: the same record of the same child. A child that is assumed stands behind
/// the one it is like, with its record.
struct Alike<'f> {
    spells: &'f Frame,
    children: Option<&'f [Key]>,
}

impl<'f> Alike<'f> {
    fn of(spells: &'f Frame) -> Self {
        let children = match spells.get("child_ref").map(|stored| &stored.column) {
            Some(Column::Key(keys)) => Some(keys.keys.as_slice()),
            _ => None,
        };
        Self { spells, children }
    }

    fn same(&self, before: usize, row: usize) -> bool {
        let origin = self.spells.origin(row);
        origin.is_some()
            && origin == self.spells.origin(before)
            && self.children.is_none_or(|keys| keys[row] == keys[before])
    }
}

fn institution_rows(facts: &Frames, places: &FxHashMap<&str, u32>) -> Vec<u32> {
    let Some(frame) = facts.get(&Basis::Institution) else { return Vec::new() };
    let of = |row: usize| match frame.get("institution_id").map(|stored| stored.cell(row)) {
        Some(Cell::Text(id)) => places.get(id.as_str()).copied().unwrap_or(NOBODY),
        _ => NOBODY,
    };
    (0..frame.rows).map(of).collect()
}

fn code(stored: Option<&Stored>, row: usize) -> u32 {
    match stored.map(|stored| &stored.column) {
        Some(Column::Code(codes)) if !stored.is_some_and(|of| of.is_null(row)) => codes.codes[row],
        _ => NOBODY,
    }
}

fn text(stored: Option<&Stored>, row: usize) -> Arc<str> {
    match stored.map(|stored| stored.cell(row)) {
        Some(Cell::Text(text)) => Arc::from(text),
        _ => Arc::from(""),
    }
}

/// The rolls of all months of all pinned periods.
pub(super) fn rolls(pinned: &[Pinned], institutions: &[Institution]) -> Vec<Roll> {
    let months = pinned.iter().flat_map(|period| &period.months);
    months.map(|month| Roll::of(&month.facts, institutions)).collect()
}
