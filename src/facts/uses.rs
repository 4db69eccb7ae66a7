//! Which rows of an input table became facts of a month: a period of several months used what any of
//! its months used, and a row two months use is one row.

/// Rows of an input table that became facts of a month. The others are rows of other months,
/// versions out of force, rows nobody reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowUse {
    /// Every row. Said in one word because a month of a million rows is the common case.
    All,
    /// One bit a row, rows beyond the end unused.
    Rows(Vec<u64>),
}

impl Default for RowUse {
    fn default() -> Self {
        Self::Rows(Vec::new())
    }
}

impl RowUse {
    /// Rows by number; a number may come more than once.
    pub(crate) fn of(rows: impl IntoIterator<Item = u32>) -> Self {
        let mut bits: Vec<u64> = Vec::new();
        for row in rows {
            let word = row as usize / 64;
            if word >= bits.len() {
                bits.resize(word + 1, 0);
            }
            bits[word] |= 1 << (row % 64);
        }
        Self::Rows(bits)
    }

    /// How many of a table's `rows` were used.
    #[must_use]
    pub fn count(&self, rows: u64) -> u64 {
        match self {
            Self::All => rows,
            Self::Rows(bits) => bits.iter().map(|word| u64::from(word.count_ones())).sum(),
        }
    }

    /// Adds what another month used.
    pub fn join(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::All, _) => {}
            (_, Self::All) => *self = Self::All,
            (Self::Rows(own), Self::Rows(other)) => {
                own.resize(own.len().max(other.len()), 0);
                own.iter_mut().zip(other).for_each(|(own, other)| *own |= other);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RowUse;

    #[test]
    fn a_row_two_months_use_is_one_row() {
        let mut uses = RowUse::of([0, 70, 70]);
        assert_eq!(uses.count(100), 2);
        uses.join(&RowUse::of([70, 99, 1]));
        assert_eq!(uses.count(100), 4);
        uses.join(&RowUse::default());
        assert_eq!(uses.count(100), 4);
        uses.join(&RowUse::All);
        assert_eq!(uses.count(100), 100);
        uses.join(&RowUse::of([3]));
        assert_eq!(uses, RowUse::All);
    }
}
