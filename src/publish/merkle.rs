//! A Merkle tree over the lines of a schedule (RFC 6962): one root stands for all of them, and a
//! path of hashes proves one line without showing another.
//!
//! leaf = SHA-256 (0x00, context, blinding, SHA-256 of the row); node = SHA-256 (0x01, left, right).
//! The *context* names the run and the columns, so that a row cannot be read under other headings.
//! The *blinding* is a number of each line that follows from the bureau's key: without it the hash
//! of a neighbour tells nothing, not even to somebody who guesses the row.

use hmac::{Hmac, KeyInit, Mac};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::pseudonym::Pseudonyms;

/// A hash of the tree.
pub(super) type Hash = [u8; 32];

/// What the context is a hash of, before run and columns.
const CONTEXT_LABEL: &str = "tuoyu-line-v1";

/// The hash of everything a row is read under.
pub(super) fn context<'c>(run_id: &'c str, columns: impl Iterator<Item = &'c str>) -> Hash {
    let mut hash = Sha256::new();
    for line in [CONTEXT_LABEL, run_id].into_iter().chain(columns) {
        hash.update(line.as_bytes());
        hash.update(b"\n");
    }
    hash.finalize().into()
}

/// The blinding numbers of the lines of one run.
pub(super) struct Blinding(Hmac<Sha256>);

impl Blinding {
    /// Under the bureau's key.
    pub(super) fn of(pseudonyms: &Pseudonyms, run_id: &str) -> Self {
        let key = pseudonyms.blinding_key(run_id);
        // A key of any length will do; 32 bytes always do.
        Self(Hmac::new_from_slice(&key).unwrap_or_else(|_| unreachable!("HMAC takes any key")))
    }

    /// Of one line, by its place from 0.
    pub(super) fn line(&self, index: usize) -> Hash {
        let mut mac = self.0.clone();
        mac.update(&(index as u64).to_be_bytes());
        mac.finalize().into_bytes().into()
    }
}

