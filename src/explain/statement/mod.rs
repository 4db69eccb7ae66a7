//! The statement of one child: every month of a span, what was settled and why, what was corrected
//! later, and in which payments it went out. It tells nothing of any other child: of schedule lines,
//! which are sums over an institution, it gives numbers, never amounts.

mod said;
mod text;

pub use said::{
    ChangedSaid, CorrectionSaid, InstitutionSaid, ItemSaid, MonthSaid, PeriodSaid, PlaceSaid,
    Statement, StaySaid, StaysSaid, TotalSaid,
};
pub use text::render_statement;

use super::runs::{AnswerError, JobRun, JobRuns, Kept, Names, RunSaid};
use super::timeline::{
    Asked, ChangeSaid, FactChangeSaid, deliveries, facts_differ, is_shared, law_differs, nothing,
    told,
};
use super::{Explanation, LineSaid, RuleSaid, show};
use crate::domain::{Basis, Cell, Fraction, Frame, Month, Progress};
use crate::intake::Tables;
use crate::ledger::PostedRow;
use crate::publish::CorrectedLine;
use crate::schedule::Schedule;
use crate::settle::SettledMonth;
use std::collections::{BTreeMap, BTreeSet};

/// Most months of a statement.
const MONTHS_MAX: i32 = 120;

/// Facts of a stay that tell of attendance, where the law reads them.
const ATTENDANCE: &[&str] = &[
    "spell_workdays",
    "days_open",
    "days_attended",
    "days_excused",
    "days_illness",
    "days_disaster",
    "days_closure",
];

/// Bases whose facts are of the child or of its institution as a whole, never of another child.
const OWN: &[Basis] =
    &[Basis::Day, Basis::Week, Basis::Spell, Basis::Listing, Basis::Child, Basis::Institution];

/// Whose statement, over which months.
#[derive(Debug, Clone, Copy)]
pub struct StatementAsked<'a> {
    /// The child's reference as delivered, or its pseudonym.
    pub child: &'a str,
    /// Only what is of this institution; `None` = all of them.
    pub institution: Option<&'a str>,
    /// First month; `None` = January of the run's year.
    pub from: Option<Month>,
    /// Last month; `None` = December of the run's year.
    pub until: Option<Month>,
}

/// A statement in the making.
struct Making<'a> {
    kept: &'a Kept<'a>,
    runs: &'a JobRuns,
    asked: &'a StatementAsked<'a>,
    months: BTreeMap<Month, MonthSaid>,
    /// The lines of a month and institution as they were last settled.
    last: BTreeMap<(Month, String), Vec<LineSaid>>,
    totals: BTreeMap<String, TotalSaid>,
    periods: Vec<PeriodSaid>,
    met: Vec<RunSaid>,
}

/// A month of a run as it is told: by institution, with the shares of the items' sources.
#[derive(Default)]
struct Told {
    institutions: Vec<(Explanation, Vec<StaySaid>)>,
    shares: BTreeMap<(String, String), String>,
}

