//! Why two runs of one period differ: every changed line by input, law and engine.
//!
//! A is settled again (A'), then with the deliveries and books of B under its own law (H), then B is
//! settled again (B'). Input is H - A', law is B' - H, engine is what published lines are beside the
//! same runs settled again: (A' - A) + (B - B'). So the parts of every line sum to B - A whatever the
//! lines are.

use super::archived::Archived;
use super::rerun::RerunError;
use crate::archive::{Archive, ArchiveError, Recipe};
use crate::domain::{CodeList, Month, Progress};
use crate::job::{Job, TableSpec};
use crate::law::{DiffOf, Rewritten, diff};
use crate::ledger::{Ledger, LedgerError};
use crate::publish::{CORRECTIONS, LINES, LineFileError, read_corrections, read_lines};
use crate::retro::{LineBook, LineKey, NO_TEXT};
use crate::settle::{self, Books, CALC_VERSION, SettleError};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Which two runs are compared.
#[derive(Debug, Clone, Copy)]
pub struct DifferenceQuestion<'a> {
    /// Archive.
    pub archive: &'a Archive,
    /// Ledger file; one that is not there is no ledger.
    pub ledger: &'a Path,
    /// Run id of A.
    pub before: &'a str,
    /// B.
    pub after: After<'a>,
    /// Threads; `None` = all cores.
    pub threads: Option<usize>,
}

/// What A is compared with.
#[derive(Debug, Clone, Copy)]
pub enum After<'a> {
    /// An archived run, by its id.
    Run(&'a str),
    /// What a job gives now.
    Job(&'a Job),
}

/// Fen of one line, or of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts {
    /// In A.
    pub before_fen: i64,
    /// In B.
    pub after_fen: i64,
    /// What the version of the calculation, or a changed file, makes of it.
    pub engine_fen: i64,
    /// What deliveries and earlier runs make of it.
    pub input_fen: i64,
    /// What law, calendar and settings make of it.
    pub law_fen: i64,
}

/// A line that differs, or whose parts do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DifferentLine {
    /// Service month; one before the period is a closed month that was corrected.
    pub month: Month,
    /// Identity, by the report's texts.
    pub key: LineKey,
    /// Its fen.
    pub parts: Parts,
}

/// A table whose files are others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DifferentTable {
    /// Table.
    pub table: String,
    /// Files only A read.
    pub before: Vec<String>,
    /// Files only B read.
    pub after: Vec<String>,
}

/// Why two runs differ.
#[derive(Debug)]
pub struct DifferenceReport {
    /// Run id of A.
    pub before: String,
    /// Run id of B.
    pub after: String,
    /// Texts behind the keys.
    pub texts: CodeList,
    /// Lines, in order of month, institution, item and the rest of the key.
    pub lines: Vec<DifferentLine>,
    /// Sums over all lines of both runs.
    pub totals: Parts,
    /// Clauses of notices known in one run and not in the other.
    pub notices: Vec<String>,
    /// Blocks of law that differ, by month.
    pub law: Vec<(Month, Rewritten)>,
    /// Tables whose files differ.
    pub tables: Vec<DifferentTable>,
    /// Whether they read other earlier runs of the ledger.
    pub earlier: bool,
    /// Versions of the calculation of A and B.
    pub versions: [String; 2],
}

impl DifferenceReport {
    /// Whether a run of our own version is not what settling it again gives: S30 does not hold, or a
    /// file was changed.
    #[must_use]
    pub fn engine_broken(&self) -> bool {
        self.versions.iter().all(|version| version == CALC_VERSION)
            && self.lines.iter().any(|line| line.parts.engine_fen != 0)
    }
}

