//! Groupings: rows of a basis taken together by equal values, as the rows of a basis of their own.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Compiler, Place, owner};
use crate::domain::Basis;
use crate::law::fault::{near, near_hint};
use crate::law::model::{AggregateRule, GroupKey, GroupingRule, Step};
use crate::law::names::Names;
use crate::law::scope::Readable;
use crate::law::text::{Block, BlockKind};

impl Compiler<'_> {
    /// Makes the groupings in force known as bases, before any rule is compiled.
    pub(super) fn groupings(&mut self) {
        let mut open = self.of_kind(BlockKind::Grouping);
        // A grouping of a grouping is called after it, so that its columns have their names.
        while !open.is_empty() {
            let before = open.len();
            let mut later = Vec::new();
            for block in std::mem::take(&mut open) {
                let of = block.word("of");
                let waits = self.is_grouping(of) && self.scope.basis(of).is_none();
                if waits { later.push(block) } else { self.known_grouping(block) }
            }
            if later.len() == before {
                // They are groupings of each other: the loop is told when they are put in order.
                for block in &later {
                    self.known_grouping(block);
                }
                return;
            }
            open = later;
        }
    }

    fn known_grouping(&mut self, block: &Block) {
        self.scope.asking = block.pack;
        let of = Basis::parse(block.word("of"));
        let mut by = BTreeSet::new();
        for (name, _) in block.texts("by") {
            // A fact is called by its column, whatever name it is read under; a value by its id.
            let fact = self.scope.readable(&of, name).map(|(_, fact)| fact.column.to_string());
            by.insert(fact.unwrap_or_else(|| self.value_column(block.pack, name)));
        }
        self.scope.add_grouping(&block.id, of, by);
    }

    /// The column of the value that a name means in a pack; the name where there is none.
    fn value_column(&self, pack: usize, name: &str) -> String {
        let (pack, name) = self.scope.split_pack(name).unwrap_or((pack, name));
        let mut named = self.chosen.iter().filter(|b| b.kind.column() && b.pack == pack);
        let value = named.find(|value| self.names_of(value).contains(&name));
        value.map_or_else(|| name.to_owned(), |v| self.book.printed(v.pack, &v.id).to_string())
    }

    fn is_grouping(&self, word: &str) -> bool {
        self.chosen.iter().any(|block| block.kind == BlockKind::Grouping && *block.id == *word)
    }

    /// Whether a word names a grouping whose mistakes were told.
    pub(super) fn broken_grouping(&self, word: &str) -> bool {
        self.broken.contains(word) && self.is_grouping(word)
    }

    /// Compiles a `[[grouping]]`: from here on its rows stand.
    pub(super) fn grouping(&mut self, block: &Block) -> Option<()> {
        self.not_split(block);
        let of = self.grouped(block)?;
        let basis = Basis::Declared(Arc::clone(&block.id));
        let mut by: Vec<GroupKey> = Vec::new();
        let mut read: Vec<Readable> = Vec::new();
        let list = block.texts("by");
        if list.is_empty() {
            let message = format!("[[grouping]] {} is by nothing", block.id);
            let expected = "by = [\"column\", …]";
            self.faults.error("grouping", block.at("by"), message, expected, "");
            return None;
        }
        for (nth, (name, at)) in list.into_iter().enumerate() {
            if self.broken.contains(name) {
                return None;
            }
            self.scope.asking = block.pack;
            let Some((found, readable)) = self.scope.readable(&of, name) else {
                self.column_unknown(block, &of, name, at, "by");
                return None;
            };
            let readable = Readable { nullable: false, ..readable.clone() };
            if by.iter().any(|key| key.column == readable.column) {
                let message = format!("[[grouping]] {} is by {name} twice", block.id);
                self.faults.error("duplicate", at, message, "each name once", "");
                return None;
            }
            let alias = self.alias_of(&found, &readable.column);
            self.scope.add_key(&basis, &[&readable.column, &alias, name], &readable);
            let own = owner(&self.book.printed(block.pack, &block.id), block, "by");
            let place = Place { block, key: "by", at };
            let expr = self.expr(place, name, &of, &format!("{own}.{nth}"))?;
            by.push(GroupKey { column: Arc::clone(&readable.column), alias, expr });
            read.push(readable);
        }
        let tables = self.scope.link_tables(&block.id, &read);
        let shared = self.scope.coarser(&basis).to_vec();
        let head = self.book.head_of(block);
        let rule = GroupingRule { head, basis, of, by, shared, tables };
        self.push(Step::Grouping(Arc::new(rule)));
        Some(())
    }

    /// The basis under `of`.
    fn grouped(&mut self, block: &Block) -> Option<Basis> {
        let word = block.word("of");
        if self.broken_grouping(word) {
            return None;
        }
        let found = self.scope.basis(word);
        match &found {
            None => self.no_basis(block, "of", word),
            Some(Basis::Programme) => {
                let message =
                    format!("[[grouping]] {} of the programme, which is one row", block.id);
                let expected = "a basis with rows to take together";
                self.faults.error("grouping", block.at("of"), message, expected, "");
                return None;
            }
            Some(_) => {}
        }
        found
    }

    /// Lines of a grouping are not found again in another month, but for what an institution was paid.
    pub(super) fn told_of_earlier_months(&mut self, rule: &AggregateRule, place: Place<'_>) {
        let grouped = |basis: &Basis| self.scope.grouping(basis).is_some();
        let coarse = matches!(rule.basis, Basis::Institution | Basis::Programme);
        let Some((item, _)) = rule.function.of_history().filter(|_| !coarse) else { return };
        if !grouped(&rule.basis) && !grouped(&rule.over) {
            return;
        }
        let basis = if grouped(&rule.basis) { &rule.basis } else { &rule.over };
        let message = format!(
            "[[{}]] {}: what was paid of {item} earlier, by rows of {basis}",
            place.block.kind.word(),
            place.block.id
        );
        let hint = "a row of a grouping is no row of another month";
        self.faults.error("grouping", place.at, message, "rows that last", hint);
    }

    fn alias_of(&self, basis: &Basis, column: &Arc<str>) -> Arc<str> {
        let of = |entry: &&crate::law::model::DictionaryEntry| {
            entry.basis == *basis && entry.name == *column
        };
        let fact = self.book.dictionary.iter().find(of).map(|entry| Arc::clone(&entry.alias));
        let value = || {
            let mut values = self.chosen.iter().filter(|block| block.kind.column());
            let own = values.find(|v| self.book.printed(v.pack, &v.id) == *column);
            own.and_then(|value| value.chinese()).map(Arc::from)
        };
        fact.or_else(value).unwrap_or_else(|| Arc::clone(column))
    }

    /// Tells that a word names no basis in force.
    pub(super) fn no_basis(&mut self, block: &Block, key: &'static str, word: &str) {
        let at = block.at(key).clone();
        let message = format!("`{word}` is no basis");
        let versions = self
            .book
            .blocks
            .iter()
            .filter(|other| other.kind == BlockKind::Grouping && *other.id == *word);
        let versions: Vec<String> = versions.map(|other| other.version(&other.id)).collect();
        if !versions.is_empty() {
            let message = format!("grouping {word} has no version in force in {}", self.month);
            let hint = format!("its versions are {}", versions.join("; "));
            self.faults.error("not_in_force", &at, message, "a version in force", hint);
            return;
        }
        let known = self.scope.bases();
        let names: Vec<&str> = known.iter().map(Basis::name).collect();
        let hint = near_hint(&near(word, names.iter().copied()), "");
        self.faults.error("unknown_basis", &at, message, names.join(" | "), hint);
    }
}
