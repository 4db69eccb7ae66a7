//! The ledger as books, read by hledger: a reader of journals that knows nothing of ours.

use super::{AT, BY, Books, Month2, month, settled};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use tuoyu::ledger::{Act, ActKind, BooksError, JournalTotals, Ledger, YearLine};
use tuoyu::schedule::{LineKind, Payment, ScheduleLine};

/// Index of a line without budget line or payment.
const NONE: u32 = u32::MAX;

/// What hledger says of a journal: whether it is content, and its words. `None` where there is no
/// hledger, which the checks of a change do not accept.
pub(crate) fn hledger(journal: &Path, words: &[&str]) -> Option<(bool, String)> {
    let mut command = Command::new("hledger");
    command.arg("-f").arg(journal).args(words).env("LC_ALL", "C.UTF-8");
    match command.output() {
        Ok(output) => {
            let text = [output.stdout, output.stderr].concat();
            Some((output.status.success(), String::from_utf8(text).unwrap()))
        }
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "hledger: {error}");
            None
        }
    }
}

/// A line by its kind, service month, item, source, payable and payment.
fn line(
    payee: u32,
    kind: LineKind,
    source_period: &str,
    (item, source): (&str, &str),
    payable_fen: i64,
    payment: u32,
) -> ScheduleLine {
    let mut line = settled("", "2026-08", 0).schedule.lines.remove(0);
    (line.payee, line.kind, line.payable_fen, line.payment) = (payee, kind, payable_fen, payment);
    line.source_period = month(source_period);
    (line.item, line.source) = (Arc::from(item), Arc::from(source));
    line.budget_line = match source {
        "省" => 0,
        "区" => 1,
        _ => NONE,
    };
    let moved = [LineKind::CarryIn, LineKind::CarryOut].contains(&kind);
    (line.gross_fen, line.cut_fen) = if moved { (0, 0) } else { (payable_fen, 0) };
    line.carried_in_fen = if kind == LineKind::CarryIn { payable_fen } else { 0 };
    line.carried_out_fen = if kind == LineKind::CarryOut { -payable_fen } else { 0 };
    line
}

fn payment(template: &Payment, no: &str, payee: u32, fen: i64, lines: u32) -> Payment {
    let payment_no = no.to_owned();
    Payment { payment_no, payee, amount_fen: fen, lines, ..template.clone() }
}

/// A run of these lines and payments; B has no account that can be paid, and a name to trip over.
fn run(id: &str, period: &str, lines: Vec<ScheduleLine>, payments: Vec<Payment>) -> Month2 {
    let mut run = settled(id, period, 0);
    run.schedule.payees[1].hold_reason = Arc::from("account_missing");
    run.schedule.payees[1].institution_id = Arc::from("B:  2;");
    run.schedule.payees[1].institution_name = Arc::from("乙; 园 | 二");
    run.schedule.lines = lines;
    for (line, number) in run.schedule.lines.iter_mut().zip(1..) {
        line.line_no = number;
    }
    run.schedule.payments = payments;
    run
}

fn release(mut run: Month2, ledger: &mut Ledger, at: &str) {
    let released = ledger.released("monthly", run.period).unwrap();
    run.earlier = released.into_iter().map(|run| run.run_id).collect();
    run.post(ledger).unwrap();
    for (kind, at) in [(ActKind::Approve, AT), (ActKind::Release, at)] {
        let act = Act { kind, by: "李四", at, reason: "", key: None };
        ledger.act(&run.run_id, &act).unwrap();
    }
}

