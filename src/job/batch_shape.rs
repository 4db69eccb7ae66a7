//! Shapes of texts that banks exchange: encodings, line ends, amounts and dates.

use crate::domain::{Date, Fen};

/// Encodings of texts that banks and treasuries exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextEncoding {
    /// GBK: one or two bytes a character.
    #[default]
    Gbk,
    /// GB 18030: one, two or four.
    Gb18030,
    /// UTF-8, without byte order mark.
    Utf8,
}

impl TextEncoding {
    /// The word in a profile.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gbk => "GBK",
            Self::Gb18030 => "GB18030",
            Self::Utf8 => "UTF-8",
        }
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        let known = [Self::Gbk, Self::Gb18030, Self::Utf8];
        known.into_iter().find(|known| known.word() == word)
    }

    /// The bytes of a text.
    ///
    /// # Errors
    /// The first character that the encoding does not have. Private characters are nobody's: two
    /// systems read them as different ones. Of GBK those are left out that only GB 18030 and later
    /// tables gave two bytes, and the euro sign, which has one byte or two by the system.
    pub fn encode(self, text: &str) -> Result<Vec<u8>, char> {
        if let Some(strange) = text.chars().find(|found| self.lacks(*found)) {
            return Err(strange);
        }
        let encoding = match self {
            Self::Gbk => encoding_rs::GBK,
            Self::Gb18030 => encoding_rs::GB18030,
            Self::Utf8 => return Ok(text.as_bytes().to_vec()),
        };
        let (bytes, _, replaced) = encoding.encode(text);
        if !replaced {
            return Ok(bytes.into_owned());
        }
        let unknown = |found: &char| encoding.encode(found.encode_utf8(&mut [0; 4])).2;
        Err(text.chars().find(unknown).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn lacks(self, found: char) -> bool {
        match found {
            '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}' => true,
            _ => self == Self::Gbk && OUTSIDE_GBK.iter().any(|of| of.contains(&found)),
        }
    }
}

/// Characters with two bytes in GB 18030 and later tables only, and the euro sign, which has one byte
/// or two by the system.
const OUTSIDE_GBK: [std::ops::RangeInclusive<char>; 9] = [
    'ǹ'..='ǹ',
    'ḿ'..='ḿ',
    '€'..='€',
    '\u{2E80}'..='\u{2EFF}',
    '\u{2FF0}'..='\u{2FFB}',
    '〾'..='〾',
    '\u{3400}'..='\u{4DBF}',
    '\u{9FA6}'..='\u{9FFF}',
    '\u{FE10}'..='\u{FE1F}',
];

/// End of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineEnd {
    /// Carriage return and line feed.
    #[default]
    CrLf,
    /// Line feed.
    Lf,
}

impl LineEnd {
    /// Its bytes.
    #[must_use]
    pub const fn bytes(self) -> &'static [u8] {
        match self {
            Self::CrLf => b"\r\n",
            Self::Lf => b"\n",
        }
    }
}

/// Side of a width a value stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// Padded after.
    #[default]
    Left,
    /// Padded before.
    Right,
}

/// How an amount is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountShape {
    /// Yuan with a point and two decimals: `123.40`.
    Yuan,
    /// Yuan with two decimals and no point: `12340`, the digits of fen.
    YuanWithoutPoint,
    /// Fen: `12340`.
    Fen,
}

impl AmountShape {
    /// The digits of an amount that is not below zero.
    #[must_use]
    pub fn write(self, amount: Fen) -> String {
        match self {
            Self::Yuan => amount.to_string(),
            Self::YuanWithoutPoint | Self::Fen => amount.0.to_string(),
        }
    }

    /// Reads an amount, padded with zeros or not; `None` for anything else.
    #[must_use]
    pub fn read(self, text: &str) -> Option<Fen> {
        if self == Self::Yuan {
            return Fen::parse(text).ok();
        }
        // As fen they are digits; the bounds of an amount are those of yuan.
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let fen = digits.then(|| text.parse::<i64>().ok())?.map(Fen)?;
        Fen::parse(&fen.to_string()).ok()
    }
}

/// How a date is written: `YYYY`, `MM` and `DD` in any order, other characters as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatePattern(String);

impl Default for DatePattern {
    fn default() -> Self {
        Self("YYYYMMDD".to_owned())
    }
}

impl DatePattern {
    /// A pattern; `None` where one of its three parts is missing or stands twice.
    #[must_use]
    pub fn parse(pattern: &str) -> Option<Self> {
        let once = |part: &str| pattern.matches(part).count() == 1;
        let whole = once("YYYY") && once("MM") && once("DD");
        let more = pattern.replacen("YYYY", "", 1).replacen("MM", "", 1).replacen("DD", "", 1);
        (whole && !more.contains(['Y', 'M', 'D', '{', '}'])).then(|| Self(pattern.to_owned()))
    }

    /// The pattern as the profile has it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// A date in this pattern.
    #[must_use]
    pub fn write(&self, date: Date) -> String {
        let (year, month, day) = date.ymd();
        self.0
            .replacen("YYYY", &format!("{year:04}"), 1)
            .replacen("MM", &format!("{month:02}"), 1)
            .replacen("DD", &format!("{day:02}"), 1)
    }

    /// Reads a date of this pattern; `None` for any other text.
    #[must_use]
    pub fn read(&self, text: &str) -> Option<Date> {
        let part = |part: &str| {
            let at = self.0.find(part)?;
            text.get(at..at + part.len())?.parse::<u32>().ok()
        };
        let year = i32::try_from(part("YYYY")?).ok()?;
        let date = Date::from_ymd(year, part("MM")?, part("DD")?)?;
        // What stands between the parts has to be what the pattern says.
        (self.write(date) == text).then_some(date)
    }
}
