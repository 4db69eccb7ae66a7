//! The correction batch 更正发放: what failed and is not paid again yet, as a run of its own.
//!
//! It takes the course of any run: its maker has posted it, another person approves and releases it.
//! While it is a draft it is made anew by each reconciliation, so that it holds what has failed by then.

use super::super::post::Maker;
use super::past::to_pay_again;
use super::{CALC_VERSION, CorrectionReport, Judged, SettleError, accounts};
use crate::allocation::BudgetLine;
use crate::domain::texts::{Catalogue, Language};
use crate::domain::{Date, Fen, hex, hex_upper};
use crate::job::{Approval, ReconcileJob};
use crate::ledger::{
    Claim, InstitutionMonth, Ledger, PaidLine, Pending, RunRecord, RunState, Told, apportion,
    batch_job,
};
use crate::publish::recon::{BatchFiles, write_batch};
use crate::publish::{Draft, MANIFEST, Manifest, PAY_FILE, PayFile, PublishError};
use crate::reconcile::Book;
use crate::schedule::{LineKind, Payee, Payment, Schedule, ScheduleLine};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// A batch that stands as a draft, or would.
pub(super) struct Correction {
    pub(super) run_id: String,
    pub(super) number: u32,
    pub(super) folder: PathBuf,
    pub(super) schedule: Schedule,
    /// Whether it has to be posted.
    pub(super) is_new: bool,
    /// Hash of its manifest in the books, where it stands there.
    pub(super) posted: Option<String>,
    claims: Vec<Claim>,
    approval: Approval,
    job_id: String,
    known_on: Date,
    law_hash: String,
    named: Named,
    pay: Option<PayFile>,
}

/// What the summary of the settlement's folder tells.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    title: String,
    office: String,
    sample: bool,
    items: BTreeMap<String, String>,
    #[serde(default)]
    language: String,
}

/// A payment that failed, and how much of it is to be paid again.
struct Failed<'a> {
    at: usize,
    fen: i64,
    told: Option<&'a Told>,
}

impl Correction {
    /// The batch of what failed and no other batch has `claimed`, its own [`draft`] apart; `None` where
    /// nothing is left to pay again.
    pub(super) fn of(
        job: &ReconcileJob,
        ledger: &Ledger,
        book: &Book,
        judged: &[Option<Judged>],
        told: &[Told],
        claimed: &FxHashMap<i64, (i64, String)>,
    ) -> Result<Option<Self>, SettleError> {
        let batches = ledger.batches(&job.settles, job.period)?;
        let last = batches.last();
        let draft = last.filter(|(_, head)| head.state == RunState::Draft);
        let corrected = accounts::read(job)?;
        // A payment that was held never went out; it may when its account was the reason and is right
        // now.
        let released = |at: usize| {
            let payment = &book.payments[at];
            let account = accounts::is_hold(&payment.hold_reason);
            let new = corrected.get(&payment.institution_id);
            account && new.is_some_and(|new| accounts::hold(new).is_empty())
        };
        let failed: Vec<Failed<'_>> = judged
            .iter()
            .enumerate()
            .filter(|(at, of)| of.is_some() || released(*at))
            .filter_map(|(at, of)| {
                let before = claimed.get(&book.payments[at].payment).map_or(0, |(fen, _)| *fen);
                let fen = to_pay_again(book, at, of.as_ref()) - before;
                let by = of.as_ref().and_then(|of| of.by);
                (fen > 0).then(|| Failed { at, fen, told: by.map(|by| &told[by as usize]) })
            })
            .collect();
        if failed.is_empty() {
            return Ok(None);
        }
        let number = match (draft, last) {
            (Some((number, _)), _) => *number,
            (None, Some((number, _))) => number + 1,
            (None, None) => 1,
        };
        let settlement = &book.runs[0];
        let head = ledger.run(&settlement.run_id)?;
        let demand = ledger.course(&settlement.run_id)?.demand;
        let two = demand.approvals > 1;
        let approval = Approval { keys: demand.keys, two_from: two.then_some(Fen(0)) };
        // How the batch is paid stands in the run folder of the settlement, and nowhere else.
        let found = Manifest::read(&job.run_folder).map_err(PublishError::from)?.run_id;
        if found != settlement.run_id {
            return Err(SettleError::OtherRun {
                folder: job.run_folder.clone(),
                found: format!("run {found}"),
                expected: format!("run {}", settlement.run_id),
            });
        }
        let pay = PayFile::read(&job.run_folder).map_err(PublishError::from)?;
        let schedule = schedule(job, ledger, book, number, (&failed, &corrected), pay.as_ref())?;
        let claims: Vec<Claim> = failed
            .iter()
            .map(|of| Claim { payment: book.payments[of.at].payment, fen: of.fen })
            .collect();
        let run_id = identity(job, book, number, &failed, &schedule);
        let stands = batches.iter().find(|(_, head)| head.run_id == run_id);
        let posted = stands.map(|(_, head)| head.manifest_hash.clone());
        let summary = std::fs::read(job.run_folder.join("summary.json")).unwrap_or_default();
        let mut folder = job.run_folder.clone().into_os_string();
        folder.push(format!(".correction-{number}"));
        Ok(Some(Self {
            run_id,
            number,
            folder: folder.into(),
            schedule,
            is_new: posted.is_none(),
            posted,
            claims,
            approval,
            job_id: batch_job(&job.settles, number),
            known_on: head.known_on,
            law_hash: head.law_hash,
            named: serde_json::from_slice(&summary).unwrap_or_default(),
            pay,
        }))
    }

