//! Which version of a block is in force on a day, as known on a day (S17, S18).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fault::Faults;
use super::text::{Block, BlockKind, Dating};
use crate::domain::{Date, Span};
use crate::law::model::MidMonth;

/// Most versions of one id; comparing them takes the cube of their number.
const MOST_VERSIONS: usize = 200;

/// Versions of one id: (pack, kind, id).
pub(super) type BlockName = (usize, BlockKind, Arc<str>);

pub(super) fn name_of(block: &Block) -> BlockName {
    (block.pack, block.kind, Arc::clone(&block.id))
}

/// The last day of the calendar: an open end, and the day on which everything is known.
pub(super) fn last_day() -> Date {
    Date::from_ymd(2199, 12, 31).unwrap_or_default()
}

/// Groups versions by id, each group by (`effective_from`, `known_from`).
pub(super) fn by_name<'a>(
    blocks: impl IntoIterator<Item = &'a Arc<Block>>,
) -> BTreeMap<BlockName, Vec<&'a Arc<Block>>> {
    let mut groups: BTreeMap<BlockName, Vec<&Arc<Block>>> = BTreeMap::new();
    for block in blocks {
        groups.entry(name_of(block)).or_default().push(block);
    }
    for versions in groups.values_mut() {
        versions.sort_by_key(|block| (block.dating.from, block.dating.known_from));
    }
    groups
}

/// The days a version takes from the one it supersedes.
fn superseded(newer: &Dating) -> Option<(Date, Span)> {
    let older = newer.supersedes?;
    let from = newer.days()?.from;
    let until = match (older.until, newer.mid_month) {
        (None, _) => last_day(),
        (Some(until), MidMonth::SplitDays) => until,
        (Some(until), _) if newer.by_row => until,
        (Some(until), _) => until.month().last(),
    };
    Some((older.known_from, Span::new(from, until)?))
}

/// The version of one id in force on `day`: of those known on `known_on` that cover the day and are
/// not superseded on it, the one known last; of those the one that started last.
pub(super) fn in_force<'a>(
    versions: &[&'a Arc<Block>],
    day: Date,
    known_on: Date,
) -> Option<&'a Arc<Block>> {
    let known = || versions.iter().copied().filter(|v| v.dating.known_from <= known_on);
    let lost = |version: &Block| {
        known().any(|newer| {
            superseded(&newer.dating)
                .is_some_and(|(from, days)| from == version.dating.known_from && days.contains(day))
        })
    };
    known()
        .filter(|v| v.dating.days().is_some_and(|days| days.contains(day)) && !lost(v))
        .max_by_key(|v| (v.dating.known_from, v.dating.from))
}

/// The stretches of days on which one version of an id is in force, in order, as known on a day.
pub(super) fn stretches<'a>(
    versions: &[&'a Arc<Block>],
    known_on: Date,
) -> Vec<(Span, &'a Arc<Block>)> {
    let mut days: Vec<Date> = versions.iter().flat_map(|v| boundaries(&v.dating)).collect();
    days.sort_unstable();
    days.dedup();
    let mut found: Vec<(Span, &Arc<Block>)> = Vec::new();
    for (index, day) in days.iter().enumerate() {
        let until = days.get(index + 1).map_or(last_day(), |next| next.plus_days(-1));
        let Some(block) = in_force(versions, *day, known_on) else { continue };
        match found.last_mut() {
            Some((span, last))
                if last.serial == block.serial && span.until.plus_days(1) == *day =>
            {
                span.until = until;
            }
            _ => found.extend(Span::new(*day, until).map(|span| (span, block))),
        }
    }
    found
}

/// The days on which the version in force of some id may change, strictly inside `month`.
pub(super) fn cuts<'a>(blocks: impl IntoIterator<Item = &'a Arc<Block>>, month: Span) -> Vec<Date> {
    let mut days: Vec<Date> = blocks
        .into_iter()
        .filter(|block| block.dating.mid_month == MidMonth::SplitDays)
        .flat_map(|block| boundaries(&block.dating))
        .filter(|day| *day > month.from && *day <= month.until)
        .collect();
    days.sort_unstable();
    days.dedup();
    days
}

/// First days of the stretches a version begins: its start, the day after its end, the day after
/// what it supersedes.
pub(super) fn boundaries(dating: &Dating) -> Vec<Date> {
    let mut days = Vec::new();
    if let Some(span) = dating.days() {
        days.push(span.from);
        if dating.until.is_some() {
            days.push(span.until.plus_days(1));
        }
    }
    if let Some((_, span)) = superseded(dating).filter(|(_, span)| span.until < last_day()) {
        days.push(span.until.plus_days(1));
    }
    days
}

