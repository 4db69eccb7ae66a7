//! Tables: rows of text in, a lookup table with the most specific row first out (S19).

use std::cmp::Ordering;
use std::sync::Arc;

use super::cells::{self, NONE, UNSET};
use super::cover;
use super::expr::{KeyCell, LookupTable, TableKey};
use super::fault::{At, Faults, near, near_hint};
use super::model::{DictionaryEntry, RuleHead, Ty};
use super::text::{Block, Node, Value};
use crate::domain::{Cell, Fraction};

/// Most keys of a table.
const MOST_KEYS: usize = 8;

/// A key of a table as declared.
#[derive(Debug, Clone)]
pub(super) struct KeySpec {
    pub(super) key: TableKey,
    /// The range the key is known to lie in; proves coverage of a range key.
    pub(super) cover: Option<KeyCell>,
}

impl KeySpec {
    /// The values of a key whose every value is known.
    pub(super) fn listed(&self) -> Option<Vec<Cell>> {
        if self.key.range {
            return None;
        }
        match &self.key.ty {
            Ty::Bool => Some(vec![Cell::Bool(false), Cell::Bool(true)]),
            Ty::Text(Some(values)) => {
                Some(values.iter().map(|value| Cell::Text(value.to_string())).collect())
            }
            _ => None,
        }
    }
}

/// A row of a table with its place.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) at: At,
    pub(super) keys: Vec<KeyCell>,
    pub(super) cell: Cell,
}

/// What the packs know while tables are read.
pub(super) struct TableContext<'a> {
    pub(super) dictionary: &'a [DictionaryEntry],
    pub(super) currency: &'a str,
}

/// A table as read.
#[derive(Debug, Clone)]
pub(super) struct ReadTable {
    pub(super) table: Arc<LookupTable>,
    /// Places of cells the user must fill.
    pub(super) unset: Vec<At>,
}

/// Reads a table version; `None` with faults when it cannot be used.
pub(super) fn read(
    block: &Block,
    head: RuleHead,
    context: &TableContext<'_>,
    faults: &mut Faults,
) -> Option<ReadTable> {
    let before = faults.0.len();
    let what = format!("[[table]] {}", block.id);
    let ty = cells::declared_type(
        &what,
        &block.at,
        block.get("unit"),
        block.text("type"),
        context.currency,
        faults,
    );
    let keys = keys(block, context, faults);
    let (Some(mut ty), Some(keys)) = (ty, keys) else { return None };
    if block.get("rows").is_none() {
        let expected = "a list of rows [[key, …, cell], …]";
        let message = format!("{what} has no `rows`");
        faults.error("missing_key", &block.at, message, expected, "or file = \"….csv\"");
        return None;
    }
    let mut unset = Vec::new();
    let mut rows = Vec::new();
    for node in block.get("rows").map_or(&[][..], Node::list) {
        rows.extend(row(node, &keys, &ty, context.currency, &mut unset, faults));
    }
    if rows.is_empty() && faults.0.len() == before {
        faults.error("table_empty", block.at("rows"), format!("{what} has no row"), "a row", "");
    }
    if faults.0[before..].iter().any(|f| f.severity == crate::domain::Severity::Error) {
        return None;
    }
    rows.sort_by(|a, b| specific_first(&a.keys, &b.keys));
    let fact = block.word("coverage") == "fact";
    let when = days_in_force(block);
    let proved = cover::check(&what, block.at("rows"), &keys, &rows, (fact, &when), faults)?;
    if let Ty::Num { integer, .. } = &mut ty {
        *integer |= rows.iter().all(|row| !matches!(row.cell, Cell::Num(_, den) if den != 1));
    }
    let table = LookupTable {
        head: Arc::new(head),
        keys: keys.into_iter().map(|spec| spec.key).collect(),
        ty,
        rows: rows.into_iter().map(|row| (row.keys, row.cell)).collect(),
        proved,
        dated: None,
    };
    Some(ReadTable { table: Arc::new(table), unset })
}

/// The days of a version in words: `from 2026-01-01 to 2026-12-31`.
fn days_in_force(block: &Block) -> String {
    match block.dating.until {
        Some(until) => format!("from {} to {until}", block.dating.from),
        None => format!("from {} on", block.dating.from),
    }
}

fn keys(block: &Block, context: &TableContext<'_>, faults: &mut Faults) -> Option<Vec<KeySpec>> {
    let nodes = block.get("keys").map_or(&[][..], Node::list);
    if nodes.is_empty() || nodes.len() > MOST_KEYS {
        let message = format!("a table with {} keys", nodes.len());
        let hint = "a value without keys is a [[parameter]]";
        faults.error("table_keys", block.at("keys"), message, "1 to 8 keys", hint);
        return None;
    }
    let mut specs = Vec::new();
    for node in nodes {
        specs.push(key(node, context, faults)?);
    }
    Some(specs)
}

