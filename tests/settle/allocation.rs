//! Tests of room `allocation`.

use super::district::{
    district, entitlements, expr, head, item_rule, keys, law_of_month, month, no_law, ruled, texts,
    whole, with,
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use tuoyu::allocation::{
    Allocation, AllocationError, BudgetLine, PostedLine, SplitShares, allocate, both_margins,
    split_total,
};
use tuoyu::domain::{Basis, Calendar, Column, Frame, Frames, RowError, Stored};
use tuoyu::history::Past;
use tuoyu::law::{
    Apportion, CapRule, CapStage, ExclusionRule, Law, ShortageMethod, ShortageRule, SplitMethod,
    SplitRule, SplitScope, Window,
};
use tuoyu::subsidy::{Entitlements, ItemLines, LineStatus};

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

    /// Payables only, to the fen: no cell is below its floor, and none moves by more than the
    /// number of sources.
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

/// Adds children: (institution row or `NO_ROW`, id), in the order of a file.
pub(super) fn children(frames: &mut Frames, ids: &[&str], rows: &[(u32, &str)]) {
    let mut frame = Frame::new(Basis::Child, rows.len());
    let id = |row: u32| ids.get(row as usize).copied().unwrap_or("");
    frame.put("institution_id", keys(&rows.iter().map(|(row, _)| id(*row)).collect::<Vec<_>>()));
    frame.put("child_ref", keys(&rows.iter().map(|(_, child)| *child).collect::<Vec<_>>()));
    frame.links.insert(Basis::Institution, rows.iter().map(|(row, _)| *row).collect());
    frame.links.insert(Basis::Programme, vec![0; rows.len()]);
    frames.put(frame);
}

pub(super) fn cap(items: &[&str], key: Option<Basis>, limit: &str) -> CapRule {
    let limit = expr(limit, key.as_ref().unwrap_or(&Basis::Child));
    CapRule {
        head: head("cap"),
        items: items.iter().map(|item| Arc::from(*item)).collect(),
        stage: CapStage::Institution,
        key,
        across: false,
        window: Window::Month,
        limit,
        round: None,
        quantity: None,
        apportion: Apportion::LargestRemainder,
        pays_others: false,
    }
}

fn split(parts: &[(&str, &str)], scope: SplitScope) -> SplitRule {
    let part =
        |(source, weight): &(&str, &str)| (Arc::from(*source), expr(weight, &Basis::Institution));
    SplitRule {
        head: head("funding"),
        scope,
        parts: parts.iter().map(part).collect(),
        method: SplitMethod::LargestRemainder,
        quantum: 1,
    }
}

pub(super) fn law(change: impl FnOnce(&mut Law)) -> Law {
    let mut law = no_law(month("2026-09"));
    change(&mut law);
    law
}

pub(super) fn child_lines(amount: &[i64]) -> ItemLines {
    ruled(item_rule("child", &Basis::Child, ""), amount)
}

pub(super) fn run(
    law: Law,
    frames: &Frames,
    items: Vec<ItemLines>,
    budget: &[BudgetLine],
    posted: &[PostedLine],
) -> (Entitlements, Result<Allocation, AllocationError>) {
    let law = law_of_month(law, Calendar { every_year: true, ..Calendar::default() });
    let mut entitlements = entitlements(items);
    let allocation = allocate(
        &law,
        frames,
        &mut entitlements,
        Some(budget),
        posted,
        &Past::UNKNOWN,
        month("2026-09"),
    );
    if let Ok(allocation) = &allocation {
        check_sums(&entitlements, allocation);
    }
    (entitlements, allocation)
}

/// Checks what every allocation keeps: cells are the lines' money, shares explain the cells.
fn check_sums(entitlements: &Entitlements, allocation: &Allocation) {
    let sum = |of: &dyn Fn(&ItemLines) -> i64| entitlements.items.iter().map(of).sum::<i64>();
    let in_kind = |lines: &ItemLines| lines.rules.iter().flatten().any(|rule| rule.in_kind);
    let allocated =
        sum(&|lines| if in_kind(lines) { 0 } else { lines.allocated.iter().sum::<i64>() });
    let gross = sum(&|lines| if in_kind(lines) { 0 } else { lines.amount.iter().sum::<i64>() });
    assert_eq!(allocated, allocation.cells.iter().map(|cell| cell.fen).sum::<i64>());
    assert_eq!(gross, allocation.shares.iter().map(|share| share.gross_fen).sum::<i64>());
    for share in &allocation.shares {
        assert_eq!(share.cell.fen, share.gross_fen - share.cut_fen - share.carried_fen);
        assert!(share.cut_fen >= 0 && share.carried_fen >= 0);
    }
    for lines in &entitlements.items {
        for (row, status) in lines.status.iter().enumerate() {
            let paid = *status == LineStatus::Paid;
            assert_eq!(paid, lines.allocated[row] != 0, "{} row {row}", lines.item);
            assert!(paid || *status == LineStatus::Absent || lines.reason[row] != 0);
        }
    }
}

fn reason(entitlements: &Entitlements, item: usize, row: usize) -> &str {
    entitlements.reasons.text(u32::from(entitlements.items[item].reason[row]))
}

/// Allocated fen by child, whatever the order of the rows.
fn by_child(frames: &Frames, entitlements: &Entitlements) -> BTreeMap<String, i64> {
    let frame = frames.get(&Basis::Child).expect("children");
    let Column::Key(ids) = &frame.get("child_ref").expect("ids").column else {
        return BTreeMap::new();
    };
    let fen = &entitlements.items[0].allocated;
    (0..frame.rows).map(|row| (ids.text(row), fen[row])).collect()
}

pub(super) const IDS: [&str; 3] = ["I1", "I2", "I3"];

/// I1 has 100 + 100 + 100 under 200, I2 100 under 200, I3 no limit.
#[test]
fn an_institution_cap_cuts_by_largest_remainder_and_ties_by_id() {
    let rows = [(0, "c3"), (1, "c4"), (0, "c1"), (2, "c5"), (0, "c2")];
    let shuffled = [(0, "c2"), (2, "c5"), (0, "c3"), (0, "c1"), (1, "c4")];
    for rows in [rows, shuffled] {
        let mut frames = district(&IDS);
        let limit = Stored::nullable(Column::whole(vec![200, 200, 0]), vec![false, false, true]);
        with(&mut frames, "maybe_limit", limit);
        children(&mut frames, &IDS, &rows);
        let law = law(|law| {
            let cap = cap(&["child"], Some(Basis::Institution), "maybe_limit");
            law.caps.push(Arc::new(cap));
        });
        let (lines, allocation) = run(law, &frames, vec![child_lines(&[100; 5])], &[], &[]);
        let allocation = allocation.expect("allocated");
        // 100 are cut from three equal lines: 33 each and one fen more from the first by id.
        let expected = [("c1", 66), ("c2", 67), ("c3", 67), ("c4", 100), ("c5", 100)];
        let expected: BTreeMap<String, i64> =
            expected.into_iter().map(|(child, fen)| (child.to_owned(), fen)).collect();
        assert_eq!(by_child(&frames, &lines), expected);
        assert_eq!(allocation.cuts.len(), 1);
        let cut = &allocation.cuts[0];
        assert_eq!((cut.before, cut.limit, cut.cut_fen), (300, 200, 100));
        assert_eq!((cut.institution, cut.key.as_str()), (Some(0), "institution I1"));
    }
}

#[test]
fn a_limit_without_a_value_refuses_the_lines_under_it() {
    let mut frames = district(&IDS);
    let limit = Stored {
        column: Column::whole(vec![0, 60, 0]),
        nulls: Some(vec![false, false, true]),
        errors: Some(vec![Some(RowError::TableMiss), None, None]),
    };
    with(&mut frames, "maybe_limit", limit);
    children(&mut frames, &IDS, &[(0, "a"), (1, "b"), (2, "c"), (Frame::NO_ROW, "d")]);
    let mut cap = cap(&["child"], Some(Basis::Institution), "0");
    cap.limit =
        expr("CASE WHEN maybe_limit IS NULL THEN 1000 ELSE maybe_limit END", &Basis::Institution);
    let law = law(|law| law.caps.push(Arc::new(cap)));
    let (lines, allocation) = run(law, &frames, vec![child_lines(&[100; 4])], &[], &[]);
    allocation.expect("allocated");
    assert_eq!(
        lines.items[0].status,
        [LineStatus::Refused, LineStatus::Paid, LineStatus::Paid, LineStatus::Refused]
    );
    assert_eq!(lines.items[0].allocated, [0, 60, 100, 0]);
    assert_eq!(lines.items[0].amount, [0, 100, 100, 0]);
    assert_eq!((reason(&lines, 0, 0), reason(&lines, 0, 3)), ("table_miss", "no_parent_row"));
}

/// Two spells of one child share the child's cap; there are more children than institutions.
#[test]
fn spells_share_the_cap_of_their_child() {
    let mut frames = district(&IDS);
    let of = [(0, "a"), (0, "b"), (1, "c"), (1, "d"), (2, "e")];
    children(&mut frames, &IDS, &of);
    let limits = whole(&[150, 150, 150, 150, 150]);
    frames.get_mut(&Basis::Child).expect("children").put("limit_here", limits);
    let mut spells = Frame::new(Basis::Spell, 4);
    spells.put("child_ref", keys(&["d", "d", "e", "a"]));
    spells.put("service", texts(&["全日托", "半日托", "全日托", "全日托"]));
    spells.links.insert(Basis::Child, vec![3, 3, 4, 0]);
    spells.links.insert(Basis::Institution, vec![1, 1, 2, 0]);
    frames.put(spells);
    let rules = law(|law| {
        law.caps.push(Arc::new(cap(&["spell"], Some(Basis::Child), "limit_here")));
    });
    let items = vec![ruled(item_rule("spell", &Basis::Spell, ""), &[100, 100, 150, 151])];
    let (lines, allocation) = run(rules, &frames, items, &[], &[]);
    assert_eq!(lines.items[0].allocated, [75, 75, 150, 150]);
    // Findings count rows and never name a child.
    let cuts = allocation.expect("allocated").cuts;
    let told: Vec<(&str, i64)> = cuts.iter().map(|cut| (cut.key.as_str(), cut.cut_fen)).collect();
    assert_eq!(
        told,
        [("institution I1, rows of child: 1", 1), ("institution I2, rows of child: 1", 50)]
    );
}

#[test]
fn each_line_stands_alone_under_a_cap_by_line() {
    let mut frames = district(&IDS);
    children(&mut frames, &IDS, &[(0, "a"), (0, "b"), (0, "c")]);
    frames.get_mut(&Basis::Child).expect("children").put("limit_here", whole(&[80, 0, 500]));
    let law = law(|law| law.caps.push(Arc::new(cap(&["child"], None, "limit_here / 3"))));
    let (lines, allocation) = run(law, &frames, vec![child_lines(&[100; 3])], &[], &[]);
    // 80 / 3 = 26.67 is floored to the fen.
    assert_eq!(lines.items[0].allocated, [26, 0, 100]);
    assert_eq!(reason(&lines, 0, 1), "cap_exhausted");
    assert_eq!(lines.cutters.text(u32::from(lines.items[0].cut_by[0])), "cap");
    let cuts = allocation.expect("allocated").cuts;
    assert_eq!((cuts.len(), cuts[0].cut_fen), (1, 174));
}

#[test]
fn a_queue_serves_rows_by_their_values_whatever_their_order() {
    let rows: [(u32, &str, i64); 4] = [(0, "c1", 2), (0, "c2", 3), (0, "c3", 3), (0, "c4", 1)];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let rows: Vec<_> = order.iter().map(|place: &usize| rows[*place]).collect();
        let mut frames = district(&IDS);
        with(&mut frames, "limit_here", whole(&[250, 0, 0]));
        let plain: Vec<(u32, &str)> = rows.iter().map(|(at, id, _)| (*at, *id)).collect();
        children(&mut frames, &IDS, &plain);
        let ranks: Vec<i64> = rows.iter().map(|(_, _, rank)| *rank).collect();
        frames.get_mut(&Basis::Child).expect("children").put("birth_rank", whole(&ranks));
        let mut cap = cap(&["child"], Some(Basis::Institution), "limit_here");
        cap.apportion = Apportion::Queue(vec![(Arc::from("birth_rank"), true)]);
        let law = law(|law| law.caps.push(Arc::new(cap)));
        let (lines, _) = run(law, &frames, vec![child_lines(&[100; 4])], &[], &[]);
        // Rank 3 first, c2 before c3 by id, then rank 2 with the 50 left.
        let expected = [("c1", 50), ("c2", 100), ("c3", 100), ("c4", 0)];
        let expected: BTreeMap<String, i64> =
            expected.into_iter().map(|(child, fen)| (child.to_owned(), fen)).collect();
        assert_eq!(by_child(&frames, &lines), expected);
    }
}

