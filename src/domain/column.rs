//! Typed columns: what the hot path walks. They hold facts; nothing here knows law or polars.

use super::{Date, Fraction, RowError};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An identifier packed into 128 bits, order-preserving for short plain ids.
///
/// Ids of at most 21 characters from `-0-9A-Z_a-z` are packed losslessly, six bits a character,
/// left-aligned, so that comparing keys compares the texts bytewise. Any other id is the top bit
/// set and 127 bits of its SHA-256; its text is kept beside the column ([`KeyColumn::text`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Key(pub u128);

const HASHED: u128 = 1 << 127;
/// Longest id that packs losslessly.
const PACKED_MAX: usize = 21;

const fn six_bits(byte: u8) -> u8 {
    match byte {
        b'-' => 0,
        b'0'..=b'9' => byte - b'0' + 1,
        b'A'..=b'Z' => byte - b'A' + 11,
        b'_' => 37,
        b'a'..=b'z' => byte - b'a' + 38,
        _ => 255,
    }
}

static SIX_BITS: [u8; 256] = {
    let mut table = [255_u8; 256];
    let mut byte = 0_usize;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "byte < 256")]
        {
            table[byte] = six_bits(byte as u8);
        }
        byte += 1;
    }
    table
};

const LETTERS: &[u8; 64] = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

impl Key {
    /// Packs an id; the second value is true when the key is a hash and the text must be kept.
    #[must_use]
    pub fn pack(text: &[u8]) -> (Self, bool) {
        // A trailing '-' packs to zero bits like padding, so such ids take the hashed way.
        if text.len() <= PACKED_MAX && text.last() != Some(&b'-') {
            if let Some(packed) = pack_official(text) {
                return (Self(packed), false);
            }
            let packed = text.iter().try_fold(0_u128, |packed, byte| {
                let six = SIX_BITS[usize::from(*byte)];
                (six != 255).then_some((packed << 6) | u128::from(six))
            });
            if let Some(packed) = packed {
                let shift = 6 * (PACKED_MAX - text.len());
                return (Self((packed << shift) << 1), false);
            }
        }
        (Self(HASHED | (digest(text) >> 1)), true)
    }

    /// A well mixed hash for tables and filters; the same on every machine.
    #[must_use]
    pub const fn scatter(self) -> u64 {
        #[expect(clippy::cast_possible_truncation, reason = "the halves are meant")]
        let (high, low) = ((self.0 >> 64) as u64, self.0 as u64);
        (high ^ low.rotate_left(29)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    /// The text of a losslessly packed key, `None` for a hashed one. The empty id is the empty text.
    #[must_use]
    pub fn unpack(self) -> Option<String> {
        self.spell(&mut [0; Self::SPELT]).map(str::to_owned)
    }

    /// Bytes [`Key::spell`] needs at most.
    pub const SPELT: usize = PACKED_MAX;

    /// [`Key::unpack`] into a buffer of the caller's: identifiers are read by the million.
    #[must_use]
    pub fn spell(self, into: &mut [u8; Self::SPELT]) -> Option<&str> {
        let length = self.length()?;
        let mut rest = self.0 << 1;
        for letter in &mut into[..length] {
            *letter = LETTERS[(rest >> 122) as usize & 63];
            rest <<= 6;
        }
        std::str::from_utf8(&into[..length]).ok()
    }

    /// Characters of a losslessly packed id, `None` for a hashed one.
    #[must_use]
    pub const fn length(self) -> Option<usize> {
        match self.0 {
            0 => Some(0),
            packed if packed & HASHED != 0 => None,
            // The last character is never the one that packs to zero bits.
            packed => Some(PACKED_MAX - (packed.trailing_zeros() as usize - 1) / 6),
        }
    }
}

/// The key of 8 to 21 digits and capitals, packed eight at a step: official numbers are made of them.
#[inline]
fn pack_official(text: &[u8]) -> Option<u128> {
    let head = pack_eight(*text.first_chunk()?)?;
    let end = pack_eight(*text.last_chunk()?)?;
    // The end overlaps what stands before it; shifted left, only its new characters are left.
    let (middle, end) = match text.get(8..16) {
        Some(middle) => {
            let missing = PACKED_MAX.checked_sub(text.len())?;
            (pack_eight(*middle.first_chunk()?)?, (end << (6 * missing)) & 0x3fff_ffff)
        }
        None => ((end << (6 * (16 - text.len()))) & 0xffff_ffff_ffff, 0),
    };
    Some((u128::from(head) << 79) | (u128::from(middle) << 31) | u128::from(end << 1))
}

/// Six bits a character of eight digits and capitals; `None` when one is neither.
#[inline]
const fn pack_eight(text: [u8; 8]) -> Option<u64> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    /// The top bit of every byte that is at least `least`; bytes below 128 do not borrow.
    const fn from(least: u8, bytes: u64) -> u64 {
        ((bytes | TOPS) - ONES * least as u64) & TOPS
    }
    let bytes = u64::from_be_bytes(text);
    let capital = from(b'A', bytes);
    let plain = from(b'0', bytes) ^ from(b'9' + 1, bytes) ^ capital ^ from(b'Z' + 1, bytes);
    if bytes & TOPS != 0 || plain != TOPS {
        return None;
    }
    // '0' is one; 'A' is eleven, which is seven less than its distance from '0' makes it.
    let six = bytes - ONES * (b'0' as u64 - 1) - (capital >> 7) * 7;
    let two = (six & 0x00ff_00ff_00ff_00ff) | ((six >> 2) & 0x3fc0_3fc0_3fc0_3fc0);
    let four = (two & 0x0000_ffff_0000_ffff) | ((two >> 4) & 0x0fff_f000_0fff_f000);
    Some((four & 0xffff_ffff) | ((four >> 8) & 0xffff_ff00_0000))
}

fn digest(text: &[u8]) -> u128 {
    use sha2::Digest;
    let hash = sha2::Sha256::digest(text);
    hash.iter().take(16).fold(0, |sum, byte| (sum << 8) | u128::from(*byte))
}

/// A column of identifiers.
#[derive(Debug, Clone, Default)]
pub struct KeyColumn {
    /// One key a row.
    pub keys: Vec<Key>,
    /// Texts of the hashed keys.
    pub odd: BTreeMap<Key, String>,
}

impl KeyColumn {
    /// Appends an id.
    pub fn push(&mut self, text: &str) {
        let (key, odd) = Key::pack(text.as_bytes());
        if odd {
            self.odd.entry(key).or_insert_with(|| text.to_owned());
        }
        self.keys.push(key);
    }

