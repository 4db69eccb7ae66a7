//! Delimited text (CSV): cut into pieces of whole records, each typed on its own thread.

use super::found::Found;
use super::plan::{Binding, TablePlan, normal_header};
use super::rows::{Block, Part, Rows};
use super::{FileRead, IntakeError, cut, decode};
use crate::domain::FindingCode;
use csv::{ByteRecord, Reader, ReaderBuilder};
use rayon::prelude::*;

/// Reads one delimited file.
///
/// # Errors
/// When it has no header, or its headers do not fit the table.
pub(super) fn read(
    bytes: &[u8],
    plan: &TablePlan<'_>,
    file: &str,
    piece_bytes: usize,
) -> Result<FileRead, IntakeError> {
    let text = match decode::decode(bytes) {
        Ok(text) => text,
        Err(broken) => return Ok(unread(bytes, broken, plan, file)),
    };
    let separator = separator(&text, plan.spec.header_row);
    let (headers, start) = header(&text, separator, plan.spec.header_row)
        .ok_or_else(|| IntakeError::HeaderMissing { file: file.to_owned() })?;
    let binding = plan.bind(file, &headers)?;
    let body = text.get(start..).unwrap_or_default();
    let simple = cut::is_simple(body);
    let pieces = cut::pieces(body, separator, piece_bytes);
    let parts: Vec<Option<Part>> = pieces
        .into_par_iter()
        .map(|range| {
            let piece = body.get(range).unwrap_or_default();
            let rows = Rows::new(plan, &binding, cut::expected_records(piece, piece.len()));
            if simple {
                split(piece, separator, rows, plan)
            } else {
                parse(piece, separator, rows, plan)
            }
        })
        .collect();
    let parts: Option<Vec<Part>> = parts.into_iter().collect();
    let Some(parts) = parts else {
        return Err(IntakeError::TooLong { file: file.to_owned() });
    };
    let Binding { findings, .. } = binding;
    Ok(FileRead { parts, findings })
}

/// A file that is neither UTF-8 nor GB18030: every record is refused, in one finding.
fn unread(bytes: &[u8], broken: decode::Undecodable, plan: &TablePlan<'_>, file: &str) -> FileRead {
    let lines = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| line.iter().any(|byte| !byte.is_ascii_whitespace()))
        .count();
    let records = (lines as u64).saturating_sub(1);
    let mut finding = plan.file_finding(
        FindingCode::EncodingBroken,
        file,
        "",
        vec![("byte", broken.offset.to_string())],
    );
    finding.count = records;
    FileRead { parts: vec![Part::refused(plan, records)], findings: vec![finding] }
}

/// Comma, unless the header has none and a tab or semicolon instead.
pub(super) fn separator(text: &[u8], header_row: Option<u32>) -> u8 {
    let skipped = header_row.map_or(0, |row| row.saturating_sub(1) as usize);
    let line = text
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .filter(|line| !line.is_empty())
        .nth(skipped)
        .unwrap_or_default();
    [b',', b'\t', b';'].into_iter().find(|mark| line.contains(mark)).unwrap_or(b',')
}

/// A reader of records of any length, the first no header.
pub(super) fn reader(text: &[u8], separator: u8) -> Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .buffer_capacity(1 << 16)
        .from_reader(text)
}

/// The headers, and where the first record behind them starts.
pub(super) fn header(text: &[u8], separator: u8, row: Option<u32>) -> Option<(Vec<String>, usize)> {
    let mut reader = reader(text, separator);
    let mut record = ByteRecord::new();
    let mut number = 0_u32;
    while reader.read_byte_record(&mut record).ok()? {
        number += 1;
        let headers: Vec<String> =
            record.iter().map(|field| normal_header(&String::from_utf8_lossy(field))).collect();
        let blank = headers.iter().all(String::is_empty);
        if row.map_or(!blank, |row| row == number) {
            let start = usize::try_from(reader.position().byte()).ok()?;
            return (!blank).then_some((headers, start));
        }
    }
    None
}

/// Records cut before they are typed: few enough for the fastest cache to hold.
const BLOCK: usize = 128;

/// A piece without quotes: separators and newlines mean what they are.
pub(super) fn split<'p>(
    piece: &[u8],
    separator: u8,
    rows: Rows<'p>,
    plan: &'p TablePlan<'_>,
) -> Option<Part> {
    let mut cutter = Cutter { rows, block: Block::default(), whole: 0, record: 0 };
    let mut from = 0;
    cut::marks(piece, separator, |at| {
        let field = piece.get(from..at).unwrap_or_default();
        from = at + 1;
        if piece.get(at) == Some(&separator) {
            cutter.block.fields.push(field);
        } else {
            cutter.block.fields.push(field.strip_suffix(b"\r").unwrap_or(field));
            cutter.end_record();
        }
    });
    cutter.type_block();
    let Cutter { rows, record, .. } = cutter;
    (record < u32::MAX).then(|| rows.finish(plan, record))
}

/// Gathers the fields of some records and has them typed.
struct Cutter<'p, 't> {
    rows: Rows<'p>,
    block: Block<'t>,
    /// Fields of the block's whole records; those behind belong to the record at hand.
    whole: usize,
    /// Records so far.
    record: u32,
}

impl Cutter<'_, '_> {
    /// Keeps the record at hand for its block, or refuses it for its shape; a blank one keeps its
    /// number and is no row, and an empty line has none.
    #[inline]
    fn end_record(&mut self) {
        let fields = self.block.fields.get(self.whole..).unwrap_or_default();
        let first = fields.first().copied().unwrap_or_default();
        let count = fields.len();
        if count == 1 && first.is_empty() {
            self.block.fields.truncate(self.whole);
            return;
        }
        self.record = self.record.saturating_add(1);
        let blank = |field: &&[u8]| field.iter().all(u8::is_ascii_whitespace);
        if blank(&first) && fields.iter().all(blank) {
            self.block.fields.truncate(self.whole);
        } else if count == self.rows.width() {
            self.block.records.push(self.record);
            self.whole += count;
            if self.block.records.len() == BLOCK {
                self.type_block();
            }
        } else {
            self.rows.refuse_shape(self.record, count);
            self.block.fields.truncate(self.whole);
        }
    }

    fn type_block(&mut self) {
        self.rows.take_block(&self.block);
        self.block.records.clear();
        self.block.fields.clear();
        self.whole = 0;
    }
}

/// A piece with quotes, by the csv crate.
fn parse(piece: &[u8], separator: u8, mut rows: Rows<'_>, plan: &TablePlan<'_>) -> Option<Part> {
    let mut reader = reader(piece, separator);
    let mut fields = ByteRecord::new();
    let mut record = 0_u32;
    // Reading from memory with flexible lengths cannot fail.
    while reader.read_byte_record(&mut fields).unwrap_or(false) {
        record = record.checked_add(1)?;
        take(&mut rows, record, fields.len(), |field| fields.get(field));
    }
    Some(rows.finish(plan, record))
}

/// Types one record; a blank one keeps its number and is no row.
#[inline]
fn take<'a>(
    rows: &mut Rows<'_>,
    record: u32,
    count: usize,
    field: impl Fn(usize) -> Option<&'a [u8]>,
) {
    let blank = |at: usize| field(at).unwrap_or_default().trim_ascii().is_empty();
    if blank(0) && (1..count).all(blank) {
        return;
    }
    if count == rows.width() {
        rows.take(record, |at| Found::Text(field(at).unwrap_or_default()));
    } else {
        rows.refuse_shape(record, count);
    }
}
