//! A pack drawn from a seed: legal law that uses whatever the language has, in any mixture.

use super::columns::GROUPINGS;
use super::draw::{Kind, Named, Uses, dice};
use super::items::SPLITS;
use super::terms::Terms;
use crate::dice::Dice;
use std::collections::BTreeSet;
use std::fmt::Write as _;

const INPUTS: &str = include_str!("inputs.toml");
const QUANTA: [&str; 5] = ["0.01", "0.01", "0.1", "1", "0.05"];
const MODES: [&str; 6] = ["half_up", "half_even", "up", "down", "floor", "ceil"];
/// A law, with its constructs.
pub(super) struct Law {
    pub(super) text: String,
    pub(super) uses: Uses,
}

pub(super) struct Item {
    pub(super) id: String,
    pub(super) basis: &'static str,
    pub(super) in_kind: bool,
}

/// A law in the making.
pub(super) struct Maker {
    pub(super) dice: Dice,
    pub(super) text: String,
    pub(super) uses: Uses,
    pub(super) names: Vec<Named>,
    pub(super) groupings: Vec<&'static str>,
    pub(super) gates: Vec<(String, &'static str)>,
    pub(super) items: Vec<Item>,
    pub(super) price: Option<&'static str>,
    pub(super) seed: u64,
    pub(super) quarter: bool,
    pub(super) splits_month: bool,
    pub(super) read: BTreeSet<String>,
}

/// Draws the law of a seed.
pub(super) fn law(seed: u64) -> Law {
    let dice = dice(seed);
    let mut maker = Maker {
        dice,
        text: String::new(),
        uses: Uses::new(),
        names: Vec::new(),
        groupings: Vec::new(),
        gates: Vec::new(),
        items: Vec::new(),
        price: None,
        seed,
        quarter: seed % 6 == 5,
        splits_month: seed.is_multiple_of(2),
        read: BTreeSet::new(),
    };
    maker.head();
    maker.fixed();
    maker.prices();
    for round in 0..5 {
        maker.values(4);
        if round < 4 {
            maker.grouping();
        }
        maker.within();
        maker.within();
    }
    maker.gates();
    for _ in 0..14 {
        maker.item();
    }
    maker.changing_item();
    maker.unread_items();
    maker.items_of_items();
    maker.totals();
    maker.exclusions();
    maker.caps();
    maker.shortage();
    Law { text: maker.text, uses: maker.uses }
}

impl Maker {
    pub(super) fn used(&mut self, construct: &str) {
        *self.uses.entry(construct.to_owned()).or_default() += 1;
    }

    pub(super) fn block(&mut self, kind: &str, id: &str, keys: &[(&str, String)]) {
        self.dated(kind, id, "effective_from = 2025-01-01\n", keys);
    }

    pub(super) fn dated(&mut self, kind: &str, id: &str, dates: &str, keys: &[(&str, String)]) {
        self.used(kind);
        let _ = write!(self.text, "\n[[{kind}]]\nid = \"{id}\"\nclause = \"一\"\n{dates}");
        for (key, value) in keys {
            let _ = writeln!(self.text, "{key} = {value}");
        }
    }

    pub(super) fn head(&mut self) {
        let weeks = self.dice.pick(&["clipped", "by_end"]);
        let overlaps = self.dice.pick(&["refuse", "allow", "later_known", "most_days"]);
        let settlement = if self.quarter { "quarter" } else { "month" };
        let mid = self.dice.pick(&["by_month_start", "split_days", "whole_if_started"]);
        self.used(&format!("weeks {weeks}"));
        self.used(&format!("overlaps {overlaps}"));
        self.used(&format!("settlement {settlement}"));
        let _ = writeln!(
            self.text,
            "[pack]\nid = \"drawn\"\ntitle = \"抽取(示例)\"\nregion = \"示例\"\ncalendar = \"weekdays\"\n\
             sample = true\nchild_id = \"opaque\"\ninstitution_id = \"opaque\"\nweeks = \"{weeks}\"\n\
             overlaps = \"{overlaps}\"\nsettlement = \"{settlement}\"\ninclusive = \"{mid}\"\n\n\
             [notice]\nnumber = \"示例\"\ntitle = \"抽取(示例)\"\npublished = 2025-01-01\n{INPUTS}"
        );
        for side in ["spell", "child", "institution", "day", "week"] {
            self.used(&format!("table of {side}"));
        }
    }