    /// The text of one row.
    #[must_use]
    pub fn text(&self, row: usize) -> String {
        let key = self.keys[row];
        key.unpack().unwrap_or_else(|| self.odd.get(&key).cloned().unwrap_or_default())
    }
}

/// The distinct texts of a column or enum, in a fixed order; a code is an index into it.
#[derive(Debug, Clone, Default)]
pub struct CodeList {
    texts: Vec<Arc<str>>,
    index: FxHashMap<Arc<str>, u32>,
}

impl CodeList {
    /// A list with the given texts, in order; repeated texts keep their first code.
    #[must_use]
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut list = Self::default();
        for text in texts {
            list.intern(text);
        }
        list
    }

    /// The code of `text`, added when new.
    pub fn intern(&mut self, text: &str) -> u32 {
        if let Some(code) = self.index.get(text) {
            return *code;
        }
        let code = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        let shared: Arc<str> = Arc::from(text);
        self.texts.push(Arc::clone(&shared));
        self.index.insert(shared, code);
        code
    }

    /// The code of `text`, if listed.
    #[must_use]
    pub fn code(&self, text: &str) -> Option<u32> {
        self.index.get(text).copied()
    }

    /// The text of a code; empty for a code that is not listed.
    #[must_use]
    pub fn text(&self, code: u32) -> &str {
        self.texts.get(code as usize).map_or("", |text| text)
    }

    /// All texts, by code.
    #[must_use]
    pub fn texts(&self) -> &[Arc<str>] {
        &self.texts
    }
}

/// A column of texts as codes into a shared list (enums and low-cardinality texts).
#[derive(Debug, Clone)]
pub struct CodeColumn {
    /// One code a row.
    pub codes: Vec<u32>,
    /// The texts behind the codes.
    pub list: Arc<CodeList>,
}

/// A column of exact numbers with one denominator: `values[i] / den`. Money is in fen with `den = 1`.
#[derive(Debug, Clone)]
pub struct NumColumn {
    /// Numerators.
    pub values: Vec<i64>,
    /// Common denominator, above zero.
    pub den: i64,
}

/// Rows one thread takes from a column at a time.
const TAKEN_AT_ONCE: usize = 1 << 14;

/// Values one thread fills at a time.
const FILLED_AT_ONCE: usize = 1 << 16;

