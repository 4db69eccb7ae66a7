//! From the book to the law of a month: versions chosen, names resolved, rules compiled in order.
//!
//! In: [`LawBook`], a service month, a day of knowledge. Out: [`LawOfMonth`]. Order: parameters,
//! tables, ages; then values, prices, gates and items so that each reads only earlier ones; then
//! what bounds and shares money. Never: evaluates anything.

mod dated;
mod grouping;
mod items;
mod memo;
mod money;
mod payee;
mod paying;
mod place;
mod reads;
mod rules;
mod steps;
mod to_date;
mod within;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) use self::memo::Memo;
use super::book::LawBook;
use super::dating;
use super::expr::Expr;
use super::fault::{At, Faults, LawErrors};
use super::model::{
    AgeRule, Aggregate, AggregateRule, CapRule, ExclusionRule, Law, LawOfMonth, MidMonth,
    PayDateRule, ShortageRule, SplitRule, Step, SubsidyRule,
};
use super::scope::Scope;
use super::snapshot;
use super::text::{Block, BlockKind};
use crate::domain::{Basis, Date, Month, Span};

/// What a law reads, gathered while it is compiled.
#[derive(Debug, Clone, Default)]
pub(super) struct Reads {
    /// Columns of frames.
    pub(super) columns: BTreeSet<(Basis, Arc<str>)>,
    /// Bases whose rows are counted.
    pub(super) bases: BTreeSet<Basis>,
    /// Versions of tables and parameters.
    pub(super) cites: BTreeSet<Arc<str>>,
    /// Printed ids of the rules that read them, by version.
    pub(super) readers: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    /// Serials of gates some item lists.
    pub(super) gates: BTreeSet<usize>,
    /// Printed ids of splits some item is funded by.
    pub(super) splits: BTreeSet<Arc<str>>,
    /// Whether the budget table is read.
    pub(super) budget: bool,
    /// Whether money is paid to accounts.
    pub(super) pays: bool,
    /// Whether payees other than institutions are.
    pub(super) pays_others: bool,
}

/// A month compiled, with what the checks need beside the law itself.
pub(super) struct Compiled {
    pub(super) law: Option<LawOfMonth>,
    pub(super) faults: Faults,
    pub(super) reads: Reads,
    /// Serials of all versions in force in the month.
    pub(super) in_force: BTreeSet<usize>,
}

impl LawBook {
    /// The law in force in a month, as known on a day; planned notices do not count.
    ///
    /// # Errors
    /// Rules that do not compile, values not filled, tables without a version in force, no rule at
    /// all. All of them, by file and line.
    pub fn in_force(&self, month: Month, known_on: Date) -> Result<LawOfMonth, LawErrors> {
        let compiled = self.compile(month, known_on);
        match compiled.law {
            Some(law) if !compiled.faults.any_error() => Ok(law),
            _ => Err(LawErrors(compiled.faults.errors().resolve(&self.sources))),
        }
    }

    /// Spans of the month with one set of versions each, in order.
    pub(super) fn segments(&self, month: Month, known_on: Date) -> Vec<(Span, Vec<&Arc<Block>>)> {
        let groups = dating::by_name(self.adopted());
        let whole = month.span();
        let mut starts = vec![whole.from];
        starts.extend(dating::cuts(self.adopted(), whole));
        let mut segments: Vec<(Span, Vec<&Arc<Block>>)> = Vec::new();
        for (index, from) in starts.iter().enumerate() {
            let until = starts.get(index + 1).map_or(whole.until, |next| next.plus_days(-1));
            let mut chosen: Vec<&Arc<Block>> = Vec::new();
            for versions in groups.values() {
                let now = dating::in_force(versions, *from, known_on);
                if versions.iter().any(|block| block.dating.by_row) {
                    // Rows of the month may have any date; the version of the month stands last.
                    let all = dating::stretches(versions, known_on).into_iter();
                    let mut all: Vec<&Arc<Block>> = all.map(|(_, block)| block).collect();
                    all.sort_by_key(|block| {
                        (now.is_some_and(|n| n.serial == block.serial), block.serial)
                    });
                    all.dedup_by_key(|block| block.serial);
                    chosen.extend(all);
                } else {
                    chosen.extend(now);
                }
            }
            // Law that is only waiting for dates of rows is no law of a month.
            if chosen.iter().all(|block| block.dating.by_row) {
                chosen.clear();
            }
            let serials = |list: &[&Arc<Block>]| list.iter().map(|b| b.serial).collect::<Vec<_>>();
            match segments.last_mut() {
                Some((span, last)) if serials(last) == serials(&chosen) => span.until = until,
                _ => segments.push((Span { from: *from, until }, chosen)),
            }
        }
        segments
    }

