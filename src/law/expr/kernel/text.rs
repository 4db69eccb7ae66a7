//! Texts, identifiers and table lookups: everything is decided on codes and packed keys.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{Cell, CodeList, Key, RowError};
use crate::law::expr::lookup::{Axis, Cells, Lookup};

use super::number::own_error;
use super::vector::{Arg, Data, Sel, Vector, join_errors, map1, map2};

/// A code no list holds.
const NONE: u32 = u32::MAX;

pub(super) fn is_text(a: &Vector<'_>) -> bool {
    matches!(a.data, Data::Code(..) | Data::Key(..) | Data::One(Cell::Text(_)))
}

fn plain<'a>(values: Vec<bool>, errs: Option<Vec<u8>>) -> Vector<'a> {
    Vector { data: Data::Bool(Cow::Owned(values)), nulls: None, errs }
}

/// Whether two texts are equal (or not) on each row.
pub(super) fn compare<'a>(equal: bool, a: &Vector<'a>, b: &Vector<'a>, sel: Sel<'_>) -> Vector<'a> {
    let errs = join_errors(&[a, b]);
    let out = match (&a.data, &b.data) {
        (Data::Code(codes, list), Data::One(Cell::Text(text)))
        | (Data::One(Cell::Text(text)), Data::Code(codes, list)) => {
            let wanted = list.code(text).unwrap_or(NONE);
            map1(sel, Arg::Each(codes), |code| (code == wanted) == equal)
        }
        (Data::Code(x, left), Data::Code(y, right)) if Arc::ptr_eq(left, right) => {
            map2(sel, Arg::Each(x), Arg::Each(y), |x, y| (x == y) == equal)
        }
        (Data::Code(x, left), Data::Code(y, right)) => {
            let into: Vec<u32> =
                left.texts().iter().map(|text| right.code(text).unwrap_or(NONE)).collect();
            map2(sel, Arg::Each(x), Arg::Each(y), |x, y| {
                (into.get(x as usize).copied().unwrap_or(NONE) == y) == equal
            })
        }
        (x, y) => {
            let (x, y) = (keys(x), keys(y));
            map2(sel, arg(&x), arg(&y), |x, y| (x == y) == equal)
        }
    };
    plain(out, errs)
}

/// Keys of any text vector.
enum Keys<'v> {
    Each(Cow<'v, [Key]>),
    One(Key),
}

fn arg<'v>(keys: &'v Keys<'_>) -> Arg<'v, Key> {
    match keys {
        Keys::Each(keys) => Arg::Each(keys),
        Keys::One(key) => Arg::One(*key),
    }
}

fn keys<'v>(data: &'v Data<'_>) -> Keys<'v> {
    match data {
        Data::Key(keys, _) => Keys::Each(Cow::Borrowed(keys)),
        Data::Code(codes, list) => {
            let by_code: Vec<Key> =
                list.texts().iter().map(|text| Key::pack(text.as_bytes()).0).collect();
            let key = |code: &u32| by_code.get(*code as usize).copied().unwrap_or_default();
            Keys::Each(Cow::Owned(codes.iter().map(key).collect()))
        }
        Data::One(Cell::Text(text)) => Keys::One(Key::pack(text.as_bytes()).0),
        _ => Keys::One(Key::default()),
    }
}

/// Whether a text is among constants.
pub(super) fn one_of<'a>(a: &Vector<'a>, list: &[Cell], sel: Sel<'_>) -> Vector<'a> {
    let texts = || {
        list.iter().filter_map(|cell| match cell {
            Cell::Text(text) => Some(text.as_str()),
            _ => None,
        })
    };
    let out = match &a.data {
        Data::Code(codes, own) => {
            let mut listed = vec![false; own.texts().len()];
            for code in texts().filter_map(|text| own.code(text)) {
                listed[code as usize] = true;
            }
            map1(sel, Arg::Each(codes), |code| listed.get(code as usize).copied().unwrap_or(false))
        }
        data => {
            let wanted: Vec<Key> = texts().map(|text| Key::pack(text.as_bytes()).0).collect();
            let own = keys(data);
            map1(sel, arg(&own), |key| wanted.contains(&key))
        }
    };
    plain(out, a.errs.clone())
}

