//! Values as people and machines write them -> typed values.
//!
//! Strict: what is not unambiguous is refused.
//!
//! The functions whose name starts with `plain_` take the one usual spelling by bytes and are the
//! hot path; everything they decline goes to the careful reader of the same type.

use crate::domain::{Date, Month};
use std::borrow::Cow;

/// Amounts and numbers stay below this many units of their hundredth or of one (S11).
pub(super) const BOUND: i128 = 1_000_000_000_000;
/// Most decimals a number that is not money may have.
pub(super) const NUMBER_SCALE: u32 = 6;

/// A value and whether it took an unambiguous repair to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Read<T> {
    /// The value.
    pub(super) value: T,
    /// Whether the spelling was repaired (full-width digits, surrounding spaces …).
    pub(super) repaired: bool,
}

/// Why a text is not a value of its column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// Not of the type.
    Shape,
    /// An amount with more than two decimals.
    TooFine,
    /// Beyond [`BOUND`].
    TooLarge,
    /// A number that lost digits in a floating-point cell.
    ThroughFloat,
    /// Not one of the listed values.
    NotListed,
}

/// Full-width forms and the ideographic space as their half-width twins; borrowed when there
/// are none.
pub(super) fn half_width(text: &str) -> Cow<'_, str> {
    let wide = |c: char| matches!(c, '\u{ff01}'..='\u{ff5e}' | '\u{3000}' | '\u{2212}');
    if !text.contains(wide) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(narrow).collect())
}

fn narrow(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '\u{2212}' => '-',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        other => other,
    }
}

/// Without surrounding white space, zero-width marks and stray byte order marks.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'))
}

/// `YYYY-MM-DD` by bytes.
pub(super) fn plain_date(raw: &[u8]) -> Option<Date> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = raw else { return None };
    let mut bad = 0_u8;
    let mut number = |digits: &[&u8]| {
        digits.iter().fold(0_u32, |sum, byte| {
            let digit = byte.wrapping_sub(b'0');
            bad |= u8::from(digit > 9);
            sum * 10 + u32::from(digit)
        })
    };
    let (year, month, day) = (number(&[y0, y1, y2, y3]), number(&[m0, m1]), number(&[d0, d1]));
    if bad != 0 {
        return None;
    }
    Date::from_ymd(year.cast_signed(), month, day)
}

/// Digits with an optional minus, at most twelve of them, by bytes.
pub(super) fn plain_whole(raw: &[u8]) -> Option<i64> {
    let (negative, digits) = match raw {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, raw),
    };
    let value = plain_digits(digits, 12)?;
    Some(if negative { -value } else { value })
}

/// `1234`, `1234.5` or `-1234.50` below 10^10 yuan, in fen, by bytes.
pub(super) fn plain_money(raw: &[u8]) -> Option<i64> {
    let (negative, digits) = match raw {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, raw),
    };
    let fen = match digits {
        [whole @ .., b'.', tens, ones] if ones.is_ascii_digit() && tens.is_ascii_digit() => {
            plain_digits(whole, 10)? * 100 + i64::from(tens - b'0') * 10 + i64::from(ones - b'0')
        }
        [whole @ .., b'.', tens] if tens.is_ascii_digit() => {
            plain_digits(whole, 10)? * 100 + i64::from(tens - b'0') * 10
        }
        whole => plain_digits(whole, 10)? * 100,
    };
    Some(if negative { -fen } else { fen })
}

fn plain_digits(digits: &[u8], most: usize) -> Option<i64> {
    if digits.is_empty() || digits.len() > most {
        return None;
    }
    digits.iter().try_fold(0_i64, |sum, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then(|| sum * 10 + i64::from(digit))
    })
}

/// An exact decimal `mantissa / 10^scale` without trailing zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    pub(super) mantissa: i128,
    pub(super) scale: u32,
}

