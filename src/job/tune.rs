//! A job of kind `tune`: a baseline, and what is laid over its law (`docs/tune.md`).

use super::axis::{self, Axis, decimal, place};
use super::toml_walk::{Section, Text, parse_month};
use super::{Job, JobError, LedgerChoice, Overrides, read};
use crate::domain::texts::Language;
use crate::domain::{Date, Fen, Month};
use crate::law::quoted;
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::DeValue;

pub(super) const TOP: [&str; 21] = [
    "id",
    "kind",
    "title",
    "baseline",
    "periods",
    "period",
    "planned",
    "planned_from",
    "fees",
    "net_of",
    "scenario",
    "grid",
    "drawn",
    "solve",
    "frontier",
    "sensitivity",
    "assumptions",
    "chosen",
    "worst",
    "out",
    "language",
];

/// Keys of the parts.
pub(super) const SCENARIO: [&str; 5] = ["id", "title", "overlay", "set", "planned"];
pub(super) const GRID: [&str; 4] = ["id", "title", "axes", "planned"];
pub(super) const DRAWN: [&str; 6] = ["id", "title", "axes", "planned", "count", "seed"];
pub(super) const SOLVE: [&str; 5] = ["id", "title", "range", "want", "price"];
pub(super) const FRONTIER: [&str; 6] = ["id", "title", "range", "along", "want", "price"];

/// Most scenarios of one job.
const MOST_SCENARIOS: usize = 100_000;

/// A tune job with every default resolved.
#[derive(Debug, Clone)]
pub struct TuneJob {
    /// Id.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// The baseline job, once a pinned period, each a trial without ledger and archive.
    pub jobs: Vec<Job>,
    /// Whether planned notices count as adopted in the baseline already.
    pub planned: bool,
    /// A day from which planned notices are in force already where they count as adopted.
    pub planned_from: Option<Date>,
    /// Whether families are charged no more than the ceilings of a scenario.
    pub to_ceiling: bool,
    /// Items that lower what families pay; `None`: every item of a child that is paid in money.
    pub net_of: Option<Vec<String>>,
    /// Scenarios as written.
    pub scenarios: Vec<Listed>,
    /// Grids.
    pub grids: Vec<Combined>,
    /// Draws.
    pub drawn: Vec<Drawn>,
    /// Questions for the best value.
    pub solves: Vec<Solve>,
    /// Questions for the best value at each value of another.
    pub frontiers: Vec<Frontier>,
    /// Ranges moved one at a time.
    pub sensitivity: Vec<Axis>,
    /// Assumptions, each with its source.
    pub assumptions: Assumptions,
    /// Id of the scenario or solution whose overlay is written.
    pub chosen: Option<String>,
    /// Rows of the table of the worst-hit institutions.
    pub worst: usize,
    /// Folder of the results.
    pub out: PathBuf,
    /// Language of the page.
    pub language: Language,
    /// Worker threads; `None` = all cores.
    pub threads: Option<usize>,
    /// Everything that may change a byte of the outputs, as text.
    pub canonical: String,
}

/// A scenario as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Id.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// Overlays: name and TOML text, in order.
    pub overlays: Vec<(String, String)>,
    /// Whether planned notices count as adopted.
    pub planned: bool,
}

/// All combinations of ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combined {
    /// Id; scenarios are `ID.1`, `ID.2` …, the first range slowest.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// Ranges.
    pub axes: Vec<Axis>,
    /// Whether planned notices count as adopted.
    pub planned: bool,
}

/// Combinations drawn by lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// The ranges drawn from; every value of a range is as likely as another.
    pub of: Combined,
    /// How many.
    pub count: usize,
    /// Where the lot starts.
    pub seed: u64,
}

/// What must hold of a scenario's figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The cost of all pinned months is at most this.
    CostAtMost(Fen),
    /// No budget line is drawn beyond its balance.
    WithinBudgetLines,
    /// At most so many months of institutions charge above the ceiling of a guide price.
    BreachesAtMost {
        /// How many.
        most: u64,
        /// Guide price; `None`: all of them together.
        price: Option<String>,
    },
    /// What families pay on average is at most this.
    NetFeeAtMost(Fen),
}

