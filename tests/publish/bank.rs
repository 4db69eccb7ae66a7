//! Files of bank and treasury, made of payments by hand: what they say, how they split, and what they
//! refuse.

use super::outside::{elements, python, xmllint};
use base64::Engine as _;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use tuoyu::domain::Fen;
use tuoyu::job::{AnswerPart, BatchValue, Pay, TextEncoding};
use tuoyu::publish::{
    BankError, BankFile, Contents, Outgoing, PayBudgetLine, PayFile, PayOf, bank_files,
};

pub(super) const RUN: &str = "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789";
const AT: &str = "2026-10-19T23:30:00Z";

/// A payment: number, name, account, fen, pay date, reason of a hold, place of its budget line.
#[derive(Clone)]
struct Paid {
    no: String,
    id: String,
    name: String,
    account: String,
    bank: String,
    fen: i64,
    pay_on: &'static str,
    hold: &'static str,
    line: Option<usize>,
}

fn paid(at: usize, fen: i64) -> Paid {
    Paid {
        no: format!("2026-09-{at:06}"),
        id: format!("E{at}"),
        name: format!("示例{at}号园"),
        account: format!("62220000{at:04}"),
        bank: "示例银行".to_owned(),
        fen,
        pay_on: "2026-10-20",
        hold: "",
        line: Some(0),
    }
}

fn pay(files: &[&str]) -> Pay {
    let text = str::to_owned;
    Pay {
        files: files.iter().map(|file| text(file)).collect(),
        account_name: text("示例区财政局"),
        account_no: text("999900000000000001"),
        bank_name: text("示例银行营业部"),
        bank_no: text("102521000335"),
        agency_code: text("001"),
        agency_name: text("示例区卫健局"),
        division_code: text("999900"),
        pay_bank_code: text("102"),
        pay_type_code: text("91"),
        original_vt_code: text("5207"),
        business_type_code: String::new(),
        purpose: text("托育补贴"),
    }
}

fn budget(function: &str) -> PayBudgetLine {
    PayBudgetLine {
        budget_doc_no: "示例〔2026〕1号".to_owned(),
        source: "区".to_owned(),
        exp_func_code: function.to_owned(),
        gov_eco_code: "50502".to_owned(),
        dep_eco_code: "30399".to_owned(),
        fund_type_code: "11".to_owned(),
        project_code: "P-1".to_owned(),
        fiscal_year: 2026,
        balance_fen: 1,
        amount_fen: None,
    }
}

/// Makes the files of some payments; `profiles` by name.
fn made(
    pay: Pay,
    profiles: &[(&str, &str)],
    paid: &[Paid],
) -> Result<BTreeMap<String, (Vec<u8>, Contents)>, BankError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = "payment_no end_to_end_id institution_id account_name account_no bank_name bank_no \
                  budget_doc_no source pay_on amount_fen lines hold_reason";
    writer.write_record(header.split_whitespace()).unwrap();
    for of in paid {
        let fen = of.fen.to_string();
        let (no, id, name) = (&*of.no, &*of.id, &*of.name);
        let row = [
            no,
            id,
            "91999900MA0000015N",
            name,
            &of.account,
            &of.bank,
            "102521000335",
            "示例〔2026〕1号",
            "区",
            of.pay_on,
            &fen,
            "1",
            of.hold,
        ];
        writer.write_record(row).unwrap();
    }
    let payments = paid.iter().map(|of| {
        let institution_name = "示例园".to_owned();
        (of.no.clone(), PayOf { institution_name, budget_line: of.line })
    });
    let file = PayFile {
        format: 1,
        pay,
        currency: "CNY".to_owned(),
        profiles: profiles.iter().map(|(n, t)| ((*n).to_owned(), (*t).to_owned())).collect(),
        budget_lines: vec![budget("2080299"), budget("2050201")],
        payments: payments.collect(),
    };
    let payments = writer.into_inner().unwrap();
    let out = Outgoing {
        run_id: RUN,
        job: "monthly",
        period: "2026-09",
        at: AT,
        pay: &file,
        payments: &payments,
    };
    let files = bank_files(&out)?;
    // Made again, the bytes are the same.
    assert_eq!(bank_files(&out).as_ref(), Ok(&files));
    let keyed = |(name, bytes, contents): BankFile| (name, (bytes, contents));
    Ok(files.into_iter().map(keyed).collect())
}

