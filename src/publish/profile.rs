//! Profiles: column maps and code tables of files other systems want in their own shape
//! (`data/reference/profiles/*.toml`, FORMATS 3.2).
//!
//! ```toml
//! id = "finance_detail"
//! title = "惠企利民发放明细"
//! [[column]]
//! name = "payAmt"        # header
//! zh = "应发金额"         # for people
//! from = "payable"       # a field of the record, or: value = "constant"
//! codes = { "区" = "3" } # what a value is written as; other values stay
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::form::Form;
use super::sheet::{Sheet, Values};
use crate::job::{BatchProfile, BatchProfileError, Pay};

/// Fields a `finance_detail` profile may name.
pub const FINANCE_FIELDS: &[&str] = &[
    "division_code",
    "payment_no",
    "end_to_end_id",
    "budget_doc_no",
    "exp_func_code",
    "gov_eco_code",
    "dep_eco_code",
    "fund_type_code",
    "project_code",
    "source",
    "account_name",
    "account_no",
    "bank_name",
    "bank_no",
    "institution_id",
    "institution_name",
    "hold_reason",
    "items",
    "payable",
    "allocated",
    "paid",
    "source_period",
    "pay_month",
    "note",
];

/// Fields a `supervision` profile may name.
pub const SUPERVISION_FIELDS: &[&str] = &[
    "institution_id",
    "institution_name",
    "period",
    "kind",
    "division_code",
    "street",
    "grade",
    "status",
    "filed",
    "inclusive",
    "sanctioned",
    "slots_filed",
    "slots_open",
    "headcount",
    "headcount_paid",
    "amount",
    "findings",
    "findings_count",
];

/// A profile that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("{path}: cannot read: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is no profile.
    #[error("{name}: {cause}")]
    Shape {
        /// The file's name.
        name: String,
        /// What is wrong and where.
        cause: toml::de::Error,
    },
    /// A column names no field of the record.
    #[error("{name}: column {column} comes from {found:?}; expected one of: {known}")]
    UnknownField {
        /// The file's name.
        name: String,
        /// The column.
        column: String,
        /// The field it names.
        found: String,
        /// The fields there are.
        known: String,
    },
    /// A form is in a unit, or to places, that money has not.
    #[error(
        "{name}: {decimals} decimals of {unit:?}; expected unit = \"元\" with 0 to 2 decimals \
         or \"万元\" with 0 to 6"
    )]
    Unit {
        /// The file's name.
        name: String,
        /// The unit it names.
        unit: String,
        /// The places it wants.
        decimals: u32,
    },
    /// A batch profile has faults.
    #[error(transparent)]
    Batch(#[from] BatchProfileError),
    /// A file is no profile of any kind.
    #[error(
        "{name}: is no profile; expected kind = \"batch\", [[column]] with id = \"finance_detail\" or \
         \"supervision\", or the unit of a form"
    )]
    Unknown {
        /// The file's name.
        name: String,
    },
    /// A column has both or neither of `from` and `value`.
    #[error("{name}: column {column} needs either `from` or `value`")]
    NoSource {
        /// The file's name.
        name: String,
        /// The column.
        column: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    id: String,
    title: String,
    column: Vec<WireColumn>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireColumn {
    name: String,
    #[serde(default)]
    zh: String,
    from: Option<String>,
    value: Option<String>,
    #[serde(default)]
    codes: BTreeMap<String, String>,
}

/// One column of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ProfileColumn {
    name: String,
    label: String,
    source: ColumnSource,
    codes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ColumnSource {
    Field(String),
    Constant(String),
}

/// A column map with its code tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Id.
    pub id: String,
    /// Title for people.
    pub title: String,
    columns: Vec<ProfileColumn>,
}

