//! Institutions: versions, double listings, filing, inclusive status, sanctions, identity checks.
//!
//! Every register row in force is an institution row. One row an institution is its *main* row; a
//! row that takes over inside the month (only under `split_days`) stands at the end of the frame
//! and links to its main row.

use super::identity::values;
use super::rows::put_missing;
use super::tally::Spot;
use super::{Facts, Ground, RowUse, Tally, count, date_at, row_span, text_at};
use crate::domain::{
    Basis, Cell, Column, Date, FindingCode, Frame, Key, Span, Stored, check_cnaps, check_uscc,
    luhn_valid,
};
use crate::intake::Table;
use crate::law::MidMonth;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The register as the other bases see it.
#[derive(Debug, Default)]
pub(crate) struct Register {
    /// Institution id -> main row.
    pub(crate) index: FxHashMap<Key, u32>,
    /// Main row -> rows that take over on a date inside the month, ascending.
    pub(crate) pieces: BTreeMap<u32, Vec<(Date, u32)>>,
    /// Id text by row.
    pub(crate) ids: Vec<String>,
    /// Services filed by row; empty = none stated, all offered.
    pub(crate) services: Vec<String>,
}

impl Register {
    /// The main row of an id.
    pub(crate) fn row(&self, key: Key) -> u32 {
        self.index.get(&key).copied().unwrap_or(Frame::NO_ROW)
    }
}

/// One institution row being made.
struct Row {
    delivered: u32,
    main: u32,
    at: Date,
    listed_times: i64,
    contradicts: bool,
    first: bool,
}

/// Builds the institution frame.
pub(crate) fn build(ground: &Ground<'_>, facts: &mut Facts, tally: &mut Tally) -> Register {
    let table = ground.tables.get("institutions");
    let ids = match table.and_then(|table| table.get("institution_id")).map(|s| &s.column) {
        Some(Column::Key(ids)) => Some(ids),
        _ => None,
    };
    let (Some(table), Some(ids)) = (table, ids) else {
        facts.frames.put(nobody(ground));
        return Register::default();
    };
    let mut groups: BTreeMap<Key, Vec<u32>> = BTreeMap::new();
    for (row, key) in ids.keys.iter().enumerate() {
        groups.entry(*key).or_default().push(u32::try_from(row).unwrap_or(u32::MAX));
    }
    let sanctions = sanctions_by(ground, "institution_id");
    let read = columns_read(ground, table);
    let mut rows: Vec<Row> = Vec::with_capacity(groups.len());
    let mut later: Vec<Row> = Vec::new();
    let mut register = Register::default();
    for (key, group) in &groups {
        let (start, in_force) = in_force(ground, table, group);
        if in_force.is_empty() {
            continue;
        }
        let contradicts = in_force.iter().any(|row| differs(table, &read, in_force[0], *row));
        let first = first_by_values(table, &in_force);
        let main =
            u32::try_from(rows.len() + in_force.iter().position(|r| *r == first).unwrap_or(0))
                .unwrap_or(u32::MAX);
        register.index.insert(*key, main);
        for row in &in_force {
            let own = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            rows.push(Row {
                delivered: *row,
                main: own,
                at: start,
                listed_times: count(in_force.len()),
                contradicts,
                first: *row == first,
            });
        }
        for (at, table_row) in cuts(ground, table, group, first, sanctions.get(key)) {
            later.push(Row {
                delivered: table_row,
                main,
                at,
                listed_times: count(in_force.len()),
                contradicts,
                first: true,
            });
        }
    }
    for row in &later {
        let number = u32::try_from(rows.len()).unwrap_or(u32::MAX)
            + u32::try_from(register.pieces.values().map(Vec::len).sum::<usize>()).unwrap_or(0);
        register.pieces.entry(row.main).or_default().push((row.at, number));
    }
    rows.extend(later);
    let frame = frame(ground, table, &rows, &sanctions, ids, tally);
    // A row that has expired, or starts only later, is in force on no day of the month and unused.
    let used = RowUse::of(rows.iter().map(|row| row.delivered));
    facts.uses.insert(Arc::from("institutions"), used);
    for row in &rows {
        register.ids.push(ids.text(row.delivered as usize));
        register.services.push(text_at(table.get("services"), row.delivered as usize));
    }
    facts.frames.put(frame);
    register
}

