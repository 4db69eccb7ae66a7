//! Facts: typed tables in, one fact row per row of each basis out, and findings (S1, S7).
//!
//! In: tables, the law's dictionary and settings, a service month. Out: [`Facts`]. Order: after
//! `intake`. Never: refuses a row it can type; refusing is the gates' business.

mod age;
mod attendance;
mod child;
mod homes;
mod identity;
mod institution;
mod places;
mod repeats;
mod rows;
mod sessions;
mod side;
mod slot;
mod spell;
mod spell_facts;
mod tally;
mod uses;

pub use age::completed_months;
pub(crate) use identity::{PLACE, identity_columns};

use crate::domain::{
    Basis, Calendar, CalendarError, Column, Date, Finding, Frame, Frames, Month, Origins, Span,
    Stored,
};
use crate::intake::{Table, Tables};
use crate::law::{LawOfMonth, Step, found_name};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use homes::Homes;
pub use places::{NONE as NO_ATTENDANCE, SEVERAL as MANY_ATTENDANCES};
use side::{Sides, told_on};
use spell::Enrolments;
pub(crate) use tally::{Spot, Tally};
pub use uses::RowUse;

/// The facts of one service month.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// One frame a basis.
    pub frames: Frames,
    /// What is wrong with the data.
    pub findings: Vec<Finding>,
    /// Rows used of each input table; a table that is not here gave none.
    pub uses: BTreeMap<Arc<str>, RowUse>,
    /// The attendance row of each spell, or [`NO_ATTENDANCE`], or [`MANY_ATTENDANCES`]: for explain.
    pub attended: Vec<u32>,
}

/// The columns and bases the law and the outputs ask for; what nobody asks for is not built.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    columns: BTreeSet<(Basis, Arc<str>)>,
    bases: BTreeSet<Basis>,
}

/// Columns outputs always show.
const SHOWN: &[(Basis, &[&str])] = &[
    (
        Basis::Spell,
        &[
            "child_ref",
            "institution_id",
            "age_class",
            "service",
            "spell_from",
            "spell_until",
            "fee_monthly",
            "in_month",
            "listing_from",
        ],
    ),
    (
        Basis::Listing,
        &["child_ref", "institution_id", "age_class", "service", "listing_from", "in_month"],
    ),
    (Basis::Child, &["child_ref", "institution_id"]),
    (Basis::Slot, &["institution_id", "age_class", "service", "slots_filed", "slots_open"]),
];

impl Needs {
    /// What a month's law and the fixed outputs need.
    #[must_use]
    pub fn of(law: &LawOfMonth) -> Self {
        let mut needs = Self::default();
        for (basis, names) in SHOWN {
            for name in *names {
                needs.columns.insert((basis.clone(), Arc::from(*name)));
            }
        }
        for basis in [Basis::Spell, Basis::Institution, Basis::Programme, Basis::Slot] {
            needs.bases.insert(basis);
        }
        for segment in &law.segments {
            for step in &segment.steps {
                needs.step(step);
            }
            for rule in &segment.exclusions {
                needs.bases.insert(rule.key.clone());
            }
            for cap in &segment.caps {
                needs.bases.extend(cap.key.clone());
                let quantities = cap.quantity.iter().flat_map(BTreeMap::values);
                for expr in std::iter::once(&cap.limit).chain(quantities) {
                    needs.reads(expr);
                }
                if let crate::law::Apportion::Queue(order) = &cap.apportion {
                    for item in &segment.items {
                        if cap.items.contains(&item.head.id) {
                            for (column, _) in order {
                                needs.columns.insert((item.basis.clone(), Arc::clone(column)));
                            }
                        }
                    }
                }
            }
            for shortage in &segment.shortages {
                shortage.limit.iter().for_each(|expr| needs.reads(expr));
            }
            for split in segment.splits.values() {
                split.parts.iter().for_each(|(_, expr)| needs.reads(expr));
            }
        }
        needs.keys_of_sides(law);
        if needs.basis(&Basis::Day) {
            // A day of the month before finds its listing by the listing's own span.
            needs.columns.insert((Basis::Listing, Arc::from("listing_until")));
        }
        needs
    }

    /// Every readable name of the law's dictionary, whether or not a rule reads it.
    #[must_use]
    pub fn everything(law: &LawOfMonth) -> Self {
        let mut needs = Self::of(law);
        for entry in &law.dictionary {
            needs.bases.insert(entry.basis.clone());
            needs.columns.insert((entry.basis.clone(), Arc::clone(&entry.name)));
        }
        needs
    }

