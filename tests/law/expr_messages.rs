//! What the checker refuses, and where it points.

use tuoyu::domain::Basis;

use super::expr_world::compiled_on;

/// (basis, expression, the piece pointed at, part of the message).
const REFUSED: &[(Basis, &str, &str, &str)] = &[
    (Basis::Spell, "", "", "empty"),
    (Basis::Spell, "fee; days", ";", "not part of the language"),
    (Basis::Spell, "fee days", "days", "after the end"),
    (Basis::Spell, "1 < 2 < 3", "< 3", "chained"),
    (Basis::Spell, "small ^ 2", "^", "not part of the language"),
    (Basis::Spell, "small % 2", "%", "not part of the language"),
    (Basis::Spell, "(SELECT 1)", "1", "not an expression"),
    (Basis::Spell, "CAST(small AS int)", "AS", "not an expression"),
    (Basis::Spell, "small::int", "::", "not part of the language"),
    (Basis::Spell, "fee -- comment", "-- comment", "not part of the language"),
    (Basis::Spell, "\"fee\"", "\"fee\"", "not part of the language"),
    (Basis::Spell, "fee > ‘1’", "‘", "not part of the language"),
    (Basis::Spell, "fee + days", "fee + days", "units differ: yuan and day"),
    (Basis::Spell, "fee + 1", "fee + 1", "units differ: yuan and number"),
    (Basis::Spell, "days >= 10", "days >= 10", "units differ: number and day"),
    (Basis::Spell, "月基本服务费 = 班型", "月基本服务费 = 班型", "compared with a text"),
    (Basis::Spell, "fee_other + fee", "fee_other", "may be null"),
    (Basis::Spell, "fee_other > 0 AND fee_other IS NOT NULL", "fee_other", "may be null"),
    (Basis::Spell, "maybe AND known", "maybe", "may be null"),
    (Basis::Spell, "CASE WHEN known THEN 1 END", "CASE WHEN known THEN 1 END", "without ELSE"),
    (
        Basis::Spell,
        "CASE WHEN known THEN 1 ELSE fee END",
        "CASE WHEN known THEN 1 ELSE fee END",
        "units differ",
    ),
    (Basis::Spell, "fee_other NOT NULL", "fee_other NOT", "not a test for NULL"),
    (Basis::Spell, "fee_other = NULL", "fee_other = NULL", "NULL is not compared"),
    (Basis::Spell, "NULL", "NULL", "no type"),
    (Basis::Spell, "age_class = '托小'", "'托小'", "not a listed value"),
    (Basis::Spell, "rate.base(age_class)", "rate.base(age_class)", "1 keys, the table has 2"),
    (Basis::Spell, "rate.base('小', '一级')", "'小'", "not a listed value of age_class"),
    (Basis::Spell, "rate.base", "rate.base", "cannot be read"),
    (Basis::Spell, "nothing(fee)", "nothing(fee)", "no function and no table"),
    (Basis::Spell, "小明 + 1", "小明", "cannot be read"),
    (Basis::Spell, "from - from", "from - from", "dates are not added"),
    (Basis::Spell, "DATE '2026-02-30'", "DATE '2026-02-30'", "is not a date"),
    (Basis::Spell, "small / (2 - 2)", "(2 - 2)", "constant zero"),
    (Basis::Spell, "mod(share, 2)", "mod(share, 2)", "whole numbers"),
    (Basis::Spell, "round(fee, '0', 'up')", "round(fee, '0', 'up')", "quantum"),
    (Basis::Spell, "round(fee, '1', 'nearest')", "round(fee, '1', 'nearest')", "rounding mode"),
    (Basis::Spell, "1e3", "1e3", "not a plain decimal"),
    (Basis::Spell, "age_class < '托大班'", "age_class < '托大班'", "has no order"),
    (Basis::Spell, "known + 1", "known", "a condition where a number"),
    (Basis::Spell, "least(fee)", "least(fee)", "at least 2"),
    (
        Basis::Spell,
        "tier(small, 'marginal', 5, 1, 3, 2, 1)",
        "tier(small, 'marginal', 5, 1, 3, 2, 1)",
        "do not rise",
    ),
    (Basis::Spell, "abs(known) OVER ()", "OVER", "after the end"),
    (Basis::Spell, "sum(fee)", "sum(fee)", "no name in here belongs to rows finer"),
    (Basis::Institution, "fee", "fee", "belongs to rows of spell"),
    (Basis::Institution, "sum(fee / days)", "fee / days", "no one denominator"),
    (Basis::Institution, "sum(fee_other)", "fee_other", "may be null"),
    (Basis::Institution, "count(*)", "count(*)", "called in a form"),
    (Basis::Institution, "count(DISTINCT fee)", "fee", "not an expression"),
    (Basis::Institution, "count_paid('x')", "count_paid('x')", "no item"),
    (Basis::Institution, "paid_to_date('x')", "paid_to_date('x')", "no item"),
    (
        Basis::Institution,
        "paid_months('operating.child', 'week')",
        "paid_months('operating.child', 'week')",
        "'year' or 'life'",
    ),
    (Basis::Institution, "places FILTER (WHERE filed)", "FILTER", "after the end"),
    (Basis::Institution, "max(grade)", "max(grade)", "finer"),
];