/// The instant the month's register is read at, and the rows in force then: the first of the month,
/// else the day the first version starts inside the month.
fn in_force(ground: &Ground<'_>, table: &Table, group: &[u32]) -> (Date, Vec<u32>) {
    let span = |row: u32| version_span(table, row);
    let at = |day: Date| -> Vec<u32> {
        group.iter().copied().filter(|row| span(*row).is_some_and(|s| s.contains(day))).collect()
    };
    let first = ground.month.first();
    let found = at(first);
    if !found.is_empty() {
        return (first, found);
    }
    let start = group
        .iter()
        .filter_map(|row| span(*row))
        .map(|s| s.from)
        .filter(|from| ground.month.span().contains(*from))
        .min();
    start.map_or((first, Vec::new()), |day| (day, at(day)))
}

fn version_span(table: &Table, row: u32) -> Option<Span> {
    row_span(table.get("valid_from"), table.get("valid_until"), row as usize)
}

/// Names of the register's columns that decide money: read by the law, behind a status the law
/// reads, or used to pay.
fn columns_read(ground: &Ground<'_>, table: &Table) -> Vec<Arc<str>> {
    const BEHIND: &[(&str, &[&str])] = &[
        ("filed", &["filed_from", "filed_until"]),
        ("filed_whole_month", &["filed_from", "filed_until"]),
        ("inclusive", &["inclusive_from", "inclusive_until"]),
        ("inclusive_whole_month", &["inclusive_from", "inclusive_until"]),
    ];
    table
        .columns
        .keys()
        .filter(|name| {
            let read = |basis, n: &str| ground.needs.column(&basis, n);
            read(Basis::Institution, name)
                || (&***name == "services" && read(Basis::Spell, "service_offered"))
                || matches!(&***name, "account_no" | "bank_no" | "account_name")
                || BEHIND.iter().any(|(status, behind)| {
                    read(Basis::Institution, status) && behind.contains(&&***name)
                })
        })
        .cloned()
        .collect()
}

fn differs(table: &Table, columns: &[Arc<str>], a: u32, b: u32) -> bool {
    columns
        .iter()
        .filter_map(|name| table.get(name))
        .any(|stored| stored.cell(a as usize) != stored.cell(b as usize))
}

/// Of rows that say the same, the one whose remaining values come first: no record number (S9).
fn first_by_values(table: &Table, rows: &[u32]) -> u32 {
    let text = |row: u32| values(table.columns.values(), row as usize);
    match rows {
        [only] => *only,
        _ => rows.iter().copied().min_by_key(|row| text(*row)).unwrap_or(0),
    }
}

/// Days after the first on which the institution's status changes under a `split_days` setting,
/// each with the register row in force from then.
fn cuts(
    ground: &Ground<'_>,
    table: &Table,
    group: &[u32],
    first: u32,
    sanctions: Option<&Vec<Span>>,
) -> Vec<(Date, u32)> {
    let head = &ground.law.head;
    let split = |word| word == MidMonth::SplitDays;
    if ![head.filing, head.inclusive, head.grade, head.sanctions].into_iter().any(split) {
        return Vec::new();
    }
    let mut days = BTreeSet::new();
    let mut ends = |span: Option<Span>| {
        if let Some(span) = span {
            days.insert(span.from);
            days.insert(span.until.plus_days(1));
        }
    };
    for row in group {
        if split(head.grade) {
            ends(version_span(table, *row));
        }
        for (word, from, until) in STATUSES {
            let word = if *word == "filing" { head.filing } else { head.inclusive };
            if split(word) {
                let start = date_at(table.get(from), *row as usize);
                ends(
                    start.and_then(|_| row_span(table.get(from), table.get(until), *row as usize)),
                );
            }
        }
    }
    if split(head.sanctions) {
        sanctions.into_iter().flatten().for_each(|span| ends(Some(*span)));
    }
    let month = ground.month.span();
    days.into_iter()
        .filter(|day| *day > month.from && *day <= month.until)
        .map(|day| {
            let row = group
                .iter()
                .copied()
                .filter(|row| version_span(table, *row).is_some_and(|s| s.contains(day)))
                .min_by_key(|row| u8::from(*row != first))
                .unwrap_or(first);
            (day, row)
        })
        .collect()
}

