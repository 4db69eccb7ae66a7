//! One item: gates combined in their order, the amount of the rows that passed, line rounding.

use super::breach::price_tests;
use super::columns::{in_order, join, places, places_ascending};
use super::rounding::{Part, round_parts};
use super::steps::{Walk, gate, gate_column, prices};
use super::verdicts::{Verdicts, View, verdict_of};
use super::{ItemLines, LineStatus};
use crate::domain::{
    Basis, Cell, Column, FindingCode, Frame, Frames, RowError, Stored, concatenate, filled,
};
use crate::facts::Spot;
use crate::history::Past;
use crate::law::{Breach, GateRef, GateRule, LawOfMonth, PriceRule, SubsidyRule};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Reasons the engine itself gives, beside those of gates and [`RowError`].
pub mod reasons {
    /// The listing has no day in the month.
    pub const NOT_IN_MONTH: &str = "not_in_month";
    /// The institution is not in the register.
    pub const INSTITUTION_UNKNOWN: &str = "institution_unknown";
    /// The register contradicts itself on the institution.
    pub const INSTITUTION_CONTRADICTS: &str = "institution_contradicts";
    /// The institution stands on several equal rows; another of them is paid.
    pub const LISTED_TWICE: &str = "listed_twice";
    /// Listings of the child overlap and the pack names no winner (S1).
    pub const OVERLAPPING: &str = "overlapping_listings";
    /// The fee is above the guide price ceiling.
    pub const FEE_ABOVE: &str = "fee_above_ceiling";
    /// The fee is below the guide price floor.
    pub const FEE_BELOW: &str = "fee_below_floor";
    /// There is no fee to judge.
    pub const FEE_MISSING: &str = "fee_missing";
    /// Another spell of the child at the institution breached a guide price that refuses the child.
    pub const CHILD_BREACH: &str = "child_fee_breach";
    /// The institution breached a guide price that refuses the whole institution.
    pub const INSTITUTION_BREACH: &str = "institution_fee_breach";
    /// Nobody is named to pay the amount to.
    pub const PAYEE_MISSING: &str = "payee_missing";
    /// The amount itself is zero.
    pub const AMOUNT_ZERO: &str = "amount_zero";
    /// A gate the row depends on has no value, for instance for want of an institution.
    pub const GATE_ERROR: &str = "no_parent_row";
}

/// Lines that one thread gives their amounts in one go.
const STRETCH: usize = 8192;

/// One test of admission on the item's own rows: true passes.
pub(crate) struct Test {
    pub(crate) reason: u16,
    pub(crate) zero: bool,
    /// What it says of each row.
    pub(crate) verdicts: Verdicts,
}

/// Bases whose rows are one child's.
pub(crate) const fn of_child(basis: &Basis) -> bool {
    matches!(basis, Basis::Day | Basis::Week | Basis::Spell | Basis::Listing | Basis::Child)
}

/// The basis whose rows tell that the listing of a row of `own` overlaps another.
pub(crate) fn overlapping_on(own: &Basis) -> &Basis {
    if *own == Basis::Day { &Basis::Spell } else { own }
}

/// Computes the lines of one item on all segments.
pub(crate) fn entitle(
    walk: &mut Walk<'_>,
    basis: &Basis,
    rules: &[Option<Arc<SubsidyRule>>],
    rows: &[Vec<u32>],
) {
    let len = walk.frames.get(basis).map_or(0, |frame| frame.rows);
    let Some(id) = rules.iter().flatten().next().map(|rule| Arc::clone(&rule.head.id)) else {
        return;
    };
    let mut lines = ItemLines {
        item: Arc::clone(&id),
        basis: basis.clone(),
        rules: rules.to_vec(),
        owners: None,
        status: filled(LineStatus::Absent, len),
        reason: filled(0, len),
        amount: filled(0, len),
        exact: None,
        quantity: None,
        rate: None,
        allocated: Vec::new(),
        capped: None,
        to_date: None,
        used: Vec::new(),
        cut_by: filled(0, len),
    };
    let mut parts: Vec<Part> = Vec::new();
    let mut first = true;
    for (segment, rule) in rules.iter().enumerate() {
        if let Some(rule) = rule {
            let own = &rows[segment.min(rows.len() - 1)];
            if let Some(payee) = &rule.payee {
                walk.put_payees(rule, payee, own, first);
                first = false;
            }
            let own = own_rows(walk.frames, basis, own);
            let own = own.as_ref();
            let tests = tests(walk, segment, rule, len);
            let passed = combine(&tests, own, &mut lines, walk);
            parts.push(part(walk, rule, passed));
        }
    }
    let passed = |status: &LineStatus| *status == LineStatus::Paid;
    let eligible = lines.status.par_iter().with_min_len(STRETCH).map(passed).collect();
    amounts(walk, &parts, &mut lines);
    join_shown(&mut lines, parts, len);
    walk.eligible.insert(id, eligible);
    walk.entitlements.items.push(lines);
}