    /// The columns by which rows find theirs of the tables that stand beside them.
    fn keys_of_sides(&mut self, law: &LawOfMonth) {
        for input in &law.inputs {
            let Some(of) = &input.of else { continue };
            let (own, found) = (Basis::Declared(Arc::clone(&input.name)), found_name(&input.name));
            let bases = told_on(of);
            if self.basis(&own) || bases.iter().any(|basis| self.column(basis, &found)) {
                self.bases.extend(bases.iter().cloned());
                for key in &input.key {
                    let named = bases.iter().map(|basis| (basis.clone(), Arc::clone(key)));
                    self.columns.extend(named);
                }
            }
        }
    }

    fn reads(&mut self, expr: &crate::law::expr::Expr) {
        for (basis, column) in expr.reads() {
            self.bases.insert(basis.clone());
            self.columns.insert((basis, column));
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Value(rule) => {
                self.bases.insert(rule.basis.clone());
                self.reads(&rule.expr);
            }
            Step::Aggregate(rule) => {
                self.bases.extend([rule.basis.clone(), rule.over.clone()]);
                rule.argument.iter().chain(&rule.filter).for_each(|expr| self.reads(expr));
            }
            Step::Within(rule) => {
                self.bases.extend([rule.basis.clone(), rule.within.clone()]);
                for (basis, column) in rule.reads() {
                    self.bases.insert(basis.clone());
                    self.columns.insert((basis, column));
                }
            }
            Step::Grouping(rule) => {
                self.bases.insert(rule.of.clone());
                self.bases.extend(rule.tables.iter().cloned());
                for key in &rule.by {
                    self.reads(&key.expr);
                    for table in &rule.tables {
                        self.columns.insert((table.clone(), Arc::clone(&key.column)));
                    }
                }
            }
            Step::Price(rule) => {
                self.bases.insert(rule.basis.clone());
                self.reads(&rule.when);
                self.reads(&rule.fee);
                self.reads(&rule.ceiling);
                rule.floor.iter().for_each(|expr| self.reads(expr));
            }
            Step::Gate(rule) => {
                self.bases.insert(rule.basis.clone());
                self.reads(&rule.require);
            }
            Step::Item(rule) => {
                self.bases.insert(rule.basis.clone());
                self.reads(&rule.amount);
                rule.quantity.iter().chain(&rule.rate).for_each(|expr| self.reads(expr));
                rule.payee.iter().for_each(|payee| self.reads(&payee.id));
            }
        }
    }

    /// Whether a column is read.
    #[must_use]
    pub fn column(&self, basis: &Basis, name: &str) -> bool {
        self.columns.contains(&(basis.clone(), Arc::from(name)))
    }

    /// Whether a column is read on any basis whose rows are made from spells.
    #[must_use]
    pub fn of_spells(&self, name: &str) -> bool {
        [Basis::Spell, Basis::Listing, Basis::Child].iter().any(|basis| self.column(basis, name))
    }

    /// Whether a basis has rules or is read.
    #[must_use]
    pub fn basis(&self, basis: &Basis) -> bool {
        self.bases.contains(basis)
    }
}

/// Work days before each day of the month: `before[d]` counts days `1..=d`.
#[derive(Debug, Clone)]
pub(crate) struct MonthDays {
    first: Date,
    before: Vec<i32>,
}

impl MonthDays {
    fn new(calendar: &Calendar, month: Month) -> Result<Self, CalendarError> {
        let mut before = vec![0];
        let mut sum = 0;
        for day in month.first().days()..=month.last().days() {
            sum += i32::from(calendar.is_workday(Date::from_days(day))?);
            before.push(sum);
        }
        Ok(Self { first: month.first(), before })
    }

    /// Work days of a span inside the month; 0 for an empty one.
    pub(crate) fn workdays(&self, from: Date, until: Date) -> i32 {
        let low = from.days() - self.first.days();
        let high = until.days() - self.first.days() + 1;
        if high <= low {
            return 0;
        }
        let at = |index: i32| self.before.get(usize::try_from(index).unwrap_or(0)).copied();
        at(high).unwrap_or(0) - at(low).unwrap_or(0)
    }
}

/// What every part of the room works with.
pub(crate) struct Ground<'a> {
    pub(crate) tables: &'a Tables,
    pub(crate) law: &'a LawOfMonth,
    pub(crate) month: Month,
    pub(crate) days: MonthDays,
    pub(crate) needs: &'a Needs,
}