#[track_caller]
fn refused(pay: Pay, profiles: &[(&str, &str)], paid: &[Paid], expected: &str) {
    let error = made(pay, profiles, paid).unwrap_err().to_string();
    assert_eq!(error, expected);
}

const SETTLE_AGAIN: &str = "hint: correct it where it was delivered and settle the period again";

#[test]
fn pain001_is_valid_over_all_characters_of_xml_and_refuses_the_others() {
    // Every character of the first planes in steps, and the ends of each range XML allows.
    let legal = |c: &char| !c.is_control() && !matches!(c, '\u{FFFE}' | '\u{FFFF}');
    let mut all: Vec<char> = (0..=0xFFFF_u32).step_by(3).filter_map(char::from_u32).collect();
    all.extend("&<>\"']]>\u{20}\u{D7FF}\u{E000}\u{FFFD}\u{10000}\u{10FFFF}𠮷".chars());
    all.extend((0x10000..=0x10_FFFF_u32).step_by(4099).filter_map(char::from_u32));
    all.retain(legal);
    let mut payments = Vec::new();
    for (at, name) in all.chunks(140).enumerate() {
        payments.push(Paid { name: name.iter().collect(), ..paid(at + 1, 1) });
    }
    assert!(payments.len() > 150);
    let files = made(pay(&["pain001"]), &[], &payments).unwrap();
    let (bytes, contents) = &files["pain001.xml"];
    assert_eq!(contents.rows, u64::try_from(payments.len()).ok());
    xmllint(bytes);
    let told = elements(bytes);
    let names: Vec<&str> = told
        .iter()
        .filter(|(path, _)| path.ends_with("CdtTrfTxInf/Cdtr/Nm"))
        .map(|(_, text)| text.as_str())
        .collect();
    let wanted: Vec<&str> = payments.iter().map(|of| of.name.as_str()).collect();
    assert_eq!(names, wanted);
    let forbidden = (0..0x20).chain(0x7F..0xA0).chain([0xFFFE, 0xFFFF]).filter_map(char::from_u32);
    for found in forbidden {
        let code = u32::from(found);
        let one = [Paid { name: format!("园{found}"), ..paid(1, 1) }];
        let expected = format!(
            "pain001.xml: payment 2026-09-000001, account_name has {found:?} (U+{code:04X}); expected \
             characters of XML; {SETTLE_AGAIN}"
        );
        refused(pay(&["pain001"]), &[], &one, &expected);
    }
}

