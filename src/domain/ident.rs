//! Identifiers: 统一社会信用代码, 公民身份号码, 联行号, card numbers.

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
/// # Errors
/// See [`UsccError`].
pub fn check_uscc(text: &str) -> Result<String, UsccError> {
    let _ = text;
    Err(UsccError::Length)
}

/// Checks a 公民身份号码 (GB 11643); returns the number with upper-case X and the date of birth.
///
/// # Errors
/// See [`ResidentIdError`].
pub fn check_resident_id(text: &str) -> Result<(String, super::Date), ResidentIdError> {
    let _ = text;
    Err(ResidentIdError::Length)
}

/// Checks a 联行号 (CNAPS, ISO 7064 MOD 11,10).
///
/// # Errors
/// See [`CnapsError`].
pub fn check_cnaps(text: &str) -> Result<(), CnapsError> {
    let _ = text;
    Err(CnapsError::Shape)
}

/// Whether a card number satisfies Luhn.
#[must_use]
pub fn luhn_valid(text: &str) -> bool {
    let _ = text;
    false
}
