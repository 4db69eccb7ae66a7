//! Aggregates: readings of finer rows, lifted out of the expression into columns of its basis.

use sqlparser::ast::{self, FunctionArg, FunctionArgExpr, FunctionArguments, InTarget};
use std::sync::Arc;

use crate::domain::Basis;
use crate::law::model::{Aggregate, AggregateRule, Unit, Window};
use crate::law::names::Name;

use super::call::{AGGREGATES, literal_text};
use super::lower::{Lowerer, Part};
use super::tree::{Draft, Kind, Op, Tree};
use super::{Expr, ExprError};

impl Lowerer<'_, '_> {
    /// `sum count count_distinct min max any all first last`.
    pub(super) fn aggregate(
        &mut self,
        at: (usize, usize),
        word: &str,
        args: &[&ast::Expr],
        filter: Option<&ast::Expr>,
    ) -> Option<Part> {
        let [argument] = args else {
            return self.fail(
                at,
                format!("{word} takes one argument, found {}", args.len()),
                "count(spell) counts rows",
            );
        };
        let counted = if word == "count" { self.counted_basis(argument) } else { None };
        let over = match &counted {
            Some(over) => over.clone(),
            None => self.finer_basis(at, argument, filter)?,
        };
        if !self.names.determines(&over, &self.basis) {
            return self.fail(
                at,
                format!("a row of {over} does not belong to one row of {}", self.basis),
                "aggregates read finer rows on the same key (S3)",
            );
        }
        let mut inner = self.inside(&over);
        let filter = match filter {
            Some(filter) => {
                let part = inner.lower(filter).and_then(|part| {
                    inner.condition(part)?;
                    // What the filter proves holds for the argument too.
                    inner.learn(part.id, true);
                    Some(part)
                });
                Some(part)
            }
            None => None,
        };
        let value = if counted.is_some() { None } else { Some(inner.lower(argument)) };
        let sound =
            filter.is_none_or(|part| part.is_some()) && value.is_none_or(|part| part.is_some());
        let typed = if sound { inner.fold_kind(word, value.flatten()) } else { None };
        let (tree, known) = (inner.tree.clone(), inner.known.clone());
        let errors = std::mem::take(&mut inner.errors);
        let failed = !errors.is_empty();
        self.errors.extend(errors);
        let (kind, nullable) = typed?;
        if failed {
            return None;
        }
        let express = |part: Option<Option<Part>>| {
            part.flatten().map(|part| {
                let pieces = &self.source.pieces;
                let text = (pieces[part.at.0].from, pieces[part.at.1].until);
                Expr::of(self.source.text, text, &tree, part.id, &known)
            })
        };
        let (argument, filter) = (express(value), express(filter));
        let function = match word {
            "sum" => Aggregate::Sum,
            "count" => Aggregate::Count,
            "count_distinct" => Aggregate::CountDistinct,
            "min" => Aggregate::Min,
            "max" => Aggregate::Max,
            "any" => Aggregate::Any,
            "all" => Aggregate::All,
            "first" => Aggregate::First,
            _ => Aggregate::Last,
        };
        let kind = match kind {
            // Rows counted have the unit of their basis; a sum has its argument's, seen from here.
            Kind::Num { integer, unit } if matches!(word, "count" | "count_distinct") => {
                let _ = unit;
                Kind::number(integer, Unit::of_count(&over).cancel(&self.basis))
            }
            Kind::Num { integer, unit } => {
                Kind::Num { integer, unit: unit.map(|unit| unit.cancel(&self.basis)) }
            }
            other => other,
        };
        self.lift(at, over, function, argument, filter, kind, nullable)
    }

