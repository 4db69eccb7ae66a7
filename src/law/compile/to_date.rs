//! Items due to date: their window, instalments, what is deducted, what they recover.

use std::sync::Arc;

use super::{Compiler, Place, Told, owner};
use crate::domain::{Basis, Fraction};
use crate::law::fault::At;
use crate::law::model::{InputTable, PartRule, ToDateRule, Ty, Window};
use crate::law::names::Names;
use crate::law::text::{Block, BlockKind, Node, number};

/// More parts than a line of the books can tell.
const MOST_PARTS: usize = 64;

/// Keys that mean nothing without `to_date`.
const KEYS: [&str; 5] = ["instalments", "less", "recovers", "restore", "line_kind"];

impl<'a> Compiler<'a> {
    /// What an item says of its total to date; `Ok(None)` for an item of the month.
    pub(super) fn due_to_date(
        &mut self,
        block: &'a Block,
        basis: &Basis,
    ) -> Result<Option<ToDateRule>, Told> {
        let window = match block.text("to_date") {
            Some("year") => Window::Year,
            Some(_) => Window::Life,
            None => return self.nothing_to_date(block).map(|()| None),
        };
        let fine = self.rows_last(block, basis);
        let parts = self.instalments(block, basis);
        let less = self.less(block, basis);
        let recovers = self.recovers(block, basis);
        let (parts, less, recovers) = (parts.ok_or(Told)?, less.ok_or(Told)?, recovers?);
        fine.ok_or(Told)?;
        Ok(Some(ToDateRule { window, parts, less, recovers, restore: block.flag("restore") }))
    }

    fn dated_fault(&mut self, at: &At, message: String, expected: &str, hint: &str) {
        self.faults.error("to_date", at, message, expected.to_owned(), hint);
    }

    /// An item of the month says nothing of parts, deductions and recoveries.
    fn nothing_to_date(&mut self, block: &Block) -> Result<(), Told> {
        let Some(key) = KEYS.into_iter().find(|key| block.get(key).is_some()) else {
            return Ok(());
        };
        let message = format!("[[subsidy]] {}: `{key}` without `to_date`", block.id);
        let hint = "the amount of such an item is the total due to date";
        let at = block.at(key).clone();
        self.dated_fault(&at, message, "to_date = \"year\" or \"life\"", hint);
        Err(Told)
    }

    /// Rows must be the same rows in another month, and their money must be paid in cash.
    fn rows_last(&mut self, block: &Block, basis: &Basis) -> Option<()> {
        let at = block.at("to_date").clone();
        let lasting = match basis {
            Basis::Day | Basis::Week | Basis::Spell | Basis::Listing | Basis::Programme => false,
            Basis::Declared(name) => self.key_lasts(name),
            _ => true,
        };
        if !lasting {
            let message =
                format!("[[subsidy]] {}: a row of {basis} is no row of another month", block.id);
            let hint = "a total to date stands on child, slot, class, institution, caregiver, \
                        venue, contract, certificate, or a declared table whose key holds only \
                        keys";
            self.dated_fault(&at, message, "a basis whose rows last", hint);
            return None;
        }
        if block.flag("in_kind") {
            let message = format!("[[subsidy]] {}: `to_date` on an item in kind", block.id);
            self.dated_fault(&at, message, "an item paid in money", "");
            return None;
        }
        let carries = |shortage: &&&Arc<Block>| shortage.word("method") == "carry";
        let shortages = self.of_kind(BlockKind::Shortage);
        if block.flag("restore")
            && let Some(shortage) = shortages.iter().find(carries)
        {
            let message = format!(
                "[[subsidy]] {}: `restore` beside [[shortage]] {}, which carries what is short",
                block.id, shortage.id
            );
            let hint = "what was carried comes by itself and would be paid twice";
            let at = block.at("restore").clone();
            self.dated_fault(&at, message, "no `restore`", hint);
            return None;
        }
        Some(())
    }

    /// Whether the rows of a declared table are named by keys alone.
    pub(super) fn key_lasts(&self, table: &str) -> bool {
        let of = |input: &&InputTable| !input.extends && &*input.name == table;
        let Some(input) = self.book.inputs.iter().find(of) else { return false };
        input.span.is_none()
            && input.key.iter().all(|key| {
                input.columns.iter().any(|column| column.name == *key && column.ty == Ty::Key)
            })
    }

