//! `entitlements`: one line per (basis row, item), in row groups that are built, encoded and
//! compressed on all threads and written in order.

mod columns;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Arc;
use std::thread::JoinHandle;

use rayon::prelude::*;

use super::pseudonym::{Pseudonym, Pseudonyms};
use super::{MonthResult, Publication, delimited, parquet};
use crate::domain::{Basis, CodeList, Column, Frame, Frames, KeyColumn, NumColumn, Stored};
use crate::law::SubsidyRule;
use crate::subsidy::{Entitlements, ItemLines, LineStatus};

/// Lines in a row group: a megabyte a column, small enough that two threads always have work.
const GROUP: usize = 1 << 16;

/// Rows of one item of one month.
#[derive(Debug, Clone)]
struct Stretch {
    month: usize,
    item: usize,
    rows: std::ops::Range<usize>,
}

/// What a value of the `trace` list is written as, the same in the whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TraceKind {
    Whole,
    Exact,
    Date,
    Bool,
    Text,
}

/// Everything the groups share.
struct Plan<'a> {
    run: &'a Publication<'a>,
    groups: Vec<Vec<Stretch>>,
    bases: Arc<CodeList>,
    periods: Arc<CodeList>,
    items: Arc<CodeList>,
    statuses: Arc<CodeList>,
    texts: BTreeMap<&'static str, Arc<CodeList>>,
    files: Arc<CodeList>,
    traces: Vec<(Arc<str>, TraceKind)>,
    pseudonyms: Pseudonymous,
}

/// Sums of the file, for the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Written {
    /// Lines.
    pub rows: u64,
    /// Sum of `amount_fen`.
    pub amount_fen: i64,
}

/// Writes the Parquet file, and the CSV file where one is wanted.
///
/// # Errors
/// When a sink cannot be written.
pub(super) fn write<P: Write, C: Write>(
    run: &Publication<'_>,
    pseudonyms: Pseudonymous,
    to: P,
    mut text: Option<C>,
) -> io::Result<Written> {
    let plan = Plan::of(run, pseudonyms);
    let empty = plan.sheet(&[]);
    let mut writer = parquet::Writer::new(to, &empty)?;
    if let Some(text) = &mut text {
        delimited::write(&empty, text)?;
    }
    let (mut written, with_text) = (Written::default(), text.is_some());
    for wave in plan.groups.chunks(rayon::current_num_threads().max(1)) {
        let made: Vec<_> = wave
            .par_iter()
            .map(|group| {
                let sheet = plan.sheet(group);
                let rows = with_text.then(|| delimited::body(&sheet)).transpose();
                let fen = sheet.sum("amount_fen").ok_or_else(|| io::Error::other("overflow"));
                Ok((parquet::encode(&sheet)?, rows?, sheet.rows, fen?))
            })
            .collect::<io::Result<_>>()?;
        for (group, rows, count, fen) in made {
            writer.append(&group)?;
            if let (Some(text), Some(rows)) = (&mut text, rows) {
                text.write_all(&rows)?;
            }
            written.rows += count as u64;
            let sum = written.amount_fen.checked_add(fen);
            written.amount_fen = sum.ok_or_else(|| io::Error::other("overflow"))?;
        }
    }
    writer.finish()?.flush()?;
    if let Some(text) = &mut text {
        text.flush()?;
    }
    Ok(written)
}

impl<'a> Plan<'a> {
    fn of(run: &'a Publication<'a>, pseudonyms: Pseudonymous) -> Self {
        let items = || run.months.iter().flat_map(|month| &month.entitlements.items);
        let periods: Vec<String> = run.months.iter().map(|m| m.month.to_string()).collect();
        let mut texts = BTreeMap::new();
        for name in ["age_class", "service"] {
            let columns =
                run.months.iter().flat_map(|m| m.frames.iter()).filter_map(|f| f.get(name));
            let lists = columns.filter_map(|stored| match &stored.column {
                Column::Code(codes) => Some(&codes.list),
                _ => None,
            });
            let all = lists.flat_map(|list| list.texts().iter().map(|text| &**text));
            texts.insert(name, Arc::new(CodeList::new(all)));
        }
        let reasons = run.months.iter().map(|m| &m.entitlements.reasons);
        let all = reasons.flat_map(|list| list.texts().iter().map(|text| &**text));
        texts.insert("reason", Arc::new(CodeList::new(all)));
        let cutters = run.months.iter().map(|m| &m.entitlements.cutters);
        let all = cutters.flat_map(|list| list.texts().iter().map(|text| &**text));
        texts.insert("cut_by", Arc::new(CodeList::new(all)));
        let rules: Vec<&SubsidyRule> =
            items().flat_map(|l| l.rules.iter().flatten().map(|rule| &**rule)).collect();
        for (name, pick) in RULE_TEXTS {
            texts.insert(name, Arc::new(CodeList::new(rules.iter().map(|rule| &**pick(rule)))));
        }
        Self {
            run,
            groups: groups(&run.months),
            bases: Arc::new(CodeList::new(items().map(|lines| lines.basis.name()))),
            periods: Arc::new(CodeList::new(periods.iter().map(String::as_str))),
            items: Arc::new(CodeList::new(items().map(|lines| &*lines.item))),
            statuses: Arc::new(CodeList::new(
                [LineStatus::Paid, LineStatus::Zero, LineStatus::Refused].map(LineStatus::word),
            )),
            texts,
            files: file_names(run),
            traces: traces(run),
            pseudonyms,
        }
    }
}