    /// `count_eligible count_paid sum_amount` of an item, `paid_to_date paid_months` of its earlier
    /// months in a window.
    pub(super) fn item_aggregate(
        &mut self,
        at: (usize, usize),
        word: &str,
        argument: &ast::Expr,
        window: Window,
    ) -> Option<Part> {
        let Some(item) = literal_text(argument) else {
            return self.fail(at, "the item is not a text", format!("{word}('item.id')"));
        };
        let Some(over) = self.names.item(&item) else {
            return self.fail(at, format!("no item '{item}' is in force"), "name a [[subsidy]]");
        };
        if over != self.basis && !self.names.determines(&over, &self.basis) {
            return self.fail(
                at,
                format!("lines of '{item}' stand on {over}, which is no finer than {}", self.basis),
                "items are counted over finer rows on the same key",
            );
        }
        let id: Arc<str> = Arc::from(item.as_str());
        let count = Kind::number(true, Unit::of_count(&over).cancel(&self.basis));
        let (function, kind) = match word {
            "count_eligible" => (Aggregate::CountEligible(id), count),
            "count_paid" => (Aggregate::CountPaid(id), count),
            "paid_months" => (Aggregate::PaidMonths(id, window), Kind::integer()),
            _ => {
                let money = Kind::number(true, Unit::word(self.names.currency()));
                let past = word == "paid_to_date";
                let function =
                    if past { Aggregate::PaidToDate(id, window) } else { Aggregate::SumAmount(id) };
                (function, money)
            }
        };
        self.lift(at, over, function, None, None, kind, false)
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one aggregate rule")]
    fn lift(
        &mut self,
        at: (usize, usize),
        over: Basis,
        function: Aggregate,
        argument: Option<Expr>,
        filter: Option<Expr>,
        kind: Kind,
        nullable: bool,
    ) -> Option<Part> {
        let text = (self.source.pieces[at.0].from, self.source.pieces[at.1].until);
        let source = |expr: &Option<Expr>| expr.as_ref().map(|expr| expr.source().to_owned());
        let same = self.lifted.iter().find(|rule| {
            rule.basis == self.basis
                && rule.over == over
                && rule.function == function
                && source(&rule.argument) == source(&argument)
                && source(&rule.filter) == source(&filter)
        });
        let name = if let Some(rule) = same {
            Arc::clone(&rule.name)
        } else {
            let mut number = self.lifted.len() + 1;
            let taken =
                |name: &str, rules: &[AggregateRule]| rules.iter().any(|rule| *rule.name == *name);
            while taken(&format!("{}#{number}", self.owner), self.lifted) {
                number += 1;
            }
            let name: Arc<str> = Arc::from(format!("{}#{number}", self.owner));
            self.lifted.push(AggregateRule {
                name: Arc::clone(&name),
                basis: self.basis.clone(),
                over,
                function,
                argument,
                filter,
            });
            name
        };
        let basis = self.basis.clone();
        let op = Op::Column(self.tree.column(&basis, &name));
        self.draft(at, Draft { op, args: vec![], kind, nullable, text, head: None })
    }

    /// A lowerer of the same text on another basis.
    fn inside(&mut self, over: &Basis) -> Lowerer<'_, '_> {
        Lowerer {
            source: self.source,
            names: self.names,
            basis: over.clone(),
            owner: self.owner,
            place: self.place,
            lifted: self.lifted,
            tree: Tree::default(),
            known: Vec::new(),
            errors: Vec::new(),
            descent: self.descent,
        }
    }

    /// The basis whose rows `count(word)` counts.
    fn counted_basis(&self, argument: &ast::Expr) -> Option<Basis> {
        let ast::Expr::Identifier(word) = argument else { return None };
        self.names.basis(&word.value)
    }

    /// Kind and nullability of an aggregate over `value`.
    fn fold_kind(&mut self, word: &str, value: Option<Part>) -> Option<(Kind, bool)> {
        let Some(value) = value else { return Some((Kind::integer(), false)) };
        let kind = self.kind(value.id).clone();
        if kind == Kind::Null {
            return self.fail(value.at, "NULL has no rows to fold", "name a column");
        }
        match word {
            "sum" => {
                let (integer, unit) = self.number(value)?;
                if self.tree.varies(value.id) {
                    return self.fail(
                        value.at,
                        "rows are divided by different numbers, so their sum has no one \
                         denominator",
                        "round each row first: round(x, '0.01', 'half_up') (S12)",
                    );
                }
                Some((Kind::Num { integer, unit }, false))
            }
            "count" | "count_distinct" => Some((Kind::integer(), false)),
            "min" | "max" => Some((self.alike(value.at, &[value])?, true)),
            "any" | "all" => self.condition(value).map(|()| (Kind::Bool, false)),
            _ => Some((kind, true)),
        }
    }

    /// The finer basis the columns inside an aggregate belong to.
    fn finer_basis(
        &mut self,
        at: (usize, usize),
        argument: &ast::Expr,
        filter: Option<&ast::Expr>,
    ) -> Option<Basis> {
        let mut names = Vec::new();
        collect_names(argument, &mut names);
        if let Some(filter) = filter {
            collect_names(filter, &mut names);
        }
        let mut found: Vec<Basis> = Vec::new();
        for (name, location) in &names {
            let basis = match self.names.name(&self.basis, name) {
                Ok(Name::Column { basis, .. }) => basis,
                Ok(Name::Constant { .. } | Name::Dated(_)) => continue,
                Err(near) => {
                    let piece = self.source.piece_at(*location);
                    let hint = if near.is_empty() {
                        "names of a finer basis may be written spell.fee_monthly".to_owned()
                    } else {
                        format!("did you mean {}?", near.join(", "))
                    };
                    return self.fail(
                        (piece, piece),
                        format!("`{name}` cannot be read on {} or finer rows", self.basis),
                        hint,
                    );
                }
            };
            let coarser = basis == self.basis || self.names.determines(&self.basis, &basis);
            if !coarser && !found.contains(&basis) {
                found.push(basis);
            }
        }
        let finest = found.iter().find(|fine| {
            found.iter().all(|other| other == *fine || self.names.determines(fine, other))
        });
        match (finest.cloned(), found.is_empty()) {
            (Some(basis), _) => Some(basis),
            (None, true) => self.fail(
                at,
                format!("no name in here belongs to rows finer than {}", self.basis),
                "write the basis: sum(spell.fee_monthly)",
            ),
            (None, false) => {
                let words: Vec<&str> = found.iter().map(Basis::name).collect();
                self.fail(
                    at,
                    format!("names of several bases: {}", words.join(", ")),
                    "one aggregate reads one basis",
                )
            }
        }
    }
}

type Named = (String, sqlparser::tokenizer::Location);

/// Names inside an aggregate, in order; those of aggregates inside it belong to these.
fn collect_names(expr: &ast::Expr, names: &mut Vec<Named>) {
    let mut open = vec![expr];
    while let Some(expr) = open.pop() {
        match expr {
            ast::Expr::Identifier(ident) => names.push((ident.value.clone(), ident.span.start)),
            ast::Expr::CompoundIdentifier(parts) => {
                let words: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
                if let Some(first) = parts.first() {
                    names.push((words.join("."), first.span.start));
                }
            }
            ast::Expr::Nested(inner)
            | ast::Expr::UnaryOp { expr: inner, .. }
            | ast::Expr::IsNull(inner)
            | ast::Expr::IsNotNull(inner) => open.push(inner),
            ast::Expr::BinaryOp { left, right, .. } => open.extend([&**right, &**left]),
            ast::Expr::Between { expr, low, high, .. } => open.extend([&**high, &**low, &**expr]),
            ast::Expr::In { expr, target, .. } => {
                if let InTarget::List(list) = target {
                    open.extend(list.iter().rev());
                }
                open.push(expr);
            }
            ast::Expr::Case { operand, conditions, else_result, .. } => {
                open.extend(else_result.as_deref());
                for when in conditions.iter().rev() {
                    open.extend([&when.result, &when.condition]);
                }
                open.extend(operand.as_deref());
            }
            ast::Expr::Function(function) => open.extend(call_arguments(function)),
            _ => {}
        }
    }
}

fn call_arguments(function: &ast::Function) -> Vec<&ast::Expr> {
    let word = function.name.to_string().to_ascii_lowercase();
    // An inner aggregate reads rows of its own; it does not say which rows we fold.
    if AGGREGATES.contains(&word.as_str()) {
        return Vec::new();
    }
    let FunctionArguments::List(list) = &function.args else { return Vec::new() };
    let expressions = list.args.iter().rev().filter_map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    });
    expressions.collect()
}

/// Orders mistakes by place and drops repeats.
pub(super) fn in_order(mut errors: Vec<ExprError>) -> Vec<ExprError> {
    errors.sort_by_key(|error| (error.offset, error.length));
    errors.dedup();
    errors
}