    /// What names mean to the rules of a segment, as far as the rules can be compiled.
    pub(super) fn scope_of(
        &self,
        month: Month,
        known_on: Date,
        segment: Span,
        chosen: &[&Arc<Block>],
    ) -> Scope {
        let mut compiler = Compiler::new(self, month, known_on, segment, chosen);
        compiler.law();
        compiler.scope
    }

    /// Compiles a month, keeping going past mistakes.
    pub(super) fn compile(&self, month: Month, known_on: Date) -> Compiled {
        let mut faults = Faults::default();
        let mut reads = Reads::default();
        let mut in_force = BTreeSet::new();
        let mut laws = Vec::new();
        let segments = self.segments(month, known_on);
        for (span, chosen) in &segments {
            in_force.extend(chosen.iter().map(|block| block.serial));
            let mut compiler = Compiler::new(self, month, known_on, *span, chosen);
            laws.push(compiler.law());
            faults.0.append(&mut compiler.faults.0);
            reads.join(compiler.reads);
        }
        if in_force.is_empty() {
            let ids: Vec<&str> = self.packs.iter().map(|pack| &*pack.head.id).collect();
            let message = format!(
                "no rule of {} is in force in {month} as known on {known_on}",
                ids.join(", ")
            );
            faults.world("no_law", message, "see the dates in the pack, or --known-on");
        }
        let head = self.packs.last().map(|pack| pack.head.clone());
        let columns_read = reads.source_columns(self);
        let versions: Vec<Arc<Block>> =
            in_force.iter().map(|serial| Arc::clone(&self.blocks[*serial])).collect();
        let law = head.map(|head| LawOfMonth {
            head,
            packs: self.packs.iter().map(|pack| pack.head.clone()).collect(),
            inputs: reads::all_inputs(self),
            dictionary: reads::dictionary(self, &laws),
            calendar: Arc::clone(&self.calendar),
            tables_read: reads.tables(self, &columns_read),
            columns_read,
            snapshot: snapshot::canonical(self, &segments),
            shown: super::show::shown(self, month, known_on, &versions),
            segments: laws,
        });
        Compiled { law, faults, reads, in_force }
    }
}

/// Compiles the law of one segment.
pub(super) struct Compiler<'a> {
    book: &'a LawBook,
    month: Month,
    known_on: Date,
    segment: Span,
    chosen: &'a [&'a Arc<Block>],
    scope: Scope,
    faults: Faults,
    reads: Reads,
    /// Names that stand for something broken: errors that follow from them are not told.
    broken: BTreeSet<String>,
    /// Aggregates lifted so far by the rules of each pack, as the expressions name them.
    known: BTreeMap<usize, Vec<AggregateRule>>,
    /// Aggregates lifted since the last step was pushed.
    lifted: Vec<AggregateRule>,
    steps: Vec<Step>,
    items: Vec<Arc<SubsidyRule>>,
}

/// A mistake that was told already.
struct Told;

/// Where an expression stands.
#[derive(Clone, Copy)]
struct Place<'b> {
    block: &'b Block,
    /// Key it is written under.
    key: &'static str,
    at: &'b At,
}

