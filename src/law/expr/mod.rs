//! The expression language: SQL syntax in, one typed tree out, three back ends (DESIGN 4, 5).
//!
//! In: text, a basis, what names mean. Out: [`Expr`], evaluated by column kernels, traced row by
//! row, or written as SQL. Order: before the rules that hold expressions.
//! Never: a float, a clock, a value from a branch that is not taken, a null taken for zero.
//!
//! The grammar, the functions and the rules of types, units and nulls are in
//! `docs/expressions.md`.

mod aggregate;
mod alike;
mod bands;
mod call;
mod check;
mod choice;
mod exact;
mod kernel;
mod lookup;
mod lower;
mod parse;
mod scalar;
mod sql;
mod trace;
mod tree;
mod unit;
pub(in crate::law) mod words;

use crate::domain::{Basis, Calendar, Cell, Frames, Rounding, Stored};
use std::collections::BTreeSet;
use std::sync::Arc;

use self::lower::Lowerer;
use self::tree::{Draft, Kind, NodeId, Op, Tree};
use super::model::{AggregateRule, LawPlace, RuleHead, TraceStep, Ty};
use super::names::Names;

pub use self::alike::Capped;
pub use self::call::function_names;
pub use self::kernel::join;
pub use self::sql::{SqlQuery, calendar_sql, prelude, sql_view};
pub use self::trace::Met;

/// A checked expression on a basis. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Expr {
    inner: Arc<ExprInner>,
}

#[derive(Debug)]
struct ExprInner {
    source: String,
    tree: Tree,
    root: NodeId,
    ty: Ty,
    nullable: bool,
    constant: Option<Cell>,
}

/// What is wrong with an expression, pointing into its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExprError {
    /// Byte offset of the piece in the expression text.
    pub offset: usize,
    /// Length of the piece in bytes.
    pub length: usize,
    /// What was found and what was expected, a lowercase fragment.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// One key column of a lookup table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableKey {
    /// Name, for traces.
    pub name: Arc<str>,
    /// Type of the argument; a listed text type proves coverage.
    pub ty: Ty,
    /// Whether cells are ranges.
    pub range: bool,
}

/// A key cell of a lookup table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyCell {
    /// `*`.
    Any,
    /// One value.
    Is(Cell),
    /// A range over numbers (as fractions) or dates (as day numbers over 1).
    Range {
        /// Lower bound and whether it is included; `None` = open.
        low: Option<((i128, i128), bool)>,
        /// Upper bound and whether it is included; `None` = open.
        high: Option<((i128, i128), bool)>,
    },
}

/// A dated table in force, ready for lookups. Rows are ordered most specific first, so that the
/// first row that matches is the answer (S19); the pack checks cover, overlap and shadowing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupTable {
    /// Head (id, clause, version).
    pub head: Arc<RuleHead>,
    /// Keys.
    pub keys: Vec<TableKey>,
    /// Type of the cells.
    pub ty: Ty,
    /// Key cells and value; `Cell::Null` is the cell `none`. Money in fen.
    pub rows: Vec<(Vec<KeyCell>, Cell)>,
    /// Whether every key combination is proved covered (else a miss refuses the row).
    pub proved: bool,
    /// Set where versions are told apart by a date of the row: the last key is that date, and a
    /// call does not write it.
    pub dated: Option<Dated>,
}

/// The versions of law that is looked up at a date of each row (`dated_by`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated {
    /// Name of the date, read on the basis of the rule that looks up.
    pub by: Arc<str>,
    /// Heads of the versions.
    pub heads: Vec<Arc<RuleHead>>,
    /// Index into `heads` for each row of the table.
    pub of_row: Vec<usize>,
}

impl LookupTable {
    /// Heads of all versions it is made of.
    #[must_use]
    pub fn heads(&self) -> &[Arc<RuleHead>] {
        self.dated.as_ref().map_or(std::slice::from_ref(&self.head), |dated| &dated.heads)
    }

    /// Head of the version a row stands in.
    #[must_use]
    pub fn head_of(&self, row: usize) -> &Arc<RuleHead> {
        let dated = self.dated.as_ref();
        dated.and_then(|of| of.heads.get(*of.of_row.get(row)?)).unwrap_or(&self.head)
    }

    /// Whether some cell is `none`.
    #[must_use]
    pub fn nullable(&self) -> bool {
        self.rows.iter().any(|(_, cell)| *cell == Cell::Null)
    }
}

