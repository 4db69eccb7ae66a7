//! Groupings: rows with equal values become one row of a table of its own, and every finer table is
//! linked to it.

use super::script::{Held, Kind, Script, link, name, table};
use crate::domain::{Basis, Column};
use crate::facts::PLACE;
use crate::law::{GroupKey, GroupingRule};
use std::fmt::Write as _;

/// A value of a key in SQL.
struct Term {
    /// Whether the row has one.
    known: String,
    /// What it is compared by.
    value: String,
}

impl Term {
    /// Of the value `x` of a row.
    fn of(kind: Kind, x: &str) -> Self {
        if kind == Kind::Num {
            return Self {
                known: format!("({x}).e = 0 AND ({x}).n IS NOT NULL"),
                value: format!("{{'n': ({x}).n, 'd': ({x}).d}}"),
            };
        }
        Self { known: format!("({x}).e = 0 AND ({x}).v IS NOT NULL"), value: format!("({x}).v") }
    }
}

/// What orders the values `x` of a table: numbers as counts of a common part.
fn order(kind: Kind, x: &str, from: &str) -> String {
    if kind == Kind::Num {
        format!(
            "({x}).n * ((SELECT tu_lcm(list(DISTINCT (z.x).d)) FROM {from} z WHERE (z.x).n IS NOT \
             NULL) // ({x}).d)"
        )
    } else {
        format!("({x}).v")
    }
}

