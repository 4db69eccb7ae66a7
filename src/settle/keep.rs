//! Keeping what a run read in the archive, while it is published (S31).

use super::{CALC_VERSION, SettleError, Settled};
use crate::archive::{Archive, Inputs, Kept, Papers};
use crate::domain::Month;
use crate::job::Job;
use crate::ledger::Ledger;
use crate::publish::{
    CORRECTIONS, EXAMINED, FolderError, LINES as LINES_OF_RETRO, MANIFEST, Manifest, PublishError,
};
use std::path::{Path, PathBuf};

/// The file of a run whose lines later periods compare with.
const LINES: &str = "entitlements.parquet";

/// An archive, and the papers of the job before anything was read.
pub(super) struct Keeping {
    archive: Archive,
    papers: Papers,
}

impl Keeping {
    /// Looks at the papers of a job that keeps what it reads; a trial keeps nothing.
    pub(super) fn begin(job: &Job) -> Option<Self> {
        job.ledger.as_ref()?;
        let archive = Archive::at(job.archive.as_deref()?);
        Some(Self { archive, papers: Papers::look(job) })
    }

    /// Keeps the deliveries and the papers.
    pub(super) fn inputs(&self, job: &Job, settled: &Settled) -> Result<Inputs, SettleError> {
        let read = &settled.tables.files;
        Ok(self.archive.keep_inputs(job, &self.papers, read, &settled.late)?)
    }

    /// Keeps the run of a sealed folder; gives the hash of its recipe.
    pub(super) fn run(
        &self,
        job: &Job,
        settled: &Settled,
        inputs: Inputs,
        folder: &Path,
        manifest: &[u8],
        recorded: Option<&str>,
    ) -> Result<String, SettleError> {
        let sealed = Manifest::read(folder).map_err(PublishError::from)?;
        let lines = sealed.outputs.iter().find(|file| file.file == LINES);
        let law: Vec<(Month, &str)> =
            settled.months.iter().map(|month| (month.month, &*month.law.snapshot)).collect();
        let outputs: Vec<(PathBuf, &str)> = sealed
            .outputs
            .iter()
            .filter(|file| [LINES_OF_RETRO, CORRECTIONS, EXAMINED].contains(&&*file.file))
            .map(|file| (folder.join(&file.file), file.sha256.as_str()))
            .collect();
        let kept = Kept {
            run_id: &settled.run_id,
            period: settled.period,
            calc_version: CALC_VERSION,
            law: &law,
            recalled: &settled.recalled,
            manifest,
            lines: (&folder.join(LINES), lines.map_or("", |file| &file.sha256)),
            outputs: &outputs,
            recorded,
        };
        Ok(self.archive.keep(job, inputs, &kept)?)
    }

    /// Keeps a run that stands already, where the archive has lost it.
    pub(super) fn mend(
        &self,
        job: &Job,
        settled: &Settled,
        ledger: &Ledger,
    ) -> Result<(), SettleError> {
        if self.archive.holds(&settled.run_id) {
            return Ok(());
        }
        let recorded = ledger.recipes()?.remove(&settled.run_id);
        let path = job.out.join(MANIFEST);
        let manifest = std::fs::read(&path).map_err(|cause| {
            PublishError::from(FolderError::Io { path, action: "read back", cause })
        })?;
        let inputs = self.inputs(job, settled)?;
        self.run(job, settled, inputs, &job.out, &manifest, recorded.as_deref())?;
        Ok(())
    }
}
