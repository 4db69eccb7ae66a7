//! The packs of a job, read once; overlays are laid over them any number of times.
//!
//! A what-if run lays thousands of overlays over the same packs. What an overlay does not touch is
//! shared with the law without overlays: nothing is read, parsed or checked again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::book::{self, LawBook};
use super::dictionary::built_in;
use super::fault::{Fault, Faults, LawErrors, SourceText, Sources};
use super::figures::{Edits, VersionKey};
use super::lookup::ReadTable;
use super::text::{self, Block, BlockKind, Papers, Written};

/// A text of `path = value` that is laid over packs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverlayText {
    /// What messages call it: the name of its file.
    pub name: String,
    /// TOML.
    pub text: String,
}

/// The packs of a job, read once; overlays are laid over them any number of times. A copy shares
/// what was read.
#[derive(Debug, Clone)]
pub struct LawText(Arc<Base>);

#[derive(Debug)]
struct Base {
    papers: Papers,
    /// What is wrong with the files, the calendar and the inputs.
    faults: Vec<Fault>,
    /// The blocks held against the grammar, in the order of `papers.written`.
    checked: Vec<Checked>,
    /// The law without overlays, maybe broken.
    plain: Assembled,
}

/// A block held against the grammar, with what was wrong.
#[derive(Debug, Clone)]
struct Checked {
    /// `None` without an id.
    block: Option<Arc<Block>>,
    faults: Vec<Fault>,
}

/// A book with what is wrong between its blocks.
#[derive(Debug, Clone)]
struct Assembled {
    book: LawBook,
    /// Place in `papers.written` of each block.
    from: Vec<usize>,
    /// Of versions and names.
    faults: Vec<Fault>,
    /// Of tables, by the serial of their block.
    tables: BTreeMap<usize, Vec<Fault>>,
}

/// Reads packs in layer order, the calendar from the reference folder.
///
/// # Errors
/// Everything that is wrong with any file. What is wrong with a block is told by
/// [`LawText::under`]: an overlay may mend it.
pub fn read(packs: &[PathBuf], reference: &Path) -> Result<LawText, LawErrors> {
    read_worded(packs, &BTreeMap::new(), reference)
}

/// [`read`] with other words in the text of the last pack: each of `wording` has to stand in it
/// exactly once. For cases that ask what a pack would say if it said something else.
///
/// # Errors
/// As [`read`].
pub fn read_worded(
    packs: &[PathBuf],
    wording: &BTreeMap<String, String>,
    reference: &Path,
) -> Result<LawText, LawErrors> {
    let text = read_all(packs, wording, reference);
    let faults = Faults(text.0.faults.clone());
    if faults.any_error() {
        return Err(LawErrors(faults.resolve(&text.0.papers.sources)));
    }
    Ok(text)
}

/// Reads overlay files in order.
///
/// # Errors
/// Files that cannot be read, are too large or are no UTF-8.
pub fn read_overlays(paths: &[PathBuf]) -> Result<Vec<OverlayText>, LawErrors> {
    let mut faults = Faults::default();
    let texts = overlays(paths, &mut faults);
    if faults.any_error() {
        return Err(LawErrors(faults.resolve(&Sources::default())));
    }
    Ok(texts)
}

/// Reads the overlay files that can be read.
pub(super) fn overlays(paths: &[PathBuf], faults: &mut Faults) -> Vec<OverlayText> {
    let read = |path: &PathBuf| {
        let text = text::read_text(path, "overlay", faults)?;
        Some(OverlayText { name: text::file_name(path), text })
    };
    paths.iter().filter_map(read).collect()
}

