//! One vector out of several, each giving some of the rows: CASE and coalesce.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::domain::{Cell, CodeList, Key, RowError};
use crate::law::expr::exact::gcd_64;
use crate::law::expr::tree::Kind;

use super::number::own_error;
use super::vector::{Arg, Data, Sel, Vector, map2};

/// Rows that take their value from one vector.
pub(super) struct Branch<'a> {
    pub(super) rows: Vec<u32>,
    pub(super) value: Rc<Vector<'a>>,
}

/// Factors that bring the denominators of `vectors` to one, and that one.
fn common_den(dens: &[i64]) -> Option<i64> {
    dens.iter().try_fold(1_i64, |all, den| {
        let by = i64::try_from(gcd_64(all.unsigned_abs(), den.unsigned_abs())).ok()?;
        all.checked_mul(den / by)
    })
}

/// `yes` where `test` holds, else `no`: numbers over one denominator, or conditions.
pub(super) fn blend<'a>(
    test: &Vector<'a>,
    yes: &Vector<'a>,
    no: &Vector<'a>,
    sel: Sel<'_>,
) -> Option<Data<'a>> {
    if let (Data::Bool(_), _) | (_, Data::Bool(_)) = (&yes.data, &no.data) {
        let picked = map2(sel, yes.bools(), no.bools(), |yes, no| (yes, no));
        let data = map2(
            sel,
            test.bools(),
            Arg::Each(&picked),
            |test, (yes, no)| {
                if test { yes } else { no }
            },
        );
        return Some(Data::Bool(Cow::Owned(data)));
    }
    if let Some(data) = blend_texts(test, yes, no, sel) {
        return Some(data);
    }
    let ((yes, yes_den), (no, no_den)) = (yes.ints()?, no.ints()?);
    let den = common_den(&[yes_den, no_den])?;
    let (up, down) = (den / yes_den, den / no_den);
    let mut bad = false;
    let mut scale = |value: i64, by: i64| {
        let (value, over) = value.overflowing_mul(by);
        bad |= over;
        value
    };
    let test = test.bools();
    let data = match (yes, no) {
        (Arg::One(yes), Arg::One(no)) => {
            let (yes, no) = (scale(yes, up), scale(no, down));
            map2(sel, test, Arg::One(()), |test, ()| if test { yes } else { no })
        }
        (Arg::Each(_), Arg::One(no)) => {
            let no = scale(no, down);
            map2(sel, test, yes, |test, yes| if test { scale(yes, up) } else { no })
        }
        (Arg::One(yes), Arg::Each(_)) => {
            let yes = scale(yes, up);
            map2(sel, test, no, |test, no| if test { yes } else { scale(no, down) })
        }
        (Arg::Each(yes), Arg::Each(no)) => {
            let mut out = vec![0; sel.rows()];
            sel.each(|row| {
                let (value, by) = if test.at(row) { (yes[row], up) } else { (no[row], down) };
                out[row] = scale(value, by);
            });
            out
        }
    };
    (!bad).then_some(Data::Int(Cow::Owned(data), den))
}

/// Texts of one list, or of a list and a literal.
fn blend_texts<'a>(
    test: &Vector<'a>,
    yes: &Vector<'a>,
    no: &Vector<'a>,
    sel: Sel<'_>,
) -> Option<Data<'a>> {
    let coded = |text: &str, list: &Arc<CodeList>| {
        if let Some(code) = list.code(text) {
            (code, Arc::clone(list))
        } else {
            let mut longer = (**list).clone();
            (longer.intern(text), Arc::new(longer))
        }
    };
    let (yes, no, list) = match (&yes.data, &no.data) {
        (Data::Code(yes, left), Data::Code(no, right)) if Arc::ptr_eq(left, right) => {
            (Arg::Each(yes), Arg::Each(no), Arc::clone(left))
        }
        (Data::One(Cell::Text(word)), Data::Code(no, list)) => {
            let (code, list) = coded(word, list);
            (Arg::One(code), Arg::Each(no), list)
        }
        (Data::Code(yes, list), Data::One(Cell::Text(word))) => {
            let (code, list) = coded(word, list);
            (Arg::Each(yes), Arg::One(code), list)
        }
        _ => return None,
    };
    let test = test.bools();
    let data = match (yes, no) {
        (Arg::Each(yes), Arg::Each(no)) => {
            let mut out = vec![0; sel.rows()];
            sel.each(|row| out[row] = if test.at(row) { yes[row] } else { no[row] });
            out
        }
        (Arg::One(yes), no) => map2(sel, test, no, |test, no| if test { yes } else { no }),
        (yes, Arg::One(no)) => map2(sel, test, yes, |test, yes| if test { yes } else { no }),
    };
    Some(Data::Code(Cow::Owned(data), list))
}

