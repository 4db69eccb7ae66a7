//! Exact numbers, rounding where the clause says (S11, S12), and splits that sum (S13).

use std::cmp::Ordering;

/// An exact rational: `num / den`, `den > 0`. Not reduced on its own; see [`Fraction::reduced`].
#[derive(Debug, Clone, Copy)]
pub struct Fraction {
    /// Numerator.
    pub num: i128,
    /// Denominator, always above zero.
    pub den: i128,
}

impl Fraction {
    /// A whole number.
    #[must_use]
    pub const fn whole(num: i128) -> Self {
        Self { num, den: 1 }
    }

    /// `num / den` with the sign in the numerator; `None` when `den` is zero or negation overflows.
    #[must_use]
    pub fn new(num: i128, den: i128) -> Option<Self> {
        match den.cmp(&0) {
            Ordering::Greater => Some(Self { num, den }),
            Ordering::Less => Some(Self { num: num.checked_neg()?, den: den.checked_neg()? }),
            Ordering::Equal => None,
        }
    }

    /// The same value in lowest terms.
    #[must_use]
    pub fn reduced(self) -> Self {
        let divisor = gcd(self.num.unsigned_abs(), self.den.unsigned_abs());
        match i128::try_from(divisor) {
            Ok(divisor) if divisor > 1 => Self { num: self.num / divisor, den: self.den / divisor },
            _ => self,
        }
    }

    /// Exact sum; `None` on overflow.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        if self.den == other.den {
            return Some(Self { num: self.num.checked_add(other.num)?, den: self.den });
        }
        let left = self.num.checked_mul(other.den)?;
        let right = other.num.checked_mul(self.den)?;
        Some(
            Self { num: left.checked_add(right)?, den: self.den.checked_mul(other.den)? }.reduced(),
        )
    }

    /// Reads a plain decimal such as `-12.3450` exactly; `None` for any other text or overflow.
    #[must_use]
    pub fn parse_decimal(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, part) = digits.split_once('.').map_or((digits, ""), |pair| pair);
        let plain = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty()
            || !plain(whole)
            || !plain(part)
            || (digits.contains('.') && part.is_empty())
        {
            return None;
        }
        let mut num: i128 = 0;
        let mut den: i128 = 1;
        for digit in whole.bytes() {
            num = num.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
        }
        for digit in part.bytes() {
            num = num.checked_mul(10)?.checked_add(i128::from(digit - b'0'))?;
            den = den.checked_mul(10)?;
        }
        Some(Self { num: if negative { -num } else { num }, den }.reduced())
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// How to round (S12). `half_up` and `up` go away from zero, `down` toward it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RoundingMode {
    /// 四舍五入: half away from zero.
    HalfUp,
    /// Half to the even quantum.
    HalfEven,
    /// Away from zero.
    Up,
    /// Toward zero.
    Down,
    /// Toward minus infinity.
    Floor,
    /// Toward plus infinity.
    Ceil,
}

impl RoundingMode {
    /// All modes with the words packs use.
    pub const WORDS: [(&'static str, Self); 6] = [
        ("half_up", Self::HalfUp),
        ("half_even", Self::HalfEven),
        ("up", Self::Up),
        ("down", Self::Down),
        ("floor", Self::Floor),
        ("ceil", Self::Ceil),
    ];

    /// The mode a pack means by `word`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(name, _)| *name == word).map(|(_, mode)| *mode)
    }

    /// The word packs use.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, mode)| *mode == self).map_or("", |(name, _)| name)
    }

    /// Whether a number that is no whole one is rounded to the whole number above it rather than to
    /// the one below: told whether it is above zero, how its rest compares with a half, and whether
    /// the whole number below is odd.
    #[inline]
    fn goes_up(self, above_zero: bool, half: Ordering, odd: bool) -> bool {
        match self {
            Self::Floor => false,
            Self::Ceil => true,
            Self::Up => above_zero,
            Self::Down => !above_zero,
            Self::HalfUp => half == Ordering::Greater || (half == Ordering::Equal && above_zero),
            Self::HalfEven => half == Ordering::Greater || (half == Ordering::Equal && odd),
        }
    }

    /// As [`RoundingMode::divide`] for small numbers on the hot path; `den > 0`, cannot overflow.
    #[must_use]
    pub fn divide_i64(self, num: i64, den: i64) -> i64 {
        let floor = num.div_euclid(den);
        let rest = num.rem_euclid(den);
        if rest == 0 {
            return floor;
        }
        let half = rest.cmp(&(den - rest));
        floor + i64::from(self.goes_up(num > 0, half, floor % 2 != 0))
    }

    /// `num / den` to a whole number; `None` when `den` is not above zero or on overflow.
    #[must_use]
    pub fn divide(self, num: i128, den: i128) -> Option<i128> {
        if den <= 0 {
            return None;
        }
        let floor = num.div_euclid(den);
        let rest = num.rem_euclid(den);
        if rest == 0 {
            return Some(floor);
        }
        // `rest < den`, so the comparison with half never overflows as a subtraction.
        let half = rest.cmp(&(den - rest));
        floor.checked_add(i128::from(self.goes_up(num > 0, half, floor % 2 != 0)))
    }
}

