//! Reconciling a period: answers in, what each payment stands at, the ledger and the folder written.
//!
//! Files are read before the lock of the ledger is taken. Where the books have moved on by the time it
//! is, everything that follows from them is worked out again (two reconciliations at once stand one
//! after the other). Order of writing as for a run (S31): both folders beside their places, the ledger,
//! the renames.

mod accounts;
mod ageing;
mod believed;
mod correction;
mod past;

use super::acts;
use super::post::{Maker, Outcome};
use super::{CALC_VERSION, SettleError};
use crate::archive::Archive;
use crate::domain::{AnswerFile, Date, Month, Progress, hex};
use crate::intake;
use crate::job::{BatchProfile, ReconcileJob};
use crate::law;
use crate::ledger::{Act, ActKind, Ledger, LedgerError, Message, RunState, SentRun, Told};
use crate::publish::recon::{self, Detail, Judged, Proposed, Reconciliation, Refused, StatementOf};
use crate::publish::{
    self, Draft, FINANCE_FIELDS, MANIFEST, Manifest, Profile, ProfileError, PublishError,
};
use crate::reconcile::{Book, Heard, MatchRule, Standing, Totals, matched, totals};
use believed::Believed;
use correction::Correction;
pub(super) use past::{Told as PastTold, claims_hold, to_pay_again};
use past::{carried, judged, repaid};
use rustc_hash::{FxHashMap, FxHashSet};
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::sync::mpsc;

/// How often the books may move on while a reconciliation is worked out.
const ATTEMPTS: usize = 20;

/// What a reconciliation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconcileReport {
    /// Content hash.
    pub recon_id: String,
    /// Period.
    pub period: Month,
    /// Folder.
    pub folder: PathBuf,
    /// What became of the ledger.
    pub outcome: Outcome,
    /// Messages taken in now.
    pub messages: usize,
    /// Totals.
    pub totals: Totals,
    /// Open items.
    pub open: u64,
    /// Files and records that were not believed.
    pub refused: usize,
    /// Runs that are answered now, all their payments decided.
    pub answered: Vec<String>,
    /// The batch that pays again what failed.
    pub correction: Option<CorrectionReport>,
}

/// A correction batch as it stands after a reconciliation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectionReport {
    /// Its run.
    pub run_id: String,
    /// Its number.
    pub number: u32,
    /// Its run folder.
    pub folder: PathBuf,
    /// Payments.
    pub payments: usize,
    /// Their sum, fen.
    pub amount_fen: i64,
    /// Of these, held: number.
    pub held: usize,
}

/// Reads the answers of a job and reconciles its period.
///
/// # Errors
/// See [`SettleError`]; nothing stands then.
pub fn reconcile(
    job: &ReconcileJob,
    threads: Option<usize>,
    progress: &mut dyn Progress,
    maker: &Maker<'_>,
) -> Result<ReconcileReport, SettleError> {
    super::in_threads(threads, || {
        progress.begin("intake", None);
        let mut ledger = acts::open(&job.ledger)?;
        let profiles = profiles(job)?;
        let calendar = law::calendar::load(&job.reference, &job.calendar)?;
        // The books are read beside the files; where they move on meanwhile, once more.
        let books = &mut ledger;
        let (files, ahead) = rayon::join(
            || intake::read_answers(&job.answers, &profiles),
            move || Ahead::of(job, books),
        );
        let (files, mut ahead) = (files?, Some(ahead?));
        progress.end();
        for _ in 0..ATTEMPTS {
            progress.begin("reconcile", None);
            let work = Work::of(job, &ledger, &files, &calendar, ahead.take())?;
            progress.end();
            progress.begin("publish", None);
            let done = work.write(&mut ledger, maker)?;
            progress.end();
            if let Some(report) = done {
                return Ok(report);
            }
        }
        Err(LedgerError::Busy { path: job.ledger.clone() }.into())
    })
}

/// The batch profiles the job names.
fn profiles(job: &ReconcileJob) -> Result<Vec<BatchProfile>, SettleError> {
    let read = |name: &String| {
        let file = format!("{name}.toml");
        let path = job.reference.join("profiles").join(&file);
        let text = std::fs::read_to_string(&path)
            .map_err(|cause| SettleError::Profile(ProfileError::Io { path, cause }))?;
        Ok(BatchProfile::parse(&file, &text)?)
    };
    job.profiles.iter().map(read).collect()
}

