//! The course of a month as a text: first what was paid and corrected when, then every step as it was
//! then and as it is now.

use super::runs::RunSaid;
use super::text::Page;
use super::timeline::{
    Answer, ChangeSaid, DeliverySaid, FactChangeSaid, LaterSaid, LawChangeSaid, PostedSaid,
    Timeline,
};
use super::{FactSaid, LineSaid, render};
use crate::domain::texts::Catalogue;
use crate::settle::CALC_VERSION;

/// Letters of a run id that are shown.
const LETTERS: usize = 12;

/// Writes an answer: the lines as they are where nothing became of them later, else the timeline and
/// every settlement of them.
#[must_use]
pub fn render_answer(answer: &Answer, texts: &Catalogue) -> String {
    let Some(timeline) = answer.timeline.as_ref().filter(|of| !of.is_plain()) else {
        return render(&answer.explanation, texts);
    };
    let mut page = Page::new(texts);
    page.overview(answer, timeline);
    page.text("");
    page.say(0, "timeline.first", &run_words(&timeline.paid.run));
    page.text("");
    page.explanation(&answer.explanation, true);
    for of in &timeline.later {
        let Some(explanation) = &of.explanation else { continue };
        page.text("");
        page.say(0, "timeline.again", &run_words(&of.run));
        page.text("");
        if explanation.lines.is_empty() {
            page.say(0, "timeline.gone", &[]);
        }
        page.explanation(explanation, false);
    }
    page.out
}

impl Timeline {
    /// Whether nothing became of the lines, and all runs are known.
    fn is_plain(&self) -> bool {
        self.later.is_empty() && self.unknown.is_empty()
    }
}

fn run_words(run: &RunSaid) -> [(&str, &str); 2] {
    [("period", &run.period), ("run", short(&run.run_id))]
}

/// The first letters of a run id.
pub(super) fn short(run_id: &str) -> &str {
    run_id.get(..LETTERS).unwrap_or(run_id)
}

/// What names a line beside its item: a row key, a class, a span.
fn key_of(of: &ChangeSaid) -> String {
    let span = match (of.span_from.as_str(), of.span_until.as_str()) {
        ("", _) => String::new(),
        (from, until) => format!("{from}..{until}"),
    };
    let parts = [&of.row_key, &of.age_class, &of.service, &span];
    parts.into_iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" ")
}

