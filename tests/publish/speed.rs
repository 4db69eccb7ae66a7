//! A settlement of any size, for the tests of order and for measuring by hand
//! (`TUOYU_MEASURE=1000000 cargo test --release speed -- --nocapture`; with `TUOYU_MEASURE_OUT` the
//! run folder stays there).

use std::sync::Arc;
use std::time::Instant;

use tuoyu::allocation::FundingCell;
use tuoyu::domain::{Basis, CodeList, Column, Frame, NumColumn, Origins, Stored};
use tuoyu::publish::TableUse;
use tuoyu::schedule::{LineKind, Payee, Payment, ScheduleLine};
use tuoyu::subsidy::{Entitlements, ItemLines, LineStatus};

use super::case::{Case, codes, flags, keys, whole};

fn num(n: usize) -> i64 {
    i64::try_from(n).unwrap()
}

/// `children` spells over `institutions`, every tenth refused; two sources; no slots.
pub(super) fn large(children: usize, institutions: usize) -> Case {
    let mut case = Case::new();
    case.job.workbooks = children < 10_000;
    case.job.entitlements_csv = children < 10_000;
    let ids: Vec<String> = (0..institutions).map(|n| format!("9142011200{n:08}")).collect();
    let owner = |row: usize| row * institutions / children;
    let mut frame = Frame::new(Basis::Institution, institutions);
    frame.put("institution_id", keys(ids.iter().map(String::as_str)));
    frame.put("name", codes(ids.iter().map(String::as_str)));
    frame.put("inclusive", flags((0..institutions).map(|n| n % 2 == 0)));
    case.frames.put(frame);
    let mut spells = Frame::new(Basis::Spell, children);
    let names: Vec<String> = (0..children).map(|n| format!("420112{n:012}")).collect();
    spells.put("child_ref", keys(names.iter().map(String::as_str)));
    spells.put("institution_id", keys((0..children).map(|row| ids[owner(row)].as_str())));
    spells.put("age_class", codes((0..children).map(|n| ["乳儿班", "托小班", "托大班"][n % 3])));
    spells.put("service", codes((0..children).map(|n| ["全日托", "半日托"][n % 2])));
    spells.put("fee_monthly", whole((0..children).map(|n| 150_000 + num(n * 31 % 60_000))));
    spells.put("full_day.ceiling", whole((0..children).map(|n| 180_000 + num(n % 3) * 10_000)));
    spells.put("listings_of_child", whole(vec![1; children]));
    spells.put("pieces", whole(vec![1; children]));
    let records = (0..children).map(|n| u32::try_from(n * 7919 % children + 1).unwrap());
    spells.origins = Some(Origins::new(vec![0], records.collect()));
    let links = (0..children).map(|row| u32::try_from(owner(row)).unwrap()).collect();
    spells.links.insert(Basis::Institution, links);
    case.frames.put(spells);
    case.frames.put(Frame::new(Basis::Slot, 0));
    let refused = |n: usize| n % 10 == 9;
    let amount = |n: usize| if refused(n) { 0 } else { 10_000 + num(n * 104_729 % 50_000) };
    let amounts: Vec<i64> = (0..children).map(amount).collect();
    let exact = (0..children).map(|n| amount(n) * 44 + num(n % 43)).collect();
    case.entitlements = Entitlements {
        reasons: CodeList::new(["", "attendance_short"]),
        cutters: CodeList::new([""]),
        payees: Vec::new(),
        items: vec![ItemLines {
            item: Arc::from("operating.child"),
            basis: Basis::Spell,
            rules: vec![None],
            owners: None,
            status: (0..children)
                .map(|n| if refused(n) { LineStatus::Refused } else { LineStatus::Paid })
                .collect(),
            reason: (0..children).map(|n| u16::from(refused(n))).collect(),
            amount: amounts.clone(),
            exact: Some(Stored {
                column: Column::Num(NumColumn { values: exact, den: 44 }),
                nulls: Some((0..children).map(refused).collect()),
                errors: None,
            }),
            quantity: Some(whole((0..children).map(|n| num(n % 23)))),
            rate: Some(whole((0..children).map(|n| 60_000 - num(n % 3) * 10_000))),
            allocated: amounts.clone(),
            capped: None,
            to_date: None,
            used: Vec::new(),
            cut_by: vec![0; children],
        }],
    };
    let mut sums = vec![0_i64; institutions];
    for (row, fen) in amounts.iter().enumerate() {
        sums[owner(row)] += fen;
    }
    spread(&mut case, &ids, &sums);
    let read = children as u64;
    case.tables.by_name.get_mut("enrolments").unwrap().rows_read = read;
    case.usage[0] =
        TableUse { table: Arc::from("enrolments"), read, used: read, unused: 0, refused: 0 };
    case
}

/// Half of each institution's sum to each of two sources, the odd fen to the first.
fn spread(case: &mut Case, ids: &[String], sums: &[i64]) {
    case.allocation.cells.clear();
    case.schedule.payees.clear();
    case.schedule.lines.clear();
    case.schedule.payments.clear();
    for (institution, (id, sum)) in (0_u32..).zip(ids.iter().zip(sums)) {
        case.schedule.payees.push(Payee { institution_id: Arc::from(&**id), ..Payee::default() });
        for (source, fen) in [(0_u32, sum - sum / 2), (1, sum / 2)] {
            let cell = FundingCell { institution, item: 0, source, budget_line: source, fen };
            case.allocation.cells.push(cell);
            let number = institution * 2 + source;
            case.schedule.lines.push(ScheduleLine {
                line_no: number + 1,
                payee: institution,
                kind: LineKind::Original,
                source_period: case.job.period,
                item: Arc::from("operating.child"),
                quantity: "1".into(),
                rate_fen: None,
                gross_fen: fen,
                cut_fen: 0,
                carried_in_fen: 0,
                carried_out_fen: 0,
                payable_fen: fen,
                source: Arc::from(["省", "区"][source as usize]),
                budget_line: source,
                pay_on: None,
                rule_version: Arc::from("v"),
                payment: number,
            });
            case.schedule.payments.push(Payment {
                payment_no: format!("2026-09-{:06}", number + 1),
                end_to_end_id: format!("E{number}"),
                payee: institution,
                budget_line: source,
                source: Arc::from(["省", "区"][source as usize]),
                pay_on: None,
                amount_fen: fen,
                lines: 1,
            });
        }
    }
}

#[test]
fn a_large_settlement_is_published() {
    let children = std::env::var("TUOYU_MEASURE").ok().and_then(|n| n.parse().ok());
    let children = children.unwrap_or(20_000);
    let case = large(children, children / 100);
    let place = tempfile::tempdir().unwrap();
    let out = std::env::var_os("TUOYU_MEASURE_OUT");
    let out = out.map_or_else(|| place.path().join("run"), std::path::PathBuf::from);
    for _ in 0..3 {
        let start = Instant::now();
        let outputs = case.publish(&out).unwrap();
        println!("{children} children published in {:?}", start.elapsed());
        assert_eq!(outputs.control.lines.lines(), children as u64);
        assert_eq!(outputs.refused_by_reason["attendance_short"], children as u64 / 10);
    }
}
