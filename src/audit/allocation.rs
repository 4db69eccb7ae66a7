//! The money of the lines in the order of S8: payees, exclusions, caps, budget, split, what comes out.

use super::script::{Script, table, text};
use super::{cap, exclusion, history, order, past, payees, shortage, split, to_date};
use crate::domain::Basis;
use crate::law::SubsidyRule;
use std::sync::Arc;

/// An item of the month, in the order of the pack.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) place: usize,
    pub(super) rule: Arc<SubsidyRule>,
}

/// Items of the month that are paid in money.
pub(super) fn money_items(script: &Script<'_>) -> Vec<Item> {
    let items = script.month.entitlements.items.iter().enumerate();
    items
        .filter_map(|(place, lines)| {
            let rule = Arc::clone(lines.rules.iter().flatten().next()?);
            Some(Item { place, rule })
        })
        .filter(|item| !item.rule.in_kind)
        .collect()
}

/// The condition for a line that has money left.
pub(super) const LIVE: &str = "status = 'paid' AND fen <> 0";

/// Takes the amount from the lines a condition names; `reason` is SQL.
pub(super) fn refuse(reason: &str, condition: &str) -> String {
    refuse_of(LIVE, reason, condition)
}

/// The same of other lines than those with money left.
pub(super) fn refuse_of(lines: &str, reason: &str, condition: &str) -> String {
    format!(
        "UPDATE \"lines\" SET status = 'refused', reason = {reason}, amount = 0, fen = 0 \
         WHERE {lines} AND {condition};"
    )
}

/// [`refuse`] for the live lines in `from` with their error `e`.
pub(super) fn refuse_from(from: &str) -> String {
    format!(
        "UPDATE \"lines\" SET status = 'refused', reason = tu_reason(w.e), amount = 0, fen = 0\n\
         FROM {from} w WHERE w.item = \"lines\".item AND w.\"row\" = \"lines\".\"row\" AND \
         \"lines\".status = 'paid' AND \"lines\".fen <> 0;"
    )
}

/// Why a line is left with nothing.
#[derive(Clone, Copy)]
pub(super) enum Outcome {
    Excluded,
    Capped,
    Short,
    Carried,
}

impl Outcome {
    const fn reason(self) -> &'static str {
        match self {
            Self::Excluded => "'excluded'",
            Self::Capped => "'cap_exhausted'",
            Self::Short => "'budget_exhausted'",
            Self::Carried => "'carried_over'",
        }
    }
}

/// Leaves live lines the `fen` that stand in `kept` beside `item` and `row`; one left with nothing
/// becomes zero.
pub(super) fn leave(kept: &str, outcome: Outcome) -> String {
    let reason = outcome.reason();
    format!(
        "UPDATE \"lines\" SET fen = w.fen, status = CASE WHEN w.fen = 0 THEN 'zero' ELSE status \
         END, reason = CASE WHEN w.fen = 0 THEN {reason} ELSE reason END\n\
         FROM {kept} w WHERE w.item = \"lines\".item AND w.\"row\" = \"lines\".\"row\" AND \
         \"lines\".status = 'paid' AND \"lines\".fen <> 0 AND w.fen <> \"lines\".fen;"
    )
}

/// SQL that shares a `cut` among rows of one `k` in proportion to their `weight`, by largest
/// remainder: the columns of `from` and what each row bears, `borne`. Equal remainders go by `tie`.
pub(super) fn borne(from: &str, tie: &str) -> String {
    format!(
        "SELECT *, part + (CASE WHEN nth <= cut - sum(part) OVER (PARTITION BY k) THEN 1 ELSE 0 \
         END) AS borne\n\
         FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY rest DESC, {tie}) AS nth\n\
         FROM (SELECT *, cut * weight // whole AS part, cut * weight % whole AS rest\n\
         FROM (SELECT *, sum(weight) OVER (PARTITION BY k) AS whole FROM {from} WHERE cut > 0)))"
    )
}