/// Draws up the statement of one child from the runs of a job.
///
/// # Errors
/// When a run cannot be settled again, the span is none, or nothing is there of the child.
pub fn statement(
    kept: &Kept<'_>,
    run_id: &str,
    asked: &StatementAsked<'_>,
    progress: &mut dyn Progress,
) -> Result<Statement, AnswerError> {
    let runs = JobRuns::of(kept, run_id, Some(asked.child))?;
    let own = runs.find(run_id).map(|run| &run.recipe);
    let year = own.map_or(0, |recipe| recipe.period.year());
    let january = Month::new(year, 1).unwrap_or(Month::BEFORE_ALL);
    let from = asked.from.unwrap_or(january);
    let until = asked.until.unwrap_or_else(|| january.plus(11));
    let span: Vec<Month> =
        (0..=MONTHS_MAX).map(|at| from.plus(at)).take_while(|m| *m <= until).collect();
    if span.is_empty() || span.len() > MONTHS_MAX.unsigned_abs() as usize {
        return Err(AnswerError::Span { from, until, most: MONTHS_MAX });
    }
    let mut making = Making {
        kept,
        runs: &runs,
        asked,
        months: BTreeMap::new(),
        last: BTreeMap::new(),
        totals: BTreeMap::new(),
        periods: Vec::new(),
        met: Vec::new(),
    };
    for run in &runs.runs {
        making.run(run, &span, progress)?;
    }
    if making.last.values().all(Vec::is_empty)
        && making.months.values().all(|of| of.institutions.is_empty() && of.corrections.is_empty())
    {
        return Err(AnswerError::Child { from, until });
    }
    let unsettled =
        span.iter().filter(|month| !making.months.contains_key(month)).map(ToString::to_string);
    let sum = |fen: i64, more: i64| fen.saturating_add(more);
    Ok(Statement {
        job: own.map_or_else(String::new, |recipe| recipe.job_id.clone()),
        run_id: run_id.to_owned(),
        child: asked.child.to_owned(),
        institution_id: asked.institution.unwrap_or_default().to_owned(),
        from: from.to_string(),
        until: until.to_string(),
        unsettled: unsettled.collect(),
        unknown: runs.lost.clone(),
        due_fen: making.months.values().map(|of| of.due_fen).fold(0, sum),
        months: making.months.into_values().collect(),
        items: making.totals.into_values().collect(),
        periods: making.periods,
        runs: making.met,
    })
}

