//! Names that do not resolve and pieces of text: where they stand, what is told about them.

use std::sync::Arc;

use super::{Compiler, Place, expression_word};
use crate::law::dating::last_day;
use crate::law::expr;
use crate::law::fault::{At, near, near_hint};
use crate::law::text::{Block, BlockKind};

impl<'a> Compiler<'a> {
    /// `pack:id` written as `pack.id`, which is as long, so that places stay right.
    pub(super) fn masked(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for pack in &self.book.packs {
            let id = &*pack.head.id;
            let with = format!("{id}:");
            let word = format!("{}.", expression_word(id));
            let mut from = 0;
            while let Some(found) = masked[from..].find(&with).map(|at| from + at) {
                let inside = masked[..found].chars().last();
                let quoted = masked[..found].matches('\'').count() % 2 == 1;
                let part = inside.is_some_and(|c| c.is_alphanumeric() || "_.-".contains(c));
                if !quoted && !part {
                    masked.replace_range(found..found + with.len(), &word);
                }
                from = found + with.len();
            }
        }
        masked
    }

    pub(super) fn expr_fault(&mut self, place: Place<'_>, text: &str, error: &expr::ExprError) {
        let end = error.offset.saturating_add(error.length);
        let piece = text.get(error.offset..end).unwrap_or("").trim();
        let bare = piece.split('(').next().unwrap_or("").trim().trim_matches('\'');
        if self.follows_from_broken(bare) {
            return;
        }
        let at = self.inside(place.at, text, error.offset, error.length);
        if let Some((message, hint)) = self.not_in_force(place.block.pack, bare) {
            self.faults.error("not_in_force", &at, message, "a version in force", hint);
            return;
        }
        let what = format!("[[{}]] {}, {}", place.block.kind.word(), place.block.id, place.key);
        let message = format!("{what}: {}", error.message);
        self.faults.error("expression", &at, message, "", error.hint.clone());
    }

    /// The month or the part of it, and the day of knowledge when it is not the last.
    fn when(&self) -> String {
        let day = if self.segment == self.month.span() {
            self.month.to_string()
        } else {
            self.segment.to_string()
        };
        if self.known_on == last_day() {
            day
        } else {
            format!("{day} as known on {}", self.known_on)
        }
    }

    fn follows_from_broken(&self, name: &str) -> bool {
        let mut part = name;
        loop {
            if self.broken.contains(part) {
                return true;
            }
            // `full_day.ceiling` follows from the price, `spell.rate` from the value.
            match part.rsplit_once('.') {
                Some((front, _)) if !front.is_empty() => part = front,
                _ => break,
            }
        }
        name.split_once('.').is_some_and(|(_, rest)| self.broken.contains(rest))
    }

    /// A name that exists, but in no version in force in the segment.
    fn not_in_force(&self, pack: usize, name: &str) -> Option<(String, String)> {
        let (pack, name) = self.scope.split_pack(name).unwrap_or((pack, name));
        let of = |block: &&Arc<Block>| block.pack == pack && block.kind != BlockKind::Input;
        let named = |block: &Block| {
            *block.id == *name
                || (block.kind == BlockKind::GuidePrice
                    && name.rsplit_once('.').is_some_and(|(front, _)| front == &*block.id))
        };
        if self.chosen.iter().filter(|b| of(b)).any(|block| named(block)) {
            return None;
        }
        let versions: Vec<String> = self
            .book
            .blocks
            .iter()
            .filter(|block| of(block) && named(block))
            .map(|block| {
                let planned = self.book.notices[block.notice].planned;
                let open = || "open".to_owned();
                let until = block.dating.until.map_or_else(open, |until| until.to_string());
                let mark = if planned { ", planned" } else { "" };
                format!(
                    "{}..{until} known from {}{mark}",
                    block.dating.from, block.dating.known_from
                )
            })
            .collect();
        if versions.is_empty() {
            return None;
        }
        let day = self.when();
        Some((
            format!("{name} has no version in force in {day}"),
            format!("its versions are {}", versions.join("; ")),
        ))
    }

    /// The bytes of a piece of an expression inside the file; the whole value where the text has
    /// escapes.
    fn inside(&self, at: &At, text: &str, offset: usize, length: usize) -> At {
        let raw = self.book.sources.slice(at);
        let found = raw.find(text).or_else(|| {
            // A masked text is as long as the written one, so the first line may differ only there.
            let quote = if raw.starts_with("\"\"\"") || raw.starts_with("'''") { 3 } else { 1 };
            let skip = raw.get(quote..).map_or(0, |rest| match rest.as_bytes() {
                [b'\r', b'\n', ..] if quote == 3 => 2,
                [b'\n', ..] if quote == 3 => 1,
                _ => 0,
            });
            (raw.len() == text.len() + 2 * quote + skip).then_some(quote + skip)
        });
        match found {
            Some(start) if offset <= text.len() => {
                let from = at.span.start + start + offset;
                let until = (from + length.max(1)).min(at.span.end);
                At { file: at.file, span: from.min(until)..until }
            }
            _ => at.clone(),
        }
    }

    /// A block of a kind in force by the text of a reference: `id` or `pack:id`.
    pub(super) fn refer(
        &mut self,
        block: &Block,
        kind: BlockKind,
        id: &str,
        at: &At,
    ) -> Option<&'a Arc<Block>> {
        let named = id.split_once(':').and_then(|(pack, rest)| {
            Some((self.book.packs.iter().position(|p| *p.head.id == *pack)?, rest))
        });
        let (pack, bare) = named.unwrap_or((block.pack, id));
        let of = |b: &&&'a Arc<Block>| b.pack == pack && b.kind == kind;
        let found = self.chosen.iter().filter(of).find(|b| *b.id == *bare).copied();
        if found.is_some() {
            return found;
        }
        let exists =
            self.book.blocks.iter().any(|b| b.pack == pack && b.kind == kind && *b.id == *bare);
        if exists {
            let (message, hint) = self.not_in_force_of(pack, kind, bare);
            self.faults.error("not_in_force", at, message, "a version in force", hint);
        } else {
            let ids: Vec<&str> = self.chosen.iter().filter(of).map(|b| &*b.id).collect();
            let other = id.split_once(':').filter(|_| named.is_none());
            let alone = other.map(|(pack, _)| {
                format!("no pack {pack} is loaded; it has to be named together with this one")
            });
            let hint = alone.unwrap_or_else(|| near_hint(&near(bare, ids), ""));
            let message = format!("no {} is called `{id}`", kind.word());
            self.faults.error("unknown_name", at, message, "", hint);
        }
        None
    }

    fn not_in_force_of(&self, pack: usize, kind: BlockKind, bare: &str) -> (String, String) {
        let dates: Vec<String> = self
            .book
            .blocks
            .iter()
            .filter(|b| b.pack == pack && b.kind == kind && *b.id == *bare)
            .map(|b| b.version(bare))
            .collect();
        (
            format!("{} {bare} has no version in force in {}", kind.word(), self.when()),
            format!("its versions are {}", dates.join("; ")),
        )
    }
}
