//! `report.html` of a tuning: what the scenarios cost, who wins and loses, what is best and why.

use super::{Family, Moved, ScenarioRow, Tuning};
use crate::domain::texts::{Catalogue, Language};
use crate::domain::{Fraction, NetFees, Outcome};
use crate::publish::page::{
    Axis, Bar, Bars, Chart, Figure, Heat, Histogram, Lines, Measure, Page, Plot, Range, Ranges,
    Series, Stroke, Table,
};
use std::sync::Arc;

/// Scenarios listed one by one at most; all of them stand in `scenarios.csv`.
pub(super) const MOST_ROWS: usize = 40;
/// Scenarios of a grid or draw listed at most: the cheapest.
const MOST_OF_FAMILY: usize = 10;
/// Lines of one chart.
const MOST_LINES: usize = 6;
/// Settings of one side of a heat map.
const MOST_CELLS: usize = 24;
/// About so many bins.
pub(super) const BINS: i64 = 15;

/// The page in a language.
pub(super) fn page(of: &Tuning, language: Language) -> String {
    let texts = Catalogue::new(language);
    let report = Report { of, texts: &texts };
    report.write()
}

pub(super) struct Report<'a> {
    pub(super) of: &'a Tuning,
    pub(super) texts: &'a Catalogue,
}

/// One scenario that was answered.
pub(super) type Answered<'a> = (&'a ScenarioRow, &'a Outcome);

