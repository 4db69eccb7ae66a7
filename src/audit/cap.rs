//! Caps on money or on a quantity: the cut borne by largest remainder, in a queue, or by each line
//! itself. Other months of a longer window use a limit up ([`super::history`]).

use super::allocation::{Item, LIVE, Outcome, borne, leave, refuse_from};
use super::script::{Script, name, table};
use super::{history, order};
use crate::domain::Basis;
use crate::law::{Apportion, CapRule, Window};

/// Applies one cap.
pub(super) fn cap(script: &mut Script<'_>, rule: &CapRule, items: &[Item]) {
    let mine: Vec<&Item> = items
        .iter()
        .filter(|item| rule.items.contains(&item.rule.head.id))
        .filter(|item| script.tables.contains(&item.rule.basis))
        .collect();
    if mine.is_empty() {
        return;
    }
    script.head("cap", &rule.head);
    let used = used(script, rule, &mine);
    match &rule.key {
        None => mine.iter().for_each(|item| each_line(script, rule, item, &used)),
        Some(key) => shared(script, rule, key, &mine, &used),
    }
}

/// The condition on table `b` for rows whose lines of an item have money left.
fn live(item: &Item) -> String {
    format!("b.\"row\" IN (SELECT \"row\" FROM \"lines\" WHERE item = {} AND {LIVE})", item.place)
}

/// A table of what each line uses up: `n` / `d` of a quantity, or its fen. A line whose quantity has
/// no value is refused.
fn used(script: &mut Script<'_>, rule: &CapRule, items: &[&Item]) -> String {
    let used = script.fresh("used up");
    let Some(quantities) = &rule.quantity else {
        script.note("What each line uses up: its money, in fen.");
        let places: Vec<String> = items.iter().map(|item| item.place.to_string()).collect();
        script.say(&format!(
            "CREATE OR REPLACE TABLE {used} AS SELECT item, \"row\", fen AS n, 1::HUGEINT AS d \
             FROM \"lines\" WHERE item IN ({}) AND {LIVE};",
            places.join(", ")
        ));
        return used;
    };
    script.note("What each line uses up: its quantity n / d; null or below zero uses up nothing.");
    let mut parts = Vec::new();
    for item in items {
        let Some(quantity) = quantities.get(&item.rule.head.id) else { continue };
        let own = script.made("quantity", quantity, &item.rule.basis, &live(item));
        script.say(&refuse_from(&format!(
            "(SELECT {} AS item, \"row\", (x).e AS e FROM {own} WHERE (x).e <> 0)",
            item.place
        )));
        parts.push(format!(
            "SELECT {} AS item, \"row\", greatest(coalesce((x).n, 0), 0)::HUGEINT AS n, \
             coalesce((x).d, 1)::HUGEINT AS d FROM {own} WHERE (x).e = 0",
            item.place
        ));
    }
    script.say(&format!("CREATE OR REPLACE TABLE {used} AS {};", parts.join("\nUNION ALL ")));
    used
}

/// A table of the limit on each of some rows; its value is null where there is none.
fn limit(script: &mut Script<'_>, rule: &CapRule, basis: &Basis, rows: &str) -> String {
    let rounded = rule.round.map(|round| rule.limit.rounded(round));
    let expr = rounded.as_ref().unwrap_or(&rule.limit).clone();
    script.made("limit", &expr, basis, rows)
}

/// SQL of a limit `m.x` as `n` / `d`, at least zero; a limit of money between two fen is floored.
const fn left(rule: &CapRule) -> &'static str {
    if rule.quantity.is_some() {
        "greatest((m.x).n, 0) AS ln, (m.x).d AS ld"
    } else {
        "greatest(tu_down((m.x).n, (m.x).d), 0) AS ln, 1::HUGEINT AS ld"
    }
}

/// Each line stands alone against its own limit: what is above it is cut in proportion.
fn each_line(script: &mut Script<'_>, rule: &CapRule, item: &Item, used: &str) {
    let place = item.place;
    script.note("The limit on the row of each line; lines whose limit has no value are refused.");
    let own = limit(script, rule, &item.rule.basis, &live(item));
    script.say(&refuse_from(&format!(
        "(SELECT {place} AS item, \"row\", (x).e AS e FROM {own} WHERE (x).e <> 0)"
    )));
    if rule.window != Window::Month {
        let kept = history::kept_by_line(script, rule, item, &own, used);
        script.say(&leave(&kept, Outcome::Capped));
        return;
    }
    script.note("A line that uses up n / d of a limit ln / ld keeps fen x limit / use, floored.");
    let kept = script.fresh("kept");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {kept} AS SELECT item, \"row\", tu_down(fen * ln * d, ld * n) \
         AS fen\n\
         FROM (SELECT l.item, l.\"row\", l.fen, u.n, u.d, {} FROM \"lines\" l JOIN {used} u ON \
         u.item = l.item AND u.\"row\" = l.\"row\"\n\
         JOIN {own} m ON m.\"row\" = l.\"row\" WHERE l.item = {place} AND l.{LIVE} AND (m.x).e = \
         0 AND (m.x).n IS NOT NULL)\n\
         WHERE fen > 0 AND n * ld > ln * d;",
        left(rule)
    ));
    script.say(&leave(&kept, Outcome::Capped));
}