#[test]
fn quantities_are_used_up_in_order_or_in_proportion() {
    for (apportion, expected) in [
        // 10 days of 6 + 6 + 1: the second keeps floor(1000 x 4 / 6), the third nothing.
        (Apportion::Queue(vec![]), [1_000, 666, 0, 70]),
        // 13 days against 10: of 2,100 floor(1615.38) is kept and 485 cut: 230.95, 230.95, 23.10.
        (Apportion::LargestRemainder, [769, 769, 77, 70]),
    ] {
        let mut frames = district(&IDS);
        with(&mut frames, "limit_here", whole(&[10, 0, 0]));
        children(&mut frames, &IDS, &[(0, "a"), (0, "b"), (0, "c"), (0, "d")]);
        // The last line uses nothing up and keeps its money.
        frames.get_mut(&Basis::Child).expect("children").put("days", whole(&[6, 6, 1, 0]));
        let mut cap = cap(&["child"], Some(Basis::Institution), "limit_here");
        cap.quantity = Some(BTreeMap::from([(Arc::from("child"), expr("days", &Basis::Child))]));
        cap.apportion = apportion;
        let law = law(|law| law.caps.push(Arc::new(cap)));
        let amounts = [1_000, 1_000, 100, 70];
        let (lines, allocation) = run(law, &frames, vec![child_lines(&amounts)], &[], &[]);
        assert_eq!(lines.items[0].allocated, expected);
        let cut = &allocation.expect("allocated").cuts[0];
        assert_eq!((cut.before, cut.limit), (13, 10));
    }
}

