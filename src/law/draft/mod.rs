//! A draft notice from an overlay: the changed blocks as new versions, the clauses left to fill.

mod file;

pub use file::quoted;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::book::LawBook;
use super::dating::{self, BlockName, last_day};
use super::diff::changed_fields;
use super::fault::LawErrors;
use super::read::{LawText, OverlayText};
use super::snapshot;
use super::text::{Block, Dating};
use crate::domain::{Date, Month, Span};

/// What a draft notice says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftHead {
    /// 文号, or what stands for it until there is one.
    pub number: String,
    /// 标题.
    pub title: String,
    /// Since when the draft may be known; after every version it supersedes.
    pub published: Date,
    /// First day of the new versions.
    pub effective_from: Date,
}

/// A notice nobody has adopted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Id of the pack it belongs to.
    pub pack: Arc<str>,
    /// The file, TOML.
    pub text: String,
    /// How many new versions it holds, each with a clause to fill.
    pub versions: usize,
}

/// Why an overlay makes no draft.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The packs, an overlay, or the draft itself is wrong.
    #[error(transparent)]
    Law(#[from] LawErrors),
    /// The overlay leaves the law as it is.
    #[error(
        "{overlays}: changes nothing from {from} on; expected a line that changes a block in force"
    )]
    Nothing {
        /// Names of the overlays.
        overlays: String,
        /// First day of the draft.
        from: Date,
    },
    /// A changed block has no version to start from.
    #[error(
        "{block} is not in force on {from}; its versions are {versions}; hint: choose another day"
    )]
    NotInForce {
        /// Kind and id.
        block: String,
        /// First day of the draft.
        from: Date,
        /// Versions of adopted notices, or a dash.
        versions: String,
    },
    /// The overlay changes since when a block holds, not what it says.
    #[error(
        "{block}: the overlay changes its dates, and a draft has dates of its own; \
         expected other keys; hint: the draft's dates may be changed in its file"
    )]
    Dates {
        /// Kind and id.
        block: String,
    },
    /// One notice belongs to one pack.
    #[error(
        "the overlay changes blocks of the packs {packs}; expected one pack; \
         hint: make an overlay and a draft of each"
    )]
    SeveralPacks {
        /// Their ids.
        packs: String,
    },
    /// A version that would be superseded is known no earlier than the draft.
    #[error(
        "{block} has a version known from {known_from}, the draft is known from {published}; \
         expected a later day; hint: say when the draft is published"
    )]
    KnownTooEarly {
        /// Kind and id.
        block: String,
        /// Since when the version is known.
        known_from: Date,
        /// Since when the draft is.
        published: Date,
    },
    /// The versions in force change inside a month in a way new versions cannot follow.
    #[error(
        "the draft would not be the law under the overlay in {month}; \
         hint: start it on the first day of a later month"
    )]
    Unlike {
        /// The first month that differs.
        month: Month,
    },
}

/// A new version: what it says, and when.
struct NewVersion<'a> {
    /// What it says: the version in force, under the overlays.
    block: &'a Block,
    from: Date,
    until: Option<Date>,
    /// What differs from the version in force: key, old, new.
    changes: Vec<(String, String, String)>,
}

