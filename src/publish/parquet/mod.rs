//! Sheets as Parquet, row group by row group.
//!
//! In: sheets with the same columns. Out: one file, zstd, dictionary pages for texts and for whole
//! numbers that repeat, delta pages for the rest. Order: groups are encoded and compressed on all
//! threads and written in order. Never: lets threads, hashes or a library's version reach a byte.
//!
//! Why not the writer of the data frame library: it compresses pages on the one thread that writes,
//! needs a second copy of every column, and a category list in the file's schema. Reading stays its
//! work, and a test reads back every kind of column with it.

mod encoding;
mod levels;
mod thrift;

use std::io::{self, Write};
use std::sync::Arc;

use super::sheet::{NO_CODE, Sheet, SheetColumn, Values};
use encoding::{Dictionary, all_same, delta, hybrid, width_of};
use levels::{Levels, split};
use thrift::{Kind, Struct};

/// Fast, and within a tenth of the size of level 3 on these columns.
const ZSTD_LEVEL: i32 = 1;

/// Physical types, by their number in the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Physical {
    Boolean = 0,
    Int32 = 1,
    Int64 = 2,
    ByteArray = 6,
}

const PLAIN: i64 = 0;
const RLE: i64 = 3;
const DELTA_BINARY_PACKED: i64 = 5;
const DELTA_LENGTH_BYTE_ARRAY: i64 = 6;
const RLE_DICTIONARY: i64 = 8;
const ZSTD: i64 = 6;

/// One column of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    name: Arc<str>,
    physical: Physical,
    /// Whether cells may be null.
    optional: bool,
}

/// One column chunk, encoded and compressed; offsets count from its first byte.
#[derive(Debug)]
struct Chunk {
    bytes: Vec<u8>,
    dictionary: bool,
    data_offset: u64,
    encodings: Vec<i64>,
    uncompressed: u64,
    nulls: u64,
    /// Smallest and largest whole number, as stored.
    range: Option<(Vec<u8>, Vec<u8>)>,
}

/// A row group ready to be written.
#[derive(Debug)]
pub struct RowGroup {
    fields: Vec<Field>,
    chunks: Vec<Chunk>,
    rows: u64,
}

/// Encodes and compresses one sheet as a row group.
///
/// # Errors
/// When compression fails or a sheet is beyond 2^31 bytes or rows.
pub fn encode(sheet: &Sheet) -> io::Result<RowGroup> {
    let mut zstd = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
    let mut chunks = Vec::with_capacity(sheet.columns.len());
    for column in &sheet.columns {
        chunks.push(encode_column(&column.values, &mut zstd)?);
    }
    let rows = u64::try_from(sheet.rows).map_err(io::Error::other)?;
    Ok(RowGroup { fields: sheet.columns.iter().map(field).collect(), chunks, rows })
}

fn field(column: &SheetColumn) -> Field {
    let (physical, optional) = match column.values {
        Values::Fen(_) | Values::Int(_) => (Physical::Int64, false),
        Values::MaybeFen(_) | Values::MaybeInt(_) => (Physical::Int64, true),
        Values::Date(_) => (Physical::Int32, true),
        Values::Bool(_) => (Physical::Boolean, true),
        _ => (Physical::ByteArray, true),
    };
    Field { name: Arc::clone(&column.name), physical, optional }
}

type Zstd<'a> = zstd::bulk::Compressor<'a>;

fn encode_column(values: &Values, zstd: &mut Zstd<'_>) -> io::Result<Chunk> {
    match values {
        Values::Fen(v) | Values::Int(v) => {
            whole(v, &Levels::Required(v.len()), Physical::Int64, zstd)
        }
        Values::MaybeFen(v) | Values::MaybeInt(v) => {
            let (present, levels) = split(v, |value| value);
            whole(&present, &levels, Physical::Int64, zstd)
        }
        Values::Date(v) => {
            let (present, levels) = split(v, |date| i64::from(date.days()));
            whole(&present, &levels, Physical::Int32, zstd)
        }
        Values::Bool(v) => {
            let (present, levels) = split(v, |value| value);
            let mut packed = vec![0_u8; present.len().div_ceil(8)];
            for (at, value) in present.iter().enumerate() {
                packed[at / 8] |= u8::from(*value) << (at % 8);
            }
            plain_chunk(&packed, PLAIN, &levels, None, zstd)
        }
        Values::Listed(codes, list) | Values::Coded(codes, list) => {
            coded(codes, |code| list.text(code), list.texts().len(), zstd)
        }
        Values::Rounded(v) => {
            let shown: Vec<String> = v.cells.iter().map(|cell| v.text(*cell)).collect();
            texts(&shown.iter().map(String::as_bytes), zstd)
        }
        Values::Pseudonym(v) => {
            texts(&v.iter().map(|p| if p[0] == 0 { &[][..] } else { &p[..] }), zstd)
        }
        Values::Text(v) => texts(&v.iter().map(String::as_bytes), zstd),
        Values::Shared(v) => texts(&v.iter().map(|t| t.as_bytes()), zstd),
        Values::Numbered(v, list) => {
            let text = |code: &u32| list.get(*code as usize).map_or(&[][..], |t| t.as_bytes());
            texts(&v.iter().map(text), zstd)
        }
    }
}