/// Reads `-1,234.50`: thousands in threes or not at all, digits on both sides of a point.
pub(super) fn decimal(text: &str) -> Result<Decimal, Unread> {
    let (negative, rest) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = match rest.split_once('.') {
        Some((_, "")) => return Err(Unread::Shape),
        Some((whole, fraction)) => (whole, fraction.trim_end_matches('0')),
        None => (rest, ""),
    };
    let mut digits = 0_usize;
    let mut mantissa = 0_i128;
    let mut push = |part: &str| -> Result<(), Unread> {
        for byte in part.bytes() {
            if !byte.is_ascii_digit() {
                return Err(Unread::Shape);
            }
            digits += usize::from(mantissa != 0 || byte != b'0');
            if digits > 30 {
                return Err(Unread::TooLarge);
            }
            mantissa = mantissa * 10 + i128::from(byte - b'0');
        }
        Ok(())
    };
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or("");
    if first.is_empty() || (whole.contains(',') && first.len() > 3) {
        return Err(Unread::Shape);
    }
    push(first)?;
    for group in groups {
        if group.len() != 3 {
            return Err(Unread::Shape);
        }
        push(group)?;
    }
    push(fraction)?;
    let scale = u32::try_from(fraction.len()).map_err(|_| Unread::Shape)?;
    Ok(Decimal { mantissa: if negative { -mantissa } else { mantissa }, scale })
}

/// An amount in any accepted spelling, in fen: `1234.5`, `1,234.50`, `￥1234.50`, `1234.50元`.
pub(super) fn money(text: &str) -> Result<Read<i64>, Unread> {
    let read = money_decimal(text)?;
    Ok(Read { value: fen(read.value)?, repaired: read.repaired })
}

/// The decimal of an amount, in yuan.
pub(super) fn money_decimal(text: &str) -> Result<Read<Decimal>, Unread> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let rest = rest.strip_prefix(['￥', '¥']).unwrap_or(rest);
    let rest = trimmed(rest.strip_suffix('元').unwrap_or(rest));
    let narrow = half_width(rest);
    let repaired = matches!(narrow, Cow::Owned(_));
    if !sign.is_empty() && narrow.starts_with(['-', '+']) {
        return Err(Unread::Shape);
    }
    let mut value = decimal(&narrow)?;
    if !sign.is_empty() {
        value.mantissa = -value.mantissa;
    }
    Ok(Read { value, repaired })
}

/// An amount in yuan as fen.
pub(super) fn fen(yuan: Decimal) -> Result<i64, Unread> {
    let hundredths = match yuan.scale {
        0 => 100,
        1 => 10,
        2 => 1,
        _ => return Err(Unread::TooFine),
    };
    let fen = yuan.mantissa.checked_mul(hundredths).ok_or(Unread::TooLarge)?;
    bounded(fen)
}

/// The value as an `i64` when its size is below [`BOUND`].
pub(super) fn bounded(value: i128) -> Result<i64, Unread> {
    if value.abs() >= BOUND {
        return Err(Unread::TooLarge);
    }
    i64::try_from(value).map_err(|_| Unread::TooLarge)
}

/// A whole number; `22.0` is repaired to 22.
pub(super) fn whole(text: &str) -> Result<Read<i64>, Unread> {
    let narrow = half_width(text);
    let value = decimal(&narrow)?;
    if value.scale != 0 {
        return Err(Unread::Shape);
    }
    let repaired = matches!(narrow, Cow::Owned(_)) || narrow.contains('.');
    Ok(Read { value: bounded(value.mantissa)?, repaired })
}

/// An exact number of at most [`NUMBER_SCALE`] decimals.
pub(super) fn number(text: &str) -> Result<Read<Decimal>, Unread> {
    let narrow = half_width(text);
    let value = sized(decimal(&narrow)?)?;
    Ok(Read { value, repaired: matches!(narrow, Cow::Owned(_)) })
}

