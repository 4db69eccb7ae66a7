//! Proofs that lines stand in a schedule, and their check: `docs/lifecycle.md` has the format.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::folder::FolderError;
use super::manifest::Manifest;
use super::merkle::{self, Blinding, Hash};
use super::pseudonym::Pseudonyms;
use crate::domain::{hex, unhex};

/// The schedule of a run folder.
const SCHEDULE: &str = "schedule.csv";

/// Columns that are not part of a row's text: the run is in the context, the hash follows.
pub(super) const OUTSIDE: [&str; 2] = ["run_id", "row_hash"];

/// The format of a proof.
const FORMAT: u32 = 1;

/// Lines of a schedule, each with what proves it. Nothing is said here that the root does not hold:
/// job and period stand in the rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// Format of this file.
    pub format: u32,
    /// Run.
    pub run_id: String,
    /// Root over all lines, as manifest and release tell it.
    pub root: String,
    /// Number of lines of the schedule.
    pub lines: usize,
    /// Columns of the schedule, without `run_id` and `row_hash`.
    pub columns: Vec<String>,
    /// The lines.
    pub proved: Vec<ProvedLine>,
}

/// One line and its way to the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvedLine {
    /// Place among the lines, from 0.
    pub index: usize,
    /// Fields in the order of the columns, as `schedule.csv` has them.
    pub row: Vec<String>,
    /// The line's blinding number.
    pub blinding: String,
    /// Hashes beside the way to the root, lowest first.
    pub path: Vec<String>,
}

/// Which lines are to be proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The line of that number.
    Line(u64),
    /// All lines of that payment.
    Payment(String),
}

/// Why there is no proof, or why it does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The run folder cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The schedule is no table.
    #[error("{path}: is no schedule: {cause}", path = path.display())]
    Schedule {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: csv::Error,
    },
    /// The schedule is not the one the root stands for.
    #[error(
        "{folder}: its lines have the root {found}, its manifest says {expected}; hint: run the \
         period again, which mends the folder, with the bureau's key of that run",
        folder = folder.display()
    )]
    OtherRoot {
        /// The folder.
        folder: PathBuf,
        /// Root of the lines under the key.
        found: String,
        /// Root in the manifest.
        expected: String,
    },
    /// No such line.
    #[error("{folder}: has no {what}; hint: look it up in {SCHEDULE}", folder = folder.display())]
    NoLine {
        /// The folder.
        folder: PathBuf,
        /// What was asked for.
        what: String,
    },
    /// A field with a line end, which a row's text cannot tell from two fields.
    #[error("line {line} has a field with a line end, which no proof can carry")]
    LineEnd {
        /// Place of the line, from 1.
        line: usize,
    },
    /// The file is no proof.
    #[error("{path}: is no proof: {reason}", path = path.display())]
    NoProof {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The proof does not lead to the root.
    #[error("line {line} is not among the lines of the root {root}: the proof leads elsewhere")]
    NotProved {
        /// Place of the line, from 1.
        line: usize,
        /// The root.
        root: String,
    },
}

/// The text of a row: its fields, each followed by a line feed.
fn row_hash(row: &[String]) -> Hash {
    let mut hash = Sha256::new();
    for field in row {
        hash.update(field.as_bytes());
        hash.update(b"\n");
    }
    hash.finalize().into()
}

/// Columns and rows of a schedule, without the columns outside.
fn table(path: &Path) -> Result<(Vec<String>, Vec<Vec<String>>), ProofError> {
    let bad = |cause| ProofError::Schedule { path: path.to_owned(), cause };
    let mut reader = csv::Reader::from_path(path).map_err(bad)?;
    let heads = reader.headers().map_err(bad)?.clone();
    let kept: Vec<usize> = (0..heads.len()).filter(|at| !OUTSIDE.contains(&&heads[*at])).collect();
    let pick = |record: &csv::StringRecord| -> Vec<String> {
        kept.iter().map(|at| record[*at].to_owned()).collect()
    };
    let mut rows = Vec::new();
    for record in reader.records() {
        rows.push(pick(&record.map_err(bad)?));
    }
    Ok((pick(&heads), rows))
}

