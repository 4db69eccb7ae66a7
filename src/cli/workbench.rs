//! `tuoyu workbench`: opens the desk of a job, prints the address of its page, serves until ended.

use super::args_workbench::WorkbenchCommand;
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
use super::spine;
use crate::domain::texts::{Catalogue, Language};
use crate::job::{self, JobKind};
use crate::law::OverlayText;
use crate::tune::Baseline;
use crate::workbench::{self, Door, Subject, Token, Workbench};
use std::path::Path;

/// Serves the page.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn workbench(command: &WorkbenchCommand, console: &mut Console<'_>) -> Outcome {
    let (subject, language) = match subject(command) {
        Ok(found) => found,
        Err(trouble) => return console.tell(&trouble, &super::texts(command.changes.language)),
    };
    let texts = Catalogue::new(language);
    let opened = opened(command, subject, &texts, console);
    let (door, token, bench) = match opened {
        Ok(opened) => opened,
        Err(trouble) => return console.tell(&trouble, &texts),
    };
    let url = door.url(&token);
    if command.json {
        writeln!(console.out, "{}", serde_json::json!({ "url": url }))?;
    } else {
        writeln!(console.out, "{url}")?;
    }
    console.out.flush()?;
    writeln!(console.err, "{}", texts.label("cli.workbench_serving"))?;
    let Err(error) = workbench::serve(door, token, bench);
    console.tell(&Trouble::of(Exit::World, &error), &texts)
}

/// A tune job with its baseline, or a settlement as a baseline of its own.
fn subject(command: &WorkbenchCommand) -> Result<(Subject, Language), Trouble> {
    let (path, changes) = (command.job.as_path(), &command.changes);
    if job::kind(path).is_ok_and(|kind| kind == JobKind::Tune) {
        let overrides = spine::overrides(changes);
        let job = job::read_tune(path, &overrides)
            .map_err(|error| Trouble::of(Exit::from(&error), &error))?;
        let baseline = Baseline::of(&job);
        let of_jobs = job.jobs.first().map(spine::language);
        let language = changes.language.or(of_jobs).unwrap_or(Language::Chinese);
        return Ok((Subject { title: job.title, baseline, threads: job.threads }, language));
    }
    let job = spine::job(path, changes)?;
    let language = spine::language(&job);
    let baseline = Baseline::of_settlement(&job);
    Ok((Subject { title: job.title, baseline, threads: job.threads }, language))
}

fn opened(
    command: &WorkbenchCommand,
    subject: Subject,
    texts: &Catalogue,
    console: &Console<'_>,
) -> Result<(Door, Token, Workbench), Trouble> {
    // A port that is taken is told before the inputs are read.
    let door = Door::open(command.port).map_err(|error| {
        let message = format!("--port: 127.0.0.1:{}: {error}", command.port);
        Trouble::told(Exit::World, format!("{message}; hint: name another, or none"))
    })?;
    let drawn = (console.draw)();
    let bytes = drawn.ok_or_else(|| {
        Trouble::told(Exit::World, "the system gives no random numbers".to_owned())
    })?;
    let overlay = command.overlay.as_deref().map(read_overlay).transpose()?;
    let mut progress = console.progress(texts.language());
    let mut bench = workbench::open(subject, texts.clone(), progress.as_mut())?;
    if let Some(overlay) = overlay {
        bench.begin_with(&overlay).map_err(|error| Trouble::of(Exit::Usage, &error))?;
    }
    Ok((door, Token::new(bytes), bench))
}

fn read_overlay(file: &Path) -> Result<OverlayText, Trouble> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Trouble::told(Exit::World, format!("{name}: {error}")))?;
    Ok(OverlayText { name, text })
}
