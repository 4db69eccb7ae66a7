//! Payees: who is paid, on which account, and why not yet.

use super::{MonthInput, Payee};
use crate::domain::{Basis, Column, Frame, Key, Stored};
use crate::law::dictionary::PAYEES;
use rustc_hash::FxHashMap;
use std::cmp::Ordering;
use std::sync::Arc;

/// Column of the payees' frame with the pseudonym that stands for an id which is a person's.
pub const PAYEE_ALIAS: &str = "payee_alias";

/// Payees in order of their ids, with the place of each id.
#[derive(Debug, Default)]
pub(super) struct Payees {
    pub(super) list: Vec<Payee>,
    places: FxHashMap<Key, u32>,
}

impl Payees {
    /// Reads the payment data of some payees from the last month that knows them: the version that
    /// began last, since the account in force at the end of the period is the one to pay.
    pub(super) fn read(months: &[MonthInput], wanted: FxHashMap<Key, String>) -> Self {
        let registers: Vec<Register> = months.iter().rev().flat_map(Register::all).collect();
        let mut found: Vec<(Key, Payee)> = wanted
            .into_iter()
            .map(|(key, id)| {
                let payee = registers.iter().find_map(|register| register.payee(key, &id));
                (key, payee.unwrap_or_else(|| unknown(&id)))
            })
            .collect();
        found.sort_by(|a, b| a.1.institution_id.cmp(&b.1.institution_id));
        let mut this = Self::default();
        for (place, (key, payee)) in (0_u32..).zip(found) {
            this.places.insert(key, place);
            this.list.push(payee);
        }
        this
    }

    /// The payee of an id.
    pub(super) fn place(&self, key: Key) -> Option<u32> {
        self.places.get(&key).copied()
    }
}

fn unknown(id: &str) -> Payee {
    Payee {
        institution_id: Arc::from(id),
        hold_reason: Arc::from("account_missing"),
        ..Payee::default()
    }
}

/// A frame with payment data in one month: institutions, or other payees.
struct Register<'a> {
    frame: &'a Frame,
    /// Row with the payment data, by id.
    rows: FxHashMap<Key, usize>,
}

impl<'a> Register<'a> {
    /// The register of institutions and the table of payees, whose persons stand there by their
    /// pseudonyms too.
    fn all(month: &MonthInput<'a>) -> Vec<Self> {
        let payees = Basis::Declared(Arc::from(PAYEES));
        let tables: [(&Basis, &[&str]); 2] =
            [(&Basis::Institution, &["institution_id"]), (&payees, &["payee_ref", PAYEE_ALIAS])];
        let register =
            |(basis, ids): (&Basis, &[&str])| Some(Self::of(month.frames.get(basis)?, ids));
        tables.into_iter().filter_map(register).collect()
    }

    fn of(frame: &'a Frame, ids: &[&str]) -> Self {
        let main = frame.links.get(&frame.basis);
        let main_of =
            |row: usize| main.and_then(|main| main.get(row)).map_or(row, |main| *main as usize);
        let mut rows: FxHashMap<Key, usize> = FxHashMap::default();
        for column in ids.iter().filter_map(|name| frame.get(name)) {
            let Column::Key(ids) = &column.column else { continue };
            for row in 0..frame.rows {
                let main = main_of(row);
                if let Some(id) = ids.keys.get(main) {
                    let known = rows.entry(*id).or_insert(main);
                    if begins_later(frame.get("valid_from"), row, *known) {
                        *known = row;
                    }
                }
            }
        }
        Self { frame, rows }
    }

    fn payee(&self, key: Key, id: &str) -> Option<Payee> {
        let row = *self.rows.get(&key)?;
        let text = |column: &str| text(self.frame.get(column), row);
        let mut payee = Payee {
            institution_id: Arc::from(id),
            institution_name: text("name"),
            account_name: text("account_name"),
            account_no: text("account_no"),
            bank_name: text("bank_name"),
            bank_no: text("bank_no"),
            hold_reason: Arc::from(""),
        };
        let fails = |column: &str| fails(self.frame.get(column), row);
        payee.hold_reason = Arc::from(if payee.account_no.is_empty() {
            "account_missing"
        } else if fails("account_valid") {
            "account_invalid"
        } else if payee.bank_no.is_empty() {
            "bank_no_missing"
        } else if fails("bank_no_valid") {
            "bank_no_invalid"
        } else {
            ""
        });
        Some(payee)
    }
}

/// Whether the version on `row` began after the one on `known`; a null start is the earliest.
fn begins_later(starts: Option<&Stored>, row: usize, known: usize) -> bool {
    let Some(starts) = starts else { return false };
    let Column::Date(dates) = &starts.column else { return false };
    let start = |row: usize| (!starts.is_null(row)).then(|| dates[row]);
    start(row).cmp(&start(known)) == Ordering::Greater
}

fn text(stored: Option<&Stored>, row: usize) -> Arc<str> {
    match stored.filter(|stored| !stored.is_null(row)).map(|stored| &stored.column) {
        Some(Column::Code(column)) => {
            let texts = column.list.texts();
            texts.get(column.codes[row] as usize).cloned().unwrap_or_else(|| Arc::from(""))
        }
        Some(Column::Key(column)) => Arc::from(column.text(row)),
        _ => Arc::from(""),
    }
}

/// Whether a check the facts made did not hold; a check nobody made fails nothing.
fn fails(stored: Option<&Stored>, row: usize) -> bool {
    matches!(stored.map(|stored| &stored.column), Some(Column::Bool(holds)) if !holds[row])
}
