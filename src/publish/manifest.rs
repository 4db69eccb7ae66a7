//! `manifest.json`: what a run read, under which law, and what it wrote. No clock, host or path.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::folder::{FolderError, MANIFEST};
use crate::domain::texts::Language;
use crate::intake::Tables;

/// The format of this file; a reader refuses a later one.
pub const MANIFEST_FORMAT: u32 = 1;

/// The manifest of a run folder (DESIGN 7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Manifest {
    /// Format of this file.
    pub format: u32,
    /// Content hash of the run (S29).
    pub run_id: String,
    /// Job id.
    pub job: String,
    /// Settlement period: its last service month, `YYYY-MM`.
    pub period: String,
    /// Service months settled, `YYYY-MM`.
    pub months: Vec<String>,
    /// Version of the calculation; the same version promises the same bytes (S30).
    pub calc_version: String,
    /// Law and deliveries as known on this date.
    pub known_on: String,
    /// Packs in layer order.
    pub packs: Vec<String>,
    /// Language of the files for people; left out where it is zh-CN.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// Input files, sorted by table and name.
    pub inputs: Vec<InputFile>,
    /// SHA-256 of the law snapshot.
    pub law_sha256: String,
    /// SHA-256 of the calendar.
    pub calendar_sha256: String,
    /// Fingerprint of the key of the pseudonyms.
    pub key_fingerprint: String,
    /// Merkle root over the lines of `schedule.csv`; empty in a folder written before there was one.
    #[serde(default)]
    pub schedule_root: String,
    /// Output files, sorted by name.
    pub outputs: Vec<OutputFile>,
}

/// One input file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    /// Table.
    pub table: String,
    /// File name without folders.
    pub file: String,
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Data records.
    pub records: u64,
}

/// One output file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputFile {
    /// File name inside the folder.
    pub file: String,
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Data rows, where the file has rows.
    pub rows: Option<u64>,
    /// Sum of its money column in fen, where it has one.
    pub fen: Option<i64>,
}

impl Manifest {
    /// The language of a run's files as the manifest writes it.
    #[must_use]
    pub fn tag_of(language: Language) -> String {
        match language {
            Language::Chinese => String::new(),
            Language::English => language.tag().to_owned(),
        }
    }

    /// Language of the files for people; `None` where it names one we do not have.
    #[must_use]
    pub fn language(&self) -> Option<Language> {
        if self.language.is_empty() {
            return Some(Language::Chinese);
        }
        Language::parse(&self.language)
    }

    /// The input files of a run.
    #[must_use]
    pub fn inputs_of(tables: &Tables) -> Vec<InputFile> {
        let mut inputs: Vec<_> = tables
            .files
            .iter()
            .map(|file| InputFile {
                table: file.table.to_string(),
                file: file.name.to_string(),
                sha256: file.sha256.clone(),
                bytes: file.bytes,
                records: file.records,
            })
            .collect();
        inputs.sort_by(|a, b| (&a.table, &a.file).cmp(&(&b.table, &b.file)));
        inputs
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        // Serialising texts and numbers to memory cannot fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads the manifest of a run folder.
    ///
    /// # Errors
    /// When it is missing, unreadable or of a later format.
    pub fn read(folder: &Path) -> Result<Self, FolderError> {
        let path = folder.join(MANIFEST);
        let file = File::open(&path).map_err(|cause| FolderError::Io {
            path: path.clone(),
            action: "open",
            cause,
        })?;
        let bad = |cause| FolderError::BadManifest { path: path.clone(), cause };
        let manifest: Self = serde_json::from_reader(BufReader::new(file)).map_err(bad)?;
        if manifest.format > MANIFEST_FORMAT {
            use serde::de::Error;
            let text = format!("format {} is later than {MANIFEST_FORMAT}", manifest.format);
            return Err(bad(serde_json::Error::custom(text)));
        }
        Ok(manifest)
    }
}
