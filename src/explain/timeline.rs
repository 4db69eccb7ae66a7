//! The course of one month's amounts over time: paid first, then corrected, with what became known
//! and what differed.

use super::runs::{AnswerError, JobRun, JobRuns, Kept, Names, RunSaid};
use super::{ExplainError, ExplainInput, Explanation, FactSaid, LineSaid, Question, RuleSaid};
use crate::domain::{Basis, Date, Month, Progress};
use crate::intake::Tables;
use crate::ledger::PostedRow;
use crate::publish::CorrectedLine;
use crate::retro::{Cause, Correction};
use crate::schedule::Schedule;
use crate::settle::SettledMonth;
use serde::Serialize;
use std::collections::BTreeSet;

/// What is asked of a run's month.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Institution id as delivered.
    pub institution: &'a str,
    /// Item id; `None` = every item.
    pub item: Option<&'a str>,
    /// The child's reference as delivered, or its pseudonym; `None` = every row.
    pub child: Option<&'a str>,
    /// Service month; `None` = the last of the run's period.
    pub month: Option<Month>,
    /// At most this many lines are explained; the rest are counted.
    pub limit: usize,
}

/// Lines as they were paid first, and what became of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The lines as the run that settled the month first settled them.
    #[serde(flatten)]
    pub explanation: Explanation,
    /// What was paid and corrected, by whom and when; none where no run is kept.
    pub timeline: Option<Timeline>,
}

/// What was paid for a month and corrected later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Timeline {
    /// The run that settled the month first.
    pub paid: PaidSaid,
    /// Later runs that corrected a line asked for, or moved its corrected money, in order.
    pub later: Vec<LaterSaid>,
    /// Fen of the lines as published at first; none where the run kept none and not all are told.
    pub paid_fen: Option<i64>,
    /// Fen by which later runs changed them.
    pub net_fen: i64,
    /// Periods of released runs that the archive does not hold: what they corrected is not told.
    pub unknown: Vec<String>,
}

/// The first payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PaidSaid {
    /// The run.
    pub run: RunSaid,
    /// Its schedule lines of the institution, the items and the month.
    pub posted: Vec<PostedSaid>,
}

/// What a later run did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LaterSaid {
    /// The run.
    pub run: RunSaid,
    /// Lines that are due something else; none where the run only moved money on.
    pub changes: Vec<ChangeSaid>,
    /// Clauses of notices that became known since the month was last looked at.
    pub notices: Vec<String>,
    /// Deliveries that came in since.
    pub deliveries: Vec<DeliverySaid>,
    /// Rules of the lines that are others than before.
    pub law: Vec<LawChangeSaid>,
    /// Facts of the lines that are others than before.
    pub facts: Vec<FactChangeSaid>,
    /// Whether nothing of the lines themselves differs: what they share with other lines (a cap, a
    /// group) moved them.
    pub shared: bool,
    /// Its schedule lines of the institution, the items and the month.
    pub posted: Vec<PostedSaid>,
    /// Lines of the same child at other institutions that it corrected.
    pub elsewhere: Vec<ChangeSaid>,
    /// The lines as it settled them again; none where it only moved money on.
    pub explanation: Option<Explanation>,
}

/// One line of a closed month that is due something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeSaid {
    /// Institution.
    pub institution_id: String,
    /// Item.
    pub item: String,
    /// Child or person, as the question's names have it; empty where the line has none.
    pub child: String,
    /// The rest of the row's key.
    pub row_key: String,
    /// 班型.
    pub age_class: String,
    /// 服务类型.
    pub service: String,
    /// First day of the line, or empty.
    pub span_from: String,
    /// Last day.
    pub span_until: String,
    /// Fen paid before, refunded.
    pub paid_fen: i64,
    /// Fen due instead.
    pub due_fen: i64,
    /// The difference.
    pub net_fen: i64,
    /// Fen a short budget cut when the line was first paid, which stay cut (S25).
    pub cut_fen: i64,
    /// `law`, `delivery`, `law+delivery`, `earlier_month`.
    pub cause: String,
    /// Input file of the line as it is due, or as it was paid where nothing is due.
    pub file: String,
    /// Record in it, 0 = none.
    pub record: u32,
    /// Version of the rule it was paid under, or empty.
    pub old_rule: String,
    /// Version of the rule it is due under, or empty.
    pub new_rule: String,
}