    /// Two versions of a block: the month is cut between them, or it is not.
    pub(super) fn versions(
        &mut self,
        kind: &str,
        id: &str,
        first: &[(&str, String)],
        then: &[(&str, String)],
    ) {
        let (until, from, mid) = if self.splits_month {
            self.used(&format!("split_days {kind}"));
            ("2026-09-15", "2026-09-16", "mid_month = \"split_days\"\n")
        } else {
            ("2026-08-31", "2026-09-01", "")
        };
        let dates = format!("effective_from = 2025-01-01\neffective_until = {until}\n{mid}");
        self.dated(kind, id, &dates, first);
        self.dated(kind, id, &format!("effective_from = {from}\n{mid}"), then);
    }

    pub(super) fn dated_by(
        &mut self,
        kind: &str,
        id: &str,
        by: &str,
        at: (&str, &str),
        keys: [&[(&str, String)]; 2],
    ) {
        self.used(&format!("dated_by {kind}"));
        let by = format!("dated_by = \"{by}\"\n");
        let dates = format!("effective_from = 1990-01-01\neffective_until = {}\n{by}", at.0);
        self.dated(kind, id, &dates, keys[0]);
        self.dated(kind, id, &format!("effective_from = {}\n{by}", at.1), keys[1]);
    }

    /// Parameters, tables and ages every law has, with figures of its own.
    pub(super) fn fixed(&mut self) {
        for (id, unit) in [
            ("p.yuan", "yuan"),
            ("p.month", "yuan/month"),
            ("p.child", "yuan/child/month"),
            ("p.slot", "yuan/slot"),
            ("p.hour", "yuan/hour"),
            ("p.hours", "hour"),
            ("p.each_day", "yuan/day"),
            ("p.days", "day"),
            ("p.one_child", "child"),
            ("p.benchmark", "yuan/month"),
        ] {
            let whole = match unit {
                "child" => 1,
                "yuan/month" => 900 + self.dice.below(400),
                _ => 3 + self.dice.below(40),
            };
            let value = if self.dice.once_in(3) && unit != "child" {
                self.used("fraction of a unit");
                format!("\"{}/7\"", whole * 7 + self.dice.below(7))
            } else {
                format!("\"{whole}\"")
            };
            self.block("parameter", id, &[("unit", quoted(unit)), ("value", value)]);
        }
        self.used("parameter fraction");
        let share = ["\"52/12\"", "\"1/3\"", "\"725/1000\"", "\"0.5\""];
        let value = self.dice.pick(&share).to_owned();
        self.block("parameter", "p.share", &[("type", quoted("number")), ("value", value)]);
        let [a, b] = [0, 0].map(|_: usize| (5 + self.dice.below(60)).to_string());
        let unit = ("unit", quoted("yuan/child/month"));
        let keys = |value: &str| [unit.clone(), ("value", quoted(value))];
        self.versions("parameter", "p.split", &keys(&a), &keys(&b));
        let unit = ("unit", quoted("yuan"));
        let keys = |value: &str| [unit.clone(), ("value", quoted(value))];
        self.dated_by(
            "parameter",
            "d.listing",
            "listing_from",
            ("2026-08-31", "2026-09-01"),
            [&keys("11"), &keys("23.45")],
        );
        let keys = |value: &str| [("unit", quoted("hour")), ("value", quoted(value))];
        self.dated_by(
            "parameter",
            "d.day",
            "date",
            ("2026-09-13", "2026-09-14"),
            [&keys("2"), &keys("3.5")],
        );
        self.tables();
        let at = self.dice.pick(&["month_start", "month_end", "spell_start", "september_first"]);
        let birthday = self.dice.pick(&["exact", "in", "out"]);
        self.used(&format!("age {at}"));
        self.block("age", "age", &[("at", quoted(at)), ("birthday_month", quoted(birthday))]);
        self.used("age term_start");
        let terms = "[\"01-01\", \"04-01\", \"09-01\"]".to_owned();
        self.block("age", "age.term", &[("at", quoted("term_start")), ("terms", terms)]);
        for (id, scope, method, parts) in SPLITS {
            self.used(&format!("split {scope}"));
            self.used(&format!("split {method}"));
            self.block(
                "split",
                id,
                &[
                    ("scope", quoted(scope)),
                    ("method", quoted(method)),
                    ("parts", parts.to_owned()),
                ],
            );
        }
    }

