//! The figures of a scenario one by one: by source, item, street, kind; prices, fees, institutions.

use super::figures::{margin, per_slot};
use super::number::{NOTHING, change, change_of, count, mean, money, percent};
use crate::domain::texts::Catalogue;
use crate::domain::{Breaches, Institution, Month, NetFees, Outcome, QUANTILES};
use crate::law::ShownLaw;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Institutions told of each end.
const MOST: usize = 10;

/// A table as shown.
#[derive(Debug, Serialize)]
pub(super) struct Table {
    id: &'static str,
    title: String,
    head: Vec<Head>,
    rows: Vec<Vec<Cell>>,
    /// What stands where there are no rows.
    empty: String,
}

#[derive(Debug, Serialize)]
struct Head {
    text: String,
    number: bool,
}

/// What a cell says; `sign` is that of a change.
#[derive(Debug, Serialize)]
struct Cell {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sign: Option<i64>,
}

fn said(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), sign: None }
}

fn moved(fen: i64) -> Cell {
    Cell { text: change(fen), sign: Some(fen.signum()) }
}

fn counted(now: u64, before: u64) -> Cell {
    let sign = i64::from(now > before) - i64::from(now < before);
    Cell { text: change_of(now, before), sign: Some(sign) }
}

/// Names of what the figures are told by.
#[derive(Debug)]
pub(super) struct Names {
    /// Chinese names of items and guide prices by their printed id.
    rules: BTreeMap<Arc<str>, String>,
    institutions: Vec<Institution>,
    months: Vec<Month>,
}

impl Names {
    pub(super) fn of(law: &ShownLaw, institutions: &[Institution], months: &[Month]) -> Self {
        let named = law.rules.iter().filter(|rule| !rule.label.is_empty());
        let rules = named.map(|rule| (Arc::from(&*rule.id), rule.label.clone())).collect();
        Self { rules, institutions: institutions.to_vec(), months: months.to_vec() }
    }

    fn rule(&self, id: &Arc<str>) -> String {
        self.rules.get(id).map_or_else(|| id.to_string(), |label| format!("{label} ({id})"))
    }
}

/// Tables of a baseline and a scenario, in order.
pub(super) fn told(of: (&Outcome, &Outcome), names: &Names, texts: &Catalogue) -> Vec<Table> {
    let (base, now) = of;
    let teller = Teller { base, now, names, texts };
    let plain = |name: &Arc<str>| teller.named(name);
    let mut tables = vec![
        teller.money("by_source", &base.by_source, &now.by_source, plain),
        teller.money("by_item", &base.by_item, &now.by_item, |id| names.rule(id)),
        teller.money("by_kind", &base.by_kind, &now.by_kind, plain),
        teller.money("by_street", &base.by_street, &now.by_street, plain),
    ];
    if names.months.len() > 1 {
        let by_month = |of: &Outcome| -> BTreeMap<Arc<str>, i64> {
            let months = names.months.iter().map(|month| Arc::from(month.to_string()));
            months.zip(of.by_month.iter().copied()).collect()
        };
        tables.push(teller.money("by_month", &by_month(base), &by_month(now), plain));
    }
    tables.extend([
        teller.breaches(),
        teller.net_fees(),
        teller.revenue(),
        teller.overruns(),
        teller.children(),
    ]);
    tables.extend(teller.institutions());
    tables
}

struct Teller<'a> {
    base: &'a Outcome,
    now: &'a Outcome,
    names: &'a Names,
    texts: &'a Catalogue,
}

