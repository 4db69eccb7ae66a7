//! Building the answer: which rows are meant, then for each line the law it met and what it read.

use super::show;
use super::{
    CutSaid, ExplainError, ExplainInput, Explanation, FactSaid, FundingSaid, GateSaid, LineSaid,
    Question, RuleSaid, ScheduleSaid, StepSaid, ValueSaid, Verdict,
};
use crate::domain::{Basis, Cell, Column, Frame, Key, Stored};
use crate::law::expr::Expr;
use crate::law::{
    AggregateRule, Breach, GateRef, GateRule, Law, PriceRule, RoundScope, RuleHead, Step,
    SubsidyRule,
};
use crate::subsidy::{ItemLines, LineStatus};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Columns that name a row within its institution, where its basis has them.
const NAMING: &[&str] = &[
    "class_id",
    "venue_id",
    "contract_id",
    "certificate",
    "age_class",
    "service",
    "spell_from",
    "spell_until",
];

/// Columns whose text stands for a person and is never shown as delivered.
const PERSONAL: &[&str] = &["child_ref", "person_ref"];

/// Explains the lines a question means.
///
/// # Errors
/// When the institution, the item or a line of the child is not there.
pub fn explain(
    input: &ExplainInput<'_>,
    question: &Question<'_>,
) -> Result<Explanation, ExplainError> {
    if let Some(item) = question.item {
        known_item(input, item)?;
    }
    let mut lines = Vec::new();
    let mut further = 0;
    let mut seen_institution = false;
    let mut ids = Ids::default();
    for (index, item) in input.entitlements.items.iter().enumerate() {
        if question.item.is_some_and(|asked| asked != &*item.item) {
            continue;
        }
        let Some(frame) = input.frames.get(&item.basis) else { continue };
        for row in ids.rows(input, frame, question.institution).iter().copied() {
            seen_institution = true;
            if item.status.get(row).is_none_or(|status| *status == LineStatus::Absent)
                || !child_matches(frame, row, question)
            {
                continue;
            }
            if lines.len() >= question.limit {
                further += 1;
            } else if let Some(said) = LineWalk::new(input, question, item, frame, row, index) {
                lines.push(said.line());
            }
        }
    }
    let register = input.frames.get(&Basis::Institution);
    let registered =
        register.map(|frame| rows_of(input, frame, question.institution)).unwrap_or_default();
    if lines.is_empty() {
        let institution = question.institution.to_owned();
        return Err(if seen_institution || !registered.is_empty() {
            ExplainError::Line { institution, month: input.month }
        } else {
            ExplainError::Institution { found: institution, month: input.month }
        });
    }
    let name = registered
        .last()
        .and_then(|row| register?.get("name").map(|stored| stored.cell(*row)))
        .map(|cell| if cell == Cell::Null { String::new() } else { show::plain(&cell) })
        .unwrap_or_default();
    Ok(Explanation {
        period: input.month.to_string(),
        institution_id: question.institution.to_owned(),
        institution_name: name,
        lines,
        further,
    })
}

fn known_item(input: &ExplainInput<'_>, item: &str) -> Result<(), ExplainError> {
    let items: Vec<&str> = input.entitlements.items.iter().map(|lines| &*lines.item).collect();
    if items.contains(&item) {
        return Ok(());
    }
    Err(ExplainError::Item {
        found: item.to_owned(),
        month: input.month,
        expected: items.join(", "),
    })
}

/// Rows of an institution by basis: several items stand on one basis.
#[derive(Default)]
struct Ids(BTreeMap<Basis, Vec<usize>>);

impl Ids {
    fn rows(&mut self, input: &ExplainInput<'_>, frame: &Frame, institution: &str) -> &[usize] {
        self.0.entry(frame.basis.clone()).or_insert_with(|| rows_of(input, frame, institution))
    }
}

/// Rows of a frame that belong to an institution, ascending: by its own column, else by the link.
fn rows_of(input: &ExplainInput<'_>, frame: &Frame, institution: &str) -> Vec<usize> {
    if let Some(Stored { column: Column::Key(column), .. }) = frame.get("institution_id") {
        let (key, _) = Key::pack(institution.as_bytes());
        return (0..frame.rows).filter(|row| column.keys[*row] == key).collect();
    }
    let (Some(links), Some(register)) =
        (frame.links.get(&Basis::Institution), input.frames.get(&Basis::Institution))
    else {
        return Vec::new();
    };
    let of: BTreeSet<usize> = rows_of(input, register, institution).into_iter().collect();
    (0..frame.rows).filter(|row| of.contains(&(links[*row] as usize))).collect()
}

