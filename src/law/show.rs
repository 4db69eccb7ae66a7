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
    ("within", "组别"),
    ("gap", "间隔"),
    ("sum", "累计"),
    ("weight", "权重"),
    ("most", "上限"),
    ("to", "最小单位"),
    ("keys", "依据"),
    ("rows", "标准"),
    ("file", "标准表文件"),
    ("sheet", "工作表"),
    ("coverage", "覆盖"),
    ("at", "计算时点"),
    ("terms", "学期起始日"),
    ("dated_by", "按此日期适用"),
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
    ("to_date", "累计口径"),
    ("instalments", "分期"),
    ("less", "扣减项目"),
    ("recovers", "追缴项目"),
    ("restore", "补发核减"),
    ("line_kind", "明细类别"),
    ("across", "跨机构"),
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
    ("source", "资金来源"),
    ("share", "比例"),
    ("weight", "权重"),
    ("to", "取到"),
    ("mode", "方式"),
    ("clause", "条款"),
    ("known_from", "公布于"),
    ("until", "至"),
    ("table", "数据表"),
    ("extends", "扩充"),
    ("columns", "列"),
    ("span", "起止列"),
    ("name", "列名"),
    ("en", "英文名称"),
    ("values", "可取值"),
    ("nullable", "可为空"),
    ("range", "区间"),
    ("cover", "取值范围"),
];

/// 中文 of the words a block may hold, where they are not part of an expression.
const WORDS: &[(&str, &str)] = &[
    ("spell", "在托时段"),
    ("listing", "收托记录"),
    ("child", "婴幼儿"),
    ("slot", "托位"),
    ("class", "班级"),
    ("caregiver", "保育人员"),
    ("venue", "场地"),
    ("contract", "合同"),
    ("certificate", "证书"),
    ("institution", "机构"),
    ("programme", "全部"),
    ("line", "每笔"),
    ("month_start", "月初"),
    ("month_end", "月末"),
    ("spell_start", "入托日"),
    ("september_first", "最近的9月1日"),
    ("term_start", "学期首日"),
    ("next_day", "次月1日满月"),
    ("last_day", "当月末日满月"),
    ("exact", "按日"),
    ("in", "当月视为未满"),
    ("out", "当月视为已满"),
    ("refuse_child", "该婴幼儿不予补助"),
    ("refuse_institution", "该机构当月不予补助"),
    ("reduce_to_ceiling", "按上限计"),
    ("warn", "提示"),
    ("refuse", "不予补助"),
    ("zero", "补助为零"),
    ("half_up", "四舍五入"),
    ("half_even", "四舍六入五成双"),
    ("up", "进位"),
    ("down", "舍去"),
    ("floor", "向下取整"),
    ("ceil", "向上取整"),
    ("child_month", "每人每月"),
    ("institution_month", "每机构每月"),
    ("settlement", "结算合计"),
    ("per_child", "按人"),
    ("per_slot", "按托位"),
    ("free_site", "免费场地"),
    ("rent", "租金"),
    ("labour", "人工成本"),
    ("purchase", "政府购买服务"),
    ("training", "培训鉴定"),
    ("construction", "建设"),
    ("award", "奖励"),
    ("insurance", "保险"),
    ("tax", "税费"),
    ("land", "土地"),
    ("other", "其他"),
    ("highest", "就高"),
    ("first", "按次序"),
    ("item", "项目"),
    ("cumulative", "累计"),
    ("month", "月"),
    ("quarter", "季"),
    ("half_year", "半年"),
    ("year", "年"),
    ("life", "终身"),
    ("INSTALMENT", "分期"),
    ("CLAWBACK", "追缴"),
    ("largest_remainder", "最大余额法"),
    ("queue", "排队"),
    ("prorata", "按比例"),
    ("one", "一行独得"),
    ("rows", "逐行"),
    ("days", "逐日"),
    ("workdays", "逐工作日"),
    ("weeks", "逐周"),
    ("months", "逐月"),
    ("integer", "逐号"),
    ("carry", "顺延下期"),
    ("residual_last", "余额归末位"),
    ("residual_first", "余额归首位"),
    ("budget", "预算余额"),
    ("next_month", "次月"),
    ("same_month", "当月"),
    ("period_end", "期末"),
    ("next", "顺延"),
    ("previous", "提前"),
    ("none", "不调整"),
    ("split_days", "按日分段"),
    ("whole_if_started", "起即整月"),
    ("by_month_start", "按月初"),
    ("fact", "以事实为准"),
    ("proved", "全部覆盖"),
    ("any", "可正可负"),
    ("true", "是"),
    ("false", "否"),
];

/// Keys whose value is a word of the grammar.
const WORD_KEYS: &[&str] = &[
    "basis",
    "within",
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

/// A key of a block in Chinese; the key itself where it has no name.
#[must_use]
pub fn said_key(key: &str) -> &str {
    label(key)
}

/// A word of the grammar under a key, in Chinese.
#[must_use]
pub fn said_word(key: &str, word: &str) -> String {
    spoken(key, word)
}

/// A value as people read it: words in Chinese, lists without brackets.
fn spoken(key: &str, value: &str) -> String {
    let word = |word: &str| {
        WORDS.iter().find(|(name, _)| *name == word).map_or(word, |(_, text)| text).to_owned()
    };
    if WORD_KEYS.contains(&key) || (key == "limit" && value == "budget") {
        return word(value);
    }
    if key == "round" {
        let inner = value.trim_matches(['{', '}', ' ']);
        let parts = inner.split(", ").filter_map(|part| Some(part.split_once(" = ")?.1));
        return parts.map(word).collect::<Vec<_>>().join(" ");
    }
    if matches!(key, "gates" | "items" | "less" | "trace" | "order" | "sources" | "terms") {
        return value.trim_matches(['[', ']']).replace(", ", "、");
    }
    value.to_owned()
}

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
