//! Economic classification by support measure, form of payee and fiscal year
//! (`codes/<name>.toml` of the reference folder, named by `codes` in a settle job).
//!
//! ```toml
//! [[code]]
//! items = ["child.*"]        # item ids, `*` at the end for any rest; all where left out
//! payee = ["91", "92"]       # what the payee's id begins with; all where left out
//! from_year = 2026           # first fiscal year
//! gov_eco_code = "50799"     # 政府预算支出经济分类; the indicator's own where left out
//! dep_eco_code = "31299"     # 部门预算支出经济分类; the same
//! clause = "…"
//! ```

use super::JobError;
use super::toml_walk::{Section, Text};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One rule; the first that fits says the codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeRule {
    /// Item ids, `*` at the end standing for any rest; empty: all.
    #[serde(default)]
    pub items: Vec<String>,
    /// What the payee's id begins with (GB 32100: 12 public institution, 52 private non-enterprise,
    /// 91 company, 92 sole trader); empty: all.
    #[serde(default)]
    pub payee: Vec<String>,
    /// First fiscal year it is in force.
    pub from_year: i32,
    /// Last fiscal year; open where not stated.
    #[serde(default)]
    pub until_year: Option<i32>,
    /// 政府预算支出经济分类.
    #[serde(default)]
    pub gov_eco_code: Option<String>,
    /// 部门预算支出经济分类.
    #[serde(default)]
    pub dep_eco_code: Option<String>,
    /// The paper behind it.
    pub clause: String,
}

impl CodeRule {
    /// Whether it is about an item paid to that payee in a fiscal year.
    #[must_use]
    pub fn holds(&self, item: &str, payee: &str, year: i32) -> bool {
        let fits = |pattern: &String| match pattern.strip_suffix('*') {
            Some(head) => item.starts_with(head),
            None => item == pattern,
        };
        (self.items.is_empty() || self.items.iter().any(fits))
            && (self.payee.is_empty() || self.payee.iter().any(|head| payee.starts_with(head)))
            && self.from_year <= year
            && self.until_year.is_none_or(|last| year <= last)
    }
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    code: Vec<CodeRule>,
}

/// Reads the rules a job names; none where it names none.
pub(super) fn read(top: &Section<'_>, reference: &Path) -> Result<Vec<CodeRule>, JobError> {
    let Some(name) = top.reference("codes", "codes")? else { return Ok(Vec::new()) };
    let path = reference.join("codes").join(format!("{name}.toml"));
    let file = path.display().to_string();
    let text = std::fs::read_to_string(&path)
        .map_err(|source| JobError::Unreadable { file: file.clone(), source })?;
    let read: Result<File, _> = toml::from_str(&text);
    let read = read.map_err(|error| {
        Text { file: &file, text: &text }.wrong(error.span().unwrap_or(0..0), error.message())
    })?;
    let digits = |code: &Option<String>| {
        code.as_ref()
            .is_none_or(|code| !code.is_empty() && code.bytes().all(|b| b.is_ascii_digit()))
    };
    let whole = |rule: &&CodeRule| {
        digits(&rule.gov_eco_code)
            && digits(&rule.dep_eco_code)
            && (rule.gov_eco_code.is_some() || rule.dep_eco_code.is_some())
            && !rule.clause.trim().is_empty()
    };
    if let Some(at) = read.code.iter().position(|rule| !whole(&rule)) {
        let message = format!(
            "rule {} says no code, a code that is no number, or no clause; expected gov_eco_code or \
             dep_eco_code in digits, and the paper behind it",
            at + 1
        );
        return Err(Text { file: &file, text: &text }.wrong(0..0, message));
    }
    Ok(read.code)
}
