//! Why a file for bank or treasury cannot be made: which payment, which field, what to do.

use std::fmt;
use std::path::PathBuf;

use crate::domain::Fen;
use crate::job::BatchProfileError;

/// A field of a payment, or of the payer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Number of the payment; `None`: the field is of the job's `[pay]`, or of the whole file.
    pub payment: Option<String>,
    /// The field.
    pub field: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.payment {
            Some(payment) => write!(f, "payment {payment}, {}", self.field),
            None => write!(f, "[pay], {}", self.field),
        }
    }
}

/// What a length counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wide {
    /// Characters.
    Characters,
    /// Bytes of the file's encoding.
    Bytes,
}

impl fmt::Display for Wide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Characters => "characters",
            Self::Bytes => "bytes",
        })
    }
}

/// Why a file cannot be made; nothing is released then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BankError {
    /// A value is longer than the file allows: nothing is cut that names a payee or an account.
    #[error(
        "{file}: {place} has {found} {wide}; expected at most {most}; hint: correct it where it was \
         delivered (or the width of the profile) and settle the period again"
    )]
    TooLong {
        /// The file or profile.
        file: String,
        /// Where.
        place: Place,
        /// Its length.
        found: usize,
        /// The most there may be.
        most: usize,
        /// What is counted.
        wide: Wide,
    },
    /// A value that must be there is not.
    #[error(
        "{file}: {place} is empty; expected a value; hint: deliver it and settle the period again"
    )]
    Empty {
        /// The file or profile.
        file: String,
        /// Where.
        place: Place,
    },
    /// A character the file cannot hold.
    #[error(
        "{file}: {place} has {found:?} (U+{:04X}); expected characters of {of}; hint: correct it \
         where it was delivered and settle the period again", u32::from(*found)
    )]
    Character {
        /// The file or profile.
        file: String,
        /// Where.
        place: Place,
        /// The character.
        found: char,
        /// Encoding, or `XML` for control characters.
        of: &'static str,
    },
    /// A value holds the separator of the profile.
    #[error(
        "{file}: {place} is {value:?}, which has the separator {separator:?}; expected a value \
         without; hint: correct it where it was delivered, or choose another separator"
    )]
    Separator {
        /// The profile.
        file: String,
        /// Where.
        place: Place,
        /// The value.
        value: String,
        /// The separator.
        separator: String,
    },
    /// One payment is more than a file may pay.
    #[error(
        "{file}: payment {payment} is {amount} yuan; expected at most {limit}, the amount_limit of \
         the profile; hint: take the profile out of pay.files, or raise its amount_limit"
    )]
    AboveLimit {
        /// The profile.
        file: String,
        /// Number of the payment.
        payment: String,
        /// Its amount.
        amount: Fen,
        /// The limit.
        limit: Fen,
    },
    /// Two files would have one name.
    #[error("two files are named {name}; expected one each; hint: file_name of the profile")]
    SameName {
        /// The name.
        name: String,
    },
    /// `pay.json` names a profile and does not hold it.
    #[error("pay.json: profile {name} is not there; expected its text; hint: run the period again")]
    NoProfile {
        /// The profile.
        name: String,
    },
    /// A profile has faults.
    #[error(transparent)]
    Profile(#[from] BatchProfileError),
    /// `payments.csv` has a payment `pay.json` does not tell of.
    #[error(
        "pay.json: payment {payment_no} is not told in whole; expected it as in payments.csv; \
         hint: run the period again"
    )]
    Unknown {
        /// Number of the payment.
        payment_no: String,
    },
    /// `payments.csv` cannot be read.
    #[error("payments.csv: {0}; expected the file as it was settled; hint: run the period again")]
    Payments(String),
    /// `pay.json` cannot be read.
    #[error(
        "{}: {reason}; expected the file as it was settled; hint: run the period again",
        path.display()
    )]
    PayFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The packs count in no currency a bank knows.
    #[error(
        "[pay]: the packs count in {found:?}; expected yuan or a currency code of three letters; \
         hint: currency in pack.toml"
    )]
    Currency {
        /// The unit of the packs.
        found: String,
    },
    /// The time of the release is none.
    #[error("the release was at {found:?}; expected a moment as 2026-10-12T09:30:00+08:00")]
    Moment {
        /// The text.
        found: String,
    },
    /// A sum does not fit 64 bits.
    #[error("a sum of payments is beyond 9 x 10^16 yuan; expected amounts below 10^12 fen each")]
    Overflow,
}
