//! The schedule of the period: money of its months, what comes in from earlier periods, and what an
//! institution owes and is not taken back now (S27).

use super::script::{Script, text};
use crate::job::WriteOff;
use crate::law::{ItemKind, OffsetRule};
use crate::schedule::LineKind;
use crate::settle::Settled;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// The table of the schedule.
pub(super) const TABLE: &str = "\
CREATE OR REPLACE TABLE \"schedule\" (kind VARCHAR, source_month VARCHAR, institution_id VARCHAR, \
item VARCHAR, source VARCHAR, line INTEGER, amount_fen HUGEINT);
";

/// Whether it matters on which of several budget lines of a source the money stands: where something
/// is owed, payments are told apart by them.
pub(super) fn by_line(settled: &Settled) -> bool {
    let mut sources: Vec<&str> =
        settled.schedule.budget_lines.iter().map(|line| line.source.as_str()).collect();
    sources.sort_unstable();
    settled.schedule.lines.iter().any(|line| line.payable_fen < 0)
        && sources.windows(2).any(|two| two[0] == two[1])
}

/// Puts the money of a month of the period into the schedule.
pub(super) fn first_paid(script: &mut Script<'_>, by_line: bool) {
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
    let carried = "\"carried\" c JOIN \"institutions\" n ON n.\"row\" = c.payee JOIN \"items\" i \
    ON \
                   i.item = c.item";
    let paid = if by_line {
        "SELECT c.id AS institution_id, i.id AS item, c.source, c.line, c.fen FROM \"cells by \
         line\" c \
         JOIN \"items\" i ON i.item = c.item"
            .to_owned()
    } else {
        format!(
            "SELECT institution_id, item, source, -1 AS line, amount_fen AS fen FROM \"result\" \
             WHERE \
             month = {month}"
        )
    };
    script.say(&format!(
        "INSERT INTO \"schedule\" SELECT {kinds}, {month}, institution_id, item, source, line, \
         fen FROM \
         ({paid} UNION ALL SELECT n.id, i.id, c.source, -1, c.fen FROM {carried})\n\
         UNION ALL SELECT '{out}', {month}, n.id, i.id, c.source, -1, -c.fen FROM {carried};"
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

/// SQL of the budget line of a source with a document, else the first of the source.
fn line_of(source: &str, doc: &str) -> String {
    format!(
        "coalesce((SELECT min(b.place) FROM \"budget lines\" b WHERE b.source = {source} AND \
         b.budget_doc_no = {doc}), (SELECT min(b.place) FROM \"budget lines\" b WHERE b.source = \
         {source}), -1)"
    )
}

/// Takes what corrections pay from the budget of the period, before its own claims (S25): each from the
/// first line of its source that has money left, the last takes the rest.
pub(super) fn draw(settled: &Settled, script: &mut String) {
    let mut purses: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    let budget = settled.months.last().map_or(&[][..], |last| &last.budget);
    for line in budget.iter().filter(|line| line.fiscal_year == settled.period.year()) {
        let balance = purses.entry((&line.source, &line.budget_doc_no)).or_default();
        *balance = balance.saturating_add(line.balance_fen);
    }
    let mut say = |statement: &str| {
        let _ = writeln!(script, "{statement}");
    };
    say("-- Corrections draw on the budget of the period that pays, before its own claims.");
    say("CREATE OR REPLACE TABLE \"purses of corrections\" (source VARCHAR, doc VARCHAR, balance \
         HUGEINT);");
    for ((source, doc), balance) in purses {
        let (source, doc) = (text(source), text(doc));
        say(&format!("INSERT INTO \"purses of corrections\" VALUES ({source}, {doc}, {balance});"));
    }
    say(
        "CREATE OR REPLACE TABLE \"drawn\" AS WITH RECURSIVE asked AS (SELECT *, row_number() OVER \
         (PARTITION BY source ORDER BY source_month, institution_id, item) AS nth FROM (SELECT \
         source_month, institution_id, item, source, sum(amount_fen) AS net FROM \"schedule\" \
         WHERE kind \
         IN ('REFUND', 'CORRECTION') GROUP BY ALL)),\n\
         walk(source, nth, docs, rests, doc) AS (\n\
         SELECT source, 0::BIGINT, list(doc ORDER BY doc), list(balance ORDER BY doc), '' FROM \
         \"purses of corrections\" GROUP BY source\n\
         UNION ALL\n\
         SELECT source, nth, docs, list_transform(rests, lambda r, i: CASE WHEN i = pick THEN r \
         - more \
         ELSE r END), docs[pick] FROM (SELECT w.source, a.nth, w.docs, w.rests, greatest(a.net, \
         0)::HUGEINT AS more, coalesce(nullif(list_position(list_transform(w.rests, lambda r: r \
         > 0), \
         true), 0), len(w.rests)) AS pick FROM walk w JOIN asked a ON a.source = w.source AND \
         a.nth = \
         w.nth + 1))\n\
         SELECT a.*, coalesce(w.doc, '') AS doc FROM asked a LEFT JOIN walk w ON w.source = \
         a.source AND \
         w.nth = a.nth;",
    );
    say(
        "INSERT INTO \"taken of the budget\" SELECT source, doc, institution_id, net FROM \"drawn\";",
    );
    if by_line(settled) {
        say(&format!(
            "UPDATE \"schedule\" SET line = {} FROM \"drawn\" d WHERE d.source_month = \
         \"schedule\".source_month AND d.institution_id = \"schedule\".institution_id AND d.item = \
         \"schedule\".item AND d.source = \"schedule\".source;",
            line_of("d.source", "d.doc")
        ));
    }
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
    let line =
        if by_line(settled) { line_of("p.source", "p.budget_doc_no") } else { "-1".to_owned() };
    say(&format!(
        "INSERT INTO \"schedule\" SELECT 'CARRY_IN', source_month, institution_id, item, source, \
         {line}, -fen FROM (SELECT source_month, institution_id, item, source, budget_doc_no, \
         sum(payable_fen) AS fen FROM \"posted\" WHERE line_kind IN ('CARRY_IN', 'CARRY_OUT') AND \
         period <> '' GROUP BY ALL) p;"
    ));
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
    say(
        "-- Money of one item, month, source and budget line is netted; what is below zero is owed.",
    );
    // Items and sources the law of the months does not name come after it, in the order in which
    // they come in.
    say(&format!(
        "CREATE OR REPLACE TABLE \"nets\" AS SELECT institution_id, source, line, source_month, \
         item, \
         sum(amount_fen)::HUGEINT AS net, {item} AS place, min([(kind = 'CARRY_IN')::VARCHAR, CASE \
         WHEN kind = 'CARRY_IN' THEN '' ELSE source_month END, institution_id, item, source]) AS \
         first FROM \"schedule\" GROUP BY ALL;"
    ));
    say(&format!(
        "CREATE OR REPLACE TABLE \"purses\" AS SELECT institution_id, source, line, {most} AS \
         most, \
         row_number() OVER (PARTITION BY institution_id ORDER BY {source}, source_first, source, \
         line = \
         -1, line) AS purse FROM (SELECT institution_id, source, line, coalesce(sum(net) FILTER \
         (net > 0), \
         0)::HUGEINT AS paid, min(f.first) AS source_first FROM \"nets\" JOIN (SELECT source, \
         min(first) AS first FROM \"nets\" GROUP BY source) f USING (source) GROUP BY \
         institution_id, source, line);"
    ));
    say("-- The oldest debt is taken back first, then the largest, at most what the law allows.");
    say("CREATE OR REPLACE TABLE \"owed\" AS SELECT n.institution_id, n.source, n.line, \
         n.source_month, \
         n.item, -n.net AS fen, p.purse, row_number() OVER (PARTITION BY n.institution_id ORDER BY \
         n.source_month, n.net, n.place, o.first, p.purse) AS nth FROM \"nets\" n JOIN \
         \"purses\" p \
         USING (institution_id, source, line) JOIN (SELECT item, min(first) AS first FROM \
         \"nets\" GROUP BY \
         item) o USING (item) WHERE n.net < 0;");
    say(&format!(
        "CREATE OR REPLACE TABLE \"taken\" AS WITH RECURSIVE walk(institution_id, nth, rests, \
         rest, \
         took) AS (\n\
         SELECT institution_id, 0::BIGINT, list(most ORDER BY purse), {of_all}::HUGEINT, \
         0::HUGEINT \
         FROM \"purses\" GROUP BY institution_id\n\
         UNION ALL\n\
         SELECT institution_id, nth, list_transform(rests, lambda r, i: CASE WHEN i = purse THEN \
         r - \
         took ELSE r END), (rest - took)::HUGEINT, took FROM (SELECT w.institution_id, o.nth, \
         w.rests, \
         w.rest, o.purse, greatest(least(o.fen, w.rests[o.purse], w.rest), 0)::HUGEINT AS took \
         FROM \
         walk w JOIN \"owed\" o ON o.institution_id = w.institution_id AND o.nth = w.nth + 1))\n\
         SELECT institution_id, nth, took FROM walk WHERE nth > 0;"
    ));
    say("CREATE OR REPLACE TABLE \"left\" AS SELECT o.*, (o.fen - t.took)::HUGEINT AS rest FROM \
         \"owed\" o JOIN \"taken\" t USING (institution_id, nth) WHERE o.fen > t.took;");
    for act in &settled.write_offs {
        give_up(act, script);
    }
    let _ = writeln!(
        script,
        "INSERT INTO \"schedule\" SELECT 'CARRY_OUT', source_month, institution_id, item, source, \
         line, rest FROM \"left\" WHERE rest > 0;"
    );
}

/// What two persons gave up does not move on.
fn give_up(act: &WriteOff, script: &mut String) {
    let mut tests = vec![format!("institution_id = {}", text(&act.institution_id))];
    let named =
        [("item", &act.item), ("source_month", &act.source_period), ("source", &act.source)];
    for (column, wanted) in named {
        tests.extend(wanted.iter().map(|wanted| format!("{column} = {}", text(wanted))));
    }
    let most = act.amount_fen.unwrap_or(i64::MAX);
    let _ = writeln!(
        script,
        "-- {} and {} gave up what is left of a debt: {}.\n\
         CREATE OR REPLACE TABLE \"given\" AS SELECT *, (CASE WHEN fits THEN greatest(least(rest, \
         {most} - coalesce(sum(rest) FILTER (WHERE fits) OVER (ORDER BY institution_id, nth ROWS \
         BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)), 0) ELSE 0 END)::HUGEINT AS gone FROM \
         (SELECT *, ({}) AS fits FROM \"left\");\n\
         INSERT INTO \"schedule\" SELECT 'WRITE_OFF', source_month, institution_id, item, source, \
         line, gone FROM \"given\" WHERE gone > 0;\n\
         CREATE OR REPLACE TABLE \"left\" AS SELECT * EXCLUDE (fits, gone) \
         REPLACE ((rest - gone)::HUGEINT AS rest) FROM \"given\";",
        act.by[0],
        act.by[1],
        act.reason,
        tests.join(" AND "),
    );
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