#[test]
fn of_items_that_exclude_each_other_one_stays() {
    let item = |id: &str, fen: &[i64]| ruled(item_rule(id, &Basis::Child, ""), fen);
    let (first, second) = ([100, 50, 70, 80], [90, 60, 70, 0]);
    for (highest, expected) in
        [(true, [[100, 0, 70, 80], [0, 60, 0, 0]]), (false, [[100, 50, 70, 80], [0, 0, 0, 0]])]
    {
        let mut frames = district(&IDS);
        children(&mut frames, &IDS, &[(0, "a"), (0, "b"), (1, "c"), (2, "d")]);
        let law = law(|law| {
            law.exclusions.push(Arc::new(ExclusionRule {
                head: head("either"),
                items: vec![Arc::from("voucher"), Arc::from("cash")],
                key: Basis::Child,
                highest,
            }));
        });
        let items = vec![item("voucher", &first), item("cash", &second)];
        let (lines, allocation) = run(law, &frames, items, &[], &[]);
        allocation.expect("allocated");
        assert_eq!(
            [&lines.items[0].allocated[..], &lines.items[1].allocated[..]],
            [&expected[0][..], &expected[1][..]]
        );
        assert_eq!(lines.items[1].status[0], LineStatus::Zero);
        assert_eq!(reason(&lines, 1, 0), "excluded");
        assert_eq!(lines.items[1].amount[0], 90, "the amount before cuts stays");
    }
}

