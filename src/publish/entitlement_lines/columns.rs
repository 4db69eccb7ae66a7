//! The columns of one row group.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{Plan, RULE_TEXTS, Stretch, TraceKind, traced};
use crate::domain::{Basis, CodeList, Column, Date, Fraction, Frame, Key, KeyColumn, Stored};
use crate::history::row_keys;
use crate::law::SubsidyRule;
use crate::publish::pseudonym::Pseudonym;
use crate::publish::sheet::{NO_CODE, Sheet, Values, exact_text, pseudonym_text};
use crate::publish::tally::wholes;
use crate::subsidy::{ItemLines, LineStatus};

/// One group's columns while they grow.
#[derive(Default)]
struct Lines {
    basis: Vec<u32>,
    period: Vec<u32>,
    institution: Coded,
    person: Vec<Pseudonym>,
    row_key: Vec<String>,
    age_class: Vec<u32>,
    service: Vec<u32>,
    item: Vec<u32>,
    quantity: Coded,
    rate: Vec<Option<i64>>,
    rate_exact: Coded,
    exact_num: Vec<Option<i64>>,
    exact_den: Vec<Option<i64>>,
    exact_text: Coded,
    amount: Vec<i64>,
    allocated: Vec<i64>,
    status: Vec<u32>,
    reason: Vec<u32>,
    cut_by: Vec<u32>,
    rule_texts: [Vec<u32>; 3],
    file: Vec<u32>,
    record: Vec<Option<i64>>,
    traces: Vec<Trace>,
}

enum Trace {
    Whole(Vec<Option<i64>>),
    Date(Vec<Option<Date>>),
    Bool(Vec<Option<bool>>),
    Text(Coded),
}

/// Codes into a list that grows with them.
#[derive(Default)]
struct Coded {
    codes: Vec<u32>,
    list: CodeList,
    by_key: FxHashMap<Key, u32>,
    by_number: FxHashMap<(i128, i128), u32>,
}

impl Coded {
    fn push(&mut self, text: &str) {
        let code = if text.is_empty() { NO_CODE } else { self.list.intern(text) };
        self.codes.push(code);
    }

    fn key(&mut self, keys: &KeyColumn, row: usize) {
        let key = keys.keys[row];
        let code = if let Some(code) = self.by_key.get(&key) {
            *code
        } else {
            let text = keys.text(row);
            let code = if text.is_empty() { NO_CODE } else { self.list.intern(&text) };
            self.by_key.insert(key, code);
            code
        };
        self.codes.push(code);
    }

    fn number(&mut self, number: Option<(i128, i128)>) {
        let Some((num, den)) = number else { return self.codes.push(NO_CODE) };
        let code = if let Some(code) = self.by_number.get(&(num, den)) {
            *code
        } else {
            let code = self.list.intern(&exact_text(num, den));
            self.by_number.insert((num, den), code);
            code
        };
        self.codes.push(code);
    }

    fn values(self) -> Values {
        Values::Coded(self.codes, Arc::new(self.list))
    }
}

/// The exact number of a cell; `None` for null, error or another type.
fn number(stored: &Stored, row: usize) -> Option<(i128, i128)> {
    if stored.is_null(row) || stored.error(row).is_some() {
        return None;
    }
    match &stored.column {
        Column::Num(numbers) => Some((i128::from(numbers.values[row]), i128::from(numbers.den))),
        Column::Ratio(values) => Some(values[row]),
        _ => None,
    }
}

/// Numerator and denominator in lowest terms where both fit 64 bits.
fn small_fraction((num, den): (i128, i128)) -> Option<(i64, i64)> {
    let (num, den) = match (i64::try_from(num), i64::try_from(den)) {
        (Ok(num), Ok(den)) if den > 0 => (num, den),
        _ => {
            let value = Fraction::new(num, den)?.reduced();
            (i64::try_from(value.num).ok()?, i64::try_from(value.den).ok()?)
        }
    };
    let (mut a, mut b) = (num.unsigned_abs(), den.unsigned_abs());
    while b > 1 {
        (a, b) = (b, a % b);
    }
    let divisor = if b == 1 { 1 } else { i64::try_from(a).ok()? };
    Some((num / divisor, den / divisor))
}

