//! `tuoyu ledger`: two released months of the sample as books, against the files of their run
//! folders, by hledger.

use super::lifecycle::Office;
use crate::ledger::journal::hledger;
use std::collections::BTreeMap;
use std::path::Path;
use tuoyu::domain::Fen;

/// Sums of a column of fen by the text of others.
fn sums(
    files: &[impl AsRef<Path>],
    fen: &str,
    key: impl Fn(&dyn Fn(&str) -> String) -> String,
) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for file in files {
        let mut reader = csv::Reader::from_path(file).unwrap();
        let heads = reader.headers().unwrap().clone();
        for row in reader.records().map(Result::unwrap) {
            let field =
                |name: &str| row[heads.iter().position(|head| head == name).unwrap()].to_owned();
            *sums.entry(key(&field)).or_default() += field(fen).parse::<i64>().unwrap();
        }
    }
    sums
}

/// hledger's balances in fen, by account.
fn balances(journal: &Path, accounts: &str) -> Option<BTreeMap<String, i64>> {
    let words = ["bal", accounts, "--no-total", "--flat", "-O", "csv"];
    let (content, text) = hledger(journal, &words)?;
    assert!(content, "{text}");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.records().map(Result::unwrap);
    let fen = |amount: &str| Fen::parse(amount.strip_suffix(" CNY").unwrap()).unwrap().0;
    Some(rows.map(|row| (row[0].to_owned(), fen(&row[1]))).collect())
}

#[test]
fn hledger_agrees_with_the_run_folders() {
    let office = Office::new();
    let periods = ["2026-08", "2026-09"];
    for period in periods {
        office.run(period);
        office.act("approve", period, "李四");
        office.act("release", period, "王五");
    }
    let file = office.path("books.journal");
    let place = office.place("books.journal");
    let (exit, said, err) = office.says(&["ledger", "journal", "--out", &place, "--lang", "en"]);
    assert_eq!((exit, &*err), (0, ""));
    let [schedules, payments] = ["schedule.csv", "payments.csv"]
        .map(|name| periods.map(|period| office.path(&format!("{period}/{name}"))));
    let payable: i64 = sums(&schedules, "payable_fen", |_| String::new()).values().sum();
    let wanted = format!("payable {} yuan; ", Fen(payable));
    assert!(said.contains("2 released runs, ") && said.contains(&wanted), "{said}");

    let (_, printed, _) = office.says(&["ledger", "journal"]);
    assert!(printed == std::fs::read_to_string(&file).unwrap(), "stdout and file differ");

    // A year by budget line is the schedules' own sums.
    let by_line = sums(&schedules, "payable_fen", |field| {
        ["item", "source", "budget_doc_no"].map(field).join(",")
    });
    let (_, year, _) = office.says(&["ledger", "year", "--year", "2026"]);
    let want: Vec<String> = std::iter::once("item,source,budget_doc_no,payable_fen".to_owned())
        .chain(by_line.iter().map(|(key, fen)| format!("{key},{fen}")))
        .collect();
    assert_eq!(year.lines().collect::<Vec<_>>(), want);

    let Some((content, said)) = hledger(&file, &["check", "--strict"]) else { return };
    assert!(content, "{said}");
    let expenses = sums(&schedules, "payable_fen", |field| {
        format!("expenses:{}:{}", field("item"), field("source"))
    });
    assert_eq!(balances(&file, "expenses"), Some(expenses));
    let due = sums(&payments, "amount_fen", |field| match &*field("hold_reason") {
        "" => format!("assets:budget:{}:{}", field("source"), field("budget_doc_no")),
        _ => format!("liabilities:payable:{}", field("institution_id")),
    });
    let due: BTreeMap<String, i64> = due.into_iter().map(|(key, fen)| (key, -fen)).collect();
    let found = balances(&file, "^(assets|liabilities)").unwrap();
    assert!(found.keys().any(|account| account.starts_with("liabilities:payable:")));
    assert_eq!(found, due);
}

#[test]
fn the_words_are_checked_and_nothing_is_overwritten() {
    let office = Office::new();
    let said = office.refused(&["ledger", "journal"], 1);
    assert!(said.contains("there is no ledger"), "{said}");
    office.run("2026-08");
    let said = office.refused(&["ledger", "year", "--year", "26"], 2);
    assert!(said.contains("--year: found \"26\"; expected a year as 2026"), "{said}");
    let said = office.refused(&["ledger", "journal", "--job", "weekly"], 1);
    assert!(said.contains("has no run of job weekly\nhint: "), "{said}");
    let said = office.refused(&["ledger", "journal", "--out", &office.place("ledger.db")], 1);
    assert!(said.contains("is there already and is no journal"), "{said}");
    let said = office.refused(&["ledger", "journal", "--out", &office.place("none/j")], 1);
    assert!(said.contains("none/j: cannot be written: "), "{said}");
    // A draft is in no books.
    let (exit, year, _) = office.says(&["ledger", "year", "--year", "2026"]);
    assert_eq!((exit, &*year), (0, "item,source,budget_doc_no,payable_fen\n"));
    let (exit, journal, _) = office.says(&["ledger", "journal"]);
    assert!(exit == 0 && journal.contains("\n; runs: 0\n; lines: 0, payable 0.00 CNY\n"));
}
