//! The grammar of policy packs as a table: for each block its keys, their shapes and defaults.
//!
//! `docs/policy-pack.md` is the same table for people; a test holds the two together.

/// What a value must look like.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Text that is not empty.
    Text,
    /// A clause: a text, empty only while the notice is planned.
    Clause,
    /// A dotted id `[a-z0-9_.]+`.
    Id,
    /// An id of another block, maybe `pack:id`, maybe `price:id`.
    Ref,
    /// A list of [`Shape::Ref`].
    Refs,
    /// A date.
    Date,
    /// A date or `"open"`.
    DateOrOpen,
    /// true or false.
    Bool,
    /// A whole number from 1.
    Count,
    /// An exact number: integer or decimal text.
    Number,
    /// A number, or a fraction `"1/3"`.
    Share,
    /// A cell: text, integer, date or bool.
    Scalar,
    /// An expression; an integer is taken as one.
    Expr,
    /// One of the words.
    Word(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// A list of rows, each a list of scalars.
    Rows,
    /// A table of keys.
    Record(&'static [Key]),
    /// A list of tables of keys.
    Records(&'static [Key]),
    /// A list of texts or tables of keys.
    Keys(&'static [Key]),
}

/// One key of a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    /// Default shown and used for words.
    pub(crate) default: &'static str,
}

const fn must(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, required: true, default: "" }
}

const fn may(name: &'static str, shape: Shape) -> Key {
    Key { name, shape, required: false, default: "" }
}

const fn or(name: &'static str, shape: Shape, default: &'static str) -> Key {
    Key { name, shape, required: false, default }
}

/// Rounding modes, as in [`crate::domain::RoundingMode::WORDS`].
const MODES: &[&str] = &["half_up", "half_even", "up", "down", "floor", "ceil"];
/// S18.
pub(crate) const MID_MONTH: &[&str] =
    &["by_month_start", "next_month", "split_days", "whole_if_started"];
const TYPES: &[&str] = &["number", "integer", "text", "date", "bool"];
const COLUMN_TYPES: &[&str] = &["number", "integer", "money", "text", "key", "date", "bool"];
const ROUND: &[Key] = &[must("to", Shape::Number), must("mode", Shape::Word(MODES))];
const ROUND_SCOPED: &[Key] = &[
    must("to", Shape::Number),
    must("mode", Shape::Word(MODES)),
    or("scope", Shape::Word(&["line", "child_month", "institution_month", "settlement"]), "line"),
];

/// Keys of `[pack]`.
pub(crate) const PACK: &[Key] = &[
    must("id", Shape::Text),
    must("title", Shape::Text),
    must("region", Shape::Text),
    or("currency", Shape::Text, "yuan"),
    must("calendar", Shape::Text),
    or("settlement", Shape::Word(&["month", "quarter", "half_year", "year"]), "month"),
    or("sample", Shape::Bool, "false"),
    or("child_id", Shape::Word(&["resident", "opaque"]), "resident"),
    or("institution_id", Shape::Word(&["uscc", "opaque"]), "uscc"),
    or(
        "overlaps",
        Shape::Word(&["refuse", "later_known", "first_spell", "most_days", "allow"]),
        "refuse",
    ),
    or("filing", Shape::Word(MID_MONTH), "by_month_start"),
    or("inclusive", Shape::Word(MID_MONTH), "by_month_start"),
    or("grade", Shape::Word(MID_MONTH), "by_month_start"),
    or("sanctions", Shape::Word(MID_MONTH), "by_month_start"),
    or("weeks", Shape::Word(&["clipped", "by_end"]), "clipped"),
];

/// Keys of `[pack]` that say how it is settled, not what it is called.
pub(crate) fn settings() -> impl Iterator<Item = &'static Key> {
    PACK.iter().filter(|key| !matches!(key.name, "id" | "title" | "region" | "sample"))
}

/// Keys of `[notice]`.
pub(crate) const NOTICE: &[Key] = &[
    must("number", Shape::Text),
    must("title", Shape::Text),
    must("published", Shape::Date),
    or("status", Shape::Word(&["adopted", "planned"]), "adopted"),
    may("url", Shape::Text),
];

/// Keys of a relative value of an overlay.
pub(crate) const RELATIVE: &[Key] = &[
    may("times", Shape::Share),
    may("add", Shape::Share),
    may("to", Shape::Number),
    may("mode", Shape::Word(MODES)),
];

const SUPERSEDES: &[Key] = &[must("known_from", Shape::Date), must("until", Shape::DateOrOpen)];

