//! The steps of the law that some scenario of a family changes, in order, each with the rows that
//! are alike in all it reads.

use super::delta::Delta;
use super::kinds::{Codes, Kinds, Numbering};
use super::place::{Fed, Laying, Made, Place, Reduced};
use super::reads::{Column, Known, Reads, reads_of};
use crate::domain::{Basis, Calendar, Frame, Frames};
use crate::history::{Past, Persons};
use crate::law::expr::Expr;
use crate::law::{
    Aggregate, AggregateRule, Breach, CapRule, GateRef, Law, LawOfMonth, PriceRule, Step,
    SubsidyRule,
};
use crate::subsidy::{Rounded, admitted, evaluate, gate_column, parents};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How a changed step is made.
#[derive(Debug)]
enum Way {
    /// The expression of a value, a gate, a ceiling or the limit of a cap.
    Expression,
    /// An item: what the gates no scenario changes say of a kind, then the others.
    Item { passes: Vec<bool>, gates: Vec<Fed> },
    /// An aggregate over the lines of an item: for each row the kinds below it, and how many.
    Lines { of: usize, function: Aggregate, starts: Vec<usize>, below: Vec<(u32, i64)> },
}

/// A changed step.
#[derive(Debug)]
pub(super) struct Part {
    /// Its place among the steps of the law; among the caps for a limit.
    at: usize,
    limit: bool,
    way: Way,
    place: Place,
}

/// The changed steps, and where their results stand.
#[derive(Debug)]
pub(super) struct Steps {
    law: Law,
    pub(super) calendar: Arc<Calendar>,
    parts: Vec<Part>,
}

impl Steps {
    /// Makes every step as a scenario has it.
    pub(super) fn make(&self, delta: &Delta) -> Option<Vec<Made>> {
        let mut made = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let next = self.part(part, delta, &made)?;
            made.push(next);
        }
        Some(made)
    }

    /// A cap as a scenario has it.
    pub(super) fn cap<'s>(&'s self, at: usize, delta: &'s Delta) -> &'s CapRule {
        delta.caps.get(&at).unwrap_or(&self.law.caps[at])
    }

    fn step<'s>(&'s self, at: usize, delta: &'s Delta) -> &'s Step {
        delta.steps.get(&at).unwrap_or(&self.law.steps[at])
    }

    fn part(&self, part: &Part, delta: &Delta, made: &[Made]) -> Option<Made> {
        let eval = |expr: &Expr| {
            let frames = part.place.with(made);
            part.place.eval(expr, &frames, &self.calendar)
        };
        match &part.way {
            Way::Expression if part.limit => {
                Some(Made::Column(eval(&self.cap(part.at, delta).limit)))
            }
            Way::Expression => Some(Made::Column(eval(&expression(self.step(part.at, delta))?))),
            Way::Item { passes, gates } => {
                let Step::Item(rule) = self.step(part.at, delta) else { return None };
                let mut eligible = passes.clone();
                for gate in gates {
                    let Made::Column(verdicts) = &made[gate.step] else { return None };
                    for (passes, row) in eligible.iter_mut().zip(&gate.rows) {
                        *passes = *passes && holds(verdicts, *row);
                    }
                }
                let exact = eval(&rule.amount);
                let rounded = Rounded::new(&exact, rule.round);
                let amount = |(at, eligible): (usize, &bool)| match rounded.at(at) {
                    // Below zero, or without a value, a line is refused.
                    Ok(fen) if *eligible => fen.max(0),
                    _ => 0,
                };
                let amount = eligible.iter().enumerate().map(amount).collect();
                Some(Made::Lines { eligible, amount })
            }
            Way::Lines { of, function, starts, below } => {
                let Made::Lines { eligible, amount } = &made[*of] else { return None };
                let one = |(kind, count): &(u32, i64)| {
                    let at = *kind as usize;
                    let each = match function {
                        Aggregate::CountEligible(_) => i64::from(eligible[at]),
                        Aggregate::CountPaid(_) => i64::from(amount[at] > 0),
                        _ => amount[at],
                    };
                    each.checked_mul(*count)
                };
                let sum = |pair: &[usize]| {
                    below[pair[0]..pair[1]]
                        .iter()
                        .try_fold(0_i64, |sum, kind| sum.checked_add(one(kind)?))
                };
                let sums: Option<Vec<i64>> = starts.windows(2).map(sum).collect();
                let whole = crate::domain::Column::whole(sums?);
                Some(Made::Column(crate::domain::Stored::plain(whole)))
            }
        }
    }
}

/// Whether a verdict lets a row pass.
fn holds(verdicts: &crate::domain::Stored, row: u32) -> bool {
    let at = row as usize;
    row != Frame::NO_ROW
        && verdicts.error(at).is_none()
        && !verdicts.is_null(at)
        && matches!(&verdicts.column, crate::domain::Column::Bool(values) if values[at])
}

