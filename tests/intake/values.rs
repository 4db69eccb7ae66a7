//! Values as people write them: each spelling read, or refused with its code.

use super::delivery::{Delivery, column};
use tuoyu::law::model::{Ty, Unit};

/// Reads one value of one column of one row: the value (or `-` for null), or the finding's code;
/// a repair is told behind the value.
fn read(table: &str, name: &str, raw: &str) -> String {
    let quoted = format!("\"{}\"", raw.replace('"', "\"\""));
    let (others, values): (&[&str], &[&str]) = match table {
        "institutions" => (&["institution_id"], &["I"]),
        "venues" => (&["institution_id", "venue_id"], &["I", "V"]),
        "attendance" => (&["child_ref", "institution_id"], &["C", "I"]),
        "classes" => {
            (&["institution_id", "class_id", "age_class", "places"], &["I", "K", "托小班", "9"])
        }
        _ => (
            &["child_ref", "birth_date", "institution_id", "age_class", "service", "spell_from"],
            &["C", "2024-01-01", "I", "托小班", "全日托", "2026-09-01"],
        ),
    };
    let mut headers: Vec<&str> = Vec::new();
    let mut fields: Vec<&str> = Vec::new();
    for (header, value) in others.iter().zip(values).filter(|(header, _)| **header != name) {
        headers.push(header);
        fields.push(value);
    }
    let text = format!("{},{name}\n{},{quoted}\n", headers.join(","), fields.join(","));
    let (table, findings) = Delivery::of(table).file("f.csv", text).table();
    let codes: Vec<&str> = findings.iter().filter_map(|f| f.split(' ').next()).collect();
    if table.rows == 0 {
        return codes.join(" ");
    }
    let value = &column(&table, name)[0];
    if codes.is_empty() { value.clone() } else { format!("{value} {}", codes.join(" ")) }
}

fn check(table: &str, name: &str, cases: &[(&str, &str)]) {
    for (raw, expected) in cases {
        assert_eq!(read(table, name, raw), *expected, "{table}.{name} {raw:?}");
    }
}

#[test]
fn money_is_read_to_the_fen() {
    check(
        "enrolments",
        "fee_monthly",
        &[
            ("1234.5", "123450"),
            ("1234", "123400"),
            ("0.07", "7"),
            ("-12.05", "-1205"),
            ("1,234.50", "123450"),
            ("1,234,567", "123456700"),
            ("￥1234.50", "123450"),
            ("¥1,234.50", "123450"),
            ("1234.50元", "123450"),
            ("1234.500", "123450"),
            ("９９.５", "9950 value_normalised"),
            (" 12 ", "1200 value_normalised"),
            ("", "-"),
            ("1234.505", "amount_too_fine"),
            ("9999999999.99", "999999999999"),
            ("10000000000.00", "amount_too_large"),
            ("1000000000000000000000000000000000000000", "amount_too_large"),
            ("N/A", "value_unreadable"),
            ("-", "value_unreadable"),
            ("无", "value_unreadable"),
            ("12,34.50", "value_unreadable"),
            ("1234,50", "value_unreadable"),
            (",234", "value_unreadable"),
            ("1.", "value_unreadable"),
            ("1.2.3", "value_unreadable"),
            ("1E+3", "value_unreadable"),
            ("1.5万", "value_unreadable"),
            ("--5", "value_unreadable"),
            ("NaN", "value_unreadable"),
        ],
    );
}

#[test]
fn dates_are_read_in_every_unambiguous_spelling() {
    check(
        "enrolments",
        "spell_until",
        &[
            ("2026-09-30", "2026-09-30"),
            ("2026/9/30", "2026-09-30"),
            ("2026.9.5", "2026-09-05"),
            ("2026-9-5", "2026-09-05"),
            ("2026年9月5日", "2026-09-05"),
            ("20260905", "2026-09-05"),
            // Serial 46,023 is 2026-01-01; 1 September is 243 days later.
            ("46266", "2026-09-01 value_normalised"),
            ("2026-09-05 00:00:00", "2026-09-05 value_normalised"),
            ("２０２６-09-05", "2026-09-05 value_normalised"),
            ("", "-"),
            ("2026-02-29", "value_unreadable"),
            ("2026-13-01", "value_unreadable"),
            ("26-09-05", "value_unreadable"),
            ("05/09/2026", "value_unreadable"),
            ("2026-09-05 08:30:00", "value_unreadable"),
            ("2026-09", "value_unreadable"),
            ("1899-12-31", "value_unreadable"),
            ("9999-12-31", "value_unreadable"),
            ("长期", "value_unreadable"),
        ],
    );
}