/// Keys of every dated block.
pub(crate) const DATED: &[Key] = &[
    must("id", Shape::Id),
    must("clause", Shape::Clause),
    must("effective_from", Shape::Date),
    or("effective_until", Shape::DateOrOpen, "open"),
    may("known_from", Shape::Date),
    may("supersedes", Shape::Record(SUPERSEDES)),
    or("mid_month", Shape::Word(MID_MONTH), "by_month_start"),
    may("zh", Shape::Text),
    may("en", Shape::Text),
];

const PARAMETER: &[Key] = &[
    may("unit", Shape::Text),
    may("type", Shape::Word(TYPES)),
    must("value", Shape::Scalar),
    may("dated_by", Shape::Text),
];

const TABLE_KEY: &[Key] = &[
    must("name", Shape::Text),
    may("type", Shape::Word(TYPES)),
    may("unit", Shape::Text),
    may("values", Shape::Texts),
    or("range", Shape::Bool, "false"),
    may("cover", Shape::Text),
];

const TABLE: &[Key] = &[
    may("unit", Shape::Text),
    may("type", Shape::Word(TYPES)),
    must("keys", Shape::Keys(TABLE_KEY)),
    may("rows", Shape::Rows),
    may("file", Shape::Text),
    may("sheet", Shape::Text),
    or("coverage", Shape::Word(&["proved", "fact"]), "proved"),
    may("dated_by", Shape::Text),
];

const COLUMN: &[Key] = &[
    must("name", Shape::Id),
    must("zh", Shape::Text),
    may("type", Shape::Word(COLUMN_TYPES)),
    may("unit", Shape::Text),
    may("values", Shape::Texts),
    or("nullable", Shape::Bool, "false"),
];

const INPUT: &[Key] = &[
    must("table", Shape::Id),
    or("extends", Shape::Bool, "false"),
    may("key", Shape::Texts),
    must("columns", Shape::Records(COLUMN)),
    may("span", Shape::Texts),
    may("of", Shape::Text),
];

const AGE: &[Key] = &[
    must(
        "at",
        Shape::Word(&["month_start", "month_end", "spell_start", "september_first", "term_start"]),
    ),
    may("terms", Shape::Texts),
    or("birthday_rule", Shape::Word(&["next_day", "last_day"]), "next_day"),
    or("birthday_month", Shape::Word(&["exact", "in", "out"]), "exact"),
];

const VALUE: &[Key] = &[
    must("basis", Shape::Text),
    must("expr", Shape::Expr),
    may("round", Shape::Record(ROUND)),
    may("unit", Shape::Text),
    may("dated_by", Shape::Text),
];

const GROUPING: &[Key] = &[must("of", Shape::Text), must("by", Shape::Texts)];
const RANK: &[Key] = &[
    must("basis", Shape::Text),
    must("within", Shape::Text),
    must("order", Shape::Texts),
    may("when", Shape::Expr),
];

const ALLOWANCE: &[Key] = &[
    must("basis", Shape::Text),
    must("within", Shape::Text),
    may("when", Shape::Expr),
    must("quantity", Shape::Expr),
    must("limit", Shape::Expr),
    or("method", Shape::Word(&["queue", "prorata"]), "queue"),
    may("order", Shape::Texts),
    may("to", Shape::Number),
];

const STREAK: &[Key] = &[
    must("basis", Shape::Text),
    must("within", Shape::Text),
    must("order", Shape::Texts),
    must("when", Shape::Expr),
    must("gap", Shape::Word(&["rows", "days", "workdays", "weeks", "months", "integer"])),
    may("sum", Shape::Expr),
];

const SPREAD: &[Key] = &[
    must("basis", Shape::Text),
    must("within", Shape::Text),
    may("when", Shape::Expr),
    must("amount", Shape::Expr),
    must("method", Shape::Word(&["prorata", "queue", "one"])),
    may("weight", Shape::Expr),
    may("most", Shape::Expr),
    may("order", Shape::Texts),
    must("round", Shape::Record(ROUND)),
];

const GUIDE_PRICE: &[Key] = &[
    or("basis", Shape::Text, "spell"),
    or("when", Shape::Expr, "TRUE"),
    or("fee", Shape::Expr, "fee_monthly"),
    must("benchmark", Shape::Expr),
    may("float_up", Shape::Expr),
    may("float_down", Shape::Expr),
    may("round", Shape::Record(ROUND)),
    must(
        "breach",
        Shape::Word(&["refuse_child", "refuse_institution", "reduce_to_ceiling", "warn"]),
    ),
];

const GATE: &[Key] = &[
    must("basis", Shape::Text),
    must("require", Shape::Expr),
    must("reason", Shape::Id),
    or("outcome", Shape::Word(&["refuse", "zero", "warn"]), "refuse"),
];