impl Plan<'_> {
    pub(super) fn sheet(&self, group: &[Stretch]) -> Sheet {
        let mut lines = Lines::default();
        for (_, kind) in &self.traces {
            lines.traces.push(match kind {
                TraceKind::Whole => Trace::Whole(Vec::new()),
                TraceKind::Date => Trace::Date(Vec::new()),
                TraceKind::Bool => Trace::Bool(Vec::new()),
                TraceKind::Exact | TraceKind::Text => Trace::Text(Coded::default()),
            });
        }
        for stretch in group {
            self.stretch(stretch, &mut lines);
        }
        self.finish(lines)
    }

    /// Appends the lines of one stretch, column by column.
    fn stretch(&self, stretch: &Stretch, out: &mut Lines) {
        let month = &self.run.months[stretch.month];
        let lines = &month.entitlements.items[stretch.item];
        let present = |row: &usize| lines.status[*row] != LineStatus::Absent;
        let rows: Vec<usize> = stretch.rows.clone().filter(present).collect();
        let frame = month.frames.get(&lines.basis);
        let constant = |column: &mut Vec<u32>, list: &CodeList, text: &str| {
            column.resize(column.len() + rows.len(), list.code(text).unwrap_or(NO_CODE));
        };
        constant(&mut out.basis, &self.bases, lines.basis.name());
        constant(&mut out.period, &self.periods, &month.month.to_string());
        constant(&mut out.item, &self.items, &lines.item);
        self.keys(stretch, frame, &rows, out);
        for (name, column) in [("age_class", &mut out.age_class), ("service", &mut out.service)] {
            remap(frame.and_then(|f| f.get(name)), &self.texts[name], &rows, column);
        }
        numbers(lines, &rows, out);
        let word = |row: &usize| self.statuses.code(lines.status[*row].word()).unwrap_or(NO_CODE);
        out.status.extend(rows.iter().map(word));
        let reasons = translation(&month.entitlements.reasons, &self.texts["reason"]);
        out.reason.extend(rows.iter().map(|row| reasons[usize::from(lines.reason[*row])]));
        let cutters = translation(&month.entitlements.cutters, &self.texts["cut_by"]);
        let cut =
            |row: &usize| lines.cut_by.get(*row).map_or(NO_CODE, |c| cutters[usize::from(*c)]);
        out.cut_by.extend(rows.iter().map(cut));
        self.rules(lines, frame, &rows, out);
        let origins = frame.and_then(|frame| frame.origins.as_ref());
        for row in rows.iter().copied() {
            let (file, record) = origins.and_then(|origins| origins.at(row)).unzip();
            out.file.push(file.unwrap_or(NO_CODE));
            out.record.push(record.map(i64::from));
        }
        for ((id, _), column) in self.traces.iter().zip(&mut out.traces) {
            let shown = lines.rules.iter().flatten().any(|rule| rule.trace.contains(id));
            let stored = if shown { traced(month, lines, id) } else { None };
            self.trace(stored, &rows, column);
        }
    }

    /// Institution, pseudonym, and the rest of the row's key as text.
    fn keys(&self, stretch: &Stretch, frame: Option<&Frame>, rows: &[usize], out: &mut Lines) {
        let key = |name: &str| match frame.and_then(|f| f.get(name)).map(|s| &s.column) {
            Some(Column::Key(keys)) => Some(keys),
            _ => None,
        };
        match key("institution_id") {
            Some(keys) => {
                out.institution.codes.reserve(rows.len());
                for row in rows {
                    out.institution.key(keys, *row);
                }
            }
            None => rows.iter().for_each(|_| out.institution.push("")),
        }
        let basis = frame.map_or(&Basis::Programme, |f| &f.basis);
        let persons = self.pseudonyms.get(&(stretch.month, basis.clone()));
        out.person.extend(rows.iter().map(|row| persons.map_or([0; 16], |p| p[*row])));
        let text = frame.and_then(row_keys);
        let keys = rows.iter().map(|row| text.as_ref().map_or_else(String::new, |text| text(*row)));
        out.row_key.extend(keys);
    }

    fn rules(&self, lines: &ItemLines, frame: Option<&Frame>, rows: &[usize], out: &mut Lines) {
        let of_row = wholes(frame, "segment");
        let segment = |row: usize| of_row(row).and_then(|s| usize::try_from(s).ok()).unwrap_or(0);
        for ((name, pick), column) in RULE_TEXTS.iter().zip(&mut out.rule_texts) {
            let list = &self.texts[name];
            let code = |rule: &Option<Arc<SubsidyRule>>| {
                rule.as_ref().and_then(|rule| list.code(pick(rule))).unwrap_or(NO_CODE)
            };
            let codes: Vec<u32> = lines.rules.iter().map(code).collect();
            if codes.len() == 1 {
                column.resize(column.len() + rows.len(), codes[0]);
            } else {
                let at = |row: &usize| codes.get(segment(*row)).copied().unwrap_or(NO_CODE);
                column.extend(rows.iter().map(at));
            }
        }
    }

    fn trace(&self, stored: Option<(&Stored, Option<&[u32]>)>, rows: &[usize], out: &mut Trace) {
        let place = |row: usize| match stored {
            None => None,
            Some((stored, links)) => {
                let row = links.map_or(row, |links| links[row] as usize);
                let known = row < stored.column.len()
                    && !stored.is_null(row)
                    && stored.error(row).is_none();
                known.then_some((&stored.column, row))
            }
        };
        match out {
            Trace::Whole(column) => column.extend(rows.iter().map(|row| match place(*row) {
                Some((Column::Num(numbers), row)) => Some(numbers.values[row]),
                _ => None,
            })),
            Trace::Date(column) => column.extend(rows.iter().map(|row| match place(*row) {
                Some((Column::Date(dates), row)) => Some(dates[row]),
                _ => None,
            })),
            Trace::Bool(column) => column.extend(rows.iter().map(|row| match place(*row) {
                Some((Column::Bool(values), row)) => Some(values[row]),
                _ => None,
            })),
            Trace::Text(column) => rows.iter().for_each(|row| match place(*row) {
                None => column.push(""),
                Some((Column::Num(numbers), row)) => {
                    column.number(Some((numbers.values[row].into(), numbers.den.into())));
                }
                Some((Column::Ratio(values), row)) => column.number(Some(values[row])),
                Some((Column::Date(dates), row)) => column.push(&dates[row].to_string()),
                Some((Column::Bool(values), row)) => {
                    column.push(if values[row] { "true" } else { "false" });
                }
                Some((Column::Code(codes), row)) => {
                    column.push(codes.list.text(codes.codes[row]));
                }
                // A value that is an identifier may be a child's: it is never shown as it is.
                Some((Column::Key(keys), row)) => {
                    let made = self.run.pseudonyms.one(&keys.text(row));
                    column.push(pseudonym_text(&made));
                }
            }),
        }
    }

    fn finish(&self, lines: Lines) -> Sheet {
        let text = |name: &str| Arc::clone(&self.texts[name]);
        let mut sheet = Sheet::new("entitlements", lines.amount.len());
        sheet.put("basis", "基础", Values::Listed(lines.basis, Arc::clone(&self.bases)));
        sheet.put("period", "所属期", Values::Listed(lines.period, Arc::clone(&self.periods)));
        sheet.put("institution_id", "统一社会信用代码", lines.institution.values());
        sheet.put("child_ref", "人员代号", Values::Pseudonym(lines.person));
        sheet.put("row_key", "行键", Values::Text(lines.row_key));
        sheet.put("age_class", "班型", Values::Listed(lines.age_class, text("age_class")));
        sheet.put("service", "服务类型", Values::Listed(lines.service, text("service")));
        sheet.put("item", "补助项目", Values::Listed(lines.item, Arc::clone(&self.items)));
        sheet.put("quantity", "数量", lines.quantity.values());
        sheet.put("rate_fen", "标准", Values::MaybeFen(lines.rate));
        sheet.put("rate_exact", "精确标准", lines.rate_exact.values());
        sheet.put("exact_num", "舍入前分子", Values::MaybeInt(lines.exact_num));
        sheet.put("exact_den", "舍入前分母", Values::MaybeInt(lines.exact_den));
        sheet.put("exact_text", "舍入前", lines.exact_text.values());
        sheet.put("amount_fen", "应补金额", Values::Fen(lines.amount));
        sheet.put("allocated_fen", "核定金额", Values::Fen(lines.allocated));
        sheet.put("status", "结果", Values::Listed(lines.status, Arc::clone(&self.statuses)));
        sheet.put("reason", "原因", Values::Listed(lines.reason, text("reason")));
        sheet.put("cut_by", "核减依据", Values::Listed(lines.cut_by, text("cut_by")));
        let labels = ["规则", "版本", "条款"];
        for (((name, _), label), codes) in RULE_TEXTS.iter().zip(labels).zip(lines.rule_texts) {
            sheet.put(name, label, Values::Listed(codes, text(name)));
        }
        sheet.put("source_file", "来源文件", Values::Listed(lines.file, Arc::clone(&self.files)));
        sheet.put("source_record", "来源记录", Values::MaybeInt(lines.record));
        for ((id, _), column) in self.traces.iter().zip(lines.traces) {
            let values = match column {
                Trace::Whole(values) => Values::MaybeInt(values),
                Trace::Date(values) => Values::Date(values),
                Trace::Bool(values) => Values::Bool(values),
                Trace::Text(coded) => coded.values(),
            };
            let taken = sheet.get(id).is_some();
            let name = if taken { format!("value.{id}") } else { id.to_string() };
            sheet.put(&name, "", values);
        }
        sheet
    }
}

