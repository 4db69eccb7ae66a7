//! A run settled again from the archive and held against what was archived and published (S30).

use super::compare::{At, first_difference, first_logical_difference, is_table};
use crate::archive::{Archive, ArchiveError, Materials, Recipe};
use crate::domain::{Progress, hex};
use crate::ledger::{Ledger, LedgerError};
use crate::publish::{MANIFEST, Manifest};
use crate::settle::{self, CALC_VERSION, SettleError};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// The file whose contents the archive holds.
const LINES: &str = "entitlements.parquet";

/// What is to be settled again.
#[derive(Debug, Clone, Copy)]
pub struct RerunQuestion<'a> {
    /// Archive.
    pub archive: &'a Archive,
    /// Ledger file; one that is not there is no ledger.
    pub ledger: &'a Path,
    /// Run id.
    pub run_id: &'a str,
    /// The folder the run was published in, where it is to be compared as well.
    pub folder: Option<&'a Path>,
    /// Folder to leave the new run in; `None` leaves nothing.
    pub out: Option<&'a Path>,
    /// Threads; `None` = all cores.
    pub threads: Option<usize>,
}

/// What a rerun came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RerunReport {
    /// The run asked for.
    pub run_id: String,
    /// The run that settling again gave.
    pub found_run_id: String,
    /// Version of the calculation the run was made with.
    pub calc_version: String,
    /// Whether that is ours, so that bytes must be the same.
    pub same_version: bool,
    /// Files compared.
    pub files: usize,
    /// Files that could not be compared: with another version of the calculation only.
    pub uncompared: Vec<String>,
    /// What differs; empty when nothing does.
    pub differences: Vec<Difference>,
}

/// A file that is not what was archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// File name inside the run folder.
    pub file: String,
    /// Whose file it is.
    pub whose: Whose,
    /// What is wrong with it.
    pub kind: DifferenceKind,
    /// First place that differs, where it can be shown.
    pub at: Option<At>,
}

/// Whose file differs from what was archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The one settled again.
    Rerun,
    /// The one in the run folder.
    Folder,
}

/// How a file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceKind {
    /// Its bytes, or what they tell.
    Changed,
    /// It is not there.
    Missing,
    /// Nobody archived a file of that name.
    Extra,
}

/// Why a run could not be settled again.
#[derive(Debug, thiserror::Error)]
pub enum RerunError {
    /// The archive does not hold it, or is damaged.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The ledger does not hold.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// It could not be settled.
    #[error(transparent)]
    Settle(#[from] SettleError),
    /// The run used lines of earlier runs, and there is no ledger.
    #[error(
        "{path}: there is no ledger; run {run_id} read the posted lines of {earlier} earlier runs; \
         hint: name the ledger it was posted to with --ledger",
        path = path.display()
    )]
    LedgerMissing {
        /// The ledger named.
        path: PathBuf,
        /// The run.
        run_id: String,
        /// Number of runs it read.
        earlier: usize,
    },
    /// The ledger and the archive do not say the same of the run.
    #[error(
        "{path}: {what} of run {run_id} is {archived} in the archive, {recorded} in the ledger; \
         expected the same; hint: restore whichever was changed from a copy",
        path = path.display()
    )]
    Disowned {
        /// The archive.
        path: PathBuf,
        /// What they do not agree on.
        what: &'static str,
        /// The run.
        run_id: String,
        /// By the archive.
        archived: String,
        /// By the ledger.
        recorded: String,
    },
    /// Settled again it is another run of the same version: S30 does not hold, or what was read was
    /// changed.
    #[error(
        "run {run_id}: settling it again from the archive gives {found}; expected the same; hint: \
         tuoyu audit rerun tells which file differs"
    )]
    Otherwise {
        /// The run.
        run_id: String,
        /// The run that settling again gave.
        found: String,
    },
    /// A file of the new run cannot be read back, or the archived manifest is none.
    #[error("{path}: {reason}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The new run would replace what is there.
    #[error(
        "{path}: is not empty; expected a new folder for the run settled again, so that nothing is \
         replaced before it is compared",
        path = path.display()
    )]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
}

