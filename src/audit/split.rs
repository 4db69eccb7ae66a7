//! The funding split (S13): by line, by institution or over the settlement, both margins exact.

use super::allocation::{Item, LIVE, places};
use super::payees;
use super::script::{Script, table, text};
use crate::domain::Basis;
use crate::law::{ShortageMethod, ShortageRule, SplitMethod, SplitRule, SplitScope};
use std::fmt::Write as _;
use std::sync::Arc;

/// A split in use: its weights by institution row and the items it funds.
pub(super) struct Split {
    weights: String,
    sources: Vec<Arc<str>>,
    places: Vec<usize>,
    scope: SplitScope,
    method: SplitMethod,
    quantum: i64,
}

impl Split {
    /// Places of the items it funds.
    pub(super) fn items(&self) -> &[usize] {
        &self.places
    }

    /// Whether a source has a part in it.
    pub(super) fn pays_from(&self, source: &str) -> bool {
        self.sources.iter().any(|own| **own == *source)
    }
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
            script.head("split", &rule.head);
            script.note("Weights of the sources, as whole numbers, for each institution.");
            let own = weights(script, rule, &Basis::Institution);
            let mut reads = rule.parts.iter().flat_map(|(_, weight)| weight.reads());
            let of_all = reads.all(|(basis, _)| basis == Basis::Programme);
            if of_all && payees::are_named(script) {
                let of_all = weights(script, rule, &Basis::Programme);
                payees::weights(script, &own, Some(&of_all));
            }
            own
        } else {
            // An item without a split has one unnamed source.
            let own = script.fresh("weights");
            let from = table(&Basis::Institution);
            script.say(&format!(
                "CREATE OR REPLACE TABLE {own} AS SELECT \"row\", 0 AS e, [1::HUGEINT] AS w FROM \
                 {from};"
            ));
            if payees::are_named(script) {
                payees::weights(script, &own, None);
            }
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
            places: mine.iter().map(|item| item.place).collect(),
            scope: rule.as_ref().map_or(SplitScope::Institution, |rule| rule.scope),
            method: rule.as_ref().map_or(SplitMethod::LargestRemainder, |rule| rule.method),
            quantum: rule.as_ref().map_or(1, |rule| rule.quantum),
        });
    }
    made
}

/// A table of whole weights in lowest terms by row of a basis: `row`, `e`, `w`.
fn weights(script: &mut Script<'_>, rule: &SplitRule, basis: &Basis) -> String {
    let parts: Vec<String> =
        rule.parts.iter().map(|(_, weight)| script.made("weight", weight, basis, "true")).collect();
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
    let from = table(basis);
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
/// `part`. What is left below a quantum goes by remainder, or to the residual source; what is owed
/// is shared like what is paid.
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
        "CREATE OR REPLACE TABLE {parts} AS SELECT k, i, ((lowest + {more}) * sg)::HUGEINT AS \
         part\n\
         FROM (SELECT *, size - sum(lowest) OVER (PARTITION BY k) AS rem, \
         row_number() OVER (PARTITION BY k ORDER BY rest DESC, i) AS nth\n\
         FROM (SELECT *, size * weight // (whole * {quantum}) * {quantum} AS lowest, \
         size * weight % (whole * {quantum}) AS rest\n\
         FROM (SELECT k, abs(total) AS size, CASE WHEN total < 0 THEN -1 ELSE 1 END AS sg, \
         tu_total(w) AS whole, unnest(w) AS weight, \
         unnest(range(1, len(w) + 1)) AS i FROM {totals})));"
    ));
    parts
}

/// Splits what the lines are left with into the table `cells`.
pub(super) fn split(script: &mut Script<'_>, split: &Split) {
    let list: Vec<String> = split.places.iter().map(ToString::to_string).collect();
    let list = list.join(", ");
    let named: Vec<&str> = split.sources.iter().map(|source| &**source).collect();
    script.note(&format!("What is left of the items {list} over the sources {}.", named.join(" ")));
    let cells = if split.scope == SplitScope::Line {
        by_line(script, split, &list)
    } else {
        both_margins(script, split, &list)
    };
    let sources: Vec<String> = split.sources.iter().map(|source| text(source)).collect();
    script.say(&format!(
        "INSERT INTO \"cells\" SELECT c.item, c.payee, c.i, ([{}])[c.i], c.fen FROM {cells} c;",
        sources.join(", ")
    ));
}

