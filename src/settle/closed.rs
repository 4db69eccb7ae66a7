//! Closed months, looked at again with what is known now (S22-S25): which of them have other law or
//! other deliveries than when they were last looked at, and what is to be corrected there.
//!
//! A month is settled again only where something about it became known since. Its base deliveries
//! come from the archive of the run that paid it, late ones from that run, from every run released
//! since and from the job: what was known once stays known.

use super::audited::{ReleasedRun, SettledAgain};
use super::earlier::Earlier;
use super::hashes::Hashes;
use super::{Asked, IN_THIS_PERIOD, SettleError, SettledMonth, Watch, law_of, settle_month};
use crate::allocation::{BudgetLine, PostedLine};
use crate::archive::{Archive, ArchiveError, Materials};
use crate::domain::{Fen, Finding, FindingCode, Month, hex};
use crate::intake::{self, Tables};
use crate::job::{self, Job, TableSpec};
use crate::law::{DiffOf, Law, LawBook, LawOfMonth, ShortageMethod, SplitScope, Window, diff};
use crate::ledger::{Ledger, RunHead};
use crate::publish::{
    CORRECTIONS, EXAMINED, LINES, Manifest, Pseudonyms, corrections_text, lay_over, persons,
    read_lines,
};
use crate::retro::{
    Cause, Correction, Delivery, Examined, LineBook, PastCut, attribute, changes, correct, draw,
};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

/// A released run of an earlier period with what it left in the archive.
struct Past {
    head: RunHead,
    materials: Materials,
    examined: Vec<Examined>,
}

/// One closed service month.
pub(super) struct ClosedMonth {
    pub(super) month: Month,
    /// Place of the run that paid it in [`Closed::past`], or looked at it first where it is before the
    /// opening; `None` for one that is looked at for the first time.
    pub(super) run: Option<usize>,
    pub(super) law: LawOfMonth,
    pub(super) specs: Vec<TableSpec>,
    pub(super) then: Examined,
    pub(super) now: Examined,
}

/// All closed months of a job, looked at but not settled.
#[derive(Default)]
pub(super) struct Closed {
    archive: Option<Archive>,
    past: Vec<Past>,
    pub(super) months: Vec<ClosedMonth>,
    /// Ids of the runs whose months are closed.
    pub(super) runs: Vec<String>,
    pub(super) findings: Vec<Finding>,
    /// Whether a released run is not in the archive.
    lost: bool,
    late: BTreeMap<PathBuf, String>,
}

/// What came of the closed months.
#[derive(Default)]
pub(super) struct Corrected {
    /// Hashes of the job's own late files that were looked at, by path.
    pub(super) late: BTreeMap<PathBuf, String>,
    pub(super) corrections: Vec<Correction>,
    pub(super) examined: Vec<Examined>,
    pub(super) findings: Vec<Finding>,
}