impl Making<'_> {
    /// Settles one run again where it has to do with the child's months, and takes in what it says.
    fn run(
        &mut self,
        run: &JobRun,
        span: &[Month],
        progress: &mut dyn Progress,
    ) -> Result<(), AnswerError> {
        let asked = *self.asked;
        let rows: Vec<&CorrectedLine> = run
            .corrected
            .iter()
            .filter(|row| {
                span.contains(&row.month)
                    && run.names.is_of(&row.person)
                    && asked.institution.is_none_or(|id| id == row.place())
            })
            .collect();
        let own: BTreeSet<Month> = run.months().filter(|month| span.contains(month)).collect();
        if rows.is_empty() && own.is_empty() {
            return Ok(());
        }
        let closed: BTreeSet<Month> = rows.iter().map(|row| row.month).collect();
        let mut again: BTreeMap<Month, Told> = BTreeMap::new();
        let none = Schedule::default();
        let settled = self.kept.open(run.run_id())?.settled(progress, &mut |of, tables| {
            let of = of.month;
            if closed.contains(&of.month) {
                again.insert(of.month, told_of(&of, tables, &none, &run.names, &asked));
            }
        })?;
        self.met.push(run.said.clone());
        let mut period = PeriodSaid {
            period: run.said.period.clone(),
            run_id: run.said.run_id.clone(),
            own_fen: 0,
            corrected_fen: 0,
        };
        for (month, of) in &again {
            let rows: Vec<&CorrectedLine> =
                rows.iter().copied().filter(|row| row.month == *month).collect();
            let mut said = self.correction(run, *month, &rows, of)?;
            if let Some(correction) = settled.corrections.iter().find(|of| of.month == *month) {
                let caused = |word| said.changes.iter().any(|of| of.change.cause.contains(word));
                let (law, delivery) = (caused("law"), caused("delivery"));
                said.notices = if law { correction.notices.clone() } else { Vec::new() };
                said.deliveries = if delivery { deliveries(correction) } else { Vec::new() };
            }
            let net = said.changes.iter().map(|of| of.change.net_fen);
            let net = net.fold(0_i64, i64::saturating_add);
            period.corrected_fen = period.corrected_fen.saturating_add(net);
            // The run that settled it first may be lost.
            let month = self.months.entry(*month).or_insert_with(|| MonthSaid::begun(*month));
            month.due_fen = month.due_fen.saturating_add(net);
            month.corrections.push(said);
        }
        for of in settled.months.iter().filter(|of| own.contains(&of.month)) {
            let tables = settled.tables_of(of);
            let told = told_of(of, tables, &settled.schedule, &run.names, &asked);
            let fen = self.month(run, of.month, told)?;
            period.own_fen = period.own_fen.saturating_add(fen);
        }
        self.periods.push(period);
        Ok(())
    }

    /// Posted lines for a month of an institution and of those paid in its place.
    fn posted<'p>(
        &self,
        run: &JobRun,
        month: Month,
        institution: &str,
        payees: impl Iterator<Item = &'p str>,
    ) -> Result<Vec<PostedRow>, AnswerError> {
        let others: BTreeSet<&str> =
            payees.filter(|payee| !payee.is_empty() && *payee != institution).collect();
        let mut rows = self.runs.posted(run, institution, month)?;
        for payee in others {
            rows.extend(self.runs.posted(run, payee, month)?);
        }
        Ok(rows)
    }

    /// A month settled for the first time; gives the child's fen.
    fn month(&mut self, run: &JobRun, month: Month, told: Told) -> Result<i64, AnswerError> {
        let mut fen = 0_i64;
        let mut institutions = Vec::new();
        for (explanation, stays) in told.institutions {
            let payees = explanation.lines.iter().map(|line| &*line.payee);
            let posted = self.posted(run, month, &explanation.institution_id, payees)?;
            let mut items = Vec::new();
            for line in &explanation.lines {
                let paid = if line.in_kind { 0 } else { line.allocated_fen };
                fen = fen.saturating_add(paid);
                self.count(&line.item, Some(&line.rule), paid, 0);
                let places = places(&posted, &line.item, &told.shares, line.status == "paid");
                items.push(ItemSaid::of(line, places));
            }
            self.last
                .insert((month, explanation.institution_id.clone()), explanation.lines.clone());
            institutions.push(InstitutionSaid {
                institution_id: explanation.institution_id,
                institution_name: explanation.institution_name,
                stays,
                items,
            });
        }
        let said = MonthSaid {
            run_id: run.said.run_id.clone(),
            institutions,
            first_fen: fen,
            due_fen: fen,
            ..MonthSaid::begun(month)
        };
        self.months.insert(month, said);
        Ok(fen)
    }

    fn correction(
        &mut self,
        run: &JobRun,
        month: Month,
        rows: &[&CorrectedLine],
        told: &Told,
    ) -> Result<CorrectionSaid, AnswerError> {
        let mut changes = Vec::new();
        let (mut law, mut facts, mut stays) = (Vec::new(), Vec::new(), Vec::new());
        let institutions: BTreeSet<&str> = rows.iter().map(|row| row.place()).collect();
        for institution in institutions {
            let here = |row: &&&CorrectedLine| row.place() == institution;
            let payees = rows.iter().filter(here).map(|row| &*row.payee);
            let posted = self.posted(run, month, institution, payees)?;
            let now = told.institutions.iter().find(|(of, _)| of.institution_id == institution);
            let (lines, own) =
                now.map_or_else(Default::default, |(of, stays)| (of.lines.clone(), stays.clone()));
            stays.push(StaysSaid { institution_id: institution.to_owned(), stays: own });
            for row in rows.iter().filter(here) {
                let change = ChangeSaid::of(row, &run.names);
                let line = lines.iter().find(|line| line.item == change.item);
                self.count(&change.item, line.map(|line| &line.rule), 0, change.net_fen);
                let refused = lines
                    .iter()
                    .filter(|line| change.due_fen == 0 && change.is(line))
                    .find(|line| !line.reason.is_empty())
                    .map(|line| (ItemSaid::words(line), ItemSaid::cause(line)));
                let places = places(&posted, &change.item, &told.shares, true);
                changes.push(ChangedSaid { change, refused, places });
            }
            let key = (month, institution.to_owned());
            let before = self.last.get(&key).map_or(&[][..], Vec::as_slice);
            let all: BTreeSet<&str> = rows.iter().map(|row| &*row.item).collect();
            let of_items = |lines: &[LineSaid]| -> Vec<LineSaid> {
                lines.iter().filter(|line| all.contains(&*line.item)).cloned().collect()
            };
            let (was, is) = (of_items(before), of_items(&lines));
            for of in law_differs(&was, &is) {
                // One rule may stand behind lines at several institutions.
                if !law.contains(&of) {
                    law.push(of);
                }
            }
            facts.extend(facts_differ(&was, &is).into_iter().filter(is_own));
            self.last.insert(key, lines);
        }
        let all: Vec<ChangeSaid> = changes.iter().map(|of| of.change.clone()).collect();
        Ok(CorrectionSaid {
            period: run.said.period.clone(),
            run_id: run.said.run_id.clone(),
            changes,
            stays,
            notices: Vec::new(),
            deliveries: Vec::new(),
            shared: is_shared(&all, &facts, &law),
            law,
            facts,
        })
    }

    fn count(&mut self, item: &str, rule: Option<&RuleSaid>, first: i64, net: i64) {
        let of = self.totals.entry(item.to_owned()).or_insert_with(|| TotalSaid {
            item: item.to_owned(),
            label: String::new(),
            english: String::new(),
            first_fen: 0,
            net_fen: 0,
            due_fen: 0,
        });
        if let Some(rule) = rule {
            rule.label.clone_into(&mut of.label);
            rule.english.clone_into(&mut of.english);
        }
        of.first_fen = of.first_fen.saturating_add(first);
        of.net_fen = of.net_fen.saturating_add(net);
        of.due_fen = of.first_fen.saturating_add(of.net_fen);
    }
}

