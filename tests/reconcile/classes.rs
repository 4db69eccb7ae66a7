//! One small file for each class of FORMATS 4, its row worked by hand.
//!
//! September pays institution `n` for `n` + 4 open slots at 41.12 and fifteen filed at 100.00: 20.56 (n + 4)
//! + 750.00 from 省 and half of it from 市 and from 区 each. I1: 852.80 and twice 426.40.

use super::again::{debit, status};
use super::desk::{Desk, OURS, WITH_BUDGET, account};
use super::orders::{Order, read_orders};
use super::paper::{Detail, Entry, Line};
use super::paper::{
    camt053, camt053_closing, camt054, pain002, pipe, refund, report, table, voucher,
};
use std::collections::BTreeMap;

/// What 省 pays, fen.
const SINGLE: [i64; 6] = [85_280, 87_336, 89_392, 91_448, 93_504, 95_560];

fn orders(desk: &Desk) -> Vec<Order> {
    read_orders(&desk.path("run-2026-09.release"))
}

/// The payment of 省 to an institution.
fn single(orders: &[Order], institution: u32) -> Order {
    let fen = SINGLE[institution as usize - 1];
    let mut found = orders.iter().filter(|of| of.institution == institution && of.amount == fen);
    let one = found.next().unwrap().clone();
    assert!(found.next().is_none());
    let halves = orders.iter().filter(|of| of.institution == institution && of.amount == fen / 2);
    assert_eq!(halves.count(), 2);
    one
}

/// The desk after it heard these files.
fn heard(files: &[Vec<u8>]) -> Desk {
    let desk = Desk::new();
    for (at, bytes) in files.iter().enumerate() {
        desk.write(&format!("answers/f{at}"), bytes);
    }
    desk.reconcile("answers");
    desk.verified();
    desk
}

/// A row as it is read: our, bank and difference in fen, class, reason code, reference, day, record,
/// rule, next step.
fn told(row: &BTreeMap<String, String>) -> String {
    let columns = [
        "our_fen",
        "bank_fen",
        "diff_fen",
        "class",
        "reason_code",
        "bank_ref",
        "bank_date",
        "record",
        "match_rule",
        "next_step",
    ];
    columns.map(|column| row[column].clone()).join(" ")
}

fn detail(of: &Order) -> Detail {
    Detail {
        id: of.payment_no.clone(),
        account: of.account.clone(),
        asked: of.amount,
        day: "2026-10-12".to_owned(),
        ..Detail::default()
    }
}

fn line(of: &Order, said: &'static str, fen: i64, bank_ref: &str) -> Line {
    Line {
        end_to_end_id: of.end_to_end_id.clone(),
        payment_no: of.payment_no.clone(),
        account: of.account.clone(),
        said,
        fen,
        code: String::new(),
        day: "2026-10-12".to_owned(),
        bank_ref: bank_ref.to_owned(),
    }
}

fn statement(entries: &[Entry]) -> Vec<u8> {
    camt053("S1", OURS, 5_000, entries).0.into_bytes()
}

