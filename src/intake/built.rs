//! Values of one column, growing while a piece is read and joined with the next piece's after.

use super::plan::{ColumnPlan, Kind};
use super::value::{Decimal, Unread};
use crate::domain::{CodeColumn, CodeList, Column, Date, Key, KeyColumn, NumColumn, Stored};
use std::sync::Arc;

/// The values of a growing column.
#[derive(Debug)]
pub(super) enum Values {
    Bool(Vec<bool>),
    Whole(Vec<i64>),
    /// Mantissas with one common scale.
    Number(Vec<i64>, u32),
    Date(Vec<Date>),
    /// Codes into the listed texts, or into the piece's own list.
    Code(Vec<u32>, Option<CodeList>),
    Key(KeyColumn),
}

/// A column once its piece is read.
#[derive(Debug)]
pub(super) struct Built {
    pub(super) values: Values,
    /// True where null; `None` for a column that may not be empty.
    pub(super) nulls: Option<Vec<bool>>,
}

impl Values {
    pub(super) fn new(kind: &Kind, capacity: usize) -> Self {
        match kind {
            Kind::Key => {
                Self::Key(KeyColumn { keys: Vec::with_capacity(capacity), ..KeyColumn::default() })
            }
            Kind::Text => Self::Code(Vec::with_capacity(capacity), Some(CodeList::default())),
            Kind::Listed(_) => Self::Code(Vec::with_capacity(capacity), None),
            Kind::Bool => Self::Bool(Vec::with_capacity(capacity)),
            Kind::Whole | Kind::Money => Self::Whole(Vec::with_capacity(capacity)),
            Kind::Number(_) => Self::Number(Vec::with_capacity(capacity), 0),
            Kind::Date | Kind::Month => Self::Date(Vec::with_capacity(capacity)),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Bool(values) => values.len(),
            Self::Whole(values) | Self::Number(values, _) => values.len(),
            Self::Date(values) => values.len(),
            Self::Code(codes, _) => codes.len(),
            Self::Key(column) => column.keys.len(),
        }
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        match self {
            Self::Bool(values) => values.truncate(rows),
            Self::Whole(values) | Self::Number(values, _) => values.truncate(rows),
            Self::Date(values) => values.truncate(rows),
            Self::Code(codes, _) => codes.truncate(rows),
            Self::Key(column) => column.keys.truncate(rows),
        }
    }

    /// Appends a value that stands for null or for nothing.
    pub(super) fn push_blank(&mut self) {
        match self {
            Self::Bool(values) => values.push(false),
            Self::Whole(values) | Self::Number(values, _) => values.push(0),
            Self::Date(values) => values.push(Date::default()),
            Self::Code(codes, _) => codes.push(0),
            Self::Key(column) => column.keys.push(Key::default()),
        }
    }

    pub(super) fn push_number(&mut self, number: Decimal) -> Result<(), Unread> {
        let Self::Number(values, scale) = self else { return Err(Unread::Shape) };
        if number.scale > *scale {
            let factor = 10_i64.pow(number.scale - *scale);
            for value in values.iter_mut() {
                // Numbers are below 10^12 with at most six decimals, so this cannot overflow.
                *value = value.checked_mul(factor).ok_or(Unread::TooLarge)?;
            }
            *scale = number.scale;
        }
        let scaled = number.mantissa * 10_i128.pow(*scale - number.scale);
        values.push(i64::try_from(scaled).map_err(|_| Unread::TooLarge)?);
        Ok(())
    }

    /// Appends the next piece's values; numbers are brought to the finer of both scales.
    fn append(&mut self, next: Self) {
        match (self, next) {
            (Self::Bool(own), Self::Bool(next)) => own.extend(next),
            (Self::Whole(own), Self::Whole(next)) => own.extend(next),
            (Self::Date(own), Self::Date(next)) => own.extend(next),
            (Self::Number(own, scale), Self::Number(next, from)) => {
                // Below 10^12 with at most six decimals: 10^18 fits.
                let finer = from.max(*scale);
                if finer > *scale {
                    let factor = 10_i64.pow(finer - *scale);
                    for value in own.iter_mut() {
                        *value *= factor;
                    }
                    *scale = finer;
                }
                let factor = 10_i64.pow(finer - from);
                own.extend(next.into_iter().map(|value| value * factor));
            }
            (Self::Key(own), Self::Key(next)) => {
                own.keys.extend(next.keys);
                own.odd.extend(next.odd);
            }
            (Self::Code(own, None), Self::Code(next, _)) => own.extend(next),
            (Self::Code(own, Some(list)), Self::Code(next, Some(from))) => {
                let codes: Vec<u32> = from.texts().iter().map(|text| list.intern(text)).collect();
                // A null's code is 0 even where the list is empty.
                let code = |code: u32| codes.get(code as usize).copied().unwrap_or(0);
                own.extend(next.into_iter().map(code));
            }
            (own, _) => debug_assert!(false, "pieces of one column differ in kind: {own:?}"),
        }
    }

