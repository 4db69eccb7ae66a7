//! Listings and spells: rows of the enrolment table, clipped to the month and cut where a clause,
//! an institution version or an age band splits it (S1).
//!
//! Spells stand sorted by institution, so that everything a rule reads of an institution is near.
//! A listing without a day in the month keeps one spell with `in_month` false: it is accounted for.

use super::attendance::{Attendance, group};
use super::child;
use super::institution::Register;
use super::places::{NONE, Places, SEVERAL};
use super::side::Cuts;
use super::slot;
use super::spell_facts;
use super::tally::Spot;
use super::{Facts, Ground, RowUse, Tally, age, count};
use crate::domain::{
    Basis, Column, Date, FindingCode, Frame, Key, KeyColumn, Span, concatenate, largest_remainder,
};
use crate::intake::Table;
use crate::law::AgeRule;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The enrolment columns every listing has.
pub(crate) struct Enrolments<'a> {
    pub(crate) table: &'a Table,
    pub(crate) children: &'a KeyColumn,
    pub(crate) institutions: &'a KeyColumn,
    pub(crate) births: &'a [Date],
    pub(crate) from: &'a [Date],
    last_days: Option<&'a [Date]>,
    open: Option<&'a [bool]>,
}

impl<'a> Enrolments<'a> {
    pub(crate) fn new(table: &'a Table) -> Option<Self> {
        let column = |name: &str| table.get(name).map(|stored| &stored.column);
        match (
            column("child_ref"),
            column("institution_id"),
            column("birth_date"),
            column("spell_from"),
        ) {
            (
                Some(Column::Key(children)),
                Some(Column::Key(institutions)),
                Some(Column::Date(births)),
                Some(Column::Date(from)),
            ) => Some(Self {
                table,
                children,
                institutions,
                births,
                from,
                last_days: match column("spell_until") {
                    Some(Column::Date(days)) => Some(days),
                    _ => None,
                },
                open: table.get("spell_until").and_then(|stored| stored.nulls.as_deref()),
            }),
            _ => None,
        }
    }

    fn until(&self, row: usize) -> Option<Date> {
        match self.last_days {
            Some(days) if !self.open.is_some_and(|open| open[row]) => Some(days[row]),
            _ => None,
        }
    }

    /// Whether the listing does not end before it starts.
    pub(crate) fn runs_forward(&self, row: usize) -> bool {
        self.until(row).is_none_or(|until| until >= self.from[row])
    }

    /// The listing's span clipped to the month; `None` without a day in it.
    pub(crate) fn clipped(&self, row: usize, month: Span) -> Option<Span> {
        let until = self.until(row).unwrap_or(month.until).min(month.until);
        if self.until(row).is_some_and(|until| until < self.from[row]) {
            return None;
        }
        Span::new(self.from[row].max(month.from), until)
    }

    pub(crate) fn spot(&self, row: usize) -> Spot {
        Spot { file: self.table.file_of(row), record: self.table.records[row] }
    }
}

/// Spells of some institutions, in order.
#[derive(Default)]
pub(super) struct Piece {
    pub(super) listing: Vec<u32>,
    pub(super) institution: Vec<u32>,
    pub(super) from: Vec<Date>,
    pub(super) until: Vec<Date>,
    /// The segment of the law each is under; empty where nothing cuts the month.
    pub(super) segment: Vec<u8>,
    /// How many its listing was cut into; empty where nothing cuts the month, or no listing.
    pub(super) pieces: Vec<u16>,
    pub(super) in_month: Vec<bool>,
    /// The attendance row of each spell, [`NONE`] where there is none, [`SEVERAL`] where several are
    /// read together.
    pub(super) attended: Vec<u32>,
    /// Figures that are not those of one row: by spell.
    pub(super) shared: Vec<(u32, [Option<i64>; 5])>,
    pub(super) here: Vec<u32>,
    pub(super) tally: Tally,
}

/// The spell frame before it is linked to slots.
pub(crate) struct Laid {
    frame: Frame,
    listings: Vec<u32>,
    attended: Vec<u32>,
    rows: usize,
}

