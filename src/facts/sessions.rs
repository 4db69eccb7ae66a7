//! Sessions 逐日托育: the rows delivered up to the month's end, and the days and weeks of children they
//! make.
//!
//! Days stand sorted by institution, child and date, whatever the order of the rows; a week is a run
//! of them.

use super::homes::{Homes, keys};
use super::identity::values;
use super::institution::Register;
use super::rows::{no_rows, put_missing};
use super::tally::Spot;
use super::{Facts, Ground, RowUse, Tally, count};
use crate::domain::{
    Basis, Column, Date, FindingCode, Fraction, Frame, Frames, Key, NumColumn, RowError, Span,
    Stored,
};
use crate::intake::Table;
use crate::law::dictionary::SESSIONS;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Columns of a session that a day adds up.
const HOURS: [&str; 2] = ["hours_booked", "hours_attended"];

/// Builds the frames of sessions, days and weeks that somebody reads.
pub(crate) fn build(
    ground: &Ground<'_>,
    register: &Register,
    homes: &Homes,
    facts: &mut Facts,
    tally: &mut Tally,
) {
    let own = Basis::Declared(Arc::from(SESSIONS));
    let [rows, days, weeks] =
        [&own, &Basis::Day, &Basis::Week].map(|basis| ground.needs.basis(basis));
    if !(rows || days || weeks) {
        return;
    }
    let Some(sessions) = ground.tables.get(SESSIONS).and_then(Sessions::new) else {
        for basis in [own, Basis::Day, Basis::Week] {
            facts.frames.put(empty(ground, basis));
        }
        return;
    };
    let context = Context { ground, register, homes, sessions: &sessions };
    let month = ground.month.last();
    let known: Vec<u32> = (0_u32..)
        .zip(sessions.dates)
        .filter(|(_, date)| **date <= month)
        .map(|(row, _)| row)
        .collect();
    let all = known.len() == sessions.dates.len();
    facts
        .uses
        .insert(Arc::from(SESSIONS), if all { RowUse::All } else { RowUse::of(known.clone()) });
    context.count_strangers(tally);
    let made = Days::of(&context, &facts.frames);
    if rows {
        facts.frames.put(context.frame(&known, &made));
    }
    let (day, week) = made.frames(&context);
    if days {
        facts.frames.put(day);
    }
    if weeks {
        facts.frames.put(week);
    }
}

/// A frame without rows, its columns typed as the dictionary says.
fn empty(ground: &Ground<'_>, basis: Basis) -> Frame {
    use Basis::{Child, Day, Institution, Listing, Programme, Slot, Spell, Week};
    let named = ground.law.dictionary.iter().filter(|entry| entry.basis == basis);
    let columns: Vec<_> =
        named.map(|entry| (Arc::clone(&entry.name), no_rows(&entry.ty))).collect();
    let mut frame = Frame::new(basis, 0);
    for (name, stored) in columns {
        frame.put(&name, stored);
    }
    for coarse in [Day, Week, Spell, Listing, Child, Slot, Institution, Programme] {
        frame.links.insert(coarse, Vec::new());
    }
    frame
}

/// The columns every session has.
struct Sessions<'a> {
    table: &'a Table,
    children: &'a [Key],
    institutions: &'a [Key],
    dates: &'a [Date],
}

impl<'a> Sessions<'a> {
    fn new(table: &'a Table) -> Option<Self> {
        let (children, institutions) = keys(table.get("child_ref"), table.get("institution_id"))?;
        match table.get("date").map(|stored| &stored.column) {
            Some(Column::Date(dates)) => Some(Self { table, children, institutions, dates }),
            _ => None,
        }
    }

    /// What a day is told by.
    fn day(&self, row: u32) -> (Key, Key, Date) {
        let row = row as usize;
        (self.institutions[row], self.children[row], self.dates[row])
    }
}

struct Context<'a> {
    ground: &'a Ground<'a>,
    register: &'a Register,
    homes: &'a Homes,
    sessions: &'a Sessions<'a>,
}

