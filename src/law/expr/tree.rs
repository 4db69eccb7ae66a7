//! The typed tree: an arena of nodes in evaluation order, equal sub-expressions shared.

use crate::domain::{Basis, Cell, Terms};
use rustc_hash::FxHashMap;
use std::sync::Arc;

use super::exact::Quantum;
use super::lookup::Lookup;
use super::scalar;
use crate::law::model::{RuleHead, Ty, Unit};

/// Index of a node in its tree.
pub(super) type NodeId = usize;

/// Deepest tree; back ends walk it by recursion.
pub(super) const HEIGHT_MAX: usize = 200;
/// Most nodes, after `tier`, `taper` and `IN` are spelt out.
pub(super) const NODES_MAX: usize = 4000;

/// Type of a node while checking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Text(Option<Arc<Vec<Arc<str>>>>),
    Key,
    /// `unit: None` is literal zero, which has any unit.
    Num {
        integer: bool,
        unit: Option<Unit>,
    },
    Date,
    /// The literal NULL.
    Null,
}

impl Kind {
    pub(super) fn of(ty: &Ty, basis: &Basis) -> Self {
        match ty {
            Ty::Bool => Self::Bool,
            Ty::Text(list) => Self::Text(list.clone()),
            Ty::Key => Self::Key,
            Ty::Num { integer, unit } => {
                Self::Num { integer: *integer, unit: Some(unit.cancel(basis)) }
            }
            Ty::Date => Self::Date,
        }
    }

    pub(super) fn ty(&self) -> Ty {
        match self {
            Self::Bool | Self::Null => Ty::Bool,
            Self::Text(list) => Ty::Text(list.clone()),
            Self::Key => Ty::Key,
            Self::Num { integer, unit } => {
                Ty::Num { integer: *integer, unit: unit.clone().unwrap_or_default() }
            }
            Self::Date => Ty::Date,
        }
    }

    pub(super) fn number(integer: bool, unit: Unit) -> Self {
        Self::Num { integer, unit: Some(unit) }
    }

    /// A whole plain number.
    pub(super) fn integer() -> Self {
        Self::number(true, Unit::default())
    }

    /// The word for messages.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Bool => "a condition".to_owned(),
            Self::Text(_) => "a text".to_owned(),
            Self::Key => "an identifier".to_owned(),
            Self::Num { unit: None, .. } => "0".to_owned(),
            Self::Num { integer, unit: Some(unit) } if unit.is_plain() => {
                if *integer { "a whole number" } else { "a number" }.to_owned()
            }
            Self::Num { unit: Some(unit), .. } => format!("a number in {unit}"),
            Self::Date => "a date".to_owned(),
            Self::Null => "NULL".to_owned(),
        }
    }
}

/// Comparison; `>` and `>=` are written with their sides exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Below,
    AtMost,
}

/// What a node does with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Op {
    /// A literal or parameter.
    Const(Cell),
    /// Index into [`Tree::columns`].
    Column(usize),
    Neg,
    Abs,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Round(Quantum),
    Least,
    Greatest,
    Compare(Comparison),
    Not,
    /// Left to right, the right side only where needed.
    And,
    Or,
    IsNull,
    /// The first argument among constants.
    In(Vec<Cell>),
    /// condition, result, condition, result, …, else.
    Case,
    Coalesce,
    Length,
    StartsWith(String),
    MonthsBetween,
    MonthIndex,
    DaysIn,
    DaysBetween,
    OverlapDays,
    Workdays,
    AddMonths,
    AddDays,
    /// Monday of the date's week.
    WeekStart,
    Weekday,
    /// First day of the term the date lies in.
    TermOf(Terms),
    /// First day of the next term.
    TermAfter(Terms),
    Year,
    Month,
    Day,
    DateOf,
    /// Index into [`Tree::lookups`].
    Lookup(usize),
}

