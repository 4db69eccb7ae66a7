//! Tables whose rows stand in a file beside the pack, CSV or XLSX.

use super::{PACK, reference};
use rust_xlsxwriter::{ExcelDateTime, Format, IntoExcelData, Workbook};
use std::fs;
use std::path::{Path, PathBuf};
use tuoyu::domain::{Date, Month};
use tuoyu::law::{self, LawBook, OverlayText};

const RULES: &str = r#"
[notice]
number = "测试规〔2026〕1号"
title = "测试"
published = 2025-12-01

[[subsidy]]
id = "care"
clause = "第二条"
effective_from = 2026-01-01
basis = "spell"
gates = []
amount = "coalesce(rate(age_class, spell_days, spell_from), 0)"
round = { to = "0.01", mode = "half_up" }
instrument = "per_child"

[[split]]
id = "one"
clause = "第九条"
effective_from = 2026-01-01
scope = "line"
method = "largest_remainder"
parts = [{ source = "区", share = "1" }]

[[table]]
id = "rate"
clause = "第一条"
effective_from = 2026-01-01
unit = "yuan/child/month"
keys = [
    { name = "age_class", type = "text", values = ["乳儿班", "托小班"] },
    { name = "days", type = "integer", unit = "day", range = true, cover = "[0,32)" },
    { name = "since", type = "date", range = true },
]
"#;

const INLINE: &str = r#"rows = [
    ["乳儿班", "[0,15)", "*", "150.05"],
    ["乳儿班", "[15,32)", 2026-03-01, "none"],
    ["乳儿班", "[15,32)", "*", "300"],
    ["托小班", "*", "*", "52/12"],
]
"#;

const CSV: &str = "\u{feff}value,age_class,days,since\r\n150.05,乳儿班,\"[0,15)\",*\r\n\
    none,乳儿班,\"[15,32)\",2026-03-01\r\n,,,\r\n300, 乳儿班 ,\"[15,32)\",*\r\n52/12,托小班,*,*\r\n";

/// A pack with the lines of its table and a file beside it.
fn pack(folder: &Path, table: &str, file: &str, bytes: &[u8]) -> PathBuf {
    let pack = folder.join("case");
    fs::create_dir_all(&pack).unwrap();
    fs::write(pack.join("pack.toml"), PACK).unwrap();
    fs::write(pack.join("notice.toml"), format!("{RULES}{table}")).unwrap();
    fs::write(pack.join(file), bytes).unwrap();
    pack
}

fn snapshot(book: &LawBook) -> String {
    let law =
        book.in_force(Month::parse("2026-09").unwrap(), Date::parse_iso("2026-10-10").unwrap());
    law.unwrap_or_else(|errors| panic!("{errors}")).snapshot
}

