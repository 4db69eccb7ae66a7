//! The law as a paper: all that packs hold on a day, cut up so that a page can be set of it.
//!
//! In: a book, a day, a day of knowledge. Out: [`LawPaper`]. Never: decides how anything looks or
//! in which language, changes what a rule means.

mod fields;
mod formula;
mod inputs;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::book::LawBook;
use super::dating::{self, last_day};
use super::model::{PaperLife, PaperName, PaperNotice, PaperRule, PaperVersion, Standing};
use super::scope::Scope;
use super::text::{Block, BlockKind};
use crate::domain::{Date, Span};

use super::model::LawPaper;

/// What is asked of the packs while a paper is written.
struct Writer<'a> {
    book: &'a LawBook,
    scope: Scope,
    /// Versions that stand on the paper as rules in force.
    in_force: Vec<&'a Arc<Block>>,
    /// Who reads what: anchor of the rule read, rules that read it.
    readers: BTreeMap<String, BTreeSet<PaperName>>,
}

impl LawBook {
    /// The day the newest adopted rule starts: the law as it stands when no day is asked for.
    #[must_use]
    pub fn newest_day(&self) -> Date {
        self.adopted().map(|block| block.dating.from).max().unwrap_or_default()
    }

    /// The day from which everything the packs hold is known.
    #[must_use]
    pub fn newest_known(&self) -> Date {
        self.blocks
            .iter()
            .map(|block| block.dating.known_from)
            .chain(self.notices.iter().map(|notice| notice.published))
            .max()
            .unwrap_or_default()
    }

    /// The packs on a day as known on a day, to be read beside the notices; also where rules do not
    /// compile or values are not filled.
    #[must_use]
    pub fn paper(&self, day: Date, known_on: Date) -> LawPaper {
        let segments = self.segments(day.month(), known_on);
        let chosen = segments.iter().find(|(span, _)| span.contains(day));
        let mut in_force: Vec<&Arc<Block>> =
            chosen.map(|(_, blocks)| blocks.clone()).unwrap_or_default();
        let span = chosen.map_or(Span { from: day, until: day }, |(span, _)| *span);
        let scope = self.scope_of(day.month(), known_on, span, &in_force);
        // Several versions of one id are in force where each holds for the rows of its days: the
        // earliest is the one that is linked to.
        in_force.sort_by_key(|block| (block.dating.from, block.dating.known_from));
        let mut writer = Writer { book: self, scope, in_force, readers: BTreeMap::new() };
        let standing = |block: &Block| writer.standing(block, day, known_on);
        let shown: Vec<(&Arc<Block>, Standing)> = self
            .blocks
            .iter()
            .map(|block| (block, standing(block)))
            .filter(|(_, standing)| {
                matches!(standing, Standing::InForce | Standing::Later | Standing::Planned)
            })
            .collect();
        let lives = writer.lives(day, known_on);
        let mut rules: Vec<PaperRule> =
            shown.iter().map(|(block, standing)| writer.rule(block, *standing)).collect();
        for rule in &mut rules {
            let bare = match rule.standing {
                Standing::InForce => format!("{}.{}", rule.kind, rule.id),
                _ => rule.anchor.clone(),
            };
            let readers = writer.readers.get(&bare);
            rule.readers = readers.into_iter().flatten().cloned().collect();
        }
        LawPaper {
            titles: self.packs.iter().map(|pack| pack.head.title.to_string()).collect(),
            regions: self.packs.iter().map(|pack| pack.head.region.to_string()).collect(),
            is_sample: self.packs.iter().any(|pack| pack.head.sample),
            day,
            known_on,
            notices: self.paper_notices(),
            lives,
            settings: self.paper_settings(),
            inputs: self.paper_inputs(),
            rules,
        }
    }

    fn paper_notices(&self) -> Vec<PaperNotice> {
        let mut notices: Vec<PaperNotice> = self
            .notices
            .iter()
            .enumerate()
            .filter(|(_, notice)| !notice.title.is_empty())
            .map(|(index, notice)| PaperNotice {
                number: notice.number.to_string(),
                title: notice.title.to_string(),
                published: notice.published,
                is_planned: notice.planned,
                url: notice.url.to_string(),
                blocks: self.blocks.iter().filter(|block| block.notice == index).count(),
            })
            .collect();
        notices.sort_by(|a, b| (a.published, &a.number).cmp(&(b.published, &b.number)));
        notices
    }
}

