//! A sheet: equal-long named columns on their way into a file, and the texts of their cells.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::domain::{CodeList, Date, Fen, Fraction};

/// A code that stands for null in [`Values::Listed`] and [`Values::Coded`].
pub const NO_CODE: u32 = u32::MAX;

/// The values of one column.
#[derive(Debug, Clone)]
pub enum Values {
    /// Texts; the empty text is an empty cell.
    Text(Vec<String>),
    /// Shared texts; the empty text is an empty cell.
    Shared(Vec<Arc<str>>),
    /// Texts that many rows share, such as a payee's on each of its lines: the number of each row's
    /// text, one list of numbers for several columns; a number beyond the texts is an empty cell.
    Numbered(Arc<[u32]>, Arc<[Arc<str>]>),
    /// Codes into a list that is the same for the whole file ([`NO_CODE`] = null).
    Listed(Vec<u32>, Arc<CodeList>),
    /// Codes into a list of this sheet only ([`NO_CODE`] = null).
    Coded(Vec<u32>, Arc<CodeList>),
    /// Pseudonyms; all zero bytes = null.
    Pseudonym(Vec<[u8; 16]>),
    /// Money in fen. Machine files show fen, workbooks yuan.
    Fen(Vec<i64>),
    /// Money in fen, where known.
    MaybeFen(Vec<Option<i64>>),
    /// Whole numbers.
    Int(Vec<i64>),
    /// Whole numbers, where known.
    MaybeInt(Vec<Option<i64>>),
    /// Dates, where known.
    Date(Vec<Option<Date>>),
    /// Yes or no, where known.
    Bool(Vec<Option<bool>>),
    /// Amounts in another unit than fen, rounded for people.
    Rounded(Rounded),
}

/// Amounts rounded each by itself, and their total rounded by itself.
#[derive(Debug, Clone)]
pub struct Rounded {
    /// The cells, in the last place shown.
    pub cells: Vec<i64>,
    /// Decimal places.
    pub places: u32,
    /// The total, in the last place shown; the cells need not add up to it.
    pub total: i64,
}

impl Rounded {
    /// A number of these places.
    #[must_use]
    pub fn text(&self, number: i64) -> String {
        let (sign, number) = (if number < 0 { "-" } else { "" }, number.unsigned_abs());
        let (unit, places) = (10_u64.pow(self.places), self.places as usize);
        match places {
            0 => format!("{sign}{number}"),
            _ => format!("{sign}{}.{:0places$}", number / unit, number % unit),
        }
    }
}

impl Values {
    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Text(v) => v.len(),
            Self::Shared(v) => v.len(),
            Self::Numbered(v, _) => v.len(),
            Self::Listed(v, _) | Self::Coded(v, _) => v.len(),
            Self::Pseudonym(v) => v.len(),
            Self::Fen(v) | Self::Int(v) => v.len(),
            Self::MaybeFen(v) | Self::MaybeInt(v) => v.len(),
            Self::Date(v) => v.len(),
            Self::Bool(v) => v.len(),
            Self::Rounded(v) => v.cells.len(),
        }
    }

    /// Whether there are no cells.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number in a numeric cell, for totals; `None` for texts and empty cells.
    #[must_use]
    pub fn number(&self, row: usize) -> Option<i64> {
        match self {
            Self::Fen(v) | Self::Int(v) => Some(v[row]),
            Self::MaybeFen(v) | Self::MaybeInt(v) => v[row],
            _ => None,
        }
    }

    /// Appends the machine text of a cell to `out` (empty for null).
    pub fn text(&self, row: usize, out: &mut String) {
        match self {
            Self::Text(v) => out.push_str(&v[row]),
            Self::Shared(v) => out.push_str(&v[row]),
            Self::Numbered(v, texts) => {
                if let Some(text) = texts.get(v[row] as usize) {
                    out.push_str(text);
                }
            }
            Self::Listed(v, list) | Self::Coded(v, list) => out.push_str(list.text(v[row])),
            Self::Pseudonym(v) => out.push_str(pseudonym_text(&v[row])),
            Self::Fen(v) | Self::Int(v) => push_whole(v[row], out),
            Self::MaybeFen(v) | Self::MaybeInt(v) => {
                if let Some(value) = v[row] {
                    push_whole(value, out);
                }
            }
            Self::Date(v) => {
                if let Some(date) = v[row] {
                    push_date(date, out);
                }
            }
            Self::Bool(v) => out.push_str(match v[row] {
                Some(true) => "true",
                Some(false) => "false",
                None => "",
            }),
            Self::Rounded(v) => out.push_str(&v.text(v.cells[row])),
        }
    }
}

/// The text of a pseudonym; empty for the null pseudonym.
#[must_use]
pub fn pseudonym_text(bytes: &[u8; 16]) -> &str {
    if bytes[0] == 0 { "" } else { std::str::from_utf8(bytes).unwrap_or_default() }
}

/// Appends a whole number without going through the formatter: machine files are full of them.
pub fn push_whole(value: i64, out: &mut String) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push('-');
    }
    out.push_str(std::str::from_utf8(&digits[at..]).unwrap_or_default());
}

