//! `tuoyu approve | release | close | reopen`: what persons do with a run.

use super::args_acts::ActCommand;
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
use super::meant::{self, Meant, Said};
use super::{keys, spine};
use crate::domain::Fen;
use crate::domain::texts::{Catalogue, Language};
use crate::ledger::{Act, ActKind, Course};
use crate::publish::Face;
use crate::settle::acts::{self, ActReport};
use std::io;

/// Does it and says what came of it.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn act(command: &ActCommand, console: &mut Console<'_>) -> Outcome {
    let texts = Catalogue::new(command.language.unwrap_or(Language::Chinese));
    let told = |trouble: &Trouble, console: &mut Console<'_>| {
        console.tell(trouble, &super::texts(command.language))
    };
    let mut meant = match meant::find(Said::from(command)) {
        Ok(meant) => meant,
        Err(trouble) => return told(&trouble, console),
    };
    match seen(command, &meant) {
        Ok(Some((course, face))) if command.kind == ActKind::Approve => {
            show(&course, &face, &texts, console)?;
        }
        Ok(_) => {}
        Err(trouble) => return told(&trouble, console),
    }
    match done(command, &mut meant, &console.at) {
        Ok(report) => {
            if command.json {
                writeln!(console.out, "{}", json(command, &report))?;
            } else {
                say(command, &report, &texts, console)?;
            }
            Ok(Exit::Done)
        }
        Err(trouble) => told(&trouble, console),
    }
}

/// The folder as it stands, checked against the ledger; needed before money is agreed to.
fn seen(command: &ActCommand, meant: &Meant) -> Result<Option<(Course, Face)>, Trouble> {
    let needed = matches!(command.kind, ActKind::Approve | ActKind::Release);
    if !needed && !meant.named {
        return Ok(None);
    }
    let course = meant.ledger.course(&meant.run_id).map_err(|e| Trouble::from_ledger(&e))?;
    let Some(folder) = &meant.folder else {
        let message = format!(
            "run {}: its run folder was not found; expected to see what is agreed to; hint: name \
             the run folder, or the job file with --job",
            meant.run_id
        );
        return Err(Trouble::told(Exit::World, message));
    };
    let face = acts::look(folder, &course)?;
    Ok(Some((course, face)))
}

fn done(command: &ActCommand, meant: &mut Meant, now: &str) -> Result<ActReport, Trouble> {
    let key = keys::read(command.key.as_deref())?;
    let act = Act {
        kind: command.kind,
        by: &command.by,
        at: command.at.as_deref().unwrap_or(now),
        reason: &command.reason,
        key: key.as_ref(),
    };
    let report = match (command.kind, &meant.folder) {
        (ActKind::Release, Some(folder)) => {
            acts::release(&mut meant.ledger, &meant.run_id, folder, &act)?
        }
        _ => acts::act(&mut meant.ledger, &meant.run_id, &act)?,
    };
    Ok(report)
}

/// What a person must see before agreeing.
fn show(
    course: &Course,
    face: &Face,
    texts: &Catalogue,
    console: &mut Console<'_>,
) -> io::Result<()> {
    let payable = Fen(face.payable_fen);
    let of = |severity: &str| face.findings.get(severity).copied().unwrap_or(0).to_string();
    let values = [
        ("period", course.period.to_string()),
        ("run", course.run_id.clone()),
        ("maker", course.made.by.clone()),
        ("amount", payable.to_string()),
        ("words", texts.words(payable)),
        ("payments", face.payments.to_string()),
        ("held", Fen(face.held_fen).to_string()),
        ("findings", face.findings.values().sum::<u64>().to_string()),
        ("errors", of("error")),
        ("changes", face.changes.to_string()),
    ];
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, &**value)).collect();
    for key in ["cli.face_run", "cli.face_money", "cli.face_findings"] {
        writeln!(console.err, "{}", texts.phrase(key, &values))?;
    }
    Ok(())
}

fn say(
    command: &ActCommand,
    report: &ActReport,
    texts: &Catalogue,
    console: &mut Console<'_>,
) -> io::Result<()> {
    let course = &report.course;
    let state = format!("state.{}", course.state.word());
    let (have, need) = (course.approvals.len().to_string(), course.demand.approvals.to_string());
    let (period, event) = (course.period.to_string(), report.seq.to_string());
    let by = match &course.release {
        Some(done) if report.again => &done.by,
        _ => &command.by,
    };
    let mut values = vec![
        ("period", &*period),
        ("by", by),
        ("state", texts.label(&state)),
        ("have", &have),
        ("need", &need),
        ("event", &event),
        ("head", &report.head),
    ];
    let folder = report.folder.as_ref().map(|folder| folder.display().to_string());
    if let Some(folder) = &folder {
        values.push(("folder", folder));
    }
    let key = match command.kind {
        ActKind::Approve => "cli.act_approved",
        ActKind::Release if report.again => "cli.act_released_before",
        ActKind::Release => "cli.act_released",
        ActKind::Answer => "cli.act_answered",
        ActKind::Close => "cli.act_closed",
        ActKind::Reopen => "cli.act_reopened",
    };
    writeln!(console.out, "{}", texts.phrase(key, &values))?;
    if folder.is_some() {
        writeln!(console.out, "{}", texts.phrase("cli.act_folder", &values))?;
    }
    writeln!(console.out, "{}", texts.phrase("cli.act_head", &values))
}

fn json(command: &ActCommand, report: &ActReport) -> serde_json::Value {
    let course = &report.course;
    serde_json::json!({
        "act": spine::act_word(command.kind),
        "run_id": course.run_id,
        "job": course.job_id,
        "period": course.period.to_string(),
        "state": course.state.word(),
        "approvals": course.approvals.len(),
        "approvals_needed": course.demand.approvals,
        "event": report.seq,
        "head": report.head,
        "folder": report.folder.as_ref().map(|folder| folder.display().to_string()),
        "again": report.again,
    })
}
