//! The release folders of the sample district, read by others: every payment once, every fen.

use super::case::{Case, reference};
use super::outside::{elements, python, xmllint};
use crate::office::tuoyu;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tuoyu::domain::Fen;
use tuoyu::publish::{Manifest, PAY_FILE, PayFile, Profiles};

fn done(words: &[&str]) -> String {
    let (code, out, err) = tuoyu(words.iter().map(Into::into));
    assert!([0, 3].contains(&code), "{words:?}: {code}\n{err}");
    out
}

/// Every file of a folder.
fn bytes_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read(path).unwrap())
    };
    entries.map(named).collect()
}

/// Reads every file of a release as somebody else would: the standard library of Python.
const READER: &str = r"
import base64, csv, glob, os, re, sys, xml.etree.ElementTree as E
d = sys.argv[1]
rows = list(csv.DictReader(open(os.path.join(d, 'payments.csv'), encoding='utf-8')))
due = {r['end_to_end_id']: r for r in rows if not r['hold_reason']}
held = {r['end_to_end_id'] for r in rows if r['hold_reason']}
fen = lambda text: int(text.replace('.', '')) if re.fullmatch(r'\d+\.\d\d', text) else 1 / 0
total = sum(int(r['amount_fen']) for r in due.values())
assert due and held and total > 0
kept = list(csv.DictReader(open(os.path.join(d, 'held.csv'), encoding='utf-8')))
assert {r['end_to_end_id'] for r in kept} == held and all(r['hold_reason'] for r in kept)
def same(found):
    found = sorted(found)
    assert found == sorted((i, int(r['amount_fen'])) for i, r in due.items()), found[:3]
ns = {'p': 'urn:iso:std:iso:20022:tech:xsd:pain.001.001.09'}
root = E.parse(os.path.join(d, 'pain001.xml')).getroot()
head = root.find('.//p:GrpHdr', ns)
assert head.findtext('p:NbOfTxs', None, ns) == str(len(due))
assert fen(head.findtext('p:CtrlSum', None, ns)) == total
same((t.findtext('p:PmtId/p:EndToEndId', None, ns), fen(t.findtext('p:Amt/p:InstdAmt', None, ns)))
     for t in root.iterfind('.//p:CdtTrfTxInf', ns))
found, numbers = [], []
for file in sorted(glob.glob(os.path.join(d, 'voucher_8207_*.xml'))):
    bare = lambda b: E.fromstring(re.sub('<[?].*?[?]>', '', b.decode('gbk'), count=1))
    body = bare(open(file, 'rb').read()).find('VoucherBody')
    inner = bare(base64.b64decode(body.findtext('Voucher')))
    details = list(inner.iter('Detail'))
    assert fen(inner.findtext('SumAmt')) == sum(fen(x.findtext('PayAmt')) for x in details)
    assert {x.findtext('OriVoucherNo') for x in details} == {body.get('VoucherNo')}
    for x in details:
        r = due[x.findtext('Hold1')]
        assert (x.findtext('Id'), x.findtext('PayeeAcctNo'), x.findtext('PayeeAcctName')) == \
            (r['payment_no'], r['account_no'], r['account_name'])
        found.append((x.findtext('Hold1'), fen(x.findtext('PayAmt'))))
    numbers.append(body.get('VoucherNo'))
same(found)
assert len(set(numbers)) == len(numbers) > 1
[file] = glob.glob(os.path.join(d, 'pipe_batch_*.txt'))
lines = open(file, 'rb').read().decode('gbk').split('\r\n')
assert lines[0] == f'P|{len(due)}|{total}' and lines[-2:] == ['########', '']
cells = [line.split('|') for line in lines[1:-2]]
assert {len(c) for c in cells} == {9}
same((c[6], int(c[5])) for c in cells)
[file] = glob.glob(os.path.join(d, 'payroll_*.txt'))
lines = open(file, 'rb').read().split(b'\n')
assert lines.pop() == b'' and {len(line) for line in lines} == {327}
found = []
for line in lines:
    at, cut = 0, []
    for width in [6, 16, 32, 80, 12, 15, 3, 8, 35, 120]:
        cut.append(line[at:at + width].decode('gbk'))
        at += width
    r = due[cut[8].strip()]
    assert (cut[2].rstrip(), cut[3].rstrip(), cut[4]) == \
        (r['account_no'], r['account_name'], r['bank_no'])
    assert (cut[6], cut[7]) == ('156', r['pay_on'].replace('-', ''))
    found.append((cut[8].strip(), int(cut[5])))