impl Page<'_> {
    fn overview(&mut self, answer: &Answer, timeline: &Timeline) {
        let whole = &answer.explanation;
        let children = whole.lines.iter().map(|line| line.child.as_str());
        let changed = timeline.later.iter().flat_map(|of| &of.changes);
        let mut children: Vec<&str> = children.chain(changed.map(|of| of.child.as_str())).collect();
        children.sort_unstable();
        children.dedup();
        // Of several children each line says its own.
        let child = if let [only] = children[..] { only } else { "" };
        self.say(
            0,
            "timeline.title",
            &[
                ("period", &whole.period),
                ("institution", &whole.institution_id),
                ("name", &whole.institution_name),
                ("child", child),
            ],
        );
        self.text("");
        self.run("timeline.paid", &timeline.paid.run);
        if whole.lines.is_empty() {
            self.say(1, "timeline.no_line", &[]);
        }
        for line in &whole.lines {
            self.settled_line(line, child);
        }
        self.posted(&timeline.paid.posted);
        for of in &timeline.later {
            self.later(of, child);
        }
        if let Some(paid) = timeline.paid_fen {
            let due = paid.saturating_add(timeline.net_fen);
            let [paid, net, due] = [paid, timeline.net_fen, due].map(|fen| self.money(fen));
            self.text("");
            self.say(0, "timeline.total", &[("paid", &paid), ("net", &net), ("due", &due)]);
        }
        if !timeline.unknown.is_empty() {
            let periods = timeline.unknown.join(self.texts.label("word.comma"));
            self.say(0, "timeline.unknown", &[("periods", &periods)]);
        }
    }

    fn run(&mut self, key: &str, run: &RunSaid) {
        let state = self.word("state", &run.state);
        self.say(
            0,
            key,
            &[
                ("period", &run.period),
                ("run", short(&run.run_id)),
                ("known", &run.known_on),
                ("released", &run.released_on),
                ("state", &state),
            ],
        );
        if run.calc_version != CALC_VERSION {
            self.say(1, "timeline.version", &[("version", &run.calc_version)]);
        }
    }

    fn settled_line(&mut self, line: &LineSaid, child: &str) {
        let own = (line.child != child).then_some(line.child.as_str());
        let key = line.key.iter().map(|(_, value)| value.as_str());
        let key: Vec<&str> = own.into_iter().chain(key).collect();
        let value = self.money(line.allocated_fen);
        let reason = self.reason(&line.reason, &line.reason_words, &line.reason_english);
        self.say(
            1,
            "timeline.line",
            &[
                ("item", &line.item),
                ("key", &key.join(" ")),
                ("value", &value),
                ("reason", &reason),
            ],
        );
    }

    fn later(&mut self, of: &LaterSaid, child: &str) {
        self.text("");
        let key = if of.changes.is_empty() { "timeline.moved" } else { "timeline.later" };
        self.run(key, &of.run);
        for change in &of.changes {
            let own = if change.child == child { "" } else { change.child.as_str() };
            let key = format!("{own} {}", key_of(change));
            self.change("timeline.change", 1, change, key.trim());
            self.say(2, "timeline.cause", &[("cause", &self.word("cause", &change.cause))]);
            if change.record > 0 {
                let record = change.record.to_string();
                let values = [("file", change.file.as_str()), ("record", &record)];
                self.say(2, "timeline.row", &values);
            }
            if change.due_fen == 0 {
                self.refused(of, change);
            }
            if change.cut_fen != 0 {
                let value = self.money(change.cut_fen);
                self.say(2, "timeline.past_cut", &[("value", &value)]);
            }
        }
        self.why(1, &of.deliveries, &of.notices, &of.law, &of.facts);
        if of.shared {
            self.say(1, "timeline.shared", &[]);
        }
        for change in &of.elsewhere {
            self.change("timeline.elsewhere", 1, change, &key_of(change));
        }
        self.posted(&of.posted);
    }

    /// Why nothing is due of a line any more, where it is there at all.
    fn refused(&mut self, of: &LaterSaid, change: &ChangeSaid) {
        let lines = of.explanation.iter().flat_map(|now| &now.lines);
        let mut refused = lines.filter(|line| change.is(line) && !line.reason.is_empty());
        let Some(line) = refused.next() else { return };
        let gate = line.gates.iter().find(|gate| gate.decisive);
        let clause = gate.map_or("", |gate| &gate.rule.clause);
        let status = self.word("status", &line.status);
        let reason = self.reason(&line.reason, &line.reason_words, &line.reason_english);
        let values = [("status", &*status), ("reason", &*reason), ("clause", clause)];
        self.say(2, "timeline.refused", &values);
    }

    pub(super) fn change(&mut self, key: &str, indent: usize, of: &ChangeSaid, row: &str) {
        let [paid, due, net] = [of.paid_fen, of.due_fen, of.net_fen].map(|fen| self.money(fen));
        self.say(
            indent,
            key,
            &[
                ("institution", &of.institution_id),
                ("item", &of.item),
                ("key", row),
                ("paid", &paid),
                ("due", &due),
                ("net", &net),
            ],
        );
    }

    /// What became known, and what differs by it.
    pub(super) fn why(
        &mut self,
        indent: usize,
        deliveries: &[DeliverySaid],
        notices: &[String],
        law: &[LawChangeSaid],
        facts: &[FactChangeSaid],
    ) {
        for of in deliveries {
            let values = [
                ("table", &*self.texts.table(&of.table)),
                ("files", &of.files.join(self.texts.label("word.comma"))),
                ("received", &of.received_on),
            ];
            self.say(indent, "timeline.delivery", &values);
        }
        for clause in notices {
            self.say(indent, "timeline.notice", &[("clause", clause)]);
        }
        for of in law {
            self.law(indent, of);
        }
        for of in facts {
            let Some(fact) = of.after.as_ref().or(of.before.as_ref()) else { continue };
            let name = self.texts.named(&fact.name, &fact.alias, "");
            let [before, after] = [&of.before, &of.after].map(|side| self.value(side.as_ref()));
            let values = [("name", name), ("before", &before), ("after", &after)];
            self.say(indent, "timeline.fact", &values);
        }
    }

    fn law(&mut self, indent: usize, of: &LawChangeSaid) {
        let Some(rule) = of.after.as_ref().or(of.before.as_ref()) else { return };
        let label = rule.named(self.texts);
        let key = if of.after.is_some() { "timeline.law" } else { "timeline.law_ended" };
        let before = of.before.as_ref().map_or("", |before| &before.clause);
        self.say(
            indent,
            key,
            &[
                ("id", &rule.id),
                ("label", label),
                ("clause", &rule.clause),
                ("before", before),
                ("from", &rule.effective_from),
                ("until", &rule.effective_until),
                ("published", &rule.published),
                ("known", &rule.known_from),
            ],
        );
    }

    /// A fact's value with its place; a dash where the line read none.
    fn value(&self, fact: Option<&FactSaid>) -> String {
        let Some(fact) = fact else { return "—".to_owned() };
        let record = if fact.record > 0 { fact.record.to_string() } else { String::new() };
        let values = [("value", &*fact.value), ("file", &fact.file), ("record", &record)];
        self.texts.phrase("timeline.value", &values)
    }

    fn posted(&mut self, lines: &[PostedSaid]) {
        if lines.is_empty() {
            return;
        }
        self.say(1, "timeline.posted", &[]);
        for line in lines {
            let kind = self.word("kind", &line.kind);
            let hold = match line.hold_reason.as_str() {
                "" => String::new(),
                code => self.texts.reason(code),
            };
            let (number, value) = (line.line_no.to_string(), self.money(line.payable_fen));
            self.say(
                2,
                "timeline.posted_line",
                &[
                    ("line_no", &number),
                    ("kind", &kind),
                    ("source", &line.source),
                    ("item", &line.item),
                    ("value", &value),
                    ("pay_on", &line.pay_on),
                    ("payment", &line.payment_no),
                    ("hold", &hold),
                ],
            );
        }
    }
}
