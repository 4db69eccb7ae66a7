//! Caps on money, the cut borne by largest remainder or by each line itself. Other months of a longer
//! window use a limit up ([`super::history`]).

use super::allocation::{Item, LIVE, places, refuse};
use super::facts::{identity, order_terms};
use super::script::{Script, table};
use crate::domain::Basis;
use crate::law::{CapRule, Window};

const EXHAUSTED: &str = "'cap_exhausted'";

/// Applies one cap.
pub(super) fn cap(script: &mut Script<'_>, rule: &CapRule, items: &[Item]) {
    let mine: Vec<&Item> =
        items.iter().filter(|item| rule.items.contains(&item.rule.head.id)).collect();
    if mine.is_empty() {
        return;
    }
    match &rule.key {
        None => mine.iter().for_each(|item| each_line(script, rule, item)),
        Some(key) => shared(script, rule, key, &mine),
    }
}

fn limit(script: &mut Script<'_>, rule: &CapRule, basis: &Basis, rows: &str) -> String {
    let rounded = rule.round.map(|round| rule.limit.rounded(round));
    let expr = rounded.as_ref().unwrap_or(&rule.limit).clone();
    script.made(&format!("limit of {}", rule.head.id), &expr, basis, rows)
}

/// The limit in whole fen: null where there is none.
const WHOLE: &str =
    "(CASE WHEN (m.x).n IS NOT NULL THEN greatest(tu_down((m.x).n, (m.x).d), 0) END)";

/// Each line stands alone against its own limit.
fn each_line(script: &mut Script<'_>, rule: &CapRule, item: &Item) {
    let place = item.place;
    let live =
        format!("b.\"row\" IN (SELECT \"row\" FROM \"lines\" WHERE item = {place} AND {LIVE})");
    let own = limit(script, rule, &item.rule.basis, &live);
    let errors = format!("(SELECT \"row\" FROM {own} WHERE (x).e <> 0)");
    let reason =
        format!("tu_reason((SELECT (m.x).e FROM {own} m WHERE m.\"row\" = \"lines\".\"row\"))");
    script.say(&refuse(&reason, &format!("item = {place} AND \"row\" IN {errors}")));
    if rule.window != Window::Month {
        let of = (place, &item.rule.basis);
        if let Some(kept) = super::history::kept_by_line(script, rule, of, &own) {
            keep(script, &kept, &format!("item = {place} AND {LIVE}"));
        }
        return;
    }
    script.say(&format!(
        "UPDATE \"lines\" SET fen = {WHOLE}, status = CASE WHEN {WHOLE} = 0 THEN 'zero' ELSE \
         status END, \
         reason = CASE WHEN {WHOLE} = 0 THEN {EXHAUSTED} ELSE reason END\n\
         FROM {own} m WHERE m.\"row\" = \"lines\".\"row\" AND item = {place} AND {LIVE} AND \
         {WHOLE} < fen;"
    ));
}

/// A key row shares the cap; its lines bear the cut in proportion.
fn shared(script: &mut Script<'_>, rule: &CapRule, key: &Basis, items: &[&Item]) {
    let mains = rule.across.then(|| super::history::mains(script));
    let keys = script.fresh("keys");
    let mut parts = Vec::new();
    for item in items {
        let basis = &item.rule.basis;
        if !script.tables.contains(basis) {
            continue;
        }
        let mut parent = script.parent(basis, key, true);
        if let Some(mains) = &mains {
            parent = format!("(SELECT a.main FROM {mains} a WHERE a.\"row\" = {parent})");
        }
        let mut order = order_terms(script, basis, &identity(script, basis));
        for term in &mut order {
            term.push_str(" NULLS FIRST");
        }
        let tie = if order.is_empty() { "1".to_owned() } else { order.join(", ") };
        parts.push(format!(
            "SELECT {} AS item, b.\"row\", {parent} AS k, rank() OVER (ORDER BY {tie}) AS tie \
             FROM {} b",
            item.place,
            table(basis)
        ));
    }
    if parts.is_empty() {
        return;
    }
    script.say(&format!("CREATE OR REPLACE TABLE {keys} AS {};", parts.join("\nUNION ALL ")));
    let list: Vec<Item> = items
        .iter()
        .map(|item| Item { place: item.place, rule: std::sync::Arc::clone(&item.rule) })
        .collect();
    let list = places(&list);
    let live = script.fresh("live");
    let lines = format!(
        "SELECT l.item, l.\"row\", l.fen, c.k, c.tie FROM \"lines\" l JOIN {keys} c \
         ON c.item = l.item AND c.\"row\" = l.\"row\" WHERE l.item IN ({list}) AND {LIVE} AND c.k \
         IS NOT NULL"
    );
    script.say(&format!("CREATE OR REPLACE TABLE {live} AS {lines};"));
    let own = limit(script, rule, key, &format!("b.\"row\" IN (SELECT k FROM {live})"));
    let own = super::history::left(script, rule, key, &own);
    let broken = format!(
        "(SELECT c.item, c.\"row\", (m.x).e AS e FROM {live} c JOIN {own} m ON m.\"row\" = c.k \
         WHERE (m.x).e <> 0)"
    );
    script.say(&format!(
        "UPDATE \"lines\" SET status = 'refused', reason = tu_reason(w.e), amount = 0, fen = 0 \
         FROM {broken} w WHERE w.item = \"lines\".item AND w.\"row\" = \"lines\".\"row\";"
    ));
    let kept = script.fresh("kept");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {kept} AS SELECT item, \"row\", \
         fen - part - (CASE WHEN nth <= cut - sum(part) OVER (PARTITION BY k) THEN 1 ELSE 0 END) \
         AS kept\n\
         FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY rest DESC, item, tie, fen \
         DESC, \"row\") AS nth\n\
         FROM (SELECT c.*, t.cut, t.cut * greatest(c.fen, 0) // t.bearing AS part, \
         t.cut * greatest(c.fen, 0) % t.bearing AS rest\n\
         FROM {live} c JOIN (SELECT u.k, u.used - {WHOLE} AS cut, u.bearing FROM \
         (SELECT k, sum(fen) AS used, sum(greatest(fen, 0)) AS bearing FROM {live} GROUP BY k) u \
         JOIN {own} m ON m.\"row\" = u.k WHERE (m.x).e = 0 AND u.used > {WHOLE}) t ON t.k = c.k));"
    ));
    keep(script, &kept, "w.item = \"lines\".item");
}

/// Leaves the lines a condition names what a table says they keep.
fn keep(script: &mut Script<'_>, kept: &str, condition: &str) {
    script.say(&format!(
        "UPDATE \"lines\" SET fen = w.kept, status = CASE WHEN w.kept = 0 THEN 'zero' ELSE status \
         END, \
         reason = CASE WHEN w.kept = 0 THEN {EXHAUSTED} ELSE reason END\n\
         FROM {kept} w WHERE w.\"row\" = \"lines\".\"row\" AND {condition} \
         AND w.kept <> \"lines\".fen;"
    ));
}
