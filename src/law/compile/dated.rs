//! Law looked up at a date of each row (`dated_by`, S18): one table out of all versions of an id.
//!
//! A parameter becomes a table whose one key is the date, a table gets the date as its last key. A
//! value becomes one hidden value a version, and an expression that chooses among them.

use std::fmt::Write as _;
use std::sync::Arc;

use super::{Compiler, Place};
use crate::domain::{Basis, Cell, Date, Span};
use crate::law::dating::{self, last_day};
use crate::law::expr::{Dated, Expr, KeyCell, LookupTable, TableKey};
use crate::law::model::{RuleHead, Step, Ty, Unit, ValueRule};
use crate::law::text::{Block, BlockKind};

/// Facts that lie inside the month whatever the inputs say, so that versions must cover it.
const IN_MONTH: [&str; 3] = ["spell_from", "spell_until", "date"];
/// Facts that are one day of the month.
const MONTH_START: &str = "month_start";
const MONTH_END: &str = "month_end";

/// What one version gives to the table of all.
struct Piece {
    days: Span,
    head: Arc<RuleHead>,
    rows: Vec<(Vec<KeyCell>, Cell)>,
}

impl<'a> Compiler<'a> {
    /// The versions of dated ids of a kind, by id, each in the order they stand in the book.
    fn dated_groups(&self, kind: BlockKind) -> Vec<Vec<&'a Arc<Block>>> {
        let mut groups: Vec<Vec<&'a Arc<Block>>> = Vec::new();
        for block in self.of_kind(kind).into_iter().filter(|block| block.dating.by_row) {
            let name = dating::name_of(block);
            match groups.iter_mut().find(|group| dating::name_of(group[0]) == name) {
                Some(group) => group.push(block),
                None => groups.push(vec![block]),
            }
        }
        for group in &mut groups {
            group.sort_by_key(|block| block.serial);
        }
        groups
    }

    /// All versions of a block's id that take part, in the order of the book.
    pub(super) fn versions_of(&self, block: &Block) -> Vec<&'a Arc<Block>> {
        let name = dating::name_of(block);
        let own = self.chosen.iter().copied().filter(|other| dating::name_of(other) == name);
        let mut versions: Vec<&'a Arc<Block>> = own.collect();
        versions.sort_by_key(|block| block.serial);
        versions
    }

    /// The date all versions are looked up at; `None` with a fault where they differ.
    fn date_of(&mut self, versions: &[&'a Arc<Block>]) -> Option<Arc<str>> {
        let by = versions.iter().find_map(|block| block.dated_by())?;
        let other = versions.iter().find(|block| block.dated_by() != Some(by));
        if let Some(other) = other {
            let what = format!("[[{}]] {}", other.kind.word(), other.id);
            let said = other.dated_by().map_or_else(
                || "has no `dated_by`".to_owned(),
                |said| format!("is dated by `{said}`"),
            );
            let message = format!("{what} {said}, another version by `{by}`");
            let at = other.at("dated_by");
            self.faults.error("dated_by", at, message, "the same in every version", "");
            return None;
        }
        Some(Arc::from(by))
    }

    /// The stretches of days of each version.
    fn stretches(&self, versions: &[&'a Arc<Block>]) -> Vec<(Span, &'a Arc<Block>)> {
        // What a version supersedes may be hidden behind versions that hold on no day at all.
        let name = dating::name_of(versions[0]);
        let all = self.book.adopted().filter(|block| dating::name_of(block) == name);
        let all: Vec<&'a Arc<Block>> = all.collect();
        dating::stretches(&all, self.known_on)
    }

    /// Makes parameters that are dated by row readable.
    pub(super) fn dated_parameters(&mut self) {
        for versions in self.dated_groups(BlockKind::Parameter) {
            if self.dated_parameter(&versions).is_none() {
                self.give_up(versions[0]);
            }
        }
    }

    fn dated_parameter(&mut self, versions: &[&'a Arc<Block>]) -> Option<()> {
        let by = self.date_of(versions)?;
        let mut pieces = Vec::new();
        let mut ty: Option<Ty> = None;
        for (days, block) in self.stretches(versions) {
            if block.broken {
                return None;
            }
            let constant = self.constant(block)?;
            ty = Some(match ty {
                None => constant.ty,
                Some(ty) => self.same_type(block, ty, &constant.ty)?,
            });
            let rows = vec![(Vec::new(), constant.cell)];
            pieces.push(Piece { days, head: constant.head, rows });
        }
        let table = Arc::new(joined(by, Vec::new(), ty?, pieces)?);
        let names = self.names_of(versions[0]);
        self.scope.add_dated(versions[0].pack, &names, &table);
        Some(())
    }

    /// Makes tables that are dated by row readable.
    pub(super) fn dated_tables(&mut self) {
        for versions in self.dated_groups(BlockKind::Table) {
            if self.dated_table(&versions).is_none() {
                self.give_up(versions[0]);
            }
        }
    }

    fn dated_table(&mut self, versions: &[&'a Arc<Block>]) -> Option<()> {
        let by = self.date_of(versions)?;
        let mut pieces = Vec::new();
        let mut like: Option<(Vec<TableKey>, Ty)> = None;
        for (days, block) in self.stretches(versions) {
            let read = self.book.tables.get(&block.serial)?;
            for at in &read.unset {
                self.unset(block, at);
            }
            let table = &read.table;
            like = Some(match like {
                None => (table.keys.clone(), table.ty.clone()),
                Some((keys, ty)) => (
                    self.same_keys(block, keys, &table.keys)?,
                    self.same_type(block, ty, &table.ty)?,
                ),
            });
            let (head, rows) = (Arc::clone(&table.head), table.rows.clone());
            pieces.push(Piece { days, head, rows });
        }
        let (keys, ty) = like?;
        let table = Arc::new(joined(by, keys, ty, pieces)?);
        let names = self.names_of(versions[0]);
        self.scope.add_table(versions[0].pack, &names, &table);
        Some(())
    }

    /// The type of both; `None` with a fault where they differ.
    fn same_type(&mut self, block: &Block, one: Ty, other: &Ty) -> Option<Ty> {
        match (one, other) {
            (Ty::Num { integer, unit }, Ty::Num { integer: whole, unit: own }) if unit == *own => {
                Some(Ty::Num { integer: integer && *whole, unit })
            }
            (one, other) if one == *other => Some(one),
            (one, other) => {
                let text = crate::law::cells::ty_text;
                let what = format!("[[{}]] {}", block.kind.word(), block.id);
                let message =
                    format!("{what} is in {}, an earlier version in {}", text(other), text(&one));
                let expected =
                    "one unit and type in all versions that a date of the row chooses from";
                self.faults.error("dated_by", &block.at, message, expected, "");
                None
            }
        }
    }

    fn same_keys(
        &mut self,
        block: &Block,
        one: Vec<TableKey>,
        other: &[TableKey],
    ) -> Option<Vec<TableKey>> {
        let named =
            |keys: &[TableKey]| keys.iter().map(|key| &*key.name).collect::<Vec<&str>>().join(", ");
        let same = one.len() == other.len()
            && one.iter().zip(other).all(|(a, b)| a.name == b.name && a.range == b.range);
        if same {
            // What is listed in one version only is not refused as an argument of the other.
            let wide = |(a, b): (TableKey, &TableKey)| match (a.ty == b.ty, &a.ty) {
                (false, Ty::Text(_)) => TableKey { ty: Ty::Text(None), ..a },
                _ => a,
            };
            return Some(one.into_iter().zip(other).map(wide).collect());
        }
        let message = format!(
            "[[table]] {} has the keys {}, an earlier version {}",
            block.id,
            named(other),
            named(&one)
        );
        let expected = "one list of keys in all versions that a date of the row chooses from";
        self.faults.error("dated_by", block.at("keys"), message, expected, "");
        None
    }

    /// Compiles a value that is dated by row: every version hidden, and the choice among them.
    pub(super) fn dated_value(&mut self, block: &'a Arc<Block>) -> Option<()> {
        let versions = self.versions_of(block);
        let by = self.date_of(&versions)?;
        let last = *versions.last()?;
        let basis = self.basis(last)?;
        let (mut pieces, mut choice) = (Vec::new(), String::from("CASE"));
        for (number, version) in versions.iter().enumerate() {
            if version.broken {
                return None;
            }
            if self.basis(version)? != basis {
                let message = format!("[[value]] {} is on another basis", version.id);
                let expected = format!("basis {basis}, as in the other versions");
                self.faults.error("dated_by", version.at("basis"), message, expected, "");
                return None;
            }
            let word = format!("{}.V{}", version.id, number + 1);
            let mut rule = self.value_rule(version, &basis)?;
            rule.head.id = self.book.printed(version.pack, &word);
            rule.hidden = true;
            let head = Arc::new(self.book.head_of(version));
            for (days, _) in
                self.stretches(&versions).into_iter().filter(|(_, of)| of.serial == version.serial)
            {
                let cell = Cell::Num(i128::try_from(number + 1).unwrap_or(0), 1);
                pieces.push(Piece {
                    days,
                    head: Arc::clone(&head),
                    rows: vec![(Vec::new(), cell)],
                });
            }
            self.readable_value(version, &[&word], &rule);
            let is_last = number + 1 == versions.len();
            // One version is still looked up: outside its days the row has no value.
            if !is_last || number == 0 {
                let id = &version.id;
                let _ = write!(choice, " WHEN {id}.V = {} THEN {word}", number + 1);
            }
            if is_last {
                let _ = write!(choice, " ELSE {word} END");
            }
            self.push(Step::Value(Arc::new(rule)));
        }
        pieces.sort_by_key(|piece| piece.days.from);
        let ty = Ty::Num { integer: true, unit: Unit::default() };
        let table = Arc::new(joined(Arc::clone(&by), Vec::new(), ty, pieces)?);
        self.scope.add_dated(last.pack, &[&format!("{}.V", last.id)], &table);
        let owner = super::owner(&self.book.printed(last.pack, &last.id), last, "expr");
        let place = Place { block: last, key: "dated_by", at: last.at("dated_by") };
        let expr = self.expr(place, &choice, &basis, &owner)?;
        let head = self.book.head_of(last);
        let rule = ValueRule { head, basis, expr, round: None, hidden: false, dated_by: Some(by) };
        let names = self.names_of(last);
        self.readable_value(last, &names, &rule);
        self.push(Step::Value(Arc::new(rule)));
        Some(())
    }

    /// Tells days of the month that no version covers, where the date is sure to lie in it.
    pub(super) fn dates_covered(&mut self, expr: &Expr) {
        for (table, basis, column) in expr.dated() {
            let days = match (&basis, &*column) {
                (Basis::Programme, MONTH_START) => self.month.first()..=self.month.first(),
                (Basis::Programme, MONTH_END) => self.month.last()..=self.month.last(),
                (Basis::Spell | Basis::Day, word) if IN_MONTH.contains(&word) => {
                    self.segment.from..=self.segment.until
                }
                _ => continue,
            };
            let missing = uncovered(&table, *days.start(), *days.end());
            let Some(block) = self.chosen.iter().find(|block| {
                let head = self.book.head_of(block);
                table.heads().iter().any(|of| of.version == head.version && of.place == head.place)
            }) else {
                continue;
            };
            if missing.is_empty() {
                continue;
            }
            let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
            let what = format!("[[{}]] {}", block.kind.word(), block.id);
            let message = format!(
                "{what} has no version on {}, days `{column}` may have in {}",
                missing.join(", "),
                self.month
            );
            let hint = "state a version for these days, or end what reads it before them";
            self.faults.error("dated_gap", &block.at, message, "a version on every day", hint);
        }
    }
}

/// One table out of the pieces, the date as its last key.
fn joined(
    by: Arc<str>,
    mut keys: Vec<TableKey>,
    ty: Ty,
    pieces: Vec<Piece>,
) -> Option<LookupTable> {
    keys.push(TableKey { name: Arc::clone(&by), ty: Ty::Date, range: true });
    let (mut rows, mut of_row) = (Vec::new(), Vec::new());
    let mut heads: Vec<Arc<RuleHead>> = Vec::new();
    for piece in pieces {
        let known = heads.iter().position(|head| *head == piece.head);
        let index = known.unwrap_or_else(|| {
            heads.push(Arc::clone(&piece.head));
            heads.len() - 1
        });
        for (mut cells, cell) in piece.rows {
            cells.push(days_of(piece.days));
            rows.push((cells, cell));
            of_row.push(index);
        }
    }
    let head = Arc::clone(heads.last()?);
    // Whether a date is covered is asked where the date is known.
    let dated = Some(Dated { by, heads, of_row });
    Some(LookupTable { head, keys, ty, rows, proved: false, dated })
}

/// A stretch of days as a key cell.
fn days_of(days: Span) -> KeyCell {
    let bound = |day: Date| ((i128::from(day.days()), 1), true);
    KeyCell::Range {
        low: Some(bound(days.from)),
        high: (days.until < last_day()).then(|| bound(days.until)),
    }
}

/// Days between two on which no row of a table dated by row holds.
fn uncovered(table: &LookupTable, from: Date, until: Date) -> Vec<Span> {
    let mut held: Vec<Span> = table
        .rows
        .iter()
        .filter_map(|(keys, _)| match keys.last()? {
            KeyCell::Range { low, high } => {
                let day = |bound: &Option<((i128, i128), bool)>| {
                    bound.and_then(|((day, _), _)| i32::try_from(day).ok()).map(Date::from_days)
                };
                Span::new(day(low)?, day(high).unwrap_or_else(last_day))
            }
            _ => None,
        })
        .collect();
    held.sort_by_key(|span| span.from);
    let (mut missing, mut next) = (Vec::new(), from);
    for span in held {
        if span.from > next {
            missing.extend(Span::new(next, span.from.plus_days(-1).min(until)));
        }
        next = next.max(span.until.plus_days(1));
    }
    missing.extend(Span::new(next, until));
    missing.retain(|span| span.from <= until);
    missing
}
