//! Tests of room `retro`: DOMAIN 7 at the line, and the sources of what changed (S24, S25).

use super::district::{date, district, entitlements, law_of_month, lines, month, no_law};
use std::sync::Arc;
use tuoyu::allocation::{Allocation, BudgetLine, FundingCell, MonthInput, PostedLine};
use tuoyu::domain::{Basis, Calendar, CodeList};
use tuoyu::publish::{lay_over, read_corrections};
use tuoyu::retro::{
    BookLine, Cause, Change, CorrectedCell, Correction, LineBook, LineKey, NO_TEXT, PastCut,
    attribute, changes, correct, draw,
};

/// (institution, child, from, until, fen before the budget, fen paid).
type Row = (&'static str, u8, &'static str, &'static str, i64, i64);

fn book(rows: &[Row]) -> LineBook {
    let mut book = LineBook::default();
    for (institution, child, from, until, capped_fen, allocated_fen) in rows {
        let key = LineKey {
            institution: book.texts.intern(institution),
            payee: NO_TEXT,
            item: book.texts.intern("child"),
            basis: book.texts.intern("spell"),
            person: [*child; 16],
            row_key: NO_TEXT,
            age_class: NO_TEXT,
            service: book.texts.intern("全日托"),
            from: Some(date(from)),
            until: Some(date(until)),
        };
        book.lines.push(BookLine {
            key,
            capped_fen: *capped_fen,
            allocated_fen: *allocated_fen,
            cut_fen: capped_fen - allocated_fen,
            rule: book.texts.intern("child@2026-01-01/2025-12-20"),
            file: NO_TEXT,
            record: 0,
            parts: 0,
            used: NO_TEXT,
        });
    }
    book
}

/// Institution, child, first day, fen refunded, fen corrected.
type Shown = (String, u8, String, i64, i64);

fn compared(old: &[Row], new: &[Row]) -> Vec<Shown> {
    let (texts, changes) =
        changes(&book(old), &book(new), Cause::Delivery, PastCut::Stays).expect("no overflow");
    changes.iter().map(|change| shown(&texts, change)).collect()
}

fn shown(texts: &CodeList, change: &Change) -> Shown {
    (
        texts.text(change.key.institution).to_owned(),
        change.key.person[0],
        change.key.from.map_or_else(String::new, |day| day.to_string()),
        -change.old_fen(),
        change.new_fen(),
    )
}

fn row(id: &str, child: u8, from: &str, refund: i64, correction: i64) -> Shown {
    (id.to_owned(), child, from.to_owned(), refund, correction)
}

const WHOLE: (&str, &str) = ("2026-03-01", "2026-03-31");

#[test]
fn unchanged_months_give_no_rows_whatever_the_order() {
    let old = [("A", 1, WHOLE.0, WHOLE.1, 300, 300), ("A", 2, WHOLE.0, WHOLE.1, 200, 200)];
    let new = [old[1], old[0]];
    assert_eq!(compared(&old, &new), []);
}

#[test]
fn a_part_of_the_month_refunds_the_whole_month_once() {
    let old = [("A", 1, WHOLE.0, WHOLE.1, 300, 300)];
    let new = [("A", 1, "2026-03-01", "2026-03-15", 150, 150)];
    assert_eq!(compared(&old, &new), [row("A", 1, WHOLE.0, 0, 150), row("A", 1, WHOLE.0, -300, 0)]);
}

#[test]
fn a_child_that_moved_is_refunded_there_and_corrected_here() {
    let old = [("B", 1, WHOLE.0, WHOLE.1, 300, 300)];
    let new = [("A", 1, WHOLE.0, WHOLE.1, 300, 300)];
    assert_eq!(compared(&old, &new), [row("A", 1, WHOLE.0, 0, 300), row("B", 1, WHOLE.0, -300, 0)]);
}

#[test]
fn pairs_never_cancel_across_children_or_spans() {
    let old = [("A", 1, WHOLE.0, WHOLE.1, 300, 300)];
    let new = [("A", 2, WHOLE.0, WHOLE.1, 300, 300)];
    assert_eq!(compared(&old, &new), [row("A", 1, WHOLE.0, -300, 0), row("A", 2, WHOLE.0, 0, 300)]);
    let new = [("A", 1, "2026-03-02", WHOLE.1, 300, 300)];
    assert_eq!(
        compared(&old, &new),
        [row("A", 1, WHOLE.0, -300, 0), row("A", 1, "2026-03-02", 0, 300)]
    );
}

#[test]
fn split_spells_are_handled_piece_by_piece() {
    let old = [
        ("A", 1, "2026-03-01", "2026-03-10", 100, 100),
        ("A", 1, "2026-03-11", "2026-03-31", 210, 210),
    ];
    // The first piece stays, the second is cut in two, as a rate changes on the 21st.
    let new = [
        old[0],
        ("A", 1, "2026-03-11", "2026-03-20", 100, 100),
        ("A", 1, "2026-03-21", "2026-03-31", 132, 132),
    ];
    assert_eq!(
        compared(&old, &new),
        [
            row("A", 1, "2026-03-11", 0, 100),
            row("A", 1, "2026-03-11", -210, 0),
            row("A", 1, "2026-03-21", 0, 132),
        ]
    );
    // Two are replaced by one.
    let new = [("A", 1, WHOLE.0, WHOLE.1, 310, 310)];
    assert_eq!(
        compared(&old, &new),
        [
            row("A", 1, "2026-03-01", -100, 0),
            row("A", 1, "2026-03-01", 0, 310),
            row("A", 1, "2026-03-11", -210, 0),
        ]
    );
    // Annulled: each piece once.
    assert_eq!(
        compared(&old, &[]),
        [row("A", 1, "2026-03-01", -100, 0), row("A", 1, "2026-03-11", -210, 0)]
    );
}

#[test]
fn twins_are_one_sum() {
    let twin = ("A", 1, WHOLE.0, WHOLE.1, 300, 300);
    assert_eq!(compared(&[twin, twin], &[twin]), [row("A", 1, WHOLE.0, -600, 300)]);
    assert_eq!(compared(&[twin, twin], &[twin, twin]), []);
}

#[test]
fn a_past_cut_of_the_budget_stays() {
    // 300 were due and 250 paid; 400 are due now: the 50 stay cut.
    let old = [("A", 1, WHOLE.0, WHOLE.1, 300, 250), ("A", 2, WHOLE.0, WHOLE.1, 300, 250)];
    let new = [("A", 1, WHOLE.0, WHOLE.1, 400, 400), ("A", 2, WHOLE.0, WHOLE.1, 300, 300)];
    assert_eq!(compared(&old, &new), [row("A", 1, WHOLE.0, -250, 350)]);
    // 30 are due now: nothing is left, and nothing below it.
    let new = [("A", 1, WHOLE.0, WHOLE.1, 30, 30), ("A", 2, WHOLE.0, WHOLE.1, 300, 300)];
    assert_eq!(compared(&old, &new), [row("A", 1, WHOLE.0, -250, 0)]);
}

#[test]
fn what_was_carried_is_no_loss() {
    // 100 were due and carried whole: they come by themselves. 80 are due now, or nothing.
    let old = book(&[("A", 1, WHOLE.0, WHOLE.1, 100, 0)]);
    let all = |new: &[Row]| {
        let (texts, changes) =
            changes(&old, &book(new), Cause::Delivery, PastCut::Carried).expect("no overflow");
        changes.iter().map(|change| shown(&texts, change)).collect::<Vec<_>>()
    };
    assert_eq!(all(&[("A", 1, WHOLE.0, WHOLE.1, 80, 80)]), [row("A", 1, WHOLE.0, -100, 80)]);
    assert_eq!(all(&[]), [row("A", 1, WHOLE.0, -100, 0)]);
}

#[test]
fn a_past_cut_outlives_a_correction_to_nothing() {
    // 100 were due and 60 paid. The line is withdrawn, then comes back: 60 are due again.
    let line = ("A", 1, WHOLE.0, WHOLE.1, 100, 60);
    let (_, gone) =
        changes(&book(&[line]), &book(&[]), Cause::Delivery, PastCut::Stays).expect("no overflow");
    assert_eq!((gone[0].old_fen(), gone[0].new_fen(), gone[0].cut_fen), (60, 0, 40));
    let mut kept = book(&[line]);
    let of = &mut kept.lines[0];
    (of.capped_fen, of.allocated_fen, of.cut_fen) = (0, 0, gone[0].cut_fen);
    let back = book(&[("A", 1, WHOLE.0, WHOLE.1, 100, 100)]);
    let (_, back) = changes(&kept, &back, Cause::Delivery, PastCut::Stays).expect("no overflow");
    assert_eq!((back[0].old_fen(), back[0].new_fen()), (0, 60));
    // Where the rule gives back what a shortage took, a line that changes is paid whole.
    let (_, restored) = changes(
        &book(&[line]),
        &book(&[("A", 1, WHOLE.0, WHOLE.1, 110, 110)]),
        Cause::Delivery,
        PastCut::Restored,
    )
    .expect("no overflow");
    assert_eq!((restored[0].old_fen(), restored[0].new_fen()), (60, 110));
}

#[test]
fn law_and_delivery_are_told_apart() {
    let line = |child: u8, fen: i64| ("A", child, WHOLE.0, WHOLE.1, fen, fen);
    let old = book(&[line(1, 300), line(2, 300), line(3, 300)]);
    // Child 1 attended none of it, the rate fell by a tenth for all, child 3 by both.
    let halfway = book(&[line(1, 0), line(2, 300), line(3, 150)]);
    let new = book(&[line(1, 0), line(2, 270), line(3, 135)]);
    let (texts, mut all) = changes(&old, &new, Cause::Both, PastCut::Stays).expect("no overflow");
    attribute(&texts, &mut all, &old, &halfway).expect("no overflow");
    let causes: Vec<Cause> = all.iter().map(|change| change.cause).collect();
    assert_eq!(causes, [Cause::Delivery, Cause::Law, Cause::Both]);
}

fn posted(kind: &str, source: &str, payable_fen: i64) -> PostedLine {
    PostedLine {
        period: month("2026-03"),
        source_period: month("2026-03"),
        institution_id: "A".into(),
        item: "child".into(),
        line_kind: kind.into(),
        source: source.into(),
        payable_fen,
        budget_doc_no: "".into(),
    }
}

/// The month settled again with these fen of the sources 省, 市, 区.
fn corrected(
    old: &[Row],
    new: &[Row],
    due: [i64; 3],
    paid: &[PostedLine],
    every: bool,
) -> Vec<CorrectedCell> {
    let (texts, changes) =
        changes(&book(old), &book(new), Cause::Delivery, PastCut::Stays).expect("no overflow");
    let frames = district(&["A"]);
    let law = law_of_month(no_law(month("2026-03")), Calendar::default());
    let entitlements = entitlements(vec![lines("child", Basis::Institution, &[due.iter().sum()])]);
    let cell = |(source, fen): (u32, i64)| FundingCell {
        institution: 0,
        item: 0,
        source,
        budget_line: u32::MAX,
        fen,
    };
    let allocation = Allocation {
        sources: ["省", "市", "区"].map(Arc::from).to_vec(),
        cells: (0..).zip(due).map(cell).filter(|cell| cell.fen != 0).collect(),
        ..Allocation::default()
    };
    let input = MonthInput {
        month: month("2026-03"),
        frames: &frames,
        entitlements: &entitlements,
        allocation: &allocation,
        law: &law,
    };
    correct(&texts, &changes, &input, paid, every).expect("no overflow")
}

fn by_source(cells: &[CorrectedCell]) -> Vec<(&str, i64, i64)> {
    cells.iter().map(|cell| (&*cell.source, cell.refund_fen, cell.correction_fen)).collect()
}

#[test]
fn sources_end_where_one_settlement_puts_them() {
    // Two children of 100.01 yuan, in thirds: 20002 = 6668 + 6667 + 6667. Child 1 falls to half,
    // 50.01: 15002 = 5001 + 5001 + 5000 is due.
    let old =
        [("A", 1, WHOLE.0, WHOLE.1, 10_001, 10_001), ("A", 2, WHOLE.0, WHOLE.1, 10_001, 10_001)];
    let new = [("A", 1, WHOLE.0, WHOLE.1, 5_001, 5_001), old[1]];
    let paid = [
        posted("ORIGINAL", "省", 6_668),
        posted("ORIGINAL", "市", 6_667),
        posted("ORIGINAL", "区", 6_667),
    ];
    let cells = corrected(&old, &new, [5_001, 5_001, 5_000], &paid, false);
    // The sources owe 1667, 1666 and 1667 less; of the refund of 10001 the other 5001 are shared as
    // they were paid: 1667 each.
    assert_eq!(
        by_source(&cells),
        [("省", 3_334, 1_667), ("市", 3_333, 1_667), ("区", 3_334, 1_667)]
    );
    assert_eq!(cells.iter().map(|cell| cell.refund_fen).sum::<i64>(), 10_001);
    assert_eq!(cells.iter().map(|cell| cell.correction_fen).sum::<i64>(), 5_001);
}

#[test]
fn a_second_correction_starts_from_the_latest_value() {
    let first = ("A", 1, WHOLE.0, WHOLE.1, 300, 300);
    let second = ("A", 1, WHOLE.0, WHOLE.1, 240, 240);
    let paid = [
        posted("ORIGINAL", "省", 300),
        posted("REFUND", "省", -300),
        posted("CORRECTION", "省", 240),
        // What moved between periods is no entitlement.
        posted("CARRY_OUT", "省", 60),
    ];
    let third = ("A", 1, WHOLE.0, WHOLE.1, 270, 270);
    let cells = corrected(&[second], &[third], [270, 0, 0], &paid, false);
    assert_eq!(by_source(&cells), [("省", 240, 270)]);
    assert_eq!(corrected(&[first], &[first], [300, 0, 0], &paid[..1], true), []);
}

#[test]
fn a_split_that_changes_alone_moves_money_between_sources() {
    let line = [("A", 1, WHOLE.0, WHOLE.1, 300, 300)];
    let paid = [posted("ORIGINAL", "省", 150), posted("ORIGINAL", "区", 150)];
    assert_eq!(corrected(&line, &line, [100, 100, 100], &paid, false), []);
    let cells = corrected(&line, &line, [100, 100, 100], &paid, true);
    assert_eq!(by_source(&cells), [("省", 50, 0), ("市", 0, 100), ("区", 50, 0)]);
}

#[test]
fn a_withdrawn_line_goes_back_to_the_sources_that_paid_it() {
    let line = [("A", 1, WHOLE.0, WHOLE.1, 300, 300)];
    let paid = [posted("ORIGINAL", "市", 200), posted("ORIGINAL", "县", 100)];
    let cells = corrected(&line, &[], [0, 0, 0], &paid, false);
    assert_eq!(by_source(&cells), [("市", 200, 0), ("县", 100, 0)]);
}

#[test]
fn what_was_cut_is_not_paid_by_a_correction() {
    // 300 and 300 were due and 500 paid (省 250, 市 250); child 1 is due 400 now, so 350 (S25): the
    // difference of 100 is shared as the month shares its 700.
    let old = [("A", 1, WHOLE.0, WHOLE.1, 300, 250), ("A", 2, WHOLE.0, WHOLE.1, 300, 250)];
    let new = [("A", 1, WHOLE.0, WHOLE.1, 400, 400), ("A", 2, WHOLE.0, WHOLE.1, 300, 300)];
    let paid = [posted("ORIGINAL", "省", 250), posted("ORIGINAL", "市", 250)];
    let cells = corrected(&old, &new, [350, 350, 0], &paid, false);
    assert_eq!(by_source(&cells), [("省", 125, 175), ("市", 125, 175)]);
}

#[test]
fn corrections_draw_on_the_budget_of_the_period_that_pays() {
    let cell = |institution: &str, refund_fen: i64, correction_fen: i64| CorrectedCell {
        institution_id: Arc::from(institution),
        item: Arc::from("child"),
        source: Arc::from("省"),
        refund_fen,
        correction_fen,
        budget_doc_no: Arc::from(""),
        old_rule: Arc::from(""),
        new_rule: Arc::from(""),
    };
    let line = |doc: &str, fiscal_year: i32, balance_fen: i64| BudgetLine {
        budget_doc_no: doc.to_owned(),
        source: "省".to_owned(),
        balance_fen,
        fiscal_year,
        ..BudgetLine::default()
    };
    let mut all = [Correction {
        month: month("2026-03"),
        texts: CodeList::default(),
        changes: Vec::new(),
        notices: Vec::new(),
        deliveries: Vec::new(),
        cells: vec![cell("A", 0, 100), cell("B", 80, 30), cell("C", 0, 10)],
    }];
    let budget =
        [line("示例2号", 2026, 500), line("示例1号", 2026, 60), line("示例0号", 2025, 900)];
    draw(&mut all, &budget, 2026);
    let docs: Vec<&str> = all[0].cells.iter().map(|cell| &*cell.budget_doc_no).collect();
    // The first line has 60: A takes it below zero, so B and C find the second.
    assert_eq!(docs, ["示例1号", "示例2号", "示例2号"]);
    // What an institution owes may never come: it makes no room for others.
    all[0].cells = vec![cell("A", 0, 60), cell("B", 500, 0), cell("C", 0, 10)];
    draw(&mut all, &budget, 2026);
    let docs: Vec<&str> = all[0].cells.iter().map(|cell| &*cell.budget_doc_no).collect();
    assert_eq!(docs, ["示例1号", "示例2号", "示例2号"]);
}

/// What runs before `cut_fen` had a column left in the archive: of 100 due, 60 were paid.
#[test]
fn corrections_of_earlier_versions_are_still_read() {
    let text = "source_period,institution_id,item,basis,child_ref,row_key,age_class,service,\
                span_from,span_until,refund_fen,correction_fen,net_fen,capped_fen,cause,notices,\
                deliveries,source_file,source_record,used,old_rule,new_rule\n\
                2026-03,A,child,institution,,,,,,,-70,60,-10,100,delivery,,,a.csv,3,,old,new\n";
    let rows = read_corrections(text.as_bytes()).expect("a file of corrections");
    let [row] = rows.as_slice() else { panic!("one row") };
    assert_eq!((row.capped_fen, row.correction_fen, row.cut_fen), (100, 60, 40));
    assert_eq!((&*row.old_rule, &*row.new_rule), ("old", "new"));
    let mut kept = LineBook::default();
    lay_over(&mut kept, text.as_bytes(), month("2026-03")).expect("laid over");
    assert_eq!(kept.lines.iter().map(|line| line.cut_fen).collect::<Vec<_>>(), [40]);
    // Where the column stands it is believed.
    let told = text.replace("capped_fen,cause", "capped_fen,cut_fen,cause");
    let told = told.replace(",100,delivery", ",100,30,delivery");
    assert_eq!(read_corrections(told.as_bytes()).expect("read")[0].cut_fen, 30);
}