/// A value by text: over the list for codes, row by row for identifiers.
fn by_text<R: Copy + Default>(a: &Vector<'_>, sel: Sel<'_>, f: impl Fn(&str) -> R) -> Vec<R> {
    match &a.data {
        Data::Code(codes, list) => {
            let values: Vec<R> = list.texts().iter().map(|text| f(text)).collect();
            map1(sel, Arg::Each(codes), |code| {
                values.get(code as usize).copied().unwrap_or_default()
            })
        }
        Data::Key(keys, odd) => map1(sel, Arg::Each(keys), |key| f(&key_text(key, odd))),
        Data::One(Cell::Text(text)) => vec![f(text); sel.rows()],
        _ => vec![R::default(); sel.rows()],
    }
}

fn key_text(key: Key, odd: &BTreeMap<Key, String>) -> String {
    key.unpack().unwrap_or_else(|| odd.get(&key).cloned().unwrap_or_default())
}

pub(super) fn length<'a>(a: &Vector<'a>, sel: Sel<'_>) -> Vector<'a> {
    let count = |text: &str| i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let out = match &a.data {
        // A packed identifier has one byte a character and knows how many.
        Data::Key(keys, odd) => {
            map1(sel, Arg::Each(keys), |key| match key.length().map(i64::try_from) {
                Some(Ok(length)) => length,
                _ => count(&key_text(key, odd)),
            })
        }
        _ => by_text(a, sel, count),
    };
    Vector { data: Data::Int(Cow::Owned(out), 1), nulls: None, errs: a.errs.clone() }
}

pub(super) fn starts_with<'a>(a: &Vector<'a>, start: &str, sel: Sel<'_>) -> Vector<'a> {
    plain(by_text(a, sel, |text| text.starts_with(start)), a.errs.clone())
}

/// Class of each row's key value, for one key of a table.
fn classes(axis: &Axis, a: &Vector<'_>, sel: Sel<'_>) -> Arg1 {
    match (axis, &a.data) {
        (Axis::Text { .. }, Data::Code(codes, list)) => {
            let by_code = axis.of_codes(list);
            Arg1::Each(map1(sel, Arg::Each(codes), |code| {
                by_code.get(code as usize).copied().unwrap_or(0)
            }))
        }
        (Axis::Text { by_key, .. }, Data::Key(keys, _)) if !by_key.is_empty() => {
            Arg1::Each(map1(sel, Arg::Each(keys), |key| by_key.get(&key).copied().unwrap_or(0)))
        }
        (Axis::Text { by_text, .. }, Data::One(Cell::Text(text))) => {
            Arg1::One(by_text.get(text.as_str()).copied().unwrap_or(0))
        }
        (Axis::Text { .. }, _) => Arg1::One(0),
        (Axis::Bool, _) => match a.bools() {
            Arg::One(value) => Arg1::One(u32::from(value)),
            values @ Arg::Each(_) => Arg1::Each(map1(sel, values, u32::from)),
        },
        (Axis::Number(line), Data::Date(dates)) => {
            let class = |date: crate::domain::Date| line.class_of_whole(date.days().into());
            Arg1::Each(map1(sel, Arg::Each(dates), class))
        }
        (Axis::Number(line), Data::One(Cell::Date(date))) => {
            Arg1::One(line.class_of_whole(date.days().into()))
        }
        (Axis::Number(line), Data::Int(values, 1)) => {
            Arg1::Each(map1(sel, Arg::Each(values), |value| line.class_of_whole(value)))
        }
        (Axis::Number(line), _) => {
            let mut out = vec![0; sel.rows()];
            sel.each(|row| {
                out[row] = a.exact(row).map_or(0, |value| line.class(value));
            });
            Arg1::Each(out)
        }
    }
}

