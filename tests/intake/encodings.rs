//! Encodings: marks, strict UTF-8, GB18030, and nothing guessed.

use super::delivery::{Delivery, column};
use encoding_rs::{GB18030, UTF_16BE, UTF_16LE};

const TEXT: &str = "统一社会信用代码,班型,备案托位,来源\nA,托小班,3,新建\n";

fn utf16(text: &str, little: bool) -> Vec<u8> {
    let mut bytes = if little { vec![0xff, 0xfe] } else { vec![0xfe, 0xff] };
    for unit in text.encode_utf16() {
        bytes.extend(if little { unit.to_le_bytes() } else { unit.to_be_bytes() });
    }
    bytes
}

#[test]
fn every_encoding_gives_the_same_table() {
    let (gb, _, lossy) = GB18030.encode(TEXT);
    assert!(!lossy);
    let cases = [
        ("UTF-8", TEXT.as_bytes().to_vec()),
        ("UTF-8 with mark", [b"\xef\xbb\xbf", TEXT.as_bytes()].concat()),
        (UTF_16LE.name(), utf16(TEXT, true)),
        (UTF_16BE.name(), utf16(TEXT, false)),
        (GB18030.name(), gb.into_owned()),
    ];
    for (name, bytes) in cases {
        let (table, findings) = Delivery::of("slots").file("s.csv", bytes).table();
        assert_eq!(column(&table, "slots_filed"), ["3"], "{name}");
        assert_eq!(column(&table, "origin"), ["新建"], "{name}");
        assert!(findings.is_empty(), "{name}: {findings:?}");
    }
}

#[test]
fn a_rare_character_of_four_bytes_survives() {
    // 𠮷 lies outside the two-byte plane: GB18030 writes it in four bytes, GBK cannot.
    let text = "统一社会信用代码,机构名称\nA,𠮷祥托育\n";
    let (gb, ..) = GB18030.encode(text);
    let (table, _) = Delivery::of("institutions").file("i.csv", gb).table();
    assert_eq!(column(&table, "name"), ["𠮷祥托育"]);
}

#[test]
fn a_file_in_no_encoding_is_refused_row_by_row() {
    let broken = [TEXT.as_bytes(), b"B,\xff\xff,4,\nC,x,5,\n"].concat();
    let (table, findings) = Delivery::of("slots").file("s.csv", &broken).table();
    assert_eq!((table.rows_read, table.rows_refused), (3, 3));
    let at = TEXT.len() + 2;
    assert_eq!(findings, [format!("encoding_broken  0*3 byte={at}")]);
}

#[test]
fn a_utf8_file_cut_short_is_not_taken_for_gb18030() {
    let text = "统一社会信用代码,机构名称\nA,托育中心";
    let cut = &text.as_bytes()[..text.len() - 1];
    let (table, findings) = Delivery::of("institutions").file("i.csv", cut).table();
    assert_eq!((table.rows, table.rows_read), (0, 1));
    assert!(findings[0].starts_with("encoding_broken"), "{findings:?}");
}

#[test]
fn a_mark_belied_by_the_bytes_is_broken() {
    let (gb, ..) = GB18030.encode(TEXT);
    let belied = [b"\xef\xbb\xbf".as_slice(), &gb].concat();
    let (_, findings) = Delivery::of("slots").file("s.csv", belied).table();
    assert!(findings[0].starts_with("encoding_broken"), "{findings:?}");
}
