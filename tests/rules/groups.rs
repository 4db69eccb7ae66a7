//! Groupings beside their amounts: rows in another order, and what is told of one line.

use super::days::{explained, rows_turned_round_change_nothing};
use super::settled;

#[test]
fn groupings_do_not_depend_on_the_order_of_rows() {
    rows_turned_round_change_nothing("groups.toml");
}

#[test]
fn a_line_of_a_grouping_names_its_values_and_what_was_taken_together() {
    let cases = settled("groups.toml");
    let told = explained(&cases[0].1, "household.grant");
    // I1 has the families F1, F2 and F3; what refers to them is not shown as delivered.
    assert_eq!(told.lines.len(), 3);
    let paid: Vec<_> = told.lines.iter().filter(|line| line.status == "paid").collect();
    let [line] = paid[..] else { panic!("one family is paid at I1") };
    assert_eq!((line.amount_fen, &*line.child, &*line.basis), (9000, "x", "household"));
    assert_eq!(line.key_columns, ["family_ref"]);
    assert!(line.key.iter().all(|(_, value)| value == "x"), "{:?}", line.key);
    let value = |id: &str| {
        let said = line.values.iter().find(|said| said.rule.id == id);
        said.map(|said| (said.expression.clone(), said.value.clone()))
    };
    // The clause of the grouping stands with what it is by.
    let made = value("household").expect("the grouping is told");
    assert_eq!(made.0, "spell by family_ref, institution_id");
    assert_eq!(made.1, "x, I1");
    assert_eq!(value("children").expect("the family's children").1, "3");
    assert!(line.clauses.iter().any(|rule| rule.id == "family"), "the family is cited");
    let refused = told.lines.iter().find(|line| line.status == "refused").expect("F2");
    assert_eq!(refused.reason, "income_above");
    assert_eq!(
        refused.gates.iter().find(|gate| gate.decisive).map(|g| &*g.rule.id),
        Some("income")
    );
}
