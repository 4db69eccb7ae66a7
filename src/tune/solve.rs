//! The best value of a range: found by halving it, proved by the neighbour that fails.
//!
//! Halving is right where the figure goes one way along the range. What is tried is checked for it; a
//! figure that goes both ways is told, never answered.

use super::desk::{Desk, Scenario};
use super::scenarios::overlay;
use crate::domain::Outcome;
use crate::job::{Axis, Condition, Frontier, Solve};
use crate::law::OverlayText;
use crate::publish::tuning::{Found, FrontierOf, Solution};
use rayon::prelude::*;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Condition {
    /// Name in files, and the number it is held against.
    fn face(&self) -> (&'static str, i64) {
        match self {
            Self::CostAtMost(fen) => ("cost_at_most", fen.0),
            Self::WithinBudgetLines => ("within_budget_lines", 0),
            Self::BreachesAtMost { most, .. } => {
                ("breaches_at_most", i64::try_from(*most).unwrap_or(i64::MAX))
            }
            Self::NetFeeAtMost(fen) => ("net_fee_at_most", fen.0),
        }
    }

    /// The figure that is held against the target, as an exact number: (numerator, denominator).
    fn figure(&self, of: &Outcome) -> (i128, i128) {
        match self {
            Self::CostAtMost(_) => (i128::from(of.cost_fen), 1),
            Self::WithinBudgetLines => {
                (of.overruns.iter().map(|line| i128::from(line.fen)).sum(), 1)
            }
            Self::BreachesAtMost { price, .. } => {
                let counts = |id: &Arc<str>| price.as_ref().is_none_or(|price| **price == **id);
                let told = of.breaches.iter().filter(|(id, _)| counts(id));
                (told.map(|(_, price)| i128::from(price.institutions)).sum(), 1)
            }
            Self::NetFeeAtMost(_) => {
                let all = of.net_fees.get(&(Arc::from(""), Arc::from("")));
                all.map_or((0, 1), |fees| {
                    (i128::from(fees.sum_fen), i128::from(fees.children.max(1)))
                })
            }
        }
    }
}

/// A figure as files tell it: an average is rounded up, so that what is told as the target holds.
fn told((num, den): (i128, i128)) -> i64 {
    let up = -(-num).div_euclid(den);
    i64::try_from(up).unwrap_or(i64::MAX)
}

fn compare(a: (i128, i128), b: (i128, i128)) -> Ordering {
    (a.0 * b.1).cmp(&(b.0 * a.1))
}

/// What one question tried.
struct Search<'s> {
    desk: &'s Desk,
    solve: &'s Solve,
    /// What is laid over the law before the range: the point of a frontier.
    under: &'s str,
    tried: BTreeMap<usize, Outcome>,
}

impl Search<'_> {
    fn overlay(&self, at: usize) -> String {
        let own = overlay(std::slice::from_ref(&self.solve.axis), &[at]);
        format!("{}{own}", self.under)
    }

    /// The figures at a value.
    fn outcome(&mut self, at: usize) -> Result<&Outcome, String> {
        if !self.tried.contains_key(&at) {
            let id = format!("{} = {}", self.solve.id, self.solve.axis.value(at));
            let text = OverlayText { name: id.clone(), text: self.overlay(at) };
            let scenario = Scenario { id, overlays: vec![text], planned: false };
            let outcome = self.desk.answer(&scenario).map_err(|error| error.to_string())?;
            self.tried.insert(at, outcome);
        }
        Ok(&self.tried[&at])
    }

    fn figure(&mut self, at: usize) -> Result<(i128, i128), String> {
        let solve = self.solve;
        self.outcome(at).map(|outcome| solve.condition.figure(outcome))
    }

    fn holds(&mut self, at: usize) -> Result<bool, String> {
        let target = (i128::from(self.solve.condition.face().1), 1);
        Ok(compare(self.figure(at)?, target) != Ordering::Greater)
    }

    /// Whether what was tried goes one way.
    fn is_monotone(&self) -> bool {
        let figures: Vec<_> =
            self.tried.values().map(|of| self.solve.condition.figure(of)).collect();
        let goes = |way: Ordering| figures.windows(2).all(|two| compare(two[0], two[1]) != way);
        goes(Ordering::Less) || goes(Ordering::Greater)
    }

    /// The place of the best value; the end that is nearest to hold where none does.
    fn search(&mut self) -> Result<Result<usize, usize>, String> {
        let last = self.solve.axis.values.len() - 1;
        // Places counted in the direction wanted: `step(0)` is the least wanted.
        let highest = self.solve.highest;
        let step = |at: usize| if highest { at } else { last - at };
        if self.holds(step(last))? {
            return Ok(Ok(step(last)));
        }
        if !self.holds(step(0))? {
            return Ok(Err(step(0)));
        }
        let (mut good, mut bad) = (0, last);
        while bad - good > 1 {
            let middle = good.midpoint(bad);
            if self.holds(step(middle))? {
                good = middle;
            } else {
                bad = middle;
            }
        }
        Ok(Ok(step(good)))
    }

    fn found(&mut self) -> Found {
        let searched = match self.search() {
            Ok(searched) => searched,
            Err(reason) => return Found::Failed { reason },
        };
        // Both ends are always looked at, so that a figure that turns inside is seen.
        let last = self.solve.axis.values.len() - 1;
        for at in [0, last] {
            if let Err(reason) = self.outcome(at) {
                return Found::Failed { reason };
            }
        }
        let (axis, condition) = (&self.solve.axis, &self.solve.condition);
        let figure = |of: &Outcome| told(condition.figure(of));
        if !self.is_monotone() {
            let tried = self.tried.iter().map(|(at, of)| (axis.value(*at), figure(of))).collect();
            return Found::NotMonotone { tried };
        }
        match searched {
            Err(at) => Found::Never { value: axis.value(at), figure: figure(&self.tried[&at]) },
            Ok(at) => {
                let next = if self.solve.highest { at.checked_add(1) } else { at.checked_sub(1) };
                let beyond = next.and_then(|next| {
                    self.tried.get(&next).map(|of| (axis.value(next), figure(of)))
                });
                Found::Best {
                    value: axis.value(at),
                    figure: figure(&self.tried[&at]),
                    overlay: self.overlay(at),
                    outcome: Box::new(self.tried[&at].clone()),
                    beyond,
                }
            }
        }
    }
}

/// Answers one question, over what else is laid over the law.
pub(super) fn solve(desk: &Desk, solve: &Solve, under: &str) -> Solution {
    let mut search = Search { desk, solve, under, tried: BTreeMap::new() };
    let found = search.found();
    let (condition, target) = solve.condition.face();
    Solution {
        id: solve.id.clone(),
        title: solve.title.clone(),
        range: solve.axis.name(),
        want: if solve.highest { "highest" } else { "lowest" },
        condition,
        target,
        found,
        tried: search.tried.len(),
    }
}

/// Answers a question at every value of another range.
pub(super) fn frontier(desk: &Desk, of: &Frontier) -> FrontierOf {
    let point = |at: usize| {
        let under = point_of(&of.along, at);
        (of.along.value(at), solve(desk, &of.solve, &under))
    };
    FrontierOf {
        id: of.solve.id.clone(),
        title: of.solve.title.clone(),
        along: of.along.name(),
        points: (0..of.along.values.len()).into_par_iter().map(point).collect(),
    }
}

fn point_of(along: &Axis, at: usize) -> String {
    overlay(std::slice::from_ref(along), &[at])
}
