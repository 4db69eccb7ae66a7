//! `tuoyu explain --statement`: one child over a year, worked out by hand.

use super::{A, B, C, office};
use serde_json::{Value, json};
use std::fs;

fn statement(more: &str) -> Value {
    office().json(4, &format!("--statement --child {A} {more}"))
}

#[test]
fn the_year_of_a_child_comes_to_what_it_was_paid_and_is_due() {
    let told = statement("");
    assert_eq!((&told["from"], &told["until"]), (&json!("2026-01"), &json!("2026-12")));
    let months: Vec<(&str, i64, i64)> = told["months"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| {
            let fen = |name: &str| of[name].as_i64().unwrap();
            (of["period"].as_str().unwrap(), fen("first_fen"), fen("due_fen"))
        })
        .collect();
    // January 10 x 10.00, then 7 x 12.00 elsewhere; February 10 x 10.00, then 10 x 12.00; March
    // 10 x 12.00; April 6 x 12.00; May nothing without attendance.
    assert_eq!(
        months,
        [
            ("2026-01", 10_000, 8_400),
            ("2026-02", 10_000, 12_000),
            ("2026-03", 12_000, 12_000),
            ("2026-04", 7_200, 7_200),
            ("2026-05", 0, 0),
        ]
    );
    // 392.00 settled first; -30.00 + 14.00 + 20.00 - 84.00 + 84.00 since.
    assert_eq!(
        told["items"],
        json!([{
            "item": "care", "label": "按日补助",
            "first_fen": 39_200, "net_fen": 400, "due_fen": 39_600,
        }])
    );
    assert_eq!(told["due_fen"], 39_600);
    let periods: Vec<(i64, i64)> = told["periods"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| (of["own_fen"].as_i64().unwrap(), of["corrected_fen"].as_i64().unwrap()))
        .collect();
    assert_eq!(periods, [(10_000, 0), (10_000, -3_000), (12_000, 3_400), (7_200, 0), (0, 0)]);
    let unsettled: Vec<String> = (6..=12).map(|month| format!("2026-{month:02}")).collect();
    assert_eq!(told["unsettled"], json!(unsettled));
}

