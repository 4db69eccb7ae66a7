//! `summary.json`: the control totals of a run, for scripts.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::control::Control;
use super::tally::Tallies;
use super::{FolderError, Manifest, Publication, PublishError};
use crate::domain::FindingCode;

/// Its name.
pub(super) const SUMMARY: &str = "summary.json";

/// The file as it is written; maps are sorted by key.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    format: u32,
    run_id: &'a str,
    job: &'a str,
    title: &'a str,
    office: &'a str,
    period: String,
    months: Vec<String>,
    /// 示例: an invented pack took part.
    sample: bool,
    lines: Lines,
    refused_by_reason: &'a BTreeMap<String, u64>,
    zero_by_reason: &'a BTreeMap<String, u64>,
    /// What people call each item.
    items: BTreeMap<&'a str, &'a str>,
    /// Language of those names; left out where it is zh-CN.
    #[serde(skip_serializing_if = "String::is_empty")]
    language: String,
    /// Entitlements before cuts, in kind included.
    amount_fen: i64,
    /// Allocated, in kind excluded.
    allocated_fen: i64,
    in_kind_fen: i64,
    payable_fen: i64,
    payments: Payments,
    allocated_by_item: BTreeMap<&'a str, i64>,
    funded_by_source: BTreeMap<&'a str, i64>,
    tables: BTreeMap<&'a str, Rows>,
    findings: BTreeMap<&'static str, u64>,
    findings_by_code: BTreeMap<&'static str, u64>,
    identities_checked: u64,
}

#[derive(Debug, Serialize)]
struct Lines {
    all: u64,
    paid: u64,
    zero: u64,
    refused: u64,
}

/// Payments of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Payments {
    count: u64,
    amount_fen: i64,
    held_fen: i64,
}

/// What a person has to see before approving, read back from a run folder's `summary.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Face {
    /// Sum of the schedule, fen.
    pub payable_fen: i64,
    /// Number of payments.
    pub payments: u64,
    /// Held, fen.
    pub held_fen: i64,
    /// Findings by severity.
    pub findings: BTreeMap<String, u64>,
    /// Institutions whose amount changed by more than the job's threshold.
    pub changes: u64,
}

impl Face {
    /// Reads it.
    ///
    /// # Errors
    /// When the file is missing or is none of ours.
    pub fn read(folder: &Path) -> Result<Self, FolderError> {
        #[derive(Deserialize)]
        struct Read {
            payable_fen: i64,
            payments: Payments,
            findings: BTreeMap<String, u64>,
            findings_by_code: BTreeMap<String, u64>,
        }
        let path = folder.join(SUMMARY);
        let bytes = std::fs::read(&path).map_err(|cause| FolderError::Io {
            path: path.clone(),
            action: "open",
            cause,
        })?;
        let read: Read = serde_json::from_slice(&bytes)
            .map_err(|cause| FolderError::BadManifest { path, cause })?;
        let changes = read.findings_by_code.get(FindingCode::ChangeLarge.name());
        Ok(Self {
            payable_fen: read.payable_fen,
            payments: read.payments.count,
            held_fen: read.payments.held_fen,
            findings: read.findings,
            changes: changes.copied().unwrap_or(0),
        })
    }
}

#[derive(Debug, Serialize)]
struct Rows {
    read: u64,
    used: u64,
    unused: u64,
    refused: u64,
}

/// The text of the file.
///
/// # Errors
/// When a sum overflows.
pub(super) fn text(
    run: &Publication<'_>,
    tallies: &Tallies,
    control: &Control,
) -> Result<String, PublishError> {
    let mut allocated_by_item = BTreeMap::new();
    for (at, face) in tallies.items.iter().enumerate().filter(|(_, face)| !face.in_kind) {
        allocated_by_item.insert(&*face.id, tallies.sum(None, Some(at))?.allocated);
    }
    let mut funded_by_source: BTreeMap<&str, i64> = BTreeMap::new();
    for month in &run.months {
        for cell in &month.allocation.cells {
            let source = month.allocation.sources.get(cell.source as usize);
            let sum = funded_by_source.entry(source.map_or("", |s| s)).or_default();
            *sum = sum.checked_add(cell.fen).ok_or(PublishError::Overflow)?;
        }
    }
    let (mut findings, mut by_code) = (BTreeMap::new(), BTreeMap::new());
    for finding in run.findings {
        *findings.entry(finding.code.severity().word()).or_default() += 1;
        *by_code.entry(finding.code.name()).or_default() += finding.count;
    }
    let row = |table: &super::TableUse| Rows {
        read: table.read,
        used: table.used,
        unused: table.unused,
        refused: table.refused,
    };
    let lines = control.lines;
    let summary = Summary {
        format: 1,
        run_id: run.run_id,
        job: &run.job.id,
        title: &run.job.title,
        office: &run.job.office,
        period: run.job.period.to_string(),
        months: run.months.iter().map(|month| month.month.to_string()).collect(),
        sample: run.is_sample(),
        lines: Lines {
            all: lines.lines(),
            paid: lines.paid,
            zero: lines.zero,
            refused: lines.refused,
        },
        refused_by_reason: &tallies.refused_by_reason,
        zero_by_reason: &tallies.zero_by_reason,
        items: tallies.labels(),
        language: Manifest::tag_of(run.job.language),
        amount_fen: lines.amount,
        allocated_fen: control.cash_fen,
        in_kind_fen: control.in_kind_fen,
        payable_fen: control.payable_fen,
        payments: Payments {
            count: run.schedule.payments.len() as u64,
            amount_fen: control.payments_fen,
            held_fen: control.held_fen,
        },
        allocated_by_item,
        funded_by_source,
        tables: run.usage.iter().map(|table| (&*table.table, row(table))).collect(),
        findings,
        findings_by_code: by_code,
        identities_checked: control.checks,
    };
    // Serialising texts and numbers to memory cannot fail.
    let mut text = serde_json::to_string_pretty(&summary).unwrap_or_default();
    text.push('\n');
    Ok(text)
}
