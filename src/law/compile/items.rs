//! Items and what excludes them.

use std::sync::Arc;

use super::{Compiler, Told};
use crate::domain::Basis;
use crate::law::cells::{ending, is_currency, rounding, ty_text};
use crate::law::expr::Expr;
use crate::law::fault::At;
use crate::law::model::{ExclusionRule, GateRef, ItemKind, RoundScope, Step, SubsidyRule, Ty};
use crate::law::names::Names;
use crate::law::text::{Block, BlockKind, Node};

impl<'a> Compiler<'a> {
    /// Compiles a `[[subsidy]]`: gates, amount, rounding, funding.
    pub(super) fn item(&mut self, block: &'a Block) -> Option<()> {
        let basis = self.basis(block)?;
        let gates = self.gates(block, &basis);
        let amount = self.key(block, "amount", &basis);
        let quantity = self.optional(block, "quantity", &basis);
        let rate = self.optional(block, "rate", &basis);
        let round = block.get("round").and_then(|node| rounding(node, true, &mut self.faults));
        let scope = self.round_scope(block, &basis);
        let payee = self.payee(block, &basis);
        let funding = self.funding(block);
        let trace = self.trace(block, &basis);
        let to_date = self.due_to_date(block, &basis);
        let amount = amount?;
        self.must_be_money(block, &basis, &amount)?;
        for (key, shown) in [("quantity", &quantity), ("rate", &rate)] {
            let Ok(Some(expr)) = shown else { continue };
            if !matches!(expr.ty(), Ty::Num { .. }) {
                let message =
                    format!("[[subsidy]] {}: `{key}` is a {}", block.id, ty_text(expr.ty()));
                self.faults.error("type", block.at(key), message, "a number", "");
                return None;
            }
        }
        let in_kind = block.flag("in_kind");
        self.reads.splits.extend(funding.clone());
        let payee = payee.ok()?;
        self.reads.pays |= !in_kind;
        self.reads.pays_others |= payee.is_some();
        let rule = Arc::new(SubsidyRule {
            head: self.book.head_of(block),
            basis,
            gates: gates?,
            amount,
            round: round?,
            round_scope: scope?,
            quantity: quantity.ok()?,
            rate: rate.ok()?,
            payee,
            funding: funding?,
            instrument: Arc::from(block.word("instrument")),
            in_kind,
            any_sign: block.text("sign").is_some(),
            to_date: to_date.ok()?,
            kind: match block.word("line_kind") {
                "INSTALMENT" => ItemKind::Instalment,
                "CLAWBACK" => ItemKind::Clawback,
                _ => ItemKind::Original,
            },
            trace: trace?,
        });
        self.items.push(Arc::clone(&rule));
        self.push(Step::Item(rule));
        Some(())
    }

    /// An expression that may be left out; `Err` is a mistake.
    pub(super) fn optional(
        &mut self,
        block: &Block,
        key: &'static str,
        basis: &Basis,
    ) -> Result<Option<Expr>, Told> {
        if block.get(key).is_none() {
            return Ok(None);
        }
        self.key(block, key, basis).map(Some).ok_or(Told)
    }

    fn must_be_money(&mut self, block: &Block, basis: &Basis, amount: &Expr) -> Option<()> {
        let currency = Arc::clone(&self.scope.currency);
        let found = match amount.ty() {
            Ty::Num { unit, .. } => {
                let unit = ending(unit, basis);
                if is_currency(&unit, &currency) && !amount.nullable() {
                    return Some(());
                }
                unit.to_string()
            }
            other => ty_text(other),
        };
        if amount.nullable() {
            let message = format!("[[subsidy]] {}: the amount may be null", block.id);
            let hint = "say what null means with coalesce(x, …)";
            self.faults.error("type", block.at("amount"), message, "an amount", hint);
            return None;
        }
        self.faults.error(
            "unit",
            block.at("amount"),
            format!("[[subsidy]] {}: the amount ends in {found:?} on {basis}", block.id),
            format!("{currency:?}"),
            if found == "number" {
                "an amount of the law is a [[parameter]] with unit and clause, read by its id"
            } else {
                "the units of the row's own basis cancel; a yearly rate needs its / 12"
            },
        );
        None
    }

