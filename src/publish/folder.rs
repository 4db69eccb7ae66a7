//! The run folder and the release folder: written beside their place, synced, then renamed into it
//! (S31). The file that lists the others is written last and seals the folder.
//!
//! States of the place `out`, its draft and the folder moved aside:
//!
//! | draft | aside | a crash happened | the next start |
//! | --- | --- | --- | --- |
//! | no seal | - | while writing | removes the draft |
//! | sealed | - | before or after the ledger's commit | asks the ledger: finishes or removes |
//! | sealed | yes, `out` gone | between the two renames | finishes |
//! | - | yes | before removing the old folder | removes it, or puts it back if `out` is gone |

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use rayon::prelude::*;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::manifest::{Manifest, OutputFile};
use crate::domain::hex;

/// Name of the manifest in a run folder. Its presence in a draft means that the draft is sealed.
pub const MANIFEST: &str = "manifest.json";

/// The same in a release folder: who released what, and its files.
pub const RELEASE: &str = "release.json";

/// What either of them says of its folder.
#[derive(Debug, Deserialize)]
struct Listing {
    run_id: String,
    outputs: Vec<OutputFile>,
}

impl Listing {
    fn read(folder: &Path, seal: &str) -> Result<Self, FolderError> {
        let path = folder.join(seal);
        let file = File::open(&path).map_err(io_error(&path, "open"))?;
        serde_json::from_reader(io::BufReader::new(file))
            .map_err(|cause| FolderError::BadManifest { path, cause })
    }
}

/// What can go wrong with a run folder.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The file system refused.
    #[error("{path}: cannot {action}: {cause}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        cause: io::Error,
    },
    /// The place is taken by something that is no run folder.
    #[error(
        "{path}: is not a run folder (no {seal}) and not empty; expected a new, empty or run \
         folder; hint: name another --out"
    )]
    NotARunFolder {
        /// The place.
        path: PathBuf,
        /// The file a folder of ours would hold.
        seal: &'static str,
    },
    /// The place has no name to put a draft beside, for instance `/`.
    #[error(
        "{path}: has no folder name; expected a folder that can be made; hint: name another --out"
    )]
    NoName {
        /// The place.
        path: PathBuf,
    },
    /// The manifest cannot be read.
    #[error("{path}: is no manifest: {cause}")]
    BadManifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        cause: serde_json::Error,
    },
}

fn io_error(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    move |cause| FolderError::Io { path, action, cause }
}

/// A run folder being written beside its place.
#[derive(Debug)]
pub struct Draft {
    out: PathBuf,
    seal: &'static str,
    beside: PathBuf,
    files: Vec<OutputFile>,
    syncing: Vec<Syncing>,
    sealed: bool,
    committed: bool,
}

/// A file on its way to the disk, beside the work on the others.
type Syncing = (PathBuf, JoinHandle<io::Result<()>>);

/// What one file of a draft holds, for the manifest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Contents {
    /// Data rows, where the file has rows.
    pub rows: Option<u64>,
    /// Sum of its money column in fen, where it has one.
    pub fen: Option<i64>,
}

fn sibling(out: &Path, suffix: &str) -> Result<PathBuf, FolderError> {
    let name = out.file_name().ok_or_else(|| FolderError::NoName { path: out.to_owned() })?;
    let mut beside = OsString::from(".");
    beside.push(name);
    beside.push(suffix);
    Ok(out.with_file_name(beside))
}

impl Draft {
    /// Starts a draft beside `out`. Leftovers must have been settled by [`recover`]; an unsealed
    /// draft found here is removed.
    ///
    /// # Errors
    /// When `out` holds anything but a run folder, or the file system refuses.
    pub fn create(out: &Path) -> Result<Self, FolderError> {
        Self::create_sealed_by(out, MANIFEST)
    }

    /// [`Draft::create`] for a folder with another seal, [`RELEASE`].
    ///
    /// # Errors
    /// As [`Draft::create`].
    pub fn create_sealed_by(out: &Path, seal: &'static str) -> Result<Self, FolderError> {
        check_place(out, seal)?;
        let beside = sibling(out, ".draft")?;
        remove(&beside)?;
        fs::create_dir_all(&beside).map_err(io_error(&beside, "make the folder"))?;
        Ok(Self {
            out: out.to_owned(),
            seal,
            beside,
            files: Vec::new(),
            syncing: Vec::new(),
            sealed: false,
            committed: false,
        })
    }

