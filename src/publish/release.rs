//! `release.json`: what was released, by whom, and where the ledger stood. It seals the release
//! folder beside the run folder; the files of bank and treasury are made for it and nowhere else.
//!
//! Everything in it follows from the run folder and the events of the run, so that a release folder
//! that was lost is made again with the same bytes.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::PublishError;
use super::bank::{BankError, BankFile, Outgoing, bank_files};
use super::folder::{Contents, Draft, FolderError, RELEASE, verify_sealed_by};
use super::manifest::{Manifest, OutputFile};
use super::pay_file::{PAY_FILE, PayFile};
use super::release_book::{self, SCHEDULE_BOOK};

/// The format of this file.
const FORMAT: u32 = 1;

/// The one file of a run folder that is copied: what is paid.
const PAYMENTS: &str = "payments.csv";

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Format of this file.
    pub format: u32,
    /// Run.
    pub run_id: String,
    /// Job.
    pub job: String,
    /// Period, `YYYY-MM`.
    pub period: String,
    /// SHA-256 of the run's manifest.
    pub manifest_sha256: String,
    /// Merkle root over the lines of the schedule.
    pub schedule_root: String,
    /// Payments.
    pub payments: Paid,
    /// Who made the run.
    pub made: Signed,
    /// Who approved it, in order.
    pub approvals: Vec<Signed>,
    /// Who released it.
    pub released: Signed,
    /// The head of the ledger right after the release.
    pub ledger: HeadAfter,
    /// The other files of the folder, sorted by name.
    pub outputs: Vec<OutputFile>,
}

/// The payments of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paid {
    /// Number.
    pub count: i64,
    /// Sum, fen.
    pub amount_fen: i64,
    /// Of these, held for want of an account or under a sanction: number.
    pub held: i64,
    /// Held, fen.
    pub held_fen: i64,
    /// Sum by funding source, fen.
    pub by_source: BTreeMap<String, i64>,
}

/// An act of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// Name.
    pub by: String,
    /// When.
    pub at: String,
    /// Why, or empty.
    pub reason: String,
    /// Public key, where it was signed.
    pub key: Option<String>,
    /// Signature, where it was signed.
    pub signature: Option<String>,
}

/// The head of the ledger after an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadAfter {
    /// Number of the event.
    pub event: i64,
    /// Its hash.
    pub head: String,
}

impl Release {
    /// The run whose release folder stands at a place; `None` where none can be read.
    #[must_use]
    pub fn run_of(place: &Path) -> Option<String> {
        let bytes = std::fs::read(place.join(RELEASE)).ok()?;
        serde_json::from_slice::<Self>(&bytes).ok().map(|release| release.run_id)
    }

    /// The format written now.
    pub const FORMAT: u32 = FORMAT;

    /// Where the release of a run folder stands: `<run folder>.release`.
    #[must_use]
    pub fn place(run_folder: &Path) -> PathBuf {
        let mut name: OsString = run_folder.file_name().unwrap_or_default().to_owned();
        name.push(".release");
        run_folder.with_file_name(name)
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        // Serialising texts and numbers to memory cannot fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Whether the release folder stands whole and says just this.
    #[must_use]
    pub fn stands(&self, place: &Path) -> bool {
        let whole = verify_sealed_by(place, RELEASE).is_ok_and(|damages| damages.is_empty());
        let found = fs::read(place.join(RELEASE)).unwrap_or_default();
        whole
            && serde_json::from_slice::<Self>(&found)
                .is_ok_and(|found| Self { outputs: Vec::new(), ..found } == *self)
    }

    /// Writes and seals the release folder beside its place; [`Draft::commit`] moves it there once
    /// the ledger has decided. `self` names no outputs yet.
    ///
    /// # Errors
    /// When the run folder cannot be read, a file for bank or treasury cannot be made, or the file
    /// system refuses. Nothing stands then.
    pub fn write(&self, run_folder: &Path, place: &Path) -> Result<Draft, PublishError> {
        let manifest = Manifest::read(run_folder)?;
        let path = run_folder.join(PAYMENTS);
        let payments =
            fs::read(&path).map_err(|cause| FolderError::Io { path, action: "read", cause })?;
        let contents = |name: &str| {
            let listed = manifest.outputs.iter().find(|file| file.file == name);
            listed
                .map_or_else(Contents::default, |file| Contents { rows: file.rows, fen: file.fen })
        };
        let mut draft = Draft::create_sealed_by(place, RELEASE)?;
        draft.put(PAYMENTS, &payments, contents(PAYMENTS))?;
        if let Some(book) = release_book::schedule(self, run_folder, &manifest)? {
            draft.put(SCHEDULE_BOOK, &book, contents(SCHEDULE_BOOK))?;
        }
        if manifest.outputs.iter().any(|file| file.file == PAY_FILE) {
            let pay = PayFile::read(run_folder)?;
            let files = pay.map(|pay| self.bank_files(&pay, &payments)).transpose()?;
            for (name, bytes, contents) in files.into_iter().flatten() {
                draft.put(&name, &bytes, contents)?;
            }
        }
        draft.seal_with(|files| Self { outputs: files.to_vec(), ..self.clone() }.text())?;
        Ok(draft)
    }

    /// The files of bank and treasury and what is held.
    fn bank_files(&self, pay: &PayFile, payments: &[u8]) -> Result<Vec<BankFile>, BankError> {
        bank_files(&Outgoing {
            run_id: &self.run_id,
            job: &self.job,
            period: &self.period,
            at: &self.released.at,
            pay,
            payments,
        })
    }
}
