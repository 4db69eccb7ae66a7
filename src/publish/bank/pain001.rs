//! `pain001.xml`: the payments as ISO 20022 `pain.001.001.09`, one block for each budget line and pay
//! date (FORMATS 3.5).

use super::error::BankError;
use super::xml::{Tree, checked, plain};
use super::{BankFile, Due, Place, Release, contents};
use crate::domain::{beijing_time, check_uscc};
use crate::schedule::message_id;

const NAME: &str = "pain001.xml";
const SPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";

/// Lengths of the schema, in characters.
const TEXT_140: usize = 140;
const TEXT_35: usize = 35;
const TEXT_34: usize = 34;

/// The file; there is at least one payment.
pub(super) fn file(release: &Release<'_>) -> Result<BankFile, BankError> {
    let pay = &release.out.pay.pay;
    let of_payer = |field: &str| Place { payment: None, field: field.to_owned() };
    let payer = checked(NAME, &pay.account_name, TEXT_140, || of_payer("account_name"))?;
    let asks = if pay.agency_name.is_empty() { payer } else { &*pay.agency_name };
    let asks = checked(NAME, asks, TEXT_140, || of_payer("agency_name"))?;
    let account = checked(NAME, &pay.account_no, TEXT_34, || of_payer("account_no"))?;
    let bank_no = checked(NAME, &pay.bank_no, TEXT_35, || of_payer("bank_no"))?;
    if !pay.bank_name.is_empty() {
        checked(NAME, &pay.bank_name, TEXT_140, || of_payer("bank_name"))?;
    }
    plain(NAME, &pay.purpose, &|| of_payer("purpose"))?;
    // Only this text may be cut: it names nobody and no account.
    let purpose: String = pay.purpose.chars().take(TEXT_140).collect();
    let at = beijing_time(release.out.at)
        .ok_or_else(|| BankError::Moment { found: release.out.at.to_owned() })?;
    let mut tree = Tree::new("UTF-8");
    tree.open_with("Document", &[("xmlns", SPACE)]);
    tree.open("CstmrCdtTrfInitn");
    tree.open("GrpHdr");
    tree.leaf("MsgId", message_id(release.out.run_id));
    tree.leaf("CreDtTm", &at);
    tree.leaf("NbOfTxs", &release.dues.len().to_string());
    tree.leaf("CtrlSum", &release.total.to_string());
    tree.path(&["InitgPty", "Nm"], asks);
    tree.close("GrpHdr");
    for batch in &release.batches {
        tree.open("PmtInf");
        tree.leaf("PmtInfId", &batch.number);
        tree.leaf("PmtMtd", "TRF");
        tree.leaf("BtchBookg", "true");
        tree.leaf("NbOfTxs", &batch.dues.len().to_string());
        tree.leaf("CtrlSum", &batch.total.to_string());
        tree.path(&["PmtTpInf", "CtgyPurp", "Cd"], "GOVT");
        tree.path(&["ReqdExctnDt", "Dt"], &batch.pay_on.to_string());
        tree.path(&["Dbtr", "Nm"], payer);
        tree.open("DbtrAcct");
        tree.path(&["Id", "Othr", "Id"], account);
        tree.leaf("Ccy", &release.out.pay.currency);
        tree.close("DbtrAcct");
        agent(&mut tree, "DbtrAgt", bank_no, &pay.bank_name);
        for due in &batch.dues {
            transfer(&mut tree, due, &release.out.pay.currency, &purpose)?;
        }
        tree.close("PmtInf");
    }
    tree.close("CstmrCdtTrfInitn");
    tree.close("Document");
    let contents = contents(release.dues.len(), release.total);
    Ok((NAME.to_owned(), tree.text().into_bytes(), contents))
}

fn transfer(
    tree: &mut Tree,
    due: &Due<'_>,
    currency: &str,
    purpose: &str,
) -> Result<(), BankError> {
    let row = &due.row;
    let text = |field: &str, text, most| checked(NAME, text, most, || due.place(field)).map(drop);
    text("end_to_end_id", &row.end_to_end_id, TEXT_35)?;
    text("payment_no", &row.payment_no, TEXT_35)?;
    text("account_name", &row.account_name, TEXT_140)?;
    text("account_no", &row.account_no, TEXT_34)?;
    text("bank_no", &row.bank_no, TEXT_35)?;
    if !row.bank_name.is_empty() {
        text("bank_name", &row.bank_name, TEXT_140)?;
    }
    tree.open("CdtTrfTxInf");
    tree.open("PmtId");
    tree.leaf("InstrId", &row.payment_no);
    tree.leaf("EndToEndId", &row.end_to_end_id);
    tree.close("PmtId");
    tree.open("Amt");
    tree.leaf_with("InstdAmt", &[("Ccy", currency)], &due.amount.to_string());
    tree.close("Amt");
    agent(tree, "CdtrAgt", &row.bank_no, &row.bank_name);
    tree.open("Cdtr");
    tree.leaf("Nm", &row.account_name);
    // A number that is no credit code does not go out as one.
    if check_uscc(&row.institution_id).is_ok_and(|code| code == row.institution_id) {
        tree.open("Id");
        tree.open("OrgId");
        tree.open("Othr");
        tree.leaf("Id", &row.institution_id);
        tree.path(&["SchmeNm", "Prtry"], "USCC");
        tree.close("Othr");
        tree.close("OrgId");
        tree.close("Id");
    }
    tree.close("Cdtr");
    tree.path(&["CdtrAcct", "Id", "Othr", "Id"], &row.account_no);
    if !purpose.is_empty() {
        tree.path(&["RmtInf", "Ustrd"], purpose);
    }
    tree.close("CdtTrfTxInf");
    Ok(())
}

/// A bank by its 联行号, and its name where it is known.
fn agent(tree: &mut Tree, element: &str, bank_no: &str, bank_name: &str) {
    tree.open(element);
    tree.open("FinInstnId");
    tree.open("ClrSysMmbId");
    tree.path(&["ClrSysId", "Cd"], "CNAPS");
    tree.leaf("MmbId", bank_no);
    tree.close("ClrSysMmbId");
    if !bank_name.is_empty() {
        tree.leaf("Nm", bank_name);
    }
    tree.close("FinInstnId");
    tree.close(element);
}
