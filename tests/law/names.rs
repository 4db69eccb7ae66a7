//! How packs name what they and each other hold.

use super::pack::{LAYER, book, date, folder, in_force, layer, month};
use super::{PACK, reference};
use std::fs;
use std::sync::Arc;
use tuoyu::domain::{Basis, Cell};
use tuoyu::law::expr::Expr;
use tuoyu::law::{self, Step};

#[test]
fn packs_are_layers_and_name_each_other_with_a_colon() {
    let root = tempfile::tempdir().unwrap();
    let head = |id: &str| PACK.replace("\"case\"", &format!("\"{id}\""));
    let district = LAYER
        .replace("value = \"200\"", "value = \"50\"")
        .replace("amount = \"rate\"", "amount = \"rate + pro-vince:rate * 0\"");
    let packs = [
        folder(root.path(), "a", &[("p.toml", &head("pro-vince")), ("n.toml", LAYER)]),
        folder(root.path(), "b", &[("p.toml", &head("district")), ("n.toml", &district)]),
    ];
    let law = in_force(&book(&packs, &[]), "2026-03", "2026-04-01");
    let ids: Vec<&str> = law.segments[0].items.iter().map(|item| &*item.head.id).collect();
    assert_eq!(ids, ["pro-vince:care", "district:care"]);
    assert_eq!(&*law.head.id, "district");
    let cited: Vec<String> =
        law.segments[0].items[1].amount.cites().iter().map(|head| head.id.to_string()).collect();
    assert_eq!(cited, ["district:rate", "pro-vince:rate"]);
    assert_eq!(law.segments[0].items[0].amount.constant(), Some(Cell::Num(20_000, 1)));
    assert_eq!(&*law.segments[0].items[1].funding, "district:all");
    // A figure is told by the path an overlay takes.
    let figures = book(&packs, &[]).figures(&[(month("2026-03"), date("2026-04-01"))]);
    assert!(figures.iter().any(|figure| figure.path == "pro-vince:parameter.rate.value"));
    // By itself the upper layer says what it misses.
    let told = law::examine(&packs[1..], &[], &reference());
    let told: Vec<String> = told.iter().map(ToString::to_string).collect();
    assert!(told.len() == 1 && told[0].contains("loaded together with this one"), "{told:?}");
}

#[test]
fn a_rule_may_have_the_name_of_a_column_of_another_basis() {
    let root = tempfile::tempdir().unwrap();
    let pack = layer(
        root.path(),
        "case",
        r#"
[[value]]
id = "slots_open"
clause = "第三条"
effective_from = 2026-01-01
basis = "institution"
expr = "sum(coalesce(slot.slots_open, 0))"
"#,
    );
    let law = in_force(&book(&[pack], &[]), "2026-03", "2026-04-01");
    let folds = |step: &Step| match step {
        Step::Aggregate(rule) => rule.argument.as_ref().map(Expr::reads),
        _ => None,
    };
    let reads: Vec<_> = law.segments[0].steps.iter().filter_map(folds).flatten().collect();
    assert_eq!(reads, [(Basis::Slot, Arc::from("slots_open"))]);
}

#[test]
fn a_basis_that_is_a_slip_of_the_pen_is_recognised() {
    let root = tempfile::tempdir().unwrap();
    let cap = |key: &str| {
        format!(
            r#"
[[cap]]
id = "most"
clause = "第三条"
effective_from = 2026-01-01
items = ["care"]
stage = "item"
key = "{key}"
window = "month"
limit = "rate"
"#
        )
    };
    let told = law::examine(&[layer(root.path(), "a", &cap("institutio"))], &[], &reference());
    let told: Vec<String> = told.iter().map(ToString::to_string).collect();
    assert!(told[0].contains("did you mean institution?"), "{told:?}");
    let gate = r#"
[[gate]]
id = "seen"
clause = "第三条"
effective_from = 2026-01-01
basis = "session"
require = "TRUE"
reason = "unseen"
"#;
    let told = law::examine(&[layer(root.path(), "b", gate)], &[], &reference());
    let told: Vec<String> = told.iter().map(ToString::to_string).collect();
    assert!(told[0].contains("sanctions | sessions"), "{told:?}");
    assert!(told[0].contains("did you mean sessions?"), "{told:?}");
}

/// Another pack's value by `pack:id` wherever a key names a column, also where the pack's id has a `-`
/// (docs/policy-pack.md, Layers).
#[test]
fn keys_that_name_columns_name_those_of_another_pack() {
    let root = tempfile::tempdir().unwrap();
    let pack = |id: &str, notice: &str| {
        let folder = root.path().join(id);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("pack.toml"), PACK.replace("\"case\"", &format!("\"{id}\"")))
            .unwrap();
        let head = "[notice]\nnumber = \"测试\"\ntitle = \"测试\"\npublished = 2025-12-01\n";
        let dated = "clause = \"一\"\neffective_from = 2026-01-01\n";
        fs::write(folder.join("notice.toml"), format!("{head}{}", notice.replace("DATED", dated)))
            .unwrap();
        folder
    };
    let base = pack(
        "base-law",
        r#"
[[input]]
table = "visits"
key = ["visit_no"]
columns = [
    { name = "visit_no", zh = "编号", type = "key" },
    { name = "family_ref", zh = "家庭", type = "key" },
    { name = "seen_on", zh = "日", type = "date" },
    { name = "due", zh = "应付", type = "money", unit = "yuan" },
]
[[value]]
id = "who"
basis = "visits"
expr = "family_ref"
DATED
[[value]]
id = "known_on"
basis = "visits"
expr = "add_days(seen_on, 1)"
DATED
"#,
    );
    let city = pack(
        "city",
        r#"
[[grouping]]
id = "family"
of = "visits"
by = ["base-law:who"]
DATED
[[rank]]
id = "nth"
basis = "visits"
within = "family"
order = ["-base-law:known_on"]
DATED
[[parameter]]
id = "rate"
unit = "yuan"
value = "10"
dated_by = "base-law:known_on"
DATED
[[value]]
id = "paid"
basis = "visits"
expr = "due + rate * nth"
DATED
[[subsidy]]
id = "grant"
basis = "family"
gates = []
amount = "sum(visits.paid)"
payee = "base-law:who"
round = { to = "0.01", mode = "half_up" }
instrument = "per_child"
DATED
[[split]]
id = "one"
scope = "line"
method = "largest_remainder"
parts = [{ source = "区", share = "1" }]
DATED
"#,
    );
    let book = book(&[base, city], &[]);
    let law = in_force(&book, "2026-03", "2026-04-10");
    let [segment] = &law.segments[..] else { panic!("{} segments", law.segments.len()) };
    let payee = segment.items[0].payee.as_ref().expect("a payee");
    let family = Basis::Declared(Arc::from("family"));
    assert_eq!(payee.id.reads(), [(family, Arc::from("base-law:who"))]);
}
