//! Intake: files in, typed tables out, each row with its file and record. The only reader of inputs.
//!
//! In: table specifications, declared tables. Out: [`Tables`]. Order: after `job`.
//! Never: judges a value it can type, drops a row without counting it.

mod answers;
mod assemble;
mod built;
mod cut;
mod decode;
mod delimited;
mod error;
mod found;
mod growing;
mod pages;
mod parquet;
mod plan;
mod rows;
mod spellings;
mod stream;
mod tally;
mod texts;
mod value;
mod workbook;
mod xls;

pub use answers::{read_answer_bytes, read_answers};
pub use error::IntakeError;
pub use texts::read_texts;

use crate::domain::{Finding, Stored, hex};
use crate::job::TableSpec;
use crate::law::model::InputTable;
use plan::TablePlan;
use rayon::prelude::*;
use rows::Part;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Bytes of a delimited file that one task types at a time: what a core's own cache can hold, since a
/// piece is read, hashed, looked through and typed in turn.
pub const PIECE_BYTES: usize = 1 << 20;

/// A table of more bytes than this is read by itself.
const LARGE_BYTES: u64 = 8 << 20;

/// One file read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Table it belongs to.
    pub table: Arc<str>,
    /// File name without folders.
    pub name: Arc<str>,
    /// Where it lay; enters no output.
    pub path: Arc<Path>,
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

/// One file read: its typed pieces in order, and findings about the file as a whole.
#[derive(Debug)]
struct FileRead {
    parts: Vec<Part>,
    findings: Vec<Finding>,
}

/// Reads every table of the job: files in, typed columns out. Runs inside the current rayon pool.
///
/// `declared` are the tables and columns packs declare (the core tables are known without it),
/// `currency` is the unit that makes a number money, `wanted` are the (table, column) pairs the law
/// reads: a file without one of them earns a finding. Columns packs add to a core table are wanted
/// anyway. Tables without files are absent.
///
/// # Errors
/// When a file cannot be opened or understood as a whole, or the job names what is not declared.
/// Values and rows that cannot be typed are findings.
pub fn read(
    specs: &[TableSpec],
    declared: &[InputTable],
    currency: &str,
    wanted: &[(Arc<str>, Arc<str>)],
) -> Result<Tables, IntakeError> {
    read_in_pieces(specs, declared, currency, wanted, PIECE_BYTES)
}

/// [`read`] with the size of a piece stated; the result does not depend on it.
///
/// # Errors
/// As [`read`].
pub fn read_in_pieces(
    specs: &[TableSpec],
    declared: &[InputTable],
    currency: &str,
    wanted: &[(Arc<str>, Arc<str>)],
    piece_bytes: usize,
) -> Result<Tables, IntakeError> {
    let mut names = BTreeSet::new();
    let mut plans = Vec::new();
    for spec in specs {
        let plan = TablePlan::new(spec, declared, currency, wanted)?;
        if !names.insert(Arc::clone(&plan.name)) {
            return Err(IntakeError::TableTwice { table: spec.table.clone() });
        }
        if !spec.paths.is_empty() {
            plans.push(plan);
        }
    }
    plans.sort_by(|a, b| a.name.cmp(&b.name));
    // A large table keeps all threads busy by itself. Large ones are read one after another, so
    // that the pieces of one are gone before the next begins.
    let (large, small): (Vec<usize>, Vec<usize>) =
        (0..plans.len()).partition(|at| plans[*at].bytes() > LARGE_BYTES);
    let table = |at: &usize| (*at, read_table(&plans[*at], piece_bytes));
    let (large, small): (Vec<_>, Vec<_>) =
        rayon::join(|| large.iter().map(table).collect(), || small.par_iter().map(table).collect());
    let mut read: Vec<(usize, Result<TableRead, IntakeError>)> =
        large.into_iter().chain(small).collect();
    read.sort_by_key(|(at, _)| *at);
    let mut tables = Tables::default();
    for (_, outcome) in read {
        let (mut table, files, findings) = outcome?;
        let base = tables.files.len();
        table.files.iter_mut().for_each(|(file, _)| *file += base);
        tables.files.extend(files);
        tables.findings.extend(findings);
        tables.by_name.insert(Arc::clone(&table.name), table);
    }
    Ok(tables)
}

type TableRead = (Table, Vec<SourceFile>, Vec<Finding>);

/// One table: its files in name order, then their pieces set end to end.
fn read_table(plan: &TablePlan<'_>, piece_bytes: usize) -> Result<TableRead, IntakeError> {
    let mut paths: Vec<(String, &Path)> =
        plan.spec.paths.iter().map(|path| (file_name(path), path.as_path())).collect();
    paths.sort();
    let read: Vec<Result<(SourceFile, FileRead), IntakeError>> =
        paths.par_iter().map(|(name, path)| read_file(plan, name, path, piece_bytes)).collect();
    let mut files = Vec::new();
    let mut contents = Vec::new();
    for outcome in read {
        let (file, content) = outcome?;
        files.push(file);
        contents.push(content);
    }
    let (table, findings) = assemble::assemble(plan, &mut files, contents);
    Ok((table, files, findings))
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// One file, hashed. A large plain one is read piece by piece; any other is read whole, and its bytes
/// are let go before anything is set together.
fn read_file(
    plan: &TablePlan<'_>,
    name: &str,
    path: &Path,
    piece_bytes: usize,
) -> Result<(SourceFile, FileRead), IntakeError> {
    if let Some(read) = stream::read(plan, name, path, piece_bytes)? {
        return Ok(read);
    }
    let bytes = std::fs::read(path)
        .map_err(|source| IntakeError::Unreadable { file: path.display().to_string(), source })?;
    let (content, sha256) = rayon::join(
        || read_bytes(plan, name, &bytes, piece_bytes),
        || hex(&Sha256::digest(&bytes)),
    );
    let source = SourceFile {
        table: Arc::clone(&plan.name),
        name: Arc::from(name),
        path: Arc::from(path),
        sha256,
        bytes: bytes.len() as u64,
        records: 0,
    };
    Ok((source, content?))
}

const XLSX: &[u8] = b"PK\x03\x04";
const XLS: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
const PARQUET: &[u8] = b"PAR1";

/// Whether a file's first bytes may be those of a workbook or Parquet file.
fn is_other_format(bytes: &[u8]) -> bool {
    [XLSX, XLS, PARQUET].iter().any(|mark| bytes.starts_with(mark))
}

/// The format is told by the first bytes, whatever the file is called.
fn read_bytes(
    plan: &TablePlan<'_>,
    name: &str,
    bytes: &[u8],
    piece_bytes: usize,
) -> Result<FileRead, IntakeError> {
    if bytes.starts_with(XLSX) {
        workbook::read(bytes, plan, name, "XLSX")
    } else if bytes.starts_with(XLS) {
        workbook::read(bytes, plan, name, "XLS")
    } else if bytes.starts_with(PARQUET) && bytes.ends_with(PARQUET) {
        parquet::read(bytes, plan, name)
    } else {
        delimited::read(bytes, plan, name, piece_bytes)
    }
}