/// Proves lines of a run folder under the bureau's key.
///
/// # Errors
/// When the folder is not whole or not of this key, or has no such line.
pub fn prove(folder: &Path, pseudonyms: &Pseudonyms, wanted: &Wanted) -> Result<Proof, ProofError> {
    let manifest = Manifest::read(folder)?;
    let (columns, rows) = table(&folder.join(SCHEDULE))?;
    let context = merkle::context(&manifest.run_id, columns.iter().map(String::as_str));
    let blinding = Blinding::of(pseudonyms, &manifest.run_id);
    let hashes: Vec<Hash> = rows.iter().map(|row| row_hash(row)).collect();
    let leaves = merkle::leaves(&context, &blinding, &hashes);
    let tree = merkle::Tree::of(leaves);
    let root = hex(&tree.root());
    if root != manifest.schedule_root {
        let (folder, expected) = (folder.to_owned(), manifest.schedule_root);
        return Err(ProofError::OtherRoot { folder, found: root, expected });
    }
    let (column, value) = match wanted {
        Wanted::Line(number) => ("line_no", number.to_string()),
        Wanted::Payment(number) => ("payment_no", number.clone()),
    };
    let at = columns.iter().position(|name| name == column);
    let of_wanted = |row: &Vec<String>| at.is_some_and(|at| row[at] == value);
    let mut proved = Vec::new();
    for (index, row) in rows.iter().enumerate().filter(|(_, row)| of_wanted(row)) {
        if row.iter().any(|field| field.contains('\n')) {
            return Err(ProofError::LineEnd { line: index + 1 });
        }
        proved.push(ProvedLine {
            index,
            row: row.clone(),
            blinding: hex(&blinding.line(index)),
            path: tree.path(index).iter().map(|hash| hex(hash)).collect(),
        });
    }
    if proved.is_empty() {
        let what = match wanted {
            Wanted::Line(number) => format!("line {number}"),
            Wanted::Payment(number) => format!("payment {number}"),
        };
        return Err(ProofError::NoLine { folder: folder.to_owned(), what });
    }
    let run_id = manifest.run_id;
    Ok(Proof { format: FORMAT, run_id, root, lines: rows.len(), columns, proved })
}

impl Proof {
    /// Reads a proof.
    ///
    /// # Errors
    /// When the file cannot be read or is none.
    pub fn read(path: &Path) -> Result<Self, ProofError> {
        let no = |reason: String| ProofError::NoProof { path: path.to_owned(), reason };
        let bytes = fs::read(path).map_err(|error| no(error.to_string()))?;
        let proof: Self = serde_json::from_slice(&bytes).map_err(|error| no(error.to_string()))?;
        if proof.format != FORMAT {
            return Err(no(format!("format {}; expected {FORMAT}", proof.format)));
        }
        if proof.proved.is_empty() {
            return Err(no("it proves no line".to_owned()));
        }
        Ok(proof)
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        // Serialising texts and numbers to memory cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// Checks that every line of the proof stands under a root known from elsewhere. Needs no key
    /// and no run folder.
    ///
    /// # Errors
    /// For the first line that does not.
    pub fn check(&self, root: &str) -> Result<(), ProofError> {
        let context = merkle::context(&self.run_id, self.columns.iter().map(String::as_str));
        let wanted = unhex::<32>(root);
        let ambiguous = |text: &String| text.contains('\n');
        let named = self.run_id.contains('\n') || self.columns.iter().any(ambiguous);
        let mut last = None;
        for line in &self.proved {
            let number = line.index.saturating_add(1);
            if line.row.iter().any(ambiguous) {
                return Err(ProofError::LineEnd { line: number });
            }
            let path: Option<Vec<Hash>> = line.path.iter().map(|hash| unhex(hash)).collect();
            let found = unhex(&line.blinding).zip(path).and_then(|(blinding, path)| {
                let leaf = merkle::leaf(&context, &blinding, &row_hash(&line.row));
                merkle::root_by(leaf, line.index, self.lines, &path)
            });
            // In order, so that no line is counted twice.
            let in_order = last.is_none_or(|last| last < line.index);
            last = Some(line.index);
            let shaped = in_order && !named && line.row.len() == self.columns.len();
            if !shaped || found.is_none() || found != wanted {
                let root = root.to_owned();
                return Err(ProofError::NotProved { line: number, root });
            }
        }
        Ok(())
    }
}