impl Report<'_> {
    pub(super) fn label(&self, key: &str) -> String {
        self.texts.label(&format!("tune.{key}")).to_owned()
    }

    pub(super) fn phrase(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.texts.phrase(&format!("tune.{key}"), values)
    }

    pub(super) fn money(&self, fen: i64) -> String {
        format!("{} {}", Measure::Money.exact(fen), self.texts.label("page.yuan"))
    }

    /// Money with its sign.
    pub(super) fn change(&self, fen: i64) -> String {
        if fen > 0 { format!("+{}", self.money(fen)) } else { self.money(fen) }
    }

    pub(super) fn count(number: u64) -> String {
        Measure::count("").exact(i64::try_from(number).unwrap_or(i64::MAX))
    }

    pub(super) fn answered(&self) -> impl Iterator<Item = Answered<'_>> {
        self.of.scenarios.iter().filter_map(|row| Some((row, row.outcome.as_ref().ok()?)))
    }

    fn write(&self) -> String {
        let months: Vec<String> = self.of.months.iter().map(ToString::to_string).collect();
        let months = months.join(", ");
        let subtitle = self.phrase("subtitle", &[("months", &months)]);
        let mut page = Page::new(self.texts, &self.of.title, &subtitle);
        let mut remarks = Vec::new();
        if self.of.is_sample {
            remarks.push(self.label("sample"));
        }
        if self.of.is_partial() {
            let answered = Self::count(self.of.scenarios.len() as u64);
            let asked = Self::count(self.of.asked as u64);
            remarks.push(self.phrase("partial", &[("answered", &answered), ("asked", &asked)]));
        }
        page.banner(&remarks.join(" "));
        self.baseline(&mut page);
        self.scenarios(&mut page);
        for family in &self.of.families {
            self.family(&mut page, family);
        }
        self.solutions(&mut page);
        self.frontiers(&mut page);
        self.sensitivity(&mut page);
        self.compared(&mut page);
        self.overruns(&mut page);
        self.origin(&mut page);
        page.render()
    }

    /// The law as it is, and what is assumed.
    fn baseline(&self, page: &mut Page<'_>) {
        page.section(&self.label("baseline"));
        let base = &self.of.baseline;
        let all = all_fees(base);
        let breaches: u64 = base.breaches.values().map(|price| price.institutions).sum();
        let mut figures = vec![
            Figure::new(self.label("cost"), self.money(base.cost_fen), ""),
            Figure::new(self.label("children_paid"), Self::count(base.children_paid), ""),
            Figure::new(self.label("institutions_paid"), Self::count(base.institutions_paid), ""),
            Figure::new(self.label("breaches"), Self::count(breaches), self.label("breaches_unit")),
        ];
        if let Some(fen) = average(all.sum_fen, all.children) {
            let median = self.money(all.quantiles[2]);
            let under = self.phrase("median", &[("amount", &median)]);
            figures.push(Figure::new(self.label("net_fee"), self.money(fen), under));
        }
        let slots = u64::try_from(base.revenue.slots).unwrap_or(0);
        if let Some(fen) = average(base.revenue.fen, slots) {
            let margin = base.revenue.with_costs_fen - base.revenue.costs_fen;
            let under = match base.revenue.with_costs {
                0 => String::new(),
                _ => self.phrase("margin", &[("amount", &self.money(margin))]),
            };
            figures.push(Figure::new(self.label("revenue_per_slot"), self.money(fen), under));
        }
        page.figures(&figures);
        page.subsection(&self.label("assumed"));
        let told: Vec<String> = self
            .of
            .assumed
            .iter()
            .map(|one| {
                let what = self.label(&format!("assumed_{}", one.what));
                let key = format!("value_{}", one.value);
                let word = self.texts.has(&format!("tune.{key}")).then(|| self.label(&key));
                let value = word.as_ref().unwrap_or(&one.value);
                if one.source.is_empty() {
                    return self.phrase("setting", &[("what", &what), ("value", value)]);
                }
                let told = [("what", &*what), ("value", &one.value), ("source", &one.source)];
                self.phrase("assumption", &told)
            })
            .collect();
        page.list(&told);
        let bars = |title: &str, map: &std::collections::BTreeMap<Arc<str>, i64>| {
            let rows = map.iter().filter(|(_, fen)| **fen != 0);
            let name = |key: &Arc<str>| match self.of.labels.get(key) {
                Some(label) => label.to_string(),
                None => self.texts.value(key).to_owned(),
            };
            Chart::new(
                self.label(title),
                self.label("composition_says"),
                Plot::Bars(Bars {
                    of: self.label(title),
                    axis: Axis::from_zero(self.label("cost"), Measure::Money),
                    parts: vec![self.label("cost")],
                    rows: rows.map(|(key, fen)| Bar::new(name(key), *fen)).collect(),
                }),
            )
        };
        if base.cost_fen != 0 {
            page.chart(&bars("by_source", &base.by_source));
            page.chart(&bars("by_item", &base.by_item));
        }
    }

    /// Scenarios written one by one.
    fn scenarios(&self, page: &mut Page<'_>) {
        let listed: Vec<&ScenarioRow> =
            self.of.scenarios.iter().filter(|row| row.family.is_empty()).collect();
        if listed.is_empty() {
            return;
        }
        page.section(&self.label("scenarios"));
        page.table(&self.table(&self.label("scenarios"), &listed, None, MOST_ROWS));
    }

    /// Scenarios with their figures; those of a family are named by their settings.
    fn table(
        &self,
        caption: &str,
        rows: &[&ScenarioRow],
        family: Option<&Family>,
        most: usize,
    ) -> Table {
        let mut table = Table::new(caption);
        table = match family {
            None => table.text(self.label("scenario")),
            Some(family) => family.axes.iter().fold(table, Table::text),
        };
        let names = |row: &ScenarioRow| -> Vec<String> {
            match family {
                None => vec![row.title.clone()],
                Some(family) => {
                    let places = family.values.iter().zip(&row.places);
                    places.map(|(values, at)| values[*at].clone()).collect()
                }
            }
        };
        table = table
            .number(self.label("cost"))
            .number(self.label("cost_change"))
            .number(self.label("children_paid"))
            .number(self.label("breaches"))
            .number(self.label("net_fee"))
            .number(self.label("winners"))
            .number(self.label("losers"));
        for row in rows.iter().take(most) {
            let mut cells = names(row);
            match &row.outcome {
                Ok(told) => {
                    let breaches: u64 =
                        told.breaches.values().map(|price| price.institutions).sum();
                    let all = all_fees(told);
                    let fee = average(all.sum_fen, all.children);
                    let change = told.cost_fen - self.of.baseline.cost_fen;
                    cells.extend([
                        Measure::Money.exact(told.cost_fen),
                        Measure::Money.exact(change),
                        Self::count(told.children_paid),
                        Self::count(breaches),
                        fee.map_or_else(String::new, |fen| Measure::Money.exact(fen)),
                        Self::count(told.children.winners),
                        Self::count(told.children.losers),
                    ]);
                }
                Err(reason) => {
                    cells[0] =
                        self.phrase("failed", &[("scenario", &row.title), ("reason", reason)]);
                    cells.extend(std::iter::repeat_n(String::new(), 7));
                }
            }
            table.rows.push(cells);
        }
        table.more = rows.len().saturating_sub(most) as u64;
        table
    }

    /// A grid: a cost curve over one range, a map over two; a draw: its spread.
    fn family(&self, page: &mut Page<'_>, family: &Family) {
        let rows: Vec<Answered<'_>> =
            self.answered().filter(|(row, _)| row.family == family.id).collect();
        if rows.is_empty() {
            return;
        }
        page.section(&family.title);
        if family.is_grid {
            self.curve(page, family, &rows);
            if let [_, _] = &family.axes[..] {
                self.heat(page, family, &rows);
            }
        } else {
            let values: Vec<i64> = rows.iter().map(|(_, told)| told.cost_fen).collect();
            page.chart(&Chart::new(
                self.label("spread"),
                self.label("spread_says"),
                Plot::Histogram(Histogram {
                    counted: self.label("scenarios_counted"),
                    axis: Axis::close(self.label("cost"), Measure::Money),
                    sides: [String::new(), String::new()],
                    bins: Histogram::bins(&values, BINS),
                }),
            ));
        }
        let mut sorted: Vec<&ScenarioRow> = rows.iter().map(|(row, _)| *row).collect();
        let cost = |row: &ScenarioRow| row.outcome.as_ref().map_or(i64::MAX, |of| of.cost_fen);
        sorted.sort_by_key(|row| cost(row));
        page.table(&self.table(&self.label("by_cost"), &sorted, Some(family), MOST_OF_FAMILY));
    }

    /// Cost along the first range, a line a setting of the second, all others at their middle.
    fn curve(&self, page: &mut Page<'_>, family: &Family, rows: &[Answered<'_>]) {
        let Some((x, places)) = scaled(&family.values[0]) else { return };
        let middle: Vec<usize> = family.values.iter().map(|values| values.len() / 2).collect();
        let second = family.values.get(1);
        let all = second.map_or(1, Vec::len);
        let every = all.div_ceil(MOST_LINES).max(1);
        let mut series = Vec::new();
        for at in (0..all).step_by(every) {
            let here = |places: &[usize]| {
                places
                    .iter()
                    .enumerate()
                    .skip(1)
                    .all(|(axis, place)| *place == if axis == 1 { at } else { middle[axis] })
            };
            let mut points: Vec<(i64, i64)> = rows
                .iter()
                .filter(|(row, _)| here(&row.places))
                .map(|(row, told)| (x[row.places[0]], told.cost_fen))
                .collect();
            points.sort_unstable();
            let label = match second {
                Some(values) => format!("{} {}", family.axes[1], values[at]),
                None => self.label("cost"),
            };
            series.push(Series { label, stroke: Stroke::Line, points });
        }
        let unit = String::new();
        page.chart(&Chart::new(
            self.phrase("curve", &[("range", &family.axes[0])]),
            self.label("curve_says"),
            Plot::Lines(Lines {
                x: Axis::close(&family.axes[0], Measure::Number { places, unit }),
                y: Axis::close(self.label("cost"), Measure::Money),
                series,
                marks: Vec::new(),
                guides: vec![crate::publish::page::Guide {
                    label: self.label("baseline"),
                    at: self.of.baseline.cost_fen,
                }],
            }),
        ));
    }

    fn heat(&self, page: &mut Page<'_>, family: &Family, rows: &[Answered<'_>]) {
        let [down, across] = &family.values[..] else { return };
        if down.len() > MOST_CELLS || across.len() > MOST_CELLS {
            return;
        }
        let mut cells = vec![vec![None; across.len()]; down.len()];
        for (row, told) in rows {
            cells[row.places[0]][row.places[1]] = Some(told.cost_fen);
        }
        page.chart(&Chart::new(
            self.label("heat"),
            self.label("heat_says"),
            Plot::Heat(Heat {
                value: self.label("cost"),
                measure: Measure::Money,
                x: family.axes[1].clone(),
                columns: across.clone(),
                y: family.axes[0].clone(),
                rows: down.clone(),
                cells,
            }),
        ));
    }

    fn sensitivity(&self, page: &mut Page<'_>) {
        let ends = |moved: &Moved| -> Option<Range> {
            let mut told =
                moved.points.iter().filter_map(|(value, of)| Some((value, of.as_ref().ok()?)));
            let first = told.next()?;
            let last = told.next_back().unwrap_or(first);
            Some(Range {
                label: moved.range.clone(),
                low: first.0.clone(),
                low_value: first.1.cost_fen,
                high: last.0.clone(),
                high_value: last.1.cost_fen,
            })
        };
        let mut rows: Vec<Range> = self.of.moved.iter().filter_map(ends).collect();
        if rows.is_empty() {
            return;
        }
        rows.sort_by_key(|row| -(row.high_value - row.low_value).abs());
        page.section(&self.label("sensitivity"));
        page.chart(&Chart::new(
            self.label("sensitivity"),
            self.label("sensitivity_says"),
            Plot::Ranges(Ranges {
                axis: Axis::close(self.label("cost"), Measure::Money),
                centre: self.of.baseline.cost_fen,
                rows,
            }),
        ));
    }

    fn overruns(&self, page: &mut Page<'_>) {
        let base = self.of.baseline.overruns.iter().map(|line| (self.label("baseline"), line));
        let others =
            self.answered().filter(|(row, _)| row.family.is_empty()).flat_map(|(row, told)| {
                told.overruns.iter().map(move |line| (row.title.clone(), line))
            });
        let all: Vec<_> = base.chain(others).collect();
        if all.is_empty() {
            return;
        }
        page.section(&self.label("overruns"));
        let mut table = Table::new(self.label("overruns"))
            .text(self.label("scenario"))
            .text(self.label("budget_line"))
            .text(self.label("source"))
            .text(self.label("first_month"))
            .number(self.label("overrun"));
        for (title, line) in all.iter().take(MOST_ROWS) {
            table.rows.push(vec![
                title.clone(),
                line.budget_doc_no.to_string(),
                self.texts.value(&line.source).to_owned(),
                line.month.to_string(),
                Measure::Money.exact(line.fen),
            ]);
        }
        table.more = all.len().saturating_sub(MOST_ROWS) as u64;
        page.table(&table);
        page.note(&self.label("overruns_note"));
    }

    /// What all of it was made of.
    fn origin(&self, page: &mut Page<'_>) {
        page.section(&self.label("origin"));
        let mut told = vec![
            self.phrase("origin_id", &[("id", &self.of.tune_id)]),
            self.phrase("origin_law", &[("packs", &self.of.packs.join(", "))]),
            self.phrase("origin_known", &[("day", &self.of.known_on)]),
        ];
        told.extend(self.of.inputs.iter().map(|file| {
            format!("{} {} {}", file.table, file.file, &file.sha256[..12.min(file.sha256.len())])
        }));
        page.list(&told);
    }
}

