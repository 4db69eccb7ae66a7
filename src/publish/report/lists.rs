//! What somebody has to look at: findings, breaches, holds, cuts.

use std::collections::BTreeMap;

use super::composition::{number, numbers};
use super::{Report, TOP, first_rows};
use crate::domain::{Finding, Severity};
use crate::publish::findings_file;
use crate::publish::page::{Figure, Measure, Page, Table};
use crate::publish::sheet::Values;

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
        let breached = numbers(sheet, "breaches").zip(numbers(sheet, "breach_fen"));
        let rows: Vec<(i64, usize)> =
            breached.filter(|((count, _), _)| *count > 0).map(|(_, of)| of).collect();
        let id = |row: usize| sheet.cell(row, "institution_id");
        let mut institutions: Vec<&str> = match sheet.get("institution_id") {
            Some(Values::Shared(ids)) => rows.iter().map(|(_, row)| &*ids[*row]).collect(),
            _ => Vec::new(),
        };
        // Rows of a month stand by institution: sorting joins what is in order already.
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
        let more = rows.len().saturating_sub(TOP);
        let mut table = Table::new(self.label("report.fees_table"))
            .text(self.label("report.institution"))
            .text(self.label("report.service"))
            .text(self.label("report.clause"))
            .number(self.in_yuan("report.fee_max"))
            .number(self.in_yuan("report.ceiling"))
            .number(self.label("report.breaches"))
            .number(self.in_yuan("report.breach_sum"));
        for row in first_rows(rows) {
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
        let mut held = vec![(0_i64, 0_u64); schedule.payees.len()];
        for payment in &schedule.payments {
            let payee = schedule.payees.get(payment.payee as usize);
            if payee.is_some_and(|payee| !payee.hold_reason.is_empty()) {
                let of = &mut held[payment.payee as usize];
                *of = (of.0.saturating_add(payment.amount_fen), of.1 + 1);
            }
        }
        let of_payees = held.iter().enumerate().filter(|(_, (_, payments))| *payments > 0);
        let rows: Vec<(i64, usize)> = of_payees.map(|(payee, (fen, _))| (*fen, payee)).collect();
        if rows.is_empty() {
            page.note(texts.label("report.no_holds"));
            return;
        }
        let (count, payments) = (rows.len(), held.iter().map(|of| of.1).sum::<u64>());
        let mut table = Table::new(self.label("report.holds_table"))
            .text(self.label("report.institution"))
            .text(self.label("report.reason"))
            .number(self.label("report.payments"))
            .number(self.in_yuan("report.amount"));
        for at in first_rows(rows) {
            let (payee, (fen, payments)) = (&schedule.payees[at], held[at]);
            table.rows.push(vec![
                payee.institution_name.to_string(),
                self.reason(&payee.hold_reason),
                payments.to_string(),
                Measure::Money.exact(fen),
            ]);
        }
        table.more = count.saturating_sub(TOP) as u64;
        let sum = Measure::Money.exact(self.control.held_fen);
        let (name, payments) = (self.label("page.total"), payments.to_string());
        table.total = vec![name, String::new(), payments, sum];
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
            let month = &self.run.months[number];
            let other =
                cut.institution.and_then(|row| month.entitlements.other_payee(month.frames, row));
            let name = match (known, other) {
                (Some(of), _) => self.institution(&of.id),
                (None, Some(other)) => other.id.to_string(),
                (None, None) => self.label("report.whole"),
            };
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
