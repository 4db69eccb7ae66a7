//! What the page of a tuning tells of the questions asked, and of one scenario beside the baseline.

use super::page::{BINS, MOST_ROWS, Report, average, scaled};
use super::{Found, Solution};
use crate::domain::{Institution, NetFees, Outcome};
use crate::publish::page::{
    Axis, Chart, Figure, Histogram, Lines, Mark, Measure, Page, Plot, Series, Stroke, Table,
};
use std::sync::Arc;

impl Report<'_> {
    /// Best values with what proves them.
    pub(super) fn solutions(&self, page: &mut Page<'_>) {
        if self.of.solutions.is_empty() {
            return;
        }
        page.section(&self.label("solutions"));
        let mut table = Table::new(self.label("solutions"))
            .text(self.label("question"))
            .text(self.label("range"))
            .text(self.label("found"))
            .text(self.label("proof_head"))
            .number(self.label("cost"));
        for one in &self.of.solutions {
            let (value, cost) = match &one.found {
                Found::Best { value, outcome, .. } => {
                    (value.clone(), Measure::Money.exact(outcome.cost_fen))
                }
                _ => (self.label("none"), String::new()),
            };
            let cells = vec![one.title.clone(), one.range.clone(), value, self.proof(one), cost];
            table.rows.push(cells);
        }
        page.table(&table);
        page.note(&self.label("solutions_note"));
    }

    fn figure(one: &Solution, figure: i64) -> String {
        match one.condition {
            "breaches_at_most" => Measure::count("").exact(figure),
            _ => Measure::Money.exact(figure),
        }
    }

    fn proof(&self, one: &Solution) -> String {
        let condition = self.label(&format!("condition_{}", one.condition));
        let target = Self::figure(one, one.target);
        match &one.found {
            Found::Best { value, figure, beyond: Some((next, other)), .. } => self.phrase(
                "proof",
                &[
                    ("value", value),
                    ("figure", &Self::figure(one, *figure)),
                    ("condition", &condition),
                    ("target", &target),
                    ("beyond", next),
                    ("other", &Self::figure(one, *other)),
                ],
            ),
            Found::Best { value, figure, beyond: None, .. } => self.phrase(
                "proof_at_end",
                &[("value", value), ("figure", &Self::figure(one, *figure))],
            ),
            Found::Never { value, figure } => self.phrase(
                "proof_never",
                &[
                    ("value", value),
                    ("figure", &Self::figure(one, *figure)),
                    ("condition", &condition),
                    ("target", &target),
                ],
            ),
            Found::NotMonotone { .. } => self.label("proof_both_ways"),
            Found::Failed { reason } => reason.clone(),
        }
    }

    pub(super) fn frontiers(&self, page: &mut Page<'_>) {
        for frontier in &self.of.frontiers {
            page.section(&frontier.title);
            let found: Vec<(&String, &Solution, &String)> = frontier
                .points
                .iter()
                .filter_map(|(at, one)| match &one.found {
                    Found::Best { value, .. } => Some((at, one, value)),
                    _ => None,
                })
                .collect();
            let along: Vec<String> = found.iter().map(|(at, ..)| (*at).clone()).collect();
            let best: Vec<String> = found.iter().map(|(_, _, value)| (*value).clone()).collect();
            if let (Some((x, x_places)), Some((y, y_places))) = (scaled(&along), scaled(&best)) {
                let mut points: Vec<(i64, i64)> = x.into_iter().zip(y).collect();
                points.sort_unstable();
                let range = frontier.points.first().map(|(_, one)| one.range.clone());
                let range = range.unwrap_or_default();
                let number = |places| Measure::Number { places, unit: String::new() };
                page.chart(&Chart::new(
                    self.phrase("frontier", &[("range", &range), ("along", &frontier.along)]),
                    self.label("frontier_says"),
                    Plot::Lines(Lines {
                        x: Axis::close(&frontier.along, number(x_places)),
                        y: Axis::close(&range, number(y_places)),
                        series: vec![Series { label: range.clone(), stroke: Stroke::Step, points }],
                        marks: Vec::<Mark>::new(),
                        guides: Vec::new(),
                    }),
                ));
            }
            let mut table = Table::new(frontier.title.clone())
                .text(&frontier.along)
                .text(self.label("found"))
                .text(self.label("proof_head"));
            for (at, one) in frontier.points.iter().take(MOST_ROWS) {
                let value = match &one.found {
                    Found::Best { value, .. } => value.clone(),
                    _ => self.label("none"),
                };
                table.rows.push(vec![at.clone(), value, self.proof(one)]);
            }
            table.more = frontier.points.len().saturating_sub(MOST_ROWS) as u64;
            page.table(&table);
        }
    }

    /// The scenario that was chosen, else the first that was answered, beside the baseline.
    pub(super) fn compared(&self, page: &mut Page<'_>) {
        let named = self.of.chosen.as_ref().map(|(name, _)| name.as_str());
        let of_row = self.answered().find(|(row, _)| Some(row.id.as_str()) == named);
        let of_solution = || {
            let one = self.of.solutions.iter().find(|one| Some(one.id.as_str()) == named)?;
            match &one.found {
                Found::Best { outcome, .. } => Some((one.title.as_str(), &**outcome)),
                _ => None,
            }
        };
        let found = of_row
            .map(|(row, told)| (row.title.as_str(), told))
            .or_else(of_solution)
            .or_else(|| self.answered().next().map(|(row, told)| (row.title.as_str(), told)));
        let Some((title, told)) = found else { return };
        page.section(&self.phrase("compared", &[("scenario", title)]));
        let base = &self.of.baseline;
        page.figures(&[
            Figure::new(
                self.label("cost"),
                self.money(told.cost_fen),
                self.change(told.cost_fen - base.cost_fen),
            ),
            Figure::new(self.label("winners"), Self::count(told.children.winners), ""),
            Figure::new(self.label("losers"), Self::count(told.children.losers), ""),
        ]);
        self.institutions(page, told);
        self.fees(page, told);
    }

    fn institutions(&self, page: &mut Page<'_>, told: &Outcome) {
        let base = &self.of.baseline;
        let mut changes: Vec<(i64, &Institution, i64)> = self
            .of
            .institutions
            .iter()
            .zip(base.institutions.iter().zip(&told.institutions))
            .filter(|(_, (before, now))| before != now)
            .map(|(institution, (before, now))| (now - before, institution, *before))
            .collect();
        if changes.is_empty() {
            page.note(&self.label("nobody_changes"));
            return;
        }
        let values: Vec<i64> = changes.iter().map(|(change, ..)| *change).collect();
        page.chart(&Chart::new(
            self.label("deltas"),
            self.label("deltas_says"),
            Plot::Histogram(Histogram {
                counted: self.label("institutions_counted"),
                axis: Axis::close(self.label("cost_change"), Measure::Money),
                sides: [self.label("loses"), self.label("wins")],
                bins: Histogram::bins(&values, BINS),
            }),
        ));
        changes.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.id.cmp(&b.1.id)));
        let mut table = Table::new(self.label("worst"))
            .text(self.label("institution"))
            .text(self.label("street"))
            .number(self.label("before"))
            .number(self.label("cost_change"));
        let worst = changes.iter().filter(|(change, ..)| *change < 0);
        let all = worst.clone().count();
        for (change, institution, before) in worst.take(self.of.worst) {
            table.rows.push(vec![
                institution.name.to_string(),
                institution.street.to_string(),
                Measure::Money.exact(*before),
                Measure::Money.exact(*change),
            ]);
        }
        table.more = all.saturating_sub(self.of.worst) as u64;
        if table.rows.is_empty() {
            page.note(&self.label("nobody_loses"));
        } else {
            page.table(&table);
        }
        let mut best = Table::new(self.label("best"))
            .text(self.label("institution"))
            .text(self.label("street"))
            .number(self.label("before"))
            .number(self.label("cost_change"));
        let winners = changes.iter().rev().filter(|(change, ..)| *change > 0);
        let all = winners.clone().count();
        for (change, institution, before) in winners.take(self.of.worst.min(10)) {
            best.rows.push(vec![
                institution.name.to_string(),
                institution.street.to_string(),
                Measure::Money.exact(*before),
                Measure::Money.exact(*change),
            ]);
        }
        best.more = all.saturating_sub(best.rows.len()) as u64;
        if !best.rows.is_empty() {
            page.table(&best);
        }
    }

    fn fees(&self, page: &mut Page<'_>, told: &Outcome) {
        let mut table = Table::new(self.label("net_fees"))
            .text(self.label("group"))
            .number(self.label("children"))
            .number(self.label("net_fee_before"))
            .number(self.label("net_fee_now"))
            .number(self.label("p10"))
            .number(self.label("p50"))
            .number(self.label("p90"));
        for ((class, service), fees) in &told.net_fees {
            let before = self.of.baseline.net_fees.get(&(Arc::clone(class), Arc::clone(service)));
            let shown = |fees: &NetFees| {
                average(fees.sum_fen, fees.children)
                    .map_or_else(String::new, |fen| Measure::Money.exact(fen))
            };
            let name = match (class.is_empty(), service.is_empty()) {
                (true, true) => self.label("all"),
                _ => format!("{} {}", self.texts.value(class), self.texts.value(service)),
            };
            table.rows.push(vec![
                name,
                Self::count(fees.children),
                before.map_or_else(String::new, shown),
                shown(fees),
                Measure::Money.exact(fees.quantiles[0]),
                Measure::Money.exact(fees.quantiles[2]),
                Measure::Money.exact(fees.quantiles[4]),
            ]);
        }
        page.table(&table);
    }
}
