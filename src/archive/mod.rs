//! Archive: what runs read, by hash, so that each can be settled again from it alone.
//!
//! In: a run and the files it read. Out: a [`Recipe`] and its objects; later the same job over the
//! same bytes ([`Materials`]). Order: after `ledger`, which holds the hash of every recipe. Never:
//! overwrites or removes an object, settles anything.
//!
//! ```text
//! archive/objects/ab/cdef….zst   contents by SHA-256, compressed
//! archive/objects/ab/cdef…       contents that are compressed already
//! archive/runs/<run id>.json     the hash of the run's recipe, itself an object
//! ```
//!
//! Objects are put there before the ledger commits (S31): what a crash leaves is read by nobody.

mod error;
mod keep;
mod materials;
mod object;
mod papers;
mod recipe;
mod verify;

pub use error::ArchiveError;
pub use keep::{Inputs, Kept};
pub use materials::Materials;
pub use papers::Papers;
pub use recipe::{KeptFile, KeptLate, KeptLaw, KeptPack, KeptTable, RECIPE_FORMAT, Recipe};
pub use verify::Damage;

use crate::domain::Month;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

const OBJECTS: &str = "objects";
const RUNS: &str = "runs";
/// What a pointer leads to, in words.
const RECIPE_WORDS: &str = "the recipe";

/// A folder of objects and runs.
#[derive(Debug, Clone)]
pub struct Archive {
    folder: PathBuf,
}

/// The text of `runs/<run id>.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pointer {
    recipe: String,
}

impl Pointer {
    fn text(recipe: &str) -> String {
        format!("{{\"recipe\":\"{recipe}\"}}\n")
    }
}

impl Archive {
    /// The archive of a folder; the folder is made with the first object.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// An archive that must be there.
    ///
    /// # Errors
    /// [`ArchiveError::Absent`] when it is not.
    pub fn open(folder: &Path) -> Result<Self, ArchiveError> {
        if folder.join(RUNS).is_dir() {
            return Ok(Self::at(folder));
        }
        Err(ArchiveError::Absent { path: folder.to_owned() })
    }

