//! `tuoyu explain`: settles what was asked again, from the archive where it is kept there, and tells
//! every step of an amount and what became of it; or draws up the statement of one child.

use super::again::Again;
use super::args::Changes;
use super::args_explain::{ExplainCommand, StatementWords};
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
use super::source::{Sought, Source};
use super::spine;
use crate::archive::Archive;
use crate::domain::texts::{Catalogue, Language};
use crate::explain::{
    Answer, Asked, Kept, StatementAsked, answer, render_answer, render_statement, statement,
};
use crate::publish::write_document;
use std::io::ErrorKind;
use std::path::Path;

/// Explains lines of a run.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn explain(command: &ExplainCommand, console: &mut Console<'_>) -> Outcome {
    let told = match &command.statement {
        Some(words) => stated(command, words, console),
        None => explained(command, console),
    };
    match told {
        Ok(text) => {
            console.out.write_all(text.as_bytes())?;
            Ok(Exit::Done)
        }
        Err(trouble) => console.tell(&trouble, &super::texts(command.language)),
    }
}

fn sought(command: &ExplainCommand) -> Sought<'_> {
    Sought {
        run: &command.run,
        period: command.month,
        job: command.job.as_deref(),
        input: command.input.as_deref(),
        trial: command.ledger == Some(None),
        ledger: command.ledger.as_ref().and_then(Option::as_deref),
        archive: command.archive.as_deref(),
        kept_only: command.statement.is_some(),
    }
}

fn explained(command: &ExplainCommand, console: &Console<'_>) -> Result<String, Trouble> {
    let asked = Asked {
        institution: command.institution.as_deref().unwrap_or_default(),
        item: command.item.as_deref(),
        child: command.child.as_deref(),
        month: command.month,
        limit: command.limit,
    };
    let (answer, language) = match Source::of(&sought(command))? {
        Source::Kept { archive, ledger, run_id } => {
            let language = command.language.unwrap_or(Language::Chinese);
            let mut progress = console.progress(language);
            let kept = Kept { archive: &archive, ledger: &ledger };
            (answer(&kept, &run_id, &asked, None, progress.as_mut())?, language)
        }
        Source::Job(again) => by_job(command, &again, &asked, console)?,
    };
    if command.json {
        return json(&answer);
    }
    Ok(render_answer(&answer, &Catalogue::new(language)))
}

/// Settles a job again; where the run it gives is kept, what became of it is told as well.
fn by_job(
    command: &ExplainCommand,
    again: &Again,
    asked: &Asked<'_>,
    console: &Console<'_>,
) -> Result<(Answer, Language), Trouble> {
    let job = again.job(Changes {
        input: command.input.clone(),
        ledger: command.ledger.clone(),
        ..Changes::default()
    })?;
    let language = command.language.unwrap_or(job.language);
    let mut progress = console.progress(language);
    let progress = progress.as_mut();
    let run_id = again.run_id.as_deref();
    let (run_id, explanation) = spine::explain(&job, run_id, &command.run, asked, progress)?;
    let archive = job.archive.as_deref().and_then(|folder| Archive::open(folder).ok());
    let archive = archive.filter(|archive| archive.holds(&run_id));
    let answer = match (archive, &job.ledger) {
        (Some(archive), Some(ledger)) => {
            let kept = Kept { archive: &archive, ledger };
            answer(&kept, &run_id, asked, Some(explanation), progress)?
        }
        _ => Answer { explanation, timeline: None },
    };
    Ok((answer, language))
}

fn stated(
    command: &ExplainCommand,
    words: &StatementWords,
    console: &Console<'_>,
) -> Result<String, Trouble> {
    let language = command.language.unwrap_or(Language::Chinese);
    let Source::Kept { archive, ledger, run_id } = Source::of(&sought(command))? else {
        let message = "a statement is drawn up from the archive; hint: name it with --archive";
        return Err(Trouble::told(Exit::World, message.to_owned()));
    };
    let asked = StatementAsked {
        child: command.child.as_deref().unwrap_or_default(),
        institution: command.institution.as_deref(),
        from: words.from,
        until: words.until,
    };
    let kept = Kept { archive: &archive, ledger: &ledger };
    let mut progress = console.progress(language);
    let statement = statement(&kept, &run_id, &asked, progress.as_mut())?;
    let texts = Catalogue::new(language);
    let text = if command.json { json(&statement)? } else { render_statement(&statement, &texts) };
    let Some(file) = &words.out else { return Ok(text) };
    write_document(file, text.as_bytes()).map_err(|error| unwritten(file, &error))?;
    let months = statement.months.len().to_string();
    let values = [("file", &*file.display().to_string()), ("months", &months)];
    Ok(texts.phrase("cli.statement_written", &values) + "\n")
}

fn unwritten(file: &Path, error: &std::io::Error) -> Trouble {
    let file = file.display();
    let message = if error.kind() == ErrorKind::AlreadyExists {
        format!("{file}: is there already; hint: name another file")
    } else {
        format!("{file}: cannot be written: {error}")
    };
    Trouble::told(Exit::World, message)
}

fn json(answer: &impl serde::Serialize) -> Result<String, Trouble> {
    let text = serde_json::to_string_pretty(answer);
    text.map(|text| text + "\n").map_err(|error| Trouble::told(Exit::Bug, error.to_string()))
}