/// Settles a run again from the archive alone and compares every file.
///
/// # Errors
/// When it cannot be settled again; what is damaged or missing is named.
pub fn rerun(
    asked: &RerunQuestion<'_>,
    progress: &mut dyn Progress,
) -> Result<RerunReport, RerunError> {
    let RerunQuestion { archive, run_id, .. } = *asked;
    let (ledger, recipe) = opened(archive, asked.ledger, run_id)?;
    let bytes = archive.manifest(run_id)?;
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| RerunError::Read {
        path: archive.path().to_owned(),
        reason: format!("the manifest of run {run_id} is no manifest: {error}"),
    })?;
    if let Some(out) =
        asked.out.filter(|out| out.read_dir().is_ok_and(|mut all| all.next().is_some()))
    {
        return Err(RerunError::Occupied { path: out.to_owned() });
    }
    let beside = asked.out.and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
    let beside =
        beside.unwrap_or(if asked.out.is_some() { Path::new(".") } else { archive.path() });
    let calc_version = recipe.calc_version.clone();
    let materials = Materials::new(archive, recipe, beside)?;
    let own = materials.folder().join("rerun");
    let out = asked.out.unwrap_or(&own);
    let found_run_id = settle::rerun(&materials, ledger, asked.threads, out, progress)?;
    let same_version = calc_version == CALC_VERSION;
    let mut report = RerunReport {
        run_id: run_id.to_owned(),
        found_run_id,
        calc_version,
        same_version,
        files: 0,
        uncompared: Vec::new(),
        differences: Vec::new(),
    };
    let sides = Sides { archive, run_id, out, folder: asked.folder };
    let mut names: Vec<(&str, &str)> =
        manifest.outputs.iter().map(|file| (&*file.file, &*file.sha256)).collect();
    let manifest_sha256 = hex(&Sha256::digest(&bytes));
    names.push((MANIFEST, &manifest_sha256));
    for (file, sha256) in &names {
        if same_version {
            sides.same_bytes(file, sha256, &bytes, &mut report)?;
        } else {
            sides.same_contents(file, sha256, &mut report)?;
        }
    }
    // Another version may write more files.
    if same_version {
        sides.extra(&names, &mut report)?;
    }
    Ok(report)
}

/// The ledger, where there is one, and the recipe of a run both know; a run that read posted lines
/// needs its ledger.
pub(super) fn opened(
    archive: &Archive,
    path: &Path,
    run_id: &str,
) -> Result<(Option<Ledger>, Recipe), RerunError> {
    let ledger = path.is_file().then(|| Ledger::open(path)).transpose()?;
    let recipe = match &ledger {
        Some(ledger) => owned_recipe(archive, ledger, run_id)?,
        None => archive.recipe(run_id)?,
    };
    if ledger.is_none() && !(recipe.earlier.is_empty() && recipe.compared_with.is_none()) {
        return Err(RerunError::LedgerMissing {
            path: path.to_owned(),
            run_id: run_id.to_owned(),
            earlier: recipe.earlier.len(),
        });
    }
    Ok((ledger, recipe))
}

/// The recipe the ledger says the run has; archive and ledger must agree on it.
fn owned_recipe(archive: &Archive, ledger: &Ledger, run_id: &str) -> Result<Recipe, RerunError> {
    let recorded = ledger.recipes()?.remove(run_id);
    let archived = archive.recipe_hash(run_id)?;
    let disowned = |what, archived: &str, recorded: String| RerunError::Disowned {
        path: archive.path().to_owned(),
        what,
        run_id: run_id.to_owned(),
        archived: archived.to_owned(),
        recorded,
    };
    if let (Some(archived), Some(recorded)) = (&archived, recorded)
        && *archived != recorded
    {
        return Err(disowned("the recipe", archived, recorded));
    }
    let recipe = archive.recipe(run_id)?;
    match ledger.run(run_id) {
        Ok(run) if run.manifest_hash != recipe.manifest => {
            Err(disowned("the manifest", &recipe.manifest, run.manifest_hash))
        }
        Ok(_) | Err(LedgerError::Unknown { .. }) => Ok(recipe),
        Err(error) => Err(error.into()),
    }
}