impl Closed {
    /// Looks at the closed months before `first`; settles none.
    pub(super) fn look(
        job: &Job,
        book: &LawBook,
        ledger: Option<&Ledger>,
        first: Month,
    ) -> Result<Self, SettleError> {
        let mut this = Self::default();
        if !job.retro {
            return Ok(this);
        }
        let Some(ledger) = ledger else {
            this.look_at_none_paid(job, book)?;
            return Ok(this);
        };
        let closed: Vec<RunHead> = ledger.closed(&job.id, first)?;
        this.runs = closed.iter().map(|run| run.run_id.clone()).collect();
        let archive = job.archive.as_deref().and_then(|folder| Archive::open(folder).ok());
        let Some(archive) = archive else {
            this.lost = !ledger.released(&job.id, first)?.is_empty();
            if !closed.is_empty() {
                this.findings.push(Finding::of(FindingCode::ClosedNotExamined));
            }
            if !this.lost {
                this.look_at_none_paid(job, book)?;
            }
            return Ok(this);
        };
        // The ledger vouches for the recipes: what was put into the archive since counts for nothing.
        let recorded = ledger.recipes()?;
        for head in ledger.released(&job.id, first)? {
            let here = archive.recipe_hash(&head.run_id)?;
            let (Some(recipe), Some(_)) = (recorded.get(&head.run_id), here) else {
                let mut finding = Finding::of(FindingCode::ClosedNotExamined);
                finding.values = vec![("period", head.period.to_string())];
                this.findings.push(finding);
                this.lost = true;
                continue;
            };
            let recipe = archive.recipe_at(&head.run_id, recipe)?;
            let examined = archive.output(&recipe, EXAMINED)?;
            let examined = examined.and_then(|text| Examined::parse(&text)).unwrap_or_default();
            // Beside the run where the archive can only be read.
            let beside = job.out.parent().unwrap_or(&job.out);
            let materials = Materials::new(&archive, recipe.clone(), archive.path())
                .or_else(|_| Materials::new(&archive, recipe, beside))?;
            this.past.push(Past { head, materials, examined });
        }
        this.archive = Some(archive);
        let mut hashes = Hashes::of(this.past.iter().map(|past| &past.materials))?;
        for run in 0..this.past.len() {
            let is_closed = this.runs.contains(&this.past[run].head.run_id);
            let months: Vec<Month> =
                this.past[run].materials.recipe().law.iter().map(|law| law.month).collect();
            for month in months.into_iter().filter(|month| job.opening.is_none_or(|o| o <= *month))
            {
                let of = this.look_at(job, book, run, month, &mut hashes)?;
                if is_closed {
                    this.months.push(of);
                } else if of.then.differs(&of.now) {
                    let mut finding = Finding::of(FindingCode::MonthNotClosed);
                    finding.values = vec![("period", month.to_string())];
                    this.findings.push(finding);
                }
            }
        }
        this.look_before_opening(job, book, &mut hashes)?;
        this.keep_late(job, &hashes);
        Ok(this)
    }

    /// Where no period was paid yet there may be months before the opening.
    fn look_at_none_paid(&mut self, job: &Job, book: &LawBook) -> Result<(), SettleError> {
        let mut hashes = Hashes::of(std::iter::empty())?;
        self.look_before_opening(job, book, &mut hashes)?;
        self.keep_late(job, &hashes);
        Ok(())
    }

    /// The job's own late files that were looked at.
    fn keep_late(&mut self, job: &Job, hashes: &Hashes) {
        let own = |path: &PathBuf| Some((path.clone(), hashes.of_file(path)?));
        self.late = job.late.iter().flat_map(|spec| &spec.paths).filter_map(own).collect();
    }

    pub(super) fn look_at(
        &self,
        job: &Job,
        book: &LawBook,
        run: usize,
        month: Month,
        hashes: &mut Hashes,
    ) -> Result<ClosedMonth, SettleError> {
        let past = &self.past[run];
        let recipe = past.materials.recipe();
        let [tables, own_late] = past.materials.planned()?;
        // A delivery that is listed again is the one it was: it keeps its place in the order.
        let mut late = own_late.clone();
        let mut known = Vec::new();
        for spec in &own_late {
            known.push(hashes.inputs(std::slice::from_ref(spec))?);
        }
        for later in &self.past[run + 1..] {
            let [_, listed] = later.materials.planned()?;
            hashes.add_new(&mut late, &mut known, listed)?;
        }
        let received = job.late.iter().filter(|spec| spec.received_by(job.known_on));
        hashes.add_new(&mut late, &mut known, received.cloned().collect())?;
        let specs = job::choose(&tables, &late, month, job.known_on)?;
        let (law, _) = law_of(job, book, month)?;
        let own: Vec<Month> = recipe.law.iter().map(|of| of.month).collect();
        // A month before the opening is of no run's own.
        let own = if own.contains(&month) { own } else { vec![month] };
        let mut calendars = Sha256::new();
        for month in own {
            calendars.update(format!("{:?}\n", law_of(job, book, month)?.0.calendar));
        }
        let now = Examined {
            month: month.to_string(),
            run_id: past.head.run_id.clone(),
            law_sha256: hex(&Sha256::digest(law.snapshot.as_bytes())),
            calendar_sha256: hex(&calendars.finalize()),
            known_on: super::law_day(job).to_string(),
            inputs: hashes.inputs(&specs)?,
            changed: 0,
            refund_fen: 0,
            correction_fen: 0,
        };
        // The run itself looked at it where it is a month before the opening.
        let last = self.past[run..]
            .iter()
            .rev()
            .find_map(|later| later.examined.iter().find(|of| of.month == now.month));
        let then = if let Some(last) = last {
            last.clone()
        } else {
            let base = job::choose(&tables, &own_late, month, recipe.known_on)?;
            let law = recipe.law.iter().find(|law| law.month == month);
            Examined {
                law_sha256: law.map_or_else(String::new, |law| law.sha256.clone()),
                calendar_sha256: self.calendar_of(&past.head.run_id)?,
                known_on: recipe.known_on.to_string(),
                inputs: hashes.inputs(&base)?,
                ..now.clone()
            }
        };
        Ok(ClosedMonth { month, run: Some(run), law, specs, then, now })
    }

