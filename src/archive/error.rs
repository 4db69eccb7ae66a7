//! What can go wrong with the archive.

use crate::job::RestoreError;
use std::io;
use std::path::{Path, PathBuf};

/// Why the archive could not keep or give back. [`ArchiveError::is_damage`] tells an archive that is
/// not as it was left from a world that refuses.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// There is no archive at the place.
    #[error("{path}: is no archive; hint: name the folder with --archive", path = path.display())]
    Absent {
        /// The place.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("{path}: cannot {action}", path = path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// A file is no longer what the run read.
    #[error(
        "{path}: has changed while the period was settled; expected the bytes that were read, \
         {expected}; hint: run again when nobody writes to it",
        path = path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// Hash of what was read.
        expected: String,
    },
    /// The run is not in the archive.
    #[error("{path}: holds no run {run_id}; hint: {hint}", path = path.display())]
    RunUnknown {
        /// The archive.
        path: PathBuf,
        /// The run asked for.
        run_id: String,
        /// What to do.
        hint: &'static str,
    },
    /// Several runs begin with the letters given.
    #[error(
        "{path}: {count} runs begin with {run_id}; hint: give more of the id",
        path = path.display()
    )]
    RunUnclear {
        /// The archive.
        path: PathBuf,
        /// The letters given.
        run_id: String,
        /// Number of runs.
        count: usize,
    },
    /// A file of the archive is gone.
    #[error(
        "{path}: {what} is missing; hint: restore it from a copy of the archive",
        path = path.display()
    )]
    Missing {
        /// The file of the archive.
        path: PathBuf,
        /// What it holds.
        what: String,
    },
    /// A file of the archive is not what was put there.
    #[error(
        "{path}: {what} is damaged: {found}; hint: restore the file from a copy of the archive",
        path = path.display()
    )]
    Damaged {
        /// The file of the archive.
        path: PathBuf,
        /// What it holds.
        what: String,
        /// How that shows.
        found: String,
    },
    /// A lost recipe cannot be made again: a paper it names is another now.
    #[error(
        "run {run_id}: the archive has lost it, and a pack, a reference file or a late delivery of \
         it has other bytes now; hint: restore the archive from a copy, or put the files of then back"
    )]
    OtherPapers {
        /// The run.
        run_id: String,
    },
    /// A recipe whose job cannot be made again.
    #[error("run {run_id}: {source}")]
    Restore {
        /// The run.
        run_id: String,
        /// Why.
        source: RestoreError,
    },
}

impl ArchiveError {
    /// Whether the archive itself is not as it was left.
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Damaged { .. } | Self::Restore { .. })
    }

    pub(super) fn io(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, action, source }
    }
}