/// Reads what can be read.
pub(super) fn read_all(
    packs: &[PathBuf],
    wording: &BTreeMap<String, String>,
    reference: &Path,
) -> LawText {
    let mut faults = Faults::default();
    let papers = text::read(packs, wording, &mut faults);
    let currency = papers.packs.first().map_or("yuan", |pack| &*pack.head.currency);
    let (inputs, declared) = book::inputs(&papers, currency, &mut faults);
    let mut dictionary = built_in(currency);
    dictionary.extend(declared);
    let calendar = Arc::new(book::pack_calendar(&papers.packs, reference, &mut faults));
    let empty = LawBook {
        sources: Sources::default(),
        packs: papers.packs.clone(),
        notices: Vec::new(),
        blocks: Vec::new(),
        tables: BTreeMap::new(),
        inputs,
        dictionary: Arc::new(dictionary),
        calendar,
        remarks: Vec::new(),
        memo: Arc::default(),
    };
    laid_out(papers, faults, empty)
}

/// Holds blocks against the grammar and sorts them into a book.
fn laid_out(papers: Papers, faults: Faults, empty: LawBook) -> LawText {
    let check = |written: &Written| {
        let mut faults = Faults::default();
        let block = written.block(None, &papers.notices, &mut faults).map(Arc::new);
        Checked { block, faults: faults.0 }
    };
    let checked: Vec<Checked> = papers.written.iter().map(check).collect();
    let (sources, notices) = (papers.sources.clone(), papers.notices.clone());
    let memo = Arc::default();
    let plain = assemble(LawBook { sources, notices, memo, ..empty }, &checked);
    LawText(Arc::new(Base { papers, faults: faults.0, checked, plain }))
}

/// Sorts blocks into a book and checks what lies between them.
fn assemble(mut book: LawBook, checked: &[Checked]) -> Assembled {
    let mut blocks: Vec<(usize, &Arc<Block>)> = checked
        .iter()
        .enumerate()
        .filter_map(|(index, checked)| Some((index, checked.block.as_ref()?)))
        .collect();
    blocks.sort_by_cached_key(|(_, block)| {
        let dates = (block.dating.from, block.dating.known_from);
        (block.pack, block.kind, Arc::clone(&block.id), dates, block.at.file, block.at.span.start)
    });
    let from = blocks.iter().map(|(index, _)| *index).collect();
    book.blocks = blocks
        .into_iter()
        .enumerate()
        .map(|(serial, (_, block))| with_serial(block, serial))
        .collect();
    let mut faults = Faults::default();
    book.check_versions(&mut faults);
    book.check_names(&mut faults);
    book.tables = BTreeMap::new();
    let mut tables = BTreeMap::new();
    for block in book.blocks.clone() {
        let (table, told) = read_table(&book, &block);
        book.tables.extend(table.map(|table| (block.serial, table)));
        tables.insert(block.serial, told);
    }
    Assembled { book, from, faults: faults.0, tables }
}

fn with_serial(block: &Arc<Block>, serial: usize) -> Arc<Block> {
    if block.serial == serial {
        return Arc::clone(block);
    }
    Arc::new(Block { serial, ..(**block).clone() })
}

fn read_table(book: &LawBook, block: &Block) -> (Option<ReadTable>, Vec<Fault>) {
    let mut faults = Faults::default();
    let table = book.read_table(block, &mut faults);
    (table, faults.0)
}

impl LawText {
    /// The law with overlays laid over the packs, in order. Reads no file; may be called from many
    /// threads.
    ///
    /// # Errors
    /// Everything that is wrong with any block or overlay. What depends on a month is found by
    /// [`LawBook::in_force`], or for all months by [`super::check()`].
    pub fn under(&self, overlays: &[OverlayText]) -> Result<LawBook, LawErrors> {
        finish(self.laid(overlays))
    }

    /// The same packs with one more notice in one of them.
    pub(super) fn with_notice(&self, pack: usize, name: &str, text: &str) -> Self {
        let base = &*self.0;
        let mut faults = Faults(base.faults.clone());
        let mut papers = base.papers.clone();
        text::add_notice(&mut papers, pack, name, text, &mut faults);
        laid_out(papers, faults, base.plain.book.clone())
    }

    /// The law under overlays as far as it can be read, maybe broken.
    pub(super) fn laid(&self, overlays: &[OverlayText]) -> (LawBook, Faults) {
        self.laid_moved(overlays, None)
    }

