//! Conditions and items of a law.

use super::draw::{Kind, Named, coarser};
use super::law::{Item, Maker, quoted};

/// Bases an item may stand on, beside groupings.
const ITEM_BASES: [&str; 10] = [
    "spell",
    "spell",
    "day",
    "week",
    "child",
    "slot",
    "class",
    "institution",
    "visits",
    "caregiver",
];

/// How items are funded: id, scope, method, parts.
pub(super) const SPLITS: [(&str, &str, &str, &str); 5] = [
    (
        "s.line",
        "line",
        "residual_last",
        "[{ source = \"区\", share = \"1/3\" }, { source = \"市\", share = \"2/3\" }]",
    ),
    (
        "s.all",
        "settlement",
        "largest_remainder",
        "[{ source = \"区\", share = \"0.7\" }, { source = \"省\", share = \"0.3\" }]",
    ),
    (
        "s.share",
        "institution",
        "residual_first",
        "[{ source = \"市\", share = \"1/7\" }, { source = \"区\", share = \"6/7\" }]",
    ),
    (
        "s.weight",
        "institution",
        "largest_remainder",
        "[{ source = \"市\", weight = \"1 + listed_times\" }, { source = \"区\", weight = \"CASE WHEN coalesce(grade, '') = '一级' THEN 4 ELSE 1 END\" }]",
    ),
    (
        "s.line_weight",
        "line",
        "largest_remainder",
        "[{ source = \"中央\", weight = \"2\" }, { source = \"市\", weight = \"3 * listed_times\" }]",
    ),
];

impl Maker {
    pub(super) fn gates(&mut self) {
        let mut stands =
            vec!["spell", "day", "week", "child", "slot", "institution", "programme", "visits"];
        stands.extend(&self.groupings);
        for number in 0..10 {
            let basis = self.dice.pick(&stands);
            let outcome = self.dice.pick(&["refuse", "zero", "warn"]);
            let (a, b) =
                (self.terms().term(basis, Kind::Bool, 1), self.terms().term(basis, Kind::Bool, 1));
            self.used(&format!("gate {outcome}"));
            self.used(&format!("gate on {}", self.word(basis)));
            let id = format!("gate{number}");
            self.block(
                "gate",
                &id,
                &[
                    ("basis", quoted(basis)),
                    ("require", quoted(&format!("{a} OR {b}"))),
                    ("reason", quoted(&format!("reason{number}"))),
                    ("outcome", quoted(outcome)),
                ],
            );
            self.gates.push((id, basis));
        }
    }

    pub(super) fn word(&self, basis: &str) -> String {
        let is_grouping = self.groupings.contains(&basis);
        if is_grouping { "a grouping".to_owned() } else { basis.to_owned() }
    }

    pub(super) fn item(&mut self) {
        let mut stands = ITEM_BASES.to_vec();
        stands.push("claims");
        stands.extend(&self.groupings);
        stands.extend(&self.groupings);
        let basis = self.dice.pick(&stands);
        if matches!(basis, "street" | "everywhere") {
            return;
        }
        let number = self.items.len();
        let id = format!("item{number}");
        self.used(&format!("item on {}", self.word(basis)));
        let amount = if self.dice.once_in(4) {
            self.terms().term(basis, Kind::Yuan, 2)
        } else {
            format!("abs({})", self.terms().term(basis, Kind::Yuan, 2))
        };
        let payee = match basis {
            "claims" => Some("payee_ref"),
            "family" => Some("family_ref"),
            "household" | "spell" if self.dice.once_in(3) => Some("family_ref"),
            "day" | "child" if self.dice.once_in(4) => Some("child_ref"),
            _ => None,
        };
        let mut scopes = vec!["line", "line"];
        if matches!(basis, "spell" | "day" | "week" | "child" | "visits") {
            scopes.push("child_month");
        }
        if !matches!(basis, "claims" | "family") {
            scopes.push("institution_month");
        }
        if !self.quarter {
            scopes.push("settlement");
        }
        let scope = self.dice.pick(&scopes);
        self.used(&format!("round {scope}"));
        let round = self.round(scope);
        let in_kind = payee.is_none() && self.dice.once_in(12);
        let mut keys = vec![
            ("basis", quoted(basis)),
            ("amount", quoted(&amount)),
            ("round", round),
            ("instrument", quoted("per_child")),
        ];
        let may = |of: &str| of == basis || coarser(basis).contains(&of);
        let mut gates: Vec<String> =
            self.gates.iter().filter(|(_, of)| may(of)).map(|(id, _)| id.clone()).collect();
        gates.retain(|_| self.dice.once_in(4));
        if may("spell") && self.dice.once_in(3) {
            self.used("gate price");
            gates.push("price:g".to_owned());
        }
        let gates: Vec<String> = gates.iter().map(|id| quoted(id)).collect();
        keys.push(("gates", format!("[{}]", gates.join(", "))));
        if let Some(payee) = payee {
            self.used("payee");
            keys.push(("payee", quoted(payee)));
        }
        if in_kind {
            self.used("in_kind");
            keys.push(("in_kind", "true".to_owned()));
        } else {
            let split = if payee.is_some() { self.dice.below(3) } else { self.dice.below(5) };
            keys.push(("funding", quoted(SPLITS[split].0)));
        }
        if self.dice.once_in(3) {
            self.used("sign any");
            keys.push(("sign", quoted("any")));
        }
        if self.dice.once_in(3) {
            keys.push(("quantity", quoted(&self.terms().term(basis, Kind::Plain, 1))));
        }
        self.block("subsidy", &id, &keys);
        self.items.push(Item { id, basis, in_kind });
    }

