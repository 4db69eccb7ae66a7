//! Where a fact comes from: the record it was delivered in, or what it was computed from.

use super::walk::LineWalk;
use crate::domain::{Basis, Frame};
use crate::facts::{MANY_ATTENDANCES, NO_ATTENDANCE};
use crate::law::dictionary::{SESSIONS, TABLE_BASES};
use std::collections::BTreeSet;

/// The place of a fact.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Origin {
    /// Input file; empty where no single record gave the fact.
    pub(super) file: String,
    /// Record in it; 0 = none.
    pub(super) record: u64,
    /// A word of `[computed]`; empty for a delivered fact.
    pub(super) computed: &'static str,
}

impl LineWalk<'_> {
    /// The origin of a fact on a row of its basis.
    pub(super) fn origin(&self, basis: &Basis, column: &str, frame: &Frame, row: usize) -> Origin {
        let dictionary = &self.input.month.law.dictionary;
        let entry = dictionary.iter().find(|e| e.basis == *basis && &*e.name == column);
        let source = entry.map_or("", |entry| &*entry.source);
        let table = source.split_once('.').map_or("", |(table, _)| table);
        if table == "attendance" || source.starts_with("attendance") || column == "attendance_found"
        {
            return self.attendance(basis, row);
        }
        let (computed, of_record) = if added_up(basis, column, frame, row) {
            ("sessions", false)
        } else if source.is_empty() || Some(table) == table_of(basis) {
            ("", true)
        } else if source == "age" {
            ("age", true)
        } else {
            inputs(basis, column)
        };
        if !of_record {
            return Origin { computed, ..Origin::default() };
        }
        let (file, record) = frame.origin(row).unzip();
        let file = file.map(|file| self.file(file as usize)).unwrap_or_default();
        Origin { file, record: record.unwrap_or(0).into(), computed }
    }

    fn file(&self, number: usize) -> String {
        self.input.tables.files.get(number).map(|file| file.name.to_string()).unwrap_or_default()
    }

    /// The attendance row of a spell; of a listing, that of its spells.
    fn attendance(&self, basis: &Basis, row: usize) -> Origin {
        let attended =
            |spell: usize| self.input.attended.get(spell).copied().unwrap_or(NO_ATTENDANCE);
        let mut rows = BTreeSet::new();
        if *basis == Basis::Spell {
            rows.insert(attended(row));
        } else if let Some(spells) = self.input.month.frames.get(&Basis::Spell)
            && let Some(links) = spells.links.get(basis)
        {
            rows.extend(
                (0..spells.rows).filter(|spell| links[*spell] as usize == row).map(attended),
            );
        }
        rows.remove(&NO_ATTENDANCE);
        let computed = |computed| Origin { computed, ..Origin::default() };
        let table = self.input.tables.get("attendance");
        match (Vec::from_iter(rows).as_slice(), table) {
            ([], _) | (_, None) => computed("no_attendance"),
            ([only], Some(table)) if *only != MANY_ATTENDANCES => {
                let only = *only as usize;
                let record = table.records.get(only).map_or(0, |record| u64::from(*record));
                Origin { file: self.file(table.file_of(only)), record, computed: "" }
            }
            _ => computed("attendance_rows"),
        }
    }
}

/// Whether the fact is a figure of a day of several sessions.
fn added_up(basis: &Basis, column: &str, frame: &Frame, row: usize) -> bool {
    let several = || frame.get("sessions_count").and_then(|of| of.whole(row)) != Some(1);
    *basis == Basis::Day && column.starts_with("hours_") && several()
}

/// The table a row of the basis is a record of.
fn table_of(basis: &Basis) -> Option<&str> {
    match basis {
        Basis::Spell | Basis::Listing | Basis::Child => Some("enrolments"),
        Basis::Day | Basis::Week => Some(SESSIONS),
        Basis::Slot => Some("slots"),
        Basis::Declared(name) => Some(name),
        other => TABLE_BASES.iter().find(|(basis, _)| basis == other).map(|(_, table)| *table),
    }
}

/// What a built-in fact is computed from, and whether that is the row's own record (with the law and
/// the calendar) and no other.
fn inputs(basis: &Basis, column: &str) -> (&'static str, bool) {
    match column {
        _ if *basis == Basis::Programme => ("calendar", false),
        "id_valid" | "uscc_valid" | "account_valid" | "bank_no_valid" => ("check", true),
        "sessions_count" => ("sessions", false),
        "days_in_week" => ("calendar", false),
        "span_valid" | "in_month" | "spell_from" | "spell_until" | "spell_days"
        | "days_employed" | "days_used" => ("dates", true),
        "spell_workdays" => ("workdays", true),
        "filed" | "filed_whole_month" | "inclusive" | "inclusive_whole_month" => ("status", true),
        "days_open" => ("open_days", false),
        "pieces" => ("pieces", false),
        "listings_of_child" | "listings_here" | "overlapping" => ("listings", false),
        "institution_known" | "service_offered" => ("register", false),
        "sanctioned" | "sanctioned_ever" | "barred" => ("sanctions", false),
        "slots_filed" | "slots_open" | "slots_new" => ("slots", false),
        "listed_times" | "listed_contradicts" | "listed_first" => ("rows", false),
        found if found.ends_with("_found") => ("rows", false),
        _ => ("several", false),
    }
}
