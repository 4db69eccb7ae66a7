//! Slots: rows in force on the first of the month, summed by institution, age class and service.

use super::institution::{Register, cell_text};
use super::rows::put_missing;
use super::tally::Spot;
use super::{Facts, Ground, RowUse, Tally, row_span};
use crate::domain::{
    Basis, CodeColumn, CodeList, Column, FindingCode, Frame, Key, KeyColumn, Stored,
};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
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

/// What a row is summed by: institution, age class and service, as places of their texts in order.
type SlotKey = (Key, u32, u32);

/// Place of a service nobody states, before every other.
const NO_SERVICE: u32 = 0;

/// The texts of a column in order, and the place of each code.
#[derive(Default)]
struct Ranks {
    texts: Vec<String>,
    by_code: Vec<u32>,
}

impl Ranks {
    fn of(stored: Option<&Stored>) -> Self {
        let mut texts = vec![String::new()];
        match stored.map(|stored| (stored, &stored.column)) {
            Some((_, Column::Code(codes))) => {
                texts.extend(codes.list.texts().iter().map(ToString::to_string));
            }
            Some((_, column)) => {
                texts.extend((0..column.len()).filter_map(|row| cell_text(stored, row)));
            }
            None => {}
        }
        texts.sort_unstable();
        texts.dedup();
        let mut this = Self { texts, by_code: Vec::new() };
        if let Some(Column::Code(codes)) = stored.map(|stored| &stored.column) {
            this.by_code = codes.list.texts().iter().map(|text| this.place(text)).collect();
        }
        this
    }

    fn place(&self, text: &str) -> u32 {
        let place = self.texts.partition_point(|known| known.as_str() < text);
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    /// The place of a row's text; `None` where it is null or absent.
    fn at(&self, stored: Option<&Stored>, row: usize) -> Option<u32> {
        match stored.map(|stored| &stored.column) {
            Some(Column::Code(codes)) if !stored.is_some_and(|stored| stored.is_null(row)) => {
                self.by_code.get(codes.codes[row] as usize).copied()
            }
            _ => cell_text(stored, row).map(|text| self.place(&text)),
        }
    }
}

/// Slot rows summed by their keys.
#[derive(Default)]
struct Sums {
    by_key: BTreeMap<SlotKey, Sum>,
    classes: Ranks,
    services: Ranks,
}

/// Builds the slot frame; gives it with the rows used.
pub(crate) fn build(
    ground: &Ground<'_>,
    register: &Register,
    tally: &mut Tally,
) -> (Frame, RowUse) {
    let table = ground.tables.get("slots");
    let ids = match table.and_then(|table| table.get("institution_id")).map(|s| &s.column) {
        Some(Column::Key(ids)) => Some(ids),
        _ => None,
    };
    let (Some(table), Some(ids)) = (table, ids) else {
        return (frame(ground, register, &Sums::default(), tally), RowUse::default());
    };
    let whole = |stored: Option<&Stored>, row: usize| match stored {
        Some(stored) if !stored.is_null(row) => match &stored.column {
            Column::Num(column) => Some(column.values[row] / column.den),
            _ => None,
        },
        _ => None,
    };
    let start = ground.month.first();
    let [from, until, class, service, filed, open, origin] = [
        "valid_from",
        "valid_until",
        "age_class",
        "service",
        "slots_filed",
        "slots_open",
        "origin",
    ]
    .map(|name| table.get(name));
    let mut sums =
        Sums { by_key: BTreeMap::new(), classes: Ranks::of(class), services: Ranks::of(service) };
    let mut used = Vec::new();
    for row in 0..table.rows {
        if !row_span(from, until, row).is_some_and(|span| span.contains(start)) {
            continue;
        }
        used.push(u32::try_from(row).unwrap_or(u32::MAX));
        let age_class = sums.classes.at(class, row).unwrap_or(0);
        let service = sums.services.at(service, row).map_or(NO_SERVICE, |place| place + 1);
        let sum = sums.by_key.entry((ids.keys[row], age_class, service)).or_default();
        let filed = whole(filed, row).unwrap_or(0);
        sum.filed = sum.filed.saturating_add(filed);
        if let Some(open) = whole(open, row) {
            sum.open = Some(sum.open.unwrap_or(0).saturating_add(open));
            if open > filed {
                let spot = Spot { file: table.file_of(row), record: table.records[row] };
                let values = vec![("open", open.to_string()), ("filed", filed.to_string())];
                tally.add(FindingCode::SlotsOverFiled, &ids.text(row), "", 1, Some(spot), values);
            }
        }
        if matches!(cell_text(origin, row).as_deref(), Some("新建" | "改扩建")) {
            sum.new = sum.new.saturating_add(filed);
        }
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        sum.first = Some(sum.first.map_or(row, |first| first.min(row)));
        sum.rows += 1;
    }
    (frame(ground, register, &sums, tally), RowUse::of(used))
}

fn frame(
    ground: &Ground<'_>,
    register: &Register,
    Sums { by_key: sums, classes: class_texts, services: service_texts }: &Sums,
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
        Ground::put_origins(table, &firsts, &mut frame);
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
    let text = |ranks: &Ranks, place: u32| ranks.texts.get(place as usize).cloned();
    for (_, age_class, service) in sums.keys() {
        let stated = service.checked_sub(1).and_then(|place| text(service_texts, place));
        class_codes.push(classes.intern(&text(class_texts, *age_class).unwrap_or_default()));
        service_codes.push(services.intern(stated.as_deref().unwrap_or("")));
        no_service.push(stated.is_none());
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
    frame.links.insert(Basis::Programme, vec![0; frame.rows]);
    let homes = sums.keys().map(|(key, _, _)| register.row(*key)).collect();
    frame.links.insert(Basis::Institution, homes);
    frame
}

/// Code of a slot row that serves every service, and of a text no slot has.
const EVERY: u32 = u32::MAX;
const UNKNOWN: u32 = u32::MAX - 1;

/// (institution, age class, service) -> row of the slot frame, by the frame's own codes.
type SlotIndex = FxHashMap<(u32, u32, u32), u32>;

fn codes<'f>(frame: &'f Frame, name: &str) -> Option<&'f CodeColumn> {
    match frame.get(name).map(|stored| &stored.column) {
        Some(Column::Code(column)) => Some(column),
        _ => None,
    }
}

