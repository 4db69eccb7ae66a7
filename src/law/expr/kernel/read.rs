//! Reading frame columns into vectors and writing the result as a column.

use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::domain::{
    Basis, Cell, CodeColumn, CodeList, Column, Date, Frame, KeyColumn, NumColumn, RowError, Stored,
    in_turn,
};
use crate::law::expr::tree::Kind;

use super::Chunk;
use super::number::own_error;
use super::vector::{Data, Vector};

/// First row when the rows are one after the other.
pub(super) fn contiguous(rows: &[u32]) -> Option<usize> {
    let first = *rows.first()?;
    in_turn(rows, first).then_some(first as usize)
}

/// How the rows of the chunk find theirs in a column.
enum Places<'p> {
    /// From this row on.
    Slice(usize),
    /// By number; [`Frame::NO_ROW`] where there is none.
    Each(&'p [u32]),
}

impl<'a> Chunk<'a> {
    /// Reads a column for every row of the chunk.
    pub(super) fn read(&mut self, column: usize, kind: &Kind) -> Vector<'a> {
        let (basis, name) = &self.tree.columns[column];
        let n = self.rows.len();
        let stored = self.frames.get(basis).and_then(|frame| frame.get(name));
        let Some(stored) = stored else {
            // The table was not delivered: no row has a parent there.
            return Vector { data: empty(kind), nulls: None, errs: Some(vec![NO_PARENT; n]) };
        };
        if basis == self.basis {
            let places = self.first.map_or(Places::Each(self.rows), Places::Slice);
            return gather(stored, &places, n, false);
        }
        let links = self.links(basis);
        gather(stored, &Places::Each(&links), n, true)
    }

    /// Row of a coarser basis each row of the chunk belongs to.
    fn links(&mut self, basis: &Basis) -> Rc<Vec<u32>> {
        if let Some((_, links)) = self.links.iter().find(|(known, _)| known == basis) {
            return Rc::clone(links);
        }
        let to = self.frame.and_then(|frame| frame.links.get(basis));
        let links: Vec<u32> = match to {
            Some(to) => self
                .rows
                .iter()
                .map(|row| to.get(*row as usize).copied().unwrap_or(Frame::NO_ROW))
                .collect(),
            // There is one programme row, and every row belongs to it.
            None if *basis == Basis::Programme => vec![0; self.rows.len()],
            None => vec![Frame::NO_ROW; self.rows.len()],
        };
        let links = Rc::new(links);
        self.links.push((basis.clone(), Rc::clone(&links)));
        links
    }
}

const NO_PARENT: u8 = RowError::NoParent as u8;

fn empty<'a>(kind: &Kind) -> Data<'a> {
    Data::One(match kind {
        Kind::Bool | Kind::Null => Cell::Bool(false),
        Kind::Text(_) | Kind::Key => Cell::Text(String::new()),
        Kind::Num { .. } => Cell::Num(0, 1),
        Kind::Date => Cell::Date(Date::default()),
    })
}

fn take<'a, T: Copy + Default>(values: &'a [T], places: &Places<'_>, n: usize) -> Cow<'a, [T]> {
    match places {
        Places::Slice(first) => match values.get(*first..*first + n) {
            Some(slice) => Cow::Borrowed(slice),
            None => Cow::Owned(vec![T::default(); n]),
        },
        Places::Each(rows) => Cow::Owned(
            rows.iter().map(|row| values.get(*row as usize).copied().unwrap_or_default()).collect(),
        ),
    }
}

fn gather<'a>(stored: &'a Stored, places: &Places<'_>, n: usize, linked: bool) -> Vector<'a> {
    let data = match &stored.column {
        Column::Bool(values) => Data::Bool(take(values, places, n)),
        Column::Num(column) => Data::Int(take(&column.values, places, n), column.den.max(1)),
        Column::Ratio(values) => ratios(&take(values, places, n)),
        Column::Date(values) => Data::Date(take(values, places, n)),
        Column::Code(column) => {
            Data::Code(take(&column.codes, places, n), Arc::clone(&column.list))
        }
        Column::Key(column) => Data::Key(take(&column.keys, places, n), Cow::Borrowed(&column.odd)),
    };
    let nulls = stored.nulls.as_ref().map(|nulls| take(nulls, places, n));
    let mut errs = stored.errors.as_ref().map(|errors| {
        let code = |error: &Option<RowError>| error.map_or(0, |error| error as u8);
        take(errors, places, n).iter().map(code).collect::<Vec<u8>>()
    });
    if let (true, Places::Each(rows)) = (linked, places)
        && rows.contains(&Frame::NO_ROW)
    {
        let errs = errs.get_or_insert_with(|| vec![0; n]);
        for (err, row) in errs.iter_mut().zip(*rows) {
            if *row == Frame::NO_ROW {
                *err = NO_PARENT;
            }
        }
    }
    let nulls = nulls.filter(|nulls| nulls.iter().any(|null| *null));
    let errs = errs.filter(|errs| errs.iter().any(|err| *err != 0));
    Vector { data, nulls, errs }
}

