//! The canonical text of the law in force: the same for any order of files, blocks and rows, any
//! comments and any spelling of a number; different when anything that may change a result is.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use super::book::LawBook;
use super::cells;
use super::lookup::{cell_text, fraction_text, key_text};
use super::model::{InputTable, MidMonth, Ty, Weeks};
use super::text::schema::Shape;
use super::text::{Block, BlockKind, Node, Value, number};
use crate::domain::Span;

/// Settings, inputs, the versions of each segment, then the text of each version once.
pub(super) fn canonical(book: &LawBook, segments: &[(Span, Vec<&Arc<Block>>)]) -> String {
    let mut text = String::from("tuoyu law 1\n");
    for pack in &book.packs {
        let head = &pack.head;
        let _ = writeln!(
            text,
            "pack {} | {} | {} | {} | calendar {} | months {} | sample {} | child_id {} | \
             institution_id {} | overlaps {:?} | filing {} | inclusive {} | grade {} | sanctions {}",
            head.id,
            head.title,
            head.region,
            head.currency,
            pack.calendar,
            head.settlement_months,
            head.sample,
            if head.resident_ids { "resident" } else { "opaque" },
            if head.uscc { "uscc" } else { "opaque" },
            head.overlaps,
            mid_word(head.filing),
            mid_word(head.inclusive),
            mid_word(head.grade),
            mid_word(head.sanctions),
        );
        // The default stands in no snapshot written before there were weeks.
        if head.weeks == Weeks::ByEnd {
            text.push_str("weeks by_end\n");
        }
    }
    for input in &book.inputs {
        input_text(&mut text, input);
    }
    let mut serials = BTreeSet::new();
    for (span, blocks) in segments {
        // Whole months read alike, so that the snapshot changes with the law and not the month.
        if segments.len() > 1 {
            let _ = writeln!(text, "segment {span}");
            for block in blocks {
                let id = book.printed(block.pack, &block.id);
                let _ = writeln!(text, "  {} {}", block.kind.word(), block.version(&id));
            }
        }
        serials.extend(blocks.iter().map(|block| block.serial));
    }
    for serial in serials {
        let block = &book.blocks[serial];
        text.push_str(block.said.canonical.get_or_init(|| block_text(book, block)));
    }
    text
}

fn input_text(text: &mut String, input: &InputTable) {
    let key: Vec<&str> = input.key.iter().map(|key| &**key).collect();
    let _ = write!(text, "input {} extends {} key {}", input.name, input.extends, key.join(","));
    if let Some((from, until)) = &input.span {
        let _ = write!(text, " span {from},{until}");
    }
    if let Some(of) = &input.of {
        let _ = write!(text, " of {of}");
    }
    text.push('\n');
    let mut columns: Vec<String> = input
        .columns
        .iter()
        .map(|column| {
            let values = match &column.ty {
                Ty::Text(Some(values)) => values.join("|"),
                _ => String::new(),
            };
            let whole = matches!(column.ty, Ty::Num { integer: true, .. });
            format!(
                "  {} {} {} whole {whole} nullable {} {values}\n",
                column.name,
                column.alias,
                cells::ty_text(&column.ty),
                column.nullable,
            )
        })
        .collect();
    columns.sort();
    text.extend(columns);
}

fn block_text(book: &LawBook, block: &Block) -> String {
    let mut text = String::new();
    let notice = &book.notices[block.notice];
    let id = book.printed(block.pack, &block.id);
    let _ = writeln!(
        text,
        "{} {} | {} | {}",
        block.kind.word(),
        block.version(&id),
        notice.number,
        block.clause
    );
    for (key, value) in fields(book, block) {
        let _ = writeln!(text, "  {key} = {value}");
    }
    text
}

