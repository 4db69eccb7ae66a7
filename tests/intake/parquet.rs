//! Parquet columns of every type a bureau's systems write.

use super::delivery::{Delivery, column};
use polars::prelude::{
    Column, DataFrame, DataType, IntoColumn, NamedFrom, ParquetWriter, Series, TimeUnit,
};
use tuoyu::intake::IntakeError;

fn deliver(table: &str, columns: Vec<Column>) -> Delivery {
    let mut delivery = Delivery::of(table);
    let rows = columns[0].len();
    let mut frame = DataFrame::new(rows, columns).unwrap();
    let file = std::fs::File::create(delivery.path("t.parquet")).unwrap();
    ParquetWriter::new(file).finish(&mut frame).unwrap();
    delivery
}

#[test]
fn every_column_type_ends_in_its_declared_one() {
    let strings =
        |name: &str, texts: [&str; 3]| Series::new(name.into(), texts.as_slice()).into_column();
    let days = Series::new("spell_from".into(), [20_697_i32, 20_698, 20_699].as_slice());
    let yuan = Series::new("fee_monthly".into(), [Some(123_450_i64), Some(-5), None].as_slice());
    // The same day as a moment of midnight, as data frames write dates.
    let moments: Vec<i64> = [20_697, 20_698].iter().map(|day| day * 86_400_000).collect();
    let until =
        Series::new("spell_until".into(), [Some(moments[0]), Some(moments[1]), None].as_slice());
    let moment = DataType::Datetime(TimeUnit::Milliseconds, None);
    let columns = vec![
        until.cast(&moment).unwrap().into_column(),
        strings("证件号码", ["C1", "C2", "C3"]),
        strings("birth_date", ["2024-01-01", "2024/1/2", "2024年1月3日"]),
        Series::new("birth_order".into(), [Some(1_i32), None, Some(3)].as_slice()).into_column(),
        Series::new("institution_id".into(), [1_i64, 2, 3].as_slice()).into_column(),
        strings("age_class", ["托小班", "托大班", "混龄班"]),
        strings("service", ["全日托", "全日托", "半日托"]),
        days.cast(&DataType::Date).unwrap().into_column(),
        yuan.cast(&DataType::Decimal(12, 2)).unwrap().into_column(),
        Series::new("fee_other".into(), [12.5_f64, 0.1, 100.0].as_slice()).into_column(),
    ];
    let (table, findings) = deliver("enrolments", columns).table();
    assert_eq!(column(&table, "child_ref"), ["C1", "C2", "C3"]);
    assert_eq!(column(&table, "birth_date"), ["2024-01-01", "2024-01-02", "2024-01-03"]);
    assert_eq!(column(&table, "birth_order"), ["1", "-", "3"]);
    assert_eq!(column(&table, "institution_id"), ["1", "2", "3"]);
    // Day 20,697 after 1970-01-01 is 2026-09-01.
    assert_eq!(column(&table, "spell_from"), ["2026-09-01", "2026-09-02", "2026-09-03"]);
    assert_eq!(column(&table, "spell_until"), ["2026-09-01", "2026-09-02", "-"]);
    assert_eq!(column(&table, "fee_monthly"), ["12345000", "-500", "-"]);
    assert_eq!(column(&table, "fee_other"), ["1250", "10", "10000"]);
    assert!(findings.is_empty(), "{findings:?}");
}

#[test]
fn floats_that_cannot_hold_the_value_are_refused() {
    let columns = vec![
        Series::new("institution_id".into(), ["A", "B", "C"].as_slice()).into_column(),
        Series::new("venue_id".into(), [1.0_f64, 2.0, 1e17].as_slice()).into_column(),
        Series::new("area_m2".into(), [1.5_f64, 600.25, 3.0].as_slice()).into_column(),
        Series::new("rent_monthly".into(), [10.005_f64, 5.0, 1.0].as_slice()).into_column(),
    ];
    let (table, findings) = deliver("venues", columns).table();
    assert_eq!(column(&table, "venue_id"), ["2"]);
    assert_eq!(column(&table, "area_m2"), ["60025/100"]);
    assert_eq!(
        findings,
        [
            "amount_too_fine rent_monthly 1*1 found=10.005",
            "number_through_float venue_id 3*1 found=1.00000E17",
        ]
    );
    let columns = vec![
        Series::new("institution_id".into(), ["A"].as_slice()).into_column(),
        Series::new("venue_id".into(), ["V"].as_slice()).into_column(),
        Series::new("area_m2".into(), [1_i32].as_slice()).into_column(),
        Series::new("rent_monthly".into(), [10.5_f32].as_slice()).into_column(),
    ];
    let (_, findings) = deliver("venues", columns).table();
    assert_eq!(findings, ["number_through_float rent_monthly 1*1 found=a 32-bit float"]);
}

#[test]
fn a_damaged_file_is_an_error() {
    let damaged = Delivery::of("slots").file("s.parquet", b"PAR1 not really \x08\0\0\0PAR1");
    assert!(matches!(damaged.try_read(), Err(IntakeError::Damaged { format: "Parquet", .. })));
}
