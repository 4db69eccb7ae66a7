//! Answers in XML of ISO 20022, written by hand: each quirk of the world.

use tuoyu::domain::{Answer, AnswerFile, AnswerKind, AnswerMessage, Date, Said, Scope};
use tuoyu::intake::read_answer_bytes;

fn read(text: &str) -> AnswerFile {
    read_answer_bytes("a.xml", text.as_bytes(), &[])
}

/// The one message of a file that was read whole.
#[track_caller]
fn one(file: &AnswerFile) -> &AnswerMessage {
    assert_eq!(file.unread, []);
    let [message] = &file.messages[..] else { panic!("{:?}", file.messages) };
    message
}

/// The one reason why a file or record was not read.
#[track_caller]
fn why(file: &AnswerFile) -> (u32, &str) {
    let [unread] = &file.unread[..] else { panic!("{:?}", file.unread) };
    (unread.record, &unread.what)
}

/// A status report with these statuses behind its header.
fn report(inside: &str) -> String {
    format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.002.001.10\"><CstmrPmtStsRpt>\
         <GrpHdr><MsgId>R1</MsgId></GrpHdr>{inside}</CstmrPmtStsRpt></Document>"
    )
}

fn notification(entries: &str) -> String {
    format!(
        "<Document><BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>N</MsgId></GrpHdr><Ntfctn><Id>1</Id>\
         <Acct><Id><Othr><Id>6200</Id></Othr></Id><Ccy>CNY</Ccy></Acct>{entries}</Ntfctn>\
         </BkToCstmrDbtCdtNtfctn></Document>"
    )
}

/// An entry of the amount, booked on 10 October 2026, with what stands behind its day.
fn entry(amount: &str, side: &str, more: &str) -> String {
    format!(
        "<Ntry><Amt Ccy=\"CNY\">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts>BOOK</Sts>\
         <BookgDt><Dt>2026-10-10</Dt></BookgDt><AcctSvcrRef>E9</AcctSvcrRef>{more}</Ntry>"
    )
}

fn date(day: u32) -> Option<Date> {
    Date::from_ymd(2026, 10, day)
}

#[test]
fn each_status_says_what_it_means_for_money() {
    let cases = [
        ("ACSC", Said::Paid),
        ("ACCC", Said::Paid),
        ("RJCT", Said::Rejected),
        ("CANC", Said::Rejected),
        ("ACTC", Said::Pending),
        ("ACCP", Said::Pending),
        ("ACSP", Said::Pending),
        ("ACWC", Said::Pending),
        ("ACWP", Said::Pending),
        ("PDNG", Said::Pending),
        ("RCVD", Said::Pending),
        ("PATC", Said::Pending),
        ("PART", Said::Pending),
        ("ZZZZ", Said::Pending),
    ];
    for (status, said) in cases {
        let text = report(&format!(
            "<OrgnlGrpInfAndSts><OrgnlMsgId>M1</OrgnlMsgId><GrpSts>{status}</GrpSts></OrgnlGrpInfAndSts>"
        ));
        let file = read(&text);
        let message = one(&file);
        assert_eq!((&*message.message_id, &*message.original_id), ("R1", "M1"));
        let [answer] = &message.answers[..] else { panic!("{status}") };
        assert_eq!((answer.said, answer.scope, &*answer.status), (said, Scope::Message, status));
    }
}

