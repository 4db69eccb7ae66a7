//! Which lines of a month differ between what was paid and what is due as known now.

use super::book::{BookLine, LineBook, LineKey};
use crate::domain::{CodeList, Fraction};
use crate::history::{NO_TEXT, all_used, used_text};
use rayon::prelude::*;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// One side of a change: what the twins of an identity come to, and the first of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side {
    /// Fen after exclusions and caps, before a budget shortage.
    pub capped_fen: i64,
    /// Fen paid, or to be paid.
    pub fen: i64,
    /// Fen a short budget cut.
    pub cut_fen: i64,
    /// Version of the rule.
    pub rule: u32,
    /// Input file, or [`NO_TEXT`].
    pub file: u32,
    /// Record in it, 0 = none.
    pub record: u32,
    /// What it used up of caps on quantities over several months, or [`NO_TEXT`].
    pub used: u32,
    /// Lines that are this side: more than one for twins.
    pub twins: u32,
}

/// Why a line of a closed month is due something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Law that became known since.
    Law,
    /// A delivery that came in since.
    Delivery,
    /// Both: neither alone makes the difference.
    Both,
    /// Neither: an earlier month was corrected, and a cap over several months moved with it.
    Earlier,
}

impl Cause {
    /// The word in outputs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Law => "law",
            Self::Delivery => "delivery",
            Self::Both => "law+delivery",
            Self::Earlier => "earlier_month",
        }
    }
}

/// What becomes of fen that a short budget once took from a line (S25).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PastCut {
    /// It stays taken.
    Stays,
    /// A line that changed gets it back.
    Restored,
    /// It was carried to a later period and is no loss.
    Carried,
}

/// One identity whose money changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Identity.
    pub key: LineKey,
    /// As it was paid.
    pub old: Option<Side>,
    /// As it is due now.
    pub new: Option<Side>,
    /// Why.
    pub cause: Cause,
    /// Fen of a past cut that stay with the identity, also while nothing is due of it (S25).
    pub cut_fen: i64,
}

impl Change {
    /// Fen paid before.
    #[must_use]
    pub fn old_fen(&self) -> i64 {
        self.old.map_or(0, |side| side.fen)
    }

    /// Fen due now.
    #[must_use]
    pub fn new_fen(&self) -> i64 {
        self.new.map_or(0, |side| side.fen)
    }
}

/// Lines of one payee and item.
type Run<'b> = &'b [BookLine];

/// The identities whose money differs, by the texts of the result, in order of payee id, item
/// and key. `None` when a sum does not fit 64 bits.
///
/// A difference counts before the budget: a line that is due what it was due keeps its past cut, and
/// so does a line that is due something else (S25). Every change has the `cause` handed in;
/// [`attribute`] tells two causes apart.
#[must_use]
pub fn changes(
    old: &LineBook,
    new: &LineBook,
    cause: Cause,
    past_cut: PastCut,
) -> Option<(CodeList, Vec<Change>)> {
    let mut texts = sorted_texts(old, new);
    let (old, new) = (recoded(old, &texts), recoded(new, &texts));
    let pairs = pairs(&old, &new);
    let found: Option<Vec<Vec<Change>>> = pairs
        .par_iter()
        .with_min_len(64)
        .map(|(old, new)| of_runs(old, new, (cause, past_cut)))
        .collect();
    let mut found: Vec<Change> = found?.into_iter().flatten().collect();
    for change in &mut found {
        if let Some(side) = change.new.as_mut().filter(|side| side.twins > 1) {
            side.used = used_by_twins(&new, &change.key, &mut texts)?;
        }
    }
    Some((texts, found))
}

/// What the twins of an identity used up together.
fn used_by_twins(lines: &[BookLine], key: &LineKey, texts: &mut CodeList) -> Option<u32> {
    let mut sums: BTreeMap<String, Fraction> = BTreeMap::new();
    // Lines stand in order of runs: only those of the key's own are looked at.
    let run = (key.paid_to(), key.item);
    let first = lines.partition_point(|line| run_of(line) < run);
    let of_run = lines[first..].iter().take_while(|line| run_of(line) == run);
    for line in of_run.filter(|line| line.key == *key && line.used != NO_TEXT) {
        for (cap, amount) in all_used(texts.text(line.used)) {
            let sum = sums.entry(cap.to_owned()).or_insert(Fraction::whole(0));
            *sum = sum.checked_add(amount)?;
        }
    }
    let all: Vec<(&str, Fraction)> = sums.iter().map(|(cap, sum)| (&**cap, *sum)).collect();
    Some(if all.is_empty() { NO_TEXT } else { texts.intern(&used_text(&all)) })
}

/// The texts of both books in their own order, so that codes compare as texts do.
fn sorted_texts(old: &LineBook, new: &LineBook) -> CodeList {
    let mut all: Vec<&str> =
        old.texts.texts().iter().chain(new.texts.texts()).map(|text| &**text).collect();
    all.sort_unstable();
    CodeList::new(all)
}