/// Whole numbers: a dictionary when they repeat, else deltas.
fn whole(
    present: &[i64],
    levels: &Levels,
    physical: Physical,
    zstd: &mut Zstd<'_>,
) -> io::Result<Chunk> {
    let store = |value: i64, out: &mut Vec<u8>| match physical {
        Physical::Int32 => out.extend_from_slice(&value.to_le_bytes()[..4]),
        _ => out.extend_from_slice(&value.to_le_bytes()),
    };
    let bytes = |value: i64| {
        let mut out = Vec::new();
        store(value, &mut out);
        out
    };
    let ends = present.iter().copied().min().zip(present.iter().copied().max());
    let range = ends.map(|(low, high)| (bytes(low), bytes(high)));
    if let Some(Dictionary { values, codes }) = Dictionary::of(present, ends) {
        let mut page = Vec::with_capacity(values.len() * 8);
        for value in &values {
            store(*value, &mut page);
        }
        return dictionary_chunk(&page, values.len(), &codes, levels, range, zstd);
    }
    let mut page = Vec::with_capacity(present.len() * 2);
    delta(present, &mut page);
    plain_chunk(&page, DELTA_BINARY_PACKED, levels, range, zstd)
}

/// Texts by code: only codes that occur enter the dictionary page, in the order of first use.
fn coded<'a>(
    codes: &[u32],
    text: impl Fn(u32) -> &'a str,
    listed: usize,
    zstd: &mut Zstd<'_>,
) -> io::Result<Chunk> {
    let null = |code: &u32| *code as usize >= listed;
    let (mut page, mut used) = (Vec::new(), 0_u32);
    if all_same(codes) && !null(&codes[0]) {
        put_text(text(codes[0]).as_bytes(), &mut page)?;
        let levels = Levels::Same(true, codes.len());
        return dictionary_chunk(&page, 1, &vec![0; codes.len()], &levels, None, zstd);
    }
    let mut place = vec![NO_CODE; listed];
    let mut kept = Vec::with_capacity(codes.len());
    for code in codes {
        let Some(slot) = place.get_mut(*code as usize) else { continue };
        if *slot == NO_CODE {
            *slot = used;
            used += 1;
            put_text(text(*code).as_bytes(), &mut page)?;
        }
        kept.push(*slot);
    }
    let each = || codes.iter().map(|code| u32::from(!null(code))).collect();
    let levels = Levels::of(codes.len(), codes.len() - kept.len(), each);
    dictionary_chunk(&page, used as usize, &kept, &levels, None, zstd)
}

/// Texts without a list: lengths as deltas, then all bytes. The empty text is null.
fn texts<'a>(
    values: &(impl Iterator<Item = &'a [u8]> + Clone),
    zstd: &mut Zstd<'_>,
) -> io::Result<Chunk> {
    let there = || values.clone().filter(|value| !value.is_empty());
    let lengths = there().map(|value| i64::try_from(value.len()).map_err(io::Error::other));
    let lengths: Vec<i64> = lengths.collect::<io::Result<_>>()?;
    let mut page = Vec::with_capacity(there().map(<[u8]>::len).sum::<usize>() + lengths.len());
    delta(&lengths, &mut page);
    there().for_each(|value| page.extend_from_slice(value));
    let rows = values.clone().count();
    let each = || values.clone().map(|value| u32::from(!value.is_empty())).collect();
    let levels = Levels::of(rows, rows - lengths.len(), each);
    plain_chunk(&page, DELTA_LENGTH_BYTE_ARRAY, &levels, None, zstd)
}

fn put_text(text: &[u8], page: &mut Vec<u8>) -> io::Result<()> {
    page.extend_from_slice(&u32::try_from(text.len()).map_err(io::Error::other)?.to_le_bytes());
    page.extend_from_slice(text);
    Ok(())
}