/// 惠企利民发放明细 of the settlement's run folder and the profile it was written by; none where either is
/// not there.
fn detail(job: &ReconcileJob) -> Result<Option<Detail>, SettleError> {
    let name = "finance_detail.toml";
    let profile = std::fs::read_to_string(job.reference.join("profiles").join(name));
    let bytes = std::fs::read(job.run_folder.join("finance_detail.csv"));
    let (Ok(profile), Ok(bytes)) = (profile, bytes) else { return Ok(None) };
    let profile = Profile::parse(name, &profile, FINANCE_FIELDS).map_err(SettleError::Profile)?;
    Ok(Some(Detail { bytes, profile }))
}

/// The period as the books told it while the files were being read.
struct Ahead {
    head: String,
    past: PastTold,
}

impl Ahead {
    fn of(job: &ReconcileJob, ledger: &Ledger) -> Result<Self, SettleError> {
        let _view = ledger.view()?;
        Self::seen(job, ledger)
    }

    /// The same inside a view of the ledger.
    fn seen(job: &ReconcileJob, ledger: &Ledger) -> Result<Self, SettleError> {
        let past = PastTold::of(ledger, &job.settles, job.period)?;
        let past = past.ok_or_else(|| SettleError::NothingSent {
            job_id: job.settles.clone(),
            period: job.period,
        })?;
        Ok(Self { head: ledger.head()?, past })
    }
}

/// Everything that follows from the books as they stand and the files.
struct Work<'a> {
    job: &'a ReconcileJob,
    files: &'a [AnswerFile],
    /// The head of the ledger it follows from.
    head: String,
    book: Book,
    believed: Believed<'a>,
    /// Messages and answers the books held before.
    known: (usize, usize),
    messages: Vec<Message>,
    told: Vec<Told>,
    judged: Vec<Option<Judged>>,
    loose: Vec<u32>,
    totals: Totals,
    as_of: Option<Date>,
    ages: Vec<i32>,
    loose_ages: Vec<i32>,
    claimed: FxHashMap<i64, (i64, String)>,
    carried: Vec<bool>,
    repaid: Vec<i64>,
    detail: Option<Detail>,
    correction: Option<Correction>,
    recon_id: String,
}

/// What of a reconciliation goes into the books, and by whom.
struct Posting<'a> {
    answered: &'a [&'a SentRun],
    news: bool,
    new_batch: Option<&'a Correction>,
    act: Act<'a>,
    maker: &'a Maker<'a>,
}

/// Folders beside their places.
struct Folders {
    draft: Draft,
    batch: Option<Draft>,
    /// Hash of the manifest of the batch.
    manifest_hash: Option<String>,
}

