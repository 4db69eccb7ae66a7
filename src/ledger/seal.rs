//! Seals: a count, a sum and a hash over the rows of a run, written into its event.
//!
//! The same functions seal rows on their way in and rows read back, so the two cannot drift. A row
//! is hashed as its fields in the order of the table: an integer as 8 bytes (two's complement,
//! highest first), a text as its length in 8 bytes and its UTF-8, a missing value as length -1.

use crate::domain::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Bytes gathered before they go into the hash.
const GATHER_BYTES: usize = 64 * 1024;

/// A seal being made.
pub(super) struct Seal {
    rows: u64,
    sum_fen: i128,
    gathered: Vec<u8>,
    hash: Sha256,
}

/// A row of one of the tables of a run.
pub(super) trait Sealed {
    /// The fields in the order of the table, and the row's fen for the sum.
    fn seal(&self, seal: &mut Seal) -> i64;
}

impl Seal {
    /// A seal over no rows.
    pub(super) fn new() -> Self {
        Self {
            rows: 0,
            sum_fen: 0,
            gathered: Vec::with_capacity(GATHER_BYTES + 4096),
            hash: Sha256::new(),
        }
    }

    /// Adds a row.
    pub(super) fn add<R: Sealed>(&mut self, row: &R) {
        self.sum_fen += i128::from(row.seal(self));
        self.rows += 1;
        if self.gathered.len() >= GATHER_BYTES {
            self.hash.update(&self.gathered);
            self.gathered.clear();
        }
    }

    fn int(&mut self, value: i64) {
        self.gathered.extend_from_slice(&value.to_be_bytes());
    }

    fn maybe(&mut self, value: Option<i64>) {
        match value {
            Some(value) => {
                self.int(8);
                self.int(value);
            }
            None => self.int(-1),
        }
    }

    fn text(&mut self, text: &str) {
        self.gathered.extend_from_slice(&(text.len() as u64).to_be_bytes());
        self.gathered.extend_from_slice(text.as_bytes());
    }

    /// `{"rows": …, "sha256": …, "sum_fen": …}`.
    pub(super) fn finish(mut self) -> Value {
        self.hash.update(&self.gathered);
        let sum_fen = self.sum_fen.to_string(); // as text: JSON numbers end at 2^53 for many readers
        json!({ "rows": self.rows, "sha256": hex(&self.hash.finalize()), "sum_fen": sum_fen })
    }
}

/// A payee of a run.
pub(super) struct PayeeRow<'a> {
    pub(super) payee: i64,
    pub(super) run_no: i64,
    /// Id, name, account name, account, bank, bank number, hold reason.
    pub(super) texts: [&'a str; 7],
    pub(super) payable_fen: i64,
}

impl Sealed for PayeeRow<'_> {
    fn seal(&self, seal: &mut Seal) -> i64 {
        seal.int(self.payee);
        seal.int(self.run_no);
        self.texts.iter().for_each(|text| seal.text(text));
        seal.int(self.payable_fen);
        self.payable_fen
    }
}

/// A payment of a run.
pub(super) struct PaymentRow<'a> {
    pub(super) payment: i64,
    pub(super) payment_no: &'a str,
    pub(super) end_to_end_id: &'a str,
    pub(super) payee: i64,
    pub(super) source: &'a str,
    pub(super) budget_doc_no: &'a str,
    pub(super) pay_on: Option<i64>,
    pub(super) amount_fen: i64,
    pub(super) lines: i64,
}

impl Sealed for PaymentRow<'_> {
    fn seal(&self, seal: &mut Seal) -> i64 {
        seal.int(self.payment);
        seal.text(self.payment_no);
        seal.text(self.end_to_end_id);
        seal.int(self.payee);
        seal.text(self.source);
        seal.text(self.budget_doc_no);
        seal.maybe(self.pay_on);
        seal.int(self.amount_fen);
        seal.int(self.lines);
        self.amount_fen
    }
}