#[test]
fn the_finest_level_of_a_report_speaks() {
    let text = report(
        "<OrgnlGrpInfAndSts><OrgnlMsgId>M1</OrgnlMsgId><GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>\
         <OrgnlPmtInfAndSts><OrgnlPmtInfId>B1</OrgnlPmtInfId><PmtInfSts>ACSC</PmtInfSts></OrgnlPmtInfAndSts>\
         <OrgnlPmtInfAndSts><OrgnlPmtInfId>B2</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts>\
         <StsRsnInf><Rsn><Prtry>9001</Prtry></Rsn><AddtlInf>one</AddtlInf><AddtlInf>two</AddtlInf></StsRsnInf>\
         <TxInfAndSts><OrgnlInstrId>I1</OrgnlInstrId><OrgnlEndToEndId>X1</OrgnlEndToEndId></TxInfAndSts>\
         <TxInfAndSts><OrgnlEndToEndId>NOTPROVIDED</OrgnlEndToEndId><TxSts>RJCT</TxSts>\
         <StsRsnInf><Rsn><Cd>AC01</Cd></Rsn><AddtlInf>账号<![CDATA[ & 户名]]>不符</AddtlInf></StsRsnInf>\
         <AccptncDtTm>2026-10-09T23:59:59+08:00</AccptncDtTm><AcctSvcrRef>S7</AcctSvcrRef>\
         <OrgnlTxRef><Amt><InstdAmt Ccy=\"CNY\">12.3400</InstdAmt></Amt><Cdtr><Pty><Nm>甲园</Nm></Pty></Cdtr>\
         <CdtrAcct><Id><Othr><Id>0622</Id></Othr></Id></CdtrAcct></OrgnlTxRef></TxInfAndSts></OrgnlPmtInfAndSts>",
    );
    let file = read(&text);
    let message = one(&file);
    assert_eq!(message.kind, AnswerKind::Pain002);
    let paid = Answer {
        said: Said::Paid,
        scope: Scope::Batch,
        status: "ACSC".into(),
        batch_ref: "B1".into(),
        record: 1,
        ..Answer::default()
    };
    let inherited = Answer {
        said: Said::Rejected,
        status: "RJCT".into(),
        end_to_end_id: "X1".into(),
        instruction_id: "I1".into(),
        batch_ref: "B2".into(),
        reason_code: "9001".into(),
        reason: "one; two".into(),
        record: 2,
        ..Answer::default()
    };
    let own = Answer {
        said: Said::Rejected,
        status: "RJCT".into(),
        batch_ref: "B2".into(),
        account_no: "0622".into(),
        account_name: "甲园".into(),
        amount_fen: Some(1234),
        currency: "CNY".into(),
        reason_code: "AC01".into(),
        reason: "账号 & 户名不符".into(),
        bank_ref: "S7".into(),
        bank_date: date(9),
        record: 3,
        ..Answer::default()
    };
    assert_eq!(message.answers, [paid, inherited, own]);
}

#[test]
fn a_transaction_without_any_status_is_unread() {
    let file = read(&report(
        "<OrgnlPmtInfAndSts><TxInfAndSts><OrgnlEndToEndId>X1</OrgnlEndToEndId></TxInfAndSts>\
         <TxInfAndSts><OrgnlEndToEndId>X2</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts></OrgnlPmtInfAndSts>",
    ));
    assert_eq!(file.messages[0].answers.len(), 1);
    let (record, what) = why(&file);
    assert!(record == 1 && what.contains("\"X1\" without a status"), "{what}");
}