/// What a shortage carries before the split, over the sources of each institution and item.
pub(super) fn carried(script: &mut Script<'_>, split: &Split) {
    let law = script.month.law.segments.first();
    let carries = |rule: &Arc<ShortageRule>| matches!(rule.method, ShortageMethod::Carry(_));
    if script.closed || !law.is_some_and(|law| law.shortages.iter().any(carries)) {
        return;
    }
    let list: Vec<String> = split.places.iter().map(ToString::to_string).collect();
    script.note("What is carried to the next period, by source.");
    let totals = script.fresh("carried totals");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {totals} AS SELECT row_number() OVER () AS k, c.item, c.payee, \
         c.fen AS total, w.w FROM (SELECT item, payee, sum(fen)::HUGEINT AS fen FROM \"carried \
         needs\" WHERE item IN ({}) GROUP BY ALL) c JOIN {} w ON w.\"row\" = c.payee;",
        list.join(", "),
        split.weights
    ));
    let parts = shared(script, split, &totals);
    let sources: Vec<String> = split.sources.iter().map(|source| text(source)).collect();
    script.say(&format!(
        "INSERT INTO \"carried\" SELECT t.item, t.payee, ([{}])[p.i], p.part FROM {parts} p JOIN \
         {totals} t ON t.k = p.k;",
        sources.join(", ")
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
        SplitScope::Settlement => ("w.w::VARCHAR", "n.place, s.item"),
        SplitScope::Institution | SplitScope::Line => ("s.payee::VARCHAR", "s.item"),
    };
    script.note("The (institution, item) sums that share totals of sources, in order.");
    let rows = script.fresh("shared rows");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {rows} AS SELECT {key} AS k, row_number() OVER (PARTITION BY \
         {key} \
         ORDER BY {order}) AS place, s.item, s.payee, s.total, w.w\n\
         FROM (SELECT item, payee, sum(fen)::HUGEINT AS total FROM \"lines\" WHERE item IN \
         ({items}) \
         AND status IN ('paid', 'zero') AND amount <> 0 GROUP BY item, payee HAVING sum(amount) <> \
         0 OR sum(fen) <> 0) s\n\
         JOIN {} w ON w.\"row\" = s.payee JOIN \"institutions\" n ON n.\"row\" = s.payee;",
        split.weights
    ));
    script.note("Their total, and the part of each source in it.");
    let totals = script.fresh("totals");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {totals} AS SELECT k, sum(total)::HUGEINT AS total, any_value(w) \
         AS w \
         FROM {rows} GROUP BY k;"
    ));
    let parts = shared(script, split, &totals);
    script.note("Each sum by source, floored; how far each source is below its part then.");
    let floors = script.fresh("floors");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {floors} AS SELECT k, place, item, payee, total, i, \
         tu_down(total * weight, whole * {quantum}) * {quantum} AS fen\n\
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
    script
        .note("What is left of each sum goes, sum by sum, to the source furthest below its part.");
    let open = script.fresh("open");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {open} AS SELECT k, place, rem, row_number() OVER (PARTITION BY \
         k ORDER BY place) AS nth \
         FROM (SELECT k, place, any_value(total) - sum(fen) AS rem FROM {floors} GROUP BY k, \
         place) WHERE rem > 0;"
    ));
    let given = script.fresh("given");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {given} AS WITH RECURSIVE walk(k, nth, place, rem, below, pos, \
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
         SELECT k, place, item, payee, i, sum(fen)::HUGEINT AS fen FROM (SELECT k, place, item, \
         payee, i, fen FROM {floors}\n\
         UNION ALL SELECT f.k, f.place, f.item, f.payee, f.i, least(v.rem, {quantum}, \
         list_max(v.below))::HUGEINT FROM walk v \
         JOIN {floors} f ON f.k = v.k AND f.place = v.place AND f.i = list_position(v.below, \
         list_max(v.below)))\n\
         GROUP BY ALL;"
    ));
    script.note(
        "Beside what is owed a source may still be off its part: the first sum evens it out.",
    );
    let cells = script.fresh("cells");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {cells} AS SELECT g.item, g.payee, g.i, g.fen + (CASE WHEN \
         g.place = 1 THEN p.part - sum(g.fen) OVER (PARTITION BY g.k, g.i) ELSE 0 END) AS fen \
         FROM {given} g JOIN {parts} p ON p.k = g.k AND p.i = g.i;"
    ));
    cells
}