/// The type a dictionary column of that name has; the one with listed values where bases differ.
fn dictionary_type(name: &str, dictionary: &[DictionaryEntry]) -> Option<(Arc<str>, Ty)> {
    let named = || dictionary.iter().filter(|e| &*e.name == name || &*e.alias == name);
    named()
        .find(|entry| matches!(entry.ty, Ty::Text(Some(_))))
        .or_else(|| named().next())
        .map(|entry| (Arc::clone(&entry.name), entry.ty.clone()))
}

fn key(node: &Node, context: &TableContext<'_>, faults: &mut Faults) -> Option<KeySpec> {
    let name = node.text().or_else(|| node.get("name").and_then(Node::text)).unwrap_or("");
    let word = node.get("type").and_then(Node::text);
    let from_dictionary = dictionary_type(name, context.dictionary);
    let ty = if word.is_some() || node.get("unit").is_some() {
        let unit = node.get("unit");
        cells::declared_type("the key", &node.at, unit, word, context.currency, faults)?
    } else if let Some((_, ty)) = from_dictionary {
        ty
    } else {
        let names = context.dictionary.iter().map(|entry| &*entry.name);
        faults.error(
            "unknown_name",
            &node.at,
            format!("key `{name}` is no column"),
            "a column of the dictionary, or { name, type, … }",
            near_hint(&near(name, names), ""),
        );
        return None;
    };
    let ty = match node.get("values") {
        None => ty,
        Some(values) => {
            if !matches!(ty, Ty::Text(_) | Ty::Key) {
                let message = format!("`values` on a key of type {}", cells::ty_text(&ty));
                faults.error("table_keys", &values.at, message, "a text key", "");
                return None;
            }
            let listed = values.list().iter().filter_map(|v| v.text().map(Arc::from)).collect();
            Ty::Text(Some(Arc::new(listed)))
        }
    };
    let range = matches!(node.get("range").map(|n| &n.value), Some(Value::Bool(true)));
    let ordered = matches!(ty, Ty::Num { .. } | Ty::Date);
    if range && !ordered {
        let message = format!("a range key of type {}", cells::ty_text(&ty));
        faults.error("table_keys", &node.at, message, "a number or a date", "");
        return None;
    }
    let mut cover = None;
    if let Some(at) = node.get("cover") {
        let read = at.text().and_then(|text| range_cell(text, &ty, context.currency));
        if read.is_none() || !range {
            let found = at.text().unwrap_or("");
            let message = format!("cover {found:?} of key `{name}`");
            let expected = "a range such as \"[0,36)\" on a key with range = true";
            faults.error("table_keys", &at.at, message, expected, "");
            return None;
        }
        cover = read;
    }
    Some(KeySpec { key: TableKey { name: Arc::from(name), ty, range }, cover })
}

fn row(
    node: &Node,
    keys: &[KeySpec],
    ty: &Ty,
    currency: &str,
    unset: &mut Vec<At>,
    faults: &mut Faults,
) -> Option<Row> {
    let cells = node.list();
    if cells.len() != keys.len() + 1 {
        let names: Vec<&str> = keys.iter().map(|spec| &*spec.key.name).collect();
        let plural = if cells.len() == 1 { "" } else { "s" };
        let message = format!("a row of {} cell{plural}", cells.len());
        let expected = format!("{}: [{}, value]", keys.len() + 1, names.join(", "));
        faults.error("table_row", &node.at, message, expected, "");
        return None;
    }
    let mut parsed = Vec::new();
    let mut fine = true;
    for (spec, cell) in keys.iter().zip(cells) {
        match key_cell(cell, spec, currency) {
            Ok(key) => parsed.push(key),
            Err((message, hint)) => {
                fine = false;
                faults.error("table_row", &cell.at, message, "", hint);
            }
        }
    }
    let last = cells.last()?;
    let cell = match last.text() {
        Some(NONE) => Cell::Null,
        Some(UNSET) => {
            unset.push(last.at.clone());
            Cell::Null
        }
        _ => match cells::cell(last, ty, currency) {
            Ok(cell) => cell,
            Err(message) => {
                fine = false;
                let hint = "a covered cell without a value is \"none\"";
                faults.error("table_row", &last.at, message, "", hint);
                Cell::Null
            }
        },
    };
    fine.then(|| Row { at: node.at.clone(), keys: parsed, cell })
}

