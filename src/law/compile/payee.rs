//! Whom an item is paid to: the institution of the row, or a key of the row (S10).

use super::{Compiler, Told};
use crate::domain::Basis;
use crate::law::cells::ty_text;
use crate::law::expr::Expr;
use crate::law::model::{PayeeRule, SplitRule, Step, Ty};
use crate::law::names::Names;
use crate::law::text::{Block, BlockKind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The word for the institution of the row.
const INSTITUTION: &str = "institution";
/// Columns that refer to a child or a person: their texts are identity numbers.
const PERSONS: [&str; 2] = ["child_ref", "person_ref"];

/// Whether an item names a payee of its own.
pub(super) fn pays_others(item: &Block) -> bool {
    item.word("payee") != INSTITUTION
}

impl Compiler<'_> {
    /// The payee of an item: none where it is the institution of the row.
    pub(super) fn payee(
        &mut self,
        block: &Block,
        basis: &Basis,
    ) -> Result<Option<PayeeRule>, Told> {
        if block.flag("in_kind") {
            if !pays_others(block) {
                return Ok(None);
            }
            let message = format!("[[subsidy]] {}: `payee` of support in kind", block.id);
            let expected = "no `payee`: what is in kind is paid to nobody";
            self.faults.error("payee", block.at("payee"), message, expected, "");
            return Err(Told);
        }
        if !pays_others(block) {
            if self.scope.determines(basis, &Basis::Institution) {
                return Ok(None);
            }
            let message =
                format!("[[subsidy]] {}: rows of {basis} have no institution to pay", block.id);
            let hint = "write payee = \"…\", a key that the rows have, for instance a family's";
            self.faults.error("payee", &block.at, message, "`payee`", hint);
            return Err(Told);
        }
        let id = self.key(block, "payee", basis).ok_or(Told)?;
        if *id.ty() != Ty::Key {
            let message = format!("[[subsidy]] {}: `payee` is a {}", block.id, ty_text(id.ty()));
            let expected = "a key: what names a family, a person, an institution";
            let hint = "a column of [[input]] is one by type = \"key\"";
            self.faults.error("payee", block.at("payee"), message, expected, hint);
            return Err(Told);
        }
        Ok(Some(PayeeRule { person: self.names_a_person(&id), id }))
    }

    /// Whether what an expression reads comes from a reference to a child or person.
    fn names_a_person(&self, expr: &Expr) -> bool {
        expr.reads().iter().any(|(basis, column)| {
            PERSONS.contains(&&**column)
                || self.steps.iter().any(|step| match step {
                    Step::Value(rule) if rule.basis == *basis && rule.head.id == *column => {
                        self.names_a_person(&rule.expr)
                    }
                    Step::Aggregate(rule) if rule.basis == *basis && rule.name == *column => {
                        rule.argument.iter().any(|of| self.names_a_person(of))
                    }
                    Step::Grouping(rule) if rule.basis == *basis => rule
                        .by
                        .iter()
                        .any(|key| key.column == *column && self.names_a_person(&key.expr)),
                    _ => false,
                })
                || self.lifted.iter().any(|rule| {
                    let own = rule.basis == *basis && rule.name == *column;
                    own && rule.argument.iter().any(|of| self.names_a_person(of))
                })
        })
    }

    /// Weights of sources are read on institutions: where the payee is none, they are those of the whole
    /// settlement.
    pub(super) fn splits_of_payees(&mut self, splits: &BTreeMap<Arc<str>, Arc<SplitRule>>) {
        for block in self.of_kind(BlockKind::Subsidy) {
            let printed = self.book.printed(block.pack, &block.id);
            let item = self.items.iter().find(|item| item.head.id == printed);
            let Some(item) = item.filter(|item| item.payee.is_some()) else { continue };
            let Some(split) = splits.get(&item.funding) else { continue };
            let mut read = split.parts.iter().flat_map(|(_, weight)| weight.reads());
            let Some((basis, column)) = read.find(|(basis, _)| *basis != Basis::Programme) else {
                continue;
            };
            let message = format!(
                "[[subsidy]] {}: its split {} reads {column} of {basis}, which the payee need not have",
                block.id, split.head.id
            );
            let hint = "fund it by a split of its own, with `shares` or weights of the settlement";
            let expected = "weights that are the same for every payee";
            self.faults.error("payee", block.at("payee"), message, expected, hint);
        }
    }
}