/// Why two runs could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum DifferenceError {
    /// A run cannot be settled again.
    #[error(transparent)]
    Rerun(#[from] RerunError),
    /// They are no runs of one period.
    #[error(
        "the two runs have another {what}: {before} and {after}; expected the same; hint: compare \
         two drafts of one period, or a run with what its job gives now"
    )]
    Unlike {
        /// What differs.
        what: &'static str,
        /// In A.
        before: String,
        /// In B.
        after: String,
    },
    /// A run kept no lines.
    #[error(
        "run {run_id} kept no lines ({LINES}); hint: runs of a job with retro = false keep none"
    )]
    NoLines {
        /// The run.
        run_id: String,
    },
    /// A sum does not fit.
    #[error("a sum of the two runs does not fit 64 bits")]
    Overflow,
}

impl From<ArchiveError> for DifferenceError {
    fn from(error: ArchiveError) -> Self {
        RerunError::from(error).into()
    }
}

impl From<LedgerError> for DifferenceError {
    fn from(error: LedgerError) -> Self {
        RerunError::from(error).into()
    }
}

impl From<SettleError> for DifferenceError {
    fn from(error: SettleError) -> Self {
        RerunError::from(error).into()
    }
}

impl From<LineFileError> for DifferenceError {
    fn from(error: LineFileError) -> Self {
        SettleError::Lines(error).into()
    }
}

/// Settles A, A with the deliveries of B, and B, and attributes every difference.
///
/// # Errors
/// When a run cannot be settled again, or they are not of one job and period.
pub fn difference(
    asked: &DifferenceQuestion<'_>,
    progress: &mut dyn Progress,
) -> Result<DifferenceReport, DifferenceError> {
    let archive = asked.archive;
    let before = open(asked, asked.before)?;
    let after = match asked.after {
        After::Run(run_id) => Some(open(asked, run_id)?),
        After::Job(_) => None,
    };
    let after_job = match (asked.after, &after) {
        (After::Job(job), _) => job,
        (_, Some(after)) => &after.job,
        (After::Run(_), None) => &before.job,
    };
    same("job", &before.job.id, &after_job.id)?;
    // Pseudonyms of another key would make every line another one.
    let key = |job: &Job| settle::key_hash(job);
    same("key of the pseudonyms", &key(&before.job)?, &key(after_job)?)?;

    let before_again = settle(&before, progress)?;
    let after_again = match &after {
        Some(after) => settle(after, progress)?,
        None => settle::books(after_job, ledger(asked)?, progress)?,
    };
    same("period", &months(&before_again), &months(&after_again))?;
    // A table only the other law declares is for nobody here.
    let before_tables: BTreeSet<&str> =
        before.job.tables.iter().chain(&before.job.late).map(|spec| &*spec.table).collect();
    let declared = |spec: &&TableSpec| {
        before_tables.contains(&*spec.table) || crate::job::is_core(&spec.table)
    };
    let mixed = Job {
        tables: after_job.tables.iter().filter(declared).cloned().collect(),
        late: after_job.late.iter().filter(declared).cloned().collect(),
        known_on: after_job.known_on,
        law_known_on: Some(before.job.known_on),
        ..before.job.clone()
    };
    let books = ledger(asked)?.map(|ledger| ledger.recalling(after_again.recalled.clone()));
    let halfway = settle::books(&mixed, books, progress)?;

    let mut tally = Tally::default();
    published(&before, archive, &mut tally, Side::Before)?;
    tally.books(&before_again, Side::BeforeAgain)?;
    tally.books(&halfway, Side::Halfway)?;
    tally.books(&after_again, Side::AfterAgain)?;
    match &after {
        Some(after) => published(after, archive, &mut tally, Side::After)?,
        None => tally.books(&after_again, Side::After)?,
    }
    let (texts, lines, totals) = tally.attribute()?;
    let version = |of: &Recipe| of.calc_version.clone();
    let (notices, law) = law_differs(&before.job, after_job, &before_again, &after_again)?;
    Ok(DifferenceReport {
        before: asked.before.to_owned(),
        after: match asked.after {
            After::Run(run_id) => run_id.to_owned(),
            After::Job(_) => after_again.run_id.clone(),
        },
        texts,
        lines,
        totals,
        notices,
        law,
        tables: tables_differ(&before_again, &after_again),
        earlier: before_again.recalled.earlier != after_again.recalled.earlier,
        versions: [
            version(before.recipe()),
            after.as_ref().map_or_else(|| CALC_VERSION.to_owned(), |after| version(after.recipe())),
        ],
    })
}

