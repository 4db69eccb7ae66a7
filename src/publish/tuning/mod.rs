//! The files of a tune job (FORMATS 5): `scenarios.csv` and `.parquet`, `net_fees.csv`, `overruns.csv`,
//! `deltas.parquet`, `solutions.csv`, `frontier.csv`, `sensitivity.csv`, `overlay.toml`,
//! `summary.json`, `report.html`.
//!
//! In: [`Tuning`]. Every scenario that was answered is one row, in the order of the job; what is
//! assumed stands on every file.

mod page;
mod page_answers;
mod scenarios;
mod searches;
mod summary;

use super::{Closed, Contents, Draft, InputFile, Manifest, PublishError, write_bytes, write_sheet};
use crate::domain::texts::Language;
use crate::domain::{Institution, Month, Outcome};
use std::collections::BTreeMap;
use std::io::BufWriter;
use std::sync::Arc;

/// The overlay that was chosen, as a job reads it.
const OVERLAY: &str = "overlay.toml";

/// Everything the files of a tune job are made of.
#[derive(Debug)]
pub struct Tuning {
    /// Job id.
    pub job_id: String,
    /// Title for people.
    pub title: String,
    /// Content hash of the tuning.
    pub tune_id: String,
    /// Version of the calculation.
    pub calc_version: String,
    /// Pinned months in order.
    pub months: Vec<Month>,
    /// Law and deliveries of the last pinned period as known on this day.
    pub known_on: String,
    /// Packs in layer order.
    pub packs: Vec<String>,
    /// Whether an invented pack took part.
    pub is_sample: bool,
    /// Hash of the law of the baseline.
    pub law_sha256: String,
    /// Files read.
    pub inputs: Vec<InputFile>,
    /// What is assumed, each with its source.
    pub assumed: Vec<Assumption>,
    /// Institutions, in order of id.
    pub institutions: Vec<Institution>,
    /// What people call items and guide prices, by id.
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
    /// The law as it is.
    pub baseline: Outcome,
    /// Scenarios answered, in the order of the job.
    pub scenarios: Vec<ScenarioRow>,
    /// Scenarios the job asks for: more than were answered where somebody stopped it.
    pub asked: usize,
    /// Questions and ranges that were not gone into because somebody stopped it.
    pub unanswered: usize,
    /// Grids and draws.
    pub families: Vec<Family>,
    /// Best values.
    pub solutions: Vec<Solution>,
    /// Best values along another range.
    pub frontiers: Vec<FrontierOf>,
    /// Ranges moved one at a time.
    pub moved: Vec<Moved>,
    /// Name and overlay of what was chosen.
    pub chosen: Option<(String, String)>,
    /// Rows of the table of the worst-hit institutions.
    pub worst: usize,
    /// Language of the page.
    pub language: Language,
}

/// Something assumed, as it stands on every file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assumption {
    /// `growth`, `response`, `fees`, `net_of`, `planned`.
    pub what: &'static str,
    /// Its value.
    pub value: String,
    /// Where it is from; empty for a setting of the job.
    pub source: String,
}

/// Ranges that scenarios share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family {
    /// Id of the grid or draw.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// Whether it holds every combination.
    pub is_grid: bool,
    /// Names of the ranges.
    pub axes: Vec<String>,
    /// Values of each range, as read by people.
    pub values: Vec<Vec<String>>,
}

/// One scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioRow {
    /// Id.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// Grid or draw it belongs to, or empty.
    pub family: String,
    /// Places on the ranges of the family.
    pub places: Vec<usize>,
    /// What it lays over the law.
    pub overlay: String,
    /// Its figures, or why it has none.
    pub outcome: Result<Outcome, String>,
}

/// The best value of a range, with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solution {
    /// Id of the question.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// Name of the range.
    pub range: String,
    /// `highest` or `lowest`.
    pub want: &'static str,
    /// What must hold: `cost_at_most`, `within_budget_lines`, `breaches_at_most`, `net_fee_at_most`.
    pub condition: &'static str,
    /// The number it is held against: fen, or institutions.
    pub target: i64,
    /// What came of it.
    pub found: Found,
    /// Values tried.
    pub tried: usize,
}