/// The values of one column.
#[derive(Debug, Clone)]
pub enum Column {
    /// Yes or no.
    Bool(Vec<bool>),
    /// Integers, money and exact numbers.
    Num(NumColumn),
    /// Numbers whose denominators differ by row, or that need 128 bits: (numerator, denominator).
    Ratio(Vec<(i128, i128)>),
    /// Dates.
    Date(Vec<Date>),
    /// Enums and texts.
    Code(CodeColumn),
    /// Identifiers.
    Key(KeyColumn),
}

impl Column {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bool(values) => values.len(),
            Self::Num(column) => column.values.len(),
            Self::Ratio(values) => values.len(),
            Self::Date(values) => values.len(),
            Self::Code(column) => column.codes.len(),
            Self::Key(column) => column.keys.len(),
        }
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows named, in that order; numbers beyond the end read the last row.
    fn take(&self, rows: &[u32]) -> Self {
        fn pick<T: Copy + Send + Sync>(values: &[T], rows: &[u32]) -> Vec<T> {
            let last = values.len() - 1;
            let rows = rows.par_iter().with_min_len(TAKEN_AT_ONCE);
            rows.map(|row| values[(*row as usize).min(last)]).collect()
        }
        match self {
            Self::Bool(values) => Self::Bool(pick(values, rows)),
            Self::Num(column) => {
                Self::Num(NumColumn { values: pick(&column.values, rows), den: column.den })
            }
            Self::Ratio(values) => Self::Ratio(pick(values, rows)),
            Self::Date(values) => Self::Date(pick(values, rows)),
            Self::Code(column) => Self::Code(CodeColumn {
                codes: pick(&column.codes, rows),
                list: Arc::clone(&column.list),
            }),
            Self::Key(column) => {
                Self::Key(KeyColumn { keys: pick(&column.keys, rows), odd: column.odd.clone() })
            }
        }
    }

    /// A column of the same kind holding arbitrary values.
    fn blank(&self, rows: usize) -> Self {
        match self {
            Self::Bool(_) => Self::Bool(filled(false, rows)),
            Self::Num(column) => Self::Num(NumColumn { values: filled(0, rows), den: column.den }),
            Self::Ratio(_) => Self::Ratio(filled((0, 1), rows)),
            Self::Date(_) => Self::Date(filled(Date::default(), rows)),
            Self::Code(column) => {
                Self::Code(CodeColumn { codes: vec![0; rows], list: Arc::clone(&column.list) })
            }
            Self::Key(_) => {
                Self::Key(KeyColumn { keys: vec![Key::default(); rows], odd: BTreeMap::new() })
            }
        }
    }

    /// Integers (or fen) with denominator one.
    #[must_use]
    pub fn whole(values: Vec<i64>) -> Self {
        Self::Num(NumColumn { values, den: 1 })
    }
}

/// Whether rows are `first` and those after it, one after the other.
#[must_use]
pub fn in_turn(rows: &[u32], first: u32) -> bool {
    let Some(length) = rows.len().checked_sub(1).and_then(|more| u32::try_from(more).ok()) else {
        return rows.is_empty();
    };
    // Most rows that are not in turn are told by their ends; all are counted, which needs no branch.
    let ends = rows[0] == first && rows.last().copied() == first.checked_add(length);
    let at_home = |(row, at): &(&u32, u32)| **row == *at;
    ends && rows.iter().zip(first..=first + length).filter(at_home).count() == rows.len()
}

/// So many times a value. Memory is first touched on all cores, which is what a large column costs.
#[must_use]
pub fn filled<T: Copy + Send + Sync>(value: T, rows: usize) -> Vec<T> {
    rayon::iter::repeat_n(value, rows).with_min_len(FILLED_AT_ONCE).collect()
}

/// Pieces made side by side, set end to end: each is copied on a thread of its own.
#[must_use]
pub fn concatenate<T: Copy + Default + Send + Sync>(pieces: &[&[T]]) -> Vec<T> {
    set_end_to_end(&pieces.iter().map(|piece| (piece.len(), Some(*piece))).collect::<Vec<_>>())
}

/// [`concatenate`] of pieces of so many rows, some of which are not there: their rows have the default.
#[must_use]
pub fn set_end_to_end<T: Copy + Default + Send + Sync>(pieces: &[(usize, Option<&[T]>)]) -> Vec<T> {
    let mut all = filled(T::default(), pieces.iter().map(|(rows, _)| *rows).sum());
    let mut rest = all.as_mut_slice();
    let mut places = Vec::with_capacity(pieces.len());
    for (rows, piece) in pieces {
        let (place, after) = rest.split_at_mut(*rows);
        places.extend(piece.map(|piece| (place, piece)));
        rest = after;
    }
    places.into_par_iter().for_each(|(place, piece)| place.copy_from_slice(piece));
    all
}

