//! Money: whole fen, checked.

use std::fmt;

/// An amount of the pack's currency in hundredths (fen 分). `i64`; |amount| < 10^12 at intake (S11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Fen(pub i64);

/// Text that is not an amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a number in any accepted spelling.
    #[error("{found:?} is not an amount; expected digits with at most two decimals")]
    NotAnAmount {
        /// The text as found.
        found: String,
    },
    /// More than two decimals that are not zero.
    #[error("{found:?} has more than two decimals")]
    TooFine {
        /// The text as found.
        found: String,
    },
    /// At or beyond 10^12 fen.
    #[error("{found:?} is beyond 10^12 fen")]
    TooLarge {
        /// The text as found.
        found: String,
    },
}

impl Fen {
    /// Checked sum.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

impl fmt::Display for Fen {
    /// Yuan with two decimals: `-12.05`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let whole = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", whole / 100, whole % 100)
    }
}

/// The amount in words 人民币大写 (支付结算办法 附一 第五条): `壹仟肆佰零玖元伍角整`.
#[must_use]
pub fn amount_in_words(amount: Fen) -> String {
    let _ = amount;
    String::new() // filled by the identifiers work
}