/// The highest or lowest value of a range for which a condition holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solve {
    /// Id.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// The range.
    pub axis: Axis,
    /// The highest value is wanted; else the lowest.
    pub highest: bool,
    /// What must hold.
    pub condition: Condition,
}

/// A best value at each value of another range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontier {
    /// The range walked.
    pub along: Axis,
    /// The question asked at each of its values.
    pub solve: Solve,
}

/// What is assumed of the world; nothing unless the job says so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assumptions {
    /// Growth of enrolment.
    pub growth: Option<Assumed>,
    /// Change of enrolment by what families pay: percent of children a percent of net fee.
    pub response: Option<Assumed>,
}

/// An assumed number and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assumed {
    /// Growth in percent, or the elasticity.
    pub value: Decimal,
    /// Source: a paper, a survey, a person.
    pub source: String,
}

/// Reads a tune job and resolves every default.
///
/// # Errors
/// When the file is not there, is not TOML, has an unknown key or a value out of bounds, or names a
/// baseline job that cannot be read.
pub fn read_tune(path: &Path, overrides: &Overrides) -> Result<TuneJob, JobError> {
    let file = path.display().to_string();
    let bytes = std::fs::read_to_string(path)
        .map_err(|source| JobError::Unreadable { file: file.clone(), source })?;
    let text = Text { file: &file, text: &bytes };
    let parsed = text.parse()?;
    let top = Section::new(text, "", parsed.get_ref(), &TOP)?;
    let id = read::id(&top)?;
    let baseline = PathBuf::from(top.string("baseline")?.ok_or_else(|| JobError::Unset {
        file: file.clone(),
        key: "baseline",
        hint: "name the settle job whose law is tuned, baseline = \"jobs/….toml\"",
    })?);
    let jobs = jobs(&top, &baseline, overrides)?;
    let to_ceiling = match top.string("fees")?.as_deref() {
        None | Some("as_filed") => false,
        Some("to_ceiling") => true,
        Some(other) => {
            let message = format!("fees is {other:?}; expected \"as_filed\" or \"to_ceiling\"");
            return Err(text.wrong(place(&top, "fees"), message));
        }
    };
    let out = match &overrides.out {
        Some(out) => out.clone(),
        None => top.string("out")?.unwrap_or_else(|| format!("out/{id}")).into(),
    };
    let net_of = top.strings("net_of")?;
    let mut job = TuneJob {
        title: top.string("title")?.unwrap_or_else(|| id.clone()),
        planned: top.truth("planned")?.unwrap_or(false),
        planned_from: top.date("planned_from")?,
        to_ceiling,
        net_of: net_of.map(|items| items.into_iter().map(Spanned::into_inner).collect()),
        scenarios: scenarios(&top)?,
        grids: grids(&top)?,
        drawn: drawn(&top)?,
        solves: solves(&top)?,
        frontiers: frontiers(&top)?,
        sensitivity: sensitivity(&top)?,
        assumptions: assumptions(&top)?,
        chosen: top.string("chosen")?,
        worst: usize::try_from(top.integer("worst", 1..=1000)?.unwrap_or(20)).unwrap_or(20),
        out,
        language: read::language(&top, overrides)?,
        threads: overrides.threads.filter(|threads| *threads > 0),
        canonical: String::new(),
        jobs,
        id,
    };
    bounded(&job, text)?;
    unique(&job, text)?;
    let own = text.text.replace("\r\n", "\n");
    let overlays: Vec<&str> =
        job.scenarios.iter().flat_map(|of| &of.overlays).map(|(_, text)| text.as_str()).collect();
    let jobs: Vec<&str> = job.jobs.iter().map(|job| job.canonical.as_str()).collect();
    job.canonical = serde_json::json!({
        "tune": own, "overlays": overlays, "baseline": jobs, "language": job.language.tag(),
    })
    .to_string();
    Ok(job)
}