impl<'a> Work<'a> {
    fn of(
        job: &'a ReconcileJob,
        ledger: &Ledger,
        files: &'a [AnswerFile],
        calendar: &crate::domain::Calendar,
        ahead: Option<Ahead>,
    ) -> Result<Self, SettleError> {
        let view = ledger.view()?;
        let head = ledger.head()?;
        let Ahead { past, .. } = match ahead.filter(|ahead| ahead.head == head) {
            Some(ahead) => ahead,
            None => Ahead::seen(job, ledger)?,
        };
        let PastTold { book, mut messages, answers: mut told } = past;
        let believed = Believed::of(job, files, &messages);
        let spoken: Vec<Heard<'_>> = (0_u32..)
            .zip(&believed.new)
            .map(|(place, (_, message))| Heard { message, place })
            .collect();
        let mut new = matched(&book, &spoken, (&messages, &told), &job.currency, job.days);
        elsewhere(job, ledger, &mut new)?;
        let known = (messages.len(), told.len());
        let base = u32::try_from(messages.len()).unwrap_or(u32::MAX);
        messages.extend(believed.messages());
        for of in &mut new {
            of.message += base;
        }
        if told.is_empty() {
            told = new;
        } else {
            told.append(&mut new);
        }
        let judged = judged(&book, &messages, &told);
        let loose: Vec<u32> = (0_u32..)
            .zip(&told)
            .filter(|(_, of)| of.payment.is_none() && counts(&messages, of))
            .map(|(at, _)| at)
            .collect();
        let standings: Vec<Option<Standing>> =
            judged.iter().map(|of| of.map(|of| of.standing)).collect();
        let totals = totals(&book, &standings);
        let as_of = job.as_of.or_else(|| told.iter().filter_map(|of| of.bank_date).max());
        let carried = carried(ledger, &book, &judged)?;
        let repaid = repaid(ledger, &book, &judged)?;
        let dues = ageing::dues(&book, &judged, &carried);
        let loose_dues = loose.iter().map(|at| told[*at as usize].bank_date);
        let ages = ageing::ages(calendar, as_of, dues.into_iter())?;
        let loose_ages = ageing::ages(calendar, as_of, loose_dues)?;
        // A draft that may be made anew claims nothing beside the one that replaces it.
        let draft = if job.correct { correction::draft(job, ledger)? } else { None };
        let mut claimed = ledger.claimed(&book.runs, draft.as_deref())?;
        let correction = if job.correct {
            Correction::of(job, ledger, &book, &judged, &told, &claimed)?
        } else {
            None
        };
        match &correction {
            Some(correction) => correction.claim(&mut claimed),
            None if draft.is_some() => claimed = ledger.claimed(&book.runs, None)?,
            None => {}
        }
        drop(view);
        let mut this = Self {
            job,
            files,
            head,
            book,
            believed,
            known,
            messages,
            told,
            judged,
            loose,
            totals,
            as_of,
            ages,
            loose_ages,
            claimed,
            carried,
            repaid,
            detail: detail(job)?,
            correction,
            recon_id: String::new(),
        };
        this.recon_id = this.identity();
        Ok(this)
    }

    /// Content hash: the job, the runs, all messages believed, what was not, what is claimed.
    fn identity(&self) -> String {
        let mut hash = Sha256::new();
        let mut feed = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        feed("tuoyu-reconciliation-v1");
        feed(CALC_VERSION);
        feed(&self.job.canonical);
        self.book.runs.iter().for_each(|run| feed(&run.run_id));
        for message in &self.messages {
            feed(message.kind.word());
            feed(&message.message_id);
            feed(&message.sha256);
            feed(&message.file);
        }
        for (file, unread) in &self.believed.refused {
            feed(file);
            feed(&unread.record.to_string());
            feed(&unread.what);
        }
        for of in &self.believed.statements {
            feed(of.file);
        }
        // In the order of the payments, not of the map.
        for (at, payment) in self.book.payments.iter().enumerate() {
            if let Some((fen, run)) = self.claimed.get(&payment.payment) {
                feed(&payment.end_to_end_id);
                feed(&fen.to_string());
                feed(run);
                feed(if self.carried[at] { "out again" } else { "" });
                feed(&self.repaid[at].to_string());
            }
        }
        // The calendar speaks by the ages alone.
        for (at, age) in self.ages.iter().chain(&self.loose_ages).enumerate() {
            if *age != 0 {
                feed(&format!("{at} {age}"));
            }
        }
        if let Some(detail) = &self.detail {
            feed(&hex(&Sha256::digest(&detail.bytes)));
            feed(&format!("{:?}", detail.profile));
        }
        hex(&hash.finalize())
    }

    /// Whether every decided payment of a run is decided, so that the run is answered.
    fn answers(&self, run: &SentRun) -> bool {
        let of_run =
            |at: &usize| self.book.runs[self.book.run_of[*at] as usize].run_id == run.run_id;
        let mut sent = (0..self.book.payments.len())
            .filter(of_run)
            .filter_map(|at| self.judged[at])
            .peekable();
        run.state == RunState::Released
            && sent.peek().is_some()
            && sent.all(|of| of.standing.pending == 0)
    }

