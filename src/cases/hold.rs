//! A settled case held against what it expects.

use super::cell::{Reading, fen};
use super::expected::{Expect, Fact, Found, Funded, Pay, Sum, Where};
use super::line;
use super::shape::{Case, Word};
use crate::domain::{Basis, Fen, Frame};
use crate::settle::{Settled, SettledMonth};
use crate::subsidy::{ItemLines, LineStatus};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Write as _};

/// Rows told where none or several match.
const MOST_ROWS_TOLD: usize = 6;

/// What became of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseSaid {
    /// Folder and file.
    pub file: String,
    /// Line of the file.
    pub line: u32,
    /// Its name.
    pub name: String,
    /// The clause or publication its figures are from.
    pub from: String,
    /// How many expectations it states.
    pub expectations: usize,
    /// What became of it.
    pub held: Held,
}

/// Whether a case holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// Everything is as expected.
    Holds,
    /// It was settled, and this differs.
    Differs(Vec<Difference>),
    /// It cannot be settled, or expects what cannot be asked.
    Broken(String),
}

/// One expectation that is not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Line of the file.
    pub line: u32,
    /// What was expected of what.
    pub what: String,
    /// Expected and found, by name.
    pub facets: Vec<Facet>,
    /// The steps of the line, or what else tells why.
    pub why: Vec<String>,
    /// Clause of the line's rule, or empty.
    pub clause: String,
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    /// What.
    pub name: String,
    /// As the case has it.
    pub expected: String,
    /// As it came out.
    pub found: String,
}

/// An expectation that cannot be held against anything, with its line.
pub(super) struct Unasked(pub(super) u32, pub(super) String);

/// A case's periods in order, its own last.
pub(super) struct Told<'a> {
    pub(super) periods: &'a [Settled],
    /// Whether the reasons of differences are wanted.
    pub(super) why: bool,
}

type Outcome<T> = Result<T, String>;

/// What of a case does not hold.
pub(super) fn differences(case: &Case, told: &Told<'_>) -> Result<Vec<Difference>, Unasked> {
    let mut found = Vec::new();
    macro_rules! each {
        ($list:expr, $hold:expr) => {
            for (line, wanted) in &$list {
                let difference = $hold(told, wanted).map_err(|text| Unasked(*line, text))?;
                found.extend(difference.map(|of: Difference| Difference { line: *line, ..of }));
            }
        };
    }
    each!(case.expect, expect);
    each!(case.sum, sum);
    each!(case.source, source);
    each!(case.pay, pay);
    each!(case.finding, finding);
    each!(case.fact, |told, wanted| cells(told, wanted, true));
    each!(case.value, |told, wanted| cells(told, wanted, false));
    found.sort_by_key(|difference| difference.line);
    Ok(found)
}

impl Told<'_> {
    fn own(&self) -> Outcome<&Settled> {
        self.periods.last().ok_or_else(|| "nothing was settled".to_owned())
    }

    /// A settled month and its period.
    pub(super) fn month(&self, text: Option<&str>) -> Outcome<(&Settled, &SettledMonth)> {
        let own = self.own()?.period.to_string();
        let wanted = text.unwrap_or(&own);
        let all = || self.periods.iter().flat_map(|of| of.months.iter().map(move |m| (of, m)));
        all().find(|(_, month)| month.month.to_string() == wanted).ok_or_else(|| {
            let months: Vec<String> = all().map(|(_, month)| month.month.to_string()).collect();
            format!("month: found {wanted:?}; expected one of {}", months.join(", "))
        })
    }
}

/// `item x, child_ref = "A", in 2026-09`.
fn named(kind: &str, what: &str, place: &Where, month: &str) -> String {
    let mut text = format!("{kind} {what}");
    for (name, word) in place {
        let _ = write!(text, ", {name} = {:?}", word.0);
    }
    if !month.is_empty() {
        let _ = write!(text, ", {month}");
    }
    text
}

/// The keys an expectation chooses by, of those it may name.
fn chosen(keys: &[(&str, &Option<String>)]) -> Where {
    let named = |(name, text): &(&str, &Option<String>)| {
        text.as_ref().map(|text| ((*name).to_owned(), Word(text.clone())))
    };
    keys.iter().filter_map(named).collect()
}

