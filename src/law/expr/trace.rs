//! One row, slowly and in words: every step with its value, the table row hit, the branch taken.
//!
//! Independent of the column kernels: values are cells, every operator is [`scalar::apply`].

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{Basis, Calendar, Cell, Frame, Frames, RowError};
use crate::law::model::{RuleHead, TraceStep};

use super::kernel::count_workdays;
use super::scalar;
use super::tree::{NodeId, Op, Tree};
use super::{KeyCell, LookupTable};

/// The row an expression is evaluated on.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) frames: Option<&'a Frames>,
    pub(super) basis: &'a Basis,
    pub(super) row: u32,
    pub(super) calendar: Option<&'a Calendar>,
}

type Outcome = Result<Cell, RowError>;

/// Values and remarks of the nodes that were needed.
struct Walk<'a> {
    tree: &'a Tree,
    place: Place<'a>,
    outcomes: BTreeMap<NodeId, (Outcome, String)>,
    /// The version each lookup met.
    hits: BTreeMap<NodeId, Arc<RuleHead>>,
}

/// What an expression met on one row.
#[derive(Debug, Clone, Default)]
pub struct Met {
    /// Tables and parameters, each in the version that was met.
    pub heads: Vec<Arc<RuleHead>>,
    /// Columns, sorted.
    pub columns: Vec<(Basis, Arc<str>)>,
}

/// Columns, parameters and tables that were needed on one row.
pub(super) fn met(tree: &Tree, root: NodeId, place: Place<'_>) -> Met {
    let mut walk = Walk::new(tree, place);
    let _ = walk.eval(root);
    let mut met = Met::default();
    for id in walk.outcomes.keys() {
        let node = &tree.nodes[*id];
        if let Op::Column(column) = node.op {
            met.columns.push(tree.columns[column].clone());
        }
        met.heads.extend(node.head.iter().chain(walk.hits.get(id)).cloned());
    }
    met.columns.sort();
    met.heads.sort_by(|a, b| (&a.id, &a.version).cmp(&(&b.id, &b.version)));
    met.heads.dedup();
    met
}

/// The value of one node on one row.
pub(super) fn value(tree: &Tree, root: NodeId, place: Place<'_>) -> Outcome {
    Walk::new(tree, place).eval(root)
}

/// The value of one node on one row with every step, outermost first.
pub(super) fn steps(tree: &Tree, root: NodeId, source: &str, place: Place<'_>) -> Vec<TraceStep> {
    let mut walk = Walk::new(tree, place);
    let _ = walk.eval(root);
    let mut steps = Vec::new();
    let mut told = vec![false; tree.nodes.len()];
    // Depth first without recursion: children are pushed in reverse.
    let mut open = vec![(root, 0_usize)];
    while let Some((id, depth)) = open.pop() {
        let Some((outcome, remark)) = walk.outcomes.get(&id) else { continue };
        let node = &tree.nodes[id];
        let (from, until) = node.text;
        let mut inner = depth;
        if until > from {
            let text = source.get(from..until).unwrap_or("").to_owned();
            let value = outcome.clone();
            steps.push(TraceStep { depth, source: text, value, note: remark.clone() });
            inner += 1;
        }
        if !std::mem::replace(&mut told[id], true) {
            open.extend(node.args.iter().rev().map(|arg| (*arg, inner)));
        }
    }
    steps
}

impl<'a> Walk<'a> {
    const fn new(tree: &'a Tree, place: Place<'a>) -> Self {
        Self { tree, place, outcomes: BTreeMap::new(), hits: BTreeMap::new() }
    }
    fn eval(&mut self, id: NodeId) -> Outcome {
        if let Some((outcome, _)) = self.outcomes.get(&id) {
            return outcome.clone();
        }
        let (outcome, note) = self.make(id);
        self.outcomes.insert(id, (outcome.clone(), note));
        outcome
    }

    fn make(&mut self, id: NodeId) -> (Outcome, String) {
        let node = &self.tree.nodes[id];
        match &node.op {
            Op::Const(cell) => {
                let version = node.head.as_ref().map_or(String::new(), |head| {
                    format!("{} {}", head.version, head.clause).trim().to_owned()
                });
                (lowest(cell), version)
            }
            Op::Column(column) => (self.read(*column), String::new()),
            Op::And | Op::Or => self.logic(id),
            Op::Case => self.case(id),
            Op::Coalesce => match self.eval(node.args[0]) {
                Ok(Cell::Null) => (self.eval(node.args[1]), "the first is null".to_owned()),
                other => (other, String::new()),
            },
            Op::IsNull => {
                let outcome = self.eval(node.args[0]);
                (outcome.map(|cell| Cell::Bool(cell == Cell::Null)), String::new())
            }
            _ => self.strict(id),
        }
    }

    fn strict(&mut self, id: NodeId) -> (Outcome, String) {
        let node = &self.tree.nodes[id];
        let outcomes: Vec<Outcome> = node.args.iter().map(|arg| self.eval(*arg)).collect();
        // Of several errors the graver one, the lower code, is told.
        if let Some(error) = outcomes.iter().filter_map(|outcome| outcome.clone().err()).min() {
            return (Err(error), String::new());
        }
        let cells: Vec<Cell> = outcomes.into_iter().flatten().collect();
        match &node.op {
            Op::Round(_) if cells[0] == Cell::Null => (Ok(Cell::Null), String::new()),
            Op::Workdays => {
                let (from, until) = (scalar::date(&cells[0]), scalar::date(&cells[1]));
                let days = self.place.calendar.and_then(|c| count_workdays(c, from, until));
                let cell = days.map(|days| Cell::Num(days.into(), 1));
                (cell.ok_or(RowError::TableMiss), String::new())
            }
            Op::Lookup(index) => {
                let lookup = &self.tree.lookups[*index];
                match lookup.find(&cells) {
                    Some(row) => {
                        let table = &lookup.table;
                        self.hits.insert(id, Arc::clone(table.head_of(row)));
                        (lowest(&table.rows[row].1), row_note(table, row, &cells))
                    }
                    None => (Err(RowError::TableMiss), miss_note(&lookup.table, &cells)),
                }
            }
            op => (scalar::apply(op, &cells), String::new()),
        }
    }

