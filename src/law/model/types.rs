//! What rules read: types, units, the dictionary of names, declared inputs; and what every rule is
//! headed by.

use crate::domain::{Basis, Date};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The unit of a number: currency, child, slot, day … with their powers. Empty for plain numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub struct Unit(pub BTreeMap<Arc<str>, i8>);

/// The type of an expression or column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ty {
    /// Yes or no.
    Bool,
    /// A text; `Some` lists the values of an enum in their order.
    Text(Option<Arc<Vec<Arc<str>>>>),
    /// An identifier (institution, child, person): a text kept as a key column.
    Key,
    /// A number. Money is a number whose unit contains the currency; it is held in fen.
    Num {
        /// Whether only whole numbers (whole fen for money) occur.
        integer: bool,
        /// Its unit.
        unit: Unit,
    },
    /// A date.
    Date,
}

/// One readable name of a basis: a fact column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DictionaryEntry {
    /// Basis whose frame holds the column.
    pub basis: Basis,
    /// English name: the column's name in the frame.
    pub name: Arc<str>,
    /// Chinese alias.
    pub alias: Arc<str>,
    /// Type and unit.
    pub ty: Ty,
    /// Whether the column may be null.
    pub nullable: bool,
    /// Which input column or computation it comes from.
    pub source: Arc<str>,
}

/// A declared column of an input (S5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputColumn {
    /// English name.
    pub name: Arc<str>,
    /// Chinese header.
    pub alias: Arc<str>,
    /// Type.
    pub ty: Ty,
    /// Whether it may be empty.
    pub nullable: bool,
}

/// A table declared by a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputTable {
    /// Table name.
    pub name: Arc<str>,
    /// True: adds columns to a core table.
    pub extends: bool,
    /// Key columns of a new table.
    pub key: Vec<Arc<str>>,
    /// Columns.
    pub columns: Vec<InputColumn>,
    /// Span columns, if any.
    pub span: Option<(Arc<str>, Arc<str>)>,
    /// The basis whose rows find their row of this table by its key.
    pub of: Option<Basis>,
}

impl InputTable {
    /// Whether a key of this new table is meant to name one row, at any time and for any rule.
    #[must_use]
    pub fn names_rows(&self) -> bool {
        !self.extends && !self.key.is_empty() && self.span.is_none() && self.of.is_none()
    }
}

/// Where a piece of law stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LawPlace {
    /// Pack id.
    pub pack: Arc<str>,
    /// Path of the file inside the pack.
    pub file: Arc<str>,
    /// Line of the block, 1-based.
    pub line: u32,
}

/// What every rule in force carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleHead {
    /// Dotted id as printed: bare, or `pack:id` when a job names several packs. Unique among blocks
    /// of one kind; a gate may share its id with an item or a fact.
    pub id: Arc<str>,
    /// 条款 with the notice's number, for people: `示例财规〔2026〕1号 第五条`.
    pub clause: Arc<str>,
    /// Version, printed as `id@effective_from/known_from`.
    pub version: Arc<str>,
    /// First day in force.
    pub effective_from: Date,
    /// Last day in force, if ended.
    pub effective_until: Option<Date>,
    /// Since when anyone could have known.
    pub known_from: Date,
    /// The day its notice was published.
    pub published: Date,
    /// Text for people (`zh`), or the id.
    pub label: Arc<str>,
    /// English text for people (`en`), or the id.
    pub english: Arc<str>,
    /// Where it stands.
    pub place: LawPlace,
}