/// A key row shares the cap.
fn shared(script: &mut Script<'_>, rule: &CapRule, key: &Basis, items: &[&Item], used: &str) {
    let (live, by) = keyed(script, rule, key, items, used);
    script.note(&format!("The limit of each {key}; lines under one without a value are refused."));
    let own = limit(script, rule, key, &format!("b.\"row\" IN (SELECT k FROM {live})"));
    let own = history::left(script, rule, key, &own);
    script.say(&refuse_from(&format!(
        "(SELECT c.item, c.\"row\", (m.x).e AS e FROM {live} c JOIN {own} m ON m.\"row\" = c.k \
         WHERE (m.x).e <> 0)"
    )));
    script.note(&format!(
        "All in counts of one part: use, the sum of the {key}, the limit. Kept are groups above it."
    ));
    let over = script.fresh("over the limit");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {over} AS SELECT *, CASE WHEN uses > 0 THEN greatest(fen, 0) ELSE \
         0 END AS weight\n\
         FROM (SELECT *, sum(uses) OVER (PARTITION BY k) AS total\n\
         FROM (SELECT * EXCLUDE (n, d, ln, ld), n * (unit // d) AS uses, ln * (unit // ld) AS \
         most\n\
         FROM (SELECT *, tu_lcm(list_append(list(DISTINCT d) OVER (PARTITION BY k), ld)) AS unit\n\
         FROM (SELECT c.*, {} FROM {live} c JOIN {own} m ON m.\"row\" = c.k WHERE (m.x).e = 0 AND \
         (m.x).n IS NOT NULL)))) WHERE total > most;",
        left(rule)
    ));
    let kept = script.fresh("kept");
    let query = match &rule.apportion {
        Apportion::Queue(_) => queued(script, &over, &by),
        Apportion::LargestRemainder => in_proportion(script, rule, &over),
    };
    script.say(&format!("CREATE OR REPLACE TABLE {kept} AS {query};"));
    history::note_shared(script, rule, (used, &over, &kept));
    script.say(&leave(&kept, Outcome::Capped));
}

/// A table of the live lines under a cap with their key row `k` and use, and the order of its queue.
fn keyed(
    script: &mut Script<'_>,
    rule: &CapRule,
    key: &Basis,
    items: &[&Item],
    used: &str,
) -> (String, String) {
    let mut parts = Vec::new();
    let mut by = String::new();
    let stated = match &rule.apportion {
        Apportion::Queue(columns) => columns.as_slice(),
        Apportion::LargestRemainder => &[],
    };
    for item in items {
        let basis = &item.rule.basis;
        let order = order::stated(script, basis, stated);
        by = order.by_columns();
        parts.push(format!(
            "SELECT {} AS item, b.\"row\", {} AS k{} FROM {} b{}",
            item.place,
            script.parent(basis, key, true),
            order.columns(),
            table(basis),
            order.joins
        ));
    }
    script.note(&format!("The lines under the cap with their {key}, and what orders a queue."));
    let keys = script.fresh("keys");
    script.say(&format!("CREATE OR REPLACE TABLE {keys} AS {};", parts.join("\nUNION ALL ")));
    if rule.across {
        across(script, &keys);
    }
    let live = script.fresh("live");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {live} AS SELECT c.*, l.fen, t.tie, u.n, u.d FROM \"lines\" l \
         JOIN {keys} c ON c.item = l.item AND c.\"row\" = l.\"row\"\n\
         JOIN \"ties\" t ON t.item = l.item AND t.\"row\" = l.\"row\"\n\
         JOIN {used} u ON u.item = l.item AND u.\"row\" = l.\"row\"\n\
         WHERE l.{LIVE} AND c.k IS NOT NULL;"
    ));
    (live, by)
}

/// The rows of a child at all its institutions are one: the row at the first institution by id.
fn across(script: &mut Script<'_>, keys: &str) {
    let basis = Basis::Child;
    let known = |column: &str| script.known.contains_key(&(basis.clone(), column.to_owned()));
    if !known("child_ref") || !known("institution_id") {
        return;
    }
    let order = order::stated(script, &basis, &["institution_id".into()].map(|c| (c, false)));
    let child = name("child.child_ref");
    script.note("A child at several institutions is one: its row at the first of them by id.");
    script.say(&format!(
        "UPDATE {keys} SET k = w.main FROM (SELECT \"row\", first_value(\"row\") OVER (PARTITION \
         BY child ORDER BY {}\"row\") AS main\n\
         FROM (SELECT b.\"row\", (b.{child}).v AS child{} FROM {} b{})) w WHERE w.\"row\" = k;",
        order.by_columns(),
        order.columns(),
        table(&basis),
        order.joins
    ));
}

/// What lines keep that are served in order until the limit is used up; the line at the edge keeps
/// its part of what is left, floored.
fn queued(script: &mut Script<'_>, over: &str, by: &str) -> String {
    script.note("Served in order: what is left for each is the limit less what stands before it.");
    format!(
        "SELECT item, \"row\", fen * rest // uses AS fen\n\
         FROM (SELECT *, greatest(most - sum(least(uses, 0)) OVER (PARTITION BY k) - \
         coalesce(sum(greatest(uses, 0)) OVER (PARTITION BY k ORDER BY {by}item, tie, fen DESC, \
         \"row\" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0), 0) AS rest FROM {over})\n\
         WHERE uses > rest AND uses > 0 AND fen > 0"
    )
}

/// What lines keep that bear the cut in proportion to their money.
fn in_proportion(script: &mut Script<'_>, rule: &CapRule, over: &str) -> String {
    script.note("The cut is borne in proportion to the money, by largest remainder.");
    let cut = if rule.quantity.is_some() {
        "sum(weight) OVER (PARTITION BY k) - sum(weight) OVER (PARTITION BY k) * most // total"
    } else {
        "total - most"
    };
    let from = format!("(SELECT *, {cut} AS cut FROM {over})");
    format!(
        "SELECT item, \"row\", fen - borne AS fen FROM ({})",
        borne(&from, "item, tie, fen DESC, \"row\"")
    )
}
