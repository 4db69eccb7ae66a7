//! What stands in the files, worked out on paper from [`super::case`].

use std::fs;

use calamine::{Data, Reader, Xlsx, open_workbook};

use super::case::{A, ACCOUNT, B, CHILD, Case, column, read_csv};

/// Publishes the case once and hands the folder to the test.
fn published() -> (tempfile::TempDir, std::path::PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    Case::new().publish(&out).unwrap();
    (place, out)
}

#[test]
fn headers_are_the_contract() {
    let (_place, out) = published();
    for (file, want) in [
        (
            "schedule.csv",
            "run_id,period,schedule_no,line_no,institution_id,institution_name,account_name,\
             account_no,bank_name,bank_no,line_kind,source_period,item,quantity,rate,gross_fen,\
             cut_fen,carried_in_fen,carried_out_fen,payable_fen,source,budget_doc_no,\
             exp_func_code,gov_eco_code,dep_eco_code,fund_type_code,project_code,pay_on,\
             hold_reason,rule_version,payment_no,row_hash",
        ),
        (
            "payments.csv",
            "payment_no,end_to_end_id,institution_id,account_name,account_no,bank_name,bank_no,\
             budget_doc_no,source,pay_on,amount_fen,lines,hold_reason",
        ),
        (
            "control.csv",
            "scope,key,rows_read,rows_used,rows_unused,rows_refused,rows_paid,rows_zero,\
             amount_fen,amount_in_words,year_to_date_fen",
        ),
        ("funding.csv", "institution_id,item,source,budget_doc_no,amount_fen"),
        (
            "findings.csv",
            "severity,code,table,file,record,institution_id,rule,count,money_fen,text,next_step",
        ),
        (
            "finance_detail.csv",
            "mofDivCode,bgtId,corBgtDocNo,payCertNo,proCode,proName,payeeAcctName,payeeAcctNo,\
             payeeAcctBankName,payAmt,xpayAmt,payMonth,addWord,corpName,unifsocCredCode,month,\
             subsidyAmt",
        ),
    ] {
        let text = fs::read_to_string(out.join(file)).unwrap();
        assert_eq!(text.lines().next().unwrap(), want, "{file}");
    }
}

#[test]
fn schedule_and_payments_carry_the_lines() {
    let (_place, out) = published();
    let file = out.join("schedule.csv");
    assert_eq!(column(&file, "schedule_no")[0], "monthly-2026-09");
    assert_eq!(column(&file, "institution_name")[0], "乙幼儿园,\"二\"部", "quoting reads back");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("\"乙幼儿园,\"\"二\"\"部\""), "quotes are doubled");
    let paid = column(&file, "payable_fen");
    assert_eq!(paid, ["20000", "20000", "25000", "25000", "50000", "50000"]);
    assert_eq!(column(&file, "cut_fen")[..2], ["2500", "2500"]);
    assert_eq!(column(&file, "hold_reason")[0], "account_missing");
    let hashes = column(&file, "row_hash");
    assert!(hashes.iter().all(|hash| hash.len() == 16));
    assert_ne!(hashes[0], hashes[1]);
    assert_eq!(
        column(&out.join("payments.csv"), "amount_fen"),
        ["20000", "20000", "75000", "75000"]
    );
}

#[test]
fn a_row_hash_changes_with_the_line_and_not_with_the_run() {
    let (_place, out) = published();
    let before = column(&out.join("schedule.csv"), "row_hash");
    let mut case = Case::new();
    case.schedule.lines[5].quantity = "2".into();
    let mut run = case.publication();
    run.run_id = "another";
    let place = tempfile::tempdir().unwrap();
    let mut draft = tuoyu::publish::Draft::create(&place.path().join("run")).unwrap();
    tuoyu::publish::write(&run, &mut draft).unwrap();
    let after = column(&draft.folder().join("schedule.csv"), "row_hash");
    assert_eq!(before[..5], after[..5]);
    assert_ne!(before[5], after[5]);
}

#[test]
fn control_rows_tie_to_the_total() {
    let (_place, out) = published();
    let (_, rows) = read_csv(&out.join("control.csv"));
    let find = |scope: &str, key: &str| {
        let row = rows.iter().find(|row| row[0] == scope && row[1] == key);
        let row = row.unwrap_or_else(|| panic!("{scope} {key}"));
        [2, 3, 4, 5, 6, 7, 8, 10].map(|at| row[at].clone()).join(",")
    };
    assert_eq!(find("table", "enrolments"), "7,5,1,1,,,,");
    assert_eq!(find("institution", A), ",3,,0,3,0,150000,1150000");
    assert_eq!(find("institution", B), ",3,,1,1,1,40000,40000");
    assert_eq!(find("institution", ""), ",1,,1,0,0,0,0", "the unknown institution's line");
    assert_eq!(find("item", "operating.child"), ",5,,1,3,1,90000,90000");
    assert_eq!(find("item", "slot.new"), ",2,,1,1,0,100000,100000");
    assert_eq!(find("source", "省"), ",,,,,,95000,95000");
    assert_eq!(find("budget_line", "示例财社〔2026〕2号"), ",,,,,,95000,95000");
    assert_eq!(find("total", ""), ",7,,2,4,1,190000,1190000");
}

