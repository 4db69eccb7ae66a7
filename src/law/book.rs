//! The book of law: every version of every block of the packs of a job, checked one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::calendar;
use super::cells;
use super::compile::Memo;
use super::dating;
use super::dictionary::{REPEATS, SANCTIONS, SESSIONS, TABLE_BASES};
use super::fault::{Fault, Faults, LawErrors, Sources};
use super::inputs::core_tables;
use super::lookup::{self, ReadTable, TableContext};
use super::model::{DictionaryEntry, InputColumn, InputTable, LawPlace, RuleHead, Ty, Unit};
use super::read;
use super::side;
use super::text::{self, Block, BlockKind, Notice, PackText, Papers};
use crate::domain::{Basis, Calendar, Date, Severity};

/// What can be read of a guide price: `ID.ceiling` and so on.
pub(super) const PRICE_PARTS: [&str; 5] = ["ceiling", "floor", "fee", "over", "under"];

/// Everything dated: all packs of a job with their overlays, before a month is chosen.
#[derive(Debug, Clone)]
pub struct LawBook {
    pub(super) sources: Sources,
    pub(super) packs: Vec<PackText>,
    pub(super) notices: Vec<Notice>,
    /// Sorted by pack, kind, id and dates; a block's `serial` is its index.
    pub(super) blocks: Vec<Arc<Block>>,
    /// Tables by the serial of their block; broken ones are absent.
    pub(super) tables: BTreeMap<usize, ReadTable>,
    /// Declared inputs.
    pub(super) inputs: Vec<InputTable>,
    /// Facts readable by rules, built in and declared.
    pub(super) dictionary: Arc<Vec<DictionaryEntry>>,
    pub(super) calendar: Arc<Calendar>,
    /// Remarks that stop nothing.
    pub(super) remarks: Vec<Fault>,
    /// What was compiled of these packs, under whatever overlays.
    pub(super) memo: Arc<Memo>,
}

/// Reads packs in layer order with their overlays, the calendar from the reference folder.
///
/// # Errors
/// Everything that is wrong with any file or block. What depends on a month is found by
/// [`LawBook::in_force`], or for all months by [`super::check()`].
pub fn load(
    packs: &[PathBuf],
    overlays: &[PathBuf],
    reference: &Path,
) -> Result<LawBook, LawErrors> {
    read::finish(assemble(packs, overlays, reference))
}

/// Reads what can be read; the book may be broken when there are errors.
pub(super) fn assemble(
    packs: &[PathBuf],
    overlays: &[PathBuf],
    reference: &Path,
) -> (LawBook, Faults) {
    let mut faults = Faults::default();
    let texts = read::overlays(overlays, &mut faults);
    let (book, told) = read::read_all(packs, &BTreeMap::new(), reference).laid(&texts);
    faults.0.extend(told.0);
    (book, faults)
}

/// The calendar of the last pack, as the settings are.
pub(super) fn pack_calendar(packs: &[PackText], reference: &Path, faults: &mut Faults) -> Calendar {
    let Some(pack) = packs.last().filter(|pack| !pack.calendar.is_empty()) else {
        return Calendar::default();
    };
    match calendar::load(reference, &pack.calendar) {
        Ok(calendar) => calendar,
        Err(error) => {
            let message = format!("calendar `{}`: {error}", pack.calendar);
            faults.error("calendar", &pack.calendar_at, message, "", "");
            Calendar::default()
        }
    }
}

impl LawBook {
    /// The same law with planned notices taken as adopted: for what-if runs only.
    #[must_use]
    pub fn with_planned(&self) -> Self {
        let mut book = self.clone();
        for notice in &mut book.notices {
            notice.planned = false;
        }
        book
    }

    /// [`LawBook::with_planned`], with what they say in force from a day on already where their own
    /// day is later.
    #[must_use]
    pub fn with_planned_from(&self, day: Date) -> Self {
        let mut book = self.with_planned();
        for block in &mut book.blocks {
            if self.notices[block.notice].planned && block.dating.from > day {
                Arc::make_mut(block).dating.from = day;
            }
        }
        book
    }

