//! Exact arithmetic on reduced fractions: the meaning every back end must reproduce.
//!
//! Operands are in lowest terms; a result exists when the numbers written down here fit 128 bits.
//! The fast kernels work with larger, unreduced numbers, so whatever they manage without overflow
//! exists here too; where they overflow they ask here. The SQL back end writes the same steps.

use crate::domain::{Rounding, RoundingMode};
use std::cmp::Ordering;

/// A fraction in lowest terms, `den > 0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Exact {
    /// Numerator, never `i128::MIN`.
    pub(super) num: i128,
    /// Denominator, above zero.
    pub(super) den: i128,
}

/// Greatest common divisor; `gcd(0, b) = b`.
pub(super) fn gcd(a: u128, b: u128) -> u128 {
    if let (Ok(a), Ok(b)) = (u64::try_from(a), u64::try_from(b)) {
        return u128::from(gcd_64(a, b));
    }
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Binary gcd; several times faster than division on the numbers laws make.
pub(super) fn gcd_64(mut a: u64, mut b: u64) -> u64 {
    if a == 0 || b == 0 {
        return a | b;
    }
    let shift = (a | b).trailing_zeros();
    a >>= a.trailing_zeros();
    loop {
        b >>= b.trailing_zeros();
        if a > b {
            std::mem::swap(&mut a, &mut b);
        }
        b -= a;
        if b == 0 {
            return a << shift;
        }
    }
}

/// `gcd` of two numbers that are known to fit, as a signed number.
fn divisor(a: i128, b: i128) -> i128 {
    i128::try_from(gcd(a.unsigned_abs(), b.unsigned_abs())).unwrap_or(1).max(1)
}

impl Exact {
    pub(super) const fn whole(num: i128) -> Self {
        Self { num, den: 1 }
    }

    /// Lowest terms of `num / den`; `None` unless `den > 0` and the numerator can be negated.
    pub(super) fn new(num: i128, den: i128) -> Option<Self> {
        if den <= 0 || num == i128::MIN {
            return None;
        }
        let by = divisor(num, den);
        Some(Self { num: num / by, den: den / by })
    }

    /// Both numerators over one denominator, and that denominator.
    fn align(self, other: Self) -> Option<(i128, i128, i128)> {
        let by = divisor(self.den, other.den);
        let factor = other.den / by;
        Some((
            self.num.checked_mul(factor)?,
            other.num.checked_mul(self.den / by)?,
            self.den.checked_mul(factor)?,
        ))
    }

    pub(super) fn add(self, other: Self) -> Option<Self> {
        let (left, right, den) = self.align(other)?;
        Self::new(left.checked_add(right)?, den)
    }

    pub(super) fn sub(self, other: Self) -> Option<Self> {
        let (left, right, den) = self.align(other)?;
        Self::new(left.checked_sub(right)?, den)
    }

    pub(super) fn mul(self, other: Self) -> Option<Self> {
        let cross = divisor(self.num, other.den);
        let other_cross = divisor(other.num, self.den);
        let num = (self.num / cross).checked_mul(other.num / other_cross)?;
        let den = (self.den / other_cross).checked_mul(other.den / cross)?;
        (num != i128::MIN).then_some(Self { num, den })
    }

    /// `1 / self`; the caller has excluded zero.
    pub(super) const fn reciprocal(self) -> Self {
        if self.num < 0 {
            Self { num: -self.den, den: -self.num }
        } else {
            Self { num: self.den, den: self.num }
        }
    }

    pub(super) const fn neg(self) -> Self {
        Self { num: -self.num, den: self.den }
    }

    pub(super) const fn abs(self) -> Self {
        Self { num: self.num.abs(), den: self.den }
    }

    /// Remainder with the sign of the divisor; the caller has excluded a zero divisor.
    pub(super) fn modulo(self, other: Self) -> Option<Self> {
        let (left, right, den) = self.align(other)?;
        Self::new(floor_mod(left, right)?, den)
    }

    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        let (left, right, _) = self.align(other)?;
        Some(left.cmp(&right))
    }

    /// Rounded to a multiple of the quantum.
    pub(super) fn round(self, to: Quantum) -> Option<Self> {
        let quantum = Self::new(to.num, to.den)?;
        let count = self.mul(quantum.reciprocal())?;
        Self::whole(to.mode.divide(count.num, count.den)?).mul(quantum)
    }
}

/// `a mod b` with the sign of `b`; `None` when `b` is zero.
pub(super) fn floor_mod(a: i128, b: i128) -> Option<i128> {
    let rest = a.checked_rem_euclid(b)?;
    Some(if b < 0 && rest != 0 { rest + b } else { rest })
}

/// A stated rounding that can be compared and hashed; see [`Rounding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Quantum {
    /// Numerator of the quantum, above zero.
    pub(super) num: i128,
    /// Denominator of the quantum, above zero.
    pub(super) den: i128,
    /// Mode.
    pub(super) mode: RoundingMode,
}

impl From<Rounding> for Quantum {
    fn from(round: Rounding) -> Self {
        let by = divisor(round.quantum.0, round.quantum.1);
        Self { num: round.quantum.0 / by, den: round.quantum.1 / by, mode: round.mode }
    }
}