    /// The law under overlays, then with some figures of one version moved.
    pub(super) fn laid_moved(
        &self,
        overlays: &[OverlayText],
        moved: Option<&(&VersionKey, Edits<'_>)>,
    ) -> (LawBook, Faults) {
        let base = &*self.0;
        let mut faults = Faults(base.faults.clone());
        let mut book = base.plain.book.clone();
        let mut files = Vec::new();
        for overlay in overlays {
            let file = book.sources.add(SourceText {
                name: overlay.name.clone(),
                file: Arc::from(overlay.name.as_str()),
                pack: Arc::from(""),
                text: overlay.text.clone(),
            });
            files.push(text::parse(file, &overlay.text, &mut faults));
        }
        let mut assignments = text::assignments(&files, &book.packs, &mut faults);
        let mut touched: BTreeMap<usize, Checked> = BTreeMap::new();
        for (index, written) in base.papers.written.iter().enumerate() {
            let laid = text::apply(written, &mut assignments);
            let block = base.checked[index].block.as_ref();
            let meant = |(version, _): &&(&VersionKey, Edits<'_>)| {
                block.is_some_and(|block| VersionKey::of(block) == **version)
            };
            let laid = match moved.filter(meant) {
                Some((_, edits)) => Some(edits.over(laid.unwrap_or_else(|| written.node.clone()))),
                None => laid,
            };
            if let Some(node) = laid {
                let mut faults = Faults::default();
                let block = written.block(Some(node), &book.notices, &mut faults).map(Arc::new);
                touched.insert(index, Checked { block, faults: faults.0 });
            }
        }
        text::unused(&assignments, &book.packs, &base.papers.written, &mut faults);
        let told = base.checked.iter().enumerate();
        let told = told.map(|(index, checked)| touched.get(&index).unwrap_or(checked));
        faults.0.extend(told.flat_map(|checked| checked.faults.iter().cloned()));
        let apart = |(index, new): (&usize, &Checked)| same_place(&base.checked[*index], new);
        let assembled = if touched.iter().all(apart) {
            base.plain.exchanged(book, &touched)
        } else {
            let mut checked = base.checked.clone();
            for (index, new) in touched {
                checked[index] = new;
            }
            assemble(book, &checked)
        };
        faults.0.extend(assembled.faults);
        faults.0.extend(assembled.tables.into_values().flatten());
        (assembled.book, faults)
    }
}

/// The book, unless something in it is wrong.
pub(super) fn finish((book, faults): (LawBook, Faults)) -> Result<LawBook, LawErrors> {
    if faults.any_error() {
        return Err(LawErrors(faults.resolve(&book.sources)));
    }
    Ok(LawBook { remarks: faults.0, ..book })
}

/// Whether a block stays where it was among the others: dates order and bound versions, and the
/// basis of a value decides which names it may have.
fn same_place(old: &Checked, new: &Checked) -> bool {
    let (Some(old), Some(new)) = (&old.block, &new.block) else { return false };
    let basis = !old.kind.column() || old.text("basis") == new.text("basis");
    old.dating == new.dating && old.broken == new.broken && basis
}

impl Assembled {
    /// The same law with some blocks changed that stay in their places.
    fn exchanged(&self, book: LawBook, touched: &BTreeMap<usize, Checked>) -> Self {
        let mut other = Self {
            book,
            from: Vec::new(),
            faults: self.faults.clone(),
            tables: self.tables.clone(),
        };
        for (serial, from) in self.from.iter().enumerate() {
            let Some(block) = touched.get(from).and_then(|new| new.block.as_ref()) else {
                continue;
            };
            let block = with_serial(block, serial);
            if block.kind == BlockKind::Table {
                let (table, told) = read_table(&other.book, &block);
                match table {
                    Some(table) => other.book.tables.insert(serial, table),
                    None => other.book.tables.remove(&serial),
                };
                other.tables.insert(serial, told);
            }
            other.book.blocks[serial] = block;
        }
        other
    }
}
