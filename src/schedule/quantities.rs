//! Quantities and rates shown on the lines: sums over the lines of one institution and item.

use super::MonthInput;
use crate::domain::Fraction;
use crate::subsidy::{ItemLines, LineStatus};
use rayon::prelude::*;

/// What is shown for one institution and item.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shown {
    quantity: Option<Fraction>,
    rate: Rate,
    overflow: bool,
}

#[derive(Debug, Clone, Copy, Default)]
enum Rate {
    /// No line yet.
    #[default]
    Unset,
    Uniform(i64),
    /// Lines differ, or one has no rate in whole fen.
    Mixed,
}

impl Shown {
    /// The quantity as text; `None` when the sum did not fit.
    pub(super) fn quantity(&self) -> Option<String> {
        if self.overflow {
            return None;
        }
        Some(self.quantity.map_or_else(String::new, decimal))
    }

    /// The rate in fen all lines share.
    pub(super) const fn rate_fen(&self) -> Option<i64> {
        match self.rate {
            Rate::Uniform(fen) => Some(fen),
            Rate::Unset | Rate::Mixed => None,
        }
    }

    /// Adds what other lines of the same institution and item show.
    fn join(&mut self, other: Self) {
        let Self { quantity, rate, overflow } = other;
        let own = self.rate;
        self.overflow |= overflow;
        self.add(quantity, None);
        self.rate = match (own, rate) {
            (Rate::Unset, rate) | (rate, Rate::Unset) => rate,
            (Rate::Uniform(own), Rate::Uniform(other)) if own == other => rate,
            _ => Rate::Mixed,
        };
    }

    fn add(&mut self, quantity: Option<Fraction>, rate: Option<i64>) {
        if let Some(quantity) = quantity {
            match add(self.quantity.unwrap_or(Fraction::whole(0)), quantity) {
                Some(sum) => self.quantity = Some(sum),
                None => self.overflow = true,
            }
        }
        self.rate = match (self.rate, rate) {
            (Rate::Unset, Some(fen)) => Rate::Uniform(fen),
            (Rate::Uniform(known), Some(fen)) if known == fen => self.rate,
            _ => Rate::Mixed,
        };
    }
}

/// Exact sum; the denominators are mostly equal, and then no greatest divisor is looked for.
fn add(sum: Fraction, more: Fraction) -> Option<Fraction> {
    if sum.den == more.den {
        return Some(Fraction { num: sum.num.checked_add(more.num)?, den: sum.den });
    }
    if sum.den % more.den == 0 {
        let num = more.num.checked_mul(sum.den / more.den)?;
        return Some(Fraction { num: sum.num.checked_add(num)?, den: sum.den });
    }
    if more.den % sum.den == 0 {
        let num = sum.num.checked_mul(more.den / sum.den)?;
        return Some(Fraction { num: more.num.checked_add(num)?, den: more.den });
    }
    sum.checked_add(more)
}

/// Sums one item by owner. A line counts when it had an amount before cuts; an item that
/// shows no quantity counts its lines.
pub(super) fn of_item(month: &MonthInput, lines: &ItemLines) -> Vec<Shown> {
    let rows = month.entitlements.owner_keys(month.frames).len();
    let payees = lines.paid_to(month.frames);
    let add = |mut shown: Vec<Shown>, row: usize| {
        let counts = matches!(lines.status[row], LineStatus::Paid | LineStatus::Zero);
        if counts
            && lines.amount[row] != 0
            && let Some(shown) = shown.get_mut(payees.at(row) as usize)
        {
            let quantity = match &lines.quantity {
                Some(stored) => stored.number(row),
                None => Some(Fraction::whole(1)),
            };
            let rate = lines.rate.as_ref().and_then(|stored| stored.number(row)).and_then(whole);
            shown.add(quantity, rate);
        }
        shown
    };
    // A thread takes many rows for each row of the table it fills: adding tables up costs little.
    let at_once = lines.status.len().div_ceil(rayon::current_num_threads()).max(4 * rows).max(1);
    let parts: Vec<Vec<Shown>> = (0..lines.status.len().div_ceil(at_once).max(1))
        .into_par_iter()
        .map(|part| {
            let end = ((part + 1) * at_once).min(lines.status.len());
            (part * at_once..end).fold(vec![Shown::default(); rows], add)
        })
        .collect();
    let mut parts = parts.into_iter();
    let first = parts.next().unwrap_or_default();
    parts.fold(first, |mut sums, part| {
        sums.iter_mut().zip(part).for_each(|(sum, more)| sum.join(more));
        sums
    })
}

/// A number of whole fen.
fn whole(rate: Fraction) -> Option<i64> {
    match rate.den {
        1 => i64::try_from(rate.num).ok(),
        den if rate.num % den == 0 => i64::try_from(rate.num / den).ok(),
        _ => None,
    }
}

/// An exact number as people write it: a plain decimal where it ends, else `num/den`.
fn decimal(value: Fraction) -> String {
    let value = value.reduced();
    let (mut rest, mut digits) = (value.den, 0_usize);
    let (mut twos, mut fives) = (0, 0);
    while rest % 2 == 0 {
        rest /= 2;
        twos += 1;
    }
    while rest % 5 == 0 {
        rest /= 5;
        fives += 1;
    }
    let mut scale: Option<i128> = Some(1);
    while digits < twos.max(fives) {
        digits += 1;
        scale = scale.and_then(|scale| scale.checked_mul(10));
    }
    let scaled = scale
        .filter(|_| rest == 1)
        .and_then(|scale| value.num.checked_mul(scale / value.den).map(|num| (num, scale)));
    let Some((num, scale)) = scaled else {
        return format!("{}/{}", value.num, value.den);
    };
    let sign = if num < 0 { "-" } else { "" };
    let size = num.unsigned_abs();
    let scale = scale.unsigned_abs();
    if digits == 0 {
        return format!("{sign}{size}");
    }
    format!("{sign}{}.{:0digits$}", size / scale, size % scale)
}

#[cfg(test)]
mod tests {
    use super::{Fraction, Rate, Shown, decimal};

    #[test]
    fn quantities_are_written_exactly() {
        for (num, den, text) in [
            (85, 1, "85"),
            (170, 2, "85"),
            (1, 8, "0.125"),
            (-7, 20, "-0.35"),
            (1, 3, "1/3"),
            (0, 5, "0"),
            (-31, 6, "-31/6"),
        ] {
            assert_eq!(decimal(Fraction { num, den }), text);
        }
    }

    #[test]
    fn a_rate_is_shown_only_when_all_lines_share_it() {
        let mut shown = Shown::default();
        assert_eq!(shown.rate_fen(), None);
        shown.add(Some(Fraction { num: 1, den: 2 }), Some(300));
        shown.add(Some(Fraction { num: 1, den: 3 }), Some(300));
        assert_eq!((shown.quantity().as_deref(), shown.rate_fen()), (Some("5/6"), Some(300)));
        shown.add(Some(Fraction { num: 1, den: 6 }), Some(400));
        assert_eq!((shown.quantity().as_deref(), shown.rate_fen()), (Some("1"), None));
        shown.add(None, Some(300));
        assert!(matches!(shown.rate, Rate::Mixed));
    }
}
