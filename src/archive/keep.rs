//! Keeping a run: deliveries and papers while its files are written, then the recipe, then its pointer.

use super::papers::{KeptPapers, last_name};
use super::{
    Archive, ArchiveError, KeptFile, KeptLate, KeptLaw, KeptTable, Papers, Pointer, RECIPE_FORMAT,
    Recipe,
};
use crate::domain::Month;
use crate::intake::SourceFile;
use crate::job::{Job, TableSpec};
use crate::ledger::Recalled;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Deliveries and papers that are kept.
#[derive(Debug)]
pub struct Inputs {
    tables: Vec<KeptTable>,
    late: Vec<KeptLate>,
    papers: KeptPapers,
}

/// What a run has to say of itself when it is kept.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// Run id.
    pub run_id: &'a str,
    /// Last service month.
    pub period: Month,
    /// Version of the calculation.
    pub calc_version: &'a str,
    /// The law in force for each service month, as text.
    pub law: &'a [(Month, &'a str)],
    /// Runs of the ledger it read.
    pub recalled: &'a Recalled,
    /// Text of the manifest.
    pub manifest: &'a [u8],
    /// `entitlements.parquet` and its hash by the manifest.
    pub lines: (&'a Path, &'a str),
    /// Outputs that later periods read, with their hashes by the manifest.
    pub outputs: &'a [(PathBuf, &'a str)],
    /// Hash of the recipe by the ledger, where the run was posted before: it stays.
    pub recorded: Option<&'a str>,
}

/// Hash of every file that was read, by table and path.
type Read<'a> = BTreeMap<(&'a str, &'a Path), &'a str>;

impl Archive {
    /// Keeps the papers of a job and its deliveries that were there on its day, all with the bytes
    /// that were read. Runs in the current rayon pool, a file a task.
    ///
    /// # Errors
    /// [`ArchiveError::Changed`] when a file is not what was read, else the world's reasons.
    pub fn keep_inputs(
        &self,
        job: &Job,
        papers: &Papers,
        read: &[SourceFile],
        looked_at: &BTreeMap<PathBuf, String>,
    ) -> Result<Inputs, ArchiveError> {
        let mut hashes: Read<'_> = BTreeMap::new();
        for spec in &job.late {
            for path in &spec.paths {
                if let Some(sha256) = looked_at.get(path) {
                    hashes.insert((&spec.table, path), sha256);
                }
            }
        }
        hashes.extend(read.iter().map(|file| ((&*file.table, &*file.path), file.sha256.as_str())));
        let read = hashes;
        let table = |spec: &TableSpec| {
            let (table, optional) = (spec.table.clone(), spec.optional);
            Ok(KeptTable { table, optional, files: self.keep_files(job, spec, &read)? })
        };
        let late = |spec: &TableSpec| {
            let files = self.keep_files(job, spec, &read)?;
            Ok(KeptLate { spec: spec.canonical(), files })
        };
        let received = |spec: &&TableSpec| spec.received_by(job.known_on);
        let (papers, (tables, late)) = rayon::join(
            || papers.keep(self),
            || {
                let tables: Vec<Result<_, ArchiveError>> =
                    job.tables.par_iter().map(table).collect();
                let late: Vec<Result<_, ArchiveError>> =
                    job.late.par_iter().filter(received).map(late).collect();
                (tables, late)
            },
        );
        Ok(Inputs {
            tables: tables.into_iter().collect::<Result<_, _>>()?,
            late: late.into_iter().collect::<Result<_, _>>()?,
            papers: papers?,
        })
    }

    fn keep_files(
        &self,
        job: &Job,
        spec: &TableSpec,
        read: &Read<'_>,
    ) -> Result<Vec<KeptFile>, ArchiveError> {
        let keep = |path: &std::path::PathBuf| {
            let expected = read.get(&(spec.table.as_str(), path.as_path())).copied();
            // What nobody read by then is kept where it is there, for later questions.
            let there = spec.received_by(job.known_on) && path.is_file();
            let sha256 = match expected {
                None if !there => None,
                expected => Some(self.put_file(path, expected)?),
            };
            Ok(KeptFile { name: last_name(path), sha256 })
        };
        let files: Vec<Result<KeptFile, ArchiveError>> = spec.paths.par_iter().map(keep).collect();
        files.into_iter().collect()
    }

    /// Keeps a run whose deliveries are kept; gives the hash of its recipe, for the ledger.
    ///
    /// # Errors
    /// [`ArchiveError::Changed`] when a file is not what was read, else the world's reasons.
    pub fn keep(&self, job: &Job, inputs: Inputs, run: &Kept<'_>) -> Result<String, ArchiveError> {
        let Inputs { tables, late, papers } = inputs;
        let mut law = Vec::with_capacity(run.law.len());
        for (month, text) in run.law {
            law.push(KeptLaw { month: *month, sha256: self.put(text.as_bytes())? });
        }
        let (lines, sha256) = run.lines;
        let mut outputs = Vec::with_capacity(run.outputs.len());
        for (path, sha256) in run.outputs {
            let sha256 = Some(self.put_file(path, Some(sha256))?);
            outputs.push(KeptFile { name: last_name(path), sha256 });
        }
        let recipe = Recipe {
            format: RECIPE_FORMAT,
            run_id: run.run_id.to_owned(),
            job_id: job.id.clone(),
            period: run.period,
            known_on: job.known_on,
            calc_version: run.calc_version.to_owned(),
            job: job.canonical.clone(),
            tables,
            late,
            packs: papers.packs,
            overlays: papers.overlays,
            reference: papers.reference,
            key: papers.key,
            law,
            earlier: run.recalled.earlier.clone(),
            closed: run.recalled.closed.clone(),
            compared_with: run.recalled.compared_with.clone(),
            manifest: self.put(run.manifest)?,
            lines: self.put_as_is(lines, sha256)?,
            outputs,
        };
        let hash = self.put(recipe.text().as_bytes())?;
        // What the ledger holds stands; a remark in a pack that changed since is no other run.
        let hash = run.recorded.unwrap_or(&hash).to_owned();
        if self.object(&hash).is_none() {
            return Err(ArchiveError::OtherPapers { run_id: run.run_id.to_owned() });
        }
        self.point(run.run_id, &hash)?;
        Ok(hash)
    }

    /// Writes the pointer of a run.
    fn point(&self, run_id: &str, recipe: &str) -> Result<(), ArchiveError> {
        if self.recipe_hash(run_id).is_ok_and(|hash| hash.as_deref() == Some(recipe)) {
            return Ok(());
        }
        let path = self.pointer(run_id);
        let folder = path.parent().unwrap_or(self.path());
        std::fs::create_dir_all(folder).map_err(ArchiveError::io(folder, "make the folder"))?;
        let mut beside = super::new_file(folder).map_err(ArchiveError::io(folder, "write into"))?;
        beside
            .write_all(Pointer::text(recipe).as_bytes())
            .and_then(|()| beside.as_file().sync_all())
            .map_err(ArchiveError::io(&path, "write"))?;
        super::move_in(beside, &path)
    }
}

impl Archive {
    /// Keeps a file of answers that was believed, by the hash the books hold of it.
    ///
    /// # Errors
    /// When it is not the file that was read any more, or cannot be read or written.
    pub fn keep_answers(&self, path: &std::path::Path, sha256: &str) -> Result<(), ArchiveError> {
        self.put_file(path, Some(sha256)).map(|_| ())
    }
}
