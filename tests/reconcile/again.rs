//! The same answers again change nothing; other bytes under a known id are not believed; what was lost is
//! written again.

use super::desk::{Desk, OURS};
use super::orders::{Order, read_orders};
use super::paper::{Entry, Status, camt053, pain002};
use std::fs;

/// Orders of September, one row each.
pub(super) fn orders(desk: &Desk) -> Vec<Order> {
    read_orders(&desk.path("run-2026-09.release"))
}

pub(super) fn status(of: &Order, word: &'static str, code: &str) -> Status {
    Status {
        end_to_end_id: of.end_to_end_id.clone(),
        word,
        code: code.to_owned(),
        day: "2026-10-12".to_owned(),
    }
}

pub(super) fn debit(of: &Order, bank_ref: &str) -> Entry {
    Entry {
        fen: of.amount,
        day: "2026-10-12".to_owned(),
        bank_ref: bank_ref.to_owned(),
        end_to_end_id: of.end_to_end_id.clone(),
        account: of.account.clone(),
        ..Entry::default()
    }
}

/// Two refused (one for its account), one paid, and a statement.
fn heard() -> (Desk, Vec<Order>) {
    let desk = Desk::new();
    let orders = orders(&desk);
    let report = pain002(
        "P1",
        &orders[0].message,
        &[
            status(&orders[0], "RJCT", "AC04"),
            status(&orders[1], "RJCT", "AM04"),
            status(&orders[2], "ACSC", ""),
        ],
    );
    desk.write("answers/report.xml", report);
    desk.write("answers/statement.xml", camt053("S1", OURS, 0, &[debit(&orders[2], "R1")]).0);
    let (exit, report) = desk.reconcile("answers");
    assert_eq!((exit, &report["posted"], &report["messages"]), (5, &"new".into(), &2.into()));
    assert_eq!(report["correction"]["payments"], 2);
    assert_eq!(report["correction"]["held"], 1);
    (desk, orders)
}

#[test]
fn the_same_files_again_add_no_event_and_no_byte() {
    let (desk, _) = heard();
    let (proved, bytes) = (desk.verified(), desk.bytes("recon"));
    let batch = desk.bytes("run-2026-09.correction-1");
    let (exit, report) = desk.reconcile("answers");
    assert_eq!((exit, &report["posted"]), (5, &"already_there".into()));
    assert_eq!(report["messages"], 0);
    assert_eq!(desk.verified(), proved);
    assert!(desk.bytes("recon") == bytes);
    assert!(desk.bytes("run-2026-09.correction-1") == batch);
}

#[test]
fn other_names_another_order_or_twice_are_the_same_files() {
    let (desk, orders) = heard();
    let proved = desk.verified();
    let rows = desk.recon();
    for (name, bytes) in desk.bytes("answers") {
        // The statement comes first now, and the report is there twice.
        let other = if name == "report.xml" { "z.dat" } else { "a.dat" };
        desk.write(&format!("renamed/{other}"), &bytes);
        if name == "report.xml" {
            desk.write("renamed/b.dat", &bytes);
        }
    }
    let (exit, report) = desk.reconcile("renamed");
    assert_eq!((exit, &report["messages"], &report["refused"]), (5, &0.into(), &0.into()));
    assert_eq!(desk.verified(), proved);
    let plain = |rows: Vec<std::collections::BTreeMap<String, String>>| -> Vec<_> {
        rows.into_iter().map(|mut row| row.remove("recon_id").map(|_| row)).collect()
    };
    assert_eq!(plain(desk.recon()), plain(rows));
    assert_eq!(desk.row(&orders[2].end_to_end_id)["class"], "PAID");
}