/// Lays the spells of all listings; `of_child` counts the rows of each row's child.
pub(crate) fn lay(
    ground: &Ground<'_>,
    register: &Register,
    enrolments: &Enrolments<'_>,
    of_child: &[u32],
    cuts: &Cuts<'_>,
    uses: &mut BTreeMap<Arc<str>, RowUse>,
    tally: &mut Tally,
) -> Laid {
    let rows = enrolments.table.rows;
    let homes = homes(register, &enrolments.institutions.keys);
    let mut of_attendance = Tally::default();
    let (((overlapping, lost), (order, starts)), attendance) = rayon::join(
        || (child::overlaps(ground, enrolments, of_child), group(&homes, register.ids.len())),
        || Attendance::new(ground, register, &mut of_attendance),
    );
    tally.absorb(of_attendance);
    if let Some(table) = ground.tables.get("attendance") {
        uses.insert(Arc::clone(&table.name), attendance.used.clone());
    }
    let context = Context {
        ground,
        enrolments,
        register,
        attendance: &attendance,
        lost: &lost,
        cuts,
        split_ages: age::at_spell_start(ground),
        cut: ground.law.segments.len() > 1
            || !register.pieces.is_empty()
            || !age::at_spell_start(ground).is_empty()
            || !lost.is_empty()
            || !cuts.is_empty(),
    };
    let mut pieces = context.walk(&order, &starts);
    let strangers: Vec<u32> = strangers(&homes);
    if !strangers.is_empty() {
        pieces.push(context.strangers(&strangers));
    }
    let mut spells = join(ground, pieces, tally);
    unknown_institutions(enrolments, &strangers, tally);
    uses.insert(Arc::from("enrolments"), RowUse::All);
    let mut frame = spell_facts::frame(ground, register, enrolments, &attendance, &mut spells);
    child::put_listing_facts(
        ground,
        enrolments,
        &spells.listing,
        &spells.here,
        of_child,
        &overlapping,
        &mut frame,
        tally,
    );
    let Piece { listing: listings, attended, .. } = spells;
    Laid { frame, listings, attended, rows }
}

/// Links the spells to slots, tells ages, and builds the listing and child frames where a rule
/// stands on them.
pub(crate) fn finish(ground: &Ground<'_>, laid: Laid, facts: &mut Facts) {
    let Laid { mut frame, listings, attended, rows } = laid;
    let institutions = frame.links.remove(&Basis::Institution).unwrap_or_default();
    slot::link(facts, &mut frame, &institutions);
    frame.links.insert(Basis::Institution, institutions);
    age::put(ground, &mut frame);
    child::build(ground, facts, &mut frame, &listings, rows);
    facts.frames.put(frame);
    facts.attended = attended;
}

/// The main institution row of each listing. Neighbours often share one: it is looked up once.
fn homes(register: &Register, keys: &[Key]) -> Vec<u32> {
    let keys = keys.par_iter().with_min_len(16_384);
    keys.map_with((Key(u128::MAX), Frame::NO_ROW), |last, key| {
        if last.0 != *key {
            *last = (*key, register.row(*key));
        }
        last.1
    })
    .collect()
}

fn strangers(homes: &[u32]) -> Vec<u32> {
    homes
        .par_iter()
        .with_min_len(16_384)
        .enumerate()
        .filter(|(_, home)| **home == Frame::NO_ROW)
        .map(|(row, _)| u32::try_from(row).unwrap_or(u32::MAX))
        .collect()
}

struct Context<'a> {
    ground: &'a Ground<'a>,
    enrolments: &'a Enrolments<'a>,
    register: &'a Register,
    attendance: &'a Attendance<'a>,
    lost: &'a BTreeMap<u32, Vec<Span>>,
    cuts: &'a Cuts<'a>,
    split_ages: Vec<Arc<AgeRule>>,
    cut: bool,
}

