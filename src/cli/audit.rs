//! `tuoyu audit sql`: settles a run's period again and writes it as facts and SQL, so that it can
//! be computed without this program.

use super::args::{AuditCommand, Changes};
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
use super::explain::Asked;
use super::spine;

/// Writes the folder and prints its name.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn audit(command: &AuditCommand, console: &mut Console<'_>) -> Outcome {
    match write(command, console) {
        Ok(()) => {
            writeln!(console.out, "{}", command.out.join(crate::audit::SCRIPT).display())?;
            Ok(Exit::Done)
        }
        Err(trouble) => console.tell(&trouble, &super::texts(command.language)),
    }
}

fn write(command: &AuditCommand, console: &Console<'_>) -> Result<(), Trouble> {
    let asked = Asked::find(&command.run, command.job.as_deref(), command.period)?;
    let changes = Changes {
        period: asked.period,
        input: command.input.clone(),
        known_on: asked.known_on,
        ledger: command.ledger.clone(),
        language: command.language,
        ..Changes::default()
    };
    let job = spine::job(&asked.job, &changes)?;
    let mut progress = console.progress(spine::language(&job));
    spine::audit(&job, asked.run_id.as_deref(), command, progress.as_mut())
}
