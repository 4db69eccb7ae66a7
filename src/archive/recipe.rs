//! The recipe of a run: everything needed to settle it again, by hash.

use crate::domain::{Date, Month};
use serde::{Deserialize, Serialize};

/// The format of recipes; a reader refuses a later one.
pub const RECIPE_FORMAT: u32 = 1;

/// What a run read and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Format of this text.
    pub format: u32,
    /// Run id.
    pub run_id: String,
    /// Job id.
    pub job_id: String,
    /// Last service month of the period, `YYYY-MM`.
    #[serde(with = "month_text")]
    pub period: Month,
    /// Law and deliveries as known on this day.
    #[serde(with = "date_text")]
    pub known_on: Date,
    /// Version of the calculation.
    pub calc_version: String,
    /// Canonical text of the job.
    pub job: String,
    /// Base deliveries, in the order of the job.
    pub tables: Vec<KeptTable>,
    /// Late deliveries received by `known_on`, in the order of the job.
    pub late: Vec<KeptLate>,
    /// Packs in layer order.
    pub packs: Vec<KeptPack>,
    /// Overlays in order.
    pub overlays: Vec<KeptFile>,
    /// Calendars and profiles, by their path in the reference folder.
    pub reference: Vec<KeptFile>,
    /// The key of the pseudonyms.
    pub key: KeptFile,
    /// The law in force for each service month, as text.
    pub law: Vec<KeptLaw>,
    /// Runs of earlier periods whose posted lines were read.
    pub earlier: Vec<String>,
    /// Those of them whose months were closed.
    pub closed: Vec<String>,
    /// The run the period was compared with.
    pub compared_with: Option<String>,
    /// Hash of `manifest.json`.
    pub manifest: String,
    /// Hash of `entitlements.parquet`.
    pub lines: String,
    /// Outputs that later periods read: lines by identity, corrections, what was examined.
    pub outputs: Vec<KeptFile>,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptFile {
    /// Name without folders, or path inside the pack or the reference folder.
    pub name: String,
    /// Hash of its contents; `None` where the run did not read it and it was not there to keep.
    pub sha256: Option<String>,
}

/// The base delivery of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptTable {
    /// Table.
    pub table: String,
    /// Whether it may be absent.
    pub optional: bool,
    /// Files in the order of the job.
    pub files: Vec<KeptFile>,
}

/// A late delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptLate {
    /// How it is read, as [`crate::job::TableSpec::canonical`] writes it.
    pub spec: String,
    /// Files in the order of the job.
    pub files: Vec<KeptFile>,
}

/// A pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptPack {
    /// Name of its folder.
    pub name: String,
    /// Its files, by path inside the folder.
    pub files: Vec<KeptFile>,
}

/// The law of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptLaw {
    /// Service month.
    #[serde(with = "month_text")]
    pub month: Month,
    /// Hash of the law's canonical text.
    pub sha256: String,
}

impl Recipe {
    /// The text that is archived: the same run read the same way has the same text.
    #[must_use]
    pub fn text(&self) -> String {
        // Serialising texts and numbers to memory cannot fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Every object of the recipe: its hash and what it holds, in words.
    #[must_use]
    pub fn objects(&self) -> Vec<(&str, String)> {
        let mut objects = Vec::new();
        for (table, file) in self.inputs() {
            objects.push((file, input_words(&table, &file.name)));
        }
        for pack in &self.packs {
            let words = |file: &KeptFile| format!("file {} of pack {}", file.name, pack.name);
            objects.extend(pack.files.iter().map(|file| (file, words(file))));
        }
        objects.extend(self.overlays.iter().map(|file| (file, format!("overlay {}", file.name))));
        let reference = |file: &KeptFile| format!("reference file {}", file.name);
        objects.extend(self.reference.iter().map(|file| (file, reference(file))));
        objects.push((&self.key, KEY_WORDS.to_owned()));
        let mut objects: Vec<(&str, String)> = objects
            .into_iter()
            .filter_map(|(file, words)| Some((file.sha256.as_deref()?, words)))
            .collect();
        objects.extend(self.law.iter().map(|law| (&*law.sha256, law_words(law.month))));
        objects.push((&self.manifest, MANIFEST_WORDS.to_owned()));
        objects.push((&self.lines, LINES_WORDS.to_owned()));
        let outputs = self
            .outputs
            .iter()
            .filter_map(|file| Some((file.sha256.as_deref()?, output_words(&file.name))));
        objects.extend(outputs);
        objects
    }

    /// Input files with their tables: base deliveries, then late ones.
    fn inputs(&self) -> impl Iterator<Item = (String, &KeptFile)> {
        let base = self
            .tables
            .iter()
            .flat_map(|table| table.files.iter().map(|file| (table.table.clone(), file)));
        let late = self.late.iter().flat_map(|late| {
            let table = serde_json::from_str::<serde_json::Value>(&late.spec).unwrap_or_default();
            let table = table["table"].as_str().unwrap_or_default().to_owned();
            late.files.iter().map(move |file| (table.clone(), file))
        });
        base.chain(late)
    }
}

pub(super) const KEY_WORDS: &str = "the key file of the pseudonyms";
pub(super) const MANIFEST_WORDS: &str = "the manifest";
pub(super) const LINES_WORDS: &str = "the entitlement lines";

/// An output of a run in words.
pub(super) fn output_words(name: &str) -> String {
    format!("the output {name}")
}

pub(super) fn law_words(month: Month) -> String {
    format!("the law of {month}")
}

/// An input file in words.
pub(super) fn input_words(table: &str, name: &str) -> String {
    format!("input file {name} of table {table}")
}

/// A month as `YYYY-MM`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
mod month_text {
    use crate::domain::Month;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(month: &Month, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(month)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Month, D::Error> {
        let text = String::deserialize(from)?;
        Month::parse(&text).map_err(|_| D::Error::custom(format!("{text:?} is no month")))
    }
}

/// A date as `YYYY-MM-DD`.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
mod date_text {
    use crate::domain::Date;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(date: &Date, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(date)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Date, D::Error> {
        Date::parse_iso(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}
