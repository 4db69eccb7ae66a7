//! Many scenarios: each answered by the condensed path where its law fits that, else by the general
//! one, and told in order.

use super::condensed::{Delta, Family, Ground};
use super::desk::{Desk, Scenario};
use super::error::TuneError;
use crate::domain::Outcome;
use crate::settle::pinned::Trial;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many scenarios were answered, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answered {
    /// By the condensed path.
    pub condensed: usize,
    /// By the rooms of a settlement.
    pub general: usize,
    /// Whose law is wrong or cannot be applied.
    pub wrong: usize,
}

/// Scenarios answered before any of them is told.
const TOLD_AT_ONCE: usize = 32;

/// Enrolments of all pinned months up to which several scenarios are settled side by side.
const SMALL: usize = 100_000;

/// What the law of a scenario is to the baseline's.
enum Told {
    /// By pinned month.
    Changes(Vec<Delta>),
    /// Something else than changed steps and limits.
    Other,
    Wrong(TuneError),
}

/// Places of changed steps and caps, by month.
type Places = Vec<(Vec<usize>, Vec<usize>)>;

impl Desk {
    /// The figures of many scenarios, told one after another in their order: the same as
    /// [`Desk::answer`] gives. A scenario whose law is wrong gives its error and ends nothing. Once
    /// `stop` is set no further scenario is told; those told are whole.
    pub fn answers(
        &self,
        scenarios: &[Scenario],
        stop: &AtomicBool,
        done: &mut dyn FnMut(usize, Result<Outcome, TuneError>),
    ) -> Answered {
        let stopped = || stop.load(Ordering::Relaxed);
        let told: Vec<Told> = scenarios
            .par_iter()
            .map(|scenario| if stopped() { Told::Other } else { self.told(scenario) })
            .collect();
        let mut answered = Answered::default();
        if stopped() {
            return answered;
        }
        let families = self.families(&told);
        let family_of = |at: usize| families.iter().find(|(own, _)| own.binary_search(&at).is_ok());
        let mut told: Vec<Option<Told>> = told.into_iter().map(Some).collect();
        for from in (0..scenarios.len()).step_by(TOLD_AT_ONCE) {
            let until = scenarios.len().min(from + TOLD_AT_ONCE);
            let condensed: Vec<Option<Outcome>> = told[from..until]
                .par_iter()
                .zip(from..until)
                .map(|(told, at)| match (told, family_of(at)) {
                    (Some(Told::Changes(deltas)), Some((_, family))) if !stopped() => {
                        family.answer(deltas)
                    }
                    _ => None,
                })
                .collect();
            let settled = self.settled_at_once(&scenarios[from..until], |at| {
                let is_wrong = matches!(told[from + at], Some(Told::Wrong(_)));
                condensed[at].is_none() && !is_wrong && !stopped()
            });
            for ((at, outcome), settled) in (from..until).zip(condensed).zip(settled) {
                if stopped() {
                    return answered;
                }
                let answer = match (told[at].take(), outcome, settled) {
                    (Some(Told::Wrong(error)), ..) => Err(error),
                    (_, Some(outcome), _) => {
                        answered.condensed += 1;
                        done(at, Ok(outcome));
                        continue;
                    }
                    (_, None, Some(settled)) => settled,
                    _ => self.answer(&scenarios[at]),
                };
                match &answer {
                    Ok(_) => answered.general += 1,
                    Err(_) => answered.wrong += 1,
                }
                done(at, answer);
            }
        }
        answered
    }

    /// Answers of the rooms, one scenario a thread: for small periods alone, since each takes the
    /// memory of a settlement. A large one has work for all threads by itself.
    fn settled_at_once(
        &self,
        scenarios: &[Scenario],
        wanted: impl Fn(usize) -> bool + Sync,
    ) -> Vec<Option<Result<Outcome, TuneError>>> {
        let heads: usize = self.rolls.iter().map(|roll| roll.first_spell.len()).sum();
        let is_small = heads <= SMALL;
        let answer = |(at, scenario)| (is_small && wanted(at)).then(|| self.answer(scenario));
        scenarios.par_iter().enumerate().map(answer).collect()
    }

    fn told(&self, scenario: &Scenario) -> Told {
        // Where families respond to what they pay, every scenario has children of its own.
        if self.laws.of.assumptions.response.is_some() {
            return Told::Other;
        }
        let book = match self.book(scenario) {
            Ok(book) => book,
            Err(error) => return Told::Wrong(error),
        };
        let mut deltas = Vec::new();
        for pinned in &self.pinned {
            let laws = match pinned.laws(&book) {
                Ok(laws) => laws,
                Err(error) => return Told::Wrong(TuneError::of(&scenario.id, error)),
            };
            if !pinned.fits(&laws) {
                return Told::Other;
            }
            for (month, law) in pinned.months.iter().zip(&laws) {
                let Some(delta) = Delta::between(&month.law, law) else { return Told::Other };
                deltas.push(delta);
            }
        }
        Told::Changes(deltas)
    }

    /// One family of all scenarios that change steps only; where that cannot be laid, one for each set
    /// of places that are changed.
    fn families(&self, told: &[Told]) -> Vec<(Vec<usize>, Family<'_>)> {
        let all: Vec<(usize, &[Delta])> = told
            .iter()
            .enumerate()
            .filter_map(|(at, told)| match told {
                Told::Changes(deltas) => Some((at, deltas.as_slice())),
                _ => None,
            })
            .collect();
        // Laying a family costs about as much as settling one scenario.
        if all.len() < 2 {
            return Vec::new();
        }
        let mut trials: Vec<Trial> = Vec::new();
        for pinned in &self.pinned {
            let laws = pinned.months.iter().map(|month| month.law.clone()).collect();
            let Ok(settled) = pinned.under(laws) else { return Vec::new() };
            trials.extend(settled);
        }
        if let Some(family) = self.family(&mut trials, &all) {
            return vec![family];
        }
        let places = |deltas: &[Delta]| -> Places {
            let of = |delta: &Delta| {
                let steps = delta.steps.keys().copied().collect();
                (steps, delta.caps.keys().copied().collect())
            };
            deltas.iter().map(of).collect()
        };
        let mut apart: BTreeMap<Places, Vec<(usize, &[Delta])>> = BTreeMap::new();
        for (at, deltas) in all {
            apart.entry(places(deltas)).or_default().push((at, deltas));
        }
        apart.values().filter_map(|own| self.family(&mut trials, own)).collect()
    }

    fn family(
        &self,
        trials: &mut [Trial],
        scenarios: &[(usize, &[Delta])],
    ) -> Option<(Vec<usize>, Family<'_>)> {
        let ground = Ground {
            rolls: &self.rolls,
            institutions: &self.institutions,
            measures: &self.laws.of.measures,
            before: &self.baseline.entitled,
        };
        let deltas: Vec<&[Delta]> = scenarios.iter().map(|(_, deltas)| *deltas).collect();
        let family = Family::lay(trials, ground, &deltas)?;
        Some((scenarios.iter().map(|(at, _)| *at).collect(), family))
    }
}
