//! Random well-typed expressions and random rows, from one seed.

use std::collections::BTreeMap;

use tuoyu::domain::{Cell, Date};

use super::expr_world::{AGE_CLASSES, Rows, SERVICES};
use crate::dice::Dice;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Measure {
    Plain,
    Yuan,
    Day,
}

const PLAIN: [&str; 23] = [
    "small",
    "small",
    "share",
    "wide",
    "age",
    "3",
    "0.25",
    "1.005",
    "0",
    "7",
    "float_up",
    "band(age)",
    "ratio",
    "coalesce(exact, 1)",
    "coalesce(order, 2)",
    "length(category)",
    "length(child)",
    "month_index(from)",
    "day(opened)",
    "weekday(from)",
    "share.then",
    "band.then(age)",
    "(0 - 2)",
];
const YUAN: [&str; 9] = [
    "fee",
    "fee",
    "cap",
    "copay",
    "coalesce(fee_other, fee)",
    "coalesce(grant, copay)",
    "coalesce(rate.base(age_class, coalesce(grade, '二级')), fee)",
    "yearly / 12",
    "0",
];
const DAYS: [&str; 7] = [
    "days",
    "open",
    "min_days",
    "days_in_month",
    "overlap_days(from, coalesce(until, from), month_start, DATE '2026-09-30')",
    "workdays(from, coalesce(until, month_start))",
    "days_between(from, opened)",
];
const MODES: [&str; 6] = ["half_up", "half_even", "up", "down", "floor", "ceil"];
const QUANTA: [&str; 5] = ["0.01", "1", "10", "0.25", "3"];

/// A random condition, number, text or date.
pub(super) fn expression(dice: &mut Dice) -> String {
    match dice.below(10) {
        0..=2 => number(dice, Measure::Plain, 5),
        3..=5 => number(dice, Measure::Yuan, 5),
        6 => number(dice, Measure::Day, 4),
        7 => text(dice, 3),
        8 => day(dice, 3),
        _ => condition(dice, 5),
    }
}

fn number(dice: &mut Dice, measure: Measure, depth: usize) -> String {
    if depth == 0 || dice.below(6) == 0 {
        let leaves: &[&str] = match measure {
            Measure::Plain => &PLAIN,
            Measure::Yuan => &YUAN,
            Measure::Day => &DAYS,
        };
        return dice.pick(leaves).to_owned();
    }
    let same = |dice: &mut Dice| number(dice, measure, depth - 1);
    let plain = |dice: &mut Dice| number(dice, Measure::Plain, depth - 1);
    match dice.below(18) {
        0 => format!("({} + {})", same(dice), same(dice)),
        1 => format!("({} - {})", same(dice), same(dice)),
        2 => format!("({} * {})", same(dice), plain(dice)),
        3 => format!("({} * {})", plain(dice), same(dice)),
        4 => format!("({} / {})", same(dice), plain(dice)),
        5 => format!("({} / {})", same(dice), dice.pick(&["3", "12", "0.8", "(open / min_days)"])),
        6 => {
            let (top, bottom) = (number(dice, Measure::Day, 1), number(dice, Measure::Day, 1));
            format!("({} * {top} / {bottom})", same(dice))
        }
        7 => format!("least({}, {})", same(dice), same(dice)),
        8 => format!("greatest({}, {}, {})", same(dice), same(dice), same(dice)),
        9 => format!("{}({})", dice.pick(&["abs", "floor", "ceil", "-"]), same(dice)),
        10 | 11 => {
            let (quantum, mode) = (dice.pick(&QUANTA), dice.pick(&MODES));
            format!("round({}, '{quantum}', '{mode}')", same(dice))
        }
        12 | 13 => {
            let (test, yes, no) = (condition(dice, depth - 1), same(dice), same(dice));
            if dice.below(2) == 0 {
                return format!("CASE WHEN {test} THEN {yes} ELSE {no} END");
            }
            let (other, also) = (condition(dice, depth - 1), same(dice));
            format!("CASE WHEN {test} THEN {yes} WHEN {other} THEN {also} ELSE {no} END")
        }
        14 => {
            let how = dice.pick(&["marginal", "whole"]);
            let rate = same(dice);
            format!("tier({}, '{how}', 2, 0 - 1.5, 10, {rate}, {})", plain(dice), same(dice))
                .replace("0 - 1.5", if measure == Measure::Plain { "0.5" } else { "0" })
        }
        15 => {
            let (low, high) = (same(dice), same(dice));
            format!("taper({}, 1, {low}, 4, {high})", plain(dice))
        }
        16 => match measure {
            Measure::Yuan => format!(
                "CASE WHEN fee_other IS NOT NULL AND {} THEN fee_other + {} ELSE {} END",
                condition(dice, depth - 1),
                same(dice),
                same(dice)
            ),
            _ => format!("coalesce({}, {})", same(dice), same(dice)),
        },
        _ if measure == Measure::Plain => {
            format!("mod({}, {})", dice.pick(&["small", "wide", "age", "7"]), "floor(small * 2)")
        }
        _ => format!("({} * {})", same(dice), dice.pick(&["0.8", "1.10", "float_up", "2"])),
    }
}

