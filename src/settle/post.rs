//! Writing a settled period: run folder beside its place, ledger commit, rename (S31).

use super::keep::Keeping;
use super::{CALC_VERSION, SettleError, Settled, compute_naming, in_pool};
use crate::domain::texts::Catalogue;
use crate::domain::{Month, Progress, SecretKey, hex};
use crate::facts::RowUse;
use crate::job::Job;
use crate::law::{RuleHead, Step};
use crate::ledger::{
    Demand, InstitutionMonth, Ledger, LedgerAhead, LedgerError, Posted, RunRecord, RunState,
    Written,
};
use crate::publish::{
    self, Draft, FolderError, MANIFEST, Manifest, MonthResult, NoticeInForce, Profiles, Pseudonyms,
    Publication, PublishError, Standing, TableUse,
};
use crate::subsidy::LineStatus;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};

/// What became of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A new draft.
    New,
    /// Replaces an earlier draft of the period.
    Replaced,
    /// The same run stands already; folder verified, no event.
    AlreadyThere,
    /// `--ledger none`: nothing posted.
    Trial,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReport {
    /// Run id.
    pub run_id: String,
    /// Last service month.
    pub period: Month,
    /// Run folder.
    pub folder: PathBuf,
    /// Ledger.
    pub outcome: Outcome,
    /// Lines paid.
    pub paid: u64,
    /// Lines that are zero with a reason.
    pub zero: u64,
    /// Lines refused.
    pub refused: u64,
    /// Input rows that could not be typed.
    pub input_rows_refused: u64,
    /// Sum of the schedule, fen.
    pub payable_fen: i64,
    /// Number of findings.
    pub findings: u64,
    /// Refused lines by reason.
    pub refused_by_reason: BTreeMap<String, u64>,
    /// Words of the packs' own reason codes.
    pub words: BTreeMap<String, String>,
}

/// Who makes a run, and with what.
#[derive(Debug, Clone, Copy)]
pub struct Maker<'a> {
    /// Name; cannot approve or release the run.
    pub by: &'a str,
    /// When, RFC 3339; kept in the ledger alone.
    pub at: &'a str,
    /// Key, where the job demands signatures.
    pub key: Option<&'a SecretKey>,
    /// Commit or build of the engine.
    pub engine: &'a str,
}

/// Bytes of the bureau's key file (S32).
pub(super) fn key_bytes(job: &Job) -> Result<Vec<u8>, SettleError> {
    std::fs::read(&job.key_file).map_err(|error| SettleError::Key {
        path: job.key_file.display().to_string(),
        reason: error.to_string(),
    })
}

/// SHA-256 of a job's key of the pseudonyms.
///
/// # Errors
/// When its file cannot be read.
pub fn key_hash(job: &Job) -> Result<String, SettleError> {
    Ok(hex(&Sha256::digest(key_bytes(job)?)))
}

pub(super) fn pseudonyms(job: &Job) -> Result<Pseudonyms, SettleError> {
    Pseudonyms::new(&key_bytes(job)?).map_err(|error| SettleError::Key {
        path: job.key_file.display().to_string(),
        reason: error.to_string(),
    })
}

