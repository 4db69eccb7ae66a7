//! sqlparser tree -> typed tree: types, units, nulls, names (S3, S6, S15).

use sqlparser::ast::{self, BinaryOperator, InTarget, Spanned, UnaryOperator, Value};

use crate::domain::{Basis, Cell, Date, Fraction};
use crate::law::model::{AggregateRule, LawPlace, Unit};
use crate::law::names::{Name, Names};

use super::ExprError;
use super::parse::Source;
use super::tree::{Comparison, Draft, HEIGHT_MAX, Kind, NODES_MAX, NodeId, Op, Tree};

/// Deepest recursion while lowering; precedence levels inside 64 parentheses stay below it.
const DESCENT_MAX: usize = 160;

/// A lowered piece of the expression and the pieces of text it stands on (first, last).
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) id: NodeId,
    pub(super) at: (usize, usize),
}

/// Lowers one expression on one basis.
pub(super) struct Lowerer<'a, 'l> {
    pub(super) source: &'a Source<'a>,
    pub(super) names: &'a dyn Names,
    pub(super) basis: Basis,
    pub(super) owner: &'a str,
    pub(super) place: &'a LawPlace,
    pub(super) lifted: &'l mut Vec<AggregateRule>,
    pub(super) tree: Tree,
    /// Nodes proved non-null where we stand.
    pub(super) known: Vec<NodeId>,
    pub(super) errors: Vec<ExprError>,
    pub(super) descent: usize,
}

