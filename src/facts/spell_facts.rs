//! The spell frame: facts of the spell itself and the columns of its listing.

use super::Ground;
use super::attendance::{Attendance, FIGURES};
use super::child;
use super::institution::{Register, offers};
use super::places::{NONE, SEVERAL};
use super::spell::{Enrolments, Piece};
use crate::domain::{Basis, CodeColumn, Column, Frame, Stored};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

/// Facts of the spell itself and the columns of its listing.
pub(super) fn frame(
    ground: &Ground<'_>,
    register: &Register,
    enrolments: &Enrolments<'_>,
    attendance: &Attendance<'_>,
    spells: &mut Piece,
) -> Frame {
    let count = spells.listing.len();
    let mut frame = Frame::new(Basis::Spell, count);
    let needs = ground.needs;
    for (name, stored) in child::listing_columns(ground, enrolments, &spells.listing) {
        frame.put(&name, stored);
    }
    let plain = |column| Stored::plain(column);
    let want = |name: &str| needs.of_spells(name);
    for (figure, name) in FIGURES.iter().enumerate() {
        let closures_count = figure == 4 && want("days_open");
        if (want(name) || closures_count) && attendance.has(figure) {
            frame.put(name, figure_column(attendance, spells, figure));
        } else if want(name) {
            let nothing = plain(Column::whole(vec![0; count]));
            frame.put(name, nothing.all_null(count));
        }
    }
    let numbers = |of: &(dyn Fn(usize) -> i64 + Sync)| {
        plain(Column::whole((0..count).into_par_iter().with_min_len(8192).map(of).collect()))
    };
    let workdays =
        |row: usize| i64::from(ground.days.workdays(spells.from[row], spells.until[row]));
    if want("spell_days") {
        let days = |row: usize| i64::from(spells.until[row].days() - spells.from[row].days() + 1);
        frame.put("spell_days", numbers(&days));
    }
    if want("spell_workdays") {
        frame.put("spell_workdays", numbers(&workdays));
    }
    if want("days_open") {
        let closed = frame.get("days_closure").cloned();
        let closed_days = |row: usize| match closed.as_ref().map(|stored| (stored, &stored.column))
        {
            Some((stored, Column::Num(column))) if !stored.is_null(row) => column.values[row],
            _ => 0,
        };
        frame.put("days_open", numbers(&|row| (workdays(row) - closed_days(row)).max(0)));
    }
    if want("pieces") || spells.pieces.iter().any(|pieces| *pieces > 1) {
        let pieces = |row: usize| spells.pieces.get(row).copied().map_or(1, i64::from);
        frame.put("pieces", numbers(&pieces));
    }
    let found = spells.attended.par_iter().with_min_len(8192).map(|row| *row != NONE).collect();
    frame.put("in_month", plain(Column::Bool(std::mem::take(&mut spells.in_month))));
    frame.put("attendance_found", plain(Column::Bool(found)));
    frame.put("spell_from", plain(Column::Date(std::mem::take(&mut spells.from))));
    frame.put("spell_until", plain(Column::Date(std::mem::take(&mut spells.until))));
    if ground.law.segments.len() > 1 {
        let segments = spells.segment.iter().map(|segment| i64::from(*segment)).collect();
        frame.put("segment", plain(Column::whole(segments)));
    }
    if want("service_offered") {
        frame.put("service_offered", plain(Column::Bool(offered(register, &frame, spells))));
    }
    Ground::put_origins(enrolments.table, &spells.listing, &mut frame);
    frame.links.insert(Basis::Institution, std::mem::take(&mut spells.institution));
    frame.links.insert(Basis::Programme, vec![0; count]);
    frame
}

/// One figure of every spell.
fn figure_column(attendance: &Attendance<'_>, spells: &Piece, figure: usize) -> Stored {
    let of_row = attendance.column(figure);
    let (mut values, mut nulls): (Vec<i64>, Vec<bool>) = spells
        .attended
        .par_iter()
        .with_min_len(8192)
        .map(|row| match of_row {
            Some((values, nulls)) if *row < SEVERAL => {
                let null = nulls.is_some_and(|nulls| nulls[*row as usize]);
                (values[*row as usize], null)
            }
            _ => (0, true),
        })
        .unzip();
    for (at, figures) in &spells.shared {
        values[*at as usize] = figures[figure].unwrap_or(0);
        nulls[*at as usize] = figures[figure].is_none();
    }
    Stored::nullable(Column::whole(values), nulls)
}

fn offered(register: &Register, frame: &Frame, spells: &Piece) -> Vec<bool> {
    let Some(Stored { column: Column::Code(CodeColumn { codes, list }), .. }) =
        frame.get("service")
    else {
        return vec![true; spells.listing.len()];
    };
    // Spells stand sorted by institution: a run of them asks the same few things again and again.
    let answer = |known: &mut FxHashMap<(u32, u32), bool>, (institution, code): (&u32, &u32)| {
        *known.entry((*institution, *code)).or_insert_with(|| {
            let services = register.services.get(*institution as usize);
            services.is_some_and(|services| offers(services, list.text(*code)))
        })
    };
    let rows = spells.institution.par_iter().zip(codes).with_min_len(8192);
    rows.map_init(FxHashMap::default, answer).collect()
}