impl Ground<'_> {
    /// Where rows of a table were delivered.
    pub(crate) fn put_origins(table: &Table, rows: &[u32], frame: &mut Frame) {
        let number = |file: usize| u32::try_from(file).unwrap_or(u32::MAX);
        let files = match table.files[..] {
            [(only, _)] => vec![number(only)],
            _ => rows.iter().map(|row| number(table.file_of(*row as usize))).collect(),
        };
        let record = |row: &u32| table.records[*row as usize];
        let records = rows.par_iter().with_min_len(8192).map(record).collect();
        frame.origins = Some(Origins::new(files, records));
    }
}

/// Builds the facts of one service month.
///
/// # Errors
/// When the calendar does not publish the month's year.
pub fn establish(
    tables: &Tables,
    law: &LawOfMonth,
    month: Month,
    needs: &Needs,
) -> Result<Facts, CalendarError> {
    let days = MonthDays::new(&law.calendar, month)?;
    let ground = Ground { tables, law, month, days, needs };
    let mut facts = Facts::default();
    let mut tally = Tally::default();
    let enrolments = tables.get("enrolments").and_then(Enrolments::new);
    let sides = Sides::of(&ground);
    let children = enrolments.as_ref().map_or(&[][..], |enrolments| &enrolments.children.keys);
    let (register, of_child) = rayon::join(
        || institution::build(&ground, &mut facts, &mut tally),
        || child::rows_of_each_child(children),
    );
    let mut of_slots = Tally::default();
    let (spells, (slots, used)) = rayon::join(
        || {
            enrolments.map(|enrolments| {
                let uses = &mut facts.uses;
                let cuts = sides.cuts(&ground, &enrolments);
                spell::lay(&ground, &register, &enrolments, &of_child, &cuts, uses, &mut tally)
            })
        },
        || slot::build(&ground, &register, &mut of_slots),
    );
    drop(of_child);
    tally.absorb(of_slots);
    facts.uses.insert(Arc::from("slots"), used);
    facts.frames.put(slots);
    match spells {
        Some(spells) => spell::finish(&ground, spells, &mut facts),
        None => child::put_empty(&ground, &mut facts),
    }
    let homes = Homes::of(&ground, &facts.frames);
    rows::build(&ground, &register, &homes, &mut facts, &mut tally);
    sessions::build(&ground, &register, &homes, &mut facts, &mut tally);
    sides.link(&ground, &mut facts, &mut tally);
    facts.frames.put(programme(&ground));
    facts.findings = tally.into_findings(tables);
    Ok(facts)
}

fn programme(ground: &Ground<'_>) -> Frame {
    let month = ground.month;
    let mut frame = Frame::new(Basis::Programme, 1);
    let workdays = ground.days.workdays(month.first(), month.last());
    let number = |value: i64| Stored::plain(Column::whole(vec![value]));
    frame.put("month_start", Stored::plain(Column::Date(vec![month.first()])));
    frame.put("month_end", Stored::plain(Column::Date(vec![month.last()])));
    frame.put("days_in_month", number(i64::from(month.days())));
    frame.put("workdays_month", number(i64::from(workdays)));
    frame.put("year", number(i64::from(month.year())));
    frame.put("month_number", number(i64::from(month.number())));
    frame.links.insert(Basis::Programme, vec![0]);
    frame
}

/// The span of a row with optional ends, open where null; `None` when it ends before it starts.
pub(crate) fn row_span(from: Option<&Stored>, until: Option<&Stored>, row: usize) -> Option<Span> {
    let low = date_at(from, row).unwrap_or_else(|| Date::from_days(i32::MIN / 4));
    let high = date_at(until, row).unwrap_or_else(|| Date::from_days(i32::MAX / 4));
    Span::new(low, high)
}

/// A number of rows as a fact.
pub(crate) fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// A date cell, `None` when the column is absent or null.
pub(crate) fn date_at(stored: Option<&Stored>, row: usize) -> Option<Date> {
    let stored = stored?;
    match &stored.column {
        Column::Date(values) if !stored.is_null(row) => Some(values[row]),
        _ => None,
    }
}

/// A text cell, empty when absent or null.
pub(crate) fn text_at(stored: Option<&Stored>, row: usize) -> String {
    match stored.map(|s| s.cell(row)) {
        Some(crate::domain::Cell::Text(text)) => text,
        _ => String::new(),
    }
}
