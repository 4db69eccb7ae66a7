//! `[[write_off]]`: what an institution owes and will not be recovered (S27): a reasoned act of two
//! persons, carried out by the run that a third step, its approval, lets go out.

use super::JobError;
use super::toml_walk::Section;
use crate::domain::{Fen, Month, person, same_person};
use serde::{Deserialize, Serialize};
use toml::Spanned;

pub(super) const KEYS: [&str; 7] =
    ["institution", "item", "source_period", "source", "amount", "reason", "by"];

/// What is no longer asked back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteOff {
    /// Institution that owes it.
    pub institution_id: String,
    /// Item; every item where not named.
    pub item: Option<String>,
    /// Service month, `YYYY-MM`; every month where not named.
    pub source_period: Option<String>,
    /// Funding source; every source where not named.
    pub source: Option<String>,
    /// At most so much, fen; all that is open where not named.
    pub amount_fen: Option<i64>,
    /// Why.
    pub reason: String,
    /// Who proposed it and who agreed.
    pub by: [String; 2],
}

impl WriteOff {
    /// Whether it is about what is owed for an item and month to a source.
    #[must_use]
    pub fn holds(&self, institution: &str, item: &str, month: Month, source: &str) -> bool {
        let names = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        self.institution_id == institution
            && names(&self.item, item)
            && names(&self.source_period, &month.to_string())
            && names(&self.source, source)
    }
}

/// Reads them, in the order of the job file.
pub(super) fn read(top: &Section<'_>) -> Result<Vec<WriteOff>, JobError> {
    top.sections("write_off", &KEYS)?.iter().map(one).collect()
}

fn one(section: &Section<'_>) -> Result<WriteOff, JobError> {
    let span = |key: &str| section.get(key).map_or(0..0, Spanned::span);
    let wrong = |key: &str, message: String| section.text.wrong(span(key), message);
    let because = section.because("write_off", "why it is not recovered")?;
    let names = section.strings("by")?.unwrap_or_default();
    let names: Vec<String> = names.into_iter().map(Spanned::into_inner).collect();
    let by = match names.as_slice() {
        [one, two] if !same_person(one, two) => {
            let name = |name: &str| match person(name) {
                Ok(name) => Ok(name.to_owned()),
                Err(error) => Err(wrong("by", format!("write_off.by: {error}"))),
            };
            [name(one)?, name(two)?]
        }
        _ => {
            let message = "write_off.by: expected two names of different persons, who proposed it \
                           and who agreed"
                .to_owned();
            return Err(wrong("by", message));
        }
    };
    let amount_fen = match section.string("amount")? {
        None => None,
        Some(text) => match Fen::parse(&text) {
            Ok(Fen(fen)) if fen > 0 => Some(fen),
            _ => {
                let message = format!(
                    "write_off.amount is {text:?}; expected an amount in yuan above zero as \
                     \"1200.00\""
                );
                return Err(wrong("amount", message));
            }
        },
    };
    Ok(WriteOff {
        institution_id: section.required("institution", 0..0)?,
        item: section.string("item")?,
        source_period: section.month("source_period")?.map(|month| month.to_string()),
        source: section.string("source")?,
        amount_fen,
        reason: because,
        by,
    })
}
