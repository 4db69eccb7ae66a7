//! Intake: files in, typed tables out, each row with its file and record. The only reader of inputs.
//!
//! In: table specifications, declared tables. Out: [`Tables`]. Order: after `job`.
//! Never: judges a value it can type, drops a row without counting it.

use crate::domain::{Finding, Stored};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One file read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Table it belongs to.
    pub table: Arc<str>,
    /// File name without folders.
    pub name: Arc<str>,
    /// SHA-256 of its bytes, lower-case hex.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Data records in it.
    pub records: u64,
}

/// A typed table. Rows stand in file order, files in name order.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Name.
    pub name: Arc<str>,
    /// Rows that were typed.
    pub rows: usize,
    /// Columns by English name; a declared nullable column nobody delivered is absent.
    pub columns: BTreeMap<Arc<str>, Stored>,
    /// Index into [`Tables::files`] with the first row of each file: (file, first row), ascending.
    pub files: Vec<(usize, usize)>,
    /// Record number of each row in its file, 1 = first data record (workbooks: row below the header).
    pub records: Vec<u32>,
    /// Rows read, refused ones included.
    pub rows_read: u64,
    /// Rows that could not be typed (each is in a finding).
    pub rows_refused: u64,
}

impl Table {
    /// A column.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&Stored> {
        self.columns.get(column)
    }

    /// Index into [`Tables::files`] of a row's file.
    #[must_use]
    pub fn file_of(&self, row: usize) -> usize {
        let after = self.files.partition_point(|(_, first)| *first <= row);
        self.files.get(after.wrapping_sub(1)).map_or(0, |(file, _)| *file)
    }
}

/// Everything read.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    /// Tables by name; a table nobody delivered is absent.
    pub by_name: BTreeMap<Arc<str>, Table>,
    /// Files in order of (table, name).
    pub files: Vec<SourceFile>,
    /// What could not be typed, and what a person should know.
    pub findings: Vec<Finding>,
}

impl Tables {
    /// A table, if delivered.
    #[must_use]
    pub fn get(&self, table: &str) -> Option<&Table> {
        self.by_name.get(table)
    }
}
