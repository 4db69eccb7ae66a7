//! Arithmetic on vectors of numbers.
//!
//! Each operation tries 64-bit numerators over one denominator, then 128-bit ones, then pairs of
//! 64-bit numerator and denominator by row, and at last lowest terms by row. A faster way is left
//! when any row overflows in it; the last way decides what an overflow is.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::domain::RowError;
use crate::law::expr::exact::{Exact, gcd, gcd_64};
use crate::law::expr::tree::Comparison;

use super::vector::{Arg, Data, Sel, Vector, join_errors, map1, map2};

/// Operations on two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arith {
    Add,
    Sub,
    Mul,
    Mod,
    Least,
    Greatest,
}

/// An integer wide enough for one way of reckoning; every operation reports overflow.
trait Lane: Copy + Default + Ord {
    fn add(self, other: Self) -> (Self, bool);
    fn sub(self, other: Self) -> (Self, bool);
    fn mul(self, other: Self) -> (Self, bool);
    fn modulo(self, other: Self) -> Self;
    fn from_wide(wide: i128) -> Option<Self>;
    fn wide(self) -> i128;
}

macro_rules! lane {
    ($kind:ty) => {
        impl Lane for $kind {
            fn add(self, other: Self) -> (Self, bool) {
                self.overflowing_add(other)
            }
            fn sub(self, other: Self) -> (Self, bool) {
                self.overflowing_sub(other)
            }
            fn mul(self, other: Self) -> (Self, bool) {
                self.overflowing_mul(other)
            }
            fn modulo(self, other: Self) -> Self {
                let rest = self.wrapping_rem(other);
                if rest != 0 && (rest < 0) != (other < 0) { rest + other } else { rest }
            }
            fn from_wide(wide: i128) -> Option<Self> {
                Self::try_from(wide).ok()
            }
            fn wide(self) -> i128 {
                self.into()
            }
        }
    };
}
lane!(i64);
lane!(i128);

/// Factors that bring two denominators to their least common multiple, and that multiple.
fn common(a: i128, b: i128) -> Option<(i128, i128, i128)> {
    let by = i128::try_from(gcd(a.unsigned_abs(), b.unsigned_abs())).ok()?;
    Some((b / by, a / by, a.checked_mul(b / by)?))
}

