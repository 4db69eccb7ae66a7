//! Many scenarios of one family at once: what no scenario changes is computed once, what some change
//! is evaluated once for all rows that are alike.
//!
//! In: settled months of the baseline, what each scenario changes in the law. Out: the figures of
//! each scenario, the same as those of the general path ([`super::Desk::answer`]) to the last fen.
//! Order: beside `measure`. Never: guesses; a law it does not understand goes the general path.

mod bounds;
mod bundles;
mod delta;
mod fees;
mod kinds;
mod money;
mod people;
mod place;
mod prices;
mod reads;
mod steps;

pub(super) use delta::Delta;

use super::measure::{
    Entitled, add_breaches, add_institutions, add_revenue, breaches, charged, overruns,
};
use super::roll::{NOBODY, Roll};
use super::{Fees, Measures};
use crate::allocation::BudgetLine;
use crate::domain::{
    Basis, Breaches, ChildChanges, Frames, Institution, Month, Outcome, QUANTILES,
};
use crate::settle::pinned::Trial;
use fees::net_fees;
use money::Money;
use people::{Changes, People};
use prices::{Judged, ceilings};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use steps::{Steps, lay};

/// Class and service.
type Group = (Arc<str>, Arc<str>);

/// Months laid for the scenarios of a family.
#[derive(Debug)]
pub(super) struct Family<'d> {
    months: Vec<Laid<'d>>,
    institutions: &'d [Institution],
    groups: Vec<Group>,
}

/// One month laid.
#[derive(Debug)]
struct Laid<'d> {
    month: Month,
    budget: Vec<BudgetLine>,
    roll: &'d Roll,
    steps: Steps,
    money: Money,
    people: People,
    judged: Vec<Judged>,
    /// Breaches no scenario changes.
    breaches: BTreeMap<Arc<str>, Breaches>,
    charges: Charges,
}

/// What families are charged.
#[derive(Debug)]
struct Charges {
    /// Ceilings of the scenario that bound a fee: the step, and the kind of each family.
    bounds: Vec<(usize, Vec<u32>)>,
    /// Institution of each family, where fees change.
    institutions: Vec<u32>,
    /// Fees by institution, where none changes.
    sums: Vec<i64>,
    /// Lowest and highest fee.
    range: (i64, i64),
}

/// What the figures are measured by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground<'d> {
    pub(super) rolls: &'d [Roll],
    pub(super) institutions: &'d [Institution],
    pub(super) measures: &'d Measures,
    /// What children are entitled to in the baseline.
    pub(super) before: &'d [Entitled],
}

impl<'d> Family<'d> {
    /// Lays the months of the settled baseline for scenarios; `None` where some change is beyond it.
    /// `deltas` holds what each scenario changes, month by month.
    pub(super) fn lay(
        trials: &mut [Trial],
        ground: Ground<'d>,
        deltas: &[&[Delta]],
    ) -> Option<Self> {
        let rolls = ground.rolls;
        let mut groups: Vec<Group> = rolls.iter().flat_map(|roll| roll.groups.clone()).collect();
        groups.sort();
        groups.dedup();
        let mut months = Vec::with_capacity(trials.len());
        for (at, trial) in trials.iter_mut().enumerate() {
            let own: Vec<&Delta> =
                deltas.iter().map(|months| months.get(at)).collect::<Option<_>>()?;
            months.push(Laid::of(trial, at, ground, &own, &groups)?);
        }
        Some(Self { months, institutions: ground.institutions, groups })
    }

    /// The figures of a scenario; `None` where only the general path can tell them.
    pub(super) fn answer(&self, deltas: &[Delta]) -> Option<Outcome> {
        let mut outcome =
            Outcome { institutions: vec![0; self.institutions.len()], ..Outcome::default() };
        let mut changes = Changes::new();
        let mut net = Vec::with_capacity(self.months.len());
        let mut needs = Vec::with_capacity(self.months.len());
        let mut range = (i64::MAX, i64::MIN);
        for (month, delta) in self.months.iter().zip(deltas) {
            let answer = month.answer(delta, &mut outcome, &mut changes, self.institutions)?;
            range = (range.0.min(answer.range.0), range.1.max(answer.range.1));
            net.push((month, answer.less, answer.fees));
            needs.push((month.month, month.budget.as_slice(), answer.by_source));
        }
        let stretches: Vec<_> =
            net.iter().flat_map(|(month, less, fees)| month.people.stretches(less, fees)).collect();
        let mut sums = vec![0_i64; self.groups.len()];
        for (month, less, fees) in &net {
            let other = matches!(fees, Cow::Owned(_)).then_some(&**fees);
            month.people.add_sums(less, other, &mut sums);
        }
        let range = if range.0 > range.1 { (0, 0) } else { range };
        let (by_group, everybody) = net_fees(&stretches, &sums, range);
        outcome.net_fees.insert((Arc::from(""), Arc::from("")), everybody);
        outcome.net_fees.extend(self.groups.iter().cloned().zip(by_group));
        let needs: Vec<_> =
            needs.iter().map(|(month, budget, needs)| (*month, *budget, needs)).collect();
        outcome.overruns = overruns(&needs);
        outcome.children = counted(changes);
        Some(outcome)
    }
}

