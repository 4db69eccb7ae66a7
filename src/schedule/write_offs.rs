//! Write-offs: receivables that are given up by a reasoned act of two persons (S27). What a period still
//! takes back it takes; what would move on leaves by a `WRITE_OFF` line instead of a `CARRY_OUT`.

use super::LineKind;
use super::drafts::{Draft, Drafts, Grain};
use super::{Payee, Schedule};
use crate::job::WriteOff;
use std::sync::Arc;

/// Turns what moves on and is given up into `WRITE_OFF` lines, act by act.
pub(super) fn apply(
    moved: Vec<Draft>,
    acts: &[WriteOff],
    payees: &[Payee],
    names: &Drafts,
) -> Vec<Draft> {
    if acts.is_empty() {
        return moved;
    }
    let mut left: Vec<i64> = acts.iter().map(|act| act.amount_fen.unwrap_or(i64::MAX)).collect();
    let mut lines = Vec::with_capacity(moved.len());
    for mut line in moved {
        let Grain { payee, item, source_period, source, .. } = line.grain;
        let institution = &payees[payee as usize].institution_id;
        let [item, source] = [&names.items[item as usize], &names.sources[source as usize]];
        for (act, left) in acts.iter().zip(&mut left) {
            // A debt leaves by a line above zero.
            let fen = line.payable_fen.min(*left);
            if fen > 0 && act.holds(institution, item, source_period, source) {
                *left -= fen;
                line.payable_fen -= fen;
                line.carried_out_fen += fen;
                lines.push(Draft {
                    grain: Grain { kind: LineKind::WriteOff, ..line.grain },
                    rule_version: Arc::clone(&line.rule_version),
                    gross_fen: fen,
                    carried_out_fen: 0,
                    payable_fen: fen,
                    ..line.clone()
                });
            }
        }
        if line.payable_fen != 0 {
            lines.push(line);
        }
    }
    lines
}

impl Schedule {
    /// Fen that an act gave up in this period.
    #[must_use]
    pub fn written_off(&self, act: &WriteOff) -> i64 {
        self.lines
            .iter()
            .filter(|line| line.kind == LineKind::WriteOff)
            .filter(|line| {
                let payee = self.payees.get(line.payee as usize);
                payee.is_some_and(|payee| {
                    act.holds(&payee.institution_id, &line.item, line.source_period, &line.source)
                })
            })
            .fold(0, |sum, line| sum.saturating_add(line.payable_fen))
    }
}