impl Context<'_> {
    /// Cuts institutions into runs of about equal work and walks them side by side.
    fn walk(&self, order: &[u32], starts: &[u32]) -> Vec<Piece> {
        const RUN: u32 = 16_384;
        let count = starts.len() - 1;
        let mut runs = Vec::new();
        let mut first = 0;
        for at in 0..count {
            if starts[at + 1] - starts[first] >= RUN || at + 1 == count {
                runs.push(first..at + 1);
                first = at + 1;
            }
        }
        runs.into_par_iter()
            .with_max_len(1)
            .map(|run| {
                let mut piece = Piece::default();
                let rows = (starts[run.end] - starts[run.start]) as usize;
                piece.reserve(rows);
                let mut places = Places::default();
                for institution in run {
                    let listings =
                        &order[starts[institution] as usize..starts[institution + 1] as usize];
                    let row = u32::try_from(institution).unwrap_or(u32::MAX);
                    self.institution(row, listings, &mut places, &mut piece);
                }
                piece
            })
            .collect()
    }

    fn strangers(&self, listings: &[u32]) -> Piece {
        let mut piece = Piece::default();
        for row in listings {
            self.listing(*row, Frame::NO_ROW, &mut piece);
            // One entry a spell: the law may cut the month of a listing nobody is at home for, too.
            piece.here.resize(piece.listing.len(), 1);
            piece.attended.resize(piece.listing.len(), NONE);
        }
        piece
    }

    /// All listings of one institution: spells, repeats of a child, attendance.
    fn institution(
        &self,
        institution: u32,
        listings: &[u32],
        places: &mut Places,
        piece: &mut Piece,
    ) {
        let rows = self.attendance.of(institution);
        if listings.is_empty() && rows.is_empty() {
            return;
        }
        let children = &self.enrolments.children.keys;
        places.fill(rows, |row| self.attendance.child(row), listings.len());
        for listing in listings {
            places.add_listing(children[*listing as usize]);
        }
        let mut absent: (u64, Option<Spot>) = (0, None);
        for listing in listings {
            let at = *listing as usize;
            let first_spell = piece.listing.len();
            self.listing(*listing, institution, piece);
            let (here, attended_rows) = places.get(children[at]);
            for _ in first_spell..piece.listing.len() {
                piece.here.push(here);
            }
            let spells = piece.listing.len() - first_spell;
            if attended_rows == NONE {
                if piece.in_month[first_spell] {
                    absent.0 += 1;
                    absent.1 = absent.1.or(Some(self.enrolments.spot(at)));
                }
                piece.attended.resize(piece.listing.len(), NONE);
            } else if spells == 1
                && here == 1
                && !places.repeated(children[at])
                && !self.attendance.daily()
            {
                piece.attended.push(attended_rows);
            } else {
                self.careful(institution, rows, listings, *listing, first_spell, piece);
            }
        }
        self.count_findings(institution, rows, places, absent, piece);
    }

    /// Attendance where a child has several rows, daily rows, or several spells: daily rows count
    /// by their date; monthly figures are shared over the child's spells here by work days, largest
    /// remainder. Where listings here overlap each has the whole figure for itself.
    fn careful(
        &self,
        institution: u32,
        rows: &[u32],
        listings: &[u32],
        listing: u32,
        first_spell: usize,
        piece: &mut Piece,
    ) {
        let child = self.enrolments.children.keys[listing as usize];
        let own: Vec<u32> =
            rows.iter().copied().filter(|row| self.attendance.child(*row) == child).collect();
        let (attended, twice, unknown) = self.attendance.read(&own);
        let of_child = |other: &&u32| self.enrolments.children.keys[**other as usize] == child;
        // Several listings of the child read the same rows: the first tells what is wrong with them.
        if listings.iter().find(of_child) == Some(&listing) {
            self.attendance_findings(institution, &own, &unknown, twice, piece);
        }
        let mut all: Vec<(u32, Date, Date)> = Vec::new();
        for other in listings.iter().filter(of_child) {
            for (span, _, _) in self.spans(*other, institution) {
                all.push((*other, span.from, span.until));
            }
        }
        let meets = |(at, (_, from, until)): (usize, &(u32, Date, Date))| {
            all[at + 1..].iter().any(|(_, other, end)| from <= end && other <= until)
        };
        if all.iter().enumerate().any(meets) {
            all.retain(|(other, _, _)| *other == listing);
        }
        let shares = |figure: usize, days: i64| -> Vec<i64> {
            if let Some(dates) = &attended.dates {
                let within = |(_, from, until): &(u32, Date, Date)| {
                    let days = dates[figure].iter();
                    count(days.filter(|day| *day >= from && *day <= until).count())
                };
                return all.iter().map(within).collect();
            }
            if all.len() < 2 {
                return vec![days; all.len()];
            }
            share_by_workdays(self.ground, &all, days)
        };
        let spells = piece.listing.len() - first_spell;
        let mut figures = vec![[None; 5]; spells];
        for figure in 0..5 {
            let Some(days) = attended.days[figure] else { continue };
            let parts = shares(figure, days);
            let own = all.iter().zip(parts).filter(|(spell, _)| spell.0 == listing);
            let own: Vec<i64> = own.map(|(_, part)| part).collect();
            for (spell, figures) in figures.iter_mut().enumerate() {
                figures[figure] = Some(own.get(spell).copied().unwrap_or(0));
            }
        }
        for (spell, figures) in figures.into_iter().enumerate() {
            let at = u32::try_from(first_spell + spell).unwrap_or(u32::MAX);
            piece.shared.push((at, figures));
            piece.attended.push(match own[..] {
                [] => NONE,
                [only] => only,
                _ => SEVERAL,
            });
        }
    }

    /// Marks nobody knows and figures told twice, of one child at one institution.
    fn attendance_findings(
        &self,
        institution: u32,
        own: &[u32],
        unknown: &[u32],
        twice: bool,
        piece: &mut Piece,
    ) {
        let id = &self.register.ids[institution as usize];
        if let Some(row) = unknown.first() {
            let (spot, rows) = (self.attendance.spot(*row), unknown.len() as u64);
            piece.tally.add(FindingCode::ValueNotListed, id, "mark", rows, spot, Vec::new());
        }
        if twice {
            let spot = own.first().and_then(|row| self.attendance.spot(*row));
            piece.tally.add(FindingCode::AttendanceTwice, id, "", 1, spot, Vec::new());
        }
    }

    fn count_findings(
        &self,
        institution: u32,
        rows: &[u32],
        places: &Places,
        absent: (u64, Option<Spot>),
        piece: &mut Piece,
    ) {
        let id = &self.register.ids[institution as usize];
        if absent.0 > 0 && self.attendance.table_given() {
            let code = FindingCode::AttendanceMissing;
            piece.tally.add(code, id, "", absent.0, absent.1, Vec::new());
        }
        let mut orphans = places.orphans(rows);
        if let Some(first) = orphans.next() {
            let count = 1 + orphans.count() as u64;
            let spot = self.attendance.spot(first);
            piece.tally.add(FindingCode::AttendanceOrphan, id, "", count, spot, Vec::new());
        }
    }

    /// The spells of one listing: (span, segment, institution row).
    fn spans(&self, listing: u32, institution: u32) -> Vec<(Span, u8, u32)> {
        let month = self.ground.month.span();
        let Some(whole) = self.enrolments.clipped(listing as usize, month) else {
            return Vec::new();
        };
        let mut parts = vec![whole];
        for lost in self.lost.get(&listing).into_iter().flatten() {
            parts = parts.into_iter().flat_map(|part| without(part, *lost)).collect();
        }
        let mut cuts: Vec<Date> =
            self.ground.law.segments.iter().skip(1).map(|law| law.segment.from).collect();
        let pieces = self.register.pieces.get(&institution);
        cuts.extend(pieces.into_iter().flatten().map(|(day, _)| *day));
        let birth = self.enrolments.births[listing as usize];
        for rule in &self.split_ages {
            cuts.extend(age::month_day(rule, birth, whole));
        }
        cuts.extend(self.cuts.days(listing, whole));
        cuts.sort_unstable();
        for cut in cuts {
            parts = parts
                .into_iter()
                .flat_map(|part| match Span::new(part.from, cut.plus_days(-1)) {
                    Some(before) if cut > part.from && cut <= part.until => {
                        vec![before, Span { from: cut, until: part.until }]
                    }
                    _ => vec![part],
                })
                .collect();
        }
        parts
            .into_iter()
            .map(|part| (part, self.segment(part.from), self.version(institution, part.from)))
            .collect()
    }

    fn segment(&self, day: Date) -> u8 {
        let segments = &self.ground.law.segments;
        let at = segments.iter().rposition(|law| law.segment.from <= day).unwrap_or(0);
        u8::try_from(at).unwrap_or(u8::MAX)
    }

    /// The institution row in force on a day.
    fn version(&self, institution: u32, day: Date) -> u32 {
        self.register
            .pieces
            .get(&institution)
            .and_then(|pieces| pieces.iter().rev().find(|(from, _)| *from <= day))
            .map_or(institution, |(_, row)| *row)
    }

    fn listing(&self, listing: u32, institution: u32, piece: &mut Piece) {
        let month = self.ground.month.span();
        if !self.cut {
            let span = self.enrolments.clipped(listing as usize, month);
            piece.push(listing, institution, span, month);
            return;
        }
        let spans = self.spans(listing, institution);
        if spans.is_empty() {
            piece.push(listing, institution, None, month);
            piece.segment.push(0);
            piece.pieces.push(1);
        }
        let pieces = u16::try_from(spans.len()).unwrap_or(u16::MAX);
        for (span, segment, row) in spans {
            piece.push(listing, row, Some(span), month);
            piece.segment.push(segment);
            piece.pieces.push(pieces);
        }
    }
}

