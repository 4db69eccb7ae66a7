//! The desk: pinned periods with their facts, on which one scenario after another is laid.

use super::measure::{Entitled, Measured, measure};
use super::roll::{Roll, providers, rolls};
use super::{Measures, TuneError};
use crate::domain::{Outcome, Progress, Provider, Silent};
use crate::job::Job;
use crate::law::{LawBook, LawOfMonth, LawText, OverlayText};
use crate::settle::SettleError;
use crate::settle::pinned::{Change, Pinned, Trial};

/// Pinned periods, and the law they are settled under in the baseline.
#[derive(Debug)]
pub struct Desk {
    pub(super) jobs: Vec<Job>,
    law: LawText,
    /// Overlays of the baseline job, below those of every scenario.
    ground: Vec<OverlayText>,
    pub(super) measures: Measures,
    pub(super) pinned: Vec<Pinned>,
    pub(super) rolls: Vec<Roll>,
    /// Institutions of all pinned months, in order of id.
    pub providers: Vec<Provider>,
    pub(super) baseline: Measured,
}

/// What a scenario lays over the law.
#[derive(Debug, Clone, Default)]
pub struct Scenario {
    /// Name, unique in its job.
    pub id: String,
    /// Overlays in order.
    pub overlays: Vec<OverlayText>,
    /// Whether planned notices count as adopted.
    pub planned: bool,
}

impl Desk {
    /// Reads law and inputs of the pinned periods, one job a period, and settles the baseline.
    ///
    /// # Errors
    /// When law or inputs cannot be read, or a rule cannot be applied.
    pub fn open(
        jobs: Vec<Job>,
        (law, ground): (LawText, Vec<OverlayText>),
        measures: Measures,
        change: Option<Change<'_>>,
        progress: &mut dyn Progress,
    ) -> Result<Self, TuneError> {
        let book = law.under(&ground).map_err(SettleError::Law)?;
        let mut pinned = Vec::with_capacity(jobs.len());
        for job in &jobs {
            pinned.push(Pinned::read(job, &book, progress, change)?);
        }
        let facts: Vec<_> =
            pinned.iter().flat_map(|of| &of.months).map(|month| &month.facts).collect();
        let providers = providers(&facts);
        let rolls = rolls(&pinned, &providers);
        let mut desk = Self {
            jobs,
            law,
            ground,
            measures,
            pinned,
            rolls,
            providers,
            baseline: Measured::default(),
        };
        desk.baseline = desk.measured(&book, None)?;
        // Against itself nothing changes.
        let children = desk.baseline.entitled.iter().map(Vec::len).sum::<usize>();
        desk.baseline.outcome.children.same = children as u64;
        Ok(desk)
    }

    /// The figures of the law as it is.
    #[must_use]
    pub const fn baseline(&self) -> &Outcome {
        &self.baseline.outcome
    }

    /// The pinned periods.
    #[must_use]
    pub fn pinned(&self) -> &[Pinned] {
        &self.pinned
    }

    /// The law under a scenario.
    ///
    /// # Errors
    /// When an overlay does not fit the law.
    pub fn book(&self, scenario: &Scenario) -> Result<LawBook, TuneError> {
        let overlays: Vec<OverlayText> =
            self.ground.iter().chain(&scenario.overlays).cloned().collect();
        let of = |errors| TuneError::Scenario { scenario: scenario.id.clone(), errors };
        let book = self.law.under(&overlays).map_err(of)?;
        Ok(if scenario.planned { book.with_planned() } else { book })
    }

    /// The figures of a scenario, by the rooms of a settlement.
    ///
    /// # Errors
    /// When an overlay does not fit the law, or a rule cannot be applied.
    pub fn answer(&self, scenario: &Scenario) -> Result<Outcome, TuneError> {
        let book = self.book(scenario)?;
        let measured = self.measured(&book, Some(&self.baseline.entitled));
        Ok(measured
            .map_err(|error| TuneError::Rules {
                scenario: scenario.id.clone(),
                error: Box::new(error),
            })?
            .outcome)
    }

    /// Settles the pinned months under a law; where it lays other facts, the inputs are read again.
    fn measured(
        &self,
        book: &LawBook,
        before: Option<&[Entitled]>,
    ) -> Result<Measured, SettleError> {
        let mut trials: Vec<Trial> = Vec::new();
        let mut again: Vec<Pinned> = Vec::new();
        for (job, pinned) in self.jobs.iter().zip(&self.pinned) {
            let laws: Vec<LawOfMonth> = pinned.laws(book)?;
            if pinned.fits(&laws) {
                trials.extend(pinned.under(laws)?);
            } else {
                let read = Pinned::read(job, book, &mut Silent, None)?;
                trials.extend(read.under(laws)?);
                again.push(read);
            }
        }
        let other: Vec<Roll>;
        let rolls = if again.is_empty() {
            &self.rolls
        } else {
            let frames = trials.iter().map(|trial| &trial.settled.frames);
            other = frames.map(|frames| Roll::of(frames, &self.providers)).collect();
            &other
        };
        Ok(measure(&trials, rolls, &self.providers, &self.measures, before))
    }
}