/// One operation in one lane; `None` when a row or the denominator overflows.
fn in_lane<T: Lane>(
    op: Arith,
    sel: Sel<'_>,
    (a, a_den): (Arg<'_, T>, i128),
    (b, b_den): (Arg<'_, T>, i128),
) -> Option<(Vec<T>, i128)> {
    let mut bad = false;
    if op == Arith::Mul {
        return product(sel, (a, a_den), (b, b_den));
    }
    let (left, right, den) = common(a_den, b_den)?;
    let (left, right) = (T::from_wide(left)?, T::from_wide(right)?);
    T::from_wide(den)?;
    let plain = left.wide() == 1 && right.wide() == 1;
    let out = if plain {
        match op {
            Arith::Add => map2(sel, a, b, |x, y| {
                let (sum, over) = x.add(y);
                bad |= over;
                sum
            }),
            Arith::Sub => map2(sel, a, b, |x, y| {
                let (rest, over) = x.sub(y);
                bad |= over;
                rest
            }),
            Arith::Least => map2(sel, a, b, Ord::min),
            Arith::Greatest => map2(sel, a, b, Ord::max),
            Arith::Mod | Arith::Mul => map2(sel, a, b, |x, y| divide_rest(x, y)),
        }
    } else {
        map2(sel, a, b, |x, y| {
            let (x, over_x) = x.mul(left);
            let (y, over_y) = y.mul(right);
            let (value, over) = match op {
                Arith::Add => x.add(y),
                Arith::Sub => x.sub(y),
                Arith::Least => (x.min(y), false),
                Arith::Greatest => (x.max(y), false),
                Arith::Mod | Arith::Mul => (divide_rest(x, y), false),
            };
            bad |= over_x | over_y | over;
            value
        })
    };
    (!bad).then_some((out, den))
}

/// Remainder with the sign of the divisor; zero for a zero divisor, whose row is an error anyway.
fn divide_rest<T: Lane>(x: T, y: T) -> T {
    if y == T::default() { T::default() } else { x.modulo(y) }
}

fn product<T: Lane>(
    sel: Sel<'_>,
    (mut a, mut a_den): (Arg<'_, T>, i128),
    (mut b, mut b_den): (Arg<'_, T>, i128),
) -> Option<(Vec<T>, i128)> {
    // A constant's numerator often cancels against the other side's denominator.
    cancel(&mut a, &mut b_den)?;
    cancel(&mut b, &mut a_den)?;
    let den = a_den.checked_mul(b_den)?;
    T::from_wide(den)?;
    let one = |arg: &Arg<'_, T>| matches!(arg, Arg::One(value) if value.wide() == 1);
    if one(&a) || one(&b) {
        // Only the denominator changes: `x / 12`.
        let same = if one(&a) { b } else { a };
        return Some((map1(sel, same, |x| x), den));
    }
    let mut bad = false;
    let out = map2(sel, a, b, |x, y| {
        let (value, over) = x.mul(y);
        bad |= over;
        value
    });
    (!bad).then_some((out, den))
}

fn cancel<T: Lane>(constant: &mut Arg<'_, T>, den: &mut i128) -> Option<()> {
    if let Arg::One(value) = constant {
        let by = i128::try_from(gcd(value.wide().unsigned_abs(), den.unsigned_abs())).ok()?;
        if by > 1 {
            *value = T::from_wide(value.wide() / by)?;
            *den /= by;
        }
    }
    Some(())
}

fn int_data<'a>(values: Vec<i64>, den: i128) -> Option<Data<'a>> {
    Some(Data::Int(Cow::Owned(values), i64::try_from(den).ok()?))
}

/// Two numbers on each row.
pub(super) fn arith<'a>(op: Arith, a: &Vector<'a>, b: &Vector<'a>, sel: Sel<'_>) -> Vector<'a> {
    let mut errs = join_errors(&[a, b]);
    if op == Arith::Mod {
        zero_divisors(b, sel, &mut errs);
    }
    if let (Some((x, x_den)), Some((y, y_den))) = (a.ints(), b.ints())
        && let Some((values, den)) = in_lane::<i64>(op, sel, (x, x_den.into()), (y, y_den.into()))
        && let Some(data) = int_data(values, den)
    {
        return Vector { data, nulls: None, errs };
    }
    if let (Some((x, x_one, x_den)), Some((y, y_one, y_den))) = (a.wides(), b.wides()) {
        let x = x_one.map_or(Arg::Each(&x), Arg::One);
        let y = y_one.map_or(Arg::Each(&y), Arg::One);
        if let Some((values, den)) = in_lane::<i128>(op, sel, (x, x_den), (y, y_den))
            && !values.contains(&i128::MIN)
        {
            return Vector { data: Data::Wide(values, den), nulls: None, errs };
        }
    } else if op != Arith::Mod
        && let Some(data) = frac_arith(op, a, b, sel)
    {
        return Vector { data, nulls: None, errs };
    }
    let exact = |x: Exact, y: Exact| match op {
        Arith::Add => x.add(y),
        Arith::Sub => x.sub(y),
        Arith::Mul => x.mul(y),
        Arith::Mod => x.modulo(y),
        Arith::Least => x.compare(y).map(|order| if order == Ordering::Greater { y } else { x }),
        Arith::Greatest => x.compare(y).map(|order| if order == Ordering::Less { y } else { x }),
    };
    slow(sel, errs, |row| exact(a.exact(row)?, b.exact(row)?))
}

/// Lowest terms by row; a row that cannot be written down is an overflow.
pub(super) fn slow<'a>(
    sel: Sel<'_>,
    mut errs: Option<Vec<u8>>,
    f: impl Fn(usize) -> Option<Exact>,
) -> Vector<'a> {
    let mut values = vec![(0, 1); sel.rows()];
    sel.each(|row| match f(row) {
        Some(value) => values[row] = (value.num, value.den),
        None => own_error(&mut errs, sel.rows(), row, RowError::Overflow),
    });
    Vector { data: Data::Exact(values), nulls: None, errs }
}

/// Notes an operator's own error where its arguments had values.
pub(super) fn own_error(errs: &mut Option<Vec<u8>>, rows: usize, row: usize, error: RowError) {
    let errs = errs.get_or_insert_with(|| vec![0; rows]);
    if errs[row] == 0 {
        errs[row] = error as u8;
    }
}

fn zero_divisors(b: &Vector<'_>, sel: Sel<'_>, errs: &mut Option<Vec<u8>>) {
    let mut found = Vec::new();
    match &b.data {
        Data::Int(values, _) => {
            let mut zero = false;
            sel.each(|row| zero |= values[row] == 0);
            if zero {
                sel.each(|row| {
                    if values[row] == 0 {
                        found.push(row);
                    }
                });
            }
        }
        _ => sel.each(|row| {
            if b.exact(row).is_some_and(|value| value.num == 0) {
                found.push(row);
            }
        }),
    }
    for row in found {
        own_error(errs, sel.rows(), row, RowError::DivisionByZero);
    }
}

