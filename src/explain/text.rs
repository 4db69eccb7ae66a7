//! The answer as a text an officer can read, in either language.

use super::{Explanation, FactSaid, GateSaid, GroupSaid, LineSaid, StepSaid, Verdict};
use crate::domain::Fen;
use crate::domain::texts::Catalogue;

/// Writes the answer, one section a line of entitlement.
#[must_use]
pub fn render(explanation: &Explanation, texts: &Catalogue) -> String {
    let mut page = Page::new(texts);
    page.explanation(explanation, true);
    page.out
}

pub(super) struct Page<'a> {
    pub(super) out: String,
    pub(super) texts: &'a Catalogue,
    /// Sections begun for the line at hand.
    sections: usize,
}

impl<'a> Page<'a> {
    pub(super) const fn new(texts: &'a Catalogue) -> Self {
        Self { out: String::new(), texts, sections: 0 }
    }
}

impl Page<'_> {
    /// All lines; `paid` tells whether a schedule was planned for them, which it is not for a closed
    /// month that was settled again.
    pub(super) fn explanation(&mut self, explanation: &Explanation, paid: bool) {
        for (index, line) in explanation.lines.iter().enumerate() {
            if index > 0 {
                self.text("");
            }
            self.line(explanation, line, paid);
        }
        if explanation.further > 0 {
            self.text("");
            self.say(0, "explain.further_rows", &[("count", &explanation.further.to_string())]);
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    pub(super) fn say(&mut self, indent: usize, key: &str, values: &[(&str, &str)]) {
        let text = format!("{:indent$}{}", "", self.texts.phrase(key, values), indent = indent * 2);
        self.text(&text);
    }

    /// An empty line and the title of the next section.
    pub(super) fn section(&mut self, key: &str) {
        let ordinals = self.texts.label("word.ordinals");
        let n = ordinals.split(' ').nth(self.sections).unwrap_or("-");
        self.sections += 1;
        self.text("");
        let title = self.texts.label(key);
        self.say(0, "explain.section", &[("n", n), ("title", title)]);
    }

    pub(super) fn money(&self, fen: i64) -> String {
        format!("{} {}", Fen(fen), self.texts.label("word.yuan"))
    }

    pub(super) fn word(&self, room: &str, word: &str) -> String {
        let key = format!("{room}.{word}");
        if self.texts.has(&key) { self.texts.label(&key).to_owned() } else { word.to_owned() }
    }

    fn line(&mut self, whole: &Explanation, line: &LineSaid, paid: bool) {
        self.sections = 0;
        self.say(0, "explain.title", &[("item", &titled(&line.item, line.rule.named(self.texts)))]);
        self.say(
            0,
            "explain.institution",
            &[("institution", &whole.institution_id), ("name", &whole.institution_name)],
        );
        if !line.child.is_empty() {
            self.say(0, "explain.child", &[("child", &line.child)]);
        }
        if !line.payee.is_empty() {
            self.say(0, "explain.payee", &[("payee", &line.payee)]);
        }
        let key: Vec<String> = line
            .key
            .iter()
            .zip(&line.key_columns)
            .map(|((alias, value), column)| {
                format!("{} {value}", self.texts.named(column, alias, ""))
            })
            .collect();
        let basis = self.word("basis", &line.basis);
        let comma = self.texts.label("word.comma");
        self.say(0, "explain.row", &[("basis", &basis), ("key", &key.join(comma))]);
        self.say(0, "explain.period", &[("period", &whole.period), ("span", &line.segment)]);
        self.say(0, "explain.rule", &[("rule", &line.item), ("version", &line.rule.version)]);
        self.say(0, "explain.clause", &[("clause", &line.rule.clause)]);
        if line.in_kind {
            self.say(0, "explain.in_kind", &[]);
        }
        let reason = self.reason(&line.reason, &line.reason_words, &line.reason_english);
        let status = self.word("status", &line.status);
        let amount = self.money(line.allocated_fen);
        let shown = if line.status == "paid" { amount.as_str() } else { "" };
        self.say(
            0,
            "explain.result",
            &[("status", &status), ("value", shown), ("reason", &reason)],
        );
        self.facts(line);
        self.gates(line);
        self.amount(line);
        self.write_to_date(line);
        self.cuts(line);
        if paid {
            self.money_flow(line);
        }
        self.clauses(line);
    }

    /// The pack's own words for a reason where it has them, else the catalogue's.
    pub(super) fn reason(&self, reason: &str, zh: &str, en: &str) -> String {
        match (reason, self.texts.named("", zh, en)) {
            ("", _) => String::new(),
            (code, "") => match self.texts.reason(code) {
                words if words == code => words,
                words => format!("{words} ({code})"),
            },
            (code, words) => format!("{words} ({code})"),
        }
    }

    fn facts(&mut self, line: &LineSaid) {
        self.section("explain.facts");
        for FactSaid { basis, name, alias, value, file, record, computed } in &line.facts {
            let record = record.to_string();
            let inputs = self.word("computed", computed);
            let values =
                [("file", file.as_str()), ("record", record.as_str()), ("inputs", inputs.as_str())];
            let source = match (file.is_empty(), computed.is_empty()) {
                (true, true) => String::new(),
                (false, true) => format!("    {}", self.texts.phrase("explain.source", &values)),
                (_, false) => format!("    {}", self.texts.phrase("explain.computed", &values)),
            };
            let basis = self.word("basis", basis);
            let colon = self.texts.label("word.colon");
            // Aliases are Chinese; the name itself is English.
            let alias = match self.texts.named("", alias, "") {
                "" => String::new(),
                alias if alias == name => String::new(),
                alias => format!("{alias} "),
            };
            self.text(&format!("  [{basis}] {alias}{name}{colon}{value}{source}"));
        }
    }

    fn gates(&mut self, line: &LineSaid) {
        self.section("explain.gates");
        for gate in &line.gates {
            self.gate(gate);
        }
    }

    fn gate(&mut self, gate: &GateSaid) {
        let verdict = self.texts.label(match gate.verdict {
            Verdict::Holds => "explain.gate_passed",
            Verdict::Fails => "explain.gate_failed",
            Verdict::Unknown => "explain.gate_unknown",
        });
        let mark = if gate.decisive { " ←" } else { "" };
        // A gate's words are those of its failure; the words of a price name it.
        let told = gate.verdict != Verdict::Holds || gate.price.is_some();
        let name = gate.rule.named(self.texts);
        let label = if told && !name.is_empty() { format!(" {name}") } else { String::new() };
        let clause = &gate.rule.clause;
        self.text(&format!("  {verdict}  {}{label} ({clause}){mark}", gate.rule.id));
        let source = gate.expression.split_whitespace().collect::<Vec<_>>().join(" ");
        self.text(&format!("      {source}"));
        if let Some((fee, ceiling, floor, breach)) = &gate.price {
            let breach = self.word("breach", breach);
            let bounded = !(ceiling.is_empty() && floor.is_empty());
            self.say(
                3,
                if bounded { "explain.price_line" } else { "explain.price_free" },
                &[
                    ("fee", if fee.is_empty() { "-" } else { fee }),
                    ("ceiling", ceiling),
                    ("floor", floor),
                    ("breach", &breach),
                ],
            );
        }
        // The whole condition stands above; its parts matter where it does not hold.
        if gate.verdict != Verdict::Holds {
            self.steps(3, &gate.steps);
        }
    }

    /// Steps by depth. A literal says nothing new, nor does a step that repeats the one above it.
    fn steps(&mut self, indent: usize, steps: &[StepSaid]) {
        let mut above: Vec<&str> = Vec::new();
        for step in steps {
            above.truncate(step.depth);
            let repeats = above.last().is_some_and(|source| *source == step.source);
            above.resize(step.depth, "");
            above.push(&step.source);
            if repeats || step.source == step.value {
                continue;
            }
            let source = step.source.split_whitespace().collect::<Vec<_>>().join(" ");
            let note = self.note(&step.note);
            let pad = (indent + step.depth) * 2;
            self.text(&format!("{:pad$}{source} = {}{note}", "", step.value));
        }
    }

    /// A remark of the evaluation in this language: the tree speaks English.
    fn note(&self, note: &str) -> String {
        let with = |key: &str, n: &str| self.texts.phrase(key, &[("n", n)]);
        let said = if note.is_empty() {
            return String::new();
        } else if let Some(n) = note.strip_prefix("branch ") {
            with("explain.note_branch", n)
        } else if let Some(n) = note.strip_prefix("condition ") {
            with("explain.note_condition", n)
        } else if note == "the left side decides" {
            with("explain.note_left", "")
        } else if note == "the first is null" {
            with("explain.note_null", "")
        } else if let Some((table, rest)) = note.split_once(" row ") {
            let (n, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            format!("{table} {} {rest}", with("explain.note_row", n))
        } else {
            note.to_owned()
        };
        format!("    {said}")
    }

    fn amount(&mut self, line: &LineSaid) {
        self.section("explain.steps");
        if line.steps.is_empty() {
            self.say(1, "explain.not_computed", &[]);
            return;
        }
        for value in &line.values {
            let name = titled(&value.rule.id, value.rule.named(self.texts));
            let row = format!("  {name} = {}", value.value);
            self.text(&row);
            if value.expression != value.rule.id {
                let source = value.expression.split_whitespace().collect::<Vec<_>>().join(" ");
                self.text(&format!("      {source}"));
            }
            self.steps(2, value.steps.get(1..).unwrap_or_default());
            if let Some(group) = &value.group {
                self.group(group);
            }
        }
        self.text(&format!("  {} = {}", line.item, line.expression));
        self.steps(2, &line.steps);
        let yuan = self.texts.label("word.yuan");
        self.say(1, "explain.exact", &[("value", &format!("{} {yuan}", line.exact))]);
        let (mode, quantum, scope) = &line.rounding;
        let (mode, scope) = (self.word("rounding", mode), self.word("round_scope", scope));
        let amount = self.money(line.amount_fen);
        self.say(
            1,
            "explain.rounded",
            &[("mode", &mode), ("quantum", quantum), ("scope", &scope), ("value", &amount)],
        );
    }

    /// The group of a row: its order, the rows before it, what was left.
    fn group(&mut self, group: &GroupSaid) {
        let within = self.word("basis", &group.within);
        let comma = self.texts.label("word.comma");
        let (place, rows) = (group.place.to_string(), group.rows.to_string());
        self.say(
            3,
            "explain.group",
            &[
                ("within", &within),
                ("key", &group.key),
                ("rows", &rows),
                ("place", &place),
                ("order", &group.order.join(comma)),
            ],
        );
        if !group.figure.is_empty() {
            let values = [("value", group.figure.as_str()), ("left", &group.left)];
            self.say(3, "explain.group_figure", &values);
        }
        if group.further > 0 {
            self.say(4, "explain.group_further", &[("count", &group.further.to_string())]);
        }
        for seat in group.before.iter().chain([&group.own]) {
            let own = if seat.place == group.place { " ←" } else { "" };
            let figure = if seat.holds { &*seat.figure } else { "-" };
            let place = seat.place.to_string();
            let values = [
                ("place", place.as_str()),
                ("row", &seat.row.join(" ")),
                ("by", &seat.by.join(comma)),
                ("figure", figure),
                ("part", &seat.part),
                ("own", own),
            ];
            self.say(4, "explain.group_row", &values);
        }
    }

    fn cuts(&mut self, line: &LineSaid) {
        if line.status != "paid" && line.cuts.is_empty() && line.cut_by.is_empty() {
            return;
        }
        self.section("explain.cuts");
        if line.cuts.is_empty() && line.cut_by.is_empty() {
            self.say(1, "explain.no_cut", &[]);
        }
        for cut in &line.cuts {
            let shown = |number: i64| {
                if cut.in_money { self.money(number) } else { number.to_string() }
            };
            let (before, limit) = (shown(cut.before), shown(cut.limit));
            self.say(
                1,
                "explain.cut",
                &[
                    ("rule", &cut.rule),
                    ("key", &cut.key),
                    ("before", &before),
                    ("limit", &limit),
                    ("cut", &self.money(cut.cut_fen)),
                ],
            );
        }
        let value = self.money(line.allocated_fen);
        if !line.cut_by.is_empty() {
            self.say(1, "explain.cut_line", &[("rule", &line.cut_by), ("value", &value)]);
        }
        self.say(1, "explain.allocated", &[("value", &value)]);
    }

    fn money_flow(&mut self, line: &LineSaid) {
        if line.status != "paid" {
            return;
        }
        if !line.funding.is_empty() {
            self.section("explain.funding");
            for part in &line.funding {
                let value = self.money(part.fen);
                self.say(
                    1,
                    "explain.funding_line",
                    &[
                        ("source", &part.source),
                        ("budget_doc_no", &part.budget_doc_no),
                        ("value", &value),
                    ],
                );
            }
        }
        if line.in_kind {
            return;
        }
        self.section("explain.schedule");
        if line.schedule.is_empty() {
            self.say(1, "explain.schedule_none", &[]);
        }
        for part in &line.schedule {
            let kind = self.word("kind", &part.kind);
            let hold = match part.hold_reason.as_str() {
                "" => String::new(),
                code => self.texts.reason(code),
            };
            self.say(
                1,
                "explain.schedule_line",
                &[
                    ("kind", &kind),
                    ("source", &part.source),
                    ("value", &self.money(part.payable_fen)),
                    ("pay_on", &part.pay_on),
                    ("hold", &hold),
                ],
            );
        }
    }

    fn clauses(&mut self, line: &LineSaid) {
        self.section("explain.clauses");
        for rule in &line.clauses {
            let label = rule.named(self.texts);
            self.say(
                1,
                "explain.clause_line",
                &[
                    ("clause", &rule.clause),
                    ("id", &rule.id),
                    ("label", label),
                    ("from", &rule.effective_from),
                    ("until", &rule.effective_until),
                    ("known", &rule.known_from),
                    ("place", &rule.place),
                ],
            );
        }
    }
}

/// An id and, where it has one, its name.
fn titled(id: &str, name: &str) -> String {
    if name.is_empty() { id.to_owned() } else { format!("{id} {name}") }
}
