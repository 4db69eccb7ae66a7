//! The small files a run reads beside its deliveries: packs, overlays, reference files, the key.

use super::recipe::KEY_WORDS;
use super::{Archive, ArchiveError, KeptFile, KeptPack};
use crate::domain::hex;
use crate::job::Job;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// The files as they were before anything was read: what is archived must be the same bytes.
#[derive(Debug, Clone)]
pub struct Papers {
    packs: Vec<(String, Vec<Paper>)>,
    overlays: Vec<Paper>,
    reference: Vec<Paper>,
    key: Paper,
}

/// One file: where it lies, its name in the recipe, the hash of its bytes.
#[derive(Debug, Clone)]
struct Paper {
    path: PathBuf,
    name: String,
    sha256: String,
}

impl Papers {
    /// Looks at the files of a job. One that cannot be read is left out: the run says why it stops.
    #[must_use]
    pub fn look(job: &Job) -> Self {
        let pack = |folder: &PathBuf| {
            (last_name(folder), files_of(folder, folder, 0, &["toml", "csv", "xlsx"]))
        };
        let overlays = job.overlays.iter();
        Self {
            packs: job.packs.iter().map(pack).collect(),
            overlays: overlays.filter_map(|path| Paper::look(path, last_name(path))).collect(),
            reference: files_of(&job.reference, &job.reference, 1, &["toml"]),
            key: Paper::look(&job.key_file, last_name(&job.key_file)).unwrap_or_else(|| Paper {
                path: job.key_file.clone(),
                name: last_name(&job.key_file),
                sha256: String::new(),
            }),
        }
    }

    /// Keeps them all: packs, overlays, reference files, key.
    pub(super) fn keep(&self, archive: &Archive) -> Result<KeptPapers, ArchiveError> {
        let keep = |paper: &Paper| paper.keep(archive);
        let all = |papers: &[Paper]| {
            let kept: Vec<Result<KeptFile, ArchiveError>> = papers.par_iter().map(keep).collect();
            kept.into_iter().collect::<Result<Vec<_>, _>>()
        };
        let mut packs = Vec::with_capacity(self.packs.len());
        for (name, files) in &self.packs {
            packs.push(KeptPack { name: name.clone(), files: all(files)? });
        }
        Ok(KeptPapers {
            packs,
            overlays: all(&self.overlays)?,
            reference: all(&self.reference)?,
            key: keep(&self.key)?,
        })
    }
}

/// The papers of a recipe.
#[derive(Debug)]
pub(super) struct KeptPapers {
    pub(super) packs: Vec<KeptPack>,
    pub(super) overlays: Vec<KeptFile>,
    pub(super) reference: Vec<KeptFile>,
    pub(super) key: KeptFile,
}

impl Paper {
    fn look(path: &Path, name: String) -> Option<Self> {
        let bytes = fs::read(path).ok()?;
        Some(Self { path: path.to_owned(), name, sha256: hex(&Sha256::digest(bytes)) })
    }

    fn keep(&self, archive: &Archive) -> Result<KeptFile, ArchiveError> {
        let bytes = fs::read(&self.path).map_err(ArchiveError::io(&self.path, "archive"))?;
        if hex(&Sha256::digest(&bytes)) != self.sha256 {
            let expected =
                if self.sha256.is_empty() { KEY_WORDS } else { self.sha256.as_str() }.to_owned();
            return Err(ArchiveError::Changed { path: self.path.clone(), expected });
        }
        Ok(KeptFile { name: self.name.clone(), sha256: Some(archive.put(&bytes)?) })
    }
}

/// The files of a folder and of folders inside, so deep, that end so; by path inside `root`, in
/// order. Tables of a pack may lie beside its notices.
fn files_of(root: &Path, folder: &Path, deep: u32, endings: &[&str]) -> Vec<Paper> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    let mut papers = Vec::new();
    for path in paths {
        if path.is_dir() {
            if deep > 0 {
                papers.extend(files_of(root, &path, deep - 1, endings));
            }
        } else if path.extension().is_some_and(|own| endings.iter().any(|ending| own == *ending)) {
            let inside = path.strip_prefix(root).unwrap_or(&path);
            let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
            papers.extend(Paper::look(&path, parts.join("/")));
        }
    }
    papers
}

/// The last name of a path.
pub(super) fn last_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