impl Profile {
    /// Reads a profile; `name` stands in messages, `fields` are what a column may come from.
    ///
    /// # Errors
    /// See [`ProfileError`].
    pub fn parse(name: &str, text: &str, fields: &[&str]) -> Result<Self, ProfileError> {
        let wire: Wire = toml::from_str(text)
            .map_err(|cause| ProfileError::Shape { name: name.to_owned(), cause })?;
        let mut columns = Vec::with_capacity(wire.column.len());
        for column in wire.column {
            let source = match (column.from, column.value) {
                (Some(field), None) if fields.contains(&field.as_str()) => {
                    ColumnSource::Field(field)
                }
                (Some(found), None) => {
                    return Err(ProfileError::UnknownField {
                        name: name.to_owned(),
                        column: column.name,
                        found,
                        known: fields.join(", "),
                    });
                }
                (None, Some(value)) => ColumnSource::Constant(value),
                _ => {
                    return Err(ProfileError::NoSource {
                        name: name.to_owned(),
                        column: column.name,
                    });
                }
            };
            let (name, label, codes) = (column.name, column.zh, column.codes);
            columns.push(ProfileColumn { name, label, source, codes });
        }
        Ok(Self { id: wire.id, title: wire.title, columns })
    }

    /// The header of the column that a field stands in.
    #[must_use]
    pub fn header_of(&self, field: &str) -> Option<&str> {
        let own = ColumnSource::Field(field.to_owned());
        let of = |column: &&ProfileColumn| column.source == own;
        self.columns.iter().find(of).map(|column| column.name.as_str())
    }

    /// The fields in the profile's columns.
    pub(super) fn sheet(&self, mut fields: Sheet) -> Sheet {
        let mut sheet = Sheet::new(&fields.name, fields.rows);
        for (at, column) in self.columns.iter().enumerate() {
            let later = &self.columns[at + 1..];
            let values = match &column.source {
                ColumnSource::Constant(value) => {
                    Values::Shared(vec![Arc::from(value.as_str()); fields.rows])
                }
                ColumnSource::Field(field) if column.codes.is_empty() => {
                    let again = later.iter().any(|other| other.source == column.source);
                    let values =
                        if again { fields.get(field).cloned() } else { fields.give_up(field) };
                    values.unwrap_or_else(|| Values::Text(vec![String::new(); fields.rows]))
                }
                ColumnSource::Field(field) => {
                    let code = |row| {
                        let text = fields.cell(row, field);
                        column.codes.get(&text).cloned().unwrap_or(text)
                    };
                    Values::Text((0..fields.rows).map(code).collect())
                }
            };
            sheet.put(&column.name, &column.label, values);
        }
        sheet
    }
}

/// The profiles a settlement writes with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profiles {
    /// Of `finance_detail.csv`.
    pub finance_detail: Profile,
    /// Of `supervision.csv`.
    pub supervision: Profile,
    /// Of `form.csv`, where the job names one.
    pub form: Option<Form>,
    /// Texts of the batch profiles the job pays with, by name.
    pub batch: BTreeMap<String, String>,
}

impl Profiles {
    /// Reads `profiles/finance_detail.toml`, `profiles/supervision.toml`, and the form and the batch
    /// profiles the job names, in the reference folder.
    ///
    /// # Errors
    /// See [`ProfileError`].
    pub fn load(
        reference: &Path,
        form: Option<&str>,
        pay: Option<&Pay>,
    ) -> Result<Self, ProfileError> {
        let text = |name: &str| {
            let path = reference.join("profiles").join(name);
            std::fs::read_to_string(&path)
                .map_err(|cause| ProfileError::Io { path: path.clone(), cause })
        };
        let read = |name: &str, fields: &[&str]| Profile::parse(name, &text(name)?, fields);
        let mut batch = BTreeMap::new();
        for name in pay.into_iter().flat_map(Pay::profiles) {
            let file = format!("{name}.toml");
            let text = text(&file)?;
            BatchProfile::parse(&file, &text)?;
            batch.insert(name.to_owned(), text);
        }
        Ok(Self {
            finance_detail: read("finance_detail.toml", FINANCE_FIELDS)?,
            supervision: read("supervision.toml", SUPERVISION_FIELDS)?,
            form: form.map(|name| Form::load(reference, name)).transpose()?,
            batch,
        })
    }

    /// All that may change a byte of an output, for the run id. Batch profiles stand apart
    /// ([`Profiles::batch`]): a job without them has the text it always had.
    #[must_use]
    pub fn identity(&self) -> String {
        let Self { finance_detail, supervision, form, batch: _ } = self;
        format!(
            "Profiles {{ finance_detail: {finance_detail:?}, supervision: {supervision:?}, \
             form: {form:?} }}"
        )
    }
}
