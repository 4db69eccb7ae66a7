//! Texts for people, in simplified Chinese and English: one catalogue, one file a language.
//!
//! In: codes, keys, values by name. Out: sentences for a clerk. Order: after `finding`.
//! Never: decides anything, knows a child, prints. A third language is a third file.
//!
//! A text may hold `{name}`, which stands for a value, and `[a piece with {name}]`, which is left
//! out whole when one of its values is missing: so a finding reads well whatever its room knew.

use super::{Fen, Finding, FindingCode, Month, amount_in_english_words, amount_in_words};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

/// A language the catalogue has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Language {
    /// Simplified Chinese, `zh-CN`.
    #[default]
    Chinese,
    /// English, `en`.
    English,
}

impl Language {
    /// Every language, with its tag as `--lang` and jobs write it.
    pub const TAGS: [(&'static str, Self); 2] = [("zh-CN", Self::Chinese), ("en", Self::English)];

    /// The tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    /// The language of a tag.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        Self::TAGS.iter().find(|(name, _)| *name == tag).map(|(_, language)| *language)
    }

    const fn file(self) -> &'static str {
        match self {
            Self::Chinese => include_str!("texts/zh-CN.toml"),
            Self::English => include_str!("texts/en.toml"),
        }
    }
}

/// All texts of one language.
#[derive(Debug, Clone)]
pub struct Catalogue {
    language: Language,
    texts: Arc<Texts>,
}

/// The texts of each language, read once.
static CHINESE: LazyLock<Arc<Texts>> = LazyLock::new(|| Arc::new(Texts::of(Language::Chinese)));
static ENGLISH: LazyLock<Arc<Texts>> = LazyLock::new(|| Arc::new(Texts::of(Language::English)));

/// Texts with their keys, sorted by key; the place of each by its key.
#[derive(Debug)]
struct Texts {
    sorted: Vec<(String, String)>,
    places: FxHashMap<String, usize>,
}

impl Texts {
    fn of(language: Language) -> Self {
        let table: toml::Table = language.file().parse().expect("the catalogue is TOML");
        let mut texts = BTreeMap::new();
        flatten("", &table, &mut texts);
        let sorted: Vec<(String, String)> = texts.into_iter().collect();
        let places = sorted.iter().enumerate().map(|(at, (key, _))| (key.clone(), at)).collect();
        Self { sorted, places }
    }

    fn get(&self, key: &str) -> Option<&String> {
        self.places.get(key).map(|at| &self.sorted[*at].1)
    }
}

impl Catalogue {
    /// The catalogue of a language.
    ///
    /// # Panics
    /// When the file built into the program is not TOML of texts: a bug, which a test finds.
    #[must_use]
    pub fn new(language: Language) -> Self {
        let texts = match language {
            Language::Chinese => &CHINESE,
            Language::English => &ENGLISH,
        };
        Self { language, texts: Arc::clone(texts) }
    }

