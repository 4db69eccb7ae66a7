//! An archived run over its own files: what audits and explanations settle again.

use super::rerun::{RerunError, opened};
use crate::archive::{Archive, Materials, Recipe};
use crate::domain::Progress;
use crate::job::Job;
use crate::ledger::{Ledger, LedgerError};
use crate::settle::{self, CALC_VERSION, Settled, Watch};
use std::path::{Path, PathBuf};

/// An archived run, its files and its job over them; the files go with it.
#[derive(Debug)]
pub struct Archived {
    materials: Materials,
    /// The job, reading from the archive alone.
    pub job: Job,
    ledger: PathBuf,
}

impl Archived {
    /// Unpacks a run. Ledger and archive must agree on it.
    ///
    /// # Errors
    /// What is missing or damaged in the archive, or a ledger that is needed and not there.
    pub fn open(
        archive: &Archive,
        ledger: &Path,
        run_id: &str,
        threads: Option<usize>,
    ) -> Result<Self, RerunError> {
        let (_, recipe) = opened(archive, ledger, run_id)?;
        let materials = Materials::new(archive, recipe, archive.path())?;
        let mut job = materials.job()?;
        job.threads = threads;
        job.archive = Some(archive.path().to_owned());
        Ok(Self { materials, job, ledger: ledger.to_owned() })
    }

    /// Its recipe.
    #[must_use]
    pub const fn recipe(&self) -> &Recipe {
        self.materials.recipe()
    }

    /// The books as the run read them; none where there is no ledger.
    ///
    /// # Errors
    /// When the ledger cannot be opened.
    pub fn ledger(&self) -> Result<Option<Ledger>, LedgerError> {
        let ledger = self.ledger.is_file().then(|| Ledger::open(&self.ledger)).transpose()?;
        Ok(ledger.map(|ledger| ledger.recalling(settle::recalled(self.recipe()))))
    }

    /// Settles the run again in memory; it must come out with its own id, unless another version of
    /// the calculation made it (S30).
    ///
    /// # Errors
    /// As [`settle::compute`], and [`RerunError::Otherwise`].
    pub fn settled(
        &self,
        progress: &mut dyn Progress,
        watch: Watch<'_>,
    ) -> Result<Settled, RerunError> {
        let ledger = self.ledger()?;
        self.own(settle::compute_watching(&self.job, ledger.as_ref(), progress, watch)?)
    }

    /// [`Archived::settled`], with what an audit needs of earlier months.
    ///
    /// # Errors
    /// As there.
    pub fn audited(&self, progress: &mut dyn Progress) -> Result<Settled, RerunError> {
        let ledger = self.ledger()?;
        self.own(settle::compute_audited(&self.job, ledger.as_ref(), progress)?)
    }

    /// The run, if it is the one that is kept.
    fn own(&self, settled: Settled) -> Result<Settled, RerunError> {
        let recipe = self.recipe();
        if recipe.calc_version == CALC_VERSION && settled.run_id != recipe.run_id {
            let (run_id, found) = (recipe.run_id.clone(), settled.run_id);
            return Err(RerunError::Otherwise { run_id, found });
        }
        Ok(settled)
    }
}
