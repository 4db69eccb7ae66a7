//! No bytes make intake panic or hang; whatever is read, the counts tie out.

use super::delivery::{Delivery, dump};
use super::xls_sample;
use polars::prelude::{DataFrame, IntoColumn, NamedFrom, ParquetWriter, Series};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use rust_xlsxwriter::Workbook;

const SLOTS: &str = "institution_id,age_class,slots_filed,slots_open,valid_from\n";

/// So many cases, and no file of past failures.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Bytes that delimited files are made of, awkwardly mixed.
fn morsels() -> impl Strategy<Value = Vec<u8>> {
    let morsel = prop_oneof![
        Just(b",".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\"\"".to_vec()),
        Just("托小班".as_bytes().to_vec()),
        Just(b"A,\"x\ny\",3,,2026-09-01\n".to_vec()),
        Just("A,托小班,3,\"2\",2026/9/1\n".as_bytes().to_vec()),
        Just(b"12,345.6".to_vec()),
        vec(any::<u8>(), 0..4),
        "[ -~]{0,6}".prop_map(String::into_bytes),
    ];
    vec(morsel, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn any_rows_tie_out_in_any_pieces(body in morsels(), bytes in 1_usize..50) {
        let text = [SLOTS.as_bytes(), &body].concat();
        let whole = Delivery::of("slots").file("s.csv", &text);
        let pieces = Delivery::of("slots").file("s.csv", &text).pieces(bytes);
        let (table, told) = whole.table();
        let (cut, told_cut) = pieces.table();
        prop_assert_eq!(dump(&table), dump(&cut));
        prop_assert_eq!(told, told_cut);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..400)) {
        let _ = Delivery::of("slots").file("s.csv", &bytes).try_read();
        let marked = [b"\xff\xfe".as_slice(), &bytes].concat();
        let _ = Delivery::of("slots").file("s.csv", &marked).try_read();
    }

    #[test]
    fn any_value_is_typed_or_refused(raw in "\\PC{0,24}", spelt in "[-+0-9,.￥元年月日/:TEe ]{0,24}") {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        for raw in [raw.as_str(), spelt.as_str()] {
            let raw = quoted(raw);
            let text = format!(
                "child_ref,birth_date,institution_id,age_class,service,spell_from,fee_monthly,\
                 birth_order\n\
                 {raw},2024-01-01,{raw},托小班,全日托,2026-09-01,1,1\n\
                 C,{raw},I,{raw},全日托,{raw},1,1\n\
                 C,2024-01-01,I,托小班,{raw},2026-09-01,{raw},{raw}\n"
            );
            let (table, _) = Delivery::of("enrolments").file("e.csv", text).table();
            prop_assert_eq!(table.rows_read, 3);
        }
    }
}

/// A small whole workbook, to be bitten.
fn workbook() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (at, header) in (0_u16..).zip(SLOTS.trim_end().split(',')) {
        sheet.write(0, at, header).unwrap();
    }
    for row in 1..5 {
        sheet
            .write(row, 0, "A")
            .unwrap()
            .write(row, 1, "托小班")
            .unwrap()
            .write(row, 2, row)
            .unwrap();
    }
    book.save_to_buffer().unwrap()
}

/// A small whole Parquet file.
fn parquet() -> Vec<u8> {
    let places = Series::new("slots_filed".into(), [3_i64, 4].as_slice()).into_column();
    let text =
        |name: &str, texts: [&str; 2]| Series::new(name.into(), texts.as_slice()).into_column();
    let columns =
        vec![text("institution_id", ["A", "B"]), text("age_class", ["托小班", "托大班"]), places];
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut DataFrame::new(2, columns).unwrap()).unwrap();
    bytes
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn a_bitten_workbook_or_parquet_file_is_read_or_refused(
        bites in vec((any::<Index>(), any::<u8>()), 1..6),
        cut in any::<Index>(),
        short in any::<bool>(),
    ) {
        for mut bytes in [workbook(), xls_sample::bytes(), parquet()] {
            for (at, byte) in &bites {
                let at = 8 + at.index(bytes.len() - 12);
                bytes[at] = *byte;
            }
            if short {
                let length = 8 + cut.index(bytes.len() - 12);
                bytes.truncate(length);
            }
            let _ = Delivery::of("slots").file("s.bin", &bytes).try_read();
        }
    }

    #[test]
    fn noise_in_the_clothes_of_a_format_is_refused(noise in vec(any::<u8>(), 0..300)) {
        let cases: [(&[u8], &[u8]); 3] =
            [(b"PK\x03\x04", b""), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b""), (b"PAR1", b"PAR1")];
        for (head, tail) in cases {
            let bytes = [head, &noise, tail].concat();
            prop_assert!(Delivery::of("slots").file("s.bin", &bytes).try_read().is_err());
        }
    }
}