/// Whether an expectation that may name a text means this one.
fn is(wanted: Option<&String>, found: &str) -> bool {
    wanted.is_none_or(|of| of == found)
}

/// Rows of a frame that are meant, among some.
fn rows(
    month: &SettledMonth,
    frame: &Frame,
    place: &Where,
    as_held: bool,
    among: impl Fn(usize) -> bool,
) -> Outcome<Vec<usize>> {
    let mut tests = Vec::new();
    for (name, word) in place {
        let reading = Reading::of(month, frame, name, as_held);
        let reading = reading.ok_or_else(|| no_column(frame, name))?;
        tests.push((word, reading));
    }
    let meant = |row: &usize| tests.iter().all(|(Word(text), reading)| reading.fits(*row, text));
    Ok((0..frame.rows).filter(|row| among(*row)).filter(meant).collect())
}

fn no_column(frame: &Frame, name: &str) -> String {
    let shown = |name: &&str| !name.contains(['#', '(', ' ']);
    let names: Vec<&str> = frame.columns.keys().map(|name| &**name).filter(shown).collect();
    let (basis, names) = (&frame.basis, names.join(", "));
    format!("{basis} has no column {name:?} in this case; expected one of {names}")
}

/// The rows there are, for a `where` that means none or several.
fn rows_there_are(frame: &Frame, rows: &[usize]) -> Vec<String> {
    let shown = |row: &usize| format!("there is {}", line::row_named(frame, *row));
    let mut told: Vec<String> = rows.iter().take(MOST_ROWS_TOLD).map(shown).collect();
    if rows.len() > MOST_ROWS_TOLD {
        told.push(format!("and {} more", rows.len() - MOST_ROWS_TOLD));
    }
    told
}

#[derive(Default)]
struct Facets(Vec<Facet>);

impl Facets {
    fn hold(&mut self, name: &str, expected: Option<impl Display>, found: impl Display) {
        let Some(expected) = expected.map(|of| of.to_string()) else { return };
        let found = format!("{found}");
        if expected != found {
            self.0.push(Facet { name: name.to_owned(), expected, found });
        }
    }

    fn money(&mut self, name: &str, expected: Option<&Word>, found: i64) -> Outcome<()> {
        let Some(Word(text)) = expected else { return Ok(()) };
        let wanted = fen(text).ok_or_else(|| {
            format!("{name}: found {text:?}; expected an amount with at most two decimals")
        })?;
        self.hold(name, Some(Fen(wanted)), Fen(found));
        Ok(())
    }

    fn difference(self, what: String) -> Option<Difference> {
        let Self(facets) = self;
        let empty = Difference { line: 0, what, facets, why: Vec::new(), clause: String::new() };
        (!empty.facets.is_empty()).then_some(empty)
    }
}

fn expect(told: &Told<'_>, wanted: &Expect) -> Outcome<Option<Difference>> {
    let (settled, month) = told.month(wanted.month.as_deref())?;
    let items = &month.entitlements.items;
    let at = items.iter().position(|lines| *lines.item == *wanted.item).ok_or_else(|| {
        let names: Vec<&str> = items.iter().map(|lines| &*lines.item).collect();
        format!("item: found {:?}; expected one of {}", wanted.item, names.join(", "))
    })?;
    let lines = &items[at];
    let what = named("line", &wanted.item, &wanted.place, &month.month.to_string());
    let mut facets = Facets::default();
    let Some(frame) = month.frames.get(&lines.basis) else {
        facets.hold("lines", Some(1), 0);
        return Ok(facets.difference(what));
    };
    let found = line_rows(month, lines, frame, &wanted.place)?;
    let [row] = found[..] else {
        facets.hold("lines", Some(1), found.len());
        let all =
            if found.is_empty() { line_rows(month, lines, frame, &Where::new())? } else { found };
        let why = rows_there_are(frame, &all);
        return Ok(facets.difference(what).map(|of| Difference { why, ..of }));
    };
    let reason = month.entitlements.reasons.text(u32::from(lines.reason[row]));
    facets.hold("status", wanted.status.as_ref(), lines.status[row].word());
    facets.hold("reason", wanted.reason.as_ref(), reason);
    facets.money("amount", wanted.amount.as_ref(), lines.amount[row])?;
    facets.money("allocated", wanted.allocated.as_ref(), lines.allocated[row])?;
    let said = || line::said(settled, month, at, row);
    if !wanted.trace.is_empty() {
        let said = said();
        let currency = &month.law.head.currency;
        for (source, Word(text)) in &wanted.trace {
            facets.0.extend(line::untrue(said.as_ref(), source, text, currency));
        }
    }
    let Some(mut difference) = facets.difference(what) else { return Ok(None) };
    if told.why
        && let Some(said) = said()
    {
        difference.why = line::why(&said);
        difference.clause.clone_from(&said.rule.clause);
    }
    Ok(Some(difference))
}

