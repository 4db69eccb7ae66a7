//! Caps over a year on institutions: used up by what was posted.

use super::allocation::{IDS, cap, child_lines, children, law, run};
use super::district::{district, month, whole, with};
use std::sync::Arc;
use tuoyu::allocation::PostedLine;
use tuoyu::domain::Basis;
use tuoyu::law::Window;

fn posted(source_period: &str, institution: &str, payable_fen: i64) -> PostedLine {
    PostedLine {
        period: month(source_period),
        source_period: month(source_period),
        institution_id: institution.into(),
        item: "child".into(),
        line_kind: "ORIGINAL".into(),
        source: "".into(),
        payable_fen,
        budget_doc_no: "".into(),
    }
}

#[test]
fn a_yearly_cap_is_used_up_by_what_was_posted() {
    let mut frames = district(&IDS);
    with(&mut frames, "limit_here", whole(&[1_000, 1_000, 1_000]));
    children(&mut frames, &IDS, &[(0, "a"), (1, "b"), (2, "c")]);
    let mut yearly = cap(&["child"], Some(Basis::Institution), "limit_here");
    yearly.window = Window::Year;
    let books = [
        posted("2026-07", "I1", 700),
        posted("2026-08", "I1", 260),
        posted("2026-08", "I2", 2_000),
        posted("2025-12", "I3", 999),
        // The month itself is what is being settled.
        posted("2026-09", "I3", 999),
    ];
    let rules = law(|law| law.caps.push(Arc::new(yearly.clone())));
    let (lines, allocation) = run(rules, &frames, vec![child_lines(&[100; 3])], &[], &books);
    allocation.expect("allocated");
    assert_eq!(lines.items[0].allocated, [40, 0, 100]);

    // What only moves between periods is used up where it was due. I1: 900 of July were taken back,
    // 800 of them wait to be paid back, so nothing is used. I2: 950 of July were due and carried, so
    // 50 are left.
    let kind = |line_kind: &str, id: &str, fen: i64| PostedLine {
        line_kind: line_kind.into(),
        ..posted("2026-07", id, fen)
    };
    let books = [
        kind("ORIGINAL", "I1", 900),
        kind("REFUND", "I1", -900),
        kind("CARRY_OUT", "I1", 800),
        kind("ORIGINAL", "I2", 950),
        kind("CARRY_OUT", "I2", -950),
    ];
    let rules = law(|law| law.caps.push(Arc::new(yearly)));
    let (lines, allocation) = run(rules, &frames, vec![child_lines(&[100; 3])], &[], &books);
    allocation.expect("allocated");
    assert_eq!(lines.items[0].allocated, [100, 50, 100]);
}
