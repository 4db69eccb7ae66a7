//! Sheets as CSV: UTF-8 without a mark, `\n`, quotes only where a field needs them.
//!
//! Written here and not by the CSV crate because most cells are numbers and codes that can need no
//! quotes; a test reads the result back with that crate.

use std::io::{self, Write};
use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::sheet::{Sheet, Values};
use crate::domain::hex;

/// Bytes gathered before they are handed on.
const BUFFER: usize = 1 << 17;

/// Rows with a hash that one thread writes at a time, and how many such pieces wait for the file.
const HASHED_ROWS: usize = 1024;
const PIECES: usize = 16;

/// Room for the text of such a piece.
const HASHED_BYTES: usize = HASHED_ROWS * 384;

/// Writes the header line and all rows.
///
/// # Errors
/// When `to` cannot be written.
pub fn write(sheet: &Sheet, mut to: impl Write) -> io::Result<()> {
    let mut out = String::with_capacity(BUFFER + 4096);
    header(sheet, &mut out);
    out.push('\n');
    rows(sheet, &mut out, &mut to)?;
    to.write_all(out.as_bytes())?;
    to.flush()
}

/// [`write()`] with one more column, `name`: the first 16 digits of each row's hash. The hash is
/// SHA-256 of the row's machine texts but those of the columns `outside`, each followed by a line
/// feed. Every text is made once, for both. Gives the hashes.
///
/// # Errors
/// When `to` cannot be written.
pub(super) fn write_hashed(
    sheet: &Sheet,
    outside: &[&str],
    name: &str,
    mut to: impl Write,
) -> io::Result<Vec<[u8; 32]>> {
    let mut head = String::new();
    header(sheet, &mut head);
    writeln!(to, "{head},{name}")?;
    let inside: Vec<bool> =
        sheet.columns.iter().map(|column| !outside.contains(&&*column.name)).collect();
    let quotes = may_need_quotes(sheet);
    let piece = |first: usize| {
        let mut out = String::with_capacity(HASHED_BYTES);
        let (mut text, mut hashes) = (String::new(), Vec::with_capacity(HASHED_ROWS));
        for row in first..sheet.rows.min(first + HASHED_ROWS) {
            text.clear();
            for ((column, inside), quotes) in sheet.columns.iter().zip(&inside).zip(&quotes) {
                let start = out.len();
                column.values.text(row, &mut out);
                if *inside {
                    text.push_str(&out[start..]);
                    text.push('\n');
                }
                if *quotes {
                    quote(&mut out, start);
                }
                out.push(',');
            }
            let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
            out.push_str(&hex(&hash[..8]));
            out.push('\n');
            hashes.push(hash);
        }
        (out, hashes)
    };
    let mut hashes = Vec::with_capacity(sheet.rows);
    for wave in (0..sheet.rows).step_by(HASHED_ROWS * PIECES) {
        let end = sheet.rows.min(wave + HASHED_ROWS * PIECES);
        let firsts: Vec<usize> = (wave..end).step_by(HASHED_ROWS).collect();
        let made: Vec<_> = firsts.into_par_iter().map(piece).collect();
        for (out, of_piece) in made {
            to.write_all(out.as_bytes())?;
            hashes.extend(of_piece);
        }
    }
    to.flush()?;
    Ok(hashes)
}

fn header(sheet: &Sheet, out: &mut String) {
    for (at, column) in sheet.columns.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        let start = out.len();
        out.push_str(&column.name);
        quote(out, start);
    }
}

/// The rows alone as bytes, for files written in pieces.
///
/// # Errors
/// None for memory; the signature is the writer's.
pub(super) fn body(sheet: &Sheet) -> io::Result<Vec<u8>> {
    let (mut out, mut bytes) = (String::with_capacity(BUFFER + 4096), Vec::new());
    rows(sheet, &mut out, &mut bytes)?;
    bytes.extend_from_slice(out.as_bytes());
    Ok(bytes)
}

