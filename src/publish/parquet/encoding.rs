//! Parquet's encodings: run lengths with bit packing, deltas, dictionaries of whole numbers.

use rustc_hash::FxHashMap;

use super::thrift::{varint, zigzag};

/// A run this long is written as a run; shorter ones are packed.
const RUN_MIN: usize = 16;
/// Values in a block of deltas, and in each of its four parts.
const BLOCK: usize = 128;
const PART: usize = 32;
/// A dictionary of whole numbers is given up beyond this many entries.
const ENTRIES_MAX: usize = 8192;

/// Bits needed for values up to `max`, at least one: some readers do not expect width 0.
pub(super) const fn width_of(max: u32) -> u32 {
    let bits = 32 - max.leading_zeros();
    if bits == 0 { 1 } else { bits }
}

/// The run-length and bit-packing hybrid.
pub(super) fn hybrid(values: &[u32], width: u32, out: &mut Vec<u8>) {
    let mut at = 0;
    while at < values.len() {
        let run = run_at(values, at);
        if run >= RUN_MIN {
            varint((run as u64) << 1, out);
            out.extend_from_slice(&values[at].to_le_bytes()[..width.div_ceil(8) as usize]);
            at += run;
            continue;
        }
        let start = at;
        loop {
            at += 8;
            if at >= values.len() || short_run_at(values, at) >= RUN_MIN {
                break;
            }
        }
        let end = at.min(values.len());
        varint((((at - start) / 8) as u64) << 1 | 1, out);
        let mut bits = Bits::new(out);
        values[start..end].iter().for_each(|value| bits.push(u64::from(*value), width));
        (end..at).for_each(|_| bits.push(0, width));
        bits.end();
        at = end;
    }
}

/// Length of the run that starts at `at`.
fn run_at(values: &[u32], at: usize) -> usize {
    values[at..].iter().take_while(|value| **value == values[at]).count()
}

/// As [`run_at`], but looks no further than needed to call it a run.
fn short_run_at(values: &[u32], at: usize) -> usize {
    values[at..].iter().take(RUN_MIN).take_while(|value| **value == values[at]).count()
}

/// `DELTA_BINARY_PACKED`: the first value, then differences packed to the width of each part.
pub(super) fn delta(values: &[i64], out: &mut Vec<u8>) {
    varint(BLOCK as u64, out);
    varint((BLOCK / PART) as u64, out);
    varint(values.len() as u64, out);
    varint(zigzag(values.first().copied().unwrap_or(0)), out);
    let mut deltas = [0_i64; BLOCK];
    let mut at = 1;
    while at < values.len() {
        let length = BLOCK.min(values.len() - at);
        for (offset, slot) in deltas[..length].iter_mut().enumerate() {
            // The format's arithmetic is modulo 2^64; reading adds the same way.
            *slot = values[at + offset].wrapping_sub(values[at + offset - 1]);
        }
        let least = deltas[..length].iter().copied().min().unwrap_or(0);
        varint(zigzag(least), out);
        let above = |delta: i64| delta.wrapping_sub(least).cast_unsigned();
        let widths: [u32; BLOCK / PART] = std::array::from_fn(|part| {
            let part = deltas[..length].iter().skip(part * PART).take(PART);
            64 - part.fold(0, |all, delta| all | above(*delta)).leading_zeros()
        });
        out.extend(widths.iter().map(|width| u8::try_from(*width).unwrap_or(64)));
        for (part, width) in widths.iter().enumerate() {
            if part * PART >= length {
                break;
            }
            let mut bits = Bits::new(out);
            for (offset, delta) in deltas.iter().enumerate().skip(part * PART).take(PART) {
                bits.push(if offset < length { above(*delta) } else { 0 }, *width);
            }
            bits.end();
        }
        at += length;
    }
}

/// Packs values from the lowest bit up.
struct Bits<'a> {
    out: &'a mut Vec<u8>,
    held: u128,
    filled: u32,
}

impl<'a> Bits<'a> {
    fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, held: 0, filled: 0 }
    }

    fn push(&mut self, value: u64, width: u32) {
        self.held |= u128::from(value) << self.filled;
        self.filled += width;
        if self.filled >= 64 {
            self.out.extend_from_slice(&self.held.to_le_bytes()[..8]);
            self.held >>= 64;
            self.filled -= 64;
        }
    }

    fn end(self) {
        let bytes = self.filled.div_ceil(8) as usize;
        self.out.extend_from_slice(&self.held.to_le_bytes()[..bytes]);
    }
}

/// Whole numbers that repeat, as codes.
pub(super) struct Dictionary {
    /// The numbers in the order of their first use.
    pub(super) values: Vec<i64>,
    /// One code a value.
    pub(super) codes: Vec<u32>,
}

impl Dictionary {
    /// A dictionary, or `None` when it would save little.
    pub(super) fn of(numbers: &[i64]) -> Option<Self> {
        let limit = (numbers.len() / 4).clamp(1, ENTRIES_MAX);
        let mut places = FxHashMap::<i64, u32>::default();
        let mut made = Self { values: Vec::new(), codes: Vec::with_capacity(numbers.len()) };
        let mut last = None;
        for number in numbers {
            let code = match last {
                Some((same, code)) if same == *number => code,
                _ => *places.entry(*number).or_insert_with(|| {
                    made.values.push(*number);
                    u32::try_from(made.values.len() - 1).unwrap_or(u32::MAX)
                }),
            };
            if made.values.len() > limit {
                return None;
            }
            last = Some((*number, code));
            made.codes.push(code);
        }
        Some(made)
    }
}
