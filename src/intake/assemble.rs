//! Typed pieces set end to end: one table, one finding a file, column and code.
//!
//! The order is that of files and records alone, so the result knows nothing of threads or pieces.

use super::built::Built;
use super::plan::{ColumnPlan, TablePlan};
use super::rows::Part;
use super::tally::Tally;
use super::{FileRead, SourceFile, Table};
use crate::domain::{Finding, Stored};
use rayon::prelude::*;
use std::sync::Arc;

/// A piece's share of one column: built, or so many nulls.
enum Share {
    Built(Built),
    Nulls(usize),
}

/// Sets the files of one table together; record counts are filled into `files`.
pub(super) fn assemble(
    plan: &TablePlan<'_>,
    files: &mut [SourceFile],
    contents: Vec<FileRead>,
) -> (Table, Vec<Finding>) {
    let mut table = Table { name: Arc::clone(&plan.name), ..Table::default() };
    let mut findings = Vec::new();
    let mut shares: Vec<Vec<Share>> = plan.columns.iter().map(|_| Vec::new()).collect();
    for (at, (file, content)) in files.iter_mut().zip(contents).enumerate() {
        let mut tally = Tally::default();
        let mut offset = 0_u32;
        table.files.push((at, table.records.len()));
        for part in content.parts {
            let Part { columns, records, read, refused, tally: remarks, length } = part;
            tally.append(remarks, offset);
            for (share, column) in shares.iter_mut().zip(columns) {
                share.push(column.map_or(Share::Nulls(records.len()), Share::Built));
            }
            if offset == 0 && table.records.is_empty() {
                table.records = records;
            } else {
                table.records.extend(records.iter().map(|record| record.saturating_add(offset)));
            }
            table.rows_read += read;
            table.rows_refused += refused;
            file.records += read;
            offset = offset.saturating_add(length);
        }
        findings.extend(content.findings);
        findings.extend(tally.findings(plan, &file.name));
    }
    table.rows = table.records.len();
    let rows = table.rows;
    let columns: Vec<Option<Stored>> = shares
        .into_par_iter()
        .zip(&plan.columns)
        .map(|(shares, column)| join(column, shares, rows))
        .collect();
    for (plan, stored) in plan.columns.iter().zip(columns) {
        if let Some(stored) = stored {
            table.columns.insert(Arc::clone(&plan.name), stored);
        }
    }
    (table, findings)
}

/// One column of all pieces; `None` for a nullable column nobody delivered.
fn join(plan: &ColumnPlan, shares: Vec<Share>, rows: usize) -> Option<Stored> {
    let delivered = shares.iter().any(|share| matches!(share, Share::Built(_)));
    if !delivered && (plan.nullable || rows > 0) {
        return None;
    }
    let mut shares = shares.into_iter().map(|share| match share {
        Share::Built(built) => built,
        Share::Nulls(count) => {
            let mut blank = Built::new(plan, count);
            (0..count).for_each(|_| blank.push_blank());
            blank
        }
    });
    // A file that came as one piece stays where it is.
    let mut all = shares.next().unwrap_or_else(|| Built::new(plan, 0));
    all.reserve(rows);
    shares.for_each(|share| all.append(share));
    Some(all.into_stored(plan))
}

impl Part {
    /// Sets the next piece of the same file behind this one.
    pub(super) fn append(&mut self, next: Self) {
        let Self { columns, records, read, refused, tally, length } = next;
        for (own, next) in self.columns.iter_mut().zip(columns) {
            if let (Some(own), Some(next)) = (own, next) {
                own.append(next);
            }
        }
        let offset = self.length;
        self.records.extend(records.iter().map(|record| record.saturating_add(offset)));
        self.tally.append(tally, offset);
        self.read += read;
        self.refused += refused;
        self.length = offset.saturating_add(length);
    }

    /// A piece of which every record was refused.
    pub(super) fn refused(plan: &TablePlan<'_>, records: u64) -> Self {
        Self {
            columns: plan.columns.iter().map(|_| None).collect(),
            records: Vec::new(),
            read: records,
            refused: records,
            tally: Tally::default(),
            length: u32::try_from(records).unwrap_or(u32::MAX),
        }
    }
}
