//! Which coarser rows a row of each basis determines (S3).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dictionary::{SANCTIONS, SESSIONS};
use super::model::InputTable;
use crate::domain::Basis;

/// For each basis those it determines, nearest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Links {
    coarser: BTreeMap<Basis, Vec<Basis>>,
}

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
        Self { coarser }
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
