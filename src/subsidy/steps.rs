//! Walks the law's steps: each step computes a column on the rows of its basis, reading only what
//! earlier steps left there.

use super::aggregate::{ItemView, compute};
use super::columns::{evaluate, scatter};
use super::item;
use super::{Entitlements, ItemLines};
use crate::domain::{Basis, Calendar, Column, Finding, Frames, Stored};
use crate::facts::Tally;
use crate::history::Past;
use crate::intake::Tables;
use crate::law::expr::Expr;
use crate::law::{Aggregate, GateRule, LawOfMonth, PriceRule, Step, ValueRule};
use crate::price;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Column that holds a gate's answer.
pub(crate) fn gate_column(id: &str) -> String {
    format!("gate:{id}")
}

/// Column that holds whether a price could not judge for want of a fee.
pub(crate) fn missing_column(id: &str) -> String {
    format!("{id}.missing")
}

/// What identifies a step across the segments of a month.
fn step_key(step: &Step) -> (u8, Arc<str>) {
    match step {
        Step::Value(rule) => (0, Arc::clone(&rule.head.id)),
        Step::Aggregate(rule) => (1, Arc::clone(&rule.name)),
        Step::Price(rule) => (2, Arc::clone(&rule.head.id)),
        Step::Gate(rule) => (3, Arc::clone(&rule.head.id)),
        Step::Item(rule) => (4, Arc::clone(&rule.head.id)),
        Step::Within(rule) => (5, Arc::clone(&rule.head.id)),
        Step::Grouping(rule) => (6, Arc::from(rule.basis.name())),
    }
}

fn step_basis(step: &Step) -> &Basis {
    match step {
        Step::Value(rule) => &rule.basis,
        Step::Aggregate(rule) => &rule.basis,
        Step::Within(rule) => &rule.basis,
        Step::Price(rule) => &rule.basis,
        Step::Gate(rule) => &rule.basis,
        Step::Item(rule) => &rule.basis,
        Step::Grouping(rule) => &rule.of,
    }
}

/// One step of the merged order: the segment's version of it, by segment.
pub(crate) type Merged<'a> = ((u8, Arc<str>), Vec<Option<&'a Step>>);

/// The steps of all segments in one order: a step only some segments know stands after the step
/// that precedes it there.
pub(crate) fn merge(law: &LawOfMonth) -> Vec<Merged<'_>> {
    let segments = law.segments.len();
    let mut order: Vec<Merged<'_>> = Vec::new();
    for (segment, of) in law.segments.iter().enumerate() {
        let mut after = 0;
        for step in &of.steps {
            let key = step_key(step);
            let at = order.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
                let at = after.min(order.len());
                order.insert(at, (key, vec![None; segments]));
                at
            });
            order[at].1[segment] = Some(step);
            after = after.max(at + 1);
        }
    }
    order
}

/// State of the walk.
pub(crate) struct Walk<'a> {
    pub(crate) law: &'a LawOfMonth,
    pub(crate) frames: &'a mut Frames,
    pub(crate) entitlements: Entitlements,
    /// Rows of an item whose gates all passed.
    pub(crate) eligible: BTreeMap<Arc<str>, Vec<bool>>,
    pub(crate) tally: Tally,
    /// What earlier months paid.
    pub(crate) past: &'a Past<'a>,
}

/// Rows of each segment on a basis: only spells and listings are cut; elsewhere the law of the
/// first of the month holds for all rows.
pub(crate) fn rows_of(frames: &Frames, basis: &Basis, segments: usize) -> Vec<Vec<u32>> {
    let mut rows = vec![Vec::new(); segments.max(1)];
    let Some(frame) = frames.get(basis) else { return rows };
    let all = 0..u32::try_from(frame.rows).unwrap_or(u32::MAX);
    match frame.get("segment").map(|stored| &stored.column) {
        Some(Column::Num(column)) if segments > 1 => {
            for row in all {
                let segment = usize::try_from(column.values[row as usize]).unwrap_or(0);
                rows[segment.min(segments - 1)].push(row);
            }
        }
        _ => rows[0] = all.collect(),
    }
    rows
}

impl<'a> Walk<'a> {
    pub(crate) fn new(law: &'a LawOfMonth, frames: &'a mut Frames, past: &'a Past<'a>) -> Self {
        let mut entitlements = Entitlements::default();
        entitlements.reasons.intern("");
        entitlements.cutters.intern("");
        let (eligible, tally) = (BTreeMap::new(), Tally::default());
        Walk { law, frames, entitlements, eligible, tally, past }
    }
}

