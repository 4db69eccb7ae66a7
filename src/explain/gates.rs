//! Gates and guide prices of a line, in the order the rule lists them.

use super::show;
use super::walk::LineWalk;
use super::{GateSaid, Verdict};
use crate::domain::Cell;
use crate::law::{Breach, GateRef, GateRule, PriceRule, Step};
use crate::subsidy::{children_in_breach, reasons};
use std::sync::Arc;

impl<'a> LineWalk<'a> {
    pub(super) fn gate_rules(&self) -> impl Iterator<Item = &'a Arc<GateRule>> + use<'a> {
        self.law.steps.iter().filter_map(|step| match step {
            Step::Gate(gate) => Some(gate),
            _ => None,
        })
    }

    pub(super) fn price_rules(&self) -> impl Iterator<Item = &'a Arc<PriceRule>> + use<'a> {
        self.law.steps.iter().filter_map(|step| match step {
            Step::Price(price) => Some(price),
            _ => None,
        })
    }

    /// The gates and prices of the item in order, then the prices of its basis it does not list.
    pub(super) fn gates(&mut self) -> Vec<GateSaid> {
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

    pub(super) fn gate(&mut self, gate: &Arc<GateRule>) -> GateSaid {
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

    pub(super) fn price(&mut self, price: &Arc<PriceRule>) -> GateSaid {
        self.cite(&price.head);
        let id = &price.head.id;
        let row = self.row_on(&price.basis);
        let cell = |part: &str| -> Cell {
            row.and_then(|row| {
                let stored =
                    self.input.month.frames.get(&price.basis)?.get(&format!("{id}.{part}"))?;
                stored.error(row).is_none().then(|| stored.cell(row))
            })
            .unwrap_or(Cell::Null)
        };
        let (over, under) = (cell("over"), cell("under"));
        let shown = |part: &str| match cell(part) {
            Cell::Num(num, den) => show::money(num, den),
            _ => String::new(),
        };
        // The fee as charged; under `reduce_to_ceiling` the column holds what counts of it.
        let charged = row.and_then(|row| {
            match self.trace(&price.fee, &price.basis, row).into_iter().next()?.value {
                Ok(Cell::Num(num, den)) => Some(show::money(num, den)),
                _ => None,
            }
        });
        let said = (
            charged.unwrap_or_default(),
            shown("ceiling"),
            shown("floor"),
            breach_word(price.breach),
        );
        let verdict = match (&over, &under) {
            (Cell::Bool(true), _) | (_, Cell::Bool(true)) => Verdict::Fails,
            (Cell::Null, Cell::Null) => Verdict::Unknown,
            _ if said.0.is_empty() && !said.1.is_empty() => Verdict::Unknown,
            _ => Verdict::Holds,
        };
        let line_reason = self.reason();
        let reason = if line_reason == reasons::CHILD_BREACH {
            if self.breached_elsewhere(price) { line_reason } else { String::new() }
        } else if verdict == Verdict::Holds && price.breach != Breach::RefuseInstitution {
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
}

impl LineWalk<'_> {
    /// Whether another spell of the line's child at the institution breached a price that refuses
    /// the child.
    fn breached_elsewhere(&self, price: &PriceRule) -> bool {
        price.breach == Breach::RefuseChild
            && children_in_breach(
                self.input.month.law,
                self.input.month.frames,
                price,
                &self.rule.basis,
            )
            .is_some_and(|verdicts| verdicts.get(self.row) == Some(&1))
    }
}

/// Whether a gate can have refused the line: it does not hold, or another row of the child or the
/// institution breached a price that refuses them all.
fn gave(gate: &GateSaid) -> bool {
    gate.verdict != Verdict::Holds
        || gate.reason == reasons::CHILD_BREACH
        || gate.price.as_ref().is_some_and(|price| price.3 == "refuse_institution")
}

const fn breach_word(breach: Breach) -> &'static str {
    match breach {
        Breach::RefuseChild => "refuse_child",
        Breach::RefuseInstitution => "refuse_institution",
        Breach::ReduceToCeiling => "reduce_to_ceiling",
        Breach::Warn => "warn",
    }
}