impl Context<'_> {
    /// The days that count in the month.
    fn span(&self) -> Span {
        self.ground.law.head.weeks.days(self.ground.month)
    }

    /// The institution row in force on a day.
    fn institution(&self, id: Key, date: Date) -> u32 {
        let main = self.register.row(id);
        let pieces = self.register.pieces.get(&main);
        pieces
            .and_then(|pieces| pieces.iter().rev().find(|(from, _)| *from <= date))
            .map_or(main, |(_, row)| *row)
    }

    /// Rows of the month at institutions nobody knows, by institution.
    fn count_strangers(&self, tally: &mut Tally) {
        let Sessions { table, institutions, dates, .. } = self.sessions;
        let span = self.span();
        let strange = |row: &usize| {
            span.contains(dates[*row]) && self.register.row(institutions[*row]) == Frame::NO_ROW
        };
        let rows: Vec<usize> =
            (0..dates.len()).into_par_iter().with_min_len(8192).filter(strange).collect();
        for row in rows {
            let Some(Stored { column: Column::Key(ids), .. }) = table.get("institution_id") else {
                return;
            };
            let spot = Spot { file: table.file_of(row), record: table.records[row] };
            let (code, id) = (FindingCode::InstitutionUnknown, ids.text(row));
            tally.add(code, &id, SESSIONS, 1, Some(spot), Vec::new());
        }
    }

    /// The sessions known by the month's end, linked to what each belongs to.
    fn frame(&self, known: &[u32], days: &Days) -> Frame {
        let table = self.sessions.table;
        let mut frame = Frame::new(Basis::Declared(Arc::from(SESSIONS)), known.len());
        for (name, stored) in &table.columns {
            frame.put(name, stored.take(known));
        }
        put_missing(self.ground, SESSIONS, &mut frame);
        let mut day_of = vec![Frame::NO_ROW; self.sessions.dates.len()];
        for (day, rows) in (0_u32..).zip(days.rows()) {
            for row in rows {
                day_of[*row as usize] = day;
            }
        }
        let own: Vec<u32> = known.iter().map(|row| day_of[*row as usize]).collect();
        let through = |links: &[u32]| -> Vec<u32> {
            own.iter()
                .map(|day| links.get(*day as usize).copied().unwrap_or(Frame::NO_ROW))
                .collect()
        };
        for (basis, links) in &days.links {
            frame.links.insert(basis.clone(), through(links));
        }
        frame.links.insert(Basis::Week, through(&days.week));
        frame.links.insert(Basis::Day, own);
        if let Some(children) = self.homes.children(table, known) {
            frame.links.insert(Basis::Child, children);
        }
        let institution = |row: &u32| {
            let (id, _, date) = self.sessions.day(*row);
            self.institution(id, date)
        };
        let institutions = known.par_iter().with_min_len(8192).map(institution).collect();
        frame.links.insert(Basis::Institution, institutions);
        frame.links.insert(Basis::Programme, vec![0; known.len()]);
        Ground::put_origins(table, known, &mut frame);
        frame
    }
}

/// The days of the month.
struct Days {
    /// Rows of sessions, day after day.
    order: Vec<u32>,
    /// First place in `order` of each day, and its end.
    starts: Vec<usize>,
    /// The week of each day.
    week: Vec<u32>,
    /// First day of each week.
    weeks: Vec<u32>,
    /// Rows of coarser bases.
    links: Vec<(Basis, Vec<u32>)>,
}

impl Days {
    fn of(context: &Context<'_>, frames: &Frames) -> Self {
        let (sessions, span) = (context.sessions, context.span());
        let inside = |(_, date): &(u32, &Date)| span.contains(**date);
        let rows = (0_u32..).zip(sessions.dates).filter(inside);
        let mut order: Vec<u32> = rows.map(|(row, _)| row).collect();
        order.par_sort_unstable_by_key(|row| (sessions.day(*row), *row));
        let mut this =
            Self { order, starts: vec![], week: vec![], weeks: vec![], links: Vec::new() };
        let mut last = None;
        for (at, row) in this.order.iter().enumerate() {
            let day = sessions.day(*row);
            if last == Some(day) {
                continue;
            }
            let week =
                |(institution, child, date): (Key, Key, Date)| (institution, child, date.monday());
            if last.map(week) != Some(week(day)) {
                this.weeks.push(u32::try_from(this.starts.len()).unwrap_or(u32::MAX));
            }
            this.week.push(u32::try_from(this.weeks.len()).unwrap_or(u32::MAX).saturating_sub(1));
            this.starts.push(at);
            last = Some(day);
        }
        this.starts.push(this.order.len());
        let firsts = this.firsts();
        this.links = stays(context, frames, &firsts);
        this
    }

    /// The sessions of each day.
    fn rows(&self) -> impl Iterator<Item = &[u32]> {
        self.starts.windows(2).map(|pair| &self.order[pair[0]..pair[1]])
    }

    /// The first session of each day.
    fn firsts(&self) -> Vec<u32> {
        self.rows().filter_map(|rows| rows.first().copied()).collect()
    }