const INSTRUMENTS: &[&str] = &[
    "per_child",
    "per_slot",
    "free_site",
    "rent",
    "labour",
    "purchase",
    "training",
    "construction",
    "award",
    "insurance",
    "tax",
    "land",
    "other",
];

const INSTALMENT: &[Key] =
    &[must("share", Shape::Share), must("when", Shape::Expr), may("clause", Shape::Text)];

const SUBSIDY: &[Key] = &[
    must("basis", Shape::Text),
    must("gates", Shape::Refs),
    must("amount", Shape::Expr),
    must("round", Shape::Record(ROUND_SCOPED)),
    may("quantity", Shape::Expr),
    may("rate", Shape::Expr),
    or("payee", Shape::Expr, "institution"),
    may("funding", Shape::Ref),
    must("instrument", Shape::Word(INSTRUMENTS)),
    or("in_kind", Shape::Bool, "false"),
    may("sign", Shape::Word(&["any"])),
    may("to_date", Shape::Word(&["year", "life"])),
    may("instalments", Shape::Records(INSTALMENT)),
    may("less", Shape::Refs),
    may("recovers", Shape::Ref),
    may("restore", Shape::Bool),
    may("line_kind", Shape::Word(&["INSTALMENT", "CLAWBACK"])),
    may("trace", Shape::Texts),
];

const EXCLUSION: &[Key] = &[
    must("items", Shape::Refs),
    must("key", Shape::Text),
    must("rule", Shape::Word(&["highest", "first"])),
];

const CAP: &[Key] = &[
    must("items", Shape::Refs),
    must("stage", Shape::Word(&["item", "institution", "cumulative"])),
    must("key", Shape::Text),
    may("across", Shape::Bool),
    must("window", Shape::Word(&["month", "quarter", "year", "life"])),
    must("limit", Shape::Expr),
    may("quantity", Shape::Expr),
    or("apportion", Shape::Word(&["largest_remainder", "queue"]), "largest_remainder"),
    may("order", Shape::Texts),
    may("round", Shape::Record(ROUND)),
];

const SHORTAGE: &[Key] = &[
    may("sources", Shape::Texts),
    must("limit", Shape::Expr),
    must("method", Shape::Word(&["prorata", "queue", "carry"])),
    may("order", Shape::Texts),
    or("restore", Shape::Bool, "false"),
];

const PART: &[Key] =
    &[must("source", Shape::Text), may("share", Shape::Share), may("weight", Shape::Expr)];

const SPLIT: &[Key] = &[
    must("scope", Shape::Word(&["line", "institution", "settlement"])),
    must("parts", Shape::Records(PART)),
    must("method", Shape::Word(&["largest_remainder", "residual_last", "residual_first"])),
    or("quantum", Shape::Number, "0.01"),
    may("items", Shape::Refs),
];

const PAY_DATE: &[Key] = &[
    must("base", Shape::Word(&["next_month", "same_month", "period_end"])),
    may("workday", Shape::Count),
    may("day", Shape::Count),
    or("roll", Shape::Word(&["next", "previous", "none"]), "none"),
];

const OFFSET: &[Key] = &[may("share", Shape::Share), may("amount", Shape::Number)];

/// The kinds of block, in the order the law is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum BlockKind {
    Parameter,
    Table,
    Age,
    Value,
    Grouping,
    Rank,
    Allowance,
    Streak,
    Spread,
    GuidePrice,
    Gate,
    Subsidy,
    Exclusion,
    Cap,
    Shortage,
    Split,
    Offset,
    PayDate,
    Input,
}

impl BlockKind {
    pub(crate) const ALL: [Self; 19] = [
        Self::Parameter,
        Self::Table,
        Self::Age,
        Self::Value,
        Self::Grouping,
        Self::Rank,
        Self::Allowance,
        Self::Streak,
        Self::Spread,
        Self::GuidePrice,
        Self::Gate,
        Self::Subsidy,
        Self::Exclusion,
        Self::Cap,
        Self::Shortage,
        Self::Split,
        Self::Offset,
        Self::PayDate,
        Self::Input,
    ];

