//! What the script cannot carry yet, by name.

use super::AuditError;
use crate::law::{Step, Window};
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
        for rule in &law.caps {
            let id = &rule.head.id;
            if rule.window != Window::Month {
                rules.push(format!("cap {id} over several months"));
            }
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
