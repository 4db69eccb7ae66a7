//! Typed rows of one piece of a file, growing column by column.
//!
//! A row is taken whole or refused whole.

use super::built::{Built, drop_refused};
use super::found::Found;
use super::growing::Growing;
use super::plan::{Binding, Source, TablePlan};
use super::tally::{Tally, WHOLE_RECORD};
use crate::domain::FindingCode;
use regex::Regex;

/// Typed rows of one piece.
#[derive(Debug)]
pub(super) struct Rows<'p> {
    columns: Vec<Growing<'p>>,
    width: usize,
    records: Vec<u32>,
    read: u64,
    refused: u64,
    tally: Tally,
    /// Which records of the block at hand are refused.
    refused_here: Vec<bool>,
}

/// Records of the right shape that are not yet typed.
#[derive(Debug, Default)]
pub(super) struct Block<'t> {
    /// Record numbers, counted from the piece's start.
    pub(super) records: Vec<u32>,
    /// Their fields, record after record.
    pub(super) fields: Vec<&'t [u8]>,
}

/// What a pattern finds in a field.
fn captured<'t>(pattern: &Regex, text: &'t str) -> &'t str {
    pattern.captures(text).and_then(|groups| groups.get(1)).map_or("", |group| group.as_str())
}

/// A piece once read: columns by plan index, absent ones `None`.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) columns: Vec<Option<Built>>,
    /// Record number of each row, counted from the piece's start.
    pub(super) records: Vec<u32>,
    pub(super) read: u64,
    pub(super) refused: u64,
    pub(super) tally: Tally,
    /// Records the piece holds, blank ones included.
    pub(super) length: u32,
}

impl<'p> Rows<'p> {
    /// Empty rows with room for `capacity`.
    pub(super) fn new(plan: &'p TablePlan<'_>, binding: &'p Binding, capacity: usize) -> Self {
        let mut columns = Vec::new();
        for (at, (column, source)) in plan.columns.iter().zip(&binding.sources).enumerate() {
            if matches!(source, Source::Absent) {
                continue;
            }
            columns.push(Growing::new(column, at, source, capacity));
        }
        Self {
            columns,
            width: binding.width,
            records: Vec::with_capacity(capacity),
            read: 0,
            refused: 0,
            tally: Tally::default(),
            refused_here: Vec::new(),
        }
    }

    /// Takes one record, or refuses it with a remark on every value that cannot be typed.
    pub(super) fn take<'a>(&mut self, record: u32, fields: impl Fn(usize) -> Found<'a>) {
        self.read += 1;
        let mut whole = true;
        for column in &mut self.columns {
            whole &= match column.source {
                Source::Field(at) => column.push(fields(*at), record, &mut self.tally),
                Source::Constant(text) => {
                    column.push(Found::Text(text.as_bytes()), record, &mut self.tally)
                }
                Source::Capture(at, pattern) => {
                    let text = fields(*at).text().unwrap_or_default();
                    let found = captured(pattern, &text);
                    column.push(Found::Text(found.as_bytes()), record, &mut self.tally)
                }
                Source::Absent => true,
            };
        }
        if whole {
            self.records.push(record);
        } else {
            self.refused += 1;
            let rows = self.records.len();
            for column in &mut self.columns {
                column.built.truncate(rows);
            }
        }
    }

    /// Takes the records of a block, column after column: what [`Rows::take`] does to each of them
    /// in turn comes to the same.
    pub(super) fn take_block(&mut self, block: &Block<'_>) {
        let before = self.records.len();
        let Block { records, fields } = block;
        self.refused_here.clear();
        self.refused_here.resize(records.len(), false);
        let (refused, tally) = (&mut self.refused_here[..], &mut self.tally);
        for column in &mut self.columns {
            let field = |at: &usize| fields.iter().skip(*at).step_by(self.width).copied();
            match column.source {
                Source::Field(at) => column.push_fields(field(at), records, refused, tally),
                Source::Constant(text) => {
                    let texts = std::iter::repeat_n(text.as_bytes(), records.len());
                    column.push_fields(texts, records, refused, tally);
                }
                Source::Capture(at, pattern) => {
                    let texts: Vec<_> = field(at).map(String::from_utf8_lossy).collect();
                    let texts = texts.iter().map(|text| captured(pattern, text).as_bytes());
                    column.push_fields(texts, records, refused, tally);
                }
                Source::Absent => {}
            }
        }
        self.read += records.len() as u64;
        self.records.extend_from_slice(records);
        if refused.contains(&true) {
            for column in &mut self.columns {
                column.built.drop_rows(before, refused);
            }
            drop_refused(&mut self.records, before, refused);
            self.refused += refused.iter().filter(|refused| **refused).count() as u64;
        }
    }

    /// Refuses a record that does not have as many fields as the header.
    pub(super) fn refuse_shape(&mut self, record: u32, fields: usize) {
        self.read += 1;
        self.refused += 1;
        let width = self.width;
        self.tally.note(FindingCode::RecordShape, WHOLE_RECORD, record, || {
            vec![("fields", fields.to_string()), ("expected", width.to_string())]
        });
    }

    /// Number of fields a record must have.
    pub(super) const fn width(&self) -> usize {
        self.width
    }

    /// The piece, which held `length` records.
    pub(super) fn finish(self, plan: &TablePlan<'_>, length: u32) -> Part {
        let Self { columns: grown, records, read, refused, tally, .. } = self;
        let mut columns: Vec<Option<Built>> = plan.columns.iter().map(|_| None).collect();
        for column in grown {
            columns[column.at] = Some(column.built);
        }
        Part { columns, records, read, refused, tally, length }
    }
}
