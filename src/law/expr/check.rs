//! What a node may be used for: conditions, numbers, equal kinds and units, no stray nulls.

use crate::domain::Cell;
use std::sync::Arc;

use super::lower::{Lowerer, Part};
use super::tree::{Comparison, Kind, NodeId, Op};
use crate::law::model::Unit;

/// A unit; `None` is literal zero's, which is any.
type AnyUnit = Option<Unit>;

impl Lowerer<'_, '_> {
    /// Whether the node may be null where we stand.
    pub(super) fn may_be_null(&self, id: NodeId) -> bool {
        self.tree.nodes[id].nullable && !self.known.contains(&id)
    }

    /// Notes what is non-null where the condition has come out as `truth`.
    pub(super) fn learn(&mut self, id: NodeId, truth: bool) {
        let node = &self.tree.nodes[id];
        match (&node.op, truth) {
            (Op::IsNull, false) => self.known.push(node.args[0]),
            (Op::Not, _) => {
                let inner = node.args[0];
                self.learn(inner, !truth);
            }
            (Op::And, true) | (Op::Or, false) => {
                let (left, right) = (node.args[0], node.args[1]);
                self.learn(left, truth);
                self.learn(right, truth);
            }
            _ => {}
        }
    }

    /// Refuses a value that may be null.
    pub(super) fn present(&mut self, part: Part) -> Option<()> {
        if self.may_be_null(part.id) {
            return self.fail(
                part.at,
                "this may be null, and null is not zero",
                "coalesce(x, value), or `x IS NOT NULL AND …` before it (S6)",
            );
        }
        Some(())
    }

    /// A condition that is never null.
    pub(super) fn condition(&mut self, part: Part) -> Option<()> {
        if *self.kind(part.id) != Kind::Bool {
            let found = self.kind(part.id).word();
            return self.fail(
                part.at,
                format!("{found} where a condition is needed"),
                "compare it with something",
            );
        }
        self.present(part)
    }

    /// A number that is never null: whether whole, and its unit (`None` = any).
    pub(super) fn number(&mut self, part: Part) -> Option<(bool, Option<Unit>)> {
        match self.kind(part.id).clone() {
            Kind::Num { integer, unit } => self.present(part).map(|()| (integer, unit)),
            other => self.fail(
                part.at,
                format!("{} where a number is needed", other.word()),
                "only numbers are reckoned with",
            ),
        }
    }

    /// A whole plain number.
    pub(super) fn integer(&mut self, part: Part) -> Option<()> {
        match self.number(part)? {
            (true, unit) if unit.as_ref().is_none_or(Unit::is_plain) => Some(()),
            _ => {
                let found = self.kind(part.id).word();
                self.fail(
                    part.at,
                    format!("{found} where a whole number is needed"),
                    "floor(x) makes a whole number",
                )
            }
        }
    }

    pub(super) fn date(&mut self, part: Part) -> Option<()> {
        match self.kind(part.id) {
            Kind::Date => self.present(part),
            other => {
                let found = other.word();
                self.fail(
                    part.at,
                    format!("{found} where a date is needed"),
                    "dates are written DATE '2026-01-31'",
                )
            }
        }
    }

    /// Numbers of one unit, or dates, none of them null; the kind of the result.
    pub(super) fn alike(&mut self, at: (usize, usize), parts: &[Part]) -> Option<Kind> {
        if parts.iter().all(|part| *self.kind(part.id) == Kind::Date) {
            for part in parts {
                self.present(*part)?;
            }
            return Some(Kind::Date);
        }
        let numbers: Vec<_> = parts.iter().map(|part| self.number(*part)).collect();
        let (mut integer, mut unit) = (true, None);
        for number in numbers {
            let (whole, own) = number?;
            integer &= whole;
            unit = self.same_unit(at, unit, own)?;
        }
        Some(Kind::Num { integer, unit })
    }

    /// The common unit of two; a mistake when they differ.
    pub(super) fn same_unit(
        &mut self,
        at: (usize, usize),
        left: AnyUnit,
        right: AnyUnit,
    ) -> Option<AnyUnit> {
        match (left, right) {
            (None, unit) | (unit, None) => Some(unit),
            (Some(left), Some(right)) if left == right => Some(Some(left)),
            (Some(left), Some(right)) => self.fail(
                at,
                format!("units differ: {left} and {right}"),
                "a number of the law with a unit is a [[parameter]] with that unit (S15)",
            ),
        }
    }

