//! `tuoyu policy check|show|diff`: the law itself, without a job.

use super::args::{PolicyCommand, PolicyQuestion};
use super::console::{Console, Outcome};
use super::exit::Exit;
use super::spine;
use crate::domain::texts::{Catalogue, Language};

/// Answers a question about packs.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn policy(command: &PolicyCommand, console: &mut Console<'_>) -> Outcome {
    // Packs are written and read by developers of law; their messages are in English throughout.
    let texts = Catalogue::new(Language::English);
    let answer = match command.question {
        PolicyQuestion::Check => spine::policy_check(command).map(|lines| lines.join("\n")),
        PolicyQuestion::Show(at) => spine::policy_show(command, at),
        PolicyQuestion::Diff(before, after) => spine::policy_diff(command, before, after),
    };
    match answer {
        Ok(text) => {
            writeln!(console.out, "{}", text.trim_end())?;
            Ok(Exit::Done)
        }
        Err(trouble) => console.tell(&trouble, &texts),
    }
}