/// Rows of an item that pass its tests, some gates left out, on frames that hold what the law
/// computed; for one segment.
pub(crate) fn admitted(
    law: &LawOfMonth,
    frames: &mut Frames,
    rule: &SubsidyRule,
    without: &BTreeSet<Arc<str>>,
    past: &Past<'_>,
) -> Vec<bool> {
    let mut walk = Walk::new(law, frames, past);
    let kept = |gate: &&GateRef| !matches!(gate, GateRef::Gate(id) if without.contains(id));
    let gates = rule.gates.iter().filter(kept).cloned().collect();
    let rule = SubsidyRule { gates, ..rule.clone() };
    let len = walk.frames.get(&rule.basis).map_or(0, |frame| frame.rows);
    let tests = tests(&mut walk, 0, &rule, len);
    let views: Vec<View<'_>> =
        tests.iter().map(|test| test.verdicts.view(walk.frames, &rule.basis)).collect();
    let all: Vec<u32> = (0_u32..).take(len).collect();
    let mut passes = vec![false; len];
    for row in own_rows(walk.frames, &rule.basis, &all).iter() {
        let at = *row as usize;
        passes[at] = views.iter().all(|view| view.at(at) == 0);
    }
    passes
}

/// Rows the item has a line on: a row that takes over inside the month shares its main row's line.
fn own_rows<'r>(frames: &Frames, basis: &Basis, rows: &'r [u32]) -> Cow<'r, [u32]> {
    let mains = frames.get(basis).and_then(|frame| frame.links.get(basis));
    match (basis, mains) {
        (Basis::Institution, Some(mains)) => {
            rows.iter().copied().filter(|row| mains[*row as usize] == *row).collect()
        }
        _ => Cow::Borrowed(rows),
    }
}

/// All tests in order of precedence: the item's gates and prices, unlisted prices of its basis,
/// then what no pack can waive.
fn tests(walk: &mut Walk<'_>, segment: usize, rule: &SubsidyRule, len: usize) -> Vec<Test> {
    let mut tests = Vec::new();
    let mut listed: Vec<Arc<str>> = Vec::new();
    for gate_ref in &rule.gates {
        match gate_ref {
            GateRef::Gate(id) => {
                if let Some(gate) = gate(walk.law, segment, id).cloned() {
                    let reason = reason(walk, &gate.reason);
                    let verdicts = Verdicts::passing(&gate.basis, gate_column(id));
                    tests.push(Test { reason, zero: gate.zero, verdicts });
                }
            }
            GateRef::Price(id) => {
                listed.push(Arc::clone(id));
                let found = prices(walk.law, segment).into_iter().find(|p| p.head.id == *id);
                if let Some(price) = found.cloned() {
                    price_tests(walk, &price, rule, len, &mut tests);
                }
            }
        }
    }
    let rest: Vec<Arc<PriceRule>> = prices(walk.law, segment)
        .into_iter()
        .filter(|price| !listed.contains(&price.head.id))
        .filter(|price| price.basis == rule.basis || price.breach == Breach::RefuseInstitution)
        .cloned()
        .collect();
    for price in rest {
        price_tests(walk, &price, rule, len, &mut tests);
    }
    standing_tests(walk, rule, len, &mut tests);
    if rule.payee.is_some() {
        let reason = reason(walk, reasons::PAYEE_MISSING);
        let verdicts = Verdicts::Made(walk.payee_verdicts(rule, len));
        tests.push(Test { reason, zero: false, verdicts });
    }
    tests
}

pub(crate) fn reason(walk: &mut Walk<'_>, code: &str) -> u16 {
    u16::try_from(walk.entitlements.reasons.intern(code)).unwrap_or(u16::MAX)
}