    /// The calendar the pack names.
    #[must_use]
    pub fn calendar(&self) -> &Arc<Calendar> {
        &self.calendar
    }

    /// Settings of the last pack named.
    #[must_use]
    pub fn head(&self) -> Option<&super::model::PackHead> {
        self.packs.last().map(|pack| &pack.head)
    }

    /// Versions of adopted notices.
    pub(super) fn adopted(&self) -> impl Iterator<Item = &Arc<Block>> {
        self.blocks.iter().filter(|block| !self.notices[block.notice].planned)
    }

    /// An id as printed: `pack:id` when there are several packs.
    pub(super) fn printed(&self, pack: usize, id: &str) -> Arc<str> {
        if self.packs.len() > 1 {
            Arc::from(format!("{}:{id}", self.packs[pack].head.id))
        } else {
            Arc::from(id)
        }
    }

    /// The head of a version.
    pub(super) fn head_of(&self, block: &Block) -> RuleHead {
        block.said.head.get_or_init(|| self.new_head(block)).clone()
    }

    fn new_head(&self, block: &Block) -> RuleHead {
        let id = self.printed(block.pack, &block.id);
        let notice = &self.notices[block.notice];
        RuleHead {
            clause: Arc::from(format!("{} {}", notice.number, block.clause).trim()),
            version: Arc::from(block.version(&id)),
            effective_from: block.dating.from,
            effective_until: block.dating.until,
            known_from: block.dating.known_from,
            published: notice.published,
            label: Arc::from(block.chinese().unwrap_or(&id)),
            english: Arc::from(block.english().unwrap_or(&id)),
            place: self.place_of(block),
            id,
        }
    }

    pub(super) fn place_of(&self, block: &Block) -> LawPlace {
        LawPlace {
            pack: Arc::clone(&self.packs[block.pack].head.id),
            file: Arc::clone(&self.notices[block.notice].file),
            line: block.line,
        }
    }

    pub(super) fn check_versions(&self, faults: &mut Faults) {
        for versions in dating::by_name(&self.blocks).values() {
            let fine: Vec<&Arc<Block>> =
                versions.iter().copied().filter(|block| !block.broken).collect();
            dating::check(&fine, &|block| self.notices[block.notice].planned, faults);
        }
    }

    /// Ids that would hide each other or a fact.
    pub(super) fn check_names(&self, faults: &mut Faults) {
        self.check_groupings(faults);
        let mut seen: BTreeMap<(usize, Arc<str>), BlockKind> = BTreeMap::new();
        for price in self.blocks.iter().filter(|block| block.kind == BlockKind::GuidePrice) {
            for part in PRICE_PARTS {
                let name = Arc::from(format!("{}.{part}", price.id));
                seen.insert((price.pack, name), BlockKind::GuidePrice);
            }
        }
        for block in &self.blocks {
            let named = matches!(block.kind, BlockKind::Parameter | BlockKind::Age);
            if !named && !block.kind.column() {
                continue;
            }
            let kind = block.kind.word();
            let taken = seen.entry((block.pack, Arc::clone(&block.id))).or_insert(block.kind);
            if *taken != block.kind {
                let message = format!("{kind} {} has the name of a {}", block.id, taken.word());
                faults.error("duplicate", block.at("id"), message, "a name of its own", "");
            }
            let fact = self.dictionary.iter().find(|entry| {
                *entry.name == *block.id
                    && match block.kind {
                        kind if kind.column() => entry.basis == Basis::parse(block.word("basis")),
                        BlockKind::Age => {
                            matches!(entry.basis, Basis::Spell | Basis::Listing | Basis::Child)
                        }
                        _ => true,
                    }
            });
            if let Some(fact) = fact {
                let message =
                    format!("{kind} {} has the name of a fact of {}", block.id, fact.basis);
                faults.error("duplicate", block.at("id"), message, "a name of its own", "");
            }
            if block.kind.column() && self.names_row(block) {
                let message = format!(
                    "{kind} {} has the name of what names a row of {}",
                    block.id,
                    block.word("basis")
                );
                faults.error("duplicate", block.at("id"), message, "a name of its own", "");
            }
            if self.is_basis(&block.id) {
                let message = format!("{kind} {} has the name of a basis", block.id);
                faults.error("duplicate", block.at("id"), message, "a name of its own", "");
            }
        }
    }

