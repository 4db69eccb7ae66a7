//! Parquet: what is written is what other readers read.

use std::io::Cursor;
use std::sync::Arc;

use polars::prelude::{AnyValue, DataFrame, ParquetReader, SerReader};
use proptest::prelude::*;
use tuoyu::domain::{CodeList, Date};
use tuoyu::publish::sheet::NO_CODE;
use tuoyu::publish::{Sheet, Values, parquet};

fn read(bytes: Vec<u8>) -> DataFrame {
    ParquetReader::new(Cursor::new(bytes)).finish().unwrap()
}

/// A cell as the reader sees it, in the words of [`Values::text`].
fn cell(frame: &DataFrame, column: &str, row: usize) -> String {
    match frame.column(column).unwrap().get(row).unwrap() {
        AnyValue::Null => String::new(),
        AnyValue::String(text) => text.to_owned(),
        AnyValue::StringOwned(text) => text.to_string(),
        AnyValue::Int64(number) => number.to_string(),
        AnyValue::Boolean(flag) => flag.to_string(),
        AnyValue::Date(days) => Date::from_days(days).to_string(),
        other => panic!("{column}: {other:?}"),
    }
}

fn sheet(numbers: &[i64], spread: u32) -> Sheet {
    let rows = numbers.len();
    let spread = spread.max(1);
    let pick = |n: i64| u32::try_from(n.rem_euclid(i64::from(spread))).unwrap();
    let texts: Vec<String> = (0..spread).map(|n| format!("文{n}")).collect();
    let list = Arc::new(CodeList::new(texts.iter().map(String::as_str)));
    let code = |n: &i64| if n % 7 == 0 { NO_CODE } else { pick(*n) };
    let sparse = |n: &i64| (n % 5 != 0).then_some(*n);
    let mut sheet = Sheet::new("t", rows);
    sheet.put("fen", "", Values::Fen(numbers.to_vec()));
    sheet.put("small", "", Values::Int(numbers.iter().map(|n| n % 3).collect()));
    sheet.put("maybe", "", Values::MaybeInt(numbers.iter().map(sparse).collect()));
    sheet.put("none", "", Values::MaybeFen(vec![None; rows]));
    sheet.put("listed", "", Values::Listed(numbers.iter().map(code).collect(), Arc::clone(&list)));
    sheet.put("coded", "", Values::Coded(numbers.iter().map(code).collect(), list));
    let text = |n: &i64| if n % 4 == 0 { String::new() } else { format!("行 {n}") };
    sheet.put("text", "", Values::Text(numbers.iter().map(text).collect()));
    let day =
        |n: &i64| (n % 6 != 0).then(|| Date::from_days(20_000 + i32::try_from(n % 900).unwrap()));
    sheet.put("date", "", Values::Date(numbers.iter().map(day).collect()));
    let flag = |n: &i64| (n % 9 != 0).then_some(n % 2 == 0);
    sheet.put("flag", "", Values::Bool(numbers.iter().map(flag).collect()));
    let name = |n: &i64| if n % 8 == 0 { [0; 16] } else { letter(*n) };
    sheet.put("name", "", Values::Pseudonym(numbers.iter().map(name).collect()));
    sheet
}

fn letter(n: i64) -> [u8; 16] {
    [b'a' + u8::try_from(n.rem_euclid(20)).unwrap(); 16]
}

fn assert_reads_back(sheet: &Sheet) {
    let bytes = parquet::write(sheet, Vec::new()).unwrap();
    let frame = read(bytes);
    assert_eq!(frame.height(), sheet.rows);
    for column in &sheet.columns {
        for row in 0..sheet.rows {
            let want = sheet.cell(row, &column.name);
            assert_eq!(cell(&frame, &column.name, row), want, "{} row {row}", column.name);
        }
    }
}

#[test]
fn edges_read_back() {
    for numbers in [
        vec![],
        vec![5],
        vec![0; 300],
        (0..1_000).collect(),
        vec![i64::MIN, i64::MAX, 0, -1, i64::MAX, i64::MIN],
        (0..129).map(|n| n * n * n).collect(),
        (0..20_000).map(|n| (n * 2_654_435_761_i64) % 1_000_000_007).collect(),
    ] {
        assert_reads_back(&sheet(&numbers, 300));
    }
}

#[test]
fn row_groups_stand_in_order() {
    let parts = [sheet(&[1, 2, 3], 4), sheet(&[], 4), sheet(&[9; 40], 4)];
    let mut writer = parquet::Writer::new(Vec::new(), &parts[0]).unwrap();
    for part in &parts {
        writer.append(&parquet::encode(part).unwrap()).unwrap();
    }
    let frame = read(writer.finish().unwrap());
    assert_eq!(frame.height(), 43);
    assert_eq!(cell(&frame, "fen", 2), "3");
    assert_eq!(cell(&frame, "fen", 3), "9");
}

#[test]
fn other_columns_are_refused() {
    let mut writer = parquet::Writer::new(Vec::new(), &sheet(&[1], 4)).unwrap();
    let mut other = Sheet::new("t", 1);
    other.put("fen", "", Values::Fen(vec![1]));
    assert!(writer.append(&parquet::encode(&other).unwrap()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_numbers_read_back(
        numbers in prop::collection::vec(prop_oneof![-50_i64..50, any::<i64>()], 0..700),
        runs in 1_usize..40,
        spread in 1_u32..5_000,
    ) {
        let repeated: Vec<i64> =
            numbers.iter().flat_map(|n| std::iter::repeat_n(*n, 1 + usize::try_from(n.unsigned_abs() % 40).unwrap() % runs)).collect();
        assert_reads_back(&sheet(&repeated, spread));
    }
}
