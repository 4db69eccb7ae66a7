//! The children of one institution while it is walked: how many listings, which attendance row.

use crate::domain::Key;

/// No row.
pub const NONE: u32 = u32::MAX;

/// Several rows, of which none speaks alone.
pub const SEVERAL: u32 = u32::MAX - 1;

/// A small open-addressed index of the children of one institution: listings and attendance.
#[derive(Default)]
pub(crate) struct Places {
    slots: Vec<(Key, u32, u32, bool)>,
    mask: usize,
    /// The children of the attendance rows.
    attended: Vec<Key>,
}

impl Places {
    /// Starts with the attendance rows, each with its child, and room for so many listings. The rows
    /// lie scattered in their table: all children are fetched before the first is looked at.
    pub(crate) fn fill(&mut self, rows: &[u32], child: impl Fn(u32) -> Key, listings: usize) {
        self.attended.clear();
        self.attended.extend(rows.iter().map(|row| child(*row)));
        self.clear(rows.len() + listings);
        for (at, row) in rows.iter().enumerate() {
            self.add_attendance(self.attended[at], *row);
        }
    }

    /// The attendance rows of children without a listing, of those the index was filled with.
    pub(crate) fn orphans<'r>(&self, rows: &'r [u32]) -> impl Iterator<Item = u32> {
        let of_nobody = |(_, child): &(&'r u32, &Key)| self.get(**child).0 == 0;
        rows.iter().zip(&self.attended).filter(of_nobody).map(|(row, _)| *row)
    }

    fn clear(&mut self, children: usize) {
        let size = (children.max(1) * 2).next_power_of_two();
        self.slots.clear();
        self.slots.resize(size, (Key(u128::MAX), 0, NONE, false));
        self.mask = size - 1;
    }

    fn slot(&self, child: Key) -> usize {
        let mut at = usize::try_from(child.scatter() >> 32).unwrap_or(0) & self.mask;
        while self.slots[at].0 != child && self.slots[at].0 != Key(u128::MAX) {
            at = (at + 1) & self.mask;
        }
        at
    }

    fn add_attendance(&mut self, child: Key, row: u32) {
        let at = self.slot(child);
        let slot = &mut self.slots[at];
        slot.0 = child;
        slot.3 = slot.2 != NONE;
        slot.2 = row;
    }

    pub(crate) fn add_listing(&mut self, child: Key) {
        let at = self.slot(child);
        let slot = &mut self.slots[at];
        slot.0 = child;
        slot.1 += 1;
    }

    /// Listings of the child here, and one of its attendance rows.
    pub(crate) fn get(&self, child: Key) -> (u32, u32) {
        let slot = &self.slots[self.slot(child)];
        if slot.0 == child { (slot.1, slot.2) } else { (0, NONE) }
    }

    pub(crate) fn repeated(&self, child: Key) -> bool {
        let slot = &self.slots[self.slot(child)];
        slot.0 == child && slot.3
    }
}
