//! What earlier months paid on the same row: sums over a window, and what they leave of a cap.

use super::allocation::{Item, LIVE};
use super::past::earlier;
use super::script::{Kind, Script, name, table, text};
use crate::domain::Basis;
use crate::history::{Counted, key_parts};
use crate::law::{Aggregate, AggregateRule, Apportion, CapRule, Window};
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

/// A table of earlier lines by the key of the rows of a basis: `k`, `period`, `fen`,
/// `instalments`, `used`.
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
         l.instalments, l.used FROM \"paid lines\" l\nWHERE l.item IN ({}) AND {};",
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
    let used = if rule.reads_posted() {
        let sum = format!(
            "sum(payable_fen)::HUGEINT AS n, 1::HUGEINT AS d FROM \"posted\" WHERE line_kind NOT \
             IN \
             ('CARRY_IN', 'CARRY_OUT', 'WRITE_OFF') AND item IN ({}) AND {}",
            listed(&counted(script, rule)),
            earlier("source_month", rule.window, script.month.month)
        );
        if *key == Basis::Programme {
            format!("SELECT b.\"row\", p.n, p.d FROM {} b, (SELECT {sum}) p", table(key))
        } else {
            format!(
                "SELECT i.\"row\", p.n, p.d FROM \"institutions\" i JOIN (SELECT institution_id, \
                 {sum} \
                 GROUP BY institution_id) p ON p.institution_id = i.id"
            )
        }
    } else {
        let Some(keys) = keys(script, key, rule.across) else { return limits.to_owned() };
        let used = used_before(script, rule, key, &keys);
        format!("SELECT r.\"row\", p.n, p.d FROM {keys} r JOIN ({used}) p ON p.k = r.k")
    };
    let own = script.fresh(&format!("left of {id}"));
    // A limit of money between two fen is floored before anything is deducted.
    let limit = if rule.quantity.is_some() {
        "(m.x).n AS ln, (m.x).d AS ld"
    } else {
        "tu_down((m.x).n, (m.x).d) AS ln, 1::HUGEINT AS ld"
    };
    script.say(&format!(
        "CREATE OR REPLACE TABLE {own} AS SELECT \"row\", CASE WHEN (x).e <> 0 OR (x).n IS NULL \
         THEN x \
         ELSE tu_lowest({{'n': greatest(ln * ud - un * ld, 0)::HUGEINT, 'd': (ld * ud)::HUGEINT, \
         'e': \
         0::TINYINT}}) END AS x\n\
         FROM (SELECT m.\"row\", m.x, {limit}, coalesce(u.n, 0) AS un, coalesce(u.d, 1) AS ud FROM \
         {limits} m LEFT JOIN ({used}) u ON u.\"row\" = m.\"row\");"
    ));
    own
}

/// A SELECT of what earlier months used up of a cap by key: `k`, `n` / `d`.
fn used_before(script: &mut Script<'_>, rule: &CapRule, basis: &Basis, keys: &str) -> String {
    let items = counted(script, rule);
    let asked = Asked { items: &items, window: rule.window, counted: as_paid(script) };
    let lines = lines_before(script, (basis, rule.across), keys, &asked);
    if rule.quantity.is_none() {
        return format!(
            "SELECT k, sum(fen)::HUGEINT AS n, 1::HUGEINT AS d FROM {lines} GROUP BY k"
        );
    }
    // `cap=3/2;other=1`: what is said of this cap.
    let own = text(&format!("{}=", rule.head.id));
    let amount = format!(
        "string_split(substr(list_filter(string_split(used, ';'), lambda p: starts_with(p, \
         {own}))[1], \
         length({own}) + 1), '/')"
    );
    format!(
        "SELECT k, sum(n * (l // d))::HUGEINT AS n, any_value(l)::HUGEINT AS d FROM (SELECT *, \
         tu_lcm(list(DISTINCT d) OVER (PARTITION BY k)) AS l FROM (SELECT k, amount[1]::HUGEINT \
         AS n, \
         coalesce(amount[2], '1')::HUGEINT AS d FROM (SELECT k, {amount} AS amount FROM {lines}) \
         WHERE \
         amount[1] IS NOT NULL)) GROUP BY k"
    )
}

