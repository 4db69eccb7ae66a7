//! Items due to date: the total of each row less what was paid of it before (S26), in instalments,
//! less other items, and taken back no further than what was paid.

use super::allocation::{Item, LIVE};
use super::history::{Asked, as_paid, fixed, keys, lines_before};
use super::script::{Script, table as facts, text};
use crate::domain::Basis;
use crate::history::Counted;
use crate::law::{PartRule, ToDateRule, Window};
use std::sync::Arc;

/// The table of what is due of an item: `row`, `due`, `instalments`.
pub(super) fn table(place: usize) -> String {
    fixed("due to date", place)
}

/// The condition for a line that has a total, which may be nothing.
fn total(script: &Script<'_>, item: &Item) -> String {
    let (place, id) = (item.place, &item.rule.head.id);
    let Some(own) = script.items.get(id) else { return "false".to_owned() };
    format!(
        "(\"lines\".item = {place} AND (\"lines\".status = 'paid' OR (\"lines\".status = 'zero' \
         AND \
         \"lines\".\"row\" IN (SELECT t.\"row\" FROM {own} t WHERE t.eligible))))"
    )
}

/// The condition for a line that may yet be paid something or owe it.
pub(super) fn payable(script: &Script<'_>, items: &[Item]) -> String {
    let mut any = vec![format!("({LIVE})")];
    any.extend(items.iter().filter(|item| item.rule.to_date.is_some()).map(|i| total(script, i)));
    format!("({})", any.join(" OR "))
}

/// Turns totals to date into what is due now: items that deduct others after them, items that take
/// others back last.
pub(super) fn settle(script: &mut Script<'_>, items: &[Item]) {
    let of = |item: &&Item| item.rule.to_date.is_some() && script.tables.contains(&item.rule.basis);
    let mut due: Vec<&Item> = items.iter().filter(of).collect();
    due.sort_by_key(|item| {
        let of = |test: fn(&ToDateRule) -> bool| item.rule.to_date.as_ref().is_some_and(test);
        ([of(|of| of.recovers.is_some()), of(|of| !of.less.is_empty())], item.place)
    });
    for item in due {
        if let Some(to_date) = &item.rule.to_date {
            one(script, items, item, to_date);
        }
    }
}

/// Takes the money from the lines of an item that a condition names.
fn refuse(script: &mut Script<'_>, place: usize, reason: &str, condition: &str) {
    script.say(&format!(
        "UPDATE \"lines\" SET status = 'refused', reason = {reason}, amount = 0, fen = 0 WHERE \
         item \
         = {place} AND {condition};"
    ));
}

fn one(script: &mut Script<'_>, items: &[Item], item: &Item, to_date: &ToDateRule) {
    let (place, rule) = (item.place, &item.rule);
    let basis = &rule.basis;
    let id = &rule.head.id;
    script.note(&format!("{id}: the total to date less what was paid of it before (S26)."));
    let Some(keys) = keys(script, basis, false) else { return };
    let parts = parts_due(script, item, to_date);
    let total = total(script, item);
    let alike = script.fresh("rows by key");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {alike} AS SELECT r.\"row\", r.k, count(*) OVER (PARTITION BY \
         r.k) \
         AS rows_alike FROM {keys} r WHERE r.\"row\" IN (SELECT \"row\" FROM \"lines\" WHERE {total});"
    ));
    if !to_date.parts.is_empty() {
        let many = format!("\"row\" IN (SELECT \"row\" FROM {alike} WHERE rows_alike > 1)");
        refuse(script, place, "'rows_alike'", &many);
    }
    let settled = settled(script, item, &keys);
    let cut = instalments(script, &total, to_date, &parts, (&alike, &settled));
    let queue = queue(script, place, &total, &alike, &cut);
    let before = before(script, items, item, to_date, &keys);
    walk(script, place, &queue, &before, to_date.recovers.is_some());
    let due = table(place);
    script.say(&format!(
        "UPDATE \"lines\" SET amount = d.due, fen = d.due, status = CASE WHEN d.due <> 0 THEN \
         'paid' \
         WHEN status = 'paid' THEN 'zero' ELSE status END, reason = CASE WHEN d.due <> 0 THEN '' \
         WHEN \
         status = 'paid' THEN 'nothing_due' ELSE reason END\n\
         FROM {due} d WHERE d.\"row\" = \"lines\".\"row\" AND item = {place};"
    ));
}

/// Tables of whether each part is due on a row; a row whose condition has no value is refused.
fn parts_due(script: &mut Script<'_>, item: &Item, to_date: &ToDateRule) -> Vec<String> {
    let mut tables = Vec::new();
    for part in &to_date.parts {
        let rows =
            format!("b.\"row\" IN (SELECT \"row\" FROM \"lines\" WHERE {})", total(script, item));
        let own = script.made("part due", &part.when, &item.rule.basis, &rows);
        let error = format!("(SELECT (m.x).e FROM {own} m WHERE m.\"row\" = \"lines\".\"row\")");
        let broken = format!("\"row\" IN (SELECT \"row\" FROM {own} WHERE (x).e <> 0)");
        refuse(script, item.place, &format!("tu_reason({error})"), &broken);
        tables.push(own);
    }
    tables
}

