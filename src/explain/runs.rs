//! The runs of a job in order, as the ledger and the archive have them, and whom a question means.

use crate::archive::{Archive, Recipe};
use crate::audit::{Archived, RerunError};
use crate::domain::{Month, beijing_day};
use crate::ledger::{Course, Ledger, PostedRow, RunHead};
use crate::publish::{
    CORRECTIONS, CorrectedLine, KeyError, LINES, LineFileError, Manifest, Pseudonyms,
    read_corrections, read_lines,
};
use crate::retro::Person;
use crate::settle::SettleError;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;

use super::ExplainError;
use super::timeline::Asked;

/// Where runs and what they read are kept.
#[derive(Debug, Clone, Copy)]
pub struct Kept<'a> {
    /// Archive.
    pub archive: &'a Archive,
    /// Ledger file; one that is not there is no ledger.
    pub ledger: &'a Path,
}

impl Kept<'_> {
    /// A run of the archive, to be settled again.
    pub(super) fn open(&self, run_id: &str) -> Result<Archived, RerunError> {
        Archived::open(self.archive, self.ledger, run_id, None)
    }
}

/// Why a question about several runs has no answer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// A run cannot be settled again.
    #[error(transparent)]
    Rerun(#[from] RerunError),
    /// The run has no such line.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// No run of the job settled the month.
    #[error("--month: found {found}; expected one of {expected}")]
    Month {
        /// Asked for.
        found: Month,
        /// Months the job settled.
        expected: String,
    },
    /// The archived key file is no key.
    #[error(transparent)]
    Key(KeyError),
    /// The span of months is none.
    #[error("--from {from} --to {until}: expected two months in order, at most {most} of them")]
    Span {
        /// First month asked for.
        from: Month,
        /// Last.
        until: Month,
        /// Most months a statement may have.
        most: i32,
    },
    /// The child has no line and no stay in any of the months.
    #[error(
        "no line of that child from {from} to {until}; hint: --child takes the reference as \
         delivered or the pseudonym of the outputs"
    )]
    Child {
        /// First month.
        from: Month,
        /// Last month.
        until: Month,
    },
}

impl From<crate::ledger::LedgerError> for AnswerError {
    fn from(error: crate::ledger::LedgerError) -> Self {
        RerunError::from(error).into()
    }
}

impl From<crate::archive::ArchiveError> for AnswerError {
    fn from(error: crate::archive::ArchiveError) -> Self {
        RerunError::from(error).into()
    }
}

impl From<LineFileError> for AnswerError {
    fn from(error: LineFileError) -> Self {
        RerunError::from(SettleError::Lines(error)).into()
    }
}

/// Whom a question means, and what stands for them in the answer.
#[derive(Debug)]
pub struct Names {
    asked: Option<String>,
    pseudonyms: Pseudonyms,
}

impl Names {
    /// A child by its reference as delivered or its pseudonym, under the key of a run.
    #[must_use]
    pub fn new(asked: Option<&str>, pseudonyms: Pseudonyms) -> Self {
        Self { asked: asked.map(str::to_owned), pseudonyms }
    }

    fn pseudonym(&self, reference: &str) -> String {
        String::from_utf8_lossy(&self.pseudonyms.one(reference)).into_owned()
    }

    /// Whether a reference as delivered is the child asked for.
    #[must_use]
    pub fn is_child(&self, reference: &str) -> bool {
        self.asked.as_deref().is_some_and(|child| {
            // Only a word of a pseudonym's length can be one: the code need not be made for others.
            child == reference || (child.len() == 16 && child == self.pseudonym(reference))
        })
    }

    /// What stands for a reference: who gave it may see it, everybody else sees the pseudonym.
    #[must_use]
    pub fn alias(&self, reference: &str) -> String {
        if self.asked.as_deref() == Some(reference) {
            reference.to_owned()
        } else {
            self.pseudonym(reference)
        }
    }

    /// Whether a line of outputs is of the child asked for; every line where none was.
    pub(super) fn is_of(&self, person: &Person) -> bool {
        self.asked.as_deref().is_none_or(|child| {
            *person == self.pseudonyms.one(child) || person.as_slice() == child.as_bytes()
        })
    }

    /// What stands for the person of a line of outputs.
    pub(super) fn alias_of(&self, row: &CorrectedLine) -> String {
        match &self.asked {
            _ if row.person == [0; 16] => String::new(),
            Some(child) if self.is_of(&row.person) => child.clone(),
            _ => String::from_utf8_lossy(&row.person).into_owned(),
        }
    }
}

/// A run in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunSaid {
    /// Run id.
    pub run_id: String,
    /// Last service month of its period.
    pub period: String,
    /// Law and deliveries as known on this day.
    pub known_on: String,
    /// `draft` … `closed`.
    pub state: String,
    /// The day its payments were let out, in China; empty before.
    pub released_on: String,
    /// Version of the calculation.
    pub calc_version: String,
    /// The root over all lines of its schedule, as `manifest.json` and the release tell it.
    pub schedule_root: String,
}

/// One run of a job.
pub(super) struct JobRun {
    pub(super) recipe: Recipe,
    pub(super) said: RunSaid,
    /// What it corrected of closed months.
    pub(super) corrected: Vec<CorrectedLine>,
    /// Whom the question means, under the key of the run.
    pub(super) names: Names,
}

impl JobRun {
    pub(super) fn run_id(&self) -> &str {
        &self.recipe.run_id
    }