    /// Whether a rule's column has the name of one its grouping is by, whatever name that is read under.
    fn names_row(&self, rule: &Block) -> bool {
        let is_fact = |name: &str| {
            let mut facts = self.dictionary.iter();
            facts.any(|entry| *entry.alias == *name && *entry.name == *rule.id)
        };
        let mut groupings = self.blocks.iter().filter(|b| b.kind == BlockKind::Grouping);
        groupings.any(|of| {
            *of.id == *rule.word("basis")
                && of.texts("by").iter().any(|(name, _)| *name == &*rule.id || is_fact(name))
        })
    }

    /// Whether a word names a basis in some month.
    fn is_basis(&self, word: &str) -> bool {
        let grouping = |b: &Arc<Block>| b.kind == BlockKind::Grouping && *b.id == *word;
        Basis::BUILT_IN.iter().any(|basis| basis.name() == word) || self.blocks.iter().any(grouping)
    }

    /// Groupings are bases: one name each, of no table, without a dot.
    fn check_groupings(&self, faults: &mut Faults) {
        let mut owner: BTreeMap<&str, usize> = BTreeMap::new();
        for block in self.blocks.iter().filter(|block| block.kind == BlockKind::Grouping) {
            let id = &*block.id;
            let built_in = Basis::BUILT_IN.iter().any(|basis| basis.name() == id);
            let currency = self.packs.first().map_or("yuan", |pack| &*pack.head.currency);
            let table = self.inputs.iter().any(|table| &*table.name == id)
                || core_tables(currency).iter().any(|table| &*table.name == id);
            let other = *owner.entry(id).or_insert(block.pack) != block.pack;
            let taken = if built_in {
                "has the name of a basis"
            } else if table {
                "has the name of a table"
            } else if other {
                "is a grouping of another pack too"
            } else if id.contains('.') || id == "line" {
                "cannot be written in front of a column"
            } else {
                continue;
            };
            let message = format!("grouping {id} {taken}");
            faults.error("duplicate", block.at("id"), message, "a name of its own", "");
        }
    }

    /// Reads a block as a table; `None` when it is none, or cannot be used.
    pub(super) fn read_table(&self, block: &Block, faults: &mut Faults) -> Option<ReadTable> {
        if block.kind != BlockKind::Table || block.broken {
            return None;
        }
        let currency = self.packs.first().map_or("yuan", |pack| &*pack.head.currency);
        let context = TableContext { dictionary: &self.dictionary, currency };
        lookup::read(block, self.head_of(block), &context, faults)
    }
}

