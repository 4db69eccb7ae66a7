//! One block of a pack after the grammar was checked: head, dates and keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use super::node::{Node, Value};
use super::schema::BlockKind;
use super::shape;
use crate::domain::{Date, Fraction, Month, Span};
use crate::law::cells::UNSET;
use crate::law::fault::{At, Faults};
use crate::law::model::{MidMonth, RuleHead, ShownRule};
use crate::law::order::Mention;

/// A notice 文件.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    /// File inside the pack.
    pub(crate) file: Arc<str>,
    pub(crate) number: Arc<str>,
    pub(crate) title: Arc<str>,
    pub(crate) published: Date,
    pub(crate) planned: bool,
    /// Where its text stands; may be empty.
    pub(crate) url: Arc<str>,
}

/// What an older version loses to a newer one (S17).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Supersedes {
    /// The older version's `known_from`.
    pub(crate) known_from: Date,
    /// Last day superseded; `None` = open.
    pub(crate) until: Option<Date>,
}

/// The dates of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dating {
    pub(crate) from: Date,
    pub(crate) until: Option<Date>,
    pub(crate) known_from: Date,
    pub(crate) supersedes: Option<Supersedes>,
    pub(crate) mid_month: MidMonth,
    /// Looked up at a date of each row (`dated_by`), so that a start inside a month means that day.
    pub(crate) by_row: bool,
}

/// The last day of the calendar: an open end.
pub(crate) fn last_day() -> Date {
    Date::from_ymd(2199, 12, 31).unwrap_or_default()
}

impl Dating {
    /// The span as written.
    pub(crate) fn span(&self) -> Span {
        Span { from: self.from, until: self.until.unwrap_or_else(last_day) }
    }

    /// The days the version is in force once a start or end inside a month has its meaning (S18);
    /// `None` when no day is left.
    pub(crate) fn days(&self) -> Option<Span> {
        if self.by_row {
            return Some(self.span());
        }
        let Span { from, until } = self.span();
        let (from_month, until_month) = (from.month(), until.month());
        let (from, until) = match self.mid_month {
            MidMonth::SplitDays => (from, until),
            MidMonth::WholeIfStarted => (from_month.first(), until_month.last()),
            // A version is in force in a month when it is on the month's first day; a start inside
            // the month therefore counts from the month after.
            MidMonth::ByMonthStart | MidMonth::NextMonth => {
                let start = if from == from_month.first() { from } else { next(from_month) };
                (start, until_month.last())
            }
        };
        Span::new(from, until)
    }
}

fn next(month: Month) -> Date {
    month.plus(1).first()
}

/// A block as written, before its keys are held against the grammar: what overlays are laid over.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) kind: BlockKind,
    /// Index of the pack.
    pub(crate) pack: usize,
    /// Index into the notices.
    pub(crate) notice: usize,
    /// Bare id, maybe empty; the table's name for an input.
    pub(crate) id: Arc<str>,
    /// Line of its header: looked up once, for every law asks.
    pub(crate) line: u32,
    pub(crate) node: Node,
    /// Its file is not TOML throughout: what follows from that is not told.
    pub(crate) damaged: bool,
    /// Its file or its notice was refused.
    pub(crate) broken: bool,
}

impl Written {
    /// Holds the block against the grammar, or what an overlay made of it; `None` without an id.
    pub(crate) fn block(
        &self,
        overlaid: Option<Node>,
        notices: &[Notice],
        faults: &mut Faults,
    ) -> Option<Block> {
        let mut untold = Faults::default();
        let faults = if self.damaged { &mut untold } else { faults };
        let (kind, notice) = (self.kind, &notices[self.notice]);
        let what = if self.id.is_empty() {
            format!("[[{}]]", kind.word())
        } else {
            format!("[[{}]] {}", kind.word(), self.id)
        };
        let is_overlaid = overlaid.is_some();
        let mut node = overlaid.unwrap_or_else(|| self.node.clone());
        let mut broken = self.broken | !shape::record(&what, &mut node, &kind.all_keys(), faults);
        if broken {
            unset(&what, &node, faults);
        }
        let at = node.at.clone();
        let mut dated = Dating {
            from: Date::default(),
            until: Some(last_day()),
            known_from: Date::default(),
            supersedes: None,
            mid_month: MidMonth::ByMonthStart,
            by_row: false,
        };
        if kind.dated() {
            match dating(&node, &at, notice, faults) {
                Some(found) => dated = found,
                None => broken = true,
            }
        }
        if let Some(at) = node.get("clause").filter(|clause| is_empty(clause)).map(|c| &c.at) {
            let message = format!("{what} has an empty clause");
            let hint = "every rule names its clause, for instance clause = \"第五条\"";
            if notice.planned {
                let hint = "fill it before the notice is adopted, for instance clause = \"第五条\"";
                faults.warn("missing_clause", at, message, hint);
            } else {
                faults.error("missing_clause", at, message, "a text", hint);
                broken = true;
            }
        }
        if self.id.is_empty() {
            return None;
        }
        Some(Block {
            serial: 0,
            kind,
            pack: self.pack,
            notice: self.notice,
            at,
            line: self.line,
            id: Arc::clone(&self.id),
            clause: Arc::from(node.get("clause").and_then(Node::text).unwrap_or("")),
            dating: dated,
            node,
            broken,
            overlaid: is_overlaid,
            said: Said::default(),
        })
    }
}

