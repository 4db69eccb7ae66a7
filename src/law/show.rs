//! The law in force, to be read beside the notice.

use std::fmt::Write as _;
use std::sync::Arc;

use super::book::LawBook;
use super::model::{LawOfMonth, ShownLaw, ShownRule};
use super::said::{said_key, said_word};
use super::snapshot::{self, mid_word, plain};
use super::text::{Block, BlockKind, Node};
use crate::domain::texts::Language;
use crate::domain::{Date, Month};

/// Keys whose value is a word of the grammar.
const WORD_KEYS: &[&str] = &[
    "basis",
    "within",
    "of",
    "type",
    "gap",
    "at",
    "birthday_rule",
    "birthday_month",
    "breach",
    "outcome",
    "instrument",
    "in_kind",
    "sign",
    "rule",
    "stage",
    "key",
    "window",
    "apportion",
    "method",
    "scope",
    "base",
    "roll",
    "coverage",
    "mid_month",
    "to_date",
    "line_kind",
    "restore",
    "across",
];

/// A value as people read it: words in Chinese, lists without brackets.
fn spoken(key: &str, value: &str) -> String {
    let word = |word: &str| said_word(key, word, Language::Chinese).to_owned();
    if WORD_KEYS.contains(&key) || (key == "limit" && value == "budget") {
        return word(value);
    }
    if key == "round" {
        let inner = value.trim_matches(['{', '}', ' ']);
        let parts = inner.split(", ").filter_map(|part| Some(part.split_once(" = ")?.1));
        return parts.map(word).collect::<Vec<_>>().join(" ");
    }
    if matches!(key, "gates" | "items" | "less" | "trace" | "order" | "by" | "sources" | "terms") {
        return value.trim_matches(['[', ']']).replace(", ", "、");
    }
    value.to_owned()
}

/// 中文 of a key; the key itself when it has none.
pub(super) fn label(key: &str) -> &str {
    said_key(key, Language::Chinese)
}

impl LawBook {
    /// The law in force in a month as text data, also where rules do not compile or values are
    /// not filled: a pack can be read before it can be run.
    #[must_use]
    pub fn shown(&self, month: Month, known_on: Date) -> ShownLaw {
        let mut serials: Vec<usize> = self
            .segments(month, known_on)
            .iter()
            .flat_map(|(_, blocks)| blocks.iter().map(|block| block.serial))
            .collect();
        serials.sort_unstable();
        serials.dedup();
        let blocks: Vec<Arc<Block>> =
            serials.into_iter().map(|serial| Arc::clone(&self.blocks[serial])).collect();
        shown(self, month, known_on, &blocks)
    }
}

/// The rules of the given versions, in the order of packs, kinds and ids.
pub(super) fn shown(
    book: &LawBook,
    month: Month,
    known_on: Date,
    blocks: &[Arc<Block>],
) -> ShownLaw {
    let titles = book.packs.iter().map(|pack| {
        let sample = if pack.head.sample { "(示例)" } else { "" };
        let title = &pack.head.title;
        let marked = if title.ends_with("(示例)") { "" } else { sample };
        format!("{title}{marked} [{}]", pack.head.id)
    });
    ShownLaw {
        titles: titles.collect(),
        month,
        known_on,
        rules: blocks.iter().map(|block| rule(book, block)).collect(),
    }
}

fn rule(book: &LawBook, block: &Block) -> ShownRule {
    block.said.shown.get_or_init(|| new_rule(book, block)).clone()
}

fn new_rule(book: &LawBook, block: &Block) -> ShownRule {
    let head = book.head_of(block);
    let notice = &book.notices[block.notice];
    ShownRule {
        kind: block.kind.word().to_owned(),
        kind_zh: block.kind.chinese().to_owned(),
        id: head.id.to_string(),
        label: block.chinese().unwrap_or("").to_owned(),
        clause: head.clause.to_string(),
        notice: notice.title.to_string(),
        number: notice.number.to_string(),
        published: notice.published,
        version: head.version.to_string(),
        effective_from: head.effective_from,
        effective_until: head.effective_until,
        known_from: head.known_from,
        mid_month: mid_word(block.dating.mid_month).to_owned(),
        fields: lines(block),
    }
}

/// Keys as written, in the order of the grammar, without those of the head.
pub(super) fn lines(block: &Block) -> Vec<(String, String)> {
    let head = |key: &str| {
        matches!(
            key,
            "id" | "clause"
                | "effective_from"
                | "effective_until"
                | "known_from"
                | "mid_month"
                | "zh"
                | "en"
        )
    };
    let mut lines = Vec::new();
    for key in block.kind.all_keys().into_iter().filter(|key| !head(key.name)) {
        let Some(node) = block.get(key.name) else { continue };
        let text = match (block.kind, key.name) {
            (BlockKind::Table, "rows") => {
                let rows: Vec<String> = node.list().iter().map(row).collect();
                rows.join("\n")
            }
            (BlockKind::Subsidy, "instalments") => {
                node.list().iter().map(instalment).collect::<Vec<_>>().join("\n")
            }
            (BlockKind::Table, "keys") => {
                node.list().iter().map(key_name).collect::<Vec<_>>().join(" | ")
            }
            _ => snapshot::one_line(&plain(node)),
        };
        lines.push((key.name.to_owned(), text));
    }
    lines
}

fn key_name(node: &Node) -> String {
    match node.get("name") {
        Some(name) => plain(name),
        None => plain(node),
    }
}

/// Share, condition and clause of an instalment.
fn instalment(node: &Node) -> String {
    let parts = ["share", "when", "clause"].iter().filter_map(|key| node.get(key));
    parts.map(|part| snapshot::one_line(&plain(part))).collect::<Vec<_>>().join(" | ")
}

fn row(node: &Node) -> String {
    node.list().iter().map(plain).collect::<Vec<_>>().join(" | ")
}

/// The law in force in a month, for people.
#[must_use]
pub fn show(law: &LawOfMonth) -> String {
    law.shown.to_string()
}

impl std::fmt::Display for ShownLaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for title in &self.titles {
            writeln!(f, "{title}")?;
        }
        writeln!(f, "所属期 {} · 按 {} 已公布的规定", self.month, self.known_on)?;
        let mut kind = "";
        for rule in &self.rules {
            if rule.kind != kind {
                kind = &rule.kind;
                writeln!(f, "\n【{}】", rule.kind_zh)?;
            }
            f.write_str(&rule.text())?;
        }
        Ok(())
    }
}

impl ShownRule {
    /// The rule as an indented paragraph.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let name = if self.label.is_empty() { "" } else { " " };
        let _ = writeln!(text, "  {}{name}{}", self.id, self.label);
        let until =
            self.effective_until.map_or_else(|| "长期".to_owned(), |until| format!("至 {until}"));
        let _ = writeln!(
            text,
            "    {} · {} 起{until} · {} 公布",
            self.clause, self.effective_from, self.known_from
        );
        if self.mid_month != "by_month_start" {
            let word = spoken("mid_month", &self.mid_month);
            let _ = writeln!(text, "    {}: {word}", label("mid_month"));
        }
        for (key, value) in &self.fields {
            let label = label(key);
            if value.contains('\n') || key == "rows" {
                let _ = writeln!(text, "    {label}:");
                for line in value.lines() {
                    let _ = writeln!(text, "      {line}");
                }
            } else {
                let _ = writeln!(text, "    {label}: {}", spoken(key, value));
            }
        }
        text
    }
}