/// A fraction in 64-bit numbers, reduced only where that is needed to fit.
fn shrink(num: i128, den: i128, bad: &mut bool) -> (i64, i64) {
    if let (Ok(num), Ok(den)) = (i64::try_from(num), i64::try_from(den)) {
        return (num, den);
    }
    let by = i128::try_from(gcd(num.unsigned_abs(), den.unsigned_abs())).unwrap_or(1).max(1);
    if let (Ok(num), Ok(den)) = (i64::try_from(num / by), i64::try_from(den / by)) {
        (num, den)
    } else {
        *bad = true;
        (0, 1)
    }
}

/// Calls `f` with numerators and denominators of each wanted row and keeps 64-bit fractions.
fn each_frac<'a>(
    left: &Vector<'_>,
    right: &Vector<'_>,
    sel: Sel<'_>,
    f: impl Fn((i128, i128), (i128, i128)) -> (i128, i128),
) -> Option<Data<'a>> {
    let ((x, x_den), (y, y_den)) = (left.fracs()?, right.fracs()?);
    let (mut nums, mut dens) = (vec![0_i64; sel.rows()], vec![1_i64; sel.rows()]);
    let mut bad = false;
    sel.each(|row| {
        let left = (i128::from(x.at(row)), i128::from(x_den.at(row)));
        let right = (i128::from(y.at(row)), i128::from(y_den.at(row)));
        let (num, den) = f(left, right);
        (nums[row], dens[row]) = shrink(num, den, &mut bad);
    });
    (!bad).then_some(Data::Frac(nums, dens))
}

fn frac_arith<'a>(op: Arith, a: &Vector<'a>, b: &Vector<'a>, sel: Sel<'_>) -> Option<Data<'a>> {
    // Products of two 64-bit numbers and the sum of two such products fit 128 bits.
    each_frac(a, b, sel, |(x, p), (y, q)| match op {
        Arith::Mul => (x * y, p * q),
        Arith::Least | Arith::Greatest => {
            let first = (x * q <= y * p) == (op == Arith::Least);
            if first { (x, p) } else { (y, q) }
        }
        _ => {
            let (left, right, den) = if p == q { (x, y, p) } else { (x * q, y * p, p * q) };
            (if op == Arith::Sub { left - right } else { left + right }, den)
        }
    })
}

/// Quotient; a zero divisor is an error of the row.
pub(super) fn quotient<'a>(a: &Vector<'a>, b: &Vector<'a>, sel: Sel<'_>) -> Vector<'a> {
    if let Data::One(crate::domain::Cell::Num(num, den)) = &b.data
        && let Some(divisor) = Exact::new(*num, *den)
        && divisor.num != 0
    {
        let by = divisor.reciprocal();
        let constant = Data::One(crate::domain::Cell::Num(by.num, by.den));
        let by = Vector { data: constant, nulls: None, errs: b.errs.clone() };
        return arith(Arith::Mul, a, &by, sel);
    }
    let mut errs = join_errors(&[a, b]);
    zero_divisors(b, sel, &mut errs);
    if let Some(data) = fast_quotient(a, b, sel) {
        return Vector { data, nulls: None, errs };
    }
    let general = each_frac(a, b, sel, |(x, p), (y, q)| match y.cmp(&0) {
        Ordering::Greater => (x * q, p * y),
        Ordering::Less => (-(x * q), -(p * y)),
        Ordering::Equal => (0, 1),
    });
    if let Some(data) = general {
        return Vector { data, nulls: None, errs };
    }
    slow(sel, errs, |row| {
        let divisor = b.exact(row)?;
        if divisor.num == 0 {
            return Some(Exact::whole(0));
        }
        a.exact(row)?.mul(divisor.reciprocal())
    })
}

/// Whole numbers over whole numbers, in 64 bits throughout.
fn fast_quotient<'a>(a: &Vector<'_>, b: &Vector<'_>, sel: Sel<'_>) -> Option<Data<'a>> {
    let ((x, x_den), (y, y_den)) = (a.ints()?, b.ints()?);
    let by = i64::try_from(gcd_64(x_den.unsigned_abs(), y_den.unsigned_abs())).ok()?.max(1);
    let (up, down) = (y_den / by, x_den / by);
    let mut bad = false;
    let nums = map2(sel, x, y, |x, y| {
        let (num, over) = x.overflowing_mul(up);
        let (num, also) = if y < 0 { num.overflowing_neg() } else { (num, false) };
        bad |= over | also;
        num
    });
    let mut dens = map1(sel, y, |y| {
        let (den, over) = y.overflowing_mul(down);
        let (den, also) = den.overflowing_abs();
        bad |= over | also;
        if den == 0 { 1 } else { den }
    });
    if let Sel::Some(..) = sel {
        // Rows that are not wanted still need a denominator above zero.
        for den in &mut dens {
            *den = (*den).max(1);
        }
    }
    (!bad).then_some(Data::Frac(nums, dens))
}