#[test]
fn entries_say_paid_returned_or_credit() {
    let own = "<BkTxCd><Domn><Fmly><Cd>ICDT</Cd><SubFmlyCd>RRTN</SubFmlyCd></Fmly></Domn></BkTxCd>";
    let why = "<NtryDtls><TxDtls><RtrInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>销户</AddtlInf></RtrInf></TxDtls></NtryDtls>";
    let remitter = "<NtryDtls><TxDtls><RmtInf><Ustrd>退汇</Ustrd></RmtInf></TxDtls></NtryDtls>";
    let cases = [
        (entry("1.00", "DBIT", ""), Said::Paid, false, ""),
        (entry("1.00", "CRDT", ""), Said::Credit, false, ""),
        (entry("1.00", "CRDT", remitter), Said::Credit, false, "退汇"),
        (entry("1.00", "CRDT", own), Said::Returned, false, ""),
        (entry("1.00", "CRDT", why), Said::Returned, false, "销户"),
        (entry("1.00", "CRDT", "<RvslInd>true</RvslInd>"), Said::Returned, true, ""),
        // A debit that takes a credit back: money leaves, and it is marked as no payment of its own.
        (entry("1.00", "DBIT", "<RvslInd>true</RvslInd>"), Said::Paid, true, ""),
        (entry("1.00", "CRDT", "<RvslInd>false</RvslInd>"), Said::Credit, false, ""),
        (entry("1.00", "DBIT", "").replace(">BOOK<", ">PDNG<"), Said::Pending, false, ""),
        (entry("1.00", "CRDT", why).replace(">BOOK<", ">INFO<"), Said::Pending, false, "销户"),
        (entry("1.00", "DBIT", "").replace(">BOOK<", "><Cd>BOOK</Cd><"), Said::Paid, false, ""),
    ];
    for (entry, said, reversal, reason) in cases {
        let file = read(&notification(&entry));
        let [answer] = &one(&file).answers[..] else { panic!("{entry}") };
        let told = (answer.said, answer.reversal, &*answer.reason, answer.amount_fen);
        assert_eq!(told, (said, reversal, reason, Some(100)), "{entry}");
        assert_eq!((&*answer.bank_ref, answer.bank_date), ("E9", date(10)));
    }
    // An intraday report is told, never booked.
    let report = notification(&entry("1.00", "DBIT", ""))
        .replace("BkToCstmrDbtCdtNtfctn", "BkToCstmrAcctRpt")
        .replace("Ntfctn", "Rpt");
    let file = read(&report);
    assert_eq!(one(&file).kind, AnswerKind::Camt052);
    assert_eq!(one(&file).answers[0].said, Said::Pending);
}

#[test]
fn a_batch_stands_beside_its_details() {
    let detail = |id: &str, amount: &str| {
        format!(
            "<TxDtls><Refs><EndToEndId>{id}</EndToEndId></Refs>{amount}<RltdPties><Cdtr><Nm>甲</Nm></Cdtr>\
             <CdtrAcct><Id><IBAN>NL11</IBAN></Id></CdtrAcct></RltdPties></TxDtls>"
        )
    };
    let together = format!(
        "<NtryDtls><Btch><PmtInfId>B7</PmtInfId><NbOfTxs>2</NbOfTxs></Btch>{}{}</NtryDtls>",
        detail("X1", "<AmtDtls><TxAmt><Amt Ccy=\"CNY\">5.25</Amt></TxAmt></AmtDtls>"),
        detail("X2", "<Amt Ccy=\"CNY\">2</Amt><CdtDbtInd>CRDT</CdtDbtInd>"),
    );
    let alone = "<NtryDtls><Btch><PmtInfId>B8</PmtInfId><NbOfTxs>40</NbOfTxs></Btch></NtryDtls>";
    let single = format!("<NtryDtls>{}</NtryDtls>", detail("X3", ""));
    let text =
        [entry("3.25", "DBIT", &together), entry("9", "DBIT", alone), entry("4", "DBIT", &single)];
    let file = read(&notification(&text.concat()));
    let message = one(&file);
    let told: Vec<_> = message
        .answers
        .iter()
        .map(|a| {
            (a.record, a.said, a.scope, &*a.end_to_end_id, &*a.batch_ref, a.amount_fen, a.batch)
        })
        .collect();
    assert_eq!(
        told,
        [
            (2, Said::Paid, Scope::Payment, "X1", "B7", Some(525), Some(0)),
            (3, Said::Credit, Scope::Payment, "X2", "B7", Some(200), Some(0)),
            (4, Said::Paid, Scope::Batch, "", "B8", Some(900), Some(1)),
            (5, Said::Paid, Scope::Payment, "X3", "", Some(400), None),
        ]
    );
    let batches: Vec<_> =
        message.batches.iter().map(|b| (b.record, b.amount_fen, b.count, b.details)).collect();
    assert_eq!(batches, [(1, 325, Some(2), 2), (4, 900, Some(40), 0)]);
    assert_eq!(
        (&*message.answers[0].account_no, &*message.answers[0].account_name),
        ("NL11", "甲")
    );
}

