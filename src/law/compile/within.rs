//! Columns made from the rows of a group: `[[rank]]`, `[[allowance]]`, `[[streak]]`, `[[spread]]`.

use super::{Compiler, Told};
use crate::domain::Basis;
use crate::law::cells::{ending, rounding, scale, ty_text};
use crate::law::expr::Expr;
use crate::law::fault::near_hint;
use crate::law::model::{
    Gap, MidMonth, OrderTerm, SpreadMethod, Step, Ty, Unit, WithinKind, WithinRule,
};
use crate::law::names::Names;
use crate::law::scope::Readable;
use crate::law::text::{Block, BlockKind, number};
use std::sync::Arc;

impl Compiler<'_> {
    /// Compiles a block that makes a column from the rows of a group, and makes it readable.
    pub(super) fn within(&mut self, block: &Block) -> Option<()> {
        if block.dating.mid_month == MidMonth::SplitDays {
            // The rows of one group may lie on both sides of the day.
            self.not_split(block);
            return None;
        }
        let basis = self.basis(block)?;
        let group = self.group(block, &basis)?;
        let when = self.optional(block, "when", &basis).ok()?;
        if let Some(when) = &when {
            self.must_be_bool(block, "when", when)?;
        }
        let order = self.order_within(block, &basis)?;
        let (kind, ty) = match block.kind {
            BlockKind::Allowance => self.allowance(block, &basis, &group)?,
            BlockKind::Streak => self.streak(block, &basis, &order)?,
            BlockKind::Spread => self.spread(block, &basis, &group)?,
            _ => (WithinKind::Rank, counted()),
        };
        let head = self.book.head_of(block);
        let nullable = block.kind == BlockKind::Rank && when.is_some();
        let readable = Readable { column: Arc::clone(&head.id), ty: ty.clone(), nullable };
        let names = self.names_of(block);
        self.scope.add_column(block.pack, &basis, &names, &readable);
        self.reads.bases.extend([basis.clone(), group.clone()]);
        let rule = WithinRule { head, basis, within: group, when, order, kind, ty };
        self.push(Step::Within(Arc::new(rule)));
        Some(())
    }

    /// The coarser basis under `within`.
    fn group(&mut self, block: &Block, basis: &Basis) -> Option<Basis> {
        let word = block.word("within");
        let found = self.scope.basis(word);
        if let Some(group) = &found
            && group != basis
            && self.scope.determines(basis, group)
        {
            return found;
        }
        let what = format!("[[{}]] {}, within", block.kind.word(), block.id);
        let at = block.at("within");
        if found.is_none() {
            let known = self.scope.bases();
            let near = crate::law::fault::near(word, known.iter().map(Basis::name));
            let message = format!("{what}: `{word}` is no basis");
            self.faults.error("unknown_basis", at, message, "", near_hint(&near, ""));
        } else {
            let coarser: Vec<String> =
                self.scope.coarser(basis).iter().map(ToString::to_string).collect();
            let message = format!("{what}: a row of {basis} belongs to no one row of {word}");
            self.faults.error("basis", at, message, coarser.join(" | "), "");
        }
        None
    }

    /// `order`: names on the rows or what they determine, `-` in front for descending.
    fn order_within(&mut self, block: &Block, basis: &Basis) -> Option<Vec<OrderTerm>> {
        let list = block.texts("order");
        let needed = match block.kind {
            BlockKind::Allowance | BlockKind::Spread => block.word("method") != "prorata",
            _ => true,
        };
        if list.is_empty() && needed {
            let what = format!("[[{}]] {}", block.kind.word(), block.id);
            let message = format!("{what} has no `order`");
            self.faults.error("order", &block.at, message, "order = [\"column\", …]", "");
            return None;
        }
        self.scope.asking = block.pack;
        let mut order = Vec::new();
        for (text, at) in list {
            let (name, descending) = match text.strip_prefix('-') {
                Some(name) => (name, true),
                None => (text, false),
            };
            if self.broken.contains(name) {
                return None;
            }
            let Some((of, readable)) = self.scope.readable(basis, name) else {
                self.column_unknown(block, basis, name, at, "order");
                return None;
            };
            let column = Arc::clone(&readable.column);
            self.reads.columns.insert((of.clone(), Arc::clone(&column)));
            order.push(OrderTerm { basis: of, column, descending });
        }
        Some(order)
    }

    fn allowance(
        &mut self,
        block: &Block,
        basis: &Basis,
        group: &Basis,
    ) -> Option<(WithinKind, Ty)> {
        let quantity = self.figure(block, "quantity", basis);
        let limit = self.figure(block, "limit", group);
        let ((quantity, unit, whole), (limit, bound, whole_limit)) = (quantity?, limit?);
        self.one_denominator(block, "quantity", &quantity)?;
        if ending(&unit, basis) != ending(&bound, group) {
            let message = format!(
                "[[allowance]] {}: the limit is in {:?} on {group} and the quantity in {:?} on {basis}",
                block.id,
                ending(&bound, group).to_string(),
                ending(&unit, basis).to_string(),
            );
            self.faults.error("unit", block.at("limit"), message, "one unit", "");
            return None;
        }
        let quantum = self.quantum(block, &unit).ok()?;
        let whole_quantum = quantum.is_none_or(|(_, den)| den == 1);
        let integer = whole && whole_limit && whole_quantum;
        let ty = Ty::Num { integer, unit };
        Some((WithinKind::Allowance { quantity, limit, quantum }, ty))
    }

    /// `to`: the quantum of a limit shared in proportion, in the base unit.
    fn quantum(&mut self, block: &Block, unit: &Unit) -> Result<Option<(i128, i128)>, Told> {
        let shared = block.word("method") == "prorata";
        let what = format!("[[allowance]] {}", block.id);
        match block.get("to") {
            None if shared => {
                let message = format!("{what} shares its limit and has no `to`");
                let hint = "parts are multiples of it, by largest remainder";
                self.faults.error("rounding", &block.at, message, "to = \"1\"", hint);
                Err(Told)
            }
            None => Ok(None),
            Some(node) if !shared => {
                let message = format!("{what}: `to` without method = \"prorata\"");
                self.faults.error("rounding", &node.at, message, "no `to`", "");
                Err(Told)
            }
            Some(node) => {
                let quantum = number(node).and_then(|to| scale(to, self.money(unit)));
                let Some(quantum) = quantum.filter(|quantum| quantum.num > 0) else {
                    let message = format!("{what}: a quantum that is not above zero");
                    self.faults.error("rounding", &node.at, message, "\"0.01\", \"1\"", "");
                    return Err(Told);
                };
                Ok(Some((quantum.num, quantum.den)))
            }
        }
    }

    fn streak(
        &mut self,
        block: &Block,
        basis: &Basis,
        order: &[OrderTerm],
    ) -> Option<(WithinKind, Ty)> {
        let gap = match block.word("gap") {
            "rows" => Gap::Rows,
            "days" => Gap::Days,
            "workdays" => Gap::WorkDays,
            "weeks" => Gap::Weeks,
            "months" => Gap::Months,
            _ => Gap::Integer,
        };
        self.one_after_another(block, basis, order, gap)?;
        if block.get("sum").is_none() {
            return Some((WithinKind::Streak { gap, sum: None }, counted()));
        }
        let (sum, unit, integer) = self.figure(block, "sum", basis)?;
        self.one_denominator(block, "sum", &sum)?;
        Some((WithinKind::Streak { gap, sum: Some(sum) }, Ty::Num { integer, unit }))
    }

    /// A streak runs forward along one name whose type its gap is measured in.
    fn one_after_another(
        &mut self,
        block: &Block,
        basis: &Basis,
        order: &[OrderTerm],
        gap: Gap,
    ) -> Option<()> {
        let list = block.texts("order");
        let ty =
            list.first().and_then(|(name, _)| Some(self.scope.readable(basis, name)?.1.ty.clone()));
        let fits = match (&ty, gap) {
            (Some(Ty::Date), gap) => gap != Gap::Integer,
            (Some(Ty::Num { integer: true, .. }), Gap::Integer | Gap::Rows) => true,
            _ => false,
        };
        if order.len() == 1 && fits && !order[0].descending {
            return Some(());
        }
        let found = ty.as_ref().map_or_else(String::new, |ty| format!(" ({})", ty_text(ty)));
        let names: Vec<&str> = list.iter().map(|(name, _)| *name).collect();
        let message = format!(
            "[[streak]] {}: no gap in {} along {}{found}",
            block.id,
            block.word("gap"),
            names.join(", ")
        );
        let expected = "one ascending name: a date, or a whole number with the gap rows or integer";
        self.faults.error("order", block.at("order"), message, expected, "");
        None
    }

    fn spread(&mut self, block: &Block, basis: &Basis, group: &Basis) -> Option<(WithinKind, Ty)> {
        let amount = self.figure(block, "amount", group);
        let wanted = match block.word("method") {
            "prorata" => Some("weight"),
            "queue" => Some("most"),
            _ => None,
        };
        for key in ["weight", "most"] {
            if block.get(key).is_some() != (wanted == Some(key)) {
                let method = block.word("method");
                let message = if wanted == Some(key) {
                    format!("[[spread]] {}: {method} has no `{key}`", block.id)
                } else {
                    format!("[[spread]] {}: `{key}` with method = {method:?}", block.id)
                };
                let expected = "prorata with `weight`, queue with `most`, one with neither";
                self.faults.error("spread", block.at(key), message, expected, "");
                return None;
            }
        }
        let of_row = match wanted {
            None => None,
            Some(key) => {
                let (of_row, unit, _) = self.figure(block, key, basis)?;
                self.one_denominator(block, key, &of_row)?;
                Some((of_row, unit))
            }
        };
        let (amount, unit, _) = amount?;
        let unit = ending(&unit, group);
        let round = rounding(block.get("round")?, self.money(&unit), &mut self.faults)?;
        let method = match of_row {
            None => SpreadMethod::One,
            Some((weight, _)) if wanted == Some("weight") => SpreadMethod::ProRata(weight),
            Some((most, bound)) => {
                let bound = ending(&bound, basis);
                if bound != unit {
                    let message = format!(
                        "[[spread]] {}: `most` is in {:?} on {basis} and the amount in {:?}",
                        block.id,
                        bound.to_string(),
                        unit.to_string()
                    );
                    self.faults.error("unit", block.at("most"), message, "one unit", "");
                    return None;
                }
                SpreadMethod::Queue(most)
            }
        };
        // What a queue gives may be bounded by a part of a quantum.
        let integer = round.quantum.1 == 1 && !matches!(method, SpreadMethod::Queue(_));
        Some((WithinKind::Spread { amount, round, method }, Ty::Num { integer, unit }))
    }

    /// A number that is never null, with its unit and whether it is whole.
    fn figure(
        &mut self,
        block: &Block,
        key: &'static str,
        basis: &Basis,
    ) -> Option<(Expr, Unit, bool)> {
        let expr = self.key(block, key, basis)?;
        let what = format!("[[{}]] {}: `{key}`", block.kind.word(), block.id);
        match expr.ty() {
            Ty::Num { unit, integer } if !expr.nullable() => {
                let (unit, integer) = (unit.clone(), *integer);
                Some((expr, unit, integer))
            }
            Ty::Num { .. } => {
                let hint = "say what null means with coalesce(x, …)";
                let message = format!("{what} may be null");
                self.faults.error("type", block.at(key), message, "a number", hint);
                None
            }
            other => {
                let message = format!("{what} is a {}", ty_text(other));
                self.faults.error("type", block.at(key), message, "a number", "");
                None
            }
        }
    }

    /// Figures of rows are added up: they need one denominator, as those of a `sum`.
    fn one_denominator(&mut self, block: &Block, key: &'static str, expr: &Expr) -> Option<()> {
        if !expr.varies() {
            return Some(());
        }
        let message = format!(
            "[[{}]] {}: `{key}` divides rows by different numbers, so that they have no one \
             denominator",
            block.kind.word(),
            block.id
        );
        let hint = "round each row first: round(x, '0.01', 'half_up') (S12)";
        self.faults.error("rounding", block.at(key), message, "one denominator", hint);
        None
    }
}

/// A plain whole number.
fn counted() -> Ty {
    Ty::Num { integer: true, unit: Unit::default() }
}