fn dictionary_chunk(
    page: &[u8],
    entries: usize,
    codes: &[u32],
    levels: &Levels,
    range: Option<(Vec<u8>, Vec<u8>)>,
    zstd: &mut Zstd<'_>,
) -> io::Result<Chunk> {
    let mut chunk = Chunk {
        bytes: Vec::new(),
        dictionary: true,
        data_offset: 0,
        encodings: vec![PLAIN, RLE, RLE_DICTIONARY],
        uncompressed: 0,
        nulls: u64::try_from(levels.nulls()).map_err(io::Error::other)?,
        range,
    };
    let entries = count(entries)?;
    put_page(&mut chunk, page, 2, zstd, |header| {
        header.structure(7, |page| {
            page.int(1, Kind::I32, entries);
            page.int(2, Kind::I32, PLAIN);
        });
    })?;
    chunk.data_offset = u64::try_from(chunk.bytes.len()).map_err(io::Error::other)?;
    let width = width_of(u32::try_from(entries).unwrap_or(u32::MAX).saturating_sub(1));
    let mut body = levels.body()?;
    body.push(u8::try_from(width).unwrap_or(32));
    hybrid(codes, width, &mut body);
    data_page(&mut chunk, &body, count(levels.rows())?, RLE_DICTIONARY, zstd)?;
    Ok(chunk)
}

/// A chunk of one data page.
fn plain_chunk(
    values: &[u8],
    encoding: i64,
    levels: &Levels,
    range: Option<(Vec<u8>, Vec<u8>)>,
    zstd: &mut Zstd<'_>,
) -> io::Result<Chunk> {
    let mut chunk = Chunk {
        bytes: Vec::new(),
        dictionary: false,
        data_offset: 0,
        encodings: vec![RLE, encoding],
        uncompressed: 0,
        nulls: u64::try_from(levels.nulls()).map_err(io::Error::other)?,
        range,
    };
    let mut body = levels.body()?;
    body.extend_from_slice(values);
    data_page(&mut chunk, &body, count(levels.rows())?, encoding, zstd)?;
    Ok(chunk)
}

fn count(n: usize) -> io::Result<i64> {
    i32::try_from(n).map(i64::from).map_err(io::Error::other)
}

fn data_page(
    chunk: &mut Chunk,
    body: &[u8],
    rows: i64,
    encoding: i64,
    zstd: &mut Zstd<'_>,
) -> io::Result<()> {
    put_page(chunk, body, 0, zstd, |header| {
        header.structure(5, |page| {
            page.int(1, Kind::I32, rows);
            page.int(2, Kind::I32, encoding);
            page.int(3, Kind::I32, RLE);
            page.int(4, Kind::I32, RLE);
        });
    })
}

