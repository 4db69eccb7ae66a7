//! The statement of one child as a document: plain text that can be printed and signed.

use super::super::text::Page;
use super::super::{RuleSaid, RunSaid};
use super::said::{
    ChangedSaid, CorrectionSaid, InstitutionSaid, ItemSaid, MonthSaid, PlaceSaid, Statement,
    StaySaid,
};
use crate::domain::Month;
use crate::domain::texts::Catalogue;

/// Writes a statement.
#[must_use]
pub fn render_statement(statement: &Statement, texts: &Catalogue) -> String {
    let mut page = Page::new(texts);
    page.head(statement);
    for month in &statement.months {
        page.month(month, &statement.runs);
    }
    page.totals(statement);
    page.runs(statement);
    page.out
}

/// The number a run has in the list at the end.
fn number(runs: &[RunSaid], run_id: &str) -> String {
    let at = runs.iter().position(|run| run.run_id == run_id);
    at.map_or_else(String::new, |at| (at + 1).to_string())
}

/// Months that follow each other as one span each.
fn spans(months: &[String]) -> Vec<String> {
    let mut spans: Vec<(Month, Month)> = Vec::new();
    for month in months.iter().filter_map(|month| Month::parse(month).ok()) {
        match spans.last_mut() {
            Some((_, until)) if until.plus(1) == month => *until = month,
            _ => spans.push((month, month)),
        }
    }
    let text = |(from, until): (Month, Month)| {
        if from == until { from.to_string() } else { format!("{from}..{until}") }
    };
    spans.into_iter().map(text).collect()
}

