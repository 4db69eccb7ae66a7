//! One value as a file holds it, before its column says what it must be.
#![expect(clippy::disallowed_types, reason = "workbook cells are floats; this is where they end")]

use super::value::{Decimal, text_of_float};
use crate::domain::Date;

/// One value as found in a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Found<'a> {
    /// Bytes of a text.
    Text(&'a [u8]),
    /// Nothing.
    Empty,
    /// A whole number.
    Int(i128),
    /// An exact decimal.
    Decimal(Decimal),
    /// A number of a workbook or a 64-bit float column.
    Float(f64),
    /// A 32-bit float: seven digits cannot hold an amount or an identifier.
    Coarse,
    /// A date.
    Date(Date),
    /// A bool.
    Bool(bool),
    /// A cell that holds an error or a type nobody reads.
    Broken(&'static str),
}

impl Found<'_> {
    /// The text of a cell, where it has one without loss.
    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Text(raw) => Some(String::from_utf8_lossy(raw).into_owned()),
            Self::Empty => Some(String::new()),
            Self::Int(value) => Some(value.to_string()),
            Self::Decimal(value) => Some(text_of_decimal(value)),
            Self::Float(value) => text_of_float(value),
            Self::Bool(value) => Some(if value { "TRUE" } else { "FALSE" }.to_owned()),
            Self::Date(_) | Self::Coarse | Self::Broken(_) => None,
        }
    }

    /// The cell for a person, with or without loss.
    pub(super) fn told(self) -> String {
        match self {
            Self::Broken(what) => what.to_owned(),
            Self::Coarse => "a 32-bit float".to_owned(),
            Self::Date(date) => date.to_string(),
            Self::Float(value) if self.text().is_none() => format!("{value:.5E}"),
            _ => self.text().unwrap_or_default(),
        }
    }
}

fn text_of_decimal(value: Decimal) -> String {
    let sign = if value.mantissa < 0 { "-" } else { "" };
    let digits = value.mantissa.unsigned_abs().to_string();
    let scale = value.scale as usize;
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    format!("{sign}{whole}.{fraction}")
}