#[test]
fn amounts_are_hundredths_or_unread() {
    let cases = [
        ("5", Some(500)),
        ("5.1", Some(510)),
        ("5.0400", Some(504)),
        ("0", Some(0)),
        ("+7.50", Some(750)),
        ("1.234", None),
        ("-1.00", None),
        ("1,5", None),
        ("1e3", None),
        ("", None),
        ("99999999999999999999", None),
    ];
    for (amount, fen) in cases {
        let file =
            read(&notification(&[entry(amount, "DBIT", ""), entry("1", "DBIT", "")].concat()));
        let read: Vec<_> =
            file.messages[0].answers.iter().map(|a| (a.record, a.amount_fen)).collect();
        if let Some(fen) = fen {
            assert_eq!(read, [(1, Some(fen)), (2, Some(100))], "{amount}");
        } else {
            assert_eq!(read, [(2, Some(100))], "{amount}");
            let (record, what) = why(&file);
            assert!(record == 1 && what.contains("expected"), "{amount}: {what}");
        }
    }
    let yen = entry("100", "DBIT", "").replace("CNY", "JPY");
    let file = read(&notification(&yen));
    assert_eq!(file.messages[0].answers[0].amount_fen, Some(10_000));
    assert_eq!(&*file.messages[0].answers[0].currency, "JPY");
}

fn balance(code: &str, amount: &str, side: &str) -> String {
    format!(
        "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"CNY\">{amount}</Amt>\
         <CdtDbtInd>{side}</CdtDbtInd></Bal>"
    )
}

fn statement(id: &str, inside: &str) -> String {
    format!(
        "<Stmt><Id>{id}</Id><FrToDt><FrDtTm>2026-10-01T00:00:00</FrDtTm><ToDtTm>2026-10-31T23:59:59</ToDtTm>\
         </FrToDt><Acct><Id><IBAN>6200</IBAN></Id></Acct>{inside}</Stmt>"
    )
}

fn statements(inside: &str) -> String {
    format!(
        "<Document><BkToCstmrStmt><GrpHdr><MsgId>G</MsgId><MsgPgntn><PgNb>2</PgNb></MsgPgntn></GrpHdr>\
         {inside}</BkToCstmrStmt></Document>"
    )
}

#[test]
fn a_statement_tells_balances_and_the_sum_of_what_is_booked() {
    let entries = [
        entry("30.00", "DBIT", ""),
        entry("4.50", "CRDT", ""),
        entry("1000", "DBIT", "").replace("BOOK", "PDNG"),
    ]
    .concat();
    let first = [balance("OPBD", "10", "CRDT"), balance("CLBD", "15.50", "DBIT"), entries].concat();
    let second = [balance("PRCD", "1", "DBIT"), balance("CLBD", "1", "DBIT")].concat();
    let file = read(&statements(&[statement("A", &first), statement("B", &second)].concat()));
    assert_eq!(file.unread, []);
    let ids: Vec<&str> = file.messages.iter().map(|message| &*message.message_id).collect();
    assert_eq!(ids, ["G/A#2", "G/B#2"]);
    let sheet = file.messages[0].statement.as_ref().unwrap();
    // 10.00 - 30.00 + 4.50 = -15.50
    assert_eq!(
        (sheet.opening_fen, sheet.entries_fen, sheet.closing_fen),
        (Some(1000), -2550, Some(-1550))
    );
    assert_eq!((&*sheet.account_no, &*sheet.currency), ("6200", "CNY"));
    assert_eq!((sheet.from, sheet.until), (date(1), date(31)));
    let sheet = file.messages[1].statement.as_ref().unwrap();
    assert_eq!(
        (sheet.opening_fen, sheet.entries_fen, sheet.closing_fen),
        (Some(-100), 0, Some(-100))
    );
}

#[test]
fn another_currency_is_not_in_the_sum() {
    let foreign = entry("30.00", "DBIT", "").replace("CNY", "USD");
    let inside = [balance("OPBD", "10", "CRDT"), foreign].concat();
    let file = read(&statements(&statement("A", &inside)));
    assert_eq!(file.messages[0].statement.as_ref().unwrap().entries_fen, 0);
    assert_eq!(file.messages[0].answers[0].amount_fen, Some(3000));
    let (record, what) = why(&file);
    assert!(record == 1 && what.contains("USD in a statement of CNY"), "{what}");
}

