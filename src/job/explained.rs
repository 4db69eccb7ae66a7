//! `[[explained]]` of a reconcile job: money nobody sent that a person has looked into, and why it is
//! nobody's payment (interest, a fee, a transfer of another office).

use super::JobError;
use super::toml_walk::Section;
use crate::domain::{Fen, person};
use serde::Serialize;
use toml::Spanned;

pub(super) const KEYS: [&str; 5] = ["bank_ref", "end_to_end_id", "amount", "reason", "by"];

/// An answer about none of our payments that is explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// The bank's reference; empty where the end-to-end id names it.
    pub bank_ref: String,
    /// The end-to-end id it bears; empty where the reference names it.
    pub end_to_end_id: String,
    /// Its amount, fen: another amount is another movement.
    pub amount_fen: i64,
    /// Why it is nobody's payment.
    pub reason: String,
    /// Who looked into it.
    pub by: String,
}

impl Explained {
    /// Whether it is about an answer with that reference, id and amount.
    #[must_use]
    pub fn holds(&self, bank_ref: &str, end_to_end_id: &str, fen: Option<i64>) -> bool {
        let names = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
        fen == Some(self.amount_fen)
            && names(&self.bank_ref, bank_ref)
            && names(&self.end_to_end_id, end_to_end_id)
    }
}

/// Reads them, in the order of the job file.
pub(super) fn read(top: &Section<'_>) -> Result<Vec<Explained>, JobError> {
    top.sections("explained", &KEYS)?.iter().map(one).collect()
}

fn one(section: &Section<'_>) -> Result<Explained, JobError> {
    let span = |key: &str| section.get(key).map_or(0..0, Spanned::span);
    let wrong = |key: &str, message: String| section.text.wrong(span(key), message);
    let bank_ref = section.string("bank_ref")?.unwrap_or_default();
    let end_to_end_id = section.string("end_to_end_id")?.unwrap_or_default();
    if bank_ref.is_empty() && end_to_end_id.is_empty() {
        let message = "explained names no bank_ref and no end_to_end_id; expected one of them, as \
                       recon.csv has it";
        return Err(wrong("amount", message.to_owned()));
    }
    let amount = section.required("amount", 0..0)?;
    let amount_fen = match Fen::parse(&amount) {
        Ok(Fen(fen)) if fen > 0 => fen,
        _ => {
            let message = format!(
                "explained.amount is {amount:?}; expected an amount in yuan above zero as \"12.34\""
            );
            return Err(wrong("amount", message));
        }
    };
    let by = section.required("by", 0..0)?;
    let by = match person(&by) {
        Ok(by) => by.to_owned(),
        Err(error) => return Err(wrong("by", format!("explained.by: {error}"))),
    };
    let reason = section.because("explained", "what money it is")?;
    Ok(Explained { bank_ref, end_to_end_id, amount_fen, reason, by })
}
