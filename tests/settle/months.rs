//! Tests of rules over several months: what is told of earlier ones, and what is kept for later ones.

use super::district::{
    district, entitlements, expr, head, item_rule, keys, law_of_month, month, no_law, ruled, whole,
};
use crate::rules::job;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use tuoyu::allocation::{AllocationError, allocate};
use tuoyu::domain::texts::{Catalogue, Language};
use tuoyu::domain::{Basis, Calendar, Frame, Frames, Silent};
use tuoyu::explain::{ExplainInput, Question, explain, render};
use tuoyu::history::{History, NO_TEXT, PaidLine, Past, Person, RowKey};
use tuoyu::law::{
    Apportion, CapRule, CapStage, Law, PartRule, ShortageMethod, ShortageRule, SplitMethod,
    SplitRule, SplitScope, ToDateRule, Window,
};
use tuoyu::publish::read_lines;
use tuoyu::retro::LineBook;
use tuoyu::settle::{self, compute};
use tuoyu::subsidy::{Entitlements, ItemLines, LineStatus};

/// Children of I1, one row a name.
fn children(names: &[&str]) -> (Frames, Vec<Person>) {
    let mut frames = district(&["I1"]);
    let mut frame = Frame::new(Basis::Child, names.len());
    frame.put("institution_id", keys(&vec!["I1"; names.len()]));
    frame.put("child_ref", keys(names));
    frame.links.insert(Basis::Institution, vec![0; names.len()]);
    frame.links.insert(Basis::Programme, vec![0; names.len()]);
    frames.put(frame);
    (frames, names.iter().map(|name| [name.as_bytes()[0]; 16]).collect())
}

/// Earlier lines of children of I1: (month, child, fen before the budget, fen allocated).
fn paid(lines: &[(&str, u8, i64, i64)]) -> History {
    let mut history = History::default();
    let (item, institution) = (history.texts.intern("child"), history.texts.intern("I1"));
    for (at, child, capped_fen, allocated_fen) in lines {
        history.lines.push(PaidLine {
            month: month(at),
            item,
            key: RowKey {
                institution,
                person: [*child; 16],
                row_key: NO_TEXT,
                age_class: NO_TEXT,
                service: NO_TEXT,
            },
            capped_fen: *capped_fen,
            allocated_fen: *allocated_fen,
            parts: 0,
            used: NO_TEXT,
        });
    }
    history
}

fn total(window: Window) -> ToDateRule {
    ToDateRule { window, parts: Vec::new(), less: Vec::new(), recovers: None, restore: false }
}

/// Lines of children whose amounts are totals to date.
fn totals(rule: ToDateRule, amounts: &[i64]) -> ItemLines {
    let mut item = item_rule("child", &Basis::Child, "");
    item.to_date = Some(rule);
    let mut lines = ruled(item, amounts);
    lines.status.fill(LineStatus::Paid);
    lines
}

fn run(
    law: Law,
    of: &(Frames, Vec<Person>),
    lines: ItemLines,
    history: Option<&History>,
) -> (Entitlements, Option<AllocationError>) {
    let law = law_of_month(law, Calendar { every_year: true, ..Calendar::default() });
    let mut all = entitlements(vec![lines]);
    let persons = BTreeMap::from([(Basis::Child, of.1.clone())]);
    let past = Past { history, persons: &persons };
    let done = allocate(&law, &of.0, &mut all, Some(&[]), &[], &past, month("2026-09"));
    (all, done.err())
}

fn cap(key: Basis, quantity: bool) -> CapRule {
    CapRule {
        head: head("cap"),
        items: vec![Arc::from("child")],
        stage: CapStage::Cumulative,
        limit: expr("n1_of_1", &key),
        key: Some(key),
        across: false,
        window: Window::Year,
        round: None,
        quantity: quantity.then(BTreeMap::new),
        apportion: Apportion::LargestRemainder,
        pays_others: false,
    }
}

#[test]
fn a_job_that_keeps_no_lines_cannot_apply_them() {
    let of = children(&["a"]);
    for (key, quantity) in [(Basis::Child, false), (Basis::Institution, true)] {
        let mut law = no_law(month("2026-09"));
        law.caps.push(Arc::new(cap(key, quantity)));
        let lines = ruled(item_rule("child", &Basis::Child, ""), &[100]);
        let (_, refused) = run(law, &of, lines, None);
        assert_eq!(refused, Some(AllocationError::HistoryNotKept { rule: Arc::from("cap") }));
    }
    let (_, refused) =
        run(no_law(month("2026-09")), &of, totals(total(Window::Life), &[100]), None);
    let refused = refused.expect("refused");
    assert_eq!(refused, AllocationError::HistoryNotKept { rule: Arc::from("child") });
    assert!(refused.to_string().contains("retro = true"), "{refused}");
}