fn put_page(
    chunk: &mut Chunk,
    body: &[u8],
    page_type: i64,
    zstd: &mut Zstd<'_>,
    rest: impl FnOnce(&mut Struct<'_>),
) -> io::Result<()> {
    let packed = zstd.compress(body)?;
    let mut header = Vec::with_capacity(32);
    let mut page = Struct::new(&mut header);
    page.int(1, Kind::I32, page_type);
    page.int(2, Kind::I32, count(body.len())?);
    page.int(3, Kind::I32, count(packed.len())?);
    rest(&mut page);
    page.end();
    chunk.uncompressed += u64::try_from(header.len() + body.len()).map_err(io::Error::other)?;
    chunk.bytes.extend_from_slice(&header);
    chunk.bytes.extend_from_slice(&packed);
    Ok(())
}

/// Writes row groups in order, then the footer.
#[derive(Debug)]
pub struct Writer<W> {
    to: W,
    offset: u64,
    fields: Vec<Field>,
    groups: Vec<Vec<u8>>,
    rows: u64,
}

impl<W: Write> Writer<W> {
    /// Starts a file with the columns of `like`, whose rows do not matter.
    ///
    /// # Errors
    /// When `to` cannot be written.
    pub fn new(mut to: W, like: &Sheet) -> io::Result<Self> {
        to.write_all(b"PAR1")?;
        let fields = like.columns.iter().map(field).collect();
        Ok(Self { to, offset: 4, fields, groups: Vec::new(), rows: 0 })
    }

    /// Appends a row group; one without rows is left out.
    ///
    /// # Errors
    /// When the group's columns are not the file's, or `to` cannot be written.
    pub fn append(&mut self, group: &RowGroup) -> io::Result<()> {
        if group.fields != self.fields {
            return Err(io::Error::other("a row group's columns are not the file's"));
        }
        if group.rows == 0 {
            return Ok(());
        }
        let (mut metas, mut bytes, mut packed) = (Vec::new(), 0, 0);
        for (field, chunk) in group.fields.iter().zip(&group.chunks) {
            let mut meta = Vec::new();
            column_chunk(field, chunk, group.rows, self.offset, &mut meta);
            metas.push(meta);
            bytes += chunk.uncompressed;
            let length = u64::try_from(chunk.bytes.len()).map_err(io::Error::other)?;
            packed += length;
            self.to.write_all(&chunk.bytes)?;
            self.offset += length;
        }
        let mut meta = Vec::new();
        let mut entry = Struct::new(&mut meta);
        entry.list(1, Kind::Struct, &metas);
        entry.long(2, bytes);
        entry.long(3, group.rows);
        entry.long(6, packed);
        entry.end();
        self.groups.push(meta);
        self.rows += group.rows;
        Ok(())
    }

    /// Writes the footer and hands the sink back.
    ///
    /// # Errors
    /// When the sink cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        let mut footer = Vec::new();
        let mut file = Struct::new(&mut footer);
        file.int(1, Kind::I32, 2);
        let mut schema = vec![schema_root(self.fields.len())];
        schema.extend(self.fields.iter().map(schema_leaf));
        file.list(2, Kind::Struct, &schema);
        file.long(3, self.rows);
        file.list(4, Kind::Struct, &self.groups);
        file.text(6, "tuoyu");
        // Every column is ordered by its type: without this, readers ignore smallest and largest.
        file.list(7, Kind::Struct, &vec![type_defined_order(); self.fields.len()]);
        file.end();
        let length = u32::try_from(footer.len()).map_err(io::Error::other)?;
        self.to.write_all(&footer)?;
        self.to.write_all(&length.to_le_bytes())?;
        self.to.write_all(b"PAR1")?;
        Ok(self.to)
    }
}

fn column_chunk(field: &Field, chunk: &Chunk, rows: u64, offset: u64, out: &mut Vec<u8>) {
    let mut entry = Struct::new(out);
    entry.long(2, offset);
    entry.structure(3, |meta| {
        meta.int(1, Kind::I32, field.physical as i64);
        meta.ints(2, &chunk.encodings);
        meta.texts(3, &[&field.name]);
        meta.int(4, Kind::I32, ZSTD);
        meta.long(5, rows);
        meta.long(6, chunk.uncompressed);
        meta.long(7, chunk.bytes.len() as u64);
        meta.long(9, offset + chunk.data_offset);
        if chunk.dictionary {
            meta.long(11, offset);
        }
        meta.structure(12, |stats| {
            stats.long(3, chunk.nulls);
            if let Some((low, high)) = &chunk.range {
                stats.bytes(5, high);
                stats.bytes(6, low);
            }
        });
    });
    entry.end();
}

fn schema_root(columns: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut root = Struct::new(&mut out);
    root.text(4, "schema");
    root.int(5, Kind::I32, i64::try_from(columns).unwrap_or(0));
    root.end();
    out
}

fn schema_leaf(field: &Field) -> Vec<u8> {
    let mut out = Vec::new();
    let mut leaf = Struct::new(&mut out);
    leaf.int(1, Kind::I32, field.physical as i64);
    leaf.int(3, Kind::I32, i64::from(field.optional));
    leaf.text(4, &field.name);
    // (converted type, logical type): UTF8 and STRING, DATE and DATE.
    let logical = match field.physical {
        Physical::ByteArray => Some((0, 1)),
        Physical::Int32 => Some((6, 6)),
        Physical::Boolean | Physical::Int64 => None,
    };
    if let Some((converted, logical)) = logical {
        leaf.int(6, Kind::I32, converted);
        leaf.structure(10, |union| union.structure(logical, |_| ()));
    }
    leaf.end();
    out
}

fn type_defined_order() -> Vec<u8> {
    let mut out = Vec::new();
    let mut order = Struct::new(&mut out);
    order.structure(1, |_| ());
    order.end();
    out
}

/// Writes one sheet as a whole file.
///
/// # Errors
/// When `to` cannot be written.
pub fn write<W: Write>(sheet: &Sheet, to: W) -> io::Result<W> {
    let mut writer = Writer::new(to, sheet)?;
    writer.append(&encode(sheet)?)?;
    writer.finish()
}