fn push_date(date: Date, out: &mut String) {
    let (year, month, day) = date.ymd();
    if !(1000..=9999).contains(&year) {
        // Writing to a String cannot fail.
        let _ = write!(out, "{date}");
        return;
    }
    push_whole(year.into(), out);
    for part in [month, day] {
        out.push_str(if part < 10 { "-0" } else { "-" });
        push_whole(part.into(), out);
    }
}

/// Money as yuan with two decimals, `1234.50`.
#[must_use]
pub fn yuan(fen: i64) -> String {
    let mut text = String::with_capacity(16);
    let size = fen.unsigned_abs();
    let (Ok(whole), Ok(part)) = (i64::try_from(size / 100), i64::try_from(size % 100)) else {
        return Fen(fen).to_string();
    };
    if fen < 0 {
        text.push('-');
    }
    push_whole(whole, &mut text);
    text.push_str(if part < 10 { ".0" } else { "." });
    push_whole(part, &mut text);
    text
}

/// An exact number as people and machines read it: a plain decimal when it is finite with at most
/// 12 decimals, else the reduced fraction `22/7`.
#[must_use]
pub fn exact_text(num: i128, den: i128) -> String {
    let Some(value) = Fraction::new(num, den).map(Fraction::reduced) else { return String::new() };
    let mut scale = 1_i128;
    for decimals in 0_usize..=12 {
        if scale % value.den == 0 {
            let Some(scaled) = value.num.checked_mul(scale / value.den) else { break };
            if decimals == 0 {
                return scaled.to_string();
            }
            let sign = if scaled < 0 { "-" } else { "" };
            let (scaled, unit) = (scaled.unsigned_abs(), scale.unsigned_abs());
            let (whole, part) = (scaled / unit, scaled % unit);
            return format!("{sign}{whole}.{part:0decimals$}");
        }
        scale *= 10;
    }
    format!("{}/{}", value.num, value.den)
}

/// One column of a sheet.
#[derive(Debug, Clone)]
pub struct SheetColumn {
    /// Header in machine files.
    pub name: Arc<str>,
    /// Header in files for people; the machine name where empty.
    pub label: Arc<str>,
    /// The cells.
    pub values: Values,
}

/// A typed table ready to be written.
#[derive(Debug, Clone, Default)]
pub struct Sheet {
    /// Name: file name without extension.
    pub name: String,
    /// Number of rows.
    pub rows: usize,
    /// Columns in order, equal in length.
    pub columns: Vec<SheetColumn>,
}

impl Sheet {
    /// An empty sheet of `rows` rows.
    #[must_use]
    pub fn new(name: &str, rows: usize) -> Self {
        Self { name: name.to_owned(), rows, columns: Vec::new() }
    }

    /// Adds a column with its machine name and Chinese label.
    ///
    /// # Panics
    /// When the column's length is not the sheet's: that is a bug in the file's builder.
    pub fn put(&mut self, name: &str, label: &str, values: Values) {
        assert_eq!(values.len(), self.rows, "column {name} of {}", self.name);
        self.columns.push(SheetColumn { name: Arc::from(name), label: Arc::from(label), values });
    }

    /// A column by machine name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Values> {
        self.columns.iter().find(|column| &*column.name == name).map(|column| &column.values)
    }

    /// Takes a column out by machine name, leaving an empty one in its place.
    pub(super) fn give_up(&mut self, name: &str) -> Option<Values> {
        let column = self.columns.iter_mut().find(|column| &*column.name == name)?;
        Some(std::mem::replace(&mut column.values, Values::Int(Vec::new())))
    }

    /// The machine text of a cell, empty when the column is unknown.
    #[must_use]
    pub fn cell(&self, row: usize, name: &str) -> String {
        let mut text = String::new();
        if let Some(values) = self.get(name) {
            values.text(row, &mut text);
        }
        text
    }

    /// Sum of a money column, checked; `None` when there is no such column or it overflows.
    #[must_use]
    pub fn sum(&self, name: &str) -> Option<i64> {
        let values = self.get(name)?;
        (0..self.rows)
            .try_fold(0_i64, |sum, row| sum.checked_add(values.number(row).unwrap_or_default()))
    }

    /// The sheet with only the named columns, in the given order; unknown names are left out.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Self {
        let columns = names
            .iter()
            .filter_map(|name| self.columns.iter().find(|column| &*column.name == *name).cloned())
            .collect();
        Self { name: self.name.clone(), rows: self.rows, columns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_numbers_read_as_decimals_or_fractions() {
        for (num, den, text) in [
            (0, 1, "0"),
            (12345, 1, "12345"),
            (5, 2, "2.5"),
            (-5, 2, "-2.5"),
            (1, 8, "0.125"),
            (-1, 8, "-0.125"),
            (22, 7, "22/7"),
            (-22, 14, "-11/7"),
            (300, 100, "3"),
            (1, 1_000_000_000_000, "0.000000000001"),
            (1, 10_000_000_000_000, "1/10000000000000"),
            (i128::MAX, 1, "170141183460469231731687303715884105727"),
        ] {
            assert_eq!(exact_text(num, den), text, "{num}/{den}");
        }
    }

    #[test]
    fn whole_numbers_reach_both_ends() {
        for value in [0, 7, -7, 10, i64::MAX, i64::MIN] {
            let mut text = String::new();
            push_whole(value, &mut text);
            assert_eq!(text, value.to_string());
        }
    }
}
