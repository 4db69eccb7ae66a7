//! Overlays: `path = value` over a pack, for what-if runs. The pack's files are never edited.
//!
//! A path is `kind.id.key`, with the pack in front where several are loaded: `pack:kind.id.key`.
//! Inside an inline table the path goes on: `subsidy.operating.round.to`; one row of a table is
//! named by its key cells: `table.rate.child[全日托|[0,12)]`. The value is laid over every version of
//! the block, so over the one in force in any month.

use super::block::Written;
use super::folder::PackText;
use super::node::{Entry, Node, Value};
use super::relative::{self, Relative};
use super::schema::BlockKind;
use crate::law::fault::{At, Faults, near, near_hint};
use crate::law::snapshot::plain;

/// Rows told where none is near.
const MOST_ROWS_TOLD: usize = 12;

/// One line of an overlay.
#[derive(Debug, Clone)]
pub(crate) struct Assignment {
    path: String,
    /// Key cells of the row that is meant, where the path names one.
    row: Option<Vec<String>>,
    at: At,
    setting: Setting,
    /// Where the value stands.
    value_at: At,
    /// Pack prefix of the path.
    pack: Option<String>,
    /// Index of that pack.
    index: Option<usize>,
    /// Packs with blocks it was laid over, without repeats.
    used: Vec<usize>,
    /// Why it was not laid over a block that it names.
    missed: Option<Missed>,
}

/// What a line says.
#[derive(Debug, Clone)]
enum Setting {
    To(Node),
    By(Relative),
}

/// Why a line was not laid over the block it names.
#[derive(Debug, Clone)]
enum Missed {
    /// The version has no such row; these it has.
    Row(Vec<String>),
    /// What is there is no number.
    Number(String),
}

/// The lines of overlay files in order; tables written as `[parameter.x]` are flattened.
pub(crate) fn assignments(
    files: &[Node],
    packs: &[PackText],
    faults: &mut Faults,
) -> Vec<Assignment> {
    let mut list = Vec::new();
    for file in files {
        flatten("", file, &mut list, faults);
    }
    for assignment in &mut list {
        let named = |pack: &PackText| Some(&*pack.head.id) == assignment.pack.as_deref();
        assignment.index = packs.iter().position(named);
    }
    list
}

fn flatten(prefix: &str, node: &Node, list: &mut Vec<Assignment>, faults: &mut Faults) {
    for entry in node.entries() {
        let path =
            if prefix.is_empty() { entry.name.clone() } else { format!("{prefix}.{}", entry.name) };
        let setting = if relative::is_relative(&entry.node) {
            let Some(by) = relative::read(&entry.node, faults) else { continue };
            Setting::By(by)
        } else if entry.node.entries().is_empty() {
            Setting::To(entry.node.clone())
        } else {
            flatten(&path, &entry.node, list, faults);
            continue;
        };
        // Cells of a row may hold colons and dots, so the row is cut off first.
        let (path, row) = match path.split_once('[') {
            Some((path, row)) => match row.strip_suffix(']') {
                Some(row) => (path.to_owned(), Some(cells(row))),
                None => (path.to_owned() + "[" + row, None),
            },
            None => (path, None),
        };
        let (pack, path) = match path.split_once(':') {
            Some((pack, rest)) => (Some(pack.to_owned()), rest.to_owned()),
            None => (None, path),
        };
        list.push(Assignment {
            path,
            row,
            at: entry.at.clone(),
            setting,
            value_at: entry.node.at.clone(),
            pack,
            index: None,
            used: Vec::new(),
            missed: None,
        });
    }
}

