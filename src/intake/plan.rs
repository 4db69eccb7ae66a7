//! The plan of a table: its declared columns with the job's maps, and how one file's headers bind
//! to them.

use super::IntakeError;
use super::tally::impersonal;
use super::value::{half_width, trimmed};
use crate::domain::{CodeList, Finding, FindingCode, Place};
use crate::job::TableSpec;
use crate::law::inputs::{core_tables, is_ignored_column, is_month_column};
use crate::law::model::{InputColumn, InputTable, Ty};
use regex::Regex;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// How a column's values are read and held.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// An identifier.
    Key,
    /// Any text.
    Text,
    /// One of listed texts.
    Listed(Arc<CodeList>),
    /// Yes or no.
    Bool,
    /// A whole number.
    Whole,
    /// Whole fen.
    Money,
    /// An exact number; of yuan when true, then held in fen.
    Number(bool),
    /// A date.
    Date,
    /// A month, held as its first day.
    Month,
}

/// How much of a value a finding may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// The value.
    Plain,
    /// The value when it cannot be a person's name or number, else its shape.
    Shape,
    /// Its length only: the column names a person.
    Length,
}

/// One declared column with what the job says about it.
#[derive(Debug)]
pub(super) struct ColumnPlan {
    pub(super) name: Arc<str>,
    pub(super) alias: Arc<str>,
    pub(super) kind: Kind,
    pub(super) nullable: bool,
    /// Value as delivered (trimmed) -> value.
    pub(super) map: Option<FxHashMap<String, String>>,
    pub(super) shown: Shown,
    /// Whether its absence from a file is worth a finding.
    pub(super) wanted: bool,
}

/// A table to be read.
#[derive(Debug)]
pub(super) struct TablePlan<'a> {
    pub(super) spec: &'a TableSpec,
    pub(super) name: Arc<str>,
    pub(super) columns: Vec<ColumnPlan>,
    /// The job's header map, headers normalised, to a column or to none (accepted, never read).
    headers: BTreeMap<String, Target>,
    ignored: BTreeSet<String>,
    captures: Vec<(usize, String, Regex)>,
    constants: Vec<(usize, String)>,
}

/// What becomes of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// It fills the column.
    Column(usize),
    /// It is accepted and never read.
    Unread,
    /// Nobody knows it.
    Unknown,
}

/// Where the values of a column come from in one file.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// A field.
    Field(usize),
    /// A capture from a field.
    Capture(usize, Regex),
    /// One value throughout.
    Constant(String),
    /// Nowhere: null in every row.
    Absent,
}

impl Target {
    const fn column(&self) -> Option<usize> {
        match self {
            Self::Column(at) => Some(*at),
            Self::Unread | Self::Unknown => None,
        }
    }
}

impl Source {
    fn describe(&self, headers: &[String]) -> String {
        match self {
            Self::Field(at) => format!("the header {:?}", headers.get(*at).map_or("", |h| h)),
            Self::Capture(at, _) => {
                format!("a capture from {:?}", headers.get(*at).map_or("", |h| h))
            }
            Self::Constant(_) => "a constant".to_owned(),
            Self::Absent => "nothing".to_owned(),
        }
    }
}

/// One file's headers bound to the columns of its table, one source a column.
#[derive(Debug)]
pub(super) struct Binding {
    pub(super) sources: Vec<Source>,
    /// Number of headers.
    pub(super) width: usize,
    pub(super) findings: Vec<Finding>,
}

impl Binding {
    /// Whether any column is filled from the field.
    pub(super) fn reads(&self, field: usize) -> bool {
        self.sources.iter().any(|source| match source {
            Source::Field(at) | Source::Capture(at, _) => *at == field,
            Source::Constant(_) | Source::Absent => false,
        })
    }
}

/// A header as it is compared: trimmed, half-width.
pub(super) fn normal_header(text: &str) -> String {
    trimmed(&half_width(text)).to_owned()
}

/// The declared form of one table: core or pack columns, then the columns packs add to it.
fn declared_table(name: &str, declared: &[InputTable], currency: &str) -> Option<InputTable> {
    let own = declared.iter().find(|table| &*table.name == name && !table.extends).cloned();
    let core = || core_tables(currency).into_iter().find(|table| &*table.name == name);
    let mut table = own.or_else(core)?;
    for extra in declared.iter().filter(|extra| &*extra.name == name && extra.extends) {
        for column in &extra.columns {
            if table.columns.iter().all(|known| known.name != column.name) {
                table.columns.push(column.clone());
            }
        }
    }
    Some(table)
}