/// One node.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) op: Op,
    pub(super) args: Vec<NodeId>,
    pub(super) kind: Kind,
    pub(super) nullable: bool,
    /// Height above the leaves.
    pub(super) height: usize,
    /// Nodes below that cost something, saturating: cheap branches are evaluated on all rows.
    pub(super) weight: u32,
    /// Byte range in the source; empty for steps `tier` and `taper` are spelt out into.
    pub(super) text: (usize, usize),
    /// The parameter a constant comes from.
    pub(super) head: Option<Arc<RuleHead>>,
    /// The value, when all arguments are constants.
    pub(super) folded: Option<Cell>,
}

/// A checked expression's nodes; arguments stand before the nodes that use them.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) columns: Vec<(Basis, Arc<str>)>,
    pub(super) lookups: Vec<Arc<Lookup>>,
    pub(super) cites: Vec<Arc<RuleHead>>,
    shared: FxHashMap<String, NodeId>,
}

/// A node to be added.
pub(super) struct Draft {
    pub(super) op: Op,
    pub(super) args: Vec<NodeId>,
    pub(super) kind: Kind,
    pub(super) nullable: bool,
    pub(super) text: (usize, usize),
    pub(super) head: Option<Arc<RuleHead>>,
}

impl Tree {
    /// Adds a node or returns the equal one that is already there.
    pub(super) fn add(&mut self, draft: Draft) -> NodeId {
        // Nullability is part of the identity: a CASE may be proved non-null in one place only.
        let version = draft.head.as_ref().map(|head| (&head.id, &head.version));
        let identity = format!(
            "{:?} {:?} {:?} {} {version:?}",
            draft.op, draft.args, draft.kind, draft.nullable
        );
        if let Some(id) = self.shared.get(&identity) {
            // A date read for law that is dated by row has no text until the rule names it itself.
            if matches!(draft.op, Op::Column(_)) && self.nodes[*id].text == (0, 0) {
                self.nodes[*id].text = draft.text;
            }
            return *id;
        }
        let height = draft.args.iter().map(|id| self.nodes[*id].height + 1).max().unwrap_or(0);
        let own = match draft.op {
            Op::Const(_) | Op::Column(_) => 0,
            Op::Div | Op::Workdays | Op::Lookup(_) => 4,
            _ => 1,
        };
        let weight =
            draft.args.iter().fold(own, |sum: u32, id| sum.saturating_add(self.nodes[*id].weight));
        let folded = self.fold(&draft);
        let id = self.nodes.len();
        self.nodes.push(Node {
            op: draft.op,
            args: draft.args,
            kind: draft.kind,
            nullable: draft.nullable,
            height,
            weight: if folded.is_some() { 0 } else { weight },
            text: draft.text,
            head: draft.head,
            folded,
        });
        self.shared.insert(identity, id);
        id
    }

    fn fold(&self, draft: &Draft) -> Option<Cell> {
        if let Op::Const(cell) = &draft.op {
            return Some(cell.clone());
        }
        if draft.args.is_empty() || !scalar::is_strict(&draft.op) {
            return None;
        }
        let args: Option<Vec<Cell>> =
            draft.args.iter().map(|id| self.nodes[*id].folded.clone()).collect();
        let args = args?;
        if args.contains(&Cell::Null) {
            return None;
        }
        scalar::apply(&draft.op, &args).ok()
    }

    /// Index of a column, added when new.
    pub(super) fn column(&mut self, basis: &Basis, name: &Arc<str>) -> usize {
        let found = self.columns.iter().position(|(b, n)| b == basis && n == name);
        found.unwrap_or_else(|| {
            self.columns.push((basis.clone(), Arc::clone(name)));
            self.columns.len() - 1
        })
    }

    /// Notes a table or parameter that is read.
    pub(super) fn cite(&mut self, head: &Arc<RuleHead>) {
        if !self.cites.contains(head) {
            self.cites.push(Arc::clone(head));
        }
    }
}