/// Each row's value from its branch.
pub(super) fn merge<'a>(
    branches: Vec<Branch<'a>>,
    mut errs: Option<Vec<u8>>,
    n: usize,
    kind: &Kind,
) -> Vector<'a> {
    let mut nulls: Option<Vec<bool>> = None;
    for branch in &branches {
        if !branch.value.is_masked() {
            continue;
        }
        for row in &branch.rows {
            let row = *row as usize;
            match branch.value.err(row) {
                0 if branch.value.is_null(row) => {
                    nulls.get_or_insert_with(|| vec![false; n])[row] = true;
                }
                0 => {}
                own => errs.get_or_insert_with(|| vec![0; n])[row] = own,
            }
        }
    }
    let branches: Vec<Branch<'a>> = branches
        .into_iter()
        .filter(|branch| !matches!(branch.value.data, Data::One(Cell::Null)))
        .collect();
    let data = match kind {
        Kind::Bool | Kind::Null => {
            Data::Bool(Cow::Owned(scatter(&branches, n, |v, row| v.bools().at(row))))
        }
        Kind::Date => Data::Date(Cow::Owned(scatter(&branches, n, |v, row| v.dates().at(row)))),
        Kind::Num { .. } => numbers(&branches, &mut errs, n),
        Kind::Text(_) => texts(&branches, n),
        Kind::Key => keys(&branches, n),
    };
    Vector { data, nulls: nulls.map(Cow::Owned), errs }
}

fn scatter<T: Copy + Default>(
    branches: &[Branch<'_>],
    n: usize,
    value: impl Fn(&Vector<'_>, usize) -> T,
) -> Vec<T> {
    let mut out = vec![T::default(); n];
    for branch in branches {
        for row in &branch.rows {
            out[*row as usize] = value(&branch.value, *row as usize);
        }
    }
    out
}

fn numbers<'a>(branches: &[Branch<'a>], errs: &mut Option<Vec<u8>>, n: usize) -> Data<'a> {
    if let Some(data) = int_numbers(branches, n).or_else(|| frac_numbers(branches, n)) {
        return data;
    }
    let mut out = vec![(0, 1); n];
    for branch in branches {
        for row in &branch.rows {
            let row = *row as usize;
            if branch.value.is_null(row) {
                continue;
            }
            match branch.value.exact(row) {
                Some(value) => out[row] = (value.num, value.den),
                None => own_error(errs, n, row, RowError::Overflow),
            }
        }
    }
    Data::Exact(out)
}

fn int_numbers<'a>(branches: &[Branch<'a>], n: usize) -> Option<Data<'a>> {
    let parts: Vec<(Arg<'_, i64>, i64)> =
        branches.iter().map(|branch| branch.value.ints()).collect::<Option<_>>()?;
    let dens: Vec<i64> = parts.iter().map(|(_, den)| *den).collect();
    let den = common_den(&dens)?;
    let mut out = vec![0_i64; n];
    let mut bad = false;
    for (branch, (values, own)) in branches.iter().zip(parts) {
        let by = den / own;
        for row in &branch.rows {
            let (value, over) = values.at(*row as usize).overflowing_mul(by);
            bad |= over;
            out[*row as usize] = value;
        }
    }
    (!bad).then_some(Data::Int(Cow::Owned(out), den))
}

fn frac_numbers<'a>(branches: &[Branch<'a>], n: usize) -> Option<Data<'a>> {
    let (mut nums, mut dens) = (vec![0_i64; n], vec![1_i64; n]);
    for branch in branches {
        let (num, den) = branch.value.fracs()?;
        for row in &branch.rows {
            let row = *row as usize;
            (nums[row], dens[row]) = (num.at(row), den.at(row));
        }
    }
    Some(Data::Frac(nums, dens))
}

fn texts<'a>(branches: &[Branch<'a>], n: usize) -> Data<'a> {
    // Branches over one list keep it; otherwise the lists are joined.
    let mut lists = branches.iter().filter_map(|branch| match &branch.value.data {
        Data::Code(_, list) => Some(Arc::clone(list)),
        _ => None,
    });
    let first = lists.next().unwrap_or_default();
    let mut union: Option<CodeList> = None;
    let mut out = vec![0_u32; n];
    for branch in branches {
        match &branch.value.data {
            Data::Code(codes, list) if Arc::ptr_eq(list, &first) => {
                for row in &branch.rows {
                    out[*row as usize] = codes[*row as usize];
                }
            }
            Data::Code(codes, list) => {
                let union = union.get_or_insert_with(|| (*first).clone());
                let map: Vec<u32> = list.texts().iter().map(|text| union.intern(text)).collect();
                for row in &branch.rows {
                    let code = codes[*row as usize] as usize;
                    out[*row as usize] = map.get(code).copied().unwrap_or(0);
                }
            }
            Data::One(Cell::Text(text)) => {
                let code = match (&union, first.code(text)) {
                    (_, Some(code)) => code,
                    _ => union.get_or_insert_with(|| (*first).clone()).intern(text),
                };
                for row in &branch.rows {
                    out[*row as usize] = code;
                }
            }
            _ => {}
        }
    }
    let list = union.map_or(first, Arc::new);
    Data::Code(Cow::Owned(out), list)
}

fn keys<'a>(branches: &[Branch<'a>], n: usize) -> Data<'a> {
    let mut odd: Cow<'a, BTreeMap<Key, String>> = Cow::default();
    let mut out = vec![Key::default(); n];
    for branch in branches {
        match &branch.value.data {
            Data::Key(keys, texts) => {
                if odd.is_empty() {
                    odd.clone_from(texts);
                } else if !texts.is_empty() {
                    let more = texts.iter().map(|(key, text)| (*key, text.clone()));
                    odd.to_mut().extend(more);
                }
                for row in &branch.rows {
                    out[*row as usize] = keys[*row as usize];
                }
            }
            Data::One(Cell::Text(text)) => {
                let key = Key::pack(text.as_bytes()).0;
                for row in &branch.rows {
                    out[*row as usize] = key;
                }
            }
            _ => {}
        }
    }
    Data::Key(Cow::Owned(out), odd)
}
