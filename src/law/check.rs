//! The static checks of a pack: every month in which the law changes is compiled before any run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::book::{self, LawBook};
use super::dating;
use super::fault::{Fault, Faults, LawError};
use super::text::{Block, BlockKind};
use crate::domain::{Basis, Date, Month, Severity};

/// Everything that is wrong or remarkable in packs, also where they cannot be loaded: errors of
/// files and blocks, then of every month in which the law changes. Sorted by file and line.
#[must_use]
pub fn examine(packs: &[PathBuf], overlays: &[PathBuf], reference: &Path) -> Vec<LawError> {
    let (book, mut faults) = book::assemble(packs, overlays, reference);
    // Too many versions of one id would be compared in every month.
    let bounded = !faults.0.iter().any(|fault| fault.code == "versions_many");
    if bounded && !book.packs.is_empty() {
        let broken = faults.any_error();
        faults.0.extend(examined(&book, broken).0);
    }
    faults.resolve(&book.sources)
}

/// Checks a loaded book: rules of every month in which the law changes, gaps in dates, and
/// parameters, tables, values and gates nobody reads. Errors and remarks, by file and line.
#[must_use]
pub fn check(book: &LawBook) -> Vec<LawError> {
    let mut faults = examined(book, false);
    faults.0.extend(book.remarks.iter().cloned());
    faults.resolve(&book.sources)
}

/// `broken`: something was refused before, so that what nobody reads is not told.
fn examined(book: &LawBook, broken: bool) -> Faults {
    let mut faults = Faults::default();
    let (mut in_force, mut alive) = (BTreeSet::new(), BTreeSet::new());
    let mut told: BTreeMap<(usize, usize, usize, &'static str), Fault> = BTreeMap::new();
    for month in months(book) {
        let compiled = book.compile(month, dating::last_day());
        in_force.extend(compiled.in_force.iter().copied());
        alive.extend(book.alive(&compiled.reads, &compiled.in_force));
        if compiled.in_force.is_empty() {
            // Law that has ended everywhere is an end, not a mistake.
            continue;
        }
        for fault in compiled.faults.0 {
            // The same piece is wrong in every month; the first month is told.
            let at = fault.at.clone().unwrap_or_default();
            told.entry((at.file, at.span.start, at.span.end, fault.code)).or_insert(fault);
        }
    }
    faults.0.extend(told.into_values());
    as_known_then(book, &mut faults);
    let broken = broken || faults.any_error();
    dead(book, &in_force, &alive, broken, &mut faults);
    for versions in dating::by_name(book.adopted()).values() {
        for gap in dating::gaps(versions) {
            let first = versions[0];
            let message = format!("[[{}]] {} is not in force {gap}", first.kind.word(), first.id);
            faults.warn("law_gap", &first.at, message, "close the gap if it is not meant");
        }
    }
    faults
}

/// Compiles months as they were known when they were settled. What was wrong then cannot be mended
/// by a later notice, so it is a remark: a run of that month with that knowledge is refused.
fn as_known_then(book: &LawBook, faults: &mut Faults) {
    let known: BTreeSet<Date> = book.adopted().map(|block| block.dating.known_from).collect();
    let known: Vec<Date> = known.into_iter().collect();
    let changes = months(book);
    for pair in known.windows(2) {
        let (first, last) = (pair[0].month().plus(-1), pair[1].month().plus(-1));
        let settled = changes.range(first..last).copied().chain([first]);
        for month in settled.collect::<BTreeSet<Month>>() {
            let compiled = book.compile(month, pair[0]);
            if compiled.in_force.is_empty() {
                continue;
            }
            // Only what lacks a version depends on the day of knowledge alone.
            let lacks = compiled.faults.0.into_iter().filter(|f| f.code == "not_in_force");
            faults.0.extend(lacks.map(|fault| Fault { severity: Severity::Warn, ..fault }));
        }
    }
}

/// Months in which some version starts or ends, as now known.
fn months(book: &LawBook) -> BTreeSet<Month> {
    book.adopted()
        .flat_map(|block| dating::boundaries(&block.dating))
        .filter(|day| day.ymd().0 < 2199)
        .map(Date::month)
        .collect()
}

/// Tells what is in force in some month and read in none. Not told while rules are broken: they
/// may be the readers.
fn dead(
    book: &LawBook,
    in_force: &BTreeSet<usize>,
    alive: &BTreeSet<(usize, BlockKind, Arc<str>)>,
    broken: bool,
    faults: &mut Faults,
) {
    if broken {
        return;
    }
    let mut told = BTreeSet::new();
    for serial in in_force {
        let block = &book.blocks[*serial];
        let name = dating::name_of(block);
        let readable = matches!(
            block.kind,
            BlockKind::Parameter
                | BlockKind::Table
                | BlockKind::Age
                | BlockKind::Grouping
                | BlockKind::Gate
                | BlockKind::Split
        ) || block.kind.column();
        if readable && !alive.contains(&name) && told.insert(name) {
            let message = format!("nothing reads [[{}]] {}", block.kind.word(), block.id);
            faults.warn("dead", &block.at, message, "delete it, or name it where it is meant");
        }
    }
}

impl LawBook {
    /// Names of the blocks that some rule of a compiled month reads.
    fn alive(
        &self,
        reads: &super::compile::Reads,
        in_force: &BTreeSet<usize>,
    ) -> BTreeSet<(usize, BlockKind, Arc<str>)> {
        let mut alive = BTreeSet::new();
        for serial in in_force {
            let block: &Arc<Block> = &self.blocks[*serial];
            let printed = self.printed(block.pack, &block.id);
            let read = match block.kind {
                BlockKind::Parameter | BlockKind::Table => {
                    reads.cites.contains(&*block.version(&printed))
                }
                kind if kind == BlockKind::Age || kind.column() => {
                    reads.columns.iter().any(|(_, column)| *column == printed)
                }
                BlockKind::Grouping => {
                    reads.bases.contains(&Basis::Declared(Arc::clone(&block.id)))
                }
                BlockKind::Gate => reads.gates.contains(serial) || block.word("outcome") == "warn",
                BlockKind::Split => reads.splits.contains(&printed),
                _ => true,
            };
            if read {
                alive.insert(dating::name_of(block));
            }
        }
        alive
    }
}
