//! Messages as banks and the treasury write them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;

/// Yuan with two decimals.
pub(super) fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.abs() / 100, fen.abs() % 100)
}

fn leaf(name: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("<{name}>{text}</{name}>") }
}

/// One status of a pain.002.
#[derive(Debug, Clone)]
pub(super) struct Status {
    pub(super) end_to_end_id: String,
    pub(super) word: &'static str,
    pub(super) code: String,
    pub(super) day: String,
}

/// A pain.002 on a message of ours.
pub(super) fn pain002(message_id: &str, original: &str, of: &[Status]) -> String {
    let one = |of: &Status| {
        let why = if of.code.is_empty() {
            String::new()
        } else {
            format!("<StsRsnInf><Rsn><Cd>{}</Cd></Rsn></StsRsnInf>", of.code)
        };
        format!(
            "<TxInfAndSts><OrgnlEndToEndId>{}</OrgnlEndToEndId><TxSts>{}</TxSts>{why}\
             <AccptncDtTm>{}T10:00:00</AccptncDtTm></TxInfAndSts>",
            of.end_to_end_id, of.word, of.day
        )
    };
    let all: String = of.iter().map(one).collect();
    report(message_id, original, "", &format!("<OrgnlPmtInfAndSts>{all}</OrgnlPmtInfAndSts>"))
}

/// A pain.002 with statuses of any level: of the whole message, and what stands below it.
pub(super) fn report(message_id: &str, original: &str, group: &str, below: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>\
         <GrpHdr><MsgId>{message_id}</MsgId></GrpHdr><OrgnlGrpInfAndSts>\
         <OrgnlMsgId>{original}</OrgnlMsgId>{}</OrgnlGrpInfAndSts>{below}</CstmrPmtStsRpt></Document>",
        leaf("GrpSts", group)
    )
}

/// One booking on our account, with one payment in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    pub(super) credit: bool,
    pub(super) fen: i64,
    pub(super) day: String,
    pub(super) bank_ref: String,
    pub(super) end_to_end_id: String,
    /// Account of the other side.
    pub(super) account: String,
    /// Reason of a return; empty: none is told.
    pub(super) code: String,
    /// What stands in place of the detail.
    pub(super) details: Option<String>,
}

impl Entry {
    fn text(&self) -> String {
        let of = if self.credit { "CRDT" } else { "DBIT" };
        let party = if self.credit { "DbtrAcct" } else { "CdtrAcct" };
        let why = if self.code.is_empty() {
            String::new()
        } else {
            format!("<RtrInf><Rsn><Cd>{}</Cd></Rsn></RtrInf>", self.code)
        };
        let id = if self.end_to_end_id.is_empty() { "NOTPROVIDED" } else { &self.end_to_end_id };
        let detail = format!(
            "<TxDtls><Refs><EndToEndId>{id}</EndToEndId></Refs>\
             <RltdPties><{party}><Id><Othr><Id>{}</Id></Othr></Id></{party}></RltdPties>{why}</TxDtls>",
            self.account
        );
        format!(
            "<Ntry><Amt Ccy=\"CNY\">{}</Amt><CdtDbtInd>{of}</CdtDbtInd><Sts>BOOK</Sts>\
             <BookgDt><Dt>{}</Dt></BookgDt>{}<NtryDtls>{}</NtryDtls></Ntry>",
            yuan(self.fen),
            self.day,
            leaf("AcctSvcrRef", &self.bank_ref),
            self.details.as_ref().unwrap_or(&detail)
        )
    }

    const fn signed(&self) -> i64 {
        if self.credit { self.fen } else { -self.fen }
    }
}

fn balance(code: &str, fen: i64) -> String {
    let of = if fen < 0 { "DBIT" } else { "CRDT" };
    format!(
        "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"CNY\">{}</Amt>\
         <CdtDbtInd>{of}</CdtDbtInd></Bal>",
        yuan(fen.abs())
    )
}

/// A camt.053 of an account whose balance was `opening`; gives the closing balance too.
pub(super) fn camt053(id: &str, account: &str, opening: i64, entries: &[Entry]) -> (String, i64) {
    let closing = opening + entries.iter().map(Entry::signed).sum::<i64>();
    let balances = balance("OPBD", opening) + &balance("CLBD", closing);
    (camt("53", id, account, &balances, entries), closing)
}

/// A camt.053 whose closing balance is whatever is said.
pub(super) fn camt053_closing(id: &str, opening: i64, closing: i64, entries: &[Entry]) -> String {
    let balances = balance("OPBD", opening) + &balance("CLBD", closing);
    camt("53", id, super::desk::OURS, &balances, entries)
}

/// A camt.054.
pub(super) fn camt054(id: &str, entries: &[Entry]) -> String {
    camt("54", id, super::desk::OURS, "", entries)
}

fn camt(kind: &str, id: &str, account: &str, balances: &str, entries: &[Entry]) -> String {
    let (root, part) =
        if kind == "53" { ("BkToCstmrStmt", "Stmt") } else { ("BkToCstmrDbtCdtNtfctn", "Ntfctn") };
    let entries: String = entries.iter().map(Entry::text).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.0{kind}.001.08\"><{root}>\
         <GrpHdr><MsgId>{id}</MsgId></GrpHdr><{part}><Id>{id}</Id>\
         <Acct><Id><Othr><Id>{account}</Id></Othr></Id><Ccy>CNY</Ccy></Acct>{balances}{entries}\
         </{part}></{root}></Document>"
    )
}

