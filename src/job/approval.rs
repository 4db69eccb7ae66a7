//! `[approval]`: who may act on a run, with which keys, and from which amount two must agree.

use super::toml_walk::{Section, Text};
use super::{Approval, JobError};
use crate::domain::{Fen, PublicKey, person, same_person};
use std::collections::BTreeMap;
use std::path::Path;
use toml::Spanned;
use toml::de::DeValue;

/// Reads the table and the register it names.
pub(super) fn read(top: &Section<'_>) -> Result<Approval, JobError> {
    let Some(value) = top.get("approval") else { return Ok(Approval::default()) };
    let DeValue::Table(table) = value.get_ref() else {
        return Err(top.text.wrong(value.span(), "approval is no table; expected [approval]"));
    };
    let section = Section::new(top.text, "approval", table, &["keys", "two_from"])?;
    Ok(Approval {
        keys: section
            .string("keys")?
            .map(|path| register(top.text.file, Path::new(&path)))
            .transpose()?,
        two_from: two_from(&section)?,
    })
}

fn two_from(section: &Section<'_>) -> Result<Option<Fen>, JobError> {
    let Some(text) = section.string("two_from")? else { return Ok(None) };
    match Fen::parse(&text) {
        Ok(fen) if fen.0 >= 0 => Ok(Some(fen)),
        _ => {
            let span = section.get("two_from").map_or(0..0, Spanned::span);
            let message = format!(
                "approval.two_from is {text:?}; expected an amount in yuan as \"1000000.00\""
            );
            Err(section.text.wrong(span, message))
        }
    }
}

/// The register of keys: a TOML file of `"name" = "public key"`. One person has one key, and one
/// key is one person's.
fn register(job: &str, path: &Path) -> Result<BTreeMap<String, PublicKey>, JobError> {
    let file = path.display().to_string();
    let bytes = std::fs::read_to_string(path).map_err(|_| JobError::Missing {
        file: job.to_owned(),
        key: "approval.keys".to_owned(),
        path: file.clone(),
        hint: "write a register with the lines that `tuoyu keys new` prints",
    })?;
    let text = Text { file: &file, text: &bytes };
    let parsed = text.parse()?;
    let mut keys: BTreeMap<String, PublicKey> = BTreeMap::new();
    let mut entries: Vec<_> = parsed.get_ref().iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    for (name, value) in entries {
        let wrong = |message: String| text.wrong(name.span(), message);
        let of = person(name.get_ref()).map_err(|error| wrong(error.to_string()))?;
        let DeValue::String(key) = value.get_ref() else {
            return Err(wrong(format!("the key of {of} is no text; expected 64 hex digits")));
        };
        let key = PublicKey::parse(key).map_err(|bad| wrong(format!("the key of {of} {bad}")))?;
        if let Some((other, _)) =
            keys.iter().find(|(other, known)| same_person(other, of) || **known == key)
        {
            return Err(wrong(format!(
                "{of} has the name or the key of {other}; expected one key of each person"
            )));
        }
        keys.insert(of.to_owned(), key);
    }
    if keys.is_empty() {
        return Err(text.wrong(0..0, "the register names nobody; expected \"name\" = \"key\""));
    }
    Ok(keys)
}
