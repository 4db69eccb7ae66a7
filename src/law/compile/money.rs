//! What bounds and shares money: caps, budget steps, splits, pay dates.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::payee::pays_others;
use super::{Compiler, Place, Told, owner};
use crate::domain::{Basis, Fraction};
use crate::law::cells::{ending, is_currency, rounding, scale, ty_text};
use crate::law::expr::Expr;
use crate::law::fault::{near, near_hint};
use crate::law::model::{
    Apportion, CapRule, CapStage, ShortageMethod, ShortageRule, SplitMethod, SplitRule, SplitScope,
    Ty, Unit, Window,
};
use crate::law::names::Names;
use crate::law::text::{Block, BlockKind, Node, Value, number};

/// A cap key that stands for each line on its own.
const LINE: &str = "line";
/// The limit that stands for the balances of the budget table.
const BUDGET: &str = "budget";

/// Columns of a queue: name, whether descending.
type Order = Vec<(Arc<str>, bool)>;

impl<'a> Compiler<'a> {
    pub(super) fn caps(&mut self) -> Vec<Arc<CapRule>> {
        let mut rules = Vec::new();
        for block in self.of_kind(BlockKind::Cap) {
            if !block.broken {
                self.not_split(block);
                rules.extend(self.cap(block).map(Arc::new));
            }
        }
        rules.sort_by_key(|rule: &Arc<CapRule>| rule.stage);
        rules
    }

    fn cap(&mut self, block: &'a Block) -> Option<CapRule> {
        let items = self.listed_items(block)?;
        let key = self.cap_key(block).ok()?;
        let on = match &key {
            Some(key) => {
                self.items_have(block, &items, key)?;
                key.clone()
            }
            None => self.one_basis(block, &items)?,
        };
        self.cap_window(block, &items, key.as_ref())?;
        let limit = self.key(block, "limit", &on);
        let quantity = self.quantities(block, &items);
        let order = self.cap_order(block, &items);
        let (limit, quantity, order) = (limit?, quantity.ok()?, order.ok()?);
        let round = match block.get("round") {
            None => None,
            Some(node) => {
                let money = matches!(limit.ty(), Ty::Num { unit, .. } if self.money(unit));
                Some(rounding(node, money, &mut self.faults)?)
            }
        };
        self.limit_fits(block, &on, &limit, quantity.as_ref(), round.is_some())?;
        Some(CapRule {
            head: self.book.head_of(block),
            items: self.printed_items(&items),
            stage: match block.word("stage") {
                "item" => CapStage::Item,
                "institution" => CapStage::Institution,
                _ => CapStage::Cumulative,
            },
            key,
            across: block.flag("across"),
            window: match block.word("window") {
                "month" => Window::Month,
                "quarter" => Window::Quarter,
                "year" => Window::Year,
                _ => Window::Life,
            },
            limit,
            round,
            quantity: quantity
                .map(|list| list.into_iter().map(|(item, expr, _)| (item, expr)).collect()),
            apportion: order.map_or(Apportion::LargestRemainder, Apportion::Queue),
            pays_others: items.iter().any(|item| pays_others(item)),
        })
    }

    /// A total to date holds what was paid of it before, so that only its own window bounds it; only
    /// children stand at several institutions.
    fn cap_window(
        &mut self,
        block: &Block,
        items: &[&Arc<Block>],
        key: Option<&Basis>,
    ) -> Option<()> {
        if block.flag("across") && key != Some(&Basis::Child) {
            let message = format!("[[cap]] {}: `across` without the key child", block.id);
            let hint = "across = true shares the cap among the institutions of a child";
            self.faults.error("across", block.at("across"), message, "key = \"child\"", hint);
            return None;
        }
        let window = block.word("window");
        let own: Vec<Basis> = items.iter().map(|item| Basis::parse(item.word("basis"))).collect();
        for basis in key.map_or(own.as_slice(), std::slice::from_ref) {
            let Basis::Declared(name) = basis else { continue };
            if window != "month" && !self.key_lasts(name) {
                let message =
                    format!("[[cap]] {}: a row of {name} is no row of another month", block.id);
                let hint = "a table without span, named by keys alone, has rows that last";
                let expected = "window = \"month\"";
                self.faults.error("window", block.at("window"), message, expected, hint);
                return None;
            }
        }
        for item in items {
            let Some(total) = item.text("to_date").filter(|total| *total != window) else {
                continue;
            };
            let message = format!(
                "[[cap]] {}: {} is a total to date ({total}), the window is a {window}",
                block.id, item.id
            );
            let hint = "an earlier payment of it is part of its total";
            let expected = format!("window = \"{total}\"");
            self.faults.error("to_date", block.at("window"), message, expected, hint);
            return None;
        }
        Some(())
    }

