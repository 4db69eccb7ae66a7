//! Identity of the rows of a month without their span, and which of them an earlier line belongs to.

use super::{History, NO_TEXT, PaidLine, Past, Person};
use crate::domain::{Basis, Cell, CodeList, Column, Fraction, Frame, Frames, Stored, key_rows};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

/// Columns that tell the rows of a basis apart and are no name of a person.
fn row_key_columns(frame: &Frame) -> Vec<&Stored> {
    if !frame.keys.is_empty() {
        // Identifiers are told by a pseudonym, the others have columns of their own.
        let apart = |name: &str, stored: &Stored| match stored.column {
            Column::Key(_) => true,
            Column::Code(_) => matches!(name, "age_class" | "service"),
            _ => false,
        };
        let of = |name: &std::sync::Arc<str>| frame.get(name).filter(|stored| !apart(name, stored));
        return frame.keys.iter().filter_map(of).collect();
    }
    match &frame.basis {
        Basis::Class => frame.get("class_id").into_iter().collect(),
        Basis::Venue => frame.get("venue_id").into_iter().collect(),
        Basis::Contract => frame.get("contract_id").into_iter().collect(),
        Basis::Certificate => frame.get("certificate").into_iter().collect(),
        // A declared table has whatever keys its pack gave it, but no names of persons.
        Basis::Declared(_) => frame
            .columns
            .iter()
            .filter(|(name, stored)| {
                matches!(stored.column, Column::Key(_))
                    && !frame.computed.contains(*name)
                    && !matches!(&***name, "institution_id" | "child_ref" | "person_ref")
            })
            .map(|(_, stored)| &**stored)
            .collect(),
        _ => Vec::new(),
    }
}

/// The columns of a row's key that are neither institution, person, class nor service, as one text a
/// row; `None` where the basis has none.
pub(crate) fn row_keys(frame: &Frame) -> Option<impl Fn(usize) -> String> {
    let columns = row_key_columns(frame);
    (!columns.is_empty()).then_some({
        move |row: usize| {
            let mut text = String::new();
            for stored in &columns {
                let part = match stored.cell(row) {
                    Cell::Text(part) => part,
                    Cell::Bool(yes) => yes.to_string(),
                    Cell::Date(date) => date.to_string(),
                    Cell::Num(num, den) => {
                        let Fraction { num, den } = Fraction { num, den }.reduced();
                        if den == 1 { num.to_string() } else { format!("{num}:{den}") }
                    }
                    Cell::Null => continue,
                };
                if !text.is_empty() {
                    text.push('/');
                }
                text.push_str(&part);
            }
            text
        }
    })
}

/// What makes a line of one month the same line in another: its identity without the span. Codes are
/// of one list of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowKey {
    /// Institution id.
    pub institution: u32,
    /// Child or person; all zero where the row has none.
    pub person: Person,
    /// The rest of the row's key as text, or [`NO_TEXT`].
    pub row_key: u32,
    /// 班型, or [`NO_TEXT`].
    pub age_class: u32,
    /// 服务类型, or [`NO_TEXT`].
    pub service: u32,
}

/// The parts of a [`RowKey`] that name a row of a basis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one switch a part of the key")]
struct Grain {
    institution: bool,
    person: bool,
    row_key: bool,
    age_class: bool,
    service: bool,
}

impl Grain {
    const NOTHING: Self = Self {
        institution: false,
        person: false,
        row_key: false,
        age_class: false,
        service: false,
    };

    /// The grain of a basis. `across`: a child at all its institutions.
    fn of(basis: &Basis, across: bool) -> Self {
        let here = Self { institution: true, ..Self::NOTHING };
        match basis {
            Basis::Programme => Self::NOTHING,
            Basis::Institution => here,
            Basis::Child if across => Self { person: true, ..Self::NOTHING },
            Basis::Child => Self { person: true, ..here },
            Basis::Slot => Self { age_class: true, service: true, ..here },
            Basis::Day | Basis::Week | Basis::Spell | Basis::Listing => {
                Self { person: true, age_class: true, service: true, ..here }
            }
            Basis::Class
            | Basis::Caregiver
            | Basis::Venue
            | Basis::Contract
            | Basis::Certificate => Self { person: true, row_key: true, ..here },
            Basis::Declared(_) => {
                Self { person: true, row_key: true, age_class: true, service: true, ..here }
            }
        }
    }

    /// The key without what the grain leaves out.
    fn cut(self, key: RowKey) -> RowKey {
        let code = |keep: bool, code: u32| if keep { code } else { NO_TEXT };
        RowKey {
            institution: code(self.institution, key.institution),
            person: if self.person { key.person } else { [0; 16] },
            row_key: code(self.row_key, key.row_key),
            age_class: code(self.age_class, key.age_class),
            service: code(self.service, key.service),
        }
    }
}