    /// The calendar a run was settled by, as its manifest has it.
    fn calendar_of(&self, run_id: &str) -> Result<String, SettleError> {
        let Some(archive) = &self.archive else { return Ok(String::new()) };
        let bytes = archive.manifest(run_id)?;
        let manifest: Option<Manifest> = serde_json::from_slice(&bytes).ok();
        Ok(manifest.map_or_else(String::new, |manifest| manifest.calendar_sha256))
    }

    /// The run that looked at a month first.
    pub(super) fn first_examined(&self, month: Month) -> Option<usize> {
        let month = month.to_string();
        self.past.iter().position(|past| past.examined.iter().any(|of| of.month == month))
    }

    /// Months before one that some run looked at.
    pub(super) fn examined_before(&self, opening: Month) -> BTreeSet<Month> {
        let examined = self.past.iter().flat_map(|past| &past.examined);
        let months = examined.filter_map(|of| Month::parse(&of.month).ok());
        months.filter(|month| *month < opening).collect()
    }

    /// What of the closed months is in the run id: law, calendar and inputs of each, and what was
    /// found looking at them.
    pub(super) fn identity(&self) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            let _ = writeln!(text, "{finding:?}"); // writing to a String cannot fail
        }
        for of in &self.months {
            text.push_str(&Examined::text(std::slice::from_ref(&of.now)));
        }
        text
    }

    /// Settles again what has changed, month by month; one month is in memory at a time.
    pub(super) fn settle(
        &self,
        job: &Job,
        book: &LawBook,
        posted: &[PostedLine],
        pseudonyms: &Pseudonyms,
        watch: Watch<'_>,
    ) -> Result<Corrected, SettleError> {
        let mut corrected = Corrected::default();
        let mut months: Vec<&ClosedMonth> = self.months.iter().collect();
        months.sort_by_key(|of| of.month);
        // The books as they come to stand, month by month.
        let mut books: Vec<PostedLine> = posted.to_vec();
        let mut earlier_changed = false;
        for of in months {
            let mut now = of.now.clone();
            let moved = earlier_changed && over_months(&of.law);
            if of.then.differs(&of.now) || moved {
                let known = Known { books: &books, corrections: &corrected.corrections };
                let correction = self.correct(job, book, &known, pseudonyms, of, watch)?;
                if let Some(correction) = correction {
                    earlier_changed = true;
                    books.extend(as_posted(&correction));
                    now.changed = correction.changes.len() as u64;
                    let sum = |fen: i64, more: i64| fen.saturating_add(more);
                    for cell in &correction.cells {
                        now.refund_fen = sum(now.refund_fen, cell.refund_fen);
                        now.correction_fen = sum(now.correction_fen, cell.correction_fen);
                    }
                    corrected.findings.extend(findings(&correction));
                    corrected.corrections.push(correction);
                }
            }
            corrected.examined.push(now);
        }
        corrected.findings.extend(self.findings.iter().cloned());
        corrected.late.clone_from(&self.late);
        Ok(corrected)
    }

    fn correct(
        &self,
        job: &Job,
        book: &LawBook,
        known: &Known<'_>,
        pseudonyms: &Pseudonyms,
        of: &ClosedMonth,
        watch: Watch<'_>,
    ) -> Result<Option<Correction>, SettleError> {
        let books = known.books;
        let before: Vec<PostedLine> =
            books.iter().filter(|line| line.source_period < of.month).cloned().collect();
        let by_law = of.then.law_sha256 != of.now.law_sha256
            || of.then.calendar_sha256 != of.now.calendar_sha256;
        let by_delivery = of.then.inputs != of.now.inputs;
        let again = |law: LawOfMonth| self.again(job, of, law, &before, known.corrections);
        let (settled, tables) = again(of.law.clone())?;
        let new = line_book(&settled, pseudonyms);
        let mut old = match of.run {
            Some(run) => self.posted_lines(run, of.month)?,
            None => LineBook::default(),
        };
        // What is due to date is set right by the next month itself.
        let to_date = of.law.items_to_date();
        old.leave_out(&to_date);
        let cause = match (by_law, by_delivery) {
            (true, true) => Cause::Both,
            (true, false) => Cause::Law,
            (false, true) => Cause::Delivery,
            (false, false) => Cause::Earlier,
        };
        let past_cut = past_cut(&of.law);
        let beyond = || SettleError::Overflow { month: of.month };
        let (texts, mut changed) = changes(&old, &new, cause, past_cut).ok_or_else(beyond)?;
        // The calendar of then is not at hand: where it is another, law and delivery stay together.
        let same_calendar = of.then.calendar_sha256 == of.now.calendar_sha256;
        if cause == Cause::Both
            && same_calendar
            && !changed.is_empty()
            && let Ok(known_on) = crate::domain::Date::parse_iso(&of.then.known_on)
        {
            let then = Job { law_known_on: Some(known_on), ..job.clone() };
            let (halfway, _) = again(law_of(&then, book, of.month)?.0)?;
            let halfway = line_book(&halfway, pseudonyms);
            attribute(&texts, &mut changed, &old, &halfway).ok_or_else(beyond)?;
        }
        let over_all =
            |law: &Law| law.splits.values().any(|split| split.scope == SplitScope::Settlement);
        let every = by_law || (!changed.is_empty() && of.law.segments.iter().any(over_all));
        let mut cells =
            correct(&texts, &changed, &settled.input(), books, every).ok_or_else(beyond)?;
        cells.retain(|cell| !to_date.contains(&cell.item));
        watch(SettledAgain { month: settled, past_cut, by_law }, &tables);
        if changed.is_empty() && cells.is_empty() {
            return Ok(None);
        }
        Ok(Some(Correction {
            month: of.month,
            texts,
            changes: changed,
            notices: if by_law { notices(book, of, job) } else { Vec::new() },
            deliveries: if by_delivery { deliveries(of) } else { Vec::new() },
            cells,
        }))
    }

    /// The month settled again under a law, without the budget step (S25).
    fn again(
        &self,
        job: &Job,
        of: &ClosedMonth,
        law: LawOfMonth,
        before: &[PostedLine],
        corrections: &[Correction],
    ) -> Result<(SettledMonth, Tables), SettleError> {
        for past in &self.past {
            past.materials.unpack_of(&of.specs)?;
        }
        let currency = law.head.currency.clone();
        let mut tables = intake::read(&of.specs, &law.inputs, &currency, &law.columns_read)?;
        for file in &tables.files {
            let looked_at = of.now.inputs.get(&*file.table);
            if !looked_at.is_some_and(|all| all.contains(&file.sha256)) {
                return Err(SettleError::Archive(ArchiveError::Changed {
                    path: file.path.to_path_buf(),
                    expected: looked_at.map_or_else(String::new, |all| all.join(" ")),
                }));
            }
        }
        let laws = [(of.month, law)];
        let mut earlier = Earlier::new(job, &laws, None, self.is_whole())?;
        self.tell(of.month, corrections, &mut earlier)?;
        let [(month, law)] = laws;
        let asked = Asked { month, used_up: before, last_of_version: true, with_budget: false };
        let settled = settle_month(asked, law, &mut tables, &mut Vec::new(), None, &mut earlier)?;
        Ok((settled, tables))
    }

    /// Whether the archive holds every released run, so that what was paid before is known.
    pub(super) const fn is_whole(&self) -> bool {
        !self.lost
    }

    /// Tells the lines of the months before one, as they were paid last and as this run corrects them.
    pub(super) fn tell(
        &self,
        before: Month,
        corrections: &[Correction],
        earlier: &mut Earlier,
    ) -> Result<(), SettleError> {
        if !earlier.asks() {
            return Ok(());
        }
        let mut paid: BTreeMap<Month, Option<usize>> = BTreeMap::new();
        for (run, past) in self.past.iter().enumerate() {
            paid.extend(past.materials.recipe().law.iter().map(|law| (law.month, Some(run))));
        }
        for of in &self.months {
            paid.entry(of.month).or_insert(of.run);
        }
        for (month, run) in paid.into_iter().filter(|(month, _)| *month < before) {
            let mut book = match run {
                Some(run) => self.posted_lines(run, month)?,
                None => LineBook::default(),
            };
            for correction in corrections.iter().filter(|of| of.month == month) {
                let text = corrections_text(std::slice::from_ref(correction));
                lay_over(&mut book, &text, month)?;
            }
            earlier.told(month, &book);
        }
        Ok(())
    }

    /// The lines released runs left, as they lie in the archive.
    pub(super) fn released(&self) -> Result<Vec<ReleasedRun>, SettleError> {
        let Some(archive) = &self.archive else { return Ok(Vec::new()) };
        let run = |past: &Past| {
            let recipe = past.materials.recipe();
            Ok(ReleasedRun {
                run_id: past.head.run_id.clone(),
                months: recipe.law.iter().map(|law| law.month).collect(),
                lines: archive.output(recipe, LINES)?,
                corrections: archive.output(recipe, CORRECTIONS)?,
            })
        };
        self.past.iter().map(run).collect()
    }

    /// The lines of a month as they were last paid, by the run that paid it first.
    fn posted_lines(&self, run: usize, month: Month) -> Result<LineBook, SettleError> {
        let mut book = LineBook::default();
        let Some(archive) = &self.archive else { return Ok(book) };
        let own = self.past[run].materials.recipe();
        if let Some(bytes) = archive.output(own, LINES)? {
            book = read_lines(&bytes, month)?;
        }
        for later in &self.past[run..] {
            if let Some(bytes) = archive.output(later.materials.recipe(), CORRECTIONS)? {
                lay_over(&mut book, &bytes, month)?;
            }
        }
        Ok(book)
    }
}

