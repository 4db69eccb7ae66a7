//! What a run is settled again from: the archive where it is kept there, else its job and what the job
//! reads.

use super::again::{Again, job_of};
use super::console::Trouble;
use super::meant::LEDGER;
use super::spine;
use crate::archive::Archive;
use crate::audit::RerunError;
use crate::domain::Month;
use std::path::{Path, PathBuf};

/// What a command line says of the run it is about.
pub(super) struct Sought<'a> {
    /// Run folder, first letters of a run id, or job file.
    pub(super) run: &'a Path,
    /// Last service month of the period, where a job file is named.
    pub(super) period: Option<Month>,
    /// Job file.
    pub(super) job: Option<&'a Path>,
    /// Inputs, for a run that is settled from its job.
    pub(super) input: Option<&'a Path>,
    /// Whether the run was a trial, which no ledger and no archive holds.
    pub(super) trial: bool,
    /// Ledger.
    pub(super) ledger: Option<&'a Path>,
    /// Archive folder.
    pub(super) archive: Option<&'a Path>,
    /// Whether nothing but the archive will do.
    pub(super) kept_only: bool,
}

/// What a run is settled again from.
pub(super) enum Source {
    /// The archive, which holds it.
    Kept { archive: Archive, ledger: PathBuf, run_id: String },
    /// Its job and whatever the job reads.
    Job(Again),
}

impl Source {
    pub(super) fn of(sought: &Sought<'_>) -> Result<Self, Trouble> {
        let run = sought.run;
        let by_job = || Again::find(run, sought.job, sought.period).map(Self::Job);
        let trial = sought.trial;
        let (archive, ledger) = places(sought)?;
        let archive = Archive::open(&archive).map_err(RerunError::Archive);
        let statement = sought.kept_only;
        if statement || !(run.is_file() || trial || sought.input.is_some()) {
            // A job file stands for the run in its run folder.
            let out = if run.is_file() { spine::books(run, None)?.out } else { None };
            let run = out.as_deref().unwrap_or(run);
            let named = if run.is_dir() { Some(spine::manifest(run)?) } else { None };
            let archive = match archive {
                Err(_) if named.is_some() && !statement => return by_job(),
                archive => archive?,
            };
            let kept = named.as_ref().is_none_or(|named| archive.holds(&named.run_id));
            if kept || statement {
                let run_id = spine::archived(&archive, run)?;
                return Ok(Self::Kept { archive, ledger, run_id });
            }
        }
        by_job()
    }
}

/// Archive and ledger: as said, else as the job says, else the office's.
fn places(sought: &Sought<'_>) -> Result<(PathBuf, PathBuf), Trouble> {
    let run = sought.run;
    let file = match sought.job {
        Some(file) => Some(file.to_owned()),
        None if run.is_file() => Some(run.to_owned()),
        None if run.is_dir() => spine::manifest(run).ok().and_then(|named| job_of(&named.job).ok()),
        None => None,
    };
    // A job file that was not named is a help, not a need: it may be gone or be another's.
    let books = match file {
        Some(file) if sought.job.is_some() => Some(spine::books(&file, None)?),
        Some(file) => spine::books(&file, None).ok(),
        None => None,
    };
    let (own_ledger, own_archive) = books.map_or((None, None), |of| (of.ledger, of.archive));
    let ledger = sought.ledger.map(Path::to_path_buf).or(own_ledger);
    let ledger = ledger.unwrap_or_else(|| PathBuf::from(LEDGER));
    let archive = sought.archive.map(Path::to_path_buf).or(own_archive);
    Ok((archive.unwrap_or_else(|| ledger.with_file_name("archive")), ledger))
}
