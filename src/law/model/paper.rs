//! The law as a paper: what a page about packs is set of, in both languages.

use crate::domain::{Date, Span};

/// All that packs hold, as on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LawPaper {
    /// Titles of the packs, in layer order.
    pub titles: Vec<String>,
    /// Their regions.
    pub regions: Vec<String>,
    /// Whether one of them is invented.
    pub is_sample: bool,
    /// The day.
    pub day: Date,
    /// The day of knowledge.
    pub known_on: Date,
    /// Notices by the day they were published.
    pub notices: Vec<PaperNotice>,
    /// Every id with its versions.
    pub lives: Vec<PaperLife>,
    /// Settings of the pack that holds over the others, in the order of the grammar.
    pub settings: Vec<PaperField>,
    /// Tables and columns the packs declare, by name.
    pub inputs: Vec<PaperInput>,
    /// Rules in force, adopted ones that start later, and planned ones.
    pub rules: Vec<PaperRule>,
}

/// A table packs declare, or the columns they add to a core table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperInput {
    /// The table.
    pub table: String,
    /// Whether it adds to a core table.
    pub extends: bool,
    /// Columns that name a row.
    pub key: Vec<String>,
    /// Columns between which a row is in force.
    pub span: Option<[String; 2]>,
    /// The basis whose rows find their row of it.
    pub of: Option<String>,
    /// Its columns as declared.
    pub columns: Vec<PaperColumn>,
}

/// A declared column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperColumn {
    /// Its name.
    pub name: String,
    /// Chinese header.
    pub zh: String,
    /// Word of its type.
    pub kind: &'static str,
    /// Unit of a number, or empty.
    pub unit: String,
    /// All values there are, or none listed.
    pub values: Vec<String>,
    /// Whether it may be empty.
    pub nullable: bool,
}

/// A notice 文件.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperNotice {
    /// 文号.
    pub number: String,
    /// 标题.
    pub title: String,
    /// When it was published.
    pub published: Date,
    /// 征求意见稿.
    pub is_planned: bool,
    /// Where its text stands; may be empty.
    pub url: String,
    /// How many blocks it holds.
    pub blocks: usize,
}

/// What becomes of a version on the day asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// In force.
    InForce,
    /// Adopted, starts later.
    Later,
    /// Planned: binds nobody.
    Planned,
    /// Ended or superseded.
    Past,
    /// Not known yet.
    Unknown,
}

/// An id with its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperLife {
    /// Word of the kind of block.
    pub kind: &'static str,
    /// The kind in Chinese.
    pub kind_zh: &'static str,
    /// Its name.
    pub name: PaperName,
    /// Its id as printed.
    pub id: String,
    /// Versions, by start and day of knowledge.
    pub versions: Vec<PaperVersion>,
}

/// One version of an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperVersion {
    /// First day as written.
    pub from: Date,
    /// Last day, if it ends.
    pub until: Option<Date>,
    /// Since when it is known.
    pub known_from: Date,
    /// What becomes of it on the day.
    pub standing: Standing,
    /// The stretches it is in force.
    pub holds: Vec<Span>,
    /// 文号 and clause.
    pub source: String,
}

/// What something is called, and where on the page it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PaperName {
    /// Chinese name, or the id.
    pub zh: String,
    /// English name, or the id.
    pub en: String,
    /// Anchor of the rule; `None` for a fact.
    pub anchor: Option<String>,
}

/// A version of a rule with all its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperRule {
    /// Word of the kind of block.
    pub kind: &'static str,
    /// The kind in Chinese.
    pub kind_zh: &'static str,
    /// Where it stands on the page.
    pub anchor: String,
    /// What it is called.
    pub name: PaperName,
    /// Its id as printed.
    pub id: String,
    /// 文号 of its notice.
    pub number: String,
    /// 条款.
    pub clause: String,
    /// First day as written.
    pub from: Date,
    /// Last day, if it ends.
    pub until: Option<Date>,
    /// Since when it is known.
    pub known_from: Date,
    /// What becomes of it on the day.
    pub standing: Standing,
    /// Keys in the order of the grammar, without those of the head.
    pub fields: Vec<PaperField>,
    /// Rules that read it.
    pub readers: Vec<PaperName>,
}

/// A key of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperField {
    /// Key as written.
    pub key: &'static str,
    /// Its value.
    pub value: PaperValue,
}

/// A value of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaperValue {
    /// As written.
    Text(String),
    /// A word of the grammar.
    Word(String),
    /// An expression; its text as written stands beside it.
    Formula(Vec<PaperWord>, String),
    /// Names of rules or columns, in order.
    Names(Vec<PaperWord>),
    /// Keys inside.
    Group(Vec<PaperField>),
    /// A list of keys inside.
    List(Vec<Vec<PaperField>>),
    /// A lookup table.
    Table(PaperTable),
}

/// A lookup table as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaperTable {
    /// Keys: name and unit.
    pub keys: Vec<(PaperName, String)>,
    /// Rows: key cells, then the value.
    pub rows: Vec<Vec<String>>,
}

/// A word of an expression, as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaperWord {
    /// A fact, value, parameter, table or item.
    Named(PaperName),
    /// A name of which the basis is said: basis word, name.
    Of(String, PaperName),
    /// A function.
    Function(String),
    /// A word of the language, in capitals.
    Key(&'static str),
    /// An operator as SQL writes it.
    Sign(&'static str),
    /// `-` in front of a value.
    Minus,
    /// A number or date as written.
    Literal(String),
    /// A text.
    Quoted(String),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
}
