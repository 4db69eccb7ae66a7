//! What closed months were settled with when they were last looked at.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One closed service month as a run looked at it: by which law and which deliveries. A later run looks
/// again only where one of them is another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Examined {
    /// Service month, `YYYY-MM`.
    pub month: String,
    /// The run that paid it first.
    pub run_id: String,
    /// SHA-256 of the law of the month as known.
    pub law_sha256: String,
    /// SHA-256 of the calendars of the run that paid it.
    pub calendar_sha256: String,
    /// Law and deliveries as known on this day.
    pub known_on: String,
    /// SHA-256 of the files of each table, sorted.
    pub inputs: BTreeMap<String, Vec<String>>,
    /// Lines that changed.
    pub changed: u64,
    /// Posted fen of those lines.
    pub refund_fen: i64,
    /// Fen they come to now.
    pub correction_fen: i64,
}

impl Examined {
    /// Whether law, calendar or deliveries of the month are others.
    #[must_use]
    pub fn differs(&self, other: &Self) -> bool {
        (&self.law_sha256, &self.calendar_sha256, &self.inputs)
            != (&other.law_sha256, &other.calendar_sha256, &other.inputs)
    }

    /// The text of `examined.json`.
    #[must_use]
    pub fn text(all: &[Self]) -> String {
        // Serialising texts and numbers to memory cannot fail.
        let mut text = serde_json::to_string_pretty(all).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads the text back; `None` when it is not one.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Vec<Self>> {
        serde_json::from_slice(text).ok()
    }
}
