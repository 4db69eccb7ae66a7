//! Values of one column, growing while a piece is read and joined with the next piece's after.

use super::plan::{ColumnPlan, Kind};
use super::value::{Decimal, Unread};
use crate::domain::{CodeColumn, CodeList, Column, Date, Key, KeyColumn, NumColumn};
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

    /// Appends the next piece's values; numbers are brought to `scale`.
    pub(super) fn append(&mut self, next: Self, scale: u32) {
        match (self, next) {
            (Self::Bool(own), Self::Bool(next)) => own.extend(next),
            (Self::Whole(own), Self::Whole(next)) => own.extend(next),
            (Self::Date(own), Self::Date(next)) => own.extend(next),
            (Self::Number(own, _), Self::Number(next, from)) => {
                // Below 10^12 with at most six decimals: 10^18 fits.
                let factor = 10_i64.pow(scale - from);
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
    pub(super) fn blank_codes(&mut self, nulls: &[bool]) {
        if let Self::Code(codes, _) = self {
            for (code, null) in codes.iter_mut().zip(nulls) {
                if *null {
                    *code = 0;
                }
            }
        }
    }

    /// The finished column; numbers have the denominator `10^scale`.
    pub(super) fn into_column(self, plan: &ColumnPlan, scale: u32) -> Column {
        match self {
            Self::Bool(values) => Column::Bool(values),
            Self::Whole(values) => Column::whole(values),
            Self::Number(values, _) => Column::Num(NumColumn { values, den: 10_i64.pow(scale) }),
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
    pub(super) fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        if let Some(nulls) = &mut self.nulls {
            nulls.truncate(rows);
        }
    }
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
