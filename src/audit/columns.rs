//! Typed columns on their way into a Parquet file of the folder, and the SELECT that reads them.

use super::{AuditError, put};
use crate::domain::{CodeList, Date};
use crate::publish::sheet::NO_CODE;
use crate::publish::{Sheet, Values, parquet};
use std::path::Path;
use std::sync::Arc;

/// Columns of one file.
pub(super) struct Columns {
    sheet: Sheet,
    read: Vec<String>,
}

impl Columns {
    /// No columns yet, of so many rows.
    pub(super) fn new(name: &str, rows: usize) -> Self {
        Self { sheet: Sheet::new(name, rows), read: Vec::new() }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.read.len()
    }

    fn put(&mut self, field: &str, ty: &str, values: Values) {
        self.sheet.put(field, "", values);
        self.read.push(format!("\"{field}\"::{ty} AS \"{field}\""));
    }

    /// Whole numbers; as texts where one is beyond 64 bits, which the file has no other type for.
    pub(super) fn whole(&mut self, field: &str, ty: &str, values: &[Option<i128>]) {
        let fits = |value: &Option<i128>| value.is_none_or(|value| i64::try_from(value).is_ok());
        if values.iter().all(fits) {
            let values =
                values.iter().map(|value| value.and_then(|value| i64::try_from(value).ok()));
            self.put(field, ty, Values::MaybeInt(values.collect()));
        } else {
            let texts = values.iter().map(|value| value.map(|value| value.to_string()));
            let values = coded(texts);
            self.put(field, ty, values);
        }
    }

    /// Dates.
    pub(super) fn dates(&mut self, field: &str, values: Vec<Option<Date>>) {
        self.put(field, "DATE", Values::Date(values));
    }

    /// Yes or no.
    pub(super) fn truths(&mut self, field: &str, values: Vec<Option<bool>>) {
        self.put(field, "BOOLEAN", Values::Bool(values));
    }

    /// Texts; an empty text is a text.
    pub(super) fn texts<T: AsRef<str>>(
        &mut self,
        field: &str,
        values: impl Iterator<Item = Option<T>>,
    ) {
        self.put(field, "VARCHAR", coded(values));
    }

    /// Writes the file; what the script reads it by.
    pub(super) fn write(&self, folder: &Path, file: &str) -> Result<String, AuditError> {
        // Writing to memory cannot fail.
        let bytes = parquet::write(&self.sheet, Vec::new()).unwrap_or_default();
        put(&folder.join(file), &bytes)?;
        Ok(format!("(SELECT {} FROM read_parquet('{file}'))", self.read.join(", ")))
    }
}

fn coded<T: AsRef<str>>(values: impl Iterator<Item = Option<T>>) -> Values {
    let mut list = CodeList::default();
    let codes =
        values.map(|text| text.map_or(NO_CODE, |text| list.intern(text.as_ref()))).collect();
    Values::Coded(codes, Arc::new(list))
}
