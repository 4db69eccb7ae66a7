//! Where a delimited file may be cut so that every piece holds whole records.

use memchr::{memchr, memchr_iter};
use std::ops::Range;

/// Whether newline and separator can be taken at their word: no quote in the file, and every
/// carriage return before a newline.
pub(super) fn is_simple(body: &[u8]) -> bool {
    memchr(b'"', body).is_none()
        && memchr_iter(b'\r', body).all(|at| body.get(at + 1).is_none_or(|next| *next == b'\n'))
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
