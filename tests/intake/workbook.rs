//! Workbooks: typed cells, leading blank rows, numbers that lost digits.

use super::delivery::{Delivery, column, yuan};
use super::xls_sample;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use tuoyu::intake::IntakeError;

/// Writes a workbook of one sheet per entry and delivers it.
fn deliver(mut delivery: Delivery, fill: impl FnOnce(&mut Workbook)) -> Delivery {
    let mut book = Workbook::new();
    fill(&mut book);
    book.save(delivery.path("book.xlsx")).unwrap();
    delivery
}

#[test]
fn leading_blank_rows_and_columns_do_not_shift_records() {
    let delivery = deliver(Delivery::of("slots"), |book| {
        let sheet = book.add_worksheet();
        for (at, header) in (0_u16..).zip(["统一社会信用代码", "班型", "备案托位"]) {
            sheet.write(3, at + 1, header).unwrap();
        }
        sheet.write(4, 1, "A").unwrap().write(4, 2, "托小班").unwrap().write(4, 3, 3).unwrap();
        // Row 5 is blank; row 6 is the third below the header.
        sheet.write(6, 1, "B").unwrap().write(6, 2, "托大班").unwrap().write(6, 3, 5).unwrap();
        sheet.write(7, 1, "C").unwrap().write(7, 2, "托大班").unwrap();
    });
    let (table, findings) = delivery.table();
    assert_eq!(column(&table, "slots_filed"), ["3", "5"]);
    assert_eq!(table.records, [1, 3]);
    assert_eq!((table.rows_read, table.rows_refused), (3, 1));
    assert_eq!(findings, ["value_missing slots_filed 4*1"]);
}

#[test]
fn a_title_above_the_header_is_passed_by_its_row_number() {
    let mut delivery = deliver(Delivery::of("slots"), |book| {
        book.add_worksheet().set_name("说明").unwrap().write(0, 0, "见下页").unwrap();
        let sheet = book.add_worksheet().set_name("托位").unwrap();
        sheet.write(0, 0, "示例区托位备案表").unwrap();
        for (at, header) in (0_u16..).zip(["institution_id", "age_class", "slots_filed"]) {
            sheet.write(2, at, header).unwrap();
        }
        sheet.write(3, 0, "A").unwrap().write(3, 1, "托小班").unwrap().write(3, 2, "30").unwrap();
    });
    assert!(matches!(delivery.try_read(), Err(IntakeError::ColumnsMissing { .. })));
    delivery.spec.sheet = Some("托位".to_owned());
    delivery.spec.header_row = Some(3);
    let (table, findings) = delivery.table();
    assert_eq!(column(&table, "slots_filed"), ["30"]);
    assert_eq!(table.records, [1]);
    assert!(findings.is_empty(), "{findings:?}");
    delivery.spec.sheet = Some("别页".to_owned());
    assert!(delivery.try_read().unwrap_err().to_string().ends_with("the workbook has 说明, 托位"));
}

#[test]
fn numbers_are_exact_or_refused() {
    let headers = ["统一社会信用代码", "户名", "账号", "联行号"];
    let delivery = deliver(Delivery::of("institutions"), |book| {
        let sheet = book.add_worksheet();
        for (at, header) in (0_u16..).zip(headers) {
            sheet.write(0, at, header).unwrap();
        }
        // Twelve digits are held exactly by a number cell, nineteen are not.
        sheet.write(1, 0, "A").unwrap().write(1, 2, 622_202_000_012_f64).unwrap();
        sheet.write(2, 0, "B").unwrap().write(2, 2, 6_222_020_000_000_000_001_f64).unwrap();
        sheet.write(3, 0, "C").unwrap().write(3, 2, "6.222E+18").unwrap();
        sheet.write(4, 0, "D").unwrap().write(4, 2, "6222020000000000001").unwrap();
        sheet.write(5, 0, 123_456_f64).unwrap().write(5, 3, "313521000011").unwrap();
    });
    let (table, findings) = delivery.table();
    assert_eq!(column(&table, "institution_id"), ["A", "D", "123456"]);
    assert_eq!(column(&table, "account_no"), ["622202000012", "6222020000000000001", "-"]);
    assert_eq!(column(&table, "bank_no"), ["-", "-", "313521000011"]);
    assert_eq!(findings, ["number_through_float account_no 2*2 found=6.22202E18"]);
}

