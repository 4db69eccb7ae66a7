//! The lines of one child, or of one enrolment: a number stands for all who have lines of the same
//! kinds.

use rustc_hash::FxHashMap;

/// Bundles of lines, each one line more than another bundle; the first are empty.
#[derive(Debug)]
pub(super) struct Bundles {
    /// What tells empty bundles apart.
    roots: Vec<i64>,
    /// The bundle without its last line; itself for an empty one.
    parent: Vec<u32>,
    /// The kind of the last line.
    line: Vec<u32>,
    /// The empty bundle each began as.
    root: Vec<u32>,
    known: FxHashMap<(u32, u32), u32>,
}

impl Bundles {
    /// An empty bundle for each owner, told apart by a number; with the bundle of each owner.
    pub(super) fn new(owners: impl Iterator<Item = i64>) -> (Self, Vec<u32>) {
        let mut this = Self {
            roots: Vec::new(),
            parent: Vec::new(),
            line: Vec::new(),
            root: Vec::new(),
            known: FxHashMap::default(),
        };
        let mut empty: FxHashMap<i64, u32> = FxHashMap::default();
        let of = owners
            .map(|number| {
                *empty.entry(number).or_insert_with(|| {
                    let root = number_of(this.roots.len());
                    this.roots.push(number);
                    this.parent.push(root);
                    this.line.push(0);
                    this.root.push(root);
                    root
                })
            })
            .collect();
        (this, of)
    }

    /// The bundle with one line more.
    pub(super) fn with(&mut self, bundle: u32, line: u32) -> u32 {
        *self.known.entry((bundle, line)).or_insert_with(|| {
            self.parent.push(bundle);
            self.line.push(line);
            self.root.push(self.root[bundle as usize]);
            number_of(self.parent.len() - 1)
        })
    }

    /// No more lines will come.
    pub(super) fn close(&mut self) {
        self.known = FxHashMap::default();
    }

    pub(super) const fn count(&self) -> usize {
        self.parent.len()
    }

    /// The number that told the empty bundle apart.
    pub(super) fn told(&self, bundle: usize) -> i64 {
        self.roots[self.root[bundle] as usize]
    }

    /// What each bundle comes to.
    pub(super) fn sums(&self, amounts: &[i64]) -> Option<Vec<i64>> {
        let mut sums = vec![0_i64; self.parent.len()];
        for at in self.roots.len()..sums.len() {
            let before = sums[self.parent[at] as usize];
            sums[at] = before.checked_add(amounts[self.line[at] as usize])?;
        }
        Some(sums)
    }
}

fn number_of(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