impl Lowerer<'_, '_> {
    pub(super) fn fail<T>(
        &mut self,
        at: (usize, usize),
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Option<T> {
        self.errors.push(self.source.error(at, message, hint));
        None
    }

    pub(super) fn kind(&self, id: NodeId) -> &Kind {
        &self.tree.nodes[id].kind
    }

    pub(super) fn folded(&self, id: NodeId) -> Option<&Cell> {
        self.tree.nodes[id].folded.as_ref()
    }

    /// Adds a node standing on `at`.
    pub(super) fn node(
        &mut self,
        at: (usize, usize),
        op: Op,
        args: Vec<NodeId>,
        kind: Kind,
    ) -> Option<Part> {
        let pieces = &self.source.pieces;
        self.draft(
            at,
            Draft {
                op,
                args,
                kind,
                nullable: false,
                text: (pieces[at.0].from, pieces[at.1].until),
                head: None,
            },
        )
    }

    /// Adds a step that has no text of its own.
    pub(super) fn step(
        &mut self,
        at: (usize, usize),
        op: Op,
        args: Vec<NodeId>,
        kind: Kind,
    ) -> Option<NodeId> {
        self.draft(at, Draft { op, args, kind, nullable: false, text: (0, 0), head: None })
            .map(|part| part.id)
    }

    pub(super) fn draft(&mut self, at: (usize, usize), draft: Draft) -> Option<Part> {
        let id = self.tree.add(draft);
        if self.tree.nodes[id].height > HEIGHT_MAX || self.tree.nodes.len() > NODES_MAX {
            return self.fail(
                at,
                format!("more than {HEIGHT_MAX} operations inside one another"),
                "name parts of it as [[value]]",
            );
        }
        Some(Part { id, at })
    }

    /// Lowers an expression, noting mistakes; `None` when it has any.
    pub(super) fn lower(&mut self, expr: &ast::Expr) -> Option<Part> {
        if self.descent >= DESCENT_MAX {
            return self.fail(
                (0, self.source.pieces.len().saturating_sub(1)),
                "nested too deep",
                "name parts of it as [[value]]",
            );
        }
        self.descent += 1;
        let part = match expr {
            ast::Expr::BinaryOp { .. } => self.spine(expr),
            _ => self.branch(expr),
        };
        self.descent -= 1;
        part
    }

    fn branch(&mut self, expr: &ast::Expr) -> Option<Part> {
        match expr {
            ast::Expr::Nested(inner) => {
                let part = self.lower(inner)?;
                Some(Part { id: part.id, at: (part.at.0.saturating_sub(1), part.at.1 + 1) })
            }
            ast::Expr::Identifier(ident) => {
                let at = self.source.piece_at(ident.span.start);
                self.name(&ident.value, (at, at))
            }
            ast::Expr::CompoundIdentifier(parts) => {
                let name: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
                let first = self.source.piece_at(parts.first()?.span.start);
                let last = self.source.piece_at(parts.last()?.span.start);
                self.name(&name.join("."), (first, last))
            }
            ast::Expr::Value(value) => {
                let at = self.source.piece_at(value.span.start);
                self.literal(&value.value, at)
            }
            ast::Expr::TypedString(typed) => {
                let last = self.source.piece_at(typed.value.span.start);
                let at = (last.saturating_sub(1), last);
                let text = typed.value.clone().into_string().unwrap_or_default();
                match Date::parse_iso(&text) {
                    Ok(date) => self.node(at, Op::Const(Cell::Date(date)), vec![], Kind::Date),
                    Err(error) => self.fail(at, error.to_string(), "write DATE '2026-01-31'"),
                }
            }
            ast::Expr::UnaryOp { op, expr } => self.unary(*op, expr),
            ast::Expr::IsNull(inner) => self.is_null(inner, false),
            ast::Expr::IsNotNull(inner) => self.is_null(inner, true),
            ast::Expr::Between { expr, negated, low, high } => {
                self.between(expr, *negated, low, high)
            }
            ast::Expr::In { expr, target: InTarget::List(list), negated, global: false } => {
                self.in_list(expr, list, *negated)
            }
            ast::Expr::Case { case_token, end_token, operand, conditions, else_result } => {
                let at = (
                    self.source.piece_at(case_token.0.span.start),
                    self.source.piece_at(end_token.0.span.start),
                );
                self.case(at, operand.as_deref(), conditions, else_result.as_deref())
            }
            ast::Expr::Function(function) => self.call(function),
            other => {
                let at = self.source.piece_at(other.span().start);
                self.fail(
                    (at, at),
                    "this form is not part of the language",
                    "see docs/expressions.md for the grammar",
                )
            }
        }
    }

    fn literal(&mut self, value: &Value, at: usize) -> Option<Part> {
        let at = (at, at);
        match value {
            Value::Number(text, false) => {
                let Some(number) = Fraction::parse_decimal(text) else {
                    return self.fail(
                        at,
                        format!("`{text}` is not a plain decimal number"),
                        "write digits, at most one point, digits on both sides of it",
                    );
                };
                let number = number.reduced();
                let kind = if number.num == 0 {
                    Kind::Num { integer: true, unit: None }
                } else {
                    Kind::number(number.den == 1, Unit::default())
                };
                self.node(at, Op::Const(Cell::Num(number.num, number.den)), vec![], kind)
            }
            Value::SingleQuotedString(text) => {
                self.node(at, Op::Const(Cell::Text(text.clone())), vec![], Kind::Text(None))
            }
            Value::Boolean(value) => {
                self.node(at, Op::Const(Cell::Bool(*value)), vec![], Kind::Bool)
            }
            Value::Null => {
                let pieces = &self.source.pieces[at.0];
                let text = (pieces.from, pieces.until);
                self.draft(
                    at,
                    Draft {
                        op: Op::Const(Cell::Null),
                        args: vec![],
                        kind: Kind::Null,
                        nullable: true,
                        text,
                        head: None,
                    },
                )
            }
            _ => self.fail(
                at,
                "this literal is not part of the language",
                "texts 'x', numbers 0.5, TRUE, FALSE, DATE '2026-01-31'",
            ),
        }
    }

    fn name(&mut self, name: &str, at: (usize, usize)) -> Option<Part> {
        let text = (self.source.pieces[at.0].from, self.source.pieces[at.1].until);
        match self.names.name(&self.basis, name) {
            Ok(Name::Column { basis, column, ty, nullable }) => {
                if basis != self.basis && !self.names.determines(&self.basis, &basis) {
                    return self.fail(
                        at,
                        format!(
                            "`{name}` belongs to rows of {basis}; a row of {} has many or none",
                            self.basis
                        ),
                        "read it through sum, count, min, max, any, all, first or last",
                    );
                }
                let kind = Kind::of(&ty, &self.basis);
                let op = Op::Column(self.tree.column(&basis, &column));
                self.draft(at, Draft { op, args: vec![], kind, nullable, text, head: None })
            }
            Ok(Name::Constant { cell, ty, head }) => {
                self.tree.cite(&head);
                let kind = Kind::of(&ty, &self.basis);
                let nullable = cell == Cell::Null;
                let head = Some(head);
                self.draft(
                    at,
                    Draft { op: Op::Const(cell), args: vec![], kind, nullable, text, head },
                )
            }
            Ok(Name::Dated(table)) => self.looked_up(at, &table, Vec::new()),
            Err(near) => {
                let hint = if self.names.table(name).is_some() {
                    format!("{name} is a table: write {name}(key, …)")
                } else if near.is_empty() {
                    "names are those of the dictionary, parameters, values, ages and prices"
                        .to_owned()
                } else {
                    // Of a finer basis a row has many: the name alone would be refused next.
                    let many = near.iter().all(|name| {
                        let basis =
                            name.split_once('.').and_then(|(word, _)| self.names.basis(word));
                        basis.is_some_and(|basis| !self.names.determines(&self.basis, &basis))
                    });
                    let through = " Read it through sum, count, min, max, any, all, first or last";
                    let through = if many { through } else { "" };
                    format!("did you mean {}?{through}", near.join(", "))
                };
                self.fail(at, format!("`{name}` cannot be read on {}", self.basis), hint)
            }
        }
    }

    fn unary(&mut self, op: UnaryOperator, inner: &ast::Expr) -> Option<Part> {
        let part = self.lower(inner)?;
        let at = (part.at.0.saturating_sub(1), part.at.1);
        match op {
            UnaryOperator::Minus => {
                let (integer, unit) = self.number(part)?;
                self.node(at, Op::Neg, vec![part.id], Kind::Num { integer, unit })
            }
            UnaryOperator::Plus => {
                self.number(part)?;
                Some(Part { id: part.id, at })
            }
            UnaryOperator::Not => {
                self.condition(part)?;
                self.node(at, Op::Not, vec![part.id], Kind::Bool)
            }
            _ => self.fail(at, "unknown sign", "signs are - and NOT"),
        }
    }

    fn is_null(&mut self, inner: &ast::Expr, negated: bool) -> Option<Part> {
        let part = self.lower(inner)?;
        // The parser takes `x NOT NULL` as well; the language has one way to say it.
        let word = self.source.pieces.get(part.at.1 + 1).map(|piece| piece.from..piece.until);
        let is = word.is_some_and(|word| self.source.text[word].eq_ignore_ascii_case("IS"));
        if !is {
            let last = self.source.pieces.len().saturating_sub(1);
            let at = (part.at.0, (part.at.1 + 1).min(last));
            return self.fail(at, "not a test for NULL", "write x IS NULL or x IS NOT NULL");
        }
        let at = (part.at.0, part.at.1 + if negated { 3 } else { 2 });
        if *self.kind(part.id) == Kind::Null {
            return self.fail(at, "NULL compared with itself", "name a column or a lookup");
        }
        let id = self.node(at, Op::IsNull, vec![part.id], Kind::Bool)?.id;
        if negated { self.node(at, Op::Not, vec![id], Kind::Bool) } else { Some(Part { id, at }) }
    }

    /// Chains of operators of any length without recursion on their left sides.
    fn spine(&mut self, expr: &ast::Expr) -> Option<Part> {
        let mut rights: Vec<(&BinaryOperator, &ast::Expr)> = Vec::new();
        let mut left = expr;
        while let ast::Expr::BinaryOp { left: inner, op, right } = left {
            if is_comparison(op)
                && matches!(&**inner, ast::Expr::BinaryOp { op, .. } if is_comparison(op))
            {
                let at = self.source.piece_at(right.span().start);
                self.fail::<()>(
                    (at.saturating_sub(1), at),
                    "comparisons cannot be chained",
                    "write a < b AND b < c",
                );
                return None;
            }
            rights.push((op, right));
            left = inner;
        }
        let mut part = self.lower(left);
        while let Some((op, right)) = rights.pop() {
            part = self.binary(part, op, right);
        }
        part
    }

    fn binary(
        &mut self,
        left: Option<Part>,
        op: &BinaryOperator,
        right: &ast::Expr,
    ) -> Option<Part> {
        let mark = self.known.len();
        if let Some(left) = left {
            match op {
                BinaryOperator::And => self.learn(left.id, true),
                BinaryOperator::Or => self.learn(left.id, false),
                _ => {}
            }
        }
        let right = self.lower(right);
        self.known.truncate(mark);
        let (left, right) = (left?, right?);
        let at = (left.at.0, right.at.1);
        let args = vec![left.id, right.id];
        match op {
            BinaryOperator::And | BinaryOperator::Or => {
                let checked = self.condition(left);
                self.learn(left.id, *op == BinaryOperator::And);
                let also = self.condition(right);
                self.known.truncate(mark);
                checked.and(also)?;
                let op = if *op == BinaryOperator::And { Op::And } else { Op::Or };
                self.node(at, op, args, Kind::Bool)
            }
            BinaryOperator::Plus | BinaryOperator::Minus => {
                let kind = self.alike(at, &[left, right])?;
                if kind == Kind::Date {
                    return self.fail(
                        at,
                        "dates are not added or subtracted",
                        "days_between(d1, d2), add_months(d, n)",
                    );
                }
                let op = if *op == BinaryOperator::Plus { Op::Add } else { Op::Sub };
                self.node(at, op, args, kind)
            }
            BinaryOperator::Multiply => self.product(at, left, right),
            BinaryOperator::Divide => self.quotient(at, left, right),
            BinaryOperator::Eq => self.compare(at, Comparison::Equal, left, right),
            BinaryOperator::NotEq => self.compare(at, Comparison::Unequal, left, right),
            BinaryOperator::Lt => self.compare(at, Comparison::Below, left, right),
            BinaryOperator::LtEq => self.compare(at, Comparison::AtMost, left, right),
            BinaryOperator::Gt => self.compare(at, Comparison::Below, right, left),
            BinaryOperator::GtEq => self.compare(at, Comparison::AtMost, right, left),
            _ => self.fail(
                at,
                format!("`{op}` is not part of the language"),
                "operators are + - * / = <> < <= > >= AND OR NOT",
            ),
        }
    }

    pub(super) fn product(&mut self, at: (usize, usize), left: Part, right: Part) -> Option<Part> {
        let (a, b) = (self.number(left), self.number(right));
        let ((whole, unit), (other_whole, other)) = (a?, b?);
        let (unit, other) = (unit.unwrap_or_default(), other.unwrap_or_default());
        let mut product = unit.times(&other);
        if self.is_twelve(left.id) || self.is_twelve(right.id) {
            product = product.monthly_to_yearly().unwrap_or(product);
        }
        let kind = Kind::number(whole && other_whole, product.cancel(&self.basis));
        self.node(at, Op::Mul, vec![left.id, right.id], kind)
    }

    fn quotient(&mut self, at: (usize, usize), left: Part, right: Part) -> Option<Part> {
        let (a, b) = (self.number(left), self.number(right));
        let ((_, unit), (_, other)) = (a?, b?);
        let (unit, other) = (unit.unwrap_or_default(), other.unwrap_or_default());
        let mut quotient = unit.over(&other);
        if self.is_twelve(right.id) {
            quotient = quotient.yearly_to_monthly().unwrap_or(quotient);
        }
        if matches!(self.folded(right.id), Some(Cell::Num(0, _))) {
            return self.fail(right.at, "division by the constant zero", "no row has a value");
        }
        let kind = Kind::number(false, quotient.cancel(&self.basis));
        self.node(at, Op::Div, vec![left.id, right.id], kind)
    }

    fn is_twelve(&self, id: NodeId) -> bool {
        let node = &self.tree.nodes[id];
        node.head.is_none() && node.op == Op::Const(Cell::Num(12, 1))
    }
}

const fn is_comparison(op: &BinaryOperator) -> bool {
    matches!(
        op,
        BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq
    )
}
