//! `[[late]]`: deliveries that came after a table's own, each a version of some months (S22).

use super::read::{self, Input};
use super::toml_walk::Section;
use super::{JobError, TableSpec};
use toml::Spanned;

/// Keys of a late delivery.
pub(super) const LATE: [&str; 11] = [
    "table",
    "file",
    "received_on",
    "complete_for",
    "sheet",
    "header_row",
    "headers",
    "values",
    "captures",
    "constants",
    "ignore",
];

/// Reads the late deliveries; how a file is read is as the table's own unless stated.
pub(super) fn read(
    top: &Section<'_>,
    input: &Input<'_>,
    tables: &[TableSpec],
) -> Result<Vec<TableSpec>, JobError> {
    let list = top.get("late").map_or(0..0, Spanned::span);
    let mut late = Vec::new();
    for section in top.sections("late", &LATE)? {
        let needs = |key: &str, expected: &str| {
            let message = format!("late.{key} is missing; expected {expected}");
            top.text.wrong(list.clone(), message)
        };
        let table = section.required("table", list.clone())?;
        let at = section.get("table").map_or(0..0, Spanned::span);
        read::near_core(top.text, &table, at)?;
        if section.get("file").is_none() {
            return Err(needs("file", "the files of the delivery"));
        }
        let received_on = section
            .date("received_on")?
            .ok_or_else(|| needs("received_on", "the day it was received, YYYY-MM-DD"))?;
        let complete_for = read::complete_for(&section)?
            .ok_or_else(|| needs("complete_for", "the first and the last month it replaces"))?;
        let paths = read::table_paths(&section, &table, input)?;
        if paths.is_empty() {
            return Err(needs("file", "at least one file that is there"));
        }
        let own = tables.iter().find(|spec| spec.table == table).cloned().unwrap_or_default();
        let stated = |key: &str| section.get(key).is_some();
        let header_row = section.integer("header_row", 1..=1000)?;
        late.push(TableSpec {
            paths,
            optional: false,
            sheet: section.string("sheet")?.or(own.sheet),
            header_row: header_row.and_then(|row| u32::try_from(row).ok()).or(own.header_row),
            headers: if stated("headers") { section.map("headers")? } else { own.headers },
            values: if stated("values") { section.maps("values")? } else { own.values },
            captures: if stated("captures") { read::captures(&section)? } else { own.captures },
            constants: if stated("constants") { section.map("constants")? } else { own.constants },
            ignore: match section.strings("ignore")? {
                Some(headers) => headers.into_iter().map(Spanned::into_inner).collect(),
                None => own.ignore,
            },
            received_on: Some(received_on),
            complete_for: Some(complete_for),
            table,
        });
    }
    Ok(late)
}
