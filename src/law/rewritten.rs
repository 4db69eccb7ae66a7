//! Whether two texts of the law are the same law, and which blocks differ.

use super::book::LawBook;
use std::collections::BTreeMap;
use std::fmt;

/// A block that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// Kind and version, as the canonical text heads it.
    pub block: String,
    /// Pack file and line of the block as it is now; empty for one that is gone.
    pub place: String,
    /// First line that differs, as it was; `None` where there was none.
    pub was: Option<String>,
    /// The same line as it is; `None` where there is none.
    pub is: Option<String>,
}

impl fmt::Display for Rewritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        let line = |line: &Option<String>| line.as_deref().unwrap_or("nothing").trim().to_owned();
        write!(f, "{}: was `{}`, is `{}`", self.block, line(&self.was), line(&self.is))
    }
}

impl LawBook {
    /// The blocks that differ between two canonical texts of one month as known on one day; `is` is
    /// this book's. Declared inputs and titles are not dated and bind nobody: they are passed over.
    #[must_use]
    pub fn rewritten(&self, was: &str, is: &str) -> Vec<Rewritten> {
        // A text of another grammar cannot be compared; it says so on its first line.
        if was == is || was.lines().next() != is.lines().next() {
            return Vec::new();
        }
        let (then, now) = (blocks(was), blocks(is));
        let mut names: Vec<&str> = then.keys().chain(now.keys()).copied().collect();
        names.sort_unstable();
        names.dedup();
        let empty = Vec::new();
        let mut changes = Vec::new();
        for name in names {
            let was = then.get(name).unwrap_or(&empty);
            let is = now.get(name).unwrap_or(&empty);
            let lines = was.len().max(is.len());
            let Some(at) = (0..lines).find(|at| was.get(*at) != is.get(*at)) else { continue };
            changes.push(Rewritten {
                block: name.to_owned(),
                place: self.place(name),
                was: was.get(at).cloned(),
                is: is.get(at).cloned(),
            });
        }
        changes
    }

    /// Pack, file and line of a block by its kind and version.
    fn place(&self, name: &str) -> String {
        let found = self.blocks.iter().find(|block| {
            let id = self.printed(block.pack, &block.id);
            format!("{} {}", block.kind.word(), block.version(&id)) == name
        });
        found.map_or_else(String::new, |block| {
            let place = self.head_of(block).place;
            format!("{}/{}:{}", place.pack, place.file, place.line)
        })
    }
}

/// Lines of each block by its kind and version.
fn blocks(text: &str) -> BTreeMap<&str, Vec<String>> {
    let mut blocks: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut open: Option<&str> = None;
    for line in text.lines().skip(1) {
        if !line.starts_with(' ') {
            let name = line.split(" | ").next().unwrap_or(line);
            open = (!name.starts_with("input ")).then_some(name);
        }
        let Some(name) = open else { continue };
        let mut line = line.to_owned();
        if line.starts_with("pack ") {
            // `pack id | title | region | …`: title and region are for people.
            let parts: Vec<&str> = line.split(" | ").collect();
            line = [&parts[..1], parts.get(3..).unwrap_or_default()].concat().join(" | ");
        }
        blocks.entry(name).or_default().push(line);
    }
    blocks
}