/// Codes of one list as codes of another; the empty text is null.
fn translation(from: &CodeList, to: &CodeList) -> Vec<u32> {
    let code = |text: &Arc<str>| match &**text {
        "" => NO_CODE,
        text => to.code(text).unwrap_or(NO_CODE),
    };
    let mut codes: Vec<u32> = from.texts().iter().map(code).collect();
    if codes.is_empty() {
        codes.push(NO_CODE);
    }
    codes
}

fn remap(stored: Option<&Stored>, to: &CodeList, rows: &[usize], out: &mut Vec<u32>) {
    match stored.map(|stored| (stored, &stored.column)) {
        Some((stored, Column::Code(codes))) => {
            let translate = translation(&codes.list, to);
            out.extend(rows.iter().map(|row| {
                if stored.is_null(*row) {
                    return NO_CODE;
                }
                translate.get(codes.codes[*row] as usize).copied().unwrap_or(NO_CODE)
            }));
        }
        _ => out.resize(out.len() + rows.len(), NO_CODE),
    }
}

fn numbers(lines: &ItemLines, rows: &[usize], out: &mut Lines) {
    for column in [&mut out.quantity, &mut out.rate_exact, &mut out.exact_text] {
        column.codes.reserve(rows.len());
    }
    for column in [&mut out.rate, &mut out.exact_num, &mut out.exact_den] {
        column.reserve(rows.len());
    }
    for column in [&mut out.amount, &mut out.allocated] {
        column.reserve(rows.len());
    }
    for row in rows.iter().copied() {
        let of = |stored: &Option<Stored>| stored.as_ref().and_then(|s| number(s, row));
        out.quantity.number(of(&lines.quantity));
        let rate = of(&lines.rate);
        let whole = rate.filter(|(num, den)| *den != 0 && num % den == 0);
        let fen = whole.and_then(|(num, den)| i64::try_from(num / den).ok());
        out.rate.push(fen);
        out.rate_exact.number(rate.filter(|_| fen.is_none()));
        let exact = of(&lines.exact);
        let small = exact.and_then(small_fraction);
        out.exact_num.push(small.map(|(num, _)| num));
        out.exact_den.push(small.map(|(_, den)| den));
        out.exact_text.number(exact.filter(|_| small.is_none()));
        out.amount.push(lines.amount[row]);
        out.allocated.push(lines.allocated[row]);
    }
}