impl Walk<'_> {
    /// Walks every step.
    pub(crate) fn run(&mut self) {
        let law = self.law;
        let mut known: BTreeMap<Basis, Arc<Vec<Vec<u32>>>> = BTreeMap::new();
        for (_, versions) in merge(law) {
            let Some(first) = versions.iter().flatten().next() else { continue };
            let basis = step_basis(first).clone();
            let rows = Arc::clone(
                known
                    .entry(basis.clone())
                    .or_insert_with(|| Arc::new(rows_of(self.frames, &basis, law.segments.len()))),
            );
            self.step(&basis, &versions, &rows);
        }
    }

    fn step(&mut self, basis: &Basis, versions: &[Option<&Step>], rows: &[Vec<u32>]) {
        let Some(first) = versions.iter().flatten().next() else { return };
        match first {
            Step::Value(rule) => {
                let name = Arc::clone(&rule.head.id);
                let stored =
                    self.by_segment(basis, versions, rows, &|walk, step, rows| match step {
                        Step::Value(rule) => walk.value(rule, rows),
                        _ => Self::nothing(rows),
                    });
                self.put(basis, &name, stored);
            }
            Step::Aggregate(rule) => {
                let stored = self.aggregate(rule);
                self.put(basis, &rule.name, stored);
            }
            Step::Within(rule) => {
                let stored = super::within::compute(self.law, self.frames, rule);
                self.put(basis, &rule.head.id, stored);
            }
            Step::Grouping(rule) => self.group(rule),
            Step::Price(_) => {
                for (segment, step) in versions.iter().enumerate() {
                    if let Some(Step::Price(rule)) = step {
                        self.price(rule, &rows[segment], segment == 0);
                    }
                }
            }
            Step::Gate(rule) => {
                let name = gate_column(&rule.head.id);
                let stored =
                    self.by_segment(basis, versions, rows, &|walk, step, rows| match step {
                        Step::Gate(rule) => walk.eval(&rule.require, &rule.basis, rows),
                        _ => Self::nothing(rows),
                    });
                self.put(basis, &name, stored);
                if rule.warn {
                    item::count_warnings(self, rule);
                }
            }
            Step::Item(_) => {
                let rules: Vec<_> = versions
                    .iter()
                    .map(|step| match step {
                        Some(Step::Item(rule)) => Some(Arc::clone(rule)),
                        _ => None,
                    })
                    .collect();
                item::entitle(self, basis, &rules, rows);
            }
        }
    }

    /// Evaluates each segment's version on its rows and puts the results together by row.
    fn by_segment(
        &self,
        basis: &Basis,
        versions: &[Option<&Step>],
        rows: &[Vec<u32>],
        of: &dyn Fn(&Self, &Step, &[u32]) -> Stored,
    ) -> Stored {
        let len = self.frames.get(basis).map_or(0, |frame| frame.rows);
        let busy = rows.iter().filter(|rows| !rows.is_empty()).count();
        let mut parts = Vec::new();
        let mut order: Vec<&[u32]> = Vec::new();
        for (segment, rows) in rows.iter().enumerate() {
            let step = versions.get(segment).copied().flatten();
            if let Some(step) = step.filter(|_| !rows.is_empty() || (busy == 0 && segment == 0)) {
                parts.push(of(self, step, rows));
                order.push(rows);
            }
        }
        if parts.is_empty() {
            return Self::nothing(&[]).take(&vec![u32::MAX; len]);
        }
        let joined = super::columns::join(parts);
        match order[..] {
            // The rows of a segment ascend: all of them are in order.
            [rows] if rows.len() == len => joined,
            [rows] => scatter(joined, rows, len),
            _ => scatter(joined, &order.concat(), len),
        }
    }

    fn nothing(rows: &[u32]) -> Stored {
        Stored::plain(Column::whole(vec![0; rows.len()])).all_null(rows.len())
    }

    pub(crate) fn calendar(&self) -> &Calendar {
        &self.law.calendar
    }

    pub(crate) fn eval(&self, expr: &Expr, basis: &Basis, rows: &[u32]) -> Stored {
        evaluate(expr, self.frames, basis, rows, self.calendar())
    }

    fn value(&self, rule: &ValueRule, rows: &[u32]) -> Stored {
        match rule.round {
            Some(round) => self.eval(&rule.expr.rounded(round), &rule.basis, rows),
            None => self.eval(&rule.expr, &rule.basis, rows),
        }
    }

    fn put(&mut self, basis: &Basis, name: &str, stored: Stored) {
        if let Some(frame) = self.frames.get_mut(basis) {
            frame.put_computed(name, stored);
        }
    }

    fn aggregate(&self, rule: &crate::law::AggregateRule) -> Stored {
        if rule.function.of_history().is_some()
            && let Some(law) = self.law.segments.first()
        {
            return super::aggregate::earlier(rule, self.frames, self.past, law);
        }
        let item = match &rule.function {
            Aggregate::CountEligible(item)
            | Aggregate::CountPaid(item)
            | Aggregate::SumAmount(item) => Some(item),
            _ => None,
        };
        let lines = |id: &Arc<str>| -> Option<(&[bool], &ItemLines)> {
            let lines = self.entitlements.items.iter().find(|lines| lines.item == *id)?;
            Some((self.eligible.get(id)?.as_slice(), lines))
        };
        let view = item
            .and_then(lines)
            .map(|(eligible, lines)| ItemView { eligible, amount: &lines.amount });
        compute(rule, self.frames, view.as_ref(), self.calendar())
    }

    /// Evaluates a guide price, stores its columns and counts its breaches.
    fn price(&mut self, rule: &PriceRule, rows: &[u32], first: bool) {
        let when = self.eval(&rule.when, &rule.basis, rows);
        let fee = self.eval(&rule.fee, &rule.basis, rows);
        let ceiling = self.eval(&rule.ceiling, &rule.basis, rows);
        let floor = rule.floor.as_ref().map(|floor| self.eval(floor, &rule.basis, rows));
        let assessed = price::assess(rule, &when, fee, ceiling, floor);
        super::breach::count_breaches(self, rule, rows, &assessed);
        let id = &rule.head.id;
        let bools = |values: Vec<bool>| Stored::plain(Column::Bool(values));
        for (name, stored) in [
            (format!("{id}.ceiling"), assessed.ceiling),
            (format!("{id}.floor"), assessed.floor),
            (format!("{id}.fee"), assessed.reduced.unwrap_or(assessed.fee)),
            (format!("{id}.over"), bools(assessed.over)),
            (format!("{id}.under"), bools(assessed.under)),
            (missing_column(id), bools(assessed.missing)),
        ] {
            self.put_rows(&rule.basis, &name, stored, rows, first);
        }
    }

    /// Stores values of some rows, keeping what other segments stored for theirs.
    pub(super) fn put_rows(
        &mut self,
        basis: &Basis,
        name: &str,
        stored: Stored,
        rows: &[u32],
        first: bool,
    ) {
        let Some(frame) = self.frames.get_mut(basis) else { return };
        let len = frame.rows;
        if rows.len() == len {
            frame.put_computed(name, stored);
            return;
        }
        let known = if first { None } else { frame.get(name).cloned() };
        let scattered = scatter(stored, rows, len);
        let merged = match known {
            None => scattered,
            Some(known) => {
                let both = super::columns::join(vec![known, scattered]);
                let mut order: Vec<u32> =
                    (0..len).filter_map(|row| u32::try_from(row).ok()).collect();
                for row in rows {
                    order[*row as usize] = *row + u32::try_from(len).unwrap_or(0);
                }
                both.take(&order)
            }
        };
        frame.put_computed(name, merged);
    }
}

