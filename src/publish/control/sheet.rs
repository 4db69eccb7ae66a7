//! `control.csv` 对账单: the control totals as rows.

use std::collections::BTreeMap;

use super::{Control, TableUse, add};
use crate::domain::Fen;
use crate::domain::texts::Catalogue;
use crate::publish::register::{NOBODY, Register};
use crate::publish::sheet::{Sheet, Values};
use crate::publish::tally::{Tallies, Tally};
use crate::publish::{Publication, PublishError};

/// Rows of `control.csv` in the making.
struct Rows<'a> {
    texts: &'a Catalogue,
    scope: Vec<String>,
    key: Vec<String>,
    counts: [Vec<Option<i64>>; 6],
    amount: Vec<Option<i64>>,
    words: Vec<String>,
    to_date: Vec<Option<i64>>,
}

impl<'a> Rows<'a> {
    fn new(texts: &'a Catalogue) -> Self {
        Self {
            texts,
            scope: Vec::new(),
            key: Vec::new(),
            counts: Default::default(),
            amount: Vec::new(),
            words: Vec::new(),
            to_date: Vec::new(),
        }
    }

    fn push(
        &mut self,
        scope: &str,
        key: &str,
        counts: [Option<u64>; 6],
        money: Option<(i64, i64)>,
    ) {
        self.scope.push(scope.to_owned());
        self.key.push(key.to_owned());
        for (column, count) in self.counts.iter_mut().zip(counts) {
            column.push(count.map(|n| i64::try_from(n).unwrap_or(i64::MAX)));
        }
        self.amount.push(money.map(|(fen, _)| fen));
        self.words.push(money.map_or_else(String::new, |(fen, _)| self.texts.words(Fen(fen))));
        self.to_date.push(money.map(|(fen, before)| fen.saturating_add(before)));
    }
}

/// Counts of lines in the order of the columns: read, used, unused, refused, paid, zero.
fn counts(tally: Tally) -> [Option<u64>; 6] {
    let Tally { paid, zero, refused, .. } = tally;
    [None, Some(tally.lines()), None, Some(refused), Some(paid), Some(zero)]
}

/// `control.csv`: one row per input table, institution, item, source, budget line, and the total.
/// Money is what the schedule pays (corrections included), so that every scope sums to the total.
///
/// # Errors
/// When a sum overflows.
pub(in crate::publish) fn sheet(
    run: &Publication<'_>,
    register: &Register,
    tallies: &Tallies,
    control: &Control,
) -> Result<Sheet, PublishError> {
    let mut rows = Rows::new(run.texts);
    for table in run.usage {
        let TableUse { read, used, unused, refused, .. } = *table;
        let counts = [Some(read), Some(used), Some(unused), Some(refused), None, None];
        rows.push("table", &table.table, counts, None);
    }
    let paid = payable_by_scope(run)?;
    let before = run.year_to_date;
    let get = |map: &BTreeMap<String, i64>, key: &str| map.get(key).copied().unwrap_or(0);
    institution_rows(run, register, tallies, &paid.institution, &mut rows)?;
    let mut items: Vec<&str> = tallies.items.iter().map(|face| &*face.id).collect();
    items.extend(
        paid.item.keys().copied().filter(|id| !tallies.items.iter().any(|f| &*f.id == *id)),
    );
    for item in items {
        let at = tallies.items.iter().position(|face| &*face.id == item);
        let tally = at.map_or(Ok(Tally::default()), |at| tallies.sum(None, Some(at)))?;
        let fen = paid.item.get(item).copied().unwrap_or(0);
        rows.push("item", item, counts(tally), Some((fen, get(&before.by_item, item))));
    }
    for (source, fen) in &paid.source {
        rows.push("source", source, [None; 6], Some((*fen, get(&before.by_source, source))));
    }
    for (line, fen) in &paid.budget {
        rows.push("budget_line", line, [None; 6], Some((*fen, get(&before.by_budget_line, line))));
    }
    rows.push("total", "", counts(control.lines), Some((control.payable_fen, before.total)));
    Ok(rows.sheet())
}

