//! Overlays: `path = value` over a pack, for what-if runs. The pack's files are never edited.
//!
//! A path is `kind.id.key`, with the pack in front where several are loaded: `pack:kind.id.key`.
//! Inside an inline table the path goes on: `subsidy.operating.round.to`. The value is laid over
//! every version of the block, so over the one in force in any month.

use std::sync::Arc;

use super::folder::{PackText, Papers};
use super::node::{Entry, Node, Value};
use super::schema::BlockKind;
use crate::law::fault::{At, Faults};

/// One line of an overlay.
#[derive(Debug, Clone)]
pub(crate) struct Assignment {
    path: String,
    at: At,
    node: Node,
    /// Pack prefix of the path.
    pack: Option<String>,
    /// Index of that pack once it is read.
    index: Option<usize>,
    /// (pack, kind, id) of the blocks it was laid over, without repeats.
    used: Vec<(usize, BlockKind, Arc<str>)>,
}

/// The lines of overlay files in order; tables written as `[parameter.x]` are flattened.
pub(crate) fn assignments(files: &[Node]) -> Vec<Assignment> {
    let mut list = Vec::new();
    for file in files {
        flatten("", file, &mut list);
    }
    list
}

fn flatten(prefix: &str, node: &Node, list: &mut Vec<Assignment>) {
    for entry in node.entries() {
        let path =
            if prefix.is_empty() { entry.name.clone() } else { format!("{prefix}.{}", entry.name) };
        if entry.node.entries().is_empty() {
            let (pack, path) = match path.split_once(':') {
                Some((pack, rest)) => (Some(pack.to_owned()), rest.to_owned()),
                None => (None, path),
            };
            let (at, node) = (entry.at.clone(), entry.node.clone());
            list.push(Assignment { path, at, node, pack, index: None, used: Vec::new() });
        } else {
            flatten(&path, &entry.node, list);
        }
    }
}

/// Notes which pack a prefix means.
pub(crate) fn over_pack(pack: &PackText, index: usize, assignments: &mut [Assignment]) {
    for assignment in assignments {
        if assignment.pack.as_deref() == Some(&*pack.head.id) {
            assignment.index = Some(index);
        }
    }
}

/// Lays the matching lines over a block. Returns whether any matched.
pub(crate) fn apply(
    kind: BlockKind,
    pack: usize,
    id: &Arc<str>,
    node: &mut Node,
    assignments: &mut [Assignment],
) -> bool {
    let start = format!("{}.{id}.", kind.word());
    let mut any = false;
    for assignment in assignments {
        if assignment.pack.is_some() && assignment.index != Some(pack) {
            continue;
        }
        let Some(keys) = assignment.path.strip_prefix(&start) else { continue };
        let known = |key: &str| kind.all_keys().iter().any(|k| k.name == key);
        let first = keys.split('.').next().unwrap_or("");
        if !known(first) || first == "id" || !put(node, keys, assignment) {
            continue;
        }
        let used = (pack, kind, Arc::clone(id));
        if !assignment.used.contains(&used) {
            assignment.used.push(used);
        }
        any = true;
    }
    any
}

/// Sets a key, descending into inline tables. Fails where a step is not a table.
fn put(node: &mut Node, keys: &str, assignment: &Assignment) -> bool {
    let Value::Table(entries) = &mut node.value else { return false };
    let (first, rest) = keys.split_once('.').map_or((keys, None), |(a, b)| (a, Some(b)));
    let found = entries.iter_mut().find(|entry| entry.name == first);
    match (found, rest) {
        (Some(entry), None) => {
            entry.node = assignment.node.clone();
            true
        }
        (None, None) => {
            let (at, node) = (assignment.at.clone(), assignment.node.clone());
            entries.push(Entry { name: first.to_owned(), at, node });
            true
        }
        (Some(entry), Some(rest)) => put(&mut entry.node, rest, assignment),
        (None, Some(_)) => false,
    }
}

/// Lines that met no block, or blocks of several packs.
pub(crate) fn unused(assignments: &[Assignment], papers: &Papers, faults: &mut Faults) {
    for assignment in assignments {
        let mut packs: Vec<usize> = assignment.used.iter().map(|(pack, ..)| *pack).collect();
        packs.dedup();
        if packs.is_empty() {
            faults.error(
                "overlay_path",
                &assignment.at,
                format!("`{}` is no key of any block", assignment.path),
                "kind.id.key, for instance parameter.rate.base.value",
                "",
            );
        } else if packs.len() > 1 {
            let names: Vec<&str> = packs.iter().map(|pack| &*papers.packs[*pack].head.id).collect();
            faults.error(
                "overlay_path",
                &assignment.at,
                format!("`{}` is found in the packs {}", assignment.path, names.join(", ")),
                "one pack",
                format!("write \"{}:{}\"", names[0], assignment.path),
            );
        }
    }
}