/// The lines that closed instalments of an item before, by key.
fn settled(script: &mut Script<'_>, item: &Item, keys: &str) -> String {
    let Some(to_date) = &item.rule.to_date else { return String::new() };
    let items = [Arc::clone(&item.rule.head.id)];
    let asked = Asked { items: &items, window: to_date.window, counted: Counted::Capped };
    lines_before(script, (&item.rule.basis, false), keys, &asked)
}

/// Weights of the parts as whole numbers.
fn weights(parts: &[PartRule]) -> Vec<i128> {
    let shares: Vec<_> = parts.iter().map(|part| part.share.reduced()).collect();
    let gcd = |mut a: i128, mut b: i128| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let den = shares.iter().fold(1, |den, of| den / gcd(den, of.den) * of.den);
    shares.iter().map(|of| of.num * (den / of.den)).collect()
}

/// The table of what is due of the total before anything is deducted: `row`, `target`, `only_more`
/// (nothing is taken back while parts are open), `nothing`, `instalments` (those closed now).
fn instalments(
    script: &mut Script<'_>,
    total: &str,
    to_date: &ToDateRule,
    due: &[String],
    (alike, settled): (&str, &str),
) -> String {
    let own = script.fresh("target");
    if to_date.parts.is_empty() {
        script.say(&format!(
            "CREATE OR REPLACE TABLE {own} AS SELECT \"row\", fen AS target, false AS only_more, \
             false AS nothing, '' AS instalments FROM \"lines\" WHERE {total};"
        ));
        return own;
    }
    let weights: Vec<String> =
        weights(&to_date.parts).iter().map(|weight| format!("{weight}::HUGEINT")).collect();
    let holds: Vec<String> = due
        .iter()
        .map(|own| {
            format!(
                "coalesce((SELECT (m.x).v FROM {own} m WHERE m.\"row\" = l.\"row\" AND (m.x).e = \
                 0), \
                 false)"
            )
        })
        .collect();
    script
        .note("The total in its parts, by largest remainder; which are due now, which were paid.");
    let cut = script.fresh("instalments");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {cut} AS SELECT \"row\", i, sign(fen) * (part + CASE WHEN nth <= \
         abs(fen) - sum(part) OVER (PARTITION BY \"row\") THEN 1 ELSE 0 END) AS part, due, \
         settled\n\
         FROM (SELECT *, row_number() OVER (PARTITION BY \"row\" ORDER BY rest DESC, i) AS nth\n\
         FROM (SELECT *, abs(fen) * weight // whole AS part, abs(fen) * weight % whole AS rest\n\
         FROM (SELECT l.\"row\", l.fen, unnest([{}]) AS weight, tu_total([{}]) AS whole, \
         unnest([{}]) AS due, unnest(range(1, {})) AS i, coalesce(s.parts, []::VARCHAR[]) AS \
         parts, \
         list_contains(parts, i::VARCHAR) AS settled\n\
         FROM (SELECT \"row\", fen FROM \"lines\" WHERE {total}) l JOIN {alike} a ON a.\"row\" = \
         l.\"row\" LEFT JOIN (SELECT k, flatten(list(string_split(instalments, ' '))) AS parts \
         FROM \
         {settled} GROUP BY k) s ON s.k = a.k)));",
        weights.join(", "),
        weights.join(", "),
        holds.join(", "),
        weights.len() + 1
    ));
    script.say(&format!(
        "CREATE OR REPLACE TABLE {own} AS SELECT \"row\", coalesce(sum(part) FILTER (due OR \
         settled), \
         0) AS target, NOT bool_and(due OR settled) AS only_more, NOT bool_or(due AND NOT settled) \
         AND NOT bool_and(due OR settled) AS nothing, coalesce(string_agg(i::VARCHAR, ' ' ORDER \
         BY i) \
         FILTER (due AND NOT settled), '') AS instalments FROM {cut} GROUP BY \"row\";"
    ));
    own
}

/// The rows in the order in which rows alike bear what was paid before.
fn queue(script: &mut Script<'_>, place: usize, total: &str, alike: &str, target: &str) -> String {
    let own = script.fresh("queue");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {own} AS SELECT l.\"row\", a.k, l.fen AS total, t.target, \
         t.only_more, t.nothing, t.instalments, row_number() OVER (PARTITION BY a.k ORDER BY \
         o.tie, \
         l.fen DESC, l.\"row\") AS nth, count(*) OVER (PARTITION BY a.k) AS many\n\
         FROM (SELECT \"row\", fen FROM \"lines\" WHERE {total}) l JOIN {alike} a ON a.\"row\" = \
         l.\"row\" JOIN {target} t ON t.\"row\" = l.\"row\" JOIN \"ties\" o ON o.item = {place} \
         AND \
         o.\"row\" = l.\"row\";"
    ));
    own
}