    /// Its language.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.language
    }

    /// All keys with their texts, sorted by key.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.sorted.iter().map(|(key, text)| (key.as_str(), text.as_str()))
    }

    /// Whether the catalogue has a text under `key`.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.texts.get(key).is_some()
    }

    /// A text without values, for instance a column title (`column.payable_fen`). A key nobody
    /// wrote a text for stands for itself, which a person sees and a test finds.
    #[must_use]
    pub fn label<'a>(&'a self, key: &'a str) -> &'a str {
        self.texts.get(key).map_or(key, String::as_str)
    }

    /// The title of a column by its English header; the header itself when there is none.
    #[must_use]
    pub fn column<'a>(&'a self, header: &'a str) -> &'a str {
        self.texts.get(&format!("column.{header}")).map_or(header, String::as_str)
    }

    /// A text with values.
    #[must_use]
    pub fn phrase(&self, key: &str, values: &[(&str, &str)]) -> String {
        fill(self.label(key), &|name| find(values, name).map(str::to_owned), &mut Vec::new())
    }

    /// The words of a reason code. Codes of a pack's own gates have their words in the pack, so an
    /// unknown code stands for itself.
    #[must_use]
    pub fn reason(&self, code: &str) -> String {
        self.texts.get(&format!("reason.{code}")).cloned().unwrap_or_else(|| code.to_owned())
    }

    /// An amount in words: 人民币大写, or as an English cheque has it.
    #[must_use]
    pub fn words(&self, amount: Fen) -> String {
        match self.language {
            Language::Chinese => amount_in_words(amount),
            Language::English => amount_in_english_words(amount),
        }
    }

    /// A value of the core tables (a kind of institution, a level of government); any other value
    /// stands for itself.
    #[must_use]
    pub fn value<'v>(&'v self, value: &'v str) -> &'v str {
        self.texts.get(&format!("value.{value}")).map_or(value, String::as_str)
    }

    /// A month of a year: `2026年8月`, `August 2026`.
    #[must_use]
    pub fn month(&self, month: Month) -> String {
        let year = month.year().to_string();
        self.phrase("word.month", &[("year", &year), ("month", self.month_name(month))])
    }

    /// A month whose year is known: `8月`, `August`.
    #[must_use]
    pub fn month_of_year(&self, month: Month) -> String {
        self.phrase("word.month_of_year", &[("month", self.month_name(month))])
    }

    fn month_name(&self, month: Month) -> &str {
        let at = usize::try_from(month.number()).unwrap_or(1);
        self.label("word.month_names").split(' ').nth(at.saturating_sub(1)).unwrap_or_default()
    }

    /// What people call something that has a name in Chinese and perhaps one in English; an English
    /// reader is given the id rather than a name he cannot read.
    #[must_use]
    pub fn named<'n>(&self, id: &'n str, zh: &'n str, en: &'n str) -> &'n str {
        let own = match self.language {
            Language::Chinese => zh,
            Language::English => en,
        };
        if own.is_empty() { id } else { own }
    }

    /// The short name of a finding.
    #[must_use]
    pub fn title(&self, code: FindingCode) -> &str {
        self.texts.get(&format!("finding.{}.title", code.name())).map_or(code.name(), |t| t)
    }

    /// The sentence of a finding and the next step: place, found, expected, what to do. Values the
    /// sentence has no room for follow it in brackets, so that nothing a room knew is lost.
    #[must_use]
    pub fn finding(&self, finding: &Finding) -> (String, String) {
        let code = finding.code.name();
        let place = self.place(finding);
        let value = |name: &str| -> Option<String> {
            if let Some((_, value)) = finding.values.iter().find(|(key, _)| *key == name) {
                return Some(self.translated(name, value)).filter(|value| !value.is_empty());
            }
            match name {
                "column" => Some(self.input(&finding.rule)).filter(|c| !c.is_empty()),
                "place" => Some(place.clone()),
                // Said once: either the place is the institution or the sentence names it.
                "institution" => Some(finding.institution_id.clone())
                    .filter(|id| !id.is_empty() && !place.contains(id.as_str())),
                "rule" => Some(finding.rule.clone()).filter(|rule| !rule.is_empty()),
                "table" => Some(self.table(&finding.place.table)),
                "count" => Some(finding.count.to_string()),
                "money" => finding.money.map(|money| money.to_string()),
                _ => None,
            }
        };
        let mut used = Vec::new();
        let mut text = fill(self.label(&format!("finding.{code}.text")), &value, &mut used);
        let rest = self.unused(finding, &used, &text);
        let mut tail = String::new();
        if !rest.is_empty() {
            tail.push_str(&self.phrase("word.further", &[("values", &rest)]));
        }
        if finding.count > 1 {
            tail.push_str(&self.phrase("word.repeats", &[("count", &finding.count.to_string())]));
        }
        let money = finding.money.filter(|money| {
            let shown = money.to_string();
            !used.iter().any(|name| value(name).is_some_and(|text| text == shown))
        });
        if let Some(money) = money {
            tail.push_str(&self.phrase("word.at_stake", &[("money", &money.to_string())]));
        }
        let stop = self.label("word.full_stop");
        if !tail.is_empty() {
            let body = text.strip_suffix(stop).map(str::to_owned).unwrap_or(text);
            text = format!("{body}{tail}{stop}");
        }
        (text, self.label(&format!("finding.{code}.next")).to_owned())
    }

    /// The title of a column of a delivery.
    fn input(&self, header: &str) -> String {
        let own = self.texts.get(&format!("input.{header}"));
        own.cloned().unwrap_or_else(|| self.column(header).to_owned())
    }

    /// A value of a finding in this language, where it is a word of ours: a column, what a column
    /// expects, a reason. Anything else is told as found.
    fn translated(&self, name: &str, value: &str) -> String {
        match name {
            "column" => self.input(value),
            "reason" => self.reason(value),
            "expected" => {
                let key = format!("expected.{value}");
                let listed = || value.replace('|', self.label("word.comma"));
                self.texts.get(&key).cloned().unwrap_or_else(listed)
            }
            _ => value.to_owned(),
        }
    }

    /// Values of a finding its sentence did not use, as `name value` pairs.
    fn unused(&self, finding: &Finding, used: &[String], text: &str) -> String {
        let mut rest = String::new();
        for (name, value) in &finding.values {
            if used.iter().any(|n| n == name) || value.is_empty() || text.contains(value) {
                continue;
            }
            if !rest.is_empty() {
                rest.push_str(self.label("word.semicolon"));
            }
            // Writing to a String cannot fail.
            let _ = write!(rest, "{} {value}", self.column(name));
        }
        rest
    }

    /// The most exact place a finding knows.
    fn place(&self, finding: &Finding) -> String {
        let place = &finding.place;
        if !place.file.is_empty() && place.record > 0 {
            let record = place.record.to_string();
            return self.phrase("word.place_record", &[("file", &place.file), ("record", &record)]);
        }
        if !place.file.is_empty() {
            return place.file.clone();
        }
        if !place.table.is_empty() {
            return self.table(&place.table);
        }
        if !finding.institution_id.is_empty() {
            return self.phrase(
                "word.place_institution",
                &[("institution", finding.institution_id.as_str())],
            );
        }
        self.label("word.place_settlement").to_owned()
    }

    /// The name of a table; a table a pack declares stands for itself.
    #[must_use]
    pub fn table(&self, table: &str) -> String {
        self.texts.get(&format!("table.{table}")).cloned().unwrap_or_else(|| table.to_owned())
    }
}

