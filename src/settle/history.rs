//! What the ledger says of earlier periods, and how this one differs.

use super::SettleError;
use crate::allocation::PostedLine;
use crate::domain::{Fen, Finding, FindingCode, Month};
use crate::job::Job;
use crate::ledger::Ledger;
use crate::publish::{Previous, Standing, YearToDate};
use crate::schedule::Schedule;
use std::collections::{BTreeMap, BTreeSet};

/// What the ledger says of earlier periods.
#[derive(Default)]
pub(super) struct History {
    /// Lines of released runs.
    pub(super) posted: Vec<PostedLine>,
    /// Ids of those runs, in order of period.
    pub(super) released: Vec<String>,
    /// The period before, for comparison; it may still be a draft.
    pub(super) previous: Option<Previous>,
    /// Id of its run.
    pub(super) compared: Option<String>,
    /// Released earlier in the fiscal year.
    pub(super) year_to_date: YearToDate,
}

/// Reads what the ledger says of the periods before `first`.
pub(super) fn read(
    job: &Job,
    ledger: Option<&Ledger>,
    first: Month,
    period: Month,
) -> Result<History, SettleError> {
    let Some(ledger) = ledger else { return Ok(History::default()) };
    let posted = ledger.posted(&job.id, first)?;
    let released = ledger.released(&job.id, first)?.into_iter().map(|run| run.run_id).collect();
    let previous = ledger.previous(&job.id, first)?;
    let compared = previous.as_ref().map(|previous| previous.run_id.clone());
    let previous = previous.map(|previous| Previous {
        period: previous.period.to_string(),
        by_institution: previous
            .institutions
            .into_iter()
            .map(|of| {
                let standing = Standing {
                    headcount: u64::try_from(of.headcount).ok(),
                    slots: (of.slots >= 0).then_some(of.slots),
                    amount_fen: of.amount_fen,
                };
                (of.institution_id.to_string(), standing)
            })
            .collect(),
    });
    let sums = ledger.year_to_date(&job.id, period.year(), first)?;
    let year_to_date = YearToDate {
        by_institution: sums.by_institution,
        by_item: sums.by_item,
        by_source: sums.by_source,
        by_budget_line: sums.by_budget_doc_no,
        total: sums.total,
    };
    Ok(History { posted, released, previous, compared, year_to_date })
}

/// Institutions whose payable amount changed by more than the job's threshold, as `changes.csv`
/// flags them; nothing in a first period.
pub(super) fn changes(job: &Job, previous: Option<&Previous>, schedule: &Schedule) -> Vec<Finding> {
    let Some(previous) = previous else { return Vec::new() };
    let mut now: BTreeMap<&str, i64> = BTreeMap::new();
    for line in &schedule.lines {
        if let Some(payee) = schedule.payees.get(line.payee as usize) {
            *now.entry(&payee.institution_id).or_default() += line.payable_fen;
        }
    }
    let before = &previous.by_institution;
    let ids: BTreeSet<&str> =
        before.keys().map(String::as_str).chain(now.keys().copied()).collect();
    ids.into_iter()
        .filter_map(|id| {
            let was = before.get(id)?.amount_fen;
            let is = now.get(id).copied().unwrap_or(0);
            let change = i128::from(is) - i128::from(was);
            let limit = i128::from(was).abs() * i128::from(job.change_percent);
            if change.abs() * 100 <= limit {
                return None;
            }
            let mut finding = Finding::of(FindingCode::ChangeLarge);
            id.clone_into(&mut finding.institution_id);
            finding.money = i64::try_from(change.abs()).ok().map(Fen);
            finding.values =
                vec![("found", Fen(is).to_string()), ("expected", Fen(was).to_string())];
            Some(finding)
        })
        .collect()
}