fn child_matches(frame: &Frame, row: usize, question: &Question<'_>) -> bool {
    let Some(is_child) = question.child else { return true };
    match frame.get("child_ref").map(|stored| stored.cell(row)) {
        Some(Cell::Text(reference)) => is_child(&reference),
        _ => false,
    }
}

/// One line being explained.
struct LineWalk<'a> {
    input: &'a ExplainInput<'a>,
    question: &'a Question<'a>,
    lines: &'a ItemLines,
    frame: &'a Frame,
    row: usize,
    item: usize,
    rule: Arc<SubsidyRule>,
    law: &'a Law,
    /// References as delivered that must not be shown, with what stands for them.
    masks: Vec<(String, String)>,
    facts: BTreeMap<(Basis, Arc<str>), FactSaid>,
    values: Vec<ValueSaid>,
    met: BTreeSet<(Basis, Arc<str>)>,
    clauses: BTreeSet<RuleSaid>,
}

impl<'a> LineWalk<'a> {
    fn new(
        input: &'a ExplainInput<'a>,
        question: &'a Question<'a>,
        lines: &'a ItemLines,
        frame: &'a Frame,
        row: usize,
        item: usize,
    ) -> Option<Self> {
        let segment = match frame.get("segment").map(|stored| stored.cell(row)) {
            Some(Cell::Num(number, _)) => usize::try_from(number).ok()?,
            _ => 0,
        };
        let rule = Arc::clone(lines.rules.get(segment)?.as_ref()?);
        let law = input.law.segments.get(segment)?;
        let masks = PERSONAL
            .iter()
            .filter_map(|name| match frame.get(name)?.cell(row) {
                Cell::Text(text) => Some((text.clone(), (question.alias)(&text))),
                _ => None,
            })
            .collect();
        Some(Self {
            input,
            question,
            lines,
            frame,
            row,
            item,
            rule,
            law,
            masks,
            facts: BTreeMap::new(),
            values: Vec::new(),
            met: BTreeSet::new(),
            clauses: BTreeSet::new(),
        })
    }

    fn line(mut self) -> LineSaid {
        let rule = Arc::clone(&self.rule);
        self.cite(&rule.head);
        let gates = self.gates();
        let reason = self.reason();
        let computed = self.lines.exact.as_ref().is_some_and(|exact| {
            !exact.is_null(self.row)
                || self.lines.status[self.row] == LineStatus::Paid
                || exact.error(self.row).is_some()
        });
        let steps = if computed {
            self.read(&rule.amount, &rule.basis, self.row);
            self.steps(&rule.amount, &rule.basis, self.row)
        } else {
            Vec::new()
        };
        let cuts = self.cuts();
        let (top, bottom) = rule.round.quantum;
        let exact = self.lines.exact.as_ref().filter(|_| computed);
        LineSaid {
            item: self.lines.item.to_string(),
            rule: show::rule(&rule.head),
            basis: self.lines.basis.to_string(),
            child: self.masks.first().map(|(_, alias)| alias.clone()).unwrap_or_default(),
            key: self.key(),
            segment: if self.input.law.segments.len() > 1 {
                self.law.segment.to_string()
            } else {
                String::new()
            },
            status: self.lines.status[self.row].word().to_owned(),
            reason_words: self.reason_words(&reason),
            reason,
            gates,
            expression: rule.amount.source().to_owned(),
            steps,
            exact: exact.map(|stored| money_or_error(stored, self.row)).unwrap_or_default(),
            rounding: (
                rule.round.mode.word().to_owned(),
                show::money(top, bottom),
                scope_word(rule.round_scope).to_owned(),
            ),
            quantity: self.lines.quantity.as_ref().map_or_else(String::new, |stored| {
                if stored.is_null(self.row) {
                    String::new()
                } else {
                    value_or_error(stored, self.row)
                }
            }),
            rate: self
                .lines
                .rate
                .as_ref()
                .filter(|stored| !stored.is_null(self.row))
                .map_or_else(String::new, |stored| money_or_error(stored, self.row)),
            amount_fen: self.lines.amount[self.row],
            allocated_fen: self.lines.allocated.get(self.row).copied().unwrap_or(0),
            in_kind: rule.in_kind,
            cut_by: self.cut_by(),
            cuts,
            funding: self.funding(),
            schedule: self.schedule(),
            facts: self.facts.into_values().collect(),
            values: self.values,
            clauses: self.clauses.into_iter().collect(),
        }
    }

