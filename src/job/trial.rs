//! A job that no file states: a trial of packs over tables in hand, for their cases.

use super::{Job, JobKind, Language, TableSpec, canonical};
use crate::domain::{Date, Month};
use std::path::{Path, PathBuf};

impl Job {
    /// A trial of packs: no ledger, no archive, no files; every other setting as a job has it that
    /// says nothing. Its tables are in the caller's hand and are named only.
    #[must_use]
    pub fn trial(
        (period, known_on): (Month, Date),
        packs: &[PathBuf],
        reference: &Path,
        tables: &[&str],
    ) -> Self {
        let spec = |table: &&str| TableSpec { table: (*table).to_owned(), ..TableSpec::default() };
        let mut job = Self {
            id: "case".to_owned(),
            kind: JobKind::Settle,
            title: "case".to_owned(),
            period,
            packs: packs.to_vec(),
            overlays: Vec::new(),
            reference: reference.to_owned(),
            known_on,
            law_known_on: None,
            tables: tables.iter().map(spec).collect(),
            late: Vec::new(),
            key_file: PathBuf::new(),
            out: PathBuf::new(),
            ledger: None,
            archive: None,
            form: None,
            workbooks: false,
            entitlements_csv: false,
            change_percent: 20,
            provisional_calendar: false,
            retro: true,
            opening: None,
            pay_before_opening: false,
            office: String::new(),
            write_offs: Vec::new(),
            codes: Vec::new(),
            carry_failed: false,
            pay: None,
            approval: super::Approval::default(),
            language: Language::English,
            threads: None,
            canonical: String::new(),
        };
        job.canonical = canonical::canonical(&job, &[]);
        job
    }
}
