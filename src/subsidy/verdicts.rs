//! What a test of admission says of each row, read where it stands: a gate's column is not copied to
//! be judged.

use crate::domain::{Basis, Column, Frame, Frames, RowError, Stored};
use rayon::prelude::*;

/// Rows one thread looks at in one go.
const AT_ONCE: usize = 8192;

/// The verdict of a row without a value for this reason; 0 passes, 1 fails.
pub(crate) const fn verdict_of(error: RowError) -> u8 {
    2 + error as u8
}

/// Where the verdicts of a test come from.
#[derive(Debug)]
pub(crate) enum Verdicts {
    /// One a row of the item's basis.
    Made(Vec<u8>),
    /// A bool column of a basis, read on the item's rows through their link.
    Column {
        /// Basis of the column.
        of: Basis,
        /// Its name.
        column: String,
        /// True where something is wrong; a row without such a parent has nothing wrong there.
        wrong: bool,
    },
}

impl Verdicts {
    /// A column that is true where the test passes.
    pub(crate) fn passing(of: &Basis, column: String) -> Self {
        Self::Column { of: of.clone(), column, wrong: false }
    }

    /// A column that is true where something is wrong; `None` when it is wrong nowhere.
    pub(crate) fn failing(
        frames: &Frames,
        own: &Basis,
        of: &Basis,
        column: &str,
        len: usize,
    ) -> Option<Self> {
        frames.get(of)?.get(column)?;
        let verdicts = Self::Column { of: of.clone(), column: column.to_owned(), wrong: true };
        verdicts.any(frames, own, len).then_some(verdicts)
    }

    /// Whether any of the `len` rows does not pass.
    pub(crate) fn any(&self, frames: &Frames, own: &Basis, len: usize) -> bool {
        let view = self.view(frames, own);
        (0..len.div_ceil(AT_ONCE)).into_par_iter().any(|stretch| {
            let first = stretch * AT_ONCE;
            let mut passing = vec![true; AT_ONCE.min(len - first)];
            view.narrow(first, &mut passing);
            passing.contains(&false)
        })
    }

    /// The verdicts on the rows of `own`.
    pub(crate) fn view<'f>(&'f self, frames: &'f Frames, own: &Basis) -> View<'f> {
        match self {
            Self::Made(verdicts) => View::Made(verdicts),
            Self::Column { of, column, wrong } => {
                let stored = frames.get(of).and_then(|frame| frame.get(column));
                let frame = frames.get(own);
                let (Some(stored), Some(frame)) = (stored, frame) else { return View::Passes };
                let link = if own == of {
                    Link::Own
                } else {
                    frame.links.get(of).map_or(Link::Nowhere, |links| Link::By(links))
                };
                match (stored, link) {
                    (
                        Stored { column: Column::Bool(values), nulls: None, errors: None },
                        Link::Own,
                    ) => View::Flags { values, wrong: *wrong },
                    _ => View::Column { stored, link, wrong: *wrong },
                }
            }
        }
    }
}

/// How a row finds the row of the column's basis.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Link<'f> {
    Own,
    By(&'f [u32]),
    Nowhere,
}

/// The verdicts of a test on the rows of one basis.
#[derive(Debug, Clone, Copy)]
pub(crate) enum View<'f> {
    Passes,
    Made(&'f [u8]),
    /// The row's own flag, always known: most tests.
    Flags {
        values: &'f [bool],
        wrong: bool,
    },
    Column {
        stored: &'f Stored,
        link: Link<'f>,
        wrong: bool,
    },
}

impl View<'_> {
    /// 0 passes, 1 fails, [`verdict_of`] an error for want of a value.
    #[inline]
    pub(crate) fn at(&self, row: usize) -> u8 {
        let (stored, link, wrong) = match self {
            Self::Passes => return 0,
            Self::Made(verdicts) => return verdicts[row],
            Self::Flags { values, wrong } => return u8::from(values[row] == *wrong),
            Self::Column { stored, link, wrong } => (stored, link, *wrong),
        };
        let of = match link {
            Link::Own => Some(row),
            Link::By(links) if links[row] != Frame::NO_ROW => Some(links[row] as usize),
            Link::By(_) | Link::Nowhere => None,
        };
        let verdict = match of.map(|row| (row, stored.error(row))) {
            None => verdict_of(RowError::NoParent),
            Some((_, Some(error))) => verdict_of(error),
            Some((row, None)) => {
                let holds = matches!(&stored.column, Column::Bool(values) if values[row]);
                u8::from(stored.is_null(row) || !holds)
            }
        };
        if wrong { u8::from(verdict == 0) } else { verdict }
    }

    /// Of the rows from `first` on leaves those passing that pass here too: many rows in one go.
    pub(crate) fn narrow(&self, first: usize, passing: &mut [bool]) {
        let rows = first..first + passing.len();
        match self {
            Self::Passes => {}
            Self::Flags { values, wrong } => {
                for (passes, value) in passing.iter_mut().zip(&values[rows]) {
                    *passes &= value != wrong;
                }
            }
            Self::Column {
                stored: Stored { column: Column::Bool(values), nulls: None, errors: None },
                link: Link::By(links),
                wrong,
            } => {
                for (passes, link) in passing.iter_mut().zip(&links[rows]) {
                    *passes &= values.get(*link as usize).map_or(*wrong, |value| value != wrong);
                }
            }
            Self::Made(_) | Self::Column { .. } => {
                for (passes, row) in passing.iter_mut().zip(rows) {
                    *passes &= self.at(row) == 0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_rows_in_one_go_come_to_what_each_comes_to() {
        let values = vec![true, false, true, false];
        let plain = Stored::plain(Column::Bool(values.clone()));
        let nulls = Stored::nullable(Column::Bool(values.clone()), vec![false, true, true, false]);
        let errors = Some(vec![None, Some(RowError::Overflow), None, Some(RowError::NoParent)]);
        let errors = Stored { errors, ..plain.clone() };
        let links = [3, Frame::NO_ROW, 0, 1];
        let mut failing = 0;
        for wrong in [false, true] {
            let mut views = vec![
                View::Passes,
                View::Made(&[0, 1, 2, 0]),
                View::Flags { values: &values, wrong },
            ];
            for stored in [&plain, &nulls, &errors] {
                for link in [Link::Own, Link::By(&links), Link::Nowhere] {
                    views.push(View::Column { stored, link, wrong });
                }
            }
            for (view, first) in views.iter().flat_map(|view| [(view, 0), (view, 1)]) {
                let mut passing = vec![true; 4 - first];
                passing[1] = false; // failed before
                view.narrow(first, &mut passing);
                for (at, passes) in passing.iter().enumerate() {
                    let row = first + at;
                    assert_eq!(*passes, at != 1 && view.at(row) == 0, "{view:?}, row {row}");
                    failing += usize::from(at != 1 && !passes);
                }
            }
        }
        assert!(failing > 30, "{failing} rows fail: the test says nothing");
    }
}
