//! Shares that sum: one total over sources, or several totals with both margins (S13).
//!
//! Each (item, source) cell gets its floor; what is left of an item goes, item by item in pack
//! order, one quantum at a time to the source furthest below its total, the first of equals.

use super::rows::divide;
use crate::law::SplitMethod;

/// The weights of the sources of one split, with its method and quantum.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SplitShares {
    weights: Vec<u128>,
    sum: u128,
    residual: Option<usize>,
    quantum: u128,
}

impl SplitShares {
    /// Checks the weights: none below zero, not all zero, and a quantum of at least one fen. `None`
    /// otherwise. A residual goes to the first or last source whose weight is above zero.
    #[must_use]
    pub fn new(weights: &[i128], method: SplitMethod, quantum: i64) -> Option<Self> {
        let weights: Vec<u128> =
            weights.iter().map(|w| u128::try_from(*w).ok()).collect::<Option<_>>()?;
        let sum = weights.iter().try_fold(0_u128, |sum, w| sum.checked_add(*w))?;
        let first = weights.iter().position(|w| *w > 0)?;
        let last = weights.iter().rposition(|w| *w > 0)?;
        let residual = match method {
            SplitMethod::LargestRemainder => None,
            SplitMethod::ResidualFirst => Some(first),
            SplitMethod::ResidualLast => Some(last),
        };
        let quantum = u128::try_from(quantum).ok().filter(|quantum| *quantum > 0)?;
        Some(Self { weights, sum, residual, quantum })
    }

    /// Number of sources.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.weights.len()
    }

    /// Splits into `out`; `rests` is working space.
    pub(crate) fn split_into(
        &self,
        total: i64,
        out: &mut [i64],
        rests: &mut Vec<u128>,
    ) -> Option<()> {
        let whole = u128::from(total.unsigned_abs());
        let unit = self.sum.checked_mul(self.quantum)?;
        let mut left = whole;
        rests.clear();
        for (weight, part) in self.weights.iter().zip(out.iter_mut()) {
            let (count, rest) = divide(whole.checked_mul(*weight)?, unit);
            let floor = count * self.quantum;
            left = left.checked_sub(floor)?;
            *part = i64::try_from(floor).ok()?;
            rests.push(rest);
        }
        if let Some(residual) = self.residual {
            out[residual] += i64::try_from(left).ok()?;
            left = 0;
        }
        // What is left is the sum of the rests, each below a quantum: a rest smaller than the
        // quantum goes to the next source in the same order, so the parts always sum.
        while left > 0 {
            let (place, _) = rests
                .iter()
                .enumerate()
                .filter(|(_, rest)| **rest > 0)
                .max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(&a.0)))?;
            let give = left.min(self.quantum);
            out[place] += i64::try_from(give).ok()?;
            rests[place] = 0;
            left -= give;
        }
        if total < 0 {
            for part in out {
                *part = -*part;
            }
        }
        Some(())
    }

    /// The floor of one source's share, a multiple of the quantum toward minus infinity.
    fn floor(&self, total: i64, weight: u128) -> Option<i64> {
        let product = u128::from(total.unsigned_abs()).checked_mul(weight)?;
        let (count, rest) = divide(product, self.sum.checked_mul(self.quantum)?);
        let size = count.checked_add(u128::from(total < 0 && rest > 0))?;
        let size = i64::try_from(size.checked_mul(self.quantum)?).ok()?;
        Some(if total < 0 { -size } else { size })
    }
}

/// Splits one total over the sources: the parts sum to it exactly. For a negative total the split
/// of the absolute value is negated. `None` only on overflow.
///
/// With a quantum above one fen the parts are multiples of it, save that what is left below a
/// quantum goes to the next source by remainder (or to the residual one).
#[must_use]
pub fn split_total(total: i64, shares: &SplitShares) -> Option<Vec<i64>> {
    let mut out = vec![0; shares.sources()];
    shares.split_into(total, &mut out, &mut Vec::new())?;
    Some(out)
}

/// Splits several totals so that both margins hold: each row sums to its total, and each source to
/// its part of the split of the sum of all rows. Row by row, source by source; `None` on overflow.
#[must_use]
pub fn both_margins(totals: &[i64], shares: &SplitShares) -> Option<Vec<i64>> {
    let sources = shares.sources();
    let sum = totals.iter().try_fold(0_i64, |sum, total| sum.checked_add(*total))?;
    let mut below = split_total(sum, shares)?;
    if totals.len() == 1 {
        return Some(below);
    }
    let quantum = i64::try_from(shares.quantum).ok()?;
    let mut cells = Vec::with_capacity(totals.len() * sources);
    let mut left = Vec::with_capacity(totals.len());
    for total in totals {
        let mut rest = *total;
        for (source, weight) in shares.weights.iter().enumerate() {
            let floor = shares.floor(*total, *weight)?;
            rest = rest.checked_sub(floor)?;
            below[source] = below[source].checked_sub(floor)?;
            cells.push(floor);
        }
        left.push(rest);
    }
    for (row, mut left) in left.into_iter().enumerate() {
        while left > 0 {
            let (source, most) =
                below.iter().enumerate().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(&a.0)))?;
            let give = left.min(quantum).min(*most);
            if give <= 0 {
                return None;
            }
            cells[row * sources + source] += give;
            below[source] -= give;
            left -= give;
        }
    }
    balance(&mut cells, &mut below);
    Some(cells)
}

/// Receivables beside payables can leave one source above its total and another below it: the
/// difference moves inside the first row, which keeps both margins.
fn balance(cells: &mut [i64], below: &mut [i64]) {
    while let (Some(over), Some(under)) =
        (below.iter().position(|d| *d < 0), below.iter().position(|d| *d > 0))
    {
        let moved = below[under].min(-below[over]);
        cells[over] -= moved;
        cells[under] += moved;
        below[over] += moved;
        below[under] -= moved;
    }
}