/// The baseline job of each pinned period, as a trial.
fn jobs(top: &Section<'_>, baseline: &Path, overrides: &Overrides) -> Result<Vec<Job>, JobError> {
    let mut periods: Vec<Option<Month>> = Vec::new();
    if overrides.period.is_some() {
        periods.push(overrides.period);
    } else {
        for period in top.strings("periods")?.unwrap_or_default() {
            let span = period.span();
            periods.push(Some(parse_month(top.text, span, "periods", period.get_ref())?));
        }
        if periods.is_empty() {
            periods.push(top.month("period")?);
        }
    }
    if periods.windows(2).any(|pair| pair[0] >= pair[1]) {
        let message = "periods stand in order, each once".to_owned();
        return Err(top.text.wrong(place(top, "periods"), message));
    }
    let of = |period: &Option<Month>| {
        let own = Overrides {
            period: *period,
            ledger: Some(LedgerChoice::None),
            out: None,
            ..overrides.clone()
        };
        read::read(baseline, &own)
    };
    periods.iter().map(of).collect()
}

/// Id and title of a part of the job; ids end up in file cells and on pages.
fn head(section: &Section<'_>) -> Result<(String, String), JobError> {
    let id = section.required("id", 0..0)?;
    let legal = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    if id.is_empty() || id.chars().count() > 64 || !id.chars().all(legal) {
        let message =
            format!("{}.id is {id:?}; expected at most 64 letters, digits, - and _", section.path);
        return Err(section.text.wrong(place(section, "id"), message));
    }
    let title = section.string("title")?.unwrap_or_else(|| id.clone());
    Ok((id, title))
}

fn scenarios(top: &Section<'_>) -> Result<Vec<Listed>, JobError> {
    let mut all = Vec::new();
    for section in top.sections("scenario", &SCENARIO)? {
        let (id, title) = head(&section)?;
        let mut overlays = Vec::new();
        for path in section.strings("overlay")?.unwrap_or_default() {
            let text = std::fs::read_to_string(path.get_ref())
                .map_err(|source| JobError::Unreadable { file: path.get_ref().clone(), source })?;
            overlays.push((path.into_inner(), text));
        }
        if let Some(set) = section.get("set") {
            let DeValue::Table(_) = set.get_ref() else {
                let message = format!("scenario {id}: set is no table of path = value");
                return Err(section.text.wrong(set.span(), message));
            };
            let mut text = String::new();
            flat(set.get_ref(), &mut text);
            overlays.push((format!("{id}.set"), text));
        }
        let planned = section.truth("planned")?.unwrap_or(false);
        all.push(Listed { id, title, overlays, planned });
    }
    Ok(all)
}

/// `set` of a scenario as the text of an overlay.
fn flat(table: &DeValue<'_>, text: &mut String) {
    let DeValue::Table(entries) = table else { return };
    for (key, value) in entries {
        let line = format!("{} = {}\n", quoted(key.get_ref()), written(value.get_ref()));
        text.push_str(&line);
    }
}

/// A value as TOML writes it.
fn written(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quoted(text),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(date) => date.to_string(),
        DeValue::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| written(item.get_ref())).collect();
            format!("[{}]", items.join(", "))
        }
        DeValue::Table(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| {
                    format!("{} = {}", quoted(key.get_ref()), written(value.get_ref()))
                })
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

fn axes(section: &Section<'_>) -> Result<Vec<Axis>, JobError> {
    let axes: Result<Vec<Axis>, JobError> =
        section.sections("axes", &axis::KEYS)?.iter().map(axis::read).collect();
    let axes = axes?;
    if axes.is_empty() {
        let message = format!("{} has no axes; expected at least one range", section.path);
        return Err(section.text.wrong(place(section, "axes"), message));
    }
    Ok(axes)
}