impl MonthSaid {
    fn begun(month: Month) -> Self {
        Self {
            period: month.to_string(),
            run_id: String::new(),
            institutions: Vec::new(),
            corrections: Vec::new(),
            first_fen: 0,
            due_fen: 0,
        }
    }
}

impl ItemSaid {
    fn of(line: &LineSaid, places: Vec<PlaceSaid>) -> Self {
        Self {
            item: line.item.clone(),
            rule: line.rule.clone(),
            status: line.status.clone(),
            reason: line.reason.clone(),
            reason_words: line.reason_words.clone(),
            reason_english: line.reason_english.clone(),
            reason_rule: Self::cause(line),
            expression: line.expression.clone(),
            exact: line.exact.clone(),
            amount_fen: line.amount_fen,
            allocated_fen: line.allocated_fen,
            cut_by: line.cut_by.clone(),
            in_kind: line.in_kind,
            places,
        }
    }

    /// The gate or guide price that gave a line its reason.
    fn cause(line: &LineSaid) -> Option<RuleSaid> {
        line.gates.iter().find(|gate| gate.decisive).map(|gate| gate.rule.clone())
    }

    /// The pack's words for a reason, else its code.
    fn words(line: &LineSaid) -> String {
        let words = &line.reason_words;
        if words.is_empty() { line.reason.clone() } else { words.clone() }
    }
}

fn is_own(of: &FactChangeSaid) -> bool {
    let fact = of.after.as_ref().or(of.before.as_ref());
    fact.is_some_and(|fact| OWN.iter().any(|basis| basis.name() == fact.basis))
}

/// Schedule lines of an item, without their amounts.
fn places(
    posted: &[PostedRow],
    item: &str,
    shares: &BTreeMap<(String, String), String>,
    paid: bool,
) -> Vec<PlaceSaid> {
    let of_item = posted.iter().filter(|row| paid && row.item == item);
    of_item
        .map(|row| PlaceSaid {
            line_no: row.line_no,
            kind: row.kind.clone(),
            source: row.source.clone(),
            share: shares.get(&(item.to_owned(), row.source.clone())).cloned().unwrap_or_default(),
            pay_on: super::timeline::day(row.pay_on),
            payment_no: row.payment_no.clone(),
            hold_reason: row.hold_reason.clone(),
        })
        .collect()
}