#[test]
fn a_year_forgets_what_a_life_remembers() {
    let of = children(&["a", "b"]);
    let history = paid(&[
        ("2025-12", b'a', 300, 300),
        ("2026-08", b'a', 200, 200),
        // The month itself and later ones say nothing of what was paid before.
        ("2026-09", b'a', 50, 50),
        ("2026-10", b'a', 50, 50),
    ]);
    for (window, left) in [(Window::Year, 800), (Window::Life, 500)] {
        let lines = totals(total(window), &[1_000, 1_000]);
        let (all, _) = run(no_law(month("2026-09")), &of, lines, Some(&history));
        assert_eq!(all.items[0].allocated, [left, 1_000], "{window:?}");
        assert_eq!(all.items[0].amount, [left, 1_000]);
    }
}

#[test]
fn a_total_that_falls_is_owed_and_one_paid_in_full_is_nothing() {
    let of = children(&["a", "b", "c"]);
    let history = paid(&[
        ("2026-07", b'a', 300, 300),
        ("2026-08", b'a', 200, 200),
        ("2026-08", b'b', 400, 400),
        ("2026-08", b'c', 400, 400),
    ]);
    let lines = totals(total(Window::Life), &[400, 400, 0]);
    let (all, _) = run(no_law(month("2026-09")), &of, lines, Some(&history));
    assert_eq!(all.items[0].allocated, [-100, 0, -400]);
    assert_eq!(all.items[0].status, [LineStatus::Paid, LineStatus::Zero, LineStatus::Paid]);
    assert_eq!(all.reasons.text(u32::from(all.items[0].reason[1])), "nothing_due");

    // Where nothing at all is due any more, what was paid is owed from the same source.
    let mut law = no_law(month("2026-09"));
    law.splits.insert(Arc::from("funding"), Arc::new(whole_from("区")));
    let mut lines = totals(total(Window::Life), &[0, 0, 0]);
    let mut rule = item_rule("child", &Basis::Child, "funding");
    rule.to_date = Some(total(Window::Life));
    lines.rules = vec![Some(Arc::new(rule))];
    lines.status.fill(LineStatus::Zero);
    let law = law_of_month(law, Calendar { every_year: true, ..Calendar::default() });
    let mut all = entitlements(vec![lines]);
    let persons = BTreeMap::from([(Basis::Child, of.1.clone())]);
    let past = Past { history: Some(&history), persons: &persons };
    let done = allocate(&law, &of.0, &mut all, Some(&[]), &[], &past, month("2026-09"));
    let done = done.expect("allocated");
    assert_eq!(all.items[0].allocated, [-500, -400, -400]);
    assert_eq!(done.cells.iter().map(|cell| cell.fen).collect::<Vec<_>>(), [-1_300]);
    assert_eq!(done.sources, [Arc::from("区")]);
}

/// A split that takes everything from one source.
fn whole_from(source: &str) -> SplitRule {
    SplitRule {
        head: head("funding"),
        scope: SplitScope::Institution,
        parts: vec![(Arc::from(source), expr("n1_of_1", &Basis::Institution))],
        method: SplitMethod::LargestRemainder,
        quantum: 1,
    }
}

#[test]
fn what_a_short_budget_took_stays_lost_unless_the_rule_restores_it() {
    // 600 were due and 450 paid; 1,000 are due in all.
    let of = children(&["a"]);
    let history = paid(&[("2026-08", b'a', 600, 450)]);
    for (restore, left) in [(false, 400), (true, 550)] {
        let lines = totals(ToDateRule { restore, ..total(Window::Life) }, &[1_000]);
        let (all, _) = run(no_law(month("2026-09")), &of, lines, Some(&history));
        assert_eq!(all.items[0].allocated, [left], "restore {restore}");
    }
}

