//! What a notice changed: for each version it brings, the version that held before.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use super::book::LawBook;
use super::dating;
use super::show::{label, lines};
use super::snapshot;
use super::text::{Block, BlockKind};
use crate::domain::Date;

/// Which versions are asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiffOf {
    /// Those of a notice: its file name inside the pack, or its 文号. Planned notices too.
    Notice(String),
    /// Those of adopted notices known after the first day, up to and on the second.
    Known {
        /// The last day of the old knowledge.
        after: Date,
        /// The last day of the new knowledge.
        until: Date,
    },
}

/// What happened to an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// Nothing of that id was in force before.
    Added,
    /// Another version was.
    Changed,
    /// Nothing is in force any more after the new version's last day.
    Ended,
}

/// One changed id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LawChange {
    /// What happened.
    pub kind: ChangeKind,
    /// Kind of block, `table`.
    pub block: String,
    /// Printed id.
    pub id: String,
    /// Title for people, or empty.
    pub label: String,
    /// 文号 and 条款 of the new version.
    pub clause: String,
    /// First day of the change; the day after the last for [`ChangeKind::Ended`].
    pub from: Date,
    /// Version before, if any.
    pub old_version: Option<String>,
    /// The new version.
    pub new_version: String,
    /// Keys that differ: (key, old value, new value); rows of tables one by one under `rows`.
    pub fields: Vec<(String, String, String)>,
}

/// Everything a notice or a stretch of knowledge changed, in the order of kinds and ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LawDiff {
    /// The changes.
    pub changes: Vec<LawChange>,
}

/// Compares the law before and after a notice, or before and after a day of knowledge.
///
/// The result is empty when the notice brings no block, or no such notice exists.
#[must_use]
pub fn diff(book: &LawBook, of: &DiffOf) -> LawDiff {
    let is_new = |block: &Block| {
        let notice = &book.notices[block.notice];
        match of {
            DiffOf::Notice(name) => *notice.file == **name || *notice.number == **name,
            DiffOf::Known { after, until } => {
                let known = block.dating.known_from;
                !notice.planned && known > *after && known <= *until
            }
        }
    };
    let mut changes = Vec::new();
    for versions in dating::by_name(&book.blocks).values() {
        for block in versions.iter().filter(|block| is_new(block)) {
            change(book, versions, block, &is_new, &mut changes);
        }
    }
    LawDiff { changes }
}

fn change(
    book: &LawBook,
    versions: &[&Arc<Block>],
    new: &Block,
    is_new: &dyn Fn(&Block) -> bool,
    changes: &mut Vec<LawChange>,
) {
    let Some(days) = new.dating.days() else { return };
    // What held before: versions known no later than this one that are not part of the change.
    let held: Vec<&Arc<Block>> = versions
        .iter()
        .copied()
        .filter(|block| {
            !book.notices[block.notice].planned
                && !is_new(block)
                && block.dating.known_from <= new.dating.known_from
        })
        .collect();
    let known_on = new.dating.known_from;
    let old = dating::in_force(&held, days.from, known_on)
        .or_else(|| dating::in_force(&held, days.from.plus_days(-1), known_on));
    let id = book.printed(new.pack, &new.id);
    let clause = book.head_of(new).clause;
    let entry = |kind, from, fields| LawChange {
        kind,
        block: new.kind.word().to_owned(),
        id: id.to_string(),
        label: new.chinese().unwrap_or("").to_owned(),
        clause: clause.to_string(),
        from,
        old_version: old.map(|old| old.version(&id)),
        new_version: new.version(&id),
        fields,
    };
    changes.push(match old {
        None => entry(ChangeKind::Added, days.from, Vec::new()),
        Some(old) => {
            entry(ChangeKind::Changed, days.from, changed_fields((book, old), (book, new)))
        }
    });
    // After the last day nothing is left, although something would have held without the change.
    let after = days.until.plus_days(1);
    if new.dating.until.is_some() {
        let all: Vec<&Arc<Block>> = versions
            .iter()
            .copied()
            .filter(|block| block.dating.known_from <= known_on || is_new(block))
            .collect();
        let held_on = dating::in_force(&held, after, known_on).is_some();
        if held_on && dating::in_force(&all, after, known_on).is_none() {
            changes.push(entry(ChangeKind::Ended, after, Vec::new()));
        }
    }
}

/// Keys that differ between two versions, each as its book has it: (key, old, new).
pub(super) fn changed_fields(
    (old_book, old): (&LawBook, &Block),
    (new_book, new): (&LawBook, &Block),
) -> Vec<(String, String, String)> {
    let written = |block: &Block, key: &str| {
        lines(block).into_iter().find(|(name, _)| name == key).map_or_else(String::new, |(_, v)| v)
    };
    let (a, b) = (snapshot::fields(old_book, old), snapshot::fields(new_book, new));
    let keys: BTreeSet<&str> = a.iter().chain(&b).map(|(key, _)| *key).collect();
    let value = |list: &[(&'static str, String)], key: &str| {
        list.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone())
    };
    let mut fields = Vec::new();
    for key in keys {
        let (old_value, new_value) = (value(&a, key), value(&b, key));
        if old_value == new_value || matches!(key, "effective_from" | "supersedes") {
            continue;
        }
        if new.kind == BlockKind::Table && key == "rows" {
            rows(&written(old, key), &written(new, key), &mut fields);
            continue;
        }
        let shown = |block: &Block, value: Option<String>| {
            let text = written(block, key);
            if text.is_empty() { value.unwrap_or_default() } else { text }
        };
        fields.push((key.to_owned(), shown(old, old_value), shown(new, new_value)));
    }
    fields
}

/// Rows by their key cells.
fn rows(old: &str, new: &str, fields: &mut Vec<(String, String, String)>) {
    let split = |text: &str| -> Vec<(String, String)> {
        text.lines()
            .filter_map(|line| {
                let (keys, cell) = line.rsplit_once(" | ")?;
                Some((keys.to_owned(), cell.to_owned()))
            })
            .collect()
    };
    let (old, new) = (split(old), split(new));
    let find = |list: &[(String, String)], keys: &str| {
        list.iter().find(|(k, _)| k == keys).map_or_else(String::new, |(_, cell)| cell.clone())
    };
    let keys: BTreeSet<&String> = old.iter().chain(&new).map(|(keys, _)| keys).collect();
    for key in keys {
        let (before, after) = (find(&old, key), find(&new, key));
        if before != after {
            fields.push((format!("rows[{key}]"), before, after));
        }
    }
}

impl std::fmt::Display for LawDiff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.changes.is_empty() {
            return writeln!(f, "没有变化");
        }
        for change in &self.changes {
            f.write_str(&change.text())?;
        }
        Ok(())
    }
}

impl LawChange {
    /// The change as a paragraph for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let word = match self.kind {
            ChangeKind::Added => "新增",
            ChangeKind::Changed => "调整",
            ChangeKind::Ended => "废止",
        };
        let chinese = BlockKind::parse(&self.block).map_or("", BlockKind::chinese);
        let _ = writeln!(
            text,
            "{word} {chinese} {} {} · {} 起 · {}",
            self.id, self.label, self.from, self.clause
        );
        for (key, old, new) in &self.fields {
            let shown = key.strip_prefix("rows").map_or_else(
                || label(key).to_owned(),
                |rest| rest.trim_matches(['[', ']']).to_owned(),
            );
            let _ = writeln!(text, "    {shown}: {} -> {}", dash(old), dash(new));
        }
        text
    }
}

/// A value, or a dash where there is none.
fn dash(text: &str) -> &str {
    if text.is_empty() { "(无)" } else { text }
}
