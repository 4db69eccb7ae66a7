//! Fees against a ceiling that scenarios change: how many are above it, and by how much.

use super::place::Made;
use super::steps::{Building, ChangedPrice};
use crate::domain::{Basis, Breaches, Column, Stored, key_rows};
use crate::subsidy::evaluate;
use crate::tune::roll::{NOBODY, Roll};
use std::sync::Arc;

/// The rows a guide price judges.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) id: Arc<str>,
    step: usize,
    fees: Vec<i64>,
    /// Kind of the ceiling.
    kinds: Vec<u32>,
    institutions: Vec<u32>,
    all: usize,
}

impl Judged {
    /// `None` where fees or their rows are beyond the condensed path.
    pub(super) fn of(
        building: &Building<'_>,
        price: &ChangedPrice,
        (roll, all): (&Roll, usize),
    ) -> Option<Self> {
        let rule = &price.rule;
        let frames = &*building.frames;
        let frame = frames.get(&rule.basis)?;
        // The fee as filed is what the figures tell of, so it has to stand in a column.
        let filed = frame.get(rule.fee.source().trim())?;
        let Column::Num(numbers) = &filed.column else { return None };
        if numbers.den != 1 {
            return None;
        }
        let rows: Vec<u32> = (0_u32..).take(frame.rows).collect();
        let when = evaluate(&rule.when, frames, &rule.basis, &rows, &building.steps.calendar);
        let Column::Bool(applies) = &when.column else { return None };
        let homes = key_rows(frames, &rule.basis, &Basis::Institution);
        let mut this = Self {
            id: Arc::clone(&rule.head.id),
            step: price.step,
            fees: Vec::new(),
            kinds: Vec::new(),
            institutions: Vec::new(),
            all,
        };
        for (row, applies) in applies.iter().enumerate() {
            let judged = *applies && when.error(row).is_none() && !when.is_null(row);
            let Some(fee) = filed.whole(row).filter(|_| judged) else { continue };
            let home = homes.as_ref().map_or(u32::MAX, |homes| homes.at(row));
            this.fees.push(fee);
            this.kinds.push(price.kinds.of[row]);
            this.institutions
                .push(roll.institution_of.get(home as usize).copied().unwrap_or(NOBODY));
        }
        Some(this)
    }

    /// Adds what is above the ceilings of a scenario.
    pub(super) fn add(&self, made: &[Made], breaches: &mut Breaches) -> Option<()> {
        let ceilings = ceilings(&made[self.step])?;
        let mut seen = vec![false; self.all];
        for ((fee, kind), institution) in self.fees.iter().zip(&self.kinds).zip(&self.institutions)
        {
            let by = fee.saturating_sub(ceilings[*kind as usize]);
            if by > 0 {
                breaches.over += 1;
                breaches.over_fen = breaches.over_fen.checked_add(by)?;
                breaches.over_most_fen = breaches.over_most_fen.max(by);
                if let Some(seen) = seen.get_mut(*institution as usize) {
                    *seen = true;
                }
            }
        }
        breaches.institutions += seen.iter().filter(|seen| **seen).count() as u64;
        Some(())
    }
}

/// Whole fen of each kind; the greatest number where there is no ceiling.
pub(super) fn ceilings(made: &Made) -> Option<Vec<i64>> {
    let Made::Column(stored) = made else { return None };
    match &stored.column {
        Column::Num(numbers) if numbers.den == 1 => {}
        _ => return None,
    }
    let of = |stored: &Stored, kind: usize| stored.whole(kind).unwrap_or(i64::MAX);
    Some((0..stored.column.len()).map(|kind| of(stored, kind)).collect())
}
