//! `tuoyu check`: law and inputs only; writes nothing.

use super::args::JobCommand;
use super::console::{Console, Outcome};
use super::exit::Exit;
use super::spine::{self, CheckReport};
use crate::domain::texts::Catalogue;
use crate::domain::{Finding, Severity};

/// Reads law and inputs, prints each finding and the totals (or all of it as JSON).
///
/// # Errors
/// When the console cannot be written.
pub(super) fn check(command: &JobCommand, console: &mut Console<'_>) -> Outcome {
    let job = match spine::job(&command.job, &command.changes) {
        Ok(job) => job,
        Err(trouble) => return console.tell(&trouble, &super::texts(command.changes.language)),
    };
    let language = spine::language(&job);
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
            ("period", report.period.to_string()),
            ("tables", report.tables.len().to_string()),
            ("rows", report.rows_read().to_string()),
            ("refused", report.rows_refused().to_string()),
            ("findings", report.findings.len().to_string()),
        ];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        writeln!(console.out, "{}", texts.phrase("cli.check_done", &values))?;
    }
    Ok(if report.rows_refused() > 0 { Exit::Refused } else { Exit::Done })
}

const fn severity_key(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "severity.error",
        Severity::Warn => "severity.warn",
        Severity::Note => "severity.note",
    }
}

fn json(report: &CheckReport, texts: &Catalogue) -> serde_json::Value {
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
        .map(|table| {
            let rows = serde_json::json!({ "read": table.read, "refused": table.refused });
            (table.table.clone(), rows)
        })
        .collect();
    serde_json::json!({
        "period": report.period.to_string(),
        "tables": tables,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}
