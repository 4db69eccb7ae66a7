//! What names mean for a rule: the pack's answers to the expression compiler.
//!
//! A bare name is looked up on the rule's own basis, then on the coarser bases its row determines
//! (nearest first), then among parameters, then, for aggregates, on finer bases when only one of them
//! has it. A name of another pack is written `pack:id`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::dictionary::{SANCTIONS, SESSIONS};
use super::expr::LookupTable;
use super::fault::near;
use super::links::{Grouped, Links};
use super::model::{DictionaryEntry, InputTable, RuleHead, Ty};
use super::names::{Name, Names};
use crate::domain::{Basis, Cell};

/// Which pack a name belongs to: 0 = all (facts), else the pack's index + 1.
type Owner = usize;

/// A readable column.
#[derive(Debug, Clone)]
pub(super) struct Readable {
    pub(super) column: Arc<str>,
    pub(super) ty: Ty,
    pub(super) nullable: bool,
}

/// A parameter in force.
#[derive(Debug, Clone)]
pub(super) struct Constant {
    pub(super) cell: Cell,
    pub(super) ty: Ty,
    pub(super) head: Arc<RuleHead>,
}

/// Columns, parameters, tables and items in force on a day.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub(super) currency: Arc<str>,
    /// Pack ids, `-` written as `_` as expressions have it.
    pub(super) packs: Vec<String>,
    /// The pack whose rule asks.
    pub(super) asking: usize,
    columns: BTreeMap<Basis, BTreeMap<(Owner, String), Readable>>,
    constants: BTreeMap<(Owner, String), Constant>,
    tables: BTreeMap<(Owner, String), Arc<LookupTable>>,
    /// Parameters looked up at a date of the row.
    dated: BTreeMap<(Owner, String), Arc<LookupTable>>,
    items: BTreeMap<(Owner, String), (Arc<str>, Basis)>,
    declared: BTreeSet<Arc<str>>,
    /// What a row of each basis determines, nearest first.
    links: Links,
}

impl Scope {
    /// A scope that knows the facts and nothing of the law yet.
    pub(super) fn new(
        currency: Arc<str>,
        packs: Vec<String>,
        dictionary: &[DictionaryEntry],
        inputs: &[InputTable],
    ) -> Self {
        let mut scope = Self { currency, packs, links: Links::new(inputs), ..Self::default() };
        scope.declared.extend([SANCTIONS, SESSIONS].map(Arc::from));
        let own = inputs.iter().filter(|table| !table.extends);
        scope.declared.extend(own.map(|table| Arc::clone(&table.name)));
        for entry in dictionary {
            let readable = Readable {
                column: Arc::clone(&entry.name),
                ty: entry.ty.clone(),
                nullable: entry.nullable,
            };
            let basis = scope.columns.entry(entry.basis.clone()).or_default();
            for name in [&entry.name, &entry.alias] {
                basis.entry((0, name.to_string())).or_insert_with(|| readable.clone());
            }
        }
        scope
    }

    /// Adds a column that names a row of a grouping, readable by every pack as facts are; a value of a
    /// pack as `pack:id` in lists and expressions alike.
    pub(super) fn add_key(&mut self, basis: &Basis, names: &[&str], readable: &Readable) {
        let columns = self.columns.entry(basis.clone()).or_default();
        for name in names {
            columns.insert((0, (*name).to_owned()), readable.clone());
            if let Some((pack, id)) = name.split_once(':') {
                let word = format!("{}.{id}", pack.replace('-', "_"));
                columns.insert((0, word), readable.clone());
            }
        }
    }

    /// Adds a column of a pack's rule under its id and Chinese name.
    pub(super) fn add_column(
        &mut self,
        pack: usize,
        basis: &Basis,
        names: &[&str],
        readable: &Readable,
    ) {
        let columns = self.columns.entry(basis.clone()).or_default();
        for name in names {
            columns.insert((pack + 1, (*name).to_owned()), readable.clone());
        }
    }

    pub(super) fn add_constant(&mut self, pack: usize, names: &[&str], constant: &Constant) {
        for name in names {
            self.constants.insert((pack + 1, (*name).to_owned()), constant.clone());
        }
    }

    pub(super) fn add_table(&mut self, pack: usize, names: &[&str], table: &Arc<LookupTable>) {
        for name in names {
            self.tables.insert((pack + 1, (*name).to_owned()), Arc::clone(table));
        }
    }

    pub(super) fn add_dated(&mut self, pack: usize, names: &[&str], table: &Arc<LookupTable>) {
        for name in names {
            self.dated.insert((pack + 1, (*name).to_owned()), Arc::clone(table));
        }
    }

