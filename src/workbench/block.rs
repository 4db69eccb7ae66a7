//! The levers of the law as the page shows them: one card a block, one line a number.

use crate::domain::Fraction;
use crate::domain::texts::Catalogue;
use crate::law::{Lever, LeverKind};
use serde::Serialize;
use std::sync::Arc;

/// A block of the law with its numbers.
#[derive(Debug, Serialize)]
pub(super) struct Card {
    kind: &'static str,
    id: String,
    title: String,
    /// 文号 and 条款.
    clause: String,
    from: String,
    until: String,
    unit: String,
    /// Rules that read it.
    read_by: String,
    /// Whether the job's own overlays changed it.
    overlaid: bool,
    lines: Vec<Line>,
}

/// One number.
#[derive(Debug, Serialize)]
struct Line {
    path: String,
    /// Cells of the keys, or what the number does in its rule.
    name: String,
    /// As the law writes it; empty where there is none.
    value: String,
    slider: Option<Slider>,
}

/// Whole steps of the last decimal place, so that the page needs no fractions.
#[derive(Debug, Serialize, PartialEq, Eq)]
struct Slider {
    places: u32,
    least: i64,
    most: i64,
    at: i64,
}

/// Sliders end here: a browser counts no further without loss.
const MOST_STEPS: i64 = 1_000_000_000;

/// Cards by what their numbers do, then by pack and id; lines as the law writes them.
pub(super) fn cards(levers: &[Lever], texts: &Catalogue) -> Vec<Card> {
    let mut cards: Vec<(Card, &Lever)> = Vec::new();
    let mut sorted: Vec<&Lever> = levers.iter().collect();
    sorted.sort_by_key(|lever| (rank(lever.kind), Arc::clone(&lever.pack), Arc::clone(&lever.id)));
    for lever in sorted {
        let line = Line {
            path: lever.path.clone(),
            name: line_name(lever, texts),
            value: lever.value.clone().unwrap_or_default(),
            slider: slider(lever, is_rate(lever, levers)),
        };
        match cards.last_mut().filter(|(_, first)| is_same(first, lever)) {
            Some((card, _)) => card.lines.push(line),
            None => cards.push((card(lever, line, texts), lever)),
        }
    }
    cards.into_iter().map(|(card, _)| card).collect()
}

/// Whether two levers stand in one block.
fn is_same(a: &Lever, b: &Lever) -> bool {
    rank(a.kind) == rank(b.kind) && a.id == b.id && a.pack == b.pack && a.unit == b.unit
}

fn card(lever: &Lever, line: Line, texts: &Catalogue) -> Card {
    Card {
        kind: GROUPS[rank(lever.kind)],
        id: lever.id.to_string(),
        title: lever.title.clone(),
        clause: format!("{} {}", lever.notice, lever.clause).trim().to_owned(),
        from: lever.effective_from.to_string(),
        until: lever.effective_until.map_or_else(String::new, |date| date.to_string()),
        unit: unit(&lever.unit, texts),
        read_by: lever.read_by.join(", "),
        overlaid: lever.overlaid,
        lines: vec![line],
    }
}

/// Order of the groups, and their keys in the catalogue.
const GROUPS: [&str; 7] = ["parameter", "table", "float", "share", "limit", "quantum", "other"];

const fn rank(kind: LeverKind) -> usize {
    match kind {
        LeverKind::Parameter => 0,
        LeverKind::TableCell => 1,
        LeverKind::FloatUp | LeverKind::FloatDown => 2,
        LeverKind::Share => 3,
        LeverKind::Limit => 4,
        LeverKind::Quantum => 5,
        LeverKind::Count | LeverKind::Other => 6,
    }
}

/// The cells of a row; of a number a rule states, its key in the rule.
fn line_name(lever: &Lever, texts: &Catalogue) -> String {
    match lever.kind {
        LeverKind::Parameter => String::new(),
        LeverKind::TableCell => {
            let any = texts.label("workbench.any");
            let cell = |cell: &'_ str| if cell == "*" { any.to_owned() } else { cell.to_owned() };
            let keys: Vec<String> = lever.keys.iter().map(|(_, of)| cell(of)).collect();
            keys.join(" · ")
        }
        _ => {
            let start = format!("{}.", lever.id);
            let (_, key) = lever.path.split_once(&start).unwrap_or_default();
            let text = format!("workbench.key.{}", key.replace('.', "_"));
            if texts.has(&text) { texts.label(&text).to_owned() } else { key.to_owned() }
        }
    }
}

/// 元/人/月 of `yuan/child/month`; words the catalogue does not know stand for themselves.
fn unit(unit: &str, texts: &Catalogue) -> String {
    let word = |word: &str| {
        let key = format!("workbench.unit.{word}");
        if texts.has(&key) { texts.label(&key).to_owned() } else { word.to_owned() }
    };
    unit.split('/').map(word).collect::<Vec<_>>().join("/")
}

/// Whether the numbers of its block are no amounts and no counts: some are written with decimals.
fn is_rate(lever: &Lever, levers: &[Lever]) -> bool {
    let decimal = |of: &&Lever| of.value.as_deref().is_some_and(|value| value.contains('.'));
    lever.unit.is_empty() && levers.iter().filter(|of| is_same(of, lever)).any(|of| decimal(&of))
}

/// From zero to twice the value by its last decimal place; shares from zero to one.
fn slider(lever: &Lever, is_rate: bool) -> Option<Slider> {
    // Who rounds to 0.02 means it.
    let value = lever.value.as_deref().filter(|_| lever.kind != LeverKind::Quantum)?;
    let exact = Fraction::parse_decimal(value)?;
    let part = value.split_once('.').map_or("", |(_, part)| part.trim_end_matches('0'));
    let own = u32::try_from(part.len()).ok()?;
    // Whole amounts move by whole units; what is finer keeps its places, a rate at least two.
    let places = if own > 0 || is_rate { own.max(2) } else { 0 };
    let scale = 10_i128.checked_pow(places)?;
    let at = i64::try_from(exact.num.checked_mul(scale)? / exact.den).ok()?;
    let one = i64::try_from(scale).ok()?;
    let (least, most) = match lever.kind {
        LeverKind::Share => (0, one),
        _ if at == 0 => (0, one.checked_mul(if places == 0 { 100 } else { 1 })?),
        _ => (at.checked_mul(2)?.min(0), at.checked_mul(2)?.max(0)),
    };
    let fits = most.checked_sub(least)? <= MOST_STEPS && (least..=most).contains(&at);
    fits.then_some(Slider { places, least, most, at })
}