/// A delivery that came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliverySaid {
    /// Table.
    pub table: String,
    /// Its files.
    pub files: Vec<String>,
    /// The day it was received, or empty.
    pub received_on: String,
}

/// A rule in two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LawChangeSaid {
    /// Id.
    pub id: String,
    /// As it was; none where nothing of that id counted.
    pub before: Option<RuleSaid>,
    /// As it is; none where nothing counts any more.
    pub after: Option<RuleSaid>,
}

/// A fact in two settlements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FactChangeSaid {
    /// Item of the line that reads it.
    pub item: String,
    /// As it was; none where the line read no such fact.
    pub before: Option<FactSaid>,
    /// As it is.
    pub after: Option<FactSaid>,
}

/// A posted schedule line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PostedSaid {
    /// Item.
    pub item: String,
    /// `ORIGINAL` …
    pub kind: String,
    /// Line number in its run.
    pub line_no: i64,
    /// Funding source, or empty.
    pub source: String,
    /// 指标文号, or empty.
    pub budget_doc_no: String,
    /// Fen.
    pub payable_fen: i64,
    /// Pay date, or empty.
    pub pay_on: String,
    /// The payment it went into, or empty.
    pub payment_no: String,
    /// Why it is held, or empty.
    pub hold_reason: String,
}

impl From<PostedRow> for PostedSaid {
    fn from(row: PostedRow) -> Self {
        Self {
            item: row.item,
            kind: row.kind,
            line_no: row.line_no,
            source: row.source,
            budget_doc_no: row.budget_doc_no,
            payable_fen: row.payable_fen,
            pay_on: day(row.pay_on),
            payment_no: row.payment_no,
            hold_reason: row.hold_reason,
        }
    }
}

pub(super) fn day(date: Option<Date>) -> String {
    date.map_or_else(String::new, |date| date.to_string())
}

impl ChangeSaid {
    /// Whether a line of the same month is the line of the change.
    pub(super) fn is(&self, line: &LineSaid) -> bool {
        let named = |day: &String| line.key.iter().any(|(_, value)| value == day);
        let span = match Basis::parse(&line.basis) {
            Basis::Spell => named(&self.span_from) && named(&self.span_until),
            // The last day of a week is no column of it.
            Basis::Day | Basis::Week => named(&self.span_from),
            _ => true,
        };
        (&self.item, &self.child) == (&line.item, &line.child) && span
    }

    pub(super) fn of(row: &CorrectedLine, names: &Names) -> Self {
        Self {
            institution_id: row.institution.clone(),
            item: row.item.clone(),
            child: names.alias_of(row),
            row_key: row.row_key.clone(),
            age_class: row.age_class.clone(),
            service: row.service.clone(),
            span_from: day(row.from),
            span_until: day(row.until),
            paid_fen: row.refund_fen.saturating_neg(),
            due_fen: row.correction_fen,
            // Both stood in a file whose sums tie: neither is near the bounds.
            net_fen: row.correction_fen.saturating_add(row.refund_fen),
            cut_fen: row.cut_fen,
            cause: row.cause.clone(),
            file: row.source_file.clone(),
            record: row.source_record,
            old_rule: row.old_rule.clone(),
            new_rule: row.new_rule.clone(),
        }
    }
}

/// A month of one settlement, explained.
///
/// # Errors
/// When the institution, the item or a line of the child is not there.
pub fn told(
    of: &SettledMonth,
    tables: &Tables,
    schedule: &Schedule,
    names: &Names,
    asked: &Asked<'_>,
) -> Result<Explanation, ExplainError> {
    let input = ExplainInput { month: of.input(), schedule, tables, attended: &of.attended };
    let is_child = |reference: &str| names.is_child(reference);
    let question = Question {
        institution: asked.institution,
        item: asked.item,
        child: asked.child.is_some().then_some(&is_child as &dyn Fn(&str) -> bool),
        alias: &|reference| names.alias(reference),
        limit: asked.limit,
    };
    super::explain(&input, &question)
}

