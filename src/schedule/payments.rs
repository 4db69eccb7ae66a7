//! Payments: lines of one payee, source and budget line summed, never below zero (S28).

use super::drafts::{Draft, Drafts, Grain};
use super::{
    BudgetLine, Payee, Payment, Schedule, ScheduleError, ScheduleLine, offsets, write_offs,
};
use crate::domain::{Date, Month, hex_upper};
use crate::job::WriteOff;
use crate::law::OffsetRule;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Lifts negative payments to zero, numbers the lines and makes the payments.
pub(super) fn pay(
    job_id: &str,
    period: Month,
    pay_on: Option<Date>,
    (offset, written_off): (Option<&OffsetRule>, &[WriteOff]),
    mut drafts: Drafts,
) -> Result<Schedule, ScheduleError> {
    let payees = std::mem::take(&mut drafts.payees.list);
    let mut lines = merged(std::mem::take(&mut drafts.lines), &payees)?;
    let moved = offsets::carried_out(&lines, offset)
        .map_err(|payee| ScheduleError::Overflow { institution_id: name_of(&payees, payee) })?;
    if !moved.is_empty() {
        lines.extend(write_offs::apply(moved, written_off, &payees, &drafts));
        lines = merged(lines, &payees)?;
    }
    let mut schedule = Schedule {
        payees,
        budget_lines: std::mem::take(&mut drafts.budget_lines),
        lines: Vec::new(),
        payments: Vec::new(),
    };
    let mut payment_of = vec![u32::MAX; lines.len()];
    for group in by_payment(&lines).chunk_by(|a, b| key(&lines[*a]) == key(&lines[*b])) {
        let paid = group.iter().copied().filter(|at| lines[*at].payable_fen != 0);
        let amount = sum(&lines, group, &schedule.payees)?;
        let first = lines[group[0]].grain;
        if amount <= 0 {
            continue;
        }
        let number = u32::try_from(schedule.payments.len()).unwrap_or(u32::MAX);
        let mut count = 0;
        for at in paid {
            payment_of[at] = number;
            count += 1;
        }
        schedule.payments.push(Payment {
            payment_no: format!("{period}-{:06}", u64::from(number) + 1),
            end_to_end_id: String::new(),
            payee: first.payee,
            budget_line: first.budget_line,
            source: Arc::clone(&drafts.sources[first.source as usize]),
            pay_on,
            amount_fen: amount,
            lines: count,
        });
    }
    let Schedule { payees, budget_lines, payments, .. } = &mut schedule;
    let period = period.to_string();
    payments.par_iter_mut().for_each(|payment| {
        let payee = &payees[payment.payee as usize];
        let line = budget_lines.get(payment.budget_line as usize);
        let stable = [job_id, &period, &*payee.institution_id, &*payee.account_no];
        payment.end_to_end_id = end_to_end_id(stable, &payment.source, line, pay_on);
    });
    let numbered = |((at, draft), payment): ((usize, Draft), u32)| {
        let line_no = u32::try_from(at).map_or(u32::MAX, |at| at.saturating_add(1));
        ScheduleLine {
            line_no,
            payee: draft.grain.payee,
            kind: draft.grain.kind,
            source_period: draft.grain.source_period,
            item: Arc::clone(&drafts.items[draft.grain.item as usize]),
            quantity: draft.quantity,
            rate_fen: draft.rate_fen,
            gross_fen: draft.gross_fen,
            cut_fen: draft.cut_fen,
            carried_in_fen: draft.carried_in_fen,
            carried_out_fen: draft.carried_out_fen,
            payable_fen: draft.payable_fen,
            source: Arc::clone(&drafts.sources[draft.grain.source as usize]),
            budget_line: draft.grain.budget_line,
            pay_on,
            rule_version: draft.rule_version,
            payment,
        }
    };
    let lines = lines.into_par_iter().with_min_len(4096).enumerate().zip(payment_of);
    schedule.lines = lines.map(numbered).collect();
    Ok(schedule)
}

fn name_of(payees: &[Payee], payee: u32) -> Arc<str> {
    let payee = payees.get(payee as usize);
    payee.map_or_else(|| Arc::from(""), |payee| Arc::clone(&payee.institution_id))
}

fn overflow(payees: &[Payee], grain: &Grain) -> ScheduleError {
    ScheduleError::Overflow { institution_id: name_of(payees, grain.payee) }
}

fn sum(lines: &[Draft], places: &[usize], payees: &[Payee]) -> Result<i64, ScheduleError> {
    places.iter().try_fold(0_i64, |sum, at| {
        sum.checked_add(lines[*at].payable_fen).ok_or_else(|| overflow(payees, &lines[*at].grain))
    })
}

/// Lines in order, those of one grain made one.
fn merged(mut lines: Vec<Draft>, payees: &[Payee]) -> Result<Vec<Draft>, ScheduleError> {
    lines.par_sort_by_key(|line| line.grain);
    let mut too_large: Option<Grain> = None;
    lines.dedup_by(|line, last| {
        let same = line.grain == last.grain;
        if same && last.add(line).is_none() {
            too_large.get_or_insert(line.grain);
        }
        same
    });
    match too_large {
        None => Ok(lines),
        Some(grain) => Err(overflow(payees, &grain)),
    }
}

/// What the lines of one payment share; the account is the payee's and the pay date the period's.
pub(super) const fn key(line: &Draft) -> (u32, u32, u32) {
    (line.grain.payee, line.grain.source, line.grain.budget_line)
}

/// Places of the lines in order of payments.
pub(super) fn by_payment(lines: &[Draft]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..lines.len()).collect();
    places.par_sort_unstable_by_key(|at| (key(&lines[*at]), *at));
    places
}

/// 32 hexadecimal characters of a hash over what makes the payment the same one in a rerun; upper
/// case, so that a bank that folds case returns it unchanged.
fn end_to_end_id(
    stable: [&str; 4],
    source: &str,
    line: Option<&BudgetLine>,
    pay_on: Option<Date>,
) -> String {
    let mut hash = Sha256::new();
    let mut feed = |text: &str| {
        // The length before each part keeps ("ab", "c") and ("a", "bc") apart.
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    for text in stable {
        feed(text);
    }
    feed(source);
    if let Some(line) = line {
        for text in [
            &line.budget_doc_no,
            &line.exp_func_code,
            &line.gov_eco_code,
            &line.dep_eco_code,
            &line.fund_type_code,
            &line.project_code,
            &line.fiscal_year.to_string(),
        ] {
            feed(text);
        }
    }
    feed(&pay_on.map_or_else(String::new, |date| date.to_string()));
    hex_upper(&hash.finalize()[..16])
}