#[test]
fn each_month_tells_stay_item_reason_and_place() {
    let told = statement("");
    let january = &told["months"][0];
    let first = &january["institutions"][0];
    assert_eq!(
        (&first["institution_id"], &first["institution_name"]),
        (&json!("I1"), &json!("一园"))
    );
    assert_eq!(
        first["stays"],
        json!([{
            "from": "2026-01-01", "until": "2026-01-31", "age_class": "托小班",
            "service": "全日托", "days": {"days_attended": "10"},
            "file": "enrolments.csv", "record": 1,
        }])
    );
    let item = &first["items"][0];
    assert_eq!((&item["status"], &item["allocated_fen"]), (&json!("paid"), &json!(10_000)));
    assert_eq!(item["rule"]["clause"], "示例1号 三");
    let places = item["places"].as_array().unwrap();
    let place = |at: usize| {
        let text = |name: &str| places[at][name].as_str().unwrap();
        (text("source"), text("share"), text("pay_on"))
    };
    assert_eq!(place(0), ("省", "2/5", "2026-02-13"));
    assert_eq!(place(1), ("区", "3/5", "2026-02-13"));

    let moved = &january["corrections"][2];
    assert_eq!(moved["period"], "2026-04");
    let changes: Vec<(&str, i64)> = moved["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| (of["institution_id"].as_str().unwrap(), of["net_fen"].as_i64().unwrap()))
        .collect();
    assert_eq!(changes, [("I1", -8_400), ("I2", 8_400)]);
    // Where the child was, as known then, and how long it came.
    let stays = moved["stays"].as_array().unwrap();
    assert_eq!((&stays[0]["institution_id"], &stays[0]["stays"]), (&json!("I1"), &json!([])));
    assert_eq!(stays[1]["institution_id"], "I2");
    assert_eq!(stays[1]["stays"][0]["days"], json!({"days_attended": "7"}));
    // Both deliveries of 20 April count: where the child was, and when it came.
    let tables: Vec<&str> = moved["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["files"][0].as_str().unwrap())
        .collect();
    assert!(tables.contains(&"stays.csv") && tables.contains(&"moved.csv"), "{tables:?}");

    let may = &told["months"][4]["institutions"][0]["items"][0];
    assert_eq!((&may["status"], &may["reason"]), (&json!("refused"), &json!("never_came")));
    assert_eq!(may["reason_words"], "当月没有考勤");
    assert_eq!(may["reason_rule"]["clause"], "示例1号 二");
    assert_eq!(may["places"], json!([]), "nothing of it went into a line");
}

/// Every whole number in a JSON text.
fn numbers(of: &Value, found: &mut Vec<i64>) {
    match of {
        Value::Number(number) => found.extend(number.as_i64()),
        Value::Array(all) => all.iter().for_each(|of| numbers(of, found)),
        Value::Object(all) => all.values().for_each(|of| numbers(of, found)),
        _ => {}
    }
}

#[test]
fn nothing_is_told_of_another_child() {
    let office = office();
    // How the outputs name the other two.
    let pseudonyms = ["I1", "I2"].map(|institution| {
        let told = office.json(4, &format!("--institution {institution} --month 2026-05"));
        let lines = told["lines"].as_array().unwrap().iter();
        lines.map(|line| line["child"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    });
    let own = office.json(4, &format!("--institution I2 --child {A} --month 2026-05"));
    assert_eq!(own["lines"][0]["child"], A);
    let texts = [
        statement("").to_string(),
        office.explain(4, &format!("--statement --child {A} --lang en")),
        office.explain(4, &format!("--statement --child {A} --lang zh-CN")),
    ];
    assert_eq!(pseudonyms.concat().len(), 3);
    for text in &texts {
        for word in [B, C].into_iter().map(str::to_owned).chain(pseudonyms.concat()) {
            assert!(!text.contains(&word), "{word} is told in\n{text}");
        }
    }
    // Nor what B and C were paid, nor the institutions' sums, which would tell it.
    let mut found = Vec::new();
    numbers(&statement(""), &mut found);
    // B: 50.00, 60.00. C: 80.00, 96.00. I1: 150.00 and its parts; I2: 168.00 in April and its parts.
    for fen in [5_000, 6_000, 8_000, 9_600, 15_000, 9_000, 16_800, 6_720, 10_080] {
        assert!(!found.contains(&fen), "{fen} fen are told");
    }
    // Who asks by the pseudonym gets the pseudonym, and the same statement.
    let all = office.json(0, "--institution I1 --month 2026-01 --item care");
    let pseudonym = all["lines"][0]["child"].as_str().unwrap();
    let by_code = office.json(4, &format!("--statement --child {pseudonym}"));
    assert_eq!(by_code["child"], pseudonym);
    assert_eq!(by_code["due_fen"], 39_600);
    assert!(!by_code.to_string().contains(A), "the reference is told to who did not give it");
}

/// C: 5 months of 8 days; February 80.00, 96.00, nothing.
#[test]
fn a_line_that_is_refused_now_has_its_clause() {
    let told = office().json(4, &format!("--statement --child {C} --institution I2"));
    let february = &told["months"][1];
    assert_eq!((&february["first_fen"], &february["due_fen"]), (&json!(8_000), &json!(0)));
    let change = &february["corrections"][1]["changes"][0];
    assert_eq!(change["net_fen"], -9_600);
    assert_eq!(change["refused"][0], "当月没有考勤");
    assert_eq!(change["refused"][1]["clause"], "示例1号 二");
    // January 96.00, February nothing, three months of 96.00.
    assert_eq!(told["due_fen"], 4 * 9_600);
}

#[test]
fn a_span_and_an_institution_narrow_it() {
    let told = statement("--from 2026-03");
    assert_eq!((&told["from"], &told["until"]), (&json!("2026-03"), &json!("2026-12")));
    let told = statement("--from 2026-01 --to 2026-02 --institution I1");
    assert_eq!(told["months"].as_array().unwrap().len(), 2);
    // At I1: January back to nothing, February 120.00.
    assert_eq!(told["due_fen"], 12_000);
    assert!(!told.to_string().contains("I2"));
    for (words, exit, part) in [
        ("--from 2026-03 --to 2026-02", 2, "expected two months in order"),
        ("--from 2026-06 --to 2026-07", 1, "no line of that child from 2026-06 to 2026-07"),
    ] {
        let run = &office().runs[4];
        let line =
            format!("explain {run} --ledger @ledger.db --statement --child {A} --lang en {words}");
        let (found, _, err) = office().tuoyu(&line);
        assert_eq!(found, exit, "{err}");
        assert!(err.contains(part), "{err}");
    }
}

/// The shape scripts rely on.
#[test]
fn the_statement_as_json_has_these_keys() {
    let told = statement("");
    let january = &told["months"][0];
    let first = &january["institutions"][0];
    let correction = &january["corrections"][0];
    for (of, expected) in [
        (
            &told,
            "child due_fen from institution_id items job months periods run_id runs unknown \
             unsettled until",
        ),
        (january, "corrections due_fen first_fen institutions period run_id"),
        (first, "institution_id institution_name items stays"),
        (&first["stays"][0], "age_class days file from record service until"),
        (
            &first["items"][0],
            "allocated_fen amount_fen cut_by exact expression in_kind item places reason \
             reason_rule reason_words rule status",
        ),
        (
            &first["items"][0]["places"][0],
            "hold_reason kind line_no pay_on payment_no share source",
        ),
        (correction, "changes deliveries facts law notices period run_id shared stays"),
        (
            &correction["changes"][0],
            "age_class cause child cut_fen due_fen file institution_id item net_fen new_rule \
             old_rule paid_fen places record refused row_key service span_from span_until",
        ),
        (&told["items"][0], "due_fen first_fen item label net_fen"),
        (&told["periods"][0], "corrected_fen own_fen period run_id"),
        (&told["runs"][0], "calc_version known_on period released_on run_id schedule_root state"),
    ] {
        assert_eq!(super::keys(of), expected);
    }
}

#[test]
fn it_is_a_document() {
    let office = office();
    let text = office.explain(4, &format!("--statement --child {A}"));
    assert!(text.starts_with("托育补助个人明细单\n"), "{text}");
    for part in [
        "婴幼儿：KID-ANTON-1",
        "尚未结算：2026-06..2026-12",
        "机构：I1 一园",
        "出勤天数 10",
        "care 按日补助：拨付，100.00 元",
        "care 按日补助：不予拨付，原因：当月没有考勤 (never_came)",
        "依据：示例1号 二（came，施行 2026-01-01，发文 2025-12-20）",
        "省（份额 2/5），拨付日期 2026-02-13，支付 2026-01-",
        "补报数据：考勤",
        "依据文件：示例2号 一",
        "按现有信息应为：396.00 元",
        "tuoyu audit prove",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    for run in &office.runs {
        assert!(text.contains(run.as_str()), "run {run} is not named");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    let line = format!("--statement --child {A} --out {}", file.display());
    let said = office.explain(4, &line);
    assert!(said.contains("a.txt"), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    // The same again changes nothing; what is another's stays.
    office.explain(4, &line);
    fs::write(&file, "mine").unwrap();
    let words = format!("explain {} --ledger @ledger.db {line} --lang en", office.runs[4]);
    let (exit, _, err) = office.tuoyu(&words);
    assert_eq!(exit, 1, "{err}");
    assert!(err.contains("is there already"), "{err}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}
