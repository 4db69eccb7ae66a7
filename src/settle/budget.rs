//! Budget lines as delivered, and what is left of them.

use super::IN_THIS_PERIOD;
use crate::allocation::{BudgetLine, PostedLine};
use crate::domain::{Column, Month};
use crate::facts;
use crate::intake::Tables;
use std::collections::BTreeMap;

/// Rows of the budget table for the month's fiscal year.
pub(super) fn budget_rows(tables: &Tables, month: Month) -> Vec<u32> {
    let Some(table) = tables.get("budget") else { return Vec::new() };
    let of_year = |row: usize| match table.get("fiscal_year").map(|stored| &stored.column) {
        Some(Column::Num(years)) => years.values[row] / years.den == i64::from(month.year()),
        _ => false,
    };
    (0..table.rows).filter(|row| of_year(*row)).filter_map(|row| u32::try_from(row).ok()).collect()
}

/// The budget lines of the month's fiscal year.
pub(super) fn budget_lines(tables: &Tables, month: Month) -> Vec<BudgetLine> {
    let Some(table) = tables.get("budget") else { return Vec::new() };
    let text = |column: &str, row: usize| facts::text_at(table.get(column), row);
    let whole = |column: &str, row: usize| match table.get(column).map(|s| &s.column) {
        Some(Column::Num(numbers)) => numbers.values[row] / numbers.den,
        _ => 0,
    };
    let known = |column: &str, row: usize| table.get(column).is_some_and(|of| !of.is_null(row));
    let mut lines: Vec<BudgetLine> = budget_rows(tables, month)
        .into_iter()
        .map(|row| row as usize)
        .map(|row| BudgetLine {
            budget_doc_no: text("budget_doc_no", row),
            source: text("source", row),
            exp_func_code: text("exp_func_code", row),
            gov_eco_code: text("gov_eco_code", row),
            dep_eco_code: text("dep_eco_code", row),
            fund_type_code: text("fund_type_code", row),
            project_code: text("project_code", row),
            balance_fen: whole("balance", row),
            amount_fen: known("amount", row).then(|| whole("amount", row)),
            fiscal_year: month.year(),
        })
        .collect();
    lines.sort_by(|a, b| (&a.source, &a.budget_doc_no).cmp(&(&b.source, &b.budget_doc_no)));
    lines
}

/// Budget lines less what earlier months of this period took.
pub(super) fn less_taken(lines: &[BudgetLine], used_up: &[PostedLine]) -> Vec<BudgetLine> {
    let mut lines = lines.to_vec();
    for line in &mut lines {
        // What an institution owes does not widen the budget: it may never come.
        let mut taken: BTreeMap<&str, i64> = BTreeMap::new();
        let of_line = |p: &&PostedLine| {
            p.period == IN_THIS_PERIOD
                && *p.budget_doc_no == *line.budget_doc_no
                && *p.source == *line.source
        };
        for posted in used_up.iter().filter(of_line) {
            let sum = taken.entry(&posted.institution_id).or_default();
            *sum = sum.saturating_add(posted.payable_fen);
        }
        let taken = taken.values().fold(0_i64, |sum, fen| sum.saturating_add((*fen).max(0)));
        line.balance_fen = line.balance_fen.saturating_sub(taken);
    }
    lines
}