same(found)
print(len(due), total)
";

#[test]
fn every_payment_of_the_sample_goes_out_once_in_each_file() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    let ledger = place("l.db");
    for month in ["2026-08", "2026-09"] {
        let run = place(month);
        let job = "jobs/monthly.toml";
        done(&["run", job, "--period", month, "--out", &run, "--ledger", &ledger]);
        done(&["approve", &run, "--by", "李四", "--ledger", &ledger]);
        let at = "2026-10-12T09:30:00+08:00";
        done(&["release", &run, "--by", "王五", "--at", at, "--ledger", &ledger]);
        let release = folder.path().join(format!("{month}.release"));
        let files = bytes_of(&release);
        xmllint(&files["pain001.xml"]);
        // Our own count of what is due, from the payments alone.
        let mut rows = csv::Reader::from_reader(&files["payments.csv"][..]);
        let (mut count, mut total) = (0_u64, 0_i64);
        for row in rows.deserialize::<BTreeMap<String, String>>() {
            let row = row.unwrap();
            if row["hold_reason"].is_empty() {
                count += 1;
                total += row["amount_fen"].parse::<i64>().unwrap();
            }
        }
        let told = elements(&files["pain001.xml"]);
        let head = |field: &str| {
            let path = format!("Document/CstmrCdtTrfInitn/GrpHdr/{field}");
            told.iter().find(|(of, _)| *of == path).unwrap().1.clone()
        };
        assert_eq!(head("NbOfTxs"), count.to_string());
        assert_eq!(head("CtrlSum"), Fen(total).to_string());
        assert_eq!(head("CreDtTm"), at);
        if let Some(said) = python(READER, &[&release]) {
            assert_eq!(said.trim(), format!("{count} {total}"));
        }
        let seal: Value = serde_json::from_slice(&files["release.json"]).unwrap();
        let listed = seal["outputs"].as_array().unwrap().iter();
        let pays = |file: &&Value| {
            let name = file["file"].as_str().unwrap();
            name == "pain001.xml" || name.starts_with("pipe") || name.starts_with("payroll")
        };
        let sums: Vec<&Value> = listed.filter(pays).map(|file| &file["fen"]).collect();
        assert_eq!(sums, [total, total, total]);
        // Lost, or changed in one byte: written again, the same.
        fs::remove_dir_all(&release).unwrap();
        done(&["release", &run, "--by", "王五", "--ledger", &ledger]);
        assert_eq!(bytes_of(&release), files);
        fs::write(release.join("pain001.xml"), "x").unwrap();
        done(&["release", &run, "--by", "王五", "--ledger", &ledger]);
        assert_eq!(bytes_of(&release), files);
    }
    // The archive alone gives the run folder again, pay.json among its files.
    let run = place("2026-09");
    let again = place("again");
    let told = done(&["audit", "rerun", &run, "--ledger", &ledger, "--out", &again, "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["differences"], Value::Array(Vec::new()));
    assert_eq!(told["found_run_id"], told["run_id"]);
    let [first, second] = [&run, &again].map(|of| bytes_of(Path::new(of)));
    assert!(first.contains_key("pay.json"));
    assert_eq!(first, second);
}

#[test]
fn a_release_that_cannot_be_written_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).display().to_string();
    // The sample's job with a profile that no account of 16 digits fits.
    let reference = folder.path().join("reference");
    for sub in ["calendars", "keys", "profiles"] {
        fs::create_dir_all(reference.join(sub)).unwrap();
        for entry in fs::read_dir(Path::new("data/reference").join(sub)).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, reference.join(sub).join(path.file_name().unwrap())).unwrap();
        }
    }
    let profile = reference.join("profiles/payroll.toml");
    let text = fs::read_to_string(&profile).unwrap();
    fs::write(&profile, text.replacen("width = 32", "width = 15", 1)).unwrap();
    let job = fs::read_to_string("jobs/monthly.toml").unwrap();
    let named = format!("reference = {:?}", reference.display().to_string());
    fs::write(
        folder.path().join("job.toml"),
        job.replace("reference = \"data/reference\"", &named),
    )
    .unwrap();
    let (job, run, ledger) = (place("job.toml"), place("run"), place("l.db"));
    done(&["run", &job, "--period", "2026-08", "--out", &run, "--ledger", &ledger]);
    done(&["approve", &run, "--by", "李四", "--ledger", &ledger]);
    let words = ["release", &run, "--by", "王五", "--ledger", &ledger, "--lang", "en"];
    let (code, out, err) = tuoyu(words.iter().map(Into::into));
    assert_eq!((code, &*out), (1, ""));
    let want = "payroll: payment 2026-08-000001, account_no has 16 bytes; expected at most 15";
    assert!(err.contains(want), "{err}");
    assert!(!folder.path().join("run.release").exists());
    let state = done(&["audit", "verify", &run, "--ledger", &ledger, "--lang", "en"]);
    assert!(state.contains("2 events"), "posted and approved, not released: {state}");
}