    fn gates(&mut self, block: &'a Block, basis: &Basis) -> Option<Vec<GateRef>> {
        let mut refs = Vec::new();
        let mut fine = true;
        for (id, at) in block.texts("gates") {
            let (kind, bare) = match id.strip_prefix("price:") {
                Some(bare) => (BlockKind::GuidePrice, bare),
                None => (BlockKind::Gate, id),
            };
            let Some(found) = self.refer(block, kind, bare, at) else {
                fine = false;
                continue;
            };
            let other = Basis::parse(found.word("basis"));
            if !self.scope.determines(basis, &other) {
                let message = format!(
                    "[[subsidy]] {} on {basis} cannot use {id}, which is on {other}",
                    block.id
                );
                let hint = format!(
                    "put the gate on {basis}; there rows of {other} are read through any, all, count"
                );
                self.faults.error("basis", at, message, "the same basis or a coarser one", hint);
                fine = false;
            }
            let printed = self.book.printed(found.pack, &found.id);
            let gate = match kind {
                BlockKind::Gate => {
                    self.reads.gates.insert(found.serial);
                    GateRef::Gate(printed)
                }
                _ => GateRef::Price(printed),
            };
            if refs.contains(&gate) {
                let message = format!("[[subsidy]] {} lists {id} twice", block.id);
                self.faults.error("duplicate", at, message, "each gate once", "");
                fine = false;
            }
            refs.push(gate);
        }
        fine.then_some(refs)
    }

    fn round_scope(&mut self, block: &Block, basis: &Basis) -> Option<RoundScope> {
        let word = block.get("round").and_then(|node| node.get("scope")).and_then(Node::text);
        let (scope, needs) = match word {
            Some("child_month") => (RoundScope::ChildMonth, Some(Basis::Child)),
            Some("institution_month") => (RoundScope::InstitutionMonth, Some(Basis::Institution)),
            Some("settlement") => (RoundScope::Settlement, None),
            _ => (RoundScope::Line, None),
        };
        if let Some(needs) = needs.filter(|needs| !self.scope.determines(basis, needs)) {
            let message = format!("[[subsidy]] {}: lines on {basis} have no {needs}", block.id);
            let at = block.at("round").clone();
            self.faults.error("basis", &at, message, "a scope the lines have", "");
            return None;
        }
        let months = self.book.head().map_or(1, |head| head.settlement_months);
        if scope == RoundScope::Settlement && months > 1 {
            // Rules of a month read its rounded amounts: they cannot wait for the months after it.
            let message = format!(
                "[[subsidy]] {} rounds over the settlement, and a settlement has {months} months",
                block.id
            );
            let hint = "state scope = \"institution_month\", or settlement = \"month\" in [pack]";
            let at = block.at("round").clone();
            self.faults.error("settlement_rounding", &at, message, "a scope inside a month", hint);
            return None;
        }
        Some(scope)
    }

    /// The split of an item: the one it names, else the one that lists it, else the only one
    /// without a list. In-kind items need none.
    fn funding(&mut self, block: &'a Block) -> Option<Arc<str>> {
        if let Some(id) = block.text("funding") {
            let found = self.refer(block, BlockKind::Split, id, block.at("funding"))?;
            return Some(self.book.printed(found.pack, &found.id));
        }
        let splits: Vec<_> =
            self.of_kind(BlockKind::Split).into_iter().filter(|s| s.pack == block.pack).collect();
        let lists = |split: &Block| split.texts("items").iter().any(|(id, _)| *id == &*block.id);
        let listed: Vec<_> = splits.iter().filter(|split| lists(split)).collect();
        let open: Vec<_> = splits.iter().filter(|split| split.get("items").is_none()).collect();
        match (listed.as_slice(), open.as_slice()) {
            ([one], _) | ([], [one]) => Some(self.book.printed(one.pack, &one.id)),
            _ if block.flag("in_kind") => Some(Arc::from("")),
            _ => {
                let names: Vec<&str> = splits.iter().map(|split| &*split.id).collect();
                let message = format!("[[subsidy]] {} has no funding", block.id);
                let hint = if names.is_empty() {
                    "the pack has no [[split]] in force".to_owned()
                } else {
                    format!("write funding = \"…\"; splits are {}", names.join(", "))
                };
                self.faults.error("funding", &block.at, message, "a split", hint);
                None
            }
        }
    }

