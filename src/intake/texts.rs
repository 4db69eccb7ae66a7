//! Small tables given as text, for the cases of packs: read as a delivered file of that text is.

use super::plan::TablePlan;
use super::{IntakeError, PIECE_BYTES, SourceFile, Tables, assemble, read_bytes};
use crate::domain::hex;
use crate::job::TableSpec;
use crate::law::model::InputTable;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Reads tables from delimited text by their names; otherwise as [`super::read`]. Each counts as a
/// file `TABLE.csv`.
///
/// # Errors
/// When a text cannot be understood as a whole, or a table is not declared.
pub fn read_texts(
    texts: &BTreeMap<String, String>,
    declared: &[InputTable],
    currency: &str,
    wanted: &[(Arc<str>, Arc<str>)],
) -> Result<Tables, IntakeError> {
    let mut tables = Tables::default();
    for (table, text) in texts {
        let spec = TableSpec { table: table.clone(), ..TableSpec::default() };
        let plan = TablePlan::new(&spec, declared, currency, wanted)?;
        let name = format!("{table}.csv");
        let content = read_bytes(&plan, &name, text.as_bytes(), PIECE_BYTES)?;
        let mut files = vec![SourceFile {
            table: Arc::clone(&plan.name),
            path: Arc::from(Path::new(&name)),
            name: Arc::from(name),
            sha256: hex(&Sha256::digest(text)),
            bytes: text.len() as u64,
            records: 0,
        }];
        let (mut read, findings) = assemble::assemble(&plan, &mut files, vec![content]);
        let base = tables.files.len();
        read.files.iter_mut().for_each(|(file, _)| *file += base);
        tables.files.append(&mut files);
        tables.findings.extend(findings);
        tables.by_name.insert(Arc::clone(&read.name), read);
    }
    Ok(tables)
}
