//! What the raw texts of a code column were read as.

use super::value::Unread;
use rustc_hash::FxHashMap;

/// What a raw text of a code column was read as.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coded {
    pub(super) outcome: Result<Option<u32>, Unread>,
    pub(super) repaired: bool,
}

/// Most raw texts remembered a column and piece.
const REMEMBERED: usize = 1 << 16;

/// Places for short spellings; a column has a handful as a rule.
const SHORT: usize = 64;

/// Raw text -> outcome.
#[derive(Debug, Default)]
pub(super) struct Spellings {
    all: FxHashMap<Box<[u8]>, Coded>,
    /// Spellings of at most 16 bytes read last, each where its mark says; empty at first.
    short: Vec<(Mark, Option<u32>)>,
}

/// A short text in two words, with its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    head: u64,
    tail: u64,
    length: usize,
}

impl Mark {
    const NONE: Self = Self { head: 0, tail: 0, length: usize::MAX };

    /// First and last bytes, which overlap and together are the whole text.
    #[inline]
    fn of(raw: &[u8]) -> Option<Self> {
        let length = raw.len();
        let (head, tail) = if length > 16 {
            return None;
        } else if let (Some(head), Some(tail)) = (raw.first_chunk::<8>(), raw.last_chunk::<8>()) {
            (u64::from_le_bytes(*head), u64::from_le_bytes(*tail))
        } else if let (Some(head), Some(tail)) = (raw.first_chunk::<4>(), raw.last_chunk::<4>()) {
            (u64::from(u32::from_le_bytes(*head)), u64::from(u32::from_le_bytes(*tail)))
        } else {
            (raw.iter().fold(0, |head, byte| (head << 8) | u64::from(*byte)), 0)
        };
        Some(Self { head, tail, length })
    }

    #[inline]
    const fn place(self) -> usize {
        let mixed = (self.head ^ self.tail.rotate_left(23)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 58) as usize
    }
}

impl Spellings {
    /// The code of a spelling seen before that took no repair; none where it means null.
    #[inline]
    #[expect(clippy::option_option, reason = "not known, known to be null, known")]
    pub(super) fn code(&mut self, raw: &[u8]) -> Option<Option<u32>> {
        let mark = Mark::of(raw);
        if let Some((known, code)) = mark.and_then(|mark| self.short.get(mark.place()))
            && mark == Some(*known)
        {
            return Some(*code);
        }
        self.look_up(raw, mark)
    }

    #[inline(never)]
    #[expect(clippy::option_option, reason = "not known, known to be null, known")]
    fn look_up(&mut self, raw: &[u8], mark: Option<Mark>) -> Option<Option<u32>> {
        let Coded { outcome: Ok(code), repaired: false } = *self.all.get(raw)? else { return None };
        if let Some(mark) = mark {
            self.short.resize(SHORT, (Mark::NONE, None));
            self.short[mark.place()] = (mark, code);
        }
        Some(code)
    }

    pub(super) fn remember(&mut self, raw: &[u8], coded: Coded) {
        if self.all.len() < REMEMBERED {
            self.all.insert(raw.into(), coded);
        }
    }
}
