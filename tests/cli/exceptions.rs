//! `exceptions.xlsx`, and accounts that may be paid again: what a person has to do, and what not.

use super::carry::{Row, rows};
use super::lifecycle::{Office, page};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use tuoyu::domain::Fen;

/// The sample's August, released; the payments that went out.
fn released(office: &Office) -> Vec<Row> {
    office.run("2026-08");
    office.act("approve", "2026-08", "李四");
    office.act("release", "2026-08", "王五");
    let payments = rows(&office.path("2026-08/payments.csv"));
    payments.into_iter().filter(|row| row["hold_reason"].is_empty()).collect()
}

/// Reconciles with more keys at the top of the job; the report.
fn reconcile(office: &Office, more: &str) -> Value {
    let correct = if more.contains("correct") { "" } else { "correct = true\n" };
    let text = format!(
        "id = \"answers\"\nkind = \"reconcile\"\nsettles = {:?}\nperiod = \"2026-08\"\n\
         input = {:?}\ncalendar = \"cn\"\nworkbooks = true\n{correct}{more}",
        office.place("2026-08"),
        office.place("answers"),
    );
    fs::write(office.path("answers.toml"), text).unwrap();
    let (file, out) = (office.place("answers.toml"), office.place("recon"));
    let (exit, out, err) = office.says(&["run", &file, "--out", &out, "--json"]);
    assert_eq!(exit, 5, "{err}");
    serde_json::from_str(&out).unwrap()
}

#[test]
fn the_book_of_exceptions_names_each_open_item_and_what_to_do() {
    let office = Office::new();
    let sent = released(&office);
    // One refused for the account (AC04), one unanswered, the others paid.
    let (refused, silent) = (&sent[2], &sent[4]);
    let mut text = "端到端标识,状态,原因代码,日期\n".to_owned();
    for row in &sent {
        let id = &row["end_to_end_id"];
        if id == &refused["end_to_end_id"] {
            writeln!(text, "{id},失败,AC04,2026-09-15").unwrap();
        } else if id != &silent["end_to_end_id"] {
            writeln!(text, "{id},成功,,2026-09-15").unwrap();
        }
    }
    fs::create_dir_all(office.path("answers")).unwrap();
    fs::write(office.path("answers/answers.csv"), text).unwrap();
    let report = reconcile(&office, "");
    assert_eq!(report["open"], 2);
    let amount = |row: &Row| row["amount_fen"].parse::<i64>().unwrap();
    let fen = |cell: &str| Fen::parse(cell).unwrap().0;

    let book = office.path("recon/exceptions.xlsx");
    let cells = page(&book, "待处理事项");
    let head = cells.iter().position(|row| row[0] == "类别").unwrap();
    let column = |name: &str| cells[head].iter().position(|cell| cell == name).unwrap();
    let of = |payment: &Row| {
        let at = column("付款编号");
        let row = cells[head + 1..].iter().find(|row| row[at] == payment["payment_no"]);
        row.unwrap_or_else(|| panic!("{cells:?}"))
    };
    let row = of(refused);
    assert_eq!(row[0], "拒付");
    // In the sample an account has the name of its institution.
    assert_eq!(row[column("机构名称")], refused["account_name"]);
    assert_eq!(fen(&row[column("我方金额")]), amount(refused));
    assert_eq!(row[column("原因")], "AC04 账户已销户");
    assert_eq!(row[column("依据")], "answers.csv 第3条");
    let batch = report["correction"]["run_id"].as_str().unwrap();
    assert_eq!(row[column("转入批次")], batch[..12]);
    let row = of(silent);
    assert_eq!(fen(&row[column("我方金额")]), amount(silent));
    assert_eq!(row[column("转入批次")], "");
    // These two and no third; the page ends with their sum.
    let listed = cells[head + 1..].iter().filter(|row| !row[column("付款编号")].is_empty());
    assert_eq!(listed.count(), 2, "{cells:?}");

    // The totals to sign: what was sent is what was paid, refused and not answered, in words too.
    let cells = page(&book, "对账汇总");
    let total = |name: &str| {
        let row = cells.iter().find(|row| row[0] == name).unwrap();
        (row[1].parse::<usize>().unwrap(), fen(&row[2]), row[3].clone())
    };
    let all = sent.iter().map(amount).sum();
    let told = |count, of| (count, of, tuoyu::domain::amount_in_words(Fen(of)));
    assert_eq!(total("发送"), told(sent.len(), all));
    let paid = all - amount(refused) - amount(silent);
    assert_eq!(total("其中：已付"), told(sent.len() - 2, paid));
    assert_eq!(total("其中：拒付"), told(1, amount(refused)));
    assert_eq!(total("其中：未答复"), told(1, amount(silent)));
}

#[test]
fn a_code_the_job_knows_as_no_fault_of_the_account_holds_nothing() {
    for (more, held) in [("", 1), ("same_account = [\"X99\"]\n", 0)] {
        let office = Office::new();
        let sent = released(&office);
        // A code of the bank's own, which no list of ours has.
        let mut text = "端到端标识,状态,原因代码,日期\n".to_owned();
        for (at, row) in sent.iter().enumerate() {
            let end = if at == 2 { "失败,X99" } else { "成功," };
            writeln!(text, "{},{end},2026-09-15", row["end_to_end_id"]).unwrap();
        }
        fs::create_dir_all(office.path("answers")).unwrap();
        fs::write(office.path("answers/answers.csv"), text).unwrap();
        let report = reconcile(&office, more);
        assert_eq!(report["correction"]["payments"], 1);
        assert_eq!(report["correction"]["held"], held, "{more}");
        let lines = rows(&office.path("recon/correction_schedule.csv"));
        let owed: i64 = lines.iter().map(|row| row["payable_fen"].parse::<i64>().unwrap()).sum();
        assert_eq!(owed.to_string(), sent[2]["amount_fen"]);
    }
}

/// The same book in English: pages, headers, classes, reasons and next steps; a reconciliation in
/// another language is another one, and files of machines do not change.
#[test]
fn the_book_of_exceptions_speaks_the_language_of_the_job() {
    let office = Office::new();
    let sent = released(&office);
    let refused = &sent[2]["end_to_end_id"];
    fs::create_dir_all(office.path("answers")).unwrap();
    let text = format!("端到端标识,状态,原因代码,日期\n{refused},失败,AC04,2026-09-15\n");
    fs::write(office.path("answers/answers.csv"), text).unwrap();
    let english = reconcile(&office, "language = \"en\"\ncorrect = false\n");
    let book = office.path("recon/exceptions.xlsx");
    let ours = |cell: &String| cell.chars().any(|c| matches!(u32::from(c), 0x3400..=0x9fff));
    for name in ["To do", "Totals", "Clearing", "Ageing"] {
        let cells = page(&book, name);
        let head = cells.iter().skip(2).position(|row| !row[0].is_empty()).unwrap() + 2;
        assert!(!cells[head].iter().any(ours), "{name}: {:?}", cells[head]);
    }
    let cells = page(&book, "To do");
    let told = cells.iter().flatten().any(|cell| cell == "AC04 account closed");
    assert!(told, "{cells:?}");
    let clearing = fs::read(office.path("recon/clearing.csv")).unwrap();
    let chinese = reconcile(&office, "correct = false\n");
    assert_ne!(english["recon_id"], chinese["recon_id"]);
    assert_eq!(clearing, fs::read(office.path("recon/clearing.csv")).unwrap());
}
