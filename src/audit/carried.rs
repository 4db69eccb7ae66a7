//! What the script cannot carry yet, by name.

use super::AuditError;
use crate::law::{Apportion, Step, Window};
use crate::settle::{Settled, SettledMonth};

/// Refuses a period that corrects closed months: their refunds are differences of two settlements.
pub(super) fn refuse_corrections(settled: &Settled) -> Result<(), AuditError> {
    let rules: Vec<String> = settled
        .corrections
        .iter()
        .map(|of| format!("corrections of closed month {}", of.month))
        .collect();
    if rules.is_empty() {
        return Ok(());
    }
    Err(AuditError::NotYet { month: settled.period.to_string(), rules })
}

/// Refuses a month whose law holds such a rule.
pub(super) fn refuse(month: &SettledMonth) -> Result<(), AuditError> {
    let mut rules = Vec::new();
    // Money is allocated under the law of the first of the month.
    if let Some(law) = month.law.segments.first() {
        for rule in &law.exclusions {
            rules.push(format!("exclusion {}", rule.head.id));
        }
        for rule in &law.caps {
            let id = &rule.head.id;
            if rule.quantity.is_some() {
                rules.push(format!("cap {id} on a quantity"));
            }
            if matches!(rule.apportion, Apportion::Queue(_)) {
                rules.push(format!("cap {id} with a queue"));
            }
            if rule.window != Window::Month {
                rules.push(format!("cap {id} over several months"));
            }
        }
        for rule in &law.shortages {
            rules.push(format!("shortage {}", rule.head.id));
        }
    }
    for segment in &month.law.segments {
        for step in &segment.steps {
            if let Step::Aggregate(rule) = step
                && let Some((item, _)) = rule.function.of_history()
            {
                rules.push(format!("what was paid of {item} in earlier months"));
            }
        }
        for item in segment.items.iter().filter(|item| item.any_sign && !item.in_kind) {
            rules.push(format!("subsidy {} with negative amounts", item.head.id));
        }
        for item in segment.items.iter().filter(|item| item.to_date.is_some()) {
            rules.push(format!("subsidy {} due to date", item.head.id));
        }
    }
    if rules.is_empty() {
        return Ok(());
    }
    rules.dedup();
    Err(AuditError::NotYet { month: month.month.to_string(), rules })
}