    /// The folder the files are written to until [`Draft::commit`].
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.beside
    }

    /// Opens one file; hand its [`HashedFile`] back to [`Draft::close`].
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn open(&self, name: &str) -> Result<HashedFile, FolderError> {
        let path = self.beside.join(name);
        let file = File::create(&path).map_err(io_error(&path, "make the file"))?;
        Ok(HashedFile { file, hash: Sha256::new(), bytes: 0, name: name.to_owned(), syncing: None })
    }

    /// Takes note of a file that is complete.
    pub fn close(&mut self, mut file: HashedFile, contents: Contents) {
        file.start_sync();
        let path = self.beside.join(&file.name);
        self.syncing.extend(file.syncing.map(|syncing| (path, syncing)));
        self.files.push(OutputFile {
            file: file.name,
            sha256: hex(&file.hash.finalize()),
            bytes: file.bytes,
            rows: contents.rows,
            fen: contents.fen,
        });
    }

    /// Writes a whole file from memory.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put(&mut self, name: &str, bytes: &[u8], contents: Contents) -> Result<(), FolderError> {
        let mut file = self.open(name)?;
        file.write_all(bytes).map_err(io_error(&self.beside.join(name), "write"))?;
        self.close(file, contents);
        Ok(())
    }

    /// The files so far, in the order they were closed.
    #[must_use]
    pub fn files(&self) -> &[OutputFile] {
        &self.files
    }

    /// Fills the manifest's outputs, writes it last and syncs everything to the disk. The ledger
    /// commits after this and before [`Draft::commit`].
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn seal(&mut self, mut manifest: Manifest) -> Result<Manifest, FolderError> {
        self.seal_with(|files| {
            manifest.outputs = files.to_vec();
            manifest.text()
        })?;
        Ok(manifest)
    }

    /// [`Draft::seal`] with the text of the seal, made from the list of files.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn seal_with(
        &mut self,
        text: impl FnOnce(&[OutputFile]) -> String,
    ) -> Result<(), FolderError> {
        self.files.sort_by(|a, b| a.file.cmp(&b.file));
        for (path, syncing) in self.syncing.drain(..) {
            let ended = syncing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            ended.map_err(io_error(&path, "sync"))?;
        }
        let path = self.beside.join(self.seal);
        let text = text(&self.files);
        let mut file = File::create(&path).map_err(io_error(&path, "make the file"))?;
        file.write_all(text.as_bytes()).map_err(io_error(&path, "write"))?;
        file.sync_all().map_err(io_error(&path, "sync"))?;
        sync(&self.beside)?;
        self.sealed = true;
        Ok(())
    }

    /// Moves the old folder aside, renames the draft into place and removes the old one.
    ///
    /// An old folder that holds files its manifest does not list (a person's notes) is kept beside
    /// as `NAME.replaced`; the path is returned.
    ///
    /// # Errors
    /// When the file system refuses.
    ///
    /// # Panics
    /// When the draft was not sealed: that is a bug in the spine.
    pub fn commit(mut self) -> Result<Option<PathBuf>, FolderError> {
        assert!(self.sealed, "a draft is sealed before it is committed");
        self.committed = true;
        finish(&self.out, self.seal)
    }
}

impl Drop for Draft {
    /// A draft that was not committed leaves nothing behind; what a crash leaves is [`recover`]'s.
    fn drop(&mut self) {
        if !self.committed {
            // The reason for giving up is already on its way; a leftover is removed at next start.
            let _ = remove(&self.beside);
        }
    }
}

/// A place is free when it does not exist, is an empty folder or a run folder.
fn check_place(out: &Path, seal: &'static str) -> Result<(), FolderError> {
    if !out.exists() || out.join(seal).is_file() {
        return Ok(());
    }
    let taken = || FolderError::NotARunFolder { path: out.to_owned(), seal };
    let mut entries = fs::read_dir(out).map_err(|_| taken())?;
    if entries.next().is_some() { Err(taken()) } else { Ok(()) }
}

/// The two renames; also run again by [`recover`].
fn finish(out: &Path, seal: &str) -> Result<Option<PathBuf>, FolderError> {
    let (beside, aside) = (sibling(out, ".draft")?, sibling(out, ".old")?);
    if !beside.exists() && out.join(seal).is_file() {
        // The ledger had decided, and another call of the program has moved it in meanwhile.
        return clear_aside(out, seal);
    }
    if out.exists() {
        remove(&aside)?;
        fs::rename(out, &aside).map_err(io_error(out, "move aside"))?;
    }
    fs::rename(&beside, out).map_err(io_error(&beside, "rename into place"))?;
    if let Some(parent) = out.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        sync(parent)?;
    }
    clear_aside(out, seal)
}

