//! Settle: the spine. Calls the rooms in order for one job; no rule inside.
//!
//! In: a job. Out: [`Settled`] in memory; by [`run`] a run folder and a ledger entry. Order: after
//! every room it calls. Never: computes money, reads the clock (the caller hands in the time).

pub mod acts;
mod audited;
mod books;
mod budget;
mod carried;
mod checklist;
mod closed;
mod deliveries;
mod earlier;
mod error;
pub mod given;
mod hashes;
mod history;
mod indicators;
mod keep;
mod law_kept;
mod opening;
pub mod pinned;
mod post;
pub mod reconcile;
mod rerun;
mod run_id;

pub use audited::{Audited, ReleasedRun, SettledAgain};
pub use books::{Books, books};
pub use error::SettleError;
pub use law_kept::{LawRewritten, law_kept};
pub use post::{Maker, Outcome, RunReport, key_hash, run};
pub use rerun::{books_of, recalled, rerun};

use self::closed::Closed;
use self::deliveries::Delivered;
use crate::allocation::{self, Allocation, AllocationError, BudgetLine, PostedLine};
use crate::domain::{Date, Finding, FindingCode, Frames, Month, Progress, Severity};
use crate::facts::{self, Needs, RowUse};
use crate::history::Past;
use crate::intake::Tables;
use crate::job::{Job, WriteOff};
use crate::law::{self, LawBook, LawOfMonth};
use crate::ledger::{Claim, Ledger, Recalled};
use crate::publish::{Previous, Pseudonyms, PseudonymsAhead, YearToDate};
use crate::retro::{Correction, Examined};
use crate::schedule::{self, Schedule};
use crate::subsidy::{self, Entitlements};
use budget::{budget_lines, budget_rows, less_taken};
use carried::Carried;
use earlier::Earlier;
use history::History;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Version of the calculation: outputs of one version are the same bytes for the same run id (S30).
pub const CALC_VERSION: &str = "6";

/// One settled service month.
#[derive(Debug)]
pub struct SettledMonth {
    /// Service month 所属期.
    pub month: Month,
    /// The law in force.
    pub law: LawOfMonth,
    /// Facts and everything rules computed.
    pub frames: Frames,
    /// Pseudonyms of the lines in the making, where they will be published.
    ahead: Option<PseudonymsAhead>,
    /// Lines.
    pub entitlements: Entitlements,
    /// Allocation.
    pub allocation: Allocation,
    /// Budget lines of the month's fiscal year, as delivered.
    pub budget: Vec<BudgetLine>,
    /// Use of the input tables' rows.
    pub uses: BTreeMap<Arc<str>, RowUse>,
    /// Names of the input files, by number.
    files: Vec<Arc<str>>,
    /// The attendance row of each spell, as [`facts::Facts::attended`].
    pub attended: Vec<u32>,
    /// Which of [`Settled::versions`] the month read.
    version: usize,
}

impl SettledMonth {
    /// The month as later rooms take it in.
    #[must_use]
    pub fn input(&self) -> schedule::MonthInput<'_> {
        schedule::MonthInput {
            month: self.month,
            frames: &self.frames,
            entitlements: &self.entitlements,
            allocation: &self.allocation,
            law: &self.law,
        }
    }
}