#[test]
fn pain001_says_what_was_sent_and_when() {
    let purpose = "补".repeat(141);
    let job = Pay { purpose, ..pay(&["pain001"]) };
    let payments = [
        paid(1, 100),
        Paid { line: Some(1), ..paid(2, 2_050) },
        // Paid on another day, and without a day: the day of the release in Beijing.
        Paid { pay_on: "2026-10-21", ..paid(3, 5) },
        Paid { pay_on: "", ..paid(4, 6) },
        Paid { hold: "account_missing", ..paid(5, 7) },
        paid(6, 0),
    ];
    let files = made(job, &[], &payments).unwrap();
    let (bytes, contents) = &files["pain001.xml"];
    assert_eq!(*contents, Contents { rows: Some(4), fen: Some(2_161) });
    xmllint(bytes);
    let told = elements(bytes);
    let all = |path: &str| -> Vec<&str> {
        let whole = format!("Document/CstmrCdtTrfInitn/{path}");
        told.iter().filter(|(of, _)| *of == whole).map(|(_, text)| text.as_str()).collect()
    };
    assert_eq!(all("GrpHdr/MsgId"), [&RUN[..32]]);
    assert_eq!(all("GrpHdr/CreDtTm"), ["2026-10-20T07:30:00+08:00"]);
    assert_eq!(all("GrpHdr/NbOfTxs"), ["4"]);
    assert_eq!(all("GrpHdr/CtrlSum"), ["21.61"]);
    assert_eq!(
        all("PmtInf/PmtInfId"),
        ["202609ABCDEF0001L1", "202609ABCDEF0001L2", "202609ABCDEF0002"]
    );
    assert_eq!(all("PmtInf/ReqdExctnDt/Dt"), ["2026-10-20", "2026-10-20", "2026-10-21"]);
    assert_eq!(all("PmtInf/CtrlSum"), ["1.06", "20.50", "0.05"]);
    assert_eq!(all("PmtInf/NbOfTxs"), ["2", "1", "1"]);
    assert_eq!(all("PmtInf/CdtTrfTxInf/PmtId/EndToEndId"), ["E1", "E4", "E2", "E3"]);
    assert_eq!(all("PmtInf/CdtTrfTxInf/PmtId/InstrId")[1], "2026-09-000004");
    assert_eq!(all("PmtInf/CdtTrfTxInf/Amt/InstdAmt"), ["1.00", "0.06", "20.50", "0.05"]);
    let agent = "FinInstnId/ClrSysMmbId/MmbId";
    assert_eq!(all(&format!("PmtInf/CdtTrfTxInf/CdtrAgt/{agent}"))[0], "102521000335");
    assert_eq!(all("PmtInf/CdtTrfTxInf/Cdtr/Id/OrgId/Othr/Id")[0], "91999900MA0000015N");
    assert_eq!(all("PmtInf/CdtTrfTxInf/RmtInf/Ustrd")[0], "补".repeat(140));
    let held = String::from_utf8(files["held.csv"].0.clone()).unwrap();
    assert_eq!(
        held,
        "payment_no,end_to_end_id,institution_id,institution_name,account_name,account_no,bank_name,\
         bank_no,amount_fen,hold_reason\n2026-09-000005,E5,91999900MA0000015N,示例园,示例5号园,\
         622200000005,示例银行,102521000335,7,account_missing\n"
    );
    assert_eq!(files["held.csv"].1, Contents { rows: Some(1), fen: Some(7) });
}

#[test]
fn a_batch_takes_fewer_than_500_details() {
    let payments: Vec<Paid> = (1..=500).map(|at| paid(at, 3)).collect();
    let files = made(pay(&["pain001", "8207"]), &[], &payments).unwrap();
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    let wanted = ["held.csv", "pain001.xml", "voucher_8207_001.xml", "voucher_8207_002.xml"];
    assert_eq!(names, wanted);
    assert_eq!(files[wanted[2]].1, Contents { rows: Some(499), fen: Some(1_497) });
    assert_eq!(files[wanted[3]].1, Contents { rows: Some(1), fen: Some(3) });
    let told = elements(&files["pain001.xml"].0);
    let blocks = told.iter().filter(|(path, _)| path.ends_with("PmtInf/NbOfTxs"));
    assert_eq!(blocks.map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["499", "1"]);
}

#[test]
fn a_name_too_long_for_pain001_is_not_cut() {
    let long = [Paid { name: "长".repeat(141), ..paid(1, 1) }];
    let expected = "pain001.xml: payment 2026-09-000001, account_name has 141 characters; expected at \
                    most 140; hint: correct it where it was delivered (or the width of the profile) \
                    and settle the period again";
    refused(pay(&["pain001"]), &[], &long, expected);
    let long = [Paid { account: "1".repeat(35), ..paid(1, 1) }];
    let expected = expected.replace("account_name has 141", "account_no has 35");
    refused(pay(&["pain001"]), &[], &long, &expected.replace("most 140", "most 34"));
    let payer = Pay { bank_name: "行".repeat(141), ..pay(&["pain001"]) };
    let expected = "pain001.xml: [pay], bank_name has 141 characters; expected at most 140; hint: \
                    correct it where it was delivered (or the width of the profile) and settle the \
                    period again";
    refused(payer, &[], &[paid(1, 1)], expected);
    let none = [Paid { name: String::new(), ..paid(1, 1) }];
    let expected = "payment 2026-09-000001, account_name is empty; expected a value; hint: deliver it \
                    and settle the period again";
    for (file, word) in [("pain001.xml", "pain001"), ("voucher_8207_001.xml", "8207")] {
        refused(pay(&[word]), &[], &none, &format!("{file}: {expected}"));
    }
}