/// Winners, losers and quantiles of weighted changes.
fn counted(mut changes: Changes) -> ChildChanges {
    let count = |of: fn(i64) -> bool| -> u64 {
        changes.iter().filter(|(by, _)| of(*by)).map(|(_, count)| count).sum()
    };
    let (winners, losers, same) = (count(|by| by > 0), count(|by| by < 0), count(|by| by == 0));
    let all = winners + losers + same;
    // Where one cell of a table changes, most bundles do not: they need no order among themselves.
    changes.retain(|(by, _)| *by != 0);
    changes.push((0, same));
    changes.sort_unstable();
    let quantiles = QUANTILES.map(|percent| {
        let mut place = (all * u64::from(percent)).div_ceil(100).saturating_sub(1);
        for (by, count) in &changes {
            if place < *count {
                return *by;
            }
            place -= count;
        }
        0
    });
    ChildChanges { winners, losers, same, quantiles }
}

/// What one month adds beside sums.
struct Answer<'d> {
    by_source: BTreeMap<Arc<str>, i64>,
    less: people::Less,
    fees: Cow<'d, [i64]>,
    range: (i64, i64),
}

impl<'d> Laid<'d> {
    fn of(
        trial: &mut Trial,
        at: usize,
        ground: Ground<'d>,
        deltas: &[&Delta],
        groups: &[Group],
    ) -> Option<Self> {
        let roll = &ground.rolls[at];
        let mut breaches = breaches(trial, roll);
        // The frames are laid aside while the steps are laid: they are read and written then.
        let mut frames: Frames = std::mem::take(&mut trial.settled.frames);
        let built = Self::steps(trial, &mut frames, ground, deltas, roll);
        trial.settled.frames = frames;
        let Built { steps, money, lines, judged, bounds } = built?;
        for price in &judged {
            let of = breaches.entry(Arc::clone(&price.id)).or_default();
            *of = Breaches { under: of.under, under_fen: of.under_fen, ..Breaches::default() };
        }
        let fixed = |id: &str| bounds.iter().all(|(price, ..)| **price != *id);
        let fees = charged(trial, roll, ground.measures, &fixed);
        let number = |group: &Group| {
            groups.binary_search(group).ok().and_then(|place| u16::try_from(place).ok())
        };
        let numbers: Vec<u16> = roll.groups.iter().map(number).collect::<Option<_>>()?;
        let people = People::of(
            trial,
            roll,
            ground.measures,
            (&money, &lines),
            (&ground.before[at], &fees),
            &numbers,
        )?;
        let charges = Charges::of(&people, roll, ground.institutions.len(), &bounds);
        let (month, budget) = (trial.settled.month, trial.settled.budget.clone());
        Some(Self { month, budget, roll, steps, money, people, judged, breaches, charges })
    }

    fn steps(
        trial: &Trial,
        frames: &mut Frames,
        ground: Ground<'d>,
        deltas: &[&Delta],
        roll: &Roll,
    ) -> Option<Built> {
        let law = delta::plain(&trial.settled.law)?;
        let building = lay(&trial.settled.law, frames, deltas)?;
        let (money, lines) = Money::of(&building, law, trial)?;
        let mut judged = Vec::new();
        let mut bounds = Vec::new();
        for (id, price) in &building.prices {
            judged.push(Judged::of(&building, price, (roll, ground.institutions.len()))?);
            let rule = &price.rule;
            let charges = ground.measures.fees == Fees::ToCeiling
                && rule.basis == Basis::Spell
                && rule.fee.source().trim() == "fee_monthly";
            if charges {
                let kind = |spell: &u32| price.kinds.of[*spell as usize];
                let kinds = roll.first_spell.iter().map(kind).collect();
                bounds.push((Arc::clone(id), price.step, kinds));
            }
        }
        Some(Built { steps: building.steps, money, lines, judged, bounds })
    }

