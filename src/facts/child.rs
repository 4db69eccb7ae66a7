//! What a listing's own row and the other listings of its child say: identity, repeats, overlaps;
//! the listing and child frames.

use super::identity::values;
use super::rows::no_rows;
use super::spell::Enrolments;
use super::{Facts, Ground, Tally};
use crate::domain::{
    Basis, Column, FindingCode, Frame, Key, KeyColumn, Span, Stored, check_resident_id,
};
use crate::law::Overlaps;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Names of listing facts that are enrolment columns under another name.
const RENAMED: &[(&str, &str)] =
    &[("spell_from", "listing_from"), ("spell_until", "listing_until")];

/// How many rows of the whole file each row's child has.
///
/// Nearly every child has one row, so two bitmaps of hashes, two bits of a word for each key, find
/// the few that may have more, and only those are counted by their keys. Each thread looks after a
/// range of hashes of its own: it passes over every key, but its bitmaps are small and nobody else
/// writes them.
pub(crate) fn rows_of_each_child(keys: &[Key]) -> Vec<u32> {
    let threads = rayon::current_num_threads().next_power_of_two().min(16);
    let bits = (keys.len().max(64 * threads) * 32).next_power_of_two();
    let shift = 64 - bits.trailing_zeros();
    let words = bits / 64 / threads;
    let repeated: Vec<Vec<u32>> = (0..threads)
        .into_par_iter()
        .map(|part| {
            let place = |key: Key| {
                let scattered = key.scatter();
                let hash = usize::try_from(scattered >> shift).unwrap_or(0);
                let bits = 1_u64 << (hash & 63) | 1 << (scattered >> 27 & 63);
                ((hash >> 6).wrapping_sub(part * words), bits)
            };
            let mut seen = vec![0_u64; words];
            let mut again = vec![0_u64; words];
            for key in keys {
                let (word, bits) = place(*key);
                if let (Some(seen), Some(again)) = (seen.get_mut(word), again.get_mut(word)) {
                    if *seen & bits == bits {
                        *again |= bits;
                    }
                    *seen |= bits;
                }
            }
            if again.iter().all(|word| *word == 0) {
                return Vec::new();
            }
            let suspect = |key: &Key| {
                let (word, bits) = place(*key);
                again.get(word).is_some_and(|again| again & bits == bits)
            };
            (0_u32..).zip(keys).filter(|(_, key)| suspect(key)).map(|(row, _)| row).collect()
        })
        .collect();
    let candidates = repeated.iter().flatten();
    let mut of_key: FxHashMap<Key, u32> = FxHashMap::default();
    for row in candidates.clone() {
        *of_key.entry(keys[*row as usize]).or_default() += 1;
    }
    let mut counts = vec![1_u32; keys.len()];
    for row in candidates {
        counts[*row as usize] = of_key.get(&keys[*row as usize]).copied().unwrap_or(1);
    }
    counts
}

/// Which listings overlap another of the same child inside the month, and the days a listing loses
/// where the pack names a winner (S1). Later known, with one delivery, is the later entry.
pub(crate) fn overlaps(
    ground: &Ground<'_>,
    enrolments: &Enrolments<'_>,
    of_child: &[u32],
) -> (Vec<bool>, BTreeMap<u32, Vec<Span>>) {
    let month = ground.month.span();
    let mut groups: BTreeMap<Key, Vec<u32>> = BTreeMap::new();
    for row in (0..of_child.len()).filter(|row| of_child[*row] > 1) {
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        groups.entry(enrolments.children.keys[row as usize]).or_default().push(row);
    }
    let mut overlapping = Vec::new();
    let mut lost: BTreeMap<u32, Vec<Span>> = BTreeMap::new();
    if groups.is_empty() {
        return (overlapping, lost);
    }
    overlapping.resize(of_child.len(), false);
    let word = ground.law.head.overlaps;
    for rows in groups.values() {
        let mut spans: Vec<(u32, Span)> = rows
            .iter()
            .filter_map(|row| Some((*row, enrolments.clipped(*row as usize, month)?)))
            .collect();
        for (at, (row, span)) in spans.iter().enumerate() {
            let meets = |(_, other): &(u32, Span)| span.overlap(*other).is_some();
            if spans[..at].iter().any(meets) || spans[at + 1..].iter().any(meets) {
                overlapping[*row as usize] = true;
            }
        }
        if matches!(word, Overlaps::Refuse | Overlaps::Allow) {
            continue;
        }
        spans.sort_by_key(|(row, span)| rank(word, enrolments, *row, *span));
        for at in 1..spans.len() {
            let taken: Vec<Span> = spans[..at].iter().map(|(_, span)| *span).collect();
            let (row, span) = spans[at];
            let common: Vec<Span> = taken.iter().filter_map(|t| span.overlap(*t)).collect();
            if !common.is_empty() {
                lost.insert(row, common);
            }
        }
    }
    if !lost.is_empty() {
        overlapping.fill(false);
    }
    (overlapping, lost)
}

