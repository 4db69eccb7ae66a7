//! What expressions read, and which of it the scenarios of a family change.

use super::kinds::Kinds;
use crate::domain::Basis;
use crate::law::PriceRule;
use crate::law::expr::Expr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A column of a basis.
pub(super) type Column = (Basis, Arc<str>);

/// The columns that some expressions read.
pub(super) type Reads = BTreeSet<Column>;

pub(super) fn reads_of(exprs: &[Expr]) -> Reads {
    exprs.iter().flat_map(Expr::reads).collect()
}

/// Columns that scenarios change.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// By the step that makes them.
    made: BTreeMap<Column, (usize, Arc<Kinds>)>,
    /// Fees that count only up to a ceiling a step makes.
    reduced: BTreeMap<Column, (usize, Arc<Kinds>, Arc<PriceRule>)>,
    /// Those the condensed path cannot tell.
    opaque: BTreeSet<Column>,
}

impl Known {
    pub(super) fn makes(
        &mut self,
        basis: &Basis,
        name: &Arc<str>,
        step: usize,
        kinds: &Arc<Kinds>,
    ) {
        self.made.insert((basis.clone(), Arc::clone(name)), (step, Arc::clone(kinds)));
    }

    pub(super) fn reduces(
        &mut self,
        basis: &Basis,
        name: &Arc<str>,
        (step, kinds): (usize, &Arc<Kinds>),
        rule: &Arc<PriceRule>,
    ) {
        let of = (step, Arc::clone(kinds), Arc::clone(rule));
        self.reduced.insert((basis.clone(), Arc::clone(name)), of);
    }

    pub(super) fn opaque(&mut self, basis: &Basis, name: &Arc<str>) {
        self.opaque.insert((basis.clone(), Arc::clone(name)));
    }

    pub(super) fn made(&self, column: &Column) -> Option<(usize, Arc<Kinds>)> {
        self.made.get(column).cloned()
    }

    pub(super) fn reduced(&self, column: &Column) -> Option<(usize, Arc<Kinds>, Arc<PriceRule>)> {
        self.reduced.get(column).cloned()
    }

    pub(super) fn is_opaque(&self, column: &Column) -> bool {
        self.opaque.contains(column)
    }

    /// Whether any of the columns changes.
    pub(super) fn any(&self, reads: &Reads) -> bool {
        reads.iter().any(|column| {
            self.made.contains_key(column)
                || self.reduced.contains_key(column)
                || self.opaque.contains(column)
        })
    }
}