    /// Its own service months.
    pub(super) fn months(&self) -> impl Iterator<Item = Month> + '_ {
        self.recipe.law.iter().map(|law| law.month)
    }
}

/// The runs of a job, in order of period.
pub(super) struct JobRuns {
    pub(super) ledger: Option<Ledger>,
    pub(super) runs: Vec<JobRun>,
    /// Periods of released runs that the archive does not hold.
    pub(super) lost: Vec<String>,
}

impl JobRuns {
    /// The runs whose money counts together with a run: the released ones of its job, or those it was
    /// settled on where it is not released itself, and the run.
    pub(super) fn of(
        kept: &Kept<'_>,
        run_id: &str,
        child: Option<&str>,
    ) -> Result<Self, AnswerError> {
        let ledger = kept.ledger.is_file().then(|| Ledger::open(kept.ledger)).transpose()?;
        let own = kept.archive.recipe(run_id)?;
        let mut this = Self { ledger: None, runs: Vec::new(), lost: Vec::new() };
        let Some(ledger) = ledger else {
            // A run that read no posted lines can be told without a ledger.
            this.runs.push(Self::run(kept, own, None, child)?);
            return Ok(this);
        };
        let mut heads: Vec<RunHead> = ledger.standing(&own.job_id, Month::AFTER_ALL)?;
        heads.retain(|head| head.state.is_released());
        if !heads.iter().any(|head| head.run_id == run_id) {
            let earlier = own.earlier.iter().map(String::as_str).chain([run_id]);
            heads = earlier.map(|run_id| ledger.run(run_id)).collect::<Result<_, _>>()?;
        }
        let recorded = ledger.recipes()?;
        for head in heads {
            match (recorded.get(&head.run_id), kept.archive.recipe_hash(&head.run_id)?) {
                (Some(hash), Some(_)) => {
                    let recipe = kept.archive.recipe_at(&head.run_id, hash)?;
                    let course = ledger.course(&head.run_id)?;
                    this.runs.push(Self::run(kept, recipe, Some(&course), child)?);
                }
                _ => this.lost.push(head.period.to_string()),
            }
        }
        this.ledger = Some(ledger);
        Ok(this)
    }

    fn run(
        kept: &Kept<'_>,
        recipe: Recipe,
        course: Option<&Course>,
        child: Option<&str>,
    ) -> Result<JobRun, AnswerError> {
        let corrected = match kept.archive.output(&recipe, CORRECTIONS)? {
            Some(bytes) => read_corrections(&bytes)?,
            None => Vec::new(),
        };
        let manifest = kept.archive.manifest(&recipe.run_id)?;
        let manifest: Option<Manifest> = serde_json::from_slice(&manifest).ok();
        let release = course.and_then(|course| course.release.as_ref());
        let said = RunSaid {
            run_id: recipe.run_id.clone(),
            period: recipe.period.to_string(),
            known_on: recipe.known_on.to_string(),
            state: course.map_or("draft", |course| course.state.word()).to_owned(),
            released_on: release
                .and_then(|deed| beijing_day(&deed.at))
                .map_or_else(String::new, |day| day.to_string()),
            calc_version: recipe.calc_version.clone(),
            schedule_root: manifest.map_or_else(String::new, |of| of.schedule_root),
        };
        let key = Pseudonyms::new(&kept.archive.key(&recipe)?).map_err(AnswerError::Key)?;
        Ok(JobRun { recipe, said, corrected, names: Names::new(child, key) })
    }

    pub(super) fn find(&self, run_id: &str) -> Option<&JobRun> {
        self.runs.iter().find(|run| run.run_id() == run_id)
    }

    /// The run that settled a month first.
    pub(super) fn payer(&self, month: Month) -> Option<&JobRun> {
        self.runs.iter().find(|run| run.months().any(|own| own == month))
    }

    /// Posted lines of an institution in a run that are for a month.
    pub(super) fn posted(
        &self,
        run: &JobRun,
        institution: &str,
        month: Month,
    ) -> Result<Vec<PostedRow>, AnswerError> {
        let Some(ledger) = &self.ledger else { return Ok(Vec::new()) };
        let mut rows = ledger.lines_of(run.run_id(), institution)?;
        rows.retain(|row| row.source_period == month);
        Ok(rows)
    }

    /// Fen a run published for lines of a month; none where it kept no lines.
    pub(super) fn published(
        kept: &Kept<'_>,
        run: &JobRun,
        month: Month,
        asked: &Asked<'_>,
    ) -> Result<Option<i64>, AnswerError> {
        let Some(bytes) = kept.archive.output(&run.recipe, LINES)? else { return Ok(None) };
        let book = read_lines(&bytes, month)?;
        let text = |code: u32| book.texts.text(code);
        let meant = book.lines.iter().filter(|line| {
            [line.key.institution, line.key.payee].map(text).contains(&asked.institution)
                && asked.item.is_none_or(|item| item == text(line.key.item))
                && run.names.is_of(&line.key.person)
        });
        // Their sum stood in a manifest: it does not overflow.
        Ok(Some(meant.map(|line| line.allocated_fen).fold(0, i64::saturating_add)))
    }

    /// The runs after the one that settled a month first.
    pub(super) fn after<'r>(&'r self, payer: &'r JobRun) -> impl Iterator<Item = &'r JobRun> {
        self.runs.iter().skip_while(|run| run.run_id() != payer.run_id()).skip(1)
    }

    /// Every month the job settled.
    pub(super) fn months(&self) -> BTreeSet<Month> {
        self.runs.iter().flat_map(JobRun::months).collect()
    }
}
