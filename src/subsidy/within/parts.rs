//! What the rows of one group get: plain exact arithmetic, `None` on overflow.

use super::Member;
use crate::domain::{Calendar, Column, Fraction, Rounding, RowError, Span, Stored};
use crate::law::{Gap, SpreadMethod};

/// The least common multiple of numbers above zero.
pub(super) fn lcm(a: i128, b: i128) -> Option<i128> {
    let (mut left, mut rest) = (a, b);
    while rest != 0 {
        (left, rest) = (rest, left % rest);
    }
    (a / left).checked_mul(b)
}

/// One denominator for all numbers.
fn unit(numbers: impl Iterator<Item = Fraction>) -> Option<i128> {
    numbers
        .map(|number| number.reduced().den)
        .try_fold(1, |unit, den| if unit % den == 0 { Some(unit) } else { lcm(unit, den) })
}

/// A number in counts of one part of `unit`, which its denominator divides.
fn counted(number: Fraction, unit: i128) -> Option<i128> {
    let number = number.reduced();
    number.num.checked_mul(unit / number.den)
}

fn all_counted(numbers: &[Fraction], unit: i128) -> Option<Vec<i128>> {
    numbers.iter().map(|number| counted(*number, unit)).collect()
}

fn sum_above_zero(counts: &[i128]) -> Option<i128> {
    counts.iter().try_fold(0_i128, |sum, count| sum.checked_add((*count).max(0)))
}

fn fractions(counts: &[i128], unit: i128) -> Vec<Fraction> {
    counts.iter().map(|count| Fraction { num: *count, den: unit }).collect()
}

/// Parts of quantities in order, until the limit is used up. What is below zero uses up nothing.
pub(super) fn in_order(quantities: &[Fraction], limit: Fraction) -> Option<Vec<Fraction>> {
    let unit = unit(quantities.iter().copied().chain([limit]))?;
    let mut left = counted(limit, unit)?.max(0);
    let mut parts = all_counted(quantities, unit)?;
    for part in &mut parts {
        *part = (*part).min(left);
        left -= (*part).max(0);
    }
    Some(fractions(&parts, unit))
}

/// Parts of quantities that share a limit they are above, in multiples of a quantum.
pub(super) fn in_proportion(
    quantities: &[Fraction],
    limit: Fraction,
    quantum: (i128, i128),
) -> Option<Vec<Fraction>> {
    let step = Fraction { num: quantum.0, den: quantum.1 };
    let unit = unit(quantities.iter().copied().chain([limit, step]))?;
    let (limit, step) = (counted(limit, unit)?.max(0), counted(step, unit)?);
    let uses = all_counted(quantities, unit)?;
    if sum_above_zero(&uses)? <= limit {
        return Some(fractions(&uses, unit));
    }
    let fits = |at: usize, count: i128| count.checked_mul(step).is_some_and(|n| n <= uses[at]);
    let counts = shares(limit / step, &uses, &fits)?;
    let parts: Option<Vec<i128>> = counts
        .iter()
        .zip(&uses)
        .map(|(count, use_)| if *use_ < 0 { Some(*use_) } else { count.checked_mul(step) })
        .collect();
    Some(fractions(&parts?, unit))
}

/// A count shared by weights (those below zero are none), by largest remainder; equal remainders go
/// to the row that stands first. A row takes one of what is left only where that `fits`.
fn shares(count: i128, weights: &[i128], fits: &dyn Fn(usize, i128) -> bool) -> Option<Vec<i128>> {
    let total = sum_above_zero(weights)?;
    let mut parts = Vec::with_capacity(weights.len());
    let mut rests = Vec::new();
    let mut left = count;
    for (at, weight) in weights.iter().enumerate() {
        let product = count.checked_mul((*weight).max(0))?;
        let (part, rest) = (product / total, product % total);
        left -= part;
        parts.push(part);
        if rest > 0 && fits(at, part + 1) {
            rests.push((rest, at));
        }
    }
    rests.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, at) in rests.into_iter().take(usize::try_from(left).unwrap_or(0)) {
        parts[at] += 1;
    }
    Some(parts)
}

