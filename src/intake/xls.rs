//! What an XLS file must be before its cells are read.
//!
//! The workbook reader walks the chains of a compound file (MS-CFB) as they come and makes room for
//! the whole rectangle of a sheet (MS-XLS), so a torn file could ask for any amount of memory. Here
//! the book's stream is taken out by a reader that knows a circle when it sees one, its cells are
//! held to the grid of a sheet, and what goes on is a fresh compound file of that stream alone.

use cfb::{CompoundFile, Version};
use std::collections::BTreeSet;
use std::io::{Cursor, Read, Write};

/// Rows and columns of a sheet (MS-XLS 2.5.53, 2.5.228).
const ROWS: u32 = 65_536;
const COLUMNS: u32 = 256;

const BOUND_SHEET: u32 = 0x0085;
const BOF: u32 = 0x0809;
const EOF: u32 = 0x000A;
const FILE_PASS: u32 = 0x002F;
const DIMENSIONS: u32 = 0x0200;
const MUL_RK: u32 = 0x00BD;
/// Records of one cell: Number, Label, `RString`, `BoolErr`, RK, `LabelSst`, Formula.
const CELLS: [u32; 7] = [0x0203, 0x0204, 0x00D6, 0x0205, 0x027E, 0x00FD, 0x0006];

/// A compound file of the book's stream alone, whose cells lie inside the grid of a sheet.
///
/// # Errors
/// What is broken: the compound file, no book in it, or a sheet larger than a sheet is.
pub(super) fn sound(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let said = |error: std::io::Error| error.to_string();
    let mut file = CompoundFile::open(Cursor::new(bytes)).map_err(said)?;
    let name = ["Workbook", "Book"].into_iter().find(|name| file.is_stream(name));
    let name = name.ok_or("there is no workbook in it")?;
    let mut book = Vec::new();
    file.open_stream(name).map_err(said)?.read_to_end(&mut book).map_err(said)?;
    fits_the_grid(&book)?;
    // Of version 3, which spreadsheets write; the reader takes no version 4 without small streams.
    let mut whole =
        CompoundFile::create_with_version(Version::V3, Cursor::new(Vec::new())).map_err(said)?;
    whole.create_stream(name).map_err(said)?.write_all(&book).map_err(said)?;
    whole.flush().map_err(said)?;
    Ok(whole.into_inner().into_inner())
}

/// Whether every sheet of the book keeps to its rows and columns.
fn fits_the_grid(book: &[u8]) -> Result<(), String> {
    let mut sheets = BTreeSet::new();
    for (kind, body) in records(book) {
        match kind {
            // An encrypted book is refused by the reader, in better words.
            FILE_PASS if short(body, 0) != Some(0) => return Ok(()),
            BOUND_SHEET => {
                let at = long(body, 0).and_then(|at| usize::try_from(at).ok());
                let at = at.filter(|at| *at < book.len());
                if !sheets.insert(at.ok_or("a sheet lies beyond the end of the workbook")?) {
                    return Err("two sheets lie at one place of the workbook".to_owned());
                }
            }
            EOF => break,
            _ => {}
        }
    }
    for at in sheets {
        // A chart inside a sheet has records like cells; the reader passes over it, and so do we.
        let mut depth = 0_u32;
        for (kind, body) in records(&book[at..]) {
            match kind {
                BOF => depth += 1,
                EOF if depth <= 1 => break,
                EOF => depth -= 1,
                _ if depth > 1 => {}
                _ if !inside(kind, body) => {
                    return Err(format!("a sheet has more than {ROWS} rows or {COLUMNS} columns"));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Whether a record claims no cell outside a sheet; one too short to tell is left to the reader.
fn inside(kind: u32, body: &[u8]) -> bool {
    let column = |at| short(body, at).is_none_or(|column| column < COLUMNS);
    match kind {
        MUL_RK => column(2) && column(body.len().saturating_sub(2)),
        DIMENSIONS => {
            // 10 bytes before BIFF 8, then 14; some programs write 16.
            let (first, last, columns) = match body.len() {
                10 => (short(body, 0), short(body, 2), short(body, 6)),
                14 | 16 => (long(body, 0), long(body, 4), short(body, 10)),
                _ => return true,
            };
            let [first, last, columns] = [first, last, columns].map(Option::unwrap_or_default);
            first <= last.max(1) && last <= ROWS && columns <= COLUMNS
        }
        _ => !CELLS.contains(&kind) || column(2),
    }
}

/// The records of a stream: kind and body, up to the first that is torn.
fn records(mut stream: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    std::iter::from_fn(move || {
        let kind = short(stream, 0)?;
        let length = usize::try_from(short(stream, 2)?).ok()?;
        let body = stream.get(4..4 + length)?;
        stream = &stream[4 + length..];
        Some((kind, body))
    })
}

fn short(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|pair| u32::from(u16::from_le_bytes(*pair)))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|quad| u32::from_le_bytes(*quad))
}
