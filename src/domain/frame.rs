//! Frames: the rows of one basis, columns by name and links to the rows of coarser bases.

use super::{Basis, Stored};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where the rows of a frame stand among the deliveries.
#[derive(Debug, Clone, Default)]
pub struct Origins {
    /// The file of each row by number; one number where all rows are of one file.
    files: Vec<u32>,
    /// The record of each row, from 1.
    records: Vec<u32>,
}

impl Origins {
    /// The records of rows with their files, of which one speaks for all.
    #[must_use]
    pub const fn new(files: Vec<u32>, records: Vec<u32>) -> Self {
        Self { files, records }
    }

    /// File and record of a row, if it is known.
    #[must_use]
    pub fn at(&self, row: usize) -> Option<(u32, u32)> {
        let record = self.records.get(row).copied().filter(|record| *record > 0)?;
        let file = if let [only] = self.files[..] { only } else { *self.files.get(row)? };
        Some((file, record))
    }

    /// Those of the rows named, in that order.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        let of = |row: &u32| self.at(*row as usize).unwrap_or_default();
        let (files, records) = rows.iter().map(of).unzip();
        Self { files, records }
    }
}

/// All rows of one basis: named columns and links to coarser rows.
#[derive(Debug, Clone)]
pub struct Frame {
    /// What a row is.
    pub basis: Basis,
    /// Number of rows.
    pub rows: usize,
    /// Columns by name. Facts have bare names (`fee_monthly`); what rules compute is stored under
    /// the rule's id (`rate_base`, `full_day.ceiling`).
    pub columns: BTreeMap<Arc<str>, Arc<Stored>>,
    /// Names of the columns rules computed.
    pub computed: BTreeSet<Arc<str>>,
    /// For each coarser basis the row each row belongs to; [`Frame::NO_ROW`] where it has none.
    pub links: BTreeMap<Basis, Vec<u32>>,
    /// Where the rows were delivered, if they were.
    pub origins: Option<Origins>,
    /// For a grouping the columns whose values name a row; else empty.
    pub keys: Vec<Arc<str>>,
}

impl Frame {
    /// The link of a row without a parent.
    pub const NO_ROW: u32 = u32::MAX;

    /// An empty frame of `rows` rows.
    #[must_use]
    pub const fn new(basis: Basis, rows: usize) -> Self {
        Self {
            basis,
            rows,
            columns: BTreeMap::new(),
            computed: BTreeSet::new(),
            links: BTreeMap::new(),
            origins: None,
            keys: Vec::new(),
        }
    }

    /// Adds a column, replacing one of the same name.
    ///
    /// # Panics
    /// When the column's length is not the frame's: that is a bug in the room that built it.
    pub fn put(&mut self, name: &str, stored: Stored) {
        assert_eq!(stored.column.len(), self.rows, "column {name} of basis {}", self.basis);
        self.columns.insert(Arc::from(name), Arc::new(stored));
    }

    /// [`Self::put`] of a column a rule computed: no fact, so that it names no row.
    pub fn put_computed(&mut self, name: &str, stored: Stored) {
        self.put(name, stored);
        self.computed.insert(Arc::from(name));
    }

    /// The column of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Stored> {
        self.columns.get(name).map(|stored| &**stored)
    }

    /// File and record a row was delivered in, if it was.
    #[must_use]
    pub fn origin(&self, row: usize) -> Option<(u32, u32)> {
        self.origins.as_ref()?.at(row)
    }

    /// The column of that name, for a thread that reads it while others are added.
    #[must_use]
    pub fn shared(&self, name: &str) -> Option<Arc<Stored>> {
        self.columns.get(name).cloned()
    }
}

/// The frames of all bases.
#[derive(Debug, Clone, Default)]
pub struct Frames {
    by_basis: BTreeMap<Basis, Frame>,
}

impl Frames {
    /// Adds a frame, replacing one of the same basis.
    pub fn put(&mut self, frame: Frame) {
        self.by_basis.insert(frame.basis.clone(), frame);
    }

    /// The frame of a basis, if it was built.
    #[must_use]
    pub fn get(&self, basis: &Basis) -> Option<&Frame> {
        self.by_basis.get(basis)
    }

    /// The frame of a basis, to add computed columns.
    pub fn get_mut(&mut self, basis: &Basis) -> Option<&mut Frame> {
        self.by_basis.get_mut(basis)
    }

    /// All frames, to add links.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Frame> {
        self.by_basis.values_mut()
    }

    /// All frames, in the order of [`Basis`].
    pub fn iter(&self) -> impl Iterator<Item = &Frame> {
        self.by_basis.values()
    }
}
