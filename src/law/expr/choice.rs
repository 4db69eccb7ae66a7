//! BETWEEN, IN and CASE.

use sqlparser::ast;

use crate::domain::Cell;

use super::lower::{Lowerer, Part};
use super::tree::{Comparison, Draft, Kind, NodeId, Op};

impl Lowerer<'_, '_> {
    pub(super) fn between(
        &mut self,
        expr: &ast::Expr,
        negated: bool,
        low: &ast::Expr,
        high: &ast::Expr,
    ) -> Option<Part> {
        let (value, low, high) = (self.lower(expr), self.lower(low), self.lower(high));
        let (value, low, high) = (value?, low?, high?);
        let at = (value.at.0, high.at.1);
        let above = self.compare(at, Comparison::AtMost, low, value)?;
        let below = self.compare(at, Comparison::AtMost, value, high)?;
        let both = self.node(at, Op::And, vec![above.id, below.id], Kind::Bool)?;
        if negated { self.node(at, Op::Not, vec![both.id], Kind::Bool) } else { Some(both) }
    }

    pub(super) fn in_list(
        &mut self,
        expr: &ast::Expr,
        list: &[ast::Expr],
        negated: bool,
    ) -> Option<Part> {
        let value = self.lower(expr)?;
        let items: Vec<Option<Part>> = list.iter().map(|item| self.lower(item)).collect();
        let items: Option<Vec<Part>> = items.into_iter().collect();
        let items = items?;
        let open = value.at.1 + if negated { 3 } else { 2 };
        let close = self.source.pieces.get(open).map_or(open, |piece| piece.partner);
        let at = (value.at.0, close);
        if items.is_empty() {
            return self.fail(at, "an empty list", "name at least one value");
        }
        let mut tests = Vec::with_capacity(items.len());
        for item in &items {
            tests.push(self.comparable(at, Comparison::Equal, value, *item));
        }
        tests.into_iter().collect::<Option<Vec<()>>>()?;
        let cells: Option<Vec<Cell>> =
            items.iter().map(|item| self.folded(item.id).cloned()).collect();
        let found = if let Some(cells) = cells {
            self.node(at, Op::In(cells), vec![value.id], Kind::Bool)?
        } else {
            let mut any: Option<NodeId> = None;
            for item in items {
                let equal = Op::Compare(Comparison::Equal);
                let test = self.node(at, equal, vec![value.id, item.id], Kind::Bool)?.id;
                any = Some(match any {
                    None => test,
                    Some(before) => self.node(at, Op::Or, vec![before, test], Kind::Bool)?.id,
                });
            }
            Part { id: any?, at }
        };
        if negated { self.node(at, Op::Not, vec![found.id], Kind::Bool) } else { Some(found) }
    }

    pub(super) fn case(
        &mut self,
        at: (usize, usize),
        operand: Option<&ast::Expr>,
        conditions: &[ast::CaseWhen],
        otherwise: Option<&ast::Expr>,
    ) -> Option<Part> {
        let mark = self.known.len();
        let operand = match operand {
            Some(operand) => Some(self.lower(operand)?),
            None => None,
        };
        let (mut args, mut results, mut sound) = (Vec::new(), Vec::new(), true);
        for when in conditions {
            let test = self.lower(&when.condition);
            let test = test.and_then(|test| match operand {
                Some(operand) => self.compare(test.at, Comparison::Equal, operand, test),
                None => self.condition(test).map(|()| test),
            });
            let inner = self.known.len();
            if let Some(test) = test {
                self.learn(test.id, true);
            }
            let result = self.lower(&when.result);
            let nullable = result.is_some_and(|part| self.may_be_null(part.id));
            self.known.truncate(inner);
            if let Some(test) = test {
                self.learn(test.id, false);
            }
            match (test, result) {
                (Some(test), Some(result)) => {
                    args.extend([test.id, result.id]);
                    results.push((result, nullable));
                }
                _ => sound = false,
            }
        }
        let otherwise = match otherwise {
            Some(otherwise) => self.lower(otherwise),
            None => self.fail(
                at,
                "CASE without ELSE",
                "add ELSE with what holds otherwise; ELSE 0 where nothing is due",
            ),
        };
        let nullable = otherwise.is_some_and(|part| self.may_be_null(part.id));
        self.known.truncate(mark);
        let otherwise = otherwise?;
        if !sound {
            return None;
        }
        args.push(otherwise.id);
        results.push((otherwise, nullable));
        let parts: Vec<Part> = results.iter().map(|(part, _)| *part).collect();
        let kind = self.union(at, &parts)?;
        let nullable = results.iter().any(|(_, nullable)| *nullable);
        let text = (self.source.pieces[at.0].from, self.source.pieces[at.1].until);
        self.draft(at, Draft { op: Op::Case, args, kind, nullable, text, head: None })
    }
}