fn institution_rows(
    run: &Publication<'_>,
    register: &Register,
    tallies: &Tallies,
    paid: &BTreeMap<&str, i64>,
    rows: &mut Rows<'_>,
) -> Result<(), PublishError> {
    let mut ids: BTreeMap<&str, u32> = BTreeMap::new();
    for (index, entry) in (0_u32..).zip(&register.institutions) {
        ids.insert(&entry.id, index);
    }
    for id in paid.keys() {
        ids.entry(id).or_insert(NOBODY);
    }
    for (id, index) in ids {
        let tally =
            if index == NOBODY { Tally::default() } else { tallies.sum(Some(index), None)? };
        let before = run.year_to_date.by_institution.get(id).copied().unwrap_or(0);
        let fen = paid.get(id).copied().unwrap_or(0);
        rows.push("institution", id, counts(tally), Some((fen, before)));
    }
    let nobody = tallies.sum(Some(u32::try_from(register.len()).unwrap_or(NOBODY)), None)?;
    if nobody.lines() > 0 {
        rows.push("institution", "", counts(nobody), Some((0, 0)));
    }
    Ok(())
}

impl Rows<'_> {
    fn sheet(self) -> Sheet {
        let mut sheet = Sheet::new("control", self.scope.len());
        sheet.put("scope", "范围", Values::Text(self.scope));
        sheet.put("key", "对象", Values::Text(self.key));
        let names = [
            ("rows_read", "读入行数"),
            ("rows_used", "使用行数"),
            ("rows_unused", "未用行数"),
            ("rows_refused", "不予补助行数"),
            ("rows_paid", "补助行数"),
            ("rows_zero", "零补助行数"),
        ];
        for ((name, label), column) in names.into_iter().zip(self.counts) {
            sheet.put(name, label, Values::MaybeInt(column));
        }
        sheet.put("amount_fen", "金额", Values::MaybeFen(self.amount));
        sheet.put("amount_in_words", "人民币大写", Values::Text(self.words));
        sheet.put("year_to_date_fen", "本年累计", Values::MaybeFen(self.to_date));
        sheet
    }
}

struct Payable<'a> {
    institution: BTreeMap<&'a str, i64>,
    item: BTreeMap<&'a str, i64>,
    source: BTreeMap<&'a str, i64>,
    budget: BTreeMap<&'a str, i64>,
}

fn payable_by_scope<'a>(run: &'a Publication<'_>) -> Result<Payable<'a>, PublishError> {
    let schedule = run.schedule;
    // Payees and budget lines have numbers; items and sources are few.
    let mut payees: Vec<Option<i64>> = vec![None; schedule.payees.len()];
    let mut budget_lines: Vec<Option<i64>> = vec![None; schedule.budget_lines.len()];
    let mut named: [Vec<(&str, i64)>; 4] = Default::default();
    let [nobody, nothing, items, sources] = &mut named;
    for line in &schedule.lines {
        let fen = line.payable_fen;
        for (numbered, number, others) in [
            (&mut payees, line.payee, &mut *nobody),
            (&mut budget_lines, line.budget_line, &mut *nothing),
        ] {
            match numbered.get_mut(number as usize) {
                Some(sum) => *sum = Some(add(sum.unwrap_or(0), fen)?),
                None => add_named(others, "", fen)?,
            }
        }
        add_named(items, &line.item, fen)?;
        add_named(sources, &line.source, fen)?;
    }
    let [nobody, nothing, items, sources] = named;
    let payees = schedule.payees.iter().map(|payee| &*payee.institution_id).zip(payees);
    let lines = schedule.budget_lines.iter().map(|line| &*line.budget_doc_no).zip(budget_lines);
    let told = |(name, sum): (&'a str, Option<i64>)| sum.map(|sum| (name, sum));
    Ok(Payable {
        institution: summed(payees.filter_map(told).chain(nobody))?,
        item: summed(items)?,
        source: summed(sources)?,
        budget: summed(lines.filter_map(told).chain(nothing))?,
    })
}

/// Adds to the sum of a name among few.
fn add_named<'a>(
    sums: &mut Vec<(&'a str, i64)>,
    name: &'a str,
    fen: i64,
) -> Result<(), PublishError> {
    match sums.iter_mut().find(|(known, _)| *known == name) {
        Some((_, sum)) => *sum = add(*sum, fen)?,
        None => sums.push((name, fen)),
    }
    Ok(())
}

fn summed<'a>(
    sums: impl IntoIterator<Item = (&'a str, i64)>,
) -> Result<BTreeMap<&'a str, i64>, PublishError> {
    let mut by_name = BTreeMap::new();
    for (name, fen) in sums {
        let sum = by_name.entry(name).or_default();
        *sum = add(*sum, fen)?;
    }
    Ok(by_name)
}