    fn reason(&self) -> String {
        let code = self.lines.reason.get(self.row).copied().unwrap_or(0);
        self.input.entitlements.reasons.text(u32::from(code)).to_owned()
    }

    /// The gate's own words for its reason.
    fn reason_words(&self, reason: &str) -> String {
        self.gate_rules()
            .find(|gate| &*gate.reason == reason)
            .map(|gate| gate.head.label.to_string())
            .unwrap_or_default()
    }

    fn cut_by(&self) -> String {
        let code = self.lines.cut_by.get(self.row).copied().unwrap_or(0);
        self.input.entitlements.cutters.text(u32::from(code)).to_owned()
    }

    fn gate_rules(&self) -> impl Iterator<Item = &'a Arc<GateRule>> + use<'a> {
        self.law.steps.iter().filter_map(|step| match step {
            Step::Gate(gate) => Some(gate),
            _ => None,
        })
    }

    fn price_rules(&self) -> impl Iterator<Item = &'a Arc<PriceRule>> + use<'a> {
        self.law.steps.iter().filter_map(|step| match step {
            Step::Price(price) => Some(price),
            _ => None,
        })
    }

    /// The gates and prices of the item in order, then the prices of its basis it does not list.
    fn gates(&mut self) -> Vec<GateSaid> {
        let rule = Arc::clone(&self.rule);
        let reason = self.reason();
        let mut said: Vec<GateSaid> = Vec::new();
        let mut listed: Vec<Arc<str>> = Vec::new();
        for gate in &rule.gates {
            match gate {
                GateRef::Gate(id) => {
                    if let Some(gate) = self.gate_rules().find(|gate| gate.head.id == *id) {
                        said.push(self.gate(gate));
                    }
                }
                GateRef::Price(id) => {
                    listed.push(Arc::clone(id));
                    if let Some(price) = self.price_rules().find(|price| price.head.id == *id) {
                        said.push(self.price(price));
                    }
                }
            }
        }
        let rest: Vec<_> = self
            .price_rules()
            .filter(|price| !listed.contains(&price.head.id))
            .filter(|p| p.basis == rule.basis || p.breach == Breach::RefuseInstitution)
            .collect();
        for price in rest {
            said.push(self.price(price));
        }
        // The first that fails for the line's reason gave it.
        if let Some(gate) =
            said.iter_mut().find(|gate| !reason.is_empty() && gate.reason == reason && gave(gate))
        {
            gate.decisive = true;
        }
        said
    }

    fn gate(&mut self, gate: &Arc<GateRule>) -> GateSaid {
        self.cite(&gate.head);
        let row = self.row_on(&gate.basis);
        let (verdict, steps) = match row {
            None => (Verdict::Unknown, Vec::new()),
            Some(row) => {
                self.read(&gate.require, &gate.basis, row);
                let trace = self.trace(&gate.require, &gate.basis, row);
                let verdict = match trace.first().map(|step| &step.value) {
                    Some(Ok(Cell::Bool(true))) => Verdict::Holds,
                    Some(Ok(_)) => Verdict::Fails,
                    Some(Err(_)) | None => Verdict::Unknown,
                };
                (verdict, self.say_steps(&trace))
            }
        };
        GateSaid {
            rule: show::rule(&gate.head),
            expression: gate.require.source().to_owned(),
            verdict,
            decisive: false,
            reason: gate.reason.to_string(),
            price: None,
            steps,
        }
    }