fn budget(source: &str, doc: &str, balance_fen: i64) -> BudgetLine {
    BudgetLine {
        budget_doc_no: doc.to_owned(),
        source: source.to_owned(),
        balance_fen,
        fiscal_year: 2026,
        ..BudgetLine::default()
    }
}

fn funded(items: &[(&str, Basis, &[i64])]) -> Vec<ItemLines> {
    items.iter().map(|(id, basis, fen)| ruled(item_rule(id, basis, "funding"), fen)).collect()
}

/// Cells as (institution, item, source, budget line, fen).
fn cells(allocation: &Allocation) -> Vec<(u32, u32, u32, u32, i64)> {
    allocation
        .cells
        .iter()
        .map(|cell| (cell.institution, cell.item, cell.source, cell.budget_line, cell.fen))
        .collect()
}

#[test]
fn a_short_source_is_cut_to_its_balance_and_the_others_pay_in_full() {
    let frames = district(&IDS);
    let parts = [("省", "n1_of_2"), ("区", "n1_of_2")];
    let law = law(|law| {
        law.splits.insert(Arc::from("funding"), Arc::new(split(&parts, SplitScope::Institution)));
        law.shortages.push(Arc::new(ShortageRule {
            restore: false,
            head: head("short"),
            sources: vec![],
            limit: None,
            method: ShortageMethod::ProRata,
        }));
    });
    let items = funded(&[("slot", Basis::Institution, &[600, 400, 200])]);
    let budgets = [budget("省", "P2", 300), budget("省", "P1", 400), budget("区", "D1", 500)];
    let (lines, allocation) = run(law, &frames, items, &budgets, &[]);
    let allocation = allocation.expect("allocated");
    // The district is asked for 300, 200, 100 and has 500: cuts 50, 33.33, 16.67.
    assert_eq!(lines.items[0].allocated, [550, 367, 183]);
    // The province's 300, 200, 100 come from P1 and then P2.
    let expected = [
        (0, 0, 0, 1, 300),
        (0, 0, 1, 2, 250),
        (1, 0, 0, 0, 100),
        (1, 0, 0, 1, 100),
        (1, 0, 1, 2, 167),
        (2, 0, 0, 0, 100),
        (2, 0, 1, 2, 83),
    ];
    assert_eq!(cells(&allocation), expected);
    assert_eq!((allocation.cuts[0].cut_fen, allocation.cuts[0].institution), (100, None));
    let cut: i64 = allocation.shares.iter().filter(|s| s.cell.source == 1).map(|s| s.cut_fen).sum();
    assert_eq!(cut, 100);
}

