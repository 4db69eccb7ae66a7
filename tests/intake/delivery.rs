//! A folder of deliveries for one test, and words to read them with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use tempfile::TempDir;
use tuoyu::domain::{Cell, Finding, Stored};
use tuoyu::intake::{self, IntakeError, Table, Tables};
use tuoyu::job::TableSpec;
use tuoyu::law::model::{InputColumn, InputTable, Ty, Unit};

/// Headers of a minimal enrolment file: every mandatory column.
pub(crate) const ENROLMENTS: &str =
    "child_ref,birth_date,institution_id,age_class,service,spell_from,fee_monthly";

/// Files of one delivery.
pub(crate) struct Delivery {
    folder: TempDir,
    pub(crate) spec: TableSpec,
    pub(crate) declared: Vec<InputTable>,
    pub(crate) piece_bytes: usize,
}

impl Delivery {
    /// An empty delivery of one table.
    pub(crate) fn of(table: &str) -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            spec: TableSpec { table: table.to_owned(), ..TableSpec::default() },
            declared: Vec::new(),
            piece_bytes: intake::PIECE_BYTES,
        }
    }

    /// Adds a file.
    pub(crate) fn file(mut self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        self.spec.paths.push(path);
        self
    }

    /// A path in the folder, delivered, for a writer that wants one.
    pub(crate) fn path(&mut self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        self.spec.paths.push(path.clone());
        path
    }

    pub(crate) fn header(mut self, header: &str, column: &str) -> Self {
        self.spec.headers.insert(header.to_owned(), column.to_owned());
        self
    }

    pub(crate) fn value(mut self, column: &str, raw: &str, value: &str) -> Self {
        let map: &mut BTreeMap<_, _> = self.spec.values.entry(column.to_owned()).or_default();
        map.insert(raw.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn constant(mut self, column: &str, value: &str) -> Self {
        self.spec.constants.insert(column.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn ignore(mut self, headers: &[&str]) -> Self {
        self.spec.ignore.extend(headers.iter().map(|header| (*header).to_owned()));
        self
    }

    /// A pack's column on the table.
    pub(crate) fn extended(mut self, name: &str, zh: &str, ty: Ty) -> Self {
        self.declared.push(InputTable {
            of: None,
            name: self.spec.table.as_str().into(),
            extends: true,
            key: Vec::new(),
            columns: vec![InputColumn { name: name.into(), alias: zh.into(), ty, nullable: true }],
            span: None,
        });
        self
    }

    pub(crate) const fn pieces(mut self, bytes: usize) -> Self {
        self.piece_bytes = bytes;
        self
    }

    pub(crate) fn try_read(&self) -> Result<Tables, IntakeError> {
        let specs = std::slice::from_ref(&self.spec);
        intake::read_in_pieces(specs, &self.declared, "yuan", &[], self.piece_bytes)
    }

    pub(crate) fn read(&self) -> Tables {
        self.try_read().unwrap()
    }

    /// The table read, and the findings as [`told`].
    pub(crate) fn table(&self) -> (Table, Vec<String>) {
        let mut tables = self.read();
        let table = tables.by_name.remove(self.spec.table.as_str()).unwrap();
        assert_eq!(table.rows_read, table.rows as u64 + table.rows_refused, "rows tie out");
        assert_eq!(table.records.len(), table.rows);
        for (name, stored) in &table.columns {
            assert_eq!(stored.column.len(), table.rows, "column {name}");
        }
        (table, told(&tables.findings))
    }
}

/// Money of a pack.
pub(crate) fn yuan() -> Ty {
    Ty::Num { integer: true, unit: Unit(BTreeMap::from([("yuan".into(), 1)])) }
}

/// Findings in one line each: `code rule record*count name=value …`.
pub(crate) fn told(findings: &[Finding]) -> Vec<String> {
    let line = |finding: &Finding| {
        let values: Vec<String> = finding
            .values
            .iter()
            .filter(|(name, _)| *name != "expected" || finding.rule.is_empty())
            .map(|(name, value)| format!(" {name}={value}"))
            .collect();
        let Finding { code, rule, count, place, .. } = finding;
        format!("{} {rule} {}*{count}{}", code.name(), place.record, values.concat())
    };
    findings.iter().map(line).collect()
}

/// A column as texts, null as `-`, numbers as `n` or `n/d`.
pub(crate) fn column(table: &Table, name: &str) -> Vec<String> {
    let stored = table.get(name).unwrap_or_else(|| panic!("no column {name}"));
    (0..table.rows).map(|row| cell(stored, row)).collect()
}

fn cell(stored: &Stored, row: usize) -> String {
    match stored.cell(row) {
        Cell::Null => "-".to_owned(),
        Cell::Bool(value) => value.to_string(),
        Cell::Num(value, 1) => value.to_string(),
        Cell::Num(value, den) => format!("{value}/{den}"),
        Cell::Date(date) => date.to_string(),
        Cell::Text(text) => text,
    }
}

/// The whole table as text: every column, row, record and code list.
pub(crate) fn dump(table: &Table) -> String {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|(name, stored)| format!("{name} {:?} {:?}", stored.column, stored.nulls))
        .collect();
    format!(
        "{} rows, {} read, {} refused\n{:?}\n{}",
        table.rows,
        table.rows_read,
        table.rows_refused,
        table.records,
        columns.join("\n")
    )
}