impl LawText {
    /// Drafts the notice that makes the adopted law say what it says under the overlays, from a day
    /// on: planned, so that no settlement applies it, and without clauses.
    ///
    /// # Errors
    /// See [`DraftError`]. A draft that is returned was read back and compared with the law under the
    /// overlays.
    pub fn draft(&self, overlays: &[OverlayText], head: &DraftHead) -> Result<Draft, DraftError> {
        let (plain, laid) = (self.under(&[])?, self.under(overlays)?);
        let from = head.effective_from;
        let mut versions: Vec<NewVersion<'_>> = Vec::new();
        let mut names: BTreeSet<BlockName> = BTreeSet::new();
        for (name, blocks) in dating::by_name(laid.adopted()) {
            if blocks.iter().any(|block| block.overlaid) {
                versions.extend(new_versions(&plain, &laid, &blocks, head)?);
                names.insert(name);
            }
        }
        if let Some(block) = only_planned(&laid, &names) {
            return Err(not_in_force(&laid, block, &[], from));
        }
        let names_of = |overlays: &[OverlayText]| {
            overlays.iter().map(|overlay| overlay.name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let Some(first) = versions.first() else {
            return Err(DraftError::Nothing { overlays: names_of(overlays), from });
        };
        let pack = first.block.pack;
        if versions.iter().any(|version| version.block.pack != pack) {
            let packs: BTreeSet<usize> = versions.iter().map(|v| v.block.pack).collect();
            let ids: Vec<&str> = packs.iter().map(|pack| &*laid.packs[*pack].head.id).collect();
            return Err(DraftError::SeveralPacks { packs: ids.join(", ") });
        }
        let text = file::draft_text(&laid, head, &names_of(overlays), &versions);
        self.holds(&laid, pack, &text, from, &names)?;
        let pack = Arc::clone(&laid.packs[pack].head.id);
        Ok(Draft { pack, text, versions: versions.len() })
    }

    /// Reads the draft back and compares what it makes of the law, from its first whole month on.
    fn holds(
        &self,
        laid: &LawBook,
        pack: usize,
        text: &str,
        from: Date,
        names: &BTreeSet<BlockName>,
    ) -> Result<(), DraftError> {
        let mut drafted = self.with_notice(pack, "draft.toml", text).under(&[])?;
        if let Some(notice) = drafted.notices.last_mut() {
            notice.planned = false;
        }
        let first = if from == from.month().first() { from.month() } else { from.month().plus(1) };
        if by_row(laid, from, names) != by_row(&drafted, from, names) {
            return Err(DraftError::Unlike { month: first });
        }
        let changes = [laid, &drafted].into_iter().flat_map(|book| {
            let touched = book.adopted().filter(|block| names.contains(&dating::name_of(block)));
            touched.flat_map(|block| dating::boundaries(&block.dating)).map(Date::month)
        });
        let months: BTreeSet<Month> =
            changes.filter(|month| *month > first).chain([first]).collect();
        for month in months.into_iter().filter(|month| *month <= last_day().month()) {
            if content(laid, month, names) != content(&drafted, month, names) {
                return Err(DraftError::Unlike { month });
            }
        }
        Ok(())
    }
}

type Content = Vec<(Span, Vec<(BlockName, Vec<(&'static str, String)>)>)>;

/// What blocks say in a month, whatever version says it.
fn content(book: &LawBook, month: Month, names: &BTreeSet<BlockName>) -> Content {
    let mut pieces: Content = Vec::new();
    for (span, blocks) in book.segments(month, last_day()) {
        let said = blocks
            .into_iter()
            .filter(|block| !block.dating.by_row)
            .map(|block| (dating::name_of(block), said(book, block)))
            .filter(|(name, _)| names.contains(name))
            .collect();
        match pieces.last_mut() {
            Some((whole, last)) if *last == said => whole.until = span.until,
            _ => pieces.push((span, said)),
        }
    }
    pieces
}

/// What law that a date of the row chooses says of the days from one on.
fn by_row(book: &LawBook, from: Date, names: &BTreeSet<BlockName>) -> Vec<(BlockName, Content)> {
    let groups = dating::by_name(book.adopted()).into_iter();
    let dated = groups.filter(|(name, versions)| {
        names.contains(name) && versions.iter().any(|block| block.dating.by_row)
    });
    let told = dated.map(|(name, versions)| {
        let mut pieces: Content = Vec::new();
        for (span, block) in dating::stretches(&versions, last_day()) {
            let Some(span) = Span::new(span.from.max(from), span.until) else { continue };
            let said = vec![(name.clone(), said(book, block))];
            match pieces.last_mut() {
                Some((whole, last)) if *last == said => whole.until = span.until,
                _ => pieces.push((span, said)),
            }
        }
        (name, pieces)
    });
    told.collect()
}

/// What a block says, without since when.
fn said(book: &LawBook, block: &Block) -> Vec<(&'static str, String)> {
    let dates = ["effective_from", "effective_until", "supersedes"];
    let mut fields = snapshot::fields(book, block);
    fields.retain(|(key, _)| !dates.contains(key));
    fields
}

fn block_name(book: &LawBook, block: &Block) -> String {
    format!("{} {}", block.kind.word(), book.printed(block.pack, &block.id))
}

/// A block that an overlay changes in planned notices alone.
fn only_planned<'a>(laid: &'a LawBook, names: &BTreeSet<BlockName>) -> Option<&'a Arc<Block>> {
    laid.blocks.iter().find(|block| block.overlaid && !names.contains(&dating::name_of(block)))
}

fn not_in_force(book: &LawBook, block: &Block, versions: &[&Arc<Block>], from: Date) -> DraftError {
    let dates = |block: &Block| format!("{}/{}", block.dating.from, block.dating.known_from);
    let all: Vec<String> = versions.iter().map(|block| dates(block)).collect();
    let versions = if all.is_empty() { "–".to_owned() } else { all.join(", ") };
    DraftError::NotInForce { block: block_name(book, block), from, versions }
}

/// The new versions of one id: one for each stretch of days on which one version is in force and the
/// overlay changes what it says.
fn new_versions<'a>(
    plain: &LawBook,
    laid: &LawBook,
    versions: &[&'a Arc<Block>],
    head: &DraftHead,
) -> Result<Vec<NewVersion<'a>>, DraftError> {
    let (first, from) = (versions[0], head.effective_from);
    let before = |block: &Block| plain.blocks.iter().find(|other| other.at == block.at);
    let redated = |block: &&&Arc<Block>| before(block).is_none_or(|b| b.dating != block.dating);
    if versions.iter().any(|block| redated(&block)) {
        return Err(DraftError::Dates { block: block_name(laid, first) });
    }
    let mut days: Vec<Date> = versions
        .iter()
        .flat_map(|block| dating::boundaries(&block.dating))
        .filter(|day| *day > from)
        .chain([from])
        .collect();
    days.sort_unstable();
    days.dedup();
    let in_force = |day: &Date| dating::in_force(versions, *day, last_day());
    if in_force(&from).is_none() {
        return Err(not_in_force(laid, first, versions, from));
    }
    // First days as written: inside a month where the version itself begins inside one (S18).
    let mut stretches: Vec<(Date, &'a Arc<Block>, Date)> = Vec::new();
    let mut open: Option<usize> = None;
    for (index, day) in days.iter().enumerate() {
        let until = days.get(index + 1).map_or(last_day(), |next| next.plus_days(-1));
        let Some(block) = in_force(day) else {
            open = None;
            continue;
        };
        match open.map(|at| &mut stretches[at]) {
            Some((_, last, end)) if last.serial == block.serial => *end = until,
            _ => {
                let begins = block.dating.days().is_some_and(|days| days.from == *day);
                let start = if begins { block.dating.from.max(from) } else { *day };
                if let Some((_, _, end)) = open.map(|at| &mut stretches[at]) {
                    *end = (*end).min(start.plus_days(-1));
                }
                stretches.push((start, block, until));
                open = Some(stretches.len() - 1);
            }
        }
    }
    let mut new = Vec::new();
    for (start, block, end) in stretches {
        let Some(old) = before(block).filter(|old| said(plain, old) != said(laid, block)) else {
            continue;
        };
        if end < start {
            continue;
        }
        let known_from = block.dating.known_from;
        if known_from >= head.published {
            let block = block_name(laid, block);
            return Err(DraftError::KnownTooEarly { block, known_from, published: head.published });
        }
        // An end inside a month stays as the version has it.
        let own =
            block.dating.until.filter(|_| block.dating.days().is_some_and(|d| d.until == end));
        let until = own.or((end < last_day()).then_some(end));
        let dates = Dating { from: start, until, ..block.dating };
        if dates.days().is_some() {
            let changes = changed_fields((plain, old), (laid, block));
            new.push(NewVersion { block, from: start, until, changes });
        }
    }
    Ok(new)
}
