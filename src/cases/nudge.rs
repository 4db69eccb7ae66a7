//! Which figures of the law no case notices: each is moved a little, and the cases are settled under
//! the law that makes.

use super::desk::{Desk, Ready};
use super::hold::{self, Told};
use crate::domain::{Date, Month};
use crate::law::{Figure, LawBook};
use crate::settle::given::Laws;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Figures of one version are moved together, halved while a case notices, where they are more.
const MANY: usize = 48;

/// What cases notice of the law.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Nudged {
    /// Figures that were moved.
    pub figures: usize,
    /// Those some case noticed.
    pub noticed: usize,
    /// Paths of those the law cannot have otherwise, alone.
    pub fixed: Vec<String>,
    /// Those no case noticed, in the order of the law.
    pub unnoticed: Vec<Unnoticed>,
}

/// A figure no case notices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unnoticed {
    /// Path in the law.
    pub path: String,
    /// Its version.
    pub version: String,
    /// As written.
    pub value: String,
    /// What it was moved to.
    pub tried: Vec<String>,
    /// Notice and clause.
    pub clause: String,
    /// Pack, file and line of its block.
    pub place: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Noticed,
    Unnoticed,
    /// The law does not hold together so.
    Refused,
}

impl Desk {
    /// Moves every figure of the pack that is in force in a month of some case, and asks the cases.
    /// They have to hold: one that does not notices everything.
    ///
    /// # Errors
    /// What stops a case, in words.
    pub fn nudged(&self) -> Result<Nudged, String> {
        let cases: Vec<_> = self.cases(None).filter(|(_, case)| case.error.is_none()).collect();
        let ready = cases.into_par_iter().map(|(file, case)| self.ready(file, case));
        let ready: Vec<Ready<'_>> = ready.collect::<Result<_, _>>()?;
        let mut told = Nudged::default();
        let below: BTreeSet<&[String]> = ready.iter().map(|of| of.with).collect();
        for with in below {
            let own: Vec<&Ready<'_>> = ready.iter().filter(|of| of.with == with).collect();
            self.nudge(with, &own, &mut told)?;
        }
        Ok(told)
    }

    fn nudge(
        &self,
        with: &[String],
        cases: &[&Ready<'_>],
        told: &mut Nudged,
    ) -> Result<(), String> {
        let moments: BTreeSet<(Month, Date)> =
            cases.iter().flat_map(|of| of.moments.iter().copied()).collect();
        let moments: Vec<(Month, Date)> = moments.into_iter().collect();
        let book = self.plain(with)?;
        let own = book.head().map(|head| head.id.clone());
        let mut figures = book.figures(&moments);
        figures.retain(|figure| Some(&figure.place.pack) == own.as_ref());
        let versions: Vec<&[Figure]> = figures.chunk_by(Figure::is_beside).collect();
        let seen: Vec<Vec<Seen>> = versions
            .par_iter()
            .map(|figures| {
                let all: Vec<&Figure> = figures.iter().collect();
                if all.len() > MANY {
                    return self.halved(cases, &all);
                }
                all.par_iter().map(|figure| self.alone(cases, figure)).collect()
            })
            .collect();
        for (figure, seen) in figures.iter().zip(seen.into_iter().flatten()) {
            told.figures += 1;
            match seen {
                Seen::Noticed => told.noticed += 1,
                Seen::Refused => told.fixed.push(figure.path.clone()),
                Seen::Unnoticed => told.unnoticed.push(unnoticed(figure)),
            }
        }
        Ok(())
    }

    /// Moves one figure this way and that.
    fn alone(&self, cases: &[&Ready<'_>], figure: &Figure) -> Seen {
        let mut refused = true;
        for step in 0..figure.moves() {
            match self.seen(cases, &[(figure, step)]) {
                Seen::Noticed => return Seen::Noticed,
                Seen::Unnoticed => refused = false,
                Seen::Refused => {}
            }
        }
        if refused { Seen::Refused } else { Seen::Unnoticed }
    }

    /// Moves many figures at once: what no case notices of all of them, none notices of one. Every
    /// second goes the other way, so that a ratio of two does not stay what it was.
    fn halved(&self, cases: &[&Ready<'_>], figures: &[&Figure]) -> Vec<Seen> {
        if let [figure] = figures {
            return vec![self.alone(cases, figure)];
        }
        let seen = |turn: usize| {
            let moved: Vec<(&Figure, usize)> =
                figures.iter().enumerate().map(|(at, of)| (*of, (at + turn) % 2)).collect();
            self.seen(cases, &moved)
        };
        if seen(0) == Seen::Unnoticed && seen(1) == Seen::Unnoticed {
            return vec![Seen::Unnoticed; figures.len()];
        }
        let (left, right) = figures.split_at(figures.len() / 2);
        let (mut left, right) =
            rayon::join(|| self.halved(cases, left), || self.halved(cases, right));
        left.extend(right);
        left
    }

    /// Whether some case notices that figures of one version are otherwise.
    fn seen(&self, cases: &[&Ready<'_>], figures: &[(&Figure, usize)]) -> Seen {
        let mut books: BTreeMap<(usize, &str), Option<LawBook>> = BTreeMap::new();
        let mut laws: BTreeMap<(usize, &str, Month, Date), Option<Laws>> = BTreeMap::new();
        let mut seen = Seen::Refused;
        let in_force = |of: &&&Ready<'_>| {
            of.moments.iter().any(|moment| figures.iter().any(|(f, _)| f.moments.contains(moment)))
        };
        for ready in cases.iter().filter(in_force) {
            let overlay = ready.overlays.first().map_or("", |of| of.text.as_str());
            let key = (ready.text_no, overlay);
            let moved = || ready.text.moved(&ready.overlays, figures).ok();
            let Some(book) = books.entry(key).or_insert_with(moved) else { continue };
            let mut own = Vec::new();
            for (job, _) in &ready.periods {
                let key = (key.0, key.1, job.period, job.known_on);
                let of_job = || crate::settle::pinned::laws(job, book).ok();
                own.extend(laws.entry(key).or_insert_with(of_job).clone());
            }
            if own.len() < ready.periods.len() {
                continue;
            }
            seen = Seen::Unnoticed;
            let Ok(periods) = ready.settle(own, &self.names) else { return Seen::Noticed };
            let told = Told { periods: &periods, why: false };
            if !hold::differences(ready.case, &told).is_ok_and(|found| found.is_empty()) {
                return Seen::Noticed;
            }
        }
        seen
    }
}

fn unnoticed(figure: &Figure) -> Unnoticed {
    let place = &figure.place;
    Unnoticed {
        path: figure.path.clone(),
        version: figure.version.clone(),
        value: figure.value.clone(),
        tried: (0..figure.moves()).map(|step| figure.moved_to(step)).collect(),
        clause: figure.clause.to_string(),
        place: format!("{}/{}:{}", place.pack, place.file, place.line),
    }
}
