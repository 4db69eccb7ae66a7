//! A draft notice as a file of a pack: readable, in the order of keys the packs have.

use std::fmt::Write as _;

use super::{DraftHead, NewVersion};
use crate::law::book::LawBook;
use crate::law::text::{Node, Value};

/// Most changed values told above a block; a diff of the packs tells them all.
const MOST_TOLD: usize = 20;
/// Widest line a list is written on.
const WIDEST: usize = 100;

/// The file: `[notice]`, then every new version whole.
pub(super) fn draft_text(
    book: &LawBook,
    head: &DraftHead,
    overlays: &str,
    versions: &[NewVersion<'_>],
) -> String {
    let mut text = format!(
        "# Draft made from {}.\n\
         # Planned: read and checked, applied by no settlement. Before it is adopted, fill every\n\
         # clause, number, title and published, then say status = \"adopted\".\n\n\
         [notice]\nnumber = {}\ntitle = {}\npublished = {}\nstatus = \"planned\"\n",
        one_line(overlays),
        quoted(&head.number),
        quoted(&head.title),
        head.published,
    );
    for version in versions {
        block(&mut text, book, version);
    }
    text
}

/// A text inside a comment.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn block(text: &mut String, book: &LawBook, version: &NewVersion<'_>) {
    let block = version.block;
    let notice = &book.notices[block.notice];
    let stands = format!("{} {}", notice.number, block.clause);
    let _ = writeln!(text, "\n# {}", one_line(stands.trim()));
    for (key, old, new) in version.changes.iter().take(MOST_TOLD) {
        let key = key.strip_prefix("rows").unwrap_or(key);
        let _ = writeln!(text, "# {}: {} -> {}", one_line(key), one_line(old), one_line(new));
    }
    if version.changes.len() > MOST_TOLD {
        text.push_str("# …\n");
    }
    let _ = writeln!(text, "[[{}]]\nid = {}", block.kind.word(), quoted(&block.id));
    let _ = writeln!(text, "clause = \"\"\neffective_from = {}", version.from);
    if let Some(until) = version.until {
        let _ = writeln!(text, "effective_until = {until}");
    }
    let until = version.until.map_or_else(|| quoted("open"), |until| until.to_string());
    let known_from = block.dating.known_from;
    let _ = writeln!(text, "supersedes = {{ known_from = {known_from}, until = {until} }}");
    // A draft says its rows itself.
    let own = block.kind.keys().iter().map(|key| key.name);
    let own = own.filter(|key| !matches!(*key, "file" | "sheet"));
    for key in ["mid_month"].into_iter().chain(own).chain(["zh"]) {
        if let Some(node) = block.get(key) {
            let _ = writeln!(text, "{key} = {}", value(key, node));
        }
    }
}

/// A value under a key; lists too wide for a line have one item on each.
fn value(key: &str, node: &Node) -> String {
    let line = inline(node);
    match &node.value {
        Value::Text(text) if text.contains('\n') => {
            format!("\"\"\"\n{}\"\"\"", escaped(text, true))
        }
        Value::List(list) if key.len() + 3 + line.chars().count() > WIDEST => {
            let items: Vec<String> = list.iter().map(inline).collect();
            format!("[\n    {},\n]", items.join(",\n    "))
        }
        _ => line,
    }
}

fn inline(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => quoted(text),
        Value::Int(int) => int.to_string(),
        Value::Bool(yes) => yes.to_string(),
        Value::Date(date) => date.to_string(),
        Value::List(list) => {
            format!("[{}]", list.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        Value::Table(entries) => {
            let parts: Vec<String> = entries
                .iter()
                .map(|entry| format!("{} = {}", entry.name, inline(&entry.node)))
                .collect();
            format!("{{ {} }}", parts.join(", "))
        }
        // A book with such a value was refused.
        Value::Bad => quoted(""),
    }
}

/// A text or a key as TOML writes it.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text, false))
}

/// A text as TOML holds it between quotes; over several lines it keeps its line ends.
fn escaped(text: &str, lines: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => escaped.extend(['\\', c]),
            '\n' if lines => escaped.push(c),
            c if c.is_control() => {
                let _ = write!(escaped, "\\u{:04X}", u32::from(c));
            }
            c => escaped.push(c),
        }
    }
    escaped
}