    /// The frames of days and weeks.
    fn frames(self, context: &Context<'_>) -> (Frame, Frame) {
        let firsts = self.firsts();
        let mut day = Frame::new(Basis::Day, firsts.len());
        context.put_names(&firsts, &mut day);
        let dates: Vec<Date> = firsts.iter().map(|row| context.sessions.day(*row).2).collect();
        let counts = self.rows().map(|rows| count(rows.len())).collect();
        day.put("sessions_count", Stored::plain(Column::whole(counts)));
        for name in HOURS.iter().filter(|name| context.ground.needs.column(&Basis::Day, name)) {
            let stored = context.sessions.table.get(name);
            let summed = stored.map(|stored| sums(stored, &self));
            let nothing = || Stored::plain(Column::whole(vec![])).all_null(firsts.len());
            day.put(name, summed.unwrap_or_else(nothing));
        }
        let laws = &context.ground.law.segments;
        if laws.len() > 1 {
            let segment = |date: &Date| {
                count(laws.iter().rposition(|law| law.segment.from <= *date).unwrap_or(0))
            };
            day.put("segment", Stored::plain(Column::whole(dates.iter().map(segment).collect())));
        }
        let of_weeks: Vec<u32> = self.weeks.iter().map(|day| firsts[*day as usize]).collect();
        let mut week = Frame::new(Basis::Week, of_weeks.len());
        context.put_names(&of_weeks, &mut week);
        let mondays: Vec<Date> =
            self.weeks.iter().map(|day| dates[*day as usize].monday()).collect();
        let span = context.span();
        let inside = |monday: &Date| {
            let whole = Span { from: *monday, until: monday.plus_days(6) };
            whole.overlap(span).map_or(0, |span| i64::from(span.days()))
        };
        week.put(
            "days_in_week",
            Stored::plain(Column::whole(mondays.iter().map(inside).collect())),
        );
        week.put("week_start", Stored::plain(Column::Date(mondays)));
        day.put("date", Stored::plain(Column::Date(dates)));
        for (basis, links) in self.links {
            if basis == Basis::Child {
                let of_week = self.weeks.iter().map(|day| links[*day as usize]).collect();
                week.links.insert(Basis::Child, of_week);
            }
            day.links.insert(basis, links);
        }
        day.links.insert(Basis::Week, self.week);
        (day, week)
    }
}

impl Context<'_> {
    /// Child, institution and where the rows were delivered.
    fn put_names(&self, rows: &[u32], frame: &mut Frame) {
        let table = self.sessions.table;
        for name in ["child_ref", "institution_id"] {
            if let Some(stored) = table.get(name) {
                frame.put(name, stored.take(rows));
            }
        }
        let first = self.ground.month.first();
        let institutions: Vec<u32> = rows
            .par_iter()
            .with_min_len(8192)
            .map(|row| {
                let (id, _, date) = self.sessions.day(*row);
                self.institution(
                    id,
                    if frame.basis == Basis::Week { date.max(first) } else { date },
                )
            })
            .collect();
        let known = institutions.iter().map(|row| *row != Frame::NO_ROW).collect();
        frame.put("institution_known", Stored::plain(Column::Bool(known)));
        frame.links.insert(Basis::Institution, institutions);
        frame.links.insert(Basis::Programme, vec![0; rows.len()]);
        Ground::put_origins(table, rows, frame);
    }
}

/// A column added up day by day; null where every session of the day is.
fn sums(stored: &Stored, days: &Days) -> Stored {
    let told = |row: &&u32| !stored.is_null(**row as usize);
    let nulls = days.rows().map(|rows| !rows.iter().any(|row| told(&row))).collect();
    let (column, broken): (Column, Vec<bool>) = match &stored.column {
        Column::Num(NumColumn { values, den }) => {
            let sum = |rows: &[u32]| {
                let mut parts = rows.iter().filter(told).map(|row| values[*row as usize]);
                parts.try_fold(0_i64, i64::checked_add)
            };
            let sums: Vec<Option<i64>> = days.rows().map(sum).collect();
            let broken = sums.iter().map(Option::is_none).collect();
            let values = sums.into_iter().map(Option::unwrap_or_default).collect();
            (Column::Num(NumColumn { values, den: *den }), broken)
        }
        Column::Ratio(values) => {
            let sum = |rows: &[u32]| {
                let parts = rows.iter().filter(told).map(|row| values[*row as usize]);
                let mut parts = parts.map(|(num, den)| Fraction { num, den });
                parts.try_fold(Fraction::whole(0), Fraction::checked_add)
            };
            let sums: Vec<Option<Fraction>> = days.rows().map(sum).collect();
            let broken = sums.iter().map(Option::is_none).collect();
            let pair = |sum: Option<Fraction>| sum.map_or((0, 1), |sum| (sum.num, sum.den));
            (Column::Ratio(sums.into_iter().map(pair).collect()), broken)
        }
        other => return Stored::plain(other.clone()).all_null(days.week.len()),
    };
    let overflow = |broken: &bool| broken.then_some(RowError::Overflow);
    let errors = broken.contains(&true).then(|| broken.iter().map(overflow).collect::<Vec<_>>());
    Stored { errors, ..Stored::nullable(column, nulls) }
}

