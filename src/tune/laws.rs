//! The law under the scenarios of a baseline: its packs read once, its overlays below theirs.

use super::TuneError;
use super::desk::{Baseline, Scenario};
use crate::domain::{Date, Severity};
use crate::law::{self, LawBook, LawErrors, LawText, OverlayText};
use crate::settle::{SettleError, pinned};

/// What laws are made of.
#[derive(Debug)]
pub(super) struct Laws {
    pub(super) of: Baseline,
    text: LawText,
    /// Overlays of the baseline job, below those of every scenario.
    ground: Vec<OverlayText>,
}

impl Laws {
    /// Reads the packs and overlays of a baseline; gives its law too.
    ///
    /// # Errors
    /// When they cannot be read or the law does not pass its checks.
    pub(super) fn read(of: Baseline) -> Result<(Self, LawBook), TuneError> {
        let Some(first) = of.jobs.first() else { return Err(TuneError::NothingPinned) };
        let text = law::read(&first.packs, &first.reference).map_err(SettleError::Law)?;
        let ground = law::read_overlays(&first.overlays).map_err(SettleError::Law)?;
        let book = text.under(&ground).map_err(SettleError::Law)?;
        let mut errors = law::check(&book);
        errors.retain(|error| error.severity == Severity::Error);
        if !errors.is_empty() {
            return Err(SettleError::Law(LawErrors(errors)).into());
        }
        let book = if of.planned { adopted(&book, of.planned_from) } else { book };
        Ok((Self { of, text, ground }, book))
    }

    /// The law under a scenario.
    ///
    /// # Errors
    /// When an overlay does not fit the law.
    pub(super) fn book(&self, scenario: &Scenario) -> Result<LawBook, TuneError> {
        let overlays: Vec<OverlayText> =
            self.ground.iter().chain(&scenario.overlays).cloned().collect();
        let of = |errors| TuneError::Scenario { scenario: scenario.id.clone(), errors };
        let book = self.text.under(&overlays).map_err(of)?;
        let is_planned = scenario.planned || self.of.planned;
        Ok(if is_planned { adopted(&book, self.of.planned_from) } else { book })
    }

    /// Whether a scenario's law holds together in every pinned month.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn holds(&self, scenario: &Scenario) -> Result<(), TuneError> {
        let book = self.book(scenario)?;
        for job in &self.of.jobs {
            pinned::laws(job, &book).map_err(|error| TuneError::of(&scenario.id, error))?;
        }
        Ok(())
    }
}

/// The law with planned notices taken as adopted.
fn adopted(book: &LawBook, from: Option<Date>) -> LawBook {
    from.map_or_else(|| book.with_planned(), |day| book.with_planned_from(day))
}