#[test]
fn months_are_their_first_day() {
    check(
        "attendance",
        "period",
        &[
            ("2026-09", "2026-09-01"),
            ("2026/9", "2026-09-01"),
            ("2026年9月", "2026-09-01"),
            ("202609", "2026-09-01"),
            ("2026-09-01", "2026-09-01 value_normalised"),
            ("2026-09-02", "value_unreadable"),
            ("2026.1", "value_unreadable"),
            ("2026-13", "value_unreadable"),
        ],
    );
}

#[test]
fn whole_numbers_numbers_and_truths() {
    check(
        "attendance",
        "days_attended",
        &[
            ("22", "22"),
            ("022", "22"),
            ("-1", "-1"),
            ("1,000", "1000"),
            ("22.0", "22 value_normalised"),
            ("22.5", "value_unreadable"),
            ("999999999999", "999999999999"),
            ("1000000000000", "value_unreadable"),
            ("二十二", "value_unreadable"),
        ],
    );
    check(
        "venues",
        "area_m2",
        &[
            ("600", "600"),
            ("600.25", "60025/100"),
            ("600.50", "6005/10"),
            ("0.000001", "1/1000000"),
            ("0.0000001", "value_unreadable"),
            ("1,200.5", "12005/10"),
        ],
    );
    let cases = [
        ("true", "true"),
        ("0", "false"),
        ("是", "true"),
        ("否", "false"),
        ("Y", "true"),
        ("n", "false"),
        ("", "-"),
        ("有", "value_unreadable"),
    ];
    check("classes", "baseline", &cases);
}

#[test]
fn identifiers_keep_every_character_or_are_refused() {
    check(
        "enrolments",
        "child_ref",
        &[
            ("11010519491231002X", "11010519491231002X"),
            ("11010519491231002x", "11010519491231002X value_normalised"),
            (" 110105194912310021 ", "110105194912310021 value_normalised"),
            ("１１０１０５１９４９１２３１００２１", "110105194912310021 value_normalised"),
            ("K123456x", "K123456x"),
            ("出生证-440001", "出生证-440001"),
            ("007", "007"),
            ("12345.0", "12345 value_normalised"),
            ("110105194912310000.0", "number_through_float"),
            ("1.10105E+17", "number_through_float"),
            ("", "value_missing"),
            ("   ", "value_missing"),
        ],
    );
    check(
        "institutions",
        "account_no",
        &[
            ("622202000000000000001", "622202000000000000001"),
            ("6.222E+18", "number_through_float"),
            ("６２２２", "6222 value_normalised"),
            ("0012", "0012"),
        ],
    );
}

#[test]
fn texts_keep_their_own_characters() {
    check(
        "institutions",
        "name",
        &[("晨光托育（东区）", "晨光托育（东区）"), ("a, \"b\"\nc", "a, \"b\"\nc")],
    );
    check(
        "institutions",
        "nature",
        &[
            ("营利性", "营利性"),
            (" 营利性　", "营利性 value_normalised"),
            ("盈利性", "value_not_listed"),
            ("", "-"),
        ],
    );
}

#[test]
fn values_mean_what_the_job_says() {
    let text =
        "institution_id,class_id,age_class,places,baseline\nI,a,TODDLER,N/A,-\nI,b,TODDLER,7,有\n";
    let delivery = Delivery::of("classes")
        .file("c.csv", text)
        .value("age_class", "TODDLER", "托小班")
        .value("places", "N/A", "0")
        .value("baseline", "-", "")
        .value("baseline", "有", "是");
    let (table, findings) = delivery.table();
    assert_eq!(column(&table, "age_class"), ["托小班", "托小班"]);
    assert_eq!(column(&table, "places"), ["0", "7"]);
    assert_eq!(column(&table, "baseline"), ["-", "true"]);
    assert!(findings.is_empty(), "{findings:?}");
}

#[test]
fn numbers_of_a_column_share_one_denominator_over_pieces_and_files() {
    let delivery = Delivery::of("venues")
        .file("a.csv", "institution_id,venue_id,area_m2\nI,1,1.5\nI,2,10\nI,3,x\n")
        .file("b.csv", "institution_id,venue_id,area_m2\nI,4,0.125\nI,5,2.50\n")
        .pieces(8);
    let (table, _) = delivery.table();
    assert_eq!(column(&table, "area_m2"), ["1500/1000", "10000/1000", "125/1000", "2500/1000"]);
}

#[test]
fn money_of_a_pack_that_is_not_whole_is_held_in_hundredths() {
    let unit = Unit([("yuan".into(), 1), ("m2".into(), -1)].into());
    let delivery = Delivery::of("venues")
        .extended("rate", "单价", Ty::Num { integer: false, unit })
        .file("a.csv", "institution_id,venue_id,area_m2,rate\nI,1,1,1.2345\nI,2,1,3\nI,3,1,\n");
    // 1.2345 yuan are 123.45 fen, 3 yuan are 300 fen.
    assert_eq!(column(&delivery.table().0, "rate"), ["12345/100", "30000/100", "-"]);
}