/// The keys of a block in the order of the grammar with canonical values; defaults are written out.
pub(super) fn fields(book: &LawBook, block: &Block) -> Vec<(&'static str, String)> {
    let mut list = Vec::new();
    for key in block.kind.all_keys() {
        if matches!(key.name, "id" | "clause" | "known_from") {
            continue;
        }
        // Rows say the same wherever they stand.
        if block.kind == BlockKind::Table && matches!(key.name, "file" | "sheet") {
            continue;
        }
        // What is looked up at a date of the row starts and ends on the day.
        if key.name == "mid_month" && block.dating.by_row {
            continue;
        }
        let value = match block.get(key.name) {
            None if key.default.is_empty() => continue,
            None => match key.shape {
                Shape::Number => default_number(key.default),
                _ => key.default.to_owned(),
            },
            Some(node) => match (block.kind, key.name) {
                (BlockKind::Table, "rows") => rows(book, block, node),
                _ => value(node, key.shape),
            },
        };
        list.push((key.name, value));
    }
    list
}

fn default_number(text: &str) -> String {
    crate::domain::Fraction::parse_decimal(text)
        .map_or_else(|| text.to_owned(), |f| fraction_text(f.num, f.den))
}

/// Rows in the order of lookups, in base units.
fn rows(book: &LawBook, block: &Block, node: &Node) -> String {
    let Some(read) = book.tables.get(&block.serial) else { return value(node, Shape::Rows) };
    let lines: Vec<String> = read
        .table
        .rows
        .iter()
        .map(|(keys, cell)| {
            let keys: Vec<String> = keys.iter().map(key_text).collect();
            format!("\n    [{}] {}", keys.join(", "), cell_text(cell))
        })
        .collect();
    lines.concat()
}

fn value(node: &Node, shape: Shape) -> String {
    match (shape, &node.value) {
        (Shape::Number | Shape::Share, _) => number(node).map_or_else(
            || plain(node),
            |f| {
                let f = f.reduced();
                fraction_text(f.num, f.den)
            },
        ),
        (Shape::Expr, Value::Text(text)) => one_line(text),
        (Shape::Record(keys) | Shape::Records(keys) | Shape::Keys(keys), _) => match &node.value {
            Value::List(list) => {
                let items: Vec<String> = list.iter().map(|item| value(item, shape)).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Table(_) => {
                let mut parts = Vec::new();
                for key in keys {
                    match node.get(key.name) {
                        Some(inner) => {
                            parts.push(format!("{} = {}", key.name, value(inner, key.shape)));
                        }
                        None if !key.default.is_empty() => {
                            parts.push(format!("{} = {}", key.name, key.default));
                        }
                        None => {}
                    }
                }
                format!("{{ {} }}", parts.join(", "))
            }
            _ => plain(node),
        },
        _ => plain(node),
    }
}

/// A value as written, on one line.
pub(super) fn plain(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => text.clone(),
        Value::Int(int) => int.to_string(),
        Value::Bool(yes) => yes.to_string(),
        Value::Date(date) => date.to_string(),
        Value::List(list) => {
            format!("[{}]", list.iter().map(plain).collect::<Vec<_>>().join(", "))
        }
        Value::Table(entries) => {
            let parts: Vec<String> = entries
                .iter()
                .map(|entry| format!("{} = {}", entry.name, plain(&entry.node)))
                .collect();
            format!("{{ {} }}", parts.join(", "))
        }
        Value::Bad => "?".to_owned(),
    }
}

/// An expression on one line: runs of white space outside quotes become one space.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut quoted = false;
    for c in text.trim().chars() {
        if c == '\'' {
            quoted = !quoted;
        }
        if !quoted && c.is_whitespace() {
            if !line.ends_with(' ') {
                line.push(' ');
            }
        } else {
            line.push(c);
        }
    }
    line
}

pub(super) const fn mid_word(mid: MidMonth) -> &'static str {
    match mid {
        MidMonth::SplitDays => "split_days",
        MidMonth::WholeIfStarted => "whole_if_started",
        MidMonth::ByMonthStart => "by_month_start",
        MidMonth::NextMonth => "next_month",
    }
}