    /// Gives nulls the code 0, whatever their piece had in its place.
    fn blank_codes(&mut self, nulls: &[bool]) {
        if let Self::Code(codes, _) = self {
            for (code, null) in codes.iter_mut().zip(nulls) {
                if *null {
                    *code = 0;
                }
            }
        }
    }

    /// The finished column; numbers have a power of ten as denominator.
    fn into_column(self, plan: &ColumnPlan) -> Column {
        match self {
            Self::Bool(values) => Column::Bool(values),
            Self::Whole(values) => Column::whole(values),
            Self::Number(values, scale) => {
                Column::Num(NumColumn { values, den: 10_i64.pow(scale) })
            }
            Self::Date(values) => Column::Date(values),
            Self::Key(column) => Column::Key(trim_odd(column)),
            Self::Code(codes, own) => {
                let list = match (&plan.kind, own) {
                    (Kind::Listed(list), _) => Arc::clone(list),
                    (_, own) => Arc::new(own.unwrap_or_default()),
                };
                Column::Code(CodeColumn { codes, list: ensure_text(list) })
            }
        }
    }
}

impl Built {
    /// No values, with room for `capacity`.
    pub(super) fn new(plan: &ColumnPlan, capacity: usize) -> Self {
        let values = Values::new(&plan.kind, capacity);
        Self { values, nulls: plan.nullable.then(|| Vec::with_capacity(capacity)) }
    }

    /// Makes room for `rows` rows in all.
    pub(super) fn reserve(&mut self, rows: usize) {
        let more = rows.saturating_sub(self.values.len());
        match &mut self.values {
            Values::Bool(values) => values.reserve_exact(more),
            Values::Whole(values) | Values::Number(values, _) => values.reserve_exact(more),
            Values::Date(values) => values.reserve_exact(more),
            Values::Code(codes, _) => codes.reserve_exact(more),
            Values::Key(column) => column.keys.reserve_exact(more),
        }
        if let Some(nulls) = &mut self.nulls {
            nulls.reserve_exact(more);
        }
    }

    /// Appends the next piece's values.
    pub(super) fn append(&mut self, next: Self) {
        if let (Some(nulls), Some(next)) = (&mut self.nulls, next.nulls) {
            nulls.extend(next);
        }
        self.values.append(next.values);
    }

    /// The finished column.
    pub(super) fn into_stored(mut self, plan: &ColumnPlan) -> Stored {
        if let Some(nulls) = &self.nulls {
            self.values.blank_codes(nulls);
        }
        let column = self.values.into_column(plan);
        match self.nulls {
            Some(nulls) => Stored::nullable(column, nulls),
            None => Stored::plain(column),
        }
    }

    /// Lets go the refused ones of the rows from `from` on.
    pub(super) fn drop_rows(&mut self, from: usize, refused: &[bool]) {
        match &mut self.values {
            Values::Bool(values) => drop_refused(values, from, refused),
            Values::Whole(values) | Values::Number(values, _) => {
                drop_refused(values, from, refused);
            }
            Values::Date(values) => drop_refused(values, from, refused),
            Values::Code(codes, _) => drop_refused(codes, from, refused),
            Values::Key(column) => drop_refused(&mut column.keys, from, refused),
        }
        if let Some(nulls) = &mut self.nulls {
            drop_refused(nulls, from, refused);
        }
    }

    /// Appends a value that stands for nothing.
    pub(super) fn push_blank(&mut self) {
        self.values.push_blank();
        if let Some(nulls) = &mut self.nulls {
            nulls.push(true);
        }
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        if let Some(nulls) = &mut self.nulls {
            nulls.truncate(rows);
        }
    }
}

/// Lets go the values of refused rows; `refused` speaks of those from `from` on.
pub(super) fn drop_refused<T: Copy>(values: &mut Vec<T>, from: usize, refused: &[bool]) {
    let mut kept = from;
    for (at, refused) in refused.iter().enumerate() {
        if !refused {
            values[kept] = values[from + at];
            kept += 1;
        }
    }
    values.truncate(kept);
}

/// Texts of refused rows are let go.
fn trim_odd(mut column: KeyColumn) -> KeyColumn {
    if !column.odd.is_empty() {
        let used: std::collections::BTreeSet<_> = column.keys.iter().copied().collect();
        column.odd.retain(|key, _| used.contains(key));
    }
    column
}

/// A list is never empty: code 0 of a null must name something.
fn ensure_text(list: Arc<CodeList>) -> Arc<CodeList> {
    if list.texts().is_empty() { Arc::new(CodeList::new([""])) } else { list }
}