/// Rows of an item's lines that are meant.
fn line_rows(
    month: &SettledMonth,
    lines: &ItemLines,
    frame: &Frame,
    place: &Where,
) -> Outcome<Vec<usize>> {
    rows(month, frame, place, false, |row| {
        lines.status.get(row).is_some_and(|status| *status != LineStatus::Absent)
    })
}

fn sum(told: &Told<'_>, wanted: &Sum) -> Outcome<Option<Difference>> {
    let own = vec![told.own()?.period.to_string()];
    let months = wanted.months.as_ref().unwrap_or(&own);
    let mut place = wanted.place.clone();
    if let Some(institution) = &wanted.institution {
        place.insert("institution_id".to_owned(), Word(institution.clone()));
    }
    let mut counts = BTreeMap::<&str, usize>::new();
    let (mut amount, mut allocated, mut met) = (0_i64, 0_i64, wanted.item.is_none());
    for text in months {
        let (_, month) = told.month(Some(text))?;
        for lines in &month.entitlements.items {
            let in_kind = lines.rules.iter().flatten().any(|rule| rule.in_kind);
            let meant = wanted.item.as_ref().map_or(!in_kind, |item| *lines.item == **item);
            met |= meant;
            if !meant || (wanted.item.is_none() && lines.basis == Basis::Programme) {
                continue;
            }
            let Some(frame) = month.frames.get(&lines.basis) else { continue };
            for row in line_rows(month, lines, frame, &place)? {
                *counts.entry(lines.status[row].word()).or_default() += 1;
                amount = amount.saturating_add(lines.amount[row]);
                allocated = allocated.saturating_add(lines.allocated[row]);
            }
        }
    }
    if !met {
        let item = wanted.item.as_deref().unwrap_or_default();
        return Err(format!("item: found {item:?}; expected an item in force"));
    }
    let count = |status: &str| counts.get(status).copied().unwrap_or(0);
    let mut facets = Facets::default();
    facets.hold("lines", wanted.lines, counts.values().sum::<usize>());
    facets.hold("paid", wanted.paid, count("paid"));
    facets.hold("zero", wanted.zero, count("zero"));
    facets.hold("refused", wanted.refused, count("refused"));
    facets.money("amount", wanted.amount.as_ref(), amount)?;
    facets.money("allocated", wanted.allocated.as_ref(), allocated)?;
    let item = wanted.item.as_deref().unwrap_or("of all items");
    Ok(facets.difference(named("sum", item, &place, &months.join(" "))))
}

fn source(told: &Told<'_>, wanted: &Funded) -> Outcome<Option<Difference>> {
    let (_, month) = told.month(None)?;
    let institutions = month.frames.get(&Basis::Institution);
    let reading = institutions.and_then(|of| Reading::of(month, of, "institution_id", false));
    let is_meant = |row: u32| {
        wanted
            .institution
            .as_ref()
            .is_none_or(|id| reading.as_ref().is_some_and(|reading| reading.fits(row as usize, id)))
    };
    let found: i64 = month
        .allocation
        .cells
        .iter()
        .filter(|cell| {
            is_meant(cell.institution)
                && *month.allocation.sources[cell.source as usize] == *wanted.source
                && wanted
                    .item
                    .as_ref()
                    .is_none_or(|id| *month.entitlements.items[cell.item as usize].item == **id)
        })
        .map(|cell| cell.fen)
        .sum();
    let mut facets = Facets::default();
    facets.money("amount", Some(&wanted.amount), found)?;
    let place = chosen(&[("institution", &wanted.institution), ("item", &wanted.item)]);
    Ok(facets.difference(named("source", &wanted.source, &place, &month.month.to_string())))
}