/// Declared tables and the names they add.
pub(super) fn inputs(
    papers: &Papers,
    currency: &str,
    faults: &mut Faults,
) -> (Vec<InputTable>, Vec<DictionaryEntry>) {
    let core = core_tables(currency);
    let mut tables: Vec<InputTable> = Vec::new();
    let mut entries = Vec::new();
    for block in papers.inputs.iter().filter(|block| !block.broken) {
        let Some(table) = input(block, &core, currency, faults) else { continue };
        let name = &table.name;
        let again = tables.iter().any(|t| t.name == *name && !(t.extends && table.extends));
        let clash = tables.iter().filter(|t| t.name == *name).find_map(|t| {
            let mut names = t.columns.iter().map(|c| &c.name);
            names.find(|n| table.columns.iter().any(|c| c.name == **n))
        });
        if again || clash.is_some() {
            let what = clash.map_or_else(String::new, |column| format!(", column {column}"));
            let message = format!("[[input]] {name}{what} is declared twice");
            faults.error("duplicate", &block.at, message, "one declaration", "");
            continue;
        }
        let facts = facts_of(&table);
        let hidden = |column: &&InputColumn| facts.iter().any(|fact| fact.name == column.name);
        if let Some(column) = table.columns.iter().find(hidden) {
            let message = format!(
                "column {} of [[input]] {name} has the name of a fact of its rows",
                column.name
            );
            faults.error("duplicate", block.at("columns"), message, "a name of its own", "");
            continue;
        }
        for basis in bases_of(&table) {
            for column in &table.columns {
                entries.push(DictionaryEntry {
                    basis: basis.clone(),
                    name: Arc::clone(&column.name),
                    alias: Arc::clone(&column.alias),
                    ty: column.ty.clone(),
                    // A child without attendance has no value of its columns.
                    nullable: column.nullable || &*table.name == "attendance",
                    source: Arc::from(format!("{}.{}", table.name, column.name)),
                });
            }
        }
        entries.extend(facts);
        tables.push(table);
    }
    side::settle(&mut tables, papers, &mut entries, currency, faults);
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    (tables, entries)
}

/// The facts rows of a declared table have beside its columns.
fn facts_of(table: &InputTable) -> Vec<DictionaryEntry> {
    let of_institution = |column: &InputColumn| &*column.name == "institution_id";
    let mut facts = Vec::new();
    if !table.extends && table.columns.iter().any(of_institution) {
        facts.push(institution_known(table));
    }
    if table.names_rows() {
        facts.extend(repeated(table));
    }
    facts
}

/// The fact every row that names an institution has.
fn institution_known(table: &InputTable) -> DictionaryEntry {
    DictionaryEntry {
        basis: Basis::Declared(Arc::clone(&table.name)),
        name: Arc::from("institution_known"),
        alias: Arc::from("机构在册"),
        ty: Ty::Bool,
        nullable: false,
        source: Arc::from("institution is in the register"),
    }
}

/// The facts of rows whose key is meant to name one.
fn repeated(table: &InputTable) -> impl Iterator<Item = DictionaryEntry> + '_ {
    let number = || Ty::Num { integer: true, unit: Unit::default() };
    REPEATS.iter().map(move |(name, alias, source)| DictionaryEntry {
        basis: Basis::Declared(Arc::clone(&table.name)),
        name: Arc::from(*name),
        alias: Arc::from(*alias),
        ty: if *name == "listed_times" { number() } else { Ty::Bool },
        nullable: false,
        source: Arc::from(*source),
    })
}

/// Bases on which the columns of a table are readable.
fn bases_of(table: &InputTable) -> Vec<Basis> {
    if !table.extends {
        return vec![Basis::Declared(Arc::clone(&table.name))];
    }
    match &*table.name {
        "enrolments" | "attendance" => vec![Basis::Listing, Basis::Spell],
        "slots" => vec![Basis::Slot],
        SANCTIONS | SESSIONS => vec![Basis::Declared(Arc::clone(&table.name))],
        name => TABLE_BASES
            .iter()
            .filter(|(_, table)| *table == name)
            .map(|(basis, _)| basis.clone())
            .collect(),
    }
}

