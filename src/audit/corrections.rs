//! Corrections of a closed month: what is due now against what was paid, line by line (S24, S25), and
//! their funding sources as `docs/retro.md` has them.

use super::past::IDENTITY;
use super::payees::PAID_TO;
use super::script::{Script, text};
use crate::law::SplitScope;
use crate::retro::PastCut;
use crate::settle::SettledAgain;
use std::fmt::Write as _;
use std::sync::Arc;

/// What a share is over: the sources of one institution and item.
const CELL: &str = "PARTITION BY institution_id, item";

/// Compares the month just computed with what was paid of it; `run` is the number of this run.
pub(super) fn compare(script: &mut Script<'_>, of: &SettledAgain, run: usize) {
    let month = text(&of.month.month.to_string());
    lines_due(script);
    script.note("What each line was paid last, lines equal in their whole identity as one (S24).");
    let mut to_date: Vec<String> =
        of.month.law.items_to_date().iter().map(|item| text(item)).collect();
    to_date.push("''".to_owned());
    let to_date = to_date.join(", ");
    script.say(&format!(
        "CREATE OR REPLACE TABLE \"paid then\" AS SELECT {IDENTITY}, sum(capped_fen)::HUGEINT AS \
         capped, sum(allocated_fen)::HUGEINT AS fen, sum(cut_fen)::HUGEINT AS cut\n\
         FROM \"paid lines\" WHERE period = {month} AND item NOT IN ({to_date}) GROUP BY ALL;"
    ));
    changes(script, of.past_cut);
    let over_all = of
        .month
        .law
        .segments
        .iter()
        .any(|law| law.splits.values().any(|split| split.scope == SplitScope::Settlement));
    sources(script, &month, &to_date, (of.by_law, over_all));
    divide(script, &of.month.allocation.sources);
    results(script, &month, run);
}

/// The table of every line of the month with money, by identity.
fn lines_due(script: &mut Script<'_>) {
    script.note("What each line of the closed month is due now, before any budget.");
    let mut parts = Vec::new();
    for item in super::allocation::money_items(script) {
        if !script.remembered.contains(&item.rule.head.id) {
            continue;
        }
        let Some(who) = script.who.get(&item.rule.basis) else { continue };
        parts.push(format!(
            "SELECT w.institution_id, {} AS item, {} AS basis, w.child_ref, w.row_key, \
             w.age_class, \
             w.service, w.span_from, w.span_until, {} AS payee, l.item AS place, l.\"row\", l.fen FROM \
             \"lines\" l JOIN {who} w ON w.\"row\" = \
             l.\"row\" WHERE l.item = {} AND l.payee IS NOT NULL AND l.status IN ('paid', \
             'zero') AND \
             l.fen <> 0",
            text(&item.rule.head.id),
            text(item.rule.basis.name()),
            super::payees::of_identity(&item.rule),
            item.place
        ));
    }
    if parts.is_empty() {
        parts.push(format!(
            "SELECT {IDENTITY}, 0 AS place, 0::BIGINT AS \"row\", 0::HUGEINT AS fen FROM \
             \"released\" \
             WHERE false"
        ));
    }
    script.say(&format!(
        "CREATE OR REPLACE TABLE \"lines due\" AS {};\n\
         CREATE OR REPLACE TABLE \"due now\" AS SELECT {IDENTITY}, sum(fen)::HUGEINT AS capped \
         FROM \
         \"lines due\" GROUP BY ALL;",
        parts.join("\nUNION ALL ")
    ));
}

