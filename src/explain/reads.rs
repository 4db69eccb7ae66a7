//! What expressions read: facts with their record, named values, aggregates, steps.

use super::origin::Origin;
use super::show;
use super::walk::LineWalk;
use super::{ExplainInput, FactSaid, RuleSaid, StepSaid, ValueSaid};
use crate::domain::{Basis, Frame};
use crate::law::expr::Expr;
use crate::law::{AggregateRule, RuleHead, Step, Window};
use std::sync::Arc;

impl LineWalk<'_> {
    /// The row of a basis this line's row belongs to.
    pub(super) fn row_on(&self, basis: &Basis) -> Option<usize> {
        row_on(self.input, self.frame, self.row, basis)
    }

    /// Notes what an expression reads: facts, and values with what they read in turn.
    pub(super) fn read(&mut self, expr: &Expr, basis: &Basis, row: usize) {
        let (heads, columns) = if expr.dated().is_empty() {
            (expr.cites(), expr.reads())
        } else {
            // Other versions than the one in force on the row's date say nothing of this row.
            let calendar = &self.input.month.law.calendar;
            let at = u32::try_from(row).unwrap_or(u32::MAX);
            let met = expr.met(self.input.month.frames, basis, at, calendar);
            (met.heads, met.columns)
        };
        for head in heads {
            self.cite(&head);
        }
        for (of, column) in columns {
            if !self.met.insert((of.clone(), Arc::clone(&column))) {
                continue;
            }
            let Some(frame) = self.input.month.frames.get(basis) else { continue };
            let Some(at) = row_on(self.input, frame, row, &of) else { continue };
            self.column(&of, &column, at);
        }
    }

    /// One column read: a named value, an aggregate, a guide price, an age or a fact.
    pub(super) fn column(&mut self, basis: &Basis, column: &Arc<str>, row: usize) {
        let law = self.law;
        self.grouping(basis, row);
        for step in &law.steps {
            match step {
                Step::Value(value) if value.basis == *basis && value.head.id == *column => {
                    // The version of a value that is dated by row is cited where it was taken.
                    if value.dated_by.is_none() {
                        self.cite(&value.head);
                    }
                    self.read(&value.expr, basis, row);
                    let steps = self.steps(&value.expr, basis, row);
                    let said = ValueSaid {
                        rule: show::rule(&value.head),
                        basis: basis.to_string(),
                        expression: value.expr.source().to_owned(),
                        value: self.cell(basis, column, row),
                        steps,
                        group: None,
                    };
                    self.values.push(said);
                    return;
                }
                Step::Aggregate(sum) if sum.basis == *basis && sum.name == *column => {
                    self.aggregate(sum, basis, column, row);
                    return;
                }
                Step::Within(rule) if rule.basis == *basis && rule.head.id == *column => {
                    self.within(rule, row);
                    return;
                }
                Step::Price(price) if price.part_of(basis, column).is_some() => {
                    self.cite(&price.head);
                    self.read(&price.fee, basis, row);
                    self.read(&price.ceiling, basis, row);
                    let said = ValueSaid {
                        rule: RuleSaid { id: column.to_string(), ..show::rule(&price.head) },
                        basis: basis.to_string(),
                        expression: column.to_string(),
                        value: self.cell(basis, column, row),
                        // The ceiling's steps stand beside the price, among the gates.
                        steps: Vec::new(),
                        group: None,
                    };
                    self.values.push(said);
                    return;
                }
                _ => {}
            }
        }
        if let Some(age) = law.ages.iter().find(|age| age.head.id == *column) {
            self.cite(&age.head);
            self.fact(basis, &Arc::from("birth_date"), row);
        }
        self.fact(basis, column, row);
    }

    /// The grouping that made a row, with what names it.
    pub(super) fn grouping(&mut self, basis: &Basis, row: usize) {
        let law = self.law;
        let made = |step: &&Step| matches!(step, Step::Grouping(rule) if rule.basis == *basis);
        let Some(Step::Grouping(rule)) = law.steps.iter().find(made) else { return };
        if !self.met.insert((basis.clone(), Arc::from(""))) {
            return;
        }
        self.cite(&rule.head);
        let cells = rule.by.iter().map(|key| self.cell(basis, &key.column, row));
        let value = cells.collect::<Vec<_>>().join(", ");
        let by: Vec<&str> = rule.by.iter().map(|key| key.expr.source()).collect();
        let said = ValueSaid {
            rule: show::rule(&rule.head),
            basis: basis.to_string(),
            expression: format!("{} by {}", rule.of, by.join(", ")),
            value,
            steps: Vec::new(),
            group: None,
        };
        self.values.push(said);
    }

    pub(super) fn aggregate(
        &mut self,
        sum: &AggregateRule,
        basis: &Basis,
        column: &Arc<str>,
        row: usize,
    ) {
        for expr in sum.argument.iter().chain(&sum.filter) {
            for head in expr.cites() {
                self.cite(&head);
            }
        }
        let earlier = sum.function.of_history().map(|(item, window)| match window {
            Window::Life => format!("'{item}'"),
            window => format!("'{item}', '{}'", window.word()),
        });
        let argument = sum.argument.as_ref().map_or_else(|| sum.over.name(), |expr| expr.source());
        let argument = earlier.as_deref().unwrap_or(argument);
        let filter = sum
            .filter
            .as_ref()
            .map(|expr| format!(" FILTER (WHERE {})", expr.source()))
            .unwrap_or_default();
        let function = aggregate_word(&sum.function);
        let said = ValueSaid {
            rule: RuleSaid { id: column.to_string(), ..RuleSaid::default() },
            basis: basis.to_string(),
            expression: format!("{function}({argument}){filter}"),
            value: self.cell(basis, column, row),
            steps: Vec::new(),
            group: None,
        };
        self.values.push(said);
    }

    /// The value of a column on a row, typed by the dictionary or the value that made it.
    pub(super) fn cell(&self, basis: &Basis, column: &str, row: usize) -> String {
        let Some(stored) = self.input.month.frames.get(basis).and_then(|frame| frame.get(column))
        else {
            return "null".to_owned();
        };
        if let Some(error) = stored.error(row) {
            return error.reason().to_owned();
        }
        let ty = self.input.month.law.column_type(basis, column);
        let currency = &self.input.month.law.head.currency;
        self.mask(show::typed(&stored.cell(row), ty.as_ref(), currency))
    }

    pub(super) fn fact(&mut self, basis: &Basis, column: &Arc<str>, row: usize) {
        let Some(frame) = self.input.month.frames.get(basis) else { return };
        let alias = self
            .input
            .month
            .law
            .dictionary
            .iter()
            .find(|entry| entry.basis == *basis && entry.name == *column)
            .map(|entry| entry.alias.to_string())
            .unwrap_or_default();
        let Origin { file, record, computed } = self.origin(basis, column, frame, row);
        let value = self.cell(basis, column, row);
        self.facts.insert(
            (basis.clone(), Arc::clone(column)),
            FactSaid {
                basis: basis.to_string(),
                name: column.to_string(),
                alias,
                value,
                file,
                record,
                computed: computed.to_owned(),
            },
        );
    }

    pub(super) fn cite(&mut self, head: &RuleHead) {
        self.clauses.insert(show::rule(head));
    }

    pub(super) fn trace(
        &self,
        expr: &Expr,
        basis: &Basis,
        row: usize,
    ) -> Vec<crate::law::TraceStep> {
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        expr.trace(self.input.month.frames, basis, row, &self.input.month.law.calendar)
    }

    pub(super) fn steps(&self, expr: &Expr, basis: &Basis, row: usize) -> Vec<StepSaid> {
        self.say_steps(&self.trace(expr, basis, row))
    }

    pub(super) fn say_steps(&self, trace: &[crate::law::TraceStep]) -> Vec<StepSaid> {
        trace
            .iter()
            .map(|step| StepSaid {
                depth: step.depth,
                source: step.source.clone(),
                value: match &step.value {
                    Ok(cell) => self.mask(show::plain(cell)),
                    Err(error) => error.reason().to_owned(),
                },
                note: self.mask(step.note.clone()),
            })
            .collect()
    }

    /// The text with a person's reference replaced by what stands for it.
    pub(super) fn mask(&self, text: String) -> String {
        self.masks.iter().fold(text, |text, (reference, alias)| {
            if !reference.is_empty() && text.contains(reference.as_str()) {
                text.replace(reference.as_str(), alias)
            } else {
                text
            }
        })
    }
}

