//! Exclusion groups: of items that exclude each other under one key row, one stays.

use super::allocation::{Item, LIVE, Outcome, leave, places};
use super::script::{Script, table};
use crate::law::ExclusionRule;

/// Takes what the losing items of a group were to be paid.
pub(super) fn exclude(script: &mut Script<'_>, rule: &ExclusionRule, money: &[Item]) {
    let month = script.month;
    let mut parts = Vec::new();
    for (nth, id) in rule.items.iter().enumerate() {
        let mut items = month.entitlements.items.iter();
        let Some(place) = items.position(|lines| lines.item == *id) else { continue };
        let basis = &month.entitlements.items[place].basis;
        if script.tables.contains(basis) {
            let key = script.parent(basis, &rule.key, true);
            parts.push(format!(
                "SELECT {place} AS item, {nth} AS nth, b.\"row\", {key} AS k FROM {} b",
                table(basis)
            ));
        }
    }
    if parts.is_empty() {
        return;
    }
    script.head("exclusion", &rule.head);
    script.note(&format!(
        "Each line of its items, nth in the order of the rule, with the {} it belongs to.",
        rule.key
    ));
    let keys = script.fresh("keys");
    script.say(&format!("CREATE OR REPLACE TABLE {keys} AS {};", parts.join("\nUNION ALL ")));
    let winners = script.fresh("winners");
    let first = if rule.highest {
        script.note("The highest sum above zero stays; of equal sums the first in the rule.");
        "sum DESC, nth"
    } else {
        script.note("The first item in the rule with a sum above zero stays.");
        "nth"
    };
    script.say(&format!(
        "CREATE OR REPLACE TABLE {winners} AS SELECT k, first(nth ORDER BY {first}) AS nth\n\
         FROM (SELECT c.k, c.nth, sum(l.fen) AS sum FROM \"lines\" l JOIN {keys} c ON c.item = \
         l.item AND c.\"row\" = l.\"row\"\n\
         WHERE {LIVE} AND c.k IS NOT NULL GROUP BY c.k, c.nth) WHERE sum > 0 GROUP BY k;"
    ));
    script
        .note("The lines of the others are left with nothing; nobody loses what is given in kind.");
    let kept = format!(
        "(SELECT c.item, c.\"row\", 0 AS fen FROM {keys} c JOIN {winners} w ON w.k = c.k JOIN \
         \"lines\" l ON l.item = c.item AND l.\"row\" = c.\"row\"\n\
         WHERE w.nth <> c.nth AND l.fen > 0 AND c.item IN ({}))",
        places(money)
    );
    script.say(&leave(&kept, Outcome::Excluded));
}
