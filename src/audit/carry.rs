//! The schedule of the period: money of its months, what comes in from earlier periods, and what an
//! institution owes and is not taken back now (S27).

use super::script::{Script, text};
use crate::law::{ItemKind, OffsetRule};
use crate::schedule::LineKind;
use crate::settle::Settled;
use std::fmt::Write as _;
use std::sync::Arc;

/// The table of the schedule.
pub(super) const TABLE: &str = "\
CREATE OR REPLACE TABLE \"schedule\" (kind VARCHAR, source_month VARCHAR, institution_id VARCHAR, \
item VARCHAR, source VARCHAR, amount_fen HUGEINT);
";

/// Puts the money of a month of the period into the schedule.
pub(super) fn first_paid(script: &mut Script<'_>) {
    let month = text(&script.month.month.to_string());
    let mut kinds = "CASE item".to_owned();
    for lines in &script.month.entitlements.items {
        let kind = match lines.rules.iter().flatten().next().map(|rule| rule.kind) {
            Some(ItemKind::Instalment) => LineKind::Instalment,
            Some(ItemKind::Clawback) => LineKind::Clawback,
            Some(ItemKind::Original) | None => continue,
        };
        // Writing to a String cannot fail.
        let _ = write!(kinds, " WHEN {} THEN '{}'", text(&lines.item), kind.word());
    }
    let original = LineKind::Original.word();
    let kinds = match kinds.as_str() {
        "CASE item" => format!("'{original}'"),
        _ => format!("{kinds} ELSE '{original}' END"),
    };
    script.note(
        "The money of the month, paid for the first time; what a short budget carries to the",
    );
    script.note("next period stands in it and leaves at once.");
    let out = LineKind::CarryOut.word();
    let carried = "\"carried\" c JOIN \"institutions\" n ON n.\"row\" = c.payee JOIN \"items\" i ON \
                   i.item = c.item";
    script.say(&format!(
        "INSERT INTO \"schedule\" SELECT {kinds}, {month}, institution_id, item, source, fen FROM \
         (SELECT institution_id, item, source, amount_fen AS fen FROM \"result\" WHERE month = {month} \
         UNION ALL SELECT n.id, i.id, c.source, c.fen FROM {carried})\n\
         UNION ALL SELECT '{out}', {month}, n.id, i.id, c.source, -c.fen FROM {carried};"
    ));
    post(script, &month, "NOT IN ('REFUND', 'CORRECTION')");
}

/// Posts the lines of a month, for the months after it. They have no period yet.
pub(super) fn post(script: &mut Script<'_>, month: &str, kinds: &str) {
    script.say(&format!(
        "INSERT INTO \"posted\" SELECT '', source_month, institution_id, item, kind, source, \
         amount_fen, '' FROM \"schedule\" WHERE source_month = {month} AND kind {kinds};"
    ));
}

/// Takes what corrections pay from the budget of the period, before its own claims (S25).
pub(super) fn draw(settled: &Settled, script: &mut String) {
    let mut docs = "CASE source".to_owned();
    let budget = settled.months.last().map_or(&[][..], |last| &last.budget);
    for line in budget {
        let _ = write!(docs, " WHEN {} THEN {}", text(&line.source), text(&line.budget_doc_no));
    }
    let docs = if budget.is_empty() { "''".to_owned() } else { format!("{docs} ELSE '' END") };
    let _ = writeln!(
        script,
        "-- Corrections draw on the budget of the period that pays, before its own claims.\n\
         INSERT INTO \"taken of the budget\" SELECT source, {docs}, institution_id, amount_fen FROM \
         \"schedule\" WHERE kind IN ('REFUND', 'CORRECTION');"
    );
}

/// Texts in order as places of a CASE.
fn places(column: &str, texts: &[Arc<str>]) -> String {
    let mut places = format!("CASE {column}");
    for (place, of) in texts.iter().enumerate() {
        let _ = write!(places, " WHEN {} THEN {place}", text(of));
    }
    if texts.is_empty() { "0".to_owned() } else { format!("{places} ELSE 1000000 END") }
}