fn kind_of(table: &str, column: &InputColumn, currency: &str) -> Kind {
    match &column.ty {
        Ty::Bool => Kind::Bool,
        Ty::Text(None) => Kind::Text,
        Ty::Text(Some(listed)) => {
            Kind::Listed(Arc::new(CodeList::new(listed.iter().map(|text| &**text))))
        }
        Ty::Key => Kind::Key,
        Ty::Num { integer, unit } => match (unit.0.contains_key(currency), *integer) {
            (true, true) => Kind::Money,
            (false, true) => Kind::Whole,
            (money, false) => Kind::Number(money),
        },
        Ty::Date if is_month_column(table, &column.name) => Kind::Month,
        Ty::Date => Kind::Date,
    }
}

/// Key columns that name no person.
const IMPERSONAL: [&str; 4] = ["institution_id", "class_id", "venue_id", "contract_id"];

impl<'a> TablePlan<'a> {
    /// Size of the table's files; one that cannot be looked at counts nothing (reading it will say
    /// why).
    pub(super) fn bytes(&self) -> u64 {
        let size = |path: &PathBuf| std::fs::metadata(path).map_or(0, |file| file.len());
        self.spec.paths.iter().map(size).sum()
    }

    /// Binds a specification to its declared table.
    ///
    /// # Errors
    /// When the job names a table or column that is not declared, or a pattern is no pattern.
    pub(super) fn new(
        spec: &'a TableSpec,
        declared: &[InputTable],
        currency: &str,
        wanted: &[(Arc<str>, Arc<str>)],
    ) -> Result<Self, IntakeError> {
        let table = declared_table(&spec.table, declared, currency).ok_or_else(|| {
            let mut names: BTreeSet<String> =
                core_tables(currency).iter().map(|table| table.name.to_string()).collect();
            names.extend(declared.iter().map(|table| table.name.to_string()));
            let declared = names.into_iter().collect::<Vec<_>>().join(", ");
            IntakeError::TableUnknown { table: spec.table.clone(), declared }
        })?;
        let personal = |column: &InputColumn| {
            column.ty == Ty::Key && !IMPERSONAL.contains(&column.name.as_ref())
        };
        let any_person = table.columns.iter().any(personal);
        let extended: BTreeSet<&str> = declared
            .iter()
            .filter(|extra| extra.extends && extra.name == table.name)
            .flat_map(|extra| extra.columns.iter().map(|column| &*column.name))
            .collect();
        let mut plan = Self {
            spec,
            name: Arc::clone(&table.name),
            columns: Vec::with_capacity(table.columns.len()),
            headers: BTreeMap::new(),
            ignored: spec.ignore.iter().map(|header| normal_header(header)).collect(),
            captures: Vec::new(),
            constants: Vec::new(),
        };
        for column in &table.columns {
            let shown = match (personal(column), any_person) {
                (true, _) => Shown::Length,
                (false, true) => Shown::Shape,
                (false, false) => Shown::Plain,
            };
            plan.columns.push(ColumnPlan {
                name: Arc::clone(&column.name),
                alias: Arc::clone(&column.alias),
                kind: kind_of(&table.name, column, currency),
                nullable: column.nullable,
                map: spec.values.get(&*column.name).map(|map| {
                    map.iter().map(|(raw, v)| (trimmed(raw).to_owned(), v.clone())).collect()
                }),
                shown,
                wanted: extended.contains(&*column.name)
                    || wanted.iter().any(|(t, c)| *t == table.name && *c == column.name),
            });
        }
        plan.take_job_columns()?;
        Ok(plan)
    }

    /// The job's header map, value maps, captures and constants, each checked against the table.
    fn take_job_columns(&mut self) -> Result<(), IntakeError> {
        let spec = self.spec;
        for (header, column) in &spec.headers {
            let at = if is_ignored_column(&self.name, column) {
                Target::Unread
            } else {
                Target::Column(self.column("headers", column)?)
            };
            self.headers.insert(normal_header(header), at);
        }
        for column in spec.values.keys() {
            self.column("values", column)?;
        }
        for capture in &spec.captures {
            let at = self.column("captures", &capture.column)?;
            let bad = |reason: String| IntakeError::Pattern {
                table: spec.table.clone(),
                column: capture.column.clone(),
                reason,
            };
            let pattern = Regex::new(&capture.pattern).map_err(|error| bad(error.to_string()))?;
            if pattern.captures_len() != 2 {
                return Err(bad(format!("the pattern has {} groups", pattern.captures_len() - 1)));
            }
            self.captures.push((at, normal_header(&capture.from), pattern));
        }
        for (column, value) in &spec.constants {
            let at = self.column("constants", column)?;
            self.constants.push((at, value.clone()));
        }
        Ok(())
    }

    fn column(&self, key: &'static str, column: &str) -> Result<usize, IntakeError> {
        self.columns.iter().position(|known| &*known.name == column).ok_or_else(|| {
            let names: Vec<&str> = self.columns.iter().map(|known| &*known.name).collect();
            IntakeError::ColumnUnknown {
                table: self.spec.table.clone(),
                key,
                column: column.to_owned(),
                declared: names.join(", "),
            }
        })
    }