fn loaded(table: &str, file: &str, bytes: &[u8]) -> LawBook {
    let folder = tempfile::tempdir().unwrap();
    let pack = pack(folder.path(), table, file, bytes);
    law::load(&[pack], &[], &reference()).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Everything that is told, without the folder.
fn told(table: &str, file: &str, bytes: &[u8]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let pack = pack(folder.path(), table, file, bytes);
    let told = law::examine(&[pack], &[], &reference()).into_iter();
    told.map(|error| error.to_string().replace(&folder.path().display().to_string(), "")).collect()
}

/// The same rows as a sheet, numbers and dates as a spreadsheet has them.
fn sheet(number: impl IntoExcelData) -> Vec<u8> {
    let mut book = Workbook::new();
    book.add_worksheet().set_name("说明").unwrap().write(0, 0, "其他").unwrap();
    let sheet = book.add_worksheet().set_name("标准").unwrap();
    let day = Format::new().set_num_format("yyyy-mm-dd");
    for (column, name) in ["age_class", "days", "since", "value"].into_iter().enumerate() {
        sheet.write(1, u16::try_from(column).unwrap(), name).unwrap();
    }
    let text = |row: u32, cells: [&str; 3], sheet: &mut rust_xlsxwriter::Worksheet| {
        for (column, cell) in cells.into_iter().enumerate() {
            if !cell.is_empty() {
                sheet.write(row, u16::try_from(column).unwrap(), cell).unwrap();
            }
        }
    };
    text(2, ["乳儿班", "[0,15)", "*"], sheet);
    sheet.write(2, 3, number).unwrap();
    text(3, ["乳儿班", "[15,32)", ""], sheet);
    let march = ExcelDateTime::from_ymd(2026, 3, 1).unwrap();
    sheet.write_with_format(3, 2, march, &day).unwrap();
    sheet.write(3, 3, "none").unwrap();
    text(5, ["乳儿班", "[15,32)", "*"], sheet);
    sheet.write(5, 3, 300).unwrap();
    text(6, ["托小班", "*", "*"], sheet);
    sheet.write(6, 3, "52/12").unwrap();
    book.save_to_buffer().unwrap()
}

#[test]
fn rows_of_a_file_are_the_law_that_rows_of_the_block_are() {
    let inline = snapshot(&loaded(INLINE, "unused.csv", b""));
    assert_eq!(snapshot(&loaded("file = \"fees.csv\"", "fees.csv", CSV.as_bytes())), inline);
    let named = "file = \"fees.xlsx\"\nsheet = \"标准\"";
    assert_eq!(snapshot(&loaded(named, "fees.xlsx", &sheet(150.05))), inline);
}

#[test]
fn an_overlay_names_a_row_of_a_file_and_the_file_is_no_lever() {
    let folder = tempfile::tempdir().unwrap();
    let pack = pack(folder.path(), "file = \"fees.csv\"", "fees.csv", CSV.as_bytes());
    let packs = law::read(&[pack], &reference()).unwrap();
    let under =
        |text: &str| packs.under(&[OverlayText { name: "o".to_owned(), text: text.to_owned() }]);
    let turned = under("\"table.rate[托小班|*|*]\" = { times = 3 }\n").unwrap();
    let rows = INLINE.replace("52/12", "13");
    let inline = snapshot(&loaded(&rows, "unused.csv", b""));
    assert_eq!(snapshot(&turned).replace("+overlay", ""), inline);
    let refused = under("\"table.rate.file\" = \"other.csv\"\n").unwrap_err().to_string();
    assert!(refused.contains("`table.rate.file` is no key of any block"), "{refused}");
    let levers = packs
        .under(&[])
        .unwrap()
        .levers(Month::parse("2026-09").unwrap(), Date::parse_iso("2026-10-10").unwrap());
    assert_eq!(levers.iter().filter(|lever| lever.path.starts_with("table.rate[")).count(), 4);
}

#[test]
fn what_is_wrong_is_told_with_file_record_and_cell() {
    let csv = |text: &str| told("file = \"fees.csv\"", "fees.csv", text.as_bytes());
    let whole = "age_class,days,since,value\n乳儿班,\"[0,15)\",*,150\n乳儿班,\"[15,32)\",*,300\n托小班,*,*,1\n";
    assert_eq!(csv(whole), Vec::<String>::new());
    // One row less: the key that is missing, and since when.
    let told_of = csv(&whole.replace("乳儿班,\"[15,32)\",*,300\n", ""));
    assert!(
        told_of[0]
            .contains("[[table]] rate has no row for age_class=乳儿班, days=15, since=(any); "),
        "{told_of:?}"
    );
    assert!(told_of[0].contains(" from 2026-01-01 on; expected exactly one row"), "{told_of:?}");
    for (from, to, want) in [
        ("*,300", "*,三百", "case/fees.csv:3:17: \"三百\" is not an exact number"),
        ("*,300", "*,", "case/fees.csv:3:1: no `value` in this record"),
        ("\"[15,32)\"", "[15,32)", "case/fees.csv:3:1: a record of 5 cells; expected 4"),
        (
            "托小班",
            "小托班",
            "case/fees.csv:4:1: key `age_class`: \"小托班\" is not a listed value",
        ),
        ("since,value", "since,amount", "case/fees.csv:1:1: the first row names `value` nowhere"),
        (
            "since,value",
            "since,value,note",
            "case/fees.csv:1:28: the first row names `note`, which",
        ),
        (
            whole,
            "",
            "case/fees.csv:1:1: a file without a row; expected the first row age_class,days,since,value",
        ),
    ] {
        let told = csv(&whole.replace(from, to));
        assert!(told.iter().any(|line| line.starts_with(want)), "{want}: {told:#?}");
    }
    let named = "file = \"fees.xlsx\"\nsheet = \"标准\"";
    // A sum of a spreadsheet that left dust behind.
    let told_of = told(named, "fees.xlsx", &sheet(0.1 + 0.2));
    let want = "fees.xlsx: sheet 标准, row 3, column 4: 0.30000000000000004 is not an exact number";
    assert!(told_of.iter().any(|line| line.contains(want)), "{told_of:#?}");
    for (table, file, bytes, want) in [
        (
            "file = \"fees.xlsx\"\nsheet = \"别的\"",
            "fees.xlsx",
            sheet(1.0),
            "no sheet \"别的\"; its sheets are 说明, 标准",
        ),
        (named, "fees.xlsx", b"PK".to_vec(), "fees.xlsx: not a sound workbook"),
        ("file = \"../fees.csv\"", "fees.csv", Vec::new(), "`file` is \"../fees.csv\""),
        ("file = \"other.csv\"", "fees.csv", Vec::new(), "other.csv: table file: "),
        ("file = \"fees.csv\"\nsheet = \"标准\"", "fees.csv", Vec::new(), "`sheet` of a CSV file"),
        ("sheet = \"标准\"\nrows = []", "fees.csv", Vec::new(), "`sheet` without `file`"),
        ("file = \"fees.csv\"\nrows = []", "fees.csv", Vec::new(), "`rows` beside `file`"),
        ("", "fees.csv", Vec::new(), "[[table]] rate has no `rows`"),
    ] {
        let told = told(table, file, &bytes);
        assert!(told.iter().any(|line| line.contains(want)), "{want}: {told:#?}");
    }
}