/// Compiles `source` for rows of `basis`. Aggregates of finer bases are lifted into `lifted` (each
/// with a fresh hidden column name derived from `owner`, `owner#1`, …) and read as columns.
/// `place` is only carried for messages.
///
/// An aggregate's argument and filter are expressions on the finer basis; the argument is
/// meaningful only on rows whose filter holds (there its nullable names are proved non-null).
///
/// # Errors
/// Every mistake found, in order of position.
pub fn compile(
    source: &str,
    basis: &Basis,
    owner: &str,
    place: &LawPlace,
    names: &dyn Names,
    lifted: &mut Vec<AggregateRule>,
) -> Result<Expr, Vec<ExprError>> {
    let (cut, parsed) = parse::parse(source).map_err(|error| vec![error])?;
    // What a refused expression has lifted is taken back.
    let mark = lifted.len();
    let mut lowerer = Lowerer {
        source: &cut,
        names,
        basis: basis.clone(),
        owner,
        place,
        lifted,
        tree: Tree::default(),
        known: Vec::new(),
        errors: Vec::new(),
        descent: 0,
    };
    let root = lowerer.lower(&parsed);
    if let Some(part) = root
        && *lowerer.kind(part.id) == Kind::Null
    {
        lowerer.fail::<()>(part.at, "NULL alone has no type", "name a value");
    }
    let (tree, errors) = (lowerer.tree, lowerer.errors);
    if let (Some(part), true) = (root, errors.is_empty()) {
        Ok(Expr::of(source, (0, source.len()), &tree, part.id, &[]))
    } else {
        lifted.truncate(mark);
        Err(aggregate::in_order(errors))
    }
}

impl Expr {
    /// The expression rooted at a node; `text` is its part of the source, `known` the nodes proved
    /// non-null around it.
    fn of(source: &str, text: (usize, usize), tree: &Tree, root: NodeId, known: &[NodeId]) -> Self {
        let nullable = tree.nodes[root].nullable && !known.contains(&root);
        let (tree, root) = tree.part(root, text.0);
        let source = source.get(text.0..text.1).unwrap_or(source).to_owned();
        Self::finish(source, tree, root, nullable)
    }

    fn finish(source: String, tree: Tree, root: NodeId, nullable: bool) -> Self {
        let ty = tree.nodes[root].kind.ty();
        let fixed = tree.columns.is_empty()
            && !tree.nodes.iter().any(|node| matches!(node.op, Op::Workdays));
        let place = trace::Place { frames: None, basis: &Basis::Programme, row: 0, calendar: None };
        let constant = if fixed { trace::value(&tree, root, place).ok() } else { None };
        Self { inner: Arc::new(ExprInner { source, tree, root, ty, nullable, constant }) }
    }

    /// The source text as written in the pack.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// Type and unit of the result; the units of the basis have cancelled (S15).
    #[must_use]
    pub fn ty(&self) -> &Ty {
        &self.inner.ty
    }

    /// Whether the result may be null.
    #[must_use]
    pub fn nullable(&self) -> bool {
        self.inner.nullable
    }

    /// The value when the expression reads no column and no calendar; `None` also when it has no
    /// value (a lookup that misses). Money in fen.
    #[must_use]
    pub fn constant(&self) -> Option<Cell> {
        self.inner.constant.clone()
    }

    /// Columns read, sorted, each with its basis.
    #[must_use]
    pub fn reads(&self) -> Vec<(Basis, Arc<str>)> {
        let mut columns = self.inner.tree.columns.clone();
        columns.sort();
        columns
    }

    /// Tables and parameters read, by id and version, sorted: for clauses and dead-parameter checks.
    /// Those of lifted aggregates belong to the aggregates' own expressions.
    #[must_use]
    pub fn cites(&self) -> Vec<Arc<RuleHead>> {
        let mut heads = self.inner.tree.cites.clone();
        heads.sort_by(|a, b| (&a.id, &a.version).cmp(&(&b.id, &b.version)));
        heads
    }

    /// Law looked up at a date of the row, each with the column that holds the date.
    #[must_use]
    pub fn dated(&self) -> Vec<(Arc<LookupTable>, Basis, Arc<str>)> {
        let tree = &self.inner.tree;
        let dated = tree.nodes.iter().filter_map(|node| {
            let Op::Lookup(index) = node.op else { return None };
            let table = &tree.lookups[index].table;
            table.dated.as_ref()?;
            let Op::Column(column) = tree.nodes[*node.args.last()?].op else { return None };
            let (basis, column) = &tree.columns[column];
            Some((Arc::clone(table), basis.clone(), Arc::clone(column)))
        });
        dated.collect()
    }

    /// Whether work days are counted, so that the calendar of every year read must be published.
    #[must_use]
    pub fn counts_workdays(&self) -> bool {
        self.inner.tree.nodes.iter().any(|node| node.op == Op::Workdays)
    }

    /// Whether the denominators of its numbers may differ from row to row.
    #[must_use]
    pub fn varies(&self) -> bool {
        self.inner.tree.varies(self.inner.root)
    }

    /// The same expression with a stated rounding around it; null stays null. An expression that
    /// is no number is returned unchanged.
    #[must_use]
    pub fn rounded(&self, round: Rounding) -> Self {
        let Kind::Num { unit, .. } = self.inner.tree.nodes[self.inner.root].kind.clone() else {
            return self.clone();
        };
        if round.quantum.0 <= 0 || round.quantum.1 <= 0 {
            return self.clone();
        }
        let mut tree = self.inner.tree.clone();
        let quantum = exact::Quantum::from(round);
        let root = tree.add(Draft {
            op: Op::Round(quantum),
            args: vec![self.inner.root],
            kind: Kind::Num { integer: quantum.den == 1, unit },
            nullable: self.inner.nullable,
            text: (0, self.inner.source.len()),
            head: None,
        });
        Self::finish(self.inner.source.clone(), tree, root, self.inner.nullable)
    }