/// Removes the folder moved aside, unless it holds files that are not ours.
fn clear_aside(out: &Path, seal: &str) -> Result<Option<PathBuf>, FolderError> {
    let aside = sibling(out, ".old")?;
    if !aside.exists() {
        return Ok(None);
    }
    let listing = Listing::read(&aside, seal);
    let listed = |name: &str| {
        let files = listing.as_ref().map_or(&[][..], |listing| &listing.outputs);
        name == seal || files.iter().any(|file| file.file == name)
    };
    let entries = fs::read_dir(&aside).map_err(io_error(&aside, "list"))?;
    let strange = entries.flatten().any(|e| e.file_name().to_str().is_none_or(|n| !listed(n)));
    if !strange {
        remove(&aside)?;
        return Ok(None);
    }
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".replaced");
    let mut kept = out.with_file_name(&name);
    let mut number = 1;
    while kept.exists() {
        number += 1;
        let mut numbered = name.clone();
        numbered.push(format!("-{number}"));
        kept = out.with_file_name(numbered);
    }
    fs::rename(&aside, &kept).map_err(io_error(&aside, "keep beside"))?;
    Ok(Some(kept))
}

/// Finishes or removes what a crash left around `out`. `decided` says whether the ledger holds the
/// run of that id as the current one; a trial without ledger answers no.
///
/// # Errors
/// When the file system refuses.
pub fn recover(out: &Path, decided: &dyn Fn(&str) -> bool) -> Result<(), FolderError> {
    recover_sealed_by(out, MANIFEST, decided)
}

/// [`recover`] for a folder with another seal, [`RELEASE`].
///
/// # Errors
/// When the file system refuses.
pub fn recover_sealed_by(
    out: &Path,
    seal: &str,
    decided: &dyn Fn(&str) -> bool,
) -> Result<(), FolderError> {
    let (beside, aside) = (sibling(out, ".draft")?, sibling(out, ".old")?);
    if beside.exists() {
        // Between the renames the ledger had already decided, or nothing would have been moved.
        let renaming = aside.exists() && !out.exists();
        match Listing::read(&beside, seal) {
            Ok(listing) if renaming || decided(&listing.run_id) => {
                finish(out, seal)?;
            }
            _ => remove(&beside)?,
        }
    }
    if aside.exists() && !out.exists() {
        fs::rename(&aside, out).map_err(io_error(&aside, "put back"))?;
    }
    clear_aside(out, seal)?;
    Ok(())
}

/// One file that is not as the manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// File name inside the folder.
    pub file: String,
    /// What is wrong.
    pub kind: DamageKind,
}

/// How a file differs from the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DamageKind {
    /// Not there, or not readable.
    Missing,
    /// Its bytes differ.
    Changed,
}

/// Compares a run folder with its manifest; an empty list means it is whole.
///
/// # Errors
/// When the manifest itself is missing or unreadable.
pub fn verify(folder: &Path) -> Result<Vec<Damage>, FolderError> {
    Manifest::read(folder)?;
    verify_sealed_by(folder, MANIFEST)
}

/// [`verify`] for a folder with another seal, [`RELEASE`].
///
/// # Errors
/// When the seal itself is missing or unreadable.
pub fn verify_sealed_by(folder: &Path, seal: &str) -> Result<Vec<Damage>, FolderError> {
    let mut damages: Vec<Damage> = Listing::read(folder, seal)?
        .outputs
        .par_iter()
        .filter_map(|file| {
            let kind = match hash_file(&folder.join(&file.file)) {
                Err(_) => DamageKind::Missing,
                Ok(found) if found != (file.sha256.clone(), file.bytes) => DamageKind::Changed,
                Ok(_) => return None,
            };
            Some(Damage { file: file.file.clone(), kind })
        })
        .collect();
    damages.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(damages)
}

fn hash_file(path: &Path) -> io::Result<(String, u64)> {
    let mut hash = Sha256::new();
    let mut file = File::open(path)?;
    let (mut buffer, mut bytes) = (vec![0; 1 << 18], 0);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((hex(&hash.finalize()), bytes));
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
}

fn remove(folder: &Path) -> Result<(), FolderError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io_error(folder, "remove")(error))
        }
        _ => Ok(()),
    }
}

fn sync(path: &Path) -> Result<(), FolderError> {
    // Folders are synced like files, so that the names in them are on the disk as well.
    File::open(path).and_then(|file| file.sync_all()).map_err(io_error(path, "sync"))
}

/// A file of a draft that hashes what is written to it.
#[derive(Debug)]
pub struct HashedFile {
    file: File,
    hash: Sha256,
    bytes: u64,
    name: String,
    syncing: Option<JoinHandle<io::Result<()>>>,
}

impl HashedFile {
    /// Starts bringing a complete file to the disk while others are still written;
    /// [`Draft::seal`] waits for it.
    pub fn start_sync(&mut self) {
        if self.syncing.is_none() {
            let file = self.file.try_clone();
            self.syncing = Some(std::thread::spawn(move || file?.sync_all()));
        }
    }
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
