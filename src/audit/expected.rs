//! What the settlement says, in the layout and order of the script's output.

use crate::settle::Settled;
use crate::subsidy::LineStatus;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Header of `expected.csv` and `recomputed.csv`.
pub const CELLS: &str =
    "\"kind\",\"source_month\",\"institution_id\",\"item\",\"source\",amount_fen\n";
/// Header of `expected_lines.csv` and `recomputed_lines.csv`.
pub const LINES: &str = "\"month\",\"item\",\"status\",\"reason\",lines\n";

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

/// Lines by month, item, status and reason; of closed months as they were settled again.
pub(super) fn lines(settled: &Settled) -> String {
    let mut counts: BTreeMap<[String; 4], u64> = BTreeMap::new();
    let again = settled.audited.iter().flat_map(|of| &of.again).map(|of| &of.month);
    for month in again.chain(&settled.months) {
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