fn combined(section: &Section<'_>) -> Result<Combined, JobError> {
    let (id, title) = head(section)?;
    let planned = section.truth("planned")?.unwrap_or(false);
    Ok(Combined { id, title, axes: axes(section)?, planned })
}

fn grids(top: &Section<'_>) -> Result<Vec<Combined>, JobError> {
    top.sections("grid", &GRID)?.iter().map(combined).collect()
}

fn drawn(top: &Section<'_>) -> Result<Vec<Drawn>, JobError> {
    let most = i64::try_from(MOST_SCENARIOS).unwrap_or(i64::MAX);
    let one = |section: &Section<'_>| {
        let count = section.integer("count", 1..=most)?.unwrap_or(100);
        let seed = section.integer("seed", 0..=i64::MAX)?.unwrap_or(0);
        Ok(Drawn {
            of: combined(section)?,
            count: usize::try_from(count).unwrap_or(0),
            seed: seed.unsigned_abs(),
        })
    };
    top.sections("drawn", &DRAWN)?.iter().map(one).collect()
}

pub(super) const CONDITIONS: [&str; 4] =
    ["cost_at_most", "within_budget_lines", "breaches_at_most", "net_fee_at_most"];

fn condition(section: &Section<'_>) -> Result<Condition, JobError> {
    let money = |key: &str| -> Result<Option<Fen>, JobError> {
        let Some(text) = section.string(key)? else { return Ok(None) };
        let wrong = |_| {
            let message = format!("{key} is {text:?}; expected yuan such as \"120000.00\"");
            section.text.wrong(place(section, key), message)
        };
        Fen::parse(&text).map(Some).map_err(wrong)
    };
    let mut found = Vec::new();
    found.extend(money("cost_at_most")?.map(Condition::CostAtMost));
    found.extend(money("net_fee_at_most")?.map(Condition::NetFeeAtMost));
    if section.truth("within_budget_lines")?.unwrap_or(false) {
        found.push(Condition::WithinBudgetLines);
    }
    let breaches = section.integer("breaches_at_most", 0..=i64::MAX)?;
    let price = section.string("price")?;
    if price.is_some() && breaches.is_none() {
        let message = "price belongs to breaches_at_most".to_owned();
        return Err(section.text.wrong(place(section, "price"), message));
    }
    found.extend(
        breaches.map(|most| Condition::BreachesAtMost { most: most.unsigned_abs(), price }),
    );
    match <[Condition; 1]>::try_from(found) {
        Ok([one]) => Ok(one),
        Err(found) => {
            let message = format!(
                "{} has {} conditions; expected one of {}",
                section.path,
                found.len(),
                CONDITIONS.join(", ")
            );
            Err(section.text.wrong(place(section, "want"), message))
        }
    }
}

fn solve(section: &Section<'_>) -> Result<Solve, JobError> {
    let (id, title) = head(section)?;
    let highest = match section.string("want")?.as_deref() {
        Some("highest") => true,
        Some("lowest") => false,
        other => {
            let found = other.unwrap_or("missing");
            let message = format!("want is {found:?}; expected \"highest\" or \"lowest\"");
            return Err(section.text.wrong(place(section, "want"), message));
        }
    };
    let axis = one_axis(section, "range")?;
    Ok(Solve { id, title, axis, highest, condition: condition(section)? })
}

/// A range in a table of its own.
fn one_axis(section: &Section<'_>, key: &str) -> Result<Axis, JobError> {
    let span = place(section, key);
    if let Some(DeValue::Table(table)) = section.get(key).map(Spanned::get_ref) {
        return axis::read(&Section::new(section.text, key, table, &axis::KEYS)?);
    }
    let example = "{ path = \"…\", from = \"…\", to = \"…\", step = \"…\" }";
    let message = format!("{}.{key} is no range; expected {key} = {example}", section.path);
    Err(section.text.wrong(span, message))
}

fn solves(top: &Section<'_>) -> Result<Vec<Solve>, JobError> {
    let keys = [&SOLVE[..], &CONDITIONS].concat();
    top.sections("solve", &keys)?.iter().map(solve).collect()
}