    /// What it claims, beside what others have.
    pub(super) fn claim(&self, claimed: &mut FxHashMap<i64, (i64, String)>) {
        for claim in &self.claims {
            let of = claimed.entry(claim.payment).or_default();
            of.0 = of.0.saturating_add(claim.fen);
            self.run_id.clone_into(&mut of.1);
        }
    }

    /// Writes and seals its folder beside its place; gives the hash of the manifest.
    pub(super) fn write(&self, job: &ReconcileJob) -> Result<(Draft, String), SettleError> {
        // The batch is paid as the settlement was.
        let paying = self.pay.as_ref().map(|pay| pay.beside(&self.schedule).text());
        let paying: Vec<(String, Vec<u8>)> =
            paying.into_iter().map(|text| (PAY_FILE.to_owned(), text.into_bytes())).collect();
        // The batch is in the language of the settlement, whoever reads the answers.
        let texts = Catalogue::new(Language::parse(&self.named.language).unwrap_or_default());
        let number = self.number.to_string();
        let values = [("title", &*self.named.title), ("number", &*number)];
        let title = texts.phrase("book.batch_title", &values);
        let files = BatchFiles {
            run_id: &self.run_id,
            job_id: &self.job_id,
            period: job.period,
            title: &title,
            office: &self.named.office,
            sample: self.named.sample,
            items: &self.named.items,
            calc_version: CALC_VERSION,
            known_on: self.known_on.to_string(),
            schedule: &self.schedule,
            paying: &paying,
            workbooks: job.workbooks,
            texts: &texts,
        };
        let draft = write_batch(&files, &self.folder)?;
        let path = draft.folder().join(MANIFEST);
        let manifest = std::fs::read(&path).map_err(|cause| {
            PublishError::from(crate::publish::FolderError::Io { path, action: "read back", cause })
        })?;
        Ok((draft, hex(&Sha256::digest(manifest))))
    }

    /// Posts it as a draft, with its claims.
    pub(super) fn post(
        &self,
        pending: &mut Pending<'_>,
        job: &ReconcileJob,
        manifest_hash: &str,
        maker: &Maker<'_>,
    ) -> Result<(), SettleError> {
        let mut sums: BTreeMap<&Arc<str>, i64> = BTreeMap::new();
        for payment in &self.schedule.payments {
            let id = &self.schedule.payees[payment.payee as usize].institution_id;
            *sums.entry(id).or_default() += payment.amount_fen;
        }
        let institutions: Vec<InstitutionMonth> = sums
            .into_iter()
            .map(|(id, fen)| InstitutionMonth {
                institution_id: Arc::clone(id),
                headcount: -1,
                slots: -1,
                amount_fen: fen,
            })
            .collect();
        let record = RunRecord {
            run_id: &self.run_id,
            job_id: &self.job_id,
            period: job.period,
            calc_version: CALC_VERSION,
            engine: maker.engine,
            law_hash: &self.law_hash,
            manifest_hash,
            known_on: self.known_on,
            earlier: &[],
            closed: &[],
            approval: &self.approval,
            key: maker.key,
            schedule: &self.schedule,
            institutions: &institutions,
            claims: &self.claims,
        };
        pending.post(&record, maker.at, maker.by)?;
        Ok(())
    }

    pub(super) fn report(&self) -> CorrectionReport {
        let payees = &self.schedule.payees;
        let held = |of: &&Payment| !payees[of.payee as usize].hold_reason.is_empty();
        CorrectionReport {
            run_id: self.run_id.clone(),
            number: self.number,
            folder: self.folder.clone(),
            payments: self.schedule.payments.len(),
            amount_fen: self.schedule.payments.iter().map(|of| of.amount_fen).sum(),
            held: self.schedule.payments.iter().filter(held).count(),
        }
    }
}

/// Run of the batch that is a draft and would be made anew.
pub(super) fn draft(job: &ReconcileJob, ledger: &Ledger) -> Result<Option<String>, SettleError> {
    let last = ledger.batches(&job.settles, job.period)?.pop();
    let draft = last.map(|(_, head)| head).filter(|head| head.state == RunState::Draft);
    Ok(draft.map(|head| head.run_id))
}

