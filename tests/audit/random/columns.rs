//! What a law makes of rows: values, groupings, and columns made from the rows of a group.

use super::draw::{Kind, finer};
use super::law::{Maker, quoted};

/// A basis with a coarser one, for columns made from the rows of a group.
const GROUPS: [(&str, &str); 14] = [
    ("day", "week"),
    ("day", "child"),
    ("day", "institution"),
    ("week", "child"),
    ("spell", "child"),
    ("spell", "institution"),
    ("spell", "family"),
    ("spell", "household"),
    ("child", "institution"),
    ("visits", "institution"),
    ("visits", "child"),
    ("visits", "kinds"),
    ("sessions", "child"),
    ("class", "institution"),
];

/// Groupings a law may have: id, what they are of, by what.
pub(super) const GROUPINGS: [(&str, &str, &str); 6] = [
    ("family", "spell", "[\"family_ref\"]"),
    ("household", "spell", "[\"family_ref\", \"institution_id\"]"),
    ("weekdays", "day", "[\"of_week\", \"institution_id\"]"),
    ("everywhere", "child", "[\"child_ref\"]"),
    ("street", "institution", "[\"street\"]"),
    ("kinds", "visits", "[\"institution_id\", \"sort\"]"),
];

impl Maker {
    pub(super) fn values(&mut self, count: usize) {
        for _ in 0..count {
            let mut stands = vec![
                "spell",
                "spell",
                "day",
                "day",
                "week",
                "child",
                "child",
                "listing",
                "slot",
                "class",
                "institution",
                "visits",
                "sessions",
                "programme",
            ];
            stands.extend(&self.groupings);
            stands.extend(&self.groupings);
            let basis = self.dice.pick(&stands);
            let kind =
                self.dice.pick(&[Kind::Yuan, Kind::Yuan, Kind::Plain, Kind::Hour, Kind::Bool]);
            let folds = !finer(basis, &self.groupings).is_empty() && self.dice.below(3) > 0;
            let expr = if folds {
                self.terms().fold(basis, kind)
            } else {
                self.terms().term(basis, kind, 2)
            };
            let id = format!("v{}", self.names.len());
            let mut keys = vec![("basis", quoted(basis)), ("expr", quoted(&expr))];
            if kind != Kind::Bool && self.dice.once_in(3) {
                self.used("value round");
                keys.push(("round", self.round("")));
            }
            if basis == "spell" && kind == Kind::Yuan && self.dice.once_in(4) {
                let other = self.terms().term(basis, kind, 1);
                let then = [("basis", quoted(basis)), ("expr", quoted(&other))];
                let at = ("2026-08-31", "2026-09-01");
                self.dated_by("value", &id, "listing_from", at, [&keys, &then]);
            } else {
                self.block("value", &id, &keys);
            }
            self.made(basis, kind, id);
        }
    }

    pub(super) fn grouping(&mut self) {
        let left: Vec<_> =
            GROUPINGS.iter().filter(|(id, ..)| !self.groupings.contains(id)).collect();
        let (id, of, by) = *self.dice.pick(&left);
        if id == "household" && !self.groupings.contains(&"family") {
            return;
        }
        self.used(&format!("grouping of {of}"));
        if id == "weekdays" {
            self.used("grouping by value");
            let keys = [("basis", quoted("day")), ("expr", quoted("weekday(date)"))];
            self.block("value", "of_week", &keys);
        }
        self.block("grouping", id, &[("of", quoted(of)), ("by", by.to_owned())]);
        self.groupings.push(id);
        let expr = format!("count({of}) > 0");
        self.block(
            "value",
            &format!("many.{id}"),
            &[("basis", quoted(id)), ("expr", quoted(&expr))],
        );
        self.made(id, Kind::Bool, format!("many.{id}"));
    }

