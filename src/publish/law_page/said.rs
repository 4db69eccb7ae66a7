//! Formulas, units, cells and roundings in words.

use super::{Writer, named};
use crate::law::{PaperField, PaperValue, PaperWord};
use crate::publish::page::{Bit, Line};

impl Writer<'_> {
    /// A formula by its cases, one a line, where it is nothing else than a distinction of cases.
    pub(super) fn cases(&self, words: &[PaperWord]) -> Vec<Line> {
        let is_case = words.first() == Some(&PaperWord::Key("CASE"));
        let mut depth = 0;
        let mut starts = Vec::new();
        for (at, word) in words.iter().enumerate() {
            match word {
                PaperWord::Key("CASE") => depth += 1,
                PaperWord::Key("END") => depth -= 1,
                PaperWord::Key("WHEN" | "ELSE") if depth == 1 => starts.push(at),
                _ => {}
            }
            if depth == 0 && at + 1 < words.len() {
                return vec![self.formula(words)];
            }
        }
        if !is_case || starts.len() < 2 {
            return vec![self.formula(words)];
        }
        starts.push(words.len() - 1);
        let mut lines: Vec<Line> =
            starts.windows(2).map(|pair| self.formula(&words[pair[0]..pair[1]])).collect();
        let last = lines.len() - 1;
        for line in &mut lines[..last] {
            line.push(Bit::Plain(self.texts.label("word.semicolon").to_owned()));
        }
        lines
    }

    /// A formula, its words in their order. What stands between them is spaces alone.
    pub(super) fn formula(&self, words: &[PaperWord]) -> Line {
        let mut line = Line::new();
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let mut text = String::new();
            if Self::spaced(at.checked_sub(1).and_then(|last| words.get(last)), word) {
                text.push(' ');
            }
            // Cases stand apart; the first follows its bracket.
            if matches!(word, PaperWord::Key("WHEN" | "ELSE"))
                && at.checked_sub(1).is_some_and(|last| words[last] != PaperWord::Key("CASE"))
            {
                text.push_str(self.texts.label("word.semicolon"));
            }
            let pair = (word, words.get(at + 1), words.get(at + 2));
            match pair {
                (
                    PaperWord::Key("IS"),
                    Some(PaperWord::Key("NOT")),
                    Some(PaperWord::Key("NULL")),
                ) => {
                    text.push_str(&self.prose("is_not_null"));
                    at += 2;
                }
                (PaperWord::Key("IS"), Some(PaperWord::Key("NULL")), _) => {
                    text.push_str(&self.prose("is_null"));
                    at += 1;
                }
                (PaperWord::Key("NOT"), Some(PaperWord::Key("IN")), _) => {
                    text.push_str(&self.prose("not_in"));
                    at += 1;
                }
                (PaperWord::Key("NOT"), Some(PaperWord::Key("BETWEEN")), _) => {
                    text.push_str(&self.prose("not_between"));
                    at += 1;
                }
                (PaperWord::Key("FILTER"), ..) => {
                    // FILTER ( WHERE … ): the bracket stays, its WHERE is said by the word before.
                    text.push_str(&self.prose("filter"));
                }
                (PaperWord::Key("WHERE"), ..) => {}
                (PaperWord::Key(key), ..) => {
                    text.push_str(&self.prose(&key.to_ascii_lowercase()));
                }
                (PaperWord::Named(name), ..) => {
                    line.push(Bit::Plain(std::mem::take(&mut text)));
                    line.push(named(self.name(name), name.anchor.as_ref()));
                }
                (PaperWord::Of(basis, name), ..) => {
                    text.push_str(&self.basis(basis));
                    text.push('·');
                    line.push(Bit::Plain(std::mem::take(&mut text)));
                    line.push(named(self.name(name), name.anchor.as_ref()));
                }
                (PaperWord::Function(name), ..) => text.push_str(&self.function(name)),
                (PaperWord::Sign(sign), ..) => text.push_str(operator(sign)),
                (PaperWord::Minus, ..) => text.push('−'),
                (PaperWord::Literal(literal), ..) => text.push_str(literal),
                (PaperWord::Quoted(quoted), ..) => {
                    text.push_str(&self.phrase("quoted", &[("text", quoted)]));
                }
                (PaperWord::Open, ..) => text.push('('),
                (PaperWord::Close, ..) => text.push(')'),
                (PaperWord::Comma, ..) => text.push(','),
            }
            line.push(Bit::Plain(text));
            at += 1;
        }
        line.retain(|bit| !matches!(bit, Bit::Plain(text) if text.is_empty()));
        line
    }

    /// Whether a space stands between two words.
    fn spaced(before: Option<&PaperWord>, word: &PaperWord) -> bool {
        let Some(before) = before else { return false };
        #[expect(clippy::unnested_or_patterns, reason = "one line a rule of spacing")]
        match (before, word) {
            (PaperWord::Open | PaperWord::Minus | PaperWord::Key("WHERE" | "CASE"), _)
            | (_, PaperWord::Close | PaperWord::Comma)
            | (_, PaperWord::Key("WHEN" | "THEN" | "ELSE" | "END"))
            | (PaperWord::Function(_) | PaperWord::Key("FILTER"), PaperWord::Open)
            | (_, PaperWord::Key("WHERE")) => false,
            // A table is called, a name is not: a bracket behind it belongs to it.
            (PaperWord::Named(name), PaperWord::Open) => name.anchor.is_none(),
            _ => true,
        }
    }

    fn prose(&self, key: &str) -> String {
        self.texts.label(&format!("law_page.word_{key}")).to_owned()
    }

    fn function(&self, name: &str) -> String {
        let key = format!("law_page.function_{name}");
        if self.texts.has(&key) { self.texts.label(&key).to_owned() } else { name.to_owned() }
    }

    /// A unit, its words in the language of the page.
    pub(super) fn unit(&self, unit: &str) -> String {
        let word = |word: &str| {
            let key = format!("law_page.unit_{word}");
            if self.texts.has(&key) { self.texts.label(&key).to_owned() } else { word.to_owned() }
        };
        let below: Vec<String> = unit
            .split('/')
            .map(|part| part.split('*').map(word).collect::<Vec<_>>().join("·"))
            .collect();
        below.join("/")
    }

    /// A value of a table or parameter.
    pub(super) fn cell(&self, cell: &str) -> String {
        match cell {
            "none" => self.label("none"),
            "unset" => self.label("unset"),
            "open" => self.label("open"),
            "true" | "false" => self.word("coverage", cell),
            other => other.to_owned(),
        }
    }

    /// A key cell: a value, a range, or anything.
    pub(super) fn range(&self, cell: &str) -> String {
        match cell {
            "*" => return self.label("any"),
            "true" | "false" => return self.word("coverage", cell),
            _ => {}
        }
        let open = cell.chars().next().filter(|c| matches!(c, '[' | '('));
        let close = cell.chars().last().filter(|c| matches!(c, ']' | ')'));
        let (Some(open), Some(close), Some((low, high))) =
            (open, close, cell.get(1..cell.len() - 1).and_then(|inner| inner.split_once(',')))
        else {
            return cell.to_owned();
        };
        let (low, high) = (low.trim(), high.trim());
        let least = if open == '[' { "≥ " } else { "> " };
        let most = if close == ']' { "≤ " } else { "< " };
        match (low.is_empty(), high.is_empty()) {
            (true, true) => self.label("any"),
            (false, true) => format!("{least}{low}"),
            (true, false) => format!("{most}{high}"),
            (false, false) => self.phrase(
                "range",
                &[("low", &format!("{least}{low}")), ("high", &format!("{most}{high}"))],
            ),
        }
    }

    /// A rounding in words.
    pub(super) fn round(&self, fields: &[PaperField]) -> String {
        let text = |key: &str| {
            let field = fields.iter().find(|field| field.key == key)?;
            match &field.value {
                PaperValue::Text(text) | PaperValue::Word(text) => Some(text.clone()),
                _ => None,
            }
        };
        let word = |room: &str, key: &str| {
            text(key).map(|word| self.texts.label(&format!("{room}.{word}")).to_owned())
        };
        let (to, mode) = (text("to").unwrap_or_default(), word("rounding", "mode"));
        let scope = word("round_scope", "scope");
        let mode = mode.unwrap_or_default();
        let mut values = vec![("to", to.as_str()), ("mode", mode.as_str())];
        if let Some(scope) = &scope {
            values.push(("scope", scope));
        }
        self.phrase("round", &values)
    }
}

fn operator(sign: &'static str) -> &'static str {
    match sign {
        "<>" => "≠",
        "<=" => "≤",
        ">=" => "≥",
        "*" => "×",
        "/" => "÷",
        "-" => "−",
        other => other,
    }
}
