//! A run settled again from the archive alone (S30).

use super::{SettleError, compute_naming, in_pool, post};
use crate::archive::{Archive, Materials, Recipe};
use crate::domain::Progress;
use crate::job::Job;
use crate::ledger::{Ledger, Recalled};
use crate::publish::PublishError;
use std::path::Path;

/// The runs of the ledger that an archived run read.
#[must_use]
pub fn recalled(recipe: &Recipe) -> Recalled {
    Recalled {
        earlier: recipe.earlier.clone(),
        closed: recipe.closed.clone(),
        compared_with: recipe.compared_with.clone(),
        run: Some(recipe.run_id.clone()),
    }
}

/// The books of a job as a run of it read them, where its archive holds the run: months that were closed
/// since, or released, were not when it was made. Else the books as they are.
///
/// # Errors
/// When ledger or archive cannot be read.
pub fn books_of(job: &Job, path: &Path, run_id: &str) -> Result<Ledger, SettleError> {
    let ledger = Ledger::open(path)?;
    let archive = job.archive.as_deref().and_then(|folder| Archive::open(folder).ok());
    match archive.filter(|archive| archive.holds(run_id)) {
        Some(archive) => Ok(ledger.recalling(recalled(&archive.recipe(run_id)?))),
        None => Ok(ledger),
    }
}

/// Settles an archived run again into `out`, with the lines of exactly the runs it read; posts
/// nothing, archives nothing. Gives the run id found.
///
/// # Errors
/// What is missing or damaged in the archive, else as [`super::run`].
pub fn rerun(
    materials: &Materials,
    ledger: Option<Ledger>,
    threads: Option<usize>,
    out: &Path,
    progress: &mut dyn Progress,
) -> Result<String, SettleError> {
    let mut job = materials.job()?;
    job.threads = threads;
    out.clone_into(&mut job.out);
    // To read earlier runs from; nothing is written to it.
    job.archive = Some(materials.archive().path().to_owned());
    let ledger = ledger.map(|ledger| ledger.recalling(recalled(materials.recipe())));
    let job = &job;
    in_pool(job, move || {
        let nobody = post::Maker { by: "", at: "", key: None, engine: "" };
        let pseudonyms = post::pseudonyms(job)?;
        let mut settled = compute_naming(job, ledger.as_ref(), progress, Some(&pseudonyms))?;
        progress.begin("publish", None);
        let (draft, _) = post::write(job, &mut settled, &pseudonyms, None, &nobody)?;
        draft.commit().map_err(PublishError::from)?;
        progress.end();
        Ok(settled.run_id)
    })
}