    /// The date a parameter or table is dated by, if it is.
    pub(super) fn dated_by(&self, name: &str) -> Option<Arc<str>> {
        let found = self.find(&self.dated, name).or_else(|| self.find(&self.tables, name))?;
        found.dated.as_ref().map(|dated| Arc::clone(&dated.by))
    }

    pub(super) fn add_item(&mut self, pack: usize, id: &str, printed: &Arc<str>, basis: &Basis) {
        self.items.insert((pack + 1, id.to_owned()), (Arc::clone(printed), basis.clone()));
    }

    /// The printed id of an item as an expression of the asking pack names it.
    pub(super) fn printed_item(&self, id: &str) -> Option<Arc<str>> {
        self.find(&self.items, id).map(|(printed, _)| Arc::clone(printed))
    }

    /// The pack a name of an expression belongs to and its bare rest: `city.rate.base` (written
    /// `city:rate.base`) where `city` is a loaded pack, else the asking pack.
    pub(super) fn split_pack<'n>(&self, name: &'n str) -> Option<(usize, &'n str)> {
        let (first, rest) = name.split_once(['.', ':'])?;
        // A list writes the id of a pack as it is, an expression with `_` for `-`.
        let word = first.replace('-', "_");
        let index = self.packs.iter().position(|pack| *pack == word)?;
        Some((index, rest))
    }

    /// Looks a name up under the asking pack, the facts, then the pack it names.
    fn find<'m, V>(&self, map: &'m BTreeMap<(Owner, String), V>, name: &str) -> Option<&'m V> {
        map.get(&(self.asking + 1, name.to_owned()))
            .or_else(|| map.get(&(0, name.to_owned())))
            .or_else(|| {
                let (pack, rest) = self.split_pack(name)?;
                map.get(&(pack + 1, rest.to_owned()))
            })
    }

    /// The column of that name on exactly that basis.
    pub(super) fn on(&self, basis: &Basis, name: &str) -> Option<&Readable> {
        self.find(self.columns.get(basis)?, name)
    }

    /// The column of that name on the basis or the nearest coarser one.
    pub(super) fn readable(&self, basis: &Basis, name: &str) -> Option<(Basis, &Readable)> {
        if let Some(found) = self.on(basis, name) {
            return Some((basis.clone(), found));
        }
        let mut coarser = self.links.of(basis).iter();
        coarser.find_map(|coarse| Some((coarse.clone(), self.on(coarse, name)?)))
    }

    /// All bases that have rows.
    pub(super) fn bases(&self) -> Vec<Basis> {
        Basis::BUILT_IN
            .into_iter()
            .chain(self.declared.iter().cloned().map(Basis::Declared))
            .chain(self.links.groupings().cloned().map(Basis::Declared))
            .collect()
    }

    /// Bases a row of `basis` determines: nearest first, groupings last.
    pub(super) fn coarser(&self, basis: &Basis) -> &[Basis] {
        self.links.of(basis)
    }

    /// What a grouping takes together, if the basis is one.
    pub(super) fn grouping(&self, basis: &Basis) -> Option<&Grouped> {
        self.links.grouping(basis)
    }

    /// Groupings a row of a grouping belongs to because it shares more values.
    pub(super) fn wider(&self, own: &Grouped) -> impl Iterator<Item = Basis> {
        self.links.wider(own)
    }

    /// Makes a grouping known by its name.
    pub(super) fn add_grouping(&mut self, id: &Arc<str>, of: Basis, by: BTreeSet<String>) {
        self.links.add(id, Grouped { of, by, tables: BTreeSet::new() });
    }

    /// Links declared tables that hold all columns of a grouping to it; gives them.
    pub(super) fn link_tables(&mut self, id: &Arc<str>, by: &[Readable]) -> Vec<Basis> {
        let basis = Basis::Declared(Arc::clone(id));
        let Some(grouped) = self.links.grouping(&basis).cloned() else { return Vec::new() };
        let holds = |table: &&Arc<str>| {
            let basis = Basis::Declared(Arc::clone(table));
            let alike = |key: &Readable| {
                let own = self.columns.get(&basis)?.get(&(0, key.column.to_string()))?;
                same_kind(&own.ty, &key.ty).then_some(())
            };
            basis != grouped.of && by.iter().all(|key| alike(key).is_some())
        };
        let tables: BTreeSet<Arc<str>> = self.declared.iter().filter(holds).cloned().collect();
        self.links.add(id, Grouped { tables: tables.clone(), ..grouped });
        tables.into_iter().map(Basis::Declared).collect()
    }

    fn finer(&self, basis: &Basis) -> Vec<Basis> {
        self.bases().into_iter().filter(|fine| self.determines_strictly(fine, basis)).collect()
    }

    fn determines_strictly(&self, fine: &Basis, coarse: &Basis) -> bool {
        fine != coarse && self.links.of(fine).contains(coarse)
    }

    /// `basis.column` where the first word is a basis.
    fn prefixed(&self, basis: &Basis, name: &str) -> Option<Name> {
        let (word, rest) = name.split_once('.')?;
        let named = self.basis(word)?;
        let fits = named == *basis
            || self.determines_strictly(basis, &named)
            || self.determines_strictly(&named, basis);
        let readable = self.on(&named, rest).filter(|_| fits)?;
        Some(column(named, readable))
    }

    fn suggestions(&self, basis: &Basis, name: &str) -> Vec<String> {
        let mut known: Vec<String> = Vec::new();
        let mut add = |prefix: &str, basis: &Basis| {
            for (owner, name) in self.columns.get(basis).into_iter().flat_map(BTreeMap::keys) {
                if *owner == 0 || *owner == self.asking + 1 {
                    known.push(format!("{prefix}{name}"));
                }
            }
        };
        add("", basis);
        self.links.of(basis).iter().for_each(|coarse| add("", coarse));
        for fine in self.finer(basis) {
            add(&format!("{fine}."), &fine);
        }
        known.extend(
            self.constants
                .keys()
                .chain(self.dated.keys())
                .filter(|(o, _)| *o == self.asking + 1)
                .map(|(_, n)| n.clone()),
        );
        // A finer column written bare is named with its bases first.
        let dotted = format!(".{name}");
        let exact: Vec<String> =
            known.iter().filter(|known| known.ends_with(&dotted)).take(3).cloned().collect();
        if exact.is_empty() { near(name, known.iter().map(String::as_str)) } else { exact }
    }
}

