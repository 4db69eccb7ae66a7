//! Which input tables and columns the law reads, for the checklist of inputs and for facts.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Reads;
use super::rules::{AGE_BASES, age_type};
use crate::domain::Basis;
use crate::law::book::LawBook;
use crate::law::dictionary::{SESSIONS, TABLE_BASES};
use crate::law::inputs::core_tables;
use crate::law::model::{DictionaryEntry, InputTable, Law, Step};
use crate::law::text::BlockKind;

/// Computed facts and the columns they are made from, beside those their source names.
const BEHIND: &[(&str, &[(&str, &str)])] = &[
    ("filed", &[("institutions", "filed_from"), ("institutions", "filed_until")]),
    ("filed_whole_month", &[("institutions", "filed_from"), ("institutions", "filed_until")]),
    ("inclusive", &[("institutions", "inclusive_from"), ("institutions", "inclusive_until")]),
    (
        "inclusive_whole_month",
        &[("institutions", "inclusive_from"), ("institutions", "inclusive_until")],
    ),
    ("uscc_valid", &[("institutions", "institution_id")]),
    ("account_valid", &[("institutions", "account_no")]),
    ("bank_no_valid", &[("institutions", "bank_no")]),
    ("service_offered", &[("institutions", "services")]),
    ("sanctioned", &[("sanctions", "effect_from"), ("sanctions", "effect_until")]),
    ("sanctioned_ever", &[("sanctions", "effect_from"), ("sanctions", "effect_until")]),
    ("barred", &[("sanctions", "effect_from"), ("sanctions", "effect_until")]),
    ("attendance_found", &[("attendance", "child_ref")]),
    ("days_attended", &[("attendance", "days_attended")]),
    ("days_excused", &[("attendance", "days_excused")]),
    ("days_illness", &[("attendance", "days_illness")]),
    ("days_disaster", &[("attendance", "days_disaster")]),
    ("days_closure", &[("attendance", "days_closure")]),
    ("slots_filed", &[("slots", "slots_filed")]),
    ("slots_open", &[("slots", "slots_open")]),
    ("slots_new", &[("slots", "slots_filed"), ("slots", "origin")]),
    ("days_employed", &[("caregivers", "from"), ("caregivers", "until")]),
    ("days_used", &[("venues", "from"), ("venues", "until")]),
    ("spell_from", &[("enrolments", "spell_from")]),
    ("spell_until", &[("enrolments", "spell_until")]),
    ("institution_known", &[("institutions", "institution_id")]),
];

/// Columns a payment needs, read whatever the rules are.
const PAID_TO: &[(&str, &str)] = &[
    ("institutions", "account_name"),
    ("institutions", "account_no"),
    ("institutions", "bank_name"),
    ("institutions", "bank_no"),
];

/// The same of payees that are no institutions.
const PAID_TO_OTHERS: &[(&str, &str)] = &[
    ("payees", "payee_ref"),
    ("payees", "name"),
    ("payees", "account_name"),
    ("payees", "account_no"),
    ("payees", "bank_name"),
    ("payees", "bank_no"),
];

/// The table the rows of a basis come from.
fn table_of(basis: &Basis) -> Option<&str> {
    match basis {
        Basis::Spell | Basis::Listing | Basis::Child => Some("enrolments"),
        Basis::Day | Basis::Week => Some(SESSIONS),
        Basis::Slot => Some("slots"),
        Basis::Programme => None,
        Basis::Declared(name) => Some(name),
        other => TABLE_BASES.iter().find(|(basis, _)| basis == other).map(|(_, table)| *table),
    }
}

impl Reads {
    pub(super) fn join(&mut self, other: Self) {
        self.columns.extend(other.columns);
        self.bases.extend(other.bases);
        self.cites.extend(other.cites);
        for (version, ids) in other.readers {
            self.readers.entry(version).or_default().extend(ids);
        }
        self.gates.extend(other.gates);
        self.splits.extend(other.splits);
        self.budget |= other.budget;
        self.pays |= other.pays;
        self.pays_others |= other.pays_others;
    }