/// Order of precedence among overlapping listings; ends in values (S9).
fn rank(
    word: Overlaps,
    enrolments: &Enrolments<'_>,
    row: u32,
    span: Span,
) -> (i64, Key, Vec<String>) {
    let from = i64::from(enrolments.from[row as usize].days());
    let first = match word {
        Overlaps::LaterKnown => -from,
        Overlaps::MostDays => -i64::from(span.days()),
        Overlaps::FirstSpell | Overlaps::Refuse | Overlaps::Allow => from,
    };
    let values = values(enrolments.table.columns.values(), row as usize);
    (first, enrolments.institutions.keys[row as usize], values)
}

/// The enrolment columns of rows, under their fact names, as far as somebody reads them.
pub(crate) fn listing_columns(
    ground: &Ground<'_>,
    enrolments: &Enrolments<'_>,
    listings: &[u32],
) -> Vec<(Arc<str>, Stored)> {
    let declared = ground.law.inputs.iter().filter(|input| &*input.name == "enrolments");
    let names: Vec<_> = declared
        .flat_map(|input| &input.columns)
        .filter_map(|column| {
            let fact = RENAMED
                .iter()
                .find(|(name, _)| *name == &*column.name)
                .map_or_else(|| Arc::clone(&column.name), |(_, fact)| Arc::from(*fact));
            let ages = ground.law.segments.iter().any(|law| !law.ages.is_empty());
            let wanted = ground.needs.of_spells(&fact) || (ages && &*column.name == "birth_date");
            wanted.then_some((column, fact))
        })
        .collect();
    let identity = listings.iter().enumerate().all(|(at, row)| at == *row as usize);
    names
        .into_par_iter()
        .map(|(column, fact)| {
            let stored = match enrolments.table.get(&column.name) {
                Some(stored) if identity && stored.column.len() == listings.len() => stored.clone(),
                Some(stored) => stored.take(listings),
                None => no_rows(&column.ty).all_null(listings.len()),
            };
            (fact, stored)
        })
        .collect()
}

/// Facts of the listing on rows that belong to `listings`, and their findings.
#[expect(clippy::too_many_arguments, reason = "one call, each argument a different fact")]
pub(crate) fn put_listing_facts(
    ground: &Ground<'_>,
    enrolments: &Enrolments<'_>,
    listings: &[u32],
    here: &[u32],
    of_child: &[u32],
    overlapping: &[bool],
    frame: &mut Frame,
    tally: &mut Tally,
) {
    let want = |name: &str| ground.needs.of_spells(name);
    let plain = |column| Stored::plain(column);
    let known: Vec<bool> = match frame.links.get(&Basis::Institution) {
        Some(links) => {
            links.par_iter().with_min_len(16_384).map(|row| *row != Frame::NO_ROW).collect()
        }
        None => Vec::new(),
    };
    frame.put("institution_known", plain(Column::Bool(known)));
    let bools = |of: &(dyn Fn(usize) -> bool + Sync)| {
        let rows = listings.par_iter().with_min_len(8192);
        plain(Column::Bool(rows.map(|row| of(*row as usize)).collect()))
    };
    if want("span_valid") {
        frame.put("span_valid", bools(&|row| enrolments.runs_forward(row)));
    }
    if want("listings_of_child") || ground.needs.basis(&Basis::Child) {
        let rows = listings.par_iter().with_min_len(8192);
        let of = rows.map(|row| i64::from(of_child[*row as usize])).collect();
        frame.put("listings_of_child", plain(Column::whole(of)));
    }
    if want("listings_here") {
        frame.put(
            "listings_here",
            plain(Column::whole(here.iter().map(|here| i64::from(*here)).collect())),
        );
    }
    let overlaps = |row: usize| overlapping.get(row).copied().unwrap_or(false);
    frame.put("overlapping", bools(&overlaps));
    if ground.law.head.resident_ids || want("id_valid") {
        let valid = identities(ground, enrolments, tally);
        frame.put("id_valid", bools(&|row| valid.get(row).copied().unwrap_or(true)));
    }
    repeats(enrolments, overlapping, tally);
}

