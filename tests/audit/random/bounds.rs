//! What bounds the money of a law: exclusions, caps, a short budget.

use super::columns::GROUPINGS;
use super::draw::{Kind, coarser};
use super::law::{Item, Maker, list, quoted};

impl Maker {
    /// Items whose rows determine a basis.
    pub(super) fn under(&self, key: &str) -> Vec<String> {
        let fits = |item: &&Item| item.basis == key || coarser(item.basis).contains(&key);
        self.items.iter().filter(fits).map(|item| item.id.clone()).collect()
    }

    pub(super) fn keys(&mut self) -> Vec<&'static str> {
        let mut keys = vec!["child", "institution", "spell", "week", "day", "slot", "programme"];
        keys.extend(&self.groupings);
        keys
    }

    pub(super) fn exclusions(&mut self) {
        for number in 0..2 {
            let keys = self.keys();
            let key = self.dice.pick(&keys);
            let mut items = self.under(key);
            while items.len() > 3 {
                let at = self.dice.below(items.len());
                items.remove(at);
            }
            if items.len() < 2 {
                continue;
            }
            let rule = self.dice.pick(&["highest", "first"]);
            self.used(&format!("exclusion {rule}"));
            self.used(&format!("exclusion key {}", self.word(key)));
            self.block(
                "exclusion",
                &format!("x{number}"),
                &[("items", list(&items)), ("key", quoted(key)), ("rule", quoted(rule))],
            );
        }
    }

    pub(super) fn caps(&mut self) {
        for number in 0..5 {
            let mut keys = self.keys();
            keys.extend(["line", "child", "institution"]);
            let key = self.dice.pick(&keys);
            let at = self.dice.below(self.items.len());
            let basis = self.items[at].basis;
            if key != "line" && key != basis && !coarser(basis).contains(&key) {
                continue;
            }
            // A queue orders rows, and a quantity is read on them: items of one basis.
            let mut items: Vec<String> = (self.items.iter())
                .filter(|item| item.basis == basis && !item.in_kind)
                .map(|item| item.id.clone())
                .collect();
            if items.is_empty() {
                continue;
            }
            while items.len() > 2 {
                items.pop();
            }
            let limit_on = if key == "line" { basis } else { key };
            let across = key == "child" && self.dice.once_in(2);
            let limit_on = if across { "institution" } else { limit_on };
            let quantity = self.dice.once_in(3);
            let kind = if quantity { Kind::Plain } else { Kind::Yuan };
            let limit = self.terms().term(limit_on, kind, 1);
            let times = if quantity { 2 } else { 3 + self.dice.below(20) };
            let limit = format!("abs({limit}) * {times}");
            let stage = self.dice.pick(&["item", "institution", "cumulative"]);
            let lasts = matches!(key, "child" | "institution" | "line" | "slot");
            let over = !GROUPINGS.iter().any(|(id, ..)| *id == basis);
            let window = if self.quarter && lasts && over { "quarter" } else { "month" };
            let mut keys = vec![
                ("items", list(&items)),
                ("stage", quoted(stage)),
                ("key", quoted(key)),
                ("window", quoted(window)),
                ("limit", quoted(&limit)),
            ];
            if across {
                self.used("cap across");
                keys.push(("across", "true".to_owned()));
            }
            if quantity {
                self.used("cap quantity");
                let of = self.terms().term(basis, Kind::Plain, 1);
                keys.push(("quantity", quoted(&format!("1 + abs({of})"))));
            } else {
                self.used("cap money");
                keys.push(("round", "{ to = \"0.01\", mode = \"floor\" }".to_owned()));
            }
            if key != "line"
                && self.dice.once_in(2)
                && !matches!(
                    basis,
                    "family"
                        | "household"
                        | "weekdays"
                        | "kinds"
                        | "slot"
                        | "institution"
                        | "caregiver"
                        | "claims"
                )
            {
                self.used("cap queue");
                keys.push(("apportion", quoted("queue")));
                keys.push(("order", self.order(basis)));
            } else {
                self.used("cap largest_remainder");
            }
            let said = self.word(key);
            self.used(&format!("cap key {said}"));
            self.used(&format!("cap window {window}"));
            self.block("cap", &format!("c{number}"), &keys);
        }
    }

    pub(super) fn shortage(&mut self) {
        if self.seed % 2 == 1 {
            return;
        }
        let method =
            ["prorata", "queue", "carry"][usize::try_from(self.seed / 2 % 3).expect("small")];
        self.used(&format!("shortage {method}"));
        let fen = 1000 + self.dice.below(90_000);
        let amount = format!("\"{}.{:02}\"", fen / 100, fen % 100);
        self.block("parameter", "p.budget", &[("unit", quoted("yuan")), ("value", amount)]);
        let mut keys = vec![("method", quoted(method))];
        if self.dice.once_in(2) {
            self.used("shortage budget");
            keys.push(("limit", quoted("budget")));
        } else {
            keys.push(("limit", quoted("p.budget")));
        }
        if method != "prorata" {
            keys.push(("order", "[\"-filed_from\", \"kind\"]".to_owned()));
        }
        self.block("shortage", "short", &keys);
    }
}