#[test]
fn a_known_id_with_other_bytes_is_refused_and_changes_nothing() {
    let (desk, orders) = heard();
    let proved = desk.verified();
    let other = pain002("P1", &orders[0].message, &[status(&orders[0], "ACSC", "")]);
    desk.write("other/report.xml", other);
    let (exit, report) = desk.reconcile("other");
    assert_eq!((exit, &report["refused"], &report["messages"]), (5, &1.into(), &0.into()));
    assert_eq!(desk.verified(), proved);
    assert_eq!(desk.row(&orders[0].end_to_end_id)["class"], "REJECTED");
    let rows = desk.recon();
    let refused: Vec<_> = rows.iter().filter(|row| row["class"] == "UNREADABLE").collect();
    assert_eq!(refused.len(), 1);
    let (of, reason) = (refused[0], &refused[0]["reason"]);
    assert!(reason.starts_with("message P1 of pain.002 was taken in from report.xml"), "{reason}");
    assert!(reason.contains("expected the same bytes") && reason.contains("hint:"), "{reason}");
    assert_eq!(
        (&*of["file"], &*of["record"], &*of["next_step"]),
        ("report.xml", "0", "deliver_again")
    );
    assert_eq!((&*of["our_fen"], &*of["bank_fen"], &*of["diff_fen"]), ("", "", ""));
}

#[test]
fn of_two_messages_of_one_id_in_one_delivery_the_first_file_stands() {
    let desk = Desk::new();
    let orders = orders(&desk);
    let message = &orders[0].message;
    desk.write("answers/a.xml", pain002("P1", message, &[status(&orders[0], "RJCT", "AM04")]));
    desk.write("answers/b.xml", pain002("P1", message, &[status(&orders[0], "ACSC", "")]));
    // The same id of another kind is another message.
    desk.write("answers/c.xml", camt053("P1", OURS, 0, &[debit(&orders[1], "R1")]).0);
    let (exit, report) = desk.reconcile("answers");
    assert_eq!((exit, &report["messages"], &report["refused"]), (5, &2.into(), &1.into()));
    assert_eq!(desk.row(&orders[0].end_to_end_id)["class"], "REJECTED");
    assert_eq!(desk.row(&orders[1].end_to_end_id)["class"], "PAID");
}

#[test]
fn a_lost_or_damaged_folder_is_written_again() {
    let (desk, _) = heard();
    let proved = desk.verified();
    let folders = ["recon", "run-2026-09.correction-1"];
    let want = folders.map(|folder| desk.bytes(folder));
    for (folder, want) in folders.iter().zip(&want) {
        let spoil: [&dyn Fn(); 3] = [
            &|| fs::remove_dir_all(desk.path(folder)).unwrap(),
            &|| fs::remove_file(desk.path(folder).join("summary.json")).unwrap(),
            &|| {
                let name = if *folder == "recon" { "recon.csv" } else { "payments.csv" };
                let path = desk.path(folder).join(name);
                let mut bytes = fs::read(&path).unwrap();
                let last = bytes.len() - 2;
                bytes[last] ^= 1;
                fs::write(path, bytes).unwrap();
            },
        ];
        for spoil in spoil {
            spoil();
            let left = desk.path(folder).exists().then(|| desk.bytes(folder));
            assert_ne!(left.as_ref(), Some(want), "{folder}");
            let (exit, _) = desk.reconcile("answers");
            assert_eq!(exit, 5);
            assert!(desk.bytes(folder) == *want, "{folder}");
            assert_eq!(desk.verified(), proved);
        }
    }
}

/// A message that says less than it did, under an id of its own, is another message and is heard.
#[test]
fn a_later_message_adds_to_what_was_said() {
    let (desk, orders) = heard();
    let events = desk.verified().0;
    let late = pain002("P2", &orders[0].message, &[status(&orders[3], "ACSC", "")]);
    desk.write("later/report.xml", late);
    let (_, report) = desk.reconcile("later");
    assert_eq!(report["messages"], 1);
    // One event: the batch still holds what failed.
    assert_eq!(desk.verified().0, events + 1);
    let classes: Vec<String> =
        orders.iter().map(|of| desk.row(&of.end_to_end_id)["class"].clone()).collect();
    assert_eq!(classes[..5], ["REJECTED", "REJECTED", "PAID", "PAID", "MISSING_EXTERNAL"]);
}

/// Answers to a run that is a draft, or to nothing at all, are no answers.
#[test]
fn nothing_is_heard_of_a_month_that_was_not_released() {
    let desk = Desk::settled("", "");
    desk.write("answers/a.xml", pain002("P1", "X", &[]));
    let (exit, _, err) = desk.tuoyu("run @recon.toml --lang en");
    assert_eq!(exit, 1, "{err}");
    assert!(err.contains("2026-09") && err.contains("hint"), "{err}");
}