#[test]
fn an_institution_that_does_not_fit_is_carried_whole() {
    let mut frames = district(&IDS);
    with(&mut frames, "pool", whole(&[0, 0, 0]));
    frames.get_mut(&Basis::Programme).expect("programme").put("pool", whole(&[500]));
    let parts = [("省", "n1_of_2"), ("区", "n1_of_2")];
    let law = law(|law| {
        law.splits.insert(Arc::from("funding"), Arc::new(split(&parts, SplitScope::Institution)));
        law.shortages.push(Arc::new(ShortageRule {
            restore: false,
            head: head("short"),
            sources: vec![],
            limit: Some(expr("pool", &Basis::Programme)),
            method: ShortageMethod::Carry(vec![(Arc::from("institution_id"), true)]),
        }));
    });
    // I3 and I2 first: 200 + 400 = 600, so I2 does not fit; I1's 300 do.
    let items = funded(&[("slot", Basis::Institution, &[300, 400, 200])]);
    let (lines, allocation) = run(law, &frames, items, &[], &[]);
    let allocation = allocation.expect("allocated");
    assert_eq!(lines.items[0].allocated, [300, 0, 200]);
    assert_eq!(reason(&lines, 0, 1), "carried_over");
    assert_eq!(allocation.carried, [(1, 0, 400)]);
    let none = u32::MAX;
    let expected =
        [(0, 0, 0, none, 150), (0, 0, 1, none, 150), (2, 0, 0, none, 100), (2, 0, 1, none, 100)];
    assert_eq!(cells(&allocation), expected);
    let carried: Vec<i64> = allocation
        .shares
        .iter()
        .filter(|share| share.cell.institution == 1)
        .map(|share| share.carried_fen)
        .collect();
    assert_eq!(carried, [200, 200]);
}