    /// Writes folders and ledger; `None` where the books have moved on meanwhile. A batch that stands in
    /// the books gets its folder again where that is gone.
    fn write(
        &self,
        ledger: &mut Ledger,
        maker: &Maker<'_>,
    ) -> Result<Option<ReconcileReport>, SettleError> {
        let refused: Vec<Refused<'_>> =
            self.believed.refused.iter().map(|(file, unread)| Refused { file, unread }).collect();
        let statements: Vec<StatementOf<'_>> = self.believed.statements.clone();
        let proposed = self.correction.as_ref().map(|of| Proposed {
            run_id: &of.run_id,
            number: of.number,
            schedule: &of.schedule,
        });
        let of = Reconciliation {
            job: self.job,
            recon_id: &self.recon_id,
            calc_version: CALC_VERSION,
            book: &self.book,
            judged: &self.judged,
            messages: &self.messages,
            told: &self.told,
            statements: &statements,
            refused: &refused,
            claimed: &self.claimed,
            carried: &self.carried,
            repaid: &self.repaid,
            detail: self.detail.as_ref(),
            totals: &self.totals,
            as_of: self.as_of,
            ages: &self.ages,
            loose_ages: &self.loose_ages,
            loose: &self.loose,
            proposed,
        };
        let answered: Vec<&SentRun> =
            self.book.runs.iter().filter(|run| self.answers(run)).collect();
        let news = self.messages.len() > self.known.0;
        let new_batch = self.correction.as_ref().filter(|of| of.is_new);
        let act = Act {
            kind: ActKind::Answer,
            by: maker.by,
            at: maker.at,
            reason: &self.recon_id,
            key: maker.key,
        };
        // The ledger is written on a thread of its own, which holds its lock from the first look until
        // both folders stand beside their places.
        let (locks, locked) = mpsc::channel::<()>();
        let (whole, wholes) = mpsc::channel::<Option<String>>();
        let books = &mut *ledger;
        let (written, posted) = std::thread::scope(|scope| {
            // Dropped on every way out, a panic included, so that the ledger never waits for ever.
            let whole = whole;
            let post = Posting { answered: &answered, news, new_batch, act, maker };
            let posting = scope.spawn(move || self.post(books, &post, &locks, &wholes));
            let written = locked.recv().ok().map(|()| {
                let change = news || new_batch.is_some() || !answered.is_empty();
                self.folders(&of, new_batch, change)
            });
            if let Some(Ok(Some(folders))) = &written {
                // A ledger that gave up says why itself.
                let _ = whole.send(folders.manifest_hash.clone());
            }
            drop(whole);
            let posted = posting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (written, posted)
        });
        let posted = posted?;
        let Some(folders) = written.transpose()? else { return Ok(None) };
        let Some(Folders { draft, batch, .. }) = folders else {
            return Ok(Some(self.report(&of, Outcome::AlreadyThere, Vec::new())));
        };
        if !posted {
            return Ok(None);
        }
        // Under the lock again, so that nobody mends a folder while it is moved in.
        let lock = ledger.begin();
        if let Some(batch) = batch {
            batch.commit().map_err(PublishError::from)?;
        }
        draft.commit().map_err(PublishError::from)?;
        drop(lock);
        let answered = answered.iter().map(|run| run.run_id.clone()).collect();
        let changed = news || new_batch.is_some();
        let outcome = if changed { Outcome::New } else { Outcome::AlreadyThere };
        Ok(Some(self.report(&of, outcome, answered)))
    }

    /// Writes the folders beside their places, under the lock of the ledger; `None` where they stand and
    /// nothing changes. A batch that stands in the books gets its folder again where that is gone.
    fn folders(
        &self,
        of: &Reconciliation<'_>,
        new_batch: Option<&Correction>,
        change: bool,
    ) -> Result<Option<Folders>, SettleError> {
        publish::recover(&self.job.out, &|id| id == self.recon_id).map_err(PublishError::from)?;
        if new_batch.is_none() {
            self.mend_batch()?;
        }
        if !change && self.stands() {
            return Ok(None);
        }
        let (batch, manifest_hash) = new_batch.map(|of| of.write(self.job)).transpose()?.unzip();
        self.archive()?;
        let mut draft = Draft::create(&self.job.out).map_err(PublishError::from)?;
        recon::write(of, &mut draft)?;
        draft.seal(of.manifest()).map_err(PublishError::from)?;
        Ok(Some(Folders { draft, batch, manifest_hash }))
    }