    /// The basis under `key`; `None` is `line`.
    fn cap_key(&mut self, block: &Block) -> Result<Option<Basis>, Told> {
        let word = block.word("key");
        if word == LINE {
            return Ok(None);
        }
        let found = self.scope.basis(word);
        if found.is_none() {
            let message = format!("[[cap]] {}: `{word}` is no basis", block.id);
            let expected = "a basis, or \"line\" for each line on its own";
            if !self.broken_grouping(word) {
                let known = self.scope.bases();
                let hint = near_hint(&near(word, known.iter().map(Basis::name)), "");
                self.faults.error("unknown_basis", block.at("key"), message, expected, hint);
            }
        }
        self.reads.bases.extend(found.clone());
        found.map(Some).ok_or(Told)
    }

    fn one_basis(&mut self, block: &Block, items: &[&Arc<Block>]) -> Option<Basis> {
        let mut bases: Vec<Basis> =
            items.iter().map(|item| Basis::parse(item.word("basis"))).collect();
        bases.dedup();
        if let [only] = bases.as_slice() {
            return Some(only.clone());
        }
        let message = format!("[[cap]] {}: key \"line\" over items of several bases", block.id);
        self.faults.error("basis", block.at("items"), message, "items of one basis", "");
        None
    }

    /// `quantity` compiled on the basis of each item: (item, expression, unit left).
    #[expect(clippy::type_complexity, reason = "a list of triples used once")]
    fn quantities(
        &mut self,
        block: &Block,
        items: &[&Arc<Block>],
    ) -> Result<Option<Vec<(Arc<str>, Expr, Unit)>>, Told> {
        let Some(text) = block.text("quantity") else { return Ok(None) };
        let text = text.to_owned();
        let mut list = Vec::new();
        for item in items {
            let basis = Basis::parse(item.word("basis"));
            let printed = self.book.printed(item.pack, &item.id);
            let own = owner(&self.book.printed(block.pack, &block.id), block, "quantity");
            let place = Place { block, key: "quantity", at: block.at("quantity") };
            let expr = self.expr(place, &text, &basis, &format!("{own}.{printed}"));
            let expr = expr.ok_or(Told)?;
            let unit = match expr.ty() {
                Ty::Num { unit, .. } if !expr.nullable() => ending(unit, &basis),
                other => {
                    let found = if expr.nullable() { "may be null".into() } else { ty_text(other) };
                    let message = format!("[[cap]] {}: the quantity is {found}", block.id);
                    self.faults.error("type", block.at("quantity"), message, "a number", "");
                    return Err(Told);
                }
            };
            list.push((printed, expr, unit));
        }
        Ok(Some(list))
    }

    fn limit_fits(
        &mut self,
        block: &Block,
        basis: &Basis,
        limit: &Expr,
        quantity: Option<&Vec<(Arc<str>, Expr, Unit)>>,
        rounded: bool,
    ) -> Option<()> {
        let currency = Arc::clone(&self.scope.currency);
        let (unit, integer) = match limit.ty() {
            Ty::Num { unit, integer } if !limit.nullable() => (ending(unit, basis), *integer),
            other => {
                let found = if limit.nullable() { "may be null".into() } else { ty_text(other) };
                let message = format!("[[cap]] {}: the limit is {found}", block.id);
                self.faults.error("type", block.at("limit"), message, "a number", "");
                return None;
            }
        };
        let wanted = match quantity.and_then(|list| list.first()) {
            Some((_, _, unit)) => unit.to_string(),
            None => currency.to_string(),
        };
        let all = quantity.is_none_or(|list| list.iter().all(|(_, _, other)| *other == unit));
        let fits = if quantity.is_some() { all } else { is_currency(&unit, &currency) };
        if !fits {
            let message =
                format!("[[cap]] {}: the limit is in {:?} on {basis}", block.id, unit.to_string());
            self.faults.error("unit", block.at("limit"), message, format!("{wanted:?}"), "");
            return None;
        }
        if quantity.is_none() && !integer && !rounded {
            let message =
                format!("[[cap]] {}: the limit is not whole fen and has no `round`", block.id);
            let hint = "write round = { to = \"0.01\", mode = \"floor\" }";
            self.faults.error("missing_rounding", block.at("limit"), message, "`round`", hint);
            return None;
        }
        Some(())
    }

