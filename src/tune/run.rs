//! A tune job from its file to its folder.

use super::desk::{Baseline, Desk, Scenario};
use super::laws::Laws;
use super::scenarios::{Planned, overlay, scenarios};
use super::{TuneError, solve};
use crate::domain::texts::Language;
use crate::domain::{Outcome, Progress, hex};
use crate::job::{Axis, Combined, TuneJob};
use crate::law::{OverlayText, RuleHead};
use crate::publish::tuning::{self, Assumption, Family, Found, Moved, ScenarioRow, Tuning};
use crate::publish::{self, Draft, InputFile, MANIFEST, Manifest, PublishError};
use crate::settle::CALC_VERSION;
use crate::settle::pinned::PinnedMonth;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a tune job came to.
#[derive(Debug)]
pub struct TuneReport {
    /// Content hash.
    pub tune_id: String,
    /// Folder.
    pub folder: PathBuf,
    /// What it found.
    pub tuning: Tuning,
    /// Whether the same results stood there already.
    pub is_known: bool,
}

/// Answers every scenario and question of a job and writes its folder. Once `stop` is set no further
/// scenario is begun: those that were answered are written, and the folder says that it is partial.
///
/// # Errors
/// When law or inputs of the baseline cannot be read, or the folder cannot be written; nothing is
/// written then. A scenario that cannot be answered is a row that says why.
pub fn run(
    job: &TuneJob,
    progress: &mut dyn Progress,
    stop: &AtomicBool,
) -> Result<TuneReport, TuneError> {
    match job.threads {
        None => run_here(job, progress, stop),
        Some(threads) => rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|error| TuneError::Threads { threads, reason: error.to_string() })?
            .install(|| run_here(job, progress, stop)),
    }
}

/// What is wrong with the overlays of a job's scenarios, by scenario, in their order: the law alone is
/// looked at, no input is read.
///
/// # Errors
/// When the law of the baseline cannot be read or does not pass its checks.
pub fn check(job: &TuneJob) -> Result<Checked, TuneError> {
    let (laws, _) = Laws::read(Baseline::of(job))?;
    let mut all: Vec<Scenario> = scenarios(job).into_iter().map(|of| of.scenario).collect();
    let count = all.len();
    // Of a range that is searched or moved, the ends.
    let searched = job.solves.iter().chain(job.frontiers.iter().map(|of| &of.solve));
    let along = job.frontiers.iter().map(|of| &of.along);
    for axis in searched.map(|of| &of.axis).chain(along).chain(&job.sensitivity) {
        all.extend([0, axis.values.len() - 1].map(|at| alone(axis, at)));
    }
    let told = all.par_iter().map(|one| Some((one.id.clone(), laws.holds(one).err()?)));
    Ok(Checked {
        scenarios: count,
        wrong: told.collect::<Vec<_>>().into_iter().flatten().collect(),
    })
}

/// What [`check`] tells.
#[derive(Debug)]
pub struct Checked {
    /// Scenarios of the job.
    pub scenarios: usize,
    /// Those whose law does not hold together, and why.
    pub wrong: Vec<(String, TuneError)>,
}