/// The lines of a book by codes of another list, in order of payee and item.
fn recoded(book: &LineBook, texts: &CodeList) -> Vec<BookLine> {
    let to: Vec<u32> =
        book.texts.texts().iter().map(|text| texts.code(text).unwrap_or(NO_TEXT)).collect();
    let code = |code: u32| to.get(code as usize).copied().unwrap_or(NO_TEXT);
    let mut lines: Vec<BookLine> = book
        .lines
        .par_iter()
        .map(|line| BookLine {
            key: line.key.recoded(code),
            rule: code(line.rule),
            file: code(line.file),
            used: code(line.used),
            ..*line
        })
        .collect();
    lines.par_sort_by_key(run_of);
    lines
}

const fn run_of(line: &BookLine) -> (u32, u32) {
    (line.key.paid_to(), line.key.item)
}

/// Runs of one payee and item, side by side.
fn pairs<'b>(old: &'b [BookLine], new: &'b [BookLine]) -> Vec<(Run<'b>, Run<'b>)> {
    let mut pairs = Vec::new();
    let (mut old, mut new) = (old, new);
    while let Some(next) = old.first().into_iter().chain(new.first()).map(run_of).min() {
        let take = |lines: &mut Run<'b>| {
            let end = lines.partition_point(|line| run_of(line).cmp(&next) != Ordering::Greater);
            let (run, rest) = lines.split_at(end);
            *lines = rest;
            run
        };
        pairs.push((take(&mut old), take(&mut new)));
    }
    pairs
}

fn of_runs(old: Run<'_>, new: Run<'_>, how: (Cause, PastCut)) -> Option<Vec<Change>> {
    // Lines come in the order of the delivery, and most institutions are as they were.
    let same = |(a, b): (&BookLine, &BookLine)| a.key == b.key && a.capped_fen == b.capped_fen;
    if old.len() == new.len() && old.iter().zip(new).all(same) {
        return Some(Vec::new());
    }
    let mut sides: BTreeMap<LineKey, [Option<Side>; 2]> = BTreeMap::new();
    for (at, lines) in [old, new].into_iter().enumerate() {
        for line in lines {
            add(&mut sides.entry(line.key).or_default()[at], line)?;
        }
    }
    Some(sides.into_iter().filter_map(|(key, [old, new])| change(key, old, new, how)).collect())
}

/// Adds a twin to its sum; the first tells file, record and rule.
fn add(side: &mut Option<Side>, line: &BookLine) -> Option<()> {
    match side {
        None => {
            *side = Some(Side {
                capped_fen: line.capped_fen,
                fen: line.allocated_fen,
                cut_fen: line.cut_fen,
                rule: line.rule,
                file: line.file,
                record: line.record,
                used: line.used,
                twins: 1,
            });
        }
        Some(side) => {
            side.capped_fen = side.capped_fen.checked_add(line.capped_fen)?;
            side.fen = side.fen.checked_add(line.allocated_fen)?;
            side.cut_fen = side.cut_fen.checked_add(line.cut_fen)?;
            side.twins += 1;
        }
    }
    Some(())
}

/// The change of one identity; `None` where nothing is due that was not.
fn change(
    key: LineKey,
    old: Option<Side>,
    new: Option<Side>,
    (cause, past_cut): (Cause, PastCut),
) -> Option<Change> {
    let before = old.map_or(0, |side| side.capped_fen);
    if new.map_or(0, |side| side.capped_fen) == before {
        return None;
    }
    let (mut old, lost) = (old, old.map_or(0, |side| side.cut_fen));
    let lost = match past_cut {
        PastCut::Stays => lost,
        PastCut::Restored => 0,
        PastCut::Carried => {
            // What was carried comes by itself, so the line was paid whole.
            old = old.map(|side| Side { fen: side.capped_fen, ..side });
            0
        }
    };
    let new = new.map(|side| {
        let fen = keep_cut(side.capped_fen, lost);
        Side { fen, cut_fen: lost, ..side }
    });
    Some(Change { key, old, new, cause, cut_fen: lost })
}

/// What is left of an amount after a cut of before: never on the other side of zero.
fn keep_cut(fen: i64, lost: i64) -> i64 {
    let left = fen.saturating_sub(lost);
    if fen >= 0 { left.clamp(0, fen.max(0)) } else { left.clamp(fen.min(0), 0) }
}

/// Tells law and deliveries apart. `halfway` is the month settled with the deliveries of today under the
/// law of before: a line that stands there as it stands now changed by its deliveries, one that
/// stands there as it was paid changed by the law, any other by both. `None` when a sum does not fit.
#[must_use]
pub fn attribute(
    texts: &CodeList,
    all: &mut [Change],
    old: &LineBook,
    halfway: &LineBook,
) -> Option<()> {
    let (halfway_texts, by_delivery) = changes(old, halfway, Cause::Delivery, PastCut::Stays)?;
    let to: Vec<u32> =
        halfway_texts.texts().iter().map(|text| texts.code(text).unwrap_or(NO_TEXT)).collect();
    let code = |code: u32| to.get(code as usize).copied().unwrap_or(NO_TEXT);
    let moved: BTreeMap<LineKey, i64> = by_delivery
        .into_iter()
        .map(|change| (change.key.recoded(code), change.new.map_or(0, |side| side.capped_fen)))
        .collect();
    for change in all {
        let now = change.new.map_or(0, |side| side.capped_fen);
        change.cause = match moved.get(&change.key) {
            None => Cause::Law,
            Some(fen) if *fen == now => Cause::Delivery,
            Some(_) => Cause::Both,
        };
    }
    Some(())
}
