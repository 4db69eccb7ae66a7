//! The budget step: who bears it when the money does not reach (S8, S25).

use super::allocation::{LIVE, Outcome, borne, leave, refuse};
use super::order;
use super::payees;
use super::script::{Script, table, text};
use super::split::Split;
use crate::domain::Basis;
use crate::law::{ShortageMethod, ShortageRule};
use std::sync::Arc;

/// The tables of what is carried to the next period: before the split, and by source.
pub(super) const CARRIED: &str = "CREATE OR REPLACE TABLE \"carried needs\" (item INTEGER, payee \
    BIGINT, fen HUGEINT);\nCREATE OR REPLACE TABLE \"carried\" (item INTEGER, payee BIGINT, source \
    VARCHAR, fen HUGEINT);";

/// A shortage with the table of its bounds: `source` (null for the whole need), `bound`, `fen`.
pub(super) struct Short {
    rule: Arc<ShortageRule>,
    bounds: String,
}

impl Short {
    /// Whether it bounds the need before the split.
    pub(super) fn whole_need(&self) -> bool {
        self.rule.limit.is_some() && self.rule.sources.is_empty()
    }

    /// Whether what it takes comes in the next period.
    fn carries(&self) -> bool {
        matches!(self.rule.method, ShortageMethod::Carry(_))
    }
}

/// The bounds of all shortages. A limit without a value refuses every line it would bound.
pub(super) fn bound(
    script: &mut Script<'_>,
    rules: &[Arc<ShortageRule>],
    splits: &[Split],
) -> Vec<Short> {
    let mut bounded = Vec::with_capacity(rules.len());
    for rule in rules {
        script.head("shortage", &rule.head);
        let named: Vec<String> = rule.sources.iter().map(|source| text(source)).collect();
        let bounds = script.fresh("bounds");
        if let Some(limit) = &rule.limit {
            script.note("What there is: the limit, floored to the fen.");
            let own = script.made("limit", limit, &Basis::Programme, "true");
            let under = splits.iter().filter(|split| {
                rule.sources.is_empty() || rule.sources.iter().any(|source| split.pays_from(source))
            });
            let places: Vec<String> =
                under.flat_map(Split::items).map(ToString::to_string).collect();
            if !places.is_empty() {
                let error = format!("(SELECT (x).e FROM {own} WHERE (x).e <> 0)");
                script.say(&refuse(
                    &format!("tu_reason({error})"),
                    &format!("item IN ({}) AND EXISTS {error}", places.join(", ")),
                ));
            }
            let sources = if named.is_empty() {
                "[NULL::VARCHAR]".to_owned()
            } else {
                format!("list_distinct([{}])", named.join(", "))
            };
            script.say(&format!(
                "CREATE OR REPLACE TABLE {bounds} AS SELECT unnest({sources}) AS source, 1 AS \
                 bound, greatest(tu_down((x).n, (x).d), 0) AS fen FROM {own} WHERE (x).e = 0 AND \
                 (x).n IS NOT NULL;"
            ));
        } else {
            script.note("What there is: the balance of each source; one without balance is free.");
            let only = if named.is_empty() {
                "true".to_owned()
            } else {
                format!("source IN ({})", named.join(", "))
            };
            script.say(&format!(
                "CREATE OR REPLACE TABLE {bounds} AS SELECT source, row_number() OVER (ORDER BY \
                 source) AS bound, greatest(sum(balance), 0)::HUGEINT AS fen FROM \"budget\" \
                 WHERE {only} GROUP BY source;"
            ));
        }
        bounded.push(Short { rule: Arc::clone(rule), bounds });
    }
    bounded
}

/// A shortage over the whole need: claims are the needs of (institution, item), before the split.
pub(super) fn cut_needs(script: &mut Script<'_>, short: &Short, items: &str) {
    script.head("shortage", &short.rule.head);
    script.note("Claims: what each institution is to be paid of each item, where above zero.");
    let claims = script.fresh("claims");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {claims} AS SELECT l.payee, l.item, 0 AS i, b.bound, l.fen\n\
         FROM (SELECT payee, item, sum(fen) AS fen FROM \"lines\" WHERE item IN ({items}) AND \
         status IN ('paid', 'zero') AND amount <> 0 GROUP BY payee, item HAVING sum(fen) > 0) l\n\
         CROSS JOIN {} b;",
        short.bounds
    ));
    let cuts = cut(script, short, &claims);
    cut_lines(script, short, &cuts);
    if short.carries() {
        script.say(&format!(
            "INSERT INTO \"carried needs\" SELECT item, payee, sum(cut) FROM {cuts} GROUP BY ALL;"
        ));
    }
}

