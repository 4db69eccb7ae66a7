//! Identifiers: 统一社会信用代码, 公民身份号码, 联行号, card numbers.
//!
//! A check answers with the identifier in its written form: full-width characters become plain
//! ones, separators go, letters are upper case. A caller that got other text than it gave has found
//! a value that was repaired (`value_normalised`).

/// The 31 characters of GB 32100; the place of a character is its value.
const USCC_SET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Weights of GB 11643 for the first 17 digits.
const RESIDENT_WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/// Check characters of GB 11643 by the sum modulo 11.
const RESIDENT_CHECKS: &[u8; 11] = b"10X98765432";

/// Why a 统一社会信用代码 is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UsccError {
    /// Not 18 characters.
    #[error("not 18 characters")]
    Length,
    /// A character outside GB 32100's set.
    #[error("a character outside the set of GB 32100")]
    Character,
    /// The check character differs.
    #[error("the check character differs")]
    Check,
}

/// Why a 公民身份号码 is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResidentIdError {
    /// Not 18 characters.
    #[error("not 18 characters")]
    Length,
    /// A character that is not a digit (or a final X).
    #[error("a character that is not a digit or a final X")]
    Character,
    /// The date of birth does not exist.
    #[error("the date of birth does not exist")]
    Birth,
    /// The check character differs.
    #[error("the check character differs")]
    Check,
}

/// Why a 联行号 is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CnapsError {
    /// Not 12 digits.
    #[error("not 12 digits")]
    Shape,
    /// The check digit differs.
    #[error("the check digit differs")]
    Check,
}

/// Checks a 统一社会信用代码 (GB 32100); returns it without separators, in upper case.
///
/// Any character of the set may stand at any place: the standard lets the first be a letter.
///
/// # Errors
/// See [`UsccError`].
pub fn check_uscc(text: &str) -> Result<String, UsccError> {
    let code = plain::<18>(text).ok_or(UsccError::Length)?;
    let mut sum = 0;
    let mut weight = 1; // 3^i modulo 31
    for byte in &code[..17] {
        sum += uscc_value(*byte).ok_or(UsccError::Character)? * weight;
        weight = weight * 3 % 31;
    }
    let check = uscc_value(code[17]).ok_or(UsccError::Character)?;
    // The outer modulo matters: a sum divisible by 31 has check value 0, not 31.
    if check != (31 - sum % 31) % 31 {
        return Err(UsccError::Check);
    }
    Ok(written(&code))
}

fn uscc_value(byte: u8) -> Option<u32> {
    match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        _ => USCC_SET.iter().zip(0..).find(|(member, _)| **member == byte).map(|(_, value)| value),
    }
}

/// Checks a 公民身份号码 (GB 11643); returns the number with upper-case X and the date of birth.
///
/// Region codes are not checked: codes come and go, and a number keeps the one it was issued with.
///
/// # Errors
/// See [`ResidentIdError`].
pub fn check_resident_id(text: &str) -> Result<(String, super::Date), ResidentIdError> {
    let id = plain::<18>(text).ok_or(ResidentIdError::Length)?;
    let mut sum = 0;
    for (byte, weight) in id[..17].iter().zip(RESIDENT_WEIGHTS) {
        sum += digit(*byte).ok_or(ResidentIdError::Character)? * weight;
    }
    if id[17] != b'X' && digit(id[17]).is_none() {
        return Err(ResidentIdError::Character);
    }
    let number = |from: usize, until: usize| {
        id[from..until].iter().fold(0_u32, |sum, byte| sum * 10 + u32::from(byte - b'0'))
    };
    let birth = super::Date::from_ymd(number(6, 10).cast_signed(), number(10, 12), number(12, 14))
        .ok_or(ResidentIdError::Birth)?;
    if RESIDENT_CHECKS.get(sum as usize % 11) != Some(&id[17]) {
        return Err(ResidentIdError::Check);
    }
    Ok((written(&id), birth))
}

/// Checks a 联行号 (CNAPS, ISO 7064 MOD 11,10). Strict: 12 digits and nothing else.
///
/// # Errors
/// See [`CnapsError`].
pub fn check_cnaps(text: &str) -> Result<(), CnapsError> {
    let bytes = text.as_bytes();
    if bytes.len() != 12 {
        return Err(CnapsError::Shape);
    }
    let mut product = 10;
    let mut last = 0;
    for (place, byte) in bytes.iter().enumerate() {
        let value = digit(*byte).ok_or(CnapsError::Shape)?;
        last = value;
        if place < 11 {
            let sum = match (product + value) % 10 {
                0 => 10,
                sum => sum,
            };
            product = sum * 2 % 11;
        }
    }
    if (product + last) % 10 == 1 { Ok(()) } else { Err(CnapsError::Check) }
}

/// Whether a card number satisfies Luhn. Strict: at least two digits and nothing else.
///
/// Only meaningful for bank cards (`62…`); corporate accounts have no public check.
#[must_use]
pub fn luhn_valid(text: &str) -> bool {
    let mut sum = 0;
    for (place, byte) in text.bytes().rev().enumerate() {
        let Some(value) = digit(byte) else { return false };
        let doubled = if place % 2 == 1 { value * 2 } else { value };
        sum = (sum + doubled / 10 + doubled % 10) % 10;
    }
    text.len() >= 2 && sum == 0
}

fn digit(byte: u8) -> Option<u32> {
    byte.is_ascii_digit().then(|| u32::from(byte - b'0'))
}

/// The `N` characters of an identifier in their written form; `None` when there are more or fewer.
/// A character that cannot be folded to ASCII becomes one that no identifier has.
fn plain<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut found = [0; N];
    let mut count = 0;
    for symbol in text.chars() {
        let folded = match symbol {
            // The full-width forms stand at a fixed distance from ASCII.
            '\u{ff01}'..='\u{ff5e}' => {
                char::from_u32(u32::from(symbol) - 0xfee0).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            other => other,
        };
        if matches!(folded, ' ' | '\t' | '-' | '\u{a0}' | '\u{3000}') {
            continue;
        }
        *found.get_mut(count)? = u8::try_from(folded).map_or(b'?', |b| b.to_ascii_uppercase());
        count += 1;
    }
    (count == N).then_some(found)
}

/// Bytes that were checked to be ASCII, as text.
fn written(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}