/// The parts of a key by the columns of `lines.parquet`, each with whether it names a row of a basis.
/// `across`: a child at all its institutions.
pub(crate) fn key_parts(basis: &Basis, across: bool) -> [(&'static str, bool); 5] {
    let grain = Grain::of(basis, across);
    [
        ("institution_id", grain.institution),
        ("child_ref", grain.person),
        ("row_key", grain.row_key),
        ("age_class", grain.age_class),
        ("service", grain.service),
    ]
}

/// The rows of a basis in the month at hand, grouped by identity: rows that cannot be told apart but
/// for their span are one group.
#[derive(Debug)]
pub struct RowKeys {
    grain: Grain,
    groups: Vec<u32>,
    count: usize,
    places: FxHashMap<RowKey, u32>,
}

impl RowKeys {
    /// Reads the rows of a basis; `across` takes the rows of a child at all institutions as one.
    /// `None` when the pseudonyms that tell the rows apart were not handed in.
    #[must_use]
    pub fn of(
        frames: &Frames,
        basis: &Basis,
        across: bool,
        past: &Past<'_>,
        history: &History,
    ) -> Option<Self> {
        let grain = Grain::of(basis, across);
        let mut this = Self { grain, groups: Vec::new(), count: 0, places: FxHashMap::default() };
        let Some(frame) = frames.get(basis).filter(|frame| frame.rows > 0) else {
            return Some(this);
        };
        // Codes of texts the history does not know come after its own.
        let mut texts = history.texts.clone();
        let institutions = institutions(frames, &mut texts);
        let homes = key_rows(frames, basis, &Basis::Institution);
        let named = |column: &str| frame.get(column).is_some();
        let persons = match past.persons.get(basis) {
            Some(persons) => Some(persons),
            None if grain.person && (named("child_ref") || named("person_ref")) => return None,
            None => None,
        };
        let row_keys: Option<Vec<u32>> = row_keys(frame)
            .filter(|_| grain.row_key)
            .map(|text| (0..frame.rows).map(|row| texts.intern(&text(row))).collect());
        let age_class = codes(frame, "age_class", &mut texts);
        let service = codes(frame, "service", &mut texts);
        this.groups.reserve(frame.rows);
        for row in 0..frame.rows {
            let home = homes.as_ref().map_or(Frame::NO_ROW, |homes| homes.at(row));
            let key = grain.cut(RowKey {
                institution: institutions.get(home as usize).copied().unwrap_or(NO_TEXT),
                person: persons.and_then(|all| all.get(row)).copied().unwrap_or_default(),
                row_key: row_keys.as_ref().map_or(NO_TEXT, |keys| keys[row]),
                age_class: age_class[row],
                service: service[row],
            });
            let next = u32::try_from(this.places.len()).unwrap_or(u32::MAX);
            this.groups.push(*this.places.entry(key).or_insert(next));
        }
        this.count = this.places.len();
        Some(this)
    }

    /// The group of a row.
    #[must_use]
    pub fn at(&self, row: usize) -> usize {
        self.groups.get(row).map_or(0, |group| *group as usize)
    }

    /// The group of each row.
    #[must_use]
    pub fn groups(&self) -> &[u32] {
        &self.groups
    }

    /// Number of groups.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The group an earlier line belongs to.
    fn place(&self, line: &PaidLine) -> Option<usize> {
        let key = self.grain.cut(line.key);
        let every = || {
            // A slot row without a service serves every service.
            let key = RowKey { service: NO_TEXT, ..key };
            let is_slot = self.grain.service && !self.grain.person;
            is_slot.then(|| self.places.get(&key)).flatten()
        };
        self.places.get(&key).or_else(every).map(|group| *group as usize)
    }

    /// Folds the earlier lines of each group. `None` as soon as `add` gives up.
    #[must_use]
    pub fn fold<'h, T: Clone>(
        &self,
        lines: impl Iterator<Item = &'h PaidLine>,
        start: &T,
        mut add: impl FnMut(&mut T, &PaidLine) -> Option<()>,
    ) -> Option<Vec<T>> {
        let mut all = vec![start.clone(); self.count];
        for line in lines {
            if let Some(group) = self.place(line) {
                add(&mut all[group], line)?;
            }
        }
        Some(all)
    }
}

/// The code of each institution row's id.
fn institutions(frames: &Frames, texts: &mut CodeList) -> Vec<u32> {
    let stored = frames.get(&Basis::Institution).and_then(|frame| frame.get("institution_id"));
    match stored.map(|stored| &stored.column) {
        Some(Column::Key(ids)) => {
            (0..ids.keys.len()).map(|row| texts.intern(&ids.text(row))).collect()
        }
        _ => Vec::new(),
    }
}

/// The texts of a column by codes of another list, [`NO_TEXT`] where there is none.
fn codes(frame: &Frame, name: &str, texts: &mut CodeList) -> Vec<u32> {
    let Some(stored) = frame.get(name) else { return vec![NO_TEXT; frame.rows] };
    let Column::Code(column) = &stored.column else { return vec![NO_TEXT; frame.rows] };
    let mut to: BTreeMap<u32, u32> = BTreeMap::new();
    (0..frame.rows)
        .map(|row| {
            if stored.is_null(row) {
                return NO_TEXT;
            }
            let code = column.codes[row];
            *to.entry(code).or_insert_with(|| texts.intern(column.list.text(code)))
        })
        .collect()
}