#[test]
fn what_is_refused_is_pointed_at() {
    let mut wrong = Vec::new();
    for (basis, source, piece, message) in REFUSED {
        match compiled_on(source, basis) {
            Ok(expr) => wrong.push(format!("{source}: accepted as {:?}", expr.ty())),
            Err(errors) => {
                let error = &errors[0];
                let found = source.get(error.offset..error.offset + error.length);
                if found != Some(piece) || !error.message.contains(message) {
                    wrong.push(format!("{source}: {found:?} {} ({})", error.message, error.hint));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_mistake_is_told_in_order() {
    let errors = compiled_on("nix + fee_other > nox", &Basis::Spell).expect_err("three mistakes");
    let places: Vec<usize> = errors.iter().map(|error| error.offset).collect();
    assert_eq!(places, [0, 18], "{errors:?}");
}

#[test]
fn names_that_sql_reserves_are_free() {
    for source in ["from", "until", "order + 1 > 0 OR TRUE", "share", "any(spell.known)"] {
        let refused = compiled_on(source, &Basis::Spell);
        let told = refused.as_ref().err().map(|errors| errors[0].message.clone());
        let fine = refused.is_ok()
            || told.as_deref().is_some_and(|told| !told.contains("not an expression"));
        assert!(fine, "{source}: {told:?}");
    }
}

#[test]
fn bounds_hold_whatever_is_written() {
    let deep = |open: &str, middle: &str, close: &str, times: usize| {
        format!("{}{middle}{}", open.repeat(times), close.repeat(times))
    };
    for source in [
        deep("(", "1", ")", 60),
        deep("CASE WHEN TRUE THEN ", "1", " ELSE 0 END", 60),
        deep("abs(", "1", ")", 60),
        "1+".repeat(190) + "1",
        deep("1+(2*(3-", "4", "))", 30),
    ] {
        assert!(compiled_on(&source, &Basis::Spell).is_ok(), "{source}");
    }
    for source in [
        deep("(", "1", ")", 65),
        deep("(", "1", ")", 2000),
        "(".repeat(4000),
        deep("CASE WHEN TRUE THEN ", "1", " ELSE 0 END", 65),
        "CASE ".repeat(800),
        "1+".repeat(1500) + "1",
        "- ".repeat(1500) + "1",
        "NOT ".repeat(900) + "TRUE",
        "1".repeat(4097),
        "1".repeat(4000),
        "f(".repeat(1300),
        "x.".repeat(2000),
        "'".repeat(4001),
        "(1,".repeat(60) + "1" + &")".repeat(60),
    ] {
        assert!(compiled_on(&source, &Basis::Spell).is_err(), "{}", &source[..20]);
    }
}
