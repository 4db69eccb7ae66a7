//! The expression language: SQL syntax in, one typed tree out, three back ends (DESIGN 4, 5).
//!
//! Contract of the door (the law-language work fills it; signatures are relied on by `subsidy`).

use crate::domain::{Basis, Calendar, Cell, Frames, Rounding, Stored};
use std::sync::Arc;

use super::model::{AggregateRule, LawPlace, RuleHead, TraceStep, Ty};
use super::names::Names;

/// A checked expression on a basis. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Expr {
    inner: Arc<ExprInner>,
}

#[derive(Debug)]
struct ExprInner {
    source: String,
    ty: Ty,
    nullable: bool,
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
#[derive(Debug, Clone)]
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
#[derive(Debug, Clone)]
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
}

impl LookupTable {
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
    let _ = (source, basis, owner, place, names, lifted);
    unimplemented!()
}

impl Expr {
    /// The source text as written in the pack.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.inner.source
    }

    /// Type and unit of the result (units of the basis not yet cancelled).
    #[must_use]
    pub fn ty(&self) -> &Ty {
        &self.inner.ty
    }

    /// Whether the result may be null.
    #[must_use]
    pub fn nullable(&self) -> bool {
        self.inner.nullable
    }

    /// The value when the expression reads no column.
    #[must_use]
    pub fn constant(&self) -> Option<Cell> {
        unimplemented!()
    }

    /// Columns read, sorted, each with its basis.
    #[must_use]
    pub fn reads(&self) -> Vec<(Basis, Arc<str>)> {
        unimplemented!()
    }

    /// Tables and parameters read, by id and version, sorted: for clauses and dead-parameter checks.
    #[must_use]
    pub fn cites(&self) -> Vec<Arc<RuleHead>> {
        unimplemented!()
    }

    /// The expression `least`/`greatest`/arithmetic/rounding composed with a stated rounding: used
    /// for guide prices and rounded values.
    #[must_use]
    pub fn rounded(&self, round: Rounding) -> Self {
        let _ = round;
        unimplemented!()
    }

    /// Evaluates on rows of `basis` (`rows` = row numbers, ascending; the result is dense, one entry
    /// per element of `rows`). Sequential: callers cut chunks. Rows without a value carry the error.
    /// The result is null only where the expression is nullable.
    #[must_use]
    pub fn eval(
        &self,
        frames: &Frames,
        basis: &Basis,
        rows: &[u32],
        calendar: &Calendar,
    ) -> Stored {
        let _ = (frames, basis, rows, calendar);
        unimplemented!()
    }

    /// As [`Expr::eval`] then rounded; an integer column (`den` of the quantum) without null.
    #[must_use]
    pub fn eval_rounded(
        &self,
        frames: &Frames,
        basis: &Basis,
        rows: &[u32],
        calendar: &Calendar,
        round: Rounding,
    ) -> Stored {
        let _ = (frames, basis, rows, calendar, round);
        unimplemented!()
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
        let _ = (frames, basis, row, calendar);
        unimplemented!()
    }
}