#[test]
fn a_split_needs_weights() {
    let mut frames = district(&IDS);
    with(&mut frames, "w_one", whole(&[1, 0, 2]));
    with(&mut frames, "w_two", whole(&[1, 0, -1]));
    let parts = [("省", "w_one"), ("区", "w_two")];
    for scope in [SplitScope::Line, SplitScope::Institution, SplitScope::Settlement] {
        let law = law(|law| {
            law.splits.insert(Arc::from("funding"), Arc::new(split(&parts, scope)));
        });
        let items = funded(&[("slot", Basis::Institution, &[101, 400, 200])]);
        let (lines, allocation) = run(law, &frames, items, &[], &[]);
        let expected = [(0, 0, 0, u32::MAX, 51), (0, 0, 1, u32::MAX, 50)];
        assert_eq!(cells(&allocation.expect("allocated")), expected);
        assert_eq!(
            (reason(&lines, 0, 1), reason(&lines, 0, 2)),
            ("division_by_zero", "negative_amount")
        );
    }
    let items = funded(&[("slot", Basis::Institution, &[101, 400, 200])]);
    let (_, missing) = run(no_law(month("2026-09")), &frames, items, &[], &[]);
    let expected =
        AllocationError::SplitMissing { item: Arc::from("slot"), split: Arc::from("funding") };
    assert_eq!(missing.err(), Some(expected));
}

#[test]
fn scopes_fix_their_own_totals() {
    let mut frames = district(&IDS);
    children(&mut frames, &IDS, &[(0, "a"), (0, "b"), (1, "c")]);
    let parts = [("省", "n1_of_2"), ("区", "n1_of_2")];
    for (scope, expected) in [
        // Each line's odd fen goes to the province.
        (SplitScope::Line, [[2, 0], [1, 0]]),
        // Two fen of I1 are halved; I2's goes to the province.
        (SplitScope::Institution, [[1, 1], [1, 0]]),
        // Three fen of all: two to the province, one to the district, I1 first.
        (SplitScope::Settlement, [[1, 1], [1, 0]]),
    ] {
        let law = law(|law| {
            law.splits.insert(Arc::from("funding"), Arc::new(split(&parts, scope)));
        });
        let items = funded(&[("child", Basis::Child, &[1, 1, 1])]);
        let (_, allocation) = run(law, &frames, items, &[], &[]);
        let mut found = [[0, 0], [0, 0]];
        for cell in allocation.expect("allocated").cells {
            found[cell.institution as usize][cell.source as usize] += cell.fen;
        }
        assert_eq!(found, expected, "{scope:?}");
    }
}

#[test]
fn what_is_given_in_kind_is_never_cut() {
    let frames = {
        let mut frames = district(&IDS);
        with(&mut frames, "limit_here", whole(&[0, 0, 0]));
        frames
    };
    let law = law(|law| {
        law.caps.push(Arc::new(cap(&["site"], Some(Basis::Institution), "limit_here")));
    });
    let mut rule = item_rule("site", &Basis::Institution, "");
    rule.in_kind = true;
    let (lines, allocation) = run(law, &frames, vec![ruled(rule, &[500, 0, 0])], &[], &[]);
    assert_eq!(lines.items[0].allocated, [500, 0, 0]);
    assert!(allocation.expect("allocated").cells.is_empty());
}

