//! What somebody has to look at: findings, breaches, holds, cuts.

use std::collections::BTreeMap;

use super::composition::number;
use super::{Report, TOP};
use crate::domain::{Finding, Severity};
use crate::publish::findings_file;
use crate::publish::page::{Figure, Measure, Page, Table};

impl Report<'_> {
    pub(super) fn findings(&self, page: &mut Page<'_>) {
        let texts = self.run.texts;
        page.section(texts.label("report.findings"));
        if self.run.findings.is_empty() {
            page.note(texts.label("report.no_findings"));
            return;
        }
        let count = |severity: Severity| {
            let found = self.run.findings.iter().filter(|of| of.code.severity() == severity);
            found.count().to_string()
        };
        let severities = [
            (Severity::Error, "severity.error"),
            (Severity::Warn, "severity.warn"),
            (Severity::Note, "severity.note"),
        ];
        let figure =
            |(severity, key): (Severity, &str)| Figure::new(texts.label(key), count(severity), "");
        page.figures(&severities.map(figure));
        let mut table = Table::new(self.label("report.findings_table"))
            .text(self.label("report.finding"))
            .text(self.label("report.severity"))
            .number(self.in_yuan("report.at_stake"))
            .text(self.label("report.says"))
            .text(self.label("report.next"));
        let key = |severity: Severity| severities.iter().find(|of| of.0 == severity);
        for finding in findings_file::top(self.run.findings, TOP) {
            let Finding { code, money, .. } = finding;
            let (says, next) = texts.finding(finding);
            table.rows.push(vec![
                texts.title(*code).to_owned(),
                key(code.severity()).map_or("", |of| texts.label(of.1)).to_owned(),
                money.map_or_else(String::new, |fen| Measure::Money.exact(fen.0)),
                says,
                next,
            ]);
        }
        table.more = self.run.findings.len().saturating_sub(TOP) as u64;
        page.table(&table);
        page.note(texts.label("report.findings_note"));
    }

    /// Fees above the guide price, as `fees.csv` has them.
    pub(super) fn fees(&self, page: &mut Page<'_>) {
        let texts = self.run.texts;
        page.section(texts.label("report.fees"));
        let Some(sheet) = self.sheet("fees").filter(|sheet| sheet.rows > 0) else {
            page.note(texts.label("report.no_fees"));
            return;
        };
        let sum = |column: &str| sheet.sum(column).unwrap_or(0);
        let mut rows: Vec<usize> =
            (0..sheet.rows).filter(|row| number(sheet, "breaches", *row) > 0).collect();
        let id = |row: usize| sheet.cell(row, "institution_id");
        let mut institutions: Vec<String> = rows.iter().map(|row| id(*row)).collect();
        institutions.sort_unstable();
        institutions.dedup();
        let whole = |n: i64| Measure::count("").exact(n);
        page.figures(&[
            Figure::new(
                self.label("report.breaching"),
                institutions.len().to_string(),
                self.label("report.breaching_note"),
            ),
            Figure::new(
                self.label("report.breaches"),
                whole(sum("breaches")),
                texts.phrase("report.of", &[("count", &whole(sum("rows")))]),
            ),
            Figure::new(self.label("report.breach_sum"), self.yuan(sum("breach_fen")), ""),
            Figure::new(self.label("report.below_floor"), whole(sum("below_floor")), ""),
        ]);
        if rows.is_empty() {
            page.note(texts.label("report.no_breach"));
            return;
        }
        rows.sort_by_key(|row| std::cmp::Reverse(number(sheet, "breach_fen", *row)));
        let more = rows.len().saturating_sub(TOP);
        let mut table = Table::new(self.label("report.fees_table"))
            .text(self.label("report.institution"))
            .text(self.label("report.service"))
            .text(self.label("report.clause"))
            .number(self.in_yuan("report.fee_max"))
            .number(self.in_yuan("report.ceiling"))
            .number(self.label("report.breaches"))
            .number(self.in_yuan("report.breach_sum"));
        for row in rows.into_iter().take(TOP) {
            let money = |column: &str| Measure::Money.exact(number(sheet, column, row));
            table.rows.push(vec![
                self.institution(&id(row)),
                texts.value(&sheet.cell(row, "service")).to_owned(),
                sheet.cell(row, "clause"),
                money("fee_max_fen"),
                money("ceiling_max_fen"),
                whole(number(sheet, "breaches", row)),
                money("breach_fen"),
            ]);
        }
        table.more = more as u64;
        page.table(&table);
    }

    pub(super) fn holds(&self, page: &mut Page<'_>) {
        let (texts, schedule) = (self.run.texts, self.run.schedule);
        page.section(texts.label("report.holds"));
        let mut held: BTreeMap<u32, (i64, u64)> = BTreeMap::new();
        for payment in &schedule.payments {
            let payee = schedule.payees.get(payment.payee as usize);
            if payee.is_some_and(|payee| !payee.hold_reason.is_empty()) {
                let of = held.entry(payment.payee).or_default();
                *of = (of.0.saturating_add(payment.amount_fen), of.1 + 1);
            }
        }
        if held.is_empty() {
            page.note(texts.label("report.no_holds"));
            return;
        }
        let mut rows: Vec<(u32, (i64, u64))> = held.into_iter().collect();
        rows.sort_by_key(|(payee, (fen, _))| (std::cmp::Reverse(*fen), *payee));
        let mut table = Table::new(self.label("report.holds_table"))
            .text(self.label("report.institution"))
            .text(self.label("report.reason"))
            .number(self.label("report.payments"))
            .number(self.in_yuan("report.amount"));
        for (payee, (fen, payments)) in rows.iter().take(TOP) {
            let payee = &schedule.payees[*payee as usize];
            table.rows.push(vec![
                payee.institution_name.to_string(),
                self.reason(&payee.hold_reason),
                payments.to_string(),
                Measure::Money.exact(*fen),
            ]);
        }
        table.more = rows.len().saturating_sub(TOP) as u64;
        let total = [String::new(), rows.iter().map(|row| row.1.1).sum::<u64>().to_string()];
        let [blank, payments] = total;
        let sum = Measure::Money.exact(self.control.held_fen);
        table.total = vec![self.label("page.total"), blank, payments, sum];
        page.table(&table);
    }

    /// What exclusions, caps and a short budget took, by rule and where it took most.
    pub(super) fn cuts(&self, page: &mut Page<'_>) {
        let texts = self.run.texts;
        page.section(texts.label("report.cuts"));
        let mut by_rule: BTreeMap<&str, (u64, i64)> = BTreeMap::new();
        let mut all: Vec<(usize, &crate::allocation::Cut)> = Vec::new();
        for (number, month) in self.run.months.iter().enumerate() {
            for cut in month.allocation.cuts.iter().filter(|cut| cut.cut_fen != 0) {
                let of = by_rule.entry(&cut.rule).or_default();
                *of = (of.0 + 1, of.1.saturating_add(cut.cut_fen));
                all.push((number, cut));
            }
        }
        if all.is_empty() {
            page.note(texts.label("report.no_cuts"));
            return;
        }
        let mut table = Table::new(self.label("report.cuts_by_rule"))
            .text(self.label("report.rule"))
            .number(self.label("report.times"))
            .number(self.in_yuan("report.cut_sum"));
        let mut rules: Vec<(&str, (u64, i64))> = by_rule.into_iter().collect();
        rules.sort_by_key(|(rule, (_, fen))| (std::cmp::Reverse(*fen), *rule));
        for (rule, (times, fen)) in rules.iter().take(TOP) {
            table.rows.push(vec![self.rule(rule), times.to_string(), Measure::Money.exact(*fen)]);
        }
        table.more = rules.len().saturating_sub(TOP) as u64;
        page.table(&table);
        let mut table = Table::new(self.label("report.cuts_table"))
            .text(self.label("report.institution"))
            .text(self.label("report.rule"))
            .text(self.label("report.month"))
            .number(self.in_yuan("report.cut_sum"));
        let more = all.len().saturating_sub(TOP);
        let order = |(number, cut): &(usize, &crate::allocation::Cut)| {
            (std::cmp::Reverse(cut.cut_fen), *number, cut.institution)
        };
        if more > 0 {
            all.select_nth_unstable_by(TOP, |a, b| {
                order(a)
                    .cmp(&order(b))
                    .then_with(|| (&a.1.rule, &a.1.key).cmp(&(&b.1.rule, &b.1.key)))
            });
            all.truncate(TOP);
        }
        all.sort_by(|a, b| {
            order(a).cmp(&order(b)).then_with(|| (&a.1.rule, &a.1.key).cmp(&(&b.1.rule, &b.1.key)))
        });
        for (number, cut) in all {
            let place = cut.institution.map(|row| self.register.of_frame_row(number, row));
            let known = place.and_then(|at| self.register.institutions.get(at as usize));
            let name =
                known.map_or_else(|| self.label("report.whole"), |of| self.institution(&of.id));
            table.rows.push(vec![
                name,
                self.rule(&cut.rule),
                self.run.months[number].month.to_string(),
                Measure::Money.exact(cut.cut_fen),
            ]);
        }
        table.more = more as u64;
        page.table(&table);
    }

    /// What people call a rule that cuts.
    fn rule(&self, id: &str) -> String {
        self.run.words.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }
}
