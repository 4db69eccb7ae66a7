//! What failed goes into the next period, where the job says so; indicators stop a release.

use super::lifecycle::Office;
use super::transcript::tuoyu;
use crate::ledger::journal::hledger;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use tuoyu::domain::{Fen, hex};

/// A line of a file of ours by its columns.
pub(super) type Row = BTreeMap<String, String>;

pub(super) fn rows(path: &Path) -> Vec<Row> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn fen(row: &Row, column: &str) -> i64 {
    row[column].parse().unwrap()
}

/// The sample's job with more keys at its top.
fn job(office: &Office, more: &str) -> String {
    let text = fs::read_to_string("jobs/monthly.toml").unwrap();
    let text = text.replacen("workbooks = true", &format!("workbooks = false\n{more}"), 1);
    let path = office.path("job.toml");
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn settle(office: &Office, job: &str, period: &str) -> Value {
    let out = office.place(period);
    office.done(&["run", job, "--period", period, "--out", &out, "--threads", "2"])
}

/// Answers that reject one payment, pay one in part for a reason, and pay the rest.
fn answers(office: &Office, payments: &[Row]) -> (Row, Row) {
    let sent: Vec<&Row> = payments.iter().filter(|row| row["hold_reason"].is_empty()).collect();
    let (rejected, part) = (sent[5].clone(), sent[8].clone());
    let mut text = "端到端标识,状态,金额,原因,日期\n".to_owned();
    let yuan = |fen: i64| format!("{}.{:02}", fen / 100, fen % 100);
    for row in sent {
        let (id, amount) = (&row["end_to_end_id"], fen(row, "amount_fen"));
        let line = if *id == rejected["end_to_end_id"] {
            format!("{id},失败,,账户已销户,2026-09-15\n")
        } else if *id == part["end_to_end_id"] {
            format!("{id},成功,{},限额,2026-09-15\n", yuan(amount / 4))
        } else {
            format!("{id},成功,{},,2026-09-15\n", yuan(amount))
        };
        text.push_str(&line);
    }
    fs::create_dir_all(office.path("answers")).unwrap();
    fs::write(office.path("answers/answers.csv"), text).unwrap();
    (rejected, part)
}

fn reconcile(office: &Office, correct: bool) -> (u8, Value) {
    let (file, out) = (reconcile_file(office, correct), office.place("recon"));
    let (exit, out, err) = office.says(&["run", &file, "--out", &out, "--json"]);
    (exit, serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}")))
}

fn reconcile_file(office: &Office, correct: bool) -> String {
    let text = format!(
        "id = \"answers\"\nkind = \"reconcile\"\nsettles = {:?}\nperiod = \"2026-08\"\n\
         input = {:?}\ncalendar = \"cn\"\ncorrect = {correct}\nworkbooks = false\n",
        office.place("2026-08"),
        office.place("answers"),
    );
    fs::write(office.path("answers.toml"), text).unwrap();
    office.place("answers.toml")
}

#[test]
fn what_failed_comes_in_with_the_next_period_and_is_claimed_once() {
    let office = Office::new();
    let job = job(&office, "carry_failed = true");
    settle(&office, &job, "2026-08");
    office.act("approve", "2026-08", "李四");
    office.act("release", "2026-08", "王五");
    let august = rows(&office.path("2026-08/payments.csv"));
    let (rejected, part) = answers(&office, &august);
    assert_eq!(reconcile(&office, false).0, 5);
    // 实发 of the bureau's detail: what was paid of each payment, and of each row no more than is due.
    let mut paid: BTreeMap<String, i64> = BTreeMap::new();
    for row in rows(&office.path("recon/finance_detail.csv")) {
        let yuan = |column: &str| Fen::parse(&row[column]).unwrap().0;
        assert!((0..=yuan("payAmt")).contains(&yuan("xpayAmt")), "{row:?}");
        *paid.entry(row["payCertNo"].clone()).or_default() += yuan("xpayAmt");
    }
    for payment in &august {
        let amount = fen(payment, "amount_fen");
        let want = match &payment["payment_no"] {
            no if *no == rejected["payment_no"] || !payment["hold_reason"].is_empty() => 0,
            no if *no == part["payment_no"] => amount / 4,
            _ => amount,
        };
        assert_eq!(paid[&payment["payment_no"]], want, "{payment:?}");
    }

    let september = settle(&office, &job, "2026-09");
    let lines = rows(&office.path("2026-09/schedule.csv"));
    let carried = |payment: &Row| -> i64 {
        let same = |line: &&Row| {
            line["line_kind"] == "CARRY_IN"
                && line["source_period"] == "2026-08"
                && ["institution_id", "source", "budget_doc_no"]
                    .iter()
                    .all(|c| line[*c] == payment[*c])
        };
        lines.iter().filter(same).map(|line| fen(line, "payable_fen")).sum()
    };
    assert_eq!(carried(&rejected), fen(&rejected, "amount_fen"));
    let quarter = fen(&part, "amount_fen") / 4;
    assert_eq!(carried(&part), fen(&part, "amount_fen") - quarter);
    // All that failed, and all that was held; nothing else.
    let held = august.iter().filter(|row| !row["hold_reason"].is_empty());
    let held: i64 = held.map(|row| fen(row, "amount_fen")).sum();
    let all = lines.iter().filter(|line| line["line_kind"] == "CARRY_IN");
    let all: i64 = all.map(|line| fen(line, "payable_fen")).sum();
    assert_eq!(all, held + carried(&rejected) + carried(&part));

    // The reconciliation says where it went, and a batch finds nothing left.
    let (exit, report) = reconcile(&office, true);
    assert_eq!((exit, &report["correction"]), (5, &Value::Null));
    let recon = rows(&office.path("recon/recon.csv"));
    let row = recon.iter().find(|row| row["payment_no"] == rejected["payment_no"]).unwrap();
    assert_eq!(row["carried_to"], september["run_id"].as_str().unwrap());

    // Settled again it is the same run; its rerun from the archive is the same bytes.
    assert_eq!(settle(&office, &job, "2026-09")["posted"], "already_there");
    let again = office.says(&["audit", "rerun", &office.place("2026-09")]);
    assert_eq!(again.0, 0, "{}", again.2);

    // Released, nothing of August is open any more.
    office.act("approve", "2026-09", "李四");
    office.act("release", "2026-09", "王五");
    // The books balance, and what was carried in is nobody's debt any more.
    let journal = office.path("books.journal");
    let (exit, _, err) =
        office.says(&["ledger", "journal", "--out", &office.place("books.journal")]);
    assert_eq!(exit, 0, "{err}");
    if let Some((content, said)) = hledger(&journal, &["check", "--strict"]) {
        assert!(content, "{said}");
        let (_, said) =
            hledger(&journal, &["balance", "liabilities:carried", "--no-total"]).unwrap();
        assert_eq!(said.trim(), "");
    }
    let (exit, report) = reconcile(&office, true);
    assert_eq!((exit, &report["open"]), (0, &Value::from(0)));
    let summary = fs::read(office.path("recon/summary.json")).unwrap();
    let summary: Value = serde_json::from_slice(&summary).unwrap();
    assert_eq!(summary["open_items"], 0);
    let recon = rows(&office.path("recon/recon.csv"));
    let row = recon.iter().find(|row| row["payment_no"] == rejected["payment_no"]).unwrap();
    assert_eq!((&*row["class"], &*row["next_step"]), ("REJECTED", "none"));
    assert_eq!(office.says(&["audit", "verify"]).0, 0);
}

#[test]
fn a_settlement_that_carries_what_was_paid_meanwhile_is_not_released() {
    let office = Office::new();
    let job = job(&office, "carry_failed = true");
    settle(&office, &job, "2026-08");
    office.act("approve", "2026-08", "李四");
    office.act("release", "2026-08", "王五");
    let (rejected, _) = answers(&office, &rows(&office.path("2026-08/payments.csv")));
    reconcile(&office, false);
    settle(&office, &job, "2026-09");
    office.act("approve", "2026-09", "李四");
    // The bank paid it after all.
    let fen = fen(&rejected, "amount_fen");
    let line =
        format!("{},成功,{}.{:02},,2026-09-20", rejected["end_to_end_id"], fen / 100, fen % 100);
    let text = format!("端到端标识,状态,金额,原因,日期\n{line}\n");
    fs::write(office.path("answers/later.csv"), text).unwrap();
    reconcile(&office, false);
    let told = office.refused(&["release", &office.place("2026-09"), "--by", "王五"], 1);
    assert!(
        told.contains(&format!("payment {}: the batch pays", rejected["payment_no"])),
        "{told}"
    );
}

#[test]
fn a_release_draws_no_more_than_its_indicator_holds() {
    let office = Office::new();
    let job = job(&office, "");
    // One indicator (指标金额) is a fen below what is to be paid from it; its balance is not.
    let folder = office.path("in");
    copy(Path::new("data/sample"), &folder);
    let run = |office: &Office| {
        let (out, input) = (office.place("2026-08"), office.place("in"));
        let words = ["run", &job, "--period", "2026-08", "--out", &out, "--input", &input];
        office.done(&words)
    };
    run(&office);
    let payments = rows(&office.path("2026-08/payments.csv"));
    let of = |row: &&Row| row["source"] == "区" && row["hold_reason"].is_empty();
    let last = payments.iter().rfind(of).unwrap();
    let doc = &last["budget_doc_no"];
    let wanted: i64 = payments
        .iter()
        .filter(|row| of(row) && row["budget_doc_no"] == *doc)
        .map(|row| fen(row, "amount_fen"))
        .sum();
    let all: i64 =
        payments.iter().filter(|row| row["source"] == "区").map(|row| fen(row, "amount_fen")).sum();
    assert!(all > wanted, "something is held, so the settlement itself fits");
    indicator(&folder.join("2026-08/budget.csv"), doc, wanted - 1);
    run(&office);
    office.act("approve", "2026-08", "李四");
    let told = office.refused(&["release", &office.place("2026-08"), "--by", "王五"], 1);
    let want = format!("payment {}: indicator {doc} has", last["payment_no"]);
    assert!(told.contains(&want) && told.contains("0.01 yuan short"), "{told}");
    assert!(!office.path("2026-08.release").exists());
}

/// Sets the amount (指标金额) of an indicator.
fn indicator(budget: &Path, doc: &str, fen: i64) {
    let text = fs::read_to_string(budget).unwrap();
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        if cells[0] == doc {
            cells[7] = format!("{}.{:02}", fen / 100, fen % 100);
        }
        lines.push(cells.join(",") + "\n");
    }
    fs::write(budget, lines.concat()).unwrap();
}

