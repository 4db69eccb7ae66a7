//! Offsets 抵扣: what an institution owes is taken from what it is paid, oldest first, at most the
//! stated part a period; the rest moves on (S27).
//!
//! What one source and budget line is owed is taken from payments of that source and budget line. Money
//! of one item and service month is netted before anything is called owed: a refund and its
//! correction are one sum.

use super::LineKind;
use super::drafts::{Draft, Grain};
use super::payments::{by_payment, key};
use crate::domain::Month;
use crate::law::OffsetRule;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A payee for which a sum does not fit 64 bits.
type Beyond = u32;

/// What one payment has: its lines, what is paid and what is owed.
struct Purse<'g> {
    lines: &'g [usize],
    paid: i64,
    /// (service month, fen owed, item), one for each item and month that is below zero.
    owed: Vec<(Month, i64, u32)>,
}

impl<'g> Purse<'g> {
    fn of(lines: &[Draft], group: &'g [usize]) -> Result<Self, Beyond> {
        let mut nets: BTreeMap<(Month, u32), i64> = BTreeMap::new();
        for at in group {
            let line = &lines[*at];
            let net = nets.entry((line.grain.source_period, line.grain.item)).or_default();
            *net = net.checked_add(line.payable_fen).ok_or(line.grain.payee)?;
        }
        let mut purse = Self { lines: group, paid: 0, owed: Vec::new() };
        for ((month, item), net) in nets {
            if net >= 0 {
                let payee = lines[group[0]].grain.payee;
                purse.paid = purse.paid.checked_add(net).ok_or(payee)?;
            } else {
                purse.owed.push((month, net.saturating_neg(), item));
            }
        }
        // Oldest first, then the largest; of equal ones the first item of the law.
        purse.owed.sort_by_key(|(month, fen, item)| (*month, Reverse(*fen), *item));
        Ok(purse)
    }
}

/// `CARRY_OUT` lines for what is owed and not taken back now, so that no payment is below zero and
/// no more is taken than the law allows in one period.
pub(super) fn carried_out(
    lines: &[Draft],
    rule: Option<&OffsetRule>,
) -> Result<Vec<Draft>, Beyond> {
    let mut moved = Vec::new();
    if lines.iter().all(|line| line.payable_fen >= 0) {
        return Ok(moved);
    }
    let places = by_payment(lines);
    let payee = |at: &usize| lines[*at].grain.payee;
    for of_payee in places.chunk_by(|a, b| payee(a) == payee(b)) {
        let purses: Vec<Purse<'_>> = of_payee
            .chunk_by(|a, b| key(&lines[*a]) == key(&lines[*b]))
            .map(|group| Purse::of(lines, group))
            .collect::<Result<_, _>>()?;
        let mut left_of_amount = rule.and_then(|rule| rule.amount_fen);
        for purse in purses.iter().filter(|purse| !purse.owed.is_empty()) {
            let mut most = purse.paid;
            if let Some(share) = rule.and_then(|rule| rule.share) {
                let part = i128::from(purse.paid).checked_mul(share.num);
                let part = part.and_then(|part| i64::try_from(part / share.den).ok());
                most = part.map_or(most, |part| part.min(most));
            }
            if let Some(left) = left_of_amount {
                most = most.min(left);
            }
            let mut left = most;
            for (month, fen, item) in &purse.owed {
                let taken = left.min(*fen);
                left -= taken;
                move_on(lines, purse, (*month, *item), fen - taken, &mut moved);
            }
            left_of_amount = left_of_amount.map(|all| all - (most - left));
        }
    }
    Ok(moved)
}

/// Moves fen owed for an item and month to a later period.
fn move_on(lines: &[Draft], purse: &Purse<'_>, of: (Month, u32), fen: i64, moved: &mut Vec<Draft>) {
    let owes = |at: &&usize| {
        let line = &lines[**at];
        (line.grain.source_period, line.grain.item) == of && line.payable_fen < 0
    };
    if let (true, Some(at)) = (fen > 0, purse.lines.iter().find(owes)) {
        let line = &lines[*at];
        let grain = Grain { kind: LineKind::CarryOut, ..line.grain };
        moved.push(Draft::moved(grain, Arc::clone(&line.rule_version), -fen));
    }
}
