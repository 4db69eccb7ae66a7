//! Rows of other tables that name a child at an institution find its row of the month.

use super::Ground;
use crate::domain::{Basis, Column, Frame, Frames, Key, Stored};
use crate::intake::Table;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

/// The row of each child at an institution; nothing where no rule stands on children.
#[derive(Debug, Default)]
pub(crate) struct Homes {
    rows: FxHashMap<(Key, Key), u32>,
    given: bool,
}

/// The keys of a child at an institution, as a table or frame states them.
pub(crate) fn keys<'s>(
    child: Option<&'s Stored>,
    institution: Option<&'s Stored>,
) -> Option<(&'s [Key], &'s [Key])> {
    match (child.map(|of| &of.column), institution.map(|of| &of.column)) {
        (Some(Column::Key(children)), Some(Column::Key(institutions))) => {
            Some((&children.keys, &institutions.keys))
        }
        _ => None,
    }
}

impl Homes {
    /// Reads the rows of children, where some other rows may ask for them.
    pub(crate) fn of(ground: &Ground<'_>, frames: &Frames) -> Self {
        let linked = ground.law.inputs.iter().any(|input| {
            let read = ground.needs.basis(&Basis::Declared(input.name.clone()));
            read && input.columns.iter().any(|column| &*column.name == "child_ref")
        });
        let days = [Basis::Day, Basis::Week].iter().any(|basis| ground.needs.basis(basis));
        let children = frames.get(&Basis::Child).filter(|_| linked || days);
        let found = children.and_then(|of| keys(of.get("child_ref"), of.get("institution_id")));
        let Some((children, institutions)) = found else { return Self::default() };
        let rows = children.iter().copied().zip(institutions.iter().copied()).zip(0_u32..);
        Self { rows: rows.collect(), given: true }
    }

    /// Whether there are rows of children to ask for.
    pub(crate) const fn given(&self) -> bool {
        self.given
    }

    /// The row of a child at an institution.
    pub(crate) fn row(&self, child: Key, institution: Key) -> u32 {
        self.rows.get(&(child, institution)).copied().unwrap_or(Frame::NO_ROW)
    }

    /// The child each row of a table is about; `None` where it names none.
    pub(crate) fn children(&self, table: &Table, rows: &[u32]) -> Option<Vec<u32>> {
        let (child, institution) = (table.get("child_ref"), table.get("institution_id"));
        let (children, institutions) = keys(child, institution).filter(|_| self.given)?;
        let null = |row: usize| {
            [child, institution].into_iter().flatten().any(|stored| stored.is_null(row))
        };
        let rows = rows.par_iter().with_min_len(8192);
        let of = |row: &u32| match *row as usize {
            row if null(row) => Frame::NO_ROW,
            row => self.row(children[row], institutions[row]),
        };
        Some(rows.map(of).collect())
    }
}