/// The envelope and the voucher inside, both read from GBK by this test.
fn opened(bytes: &[u8]) -> (String, Vec<(String, String)>) {
    let (text, _, wrong) = encoding_rs::GBK.decode(bytes);
    assert!(!wrong);
    let envelope = elements(text.replace("encoding=\"GBK\"", "").as_bytes());
    let base64 = &envelope.iter().find(|(path, _)| path == "MOF/VoucherBody/Voucher").unwrap().1;
    let inner = base64::engine::general_purpose::STANDARD.decode(base64).unwrap();
    let (inner, _, wrong) = encoding_rs::GBK.decode(&inner);
    assert!(!wrong);
    (text.into_owned(), elements(inner.replace("encoding=\"GBK\"", "").as_bytes()))
}

#[test]
fn a_voucher_has_every_field_of_its_type_in_order() {
    let payments = [paid(1, 100), paid(2, 2_050), Paid { hold: "account_invalid", ..paid(3, 9) }];
    let files = made(pay(&["8207"]), &[], &payments).unwrap();
    let (envelope, voucher) = opened(&files["voucher_8207_001.xml"].0);
    let body = "<VoucherBody AdmDivCode=\"999900\" StYear=\"2026\" VtCode=\"8207\" \
                VoucherNo=\"202609ABCDEF0001\">";
    assert!(envelope.contains(body), "{envelope}");
    let main: Vec<(&str, &str)> = voucher
        .iter()
        .filter_map(|(path, text)| Some((path.strip_prefix("Voucher/")?, text.as_str())))
        .filter(|(path, _)| !path.contains('/') && *path != "DetailList")
        .collect();
    let told = |field: &str| main.iter().find(|(of, _)| *of == field).unwrap().1;
    for (field, text) in [
        ("VoucherNo", "202609ABCDEF0001"),
        ("VouDate", "20261020"),
        ("OriginalVtCode", "5207"),
        ("OriginalVoucherNo", "202609ABCDEF0001"),
        ("FundTypeCode", "11"),
        ("SumAmt", "21.50"),
        ("AgencyName", "示例区卫健局"),
        ("PayAcctName", "示例区财政局"),
        ("PayTypeCode", "91"),
        ("PayTypeName", "实拨"),
        ("ExpFuncCode", "2080299"),
        ("XPayDate", ""),
        ("XSumAmt", ""),
    ] {
        assert_eq!(told(field), text, "{field}");
    }
    let details: Vec<(&str, &str)> = voucher
        .iter()
        .filter_map(|(path, text)| {
            Some((path.strip_prefix("Voucher/DetailList/Detail/")?, text.as_str()))
        })
        .collect();
    assert_eq!(details.len(), 2 * 19, "held payments are in no voucher");
    let second: BTreeMap<&str, &str> = details[19..].iter().copied().collect();
    for (field, text) in [
        ("Id", "2026-09-000002"),
        ("OriVoucherNo", "202609ABCDEF0001"),
        ("PayeeAcctNo", "622200000002"),
        ("PayeeAcctName", "示例2号园"),
        ("PayeeAcctBankName", "示例银行"),
        ("PayAmt", "20.50"),
        ("Remark", "托育补贴"),
        ("Hold1", "E2"),
        ("XPayAmt", ""),
        ("XAddWordCode", ""),
        ("ExpFuncCode", "2080299"),
    ] {
        assert_eq!(second[field], text, "{field}");
    }
    // The order of the fields is the treasury's.
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/tables/");
    let Ok(table) = fs::read_to_string(format!("{table}cn_treasury_voucher_fields.csv")) else {
        println!("skipped: no table of treasury fields beside this checkout");
        return;
    };
    let listed = |level: &str| -> Vec<&str> {
        let rows = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
        rows.filter(|row| row[0] == "8207" && row[2] == level).map(|row| row[3]).collect()
    };
    // What is also said on the envelope stands before the fields of the type.
    let fields: Vec<&str> = main.iter().map(|(field, _)| *field).collect();
    assert_eq!(fields[..3], ["AdmDivCode", "StYear", "VtCode"]);
    assert_eq!(fields[3..], listed("main"));
    let fields: Vec<&str> = details[..19].iter().map(|(field, _)| *field).collect();
    assert_eq!(fields, listed("detail"));
}