/// Tells the values of a refused block that are still to be filled: no rule will ask for them.
fn unset(what: &str, node: &Node, faults: &mut Faults) {
    for key in ["value", "rows"] {
        let mut open: Vec<&Node> = node.get(key).into_iter().collect();
        while let Some(value) = open.pop() {
            open.extend(value.list());
            if value.text() == Some(UNSET) {
                let hint = "write what the notice says in place of \"unset\"";
                let message = format!("{what} is not set");
                faults.error("unset", &value.at, message, "a value", hint);
            }
        }
    }
}

fn is_empty(node: &Node) -> bool {
    node.text().is_some_and(|text| text.trim().is_empty())
}

/// A block of a pack.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// Index in the book's sorted list.
    pub(crate) serial: usize,
    pub(crate) kind: BlockKind,
    /// Index of the pack.
    pub(crate) pack: usize,
    /// Index into the notices.
    pub(crate) notice: usize,
    /// The block's header.
    pub(crate) at: At,
    /// Its line.
    pub(crate) line: u32,
    /// Bare id; the table's name for an input.
    pub(crate) id: Arc<str>,
    /// 条款; empty for an input.
    pub(crate) clause: Arc<str>,
    /// Dates; `None` for an input.
    pub(crate) dating: Dating,
    /// All keys, as written (or as an overlay has it).
    pub(crate) node: Node,
    /// Something in it was refused: errors that follow from that are not told.
    pub(crate) broken: bool,
    /// An overlay changed it.
    pub(crate) overlaid: bool,
    pub(crate) said: Said,
}

/// What a block says of itself in any month, made when it is first asked for: the laws under many
/// overlays share the blocks no overlay touches.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    pub(crate) head: OnceLock<RuleHead>,
    /// Canonical text.
    pub(crate) canonical: OnceLock<String>,
    pub(crate) shown: OnceLock<ShownRule>,
    /// What its expressions mention.
    pub(crate) mentions: OnceLock<BTreeSet<Mention>>,
}

impl Block {
    /// The node of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.node.get(key)
    }

    /// The place of a key's value, or of the block.
    pub(crate) fn at(&self, key: &str) -> &At {
        self.get(key).map_or(&self.at, |node| &node.at)
    }

    /// The text of a key, or its default.
    pub(crate) fn word(&self, key: &str) -> &str {
        self.get(key).and_then(Node::text).unwrap_or_else(|| self.kind.default(key))
    }

    /// The text of a key if it is written.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Node::text)
    }

    /// The date of a row the block is looked up at, if it is.
    pub(crate) fn dated_by(&self) -> Option<&str> {
        self.text("dated_by")
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        matches!(self.get(key).map(|node| &node.value), Some(Value::Bool(true)))
    }

    /// The texts of a list key with their places.
    pub(crate) fn texts(&self, key: &str) -> Vec<(&str, &At)> {
        let list = self.get(key).map_or(&[][..], Node::list);
        list.iter().filter_map(|node| Some((node.text()?, &node.at))).collect()
    }

    /// `id@effective_from/known_from`, marked when an overlay changed it.
    pub(crate) fn version(&self, printed: &str) -> String {
        let mark = if self.overlaid { "+overlay" } else { "" };
        format!("{printed}@{}/{}{mark}", self.dating.from, self.dating.known_from)
    }

    /// Chinese name, if written.
    pub(crate) fn chinese(&self) -> Option<&str> {
        self.text("zh")
    }

    /// English name, if written.
    pub(crate) fn english(&self) -> Option<&str> {
        self.text("en")
    }
}