/// One value read from a column, for traces and outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Null (S6).
    Null,
    /// Yes or no.
    Bool(bool),
    /// Exact number `num / den`; money in fen.
    Num(i128, i128),
    /// A date.
    Date(Date),
    /// A text or identifier.
    Text(String),
}

/// A column as stored in a frame: values, which rows are null, which rows have no value and why.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The values; rows that are null or in error hold an arbitrary value.
    pub column: Column,
    /// True where null; absent when no row is.
    pub nulls: Option<Vec<bool>>,
    /// Why a computed column has no value; absent when every row has one.
    pub errors: Option<Vec<Option<RowError>>>,
}

impl Stored {
    /// A column without nulls or errors.
    #[must_use]
    pub const fn plain(column: Column) -> Self {
        Self { column, nulls: None, errors: None }
    }

    /// A nullable column; the mask is dropped when no row is null.
    #[must_use]
    pub fn nullable(column: Column, nulls: Vec<bool>) -> Self {
        let nulls = nulls.iter().any(|null| *null).then_some(nulls);
        Self { column, nulls, errors: None }
    }

    /// Whether the row is null.
    #[must_use]
    pub fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls[row])
    }

    /// Why the row has no value, if it has none.
    #[must_use]
    pub fn error(&self, row: usize) -> Option<RowError> {
        self.errors.as_ref().and_then(|errors| errors[row])
    }

    /// The rows named, in that order; a row number beyond the end is null.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        let len = self.column.len();
        let beyond = rows.iter().any(|row| *row as usize >= len);
        let pick = |row: &u32| (*row as usize).min(len.saturating_sub(1));
        let column = if len == 0 { self.column.blank(rows.len()) } else { self.column.take(rows) };
        let rows = rows.par_iter().with_min_len(TAKEN_AT_ONCE);
        let nulls = (self.nulls.is_some() || beyond).then(|| {
            rows.clone()
                .map(|row| {
                    *row as usize >= len
                        || self.nulls.as_ref().is_some_and(|nulls| nulls[pick(row)])
                })
                .collect()
        });
        let errors = self
            .errors
            .as_ref()
            .map(|errors| rows.map(|row| errors.get(*row as usize).copied().flatten()).collect());
        Self { column, nulls, errors }
    }

    /// A column of nulls of the same kind.
    #[must_use]
    pub fn all_null(&self, rows: usize) -> Self {
        Self { column: self.column.blank(rows), nulls: Some(filled(true, rows)), errors: None }
    }

    /// The whole part of a number, rounded down: fen, where it is money. `None` for null, for a row in
    /// error and for what is no number.
    #[must_use]
    pub fn whole(&self, row: usize) -> Option<i64> {
        if self.is_null(row) || self.error(row).is_some() {
            return None;
        }
        match &self.column {
            Column::Num(numbers) => Some(numbers.values[row].div_euclid(numbers.den.max(1))),
            Column::Ratio(values) => {
                let (num, den) = values[row];
                i64::try_from(num.div_euclid(den.max(1))).ok()
            }
            _ => None,
        }
    }

    /// The number of a row; `None` for null, for a row in error and for what is no number.
    #[must_use]
    pub fn number(&self, row: usize) -> Option<Fraction> {
        if self.is_null(row) || self.error(row).is_some() {
            return None;
        }
        match &self.column {
            Column::Num(column) => {
                Some(Fraction { num: i128::from(column.values[row]), den: i128::from(column.den) })
            }
            Column::Ratio(values) => Fraction::new(values[row].0, values[row].1),
            _ => None,
        }
    }

    /// One value.
    #[must_use]
    pub fn cell(&self, row: usize) -> Cell {
        if self.is_null(row) {
            return Cell::Null;
        }
        match &self.column {
            Column::Bool(values) => Cell::Bool(values[row]),
            Column::Num(column) => {
                Cell::Num(i128::from(column.values[row]), i128::from(column.den))
            }
            Column::Ratio(values) => Cell::Num(values[row].0, values[row].1),
            Column::Date(values) => Cell::Date(values[row]),
            Column::Code(column) => Cell::Text(column.list.text(column.codes[row]).to_owned()),
            Column::Key(column) => Cell::Text(column.text(row)),
        }
    }
}
