//! Answers 回单: what a bank or the treasury says of payments, whatever file it came in.
//!
//! The texts are as delivered, trimmed; an absent one is empty. Nothing here is believed yet: that is
//! `reconcile`'s.

use super::Date;

/// The kind of file an answer came in (FORMATS 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AnswerKind {
    /// 8207 批量业务支付明细 with its X-fields filled in.
    Voucher8207,
    /// 2252 收款银行退款通知.
    Return2252,
    /// Batch text of a bank, by a profile.
    Batch,
    /// ISO 20022 pain.002, a status report.
    Pain002,
    /// ISO 20022 camt.052, an intraday report: told, never booked.
    Camt052,
    /// ISO 20022 camt.053, a statement of an account.
    Camt053,
    /// ISO 20022 camt.054, a notification of debits and credits.
    Camt054,
    /// A CSV file or workbook (`answers` 回单).
    Table,
}

impl AnswerKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Voucher8207,
        Self::Return2252,
        Self::Batch,
        Self::Pain002,
        Self::Camt052,
        Self::Camt053,
        Self::Camt054,
        Self::Table,
    ];

    /// The kind of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The word in outputs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Voucher8207 => "8207",
            Self::Return2252 => "2252",
            Self::Batch => "batch",
            Self::Pain002 => "pain.002",
            Self::Camt052 => "camt.052",
            Self::Camt053 => "camt.053",
            Self::Camt054 => "camt.054",
            Self::Table => "table",
        }
    }
}

/// What is said of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Said {
    /// Received, or under way: nothing is decided (ACTC, ACCP, ACSP, PDNG, an entry not booked).
    #[default]
    Pending,
    /// The money has left our account (ACSC, ACCC, a booked debit, `XPayAmt`).
    Paid,
    /// Refused: it never left (RJCT, CANC, `XAddWordCode` with nothing paid).
    Rejected,
    /// It left and came back (a booked return or reversal, 2252).
    Returned,
    /// A credit that does not say it is a return.
    Credit,
}

impl Said {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Paid, Self::Rejected, Self::Returned, Self::Credit];

    /// The word in the store and in outputs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Rejected => "rejected",
            Self::Returned => "returned",
            Self::Credit => "credit",
        }
    }

    /// What a word means.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|said| said.word() == word)
    }
}

/// What an answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Scope {
    /// One payment.
    #[default]
    Payment,
    /// All payments of a batch booked or judged in one: [`Answer::batch_ref`] names it.
    Batch,
    /// All payments of the message named in [`AnswerMessage::original_id`].
    Message,
}

/// One statement about one payment (or, by its scope, about several).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// What it says.
    pub said: Said,
    /// About what.
    pub scope: Scope,
    /// The bank's or treasury's own word: `RJCT`, `ACSC`, `BOOK`, 失败原因代码 …
    pub status: Box<str>,
    /// End-to-end id; empty for `NOTPROVIDED`.
    pub end_to_end_id: Box<str>,
    /// Instruction id; for 8207 and 2252 the `Id` of the detail.
    pub instruction_id: Box<str>,
    /// Number of the voucher: `OriVoucherNo`.
    pub voucher_no: Box<str>,
    /// Payment information id of our message (`OrgnlPmtInfId`, `PmtInfId`), or the batch's reference.
    pub batch_ref: Box<str>,
    /// Account of the payee (for a return: of who sends it back).
    pub account_no: Box<str>,
    /// Its holder; a hint only.
    pub account_name: Box<str>,
    /// Hundredths of the currency, never below zero; `None` where nothing is said.
    pub amount_fen: Option<i64>,
    /// Currency code; empty is ours.
    pub currency: Box<str>,
    /// Reason code: ISO external code, `XAddWordCode`, the bank's own.
    pub reason_code: Box<str>,
    /// Reason in words.
    pub reason: Box<str>,
    /// The bank's reference: `AcctSvcrRef`, `XAgentBusinessNo`.
    pub bank_ref: Box<str>,
    /// Day it was booked or decided.
    pub bank_date: Option<Date>,
    /// The bank marks it as the reversal of an earlier entry: a debit so marked takes a credit back and
    /// is no payment of its own.
    pub reversal: bool,
    /// Place in [`AnswerMessage::batches`] of the entry this is a detail of.
    pub batch: Option<u32>,
    /// Record number in the file, 1 = the first entry, detail or row.
    pub record: u32,
}

/// An entry of a statement that books several payments in one sum.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchEntry {
    /// Hundredths of the currency, never below zero.
    pub amount_fen: i64,
    /// Number of payments, where it is told.
    pub count: Option<u32>,
    /// Its reference.
    pub batch_ref: Box<str>,
    /// Details that stand in the file.
    pub details: u32,
    /// Record number in the file.
    pub record: u32,
}

/// The account and balances of a statement (camt.053, camt.052).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    /// Our account.
    pub account_no: Box<str>,
    /// Currency.
    pub currency: Box<str>,
    /// Booked opening balance (OPBD, else PRCD), signed hundredths.
    pub opening_fen: Option<i64>,
    /// Booked closing balance (CLBD), signed hundredths.
    pub closing_fen: Option<i64>,
    /// Sum of the booked entries: credits less debits.
    pub entries_fen: i64,
    /// First day it covers.
    pub from: Option<Date>,
    /// Last day it covers.
    pub until: Option<Date>,
}

/// One message: a voucher, a status report, one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerMessage {
    /// Kind.
    pub kind: AnswerKind,
    /// Its own id; with the kind it makes the same message known again. Empty where it has none.
    pub message_id: Box<str>,
    /// The message it answers (`OrgnlMsgId`, `OriginalVoucherNo`).
    pub original_id: Box<str>,
    /// What it says, in the order of the file.
    pub answers: Vec<Answer>,
    /// Entries that book several payments.
    pub batches: Vec<BatchEntry>,
    /// The statement, where it is one.
    pub statement: Option<Statement>,
}

/// What could not be read in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Record number; 0 is the whole file.
    pub record: u32,
    /// What was found, where, and what was expected.
    pub what: String,
}

/// A file of answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerFile {
    /// File name without folders.
    pub name: String,
    /// SHA-256 of its bytes, lower-case hex.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Its messages, in order.
    pub messages: Vec<AnswerMessage>,
    /// What could not be read; with no message besides, the file was refused.
    pub unread: Vec<Unread>,
}