/// Checks that versions of one id do not compete without saying so. What is planned binds nobody
/// else: no notice has to name the versions of a draft, nor do two drafts each other's.
pub(super) fn check(
    versions: &[&Arc<Block>],
    planned: &dyn Fn(&Block) -> bool,
    faults: &mut Faults,
) {
    if let Some(block) = versions.get(MOST_VERSIONS) {
        let message = format!("[[{}]] {} has too many versions", block.kind.word(), block.id);
        let expected = format!("at most {MOST_VERSIONS}");
        faults.error("versions_many", &block.at, message, expected, "");
        return;
    }
    for (index, newer) in versions.iter().enumerate() {
        for older in &versions[..index] {
            same_dates(older, newer, faults);
        }
        names_older(versions, newer, faults);
        let binds = |other: &Block| other.notice == newer.notice || !planned(other);
        let binding: Vec<&Arc<Block>> = versions.iter().copied().filter(|v| binds(v)).collect();
        for older in &binding {
            if older.dating.known_from < newer.dating.known_from {
                overlap(&binding, older, newer, faults);
            }
        }
    }
}

/// Two versions known from the same day may not share a day.
fn same_dates(older: &Block, newer: &Block, faults: &mut Faults) {
    let (a, b) = (older.dating, newer.dating);
    if a.known_from != b.known_from || a.span().overlap(b.span()).is_none() {
        return;
    }
    let what = format!("[[{}]] {}", newer.kind.word(), newer.id);
    let message = if a.from == b.from {
        format!("{what} has two versions equal in both dates: {}/{}", b.from, b.known_from)
    } else {
        format!("{what} has two versions known from {} that overlap from {}", b.known_from, b.from)
    };
    faults.error(
        "versions_equal",
        &newer.at,
        message,
        "one version for each day and day of knowledge",
        "end the earlier one with effective_until, or give the later notice its own known_from",
    );
}

fn names_older(versions: &[&Arc<Block>], newer: &Block, faults: &mut Faults) {
    let Some(older) = newer.dating.supersedes else { return };
    if versions.iter().any(|v| v.dating.known_from == older.known_from) {
        return;
    }
    let known: Vec<String> = versions
        .iter()
        .filter(|v| v.dating.known_from != newer.dating.known_from)
        .map(|v| v.dating.known_from.to_string())
        .collect();
    faults.error(
        "supersedes_nothing",
        newer.at("supersedes"),
        format!("no version of {} is known from {}", newer.id, older.known_from),
        if known.is_empty() { "an earlier version".to_owned() } else { known.join(" | ") },
        "",
    );
}

/// A later-known version may cover days of an earlier-known one only where it supersedes it.
fn overlap(versions: &[&Arc<Block>], older: &Block, newer: &Block, faults: &mut Faults) {
    let mut left = vec![older.dating.span()];
    for between in versions {
        let known = between.dating.known_from;
        let takes = known < newer.dating.known_from
            || (known == newer.dating.known_from && between.dating.from == newer.dating.from);
        if !takes {
            continue;
        }
        if let Some((from, _)) = superseded(&between.dating)
            && from == older.dating.known_from
        {
            // As written, not as rounded to months: the check is about what the notice says.
            let until = between.dating.supersedes.and_then(|s| s.until);
            left = minus(&left, between.dating.from, until.unwrap_or_else(last_day));
        }
    }
    let shared = left.iter().find_map(|span| span.overlap(newer.dating.span()));
    let Some(shared) = shared else { return };
    let until =
        if shared.until == last_day() { "on".to_owned() } else { format!("to {}", shared.until) };
    faults.error(
        "overlap_unsaid",
        &newer.at,
        format!(
            "[[{}]] {} known from {} overlaps the version known from {}, from {} {until}",
            newer.kind.word(),
            newer.id,
            newer.dating.known_from,
            older.dating.known_from,
            shared.from,
        ),
        "what it supersedes and until when",
        format!(
            "write supersedes = {{ known_from = {}, until = \"open\" }}",
            older.dating.known_from
        ),
    );
}

/// Spans less the days `from ..= until`.
fn minus(spans: &[Span], from: Date, until: Date) -> Vec<Span> {
    let mut left = Vec::new();
    for span in spans {
        left.extend(Span::new(span.from, span.until.min(from.plus_days(-1))));
        left.extend(Span::new(span.from.max(until.plus_days(1)), span.until));
    }
    left
}

/// Days inside the life of an id on which no version is in force, as now known.
pub(super) fn gaps(versions: &[&Arc<Block>]) -> Vec<Span> {
    let mut days: Vec<Date> = versions.iter().flat_map(|v| boundaries(&v.dating)).collect();
    days.sort_unstable();
    days.dedup();
    let mut gaps = Vec::new();
    let mut open: Option<Date> = None;
    for day in days {
        let held = in_force(versions, day, last_day()).is_some();
        if !held {
            open = open.or(Some(day));
        } else if let Some(from) = open.take() {
            gaps.extend(Span::new(from, day.plus_days(-1)));
        }
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        Date::parse_iso(text).unwrap()
    }

    #[test]
    fn a_span_less_its_middle_leaves_two() {
        let whole = Span::new(day("2026-01-01"), day("2026-12-31")).unwrap();
        let left = minus(&[whole], day("2026-03-01"), day("2026-03-31"));
        let shown: Vec<String> = left.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["2026-01-01..2026-02-28", "2026-04-01..2026-12-31"]);
    }
}