/// Refuses numbers too fine or too large for a column with one denominator.
pub(super) fn sized(value: Decimal) -> Result<Decimal, Unread> {
    if value.scale > NUMBER_SCALE {
        return Err(Unread::Shape);
    }
    if value.mantissa.abs() >= BOUND * 10_i128.pow(value.scale) {
        return Err(Unread::TooLarge);
    }
    Ok(value)
}

/// Yes and no in the accepted spellings.
pub(super) fn truth(text: &str) -> Result<Read<bool>, Unread> {
    let narrow = half_width(text);
    let value = match narrow.to_ascii_lowercase().as_str() {
        "true" | "1" | "y" | "yes" | "是" => true,
        "false" | "0" | "n" | "no" | "否" => false,
        _ => return Err(Unread::Shape),
    };
    Ok(Read { value, repaired: matches!(narrow, Cow::Owned(_)) })
}

/// A date: `YYYY-MM-DD`, `YYYY/M/D`, `YYYY.M.D`, `YYYY年M月D日`, `YYYYMMDD`, or an Excel serial
/// of five digits (1950 to 2099). A time of day of midnight is dropped, any other is refused.
pub(super) fn date(text: &str) -> Result<Read<Date>, Unread> {
    let narrow = half_width(text);
    let mut repaired = matches!(narrow, Cow::Owned(_));
    let mut day = narrow.as_ref();
    if let Some((before, time)) = day.split_once([' ', 'T']) {
        if !is_midnight(time.trim_start()) {
            return Err(Unread::Shape);
        }
        repaired = true;
        day = before;
    }
    if day.len() == 5 && day.bytes().all(|b| b.is_ascii_digit()) {
        let serial = plain_whole(day.as_bytes()).ok_or(Unread::Shape)?;
        let value = from_serial(serial).ok_or(Unread::Shape)?;
        return Ok(Read { value, repaired: true });
    }
    let value = calendar_date(day).ok_or(Unread::Shape)?;
    Ok(Read { value, repaired })
}

fn is_midnight(time: &str) -> bool {
    time.starts_with("00:00") && time.bytes().all(|b| matches!(b, b'0' | b':' | b'.'))
        || matches!(time, "0:00" | "0:00:00")
}

/// The date of an Excel serial of the 1900 system, 1950-01-01 to 2099-12-31.
pub(super) fn from_serial(serial: i64) -> Option<Date> {
    if !(18_264..=73_050).contains(&serial) {
        return None;
    }
    // Serial 25,569 is 1970-01-01.
    i32::try_from(serial - 25_569).ok().map(Date::from_days)
}

fn calendar_date(text: &str) -> Option<Date> {
    if text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) {
        return ymd(&text[..4], &text[4..6], &text[6..]);
    }
    if let Some((year, rest)) = text.split_once('年') {
        let (month, rest) = rest.split_once('月')?;
        return ymd(year, month, rest.strip_suffix('日')?);
    }
    let mark = ['-', '/', '.'].into_iter().find(|mark| text.contains(*mark))?;
    let mut parts = text.split(mark);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    ymd(year, month, day)
}

fn ymd(year: &str, month: &str, day: &str) -> Option<Date> {
    let (year, month) = year_month(year, month)?;
    Date::from_ymd(year, month, u32::try_from(plain_digits(day.as_bytes(), 2)?).ok()?)
}

fn year_month(year: &str, month: &str) -> Option<(i32, u32)> {
    if year.len() != 4 {
        return None;
    }
    let year = i32::try_from(plain_digits(year.as_bytes(), 4)?).ok()?;
    Some((year, u32::try_from(plain_digits(month.as_bytes(), 2)?).ok()?))
}