/// August: A gets 900.00 of which 100.00 are carried, B 55.05 that are held. September: August's
/// 900.00 become 700.00, the carried 100.00 come in, so A owes 100.00 of the province's money,
/// which is carried, and gets 50.00 of the district's; B 10.00, held.
fn two_months(books: &Books) -> Ledger {
    use LineKind::{CarryIn, CarryOut, Correction, Original, Refund};
    let mut ledger = books.open();
    let [province, district] =
        [0, 1].map(|at| settled("", "2026-08", 0).schedule.payments[at].clone());
    let care = ("care", "省");
    let lines = vec![
        line(0, Original, "2026-08", care, 90_000, 0),
        line(0, CarryOut, "2026-08", care, -10_000, 0),
        line(1, Original, "2026-08", care, 5_505, 1),
        line(1, Original, "2026-08", ("rent", ""), 0, NONE),
    ];
    let payments =
        vec![payment(&province, "8-1", 0, 80_000, 2), payment(&province, "8-2", 1, 5_505, 1)];
    let august = run("r8", "2026-08", lines, payments);
    // In the evening of the 20th by UTC it is the 21st in Beijing.
    release(august, &mut ledger, "2026-09-20T17:00:00Z");
    let lines = vec![
        line(0, Correction, "2026-08", care, 70_000, NONE),
        line(0, Refund, "2026-08", care, -90_000, NONE),
        line(0, CarryIn, "2026-08", care, 10_000, NONE),
        line(0, Original, "2026-09", ("rent", "区"), 5_000, 0),
        line(0, CarryOut, "2026-08", care, 10_000, NONE),
        line(1, Original, "2026-09", care, 1_000, 1),
    ];
    let payments =
        vec![payment(&district, "9-1", 0, 5_000, 1), payment(&province, "9-2", 1, 1_000, 1)];
    // Entered after August's release, done before it by its words.
    let september = run("r9", "2026-09", lines, payments);
    release(september, &mut ledger, "2026-09-10T09:00:00+08:00");
    // Drafts are not in the books.
    settled("r10", "2026-10", 7).post(&mut ledger).unwrap();
    ledger
}

fn journal(ledger: &Ledger) -> (String, JournalTotals) {
    let mut text = Vec::new();
    let totals = ledger.write_journal(None, &mut text).unwrap();
    (String::from_utf8(text).unwrap(), totals)
}

const EXPECTED: &str = "\
; Journal of released runs, made by tuoyu ledger journal.

decimal-mark .
commodity 1000.00 CNY

; run r8
; job monthly, period 2026-08, released 2026-09-20T17:00:00Z by 李四

2026-09-21 * (2026-08) 机构A | schedule
    ; run:r8
    expenses:care:省  900.00 CNY  ; line:1, source-period:2026-08, kind:ORIGINAL
    liabilities:payable:A  -900.00 CNY
    liabilities:carried:A  -100.00 CNY  ; line:2, source-period:2026-08, kind:CARRY_OUT
    liabilities:payable:A  100.00 CNY

2026-09-21 * (2026-08) 乙%3B 园 %7C 二 | schedule
    ; run:r8
    expenses:care:省  55.05 CNY  ; line:3, source-period:2026-08, kind:ORIGINAL
    liabilities:payable:B%3A%20%202%3B  -55.05 CNY
    expenses:rent:-  0.00 CNY  ; line:4, source-period:2026-08, kind:ORIGINAL
    liabilities:payable:B%3A%20%202%3B  0.00 CNY

2026-09-21 * (8-1) 机构A | payment
    ; run:r8
    ; end-to-end-id:E0000000000000000000000000000000001, pay-on:2026-09-01
    liabilities:payable:A  800.00 CNY
    assets:budget:省:财教〔2026〕1号  -800.00 CNY

; held: 8-2 55.05 CNY, B%3A%20%202%3B, account_missing

2026-09-21 * (2026-08) - | balances
    ; run:r8
    liabilities:payable:A  0.00 CNY = 0.00 CNY
    liabilities:carried:A  0.00 CNY = -100.00 CNY
    liabilities:payable:B%3A%20%202%3B  0.00 CNY = -55.05 CNY

; run r9
; job monthly, period 2026-09, released 2026-09-10T09:00:00+08:00 by 李四

