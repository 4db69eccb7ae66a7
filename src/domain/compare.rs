//! The order of values: nulls first, numbers exactly.

use super::{Column, Fraction, Stored};
use std::cmp::Ordering;

/// Compares two values, nulls first. Values of different types (two bases that give one name to
/// different columns) compare by type.
#[must_use]
pub fn compare_cells(a: &Stored, i: usize, b: &Stored, j: usize) -> Ordering {
    match (a.is_null(i), b.is_null(j)) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Less,
        (false, true) => return Ordering::Greater,
        (false, false) => {}
    }
    match (&a.column, &b.column) {
        (Column::Bool(left), Column::Bool(right)) => left[i].cmp(&right[j]),
        (Column::Date(left), Column::Date(right)) => left[i].cmp(&right[j]),
        (Column::Key(left), Column::Key(right)) => left.keys[i].cmp(&right.keys[j]),
        (Column::Code(left), Column::Code(right)) => {
            left.list.text(left.codes[i]).cmp(right.list.text(right.codes[j]))
        }
        (Column::Num(left), Column::Num(right)) if left.den == right.den => {
            left.values[i].cmp(&right.values[j])
        }
        _ => match (a.number(i), b.number(j)) {
            (Some(left), Some(right)) => compare_fractions(left, right),
            (left, right) => left.is_some().cmp(&right.is_some()),
        },
    }
}

/// Compares exactly, by whole parts first so that the products cannot overflow in practice.
fn compare_fractions(x: Fraction, y: Fraction) -> Ordering {
    let whole = x.num.div_euclid(x.den).cmp(&y.num.div_euclid(y.den));
    whole.then_with(|| {
        let left = x.num.rem_euclid(x.den).checked_mul(y.den);
        let right = y.num.rem_euclid(y.den).checked_mul(x.den);
        left.cmp(&right)
    })
}
