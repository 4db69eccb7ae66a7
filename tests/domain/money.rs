//! Amounts as text and in words (支付结算办法 附一 第五条).

use super::shared_table;
use tuoyu::domain::{Fen, MoneyError, amount_in_words};

#[test]
fn plain_decimals() {
    let cases = [
        ("0", 0),
        ("-0", 0),
        ("12", 1200),
        ("12.5", 1250),
        ("12.05", 1205),
        ("-12.05", -1205),
        ("12.0500", 1205),
        ("0012.05", 1205),
        ("9999999999.99", 999_999_999_999),
        ("-9999999999.99", -999_999_999_999),
    ];
    for (text, fen) in cases {
        assert_eq!(Fen::parse(text), Ok(Fen(fen)), "{text}");
    }
}

#[test]
fn text_that_is_no_amount() {
    for text in
        ["", "-", "+1", ".5", "1.", "1e3", "1,234", " 1", "1 ", "--1", "１", "NaN", "1.2.3", "￥1"]
    {
        let want = MoneyError::NotAnAmount { found: text.to_owned() };
        assert_eq!(Fen::parse(text), Err(want), "{text}");
    }
    assert!(matches!(Fen::parse("1.005"), Err(MoneyError::TooFine { .. })));
    assert!(matches!(Fen::parse("10000000000"), Err(MoneyError::TooLarge { .. })));
    assert!(matches!(Fen::parse(&"9".repeat(500)), Err(MoneyError::TooLarge { .. })));
}

#[test]
fn words_by_hand() {
    let cases = [
        (0, "零元整"),
        (1, "壹分"),
        (30, "叁角整"),
        (42, "肆角贰分"),
        (105, "壹元零伍分"),
        (140_950, "壹仟肆佰零玖元伍角整"),
        (600_714, "陆仟零柒元壹角肆分"),
        (168_032, "壹仟陆佰捌拾元零叁角贰分"),
        (10_700_053, "壹拾万柒仟元零伍角叁分"),
        (1_640_902, "壹万陆仟肆佰零玖元零贰分"),
        (32_504, "叁佰贰拾伍元零肆分"),
        (100_100, "壹仟零壹元整"),
        (1_000_500_000, "壹仟万伍仟元整"),
        (10_000_500_000, "壹亿零伍仟元整"),
        (10_010_000_000, "壹亿零壹拾万元整"),
        (10_100_000_000, "壹亿零壹佰万元整"),
        (100_000_000_000_000, "壹万亿元整"),
        (100_000_050_000_000, "壹万亿零伍拾万元整"),
        (100_010_000_000_000, "壹万零壹亿元整"),
        (10_000_000_000_000_000, "壹佰万亿元整"),
        (10_000_000_000_000_001, "壹佰万亿元零壹分"),
        (9_999_999_999_999_999, "玖拾玖万玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
        (-12_345, "负壹佰贰拾叁元肆角伍分"),
    ];
    for (fen, want) in cases {
        assert_eq!(amount_in_words(Fen(fen)), want, "{fen} fen");
    }
    // 92,233,720,368,547,758.08 yuan, the last amount there is.
    let words = "负玖亿贰仟贰佰叁拾叁万柒仟贰佰零叁亿陆仟捌佰伍拾肆万柒仟柒佰伍拾捌元零捌分";
    assert_eq!(amount_in_words(Fen(i64::MIN)), words);
}

#[test]
fn words_of_the_table() {
    let Some(text) = shared_table("rmb_daxie_cases.csv") else { return };
    let mut cases = 0;
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let words = amount_in_words(Fen::parse(fields[0]).unwrap());
        assert!(fields[1].split('|').any(|form| form == words), "{line}: {words}");
        cases += 1;
    }
    assert!(cases >= 29, "{cases} cases");
}