/// What a later run corrected of a month, and the month as it settled it.
pub(super) struct Again {
    pub(super) correction: Option<Correction>,
    pub(super) explanations: Vec<Explanation>,
}

/// Settles a later run again and explains a closed month of it by each of the questions.
pub(super) fn settled_again(
    kept: &Kept<'_>,
    run: &JobRun,
    month: Month,
    questions: &[Asked<'_>],
    progress: &mut dyn Progress,
) -> Result<Again, AnswerError> {
    let mut explanations = Vec::new();
    // Its schedule is not planned yet where the month is seen.
    let none = Schedule::default();
    let archived = kept.open(run.run_id())?;
    let settled = archived.settled(progress, &mut |of, tables| {
        let of = of.month;
        if of.month == month {
            let said = questions.iter().map(|asked| {
                told(&of, tables, &none, &run.names, asked)
                    .unwrap_or_else(|_| nothing(month, asked.institution))
            });
            explanations = said.collect();
        }
    })?;
    let correction = settled.corrections.into_iter().find(|of| of.month == month);
    Ok(Again { correction, explanations })
}

pub(super) fn nothing(month: Month, institution: &str) -> Explanation {
    Explanation {
        period: month.to_string(),
        institution_id: institution.to_owned(),
        institution_name: String::new(),
        lines: Vec::new(),
        further: 0,
    }
}

/// Explains lines of a month over all runs of the job that paid or corrected them. `settled` is what
/// the run itself says of them, where it was settled just now.
///
/// # Errors
/// When a run cannot be settled again, or there is no such month, institution, item or line.
pub fn answer(
    kept: &Kept<'_>,
    run_id: &str,
    asked: &Asked<'_>,
    settled: Option<Explanation>,
    progress: &mut dyn Progress,
) -> Result<Answer, AnswerError> {
    let runs = JobRuns::of(kept, run_id, asked.child)?;
    let own = runs.find(run_id).map(|run| run.recipe.period);
    let month = asked.month.or(own).unwrap_or(Month::BEFORE_ALL);
    let payer = runs.payer(month).ok_or_else(|| AnswerError::Month {
        found: month,
        expected: runs.months().iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    })?;
    let meant = |row: &CorrectedLine, run: &JobRun| {
        row.month == month
            && asked.item.is_none_or(|item| item == row.item)
            && (asked.child.is_none() || run.names.is_of(&row.person))
    };
    let of_asked = |row: &CorrectedLine| {
        [&row.institution, &row.payee].into_iter().any(|id| id == asked.institution)
    };
    let here = |row: &CorrectedLine, run: &JobRun| of_asked(row) && meant(row, run);
    let corrected = |run: &JobRun| run.corrected.iter().any(|row| here(row, run));
    let explanation = match settled {
        Some(said) if payer.run_id() == run_id => said,
        _ => {
            let said = first(kept, payer, month, asked, progress)?;
            // A line that came with a correction was not there at first.
            match said {
                Err(_) if runs.after(payer).any(corrected) => nothing(month, asked.institution),
                said => said?,
            }
        }
    };
    let mut items: BTreeSet<String> =
        explanation.lines.iter().map(|line| line.item.clone()).collect();
    let mut payees: BTreeSet<String> =
        explanation.lines.iter().map(|line| line.payee.clone()).collect();
    let corrected = runs.after(payer).flat_map(|run| &run.corrected).filter(|row| of_asked(row));
    payees.extend(corrected.map(|row| row.payee.clone()));
    payees.remove("");
    payees.remove(asked.institution);
    let posted = |run: &JobRun, items: &BTreeSet<String>| -> Result<Vec<PostedSaid>, AnswerError> {
        let mut rows = runs.posted(run, asked.institution, month)?;
        for payee in &payees {
            rows.extend(runs.posted(run, payee, month)?);
        }
        Ok(rows.into_iter().filter(|row| items.contains(&row.item)).map(Into::into).collect())
    };
    let paid = PaidSaid { run: payer.said.clone(), posted: posted(payer, &items)? };
    let mut later: Vec<LaterSaid> = Vec::new();
    let mut changed: BTreeSet<String> = BTreeSet::new();
    for run in runs.after(payer) {
        let rows: Vec<&CorrectedLine> = run.corrected.iter().filter(|row| here(row, run)).collect();
        changed.extend(rows.iter().map(|row| row.item.clone()));
        let mut posted = posted(run, &changed)?;
        if rows.is_empty() {
            // Money of a correction that is carried on is part of it; anything else is not ours.
            posted.retain(|line| line.kind.starts_with("CARRY"));
            if !posted.is_empty() {
                later.push(LaterSaid::moved(run, posted));
            }
            continue;
        }
        let mut again = settled_again(kept, run, month, &[*asked], progress)?;
        let now = again.explanations.pop().unwrap_or_else(|| nothing(month, asked.institution));
        let before = later.iter().rev().find_map(|of| of.explanation.as_ref());
        let (was, is) = (&before.unwrap_or(&explanation).lines, &now.lines);
        let elsewhere =
            |row: &&CorrectedLine| asked.child.is_some() && !of_asked(row) && meant(row, run);
        let said = |row: &CorrectedLine| ChangeSaid::of(row, &run.names);
        items.extend(rows.iter().map(|row| row.item.clone()));
        let mut of = LaterSaid::moved(run, posted);
        of.changes = rows.into_iter().map(said).collect();
        of.elsewhere = run.corrected.iter().filter(elsewhere).map(said).collect();
        of.facts = facts_differ(was, is);
        of.law = law_differs(was, is);
        let there = !was.is_empty() && !is.is_empty();
        of.shared = there && is_shared(&of.changes, &of.facts, &of.law);
        of.because(again.correction.as_ref());
        of.explanation = Some(now);
        later.push(of);
    }
    let sum = |fen: i64, more: i64| fen.saturating_add(more);
    let told = explanation.lines.iter().filter(|line| !line.in_kind);
    let told = told.map(|line| line.allocated_fen).fold(0, sum);
    let paid_fen = JobRuns::published(kept, payer, month, asked)?
        .or_else(|| (explanation.further == 0).then_some(told));
    let net_fen = later.iter().flat_map(|of| &of.changes).map(|of| of.net_fen).fold(0, sum);
    let unknown = runs.lost.clone();
    let timeline = Timeline { paid, later, paid_fen, net_fen, unknown };
    Ok(Answer { explanation, timeline: Some(timeline) })
}

impl LaterSaid {
    fn moved(run: &JobRun, posted: Vec<PostedSaid>) -> Self {
        Self {
            run: run.said.clone(),
            changes: Vec::new(),
            notices: Vec::new(),
            deliveries: Vec::new(),
            law: Vec::new(),
            facts: Vec::new(),
            shared: false,
            posted,
            elsewhere: Vec::new(),
            explanation: None,
        }
    }

    /// Notices and deliveries behind a correction, those of the causes of its lines.
    fn because(&mut self, correction: Option<&Correction>) {
        let Some(correction) = correction else { return };
        if self.changes.iter().any(|of| of.cause.contains("law")) {
            self.notices.clone_from(&correction.notices);
        }
        if self.changes.iter().any(|of| of.cause.contains("delivery")) {
            self.deliveries = deliveries(correction);
        }
    }
}

pub(super) fn deliveries(correction: &Correction) -> Vec<DeliverySaid> {
    let said = |of: &crate::retro::Delivery| DeliverySaid {
        table: of.table.clone(),
        files: of.files.clone(),
        received_on: day(of.received_on),
    };
    correction.deliveries.iter().map(said).collect()
}

/// The month as the run that settled it first says; the inner error is that it has no such line.
fn first(
    kept: &Kept<'_>,
    payer: &JobRun,
    month: Month,
    asked: &Asked<'_>,
    progress: &mut dyn Progress,
) -> Result<Result<Explanation, ExplainError>, AnswerError> {
    let settled = kept.open(payer.run_id())?.settled(progress, &mut |_, _| ())?;
    let of = settled.months.iter().find(|of| of.month == month);
    Ok(match of {
        Some(of) => told(of, settled.tables_of(of), &settled.schedule, &payer.names, asked),
        None => Ok(nothing(month, asked.institution)),
    })
}

/// Lines of two settlements that are the same line, or stand at the same place where the line is
/// another one (a stay that was shortened).
fn pairs<'l>(
    was: &'l [LineSaid],
    is: &'l [LineSaid],
) -> Vec<(Option<&'l LineSaid>, Option<&'l LineSaid>)> {
    let same =
        |a: &LineSaid, b: &LineSaid| (&a.item, &a.child, &a.key) == (&b.item, &b.child, &b.key);
    let mut rest: Vec<&LineSaid> = is.iter().collect();
    let mut take = |fits: &dyn Fn(&LineSaid) -> bool| {
        rest.iter().position(|line| fits(line)).map(|at| rest.remove(at))
    };
    let mut found: Vec<_> =
        was.iter().map(|old| (Some(old), take(&|line| same(old, line)))).collect();
    for (old, new) in found.iter_mut().filter(|(_, new)| new.is_none()) {
        let like = |line: &LineSaid| {
            old.is_some_and(|old| (&old.item, &old.child) == (&line.item, &line.child))
        };
        *new = take(&like);
    }
    found.extend(rest.into_iter().map(|new| (None, Some(new))));
    found
}