/// What came of a question for the best value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The best value, and the neighbour that fails where the range has one.
    Best {
        /// The value.
        value: String,
        /// Its figure.
        figure: i64,
        /// The overlay that sets it.
        overlay: String,
        /// All figures at it.
        outcome: Box<Outcome>,
        /// The next value in the direction wanted, and its figure.
        beyond: Option<(String, i64)>,
    },
    /// The condition fails at every value: the end where it is nearest to hold, and its figure.
    Never {
        /// The value.
        value: String,
        /// Its figure.
        figure: i64,
    },
    /// The figure does not go one way along the range, so that halving it proves nothing.
    NotMonotone {
        /// Values and figures tried, in order of the range.
        tried: Vec<(String, i64)>,
    },
    /// A value has no figures.
    Failed {
        /// Why.
        reason: String,
    },
}

/// Best values along another range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontierOf {
    /// Id.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// Name of the range walked.
    pub along: String,
    /// Value of the range walked, and the best of the other there.
    pub points: Vec<(String, Solution)>,
}

/// One range moved alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Name of the range.
    pub range: String,
    /// Its values with the figures at each, or why there are none.
    pub points: Vec<(String, Result<Outcome, String>)>,
}

impl Tuning {
    /// Whether somebody stopped it before its end.
    #[must_use]
    pub const fn is_partial(&self) -> bool {
        self.scenarios.len() < self.asked || self.unanswered > 0
    }

    /// What is assumed, in one cell.
    fn assumed_text(&self) -> String {
        let told = |of: &Assumption| {
            let source = if of.source.is_empty() { "" } else { &format!(" ({})", of.source) };
            format!("{} = {}{source}", of.what, of.value)
        };
        self.assumed.iter().map(told).collect::<Vec<_>>().join("; ")
    }

    /// The manifest, its outputs still empty.
    #[must_use]
    pub fn manifest(&self) -> Manifest {
        let last = self.months.last().map(ToString::to_string);
        Manifest {
            format: super::MANIFEST_FORMAT,
            run_id: self.tune_id.clone(),
            job: self.job_id.clone(),
            period: last.unwrap_or_default(),
            months: self.months.iter().map(ToString::to_string).collect(),
            calc_version: self.calc_version.clone(),
            known_on: self.known_on.clone(),
            packs: self.packs.clone(),
            inputs: self.inputs.clone(),
            law_sha256: self.law_sha256.clone(),
            ..Manifest::default()
        }
    }
}

/// Writes every file into the draft; the caller seals it with [`Tuning::manifest`].
///
/// # Errors
/// When a file cannot be written.
pub fn write(of: &Tuning, draft: &mut Draft) -> Result<(), PublishError> {
    let table = scenarios::table(of);
    let mut files: Vec<Closed> = vec![
        write_sheet(&table, draft)?,
        write_parquet("scenarios.parquet", draft, |to| {
            super::parquet::write(&table, to).map(drop)
        })?,
        write_sheet(&scenarios::net_fees(of), draft)?,
        write_sheet(&scenarios::overruns(of), draft)?,
        write_parquet("deltas.parquet", draft, |to| scenarios::write_deltas(of, to))?,
        write_sheet(&searches::solutions(of), draft)?,
        write_sheet(&searches::frontier(of), draft)?,
        write_sheet(&searches::sensitivity(of), draft)?,
        write_bytes("summary.json", summary::text(of).as_bytes(), draft)?,
    ];
    let text = page::page(of, of.language);
    files.push(write_bytes("report.html", text.as_bytes(), draft)?);
    if let Some((name, overlay)) = &of.chosen {
        let text = summary::overlay(of, name, overlay);
        files.push(write_bytes(OVERLAY, text.as_bytes(), draft)?);
    }
    for (file, contents) in files {
        draft.close(file, contents);
    }
    Ok(())
}

/// Writes one Parquet file of the draft.
fn write_parquet(
    name: &str,
    draft: &Draft,
    of: impl FnOnce(BufWriter<&mut super::HashedFile>) -> std::io::Result<()>,
) -> Result<Closed, PublishError> {
    let mut file = draft.open(name)?;
    of(BufWriter::with_capacity(1 << 20, &mut file)).map_err(PublishError::write(name))?;
    file.start_sync();
    Ok((file, Contents::default()))
}