#[test]
fn money_a_shortage_carries_counts_under_a_cap() {
    // 600 were due in August and carried whole: they come by themselves, so 300 of 900 are left.
    let of = children(&["a"]);
    let history = paid(&[("2026-08", b'a', 600, 0)]);
    for (carries, left) in [(false, 500), (true, 300)] {
        let mut law = no_law(month("2026-09"));
        let rule = cap(Basis::Child, false);
        law.caps.push(Arc::new(CapRule { limit: expr("n900_of_1", &Basis::Child), ..rule }));
        if carries {
            law.shortages.push(Arc::new(ShortageRule {
                restore: false,
                head: head("short"),
                sources: vec![Arc::from("no such source")],
                limit: None,
                method: ShortageMethod::Carry(Vec::new()),
            }));
        }
        let lines = ruled(item_rule("child", &Basis::Child, ""), &[500]);
        let (all, refused) = run(law, &of, lines, Some(&history));
        assert_eq!((refused, &all.items[0].allocated[..]), (None, &[left][..]), "{carries}");
    }
}

#[test]
fn what_each_line_used_up_is_kept_and_counts_later() {
    // Three children of four units each at 100 fen, ten units a year for the institution.
    let mut of = children(&["a", "b", "c"]);
    of.0.get_mut(&Basis::Child).expect("children").put("units", whole(&[4, 4, 4]));
    let queue = Apportion::Queue(vec![(Arc::from("child_ref"), false)]);
    let all = [
        // In order: a and b whole, c the two units left: 50 fen. Of 13 units three are left for the
        // month after, and go to a.
        (queue, [100, 100, 50], ["cap=4", "cap=4", "cap=2"], [75, 0, 0]),
        // Shared: 300 x 10/12 = 250, the cut of 50 in 17, 17 and 16; each used 10/3. Then 3 of 12 are
        // left: 300 x 3/12 = 75.
        (
            Apportion::LargestRemainder,
            [83, 83, 84],
            ["cap=10/3", "cap=10/3", "cap=10/3"],
            [25, 25, 25],
        ),
    ];
    for (apportion, first, used, then) in all {
        let law = |limit: &str| {
            let mut law = no_law(month("2026-09"));
            let units = BTreeMap::from([(Arc::from("child"), expr("units", &Basis::Child))]);
            law.caps.push(Arc::new(CapRule {
                limit: expr(limit, &Basis::Institution),
                quantity: Some(units),
                apportion: apportion.clone(),
                ..cap(Basis::Institution, true)
            }));
            law
        };
        let lines = || ruled(item_rule("child", &Basis::Child, ""), &[100; 3]);
        let (all, _) = run(law("n10_of_1"), &of, lines(), Some(&History::default()));
        assert_eq!(all.items[0].allocated, first);
        let persons = |basis: &Basis| (*basis == Basis::Child).then_some(of.1.as_slice());
        let book = LineBook::of(&of.0, &all, &persons, &[]);
        let told: Vec<&str> = book.lines.iter().map(|line| book.texts.text(line.used)).collect();
        assert_eq!(told, used);
        let wanted = BTreeSet::from([Arc::from("child")]);
        let history = History::of([(month("2026-08"), &book)], &wanted);
        let (all, _) = run(law("n13_of_1"), &of, lines(), Some(&history));
        assert_eq!(all.items[0].allocated, then);
    }
}

#[test]
fn rows_that_cannot_be_told_apart_share_what_was_paid() {
    let of = children(&["a", "a", "b"]);
    let history = paid(&[("2026-08", b'a', 350, 350)]);
    // The larger bears 300 of the 350, the other 50.
    let lines = totals(total(Window::Life), &[200, 300, 70]);
    let (all, _) = run(no_law(month("2026-09")), &of, lines, Some(&history));
    assert_eq!(all.items[0].allocated, [150, 0, 70]);

    let part = |share: &str| PartRule {
        share: tuoyu::domain::Fraction::parse_decimal(share).expect("a share"),
        when: expr("n1_of_1 = n1_of_1", &Basis::Child),
        clause: Arc::from(""),
    };
    let parts = vec![part("0.5"), part("0.5")];
    let lines = totals(ToDateRule { parts, ..total(Window::Life) }, &[200, 300, 70]);
    let (all, _) = run(no_law(month("2026-09")), &of, lines, Some(&history));
    assert_eq!(all.items[0].status, [LineStatus::Refused, LineStatus::Refused, LineStatus::Paid]);
    assert_eq!(all.reasons.text(u32::from(all.items[0].reason[0])), "rows_alike");
    assert_eq!(all.items[0].allocated, [0, 0, 70]);
}

