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

    /// Reads a plain decimal of yuan: `-12`, `12.5`, `12.50`; zeros beyond the second decimal are
    /// harmless. No sign but `-`, no separators, no currency, no exponent, no blanks.
    ///
    /// # Errors
    /// See [`MoneyError`]; an amount at or beyond 10^12 fen is refused (S11).
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let found = || text.chars().take(40).collect::<String>();
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, part) = match digits.split_once('.') {
            Some((_, "")) => return Err(MoneyError::NotAnAmount { found: found() }),
            Some(pair) => pair,
            None => (digits, ""),
        };
        if whole.is_empty() || !whole.bytes().chain(part.bytes()).all(|b| b.is_ascii_digit()) {
            return Err(MoneyError::NotAnAmount { found: found() });
        }
        if part.bytes().skip(2).any(|b| b != b'0') {
            return Err(MoneyError::TooFine { found: found() });
        }
        let mut fen: i64 = 0;
        for byte in whole.bytes().chain(part.bytes().chain([b'0', b'0']).take(2)) {
            fen = fen * 10 + i64::from(byte - b'0');
            if fen >= FEN_LIMIT {
                return Err(MoneyError::TooLarge { found: found() });
            }
        }
        Ok(Self(if negative { -fen } else { fen }))
    }
}

/// First amount that is too large to be read (S11), in fen.
const FEN_LIMIT: i64 = 1_000_000_000_000;

impl fmt::Display for Fen {
    /// Yuan with two decimals: `-12.05`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let whole = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", whole / 100, whole % 100)
    }
}

/// The amount in words 人民币大写 (支付结算办法 附一 第五条): `壹仟肆佰零玖元伍角整`.
///
/// Of the forms the clause allows, this is the one written: 整 after 元 or 角; 零 after 元 when the
/// digit of 元 is zero and 角 or 分 follow, and when 角 is zero and 分 is not; no 元 part below one
/// yuan. Zero is `零元整`, an amount below zero starts with 负.
#[must_use]
pub fn amount_in_words(amount: Fen) -> String {
    let total = amount.0.unsigned_abs();
    if total == 0 {
        return "零元整".to_owned();
    }
    let (yuan, jiao, fen) = (total / 100, total / 10 % 10, total % 10);
    let mut words = String::new();
    if amount.0 < 0 {
        words.push('负');
    }
    if yuan > 0 {
        whole_in_words(yuan, &mut words);
        words.push('元');
        if (jiao == 0 && fen > 0) || (yuan.is_multiple_of(10) && jiao > 0) {
            words.push('零');
        }
    }
    if jiao > 0 {
        words.push(digit_in_words(jiao));
        words.push('角');
    }
    if fen > 0 {
        words.push(digit_in_words(fen));
        words.push('分');
    } else {
        words.push('整');
    }
    words
}

/// A whole number above zero in words, in groups of four digits: 亿亿, 万亿, 亿, 万, ones. Zeros inside
/// are written once, zeros at the end of a group not at all.
fn whole_in_words(number: u64, words: &mut String) {
    const GROUPS: [(u64, &str); 5] = [
        (10_000_000_000_000_000, "亿"), // of 亿: beyond any budget, still right
        (1_000_000_000_000, "万"),      // 亿 follows, after the group below
        (100_000_000, "亿"),
        (10_000, "万"),
        (1, ""),
    ];
    const PLACES: [(u64, &str); 4] = [(1000, "仟"), (100, "佰"), (10, "拾"), (1, "")];
    let mut started = false;
    let mut gap = false; // zeros since the last digit, inside or between groups
    for (index, (size, name)) in GROUPS.into_iter().enumerate() {
        let group = number / size % 10_000;
        for (place, mark) in PLACES {
            let digit = group / place % 10;
            if digit == 0 {
                // A zero at the end of a group is silent; one before its first digit is not.
                gap = started && (gap || place == 1000 || !group.is_multiple_of(place));
                continue;
            }
            if gap {
                words.push('零');
            }
            (started, gap) = (true, false);
            words.push(digit_in_words(digit));
            words.push_str(mark);
        }
        // 壹佰万亿: the 亿 of the whole upper part is written even where its own group is zero.
        if group > 0 || (index == 2 && started) {
            words.push_str(name);
        }
    }
}

fn digit_in_words(digit: u64) -> char {
    match digit {
        1 => '壹',
        2 => '贰',
        3 => '叁',
        4 => '肆',
        5 => '伍',
        6 => '陆',
        7 => '柒',
        8 => '捌',
        9 => '玖',
        _ => '零',
    }
}
