//! Slots: rows in force on the first of the month, summed by institution, age class and service.

use super::institution::{Register, cell_text};
use super::rows::put_missing;
use super::tally::Spot;
use super::{Facts, Ground, RowUse, Tally, row_span};
use crate::domain::{
    Basis, CodeColumn, CodeList, Column, FindingCode, Frame, Key, KeyColumn, Stored,
};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A slot row being summed.
#[derive(Default)]
struct Sum {
    filed: i64,
    open: Option<i64>,
    new: i64,
    first: Option<u32>,
    rows: u64,
}

/// (institution, age class, service) -> row of the slot frame, for linking spells.
type SlotIndex = BTreeMap<(u32, String, Option<String>), u32>;

/// Builds the slot frame.
pub(crate) fn build(
    ground: &Ground<'_>,
    register: &Register,
    facts: &mut Facts,
    tally: &mut Tally,
) {
    let table = ground.tables.get("slots");
    let ids = match table.and_then(|table| table.get("institution_id")).map(|s| &s.column) {
        Some(Column::Key(ids)) => Some(ids),
        _ => None,
    };
    let (Some(table), Some(ids)) = (table, ids) else {
        let none = BTreeMap::new();
        put(facts, frame(ground, register, &none, tally), Vec::new());
        return;
    };
    let whole = |name: &str, row: usize| match table.get(name) {
        Some(stored) if !stored.is_null(row) => match &stored.column {
            Column::Num(column) => Some(column.values[row] / column.den),
            _ => None,
        },
        _ => None,
    };
    let start = ground.month.first();
    let mut sums: BTreeMap<(Key, String, Option<String>), Sum> = BTreeMap::new();
    let mut used = Vec::new();
    for row in 0..table.rows {
        let span = row_span(table.get("valid_from"), table.get("valid_until"), row);
        if !span.is_some_and(|span| span.contains(start)) {
            continue;
        }
        used.push(u32::try_from(row).unwrap_or(u32::MAX));
        let age_class = cell_text(table.get("age_class"), row).unwrap_or_default();
        let service = cell_text(table.get("service"), row);
        let sum = sums.entry((ids.keys[row], age_class, service)).or_default();
        let filed = whole("slots_filed", row).unwrap_or(0);
        sum.filed = sum.filed.saturating_add(filed);
        if let Some(open) = whole("slots_open", row) {
            sum.open = Some(sum.open.unwrap_or(0).saturating_add(open));
            if open > filed {
                let spot = Spot { file: table.file_of(row), record: table.records[row] };
                let values = vec![("open", open.to_string()), ("filed", filed.to_string())];
                tally.add(FindingCode::SlotsOverFiled, &ids.text(row), "", 1, Some(spot), values);
            }
        }
        if matches!(cell_text(table.get("origin"), row).as_deref(), Some("新建" | "改扩建")) {
            sum.new = sum.new.saturating_add(filed);
        }
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        sum.first = Some(sum.first.map_or(row, |first| first.min(row)));
        sum.rows += 1;
    }
    facts.uses.insert(Arc::from("slots"), RowUse::of(used));
    put(facts, frame(ground, register, &sums, tally), links(register, &sums));
}

fn links(register: &Register, sums: &BTreeMap<(Key, String, Option<String>), Sum>) -> Vec<u32> {
    sums.keys().map(|(key, _, _)| register.row(*key)).collect()
}

fn put(facts: &mut Facts, mut frame: Frame, institutions: Vec<u32>) {
    frame.links.insert(Basis::Programme, vec![0; frame.rows]);
    frame.links.insert(Basis::Institution, institutions);
    facts.frames.put(frame);
}

