//! The law in force, to be read beside the notice.

use std::fmt::Write as _;
use std::sync::Arc;

use super::book::LawBook;
use super::model::{LawOfMonth, ShownLaw, ShownRule};
use super::snapshot::{self, mid_word, plain};
use super::text::{Block, BlockKind, Node};
use crate::domain::{Date, Month};

/// 中文 of the keys of blocks.
const LABELS: &[(&str, &str)] = &[
    ("effective_from", "施行"),
    ("effective_until", "废止"),
    ("supersedes", "替代"),
    ("mid_month", "月中起止"),
    ("zh", "名称"),
    ("unit", "单位"),
    ("type", "类型"),
    ("value", "取值"),
    ("keys", "依据"),
    ("rows", "标准"),
    ("coverage", "覆盖"),
    ("at", "计算时点"),
    ("birthday_rule", "月末出生"),
    ("birthday_month", "生日当月"),
    ("basis", "对象"),
    ("expr", "计算"),
    ("round", "取整"),
    ("when", "适用"),
    ("fee", "收费"),
    ("benchmark", "基准价"),
    ("float_up", "上浮"),
    ("float_down", "下浮"),
    ("breach", "超出时"),
    ("require", "要求"),
    ("reason", "不符原因"),
    ("outcome", "不符结果"),
    ("gates", "条件"),
    ("amount", "金额"),
    ("quantity", "数量"),
    ("rate", "标准"),
    ("payee", "收款方"),
    ("funding", "资金分担"),
    ("instrument", "支持方式"),
    ("in_kind", "实物"),
    ("sign", "正负"),
    ("trace", "列示"),
    ("items", "项目"),
    ("key", "范围"),
    ("rule", "取法"),
    ("stage", "环节"),
    ("window", "期间"),
    ("limit", "限额"),
    ("apportion", "分摊"),
    ("order", "次序"),
    ("sources", "资金来源"),
    ("method", "方法"),
    ("scope", "口径"),
    ("parts", "各方"),
    ("quantum", "最小单位"),
    ("base", "基准"),
    ("workday", "第几个工作日"),
    ("day", "日"),
    ("roll", "顺延"),
];

/// 中文 of a key; the key itself when it has none.
pub(super) fn label(key: &str) -> &str {
    LABELS.iter().find(|(name, _)| *name == key).map_or(key, |(_, label)| label)
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
    let head = book.head_of(block);
    let notice = &book.notices[block.notice];
    ShownRule {
        kind: block.kind.word().to_owned(),
        kind_zh: block.kind.chinese().to_owned(),
        id: head.id.to_string(),
        label: block.chinese().unwrap_or("").to_owned(),
        clause: head.clause.to_string(),
        notice: notice.title.to_string(),
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
            let _ = writeln!(text, "    {}: {}", label("mid_month"), self.mid_month);
        }
        for (key, value) in &self.fields {
            let label = label(key);
            if value.contains('\n') || key == "rows" {
                let _ = writeln!(text, "    {label}:");
                for line in value.lines() {
                    let _ = writeln!(text, "      {line}");
                }
            } else {
                let _ = writeln!(text, "    {label}: {value}");
            }
        }
        text
    }
}