#[test]
fn encodings_prefixes_and_envelopes_of_the_world() {
    let body = notification(&entry("1.00", "CRDT", "<AddtlNtryInf>退汇 é</AddtlNtryInf>"));
    let expected = read(&body);
    assert_eq!(&*one(&expected).answers[0].reason, "退汇 é");
    let declared = |encoding: &str| format!("<?xml version='1.0' encoding='{encoding}'?>{body}");
    let gbk = |text: &str| encoding_rs::GBK.encode(text).0.into_owned();
    let utf16 = |text: &str, big: bool| -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    };
    let dashed = body.replace("é", "-").replace("退汇", "ret");
    let prefixed = body.replace("</", "\u{1}").replace('<', "<ns2:").replace('\u{1}', "</ns2:");
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("GB2312", gbk(&declared("GB2312"))),
        ("GBK", gbk(&declared("gbk"))),
        ("GB18030", gbk(&declared("GB18030"))),
        ("GBK without a declaration", gbk(&body)),
        ("GBK, said to be UTF-8", gbk(&declared("UTF-8"))),
        ("UTF-8, said to be UTF-16", declared("UTF-16").into_bytes()),
        ("a mark before GBK, which it belies", format!("\u{feff}{}", declared("GBK")).into_bytes()),
        ("UTF-16LE", utf16(&format!("\u{feff}{}", declared("UTF-16")), false)),
        ("UTF-16BE", utf16(&format!("\u{feff}{}", declared("UTF-16")), true)),
        ("UTF-16LE without a mark", utf16(&declared("UTF-16"), false)),
        ("white space before the declaration", format!("\r\n  {}", declared("UTF-8")).into_bytes()),
        ("prefixes", prefixed.into_bytes()),
        ("an envelope", format!("<s:Envelope><s:Body>{body}</s:Body></s:Envelope>").into_bytes()),
        (
            "a header beside",
            format!("<Msg><AppHdr><BizMsgIdr>1</BizMsgIdr></AppHdr>{body}</Msg>").into_bytes(),
        ),
        (
            "a document type",
            format!("<?xml version=\"1.0\"?><!DOCTYPE Document [<!ENTITY a \"b\">]>{body}")
                .into_bytes(),
        ),
    ];
    for (case, bytes) in files {
        let file = read_answer_bytes("a.xml", &bytes, &[]);
        assert_eq!(file.unread, [], "{case}");
        assert_eq!(file.messages, expected.messages, "{case}");
    }
    let latin = format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>{dashed}");
    let mut latin = latin.into_bytes();
    let at = latin.windows(5).position(|word| word == b"ret -").unwrap();
    latin[at + 4] = 0xe9;
    let file = read_answer_bytes("a.xml", &latin, &[]);
    assert_eq!(&*one(&file).answers[0].reason, "ret é");
}

#[test]
fn several_documents_in_one_file() {
    let whole = |id: &str| notification(&entry("1", "DBIT", "")).replace(">N<", &format!(">{id}<"));
    let declared =
        |id: &str| format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", whole(id));
    let ids = |file: &AnswerFile| -> Vec<String> {
        file.messages.iter().map(|message| message.message_id.to_string()).collect()
    };
    let file = read(&[declared("A"), declared("B")].concat());
    assert_eq!(file.unread, []);
    assert_eq!(ids(&file), ["A/1", "B/1"]);
    let records: Vec<u32> = file.messages.iter().map(|message| message.answers[0].record).collect();
    assert_eq!(records, [1, 2]);
    // What breaks off is unread as a whole; what stands before it is whole.
    let third = declared("C");
    let file = read(&[declared("A"), declared("B"), third[..third.len() / 2].to_owned()].concat());
    assert_eq!(ids(&file), ["A/1", "B/1"]);
    let (record, what) = why(&file);
    assert!(record == 0 && what.contains("(2 before it are read)"), "{what}");
    // A message of ours between them is told and passed over.
    let ours = "<Document><CstmrCdtTrfInitn><GrpHdr/></CstmrCdtTrfInitn></Document>";
    let file = read(&[declared("A"), ours.to_owned(), declared("B")].concat());
    assert_eq!(ids(&file), ["A/1", "B/1"]);
    assert!(why(&file).1.contains("pain.001"), "{:?}", file.unread);
}

