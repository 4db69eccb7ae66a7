//! The inputs of a period as each of its months sees them (S22).

use super::SettleError;
use crate::domain::Month;
use crate::intake::{self, Table, Tables};
use crate::job::{Job, TableSpec};
use crate::law::InputTable;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A version of a table: its name, its files with their first rows.
type Version = (Arc<str>, Vec<(usize, usize)>);

/// Everything a period read.
pub(super) struct Delivered {
    /// All files and findings; rows counted over all versions of a table.
    pub(super) whole: Tables,
    /// Tables as months see them, where late deliveries make them differ; else empty.
    pub(super) versions: Vec<Tables>,
    /// Version of each month, in the order of the months.
    of_month: Vec<usize>,
    /// Late deliveries that were chosen, with the month. For the run id.
    late: Vec<(Month, TableSpec)>,
    /// Deliveries of the last month.
    pub(super) specs: Vec<TableSpec>,
}

impl Delivered {
    /// Reads the deliveries of the months; what several months share is read once.
    pub(super) fn read(
        job: &Job,
        months: &[Month],
        inputs: &[InputTable],
        currency: &str,
        wanted: &[(Arc<str>, Arc<str>)],
    ) -> Result<Self, SettleError> {
        let mut chosen: Vec<Vec<TableSpec>> = Vec::new();
        let (mut of_month, mut late) = (Vec::new(), Vec::new());
        for month in months {
            let specs = job.deliveries(*month, job.known_on)?;
            late.extend(
                specs.iter().filter(|spec| job.is_late(spec)).map(|spec| (*month, spec.clone())),
            );
            let same = chosen.iter().position(|other| *other == specs);
            of_month.push(same.unwrap_or(chosen.len()));
            if same.is_none() {
                chosen.push(specs);
            }
        }
        let specs = of_month.last().and_then(|at| chosen.get(*at)).cloned().unwrap_or_default();
        let mut read =
            Self { whole: Tables::default(), versions: Vec::new(), of_month, late, specs };
        for (at, specs) in chosen.iter().enumerate() {
            let before = |spec: &TableSpec| chosen[..at].iter().position(|all| all.contains(spec));
            let unread: Vec<TableSpec> =
                specs.iter().filter(|spec| before(spec).is_none()).cloned().collect();
            let mut tables = intake::read(&unread, inputs, currency, wanted)?;
            if chosen.len() == 1 {
                read.whole = tables;
                return Ok(read);
            }
            let base = read.whole.files.len();
            for table in tables.by_name.values_mut() {
                table.files.iter_mut().for_each(|(file, _)| *file += base);
            }
            read.whole.files.append(&mut tables.files);
            read.whole.findings.append(&mut tables.findings);
            for spec in specs {
                let shared = before(spec).and_then(|at| read.versions[at].get(&spec.table));
                if let Some(table) = shared {
                    tables.by_name.insert(Arc::clone(&table.name), table.clone());
                }
            }
            read.versions.push(tables);
        }
        read.count();
        Ok(read)
    }

    /// Inputs in hand, the same for all months.
    pub(super) fn given(tables: Tables, specs: Vec<TableSpec>, months: usize) -> Self {
        let of_month = vec![0; months];
        Self { whole: tables, versions: Vec::new(), of_month, late: Vec::new(), specs }
    }

    /// Counts the rows of all versions of each table; every version knows every file.
    fn count(&mut self) {
        // A version of a table is told by its files.
        let mut versions: BTreeMap<Version, [u64; 3]> = BTreeMap::new();
        for table in self.versions.iter().flat_map(|tables| tables.by_name.values()) {
            let key = (Arc::clone(&table.name), table.files.clone());
            versions.insert(key, [table.rows as u64, table.rows_read, table.rows_refused]);
        }
        for ((name, _), [rows, read, refused]) in versions {
            let sums = self.whole.by_name.entry(Arc::clone(&name)).or_default();
            *sums = Table {
                name,
                rows: sums.rows + usize::try_from(rows).unwrap_or(0),
                rows_read: sums.rows_read + read,
                rows_refused: sums.rows_refused + refused,
                ..Table::default()
            };
        }
        for version in &mut self.versions {
            version.files.clone_from(&self.whole.files);
        }
    }

    /// The late deliveries that were read: month, how, and the bytes of each file. The hashes of all
    /// files together do not tell which of them was the late one.
    pub(super) fn late(&self) -> Vec<String> {
        let sha256 = |table: &str, path: &Path| {
            let file = self.whole.files.iter().find(|of| *of.table == *table && *of.path == *path);
            file.map_or("", |file| &file.sha256)
        };
        let told = |(month, spec): &(Month, TableSpec)| {
            let hashes: Vec<&str> =
                spec.paths.iter().map(|path| sha256(&spec.table, path)).collect();
            format!("{month} {} {}", spec.canonical(), hashes.join(" "))
        };
        self.late.iter().map(told).collect()
    }

    /// Which version a month reads.
    pub(super) fn version(&self, month: usize) -> usize {
        self.of_month.get(month).copied().unwrap_or(0)
    }

    /// The inputs as a month sees them.
    pub(super) fn of(&self, month: usize) -> &Tables {
        self.versions.get(self.version(month)).unwrap_or(&self.whole)
    }

    /// The inputs as a month sees them, to take from, and whether no later month reads them.
    pub(super) fn take(&mut self, month: usize) -> (&mut Tables, bool) {
        let version = self.version(month);
        let last = self.of_month.iter().rposition(|of| *of == version) == Some(month);
        (self.versions.get_mut(version).unwrap_or(&mut self.whole), last)
    }
}