/// Of the payment of 852.80 to I1.
#[test]
fn a_row_for_each_class_of_a_payment() {
    type Make = fn(&Order) -> Vec<u8>;
    let cases: [(Make, &str); 16] = [
        (
            |of| statement(&[debit(of, "R1")]),
            "85280 85280 0 PAID  R1 2026-10-12 1 end_to_end_id none",
        ),
        (
            |of| pipe(&[line(of, "paid", 85_280, "B1")]),
            "85280 85280 0 PAID  B1 2026-10-12 1 end_to_end_id none",
        ),
        (
            |of| table(&[line(of, "paid", 50_000, "T1")]).into_bytes(),
            "85280 50000 -35280 PAID_PARTIAL  T1 2026-10-12 1 end_to_end_id await_rest",
        ),
        (
            |of| {
                let of = Detail {
                    paid: Some(50_000),
                    code: "03".to_owned(),
                    bank_ref: "L1".to_owned(),
                    ..detail(of)
                };
                voucher("A1", "X", &[of])
            },
            "85280 50000 -35280 PAID_PARTIAL 03 L1 2026-10-12 1 instruction_id in_correction_batch",
        ),
        // Neither id nor number: the voucher it was on, its account and its amount.
        (
            |of| {
                let batch = of.batch.clone();
                let of = Detail {
                    id: "7".to_owned(),
                    paid: Some(85_280),
                    bank_ref: "L1".to_owned(),
                    ..detail(of)
                };
                voucher("A1", &batch, &[of])
            },
            "85280 85280 0 PAID  L1 2026-10-12 1 voucher_account_amount none",
        ),
        (
            |of| {
                let entry = Entry { end_to_end_id: String::new(), ..debit(of, "R1") };
                statement(&[entry])
            },
            "85280 85280 0 PAID  R1 2026-10-12 1 account_amount_date none",
        ),
        (
            |of| pain002("P1", "X", &[status(of, "RJCT", "AC04")]).into_bytes(),
            "85280 0 -85280 REJECTED AC04  2026-10-12 1 end_to_end_id in_correction_batch",
        ),
        (
            |of| {
                let back = Entry { credit: true, code: "AC04".to_owned(), ..debit(of, "R2") };
                statement(&[debit(of, "R1"), back])
            },
            "85280 0 -85280 RETURNED AC04 R2 2026-10-12 2 end_to_end_id in_correction_batch",
        ),
        // A return of what nobody told as paid, by the number of the payment.
        (
            |of| {
                let of = Detail { bank_ref: "Z".to_owned(), ..detail(of) };
                refund("T1", "X", "2026-10-13", &[of])
            },
            "85280 0 -85280 RETURNED   2026-10-13 1 instruction_id in_correction_batch",
        ),
        (
            |of| statement(&[debit(of, "R1"), debit(of, "R2")]),
            "85280 170560 85280 DUPLICATE_BANK  R2 2026-10-12 2 end_to_end_id recall_excess",
        ),
        (
            |of| statement(&[Entry { fen: 85_281, ..debit(of, "R1") }]),
            "85280 85281 1 AMOUNT_DIFF  R1 2026-10-12 1 end_to_end_id recall_excess",
        ),
        (
            |of| statement(&[Entry { account: "8888".to_owned(), ..debit(of, "R1") }]),
            "85280 85280 0 ACCOUNT_DIFF  R1 2026-10-12 1 end_to_end_id check_account",
        ),
        (
            |of| pain002("P1", "X", &[status(of, "ACSP", "")]).into_bytes(),
            "85280 0 -85280 MISSING_EXTERNAL ACSP  2026-10-12 1 end_to_end_id await_answer",
        ),
        // Banks fold case, and blank an id they do not know.
        (
            |of| {
                let id = of.end_to_end_id.to_lowercase();
                statement(&[Entry { end_to_end_id: id, ..debit(of, "R1") }])
            },
            "85280 85280 0 PAID  R1 2026-10-12 1 end_to_end_id none",
        ),
        // Beyond the ten days after the release account and amount tell nothing.
        (
            |of| {
                let day = "2026-10-21".to_owned();
                statement(&[Entry { end_to_end_id: String::new(), day, ..debit(of, "R1") }])
            },
            "85280 0 -85280 MISSING_EXTERNAL      await_answer",
        ),
        (|_| statement(&[]), "85280 0 -85280 MISSING_EXTERNAL      await_answer"),
    ];
    for (make, want) in cases {
        let of = single(&orders(&Desk::new()), 1);
        let desk = heard(&[make(&of)]);
        assert_eq!(told(&desk.row(&of.end_to_end_id)), want);
        // Whatever is said of one, nothing is said of the others.
        let rows = desk.recon();
        let silent = rows
            .iter()
            .filter(|row| row["class"] == "MISSING_EXTERNAL" && row["record"].is_empty());
        assert!(silent.count() >= 17, "{want}");
    }
}

#[test]
fn a_reject_and_a_return_of_one_item_count_once() {
    let of = single(&orders(&Desk::new()), 1);
    let back = Entry { credit: true, code: "AC01".to_owned(), ..debit(&of, "R2") };
    let refused = pain002("P1", "X", &[status(&of, "RJCT", "AC04")]);
    let desk =
        heard(&[refused.into_bytes(), camt054("N1", &[debit(&of, "R1"), back]).into_bytes()]);
    let want = "85280 0 -85280 RETURNED AC01 R2 2026-10-12 2 end_to_end_id in_correction_batch";
    assert_eq!(told(&desk.row(&of.end_to_end_id)), want);
    let sum = desk.summary();
    assert_eq!((&sum["returned"]["fen"], &sum["rejected"]["fen"]), (&85_280.into(), &0.into()));
    assert_eq!(sum["correction"]["amount_fen"], 85_280);
}