fn frame(
    ground: &Ground<'_>,
    register: &Register,
    sums: &BTreeMap<(Key, String, Option<String>), Sum>,
    tally: &mut Tally,
) -> Frame {
    let mut frame = Frame::new(Basis::Slot, sums.len());
    let table = ground.tables.get("slots");
    let firsts: Vec<u32> = sums.values().filter_map(|sum| sum.first).collect();
    // Declared extra columns of the table: the value of the first row in force of the group.
    if let Some(table) = table {
        for (name, stored) in &table.columns {
            frame.put(name, stored.take(&firsts));
        }
        Ground::put_places(table, &firsts, &mut frame);
    } else {
        for place in ["#file", "#record"] {
            frame.put(place, Stored::plain(Column::whole(Vec::new())));
        }
    }
    put_missing(ground, "slots", &mut frame);
    let mut ids = KeyColumn::default();
    let mut classes = CodeList::default();
    let mut services = CodeList::default();
    let mut class_codes = Vec::with_capacity(sums.len());
    let mut service_codes = Vec::with_capacity(sums.len());
    let mut no_service = Vec::with_capacity(sums.len());
    let delivered = table.and_then(|table| table.get("institution_id"));
    if let Some(Stored { column: Column::Key(column), .. }) = delivered {
        ids.keys = sums.keys().map(|(key, _, _)| *key).collect();
        ids.odd.clone_from(&column.odd);
    }
    for (_, age_class, service) in sums.keys() {
        class_codes.push(classes.intern(age_class));
        service_codes.push(services.intern(service.as_deref().unwrap_or("")));
        no_service.push(service.is_none());
    }
    let numbers = |pick: &dyn Fn(&Sum) -> i64| Column::whole(sums.values().map(pick).collect());
    frame.put("institution_id", Stored::plain(Column::Key(ids)));
    let class_column = CodeColumn { codes: class_codes, list: Arc::new(classes) };
    frame.put("age_class", Stored::plain(Column::Code(class_column)));
    let service_column = CodeColumn { codes: service_codes, list: Arc::new(services) };
    frame.put("service", Stored::nullable(Column::Code(service_column), no_service));
    frame.put("slots_filed", Stored::plain(numbers(&|sum| sum.filed)));
    frame.put("slots_new", Stored::plain(numbers(&|sum| sum.new)));
    let unopened = sums.values().map(|sum| sum.open.is_none()).collect();
    frame.put("slots_open", Stored::nullable(numbers(&|sum| sum.open.unwrap_or(0)), unopened));
    let known: Vec<bool> =
        sums.keys().map(|(key, _, _)| register.row(*key) != Frame::NO_ROW).collect();
    for number in (0..known.len()).filter(|number| !known[*number]) {
        let id = match frame.get("institution_id").map(|s| s.cell(number)) {
            Some(crate::domain::Cell::Text(text)) => text,
            _ => String::new(),
        };
        let spot = table.zip(firsts.get(number)).map(|(table, first)| Spot {
            file: table.file_of(*first as usize),
            record: table.records[*first as usize],
        });
        tally.add(FindingCode::InstitutionUnknown, &id, "slots", 1, spot, Vec::new());
    }
    frame.put("institution_known", Stored::plain(Column::Bool(known)));
    frame
}

/// The index spells are linked through; a slot row without a service serves every service.
fn index(facts: &Facts) -> SlotIndex {
    let mut found = SlotIndex::new();
    let Some(frame) = facts.frames.get(&Basis::Slot) else { return found };
    let Some(institutions) = frame.links.get(&Basis::Institution) else { return found };
    for (row, institution) in institutions.iter().enumerate() {
        let age_class = cell_text(frame.get("age_class"), row).unwrap_or_default();
        let service = cell_text(frame.get("service"), row);
        let number = u32::try_from(row).unwrap_or(u32::MAX);
        if *institution != Frame::NO_ROW {
            found.insert((*institution, age_class, service), number);
        }
    }
    found
}

/// A place of a slot not looked up yet.
const UNSEEN: u32 = u32::MAX - 1;

/// Links spells to slots by institution, age class and service, else to the row for all services.
pub(crate) fn link(facts: &Facts, frame: &mut Frame, institutions: &[u32]) {
    let index = index(facts);
    let versions = facts
        .frames
        .get(&Basis::Institution)
        .and_then(|frame| frame.links.get(&Basis::Institution))
        .cloned()
        .unwrap_or_default();
    let codes = |name: &str| match frame.get(name).map(|stored| &stored.column) {
        Some(Column::Code(column)) => Some(column.clone()),
        _ => None,
    };
    let (Some(classes), Some(services)) = (codes("age_class"), codes("service")) else { return };
    let width = services.list.texts().len();
    let kinds = classes.list.texts().len() * width;
    let find = |main: u32, class: u32, service: u32| {
        let class = classes.list.text(class).to_owned();
        let service = services.list.text(service).to_owned();
        index
            .get(&(main, class.clone(), Some(service)))
            .or_else(|| index.get(&(main, class, None)))
            .copied()
            .unwrap_or(Frame::NO_ROW)
    };
    let rows: Vec<u32> =
        (0..institutions.len()).filter_map(|row| u32::try_from(row).ok()).collect();
    let parts: Vec<Vec<u32>> = rows
        .par_chunks(16_384)
        .map(|chunk| {
            // Spells stand by institution: what was found for one serves its neighbours.
            let mut seen = vec![UNSEEN; kinds];
            let mut of = Frame::NO_ROW;
            chunk
                .iter()
                .map(|row| {
                    let row = *row as usize;
                    let Some(main) = versions.get(institutions[row] as usize).copied() else {
                        return Frame::NO_ROW;
                    };
                    if main != of {
                        seen.fill(UNSEEN);
                        of = main;
                    }
                    let (class, service) = (classes.codes[row], services.codes[row]);
                    let slot = &mut seen[class as usize * width + service as usize];
                    if *slot == UNSEEN {
                        *slot = find(main, class, service);
                    }
                    *slot
                })
                .collect()
        })
        .collect();
    let links = parts.concat();
    frame.links.insert(Basis::Slot, links);
}