fn condition(dice: &mut Dice, depth: usize) -> String {
    let leaves = [
        "known",
        "filed",
        "TRUE",
        "maybe IS NOT NULL",
        "maybe IS NOT NULL AND maybe",
        "coalesce(maybe, FALSE)",
        "until IS NULL OR until > from",
        "flag(known)",
        "child = 'C-3'",
        "child <> institution_id",
        "category = age_class",
        "grade IS NOT NULL AND grade <> '一级'",
        "rule.by_day(from) = '新'",
        "starts_with(category, '托')",
        "service IS NOT NULL AND service IN ('全日托', '半日托')",
    ];
    if depth == 0 || dice.below(5) == 0 {
        return format!("({})", dice.pick(&leaves));
    }
    match dice.below(8) {
        0 | 1 => {
            format!("({} AND {})", condition(dice, depth - 1), condition(dice, depth - 1))
        }
        2 => format!("({} OR {})", condition(dice, depth - 1), condition(dice, depth - 1)),
        3 => format!("(NOT {})", condition(dice, depth - 1)),
        4 => {
            let sign = dice.pick(&["=", "<>", "<", "<="]);
            format!("({} {sign} {})", day(dice, depth - 1), day(dice, depth - 1))
        }
        5 => format!("({} = {})", text(dice, depth - 1), text(dice, depth - 1)),
        6 => format!(
            "({} {}BETWEEN {} AND {})",
            number(dice, Measure::Plain, depth - 1),
            dice.pick(&["", "NOT "]),
            number(dice, Measure::Plain, depth - 1),
            number(dice, Measure::Plain, depth - 1)
        ),
        _ => {
            let measure = [Measure::Plain, Measure::Yuan, Measure::Day][dice.below(3)];
            let sign = dice.pick(&["=", "<>", "<", "<=", ">", ">="]);
            let (left, right) =
                (number(dice, measure, depth - 1), number(dice, measure, depth - 1));
            format!("({left} {sign} {right})")
        }
    }
}

fn day(dice: &mut Dice, depth: usize) -> String {
    if depth == 0 || dice.below(3) == 0 {
        let leaves =
            ["from", "opened", "month_start", "coalesce(until, from)", "DATE '2026-09-15'"];
        return dice.pick(&leaves).to_owned();
    }
    match dice.below(9) {
        0 => format!("least({}, {})", day(dice, depth - 1), day(dice, depth - 1)),
        1 => format!("greatest({}, {})", day(dice, depth - 1), day(dice, depth - 1)),
        2 => {
            format!("add_months({}, {})", day(dice, depth - 1), dice.pick(&["small", "-1", "wide"]))
        }
        4 => format!(
            "add_days({}, {})",
            day(dice, depth - 1),
            dice.pick(&["small", "-1", "wide", "days", "open"])
        ),
        5 => format!("week_start({})", day(dice, depth - 1)),
        6 => format!(
            "{}({}, {})",
            dice.pick(&["term_of", "term_after"]),
            day(dice, depth - 1),
            dice.pick(&["'09-01'", "'09-01', '01-01', '04-01'", "'12-31', '02-28'"])
        ),
        3 => format!(
            "date_of(year({}), 2, {})",
            day(dice, depth - 1),
            dice.pick(&["29", "age", "1"])
        ),
        _ => format!(
            "CASE WHEN {} THEN {} ELSE {} END",
            condition(dice, depth - 1),
            day(dice, depth - 1),
            day(dice, depth - 1)
        ),
    }
}

fn text(dice: &mut Dice, depth: usize) -> String {
    if depth == 0 || dice.below(2) == 0 {
        let leaves =
            ["category", "category", "rule.by_day(from)", "coalesce(grade, '无')", "'低保'"];
        return dice.pick(&leaves).to_owned();
    }
    format!(
        "CASE WHEN {} THEN {} ELSE {} END",
        condition(dice, depth - 1),
        text(dice, depth - 1),
        text(dice, depth - 1)
    )
}