/// A month like the bench's: child lines under an institution cap, then a split by district.
fn bench_month(
    order: &[usize],
    rows: &[(u32, String, i64)],
) -> (Vec<(String, i64)>, Vec<[i64; 4]>) {
    let rows: Vec<&(u32, String, i64)> = order.iter().map(|place| &rows[*place]).collect();
    let mut frames = district(&IDS);
    with(&mut frames, "limit_here", whole(&[700, 1_000, 100_000]));
    for (name, weights) in [
        ("w_a", [600, 400, 0]),
        ("w_b", [200, 300, 500]),
        ("w_c", [100, 200, 300]),
        ("w_d", [100, 100, 200]),
    ] {
        with(&mut frames, name, whole(&weights));
    }
    let plain: Vec<(u32, &str)> = rows.iter().map(|row| (row.0, row.1.as_str())).collect();
    children(&mut frames, &IDS, &plain);
    let law = law(|law| {
        law.caps.push(Arc::new(cap(&["child"], Some(Basis::Institution), "limit_here")));
        let parts = [("中央", "w_a"), ("省", "w_b"), ("市", "w_c"), ("区", "w_d")];
        law.splits.insert(Arc::from("funding"), Arc::new(split(&parts, SplitScope::Institution)));
    });
    let amounts: Vec<i64> = rows.iter().map(|row| row.2).collect();
    let items = funded(&[("child", Basis::Child, &amounts)]);
    let (lines, allocation) = run(law, &frames, items, &[], &[]);
    let mut by_child: Vec<(String, i64)> =
        rows.iter().map(|row| row.1.clone()).zip(lines.items[0].allocated.clone()).collect();
    by_child.sort();
    let mut sources = vec![[0; 4]; 3];
    for cell in allocation.expect("allocated").cells {
        sources[cell.institution as usize][cell.source as usize] += cell.fen;
    }
    (by_child, sources)
}

proptest! {
    #[test]
    fn shuffled_rows_give_the_same_amounts(
        // Few children and few amounts: many ties, and children listed twice.
        rows in proptest::collection::vec((0_u32..3, 0_usize..9, 0_usize..3), 1..30),
        seed in any::<u64>(),
    ) {
        let rows: Vec<(u32, String, i64)> = rows
            .into_iter()
            .map(|(at, child, amount)| (at, format!("c{child}"), [100, 101, 257][amount]))
            .collect();
        let order: Vec<usize> = (0..rows.len()).collect();
        let mut shuffled = order.clone();
        shuffled.sort_by_key(|place| (*place as u64 + 1).wrapping_mul(seed | 1));
        let (by_child, sources) = bench_month(&order, &rows);
        let again = bench_month(&shuffled, &rows);
        prop_assert_eq!((&by_child, &sources), (&again.0, &again.1));
        // The bench's formulas, written out.
        for (place, (limit, weights)) in [
            (700, [600, 200, 100, 100]),
            (1_000, [400, 300, 200, 100]),
            (100_000, [0, 500, 300, 200]),
        ].into_iter().enumerate() {
            let total: i64 =
                rows.iter().filter(|row| row.0 as usize == place).map(|row| row.2).sum();
            let pay = total.min(limit);
            let mut parts = weights.map(|weight| pay * weight / 1000);
            let mut order = [0, 1, 2, 3];
            order.sort_by_key(|source| (-(pay * weights[*source] % 1000), *source));
            let left = usize::try_from(pay - parts.iter().sum::<i64>()).expect("above zero");
            for source in &order[..left] {
                parts[*source] += 1;
            }
            prop_assert_eq!(sources[place], parts);
        }
    }
}
