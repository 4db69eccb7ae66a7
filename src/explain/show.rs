//! How values are written for people: exact, never approximated without saying so.

use crate::domain::{Cell, Fraction};
use crate::law::{RuleHead, Ty};

use super::RuleSaid;

/// Decimals written before a value that does not end is cut with `…`.
const DIGITS: usize = 6;

/// A value of a type: money in currency units with its unit word, numbers as exact decimals.
#[must_use]
pub fn typed(cell: &Cell, ty: Option<&Ty>, currency: &str) -> String {
    match (cell, ty) {
        (Cell::Num(num, den), Some(Ty::Num { unit, .. })) if unit.0.contains_key(currency) => {
            money(*num, *den)
        }
        _ => plain(cell),
    }
}

/// A value without a known type: numbers as they are held, money therefore in fen.
pub(super) fn plain(cell: &Cell) -> String {
    match cell {
        Cell::Null => "null".to_owned(),
        Cell::Bool(true) => "TRUE".to_owned(),
        Cell::Bool(false) => "FALSE".to_owned(),
        Cell::Num(num, den) => number(*num, *den),
        Cell::Date(date) => date.to_string(),
        Cell::Text(text) => text.clone(),
    }
}

/// `num / den` fen in currency units, at least two decimals.
pub(super) fn money(num: i128, den: i128) -> String {
    let Some(hundredths) = den.checked_mul(100) else { return number(num, den) };
    let text = number(num, hundredths);
    if text.contains('…') {
        return text;
    }
    match text.split_once('.') {
        None => format!("{text}.00"),
        Some((_, part)) if part.len() == 1 => format!("{text}0"),
        Some(_) => text,
    }
}

/// `num / den` as a decimal when it ends; else the fraction with its first digits.
pub(super) fn number(num: i128, den: i128) -> String {
    let Some(value) = Fraction::new(num, den).map(Fraction::reduced) else {
        return format!("{num}/{den}");
    };
    let sign = if value.num < 0 { "-" } else { "" };
    let bottom = value.den.unsigned_abs();
    let whole = value.num.unsigned_abs() / bottom;
    let mut rest = value.num.unsigned_abs() % bottom;
    if rest == 0 {
        return format!("{sign}{whole}");
    }
    let mut digits = String::new();
    // A reduced fraction ends within 38 digits or, past DIGITS, is not worth more of them.
    let ends = only_twos_and_fives(bottom);
    while rest != 0 && (ends || digits.len() < DIGITS) {
        let Some(ten) = rest.checked_mul(10) else { return format!("{}/{}", value.num, value.den) };
        digits.push(char::from(b'0' + u8::try_from(ten / bottom).unwrap_or(0)));
        rest = ten % bottom;
    }
    if ends {
        format!("{sign}{whole}.{digits}")
    } else {
        format!("{}/{} ({sign}{whole}.{digits}…)", value.num, value.den)
    }
}

fn only_twos_and_fives(mut den: u128) -> bool {
    for prime in [2, 5] {
        while den.is_multiple_of(prime) {
            den /= prime;
        }
    }
    den == 1
}

/// A rule head for the answer.
pub(super) fn rule(head: &RuleHead) -> RuleSaid {
    let place = &head.place;
    RuleSaid {
        id: head.id.to_string(),
        version: head.version.to_string(),
        clause: head.clause.to_string(),
        label: head.label.to_string(),
        english: if head.english == head.id { String::new() } else { head.english.to_string() },
        effective_from: head.effective_from.to_string(),
        effective_until: head.effective_until.map(|date| date.to_string()).unwrap_or_default(),
        known_from: head.known_from.to_string(),
        published: head.published.to_string(),
        place: if place.file.is_empty() {
            place.pack.to_string()
        } else {
            format!("{}/{}:{}", place.pack, place.file, place.line)
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_or_say_that_they_are_not() {
        for (num, den, want) in [
            (0, 1, "0"),
            (-3, 1, "-3"),
            (1, 4, "0.25"),
            (-7, 2, "-3.5"),
            (1, 3, "1/3 (0.333333…)"),
            (-22, 7, "-22/7 (-3.142857…)"),
            (1, 1_000_000_000, "0.000000001"),
            (6, 4, "1.5"),
            (1, 0, "1/0"),
        ] {
            assert_eq!(number(num, den), want, "{num}/{den}");
        }
        for (num, den, want) in [
            (240_000, 1, "2400.00"),
            (250, 1, "2.50"),
            (5, 2, "0.025"),
            (200, 3, "2/3 (0.666666…)"),
        ] {
            assert_eq!(money(num, den), want, "{num}/{den} fen");
        }
        assert!(!money(i128::MAX, i128::MAX - 1).is_empty());
    }
}
