//! The files of a reconciliation (FORMATS 4): `recon.csv`, `clearing.csv`, `ageing.csv`,
//! `correction_schedule.csv`, `finance_detail.csv`, `summary.json`, `exceptions.xlsx`.
//!
//! In: [`Reconciliation`]. Every payment is one row, every answer of nobody's payment and every record
//! that was not believed another; their order is that of the ledger and of the file names.

mod ageing;
mod batch;
mod book;
mod detail;
mod rows;
mod summary;

pub use ageing::{BUCKETS, bucket};
pub use batch::{BatchFiles, write_batch};
pub use detail::Detail;
pub use summary::sum;

use super::{Closed, Contents, Draft, Manifest, PublishError, write_bytes, write_sheet};
use crate::domain::{AnswerMessage, Date, Statement, Unread};
use crate::job::{Explained, ReconcileJob};
use crate::ledger::{Message, Told};
use crate::reconcile::{Book, Standing, Totals};
use crate::schedule::Schedule;
use rustc_hash::FxHashMap;

/// A file of a run folder whose page is printed and signed.
const EXCEPTIONS: &str = "exceptions.xlsx";

/// A message of this delivery that is a statement of an account.
#[derive(Debug, Clone, Copy)]
pub struct StatementOf<'a> {
    /// File it came in.
    pub file: &'a str,
    /// The message.
    pub message: &'a AnswerMessage,
    /// Its balances.
    pub statement: &'a Statement,
}

/// A record (or a whole file, record 0) that was not believed.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a> {
    /// File.
    pub file: &'a str,
    /// What and why.
    pub unread: &'a Unread,
}

/// Where a payment stands, with the answer that decided.
#[derive(Debug, Clone, Copy)]
pub struct Judged {
    /// Where it stands.
    pub standing: Standing,
    /// Place in [`Reconciliation::told`].
    pub by: Option<u32>,
}

/// The correction batch a reconciliation proposes.
#[derive(Debug, Clone, Copy)]
pub struct Proposed<'a> {
    /// Its run.
    pub run_id: &'a str,
    /// Its number.
    pub number: u32,
    /// Its lines and payments.
    pub schedule: &'a Schedule,
}

/// Everything the files of a reconciliation are made of.
pub struct Reconciliation<'a> {
    /// The job.
    pub job: &'a ReconcileJob,
    /// Content hash of the reconciliation.
    pub recon_id: &'a str,
    /// Version of the calculation.
    pub calc_version: &'a str,
    /// Payments of the period.
    pub book: &'a Book,
    /// Where each of them stands; `None` where it was not sent.
    pub judged: &'a [Option<Judged>],
    /// Messages that were believed, in the order they were taken in.
    pub messages: &'a [Message],
    /// What they say.
    pub told: &'a [Told],
    /// Statements of this delivery.
    pub statements: &'a [StatementOf<'a>],
    /// What of this delivery was not believed.
    pub refused: &'a [Refused<'a>],
    /// What correction batches have claimed: fen and the batch, by payment.
    pub claimed: &'a FxHashMap<i64, (i64, String)>,
    /// Whether all that failed of a payment has gone out again, beside `judged`.
    pub carried: &'a [bool],
    /// What of each payment batches have paid again since, fen, beside `judged`.
    pub repaid: &'a [i64],
    /// 惠企利民发放明细 of the run folder, where it stands there.
    pub detail: Option<&'a Detail>,
    /// Totals of the payments.
    pub totals: &'a Totals,
    /// Day the open items are aged to.
    pub as_of: Option<Date>,
    /// Work days each payment is open, beside `judged`; zero where it is not.
    pub ages: &'a [i32],
    /// The same of answers of nobody's payment, in the order of [`Reconciliation::loose`].
    pub loose_ages: &'a [i32],
    /// Places in `told` of answers of nobody's payment.
    pub loose: &'a [u32],
    /// The batch that pays again what failed.
    pub proposed: Option<Proposed<'a>>,
}

/// Writes every file into the draft; the caller seals it with [`Reconciliation::manifest`].
///
/// # Errors
/// When a file cannot be written.
pub fn write(of: &Reconciliation<'_>, draft: &mut Draft) -> Result<(), PublishError> {
    let name = "recon.csv";
    let mut file = draft.open(name)?;
    let buffered = std::io::BufWriter::with_capacity(1 << 20, &mut file);
    let (rows, detail) = rayon::join(|| rows::write_recon(of, buffered), || detail::text(of));
    let rows = rows.map_err(PublishError::write(name))?;
    file.start_sync();
    let mut files: Vec<Closed> = vec![
        (file, Contents { rows: Some(rows as u64), fen: None }),
        write_sheet(&rows::clearing(of), draft)?,
        write_sheet(&ageing::sheet(of), draft)?,
        write_sheet(&rows::corrections(of), draft)?,
        write_bytes("summary.json", summary::text(of).as_bytes(), draft)?,
    ];
    if let Some((text, rows)) = detail {
        let (file, _) = write_bytes("finance_detail.csv", &text, draft)?;
        files.push((file, Contents { rows: Some(rows as u64), fen: None }));
    }
    if of.job.workbooks {
        let bytes = book::exceptions(of).map_err(|cause| PublishError::Write {
            file: EXCEPTIONS.to_owned(),
            cause: std::io::Error::other(cause),
        })?;
        files.push(write_bytes(EXCEPTIONS, &bytes, draft)?);
    }
    for (file, contents) in files {
        draft.close(file, contents);
    }
    Ok(())
}

impl Reconciliation<'_> {
    /// The manifest, its outputs still empty.
    #[must_use]
    pub fn manifest(&self) -> Manifest {
        Manifest {
            format: super::MANIFEST_FORMAT,
            run_id: self.recon_id.to_owned(),
            job: self.job.id.clone(),
            period: self.job.period.to_string(),
            months: vec![self.job.period.to_string()],
            calc_version: self.calc_version.to_owned(),
            known_on: self.as_of.map_or_else(String::new, |day| day.to_string()),
            ..Manifest::default()
        }
    }

    /// Who explained an answer of nobody's payment, and how.
    pub(super) fn explained(&self, at: u32) -> Option<&Explained> {
        let told = &self.told[at as usize];
        let holds = |of: &&Explained| of.holds(&told.bank_ref, &told.end_to_end_id, told.fen);
        self.job.explained.iter().find(holds)
    }

    /// Open items: payments a person has something to do about, answers of nobody's payment, records
    /// that were not believed.
    #[must_use]
    pub fn open(&self) -> u64 {
        let open = |(of, carried): &(&Option<Judged>, &bool)| {
            of.as_ref().is_some_and(|of| of.standing.is_open(**carried))
        };
        let payments = self.judged.iter().zip(self.carried).filter(open).count();
        let loose = self.loose.iter().filter(|at| self.explained(**at).is_none()).count();
        (payments + loose + self.refused.len()) as u64
    }
}
