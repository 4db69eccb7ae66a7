//! One column of a piece, growing value by value.
//!
//! The usual spellings are read by their bytes, many fields at a time; every other field goes to the
//! careful reader, which knows all accepted spellings and says why it refuses one.

use super::built::{Built, Values};
use super::found::Found;
use super::plan::{ColumnPlan, Kind, Source};
use super::spellings::{Coded, Spellings};
use super::tally::{Tally, code_of, expected, shown};
use super::value::{self, Decimal, Unread, trimmed};
use crate::domain::{CodeList, Date, FindingCode, Key};

/// A column on its way from fields to values.
#[derive(Debug)]
pub(super) struct Growing<'p> {
    plan: &'p ColumnPlan,
    /// Index of the column in its table's plan.
    pub(super) at: usize,
    pub(super) source: &'p Source,
    pub(super) built: Built,
    spellings: Spellings,
}

/// The key of a plain identifier.
#[inline]
fn plain_key(raw: &[u8]) -> Option<Key> {
    let (key, odd) = Key::pack(raw);
    // Dots, spaces and plus signs pack as odd, so only the check letter is left.
    (!odd && !raw.is_empty() && !value::lower_check_letter(raw)).then_some(key)
}

/// Appends fields as `read` types them, and nulls for empty ones where the column may have them; the
/// first field that is neither is handed back.
#[inline]
fn plain<'a, T: Clone + Default>(
    values: &mut Vec<T>,
    nulls: &mut Option<Vec<bool>>,
    fields: &mut impl Iterator<Item = (usize, &'a [u8])>,
    read: impl Fn(&[u8]) -> Option<T>,
) -> Option<(usize, &'a [u8])> {
    let left = fields.find(|(_, raw)| match (read(raw), &mut *nulls) {
        (Some(value), _) => {
            values.push(value);
            false
        }
        (None, Some(nulls)) if raw.is_empty() => {
            nulls.resize(values.len(), false);
            nulls.push(true);
            values.push(T::default());
            false
        }
        (None, _) => true,
    });
    if let Some(nulls) = nulls {
        nulls.resize(values.len(), false);
    }
    left
}

impl<'p> Growing<'p> {
    pub(super) fn new(
        plan: &'p ColumnPlan,
        at: usize,
        source: &'p Source,
        capacity: usize,
    ) -> Self {
        let built = Built::new(plan, capacity);
        Self { plan, at, source, built, spellings: Spellings::default() }
    }
}

