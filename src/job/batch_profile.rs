//! Batch profiles: the texts a bank takes payments in and answers with, as data
//! (`data/reference/profiles/*.toml` with `kind = "batch"`, FORMATS 3.4, `docs/pay.md`).
//!
//! A profile is read and checked here and nothing else; payments are written with it by `publish`,
//! answers read with it by `intake`.

use super::batch_read;
use super::batch_shape::{Align, AmountShape, DatePattern, LineEnd, TextEncoding};
use crate::domain::{Fen, Said};
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