#[test]
fn a_voucher_keeps_every_character_of_gbk_and_refuses_the_others() {
    let ours: Vec<char> = (0x20..=0xFFFF_u32)
        .filter_map(char::from_u32)
        .filter(|c| !c.is_control() && TextEncoding::Gbk.encode(&c.to_string()).is_ok())
        .collect();
    let payments: Vec<Paid> = ours
        .chunks(100)
        .enumerate()
        .map(|(at, name)| Paid { name: name.iter().collect(), ..paid(at + 1, 1) })
        .collect();
    let files = made(pay(&["8207"]), &[], &payments).unwrap();
    let (_, voucher) = opened(&files["voucher_8207_001.xml"].0);
    let names = voucher.iter().filter(|(path, _)| path.ends_with("PayeeAcctName"));
    let names: Vec<&String> = names.map(|(_, text)| text).collect();
    assert_eq!(names, payments.iter().map(|of| &of.name).collect::<Vec<_>>());
    // Another reader of GBK reads the same names, and knows no character that we refuse.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("v.xml"), &files["voucher_8207_001.xml"].0).unwrap();
    let script = "import base64, re, sys, xml.etree.ElementTree as E\n\
        bare = lambda b: E.fromstring(re.sub('<[?].*?[?]>', '', b.decode('gbk'), 1))\n\
        body = bare(open(sys.argv[1], 'rb').read()).find('VoucherBody/Voucher').text\n\
        inner = bare(base64.b64decode(body))\n\
        said = [d.findtext('PayeeAcctName') for d in inner.iter('Detail')]\n\
        sys.stdout.buffer.write(chr(10).join(said).encode())\n\
        def known(c):\n    try: c.encode('gbk'); return True\n    except UnicodeError: return False\n\
        every = [chr(c) for c in range(0x20, 0x10000) if not 0xd800 <= c < 0xe000]\n\
        every = [c for c in every if known(c) and not 0x7f <= ord(c) < 0xa0]\n\
        sys.stdout.buffer.write((chr(10) * 2 + ''.join(every)).encode())\n";
    if let Some(said) = python(script, &[&folder.path().join("v.xml")]) {
        let (said, every) = said.split_once("\n\n").unwrap();
        assert_eq!(said.split('\n').collect::<Vec<_>>(), names);
        assert_eq!(every.chars().collect::<Vec<_>>(), ours);
    }
    for found in ['€', '𠮷', '㐀', '\u{E000}', '\u{FE10}'] {
        let code = u32::from(found);
        let one = [Paid { name: format!("{found}园"), ..paid(1, 1) }];
        let expected = format!(
            "voucher_8207_001.xml: payment 2026-09-000001, account_name has {found:?} (U+{code:04X}); \
             expected characters of GBK; {SETTLE_AGAIN}"
        );
        refused(pay(&["8207"]), &[], &one, &expected);
    }
}

/// A profile with every kind of field, separated.
const SEPARATED: &str = "kind = \"batch\"\nid = \"sep\"\ntitle = \"t\"\nseparator = \"|\"\n\
    rows_per_file = 2\namount_limit = \"1.00\"\nend_mark = \"##\"\n\
    file_name = \"{job}-{profile}-{period}-{date}-{part}of{parts}.txt\"\n\
    [[head]]\nvalue = \"P\"\n[[head]]\nfrom = \"count\"\n[[head]]\nfrom = \"total\"\nunit = \"fen\"\n\
    [[head]]\nfrom = \"batch_no\"\n\
    [[detail]]\nfrom = \"row\"\n[[detail]]\nfrom = \"account_name\"\nwidth = 20\n\
    [[detail]]\nfrom = \"amount\"\nunit = \"yuan\"\n[[detail]]\nfrom = \"source\"\n\
    codes = { \"区\" = \"4\" }\n[[detail]]\nfrom = \"pay_on\"\ndate = \"YYYY/MM/DD\"\n\
    [[tail]]\nfrom = \"part\"\n[[tail]]\nfrom = \"parts\"\n[[tail]]\nfrom = \"total\"\n\
    unit = \"yuan\"\npoint = false\n";

