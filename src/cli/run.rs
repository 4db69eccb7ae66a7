//! `tuoyu run`: settles a period and says what came of it.

use super::args::JobCommand;
use super::console::{Console, Outcome};
use super::exit::Exit;
use super::spine;
use crate::domain::texts::Catalogue;
use crate::domain::{Fen, amount_in_words};
use crate::job::{self, JobKind};
use crate::settle::{Outcome as Posted, RunReport};
use std::io;

/// Settles, then prints the totals (or the report as JSON).
///
/// # Errors
/// When the console cannot be written.
pub(super) fn run(command: &JobCommand, console: &mut Console<'_>) -> Outcome {
    // What cannot be read at all is told when it is read as a settlement.
    match job::kind(&command.job) {
        Ok(JobKind::Reconcile) => return super::reconcile::run(command, console),
        Ok(JobKind::Tune) => return super::tune::run(command, console),
        Ok(JobKind::Settle) | Err(_) => {}
    }
    let job = match spine::job(&command.job, &command.changes) {
        Ok(job) => job,
        Err(trouble) => {
            return console.tell_stopped(&trouble, &super::texts(command.changes.language));
        }
    };
    let language = spine::language(&job);
    let texts = Catalogue::new(language);
    let report = {
        let mut progress = console.progress(language);
        super::keys::read(command.maker.key.as_deref()).and_then(|key| {
            let maker = spine::maker(&command.maker, key.as_ref(), (&console.user, &console.at));
            spine::settle(&job, progress.as_mut(), &maker)
        })
    };
    match report {
        Err(trouble) => console.tell_stopped(&trouble, &texts),
        Ok(report) => {
            if command.json {
                writeln!(console.out, "{}", json(&report))?;
            } else {
                say(&report, &texts, console)?;
            }
            Ok(if report.refused > 0 || report.input_rows_refused > 0 {
                Exit::Refused
            } else {
                Exit::Done
            })
        }
    }
}

/// The word of a posting in `--json`.
const fn posted_word(posted: &Posted) -> &'static str {
    match posted {
        Posted::New => "new",
        Posted::Replaced => "replaced",
        Posted::AlreadyThere => "already_there",
        Posted::Trial => "trial",
    }
}

fn json(report: &RunReport) -> serde_json::Value {
    serde_json::json!({
        "run_id": report.run_id,
        "period": report.period.to_string(),
        "folder": report.folder.display().to_string(),
        "posted": posted_word(&report.outcome),
        "lines": report.paid.saturating_add(report.zero).saturating_add(report.refused),
        "paid": report.paid,
        "zero": report.zero,
        "refused": report.refused,
        "rows_refused": report.input_rows_refused,
        "payable_fen": report.payable_fen,
        "findings": report.findings,
        "refused_by_reason": report.refused_by_reason,
    })
}

fn say(report: &RunReport, texts: &Catalogue, console: &mut Console<'_>) -> io::Result<()> {
    let folder = report.folder.display().to_string();
    let mut line =
        |key: &str, values: &[(&str, &str)]| writeln!(console.out, "{}", texts.phrase(key, values));
    line(
        "cli.run_done",
        &[
            ("period", &report.period.to_string()),
            ("paid", &report.paid.to_string()),
            ("zero", &report.zero.to_string()),
            ("refused", &report.refused.to_string()),
        ],
    )?;
    let payable = Fen(report.payable_fen);
    line("cli.payable", &[("amount", &payable.to_string()), ("words", &amount_in_words(payable))])?;
    if !report.refused_by_reason.is_empty() {
        line("cli.refused_head", &[])?;
        for (code, count) in &report.refused_by_reason {
            line(
                "cli.refused_line",
                &[
                    (
                        "reason",
                        &report.words.get(code).cloned().unwrap_or_else(|| texts.reason(code)),
                    ),
                    ("code", code),
                    ("count", &count.to_string()),
                ],
            )?;
        }
    }
    let findings = report.findings.to_string();
    line("cli.findings", &[("count", &findings), ("folder", &folder)])?;
    line("cli.folder", &[("folder", &folder)])?;
    line("cli.run_id", &[("run", &report.run_id)])?;
    let posted = texts.label(match report.outcome {
        Posted::New => "posted.new",
        Posted::Replaced => "posted.replaced",
        Posted::AlreadyThere => "posted.already_there",
        Posted::Trial => "posted.trial",
    });
    line("cli.ledger", &[("posted", posted)])
}