/// What a step evaluates.
fn expression(step: &Step) -> Option<Expr> {
    match step {
        Step::Value(rule) => {
            Some(rule.round.map_or_else(|| rule.expr.clone(), |round| rule.expr.rounded(round)))
        }
        Step::Gate(rule) => Some(rule.require.clone()),
        Step::Price(rule) => Some(rule.ceiling.clone()),
        Step::Item(rule) => Some(rule.amount.clone()),
        Step::Aggregate(_) | Step::Within(_) | Step::Grouping(_) => None,
    }
}

/// A guide price whose ceiling some scenario changes.
#[derive(Debug)]
pub(super) struct ChangedPrice {
    pub(super) rule: Arc<PriceRule>,
    pub(super) step: usize,
    pub(super) kinds: Arc<Kinds>,
}

/// An item some scenario changes.
#[derive(Debug)]
pub(super) struct ChangedItem {
    pub(super) step: usize,
    pub(super) kinds: Arc<Kinds>,
    /// What the gates no scenario changes say of a kind.
    pub(super) passes: Vec<bool>,
    admission: bool,
}

/// The steps of a family while they are laid.
#[derive(Debug)]
pub(super) struct Building<'a> {
    pub(super) frames: &'a mut Frames,
    month: &'a LawOfMonth,
    pub(super) deltas: &'a [&'a Delta],
    pub(super) known: Known,
    pub(super) steps: Steps,
    pub(super) prices: BTreeMap<Arc<str>, ChangedPrice>,
    pub(super) items: BTreeMap<Arc<str>, ChangedItem>,
    /// Step and kinds of the limit of a cap.
    pub(super) limits: BTreeMap<usize, (usize, Arc<Kinds>)>,
}

/// The steps that the scenarios change, on frames that hold what the baseline computed; `None` where
/// one of them is beyond the condensed path.
pub(super) fn lay<'a>(
    month: &'a LawOfMonth,
    frames: &'a mut Frames,
    deltas: &'a [&'a Delta],
) -> Option<Building<'a>> {
    let law = super::delta::plain(month)?.clone();
    let calendar = Arc::clone(&month.calendar);
    let mut building = Building {
        frames,
        month,
        deltas,
        known: Known::default(),
        steps: Steps { law, calendar, parts: Vec::new() },
        prices: BTreeMap::new(),
        items: BTreeMap::new(),
        limits: BTreeMap::new(),
    };
    for (at, step) in building.steps.law.steps.clone().iter().enumerate() {
        building.step(at, step)?;
    }
    for at in 0..building.steps.law.caps.len() {
        building.limit(at)?;
    }
    Some(building)
}