fn whole(dice: &mut Dice, spread: usize) -> Cell {
    Cell::Num(i128::try_from(dice.below(spread)).expect("small"), 1)
}

fn date(dice: &mut Dice) -> Cell {
    let base = Date::parse_iso("2026-08-20").expect("a date").days();
    Cell::Date(match dice.below(8) {
        0 => Date::parse_iso("2024-02-29").expect("a date"),
        1 => Date::parse_iso("1999-12-31").expect("a date"),
        _ => Date::from_days(base + i32::try_from(dice.below(50)).expect("small")),
    })
}

fn of(dice: &mut Dice, values: &[&str]) -> Cell {
    Cell::Text(dice.pick(values).to_owned())
}

/// The cell, or null one time in four.
fn maybe(dice: &mut Dice, cell: Cell) -> Cell {
    if dice.below(4) == 0 { Cell::Null } else { cell }
}

/// Numbers at the edges of 64 and 128 bits.
fn wide(dice: &mut Dice) -> Cell {
    let edges: [i128; 8] =
        [0, 1, -1, 1 << 40, -(1 << 62), i128::from(i64::MAX), i128::from(i64::MIN), 3_037_000_500];
    Cell::Num(edges[dice.below(edges.len())], 1)
}

fn exact(dice: &mut Dice, extreme: bool) -> Cell {
    let tops: [i128; 6] = [1, -2, 5, 0, 1_000_003, if extreme { i128::MAX / 3 } else { 12 }];
    let dens: [i128; 5] = [1, 3, 7, 64, if extreme { 1 << 100 } else { 1_000_000_007 }];
    Cell::Num(tops[dice.below(tops.len())], dens[dice.below(dens.len())])
}

/// Random spells in random institutions, some of them unknown.
pub(super) fn rows(dice: &mut Dice, spells: usize, extreme: bool) -> Rows {
    let houses = 1 + dice.below(4);
    let house = |dice: &mut Dice, at: usize| {
        let (grade, grant) = (of(dice, &["一级", "二级", "三级"]), whole(dice, 1_000_000));
        BTreeMap::from([
            ("institution_id", Cell::Text(format!("C-{at}"))),
            ("grade", maybe(dice, grade)),
            ("places", whole(dice, 200)),
            ("filed", Cell::Bool(dice.below(2) == 0)),
            ("grant", maybe(dice, grant)),
            ("ratio", Cell::Num(i128::try_from(dice.below(3000)).expect("small") - 1000, 1000)),
            ("opened", date(dice)),
        ])
    };
    let spell = |dice: &mut Dice| {
        let fee = if extreme { 999_999_999_999 } else { 300_000 };
        let (other, order, ratio, flag, until) = (
            whole(dice, 100_000),
            whole(dice, 3),
            exact(dice, extreme),
            Cell::Bool(dice.below(2) == 0),
            date(dice),
        );
        let service = of(dice, &SERVICES);
        let children = ["C-1", "C-3", "中文编号", "x", "a-long-identifier-beyond-21-letters"];
        BTreeMap::from([
            ("fee", whole(dice, fee)),
            ("fee_other", maybe(dice, other)),
            ("days", whole(dice, 23)),
            ("open", whole(dice, 23)),
            ("age", whole(dice, 40)),
            ("small", Cell::Num(i128::try_from(dice.below(11)).expect("small") - 5, 1)),
            ("order", maybe(dice, order)),
            ("share", Cell::Num(i128::try_from(dice.below(4000)).expect("small") - 1000, 1000)),
            ("exact", maybe(dice, ratio)),
            ("wide", if extreme { wide(dice) } else { whole(dice, 1 << 20) }),
            ("age_class", of(dice, &AGE_CLASSES)),
            ("service", maybe(dice, service)),
            ("category", of(dice, &["低保", "残疾", "托小班", "", "残疾孤儿"])),
            ("child", of(dice, &children)),
            ("known", Cell::Bool(dice.below(2) == 0)),
            ("maybe", maybe(dice, flag)),
            ("from", date(dice)),
            ("until", maybe(dice, until)),
        ])
    };
    let house_of = |dice: &mut Dice| (dice.below(9) != 0).then(|| dice.below(houses));
    Rows {
        spells: (0..spells).map(|_| spell(dice)).collect(),
        house_of: (0..spells).map(|_| house_of(dice)).collect(),
        houses: (0..houses).map(|at| house(dice, at)).collect(),
    }
}