    pub(super) fn compare(
        &mut self,
        at: (usize, usize),
        how: Comparison,
        left: Part,
        right: Part,
    ) -> Option<Part> {
        self.comparable(at, how, left, right)?;
        self.node(at, Op::Compare(how), vec![left.id, right.id], Kind::Bool)
    }

    /// Whether two values can be compared.
    pub(super) fn comparable(
        &mut self,
        at: (usize, usize),
        how: Comparison,
        left: Part,
        right: Part,
    ) -> Option<()> {
        let (a, b) = (self.kind(left.id).clone(), self.kind(right.id).clone());
        if a == Kind::Null || b == Kind::Null {
            return self.fail(at, "NULL is not compared", "write x IS NULL");
        }
        self.present(left)?;
        self.present(right)?;
        match (&a, &b) {
            (Kind::Num { unit: a, .. }, Kind::Num { unit: b, .. }) => {
                self.same_unit(at, a.clone(), b.clone()).map(|_| ())
            }
            (Kind::Date, Kind::Date) => Some(()),
            (Kind::Bool, Kind::Bool) | (Kind::Text(_) | Kind::Key, Kind::Text(_) | Kind::Key) => {
                if !matches!(how, Comparison::Equal | Comparison::Unequal) {
                    return self.fail(
                        at,
                        format!("{} has no order", a.word()),
                        "texts and conditions are compared with = and <>",
                    );
                }
                self.listed(left, right)?;
                self.listed(right, left)
            }
            _ => self.fail(
                at,
                format!("{} compared with {}", a.word(), b.word()),
                if matches!((&a, &b), (Kind::Date, _) | (_, Kind::Date)) {
                    "dates are written DATE '2026-01-31'"
                } else {
                    "compare like with like"
                },
            ),
        }
    }

    /// Refuses a literal text that is not among the listed values it is compared with.
    pub(super) fn listed(&mut self, listed: Part, literal: Part) -> Option<()> {
        let Kind::Text(Some(list)) = self.kind(listed.id).clone() else { return Some(()) };
        let Some(Cell::Text(text)) = self.folded(literal.id).cloned() else { return Some(()) };
        if list.iter().any(|value| **value == *text) {
            return Some(());
        }
        let values: Vec<&str> = list.iter().take(12).map(|value| &**value).collect();
        self.fail(
            literal.at,
            format!("'{text}' is not a listed value"),
            format!("listed are {}", values.join(", ")),
        )
    }

    /// The kind of a value that is one of several.
    pub(super) fn union(&mut self, at: (usize, usize), parts: &[Part]) -> Option<Kind> {
        let mut sum = Kind::Null;
        for part in parts {
            let own = match (self.kind(part.id).clone(), self.folded(part.id)) {
                // A literal text is a list of one, so that a CASE over literals has listed values.
                (Kind::Text(None), Some(Cell::Text(text))) => {
                    Kind::Text(Some(Arc::new(vec![Arc::from(text.as_str())])))
                }
                (kind, _) => kind,
            };
            sum = match (sum, own) {
                (Kind::Null, kind) | (kind, Kind::Null) => kind,
                (Kind::Num { integer: a, unit: u }, Kind::Num { integer: b, unit: v }) => {
                    Kind::Num { integer: a && b, unit: self.same_unit(at, u, v)? }
                }
                (Kind::Text(a), Kind::Text(b)) => Kind::Text(merge(a, b)),
                (a, b) if a == b => a,
                (a, b) => {
                    return self.fail(
                        at,
                        format!("results of two kinds: {} and {}", a.word(), b.word()),
                        "every result has the same kind and unit",
                    );
                }
            };
        }
        if sum == Kind::Null {
            return self.fail(at, "every result is NULL", "at least one result has a value");
        }
        Some(sum)
    }
}

type Listed = Option<Arc<Vec<Arc<str>>>>;

fn merge(a: Listed, b: Listed) -> Listed {
    let (a, b) = (a?, b?);
    if a == b {
        return Some(a);
    }
    let mut all: Vec<Arc<str>> = a.to_vec();
    for value in b.iter() {
        if !all.contains(value) {
            all.push(Arc::clone(value));
        }
    }
    Some(Arc::new(all))
}
