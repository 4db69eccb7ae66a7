//! A profile file by itself: which kind it is, and every fault the parser of that kind finds.

use std::path::Path;

use serde::Deserialize;

use super::form::Form;
use super::profile::{FINANCE_FIELDS, Profile, ProfileError, SUPERVISION_FIELDS};
use crate::job::BatchProfile;

/// Kinds of profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileKind {
    /// A batch text of a bank.
    Batch,
    /// A column map: `finance_detail` or `supervision`.
    Columns,
    /// A paper form.
    Form,
}

/// A profile without faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileFace {
    /// Kind.
    pub kind: ProfileKind,
    /// Id.
    pub id: String,
    /// Title for people.
    pub title: String,
}

/// The keys that tell the kinds apart; others are for the parser of the kind.
#[derive(Deserialize)]
struct Face {
    kind: Option<String>,
    id: Option<String>,
    column: Option<toml::Value>,
    unit: Option<toml::Value>,
}

/// Reads a profile file with the parser of its kind, told by its keys: `kind = "batch"` of a batch
/// profile, `column` of a column map, `unit` of a form.
///
/// # Errors
/// When it cannot be read, is of no kind, or has a fault; a batch profile tells all it has.
pub fn examine_profile(path: &Path) -> Result<ProfileFace, ProfileError> {
    let text = std::fs::read_to_string(path)
        .map_err(|cause| ProfileError::Io { path: path.to_owned(), cause })?;
    let name = path.display().to_string();
    let face: Face =
        toml::from_str(&text).map_err(|cause| ProfileError::Shape { name: name.clone(), cause })?;
    if face.kind.as_deref() == Some("batch") {
        let BatchProfile { id, title, .. } = BatchProfile::parse(&name, &text)?;
        return Ok(ProfileFace { kind: ProfileKind::Batch, id, title });
    }
    if face.column.is_some() {
        let fields = match face.id.as_deref() {
            Some("finance_detail") => FINANCE_FIELDS,
            Some("supervision") => SUPERVISION_FIELDS,
            _ => return Err(ProfileError::Unknown { name }),
        };
        let Profile { id, title, .. } = Profile::parse(&name, &text, fields)?;
        return Ok(ProfileFace { kind: ProfileKind::Columns, id, title });
    }
    if face.unit.is_some() {
        let Form { id, title, .. } = Form::parse(&name, &text)?;
        return Ok(ProfileFace { kind: ProfileKind::Form, id, title });
    }
    Err(ProfileError::Unknown { name })
}