#[test]
fn a_batch_is_cut_by_rows_and_by_amount() {
    // 0.60 and 0.40 are 1.00, which is still allowed; 0.01 begins the next file, and with 1.00 it
    // would be 1.01; then two rows are a full file.
    let payments =
        [paid(1, 60), paid(2, 40), paid(3, 1), paid(4, 100), paid(5, 1), paid(6, 1), paid(7, 1)];
    let files = made(pay(&["sep"]), &[("sep", SEPARATED)], &payments).unwrap();
    let text = |part: usize| {
        let name = format!("monthly-sep-2026-09-20261020-{part:03}of005.txt");
        let (bytes, contents) = &files[&name];
        let (text, _, wrong) = encoding_rs::GBK.decode(bytes);
        assert!(!wrong);
        (text.into_owned(), contents.rows.unwrap(), contents.fen.unwrap())
    };
    assert_eq!(files.len(), 1 + 5, "{:?}", files.keys());
    let one = "P|2|100|202609ABCDEFB001\r\n1|示例1号园|0.60|4|2026/10/20\r\n\
               2|示例2号园|0.40|4|2026/10/20\r\n1|5|100\r\n##\r\n";
    assert_eq!(text(1), (one.to_owned(), 2, 100));
    let two = "P|1|1|202609ABCDEFB002\r\n1|示例3号园|0.01|4|2026/10/20\r\n2|5|1\r\n##\r\n";
    assert_eq!(text(2), (two.to_owned(), 1, 1));
    let rest: Vec<(u64, i64)> = (3..=5).map(|part| (text(part).1, text(part).2)).collect();
    assert_eq!(rest, [(1, 100), (2, 2), (1, 1)]);
}

#[test]
fn a_fixed_width_counts_bytes() {
    let profile = "kind = \"batch\"\nid = \"fix\"\ntitle = \"t\"\nline_end = \"lf\"\n\
        encoding = \"GB18030\"\nfile_name = \"fix.txt\"\n\
        [[detail]]\nfrom = \"account_name\"\nwidth = 10\n\
        [[detail]]\nfrom = \"amount\"\nunit = \"yuan\"\nwidth = 8\n\
        [[detail]]\nfrom = \"row\"\nwidth = 3\npad = \"*\"\nalign = \"left\"\n\
        [[detail]]\nvalue = \"\"\nwidth = 2\n[[detail]]\nfrom = \"project_code\"\nwidth = 5\n\
        align = \"right\"\n";
    // A character outside the first plane has four bytes in GB 18030.
    let payments = [
        Paid { name: "甲乙".to_owned(), ..paid(1, 12_345) },
        Paid { name: "𠮷a".to_owned(), line: None, ..paid(2, 5) },
    ];
    let files = made(pay(&["fix"]), &[("fix", profile)], &payments).unwrap();
    let bytes = &files["fix.txt"].0;
    let first = b"\xBC\xD7\xD2\xD2      00123.451**    P-1\n".as_slice();
    assert_eq!(&bytes[..first.len()], first);
    let second = &bytes[first.len()..];
    assert_eq!(second.len(), first.len());
    assert_eq!(&second[4..], b"a     00000.052**       \n");
    let (name, _, wrong) = encoding_rs::GB18030.decode(&second[..5]);
    assert_eq!((&*name, wrong), ("𠮷a", false));
}

