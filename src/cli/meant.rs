//! Which run an act means: a run folder, a job file, or the first digits of a run id.

use super::again::Again;
use super::args_acts::ActCommand;
use super::console::Trouble;
use super::exit::Exit;
use super::spine;
use crate::domain::Month;
use crate::job::Books;
use crate::ledger::Ledger;
use crate::settle::acts;
use std::path::{Path, PathBuf};

/// The ledger of an office, where no job says another.
pub(super) const LEDGER: &str = "var/ledger.db";

/// Fewest digits of a run id that may stand for it.
const DIGITS: usize = 8;

/// A run and where it stands.
pub(super) struct Meant {
    pub(super) ledger: Ledger,
    pub(super) run_id: String,
    /// Its run folder, where there is one.
    pub(super) folder: Option<PathBuf>,
    /// Whether the command line named that folder.
    pub(super) named: bool,
}

/// What the commands say of a run.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub(super) run: &'a Path,
    pub(super) period: Option<Month>,
    pub(super) job: Option<&'a Path>,
    pub(super) ledger: Option<&'a Path>,
}

impl<'a> From<&'a ActCommand> for Said<'a> {
    fn from(command: &'a ActCommand) -> Self {
        Self {
            run: &command.run,
            period: command.period,
            job: command.job.as_deref(),
            ledger: command.ledger.as_deref(),
        }
    }
}

/// Finds the run.
///
/// # Errors
/// When there is no such folder, file or run, or several runs begin with the digits.
pub(super) fn find(said: Said<'_>) -> Result<Meant, Trouble> {
    if said.run.is_dir() {
        return of_folder(said, said.run, None, true);
    }
    if said.run.is_file() {
        let books = spine::books(said.run, said.period)?;
        let Some(folder) = books.out.clone() else {
            let message =
                format!("{}: names no period; hint: give --period YYYY-MM", said.run.display());
            return Err(Trouble::told(Exit::Usage, message));
        };
        return of_folder(said, &folder, Some(books), false);
    }
    let digits = said.run.to_str().unwrap_or_default();
    if digits.len() < DIGITS || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        let run = said.run.display();
        let expected = "expected a run folder, a job file or the first 8 digits of a run id";
        return Err(Trouble::told(Exit::World, format!("{run}: is not there; {expected}")));
    }
    of_digits(said, &digits.to_ascii_lowercase())
}

/// The ledger of a run folder's job.
///
/// # Errors
/// When a job file was named and cannot be read, or its job has no ledger.
pub(super) fn ledger_of(folder: &Path, job: Option<&Path>) -> Result<PathBuf, Trouble> {
    match Again::find(folder, job, None) {
        Ok(again) => of_books(&spine::books(&again.file, None)?),
        Err(trouble) if job.is_some() => Err(trouble),
        Err(_) => Ok(PathBuf::from(LEDGER)),
    }
}

/// The run a folder holds; whether it is the one that stands, the ledger says.
fn of_folder(
    said: Said<'_>,
    folder: &Path,
    books: Option<Books>,
    named: bool,
) -> Result<Meant, Trouble> {
    let manifest = spine::manifest(folder)?;
    let path = match (said.ledger, books) {
        (Some(file), _) => file.to_path_buf(),
        (None, Some(books)) => of_books(&books)?,
        (None, None) => ledger_of(folder, said.job)?,
    };
    let folder = Some(folder.to_path_buf());
    Ok(Meant { ledger: acts::open(&path)?, run_id: manifest.run_id, folder, named })
}

fn of_books(books: &Books) -> Result<PathBuf, Trouble> {
    books.ledger.clone().ok_or_else(|| {
        let message = "the job has no ledger (ledger = \"none\" is a trial); hint: name a ledger \
                       with --ledger and run the period into it";
        Trouble::told(Exit::World, message.to_owned())
    })
}

fn of_digits(said: Said<'_>, digits: &str) -> Result<Meant, Trouble> {
    let path = match (said.ledger, said.job) {
        (Some(path), _) => path.to_path_buf(),
        (None, Some(file)) => of_books(&spine::books(file, None)?)?,
        (None, None) => Path::new(LEDGER).to_path_buf(),
    };
    let path = path.as_path();
    let ledger = acts::open(path)?;
    let mut runs = ledger.named(digits).map_err(|error| Trouble::from_ledger(&error))?;
    let (Some(run), true) = (runs.pop(), runs.is_empty()) else {
        let found = path.display();
        let message = format!(
            "{found}: the run id {digits}… fits no run that stands, or several; expected one; \
             hint: give more digits"
        );
        return Err(Trouble::told(Exit::World, message));
    };
    // The folder is where the job puts it, if it holds this run.
    let file = match said.job {
        Some(file) => Some(file.to_path_buf()),
        None => super::again::job_of(&run.job_id).ok(),
    };
    let folder = file
        .and_then(|file| spine::books(&file, Some(run.period)).ok()?.out)
        .filter(|out| spine::manifest(out).is_ok_and(|found| found.run_id == run.run_id));
    Ok(Meant { ledger, run_id: run.run_id, folder, named: false })
}
