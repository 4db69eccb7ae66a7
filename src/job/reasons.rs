//! Reason codes of banks (`codes/reasons.toml` of the reference folder): what people call them, and
//! whether the same account may be paid again after them.

use super::JobError;
use crate::domain::texts::Catalogue;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

/// A reason code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// In Chinese.
    pub zh: String,
    /// In English; empty where nobody wrote it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub en: String,
    /// Whether it does not blame the payee's account.
    #[serde(default)]
    pub again: bool,
}

impl Reason {
    /// What people call it; nothing in a language nobody wrote.
    #[must_use]
    pub fn words<'a>(&'a self, texts: &'a Catalogue) -> &'a str {
        texts.named("", &self.zh, &self.en)
    }
}

/// Reads the codes of a reference folder; none where it has no such file: then every failure may be the
/// account's fault.
///
/// # Errors
/// When the file cannot be read, or a code has no name or an unknown key.
pub(super) fn read(reference: &Path) -> Result<BTreeMap<String, Reason>, JobError> {
    let path = reference.join("codes").join("reasons.toml");
    let file = path.display().to_string();
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        read => read.map_err(|source| JobError::Unreadable { file: file.clone(), source })?,
    };
    toml::from_str(&text).map_err(|error| {
        let at = error.span().unwrap_or(0..0);
        super::toml_walk::Text { file: &file, text: &text }.wrong(at, error.message())
    })
}
