//! Random expressions on random rows: kernels, trace and SQL give the same value, null or error.

use proptest::prelude::*;

use tuoyu::domain::{Basis, Cell, Fraction, Frames, Rounding, RoundingMode, RowError, Stored};
use tuoyu::law::expr::{Expr, join};

use super::expr_random::{expression, rows};
use super::expr_world::{calendar, compiled_on};
use crate::dice::Dice;

type Outcome = Result<Cell, RowError>;

fn lowest(cell: Cell) -> Cell {
    match cell {
        Cell::Num(num, den) => {
            let reduced = Fraction { num, den }.reduced();
            Cell::Num(reduced.num, reduced.den)
        }
        other => other,
    }
}

fn by_kernel(stored: &Stored, row: usize) -> Outcome {
    stored.error(row).map_or_else(|| Ok(lowest(stored.cell(row))), Err)
}

fn by_trace(expr: &Expr, frames: &Frames, row: u32) -> Outcome {
    expr.trace(frames, &Basis::Spell, row, &calendar())[0].value.clone()
}

/// Kernels on all rows, on some rows and in two chunks give what the trace gives.
fn agree(seed: u64, extreme: bool) -> Result<bool, TestCaseError> {
    let mut dice = Dice(seed);
    let source = expression(&mut dice);
    let Ok(expr) = compiled_on(&source, &Basis::Spell) else { return Ok(false) };
    let count = 1 + dice.below(60);
    let frames = rows(&mut dice, count, extreme).frames();
    let calendar = calendar();
    let all: Vec<u32> = (0..u32::try_from(count).expect("few")).collect();
    let some: Vec<u32> = all.iter().copied().filter(|_| dice.below(3) != 0).collect();
    let whole = expr.eval(&frames, &Basis::Spell, &all, &calendar);
    let partial = expr.eval(&frames, &Basis::Spell, &some, &calendar);
    let (first, second) = all.split_at(count / 2);
    let joined = join(vec![
        expr.eval(&frames, &Basis::Spell, first, &calendar),
        expr.eval(&frames, &Basis::Spell, second, &calendar),
    ]);
    for row in &all {
        let want = by_trace(&expr, &frames, *row);
        let place = usize::try_from(*row).expect("few");
        prop_assert_eq!(by_kernel(&whole, place), want.clone(), "row {} of {}", row, source);
        prop_assert_eq!(
            by_kernel(&joined, place),
            want.clone(),
            "joined row {} of {}",
            row,
            source
        );
        if !expr.nullable() {
            prop_assert_ne!(want.clone(), Ok(Cell::Null), "a null from {}", source);
        }
        if let Ok(index) = some.binary_search(row) {
            prop_assert_eq!(by_kernel(&partial, index), want, "some row {} of {}", row, source);
        }
    }
    let round = Rounding { quantum: (1, 1), mode: RoundingMode::WORDS[dice.below(6)].1 };
    let rounded = expr.rounded(round);
    if matches!(expr.ty(), tuoyu::law::Ty::Num { .. }) {
        let stored = expr.eval_rounded(&frames, &Basis::Spell, &some, &calendar, round);
        for (index, row) in some.iter().enumerate() {
            let want = match by_trace(&rounded, &frames, *row) {
                Ok(Cell::Num(num, _)) if i64::try_from(num).is_err() => Err(RowError::Overflow),
                other => other,
            };
            prop_assert_eq!(by_kernel(&stored, index), want, "rounded row {} of {}", row, source);
        }
    }
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn kernels_and_trace_agree(seed in any::<u64>()) {
        agree(seed, false)?;
    }

    #[test]
    fn kernels_and_trace_agree_at_the_edges_of_the_machine(seed in any::<u64>()) {
        agree(seed, true)?;
    }

    #[test]
    fn no_text_makes_the_compiler_panic(source in "\\PC{0,120}") {
        let _ = compiled_on(&source, &Basis::Spell);
    }

    #[test]
    fn no_sequence_of_words_makes_the_compiler_panic(
        words in prop::collection::vec(prop::sample::select(vec![
            "(", ")", "CASE", "WHEN", "THEN", "ELSE", "END", "AND", "OR", "NOT", "IN", "BETWEEN",
            "IS", "NULL", "+", "-", "*", "/", "=", "<", ",", ".", "fee", "small", "known", "1", "0.5",
            "'托小班'", "round", "sum", "FILTER", "WHERE", "DATE", "'2026-01-01'", "count", "spell",
            "tier", "rate.base", "coalesce", "from", "SELECT", "服务类型", "\n",
        ]), 0..40)
    ) {
        let _ = compiled_on(&words.join(" "), &Basis::Institution);
        let _ = compiled_on(&words.join(" "), &Basis::Spell);
    }
}

#[test]
fn most_random_expressions_compile() {
    let good = (0..400_u64)
        .filter(|seed| {
            let source = expression(&mut Dice(*seed));
            let compiled = compiled_on(&source, &Basis::Spell);
            if let Err(errors) = &compiled
                && *seed < 60
            {
                println!("{source}\n    {}", errors[0].message);
            }
            compiled.is_ok()
        })
        .count();
    assert!(good > 300, "only {good} of 400 random expressions compile");
}