pub(super) fn negate<'a>(a: &Vector<'a>, sel: Sel<'_>, abs: bool) -> Vector<'a> {
    let errs = a.errs.clone();
    let flip = |x: i64, bad: &mut bool| {
        let (value, over) = if abs { x.overflowing_abs() } else { x.overflowing_neg() };
        *bad |= over;
        value
    };
    let mut bad = false;
    let data = match &a.data {
        Data::Int(values, den) => {
            let out = map1(sel, Arg::Each(values), |x| flip(x, &mut bad));
            Some(Data::Int(Cow::Owned(out), *den))
        }
        Data::Frac(nums, dens) => {
            let out = map1(sel, Arg::Each(nums), |x| flip(x, &mut bad));
            Some(Data::Frac(out, dens.clone()))
        }
        _ => None,
    };
    match data {
        Some(data) if !bad => Vector { data, nulls: None, errs },
        _ => slow(sel, errs, |row| {
            let value = a.exact(row)?;
            Some(if abs { value.abs() } else { value.neg() })
        }),
    }
}

/// Comparison of two numbers on each row.
pub(super) fn compare<'a>(
    how: Comparison,
    a: &Vector<'a>,
    b: &Vector<'a>,
    sel: Sel<'_>,
) -> Vector<'a> {
    let mut errs = join_errors(&[a, b]);
    if let (Some((x, x_den)), Some((y, y_den))) = (a.ints(), b.ints())
        && let Some(data) = lane_compare::<i64>(how, sel, (x, x_den.into()), (y, y_den.into()))
    {
        return Vector { data, nulls: None, errs };
    }
    if let (Some((x, x_one, x_den)), Some((y, y_one, y_den))) = (a.wides(), b.wides()) {
        let x = x_one.map_or(Arg::Each(&x), Arg::One);
        let y = y_one.map_or(Arg::Each(&y), Arg::One);
        if let Some(data) = lane_compare::<i128>(how, sel, (x, x_den), (y, y_den)) {
            return Vector { data, nulls: None, errs };
        }
    } else if let (Some((x, p)), Some((y, q))) = (a.fracs(), b.fracs()) {
        let mut out = vec![false; sel.rows()];
        sel.each(|row| {
            let left = i128::from(x.at(row)) * i128::from(q.at(row));
            let right = i128::from(y.at(row)) * i128::from(p.at(row));
            out[row] = holds(how, left.cmp(&right));
        });
        return Vector { data: Data::Bool(Cow::Owned(out)), nulls: None, errs };
    }
    let mut out = vec![false; sel.rows()];
    sel.each(|row| {
        let order = a.exact(row).and_then(|x| x.compare(b.exact(row)?));
        match order {
            Some(order) => out[row] = holds(how, order),
            None => own_error(&mut errs, sel.rows(), row, RowError::Overflow),
        }
    });
    Vector { data: Data::Bool(Cow::Owned(out)), nulls: None, errs }
}

pub(super) const fn holds(how: Comparison, order: Ordering) -> bool {
    match how {
        Comparison::Equal => order.is_eq(),
        Comparison::Unequal => order.is_ne(),
        Comparison::Below => order.is_lt(),
        Comparison::AtMost => order.is_le(),
    }
}

fn lane_compare<'a, T: Lane>(
    how: Comparison,
    sel: Sel<'_>,
    (a, a_den): (Arg<'_, T>, i128),
    (b, b_den): (Arg<'_, T>, i128),
) -> Option<Data<'a>> {
    let (left, right, _) = common(a_den, b_den)?;
    let (left, right) = (T::from_wide(left)?, T::from_wide(right)?);
    let mut bad = false;
    let plain = left.wide() == 1 && right.wide() == 1;
    let out = match how {
        Comparison::Equal if plain => map2(sel, a, b, |x, y| x == y),
        Comparison::Unequal if plain => map2(sel, a, b, |x, y| x != y),
        Comparison::Below if plain => map2(sel, a, b, |x, y| x < y),
        Comparison::AtMost if plain => map2(sel, a, b, |x, y| x <= y),
        _ => map2(sel, a, b, |x, y| {
            let (x, over) = x.mul(left);
            let (y, also) = y.mul(right);
            bad |= over | also;
            holds(how, x.cmp(&y))
        }),
    };
    (!bad).then_some(Data::Bool(Cow::Owned(out)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::expr::exact::floor_mod;

    #[test]
    fn the_remainder_has_the_sign_of_the_divisor() {
        for a in -9_i64..=9 {
            for b in [-4_i64, -3, -1, 1, 3, 4] {
                let wide = floor_mod(a.into(), b.into()).expect("divisor is not zero");
                assert_eq!(i128::from(a.modulo(b)), wide, "{a} mod {b}");
                assert_eq!((i128::from(a) - wide) % i128::from(b), 0, "{a} mod {b}");
            }
        }
    }
}
