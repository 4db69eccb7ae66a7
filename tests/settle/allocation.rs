//! Tests of room `allocation`.

use proptest::prelude::*;
use tuoyu::allocation::{SplitShares, both_margins, split_total};
use tuoyu::law::SplitMethod;

fn shares(weights: &[i128], method: SplitMethod, quantum: i64) -> SplitShares {
    SplitShares::new(weights, method, quantum).expect("weights above zero")
}

/// (total, weights, method, quantum, parts), all by hand.
type Case = (i64, &'static [i128], SplitMethod, i64, &'static [i64]);

#[test]
fn parts_sum_and_the_fen_left_over_go_where_the_method_says() {
    use SplitMethod::{LargestRemainder, ResidualFirst, ResidualLast};
    let cases: [Case; 16] = [
        // DOMAIN 4.4: 100 yuan in thirds; 200 yuan, the province half, the rest by three.
        (10_000, &[1, 1, 1], LargestRemainder, 1, &[3_334, 3_333, 3_333]),
        (20_000, &[3, 1, 1, 1], LargestRemainder, 1, &[10_000, 3_334, 3_333, 3_333]),
        // The bench: permille weights by district.
        (1_003, &[600, 200, 100, 100], LargestRemainder, 1, &[602, 201, 100, 100]),
        (1_007, &[400, 300, 200, 100], LargestRemainder, 1, &[403, 302, 201, 101]),
        (1_005, &[0, 500, 300, 200], LargestRemainder, 1, &[0, 503, 301, 201]),
        // Rounding is symmetric: the split of a receivable is negated.
        (-10_000, &[1, 1, 1], LargestRemainder, 1, &[-3_334, -3_333, -3_333]),
        (-103, &[1, 1, 1, 1], ResidualLast, 1, &[-25, -25, -25, -28]),
        (10_001, &[1, 1, 1], ResidualLast, 1, &[3_333, 3_333, 3_335]),
        (10_001, &[1, 1, 1], ResidualFirst, 1, &[3_335, 3_333, 3_333]),
        // A source whose weight is zero never takes a rest.
        (10_001, &[1, 1, 0], ResidualLast, 1, &[5_000, 5_001, 0]),
        (10_001, &[0, 1, 1], ResidualFirst, 1, &[0, 5_001, 5_000]),
        // Whole yuan: 100.50 in thirds is 33 yuan each; one yuan and then the half are left.
        (10_050, &[1, 1, 1], LargestRemainder, 100, &[3_400, 3_350, 3_300]),
        (10_050, &[1, 1, 1], ResidualLast, 100, &[3_300, 3_300, 3_450]),
        (0, &[1, 2], LargestRemainder, 1, &[0, 0]),
        (1, &[1, 2], LargestRemainder, 1, &[0, 1]),
        (2, &[1, 1, 1], LargestRemainder, 1, &[1, 1, 0]),
    ];
    for (total, weights, method, quantum, parts) in cases {
        let found = split_total(total, &shares(weights, method, quantum));
        assert_eq!(found.as_deref(), Some(parts), "{total} over {weights:?} {method:?} {quantum}");
    }
}

#[test]
fn weights_must_be_weights() {
    use SplitMethod::LargestRemainder;
    assert_eq!(SplitShares::new(&[0, 0], LargestRemainder, 1), None);
    assert_eq!(SplitShares::new(&[], LargestRemainder, 1), None);
    assert_eq!(SplitShares::new(&[1, -1], LargestRemainder, 1), None);
    assert_eq!(SplitShares::new(&[1], LargestRemainder, 0), None);
}

#[test]
fn items_fill_the_sources_of_the_institution() {
    let thirds = shares(&[1, 1, 1], SplitMethod::LargestRemainder, 1);
    // 100 + 101 = 201: 67 each. Floors 33 33 33 and 33 33 33; the fen left of the first item goes
    // to the first source (all equally below), then the two of the second to the others.
    assert_eq!(both_margins(&[100, 101], &thirds), Some(vec![34, 33, 33, 33, 34, 34]));
    // A receivable beside a payable: 200 - 100 = 100 is 34 33 33. Floors 66 66 66 and -34 -34 -34
    // leave the sources 2, 1, 1 short. The first item's two fen go to the first source: it is
    // furthest below, and after the first fen it stands first among equals. The second's two go to
    // the others.
    assert_eq!(both_margins(&[200, -100], &thirds), Some(vec![68, 66, 66, -34, -33, -33]));
    assert_eq!(both_margins(&[], &thirds), Some(vec![]));
}

proptest! {
    #[test]
    fn both_margins_hold(
        totals in proptest::collection::vec(-1_000_000_i64..1_000_000_000, 1..8),
        weights in proptest::collection::vec(0_i128..1_000, 1..6),
        method in 0_usize..3,
        quantum in prop_oneof![Just(1_i64), Just(100), Just(10_000)],
    ) {
        prop_assume!(weights.iter().any(|weight| *weight > 0));
        let method = [
            SplitMethod::LargestRemainder,
            SplitMethod::ResidualFirst,
            SplitMethod::ResidualLast,
        ][method];
        let shares = shares(&weights, method, quantum);
        let cells = both_margins(&totals, &shares).expect("small sums");
        for (total, row) in totals.iter().zip(cells.chunks(weights.len())) {
            prop_assert_eq!(*total, row.iter().sum::<i64>());
        }
        let goal = split_total(totals.iter().sum(), &shares).expect("small sums");
        for (source, goal) in goal.iter().enumerate() {
            let column: i64 = cells.iter().skip(source).step_by(weights.len()).sum();
            prop_assert_eq!(*goal, column);
        }
        // A source without weight pays nothing.
        for row in cells.chunks(weights.len()) {
            for (cell, weight) in row.iter().zip(&weights) {
                prop_assert!(*weight > 0 || *cell == 0);
            }
        }
    }

    /// Payables only, to the fen: no cell is below its floor, and none moves by more than the number
    /// of sources.
    #[test]
    fn cells_stay_near_their_shares(
        totals in proptest::collection::vec(0_i64..1_000_000_000, 1..8),
        weights in proptest::collection::vec(1_i128..1_000, 1..6),
    ) {
        let shares = shares(&weights, SplitMethod::LargestRemainder, 1);
        let cells = both_margins(&totals, &shares).expect("small sums");
        let sum: i128 = weights.iter().sum();
        for (total, row) in totals.iter().zip(cells.chunks(weights.len())) {
            for (cell, weight) in row.iter().zip(&weights) {
                let floor = i128::from(*total) * weight / sum;
                let above = i128::from(*cell) - floor;
                let most = i128::try_from(weights.len()).expect("few");
                prop_assert!((0..=most).contains(&above));
            }
        }
    }
}
