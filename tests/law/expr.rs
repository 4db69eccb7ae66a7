//! Expressions by hand: each expected value is worked out on paper from the clause it models.

use std::collections::BTreeMap;

use tuoyu::domain::{Basis, Cell, Fraction, Rounding, RoundingMode, RowError, Stored};
use tuoyu::law::{Aggregate, Ty};

use super::expr_world::{Rows, calendar, compiled, compiled_on, compiled_with, date, unit};

/// One spell with these columns, in an institution of grade 一级.
fn one(columns: &[(&'static str, Cell)]) -> Rows {
    let mut spell = BTreeMap::from([
        ("age_class", text("托小班")),
        ("service", text("全日托")),
        ("open", whole(21)),
    ]);
    spell.extend(columns.iter().cloned());
    let house = BTreeMap::from([("grade", text("一级")), ("places", whole(60))]);
    Rows { spells: vec![spell], house_of: vec![Some(0)], houses: vec![house] }
}

fn whole(value: i128) -> Cell {
    Cell::Num(value, 1)
}

fn text(value: &str) -> Cell {
    Cell::Text(value.to_owned())
}

fn outcome(stored: &Stored, row: usize) -> Result<Cell, RowError> {
    if let Some(error) = stored.error(row) {
        return Err(error);
    }
    Ok(match stored.cell(row) {
        Cell::Num(num, den) => {
            let reduced = Fraction { num, den }.reduced();
            Cell::Num(reduced.num, reduced.den)
        }
        cell => cell,
    })
}

/// The expression on one spell, by kernel and by trace, is `want`.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "cases read better without borrows")]
fn check(source: &str, columns: &[(&'static str, Cell)], want: Result<Cell, RowError>) {
    let expr = compiled(source);
    let frames = one(columns).frames();
    let stored = expr.eval(&frames, &Basis::Spell, &[0], &calendar());
    assert_eq!(outcome(&stored, 0), want, "kernel: {source}");
    let steps = expr.trace(&frames, &Basis::Spell, 0, &calendar());
    assert_eq!(steps[0].value, want, "trace: {source}");
    assert_eq!(steps[0].source, source.trim(), "the first step is the whole expression");
}

#[track_caller]
fn is(source: &str, want: Cell) {
    check(source, &[], Ok(want));
}

#[test]
fn the_order_of_cap_and_deduction_is_the_rule_s_own() {
    let fee = [("fee", whole(90_000))];
    check("greatest(least(fee, cap) - copay, 0)", &fee, Ok(whole(40_000)));
    check("least(greatest(fee - copay, 0), cap)", &fee, Ok(whole(60_000)));
}

#[test]
fn halves_of_odd_days() {
    is("floor(open / 2)", whole(10));
    is("ceil(open / 2)", whole(11));
    is("open / 2", Cell::Num(21, 2));
    is("floor(-open / 2)", whole(-11));
    is("mod(small - 7, 3)", whole(2));
    is("mod(7 - small, -3)", whole(-2));
    check("mod(3, small)", &[], Err(RowError::DivisionByZero));
}

#[test]
fn money_rounds_to_yuan_and_to_stated_quanta() {
    let fee = [("fee", whole(123_456))];
    check("floor(fee)", &fee, Ok(whole(123_400)));
    check("ceil(fee)", &fee, Ok(whole(123_500)));
    check("round(fee, '10', 'half_up')", &fee, Ok(whole(123_000)));
    check("round(fee / 7, '0.01', 'half_up')", &fee, Ok(whole(17_637)));
    check("round(fee / 7, '0.1', 'up')", &fee, Ok(whole(17_640)));
}

#[test]
fn rounding_modes_on_both_sides_of_zero() {
    let cases = [
        ("half_up", 3, -3),
        ("half_even", 2, -2),
        ("up", 3, -3),
        ("down", 2, -2),
        ("floor", 2, -3),
        ("ceil", 3, -2),
    ];
    for (mode, above, below) in cases {
        check(
            &format!("round(share, '1', '{mode}')"),
            &[("share", Cell::Num(5, 2))],
            Ok(whole(above)),
        );
        check(
            &format!("round(share, '1', '{mode}')"),
            &[("share", Cell::Num(-5, 2))],
            Ok(whole(below)),
        );
        check(
            &format!("round(share / small, '1', '{mode}')"),
            &[("share", Cell::Num(5, 1)), ("small", whole(-2))],
            Ok(whole(below)),
        );
    }
    check(
        "round(share, '0.01', 'half_up')",
        &[("share", Cell::Num(1005, 1000))],
        Ok(Cell::Num(101, 100)),
    );
    check(
        "round(share, '0.01', 'half_even')",
        &[("share", Cell::Num(1005, 1000))],
        Ok(Cell::Num(1, 1)),
    );
    check(
        "round(share, '0.25', 'half_up')",
        &[("share", Cell::Num(1130, 1000))],
        Ok(Cell::Num(5, 4)),
    );
}

/// 26,000 to 60,000: the line at 59,000 is 1/34 above the lower end:
/// 4.27 - (59,000 - 26,000)/34,000 x (4.27 - 2.1425…) is replaced by the published pair below.
#[test]
fn a_taper_is_exact_between_its_ends() {
    // From 4.35 at 26,000 to 2.14 at 60,000; at 59,000: 4.35 - 2.21 x 33/34 = 2.205 exactly.
    let taper = "taper(small, 26000, 4.35, 60000, 2.14)";
    check(taper, &[("small", whole(59_000))], Ok(Cell::Num(441, 200)));
    check(taper, &[("small", whole(26_000))], Ok(Cell::Num(87, 20)));
    check(taper, &[("small", whole(1))], Ok(Cell::Num(87, 20)));
    check(taper, &[("small", whole(60_000))], Ok(Cell::Num(107, 50)));
    check(taper, &[("small", whole(99_999))], Ok(Cell::Num(107, 50)));
    let at = [("small", whole(59_000))];
    check(&format!("round({taper}, '0.01', 'half_up')"), &at, Ok(Cell::Num(221, 100)));
    check(&format!("round({taper}, '0.01', 'half_even')"), &at, Ok(Cell::Num(11, 5)));
}

#[test]
fn bands_marginal_and_whole() {
    let marginal = "tier(small, 'marginal', 20, 100, 50, 60, 30)";
    let all = "tier(small, 'whole', 20, 100, 50, 60, 30)";
    for (value, part, full) in
        [(0, 0, 0), (20, 2000, 2000), (21, 2060, 1260), (50, 3800, 3000), (60, 4100, 1800)]
    {
        let row = [("small", whole(value))];
        check(marginal, &row, Ok(whole(part)));
        check(all, &row, Ok(whole(full)));
    }
}

#[test]
fn months_on_the_last_days() {
    let from = |text: &str| [("from", Cell::Date(date(text)))];
    for (born, on, months) in [
        ("2024-01-31", "2024-02-29", 0),
        ("2024-01-31", "2024-03-01", 1),
        ("2024-01-29", "2024-02-29", 1),
        ("2023-01-30", "2023-02-28", 0),
        ("2023-09-15", "2026-09-14", 35),
        ("2023-09-15", "2026-09-15", 36),
        ("2026-09-15", "2026-08-15", -1),
    ] {
        let source = format!("months_between(from, DATE '{on}')");
        check(&source, &from(born), Ok(whole(months)));
    }
    check("add_months(from, 1)", &from("2024-01-31"), Ok(Cell::Date(date("2024-02-29"))));
    check("add_months(from, -12)", &from("2024-02-29"), Ok(Cell::Date(date("2023-02-28"))));
    check("add_months(from, 9999)", &from("2024-02-29"), Err(RowError::Overflow));
    check("add_days(from, 1)", &from("2024-02-28"), Ok(Cell::Date(date("2024-02-29"))));
    check("add_days(from, -open)", &from("2026-01-21"), Ok(Cell::Date(date("2025-12-31"))));
    check("add_days(from, 1)", &from("2199-12-31"), Err(RowError::Overflow));
    check("add_days(from, -1)", &from("1900-01-01"), Err(RowError::Overflow));
    // 31 August 2026 is a Monday, 6 September a Sunday.
    check("week_start(from)", &from("2026-09-06"), Ok(Cell::Date(date("2026-08-31"))));
    check("week_start(from)", &from("2026-08-31"), Ok(Cell::Date(date("2026-08-31"))));
    check("weekday(from)", &from("2026-08-31"), Ok(whole(1)));
    check("weekday(from)", &from("2026-09-06"), Ok(whole(7)));
    // The terms of England: a child of three is funded from the term after its birthday.
    let terms = "'09-01', '01-01', '04-01'";
    for (day, of, after) in [
        ("2025-03-31", "2025-01-01", "2025-04-01"),
        ("2025-04-01", "2025-04-01", "2025-09-01"),
        ("2025-12-31", "2025-09-01", "2026-01-01"),
    ] {
        let (of, after) = (Cell::Date(date(of)), Cell::Date(date(after)));
        check(&format!("term_of(from, {terms})"), &from(day), Ok(of));
        check(&format!("term_after(from, {terms})"), &from(day), Ok(after));
    }
    check("term_of(from, '09-01')", &from("1900-08-31"), Err(RowError::Overflow));
    check("term_after(from, '09-01')", &from("2199-09-01"), Err(RowError::Overflow));
    check("days_in(from)", &from("2100-02-10"), Ok(whole(28)));
    check("month_index(from)", &from("2026-09-10"), Ok(whole(2026 * 12 + 8)));
    check(
        "date_of(year(from), month(from), day(from))",
        &from("2026-09-10"),
        Ok(Cell::Date(date("2026-09-10"))),
    );
    check("date_of(2023, 2, small)", &[("small", whole(29))], Err(RowError::Overflow));
    // September 2026 has 22 weekdays; 1 September is a Tuesday.
    check("workdays(month_start, from)", &from("2026-09-30"), Ok(whole(22)));
    check("workdays(month_start, from)", &from("2026-08-31"), Ok(whole(0)));
    check(
        "overlap_days(from, DATE '2026-09-30', month_start, DATE '2026-09-20')",
        &from("2026-09-10"),
        Ok(whole(11)),
    );
}

#[test]
fn lookups_take_the_first_row_that_matches() {
    is("rate.base(age_class, coalesce(grade, ''))", whole(240_000));
    check("rate.base(班型, '三级')", &[], Ok(whole(200_000)));
    check("rate.base(age_class, '一级')", &[("age_class", text("托大班"))], Ok(Cell::Null));
    check(
        "rate.base(age_class, '三级')",
        &[("age_class", text("乳儿班"))],
        Err(RowError::TableMiss),
    );
    for (age, cell) in [
        (0, Ok(Cell::Num(5, 2))),
        (11, Ok(Cell::Num(5, 2))),
        (12, Ok(Cell::Num(1, 3))),
        (23, Ok(Cell::Num(1, 3))),
        (24, Ok(whole(7))),
        (25, Ok(whole(-2))),
        (-1, Err(RowError::TableMiss)),
    ] {
        check("band(age)", &[("age", whole(age))], cell);
    }
    check("rule.by_day(from)", &[("from", Cell::Date(date("2026-09-09")))], Ok(text("旧")));
    check("rule.by_day(from)", &[("from", Cell::Date(date("2026-09-10")))], Ok(text("新")));
}

#[test]
fn only_the_taken_branch_counts() {
    let guard = "CASE WHEN small = 0 THEN 0 ELSE 12 / small END";
    is(guard, whole(0));
    check(guard, &[("small", whole(8))], Ok(Cell::Num(3, 2)));
    is("small = 0 OR 1 / small > 2", Cell::Bool(true));
    is("small <> 0 AND 1 / small > 2", Cell::Bool(false));
    check("small = 0 AND 1 / small > 2", &[], Err(RowError::DivisionByZero));
    check("wide * wide * wide * wide", &[("wide", whole(1 << 62))], Err(RowError::Overflow));
    check("wide * wide / wide", &[("wide", whole(1 << 62))], Ok(whole(1 << 62)));
}

#[test]
fn null_is_never_zero() {
    let none = [("fee_other", Cell::Null)];
    check("coalesce(fee_other, copay)", &none, Ok(whole(30_000)));
    check("fee_other IS NULL", &none, Ok(Cell::Bool(true)));
    check("fee_other IS NOT NULL AND fee_other > fee", &none, Ok(Cell::Bool(false)));
    check("CASE WHEN fee_other IS NULL THEN fee ELSE fee + fee_other END", &none, Ok(whole(0)));
    check("fee_other", &none, Ok(Cell::Null));
    let bench = "CASE WHEN (service IS NOT NULL AND service = '全日托') \
        AND (rate.base(age_class, '一级')) IS NOT NULL \
        THEN round((rate.base(age_class, '一级')) * 1.10, '1', 'floor') ELSE NULL END";
    check(bench, &[], Ok(whole(264_000)));
    check(bench, &[("age_class", text("托大班"))], Ok(Cell::Null));
    check(bench, &[("service", text("半日托"))], Ok(Cell::Null));
    assert!(compiled(bench).nullable());
    assert_eq!(*compiled(bench).ty(), Ty::Num { integer: true, unit: unit("yuan") });
}

#[test]
fn texts_and_lists() {
    is("service IS NOT NULL AND service IN ('全日托', '半日托')", Cell::Bool(true));
    is("age_class NOT IN ('乳儿班')", Cell::Bool(true));
    is("small BETWEEN 0 AND 3 AND NOT small BETWEEN 1 AND 3", Cell::Bool(true));
    is("small IN (3, small)", Cell::Bool(true));
    is("CASE age_class WHEN '托小班' THEN '小' ELSE '大' END", text("小"));
    check("child = 'A-1'", &[("child", text("A-1"))], Ok(Cell::Bool(true)));
    check("length(child)", &[("child", text("超出的编号"))], Ok(whole(5)));
    check("starts_with(category, '低')", &[("category", text("低保"))], Ok(Cell::Bool(true)));
}

#[test]
fn units_combine_and_cancel() {
    for (source, wanted) in [
        ("fee * days / open", "yuan"),
        ("yearly / 12", "yuan"),
        ("days", "day"),
        ("places * share", "slot"),
        ("greatest(fee, 0)", "yuan"),
        ("least(cap, fee) / fee", ""),
        ("overlap_days(from, from, from, from)", "day"),
    ] {
        match compiled(source).ty() {
            Ty::Num { unit: found, .. } => assert_eq!(*found, unit(wanted), "{source}"),
            other => panic!("{source}: {other:?}"),
        }
    }
}

#[test]
fn aggregates_are_lifted_on_their_own_basis() {
    let source = "sum(fee) FILTER (WHERE 出勤天数 >= min_days) / count(spell)";
    let (expr, lifted) = compiled_with(source, &Basis::Institution).expect("compiles");
    assert_eq!(*expr.ty(), Ty::Num { integer: false, unit: unit("yuan/child") });
    assert_eq!(lifted.len(), 2);
    assert_eq!(&*lifted[0].name, "rule#1");
    assert_eq!(lifted[0].over, Basis::Spell);
    assert_eq!(lifted[0].function, Aggregate::Sum);
    assert_eq!(lifted[0].argument.as_ref().expect("an argument").source(), "fee");
    let filter = lifted[0].filter.as_ref().expect("a filter");
    assert_eq!(filter.source(), "出勤天数 >= min_days");
    assert_eq!(filter.cites()[0].id.as_ref(), "min_days");
    assert_eq!(lifted[1].function, Aggregate::Count);
    let reads: Vec<String> =
        expr.reads().iter().map(|(basis, name)| format!("{basis}.{name}")).collect();
    assert_eq!(reads, ["institution.rule#1", "institution.rule#2"]);
    let (expr, _) = compiled_with(
        "max(spell.fee_other) FILTER (WHERE fee_other IS NOT NULL)",
        &Basis::Institution,
    )
    .expect("the filter proves it");
    assert!(expr.nullable());
    let (expr, lifted) = compiled_with(
        "any(age_class = '托小班' AND days > 0) AND count_paid('operating.child') > 0",
        &Basis::Institution,
    )
    .map_err(|errors| errors[0].message.clone())
    .expect("compiles");
    assert_eq!((expr.ty(), lifted.len()), (&Ty::Bool, 2));
}

#[test]
fn a_trace_tells_rows_versions_and_branches() {
    let source = "CASE WHEN days >= min_days THEN rate.base(age_class, '一级') ELSE NULL END";
    let frames = one(&[("days", whole(12))]).frames();
    let steps = compiled(source).trace(&frames, &Basis::Spell, 0, &calendar());
    let told: Vec<(usize, &str, &str)> =
        steps.iter().map(|step| (step.depth, step.source.as_str(), step.note.as_str())).collect();
    assert_eq!(
        told,
        [
            (0, source, "branch 1"),
            (1, "days >= min_days", ""),
            (2, "min_days", "min_days@2026-01-01/2025-12-20 第五条"),
            (2, "days", ""),
            (
                1,
                "rate.base(age_class, '一级')",
                "rate.base@2026-01-01/2025-12-20 row 1 (托小班, 一级) 第五条"
            ),
            (2, "age_class", ""),
            (2, "'一级'", ""),
        ]
    );
}

#[test]
fn rounded_values_are_whole_columns() {
    let round = Rounding { quantum: (1, 1), mode: RoundingMode::HalfUp };
    let expr = compiled("fee * days / open");
    let frames = one(&[("fee", whole(100_000)), ("days", whole(20))]).frames();
    let stored = expr.eval_rounded(&frames, &Basis::Spell, &[0], &calendar(), round);
    // 1000.00 yuan x 20/21 = 952.380…
    assert_eq!(stored.cell(0), whole(95_238));
    let again = expr.rounded(round).eval(&frames, &Basis::Spell, &[0], &calendar());
    assert_eq!(again.cell(0), whole(95_238));
    let cents = Rounding { quantum: (1, 100), mode: RoundingMode::Down };
    let stored = compiled("share").eval_rounded(
        &one(&[("share", Cell::Num(1009, 1000))]).frames(),
        &Basis::Spell,
        &[0],
        &calendar(),
        cents,
    );
    assert_eq!(stored.cell(0), Cell::Num(100, 100));
}

#[test]
fn constants_are_known_without_rows() {
    for (source, value) in [
        ("1 + 2 * 3 - 4 / 8", Some(Cell::Num(13, 2))),
        ("cap * (1 + float_up)", Some(whole(77_000))),
        ("CASE WHEN TRUE THEN 1 ELSE 1 / 0.5 END", Some(whole(1))),
        ("first_day > DATE '2026-08-31'", Some(Cell::Bool(true))),
        ("fee", None),
        ("workdays(first_day, first_day)", None),
    ] {
        assert_eq!(compiled(source).constant(), value, "{source}");
    }
    assert!(compiled_on("places", &Basis::Institution).is_ok());
}

#[test]
fn wide_tables_and_long_lists_are_searched() {
    let expr = compiled("street(category, age)");
    let cases: Vec<(String, i128, Result<Cell, RowError>)> = (0..60)
        .map(|at| (format!("街道{at}"), at, Ok(whole(at))))
        .chain([
            ("街道7".to_owned(), 250, Ok(whole(777))),
            ("街道8".to_owned(), 99, Ok(whole(-1))),
            ("街道8".to_owned(), 100, Err(RowError::TableMiss)),
            ("别处".to_owned(), 0, Ok(whole(-1))),
            ("别处".to_owned(), -1, Err(RowError::TableMiss)),
        ])
        .collect();
    let spells = cases
        .iter()
        .map(|(street, age, _)| BTreeMap::from([("category", text(street)), ("age", whole(*age))]))
        .collect();
    let house_of = vec![None; cases.len()];
    let frames = Rows { spells, house_of, houses: vec![] }.frames();
    let rows: Vec<u32> = (0..u32::try_from(cases.len()).expect("few")).collect();
    for _ in 0..2 {
        let stored = expr.eval(&frames, &Basis::Spell, &rows, &calendar());
        for (row, (street, age, want)) in cases.iter().enumerate() {
            assert_eq!(outcome(&stored, row), *want, "{street} {age}");
        }
    }
}

#[test]
fn expressions_are_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&compiled("rate.base(age_class, '一级')"));
}

#[test]
fn absent_tables_and_unknown_parents_are_errors_of_the_row() {
    let mut rows = one(&[]);
    rows.house_of = vec![None];
    let frames = rows.frames();
    for (source, want) in [
        ("places", Err(RowError::NoParent)),
        ("CASE WHEN small = 0 THEN fee ELSE grant END IS NULL", Ok(Cell::Bool(false))),
        ("small = 0 OR filed", Ok(Cell::Bool(true))),
        ("coalesce(grade, '无') = '无'", Err(RowError::NoParent)),
        ("places / small", Err(RowError::NoParent)),
    ] {
        let expr = compiled(source);
        let stored = expr.eval(&frames, &Basis::Spell, &[0], &calendar());
        assert_eq!(outcome(&stored, 0), want, "{source}");
    }
    let empty = tuoyu::domain::Frames::default();
    let stored = compiled("fee + copay").eval(&empty, &Basis::Spell, &[0, 1], &calendar());
    assert_eq!(stored.error(1), Some(RowError::NoParent));
    let none = compiled("fee").eval(&frames, &Basis::Spell, &[], &calendar());
    assert_eq!(none.column.len(), 0);
}