/// A stated rounding: to a multiple of a quantum. The quantum of money is in fen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounding {
    /// The quantum as a reduced fraction of the base unit (fen for money, one for numbers), above zero.
    pub quantum: (i128, i128),
    /// The mode.
    pub mode: RoundingMode,
}

impl Rounding {
    /// Rounds to a multiple of the quantum; `None` on overflow.
    #[must_use]
    pub fn apply(self, value: Fraction) -> Option<Fraction> {
        let (top, bottom) = self.quantum;
        let count =
            self.mode.divide(value.num.checked_mul(bottom)?, value.den.checked_mul(top)?)?;
        Some(Fraction { num: count.checked_mul(top)?, den: bottom })
    }
}

/// Splits `total` over `weights` (all at least zero, not all zero) by largest remainder; ties go to
/// the lower index. The parts sum to `total` exactly and each is within one unit of its exact share.
/// For a negative total the split of the absolute value is negated.
///
/// Returns `None` when a weight is negative, all weights are zero and `total` is not, or on overflow.
#[must_use]
pub fn largest_remainder(total: i64, weights: &[i64]) -> Option<Vec<i64>> {
    let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
    if weights.iter().any(|w| *w < 0) {
        return None;
    }
    if sum == 0 {
        return (total == 0).then(|| vec![0; weights.len()]);
    }
    let whole = i128::from(total.unsigned_abs());
    let mut parts = Vec::with_capacity(weights.len());
    let mut rests: Vec<(i128, usize)> = Vec::with_capacity(weights.len());
    let mut given: i128 = 0;
    for (index, weight) in weights.iter().enumerate() {
        let product = whole.checked_mul(i128::from(*weight))?;
        let part = product / sum;
        given += part;
        parts.push(part);
        rests.push((product % sum, index));
    }
    rests.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let left = usize::try_from(whole - given).ok()?;
    for (_, index) in rests.iter().take(left) {
        parts[*index] += 1;
    }
    parts.into_iter().map(|part| i64::try_from(if total < 0 { -part } else { part }).ok()).collect()
}

/// Rounds the exact sum of a group and hands it back to its members by largest remainder (S12: a
/// rounding scope coarser than the line). `exact` holds (numerator, denominator) in fen,
/// denominators above zero; the parts are whole fen and sum to the rounded sum exactly. Ties go to
/// the lower index, so callers order members by input values (S9). An empty group gives no parts.
///
/// Rounded to the fen, each member gets its own floor and the fen left over go to the largest
/// remainders, so no member is a whole fen away from its exact value. A coarser quantum moves more
/// than that: then the rounded sum is shared in proportion (`exact + moved x size / sum of sizes`).
/// Parts of a group and of its negation are negations of each other.
///
/// Returns `None` when the rounded sum is not a whole number, or on overflow.
#[must_use]
pub fn round_group(exact: &[(i128, i128)], rounding: Rounding) -> Option<Vec<i64>> {
    let mut den: i128 = 1;
    for (_, below) in exact {
        if *below <= 0 {
            return None;
        }
        if den % below != 0 {
            let divisor = gcd(den.unsigned_abs(), below.unsigned_abs());
            den = (den / i128::try_from(divisor).ok()?).checked_mul(*below)?;
        }
    }
    let mut sizes = Vec::with_capacity(exact.len());
    let (mut sum, mut size): (i128, i128) = (0, 0);
    for (num, below) in exact {
        let num = num.checked_mul(den / below)?;
        sum = sum.checked_add(num)?;
        size = size.checked_add(num.checked_abs()?)?;
        sizes.push(num);
    }
    let rounded = rounding.apply(Fraction { num: sum, den })?;
    if rounded.num % rounded.den != 0 {
        return None;
    }
    // A group below zero is its negation, so that rounding is symmetric.
    let sign = if sum < 0 { -1 } else { 1 };
    let total = (rounded.num / rounded.den).checked_mul(sign)?;
    let sum = sum.checked_mul(sign)?;
    let (unit, ideals) = if rounding.quantum.0 <= rounding.quantum.1 {
        (den, sizes.iter().map(|num| num.checked_mul(sign)).collect::<Option<Vec<i128>>>()?)
    } else {
        proportional(&sizes, sign, Total { rounded: total, sum, size, den })?
    };
    let mut parts = Vec::with_capacity(exact.len());
    let mut rests: Vec<(i128, usize)> = Vec::with_capacity(exact.len());
    let mut left = total;
    for (index, ideal) in ideals.into_iter().enumerate() {
        let part = ideal.div_euclid(unit);
        left = left.checked_sub(part)?;
        parts.push(part);
        rests.push((ideal.rem_euclid(unit), index));
    }
    rests.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, index) in rests.iter().take(usize::try_from(left).ok()?) {
        parts[*index] += 1;
    }
    parts.into_iter().map(|part| i64::try_from(part * sign).ok()).collect()
}