    /// An item whose formula is another from a day on.
    pub(super) fn changing_item(&mut self) {
        let basis = self.dice.pick(&["spell", "day"]);
        let amount = |maker: &mut Self| {
            let amount = maker.terms().term(basis, Kind::Yuan, 1);
            [
                ("basis", quoted(basis)),
                ("amount", quoted(&format!("abs({amount})"))),
                ("gates", "[]".to_owned()),
                ("round", maker.round("line")),
                ("instrument", quoted("per_child")),
                ("funding", quoted(SPLITS[0].0)),
            ]
        };
        let (first, then) = (amount(self), amount(self));
        self.versions("subsidy", "changing", &first, &then);
        self.items.push(Item { id: "changing".to_owned(), basis, in_kind: false });
    }

    /// Items that pay what nothing else has read, so that it is held to the fen.
    pub(super) fn unread_items(&mut self) {
        let mut stands =
            vec!["spell", "day", "week", "child", "slot", "class", "institution", "visits"];
        stands.extend(["listing", "sessions", "household", "weekdays", "kinds"]);
        for basis in stands {
            let unread = |of: &&Named| of.basis == basis && !self.read.contains(&of.text);
            let unread: Vec<Named> = self.names.iter().filter(unread).cloned().collect();
            for (number, names) in unread.chunks(3).enumerate() {
                let paid = names.iter().map(|of| match of.kind {
                    Kind::Yuan => format!("abs({})", of.text),
                    Kind::Plain => format!("abs({}) * p.yuan", of.text),
                    Kind::Hour => format!("abs({}) * p.hour", of.text),
                    Kind::Bool => format!("CASE WHEN {} THEN p.yuan ELSE 0 END", of.text),
                });
                let amount = paid.collect::<Vec<_>>().join(" + ");
                self.used(&format!("item on {}", self.word(basis)));
                let id = format!("unread.{basis}.{number}");
                let round = self.round("line");
                self.subsidy(&id, basis, &amount, round, &[]);
            }
        }
    }

    pub(super) fn subsidy(
        &mut self,
        id: &str,
        basis: &str,
        amount: &str,
        round: String,
        more: &[(&str, String)],
    ) {
        let mut keys = vec![
            ("basis", quoted(basis)),
            ("amount", quoted(amount)),
            ("gates", "[]".to_owned()),
            ("round", round),
            ("instrument", quoted("per_child")),
            ("funding", quoted(SPLITS[0].0)),
        ];
        keys.extend(more.iter().cloned());
        self.block("subsidy", id, &keys);
    }

    /// What items read of the lines of other items.
    pub(super) fn items_of_items(&mut self) {
        let all: Vec<(String, &str)> = (self.items.iter())
            .filter(|item| coarser(item.basis).contains(&"institution"))
            .map(|item| (item.id.clone(), item.basis))
            .collect();
        for (function, scale) in [("sum_amount", "/ 7"), ("count_paid", ""), ("count_eligible", "")]
        {
            if all.is_empty() {
                return;
            }
            let (of, _) = self.dice.pick(&all);
            self.used(&format!("aggregate {function}"));
            let amount = if scale.is_empty() {
                format!("CASE WHEN {function}('{of}') > 0 THEN p.yuan ELSE 2 * p.yuan END")
            } else {
                format!("abs({function}('{of}')) {scale}")
            };
            let round = self.round("line");
            self.subsidy(&format!("of.{function}"), "institution", &amount, round, &[]);
        }
    }

    /// A total to date, paid in parts, and what its payments are read for.
    pub(super) fn totals(&mut self) {
        let basis = self.dice.pick(&["child", "slot", "class", "institution"]);
        let window = self.dice.pick(&["year", "life"]);
        let amount = format!("abs({})", self.terms().term(basis, Kind::Yuan, 1));
        self.used(&format!("to_date {window}"));
        let mut more = vec![("to_date", quoted(window))];
        if self.dice.once_in(2) {
            self.used("instalments");
            let when = self.terms().term(basis, Kind::Bool, 1);
            let parts = "[{ share = \"2/5\", when = \"TRUE\" }, { share = \"3/5\", when = ";
            more.push(("instalments", format!("{parts}\"{when}\" }}]")));
        }
        let round = self.round("line");
        self.subsidy("total", basis, &amount, round, &more);
        self.used("aggregate paid_to_date");
        self.used("aggregate paid_months");
        let amount = "abs(paid_to_date('total')) / 9 + CASE WHEN paid_months('total') > 0 \
                      THEN p.yuan ELSE 0 END";
        let round = self.round("line");
        self.subsidy("before", basis, amount, round, &[]);
        if self.dice.once_in(2) {
            self.used("offset");
            self.block("offset", "back", &[("share", quoted("0.5"))]);
        }
    }
}