/// `days` over spells by their work days; where none has a work day, all go to the first.
fn share_by_workdays(ground: &Ground<'_>, spells: &[(u32, Date, Date)], days: i64) -> Vec<i64> {
    let weights: Vec<i64> = spells
        .iter()
        .map(|(_, from, until)| i64::from(ground.days.workdays(*from, *until)))
        .collect();
    largest_remainder(days, &weights).unwrap_or_else(|| {
        let mut parts = vec![0; spells.len()];
        if let Some(first) = parts.first_mut() {
            *first = days;
        }
        parts
    })
}

/// What is left of a span without another.
fn without(part: Span, lost: Span) -> Vec<Span> {
    let Some(common) = part.overlap(lost) else { return vec![part] };
    let before = (common.from > part.from)
        .then(|| Span { from: part.from, until: common.from.plus_days(-1) });
    let after = (common.until < part.until)
        .then(|| Span { from: common.until.plus_days(1), until: part.until });
    before.into_iter().chain(after).collect()
}

impl Piece {
    fn reserve(&mut self, rows: usize) {
        self.listing.reserve(rows);
        self.institution.reserve(rows);
        self.from.reserve(rows);
        self.until.reserve(rows);
        self.in_month.reserve(rows);
        self.attended.reserve(rows);
        self.here.reserve(rows);
    }