#[test]
fn half_a_statement_is_never_believed() {
    let whole = statements(&[statement("A", &entry("1", "DBIT", "")), statement("B", "")].concat());
    for end in (1..whole.len()).step_by(7) {
        let file = read(&whole[..end]);
        let closed = whole[..end].contains("</BkToCstmrStmt>");
        assert_eq!(file.messages.len(), if closed { 2 } else { 0 }, "cut at {end}");
        assert_eq!(file.unread.len(), 1, "cut at {end}");
    }
}

#[test]
fn entities_are_not_expanded_and_depth_is_bounded() {
    let bomb = format!(
        "<!DOCTYPE x [<!ENTITY a \"{}\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">\
         <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">]>{}",
        "lol".repeat(100),
        notification(&entry("1", "CRDT", "<AddtlNtryInf>&c;</AddtlNtryInf>")),
    );
    let file = read(&bomb);
    assert_eq!(file.messages, []);
    assert!(why(&file).1.contains("&c; is no letter"), "{:?}", file.unread);
    let known = notification(&entry(
        "1",
        "CRDT",
        "<AddtlNtryInf>a&lt;&#x9000;&#27719;&amp;</AddtlNtryInf>",
    ));
    assert_eq!(&*one(&read(&known)).answers[0].reason, "a<退汇&");
    let deep = notification(&entry("1", "DBIT", &"<x>".repeat(100_000)));
    assert!(why(&read(&deep)).1.contains("64 elements deep"));
    let long = notification(&entry(
        "1",
        "CRDT",
        &format!("<AddtlNtryInf>{}</AddtlNtryInf>", "x".repeat(20_000)),
    ));
    assert!(why(&read(&long)).1.contains("more than 16384 bytes"));
}

#[test]
fn what_is_no_answer_is_told() {
    let urn = "urn:iso:std:iso:20022:tech:xsd:acmt.007.001.03";
    let cases: &[(&[u8], &str)] = &[
        (b"", "an empty file"),
        (b" \r\n\t", "an empty file"),
        (b"\x00\x01\x02\x03garbage", "no text"),
        (b"\xff\xfe\x00", "no text"),
        (b"hello", "a text that is neither XML"),
        (b"<Document/>", "which is no answer"),
        (b"<html><body/></html>", "XML of <html>"),
        (b"<Document><FIToFIPmtStsRpt/></Document>", "pacs.002"),
        (b"PK\x03\x04no workbook", "no readable XLSX workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1no workbook", "no readable XLS workbook"),
        (b"PAR1....PAR1", "expected an answer"),
    ];
    for (bytes, expected) in cases {
        let file = read_answer_bytes("a", bytes, &[]);
        assert_eq!(file.messages, [], "{expected}");
        let (record, what) = why(&file);
        assert!(record == 0, "{expected}: {what}");
        assert!(
            what.contains(expected) || expected == &"no text" && what.contains("no text"),
            "{expected}: {what}"
        );
        assert!(what.contains("expected"), "{what}");
    }
    let other = format!("<Document xmlns='{urn}'><AcctOpngReq><a/></AcctOpngReq></Document>");
    assert!(why(&read(&other)).1.starts_with("acmt.007.001.03 (AcctOpngReq), which is no answer"));
}

#[test]
fn the_file_is_known_by_its_bytes() {
    let file = read_answer_bytes("x.xml", b"abc", &[]);
    assert_eq!((&*file.name, file.bytes), ("x.xml", 3));
    // The published digest of "abc" (FIPS 180-4).
    assert_eq!(file.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