    /// Names that may stand in an order on a basis.
    pub(super) fn order(&mut self, basis: &str) -> String {
        let own = match basis {
            "day" => &["date", "hours_attended", "sessions_count"][..],
            "week" => &["week_start", "days_in_week"],
            "spell" => &["spell_from", "fee_monthly", "birth_order", "age"],
            "child" => &["listings_here", "child_ref"],
            "visits" => &["seen_on", "hours", "seq", "most"],
            "sessions" => &["date", "hours_booked"],
            _ => &["places", "opened_on"],
        };
        let mut names: Vec<String> = Vec::new();
        for _ in 0..=self.dice.below(2) {
            let name = self.dice.pick(own);
            if names.iter().all(|n| n.trim_start_matches('-') != name) {
                let down = if self.dice.once_in(2) { "-" } else { "" };
                names.push(format!("{down}{name}"));
            }
        }
        format!("[{}]", names.iter().map(|n| quoted(n)).collect::<Vec<_>>().join(", "))
    }

    pub(super) fn within(&mut self) {
        let (basis, within) = self.dice.pick(&GROUPS);
        if !self.has(within) {
            return;
        }
        let id = format!("w{}", self.names.len());
        let mut keys = vec![("basis", quoted(basis)), ("within", quoted(within))];
        let when = self.dice.once_in(3);
        let when = when.then(|| quoted(&self.terms().term(basis, Kind::Bool, 1)));
        let has_when = when.is_some();
        let kind = self.dice.below(4);
        keys.extend(when.filter(|_| kind != 2).map(|when| ("when", when)));
        match kind {
            0 => {
                keys.push(("order", self.order(basis)));
                self.block("rank", &id, &keys);
                let text = if has_when { format!("coalesce({id}, 0)") } else { id };
                self.made(basis, Kind::Plain, text);
            }
            1 => {
                let of = self.dice.pick(&[Kind::Hour, Kind::Yuan, Kind::Plain]);
                let quantity = self.terms().whole(basis, of);
                let limit = self.terms().whole(within, of);
                keys.push(("quantity", quoted(&quantity)));
                keys.push(("limit", quoted(&limit)));
                if self.dice.once_in(2) {
                    self.used("allowance queue");
                    keys.push(("order", self.order(basis)));
                } else {
                    self.used("allowance prorata");
                    keys.push(("method", quoted("prorata")));
                    keys.push(("to", quoted(self.dice.pick(&["0.01", "0.5", "1"]))));
                }
                self.block("allowance", &id, &keys);
                self.made(basis, of, id);
            }
            2 => {
                let (order, gaps) = match basis {
                    "day" | "sessions" => ("date", &["days", "workdays", "rows", "weeks"][..]),
                    "week" => ("week_start", &["weeks", "rows", "months"][..]),
                    "spell" => ("spell_from", &["days", "months", "rows"][..]),
                    "visits" => ("seq", &["integer", "rows"][..]),
                    "class" => ("opened_on", &["months", "rows"][..]),
                    _ => ("listings_here", &["integer", "rows"][..]),
                };
                let gap = self.dice.pick(gaps);
                self.used(&format!("streak {gap}"));
                keys.push(("order", format!("[\"{order}\"]")));
                keys.push(("when", quoted(&self.terms().term(basis, Kind::Bool, 1))));
                keys.push(("gap", quoted(gap)));
                let mut of = Kind::Plain;
                if self.dice.once_in(3) {
                    self.used("streak sum");
                    of = Kind::Hour;
                    keys.push(("sum", quoted(&self.terms().whole(basis, of))));
                }
                self.block("streak", &id, &keys);
                self.made(basis, of, id);
            }
            _ => {
                let method = self.dice.pick(&["prorata", "queue", "one"]);
                self.used(&format!("spread {method}"));
                keys.push(("amount", quoted(&self.terms().term(within, Kind::Yuan, 1))));
                keys.push(("method", quoted(method)));
                match method {
                    "prorata" => {
                        let weight = self.terms().whole(basis, Kind::Plain);
                        keys.push(("weight", quoted(&format!("1 + abs({weight})"))));
                    }
                    "queue" => {
                        keys.push(("most", quoted(&self.terms().whole(basis, Kind::Yuan))));
                        keys.push(("order", self.order(basis)));
                    }
                    _ => keys.push(("order", self.order(basis))),
                }
                keys.push(("round", self.round("")));
                self.block("spread", &id, &keys);
                self.made(basis, Kind::Yuan, id);
            }
        }
    }
}
