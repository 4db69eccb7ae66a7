//! Offsets 抵扣: what an institution owes is taken from what it is paid, oldest first, then the largest,
//! of equal ones the first item of the law; at most the stated part a period. The rest moves on (S27).
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
        let mut left: Vec<i64> = purses.iter().map(|purse| most_of(purse, rule)).collect();
        let mut left_of_all = rule.and_then(|rule| rule.amount_fen).unwrap_or(i64::MAX);
        // One order over all purses: an amount is for the oldest debt, whichever source it is owed to.
        let mut owed: Vec<(Month, Reverse<i64>, u32, usize)> = Vec::new();
        for (at, purse) in purses.iter().enumerate() {
            owed.extend(
                purse.owed.iter().map(|(month, fen, item)| (*month, Reverse(*fen), *item, at)),
            );
        }
        owed.sort_unstable();
        for (month, Reverse(fen), item, at) in owed {
            let taken = fen.min(left[at]).min(left_of_all);
            left[at] -= taken;
            left_of_all -= taken;
            move_on(lines, &purses[at], (month, item), fen - taken, &mut moved);
        }
    }
    Ok(moved)
}

/// The most that is taken of one payment.
fn most_of(purse: &Purse<'_>, rule: Option<&OffsetRule>) -> i64 {
    let Some(share) = rule.and_then(|rule| rule.share) else { return purse.paid };
    let part = i128::from(purse.paid).checked_mul(share.num);
    let part = part.and_then(|part| i64::try_from(part / share.den).ok());
    part.map_or(purse.paid, |part| part.min(purse.paid))
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