/// What is known before a closed month is corrected.
struct Known<'a> {
    /// Posted lines, with those of this run for earlier closed months.
    books: &'a [PostedLine],
    /// Corrections of earlier closed months.
    corrections: &'a [Correction],
}

/// What becomes of a past cut under the law of a month.
fn past_cut(law: &LawOfMonth) -> PastCut {
    let rules = || law.segments.iter().flat_map(|law| &law.shortages);
    if rules().any(|rule| matches!(rule.method, ShortageMethod::Carry(_))) {
        PastCut::Carried
    } else if rules().any(|rule| rule.restore) {
        PastCut::Restored
    } else {
        PastCut::Stays
    }
}

/// Whether what earlier months paid counts in this one.
fn over_months(law: &LawOfMonth) -> bool {
    !law.items_of_history().is_empty()
        || law.segments.iter().flat_map(|law| &law.caps).any(|cap| cap.window != Window::Month)
}

pub(super) fn all_lines(settled: &SettledMonth, pseudonyms: &Pseudonyms) -> LineBook {
    let persons = persons(&settled.frames, &settled.entitlements, pseudonyms);
    let of = |basis: &crate::domain::Basis| persons.get(basis).map(Vec::as_slice);
    LineBook::of(&settled.frames, &settled.entitlements, &of, &settled.files)
}