/// A shortage bound to sources: claims are the cells of the split; other sources pay in full.
pub(super) fn cut_sources(script: &mut Script<'_>, short: &Short) {
    script.head("shortage", &short.rule.head);
    script.note("Claims: the cells of the split above zero, each with the bound of its source.");
    let claims = script.fresh("claims");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {claims} AS SELECT c.payee, c.item, c.i, b.bound, c.fen FROM \
         \"cells\" c LEFT JOIN {} b ON b.source = c.source WHERE c.fen > 0;",
        short.bounds
    ));
    let cuts = cut(script, short, &claims);
    cut_lines(script, short, &cuts);
    if short.carries() {
        script.say(&format!(
            "INSERT INTO \"carried\" SELECT w.item, w.payee, c.source, w.cut FROM {cuts} w JOIN \
             \"cells\" c ON c.payee = w.payee AND c.item = w.item AND c.i = w.i;"
        ));
    }
    script.note("The cells themselves.");
    script.say(&format!(
        "UPDATE \"cells\" SET fen = \"cells\".fen - w.cut FROM {cuts} w WHERE w.payee = \
         \"cells\".payee AND w.item = \"cells\".item AND w.i = \"cells\".i;"
    ));
}

/// A table of what each claim loses: `payee`, `item`, `i`, `cut`.
fn cut(script: &mut Script<'_>, short: &Short, claims: &str) -> String {
    let place = "(SELECT n.place FROM \"institutions\" n WHERE n.\"row\" = payee)";
    let tie = format!("{place}, item, i");
    let bounds = &short.bounds;
    let query = match &short.rule.method {
        ShortageMethod::ProRata => {
            script.note("All claims under a bound bear what is missing, by largest remainder.");
            borne(
                &format!(
                    "(SELECT c.*, c.fen AS weight, c.bound AS k, sum(c.fen) OVER (PARTITION BY \
                     c.bound) - b.fen AS cut FROM {claims} c JOIN {bounds_of} b ON b.bound = \
                     c.bound)",
                    bounds_of = limits(bounds)
                ),
                &tie,
            )
        }
        ShortageMethod::Queue(_) => {
            let queue = queue(script, short, claims);
            script.note("In order each takes what is left; the one at the edge shares it out.");
            borne(
                &format!(
                    "(SELECT c.*, c.fen AS weight, {{'b': c.bound, 'p': c.payee}} AS k, n.need - \
                     n.rest AS cut FROM {claims} c\n\
                     JOIN (SELECT s.bound, s.payee, s.need, greatest(b.fen - \
                     coalesce(sum(s.need) OVER (PARTITION BY s.bound ORDER BY s.nth ROWS BETWEEN \
                     UNBOUNDED PRECEDING AND 1 PRECEDING), 0), 0) AS rest\n\
                     FROM (SELECT c.bound, c.payee, q.nth, sum(c.fen) AS need FROM {claims} c \
                     JOIN {queue} q ON q.payee = c.payee GROUP BY ALL) s JOIN {bounds_of} b ON \
                     b.bound = s.bound) n\n\
                     ON n.bound = c.bound AND n.payee = c.payee)",
                    bounds_of = limits(bounds)
                ),
                &tie,
            )
        }
        ShortageMethod::Carry(_) => {
            let fits = carried(script, short, claims);
            format!(
                "SELECT c.*, c.fen AS borne FROM {claims} c JOIN {fits} f ON f.payee = c.payee \
                 WHERE NOT f.fits"
            )
        }
    };
    let cuts = script.fresh("cuts");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {cuts} AS SELECT payee, item, i, borne::HUGEINT AS cut FROM \
         ({query}) WHERE borne > 0;"
    ));
    cuts
}

