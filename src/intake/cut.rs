//! Where a delimited file may be cut so that every piece holds whole records.

use memchr::{memchr, memchr_iter, memchr2};
use std::ops::Range;

/// Whether newline and separator can be taken at their word: no quote in the file, and every
/// carriage return before a newline.
pub(super) fn is_simple(body: &[u8]) -> bool {
    let Some(first) = memchr2(b'"', b'\r', body) else { return true };
    let rest = body.get(first..).unwrap_or_default();
    memchr(b'"', rest).is_none()
        && memchr_iter(b'\r', rest).all(|at| rest.get(at + 1).is_none_or(|next| *next == b'\n'))
}

/// About how many records `bytes` bytes hold, by the first lines of `text`; a little more rather than
/// less.
pub(super) fn expected_records(text: &[u8], bytes: usize) -> usize {
    let sample = text.get(..1 << 14).unwrap_or(text);
    let lines = memchr_iter(b'\n', sample).count() + 1;
    let whole = lines.saturating_mul(bytes) / sample.len().max(1);
    whole + whole / 50 + 1
}

/// Pieces of about `target` bytes, each ending behind the newline of a record or at the end.
///
/// A quote opens a field only at the field's start; everything up to its closing quote, line
/// breaks included, is one record. Anywhere else a quote is a character like any other.
pub(super) fn pieces(body: &[u8], separator: u8, target: usize) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    // Everything before `clear` has been looked at, and `clear` lies outside quotes.
    let mut clear = 0;
    let mut quote = next_quote(body, separator, 0);
    while start < body.len() {
        let wanted = start.saturating_add(target.max(1)).min(body.len());
        let cut = loop {
            let from = wanted.saturating_sub(1).max(clear);
            let open = quote.unwrap_or(body.len());
            let plain = body.get(from..open).unwrap_or_default();
            if let Some(at) = memchr(b'\n', plain) {
                break from + at + 1;
            }
            let Some(opened) = quote else { break body.len() };
            let Some(closed) = closing_quote(body, opened + 1) else { break body.len() };
            clear = closed + 1;
            quote = next_quote(body, separator, clear);
        };
        pieces.push(start..cut);
        start = cut;
        clear = clear.max(cut);
    }
    pieces
}

/// The next quote at or behind `from` that opens a field.
fn next_quote(body: &[u8], separator: u8, from: usize) -> Option<usize> {
    memchr_iter(b'"', body.get(from..)?).map(|at| from + at).find(|at| {
        let before = at.checked_sub(1).and_then(|before| body.get(before));
        before.is_none_or(|byte| *byte == separator || matches!(byte, b'\n' | b'\r'))
    })
}

/// The quote that closes a field whose text starts at `from`; doubled quotes are text.
fn closing_quote(body: &[u8], from: usize) -> Option<usize> {
    let mut from = from;
    loop {
        let at = from + memchr(b'"', body.get(from..)?)?;
        if body.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        from = at + 2;
    }
}

/// Offsets of every separator and newline in `piece`, in order, 64 bytes at a step. A last record
/// without newline ends at the piece's end.
///
/// Fields are some ten bytes long: looking up each mark on its own costs more than this, and one
/// word at a time, of which some hold a mark and some do not, is hard to foresee.
pub(super) fn marks(piece: &[u8], separator: u8, mut each: impl FnMut(usize)) {
    let (groups, rest) = piece.as_chunks::<64>();
    let mut last = [0; 64];
    last[..rest.len()].copy_from_slice(rest);
    if piece.last().is_some_and(|byte| *byte != b'\n') {
        last[rest.len()] = b'\n';
    }
    let (separators, newlines) = (repeat(separator), repeat(b'\n'));
    for (at, group) in groups.iter().chain([&last]).enumerate() {
        let (words, _) = group.as_chunks::<8>();
        let mut hits = 0_u64;
        for (at, word) in words.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            let found = zeros(word ^ separators, word ^ newlines);
            hits |= gathered(found) << (8 * at);
        }
        while hits != 0 {
            each(at * 64 + hits.trailing_zeros() as usize);
            hits &= hits - 1;
        }
    }
}

/// The top bits of the eight bytes of `tops`, which has no other bit, side by side.
const fn gathered(tops: u64) -> u64 {
    (tops >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

const fn repeat(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The top bit of every byte that is zero in `one` or in `other`, and no other bit.
const fn zeros(one: u64, other: u64) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let (one, other) = (((one & LOW) + LOW) | one, ((other & LOW) + LOW) | other);
    !((one & other) | LOW)
}
