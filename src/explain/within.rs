//! Where a row stands in its group: the order, the rows before it, what was left for it.

use super::show;
use super::walk::{LineWalk, NAMING, PERSONAL};
use super::{GroupSaid, SeatSaid, ValueSaid};
use crate::domain::{Cell, Fraction, Frame, key_rows};
use crate::law::{SpreadMethod, Ty, WithinKind, WithinRule};
use crate::subsidy::{Group, Member, standing};
use std::sync::Arc;

/// Rows before it that are told, the nearest; the others are counted.
const TOLD: usize = 20;

impl LineWalk<'_> {
    /// A column made from the rows of a group, with what it rests on.
    pub(super) fn within(&mut self, rule: &Arc<WithinRule>, row: usize) {
        self.cite(&rule.head);
        for expr in rule.when.iter().chain(rule.of_row()) {
            self.read(expr, &rule.basis, row);
        }
        let frames = self.input.month.frames;
        for term in &rule.order {
            let rows = key_rows(frames, &rule.basis, &term.basis);
            let at = rows.map_or(Frame::NO_ROW, |rows| rows.at(row));
            if at != Frame::NO_ROW
                && self.met.insert((term.basis.clone(), Arc::clone(&term.column)))
            {
                self.column(&term.basis, &term.column, at as usize);
            }
        }
        let found = standing(self.input.month.law, frames, rule, row);
        if let (Some(expr), Some((group, _))) = (rule.of_group(), &found) {
            self.read(expr, &rule.within, group.key as usize);
        }
        let said = ValueSaid {
            rule: show::rule(&rule.head),
            basis: rule.basis.to_string(),
            expression: written(rule),
            value: self.cell(&rule.basis, &rule.head.id, row),
            steps: Vec::new(),
            group: found.map(|(group, place)| self.group(rule, &group, place)),
        };
        self.values.push(said);
    }

    fn group(&self, rule: &WithinRule, group: &Group, place: usize) -> GroupSaid {
        let before = &group.members[..place];
        let told = before.len().saturating_sub(TOLD);
        let figure = rule.of_group().map(|expr| {
            let figure = Cell::Num(group.figure.num, group.figure.den);
            self.typed(&figure, expr.ty())
        });
        let served = matches!(
            rule.kind,
            WithinKind::Allowance { quantum: None, .. }
                | WithinKind::Spread { method: SpreadMethod::Queue(_) | SpreadMethod::One, .. }
        );
        let left = if served { self.left(rule, group, before) } else { None };
        GroupSaid {
            within: rule.within.to_string(),
            key: self.named(rule, group),
            order: ordered(rule),
            rows: group.members.len(),
            place: place + 1,
            further: told,
            before: (told..place).map(|at| self.seat(rule, group, at)).collect(),
            own: self.seat(rule, group, place),
            figure: figure.unwrap_or_default(),
            left: left
                .map(|left| self.typed(&Cell::Num(left.num, left.den), &rule.ty))
                .unwrap_or_default(),
        }
    }

    /// What the rows before left of the figure of the group.
    fn left(&self, rule: &WithinRule, group: &Group, before: &[Member]) -> Option<Fraction> {
        let parts = self.input.month.frames.get(&rule.basis)?.get(&rule.head.id)?;
        let zero = Fraction::whole(0);
        let negative = group.figure.num < 0 && matches!(rule.kind, WithinKind::Spread { .. });
        let start = if group.figure.num < 0 && !negative { zero } else { group.figure };
        before.iter().try_fold(start, |left, member| {
            let part = parts.number(member.row as usize)?;
            let part = if part.num < 0 && !negative { zero } else { part };
            left.checked_add(Fraction { num: -part.num, den: part.den })
        })
    }

    /// What names the row of the group, where it has a name.
    fn named(&self, rule: &WithinRule, group: &Group) -> String {
        let Some(frame) = self.input.month.frames.get(&rule.within) else { return String::new() };
        self.naming_of(frame, group.key as usize, &["institution_id"]).join(" ")
    }

    /// Texts that name a row: persons by what stands for them, then the columns named and those that
    /// name rows of a table.
    fn naming_of(&self, frame: &Frame, row: usize, first: &[&str]) -> Vec<String> {
        let inputs = &self.input.month.law.inputs;
        let keys = inputs.iter().filter(|input| *input.name == *frame.basis.name());
        let keys = keys.flat_map(|input| &input.key).map(|name| &**name);
        let names =
            PERSONAL.iter().copied().chain(first.iter().copied()).chain(NAMING.iter().copied());
        let mut seen: Vec<&str> = Vec::new();
        let mut texts = Vec::new();
        for name in names.chain(keys.filter(|name| *name != "institution_id")) {
            let Some(stored) = frame.get(name).filter(|stored| !stored.is_null(row)) else {
                continue;
            };
            if seen.contains(&name) || stored.error(row).is_some() {
                continue;
            }
            seen.push(name);
            let text = show::plain(&stored.cell(row));
            let personal = PERSONAL.contains(&name);
            texts.push(if personal { (self.question.alias)(&text) } else { self.mask(text) });
        }
        texts
    }

    fn seat(&self, rule: &WithinRule, group: &Group, place: usize) -> SeatSaid {
        let member = &group.members[place];
        let row = member.row as usize;
        let frames = self.input.month.frames;
        let frame = frames.get(&rule.basis);
        let by = rule.order.iter().map(|term| {
            let rows = key_rows(frames, &rule.basis, &term.basis);
            let at = rows.map_or(Frame::NO_ROW, |rows| rows.at(row));
            if at == Frame::NO_ROW {
                return String::new();
            }
            let text = self.cell(&term.basis, &term.column, at as usize);
            let personal = PERSONAL.contains(&&*term.column);
            if personal { (self.question.alias)(&text) } else { text }
        });
        let figure = rule
            .of_row()
            .filter(|_| member.holds)
            .map(|expr| self.typed(&Cell::Num(member.figure.num, member.figure.den), expr.ty()));
        SeatSaid {
            place: place + 1,
            row: frame.map(|frame| self.naming_of(frame, row, &[])).unwrap_or_default(),
            by: by.collect(),
            holds: member.holds,
            figure: figure.unwrap_or_default(),
            part: self.cell(&rule.basis, &rule.head.id, row),
        }
    }

    fn typed(&self, cell: &Cell, ty: &Ty) -> String {
        show::typed(cell, Some(ty), &self.input.month.law.head.currency)
    }
}

/// The names of the order, `-` in front for descending.
fn ordered(rule: &WithinRule) -> Vec<String> {
    let written = |term: &crate::law::OrderTerm| {
        format!("{}{}", if term.descending { "-" } else { "" }, term.column)
    };
    rule.order.iter().map(written).collect()
}

/// The rule in one line, as the pack has it.
fn written(rule: &WithinRule) -> String {
    let mut text = rule.word().to_owned();
    if let Some(expr) = rule.of_group() {
        text = format!("{text} {}", expr.source());
    }
    text = format!("{text} within {}", rule.within);
    if let Some(expr) = rule.of_row() {
        text = format!("{text} by {}", expr.source());
    }
    if !rule.order.is_empty() {
        text = format!("{text} order {}", ordered(rule).join(", "));
    }
    if let Some(expr) = &rule.when {
        text = format!("{text} when {}", expr.source());
    }
    text
}