    /// (table, column) pairs of input tables some rule reads, sorted.
    pub(super) fn source_columns(&self, book: &LawBook) -> Vec<(Arc<str>, Arc<str>)> {
        let mut found: BTreeSet<(Arc<str>, Arc<str>)> = BTreeSet::new();
        let mut add = |table: &str, column: &str| {
            found.insert((Arc::from(table), Arc::from(column)));
        };
        for (basis, column) in &self.columns {
            for (_, behind) in BEHIND.iter().filter(|(name, _)| *name == &**column) {
                behind.iter().for_each(|(table, column)| add(table, column));
            }
            let entry = book.dictionary.iter().find(|e| e.basis == *basis && e.name == *column);
            if let Some((table, source)) = entry.and_then(|entry| entry.source.split_once('.')) {
                add(table, source);
            }
        }
        for (pays, columns) in [(self.pays, PAID_TO), (self.pays_others, PAID_TO_OTHERS)] {
            for (table, column) in columns.iter().filter(|_| pays) {
                add(table, column);
            }
        }
        if self.budget {
            add("budget", "source");
            add("budget", "balance");
        }
        // An age is made from the date of birth.
        let ages = book.blocks.iter().any(|block| {
            block.kind == BlockKind::Age
                && self.columns.iter().any(|(_, c)| **c == *book.printed(block.pack, &block.id))
        });
        if ages {
            add("enrolments", "birth_date");
        }
        let tables: BTreeSet<Arc<str>> = core_tables("yuan")
            .into_iter()
            .map(|table| table.name)
            .chain(book.inputs.iter().map(|table| Arc::clone(&table.name)))
            .collect();
        found.into_iter().filter(|(table, _)| tables.contains(table)).collect()
    }

    /// Names of input tables some rule reads, sorted; `columns` are those of [`Self::source_columns`].
    pub(super) fn tables(&self, book: &LawBook, columns: &[(Arc<str>, Arc<str>)]) -> Vec<Arc<str>> {
        let grouping = |name: &&str| {
            book.blocks.iter().any(|b| b.kind == BlockKind::Grouping && *b.id == **name)
        };
        let named = self.bases.iter().filter_map(table_of).filter(|name| !grouping(name));
        let mut tables: BTreeSet<Arc<str>> = named.map(Arc::from).collect();
        tables.extend(columns.iter().map(|(table, _)| Arc::clone(table)));
        tables.into_iter().collect()
    }
}

/// Core tables with the columns packs add, then the tables packs declare.
pub(super) fn all_inputs(book: &LawBook) -> Vec<InputTable> {
    let currency = book.packs.first().map_or("yuan", |pack| &*pack.head.currency);
    let mut tables = core_tables(currency);
    for input in &book.inputs {
        match tables.iter_mut().find(|table| table.name == input.name && input.extends) {
            Some(core) => {
                core.columns.extend(input.columns.iter().cloned());
                if core.span.is_none() {
                    core.span.clone_from(&input.span);
                }
            }
            None => tables.push(input.clone()),
        }
    }
    tables
}

/// Facts, declared columns and ages, sorted as declared; then ages and what names a grouping's rows.
pub(super) fn dictionary(book: &LawBook, laws: &[Law]) -> Vec<DictionaryEntry> {
    let mut entries = book.dictionary.to_vec();
    for age in laws.iter().flat_map(|law| &law.ages) {
        for basis in &AGE_BASES {
            if entries.iter().any(|e| e.basis == *basis && e.name == age.head.id) {
                continue;
            }
            entries.push(DictionaryEntry {
                basis: basis.clone(),
                name: Arc::clone(&age.head.id),
                alias: Arc::clone(&age.head.label),
                ty: age_type(),
                nullable: false,
                source: Arc::from("age"),
            });
        }
    }
    for step in laws.iter().flat_map(|law| &law.steps) {
        let Step::Grouping(rule) = step else { continue };
        for key in &rule.by {
            if entries.iter().any(|e| e.basis == rule.basis && e.name == key.column) {
                continue;
            }
            entries.push(DictionaryEntry {
                basis: rule.basis.clone(),
                name: Arc::clone(&key.column),
                alias: Arc::clone(&key.alias),
                ty: key.expr.ty().clone(),
                nullable: false,
                source: Arc::from("grouping"),
            });
        }
    }
    entries
}