/// Where the files of a run stand.
struct Sides<'a> {
    archive: &'a Archive,
    run_id: &'a str,
    /// The run settled again.
    out: &'a Path,
    /// The run as published.
    folder: Option<&'a Path>,
}

impl Sides<'_> {
    /// Bytes against the archived hash, on both sides.
    fn same_bytes(
        &self,
        file: &str,
        sha256: &str,
        manifest: &[u8],
        report: &mut RerunReport,
    ) -> Result<(), RerunError> {
        report.files += 1;
        let whole = |bytes: &Option<Vec<u8>>| {
            bytes.as_ref().is_some_and(|bytes| hex(&Sha256::digest(bytes)) == sha256)
        };
        let again = read(&self.out.join(file))?;
        let published = match self.folder {
            Some(folder) => read(&folder.join(file))?,
            None => None,
        };
        // What was archived, from wherever it can be had whole.
        let archived = if file == MANIFEST {
            Some(manifest.to_owned())
        } else if whole(&again) {
            again.clone()
        } else if whole(&published) {
            published.clone()
        } else if file == LINES {
            Some(self.archive.lines(self.run_id)?)
        } else {
            None
        };
        let mut tell = |whose, bytes: &Option<Vec<u8>>| {
            if !whole(bytes) {
                report.differences.push(difference(
                    file,
                    whose,
                    archived.as_deref(),
                    bytes.as_deref(),
                ));
            }
        };
        tell(Whose::Rerun, &again);
        if self.folder.is_some() {
            tell(Whose::Folder, &published);
        }
        Ok(())
    }

    /// What tables tell, against the published files: another version of the calculation.
    fn same_contents(
        &self,
        file: &str,
        sha256: &str,
        report: &mut RerunReport,
    ) -> Result<(), RerunError> {
        let published = match self.folder {
            Some(folder) => read(&folder.join(file))?,
            None => None,
        };
        // What stands in the folder is what was archived, whoever settles.
        let whole = |bytes: &Vec<u8>| hex(&Sha256::digest(bytes)) == sha256;
        if self.folder.is_some() && !published.as_ref().is_some_and(whole) {
            report.differences.push(difference(file, Whose::Folder, None, published.as_deref()));
        }
        let published = published.filter(whole);
        let archived =
            if file == LINES { Some(self.archive.lines(self.run_id)?) } else { published };
        let Some(archived) = archived.filter(|_| is_table(file)) else {
            report.uncompared.push(file.to_owned());
            return Ok(());
        };
        report.files += 1;
        let again = read(&self.out.join(file))?;
        let Some(again) = again else {
            report.differences.push(difference(file, Whose::Rerun, Some(&archived), None));
            return Ok(());
        };
        if let Some(at) = first_logical_difference(file, &archived, &again) {
            report.differences.push(Difference {
                file: file.to_owned(),
                whose: Whose::Rerun,
                kind: DifferenceKind::Changed,
                at: Some(at),
            });
        }
        Ok(())
    }

    /// Files of the new run that nobody archived.
    fn extra(&self, names: &[(&str, &str)], report: &mut RerunReport) -> Result<(), RerunError> {
        let again = Manifest::read(self.out).map_err(|error| RerunError::Read {
            path: self.out.to_owned(),
            reason: error.to_string(),
        })?;
        let known = |file: &str| names.iter().any(|(name, _)| *name == file);
        for output in again.outputs.iter().filter(|output| !known(&output.file)) {
            report.differences.push(Difference {
                file: output.file.clone(),
                whose: Whose::Rerun,
                kind: DifferenceKind::Extra,
                at: None,
            });
        }
        Ok(())
    }
}

fn difference(
    file: &str,
    whose: Whose,
    archived: Option<&[u8]>,
    found: Option<&[u8]>,
) -> Difference {
    let at = archived.zip(found).and_then(|(was, is)| first_difference(file, was, is));
    let kind = if found.is_some() { DifferenceKind::Changed } else { DifferenceKind::Missing };
    Difference { file: file.to_owned(), whose, kind, at }
}

/// The bytes of a file; `None` where there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, RerunError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(RerunError::Read { path: path.to_owned(), reason: error.to_string() }),
    }
}
