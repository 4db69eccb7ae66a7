//! Law is never changed under the feet of what was settled with it (S17).

use super::SettleError;
use crate::archive::{Archive, ArchiveError};
use crate::domain::{Date, Month};
use crate::job::Job;
use crate::law::{LawBook, Rewritten};
use crate::ledger::{Ledger, RunState};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::Arc;

/// The packs say something else of a past day than they said then.
#[derive(Debug, thiserror::Error)]
pub struct LawRewritten {
    /// The run that was settled with the law of then.
    pub run_id: String,
    /// Service month.
    pub month: Month,
    /// Law as known on this day.
    pub known_on: Date,
    /// What was changed, at least one.
    pub changes: Vec<Rewritten>,
}

impl fmt::Display for LawRewritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run_id, month, known_on, changes } = self;
        let told: Vec<String> = changes.iter().map(ToString::to_string).collect();
        write!(
            f,
            "law_rewritten: the law of {month} as known on {known_on} is not what run {run} was \
             settled with: {told}; hint: put the text of then back, and give what became known later \
             a version of its own with its known_from",
            run = run_id.get(..8).unwrap_or(run_id),
            told = told.join("; "),
        )
    }
}

/// Checks that the law of a month as known on a day still is the text that a run was settled with.
///
/// # Errors
/// [`LawRewritten`] names every block that differs with its file; [`SettleError::Law`] when the law
/// of then can no longer be made.
pub fn law_kept(
    book: &LawBook,
    run_id: &str,
    known_on: Date,
    law: &[(Month, String)],
) -> Result<(), SettleError> {
    for (month, text) in law {
        let now = book.in_force(*month, known_on)?.snapshot;
        check(book, run_id, known_on, *month, text, &now)?;
    }
    Ok(())
}

fn check(
    book: &LawBook,
    run_id: &str,
    known_on: Date,
    month: Month,
    then: &str,
    now: &str,
) -> Result<(), LawRewritten> {
    let changes = book.rewritten(then, now);
    if changes.is_empty() {
        return Ok(());
    }
    Err(LawRewritten { run_id: run_id.to_owned(), month, known_on, changes })
}

/// [`law_kept`] for every earlier run of the job that was approved, as far as the archive holds them.
pub(super) fn earlier_runs(
    job: &Job,
    book: &LawBook,
    ledger: Option<&Ledger>,
) -> Result<(), SettleError> {
    let archive = job.archive.as_deref().and_then(|folder| Archive::open(folder).ok());
    // A run settled again was checked when it was settled first, by what was approved then.
    let ledger = ledger.filter(|ledger| !ledger.is_recalled());
    let (Some(archive), Some(ledger)) = (archive, ledger) else { return Ok(()) };
    let mut now: BTreeMap<(Month, Date), Arc<str>> = BTreeMap::new();
    for run in ledger.standing(&job.id, job.period)? {
        if run.state < RunState::Approved {
            continue;
        }
        let recipe = match archive.recipe(&run.run_id) {
            Err(ArchiveError::RunUnknown { .. }) => continue,
            recipe => recipe?,
        };
        for (month, then) in archive.law(&recipe)? {
            let text = match now.entry((month, recipe.known_on)) {
                Entry::Occupied(entry) => Arc::clone(entry.get()),
                Entry::Vacant(entry) => {
                    let snapshot = book.in_force(month, recipe.known_on)?.snapshot;
                    Arc::clone(entry.insert(Arc::from(&*snapshot)))
                }
            };
            check(book, &run.run_id, recipe.known_on, month, &then, &text)?;
        }
    }
    Ok(())
}