    fn answer(
        &self,
        delta: &Delta,
        outcome: &mut Outcome,
        changes: &mut Changes,
        institutions: &[Institution],
    ) -> Option<Answer<'_>> {
        let made = self.steps.make(delta)?;
        let amounts = self.money.amounts(&made)?;
        self.money.fits(&amounts).then_some(())?;
        let round = |at: usize| self.steps.cap(at, delta).round;
        let allocated = self.money.allocate(&amounts, &made, &round)?;
        let mut own = vec![0_i64; institutions.len()];
        let width = self.money.items.len();
        let mut total = 0_i64;
        let mut items = vec![0_i64; width];
        for (institution, sums) in allocated.fen.chunks_exact(width.max(1)).enumerate() {
            let institution = self.roll.institution_of.get(institution).copied().unwrap_or(NOBODY);
            for (sum, fen) in items.iter_mut().zip(sums) {
                *sum += fen;
                total += fen;
                if let Some(own) = own.get_mut(institution as usize) {
                    *own += fen;
                }
            }
        }
        for (item, fen) in self.money.items.iter().zip(items) {
            *outcome.by_item.entry(Arc::clone(&item.id)).or_default() += fen;
        }
        for (source, fen) in &allocated.by_source {
            *outcome.by_source.entry(Arc::clone(source)).or_default() += fen;
        }
        add_institutions(outcome, &own, institutions);
        outcome.cost_fen += total;
        outcome.by_month.push(total);
        let mut breaches = self.breaches.clone();
        for price in &self.judged {
            price.add(&made, breaches.entry(Arc::clone(&price.id)).or_default())?;
        }
        add_breaches(&mut outcome.breaches, breaches);
        let nothing = self.people.nothing(&allocated)?;
        outcome.children_paid += self.people.changes(&self.money, &amounts, &nothing, changes)?;
        let mut fees = Cow::Borrowed(self.people.fees());
        for (step, kinds) in &self.charges.bounds {
            let ceilings = ceilings(&made[*step])?;
            for (fee, kind) in fees.to_mut().iter_mut().zip(kinds) {
                *fee = (*fee).min(ceilings[*kind as usize]);
            }
        }
        let (sums, range) = self.charges.told(&fees, institutions.len());
        let takings: Vec<i64> = own.iter().zip(sums.iter()).map(|(own, fees)| own + fees).collect();
        add_revenue(&mut outcome.revenue, &takings, self.roll);
        let less = self.people.less(&self.money, &amounts, &nothing)?;
        Some(Answer { by_source: allocated.by_source, less, fees, range })
    }
}

/// What is laid of a month while its frames are at hand.
struct Built {
    steps: Steps,
    money: Money,
    lines: Vec<money::Lines>,
    judged: Vec<Judged>,
    /// Guide prices that bound fees: id, step, kind of the ceiling of each enrolment.
    bounds: Vec<(Arc<str>, usize, Vec<u32>)>,
}

impl Charges {
    fn of(
        people: &People,
        roll: &Roll,
        institutions: usize,
        bounds: &[(Arc<str>, usize, Vec<u32>)],
    ) -> Self {
        let pick = |all: &[u32]| -> Vec<u32> {
            people.enrolments().iter().map(|at| all[*at as usize]).collect()
        };
        let of_families = pick(&roll.institution);
        let bounds: Vec<_> = bounds.iter().map(|(_, step, kinds)| (*step, pick(kinds))).collect();
        let mut this =
            Self { bounds: Vec::new(), institutions: of_families, sums: Vec::new(), range: (0, 0) };
        let (sums, range) = this.sum(people.fees(), institutions);
        if bounds.is_empty() {
            this.institutions = Vec::new();
        }
        Self { bounds, sums, range, ..this }
    }

    fn sum(&self, fees: &[i64], institutions: usize) -> (Vec<i64>, (i64, i64)) {
        let mut sums = vec![0_i64; institutions];
        for (fee, institution) in fees.iter().zip(&self.institutions) {
            if let Some(sum) = sums.get_mut(*institution as usize) {
                *sum += fee;
            }
        }
        let low = fees.iter().min().copied().unwrap_or(i64::MAX);
        (sums, (low, fees.iter().max().copied().unwrap_or(i64::MIN)))
    }

    /// Fees by institution, and the lowest and highest.
    fn told(&self, fees: &[i64], institutions: usize) -> (Cow<'_, [i64]>, (i64, i64)) {
        if self.bounds.is_empty() {
            return (Cow::Borrowed(&self.sums), self.range);
        }
        let (sums, range) = self.sum(fees, institutions);
        (Cow::Owned(sums), range)
    }
}