/// A gate of a segment by id.
pub(crate) fn gate<'a>(law: &'a LawOfMonth, segment: usize, id: &str) -> Option<&'a Arc<GateRule>> {
    law.segments.get(segment)?.steps.iter().find_map(|step| match step {
        Step::Gate(rule) if &*rule.head.id == id => Some(rule),
        _ => None,
    })
}

/// Guide prices of a segment on a basis.
pub(crate) fn prices(law: &LawOfMonth, segment: usize) -> Vec<&Arc<PriceRule>> {
    law.segments.get(segment).map_or_else(Vec::new, |of| {
        of.steps
            .iter()
            .filter_map(|step| match step {
                Step::Price(rule) => Some(rule),
                _ => None,
            })
            .collect()
    })
}

/// Computes every line of the month.
#[must_use]
pub fn entitle(
    law: &LawOfMonth,
    frames: &mut Frames,
    tables: &Tables,
    past: &Past<'_>,
) -> (Entitlements, Vec<Finding>) {
    let mut walk = Walk::new(law, frames, past);
    walk.run();
    let Walk { mut entitlements, tally, frames, .. } = walk;
    let order = |id: &Arc<str>| {
        let of = |law: &crate::law::Law| law.items.iter().position(|item| item.head.id == *id);
        law.segments.iter().find_map(of).unwrap_or(usize::MAX)
    };
    entitlements.items.sort_by_key(|lines| order(&lines.item));
    super::payees::number_owners(frames, &mut entitlements);
    (entitlements, tally.into_findings(tables))
}