impl Building<'_> {
    /// The versions of a step: the baseline's, and where a scenario has its own.
    fn versions(&self, at: usize) -> Vec<&Step> {
        let own = self.deltas.iter().filter_map(|delta| delta.steps.get(&at));
        std::iter::once(&self.steps.law.steps[at]).chain(own).collect()
    }

    fn step(&mut self, at: usize, step: &Step) -> Option<()> {
        let own = self.deltas.iter().any(|delta| delta.steps.contains_key(&at));
        let exprs: Vec<Expr> = self.versions(at).into_iter().filter_map(expression).collect();
        let reads = reads_of(&exprs);
        let changed = own || self.known.any(&reads);
        match step {
            Step::Value(rule) if changed => {
                let name = Arc::clone(&rule.head.id);
                self.expression(at, &rule.basis, &exprs, &reads, &name)?;
            }
            Step::Gate(rule) if changed => {
                let name = Arc::from(gate_column(&rule.head.id));
                self.expression(at, &rule.basis, &exprs, &reads, &name)?;
            }
            Step::Price(rule) => self.price(at, rule, &exprs, &reads, changed)?,
            Step::Aggregate(rule) => self.aggregate(at, rule)?,
            Step::Item(rule) => self.item(at, rule, &exprs, &reads, changed)?,
            Step::Within(_) | Step::Grouping(_) => return None,
            Step::Value(_) | Step::Gate(_) => {}
        }
        Some(())
    }

    fn expression(
        &mut self,
        at: usize,
        basis: &Basis,
        exprs: &[Expr],
        reads: &Reads,
        name: &Arc<str>,
    ) -> Option<(usize, Arc<Kinds>)> {
        let mut numbering = Numbering::new(self.frames.get(basis)?.rows);
        self.refine(&mut numbering, basis, (at, exprs), reads, None)?;
        let kinds = Arc::new(numbering.finish());
        let place = self.place(basis, reads, &kinds)?;
        let step = self.push(Part { at, limit: false, way: Way::Expression, place });
        self.known.makes(basis, name, step, &kinds);
        Some((step, kinds))
    }

    fn push(&mut self, part: Part) -> usize {
        self.steps.parts.push(part);
        self.steps.parts.len() - 1
    }

    fn price(
        &mut self,
        at: usize,
        rule: &Arc<PriceRule>,
        exprs: &[Expr],
        reads: &Reads,
        changed: bool,
    ) -> Option<()> {
        let fixed: Vec<Expr> = [Some(&rule.when), Some(&rule.fee), rule.floor.as_ref()]
            .into_iter()
            .flatten()
            .cloned()
            .collect();
        if self.known.any(&reads_of(&fixed)) {
            return None;
        }
        if !changed {
            return Some(());
        }
        if matches!(rule.breach, Breach::RefuseChild | Breach::RefuseInstitution) {
            return None;
        }
        let id = &rule.head.id;
        let name = Arc::from(format!("{id}.ceiling"));
        let (step, kinds) = self.expression(at, &rule.basis, exprs, reads, &name)?;
        if rule.breach == Breach::ReduceToCeiling {
            let fee = Arc::from(format!("{id}.fee"));
            self.known.reduces(&rule.basis, &fee, (step, &kinds), rule);
        }
        self.known.opaque(&rule.basis, &Arc::from(format!("{id}.over")));
        let price = ChangedPrice { rule: Arc::clone(rule), step, kinds };
        self.prices.insert(Arc::clone(id), price);
        Some(())
    }

    fn aggregate(&mut self, at: usize, rule: &AggregateRule) -> Option<()> {
        let inner: Vec<Expr> = rule.argument.iter().chain(&rule.filter).cloned().collect();
        if self.known.any(&reads_of(&inner)) {
            return None;
        }
        let (item, admission) = match &rule.function {
            Aggregate::CountEligible(item) => (item, true),
            Aggregate::CountPaid(item) | Aggregate::SumAmount(item) => (item, false),
            _ => return Some(()),
        };
        let Some(changed) = self.items.get(item) else { return Some(()) };
        if admission && !changed.admission {
            return Some(());
        }
        let frame = self.frames.get(&rule.basis)?;
        let mains = frame.links.get(&Basis::Institution);
        let versions = rule.basis == Basis::Institution
            && mains.is_some_and(|mains| (0_u32..).zip(mains).any(|(row, main)| row != *main));
        if !inner.is_empty() || versions {
            return None;
        }
        let rows = frame.rows;
        let (of, kinds) = (changed.step, Arc::clone(&changed.kinds));
        let mut pairs: Vec<(u32, u32)> = parents(self.frames, &rule.over, &rule.basis)
            .into_iter()
            .zip(kinds.of.iter().copied())
            .filter(|(parent, kind)| *parent != Frame::NO_ROW && changed.passes[*kind as usize])
            .collect();
        pairs.sort_unstable();
        let mut starts = vec![0; rows + 1];
        let mut below: Vec<(u32, i64)> = Vec::new();
        for alike in pairs.chunk_by(|a, b| a == b) {
            below.push((alike[0].1, i64::try_from(alike.len()).ok()?));
            starts[alike[0].0 as usize + 1] = below.len();
        }
        for row in 1..=rows {
            starts[row] = starts[row].max(starts[row - 1]);
        }
        let kinds = Arc::new(Kinds::single(rows));
        let place = Laying::new(self.frames, &rule.basis, &Kinds::single(0)).finish();
        let function = rule.function.clone();
        let way = Way::Lines { of, function, starts, below };
        let step = self.push(Part { at, limit: false, way, place });
        self.known.makes(&rule.basis, &rule.name, step, &kinds);
        Some(())
    }

    fn item(
        &mut self,
        at: usize,
        rule: &Arc<SubsidyRule>,
        exprs: &[Expr],
        reads: &Reads,
        changed: bool,
    ) -> Option<()> {
        let mut gates: BTreeMap<Arc<str>, Basis> = BTreeMap::new();
        for gate in &rule.gates {
            let GateRef::Gate(id) = gate else { continue };
            let named = self.steps.law.steps.iter().find_map(|step| match step {
                Step::Gate(gate) if gate.head.id == *id => Some(gate.basis.clone()),
                _ => None,
            });
            let Some(basis) = named else { continue };
            let column: Column = (basis.clone(), Arc::from(gate_column(id)));
            if self.known.made(&column).is_some() {
                gates.insert(Arc::clone(id), basis);
            }
        }
        if !changed && gates.is_empty() {
            return Some(());
        }
        let without: BTreeSet<Arc<str>> = gates.keys().cloned().collect();
        let persons = Persons::new();
        let past = Past { history: None, persons: &persons };
        let passes = admitted(self.month, self.frames, rule, &without, &past);
        let mut numbering = Numbering::new(passes.len());
        numbering.refine(&Codes {
            of: passes.iter().map(|passes| u32::from(*passes)).collect(),
            count: 2,
        });
        self.refine(&mut numbering, &rule.basis, (at, exprs), reads, Some(&passes))?;
        for (id, basis) in &gates {
            let column = (basis.clone(), Arc::from(gate_column(id)));
            let codes = self.codes(&rule.basis, &column)?;
            numbering.refine(&masked(codes, Some(&passes)));
        }
        let kinds = Arc::new(numbering.finish());
        let passes: Vec<bool> = kinds.first.iter().map(|row| passes[*row as usize]).collect();
        let place = self.place(&rule.basis, reads, &kinds)?;
        let mut laying = Laying::new(self.frames, &rule.basis, &kinds);
        let mut fed = Vec::new();
        for (id, basis) in &gates {
            let name = Arc::from(gate_column(id));
            let (step, of) = self.known.made(&(basis.clone(), Arc::clone(&name)))?;
            fed.push(laying.reading(basis, &name, step, &of));
        }
        let admission = !fed.is_empty();
        let way = Way::Item { passes: passes.clone(), gates: fed };
        let step = self.push(Part { at, limit: false, way, place });
        let item = ChangedItem { step, kinds, passes, admission };
        self.items.insert(Arc::clone(&rule.head.id), item);
        Some(())
    }

    fn limit(&mut self, at: usize) -> Option<()> {
        let own = self.deltas.iter().filter_map(|delta| delta.caps.get(&at));
        let limits = std::iter::once(&self.steps.law.caps[at]).chain(own);
        let exprs: Vec<Expr> = limits.map(|cap| cap.limit.clone()).collect();
        let reads = reads_of(&exprs);
        let basis = Basis::Institution;
        let mut numbering = Numbering::new(self.frames.get(&basis)?.rows);
        for column in &reads {
            numbering.refine(&self.codes(&basis, column)?);
        }
        let kinds = Arc::new(numbering.finish());
        let place = self.place(&basis, &reads, &kinds)?;
        let step = self.push(Part { at, limit: true, way: Way::Expression, place });
        self.limits.insert(at, (step, kinds));
        Some(())
    }

    /// Tells rows apart by what the versions of a step read of them.
    fn refine(
        &self,
        numbering: &mut Numbering,
        basis: &Basis,
        (at, exprs): (usize, &[Expr]),
        reads: &Reads,
        mask: Option<&[bool]>,
    ) -> Option<()> {
        let bounds = self.bounds(basis, at, exprs)?;
        for column in reads {
            for codes in self.bounded_codes(basis, column, bounds.get(column))? {
                numbering.refine(&masked(codes, mask));
            }
        }
        Some(())
    }

    pub(super) fn place(&self, basis: &Basis, reads: &Reads, kinds: &Kinds) -> Option<Place> {
        let mut laying = Laying::new(self.frames, basis, kinds);
        for column in reads {
            let (of, name) = column;
            if let Some((step, kinds)) = self.known.made(column) {
                laying.made(of, name, step, &kinds);
            } else if let Some((step, kinds, rule)) = self.known.reduced(column) {
                if of != basis {
                    return None;
                }
                let rows = laying.rows(basis);
                let [when, fee] = [&rule.when, &rule.fee]
                    .map(|expr| evaluate(expr, self.frames, basis, &rows, &self.steps.calendar));
                let ceiling = laying.reading(of, name, step, &kinds);
                laying.reduced(Reduced { rule, ceiling, when, fee });
            } else {
                laying.fixed(of, name);
            }
        }
        Some(laying.finish())
    }

    /// Codes of a column on the rows of a basis.
    pub(super) fn codes(&self, basis: &Basis, column: &Column) -> Option<Codes> {
        let (of, name) = column;
        let frame = self.frames.get(basis)?;
        let rows = frame.rows;
        let own = match self.known.made(column) {
            Some((_, kinds)) => {
                Codes { of: kinds.of.clone(), count: u32::try_from(kinds.count()).ok()? }
            }
            None if self.known.is_opaque(column) => return None,
            None => match self.frames.get(of).and_then(|frame| frame.get(name)) {
                Some(stored) => Codes::of(stored),
                None => return Some(Codes { of: vec![0; rows], count: 1 }),
            },
        };
        Some(match frame.links.get(of) {
            _ if of == basis => own,
            Some(links) => own.through(links.iter().copied()),
            None => Codes { of: vec![0; rows], count: 1 },
        })
    }
}

/// Codes of rows that count; all others are alike.
fn masked(mut codes: Codes, mask: Option<&[bool]>) -> Codes {
    if let Some(mask) = mask {
        for (code, counts) in codes.of.iter_mut().zip(mask) {
            *code *= u32::from(*counts);
        }
    }
    codes
}