    /// `instalments`: shares that sum to one, each with its condition.
    fn instalments(&mut self, block: &Block, basis: &Basis) -> Option<Vec<PartRule>> {
        let Some(node) = block.get("instalments") else { return Some(Vec::new()) };
        let what = format!("[[subsidy]] {}", block.id);
        let list = node.list();
        if list.is_empty() || list.len() > MOST_PARTS {
            let message = format!("{what}: {} instalments", list.len());
            self.dated_fault(&node.at, message, "1 to 64 instalments", "");
            return None;
        }
        let mut sum = Fraction::whole(0);
        let mut parts = Vec::with_capacity(list.len());
        let mut fine = true;
        for (at, part) in list.iter().enumerate() {
            let share = part.get("share").and_then(number)?;
            if share.num <= 0 {
                let message = format!("{what}: an instalment with a share not above zero");
                self.faults.error("shares", &part.at, message, "above zero", "");
                return None;
            }
            sum = sum.checked_add(share)?;
            let when = part.get("when").and_then(|when| {
                let text = when.text()?.to_owned();
                let own = owner(&self.book.printed(block.pack, &block.id), block, "instalments");
                let place = Place { block, key: "instalments", at: &when.at };
                let expr = self.expr(place, &text, basis, &format!("{own}.{}", at + 1))?;
                if *expr.ty() == Ty::Bool && !expr.nullable() {
                    return Some(expr);
                }
                let found = if expr.nullable() { "may be null" } else { "is not true or false" };
                let message = format!("{what}: `when` of an instalment {found}");
                self.faults.error("type", &when.at, message, "a condition", "");
                None
            });
            let Some(when) = when else {
                fine = false;
                continue;
            };
            let clause = part.get("clause").and_then(Node::text).unwrap_or("");
            parts.push(PartRule { share, when, clause: Arc::from(clause) });
        }
        let sum = sum.reduced();
        if (sum.num, sum.den) != (1, 1) {
            let message =
                format!("{what}: the instalments sum to {}/{}, not to one", sum.num, sum.den);
            self.faults.error("shares", &node.at, message, "shares that sum to exactly one", "");
            return None;
        }
        fine.then_some(parts)
    }

    /// `less`: items of the same rows or finer ones, none of which deducts others itself.
    fn less(&mut self, block: &'a Block, basis: &Basis) -> Option<Vec<Arc<str>>> {
        let mut items = Vec::new();
        for (id, at) in block.texts("less") {
            let item = self.refer(block, BlockKind::Subsidy, id, at)?;
            let what = format!("[[subsidy]] {}, less", block.id);
            if *item.id == *block.id && item.pack == block.pack {
                let message = format!("{what}: {id} is the item itself, deducted in any case");
                self.dated_fault(at, message, "other items", "");
                return None;
            }
            if item.get("less").is_some() || item.flag("in_kind") {
                let message = format!("{what}: {id} deducts others itself, or is in kind");
                self.dated_fault(at, message, "items paid in money without `less`", "");
                return None;
            }
            self.of_the_rows(block, basis, item, at)?;
            items.push(self.book.printed(item.pack, &item.id));
        }
        Some(items)
    }

    /// `recovers`: the item taken back; its lines are negative and of the kind CLAWBACK.
    fn recovers(&mut self, block: &'a Block, basis: &Basis) -> Result<Option<Arc<str>>, Told> {
        let kind = block.word("line_kind") == "CLAWBACK";
        let Some(id) = block.text("recovers") else {
            if kind {
                let message = format!("[[subsidy]] {}: CLAWBACK without `recovers`", block.id);
                let hint = "what is taken back is bounded by what was paid of that item";
                let at = block.at("line_kind").clone();
                self.dated_fault(&at, message, "recovers = \"…\"", hint);
                return Err(Told);
            }
            return Ok(None);
        };
        let at = block.at("recovers").clone();
        if block.text("sign").is_none() || !kind {
            let message = format!(
                "[[subsidy]] {}: `recovers` needs sign = \"any\" and line_kind = \"CLAWBACK\"",
                block.id
            );
            self.dated_fault(&at, message, "both", "the amount is what is taken back, below zero");
            return Err(Told);
        }
        let item = self.refer(block, BlockKind::Subsidy, id, &at).ok_or(Told)?;
        self.of_the_rows(block, basis, item, &at).ok_or(Told)?;
        let also = self.of_kind(BlockKind::Subsidy).into_iter().find(|other| {
            other.id < block.id && other.pack == block.pack && other.text("recovers") == Some(id)
        });
        if let Some(also) = also {
            let message =
                format!("[[subsidy]] {}: {id} is recovered by {} as well", block.id, also.id);
            let hint =
                "each would take back all that was paid; write the two amounts into one item";
            self.dated_fault(&at, message, "one item that recovers it", hint);
            return Err(Told);
        }
        Ok(Some(self.book.printed(item.pack, &item.id)))
    }

    /// Refuses an item whose lines do not belong to the rows of a basis.
    fn of_the_rows(&mut self, block: &Block, basis: &Basis, item: &Block, at: &At) -> Option<()> {
        let other = Basis::parse(item.word("basis"));
        if other == *basis || self.scope.determines(&other, basis) {
            return Some(());
        }
        let message = format!(
            "[[subsidy]] {} on {basis}: lines of {} are on {other} and belong to no row of it",
            block.id, item.id
        );
        self.faults.error("basis", at, message, "items of the same rows or finer ones", "");
        None
    }
}