2026-09-21 * (2026-09) 机构A | schedule
    ; run:r9
    expenses:care:省  700.00 CNY  ; line:1, source-period:2026-08, kind:CORRECTION
    liabilities:payable:A  -700.00 CNY
    expenses:care:省  -900.00 CNY  ; line:2, source-period:2026-08, kind:REFUND
    liabilities:payable:A  900.00 CNY
    liabilities:carried:A  100.00 CNY  ; line:3, source-period:2026-08, kind:CARRY_IN
    liabilities:payable:A  -100.00 CNY
    expenses:rent:区  50.00 CNY  ; line:4, source-period:2026-09, kind:ORIGINAL
    liabilities:payable:A  -50.00 CNY
    liabilities:carried:A  100.00 CNY  ; line:5, source-period:2026-08, kind:CARRY_OUT
    liabilities:payable:A  -100.00 CNY

2026-09-21 * (2026-09) 乙%3B 园 %7C 二 | schedule
    ; run:r9
    expenses:care:省  10.00 CNY  ; line:6, source-period:2026-09, kind:ORIGINAL
    liabilities:payable:B%3A%20%202%3B  -10.00 CNY

2026-09-21 * (9-1) 机构A | payment
    ; run:r9
    ; end-to-end-id:E0000000000000000000000000000000002, pay-on:2026-09-01
    liabilities:payable:A  50.00 CNY
    assets:budget:区:财教〔2026〕2号  -50.00 CNY

; held: 9-2 10.00 CNY, B%3A%20%202%3B, account_missing

2026-09-21 * (2026-09) - | balances
    ; run:r9
    liabilities:payable:A  0.00 CNY = 0.00 CNY
    liabilities:carried:A  0.00 CNY = 100.00 CNY
    liabilities:payable:B%3A%20%202%3B  0.00 CNY = -65.05 CNY

account assets:budget:区:财教〔2026〕2号
account assets:budget:省:财教〔2026〕1号
account expenses:care:省
account expenses:rent:-
account expenses:rent:区
account liabilities:carried:A
account liabilities:payable:A
account liabilities:payable:B%3A%20%202%3B

; runs: 2
; lines: 10, payable 915.05 CNY
; payments: 4, 915.05 CNY
; of these held: 2, 65.05 CNY
";

#[test]
fn the_journal_tells_every_line_and_payment_of_released_runs() {
    let books = Books::new();
    let ledger = two_months(&books);
    let (text, totals) = journal(&ledger);
    let seals = text.lines().filter(|line| line.starts_with("; event "));
    for (said, run_id) in seals.zip(["r8", "r9"]) {
        let release = ledger.course(run_id).unwrap().release.unwrap();
        assert_eq!(said, format!("; event {} {}", release.seq, release.hash));
    }
    let rest: Vec<&str> = text.lines().filter(|line| !line.starts_with("; event ")).collect();
    assert_eq!(rest, EXPECTED.lines().collect::<Vec<_>>());
    let want = JournalTotals {
        runs: 2,
        lines: 10,
        payable_fen: 91_505,
        payments: 4,
        payments_fen: 91_505,
        held: 2,
        held_fen: 6_505,
    };
    assert_eq!(totals, want);
    assert_eq!(journal(&ledger).0, text);
}

