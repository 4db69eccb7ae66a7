//! `tuoyu explain`: settles a run's period again, checks that it is the same run, and tells every
//! step of the amounts asked for.

use super::args::{Changes, ExplainCommand};
use super::console::{Console, Outcome, Trouble};
use super::exit::Exit;
use super::spine;
use crate::domain::Month;
use crate::domain::texts::Catalogue;
use crate::explain::{Explanation, render};
use std::path::{Path, PathBuf};

/// Where the jobs of an office are kept, relative to the working directory.
const JOBS: &str = "jobs";

/// Explains lines of a run.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn explain(command: &ExplainCommand, console: &mut Console<'_>) -> Outcome {
    match answer(command, console) {
        Ok((explanation, texts)) => {
            if command.json {
                let json = serde_json::to_string_pretty(&explanation)?;
                writeln!(console.out, "{json}")?;
            } else {
                console.out.write_all(render(&explanation, &texts).as_bytes())?;
            }
            Ok(Exit::Done)
        }
        Err(trouble) => console.tell(&trouble, &super::texts(command.language)),
    }
}

fn answer(
    command: &ExplainCommand,
    console: &Console<'_>,
) -> Result<(Explanation, Catalogue), Trouble> {
    let asked = Asked::find(&command.run, command.job.as_deref(), command.month)?;
    let changes = Changes {
        period: asked.period,
        input: command.input.clone(),
        known_on: asked.known_on,
        ledger: command.ledger.clone(),
        language: command.language,
        ..Changes::default()
    };
    let job = spine::job(&asked.job, &changes)?;
    let language = spine::language(&job);
    let mut progress = console.progress(language);
    let explanation = spine::explain(&job, asked.run_id.as_deref(), command, progress.as_mut())?;
    Ok((explanation, Catalogue::new(language)))
}

/// The job to settle again, and the run it must give.
pub(super) struct Asked {
    pub(super) job: PathBuf,
    pub(super) period: Option<Month>,
    pub(super) known_on: Option<crate::domain::Date>,
    pub(super) run_id: Option<String>,
}

impl Asked {
    /// A job file stands for itself; a run folder for the job its manifest names.
    pub(super) fn find(
        run: &Path,
        job: Option<&Path>,
        period: Option<Month>,
    ) -> Result<Self, Trouble> {
        if run.is_file() {
            return Ok(Self { job: run.to_path_buf(), period, known_on: None, run_id: None });
        }
        let manifest = spine::manifest(run)?;
        let job = match job {
            Some(file) => file.to_path_buf(),
            None => job_of(&manifest.job, Path::new(JOBS))?,
        };
        Ok(Self {
            job,
            period: Some(manifest.period),
            known_on: Some(manifest.known_on),
            run_id: Some(manifest.run_id),
        })
    }
}

/// The file of a folder whose job has the id.
fn job_of(id: &str, folder: &Path) -> Result<PathBuf, Trouble> {
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