#[test]
fn summary_counts_refusals_by_reason() {
    let (_place, out) = published();
    let text = fs::read_to_string(out.join("summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&text).unwrap();
    let refused = serde_json::json!({"institution_unknown": 1, "not_inclusive": 1});
    assert_eq!(summary["refused_by_reason"], refused);
    assert_eq!(summary["zero_by_reason"], serde_json::json!({"listed_twice": 1}));
    let lines = serde_json::json!({"all": 7, "paid": 4, "zero": 1, "refused": 2});
    assert_eq!(summary["lines"], lines);
    assert_eq!(summary["amount_fen"], 195_000);
    assert_eq!(summary["allocated_fen"], 190_000);
    assert_eq!(summary["payments"]["held_fen"], 40_000);
    assert_eq!(summary["funded_by_source"], serde_json::json!({"区": 95_000, "省": 95_000}));
    assert_eq!(summary["sample"], true);
}

#[test]
fn findings_stand_by_severity_then_money() {
    let (_place, out) = published();
    let codes = column(&out.join("findings.csv"), "code");
    let want = [
        "value_unreadable",
        "payment_held",
        "fee_above_ceiling",
        "institution_unknown",
        "cap_binding",
    ];
    assert_eq!(codes, want);
}

#[test]
fn changes_are_flagged_above_the_threshold() {
    let (_place, out) = published();
    let (_, rows) = read_csv(&out.join("changes.csv"));
    let row = |id: &str| rows.iter().find(|row| row[0] == id).unwrap()[2..].join(",");
    // 甲 from 1,200.00 to 1,500.00 is 25 %; 乙 stays; the third is gone.
    assert_eq!(row(A), "2,2,20,20,120000,150000,30000,25.00,large");
    assert_eq!(row(B), "2,2,30,30,40000,40000,0,0.00,");
    assert_eq!(row("GONE"), "9,,9,,9,,-9,-100.00,gone");
}

#[test]
fn fees_stand_against_their_ceilings() {
    let (_place, out) = published();
    let (_, rows) = read_csv(&out.join("fees.csv"));
    let rows: Vec<String> = rows.iter().map(|r| format!("{},{}", r[1], r[3..].join(","))).collect();
    let want = [
        // 乙 full day: 2,100 and 1,800 against 2,000; one breach of 100.
        format!("{B},全日托,full_day,2,180000,210000,390000,200000,200000,-10000,1,10000,0,第五条"),
        format!("{A},全日托,full_day,1,200000,200000,200000,200000,200000,0,0,0,0,第五条"),
        format!("{A},半日托,full_day,1,150000,150000,150000,160000,160000,10000,0,0,0,第五条"),
    ];
    assert_eq!(rows, want);
}

#[test]
fn supervision_support_indicators_and_detail() {
    let (_place, out) = published();
    let (_, rows) = read_csv(&out.join("supervision.csv"));
    let findings = "cap_binding:1;fee_above_ceiling:1;payment_held:1";
    assert_eq!(rows[0][3..].join(","), format!("备案,30,10,2,1,400.00,{findings}"));
    assert_eq!(rows[1][3..].join(","), "普惠,20,20,2,2,1500.00,");
    let (_, rows) = read_csv(&out.join("support.csv"));
    let rows: Vec<_> = rows.iter().map(|row| format!("{},{},{}", row[1], row[4], row[5])).collect();
    assert_eq!(rows, [format!("{B},40000,0"), format!("{A},150000,0")]);
    let (_, rows) = read_csv(&out.join("indicators.csv"));
    let find = |name: &str, group: &str, key: &str| {
        let row = rows.iter().find(|row| row[1] == name && row[3] == group && row[4] == key);
        row.unwrap_or_else(|| panic!("{name} {group} {key}"))[5..].join(",")
    };
    assert_eq!(find("institutions_inclusive", "all", ""), "1,,");
    assert_eq!(find("slots_inclusive", "street", "吴家山"), "20,,");
    assert_eq!(find("occupancy", "all", ""), "4,50,8.00");
    assert_eq!(find("kindergarten_share", "all", ""), "1,1,100.00");
    assert_eq!(find("headcount", "age_class", "托大班"), "3,,");
    let detail = out.join("finance_detail.csv");
    assert_eq!(column(&detail, "payAmt"), ["200.00", "200.00", "750.00", "750.00"]);
    assert_eq!(column(&detail, "subsidyAmt"), ["200.00", "200.00", "750.00", "750.00"]);
    assert_eq!(column(&detail, "xpayAmt"), ["", "", "", ""]);
}

#[test]
fn entitlements_show_every_line_without_a_childs_number() {
    let (_place, out) = published();
    let file = out.join("entitlements.csv");
    let people = column(&file, "child_ref");
    let case = Case::new();
    let name = |id: &str| String::from_utf8(case.pseudonyms.one(id).to_vec()).unwrap();
    assert_eq!(people[0], name(CHILD));
    assert_eq!(people[5], "", "a slot is nobody");
    assert_eq!(column(&file, "exact_num"), ["30000", "59999", "", "45000", "", "", ""]);
    assert_eq!(column(&file, "exact_den"), ["1", "3", "", "1", "", "", ""]);
    assert_eq!(column(&file, "cut_by")[3], "cap.institution");
    let reasons = column(&file, "reason");
    assert_eq!(reasons, ["", "", "listed_twice", "", "institution_unknown", "", "not_inclusive"]);
    assert_eq!(column(&file, "source_record")[..5], ["1", "2", "3", "4", "5"]);
    assert_eq!(column(&file, "source_file")[0], "enrolments.csv");
    for entry in fs::read_dir(&out).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let found = bytes.windows(CHILD.len()).any(|window| window == CHILD.as_bytes());
        assert!(!found, "{} shows a child's number", path.display());
    }
}

#[test]
fn a_notice_shows_no_account_and_no_child() {
    let (_place, out) = published();
    let (header, rows) = read_csv(&out.join("notice.csv"));
    let want = "period,institution_id,institution_name,kind,street,slots,headcount,headcount_paid,amount_fen";
    assert_eq!(header.join(","), want);
    let row = |at: usize| format!("{},{}", rows[at][1], rows[at][5..].join(","));
    assert_eq!(row(0), format!("{B},30,2,1,40000"));
    assert_eq!(row(1), format!("{A},20,2,2,150000"));
    let mut book: Xlsx<_> = open_workbook(out.join("notice.xlsx")).unwrap();
    for sheet in book.sheet_names() {
        for row in book.worksheet_range(&sheet).unwrap().rows() {
            for cell in row {
                let text = cell.to_string();
                assert!(!text.contains(ACCOUNT) && !text.contains("示例银行"), "{text}");
            }
        }
    }
}

#[test]
fn the_workbook_reads_back_with_its_totals() {
    let (_place, out) = published();
    let mut book: Xlsx<_> = open_workbook(out.join("schedule.xlsx")).unwrap();
    assert_eq!(book.sheet_names(), ["拨付计划", "付款清单", "汇总"]);
    let lines = book.worksheet_range("拨付计划").unwrap();
    let title = lines.get((0, 0)).unwrap().to_string();
    assert_eq!(title, "示例区财政局2026年9月普惠托育补助拨付计划（示例）");
    let header: Vec<String> = lines.rows().nth(2).unwrap().iter().map(Data::to_string).collect();
    let at = |label: &str| header.iter().position(|text| text == label).unwrap();
    let total = lines.rows().nth(9).unwrap();
    assert_eq!(total[0].to_string(), "合计");
    assert_eq!(total[at("应补金额")], Data::Float(1950.0));
    assert_eq!(total[at("核减金额")], Data::Float(50.0));
    assert_eq!(total[at("拨付金额")], Data::Float(1900.0));
    let account = lines.rows().nth(5).unwrap()[at("账号")].clone();
    assert_eq!(account, Data::String(ACCOUNT.to_owned()), "an account stays a text");
    // A person reads why money is held, not the code of the reason.
    for page in ["拨付计划", "付款清单"] {
        let cells: Vec<String> =
            book.worksheet_range(page).unwrap().rows().flatten().map(Data::to_string).collect();
        assert!(cells.iter().any(|text| text == "未登记收款账户"), "{page}");
        assert!(!cells.iter().any(|text| text == "account_missing"), "{page}");
    }
    let words = lines.rows().nth(10).unwrap()[0].to_string();
    assert!(words.starts_with("金额合计（大写）："), "{words}");
    let footer = book.worksheet_range("汇总").unwrap();
    let value = |label: &str| {
        let row = footer.rows().find(|row| row[0].to_string().starts_with(label));
        row.unwrap_or_else(|| panic!("{label}"))[1].clone()
    };
    assert_eq!(value("付款笔数"), Data::Float(4.0));
    assert_eq!(value("付款金额合计"), Data::Float(1900.0));
    // 42001234567890000001 twice, modulo 10^12; 乙 has no account.
    assert_eq!(value("账号校验和"), Data::String("135780000002".to_owned()));
}
