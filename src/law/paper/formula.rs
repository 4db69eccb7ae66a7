//! Expressions as people read them: names become what they are called, everything else stays.

use std::sync::Arc;

use super::{Writer, anchor};
use crate::domain::Basis;
use crate::domain::texts::Language;
use crate::law::expr::words::{Word, words};
use crate::law::model::{PaperName, PaperWord};
use crate::law::names::{Name, Names};
use crate::law::said_word;
use crate::law::snapshot;
use crate::law::text::{Block, BlockKind};

/// Functions whose first argument is the id of an item.
const OF_ITEMS: [&str; 5] =
    ["count_eligible", "count_paid", "sum_amount", "paid_to_date", "paid_months"];

impl Writer<'_> {
    /// The words of an expression of a block. One that cannot be read stands as it is written.
    pub(super) fn formula(&mut self, block: &Block, basis: &Basis, text: &str) -> Vec<PaperWord> {
        self.scope.asking = block.pack;
        let mut masked = text.to_owned();
        for pack in &self.book.packs {
            let id = &pack.head.id;
            masked = masked.replace(&format!("{id}:"), &format!("{}.", id.replace('-', "_")));
        }
        let Some(words) = words(&masked) else {
            return vec![PaperWord::Literal(snapshot::one_line(text))];
        };
        let mut said = Vec::with_capacity(words.len());
        for (at, word) in words.iter().enumerate() {
            let of_item = at >= 2
                && words[at - 1] == Word::Open
                && matches!(&words[at - 2], Word::Call(name) if OF_ITEMS.contains(&name.as_str()));
            said.push(match word {
                Word::Name(name) => self.said(block, basis, name),
                Word::Call(name) => match self.table(name) {
                    Some(table) => PaperWord::Named(self.read(block, &table)),
                    None => PaperWord::Function(name.to_ascii_lowercase()),
                },
                Word::Text(id) if of_item => match self.of_id(BlockKind::Subsidy, id) {
                    Some(item) => PaperWord::Named(self.read(block, &item)),
                    None => PaperWord::Quoted(id.clone()),
                },
                Word::Text(text) => PaperWord::Quoted(text.clone()),
                Word::Literal(text) => PaperWord::Literal(text.clone()),
                Word::Key(key) => PaperWord::Key(key),
                Word::Sign(sign) => PaperWord::Sign(sign),
                Word::Minus => PaperWord::Minus,
                Word::Open => PaperWord::Open,
                Word::Close => PaperWord::Close,
                Word::Comma => PaperWord::Comma,
            });
        }
        said
    }

    /// A name as a rule on the basis reads it. One that means nothing there stands as written.
    pub(super) fn said(&mut self, block: &Block, basis: &Basis, name: &str) -> PaperWord {
        self.scope.asking = block.pack;
        let meaning = self.scope.meaning(basis, name);
        // A dotted id may begin with the word of a basis and is a name of its own.
        let whole = match &meaning {
            Some(Name::Column { column, .. }) => **column == *name,
            other => other.is_some(),
        };
        let found = match meaning {
            Some(Name::Column { basis, column, .. }) => self.column(block, &basis, &column),
            Some(Name::Constant { head, .. }) => self
                .of_id(BlockKind::Parameter, &head.id)
                .map(|parameter| self.read(block, &parameter)),
            Some(Name::Dated(table)) => self
                .of_id(BlockKind::Parameter, &table.head.id)
                .map(|parameter| self.read(block, &parameter)),
            None => None,
        };
        let found = found.or_else(|| self.basis_name(name)).or_else(|| self.alike(name));
        let prefix = name.split_once('.').filter(|(word, _)| self.scope.basis(word).is_some());
        let prefix = prefix.filter(|_| !whole);
        let bare = prefix.map_or(name, |(_, bare)| bare);
        let named = found.unwrap_or_else(|| fact(bare, bare));
        match prefix {
            Some((word, _)) => PaperWord::Of(word.to_owned(), named),
            None => PaperWord::Named(named),
        }
    }

    /// What a column is called: of a rule by its rule, of the facts by its alias.
    fn column(&mut self, block: &Block, basis: &Basis, column: &str) -> Option<PaperName> {
        if let Some(rule) = self.maker(column) {
            return Some(self.read(block, &rule));
        }
        if let Some((id, part)) = column.rsplit_once('.')
            && let Some(price) = self.of_id(BlockKind::GuidePrice, id)
        {
            let mut name = self.read(block, &price);
            let zh = match part {
                "ceiling" => "上限",
                "floor" => "下限",
                "fee" => "计费",
                "over" => "超上限",
                "under" => "低于下限",
                _ => part,
            };
            name.zh = format!("{}·{zh}", name.zh);
            name.en = format!("{} {part}", name.en);
            return Some(name);
        }
        let entry = self.book.dictionary.iter().find(|e| e.basis == *basis && *e.name == *column);
        if let Some(entry) = entry {
            return Some(fact(&entry.alias, &entry.name));
        }
        // What names a row of a grouping is a column of its members.
        let of = self.of_id(BlockKind::Grouping, basis.name())?.word("of").to_owned();
        self.column(block, &Basis::parse(&of), column)
    }

    /// The rule in force that makes a column of that name: an age, a value, a rank …
    fn maker(&self, column: &str) -> Option<Arc<Block>> {
        let other = |kind: BlockKind| {
            !matches!(
                kind,
                BlockKind::Parameter
                    | BlockKind::Table
                    | BlockKind::GuidePrice
                    | BlockKind::Gate
                    | BlockKind::Subsidy
                    | BlockKind::Exclusion
                    | BlockKind::Cap
                    | BlockKind::Shortage
                    | BlockKind::Split
                    | BlockKind::Offset
                    | BlockKind::PayDate
                    | BlockKind::Input
            )
        };
        let found = self
            .in_force
            .iter()
            .find(|rule| other(rule.kind) && *self.book.printed(rule.pack, &rule.id) == *column)?;
        Some(Arc::clone(found))
    }

    /// The block in force of a kind under an id as a rule of the asking pack writes it.
    pub(super) fn of_id(&self, kind: BlockKind, id: &str) -> Option<Arc<Block>> {
        let of = |pack: usize, bare: &str| {
            self.in_force
                .iter()
                .find(|block| block.kind == kind && block.pack == pack && *block.id == *bare)
                .map(|block| Arc::clone(block))
        };
        of(self.scope.asking, id).or_else(|| {
            let (pack, bare) = self
                .scope
                .split_pack(&id.replace(':', "."))
                .map(|(pack, bare)| (pack, bare.to_owned()))?;
            of(pack, &bare)
        })
    }

    fn table(&self, name: &str) -> Option<Arc<Block>> {
        let named = |block: &&&Arc<Block>| {
            block.kind == BlockKind::Table
                && block.pack == self.scope.asking
                && block.chinese() == Some(name)
        };
        self.of_id(BlockKind::Table, name)
            .or_else(|| self.in_force.iter().find(named).map(|block| Arc::clone(block)))
    }

    /// The name of a rule that is read, noted on it.
    pub(super) fn read(&mut self, reader: &Block, rule: &Block) -> PaperName {
        let name = self.name(rule);
        if reader.serial != rule.serial {
            let target = anchor(rule.kind, &self.book.printed(rule.pack, &rule.id));
            let reader = self.name(reader);
            self.readers.entry(target).or_default().insert(reader);
        }
        name
    }

    /// A basis that is counted: `count(listing)`.
    fn basis_name(&self, name: &str) -> Option<PaperName> {
        self.scope.basis(name)?;
        Some(fact(said_word("basis", name, Language::Chinese), name))
    }

    /// A name that several bases have under one alias: inside an aggregate it is theirs.
    fn alike(&self, name: &str) -> Option<PaperName> {
        let bare = name.rsplit_once('.').map_or(name, |(_, bare)| bare);
        let mut entries = self.book.dictionary.iter().filter(|entry| *entry.name == *bare);
        let first = entries.next()?;
        entries.all(|entry| entry.alias == first.alias).then(|| fact(&first.alias, &first.name))
    }
}

fn fact(alias: &str, name: &str) -> PaperName {
    PaperName { zh: alias.to_owned(), en: name.to_owned(), anchor: None }
}
