//! `summary.json` of a tuning, and the overlay that was chosen.

use super::{Found, Tuning};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The text of `summary.json`.
pub(super) fn text(of: &Tuning) -> String {
    let assumed: Vec<Value> = of
        .assumed
        .iter()
        .map(|one| json!({ "what": one.what, "value": one.value, "source": one.source }))
        .collect();
    let failed = of.scenarios.iter().filter(|row| row.outcome.is_err()).count();
    let solutions: Vec<Value> = of
        .solutions
        .iter()
        .map(|one| match &one.found {
            Found::Best { value, figure, beyond, .. } => json!({
                "id": one.id, "outcome": "found", "value": value, "figure": figure,
                "beyond": beyond.as_ref().map(|(value, _)| value),
                "beyond_figure": beyond.as_ref().map(|(_, figure)| figure),
            }),
            Found::Never { .. } => json!({ "id": one.id, "outcome": "never" }),
            Found::NotMonotone { .. } => json!({ "id": one.id, "outcome": "not_monotone" }),
            Found::Failed { .. } => json!({ "id": one.id, "outcome": "failed" }),
        })
        .collect();
    let months: Vec<String> = of.months.iter().map(ToString::to_string).collect();
    let told = json!({
        "tune_id": of.tune_id,
        "job": of.job_id,
        "months": months,
        "calc_version": of.calc_version,
        "baseline_cost_fen": of.baseline.cost_fen,
        "scenarios_asked": of.asked,
        "scenarios_answered": of.scenarios.len(),
        "scenarios_failed": failed,
        "partial": of.is_partial(),
        "solutions": solutions,
        "assumptions": assumed,
        "chosen": of.chosen.as_ref().map(|(name, _)| name),
    });
    // Serialising texts and numbers to memory cannot fail.
    let mut text = serde_json::to_string_pretty(&told).unwrap_or_default();
    text.push('\n');
    text
}

/// The chosen overlay with what it is.
pub(super) fn overlay(of: &Tuning, name: &str, overlay: &str) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = writeln!(text, "# {name} ({}, {})", of.job_id, &of.tune_id[..of.tune_id.len().min(12)]);
    for one in &of.assumed {
        let line = format!("{} = {} {}", one.what, one.value, one.source);
        let _ = writeln!(text, "# {}", line.trim_end().replace(['\n', '\r'], " "));
    }
    text.push_str(overlay);
    text
}