/// A group's rounded total with its exact sum and the sum of sizes, both over `den`.
#[derive(Debug, Clone, Copy)]
struct Total {
    rounded: i128,
    sum: i128,
    size: i128,
    den: i128,
}

/// The ideal parts when rounding moved more than a fen a member, over a common unit.
fn proportional(sizes: &[i128], sign: i128, total: Total) -> Option<(i128, Vec<i128>)> {
    let Total { rounded, sum, size, den } = total;
    if size == 0 {
        return Some((1, vec![0; sizes.len()]));
    }
    let moved = rounded.checked_mul(den)?.checked_sub(sum)?;
    let one_sign = size == sum;
    let ideals: Option<Vec<i128>> = sizes
        .iter()
        .map(|num| {
            let num = num.checked_mul(sign)?;
            if one_sign {
                // The same value with smaller numbers.
                return num.checked_mul(rounded);
            }
            num.checked_mul(size)?.checked_add(moved.checked_mul(num.checked_abs()?)?)
        })
        .collect();
    Some((if one_sign { size } else { den.checked_mul(size)? }, ideals?))
}

#[cfg(test)]
mod group_tests {
    use super::{Rounding, RoundingMode, round_group};

    const FEN: Rounding = Rounding { quantum: (1, 1), mode: RoundingMode::HalfUp };

    #[test]
    fn a_group_is_rounded_once_and_handed_back() {
        // Three thirds of a fen are one fen, not three times none.
        assert_eq!(round_group(&[(1, 3), (1, 3), (1, 3)], FEN), Some(vec![1, 0, 0]));
        // 1.5 + 2.5 + 0.6 = 4.6 -> 5: floors 1, 2, 0 and two fen to the rests 0.6 and 0.5.
        assert_eq!(round_group(&[(3, 2), (5, 2), (3, 5)], FEN), Some(vec![2, 2, 1]));
        assert_eq!(round_group(&[(-3, 2), (-5, 2), (-3, 5)], FEN), Some(vec![-2, -2, -1]));
        assert_eq!(round_group(&[], FEN), Some(vec![]));
        assert_eq!(round_group(&[(0, 7), (0, 1)], FEN), Some(vec![0, 0]));
    }

    #[test]
    fn a_coarse_quantum_moves_members_in_proportion() {
        // DOMAIN 4.9 in fen: 3 x 250.00 yuan to 0.01 万元 (100 yuan): 750 -> 800 yuan in all.
        let hundred_yuan = Rounding { quantum: (10_000, 1), mode: RoundingMode::HalfUp };
        let rows = [(25_000, 1), (25_000, 1), (25_000, 1)];
        assert_eq!(round_group(&rows, hundred_yuan), Some(vec![26_667, 26_667, 26_666]));
    }

    #[test]
    fn members_of_both_signs_keep_the_sum() {
        // 10.5 - 3.25 = 7.25 -> 7: floors 10 and -4, the fen left over to the rest 0.75.
        assert_eq!(round_group(&[(21, 2), (-13, 4)], FEN), Some(vec![10, -3]));
        assert_eq!(round_group(&[(-21, 2), (13, 4)], FEN), Some(vec![-10, 3]));
        // 900 - 100 = 800 yuan to 1,000 yuan: 200 more, in proportion 9 : 1.
        let thousand = Rounding { quantum: (100_000, 1), mode: RoundingMode::HalfUp };
        let rows = [(90_000, 1), (-10_000, 1)];
        assert_eq!(round_group(&rows, thousand), Some(vec![108_000, -8_000]));
    }

    #[test]
    fn half_a_fen_is_no_total() {
        let half = Rounding { quantum: (1, 2), mode: RoundingMode::HalfUp };
        assert_eq!(round_group(&[(1, 2)], half), None);
    }
}