/// Settles a period, writes the run folder and posts to the ledger.
///
/// Nothing of the maker enters an output byte (S29).
///
/// # Errors
/// See [`SettleError`]; nothing stands then.
pub fn run(
    job: &Job,
    progress: &mut dyn Progress,
    maker: &Maker<'_>,
) -> Result<RunReport, SettleError> {
    in_pool(job, || {
        let path = job.ledger.as_deref();
        let mut ledger = path.filter(|path| path.exists()).map(Ledger::open).transpose()?;
        let ahead = path.filter(|_| ledger.is_none()).and_then(LedgerAhead::begin);
        let keeping = Keeping::begin(job);
        let pseudonyms = pseudonyms(job)?;
        let names = Some(&pseudonyms);
        let mut settled = compute_naming(job, ledger.as_ref(), progress, names)?;
        // A new ledger has its name only now: a run that stops leaves nothing behind.
        if let (None, Some(path)) = (&ledger, path) {
            let made = ahead.map_or_else(|| Ledger::open(path), LedgerAhead::open)?;
            if made.events()? > 0 {
                settled = compute_naming(job, Some(&made), progress, names)?;
            }
            ledger = Some(made);
        }
        let standing = match &ledger {
            Some(ledger) => ledger.find(&job.id, settled.period)?,
            None => None,
        };
        // A run that was approved is asked for as it was made: a month closed since changes nothing.
        if let (Some(head), Some(path)) = (&standing, path)
            && head.state > RunState::Draft
            && head.run_id != settled.run_id
        {
            let books = super::books_of(job, path, &head.run_id)?;
            let then = compute_naming(job, Some(&books), progress, names)?;
            if then.run_id == head.run_id {
                settled = then;
            }
        }
        let (standing_id, manifest_hash) =
            standing.map(|head| (head.run_id, head.manifest_hash)).unzip();
        publish::recover(&job.out, &|id| standing_id.as_deref() == Some(id))
            .map_err(PublishError::from)?;
        let again = standing_id.as_deref() == Some(settled.run_id.as_str());
        let again = again && !demands_otherwise(job, &settled, ledger.as_ref())?;
        if again && manifest_hash.is_some_and(|hash| whole(job, &hash)) {
            if let (Some(keeping), Some(ledger)) = (&keeping, &ledger) {
                keeping.mend(job, &settled, ledger)?;
            }
            return Ok(report(job, &settled, Outcome::AlreadyThere));
        }
        progress.begin("publish", None);
        let books = ledger.as_mut().map(|ledger| Books { ledger, keeping: keeping.as_ref() });
        let (draft, outcome) = write(job, &mut settled, &pseudonyms, books, maker)?;
        progress.end();
        let report = std::thread::scope(|scope| {
            // The log is folded into the ledger while the folder is moved in.
            scope.spawn(move || drop(ledger));
            draft.commit().map_err(PublishError::from)?;
            Ok::<_, SettleError>(report(job, &settled, outcome))
        })?;
        // Nobody waits for a million rows to be let go.
        std::thread::spawn(move || drop(settled));
        Ok(report)
    })
}

/// Whether the run stands as a draft under another demand than the job makes now: the demand is part
/// of the posting, so it is posted anew.
fn demands_otherwise(
    job: &Job,
    settled: &Settled,
    ledger: Option<&Ledger>,
) -> Result<bool, SettleError> {
    let Some(ledger) = ledger else { return Ok(false) };
    let course = ledger.course(&settled.run_id)?;
    let total = settled.schedule.lines.iter().map(|line| line.payable_fen).sum();
    Ok(course.state == RunState::Draft && course.demand != Demand::of(&job.approval, total))
}

/// Whether the run folder stands whole, with the manifest the ledger knows.
fn whole(job: &Job, manifest_hash: &str) -> bool {
    let manifest = std::fs::read(job.out.join(MANIFEST)).unwrap_or_default();
    hex(&Sha256::digest(manifest)) == manifest_hash
        && publish::verify(&job.out).is_ok_and(|damages| damages.is_empty())
}

/// Where a run is posted and kept.
pub(super) struct Books<'a> {
    ledger: &'a mut Ledger,
    keeping: Option<&'a Keeping>,
}