/// The index spells are linked through; a slot row without a service serves every service.
fn index(slots: &Frame, classes: &CodeColumn, services: &CodeColumn) -> SlotIndex {
    let mut found = SlotIndex::default();
    let Some(institutions) = slots.links.get(&Basis::Institution) else { return found };
    let stated = slots.get("service");
    for (row, institution) in institutions.iter().enumerate() {
        let every = stated.is_none_or(|stored| stored.is_null(row));
        let service = if every { EVERY } else { services.codes[row] };
        let number = u32::try_from(row).unwrap_or(u32::MAX);
        if *institution != Frame::NO_ROW {
            found.insert((*institution, classes.codes[row], service), number);
        }
    }
    found
}

/// The codes of another list's texts, [`UNKNOWN`] where it lacks one.
fn translated(from: &CodeList, to: &CodeList) -> Vec<u32> {
    from.texts().iter().map(|text| to.code(text).unwrap_or(UNKNOWN)).collect()
}

/// A place of a slot not looked up yet.
const UNSEEN: u32 = u32::MAX - 1;

/// Spells one thread links in one go.
const STRETCH: usize = 16_384;

/// Links spells to slots by institution, age class and service, else to the row for all services.
pub(crate) fn link(facts: &Facts, frame: &mut Frame, institutions: &[u32]) {
    let none = Vec::new();
    let versions = facts.frames.get(&Basis::Institution);
    let versions = versions.and_then(|frame| frame.links.get(&Basis::Institution)).unwrap_or(&none);
    let (Some(classes), Some(services)) = (codes(frame, "age_class"), codes(frame, "service"))
    else {
        return;
    };
    let slots = facts.frames.get(&Basis::Slot).and_then(|slots| {
        let (own_classes, own_services) = (codes(slots, "age_class")?, codes(slots, "service")?);
        let found = index(slots, own_classes, own_services);
        let class = translated(&classes.list, &own_classes.list);
        Some((found, class, translated(&services.list, &own_services.list)))
    });
    let width = services.list.texts().len();
    let kinds = classes.list.texts().len() * width;
    let find = |main: u32, class: u32, service: u32| {
        let Some((index, classes, services)) = &slots else { return Frame::NO_ROW };
        let code = |codes: &[u32], at: u32| codes.get(at as usize).copied().unwrap_or(UNKNOWN);
        let (class, service) = (code(classes, class), code(services, service));
        let own = index.get(&(main, class, service));
        own.or_else(|| index.get(&(main, class, EVERY))).copied().unwrap_or(Frame::NO_ROW)
    };
    let mut links = vec![Frame::NO_ROW; institutions.len()];
    let stretches = links.par_chunks_mut(STRETCH).zip(institutions.par_chunks(STRETCH));
    stretches.enumerate().for_each(|(at, (links, institutions))| {
        // Spells stand by institution: what was found for one serves its neighbours.
        let mut seen = vec![UNSEEN; kinds];
        let mut of = Frame::NO_ROW;
        for ((link, institution), row) in links.iter_mut().zip(institutions).zip(at * STRETCH..) {
            let Some(main) = versions.get(*institution as usize).copied() else { continue };
            if main != of {
                seen.fill(UNSEEN);
                of = main;
            }
            let (class, service) = (classes.codes[row], services.codes[row]);
            let slot = &mut seen[class as usize * width + service as usize];
            if *slot == UNSEEN {
                *slot = find(main, class, service);
            }
            *link = *slot;
        }
    });
    frame.links.insert(Basis::Slot, links);
}