/// A table of what the lines of an item keep, each under its own limit and rows alike under one:
/// `item`, `row`, `fen`. Rows that cannot be told apart in another month use up one limit, in order of
/// values.
pub(super) fn kept_by_line(
    script: &mut Script<'_>,
    rule: &CapRule,
    item: &Item,
    limits: &str,
    used: &str,
) -> String {
    let (place, basis) = (item.place, &item.rule.basis);
    let kept = script.fresh("kept");
    let Some(keys) = keys(script, basis, rule.across) else {
        script.say(&format!(
            "CREATE OR REPLACE TABLE {kept} AS SELECT item, \"row\", fen FROM \"lines\" WHERE false;"
        ));
        return kept;
    };
    script.note("Other months and rows alike use the limit up first: all in counts of one part.");
    let before = used_before(script, rule, basis, &keys);
    let most = if rule.quantity.is_some() {
        "(m.x).n AS ln, (m.x).d AS ld"
    } else {
        "tu_down((m.x).n, (m.x).d) AS ln, 1::HUGEINT AS ld"
    };
    let queue = script.fresh("rows alike");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {queue} AS SELECT \"row\", fen, k, nth, n * (unit // d) AS uses, \
         greatest(ln * (unit // ld), 0) AS most, ln IS NULL AS free, gn * (unit // gd) AS gone, \
         unit\n\
         FROM (SELECT *, tu_lcm(list_concat(list_concat(list(DISTINCT d) OVER (PARTITION BY k), \
         list(DISTINCT coalesce(ld, 1)) OVER (PARTITION BY k)), [gd])) AS unit\n\
         FROM (SELECT l.\"row\", l.fen, u.n, u.d, {most}, r.k, coalesce(p.n, 0)::HUGEINT AS gn, \
         coalesce(p.d, 1)::HUGEINT AS gd, row_number() OVER (PARTITION BY r.k ORDER BY t.tie, \
         l.fen \
         DESC, l.\"row\") AS nth\n\
         FROM \"lines\" l JOIN {limits} m ON m.\"row\" = l.\"row\" AND (m.x).e = 0 JOIN {used} u \
         ON \
         u.item = l.item AND u.\"row\" = l.\"row\" JOIN \"ties\" t ON t.item = l.item AND \
         t.\"row\" = \
         l.\"row\" JOIN {keys} r ON r.\"row\" = l.\"row\" LEFT JOIN ({before}) p ON p.k = r.k\n\
         WHERE l.item = {place} AND l.{LIVE}));"
    ));
    script.note("One after the other: a line that does not fit keeps its part of what is left.");
    let walked = script.fresh("walked");
    script.say(&format!(
        "CREATE OR REPLACE TABLE {walked} AS WITH RECURSIVE walk(k, nth, \"row\", fen, kept, \
         used, gone, \
         unit) AS (\n\
         SELECT k, 0::BIGINT, NULL::BIGINT, 0::HUGEINT, 0::HUGEINT, 0::HUGEINT, \
         any_value(gone)::HUGEINT, \
         any_value(unit)::HUGEINT FROM {queue} GROUP BY k\n\
         UNION ALL\n\
         SELECT k, nth, \"row\", fen, kept::HUGEINT, used::HUGEINT, (gone + used)::HUGEINT, unit\n\
         FROM (SELECT *, CASE WHEN kept = fen OR uses <= 0 THEN greatest(uses, 0) WHEN kept = 0 \
         THEN 0 \
         ELSE least(rest, uses) END AS used\n\
         FROM (SELECT *, CASE WHEN free OR uses <= rest OR uses <= 0 OR fen <= 0 THEN fen ELSE \
         fen * \
         rest // uses END AS kept\n\
         FROM (SELECT q.k, q.nth, q.\"row\", q.fen, q.uses, q.free, q.unit, w.gone, \
         greatest(q.most - \
         w.gone, 0) AS rest FROM walk w JOIN {queue} q ON q.k = w.k AND q.nth = w.nth + 1))))\n\
         SELECT \"row\", fen, kept, used, unit FROM walk WHERE nth > 0;"
    ));
    if notes(script, rule) {
        let cap = text(&rule.head.id);
        script.say(&format!(
            "INSERT INTO \"uses\" SELECT {place}, \"row\", (SELECT count(DISTINCT nth) FROM \
             \"uses\"), \
             {cap}, used, unit FROM {walked} WHERE used <> 0;"
        ));
    }
    script.say(&format!(
        "CREATE OR REPLACE TABLE {kept} AS SELECT {place} AS item, \"row\", kept AS fen FROM \
         {walked} \
         WHERE kept <> fen;"
    ));
    kept
}

