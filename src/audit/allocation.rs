//! The money of the lines: payees, caps, the funding split, and what comes out.

use super::script::{Script, name, table, text};
use crate::domain::Basis;
use crate::law::SubsidyRule;
use std::sync::Arc;

/// An item of the month, in the order of the pack.
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
fn refuse_of(lines: &str, reason: &str, condition: &str) -> String {
    format!(
        "UPDATE \"lines\" SET status = 'refused', reason = {reason}, amount = 0, fen = 0 \
         WHERE {lines} AND {condition};"
    )
}

/// Allocates the month.
pub(super) fn allocate(script: &mut Script<'_>) {
    script.say(
        "CREATE OR REPLACE TABLE \"lines\" (item INTEGER, \"row\" BIGINT, payee BIGINT, \
         status VARCHAR, reason VARCHAR, amount HUGEINT, fen HUGEINT);",
    );
    let month = script.month;
    for (place, lines) in month.entitlements.items.iter().enumerate() {
        let Some(own) = script.items.get(&lines.item).cloned() else { continue };
        if !script.tables.contains(&lines.basis) {
            continue;
        }
        let payee = script.parent(&lines.basis, &Basis::Institution, true);
        let from = table(&lines.basis);
        script.say(&format!(
            "INSERT INTO \"lines\" SELECT {place}, l.\"row\", {payee}, l.status, l.reason, \
             l.amount, \
             l.amount FROM {own} l JOIN {from} b ON b.\"row\" = l.\"row\";"
        ));
    }
    let items = money_items(script);
    let places = places(&items);
    let payable = super::to_date::payable(script, &items);
    script.say(&refuse_of(
        &payable,
        "'no_parent_row'",
        &format!("payee IS NULL AND item IN ({places})"),
    ));
    let splits = super::split::weigh(script, &items);
    if let Some(law) = month.law.segments.first() {
        let mut caps: Vec<_> = law.caps.iter().collect();
        caps.sort_by_key(|cap| cap.stage);
        for rule in caps {
            super::cap::cap(script, rule, &items);
        }
    }
    super::to_date::settle(script, &items);
    if !script.remembered.is_empty() {
        script.say(
            "CREATE OR REPLACE TABLE \"before the budget\" AS SELECT item, \"row\", fen FROM \
             \"lines\";",
        );
    }
    for split in &splits {
        super::split::split(script, split);
    }
    for (place, lines) in month.entitlements.items.iter().enumerate() {
        let (period, item) = (text(&month.month.to_string()), text(&lines.item));
        script.say(&format!(
            "INSERT INTO \"result lines\" SELECT {period}, {item}, status, reason, count(*) \
             FROM \"lines\" WHERE item = {place} GROUP BY status, reason;"
        ));
    }
}

/// Places of items as an SQL list.
pub(super) fn places(items: &[Item]) -> String {
    let mut list: Vec<String> = items.iter().map(|item| item.place.to_string()).collect();
    // No item has this place; an empty list is no SQL.
    list.push("-1".to_owned());
    list.join(", ")
}

/// SQL of an institution's id by its row.
pub(super) fn institutions() -> String {
    let id = name("institution.institution_id");
    format!("(SELECT \"row\", coalesce(({id}).v, '') AS id FROM {})", table(&Basis::Institution))
}