impl Writer<'_> {
    fn standing(&self, block: &Block, day: Date, known_on: Date) -> Standing {
        if self.book.notices[block.notice].planned {
            return Standing::Planned;
        }
        if self.in_force.iter().any(|other| other.serial == block.serial) {
            return Standing::InForce;
        }
        if block.dating.known_from > known_on {
            return Standing::Unknown;
        }
        if block.dating.days().is_some_and(|days| days.from > day) {
            return Standing::Later;
        }
        Standing::Past
    }

    /// Where a block stands on the page.
    fn anchor(&self, block: &Block) -> String {
        let anchor = anchor(block.kind, &self.book.printed(block.pack, &block.id));
        if self.is_in_force(block) {
            return anchor;
        }
        version_anchor(&anchor, block)
    }

    fn name(&self, block: &Block) -> PaperName {
        let printed = self.book.printed(block.pack, &block.id);
        PaperName {
            zh: block.chinese().unwrap_or(&printed).to_owned(),
            en: block.english().unwrap_or(&printed).to_owned(),
            anchor: Some(self.anchor(block)),
        }
    }

    /// Every id with its versions, in the order of packs, kinds and ids.
    fn lives(&self, day: Date, known_on: Date) -> Vec<PaperLife> {
        let groups = dating::by_name(&self.book.blocks);
        let life = |versions: &Vec<&Arc<Block>>| {
            let shown = versions.iter().find(|block| self.is_in_force(block));
            let named = shown.or_else(|| versions.last())?;
            if !named.kind.dated() {
                return None;
            }
            Some(PaperLife {
                kind: named.kind.word(),
                kind_zh: named.kind.chinese(),
                name: self.name(named),
                id: self.book.printed(named.pack, &named.id).to_string(),
                versions: versions
                    .iter()
                    .map(|block| self.version(block, versions, (day, known_on)))
                    .collect(),
            })
        };
        groups.values().filter_map(life).collect()
    }

    fn is_in_force(&self, block: &Block) -> bool {
        self.in_force.iter().any(|other| other.serial == block.serial)
    }

    fn version(
        &self,
        block: &Arc<Block>,
        versions: &[&Arc<Block>],
        (day, known_on): (Date, Date),
    ) -> PaperVersion {
        let notice = &self.book.notices[block.notice];
        PaperVersion {
            from: block.dating.from,
            until: block.dating.until,
            known_from: block.dating.known_from,
            standing: self.standing(block, day, known_on),
            holds: self.holds(block, versions, known_on),
            source: format!("{} {}", notice.number, block.clause).trim().to_owned(),
        }
    }

    /// The stretches a version is in force, as known on a day.
    fn holds(&self, block: &Arc<Block>, versions: &[&Arc<Block>], known_on: Date) -> Vec<Span> {
        let adopted: Vec<&Arc<Block>> = versions
            .iter()
            .copied()
            .filter(|other| !self.book.notices[other.notice].planned)
            .collect();
        let starts: BTreeSet<Date> =
            adopted.iter().flat_map(|other| dating::boundaries(&other.dating)).collect();
        let starts: Vec<Date> = starts.into_iter().collect();
        let mut spans: Vec<Span> = Vec::new();
        for (index, from) in starts.iter().enumerate() {
            let chosen = dating::in_force(&adopted, *from, known_on);
            if chosen.is_none_or(|chosen| chosen.serial != block.serial) {
                continue;
            }
            let until = starts.get(index + 1).map_or_else(last_day, |next| next.plus_days(-1));
            match spans.last_mut() {
                Some(span) if span.until.plus_days(1) == *from => span.until = until,
                _ => spans.push(Span { from: *from, until }),
            }
        }
        spans
    }

    fn rule(&mut self, block: &Arc<Block>, standing: Standing) -> PaperRule {
        let notice = &self.book.notices[block.notice];
        let printed = self.book.printed(block.pack, &block.id);
        let name = self.name(block);
        let (number, planned) = (notice.number.to_string(), notice.planned);
        let fields = self.fields(block);
        let mut own = self.anchor(block);
        let first = self.in_force.iter().find(|other| {
            other.kind == block.kind && other.pack == block.pack && other.id == block.id
        });
        if standing == Standing::InForce && first.is_some_and(|first| first.serial != block.serial)
        {
            own = version_anchor(&own, block);
        }
        PaperRule {
            kind: block.kind.word(),
            kind_zh: block.kind.chinese(),
            anchor: own,
            name,
            id: printed.to_string(),
            number,
            clause: block.clause.to_string(),
            from: block.dating.from,
            until: block.dating.until,
            known_from: block.dating.known_from,
            standing: if planned { Standing::Planned } else { standing },
            fields,
            readers: Vec::new(),
        }
    }
}

fn anchor(kind: BlockKind, printed: &str) -> String {
    format!("{}.{printed}", kind.word())
}

/// A version beside another of its id: a day and a day of knowledge name one.
fn version_anchor(anchor: &str, block: &Block) -> String {
    format!("{anchor}@{}.{}", block.dating.from, block.dating.known_from)
}
