//! What a period comes to by identity, settled in memory: for comparing runs.

use super::closed::all_lines;
use super::{SettleError, compute, in_pool, post};
use crate::domain::{Month, Progress};
use crate::intake::SourceFile;
use crate::job::Job;
use crate::ledger::{Ledger, Recalled};
use crate::retro::{Correction, LineBook};
use std::sync::Arc;

/// The money of one settled period by identity, and what it was settled from.
#[derive(Debug)]
pub struct Books {
    /// Run id.
    pub run_id: String,
    /// Lines of each service month.
    pub months: Vec<(Month, LineBook)>,
    /// Corrections of closed months.
    pub corrections: Vec<Correction>,
    /// Canonical text of the law of each service month.
    pub law: Vec<(Month, Arc<str>)>,
    /// Input files read.
    pub files: Vec<SourceFile>,
    /// The runs of the ledger that were read.
    pub recalled: Recalled,
}

/// Settles a period in memory; writes nothing, posts nothing.
///
/// # Errors
/// As [`compute`], and when the key file cannot be read.
pub fn books(
    job: &Job,
    ledger: Option<Ledger>,
    progress: &mut dyn Progress,
) -> Result<Books, SettleError> {
    in_pool(job, move || {
        let pseudonyms = post::pseudonyms(job)?;
        let settled = compute(job, ledger.as_ref(), progress)?;
        let months = settled.months.iter();
        Ok(Books {
            months: months.clone().map(|of| (of.month, all_lines(of, &pseudonyms))).collect(),
            law: months.map(|of| (of.month, Arc::from(&*of.law.snapshot))).collect(),
            run_id: settled.run_id,
            corrections: settled.corrections,
            files: settled.tables.files,
            recalled: settled.recalled,
        })
    })
}
