//! The funding split (S13): by line, by institution or over the settlement, both margins exact.

use super::allocation::{Item, LIVE, institutions, places};
use super::script::{Script, table, text};
use crate::domain::Basis;
use crate::law::{SplitMethod, SplitRule, SplitScope};
use std::fmt::Write as _;
use std::sync::Arc;

/// A split in use: its weights by institution row and the items it funds.
pub(super) struct Split {
    weights: String,
    sources: Vec<Arc<str>>,
    places: Vec<(usize, Arc<str>)>,
    scope: SplitScope,
    method: SplitMethod,
    quantum: i64,
}

/// Evaluates the weights and refuses the lines of institutions whose weights have no value.
pub(super) fn weigh(script: &mut Script<'_>, items: &[Item]) -> Vec<Split> {
    let mut splits: Vec<(Arc<str>, Vec<&Item>)> = Vec::new();
    for item in items {
        match splits.iter_mut().find(|(id, _)| *id == item.rule.funding) {
            Some((_, list)) => list.push(item),
            None => splits.push((Arc::clone(&item.rule.funding), vec![item])),
        }
    }
    let mut made = Vec::new();
    for (id, list) in splits {
        let segments = &script.month.law.segments;
        let rule = segments.iter().find_map(|segment| segment.splits.get(&id)).cloned();
        let weights = if let Some(rule) = &rule {
            weights(script, rule)
        } else {
            // An item without a split has one unnamed source.
            let own = script.fresh("weights");
            let from = table(&Basis::Institution);
            script.say(&format!(
                "CREATE OR REPLACE TABLE {own} AS SELECT \"row\", 0 AS e, [1::HUGEINT] AS w FROM \
                 {from};"
            ));
            own
        };
        let mine: Vec<Item> = list
            .iter()
            .map(|item| Item { place: item.place, rule: Arc::clone(&item.rule) })
            .collect();
        let payable = super::to_date::payable(script, &mine);
        script.say(&format!(
            "UPDATE \"lines\" SET status = 'refused', reason = tu_reason(w.e), amount = 0, fen = 0 \
             FROM {weights} w WHERE w.\"row\" = payee AND w.e <> 0 AND item IN ({}) AND {payable};",
            places(&mine)
        ));
        made.push(Split {
            weights,
            sources: rule.as_ref().map_or_else(
                || vec![Arc::from("")],
                |rule| rule.parts.iter().map(|(source, _)| Arc::clone(source)).collect(),
            ),
            places: mine.iter().map(|item| (item.place, Arc::clone(&item.rule.head.id))).collect(),
            scope: rule.as_ref().map_or(SplitScope::Institution, |rule| rule.scope),
            method: rule.as_ref().map_or(SplitMethod::LargestRemainder, |rule| rule.method),
            quantum: rule.as_ref().map_or(1, |rule| rule.quantum),
        });
    }
    made
}

/// A table of whole weights in lowest terms by institution row: `row`, `e`, `w`.
fn weights(script: &mut Script<'_>, rule: &SplitRule) -> String {
    let parts: Vec<String> = rule
        .parts
        .iter()
        .map(|(_, weight)| script.made("weight", weight, &Basis::Institution, "true"))
        .collect();
    let mut errors = "CASE".to_owned();
    let mut joins = String::new();
    let mut list = Vec::new();
    for (at, own) in parts.iter().enumerate() {
        let _ = write!(
            errors,
            " WHEN (p{at}.x).e <> 0 THEN (p{at}.x).e WHEN (p{at}.x).n IS NULL THEN 2 WHEN \
             (p{at}.x).n < 0 THEN 5"
        );
        let _ = write!(joins, " JOIN {own} p{at} ON p{at}.\"row\" = b.\"row\"");
        list.push(format!("p{at}.x"));
    }
    let zero: Vec<String> = list.iter().map(|part| format!("({part}).n = 0")).collect();
    let _ = write!(errors, " WHEN {} THEN 3 ELSE 0 END", zero.join(" AND "));
    let list = list.join(", ");
    let own = script.fresh("weights");
    let from = table(&Basis::Institution);
    script.say(&format!(
        "CREATE OR REPLACE TABLE {own} AS SELECT \"row\", e, CASE WHEN e = 0 THEN \
         list_transform(s, lambda p: p // g) END AS w\n\
         FROM (SELECT *, tu_gcd(s) AS g FROM (SELECT *, \
         CASE WHEN e = 0 THEN list_transform(p, lambda q: q.n * (l // q.d)) END AS s\n\
         FROM (SELECT *, CASE WHEN e = 0 THEN tu_lcm(list_transform(p, lambda q: q.d)) END AS l\n\
         FROM (SELECT b.\"row\", ({errors})::INTEGER AS e, [{list}] AS p FROM {from} b{joins}))));"
    ));
    own
}