#[test]
fn what_a_batch_cannot_say_is_an_error() {
    let sep = |payments: &[Paid], expected: &str| {
        refused(pay(&["sep"]), &[("sep", SEPARATED)], payments, expected);
    };
    sep(
        &[Paid { name: "甲|乙".to_owned(), ..paid(1, 1) }],
        "sep: payment 2026-09-000001, account_name is \"甲|乙\", which has the separator \"|\"; \
         expected a value without; hint: correct it where it was delivered, or choose another \
         separator",
    );
    sep(
        &[Paid { name: "甲\n乙".to_owned(), ..paid(1, 1) }],
        &format!(
            "sep: payment 2026-09-000001, account_name has '\\n' (U+000A); expected characters of one \
             line; {SETTLE_AGAIN}"
        ),
    );
    sep(
        &[Paid { name: "𠮷园".to_owned(), ..paid(1, 1) }],
        &format!(
            "sep: payment 2026-09-000001, account_name has '𠮷' (U+20BB7); expected characters of GBK; \
             {SETTLE_AGAIN}"
        ),
    );
    // Eleven characters are 22 bytes.
    sep(
        &[Paid { name: "一二三四五六七八九十廿".to_owned(), ..paid(1, 1) }],
        "sep: payment 2026-09-000001, account_name has 22 bytes; expected at most 20; hint: correct it \
         where it was delivered (or the width of the profile) and settle the period again",
    );
    sep(
        &[paid(1, 1), paid(2, 101)],
        "sep: payment 2026-09-000002 is 1.01 yuan; expected at most 1.00, the amount_limit of the \
         profile; hint: take the profile out of pay.files, or raise its amount_limit",
    );
    let required = SEPARATED.replace("width = 20", "width = 20\nrequired = true");
    refused(
        pay(&["sep"]),
        &[("sep", &required)],
        &[Paid { name: String::new(), ..paid(1, 1) }],
        "sep: payment 2026-09-000001, account_name is empty; expected a value; hint: deliver it and \
         settle the period again",
    );
    let same = SEPARATED
        .replace("{job}-{profile}-{period}-{date}-{part}of{parts}.txt", "HELD.csv")
        .replace("rows_per_file = 2\namount_limit = \"1.00\"\n", "");
    refused(
        pay(&["sep"]),
        &[("sep", &same)],
        &[paid(1, 1)],
        "two files are named HELD.csv; expected one each; hint: file_name of the profile",
    );
    refused(
        pay(&["sep"]),
        &[],
        &[paid(1, 1)],
        "pay.json: profile sep is not there; expected its text; hint: run the period again",
    );
}

#[test]
fn nothing_to_pay_makes_no_file_that_pays() {
    let files = ["pain001", "8207", "sep"];
    let held = [Paid { hold: "sanctioned", ..paid(1, 5) }];
    for (payments, contents) in [
        (&held[..], Contents { rows: Some(1), fen: Some(5) }),
        (&[], Contents { rows: Some(0), fen: Some(0) }),
    ] {
        let made = made(pay(&files), &[("sep", SEPARATED)], payments).unwrap();
        assert_eq!(made.keys().collect::<Vec<_>>(), ["held.csv"]);
        assert_eq!(made["held.csv"].1, contents);
    }
}

#[test]
fn amounts_are_exact_to_the_last_fen() {
    // The largest sum a file can say, and one more.
    let most = [paid(1, i64::MAX - 1), paid(2, 1)];
    let files = made(pay(&["8207"]), &[], &most).unwrap();
    let (_, voucher) = opened(&files["voucher_8207_001.xml"].0);
    let total = voucher.iter().find(|(path, _)| path == "Voucher/SumAmt").unwrap();
    assert_eq!(total.1, "92233720368547758.07");
    assert_eq!(Fen(i64::MAX).to_string(), total.1);
    let error = made(pay(&["8207"]), &[], &[paid(1, i64::MAX), paid(2, 1)]).unwrap_err();
    assert_eq!(error, BankError::Overflow);
}

#[test]
fn a_later_pay_file_says_that_it_is_later() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pay.json"), "{\"format\": 2, \"batches\": []}").unwrap();
    let error = PayFile::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("pay.json: format 2 is later than 1; expected"), "{error}");
}

#[test]
fn the_manual_tells_every_word_of_a_profile() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/pay.md");
    let text = fs::read_to_string(path).unwrap();
    let mut missing = String::new();
    let values = BatchValue::ALL.iter().map(|(word, _)| *word);
    let parts = AnswerPart::ALL.iter().map(|(word, _)| *word);
    let keys = "kind id title encoding line_end separator head detail tail end_mark rows_per_file \
                amount_limit file_name answer name from value width align pad codes date unit point \
                required skip control field status is";
    for word in values.chain(parts).chain(keys.split_whitespace()) {
        if !text.contains(&format!("`{word}`")) {
            let _ = write!(missing, " {word}");
        }
    }
    assert_eq!(missing, "", "tell them in docs/pay.md");
}
