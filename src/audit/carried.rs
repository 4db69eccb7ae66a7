//! What the script cannot carry yet, by name.

use super::AuditError;
use crate::law::{Apportion, Window};
use crate::settle::{Settled, SettledAgain, SettledMonth};

/// Refuses a period whose law holds such a rule, in its own months or in closed ones it settled again.
pub(super) fn refuse(settled: &Settled, again: &[&SettledAgain]) -> Result<(), AuditError> {
    for of in again {
        refuse_month(&of.month, true)?;
    }
    for month in &settled.months {
        refuse_month(month, false)?;
    }
    let mut rules = Vec::new();
    if settled.audited.is_none() {
        let kept = |month| format!("corrections of closed month {month}, which were not kept");
        rules.extend(settled.corrections.iter().map(|of| kept(of.month)));
    }
    let lines = &settled.schedule.lines;
    if lines.iter().any(|line| line.payable_fen < 0) {
        // Which of several lines of the budget a debt stands on is the budget's to say.
        let mut sources: Vec<&str> =
            settled.schedule.budget_lines.iter().map(|line| line.source.as_str()).collect();
        sources.sort_unstable();
        let several = sources.windows(2).find(|two| two[0] == two[1]);
        rules.extend(several.map(|two| format!("offsets over several budget lines of {}", two[0])));
    }
    if rules.is_empty() {
        return Ok(());
    }
    Err(AuditError::NotYet { month: settled.period.to_string(), rules })
}

/// Refuses a month whose law holds such a rule. A closed month is settled again without its budget.
fn refuse_month(month: &SettledMonth, closed: bool) -> Result<(), AuditError> {
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
            // What lines use up of them is not noted for later months yet.
            if rule.window != Window::Month && rule.quantity.is_some() {
                rules.push(format!("cap {id} on a quantity over several months"));
            }
        }
        for rule in law.shortages.iter().filter(|_| !closed) {
            rules.push(format!("shortage {}", rule.head.id));
        }
    }
    for segment in &month.law.segments {
        for item in segment.items.iter().filter(|item| item.any_sign && !item.in_kind) {
            rules.push(format!("subsidy {} with negative amounts", item.head.id));
        }
    }
    if rules.is_empty() {
        return Ok(());
    }
    rules.dedup();
    Err(AuditError::NotYet { month: month.month.to_string(), rules })
}