/// Classes of a key by row, or one for all rows.
enum Arg1 {
    Each(Vec<u32>),
    One(u32),
}

impl Arg1 {
    fn at(&self, row: usize) -> u32 {
        match self {
            Self::Each(classes) => classes[row],
            Self::One(class) => *class,
        }
    }
}

/// Row of the table (+ 1) for each row; 0 = none.
fn hits(lookup: &Lookup, args: &[&Vector<'_>], sel: Sel<'_>) -> Vec<u32> {
    let keys: Vec<Arg1> =
        lookup.axes.iter().zip(args).map(|(axis, arg)| classes(axis, arg, sel)).collect();
    let n = sel.rows();
    if let Some((rows, strides)) = lookup.dense() {
        let mut places: Option<Vec<u32>> = None;
        let mut fixed = 0;
        for (key, stride) in keys.into_iter().zip(strides) {
            match (key, &mut places) {
                (Arg1::One(class), _) => fixed += class * stride,
                (Arg1::Each(mut classes), None) => {
                    for class in &mut classes {
                        *class *= stride;
                    }
                    places = Some(classes);
                }
                (Arg1::Each(classes), Some(places)) => {
                    for (place, class) in places.iter_mut().zip(classes) {
                        *place += class * stride;
                    }
                }
            }
        }
        let row = |place: u32| rows.get((place + fixed) as usize).copied().unwrap_or(0);
        return match places {
            Some(places) => places.into_iter().map(row).collect(),
            None => vec![row(0); n],
        };
    }
    let mut out = vec![0; n];
    let mut point = vec![0; keys.len()];
    sel.each(|row| {
        for (class, key) in point.iter_mut().zip(&keys) {
            *class = key.at(row);
        }
        out[row] = lookup.search(&point);
    });
    out
}

/// Looks up each row; a key no row of the table covers is an error of the row.
pub(super) fn lookup<'a>(lookup: &Lookup, args: &[&Vector<'a>], sel: Sel<'_>) -> Vector<'a> {
    let mut errs = join_errors(args);
    let hits = hits(lookup, args, sel);
    let n = sel.rows();
    let mut missed = false;
    sel.each(|row| missed |= hits[row] == 0);
    if missed {
        sel.each(|row| {
            if hits[row] == 0 {
                own_error(&mut errs, n, row, RowError::TableMiss);
            }
        });
    }
    let nulls = lookup.table.nullable().then(|| {
        let rows = &lookup.table.rows;
        map1(sel, Arg::Each(&hits), |hit| hit != 0 && rows[hit as usize - 1].1 == Cell::Null)
    });
    let nulls = nulls.filter(|nulls| nulls.contains(&true)).map(Cow::Owned);
    let hit = Arg::Each(&hits);
    let data = match &lookup.cells {
        Cells::Num { values, den } => {
            Data::Int(Cow::Owned(map1(sel, hit, |hit| pick(values, hit))), *den)
        }
        Cells::Exact(values) => {
            Data::Exact(map1(sel, hit, |hit| if hit == 0 { (0, 1) } else { pick(values, hit) }))
        }
        Cells::Bool(values) => Data::Bool(Cow::Owned(map1(sel, hit, |hit| pick(values, hit)))),
        Cells::Date(values) => Data::Date(Cow::Owned(map1(sel, hit, |hit| pick(values, hit)))),
        Cells::Text { codes, list } => text_cells(codes, list, &hits, sel),
    };
    Vector { data, nulls, errs }
}

fn text_cells<'a>(codes: &[u32], list: &Arc<CodeList>, hits: &[u32], sel: Sel<'_>) -> Data<'a> {
    let codes = map1(sel, Arg::Each(hits), |hit| pick(codes, hit));
    Data::Code(Cow::Owned(codes), Arc::clone(list))
}

fn pick<T: Copy + Default>(values: &[T], hit: u32) -> T {
    if hit == 0 { T::default() } else { values[hit as usize - 1] }
}