/// The same without what is due to date.
fn line_book(settled: &SettledMonth, pseudonyms: &Pseudonyms) -> LineBook {
    let mut book = all_lines(settled, pseudonyms);
    book.leave_out(&settled.law.items_to_date());
    book
}

/// 文号 of the notices that became known since the month was last looked at.
fn notices(book: &LawBook, of: &ClosedMonth, job: &Job) -> Vec<String> {
    let Ok(after) = crate::domain::Date::parse_iso(&of.then.known_on) else { return Vec::new() };
    let found = diff(book, &DiffOf::Known { after, until: super::law_day(job) });
    let month = of.month.last();
    let all: BTreeSet<String> = found
        .changes
        .into_iter()
        .filter(|change| change.from <= month)
        .map(|change| change.clause)
        .collect();
    all.into_iter().collect()
}

/// The tables whose deliveries are others than before, with their files.
fn deliveries(of: &ClosedMonth) -> Vec<Delivery> {
    let changed =
        |spec: &&TableSpec| of.then.inputs.get(&spec.table) != of.now.inputs.get(&spec.table);
    let name = |path: &PathBuf| {
        path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    };
    let delivery = |spec: &TableSpec| Delivery {
        table: spec.table.clone(),
        files: spec.paths.iter().map(name).collect(),
        received_on: spec.received_on,
    };
    of.specs.iter().filter(changed).map(delivery).collect()
}

