//! A run settled again: which job file it was made from, for which period and as known when.

use super::args::Changes;
use super::console::Trouble;
use super::exit::Exit;
use super::spine;
use crate::domain::texts::Language;
use crate::domain::{Date, Month};
use crate::job::Job;
use std::path::{Path, PathBuf};

/// Where the jobs of an office are kept, relative to the working directory.
const JOBS: &str = "jobs";

/// The job to settle again, and the run it must give.
pub(super) struct Again {
    pub(super) file: PathBuf,
    period: Option<Month>,
    known_on: Option<Date>,
    /// Language the run's files are in; a job file says it itself.
    language: Option<Language>,
    /// The run a folder holds; a job file on its own names none.
    pub(super) run_id: Option<String>,
}

impl Again {
    /// A job file stands for itself; a run folder for the job its manifest names.
    pub(super) fn find(
        run: &Path,
        job: Option<&Path>,
        period: Option<Month>,
    ) -> Result<Self, Trouble> {
        if run.is_file() {
            return Ok(Self {
                file: run.to_path_buf(),
                period,
                known_on: None,
                language: None,
                run_id: None,
            });
        }
        let manifest = spine::manifest(run)?;
        let file = match job {
            Some(file) => file.to_path_buf(),
            // A correction batch is of the job whose payments failed.
            None => job_of(manifest.job.split('+').next().unwrap_or_default())?,
        };
        Ok(Self {
            file,
            period: Some(manifest.period),
            known_on: Some(manifest.known_on),
            language: Some(manifest.language),
            run_id: Some(manifest.run_id),
        })
    }

    /// The job as it was run, with what the command line changes beside.
    pub(super) fn job(&self, beside: Changes) -> Result<Job, Trouble> {
        let Self { period, known_on, language, .. } = *self;
        let changes = Changes { period, known_on, language, ..beside };
        spine::job(&self.file, &changes)
    }
}

/// The file of the office's jobs whose job has the id.
pub(super) fn job_of(id: &str) -> Result<PathBuf, Trouble> {
    let folder = Path::new(JOBS);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    files.sort();
    files
        .into_iter()
        .find(|file| {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            let table: toml::Table = text.parse().unwrap_or_default();
            id_of(&table).is_some_and(|found| found == id)
        })
        .ok_or_else(|| {
            let found = folder.display();
            Trouble::told(
                Exit::World,
                format!(
                    "{found}: no job file with id {id:?}; expected the job the run was made with; \
                     hint: name it with --job"
                ),
            )
        })
}

/// A job's id stands at the top or in `[job]`.
fn id_of(table: &toml::Table) -> Option<&str> {
    let top = table.get("id");
    top.or_else(|| table.get("job")?.get("id")).and_then(toml::Value::as_str)
}