/// A month as its first day: `YYYY-MM`, `YYYY/M`, `YYYY年M月`, `YYYYMM`, or a date on a first.
pub(super) fn month(text: &str) -> Result<Read<Date>, Unread> {
    let narrow = half_width(text);
    let repaired = matches!(narrow, Cow::Owned(_));
    let parts = if narrow.len() == 6 && narrow.bytes().all(|b| b.is_ascii_digit()) {
        Some((&narrow[..4], &narrow[4..]))
    } else if let Some((year, rest)) = narrow.split_once('年') {
        rest.strip_suffix('月').map(|month| (year, month))
    } else {
        narrow.split_once(['-', '/'])
    };
    let first = parts
        .and_then(|(year, month)| year_month(year, month))
        .and_then(|(year, month)| Month::new(year, month))
        .map(Month::first);
    if let Some(value) = first {
        return Ok(Read { value, repaired });
    }
    let read = date(text)?;
    if read.value.ymd().2 != 1 {
        return Err(Unread::Shape);
    }
    Ok(Read { value: read.value, repaired: true })
}

/// Whether a text is what a spreadsheet writes for a number that lost digits: `1.23457E+17`.
pub(super) fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let Some(exponent) = exponent.strip_prefix('+') else { return false };
    !exponent.is_empty()
        && exponent.bytes().all(|b| b.is_ascii_digit())
        && mantissa.starts_with(|c: char| c.is_ascii_digit())
        && mantissa.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// An identifier: trimmed already; full-width forms narrowed, a final `x` of 18 made `X`, and the
/// `.0` a float column leaves behind taken off where no digit can have been lost.
pub(super) fn identifier(text: &str) -> Result<Read<Cow<'_, str>>, Unread> {
    let narrow = half_width(text);
    let mut repaired = matches!(narrow, Cow::Owned(_));
    if is_scientific(&narrow) {
        return Err(Unread::ThroughFloat);
    }
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let value = if let Some(whole) = narrow.strip_suffix(".0").filter(|whole| digits(whole)) {
        if whole.len() > 15 {
            return Err(Unread::ThroughFloat);
        }
        repaired = true;
        Cow::Owned(whole.to_owned())
    } else if lower_check_letter(narrow.as_bytes()) {
        repaired = true;
        Cow::Owned(narrow.to_ascii_uppercase())
    } else {
        narrow
    };
    Ok(Read { value, repaired })
}

/// Whether 17 digits are followed by a lower-case `x`.
pub(super) fn lower_check_letter(raw: &[u8]) -> bool {
    raw.len() == 18 && raw[17] == b'x' && raw[..17].iter().all(u8::is_ascii_digit)
}

/// The text of a number cell in an identifier or text column; `None` when digits were lost.
#[expect(clippy::disallowed_types, reason = "workbook cells are floats; this is where they end")]
pub(super) fn text_of_float(value: f64) -> Option<String> {
    // Excel keeps 15 significant digits: a longer number has lost its tail.
    (value.is_finite() && value.abs() < 1e15).then(|| format!("{value}"))
}

/// The decimal text of a float: the shortest that reads back, or, where a sum left dust behind
/// the 15th digit, the 15 digits a spreadsheet shows (the second value is then true).
#[expect(clippy::disallowed_types, reason = "workbook cells are floats; this is where they end")]
pub(super) fn decimal_of_float(value: f64) -> Option<(Decimal, bool)> {
    if !value.is_finite() || value.abs() >= 1e15 {
        return None;
    }
    let shortest = decimal(&format!("{value}")).ok();
    if let Some(exact) = shortest.filter(|exact| exact.scale <= NUMBER_SCALE) {
        return Some((exact, false));
    }
    // Fifteen significant digits, written out in full.
    let scientific = format!("{value:.14e}");
    let exponent: i32 = scientific.split_once('e')?.1.parse().ok()?;
    let decimals = usize::try_from((14 - exponent).clamp(0, 29)).ok()?;
    let rounded = decimal(&format!("{value:.decimals$}")).ok();
    match (rounded, shortest) {
        (Some(rounded), _) if rounded.scale <= NUMBER_SCALE => Some((rounded, true)),
        (_, Some(exact)) => Some((exact, false)),
        (rounded, None) => rounded.map(|rounded| (rounded, true)),
    }
}
