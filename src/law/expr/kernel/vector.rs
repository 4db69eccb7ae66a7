//! Values of one node over a chunk of rows, and the loops that walk them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{Cell, CodeList, Date, Key};
use crate::law::expr::exact::Exact;

/// The rows of a chunk that are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sel<'s> {
    /// Rows 0 .. n.
    All(usize),
    /// These rows of 0 .. n, ascending.
    Some(&'s [u32], usize),
}

impl Sel<'_> {
    /// Rows of the chunk, wanted or not.
    pub(super) const fn rows(self) -> usize {
        match self {
            Sel::All(n) | Sel::Some(_, n) => n,
        }
    }

    /// Calls `f` for each wanted row.
    pub(super) fn each(self, mut f: impl FnMut(usize)) {
        match self {
            Sel::All(n) => (0..n).for_each(f),
            Sel::Some(rows, _) => rows.iter().for_each(|row| f(*row as usize)),
        }
    }
}

/// A value for each row, or one for all.
#[derive(Debug, Clone, Copy)]
pub(super) enum Arg<'v, T> {
    Each(&'v [T]),
    One(T),
}

impl<T: Copy> Arg<'_, T> {
    pub(super) fn at(self, row: usize) -> T {
        match self {
            Arg::Each(values) => values[row],
            Arg::One(value) => value,
        }
    }
}

/// Applies `f` to each wanted row; other rows hold the default.
pub(super) fn map1<T: Copy, R: Copy + Default>(
    sel: Sel<'_>,
    a: Arg<'_, T>,
    mut f: impl FnMut(T) -> R,
) -> Vec<R> {
    match (sel, a) {
        (Sel::All(n), Arg::Each(a)) => a[..n].iter().map(|a| f(*a)).collect(),
        (Sel::All(n), Arg::One(a)) => vec![f(a); n],
        (Sel::Some(rows, n), _) => {
            let mut out = vec![R::default(); n];
            for row in rows {
                out[*row as usize] = f(a.at(*row as usize));
            }
            out
        }
    }
}

/// Applies `f` to each wanted row of two arguments; other rows hold the default.
pub(super) fn map2<T: Copy, U: Copy, R: Copy + Default>(
    sel: Sel<'_>,
    a: Arg<'_, T>,
    b: Arg<'_, U>,
    mut f: impl FnMut(T, U) -> R,
) -> Vec<R> {
    match (sel, a, b) {
        (Sel::All(n), Arg::Each(a), Arg::Each(b)) => {
            a[..n].iter().zip(&b[..n]).map(|(a, b)| f(*a, *b)).collect()
        }
        (Sel::All(n), Arg::Each(a), Arg::One(b)) => a[..n].iter().map(|a| f(*a, b)).collect(),
        (Sel::All(n), Arg::One(a), Arg::Each(b)) => b[..n].iter().map(|b| f(a, *b)).collect(),
        (Sel::All(n), Arg::One(a), Arg::One(b)) => vec![f(a, b); n],
        (Sel::Some(rows, n), _, _) => {
            let mut out = vec![R::default(); n];
            for row in rows {
                let row = *row as usize;
                out[row] = f(a.at(row), b.at(row));
            }
            out
        }
    }
}