/// An exact number of a node already held against [`super::schema::Shape::Number`].
pub(crate) fn number(node: &Node) -> Option<Fraction> {
    match &node.value {
        Value::Int(int) => Some(Fraction::whole(*int)),
        Value::Text(text) => super::share(text),
        _ => None,
    }
}

/// The keys of a table by name.
pub(crate) fn by_name(node: &Node) -> BTreeMap<&str, &Node> {
    node.entries().iter().map(|entry| (entry.name.as_str(), &entry.node)).collect()
}

/// Reads the dates of a block; faults where they contradict each other.
pub(crate) fn dating(node: &Node, at: &At, notice: &Notice, faults: &mut Faults) -> Option<Dating> {
    let from = node.get("effective_from").and_then(Node::date)?;
    let until = node.get("effective_until").and_then(Node::date);
    let known_from = node.get("known_from").and_then(Node::date).unwrap_or(notice.published);
    let supersedes = node.get("supersedes").and_then(|inner| {
        let keys = by_name(inner);
        Some(Supersedes {
            known_from: keys.get("known_from")?.date()?,
            until: keys.get("until").and_then(|node| node.date()),
        })
    });
    let mid_month = node.get("mid_month").and_then(Node::text).map_or(MidMonth::ByMonthStart, mid);
    let by_row = node.get("dated_by").is_some();
    if let Some(word) = node.get("mid_month").filter(|_| by_row) {
        let message = "`mid_month` beside `dated_by`";
        let hint = "what is looked up at a date of the row starts and ends on the day";
        faults.error("dates", &word.at, message, "one of them", hint);
        return None;
    }
    let dating = Dating { from, until, known_from, supersedes, mid_month, by_row };
    if let Some(until) = until.filter(|until| *until < from) {
        let place = node.get("effective_until").map_or(at, |node| &node.at);
        faults.error(
            "dates",
            place,
            format!("effective_until {until} lies before effective_from {from}"),
            "a day on or after effective_from",
            "",
        );
        return None;
    }
    if let (Some(older), Some(inner)) = (supersedes, node.get("supersedes")) {
        let ends = older.until.is_some_and(|until| until < from);
        if older.known_from >= known_from || ends {
            let message = if ends {
                "supersedes ends before effective_from".to_owned()
            } else {
                format!("supersedes a version known from {}, not earlier", older.known_from)
            };
            let expected = format!("an earlier version than the one known from {known_from}");
            faults.error("dates", &inner.at, message, expected, "");
            return None;
        }
    }
    if dating.days().is_none() {
        faults.warn(
            "never_in_force",
            at,
            "starts and ends inside one month, so it is in force in no month",
            "say mid_month = \"whole_if_started\" or \"split_days\"",
        );
    }
    Some(dating)
}

/// The S18 word; unknown words were refused by the grammar.
pub(crate) fn mid(word: &str) -> MidMonth {
    match word {
        "split_days" => MidMonth::SplitDays,
        "whole_if_started" => MidMonth::WholeIfStarted,
        "next_month" => MidMonth::NextMonth,
        _ => MidMonth::ByMonthStart,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        Date::parse_iso(text).unwrap()
    }

    fn days(mid_month: MidMonth, from: &str, until: &str) -> Option<String> {
        let dating = Dating {
            from: day(from),
            until: Some(day(until)),
            known_from: day("2025-01-01"),
            supersedes: None,
            mid_month,
            by_row: false,
        };
        dating.days().map(|span| span.to_string())
    }

    #[test]
    fn a_start_inside_a_month_means_what_the_block_says() {
        let (from, until) = ("2026-03-15", "2026-05-10");
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(days(MidMonth::SplitDays, from, until), some("2026-03-15..2026-05-10"));
        assert_eq!(days(MidMonth::WholeIfStarted, from, until), some("2026-03-01..2026-05-31"));
        assert_eq!(days(MidMonth::ByMonthStart, from, until), some("2026-04-01..2026-05-31"));
        assert_eq!(days(MidMonth::NextMonth, from, until), some("2026-04-01..2026-05-31"));
        assert_eq!(days(MidMonth::ByMonthStart, "2026-03-02", "2026-03-30"), None);
        assert_eq!(
            days(MidMonth::NextMonth, "2026-03-01", "2026-03-30"),
            some("2026-03-01..2026-03-31")
        );
    }
}