fn key_cell(node: &Node, spec: &KeySpec, currency: &str) -> Result<KeyCell, (String, String)> {
    let name = &spec.key.name;
    if let Some(text) = node.text() {
        if text == "*" {
            return Ok(KeyCell::Any);
        }
        if spec.key.range && text.starts_with(['[', '(']) {
            return range_cell(text, &spec.key.ty, currency).ok_or_else(|| {
                let message = format!("{text:?} is no range of key `{name}`");
                (message, "write \"[a,b)\", \"(a,b]\", \"[a,)\" or \"(,b)\" with a below b".into())
            });
        }
    }
    let cell = cells::cell(node, &spec.key.ty, currency)
        .map_err(|message| (format!("key `{name}`: {message}"), String::new()))?;
    if let (Cell::Text(text), Ty::Text(Some(values))) = (&cell, &spec.key.ty)
        && !values.iter().any(|value| **value == **text)
    {
        let nearest = near(text, values.iter().map(|value| &**value));
        let all: Vec<&str> = values.iter().map(|value| &**value).collect();
        let hint = near_hint(&nearest, &format!("listed are {}", all.join(", ")));
        return Err((format!("key `{name}`: {text:?} is not a listed value"), hint));
    }
    Ok(KeyCell::Is(cell))
}

/// The position of a cell on the line of numbers: dates by their day number.
pub(super) fn place_on_line(cell: &Cell) -> Option<Fraction> {
    match cell {
        Cell::Num(num, den) => Fraction::new(*num, *den),
        Cell::Date(date) => Some(Fraction::whole(date.days().into())),
        _ => None,
    }
}

/// Compares two fractions; `None` on overflow, which bounded cells exclude.
pub(super) fn compare(a: (i128, i128), b: (i128, i128)) -> Ordering {
    match (a.0.checked_mul(b.1), b.0.checked_mul(a.1)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => a.cmp(&b),
    }
}

/// Reads `[a,b)`, `(a,b]`, `[a,)`, `(,b)`; `None` when it is not a range or is empty.
fn range_cell(text: &str, ty: &Ty, currency: &str) -> Option<KeyCell> {
    let low_in = match text.chars().next()? {
        '[' => true,
        '(' => false,
        _ => return None,
    };
    let high_in = match text.chars().last()? {
        ']' => true,
        ')' => false,
        _ => return None,
    };
    let (low, high) = text.get(1..text.len() - 1)?.split_once(',')?;
    let bound = |text: &str| -> Option<Option<(i128, i128)>> {
        let text = text.trim();
        if text.is_empty() {
            return Some(None);
        }
        let node = Node { at: At::default(), value: Value::Text(text.to_owned()) };
        let place = place_on_line(&cells::cell(&node, ty, currency).ok()?)?;
        Some(Some((place.num, place.den)))
    };
    let (low, high) = (bound(low)?, bound(high)?);
    if low.is_none() && low_in || high.is_none() && high_in {
        return None;
    }
    if let (Some(low), Some(high)) = (low, high) {
        let order = compare(low, high);
        if order == Ordering::Greater || (order == Ordering::Equal && !(low_in && high_in)) {
            return None;
        }
    }
    Some(KeyCell::Range { low: low.map(|b| (b, low_in)), high: high.map(|b| (b, high_in)) })
}

/// How specific a key cell is: exact before range before `*`.
pub(super) fn rank(cell: &KeyCell) -> u8 {
    match cell {
        KeyCell::Is(_) => 2,
        KeyCell::Range { .. } => 1,
        KeyCell::Any => 0,
    }
}

/// The most specific row first; among equals the order of the cells' texts, so that the order of
/// rows in the file means nothing.
pub(super) fn specific_first(a: &[KeyCell], b: &[KeyCell]) -> Ordering {
    let ranks = |keys: &[KeyCell]| keys.iter().map(rank).collect::<Vec<u8>>();
    let texts = |keys: &[KeyCell]| keys.iter().map(key_text).collect::<Vec<String>>();
    ranks(b).cmp(&ranks(a)).then_with(|| texts(a).cmp(&texts(b)))
}

/// A key cell as text, in the base unit (money in fen, dates by day number).
pub(super) fn key_text(cell: &KeyCell) -> String {
    let bound = |bound: Option<((i128, i128), bool)>| {
        bound.map_or_else(String::new, |((num, den), _)| fraction_text(num, den))
    };
    match cell {
        KeyCell::Any => "*".to_owned(),
        KeyCell::Is(cell) => cell_text(cell),
        KeyCell::Range { low, high } => {
            let open = if low.is_some_and(|(_, within)| within) { '[' } else { '(' };
            let close = if high.is_some_and(|(_, within)| within) { ']' } else { ')' };
            format!("{open}{},{}{close}", bound(*low), bound(*high))
        }
    }
}

pub(super) fn fraction_text(num: i128, den: i128) -> String {
    if den == 1 { num.to_string() } else { format!("{num}/{den}") }
}

/// A cell as text, in the base unit.
pub(super) fn cell_text(cell: &Cell) -> String {
    match cell {
        Cell::Null => NONE.to_owned(),
        Cell::Bool(yes) => yes.to_string(),
        Cell::Num(num, den) => fraction_text(*num, *den),
        Cell::Date(date) => date.to_string(),
        Cell::Text(text) => text.clone(),
    }
}
