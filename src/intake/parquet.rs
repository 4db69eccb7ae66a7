//! Parquet: typed columns, read through polars.

use super::found::Found;
use super::plan::{TablePlan, normal_header};
use super::rows::Rows;
use super::value::Decimal;
use super::{FileRead, IntakeError};
use crate::domain::Date;
use polars::prelude::{AnyValue, Column, DataFrame, ParquetReader, SerReader};
use std::io::Cursor;

/// Reads one Parquet file.
///
/// # Errors
/// When the bytes are no Parquet file, or its columns do not fit the table.
pub(super) fn read(
    bytes: &[u8],
    plan: &TablePlan<'_>,
    file: &str,
) -> Result<FileRead, IntakeError> {
    let damaged =
        |reason: String| IntakeError::Damaged { file: file.to_owned(), format: "Parquet", reason };
    // The Parquet reader is not proof against every damaged file; its panic is a damaged file.
    let opened = std::panic::catch_unwind(|| ParquetReader::new(Cursor::new(bytes)).finish());
    let mut frame: DataFrame = match opened {
        Ok(Ok(frame)) => frame,
        Ok(Err(error)) => return Err(damaged(error.to_string())),
        Err(_) => return Err(damaged("broken structure or a column type nobody reads".to_owned())),
    };
    frame.rechunk_mut();
    let headers: Vec<String> =
        frame.get_column_names().iter().map(|name| normal_header(name)).collect();
    let binding = plan.bind(file, &headers)?;
    let mut rows = Rows::new(plan, &binding, frame.height());
    let series: Vec<_> = frame.columns().iter().map(Column::as_materialized_series).collect();
    let length = u32::try_from(frame.height())
        .map_err(|_| IntakeError::TooLong { file: file.to_owned() })?;
    for record in 1..=length {
        rows.take(record, |field| {
            let value = series.get(field).map(|series| series.get(record as usize - 1));
            match value {
                Some(Ok(value)) => found(&value),
                _ => Found::Empty,
            }
        });
    }
    let part = rows.finish(plan, length);
    Ok(FileRead { parts: vec![part], findings: binding.findings })
}

/// A value of a column. The text borrows from the column, not from the value.
fn found<'a>(value: &AnyValue<'a>) -> Found<'a> {
    match value {
        AnyValue::Null => Found::Empty,
        AnyValue::Boolean(value) => Found::Bool(*value),
        AnyValue::String(text) => Found::Text(text.as_bytes()),
        AnyValue::UInt8(value) => Found::Int(i128::from(*value)),
        AnyValue::UInt16(value) => Found::Int(i128::from(*value)),
        AnyValue::UInt32(value) => Found::Int(i128::from(*value)),
        AnyValue::UInt64(value) => Found::Int(i128::from(*value)),
        AnyValue::Int8(value) => Found::Int(i128::from(*value)),
        AnyValue::Int16(value) => Found::Int(i128::from(*value)),
        AnyValue::Int32(value) => Found::Int(i128::from(*value)),
        AnyValue::Int64(value) => Found::Int(i128::from(*value)),
        AnyValue::Int128(value) => Found::Int(*value),
        AnyValue::Float32(_) => Found::Coarse,
        AnyValue::Float64(value) => Found::Float(*value),
        AnyValue::Date(days) => Found::Date(Date::from_days(*days)),
        AnyValue::Decimal(mantissa, _, scale) => exact(*mantissa, *scale),
        AnyValue::Categorical(code, map) | AnyValue::Enum(code, map) => {
            map.cat_to_str(*code).map_or(Found::Empty, |text| Found::Text(text.as_bytes()))
        }
        _ => Found::Broken("a column type nobody reads"),
    }
}

/// A decimal without trailing zeros.
fn exact(mantissa: i128, scale: usize) -> Found<'static> {
    let (mut mantissa, mut scale) = (mantissa, scale);
    while scale > 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    u32::try_from(scale)
        .map_or(Found::Broken("decimal"), |scale| Found::Decimal(Decimal { mantissa, scale }))
}
