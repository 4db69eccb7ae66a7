//! Which coarser row each row of a frame belongs to.

use super::{Basis, Frame, Frames};
use std::borrow::Cow;

/// The row of a coarser basis each row of a finer one belongs to.
#[derive(Debug, Clone)]
pub enum KeyRows<'a> {
    /// Each row is its own key.
    Own,
    /// All rows share the one row of the programme.
    One,
    /// By link; [`Frame::NO_ROW`] where there is none.
    Linked(Cow<'a, [u32]>),
    /// No row has a key.
    Nowhere,
}

impl KeyRows<'_> {
    /// The key row of a row; [`Frame::NO_ROW`] where there is none.
    #[must_use]
    pub fn at(&self, row: usize) -> u32 {
        match self {
            Self::Own => u32::try_from(row).unwrap_or(Frame::NO_ROW),
            Self::One => 0,
            Self::Linked(link) => link.get(row).copied().unwrap_or(Frame::NO_ROW),
            Self::Nowhere => Frame::NO_ROW,
        }
    }

    /// Whether every row has a key row.
    #[must_use]
    pub fn all_found(&self) -> bool {
        match self {
            Self::Own | Self::One => true,
            Self::Linked(link) => !link.contains(&Frame::NO_ROW),
            Self::Nowhere => false,
        }
    }
}

/// The rows of `to` that rows of `from` belong to; `None` when no link leads there. Links to an
/// institution end in its main row, also from rows that hang on a version of mid-month.
#[must_use]
pub fn key_rows<'a>(frames: &'a Frames, from: &Basis, to: &Basis) -> Option<KeyRows<'a>> {
    let frame = frames.get(from)?;
    if from != to && *to == Basis::Programme {
        return Some(KeyRows::One);
    }
    let main = (*to == Basis::Institution)
        .then(|| frames.get(to).and_then(|f| f.links.get(to)))
        .flatten()
        .filter(|main| main.iter().enumerate().any(|(row, link)| row != *link as usize));
    if from == to {
        return Some(main.map_or(KeyRows::Own, |main| KeyRows::Linked(Cow::Borrowed(main))));
    }
    let link = frame.links.get(to)?;
    Some(KeyRows::Linked(match main {
        None => Cow::Borrowed(link.as_slice()),
        Some(main) => Cow::Owned(
            link.iter()
                .map(|row| main.get(*row as usize).copied().unwrap_or(Frame::NO_ROW))
                .collect(),
        ),
    }))
}