/// Whether values of two types can be equal: identifiers are texts.
const fn same_kind(a: &Ty, b: &Ty) -> bool {
    matches!(
        (a, b),
        (Ty::Key | Ty::Text(_), Ty::Key | Ty::Text(_))
            | (Ty::Num { .. }, Ty::Num { .. })
            | (Ty::Date, Ty::Date)
            | (Ty::Bool, Ty::Bool)
    )
}

fn column(basis: Basis, readable: &Readable) -> Name {
    Name::Column {
        basis,
        column: Arc::clone(&readable.column),
        ty: readable.ty.clone(),
        nullable: readable.nullable,
    }
}

impl Scope {
    /// What a name stands for on a basis, if anything.
    pub(super) fn meaning(&self, basis: &Basis, name: &str) -> Option<Name> {
        if let Some((found, readable)) = self.readable(basis, name) {
            return Some(column(found, readable));
        }
        if let Some(constant) = self.find(&self.constants, name) {
            return Some(Name::Constant {
                cell: constant.cell.clone(),
                ty: constant.ty.clone(),
                head: Arc::clone(&constant.head),
            });
        }
        if let Some(table) = self.find(&self.dated, name) {
            return Some(Name::Dated(Arc::clone(table)));
        }
        if let Some(found) = self.prefixed(basis, name) {
            return Some(found);
        }
        let mut finer = self.finer(basis).into_iter().filter_map(|fine| {
            let readable = self.on(&fine, name)?;
            // What names a row of a grouping is told by its members: bare it is theirs.
            let key = |grouped: &Grouped| grouped.by.contains(&*readable.column);
            if self.grouping(&fine).is_some_and(key) {
                return None;
            }
            Some(column(fine.clone(), readable))
        });
        match (finer.next(), finer.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }
}

impl Names for Scope {
    fn name(&self, basis: &Basis, name: &str) -> Result<Name, Vec<String>> {
        self.meaning(basis, name).ok_or_else(|| self.suggestions(basis, name))
    }

    fn table(&self, id: &str) -> Option<Arc<LookupTable>> {
        self.find(&self.tables, id).cloned()
    }

    fn item(&self, id: &str) -> Option<Basis> {
        self.find(&self.items, id).map(|(_, basis)| basis.clone())
    }

    fn basis(&self, word: &str) -> Option<Basis> {
        let basis = Basis::parse(word);
        match &basis {
            Basis::Declared(table) => {
                let known = self.declared.contains(table) || self.links.grouping(&basis).is_some();
                known.then_some(basis)
            }
            _ => Some(basis),
        }
    }

    fn determines(&self, fine: &Basis, coarse: &Basis) -> bool {
        fine == coarse || self.determines_strictly(fine, coarse)
    }

    fn currency(&self) -> &str {
        &self.currency
    }
}