fn frontiers(top: &Section<'_>) -> Result<Vec<Frontier>, JobError> {
    let keys = [&FRONTIER[..], &CONDITIONS].concat();
    let one = |section: &Section<'_>| {
        Ok(Frontier { along: one_axis(section, "along")?, solve: solve(section)? })
    };
    top.sections("frontier", &keys)?.iter().map(one).collect()
}

fn sensitivity(top: &Section<'_>) -> Result<Vec<Axis>, JobError> {
    top.sections("sensitivity", &axis::KEYS)?.iter().map(axis::read).collect()
}

fn assumptions(top: &Section<'_>) -> Result<Assumptions, JobError> {
    let Some(value) = top.get("assumptions") else { return Ok(Assumptions::default()) };
    let DeValue::Table(table) = value.get_ref() else {
        let message = "assumptions is no table".to_owned();
        return Err(top.text.wrong(value.span(), message));
    };
    let section = Section::new(top.text, "assumptions", table, &["growth", "response"])?;
    let one = |key: &str, number: &str| -> Result<Option<Assumed>, JobError> {
        let Some(value) = section.get(key) else { return Ok(None) };
        let DeValue::Table(table) = value.get_ref() else {
            let message = format!(
                "assumptions.{key} is no table; expected {{ {number} = \"…\", source = \"…\" }}"
            );
            return Err(top.text.wrong(value.span(), message));
        };
        let own = Section::new(top.text, "assumptions", table, &[number, "source"])?;
        let missing = |what: &str| {
            let message = format!("assumptions.{key} has no {what}; an assumption states both");
            top.text.wrong(value.span(), message)
        };
        let source = own.string("source")?.filter(|source| !source.trim().is_empty());
        Ok(Some(Assumed {
            value: decimal(&own, number)?.ok_or_else(|| missing(number))?,
            source: source.ok_or_else(|| missing("source"))?,
        }))
    };
    let found =
        Assumptions { growth: one("growth", "percent")?, response: one("response", "elasticity")? };
    let hundred = Decimal::from(100);
    if found.growth.as_ref().is_some_and(|growth| growth.value.abs() > hundred) {
        let message = "assumptions.growth.percent is beyond -100 to 100".to_owned();
        return Err(top.text.wrong(place(&section, "growth"), message));
    }
    Ok(found)
}

/// A job that asks for more scenarios than anyone reads is a mistake.
fn bounded(job: &TuneJob, text: Text<'_>) -> Result<(), JobError> {
    let product = |grid: &Combined| {
        grid.axes.iter().try_fold(1_usize, |all, axis| all.checked_mul(axis.values.len()))
    };
    let mut all = job.scenarios.len();
    for count in job.grids.iter().map(product).chain(job.drawn.iter().map(|d| Some(d.count))) {
        all = count.and_then(|count| all.checked_add(count)).unwrap_or(usize::MAX);
    }
    if all > MOST_SCENARIOS {
        let message = format!("the job asks for more than {MOST_SCENARIOS} scenarios");
        return Err(text.wrong(0..0, message));
    }
    Ok(())
}

/// Ids name scenarios and solutions in one list.
fn unique(job: &TuneJob, text: Text<'_>) -> Result<(), JobError> {
    let listed = job.scenarios.iter().map(|of| &of.id);
    let grids = job.grids.iter().map(|of| &of.id);
    let drawn = job.drawn.iter().map(|of| &of.of.id);
    let solves = job.solves.iter().map(|of| &of.id);
    let frontiers = job.frontiers.iter().map(|of| &of.solve.id);
    let mut known = BTreeSet::from(["baseline"]);
    for id in listed.chain(grids).chain(drawn).chain(solves).chain(frontiers) {
        if !known.insert(id) {
            let message = format!("two parts of the job are called {id:?}; ids differ");
            return Err(text.wrong(0..0, message));
        }
    }
    Ok(())
}
