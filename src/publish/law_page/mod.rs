//! `policy doc`: the law of packs on one page, to be read beside the notices.
//!
//! In: a [`LawPaper`], a language. Out: one HTML text. Order: after `law`. Never: says what the packs
//! do not say, knows a clock: the day stands in the paper.

mod inputs;
mod said;
mod timeline;

use crate::domain::texts::{Catalogue, Language};
use crate::law::{
    LawPaper, PaperField, PaperName, PaperRule, PaperTable, PaperValue, PaperWord, Standing,
    said_key, said_word,
};
use crate::publish::page::{Bit, Line, LinkedTable, Page};

/// Kinds of block in the order a reader wants them; kinds not named stand after them.
const ORDER: [&str; 12] = [
    "table",
    "parameter",
    "guide_price",
    "gate",
    "subsidy",
    "exclusion",
    "cap",
    "shortage",
    "split",
    "offset",
    "pay_date",
    "age",
];

/// The page in a language.
#[must_use]
pub fn law_page(paper: &LawPaper, language: Language) -> String {
    let texts = Catalogue::new(language);
    Writer { paper, texts: &texts }.write()
}

struct Writer<'a> {
    paper: &'a LawPaper,
    texts: &'a Catalogue,
}

impl Writer<'_> {
    fn label(&self, key: &str) -> String {
        self.texts.label(&format!("law_page.{key}")).to_owned()
    }

    fn phrase(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.texts.phrase(&format!("law_page.{key}"), values)
    }

    fn is_chinese(&self) -> bool {
        self.texts.language() == Language::Chinese
    }

    fn write(&self) -> String {
        let comma = self.texts.label("word.comma");
        let title = self.phrase("title", &[("packs", &self.paper.titles.join(comma))]);
        let (day, known_on) = (self.paper.day.to_string(), self.paper.known_on.to_string());
        let region = self.paper.regions.join(comma);
        let values = [("day", &*day), ("known_on", &*known_on), ("region", &*region)];
        let mut page = Page::new(self.texts, &title, &self.phrase("subtitle", &values));
        page.style(include_str!("law.css"));
        if self.paper.is_sample {
            page.banner(&self.label("sample"));
        }
        self.notices(&mut page);
        self.timeline(&mut page);
        self.settings(&mut page);
        let in_force = |rule: &&&PaperRule| rule.standing == Standing::InForce;
        for kind in self.kinds() {
            let rules: Vec<&PaperRule> = self.paper.rules.iter().collect();
            let rules: Vec<&PaperRule> =
                rules.iter().filter(in_force).copied().filter(|rule| rule.kind == kind).collect();
            let Some(first) = rules.first() else { continue };
            page.section(&self.kind(first.kind, first.kind_zh));
            match kind {
                "parameter" => self.parameters(&mut page, &rules),
                "gate" => self.gates(&mut page, &rules),
                _ => rules
                    .chunk_by(|one, next| one.id == next.id)
                    .for_each(|versions| self.versions(&mut page, versions)),
            }
        }
        self.drafts(&mut page);
        self.inputs(&mut page);
        self.reading(&mut page);
        page.render()
    }

    /// Kinds of block of the paper in the order they are told.
    fn kinds(&self) -> Vec<&'static str> {
        let mut kinds: Vec<&'static str> = ORDER.to_vec();
        for rule in &self.paper.rules {
            if !kinds.contains(&rule.kind) {
                kinds.push(rule.kind);
            }
        }
        kinds
    }

    fn kind(&self, kind: &str, zh: &str) -> String {
        if self.is_chinese() { zh.to_owned() } else { capital(&kind.replace('_', " ")) }
    }

    fn notices(&self, page: &mut Page<'_>) {
        page.section(&self.label("notices"));
        let heads = ["number", "name", "published", "status", "rules"];
        let mut table = LinkedTable {
            caption: self.label("notices_caption"),
            columns: heads.iter().map(|head| (self.label(head), *head == "rules")).collect(),
            rows: Vec::new(),
        };
        for notice in &self.paper.notices {
            let status = if notice.is_planned { "planned" } else { "adopted" };
            let title = Bit::Away { to: notice.url.clone(), text: notice.title.clone() };
            let cells = vec![
                plain(&notice.number),
                vec![title],
                plain(&notice.published.to_string()),
                plain(&self.label(status)),
                plain(&notice.blocks.to_string()),
            ];
            table.rows.push((String::new(), cells));
        }
        page.linked(&table);
    }

    fn parameters(&self, page: &mut Page<'_>, rules: &[&PaperRule]) {
        let heads = ["parameter", "value", "unit", "source", "life", "read_by"];
        let mut table = LinkedTable {
            caption: self.label("parameters_caption"),
            columns: heads.iter().map(|head| (self.label(head), *head == "value")).collect(),
            rows: Vec::new(),
        };
        for rule in rules {
            let text = |key: &str| match value(rule, key) {
                Some(PaperValue::Text(text)) => text.as_str(),
                _ => "",
            };
            let cells = vec![
                plain(self.name(&rule.name)),
                plain(&self.cell(text("value"))),
                plain(&self.unit(text("unit"))),
                plain(&source(rule)),
                self.dated_life(rule),
                self.names(&rule.readers),
            ];
            table.rows.push((rule.anchor.clone(), cells));
        }
        page.linked(&table);
    }

    /// When a parameter is in force, and the date a row is held against where that is not the
    /// month: then several versions stand side by side.
    fn dated_life(&self, rule: &PaperRule) -> Line {
        let mut line = plain(&self.life(rule));
        if let Some(PaperValue::Names(by)) = value(rule, "dated_by") {
            line.push(Bit::Plain(self.label("life_dated")));
            line.extend(self.formula(by));
        }
        line
    }

    fn gates(&self, page: &mut Page<'_>, rules: &[&PaperRule]) {
        let heads = ["gate", "basis", "require", "outcome", "source", "read_by"];
        let mut table = LinkedTable {
            caption: self.label("gates_caption"),
            columns: heads.iter().map(|head| (self.label(head), false)).collect(),
            rows: Vec::new(),
        };
        for rule in rules {
            let line = |key: &str| {
                let field = rule.fields.iter().find(|field| field.key == key);
                field.map(|field| self.lines(field).concat()).unwrap_or_default()
            };
            let outcome = match value(rule, "outcome") {
                Some(_) => line("outcome"),
                None => plain(&self.word("outcome", "refuse")),
            };
            let cells = vec![
                plain(&self.failing(rule)),
                line("basis"),
                line("require"),
                outcome,
                plain(&source(rule)),
                self.names(&rule.readers),
            ];
            table.rows.push((rule.anchor.clone(), cells));
        }
        page.linked(&table);
        page.note(&self.label("gates_note"));
    }

    /// The versions of a rule that are in force side by side, the earliest first: one heading, and
    /// what they share once.
    fn versions(&self, page: &mut Page<'_>, versions: &[&PaperRule]) {
        let mut versions = versions.to_vec();
        versions.sort_by_key(|rule| (rule.from, rule.known_from));
        let Some(first) = versions.first() else { return };
        self.heading(page, first);
        for (at, rule) in versions.iter().enumerate() {
            let terms = self.terms(rule);
            let again = versions.get(at + 1).is_some_and(|next| self.terms(next) == terms);
            self.version_of(page, rule, if again { &[] } else { &terms });
        }
    }

    /// A rule with everything it says.
    fn rule(&self, page: &mut Page<'_>, rule: &PaperRule) {
        self.heading(page, rule);
        self.version_of(page, rule, &self.terms(rule));
    }

    fn heading(&self, page: &mut Page<'_>, rule: &PaperRule) {
        let mark = match rule.standing {
            Standing::Planned => self.label("standing_planned"),
            Standing::Later => self.label("standing_later"),
            _ => String::new(),
        };
        let name = self.name(&rule.name);
        let id = if name == rule.id { String::new() } else { rule.id.clone() };
        page.part(&rule.anchor, name, &[("id", id), ("mark", mark)]);
    }

    fn version_of(&self, page: &mut Page<'_>, rule: &PaperRule, terms: &[(String, Vec<Line>)]) {
        let head = [source(rule), self.life(rule), self.known(rule)];
        page.line("source", &plain(&head.join(" · ")));
        if let Some(PaperValue::Table(table)) = value(rule, "rows") {
            self.lookup(page, rule, table);
        }
        page.terms(terms);
    }

    /// What a rule says beside its table.
    fn terms(&self, rule: &PaperRule) -> Vec<(String, Vec<Line>)> {
        let mut terms: Vec<(String, Vec<Line>)> = Vec::new();
        for field in &rule.fields {
            match &field.value {
                PaperValue::Table(_) => {}
                // Its unit stands on the head of the table.
                _ if field.key == "unit" && rule.kind == "table" => {}
                _ => terms.push((self.key(field.key), self.lines(field))),
            }
        }
        // What bounds an item reads it too, and is told once.
        let bound = self.bound_by(rule);
        let tells = |reader: &&PaperName| {
            let to = reader.anchor.as_deref().unwrap_or_default();
            bound.is_none() || !["cap.", "exclusion.", "split."].iter().any(|k| to.starts_with(k))
        };
        let readers: Vec<PaperName> = rule.readers.iter().filter(tells).cloned().collect();
        terms.extend(bound);
        if !readers.is_empty() {
            terms.push((self.label("read_by"), vec![self.names(&readers)]));
        }
        terms
    }

    /// Caps, exclusions and splits that list an item.
    fn bound_by(&self, rule: &PaperRule) -> Option<(String, Vec<Line>)> {
        if rule.kind != "subsidy" || rule.standing != Standing::InForce {
            return None;
        }
        let lists = |other: &&PaperRule| {
            other.standing == Standing::InForce
                && matches!(value(other, "items"), Some(PaperValue::Names(names))
                    if names.iter().any(|word| matches!(word, PaperWord::Named(name)
                        if name.anchor.as_deref() == Some(rule.anchor.as_str()))))
        };
        let lines: Vec<Line> = self
            .paper
            .rules
            .iter()
            .filter(lists)
            .map(|other| {
                let mut line = plain(&format!("{} ", self.kind(other.kind, other.kind_zh)));
                line.extend(self.names(std::slice::from_ref(&other.name)));
                line
            })
            .collect();
        (!lines.is_empty()).then(|| (self.label("bound_by"), lines))
    }

    fn lookup(&self, page: &mut Page<'_>, rule: &PaperRule, table: &PaperTable) {
        let unit = match value(rule, "unit") {
            Some(PaperValue::Text(unit)) => self.unit(unit),
            _ => String::new(),
        };
        let titled = |title: &str, unit: &str| match unit {
            "" => title.to_owned(),
            unit => self.texts.phrase("page.with_unit", &[("title", title), ("unit", unit)]),
        };
        let mut columns: Vec<(String, bool)> = table
            .keys
            .iter()
            .map(|(name, unit)| (titled(self.name(name), &self.unit(unit)), false))
            .collect();
        columns.push((titled(&self.label("cell"), &unit), true));
        let rows = table.rows.iter().map(|row| {
            let last = row.len().saturating_sub(1);
            let cells = row.iter().enumerate().map(|(at, cell)| {
                plain(&if at == last { self.cell(cell) } else { self.range(cell) })
            });
            (String::new(), cells.collect())
        });
        let caption = self.name(&rule.name).to_owned();
        page.linked(&LinkedTable { caption, columns, rows: rows.collect() });
    }

    /// What is not in force on the day: drafts, and adopted rules that start later.
    fn drafts(&self, page: &mut Page<'_>) {
        let waits = |rule: &&PaperRule| rule.standing != Standing::InForce;
        let rules: Vec<&PaperRule> = self.paper.rules.iter().filter(waits).collect();
        if rules.is_empty() {
            return;
        }
        page.section(&self.label("drafts"));
        page.note(&self.label("drafts_note"));
        for rule in rules {
            self.rule(page, rule);
        }
    }

    /// How formulas are read.
    fn reading(&self, page: &mut Page<'_>) {
        page.section(&self.label("reading"));
        let notes = ["reading_names", "reading_tables", "reading_words", "reading_authority"];
        page.list(&notes.map(|key| self.label(key)));
    }

    fn life(&self, rule: &PaperRule) -> String {
        let from = rule.from.to_string();
        match rule.until {
            None => self.phrase("life_open", &[("from", &from)]),
            Some(until) => {
                self.phrase("life_until", &[("from", &from), ("until", &until.to_string())])
            }
        }
    }

    fn known(&self, rule: &PaperRule) -> String {
        self.phrase("known", &[("day", &rule.known_from.to_string())])
    }

    fn name<'n>(&self, name: &'n PaperName) -> &'n str {
        if self.is_chinese() { &name.zh } else { &name.en }
    }

    fn key(&self, key: &str) -> String {
        said_key(key, self.texts.language()).to_owned()
    }

    fn word(&self, key: &str, word: &str) -> String {
        said_word(key, word, self.texts.language()).to_owned()
    }

    /// A basis: a grouping of the pack by its name, any other by its word.
    fn basis(&self, word: &str) -> String {
        let grouping = |rule: &&PaperRule| rule.kind == "grouping" && rule.id == word;
        match self.paper.rules.iter().find(grouping) {
            Some(rule) => self.name(&rule.name).to_owned(),
            // In English the word is what a formula of the pack says.
            None if self.is_chinese() => self.word("basis", word),
            None => word.to_owned(),
        }
    }

    /// The reason a row fails a gate for: the name of the gate, or the code that stands on lines.
    fn failing(&self, gate: &PaperRule) -> String {
        let name = self.name(&gate.name);
        match value(gate, "reason") {
            Some(PaperValue::Text(code)) if name == gate.id => {
                let said = self.texts.reason(code);
                if self.is_chinese() { said } else { said.replace('_', " ") }
            }
            _ => name.to_owned(),
        }
    }

    fn names(&self, names: &[PaperName]) -> Line {
        let mut line = Line::new();
        for name in names {
            if !line.is_empty() {
                line.push(Bit::Plain(self.texts.label("word.comma").to_owned()));
            }
            line.push(named(self.name(name), name.anchor.as_ref()));
        }
        line
    }

    /// The lines a key is told in.
    fn lines(&self, field: &PaperField) -> Vec<Line> {
        match &field.value {
            PaperValue::Text(text) => vec![plain(&self.cell(text))],
            PaperValue::Word(word) => vec![plain(&self.word(field.key, word))],
            PaperValue::Formula(words, source) if source == "budget" && field.key == "limit" => {
                let _ = words;
                vec![plain(&self.word("limit", source))]
            }
            PaperValue::Formula(words, _) => self.cases(words),
            PaperValue::Names(words) if words.is_empty() => vec![plain(&self.label("nothing"))],
            PaperValue::Names(words) if field.key == "gates" => (1..)
                .zip(words)
                .map(|(number, word)| {
                    let mut line = plain(&format!("{number}. "));
                    line.extend(self.condition(word));
                    line
                })
                .collect(),
            PaperValue::Names(words) => {
                let mut line = Line::new();
                for word in words {
                    if !line.is_empty() {
                        line.push(Bit::Plain(self.texts.label("word.comma").to_owned()));
                    }
                    line.extend(self.formula(std::slice::from_ref(word)));
                }
                vec![line]
            }
            PaperValue::Group(fields) if field.key == "round" => vec![plain(&self.round(fields))],
            PaperValue::Group(fields) => vec![self.group(fields)],
            PaperValue::List(list) => list.iter().map(|fields| self.group(fields)).collect(),
            // Tables of a rule stand by themselves.
            PaperValue::Table(_) => Vec::new(),
        }
    }

    /// A gate as an item lists it: what must hold, else for which reason the row fails.
    fn condition(&self, word: &PaperWord) -> Line {
        let gate = match word {
            PaperWord::Named(name) => {
                self.paper.rules.iter().find(|rule| Some(&rule.anchor) == name.anchor.as_ref())
            }
            _ => None,
        };
        let name = self.formula(std::slice::from_ref(word));
        let require = gate.and_then(|gate| Some((gate, value(gate, "require")?)));
        let Some((gate, PaperValue::Formula(require, _))) = require else {
            let is_price = gate.is_some_and(|gate| gate.kind == "guide_price");
            let before = if is_price { self.label("price_gate") } else { String::new() };
            return [plain(&before), name].concat();
        };
        let mut line = self.formula(require);
        line.push(Bit::Plain(format!("{} ", self.label("else"))));
        line.push(named(&self.failing(gate), Some(&gate.anchor)));
        if let Some(PaperValue::Word(outcome)) = value(gate, "outcome") {
            let outcome = self.word("outcome", outcome);
            line.push(Bit::Plain(self.phrase("outcome_in", &[("outcome", &outcome)])));
        }
        line
    }

    fn group(&self, fields: &[PaperField]) -> Line {
        let mut line = Line::new();
        for field in fields {
            if !line.is_empty() {
                line.push(Bit::Plain(self.texts.label("word.semicolon").to_owned()));
            }
            line.push(Bit::Plain(format!("{} ", self.key(field.key))));
            line.extend(self.lines(field).concat());
        }
        line
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn source(rule: &PaperRule) -> String {
    format!("{} {}", rule.number, rule.clause).trim().to_owned()
}

fn value<'r>(rule: &'r PaperRule, key: &str) -> Option<&'r PaperValue> {
    rule.fields.iter().find(|field| field.key == key).map(|field| &field.value)
}

fn plain(text: &str) -> Line {
    vec![Bit::Plain(text.to_owned())]
}

fn named(text: &str, anchor: Option<&String>) -> Bit {
    match anchor {
        Some(to) => Bit::Link { to: to.clone(), text: text.to_owned() },
        None => Bit::Name(text.to_owned()),
    }
}