    fn push(&mut self, listing: u32, institution: u32, span: Option<Span>, month: Span) {
        self.listing.push(listing);
        self.institution.push(institution);
        self.from.push(span.map_or(month.from, |span| span.from));
        self.until.push(span.map_or(month.from.plus_days(-1), |span| span.until));
        self.in_month.push(span.is_some());
    }
}

/// Joins the runs in order, as far as somebody reads them.
fn join(ground: &Ground<'_>, pieces: Vec<Piece>, tally: &mut Tally) -> Piece {
    fn each<T: Copy + Default + Send + Sync>(
        pieces: &[Piece],
        of: impl Fn(&Piece) -> &Vec<T>,
    ) -> Vec<T> {
        concatenate(&pieces.iter().map(|piece| of(piece).as_slice()).collect::<Vec<_>>())
    }
    let mut base = 0;
    let mut shared = Vec::new();
    for piece in &pieces {
        shared.extend(piece.shared.iter().map(|(at, figures)| (at + base, *figures)));
        base += u32::try_from(piece.listing.len()).unwrap_or(u32::MAX);
    }
    let segments = ground.law.segments.len() > 1;
    let cut = ground.needs.of_spells("pieces")
        || pieces.iter().any(|piece| piece.pieces.iter().any(|of| *of > 1));
    let here = ground.needs.of_spells("listings_here");
    let mut joined = Piece { shared, ..Piece::default() };
    let of = pieces.as_slice();
    rayon::scope(|columns| {
        columns.spawn(|_| joined.listing = each(of, |piece| &piece.listing));
        columns.spawn(|_| joined.institution = each(of, |piece| &piece.institution));
        columns.spawn(|_| joined.from = each(of, |piece| &piece.from));
        columns.spawn(|_| joined.until = each(of, |piece| &piece.until));
        columns.spawn(|_| joined.attended = each(of, |piece| &piece.attended));
        columns.spawn(|_| joined.in_month = each(of, |piece| &piece.in_month));
        if segments {
            columns.spawn(|_| joined.segment = each(of, |piece| &piece.segment));
        }
        if cut {
            columns.spawn(|_| joined.pieces = each(of, |piece| &piece.pieces));
        }
        if here {
            columns.spawn(|_| joined.here = each(of, |piece| &piece.here));
        }
    });
    for piece in pieces {
        tally.absorb(piece.tally);
    }
    joined
}

fn unknown_institutions(enrolments: &Enrolments<'_>, strangers: &[u32], tally: &mut Tally) {
    for row in strangers {
        let at = *row as usize;
        let id = enrolments.institutions.text(at);
        let spot = Some(enrolments.spot(at));
        tally.add(FindingCode::InstitutionUnknown, &id, "enrolments", 1, spot, Vec::new());
    }
}