    /// Writes the ledger and commits once the folders are whole; `false` where the books have moved on
    /// meanwhile, or there is nothing to commit for.
    fn post(
        &self,
        ledger: &mut Ledger,
        of: &Posting<'_>,
        locks: &mpsc::Sender<()>,
        wholes: &mpsc::Receiver<Option<String>>,
    ) -> Result<bool, SettleError> {
        let mut pending = ledger.begin()?;
        if pending.head() != self.head || locks.send(()).is_err() {
            return Ok(false);
        }
        let (messages, told) = self.known;
        if of.news {
            let settlement = &self.book.runs[0];
            let base = u32::try_from(messages).unwrap_or(u32::MAX);
            let told = (&self.told[told..], base);
            pending.reconcile(
                settlement,
                &self.messages[messages..],
                told,
                (&of.act, self.job.archive.is_some()),
            )?;
        }
        for run in of.answered {
            pending.act(&run.run_id, &of.act)?;
        }
        let Ok(manifest_hash) = wholes.recv() else { return Ok(false) };
        if let (Some(batch), Some(manifest_hash)) = (of.new_batch, &manifest_hash) {
            batch.post(&mut pending, self.job, manifest_hash, of.maker)?;
        }
        pending.commit()?;
        Ok(true)
    }

    /// Whether the folder of this very reconciliation stands whole.
    fn stands(&self) -> bool {
        Manifest::read(&self.job.out).is_ok_and(|found| found.run_id == self.recon_id)
            && publish::verify(&self.job.out).is_ok_and(|damages| damages.is_empty())
    }

    /// Writes the folder of a batch that stands in the books again, where it is gone or damaged.
    fn mend_batch(&self) -> Result<(), SettleError> {
        let Some(of) = &self.correction else { return Ok(()) };
        let Some(manifest_hash) = &of.posted else { return Ok(()) };
        let found = std::fs::read(of.folder.join(MANIFEST)).unwrap_or_default();
        let whole = hex(&Sha256::digest(found)) == *manifest_hash
            && publish::verify(&of.folder).is_ok_and(|damages| damages.is_empty());
        if !whole {
            of.write(self.job)?.0.commit().map_err(PublishError::from)?;
        }
        Ok(())
    }

    /// Keeps the files that were believed, by their hashes, which the books hold.
    fn archive(&self) -> Result<(), SettleError> {
        let Some(folder) = &self.job.archive else { return Ok(()) };
        let archive = Archive::at(folder);
        let wanted: FxHashSet<&str> =
            self.messages[self.known.0..].iter().map(|of| &*of.sha256).collect();
        for (path, file) in self.job.answers.iter().zip(self.files) {
            if wanted.contains(file.sha256.as_str()) {
                archive.keep_answers(path, &file.sha256)?;
            }
        }
        Ok(())
    }

    fn report(
        &self,
        of: &Reconciliation<'_>,
        outcome: Outcome,
        answered: Vec<String>,
    ) -> ReconcileReport {
        ReconcileReport {
            recon_id: self.recon_id.clone(),
            period: self.job.period,
            folder: self.job.out.clone(),
            outcome,
            messages: self.messages.len() - self.known.0,
            totals: self.totals.clone(),
            open: of.open(),
            refused: self.believed.refused.len(),
            answered,
            correction: self.correction.as_ref().map(Correction::report),
        }
    }
}

/// Whether an answer of nobody's payment is somebody's business: what is only announced is not.
fn counts(messages: &[Message], of: &Told) -> bool {
    use crate::domain::{AnswerKind, Said};
    of.said != Said::Pending && messages[of.message as usize].kind != AnswerKind::Camt052
}

/// Marks answers about payments of other periods.
fn elsewhere(job: &ReconcileJob, ledger: &Ledger, told: &mut [Told]) -> Result<(), SettleError> {
    let unmatched = |of: &&Told| of.rule == MatchRule::Nothing && !of.end_to_end_id.is_empty();
    let ids: FxHashSet<Box<str>> =
        told.iter().filter(unmatched).map(|of| of.end_to_end_id.clone()).collect();
    let found = ledger.sent_elsewhere(&job.settles, job.period, &ids)?;
    for of in told.iter_mut() {
        if let Some(period) = found.get(&of.end_to_end_id).filter(|_| of.rule == MatchRule::Nothing)
        {
            of.rule = MatchRule::OtherPeriod;
            of.reason = period.to_string().into();
        }
    }
    Ok(())
}