/// The rows in sequence up to each row that holds, or the sum of what they count for.
pub(super) fn streak(
    members: &[Member],
    starts: &[bool],
    counted_for: Option<&[Fraction]>,
) -> Option<Vec<Fraction>> {
    let unit = unit(counted_for.unwrap_or_default().iter().copied())?;
    let mut parts = Vec::with_capacity(members.len());
    let mut run = 0_i128;
    for (at, member) in members.iter().enumerate() {
        if starts[at] {
            run = 0;
        }
        if !member.holds {
            parts.push(0);
            continue;
        }
        let own = counted_for.map_or(Some(1), |all| counted(all[at], unit))?;
        run = run.checked_add(own)?;
        parts.push(run);
    }
    Some(fractions(&parts, unit))
}

/// Whether more than one unit lies between the values of two rows. A row without a value stands
/// beside none.
///
/// # Errors
/// A year whose work days are not published.
pub(super) fn apart(
    stored: &Stored,
    (before, row): (usize, usize),
    gap: Gap,
    calendar: &Calendar,
) -> Result<bool, RowError> {
    if gap == Gap::Rows {
        return Ok(false);
    }
    if stored.is_null(before) || stored.is_null(row) {
        return Ok(true);
    }
    if let (Gap::Integer, Some(low), Some(high)) = (gap, stored.whole(before), stored.whole(row)) {
        return Ok(high.checked_sub(low).is_none_or(|by| by > 1));
    }
    let Column::Date(dates) = &stored.column else { return Ok(true) };
    let (low, high) = (dates[before], dates[row]);
    match gap {
        Gap::Days => Ok(high.days() - low.days() > 1),
        Gap::Weeks => Ok(high.monday().days() - low.monday().days() > 7),
        Gap::Months => Ok(high.month().index() - low.month().index() > 1),
        _ => {
            let between = Span { from: low.plus_days(1), until: high.plus_days(-1) };
            let days = calendar.workdays(between).map_err(|_| RowError::TableMiss)?;
            Ok(days > 0)
        }
    }
}

/// Parts of an amount that is a multiple of the quantum. Nothing is spread over weights of nothing.
///
/// # Errors
/// An amount other than zero and no weight above zero.
pub(super) fn spread(
    figures: &[Fraction],
    amount: Fraction,
    round: Rounding,
    method: &SpreadMethod,
) -> Result<Option<Vec<Fraction>>, RowError> {
    let negative = amount.num < 0;
    let Some(size) = amount.num.checked_abs() else { return Ok(None) };
    let size = Fraction { num: size, den: amount.den };
    let parts = match method {
        SpreadMethod::One => {
            let rest = std::iter::repeat_n(Fraction::whole(0), figures.len().saturating_sub(1));
            Some(std::iter::once(size).chain(rest).collect())
        }
        SpreadMethod::Queue(_) => {
            let above = |most: &Fraction| if most.num < 0 { Fraction::whole(0) } else { *most };
            in_order(&figures.iter().map(above).collect::<Vec<_>>(), size)
        }
        SpreadMethod::ProRata(_) => {
            if size.num != 0 && figures.iter().all(|weight| weight.num <= 0) {
                return Err(RowError::DivisionByZero);
            }
            by_weight(figures, size, round.quantum)
        }
    };
    let signed =
        |part: Fraction| Fraction { num: if negative { -part.num } else { part.num }, ..part };
    Ok(parts.map(|parts| parts.into_iter().map(signed).collect()))
}

fn by_weight(
    weights: &[Fraction],
    amount: Fraction,
    (top, bottom): (i128, i128),
) -> Option<Vec<Fraction>> {
    if amount.num == 0 {
        return Some(vec![Fraction::whole(0); weights.len()]);
    }
    let count = amount.num.checked_mul(bottom)? / amount.den.checked_mul(top)?;
    let unit = unit(weights.iter().copied())?;
    let counts = shares(count, &all_counted(weights, unit)?, &|_, _| true)?;
    let part = |count: i128| Some(Fraction { num: count.checked_mul(top)?, den: bottom });
    counts.into_iter().map(part).collect()
}