type RuleText = fn(&SubsidyRule) -> &Arc<str>;

const RULE_TEXTS: [(&str, RuleText); 3] = [
    ("rule", |rule| &rule.head.id),
    ("law_version", |rule| &rule.head.version),
    ("clause", |rule| &rule.head.clause),
];

/// A file's code is its place in `Tables.files`, so names stand once each, with the table before
/// a name that two tables share.
fn file_names(run: &Publication<'_>) -> Arc<CodeList> {
    let mut list = CodeList::default();
    for file in &run.tables.files {
        if list.code(&file.name).is_some() {
            list.intern(&format!("{}/{}", file.table, file.name));
        } else {
            list.intern(&file.name);
        }
    }
    Arc::new(list)
}

/// Cuts the lines into groups of [`GROUP`], in the order of month, item, row.
fn groups(months: &[MonthResult<'_>]) -> Vec<Vec<Stretch>> {
    let (mut groups, mut group, mut room) = (Vec::new(), Vec::new(), GROUP);
    for (month, result) in months.iter().enumerate() {
        for (item, lines) in result.entitlements.items.iter().enumerate() {
            let mut start = 0;
            while start < lines.status.len() {
                let mut end = start;
                while end < lines.status.len() && room > 0 {
                    room -= usize::from(lines.status[end] != LineStatus::Absent);
                    end += 1;
                }
                group.push(Stretch { month, item, rows: start..end });
                start = end;
                if room == 0 {
                    groups.push(std::mem::take(&mut group));
                    room = GROUP;
                }
            }
        }
    }
    groups.push(group);
    groups
}

/// The values the items want shown, with the one kind that carries all their columns.
fn traces(run: &Publication<'_>) -> Vec<(Arc<str>, TraceKind)> {
    let mut kinds: BTreeMap<Arc<str>, TraceKind> = BTreeMap::new();
    for month in &run.months {
        for lines in &month.entitlements.items {
            for id in lines.rules.iter().flatten().flat_map(|rule| &rule.trace) {
                let Some((stored, _)) = traced(month, lines, id) else { continue };
                let kind = match &stored.column {
                    Column::Num(NumColumn { den: 1, .. }) => TraceKind::Whole,
                    Column::Num(_) | Column::Ratio(_) => TraceKind::Exact,
                    Column::Date(_) => TraceKind::Date,
                    Column::Bool(_) => TraceKind::Bool,
                    Column::Code(_) | Column::Key(_) => TraceKind::Text,
                };
                let number = |kind| matches!(kind, TraceKind::Whole | TraceKind::Exact);
                kinds
                    .entry(Arc::clone(id))
                    .and_modify(|held| {
                        if *held != kind {
                            let exact = number(*held) && number(kind);
                            *held = if exact { TraceKind::Exact } else { TraceKind::Text };
                        }
                    })
                    .or_insert(kind);
            }
        }
    }
    kinds.into_iter().collect()
}

/// The column of a traced value: on the item's own basis, or on a coarser one through its links.
fn traced<'m>(
    month: &'m MonthResult<'_>,
    lines: &ItemLines,
    id: &str,
) -> Option<(&'m Stored, Option<&'m [u32]>)> {
    let frame = month.frames.get(&lines.basis)?;
    if let Some(stored) = frame.get(id) {
        return Some((stored, None));
    }
    frame.links.iter().find_map(|(basis, links)| {
        let stored = month.frames.get(basis)?.get(id)?;
        Some((stored, Some(links.as_slice())))
    })
}