    fn logic(&mut self, id: NodeId) -> (Outcome, String) {
        let node = &self.tree.nodes[id];
        let and = node.op == Op::And;
        match self.eval(node.args[0]) {
            Ok(cell) if scalar::boolean(&cell) == and => (self.eval(node.args[1]), String::new()),
            Ok(cell) => (Ok(cell), "the left side decides".to_owned()),
            Err(error) => (Err(error), String::new()),
        }
    }

    fn case(&mut self, id: NodeId) -> (Outcome, String) {
        let node = &self.tree.nodes[id];
        let mut pairs = node.args.chunks_exact(2);
        for (branch, pair) in (&mut pairs).enumerate() {
            match self.eval(pair[0]) {
                Ok(cell) if scalar::boolean(&cell) => {
                    return (self.eval(pair[1]), format!("branch {}", branch + 1));
                }
                Ok(_) => {}
                Err(error) => return (Err(error), format!("condition {}", branch + 1)),
            }
        }
        match pairs.remainder() {
            [otherwise] => (self.eval(*otherwise), "ELSE".to_owned()),
            _ => (Ok(Cell::Null), String::new()),
        }
    }

    fn read(&self, column: usize) -> Outcome {
        let (basis, name) = &self.tree.columns[column];
        let frames = self.place.frames.ok_or(RowError::NoParent)?;
        let row = if basis == self.place.basis {
            self.place.row
        } else {
            let frame = frames.get(self.place.basis).ok_or(RowError::NoParent)?;
            match frame.links.get(basis) {
                Some(links) => links.get(self.place.row as usize).copied().unwrap_or(Frame::NO_ROW),
                None if *basis == Basis::Programme => 0,
                None => Frame::NO_ROW,
            }
        };
        let stored = frames.get(basis).and_then(|frame| frame.get(name));
        let stored = stored.ok_or(RowError::NoParent)?;
        let row = row as usize;
        if row >= stored.column.len() {
            return Err(RowError::NoParent);
        }
        if let Some(error) = stored.error(row) {
            return Err(error);
        }
        lowest(&stored.cell(row))
    }
}

/// A value with numbers in lowest terms.
fn lowest(cell: &Cell) -> Outcome {
    match cell {
        Cell::Num(num, den) => scalar::exact(*num, *den).map(scalar::cell),
        other => Ok(other.clone()),
    }
}

/// The table row hit, in words: `base@2026-01-01/2025-12-20 row 3 (托小班, 一级) 第五条`. Where the
/// version was found by a date of the row, the date is told: `… on 2026-03-12 第五条`.
fn row_note(table: &LookupTable, row: usize, asked: &[Cell]) -> String {
    let keys = &table.rows[row].0;
    let head = table.head_of(row);
    let (keys, day) = match &table.dated {
        None => (&keys[..], String::new()),
        Some(_) => (&keys[..keys.len() - 1], on_day(asked)),
    };
    // Rows are counted within the days of their own version.
    let same_days = |other: &usize| {
        table.dated.is_none() || table.rows[*other].0.last() == table.rows[row].0.last()
    };
    let number = (0..=row).filter(same_days).count();
    let keys: Vec<String> = keys.iter().map(key_text).collect();
    let place = if keys.is_empty() {
        String::new()
    } else {
        format!(" row {number} ({})", keys.join(", "))
    };
    format!("{}{place}{day} {}", head.version, head.clause).trim().to_owned()
}

fn miss_note(table: &LookupTable, asked: &[Cell]) -> String {
    match &table.dated {
        None => format!("no row of {}", table.head.version),
        Some(_) => format!("no row of {}{}", table.head.id, on_day(asked)),
    }
}

/// The date by which a version was looked for.
fn on_day(asked: &[Cell]) -> String {
    asked.last().map_or_else(String::new, |day| format!(" on {}", cell_text(day)))
}

fn key_text(cell: &KeyCell) -> String {
    match cell {
        KeyCell::Any => "*".to_owned(),
        KeyCell::Is(cell) => cell_text(cell),
        KeyCell::Range { low, high } => {
            let number = |(num, den): (i128, i128)| cell_text(&Cell::Num(num, den));
            let (open, low) = match low {
                Some((bound, with)) => (if *with { "[" } else { "(" }, number(*bound)),
                None => ("(", String::new()),
            };
            let (close, high) = match high {
                Some((bound, with)) => (if *with { "]" } else { ")" }, number(*bound)),
                None => (")", String::new()),
            };
            format!("{open}{low},{high}{close}")
        }
    }
}

fn cell_text(cell: &Cell) -> String {
    match cell {
        Cell::Null => "none".to_owned(),
        Cell::Bool(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
        Cell::Num(num, 1) => num.to_string(),
        Cell::Num(num, den) => format!("{num}/{den}"),
        Cell::Date(date) => date.to_string(),
        Cell::Text(text) => text.clone(),
    }
}