/// The values of one node. Rows that are null, in error or not wanted hold anything.
#[derive(Debug, Clone)]
pub(super) enum Data<'a> {
    /// One value (or null) for all rows.
    One(Cell),
    Bool(Cow<'a, [bool]>),
    /// Numerators over one denominator.
    Int(Cow<'a, [i64]>, i64),
    /// As `Int`, where 64 bits are too few.
    Wide(Vec<i128>, i128),
    /// Numerators and denominators (above zero) by row, not in lowest terms.
    Frac(Vec<i64>, Vec<i64>),
    /// Lowest terms by row.
    Exact(Vec<(i128, i128)>),
    Date(Cow<'a, [Date]>),
    Code(Cow<'a, [u32]>, Arc<CodeList>),
    /// Keys, and the texts of those that are hashes.
    Key(Cow<'a, [Key]>, Cow<'a, BTreeMap<Key, String>>),
}

/// Values with the rows that are null and the rows that have none.
#[derive(Debug, Clone)]
pub(super) struct Vector<'a> {
    pub(super) data: Data<'a>,
    pub(super) nulls: Option<Cow<'a, [bool]>>,
    /// Code of the row error, 0 = none.
    pub(super) errs: Option<Vec<u8>>,
}

impl<'a> Vector<'a> {
    pub(super) const fn plain(data: Data<'a>) -> Self {
        Self { data, nulls: None, errs: None }
    }

    pub(super) fn err(&self, row: usize) -> u8 {
        self.errs.as_ref().map_or(0, |errs| errs[row])
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        matches!(self.data, Data::One(Cell::Null))
            || self.nulls.as_ref().is_some_and(|nulls| nulls[row])
    }

    /// Whether some row may be null or in error.
    pub(super) const fn is_masked(&self) -> bool {
        self.nulls.is_some() || self.errs.is_some() || matches!(self.data, Data::One(Cell::Null))
    }

    /// Numerators in 64 bits over one denominator.
    pub(super) fn ints(&self) -> Option<(Arg<'_, i64>, i64)> {
        match &self.data {
            Data::Int(values, den) => Some((Arg::Each(values), *den)),
            Data::One(Cell::Num(num, den)) => {
                Some((Arg::One(i64::try_from(*num).ok()?), i64::try_from(*den).ok()?))
            }
            _ => None,
        }
    }

    /// Numerators in 128 bits over one denominator.
    pub(super) fn wides(&self) -> Option<(Cow<'_, [i128]>, Option<i128>, i128)> {
        match &self.data {
            Data::Int(values, den) => Some((
                Cow::Owned(values.iter().map(|value| i128::from(*value)).collect()),
                None,
                i128::from(*den),
            )),
            Data::Wide(values, den) => Some((Cow::Borrowed(values), None, *den)),
            Data::One(Cell::Num(num, den)) => Some((Cow::Borrowed(&[]), Some(*num), *den)),
            _ => None,
        }
    }

    /// Numerator and denominator by row, in 64 bits.
    pub(super) fn fracs(&self) -> Option<(Arg<'_, i64>, Arg<'_, i64>)> {
        match &self.data {
            Data::Frac(nums, dens) => Some((Arg::Each(nums), Arg::Each(dens))),
            _ => self.ints().map(|(nums, den)| (nums, Arg::One(den))),
        }
    }

    /// Exact value of one row; `None` when it cannot be written down.
    pub(super) fn exact(&self, row: usize) -> Option<Exact> {
        match &self.data {
            Data::One(Cell::Num(num, den)) => Exact::new(*num, *den),
            Data::Int(values, den) => Exact::new(values[row].into(), i128::from(*den)),
            Data::Wide(values, den) => Exact::new(values[row], *den),
            Data::Frac(nums, dens) => Exact::new(nums[row].into(), dens[row].into()),
            Data::Exact(values) => Exact::new(values[row].0, values[row].1),
            _ => Some(Exact::whole(0)),
        }
    }

    pub(super) fn bools(&self) -> Arg<'_, bool> {
        match &self.data {
            Data::Bool(values) => Arg::Each(values),
            Data::One(Cell::Bool(value)) => Arg::One(*value),
            _ => Arg::One(false),
        }
    }

    pub(super) fn dates(&self) -> Arg<'_, Date> {
        match &self.data {
            Data::Date(values) => Arg::Each(values),
            Data::One(Cell::Date(value)) => Arg::One(*value),
            _ => Arg::One(Date::default()),
        }
    }
}

/// The errors of several arguments: where two meet, the lower code (the graver error) stays.
pub(super) fn join_errors(args: &[&Vector<'_>]) -> Option<Vec<u8>> {
    let mut sum: Option<Vec<u8>> = None;
    for arg in args {
        let Some(errs) = &arg.errs else { continue };
        match &mut sum {
            None => sum = Some(errs.clone()),
            Some(sum) => {
                for (into, from) in sum.iter_mut().zip(errs) {
                    if *from != 0 && (*into == 0 || from < into) {
                        *into = *from;
                    }
                }
            }
        }
    }
    sum
}

/// The nulls of one argument, for operators that let null through.
pub(super) fn share_nulls<'a>(arg: &Vector<'a>) -> Option<Cow<'a, [bool]>> {
    arg.nulls.clone()
}
