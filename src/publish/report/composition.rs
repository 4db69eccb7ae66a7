//! Of what the money is made, and how it moved since the period before.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Report, Sums, TOP, first_rows};
use crate::publish::PublishError;
use crate::publish::money_files::payable_by_institution;
use crate::publish::page::{Axis, Bar, Bars, Chart, Figure, Measure, Page, Plot, Table};
use crate::publish::register::Institution;
use crate::publish::sheet::Sheet;

/// 资金来源 as they are named in FORMATS 1.
const LEVELS: [&str; 4] = ["中央", "省", "市", "区"];

impl Report<'_> {
    pub(super) fn composition(&self, page: &mut Page<'_>) -> Result<(), PublishError> {
        page.section(self.run.texts.label("report.composition"));
        if self.run.schedule.lines.is_empty() {
            page.note(self.run.texts.label("report.nothing_paid"));
            return Ok(());
        }
        self.by_item(page)?;
        let amounts = payable_by_institution(self.run, self.register)?;
        self.by_group(page, "street", &amounts, |of| &of.street)?;
        self.by_group(page, "kind", &amounts, |of| &of.kind)
    }

    /// Items by source: what the schedule pays, corrections and what was carried included.
    fn by_item(&self, page: &mut Page<'_>) -> Result<(), PublishError> {
        let texts = self.run.texts;
        // Items and sources are few, and their texts mostly the same ones.
        let mut found: Vec<(&Arc<str>, &Arc<str>, i64)> = Vec::new();
        let same = |a: &Arc<str>, b: &Arc<str>| Arc::ptr_eq(a, b) || a == b;
        for line in &self.run.schedule.lines {
            let known = found
                .iter_mut()
                .find(|(item, source, _)| same(item, &line.item) && same(source, &line.source));
            match known {
                Some((.., sum)) => {
                    *sum = sum.checked_add(line.payable_fen).ok_or(PublishError::Overflow)?;
                }
                None => found.push((&line.item, &line.source, line.payable_fen)),
            }
        }
        let mut cells: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        let mut sources = Sums::default();
        for (item, source, fen) in found {
            cells.insert((item, source), fen);
            sources.add(source, fen)?;
        }
        // Levels of government from the top down, then others in the order of the splits.
        let order = self.run.months.iter().flat_map(|month| &month.allocation.sources);
        let mut names: Vec<&str> = Vec::new();
        let order = LEVELS.into_iter().chain(order.map(|source| &**source));
        for source in order.chain(cells.keys().map(|key| key.1)) {
            let paid = cells.iter().any(|((_, of), fen)| *of == source && *fen != 0);
            if paid && !names.contains(&source) {
                names.push(source);
            }
        }
        let known = self.tallies.items.iter().map(|face| &*face.id);
        let mut items: Vec<&str> = known.collect();
        for (item, _) in cells.keys() {
            if !items.contains(item) {
                items.push(item);
            }
        }
        let rows: Vec<Bar> = items
            .iter()
            .map(|item| Bar {
                label: self.item(item),
                parts: names
                    .iter()
                    .map(|source| cells.get(&(*item, *source)).copied().unwrap_or(0))
                    .collect(),
            })
            .filter(|bar| bar.parts.iter().any(|fen| *fen != 0))
            .collect();
        let Some(most) = rows.iter().max_by_key(|bar| bar.parts.iter().sum::<i64>()) else {
            return Ok(());
        };
        let says = texts.phrase("report.by_item_says", &[("most", &most.label)]);
        let unknown = texts.label("report.no_source");
        let called =
            |source: &str| texts.value(if source.is_empty() { unknown } else { source }).to_owned();
        let bars = Bars {
            of: self.label("report.item"),
            axis: Axis::from_zero(self.label("report.payable"), Measure::Money),
            parts: names.iter().map(|source| called(source)).collect(),
            rows,
        };
        page.chart(&Chart::new(self.label("report.by_item"), says, Plot::Bars(bars)));
        let mut table = Table::new(self.label("report.by_source"))
            .text(self.label("report.source"))
            .number(self.in_yuan("report.payable"))
            .number(self.label("report.share"));
        let total = self.control.payable_fen;
        for source in &names {
            let fen = sources.0.get(*source).copied().unwrap_or(0);
            let share = super::super::institution_files::percent(fen, total);
            table.rows.push(vec![called(source), Measure::Money.exact(fen), share]);
        }
        table.total = vec![self.label("page.total"), Measure::Money.exact(total), String::new()];
        page.table(&table);
        Ok(())
    }

    /// What institutions of one street, or of one kind, are paid.
    fn by_group(
        &self,
        page: &mut Page<'_>,
        group: &str,
        amounts: &[i64],
        pick: fn(&Institution) -> &Arc<str>,
    ) -> Result<(), PublishError> {
        let texts = self.run.texts;
        let mut sums = Sums::default();
        let unknown: Arc<str> = Arc::from(texts.label("report.unknown"));
        for (at, fen) in amounts.iter().enumerate() {
            let name = self.register.institutions.get(at).map(pick);
            sums.add(name.filter(|name| !name.is_empty()).unwrap_or(&unknown), *fen)?;
        }
        let (rows, rest) = sums.top();
        let Some((most, _)) = rows.first() else { return Ok(()) };
        let says = texts.phrase("report.by_group_says", &[("most", texts.value(most))]);
        let mut bars: Vec<Bar> =
            rows.iter().map(|(name, fen)| Bar::new(texts.value(name), *fen)).collect();
        if let Some((count, fen)) = rest {
            let count = count.to_string();
            bars.push(Bar::new(texts.phrase("report.others", &[("count", &count)]), fen));
        }
        let bars = Bars {
            of: self.label(&format!("report.{group}")),
            axis: Axis::from_zero(self.label("report.payable"), Measure::Money),
            parts: vec![self.label("report.payable")],
            rows: bars,
        };
        let title = self.label(&format!("report.by_{group}"));
        page.chart(&Chart::new(title, says, Plot::Bars(bars)));
        Ok(())
    }

    /// This period against the one before, as `changes.csv` has it.
    pub(super) fn changes(&self, page: &mut Page<'_>) {
        let texts = self.run.texts;
        page.section(texts.label("report.changes"));
        let (Some(previous), Some(sheet)) = (self.run.previous, self.sheet("changes")) else {
            page.note(texts.label("report.no_previous"));
            return;
        };
        let sum = |column: &str| sheet.sum(column).unwrap_or(0);
        let (before, now) = (sum("amount_before_fen"), sum("amount_fen"));
        let change = now.saturating_sub(before);
        // The sign of the amounts beside it.
        let share =
            super::super::institution_files::percent(change, before).replace('-', "\u{2212}");
        let mut flags = [0_u64; 3];
        for row in 0..sheet.rows {
            let flag = sheet.cell(row, "flag");
            if let Some(at) = ["large", "new", "gone"].iter().position(|word| *word == flag) {
                flags[at] += 1;
            }
        }
        let [large_ones, new, gone] = flags.map(|count| count.to_string());
        let share = texts.phrase("report.percent", &[("percent", &share)]);
        let large = [("percent", &*self.run.job.change_percent.to_string())];
        page.figures(&[
            Figure::new(self.label("report.before"), self.yuan(before), previous.period.clone()),
            Figure::new(self.label("report.change"), self.yuan(change), share),
            Figure::new(
                self.label("report.large"),
                large_ones,
                texts.phrase("report.large_note", &large),
            ),
            Figure::new(self.label("report.new"), new, ""),
            Figure::new(self.label("report.gone"), gone, ""),
        ]);
        let fen = |row: &usize| number(sheet, "change_fen", *row);
        // Rows stand by institution: equal changes stay in that order.
        let moved = numbers(sheet, "change_fen").map(|(fen, row)| (fen.saturating_abs(), row));
        let moved: Vec<(i64, usize)> = moved.filter(|(fen, _)| *fen != 0).collect();
        let more = moved.len().saturating_sub(TOP);
        let rows = first_rows(moved);
        let Some(first) = rows.first() else {
            page.note(texts.label("report.no_change"));
            return;
        };
        let name = |row: usize| self.institution(&sheet.cell(row, "institution_id"));
        let says = texts.phrase("report.changes_says", &[("most", &name(*first))]);
        let bars = Bars {
            of: self.label("report.institution"),
            axis: Axis::from_zero(self.label("report.change"), Measure::Money),
            parts: vec![self.label("report.change")],
            rows: rows.iter().map(|row| Bar::new(name(*row), fen(row))).collect(),
        };
        page.chart(&Chart::new(self.label("report.changes_chart"), says, Plot::Bars(bars)));
        let mut table = Table::new(self.label("report.changes_table"))
            .text(self.label("report.institution"))
            .number(self.label("report.heads_before"))
            .number(self.label("report.heads"))
            .number(self.in_yuan("report.before"))
            .number(self.in_yuan("report.now"))
            .number(self.in_yuan("report.change"))
            .text(self.label("report.flag"));
        for row in rows {
            let flag = sheet.cell(row, "flag");
            let flag = match &*flag {
                "" => String::new(),
                word => self.label(&format!("report.flag_{word}")),
            };
            let money = |column: &str| Measure::Money.exact(number(sheet, column, row));
            table.rows.push(vec![
                name(row),
                sheet.cell(row, "headcount_before"),
                sheet.cell(row, "headcount"),
                money("amount_before_fen"),
                money("amount_fen"),
                money("change_fen"),
                flag,
            ]);
        }
        table.more = more as u64;
        page.table(&table);
    }
}

/// The numbers of a column with their rows; zero where a cell is empty.
pub(super) fn numbers<'s>(
    sheet: &'s Sheet,
    column: &str,
) -> impl Iterator<Item = (i64, usize)> + 's {
    let values = sheet.get(column);
    (0..sheet.rows).map(move |row| (values.and_then(|of| of.number(row)).unwrap_or(0), row))
}

/// A number of a sheet; zero where the cell is empty.
pub(super) fn number(sheet: &Sheet, column: &str, row: usize) -> i64 {
    sheet.get(column).and_then(|values| values.number(row)).unwrap_or(0)
}