/// Rows of nobody's payment and of what is not believed.
#[test]
fn a_row_for_each_class_of_an_answer_that_is_nobodys() {
    type Make = fn(&Desk) -> Vec<u8>;
    let cases: [(Make, &str, &str); 8] = [
        // One of the twins of I1, without an id: nobody can tell which.
        (
            |desk| {
                let orders = orders(desk);
                let of = orders.iter().find(|of| of.amount == 42_640).unwrap();
                statement(&[Entry { end_to_end_id: String::new(), ..debit(of, "R1") }])
            },
            " 42640 42640 DUPLICATE_OURS  R1 2026-10-12 1 several tell_which",
            "",
        ),
        (
            |_| {
                let (day, bank_ref) = ("2026-10-12".to_owned(), "R1".to_owned());
                let account = "7777".to_owned();
                statement(&[Entry {
                    credit: true,
                    fen: 123,
                    day,
                    bank_ref,
                    account,
                    ..Entry::default()
                }])
            },
            " 123 123 UNKNOWN_EXTERNAL  R1 2026-10-12 1 none find_owner",
            "",
        ),
        // An id that is none of ours is not guessed at by account and amount.
        (
            |desk| {
                let of = single(&orders(desk), 1);
                statement(&[Entry { end_to_end_id: "FOREIGN".to_owned(), ..debit(&of, "R1") }])
            },
            " 85280 85280 UNKNOWN_EXTERNAL  R1 2026-10-12 1 none find_owner",
            "",
        ),
        // August pays I1 for four slots: 20.56 * 4 + 750.00.
        (
            |desk| {
                let august = read_orders(&desk.path("run-2026-08.release"));
                let of = august.iter().find(|of| of.amount == 83_224).unwrap();
                statement(&[debit(of, "R1")])
            },
            " 83224 83224 OUT_OF_PERIOD  R1 2026-10-12 1 other_period reconcile_period",
            "2026-08",
        ),
        (
            |_| "今日无业务".as_bytes().to_vec(),
            "   UNREADABLE    0  deliver_again",
            "a text that is neither XML, nor a table of answers, nor of a profile; expected",
        ),
        (
            |desk| {
                let of = single(&orders(desk), 1);
                let row = line(&of, "paid", 85_280, "T1");
                table(&[row]).replace("852.80", "852.805").into_bytes()
            },
            "   UNREADABLE    1  deliver_again",
            "amount",
        ),
        // 50.00 less 852.80 is 802.80 below nought.
        (
            |desk| {
                let of = single(&orders(desk), 1);
                camt053_closing("S1", 5_000, -80_281, &[debit(&of, "R1")]).into_bytes()
            },
            "   UNREADABLE    0  deliver_again",
            "statement S1: opening 5000 fen and entries of -85280 fen do not make closing -80281 fen; \
             expected a whole statement; hint:",
        ),
        (
            |desk| {
                let of = single(&orders(desk), 1);
                camt053("S1", "4444", 0, &[debit(&of, "R1")]).0.into_bytes()
            },
            "   UNREADABLE    0  deliver_again",
            "statement S1 is of account 4444; expected our account 99990000000001; hint:",
        ),
    ];
    for (make, want, reason) in cases {
        let desk = heard(&[make(&Desk::new())]);
        let rows = desk.recon();
        let (ours, loose): (Vec<_>, Vec<_>) =
            rows.iter().partition(|row| !row["run_id"].is_empty());
        assert_eq!(loose.len(), 1, "{want}");
        assert_eq!(told(loose[0]), want);
        assert!(loose[0]["reason"].starts_with(reason), "{want}: {}", loose[0]["reason"]);
        // It changes no payment.
        assert_eq!(ours.len(), 18);
        assert!(ours.iter().all(|row| row["class"] == "MISSING_EXTERNAL"), "{want}");
        // August is none of September's messages.
        let sum = &desk.summary();
        assert_eq!((&sum["open_items"], &sum["paid"]["fen"]), (&19.into(), &0.into()), "{want}");
    }
}

/// Class and rule of every payment, counted.
fn counted(desk: &Desk) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    for row in desk.recon() {
        *counts.entry((row["class"].clone(), row["match_rule"].clone())).or_default() += 1;
    }
    counts
}

fn want(of: &[(&str, &str, usize)]) -> BTreeMap<(String, String), usize> {
    of.iter().map(|(class, rule, n)| (((*class).to_owned(), (*rule).to_owned()), *n)).collect()
}