/// Appends the rows to `out`, handing full buffers to `to`.
fn rows(sheet: &Sheet, out: &mut String, to: &mut impl Write) -> io::Result<()> {
    let quotes = may_need_quotes(sheet);
    for row in 0..sheet.rows {
        let record = out.len();
        for (at, (column, quotes)) in sheet.columns.iter().zip(&quotes).enumerate() {
            if at > 0 {
                out.push(',');
            }
            let start = out.len();
            column.values.text(row, out);
            if *quotes {
                quote(out, start);
            }
        }
        if out.len() == record {
            // A record of one empty field would read as no record at all.
            out.push_str("\"\"");
        }
        out.push('\n');
        if out.len() >= BUFFER {
            to.write_all(out.as_bytes())?;
            out.clear();
        }
    }
    Ok(())
}

/// The columns of which a field may need quotes; few texts of many rows are looked at once.
fn may_need_quotes(sheet: &Sheet) -> Vec<bool> {
    let any = |texts: &[Arc<str>]| texts.iter().any(|text| needs_quotes(text.as_bytes()));
    let of = |values: &Values| match values {
        Values::Text(_) | Values::Shared(_) => true,
        Values::Numbered(_, texts) => any(texts),
        Values::Listed(_, list) | Values::Coded(_, list) => any(list.texts()),
        _ => false,
    };
    sheet.columns.iter().map(|column| of(&column.values)).collect()
}

/// Whether a field holds a comma, a quote or a line end.
fn needs_quotes(field: &[u8]) -> bool {
    let needs = |byte: &u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    // Nearly no field needs any: looking at every byte is quicker than a way out at each.
    field.iter().fold(false, |found, byte| found | needs(byte))
}

/// Quotes the field that starts at `start`, if it holds a comma, a quote or a line end.
fn quote(out: &mut String, start: usize) {
    if needs_quotes(&out.as_bytes()[start..]) {
        let quoted = format!("\"{}\"", out[start..].replace('"', "\"\""));
        out.truncate(start);
        out.push_str(&quoted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_stand_only_where_needed() {
        let mut sheet = Sheet::new("t", 3);
        let texts = ["a,b", "say \"hi\"", "two\nlines"].map(str::to_owned).to_vec();
        sheet.put("text", "", Values::Text(texts));
        sheet.put("name", "", Values::Text(["东湖托育", "", " x"].map(str::to_owned).to_vec()));
        sheet.put("fen", "", Values::MaybeFen(vec![Some(-5), None, Some(0)]));
        let mut bytes = Vec::new();
        write(&sheet, &mut bytes).unwrap();
        let want =
            "text,name,fen\n\"a,b\",东湖托育,-5\n\"say \"\"hi\"\"\",,\n\"two\nlines\", x,0\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), want);
    }

    #[test]
    fn a_single_column_keeps_its_empty_cells() {
        let mut sheet = Sheet::new("t", 3);
        sheet.put("a", "", Values::MaybeInt(vec![None, Some(1), None]));
        let mut bytes = Vec::new();
        write(&sheet, &mut bytes).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), "a\n\"\"\n1\n\"\"\n");
    }

    /// An empty cell behind a full buffer, and the first of a file written in pieces.
    #[test]
    fn an_empty_record_is_quoted_wherever_it_stands() {
        let mut texts = vec!["x".repeat(BUFFER + 1); 1];
        texts.push(String::new());
        let mut sheet = Sheet::new("t", 2);
        sheet.put("a", "", Values::Text(texts.clone()));
        let mut bytes = Vec::new();
        write(&sheet, &mut bytes).unwrap();
        assert!(bytes.ends_with(b"x\n\"\"\n"));
        let mut empty = Sheet::new("t", 1);
        empty.put("a", "", Values::Text(vec![String::new()]));
        assert_eq!(body(&empty).unwrap(), b"\"\"\n");
    }

    #[test]
    fn more_than_a_buffer_reads_back() {
        let texts: Vec<String> = (0..20_000).map(|n| format!("{n},\"{n}\"\r\n")).collect();
        let mut sheet = Sheet::new("t", texts.len());
        sheet.put("text", "", Values::Text(texts.clone()));
        sheet.put("n", "", Values::Int((0..20_000).collect()));
        let mut bytes = Vec::new();
        write(&sheet, &mut bytes).unwrap();
        let mut reader = csv::Reader::from_reader(&bytes[..]);
        let read = reader.records().map(|record| record.unwrap()[0].to_owned());
        assert!(read.eq(texts));
    }
}