/// Stored ratios as 64-bit fractions where all fit, else in lowest terms.
fn ratios<'a>(values: &[(i128, i128)]) -> Data<'a> {
    let (mut nums, mut dens) = (Vec::with_capacity(values.len()), Vec::with_capacity(values.len()));
    for (num, den) in values {
        match (i64::try_from(*num), i64::try_from(*den)) {
            (Ok(num), Ok(den)) if den > 0 => {
                nums.push(num);
                dens.push(den);
            }
            // A null row, or a gathered row without a parent, holds 0 / 0.
            (Ok(0), Ok(0)) => {
                nums.push(0);
                dens.push(1);
            }
            _ => return Data::Exact(values.to_vec()),
        }
    }
    Data::Frac(nums, dens)
}

/// The dense column of a vector.
pub(super) fn store(vector: &Vector<'_>, n: usize, kind: &Kind) -> Stored {
    let errors: Option<Vec<Option<RowError>>> = vector
        .errs
        .as_ref()
        .filter(|errs| errs.iter().any(|err| *err != 0))
        .map(|errs| errs.iter().map(|err| error_of(*err)).collect());
    let mut nulls = vector.nulls.as_ref().map(|nulls| nulls.to_vec());
    let column = match &vector.data {
        Data::One(Cell::Null) => {
            nulls = Some(vec![true; n]);
            repeat(&empty(kind), n, kind)
        }
        one @ Data::One(_) => repeat(one, n, kind),
        Data::Bool(values) => Column::Bool(values.to_vec()),
        Data::Int(values, den) => Column::Num(NumColumn { values: values.to_vec(), den: *den }),
        Data::Wide(values, den) => wide(values, *den),
        Data::Frac(nums, dens) => Column::Ratio(
            nums.iter().zip(dens).map(|(num, den)| (i128::from(*num), i128::from(*den))).collect(),
        ),
        Data::Exact(values) => Column::Ratio(values.clone()),
        Data::Date(values) => Column::Date(values.to_vec()),
        Data::Code(codes, list) => {
            Column::Code(CodeColumn { codes: codes.to_vec(), list: Arc::clone(list) })
        }
        Data::Key(keys, odd) => {
            let texts = keys.iter().filter_map(|key| odd.get(key).map(|text| (*key, text.clone())));
            Column::Key(KeyColumn { keys: keys.to_vec(), odd: texts.collect() })
        }
    };
    let nulls = nulls.filter(|nulls| nulls.iter().any(|null| *null));
    Stored { column, nulls, errors }
}

/// The dense column of rounded numbers over `den`; a value beyond 64 bits is an overflow.
pub(super) fn store_whole(vector: &Vector<'_>, n: usize, den: i128) -> Stored {
    let mut errs = vector.errs.clone();
    let den = i64::try_from(den).unwrap_or(i64::MAX);
    let values = match &vector.data {
        Data::Int(values, own) if *own == den => values.to_vec(),
        _ => {
            let scaled = |row: usize| {
                let value = vector.exact(row)?;
                let count = value.num.checked_mul(i128::from(den) / value.den)?;
                i64::try_from(count).ok()
            };
            let mut values = vec![0; n];
            for (row, value) in values.iter_mut().enumerate() {
                match scaled(row) {
                    Some(count) => *value = count,
                    None if vector.is_null(row) => {}
                    None => own_error(&mut errs, n, row, RowError::Overflow),
                }
            }
            values
        }
    };
    let nulls = vector.nulls.as_ref().map(|nulls| nulls.to_vec());
    let nulls = match vector.data {
        Data::One(Cell::Null) => Some(vec![true; n]),
        _ => nulls.filter(|nulls| nulls.contains(&true)),
    };
    let errors = errs
        .filter(|errs| errs.iter().any(|err| *err != 0))
        .map(|errs| errs.iter().map(|err| error_of(*err)).collect());
    Stored { column: Column::Num(NumColumn { values, den }), nulls, errors }
}

fn wide(values: &[i128], den: i128) -> Column {
    let narrow: Option<Vec<i64>> = values.iter().map(|value| i64::try_from(*value).ok()).collect();
    match (narrow, i64::try_from(den)) {
        (Some(values), Ok(den)) => Column::Num(NumColumn { values, den }),
        _ => Column::Ratio(values.iter().map(|value| (*value, den)).collect()),
    }
}

