//! `tuoyu explain`: settles a run's period again, checks that it is the same run, and tells every
//! step of the amounts asked for.

use super::again::Again;
use super::args::{Changes, ExplainCommand};
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
use super::spine;
use crate::domain::texts::Catalogue;
use crate::explain::{Explanation, render};

/// Explains lines of a run.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn explain(command: &ExplainCommand, console: &mut Console<'_>) -> Outcome {
    match answer(command, console) {
        Ok((explanation, texts)) => {
            if command.json {
                let json = serde_json::to_string_pretty(&explanation)?;
                writeln!(console.out, "{json}")?;
            } else {
                console.out.write_all(render(&explanation, &texts).as_bytes())?;
            }
            Ok(Exit::Done)
        }
        Err(trouble) => console.tell(&trouble, &super::texts(command.language)),
    }
}

fn answer(
    command: &ExplainCommand,
    console: &Console<'_>,
) -> Result<(Explanation, Catalogue), Trouble> {
    let asked = Again::find(&command.run, command.job.as_deref(), command.month)?;
    let job = asked.job(Changes {
        input: command.input.clone(),
        ledger: command.ledger.clone(),
        language: command.language,
        ..Changes::default()
    })?;
    let language = spine::language(&job);
    let mut progress = console.progress(language);
    let explanation = spine::explain(&job, asked.run_id.as_deref(), command, progress.as_mut())?;
    Ok((explanation, Catalogue::new(language)))
}
