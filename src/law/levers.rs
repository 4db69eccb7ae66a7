//! What a person can turn: every plain number of the law in force, with the overlay path that sets it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::book::LawBook;
use super::cells::{NONE, UNSET};
use super::dating::{self, BlockName};
use super::snapshot::plain;
use super::text::schema::{Key, Shape};
use super::text::{Block, BlockKind, Node, Value, number};
use crate::domain::{Date, Fraction, Month};

/// A plain number of the law in force. Numbers inside expressions are none: the pack gives them a
/// parameter where they are to be turned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lever {
    /// Overlay path, `parameter.rate.base.value` or `table.rate.slot[乳儿班]`, with the pack in front
    /// where several are loaded.
    pub path: String,
    /// Pack id.
    pub pack: Arc<str>,
    /// What the number does.
    pub kind: LeverKind,
    /// Bare id of the block.
    pub id: Arc<str>,
    /// Names and cells of the row's keys, as written; empty but for table cells.
    pub keys: Vec<(String, String)>,
    /// The number as written; `None` for a cell `none` and for a value nobody has filled yet.
    pub value: Option<String>,
    /// Unit as written; empty for a plain number.
    pub unit: String,
    /// Chinese name of the block, else its id.
    pub title: String,
    /// 条款.
    pub clause: Arc<str>,
    /// 文号.
    pub notice: Arc<str>,
    /// First day of the version.
    pub effective_from: Date,
    /// Last day of the version; `None` is open.
    pub effective_until: Option<Date>,
    /// Printed ids of the rules whose expressions name the block, sorted; for a number that a rule
    /// states itself, that rule.
    pub read_by: Vec<Arc<str>>,
    /// Whether an overlay changed the block.
    pub overlaid: bool,
}

/// What a lever does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeverKind {
    /// A parameter.
    Parameter,
    /// The value cell of one row of a table.
    TableCell,
    /// 上浮: how far a fee may stand above the benchmark.
    FloatUp,
    /// 下浮: how far a fee may stand below the benchmark.
    FloatDown,
    /// A share of money, 0 to 1.
    Share,
    /// A limit of a cap, a shortage or an offset.
    Limit,
    /// The quantum of a rounding or a split.
    Quantum,
    /// A whole number that an overlay writes as one, without quotes.
    Count,
    /// Any other number a rule states.
    Other,
}

impl LawBook {
    /// The levers of a month as known on a day, sorted by pack, kind and id, rows as written. Where
    /// the law splits the month, those of the version in force last: a path means all versions.
    #[must_use]
    pub fn levers(&self, month: Month, known_on: Date) -> Vec<Lever> {
        let readers = self.compile(month, known_on).reads.readers;
        let mut blocks: BTreeMap<BlockName, &Arc<Block>> = BTreeMap::new();
        for (_, chosen) in self.segments(month, known_on) {
            blocks.extend(chosen.into_iter().map(|block| (dating::name_of(block), block)));
        }
        let mut levers: Vec<(usize, Lever)> = Vec::new();
        for block in blocks.into_values() {
            let printed = self.printed(block.pack, &block.id);
            let read_by = match block.kind {
                BlockKind::Parameter | BlockKind::Table => {
                    let readers = readers.get(&*block.version(&printed));
                    readers.map_or_else(Vec::new, |ids| ids.iter().cloned().collect())
                }
                _ => vec![printed],
            };
            let of_block = self.of_block(block, &read_by);
            levers.extend(of_block.into_iter().map(|lever| (block.pack, lever)));
        }
        levers.sort_by(|(a_pack, a), (b_pack, b)| {
            (a_pack, a.kind, &a.id).cmp(&(b_pack, b.kind, &b.id))
        });
        levers.into_iter().map(|(_, lever)| lever).collect()
    }