    /// The word in the pack: `[[guide_price]]`.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Parameter => "parameter",
            Self::Table => "table",
            Self::Age => "age",
            Self::Value => "value",
            Self::Grouping => "grouping",
            Self::Rank => "rank",
            Self::Allowance => "allowance",
            Self::Streak => "streak",
            Self::Spread => "spread",
            Self::GuidePrice => "guide_price",
            Self::Gate => "gate",
            Self::Subsidy => "subsidy",
            Self::Exclusion => "exclusion",
            Self::Cap => "cap",
            Self::Shortage => "shortage",
            Self::Split => "split",
            Self::Offset => "offset",
            Self::PayDate => "pay_date",
            Self::Input => "input",
        }
    }

    /// 中文 for the law as shown.
    pub(crate) const fn chinese(self) -> &'static str {
        match self {
            Self::Parameter => "参数",
            Self::Table => "标准表",
            Self::Age => "月龄",
            Self::Value => "计算值",
            Self::Grouping => "归组",
            Self::Rank => "组内次序",
            Self::Allowance => "组内限量",
            Self::Streak => "连续计数",
            Self::Spread => "组内分配",
            Self::GuidePrice => "政府指导价",
            Self::Gate => "条件",
            Self::Subsidy => "补助项目",
            Self::Exclusion => "不重复享受",
            Self::Cap => "封顶",
            Self::Shortage => "预算不足时",
            Self::Split => "资金分担",
            Self::Offset => "抵扣上限",
            Self::PayDate => "拨付日",
            Self::Input => "数据表",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The block's own keys, beside [`DATED`].
    pub(crate) const fn keys(self) -> &'static [Key] {
        match self {
            Self::Parameter => PARAMETER,
            Self::Table => TABLE,
            Self::Age => AGE,
            Self::Value => VALUE,
            Self::Grouping => GROUPING,
            Self::Rank => RANK,
            Self::Allowance => ALLOWANCE,
            Self::Streak => STREAK,
            Self::Spread => SPREAD,
            Self::GuidePrice => GUIDE_PRICE,
            Self::Gate => GATE,
            Self::Subsidy => SUBSIDY,
            Self::Exclusion => EXCLUSION,
            Self::Cap => CAP,
            Self::Shortage => SHORTAGE,
            Self::Split => SPLIT,
            Self::Offset => OFFSET,
            Self::PayDate => PAY_DATE,
            Self::Input => INPUT,
        }
    }

    /// Whether blocks of the kind carry an id, a clause and dates.
    pub(crate) fn dated(self) -> bool {
        self != Self::Input
    }

    /// Whether a block of the kind makes a column of its basis from the rows of a group.
    pub(crate) const fn within(self) -> bool {
        matches!(self, Self::Rank | Self::Allowance | Self::Streak | Self::Spread)
    }

    /// Whether a block of the kind makes the one column its id names on its `basis`.
    pub(crate) const fn column(self) -> bool {
        matches!(self, Self::Value) || self.within()
    }

    /// All keys of a block of the kind.
    pub(crate) fn all_keys(self) -> Vec<Key> {
        let head = if self.dated() { DATED } else { &[] };
        head.iter().chain(self.keys()).copied().collect()
    }

    /// Default of a word key; empty when it has none.
    pub(crate) fn default(self, key: &str) -> &'static str {
        DATED.iter().chain(self.keys()).find(|k| k.name == key).map_or("", |k| k.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Rows of the tables of keys under a heading: (key, default cell).
    fn documented(text: &str, heading: &str) -> Vec<(String, String)> {
        let start = text.find(heading).unwrap_or_else(|| panic!("{heading} is not documented"));
        let body = &text[start + heading.len()..];
        let body = &body[..body.find("\n## ").unwrap_or(body.len())];
        body.lines()
            .filter_map(|line| {
                let cells: Vec<&str> = line.strip_prefix("| `")?.split(" | ").collect();
                let key = cells.first()?.trim_end_matches('`');
                Some((key.to_owned(), (*cells.get(2)?).to_owned()))
            })
            .collect()
    }

    fn written(keys: &[Key]) -> Vec<(String, String)> {
        keys.iter()
            .map(|key| {
                let default = match (key.required, key.default) {
                    (true, _) => "**required**".to_owned(),
                    (false, "") => "–".to_owned(),
                    (false, default) => format!("`{default}`"),
                };
                (key.name.to_owned(), default)
            })
            .collect()
    }

    #[test]
    fn the_reference_lists_every_key_with_its_default() {
        let text = include_str!("../../../docs/policy-pack.md");
        let hold = |heading: &str, keys: Vec<(String, String)>| {
            let documented: BTreeSet<_> = documented(text, heading).into_iter().collect();
            let written: BTreeSet<_> = keys.into_iter().collect();
            assert_eq!(documented, written, "{heading}");
        };
        hold("## `[pack]`", written(PACK));
        hold("## `[notice]`", written(NOTICE));
        hold("## Keys of every dated block", written(DATED));
        for kind in BlockKind::ALL {
            let mut keys = written(kind.keys());
            match kind {
                BlockKind::Table => keys.extend(written(TABLE_KEY)),
                BlockKind::Input => keys.extend(written(COLUMN)),
                _ => {}
            }
            hold(&format!("## `[[{}]]`", kind.word()), keys);
        }
    }
}
