//! What earlier months paid on the same row: sums over a window, and what they leave of a cap.

use super::allocation::LIVE;
use super::facts::{identity, order_terms};
use super::past::earlier;
use super::script::{Kind, Script, name, table, text};
use crate::domain::Basis;
use crate::history::{Counted, key_parts};
use crate::law::{Aggregate, AggregateRule, CapRule, Window};
use std::sync::Arc;

/// Which earlier lines are added up.
pub(super) struct Asked<'a> {
    pub(super) items: &'a [Arc<str>],
    pub(super) window: Window,
    pub(super) counted: Counted,
}

/// Items as an SQL list of texts; no item is called nothing.
pub(super) fn listed(items: &[Arc<str>]) -> String {
    let mut list: Vec<String> = items.iter().map(|item| text(item)).collect();
    list.push("''".to_owned());
    list.join(", ")
}

/// The key of a row or line of table `alias` as SQL: what does not name a row of the basis is empty.
fn key(basis: &Basis, across: bool, alias: &str) -> String {
    let part = |(column, counts): &(&str, bool)| {
        if *counts { format!("{alias}.{column}") } else { "''".to_owned() }
    };
    let parts: Vec<String> = key_parts(basis, across).iter().map(part).collect();
    format!("[{}]", parts.join(", "))
}

/// A table of the rows of a basis with their keys: `row`, `k`.
pub(super) fn keys(script: &mut Script<'_>, basis: &Basis, across: bool) -> Option<String> {
    let who = script.who.get(basis).cloned()?;
    let own = script.fresh(&format!("keys of {basis}"));
    script.say(&format!(
        "CREATE OR REPLACE TABLE {own} AS SELECT w.\"row\", {} AS k FROM {who} w;",
        key(basis, across, "w")
    ));
    Some(own)
}

/// A table of earlier lines by the key of the rows of a basis: `k`, `period`, `fen`, `instalments`.
pub(super) fn lines_before(
    script: &mut Script<'_>,
    (basis, across): (&Basis, bool),
    keys: &str,
    asked: &Asked<'_>,
) -> String {
    let whole = key(basis, across, "l");
    let is_slot = *basis == Basis::Slot;
    // A slot row without a service serves every service.
    let of = if is_slot {
        let every = "[l.institution_id, '', '', l.age_class, '']";
        format!("CASE WHEN {whole} IN (SELECT k FROM {keys}) THEN {whole} ELSE {every} END")
    } else {
        whole
    };
    let fen = match asked.counted {
        Counted::Capped => "capped_fen",
        Counted::Allocated => "allocated_fen",
    };
    let own = script.fresh("paid before");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {own} AS SELECT {of} AS k, l.period, l.{fen} AS fen, \
         l.instalments FROM \"paid lines\" l\nWHERE l.item IN ({}) AND {};",
        listed(asked.items),
        earlier("l.period", asked.window, script.month.month)
    ));
    own
}

/// What counts as paid under the law of the month.
pub(super) fn as_paid(script: &Script<'_>) -> Counted {
    script.month.law.segments.first().map_or(Counted::Allocated, Counted::as_paid)
}

impl Script<'_> {
    /// A column of what earlier months were paid of an item, or of how many were.
    pub(super) fn paid_before(&mut self, rule: &AggregateRule) {
        let Some((item, window)) = rule.function.of_history() else { return };
        let basis = &rule.basis;
        let own = self.column(basis, &rule.name, Kind::Num);
        self.note(&format!("What earlier months ({}) were paid of {item}.", window.word()));
        let Some(keys) = keys(self, basis, false) else { return };
        let asked = Asked { items: &[Arc::clone(item)], window, counted: as_paid(self) };
        let lines = lines_before(self, (basis, false), &keys, &asked);
        let sums = match rule.function {
            Aggregate::PaidMonths(..) => format!(
                "SELECT k, count(*) AS fen FROM (SELECT k, period FROM {lines} GROUP BY ALL \
                 HAVING sum(fen) > 0) GROUP BY k"
            ),
            _ => format!("SELECT k, sum(fen) AS fen FROM {lines} GROUP BY k"),
        };
        self.say(&format!(
            "INSERT INTO {own} SELECT r.\"row\", tu_number(coalesce(p.fen, 0)::HUGEINT, 1) \
             FROM {keys} r LEFT JOIN ({sums}) p ON p.k = r.k;"
        ));
    }
}

/// Items of a cap whose other months count: a total to date holds what was paid before.
fn counted(script: &Script<'_>, rule: &CapRule) -> Vec<Arc<str>> {
    let items = script.month.entitlements.items.iter();
    let to_date: Vec<&Arc<str>> = items
        .filter(|lines| {
            lines.rules.iter().flatten().next().is_some_and(|rule| rule.to_date.is_some())
        })
        .map(|lines| &lines.item)
        .collect();
    rule.items.iter().filter(|item| !to_date.contains(item)).cloned().collect()
}

