//! `tuoyu audit sql`: settles a run's period again, from the archive where it is kept there, and writes
//! it as facts and SQL, so that it can be computed without this program.

use super::args::{AuditCommand, Changes};
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
use super::source::{Sought, Source};
use super::spine;
use crate::audit::Archived;
use crate::domain::texts::Language;

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
    let sought = Sought {
        run: &command.run,
        period: command.period,
        job: command.job.as_deref(),
        input: command.input.as_deref(),
        trial: command.ledger == Some(None),
        ledger: command.ledger.as_ref().and_then(Option::as_deref),
        archive: command.archive.as_deref(),
        kept_only: false,
    };
    let settled = match Source::of(&sought)? {
        Source::Kept { archive, ledger, run_id } => {
            let mut progress = console.progress(command.language.unwrap_or(Language::Chinese));
            Archived::open(&archive, &ledger, &run_id, None)?.audited(progress.as_mut())?
        }
        Source::Job(asked) => {
            let job = asked.job(Changes {
                input: command.input.clone(),
                ledger: command.ledger.clone(),
                ..Changes::default()
            })?;
            let mut progress = console.progress(command.language.unwrap_or(job.language));
            let run_id = asked.run_id.as_deref();
            spine::settled_again(&job, run_id, &command.run, true, progress.as_mut())?
        }
    };
    crate::audit::sql(&settled, &command.out).map_err(|error| Trouble::of(Exit::World, &error))
}
