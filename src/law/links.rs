//! Which coarser rows a row of each basis determines (S3).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::dictionary::{SANCTIONS, SESSIONS};
use super::model::InputTable;
use crate::domain::Basis;

/// For each basis those it determines, nearest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Links {
    /// Of the bases facts make.
    facts: BTreeMap<Basis, Vec<Basis>>,
    groupings: BTreeMap<Arc<str>, Grouped>,
    /// Of all bases, groupings behind those of facts.
    coarser: BTreeMap<Basis, Vec<Basis>>,
}

/// What a grouping takes together: known before any rule is compiled.
#[derive(Debug, Clone)]
pub(crate) struct Grouped {
    /// The basis whose rows are grouped.
    pub(crate) of: Basis,
    /// Columns that name a row, as the frame of `of` (or of a coarser basis) calls them.
    pub(crate) by: BTreeSet<String>,
    /// Declared tables that hold all of them.
    pub(crate) tables: BTreeSet<Arc<str>>,
}

/// Columns whose values name a row of a basis, so that rows that share them share it.
const NAMED: [(Basis, &[&str]); 4] = [
    (Basis::Week, &["child_ref", "institution_id", "week_start"]),
    (Basis::Child, &["child_ref", "institution_id"]),
    (Basis::Slot, &["institution_id", "age_class", "service"]),
    (Basis::Institution, &["institution_id"]),
];

/// The bases a row of a built-in one determines; nearest first.
fn coarser_of(basis: &Basis) -> Vec<Basis> {
    use Basis::{Child, Day, Institution, Listing, Programme, Slot, Spell, Week};
    match basis {
        Day => vec![Week, Spell, Listing, Child, Slot, Institution, Programme],
        Week => vec![Child, Institution, Programme],
        Spell => vec![Listing, Child, Slot, Institution, Programme],
        Listing => vec![Child, Slot, Institution, Programme],
        Programme => vec![],
        Institution => vec![Programme],
        _ => vec![Institution, Programme],
    }
}

impl Links {
    /// The links of the built-in bases and of those that declared tables make.
    pub(crate) fn new(inputs: &[InputTable]) -> Self {
        let declared = |table: &str| Basis::Declared(Arc::from(table));
        let mut coarser: BTreeMap<Basis, Vec<Basis>> =
            Basis::BUILT_IN.into_iter().map(|basis| (basis.clone(), coarser_of(&basis))).collect();
        coarser.insert(declared(SANCTIONS), vec![Basis::Institution, Basis::Programme]);
        let mut of_sessions = vec![Basis::Day];
        of_sessions.extend(coarser_of(&Basis::Day));
        coarser.insert(declared(SESSIONS), of_sessions);
        for table in inputs.iter().filter(|table| !table.extends) {
            coarser.entry(declared(&table.name)).or_insert_with(|| of_table(table));
        }
        for table in inputs.iter().filter(|table| !table.extends) {
            let Some(of) = &table.of else { continue };
            for (basis, list) in &mut coarser {
                // What a row has beside it stands next to the row.
                let next = if basis == of { Some(0) } else { list.iter().position(|b| b == of) };
                if let Some(at) = next {
                    list.insert(if basis == of { 0 } else { at + 1 }, declared(&table.name));
                }
            }
        }
        Self { facts: coarser.clone(), groupings: BTreeMap::new(), coarser }
    }

    /// Makes a grouping known.
    pub(crate) fn add(&mut self, id: &Arc<str>, grouped: Grouped) {
        self.groupings.insert(Arc::clone(id), grouped);
        self.coarser.clone_from(&self.facts);
        let names = self.groupings.keys().cloned().map(Basis::Declared);
        let bases: Vec<Basis> = self.facts.keys().cloned().chain(names).collect();
        for basis in bases {
            let determined = self.determined(&basis);
            self.coarser.insert(basis, determined);
        }
    }

    /// What a grouping takes together, if the basis is one.
    pub(crate) fn grouping(&self, basis: &Basis) -> Option<&Grouped> {
        match basis {
            Basis::Declared(name) => self.groupings.get(name),
            _ => None,
        }
    }

    /// Names of the groupings.
    pub(crate) fn groupings(&self) -> impl Iterator<Item = &Arc<str>> {
        self.groupings.keys()
    }

    /// Groupings of the same rows by fewer of the same values: rows that share more share these.
    pub(crate) fn wider(&self, own: &Grouped) -> impl Iterator<Item = Basis> {
        self.groupings.iter().filter_map(|(name, other)| {
            let fewer = other.by.len() < own.by.len() && other.by.is_subset(&own.by);
            let above = fewer && self.made_of(&own.of, &other.of);
            above.then(|| Basis::Declared(Arc::clone(name)))
        })
    }

    /// Whether `coarse` is `fine`, or determined by it as a fact or as a grouping of such rows.
    fn made_of(&self, fine: &Basis, coarse: &Basis) -> bool {
        let mut basis = coarse;
        // Groupings of each other: the loop is told where they are put in order.
        for _ in 0..=self.groupings.len() {
            if basis == fine || self.facts.get(fine).is_some_and(|of| of.contains(basis)) {
                return true;
            }
            let Some(grouped) = self.grouping(basis) else { return false };
            basis = &grouped.of;
        }
        false
    }

    /// What a basis determines: as facts do, then groupings.
    fn determined(&self, basis: &Basis) -> Vec<Basis> {
        let mut found = self.facts.get(basis).cloned().unwrap_or_default();
        if let Some(own) = self.grouping(basis) {
            let names = |columns: &[&str]| columns.iter().all(|column| own.by.contains(*column));
            let shared = NAMED.iter().filter(|(_, columns)| names(columns));
            found.extend(shared.map(|(of, _)| of).filter(|of| self.made_of(&own.of, of)).cloned());
            found.push(Basis::Programme);
            found.extend(self.wider(own));
        }
        loop {
            let before = found.len();
            for (name, grouped) in &self.groupings {
                let grouping = Basis::Declared(Arc::clone(name));
                let holds =
                    matches!(basis, Basis::Declared(table) if grouped.tables.contains(table));
                let member = *basis == grouped.of || found.contains(&grouped.of);
                if (holds || member) && *basis != grouping && !found.contains(&grouping) {
                    found.push(grouping);
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }

    /// The bases a row of `basis` determines, nearest first.
    pub(crate) fn of(&self, basis: &Basis) -> &[Basis] {
        self.coarser.get(basis).map_or(&[], Vec::as_slice)
    }
}

/// A declared table belongs to the institution and the child at it that its columns name.
fn of_table(table: &InputTable) -> Vec<Basis> {
    let has = |name: &str| table.columns.iter().any(|column| &*column.name == name);
    let mut found = Vec::new();
    if has("institution_id") {
        if has("child_ref") && table.of != Some(Basis::Child) {
            found.push(Basis::Child);
        }
        found.push(Basis::Institution);
    }
    found.push(Basis::Programme);
    found
}
