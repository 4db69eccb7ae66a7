//! `voucher_8207_NNN.xml`: 8207 批量业务支付明细 for the treasury, one for each budget line and pay date
//! (FORMATS 3.3). The voucher stands unsigned in its envelope; signing is another system's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::BankError;
use super::xml::{Tree, plain};
use super::{BankFile, Batch, Place, Release, contents};
use crate::domain::Date;
use crate::job::{DatePattern, TextEncoding};

const TYPE: &str = "8207";

/// What an answer fills in; a request has them empty.
const DETAIL_ANSWERS: [&str; 7] = [
    "XPayDate",
    "XAgentBusinessNo",
    "XPayAmt",
    "XPayeeAcctBankName",
    "XPayeeAcctNo",
    "XAddWordCode",
    "XAddWord",
];

/// The files, in order of pay date and budget line.
pub(super) fn files(release: &Release<'_>) -> Result<Vec<BankFile>, BankError> {
    let file = |(at, batch): (usize, &Batch<'_>)| {
        let name = format!("voucher_8207_{:03}.xml", at + 1);
        let bytes = envelope(&name, release, batch)?;
        Ok((name, bytes, contents(batch.dues.len(), batch.total)))
    };
    release.batches.iter().enumerate().map(file).collect()
}

fn compact(date: Date) -> String {
    DatePattern::default().write(date)
}

/// The bytes of a text in GBK; a character it does not have is an error, never another character.
fn gbk(file: &str, text: &str, place: impl Fn() -> Place) -> Result<Vec<u8>, BankError> {
    TextEncoding::Gbk.encode(text).map_err(|found| BankError::Character {
        file: file.to_owned(),
        place: place(),
        found,
        of: TextEncoding::Gbk.word(),
    })
}

fn envelope(file: &str, release: &Release<'_>, batch: &Batch<'_>) -> Result<Vec<u8>, BankError> {
    let whole = || Place { payment: None, field: "voucher".to_owned() };
    let inner = gbk(file, &voucher(file, release, batch)?, whole)?;
    let pay = &release.out.pay.pay;
    let mut tree = Tree::new("GBK");
    tree.open("MOF");
    tree.leaf("VoucherCount", "1");
    tree.open_with(
        "VoucherBody",
        &[
            ("AdmDivCode", &pay.division_code),
            ("StYear", &year(release, batch)),
            ("VtCode", TYPE),
            ("VoucherNo", &batch.number),
        ],
    );
    // 0 is a voucher sent, 1 an answer.
    tree.leaf("VoucherFlag", "0");
    tree.leaf("Return_Reason", "");
    tree.leaf("Attach", "");
    tree.leaf("Voucher", &STANDARD.encode(inner));
    tree.close("VoucherBody");
    tree.close("MOF");
    gbk(file, &tree.text(), whole)
}

/// Fiscal year of the money, else of the release.
fn year(release: &Release<'_>, batch: &Batch<'_>) -> String {
    batch.line.map_or_else(|| release.day.ymd().0, |line| line.fiscal_year).to_string()
}

/// The voucher itself: every field of its type, those nobody fills yet empty.
fn voucher(file: &str, release: &Release<'_>, batch: &Batch<'_>) -> Result<String, BankError> {
    let pay = &release.out.pay.pay;
    let way = match pay.pay_type_code.as_str() {
        "11" => "直接支付",
        "12" => "授权支付",
        "91" => "实拨",
        _ => "",
    };
    let (fund_type, function) =
        batch.line.map_or(("", ""), |line| (&*line.fund_type_code, &*line.exp_func_code));
    let (day, year, total) = (compact(release.day), year(release, batch), batch.total.to_string());
    let main: [(&str, &str); 31] = [
        ("AdmDivCode", &pay.division_code),
        ("StYear", &year),
        ("VtCode", TYPE),
        ("VoucherNo", &batch.number),
        ("VouDate", &day),
        ("OriginalVtCode", &pay.original_vt_code),
        ("OriginalVoucherNo", &batch.number),
        ("FundTypeCode", fund_type),
        ("FundTypeName", ""),
        ("PayDictateNo", ""),
        ("PayMsgNo", ""),
        ("PayEntrustDate", ""),
        ("PaySndBnkNo", ""),
        ("SumAmt", &total),
        ("AgencyCode", &pay.agency_code),
        ("AgencyName", &pay.agency_name),
        ("PayAcctNo", &pay.account_no),
        ("PayAcctName", &pay.account_name),
        ("PayAcctBankName", &pay.bank_name),
        ("PayBankCode", &pay.pay_bank_code),
        ("PayBankName", ""),
        ("BusinessTypeCode", &pay.business_type_code),
        ("BusinessTypeName", ""),
        ("PayTypeCode", &pay.pay_type_code),
        ("PayTypeName", way),
        ("XPayDate", ""),
        ("XSumAmt", ""),
        ("ExpFuncCode", function),
        ("ExpFuncName", ""),
        ("Remark", &pay.purpose),
        ("Hold1", ""),
    ];
    let mut tree = Tree::new("GBK");
    tree.open("Voucher");
    for (field, text) in main {
        let place = || Place { payment: None, field: field.to_owned() };
        plain(file, text, &place)?;
        gbk(file, text, place)?;
        tree.leaf(field, text);
    }
    tree.open("DetailList");
    for due in &batch.dues {
        let row = &due.row;
        for (field, text) in [
            ("account_no", &row.account_no),
            ("account_name", &row.account_name),
            ("bank_name", &row.bank_name),
        ] {
            if text.is_empty() {
                let place = due.place(field);
                return Err(BankError::Empty { file: file.to_owned(), place });
            }
            plain(file, text, &|| due.place(field))?;
            gbk(file, text, || due.place(field))?;
        }
        tree.open("Detail");
        tree.leaf("Id", &row.payment_no);
        tree.leaf("OriVoucherNo", &batch.number);
        tree.leaf("PayeeAcctNo", &row.account_no);
        tree.leaf("PayeeAcctName", &row.account_name);
        tree.leaf("PayeeAcctBankName", &row.bank_name);
        tree.leaf("PayAmt", &due.amount.to_string());
        tree.leaf("Remark", &pay.purpose);
        for field in DETAIL_ANSWERS {
            tree.leaf(field, "");
        }
        // Comes back in the answer as it is.
        tree.leaf("Hold1", &row.end_to_end_id);
        for field in ["Hold2", "Hold3", "Hold4"] {
            tree.leaf(field, "");
        }
        tree.leaf("ExpFuncCode", function);
        tree.close("Detail");
    }
    tree.close("DetailList");
    tree.close("Voucher");
    Ok(tree.text())
}