impl Growing<'_> {
    /// Appends the fields of several records, or a blank for one that cannot be typed: its place is
    /// marked in `refused` and a remark says why.
    pub(super) fn push_fields<'a>(
        &mut self,
        fields: impl Iterator<Item = &'a [u8]>,
        records: &[u32],
        refused: &mut [bool],
        tally: &mut Tally,
    ) {
        let before = self.built.values.len();
        let mut fields = fields.enumerate();
        while let Some((at, raw)) = self.push_plain(&mut fields) {
            if !self.push_odd(raw, records[at], tally) {
                refused[at] = true;
                self.built.truncate(before + at);
                self.built.push_blank();
            }
        }
    }

    /// Appends one value; false when it cannot be typed (a remark says so).
    pub(super) fn push(&mut self, found: Found<'_>, record: u32, tally: &mut Tally) -> bool {
        let Found::Text(raw) = found else { return self.push_cell(found, record, tally) };
        match self.push_plain(&mut std::iter::once((0, raw))) {
            Some((_, raw)) => self.push_odd(raw, record, tally),
            None => true,
        }
    }

    /// Appends a text that is not spelt the usual way; false when it cannot be typed.
    fn push_odd(&mut self, raw: &[u8], record: u32, tally: &mut Tally) -> bool {
        if raw.is_empty() && self.plan.map.is_none() {
            return self.push_empty(record, tally);
        }
        self.push_careful(raw, record, tally)
    }

    /// Appends fields by their bytes as long as they are spelt the usual way; the first that is not
    /// is handed back for the careful reader. One kind is told for many fields.
    #[inline]
    fn push_plain<'a>(
        &mut self,
        fields: &mut impl Iterator<Item = (usize, &'a [u8])>,
    ) -> Option<(usize, &'a [u8])> {
        let unmapped = self.plan.map.is_none();
        let Built { values, nulls } = &mut self.built;
        if let Values::Code(codes, _) = values {
            // A spelling seen before means what it meant then, value map included.
            return fields.find(|(_, raw)| {
                let known = match self.spellings.code(raw) {
                    None if raw.is_empty() && unmapped && nulls.is_some() => Some(None),
                    known => known,
                };
                let Some(code) = known else { return true };
                codes.push(code.unwrap_or(0));
                if let Some(nulls) = nulls {
                    nulls.push(code.is_none());
                }
                false
            });
        }
        if !unmapped {
            return fields.next();
        }
        match (values, &self.plan.kind) {
            (Values::Key(column), _) => plain(&mut column.keys, nulls, fields, plain_key),
            (Values::Date(values), Kind::Date) => plain(values, nulls, fields, value::plain_date),
            (Values::Whole(values), Kind::Money) => {
                plain(values, nulls, fields, value::plain_money)
            }
            (Values::Whole(values), _) => plain(values, nulls, fields, value::plain_whole),
            (Values::Code(..) | Values::Bool(_) | Values::Number(..) | Values::Date(_), _) => {
                fields.next()
            }
        }
    }

    /// Any text, by the whole set of accepted spellings.
    #[inline(never)]
    fn push_careful(&mut self, raw: &[u8], record: u32, tally: &mut Tally) -> bool {
        let decoded = String::from_utf8_lossy(raw);
        let clean = trimmed(&decoded);
        let mapped =
            self.plan.map.as_ref().and_then(|map| {
                map.get(clean).or_else(|| map.get(value::half_width(clean).as_ref()))
            });
        let (text, spaced) = match mapped {
            Some(value) => (value.as_str(), false),
            None => (clean, clean.len() != decoded.len()),
        };
        if text.is_empty() {
            if self.plan.nullable && matches!(self.built.values, Values::Code(..)) {
                self.spellings.remember(raw, Coded { outcome: Ok(None), repaired: false });
            }
            return self.push_empty(record, tally);
        }
        let outcome = if let Values::Code(..) = self.built.values {
            self.push_code(raw, text, spaced)
        } else {
            self.push_text(text).map(|repaired| repaired || spaced)
        };
        match outcome {
            Ok(repaired) => {
                if repaired {
                    let plan = self.plan;
                    tally.note(FindingCode::ValueNormalised, self.at, record, || {
                        vec![shown(plan, &decoded)]
                    });
                }
                if let Some(nulls) = &mut self.built.nulls {
                    nulls.push(false);
                }
                true
            }
            Err(unread) => self.refuse(unread, text, record, tally),
        }
    }

    /// Types and appends a text that is not empty; true when it took a repair.
    fn push_text(&mut self, text: &str) -> Result<bool, Unread> {
        let kind = &self.plan.kind;
        match &mut self.built.values {
            Values::Bool(values) => {
                let read = value::truth(text)?;
                values.push(read.value);
                Ok(read.repaired)
            }
            Values::Whole(values) => {
                let read = match kind {
                    Kind::Money => value::money(text)?,
                    _ => value::whole(text)?,
                };
                values.push(read.value);
                Ok(read.repaired)
            }
            Values::Date(values) => {
                let read = match kind {
                    Kind::Month => value::month(text)?,
                    _ => value::date(text)?,
                };
                values.push(read.value);
                Ok(read.repaired)
            }
            Values::Key(column) => {
                let read = value::identifier(text)?;
                column.push(&read.value);
                Ok(read.repaired)
            }
            Values::Number(..) => {
                let read = match kind {
                    Kind::Number(true) => value::money_decimal(text)?,
                    _ => value::number(text)?,
                };
                self.push_decimal(read.value)?;
                Ok(read.repaired)
            }
            Values::Code(..) => Err(Unread::Shape),
        }
    }

    /// Appends an exact number, in hundredths where the column is money.
    fn push_decimal(&mut self, number: Decimal) -> Result<(), Unread> {
        let kind = &self.plan.kind;
        match &mut self.built.values {
            Values::Whole(values) if matches!(kind, Kind::Money) => {
                values.push(value::fen(number)?);
                Ok(())
            }
            Values::Whole(values) => {
                if number.scale != 0 {
                    return Err(Unread::Shape);
                }
                values.push(value::bounded(number.mantissa)?);
                Ok(())
            }
            Values::Number(..) => {
                let number = match (kind, number.scale) {
                    (Kind::Number(true), 0) => Decimal {
                        mantissa: number.mantissa.checked_mul(100).ok_or(Unread::TooLarge)?,
                        scale: 0,
                    },
                    (Kind::Number(true), 1) => Decimal {
                        mantissa: number.mantissa.checked_mul(10).ok_or(Unread::TooLarge)?,
                        scale: 0,
                    },
                    (Kind::Number(true), scale) => Decimal { scale: scale - 2, ..number },
                    _ => number,
                };
                let number = value::sized(number)?;
                self.built.values.push_number(number)
            }
            _ => Err(Unread::Shape),
        }
    }

    /// Codes a text that is not empty, remembering the raw spelling.
    fn push_code(&mut self, raw: &[u8], text: &str, spaced: bool) -> Result<bool, Unread> {
        let Values::Code(_, own) = &mut self.built.values else { return Err(Unread::Shape) };
        let mut coded = code(self.plan, own.as_mut(), text);
        coded.repaired |= spaced;
        self.spellings.remember(raw, coded);
        let code = coded.outcome?.unwrap_or(0);
        if let Values::Code(codes, _) = &mut self.built.values {
            codes.push(code);
        }
        Ok(coded.repaired)
    }

    /// A typed cell of a workbook or Parquet column.
    fn push_cell(&mut self, found: Found<'_>, record: u32, tally: &mut Tally) -> bool {
        if let Found::Empty = found {
            return self.push_empty(record, tally);
        }
        let textual = matches!(self.plan.kind, Kind::Key | Kind::Text | Kind::Listed(_))
            || self.plan.map.is_some();
        if textual {
            return match (found.text(), found) {
                (Some(text), _) => self.push_careful(text.as_bytes(), record, tally),
                (None, Found::Float(_) | Found::Coarse) => {
                    self.refuse(Unread::ThroughFloat, &found.told(), record, tally)
                }
                (None, _) => self.refuse(Unread::Shape, &found.told(), record, tally),
            };
        }
        match self.typed_cell(found) {
            Ok(repaired) => {
                if repaired {
                    let plan = self.plan;
                    tally.note(FindingCode::ValueNormalised, self.at, record, || {
                        vec![shown(plan, &found.told())]
                    });
                }
                if let Some(nulls) = &mut self.built.nulls {
                    nulls.push(false);
                }
                true
            }
            Err(unread) => self.refuse(unread, &found.told(), record, tally),
        }
    }

    fn typed_cell(&mut self, found: Found<'_>) -> Result<bool, Unread> {
        let whole = |value: i128| Decimal { mantissa: value, scale: 0 };
        match (&self.plan.kind, found) {
            (Kind::Date, Found::Date(date)) => self.push_date(date),
            (Kind::Month, Found::Date(date)) if date.ymd().2 == 1 => self.push_date(date),
            (Kind::Date, Found::Int(serial)) => self.push_serial(whole(serial)),
            (Kind::Date, Found::Float(serial)) => {
                let (serial, _) = value::decimal_of_float(serial).ok_or(Unread::Shape)?;
                self.push_serial(serial)
            }
            (Kind::Month, Found::Int(month)) => self.push_text(&month.to_string()),
            (Kind::Month, Found::Float(month)) => {
                self.push_text(&value::text_of_float(month).ok_or(Unread::Shape)?)
            }
            (Kind::Bool, Found::Bool(value)) => {
                if let Values::Bool(values) = &mut self.built.values {
                    values.push(value);
                }
                Ok(false)
            }
            (Kind::Bool, Found::Int(_) | Found::Float(_)) => {
                self.push_text(&found.text().ok_or(Unread::Shape)?)
            }
            (Kind::Whole | Kind::Money | Kind::Number(_), Found::Int(value)) => {
                self.push_decimal(whole(value)).map(|()| false)
            }
            (Kind::Whole | Kind::Money | Kind::Number(_), Found::Decimal(value)) => {
                self.push_decimal(value).map(|()| false)
            }
            (Kind::Whole | Kind::Money | Kind::Number(_), Found::Float(value)) => {
                let (number, repaired) = value::decimal_of_float(value).ok_or(Unread::TooLarge)?;
                self.push_decimal(number).map(|()| repaired)
            }
            (_, Found::Coarse) => Err(Unread::ThroughFloat),
            _ => Err(Unread::Shape),
        }
    }

    fn push_date(&mut self, date: Date) -> Result<bool, Unread> {
        // A cell may hold any day number; the domain's dates end in 2199.
        let (year, month, day) = date.ymd();
        let date = Date::from_ymd(year, month, day).ok_or(Unread::Shape)?;
        if let Values::Date(values) = &mut self.built.values {
            values.push(date);
        }
        Ok(false)
    }

    fn push_serial(&mut self, serial: Decimal) -> Result<bool, Unread> {
        if serial.scale != 0 {
            return Err(Unread::Shape);
        }
        let serial = i64::try_from(serial.mantissa).map_err(|_| Unread::Shape)?;
        let date = value::from_serial(serial).ok_or(Unread::Shape)?;
        self.push_date(date).map(|_| true)
    }

    fn push_empty(&mut self, record: u32, tally: &mut Tally) -> bool {
        self.built.values.push_blank();
        if let Some(nulls) = &mut self.built.nulls {
            nulls.push(true);
            return true;
        }
        tally.note(FindingCode::ValueMissing, self.at, record, Vec::new);
        false
    }

    /// Notes why a value was not read. The row is refused, so nothing need be appended.
    fn refuse(&mut self, unread: Unread, text: &str, record: u32, tally: &mut Tally) -> bool {
        let plan = self.plan;
        tally.note(code_of(&plan.kind, unread), self.at, record, || {
            vec![shown(plan, text), ("expected", expected(&plan.kind))]
        });
        false
    }
}

/// The code of a text: listed ones by their list, others by the piece's own.
fn code(plan: &ColumnPlan, own: Option<&mut CodeList>, text: &str) -> Coded {
    let narrow = value::half_width(text);
    let widened = narrow.len() != text.len();
    if let (Kind::Listed(list), _) = (&plan.kind, &own) {
        return match (list.code(text), list.code(&narrow)) {
            (Some(code), _) => Coded { outcome: Ok(Some(code)), repaired: false },
            (None, Some(code)) => Coded { outcome: Ok(Some(code)), repaired: true },
            (None, None) => Coded { outcome: Err(Unread::NotListed), repaired: false },
        };
    }
    let Some(own) = own else {
        return Coded { outcome: Err(Unread::Shape), repaired: false };
    };
    if value::is_scientific(&narrow) {
        return Coded { outcome: Err(Unread::ThroughFloat), repaired: false };
    }
    // Names keep their full-width brackets; a text that is nothing but a number or code does not.
    let bare = narrow.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let (text, repaired) = if widened && bare { (narrow.as_ref(), true) } else { (text, false) };
    Coded { outcome: Ok(Some(own.intern(text))), repaired }
}
