//! What became of cases, as a text for a person.

use super::hold::{CaseSaid, Difference, Held};
use super::nudge::Nudged;
use std::fmt::Write as _;

/// Figures of one version that are told one by one.
const MOST_TOLD: usize = 20;

/// Cases that do not hold, with what differs, and the totals.
#[must_use]
pub fn render(pack: &str, cases: &[CaseSaid]) -> String {
    let mut text = String::new();
    for case in cases {
        let place = format!("{}:{}: {:?}", case.file, case.line, case.name);
        match &case.held {
            Held::Holds => {}
            Held::Broken(said) => {
                let _ =
                    writeln!(text, "{place} cannot be settled\n  {}", said.replace('\n', "\n  "));
            }
            Held::Differs(found) => {
                let _ = writeln!(text, "{place} differs\n  from: {}", case.from.trim());
                for of in found {
                    difference(&mut text, of);
                }
            }
        }
    }
    let count = |of: fn(&Held) -> bool| cases.iter().filter(|case| of(&case.held)).count();
    let held = count(|held| *held == Held::Holds);
    let differ = count(|held| matches!(held, Held::Differs(_)));
    let broken = count(|held| matches!(held, Held::Broken(_)));
    let expectations: usize = cases.iter().map(|case| case.expectations).sum();
    let _ = write!(text, "{pack}: {} cases, {expectations} expectations: {held} hold", cases.len());
    let _ = writeln!(text, ", {differ} differ, {broken} cannot be settled");
    text
}

fn difference(text: &mut String, of: &Difference) {
    let _ = writeln!(text, "  line {}: {}", of.line, of.what);
    let widest = |part: fn(&super::Facet) -> &str| {
        of.facets.iter().map(|facet| part(facet).chars().count()).max().unwrap_or(0)
    };
    let (names, expected) = (widest(|of| &of.name), widest(|of| &of.expected));
    for facet in &of.facets {
        let _ = writeln!(
            text,
            "    {:names$}  expected {:expected$}  found {}",
            facet.name, facet.expected, facet.found
        );
    }
    if !of.clause.is_empty() {
        let _ = writeln!(text, "    clause: {}", of.clause);
    }
    for line in &of.why {
        let _ = writeln!(text, "      {line}");
    }
}

/// Figures no case notices, a version after the other, and the totals.
#[must_use]
pub fn render_nudged(pack: &str, nudged: &Nudged) -> String {
    let mut text = String::new();
    for version in nudged.unnoticed.chunk_by(|a, b| a.version == b.version && a.place == b.place) {
        let Some(first) = version.first() else { continue };
        let _ = writeln!(text, "{} {} ({})", first.place, first.version, first.clause);
        for of in version.iter().take(MOST_TOLD) {
            let tried = of.tried.join(", ");
            let _ = writeln!(text, "  {} = {}: no case notices {tried}", of.path, of.value);
        }
        if version.len() > MOST_TOLD {
            let _ = writeln!(text, "  and {} more figures of it", version.len() - MOST_TOLD);
        }
    }
    for path in &nudged.fixed {
        let _ = writeln!(text, "{path} cannot be moved alone: the law does not hold together so");
    }
    let (all, noticed, unnoticed) = (nudged.figures, nudged.noticed, nudged.unnoticed.len());
    let _ =
        write!(text, "{pack}: {all} figures moved: {noticed} are noticed by a case, {unnoticed} ");
    let _ = writeln!(text, "by none, {} cannot be moved alone", nudged.fixed.len());
    text
}
