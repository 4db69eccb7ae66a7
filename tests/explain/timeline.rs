//! `tuoyu explain` of a month that was corrected.

use super::{A, B, C, Office, office};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The timeline of A's January at an institution, asked of a run.
fn january(run: usize, institution: &str) -> Value {
    let words = format!("--institution {institution} --child {A} --month 2026-01");
    office().json(run, &words)
}

/// (paid, due, net, cause) of the changes of an event.
fn changes(event: &Value) -> Vec<(i64, i64, i64, String)> {
    let fen = |of: &Value, name: &str| of[name].as_i64().unwrap();
    let all = event["changes"].as_array().unwrap().iter();
    all.map(|of| {
        let cause = of["cause"].as_str().unwrap().to_owned();
        (fen(of, "paid_fen"), fen(of, "due_fen"), fen(of, "net_fen"), cause)
    })
    .collect()
}

/// (kind, source, fen) of posted lines.
fn posted(of: &Value) -> Vec<(String, String, i64)> {
    let text = |of: &Value, name: &str| of[name].as_str().unwrap().to_owned();
    let all = of["posted"].as_array().unwrap().iter();
    all.map(|of| (text(of, "kind"), text(of, "source"), of["payable_fen"].as_i64().unwrap()))
        .collect()
}

fn line(kind: &str, source: &str, fen: i64) -> (String, String, i64) {
    (kind.to_owned(), source.to_owned(), fen)
}

#[test]
fn a_month_is_told_from_its_payment_to_its_last_correction() {
    let office = office();
    let told = january(0, "I1");
    let timeline = &told["timeline"];
    // January's own run: 10 days at 10.00.
    assert_eq!(told["lines"][0]["exact"], "100.00");
    assert_eq!(timeline["paid"]["run"]["run_id"], json!(office.runs[0]));
    assert_eq!(timeline["paid"]["run"]["known_on"], "2026-02-10");
    // A and B together: 150.00, two fifths and three.
    let sources = [line("ORIGINAL", "省", 6_000), line("ORIGINAL", "区", 9_000)];
    assert_eq!(posted(&timeline["paid"]), sources);
    assert_eq!(timeline["paid"]["posted"][0]["pay_on"], "2026-02-13");

    let later = timeline["later"].as_array().unwrap();
    let runs: Vec<&str> = later.iter().map(|of| of["run"]["run_id"].as_str().unwrap()).collect();
    assert_eq!(runs, [&*office.runs[1], &*office.runs[2], &*office.runs[3], &*office.runs[4]]);

    // A late delivery: 7 days.
    let february = &later[0];
    assert_eq!(changes(february), [(10_000, 7_000, -3_000, "delivery".to_owned())]);
    let delivery =
        json!([{"table": "attendance", "files": ["days.csv"], "received_on": "2026-02-20"}]);
    assert_eq!(february["deliveries"], delivery);
    assert_eq!(february["notices"], json!([]));
    assert_eq!(february["law"], json!([]));
    let fact = &february["facts"][0];
    assert_eq!(february["facts"].as_array().unwrap().len(), 1, "{}", february["facts"]);
    assert_eq!(fact["before"]["name"], "days_attended");
    assert_eq!((&fact["before"]["value"], &fact["after"]["value"]), (&json!("10"), &json!("7")));
    assert_eq!(
        (&fact["after"]["file"], &fact["after"]["record"]),
        (&json!("days.csv"), &json!(2)),
        "A stands second in the late file"
    );
    assert_eq!(february["explanation"]["lines"][0]["exact"], "70.00");
    // Refund and correction differ by 30.00: 12.00 and 18.00 by source.
    let net = |event: &Value, source: &str| -> i64 {
        posted(event).iter().filter(|of| of.1 == source).map(|of| of.2).sum()
    };
    assert_eq!((net(february, "省"), net(february, "区")), (-1_200, -1_800));

    // A late notice: 12.00 a day.
    let march = &later[1];
    assert_eq!(changes(march), [(7_000, 8_400, 1_400, "law".to_owned())]);
    assert_eq!(march["notices"], json!(["示例2号 一"]));
    assert_eq!(march["deliveries"], json!([]));
    let law = &march["law"][0];
    assert_eq!(law["id"], "rate.day");
    assert_eq!(law["before"]["clause"], "示例1号 一");
    assert_eq!(law["after"]["clause"], "示例2号 一");
    let dates =
        ["effective_from", "published", "known_from"].map(|name| law["after"][name].clone());
    assert_eq!(dates, ["2026-01-01", "2026-03-20", "2026-03-20"].map(Value::from));
    assert_eq!(march["facts"], json!([]));

    // Another late delivery: the child was elsewhere.
    let april = &later[2];
    assert_eq!(changes(april), [(8_400, 0, -8_400, "delivery".to_owned())]);
    let elsewhere = &april["elsewhere"][0];
    assert_eq!(elsewhere["institution_id"], "I2");
    assert_eq!((&elsewhere["paid_fen"], &elsewhere["due_fen"]), (&json!(0), &json!(8_400)));
    assert_eq!(april["explanation"]["lines"], json!([]));
    let carried: Vec<_> =
        posted(april).into_iter().filter(|(kind, ..)| kind == "CARRY_OUT").collect();
    assert_eq!(carried, [line("CARRY_OUT", "省", 960), line("CARRY_OUT", "区", 1_440)]);

    // What was carried comes in; nothing is corrected.
    let may = &later[3];
    assert_eq!(changes(may), []);
    assert_eq!(posted(may), [line("CARRY_IN", "省", -960), line("CARRY_IN", "区", -1_440)]);
    assert_eq!(may["explanation"], Value::Null);

    assert_eq!((&timeline["paid_fen"], &timeline["net_fen"]), (&json!(10_000), &json!(-10_000)));
}