impl Page<'_> {
    fn head(&mut self, of: &Statement) {
        self.say(0, "statement.title", &[]);
        self.text("");
        self.say(0, "statement.child", &[("child", &of.child)]);
        if !of.institution_id.is_empty() {
            let values = [("institution", of.institution_id.as_str())];
            self.say(0, "statement.only", &values);
        }
        let values = [("from", of.from.as_str()), ("until", &of.until), ("job", &of.job)];
        self.say(0, "statement.span", &values);
        let comma = self.texts.label("word.comma");
        if !of.unsettled.is_empty() {
            let months = spans(&of.unsettled).join(comma);
            self.say(0, "statement.unsettled", &[("months", &months)]);
        }
        if !of.unknown.is_empty() {
            let periods = of.unknown.join(comma);
            self.say(0, "timeline.unknown", &[("periods", &periods)]);
        }
        self.say(0, "statement.own", &[]);
    }

    fn month(&mut self, of: &MonthSaid, runs: &[RunSaid]) {
        self.text("");
        let values = [("period", of.period.as_str()), ("n", &number(runs, &of.run_id))];
        self.say(0, "statement.month", &values);
        if of.institutions.is_empty() {
            self.say(1, "statement.nothing", &[]);
        }
        for institution in &of.institutions {
            self.institution(institution);
        }
        for correction in &of.corrections {
            self.correction(correction, runs);
        }
        let [first, due] = [of.first_fen, of.due_fen].map(|fen| self.money(fen));
        self.say(1, "statement.month_total", &[("first", &first), ("due", &due)]);
    }

    fn institution(&mut self, of: &InstitutionSaid) {
        let values = [("institution", of.institution_id.as_str()), ("name", &of.institution_name)];
        self.say(1, "explain.institution", &values);
        for stay in &of.stays {
            self.stay("statement.stay", "", stay);
        }
        for item in &of.items {
            self.item(item);
        }
    }

    fn stay(&mut self, key: &str, institution: &str, of: &StaySaid) {
        let comma = self.texts.label("word.comma");
        let days: Vec<String> = of
            .days
            .iter()
            .map(|(name, value)| format!("{} {value}", self.word("attendance", name)))
            .collect();
        let record = of.record.to_string();
        self.say(
            2,
            key,
            &[
                ("institution", institution),
                ("from", &of.from),
                ("until", &of.until),
                ("age_class", &of.age_class),
                ("service", &of.service),
                ("days", &days.join(comma)),
                ("file", &of.file),
                ("record", &record),
            ],
        );
    }

    fn item(&mut self, of: &ItemSaid) {
        let status = self.word("status", &of.status);
        let value = self.money(of.allocated_fen);
        let label = of.rule.named(self.texts);
        let paid = if of.status == "paid" { value.as_str() } else { "" };
        let reason = self.reason(&of.reason, &of.reason_words, &of.reason_english);
        self.say(
            2,
            "statement.item",
            &[
                ("item", &of.item),
                ("label", label),
                ("status", &status),
                ("value", paid),
                ("reason", &reason),
            ],
        );
        self.because(&of.reason_rule.as_ref().unwrap_or(&of.rule).clone());
        if of.in_kind {
            self.say(3, "explain.in_kind", &[]);
        }
        if !of.exact.is_empty() {
            let source = of.expression.split_whitespace().collect::<Vec<_>>().join(" ");
            let exact = format!("{} {}", of.exact, self.texts.label("word.yuan"));
            let rounded = self.money(of.amount_fen);
            let values = [("source", source.as_str()), ("exact", &exact), ("value", &rounded)];
            self.say(3, "statement.amount", &values);
        }
        if !of.cut_by.is_empty() {
            let values = [("rule", of.cut_by.as_str()), ("value", &value)];
            self.say(3, "explain.cut_line", &values);
        }
        self.places(&of.places);
    }

    /// The clause behind an amount or a reason, with its dates.
    fn because(&mut self, rule: &RuleSaid) {
        self.say(
            3,
            "statement.clause",
            &[
                ("clause", &rule.clause),
                ("id", &rule.id),
                ("from", &rule.effective_from),
                ("until", &rule.effective_until),
                ("published", &rule.published),
            ],
        );
    }

    fn places(&mut self, places: &[PlaceSaid]) {
        for of in places {
            let (kind, line_no) = (self.word("kind", &of.kind), of.line_no.to_string());
            let hold = match of.hold_reason.as_str() {
                "" => String::new(),
                code => self.texts.reason(code),
            };
            self.say(
                3,
                "statement.place",
                &[
                    ("line_no", &line_no),
                    ("kind", &kind),
                    ("source", &of.source),
                    ("share", &of.share),
                    ("pay_on", &of.pay_on),
                    ("payment", &of.payment_no),
                    ("hold", &hold),
                ],
            );
        }
    }

    fn correction(&mut self, of: &CorrectionSaid, runs: &[RunSaid]) {
        let values = [("period", of.period.as_str()), ("n", &number(runs, &of.run_id))];
        self.say(1, "statement.correction", &values);
        for changed in &of.changes {
            self.changed(changed);
        }
        for at in &of.stays {
            let institution = at.institution_id.as_str();
            if at.stays.is_empty() {
                self.say(2, "statement.no_stay", &[("institution", institution)]);
            }
            for stay in &at.stays {
                self.stay("statement.stay_now", institution, stay);
            }
        }
        self.why(2, &of.deliveries, &of.notices, &of.law, &of.facts);
        if of.shared {
            self.say(2, "timeline.shared", &[]);
        }
    }

    fn changed(&mut self, of: &ChangedSaid) {
        let change = &of.change;
        let span = match (change.span_from.as_str(), change.span_until.as_str()) {
            ("", _) => String::new(),
            (from, until) => format!("{from}..{until}"),
        };
        self.change("statement.change", 2, change, &span);
        let cause = self.word("cause", &change.cause);
        self.say(3, "timeline.cause", &[("cause", &cause)]);
        if let Some((words, rule)) = &of.refused {
            let words = if self.texts.has(&format!("reason.{words}")) {
                self.texts.reason(words)
            } else {
                words.clone()
            };
            // The words of a gate are those of its failure.
            let english = rule.as_ref().map_or("", |rule| &rule.english);
            let words = self.texts.named(&words, &words, english);
            self.say(3, "statement.refused", &[("reason", words)]);
            if let Some(rule) = rule {
                self.because(rule);
            }
        }
        if change.cut_fen != 0 {
            let value = self.money(change.cut_fen);
            self.say(3, "timeline.past_cut", &[("value", &value)]);
        }
        self.places(&of.places);
    }

    fn totals(&mut self, of: &Statement) {
        self.text("");
        self.say(0, "statement.totals", &[]);
        for item in &of.items {
            let label = if item.label == item.item { "" } else { item.label.as_str() };
            let label = self.texts.named("", label, &item.english);
            let [first, net, due] =
                [item.first_fen, item.net_fen, item.due_fen].map(|fen| self.money(fen));
            self.say(
                1,
                "statement.total",
                &[
                    ("item", &item.item),
                    ("label", label),
                    ("first", &first),
                    ("net", &net),
                    ("due", &due),
                ],
            );
        }
        for period in &of.periods {
            let [own, net] = [period.own_fen, period.corrected_fen].map(|fen| self.money(fen));
            let n = number(&of.runs, &period.run_id);
            let state = of.runs.iter().find(|run| run.run_id == period.run_id);
            let state = state.map_or_else(String::new, |run| self.word("state", &run.state));
            let values = [
                ("period", period.period.as_str()),
                ("n", &n),
                ("state", &state),
                ("own", &own),
                ("net", &net),
            ];
            self.say(1, "statement.period", &values);
        }
        let due = self.money(of.due_fen);
        self.say(1, "statement.due", &[("due", &due)]);
    }

    fn runs(&mut self, of: &Statement) {
        self.text("");
        self.say(0, "statement.runs", &[]);
        for (at, run) in of.runs.iter().enumerate() {
            let (n, state) = ((at + 1).to_string(), self.word("state", &run.state));
            self.say(
                1,
                "statement.run",
                &[
                    ("n", &n),
                    ("run", &run.run_id),
                    ("period", &run.period),
                    ("known", &run.known_on),
                    ("released", &run.released_on),
                    ("state", &state),
                ],
            );
            self.say(2, "statement.root", &[("root", &run.schedule_root)]);
        }
        self.text("");
        self.say(0, "statement.verify", &[]);
        for key in ["statement.by_line", "statement.by_steps", "statement.by_rerun"] {
            self.say(1, key, &[]);
        }
    }
}