/// A leaf, from the SHA-256 of the row's text.
pub(super) fn leaf(context: &Hash, blinding: &Hash, row: &Hash) -> Hash {
    Sha256::new_with_prefix([0])
        .chain_update(context)
        .chain_update(blinding)
        .chain_update(row)
        .finalize()
        .into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new_with_prefix([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The leaves of a schedule, from the hashes of its rows.
pub(super) fn leaves(context: &Hash, blinding: &Blinding, rows: &[Hash]) -> Vec<Hash> {
    rows.par_iter()
        .with_min_len(1024)
        .enumerate()
        .map(|(index, row)| leaf(context, &blinding.line(index), row))
        .collect()
}

/// One level up: pairs are joined, a last one without partner goes up as it is.
fn level_up(level: &[Hash]) -> Vec<Hash> {
    level
        .par_chunks(2)
        .with_min_len(1024)
        .map(|pair| match pair {
            [left, right] => node(left, right),
            _ => pair[0],
        })
        .collect()
}

/// The root; of no leaves the hash of nothing.
pub(super) fn root(leaves: Vec<Hash>) -> Hash {
    let mut level = leaves;
    while level.len() > 1 {
        level = level_up(&level);
    }
    level.first().copied().unwrap_or_else(|| Sha256::digest([]).into())
}

/// All levels of a tree, for several paths.
pub(super) struct Tree(Vec<Vec<Hash>>);

impl Tree {
    pub(super) fn of(leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            levels.push(level_up(level));
        }
        Self(levels)
    }

    /// As [`root`].
    pub(super) fn root(&self) -> Hash {
        root(self.0.last().cloned().unwrap_or_default())
    }

    /// The hashes beside the way from a leaf to the root, lowest first.
    pub(super) fn path(&self, mut index: usize) -> Vec<Hash> {
        let mut path = Vec::new();
        for level in self.0.iter().filter(|level| level.len() > 1) {
            path.extend(level.get(index ^ 1));
            index /= 2;
        }
        path
    }
}

/// The root that a leaf at a place in a tree of so many leaves has by its path; `None` when the
/// path has not the length such a place has.
pub(super) fn root_by(
    leaf: Hash,
    mut index: usize,
    mut size: usize,
    path: &[Hash],
) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut hash, mut path) = (leaf, path.iter());
    while size > 1 {
        if index % 2 == 1 {
            hash = node(path.next()?, &hash);
        } else if index + 1 < size {
            hash = node(&hash, path.next()?);
        }
        index /= 2;
        size = size.div_ceil(2);
    }
    path.next().is_none().then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sha(parts: &[&[u8]]) -> Hash {
        Sha256::digest(parts.concat()).into()
    }

    fn trees() -> [Hash; 5] {
        [b"a", b"b", b"c", b"d", b"e"].map(|text| sha(&[&[0], text]))
    }

    /// The trees of one, two, three and five leaves, drawn by hand.
    #[test]
    fn small_trees() {
        let leaf = trees();
        let join = |left: &Hash, right: &Hash| sha(&[&[1], left, right]);
        let (left, right) = (join(&leaf[0], &leaf[1]), join(&leaf[2], &leaf[3]));
        let four = join(&left, &right);
        assert_eq!(root(Vec::new()), sha(&[]));
        assert_eq!(root(leaf[..1].to_vec()), leaf[0]);
        assert_eq!(root(leaf[..2].to_vec()), left);
        assert_eq!(root(leaf[..3].to_vec()), join(&left, &leaf[2]));
        assert_eq!(root(leaf[..4].to_vec()), four);
        assert_eq!(root(leaf.to_vec()), join(&four, &leaf[4]));
        assert_eq!(Tree::of(leaf[..1].to_vec()).path(0), Vec::<Hash>::new());
        assert_eq!(Tree::of(leaf[..3].to_vec()).path(2), [left]);
        assert_eq!(Tree::of(leaf[..3].to_vec()).path(0), [leaf[1], leaf[2]]);
        assert_eq!(Tree::of(leaf.to_vec()).path(2), [leaf[3], left, leaf[4]]);
        assert_eq!(Tree::of(leaf.to_vec()).path(4), [four]);
    }

    #[test]
    fn a_path_proves_its_leaf_at_its_place_and_nothing_else() {
        for size in 1..40_u8 {
            let leaves: Vec<Hash> = (0..size).map(|n| sha(&[&[0], &[n]])).collect();
            let (top, count) = (root(leaves.clone()), leaves.len());
            for index in 0..count {
                let path = Tree::of(leaves.clone()).path(index);
                assert_eq!(root_by(leaves[index], index, count, &path), Some(top));
                assert_ne!(root_by(sha(&[b"x"]), index, count, &path), Some(top));
                assert_eq!(root_by(leaves[index], count, count, &path), None);
                for other in (0..count).filter(|other| *other != index) {
                    assert_ne!(root_by(leaves[index], other, count, &path), Some(top));
                }
                let longer: Vec<Hash> = path.iter().copied().chain([top]).collect();
                assert_eq!(root_by(leaves[index], index, count, &longer), None);
                for at in 0..path.len() {
                    let mut changed = path.clone();
                    changed[at][31] ^= 1;
                    assert_ne!(root_by(leaves[index], index, count, &changed), Some(top));
                }
            }
        }
    }

    #[test]
    fn the_leaf_is_what_the_docs_say() {
        let names = Pseudonyms::new(b"0123456789abcdef").unwrap();
        let blinding = Blinding::of(&names, "run");
        let context = context("run", ["a", "b"].into_iter());
        assert_eq!(context, sha(&[b"tuoyu-line-v1\nrun\na\nb\n"]));
        let row = sha(&[b"1\n2\n"]);
        let want = sha(&[&[0], &context, &blinding.line(0), &row]);
        assert_eq!(leaves(&context, &blinding, &[row]), [want]);
        assert_ne!(blinding.line(0), blinding.line(1));
        assert_ne!(blinding.line(0), Blinding::of(&names, "another").line(0));
        let other = Pseudonyms::new(b"0123456789abcdeg").unwrap();
        assert_ne!(blinding.line(0), Blinding::of(&other, "run").line(0));
    }
}
