//! `tuoyu run` of a job of kind `tune`: what the law would come to if it were otherwise.

use super::args::JobCommand;
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
use super::spine;
use crate::domain::texts::Catalogue;
use crate::domain::{Fen, Severity};
use crate::job;
use crate::publish::tuning::{Found, Solution};
use crate::tune::{self, TuneError, TuneReport};
use serde_json::{Value, json};
use signal_hook::consts::SIGINT;
use signal_hook::flag::{register, register_conditional_shutdown};
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

impl From<&TuneError> for Exit {
    fn from(error: &TuneError) -> Self {
        match error {
            TuneError::Settle(error) => Self::from(error),
            TuneError::Rules { error, .. } => Self::from(&**error),
            TuneError::Scenario { .. } => Self::Law,
            TuneError::NothingPinned | TuneError::Chosen { .. } => Self::Usage,
            TuneError::Publish(_) | TuneError::Threads { .. } => Self::World,
        }
    }
}

impl From<TuneError> for Trouble {
    fn from(error: TuneError) -> Self {
        match error {
            TuneError::Settle(error) => Self::from(error),
            TuneError::Scenario { errors, .. } => Self::from(errors),
            error => Self::of(Exit::from(&error), &error),
        }
    }
}

/// Answers every scenario and question, then prints what came of them (or JSON).
///
/// # Errors
/// When the console cannot be written.
pub(super) fn run(command: &JobCommand, console: &mut Console<'_>) -> Outcome {
    let language = command.changes.language;
    let overrides = spine::overrides(&command.changes);
    let job = match job::read_tune(&command.job, &overrides) {
        Ok(job) => job,
        Err(error) => {
            let trouble = Trouble::of(Exit::from(&error), &error);
            return console.tell_stopped(&trouble, &super::texts(language));
        }
    };
    let language = job.language;
    let texts = Catalogue::new(language);
    let stop = stopping();
    let done = {
        let mut progress = console.progress(language);
        tune::run(&job, progress.as_mut(), &stop)
    };
    match done {
        Err(error) => console.tell_stopped(&Trouble::from(error), &texts),
        Ok(report) => {
            if command.json {
                writeln!(console.out, "{}", told(&report))?;
            } else {
                say(&report, &texts, console)?;
            }
            for row in report.tuning.scenarios.iter().filter(|row| row.outcome.is_err()).take(20) {
                let why = row.outcome.as_ref().err().cloned().unwrap_or_default();
                console.plain(&[why], Severity::Warn, &texts)?;
            }
            let any_failed = report.tuning.scenarios.iter().any(|row| row.outcome.is_err());
            Ok(match (report.tuning.is_partial(), any_failed) {
                (true, _) => Exit::Stopped,
                (false, true) => Exit::Refused,
                (false, false) => Exit::Done,
            })
        }
    }
}

/// Looks at the law of every scenario; reads no input and writes nothing.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn check(command: &JobCommand, console: &mut Console<'_>) -> Outcome {
    let language = command.changes.language;
    let job = match job::read_tune(&command.job, &spine::overrides(&command.changes)) {
        Ok(job) => job,
        Err(error) => {
            let trouble = Trouble::of(Exit::from(&error), &error);
            return console.tell(&trouble, &super::texts(language));
        }
    };
    let texts = Catalogue::new(job.language);
    let checked = match tune::check(&job) {
        Ok(checked) => checked,
        Err(error) => return console.tell(&Trouble::from(error), &texts),
    };
    let wrong = checked.wrong.len();
    if command.json {
        let told: Vec<Value> = checked
            .wrong
            .iter()
            .map(|(id, error)| json!({ "scenario": id, "error": error.to_string() }))
            .collect();
        writeln!(console.out, "{}", json!({ "scenarios": checked.scenarios, "wrong": told }))?;
    } else {
        let (scenarios, count) = (checked.scenarios.to_string(), wrong.to_string());
        let values = [("scenarios", &*scenarios), ("wrong", &*count)];
        writeln!(console.out, "{}", texts.phrase("cli.tune_checked", &values))?;
    }
    for (_, error) in checked.wrong.into_iter().take(20) {
        console.plain(&[error.to_string()], Severity::Error, &texts)?;
    }
    Ok(if wrong > 0 { Exit::Law } else { Exit::Done })
}

