//! The canonical text of a job: all that may change a byte of an output, and nothing else (S29).

use super::{Job, JobKind, TableSpec};
use crate::domain::Month;
use crate::domain::texts::Language;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Core tables that came later: a job that is given none reads as jobs did before there were any, so
/// that runs keep their ids.
pub(super) const YOUNGER: [&str; 2] = ["sessions", "payees"];

impl TableSpec {
    /// How the table is read, as one line of JSON: names of files without their folders.
    #[must_use]
    pub fn canonical(&self) -> String {
        table(self).to_string()
    }
}

/// One line of JSON with sorted keys. The law says what an overlay changes, so `overlays` is empty;
/// texts from before that named the files, and are restored with those names.
pub(super) fn canonical(job: &Job, overlays: &[String]) -> String {
    let kind = match job.kind {
        JobKind::Settle => "settle",
        JobKind::Reconcile => "reconcile",
        JobKind::Tune => "tune",
    };
    let told = |spec: &&TableSpec| {
        let plain = TableSpec { table: spec.table.clone(), ..TableSpec::default() };
        !YOUNGER.contains(&&*spec.table) || **spec != plain
    };
    let tables: Vec<Value> = job.tables.iter().filter(told).map(table).collect();
    let mut text = json!({
        "id": job.id,
        "kind": kind,
        "title": job.title,
        "period": job.period.to_string(),
        "packs": names(&job.packs),
        "overlays": overlays,
        "known_on": job.known_on.to_string(),
        "tables": tables,
        "workbooks": job.workbooks,
        "entitlements_csv": job.entitlements_csv,
        "change_percent": job.change_percent,
        "provisional_calendar": job.provisional_calendar,
        "retro": job.retro,
        "opening": job.opening.map(|month| month.to_string()),
        "office": job.office,
    });
    // A job without form, write-offs and files for the bank reads as jobs did before there were any:
    // archived ones are restored.
    if let Some(form) = &job.form {
        text["form"] = json!(form);
    }
    if job.pay_before_opening {
        text["before_opening"] = json!("pay");
    }
    if !job.write_offs.is_empty() {
        text["write_offs"] = json!(job.write_offs);
    }
    if !job.codes.is_empty() {
        text["codes"] = json!(job.codes);
    }
    if job.carry_failed {
        text["carry_failed"] = json!(true);
    }
    if let Some(pay) = &job.pay {
        text["pay"] = json!(pay);
    }
    // A job in Chinese reads as jobs did when there was no other language.
    if job.language != Language::Chinese {
        text["language"] = json!(job.language.tag());
    }
    text.to_string()
}

/// How a table is read, without the folders its files lie in.
pub(super) fn table(spec: &TableSpec) -> Value {
    let captures: Vec<Value> = spec
        .captures
        .iter()
        .map(|capture| json!([capture.column, capture.from, capture.pattern]))
        .collect();
    let months = |(from, until): (Month, Month)| [from.to_string(), until.to_string()];
    json!({
        "table": spec.table,
        "files": names(&spec.paths),
        "sheet": spec.sheet,
        "header_row": spec.header_row,
        "headers": spec.headers,
        "values": spec.values,
        "captures": captures,
        "constants": spec.constants,
        "ignore": spec.ignore,
        "received_on": spec.received_on.map(|date| date.to_string()),
        "complete_for": spec.complete_for.map(months),
    })
}

/// Last names only: the folders a file lies in are the machine's.
pub(super) fn names(paths: &[PathBuf]) -> Vec<String> {
    let last = |path: &PathBuf| {
        let name = Path::file_name(path);
        name.map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    };
    paths.iter().map(last).collect()
}
