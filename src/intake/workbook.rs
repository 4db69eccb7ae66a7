//! Workbooks (XLSX, XLS): typed cells, with the row numbers a person sees.

use super::found::Found;
use super::plan::{TablePlan, normal_header};
use super::rows::Rows;
use super::value::text_of_float;
use super::{FileRead, IntakeError, xls};
use crate::domain::{Date, FindingCode};
use calamine::{Data, ExcelDateTime, Reader, Xls, Xlsx, open_workbook_from_rs};
use std::collections::BTreeMap;
use std::io::Cursor;

/// Cells of a sheet by row and column, both from 0.
pub(super) type Sheet = BTreeMap<u32, BTreeMap<u32, Data>>;

/// Reads one sheet of a workbook.
///
/// # Errors
/// When the bytes are no workbook, the sheet or a header row is missing, or the headers do not fit.
pub(super) fn read(
    bytes: &[u8],
    plan: &TablePlan<'_>,
    file: &str,
    format: &'static str,
) -> Result<FileRead, IntakeError> {
    let sheet =
        opened(bytes, plan.spec.sheet.as_deref(), format).map_err(|refusal| match refusal {
            Refusal::Damaged(reason) => {
                IntakeError::Damaged { file: file.to_owned(), format, reason }
            }
            Refusal::NoSheet(found) => IntakeError::SheetMissing {
                file: file.to_owned(),
                sheet: plan.spec.sheet.clone().unwrap_or_default(),
                found: found.join(", "),
            },
        })?;
    let missing = || IntakeError::HeaderMissing { file: file.to_owned() };
    let header_row = match plan.spec.header_row {
        Some(row) => row.checked_sub(1).ok_or_else(missing)?,
        None => *sheet.iter().find(|(_, row)| !is_blank(row)).ok_or_else(missing)?.0,
    };
    let cells = sheet.get(&header_row).filter(|row| !is_blank(row)).ok_or_else(missing)?;
    let placed: Vec<(u32, String)> =
        cells.iter().map(|(at, cell)| (*at, header_text(cell))).collect();
    let headers: Vec<String> = placed.iter().map(|(_, header)| header.clone()).collect();
    let binding = plan.bind(file, &headers)?;
    let mut rows = Rows::new(plan, &binding, sheet.len());
    let mut length = 0;
    let mut beside = None;
    for (at, row) in sheet.range(header_row.saturating_add(1)..) {
        let record = at - header_row;
        length = record;
        if beside.is_none() {
            let stray = |(at, cell): (&u32, &Data)| {
                !blank(cell) && placed.binary_search_by_key(at, |(at, _)| *at).is_err()
            };
            beside = row.iter().any(stray).then_some(record);
        }
        let used = placed.iter().any(|(at, _)| row.get(at).is_some_and(|cell| !blank(cell)));
        if used {
            rows.take(record, |field| {
                let cell = placed.get(field).and_then(|(at, _)| row.get(at));
                cell.map_or(Found::Empty, found)
            });
        }
    }
    let part = rows.finish(plan, length);
    let mut findings = binding.findings;
    if let Some(record) = beside {
        // Cells under no header are not read; the first is told.
        let values = vec![("header", String::new())];
        let mut finding = plan.file_finding(FindingCode::ColumnUnknown, file, "", values);
        finding.place.record = u64::from(record);
        findings.push(finding);
    }
    Ok(FileRead { parts: vec![part], findings })
}

/// Why a workbook gives no sheet.
pub(super) enum Refusal {
    /// What the reader said.
    Damaged(String),
    /// The sheets there are.
    NoSheet(Vec<String>),
}

/// The cells of a sheet, the first where none is named.
///
/// # Errors
/// When the bytes are no workbook, or have no such sheet.
pub(super) fn opened(bytes: &[u8], name: Option<&str>, format: &str) -> Result<Sheet, Refusal> {
    // The workbook reader is not proof against every damaged file; its panic is a damaged file.
    let opened = std::panic::catch_unwind(|| cells(bytes, name, format));
    opened.unwrap_or_else(|_| Err(Refusal::Damaged("broken structure".to_owned())))
}

