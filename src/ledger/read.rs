//! Reading the books: what stands, what was posted before, the year to date.

use super::rows::keys;
use super::{ClaimedLine, Ledger, LedgerError, chain};
use crate::allocation::PostedLine;
use crate::domain::{Date, Month};
use rusqlite::{Connection, OptionalExtension, Row, params};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunState {
    /// Settled; a new run of the period replaces it.
    Draft,
    /// A second person has approved it.
    Approved,
    /// Its payments have gone out.
    Released,
    /// The bank has answered all of them.
    Answered,
    /// Its month is closed.
    Closed,
}

impl RunState {
    /// All states in order.
    pub const ALL: [Self; 5] =
        [Self::Draft, Self::Approved, Self::Released, Self::Answered, Self::Closed];

    /// The word in the store and in outputs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Approved => "approved",
            Self::Released => "released",
            Self::Answered => "answered",
            Self::Closed => "closed",
        }
    }

    /// The state of a word in the store.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// A run that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunHead {
    /// Number in this ledger.
    pub(super) run_no: i64,
    /// Run id.
    pub run_id: String,
    /// Job id.
    pub job_id: String,
    /// Period.
    pub period: Month,
    /// Where it stands.
    pub state: RunState,
    /// Version of the calculation.
    pub calc_version: String,
    /// Hash of the law snapshot.
    pub law_hash: String,
    /// Hash of the manifest.
    pub manifest_hash: String,
    /// Law and deliveries as known on this day.
    pub known_on: Date,
}

/// One institution in one period, for the comparison of periods.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InstitutionMonth {
    /// Institution id as delivered.
    pub institution_id: Arc<str>,
    /// Children enrolled.
    pub headcount: i64,
    /// Slots open.
    pub slots: i64,
    /// Fen.
    pub amount_fen: i64,
}

/// The latest earlier period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// The period.
    pub period: Month,
    /// Its run.
    pub run_id: String,
    /// Its institutions, sorted by id.
    pub institutions: Vec<InstitutionMonth>,
}

/// Payable fen of a calendar year's earlier periods.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct YearToDate {
    /// By institution id.
    pub by_institution: BTreeMap<String, i64>,
    /// By item.
    pub by_item: BTreeMap<String, i64>,
    /// By funding source.
    pub by_source: BTreeMap<String, i64>,
    /// By 指标文号.
    pub by_budget_doc_no: BTreeMap<String, i64>,
    /// All of it.
    pub total: i64,
}

impl Ledger {
    /// The run that stands for a period of a job.
    ///
    /// # Errors
    /// When the store fails.
    pub fn find(&self, job_id: &str, period: Month) -> Result<Option<RunHead>, LedgerError> {
        find(&self.connection, job_id, period).map_err(|source| self.store(source))
    }

    /// The runs that stand for the periods of a job before `before`, in order of period.
    ///
    /// # Errors
    /// When the store fails.
    pub fn standing(&self, job_id: &str, before: Month) -> Result<Vec<RunHead>, LedgerError> {
        if let Some(recalled) = &self.recalled {
            return recalled.earlier.iter().map(|run_id| self.run(run_id)).collect();
        }
        standing(&self.connection, job_id, month_number(before))
            .map_err(|source| self.store(source))
    }

    /// Of these, the runs that are released or further. All that [`Ledger::posted`] and
    /// [`Ledger::year_to_date`] tell follows from their ids.
    ///
    /// # Errors
    /// When the store fails.
    pub fn released(&self, job_id: &str, before: Month) -> Result<Vec<RunHead>, LedgerError> {
        let mut runs = self.standing(job_id, before)?;
        // What a past run read was released then, whatever became of it.
        runs.retain(|run| run.state.is_released() || self.recalled.is_some());
        Ok(runs)
    }

    /// Of these, the runs whose months are closed: retro covers them and no others (S23).
    ///
    /// # Errors
    /// When the store fails.
    pub fn closed(&self, job_id: &str, before: Month) -> Result<Vec<RunHead>, LedgerError> {
        let mut runs = self.standing(job_id, before)?;
        runs.retain(|run| match &self.recalled {
            Some(recalled) => recalled.closed.contains(&run.run_id),
            None => run.state == RunState::Closed,
        });
        Ok(runs)
    }