/// A schedule line of a run.
pub(super) struct LineRow<'a> {
    pub(super) line: i64,
    pub(super) payee: i64,
    pub(super) line_kind: &'a str,
    pub(super) source_period: i64,
    pub(super) item: &'a str,
    pub(super) quantity: &'a str,
    pub(super) rate_fen: Option<i64>,
    /// Gross, cut, carried in, carried out.
    pub(super) parts_fen: [i64; 4],
    pub(super) payable_fen: i64,
    pub(super) source: &'a str,
    pub(super) budget_doc_no: &'a str,
    pub(super) pay_on: Option<i64>,
    pub(super) rule_version: &'a str,
    pub(super) payment: Option<i64>,
}

impl Sealed for LineRow<'_> {
    fn seal(&self, seal: &mut Seal) -> i64 {
        seal.int(self.line);
        seal.int(self.payee);
        seal.text(self.line_kind);
        seal.int(self.source_period);
        seal.text(self.item);
        seal.text(self.quantity);
        seal.maybe(self.rate_fen);
        self.parts_fen.iter().for_each(|part| seal.int(*part));
        seal.int(self.payable_fen);
        seal.text(self.source);
        seal.text(self.budget_doc_no);
        seal.maybe(self.pay_on);
        seal.text(self.rule_version);
        seal.maybe(self.payment);
        self.payable_fen
    }
}

/// An institution of a run's period.
pub(super) struct InstitutionRow<'a> {
    pub(super) institution: i64,
    pub(super) run_no: i64,
    pub(super) institution_id: &'a str,
    pub(super) headcount: i64,
    pub(super) slots: i64,
    pub(super) amount_fen: i64,
}

impl Sealed for InstitutionRow<'_> {
    fn seal(&self, seal: &mut Seal) -> i64 {
        seal.int(self.institution);
        seal.int(self.run_no);
        seal.text(self.institution_id);
        seal.int(self.headcount);
        seal.int(self.slots);
        seal.int(self.amount_fen);
        self.amount_fen
    }
}

/// What a correction batch pays again.
pub(super) struct ClaimRow {
    pub(super) claim: i64,
    pub(super) run_no: i64,
    pub(super) payment: i64,
    pub(super) fen: i64,
}

impl Sealed for ClaimRow {
    fn seal(&self, seal: &mut Seal) -> i64 {
        seal.int(self.claim);
        seal.int(self.run_no);
        seal.int(self.payment);
        seal.int(self.fen);
        self.fen
    }
}

/// A message that was believed.
pub(super) struct MessageRow<'a> {
    pub(super) message: i64,
    pub(super) run_no: i64,
    /// Kind, id, hash, file.
    pub(super) texts: [&'a str; 4],
}

impl Sealed for MessageRow<'_> {
    fn seal(&self, seal: &mut Seal) -> i64 {
        seal.int(self.message);
        seal.int(self.run_no);
        self.texts.iter().for_each(|text| seal.text(text));
        0
    }
}

/// What was said of a payment.
pub(super) struct AnswerRow<'a> {
    pub(super) answer: i64,
    pub(super) message: i64,
    pub(super) record: i64,
    pub(super) payment: Option<i64>,
    /// Rule, said.
    pub(super) words: [&'a str; 2],
    pub(super) fen: Option<i64>,
    pub(super) bank_date: Option<i64>,
    /// Reference, reason code, reason, end-to-end id, account.
    pub(super) texts: [&'a str; 5],
}

impl Sealed for AnswerRow<'_> {
    fn seal(&self, seal: &mut Seal) -> i64 {
        seal.int(self.answer);
        seal.int(self.message);
        seal.int(self.record);
        seal.maybe(self.payment);
        self.words.iter().for_each(|word| seal.text(word));
        seal.maybe(self.fen);
        seal.maybe(self.bank_date);
        self.texts.iter().for_each(|text| seal.text(text));
        self.fen.unwrap_or(0)
    }
}

/// A sum of a run's lines.
pub(super) struct TotalRow<'a> {
    pub(super) total: i64,
    pub(super) run_no: i64,
    pub(super) item: &'a str,
    pub(super) source: &'a str,
    pub(super) budget_doc_no: &'a str,
    pub(super) payable_fen: i64,
}

impl Sealed for TotalRow<'_> {
    fn seal(&self, seal: &mut Seal) -> i64 {
        seal.int(self.total);
        seal.int(self.run_no);
        seal.text(self.item);
        seal.text(self.source);
        seal.text(self.budget_doc_no);
        seal.int(self.payable_fen);
        self.payable_fen
    }
}
