//! Tables whose rows stand in a file beside the pack: CSV or XLSX read into the rows of the block.
//!
//! What is read is laid into the block as if it had been written there, each cell with its place in
//! the file, so that checks, overlays, snapshots and levers know of rows alone. A sheet is turned
//! into the CSV text that has a line for each of its rows.

use calamine::{Data, Reader as _, Xlsx, open_workbook_from_rs};
use std::fs;
use std::io::{Cursor, Read as _};
use std::path::Path;
use std::sync::Arc;

use super::folder::read_text;
use super::node::{Entry, MOST_BYTES, Node, Value};
use crate::law::fault::{At, Faults, SourceText, Sources};

/// Header of the column of values.
const VALUE: &str = "value";
/// Most digits a spreadsheet keeps; a number with more is the dust of a sum.
const MOST_DIGITS: usize = 15;
/// Most rows of a sheet, blank ones too.
const MOST_ROWS: u32 = 200_000;

/// Where a file of rows is looked for, and where its text is kept for messages.
pub(super) struct Beside<'a> {
    /// The pack's folder; `None` for a notice that stands in no folder.
    pub(super) folder: Option<&'a Path>,
    /// The pack's name in messages and its id.
    pub(super) pack: Arc<str>,
}

/// Lays the rows of the file a table names into its block.
pub(super) fn lay(
    block: &mut Node,
    beside: &Beside<'_>,
    sources: &mut Sources,
    faults: &mut Faults,
) {
    let Some(named) = block.get("file").cloned() else {
        if let Some(sheet) = block.get("sheet") {
            let message = "`sheet` without `file`";
            faults.error("table_file", &sheet.at, message, "file = \"….xlsx\"", "");
        }
        return;
    };
    let rows = rows_of(block, &named, beside, sources, faults);
    let Value::Table(entries) = &mut block.value else { return };
    // What is wrong was told: a broken value stands in for the rows.
    let value = rows.map_or(Value::Bad, Value::List);
    let node = Node { at: named.at.clone(), value };
    entries.retain(|entry| entry.name != "rows");
    entries.push(Entry { name: "rows".to_owned(), at: named.at, node });
}

fn rows_of(
    block: &Node,
    named: &Node,
    beside: &Beside<'_>,
    sources: &mut Sources,
    faults: &mut Faults,
) -> Option<Vec<Node>> {
    if let Some(rows) = block.get("rows") {
        let message = "`rows` beside `file`";
        faults.error("table_file", &rows.at, message, "one of them", "");
        return None;
    }
    let name = named.text()?;
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str());
    let is_sheet = ending == Some("xlsx");
    let plain = !name.contains(['/', '\\']) && (is_sheet || ending == Some("csv"));
    let Some(folder) = beside.folder.filter(|_| plain) else {
        let message = format!("`file` is {name:?}");
        let expected = "the name of a .csv or .xlsx file in the pack's own folder";
        faults.error("table_file", &named.at, message, expected, "");
        return None;
    };
    let path = folder.join(name);
    let sheet = block.get("sheet");
    if let Some(sheet) = sheet.filter(|_| !is_sheet) {
        faults.error("table_file", &sheet.at, "`sheet` of a CSV file", "an .xlsx file", "");
        return None;
    }
    let text = if is_sheet {
        match sheet_text(&path, sheet.and_then(Node::text)) {
            Ok(text) => text,
            Err(reason) => {
                faults.error("table_file", &named.at, format!("{name}: {reason}"), "", "");
                return None;
            }
        }
    } else {
        let text = read_text(&path, "table file", faults)?;
        text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned)
    };
    let file = sources.add(SourceText {
        name: format!("{}/{name}", beside.pack),
        file: Arc::from(name),
        pack: Arc::clone(&beside.pack),
        text: text.clone(),
    });
    let keys: Vec<String> = block
        .get("keys")
        .map_or(&[][..], Node::list)
        .iter()
        .filter_map(|key| key.text().or_else(|| key.get("name").and_then(Node::text)))
        .map(str::to_owned)
        .collect();
    records(file, &text, &keys, faults)
}