fn cells(bytes: &[u8], name: Option<&str>, format: &str) -> Result<Sheet, Refusal> {
    if format == "XLSX" {
        let mut book: Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes)).map_err(damaged)?;
        let name = chosen(&book.sheet_names(), name)?;
        let mut reader = book.worksheet_cells_reader(&name).map_err(damaged)?;
        let mut sheet = Sheet::new();
        // Cell by cell: a sheet's bounding box may be the whole grid.
        while let Some(cell) = reader.next_cell().map_err(damaged)? {
            let (row, column) = cell.get_position();
            sheet.entry(row).or_default().insert(column, Data::from(cell.get_value().clone()));
        }
        return Ok(sheet);
    }
    let sound = xls::sound(bytes).map_err(Refusal::Damaged)?;
    let mut book: Xls<_> = open_workbook_from_rs(Cursor::new(sound)).map_err(damaged)?;
    let name = chosen(&book.sheet_names(), name)?;
    let range = book.worksheet_range(&name).map_err(damaged)?;
    // The range starts at the first used cell, which need not be A1.
    let (top, left) = range.start().unwrap_or_default();
    let mut sheet = Sheet::new();
    for (row, column, cell) in range.used_cells() {
        let row = top.saturating_add(u32::try_from(row).unwrap_or(u32::MAX));
        let column = left.saturating_add(u32::try_from(column).unwrap_or(u32::MAX));
        sheet.entry(row).or_default().insert(column, cell.clone());
    }
    Ok(sheet)
}

fn damaged(error: impl std::fmt::Display) -> Refusal {
    Refusal::Damaged(error.to_string())
}

fn chosen(names: &[String], wanted: Option<&str>) -> Result<String, Refusal> {
    let name = match wanted {
        Some(wanted) => names.iter().find(|name| name.as_str() == wanted),
        None => names.first(),
    };
    name.cloned().ok_or_else(|| Refusal::NoSheet(names.to_vec()))
}

fn is_blank(row: &BTreeMap<u32, Data>) -> bool {
    row.values().all(blank)
}

/// Whether a cell holds nothing but white space.
pub(super) fn blank(cell: &Data) -> bool {
    match cell {
        Data::Empty => true,
        Data::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

/// The text of a header cell.
pub(super) fn header_text(cell: &Data) -> String {
    match cell {
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => {
            normal_header(text)
        }
        Data::Int(value) => value.to_string(),
        Data::Float(value) => text_of_float(*value).unwrap_or_default(),
        Data::Bool(value) => value.to_string(),
        Data::DateTime(_) | Data::Error(_) | Data::Empty => String::new(),
    }
}

/// A cell as a found value.
pub(super) fn found(cell: &Data) -> Found<'_> {
    match cell {
        Data::Empty => Found::Empty,
        Data::Int(value) => Found::Int(i128::from(*value)),
        Data::Float(value) => Found::Float(*value),
        Data::String(text) | Data::DateTimeIso(text) => Found::Text(text.as_bytes()),
        Data::Bool(value) => Found::Bool(*value),
        Data::DateTime(moment) => day(*moment),
        Data::DurationIso(_) => Found::Broken("duration"),
        Data::Error(_) => Found::Broken("#error"),
    }
}

/// The day of a date cell; one with a time of day is not a date.
fn day(moment: ExcelDateTime) -> Found<'static> {
    if moment.is_duration() {
        return Found::Broken("duration");
    }
    let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
    if (hour, minute, second, milli) != (0, 0, 0, 0) {
        return Found::Broken("date with a time of day");
    }
    Date::from_ymd(i32::from(year), u32::from(month), u32::from(day))
        .map_or(Found::Broken("date out of range"), Found::Date)
}