/// One constant as a column.
fn repeat(one: &Data<'_>, n: usize, kind: &Kind) -> Column {
    match one {
        Data::One(Cell::Bool(value)) => Column::Bool(vec![*value; n]),
        Data::One(Cell::Num(num, den)) => match (i64::try_from(*num), i64::try_from(*den)) {
            (Ok(num), Ok(den)) => Column::Num(NumColumn { values: vec![num; n], den }),
            _ => Column::Ratio(vec![(*num, *den); n]),
        },
        Data::One(Cell::Date(date)) => Column::Date(vec![*date; n]),
        Data::One(Cell::Text(text)) if *kind == Kind::Key => {
            let mut column = KeyColumn::default();
            (0..n).for_each(|_| column.push(text));
            Column::Key(column)
        }
        Data::One(Cell::Text(text)) => Column::Code(CodeColumn {
            codes: vec![0; n],
            list: Arc::new(CodeList::new([text.as_str()])),
        }),
        _ => Column::Bool(vec![false; n]),
    }
}

pub(super) const fn error_of(code: u8) -> Option<RowError> {
    match code {
        1 => Some(RowError::NoParent),
        2 => Some(RowError::TableMiss),
        3 => Some(RowError::DivisionByZero),
        4 => Some(RowError::Overflow),
        5 => Some(RowError::NegativeAmount),
        _ => None,
    }
}

/// One column out of the columns of consecutive chunks.
/// Rows keep their order; denominators and text lists are brought together.
#[must_use]
pub fn join(parts: Vec<Stored>) -> Stored {
    let rows: usize = parts.iter().map(|part| part.column.len()).sum();
    let mask = |take: &dyn Fn(&Stored) -> Option<Vec<bool>>| -> Option<Vec<bool>> {
        parts.iter().any(|part| take(part).is_some()).then(|| {
            let mut all = Vec::with_capacity(rows);
            for part in &parts {
                all.extend(take(part).unwrap_or_else(|| vec![false; part.column.len()]));
            }
            all
        })
    };
    let nulls = mask(&|part| part.nulls.clone());
    let errors = parts.iter().any(|part| part.errors.is_some()).then(|| {
        let mut all = Vec::with_capacity(rows);
        for part in &parts {
            match &part.errors {
                Some(errors) => all.extend_from_slice(errors),
                None => all.extend(std::iter::repeat_n(None, part.column.len())),
            }
        }
        all
    });
    let columns: Vec<Column> = parts.into_iter().map(|part| part.column).collect();
    Stored { column: join_columns(columns, rows), nulls, errors }
}

fn join_columns(columns: Vec<Column>, rows: usize) -> Column {
    match columns.first() {
        Some(Column::Bool(_)) => Column::Bool(
            columns
                .into_iter()
                .flat_map(|column| match column {
                    Column::Bool(values) => values,
                    other => vec![false; other.len()],
                })
                .collect(),
        ),
        Some(Column::Date(_)) => Column::Date(
            columns
                .into_iter()
                .flat_map(|column| match column {
                    Column::Date(values) => values,
                    other => vec![Date::default(); other.len()],
                })
                .collect(),
        ),
        Some(Column::Key(_)) => {
            let mut all = KeyColumn { keys: Vec::with_capacity(rows), odd: BTreeMap::new() };
            for column in columns {
                if let Column::Key(part) = column {
                    all.keys.extend(part.keys);
                    all.odd.extend(part.odd);
                }
            }
            Column::Key(all)
        }
        Some(Column::Code(_)) => join_codes(columns, rows),
        Some(Column::Num(first)) => {
            let den = first.den;
            let same = columns
                .iter()
                .all(|column| matches!(column, Column::Num(column) if column.den == den));
            if same {
                let mut values = Vec::with_capacity(rows);
                for column in columns {
                    if let Column::Num(part) = column {
                        values.extend(part.values);
                    }
                }
                return Column::Num(NumColumn { values, den });
            }
            join_ratios(columns, rows)
        }
        Some(Column::Ratio(_)) => join_ratios(columns, rows),
        None => Column::Bool(Vec::new()),
    }
}

fn join_ratios(columns: Vec<Column>, rows: usize) -> Column {
    let mut all = Vec::with_capacity(rows);
    for column in columns {
        match column {
            Column::Ratio(values) => all.extend(values),
            Column::Num(part) => {
                let den = i128::from(part.den);
                all.extend(part.values.into_iter().map(|value| (i128::from(value), den)));
            }
            other => all.extend(std::iter::repeat_n((0, 1), other.len())),
        }
    }
    Column::Ratio(all)
}

fn join_codes(columns: Vec<Column>, rows: usize) -> Column {
    let mut list: Option<Arc<CodeList>> = None;
    let mut codes = Vec::with_capacity(rows);
    for column in columns {
        let Column::Code(part) = column else { continue };
        match &mut list {
            None => {
                list = Some(part.list);
                codes.extend(part.codes);
            }
            Some(list) if Arc::ptr_eq(list, &part.list) => codes.extend(part.codes),
            Some(list) => {
                let mut union = (**list).clone();
                let mut known: FxHashMap<u32, u32> = FxHashMap::default();
                for code in part.codes {
                    let into = known.entry(code);
                    codes.push(*into.or_insert_with(|| union.intern(part.list.text(code))));
                }
                *list = Arc::new(union);
            }
        }
    }
    Column::Code(CodeColumn { codes, list: list.unwrap_or_default() })
}
