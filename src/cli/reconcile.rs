//! `tuoyu run` of a job of kind `reconcile`: what banks and the treasury answered, and what is open.

use super::args::JobCommand;
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
use super::spine;
use crate::domain::Fen;
use crate::domain::texts::Catalogue;
use crate::job::{self, ReconcileJob};
use crate::publish::recon::sum;
use crate::settle::Outcome as Posted;
use crate::settle::reconcile::{self, ReconcileReport};
use serde_json::{Value, json};
use std::io;

/// Reconciles, then prints the totals (or the report as JSON). Ends with [`Exit::Open`] where a person
/// has something to do.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn run(command: &JobCommand, console: &mut Console<'_>) -> Outcome {
    let language = command.changes.language;
    let overrides = spine::overrides(&command.changes);
    let job = match job::read_reconcile(&command.job, &overrides) {
        Ok(job) => job,
        Err(error) => {
            let trouble = Trouble::of(Exit::from(&error), &error);
            return console.tell_stopped(&trouble, &super::texts(language));
        }
    };
    let language = job.language;
    let texts = Catalogue::new(language);
    let done = {
        let mut progress = console.progress(language);
        super::keys::read(command.maker.key.as_deref()).and_then(|key| {
            let maker = spine::maker(&command.maker, key.as_ref(), (&console.user, &console.at));
            let threads = command.changes.threads.filter(|threads| *threads > 0);
            Ok(reconcile::reconcile(&job, threads, progress.as_mut(), &maker)?)
        })
    };
    match done {
        Err(trouble) => console.tell_stopped(&trouble, &texts),
        Ok(report) => {
            if command.json {
                writeln!(console.out, "{}", told(&job, &report))?;
            } else {
                say(&report, &texts, console)?;
            }
            Ok(if report.open > 0 { Exit::Open } else { Exit::Done })
        }
    }
}

fn told(job: &ReconcileJob, report: &ReconcileReport) -> Value {
    let totals = &report.totals;
    json!({
        "recon_id": report.recon_id,
        "job": job.id,
        "settles": job.settles,
        "period": report.period.to_string(),
        "folder": report.folder.display().to_string(),
        "posted": if report.outcome == Posted::New { "new" } else { "already_there" },
        "messages": report.messages,
        "sent": sum(totals.sent),
        "paid": sum(totals.paid),
        "rejected": sum(totals.rejected),
        "returned": sum(totals.returned),
        "pending": sum(totals.pending),
        "excess": sum(totals.excess),
        "held": sum(totals.held),
        "open": report.open,
        "refused": report.refused,
        "answered": report.answered,
        "correction": report.correction.as_ref().map(|of| json!({
            "run_id": of.run_id,
            "number": of.number,
            "folder": of.folder.display().to_string(),
            "payments": of.payments,
            "amount_fen": of.amount_fen,
            "held": of.held,
        })),
    })
}

fn say(report: &ReconcileReport, texts: &Catalogue, console: &mut Console<'_>) -> io::Result<()> {
    let mut line =
        |key: &str, values: &[(&str, &str)]| writeln!(console.out, "{}", texts.phrase(key, values));
    let totals = &report.totals;
    let number = |(count, _): (u64, i128)| count.to_string();
    let yuan = |(_, fen): (u64, i128)| Fen(i64::try_from(fen).unwrap_or(i64::MAX)).to_string();
    let messages = report.messages.to_string();
    line("cli.recon_done", &[("period", &report.period.to_string()), ("messages", &messages)])?;
    for (key, of) in [
        ("cli.recon_sent", totals.sent),
        ("cli.recon_paid", totals.paid),
        ("cli.recon_rejected", totals.rejected),
        ("cli.recon_returned", totals.returned),
        ("cli.recon_pending", totals.pending),
    ] {
        line(key, &[("count", &number(of)), ("amount", &yuan(of))])?;
    }
    if totals.excess.1 != 0 {
        let of = totals.excess;
        line("cli.recon_excess", &[("count", &number(of)), ("amount", &yuan(of))])?;
    }
    let folder = report.folder.display().to_string();
    let (open, refused) = (report.open.to_string(), report.refused.to_string());
    let values = [("count", &*open), ("refused", &*refused), ("folder", &*folder)];
    line(if report.open == 0 { "cli.recon_balanced" } else { "cli.recon_open" }, &values)?;
    for run in &report.answered {
        line("cli.recon_answered", &[("run", run)])?;
    }
    if let Some(of) = &report.correction {
        let folder = of.folder.display().to_string();
        line(
            "cli.recon_correction",
            &[
                ("number", &of.number.to_string()),
                ("count", &of.payments.to_string()),
                ("amount", &Fen(of.amount_fen).to_string()),
                ("held", &of.held.to_string()),
                ("folder", &folder),
            ],
        )?;
    }
    line("cli.folder", &[("folder", &folder)])?;
    let posted = match report.outcome {
        Posted::New => "posted.reconciled",
        _ => "posted.already_there",
    };
    line("cli.ledger", &[("posted", texts.label(posted))])
}
