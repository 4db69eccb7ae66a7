//! What a rule adds to the files: clause and version by segment, traced values, support in kind;
//! and months that do not know the same institutions.

use std::collections::BTreeMap;
use std::sync::Arc;

use tuoyu::allocation::FundingShare;
use tuoyu::domain::{Basis, Column, Date, NumColumn, Rounding, RoundingMode, Stored};
use tuoyu::law::expr::{Expr, LookupTable, compile};
use tuoyu::law::names::{Name, Names};
use tuoyu::law::{ItemKind, LawPlace, RoundScope, RuleHead, SubsidyRule};
use tuoyu::publish::MonthResult;
use tuoyu::schedule::{LineKind, ScheduleLine};

use super::case::{A, B, Case, column, read_csv, whole};

/// A world without names: the rules here are constants.
#[derive(Debug)]
struct Nameless;

impl Names for Nameless {
    fn name(&self, _: &Basis, _: &str) -> Result<Name, Vec<String>> {
        Err(Vec::new())
    }
    fn table(&self, _: &str) -> Option<Arc<LookupTable>> {
        None
    }
    fn item(&self, _: &str) -> Option<Basis> {
        None
    }
    fn basis(&self, _: &str) -> Option<Basis> {
        None
    }
    fn determines(&self, _: &Basis, _: &Basis) -> bool {
        true
    }
    fn currency(&self) -> &'static str {
        "yuan"
    }
}

fn zero(basis: &Basis) -> Expr {
    compile("0", basis, "test", &LawPlace::default(), &Nameless, &mut Vec::new()).unwrap()
}

fn rule(id: &str, basis: Basis, since: &str, clause: &str) -> SubsidyRule {
    SubsidyRule {
        head: RuleHead {
            id: Arc::from(id),
            clause: Arc::from(clause),
            version: Arc::from(format!("{id}@{since}/2025-12-20")),
            effective_from: Date::parse_iso(since).unwrap(),
            effective_until: None,
            known_from: Date::parse_iso("2025-12-20").unwrap(),
            published: Date::parse_iso("2025-12-20").unwrap(),
            label: Arc::from("按人补助"),
            english: Arc::from("按人补助"),
            place: LawPlace::default(),
        },
        amount: zero(&basis),
        basis,
        gates: Vec::new(),
        round: Rounding { quantum: (1, 1), mode: RoundingMode::HalfUp },
        round_scope: RoundScope::Line,
        quantity: None,
        rate: None,
        payee: None,
        funding: Arc::from("split"),
        instrument: Arc::from("per_child"),
        in_kind: false,
        any_sign: false,
        to_date: None,
        kind: ItemKind::Original,
        trace: Vec::new(),
    }
}

#[test]
fn a_line_names_the_version_of_its_segment_and_shows_traced_values() {
    let mut case = Case::new();
    let mut first = rule("operating.child", Basis::Spell, "2026-01-01", "第八条");
    first.trace = vec![Arc::from("base"), Arc::from("share"), Arc::from("level")];
    let mut second = rule("operating.child", Basis::Spell, "2026-09-16", "第八条修正");
    second.trace.clone_from(&first.trace);
    case.entitlements.items[0].rules = vec![Some(Arc::new(first)), Some(Arc::new(second))];
    let spells = case.frames.get_mut(&Basis::Spell).unwrap();
    spells.put("segment", whole([0, 1, 0, 0, 0]));
    spells.put("base", whole([10, 20, 30, 40, 50]));
    let share = NumColumn { values: vec![11, 21, 1, 2, 3], den: 22 };
    spells.put("share", Stored::plain(Column::Num(share)));
    // A value of the institution is read through the spell's link.
    let institutions = case.frames.get_mut(&Basis::Institution).unwrap();
    institutions.put("level", whole([7, 8, 9]));
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    case.publish(&out).unwrap();
    let file = out.join("entitlements.csv");
    let versions = column(&file, "law_version");
    assert_eq!(versions[0], "operating.child@2026-01-01/2025-12-20");
    assert_eq!(versions[1], "operating.child@2026-09-16/2025-12-20");
    assert_eq!(column(&file, "clause")[..2], ["第八条", "第八条修正"]);
    assert_eq!(column(&file, "rule")[5], "", "the other item has no rule here");
    assert_eq!(column(&file, "base"), ["10", "20", "30", "40", "50", "", ""]);
    assert_eq!(column(&file, "share"), ["0.5", "21/22", "1/22", "1/11", "3/22", "", ""]);
    assert_eq!(column(&file, "level"), ["7", "9", "8", "8", "", "", ""]);
    let labels = column(&out.join("support.csv"), "clause");
    assert_eq!(labels[0], "第八条");
}

