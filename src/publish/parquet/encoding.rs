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
            put_run(values[at], run, width, out);
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
        let (eights, rest) = values[start..end].as_chunks::<8>();
        for eight in eights {
            pack_eight(eight, width, out);
        }
        if !rest.is_empty() {
            let mut eight = [0; 8];
            eight[..rest.len()].copy_from_slice(rest);
            pack_eight(&eight, width, out);
        }
        at = end;
    }
}

/// [`hybrid`] of one value so many times.
pub(super) fn same(value: u32, times: usize, width: u32, out: &mut Vec<u8>) {
    if times < RUN_MIN {
        return hybrid(&vec![value; times], width, out);
    }
    put_run(value, times, width, out);
}

fn put_run(value: u32, times: usize, width: u32, out: &mut Vec<u8>) {
    varint((times as u64) << 1, out);
    out.extend_from_slice(&value.to_le_bytes()[..width.div_ceil(8) as usize]);
}

/// Eight values are `width` whole bytes, so they need no memory of the values before.
fn pack_eight(values: &[u32; 8], width: u32, out: &mut Vec<u8>) {
    if width > 16 {
        let mut bits = Bits::new(out);
        for value in values {
            bits.push(u64::from(*value), width);
        }
        return bits.end();
    }
    let four = |values: &[u32]| {
        values.iter().rev().fold(0_u64, |bits, value| bits << width | u64::from(*value))
    };
    let bits = u128::from(four(&values[4..])) << (4 * width) | u128::from(four(&values[..4]));
    out.extend_from_slice(&bits.to_le_bytes()[..width as usize]);
}

/// Length of the run that starts at `at`. Runs are often the whole column, so they are looked
/// through in stretches without a way out at each value.
fn run_at(values: &[u32], at: usize) -> usize {
    let (first, rest) = (values[at], &values[at..]);
    let same = |stretch: &&[u32; 64]| {
        stretch.iter().fold(0, |difference, value| difference | (value ^ first)) == 0
    };
    let sure = rest.as_chunks().0.iter().take_while(same).count() * 64;
    sure + rest[sure..].iter().take_while(|value| **value == first).count()
}

/// Whether all values are the first.
pub(super) fn all_same(values: &[u32]) -> bool {
    !values.is_empty() && run_at(values, 0) == values.len()
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
            if *width == 0 {
                continue;
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
    /// A dictionary, or `None` when it would save little. `range`: smallest and largest number.
    pub(super) fn of(numbers: &[i64], range: Option<(i64, i64)>) -> Option<Self> {
        let limit = (numbers.len() / 4).clamp(1, ENTRIES_MAX);
        let mut places = Places::of(range, numbers.len());
        let mut made = Self { values: Vec::new(), codes: Vec::with_capacity(numbers.len()) };
        let mut last = None;
        for number in numbers {
            let code = match last {
                Some((same, code)) if same == *number => code,
                _ => {
                    let place = places.of_number(*number);
                    if *place == UNSEEN {
                        *place = u32::try_from(made.values.len()).unwrap_or(u32::MAX);
                        made.values.push(*number);
                    }
                    *place
                }
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

/// A number that has no code yet.
const UNSEEN: u32 = u32::MAX;

/// Where the code of each number stands: a table when the numbers lie close together, as amounts,
/// days and ages do; else a map.
enum Places {
    Close { least: i64, codes: Vec<u32> },
    Wide(FxHashMap<i64, u32>),
}

impl Places {
    fn of(range: Option<(i64, i64)>, numbers: usize) -> Self {
        let span = range.and_then(|(low, high)| usize::try_from(high.checked_sub(low)?).ok());
        match (range, span) {
            (Some((least, _)), Some(span)) if span < numbers.saturating_mul(2) => {
                Self::Close { least, codes: vec![UNSEEN; span + 1] }
            }
            _ => Self::Wide(FxHashMap::default()),
        }
    }

    fn of_number(&mut self, number: i64) -> &mut u32 {
        match self {
            // Within the range, so neither the difference nor the place can be beyond its end.
            Self::Close { least, codes } => {
                &mut codes[usize::try_from(number - *least).unwrap_or(usize::MAX)]
            }
            Self::Wide(codes) => codes.entry(number).or_insert(UNSEEN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_values_are_packed_as_one_by_one() {
        for width in 1..=32 {
            let most = u32::MAX >> (32 - width);
            let values =
                std::array::from_fn(|at| most.rotate_left(u32::try_from(at).unwrap()) & most);
            let (mut eight, mut singly) = (Vec::new(), Vec::new());
            pack_eight(&values, width, &mut eight);
            let mut bits = Bits::new(&mut singly);
            for value in values {
                bits.push(u64::from(value), width);
            }
            bits.end();
            assert_eq!(eight, singly, "{width}");
        }
    }

    #[test]
    fn runs_end_where_a_value_differs() {
        for length in [1, 15, 16, 63, 64, 65, 128, 200] {
            let mut values = vec![3; length];
            assert!(all_same(&values));
            let (mut run, mut listed) = (Vec::new(), Vec::new());
            same(3, length, 2, &mut run);
            hybrid(&values, 2, &mut listed);
            assert_eq!(run, listed, "{length}");
            values.push(1);
            assert_eq!(run_at(&values, 0), length);
        }
    }

    #[test]
    fn close_and_wide_numbers_have_the_same_codes() {
        let ends = Some((-5, 90));
        let numbers: Vec<i64> = (0..400).map(|n| [90, -5, 0, 7][n % 4]).collect();
        let close = Dictionary::of(&numbers, ends).unwrap();
        let wide = Dictionary::of(&numbers, Some((i64::MIN, i64::MAX))).unwrap();
        assert_eq!(close.values, [90, -5, 0, 7]);
        assert_eq!((close.values, close.codes), (wide.values, wide.codes));
    }
}