/// Content hash of the batch: what failed, and to which accounts it is paid again.
fn identity(
    job: &ReconcileJob,
    book: &Book,
    number: u32,
    failed: &[Failed<'_>],
    schedule: &Schedule,
) -> String {
    let mut hash = Sha256::new();
    let mut feed = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    feed("tuoyu-correction-v1");
    feed(CALC_VERSION);
    feed(&job.settles);
    feed(&job.period.to_string());
    feed(&number.to_string());
    feed(&book.runs[0].run_id);
    for of in failed {
        feed(&book.payments[of.at].end_to_end_id);
        feed(&of.fen.to_string());
    }
    for payee in &schedule.payees {
        feed(&payee.institution_id);
        feed(&payee.account_name);
        feed(&payee.account_no);
        feed(&payee.bank_name);
        feed(&payee.bank_no);
        feed(&payee.hold_reason);
    }
    hex(&hash.finalize())
}

/// The lines and payments of the batch: one payment for each that failed, its lines in the
/// proportion of what failed.
fn schedule(
    job: &ReconcileJob,
    ledger: &Ledger,
    book: &Book,
    number: u32,
    (failed, corrected): (&[Failed<'_>], &BTreeMap<Arc<str>, Payee>),
    pay: Option<&PayFile>,
) -> Result<Schedule, SettleError> {
    let keys: FxHashSet<i64> = failed.iter().map(|of| book.payments[of.at].payment).collect();
    let mut lines: FxHashMap<i64, Vec<PaidLine>> = FxHashMap::default();
    let mut payees: FxHashMap<i64, Payee> = FxHashMap::default();
    for run in &book.runs {
        for line in ledger.lines_paid_by(run, &keys)? {
            lines.entry(line.payment).or_default().push(line);
        }
        payees.extend(ledger.payees_of(run, &keys)?);
    }
    let mut made = Schedule::default();
    let mut payee_places: FxHashMap<Payee, u32> = FxHashMap::default();
    for (row, of) in (1_u32..).zip(failed) {
        let sent = &book.payments[of.at];
        let old = payees.remove(&sent.payment).unwrap_or_default();
        let payee = payee(job, corrected, old, of.told);
        let payee = *payee_places.entry(payee).or_insert_with_key(|payee| {
            made.payees.push(payee.clone());
            u32::try_from(made.payees.len() - 1).unwrap_or(u32::MAX)
        });
        let line = pay.and_then(|pay| pay.line_of(sent)).unwrap_or_else(|| BudgetLine {
            budget_doc_no: sent.budget_doc_no.to_string(),
            source: sent.source.to_string(),
            ..BudgetLine::default()
        });
        // A payment that draws from no indicator draws from none now.
        let budget_line = if line.budget_doc_no.is_empty() {
            u32::MAX
        } else {
            place(&mut made.budget_lines, line)
        };
        let parts = lines.remove(&sent.payment).unwrap_or_default();
        let amounts = apportion(of.fen, &parts);
        let payment = u32::try_from(made.payments.len()).unwrap_or(u32::MAX);
        let mut count = 0;
        for (part, fen) in parts.iter().zip(amounts).filter(|(_, fen)| *fen != 0) {
            count += 1;
            let line_no = u32::try_from(made.lines.len() + 1).unwrap_or(u32::MAX);
            made.lines.push(ScheduleLine {
                line_no,
                payee,
                kind: LineKind::Correction,
                source_period: part.source_period,
                item: Arc::clone(&part.item),
                quantity: Arc::from(""),
                rate_fen: None,
                gross_fen: fen,
                cut_fen: 0,
                carried_in_fen: 0,
                carried_out_fen: 0,
                payable_fen: fen,
                source: Arc::clone(&sent.source),
                budget_line,
                pay_on: None,
                rule_version: Arc::clone(&part.rule_version),
                payment,
            });
        }
        let account = &made.payees[payee as usize].account_no;
        made.payments.push(Payment {
            payment_no: format!("{}-C{number}-{row:06}", job.period),
            end_to_end_id: end_to_end_id(&sent.end_to_end_id, number, account),
            payee,
            budget_line,
            source: Arc::clone(&sent.source),
            pay_on: None,
            amount_fen: of.fen,
            lines: count,
        });
    }
    Ok(made)
}

/// To whom it is paid again: the corrected account, else the one it was, unless that was refused.
fn payee(
    job: &ReconcileJob,
    corrected: &BTreeMap<Arc<str>, Payee>,
    old: Payee,
    told: Option<&Told>,
) -> Payee {
    if let Some(new) = corrected.get(&old.institution_id) {
        let mut payee = Payee { institution_name: old.institution_name, ..new.clone() };
        payee.hold_reason = Arc::from(accounts::hold(&payee));
        return payee;
    }
    let code = told.map_or("", |told| &told.reason_code);
    let again = job.same_account.iter().any(|known| known == code)
        || job.reasons.get(code).is_some_and(|reason| reason.again);
    let hold = if again { accounts::hold(&old) } else { accounts::REFUSED };
    Payee { hold_reason: Arc::from(hold), ..old }
}

/// Place of a value in a list, added when new.
fn place<T: PartialEq>(list: &mut Vec<T>, value: T) -> u32 {
    let at = list.iter().position(|known| *known == value).unwrap_or_else(|| {
        list.push(value);
        list.len() - 1
    });
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// A stable key of the payment, as the settlement's own.
fn end_to_end_id(of: &str, batch: u32, account: &str) -> String {
    let text = format!("tuoyu-correction\n{of}\n{batch}\n{account}\n");
    hex_upper(&Sha256::digest(text)[..16])
}