    fn of_block(&self, block: &Block, read_by: &[Arc<str>]) -> Vec<Lever> {
        let pack = &self.packs[block.pack].head;
        let front = if self.packs.len() > 1 { format!("{}:", pack.id) } else { String::new() };
        let lever = |kind, path: &str, keys, value, unit: &str| Lever {
            path: format!("{front}{}.{}{path}", block.kind.word(), block.id),
            pack: Arc::clone(&pack.id),
            kind,
            id: Arc::clone(&block.id),
            keys,
            value,
            unit: unit.to_owned(),
            title: block.chinese().unwrap_or(&block.id).to_owned(),
            clause: Arc::clone(&block.clause),
            notice: Arc::clone(&self.notices[block.notice].number),
            effective_from: block.dating.from,
            effective_until: block.dating.until,
            read_by: read_by.to_vec(),
            overlaid: block.overlaid,
        };
        let unit = block.word("unit");
        match block.kind {
            BlockKind::Parameter | BlockKind::Table if !is_numeric(block) => Vec::new(),
            BlockKind::Parameter => {
                let value = block.get("value").and_then(|node| number_of(node).ok());
                let one = |value| lever(LeverKind::Parameter, ".value", Vec::new(), value, unit);
                value.map(one).into_iter().collect()
            }
            BlockKind::Table => cells(block)
                .into_iter()
                .map(|(path, keys, value)| lever(LeverKind::TableCell, &path, keys, value, unit))
                .collect(),
            _ => stated(block)
                .into_iter()
                .map(|(key, value)| {
                    let money = block.kind == BlockKind::Offset && key == "amount";
                    let unit = if money { &*pack.currency } else { "" };
                    let kind = kind_of(block.kind, &key);
                    lever(kind, &format!(".{key}"), Vec::new(), Some(value), unit)
                })
                .collect(),
        }
    }
}

/// Whether the values of a parameter or table are numbers.
fn is_numeric(block: &Block) -> bool {
    matches!(block.text("type"), None | Some("number" | "integer"))
}

/// A text, a date: nothing to turn.
struct NoNumber;

/// The number of a value; `None` where none is written yet, or the cell says there is none.
fn number_of(node: &Node) -> Result<Option<String>, NoNumber> {
    match node.text() {
        Some(NONE | UNSET) => Ok(None),
        _ => number(node).map(|_| Some(plain(node))).ok_or(NoNumber),
    }
}

type Row = (String, Vec<(String, String)>, Option<String>);

/// Rows that a path can name: `[key|…]`, names and cells of the keys, the value.
fn cells(block: &Block) -> Vec<Row> {
    let names: Vec<String> = block
        .get("keys")
        .map_or(&[][..], Node::list)
        .iter()
        .map(|key| plain(key.get("name").unwrap_or(key)))
        .collect();
    let rows = block.get("rows").map_or(&[][..], Node::list);
    let rows = rows.iter().filter_map(|row| {
        let (value, keys) = row.list().split_last()?;
        let keys: Vec<String> = keys.iter().map(plain).collect();
        if keys.iter().any(|key| key.contains('|') || key.trim() != key) {
            return None;
        }
        let path = format!("[{}]", keys.join("|"));
        Some((path, names.iter().cloned().zip(keys).collect(), number_of(value).ok()?))
    });
    rows.collect()
}

/// Keys of a block that hold a plain number, as an overlay names them, with the number.
pub(super) fn stated(block: &Block) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for key in block.kind.keys() {
        let Some(node) = block.get(key.name) else { continue };
        if let Shape::Record(keys) = key.shape {
            for inner in keys {
                let number = node.get(inner.name).filter(|node| is_number(inner, node));
                let named = |node: &Node| (format!("{}.{}", key.name, inner.name), plain(node));
                found.extend(number.map(named));
            }
        } else if is_number(key, node) {
            found.push((key.name.to_owned(), plain(node)));
        }
    }
    found
}

fn is_number(key: &Key, node: &Node) -> bool {
    match (key.shape, &node.value) {
        (Shape::Number | Shape::Share | Shape::Count, _) => number(node).is_some(),
        (Shape::Expr, Value::Text(text)) => Fraction::parse_decimal(text.trim()).is_some(),
        _ => false,
    }
}

fn kind_of(block: BlockKind, key: &str) -> LeverKind {
    match (block, key) {
        (BlockKind::GuidePrice, "float_up") => LeverKind::FloatUp,
        (BlockKind::GuidePrice, "float_down") => LeverKind::FloatDown,
        (BlockKind::Offset, "share") => LeverKind::Share,
        (BlockKind::Offset, "amount") | (BlockKind::Cap | BlockKind::Shortage, "limit") => {
            LeverKind::Limit
        }
        (_, "quantum" | "round.to") => LeverKind::Quantum,
        (BlockKind::PayDate, "workday" | "day") => LeverKind::Count,
        _ => LeverKind::Other,
    }
}