/// Whether each listing's document number is in order. A resident number is checked; birth
/// certificates, permits and passports only by shape.
fn identities(ground: &Ground<'_>, enrolments: &Enrolments<'_>, tally: &mut Tally) -> Vec<bool> {
    if !ground.law.head.resident_ids {
        return Vec::new();
    }
    let judged: Vec<(bool, bool)> = (0..enrolments.table.rows)
        .into_par_iter()
        .with_min_len(4096)
        .map(|row| {
            let text = enrolments.children.text(row);
            match check_resident_id(&text) {
                Ok((_, birth)) => (true, birth == enrolments.births[row]),
                Err(_) => (other_document(&text), true),
            }
        })
        .collect();
    for (row, (valid, birth_agrees)) in judged.iter().enumerate() {
        if *valid && *birth_agrees {
            continue;
        }
        let id = enrolments.institutions.text(row);
        let spot = Some(enrolments.spot(row));
        if !valid {
            tally.add(FindingCode::ChildIdInvalid, &id, "", 1, spot, Vec::new());
        }
        if !birth_agrees {
            tally.add(FindingCode::BirthDateDiffers, &id, "", 1, spot, Vec::new());
        }
    }
    judged.into_iter().map(|(valid, _)| valid).collect()
}

/// Documents of infants other than the resident card: birth certificate (a letter and nine
/// digits), passport or permit (one to three letters and six to nine digits).
fn other_document(text: &str) -> bool {
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = &text[letters..];
    (1..=3).contains(&letters)
        && (6..=9).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Findings on spans that end before they start and on repeated children.
fn repeats(enrolments: &Enrolments<'_>, overlapping: &[bool], tally: &mut Tally) {
    let backwards: Vec<usize> = (0..enrolments.table.rows)
        .into_par_iter()
        .with_min_len(8192)
        .filter(|row| !enrolments.runs_forward(*row))
        .collect();
    for row in backwards {
        let id = enrolments.institutions.text(row);
        let spot = Some(enrolments.spot(row));
        tally.add(FindingCode::SpanInvalid, &id, "", 1, spot, Vec::new());
    }
    let mut homes: FxHashMap<Key, Vec<(usize, Key)>> = FxHashMap::default();
    for row in overlapping.iter().enumerate().filter(|(_, o)| **o).map(|(row, _)| row) {
        let key = enrolments.children.keys[row];
        homes.entry(key).or_default().push((row, enrolments.institutions.keys[row]));
    }
    for rows in homes.values() {
        for (row, institution) in rows {
            let within = rows.iter().filter(|(_, other)| other == institution).count() > 1;
            let code =
                if within { FindingCode::DuplicateWithin } else { FindingCode::DuplicateAcross };
            let id = enrolments.institutions.text(*row);
            tally.add(code, &id, "", 1, Some(enrolments.spot(*row)), Vec::new());
        }
    }
}

/// Builds the listing and child frames where a rule stands on them, and links spells to both.
pub(crate) fn build(
    ground: &Ground<'_>,
    facts: &mut Facts,
    spells: &mut Frame,
    listings: &[u32],
    rows: usize,
) {
    if ground.needs.basis(&Basis::Child) {
        let ages = ground.law.segments.iter().flat_map(|law| &law.ages);
        let ages: Vec<&str> = ages.map(|rule| &*rule.head.id).collect();
        let child = children(spells, &ages);
        spells.links.insert(Basis::Child, child.1);
        facts.frames.put(child.0);
    }
    if ground.needs.basis(&Basis::Listing) {
        spells.links.insert(Basis::Listing, listings.to_vec());
        facts.frames.put(listing_frame(spells, listings, rows));
    }
}

/// One row a (child, institution): facts that do not vary over its spells.
fn children(spells: &Frame, ages: &[&str]) -> (Frame, Vec<u32>) {
    let empty = KeyColumn::default();
    let keys = |name: &str| match spells.get(name).map(|stored| &stored.column) {
        Some(Column::Key(column)) => column,
        _ => &empty,
    };
    let (child, institution) = (keys("child_ref"), keys("institution_id"));
    let mut index: FxHashMap<(Key, Key), u32> = FxHashMap::default();
    let mut firsts: Vec<u32> = Vec::new();
    let links = (0..spells.rows)
        .map(|row| {
            *index.entry((child.keys[row], institution.keys[row])).or_insert_with(|| {
                firsts.push(u32::try_from(row).unwrap_or(u32::MAX));
                u32::try_from(firsts.len() - 1).unwrap_or(u32::MAX)
            })
        })
        .collect();
    let mut frame = Frame::new(Basis::Child, firsts.len());
    let facts = [
        "child_ref",
        "institution_id",
        "birth_date",
        "id_valid",
        "institution_known",
        "listings_of_child",
        "listings_here",
    ];
    for name in facts.iter().chain(ages) {
        if let Some(stored) = spells.get(name) {
            frame.put(name, stored.take(&firsts));
        }
    }
    frame.origins = spells.origins.as_ref().map(|origins| origins.take(&firsts));
    if let Some(institutions) = spells.links.get(&Basis::Institution) {
        let picked = firsts.iter().map(|row| institutions[*row as usize]).collect();
        frame.links.insert(Basis::Institution, picked);
    }
    frame.links.insert(Basis::Programme, vec![0; frame.rows]);
    (frame, links)
}

/// One row an enrolment row: the facts of its first spell, attendance summed over its spells.
fn listing_frame(spells: &Frame, listings: &[u32], rows: usize) -> Frame {
    let mut firsts = vec![u32::MAX; rows];
    for (spell, listing) in listings.iter().enumerate().rev() {
        firsts[*listing as usize] = u32::try_from(spell).unwrap_or(u32::MAX);
    }
    let mut frame = Frame::new(Basis::Listing, rows);
    frame.origins = spells.origins.as_ref().map(|origins| origins.take(&firsts));
    for (name, stored) in &spells.columns {
        let mut taken = stored.take(&firsts);
        if (name.starts_with("days_") || name.starts_with("spell_days"))
            && let Column::Num(column) = &mut taken.column
        {
            column.values.iter_mut().for_each(|value| *value = 0);
            if let Column::Num(of_spell) = &stored.column {
                for (spell, listing) in listings.iter().enumerate() {
                    column.values[*listing as usize] += of_spell.values[spell];
                }
            }
        }
        frame.put(name, taken);
    }
    for basis in [Basis::Institution, Basis::Programme, Basis::Slot, Basis::Child] {
        if let Some(links) = spells.links.get(&basis) {
            let picked = firsts
                .iter()
                .map(|row| links.get(*row as usize).copied().unwrap_or(Frame::NO_ROW))
                .collect();
            frame.links.insert(basis, picked);
        }
    }
    frame
}

/// Frames without rows when no enrolments were delivered: rules on aggregates still run.
pub(crate) fn put_empty(ground: &Ground<'_>, facts: &mut Facts) {
    for basis in [Basis::Spell, Basis::Listing, Basis::Child] {
        let mut frame = Frame::new(basis.clone(), 0);
        for entry in ground.law.dictionary.iter().filter(|entry| entry.basis == basis) {
            frame.put(&entry.name, no_rows(&entry.ty));
        }
        for link in
            [Basis::Institution, Basis::Programme, Basis::Slot, Basis::Child, Basis::Listing]
        {
            frame.links.insert(link, Vec::new());
        }
        facts.frames.put(frame);
    }
}
