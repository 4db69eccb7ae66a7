//! `tuoyu audit sql`: settles a run's period again and writes it as facts and SQL, so that it can
//! be computed without this program.

use super::again::Again;
use super::args::{AuditCommand, Changes};
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
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
    let asked = Again::find(&command.run, command.job.as_deref(), command.period)?;
    let job = asked.job(Changes {
        input: command.input.clone(),
        ledger: command.ledger.clone(),
        language: command.language,
        ..Changes::default()
    })?;
    let mut progress = console.progress(spine::language(&job));
    spine::audit(&job, asked.run_id.as_deref(), command, progress.as_mut())
}