fn open(asked: &DifferenceQuestion<'_>, run_id: &str) -> Result<Archived, RerunError> {
    Archived::open(asked.archive, asked.ledger, run_id, asked.threads)
}

fn settle(of: &Archived, progress: &mut dyn Progress) -> Result<Books, DifferenceError> {
    Ok(settle::books(&of.job, of.ledger()?, progress)?)
}

/// The lines and corrections of a run as they were published.
fn published(
    of: &Archived,
    archive: &Archive,
    tally: &mut Tally,
    side: Side,
) -> Result<(), DifferenceError> {
    let recipe = of.recipe();
    let no_lines = || DifferenceError::NoLines { run_id: recipe.run_id.clone() };
    let bytes = archive.output(recipe, LINES)?.ok_or_else(no_lines)?;
    for law in &recipe.law {
        tally.book(law.month, &read_lines(&bytes, law.month)?, side)?;
    }
    if let Some(bytes) = archive.output(recipe, CORRECTIONS)? {
        for row in read_corrections(&bytes)? {
            let key = row.key(|text| tally.texts.intern(text));
            // What is refunded stands there negated.
            let net = row.correction_fen.checked_add(row.refund_fen);
            tally.add(row.month, key, net, side)?;
        }
    }
    Ok(())
}

fn ledger(asked: &DifferenceQuestion<'_>) -> Result<Option<Ledger>, LedgerError> {
    asked.ledger.is_file().then(|| Ledger::open(asked.ledger)).transpose()
}

fn same(what: &'static str, before: &str, after: &str) -> Result<(), DifferenceError> {
    if before == after {
        return Ok(());
    }
    let (before, after) = (before.to_owned(), after.to_owned());
    Err(DifferenceError::Unlike { what, before, after })
}

fn months(books: &Books) -> String {
    let months: Vec<String> = books.months.iter().map(|(month, _)| month.to_string()).collect();
    months.join(", ")
}

/// Whose fen.
#[derive(Debug, Clone, Copy)]
enum Side {
    Before,
    BeforeAgain,
    Halfway,
    AfterAgain,
    After,
}

/// Fen of every identity on each side.
#[derive(Default)]
struct Tally {
    texts: CodeList,
    by_key: FxHashMap<(Month, LineKey), [i64; 5]>,
}

impl Tally {
    fn add(
        &mut self,
        month: Month,
        key: LineKey,
        fen: Option<i64>,
        side: Side,
    ) -> Result<(), DifferenceError> {
        let sum = &mut self.by_key.entry((month, key)).or_default()[side as usize];
        *sum = fen.and_then(|fen| sum.checked_add(fen)).ok_or(DifferenceError::Overflow)?;
        Ok(())
    }

    fn book(&mut self, month: Month, book: &LineBook, side: Side) -> Result<(), DifferenceError> {
        let codes = self.codes(&book.texts);
        for line in &book.lines {
            self.add(
                month,
                line.key.recoded(|code| code_of(&codes, code)),
                Some(line.allocated_fen),
                side,
            )?;
        }
        Ok(())
    }

    fn books(&mut self, books: &Books, side: Side) -> Result<(), DifferenceError> {
        for (month, book) in &books.months {
            self.book(*month, book, side)?;
        }
        for of in &books.corrections {
            let codes = self.codes(&of.texts);
            for change in &of.changes {
                let net = change.new_fen().checked_sub(change.old_fen());
                self.add(of.month, change.key.recoded(|code| code_of(&codes, code)), net, side)?;
            }
        }
        Ok(())
    }

    /// Our codes of another list's texts.
    fn codes(&mut self, texts: &CodeList) -> Vec<u32> {
        texts.texts().iter().map(|text| self.texts.intern(text)).collect()
    }