/// Refunds and corrections as lines that caps and budgets of this period count.
pub(super) fn as_posted(correction: &Correction) -> Vec<PostedLine> {
    let [refund, due]: [Arc<str>; 2] = ["REFUND".into(), "CORRECTION".into()];
    let line = |cell: &crate::retro::CorrectedCell, kind: &Arc<str>, payable_fen| PostedLine {
        period: IN_THIS_PERIOD,
        source_period: correction.month,
        institution_id: Arc::clone(&cell.institution_id),
        item: Arc::clone(&cell.item),
        line_kind: Arc::clone(kind),
        source: Arc::clone(&cell.source),
        payable_fen,
        budget_doc_no: Arc::clone(&cell.budget_doc_no),
    };
    correction
        .cells
        .iter()
        .flat_map(|cell| {
            [
                line(cell, &refund, cell.refund_fen.saturating_neg()),
                line(cell, &due, cell.correction_fen),
            ]
        })
        .filter(|line| line.payable_fen != 0)
        .collect()
}

/// Chooses the budget lines of all corrections.
pub(super) fn choose_budgets(corrections: &mut [Correction], budget: &[BudgetLine], year: i32) {
    draw(corrections, budget, year);
}

/// One finding an institution and closed month.
fn findings(correction: &Correction) -> Vec<Finding> {
    let mut by_institution: BTreeMap<&Arc<str>, i64> = BTreeMap::new();
    for cell in &correction.cells {
        let net = by_institution.entry(&cell.institution_id).or_default();
        *net = net.saturating_add(cell.correction_fen.saturating_sub(cell.refund_fen));
    }
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for change in &correction.changes {
        *counts.entry(correction.texts.text(change.key.paid_to())).or_default() += 1;
    }
    by_institution
        .into_iter()
        .map(|(institution, net)| {
            let mut finding = Finding::of(FindingCode::MonthCorrected);
            finding.institution_id = institution.to_string();
            finding.count = counts.get(&**institution).copied().unwrap_or(1);
            finding.money = Some(Fen(net.saturating_abs()));
            finding.values =
                vec![("period", correction.month.to_string()), ("found", Fen(net).to_string())];
            finding
        })
        .collect()
}
