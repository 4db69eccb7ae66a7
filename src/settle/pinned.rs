//! A period with its facts in hand: settled under one law after another, its inputs read once.
//!
//! In: a job, a law. Out: the months of the period as the rooms make them under any other law. Order:
//! of `tune`, after every room of a settlement. Never: reads a ledger, posts, writes: a pinned period
//! is a trial (`--ledger none`), and earlier periods count for nothing.

use super::deliveries::Delivered;
use super::earlier::Earlier;
use super::{SettleError, SettledMonth, budget_lines, checklist, law_day, law_of, less_taken};
use super::{lines, service_months};
use crate::allocation::{self, Allocation, BudgetLine};
use crate::domain::{Finding, Frames, Month, Progress, Span};
use crate::facts::{self, Needs};
use crate::intake::{SourceFile, Tables};
use crate::job::Job;
use crate::law::{LawBook, LawOfMonth};
use crate::subsidy::Entitlements;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One month with its facts.
#[derive(Debug)]
pub struct PinnedMonth {
    /// Service month.
    pub month: Month,
    /// The law its facts were laid for.
    pub law: LawOfMonth,
    /// Facts only: nothing any rule computed.
    pub facts: Frames,
    /// Budget lines of the month's fiscal year, as delivered.
    pub budget: Vec<BudgetLine>,
    /// Names of the input tables and files; their rows are in the facts.
    tables: Tables,
}

/// A period with its facts.
#[derive(Debug)]
pub struct Pinned {
    job: Job,
    /// Last service month.
    pub period: Month,
    /// Its months in order.
    pub months: Vec<PinnedMonth>,
    /// Files read, with their hashes.
    pub files: Vec<SourceFile>,
    /// What intake and facts found.
    pub findings: Vec<Finding>,
}

/// One month settled under another law.
#[derive(Debug)]
pub struct Trial {
    /// The month.
    pub settled: SettledMonth,
    /// What would be drawn of each funding source if no budget were short, fen.
    pub needs: BTreeMap<Arc<str>, i64>,
}

/// Changes the tables as delivered before facts are laid on them; for declared assumptions.
pub type Change<'c> = &'c (dyn Fn(&mut Tables, Month) + Sync);

impl Pinned {
    /// Reads the inputs of a period and lays its facts, under a law that passed its checks.
    ///
    /// # Errors
    /// When inputs cannot be read or the calendar is not published.
    pub fn read(
        job: &Job,
        book: &LawBook,
        progress: &mut dyn Progress,
        change: Option<Change<'_>>,
    ) -> Result<Self, SettleError> {
        let laws = laws(job, book)?;
        let months: Vec<Month> = laws.iter().map(|(month, _)| *month).collect();
        let (inputs, wanted, currency) = laws.last().map_or_else(Default::default, |(_, law)| {
            (law.inputs.clone(), law.columns_read.clone(), law.head.currency.to_string())
        });
        progress.begin("intake", None);
        let mut delivered = Delivered::read(job, &months, &inputs, &currency, &wanted)?;
        progress.end();
        let mut findings = delivered.whole.findings.clone();
        let mut pinned = Vec::with_capacity(laws.len());
        progress.begin("facts", None);
        for (at, (month, law)) in laws.into_iter().enumerate() {
            let (tables, last) = delivered.take(at);
            let changed = change.map(|change| {
                let mut own = tables.clone();
                change(&mut own, month);
                own
            });
            let read = changed.as_ref().unwrap_or(tables);
            let mut facts = facts::establish(read, &law, month, &Needs::of(&law))?;
            findings.append(&mut facts.findings);
            let budget = budget_lines(read, month);
            if last {
                for table in tables.by_name.values_mut() {
                    table.columns.clear();
                }
            }
            let files = tables.files.clone();
            let tables = Tables { by_name: BTreeMap::new(), files, findings: Vec::new() };
            pinned.push(PinnedMonth { month, law, facts: facts.frames, budget, tables });
        }
        progress.end();
        let period = months.last().copied().unwrap_or(job.period);
        let files = delivered.whole.files;
        Ok(Self { job: job.clone(), period, months: pinned, files, findings })
    }

    /// The job as the period is settled by it.
    #[must_use]
    pub const fn job(&self) -> &Job {
        &self.job
    }