/// The table of what lines use up of caps on quantities over several months.
pub(super) fn uses(script: &mut Script<'_>) {
    script.say(
        "CREATE OR REPLACE TABLE \"uses\" (item INTEGER, \"row\" BIGINT, nth BIGINT, cap \
         VARCHAR, n \
         HUGEINT, d HUGEINT);",
    );
}

/// Whether later months read what lines use up of a cap.
fn notes(script: &Script<'_>, rule: &CapRule) -> bool {
    rule.quantity.is_some() && rule.window != Window::Month && !script.remembered.is_empty()
}

/// Notes what lines use up of a cap that is shared: a line its quantity; of those under a limit that
/// binds, in a queue the one at the edge what was left, in proportion each its part of the limit.
pub(super) fn note_shared(
    script: &mut Script<'_>,
    rule: &CapRule,
    (used, over, kept): (&str, &str, &str),
) {
    if !notes(script, rule) {
        return;
    }
    script.note("What each line uses up of the limit, for later months.");
    let amount = match rule.apportion {
        Apportion::Queue(_) => {
            "CASE WHEN kept = fen OR uses <= 0 THEN uses WHEN kept = 0 THEN 0 ELSE \
             least(greatest(most - coalesce(sum(uses) FILTER (kept = fen) OVER (PARTITION BY k), \
             0), \
             0), uses) END AS n, unit AS d"
        }
        Apportion::LargestRemainder => "uses * most AS n, total * unit AS d",
    };
    let cap = text(&rule.head.id);
    script.say(&format!(
        "INSERT INTO \"uses\" SELECT l.item, l.\"row\", (SELECT count(DISTINCT nth) FROM \
         \"uses\"), \
         {cap}, coalesce(c.n, u.n), coalesce(c.d, u.d)\n\
         FROM \"lines\" l JOIN {used} u ON u.item = l.item AND u.\"row\" = l.\"row\"\n\
         LEFT JOIN (SELECT item, \"row\", {amount} FROM (SELECT o.*, coalesce(w.fen, o.fen) AS \
         kept \
         FROM {over} o LEFT JOIN {kept} w ON w.item = o.item AND w.\"row\" = o.\"row\")) c\n\
         ON c.item = l.item AND c.\"row\" = l.\"row\" WHERE l.{LIVE} AND coalesce(c.n, u.n) <> 0;"
    ));
}

/// A SELECT of what rows used up of caps as one text, `cap=3/2;other=1`, by some columns: sums of
/// the rows `nth`, `cap`, `n` / `d` of `from`.
pub(super) fn used_texts(from: &str, by: &str) -> String {
    format!(
        "SELECT {by}, string_agg(cap || '=' || (x).n || CASE WHEN (x).d = 1 THEN '' ELSE '/' || \
         (x).d \
         END, ';' ORDER BY nth) AS used FROM (SELECT {by}, nth, cap, tu_lowest({{'n': sum(n * (l \
         // \
         d))::HUGEINT, 'd': any_value(l), 'e': 0::TINYINT}}) AS x FROM (SELECT *, \
         tu_lcm(list(DISTINCT d) \
         OVER (PARTITION BY {by}, nth)) AS l FROM ({from})) GROUP BY ALL) GROUP BY {by}"
    )
}

/// Names a table so that another room of the script finds it.
pub(super) fn fixed(word: &str, place: usize) -> String {
    name(&format!("{word} {place}"))
}
