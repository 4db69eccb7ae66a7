//! `findings.csv`: what is wrong with the data, worst first, each with what to do.

use std::cmp::Reverse;

use rayon::prelude::*;

use super::Publication;
use super::sheet::{Sheet, Values};
use crate::domain::Finding;

/// Findings by severity, then money at stake (most first, unknown last), then key.
pub(super) fn findings(run: &Publication<'_>) -> Sheet {
    let mut sorted: Vec<&Finding> = run.findings.iter().collect();
    sorted.par_sort_by(|a, b| key(a).cmp(&key(b)));
    let texts: Vec<(String, String)> = sorted.par_iter().map(|f| run.texts.finding(f)).collect();
    let mut sheet = Sheet::new("findings", sorted.len());
    let text = |pick: &dyn Fn(&Finding) -> String| {
        Values::Text(sorted.iter().map(|finding| pick(finding)).collect())
    };
    let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    sheet.put("severity", "程度", text(&|f| f.code.severity().word().to_owned()));
    sheet.put("code", "代码", text(&|f| f.code.name().to_owned()));
    sheet.put("table", "表", text(&|f| f.place.table.clone()));
    sheet.put("file", "文件", text(&|f| f.place.file.clone()));
    let records = sorted.iter().map(|f| Some(whole(f.place.record)));
    sheet.put("record", "记录号", Values::MaybeInt(records.collect()));
    sheet.put("institution_id", "统一社会信用代码", text(&|f| f.institution_id.clone()));
    sheet.put("rule", "规则", text(&|f| f.rule.clone()));
    sheet.put("count", "行数", Values::Int(sorted.iter().map(|f| whole(f.count)).collect()));
    let money = sorted.iter().map(|f| f.money.map(|fen| fen.0)).collect();
    sheet.put("money_fen", "涉及金额", Values::MaybeFen(money));
    let (says, next): (Vec<String>, Vec<String>) = texts.into_iter().unzip();
    sheet.put("text", "说明", Values::Text(says));
    sheet.put("next_step", "下一步", Values::Text(next));
    sheet
}

/// The first findings of the file, without putting all others in order.
pub(super) fn top(all: &[Finding], most: usize) -> Vec<&Finding> {
    let mut found: Vec<&Finding> = all.iter().collect();
    if found.len() > most {
        found.select_nth_unstable_by(most, |a, b| key(a).cmp(&key(b)));
        found.truncate(most);
    }
    found.sort_by(|a, b| key(a).cmp(&key(b)));
    found
}

/// The order of the file; values come last so that equal findings never depend on input order.
#[expect(clippy::type_complexity, reason = "a sort key is read once, here")]
fn key(
    finding: &Finding,
) -> (
    crate::domain::Severity,
    Reverse<Option<i64>>,
    &str,
    &str,
    &str,
    &crate::domain::Place,
    u64,
    &[(&'static str, String)],
) {
    (
        finding.code.severity(),
        Reverse(finding.money.map(|fen| fen.0)),
        finding.code.name(),
        &finding.institution_id,
        &finding.rule,
        &finding.place,
        finding.count,
        &finding.values,
    )
}
