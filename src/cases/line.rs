//! The steps of a line that a case asks for, or that tell why it differs.

use super::cell::step_fits;
use super::hold::Facet;
use crate::domain::{Cell, Frame};
use crate::explain::{self, ExplainInput, LineSaid, StepSaid, Verdict};
use crate::settle::{Settled, SettledMonth};

/// Steps told of a line that differs.
const MOST_STEPS: usize = 12;

/// Columns that tell a row from others, where its basis has them.
const NAMING: [&str; 12] = [
    "institution_id",
    "child_ref",
    "family_ref",
    "person_ref",
    "age_class",
    "service",
    "class_id",
    "venue_id",
    "contract_id",
    "week_start",
    "date",
    "spell_from",
];

/// Explains a line; references stand as the case delivers them.
pub(super) fn said(
    settled: &Settled,
    month: &SettledMonth,
    item: usize,
    row: usize,
) -> Option<LineSaid> {
    let input = ExplainInput {
        month: month.input(),
        schedule: &settled.schedule,
        tables: &settled.tables,
        attended: &month.attended,
    };
    explain::line(&input, item, row, &str::to_owned)
}

fn steps(said: &LineSaid) -> impl Iterator<Item = &StepSaid> {
    let values = said.values.iter().flat_map(|value| &value.steps);
    let gates = said.gates.iter().flat_map(|gate| &gate.steps);
    said.steps.iter().chain(values).chain(gates)
}

/// White space of a piece of law counts once.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What differs of a step that a case expects in the trace of the amount, a value or a gate.
pub(super) fn untrue(
    said: Option<&LineSaid>,
    source: &str,
    text: &str,
    currency: &str,
) -> Option<Facet> {
    let mut found: Vec<&str> = Vec::new();
    if let Some(said) = said {
        let wanted = folded(source);
        found.extend(steps(said).filter(|of| folded(&of.source) == wanted).map(|of| &*of.value));
        // A named value is read by its id, and is a step of its own.
        let values = said.values.iter().filter(|value| value.rule.id == wanted);
        found.extend(values.map(|value| &*value.value));
    }
    if found.iter().any(|value| step_fits(value, text, currency)) {
        return None;
    }
    found.dedup();
    let found = if found.is_empty() { "no such step".to_owned() } else { found.join(" and ") };
    Some(Facet { name: source.to_owned(), expected: text.to_owned(), found })
}

/// Why a line is as it is: the gate that decided, else the first steps of its amount.
pub(super) fn why(said: &LineSaid) -> Vec<String> {
    let mut told = Vec::new();
    let decisive = said.gates.iter().filter(|gate| gate.decisive);
    for gate in decisive.chain(said.gates.iter().filter(|of| of.verdict == Verdict::Unknown)) {
        told.push(format!("gate {} ({})", gate.rule.id, gate.rule.clause));
        told.extend(gate.steps.iter().take(MOST_STEPS).map(|of| format!("  {}", step(of))));
    }
    told.extend(said.steps.iter().take(MOST_STEPS).map(step));
    if said.steps.len() > MOST_STEPS {
        told.push(format!("… {} more steps", said.steps.len() - MOST_STEPS));
    }
    let cut = said.cuts.iter().map(|cut| format!("cut by {}: {} fen", cut.rule, cut.cut_fen));
    told.extend(cut);
    told.dedup();
    told
}

fn step(step: &StepSaid) -> String {
    let (indent, source) = (step.depth * 2, folded(&step.source));
    let note = if step.note.is_empty() { String::new() } else { format!("  [{}]", step.note) };
    format!("{:indent$}{source} = {}{note}", "", step.value)
}

/// What tells a row from others.
pub(super) fn row_named(frame: &Frame, row: usize) -> String {
    let told = |name: &&str| {
        let text = match frame.get(name)?.cell(row) {
            Cell::Text(text) => text,
            Cell::Date(date) => date.to_string(),
            _ => return None,
        };
        Some(format!("{name} = {text:?}"))
    };
    let words: Vec<String> = NAMING.iter().filter_map(told).collect();
    if words.is_empty() { format!("row {}", row + 1) } else { words.join(", ") }
}
