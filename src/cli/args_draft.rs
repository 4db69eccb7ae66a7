//! Words of `policy new`.

use super::args::{PolicyCommand, PolicyQuestion, UsageError, date};
use super::args_authoring;
use crate::domain::Date;
use clap::Args;
use std::path::PathBuf;

/// Words of a draft that a new pack does not take.
const DRAFT: [&str; 5] = ["from_overlay", "pack", "effective_from", "published", "number"];

#[derive(Debug, Args)]
pub(super) struct LowNew {
    /// A new pack of this id, to be filled: a folder with a first notice and a case
    #[arg(value_name = "NAME", conflicts_with_all = DRAFT)]
    name: Option<String>,
    /// 行政区 of the new pack; default: one to fill
    #[arg(long, value_name = "TEXT", requires = "name")]
    region: Option<String>,
    /// What-if files that become a draft notice, in order
    #[arg(long, value_name = "FILE", required_unless_present = "name")]
    from_overlay: Vec<PathBuf>,
    /// Pack folders in layer order
    #[arg(long, value_name = "PACK", required_unless_present = "name")]
    pack: Vec<PathBuf>,
    /// First day of what the draft changes
    #[arg(long, value_name = "DATE", required_unless_present = "name")]
    effective_from: Option<String>,
    /// Since when the draft may be known; default: its first day
    #[arg(long, value_name = "DATE")]
    published: Option<String>,
    /// 文号; default: one to fill
    #[arg(long, value_name = "TEXT")]
    number: Option<String>,
    /// 标题; default: one to fill
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// File of the draft, or folder of the new pack (default: data/policy/NAME); never one that is
    /// there
    #[arg(long, value_name = "FILE", required_unless_present = "name")]
    to: Option<PathBuf>,
    /// Folder of calendars and codes
    #[arg(long, value_name = "DIR", default_value = "data/reference")]
    reference: PathBuf,
    /// Write the result as JSON
    #[arg(long)]
    json: bool,
}

/// What a draft notice is to say of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftWords {
    /// First day of the new versions.
    pub effective_from: Date,
    /// Since when it may be known.
    pub published: Date,
    /// 文号, if there is one.
    pub number: Option<String>,
    /// 标题, if there is one.
    pub title: Option<String>,
    /// File to write.
    pub to: PathBuf,
}

pub(super) fn new(low: LowNew) -> Result<PolicyCommand, UsageError> {
    if let Some(name) = low.name {
        let words = (name, low.title, low.region);
        return args_authoring::scaffold(words, low.to, low.json);
    }
    let effective_from = date("--effective-from", low.effective_from.unwrap_or_default())?;
    let published = low.published.map(|word| date("--published", word)).transpose()?;
    let filled = |option, text: Option<String>| match text {
        Some(text) if text.trim().is_empty() => {
            Err(UsageError { option, found: text, expected: "a text" })
        }
        text => Ok(text),
    };
    Ok(PolicyCommand {
        packs: low.pack,
        overlays: low.from_overlay,
        reference: low.reference,
        json: low.json,
        question: PolicyQuestion::New(DraftWords {
            effective_from,
            published: published.unwrap_or(effective_from),
            number: filled("--number", low.number)?,
            title: filled("--title", low.title)?,
            to: low.to.unwrap_or_default(),
        }),
    })
}