#[test]
fn what_an_item_takes_back_itself_is_not_taken_back_again() {
    // 10,000 were paid and 7,000 are due to date: 3,000 go back. Of the 10,000 asked for besides, the
    // 7,000 that are left can be taken.
    let of = children(&["a"]);
    let history = paid(&[("2026-08", b'a', 10_000, 10_000)]);
    let back = |amount: i64| {
        let mut item = item_rule("back", &Basis::Child, "");
        item.to_date =
            Some(ToDateRule { recovers: Some(Arc::from("child")), ..total(Window::Life) });
        let mut lines = ruled(item, &[amount]);
        lines.item = Arc::from("back");
        lines.status.fill(LineStatus::Paid);
        lines
    };
    let law = law_of_month(
        no_law(month("2026-09")),
        Calendar { every_year: true, ..Calendar::default() },
    );
    let persons = BTreeMap::from([(Basis::Child, of.1.clone())]);
    let past = Past { history: Some(&history), persons: &persons };
    for (own, taken) in [(7_000, [-3_000, -7_000]), (10_000, [0, -10_000])] {
        // The item that takes back stands first: it is settled last all the same.
        let mut all = entitlements(vec![back(-10_000), totals(total(Window::Life), &[own])]);
        allocate(&law, &of.0, &mut all, Some(&[]), &[], &past, month("2026-09"))
            .expect("allocated");
        assert_eq!([all.items[1].allocated[0], all.items[0].allocated[0]], taken, "{own}");
    }
}

fn maker() -> settle::Maker<'static> {
    settle::Maker { by: "张三", at: "2027-01-31T08:00:00Z", key: None, engine: "test" }
}

/// Lines of a run folder's book of a month: fen, instalments, what was used up.
fn kept(folder: &Path, at: &str, item: &str) -> Vec<(i64, u64, String)> {
    let bytes = std::fs::read(folder.join("lines.parquet")).expect("the lines of the run");
    let book = read_lines(&bytes, month(at)).expect("a book");
    let of_item = book.lines.iter().filter(|line| book.texts.text(line.key.item) == item);
    of_item
        .map(|line| (line.allocated_fen, line.parts, book.texts.text(line.used).to_owned()))
        .collect()
}

#[test]
fn a_run_keeps_what_later_months_need() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = "an overpayment eats the instalments to come and is then owed";
    let out = folder.path().join("run");
    let more = format!("out = {:?}", out.display().to_string());
    let of = job("months.toml", name, folder.path(), &more);
    settle::run(&of, &mut Silent, &maker()).expect("a run that ties");
    let nothing = String::new;
    assert_eq!(kept(&out, "2026-01", "fit"), [(500_000, 0b1, nothing())]);
    assert_eq!(kept(&out, "2026-02", "fit"), []);
    // Closed with nothing to pay.
    assert_eq!(kept(&out, "2026-04", "fit"), [(0, 0b10, nothing())]);
    assert_eq!(kept(&out, "2026-07", "fit"), [(-200_000, 0b100, nothing())]);
    let schedule = std::fs::read_to_string(out.join("schedule.csv")).expect("a schedule");
    assert_eq!(schedule.matches("INSTALMENT").count(), 2, "{schedule}");
    assert_eq!(schedule.matches("ORIGINAL").count(), 0, "{schedule}");

    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("run");
    let more = format!("out = {:?}", out.display().to_string());
    let name = "days of a year are counted over its months";
    let of = job("months.toml", name, folder.path(), &more);
    settle::run(&of, &mut Silent, &maker()).expect("a run that ties");
    let uses = |days: &str| format!("days.year={days}");
    assert_eq!(kept(&out, "2026-03", "days"), [(10_000, 0, uses("10")), (10_000, 0, uses("10"))]);
    assert_eq!(kept(&out, "2026-04", "days"), [(20_000, 0, uses("20"))]);
}

