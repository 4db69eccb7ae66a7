//! The keys of a block by their shapes: expressions become formulas, ids become names, rows a table.

use std::sync::Arc;

use super::Writer;
use crate::domain::Basis;
use crate::law::model::{PaperField, PaperName, PaperTable, PaperValue, PaperWord};
use crate::law::names::Names;
use crate::law::snapshot::plain;
use crate::law::text::schema::{DATED, Key, Shape};
use crate::law::text::{Block, BlockKind, Node};

/// Keys that name columns of a basis.
const COLUMNS: [&str; 3] = ["trace", "order", "by"];

impl Writer<'_> {
    /// Keys as written, in the order of the grammar, without those of the head.
    pub(super) fn fields(&mut self, block: &Arc<Block>) -> Vec<PaperField> {
        let basis = self.basis_of(block);
        let mut fields = Vec::new();
        let head = |key: &&Key| {
            !block.kind.dated()
                || matches!(key.name, "supersedes" | "mid_month")
                || !DATED.iter().any(|dated| dated.name == key.name)
        };
        for key in block.kind.all_keys().iter().filter(head) {
            let Some(node) = block.get(key.name) else {
                // How a group is served decides who is paid, so it is told where it is not written.
                if block.kind.within() && key.name == "method" {
                    let word = key.default.to_owned();
                    fields.push(PaperField { key: key.name, value: PaperValue::Word(word) });
                }
                continue;
            };
            // A table stands as one, its keys being the heads of its columns.
            if block.kind == BlockKind::Table && key.name == "keys" {
                continue;
            }
            let value = if block.kind == BlockKind::Table && key.name == "rows" {
                PaperValue::Table(self.lookup(block, node))
            } else {
                self.value(block, &basis, key, node)
            };
            fields.push(PaperField { key: key.name, value });
        }
        fields
    }

    /// The basis the expressions of a block stand on.
    fn basis_of(&self, block: &Block) -> Basis {
        match block.kind {
            BlockKind::Cap => match block.word("key") {
                "line" => block
                    .texts("items")
                    .first()
                    .and_then(|(item, _)| self.of_id(BlockKind::Subsidy, item))
                    .map_or(Basis::Spell, |item| Basis::parse(item.word("basis"))),
                key => Basis::parse(key),
            },
            BlockKind::Split => Basis::Institution,
            BlockKind::Shortage => Basis::Programme,
            _ => ["basis", "of"]
                .iter()
                .map(|key| block.word(key))
                .find(|word| !word.is_empty())
                .map_or(Basis::Programme, Basis::parse),
        }
    }

    fn value(&mut self, block: &Arc<Block>, basis: &Basis, key: &Key, node: &Node) -> PaperValue {
        match key.shape {
            Shape::Expr => {
                let text = plain(node);
                // `budget` and words of the kind are no names of a basis.
                let words = self.formula(block, &self.basis_of_key(block, basis, key), &text);
                PaperValue::Formula(words, crate::law::snapshot::one_line(&text))
            }
            Shape::Word(_) | Shape::Bool => PaperValue::Word(plain(node)),
            Shape::Text if matches!(key.name, "basis" | "key" | "of" | "within") => {
                self.scope.asking = block.pack;
                let word = plain(node);
                match self.of_id(BlockKind::Grouping, &word) {
                    Some(of) => PaperValue::Names(vec![PaperWord::Named(self.read(block, &of))]),
                    None => PaperValue::Word(word),
                }
            }
            Shape::Text if key.name == "dated_by" => {
                PaperValue::Names(vec![self.said(block, basis, &plain(node))])
            }
            Shape::Ref => PaperValue::Names(vec![self.reference(block, key.name, &plain(node))]),
            Shape::Refs => {
                let ids: Vec<String> = node.list().iter().map(plain).collect();
                let names = ids.iter().map(|id| self.reference(block, key.name, id)).collect();
                PaperValue::Names(names)
            }
            Shape::Texts if COLUMNS.contains(&key.name) => {
                let names: Vec<String> = node.list().iter().map(plain).collect();
                let said = names.iter().map(|name| self.sorted(block, basis, name)).collect();
                PaperValue::Names(said)
            }
            Shape::Record(keys) => PaperValue::Group(self.group(block, basis, keys, node)),
            Shape::Records(keys) => {
                let list = node.list().iter();
                PaperValue::List(list.map(|item| self.group(block, basis, keys, item)).collect())
            }
            _ => PaperValue::Text(plain(node)),
        }
    }

    /// What a line uses up of a cap is read on the items, not on the key.
    fn basis_of_key(&self, block: &Block, basis: &Basis, key: &Key) -> Basis {
        if block.kind == BlockKind::Cap && key.name == "quantity" {
            let item = block.texts("items").first().map(|(item, _)| (*item).to_owned());
            let item = item.and_then(|item| self.of_id(BlockKind::Subsidy, &item));
            return item.map_or_else(|| basis.clone(), |item| Basis::parse(item.word("basis")));
        }
        basis.clone()
    }

    fn group(
        &mut self,
        block: &Arc<Block>,
        basis: &Basis,
        keys: &[Key],
        node: &Node,
    ) -> Vec<PaperField> {
        let mut fields = Vec::new();
        for key in keys {
            if let Some(inner) = node.get(key.name) {
                let value = self.value(block, basis, key, inner);
                fields.push(PaperField { key: key.name, value });
            }
        }
        fields
    }

    /// An id of another rule.
    fn reference(&mut self, block: &Block, key: &str, id: &str) -> PaperWord {
        self.scope.asking = block.pack;
        let (kind, bare) = match (key, id.strip_prefix("price:")) {
            (_, Some(bare)) => (BlockKind::GuidePrice, bare),
            ("gates", None) => (BlockKind::Gate, id),
            ("funding", None) => (BlockKind::Split, id),
            _ => (BlockKind::Subsidy, id),
        };
        match self.of_id(kind, bare) {
            Some(rule) => PaperWord::Named(self.read(block, &rule)),
            None => PaperWord::Literal(id.to_owned()),
        }
    }

    /// A column rows are put in order by, `-` in front for descending.
    fn sorted(&mut self, block: &Block, basis: &Basis, name: &str) -> PaperWord {
        let (mark, bare) = name.strip_prefix('-').map_or(("", name), |bare| ("−", bare));
        match self.said(block, basis, bare) {
            PaperWord::Named(mut name) => {
                name.zh = format!("{mark}{}", name.zh);
                name.en = format!("{mark}{}", name.en);
                PaperWord::Named(name)
            }
            other => other,
        }
    }

    fn lookup(&mut self, block: &Arc<Block>, rows: &Node) -> PaperTable {
        let keys = block.get("keys").map_or(&[][..], Node::list);
        PaperTable {
            keys: keys.iter().map(|key| self.key(block, key)).collect(),
            rows: rows.list().iter().map(|row| row.list().iter().map(plain).collect()).collect(),
        }
    }

    /// What a key of a table is called: as a column, or as the rule of that name.
    fn key(&mut self, block: &Arc<Block>, key: &Node) -> (PaperName, String) {
        let text = |name: &str| key.get(name).map_or_else(String::new, plain);
        let name = if key.entries().is_empty() { plain(key) } else { text("name") };
        let on = self.book.dictionary.iter().find(|entry| *entry.name == *name);
        let on = on.map(|entry| entry.basis.clone());
        let maker = self
            .in_force
            .iter()
            .find(|rule| *rule.id == *name && !rule.word("basis").is_empty())
            .map(|rule| Basis::parse(rule.word("basis")));
        let basis = on.or(maker).filter(|basis| self.scope.basis(basis.name()).is_some());
        let said = self.said(block, &basis.unwrap_or(Basis::Spell), &name);
        let mut named = match said {
            PaperWord::Named(name) | PaperWord::Of(_, name) => name,
            _ => PaperName { zh: name.clone(), en: name, anchor: None },
        };
        named.anchor = None;
        (named, text("unit"))
    }
}
