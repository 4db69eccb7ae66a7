//! What a month is told of earlier ones: the lines they paid, and pseudonyms to find its own rows by.

use super::{SettleError, post};
use crate::domain::{Basis, Column, Frames, KeyColumn, Month, Stored};
use crate::history::{History, Past, Persons};
use crate::job::Job;
use crate::law::LawOfMonth;
use crate::law::dictionary::PAYEES;
use crate::publish::{Pseudonyms, persons_of};
use crate::retro::LineBook;
use crate::schedule::PAYEE_ALIAS;
use crate::subsidy::Entitlements;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The lines of earlier months that the law of the period reads; empty hands where it reads none.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    /// Last month of the period at hand.
    period: Option<Month>,
    items: BTreeSet<Arc<str>>,
    names: Option<Pseudonyms>,
    history: Option<History>,
    /// What stands for payees whose ids are persons' references.
    of_payees: Option<Pseudonyms>,
}

impl Earlier {
    /// Gets ready what the laws of the period read; the lines of earlier months are told one by one
    /// ([`Earlier::told`]). Where they are not `known` a rule that needs them stops the run.
    pub(super) fn new(
        job: &Job,
        laws: &[(Month, LawOfMonth)],
        names: Option<&Pseudonyms>,
        known: bool,
    ) -> Result<Self, SettleError> {
        let period = laws.last().map(|(month, _)| *month);
        let items: BTreeSet<_> = laws.iter().flat_map(|(_, law)| law.items_of_history()).collect();
        let made = || match names {
            Some(names) => Ok(names.clone()),
            None => post::pseudonyms(job),
        };
        let of_payees = laws.iter().any(|(_, law)| pays_persons(law)).then(made).transpose()?;
        if !known || !job.retro || items.is_empty() {
            return Ok(Self { period, of_payees, ..Self::default() });
        }
        let (names, history) = (Some(made()?), Some(History::default()));
        Ok(Self { period, items, names, history, of_payees })
    }

    /// Whether the law reads what earlier months were paid.
    pub(super) const fn asks(&self) -> bool {
        self.history.is_some()
    }

    /// Tells the lines of an earlier month.
    pub(super) fn told(&mut self, month: Month, book: &LineBook) {
        if let Some(history) = &mut self.history {
            history.add(month, book, &self.items);
        }
    }

    /// Whether a month is the last of the period.
    pub(super) fn ends_with(&self, month: Month) -> bool {
        self.period == Some(month)
    }

    /// The pseudonyms a month needs.
    pub(super) fn persons(&self, law: &LawOfMonth, frames: &Frames) -> Persons {
        let Some(names) = &self.names else { return Persons::new() };
        let mut bases = law.bases_of_history();
        let items = law.segments.iter().flat_map(|law| &law.items);
        let read = items.filter(|item| self.items.contains(&item.head.id));
        bases.extend(read.map(|item| item.basis.clone()));
        let of_basis = |basis: Basis| {
            let persons = persons_of(frames.get(&basis)?, names)?;
            Some((basis, persons))
        };
        bases.into_iter().filter_map(of_basis).collect()
    }

    /// What the month is told.
    pub(super) fn past<'a>(&'a self, persons: &'a Persons) -> Past<'a> {
        Past { history: self.history.as_ref(), persons }
    }

    /// Puts pseudonyms in the place of payees' ids that are references to persons (S32), and beside the
    /// ids of the table of payees, so that their accounts are found.
    pub(super) fn name_payees(&self, frames: &mut Frames, entitlements: &mut Entitlements) {
        let Some(names) = &self.of_payees else { return };
        let shown = |id: &str| String::from_utf8_lossy(&names.one(id)).into_owned();
        for payee in entitlements.payees.iter_mut().filter(|payee| payee.person) {
            payee.id = Arc::from(shown(&payee.id));
        }
        let Some(frame) = frames.get_mut(&Basis::Declared(Arc::from(PAYEES))) else { return };
        let Some(Column::Key(ids)) = frame.get("payee_ref").map(|stored| &stored.column) else {
            return;
        };
        let mut aliases = KeyColumn::default();
        (0..frame.rows).for_each(|row| aliases.push(&shown(&ids.text(row))));
        frame.put(PAYEE_ALIAS, Stored::plain(Column::Key(aliases)));
    }

    /// Adds a month of this very period for the months after it.
    pub(super) fn add(
        &mut self,
        month: Month,
        frames: &Frames,
        entitlements: &Entitlements,
        persons: &Persons,
    ) {
        if let Some(history) = &mut self.history {
            // The rows of groupings stand since the month was settled.
            let kept = entitlements.items.iter().filter(|lines| self.items.contains(&lines.item));
            let made = |basis: &Basis| {
                let frame = frames.get(basis).filter(|frame| !frame.keys.is_empty())?;
                Some((basis.clone(), persons_of(frame, self.names.as_ref()?)?))
            };
            let grouped: Persons = kept.filter_map(|lines| made(&lines.basis)).collect();
            let of = |basis: &Basis| grouped.get(basis).or_else(|| persons.get(basis));
            let persons = |basis: &Basis| of(basis).map(Vec::as_slice);
            let book = LineBook::of(frames, entitlements, &persons, &[]);
            history.add(month, &book, &self.items);
        }
    }
}

/// Whether a law pays persons by what refers to them.
fn pays_persons(law: &LawOfMonth) -> bool {
    let mut items = law.segments.iter().flat_map(|segment| &segment.items);
    items.any(|item| item.payee.as_ref().is_some_and(|payee| payee.person))
}