#[test]
fn the_books_of_a_year_are_read_by_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("run");
    let more = format!("out = {:?}", out.display().to_string());
    let case = "half on filing, half after six months, and a total that changes between and after";
    let of = job("months.toml", case, folder.path(), &more);
    settle::run(&of, &mut Silent, &maker()).expect("a run that ties");
    let bytes = std::fs::read(out.join("lines.parquet")).expect("the lines of the run");
    let books: Vec<_> = (0..12)
        .map(|at| month("2026-01").plus(at))
        .map(|at| (at, read_lines(&bytes, at).expect("a book")))
        .collect();
    let wanted = BTreeSet::from([Arc::from("build")]);
    let history = History::of(books.iter().map(|(at, book)| (*at, book)), &wanted);
    // I1: 5,000, 7,000 and -3,000 of 9,000, both halves closed; I2: 6,000, the second half is open.
    // The total is 10,000 in January 2027, where the second half of I2 falls due.
    let half = || PartRule {
        share: tuoyu::domain::Fraction::parse_decimal("0.5").expect("a share"),
        when: expr("n1_of_1 = n1_of_1", &Basis::Institution),
        clause: Arc::from(""),
    };
    let mut rule = item_rule("build", &Basis::Institution, "");
    rule.to_date = Some(ToDateRule { parts: vec![half(), half()], ..total(Window::Life) });
    let lines = ruled(rule, &[1_000_000; 3]);
    let at = month("2027-01");
    let law = law_of_month(no_law(at), Calendar { every_year: true, ..Calendar::default() });
    let mut all = entitlements(vec![lines]);
    let past = Past { history: Some(&history), persons: &BTreeMap::new() };
    let frames = district(&["I2", "I1", "I3"]);
    allocate(&law, &frames, &mut all, Some(&[]), &[], &past, at).expect("allocated");
    assert_eq!(all.items[0].allocated, [400_000, 100_000, 1_000_000]);
    let of = all.items[0].to_date.as_ref().expect("totals");
    assert_eq!((&of.settled[..], &of.due[..]), (&[0b1, 0b11, 0][..], &[0b10, 0, 0b11][..]));
}

#[test]
fn totals_to_date_are_left_out_of_the_comparison_of_closed_months() {
    let of = children(&["a", "b"]);
    let lines = totals(total(Window::Life), &[100, 200]);
    let (all, _) = run(no_law(month("2026-09")), &of, lines, Some(&History::default()));
    let persons = |basis: &Basis| (*basis == Basis::Child).then_some(of.1.as_slice());
    let mut book = LineBook::of(&of.0, &all, &persons, &[]);
    assert_eq!(book.lines.len(), 2);
    book.leave_out(&BTreeSet::from([Arc::from("other")]));
    assert_eq!(book.lines.len(), 2);
    book.leave_out(&BTreeSet::from([Arc::from("child")]));
    assert_eq!(book.lines, []);
}

/// The explanation of an item of an institution in a month of a case.
fn told(case: &str, at: &str, institution: &str, item: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let job = job("months.toml", case, folder.path(), "");
    let settled = compute(&job, None, &mut Silent).expect("a settlement");
    let of = settled.months.iter().find(|of| of.month == month(at)).expect("a month");
    let input = ExplainInput {
        month: of.input(),
        schedule: &settled.schedule,
        tables: &settled.tables,
        attended: &of.attended,
    };
    let question = Question {
        institution,
        item: Some(item),
        child: None,
        alias: &|_| String::from("x"),
        limit: 1,
    };
    let explanation = explain(&input, &question).expect("an explanation");
    render(&explanation, &Catalogue::new(Language::English))
}

#[track_caller]
fn says(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|found| found.trim() == *line), "no {line:?} in\n{text}");
    }
}

#[test]
fn explain_tells_the_total_what_was_paid_and_what_is_due() {
    let case = "half on filing, half after six months, and a total that changes between and after";
    says(
        &told(case, "2026-07", "I1", "build"),
        &[
            "total to date (since the beginning), after caps: 12000.00 yuan",
            "instalment 1, 1/2 of the total = 6000.00 yuan: closed by an earlier month, when \
             filed (一（一）)",
            "instalment 2, 1/2 of the total = 6000.00 yuan: due now, when filed_from IS NOT NULL \
             AND months_between(filed_from, month_end) >= 6 (一（二）)",
            "paid before: 5000.00 yuan",
            "due now: 7000.00 yuan",
        ],
    );
    let case = "straight-line clawback of the months not served";
    says(
        &told(case, "2026-04", "I2", "site.back"),
        &[
            "total to date (since the beginning), after caps: -28500.00 yuan",
            "-28500.00 yuan would be due; of site at most 24000.00 yuan can be taken back: what \
             was paid less what was taken back",
            "due now: -24000.00 yuan",
        ],
    );
    let case = "an advance is washed up at the end of the year";
    says(
        &told(case, "2026-12", "I1", "wash.up"),
        &[
            "total to date (the year), after caps: 11500.00 yuan",
            "paid of advance: 12000.00 yuan",
            "due now: -500.00 yuan",
        ],
    );
}