#[test]
fn dates_money_and_truths_of_cells() {
    let headers =
        ["institution_id", "class_id", "age_class", "places", "opened_on", "baseline", "fee"];
    let delivery = deliver(Delivery::of("classes").extended("fee", "费用", yuan()), |book| {
        let sheet = book.add_worksheet();
        let date = Format::new().set_num_format("yyyy-mm-dd");
        for (at, header) in (0_u16..).zip(headers) {
            sheet.write(0, at, header).unwrap();
        }
        for row in 1..=6 {
            sheet.write(row, 0, "A").unwrap().write(row, 1, row).unwrap();
            sheet.write(row, 2, "托小班").unwrap().write(row, 3, 15).unwrap();
        }
        let day = ExcelDateTime::from_ymd(2026, 9, 1).unwrap();
        sheet.write_with_format(1, 4, &day, &date).unwrap().write(1, 5, true).unwrap();
        sheet.write(1, 6, 1234.1).unwrap();
        sheet.write(2, 4, 46_266).unwrap().write(2, 5, 0).unwrap();
        // A sum that left dust behind the fifteenth digit.
        sheet.write(2, 6, 0.1 + 0.2).unwrap();
        sheet.write(3, 4, "2026年9月1日").unwrap().write(3, 5, "是").unwrap();
        sheet.write(3, 6, "1,800.00").unwrap();
        let noon = ExcelDateTime::from_ymd(2026, 9, 1).unwrap().and_hms(12, 0, 0).unwrap();
        sheet.write_with_format(4, 4, &noon, &date).unwrap();
        sheet.write(5, 6, 0.125).unwrap();
        sheet.write(6, 6, 1e11).unwrap();
    });
    let (table, findings) = delivery.table();
    assert_eq!(column(&table, "class_id"), ["1", "2", "3"]);
    assert_eq!(column(&table, "opened_on"), ["2026-09-01"; 3]);
    assert_eq!(column(&table, "baseline"), ["true", "false", "true"]);
    assert_eq!(column(&table, "fee"), ["123410", "30", "180000"]);
    assert_eq!(
        findings,
        [
            "value_unreadable opened_on 4*1 found=date with a time of day",
            "amount_too_fine fee 5*1 found=0.125",
            "amount_too_large fee 6*1 found=100000000000",
            "value_normalised opened_on 2*1 found=46266",
            "value_normalised fee 2*1 found=0.30000000000000004",
        ]
    );
}

#[test]
fn a_cell_far_away_costs_nothing() {
    // The bounding box of these cells is the whole grid: 17 thousand million cells.
    let delivery = deliver(Delivery::of("institutions"), |book| {
        let sheet = book.add_worksheet();
        sheet.write(0, 0, "institution_id").unwrap();
        sheet.write(1, 0, "A").unwrap();
        sheet.write(1_048_575, 16_383, "x").unwrap();
    });
    let (table, findings) = delivery.table();
    assert_eq!(column(&table, "institution_id"), ["A"]);
    assert_eq!(findings, ["column_unknown  1048575*1 header="]);
}

#[test]
fn an_old_workbook_reads_like_a_new_one() {
    let (table, findings) = Delivery::of("slots").file("s.xls", xls_sample::bytes()).table();
    assert_eq!(column(&table, "slots_filed"), ["30"]);
    assert_eq!(column(&table, "valid_from"), ["2026-09-01"]);
    assert_eq!(table.records, [1]);
    assert_eq!(
        findings,
        [
            "value_unreadable slots_filed 3*1 found=5 个",
            "value_unreadable valid_from 4*1 found=长期",
        ]
    );
}

#[test]
fn a_damaged_workbook_is_an_error() {
    let damaged = Delivery::of("slots").file("s.xlsx", b"PK\x03\x04 and then nothing of the kind");
    assert!(matches!(damaged.try_read(), Err(IntakeError::Damaged { format: "XLSX", .. })));
    let damaged = Delivery::of("slots").file("s.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 torn");
    assert!(matches!(damaged.try_read(), Err(IntakeError::Damaged { format: "XLS", .. })));
}

#[test]
fn an_xls_that_asks_for_more_than_a_sheet_is_refused() {
    let short =
        |bytes: &[u8], at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let refused = |bytes: &[u8]| {
        let told = Delivery::of("slots").file("s.xls", bytes).try_read().unwrap_err();
        assert!(matches!(told, IntakeError::Damaged { format: "XLS", .. }), "{told}");
        told.to_string()
    };
    let whole = xls_sample::bytes();

    // A text cell (LabelSst, 10 bytes) in the last column there is in two bytes.
    let cell = whole.windows(4).rposition(|head| head == b"\xfd\x00\x0a\x00").unwrap();
    let mut wide = whole.clone();
    wide[cell + 6..cell + 8].copy_from_slice(b"\xff\xff");
    assert!(refused(&wide).contains("more than 65536 rows or 256 columns"));

    // A directory whose chain of sectors is a circle.
    let (directory, table) = (short(&whole, 48), short(&whole, 76));
    let mut circle = whole;
    let entry = (table + 1) * 512 + directory * 4;
    circle[entry..entry + 4].copy_from_slice(&u32::try_from(directory).unwrap().to_le_bytes());
    refused(&circle);
}

#[test]
fn a_delimited_file_called_xlsx_is_read_for_what_it_is() {
    let text = "institution_id,age_class,slots_filed\nA,托小班,3\n";
    assert_eq!(column(&Delivery::of("slots").file("s.xlsx", text).table().0, "slots_filed"), ["3"]);
}
