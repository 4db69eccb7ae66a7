//! How an expression finds what its names mean: the compiler asks, the pack answers.

use crate::domain::{Basis, Cell};
use std::sync::Arc;

use super::expr::LookupTable;
use super::model::{RuleHead, Ty};

/// What a bare or dotted name stands for on a basis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// A column of a frame: a fact, an age, a value, a guide price's `ID.ceiling`, an aggregate.
    Column {
        /// The basis whose frame holds the column: the asking one, a coarser one, or (legal only
        /// inside an aggregate) a finer one.
        basis: Basis,
        /// Name of the column in the frame (English, canonical).
        column: Arc<str>,
        /// Type and unit.
        ty: Ty,
        /// Whether it may be null.
        nullable: bool,
    },
    /// A parameter in force: a constant. Money is in fen.
    Constant {
        /// Its value.
        cell: Cell,
        /// Type and unit.
        ty: Ty,
        /// Where it comes from, for the trace.
        head: Arc<RuleHead>,
    },
    /// A parameter looked up at a date of the row: a table whose one key is the date.
    Dated(Arc<LookupTable>),
}

/// Answers the compiler's questions.
pub trait Names {
    /// The meaning of `name` (English or Chinese, maybe dotted, maybe prefixed by a basis:
    /// `spell.fee_monthly`) for a rule on `basis`. `Err` carries up to three near names.
    ///
    /// # Errors
    /// When nothing of that name can be read from the basis.
    fn name(&self, basis: &Basis, name: &str) -> Result<Name, Vec<String>>;

    /// The lookup table in force under that id.
    fn table(&self, id: &str) -> Option<Arc<LookupTable>>;

    /// Basis of an item (subsidy id), for `count_eligible`, `count_paid`, `sum_amount`.
    fn item(&self, id: &str) -> Option<Basis>;

    /// The basis a word names, for `count(spell)` and the like.
    fn basis(&self, word: &str) -> Option<Basis>;

    /// Whether a row of `fine` determines exactly one row of `coarse` (or none, at run time).
    fn determines(&self, fine: &Basis, coarse: &Basis) -> bool;

    /// The pack's currency unit word, for instance `yuan`.
    fn currency(&self) -> &str;
}
