//! Batch profiles: the texts a bank takes payments in and answers with, as data
//! (`data/reference/profiles/*.toml` with `kind = "batch"`, FORMATS 3.4, `docs/pay.md`).
//!
//! A profile is read and checked here and nothing else; payments are written with it by `publish`,
//! answers read with it by `intake`.

use super::batch_read;
use crate::domain::{Date, Fen, Said};
use std::collections::BTreeMap;

/// A profile that was read and has no fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchProfile {
    /// Id, `{profile}` in file names.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// Encoding of the file; widths are counted in its bytes.
    pub encoding: TextEncoding,
    /// Bytes at the end of each line.
    pub line_end: LineEnd,
    /// Text between two fields of a line; `None`: every field has its width.
    pub separator: Option<String>,
    /// First line, its fields; empty: there is none.
    pub head: Vec<BatchField>,
    /// One line of each payment.
    pub detail: Vec<BatchField>,
    /// Line after the payments; empty: there is none.
    pub tail: Vec<BatchField>,
    /// Last line, which says that nothing was lost.
    pub end_mark: Option<String>,
    /// Most payments of one file, 1 or more; `None`: any number.
    pub rows_per_file: Option<usize>,
    /// Most money of one file, fen; `None`: any amount.
    pub amount_limit: Option<Fen>,
    /// Name of a file, with `{job}`, `{period}`, `{profile}`, `{part}`, `{parts}`, `{date}`,
    /// `{batch_no}`.
    pub file_name: String,
    /// What the bank sends back, where the profile tells it.
    pub answer: Option<AnswerProfile>,
}

/// One field of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchField {
    /// Name in messages: its own, else what it comes from.
    pub name: String,
    /// Where the value comes from.
    pub source: FieldSource,
    /// Bytes of the field. With a separator: the most it may have, and nothing is padded.
    pub width: Option<usize>,
    /// Side the value stands on.
    pub align: Align,
    /// ASCII character that fills the rest of a width.
    pub pad: char,
    /// Value -> what is written; other values stay.
    pub codes: BTreeMap<String, String>,
    /// How a date is written.
    pub date: DatePattern,
    /// How an amount is written.
    pub amount: AmountShape,
    /// Whether an empty value is an error.
    pub required: bool,
}

/// Where the value of a field comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldSource {
    /// The same text in every line.
    Constant(String),
    /// A value of the payment or of the file.
    Value(BatchValue),
}

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// All of them with their words in a profile.
            pub const ALL: &[(&str, Self)] = &[$(($word, Self::$variant),)+];

            /// The word in a profile.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The one a word means.
            #[must_use]
            pub fn of(word: &str) -> Option<Self> {
                Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
            }
        }
    };
}

words! {
    /// A value a field may come from.
    BatchValue {
        /// Stable key of the payment.
        EndToEndId = "end_to_end_id",
        /// Number of the payment.
        PaymentNo = "payment_no",
        /// 统一社会信用代码 of the payee.
        InstitutionId = "institution_id",
        /// Name of the institution.
        InstitutionName = "institution_name",
        /// Holder of the payee's account.
        AccountName = "account_name",
        /// The payee's account.
        AccountNo = "account_no",
        /// Its bank.
        BankName = "bank_name",
        /// The bank's 联行号.
        BankNo = "bank_no",
        /// What is paid.
        Amount = "amount",
        /// Pay date of the payment.
        PayOn = "pay_on",
        /// Number of the payment in the file, from 1.
        Row = "row",
        /// Funding source.
        Source = "source",
        /// 指标文号.
        BudgetDocNo = "budget_doc_no",
        /// 功能分类.
        ExpFuncCode = "exp_func_code",
        /// 政府经济分类.
        GovEcoCode = "gov_eco_code",
        /// 部门经济分类.
        DepEcoCode = "dep_eco_code",
        /// 资金性质.
        FundTypeCode = "fund_type_code",
        /// 项目代码.
        ProjectCode = "project_code",
        /// 附言.
        Purpose = "purpose",
        /// Payments in the file.
        Count = "count",
        /// Sum of the file.
        Total = "total",
        /// Number of the file, from 1.
        Part = "part",
        /// Number of files.
        Parts = "parts",
        /// Day of the release in Beijing.
        Date = "date",
        /// Number of the file that no other run has: period, run and part.
        BatchNo = "batch_no",
        /// Holder of the payer's account.
        PayerAccountName = "payer_account_name",
        /// The payer's account.
        PayerAccountNo = "payer_account_no",
        /// Its bank.
        PayerBankName = "payer_bank_name",
        /// The bank's 联行号.
        PayerBankNo = "payer_bank_no",
        /// 预算单位编码.
        AgencyCode = "agency_code",
        /// 预算单位名称.
        AgencyName = "agency_name",
        /// 区划编码.
        DivisionCode = "division_code",
        /// Currency code.
        Currency = "currency",
        /// Job id.
        Job = "job",
        /// Settlement period, `YYYY-MM`.
        Period = "period",
        /// Run id, 64 characters.
        RunId = "run_id",
    }
}