/// Allocates the month.
pub(super) fn allocate(script: &mut Script<'_>) {
    payees::number(script);
    lines(script);
    order::institutions(script);
    payees::place(script);
    let month = script.month;
    let items = money_items(script);
    script.note("A line to be paid needs somebody to be paid to.");
    let places = places(&items);
    let payable = to_date::payable(script, &items);
    let homeless = format!("payee IS NULL AND item IN ({places})");
    script.say(&refuse_of(&payable, "'no_parent_row'", &homeless));
    let splits = split::weigh(script, &items);
    order::ties(script, &items);
    let mut bounded = Vec::new();
    if let Some(law) = month.law.segments.first() {
        for rule in &law.exclusions {
            exclusion::exclude(script, rule, &items);
        }
        let mut caps: Vec<_> = law.caps.iter().collect();
        caps.sort_by_key(|cap| cap.stage);
        history::uses(script);
        for rule in caps {
            cap::cap(script, rule, &items);
        }
        to_date::settle(script, &items);
        past::before_the_budget(script);
        let shortages = if script.closed { &[][..] } else { &law.shortages };
        bounded = shortage::bound(script, shortages, &splits);
    }
    script.say(shortage::CARRIED);
    for short in bounded.iter().filter(|short| short.whole_need()) {
        shortage::cut_needs(script, short, &places);
    }
    script.say(
        "CREATE OR REPLACE TABLE \"cells\" (item INTEGER, payee BIGINT, i BIGINT, source VARCHAR, \
         fen HUGEINT);",
    );
    for split in &splits {
        split::split(script, split);
        split::carried(script, split);
    }
    for short in bounded.iter().filter(|short| !short.whole_need()) {
        shortage::cut_sources(script, short);
    }
    results(script);
}

/// The table `lines`: every line of the month with its payee; `fen` is what it has left.
fn lines(script: &mut Script<'_>) {
    let month = script.month;
    script.note("The lines of all items; fen is what is left of the amount from here on.");
    script.say(
        "CREATE OR REPLACE TABLE \"lines\" (item INTEGER, \"row\" BIGINT, payee BIGINT, \
         status VARCHAR, reason VARCHAR, amount HUGEINT, fen HUGEINT);\n\
         CREATE OR REPLACE TABLE \"items\" (item INTEGER, id VARCHAR);",
    );
    for (place, lines) in month.entitlements.items.iter().enumerate() {
        script.say(&format!("INSERT INTO \"items\" VALUES ({place}, {});", text(&lines.item)));
        let Some(own) = script.items.get(&lines.item).cloned() else { continue };
        if !script.tables.contains(&lines.basis) {
            continue;
        }
        let home = script.parent(&lines.basis, &Basis::Institution, true);
        let (payee, joins) = payees::of_line(script, lines, &home);
        let from = table(&lines.basis);
        script.say(&format!(
            "INSERT INTO \"lines\" SELECT {place}, l.\"row\", {payee}, l.status, l.reason, \
             l.amount, l.amount FROM {own} l JOIN {from} b ON b.\"row\" = l.\"row\"{joins};"
        ));
    }
}

/// What comes out of the month.
fn results(script: &mut Script<'_>) {
    let period = text(&script.month.month.to_string());
    script.note("What comes out of the month.");
    script.say(&format!(
        "INSERT INTO \"result\" SELECT {period}, n.id, i.id, c.source, c.fen FROM \"cells\" c \
         JOIN \"institutions\" n ON n.\"row\" = c.payee JOIN \"items\" i ON i.item = c.item;\n\
         INSERT INTO \"result lines\" SELECT {period}, i.id, l.status, l.reason, count(*) \
         FROM \"lines\" l JOIN \"items\" i ON i.item = l.item GROUP BY ALL;\n\
         INSERT INTO \"result amounts\" SELECT {period}, i.id, l.\"row\", l.status, l.amount, \
         l.fen FROM \"lines\" l JOIN \"items\" i ON i.item = l.item WHERE l.amount <> 0;"
    ));
}

/// Places of items as an SQL list.
pub(super) fn places(items: &[Item]) -> String {
    let mut list: Vec<String> = items.iter().map(|item| item.place.to_string()).collect();
    // No item has this place; an empty list is no SQL.
    list.push("-1".to_owned());
    list.join(", ")
}