/// The records of a CSV text as rows in the order of the keys.
fn records(file: usize, text: &str, keys: &[String], faults: &mut Faults) -> Option<Vec<Node>> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut places: Option<Vec<usize>> = None;
    let mut rows = Vec::new();
    let mut sound = true;
    loop {
        let start = usize::try_from(reader.position().byte()).unwrap_or(0);
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                let at = At { file, span: start..start };
                faults.error("table_file", &at, error.to_string(), "records of a CSV file", "");
                return None;
            }
        }
        let end = usize::try_from(reader.position().byte()).unwrap_or(0).min(text.len());
        let cells = cells_of(file, text, (start, end), &record);
        // A row of a sheet that holds nothing is an empty line or nothing but commas.
        if cells.iter().all(|(cell, _)| cell.is_empty()) {
            continue;
        }
        let whole = At { file, span: start + blank_front(&text[start..end])..end };
        let Some(places) = &places else {
            places = Some(header(&whole, &cells, keys, faults)?);
            continue;
        };
        let named = places.iter().zip(keys.iter().map(String::as_str).chain([VALUE]));
        let mut row = Vec::with_capacity(places.len());
        for (place, name) in named {
            if let Some((cell, at)) = cells.get(*place).filter(|(cell, _)| !cell.is_empty()) {
                row.push(Node { at: at.clone(), value: Value::Text((*cell).to_owned()) });
            } else {
                sound = false;
                let message = format!("no `{name}` in this record");
                let hint = "a key that may be anything is *, a cell without a value is none";
                faults.error("table_file", &whole, message, "a cell that is not empty", hint);
            }
        }
        if cells.len() > places.len() && cells[places.len()..].iter().any(|(c, _)| !c.is_empty()) {
            sound = false;
            let message = format!("a record of {} cells", cells.len());
            let expected = format!("{} as in the first row", places.len());
            let hint = "a range is written in quotes: \"[0,12)\"";
            faults.error("table_file", &whole, message, expected, hint);
        }
        rows.push(Node { at: whole, value: Value::List(row) });
    }
    if places.is_none() {
        let at = At { file, span: 0..0 };
        faults.error("table_file", &at, "a file without a row", wanted(keys), "");
        return None;
    }
    sound.then_some(rows)
}

/// White space before the first letter of a record, left over from the record before.
fn blank_front(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// The cells of a record, trimmed, with their places.
fn cells_of<'r>(
    file: usize,
    text: &str,
    (start, end): (usize, usize),
    record: &'r csv::StringRecord,
) -> Vec<(&'r str, At)> {
    let mut from = start;
    let mut cells = Vec::with_capacity(record.len());
    for cell in record {
        let cell = cell.trim();
        // A cell with doubled quotes is not found as it reads; the record is named then.
        let span = match text.get(from..end).and_then(|rest| rest.find(cell)) {
            Some(at) => from + at..from + at + cell.len(),
            None => start..end,
        };
        from = if span.start >= from { span.end } else { from };
        cells.push((cell, At { file, span }));
    }
    cells
}

/// Where the keys and the value stand in a record.
fn header(
    whole: &At,
    cells: &[(&str, At)],
    keys: &[String],
    faults: &mut Faults,
) -> Option<Vec<usize>> {
    let named = keys.iter().map(String::as_str).chain([VALUE]);
    let mut places = Vec::new();
    for name in named {
        let mut found = cells.iter().enumerate().filter(|(_, (cell, _))| *cell == name);
        match (found.next(), found.next()) {
            (Some((place, _)), None) => places.push(place),
            (first, _) => {
                let how = if first.is_some() { "twice" } else { "nowhere" };
                let message = format!("the first row names `{name}` {how}");
                faults.error("table_file", whole, message, wanted(keys), "");
                return None;
            }
        }
    }
    let strange =
        cells.iter().enumerate().find(|(at, (cell, _))| !places.contains(at) && !cell.is_empty());
    if let Some((_, (cell, at))) = strange {
        let message = format!("the first row names `{cell}`, which is no key of the table");
        faults.error("table_file", at, message, wanted(keys), "");
        return None;
    }
    Some(places)
}