impl BatchValue {
    /// Whether it is an amount, written by [`BatchField::amount`].
    #[must_use]
    pub const fn is_amount(self) -> bool {
        matches!(self, Self::Amount | Self::Total)
    }

    /// Whether it is a date, written by [`BatchField::date`].
    #[must_use]
    pub const fn is_date(self) -> bool {
        matches!(self, Self::PayOn | Self::Date)
    }

    /// Whether it is a whole number.
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Row | Self::Count | Self::Part | Self::Parts)
    }

    /// Whether each payment has its own: such a value stands in detail lines only.
    #[must_use]
    pub const fn is_of_payment(self) -> bool {
        (self as usize) < (Self::Purpose as usize)
    }
}

words! {
    /// What a field of an answer tells.
    AnswerPart {
        /// Stable key of the payment.
        EndToEndId = "end_to_end_id",
        /// Number of the payment.
        PaymentNo = "payment_no",
        /// Account of the payee.
        AccountNo = "account_no",
        /// Its holder.
        AccountName = "account_name",
        /// What was paid or refused; it may be less than was asked.
        Amount = "amount",
        /// What became of it; [`AnswerProfile::said`] tells the codes.
        Status = "status",
        /// Code of the reason.
        ReasonCode = "reason_code",
        /// Reason in words.
        Reason = "reason",
        /// The bank's reference.
        BankRef = "bank_ref",
        /// Day it was booked or decided.
        Date = "date",
    }
}

/// The text a bank sends back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerProfile {
    /// Encoding.
    pub encoding: TextEncoding,
    /// Text between two fields; `None`: every field has its width in bytes.
    pub separator: Option<String>,
    /// Lines at the beginning that tell nothing.
    pub skip: usize,
    /// How a line begins that is no answer: a control line.
    pub control: Option<String>,
    /// Last line; where it is missing, the file is cut off.
    pub end_mark: Option<String>,
    /// Fields by position.
    pub fields: Vec<AnswerField>,
    /// Status as the bank writes it -> what it says.
    pub status: BTreeMap<String, Said>,
}

impl AnswerProfile {
    /// What a status says; `None` for one that the profile does not know.
    #[must_use]
    pub fn said(&self, status: &str) -> Option<Said> {
        self.status.get(status).copied()
    }
}

/// One field of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerField {
    /// What it tells; `None`: it is passed over.
    pub is: Option<AnswerPart>,
    /// Bytes, where there is no separator.
    pub width: Option<usize>,
    /// How an amount is written.
    pub amount: AmountShape,
    /// How a date is written.
    pub date: DatePattern,
}

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

/// One fault of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchFault {
    /// Name of the file.
    pub name: String,
    /// Where: a key, or a field of a line by its number; empty for the file as a whole.
    pub place: String,
    /// What was found, what is expected, what to do.
    pub message: String,
}

impl std::fmt::Display for BatchFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, place, message } = self;
        let between = if place.is_empty() { "" } else { ": " };
        write!(f, "{name}: {place}{between}{message}")
    }
}

/// All faults of a profile, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.0))]
pub struct BatchProfileError(pub Vec<BatchFault>);

fn lines(faults: &[BatchFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl BatchProfile {
    /// Reads a profile; `name` stands in messages.
    ///
    /// # Errors
    /// Every fault of it, each with its place and what to do.
    pub fn parse(name: &str, text: &str) -> Result<Self, BatchProfileError> {
        batch_read::read(name, text)
    }
}