/// Writes and seals the draft while the ledger takes the rows beside it; the ledger commits after
/// the seal and before the rename (S31).
pub(super) fn write(
    job: &Job,
    settled: &mut Settled,
    pseudonyms: &Pseudonyms,
    books: Option<Books<'_>>,
    maker: &Maker<'_>,
) -> Result<(Draft, Outcome), SettleError> {
    let ahead = settled.months.iter_mut().filter_map(|month| month.ahead.take()).collect();
    let settled = &*settled;
    let profiles = Profiles::load(&job.reference, job.form.as_deref(), job.pay.as_ref())
        .map_err(SettleError::Profile)?;
    // The language of a job that is not in Chinese is in its run id, since bytes follow it (S29).
    let texts = Catalogue::new(job.language);
    let usage = usage(settled);
    let words = words(settled, &texts);
    let publication = Publication {
        job,
        packs: settled
            .months
            .last()
            .map(|month| month.law.packs.iter().collect())
            .unwrap_or_default(),
        run_id: &settled.run_id,
        calc_version: CALC_VERSION,
        law_sha256: &settled.law_sha256,
        calendar_sha256: &settled.calendar_sha256,
        months: settled
            .months
            .iter()
            .map(|month| MonthResult {
                month: month.month,
                frames: &month.frames,
                entitlements: &month.entitlements,
                allocation: &month.allocation,
                prices: publish::price_columns(&month.law),
            })
            .collect(),
        schedule: &settled.schedule,
        tables: &settled.tables,
        usage: &usage,
        findings: &settled.findings,
        texts: &texts,
        words: &words,
        notices: notices(settled),
        previous: settled.previous.as_ref(),
        year_to_date: &settled.year_to_date,
        pseudonyms,
        profiles: &profiles,
        corrections: &settled.corrections,
        examined: &settled.examined,
    };
    let prepared = publish::prepare(&publication)?;
    let institutions = institution_months(prepared.standing());
    let publish_all = || -> Result<(Draft, Vec<u8>), SettleError> {
        let mut draft = Draft::create(&job.out).map_err(PublishError::from)?;
        let outputs = publish::write_prepared(&publication, prepared, ahead, &mut draft)?;
        let schedule_root = outputs.schedule_root;
        let manifest = Manifest { schedule_root, ..publication.manifest() };
        draft.seal(manifest).map_err(PublishError::from)?;
        let path = draft.folder().join(MANIFEST);
        let bytes = std::fs::read(&path).map_err(|cause| {
            PublishError::from(FolderError::Io { path, action: "read back", cause })
        })?;
        Ok((draft, bytes))
    };
    let keeping = books.as_ref().and_then(|books| books.keeping);
    let recorded = match &books {
        Some(books) if keeping.is_some() => books.ledger.recipes()?.remove(&settled.run_id),
        _ => None,
    };
    let files = || -> Result<(Draft, Written), SettleError> {
        // Deliveries and papers are archived while files are written.
        let (made, inputs) = rayon::join(publish_all, || keeping.map(|of| of.inputs(job, settled)));
        let (draft, manifest) = made?;
        let archive = match (keeping, inputs.transpose()?) {
            (Some(keeping), Some(inputs)) => {
                let (folder, recorded) = (draft.folder(), recorded.as_deref());
                Some(keeping.run(job, settled, inputs, folder, &manifest, recorded)?)
            }
            _ => None,
        };
        Ok((draft, Written { manifest_hash: hex(&Sha256::digest(manifest)), archive }))
    };
    let Some(Books { ledger, .. }) = books else {
        return Ok((files()?.0, Outcome::Trial));
    };
    let record = RunRecord {
        run_id: &settled.run_id,
        job_id: &job.id,
        period: settled.period,
        calc_version: CALC_VERSION,
        engine: maker.engine,
        law_hash: &settled.law_sha256,
        manifest_hash: "",
        known_on: job.known_on,
        earlier: &settled.released,
        closed: &settled.recalled.closed,
        approval: &job.approval,
        key: maker.key,
        schedule: &settled.schedule,
        institutions: &institutions,
        claims: &settled.claims,
    };
    let (sealed, manifest) = mpsc::channel::<Written>();
    let (written, posted) = std::thread::scope(|scope| {
        // Dropped on every way out, a panic included, so that the ledger never waits for ever.
        let sealed = sealed;
        let posting = scope.spawn(move || {
            let mut pending = ledger.begin()?;
            let posted =
                pending.post_beside(&record, &mut || manifest.recv().ok(), maker.at, maker.by)?;
            pending.commit()?;
            Ok::<_, LedgerError>(posted)
        });
        let written = files().map(|(draft, hashes)| {
            // A ledger that gave up says why itself.
            let _ = sealed.send(hashes);
            draft
        });
        drop(sealed);
        let posted = posting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (written, posted)
    });
    let draft = written?;
    let outcome = match posted? {
        Posted::New => Outcome::New,
        Posted::Replaced { .. } => Outcome::Replaced,
        Posted::AlreadyThere => Outcome::AlreadyThere,
    };
    Ok((draft, outcome))
}