/// One settled period, in memory.
#[derive(Debug)]
pub struct Settled {
    /// Run id (S29), 64 hex characters.
    pub run_id: String,
    /// Last service month of the period.
    pub period: Month,
    /// Service months in order.
    pub months: Vec<SettledMonth>,
    /// The schedule.
    pub schedule: Schedule,
    /// Inputs: every file read, rows counted over all versions.
    pub tables: Tables,
    /// Inputs as the months read them, where late deliveries make them differ; else empty.
    versions: Vec<Tables>,
    /// Findings of all rooms.
    pub findings: Vec<Finding>,
    /// SHA-256 of the law snapshots.
    pub law_sha256: String,
    /// SHA-256 of the calendar.
    pub calendar_sha256: String,
    /// Corrections of closed months.
    pub corrections: Vec<Correction>,
    /// What closed months were compared with.
    pub examined: Vec<Examined>,
    /// Lines of earlier periods, released.
    pub posted: Vec<PostedLine>,
    /// Debts that two persons gave up.
    pub write_offs: Vec<WriteOff>,
    /// What of failed payments of earlier periods is carried in.
    pub claims: Vec<Claim>,
    /// Ids of the released runs they belong to, in order of period.
    pub released: Vec<String>,
    /// Where every institution stood in the period before.
    pub previous: Option<Previous>,
    /// Released earlier in the fiscal year.
    pub year_to_date: YearToDate,
    /// Hashes of late files that were looked at for closed months, by path.
    late: BTreeMap<PathBuf, String>,
    /// The runs of the ledger that were read.
    pub recalled: Recalled,
    /// Pseudonyms under the bureau's key.
    pub pseudonyms: Pseudonyms,
    /// What an audit needs of earlier months; `None` where none was asked for.
    pub audited: Option<Audited>,
}

impl Settled {
    /// The inputs as a month read them.
    #[must_use]
    pub fn tables_of(&self, month: &SettledMonth) -> &Tables {
        self.versions.get(month.version).unwrap_or(&self.tables)
    }
}

/// What has to be read before anything is computed: law and inputs.
struct Read {
    period: Month,
    laws: Vec<(Month, LawOfMonth)>,
    delivered: Delivered,
    findings: Vec<Finding>,
    book: LawBook,
}

/// Loads the packs of a job and refuses them on any mistake.
///
/// # Errors
/// When a pack cannot be read or does not pass its checks (exit 4).
pub fn load_law(job: &Job) -> Result<LawBook, SettleError> {
    let book = law::load(&job.packs, &job.overlays, &job.reference)?;
    let mut errors = law::check(&book);
    errors.retain(|error| error.severity == Severity::Error);
    if !errors.is_empty() {
        return Err(SettleError::Law(law::LawErrors(errors)));
    }
    Ok(book)
}

/// The months of the settlement period that holds `period`, by the pack's settlement length.
fn service_months(period: Month, length: u32) -> Vec<Month> {
    let length = length.max(1).cast_signed();
    let first = period.plus(-(period.index().rem_euclid(length)));
    (0..length).map(|at| first.plus(at)).collect()
}

/// The day as of which the law is known.
fn law_day(job: &Job) -> Date {
    job.law_known_on.unwrap_or(job.known_on)
}

/// The law of a month, its calendar taken as plain weekdays where the job allows and the year is
/// not published.
fn law_of(
    job: &Job,
    book: &LawBook,
    month: Month,
) -> Result<(LawOfMonth, Vec<Finding>), SettleError> {
    let mut law = book.in_force(month, law_day(job))?;
    let mut findings = Vec::new();
    // The pay date may fall into the year after the month's.
    for year in [month.year(), month.plus(1).year()] {
        let published = law.calendar.every_year || law.calendar.years.contains(&year);
        if !published && job.provisional_calendar {
            let mut calendar = (*law.calendar).clone();
            calendar.assume_weekdays(year);
            law.calendar = Arc::new(calendar);
            let mut finding = Finding::of(FindingCode::CalendarProvisional);
            finding.values = vec![("year", year.to_string())];
            findings.push(finding);
        }
    }
    findings.dedup();
    Ok((law, findings))
}

