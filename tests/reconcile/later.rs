//! What failed comes in with the next month, once, whatever comes after.

use super::desk::Desk;
use std::fmt::Write as _;

/// August refused in part and carried into September: October knows nothing of it, and the year counts the
/// money once.
#[test]
fn what_was_carried_in_once_is_not_carried_again_or_taken_back() {
    let plain = Desk::empty("");
    let desk = Desk::empty("carry_failed = true\n");
    for of in [&plain, &desk] {
        of.settle("2026-08");
        of.release("run-2026-08");
    }
    let august = desk.rows("run-2026-08/payments.csv");
    let sent: Vec<_> = august.iter().filter(|row| row["hold_reason"].is_empty()).collect();
    let fen = |text: &str| text.parse::<i64>().unwrap();
    // The first is refused, of the second a fifth is paid, the rest is paid.
    let part = fen(&sent[1]["amount_fen"]) / 5;
    let mut text = "端到端标识,状态,金额,原因,日期\n".to_owned();
    for (at, row) in sent.iter().enumerate() {
        let paid = if at == 1 { part } else { fen(&row["amount_fen"]) };
        let (said, why) = match at {
            0 => ("失败", "账户已销户"),
            1 => ("成功", "限额"),
            _ => ("成功", ""),
        };
        let id = &row["end_to_end_id"];
        let _ = writeln!(text, "{id},{said},{}.{:02},{why},2026-09-15", paid / 100, paid % 100);
    }
    desk.write("answers/a.csv", text);
    let job = std::fs::read_to_string(desk.path("recon.toml")).unwrap();
    desk.write("recon.toml", job + "correct = false\n");
    let (exit, _) = desk.reconcile_with("--period 2026-08 --input @answers");
    assert_eq!(exit, 5);

    for of in [&plain, &desk] {
        of.settle("2026-09");
        of.release("run-2026-09");
        of.settle("2026-10");
    }
    let moved = |of: &Desk, month: &str| -> i64 {
        let lines = of.rows(&format!("run-{month}/schedule.csv"));
        let moved = lines.iter().filter(|line| line["line_kind"].starts_with("CARRY"));
        moved.map(|line| fen(&line["payable_fen"])).sum()
    };
    let held: i64 = august
        .iter()
        .filter(|row| !row["hold_reason"].is_empty())
        .map(|row| fen(&row["amount_fen"]))
        .sum();
    let failed = fen(&sent[0]["amount_fen"]) + fen(&sent[1]["amount_fen"]) - part;
    assert!(held > 0 && failed > 0);
    assert_eq!(moved(&desk, "2026-09"), failed + held);
    // September is held again where August was: that comes in once more, and nothing else.
    let again: i64 = desk
        .rows("run-2026-09/payments.csv")
        .iter()
        .filter(|row| !row["hold_reason"].is_empty())
        .map(|row| fen(&row["amount_fen"]))
        .sum();
    assert_eq!(moved(&desk, "2026-10"), again);
    assert_eq!((moved(&plain, "2026-09"), moved(&plain, "2026-10")), (0, 0));

    // The year is what was settled, however often it went out.
    let year = |of: &Desk| of.ledger().year(None, 2026).unwrap();
    assert_eq!(year(&desk), year(&plain));
    let to_date = |of: &Desk, month: &str| -> Vec<(String, String, String)> {
        of.rows(&format!("run-{month}/control.csv"))
            .iter()
            .map(|row| ["scope", "key", "year_to_date_fen"].map(|column| row[column].clone()))
            .map(|[scope, key, sum]| (scope, key, sum))
            .filter(|(.., sum)| !sum.is_empty())
            .collect()
    };
    for month in ["2026-09", "2026-10"] {
        assert_eq!(to_date(&desk, month), to_date(&plain, month), "{month}");
    }
    desk.release("run-2026-10");
    desk.verified();
}
