//! Two files that should be the same, and the first place where they are not.

use polars::prelude::{DataFrame, ParquetReader, SerReader};
use std::io::Cursor;

/// Longest piece of a line that is shown.
const SHOWN: usize = 160;

/// The columns that name a run rather than tell what it came to.
const OF_THE_RUN: [&str; 2] = ["run_id", "row_hash"];

/// The first difference of two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// Line of a text or data row of a table, counted from 1.
    pub line: u64,
    /// Column of a table.
    pub column: Option<String>,
    /// What stands in the first file there; `None` past its end.
    pub expected: Option<String>,
    /// What stands in the second.
    pub found: Option<String>,
}

/// The first difference of two files of one name, if there is one that can be shown: a line of text,
/// a row and column of a Parquet table.
#[must_use]
pub fn first_difference(file: &str, expected: &[u8], found: &[u8]) -> Option<At> {
    match ending(file) {
        "parquet" => parquet(expected, found, &[]),
        "csv" | "json" => lines(expected, found),
        _ => None,
    }
}

/// What stands after the last dot of a file's name.
fn ending(file: &str) -> &str {
    file.rsplit('.').next().unwrap_or_default()
}

/// The first difference in what two files tell, whatever wrote them (S30): cells of CSV and Parquet
/// tables by column, without those that name the run. `None` too for files that are no tables.
#[must_use]
pub fn first_logical_difference(file: &str, expected: &[u8], found: &[u8]) -> Option<At> {
    match ending(file) {
        "parquet" => parquet(expected, found, &OF_THE_RUN),
        "csv" => cells(expected, found),
        _ => None,
    }
}

/// Whether [`first_logical_difference`] can say something of a file.
#[must_use]
pub(super) fn is_table(file: &str) -> bool {
    matches!(ending(file), "parquet" | "csv")
}

fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches(['\n', '\r']);
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn lines(expected: &[u8], found: &[u8]) -> Option<At> {
    let mut expected = expected.split(|byte| *byte == b'\n');
    let mut found = found.split(|byte| *byte == b'\n');
    let mut line = 0;
    loop {
        line += 1;
        let (was, is) = (expected.next(), found.next());
        if was.is_none() && is.is_none() {
            return None;
        }
        if was != is {
            return Some(At { line, column: None, expected: was.map(shown), found: is.map(shown) });
        }
    }
}

/// Rows of a CSV text by the names of its columns.
fn cells(expected: &[u8], found: &[u8]) -> Option<At> {
    let table = |bytes: &[u8]| -> Option<(csv::StringRecord, Vec<csv::StringRecord>)> {
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
        let headers = reader.headers().ok()?.clone();
        Some((headers, reader.records().collect::<Result<_, _>>().ok()?))
    };
    let (Some((names, was)), Some((other_names, is))) = (table(expected), table(found)) else {
        return lines(expected, found);
    };
    if names != other_names {
        return lines(expected, found);
    }
    for at in 0..was.len().max(is.len()) {
        let (Some(was), Some(is)) = (was.get(at), is.get(at)) else {
            let text = |row: Option<&csv::StringRecord>| {
                row.map(|row| shown(row.iter().collect::<Vec<_>>().join(",").as_bytes()))
            };
            let (expected, found) = (text(was.get(at)), text(is.get(at)));
            return Some(At { line: at as u64 + 2, column: None, expected, found });
        };
        for (column, name) in names.iter().enumerate() {
            if !OF_THE_RUN.contains(&name) && was.get(column) != is.get(column) {
                return Some(At {
                    line: at as u64 + 2,
                    column: Some(name.to_owned()),
                    expected: was.get(column).map(|cell| shown(cell.as_bytes())),
                    found: is.get(column).map(|cell| shown(cell.as_bytes())),
                });
            }
        }
    }
    None
}

/// The first row, and in it the first column, that differs; `None` too where one of the two cannot
/// be read, or where only the encoding differs.
fn parquet(expected: &[u8], found: &[u8], but: &[&str]) -> Option<At> {
    let (was, is) = (frame(expected)?, frame(found)?);
    let mut first: Option<At> = None;
    let rows = was.height().min(is.height());
    for column in was.columns() {
        let name = column.name().as_str();
        if but.contains(&name) {
            continue;
        }
        let Ok(other) = is.column(name) else {
            return Some(At {
                line: 1,
                column: Some(name.to_owned()),
                expected: Some(column.dtype().to_string()),
                found: None,
            });
        };
        let until = first.as_ref().map_or(rows, |at| usize::try_from(at.line - 1).unwrap_or(rows));
        let row = (0..until).find(|row| match (column.get(*row), other.get(*row)) {
            (Ok(was), Ok(is)) => was != is,
            _ => false,
        });
        if let Some(row) = row {
            let cell = |value: polars::prelude::PolarsResult<polars::prelude::AnyValue<'_>>| {
                value.ok().map(|value| shown(value.to_string().as_bytes()))
            };
            first = Some(At {
                line: row as u64 + 1,
                column: Some(name.to_owned()),
                expected: cell(column.get(row)),
                found: cell(other.get(row)),
            });
        }
    }
    let ends =
        |frame: &DataFrame| (frame.height() > rows).then(|| format!("{} rows", frame.height()));
    first.or_else(|| {
        (was.height() != is.height()).then(|| At {
            line: rows as u64 + 1,
            column: None,
            expected: ends(&was),
            found: ends(&is),
        })
    })
}

/// A table; a damaged one may make the reader panic.
fn frame(bytes: &[u8]) -> Option<DataFrame> {
    std::panic::catch_unwind(|| ParquetReader::new(Cursor::new(bytes)).finish().ok()).ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(
        file: &str,
        expected: &str,
        found: &str,
    ) -> Option<(u64, Option<String>, Option<String>)> {
        let at = first_difference(file, expected.as_bytes(), found.as_bytes())?;
        Some((at.line, at.expected, at.found))
    }

    #[test]
    fn the_first_line_that_differs_is_shown() {
        assert_eq!(at("a.csv", "a\n1\n2\n", "a\n1\n2\n"), None);
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(at("a.csv", "a\n1\n2\n", "a\n3\n2\n"), Some((2, text("1"), text("3"))));
        assert_eq!(at("a.json", "a\n1", "a\n1\n2"), Some((3, None, text("2"))));
        assert_eq!(at("a.xlsx", "a", "b"), None, "nobody reads the bytes of a workbook");
    }

    #[test]
    fn a_later_engine_compares_cells_and_not_the_name_of_the_run() {
        let was = "\u{feff}run_id,item,fen\r\nr1,a,100\r\nr1,b,200\r\n";
        let logical = |found: &str| {
            first_logical_difference("a.csv", was.as_bytes(), found.as_bytes())
                .map(|at| (at.line, at.column, at.found))
        };
        assert_eq!(logical("run_id,item,fen\nr2,a,100\nr2,b,200\n"), None);
        let cell = |line, column: &str, found: &str| {
            Some((line, Some(column.to_owned()), Some(found.to_owned())))
        };
        assert_eq!(logical("run_id,item,fen\nr2,a,100\nr2,b,201\n"), cell(3, "fen", "201"));
        assert_eq!(logical("run_id,item,fen\nr2,a,100\n"), Some((3, None, None)));
    }
}