fn read(
    job: &Job,
    ledger: Option<&Ledger>,
    progress: &mut dyn Progress,
) -> Result<Read, SettleError> {
    progress.begin("law", None);
    let book = load_law(job)?;
    law_kept::earlier_runs(job, &book, ledger)?;
    let head = book.in_force(job.period, law_day(job))?.head;
    let months = service_months(job.period, head.settlement_months);
    let mut laws = Vec::new();
    let mut findings = Vec::new();
    for month in &months {
        let (law, found) = law_of(job, &book, *month)?;
        findings.extend(found);
        laws.push((*month, law));
    }
    findings.dedup();
    progress.end();
    progress.begin("intake", None);
    let period = months.last().copied().unwrap_or(job.period);
    let (inputs, wanted) = laws
        .last()
        .map_or_else(Default::default, |(_, law)| (law.inputs.clone(), law.columns_read.clone()));
    let delivered = Delivered::read(job, &months, &inputs, &head.currency, &wanted)?;
    findings.extend(delivered.whole.findings.iter().cloned());
    findings.extend(checklist::absent_and_stale(&delivered, &laws, period));
    progress.end();
    Ok(Read { period, laws, delivered, findings, book })
}

/// What `tuoyu check` tells: law and inputs only.
#[derive(Debug)]
pub struct Checked {
    /// Findings of law and intake.
    pub findings: Vec<Finding>,
    /// Tables read: name, rows read, rows refused.
    pub tables: Vec<(String, u64, u64)>,
    /// Service months.
    pub months: Vec<Month>,
}

/// Checks law and inputs; writes nothing.
///
/// # Errors
/// As [`run`], without ledger and outputs.
pub fn check(job: &Job, progress: &mut dyn Progress) -> Result<Checked, SettleError> {
    in_pool(job, || {
        let read = read(job, None, progress)?;
        let mut findings = read.findings;
        for (at, (month, law)) in read.laws.iter().enumerate() {
            let tables = read.delivered.of(at);
            let facts = facts::establish(tables, law, *month, &Needs::of(law))?;
            findings.extend(facts.findings);
        }
        let tables = read.delivered.whole.by_name.values();
        Ok(Checked {
            findings,
            tables: tables.map(|t| (t.name.to_string(), t.rows_read, t.rows_refused)).collect(),
            months: read.laws.iter().map(|(month, _)| *month).collect(),
        })
    })
}

/// Runs on the job's number of threads; the number never changes a byte.
fn in_pool<T: Send>(
    job: &Job,
    of: impl FnOnce() -> Result<T, SettleError> + Send,
) -> Result<T, SettleError> {
    in_threads(job.threads, of)
}

/// Runs it in so many threads; `None` is all cores.
fn in_threads<T: Send>(
    threads: Option<usize>,
    of: impl FnOnce() -> Result<T, SettleError> + Send,
) -> Result<T, SettleError> {
    match threads {
        // Inside the pool of all cores, so that no step has to be handed over to it.
        None => rayon::scope(|_| of()),
        Some(threads) => rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .map_err(|error| SettleError::Threads { threads, reason: error.to_string() })?
            .install(of),
    }
}

/// Settles a period in memory: everything but writing.
///
/// # Errors
/// When law, inputs or the ledger cannot be read, or a rule cannot be applied.
pub fn compute(
    job: &Job,
    ledger: Option<&Ledger>,
    progress: &mut dyn Progress,
) -> Result<Settled, SettleError> {
    compute_naming(job, ledger, progress, None)
}

/// Is handed each closed month that was settled again, and the inputs it read.
pub type Watch<'w> = &'w mut dyn FnMut(SettledAgain, &Tables);

/// [`compute`], handing out the closed months that are settled again on the way.
///
/// # Errors
/// As there.
pub fn compute_watching(
    job: &Job,
    ledger: Option<&Ledger>,
    progress: &mut dyn Progress,
    watch: Watch<'_>,
) -> Result<Settled, SettleError> {
    compute_whole(job, ledger, progress, None, (watch, false))
}