/// SQL of the parts of totals over weights: from a table of (`k`, `total`, `w`), columns `k`, `i`,
/// `part`. What is left below a quantum goes by remainder, or to the residual source.
fn shared(script: &mut Script<'_>, split: &Split, totals: &str) -> String {
    let quantum = split.quantum;
    let parts = script.fresh("parts");
    let residual = match split.method {
        SplitMethod::LargestRemainder => None,
        SplitMethod::ResidualFirst => Some("min"),
        SplitMethod::ResidualLast => Some("max"),
    };
    let more = residual.map_or_else(
        || {
            format!(
                "CASE WHEN rest > 0 THEN greatest(least({quantum}, rem - (nth - 1) * {quantum}), \
                 0) ELSE 0 END"
            )
        },
        |pick| {
            format!(
                "CASE WHEN i = {pick}(i) FILTER (weight > 0) OVER (PARTITION BY k) THEN rem ELSE \
                 0 END"
            )
        },
    );
    script.say(&format!(
        "CREATE OR REPLACE TABLE {parts} AS SELECT k, i, lowest + {more} AS part\n\
         FROM (SELECT *, total - sum(lowest) OVER (PARTITION BY k) AS rem, \
         row_number() OVER (PARTITION BY k ORDER BY rest DESC, i) AS nth\n\
         FROM (SELECT *, total * weight // (whole * {quantum}) * {quantum} AS lowest, \
         total * weight % (whole * {quantum}) AS rest\n\
         FROM (SELECT k, total, tu_total(w) AS whole, unnest(w) AS weight, \
         unnest(range(1, len(w) + 1)) AS i FROM {totals})));"
    ));
    parts
}

/// Splits what the lines are left with.
pub(super) fn split(script: &mut Script<'_>, split: &Split) {
    let list: Vec<String> = split.places.iter().map(|(place, _)| place.to_string()).collect();
    let list = list.join(", ");
    let cells = if split.scope == SplitScope::Line {
        by_line(script, split, &list)
    } else {
        both_margins(script, split, &list)
    };
    let month = text(&script.month.month.to_string());
    let mut items = "CASE c.item".to_owned();
    for (place, id) in &split.places {
        let _ = write!(items, " WHEN {place} THEN {}", text(id));
    }
    items += " END";
    let sources: Vec<String> = split.sources.iter().map(|source| text(source)).collect();
    script.say(&format!(
        "INSERT INTO \"result\" SELECT {month}, n.id, {items}, ([{}])[c.i], c.fen FROM {cells} c \
         JOIN {} n ON n.\"row\" = c.payee;",
        sources.join(", "),
        institutions()
    ));
}

/// Each line by itself: `item`, `payee`, `i`, `fen`.
fn by_line(script: &mut Script<'_>, split: &Split, items: &str) -> String {
    let totals = script.fresh("totals");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {totals} AS SELECT row_number() OVER () AS k, l.item, l.payee, \
         l.fen AS total, w.w FROM \"lines\" l JOIN {} w ON w.\"row\" = l.payee \
         WHERE l.item IN ({items}) AND {LIVE};",
        split.weights
    ));
    let parts = shared(script, split, &totals);
    let cells = script.fresh("cells");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {cells} AS SELECT t.item, t.payee, p.i, sum(p.part) AS fen \
         FROM {parts} p JOIN {totals} t ON t.k = p.k GROUP BY ALL;"
    ));
    cells
}