    /// Evaluates on rows of `basis` (`rows` = row numbers, ascending; the result is dense, one entry
    /// per element of `rows`). Sequential: callers cut chunks (8-16 thousand rows go fastest) and put
    /// them together with [`join`]. Rows without a value carry the error. The result is null only
    /// where the expression is nullable. Ratios are not in lowest terms.
    #[must_use]
    pub fn eval(
        &self,
        frames: &Frames,
        basis: &Basis,
        rows: &[u32],
        calendar: &Calendar,
    ) -> Stored {
        let ExprInner { tree, root, .. } = &*self.inner;
        kernel::evaluate(tree, *root, (frames, basis), rows, calendar)
    }

    /// As [`Expr::eval`] then rounded; an integer column (`den` of the quantum), null where the
    /// expression is null. A row whose rounded value does not fit 64 bits is an overflow.
    #[must_use]
    pub fn eval_rounded(
        &self,
        frames: &Frames,
        basis: &Basis,
        rows: &[u32],
        calendar: &Calendar,
        round: Rounding,
    ) -> Stored {
        let ExprInner { tree, root, .. } = &*self.inner;
        kernel::evaluate_rounded(tree, *root, (frames, basis), rows, calendar, round.into())
    }

    /// Evaluates one row slowly and tells every step, outermost first.
    #[must_use]
    pub fn trace(
        &self,
        frames: &Frames,
        basis: &Basis,
        row: u32,
        calendar: &Calendar,
    ) -> Vec<TraceStep> {
        let ExprInner { tree, root, source, .. } = &*self.inner;
        let place = trace::Place { frames: Some(frames), basis, row, calendar: Some(calendar) };
        trace::steps(tree, *root, source, place)
    }

    /// What the expression met on one row: of law that is dated by row the version in force on its
    /// date, of a CASE the branch taken.
    #[must_use]
    pub fn met(&self, frames: &Frames, basis: &Basis, row: u32, calendar: &Calendar) -> Met {
        let ExprInner { tree, root, .. } = &*self.inner;
        let place = trace::Place { frames: Some(frames), basis, row, calendar: Some(calendar) };
        trace::met(tree, *root, place)
    }

    /// One query of the independent check in `DuckDB`; see [`SqlQuery`].
    #[must_use]
    pub fn sql(&self, view: &str, calendar: &str) -> SqlQuery {
        sql::query(&self.inner.tree, self.inner.root, view, calendar)
    }
}

impl Tree {
    /// Whether a number's denominator may differ from row to row.
    pub(super) fn varies(&self, id: NodeId) -> bool {
        let node = &self.nodes[id];
        match &node.op {
            Op::Round(_) | Op::Const(_) | Op::Column(_) | Op::Lookup(_) => false,
            Op::Div => {
                let [top, bottom] = node.args[..] else { return false };
                self.nodes[bottom].folded.is_none() || self.varies(top)
            }
            Op::Case => {
                // Conditions stand at even places, but for the last, which is the ELSE.
                let last = node.args.len() - 1;
                node.args
                    .iter()
                    .enumerate()
                    .any(|(place, arg)| (place % 2 == 1 || place == last) && self.varies(*arg))
            }
            _ => matches!(node.kind, Kind::Num { .. }) && node.args.iter().any(|a| self.varies(*a)),
        }
    }

    /// The nodes a root needs, as a tree of their own; texts are counted from byte `from`.
    fn part(&self, root: NodeId, from: usize) -> (Self, NodeId) {
        let mut needed = BTreeSet::from([root]);
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            for arg in &self.nodes[id].args {
                if needed.insert(*arg) {
                    open.push(*arg);
                }
            }
        }
        let mut part = Self::default();
        let mut place = vec![0; self.nodes.len()];
        for id in needed {
            let mut node = self.nodes[id].clone();
            for arg in &mut node.args {
                *arg = place[*arg];
            }
            node.text = (node.text.0.saturating_sub(from), node.text.1.saturating_sub(from));
            if let Op::Column(column) = node.op {
                let (basis, name) = &self.columns[column];
                node.op = Op::Column(part.column(basis, name));
            }
            if let Op::Lookup(index) = node.op {
                let lookup = &self.lookups[index];
                lookup.table.heads().iter().for_each(|head| part.cite(head));
                let known = part.lookups.iter().position(|other| other == lookup);
                node.op = Op::Lookup(known.unwrap_or_else(|| {
                    part.lookups.push(Arc::clone(lookup));
                    part.lookups.len() - 1
                }));
            }
            if let Some(head) = &node.head {
                part.cite(head);
            }
            place[id] = part.nodes.len();
            part.nodes.push(node);
        }
        let root = place[root];
        (part, root)
    }
}