/// Facts of the lines whose value is another. A line that came or went has no facts to compare.
pub(super) fn facts_differ(was: &[LineSaid], is: &[LineSaid]) -> Vec<FactChangeSaid> {
    let mut all: Vec<FactChangeSaid> = Vec::new();
    for (old, new) in pairs(was, is).into_iter().filter_map(|(old, new)| old.zip(new)) {
        let facts =
            matched(old.facts.clone(), new.facts.clone(), |of| (of.basis.clone(), of.name.clone()));
        for (before, after) in facts {
            let value = |of: &Option<FactSaid>| of.as_ref().map(|of| of.value.clone());
            if value(&before) != value(&after) {
                all.push(FactChangeSaid { item: new.item.clone(), before, after });
            }
        }
    }
    all
}

/// Whether lines that are there before and after are due something else although nothing of them
/// differs.
pub(super) fn is_shared(
    changes: &[ChangeSaid],
    facts: &[FactChangeSaid],
    law: &[LawChangeSaid],
) -> bool {
    let earlier = |of: &ChangeSaid| of.cause == Cause::Earlier.word();
    let both = |of: &ChangeSaid| !of.old_rule.is_empty() && !of.new_rule.is_empty();
    facts.is_empty() && law.is_empty() && changes.iter().all(|of| both(of) && !earlier(of))
}