    fn cap_order(&mut self, block: &Block, items: &[&Arc<Block>]) -> Result<Option<Order>, Told> {
        let queue = block.word("apportion") == "queue";
        if !queue {
            if block.get("order").is_some() {
                let message = format!("[[cap]] {}: `order` without a queue", block.id);
                let expected = "apportion = \"queue\"";
                self.faults.error("order", block.at("order"), message, expected, "");
                return Err(Told);
            }
            return Ok(None);
        }
        let basis = self.one_basis(block, items).ok_or(Told)?;
        self.order(block, &basis, "queue").map(Some).ok_or(Told)
    }

    /// `order`: columns of the basis, `-` in front for descending.
    fn order(&mut self, block: &Block, basis: &Basis, method: &str) -> Option<Order> {
        let list = block.texts("order");
        if list.is_empty() {
            let what = format!("[[{}]] {}", block.kind.word(), block.id);
            let message = format!("{what}: {method} has no `order`");
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
            let Some(readable) = self.scope.on(basis, name) else {
                self.column_unknown(block, basis, name, at, "order");
                return None;
            };
            let column = Arc::clone(&readable.column);
            self.reads.columns.insert((basis.clone(), Arc::clone(&column)));
            order.push((column, descending));
        }
        Some(order)
    }

    pub(super) fn shortages(
        &mut self,
        splits: &BTreeMap<Arc<str>, Arc<SplitRule>>,
    ) -> Vec<Arc<ShortageRule>> {
        let mut rules = Vec::new();
        for block in self.of_kind(BlockKind::Shortage) {
            if !block.broken {
                self.not_split(block);
                rules.extend(self.shortage(block, splits).map(Arc::new));
            }
        }
        rules
    }

    fn shortage(
        &mut self,
        block: &Block,
        splits: &BTreeMap<Arc<str>, Arc<SplitRule>>,
    ) -> Option<ShortageRule> {
        let mut sources = Vec::new();
        for (source, at) in block.texts("sources") {
            let known: Vec<&str> =
                splits.values().flat_map(|s| s.parts.iter().map(|(name, _)| &**name)).collect();
            if !splits.is_empty() && !known.contains(&source) {
                let message =
                    format!("[[shortage]] {}: no split has the source {source}", block.id);
                let hint = near_hint(&near(source, known.iter().copied()), "");
                self.faults.error("unknown_name", at, message, "a source of a split", hint);
                return None;
            }
            sources.push(Arc::from(source));
        }
        let limit = if block.word("limit") == BUDGET {
            self.reads.budget = true;
            None
        } else {
            let limit = self.key(block, "limit", &Basis::Programme)?;
            self.limit_fits(block, &Basis::Programme, &limit, None, true)?;
            Some(limit)
        };
        let method = match block.word("method") {
            "prorata" => ShortageMethod::ProRata,
            "queue" => ShortageMethod::Queue(self.order(block, &Basis::Institution, "queue")?),
            _ => ShortageMethod::Carry(self.order(block, &Basis::Institution, "carry")?),
        };
        let restore =
            matches!(block.get("restore").map(|node| &node.value), Some(Value::Bool(true)));
        if restore && matches!(method, ShortageMethod::Carry(_)) {
            let message = format!("[[shortage]] {}: `restore` of what is carried", block.id);
            let expected = "no `restore`: what was carried comes by itself and would be paid twice";
            self.faults.error("shortage", block.at("restore"), message, expected, "");
            return None;
        }
        Some(ShortageRule { head: self.book.head_of(block), sources, limit, method, restore })
    }