/// SQL of the fen of each bound.
fn limits(bounds: &str) -> String {
    format!("(SELECT DISTINCT bound, fen FROM {bounds})")
}

/// A table of institutions with claims in the order they are served: `payee`, `nth`.
fn queue(script: &mut Script<'_>, short: &Short, claims: &str) -> String {
    let basis = Basis::Institution;
    let order = order::stated(script, &basis, order::of_method(&short.rule.method));
    let others = payees::served_last(script, claims);
    let (last, by_last) = if others.is_empty() { ("", "") } else { (", false AS last", "last, ") };
    script.note("Institutions with claims in the order they are served.");
    let queue = script.fresh("queue");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {queue} AS SELECT \"row\" AS payee, row_number() OVER (ORDER BY \
         {by_last}{}place) AS nth\n\
         FROM (SELECT b.\"row\", n.place{}{last} FROM {} b JOIN \"institutions\" n ON n.\"row\" = \
         b.\"row\"{} WHERE b.\"row\" IN (SELECT payee FROM {claims}){others});",
        order.by_columns(),
        order.columns(),
        table(&basis),
        order.joins
    ));
    queue
}

/// A table of institutions and whether what they need fits into what those before them left.
fn carried(script: &mut Script<'_>, short: &Short, claims: &str) -> String {
    let queue = queue(script, short, claims);
    let bounds = limits(&short.bounds);
    script.note("What each of them needs under each bound.");
    let needs = script.fresh("needs");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {needs} AS SELECT q.payee, q.nth, list(coalesce(c.need, \
         0)::HUGEINT ORDER BY b.bound) AS needs FROM {queue} q CROSS JOIN {bounds} b\n\
         LEFT JOIN (SELECT payee, bound, sum(fen) AS need FROM {claims} GROUP BY ALL) c ON \
         c.payee = q.payee AND c.bound = b.bound GROUP BY q.payee, q.nth;"
    ));
    script.note("One that does not fit whole is carried; those behind it are served if they fit.");
    let fits = script.fresh("fits");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {fits} AS WITH RECURSIVE walk(nth, payee, fits, rest) AS (\n\
         SELECT 0::BIGINT, NULL::BIGINT, true, (SELECT list(fen::HUGEINT \
         ORDER BY bound) FROM {bounds})\n\
         UNION ALL\n\
         SELECT s.nth, s.payee, list_min(s.after) >= 0, CASE WHEN list_min(s.after) >= 0 THEN \
         s.after ELSE s.rest END\n\
         FROM (SELECT n.nth, n.payee, w.rest, list_transform(w.rest, lambda p, i: p - \
         n.needs[i]) AS after FROM walk w JOIN {needs} n ON n.nth = w.nth + 1) s)\n\
         SELECT payee, fits FROM walk WHERE payee IS NOT NULL;"
    ));
    fits
}

/// The lines bear what their (institution, item) loses, by largest remainder.
fn cut_lines(script: &mut Script<'_>, short: &Short, cuts: &str) {
    script.note("The lines of an institution and item bear its cut, by largest remainder.");
    let kept = script.fresh("kept");
    let from = format!(
        "(SELECT l.item, l.\"row\", l.fen, t.tie, greatest(l.fen, 0) AS weight, {{'p': l.payee, \
         'i': l.item}} AS k, w.cut FROM \"lines\" l\n\
         JOIN (SELECT payee, item, sum(cut) AS cut FROM {cuts} GROUP BY payee, item) w ON w.payee \
         = l.payee AND w.item = l.item\n\
         JOIN \"ties\" t ON t.item = l.item AND t.\"row\" = l.\"row\" WHERE l.{LIVE})"
    );
    script.say(&format!(
        "CREATE OR REPLACE TABLE {kept} AS SELECT item, \"row\", (fen - borne)::HUGEINT AS fen \
         FROM ({});",
        borne(&from, "tie, fen DESC, \"row\"")
    ));
    let outcome = match short.rule.method {
        ShortageMethod::Carry(_) => Outcome::Carried,
        ShortageMethod::ProRata | ShortageMethod::Queue(_) => Outcome::Short,
    };
    script.say(&leave(&kept, outcome));
}