/// Dotted keys of a nested table of texts.
fn flatten(prefix: &str, table: &toml::Table, texts: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(inner) => flatten(&key, inner, texts),
            toml::Value::String(text) => {
                texts.insert(key, text.clone());
            }
            other => panic!("catalogue key {key} is a {}, not a text", other.type_str()),
        }
    }
}

fn find<'a>(values: &[(&str, &'a str)], name: &str) -> Option<&'a str> {
    values.iter().find(|(key, _)| *key == name).map(|(_, value)| *value).filter(|v| !v.is_empty())
}

/// Fills `{name}` and keeps or drops `[…]` pieces. Names that were filled are added to `used`. A
/// missing value outside a piece leaves a dash: a sentence with a hole is better than none.
fn fill(template: &str, value: &dyn Fn(&str) -> Option<String>, used: &mut Vec<String>) -> String {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some(at) = memchr::memchr2(b'{', b'[', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let piece = &rest[at + 1..];
        if rest.as_bytes()[at] == b'{' {
            let (name, after) = piece.split_once('}').unwrap_or((piece, ""));
            match value(name) {
                Some(text) => {
                    used.push(name.to_owned());
                    out.push_str(&text);
                }
                None => out.push('—'),
            }
            rest = after;
        } else {
            let (inner, after) = piece.split_once(']').unwrap_or((piece, ""));
            if placeholders(inner).all(|name| value(name).is_some()) {
                out.push_str(&fill(inner, value, used));
            }
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// Names in braces, in order.
fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|piece| piece.split_once('}').map(|(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Fen, Place, RowError};

    fn both() -> [Catalogue; 2] {
        [Catalogue::new(Language::Chinese), Catalogue::new(Language::English)]
    }

    #[test]
    fn both_languages_have_the_same_keys_and_values() {
        let [zh, en] = both();
        let keys = |catalogue: &Catalogue| -> Vec<String> {
            catalogue.entries().map(|(key, _)| key.to_owned()).collect()
        };
        assert_eq!(keys(&zh), keys(&en), "write the missing text into the other file");
        for ((key, zh), (_, en)) in zh.entries().zip(en.entries()) {
            assert!(!zh.trim().is_empty() && !en.trim().is_empty(), "{key} is empty");
            let names = |text| placeholders(text).collect::<std::collections::BTreeSet<_>>();
            assert_eq!(names(zh), names(en), "{key}: same values in both languages");
        }
    }

    #[test]
    fn every_code_has_a_title_a_sentence_and_a_next_step() {
        for catalogue in both() {
            for code in FindingCode::ALL {
                for part in ["title", "text", "next"] {
                    let key = format!("finding.{}.{part}", code.name());
                    assert!(catalogue.has(&key), "{}: write {key}", catalogue.language().tag());
                }
            }
            let named = catalogue.entries().filter(|(key, _)| {
                key.strip_prefix("finding.")
                    .and_then(|k| k.strip_suffix(".title"))
                    .is_some_and(|name| !FindingCode::ALL.iter().any(|code| code.name() == name))
            });
            assert_eq!(named.count(), 0, "a finding in the catalogue that no code names");
            for error in [
                RowError::NoParent,
                RowError::TableMiss,
                RowError::DivisionByZero,
                RowError::Overflow,
                RowError::NegativeAmount,
            ] {
                assert!(catalogue.has(&format!("reason.{}", error.reason())), "{error:?}");
            }
        }
    }

    #[test]
    fn a_finding_reads_place_found_expected_and_keeps_what_it_cannot_place() {
        let mut finding = Finding {
            code: FindingCode::SlotsOverFiled,
            place: Place { table: "slots".into(), file: "slots.csv".into(), record: 118 },
            institution_id: "91350100M000100Y43".into(),
            rule: String::new(),
            count: 3,
            money: Some(Fen(120_050)),
            values: vec![
                ("open", "65".into()),
                ("filed", "60".into()),
                ("age_class", "托小班".into()),
            ],
        };
        let [zh, en] = both();
        assert_eq!(
            zh.finding(&finding).0,
            "slots.csv 第 118 条记录：机构 91350100M000100Y43 开放托位 65 个超过备案托位 60 个\
             （班型 托小班）（同类情形共 3 条）（涉及金额 1200.50 元）。"
        );
        assert_eq!(
            en.finding(&finding).0,
            "slots.csv record 118: institution 91350100M000100Y43: slots open 65 exceed the slots \
             filed 60 (Age class 托小班) (3 rows in all) (at stake: 1200.50 yuan)."
        );
        finding.values.clear();
        finding.count = 1;
        finding.money = None;
        finding.place = Place::default();
        assert_eq!(zh.finding(&finding).0, "机构 91350100M000100Y43：开放托位超过备案托位。");
        assert_eq!(zh.finding(&finding).1, "请报送变更备案材料，或更正开放托位数。");
    }

    #[test]
    fn unknown_keys_and_codes_stand_for_themselves() {
        let zh = Catalogue::new(Language::Chinese);
        assert_eq!(zh.label("no.such_key"), "no.such_key");
        assert_eq!(zh.reason("attendance_short"), "attendance_short");
        assert_eq!(zh.reason("table_miss"), "标准表中没有对应的档次");
        assert_eq!(zh.column("payable_fen"), "本期拨付金额");
        assert_eq!(zh.column("x_fen"), "x_fen");
        assert_eq!(Language::parse("en"), Some(Language::English));
        assert_eq!(Language::parse("fr"), None);
    }

    #[test]
    fn a_piece_with_a_missing_value_is_left_out() {
        let value = |name: &str| (name == "a").then(|| "1".to_owned());
        let check = |template: &str, want: &str| {
            assert_eq!(fill(template, &value, &mut Vec::new()), want, "{template}");
        };
        check("x[ {a}][ {b}][ {a}{b}] y", "x 1 y");
        check("{b}{a}", "—1");
        check("[open {a}", "open 1");
        check("{a", "1");
        check("", "");
    }
}