    pub(super) fn splits(&mut self) -> BTreeMap<Arc<str>, Arc<SplitRule>> {
        let mut splits = BTreeMap::new();
        for block in self.of_kind(BlockKind::Split) {
            if block.broken {
                continue;
            }
            self.not_split(block);
            if block.get("items").is_some() {
                self.listed_items(block);
            }
            if let Some(rule) = self.split(block) {
                splits.insert(Arc::clone(&rule.head.id), Arc::new(rule));
            }
        }
        splits
    }

    fn split(&mut self, block: &Block) -> Option<SplitRule> {
        let node = block.get("parts")?;
        let parts = self.parts(block, node)?;
        let quantum = match block.get("quantum") {
            None => 1,
            Some(node) => {
                let fen = number(node).and_then(|number| scale(number, true));
                let whole = fen.filter(|f| f.den == 1 && f.num > 0);
                let Some(fen) = whole.and_then(|f| i64::try_from(f.num).ok()) else {
                    let message = format!("[[split]] {}: the quantum is not whole fen", block.id);
                    self.faults.error("rounding", &node.at, message, "\"0.01\" or more", "");
                    return None;
                };
                fen
            }
        };
        Some(SplitRule {
            head: self.book.head_of(block),
            scope: match block.word("scope") {
                "line" => SplitScope::Line,
                "institution" => SplitScope::Institution,
                _ => SplitScope::Settlement,
            },
            parts,
            method: match block.word("method") {
                "residual_last" => SplitMethod::ResidualLast,
                "residual_first" => SplitMethod::ResidualFirst,
                _ => SplitMethod::LargestRemainder,
            },
            quantum,
        })
    }

    /// Parts with their weights: all shares (that sum to one) or all weights.
    fn parts(&mut self, block: &Block, node: &Node) -> Option<Vec<(Arc<str>, Expr)>> {
        let what = format!("[[split]] {}", block.id);
        let mut parts: Vec<(Arc<str>, Expr)> = Vec::new();
        let mut sum = Fraction::whole(0);
        let mut shares = 0;
        for (index, part) in node.list().iter().enumerate() {
            let source = part.get("source").and_then(Node::text).unwrap_or("");
            if parts.iter().any(|(other, _)| **other == *source) {
                let message = format!("{what} names {source} twice");
                self.faults.error("duplicate", &part.at, message, "each source once", "");
                return None;
            }
            let (share, weight) = (part.get("share"), part.get("weight"));
            let (text, at, key) = match (share, weight) {
                (Some(node), None) => {
                    shares += 1;
                    let share = number(node)?;
                    if share.num < 0 {
                        let message = format!("{what}: a share below zero");
                        self.faults.error("shares", &node.at, message, "0 to 1", "");
                        return None;
                    }
                    sum = sum.checked_add(share)?;
                    let share = share.reduced();
                    (format!("{} / {}", share.num, share.den), &node.at, "share")
                }
                (None, Some(node)) => (node.text()?.to_owned(), &node.at, "weight"),
                _ => {
                    let message = format!("{what}: the part {source} has both or neither");
                    self.faults.error("shares", &part.at, message, "`share` or `weight`", "");
                    return None;
                }
            };
            let printed = self.book.printed(block.pack, &block.id);
            let own = format!("{}.{index}", owner(&printed, block, key));
            let expr = self.expr(Place { block, key, at }, &text, &Basis::Institution, &own)?;
            if !matches!(expr.ty(), Ty::Num { .. }) || expr.nullable() {
                let message = format!("{what}: the weight of {source} is no number");
                self.faults.error("type", at, message, "a number", "");
                return None;
            }
            parts.push((Arc::from(source), expr));
        }
        let one = sum.num == sum.den;
        let fault = if parts.is_empty() {
            format!("{what} has no part")
        } else if shares > 0 && shares < parts.len() {
            format!("{what} mixes shares and weights")
        } else if shares > 0 && !one {
            let sum = sum.reduced();
            format!(
                "{what}: the shares sum to {}",
                crate::law::lookup::fraction_text(sum.num, sum.den)
            )
        } else {
            return Some(parts);
        };
        self.faults.error(
            "shares",
            &node.at,
            fault,
            "shares that sum to exactly one, or weights",
            "",
        );
        None
    }
}
