//! What the script cannot carry yet, by name.

use super::AuditError;
use crate::settle::Settled;

/// Refuses a period that needs such a rule.
pub(super) fn refuse(settled: &Settled) -> Result<(), AuditError> {
    let mut rules = Vec::new();
    if settled.audited.is_none() {
        let kept = |month| format!("corrections of closed month {month}, which were not kept");
        rules.extend(settled.corrections.iter().map(|of| kept(of.month)));
    }
    let carries = settled.months.iter().any(|month| !month.allocation.carried.is_empty());
    if carries && super::carry::by_line(settled) {
        // Which line of the budget a claim stands on that is carried whole the script does not say.
        rules.push(
            "offsets over several budget lines beside what a short budget carries".to_owned(),
        );
    }
    if rules.is_empty() {
        return Ok(());
    }
    Err(AuditError::NotYet { month: settled.period.to_string(), rules })
}