/// What no pack can waive: a listing outside the month, an unknown or contradicting institution,
/// overlapping listings without a winner.
fn standing_tests(walk: &mut Walk<'_>, rule: &SubsidyRule, len: usize, tests: &mut Vec<Test>) {
    let own = &rule.basis;
    let mut push = |walk: &mut Walk<'_>, code: &str, zero: bool, verdicts: Option<Verdicts>| {
        if let Some(verdicts) = verdicts {
            tests.push(Test { reason: reason(walk, code), zero, verdicts });
        }
    };
    let holds = |walk: &Walk<'_>, column: &str| {
        let known = walk.frames.get(own).is_some_and(|frame| frame.get(column).is_some());
        let verdicts = Verdicts::passing(own, column.to_owned());
        known.then_some(verdicts).filter(|verdicts| verdicts.any(walk.frames, own, len))
    };
    if of_child(own) {
        for (column, code) in [
            ("institution_known", reasons::INSTITUTION_UNKNOWN),
            ("in_month", reasons::NOT_IN_MONTH),
        ] {
            let found = holds(walk, column);
            push(walk, code, false, found);
        }
        if walk.law.head.overlaps == crate::law::Overlaps::Refuse {
            let of = overlapping_on(own);
            let found = Verdicts::failing(walk.frames, own, of, "overlapping", len);
            push(walk, reasons::OVERLAPPING, false, found);
        }
    }
    let register = Basis::Institution;
    let found = Verdicts::failing(walk.frames, own, &register, "listed_contradicts", len);
    push(walk, reasons::INSTITUTION_CONTRADICTS, false, found);
    if *own == register {
        let found = holds(walk, "listed_first");
        push(walk, reasons::LISTED_TWICE, true, found);
    }
}