/// What was paid before by key: `k`, `own`, `less`, `given`, `back`.
fn before(
    script: &mut Script<'_>,
    items: &[Item],
    item: &Item,
    to_date: &ToDateRule,
    keys: &str,
) -> String {
    let basis = &item.rule.basis;
    let own_id = [Arc::clone(&item.rule.head.id)];
    let counted = if to_date.restore { Counted::Allocated } else { Counted::Capped };
    let mut sums: Vec<String> = Vec::new();
    let mut add = |script: &mut Script<'_>, ids: &[Arc<str>], window, counted, column: &str| {
        let asked = Asked { items: ids, window, counted };
        let lines = lines_before(script, (basis, false), keys, &asked);
        sums.push(format!("SELECT k, '{column}' AS what, fen FROM {lines}"));
    };
    add(script, &own_id, to_date.window, counted, "own");
    if !to_date.less.is_empty() {
        add(script, &to_date.less, to_date.window, counted, "less");
    }
    let recovers: Vec<Arc<str>> = to_date.recovers.iter().cloned().collect();
    if !recovers.is_empty() {
        let paid = as_paid(script);
        add(script, &recovers, Window::Life, paid, "given");
        add(script, &own_id, Window::Life, paid, "back");
    }
    // What this very month allocates of them counts as well: of what is taken back, only what the
    // item itself takes back.
    sums.extend(this_month(script, items, &to_date.less, basis, keys, ("less", "l.fen")));
    sums.extend(this_month(script, items, &recovers, basis, keys, ("given", "least(l.fen, 0)")));
    let own = script.fresh("paid to date");
    let sum =
        |what: &str| format!("coalesce(sum(fen) FILTER (what = '{what}'), 0)::HUGEINT AS {what}");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {own} AS SELECT k, {}, {}, {}, {} FROM ({}) GROUP BY k;",
        sum("own"),
        sum("less"),
        sum("given"),
        sum("back"),
        sums.join("\nUNION ALL ")
    ));
    own
}

/// The lines of some items in the month at hand, by the key of the rows of a basis they belong to.
fn this_month(
    script: &Script<'_>,
    items: &[Item],
    ids: &[Arc<str>],
    basis: &Basis,
    keys: &str,
    (what, fen): (&str, &str),
) -> Vec<String> {
    let wanted =
        |item: &&Item| ids.contains(&item.rule.head.id) && script.tables.contains(&item.rule.basis);
    let lines = items.iter().filter(wanted).map(|item| {
        let owner = script.parent(&item.rule.basis, basis, true);
        format!(
            "SELECT r.k, {} AS what, {fen} FROM \"lines\" l JOIN {} b ON b.\"row\" = l.\"row\" \
             JOIN \
             {keys} r ON r.\"row\" = {owner} WHERE l.item = {} AND l.status = 'paid' AND l.fen <> 0",
            text(what),
            facts(&item.rule.basis),
            item.place
        )
    });
    lines.collect()
}

/// Settles rows that share what was paid before: each bears it down to nothing, the last the rest.
fn walk(script: &mut Script<'_>, place: usize, queue: &str, before: &str, recovers: bool) {
    let owned = table(place);
    let bounded = if recovers {
        // At most what was paid less what was taken back is taken back, at most that given back.
        "least(greatest(asked, -greatest(given - (taken - back), 0)), greatest(taken - back, 0))"
    } else {
        "asked"
    };
    script.say(&format!(
        "CREATE OR REPLACE TABLE {owned} AS WITH RECURSIVE walk(k, nth, \"row\", due, instalments, \
         own, less, given, back, taken) AS (\n\
         SELECT q.k, 0::BIGINT, NULL::BIGINT, 0::HUGEINT, '', coalesce(p.own, 0)::HUGEINT, \
         coalesce(p.less, 0)::HUGEINT, coalesce(p.given, 0)::HUGEINT, coalesce(p.back, \
         0)::HUGEINT, \
         0::HUGEINT FROM (SELECT DISTINCT k FROM {queue}) q LEFT JOIN {before} p ON p.k = q.k\n\
         UNION ALL\n\
         SELECT k, nth, \"row\", due::HUGEINT, instalments, (own - own_share)::HUGEINT, (less - \
         less_share)::HUGEINT, given, back, (taken - due)::HUGEINT\n\
         FROM (SELECT *, {bounded} AS due\n\
         FROM (SELECT *, CASE WHEN nothing THEN 0 WHEN only_more THEN greatest(target - \
         own_share - \
         less_share, 0) ELSE target - own_share - less_share END AS asked\n\
         FROM (SELECT *, CASE WHEN nth = many THEN less ELSE least(less, greatest(total - \
         own_share, \
         0)) END AS less_share\n\
         FROM (SELECT w.k, q.nth, q.\"row\", q.total, q.target, q.only_more, q.nothing, \
         q.instalments, q.many, w.own, w.less, w.given, w.back, w.taken, CASE WHEN q.nth = q.many \
         THEN w.own ELSE least(w.own, greatest(q.total, 0)) END AS own_share\n\
         FROM walk w JOIN {queue} q ON q.k = w.k AND q.nth = w.nth + 1)))))\n\
         SELECT \"row\", due, instalments FROM walk WHERE nth > 0;"
    ));
}