#[test]
fn every_run_that_paid_or_corrected_tells_the_same() {
    let first = january(0, "I1");
    for run in 1..=4 {
        assert_eq!(january(run, "I1"), first, "run {run}");
    }
}

#[test]
fn a_line_that_came_with_a_correction_was_not_there_before() {
    let told = january(3, "I2");
    assert_eq!(told["lines"], json!([]));
    let later = told["timeline"]["later"].as_array().unwrap();
    assert_eq!(later.len(), 1, "only the April run has to do with A at I2");
    assert_eq!(changes(&later[0]), [(0, 8_400, 8_400, "delivery".to_owned())]);
    assert_eq!(later[0]["explanation"]["lines"][0]["exact"], "84.00");
    assert_eq!(later[0]["elsewhere"][0]["institution_id"], "I1");
    assert_eq!(told["timeline"]["paid_fen"], 0);
}

/// The shape scripts rely on.
#[test]
fn the_answer_as_json_has_these_keys() {
    let told = january(1, "I1");
    let timeline = &told["timeline"];
    let event = &timeline["later"][0];
    for (of, expected) in [
        (&told, "further institution_id institution_name lines period timeline"),
        (timeline, "later net_fen paid paid_fen unknown"),
        (&timeline["paid"], "posted run"),
        (
            &timeline["paid"]["run"],
            "calc_version known_on period released_on run_id schedule_root state",
        ),
        (event, "changes deliveries elsewhere explanation facts law notices posted run shared"),
        (
            &event["changes"][0],
            "age_class cause child cut_fen due_fen file institution_id item net_fen new_rule \
             old_rule paid_fen record row_key service span_from span_until",
        ),
        (&event["deliveries"][0], "files received_on table"),
        (&event["facts"][0], "after before item"),
        (
            &event["posted"][0],
            "budget_doc_no hold_reason item kind line_no pay_on payable_fen payment_no source",
        ),
    ] {
        assert_eq!(super::keys(of), expected);
    }
}

