//! `tuoyu audit prove`, `tuoyu audit verify`: what an auditor can check without trusting us.

use super::again::Again;
use super::args::Changes;
use super::args_acts::{ProveCommand, VerifyCommand};
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
use super::{meant, spine};
use crate::domain::Fen;
use crate::domain::texts::{Catalogue, Language};
use crate::ledger::Verified;
use crate::publish::{Proof, ProofError};
use crate::settle::acts;

/// Writes a proof, or checks one.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn prove(command: &ProveCommand, console: &mut Console<'_>) -> Outcome {
    match proved(command) {
        Ok(text) => {
            writeln!(console.out, "{}", text.trim_end())?;
            Ok(Exit::Done)
        }
        Err(trouble) => console.tell(&trouble, &super::texts(command.language())),
    }
}

fn proved(command: &ProveCommand) -> Result<String, Trouble> {
    let told = |error: ProofError| Trouble::of(exit(&error), &error);
    match command {
        ProveCommand::Make { run, wanted, job, period, language } => {
            let again = Again::find(run, job.as_deref(), *period)?;
            let job = again.job(Changes { language: *language, ..Changes::default() })?;
            let folder = if run.is_dir() { run } else { &job.out };
            let proof = crate::publish::prove(folder, &spine::pseudonyms(&job)?, wanted);
            Ok(proof.map_err(told)?.text())
        }
        ProveCommand::Check { file, root, language } => {
            let proof = Proof::read(file).map_err(told)?;
            proof.check(root).map_err(told)?;
            let texts = Catalogue::new(language.unwrap_or(Language::Chinese));
            let mut lines = vec![texts.phrase(
                "cli.proved",
                &[("count", &proof.proved.len().to_string()), ("run", &proof.run_id)],
            )];
            for line in &proof.proved {
                let fields = proof.columns.iter().zip(&line.row);
                let fields = fields.filter(|(_, field)| !field.is_empty());
                lines.extend(fields.map(|(column, field)| {
                    let money = column.ends_with("_fen") || column == "rate";
                    let yuan = field.parse().ok().filter(|_| money).map(|fen| Fen(fen).to_string());
                    let (title, colon) = (texts.column(column), texts.label("word.colon"));
                    format!("{title}{colon}{}", yuan.as_deref().unwrap_or(field))
                }));
            }
            Ok(lines.join("\n"))
        }
    }
}

/// A proof that does not hold differs from what was published.
const fn exit(error: &ProofError) -> Exit {
    match error {
        ProofError::NotProved { .. } | ProofError::OtherRoot { .. } => Exit::Differs,
        ProofError::Folder(_)
        | ProofError::Schedule { .. }
        | ProofError::NoLine { .. }
        | ProofError::LineEnd { .. }
        | ProofError::NoProof { .. } => Exit::World,
    }
}

/// Proves the books, and the run folders named with them.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn verify(command: &VerifyCommand, console: &mut Console<'_>) -> Outcome {
    match verified(command) {
        Ok(Verified { events, head, runs }) => {
            if command.json {
                let json = serde_json::json!({
                    "events": events, "runs": runs, "head": head, "folders": command.runs.len(),
                });
                writeln!(console.out, "{json}")?;
            } else {
                let texts = Catalogue::new(command.language.unwrap_or(Language::Chinese));
                let (runs, event) = (runs.to_string(), events.to_string());
                let folders = command.runs.len().to_string();
                let mut values = vec![("runs", &*runs), ("event", &*event), ("head", &*head)];
                if !command.runs.is_empty() {
                    values.push(("folders", &folders));
                }
                writeln!(console.out, "{}", texts.phrase("cli.verified", &values))?;
                writeln!(console.out, "{}", texts.phrase("cli.act_head", &values))?;
            }
            Ok(Exit::Done)
        }
        Err(trouble) => console.tell(&trouble, &super::texts(command.language)),
    }
}

fn verified(command: &VerifyCommand) -> Result<Verified, Trouble> {
    let path = match (&command.ledger, command.runs.first()) {
        (Some(file), _) => file.clone(),
        (None, Some(run)) => meant::ledger_of(run, command.job.as_deref())?,
        (None, None) => meant::LEDGER.into(),
    };
    let verified = acts::verify(&path, command.head.as_deref(), &command.runs)?;
    acts::verify_archive(&path, command.archive.as_deref())?;
    Ok(verified)
}