/// The spell, listing, slot and child of each day, of those that have frames. A day has the spell that
/// covers it; a day of the month before, in a week that ends in this one, has at least the listing.
fn stays(context: &Context<'_>, frames: &Frames, firsts: &[u32]) -> Vec<(Basis, Vec<u32>)> {
    let mut found: Vec<(Basis, Vec<u32>)> = Vec::new();
    let spells = Stays::of(frames, &Basis::Spell, ["spell_from", "spell_until"]);
    let listings = Stays::of(frames, &Basis::Listing, ["listing_from", "listing_until"]);
    let day = |row: &u32| context.sessions.day(*row);
    let on = |stays: &Option<Stays<'_>>| -> Vec<u32> {
        let rows = firsts.par_iter().with_min_len(4096);
        rows.map(|row| stays.as_ref().map_or(Frame::NO_ROW, |stays| stays.on(day(row)))).collect()
    };
    let of_spell = on(&spells);
    let through = |frame: &Frame, to: &Basis, rows: &[u32]| -> Option<Vec<u32>> {
        let links = frame.links.get(to)?;
        let of = |row: &u32| links.get(*row as usize).copied().unwrap_or(Frame::NO_ROW);
        Some(rows.iter().map(of).collect())
    };
    let or = |first: Option<Vec<u32>>, second: Option<Vec<u32>>| match (first, second) {
        (Some(first), Some(second)) => Some(
            first
                .into_iter()
                .zip(second)
                .map(|(own, other)| if own == Frame::NO_ROW { other } else { own })
                .collect(),
        ),
        (first, second) => first.or(second),
    };
    let of_listing = listings.as_ref().map(|_| on(&listings));
    let spell_frame = frames.get(&Basis::Spell);
    let slot = or(
        spell_frame.and_then(|frame| through(frame, &Basis::Slot, &of_spell)),
        frames
            .get(&Basis::Listing)
            .zip(of_listing.as_ref())
            .and_then(|(frame, rows)| through(frame, &Basis::Slot, rows)),
    );
    let own = spell_frame.and_then(|frame| through(frame, &Basis::Listing, &of_spell));
    found.extend(or(own, of_listing).map(|links| (Basis::Listing, links)));
    found.extend(slot.map(|links| (Basis::Slot, links)));
    if context.homes.given() {
        let child = |row: &u32| {
            let (institution, child, _) = day(row);
            context.homes.row(child, institution)
        };
        found.push((Basis::Child, firsts.par_iter().with_min_len(8192).map(child).collect()));
    }
    found.push((Basis::Spell, of_spell));
    found
}

/// Rows of children with a span, by child and institution.
struct Stays<'f> {
    frame: &'f Frame,
    places: FxHashMap<(Key, Key), Vec<u32>>,
    from: &'f [Date],
    until: (&'f [Date], Option<&'f [bool]>),
}

impl<'f> Stays<'f> {
    fn of(frames: &'f Frames, basis: &Basis, span: [&str; 2]) -> Option<Self> {
        let frame = frames.get(basis)?;
        let (children, institutions) = keys(frame.get("child_ref"), frame.get("institution_id"))?;
        let [from, until] = span.map(|name| match frame.get(name) {
            Some(Stored { column: Column::Date(dates), nulls, .. }) => {
                Some((dates.as_slice(), nulls.as_deref()))
            }
            _ => None,
        });
        let mut places: FxHashMap<(Key, Key), Vec<u32>> = FxHashMap::default();
        for (row, key) in (0_u32..).zip(institutions.iter().copied().zip(children.iter().copied()))
        {
            places.entry(key).or_default().push(row);
        }
        Some(Self { frame, places, from: from?.0, until: until? })
    }

    /// The row that covers a day. Of several the first by their values, never by their place (S9).
    fn on(&self, (institution, child, date): (Key, Key, Date)) -> u32 {
        let rows = self.places.get(&(institution, child)).map_or(&[][..], Vec::as_slice);
        let covers = |row: &&u32| {
            let row = **row as usize;
            let open = self.until.1.is_some_and(|open| open[row]);
            self.from[row] <= date && (open || self.until.0[row] >= date)
        };
        let mut covering = rows.iter().filter(covers);
        let values = |row: &&u32| {
            let columns = self.frame.columns.values();
            values(columns.map(|stored| &**stored), **row as usize)
        };
        match (covering.next(), covering.next()) {
            (None, _) => Frame::NO_ROW,
            (Some(only), None) => *only,
            _ => {
                let covering = rows.iter().filter(covers);
                let first = covering.min_by_key(|row| (self.from[**row as usize], values(row)));
                first.copied().unwrap_or(Frame::NO_ROW)
            }
        }
    }
}
