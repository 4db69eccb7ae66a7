//! The desk: pinned periods with their facts, on which one scenario after another is laid.

use super::assume::{self, Wanted};
use super::laws::Laws;
use super::measure::{Entitled, Measured, Sums, fits, measure, paid_by};
use super::roll::{Roll, institutions, rolls};
use super::{Fees, Measures, TuneError};
use crate::allocation::AllocationError;
use crate::domain::{Date, Fraction, Institution, Month, Outcome, Progress, Silent};
use crate::intake::Tables;
use crate::job::{Assumptions, Job, TuneJob};
use crate::law::{LawBook, LawOfMonth, OverlayText};
use crate::settle::SettleError;
use crate::settle::pinned::{Pinned, Trial};
use std::sync::Arc;

/// What scenarios are compared with: a job, its pinned periods, what is assumed and measured.
#[derive(Debug, Clone)]
pub struct Baseline {
    /// The settle job, once a pinned period.
    pub jobs: Vec<Job>,
    /// Whether planned notices count as adopted already.
    pub planned: bool,
    /// A day from which planned notices are in force already, once they count as adopted.
    pub planned_from: Option<Date>,
    /// What is measured beside the money.
    pub measures: Measures,
    /// What is assumed of enrolment.
    pub assumptions: Assumptions,
}

impl Baseline {
    /// Of a tune job.
    #[must_use]
    pub fn of(job: &TuneJob) -> Self {
        let items = |items: &Vec<String>| items.iter().map(|item| Arc::from(&**item)).collect();
        Self {
            jobs: job.jobs.clone(),
            planned: job.planned,
            planned_from: job.planned_from,
            measures: Measures {
                to_family: job.net_of.as_ref().map(items),
                fees: if job.to_ceiling { Fees::ToCeiling } else { Fees::AsFiled },
            },
            assumptions: job.assumptions.clone(),
        }
    }

    /// Of a settle job and its period, nothing assumed.
    #[must_use]
    pub fn of_settlement(job: &Job) -> Self {
        Self {
            jobs: vec![job.clone()],
            planned: false,
            planned_from: None,
            measures: Measures::default(),
            assumptions: Assumptions::default(),
        }
    }
}

/// Pinned periods, and the law they are settled under in the baseline.
#[derive(Debug)]
pub struct Desk {
    pub(super) laws: Laws,
    pub(super) pinned: Vec<Pinned>,
    pub(super) rolls: Vec<Roll>,
    /// Institutions of all pinned months, in order of id.
    pub institutions: Vec<Institution>,
    pub(super) baseline: Measured,
    /// What the families of each group pay in the baseline, by pinned month; where a response to it
    /// is assumed.
    paid: Vec<Sums>,
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
    /// Reads law and inputs of the pinned periods and settles the baseline.
    ///
    /// # Errors
    /// When law or inputs cannot be read, the law does not pass its checks, or a rule cannot be
    /// applied.
    pub fn open(of: Baseline, progress: &mut dyn Progress) -> Result<Self, TuneError> {
        progress.begin("law", None);
        let (laws, book) = Laws::read(of)?;
        progress.end();
        let growth = growth(&laws.of.assumptions);
        let mut pinned = Vec::with_capacity(laws.of.jobs.len());
        for job in &laws.of.jobs {
            pinned.push(Pinned::read(job, &book, progress, growth.as_deref())?);
        }
        let facts: Vec<_> =
            pinned.iter().flat_map(|of| &of.months).map(|month| &month.facts).collect();
        let institutions = institutions(&facts);
        let rolls = rolls(&pinned, &institutions);
        let (baseline, paid) = (Measured::default(), Vec::new());
        let mut desk = Self { laws, pinned, rolls, institutions, baseline, paid };
        progress.begin("baseline", None);
        let trials = desk.trials(&book)?.0;
        desk.baseline = desk.measured(&trials, &desk.rolls, None);
        if desk.laws.of.assumptions.response.is_some() {
            desk.paid = desk.paid_by_group(&trials, &desk.rolls);
        }
        // Against itself nothing changes.
        let children: usize = desk.baseline.entitled.iter().map(Vec::len).sum();
        desk.baseline.outcome.children.same = children as u64;
        progress.end();
        Ok(desk)
    }

    /// The figures of the law as it is.
    #[must_use]
    pub const fn baseline(&self) -> &Outcome {
        &self.baseline.outcome
    }

    /// What the desk was opened with.
    #[must_use]
    pub const fn of(&self) -> &Baseline {
        &self.laws.of
    }

    /// The pinned periods.
    #[must_use]
    pub fn pinned(&self) -> &[Pinned] {
        &self.pinned
    }

    /// The pinned months in order.
    #[must_use]
    pub fn months(&self) -> Vec<Month> {
        self.pinned.iter().flat_map(|of| &of.months).map(|month| month.month).collect()
    }

    /// The law under a scenario.
    ///
    /// # Errors
    /// When an overlay does not fit the law.
    pub fn book(&self, scenario: &Scenario) -> Result<LawBook, TuneError> {
        self.laws.book(scenario)
    }

    /// The figures of a scenario, by the rooms of a settlement.
    ///
    /// # Errors
    /// When an overlay does not fit the law, or a rule cannot be applied.
    pub fn answer(&self, scenario: &Scenario) -> Result<Outcome, TuneError> {
        let book = self.book(scenario)?;
        self.outcome(&book).map_err(|error| TuneError::of(&scenario.id, error))
    }