const STATUSES: &[(&str, &str, &str)] =
    &[("filing", "filed_from", "filed_until"), ("inclusive", "inclusive_from", "inclusive_until")];

/// Spans of sanctions by the key in `column`.
pub(crate) fn sanctions_by(ground: &Ground<'_>, column: &str) -> BTreeMap<Key, Vec<Span>> {
    let mut found: BTreeMap<Key, Vec<Span>> = BTreeMap::new();
    let Some(table) = ground.tables.get("sanctions") else { return found };
    let Some(stored) = table.get(column) else { return found };
    let Column::Key(keys) = &stored.column else { return found };
    for row in 0..table.rows {
        let span = row_span(table.get("effect_from"), table.get("effect_until"), row);
        if let (false, Some(span)) = (stored.is_null(row), span) {
            found.entry(keys.keys[row]).or_default().push(span);
        }
    }
    found
}

/// S18: whether a status with this span holds, looked at on `at`.
pub(crate) fn holds(word: MidMonth, span: Span, at: Date, month: Span) -> bool {
    match word {
        MidMonth::SplitDays => span.contains(at),
        MidMonth::WholeIfStarted => span.overlap(month).is_some(),
        MidMonth::ByMonthStart | MidMonth::NextMonth => span.contains(month.from),
    }
}

/// The frame when no register was delivered.
fn nobody(ground: &Ground<'_>) -> Frame {
    let mut frame = Frame::new(Basis::Institution, 0);
    put_missing(ground, "institutions", &mut frame);
    for entry in ground.law.dictionary.iter().filter(|entry| entry.basis == Basis::Institution) {
        if frame.get(&entry.name).is_none() {
            frame.put(&entry.name, super::rows::no_rows(&entry.ty));
        }
    }
    linked(frame, &[])
}

fn linked(mut frame: Frame, rows: &[Row]) -> Frame {
    let count = frame.rows;
    frame.links.insert(Basis::Institution, rows.iter().map(|row| row.main).collect());
    frame.links.insert(Basis::Programme, vec![0; count]);
    frame
}

fn frame(
    ground: &Ground<'_>,
    table: &Table,
    rows: &[Row],
    sanctions: &BTreeMap<Key, Vec<Span>>,
    ids: &crate::domain::KeyColumn,
    tally: &mut Tally,
) -> Frame {
    let picked: Vec<u32> = rows.iter().map(|row| row.delivered).collect();
    let mut frame = Frame::new(Basis::Institution, rows.len());
    for (name, stored) in &table.columns {
        frame.put(name, stored.take(&picked));
    }
    put_missing(ground, "institutions", &mut frame);
    let month = ground.month.span();
    let head = &ground.law.head;
    let dated = |row: &Row, from: &str, until: &str| -> Option<Span> {
        date_at(table.get(from), row.delivered as usize)?;
        row_span(table.get(from), table.get(until), row.delivered as usize)
    };
    let bools =
        |test: &dyn Fn(&Row) -> bool| Stored::plain(Column::Bool(rows.iter().map(test).collect()));
    let whole = |span: Span| span.from <= month.from && span.until >= month.until;
    for (status, from, until, word) in [
        ("filed", "filed_from", "filed_until", head.filing),
        ("inclusive", "inclusive_from", "inclusive_until", head.inclusive),
    ] {
        frame.put(
            status,
            bools(&|row| {
                dated(row, from, until).is_some_and(|span| holds(word, span, row.at, month))
            }),
        );
        frame.put(
            &format!("{status}_whole_month"),
            bools(&|row| dated(row, from, until).is_some_and(whole)),
        );
    }
    let spans = |row: &Row| sanctions.get(&ids.keys[row.delivered as usize]);
    let any = |row: &Row, test: &dyn Fn(Span) -> bool| {
        spans(row).is_some_and(|spans| spans.iter().any(|span| test(*span)))
    };
    let endless = Date::from_days(i32::MAX / 4);
    frame.put(
        "sanctioned",
        bools(&|row| any(row, &|span| holds(head.sanctions, span, row.at, month))),
    );
    frame.put("sanctioned_ever", bools(&|row| any(row, &|span| span.from <= month.until)));
    frame.put(
        "barred",
        bools(&|row| any(row, &|span| span.until == endless && span.from <= month.until)),
    );
    frame.put("listed_contradicts", bools(&|row| row.contradicts));
    frame.put("listed_first", bools(&|row| row.first));
    let times = rows.iter().map(|row| row.listed_times).collect();
    frame.put("listed_times", Stored::plain(Column::whole(times)));
    check_identity(ground, table, rows, &mut frame, tally);
    Ground::put_origins(table, &picked, &mut frame);
    linked(frame, rows)
}

