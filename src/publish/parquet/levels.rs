//! Parquet's definition levels: which cells of a column hold a value.

use std::io;

use super::encoding::{hybrid, same};

/// Which cells of a column are there.
pub(super) enum Levels {
    /// All of this many: the column is never null and says so in the schema.
    Required(usize),
    /// All or none of this many. Most columns are so, and need no level for each cell.
    Same(bool, usize),
    /// 1 where there is a value, else 0.
    Mixed(Vec<u32>),
}

impl Levels {
    /// The levels of `rows` cells, `nulls` of them null; `each` is asked only when they differ.
    pub(super) fn of(rows: usize, nulls: usize, each: impl FnOnce() -> Vec<u32>) -> Self {
        match nulls {
            0 => Self::Same(true, rows),
            _ if nulls == rows => Self::Same(false, rows),
            _ => Self::Mixed(each()),
        }
    }

    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Required(rows) | Self::Same(_, rows) => *rows,
            Self::Mixed(levels) => levels.len(),
        }
    }

    pub(super) fn nulls(&self) -> usize {
        match self {
            Self::Required(_) | Self::Same(true, _) => 0,
            Self::Same(false, rows) => *rows,
            Self::Mixed(levels) => levels.iter().filter(|level| **level == 0).count(),
        }
    }

    /// Length and run-length encoded levels, or nothing for a required column.
    pub(super) fn body(&self) -> io::Result<Vec<u8>> {
        let mut body = vec![0; 4];
        match self {
            Self::Required(_) => return Ok(Vec::new()),
            Self::Same(there, rows) => same(u32::from(*there), *rows, 1, &mut body),
            Self::Mixed(levels) => hybrid(levels, 1, &mut body),
        }
        let length = u32::try_from(body.len() - 4).map_err(io::Error::other)?;
        body[..4].copy_from_slice(&length.to_le_bytes());
        Ok(body)
    }
}

/// The values that are there, and which those are.
pub(super) fn split<T: Copy, V>(cells: &[Option<T>], value: impl Fn(T) -> V) -> (Vec<V>, Levels) {
    let nulls = cells.iter().filter(|cell| cell.is_none()).count();
    let mut present = Vec::with_capacity(cells.len() - nulls);
    present.extend(cells.iter().flatten().map(|cell| value(*cell)));
    let each = || cells.iter().map(|cell| u32::from(cell.is_some())).collect();
    (present, Levels::of(cells.len(), nulls, each))
}