/// The table of lines that are due something else than they were.
fn changes(script: &mut Script<'_>, past_cut: PastCut) {
    let (old, lost, words) = match past_cut {
        PastCut::Stays => ("fen", "cut", "What a short budget once cut of it stays cut (S25)."),
        PastCut::Restored => ("fen", "0", "What a short budget once cut of it is given back."),
        PastCut::Carried => {
            ("capped", "0", "What a short budget carried comes by itself: the line was paid whole.")
        }
    };
    script.note("Lines that are due another amount than before; equal ones cancel (S24).");
    script.note(words);
    script.say(&format!(
        "CREATE OR REPLACE TABLE \"changes\" AS SELECT *, CASE WHEN due >= 0 THEN \
         greatest(least(due - \
         lost, due), 0) ELSE least(greatest(due - lost, due), 0) END AS new_fen\n\
         FROM (SELECT {IDENTITY}, coalesce(n.capped, 0) AS due, coalesce(o.capped, 0) AS was, \
         coalesce(o.{old}, 0) AS old_fen, coalesce({lost}, 0) AS lost FROM \"paid then\" o FULL \
         JOIN \
         \"due now\" n USING ({IDENTITY})) WHERE due <> was;"
    ));
}

/// The table of what each source paid and is due, of institutions that are looked at.
fn sources(script: &mut Script<'_>, month: &str, to_date: &str, (by_law, over_all): (bool, bool)) {
    script.note("What each source paid for the month so far, and what it is due now.");
    let looked_at = if by_law {
        script
            .note("Law or calendar changed: a split may have changed alone, so all are looked at.");
        "true".to_owned()
    } else {
        let touched = format!("institution_id IN (SELECT {PAID_TO} FROM \"changes\")");
        if over_all {
            script.note("A split over the whole settlement moves with any line.");
            "EXISTS (SELECT 1 FROM \"changes\")".to_owned()
        } else {
            touched
        }
    };
    script.say(&format!(
        "CREATE OR REPLACE TABLE \"paid and due\" AS SELECT institution_id, item, source, \
         sum(paid)::HUGEINT AS paid, sum(due)::HUGEINT AS due FROM (\n\
         SELECT institution_id, item, source, payable_fen AS paid, 0::HUGEINT AS due FROM \
         \"posted\" \
         WHERE source_month = {month} AND line_kind IN ('ORIGINAL', 'REFUND', 'CORRECTION')\n\
         UNION ALL SELECT institution_id, item, source, 0, amount_fen FROM (SELECT institution_id, \
         item, source, sum(amount_fen) AS amount_fen FROM \"result\" WHERE month = {month} AND \
         amount_fen <> 0 GROUP BY ALL))\n\
         WHERE {looked_at} AND item NOT IN ({to_date}) GROUP BY ALL;"
    ));
    script.say(&format!(
        "CREATE OR REPLACE TABLE \"touched\" AS SELECT {PAID_TO} AS institution_id, item, \
         sum(old_fen)::HUGEINT AS \
         old_fen, sum(new_fen)::HUGEINT AS new_fen FROM \"changes\" GROUP BY ALL;",
    ));
}

/// A SELECT that shares the column `total` by the column `weight` within each cell, largest remainder,
/// as `part`; all of it to the first source where no weight is above zero.
fn shared(from: &str) -> String {
    format!(
        "SELECT *, CASE WHEN whole = 0 THEN CASE WHEN i = 1 THEN total ELSE 0 END ELSE \
         sign(total) * \
         (floored + CASE WHEN nth <= abs(total) - sum(floored) OVER ({CELL}) THEN 1 ELSE 0 END) \
         END \
         AS part\n\
         FROM (SELECT *, row_number() OVER ({CELL} ORDER BY rest DESC, i) AS nth\n\
         FROM (SELECT *, CASE WHEN whole = 0 THEN 0 ELSE abs(total) * weight // whole END AS \
         floored, \
         CASE WHEN whole = 0 THEN 0 ELSE abs(total) * weight % whole END AS rest\n\
         FROM (SELECT *, sum(weight) OVER ({CELL})::HUGEINT AS whole FROM (\n{from}))))"
    )
}