    pub(super) fn tables(&mut self) {
        let cell = |dice: &mut Dice| format!("{}.{}", 1 + dice.below(80), dice.below(10));
        let mut cells = || -> Vec<String> { (0..8).map(|_| cell(&mut self.dice)).collect() };
        let (a, b, c) = (cells(), cells(), cells());
        let unit = ("unit", quoted("yuan/child/month"));
        let exact = |c: &[String]| {
            format!(
                "[[\"托小班\", \"全日托\", \"{}\"], [\"托大班\", \"*\", \"{}\"], [\"*\", \"*\", \"{}\"]]",
                c[0], c[1], c[2]
            )
        };
        let keys = (
            "keys",
            "[{ name = \"age_class\", type = \"text\" }, { name = \"service\", type = \"text\" }]"
                .to_owned(),
        );
        self.used("table wildcard");
        self.versions(
            "table",
            "t.class",
            &[unit.clone(), keys.clone(), ("rows", exact(&a))],
            &[unit.clone(), keys, ("rows", exact(&b))],
        );
        let ranges = |c: &[String]| {
            format!(
                "[[\"[0,18)\", \"*\", \"{}\"], [\"[18,30)\", \"1\", \"{}\"], [\"[18,30)\", \"[2,5]\", \
                 \"none\"], [\"[30,400)\", \"*\", \"{}\"], [\"[18,30)\", \"*\", \"{}\"]]",
                c[3], c[4], c[5], c[6]
            )
        };
        self.used("table range");
        self.used("table none");
        let keys = "[{ name = \"months\", type = \"integer\", range = true, cover = \"[0,400)\" }, \
                    { name = \"rank\", type = \"integer\", range = true, cover = \"[0,100)\" }]";
        self.block(
            "table",
            "t.age",
            &[unit.clone(), ("keys", keys.to_owned()), ("rows", ranges(&c))],
        );
        // A lookup that may find nothing: rows that ask for another grade are refused.
        self.used("table fact");
        self.block(
            "table",
            "t.grade",
            &[
                ("unit", quoted("yuan")),
                ("keys", "[{ name = \"grade\", type = \"text\" }]".to_owned()),
                ("coverage", quoted("fact")),
                ("rows", format!("[[\"一级\", \"{}\"], [\"二级\", \"{}\"]]", c[0], c[7])),
            ],
        );
        let keys = ("keys", "[\"service\"]".to_owned());
        let rows = |c: &[String]| {
            format!(
                "[[\"全日托\", \"{}\"], [\"半日托\", \"{}\"], [\"*\", \"{}\"]]",
                c[5], c[6], c[7]
            )
        };
        let unit = ("unit", quoted("yuan/child/month"));
        self.dated_by(
            "table",
            "t.spell",
            "spell_from",
            ("2026-09-09", "2026-09-10"),
            [&[unit.clone(), keys.clone(), ("rows", rows(&a))], &[unit, keys, ("rows", rows(&b))]],
        );
    }

    pub(super) fn prices(&mut self) {
        let breach =
            self.dice.pick(&["refuse_child", "refuse_institution", "reduce_to_ceiling", "warn"]);
        self.used(&format!("breach {breach}"));
        let mut keys = vec![
            ("basis", quoted("spell")),
            ("when", quoted("in_month AND service = '全日托'")),
            ("benchmark", quoted("p.benchmark")),
            ("breach", quoted(breach)),
        ];
        if self.dice.below(3) > 0 {
            self.used("float_up");
            keys.push(("float_up", quoted("0.15")));
            if self.dice.once_in(2) {
                self.used("float_down");
                keys.push(("float_down", quoted("p.share / 8")));
            }
            keys.push(("round", self.round("")));
        }
        self.block("guide_price", "g", &keys);
        self.price = Some(breach);
        let name = |kind, text: &str| Named { basis: "spell", kind, text: text.to_owned() };
        self.names.push(name(Kind::Yuan, "coalesce(g.fee, 0)"));
        self.names.push(name(Kind::Yuan, "coalesce(g.ceiling, 0)"));
        self.names.push(name(Kind::Bool, "g.over"));
    }

    pub(super) fn round(&mut self, scope: &str) -> String {
        let (to, mode) = (self.dice.pick(&QUANTA), self.dice.pick(&MODES));
        self.used(&format!("round {mode}"));
        let scope = if scope.is_empty() { String::new() } else { format!(", scope = \"{scope}\"") };
        format!("{{ to = \"{to}\", mode = \"{mode}\"{scope} }}")
    }

    pub(super) fn terms(&mut self) -> Terms<'_> {
        Terms {
            dice: &mut self.dice,
            names: &self.names,
            uses: &mut self.uses,
            groupings: &self.groupings,
            read: &mut self.read,
        }
    }

    pub(super) fn has(&self, basis: &str) -> bool {
        !GROUPINGS.iter().any(|(id, ..)| *id == basis) || self.groupings.contains(&basis)
    }

    pub(super) fn made(&mut self, basis: &'static str, kind: Kind, text: String) {
        self.names.push(Named { basis, kind, text });
    }
}

pub(super) fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

pub(super) fn list(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|id| quoted(id)).collect::<Vec<_>>().join(", "))
}