/// What the shell sees of a program that a second Ctrl-C ended before it wrote anything.
const INTERRUPTED: i32 = 130;

/// Set by the first Ctrl-C: what was answered is written. The second ends the program at once. Where the
/// system has no such signal nothing sets it.
fn stopping() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    // In this order: the second signal finds the flag set by the first.
    let _ = register_conditional_shutdown(SIGINT, INTERRUPTED, Arc::clone(&stop));
    let _ = register(SIGINT, Arc::clone(&stop));
    stop
}

fn told(report: &TuneReport) -> Value {
    let of = &report.tuning;
    let solutions: Vec<Value> = of
        .solutions
        .iter()
        .map(|one| match &one.found {
            Found::Best { value, .. } => json!({ "id": one.id, "value": value }),
            _ => json!({ "id": one.id, "value": null }),
        })
        .collect();
    json!({
        "tune_id": report.tune_id,
        "job": of.job_id,
        "folder": report.folder.display().to_string(),
        "baseline_cost_fen": of.baseline.cost_fen,
        "scenarios_asked": of.asked,
        "scenarios_answered": of.scenarios.len(),
        "scenarios_failed": of.scenarios.iter().filter(|row| row.outcome.is_err()).count(),
        "partial": of.is_partial(),
        "solutions": solutions,
    })
}

fn say(report: &TuneReport, texts: &Catalogue, console: &mut Console<'_>) -> io::Result<()> {
    let of = &report.tuning;
    let mut line =
        |key: &str, values: &[(&str, &str)]| writeln!(console.out, "{}", texts.phrase(key, values));
    let answered = of.scenarios.len().to_string();
    let asked = of.asked.to_string();
    line("cli.tune_done", &[("answered", &answered), ("asked", &asked)])?;
    if of.is_partial() {
        line("cli.tune_partial", &[])?;
    }
    line("cli.tune_baseline", &[("amount", &Fen(of.baseline.cost_fen).to_string())])?;
    let costs = of.scenarios.iter().filter_map(|row| Some((row, row.outcome.as_ref().ok()?)));
    let cheapest = costs.clone().min_by_key(|(row, told)| (told.cost_fen, row.id.clone()));
    let dearest = costs.max_by_key(|(row, told)| (told.cost_fen, row.id.clone()));
    for (key, found) in [("cli.tune_cheapest", cheapest), ("cli.tune_dearest", dearest)] {
        if let Some((row, told)) = found {
            let change = Fen(told.cost_fen - of.baseline.cost_fen).to_string();
            let amount = Fen(told.cost_fen).to_string();
            line(key, &[("scenario", &row.id), ("amount", &amount), ("change", &change)])?;
        }
    }
    for one in &of.solutions {
        let (key, value, beyond) = words(one);
        line(key, &[("title", &one.title), ("value", &value), ("beyond", &beyond)])?;
    }
    line("cli.folder", &[("folder", &report.folder.display().to_string())])?;
    line("cli.run_id", &[("run", &report.tune_id)])
}

/// The sentence of a solution, its value, and the neighbour that fails.
fn words(one: &Solution) -> (&'static str, String, String) {
    match &one.found {
        Found::Best { value, beyond: Some((next, _)), .. } => {
            ("cli.solution_found", value.clone(), next.clone())
        }
        Found::Best { value, beyond: None, .. } => {
            ("cli.solution_at_end", value.clone(), String::new())
        }
        Found::Never { value, .. } => ("cli.solution_never", value.clone(), String::new()),
        Found::NotMonotone { .. } => ("cli.solution_both_ways", String::new(), String::new()),
        Found::Failed { reason } => ("cli.solution_failed", reason.clone(), String::new()),
    }
}