/// Rules the lines met whose version is another, each once.
pub(super) fn law_differs(was: &[LineSaid], is: &[LineSaid]) -> Vec<LawChangeSaid> {
    let rules = |lines: &[LineSaid]| -> Vec<RuleSaid> {
        let all: BTreeSet<RuleSaid> =
            lines.iter().flat_map(|line| line.clauses.iter().cloned()).collect();
        all.into_iter().collect()
    };
    // A line that is not there met no rule: that is no change of law.
    if was.is_empty() || is.is_empty() {
        return Vec::new();
    }
    let (was, is) = (rules(was), rules(is));
    let alone = |of: &[RuleSaid], other: &[RuleSaid]| -> Vec<RuleSaid> {
        of.iter().filter(|rule| !other.contains(rule)).cloned().collect()
    };
    matched(alone(&was, &is), alone(&is, &was), |rule| rule.id.clone())
        .into_iter()
        .filter(|(before, after)| {
            let version = |of: &Option<RuleSaid>| of.as_ref().map(|of| of.version.clone());
            version(before) != version(after)
        })
        .map(|(before, after)| LawChangeSaid {
            id: before.as_ref().or(after.as_ref()).map_or_else(String::new, |of| of.id.clone()),
            before,
            after,
        })
        .collect()
}

/// What stands on two sides, by a key; first in the order of the new side.
fn matched<T, K: Ord>(
    was: Vec<T>,
    is: Vec<T>,
    key: impl Fn(&T) -> K,
) -> Vec<(Option<T>, Option<T>)> {
    let mut was: Vec<Option<T>> = was.into_iter().map(Some).collect();
    let mut found = Vec::new();
    for new in is {
        let old = was
            .iter_mut()
            .find(|old| old.as_ref().is_some_and(|old| key(old) == key(&new)))
            .and_then(Option::take);
        found.push((old, Some(new)));
    }
    found.extend(was.into_iter().flatten().map(|old| (Some(old), None)));
    found
}
