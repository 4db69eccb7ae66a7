//! Typed rows of one piece of a file, growing column by column.
//!
//! A row is taken whole or refused whole.

use super::built::{Built, Values};
use super::found::Found;
use super::plan::{Binding, ColumnPlan, Kind, Source, TablePlan};
use super::tally::{Tally, WHOLE_RECORD, code_of, expected, shown};
use super::value::{self, Decimal, Unread, trimmed};
use crate::domain::{CodeList, Date, FindingCode, Key};
use rustc_hash::FxHashMap;

/// What a raw text of a code column was read as.
#[derive(Debug, Clone, Copy)]
struct Coded {
    outcome: Result<Option<u32>, Unread>,
    repaired: bool,
}

#[derive(Debug)]
struct Growing<'p> {
    plan: &'p ColumnPlan,
    at: usize,
    source: &'p Source,
    built: Built,
    /// Raw text -> outcome, for code columns.
    coded: FxHashMap<Box<[u8]>, Coded>,
    /// The last identifier read, since neighbours often share theirs.
    last_key: (Vec<u8>, Key),
}

/// Most raw texts remembered a code column and piece.
const REMEMBERED: usize = 1 << 16;

/// Typed rows of one piece.
#[derive(Debug)]
pub(super) struct Rows<'p> {
    columns: Vec<Growing<'p>>,
    width: usize,
    records: Vec<u32>,
    read: u64,
    refused: u64,
    tally: Tally,
}

/// A piece once read: columns by plan index, absent ones `None`.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) columns: Vec<Option<Built>>,
    /// Record number of each row, counted from the piece's start.
    pub(super) records: Vec<u32>,
    pub(super) read: u64,
    pub(super) refused: u64,
    pub(super) tally: Tally,
    /// Records the piece holds, blank ones included.
    pub(super) length: u32,
}

impl<'p> Rows<'p> {
    /// Empty rows with room for `capacity`.
    pub(super) fn new(plan: &'p TablePlan<'_>, binding: &'p Binding, capacity: usize) -> Self {
        let mut columns = Vec::new();
        for (at, (column, source)) in plan.columns.iter().zip(&binding.sources).enumerate() {
            if matches!(source, Source::Absent) {
                continue;
            }
            let built = Built {
                values: Values::new(&column.kind, capacity),
                nulls: column.nullable.then(|| Vec::with_capacity(capacity)),
            };
            let last_key = (Vec::new(), Key::default());
            let coded = FxHashMap::default();
            columns.push(Growing { plan: column, at, source, built, coded, last_key });
        }
        Self {
            columns,
            width: binding.width,
            records: Vec::with_capacity(capacity),
            read: 0,
            refused: 0,
            tally: Tally::default(),
        }
    }

    /// Takes one record, or refuses it with a remark on every value that cannot be typed.
    pub(super) fn take<'a>(&mut self, record: u32, fields: impl Fn(usize) -> Found<'a>) {
        self.read += 1;
        let mut whole = true;
        for column in &mut self.columns {
            whole &= match column.source {
                Source::Field(at) => column.push(fields(*at), record, &mut self.tally),
                Source::Constant(text) => {
                    column.push(Found::Text(text.as_bytes()), record, &mut self.tally)
                }
                Source::Capture(at, pattern) => {
                    let text = fields(*at).text().unwrap_or_default();
                    let group = pattern.captures(&text).and_then(|groups| groups.get(1));
                    let found = group.map_or("", |group| group.as_str());
                    column.push(Found::Text(found.as_bytes()), record, &mut self.tally)
                }
                Source::Absent => true,
            };
        }
        if whole {
            self.records.push(record);
        } else {
            self.refused += 1;
            let rows = self.records.len();
            for column in &mut self.columns {
                column.built.truncate(rows);
            }
        }
    }

    /// Refuses a record that does not have as many fields as the header.
    pub(super) fn refuse_shape(&mut self, record: u32, fields: usize) {
        self.read += 1;
        self.refused += 1;
        let width = self.width;
        self.tally.note(FindingCode::RecordShape, WHOLE_RECORD, record, || {
            vec![("fields", fields.to_string()), ("expected", width.to_string())]
        });
    }

    /// Number of fields a record must have.
    pub(super) const fn width(&self) -> usize {
        self.width
    }

    /// The piece, which held `length` records.
    pub(super) fn finish(self, plan: &TablePlan<'_>, length: u32) -> Part {
        let Self { columns: grown, records, read, refused, tally, .. } = self;
        let mut columns: Vec<Option<Built>> = plan.columns.iter().map(|_| None).collect();
        for column in grown {
            columns[column.at] = Some(column.built);
        }
        Part { columns, records, read, refused, tally, length }
    }
}

impl Growing<'_> {
    /// Appends one value; false when it cannot be typed (a remark says so).
    #[inline]
    fn push(&mut self, found: Found<'_>, record: u32, tally: &mut Tally) -> bool {
        let Found::Text(raw) = found else { return self.push_cell(found, record, tally) };
        let unmapped = self.plan.map.is_none();
        if let Values::Code(codes, _) = &mut self.built.values {
            // A spelling seen before means what it meant then, value map included.
            if let Some(Coded { outcome: Ok(code), repaired: false }) = self.coded.get(raw) {
                codes.push(code.unwrap_or(0));
                if let Some(nulls) = &mut self.built.nulls {
                    nulls.push(code.is_none());
                }
                return true;
            }
        } else if unmapped && self.push_plain(raw) {
            if let Some(nulls) = &mut self.built.nulls {
                nulls.push(false);
            }
            return true;
        }
        if unmapped && raw.is_empty() {
            return self.push_empty(record, tally);
        }
        self.push_careful(raw, record, tally)
    }

    /// The usual spellings, by bytes; false when the careful reader must look.
    #[inline]
    fn push_plain(&mut self, raw: &[u8]) -> bool {
        match &mut self.built.values {
            Values::Key(column) => {
                if raw.is_empty() {
                    return false;
                }
                if raw == self.last_key.0 {
                    column.keys.push(self.last_key.1);
                    return true;
                }
                let (key, odd) = Key::pack(raw);
                // Dots, spaces and plus signs pack as odd, so only the check letter is left.
                if odd || value::lower_check_letter(raw) {
                    return false;
                }
                self.last_key.0.clear();
                self.last_key.0.extend_from_slice(raw);
                self.last_key.1 = key;
                column.keys.push(key);
                true
            }
            Values::Date(values) => match (&self.plan.kind, value::plain_date(raw)) {
                (Kind::Date, Some(date)) => {
                    values.push(date);
                    true
                }
                _ => false,
            },
            Values::Whole(values) => {
                let read = match self.plan.kind {
                    Kind::Money => value::plain_money(raw),
                    _ => value::plain_whole(raw),
                };
                read.is_some_and(|value| {
                    values.push(value);
                    true
                })
            }
            Values::Code(..) | Values::Bool(_) | Values::Number(..) => false,
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
                self.remember(raw, Coded { outcome: Ok(None), repaired: false });
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
        self.remember(raw, coded);
        let code = coded.outcome?.unwrap_or(0);
        if let Values::Code(codes, _) = &mut self.built.values {
            codes.push(code);
        }
        Ok(coded.repaired)
    }

    fn remember(&mut self, raw: &[u8], coded: Coded) {
        if self.coded.len() < REMEMBERED {
            self.coded.insert(raw.into(), coded);
        }
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
