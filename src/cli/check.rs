//! `tuoyu check`: law and inputs only; writes nothing.

use super::args::JobCommand;
use super::console::{Console, Outcome};
use super::exit::Exit;
use super::spine;
use crate::domain::texts::Catalogue;
use crate::domain::{Finding, Severity};
use crate::job::{self, JobKind};
use crate::settle::Checked;

/// Reads law and inputs, prints each finding and the totals (or all of it as JSON).
///
/// # Errors
/// When the console cannot be written.
pub(super) fn check(command: &JobCommand, console: &mut Console<'_>) -> Outcome {
    if job::kind(&command.job).is_ok_and(|kind| kind == JobKind::Tune) {
        return super::tune::check(command, console);
    }
    let job = match spine::job(&command.job, &command.changes) {
        Ok(job) => job,
        Err(trouble) => return console.tell(&trouble, &super::texts(command.changes.language)),
    };
    let language = job.language;
    let texts = Catalogue::new(language);
    let report = {
        let mut progress = console.progress(language);
        spine::check(&job, progress.as_mut())
    };
    let report = match report {
        Ok(report) => report,
        Err(trouble) => return console.tell(&trouble, &texts),
    };
    if command.json {
        writeln!(console.out, "{}", json(&report, &texts))?;
    } else {
        for finding in &report.findings {
            let (text, next) = texts.finding(finding);
            let severity = texts.label(severity_key(finding.code.severity()));
            writeln!(console.out, "{severity} {}: {text} {next}", finding.code.name())?;
        }
        let values = [
            ("period", period(&report)),
            ("tables", report.tables.len().to_string()),
            ("rows", rows(&report).0.to_string()),
            ("refused", rows(&report).1.to_string()),
            ("findings", report.findings.len().to_string()),
        ];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        writeln!(console.out, "{}", texts.phrase("cli.check_done", &values))?;
    }
    Ok(if rows(&report).1 > 0 { Exit::Refused } else { Exit::Done })
}

pub(super) const fn severity_key(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "severity.error",
        Severity::Warn => "severity.warn",
        Severity::Note => "severity.note",
    }
}

/// The last service month.
fn period(report: &Checked) -> String {
    report.months.last().map(ToString::to_string).unwrap_or_default()
}

/// Rows read and rows refused, over all tables.
fn rows(report: &Checked) -> (u64, u64) {
    report.tables.iter().fold((0, 0), |sums, table| (sums.0 + table.1, sums.1 + table.2))
}

fn json(report: &Checked, texts: &Catalogue) -> serde_json::Value {
    let finding = |finding: &Finding| {
        let (text, next_step) = texts.finding(finding);
        serde_json::json!({
            "code": finding.code.name(),
            "severity": finding.code.severity().word(),
            "table": finding.place.table,
            "file": finding.place.file,
            "record": finding.place.record,
            "institution_id": finding.institution_id,
            "rule": finding.rule,
            "count": finding.count,
            "money_fen": finding.money.map(|money| money.0),
            "text": text,
            "next_step": next_step,
        })
    };
    let tables: serde_json::Map<String, serde_json::Value> = report
        .tables
        .iter()
        .map(|(table, read, refused)| {
            (table.clone(), serde_json::json!({ "read": read, "refused": refused }))
        })
        .collect();
    serde_json::json!({
        "period": period(report),
        "tables": tables,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}