    /// The lines with a part that is not zero, in order, and the sums of all.
    fn attribute(self) -> Result<(CodeList, Vec<DifferentLine>, Parts), DifferenceError> {
        let mut totals = Parts::default();
        let mut lines = Vec::new();
        for ((month, key), fen) in self.by_key {
            let parts = parts(fen).ok_or(DifferenceError::Overflow)?;
            totals = plus(totals, parts).ok_or(DifferenceError::Overflow)?;
            if [parts.engine_fen, parts.input_fen, parts.law_fen] != [0; 3] {
                lines.push(DifferentLine { month, key, parts });
            }
        }
        let texts = self.texts;
        let text = |code: u32| texts.text(code);
        let order = |line: &DifferentLine| {
            let key = line.key;
            (
                line.month,
                [key.institution, key.payee, key.item, key.basis].map(text),
                key.person,
                [key.row_key, key.age_class, key.service].map(text),
                (key.from, key.until),
            )
        };
        lines.sort_by(|a, b| order(a).cmp(&order(b)));
        Ok((texts, lines, totals))
    }
}

fn parts([before, before_again, halfway, after_again, after]: [i64; 5]) -> Option<Parts> {
    let then = before_again.checked_sub(before)?;
    let now = after.checked_sub(after_again)?;
    Some(Parts {
        before_fen: before,
        after_fen: after,
        engine_fen: then.checked_add(now)?,
        input_fen: halfway.checked_sub(before_again)?,
        law_fen: after_again.checked_sub(halfway)?,
    })
}

fn plus(a: Parts, b: Parts) -> Option<Parts> {
    Some(Parts {
        before_fen: a.before_fen.checked_add(b.before_fen)?,
        after_fen: a.after_fen.checked_add(b.after_fen)?,
        engine_fen: a.engine_fen.checked_add(b.engine_fen)?,
        input_fen: a.input_fen.checked_add(b.input_fen)?,
        law_fen: a.law_fen.checked_add(b.law_fen)?,
    })
}

fn code_of(codes: &[u32], code: u32) -> u32 {
    codes.get(code as usize).copied().unwrap_or(NO_TEXT)
}

/// Notices of one side alone, and blocks by month.
type LawDiffers = (Vec<String>, Vec<(Month, Rewritten)>);

fn law_differs(
    before: &Job,
    after: &Job,
    before_books: &Books,
    after_books: &Books,
) -> Result<LawDiffers, DifferenceError> {
    let book = settle::load_law(after)?;
    let mut blocks = Vec::new();
    for ((month, was), (_, is)) in before_books.law.iter().zip(&after_books.law) {
        blocks.extend(book.rewritten(was, is).into_iter().map(|of| (*month, of)));
    }
    let (from, until) = (before.known_on, after.known_on);
    let found = if from <= until {
        diff(&book, &DiffOf::Known { after: from, until })
    } else {
        diff(&settle::load_law(before)?, &DiffOf::Known { after: until, until: from })
    };
    let last = before_books.months.last().map(|(month, _)| month.last());
    let notices: BTreeSet<String> = found
        .changes
        .into_iter()
        .filter(|change| last.is_none_or(|last| change.from <= last))
        .map(|change| change.clause)
        .collect();
    Ok((notices.into_iter().collect(), blocks))
}

fn tables_differ(before: &Books, after: &Books) -> Vec<DifferentTable> {
    let read = |books: &Books| {
        let mut tables: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
        for file in &books.files {
            let name = (file.sha256.clone(), file.name.to_string());
            tables.entry(file.table.to_string()).or_default().insert(name);
        }
        tables
    };
    let (before, after) = (read(before), read(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let none = BTreeSet::new();
    let mut differ = Vec::new();
    for table in names {
        let was = before.get(table).unwrap_or(&none);
        let is = after.get(table).unwrap_or(&none);
        let alone = |of: &BTreeSet<(String, String)>, other: &BTreeSet<(String, String)>| {
            of.difference(other).map(|(_, name)| name.clone()).collect::<Vec<String>>()
        };
        let (before, after) = (alone(was, is), alone(is, was));
        if !(before.is_empty() && after.is_empty()) {
            differ.push(DifferentTable { table: table.clone(), before, after });
        }
    }
    differ
}
