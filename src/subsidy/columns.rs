//! Columns computed in chunks, put together; exact numbers rounded to fen.

use crate::domain::{
    Basis, Calendar, CodeColumn, CodeList, Column, Fraction, Frames, KeyColumn, NumColumn,
    Rounding, RowError, Stored, concatenate, filled, in_turn, set_end_to_end,
};
use crate::law::expr::Expr;
use rayon::prelude::*;
use std::borrow::Cow;
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
    let eval = |chunk: &[u32]| expr.eval(frames, basis, chunk, calendar);
    let (head, rest) = rows.split_at(rows.len().min(CHUNK));
    let first = eval(head);
    if rest.is_empty() {
        return first;
    }
    match first.column {
        Column::Bool(_) => gather(first, rest, eval, Column::Bool, |column| match column {
            Column::Bool(values) => Some(values),
            _ => None,
        }),
        Column::Date(_) => gather(first, rest, eval, Column::Date, |column| match column {
            Column::Date(values) => Some(values),
            _ => None,
        }),
        Column::Num(NumColumn { den, .. }) => {
            let make = |values| Column::Num(NumColumn { values, den });
            gather(first, rest, eval, make, |column| match column {
                Column::Num(column) if column.den == den => Some(&column.values),
                _ => None,
            })
        }
        _ => {
            let parts = rest.par_chunks(CHUNK).map(eval).collect::<Vec<_>>();
            join(std::iter::once(first).chain(parts).collect())
        }
    }
}

/// What is left of a chunk whose values have found their place.
struct Left {
    rows: usize,
    /// The values, where they are of another kind than the first chunk's.
    odd: Option<Column>,
    nulls: Option<Vec<bool>>,
    errors: Option<Vec<Option<RowError>>>,
}

/// Evaluates the chunks behind the first straight into one column: a chunk's own memory serves the
/// next while it is still warm. `pick` takes the values of a chunk of the first one's kind.
fn gather<T: Copy + Default + Send + Sync>(
    first: Stored,
    rest: &[u32],
    eval: impl Fn(&[u32]) -> Stored + Sync,
    make: impl Fn(Vec<T>) -> Column,
    pick: impl Fn(&Column) -> Option<&Vec<T>> + Sync,
) -> Stored {
    let own = first.column.len();
    let mut values = filled(T::default(), own + rest.len());
    let (head, tail) = values.split_at_mut(own);
    if let Some(first) = pick(&first.column) {
        head.copy_from_slice(first);
    }
    let chunks: Vec<Left> = tail
        .par_chunks_mut(CHUNK)
        .zip(rest.par_chunks(CHUNK))
        .map(|(place, rows)| {
            let Stored { column, nulls, errors } = eval(rows);
            let found = pick(&column).map(|values| place.copy_from_slice(values));
            let odd = found.is_none().then_some(column);
            Left { rows: rows.len(), odd, nulls, errors }
        })
        .collect();
    if chunks.iter().any(|chunk| chunk.odd.is_some()) {
        let mut parts = vec![first];
        let mut at = own;
        for Left { rows, odd, nulls, errors } in chunks {
            let column = odd.unwrap_or_else(|| make(values[at..at + rows].to_vec()));
            parts.push(Stored { column, nulls, errors });
            at += rows;
        }
        return join(parts);
    }
    let masks = chunks.into_iter().map(|chunk| (chunk.rows, chunk.nulls, chunk.errors));
    let (nulls, errors) =
        join_masks(std::iter::once((own, first.nulls, first.errors)).chain(masks));
    Stored { column: make(values), nulls, errors }
}

/// Puts parts together in order. Numbers with different denominators become fractions.
pub(crate) fn join(mut parts: Vec<Stored>) -> Stored {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    let rows: usize = parts.iter().map(|part| part.column.len()).sum();
    let mut columns = Vec::with_capacity(parts.len());
    let masks: Vec<_> = parts
        .into_iter()
        .map(|Stored { column, nulls, errors }| {
            let own = column.len();
            columns.push(column);
            (own, nulls, errors)
        })
        .collect();
    let (nulls, errors) = join_masks(masks.into_iter());
    Stored { column: join_columns(columns, rows), nulls, errors }
}

type Errors = Vec<Option<RowError>>;

/// Nulls and errors of parts, by the rows of each; absent where no part has any.
fn join_masks(
    parts: impl Iterator<Item = (usize, Option<Vec<bool>>, Option<Errors>)>,
) -> (Option<Vec<bool>>, Option<Errors>) {
    fn whole<T: Copy + Default + Send + Sync>(parts: &[(usize, Option<Vec<T>>)]) -> Option<Vec<T>> {
        parts.iter().any(|(_, mask)| mask.is_some()).then(|| {
            let parts = parts.iter().map(|(rows, mask)| (*rows, mask.as_deref()));
            set_end_to_end(&parts.collect::<Vec<_>>())
        })
    }
    let (nulls, errors): (Vec<_>, Vec<_>) =
        parts.map(|(rows, nulls, errors)| ((rows, nulls), (rows, errors))).unzip();
    (whole(&nulls), whole(&errors))
}

