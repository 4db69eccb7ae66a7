//! `tuoyu audit rerun`: settles a run again from the archive alone and says whether every byte is
//! the same.

use super::args_audit::RerunCommand;
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
use super::spine;
use crate::audit::{Difference, DifferenceKind, RerunReport, Whose};
use crate::domain::texts::{Catalogue, Language};

/// Settles again, compares, prints one line or the list of differences.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn rerun(command: &RerunCommand, console: &mut Console<'_>) -> Outcome {
    let texts = Catalogue::new(command.language.unwrap_or(Language::Chinese));
    let report = {
        let mut progress = console.progress(texts.language());
        spine::rerun(command, progress.as_mut())
    };
    match report {
        Ok(report) if command.json => {
            writeln!(console.out, "{}", json(&report))?;
            Ok(exit(&report))
        }
        Ok(report) => {
            for line in lines(&report, &texts) {
                writeln!(console.out, "{line}")?;
            }
            Ok(exit(&report))
        }
        Err(trouble) => tell(&trouble, command, console),
    }
}

fn tell(trouble: &Trouble, command: &RerunCommand, console: &mut Console<'_>) -> Outcome {
    console.tell(trouble, &super::texts(command.language))
}

const fn exit(report: &RerunReport) -> Exit {
    if report.differences.is_empty() { Exit::Done } else { Exit::Differs }
}

fn json(report: &RerunReport) -> serde_json::Value {
    let differences: Vec<serde_json::Value> = report
        .differences
        .iter()
        .map(|of| {
            serde_json::json!({
                "file": of.file,
                "whose": whose_word(of.whose),
                "kind": kind_word(of.kind),
                "line": of.at.as_ref().map(|at| at.line),
                "column": of.at.as_ref().and_then(|at| at.column.clone()),
                "expected": of.at.as_ref().and_then(|at| at.expected.clone()),
                "found": of.at.as_ref().and_then(|at| at.found.clone()),
            })
        })
        .collect();
    serde_json::json!({
        "run_id": report.run_id,
        "found_run_id": report.found_run_id,
        "calc_version": report.calc_version,
        "same_version": report.same_version,
        "files": report.files,
        "uncompared": report.uncompared,
        "differences": differences,
    })
}

const fn whose_word(whose: Whose) -> &'static str {
    match whose {
        Whose::Rerun => "rerun",
        Whose::Folder => "folder",
    }
}

const fn kind_word(kind: DifferenceKind) -> &'static str {
    match kind {
        DifferenceKind::Changed => "changed",
        DifferenceKind::Missing => "missing",
        DifferenceKind::Extra => "extra",
    }
}

fn lines(report: &RerunReport, texts: &Catalogue) -> Vec<String> {
    let (run, files) = (report.run_id.as_str(), report.files.to_string());
    let count = report.differences.len().to_string();
    let mut lines = Vec::new();
    if !report.same_version {
        let values = [("version", report.calc_version.as_str())];
        lines.push(texts.phrase("cli.rerun_version", &values));
        if !report.uncompared.is_empty() {
            let files = report.uncompared.join(", ");
            lines.push(texts.phrase("cli.rerun_uncompared", &[("files", &files)]));
        }
    }
    if report.differences.is_empty() {
        let key = if report.same_version { "cli.rerun_same" } else { "cli.rerun_same_contents" };
        lines.push(texts.phrase(key, &[("run", run), ("files", &files)]));
        return lines;
    }
    let values = [("run", run), ("files", files.as_str()), ("count", count.as_str())];
    lines.push(texts.phrase("cli.rerun_differs", &values));
    if report.same_version && report.found_run_id != report.run_id {
        lines.push(texts.phrase("cli.rerun_other_run", &[("run", &report.found_run_id)]));
    }
    for of in &report.differences {
        tell_difference(of, texts, &mut lines);
    }
    lines
}

/// The file and what is wrong with it; then, where it can be shown, both texts of the first place.
fn tell_difference(of: &Difference, texts: &Catalogue, lines: &mut Vec<String>) {
    let key = match (of.whose, of.kind) {
        (Whose::Rerun, DifferenceKind::Changed) => "cli.rerun_changed",
        (Whose::Rerun, DifferenceKind::Missing) => "cli.rerun_missing",
        (Whose::Folder, DifferenceKind::Missing) => "cli.rerun_folder_missing",
        (Whose::Folder, _) => "cli.rerun_folder_changed",
        (Whose::Rerun, DifferenceKind::Extra) => "cli.rerun_extra",
    };
    let number = of.at.as_ref().map(|at| at.line.to_string());
    let column = of.at.as_ref().and_then(|at| at.column.clone());
    let mut values = vec![("file", of.file.as_str())];
    values.extend(number.as_deref().map(|number| ("line", number)));
    values.extend(column.as_deref().map(|column| ("column", column)));
    lines.push(texts.phrase(key, &values));
    if let Some(at) = &of.at {
        let text = |side: &Option<String>| {
            side.clone().unwrap_or_else(|| texts.label("cli.rerun_nothing").to_owned())
        };
        let (expected, found) = (text(&at.expected), text(&at.found));
        lines.push(texts.phrase("cli.rerun_expected", &[("text", &expected)]));
        lines.push(texts.phrase("cli.rerun_found", &[("text", &found)]));
    }
}
