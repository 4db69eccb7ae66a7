//! Tables beside the rows of a basis (S5): each row of the basis finds its row by the key, of several
//! with spans the one in force; spells are cut where such a row begins or ends.
//!
//! Only tables that somebody reads are looked at. Of rows of one key in force at once the one that
//! starts last counts, of equals the first by its values: no order of rows decides (S9).

use super::identity::values;
use super::spell::Enrolments;
use super::tally::Spot;
use super::{Facts, Ground, Tally, row_span};
use crate::domain::{Basis, Column, Date, FindingCode, Frame, Frames, Key, Span, Stored};
use crate::law::dictionary::SESSIONS;
use crate::law::links::Links;
use crate::law::{InputTable, found_name};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A table that somebody reads beside a basis.
struct Side<'a> {
    input: &'a InputTable,
    of: &'a Basis,
    basis: Basis,
}

/// All such tables of a month's law.
pub(crate) struct Sides<'a> {
    all: Vec<Side<'a>>,
}

impl<'a> Sides<'a> {
    /// The tables that the law reads.
    pub(crate) fn of(ground: &Ground<'a>) -> Self {
        let read = |input: &'a InputTable| {
            let of = input.of.as_ref()?;
            let basis = Basis::Declared(Arc::clone(&input.name));
            let found = found_name(&input.name);
            let asked = told_on(of).iter().any(|basis| ground.needs.column(basis, &found));
            (asked || ground.needs.basis(&basis)).then_some(Side { input, of, basis })
        };
        Self { all: ground.law.inputs.iter().filter_map(read).collect() }
    }

    /// Where the tables cut the spells of each listing.
    pub(crate) fn cuts(&self, ground: &Ground<'_>, enrolments: &Enrolments<'a>) -> Cuts<'a> {
        let cut = |side: &Side<'a>| {
            let cuts =
                matches!(side.of, Basis::Spell | Basis::Listing) && side.input.span.is_some();
            let table = ground.tables.get(&side.input.name).filter(|_| cuts)?;
            let column = |key: &Arc<str>| {
                let mut entries = ground.law.dictionary.iter();
                let entry = entries.find(|entry| entry.basis == *side.of && entry.name == *key)?;
                let own = enrolments.table.get(entry.source.strip_prefix("enrolments.")?)?;
                Some((own, table.get(key)?))
            };
            let columns: Vec<_> = side.input.key.iter().map(column).collect::<Option<_>>()?;
            let index = Index::of(side.input, table.rows, &|name| table.get(name));
            Some((Asker::of(columns), index))
        };
        Cuts { all: self.all.iter().filter_map(cut).collect() }
    }

    /// Links every basis that determines a table to its rows, and tells which rows have one.
    pub(crate) fn link(&self, ground: &Ground<'_>, facts: &mut Facts, tally: &mut Tally) {
        if self.all.is_empty() {
            return;
        }
        let links = Links::new(&ground.law.inputs);
        for side in &self.all {
            let frames = &mut facts.frames;
            let Some(rows) = frames.get(&side.basis) else { continue };
            let index = Index::of(side.input, rows.rows, &|name| rows.get(name));
            count_overlaps(side, rows, &index, tally);
            let own = side.own(ground, frames, &index);
            for (basis, found) in own {
                put(ground, frames, side, &basis, found);
            }
            let all: Vec<Basis> = frames.iter().map(|frame| frame.basis.clone()).collect();
            for basis in all.iter().filter(|basis| links.of(basis).contains(&side.basis)) {
                if let Some(found) = side.through(frames, basis) {
                    put(ground, frames, side, basis, found);
                }
            }
        }
    }
}

/// The bases that tell whether there is a row: the spells of a listing each for itself.
pub(crate) fn told_on(of: &Basis) -> Vec<Basis> {
    if *of == Basis::Listing { vec![Basis::Listing, Basis::Spell] } else { vec![of.clone()] }
}

fn put(ground: &Ground<'_>, frames: &mut Frames, side: &Side<'_>, basis: &Basis, rows: Vec<u32>) {
    let Some(frame) = frames.get_mut(basis) else { return };
    let name = found_name(&side.input.name);
    if told_on(side.of).contains(basis) && ground.needs.column(basis, &name) {
        let found = rows.iter().map(|row| *row != Frame::NO_ROW).collect();
        frame.put(&name, Stored::plain(Column::Bool(found)));
    }
    frame.links.insert(side.basis.clone(), rows);
}