/// The tables of differences and refunds by source.
fn divide(script: &mut Script<'_>, order: &[Arc<str>]) {
    let mut places = "CASE source".to_owned();
    for (place, source) in order.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(places, " WHEN {} THEN {place}", text(source));
    }
    if order.is_empty() {
        places += " WHEN '' THEN 0";
    }
    places += " ELSE 1000000 END";
    script.note("Sources in the order of the law.");
    script.say(&format!(
        "CREATE OR REPLACE TABLE \"cells\" AS SELECT *, more + sum_paid = sum_due AS whole_month, \
         old_fen >= 0 AND new_fen >= 0 AS plain\n\
         FROM (SELECT *, row_number() OVER ({CELL} ORDER BY {places}, source) AS i, sum(paid) OVER \
         ({CELL})::HUGEINT AS sum_paid, sum(due) OVER ({CELL})::HUGEINT AS sum_due, bool_or(due \
         <> 0) \
         OVER ({CELL}) AS any_due, new_fen - old_fen AS more\n\
         FROM (SELECT institution_id, item, coalesce(c.source, '') AS source, coalesce(c.paid, \
         0) AS \
         paid, coalesce(c.due, 0) AS due, coalesce(t.old_fen, 0) AS old_fen, coalesce(t.new_fen, \
         0) AS \
         new_fen FROM \"paid and due\" c FULL JOIN \"touched\" t USING (institution_id, item)));"
    ));
    script.note(
        "Each source ends where one settlement with the knowledge of now puts it; where a past",
    );
    script.note("cut stands between the two, only the difference is shared.");
    let difference = shared(
        "SELECT *, more AS total, CASE WHEN any_due THEN greatest(due, 0) ELSE greatest(paid, 0) \
         END \
         AS weight FROM \"cells\"",
    );
    script.say(&format!(
        "CREATE OR REPLACE TABLE \"differences\" AS SELECT institution_id, item, source, i, paid, \
         old_fen, plain, CASE WHEN whole_month THEN due - paid ELSE part END AS difference \
         FROM ({difference});"
    ));
    script.note("The refund is shared as it was paid; no source refunds less than it is to lose.");
    let refund = shared(&format!(
        "SELECT *, old_fen - sum(least_fen) OVER ({CELL}) AS total, greatest(paid, 0) AS weight \
         FROM (SELECT *, CASE WHEN plain THEN greatest(-difference, 0) ELSE 0 END AS least_fen \
         FROM \"differences\")"
    ));
    script.say(&format!(
        "CREATE OR REPLACE TABLE \"refunds\" AS SELECT institution_id, item, source, difference, \
         least_fen + CASE WHEN plain AND total <= 0 THEN 0 ELSE part END AS refund FROM ({refund});"
    ));
}

/// What comes out: lines of this period, and what later months of the script read.
fn results(script: &mut Script<'_>, month: &str, run: usize) {
    script.note("REFUND: what was paid, negated. CORRECTION: what is due instead.");
    script.say(&format!(
        "INSERT INTO \"schedule\" SELECT 'REFUND', {month}, institution_id, item, source, -1, \
         -refund FROM \
         \"refunds\" WHERE refund <> 0\n\
         UNION ALL SELECT 'CORRECTION', {month}, institution_id, item, source, -1, refund + \
         difference \
         FROM \"refunds\" WHERE refund + difference <> 0;"
    ));
    super::carry::post(script, month, "IN ('REFUND', 'CORRECTION')");
    let used = super::history::used_texts(
        &format!(
            "SELECT {IDENTITY}, nth, cap, n, d FROM \"lines due\" JOIN (SELECT item AS place, \
             \"row\", \
             nth, cap, n, d FROM \"uses\") USING (place, \"row\")"
        ),
        IDENTITY,
    );
    script.say(&format!(
        "INSERT INTO \"released\" SELECT {run}, {month}, {IDENTITY}, due, new_fen, lost, '', \
         coalesce(u.used, '') FROM \"changes\" LEFT JOIN ({used}) u USING ({IDENTITY});\n\
         DELETE FROM \"result\" WHERE month = {month};"
    ));
}