    /// The lines of the released runs of earlier periods, in order of period and line number.
    /// Drafts and approvals never enter (S29).
    ///
    /// # Errors
    /// When the store fails.
    pub fn posted(&self, job_id: &str, before: Month) -> Result<Vec<PostedLine>, LedgerError> {
        let mut lines = Vec::new();
        // A year of a province has a million lines and few texts.
        let mut texts = FxHashSet::default();
        for run in self.released(job_id, before)? {
            let posted = self.rows(
                "SELECT source_period, institution_id, item, line_kind, source, payable_fen,
                        budget_doc_no
                 FROM schedule_lines WHERE line BETWEEN ?1 AND ?2 ORDER BY line",
                keys(run.run_no),
                |row| {
                    let mut text = |column| shared(&mut texts, row, column);
                    Ok(PostedLine {
                        period: run.period,
                        source_period: month(row, 0)?,
                        institution_id: text(1)?,
                        item: text(2)?,
                        line_kind: text(3)?,
                        source: text(4)?,
                        payable_fen: row.get(5)?,
                        budget_doc_no: text(6)?,
                    })
                },
            )?;
            lines.extend(posted);
            // What this run carried in of failed payments left the periods they failed in.
            let claims = self.claims_of(&run)?;
            if !claims.is_empty() {
                lines.extend(self.lines_claimed(&claims)?.iter().map(ClaimedLine::carried_out));
            }
        }
        Ok(lines)
    }