impl Side<'_> {
    /// The rows found by the key: of the basis, and of each spell of a listing by its own days.
    fn own(&self, ground: &Ground<'_>, frames: &Frames, index: &Index) -> Vec<(Basis, Vec<u32>)> {
        if *self.of != Basis::Listing {
            let found = self.found(ground, frames, self.of, index);
            return found.map(|rows| (self.of.clone(), rows)).into_iter().collect();
        }
        let Some(spells) = self.found(ground, frames, &Basis::Spell, index) else {
            return Vec::new();
        };
        let listings = frames.get(&Basis::Listing).zip(frames.get(&Basis::Spell));
        let of_listings = listings.and_then(|(listings, frame)| {
            let mut rows = vec![Frame::NO_ROW; listings.rows];
            // The first of its days that has a row decides for the listing.
            for (listing, row) in frame.links.get(&Basis::Listing)?.iter().zip(&spells) {
                if let Some(place @ &mut Frame::NO_ROW) = rows.get_mut(*listing as usize) {
                    *place = *row;
                }
            }
            Some((Basis::Listing, rows))
        });
        of_listings.into_iter().chain([(Basis::Spell, spells)]).collect()
    }

    /// The row in force for each row of a basis, found by the key.
    fn found(
        &self,
        ground: &Ground<'_>,
        frames: &Frames,
        basis: &Basis,
        index: &Index,
    ) -> Option<Vec<u32>> {
        let (frame, table) = (frames.get(basis)?, frames.get(&self.basis)?);
        let column = |key: &Arc<str>| Some((frame.get(key)?, table.get(key)?));
        let columns: Vec<_> = self.input.key.iter().map(column).collect::<Option<_>>()?;
        let (asker, window) = (Asker::of(columns), Window::of(ground, frame));
        let rows = (0..frame.rows).into_par_iter().with_min_len(4096);
        let find = |key: &mut Vec<u128>, row: usize| {
            let found = window.at(row).filter(|_| asker.key(row, key));
            found.and_then(|window| index.on(key, window)).unwrap_or(Frame::NO_ROW)
        };
        Some(rows.map_init(Vec::new, find).collect())
    }

    /// The rows a finer basis has through the rows it belongs to.
    fn through(&self, frames: &Frames, basis: &Basis) -> Option<Vec<u32>> {
        let frame = frames.get(basis)?;
        if frame.links.contains_key(&self.basis) {
            return None;
        }
        let mut rows = vec![Frame::NO_ROW; frame.rows];
        for coarse in told_on(self.of).iter().rev() {
            let links = frame.links.get(coarse);
            let found = frames.get(coarse).and_then(|frame| frame.links.get(&self.basis));
            let (Some(links), Some(found)) = (links, found) else { continue };
            for (row, link) in rows.iter_mut().zip(links) {
                if *row == Frame::NO_ROW {
                    *row = found.get(*link as usize).copied().unwrap_or(Frame::NO_ROW);
                }
            }
        }
        Some(rows)
    }
}

/// The days a row of a basis is asked for.
enum Window<'f> {
    Month(Span),
    /// Its first and last day, and what is counted beyond the last; within these days.
    Own(&'f [Date], &'f [Date], i32, Option<Span>),
}

impl<'f> Window<'f> {
    fn of(ground: &Ground<'_>, frame: &'f Frame) -> Self {
        let dates = |name: &str| match frame.get(name).map(|stored| &stored.column) {
            Some(Column::Date(dates)) => Some(dates.as_slice()),
            _ => None,
        };
        let days = ground.law.head.weeks.days(ground.month);
        let own = match &frame.basis {
            Basis::Spell => dates("spell_from").zip(dates("spell_until")).map(|of| (of, 0, None)),
            Basis::Day => dates("date").map(|of| ((of, of), 0, None)),
            Basis::Declared(name) if **name == *SESSIONS => {
                dates("date").map(|of| ((of, of), 0, None))
            }
            Basis::Week => dates("week_start").map(|of| ((of, of), 6, Some(days))),
            _ => None,
        };
        own.map_or_else(
            || Self::Month(ground.month.span()),
            |((from, until), after, within)| Self::Own(from, until, after, within),
        )
    }

    fn at(&self, row: usize) -> Option<Span> {
        match self {
            Self::Month(month) => Some(*month),
            Self::Own(from, until, after, within) => {
                let own = Span::new(from[row], until[row].plus_days(*after))?;
                within.map_or(Some(own), |within| own.overlap(within))
            }
        }
    }
}

/// Where tables cut listings.
#[derive(Default)]
pub(crate) struct Cuts<'a> {
    all: Vec<(Asker<'a>, Index)>,
}

impl Cuts<'_> {
    /// Whether no listing is cut.
    pub(crate) const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The days within a listing's span on which a row begins or the day after one ends.
    pub(crate) fn days(&self, listing: u32, whole: Span) -> Vec<Date> {
        let (mut key, mut days) = (Vec::new(), Vec::new());
        for (asker, index) in &self.all {
            if !asker.key(listing as usize, &mut key) {
                continue;
            }
            let rows = index.places.get(key.as_slice()).map_or(&[][..], Vec::as_slice);
            let ends = rows.iter().flat_map(|(span, _)| [span.from, span.until.plus_days(1)]);
            days.extend(ends.filter(|day| whole.contains(*day)));
        }
        days
    }
}

/// Columns of those who ask, each with the table's own column of that name.
struct Asker<'f> {
    columns: Vec<(&'f Stored, Option<Vec<u32>>)>,
}

/// The code of a text the table does not hold.
const NOT_THERE: u32 = u32::MAX;