fn run_here(
    job: &TuneJob,
    progress: &mut dyn Progress,
    stop: &AtomicBool,
) -> Result<TuneReport, TuneError> {
    let desk = Desk::open(Baseline::of(job), progress)?;
    let planned = scenarios(job);
    let mut rows = Vec::with_capacity(planned.len());
    progress.begin("scenarios", Some(planned.len() as u64));
    let asked: Vec<Scenario> = planned.iter().map(|of| of.scenario.clone()).collect();
    desk.answers(&asked, stop, &mut |at, outcome| {
        rows.push(row(&planned[at], outcome));
        progress.advance(1);
    });
    progress.end();
    let questions = job.solves.len() + job.frontiers.len() + job.sensitivity.len();
    progress.begin("questions", Some(questions as u64));
    let (mut solutions, mut frontiers, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    let goes_on = || !stop.load(Ordering::Relaxed);
    for one in job.solves.iter().take_while(|_| goes_on()) {
        solutions.push(solve::solve(&desk, one, ""));
        progress.advance(1);
    }
    for one in job.frontiers.iter().take_while(|_| goes_on()) {
        frontiers.push(solve::frontier(&desk, one));
        progress.advance(1);
    }
    for axis in job.sensitivity.iter().take_while(|_| goes_on()) {
        moved.push(moved_alone(&desk, axis, stop));
        progress.advance(1);
    }
    progress.end();
    let answered = solutions.len() + frontiers.len() + moved.len();
    let chosen = chosen(job, &rows, &solutions)?;
    let mut tuning = told(job, &desk);
    tuning.asked = planned.len();
    tuning.unanswered = questions - answered;
    tuning.scenarios = rows;
    tuning.solutions = solutions;
    tuning.frontiers = frontiers;
    tuning.moved = moved;
    tuning.chosen = chosen;
    tuning.tune_id = identity(job, &desk, &tuning, answered);
    progress.begin("publish", None);
    let is_known = write(job, &tuning)?;
    progress.end();
    let (tune_id, folder) = (tuning.tune_id.clone(), job.out.clone());
    Ok(TuneReport { tune_id, folder, tuning, is_known })
}

fn row(planned: &Planned, outcome: Result<Outcome, TuneError>) -> ScenarioRow {
    let overlays = planned.scenario.overlays.iter().map(|of| of.text.as_str());
    ScenarioRow {
        id: planned.scenario.id.clone(),
        title: planned.title.clone(),
        family: planned.group.clone(),
        places: planned.places.clone(),
        overlay: overlays.collect(),
        outcome: outcome.map_err(|error| error.to_string()),
    }
}

/// One value of a range, all else as it is.
fn alone(axis: &Axis, at: usize) -> Scenario {
    let id = format!("{} = {}", axis.name(), axis.value(at));
    let text = overlay(std::slice::from_ref(axis), &[at]);
    Scenario { overlays: vec![OverlayText { name: id.clone(), text }], id, planned: false }
}

/// A range moved alone.
fn moved_alone(desk: &Desk, axis: &Axis, stop: &AtomicBool) -> Moved {
    let scenarios: Vec<Scenario> = (0..axis.values.len()).map(|at| alone(axis, at)).collect();
    let mut points = Vec::with_capacity(scenarios.len());
    desk.answers(&scenarios, stop, &mut |at, outcome| {
        points.push((axis.value(at), outcome.map_err(|error| error.to_string())));
    });
    Moved { range: axis.name(), points }
}

/// The overlay of the scenario or solution the job chose.
fn chosen(
    job: &TuneJob,
    rows: &[ScenarioRow],
    solutions: &[tuning::Solution],
) -> Result<Option<(String, String)>, TuneError> {
    let Some(name) = &job.chosen else { return Ok(None) };
    let of_row = rows.iter().find(|row| row.id == *name);
    let of_row = of_row.map(|row| (name.clone(), row.overlay.clone()));
    let of_solution = || {
        let one = solutions.iter().find(|one| one.id == *name)?;
        match &one.found {
            Found::Best { overlay, .. } => Some((name.clone(), overlay.clone())),
            _ => None,
        }
    };
    let known = |id: &str| {
        job.solves.iter().any(|one| one.id == id)
            || scenarios(job).iter().any(|of| of.scenario.id == id)
    };
    match of_row.or_else(of_solution) {
        Some(found) => Ok(Some(found)),
        // A solution that has no value, or what was stopped before it: there is nothing to write.
        None if known(name) => Ok(None),
        None => Err(TuneError::Chosen { name: name.clone() }),
    }
}

/// What stands on every file, whatever was asked.
fn told(job: &TuneJob, desk: &Desk) -> Tuning {
    let months: Vec<_> = desk.pinned().iter().flat_map(|of| &of.months).collect();
    let packs = months.last().map_or(&[][..], |month| &month.law.packs);
    let mut hash = Sha256::new();
    for month in &months {
        hash.update(&month.law.snapshot);
    }
    let mut inputs: Vec<InputFile> = desk
        .pinned()
        .iter()
        .flat_map(|of| &of.files)
        .map(|file| InputFile {
            table: file.table.to_string(),
            file: file.name.to_string(),
            sha256: file.sha256.clone(),
            bytes: file.bytes,
            records: file.records,
        })
        .collect();
    let key = |file: &InputFile| (file.table.clone(), file.file.clone(), file.sha256.clone());
    inputs.sort_by_key(key);
    inputs.dedup();
    let grid = |of: &Combined, is_grid: bool| Family {
        id: of.id.clone(),
        title: of.title.clone(),
        is_grid,
        axes: of.axes.iter().map(Axis::name).collect(),
        values: of
            .axes
            .iter()
            .map(|axis| (0..axis.values.len()).map(|at| axis.value(at)).collect())
            .collect(),
    };
    let grids = job.grids.iter().map(|of| grid(of, true));
    let drawn = job.drawn.iter().map(|of| grid(&of.of, false));
    Tuning {
        job_id: job.id.clone(),
        title: job.title.clone(),
        tune_id: String::new(),
        calc_version: CALC_VERSION.to_owned(),
        months: desk.months(),
        known_on: job.jobs.last().map_or_else(String::new, |job| job.known_on.to_string()),
        packs: packs.iter().map(|pack| pack.id.to_string()).collect(),
        is_sample: packs.iter().any(|pack| pack.sample),
        law_sha256: hex(&hash.finalize()),
        inputs,
        assumed: assumed(job),
        institutions: desk.institutions.clone(),
        labels: labels(&months, job.language),
        baseline: desk.baseline().clone(),
        scenarios: Vec::new(),
        asked: 0,
        unanswered: 0,
        families: grids.chain(drawn).collect(),
        solutions: Vec::new(),
        frontiers: Vec::new(),
        moved: Vec::new(),
        chosen: None,
        worst: job.worst,
        language: job.language,
    }
}

/// What people call the items of the pinned months.
fn labels(months: &[&PinnedMonth], language: Language) -> BTreeMap<Arc<str>, Arc<str>> {
    let segments = months.iter().flat_map(|month| &month.law.segments);
    let heads = segments.flat_map(|law| &law.items).map(|item| &item.head);
    let label = |head: &RuleHead| match language {
        Language::Chinese => Arc::clone(&head.label),
        Language::English => Arc::clone(&head.english),
    };
    heads.map(|head| (Arc::clone(&head.id), label(head))).collect()
}

/// Everything assumed, settings of the job among it.
fn assumed(job: &TuneJob) -> Vec<Assumption> {
    let numbers = [("growth", &job.assumptions.growth), ("response", &job.assumptions.response)];
    let mut all: Vec<Assumption> = numbers
        .into_iter()
        .filter_map(|(what, assumed)| {
            let of = assumed.as_ref()?;
            Some(Assumption { what, value: of.value.to_string(), source: of.source.clone() })
        })
        .collect();
    let mut setting = |what, value: &str| {
        all.push(Assumption { what, value: value.to_owned(), source: String::new() });
    };
    setting("fees", if job.to_ceiling { "to_ceiling" } else { "as_filed" });
    let net_of =
        job.net_of.as_ref().map_or_else(|| "all_child_items".to_owned(), |of| of.join(" "));
    setting("net_of", &net_of);
    if job.planned {
        setting("planned", "true");
    }
    if let Some(day) = job.planned_from {
        setting("planned_from", &day.to_string());
    }
    all
}

/// Content hash: the job, what was read, the law, how much was answered.
fn identity(job: &TuneJob, desk: &Desk, of: &Tuning, answered: usize) -> String {
    let mut hash = Sha256::new();
    let mut feed = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    feed("tuoyu-tuning-v1");
    feed(CALC_VERSION);
    feed(&job.canonical);
    feed(&of.law_sha256);
    for file in &of.inputs {
        feed(&file.table);
        feed(&file.sha256);
    }
    for month in desk.months() {
        feed(&month.to_string());
    }
    feed(&of.scenarios.len().to_string());
    feed(&answered.to_string());
    hex(&hash.finalize())
}

/// Writes the folder beside its place and moves it in. Returns whether the same results stood there.
fn write(job: &TuneJob, tuning: &Tuning) -> Result<bool, TuneError> {
    publish::recover(&job.out, &|_| true).map_err(PublishError::from)?;
    let known = Manifest::read(&job.out).is_ok_and(|of| of.run_id == tuning.tune_id);
    if known && publish::verify(&job.out).is_ok_and(|damage| damage.is_empty()) {
        return Ok(true);
    }
    let mut draft = Draft::create_sealed_by(&job.out, MANIFEST).map_err(PublishError::from)?;
    tuning::write(tuning, &mut draft)?;
    draft.seal(tuning.manifest()).map_err(PublishError::from)?;
    draft.commit().map_err(PublishError::from)?;
    Ok(false)
}
