//! A period whose law and inputs are in hand: settled in memory, again and again, under one law after
//! another. The cases of packs are settled by it.
//!
//! In: a job that is a trial, laws, tables, the periods before it. Out: [`Settled`]. Order: of `cases`,
//! after every room of a settlement. Never: opens a ledger, corrects a closed month, writes.

use super::deliveries::Delivered;
use super::earlier::Earlier;
use super::{Asked, SettleError, Settled, SettledMonth, checklist, pinned, settle_month};
use crate::allocation::PostedLine;
use crate::domain::{Finding, Month};
use crate::intake::{self, Tables};
use crate::job::Job;
use crate::law::{LawBook, LawOfMonth};
use crate::ledger::Recalled;
use crate::publish::{Pseudonyms, YearToDate};
use crate::schedule::{self, Schedule};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The laws of a trial's months.
pub type Laws = Vec<(Month, LawOfMonth)>;

/// The laws of a trial's months, and the tables it is given as text, typed for them.
///
/// # Errors
/// When nothing is in force for a month, its calendar is not published, or a table is not declared
/// or cannot be understood.
pub fn read(
    job: &Job,
    book: &LawBook,
    texts: &BTreeMap<String, String>,
) -> Result<(Laws, Tables), SettleError> {
    let laws = pinned::laws(job, book)?;
    let tables = match laws.last() {
        None => Tables::default(),
        Some((_, law)) => {
            intake::read_texts(texts, &law.inputs, &law.head.currency, &law.columns_read)?
        }
    };
    Ok((laws, tables))
}

/// Settles a period whose inputs are in hand, after periods that were settled so and count as
/// released. The run has no id and the books none of its lines.
///
/// # Errors
/// When a rule cannot be applied.
pub fn settle(
    job: &Job,
    laws: Laws,
    tables: &Tables,
    before: &[Settled],
    names: &Pseudonyms,
) -> Result<Settled, SettleError> {
    let period = laws.last().map_or(job.period, |(month, _)| *month);
    let mut delivered = Delivered::given(tables.clone(), job.tables.clone(), laws.len());
    let mut findings = delivered.whole.findings.clone();
    findings.extend(checklist::absent_and_stale(&delivered, &laws, period));
    let posted: Vec<PostedLine> = before.iter().flat_map(released).collect();
    let mut earlier = Earlier::new(job, &laws, Some(names), true)?;
    for past in before.iter().flat_map(|settled| &settled.months) {
        let persons = earlier.persons(&past.law, &past.frames);
        earlier.add(past.month, &past.frames, &past.entitlements, &persons);
    }
    let mut used_up = posted.clone();
    let mut months = Vec::with_capacity(laws.len());
    for (at, (month, law)) in laws.into_iter().enumerate() {
        let (tables, _) = delivered.take(at);
        let asked = Asked { month, used_up: &used_up, last_of_version: false, with_budget: true };
        let settled = settle_month(asked, law, tables, &mut findings, None, &mut earlier)?;
        if month != period {
            used_up.extend(checklist::as_posted(&settled));
        }
        months.push(settled);
    }
    let inputs: Vec<schedule::MonthInput<'_>> = months.iter().map(SettledMonth::input).collect();
    let schedule =
        schedule::plan(&job.id, period, &inputs, &posted, &[], (&job.write_offs, &job.codes))?;
    findings.extend(checklist::holds(&schedule));
    findings.extend(checklist::cuts(&months));
    Ok(in_memory(period, (months, schedule), delivered.whole, findings, posted, names))
}

/// The lines of a period, as a ledger would give them to later ones.
fn released(settled: &Settled) -> impl Iterator<Item = PostedLine> + '_ {
    let schedule = &settled.schedule;
    schedule.lines.iter().map(|line| {
        let payee = schedule.payees.get(line.payee as usize);
        let budget = schedule.budget_lines.get(line.budget_line as usize);
        PostedLine {
            period: settled.period,
            source_period: line.source_period,
            institution_id: payee.map_or_else(|| "".into(), |of| of.institution_id.clone()),
            item: Arc::clone(&line.item),
            line_kind: line.kind.word().into(),
            source: Arc::clone(&line.source),
            payable_fen: line.payable_fen,
            budget_doc_no: budget.map_or_else(|| "".into(), |of| of.budget_doc_no.as_str().into()),
        }
    })
}

fn in_memory(
    period: Month,
    (months, schedule): (Vec<SettledMonth>, Schedule),
    tables: Tables,
    findings: Vec<Finding>,
    posted: Vec<PostedLine>,
    names: &Pseudonyms,
) -> Settled {
    Settled {
        run_id: String::new(),
        period,
        months,
        schedule,
        tables,
        versions: Vec::new(),
        findings,
        law_sha256: String::new(),
        calendar_sha256: String::new(),
        corrections: Vec::new(),
        examined: Vec::new(),
        posted,
        write_offs: Vec::new(),
        claims: Vec::new(),
        released: Vec::new(),
        previous: None,
        year_to_date: YearToDate::default(),
        late: BTreeMap::new(),
        recalled: Recalled::default(),
        pseudonyms: names.clone(),
        audited: None,
    }
}