impl<'a> Compiler<'a> {
    fn new(
        book: &'a LawBook,
        month: Month,
        known_on: Date,
        segment: Span,
        chosen: &'a [&'a Arc<Block>],
    ) -> Self {
        let currency = book
            .packs
            .first()
            .map_or_else(|| Arc::from("yuan"), |pack| Arc::clone(&pack.head.currency));
        let packs = book.packs.iter().map(|pack| expression_word(&pack.head.id)).collect();
        Self {
            book,
            month,
            known_on,
            segment,
            chosen,
            scope: Scope::new(currency, packs, &book.dictionary, &book.inputs),
            faults: Faults::default(),
            reads: Reads::default(),
            broken: BTreeSet::new(),
            known: BTreeMap::new(),
            lifted: Vec::new(),
            steps: Vec::new(),
            items: Vec::new(),
        }
    }

    fn law(&mut self) -> Law {
        let ages: Vec<Arc<AgeRule>> = self.ages();
        self.constants_and_tables();
        self.steps();
        let exclusions: Vec<Arc<ExclusionRule>> = self.exclusions();
        let caps: Vec<Arc<CapRule>> = self.caps();
        let splits: BTreeMap<Arc<str>, Arc<SplitRule>> = self.splits();
        self.splits_of_payees(&splits);
        let shortages: Vec<Arc<ShortageRule>> = self.shortages(&splits);
        let pay_date: Option<Arc<PayDateRule>> = self.pay_date();
        let offset = self.offset();
        self.flush();
        Law {
            month: self.month,
            segment: self.segment,
            ages,
            steps: std::mem::take(&mut self.steps),
            items: std::mem::take(&mut self.items),
            exclusions,
            caps,
            shortages,
            splits,
            pay_date,
            offset,
        }
    }

    /// Versions in force of a kind, in the order of packs and ids.
    fn of_kind(&self, kind: BlockKind) -> Vec<&'a Arc<Block>> {
        self.chosen.iter().copied().filter(|block| block.kind == kind).collect()
    }

    /// The ids under which a block is readable in expressions: its id, and its Chinese name where
    /// that is an identifier no other block in force has.
    fn names_of<'b>(&self, block: &'b Block) -> Vec<&'b str> {
        let mut names = vec![&*block.id];
        let readable = |kind: BlockKind| {
            matches!(kind, BlockKind::Parameter | BlockKind::Table | BlockKind::Age)
                || kind.column()
        };
        let identifier = |name: &str| {
            let start = |c: char| c.is_alphabetic() || c == '_';
            name.starts_with(start) && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        };
        if let Some(name) = block.chinese().filter(|name| identifier(name)) {
            let shared = self.chosen.iter().any(|other| {
                dating::name_of(other) != dating::name_of(block)
                    && readable(other.kind)
                    && other.chinese() == Some(name)
            });
            if !shared {
                names.push(name);
            }
        }
        names
    }

    /// Compiles the text under a key; `None` when it is absent or wrong.
    fn key(&mut self, block: &Block, key: &'static str, basis: &Basis) -> Option<Expr> {
        let text = block.word(key).to_owned();
        if text.is_empty() {
            return None;
        }
        let owner = owner(&self.book.printed(block.pack, &block.id), block, key);
        self.expr(Place { block, key, at: block.at(key) }, &text, basis, &owner)
    }

    /// Compiles a text as an expression on a basis, lifting its aggregates.
    fn expr(&mut self, place: Place<'_>, text: &str, basis: &Basis, owner: &str) -> Option<Expr> {
        // What rules of the same pack have lifted already is read again, not computed again.
        let mut lifted = self.known.remove(&place.block.pack).unwrap_or_default();
        let before = lifted.len();
        let compiled = self.compile_text(place, text, basis, owner, &mut lifted);
        if let Some(compiled) = &compiled {
            self.note_known(compiled, place, &lifted[..before]);
        }
        let fresh = lifted[before..].to_vec();
        self.known.insert(place.block.pack, lifted);
        for mut rule in fresh {
            self.name_item(&mut rule);
            self.told_of_earlier_months(&rule, place);
            self.note_aggregate(&rule, place);
            self.lifted.push(rule);
        }
        let compiled = compiled?;
        self.note(&compiled, basis, place);
        Some(compiled)
    }

    fn compile_text(
        &mut self,
        place: Place<'_>,
        text: &str,
        basis: &Basis,
        owner: &str,
        lifted: &mut Vec<AggregateRule>,
    ) -> Option<Expr> {
        self.scope.asking = place.block.pack;
        let masked = self.masked(text);
        let stands = self.book.place_of(place.block);
        let pack = place.block.pack;
        let asked = memo::Asked { pack, text: &masked, owner, basis, place: &stands };
        match self.compiled(&asked, lifted) {
            Ok(expr) => Some(expr),
            Err(errors) => {
                for error in errors {
                    self.expr_fault(place, &masked, &error);
                }
                None
            }
        }
    }

    /// Aggregates over items carry the printed id.
    fn name_item(&self, rule: &mut AggregateRule) {
        let printed = |id: &Arc<str>| self.scope.printed_item(id).unwrap_or_else(|| Arc::clone(id));
        rule.function = match &rule.function {
            Aggregate::CountEligible(id) => Aggregate::CountEligible(printed(id)),
            Aggregate::CountPaid(id) => Aggregate::CountPaid(printed(id)),
            Aggregate::SumAmount(id) => Aggregate::SumAmount(printed(id)),
            Aggregate::PaidToDate(id, of) => Aggregate::PaidToDate(printed(id), *of),
            Aggregate::PaidMonths(id, of) => Aggregate::PaidMonths(printed(id), *of),
            other => other.clone(),
        };
    }

    fn note_aggregate(&mut self, rule: &AggregateRule, place: Place<'_>) {
        self.reads.bases.insert(rule.over.clone());
        for expr in rule.argument.iter().chain(&rule.filter) {
            self.note(expr, &rule.over, place);
        }
    }

    /// Notes what an expression reads; law cut on a day may only be read where rows are cut (S18).
    fn note(&mut self, expr: &Expr, basis: &Basis, place: Place<'_>) {
        self.reads.columns.extend(expr.reads());
        self.reads.bases.insert(basis.clone());
        self.dates_covered(expr);
        for head in expr.cites() {
            let cut = self.chosen.iter().find(|block| {
                block.dating.mid_month == MidMonth::SplitDays
                    && *self.book.head_of(block).version == *head.version
            });
            if let Some(cut) = cut.filter(|_| !is_cut(basis)) {
                let message =
                    format!("{} reads {}, which splits months on the day", place.block.id, cut.id);
                self.faults.error(
                    "split_days",
                    place.at,
                    message,
                    "a rule on day, spell or listing",
                    "give the version another mid_month word, or read it on a spell",
                );
            }
            self.reads.cites.insert(Arc::clone(&head.version));
            self.note_reader(&head.version, place);
        }
    }

    /// Notes the rule as a reader of what the aggregates read that another rule lifted before.
    fn note_known(&mut self, expr: &Expr, place: Place<'_>, known: &[AggregateRule]) {
        if known.is_empty() {
            return;
        }
        let reads = expr.reads();
        let read = |rule: &&AggregateRule| {
            reads.iter().any(|(basis, column)| *basis == rule.basis && *column == rule.name)
        };
        for expr in known.iter().filter(read).flat_map(|r| r.argument.iter().chain(&r.filter)) {
            for head in expr.cites() {
                self.note_reader(&head.version, place);
            }
        }
    }

    fn note_reader(&mut self, version: &Arc<str>, place: Place<'_>) {
        let reader = self.book.printed(place.block.pack, &place.block.id);
        self.reads.readers.entry(Arc::clone(version)).or_default().insert(reader);
    }

    /// Pushes a step after the aggregates lifted for it.
    fn push(&mut self, step: Step) {
        self.flush();
        self.steps.push(step);
    }

    fn flush(&mut self) {
        let lifted = std::mem::take(&mut self.lifted);
        self.steps.extend(lifted.into_iter().map(|rule| Step::Aggregate(Arc::new(rule))));
    }

    /// Marks a block whose errors were told, so that rules that read it are not blamed.
    fn give_up(&mut self, block: &Block) {
        self.broken.insert(block.id.to_string());
        self.broken.extend(block.chinese().map(str::to_owned));
        self.lifted.clear();
    }

    /// The basis under the key `basis`.
    fn basis(&mut self, block: &Block) -> Option<Basis> {
        use super::names::Names;
        let word = block.word("basis");
        let found = self.scope.basis(word);
        if self.broken_grouping(word) {
            return None;
        }
        if found.is_none() {
            self.no_basis(block, "basis", word);
        }
        let cut = block.dating.mid_month == MidMonth::SplitDays;
        if cut && found.as_ref().is_some_and(|basis| !is_cut(basis)) {
            self.faults.error(
                "split_days",
                block.at("mid_month"),
                format!("split_days on basis {word}"),
                "basis day, spell or listing",
                "rows of other bases are not cut by days",
            );
        }
        found
    }
}

/// Whether rows of the basis are of days of one law, where a law splits the month.
const fn is_cut(basis: &Basis) -> bool {
    matches!(basis, Basis::Day | Basis::Spell | Basis::Listing)
}

/// The owner under which aggregates of an expression are named; kinds may share ids, so it is in it.
fn owner(printed: &str, block: &Block, key: &str) -> String {
    format!("{}:{printed}.{key}", block.kind.word())
}

/// A pack id as a word of expressions.
fn expression_word(id: &str) -> String {
    id.replace('-', "_")
}