    /// The institutions of the latest earlier period, or `None` when there is none. A draft will
    /// do: this is for comparison, and pays nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub fn previous(&self, job_id: &str, before: Month) -> Result<Option<Previous>, LedgerError> {
        let run = match &self.recalled {
            Some(recalled) => {
                recalled.compared_with.as_deref().map(|run_id| self.run(run_id)).transpose()?
            }
            None => self.standing(job_id, before)?.pop(),
        };
        let Some(run) = run else { return Ok(None) };
        let institutions = self.rows(
            "SELECT institution_id, headcount, slots, amount_fen FROM institutions
             WHERE institution BETWEEN ?1 AND ?2 ORDER BY institution",
            keys(run.run_no),
            |row| {
                Ok(InstitutionMonth {
                    institution_id: row.get(0)?,
                    headcount: row.get(1)?,
                    slots: row.get(2)?,
                    amount_fen: row.get(3)?,
                })
            },
        )?;
        Ok(Some(Previous { period: run.period, run_id: run.run_id, institutions }))
    }

    /// What the released runs of a calendar year's earlier periods pay, by what control totals ask
    /// for.
    ///
    /// # Errors
    /// When the store fails.
    pub fn year_to_date(
        &self,
        job_id: &str,
        year: i32,
        before: Month,
    ) -> Result<YearToDate, LedgerError> {
        let mut sums = YearToDate::default();
        let add = |place: &mut BTreeMap<String, i64>, key: String, fen: i64| {
            *place.entry(key).or_default() += fen;
        };
        for run in self.released(job_id, before)? {
            if run.period.year() != year {
                continue;
            }
            let payees: Vec<(String, i64)> = self.rows(
                "SELECT institution_id, payable_fen FROM payees WHERE payee BETWEEN ?1 AND ?2",
                keys(run.run_no),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?;
            for (institution_id, fen) in payees {
                add(&mut sums.by_institution, institution_id, fen);
            }
            let totals: Vec<([String; 3], i64)> = self.rows(
                "SELECT items.text, sources.text, budgets.text, payable_fen FROM totals
                 JOIN texts AS items ON items.text_no = item
                 JOIN texts AS sources ON sources.text_no = source
                 JOIN texts AS budgets ON budgets.text_no = budget_doc_no
                 WHERE total BETWEEN ?1 AND ?2",
                keys(run.run_no),
                |row| Ok(([row.get(0)?, row.get(1)?, row.get(2)?], row.get(3)?)),
            )?;
            for ([item, source, budget_doc_no], fen) in totals {
                add(&mut sums.by_item, item, fen);
                add(&mut sums.by_source, source, fen);
                add(&mut sums.by_budget_doc_no, budget_doc_no, fen);
                sums.total += fen;
            }
            // What was carried in of failed payments was counted when it was paid for the first time.
            for ClaimedLine { line, fen, .. } in self.lines_claimed(&self.claims_of(&run)?)? {
                add(&mut sums.by_institution, line.institution_id.to_string(), -fen);
                add(&mut sums.by_item, line.item.to_string(), -fen);
                add(&mut sums.by_source, line.source.to_string(), -fen);
                add(&mut sums.by_budget_doc_no, line.budget_doc_no.to_string(), -fen);
                sums.total -= fen;
            }
        }
        Ok(sums)
    }

    /// Hash of the last event: whoever keeps it can tell a cut tail. All zeros in a new ledger.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] when the chain does not hold.
    pub fn head(&self) -> Result<String, LedgerError> {
        Ok(chain::walk(&self.connection, &self.path, |_, _| Ok(()))?.hash)
    }

    /// Number of events.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] when the chain does not hold.
    pub fn events(&self) -> Result<i64, LedgerError> {
        Ok(chain::walk(&self.connection, &self.path, |_, _| Ok(()))?.seq)
    }

    pub(super) fn rows<T, P: rusqlite::Params>(
        &self,
        sql: &str,
        parameters: P,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, LedgerError> {
        let mut statement =
            self.connection.prepare_cached(sql).map_err(|source| self.store(source))?;
        let rows = statement.query_map(parameters, read).map_err(|source| self.store(source))?;
        rows.collect::<rusqlite::Result<_>>().map_err(|source| self.store(source))
    }

    pub(super) fn store(&self, source: rusqlite::Error) -> LedgerError {
        LedgerError::store(&self.path, source)
    }
}

/// A text of a row, one allocation for all rows that hold it.
fn shared(
    texts: &mut FxHashSet<Arc<str>>,
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<Arc<str>> {
    let text = row.get_ref(column)?.as_str()?;
    if let Some(known) = texts.get(text) {
        return Ok(Arc::clone(known));
    }
    let text: Arc<str> = Arc::from(text);
    texts.insert(Arc::clone(&text));
    Ok(text)
}

/// Columns of [`head`].
pub(super) const HEAD: &str = "run_no, run_id, job_id, period, state, calc_version, law_hash, \
                               manifest_hash, known_on";

/// The run that stands for a period of a job.
pub(super) fn find(
    connection: &Connection,
    job_id: &str,
    period: Month,
) -> rusqlite::Result<Option<RunHead>> {
    connection
        .prepare_cached(&format!(
            "SELECT {HEAD} FROM runs
             WHERE job_id = ?1 AND period = ?2 AND superseded_by IS NULL"
        ))?
        .query_row(params![job_id, month_number(period)], head)
        .optional()
}

/// The runs that stand for the periods of a job before `before`, a [`month_number`], in order of
/// period.
pub(super) fn standing(
    connection: &Connection,
    job_id: &str,
    before: i64,
) -> rusqlite::Result<Vec<RunHead>> {
    connection
        .prepare_cached(&format!(
            "SELECT {HEAD} FROM runs WHERE job_id = ?1 AND period < ?2
             AND superseded_by IS NULL ORDER BY period"
        ))?
        .query_map(params![job_id, before], head)?
        .collect()
}

/// The run of an id: the one that stands, else the last that was replaced.
pub(super) fn by_id(connection: &Connection, run_id: &str) -> rusqlite::Result<Option<RunHead>> {
    connection
        .prepare_cached(&format!(
            "SELECT {HEAD} FROM runs WHERE run_id = ?1
             ORDER BY superseded_by IS NOT NULL, run_no DESC LIMIT 1"
        ))?
        .query_row([run_id], head)
        .optional()
}

/// The runs that stand whose id begins with `prefix`.
pub(super) fn named(connection: &Connection, prefix: &str) -> rusqlite::Result<Vec<RunHead>> {
    connection
        .prepare_cached(&format!(
            "SELECT {HEAD} FROM runs WHERE substr(run_id, 1, length(?1)) = ?1
             AND superseded_by IS NULL ORDER BY run_no"
        ))?
        .query_map([prefix], head)?
        .collect()
}

/// The id of the run that replaced this one.
pub(super) fn successor(connection: &Connection, run_no: i64) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached(
            "SELECT new.run_id FROM runs AS old JOIN runs AS new ON new.run_no = old.superseded_by
             WHERE old.run_no = ?1",
        )?
        .query_row([run_no], |row| row.get(0))
        .optional()
}

pub(super) fn head(row: &Row<'_>) -> rusqlite::Result<RunHead> {
    let state: String = row.get(4)?;
    let state = RunState::parse(&state).ok_or_else(|| unreadable(4, "state", &state))?;
    let known_on: i32 = row.get(8)?;
    let (year, rest) = (known_on / 10_000, (known_on % 10_000).unsigned_abs());
    Ok(RunHead {
        run_no: row.get(0)?,
        run_id: row.get(1)?,
        job_id: row.get(2)?,
        period: month(row, 3)?,
        state,
        calc_version: row.get(5)?,
        law_hash: row.get(6)?,
        manifest_hash: row.get(7)?,
        known_on: Date::from_ymd(year, rest / 100, rest % 100)
            .ok_or_else(|| unreadable(8, "date", &known_on.to_string()))?,
    })
}

/// A service month as YYYYMM.
pub(super) fn month_number(month: Month) -> i64 {
    i64::from(month.year()) * 100 + i64::from(month.number())
}

/// A date as YYYYMMDD.
pub(super) fn date_number(date: Date) -> i64 {
    let (year, month, day) = date.ymd();
    i64::from(year) * 10_000 + i64::from(month) * 100 + i64::from(day)
}

pub(super) fn month(row: &Row<'_>, column: usize) -> rusqlite::Result<Month> {
    let number: i32 = row.get(column)?;
    Month::new(number / 100, (number % 100).unsigned_abs())
        .ok_or_else(|| unreadable(column, "month", &number.to_string()))
}

/// A value that is of the column's type and still none of ours.
pub(super) fn unreadable(column: usize, kind: &str, found: &str) -> rusqlite::Error {
    let message = format!("{found:?} is not a {kind}");
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Null, message.into())
}