/// The column that names a child or person, if the basis has one. A grouping is named by its
/// identifiers but for the institution's: they may be of persons, so none is shown as it is.
fn person_column(frame: &Frame) -> Option<Arc<Stored>> {
    let keys: Vec<Arc<Stored>> = frame
        .keys
        .iter()
        .filter(|name| ***name != *"institution_id")
        .filter_map(|name| frame.shared(name))
        .filter(|stored| matches!(stored.column, Column::Key(_)))
        .collect();
    if let [_, _, ..] = keys[..] {
        let mut joined = KeyColumn::default();
        for row in 0..frame.rows {
            let parts: Vec<String> = keys
                .iter()
                .filter_map(|stored| match &stored.column {
                    Column::Key(column) => Some(column.text(row)),
                    _ => None,
                })
                .collect();
            joined.push(&parts.join("/"));
        }
        return Some(Arc::new(Stored::plain(Column::Key(joined))));
    }
    if !frame.keys.is_empty() {
        return keys.into_iter().next();
    }
    let mut named = ["child_ref", "person_ref"].iter().filter_map(|name| frame.shared(name));
    named.find(|stored| matches!(stored.column, Column::Key(_)))
}

/// By (month, basis): pseudonyms of the child or person of each row.
pub(super) type Pseudonymous = BTreeMap<(usize, Basis), Vec<Pseudonym>>;

/// The pseudonyms of all entitlement lines: those begun ahead, the others now.
pub(super) fn pseudonyms(run: &Publication<'_>, ahead: Vec<PseudonymsAhead>) -> Pseudonymous {
    let mut made = Pseudonymous::new();
    for (number, ahead) in ahead.into_iter().enumerate() {
        let of_month = ahead.0.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        made.extend(of_month.into_iter().map(|(basis, names)| ((number, basis), names)));
    }
    for (number, month) in run.months.iter().enumerate() {
        for lines in &month.entitlements.items {
            let Some(frame) = month.frames.get(&lines.basis) else { continue };
            let key = (number, lines.basis.clone());
            let Some(stored) = person_column(frame).filter(|_| !made.contains_key(&key)) else {
                continue;
            };
            if let Column::Key(keys) = &stored.column {
                made.insert(key, run.pseudonyms.of(keys));
            }
        }
    }
    made
}

/// The pseudonyms of the rows of a basis that names a child or person.
#[must_use]
pub fn persons_of(frame: &Frame, pseudonyms: &Pseudonyms) -> Option<Vec<Pseudonym>> {
    match &person_column(frame)?.column {
        Column::Key(keys) => Some(pseudonyms.of(keys)),
        _ => None,
    }
}

/// The pseudonyms of the rows of the bases that items stand on.
#[must_use]
pub fn persons(
    frames: &Frames,
    entitlements: &Entitlements,
    pseudonyms: &Pseudonyms,
) -> BTreeMap<Basis, Vec<Pseudonym>> {
    let bases: BTreeSet<&Basis> = entitlements.items.iter().map(|lines| &lines.basis).collect();
    let of = |basis: &Basis| persons_of(frames.get(basis)?, pseudonyms);
    bases.into_iter().filter_map(|basis| Some((basis.clone(), of(basis)?))).collect()
}

/// The pseudonyms of a month's lines in the making, on a thread of their own: the rooms between the
/// facts and the files leave a part of a second thread's time.
#[derive(Debug)]
pub struct PseudonymsAhead(JoinHandle<BTreeMap<Basis, Vec<Pseudonym>>>);

impl PseudonymsAhead {
    /// Begins with the rows of the items' bases, which stand once the facts do.
    #[must_use]
    pub fn begin(pseudonyms: Pseudonyms, frames: &Frames, bases: BTreeSet<Basis>) -> Self {
        let column = |basis: Basis| Some((person_column(frames.get(&basis)?)?, basis));
        let columns: Vec<_> = bases.into_iter().filter_map(column).collect();
        let names = move |stored: &Stored| match &stored.column {
            Column::Key(keys) => {
                (0..keys.keys.len()).map(|row| pseudonyms.of_row(keys, row)).collect()
            }
            _ => Vec::new(),
        };
        Self(std::thread::spawn(move || {
            columns.into_iter().map(|(stored, basis)| (basis, names(&stored))).collect()
        }))
    }
}