impl Script<'_> {
    /// Makes the rows of a grouping and the links to them.
    pub(super) fn group(&mut self, rule: &GroupingRule) {
        self.head("grouping", &rule.head);
        if !self.tables.contains(&rule.of) {
            return;
        }
        let members = self.members(rule);
        self.grouped(rule, &members);
        let tables: Vec<Basis> = self.tables.iter().cloned().collect();
        self.linked_to(&rule.of, &rule.basis, &members);
        for own in rule.tables.iter().filter(|own| tables.contains(own)) {
            let found = self.found(rule, own);
            self.linked_to(own, &rule.basis, &found);
        }
        for finer in tables.iter().filter(|basis| **basis != rule.basis) {
            self.linked_through(rule, finer);
        }
        if let Some(read) = self.unnamed.remove(&rule.basis) {
            super::past::who_is_who(self, &rule.basis, &read);
        }
    }

    /// A table of the rows grouped: the group `g`, counted in the order of the values, and each key.
    fn members(&mut self, rule: &GroupingRule) -> String {
        self.note(&format!(
            "Rows of {} with equal values are one row of {}; rows without a value are in none.",
            rule.of, rule.basis
        ));
        // A row that takes over inside the month belongs where its main row belongs.
        let row = self.parent(&rule.of, &rule.of, true);
        let (mut joins, mut select) = (String::new(), String::new());
        let (mut known, mut by) = (Vec::new(), Vec::new());
        for (at, key) in rule.by.iter().enumerate() {
            let own = self.made("key", &key.expr, &rule.of, "true");
            let _ = write!(joins, " JOIN {own} y{at} ON y{at}.\"row\" = {row}");
            let (kind, x) = (Kind::of_type(key.expr.ty()), format!("y{at}.x"));
            known.push(Term::of(kind, &x).known);
            by.push(order(kind, &x, &own));
            let _ = write!(select, ", {x} AS x{at}");
        }
        let members = self.fresh("members");
        self.say(&format!(
            "CREATE OR REPLACE TABLE {members} AS SELECT b.\"row\", dense_rank() OVER (ORDER BY {}) \
             - 1 AS g{select}\nFROM {} b{joins}\nWHERE {};",
            by.join(", "),
            table(&rule.of),
            known.join(" AND ")
        ));
        members
    }

    /// The table of the grouping's rows.
    fn grouped(&mut self, rule: &GroupingRule, members: &str) {
        let basis = &rule.basis;
        let (mut inner, mut outer) = (vec!["m.g".to_owned()], vec!["g AS \"row\"".to_owned()]);
        let mut add = |value: &str, label: &str| {
            inner.push(format!("{value} AS {label}"));
            outer.push(format!("any_value({label}) AS {label}"));
        };
        for (at, key) in rule.by.iter().enumerate() {
            let text = format!("{basis}.{}", key.column);
            add(&format!("m.x{at}"), &name(&text));
            if let Some(order) = self.stands_for(rule, key) {
                add(&order, &name(&format!("{text}#order")));
            }
            let held = Held { text, kind: Kind::of_type(key.expr.ty()), fact: true };
            self.known.insert((basis.clone(), key.column.to_string()), held);
        }
        let place = format!("{basis}.{PLACE}");
        let whole = "{'n': m.g::HUGEINT, 'd': 1::HUGEINT, 'e': 0::TINYINT}";
        add(whole, &name(&place));
        let held = Held { text: place, kind: Kind::Num, fact: true };
        self.known.insert((basis.clone(), PLACE.to_owned()), held);
        for shared in &rule.shared {
            if *shared != Basis::Programme && self.tables.contains(shared) {
                add(&self.parent(&rule.of, shared, true), &link(shared));
                self.links.insert((basis.clone(), shared.clone()));
            }
        }
        self.say(&format!(
            "CREATE OR REPLACE TABLE {} AS SELECT {}\nFROM (SELECT {}\nFROM {members} m JOIN {} b \
             ON b.\"row\" = m.\"row\") GROUP BY g;",
            table(basis),
            outer.join(", "),
            inner.join(", "),
            table(&rule.of)
        ));
        self.tables.insert(basis.clone());
    }

    /// What stands for long identifiers in the engine's order, where a key is such a fact.
    fn stands_for(&self, rule: &GroupingRule, key: &GroupKey) -> Option<String> {
        let stored = self.month.frames.get(&rule.basis)?.get(&key.column)?;
        let Column::Key(keys) = &stored.column else { return None };
        let [(of, column)] = &key.expr.reads()[..] else { return None };
        let held = self.known.get(&(of.clone(), column.to_string())).filter(|held| held.fact)?;
        let source = self.month.frames.get(of)?.get(column)?;
        let long = matches!(&source.column, Column::Key(keys) if !keys.odd.is_empty());
        if keys.odd.is_empty() || !long {
            return None;
        }
        let order = name(&format!("{}#order", held.text));
        let row = self.parent(&rule.of, of, true);
        Some(format!("(SELECT o.{order} FROM {} o WHERE o.\"row\" = {row})", table(of)))
    }

    /// A table of the rows of a declared table with their group `g`.
    fn found(&mut self, rule: &GroupingRule, own: &Basis) -> String {
        let found = self.fresh("found");
        let mut equal = Vec::new();
        for key in &rule.by {
            let kind = Kind::of_type(key.expr.ty());
            let column = |of: &Basis| name(&format!("{of}.{}", key.column));
            let here = Term::of(kind, &format!("b.{}", column(own)));
            let there = Term::of(kind, &format!("g.{}", column(&rule.basis)));
            equal.push(format!("{} AND {} = {}", here.known, here.value, there.value));
        }
        self.say(&format!(
            "CREATE OR REPLACE TABLE {found} AS SELECT b.\"row\", g.\"row\" AS g FROM {} b JOIN {} \
             g ON {};",
            table(own),
            table(&rule.basis),
            equal.join(" AND ")
        ));
        found
    }

    /// Adds the link of a table's rows to their groups.
    fn linked_to(&mut self, basis: &Basis, to: &Basis, groups: &str) {
        let (own, link) = (table(basis), link(to));
        self.say(&format!(
            "CREATE OR REPLACE TABLE {own} AS SELECT b.*, m.g AS {link} FROM {own} b LEFT JOIN \
             {groups} m ON m.\"row\" = b.\"row\";"
        ));
        self.links.insert((basis.clone(), to.clone()));
    }

    /// Adds the link of a finer table's rows, through what they are linked to already.
    fn linked_through(&mut self, rule: &GroupingRule, finer: &Basis) {
        if self.links.contains(&(finer.clone(), rule.basis.clone())) {
            return;
        }
        let ways = std::iter::once(&rule.of).chain(&rule.tables);
        let mut ways = ways.filter(|way| self.links.contains(&(finer.clone(), (*way).clone())));
        let Some(way) = ways.next() else { return };
        let (own, to) = (table(finer), link(&rule.basis));
        let statement = format!(
            "CREATE OR REPLACE TABLE {own} AS SELECT b.*, w.{to} FROM {own} b LEFT JOIN {} w ON \
             w.\"row\" = b.{};",
            table(way),
            link(way)
        );
        self.say(&statement);
        self.links.insert((finer.clone(), rule.basis.clone()));
    }
}