impl Teller<'_> {
    fn word(&self, key: &str) -> String {
        self.texts.label(&format!("workbench.{key}")).to_owned()
    }

    fn named(&self, name: &Arc<str>) -> String {
        if name.is_empty() { self.word("unnamed") } else { name.to_string() }
    }

    /// Headings by their keys in the catalogue; `texts` of them are no numbers.
    fn table(&self, id: &'static str, texts: usize, head: &str, rows: Vec<Vec<Cell>>) -> Table {
        let heads = head.split(' ').enumerate();
        Table {
            id,
            title: self.word(&format!("table.{id}")),
            head: heads
                .map(|(at, key)| Head {
                    text: self.word(&format!("head.{key}")),
                    number: at >= texts,
                })
                .collect(),
            rows,
            empty: self.word("empty"),
        }
    }

    /// Money by name: the law as it is, the scenario, the change.
    fn money(
        &self,
        id: &'static str,
        base: &BTreeMap<Arc<str>, i64>,
        now: &BTreeMap<Arc<str>, i64>,
        name: impl Fn(&Arc<str>) -> String,
    ) -> Table {
        let mut both: BTreeMap<&Arc<str>, (i64, i64)> = BTreeMap::new();
        for (key, fen) in base {
            both.entry(key).or_default().0 = *fen;
        }
        for (key, fen) in now {
            both.entry(key).or_default().1 = *fen;
        }
        let rows = both.into_iter().map(|(key, (base, now))| {
            vec![
                said(name(key)),
                said(money(base)),
                said(money(now)),
                moved(now - base),
                said(percent(now, base)),
            ]
        });
        self.table(id, 1, "name base now change percent", rows.collect())
    }

    fn breaches(&self) -> Table {
        let none = Breaches::default();
        let rows = self.now.breaches.iter().map(|(id, now)| {
            let base = self.base.breaches.get(id).unwrap_or(&none);
            vec![
                said(self.names.rule(id)),
                said(count(now.over)),
                counted(now.over, base.over),
                said(money(now.over_fen)),
                said(money(now.over_most_fen)),
                said(count(now.institutions)),
                said(count(now.under)),
                counted(now.under, base.under),
            ]
        });
        let head = "price over change over_by over_most institutions under change";
        self.table("breaches", 1, head, rows.collect())
    }

    fn net_fees(&self) -> Table {
        let none = NetFees::default();
        let rows = self.now.net_fees.iter().filter(|(_, fees)| fees.children > 0);
        let rows = rows.map(|(group, now)| {
            let base = self.base.net_fees.get(group).unwrap_or(&none);
            let average = |of: &NetFees| mean(of.sum_fen, of.children);
            let whole = group.0.is_empty() && group.1.is_empty();
            let class = if whole { self.word("everybody") } else { self.named(&group.0) };
            let service = if whole { NOTHING.to_owned() } else { self.named(&group.1) };
            let mut row = vec![
                said(class),
                said(service),
                said(count(now.children)),
                said(average(now).map_or_else(|| NOTHING.to_owned(), money)),
                match (average(now), average(base)) {
                    (Some(now), Some(base)) => moved(now - base),
                    _ => said(NOTHING),
                },
            ];
            row.extend(now.quantiles.iter().map(|fen| said(money(*fen))));
            row
        });
        let head = format!("class service children mean change {}", quantile_heads());
        self.table("net_fees", 2, &head, rows.collect())
    }

    fn revenue(&self) -> Table {
        let (base, now) = (self.base, self.now);
        let of = |key: &str, base: Option<i64>, now: Option<i64>| {
            let told = |fen: Option<i64>| said(fen.map_or_else(|| NOTHING.to_owned(), money));
            let apart =
                base.zip(now).map_or_else(|| said(NOTHING), |(base, now)| moved(now - base));
            vec![said(self.word(&format!("revenue.{key}"))), told(base), told(now), apart]
        };
        let mut rows = vec![
            of("fen", Some(base.revenue.fen), Some(now.revenue.fen)),
            of("per_slot", per_slot(base), per_slot(now)),
        ];
        if now.revenue.with_costs > 0 {
            let (before, after) = (base.revenue, now.revenue);
            rows.extend([
                of("with_costs", Some(before.with_costs_fen), Some(after.with_costs_fen)),
                of("costs", Some(before.costs_fen), Some(after.costs_fen)),
                of("margin", Some(margin(base)), Some(margin(now))),
            ]);
        }
        self.table("revenue", 1, "name base now change", rows)
    }

    fn overruns(&self) -> Table {
        let rows = self.now.overruns.iter().map(|over| {
            vec![
                said(self.named(&over.budget_doc_no)),
                said(self.named(&over.source)),
                said(over.month.to_string()),
                said(money(over.fen)),
            ]
        });
        self.table("overruns", 3, "budget source month over_by", rows.collect())
    }

    fn children(&self) -> Table {
        let changes = self.now.children;
        let mut row = vec![
            said(count(changes.winners)),
            said(count(changes.losers)),
            said(count(changes.same)),
        ];
        row.extend(changes.quantiles.iter().map(|fen| moved(*fen)));
        let head = format!("winners losers same {}", quantile_heads());
        self.table("children", 0, &head, vec![row])
    }

    /// Institutions that are given the most more, and the most less.
    fn institutions(&self) -> [Table; 2] {
        let mut apart: Vec<(i64, usize)> = Vec::new();
        for (at, (now, base)) in
            self.now.institutions.iter().zip(&self.base.institutions).enumerate()
        {
            apart.push((now - base, at));
        }
        apart.sort_unstable_by_key(|(by, at)| (-by, *at));
        let up = apart.iter().take_while(|(by, _)| *by > 0).take(MOST);
        let down = apart.iter().rev().take_while(|(by, _)| *by < 0).take(MOST);
        let row = |&(by, at): &(i64, usize)| {
            let institution = self.names.institutions.get(at).cloned().unwrap_or_default();
            vec![
                said(format!("{} {}", institution.name, institution.id).trim().to_owned()),
                said(self.named(&institution.kind)),
                said(self.named(&institution.street)),
                said(money(self.base.institutions[at])),
                said(money(self.now.institutions[at])),
                moved(by),
            ]
        };
        let head = "institution kind street base now change";
        [
            self.table("up", 3, head, up.map(row).collect()),
            self.table("down", 3, head, down.map(row).collect()),
        ]
    }
}

fn quantile_heads() -> String {
    QUANTILES.map(|percent| format!("p{percent}")).join(" ")
}