#[test]
fn hledger_balances_the_journal_and_sees_a_changed_one() {
    let books = Books::new();
    let (text, _) = journal(&two_months(&books));
    let file = books.folder.path().join("books.journal");
    fs::write(&file, &text).unwrap();
    let Some((content, said)) = hledger(&file, &["check", "--strict"]) else { return };
    assert!(content, "{said}");
    let balances = ["bal", "--no-total", "--empty", "--flat", "-O", "csv"];
    let (_, said) = hledger(&file, &balances).unwrap();
    let want = "\"account\",\"balance\"\n\
        \"assets:budget:区:财教〔2026〕2号\",\"-50.00 CNY\"\n\
        \"assets:budget:省:财教〔2026〕1号\",\"-800.00 CNY\"\n\
        \"expenses:care:省\",\"765.05 CNY\"\n\
        \"expenses:rent:-\",\"0\"\n\
        \"expenses:rent:区\",\"50.00 CNY\"\n\
        \"liabilities:carried:A\",\"100.00 CNY\"\n\
        \"liabilities:payable:A\",\"0\"\n\
        \"liabilities:payable:B%3A%20%202%3B\",\"-65.05 CNY\"\n";
    assert_eq!(said, want);
    // Tags are found: what August's lines come to, whichever run paid them.
    let words = ["bal", "-N", "-O", "csv", "expenses", "tag:source-period=2026-08"];
    let (_, said) = hledger(&file, &words).unwrap();
    assert_eq!(said, "\"account\",\"balance\"\n\"expenses:care:省\",\"755.05 CNY\"\n");
    // A line that balances in itself and is not what is paid; a payment that is not what is due; a
    // carried amount taken for an expense.
    let moved = "liabilities:carried:A  -100.00 CNY  ;";
    for (from, to) in
        [("900.00", "900.01"), ("800.00", "799.00"), (moved, "expenses:care:省  -100.00 CNY  ;")]
    {
        let changed = text.replace(from, to);
        fs::write(&file, &changed).unwrap();
        assert!(!hledger(&file, &["check"]).unwrap().0, "{from} as {to}");
    }
}

#[test]
fn a_job_may_be_asked_for_and_has_to_be_known() {
    let books = Books::new();
    let mut ledger = two_months(&books);
    let other = settled("x8", "2026-08", 1);
    let mut record = other.record();
    record.job_id = "other";
    ledger.post(&record, AT, BY).unwrap();
    let mut text = Vec::new();
    let totals = ledger.write_journal(Some("other"), &mut text).unwrap();
    assert_eq!(totals, JournalTotals::default());
    let unknown = ledger.write_journal(Some("nosuch"), &mut text).unwrap_err();
    assert!(matches!(unknown, BooksError::JobUnknown { .. }), "{unknown}");
    let unknown = ledger.year(Some("nosuch"), 2026).unwrap_err();
    assert!(matches!(unknown, BooksError::JobUnknown { .. }), "{unknown}");
}

#[test]
fn a_file_is_written_whole_and_no_other_file_is_replaced() {
    let books = Books::new();
    let ledger = two_months(&books);
    let file = books.folder.path().join("books.journal");
    for _ in 0..2 {
        ledger.write_journal_file(Some("monthly"), &file).unwrap();
        let (text, _) = journal(&ledger);
        let told = text.replacen("journal.\n", "journal.\n; job: monthly\n", 1);
        assert_eq!(fs::read_to_string(&file).unwrap(), told);
    }
    let refused = ledger.write_journal_file(None, &books.path()).unwrap_err();
    assert!(matches!(refused, BooksError::Foreign { .. }), "{refused}");
    // What was tampered with gives no books, and leaves those that stand.
    let raw = books.raw();
    raw.execute_batch("DROP TRIGGER lines_stay; UPDATE lines SET payable_fen = payable_fen + 1")
        .unwrap();
    let before = fs::read(&file).unwrap();
    let broken = ledger.write_journal_file(None, &file).unwrap_err();
    assert!(matches!(broken, BooksError::Ledger(_)), "{broken}");
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(fs::read_dir(books.folder.path()).unwrap().count(), 2); // and the ledger's folder
}

#[test]
fn a_year_adds_the_released_periods_by_budget_line() {
    let books = Books::new();
    let ledger = two_months(&books);
    let line = |item: &str, source: &str, document: &str, payable_fen| YearLine {
        item: item.to_owned(),
        source: source.to_owned(),
        budget_doc_no: document.to_owned(),
        payable_fen,
    };
    // 900.00 - 100.00 + 55.05 in August, 700.00 - 900.00 + 100.00 + 100.00 + 10.00 in September.
    let want = [
        line("care", "省", "财教〔2026〕1号", 86_505),
        line("rent", "", "", 0),
        line("rent", "区", "财教〔2026〕2号", 5_000),
    ];
    assert_eq!(ledger.year(None, 2026).unwrap(), want);
    assert_eq!(ledger.year(Some("monthly"), 2026).unwrap(), want);
    assert_eq!(ledger.year(None, 2027).unwrap(), []);
}