    fn price(&mut self, price: &Arc<PriceRule>) -> GateSaid {
        self.cite(&price.head);
        let id = &price.head.id;
        let row = self.row_on(&price.basis);
        let cell = |part: &str| -> Cell {
            row.and_then(|row| {
                let stored = self.input.frames.get(&price.basis)?.get(&format!("{id}.{part}"))?;
                stored.error(row).is_none().then(|| stored.cell(row))
            })
            .unwrap_or(Cell::Null)
        };
        let (over, under) = (cell("over"), cell("under"));
        let shown = |part: &str| match cell(part) {
            Cell::Num(num, den) => show::money(num, den),
            _ => String::new(),
        };
        let said = (shown("fee"), shown("ceiling"), shown("floor"), breach_word(price.breach));
        let verdict = match (&over, &under) {
            (Cell::Bool(true), _) | (_, Cell::Bool(true)) => Verdict::Fails,
            (Cell::Null, Cell::Null) => Verdict::Unknown,
            _ if said.0.is_empty() && !said.1.is_empty() => Verdict::Unknown,
            _ => Verdict::Holds,
        };
        let line_reason = self.reason();
        let reason = if verdict == Verdict::Holds && price.breach != Breach::RefuseInstitution {
            String::new()
        } else if line_reason.starts_with("fee_") || line_reason.starts_with("institution_fee_") {
            line_reason
        } else {
            String::new()
        };
        let steps = row.map_or_else(Vec::new, |row| {
            self.read(&price.when, &price.basis, row);
            self.read(&price.fee, &price.basis, row);
            self.read(&price.ceiling, &price.basis, row);
            self.steps(&price.ceiling, &price.basis, row)
        });
        GateSaid {
            rule: show::rule(&price.head),
            expression: price.when.source().to_owned(),
            verdict,
            decisive: false,
            reason,
            price: Some((said.0, said.1, said.2, said.3.to_owned())),
            steps,
        }
    }

    /// The row of a basis this line's row belongs to.
    fn row_on(&self, basis: &Basis) -> Option<usize> {
        row_on(self.input, self.frame, self.row, basis)
    }

    /// Notes what an expression reads: facts, and values with what they read in turn.
    fn read(&mut self, expr: &Expr, basis: &Basis, row: usize) {
        for head in expr.cites() {
            self.cite(&head);
        }
        for (of, column) in expr.reads() {
            if !self.met.insert((of.clone(), Arc::clone(&column))) {
                continue;
            }
            let Some(frame) = self.input.frames.get(basis) else { continue };
            let Some(at) = row_on(self.input, frame, row, &of) else { continue };
            self.column(&of, &column, at);
        }
    }