/// USCC, account and bank number, each with its finding; and findings on listings and sanctions.
fn check_identity(
    ground: &Ground<'_>,
    table: &Table,
    rows: &[Row],
    frame: &mut Frame,
    tally: &mut Tally,
) {
    let mut uscc = Vec::with_capacity(rows.len());
    let mut account = Vec::with_capacity(rows.len());
    let mut bank = Vec::with_capacity(rows.len());
    let sanctioned: Vec<bool> = match frame.get("sanctioned").map(|s| &s.column) {
        Some(Column::Bool(values)) => values.clone(),
        _ => vec![false; rows.len()],
    };
    for (number, row) in rows.iter().enumerate() {
        let at = row.delivered as usize;
        let id = text_at(table.get("institution_id"), at);
        let account_no = text_at(table.get("account_no"), at);
        let bank_no = text_at(table.get("bank_no"), at);
        let id_valid = !ground.law.head.uscc || check_uscc(&id).is_ok();
        let account_valid = account_valid(&account_no);
        let bank_valid = check_cnaps(&bank_no).is_ok();
        uscc.push(id_valid);
        account.push(account_valid);
        bank.push(bank_valid);
        let spot = Some(Spot { file: table.file_of(at), record: table.records[at] });
        let mut found = |code, values| tally.add(code, &id, "", 1, spot, values);
        if !id_valid {
            found(FindingCode::UsccInvalid, vec![("found", id.clone())]);
        }
        if !account_valid && !account_no.is_empty() {
            found(FindingCode::AccountInvalid, Vec::new());
        }
        if !bank_valid && !bank_no.is_empty() {
            found(FindingCode::BankNoInvalid, vec![("found", bank_no.clone())]);
        }
        if row.listed_times > 1 {
            let times = vec![("times", row.listed_times.to_string())];
            if row.contradicts {
                found(FindingCode::InstitutionContradicts, times);
            } else {
                found(FindingCode::InstitutionListedTwice, times);
            }
        }
        if sanctioned[number] {
            found(FindingCode::SanctionInForce, Vec::new());
        }
    }
    frame.put("uscc_valid", Stored::plain(Column::Bool(uscc)));
    frame.put("account_valid", Stored::plain(Column::Bool(account)));
    frame.put("bank_no_valid", Stored::plain(Column::Bool(bank)));
}

/// Whether an account can be right: not empty, and by its check digit where it has one.
pub(crate) fn account_valid(account_no: &str) -> bool {
    !account_no.is_empty() && (!account_no.starts_with("62") || luhn_valid(account_no))
}

/// Whether a service is among those filed; a register that states none offers all.
pub(crate) fn offers(services: &str, service: &str) -> bool {
    services.is_empty()
        || services.split([';', '；', ',', '，', '、', '|', '/', ' ']).any(|s| s.trim() == service)
}

/// A text cell of a stored column, for comparisons.
pub(crate) fn cell_text(stored: Option<&Stored>, row: usize) -> Option<String> {
    match stored?.cell(row) {
        Cell::Text(text) => Some(text),
        _ => None,
    }
}
