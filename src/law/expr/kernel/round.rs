//! Rounding to a multiple of a quantum (S12).

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::domain::RoundingMode;
use crate::law::expr::exact::{Exact, Quantum, gcd};

use super::number::slow;
use super::vector::{Arg, Data, Sel, Vector, map1, map2, share_nulls};

/// Rounded to a multiple of the quantum; null stays null.
pub(super) fn round<'a>(a: &Vector<'a>, to: Quantum, sel: Sel<'_>) -> Vector<'a> {
    let (errs, nulls) = (a.errs.clone(), share_nulls(a));
    let fast = match &a.data {
        Data::Int(values, den) => round_int(values, *den, to, sel),
        Data::Frac(nums, dens) => round_frac(nums, dens, to, sel),
        _ => None,
    };
    if let Some(values) = fast
        && let Ok(den) = i64::try_from(to.den)
    {
        return Vector { data: Data::Int(Cow::Owned(values), den), nulls, errs };
    }
    if matches!(a.data, Data::One(crate::domain::Cell::Null)) {
        return a.clone();
    }
    let mut rounded = slow(sel, errs, |row| {
        if nulls.as_ref().is_some_and(|nulls| nulls[row]) {
            return Some(Exact::whole(0));
        }
        a.exact(row)?.round(to)
    });
    rounded.nulls = nulls;
    rounded
}

/// `x / den` to a multiple of the quantum, as numerators over the quantum's denominator.
fn round_int(values: &[i64], den: i64, to: Quantum, sel: Sel<'_>) -> Option<Vec<i64>> {
    let quantum = i64::try_from(to.num).ok()?;
    // The count of quanta is x * up / down.
    let down = i128::from(den).checked_mul(to.num)?;
    let by = i128::try_from(gcd(to.den.unsigned_abs(), down.unsigned_abs())).ok()?;
    let up = i64::try_from(to.den / by).ok()?;
    let down = i64::try_from(down / by).ok()?;
    let mut bad = false;
    let values = Arg::Each(values);
    let out = if down == 1 {
        let factor = up.checked_mul(quantum)?;
        map1(sel, values, |x| {
            let (value, over) = x.overflowing_mul(factor);
            bad |= over;
            value
        })
    } else {
        let divisor = Divisor::new(down);
        match to.mode {
            RoundingMode::HalfUp => map1(sel, values, |x| {
                step(x, up, quantum, &mut bad, |x| divisor.round(RoundingMode::HalfUp, x))
            }),
            RoundingMode::Floor => map1(sel, values, |x| {
                step(x, up, quantum, &mut bad, |x| divisor.round(RoundingMode::Floor, x))
            }),
            mode => {
                map1(sel, values, |x| step(x, up, quantum, &mut bad, |x| divisor.round(mode, x)))
            }
        }
    };
    (!bad).then_some(out)
}

#[inline]
fn step(x: i64, up: i64, quantum: i64, bad: &mut bool, count: impl Fn(i64) -> i64) -> i64 {
    let (x, over) = x.overflowing_mul(up);
    let (value, also) = count(x).overflowing_mul(quantum);
    // The smallest number has no magnitude of its own width; it takes the slow way.
    *bad |= over | also || (x == i64::MIN);
    value
}

/// Division by one number many times: a multiplication by its scaled reciprocal.
///
/// For 2^(l-1) < d <= 2^l and m = ceil(2^(63+l) / d), floor(n m / 2^(63+l)) = floor(n / d) for all
/// n < 2^63 (Granlund and Montgomery 1994, theorem 4.2 with 63 bits); m fits 64 bits.
struct Divisor {
    by: i64,
    factor: u64,
    shift: u32,
}

impl Divisor {
    /// `by` is above zero.
    fn new(by: i64) -> Self {
        let by_bits = by.unsigned_abs();
        let bits = 64 - (by_bits - 1).leading_zeros();
        let shift = 63 + bits;
        let factor = (1_u128 << shift).div_ceil(u128::from(by_bits));
        Self { by, factor: u64::try_from(factor).unwrap_or(u64::MAX), shift }
    }

    #[inline]
    fn round(&self, mode: RoundingMode, num: i64) -> i64 {
        let size = num.unsigned_abs();
        let product = u128::from(size).wrapping_mul(u128::from(self.factor));
        // The count is at most `size`; zero stands in for the smallest number, which is not asked.
        let count = i64::try_from(product >> self.shift).unwrap_or(0);
        let rest = size.cast_signed().wrapping_sub(count.wrapping_mul(self.by));
        nearest(mode, num, count, rest, self.by)
    }
}

/// The whole number next to `num / den`, given count and rest of the magnitudes.
#[inline]
fn nearest(mode: RoundingMode, num: i64, count: i64, rest: i64, den: i64) -> i64 {
    let away = rest != 0
        && match mode {
            RoundingMode::Floor => num < 0,
            RoundingMode::Ceil => num > 0,
            RoundingMode::Up => true,
            RoundingMode::Down => false,
            RoundingMode::HalfUp => rest >= den - rest,
            RoundingMode::HalfEven => match rest.cmp(&(den - rest)) {
                Ordering::Less => false,
                Ordering::Greater => true,
                Ordering::Equal => count & 1 != 0,
            },
        };
    let size = count.wrapping_add(i64::from(away));
    if num < 0 { size.wrapping_neg() } else { size }
}

fn round_frac(nums: &[i64], dens: &[i64], to: Quantum, sel: Sel<'_>) -> Option<Vec<i64>> {
    let (quantum, parts) = (i64::try_from(to.num).ok()?, i64::try_from(to.den).ok()?);
    let mut bad = false;
    let out = map2(sel, Arg::Each(nums), Arg::Each(dens), |num, den| {
        let (num, over) = num.overflowing_mul(parts);
        let (den, also) = den.overflowing_mul(quantum);
        bad |= over | also || (num == i64::MIN) || (den < 1);
        if bad {
            return 0;
        }
        let (size, by) = (num.unsigned_abs(), den.unsigned_abs());
        // Short numbers divide several times faster on many processors.
        let count = match (u32::try_from(size), u32::try_from(by)) {
            (Ok(size), Ok(by)) => u64::from(size / by),
            _ => size / by,
        };
        let count = count.cast_signed();
        let rest = size.cast_signed() - count * den;
        let (value, over) = nearest(to.mode, num, count, rest, den).overflowing_mul(quantum);
        bad |= over;
        value
    });
    (!bad).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_by_reciprocal_is_division() {
        let divisors =
            [1, 2, 3, 7, 10, 22, 97, 1 << 20, (1 << 31) - 1, 1 << 62, i64::MAX - 1, i64::MAX];
        let numbers = [0, 1, 2, 21, 96, 97, 98, 1 << 31, (1 << 62) - 1, 1 << 62, i64::MAX];
        for by in divisors {
            let divisor = Divisor::new(by);
            for number in numbers.iter().flat_map(|n| [*n, -*n]) {
                for (_, mode) in RoundingMode::WORDS {
                    let want = mode.divide(number.into(), by.into()).expect("fits");
                    let found = divisor.round(mode, number);
                    assert_eq!(i128::from(found), want, "{number} / {by} {mode:?}");
                }
            }
        }
    }
}
