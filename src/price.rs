//! Price: facts and law in, ceiling and floor for each fee out, and breaches of the guide price.
//!
//! In: a guide price, frames. Out: the columns `ID.ceiling`, `ID.floor`, `ID.fee`, `ID.over`,
//! `ID.under`, and findings. Order: after `facts`. Never: refuses a line; `subsidy` does.

use crate::domain::{Cell, Column, NumColumn, Stored};
use crate::law::{Breach, PriceRule};
use rayon::prelude::*;

/// What a guide price says of each row: one entry a row judged.
#[derive(Debug, Clone)]
pub struct Assessed {
    /// Whether the price applies.
    pub applies: Vec<bool>,
    /// Ceiling in fen; null where none.
    pub ceiling: Stored,
    /// Floor in fen; null where none.
    pub floor: Stored,
    /// The fee as filed; null where there is none.
    pub fee: Stored,
    /// The fee that counts, where it is another than the one filed.
    pub reduced: Option<Stored>,
    /// Fee above the ceiling.
    pub over: Vec<bool>,
    /// Fee below the floor.
    pub under: Vec<bool>,
    /// Applies, but there is no fee to judge.
    pub missing: Vec<bool>,
}

/// Judges fees against ceilings and floors already evaluated on the same rows.
///
/// A ceiling without value (null: the cell is `none`, or the price does not apply) bounds nothing;
/// a fee without value is `missing`, never zero. Under `reduce_to_ceiling` the fee that counts is
/// `least(fee, ceiling)`.
#[must_use]
pub fn assess(
    rule: &PriceRule,
    when: &Stored,
    fee: Stored,
    ceiling: Stored,
    floor: Option<Stored>,
) -> Assessed {
    let rows = fee.column.len();
    let applies = match &when.column {
        Column::Bool(values) => {
            each(rows, |row| values[row] && when.error(row).is_none() && !when.is_null(row))
        }
        _ => vec![false; rows],
    };
    let over = above(&applies, &fee, &ceiling);
    let under = match &floor {
        Some(floor) => above(&applies, floor, &fee),
        None => vec![false; rows],
    };
    let missing = match &fee.nulls {
        Some(nulls) => each(rows, |row| applies[row] && nulls[row]),
        None => vec![false; rows],
    };
    let reduced = (rule.breach == Breach::ReduceToCeiling).then(|| reduce(&fee, &ceiling, &over));
    let floor = floor.unwrap_or_else(|| Stored::plain(Column::whole(Vec::new())).all_null(rows));
    Assessed { applies, ceiling, floor, fee, reduced, over, under, missing }
}

fn each(rows: usize, of: impl Fn(usize) -> bool + Sync + Send) -> Vec<bool> {
    (0..rows).into_par_iter().with_min_len(8192).map(of).collect()
}

/// Rows the price applies to where `a > b`, both known.
fn above(applies: &[bool], a: &Stored, b: &Stored) -> Vec<bool> {
    match (a, b) {
        (
            Stored { column: Column::Num(left), nulls: None, errors: None },
            Stored { column: Column::Num(right), nulls, errors: None },
        ) if left.den == right.den => {
            let known = |row: usize| nulls.as_ref().is_none_or(|nulls| !nulls[row]);
            let (left, right) = (&left.values, &right.values);
            each(applies.len(), |row| applies[row] && known(row) && left[row] > right[row])
        }
        _ => each(applies.len(), |row| applies[row] && greater(a, b, row)),
    }
}

/// Whether `a > b`, both known.
fn greater(a: &Stored, b: &Stored, row: usize) -> bool {
    if a.is_null(row) || b.is_null(row) || a.error(row).is_some() || b.error(row).is_some() {
        return false;
    }
    if let (Column::Num(left), Column::Num(right)) = (&a.column, &b.column)
        && left.den == right.den
    {
        return left.values[row] > right.values[row];
    }
    match (a.cell(row), b.cell(row)) {
        (Cell::Num(num, den), Cell::Num(other, other_den)) => {
            match (num.checked_mul(other_den), other.checked_mul(den)) {
                (Some(left), Some(right)) => left > right,
                _ => num / den > other / other_den,
            }
        }
        _ => false,
    }
}

/// The fee, or the ceiling where it is over. Errors of the ceiling stay with the row: a fee that
/// cannot be judged does not count silently.
fn reduce(fee: &Stored, ceiling: &Stored, over: &[bool]) -> Stored {
    let column = match (&fee.column, &ceiling.column) {
        (Column::Num(a), Column::Num(b)) if a.den == b.den => Column::Num(NumColumn {
            values: over
                .par_iter()
                .with_min_len(8192)
                .zip(&a.values)
                .zip(&b.values)
                .map(|((over, fee), ceiling)| if *over { *ceiling } else { *fee })
                .collect(),
            den: a.den,
        }),
        _ => Column::Ratio(
            (0..over.len())
                .map(|row| match if over[row] { ceiling.cell(row) } else { fee.cell(row) } {
                    Cell::Num(num, den) => (num, den),
                    _ => (0, 1),
                })
                .collect(),
        ),
    };
    let errors = (fee.errors.is_some() || ceiling.errors.is_some()).then(|| {
        (0..over.len()).map(|row| fee.error(row).or_else(|| ceiling.error(row))).collect()
    });
    Stored { column, nulls: fee.nulls.clone(), errors }
}
