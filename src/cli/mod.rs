//! The command line: words in, exit code out; the only room that prints.
//!
//! In: arguments, a [`Console`]. Out: text on its writers, an [`Exit`]. Order: last.
//! Never: computes, decides, prints past the console (progress bars on a terminal apart).

mod act;
mod again;
mod args;
mod args_acts;
mod args_audit;
mod args_authoring;
mod args_cases;
mod args_draft;
mod args_explain;
mod args_ledger;
mod args_profile;
mod args_workbench;
mod audit;
mod authoring;
mod books;
mod cases;
mod check;
mod console;
mod difference;
mod exit;
mod explain;
mod keys;
mod meant;
mod policy;
mod policy_new;
mod profile;
mod progress;
mod prove;
mod reconcile;
mod rerun;
mod run;
mod scaffold;
mod source;
mod spine;
mod tune;
mod workbench;

pub use args::{
    AuditCommand, Changes, Command, JobCommand, Moment, PolicyCommand, PolicyQuestion, UsageError,
};
pub use args_acts::{ActCommand, KeysCommand, MakerWords, ProveCommand, VerifyCommand};
pub use args_audit::{DiffCommand, RerunCommand};
pub use args_authoring::{DocWords, ScaffoldWords, SchemaOf};
pub use args_cases::CasesWords;
pub use args_draft::DraftWords;
pub use args_explain::{ExplainCommand, StatementWords};
pub use args_ledger::{LedgerCommand, LedgerQuestion};
pub use args_profile::ProfileCommand;
pub use args_workbench::WorkbenchCommand;
pub use console::{Complaint, Console, Outcome, Trouble};
pub use exit::Exit;

use crate::domain::texts::{Catalogue, Language};
use clap::Parser as _;
use std::ffi::OsString;

/// Runs the program on its arguments (the first is its name).
///
/// # Errors
/// When the console cannot be written.
pub fn main(arguments: impl IntoIterator<Item = OsString>, console: &mut Console<'_>) -> Outcome {
    let command = match args::Low::try_parse_from(arguments) {
        Ok(low) => Command::try_from(low),
        Err(error) => {
            // Help and version are data; a wrong word is not.
            return if error.use_stderr() {
                write!(console.err, "{}", error.render())?;
                Ok(Exit::Usage)
            } else {
                write!(console.out, "{}", error.render())?;
                console.out.flush()?;
                Ok(Exit::Done)
            };
        }
    };
    let exit = match command {
        Err(error) => console.tell(&Trouble::of(Exit::Usage, &error), &texts(None)),
        Ok(Command::Run(command)) => run::run(&command, console),
        Ok(Command::Check(command)) => check::check(&command, console),
        Ok(Command::Policy(command)) => policy::policy(&command, console),
        Ok(Command::Profile(command)) => profile::profile(&command, console),
        Ok(Command::Explain(command)) => explain::explain(&command, console),
        Ok(Command::Act(command)) => act::act(&command, console),
        Ok(Command::Keys(command)) => keys::keys(&command, console),
        Ok(Command::Ledger(command)) => books::books(&command, console),
        Ok(Command::Verify(command)) => prove::verify(&command, console),
        Ok(Command::Prove(command)) => prove::prove(&command, console),
        Ok(Command::Audit(command)) => audit::audit(&command, console),
        Ok(Command::Diff(command)) => difference::difference(&command, console),
        Ok(Command::Rerun(command)) => rerun::rerun(&command, console),
        Ok(Command::Workbench(command)) => workbench::workbench(&command, console),
    }?;
    console.out.flush()?;
    Ok(exit)
}

/// Texts before a job says its language: as asked, else English, which scripts and logs expect.
fn texts(language: Option<Language>) -> Catalogue {
    Catalogue::new(language.unwrap_or(Language::English))
}

/// A moment as the ledger keeps it: `2026-10-08T09:30:00Z` from seconds since 1970.
#[must_use]
pub fn moment(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400);
    let second = seconds.rem_euclid(86_400);
    let date = crate::domain::Date::from_days(i32::try_from(days).unwrap_or(0));
    format!("{date}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}
