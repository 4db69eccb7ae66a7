//! Batch profiles: what is read, and each fault with its place.

use tuoyu::domain::{Date, Fen, Said};
use tuoyu::job::{
    Align, AmountShape, AnswerPart, BatchProfile, BatchValue, DatePattern, FieldSource, LineEnd,
    TextEncoding,
};

fn shipped(name: &str) -> BatchProfile {
    let path = format!("{}/data/reference/profiles/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    BatchProfile::parse(name, &std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn the_shipped_profiles_say_what_they_are_for() {
    let pipe = shipped("pipe_batch");
    assert_eq!(pipe.separator.as_deref(), Some("|"));
    assert_eq!((pipe.encoding, pipe.line_end), (TextEncoding::Gbk, LineEnd::CrLf));
    assert_eq!(pipe.end_mark.as_deref(), Some("########"));
    let head: Vec<&str> = pipe.head.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(head, ["P", "count", "total"]);
    assert_eq!((pipe.rows_per_file, pipe.amount_limit), (Some(5000), Some(Fen(5_000_000_000))));
    let answer = pipe.answer.unwrap();
    // The profile's own, where the answer says nothing else.
    assert_eq!((answer.separator.as_deref(), answer.encoding), (Some("|"), TextEncoding::Gbk));
    assert_eq!(answer.fields[0].is, None);
    assert_eq!(answer.fields[4].is, Some(AnswerPart::EndToEndId));
    assert_eq!(answer.said("2"), Some(Said::Returned));
    assert_eq!(answer.said("3"), None);

    let payroll = shipped("payroll");
    assert_eq!((payroll.separator, payroll.detail.len()), (None, 10));
    let widths: Vec<usize> = payroll.detail.iter().filter_map(|field| field.width).collect();
    assert_eq!(widths, [6, 16, 32, 80, 12, 15, 3, 8, 35, 120]);
    let amount = &payroll.detail[5];
    assert_eq!(amount.source, FieldSource::Value(BatchValue::Amount));
    assert_eq!((amount.align, amount.pad, amount.amount), (Align::Right, '0', AmountShape::Fen));
    let answer = payroll.answer.unwrap();
    assert_eq!(answer.separator, None);
    assert_eq!(answer.said("00"), Some(Said::Paid));
}

const GOOD: &str = r#"kind = "batch"
id = "x"
title = "x"
separator = ","
file_name = "{profile}_{part}.txt"
[[detail]]
from = "amount"
unit = "yuan"
[[detail]]
from = "account_name"
[answer]
[[answer.field]]
is = "end_to_end_id"
[[answer.field]]
is = "status"
[answer.status]
00 = "paid"
"#;

#[test]
fn each_fault_has_its_place_and_says_what_to_do() {
    assert!(BatchProfile::parse("x.toml", GOOD).is_ok());
    for (from, to, fault) in [
        ("kind = \"batch\"", "kind = \"form\"", "kind: \"form\"; expected \"batch\""),
        ("id = \"x\"", "id = \"../x\"", "id: \"../x\"; expected letters, digits, _ and -"),
        (
            "separator = \",\"",
            "separator = \",\"\nencoding = \"Big5\"",
            "encoding: \"Big5\"; expected \"GBK\", \"GB18030\" or \"UTF-8\"",
        ),
        (
            "separator = \",\"",
            "separator = \"\\n\"",
            "separator: \"\\n\"; expected one or more characters of a line; hint: for fields of a \
             fixed width leave the key out and give each its width",
        ),
        (
            "separator = \",\"\n",
            "",
            "detail field 1: has no width; expected width = BYTES; hint: or state a separator",
        ),
        (
            "separator = \",\"",
            "separator = \",\"\nend_mark = \"丂€\"",
            "end_mark: \"丂€\" has '€' (U+20AC), which GBK has not",
        ),
        (
            "separator = \",\"",
            "separator = \",\"\nrows_per_file = 0",
            "rows_per_file: 0; expected a whole number from 1 to 1000000",
        ),
        (
            "separator = \",\"",
            "separator = \",\"\namount_limit = \"0\"",
            "amount_limit: \"0\"; expected an amount in yuan as \"50000000.00\"",
        ),
        (
            "file_name = \"{profile}_{part}.txt\"",
            "file_name = \"../{profile}.txt\"",
            "file_name: \"../{profile}.txt\"; expected letters, digits, _ - . and any of {job} \
             {period} {profile} {part} {parts} {date} {batch_no}",
        ),
        (
            "file_name = \"{profile}_{part}.txt\"",
            "file_name = \"{profile}.txt\"\nrows_per_file = 9",
            "file_name: \"{profile}.txt\" has no {part}; expected it; hint: rows_per_file and \
             amount_limit make several files",
        ),
        ("unit = \"yuan\"", "", "detail field 1: has no unit; expected unit = \"yuan\" or \"fen\""),
        (
            "unit = \"yuan\"",
            "unit = \"fen\"\npoint = true",
            "detail field 1: fen have no decimals; expected point = false or unit = \"yuan\"",
        ),
        (
            "unit = \"yuan\"",
            "unit = \"yuan\"\nwidth = 0",
            "detail field 1: width 0; expected 1 to 1000 bytes",
        ),
        (
            "from = \"account_name\"",
            "from = \"account_name\"\nvalue = \"a\"",
            "detail field 2: has both of from and value; expected one of them",
        ),
        (
            "from = \"account_name\"",
            "name = \"户名\"",
            "detail field 2 (户名): has neither of from and value; expected one of them",
        ),
        (
            "from = \"account_name\"",
            "value = \"a,b\"",
            "detail field 2: \"a,b\" has the separator or a line end; expected a text without",
        ),
        (
            "from = \"account_name\"",
            "value = \"壹贰\"\nwidth = 3",
            "detail field 2: \"壹贰\" has 4 bytes; expected at most 3",
        ),
        (
            "from = \"account_name\"",
            "from = \"pay_on\"\ndate = \"YYYY-DD\"",
            "detail field 2: date \"YYYY-DD\"; expected YYYY, MM and DD once each, as \
             \"YYYY-MM-DD\"",
        ),
        (
            "[[detail]]\nfrom = \"account_name\"",
            "[[head]]\nfrom = \"account_name\"",
            "head field 1: account_name is of one payment; expected a value of the file; hint: put \
             it into a [[detail]] field",
        ),
        (
            "is = \"status\"",
            "is = \"end_to_end_id\"",
            "answer field 2: is end_to_end_id as an earlier one; expected each once",
        ),
        (
            "00 = \"paid\"",
            "00 = \"done\"",
            "answer.status: 00 = \"done\"; expected \"paid\", \"rejected\", \"returned\" or \
             \"pending\"",
        ),
        (
            "is = \"end_to_end_id\"",
            "is = \"account_no\"",
            "answer: no field tells which payment; expected end_to_end_id, payment_no with \
             account_no or amount, or account_no with amount",
        ),
        (
            "is = \"end_to_end_id\"",
            "is = \"payment_no\"",
            "answer: no field tells which payment; expected end_to_end_id, payment_no with \
             account_no or amount, or account_no with amount",
        ),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        let found = BatchProfile::parse("x.toml", &text).unwrap_err();
        assert_eq!(found.0[0].to_string(), format!("x.toml: {fault}"), "{to}");
    }
    // A word nobody knows: the parser tells line and column.
    let found = BatchProfile::parse("x.toml", &GOOD.replace("unit", "units")).unwrap_err();
    let text = found.to_string();
    assert!(text.starts_with("x.toml: ") && text.contains("line 8, column 1"), "{text}");
}

#[test]
fn a_profile_tells_all_its_faults_at_once() {
    let text = GOOD.replace("id = \"x\"", "id = \"\"").replace("yuan", "jiao");
    let found = BatchProfile::parse("x.toml", &text).unwrap_err();
    assert_eq!(found.0.len(), 2, "{found}");
}

#[test]
fn dates_and_amounts_go_both_ways() {
    let day = Date::from_ymd(2026, 9, 5).unwrap();
    for (pattern, text) in [
        ("YYYYMMDD", "20260905"),
        ("YYYY-MM-DD", "2026-09-05"),
        ("DD/MM/YYYY", "05/09/2026"),
        ("YYYY年MM月DD日", "2026年09月05日"),
    ] {
        let read = DatePattern::parse(pattern).unwrap();
        assert_eq!(read.write(day), text);
        assert_eq!(read.read(text), Some(day), "{pattern}");
    }
    let compact = DatePattern::default();
    for wrong in ["20260931", "2026905", "2026-09-05", "202609055", "", "2026090五"] {
        assert_eq!(compact.read(wrong), None, "{wrong}");
    }
    for wrong in ["YYYYMM", "YYYYMMDDDD", "YYMMDD", "MMMMDDYYYY"] {
        assert_eq!(DatePattern::parse(wrong), None, "{wrong}");
    }
    for (shape, text) in [
        (AmountShape::Yuan, "12345.06"),
        (AmountShape::YuanWithoutPoint, "1234506"),
        (AmountShape::Fen, "1234506"),
    ] {
        assert_eq!(shape.write(Fen(1_234_506)), text);
        assert_eq!(shape.read(text), Some(Fen(1_234_506)));
        assert_eq!(shape.read(&format!("0000{text}")), Some(Fen(1_234_506)));
    }
    for wrong in ["", "1.5", "-3", "+3", " 3", "3 ", "99999999999999999999"] {
        assert_eq!(AmountShape::Fen.read(wrong), None, "{wrong}");
    }
}

#[test]
fn widths_are_bytes_of_the_encoding() {
    // 中 is D6D0 in GBK; 𠀀 is 95328236 in GB 18030 and not in GBK.
    assert_eq!(TextEncoding::Gbk.encode("a中"), Ok(vec![b'a', 0xD6, 0xD0]));
    assert_eq!(TextEncoding::Gb18030.encode("𠀀"), Ok(vec![0x95, 0x32, 0x82, 0x36]));
    assert_eq!(TextEncoding::Gbk.encode("张𠀀"), Err('𠀀'));
    assert_eq!(TextEncoding::Utf8.encode("中"), Ok(vec![0xE4, 0xB8, 0xAD]));
    // Private characters mean another glyph to every system.
    assert_eq!(TextEncoding::Gb18030.encode("\u{E000}"), Err('\u{E000}'));
}

#[test]
fn a_pad_makes_no_other_value() {
    let fault = |field: &str| {
        let text = GOOD.replace("separator = \",\"\n", "").replace(
            "[[detail]]\nfrom = \"amount\"\nunit = \"yuan\"\n[[detail]]\nfrom = \"account_name\"\n",
            &format!("[[detail]]\nwidth = 30\n{field}\n"),
        );
        let text = text.replace("is = \"end_to_end_id\"", "is = \"end_to_end_id\"\nwidth = 9");
        let text = text.replace("is = \"status\"", "is = \"status\"\nwidth = 1");
        BatchProfile::parse("x.toml", &text)
            .map_or_else(|faults| faults.to_string(), |_| String::new())
    };
    for (field, pad) in [
        ("from = \"amount\"\nunit = \"fen\"\npad = \"9\"", '9'),
        ("from = \"amount\"\nunit = \"fen\"\npad = \"-\"", '-'),
        ("from = \"row\"\npad = \"1\"", '1'),
        ("from = \"account_no\"\npad = \"0\"", '0'),
        ("from = \"account_no\"\nalign = \"right\"\npad = \"0\"", '0'),
        ("from = \"bank_no\"\npad = \"X\"", 'X'),
        ("from = \"end_to_end_id\"\nalign = \"right\"\npad = \"E\"", 'E'),
        ("from = \"account_name\"\npad = \"a\"", 'a'),
        ("from = \"amount\"\nunit = \"fen\"\nalign = \"left\"\npad = \"5\"", '5'),
    ] {
        let found = fault(field);
        let expected = format!("pad {pad:?} makes another value of it; expected a blank");
        assert!(found.contains(&expected) && !found.contains('\n'), "{field}: {found}");
    }
    for field in [
        "from = \"amount\"\nunit = \"fen\"",
        "from = \"amount\"\nunit = \"fen\"\npad = \"*\"",
        "from = \"account_no\"\nalign = \"right\"",
        "from = \"account_no\"\npad = \"#\"",
        "from = \"account_name\"\nalign = \"right\"\npad = \"0\"",
        "value = \"1\"\npad = \"0\"",
    ] {
        assert_eq!(fault(field), "", "{field}");
    }
}
