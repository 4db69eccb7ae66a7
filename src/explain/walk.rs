//! Building the answer: which rows are meant, then for each line the law it met and what it read.

use super::show;
use super::{
    CutSaid, ExplainError, ExplainInput, Explanation, FactSaid, FundingSaid, LineSaid, Question,
    RuleSaid, ScheduleSaid, ValueSaid,
};
use crate::domain::{Basis, Cell, Column, Frame, Key, Stored};
use crate::law::{Law, RoundScope, RuleHead, SubsidyRule};
use crate::schedule::MonthInput;
use crate::subsidy::{ItemLines, LineStatus};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Columns that name a row within its institution, where its basis has them.
pub(super) const NAMING: &[&str] = &[
    "class_id",
    "venue_id",
    "contract_id",
    "certificate",
    "age_class",
    "service",
    "spell_from",
    "spell_until",
    "date",
    "week_start",
];

/// Columns whose text stands for a person and is never shown as delivered.
pub(super) const PERSONAL: &[&str] = &["child_ref", "person_ref"];

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
    for (index, item) in input.month.entitlements.items.iter().enumerate() {
        if question.item.is_some_and(|asked| asked != &*item.item) {
            continue;
        }
        let Some(frame) = input.month.frames.get(&item.basis) else { continue };
        let mut rows = ids.rows(input, frame, question.institution).to_vec();
        paid_by_id(input, item, question.institution, &mut rows);
        for row in rows {
            seen_institution = true;
            if item.status.get(row).is_none_or(|status| *status == LineStatus::Absent)
                || !child_matches(input, frame, row, question)
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
    let register = input.month.frames.get(&Basis::Institution);
    let registered =
        register.map(|frame| rows_of(input, frame, question.institution)).unwrap_or_default();
    if lines.is_empty() {
        let institution = question.institution.to_owned();
        return Err(if seen_institution || !registered.is_empty() {
            ExplainError::Line { institution, month: input.month.month }
        } else {
            ExplainError::Institution { found: institution, month: input.month.month }
        });
    }
    let of_payee = || {
        let mut payees = input.schedule.payees.iter();
        let payee = payees.find(|payee| *payee.institution_id == *question.institution);
        payee.map(|payee| payee.institution_name.to_string()).unwrap_or_default()
    };
    let name =
        registered
            .last()
            .and_then(|row| register?.get("name").map(|stored| stored.cell(*row)))
            .map_or_else(of_payee, |cell| {
                if cell == Cell::Null { String::new() } else { show::plain(&cell) }
            });
    Ok(Explanation {
        period: input.month.month.to_string(),
        institution_id: question.institution.to_owned(),
        institution_name: name,
        lines,
        further,
    })
}

/// Explains one line: a row of an item, by their places; `None` where there is no such line.
#[must_use]
pub fn line(
    input: &ExplainInput<'_>,
    item: usize,
    row: usize,
    alias: &dyn Fn(&str) -> String,
) -> Option<LineSaid> {
    let lines = input.month.entitlements.items.get(item)?;
    let frame = input.month.frames.get(&lines.basis)?;
    if lines.status.get(row).is_none_or(|status| *status == LineStatus::Absent) {
        return None;
    }
    let question = Question { institution: "", item: None, child: None, alias, limit: 1 };
    Some(LineWalk::new(input, &question, lines, frame, row, item)?.line())
}

fn known_item(input: &ExplainInput<'_>, item: &str) -> Result<(), ExplainError> {
    let items: Vec<&str> =
        input.month.entitlements.items.iter().map(|lines| &*lines.item).collect();
    if items.contains(&item) {
        return Ok(());
    }
    Err(ExplainError::Item {
        found: item.to_owned(),
        month: input.month.month,
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
        (frame.links.get(&Basis::Institution), input.month.frames.get(&Basis::Institution))
    else {
        return Vec::new();
    };
    let of: BTreeSet<usize> = rows_of(input, register, institution).into_iter().collect();
    (0..frame.rows).filter(|row| of.contains(&(links[*row] as usize))).collect()
}

/// Adds the rows of an item that are paid to an id though they are not its own.
fn paid_by_id(input: &ExplainInput<'_>, lines: &ItemLines, id: &str, rows: &mut Vec<usize>) {
    let Some(owners) = &lines.owners else { return };
    let mut known: BTreeMap<u32, bool> = BTreeMap::new();
    let MonthInput { frames, entitlements, .. } = input.month;
    let is_paid = |(_, owner): &(usize, &u32)| {
        *known.entry(**owner).or_insert_with(|| entitlements.owner(frames, **owner) == id)
    };
    rows.extend(owners.iter().enumerate().filter(is_paid).map(|(row, _)| row));
    rows.sort_unstable();
    rows.dedup();
}

fn child_matches(
    input: &ExplainInput<'_>,
    frame: &Frame,
    row: usize,
    question: &Question<'_>,
) -> bool {
    let Some(is_child) = question.child else { return true };
    let of = |frame: &Frame, row: usize| match frame.get("child_ref").map(|of| of.cell(row)) {
        Some(Cell::Text(reference)) => is_child(&reference),
        _ => false,
    };
    if frame.keys.is_empty() || frame.get("child_ref").is_some() {
        return of(frame, row);
    }
    // A row of a grouping is the child's when one of its members is.
    input.month.frames.iter().any(|finer| {
        let links = finer.links.get(&frame.basis).filter(|_| finer.get("child_ref").is_some());
        let mut members = links.into_iter().flatten().enumerate();
        members.any(|(member, group)| *group as usize == row && of(finer, member))
    })
}

/// Columns of a row whose texts stand for persons.
fn personal(frame: &Frame) -> impl Iterator<Item = &str> {
    let of_group = |name: &&str| {
        let key = frame.get(name).is_some_and(|of| matches!(of.column, Column::Key(_)));
        key && *name != "institution_id"
    };
    let groups = frame.keys.iter().map(|name| &**name).filter(of_group);
    let named = PERSONAL.iter().copied().filter(|_| frame.keys.is_empty());
    named.chain(groups)
}

/// One line being explained.
pub(super) struct LineWalk<'a> {
    pub(super) input: &'a ExplainInput<'a>,
    pub(super) question: &'a Question<'a>,
    pub(super) lines: &'a ItemLines,
    pub(super) frame: &'a Frame,
    pub(super) row: usize,
    pub(super) item: usize,
    pub(super) rule: Arc<SubsidyRule>,
    pub(super) law: &'a Law,
    /// References as delivered that must not be shown, with what stands for them.
    pub(super) masks: Vec<(String, String)>,
    pub(super) facts: BTreeMap<(Basis, Arc<str>), FactSaid>,
    pub(super) values: Vec<ValueSaid>,
    pub(super) met: BTreeSet<(Basis, Arc<str>)>,
    pub(super) clauses: BTreeSet<RuleSaid>,
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
        let law = input.month.law.segments.get(segment)?;
        let masks = personal(frame)
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
        self.grouping(&rule.basis, self.row);
        let gates = self.gates();
        let reason = self.reason();
        let computed = self.lines.exact.as_ref().is_some_and(|exact| {
            !exact.is_null(self.row)
                || self.lines.status[self.row] == LineStatus::Paid
                || exact.error(self.row).is_some()
        });
        let steps = if computed {
            self.read(&rule.amount, &rule.basis, self.row);
            if let Some(payee) = &rule.payee {
                self.read(&payee.id, &rule.basis, self.row);
            }
            self.steps(&rule.amount, &rule.basis, self.row)
        } else {
            Vec::new()
        };
        let to_date = if computed { self.due_to_date() } else { None };
        let cuts = self.cuts();
        let (top, bottom) = rule.round.quantum;
        let exact = self.lines.exact.as_ref().filter(|_| computed);
        LineSaid {
            item: self.lines.item.to_string(),
            rule: show::rule(&rule.head),
            basis: self.lines.basis.to_string(),
            payee: self.other_payee(),
            child: self.person(),
            key_columns: self.naming().map(str::to_owned).collect(),
            key: self.key(),
            segment: if self.input.month.law.segments.len() > 1 {
                self.law.segment.to_string()
            } else {
                String::new()
            },
            status: self.lines.status[self.row].word().to_owned(),
            reason_words: self.reason_words(&reason),
            reason_english: self.reason_english(&reason),
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
            amount_fen: match self.lines.to_date.as_ref().filter(|_| to_date.is_some()) {
                Some(of) => of.total[self.row],
                None => self.lines.amount[self.row],
            },
            to_date,
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

    pub(super) fn reason(&self) -> String {
        let code = self.lines.reason.get(self.row).copied().unwrap_or(0);
        self.input.month.entitlements.reasons.text(u32::from(code)).to_owned()
    }

    /// The gate's own words for its reason.
    fn reason_words(&self, reason: &str) -> String {
        self.gate_rules()
            .find(|gate| &*gate.reason == reason)
            .map(|gate| gate.head.label.to_string())
            .unwrap_or_default()
    }

    /// The same in English; nothing where the pack does not say it.
    fn reason_english(&self, reason: &str) -> String {
        let gate = self.gate_rules().find(|gate| &*gate.reason == reason);
        let own = gate.filter(|gate| gate.head.english != gate.head.id);
        own.map(|gate| gate.head.english.to_string()).unwrap_or_default()
    }

    fn cut_by(&self) -> String {
        let code = self.lines.cut_by.get(self.row).copied().unwrap_or(0);
        self.input.month.entitlements.cutters.text(u32::from(code)).to_owned()
    }

    /// What stands for the child or person of the row, as the files have it.
    fn person(&self) -> String {
        match self.masks.as_slice() {
            [(_, _), (_, _), ..] if !self.frame.keys.is_empty() => {
                let parts: Vec<&str> = self.masks.iter().map(|(text, _)| text.as_str()).collect();
                (self.question.alias)(&parts.join("/"))
            }
            masks => masks.first().map(|(_, alias)| alias.clone()).unwrap_or_default(),
        }
    }

    /// Columns that name the row within its institution.
    fn naming(&self) -> impl Iterator<Item = &str> {
        let told = |name: &&str| self.frame.get(name).is_some_and(|of| !of.is_null(self.row));
        let keys = self.frame.keys.iter().map(|name| &**name);
        let keys = keys.filter(|name| *name != "institution_id" && !PERSONAL.contains(name));
        let named = NAMING.iter().copied().filter(|_| self.frame.keys.is_empty());
        named.chain(keys).filter(told)
    }

    fn key(&self) -> Vec<(String, String)> {
        let basis = &self.lines.basis;
        let dictionary = &self.input.month.law.dictionary;
        self.naming()
            .filter_map(|name| {
                let stored = self.frame.get(name)?;
                let entry =
                    dictionary.iter().find(|entry| entry.basis == *basis && *entry.name == *name);
                let alias = entry.map_or(name, |entry| &*entry.alias);
                Some((alias.to_owned(), self.mask(show::plain(&stored.cell(self.row)))))
            })
            .collect()
    }

    /// Whom the row is paid to, an owner.
    fn owner(&self) -> Option<u32> {
        let owner = self.lines.paid_to(self.input.month.frames).at(self.row);
        (owner != Frame::NO_ROW).then_some(owner)
    }

    /// The payee's id where the rule names one.
    fn other_payee(&self) -> String {
        let month = self.input.month;
        let owner = self.owner().filter(|_| self.rule.payee.is_some());
        owner.map(|owner| month.entitlements.owner(month.frames, owner)).unwrap_or_default()
    }

    /// What bound on the institution, the payee or the settlement, for rules that name this item.
    fn cuts(&mut self) -> Vec<CutSaid> {
        let item = &self.lines.item;
        let own = [self.row_on(&Basis::Institution), self.owner().map(|owner| owner as usize)];
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
        for cut in &self.input.month.allocation.cuts {
            let here = cut.institution.is_none_or(|row| own.contains(&Some(row as usize)));
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
        let own = self.owner();
        let allocation = self.input.month.allocation;
        allocation
            .cells
            .iter()
            .filter(|cell| cell.item as usize == self.item && own == Some(cell.institution))
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
        let (schedule, month) = (self.input.schedule, self.input.month);
        let Some(owner) = self.owner() else { return Vec::new() };
        let id = month.entitlements.owner(month.frames, owner);
        schedule
            .lines
            .iter()
            .filter(|line| {
                line.item == self.lines.item && line.source_period == self.input.month.month
            })
            .filter_map(|line| {
                let payee = schedule.payees.get(line.payee as usize)?;
                (*payee.institution_id == *id).then(|| ScheduleSaid {
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