#[test]
fn support_in_kind_is_recorded_and_never_paid() {
    let mut case = Case::new();
    let mut free_site = rule("site.free", Basis::Slot, "2026-01-01", "第十条");
    free_site.in_kind = true;
    free_site.instrument = Arc::from("free_site");
    // 甲's slots become a free site worth 1,000.00: no cells, no lines, no payments for it.
    let lines = &mut case.entitlements.items[1];
    lines.item = Arc::from("site.free");
    lines.rules = vec![Some(Arc::new(free_site))];
    case.allocation.cells.retain(|cell| cell.item == 0);
    case.schedule.lines.truncate(4);
    for payment in &mut case.schedule.payments[2..] {
        payment.amount_fen = 25_000;
        payment.lines = 1;
    }
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let outputs = case.publish(&out).unwrap();
    assert_eq!(outputs.control.in_kind_fen, 100_000);
    assert_eq!(outputs.control.payable_fen, 90_000);
    let (_, rows) = read_csv(&out.join("support.csv"));
    let rows: Vec<_> =
        rows.iter().map(|r| format!("{},{},{},{}", r[1], r[3], r[4], r[5])).collect();
    let want = [
        format!("{B},other,40000,0"),
        format!("{A},other,50000,0"),
        format!("{A},free_site,0,100000"),
    ];
    assert_eq!(rows, want);
}

#[test]
fn what_a_shortage_carries_ties() {
    let mut case = Case::new();
    // 乙's 400.00 is carried to the next period: nothing allocated, ORIGINAL and CARRY_OUT cancel.
    let children = &mut case.entitlements.items[0];
    children.allocated[3] = 0;
    for source in [0, 1] {
        let mut cell = case.allocation.cells[4 + source];
        cell.fen = 0;
        case.allocation.shares.push(FundingShare {
            cell,
            gross_fen: 22_500,
            cut_fen: 2_500,
            carried_fen: 20_000,
        });
    }
    case.allocation.cells.truncate(4);
    let out_lines: Vec<ScheduleLine> = case.schedule.lines[..2]
        .iter()
        .map(|line| ScheduleLine {
            kind: LineKind::CarryOut,
            gross_fen: 0,
            cut_fen: 0,
            carried_out_fen: 20_000,
            payable_fen: -20_000,
            ..line.clone()
        })
        .collect();
    case.schedule.lines.extend(out_lines);
    for line in case.schedule.lines.iter_mut().filter(|line| line.payee == 0) {
        line.payment = u32::MAX;
    }
    for line in case.schedule.lines.iter_mut().filter(|line| line.payee == 1) {
        line.payment -= 2;
    }
    case.schedule.payments.drain(..2);
    let place = tempfile::tempdir().unwrap();
    let outputs = case.publish(&place.path().join("run")).unwrap();
    assert_eq!(outputs.control.payable_fen, 150_000);
    assert_eq!(outputs.control.payments_fen, 150_000);
}

#[test]
fn a_quarter_shows_each_month_as_it_was() {
    let case = Case::new();
    let mut earlier = Case::new();
    // In August 甲 was not inclusive yet, and nothing was paid.
    let institutions = earlier.frames.get_mut(&Basis::Institution).unwrap();
    institutions.put("inclusive", super::case::flags([false; 3]));
    for lines in &mut earlier.entitlements.items {
        let rows = lines.status.len();
        lines.status = vec![tuoyu::subsidy::LineStatus::Refused; rows];
        lines.reason = vec![3; rows];
        lines.amount = vec![0; rows];
        lines.allocated = vec![0; rows];
    }
    earlier.allocation.cells.clear();
    let mut run = case.publication();
    run.months.insert(
        0,
        MonthResult {
            month: case.job.period.plus(-1),
            frames: &earlier.frames,
            entitlements: &earlier.entitlements,
            allocation: &earlier.allocation,
            prices: Vec::new(),
        },
    );
    let place = tempfile::tempdir().unwrap();
    let mut draft = tuoyu::publish::Draft::create(&place.path().join("run")).unwrap();
    let outputs = tuoyu::publish::write(&run, &mut draft).unwrap();
    assert_eq!(outputs.control.lines.lines(), 14);
    let want =
        BTreeMap::from([("institution_unknown".to_owned(), 1), ("not_inclusive".to_owned(), 8)]);
    assert_eq!(outputs.refused_by_reason, want);
    let (_, rows) = read_csv(&draft.folder().join("supervision.csv"));
    let of_a: Vec<_> =
        rows.iter().filter(|row| row[0] == A).map(|row| format!("{} {}", row[2], row[3])).collect();
    assert_eq!(of_a, ["2026-08 备案", "2026-09 普惠"]);
    let periods = column(&draft.folder().join("entitlements.csv"), "period");
    assert_eq!((periods[0].as_str(), periods[13].as_str()), ("2026-08", "2026-09"));
}