/// [`compute`]; keeps what an audit needs of earlier months, closed ones that were settled again
/// among them. It takes the memory of all of them at once.
///
/// # Errors
/// As [`compute`].
pub fn compute_audited(
    job: &Job,
    ledger: Option<&Ledger>,
    progress: &mut dyn Progress,
) -> Result<Settled, SettleError> {
    let mut again = Vec::new();
    let mut watch = |of, _: &Tables| again.push(of);
    let mut settled = compute_whole(job, ledger, progress, None, (&mut watch, true))?;
    if let Some(audited) = &mut settled.audited {
        audited.again = again;
    }
    Ok(settled)
}

/// [`compute`]; begins the pseudonyms of the lines where they will be published.
fn compute_naming(
    job: &Job,
    ledger: Option<&Ledger>,
    progress: &mut dyn Progress,
    pseudonyms: Option<&Pseudonyms>,
) -> Result<Settled, SettleError> {
    compute_whole(job, ledger, progress, pseudonyms, (&mut |_, _| (), false))
}

/// `watch` sees the closed months; the released runs are told too where they are wanted.
fn compute_whole(
    job: &Job,
    ledger: Option<&Ledger>,
    progress: &mut dyn Progress,
    pseudonyms: Option<&Pseudonyms>,
    (watch, released_runs): (Watch<'_>, bool),
) -> Result<Settled, SettleError> {
    let Read { period, laws, mut delivered, mut findings, book } = read(job, ledger, progress)?;
    let first = laws.first().map_or(period, |(month, _)| *month);
    let view = ledger.map(Ledger::view).transpose()?;
    let History { mut posted, released, previous, compared, mut year_to_date } =
        history::read(job, ledger, first, period)?;
    let carried = Carried::of(job, ledger, (first, period))?;
    posted.extend(carried.posted());
    carried.less(&mut year_to_date);
    let closed = Closed::look(job, &book, ledger, first)?;
    drop(view);
    let recalled = Recalled {
        earlier: released.clone(),
        closed: closed.runs.clone(),
        compared_with: compared.clone(),
        run: None,
    };
    let identity = run_id::identify(
        job,
        &laws,
        &delivered,
        &released,
        compared.as_deref(),
        (&closed.identity(), &carried.text),
    )?;
    let mut months = Vec::with_capacity(laws.len());
    progress.begin("closed", None);
    let own_names = post::pseudonyms(job)?;
    let closed_books = closed;
    let audited = if released_runs {
        Some(Audited { released: closed_books.released()?, again: Vec::new() })
    } else {
        None
    };
    let mut corrected = closed_books.settle(job, &book, &posted, &own_names, watch)?;
    let budget = budget_lines(delivered.of(laws.len().saturating_sub(1)), period);
    closed::choose_budgets(&mut corrected.corrections, &budget, period.year());
    findings.append(&mut corrected.findings);
    progress.end();
    // What earlier months of this very period used up counts for caps with a longer window; so do
    // corrections of closed months, and the budget pays them first.
    let mut used_up = posted.clone();
    used_up.extend(corrected.corrections.iter().flat_map(closed::as_posted));
    let mut earlier =
        Earlier::new(job, &laws, pseudonyms, ledger.is_none() || closed_books.is_whole())?;
    closed_books.tell(first, &corrected.corrections, &mut earlier)?;
    for (at, (month, law)) in laws.into_iter().enumerate() {
        progress.begin("month", None);
        let (tables, last_of_version) = delivered.take(at);
        let asked = Asked { month, used_up: &used_up, last_of_version, with_budget: true };
        let mut settled =
            settle_month(asked, law, tables, &mut findings, pseudonyms, &mut earlier)?;
        settled.version = delivered.version(at);
        if month != period {
            used_up.extend(checklist::as_posted(&settled));
        }
        months.push(settled);
        progress.end();
    }
    let inputs: Vec<schedule::MonthInput<'_>> = months.iter().map(SettledMonth::input).collect();
    let schedule = schedule::plan(
        &job.id,
        period,
        &inputs,
        &posted,
        &corrected.corrections,
        (&job.write_offs, &job.codes),
    )?;
    findings.extend(checklist::written_off(&job.write_offs, &schedule));
    findings.extend(checklist::holds(&schedule));
    findings.extend(checklist::cuts(&months));
    findings.extend(history::changes(job, previous.as_ref(), &schedule));
    Ok(Settled {
        run_id: identity.run_id,
        period,
        months,
        schedule,
        tables: delivered.whole,
        versions: delivered.versions,
        findings,
        law_sha256: identity.law_sha256,
        calendar_sha256: identity.calendar_sha256,
        corrections: corrected.corrections,
        examined: corrected.examined,
        posted,
        write_offs: job.write_offs.clone(),
        claims: carried.claims,
        released,
        previous,
        year_to_date,
        late: corrected.late,
        recalled,
        pseudonyms: own_names,
        audited,
    })
}

/// Which month is settled, and how.
#[derive(Clone, Copy)]
struct Asked<'a> {
    month: Month,
    /// What counts toward windows longer than the month.
    used_up: &'a [PostedLine],
    /// Whether no later month reads these tables.
    last_of_version: bool,
    /// Whether the budget is asked: not for a closed month (S25).
    with_budget: bool,
}