fn wanted(keys: &[String]) -> String {
    format!("the first row {},{VALUE}", keys.join(","))
}

/// A sheet as CSV text, a line for each row from the first on.
fn sheet_text(path: &Path, name: Option<&str>) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err("larger than 4 MiB".to_owned());
    }
    // The workbook reader is not proof against every damaged file; its panic is a damaged file.
    let text = std::panic::catch_unwind(|| written_out(&bytes, name));
    text.unwrap_or_else(|_| Err("not a sound workbook".to_owned()))
}

fn written_out(bytes: &[u8], name: Option<&str>) -> Result<String, String> {
    let damaged = |error: calamine::XlsxError| format!("not a sound workbook: {error}");
    let mut book: Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes)).map_err(damaged)?;
    let names = book.sheet_names();
    let chosen = match name {
        Some(wanted) => names.iter().find(|name| *name == wanted),
        None => names.first(),
    };
    let Some(chosen) = chosen.cloned() else {
        return Err(format!(
            "no sheet {:?}; its sheets are {}",
            name.unwrap_or(""),
            names.join(", ")
        ));
    };
    let mut reader = book.worksheet_cells_reader(&chosen).map_err(damaged)?;
    let mut rows: Vec<Vec<String>> = Vec::new();
    while let Some(cell) = reader.next_cell().map_err(damaged)? {
        let (row, column) = cell.get_position();
        let text = cell_text(&Data::from(cell.get_value().clone())).map_err(|reason| {
            format!("sheet {chosen}, row {}, column {}: {reason}", row + 1, column + 1)
        })?;
        if text.is_empty() {
            continue;
        }
        if row >= MOST_ROWS || column >= 64 {
            return Err(format!(
                "sheet {chosen}: a cell in row {}, column {}",
                row + 1,
                column + 1
            ));
        }
        let (row, column) = (row as usize, column as usize);
        if rows.len() <= row {
            rows.resize(row + 1, Vec::new());
        }
        if rows[row].len() <= column {
            rows[row].resize(column + 1, String::new());
        }
        rows[row][column] = text;
    }
    let line = |cells: &Vec<String>| {
        let quoted = |cell: &String| {
            if cell.contains(['"', ',']) {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell.clone()
            }
        };
        cells.iter().map(quoted).collect::<Vec<_>>().join(",")
    };
    Ok(rows.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// The exact text of a cell; a number is the shortest decimal that is the cell's.
fn cell_text(cell: &Data) -> Result<String, String> {
    let number = |text: String| {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.'));
        if plain && digits <= MOST_DIGITS {
            Ok(text)
        } else {
            Err(format!("{text} is not an exact number; write it as a text"))
        }
    };
    match cell {
        Data::Empty => Ok(String::new()),
        Data::String(text) | Data::DateTimeIso(text) => {
            let text = text.trim();
            if text.contains(['\n', '\r']) {
                return Err("a cell of several lines".to_owned());
            }
            Ok(text.to_owned())
        }
        Data::Bool(value) => Ok(value.to_string()),
        Data::Int(value) => number(value.to_string()),
        Data::Float(value) => number(value.to_string()),
        Data::DateTime(moment) => {
            let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
            if moment.is_duration() || (hour, minute, second, milli) != (0, 0, 0, 0) {
                return Err("a time of day".to_owned());
            }
            Ok(format!("{year:04}-{month:02}-{day:02}"))
        }
        Data::DurationIso(_) => Err("a duration".to_owned()),
        Data::Error(error) => Err(format!("the error {error}")),
    }
}