fn pay(told: &Told<'_>, wanted: &Pay) -> Outcome<Option<Difference>> {
    let settled = told.own()?;
    let schedule = &settled.schedule;
    let mut facets = Facets::default();
    let (mut sum, mut dates, mut holds) = (0_i64, BTreeSet::new(), BTreeSet::new());
    for line in &schedule.lines {
        let Some(payee) = schedule.payees.get(line.payee as usize) else { continue };
        if is(wanted.institution.as_ref(), &payee.institution_id)
            && is(wanted.item.as_ref(), &line.item)
            && is(wanted.source.as_ref(), &line.source)
        {
            sum = sum.saturating_add(line.payable_fen);
            dates.insert(line.pay_on.map_or_else(|| "none".to_owned(), |on| on.to_string()));
            holds.insert(payee.hold_reason.to_string());
        }
    }
    let all = |found: BTreeSet<String>| found.into_iter().collect::<Vec<_>>().join(" and ");
    facets.money("amount", wanted.amount.as_ref(), sum)?;
    facets.hold("on", wanted.on.as_ref(), all(dates));
    facets.hold("hold", wanted.hold.as_ref(), all(holds));
    let place = chosen(&[
        ("institution", &wanted.institution),
        ("item", &wanted.item),
        ("source", &wanted.source),
    ]);
    Ok(facets.difference(named("pay", "of the schedule", &place, &settled.period.to_string())))
}

fn finding(told: &Told<'_>, wanted: &Found) -> Outcome<Option<Difference>> {
    if crate::domain::FindingCode::ALL.iter().all(|code| code.name() != wanted.code) {
        return Err(format!("code: found {:?}; expected the code of a finding", wanted.code));
    }
    let found: u64 = told
        .own()?
        .findings
        .iter()
        .filter(|of| of.code.name() == wanted.code)
        .filter(|of| {
            is(wanted.institution.as_ref(), &of.institution_id)
                && is(wanted.rule.as_ref(), &of.rule)
        })
        .map(|of| of.count)
        .sum();
    let mut facets = Facets::default();
    match wanted.count {
        Some(count) => facets.hold("count", Some(count), found),
        None if (found == 0) != wanted.absent => {
            let expected = if wanted.absent { "none" } else { "at least one" };
            facets.hold("count", Some(expected), found);
        }
        None => {}
    }
    let place = chosen(&[("institution", &wanted.institution), ("rule", &wanted.rule)]);
    Ok(facets.difference(named("finding", &wanted.code, &place, "")))
}

/// Rows of a basis that are meant, and what stands in their columns.
fn cells(told: &Told<'_>, wanted: &Fact, as_held: bool) -> Outcome<Option<Difference>> {
    let (_, month) = told.month(wanted.month.as_deref())?;
    let basis = Basis::parse(&wanted.basis);
    let kind = if as_held { "fact" } else { "value" };
    let what = named(kind, &wanted.basis, &wanted.place, &month.month.to_string());
    let mut facets = Facets::default();
    let Some(frame) = month.frames.get(&basis) else {
        let names: Vec<String> = month.frames.iter().map(|of| of.basis.to_string()).collect();
        let names = names.join(", ");
        return Err(format!("basis: found {:?}; rows stand on {names}", wanted.basis));
    };
    let found = rows(month, frame, &wanted.place, as_held, |_| true)?;
    facets.hold("rows", Some(wanted.rows.unwrap_or(1)), found.len());
    let why = if facets.0.is_empty() {
        Vec::new()
    } else {
        let all: Vec<usize> =
            if found.is_empty() { (0..frame.rows).collect() } else { found.clone() };
        rows_there_are(frame, &all)
    };
    for (name, Word(text)) in &wanted.is {
        let Some(reading) = Reading::of(month, frame, name, as_held) else {
            // What no rule reads is not made, and a fact may say so.
            if as_held && *text == format!("no column {name}") {
                continue;
            }
            return Err(no_column(frame, name));
        };
        for row in found.iter().filter(|row| !reading.fits(**row, text)) {
            let found = reading.shown(*row);
            facets.0.push(Facet { name: name.clone(), expected: text.clone(), found });
        }
    }
    Ok(facets.difference(what).map(|of| Difference { why, ..of }))
}
