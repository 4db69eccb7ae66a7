//! Words of the `policy` commands for people who write packs: `doc`, `schema`.

use super::args::{PolicyCommand, PolicyQuestion, UsageError, date, language};
use crate::domain::Date;
use crate::domain::texts::Language;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct LowDoc {
    /// Pack folders in layer order
    #[arg(value_name = "PACK", required = true)]
    packs: Vec<PathBuf>,
    /// The day; default: the day the newest adopted rule starts
    #[arg(long, value_name = "DATE")]
    on: Option<String>,
    /// As known on this day; default: everything the packs hold
    #[arg(long, value_name = "DATE")]
    known_on: Option<String>,
    /// File to write; default: the page goes to the console
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
    /// Language of the page
    #[arg(long, value_name = "zh-CN|en")]
    lang: Option<String>,
    /// What-if files laid over the packs, in order
    #[arg(long, value_name = "FILE")]
    overlay: Vec<PathBuf>,
    /// Folder of calendars and codes
    #[arg(long, value_name = "DIR", default_value = "data/reference")]
    reference: PathBuf,
}

/// Which page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocWords {
    /// The day; `None`: the day the newest adopted rule starts.
    pub on: Option<Date>,
    /// As known on; `None`: everything the packs hold.
    pub known_on: Option<Date>,
    /// File to write; `None`: the console.
    pub out: Option<PathBuf>,
    /// Language of the page.
    pub language: Language,
}

pub(super) fn doc(low: LowDoc) -> Result<PolicyCommand, UsageError> {
    Ok(PolicyCommand {
        packs: low.packs,
        overlays: low.overlay,
        reference: low.reference,
        json: false,
        question: PolicyQuestion::Doc(DocWords {
            on: low.on.map(|word| date("--on", word)).transpose()?,
            known_on: low.known_on.map(|word| date("--known-on", word)).transpose()?,
            out: low.out,
            language: low.lang.map(language).transpose()?.unwrap_or_default(),
        }),
    })
}

/// A new pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScaffoldWords {
    /// Its id.
    pub name: String,
    /// 标题, if there is one.
    pub title: Option<String>,
    /// 行政区, if there is one.
    pub region: Option<String>,
    /// Folder to write.
    pub to: PathBuf,
}

/// Whether a text can stand in a comment: it says something, and on one line.
fn of_one_line(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains(char::is_control)
}

/// `policy new NAME`: name, title and region, then the folder.
pub(super) fn scaffold(
    (name, title, region): (String, Option<String>, Option<String>),
    to: Option<PathBuf>,
    json: bool,
) -> Result<PolicyCommand, UsageError> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if name.is_empty() || name.len() > 100 || !name.chars().all(legal) {
        let expected = "an id of letters, digits, _ and -";
        return Err(UsageError { option: "policy new", found: name, expected });
    }
    for (option, text) in [("--title", &title), ("--region", &region)] {
        if let Some(text) = text.as_ref().filter(|text| !of_one_line(text)) {
            return Err(UsageError { option, found: text.clone(), expected: "a text of one line" });
        }
    }
    let to = to.unwrap_or_else(|| PathBuf::from("data/policy").join(&name));
    let words = ScaffoldWords { name, title, region, to };
    Ok(PolicyCommand { json, ..alone(PolicyQuestion::Scaffold(words)) })
}

#[derive(Debug, Args)]
pub(super) struct LowSchema {
    /// Which files it is of: pack, case or job
    #[arg(value_name = "pack|case|job", default_value = "pack")]
    of: String,
}

/// Which files a schema is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaOf {
    /// Files of a pack.
    Pack,
    /// Files of cases.
    Case,
    /// Jobs.
    Job,
}

pub(super) fn schema(low: LowSchema) -> Result<PolicyCommand, UsageError> {
    let of = match low.of.as_str() {
        "pack" => SchemaOf::Pack,
        "case" => SchemaOf::Case,
        "job" => SchemaOf::Job,
        _ => {
            return Err(UsageError {
                option: "policy schema",
                found: low.of,
                expected: "pack, case or job",
            });
        }
    };
    Ok(alone(PolicyQuestion::Schema(of)))
}

/// A question that reads no pack.
fn alone(question: PolicyQuestion) -> PolicyCommand {
    PolicyCommand {
        packs: Vec::new(),
        overlays: Vec::new(),
        reference: PathBuf::new(),
        json: false,
        question,
    }
}