    /// Binds the headers of one file.
    ///
    /// # Errors
    /// When a header stands twice, a column has two sources, or a mandatory column has none.
    pub(super) fn bind(&self, file: &str, headers: &[String]) -> Result<Binding, IntakeError> {
        let mut sources = vec![Source::Absent; self.columns.len()];
        let mut findings = Vec::new();
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let captured: BTreeSet<&str> = self.captures.iter().map(|(_, h, _)| h.as_str()).collect();
        for (at, header) in headers.iter().enumerate() {
            if !header.is_empty() && seen.insert(header, at).is_some() {
                return Err(IntakeError::HeaderTwice {
                    file: file.to_owned(),
                    header: self.shown_header(header),
                });
            }
            match self.target(header) {
                Target::Column(column) => {
                    self.set(file, headers, &mut sources, column, Source::Field(at))?;
                }
                Target::Unread => {}
                Target::Unknown if captured.contains(header.as_str()) => {}
                Target::Unknown => {
                    let shown = self.shown_header(header);
                    let values = vec![("header", shown.clone())];
                    let code = FindingCode::ColumnUnknown;
                    findings.push(self.file_finding(code, file, &shown, values));
                }
            }
        }
        for (column, from, pattern) in &self.captures {
            if let Some(at) = seen.get(from.as_str()) {
                let source = Source::Capture(*at, pattern.clone());
                self.set(file, headers, &mut sources, *column, source)?;
            }
        }
        for (column, value) in &self.constants {
            let source = Source::Constant(value.clone());
            self.set(file, headers, &mut sources, *column, source)?;
        }
        self.judge_absent(file, headers, &sources, &mut findings)?;
        Ok(Binding { sources, width: headers.len(), findings })
    }

    /// A header as far as a message may show it: where there is no header row, the first record
    /// stands in its place, and that may name a child.
    fn shown_header(&self, header: &str) -> String {
        if self.columns.iter().all(|column| column.shown == Shown::Plain) {
            return header.chars().take(40).collect();
        }
        let aliases: String = self.columns.iter().map(|column| &*column.alias).collect();
        impersonal(header, &(aliases + "姓名幼儿宝家长童性别民族序编备注电话地址街道区县"))
    }

    /// What a header fills: the job's word goes before the declared names.
    fn target(&self, header: &str) -> Target {
        if let Some(target) = self.headers.get(header) {
            return *target;
        }
        if self.ignored.contains(header) || is_ignored_column(&self.name, header) {
            return Target::Unread;
        }
        let named = |column: &ColumnPlan| &*column.name == header || &*column.alias == header;
        self.columns.iter().position(named).map_or(Target::Unknown, Target::Column)
    }

    fn set(
        &self,
        file: &str,
        headers: &[String],
        sources: &mut [Source],
        column: usize,
        source: Source,
    ) -> Result<(), IntakeError> {
        if !matches!(sources[column], Source::Absent) {
            return Err(IntakeError::ColumnTwice {
                file: file.to_owned(),
                column: self.columns[column].name.to_string(),
                first: sources[column].describe(headers),
                second: source.describe(headers),
            });
        }
        sources[column] = source;
        Ok(())
    }

    fn judge_absent(
        &self,
        file: &str,
        headers: &[String],
        sources: &[Source],
        findings: &mut Vec<Finding>,
    ) -> Result<(), IntakeError> {
        let mut missing = Vec::new();
        let promised: BTreeSet<usize> = self
            .captures
            .iter()
            .map(|(column, ..)| *column)
            .chain(self.headers.values().filter_map(Target::column))
            .collect();
        for (at, (column, source)) in self.columns.iter().zip(sources).enumerate() {
            if !matches!(source, Source::Absent) {
                continue;
            }
            let alias: &str = &column.alias;
            if !column.nullable {
                missing.push(format!("{} ({alias})", column.name));
            } else if column.wanted || promised.contains(&at) {
                findings.push(self.file_finding(
                    FindingCode::ColumnMissing,
                    file,
                    &column.name,
                    vec![("column", column.name.to_string()), ("header", alias.to_owned())],
                ));
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let found: Vec<String> = headers.iter().map(|header| self.shown_header(header)).collect();
        Err(IntakeError::ColumnsMissing {
            file: file.to_owned(),
            table: self.name.to_string(),
            missing: missing.join(", "),
            found: found.join(", "),
        })
    }

    /// A finding about a whole file.
    pub(super) fn file_finding(
        &self,
        code: FindingCode,
        file: &str,
        rule: &str,
        values: Vec<(&'static str, String)>,
    ) -> Finding {
        Finding {
            code,
            place: Place { table: self.name.to_string(), file: file.to_owned(), record: 0 },
            institution_id: String::new(),
            rule: rule.to_owned(),
            count: 1,
            money: None,
            values,
        }
    }
}