/// One detail of a voucher, asked and answered.
#[derive(Debug, Clone, Default)]
pub(super) struct Detail {
    pub(super) id: String,
    pub(super) account: String,
    pub(super) asked: i64,
    /// `XPayAmt`; nothing where it is not answered.
    pub(super) paid: Option<i64>,
    pub(super) bank_ref: String,
    pub(super) paid_account: String,
    pub(super) code: String,
    pub(super) day: String,
    pub(super) hold: String,
}

/// An 8207 filled in, in GBK and base64; `original` is the voucher it answers.
pub(super) fn voucher(number: &str, original: &str, of: &[Detail]) -> Vec<u8> {
    let detail = |of: &Detail| {
        format!(
            "<Detail><Id>{}</Id><OriVoucherNo>{original}</OriVoucherNo><PayeeAcctNo>{}</PayeeAcctNo>\
             <PayAmt>{}</PayAmt><XPayDate>{}</XPayDate><XAgentBusinessNo>{}</XAgentBusinessNo>\
             <XPayAmt>{}</XPayAmt><XPayeeAcctNo>{}</XPayeeAcctNo><XAddWordCode>{}</XAddWordCode>\
             <XAddWord>{}</XAddWord><Hold1>{}</Hold1></Detail>",
            of.id,
            of.account,
            yuan(of.asked),
            of.day.replace('-', ""),
            of.bank_ref,
            of.paid.map(yuan).unwrap_or_default(),
            of.paid_account,
            of.code,
            if of.code.is_empty() { "" } else { "账号不符" },
            of.hold
        )
    };
    let details: String = of.iter().map(detail).collect();
    let (asked, paid) =
        of.iter().fold((0, 0), |(asked, paid), of| (asked + of.asked, paid + of.paid.unwrap_or(0)));
    packed(
        "8207",
        number,
        &format!(
            "<OriginalVtCode>5207</OriginalVtCode><OriginalVoucherNo>{original}</OriginalVoucherNo>\
             <SumAmt>{}</SumAmt><XSumAmt>{}</XSumAmt><DetailList>{details}</DetailList>",
            yuan(asked),
            yuan(paid)
        ),
    )
}

/// A 2252 that gives money back: id, account, fen and what is held of each.
pub(super) fn refund(number: &str, original: &str, day: &str, of: &[Detail]) -> Vec<u8> {
    let detail = |of: &Detail| {
        format!(
            "<Detail><Id>{}</Id><VoucherBillId>{}</VoucherBillId><PayeeAcctNo>{}</PayeeAcctNo>\
             <PayAmt>{}</PayAmt><Remark>退回</Remark><Hold1>{}</Hold1></Detail>",
            of.id,
            of.bank_ref,
            of.account,
            yuan(-of.asked),
            of.hold
        )
    };
    let details: String = of.iter().map(detail).collect();
    let sum: i64 = of.iter().map(|of| of.asked).sum();
    packed(
        "2252",
        number,
        &format!(
            "<OriginalVoucherNo>{original}</OriginalVoucherNo><PayAmt>{}</PayAmt>\
             <PayDate>{day}</PayDate><DetailList>{details}</DetailList>",
            yuan(-sum)
        ),
    )
}

fn gbk(text: &str) -> Vec<u8> {
    let (bytes, _, broken) = encoding_rs::GBK.encode(text);
    assert!(!broken, "{text}");
    bytes.into_owned()
}

fn packed(kind: &str, number: &str, fields: &str) -> Vec<u8> {
    let inner = format!(
        "<?xml version=\"1.0\" encoding=\"GBK\"?><Voucher><VtCode>{kind}</VtCode>\
         <VoucherNo>{number}</VoucherNo><VouDate>20261012</VouDate>{fields}</Voucher>"
    );
    gbk(&format!(
        "<?xml version=\"1.0\" encoding=\"GBK\"?><MOF><VoucherCount>1</VoucherCount>\
         <VoucherBody VtCode=\"{kind}\" VoucherNo=\"{number}\"><VoucherFlag>1</VoucherFlag>\
         <Voucher>{}</Voucher></VoucherBody></MOF>",
        STANDARD.encode(gbk(&inner))
    ))
}

/// One row of a table or of a batch text.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) end_to_end_id: String,
    pub(super) payment_no: String,
    pub(super) account: String,
    pub(super) said: &'static str,
    pub(super) fen: i64,
    pub(super) code: String,
    pub(super) day: String,
    pub(super) bank_ref: String,
}

/// A CSV file of answers.
pub(super) fn table(of: &[Line]) -> String {
    let mut text =
        "end_to_end_id,payment_no,account_no,status,amount,reason_code,date,bank_ref\n".to_owned();
    for of in of {
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{}",
            of.end_to_end_id,
            of.payment_no,
            of.account,
            of.said,
            yuan(of.fen),
            of.code,
            of.day,
            of.bank_ref
        );
    }
    text
}

/// The answer to a batch text with separators.
pub(super) fn pipe(of: &[Line]) -> Vec<u8> {
    let total: i64 = of.iter().map(|of| of.fen).sum();
    let mut text = format!("P|{}|{total}\r\n", of.len());
    for (at, of) in of.iter().enumerate() {
        let status = match of.said {
            "paid" => "0",
            "rejected" => "1",
            "returned" => "2",
            _ => "9",
        };
        let _ = write!(
            text,
            "{}|{}|户名|{}|{}|{}|{status}|{}|原因|{}|{}\r\n",
            at + 1,
            of.account,
            of.fen,
            of.end_to_end_id,
            of.payment_no,
            of.code,
            of.bank_ref,
            of.day.replace('-', "")
        );
    }
    gbk(&(text + "########\r\n"))
}
