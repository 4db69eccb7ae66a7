//! What the script cannot carry yet, by name.

use super::AuditError;
use crate::allocation::BudgetLine;
use crate::settle::Settled;

/// Refuses a period that needs such a rule.
pub(super) fn refuse(settled: &Settled) -> Result<(), AuditError> {
    let mut rules = Vec::new();
    if settled.audited.is_none() {
        let kept = |month| format!("corrections of closed month {month}, which were not kept");
        rules.extend(settled.corrections.iter().map(|of| kept(of.month)));
    }
    // Which of several lines of the budget a debt or a correction stands on the script does not say.
    if settled.schedule.lines.iter().any(|line| line.payable_fen < 0)
        && let Some(source) = of_several_lines(&settled.schedule.budget_lines)
    {
        rules.push(format!("offsets over several budget lines of {source}"));
    }
    let budget = settled.months.last().map_or(&[][..], |last| &last.budget);
    if !settled.corrections.is_empty()
        && settled.months.iter().any(super::budget::is_read)
        && let Some(source) = of_several_lines(budget)
    {
        rules.push(format!("corrections from several budget lines of {source}"));
    }
    if rules.is_empty() {
        return Ok(());
    }
    Err(AuditError::NotYet { month: settled.period.to_string(), rules })
}

/// A source with more than one budget line.
fn of_several_lines(budget: &[BudgetLine]) -> Option<&str> {
    let mut sources: Vec<&str> = budget.iter().map(|line| line.source.as_str()).collect();
    sources.sort_unstable();
    sources.windows(2).find(|two| two[0] == two[1]).map(|two| two[0])
}