    fn trace(&mut self, block: &Block, basis: &Basis) -> Option<Vec<Arc<str>>> {
        self.scope.asking = block.pack;
        let mut columns = Vec::new();
        let mut fine = true;
        for (name, at) in block.texts("trace") {
            if self.broken.contains(name) {
                fine = false;
                continue;
            }
            if let Some((found, readable)) = self.scope.readable(basis, name) {
                let column = Arc::clone(&readable.column);
                self.reads.columns.insert((found, Arc::clone(&column)));
                columns.push(column);
            } else {
                self.column_unknown(block, basis, name, at, "trace");
                fine = false;
            }
        }
        fine.then_some(columns)
    }

    /// Tells that a list names a column that is not on the basis.
    pub(super) fn column_unknown(
        &mut self,
        block: &Block,
        basis: &Basis,
        name: &str,
        at: &At,
        key: &str,
    ) {
        let near = match self.scope.name(basis, name) {
            Err(near) => near,
            Ok(_) => Vec::new(),
        };
        let what = format!("[[{}]] {}, {key}", block.kind.word(), block.id);
        let message = format!("{what}: `{name}` is no column of {basis}");
        let hint = crate::law::fault::near_hint(&near, "");
        self.faults.error("unknown_name", at, message, "a fact, age or value", hint);
    }

    /// Items a block lists, with the block of each.
    pub(super) fn listed_items(&mut self, block: &'a Block) -> Option<Vec<&'a Arc<Block>>> {
        let mut found = Vec::new();
        let mut fine = true;
        for (id, at) in block.texts("items") {
            match self.refer(block, BlockKind::Subsidy, id, at) {
                Some(item) => found.push(item),
                None => fine = false,
            }
        }
        if found.is_empty() && fine {
            let message = format!("[[{}]] {} lists no item", block.kind.word(), block.id);
            self.faults.error("items", block.at("items"), message, "an item", "");
            return None;
        }
        fine.then_some(found)
    }

    /// Refuses items whose rows have no row of the key.
    pub(super) fn items_have(
        &mut self,
        block: &Block,
        items: &[&Arc<Block>],
        key: &Basis,
    ) -> Option<()> {
        for item in items {
            let basis = Basis::parse(item.word("basis"));
            if !self.scope.determines(&basis, key) {
                let message = format!(
                    "[[{}]] {}: lines of {} are on {basis} and have no {key}",
                    block.kind.word(),
                    block.id,
                    item.id
                );
                let at = block.at("items").clone();
                self.faults.error("basis", &at, message, "items whose rows have the key", "");
                return None;
            }
        }
        Some(())
    }

    pub(super) fn printed_items(&self, items: &[&Arc<Block>]) -> Vec<Arc<str>> {
        items.iter().map(|item| self.book.printed(item.pack, &item.id)).collect()
    }

    /// Rules whose days cannot cut a month refuse to.
    pub(super) fn not_split(&mut self, block: &Block) {
        if block.dating.mid_month == crate::law::model::MidMonth::SplitDays {
            let message = format!("split_days on [[{}]] {}", block.kind.word(), block.id);
            let expected = "by_month_start | next_month | whole_if_started";
            self.faults.error("split_days", block.at("mid_month"), message, expected, "");
        }
    }

    pub(super) fn exclusions(&mut self) -> Vec<Arc<ExclusionRule>> {
        let mut rules = Vec::new();
        for block in self.of_kind(BlockKind::Exclusion) {
            if block.broken {
                continue;
            }
            self.not_split(block);
            let word = block.word("key");
            let Some(key) = self.scope.basis(word) else {
                if !self.broken_grouping(word) {
                    self.no_basis(block, "key", word);
                }
                continue;
            };
            self.reads.bases.insert(key.clone());
            let Some(items) = self.listed_items(block) else { continue };
            if self.items_have(block, &items, &key).is_none() {
                continue;
            }
            if let Some(total) = items.iter().find(|item| item.get("to_date").is_some()) {
                let message = format!(
                    "[[exclusion]] {}: {} is a total to date, which is not compared with a month",
                    block.id, total.id
                );
                let expected = "items of the month";
                self.faults.error("to_date", block.at("items"), message, expected, "");
                continue;
            }
            rules.push(Arc::new(ExclusionRule {
                head: self.book.head_of(block),
                items: self.printed_items(&items),
                key,
                highest: block.word("rule") == "highest",
            }));
        }
        rules
    }
}
