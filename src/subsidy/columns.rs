//! Columns computed in chunks, put together; exact numbers rounded to fen.

use crate::domain::{
    Basis, Calendar, CodeColumn, CodeList, Column, Fraction, Frames, KeyColumn, NumColumn,
    Rounding, RowError, Stored,
};
use crate::law::expr::Expr;
use rayon::prelude::*;
use std::sync::Arc;

/// Rows evaluated at once: small enough to stay in cache, large enough to forget the overhead.
const CHUNK: usize = 8192;

/// Evaluates an expression on rows, chunk by chunk on all cores; one entry a row of `rows`.
pub(crate) fn evaluate(
    expr: &Expr,
    frames: &Frames,
    basis: &Basis,
    rows: &[u32],
    calendar: &Calendar,
) -> Stored {
    let parts: Vec<Stored> =
        rows.par_chunks(CHUNK).map(|chunk| expr.eval(frames, basis, chunk, calendar)).collect();
    if parts.is_empty() {
        return expr.eval(frames, basis, &[], calendar);
    }
    join(parts)
}

/// Puts parts together in order. Numbers with different denominators become fractions.
pub(crate) fn join(mut parts: Vec<Stored>) -> Stored {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    let rows: usize = parts.iter().map(|part| part.column.len()).sum();
    let nulls = parts.iter().any(|part| part.nulls.is_some()).then(|| {
        let mut all = Vec::with_capacity(rows);
        for part in &parts {
            match &part.nulls {
                Some(nulls) => all.extend_from_slice(nulls),
                None => all.resize(all.len() + part.column.len(), false),
            }
        }
        all
    });
    let errors = parts.iter().any(|part| part.errors.is_some()).then(|| {
        let mut all = Vec::with_capacity(rows);
        for part in &parts {
            match &part.errors {
                Some(errors) => all.extend_from_slice(errors),
                None => all.resize(all.len() + part.column.len(), None),
            }
        }
        all
    });
    Stored {
        column: join_columns(parts.into_iter().map(|part| part.column).collect(), rows),
        nulls,
        errors,
    }
}

fn join_columns(parts: Vec<Column>, rows: usize) -> Column {
    match parts.first() {
        Some(Column::Bool(_)) => {
            let mut all = Vec::with_capacity(rows);
            for part in &parts {
                if let Column::Bool(values) = part {
                    all.extend_from_slice(values);
                }
            }
            Column::Bool(all)
        }
        Some(Column::Date(_)) => {
            let mut all = Vec::with_capacity(rows);
            for part in &parts {
                if let Column::Date(values) = part {
                    all.extend_from_slice(values);
                }
            }
            Column::Date(all)
        }
        Some(Column::Key(_)) => {
            let mut all = KeyColumn::default();
            for part in parts {
                if let Column::Key(column) = part {
                    all.keys.extend(column.keys);
                    all.odd.extend(column.odd);
                }
            }
            Column::Key(all)
        }
        Some(Column::Code(first)) => {
            let mut list = CodeList::clone(&first.list);
            let mut codes = Vec::with_capacity(rows);
            for part in &parts {
                if let Column::Code(column) = part {
                    if column.list.texts() == list.texts() {
                        codes.extend_from_slice(&column.codes);
                    } else {
                        let map: Vec<u32> =
                            column.list.texts().iter().map(|text| list.intern(text)).collect();
                        let code = |c: &u32| map.get(*c as usize).copied().unwrap_or(0);
                        codes.extend(column.codes.iter().map(code));
                    }
                }
            }
            Column::Code(CodeColumn { codes, list: Arc::new(list) })
        }
        Some(Column::Num(_) | Column::Ratio(_)) => join_numbers(&parts, rows),
        None => Column::whole(Vec::new()),
    }
}

fn join_numbers(parts: &[Column], rows: usize) -> Column {
    let den = |column: &Column| match column {
        Column::Num(column) => Some(column.den),
        _ => None,
    };
    let first = parts.first().and_then(den);
    if let Some(common) = first.filter(|_| parts.iter().all(|part| den(part) == first)) {
        let mut values = Vec::with_capacity(rows);
        for part in parts {
            if let Column::Num(column) = part {
                values.extend_from_slice(&column.values);
            }
        }
        return Column::Num(NumColumn { values, den: common });
    }
    let mut all = Vec::with_capacity(rows);
    for part in parts {
        match part {
            Column::Num(column) => all.extend(
                column.values.iter().map(|value| (i128::from(*value), i128::from(column.den))),
            ),
            Column::Ratio(values) => all.extend_from_slice(values),
            _ => {}
        }
    }
    Column::Ratio(all)
}

/// Scatters values computed for `rows` into a column of `len` rows; the others are null.
pub(crate) fn scatter(part: Stored, rows: &[u32], len: usize) -> Stored {
    // Rows of several segments stand segment by segment: all of them, but not in order.
    if rows.len() == len && rows.iter().zip(0..).all(|(row, at): (&u32, u32)| *row == at) {
        return part;
    }
    let mut back = vec![u32::MAX; len];
    for (at, row) in rows.iter().enumerate() {
        back[*row as usize] = u32::try_from(at).unwrap_or(u32::MAX);
    }
    part.take(&back)
}

/// Largest amount of one line, fen: beyond it a row is refused as an overflow.
const LINE_MAX: i128 = 1_000_000_000_000_000;

/// Rounds an exact number of fen; whole fen or the reason there is none. Null is no amount (the
/// checker refuses nullable payables), told as an overflow rather than as zero.
pub(crate) fn round_row(stored: &Stored, row: usize, round: Rounding) -> Result<i64, RowError> {
    if let Some(error) = stored.error(row) {
        return Err(error);
    }
    let exact = match &stored.column {
        Column::Num(column) => {
            Fraction { num: i128::from(column.values[row]), den: i128::from(column.den) }
        }
        Column::Ratio(values) => Fraction { num: values[row].0, den: values[row].1 },
        _ => return Err(RowError::Overflow),
    };
    whole_fen(round.apply(exact))
}

/// A rounded amount as fen.
pub(crate) fn whole_fen(rounded: Option<Fraction>) -> Result<i64, RowError> {
    let rounded = rounded.ok_or(RowError::Overflow)?;
    let fen = rounded.num / rounded.den;
    if fen.abs() > LINE_MAX {
        return Err(RowError::Overflow);
    }
    i64::try_from(fen).map_err(|_| RowError::Overflow)
}

/// Rounds a whole column to fen, fast where numbers are small.
pub(crate) fn round_column(stored: &Stored, round: Rounding) -> Vec<Result<i64, RowError>> {
    let rows = stored.column.len();
    if let (Column::Num(column), None, None, (quantum, 1)) =
        (&stored.column, &stored.nulls, &stored.errors, round.quantum)
        && let Some(bottom) =
            i64::try_from(quantum).ok().and_then(|quantum| quantum.checked_mul(column.den))
    {
        let quantum = i64::try_from(quantum).unwrap_or(1);
        return column
            .values
            .par_iter()
            .with_min_len(CHUNK)
            .map(|value| {
                let count = round.mode.divide_i64(*value, bottom);
                let fen = count.checked_mul(quantum).ok_or(RowError::Overflow)?;
                if i128::from(fen).abs() > LINE_MAX { Err(RowError::Overflow) } else { Ok(fen) }
            })
            .collect();
    }
    (0..rows).into_par_iter().with_min_len(1024).map(|row| round_row(stored, row, round)).collect()
}