/// The fees of all children.
fn all_fees(of: &Outcome) -> NetFees {
    of.net_fees.get(&(Arc::from(""), Arc::from(""))).copied().unwrap_or_default()
}

/// An average, rounded half up to the fen; `None` of nothing.
pub(super) fn average(sum: i64, count: u64) -> Option<i64> {
    let count = i128::from(count);
    (count > 0).then(|| {
        let twice = 2 * i128::from(sum) + count;
        i64::try_from(twice.div_euclid(2 * count)).unwrap_or(i64::MAX)
    })
}

/// Decimal texts as whole numbers of one scale, with its places; `None` where one is no decimal.
pub(super) fn scaled(values: &[String]) -> Option<(Vec<i64>, u32)> {
    let places =
        values.iter().map(|value| value.split_once('.').map_or(0, |(_, after)| after.len()));
    let places = u32::try_from(places.max()?).ok()?;
    let unit = 10_i128.checked_pow(places)?;
    let whole = |value: &String| {
        let Fraction { num, den } = Fraction::parse_decimal(value)?;
        i64::try_from(num.checked_mul(unit)? / den).ok()
    };
    Some((values.iter().map(whole).collect::<Option<Vec<_>>>()?, places))
}

#[cfg(test)]
mod tests {
    use super::{average, scaled};

    #[test]
    fn settings_of_a_range_are_put_on_one_scale() {
        let texts = ["0.8", "1", "1.25"].map(str::to_owned);
        assert_eq!(scaled(&texts), Some((vec![80, 100, 125], 2)));
        assert_eq!(scaled(&["none".to_owned()]), None);
    }

    #[test]
    fn an_average_is_rounded_half_up() {
        assert_eq!(average(5, 2), Some(3));
        assert_eq!(average(-5, 2), Some(-2));
        assert_eq!(average(5, 0), None);
    }
}
