//! Bytes of a delimited file -> UTF-8, or a refusal: never a guess that loses a character.

use encoding_rs::{Encoding, GB18030, UTF_16BE, UTF_16LE};
use std::borrow::Cow;

/// Bytes that are neither UTF-8 nor GB18030.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Undecodable {
    /// Offset of the first byte that is not UTF-8.
    pub(super) offset: usize,
}

/// A byte order mark decides; then strict UTF-8 of the whole; then strict GB18030 of the whole.
///
/// # Errors
/// When a mark is belied by the bytes, or no encoding takes them all. A UTF-8 text cut off inside
/// its last character is refused, though GB18030 might find some reading for it.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Undecodable> {
    if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        return match std::str::from_utf8(rest) {
            Ok(_) => Ok(Cow::Borrowed(rest)),
            Err(error) => Err(Undecodable { offset: error.valid_up_to() + 3 }),
        };
    }
    for (mark, encoding) in [(b"\xff\xfe", UTF_16LE), (b"\xfe\xff", UTF_16BE)] {
        if let Some(rest) = bytes.strip_prefix(mark) {
            return strictly(encoding, rest).ok_or(Undecodable { offset: 2 });
        }
    }
    let Err(error) = std::str::from_utf8(bytes) else { return Ok(Cow::Borrowed(bytes)) };
    let undecodable = Undecodable { offset: error.valid_up_to() };
    let read_so_far = bytes.get(..error.valid_up_to()).unwrap_or_default();
    if error.error_len().is_none() && !read_so_far.is_ascii() {
        return Err(undecodable);
    }
    strictly(GB18030, bytes).ok_or(undecodable)
}

fn strictly(encoding: &'static Encoding, bytes: &[u8]) -> Option<Cow<'static, [u8]>> {
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    Some(Cow::Owned(text.into_owned().into_bytes()))
}