    /// The laws of the months under another book.
    ///
    /// # Errors
    /// When nothing is in force for a month.
    pub fn laws(&self, book: &LawBook) -> Result<Vec<LawOfMonth>, SettleError> {
        Ok(laws(&self.job, book)?.into_iter().map(|(_, law)| law).collect())
    }

    /// Whether the facts in hand are those a law would have laid: ages, segments, settings, calendar
    /// and what is read are the same.
    #[must_use]
    pub fn fits(&self, laws: &[LawOfMonth]) -> bool {
        self.months.len() == laws.len()
            && self.months.iter().zip(laws).all(|(pinned, law)| lay_alike(&pinned.law, law))
    }

    /// Settles the months under other laws with the facts in hand, which must fit them.
    ///
    /// # Errors
    /// When a rule cannot be applied.
    pub fn under(&self, laws: Vec<LawOfMonth>) -> Result<Vec<Trial>, SettleError> {
        let told: Vec<(Month, LawOfMonth)> =
            self.months.iter().map(|of| of.month).zip(laws).collect();
        let mut earlier = Earlier::new(&self.job, &told, None, true)?;
        let mut used_up = Vec::new();
        let mut settled = Vec::with_capacity(told.len());
        for (pinned, (month, law)) in self.months.iter().zip(told) {
            let mut frames = pinned.facts.clone();
            let budget = less_taken(&pinned.budget, &used_up);
            let persons = earlier.persons(&law, &frames);
            let past = earlier.past(&persons);
            let (mut entitlements, _) = lines(&law, &mut frames, &pinned.tables, &past)?;
            earlier.name_payees(&mut frames, &mut entitlements);
            let allocate = |lines: &mut Entitlements, budget: Option<&[BudgetLine]>| {
                allocation::allocate(&law, &frames, lines, budget, &used_up, &past, month)
            };
            let is_bounded = law.segments.first().is_some_and(|rules| !rules.shortages.is_empty());
            let unbounded =
                is_bounded.then(|| allocate(&mut entitlements.clone(), None)).transpose()?;
            let allocation = allocate(&mut entitlements, Some(&budget))?;
            let needs = drawn(unbounded.as_ref().unwrap_or(&allocation));
            if !earlier.ends_with(month) {
                earlier.add(month, &frames, &entitlements, &persons);
            }
            let made = SettledMonth {
                month,
                law,
                frames,
                ahead: None,
                entitlements,
                allocation,
                budget: pinned.budget.clone(),
                uses: BTreeMap::new(),
                attended: Vec::new(),
                files: Vec::new(),
                version: 0,
            };
            if month != self.period {
                used_up.extend(checklist::as_posted(&made));
            }
            settled.push(Trial { settled: made, needs });
        }
        Ok(settled)
    }
}

/// Money by source.
fn drawn(allocation: &Allocation) -> BTreeMap<Arc<str>, i64> {
    let mut sums = BTreeMap::new();
    for cell in &allocation.cells {
        let sum: &mut i64 =
            sums.entry(Arc::clone(&allocation.sources[cell.source as usize])).or_default();
        *sum = sum.saturating_add(cell.fen);
    }
    sums
}

/// The law of each month of a job's settlement period.
///
/// # Errors
/// When nothing is in force for a month, or a calendar year is not published.
pub fn laws(job: &Job, book: &LawBook) -> Result<Vec<(Month, LawOfMonth)>, SettleError> {
    let head = book.in_force(job.period, law_day(job))?.head;
    service_months(job.period, head.settlement_months)
        .into_iter()
        .map(|month| Ok((month, law_of(job, book, month)?.0)))
        .collect()
}

/// Whether two laws lay the same facts.
fn lay_alike(a: &LawOfMonth, b: &LawOfMonth) -> bool {
    let spans = |law: &LawOfMonth| -> Vec<Span> {
        law.segments.iter().map(|segment| segment.segment).collect()
    };
    let ages = |law: &LawOfMonth| -> Vec<String> {
        law.segments.iter().map(|segment| format!("{:?}", segment.ages)).collect()
    };
    let heads = |law: &LawOfMonth| format!("{:?}{:?}", law.head, law.inputs);
    let (needs, others) = (Needs::of(a), Needs::of(b));
    spans(a) == spans(b)
        && needs == others
        && ages(a) == ages(b)
        && a.columns_read == b.columns_read
        && heads(a) == heads(b)
}