/// Brings in what earlier periods carried out, and moves on what is owed and not taken back.
pub(super) fn carry(settled: &Settled, script: &mut String) {
    let mut say = |statement: &str| {
        let _ = writeln!(script, "{statement}");
    };
    say("\n-- What earlier periods carried out and nobody brought in since comes in.");
    say("INSERT INTO \"schedule\" SELECT 'CARRY_IN', source_month, institution_id, item, source, \
         -sum(payable_fen) FROM \"posted\" WHERE line_kind IN ('CARRY_IN', 'CARRY_OUT') AND period \
         <> '' GROUP BY source_month, institution_id, item, source, budget_doc_no;");
    let mut items: Vec<Arc<str>> = Vec::new();
    let mut sources: Vec<Arc<str>> = Vec::new();
    for month in &settled.months {
        let of_month = month.entitlements.items.iter().map(|lines| &lines.item);
        for (list, text) in of_month
            .map(|item| (true, item))
            .chain(month.allocation.sources.iter().map(|source| (false, source)))
        {
            let list = if list { &mut items } else { &mut sources };
            if !list.contains(text) {
                list.push(Arc::clone(text));
            }
        }
    }
    let rule = settled
        .months
        .last()
        .and_then(|last| last.law.segments.iter().find_map(|law| law.offset.as_deref()));
    let (most, of_all) = bounds(rule);
    let (item, source) = (places("item", &items), places("source", &sources));
    say("-- Money of one item, month and source is netted; what is below zero is owed.");
    // Items and sources the law of the months does not name come after it, in the order in which
    // they come in.
    say(&format!(
        "CREATE OR REPLACE TABLE \"nets\" AS SELECT institution_id, source, source_month, item, \
         sum(amount_fen)::HUGEINT AS net, {item} AS place, min([(kind = 'CARRY_IN')::VARCHAR, CASE \
         WHEN kind = 'CARRY_IN' THEN '' ELSE source_month END, institution_id, item, source]) AS \
         first FROM \"schedule\" GROUP BY ALL;"
    ));
    say(&format!(
        "CREATE OR REPLACE TABLE \"purses\" AS SELECT institution_id, source, {most} AS most, \
         row_number() OVER (PARTITION BY institution_id ORDER BY {source}, source_first, source) AS \
         purse FROM (SELECT institution_id, source, coalesce(sum(net) FILTER (net > 0), \
         0)::HUGEINT AS paid, min(f.first) AS source_first FROM \"nets\" JOIN (SELECT source, \
         min(first) AS first FROM \"nets\" GROUP BY source) f USING (source) GROUP BY \
         institution_id, source);"
    ));
    say("-- The oldest debt is taken back first, then the largest, at most what the law allows.");
    say("CREATE OR REPLACE TABLE \"owed\" AS SELECT n.institution_id, n.source, n.source_month, \
         n.item, -n.net AS fen, p.purse, row_number() OVER (PARTITION BY n.institution_id ORDER BY \
         n.source_month, n.net, n.place, o.first, p.purse) AS nth FROM \"nets\" n JOIN \"purses\" p \
         USING (institution_id, source) JOIN (SELECT item, min(first) AS first FROM \"nets\" GROUP BY \
         item) o USING (item) WHERE n.net < 0;");
    say(&format!(
        "CREATE OR REPLACE TABLE \"taken\" AS WITH RECURSIVE walk(institution_id, nth, rests, rest, \
         took) AS (\n\
         SELECT institution_id, 0::BIGINT, list(most ORDER BY purse), {of_all}::HUGEINT, 0::HUGEINT \
         FROM \"purses\" GROUP BY institution_id\n\
         UNION ALL\n\
         SELECT institution_id, nth, list_transform(rests, lambda r, i: CASE WHEN i = purse THEN r - \
         took ELSE r END), (rest - took)::HUGEINT, took FROM (SELECT w.institution_id, o.nth, w.rests, \
         w.rest, o.purse, greatest(least(o.fen, w.rests[o.purse], w.rest), 0)::HUGEINT AS took FROM \
         walk w JOIN \"owed\" o ON o.institution_id = w.institution_id AND o.nth = w.nth + 1))\n\
         SELECT institution_id, nth, took FROM walk WHERE nth > 0;"
    ));
    say("INSERT INTO \"schedule\" SELECT 'CARRY_OUT', o.source_month, o.institution_id, o.item, \
         o.source, o.fen - t.took FROM \"owed\" o JOIN \"taken\" t USING (institution_id, nth) WHERE \
         o.fen > t.took;");
}

/// The most that is taken of one payment, of its column `paid`, and of all of an institution's.
fn bounds(rule: Option<&OffsetRule>) -> (String, i64) {
    let share = rule.and_then(|rule| rule.share);
    let most = share.map_or_else(
        || "paid".to_owned(),
        |share| format!("least(paid * {} // {}, paid)", share.num, share.den),
    );
    (format!("({most})::HUGEINT"), rule.and_then(|rule| rule.amount_fen).unwrap_or(i64::MAX))
}
