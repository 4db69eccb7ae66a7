//! Records typed block by block come to what the same records come to one by one, whether the file
//! is read whole or piece by piece.

use super::delivery::{Delivery, column, dump};
use std::fmt::Write;
use tuoyu::law::model::{Ty, Unit};

const HEADERS: &str = "child_ref,birth_date,institution_id,age_class,service,spell_from,\
                       spell_until,fee_monthly,category,birth_order,weight,night";

/// A delivery read whole or, when `pieces` is small, piece by piece.
fn delivery(text: &str, pieces: usize) -> Delivery {
    let weight = Ty::Num { integer: false, unit: Unit::default() };
    Delivery::of("enrolments")
        .extended("weight", "系数", weight)
        .extended("night", "夜间", Ty::Bool)
        .value("service", "FULL", "全日托")
        .value("service", "none", "")
        .file("e.csv", text)
        .pieces(pieces)
}

/// The field of one column; `odd` rows spell it in some way nobody reads by bytes, or nobody at all.
fn field(name: &str, row: usize, odd: bool) -> String {
    let pick = |texts: &[&str]| texts[(row / 7) % texts.len()].to_owned();
    match (name, odd) {
        ("child_ref", false) => format!("1101{:014}", row * 7919 % 10_007),
        ("child_ref", true) => pick(&["", "11010520240101123x", "1.5E+17", "a b", "１２", "X-"]),
        ("birth_date" | "spell_from", false) => {
            format!("2024-{:02}-{:02}", row % 12 + 1, row % 28 + 1)
        }
        ("birth_date" | "spell_from", true) => {
            pick(&["2024/1/5", "2024-02-30", "45000", "", "2024年1月5日", "1899-12-31"])
        }
        ("institution_id", false) => format!("91MA{:05}", row / 9),
        ("institution_id", true) => pick(&["机构一", " 91MA00001", ""]),
        ("age_class", false) => pick(&["乳儿班", "托小班", "托大班", "混龄班"]),
        ("age_class", true) => pick(&["中班", "", " 托小班", "托小班\u{3000}"]),
        ("service", false) => pick(&["FULL", "全日托", "计日托"]),
        ("service", true) => pick(&["none", "HALF", " FULL", ""]),
        ("spell_until", false) if row.is_multiple_of(3) => "2026-09-30".to_owned(),
        ("spell_until" | "category", false) => String::new(),
        ("spell_until", true) => pick(&["至今", " ", "2026.9.30"]),
        ("fee_monthly", false) => format!("{}.{:02}", row % 3000, row % 100),
        ("fee_monthly", true) => pick(&["1,234.5", "", "1.234", "N/A", "-12", "￥5"]),
        ("category", true) => format!("类别{}", row % 40),
        ("birth_order", false) => (row % 3 + 1).to_string(),
        ("birth_order", true) => pick(&["2.0", "", "二", "1234567890123"]),
        ("weight", false) => "1".to_owned(),
        ("weight", true) => pick(&["0.5", "", "0.000001", "0.0000001", "x"]),
        ("night", false) => "是".to_owned(),
        ("night", true) => pick(&["N", "", "?"]),
        _ => unreachable!("{name}"),
    }
}

/// Rows of which about one in `rarity` has an odd field, with blank lines, blank and short records,
/// and line ends of both kinds.
fn rows(count: usize, rarity: usize) -> String {
    let names: Vec<&str> = HEADERS.split(',').collect();
    let mut text = format!("{HEADERS}\n");
    for row in 0..count {
        let odd = |at: usize| row % rarity == rarity - 1 && (row / rarity) % names.len() == at;
        let fields: Vec<String> =
            names.iter().enumerate().map(|(at, name)| field(name, row, odd(at))).collect();
        let end = if row.is_multiple_of(5) { "\r\n" } else { "\n" };
        write!(text, "{}{end}", fields.join(",")).unwrap();
        if row.is_multiple_of(97) {
            write!(text, "{end}{}{end}", " ,".repeat(names.len() - 1)).unwrap();
        }
        if row % 131 == 130 {
            text.push_str("short,row\n");
        }
    }
    text
}

#[test]
fn blocks_pieces_and_single_records_make_the_same_table() {
    // 128 puts the odd field into the last row of a block; 1 leaves no row without one.
    for rarity in [1, 2, 5, 64, 128, 129, 100_000] {
        let text = rows(1500, rarity);
        // One quoted field, and the whole file is read record by record.
        let quoted = text.replacen("乳儿班", "\"乳儿班\"", 1);
        let (expected, told) = delivery(&quoted, 1 << 24).table();
        assert!(expected.rows > 100, "{} rows", expected.rows);
        assert_eq!(expected.rows_read, 1500 + 11);
        let unended = text.trim_end().to_owned();
        for (name, text) in [("as it is", text), ("without a last line end", unended)] {
            for pieces in [1, 20_000, 1 << 24] {
                let (table, found) = delivery(&text, pieces).table();
                assert_eq!(dump(&table), dump(&expected), "{rarity}, {name}, pieces of {pieces}");
                assert_eq!(found, told, "{rarity}, {name}, pieces of {pieces}");
            }
        }
    }
}

#[test]
fn a_refused_row_takes_nothing_from_its_neighbours() {
    let mut text = String::from("institution_id,age_class,slots_filed,valid_from\n");
    for row in 0..300 {
        let places =
            if [0, 127, 128, 255, 299].contains(&row) { "?".into() } else { row.to_string() };
        writeln!(text, "I{row},托小班,{places},2026-01-01").unwrap();
    }
    let (table, findings) = Delivery::of("slots").file("s.csv", text).table();
    let left: Vec<String> = (0..300)
        .filter(|row| ![0, 127, 128, 255, 299].contains(row))
        .map(|row| row.to_string())
        .collect();
    assert_eq!(column(&table, "slots_filed"), left);
    assert_eq!(table.records[125..128], [127, 130, 131]);
    assert_eq!((table.rows_read, table.rows_refused), (300, 5));
    assert_eq!(findings, ["value_unreadable slots_filed 1*5 found=?"]);
}

#[test]
fn spellings_that_look_alike_keep_their_own_codes() {
    // Equal but for their length, their middle or their end; up to 16 bytes and longer.
    let spellings = [
        "a",
        "a\0",
        "aa",
        "aaa",
        "aaaa",
        "aaaaa",
        "aaaaaaa",
        "aaaaaaaa",
        "aaaaaaaaa",
        "aaaabaaaa",
        "aaaaaaaaaaaaaaaa",
        "aaaaaaaabaaaaaaa",
        "aaaaaaaaaaaaaaaaa",
        "aaaaaaaabaaaaaaaa",
        "类",
        "类别",
    ];
    let mut text = format!("{HEADERS}\n");
    for row in 0..500 {
        let category = spellings[(row * 7 + row / 16) % spellings.len()];
        writeln!(text, "C{row},2024-01-01,I,托小班,全日托,2026-09-01,,1,{category},1,1,1").unwrap();
    }
    let (table, findings) = delivery(&text, 1).table();
    let expected: Vec<&str> =
        (0..500).map(|row: usize| spellings[(row * 7 + row / 16) % spellings.len()]).collect();
    assert_eq!(column(&table, "category"), expected);
    assert_eq!(findings, [""; 0]);
}