#[test]
fn what_a_release_drew_and_came_back_may_be_drawn_again() {
    let office = Office::new();
    let job = job(&office, "");
    let folder = office.path("in");
    copy(Path::new("data/sample"), &folder);
    let run = |period: &str| {
        let (out, input) = (office.place(period), office.place("in"));
        office.done(&["run", &job, "--period", period, "--out", &out, "--input", &input])
    };
    run("2026-08");
    office.act("approve", "2026-08", "李四");
    office.act("release", "2026-08", "王五");
    let august = rows(&office.path("2026-08/payments.csv"));
    let (rejected, part) = answers(&office, &august);
    assert_eq!(reconcile(&office, false).0, 5);
    run("2026-09");
    let september = rows(&office.path("2026-09/payments.csv"));
    // What both months draw from the indicator of the payment that failed, less what came back of it.
    let doc = &rejected["budget_doc_no"];
    let out = |row: &&Row| row["budget_doc_no"] == *doc && row["hold_reason"].is_empty();
    let drawn = |of: &[Row]| of.iter().filter(out).map(|row| fen(row, "amount_fen")).sum::<i64>();
    let back = fen(&part, "amount_fen") - fen(&part, "amount_fen") / 4;
    let back = fen(&rejected, "amount_fen") + if part["budget_doc_no"] == *doc { back } else { 0 };
    let wanted = drawn(&september);
    assert!(wanted > 0 && back > 0 && drawn(&august) > back);
    let limit = drawn(&august) - back + wanted;
    let budget = folder.join("2026-09/budget.csv");
    indicator(&budget, doc, limit - 1);
    run("2026-09");
    office.act("approve", "2026-09", "李四");
    let told = office.refused(&["release", &office.place("2026-09"), "--by", "王五"], 1);
    let last = september.iter().rfind(out).unwrap();
    let want = format!("payment {}: indicator {doc} has", last["payment_no"]);
    assert!(told.contains(&want) && told.contains("0.01 yuan short"), "{told}");
    // To the fen it fits.
    let run_folder = office.place("2026-09");
    let reason = "指标金额更正";
    office.done(&["reopen", &run_folder, "--by", "王五", "--reason", reason]);
    indicator(&budget, doc, limit);
    run("2026-09");
    office.act("approve", "2026-09", "李四");
    office.act("release", "2026-09", "王五");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

#[test]
fn a_reconcile_job_is_told_what_it_lacks() {
    let office = Office::new();
    let file = office.path("r.toml");
    for (text, want) in [
        ("id = \"r\"\nkind = \"reconcile\"\nperiod = \"2026-08\"\n", "settles"),
        ("id = \"r\"\nkind = \"reconcile\"\nsettles = \"jobs/monthly.toml\"\n", "period"),
        ("id = \"r\"\nkind = \"reconcil\"\n", "expected \"settle\", \"reconcile\" or \"tune\""),
        (
            "id = \"r\"\nkind = \"reconcile\"\nsettles = \"jobs/monthly.toml\"\nperiod = \"2026-08\"\n\
             input = \"data/sample/answers/2026-08\"\n",
            "calendar",
        ),
        ("id = \"r\"\nkind = \"reconcile\"\nsetles = \"x\"\n", "did you mean \"settles\""),
    ] {
        fs::write(&file, text).unwrap();
        let words = ["run".to_owned(), file.display().to_string(), "--lang".into(), "en".into()];
        let (exit, _, err) = tuoyu(&words);
        assert_eq!(exit, 2, "{err}");
        assert!(err.contains(want), "{err}");
    }
}

#[test]
fn codes_follow_the_form_of_the_payee_and_move_no_money() {
    let (plain, coded) = (Office::new(), Office::new());
    settle(&plain, &job(&plain, ""), "2026-08");
    let job = job(&coded, "codes = \"economic\"");
    settle(&coded, &job, "2026-08");
    let lines = |office: &Office| rows(&office.path("2026-08/schedule.csv"));
    let mut met = BTreeMap::new();
    for line in lines(&coded) {
        let child = line["item"].starts_with("child.");
        // By hand from data/reference/codes/economic.toml; the rest are the indicators' own.
        let want = match &line["institution_id"][..2] {
            "12" => ["50502", "30299"],
            "91" | "92" => ["50701", "31204"],
            "52" if child => ["50999", "30399"],
            _ => ["50502", "30399"],
        };
        assert_eq!([&*line["gov_eco_code"], &*line["dep_eco_code"]], want, "{line:?}");
        *met.entry(want).or_insert(0) += 1;
    }
    assert_eq!(met.len(), 4, "{met:?}");
    let money = |office: &Office| {
        let mut sums: BTreeMap<[String; 4], i64> = BTreeMap::new();
        for line in lines(office) {
            let key = ["institution_id", "item", "source", "budget_doc_no"];
            *sums.entry(key.map(|column| line[column].clone())).or_default() +=
                fen(&line, "payable_fen");
        }
        sums
    };
    assert_eq!(money(&coded), money(&plain));
    // A payment has one code: an institution of 52 has more of them, nobody has less.
    let payments = |office: &Office| rows(&office.path("2026-08/payments.csv")).len();
    assert!(payments(&coded) > payments(&plain));
    coded.act("approve", "2026-08", "李四");
    coded.act("release", "2026-08", "王五");
    let again = coded.says(&["audit", "rerun", &coded.place("2026-08")]);
    assert_eq!(again.0, 0, "{}", again.2);
}

#[test]
fn a_batch_is_paid_as_the_settlement_was_or_not_made() {
    let office = Office::new();
    let job = job(&office, "");
    settle(&office, &job, "2026-08");
    office.act("approve", "2026-08", "李四");
    office.act("release", "2026-08", "王五");
    answers(&office, &rows(&office.path("2026-08/payments.csv")));
    // The folder of the settlement lies elsewhere; another run's stands in its place.
    fs::rename(office.path("2026-08"), office.path("elsewhere")).unwrap();
    let words = ["run", &job, "--period", "2026-09", "--out", &office.place("2026-08")];
    let text: Vec<String> =
        words.into_iter().chain(["--ledger", "none"]).map(str::to_owned).collect();
    assert_eq!(tuoyu(&text).0, 3);
    let manifest = office.path("2026-08/manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let text = text.replace("\"period\": \"2026-09\"", "\"period\": \"2026-08\"");
    fs::write(&manifest, text).unwrap();
    let file = reconcile_file(&office, true);
    let told = office.refused(&["run", &file, "--out", &office.place("recon")], 1);
    assert!(told.contains("the ledger has run"), "{told}");
    assert!(!office.path("recon").exists() && !office.path("2026-08.correction-1").exists());
    // Named where it lies, the batch has all that pays.
    let text = fs::read_to_string(&file).unwrap().replace("/2026-08\"", "/elsewhere\"");
    fs::write(&file, text).unwrap();
    let (exit, ..) = office.says(&["run", &file, "--out", &office.place("recon")]);
    assert_eq!(exit, 5);
    assert!(office.path("elsewhere.correction-1/pay.json").is_file());
}

#[test]
fn answers_are_kept_and_missed() {
    let office = Office::new();
    let job = job(&office, "");
    settle(&office, &job, "2026-08");
    office.act("approve", "2026-08", "李四");
    office.act("release", "2026-08", "王五");
    answers(&office, &rows(&office.path("2026-08/payments.csv")));
    reconcile(&office, false);
    assert_eq!(office.says(&["audit", "verify"]).0, 0);
    let hash = hex(&Sha256::digest(fs::read(office.path("answers/answers.csv")).unwrap()));
    let object = office.path(&format!("archive/objects/{}/{}.zst", &hash[..2], &hash[2..]));
    fs::remove_file(object).unwrap();
    let (exit, _, err) = office.says(&["audit", "verify", "--lang", "en"]);
    assert_ne!(exit, 0);
    assert!(err.contains("answers answers.csv") && err.contains("missing"), "{err}");
}

#[test]
fn what_a_batch_paid_since_counts_in_the_bureaus_detail() {
    let office = Office::new();
    let job = job(&office, "");
    settle(&office, &job, "2026-08");
    office.act("approve", "2026-08", "李四");
    office.act("release", "2026-08", "王五");
    let (rejected, part) = answers(&office, &rows(&office.path("2026-08/payments.csv")));
    let mut text = "institution_id,account_name,account_no,bank_name,bank_no\n".to_owned();
    for of in [&rejected, &part] {
        let id = &of["institution_id"];
        if !text.contains(&**id) {
            writeln!(text, "{id},新户名,9999010000000777,示例银行,102521000335").unwrap();
        }
    }
    fs::write(office.path("accounts.csv"), text).unwrap();
    let file = reconcile_file(&office, true);
    let more = format!("accounts = {:?}\n", office.place("accounts.csv"));
    let text = fs::read_to_string(&file).unwrap() + &more;
    fs::write(&file, text).unwrap();
    let run = |office: &Office| office.says(&["run", &file, "--out", &office.place("recon")]);
    assert_eq!(run(&office).0, 5);
    office.act("approve", "2026-08.correction-1", "李四");
    office.act("release", "2026-08.correction-1", "王五");
    let again = rows(&office.path("2026-08.correction-1/payments.csv"));
    assert_eq!(again.len(), 2);
    let mut text = "端到端标识,状态,日期\n".to_owned();
    for row in &again {
        writeln!(text, "{},成功,2026-10-09", row["end_to_end_id"]).unwrap();
    }
    fs::write(office.path("answers/later.csv"), text).unwrap();
    assert_eq!(run(&office).0, 0);
    for row in rows(&office.path("recon/finance_detail.csv")) {
        let of = |payment: &Row| payment["payment_no"] == row["payCertNo"];
        if of(&rejected) || of(&part) {
            assert_eq!(row["xpayAmt"], row["payAmt"], "{row:?}");
        }
    }
    // Cleared by source: what was sent twice failed once, and all of it is paid.
    let payments = rows(&office.path("2026-08/payments.csv"));
    for line in rows(&office.path("recon/clearing.csv")) {
        let of = |row: &&Row| row["source"] == line["source"] && row["hold_reason"].is_empty();
        let own: i64 = payments.iter().filter(of).map(|row| fen(row, "amount_fen")).sum();
        let twice: i64 = again
            .iter()
            .filter(|row| row["source"] == line["source"])
            .map(|row| fen(row, "amount_fen"))
            .sum();
        assert_eq!(fen(&line, "sent_fen"), own + twice, "{line:?}");
        assert_eq!(fen(&line, "failed_fen"), twice, "{line:?}");
        assert_eq!((fen(&line, "all_amt_fen"), fen(&line, "pending_fen")), (own, 0), "{line:?}");
    }
}