/// Applies the tests to each row in order; the first failure is the reason (S7). Returns the rows
/// that passed all.
fn combine(tests: &[Test], own: &[u32], lines: &mut ItemLines, walk: &mut Walk<'_>) -> Vec<u32> {
    let errors: BTreeMap<u8, u16> =
        ROW_ERRORS.iter().map(|error| (verdict_of(*error), reason(walk, error.reason()))).collect();
    let views: Vec<(&Test, View<'_>)> =
        tests.iter().map(|test| (test, test.verdicts.view(walk.frames, &lines.basis))).collect();
    let judge = |row: usize| {
        for (test, view) in &views {
            match view.at(row) {
                0 => {}
                1 if test.zero => return (LineStatus::Zero, test.reason),
                1 => return (LineStatus::Refused, test.reason),
                error => {
                    return (LineStatus::Refused, errors.get(&error).copied().unwrap_or(0));
                }
            }
        }
        (LineStatus::Paid, 0)
    };
    if in_order(own, lines.status.len()) {
        // The rows of each stretch that passed.
        let status = lines.status.par_chunks_mut(STRETCH);
        let stretches = status.zip(lines.reason.par_chunks_mut(STRETCH)).enumerate();
        let passed = stretches.map(|(stretch, (status, reason))| {
            let first = stretch * STRETCH;
            let mut passing = vec![true; status.len()];
            for (_, view) in &views {
                view.narrow(first, &mut passing);
            }
            let mut passed = Vec::with_capacity(passing.len());
            for (at, passes) in passing.into_iter().enumerate() {
                if passes {
                    status[at] = LineStatus::Paid;
                    passed.push(own[first + at]);
                } else {
                    (status[at], reason[at]) = judge(first + at);
                }
            }
            passed
        });
        let passed: Vec<Vec<u32>> = passed.collect();
        return concatenate(&passed.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }
    let judged: Vec<_> =
        own.par_iter().with_min_len(8192).map(|row| judge(*row as usize)).collect();
    for (row, (status, reason)) in own.iter().zip(judged) {
        lines.status[*row as usize] = status;
        lines.reason[*row as usize] = reason;
    }
    let paid = |row: &&u32| lines.status[**row as usize] == LineStatus::Paid;
    own.par_iter().with_min_len(8192).filter(paid).copied().collect()
}

const ROW_ERRORS: [RowError; 5] = [
    RowError::NoParent,
    RowError::TableMiss,
    RowError::DivisionByZero,
    RowError::Overflow,
    RowError::NegativeAmount,
];

/// Evaluates a segment's rule on the rows that passed (S7: only there).
fn part(walk: &Walk<'_>, rule: &Arc<SubsidyRule>, passed: Vec<u32>) -> Part {
    let eval = |expr| walk.eval(expr, &rule.basis, &passed);
    let exact = eval(&rule.amount);
    let quantity = rule.quantity.as_ref().map(eval);
    let rate = rule.rate.as_ref().map(eval);
    Part { rule: Arc::clone(rule), passed, exact, quantity, rate }
}

/// Amounts of all segments, rounded as their rules say: a scope coarser than the line sums over
/// the whole month, so nothing is rounded before every segment is evaluated.
fn amounts(walk: &mut Walk<'_>, parts: &[Part], lines: &mut ItemLines) {
    let zero = reason(walk, reasons::AMOUNT_ZERO);
    let codes = ROW_ERRORS.map(|error| reason(walk, error.reason()));
    for (part, amounts) in parts.iter().zip(round_parts(walk.frames, &lines.basis, parts)) {
        // The rows that passed stand in order, so a stretch of lines finds its own among them.
        let place = |row: usize| part.passed.partition_point(|passed| (*passed as usize) < row);
        let stretches = lines
            .status
            .par_chunks_mut(STRETCH)
            .zip(lines.reason.par_chunks_mut(STRETCH))
            .zip(lines.amount.par_chunks_mut(STRETCH));
        stretches.enumerate().for_each(|(at, ((status, reason), amount))| {
            let first = at * STRETCH;
            for place in place(first)..place(first + STRETCH) {
                let row = part.passed[place] as usize - first;
                match amounts.at(place) {
                    Ok(fen) if fen < 0 && !part.rule.any_sign => {
                        (status[row], reason[row]) = (LineStatus::Refused, codes[4]);
                    }
                    Ok(0) => (status[row], reason[row]) = (LineStatus::Zero, zero),
                    Ok(fen) => amount[row] = fen,
                    Err(error) => {
                        let code = ROW_ERRORS.iter().position(|known| *known == error);
                        let code = codes[code.unwrap_or(3)];
                        (status[row], reason[row]) = (LineStatus::Refused, code);
                    }
                }
            }
        });
    }
}

/// Puts the shown columns of all segments on the rows of the basis.
fn join_shown(lines: &mut ItemLines, parts: Vec<Part>, len: usize) {
    let mut rows = Vec::new();
    let mut exact = Vec::new();
    let mut quantity = Vec::new();
    let mut rate = Vec::new();
    let blank = |rows: usize| Stored::plain(Column::whole(vec![0; rows])).all_null(rows);
    let (any_quantity, any_rate) = (
        parts.iter().any(|part| part.quantity.is_some()),
        parts.iter().any(|part| part.rate.is_some()),
    );
    for part in parts {
        if any_quantity {
            quantity.push(part.quantity.unwrap_or_else(|| blank(part.passed.len())));
        }
        if any_rate {
            rate.push(part.rate.unwrap_or_else(|| blank(part.passed.len())));
        }
        exact.push(part.exact);
        rows.push(part.passed);
    }
    if exact.is_empty() {
        return;
    }
    let places = match &rows[..] {
        [only] => places_ascending(only, len),
        several => places(&several.concat(), len),
    };
    let place = |parts| {
        let joined = join(parts);
        match &places {
            None => joined,
            Some(places) => joined.take(places),
        }
    };
    lines.exact = Some(place(exact));
    lines.quantity = any_quantity.then(|| place(quantity));
    lines.rate = any_rate.then(|| place(rate));
}

/// Counts the rows that fail a gate which only warns, by institution.
pub(crate) fn count_warnings(walk: &mut Walk<'_>, rule: &GateRule) {
    let own = FindingCode::parse(&rule.reason);
    let code = own.unwrap_or(FindingCode::ConditionUnmet);
    // A reason of the pack's own is told with the name of the condition.
    let values = || match own {
        Some(_) => Vec::new(),
        None => {
            vec![("condition", rule.head.label.to_string()), ("reason", rule.reason.to_string())]
        }
    };
    let Some(frame) = walk.frames.get(&rule.basis) else { return };
    let homes = super::aggregate::parents(walk.frames, &rule.basis, &Basis::Institution);
    let verdicts = Verdicts::passing(&rule.basis, gate_column(&rule.head.id));
    let verdicts = verdicts.view(walk.frames, &rule.basis);
    let in_month = match frame.get("in_month").map(|stored| &stored.column) {
        Some(Column::Bool(values)) => Some(values),
        _ => None,
    };
    let mut counts: BTreeMap<u32, (u64, u32)> = BTreeMap::new();
    for row in 0..frame.rows {
        if verdicts.at(row) == 1 && in_month.is_none_or(|values| values[row]) {
            let home = homes.get(row).copied().unwrap_or(Frame::NO_ROW);
            let row = u32::try_from(row).unwrap_or(u32::MAX);
            counts.entry(home).or_insert((0, row)).0 += 1;
        }
    }
    let found: Vec<_> = counts
        .into_iter()
        .map(|(home, (count, row))| (institution_text(walk.frames, home), count, spot(frame, row)))
        .collect();
    for (id, count, spot) in found {
        walk.tally.add(code, &id, &rule.head.id, count, spot, values());
    }
}

/// The id of an institution row as text; empty where there is none.
pub(crate) fn institution_text(frames: &Frames, row: u32) -> String {
    let stored = frames.get(&Basis::Institution).and_then(|f| f.get("institution_id"));
    match stored.filter(|_| row != Frame::NO_ROW).map(|stored| stored.cell(row as usize)) {
        Some(Cell::Text(text)) => text,
        _ => String::new(),
    }
}

pub(crate) fn spot(frame: &Frame, row: u32) -> Option<Spot> {
    let (file, record) = frame.origin(row as usize)?;
    Some(Spot { file: file as usize, record })
}
