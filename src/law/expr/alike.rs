//! Whether two expressions say the same, and which columns count only up to a bound.

use super::lookup::Lookup;
use super::tree::{NodeId, Op, Tree};
use super::{Expr, ExprInner};
use crate::domain::{Basis, Cell};
use std::sync::Arc;

/// A column that an expression reads in a `least` only: what it holds beyond the least of its
/// companions changes no result.
#[derive(Debug, Clone)]
pub struct Capped {
    /// Basis of the column.
    pub basis: Basis,
    /// Its name.
    pub column: Arc<str>,
    /// An expression for each `least`: the column counts up to the greatest of their values.
    pub bounds: Vec<Expr>,
}

impl Expr {
    /// Whether another expression has the same value on every row: the same operators on the same
    /// columns, tables and constants, whatever versions of the law they come from.
    #[must_use]
    pub fn alike(&self, other: &Self) -> bool {
        if Arc::ptr_eq(&self.inner, &other.inner) {
            return true;
        }
        let (one, two) = (&self.inner.tree, &other.inner.tree);
        self.inner.root == other.inner.root
            && one.columns == two.columns
            && one.lookups.len() == two.lookups.len()
            && one.nodes.len() == two.nodes.len()
            && one.nodes.iter().zip(&two.nodes).all(|(a, b)| {
                a.op == b.op && a.args == b.args && a.kind == b.kind && a.nullable == b.nullable
            })
            && one.lookups.iter().zip(&two.lookups).all(|(a, b)| same_table(a, b))
    }

    /// The columns that count only up to a bound.
    #[must_use]
    pub fn capped(&self) -> Vec<Capped> {
        let ExprInner { tree, root, .. } = &*self.inner;
        let mut users: Vec<Vec<NodeId>> = vec![Vec::new(); tree.nodes.len()];
        for (id, node) in tree.nodes.iter().enumerate() {
            for arg in &node.args {
                users[*arg].push(id);
            }
        }
        let uses = Uses { tree, users, root: *root };
        let mut found = Vec::new();
        for (place, (basis, column)) in tree.columns.iter().enumerate() {
            let own = |id: &NodeId| tree.nodes[*id].op == Op::Column(place);
            let mut bounds = Vec::new();
            let ids = (0..tree.nodes.len()).filter(own);
            if ids.into_iter().all(|id| uses.bound(id, place, &mut bounds)) && !bounds.is_empty() {
                bounds.sort_unstable();
                bounds.dedup();
                let whole = (0, self.inner.source.len());
                let of = |id: NodeId| Self::of(&self.inner.source, whole, tree, id, &[]);
                let bounds = bounds.into_iter().map(of).collect();
                found.push(Capped { basis: basis.clone(), column: Arc::clone(column), bounds });
            }
        }
        found
    }
}

fn same_table(a: &Lookup, b: &Lookup) -> bool {
    let (a, b) = (&a.table, &b.table);
    let keys = |(a, b): (&super::TableKey, &super::TableKey)| a.ty == b.ty && a.range == b.range;
    Arc::ptr_eq(a, b)
        || (a.ty == b.ty
            && a.keys.len() == b.keys.len()
            && a.keys.iter().zip(&b.keys).all(keys)
            && a.rows == b.rows)
}

/// Who reads each node.
struct Uses<'t> {
    tree: &'t Tree,
    users: Vec<Vec<NodeId>>,
    root: NodeId,
}

impl Uses<'_> {
    /// Whether a node is read by `least` and tests for null alone; adds what bounds it.
    fn bound(&self, id: NodeId, column: usize, bounds: &mut Vec<NodeId>) -> bool {
        id != self.root
            && self.users[id].iter().all(|user| {
                let node = &self.tree.nodes[*user];
                match node.op {
                    Op::IsNull => true,
                    Op::Least => {
                        let free = |arg: &&NodeId| **arg != id && !self.reads(**arg, column);
                        let other = node.args.iter().find(free);
                        bounds.extend(other);
                        other.is_some()
                    }
                    Op::Coalesce => {
                        let fallback = &self.tree.nodes[node.args[1]].folded;
                        node.args[0] == id
                            && matches!(fallback, Some(Cell::Num(..)))
                            && self.bound(*user, column, bounds)
                    }
                    _ => false,
                }
            })
    }

    fn reads(&self, id: NodeId, column: usize) -> bool {
        let node = &self.tree.nodes[id];
        node.op == Op::Column(column) || node.args.iter().any(|arg| self.reads(*arg, column))
    }
}
