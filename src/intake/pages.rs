//! Whether the pages of a Parquet file hold what they claim, before a reader believes them.
//!
//! The Parquet reader makes room for as many values as a page header states; one flipped bit there
//! asks for more memory than any machine has. So the headers (Thrift, compact protocol) are walked
//! first: sizes and counts must fit the chunk, the row group and the file.

use polars::io::parquet::metadata::FileMetadataRef;

/// Most bytes a page may unpack to.
const PAGE_BYTES: i64 = 1 << 28;
/// Deepest nesting of a page header.
const DEPTH: u32 = 8;

/// Whether the columns under the given names claim no more than they can hold.
pub(super) fn hold_what_they_claim(
    bytes: &[u8],
    metadata: &FileMetadataRef,
    columns: &[String],
) -> bool {
    // An identifier of a row takes a bit at the very least.
    let most_rows = bytes.len().saturating_mul(64).saturating_add(1024);
    let rows = metadata.row_groups.iter().try_fold(0_usize, |sum, group| {
        sum.checked_add(group.num_rows()).filter(|sum| *sum <= most_rows)
    });
    if rows != Some(metadata.num_rows) {
        return false;
    }
    metadata.row_groups.iter().all(|group| {
        let read = group.parquet_columns().iter().filter(|column| {
            let root = column.descriptor().path_in_schema.first();
            root.is_some_and(|root| columns.iter().any(|name| name.as_str() == root.as_str()))
        });
        read.into_iter().all(|column| {
            let range = column.byte_range();
            let start = usize::try_from(range.start).unwrap_or(usize::MAX);
            let end = usize::try_from(range.end).unwrap_or(usize::MAX);
            let chunk = bytes.get(start..end);
            let rows = i64::try_from(group.num_rows()).unwrap_or(i64::MAX);
            let values = column.num_values();
            (0..=rows).contains(&values) && chunk.is_some_and(|chunk| chunk_holds(chunk, values))
        })
    })
}

/// Walks the pages of a column chunk that must hold `values` values.
fn chunk_holds(chunk: &[u8], values: i64) -> bool {
    let mut rest = chunk;
    let mut seen = 0;
    while seen < values {
        let mut thrift = Thrift { rest };
        let Some(page) = thrift.page() else { return false };
        rest = thrift.rest;
        let sizes = [page.packed, page.unpacked];
        if !sizes.iter().all(|size| (0..=PAGE_BYTES).contains(size)) || page.values < 0 {
            return false;
        }
        let packed = usize::try_from(page.packed).unwrap_or(usize::MAX);
        let Some(behind) = rest.get(packed..) else { return false };
        rest = behind;
        if page.dictionary {
            if page.values > PAGE_BYTES {
                return false;
            }
        } else {
            seen += page.values;
            if seen > values || page.values == 0 && packed == 0 {
                return false;
            }
        }
    }
    true
}

/// What a page header claims.
#[derive(Debug, Default)]
struct Page {
    dictionary: bool,
    packed: i64,
    unpacked: i64,
    values: i64,
}

/// A reader of Thrift's compact protocol.
struct Thrift<'b> {
    rest: &'b [u8],
}

impl Thrift<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn integer(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }

    fn pass(&mut self, bytes: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(bytes).ok()?..)?;
        Some(())
    }

    /// The next field of a struct: (id, type); type 0 ends the struct.
    fn field(&mut self, last: i64) -> Option<(i64, u8)> {
        let head = self.byte()?;
        let (step, kind) = (i64::from(head >> 4), head & 0x0f);
        if kind == 0 {
            return Some((last, 0));
        }
        let id = if step == 0 { self.integer()? } else { last.checked_add(step)? };
        Some((id, kind))
    }

    /// A page header.
    fn page(&mut self) -> Option<Page> {
        let mut page = Page::default();
        let mut id = 0;
        loop {
            let (next, kind) = self.field(id)?;
            id = next;
            match (id, kind) {
                (_, 0) => return Some(page),
                (2, 5) => page.unpacked = self.integer()?,
                (3, 5) => page.packed = self.integer()?,
                (5 | 7 | 8, 12) => {
                    page.dictionary = id == 7;
                    page.values = self.first_integer()?;
                }
                _ => self.skip(kind, DEPTH)?,
            }
        }
    }

    /// Field 1 of a struct, the rest of which is passed over.
    fn first_integer(&mut self) -> Option<i64> {
        let (mut id, mut found) = (0, None);
        loop {
            let (next, kind) = self.field(id)?;
            id = next;
            match (id, kind) {
                (_, 0) => return found,
                (1, 5) => found = Some(self.integer()?),
                _ => self.skip(kind, DEPTH)?,
            }
        }
    }

    fn skip(&mut self, kind: u8, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        match kind {
            1 | 2 => Some(()),
            3 => self.pass(1),
            4..=6 => self.varint().map(|_| ()),
            7 => self.pass(8),
            8 => {
                let length = self.varint()?;
                self.pass(length)
            }
            9 | 10 => {
                let head = self.byte()?;
                let short = u64::from(head >> 4);
                let length = if short == 15 { self.varint()? } else { short };
                // Every item takes a byte, so a false length runs out of bytes soon.
                (0..length).try_for_each(|_| match head & 0x0f {
                    1 | 2 => self.pass(1),
                    kind => self.skip(kind, depth),
                })
            }
            12 => {
                let mut id = 0;
                loop {
                    let (next, kind) = self.field(id)?;
                    id = next;
                    if kind == 0 {
                        return Some(());
                    }
                    self.skip(kind, depth)?;
                }
            }
            _ => None,
        }
    }
}
