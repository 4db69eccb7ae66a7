//! Bases that are rows of a small table: classes, caregivers, venues, contracts, certificates,
//! sanctions, and tables a pack declares.

use super::homes::Homes;
use super::institution::{Register, account_valid, holds, sanctions_by};
use super::repeats::Repeats;
use super::tally::Spot;
use super::{Facts, Ground, RowUse, Tally, date_at, repeats, row_span, text_at};
use crate::domain::{Basis, Column, FindingCode, Frame, Key, Stored, check_cnaps};
use crate::intake::Table;
use crate::law::dictionary::{PAYEES, SANCTIONS, TABLE_BASES};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Builds the frames of all small tables.
pub(crate) fn build(
    ground: &Ground<'_>,
    register: &Register,
    homes: &Homes,
    facts: &mut Facts,
    tally: &mut Tally,
) {
    let mut small: Vec<(Basis, String)> = TABLE_BASES
        .iter()
        .filter(|(basis, _)| *basis != Basis::Institution)
        .map(|(basis, table)| (basis.clone(), (*table).to_owned()))
        .collect();
    for table in [SANCTIONS, PAYEES] {
        small.push((Basis::Declared(Arc::from(table)), table.to_owned()));
    }
    for input in &ground.law.inputs {
        let basis = Basis::Declared(Arc::clone(&input.name));
        let core = crate::law::inputs::core_tables(&ground.law.head.currency)
            .iter()
            .any(|core| core.name == input.name);
        if !core && !small.iter().any(|(known, _)| *known == basis) {
            small.push((basis, input.name.to_string()));
        }
    }
    for (basis, table_name) in small {
        match ground.tables.get(&table_name) {
            Some(table) => {
                let rows = in_month(ground, &basis, table);
                facts.frames.put(frame(ground, (register, homes), &basis, table, &rows, tally));
                facts.uses.insert(Arc::from(table_name.as_str()), RowUse::of(rows));
            }
            None => facts.frames.put(empty(ground, basis, &table_name)),
        }
    }
}

/// A frame without rows, its columns typed as declared, so that rules on it read nothing.
fn empty(ground: &Ground<'_>, basis: Basis, table: &str) -> Frame {
    let mut frame = Frame::new(basis, 0);
    put_missing(ground, table, &mut frame);
    frame.put("institution_known", Stored::plain(Column::Bool(Vec::new())));
    frame.put("sanctioned", Stored::plain(Column::Bool(Vec::new())));
    for flag in ["listed_first", "listed_contradicts"] {
        frame.put(flag, Stored::plain(Column::Bool(Vec::new())));
    }
    for days in ["days_employed", "days_used", "listed_times"] {
        frame.put(days, Stored::plain(Column::whole(Vec::new())));
    }
    for coarse in [Basis::Child, Basis::Institution, Basis::Programme] {
        frame.links.insert(coarse, Vec::new());
    }
    frame
}

/// Puts the declared nullable columns nobody delivered, null throughout.
pub(crate) fn put_missing(ground: &Ground<'_>, table: &str, frame: &mut Frame) {
    for input in ground.law.inputs.iter().filter(|input| &*input.name == table) {
        for column in &input.columns {
            if frame.get(&column.name).is_none() {
                frame.put(&column.name, no_rows(&column.ty).all_null(frame.rows));
            }
        }
    }
}

/// An empty column of a type.
pub(crate) fn no_rows(ty: &crate::law::Ty) -> Stored {
    use crate::domain::{CodeColumn, CodeList, KeyColumn};
    use crate::law::Ty;
    Stored::plain(match ty {
        Ty::Bool => Column::Bool(Vec::new()),
        Ty::Key => Column::Key(KeyColumn::default()),
        Ty::Num { .. } => Column::whole(Vec::new()),
        Ty::Date => Column::Date(Vec::new()),
        Ty::Text(_) => {
            Column::Code(CodeColumn { codes: Vec::new(), list: Arc::new(CodeList::default()) })
        }
    })
}

/// Which rows of a small table belong to the month.
fn in_month(ground: &Ground<'_>, basis: &Basis, table: &Table) -> Vec<u32> {
    let input = ground.law.inputs.iter().find(|input| input.name == table.name);
    let mut month = ground.month.span();
    if input.is_some_and(|input| input.of.is_some()) {
        // A day of the month before, in a week that ends in this one, asks for its row as well.
        month.from = month.from.min(ground.law.head.weeks.days(ground.month).from);
    }
    let spans = input.and_then(|input| input.span.clone());
    (0..table.rows)
        .filter(|row| match (basis, &spans) {
            (Basis::Contract, _) => {
                date_at(table.get("period"), *row).is_none_or(|day| day.month() == ground.month)
            }
            // Sanctions before the month matter for look-back windows.
            (Basis::Declared(name), _) if &**name == SANCTIONS => true,
            (_, Some((from, until))) => row_span(table.get(from), table.get(until), *row)
                .is_some_and(|span| span.overlap(month).is_some()),
            _ => true,
        })
        .map(|row| u32::try_from(row).unwrap_or(u32::MAX))
        .collect()
}

