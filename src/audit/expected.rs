//! What the settlement says, in the layout and order of the script's output.

use crate::settle::{Settled, SettledMonth};
use crate::subsidy::LineStatus;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Header of `expected.csv` and `recomputed.csv`.
pub const CELLS: &str =
    "\"kind\",\"source_month\",\"institution_id\",\"item\",\"source\",amount_fen\n";
/// Header of `expected_lines.csv` and `recomputed_lines.csv`.
pub const LINES: &str = "\"month\",\"item\",\"status\",\"reason\",lines\n";

/// Header of `expected_amounts.csv` and `recomputed_amounts.csv`.
pub const AMOUNTS: &str = "\"month\",\"item\",line,\"status\",amount_fen,allocated_fen\n";

/// Fen by kind, service month, institution, item and source, as the schedule has them; nothing where
/// the sum is zero.
pub(super) fn cells(settled: &Settled) -> String {
    let mut sums: BTreeMap<[String; 5], i128> = BTreeMap::new();
    for line in &settled.schedule.lines {
        let payee = settled.schedule.payees.get(line.payee as usize);
        let key = [
            line.kind.word().to_owned(),
            line.source_period.to_string(),
            payee.map_or_else(String::new, |payee| payee.institution_id.to_string()),
            line.item.to_string(),
            line.source.to_string(),
        ];
        *sums.entry(key).or_default() += i128::from(line.payable_fen);
    }
    let mut text = CELLS.to_owned();
    for (key, fen) in sums.iter().filter(|(_, fen)| **fen != 0) {
        row(&mut text, key, fen);
    }
    text
}

/// Closed months as they were settled again, then the period's own.
fn all_months(settled: &Settled) -> impl Iterator<Item = &SettledMonth> {
    let again = settled.audited.iter().flat_map(|of| &of.again).map(|of| &of.month);
    again.chain(&settled.months)
}

/// Lines by month, item, status and reason; of closed months as they were settled again.
pub(super) fn lines(settled: &Settled) -> String {
    let mut counts: BTreeMap<[String; 4], u64> = BTreeMap::new();
    for month in all_months(settled) {
        for lines in &month.entitlements.items {
            for (status, reason) in lines.status.iter().zip(&lines.reason) {
                if *status != LineStatus::Absent {
                    let reason = month.entitlements.reasons.text(u32::from(*reason));
                    let key = [
                        month.month.to_string(),
                        lines.item.to_string(),
                        status.word().to_owned(),
                        reason.to_owned(),
                    ];
                    *counts.entry(key).or_default() += 1;
                }
            }
        }
    }
    let mut text = LINES.to_owned();
    for (key, count) in &counts {
        row(&mut text, key, count);
    }
    text
}

/// Every line with an amount by month, item and row of the facts: what it is due, and what is left of
/// it after exclusions, caps and budget.
pub(super) fn amounts(settled: &Settled) -> String {
    let mut text = AMOUNTS.to_owned();
    for month in all_months(settled) {
        let mut items: Vec<_> = month.entitlements.items.iter().collect();
        items.sort_by(|a, b| a.item.cmp(&b.item));
        for lines in items {
            let (period, item) = (quoted(&month.month.to_string()), quoted(&lines.item));
            let money = lines.amount.iter().zip(&lines.allocated);
            for (row, (status, (amount, left))) in lines.status.iter().zip(money).enumerate() {
                if *amount != 0 {
                    let status = quoted(status.word());
                    let _ = writeln!(text, "{period},{item},{row},{status},{amount},{left}");
                }
            }
        }
    }
    text
}

fn row(text: &mut String, key: &[String], number: &dyn std::fmt::Display) {
    for word in key {
        let _ = write!(text, "{},", quoted(word));
    }
    let _ = writeln!(text, "{number}");
}

/// A text as a quoted CSV field.
pub(super) fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('"', "\"\""))
}