fn input(
    block: &Block,
    core: &[InputTable],
    currency: &str,
    faults: &mut Faults,
) -> Option<InputTable> {
    let what = format!("[[input]] {}", block.id);
    let extends = block.flag("extends");
    let known = core.iter().find(|table| *table.name == *block.id);
    if extends != known.is_some() {
        let names: Vec<&str> = core.iter().map(|table| &*table.name).collect();
        let (message, hint) = if extends {
            (
                format!("{what} extends no core table"),
                format!("core tables are {}", names.join(", ")),
            )
        } else {
            (format!("{what} is a core table"), "say extends = true".to_owned())
        };
        faults.error("input", &block.at, message, "", hint);
        return None;
    }
    if Basis::BUILT_IN.iter().any(|basis| basis.name() == &*block.id) {
        let message = format!("{what} has the name of a basis");
        faults.error("duplicate", &block.at, message, "a name of its own", "");
        return None;
    }
    let columns = columns(block, known, currency, &what, faults)?;
    let names: BTreeSet<&str> = columns.iter().map(|column| &*column.name).collect();
    let key = block.texts("key");
    if extends != key.is_empty() {
        let at = block.at("key");
        let expected = if extends { "no `key`" } else { "`key` with the columns that name a row" };
        faults.error("input", at, format!("the key of {what}"), expected, "");
        return None;
    }
    let span = block.texts("span");
    for (name, at) in key.iter().chain(&span) {
        if !names.contains(name) {
            faults.error("input", at, format!("`{name}` is no column of {what}"), "", "");
            return None;
        }
    }
    let span = match span.as_slice() {
        [] => None,
        [(from, _), (until, _)] => Some((Arc::from(*from), Arc::from(*until))),
        _ => {
            let at = block.at("span");
            faults.error("input", at, "a span of other than two columns", "[from, until]", "");
            return None;
        }
    };
    Some(InputTable {
        name: Arc::clone(&block.id),
        extends,
        key: key.iter().map(|(name, _)| Arc::from(*name)).collect(),
        columns,
        span,
        of: block.get("of").is_some().then(|| Basis::parse(block.word("of"))),
    })
}

fn columns(
    block: &Block,
    core: Option<&InputTable>,
    currency: &str,
    what: &str,
    faults: &mut Faults,
) -> Option<Vec<InputColumn>> {
    let mut columns: Vec<InputColumn> = Vec::new();
    let mut fine = true;
    for node in block.get("columns").map_or(&[][..], text::Node::list) {
        let name = node.get("name").and_then(text::Node::text).unwrap_or("");
        let alias = node.get("zh").and_then(text::Node::text).unwrap_or("");
        let word = node.get("type").and_then(text::Node::text);
        let label = format!("column {name}");
        let unit = node.get("unit");
        // Identifiers link rows to institutions and people, so they are keys whatever is written.
        let links = matches!(name, "institution_id" | "child_ref" | "person_ref");
        let ty = match (links, unit, word) {
            (true, None, None) => Some(Ty::Key),
            _ => cells::declared_type(&label, &node.at, unit, word, currency, faults),
        };
        let taken =
            |list: &[InputColumn]| list.iter().any(|c| &*c.name == name || &*c.alias == alias);
        if taken(&columns) || core.is_some_and(|table| taken(&table.columns)) {
            let message = format!("{what} has a column {name} ({alias}) already");
            faults.error("duplicate", &node.at, message, "a name and header of its own", "");
            fine = false;
        }
        let Some(ty) = ty else {
            fine = false;
            continue;
        };
        let values = node.get("values").map(|values| {
            values.list().iter().filter_map(|v| v.text().map(Arc::from)).collect::<Vec<_>>()
        });
        let ty = match (ty, values) {
            (Ty::Text(_) | Ty::Key, _) if links => Ty::Key,
            (Ty::Text(_), Some(values)) => Ty::Text(Some(Arc::new(values))),
            (Ty::Num { unit, .. }, None) if cells::is_money(&unit, currency) => {
                Ty::Num { integer: true, unit }
            }
            (ty, None) => ty,
            (_, Some(_)) => {
                faults.error(
                    "input",
                    &node.at,
                    format!("`values` on {label}"),
                    "type \"text\"",
                    "",
                );
                fine = false;
                continue;
            }
        };
        let nullable =
            matches!(node.get("nullable").map(|node| &node.value), Some(text::Value::Bool(true)));
        columns.push(InputColumn { name: Arc::from(name), alias: Arc::from(alias), ty, nullable });
    }
    fine.then_some(columns)
}

impl Faults {
    /// Errors only, for a caller that keeps remarks elsewhere.
    pub(super) fn errors(self) -> Self {
        Self(self.0.into_iter().filter(|fault| fault.severity == Severity::Error).collect())
    }
}