    /// One column read: a named value, an aggregate, a guide price, an age or a fact.
    fn column(&mut self, basis: &Basis, column: &Arc<str>, row: usize) {
        let law = self.law;
        for step in &law.steps {
            match step {
                Step::Value(value) if value.basis == *basis && value.head.id == *column => {
                    self.cite(&value.head);
                    self.read(&value.expr, basis, row);
                    let steps = self.steps(&value.expr, basis, row);
                    let said = ValueSaid {
                        rule: show::rule(&value.head),
                        basis: basis.to_string(),
                        expression: value.expr.source().to_owned(),
                        value: self.cell(basis, column, row),
                        steps,
                    };
                    self.values.push(said);
                    return;
                }
                Step::Aggregate(sum) if sum.basis == *basis && sum.name == *column => {
                    self.aggregate(sum, basis, column, row);
                    return;
                }
                Step::Price(price) if priced(price, basis, column) => {
                    self.cite(&price.head);
                    self.read(&price.fee, basis, row);
                    self.read(&price.ceiling, basis, row);
                    let said = ValueSaid {
                        rule: show::rule(&price.head),
                        basis: basis.to_string(),
                        expression: column.to_string(),
                        value: self.cell(basis, column, row),
                        steps: self.steps(&price.ceiling, basis, row),
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

    fn aggregate(&mut self, sum: &AggregateRule, basis: &Basis, column: &Arc<str>, row: usize) {
        for expr in sum.argument.iter().chain(&sum.filter) {
            for head in expr.cites() {
                self.cite(&head);
            }
        }
        let argument = sum.argument.as_ref().map_or_else(|| sum.over.name(), |expr| expr.source());
        let filter = sum
            .filter
            .as_ref()
            .map(|expr| format!(" FILTER (WHERE {})", expr.source()))
            .unwrap_or_default();
        let function = aggregate_word(&sum.function);
        let said = ValueSaid {
            rule: RuleSaid {
                id: column.to_string(),
                version: String::new(),
                clause: String::new(),
                label: String::new(),
                effective_from: String::new(),
                effective_until: String::new(),
                known_from: String::new(),
                place: String::new(),
            },
            basis: basis.to_string(),
            expression: format!("{function}({argument}){filter}"),
            value: self.cell(basis, column, row),
            steps: Vec::new(),
        };
        self.values.push(said);
    }

    /// The value of a column on a row, typed by the dictionary or the value that made it.
    fn cell(&self, basis: &Basis, column: &str, row: usize) -> String {
        let Some(stored) = self.input.frames.get(basis).and_then(|frame| frame.get(column)) else {
            return "null".to_owned();
        };
        if let Some(error) = stored.error(row) {
            return error.reason().to_owned();
        }
        let ty = self
            .input
            .law
            .dictionary
            .iter()
            .find(|entry| entry.basis == *basis && &*entry.name == column)
            .map(|entry| entry.ty.clone())
            .or_else(|| {
                self.law.steps.iter().find_map(|step| match step {
                    Step::Value(value) if value.basis == *basis && &*value.head.id == column => {
                        Some(value.expr.ty().clone())
                    }
                    Step::Price(price) if priced(price, basis, column) => {
                        Some(price.fee.ty().clone())
                    }
                    _ => None,
                })
            });
        let currency = &self.input.law.head.currency;
        self.mask(show::typed(&stored.cell(row), ty.as_ref(), currency))
    }

    fn fact(&mut self, basis: &Basis, column: &Arc<str>, row: usize) {
        let Some(frame) = self.input.frames.get(basis) else { return };
        let alias = self
            .input
            .law
            .dictionary
            .iter()
            .find(|entry| entry.basis == *basis && entry.name == *column)
            .map(|entry| entry.alias.to_string())
            .unwrap_or_default();
        let whole = |name: &str| match frame.get(name).map(|stored| stored.cell(row)) {
            Some(Cell::Num(number, _)) => usize::try_from(number).ok(),
            _ => None,
        };
        let record = whole("#record").unwrap_or(0) as u64;
        let file = whole("#file")
            .filter(|_| record > 0)
            .and_then(|file| self.input.files.get(file))
            .map(|file| file.name.to_string())
            .unwrap_or_default();
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
            },
        );
    }

    fn cite(&mut self, head: &RuleHead) {
        self.clauses.insert(show::rule(head));
    }

    fn trace(&self, expr: &Expr, basis: &Basis, row: usize) -> Vec<crate::law::TraceStep> {
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        expr.trace(self.input.frames, basis, row, &self.input.law.calendar)
    }

    fn steps(&self, expr: &Expr, basis: &Basis, row: usize) -> Vec<StepSaid> {
        self.say_steps(&self.trace(expr, basis, row))
    }

    fn say_steps(&self, trace: &[crate::law::TraceStep]) -> Vec<StepSaid> {
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
    fn mask(&self, text: String) -> String {
        self.masks.iter().fold(text, |text, (reference, alias)| {
            if !reference.is_empty() && text.contains(reference.as_str()) {
                text.replace(reference.as_str(), alias)
            } else {
                text
            }
        })
    }

    fn key(&self) -> Vec<(String, String)> {
        let basis = &self.lines.basis;
        NAMING
            .iter()
            .filter_map(|name| {
                let stored = self.frame.get(name)?;
                (!stored.is_null(self.row)).then(|| {
                    let entry = self
                        .input
                        .law
                        .dictionary
                        .iter()
                        .find(|entry| entry.basis == *basis && &*entry.name == *name);
                    let alias = entry.map_or(*name, |entry| &*entry.alias);
                    (alias.to_owned(), self.mask(show::plain(&stored.cell(self.row))))
                })
            })
            .collect()
    }

    /// What bound on the institution or the settlement, for rules that name this item.
    fn cuts(&mut self) -> Vec<CutSaid> {
        let item = &self.lines.item;
        let own = self.row_on(&Basis::Institution);
        let cut_by = self.cut_by();
        let law = self.law;
        let heads: BTreeMap<&str, &RuleHead> = law
            .exclusions
            .iter()
            .filter(|rule| rule.items.contains(item))
            .map(|rule| &rule.head)
            .chain(law.caps.iter().filter(|rule| rule.items.contains(item)).map(|rule| &rule.head))
            .chain(law.shortages.iter().map(|rule| &rule.head))
            .map(|head| (&*head.id, head))
            .collect();
        let mut cuts = Vec::new();
        for cut in &self.input.allocation.cuts {
            let here = cut.institution.is_none_or(|row| own == Some(row as usize));
            let Some(head) = heads.get(&*cut.rule).filter(|_| here) else { continue };
            self.cite(head);
            let counts_things =
                law.caps.iter().any(|cap| cap.head.id == cut.rule && cap.quantity.is_some());
            cuts.push(CutSaid {
                rule: cut.rule.to_string(),
                in_money: !counts_things,
                key: self.mask(cut.key.clone()),
                before: cut.before,
                limit: cut.limit,
                cut_fen: cut.cut_fen,
            });
        }
        if let Some(head) = heads.get(cut_by.as_str()) {
            self.cite(head);
        }
        cuts
    }

    fn funding(&self) -> Vec<FundingSaid> {
        let own = self.row_on(&Basis::Institution);
        let allocation = self.input.allocation;
        allocation
            .cells
            .iter()
            .filter(|cell| {
                cell.item as usize == self.item && own == Some(cell.institution as usize)
            })
            .map(|cell| FundingSaid {
                source: allocation
                    .sources
                    .get(cell.source as usize)
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                budget_doc_no: allocation
                    .budget_lines
                    .get(cell.budget_line as usize)
                    .map(|line| line.budget_doc_no.clone())
                    .unwrap_or_default(),
                fen: cell.fen,
            })
            .collect()
    }

    fn schedule(&self) -> Vec<ScheduleSaid> {
        let schedule = self.input.schedule;
        schedule
            .lines
            .iter()
            .filter(|line| line.item == self.lines.item && line.source_period == self.input.month)
            .filter_map(|line| {
                let payee = schedule.payees.get(line.payee as usize)?;
                (&*payee.institution_id == self.question.institution).then(|| ScheduleSaid {
                    kind: line.kind.word().to_owned(),
                    line_no: line.line_no,
                    source: line.source.to_string(),
                    payable_fen: line.payable_fen,
                    pay_on: line.pay_on.map(|date| date.to_string()).unwrap_or_default(),
                    hold_reason: payee.hold_reason.to_string(),
                })
            })
            .collect()
    }
}

/// Whether a gate can have refused the line: it does not hold, or another row of the institution
/// breached a price that refuses them all.
fn gave(gate: &GateSaid) -> bool {
    gate.verdict != Verdict::Holds
        || gate.price.as_ref().is_some_and(|price| price.3 == "refuse_institution")
}

/// Whether a column is one a guide price made.
fn priced(price: &PriceRule, basis: &Basis, column: &str) -> bool {
    price.basis == *basis
        && column
            .strip_prefix(&*price.head.id)
            .and_then(|rest| rest.strip_prefix('.'))
            .is_some_and(|part| matches!(part, "ceiling" | "floor" | "fee" | "over" | "under"))
}

/// The row of `basis` that `row` of `frame` belongs to.
fn row_on(input: &ExplainInput<'_>, frame: &Frame, row: usize, basis: &Basis) -> Option<usize> {
    if frame.basis == *basis {
        return Some(row);
    }
    if *basis == Basis::Programme {
        return input.frames.get(basis).filter(|frame| frame.rows > 0).map(|_| 0);
    }
    let link = *frame.links.get(basis)?.get(row)?;
    (link != Frame::NO_ROW).then_some(link as usize)
}

fn value_or_error(stored: &Stored, row: usize) -> String {
    stored
        .error(row)
        .map_or_else(|| show::plain(&stored.cell(row)), |error| error.reason().to_owned())
}

fn money_or_error(stored: &Stored, row: usize) -> String {
    match (stored.error(row), stored.cell(row)) {
        (Some(error), _) => error.reason().to_owned(),
        (None, Cell::Num(num, den)) => show::money(num, den),
        (None, cell) => show::plain(&cell),
    }
}

const fn scope_word(scope: RoundScope) -> &'static str {
    match scope {
        RoundScope::Line => "line",
        RoundScope::ChildMonth => "child_month",
        RoundScope::InstitutionMonth => "institution_month",
        RoundScope::Settlement => "settlement",
    }
}

const fn breach_word(breach: Breach) -> &'static str {
    match breach {
        Breach::RefuseChild => "refuse_child",
        Breach::RefuseInstitution => "refuse_institution",
        Breach::ReduceToCeiling => "reduce_to_ceiling",
        Breach::Warn => "warn",
    }
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
    }
}