/// The key cells of a row as a path names them.
fn cells(row: &str) -> Vec<String> {
    row.split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// Lays the matching lines over a block. `None` when none matched.
pub(crate) fn apply(written: &Written, assignments: &mut [Assignment]) -> Option<Node> {
    let Written { kind, pack, id, .. } = written;
    let block = format!("{}.{id}", kind.word());
    let mut changed: Option<Node> = None;
    for assignment in assignments {
        if assignment.pack.is_some() && assignment.index != Some(*pack) {
            continue;
        }
        let Some(rest) = assignment.path.strip_prefix(&block) else { continue };
        let node = changed.as_ref().unwrap_or(&written.node);
        let laid = match (&assignment.row, rest.strip_prefix('.')) {
            (Some(row), None) if rest.is_empty() && *kind == BlockKind::Table => {
                assignment.over_row(node, row)
            }
            (None, Some(keys)) => {
                let first = keys.split('.').next().unwrap_or("");
                // The rows of a file are rows; which file they stand in is no value of the law.
                if matches!(first, "id" | "file" | "sheet")
                    || !kind.all_keys().iter().any(|key| key.name == first)
                {
                    continue;
                }
                assignment.over_key(node, keys)
            }
            _ => continue,
        };
        match laid {
            Ok(Some(node)) => {
                changed = Some(node);
                if !assignment.used.contains(pack) {
                    assignment.used.push(*pack);
                }
            }
            Ok(None) => {}
            Err(missed) => assignment.missed = Some(missed),
        }
    }
    changed
}

impl Assignment {
    /// The block with one row changed.
    fn over_row(&self, block: &Node, row: &[String]) -> Result<Option<Node>, Missed> {
        let keys = |row: &Node| -> Vec<String> {
            let cells = row.list();
            cells[..cells.len().saturating_sub(1)].iter().map(plain).collect()
        };
        let Some(rows) = block.get("rows") else { return Ok(None) };
        let index = rows.list().iter().position(|node| keys(node) == row);
        let Some(index) = index else {
            let all = rows.list().iter().map(|node| keys(node).join("|")).collect();
            return Err(Missed::Row(all));
        };
        let mut block = block.clone();
        let cell = at_key(&mut block, "rows")
            .and_then(|rows| list_of(rows)?.get_mut(index))
            .and_then(|row| list_of(row)?.last_mut());
        let Some(cell) = cell else { return Ok(None) };
        self.set(cell)?;
        Ok(Some(block))
    }

    /// The block with a key changed, descending into inline tables; `None` where a step is no table.
    fn over_key(&self, block: &Node, keys: &str) -> Result<Option<Node>, Missed> {
        let mut block = block.clone();
        if let (Setting::By(by), "rows") = (&self.setting, keys) {
            let Some(rows) = at_key(&mut block, "rows").and_then(list_of) else { return Ok(None) };
            let mut any = false;
            for cell in rows.iter_mut().filter_map(|row| list_of(row)?.last_mut()) {
                // What is no number stays: a cell `none` has none.
                if let Some(value) = by.of(cell) {
                    *cell = Node { at: self.value_at.clone(), value };
                    any = true;
                }
            }
            let none = || Missed::Number("a table without numbers".to_owned());
            return if any { Ok(Some(block)) } else { Err(none()) };
        }
        let mut node = &mut block;
        let mut steps = keys.split('.').peekable();
        while let Some(step) = steps.next() {
            let Value::Table(entries) = &mut node.value else { return Ok(None) };
            let last = steps.peek().is_none();
            let found = entries.iter().position(|entry| entry.name == step);
            let index = match (found, last, &self.setting) {
                (Some(index), ..) => index,
                (None, true, Setting::To(_)) => {
                    let (at, node) =
                        (self.at.clone(), Node { at: At::default(), value: Value::Bad });
                    entries.push(Entry { name: step.to_owned(), at, node });
                    entries.len() - 1
                }
                (None, true, Setting::By(_)) => {
                    return Err(Missed::Number("not written in the pack".to_owned()));
                }
                (None, false, _) => return Ok(None),
            };
            node = &mut entries[index].node;
        }
        self.set(node)?;
        Ok(Some(block))
    }

    fn set(&self, node: &mut Node) -> Result<(), Missed> {
        match &self.setting {
            Setting::To(value) => *node = value.clone(),
            Setting::By(by) => {
                let value = by.of(node).ok_or_else(|| Missed::Number(plain(node)))?;
                *node = Node { at: self.value_at.clone(), value };
            }
        }
        Ok(())
    }
}

fn at_key<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut Node> {
    let Value::Table(entries) = &mut node.value else { return None };
    entries.iter_mut().find(|entry| entry.name == key).map(|entry| &mut entry.node)
}

fn list_of(node: &mut Node) -> Option<&mut Vec<Node>> {
    match &mut node.value {
        Value::List(list) => Some(list),
        _ => None,
    }
}

/// Lines that met no block, or blocks of several packs.
pub(crate) fn unused(
    assignments: &[Assignment],
    packs: &[PackText],
    written: &[Written],
    faults: &mut Faults,
) {
    for assignment in assignments {
        let Assignment { path, at, value_at, used, .. } = assignment;
        match (used.as_slice(), &assignment.missed) {
            ([_], _) => {}
            ([first, ..], _) => {
                let name = |pack: &usize| &*packs[*pack].head.id;
                let names: Vec<&str> = used.iter().map(name).collect();
                faults.error(
                    "overlay_path",
                    at,
                    format!("`{path}` is found in the packs {}", names.join(", ")),
                    "one pack",
                    format!("write \"{}:{path}\"", name(first)),
                );
            }
            ([], Some(Missed::Row(rows))) => {
                let cells = assignment.row.as_deref().unwrap_or_default().join("|");
                let shown = |rows: &[String]| {
                    rows.iter().map(|row| format!("[{row}]")).collect::<Vec<_>>().join(", ")
                };
                let nearest = near(&cells, rows.iter().map(String::as_str));
                let hint = if nearest.is_empty() {
                    let told = &rows[..rows.len().min(MOST_ROWS_TOLD)];
                    let more = if told.len() < rows.len() { ", …" } else { "" };
                    format!("rows are {}{more}", shown(told))
                } else {
                    format!("did you mean {}?", shown(&nearest))
                };
                let message = format!("`{path}` has no row [{cells}]");
                let expected = "the key cells of a row as written, with | between them";
                faults.error("overlay_row", at, message, expected, hint);
            }
            ([], Some(Missed::Number(found))) => {
                let message = format!("`{path}` is {found}, which `times` and `add` cannot change");
                let hint = "set the value itself: path = \"…\"";
                faults.error("overlay_value", value_at, message, "a number within bounds", hint);
            }
            ([], None) => {
                let key = path.rsplit('.').next().unwrap_or("");
                let block = |block: &Written| format!("{}.{}.{key}", block.kind.word(), block.id);
                let names: Vec<String> = written.iter().map(block).collect();
                let hint = near_hint(&near(path, names.iter().map(String::as_str)), "");
                faults.error(
                    "overlay_path",
                    at,
                    format!("`{path}` is no key of any block"),
                    "kind.id.key, for instance parameter.rate.base.value",
                    hint,
                );
            }
        }
    }
}