impl<'f> Asker<'f> {
    fn of(columns: Vec<(&'f Stored, &Stored)>) -> Self {
        let translated = |(asks, own): (&'f Stored, &Stored)| {
            let codes = match (&asks.column, &own.column) {
                (Column::Code(asks), Column::Code(own)) => {
                    let texts = asks.list.texts().iter();
                    Some(texts.map(|text| own.list.code(text).unwrap_or(NOT_THERE)).collect())
                }
                _ => None,
            };
            (asks, codes)
        };
        Self { columns: columns.into_iter().map(translated).collect() }
    }

    /// Writes the key of a row; false where a part is null or nothing the table could hold.
    fn key(&self, row: usize, into: &mut Vec<u128>) -> bool {
        into.clear();
        self.columns.iter().all(|(stored, codes)| {
            let found = part(stored, row, codes.as_deref());
            into.extend(found);
            found.is_some()
        })
    }
}

/// One part of a key as a number.
fn part(stored: &Stored, row: usize, codes: Option<&[u32]>) -> Option<u128> {
    if stored.is_null(row) || stored.error(row).is_some() {
        return None;
    }
    let number = |value: i64| Some(u128::from(value.cast_unsigned()));
    match &stored.column {
        Column::Key(column) => {
            let Key(key) = column.keys[row];
            Some(key)
        }
        Column::Code(column) => {
            let own = column.codes[row];
            let code = codes.map_or(Some(own), |codes| codes.get(own as usize).copied())?;
            (code != NOT_THERE).then_some(code.into())
        }
        Column::Num(column) => (column.values[row] % column.den == 0)
            .then(|| number(column.values[row] / column.den))?,
        Column::Date(dates) => number(dates[row].days().into()),
        Column::Bool(values) => Some(values[row].into()),
        Column::Ratio(_) => None,
    }
}

/// Rows of a table by key, each with its span: those that start last come last, of equals the first by
/// its values.
struct Index {
    places: FxHashMap<Box<[u128]>, Vec<(Span, u32)>>,
    /// Every key once.
    keys: Vec<Box<[u128]>>,
}

impl Index {
    fn of<'t>(
        input: &InputTable,
        rows: usize,
        column: &dyn Fn(&str) -> Option<&'t Stored>,
    ) -> Self {
        let key: Option<Vec<&Stored>> = input.key.iter().map(|name| column(name)).collect();
        let (from, until) =
            input.span.as_ref().map_or((None, None), |(from, until)| (column(from), column(until)));
        let mut places: FxHashMap<Box<[u128]>, Vec<(Span, u32)>> = FxHashMap::default();
        let mut keys = Vec::new();
        for row in 0..rows {
            let parts = key.iter().flatten().map(|stored| part(stored, row, None));
            let own: Option<Box<[u128]>> = parts.collect();
            let own = own.filter(|own| own.len() == input.key.len());
            let Some((own, span)) = own.zip(row_span(from, until, row)) else { continue };
            let row = u32::try_from(row).unwrap_or(u32::MAX);
            if let Some(known) = places.get_mut(&own) {
                known.push((span, row));
            } else {
                keys.push(own.clone());
                places.insert(own, vec![(span, row)]);
            }
        }
        let mut this = Self { places, keys };
        this.sort(input, column);
        this
    }

    /// Puts the rows of each key in order.
    fn sort<'t>(&mut self, input: &InputTable, column: &dyn Fn(&str) -> Option<&'t Stored>) {
        let columns: Vec<&Stored> =
            input.columns.iter().filter_map(|of| column(&of.name)).collect();
        let values = |row: u32| values(columns.iter().copied(), row as usize);
        for key in &self.keys {
            if let Some(rows) = self.places.get_mut(key).filter(|rows| rows.len() > 1) {
                rows.sort_by(|(a, left), (b, right)| {
                    a.from.cmp(&b.from).then_with(|| values(*right).cmp(&values(*left)))
                });
            }
        }
    }

    /// The row in force on the first of the days that has one.
    fn on(&self, key: &[u128], days: Span) -> Option<u32> {
        let rows = self.places.get(key)?;
        let first = rows.iter().rfind(|(span, _)| span.contains(days.from));
        let later = || {
            let from = rows.iter().map(|(span, _)| span.from).find(|from| days.contains(*from))?;
            rows.iter().rfind(|(span, _)| span.from == from)
        };
        first.or_else(later).map(|(_, row)| *row)
    }
}

/// Keys with several rows in force on one day.
fn count_overlaps(side: &Side<'_>, frame: &Frame, index: &Index, tally: &mut Tally) {
    for key in &index.keys {
        let Some(rows) = index.places.get(key) else { continue };
        // Rows stand by their first day: where any two meet, two neighbours do.
        let meets = rows.windows(2).find(|pair| pair[0].0.overlap(pair[1].0).is_some());
        if let Some(pair) = meets {
            let spot = frame.origin(pair[1].1 as usize);
            let spot = spot.map(|(file, record)| Spot { file: file as usize, record });
            tally.add(FindingCode::RowsOverlap, "", &side.input.name, 1, spot, Vec::new());
        }
    }
}
