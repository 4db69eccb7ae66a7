//! Parquet: typed columns, read through polars.

use super::found::Found;
use super::plan::{TablePlan, normal_header};
use super::rows::Rows;
use super::value::Decimal;
use super::{FileRead, IntakeError, pages};
use crate::domain::Date;
use polars::prelude::{
    AnyValue, Column, DataFrame, ParquetReader, PolarsResult, SerReader, TimeUnit,
};
use std::io::Cursor;
use std::panic::UnwindSafe;

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
    let opened = guarded(|| {
        let schema = ParquetReader::new(Cursor::new(bytes)).schema()?;
        Ok(schema.iter_names().map(ToString::to_string).collect::<Vec<_>>())
    });
    let names = opened.map_err(damaged)?;
    let headers: Vec<String> = names.iter().map(|name| normal_header(name)).collect();
    let binding = plan.bind(file, &headers)?;
    // Columns nobody reads may be of types nobody can read.
    let read: Vec<bool> = (0..names.len()).map(|at| binding.reads(at)).collect();
    let chosen: Vec<String> =
        names.iter().zip(&read).filter(|(_, read)| **read).map(|(name, _)| name.clone()).collect();
    let sound = guarded(|| {
        let mut reader = ParquetReader::new(Cursor::new(bytes));
        Ok(pages::hold_what_they_claim(bytes, reader.get_metadata()?, &chosen))
    });
    if !sound.map_err(damaged)? {
        return Err(damaged("a page claims more than it can hold".to_owned()));
    }
    let frame = guarded(|| {
        let reader = ParquetReader::new(Cursor::new(bytes)).with_columns(Some(chosen.clone()));
        let mut frame = reader.finish()?;
        frame.rechunk_mut();
        Ok(frame)
    });
    let frame: DataFrame = frame.map_err(damaged)?;
    let mut rows = Rows::new(plan, &binding, frame.height());
    let mut series = frame.columns().iter().map(Column::as_materialized_series);
    let series: Vec<_> =
        read.into_iter().map(|read| if read { series.next() } else { None }).collect();
    let length = u32::try_from(frame.height())
        .map_err(|_| IntakeError::TooLong { file: file.to_owned() })?;
    for record in 1..=length {
        rows.take(record, |field| {
            let series = series.get(field).copied().flatten();
            match series.map(|series| series.get(record as usize - 1)) {
                Some(Ok(value)) => found(&value),
                _ => Found::Empty,
            }
        });
    }
    let part = rows.finish(plan, length);
    Ok(FileRead { parts: vec![part], findings: binding.findings })
}

/// The Parquet reader is not proof against every damaged file; its panic is a damaged file.
fn guarded<T>(read: impl FnOnce() -> PolarsResult<T> + UnwindSafe) -> Result<T, String> {
    match std::panic::catch_unwind(read) {
        Ok(outcome) => outcome.map_err(|error| error.to_string()),
        Err(_) => Err("broken structure".to_owned()),
    }
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
        AnyValue::Datetime(moment, unit, None) => midnight(*moment, *unit),
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

/// The day of a moment without a zone, when it is a day's beginning.
fn midnight(moment: i64, unit: TimeUnit) -> Found<'static> {
    let day = match unit {
        TimeUnit::Nanoseconds => 86_400_000_000_000,
        TimeUnit::Microseconds => 86_400_000_000,
        TimeUnit::Milliseconds => 86_400_000,
    };
    match i32::try_from(moment.div_euclid(day)) {
        Ok(days) if moment.rem_euclid(day) == 0 => Found::Date(Date::from_days(days)),
        _ => Found::Broken("date with a time of day"),
    }
}
