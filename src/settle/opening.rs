//! Months before the books were opened (S23): they are for nobody, or count as closed with nothing
//! paid.

use super::closed::{Closed, ClosedMonth};
use super::hashes::Hashes;
use super::{SettleError, law_of};
use crate::domain::{Finding, FindingCode, Month, hex};
use crate::job::Job;
use crate::law::LawBook;
use crate::retro::Examined;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

impl Closed {
    /// Late deliveries for months before the opening: a finding, or months that are due whole.
    pub(super) fn look_before_opening(
        &mut self,
        job: &Job,
        book: &LawBook,
        hashes: &mut Hashes,
    ) -> Result<(), SettleError> {
        let Some(opening) = job.opening else { return Ok(()) };
        if !job.pay_before_opening {
            self.late_before_opening(job, opening);
            return Ok(());
        }
        let mut months: BTreeSet<Month> = self.examined_before(opening);
        for spec in job.late.iter().filter(|spec| spec.received_by(job.known_on)) {
            let Some((first, last)) = spec.complete_for else { continue };
            let mut month = first;
            while month <= last && month < opening {
                months.insert(month);
                month = month.plus(1);
            }
        }
        for month in months {
            // Its own deliveries are those of the run that looked at it first.
            let of = match self.first_examined(month) {
                Some(run) => self.look_at(job, book, run, month, hashes)?,
                None => first_look(job, book, month, hashes)?,
            };
            self.months.push(of);
        }
        Ok(())
    }

    fn late_before_opening(&mut self, job: &Job, opening: Month) {
        for spec in job.late.iter().filter(|spec| spec.received_by(job.known_on)) {
            if spec.complete_for.is_some_and(|(first, _)| first < opening) {
                let mut finding = Finding::of(FindingCode::LateBeforeOpening);
                finding.place.table.clone_from(&spec.table);
                finding.values = vec![("period", opening.to_string())];
                self.findings.push(finding);
            }
        }
    }
}

/// A month nobody looked at yet: nothing was paid of it, and nothing known.
fn first_look(
    job: &Job,
    book: &LawBook,
    month: Month,
    hashes: &mut Hashes,
) -> Result<ClosedMonth, SettleError> {
    let specs = job.deliveries(month, job.known_on)?;
    let (law, _) = law_of(job, book, month)?;
    let now = Examined {
        month: month.to_string(),
        run_id: String::new(),
        law_sha256: hex(&Sha256::digest(law.snapshot.as_bytes())),
        calendar_sha256: hex(&Sha256::digest(format!("{:?}\n", law.calendar))),
        known_on: super::law_day(job).to_string(),
        inputs: hashes.inputs(&specs)?,
        changed: 0,
        refund_fen: 0,
        correction_fen: 0,
    };
    let then = Examined { inputs: BTreeMap::new(), ..now.clone() };
    Ok(ClosedMonth { month, run: None, law, specs, then, now })
}