#[test]
fn a_status_of_the_whole_message_or_of_a_batch_is_each_payments() {
    let orders = orders(&Desk::new());
    let why = "<StsRsnInf><Rsn><Cd>AM04</Cd></Rsn></StsRsnInf>";
    let all = report("P1", &orders[0].message, "RJCT", "");
    assert_eq!(counted(&heard(&[all.into_bytes()])), want(&[("REJECTED", "message", 18)]));
    // Of a message of somebody else's.
    let none = report("P1", "00000000000000000000000000000000", "RJCT", "");
    let found = counted(&heard(&[none.into_bytes()]));
    assert_eq!(found, want(&[("MISSING_EXTERNAL", "", 18), ("UNKNOWN_EXTERNAL", "none", 1)]));
    for batch in orders.iter().map(|of| &of.batch).collect::<std::collections::BTreeSet<_>>() {
        let below = format!(
            "<OrgnlPmtInfAndSts><OrgnlPmtInfId>{batch}</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts>{why}\
             </OrgnlPmtInfAndSts>"
        );
        let desk = heard(&[report("P1", &orders[0].message, "", &below).into_bytes()]);
        for of in &orders {
            let row = desk.row(&of.end_to_end_id);
            let class = if of.batch == *batch { "REJECTED" } else { "MISSING_EXTERNAL" };
            assert_eq!(row["class"], class, "{batch}: {of:?}");
        }
        assert_eq!(desk.summary()["rejected"]["count"], 6);
    }
}

/// Lines of one 指标文号 that differ in their project go out in blocks of their own, and the payments alone
/// do not tell which is in which: what is said of such a block is never said of another.
#[test]
fn a_status_of_a_block_that_cannot_be_told_is_nobodys() {
    let desk = Desk::settled(WITH_BUDGET, "");
    let orders = read_orders(&desk.release("run-2026-09"));
    let mut blocks: BTreeMap<&str, Vec<&Order>> = BTreeMap::new();
    for of in &orders {
        blocks.entry(&of.batch).or_default().push(of);
    }
    // Two of 省, one of 市, one of 区.
    assert_eq!(blocks.len(), 4);
    // 2,000.00 of the first line: 852.80, 873.36, and 273.84 of 893.92.
    let split = |of: &&Order| of.institution == 3 && [27_384, 62_008].contains(&of.amount);
    assert_eq!(orders.iter().filter(split).count(), 2);
    for (block, of_block) in &blocks {
        let case = desk.copied();
        let below = format!(
            "<OrgnlPmtInfAndSts><OrgnlPmtInfId>{block}</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts>\
             </OrgnlPmtInfAndSts>"
        );
        case.write("answers/a.xml", report("P1", &orders[0].message, "", &below));
        case.reconcile("answers");
        let told = |id: &str| case.row(id)["class"] == "REJECTED";
        let rejected: Vec<&Order> = orders.iter().filter(|of| told(&of.end_to_end_id)).collect();
        if of_block.len() == 6 {
            let ids = |of: &[&Order]| -> Vec<String> {
                of.iter().map(|of| of.end_to_end_id.clone()).collect()
            };
            assert_eq!(ids(&rejected), ids(of_block), "{block}");
        } else {
            assert!(rejected.is_empty(), "{block}: {rejected:?}");
            let rows = case.recon();
            let loose: Vec<_> = rows.iter().filter(|row| row["run_id"].is_empty()).collect();
            assert_eq!((loose.len(), &*loose[0]["class"]), (1, "DUPLICATE_OURS"), "{block}");
        }
        // Account and amount besides the number of the voucher tell it all the same.
        let case = desk.copied();
        let of = of_block[0];
        let paid = Some(of.amount);
        let detail = Detail { id: "7".to_owned(), paid, bank_ref: "L1".to_owned(), ..detail(of) };
        case.write("answers/v.xml", voucher("A1", block, &[detail]));
        case.reconcile("answers");
        let row = case.row(&of.end_to_end_id);
        assert_eq!((&*row["class"], &*row["match_rule"]), ("PAID", "voucher_account_amount"));
    }
}

/// An entry of one sum; what stands in it.
fn sum_entry(fen: i64, details: &str) -> Vec<u8> {
    let (day, bank_ref) = ("2026-10-12".to_owned(), "R1".to_owned());
    let details = Some(details.to_owned());
    statement(&[Entry { fen, day, bank_ref, details, ..Entry::default() }])
}