/// What packs call their reasons and the rules that cut, by code and id.
fn words(settled: &Settled, texts: &Catalogue) -> BTreeMap<String, String> {
    let mut words = BTreeMap::new();
    let mut name = |code: &str, head: &RuleHead| {
        let own = texts.named("", &head.label, &head.english);
        if !own.is_empty() && own != &*head.id {
            words.insert(code.to_owned(), own.to_owned());
        }
    };
    for law in settled.months.iter().flat_map(|month| &month.law.segments) {
        for step in &law.steps {
            if let Step::Gate(gate) = step {
                name(&gate.reason, &gate.head);
            }
        }
        let cutting = law.caps.iter().map(|rule| &rule.head);
        let cutting = cutting.chain(law.exclusions.iter().map(|rule| &rule.head));
        cutting
            .chain(law.shortages.iter().map(|rule| &rule.head))
            .for_each(|head| name(&head.id, head));
    }
    words
}

/// Notices whose rules are in force in some month of the period.
fn notices(settled: &Settled) -> Vec<NoticeInForce> {
    let mut all: Vec<NoticeInForce> = Vec::new();
    for of in settled.months.iter().flat_map(|month| NoticeInForce::of(&month.law)) {
        match all.iter_mut().find(|known| known.number == of.number && known.title == of.title) {
            Some(known) => known.versions = known.versions.max(of.versions),
            None => all.push(of),
        }
    }
    all
}

/// Standings as the ledger keeps them; what no table tells is below zero.
fn institution_months(standing: &BTreeMap<String, Standing>) -> Vec<InstitutionMonth> {
    standing
        .iter()
        .map(|(id, of)| InstitutionMonth {
            institution_id: Arc::from(id.as_str()),
            headcount: of.headcount.and_then(|count| i64::try_from(count).ok()).unwrap_or(-1),
            slots: of.slots.unwrap_or(-1),
            amount_fen: of.amount_fen,
        })
        .collect()
}

/// Use of each table's rows over all months: a row that any month used is one row used.
fn usage(settled: &Settled) -> Vec<TableUse> {
    settled
        .tables
        .by_name
        .values()
        .map(|table| {
            let read = table.rows as u64;
            // Months may have read different versions of the table, told by their files.
            let mut versions: BTreeMap<&[(usize, usize)], (u64, RowUse)> = BTreeMap::new();
            for month in &settled.months {
                let of = settled.tables_of(month).get(&table.name).zip(month.uses.get(&table.name));
                if let Some((version, used)) = of {
                    let rows = version.rows as u64;
                    let slot = versions.entry(&version.files).or_insert((rows, RowUse::default()));
                    slot.1.join(used);
                }
            }
            let used = versions.values().map(|(rows, of_months)| of_months.count(*rows)).sum();
            TableUse {
                table: Arc::clone(&table.name),
                read: table.rows_read,
                used,
                unused: read - used,
                refused: table.rows_refused,
            }
        })
        .collect()
}

fn report(job: &Job, settled: &Settled, outcome: Outcome) -> RunReport {
    let mut report = RunReport {
        run_id: settled.run_id.clone(),
        period: settled.period,
        folder: job.out.clone(),
        outcome,
        paid: 0,
        zero: 0,
        refused: 0,
        input_rows_refused: settled.tables.by_name.values().map(|t| t.rows_refused).sum(),
        payable_fen: settled.schedule.lines.iter().map(|line| line.payable_fen).sum(),
        findings: settled.findings.len() as u64,
        refused_by_reason: BTreeMap::new(),
        words: words(settled, &Catalogue::new(job.language)),
    };
    for month in &settled.months {
        let reasons = &month.entitlements.reasons;
        for lines in &month.entitlements.items {
            let mut refused = vec![0_u64; reasons.texts().len()];
            for (status, reason) in lines.status.iter().zip(&lines.reason) {
                match status {
                    LineStatus::Absent => {}
                    LineStatus::Paid => report.paid += 1,
                    LineStatus::Zero => report.zero += 1,
                    LineStatus::Refused => {
                        report.refused += 1;
                        refused[usize::from(*reason)] += 1;
                    }
                }
            }
            for (code, count) in refused.into_iter().enumerate().filter(|(_, count)| *count > 0) {
                let reason = reasons.text(u32::try_from(code).unwrap_or(0)).to_owned();
                *report.refused_by_reason.entry(reason).or_default() += count;
            }
        }
    }
    report
}
