//! The identity of a run (S29).

use super::deliveries::Delivered;
use super::{CALC_VERSION, SettleError};
use crate::domain::{Month, hex};
use crate::job::Job;
use crate::law::LawOfMonth;
use crate::publish::Profiles;
use sha2::{Digest, Sha256};

/// A run's hashes, lower-case hex.
pub(super) struct Identity {
    pub(super) run_id: String,
    pub(super) law_sha256: String,
    pub(super) calendar_sha256: String,
}

/// Hash of (canonical job, sorted input hashes, law, calendar, key, released runs of earlier
/// periods, the run compared with, law and inputs of the closed months as known now, version of the
/// calculation). File names stay out: bytes decide.
/// The ids of earlier runs follow from their own inputs; a draft counts only where `changes.csv`
/// compares with it, and pays nothing.
pub(super) fn identify(
    job: &Job,
    laws: &[(Month, LawOfMonth)],
    delivered: &Delivered,
    released: &[String],
    compared: Option<&str>,
    (closed, carried): (&str, &str),
) -> Result<Identity, SettleError> {
    let mut law = Sha256::new();
    let mut calendar = Sha256::new();
    for (month, of) in laws {
        law.update(format!("{month}\n{}\n", of.snapshot));
        calendar.update(format!("{:?}\n", of.calendar));
    }
    let law_sha256 = hex(&law.finalize());
    let calendar_sha256 = hex(&calendar.finalize());
    let files = &delivered.whole.files;
    let mut inputs: Vec<String> =
        files.iter().map(|file| format!("{} {}", file.table, file.sha256)).collect();
    inputs.sort();
    let key = super::post::key_bytes(job)?;
    let profiles = Profiles::load(&job.reference, job.form.as_deref(), job.pay.as_ref())
        .map_err(SettleError::Profile)?;
    let mut run = Sha256::new();
    let mut part = |name: &str, text: &str| {
        run.update(format!("{name} {}\n{text}\n", text.len()));
    };
    part("calc_version", CALC_VERSION);
    part("job", &job.canonical);
    part("inputs", &inputs.join("\n"));
    let late = delivered.late();
    if !late.is_empty() {
        part("late", &late.join("\n"));
    }
    part("law", &law_sha256);
    part("calendar", &calendar_sha256);
    part("key", &hex(&Sha256::digest(&key)));
    part("profiles", &profiles.identity());
    if job.pay.is_some() {
        part("batch profiles", &format!("{:?}", profiles.batch));
    }
    part("earlier", &released.join("\n"));
    part("compared", compared.unwrap_or_default());
    if !carried.is_empty() {
        part("failed", carried);
    }
    part("closed", closed);
    Ok(Identity { run_id: hex(&run.finalize()), law_sha256, calendar_sha256 })
}