/// The table of limits less what other months of the window used up: `row`, `x`.
pub(super) fn left(script: &mut Script<'_>, rule: &CapRule, key: &Basis, limits: &str) -> String {
    if rule.window == Window::Month {
        return limits.to_owned();
    }
    let id = &rule.head.id;
    script.note(&format!("What the other months of the {} leave of {id}.", rule.window.word()));
    let items = counted(script, rule);
    let used = if matches!(key, Basis::Institution | Basis::Programme) {
        let sum = format!(
            "sum(payable_fen)::HUGEINT AS fen FROM \"posted\" WHERE line_kind NOT IN \
             ('CARRY_IN', 'CARRY_OUT') AND item IN ({}) AND {}",
            listed(&items),
            earlier("source_month", rule.window, script.month.month)
        );
        if *key == Basis::Programme {
            format!("SELECT b.\"row\", p.fen FROM {} b, (SELECT {sum}) p", table(key))
        } else {
            format!(
                "SELECT i.\"row\", p.fen FROM {} i JOIN (SELECT institution_id, {sum} GROUP BY \
                 institution_id) p ON p.institution_id = i.id",
                super::allocation::institutions()
            )
        }
    } else {
        let Some(keys) = keys(script, key, rule.across) else { return limits.to_owned() };
        let asked = Asked { items: &items, window: rule.window, counted: as_paid(script) };
        let lines = lines_before(script, (key, rule.across), &keys, &asked);
        format!(
            "SELECT r.\"row\", p.fen FROM {keys} r JOIN (SELECT k, sum(fen)::HUGEINT AS fen FROM \
             {lines} GROUP BY k) p ON p.k = r.k"
        )
    };
    let own = script.fresh(&format!("left of {id}"));
    script.say(&format!(
        "CREATE OR REPLACE TABLE {own} AS SELECT m.\"row\", CASE WHEN (m.x).e <> 0 OR (m.x).n IS \
         NULL THEN m.x ELSE tu_number(greatest(tu_down((m.x).n, (m.x).d) - coalesce(u.fen, 0), \
         0)::HUGEINT, 1) END AS x\nFROM {limits} m LEFT JOIN ({used}) u ON u.\"row\" = m.\"row\";"
    ));
    own
}

/// A table of what the lines of an item keep, each under its own limit and rows alike under one: `row`,
/// `kept`. Rows that cannot be told apart in another month use up one limit, in order of values.
pub(super) fn kept_by_line(
    script: &mut Script<'_>,
    rule: &CapRule,
    (place, basis): (usize, &Basis),
    limits: &str,
) -> Option<String> {
    let id = &rule.head.id;
    script.note(&format!(
        "What the lines keep of {id}: other months of the {} and rows alike come first.",
        rule.window.word()
    ));
    let keys = keys(script, basis, rule.across)?;
    let items = counted(script, rule);
    let asked = Asked { items: &items, window: rule.window, counted: as_paid(script) };
    let lines = lines_before(script, (basis, rule.across), &keys, &asked);
    let mut order = order_terms(script, basis, &identity(script, basis));
    for term in &mut order {
        term.push_str(" NULLS FIRST");
    }
    order.extend(["l.fen DESC".to_owned(), "l.\"row\"".to_owned()]);
    let queue = script.fresh("rows alike");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {queue} AS SELECT l.\"row\", l.fen, CASE WHEN (m.x).n IS NOT NULL \
         THEN greatest(tu_down((m.x).n, (m.x).d), 0) END AS most, r.k, row_number() OVER \
         (PARTITION BY r.k ORDER BY {}) AS nth\n\
         FROM \"lines\" l JOIN {limits} m ON m.\"row\" = l.\"row\" AND (m.x).e = 0 JOIN {keys} r ON \
         r.\"row\" = l.\"row\" JOIN {} b ON b.\"row\" = l.\"row\"\nWHERE l.item = {place} AND {LIVE};",
        order.join(", "),
        table(basis)
    ));
    let kept = script.fresh("kept");
    let keeps = "(CASE WHEN q.most IS NULL OR q.fen <= 0 THEN q.fen ELSE least(q.fen, \
                 greatest(q.most - w.gone, 0)) END)::HUGEINT";
    script.say(&format!(
        "CREATE OR REPLACE TABLE {kept} AS WITH RECURSIVE walk(k, nth, \"row\", kept, gone) AS (\n\
         SELECT r.k, 0::BIGINT, NULL::BIGINT, 0::HUGEINT, coalesce(p.fen, 0)::HUGEINT FROM (SELECT \
         DISTINCT k FROM {queue}) r LEFT JOIN (SELECT k, sum(fen) AS fen FROM {lines} GROUP BY k) p \
         ON p.k = r.k\n\
         UNION ALL\n\
         SELECT q.k, q.nth, q.\"row\", {keeps}, (w.gone + greatest({keeps}, 0))::HUGEINT FROM walk w \
         JOIN {queue} q ON q.k = w.k AND q.nth = w.nth + 1)\n\
         SELECT \"row\", kept FROM walk WHERE nth > 0;"
    ));
    Some(kept)
}

/// A table of the main row of every child over its institutions: the one at the first by id.
pub(super) fn mains(script: &mut Script<'_>) -> String {
    let own = script.fresh("children over institutions");
    let key = |column: &str| {
        let terms = order_terms(script, &Basis::Child, &[Arc::from(column)]);
        terms.into_iter().next().unwrap_or_else(|| "b.\"row\"".to_owned())
    };
    let (child, institution) = (key("child_ref"), key("institution_id"));
    script.say(&format!(
        "CREATE OR REPLACE TABLE {own} AS SELECT b.\"row\", first_value(b.\"row\") OVER (PARTITION \
         BY {child} ORDER BY {institution} NULLS FIRST, b.\"row\") AS main FROM {} b;",
        table(&Basis::Child)
    ));
    own
}

/// Names a table so that another room of the script finds it.
pub(super) fn fixed(word: &str, place: usize) -> String {
    name(&format!("{word} {place}"))
}