/// The values of the parts that are of the kind picked.
fn slices<'p, T>(parts: &'p [Column], pick: fn(&'p Column) -> Option<&'p Vec<T>>) -> Vec<&'p [T]> {
    parts.iter().filter_map(pick).map(Vec::as_slice).collect()
}

fn join_columns(parts: Vec<Column>, rows: usize) -> Column {
    match parts.first() {
        Some(Column::Bool(_)) => Column::Bool(concatenate(&slices(&parts, |part| match part {
            Column::Bool(values) => Some(values),
            _ => None,
        }))),
        Some(Column::Date(_)) => Column::Date(concatenate(&slices(&parts, |part| match part {
            Column::Date(values) => Some(values),
            _ => None,
        }))),
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
        Some(Column::Num(_) | Column::Ratio(_)) => join_numbers(&parts),
        None => Column::whole(Vec::new()),
    }
}

fn join_numbers(parts: &[Column]) -> Column {
    let den = |column: &Column| match column {
        Column::Num(column) => Some(column.den),
        _ => None,
    };
    let first = parts.first().and_then(den);
    if let Some(common) = first.filter(|_| parts.iter().all(|part| den(part) == first)) {
        let values = concatenate(&slices(parts, |part| match part {
            Column::Num(column) => Some(&column.values),
            _ => None,
        }));
        return Column::Num(NumColumn { values, den: common });
    }
    let ratios: Vec<Cow<'_, [(i128, i128)]>> = parts
        .par_iter()
        .map(|part| match part {
            Column::Num(column) => {
                let den = i128::from(column.den);
                Cow::Owned(column.values.iter().map(|value| (i128::from(*value), den)).collect())
            }
            Column::Ratio(values) => Cow::Borrowed(values.as_slice()),
            _ => Cow::Owned(Vec::new()),
        })
        .collect();
    Column::Ratio(concatenate(&ratios.iter().map(AsRef::as_ref).collect::<Vec<_>>()))
}

/// Whether `rows` are all rows of a frame in their order: rows of several segments stand segment by
/// segment, all of them, but not in order.
pub(crate) fn in_order(rows: &[u32], len: usize) -> bool {
    rows.len() == len && in_turn(rows, 0)
}

/// Scatters values computed for `rows` into a column of `len` rows; the others are null.
pub(crate) fn scatter(part: Stored, rows: &[u32], len: usize) -> Stored {
    match places(rows, len) {
        None => part,
        Some(places) => part.take(&places),
    }
}

/// Where each of `len` rows stands among `rows`, beyond the end where it does not; `None` when they
/// are all rows in order.
pub(crate) fn places(rows: &[u32], len: usize) -> Option<Vec<u32>> {
    if in_order(rows, len) {
        return None;
    }
    let mut places = vec![u32::MAX; len];
    for (at, row) in (0_u32..).zip(rows) {
        places[*row as usize] = at;
    }
    Some(places)
}

/// [`places`] of rows that ascend: each stretch of rows finds its own.
pub(crate) fn places_ascending(rows: &[u32], len: usize) -> Option<Vec<u32>> {
    if rows.len() == len {
        return None;
    }
    let mut places = filled(u32::MAX, len);
    places.par_chunks_mut(CHUNK).enumerate().for_each(|(stretch, places)| {
        let first = stretch * CHUNK;
        let start = rows.partition_point(|row| (*row as usize) < first);
        for (at, row) in (start..).zip(&rows[start..]) {
            let Some(place) = places.get_mut(*row as usize - first) else { break };
            *place = u32::try_from(at).unwrap_or(u32::MAX);
        }
    });
    Some(places)
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

/// The rounding of a column to fen, row by row; fast where numbers are small.
pub(crate) struct Rounded<'a> {
    stored: &'a Stored,
    round: Rounding,
    /// Values, their denominator with the quantum, and the quantum.
    small: Option<(&'a [i64], i64, i64)>,
}

impl<'a> Rounded<'a> {
    pub(crate) fn new(stored: &'a Stored, round: Rounding) -> Self {
        let small = match (stored, round.quantum) {
            (Stored { column: Column::Num(column), nulls: None, errors: None }, (quantum, 1)) => {
                i64::try_from(quantum).ok().and_then(|quantum| {
                    Some((column.values.as_slice(), quantum.checked_mul(column.den)?, quantum))
                })
            }
            _ => None,
        };
        Self { stored, round, small }
    }

    /// Whole fen of a row, or the reason there is none.
    #[inline]
    pub(crate) fn at(&self, row: usize) -> Result<i64, RowError> {
        let Some((values, bottom, quantum)) = self.small else {
            return round_row(self.stored, row, self.round);
        };
        let count = self.round.mode.divide_i64(values[row], bottom);
        let fen = count.checked_mul(quantum).ok_or(RowError::Overflow)?;
        if i128::from(fen).abs() > LINE_MAX { Err(RowError::Overflow) } else { Ok(fen) }
    }
}