fn settle_month(
    asked: Asked<'_>,
    law: LawOfMonth,
    tables: &mut Tables,
    findings: &mut Vec<Finding>,
    pseudonyms: Option<&Pseudonyms>,
    earlier: &mut Earlier,
) -> Result<SettledMonth, SettleError> {
    let Asked { month, used_up, last_of_version, with_budget } = asked;
    let needs = Needs::of(&law);
    let mut facts = facts::establish(tables, &law, month, &needs)?;
    findings.append(&mut facts.findings);
    let delivered = budget_lines(tables, month);
    let budget = less_taken(&delivered, used_up);
    facts.uses.insert(Arc::from("budget"), RowUse::of(budget_rows(tables, month)));
    if last_of_version {
        // The facts hold what the law reads; the large tables would only take memory from here on.
        for table in tables.by_name.values_mut() {
            table.columns.clear();
        }
    }
    let files = tables.files.iter().map(|file| Arc::clone(&file.name)).collect();
    let mut frames = facts.frames;
    let persons = earlier.persons(&law, &frames);
    let past = earlier.past(&persons);
    let (mut entitlements, found) = lines(&law, &mut frames, tables, &past)?;
    findings.extend(found);
    earlier.name_payees(&mut frames, &mut entitlements);
    // From here to the files much is one thread's work: the pseudonyms take another's time.
    let items = law.segments.iter().flat_map(|segment| &segment.items);
    let bases = items.map(|item| item.basis.clone()).collect();
    let ahead = pseudonyms.map(|names| PseudonymsAhead::begin(names.clone(), &frames, bases));
    let budget = with_budget.then_some(budget.as_slice());
    let allocation =
        allocation::allocate(&law, &frames, &mut entitlements, budget, used_up, &past, month)?;
    if !earlier.ends_with(month) {
        earlier.add(month, &frames, &entitlements, &persons);
    }
    Ok(SettledMonth {
        month,
        law,
        frames,
        ahead,
        entitlements,
        allocation,
        budget: delivered,
        uses: facts.uses,
        attended: facts.attended,
        files,
        version: 0,
    })
}

/// The lines of a month, where what its law counts of earlier ones is known.
fn lines(
    law: &LawOfMonth,
    frames: &mut Frames,
    tables: &Tables,
    past: &Past<'_>,
) -> Result<(Entitlements, Vec<Finding>), SettleError> {
    if let Some(item) = law.item_counted().filter(|_| past.history.is_none()) {
        return Err(AllocationError::HistoryNotKept { rule: Arc::clone(item) }.into());
    }
    Ok(subsidy::entitle(law, frames, tables, past))
}

/// Marks lines of earlier months of the period being settled, which no ledger holds yet.
const IN_THIS_PERIOD: Month = Month::BEFORE_ALL;