/// A settled month, told of one child.
fn told_of(
    of: &SettledMonth,
    tables: &Tables,
    schedule: &Schedule,
    names: &Names,
    asked: &StatementAsked<'_>,
) -> Told {
    let mut told_all = Told::default();
    for law in &of.law.segments {
        for item in &law.items {
            let Some(split) = law.splits.get(&item.funding) else { continue };
            let written: Vec<&str> = split.parts.iter().map(|(_, share)| share.source()).collect();
            for ((source, _), share) in split.parts.iter().zip(shares(&written)) {
                let key = (item.head.id.to_string(), source.to_string());
                told_all.shares.insert(key, share);
            }
        }
    }
    let frames = of.frames.iter().filter(|frame| frame.get("child_ref").is_some());
    let mut ids: BTreeSet<String> = BTreeSet::new();
    for frame in frames {
        ids.extend(
            rows_of_child(frame, names).filter_map(|row| text(frame, "institution_id", row)),
        );
        // What is paid for a row without institution stands under its payee.
        for lines in of.entitlements.items.iter().filter(|lines| lines.basis == frame.basis) {
            let Some(owners) = &lines.owners else { continue };
            let rows = rows_of_child(frame, names)
                .filter(|row| text(frame, "institution_id", *row).is_none())
                .filter(|row| owners[*row] != Frame::NO_ROW);
            ids.extend(rows.map(|row| of.entitlements.owner(&of.frames, owners[row])));
        }
    }
    for id in ids.iter().filter(|id| asked.institution.is_none_or(|only| only == **id)) {
        let question = Asked {
            institution: id,
            item: None,
            child: Some(asked.child),
            month: Some(of.month),
            limit: usize::MAX,
        };
        let said =
            told(of, tables, schedule, names, &question).unwrap_or_else(|_| nothing(of.month, id));
        told_all.institutions.push((said, stays(of, tables, names, id)));
    }
    told_all
}

/// The shares of a split's sources, as parts of one; where they are no plain numbers, as the law
/// writes them.
fn shares(written: &[&str]) -> Vec<String> {
    let plain = |text: &&str| {
        let (top, bottom) = text.split_once('/').unwrap_or((text, "1"));
        Fraction::new(top.trim().parse().ok()?, bottom.trim().parse().ok()?)
    };
    let parts: Option<Vec<Fraction>> = written.iter().map(plain).collect();
    let of_whole = parts.and_then(|parts| {
        let zero = Fraction::whole(0);
        let whole = parts.iter().try_fold(zero, |sum, part| sum.checked_add(*part))?;
        let of_whole = |part: &Fraction| {
            let top = part.num.checked_mul(whole.den)?;
            Some(Fraction::new(top, part.den.checked_mul(whole.num)?)?.reduced())
        };
        parts.iter().map(of_whole).collect()
    });
    match of_whole {
        Some::<Vec<Fraction>>(parts) => {
            parts.iter().map(|part| format!("{}/{}", part.num, part.den)).collect()
        }
        None => written.iter().map(|text| (*text).to_owned()).collect(),
    }
}

/// Rows of a frame that are the child's.
fn rows_of_child<'f>(frame: &'f Frame, names: &'f Names) -> impl Iterator<Item = usize> + 'f {
    let column = frame.get("child_ref");
    (0..frame.rows).filter(move |row| {
        matches!(column.map(|c| c.cell(*row)), Some(Cell::Text(id)) if names.is_child(&id))
    })
}

fn text(frame: &Frame, column: &str, row: usize) -> Option<String> {
    match frame.get(column)?.cell(row) {
        Cell::Null => None,
        cell => Some(show::plain(&cell)),
    }
}

/// The child's stays at an institution in the month.
fn stays(of: &SettledMonth, tables: &Tables, names: &Names, institution: &str) -> Vec<StaySaid> {
    let Some(frame) = of.frames.get(&Basis::Spell) else { return Vec::new() };
    let value = |column: &str, row: usize| text(frame, column, row).unwrap_or_default();
    rows_of_child(frame, names)
        .filter(|row| value("institution_id", *row) == institution)
        .map(|row| StaySaid {
            from: value("spell_from", row),
            until: value("spell_until", row),
            age_class: value("age_class", row),
            service: value("service", row),
            days: ATTENDANCE
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), text(frame, name, row)?)))
                .collect(),
            file: frame
                .origin(row)
                .and_then(|(file, _)| tables.files.get(file as usize))
                .map_or_else(String::new, |file| file.name.to_string()),
            record: frame.origin(row).map_or(0, |(_, record)| record.into()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn shares_are_parts_of_one_where_they_are_numbers() {
        for (written, told) in [
            (&["2 / 5", "3 / 5"][..], &["2/5", "3/5"][..]),
            (&["1", "1", "3", "1"], &["1/6", "1/6", "1/2", "1/6"]),
            (&["1"], &["1/1"]),
            (&["0", "0"], &["0", "0"]),
            (&["population", "1"], &["population", "1"]),
        ] {
            assert_eq!(shares(written), told, "{written:?}");
        }
    }
}