#[test]
fn a_run_folder_tells_what_a_release_needs() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case::new();
    let out = folder.path().join("plain");
    case.publish(&out).unwrap();
    assert!(!out.join(PAY_FILE).exists());
    assert_eq!(PayFile::read(&out).unwrap(), None);

    let toml = "files = [\"payroll\"]\naccount_name = \"财政局\"\naccount_no = \"1\"\n\
                bank_name = \"银行\"\nbank_no = \"102521000335\"\nagency_code = \"\"\n\
                agency_name = \"\"\ndivision_code = \"\"\npay_bank_code = \"\"\n\
                pay_type_code = \"91\"\noriginal_vt_code = \"5207\"\nbusiness_type_code = \"\"\n\
                purpose = \"补贴\"\n";
    case.job.pay = Some(toml::from_str(toml).unwrap());
    case.profiles = Profiles::load(&reference(), None, case.job.pay.as_ref()).unwrap();
    let out = folder.path().join("pays");
    case.publish(&out).unwrap();
    let told = PayFile::read(&out).unwrap().unwrap();
    assert_eq!((Some(&told.pay), &*told.currency), (case.job.pay.as_ref(), "CNY"));
    let profile = fs::read_to_string(reference().join("profiles/payroll.toml")).unwrap();
    assert_eq!(told.profiles, BTreeMap::from([("payroll".to_owned(), profile)]));
    // Payments 1 and 3 are of the first budget line, 2 and 4 of the second; 1 and 2 are B's.
    let of: Vec<(&str, &str, Option<usize>)> = told
        .payments
        .iter()
        .map(|(no, of)| (no.as_str(), &*of.institution_name, of.budget_line))
        .collect();
    let (a, b) = ("甲托育", "乙幼儿园,\"二\"部");
    assert_eq!(
        of,
        [
            ("2026-09-000001", b, Some(0)),
            ("2026-09-000002", b, Some(1)),
            ("2026-09-000003", a, Some(0)),
            ("2026-09-000004", a, Some(1)),
        ]
    );
    let manifest = Manifest::read(&out).unwrap();
    assert!(manifest.outputs.iter().any(|file| file.file == PAY_FILE), "sealed with the run");

    for (unit, code) in [("twd", Some("TWD")), ("yuan", Some("CNY")), ("points", None)] {
        case.pack.currency = unit.into();
        let made = PayFile::of(&case.publication());
        match code {
            Some(code) => assert_eq!(made.unwrap().unwrap().currency, code),
            None => assert_eq!(
                made.unwrap_err().to_string(),
                "[pay]: the packs count in \"points\"; expected yuan or a currency code of three \
                 letters; hint: currency in pack.toml"
            ),
        }
    }
    // Half a file, and one of a later format.
    let text = fs::read_to_string(out.join(PAY_FILE)).unwrap();
    for (text, part) in [
        (text[..100].to_owned(), "pay.json: EOF while parsing"),
        (text.replacen("\"format\": 1", "\"format\": 2", 1), "format 2 is later than 1"),
    ] {
        fs::write(out.join(PAY_FILE), text).unwrap();
        let said = PayFile::read(&out).unwrap_err().to_string();
        assert!(said.contains(part) && said.contains("hint: run the period again"), "{said}");
    }
}