fn frame(
    ground: &Ground<'_>,
    (register, homes): (&Register, &Homes),
    basis: &Basis,
    table: &Table,
    rows: &[u32],
    tally: &mut Tally,
) -> Frame {
    let mut frame = Frame::new(basis.clone(), rows.len());
    for (name, stored) in &table.columns {
        frame.put(name, stored.take(rows));
    }
    put_missing(ground, &table.name, &mut frame);
    let institutions: Vec<u32> = match table.get("institution_id") {
        Some(stored @ Stored { column: Column::Key(keys), .. }) => rows
            .iter()
            .map(|row| {
                let row = *row as usize;
                if stored.is_null(row) { Frame::NO_ROW } else { register.row(keys.keys[row]) }
            })
            .collect(),
        _ => vec![Frame::NO_ROW; rows.len()],
    };
    let known = institutions.iter().map(|row| *row != Frame::NO_ROW).collect();
    frame.put("institution_known", Stored::plain(Column::Bool(known)));
    for (number, row) in rows.iter().enumerate() {
        let id = text_at(table.get("institution_id"), *row as usize);
        if institutions[number] == Frame::NO_ROW && !id.is_empty() {
            let row = *row as usize;
            let spot = Spot { file: table.file_of(row), record: table.records[row] };
            let code = FindingCode::InstitutionUnknown;
            tally.add(code, &id, &table.name, 1, Some(spot), Vec::new());
        }
    }
    put_computed(ground, basis, table, rows, &mut frame);
    let mut inputs = ground.law.inputs.iter();
    if let Some(input) = inputs.find(|input| input.name == table.name && input.names_rows()) {
        repeats::put(input, table, rows, &mut frame, tally);
    }
    Ground::put_origins(table, rows, &mut frame);
    frame.links.insert(Basis::Programme, vec![0; rows.len()]);
    frame.links.insert(Basis::Institution, institutions);
    if let (Basis::Declared(_), Some(children)) = (basis, homes.children(table, rows)) {
        frame.links.insert(Basis::Child, children);
    }
    frame
}

/// Days of the row within the month, and sanctions on the person.
fn put_computed(
    ground: &Ground<'_>,
    basis: &Basis,
    table: &Table,
    rows: &[u32],
    frame: &mut Frame,
) {
    let month = ground.month.span();
    let days = || -> Vec<i64> {
        rows.iter()
            .map(|row| {
                row_span(table.get("from"), table.get("until"), *row as usize)
                    .and_then(|span| span.overlap(month))
                    .map_or(0, |span| i64::from(span.days()))
            })
            .collect()
    };
    match basis {
        Basis::Caregiver => {
            frame.put("days_employed", Stored::plain(Column::whole(days())));
            let sanctions: BTreeMap<Key, _> = sanctions_by(ground, "person_ref");
            let word = ground.law.head.sanctions;
            let keys = match table.get("person_ref").map(|s| &s.column) {
                Some(Column::Key(keys)) => keys.keys.clone(),
                _ => vec![Key::default(); table.rows],
            };
            let struck = rows
                .iter()
                .map(|row| {
                    sanctions.get(&keys[*row as usize]).is_some_and(|spans| {
                        spans.iter().any(|span| holds(word, *span, month.from, month))
                    })
                })
                .collect();
            frame.put("sanctioned", Stored::plain(Column::Bool(struck)));
        }
        Basis::Certificate => {
            let found = Repeats::of(["person_ref", "certificate"], table, rows);
            frame.put("listed_times", Stored::plain(Column::whole(found.times)));
            frame.put("listed_first", Stored::plain(Column::Bool(found.firsts)));
        }
        Basis::Venue => frame.put("days_used", Stored::plain(Column::whole(days()))),
        Basis::Declared(name) if &**name == PAYEES => {
            let checked = |column: &str, holds: fn(&str) -> bool| {
                let text = |row: &u32| text_at(table.get(column), *row as usize);
                Stored::plain(Column::Bool(rows.iter().map(|row| holds(&text(row))).collect()))
            };
            frame.put("account_valid", checked("account_no", account_valid));
            frame.put("bank_no_valid", checked("bank_no", |text| check_cnaps(text).is_ok()));
        }
        _ => {}
    }
}
