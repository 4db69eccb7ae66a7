//! What the numbers of a page are: their unit, how they are written in full and on an axis.

use crate::domain::RoundingMode;
use crate::domain::texts::{Catalogue, Language};

/// What whole numbers stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// Money in fen, shown in yuan, 万元 or 亿元.
    Money,
    /// Numbers with a fixed count of decimal places: 1234 of two places is 12.34.
    Number {
        /// Decimal places.
        places: u32,
        /// Unit; may be empty.
        unit: String,
    },
}

impl Measure {
    /// Whole numbers of something.
    #[must_use]
    pub fn count(unit: &str) -> Self {
        Self::Number { places: 0, unit: unit.to_owned() }
    }

    /// The number in full, without its unit: `1,234.50`.
    #[must_use]
    pub fn exact(&self, value: i64) -> String {
        grouped(value, self.places(), false)
    }

    /// The unit of [`Measure::exact`].
    #[must_use]
    pub fn unit<'t>(&'t self, texts: &'t Catalogue) -> &'t str {
        match self {
            Self::Money => texts.label("page.yuan"),
            Self::Number { unit, .. } => unit,
        }
    }

    /// A title with the unit in brackets.
    #[must_use]
    pub fn titled(&self, title: &str, texts: &Catalogue) -> String {
        with_unit(title, self.unit(texts), texts)
    }

    fn places(&self) -> u32 {
        match self {
            Self::Money => 2,
            Self::Number { places, .. } => *places,
        }
    }

    /// How numbers up to `largest` are written where room is short.
    pub(super) fn scale(&self, largest: i64, texts: &Catalogue) -> Scale {
        // Yuan from which on a larger unit is read more easily, and its zeros.
        let [large, larger] = match texts.language() {
            Language::Chinese => [(100_000, 4), (1_000_000_000, 8)],
            Language::English => [(100_000, 3), (10_000_000, 6)],
        };
        if *self == Self::Money {
            let yuan = largest.saturating_abs() / 100;
            for ((from, zeros), key) in [(larger, "page.yuan_larger"), (large, "page.yuan_large")] {
                if yuan >= from {
                    return Scale { places: 2 + zeros, unit: texts.label(key).to_owned() };
                }
            }
        }
        Scale { places: self.places(), unit: self.unit(texts).to_owned() }
    }
}

/// How numbers are written on an axis and beside a bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scale {
    /// Decimal places between what is stored and the unit.
    places: u32,
    /// The unit.
    unit: String,
}

impl Scale {
    /// A title with the unit in brackets.
    pub(super) fn titled(&self, title: &str, texts: &Catalogue) -> String {
        with_unit(title, &self.unit, texts)
    }

    /// A mark of an axis: no more places than it needs.
    pub(super) fn tick(&self, value: i64) -> String {
        grouped(value, self.places, true)
    }

    /// A value beside what is drawn, to two decimals; the table tells it in full.
    pub(super) fn value(&self, value: i64) -> String {
        let over = self.places.saturating_sub(2);
        let rounded = RoundingMode::HalfUp.divide_i64(value, 10_i64.pow(over));
        grouped(rounded, self.places - over, true)
    }
}

fn with_unit(title: &str, unit: &str, texts: &Catalogue) -> String {
    match (title.is_empty(), unit.is_empty()) {
        (_, true) => title.to_owned(),
        (true, false) => unit.to_owned(),
        _ => texts.phrase("page.with_unit", &[("title", title), ("unit", unit)]),
    }
}

/// A number with that many decimal places and a comma every three digits; zeros at the end of the
/// places may be left out.
fn grouped(value: i64, places: u32, trimmed: bool) -> String {
    let unit = 10_u64.pow(places.min(18));
    let size = value.unsigned_abs();
    let digits = (size / unit).to_string();
    let mut out = String::with_capacity(24);
    if value < 0 {
        // A true minus sign is as wide as a digit and read as one.
        out.push('\u{2212}');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if places > 0 {
        let rest = format!("{:0width$}", size % unit, width = places as usize);
        let rest = if trimmed { rest.trim_end_matches('0') } else { &rest };
        if !rest.is_empty() {
            out.push('.');
            out.push_str(rest);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_in_full_with_separators() {
        for (fen, text) in [
            (0, "0.00"),
            (5, "0.05"),
            (-5, "\u{2212}0.05"),
            (123_456_789, "1,234,567.89"),
            (100_000, "1,000.00"),
            (-99_900, "\u{2212}999.00"),
            (i64::MIN, "\u{2212}92,233,720,368,547,758.08"),
        ] {
            assert_eq!(Measure::Money.exact(fen), text);
        }
        assert_eq!(Measure::Number { places: 3, unit: String::new() }.exact(1_250), "1.250");
        assert_eq!(Measure::count("人").exact(12_345), "12,345");
    }

    #[test]
    fn large_money_is_drawn_in_a_larger_unit() {
        let check = |language, largest: i64, value: i64, want: (&str, &str)| {
            let texts = Catalogue::new(language);
            let scale = Measure::Money.scale(largest, &texts);
            assert_eq!((&*scale.value(value), &*scale.unit), want, "{largest} {value}");
        };
        // Below 100,000 yuan nothing is gained.
        check(Language::Chinese, 9_999_999, 9_999_999, ("99,999.99", "元"));
        check(Language::Chinese, 10_000_000, 12_345_678, ("12.35", "万元"));
        check(Language::Chinese, 10_000_000, -5_000_000, ("\u{2212}5", "万元"));
        check(Language::Chinese, 1_000_000_000_000, 1_234_567_890_123, ("123.46", "亿元"));
        check(Language::English, 9_999_999, 5, ("0.05", "yuan"));
        check(Language::English, 10_000_000, 12_345_678, ("123.46", "thousand yuan"));
        check(Language::English, 1_000_000_000, 1_234_567_890, ("12.35", "million yuan"));
    }
}
