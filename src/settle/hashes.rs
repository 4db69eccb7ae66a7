//! Hashes of deliveries, by which they are told to be the same or others.

use super::SettleError;
use crate::archive::Materials;
use crate::domain::hex;
use crate::job::TableSpec;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Hashes of files by path: of the archive, and of the job's own, each read once.
pub(super) struct Hashes(BTreeMap<PathBuf, Option<String>>);

impl Hashes {
    pub(super) fn of<'m>(runs: impl Iterator<Item = &'m Materials>) -> Result<Self, SettleError> {
        let mut all = BTreeMap::new();
        for run in runs {
            all.extend(run.hashes()?);
        }
        Ok(Self(all))
    }

    /// The hash of a file that was looked at.
    pub(super) fn of_file(&self, path: &PathBuf) -> Option<String> {
        self.0.get(path)?.clone()
    }

    /// Adds deliveries that are not in the list yet, by how they are read and by their bytes.
    pub(super) fn add_new(
        &mut self,
        list: &mut Vec<TableSpec>,
        known: &mut Vec<BTreeMap<String, Vec<String>>>,
        specs: Vec<TableSpec>,
    ) -> Result<(), SettleError> {
        for spec in specs {
            let told = self.inputs(std::slice::from_ref(&spec))?;
            if !known.contains(&told) {
                known.push(told);
                list.push(spec);
            }
        }
        Ok(())
    }

    /// Hashes of the files of each table, sorted; a table without files has an empty list.
    pub(super) fn inputs(
        &mut self,
        specs: &[TableSpec],
    ) -> Result<BTreeMap<String, Vec<String>>, SettleError> {
        let mut inputs: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for spec in specs {
            if spec.paths.is_empty() {
                continue;
            }
            let list = inputs.entry(spec.table.clone()).or_default();
            // The same bytes read another way are another delivery.
            list.push(format!("read {}", hex(&Sha256::digest(spec.canonical()))));
            for path in &spec.paths {
                if !self.0.contains_key(path) {
                    let bytes = std::fs::read(path).map_err(|cause| SettleError::Unreadable {
                        path: path.display().to_string(),
                        reason: cause.to_string(),
                    })?;
                    self.0.insert(path.clone(), Some(hex(&Sha256::digest(bytes))));
                }
                list.extend(self.0[path].clone());
            }
            list.sort();
        }
        Ok(inputs)
    }
}
