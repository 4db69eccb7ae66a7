//! Whether every byte of the archive is the byte that was put there.

use super::{Archive, ArchiveError, OBJECTS, RUNS, object};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Something in the archive that is not as it was left.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damage {
    /// File of the archive, by its path inside.
    pub file: String,
    /// What it holds, in words, with the run it belongs to where one is known.
    pub what: String,
    /// What is wrong.
    pub found: String,
}

impl Archive {
    /// Reads all objects and pointers; an empty list means that all is whole. `recorded` are the
    /// hashes of recipes by run, as the ledger holds them: a pointer that leads elsewhere is found.
    /// `answers` are the hashes of the files of answers it holds, with their names.
    ///
    /// # Errors
    /// When the archive cannot be listed.
    pub fn verify(
        &self,
        recorded: &BTreeMap<String, String>,
        answers: &BTreeMap<String, String>,
    ) -> Result<Vec<Damage>, ArchiveError> {
        let mut damages = Vec::new();
        // What every object holds, by hash.
        let mut words: BTreeMap<String, String> = BTreeMap::new();
        let mut runs = self.runs()?;
        runs.extend(recorded.keys().cloned());
        runs.sort();
        runs.dedup();
        for run_id in &runs {
            if let Err(error) = self.verify_run(run_id, recorded.get(run_id), &mut words) {
                damages.extend(self.damage(error));
            }
        }
        for (sha256, file) in answers {
            words.entry(sha256.clone()).or_insert_with(|| format!("answers {file}"));
        }
        for (sha256, what) in &words {
            if self.object(sha256).is_none() {
                let (folder, name) = sha256.split_at(2);
                let file = format!("{OBJECTS}/{folder}/{name}.zst");
                damages.push(Damage { file, what: what.clone(), found: "it is missing".into() });
            }
        }
        let objects = files(&self.path().join(OBJECTS), 1)?;
        let read: Vec<Option<Damage>> =
            objects.par_iter().map(|path| self.verify_object(path, &words)).collect();
        damages.extend(read.into_iter().flatten());
        for path in files(&self.path().join(RUNS), 0)? {
            let known = path.file_stem().and_then(|name| name.to_str()).is_some_and(super::is_hash);
            if !known {
                damages.push(self.stray(&path));
            }
        }
        damages.sort();
        damages.dedup();
        Ok(damages)
    }

    fn verify_run(
        &self,
        run_id: &str,
        recorded: Option<&String>,
        words: &mut BTreeMap<String, String>,
    ) -> Result<(), ArchiveError> {
        let pointed = self.recipe_hash(run_id);
        // A damaged pointer hides nothing where the ledger knows the recipe.
        let known = recorded.cloned().or_else(|| pointed.as_ref().ok().cloned().flatten());
        let Some(hash) = known else { return pointed.map(|_| ()) };
        words.insert(hash.clone(), format!("{} of run {run_id}", super::RECIPE_WORDS));
        if let Ok(recipe) = self.recipe_at(run_id, &hash) {
            for (sha256, what) in recipe.objects() {
                let what = format!("{what} (run {run_id})");
                words.entry(sha256.to_owned()).or_insert(what);
            }
        }
        let wrong = |found: String| ArchiveError::Damaged {
            path: self.pointer(run_id),
            what: format!("the pointer of run {run_id}"),
            found,
        };
        match (pointed?, recorded) {
            (Some(found), Some(recorded)) if found != *recorded => {
                Err(wrong(format!("it leads to {found}; the ledger says {recorded}")))
            }
            (None, Some(_)) => Err(wrong("it is missing".to_owned())),
            _ => Ok(()),
        }
    }

    fn verify_object(&self, path: &Path, words: &BTreeMap<String, String>) -> Option<Damage> {
        let Some(sha256) = object::named(path) else { return Some(self.stray(path)) };
        let found = match object::read_out(path, &sha256, &mut std::io::sink()) {
            Ok(found) => found?,
            Err(error) => error.to_string(),
        };
        let nobody = || "an object of no run".to_owned();
        let what = words.get(&sha256).cloned().unwrap_or_else(nobody);
        Some(Damage { file: self.inside(path), what, found })
    }

    fn stray(&self, path: &Path) -> Damage {
        let what = "a file that is not the archive's".to_owned();
        Damage { file: self.inside(path), what, found: "nothing here has such a name".to_owned() }
    }

    fn inside(&self, path: &Path) -> String {
        let inside = path.strip_prefix(self.path()).unwrap_or(path);
        let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
        parts.join("/")
    }

    fn damage(&self, error: ArchiveError) -> Option<Damage> {
        match error {
            ArchiveError::Damaged { path, what, found } => {
                Some(Damage { file: self.inside(&path), what, found })
            }
            ArchiveError::Missing { path, what } => {
                Some(Damage { file: self.inside(&path), what, found: "it is missing".to_owned() })
            }
            ArchiveError::Io { path, source, .. } => Some(Damage {
                file: self.inside(&path),
                what: "a file of the archive".to_owned(),
                found: source.to_string(),
            }),
            _ => None,
        }
    }
}

/// Files of a folder, and of folders inside so deep; hidden ones are somebody's work in progress.
fn files(folder: &Path, deep: u32) -> Result<Vec<PathBuf>, ArchiveError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(ArchiveError::io(folder, "list"))? {
        let path = entry.map_err(ArchiveError::io(folder, "list"))?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() && deep > 0 {
            found.extend(files(&path, deep - 1)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