/// Totals of sources fixed on the group's total; each row gets its floors, and what is left of it
/// goes row by row, one quantum at a time, to the source furthest below its total.
fn both_margins(script: &mut Script<'_>, split: &Split, items: &str) -> String {
    let quantum = split.quantum;
    let (key, order) = match split.scope {
        SplitScope::Settlement => ("w.w::VARCHAR", "n.id, s.payee, s.item"),
        SplitScope::Institution | SplitScope::Line => ("s.payee::VARCHAR", "s.item"),
    };
    let rows = script.fresh("shared rows");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {rows} AS SELECT {key} AS k, row_number() OVER (PARTITION BY \
         {key} \
         ORDER BY {order}) AS place, s.item, s.payee, s.total, w.w\n\
         FROM (SELECT item, payee, sum(fen)::HUGEINT AS total FROM \"lines\" WHERE item IN \
         ({items}) \
         AND status IN ('paid', 'zero') AND amount <> 0 GROUP BY item, payee HAVING sum(fen) <> \
         0) s\n\
         JOIN {} w ON w.\"row\" = s.payee JOIN {} n ON n.\"row\" = s.payee;",
        split.weights,
        institutions()
    ));
    let totals = script.fresh("totals");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {totals} AS SELECT k, sum(total)::HUGEINT AS total, any_value(w) \
         AS w \
         FROM {rows} GROUP BY k;"
    ));
    let parts = shared(script, split, &totals);
    let floors = script.fresh("floors");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {floors} AS SELECT k, place, item, payee, total, i, \
         total * weight // (whole * {quantum}) * {quantum} AS fen\n\
         FROM (SELECT *, tu_total(w) AS whole, unnest(w) AS weight, unnest(range(1, len(w) + 1)) \
         AS i FROM {rows});"
    ));
    let below = script.fresh("below");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {below} AS SELECT k, list(part - given ORDER BY i) AS below \
         FROM (SELECT p.k, p.i, p.part, sum(f.fen)::HUGEINT AS given FROM {parts} p JOIN {floors} \
         f \
         ON f.k = p.k AND f.i = p.i GROUP BY p.k, p.i, p.part) GROUP BY k;"
    ));
    let open = script.fresh("open");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {open} AS SELECT k, place, rem, row_number() OVER (PARTITION BY \
         k ORDER BY place) AS nth \
         FROM (SELECT k, place, any_value(total) - sum(fen) AS rem FROM {floors} GROUP BY k, \
         place) WHERE rem > 0;"
    ));
    let cells = script.fresh("cells");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {cells} AS WITH RECURSIVE walk(k, nth, place, rem, below, pos, \
         give) AS (\n\
         SELECT o.k, o.nth, o.place, o.rem::HUGEINT, b.below, 0::BIGINT, 0::HUGEINT FROM {open} o \
         JOIN {below} b ON b.k = o.k WHERE o.nth = 1\n\
         UNION ALL\n\
         SELECT s.k, CASE WHEN s.rem > s.give THEN s.nth ELSE o.nth END, CASE WHEN s.rem > s.give \
         THEN s.place ELSE o.place END,\n\
         (CASE WHEN s.rem > s.give THEN s.rem - s.give ELSE o.rem END)::HUGEINT,\n\
         list_transform(s.below, lambda p, i: CASE WHEN i = s.pos THEN p - s.give ELSE p END), \
         0::BIGINT, 0::HUGEINT\n\
         FROM (SELECT * REPLACE (list_position(below, list_max(below))::BIGINT AS pos, \
         least(rem, {quantum}, list_max(below))::HUGEINT AS give) FROM walk) s\n\
         LEFT JOIN {open} o ON o.k = s.k AND o.nth = s.nth + 1\n\
         WHERE s.give > 0 AND (s.rem > s.give OR o.nth IS NOT NULL))\n\
         SELECT item, payee, i, sum(fen)::HUGEINT AS fen FROM (SELECT item, payee, i, fen FROM \
         {floors}\n\
         UNION ALL SELECT f.item, f.payee, f.i, least(v.rem, {quantum}, \
         list_max(v.below))::HUGEINT FROM walk v \
         JOIN {floors} f ON f.k = v.k AND f.place = v.place AND f.i = list_position(v.below, \
         list_max(v.below)))\n\
         GROUP BY ALL;"
    ));
    cells
}
