//! Large delimited files in UTF-8 without quotes, piece by piece: while one round of pieces is typed
//! on all threads, the next is read and hashed, so that no file is ever whole in memory.
//!
//! A file that turns out to be anything else (another format or encoding, a quote, a record longer
//! than a piece) is left to the reader of whole files, which starts again from its first byte.

use super::plan::{Binding, TablePlan};
use super::rows::{Part, Rows};
use super::{FileRead, IntakeError, SourceFile, cut, delimited};
use crate::domain::hex;
use memchr::memrchr;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// Smallest piece: a header must fit into the first one.
const PIECE_MIN: usize = 1 << 14;

/// Reads one large file; `None` when it is not for this reader.
///
/// # Errors
/// When the file cannot be read, or its headers do not fit the table.
pub(super) fn read(
    plan: &TablePlan<'_>,
    name: &str,
    path: &Path,
    piece_bytes: usize,
) -> Result<Option<(SourceFile, FileRead)>, IntakeError> {
    let world = |source| IntakeError::Unreadable { file: path.display().to_string(), source };
    let piece = piece_bytes.max(PIECE_MIN);
    let file = File::open(path).map_err(world)?;
    let length = file.metadata().map_err(world)?.len();
    if usize::try_from(length).is_ok_and(|length| length <= 2 * piece) {
        return Ok(None);
    }
    let mut source = Source { file, piece, hash: Sha256::new(), bytes: 0, carried: Vec::new() };
    let mut round = Vec::new();
    if !source.round(1, Vec::new(), &mut round).map_err(world)? {
        return Ok(None);
    }
    let Some(first) = round.first() else { return Ok(None) };
    let mark = if first.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let text = first.get(mark..).unwrap_or_default();
    if super::is_other_format(first) || !is_plain(text) {
        return Ok(None);
    }
    let separator = delimited::separator(text, plan.spec.header_row);
    let Some((headers, start)) = delimited::header(text, separator, plan.spec.header_row) else {
        return Ok(None);
    };
    let binding = plan.bind(name, &headers)?;
    let mut skip = mark + start;
    // Room for all rows at once: growing would copy them, and memory never written costs nothing.
    let expected = cut::expected_records(text, usize::try_from(length).unwrap_or(0));
    let mut all = Rows::new(plan, &binding, expected).finish(plan, 0);
    let mut spare = Vec::new();
    while !round.is_empty() {
        let typed = |(at, piece): (usize, &Vec<u8>)| {
            let body = piece.get(if at == 0 { skip } else { 0 }..).unwrap_or_default();
            type_piece(body, separator, plan, &binding)
        };
        // Several pieces a thread: nobody waits long for the last one.
        let pieces = 4 * rayon::current_num_threads();
        let mut next = Vec::new();
        let (typed, whole) = rayon::join(
            || round.par_iter().enumerate().map(typed).collect::<Option<Vec<Part>>>(),
            || source.round(pieces, std::mem::take(&mut spare), &mut next),
        );
        let (Some(typed), true) = (typed, whole.map_err(world)?) else { return Ok(None) };
        for part in typed {
            all.append(part);
        }
        skip = 0;
        spare = std::mem::replace(&mut round, next);
    }
    let Source { hash, bytes, .. } = source;
    let read = SourceFile {
        table: Arc::clone(&plan.name),
        name: Arc::from(name),
        path: Arc::from(path),
        sha256: hex(&hash.finalize()),
        bytes,
        records: 0,
    };
    let Binding { findings, .. } = binding;
    Ok(Some((read, FileRead { parts: vec![all], findings })))
}

/// Whether separators and newlines mean what they are, and the text is UTF-8.
fn is_plain(text: &[u8]) -> bool {
    cut::is_simple(text) && std::str::from_utf8(text).is_ok()
}

fn type_piece(body: &[u8], separator: u8, plan: &TablePlan<'_>, binding: &Binding) -> Option<Part> {
    if !is_plain(body) {
        return None;
    }
    let rows = Rows::new(plan, binding, cut::expected_records(body, body.len()));
    delimited::split(body, separator, rows, plan)
}

/// A file on its way in.
struct Source {
    file: File,
    piece: usize,
    hash: Sha256,
    bytes: u64,
    /// The start of a record whose end is still to come.
    carried: Vec<u8>,
}

impl Source {
    /// Reads up to `count` pieces of whole records into `round`, which stays empty at the end of the
    /// file; `spare` are buffers to use again. False when a record does not fit into a piece.
    fn round(
        &mut self,
        count: usize,
        spare: Vec<Vec<u8>>,
        round: &mut Vec<Vec<u8>>,
    ) -> io::Result<bool> {
        let mut spare = spare.into_iter();
        for _ in 0..count {
            let mut buffer = spare.next().unwrap_or_else(|| Vec::with_capacity(self.piece));
            buffer.clear();
            buffer.append(&mut self.carried);
            let carried = buffer.len();
            let wanted = self.piece.saturating_sub(carried) as u64;
            (&self.file).take(wanted).read_to_end(&mut buffer)?;
            let fresh = buffer.get(carried..).unwrap_or_default();
            self.hash.update(fresh);
            self.bytes += fresh.len() as u64;
            let ended = (fresh.len() as u64) < wanted;
            if buffer.is_empty() {
                break;
            }
            if !ended {
                let Some(last) = memrchr(b'\n', &buffer) else { return Ok(false) };
                self.carried.extend_from_slice(&buffer[last + 1..]);
                buffer.truncate(last + 1);
            }
            round.push(buffer);
            if ended {
                break;
            }
        }
        Ok(true)
    }
}