    /// Its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    fn pointer(&self, run_id: &str) -> PathBuf {
        self.folder.join(RUNS).join(format!("{run_id}.json"))
    }

    /// Hash of a run's recipe, as its pointer says; `None` for a run that is not here.
    ///
    /// # Errors
    /// [`ArchiveError::Damaged`] when the pointer is not what was written.
    pub fn recipe_hash(&self, run_id: &str) -> Result<Option<String>, ArchiveError> {
        let path = self.pointer(run_id);
        if !is_hash(run_id) || !path.exists() {
            return Ok(None);
        }
        let bytes = fs::read(&path).map_err(ArchiveError::io(&path, "read"))?;
        let pointer: Option<Pointer> = serde_json::from_slice(&bytes).ok();
        let whole = |of: &Pointer| {
            is_hash(&of.recipe) && Pointer::text(&of.recipe).as_bytes() == bytes.as_slice()
        };
        match pointer.filter(whole) {
            Some(pointer) => Ok(Some(pointer.recipe)),
            None => Err(ArchiveError::Damaged {
                path,
                what: format!("the pointer of run {run_id}"),
                found: "it is not the text that was written".to_owned(),
            }),
        }
    }

    /// The recipe of a run.
    ///
    /// # Errors
    /// [`ArchiveError::RunUnknown`] when the run is not here, else what is damaged or missing.
    pub fn recipe(&self, run_id: &str) -> Result<Recipe, ArchiveError> {
        let hash = self.recipe_hash(run_id)?.ok_or_else(|| ArchiveError::RunUnknown {
            path: self.folder.clone(),
            run_id: run_id.to_owned(),
            hint: "it was settled without this archive; name the one it has with --archive",
        })?;
        self.recipe_at(run_id, &hash)
    }

    /// The recipe of a hash, which must be that of the run.
    ///
    /// # Errors
    /// As [`Archive::recipe`].
    pub fn recipe_at(&self, run_id: &str, hash: &str) -> Result<Recipe, ArchiveError> {
        let what = format!("{RECIPE_WORDS} of run {run_id}");
        let bytes = self.get(hash, &what)?;
        let damaged = |found: String| ArchiveError::Damaged {
            path: self.object(hash).unwrap_or_default(),
            what: what.clone(),
            found,
        };
        let recipe: Recipe =
            serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if recipe.format > RECIPE_FORMAT {
            return Err(damaged(format!("its format {} is later than ours", recipe.format)));
        }
        if recipe.run_id != run_id {
            return Err(damaged(format!("it is that of run {}", recipe.run_id)));
        }
        Ok(recipe)
    }

    /// Ids of the runs here, in order.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub fn runs(&self) -> Result<Vec<String>, ArchiveError> {
        let folder = self.folder.join(RUNS);
        let entries = fs::read_dir(&folder).map_err(ArchiveError::io(&folder, "list"))?;
        let mut runs: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
            .filter(|run_id| is_hash(run_id))
            .collect();
        runs.sort();
        Ok(runs)
    }

    /// The run whose id begins with these letters.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn find(&self, prefix: &str) -> Result<String, ArchiveError> {
        let mut runs = self.runs()?;
        runs.retain(|run_id| run_id.starts_with(prefix));
        let (path, run_id) = (self.folder.clone(), prefix.to_owned());
        match runs.len() {
            1 => Ok(runs.remove(0)),
            0 => Err(ArchiveError::RunUnknown {
                path,
                run_id,
                hint: "name the run's folder, or another archive with --archive",
            }),
            count => Err(ArchiveError::RunUnclear { path, run_id, count }),
        }
    }

    /// `entitlements.parquet` of a run.
    ///
    /// # Errors
    /// What is missing or damaged.
    pub fn lines(&self, run_id: &str) -> Result<Vec<u8>, ArchiveError> {
        let recipe = self.recipe(run_id)?;
        self.get(&recipe.lines, &format!("{} of run {run_id}", recipe::LINES_WORDS))
    }

    /// An output of a run that later periods read; `None` where the run wrote none of that name.
    ///
    /// # Errors
    /// What is missing or damaged.
    pub fn output(&self, recipe: &Recipe, name: &str) -> Result<Option<Vec<u8>>, ArchiveError> {
        let file = recipe.outputs.iter().find(|file| file.name == name);
        let Some(sha256) = file.and_then(|file| file.sha256.as_deref()) else { return Ok(None) };
        let what = format!("{} of run {}", recipe::output_words(name), recipe.run_id);
        self.get(sha256, &what).map(Some)
    }

    /// The key file of a run's pseudonyms.
    ///
    /// # Errors
    /// What is missing or damaged.
    pub fn key(&self, recipe: &Recipe) -> Result<Vec<u8>, ArchiveError> {
        let what = format!("{} of run {}", recipe::KEY_WORDS, recipe.run_id);
        self.get(recipe.key.sha256.as_deref().unwrap_or_default(), &what)
    }

    /// `manifest.json` of a run.
    ///
    /// # Errors
    /// What is missing or damaged.
    pub fn manifest(&self, run_id: &str) -> Result<Vec<u8>, ArchiveError> {
        let recipe = self.recipe(run_id)?;
        self.get(&recipe.manifest, &format!("{} of run {run_id}", recipe::MANIFEST_WORDS))
    }

    /// The canonical text of the law of each service month of a run.
    ///
    /// # Errors
    /// What is missing or damaged.
    pub fn law(&self, recipe: &Recipe) -> Result<Vec<(Month, String)>, ArchiveError> {
        let text = |law: &KeptLaw| {
            let what = format!("{} of run {}", recipe::law_words(law.month), recipe.run_id);
            let bytes = self.get(&law.sha256, &what)?;
            Ok((law.month, String::from_utf8_lossy(&bytes).into_owned()))
        };
        recipe.law.iter().map(text).collect()
    }

    /// Whether the run is here with every object of its recipe; their bytes are not looked at.
    #[must_use]
    pub fn holds(&self, run_id: &str) -> bool {
        self.recipe(run_id).is_ok_and(|recipe| {
            recipe.objects().iter().all(|(sha256, _)| self.object(sha256).is_some())
        })
    }
}

/// Whether a text is a SHA-256 in lower-case hex.
fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A file with the rights any new file gets, under a name nobody looks at.
pub(crate) fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".new-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // less the umask
    builder.tempfile_in(folder)
}

/// Moves a synced file to its place and syncs the folder, so that its name is on the disk as well.
fn move_in(beside: tempfile::NamedTempFile, place: &Path) -> Result<(), ArchiveError> {
    let folder = place.parent().unwrap_or(place);
    fs::create_dir_all(folder).map_err(ArchiveError::io(folder, "make the folder"))?;
    beside
        .persist(place)
        .map_err(|late| ArchiveError::io(place, "rename into place")(late.error))?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(ArchiveError::io(folder, "sync"))
}
