//! Findings that need the whole period: inputs absent or stale, payments held, cuts.

use super::deliveries::Delivered;
use super::{IN_THIS_PERIOD, SettledMonth};
use crate::allocation::PostedLine;
use crate::domain::{Fen, Finding, FindingCode, Month};
use crate::job::WriteOff;
use crate::law::LawOfMonth;
use crate::schedule::{LineKind, Schedule};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Tables the law reads that were not delivered, or were delivered for earlier months only.
pub(super) fn absent_and_stale(
    delivered: &Delivered,
    laws: &[(Month, LawOfMonth)],
    period: Month,
) -> Vec<Finding> {
    let mut read: BTreeSet<&str> = BTreeSet::new();
    for (_, law) in laws {
        read.extend(law.tables_read.iter().map(|table| &**table));
    }
    let mut findings = Vec::new();
    for table in read {
        let mut finding = Finding::of(FindingCode::InputAbsent);
        table.clone_into(&mut finding.place.table);
        table.clone_into(&mut finding.rule);
        let spec = delivered.specs.iter().find(|spec| spec.table == table);
        let until = spec.and_then(|spec| spec.complete_for).map(|(_, until)| until);
        if delivered.whole.get(table).is_none() {
            findings.push(finding);
        } else if let Some(until) = until.filter(|until| *until < period) {
            finding.code = FindingCode::InputStale;
            finding.values = vec![("until", until.to_string()), ("period", period.to_string())];
            findings.push(finding);
        }
    }
    findings
}

/// One finding for each payee whose payments are held.
pub(super) fn holds(schedule: &Schedule) -> Vec<Finding> {
    let mut money: BTreeMap<u32, i64> = BTreeMap::new();
    for payment in &schedule.payments {
        *money.entry(payment.payee).or_default() += payment.amount_fen;
    }
    money
        .into_iter()
        .filter_map(|(payee, fen)| Some((schedule.payees.get(payee as usize)?, fen)))
        .filter(|(payee, _)| !payee.hold_reason.is_empty())
        .map(|(payee, fen)| {
            let mut finding = Finding::of(FindingCode::PaymentHeld);
            finding.institution_id = payee.institution_id.to_string();
            finding.rule = payee.hold_reason.to_string();
            finding.money = Some(Fen(fen));
            finding.values = vec![("reason", payee.hold_reason.to_string())];
            finding
        })
        .collect()
}

/// Caps that bound and budgets that were short, by institution and rule.
pub(super) fn cuts(months: &[SettledMonth]) -> Vec<Finding> {
    let mut counts: BTreeMap<(String, String, bool), (u64, i64)> = BTreeMap::new();
    for month in months {
        let short: BTreeSet<&str> = month
            .law
            .segments
            .iter()
            .flat_map(|law| law.shortages.iter().map(|rule| &*rule.head.id))
            .collect();
        for cut in &month.allocation.cuts {
            let id = cut
                .institution
                .map_or_else(String::new, |row| month.entitlements.owner(&month.frames, row));
            let key = (id, cut.rule.to_string(), short.contains(&*cut.rule));
            let slot = counts.entry(key).or_default();
            slot.0 += 1;
            slot.1 = slot.1.saturating_add(cut.cut_fen);
        }
    }
    counts
        .into_iter()
        .map(|((id, rule, short), (count, fen))| {
            let code = if short { FindingCode::BudgetShort } else { FindingCode::CapBinding };
            let mut finding = Finding::of(code);
            finding.institution_id = id;
            finding.rule = rule;
            finding.count = count;
            finding.money = Some(Fen(fen));
            finding
        })
        .collect()
}

/// One finding a write-off: what it gave up, or that there was nothing.
pub(super) fn written_off(acts: &[WriteOff], schedule: &Schedule) -> Vec<Finding> {
    let told = |act: &WriteOff| {
        let fen = schedule.written_off(act);
        let code = if fen > 0 { FindingCode::WrittenOff } else { FindingCode::NothingToWriteOff };
        let mut finding = Finding::of(code);
        finding.institution_id.clone_from(&act.institution_id);
        finding.money = Some(Fen(fen));
        finding.values = vec![("found", Fen(fen).to_string()), ("expected", act.by.join("、"))];
        finding
    };
    acts.iter().map(told).collect()
}

/// The month just allocated, as lines that later months of the same period count as used up. What a
/// shortage carries is used up of caps, and of no budget yet.
pub(super) fn as_posted(settled: &SettledMonth) -> Vec<PostedLine> {
    let allocation = &settled.allocation;
    let [original, nothing]: [Arc<str>; 2] = [LineKind::Original.word().into(), "".into()];
    let docs: Vec<Arc<str>> =
        allocation.budget_lines.iter().map(|line| line.budget_doc_no.as_str().into()).collect();
    let line = |institution: u32, item: u32, payable_fen: i64| PostedLine {
        period: IN_THIS_PERIOD,
        source_period: settled.month,
        institution_id: settled.entitlements.owner(&settled.frames, institution).into(),
        item: Arc::clone(&settled.entitlements.items[item as usize].item),
        line_kind: Arc::clone(&original),
        source: Arc::clone(&nothing),
        payable_fen,
        budget_doc_no: Arc::clone(&nothing),
    };
    let cells = allocation.cells.iter().map(|cell| PostedLine {
        source: Arc::clone(&allocation.sources[cell.source as usize]),
        budget_doc_no: Arc::clone(docs.get(cell.budget_line as usize).unwrap_or(&nothing)),
        ..line(cell.institution, cell.item, cell.fen)
    });
    let carried = allocation.carried.iter().map(|(row, item, fen)| line(*row, *item, *fen));
    cells.chain(carried).collect()
}