/// The row of `basis` that `row` of `frame` belongs to.
fn row_on(input: &ExplainInput<'_>, frame: &Frame, row: usize, basis: &Basis) -> Option<usize> {
    if frame.basis == *basis {
        return Some(row);
    }
    if *basis == Basis::Programme {
        return input.month.frames.get(basis).filter(|frame| frame.rows > 0).map(|_| 0);
    }
    let link = *frame.links.get(basis)?.get(row)?;
    (link != Frame::NO_ROW).then_some(link as usize)
}

fn aggregate_word(function: &crate::law::Aggregate) -> &'static str {
    use crate::law::Aggregate;
    match function {
        Aggregate::Sum => "sum",
        Aggregate::Count => "count",
        Aggregate::CountDistinct => "count_distinct",
        Aggregate::Min => "min",
        Aggregate::Max => "max",
        Aggregate::Any => "any",
        Aggregate::All => "all",
        Aggregate::First => "first",
        Aggregate::Last => "last",
        Aggregate::CountEligible(_) => "count_eligible",
        Aggregate::CountPaid(_) => "count_paid",
        Aggregate::SumAmount(_) => "sum_amount",
        Aggregate::PaidToDate(..) => "paid_to_date",
        Aggregate::PaidMonths(..) => "paid_months",
    }
}
