//! What a case expects.

use super::shape::Word;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Names of columns and the texts that have to stand in them.
pub(super) type Where = BTreeMap<String, Word>;

/// One entitlement line.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Item.
    pub item: String,
    /// Service month; the case's period without it.
    pub month: Option<String>,
    /// The row of the item's basis.
    #[serde(default, rename = "where")]
    pub place: Where,
    /// `paid`, `zero`, `refused`.
    pub status: Option<String>,
    /// Before exclusions, caps and budget, in currency units.
    pub amount: Option<Word>,
    /// After them.
    pub allocated: Option<Word>,
    /// Reason code of a zero or a refusal.
    pub reason: Option<String>,
    /// Pieces of the law's text, and what each came to.
    #[serde(default)]
    pub trace: BTreeMap<String, Word>,
}

/// Lines counted and summed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sum {
    /// Item; all that are paid in cash without it.
    pub item: Option<String>,
    /// Service months; the case's period without it.
    pub months: Option<Vec<String>>,
    /// Institution.
    pub institution: Option<String>,
    /// Rows.
    #[serde(default, rename = "where")]
    pub place: Where,
    /// Lines.
    pub lines: Option<usize>,
    /// Lines paid.
    pub paid: Option<usize>,
    /// Lines that are zero.
    pub zero: Option<usize>,
    /// Lines refused.
    pub refused: Option<usize>,
    /// Sum of amounts, in currency units.
    pub amount: Option<Word>,
    /// Sum of what is left after exclusions, caps and budget.
    pub allocated: Option<Word>,
}

/// Money of the period's last month by funding source.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Funded {
    /// Institution; all without it.
    pub institution: Option<String>,
    /// Item; all without it.
    pub item: Option<String>,
    /// Funding source.
    pub source: String,
    /// In currency units.
    pub amount: Word,
}

/// Lines of the schedule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pay {
    /// Institution; all without it.
    pub institution: Option<String>,
    /// Item; all without it.
    pub item: Option<String>,
    /// Funding source; all without it.
    pub source: Option<String>,
    /// Their sum as payable, in currency units.
    pub amount: Option<Word>,
    /// The pay date of each.
    pub on: Option<String>,
    /// Why their payee is held; empty for one that is not.
    pub hold: Option<String>,
}

/// A finding that has to be there, or must not.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// Its code.
    pub code: String,
    /// Institution; any without it.
    pub institution: Option<String>,
    /// The rule or table it is about; any without it.
    pub rule: Option<String>,
    /// How many rows.
    pub count: Option<u64>,
    /// True: there must be none.
    #[serde(default)]
    pub absent: bool,
}

/// What stands in columns of the rows of a basis.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// Basis.
    pub basis: String,
    /// Service month; the case's period without it.
    pub month: Option<String>,
    /// The rows.
    #[serde(default, rename = "where")]
    pub place: Where,
    /// How many rows match; one without it.
    pub rows: Option<usize>,
    /// Names of columns and what stands in them.
    #[serde(default)]
    pub is: Where,
}