    fn outcome(&self, book: &LawBook) -> Result<Outcome, SettleError> {
        let (trials, other) = self.trials(book)?;
        let rolls = other.as_deref().unwrap_or(&self.rolls);
        let before = Some(self.baseline.entitled.as_slice());
        if self.laws.of.assumptions.response.is_none() {
            return Ok(self.measured(&trials, rolls, before).outcome);
        }
        let paid = self.paid_by_group(&trials, rolls);
        drop(trials);
        let wanted = self.response(&paid);
        let growth = growth(&self.laws.of.assumptions);
        let change = move |tables: &mut Tables, month: Month| {
            if let Some(growth) = &growth {
                growth(tables, month);
            }
            if let Some((_, wanted)) = wanted.iter().find(|(of, _)| *of == month) {
                assume::apply(tables, month, wanted);
            }
        };
        let mut trials = Vec::new();
        for job in &self.laws.of.jobs {
            let read = Pinned::read(job, book, &mut Silent, Some(&change))?;
            trials.extend(read.under(read.laws(book)?)?);
        }
        let rolls = self.rolls_of(&trials);
        if !fits(&trials, &rolls) {
            return Err(beyond());
        }
        // Other children are not compared one by one.
        Ok(self.measured(&trials, &rolls, None).outcome)
    }

    fn measured(&self, trials: &[Trial], rolls: &[Roll], before: Option<&[Entitled]>) -> Measured {
        measure(trials, rolls, &self.institutions, &self.laws.of.measures, before)
    }

    fn rolls_of(&self, trials: &[Trial]) -> Vec<Roll> {
        trials.iter().map(|trial| Roll::of(&trial.settled.frames, &self.institutions)).collect()
    }

    fn paid_by_group(&self, trials: &[Trial], rolls: &[Roll]) -> Vec<Sums> {
        let of = |(trial, roll)| paid_by(trial, roll, &self.institutions, &self.laws.of.measures);
        trials.iter().zip(rolls).map(of).collect()
    }

    /// Children more than in the baseline, by pinned month and group: heads x elasticity x change of
    /// what the group's families pay, as a part of what they pay in the baseline.
    fn response(&self, paid: &[Sums]) -> Vec<(Month, Wanted)> {
        let Some(assumed) = &self.laws.of.assumptions.response else { return Vec::new() };
        let (num, den) = (assumed.value.mantissa(), 10_i128.pow(assumed.value.scale()));
        let of_month = |(before, now): (&Sums, &Sums)| -> Wanted {
            let more = |(group, (fen, heads)): (&assume::Group, &(i64, i64))| {
                let (later, _) = now.get(group)?;
                let top =
                    num.checked_mul(i128::from(*heads))?.checked_mul(i128::from(later - fen))?;
                let bottom = den.checked_mul(i128::from(*fen))?;
                let wanted = Fraction::new(top, bottom).filter(|_| *fen > 0)?;
                // Nobody leaves who is not there.
                let least = Fraction::whole(-i128::from(*heads));
                let below = wanted.num < least.num.checked_mul(wanted.den)?;
                Some((group.clone(), if below { least } else { wanted }))
            };
            before.iter().filter_map(more).collect()
        };
        self.months().into_iter().zip(self.paid.iter().zip(paid).map(of_month)).collect()
    }

    /// Settles the pinned months under a law; where it lays other facts, the inputs are read again
    /// and there are other rolls.
    fn trials(&self, book: &LawBook) -> Result<(Vec<Trial>, Option<Vec<Roll>>), SettleError> {
        let mut trials: Vec<Trial> = Vec::new();
        let mut are_other = false;
        for (job, pinned) in self.laws.of.jobs.iter().zip(&self.pinned) {
            let laws: Vec<LawOfMonth> = pinned.laws(book)?;
            if pinned.fits(&laws) {
                trials.extend(pinned.under(laws)?);
            } else {
                let growth = growth(&self.laws.of.assumptions);
                let again = Pinned::read(job, book, &mut Silent, growth.as_deref())?;
                trials.extend(again.under(laws)?);
                are_other = true;
            }
        }
        let rolls = are_other.then(|| self.rolls_of(&trials));
        if !fits(&trials, rolls.as_deref().unwrap_or(&self.rolls)) {
            return Err(beyond());
        }
        Ok((trials, rolls))
    }
}

/// A rate so high that its money cannot be summed.
fn beyond() -> SettleError {
    AllocationError::Overflow { rule: Arc::from("the figures of all pinned months") }.into()
}

/// What a declared growth does to the tables of a month.
fn growth(assumptions: &Assumptions) -> Option<Box<Growth>> {
    let percent = assumptions.growth.as_ref()?.value;
    let (num, den) = (percent.mantissa(), 100 * 10_i128.pow(percent.scale()));
    Some(Box::new(move |tables: &mut Tables, month: Month| {
        let more = |(group, heads): (assume::Group, usize)| {
            Some((group, Fraction { num: num.checked_mul(heads as i128)?, den }))
        };
        let wanted: Wanted = assume::heads(tables, month).into_iter().filter_map(more).collect();
        assume::apply(tables, month, &wanted);
    }))
}

type Growth = dyn Fn(&mut Tables, Month) + Sync;