/// 省 pays 20.56 * 45 + 6 * 750.00 = 5,425.20; 市 and 区 half of it each.
#[test]
fn one_booking_of_several_payments_is_each_payments_where_it_can_be_told() {
    let btch = "<Btch><NbOfTxs>6</NbOfTxs></Btch>";
    let single = heard(&[sum_entry(542_520, btch)]);
    assert_eq!(counted(&single), want(&[("PAID", "batch_sum", 6), ("MISSING_EXTERNAL", "", 12)]));
    assert_eq!(single.summary()["paid"]["fen"], 542_520);
    let all = heard(&[sum_entry(1_085_040, btch)]);
    assert_eq!(counted(&all), want(&[("PAID", "batch_sum", 18)]));
    // Of 市 or of 区: nobody can tell.
    let either = counted(&heard(&[sum_entry(271_260, btch)]));
    assert_eq!(either, want(&[("DUPLICATE_OURS", "several", 1), ("MISSING_EXTERNAL", "", 18)]));
    let other = counted(&heard(&[sum_entry(271_261, btch)]));
    assert_eq!(other, want(&[("UNKNOWN_EXTERNAL", "none", 1), ("MISSING_EXTERNAL", "", 18)]));
    // A number of ours with another sum is not believed either.
    let orders = orders(&Desk::new());
    let wrong = format!("<Btch><PmtInfId>{}</PmtInfId></Btch>", orders[0].batch);
    let wrong = counted(&heard(&[sum_entry(1, &wrong)]));
    assert_eq!(wrong, want(&[("UNKNOWN_EXTERNAL", "none", 1), ("MISSING_EXTERNAL", "", 18)]));
}

#[test]
fn details_of_one_booking_speak_for_themselves() {
    let orders = orders(&Desk::new());
    let one = |of: &Order, fen: i64| {
        format!(
            "<TxDtls><Refs><EndToEndId>{}</EndToEndId></Refs><AmtDtls><TxAmt><Amt Ccy=\"CNY\">{}</Amt>\
             </TxAmt></AmtDtls></TxDtls>",
            of.end_to_end_id,
            super::paper::yuan(fen)
        )
    };
    let details: String = orders[..5].iter().map(|of| one(of, of.amount)).collect();
    let sum: i64 = orders[..5].iter().map(|of| of.amount).sum();
    // The fifth is paid a fen short.
    let short =
        details.replace(&one(&orders[4], orders[4].amount), &one(&orders[4], orders[4].amount - 1));
    let desk = heard(&[sum_entry(sum - 1, &format!("<Btch><NbOfTxs>5</NbOfTxs></Btch>{short}"))]);
    let found = counted(&desk);
    assert_eq!(
        found,
        want(&[
            ("PAID", "end_to_end_id", 4),
            ("PAID_PARTIAL", "end_to_end_id", 1),
            ("MISSING_EXTERNAL", "", 13)
        ])
    );
    assert_eq!(desk.summary()["paid"]["fen"], sum - 1);
}

/// Two payments of one account and amount, both booked without an id, are both paid; a third booking is
/// one too many, and then none of the three is guessed at.
#[test]
fn honest_twins_are_counted() {
    let orders = orders(&Desk::new());
    let twin = orders.iter().find(|of| of.amount == 42_640).unwrap();
    assert_eq!(twin.account, account(1));
    let booked = |refs: &[&str]| -> Vec<u8> {
        let entries: Vec<Entry> = refs
            .iter()
            .map(|of| Entry { end_to_end_id: String::new(), ..debit(twin, of) })
            .collect();
        statement(&entries)
    };
    let two = counted(&heard(&[booked(&["R1", "R2"])]));
    assert_eq!(two, want(&[("PAID", "account_amount_date", 2), ("MISSING_EXTERNAL", "", 16)]));
    let three = counted(&heard(&[booked(&["R1", "R2", "R3"])]));
    assert_eq!(three, want(&[("DUPLICATE_OURS", "several", 3), ("MISSING_EXTERNAL", "", 18)]));
    // A statement of two pages tells one booking twice: by its reference it is one.
    let first = camt053("S1", OURS, 0, &[debit(twin, "R1")]).0.into_bytes();
    let again = camt053("S2", OURS, 0, &[debit(twin, "R1")]).0.into_bytes();
    let desk = heard(&[first, again]);
    assert_eq!(desk.row(&twin.end_to_end_id)["class"], "PAID");
}
