//! Large delimited files in UTF-8 without quotes, piece by piece: every thread in turn reads and
//! hashes the next piece and types it while others read on, so that no file is ever whole in memory
//! and no thread waits for a round to end.
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
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    let mut source = Source {
        file,
        piece,
        hash: Sha256::new(),
        bytes: 0,
        carried: Vec::new(),
        first: None,
        pieces: 0,
        ended: false,
    };
    let mut first = Vec::with_capacity(piece);
    let Turn::Piece(_) = source.next(&mut first).map_err(world)? else { return Ok(None) };
    let mark = if first.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let text = first.get(mark..).unwrap_or_default();
    if super::is_other_format(&first) || !is_plain(text) {
        return Ok(None);
    }
    let separator = delimited::separator(text, plan.spec.header_row);
    let Some((headers, start)) = delimited::header(text, separator, plan.spec.header_row) else {
        return Ok(None);
    };
    let binding = plan.bind(name, &headers)?;
    let skip = mark + start;
    // Room for all rows at once: growing would copy them, and memory never written costs nothing.
    let expected = cut::expected_records(text, usize::try_from(length).unwrap_or(0));
    let all = Rows::new(plan, &binding, expected).finish(plan, 0);
    source.first = Some(first);
    let source = Mutex::new(source);
    let joined = Mutex::new(Joined { all, next: 0, early: BTreeMap::new() });
    let take_turns = |_| -> io::Result<bool> {
        let mut buffer = Vec::with_capacity(piece);
        loop {
            let turn = held(&source).next(&mut buffer)?;
            let number = match turn {
                Turn::Piece(number) => number,
                Turn::End => return Ok(true),
                Turn::TooLong => return Ok(false),
            };
            let body = buffer.get(if number == 0 { skip } else { 0 }..).unwrap_or_default();
            let Some(part) = type_piece(body, separator, plan, &binding) else {
                held(&source).ended = true;
                return Ok(false);
            };
            held(&joined).take(number, part);
        }
    };
    let threads = 0..rayon::current_num_threads();
    let outcomes: Vec<io::Result<bool>> =
        threads.into_par_iter().with_max_len(1).map(take_turns).collect();
    for outcome in outcomes {
        if !outcome.map_err(world)? {
            return Ok(None);
        }
    }
    let Source { hash, bytes, .. } = source.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Joined { all, .. } = joined.into_inner().unwrap_or_else(PoisonError::into_inner);
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

/// What the mutex guards; a thread that panicked ends the run anyway.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The pieces of a file set end to end as far as they are typed.
struct Joined {
    all: Part,
    /// Number of the piece that comes behind `all`.
    next: usize,
    /// Pieces typed before the one they stand behind.
    early: BTreeMap<usize, Part>,
}

impl Joined {
    fn take(&mut self, number: usize, part: Part) {
        self.early.insert(number, part);
        while let Some(part) = self.early.remove(&self.next) {
            self.all.append(part);
            self.next += 1;
        }
    }
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

/// What a thread finds when its turn to read comes.
enum Turn {
    /// The piece of this number.
    Piece(usize),
    /// The end of the file.
    End,
    /// A record that does not fit into a piece.
    TooLong,
}

/// A file on its way in.
struct Source {
    file: File,
    piece: usize,
    hash: Sha256,
    bytes: u64,
    /// The start of a record whose end is still to come.
    carried: Vec<u8>,
    /// The piece that was read for its header and is still to be typed.
    first: Option<Vec<u8>>,
    /// Pieces read.
    pieces: usize,
    /// Nothing more is to be read.
    ended: bool,
}

impl Source {
    /// Reads the next piece of whole records into `buffer`.
    fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Turn> {
        if let Some(first) = self.first.take() {
            *buffer = first;
            return Ok(Turn::Piece(0));
        }
        if self.ended {
            return Ok(Turn::End);
        }
        buffer.clear();
        buffer.append(&mut self.carried);
        let carried = buffer.len();
        let wanted = self.piece.saturating_sub(carried) as u64;
        (&self.file).take(wanted).read_to_end(buffer)?;
        let fresh = buffer.get(carried..).unwrap_or_default();
        self.hash.update(fresh);
        self.bytes += fresh.len() as u64;
        self.ended = (fresh.len() as u64) < wanted;
        if buffer.is_empty() {
            return Ok(Turn::End);
        }
        if !self.ended {
            let Some(last) = memrchr(b'\n', buffer) else {
                self.ended = true;
                return Ok(Turn::TooLong);
            };
            self.carried.extend_from_slice(&buffer[last + 1..]);
            buffer.truncate(last + 1);
        }
        self.pieces += 1;
        Ok(Turn::Piece(self.pieces - 1))
    }
}
