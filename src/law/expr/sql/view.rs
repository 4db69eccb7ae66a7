//! Frames and calendars as tables a query can read.

use crate::domain::{Basis, Calendar, Cell, Column, Date, Frame, Frames, RowError, Stored};

use super::super::scalar;
use super::{name, text};

/// A table of one basis with the columns of the coarser bases its rows belong to, named
/// `basis.column`, and a column `row`; as statements for `DuckDB`. Meant for checks of some
/// thousand rows: every value is written out.
#[must_use]
pub fn sql_view(frames: &Frames, basis: &Basis, view: &str) -> String {
    let Some(frame) = frames.get(basis) else { return String::new() };
    let mut columns: Vec<(String, &Stored, Option<&[u32]>)> = Vec::new();
    for (column, stored) in &frame.columns {
        columns.push((format!("{basis}.{column}"), stored, None));
    }
    for (coarser, links) in &frame.links {
        if let Some(frame) = frames.get(coarser) {
            for (column, stored) in &frame.columns {
                columns.push((format!("{coarser}.{column}"), stored, Some(links)));
            }
        }
    }
    let mut fields = vec!["c.\"row\"::BIGINT AS \"row\"".to_owned()];
    let mut raw = vec!["\"row\"".to_owned()];
    for (place, (label, stored, _)) in columns.iter().enumerate() {
        let sql_type = match stored.column {
            Column::Num(_) | Column::Ratio(_) => {
                fields.push(format!(
                    "{{'n': n{place}::HUGEINT, 'd': d{place}::HUGEINT, 'e': e{place}::TINYINT}} \
                     AS {}",
                    name(label)
                ));
                raw.extend([format!("n{place}"), format!("d{place}"), format!("e{place}")]);
                continue;
            }
            Column::Bool(_) => "BOOLEAN",
            Column::Date(_) => "DATE",
            Column::Code(_) | Column::Key(_) => "VARCHAR",
        };
        fields.push(format!(
            "{{'v': v{place}::{sql_type}, 'e': e{place}::TINYINT}} AS {}",
            name(label)
        ));
        raw.extend([format!("v{place}"), format!("e{place}")]);
    }
    let rows: Vec<String> = (0..frame.rows)
        .map(|row| {
            let cells = columns.iter().flat_map(|(_, stored, links)| {
                let place = links.map_or(row, |links| links[row] as usize);
                let absent = links.is_some_and(|links| links[row] == Frame::NO_ROW);
                row_values(stored, place, absent)
            });
            let cells: Vec<String> = std::iter::once(text(&row.to_string())).chain(cells).collect();
            format!("({})", cells.join(","))
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "CREATE OR REPLACE TABLE {} AS SELECT {}\nFROM (VALUES\n{}\n) c({});",
        name(view),
        fields.join(", "),
        rows.join(",\n"),
        raw.join(", ")
    )
}

/// The raw fields of one value.
fn row_values(stored: &Stored, row: usize, absent: bool) -> Vec<String> {
    let numeric = matches!(stored.column, Column::Num(_) | Column::Ratio(_));
    let error = if absent { Some(RowError::NoParent) } else { stored.error(row) };
    let mut cell = if error.is_some() { Cell::Null } else { stored.cell(row) };
    let mut code = error.map_or(0, |error| error as u8);
    if let Cell::Num(num, den) = cell {
        match scalar::exact(num, den) {
            Ok(value) => cell = scalar::cell(value),
            Err(own) => {
                code = own as u8;
                cell = Cell::Null;
            }
        }
    }
    let value = match cell {
        Cell::Null => vec!["NULL".to_owned(); if numeric { 2 } else { 1 }],
        Cell::Bool(value) => vec![text(if value { "true" } else { "false" })],
        Cell::Num(num, den) => vec![text(&num.to_string()), text(&den.to_string())],
        Cell::Date(date) => vec![text(&date.to_string())],
        Cell::Text(word) => vec![text(&word)],
    };
    value.into_iter().chain([text(&code.to_string())]).collect()
}

/// A table of running counts of work days and of unpublished days, `day`, `work`, `unpublished`,
/// for the days the checked rows may name.
#[must_use]
pub fn calendar_sql(calendar: &Calendar, table: &str, from: Date, until: Date) -> String {
    let (mut work, mut unpublished) = (0_u32, 0_u32);
    let mut rows = Vec::new();
    for day in from.days()..=until.days() {
        let day = Date::from_days(day);
        match calendar.is_workday(day) {
            Ok(works) => work += u32::from(works),
            Err(_) => unpublished += 1,
        }
        rows.push(format!("('{day}',{work},{unpublished})"));
    }
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "CREATE OR REPLACE TABLE {} AS SELECT day::DATE AS day, work::BIGINT AS work, \
         unpublished::BIGINT AS unpublished\nFROM (VALUES\n{}\n) c(day, work, unpublished);",
        name(table),
        rows.join(",\n")
    )
}
