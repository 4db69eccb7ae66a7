//! Figures as people read them: thousands parted, changes with their sign.

use crate::domain::Fen;
use std::cmp::Ordering;

/// What stands where there is no figure.
pub(super) const NOTHING: &str = "—";

/// `1,234.56`.
pub(super) fn money(fen: i64) -> String {
    parted(&Fen(fen).to_string())
}

/// `1,234`.
pub(super) fn count(count: u64) -> String {
    parted(&count.to_string())
}

/// `+1,234.56`, `−0.50`, `0`: the sign is said even where the colour cannot be seen.
pub(super) fn change(fen: i64) -> String {
    signed(fen.cmp(&0), &money(fen.saturating_abs()))
}

/// A change of a count.
pub(super) fn change_of(now: u64, before: u64) -> String {
    signed(now.cmp(&before), &count(now.abs_diff(before)))
}

/// A change in percent with two decimals, rounded half up; nothing where there was nothing before.
pub(super) fn percent(now: i64, before: i64) -> String {
    let (now, before) = (i128::from(now), i128::from(before));
    let Some(parts) = rounded((now - before) * 10_000, before.abs()) else {
        return NOTHING.to_owned();
    };
    if parts == 0 && now != before {
        return "≈0%".to_owned();
    }
    let text = parts.unsigned_abs();
    signed(parts.cmp(&0), &format!("{}.{:02}%", parted(&(text / 100).to_string()), text % 100))
}

/// A share of a sum in whole fen, rounded half up; for reading only.
pub(super) fn mean(sum: i64, of: u64) -> Option<i64> {
    rounded(i128::from(sum), i128::from(of)).and_then(|fen| i64::try_from(fen).ok())
}

fn rounded(above: i128, below: i128) -> Option<i128> {
    (below > 0).then(|| (above * 2 + below).div_euclid(below * 2))
}

fn signed(order: Ordering, text: &str) -> String {
    match order {
        Ordering::Greater => format!("+{text}"),
        Ordering::Less => format!("−{text}"),
        Ordering::Equal => "0".to_owned(),
    }
}

fn parted(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("−", digits));
    let (whole, part) = digits.find('.').map_or((digits, ""), |at| digits.split_at(at));
    let mut out = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_parted_and_signs_said() {
        assert_eq!(money(123_456_789), "1,234,567.89");
        assert_eq!(money(-12_345), "−123.45");
        assert_eq!(money(-123_456), "−1,234.56");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(change(-5), "−0.05");
        assert_eq!(change(0), "0");
        assert_eq!(change_of(3, 1_003), "−1,000");
    }

    #[test]
    fn shares_are_rounded_half_up() {
        // 1 of 3 is 33.333 %; 1 of 20,000 is 0.005 %, half up 0.01, and its loss next to nothing.
        assert_eq!(percent(4, 3), "+33.33%");
        assert_eq!(percent(20_001, 20_000), "+0.01%");
        assert_eq!(percent(19_999, 20_000), "≈0%");
        assert_eq!(percent(3, 3), "0");
        assert_eq!(percent(5, 0), NOTHING);
        assert_eq!(mean(5, 2), Some(3));
        assert_eq!(mean(5, 0), None);
    }
}