#[test]
fn the_text_shows_what_changed_and_both_calculations() {
    let words = format!("--institution I1 --child {A} --month 2026-01 --lang en");
    let text = office().explain(1, &words);
    for part in [
        "Timeline of 2026-01: institution I1 一园, child KID-ANTON-1",
        "100.00 yuan",
        "paid 100.00 yuan, due 70.00 yuan, difference -30.00 yuan",
        "cause: a delivery that came in",
        "delivery: attendance days.csv, received on 2026-02-20",
        "fact days_attended: 10 (attendance.csv record 1) → 7 (days.csv record 2)",
        // The pack has no English name for it: the id stands for itself.
        "rule rate.day: 示例2号 一, 示例1号 一 before, in force from 2026-01-01, published on \
         2026-03-20, known from 2026-03-20",
        "the same child at institution I2: care 托小班 全日托 2026-01-01..2026-01-31, paid 0.00 yuan, \
         due 84.00 yuan",
        "carried out 省, care: 9.60 yuan",
        "Together: paid 100.00 yuan, changed by -100.00 yuan, due as known now 0.00 yuan.",
        "before rounding: 100.00 yuan",
        "before rounding: 70.00 yuan",
        "before rounding: 84.00 yuan",
        "There is no such line any more.",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    for other in [B, C] {
        assert!(!text.contains(other), "another child is named");
    }
    let chinese = office().explain(1, &words.replace("en", "zh-CN"));
    assert!(chinese.contains("原发 100.00 元，应发 70.00 元，差额 -30.00 元"), "{chinese}");
}

/// A and B in March's run: 70.00 to 84.00, 50.00 to 60.00.
#[test]
fn without_a_child_every_line_of_the_institution_is_told() {
    let told = office().json(2, "--institution I1 --month 2026-01");
    let timeline = &told["timeline"];
    let law = |paid: i64, due: i64| (paid, due, due - paid, "law".to_owned());
    let mut march = changes(&timeline["later"][1]);
    march.sort();
    assert_eq!(march, [law(5_000, 6_000), law(7_000, 8_400)]);
    // 150.00 paid; B keeps 60.00.
    assert_eq!((&timeline["paid_fen"], &timeline["net_fen"]), (&json!(15_000), &json!(-9_000)));
    let text = told.to_string();
    assert!(![A, B].iter().any(|child| text.contains(child)), "a child is named");
}

/// A draft is nobody's money: it tells what it would correct, and no other run tells it.
#[test]
fn a_draft_tells_of_itself_and_nobody_tells_of_it() {
    let mut office = Office::new();
    office.settle(0);
    office.close(0);
    office.settle(1);
    let words = format!("--institution I1 --child {A} --month 2026-01");
    let draft = office.json(1, &words);
    let later = draft["timeline"]["later"].as_array().unwrap();
    assert_eq!(later.len(), 1);
    assert_eq!(
        (&later[0]["run"]["state"], &later[0]["run"]["released_on"]),
        (&json!("draft"), &json!(""))
    );
    assert_eq!(changes(&later[0]), [(10_000, 7_000, -3_000, "delivery".to_owned())]);
    assert_eq!(office.json(0, &words)["timeline"]["later"], json!([]));
    // The statement says so too.
    let text = office.explain(1, &format!("--statement --child {A} --lang en"));
    assert!(text.contains("period 2026-02 (run 2, a draft)"), "{text}");
    assert_eq!(office.json(0, &format!("--statement --child {A}"))["due_fen"], 10_000);
    // A run folder, its job and its deliveries say the same as the archive.
    let by_folder = format!("explain @run-2026-01 --job @job.toml {words} --json");
    let ledger = "--ledger @ledger.db";
    let kept: Value = serde_json::from_str(&office.must(&format!("{by_folder} {ledger}"))).unwrap();
    let place = office.path("in").display().to_string();
    let again = office.must(&format!("{by_folder} {ledger} --input {place}"));
    assert_eq!(serde_json::from_str::<Value>(&again).unwrap(), kept);
    let trial = office.must(&format!("{by_folder} --ledger none"));
    let trial: Value = serde_json::from_str(&trial).unwrap();
    assert_eq!((&trial["lines"], &trial["timeline"]), (&kept["lines"], &Value::Null));
}

/// What the archive lacks is named, and nothing is told in its place.
#[test]
fn a_delivery_the_archive_lost_is_named() {
    let mut office = Office::new();
    let days = std::fs::read(office.path("in/late/days.csv")).unwrap();
    for month in [0, 1] {
        office.settle(month);
        office.close(month);
    }
    let hash = tuoyu::domain::hex(&Sha256::digest(days));
    let object = format!("archive/objects/{}/{}.zst", &hash[..2], &hash[2..]);
    std::fs::remove_file(office.path(&object)).unwrap();
    let words = format!("--institution I1 --child {A} --month 2026-01 --lang en");
    for more in [words, format!("--statement --child {A} --lang en")] {
        let line = format!("explain {} --ledger @ledger.db {more}", office.runs[0]);
        let (exit, out, err) = office.tuoyu(&line);
        assert_eq!((exit, &*out), (6, ""), "{err}");
        assert!(err.contains("days.csv"), "{err}");
    }
}

/// C was paid 8 x 10.00 for February, then 8 x 12.00, and nothing since it never came.
#[test]
fn a_line_that_is_refused_now_says_why() {
    let words = format!("--institution I2 --child {C} --month 2026-02");
    let told = office().json(3, &words);
    let later = told["timeline"]["later"].as_array().unwrap();
    let all: Vec<_> = later.iter().flat_map(changes).collect();
    let law = (8_000, 9_600, 1_600, "law".to_owned());
    assert_eq!(all, [law, (9_600, 0, -9_600, "delivery".to_owned())]);
    let now = &later[1]["explanation"]["lines"][0];
    assert_eq!((&now["status"], &now["reason"]), (&json!("refused"), &json!("never_came")));
    let text = office().explain(3, &format!("{words} --lang en"));
    let reason = "as known then: refused, reason: never_came (示例1号 二)";
    assert!(text.contains(reason), "{text}");
    // The days are not told any more.
    assert!(text.contains("fact days_attended: 8 (attendance.csv record 3) → null"), "{text}");
}

#[test]
fn a_month_nothing_became_of_is_told_as_before() {
    let words = format!("--institution I2 --child {C} --month 2026-04 --lang en");
    let text = office().explain(3, &words);
    assert!(text.starts_with("Explanation: care"), "{text}");
    assert!(!text.contains("Timeline"), "{text}");
}

#[test]
fn a_month_nobody_settled_is_a_wrong_word() {
    let run = &office().runs[0];
    let line = format!("explain {run} --ledger @ledger.db --institution I1 --month 2025-12");
    let (exit, _, err) = office().tuoyu(&line);
    assert_eq!(exit, 2, "{err}");
    assert!(err.contains("expected one of 2026-01, 2026-02, 2026-03, 2026-04, 2026-05"), "{err}");
}
