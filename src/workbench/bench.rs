//! The desk of a job with what the page is told of it.

use super::block::cards;
use super::overlay::{self, Changes, Refusal, StartError};
use super::tables::{Names, told};
use super::{figures, page};
use crate::domain::texts::Catalogue;
use crate::domain::{Month, Outcome, Progress};
use crate::law::{Lever, OverlayText};
use crate::settle::SettleError;
use crate::tune::{Baseline, Desk, Scenario, TuneError};
use serde_json::{Value, json};

/// A desk with the levers of its law.
#[derive(Debug)]
pub struct Workbench {
    desk: Desk,
    levers: Vec<Lever>,
    names: Names,
    title: String,
    months: Vec<Month>,
    start: Changes,
    texts: Catalogue,
    /// Threads of the answers; `None` is all cores.
    pool: Option<rayon::ThreadPool>,
}

/// What the page asks: levers by path with the value each is moved to.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    changes: Changes,
}

/// What a page is about.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Title of the job.
    pub title: String,
    /// Baseline: of a tune job, or of a settle job and its period.
    pub baseline: Baseline,
    /// Worker threads; `None` is all cores.
    pub threads: Option<usize>,
}

/// Opens the desk of a baseline.
///
/// # Errors
/// When law or inputs cannot be read, or a rule cannot be applied.
pub fn open(
    subject: Subject,
    texts: Catalogue,
    progress: &mut dyn Progress,
) -> Result<Workbench, TuneError> {
    let Subject { title, baseline, threads } = subject;
    let pool = pool(threads)?;
    let open = || Desk::open(baseline, progress);
    let desk = match &pool {
        Some(pool) => pool.install(open),
        None => open(),
    }?;
    Workbench::new(desk, title, texts, pool)
}

fn pool(threads: Option<usize>) -> Result<Option<rayon::ThreadPool>, SettleError> {
    let build = |threads| {
        let built = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        built.map_err(|error| SettleError::Threads { threads, reason: error.to_string() })
    };
    threads.map(build).transpose()
}

impl Workbench {
    fn new(
        desk: Desk,
        title: String,
        texts: Catalogue,
        pool: Option<rayon::ThreadPool>,
    ) -> Result<Self, TuneError> {
        let months = desk.months();
        let book = desk.book(&Scenario::default())?;
        let last = months.last().copied().unwrap_or_default();
        let known_on = desk.of().jobs.last().map_or_else(|| last.last(), |job| job.known_on);
        let levers = book.levers(last, known_on);
        let names = Names::of(&book.shown(last, known_on), &desk.institutions, &months);
        let start = Changes::new();
        Ok(Self { desk, levers, names, title, months, start, texts, pool })
    }

    /// Begins with the changes of an overlay file, as the page writes them.
    ///
    /// # Errors
    /// When the file says something no lever can say.
    pub fn begin_with(&mut self, overlay: &OverlayText) -> Result<(), StartError> {
        self.start = overlay::changes(overlay, &self.levers)?;
        Ok(())
    }

    /// Its texts.
    pub(super) const fn texts(&self) -> &Catalogue {
        &self.texts
    }

    fn period(&self) -> String {
        match (self.months.first(), self.months.last()) {
            (Some(first), Some(last)) if first != last => format!("{first} – {last}"),
            (_, last) => last.map_or_else(String::new, ToString::to_string),
        }
    }

    /// What the job assumes of enrolment, each with its source.
    fn assumed(&self) -> Vec<String> {
        let assumptions = &self.desk.of().assumptions;
        let of = [
            ("workbench.assumed_growth", &assumptions.growth),
            ("workbench.assumed_response", &assumptions.response),
        ];
        let said = of.into_iter().filter_map(|(key, assumed)| {
            let assumed = assumed.as_ref()?;
            let values = [("value", &*assumed.value.to_string()), ("source", &*assumed.source)];
            Some(self.texts.phrase(key, &values))
        });
        said.collect()
    }

    /// What the page begins with.
    pub(super) fn told(&self) -> Value {
        json!({
            "key": format!("{} {}", self.title, self.period()),
            "title": self.title,
            "period": self.period(),
            "assumed": self.assumed(),
            "words": page::words(&self.texts),
            "cards": cards(&self.levers, &self.texts),
            "start": self.start,
            "baseline": self.figured(self.desk.baseline()),
        })
    }

    /// What the changes come to, or why they do not hold.
    pub(super) fn answer(&self, asked: &Asked) -> Value {
        let changes = &asked.changes;
        let unread = overlay::unread(changes, &self.levers, &self.texts);
        if !unread.is_empty() {
            return json!({ "refused": unread });
        }
        let overlays = vec![overlay::overlay(changes, &self.levers)];
        let scenario = Scenario { id: "workbench".to_owned(), overlays, planned: false };
        let answer = || self.desk.answer(&scenario);
        let outcome = match &self.pool {
            Some(pool) => pool.install(answer),
            None => answer(),
        };
        match outcome {
            Ok(outcome) => self.figured(&outcome),
            Err(
                TuneError::Scenario { errors, .. } | TuneError::Settle(SettleError::Law(errors)),
            ) => {
                json!({ "refused": overlay::refusals(&errors, changes) })
            }
            Err(error) => {
                let message = error.to_string();
                json!({ "refused": [Refusal { path: String::new(), message }] })
            }
        }
    }

    /// The overlay file of the changes.
    pub(super) fn overlay(&self, asked: &Asked) -> String {
        let heading = format!("{} {}", self.title, self.period());
        overlay::file(&heading, &asked.changes, &self.levers)
    }

    fn figured(&self, outcome: &Outcome) -> Value {
        let baseline = self.desk.baseline();
        json!({
            "figures": figures::told(baseline, outcome, &self.texts),
            "tables": told((baseline, outcome), &self.names, &self.texts),
        })
    }
}
