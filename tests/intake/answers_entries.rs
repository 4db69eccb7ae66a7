//! Entries of a statement and their details: what is believed of them.

use tuoyu::domain::{AnswerFile, Said};
use tuoyu::intake::read_answer_bytes;

/// An entry of the amount with these details, of so many payments where it tells.
fn entry(amount: &str, side: &str, status: &str, count: Option<u32>, details: &[String]) -> String {
    let batch = count
        .map(|count| format!("<Btch><PmtInfId>B1</PmtInfId><NbOfTxs>{count}</NbOfTxs></Btch>"));
    format!(
        "<Ntry><Amt Ccy=\"CNY\">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts>{status}</Sts>\
         <NtryDtls>{}{}</NtryDtls></Ntry>",
        batch.unwrap_or_default(),
        details.concat()
    )
}

fn detail(id: u32, more: &str) -> String {
    format!("<TxDtls><Refs><EndToEndId>X{id}</EndToEndId></Refs>{more}</TxDtls>")
}

fn amount(id: u32, amount: &str) -> String {
    detail(id, &format!("<Amt Ccy=\"CNY\">{amount}</Amt>"))
}

fn read(entries: &str) -> AnswerFile {
    let text = format!(
        "<Document><BkToCstmrStmt><GrpHdr><MsgId>N</MsgId></GrpHdr><Stmt><Id>1</Id>\
         <Acct><Ccy>CNY</Ccy></Acct>{entries}</Stmt></BkToCstmrStmt></Document>"
    );
    read_answer_bytes("a.xml", text.as_bytes(), &[])
}

fn told(file: &AnswerFile) -> Vec<(Said, Option<i64>)> {
    file.messages[0].answers.iter().map(|answer| (answer.said, answer.amount_fen)).collect()
}

#[test]
fn details_that_do_not_come_to_their_entry_are_not_believed() {
    let debit = |amount: &str, details: &[String]| entry(amount, "DBIT", "BOOK", None, details);
    let opposite = detail(2, "<Amt Ccy=\"CNY\">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>");
    let (pending, none) = (Said::Pending, None);
    let cases = [
        // Payments of 80 and 70 cannot both stand behind 100.
        (
            debit("100.00", &[detail(1, ""), detail(2, "")]),
            vec![(pending, none), (pending, none)],
            "the entry is 10000 hundredths and 2 of its 2 details have no amount",
        ),
        (
            debit("500", &[amount(1, "300"), amount(2, "300")]),
            vec![(pending, Some(30_000)), (pending, Some(30_000))],
            "the entry is 50000 hundredths and its details come to 60000",
        ),
        (
            debit("500", &[amount(1, "800")]),
            vec![(pending, Some(80_000))],
            "the entry is 50000 hundredths and its details come to 80000",
        ),
        // 3.00 out and 1.00 in are 2.00 out.
        (
            debit("4", &[amount(1, "3"), opposite.clone()]),
            vec![(pending, Some(300)), (pending, Some(100))],
            "the entry is 400 hundredths and its details come to 200",
        ),
        (
            debit("5", &[amount(1, "3"), detail(2, "")]),
            vec![(pending, Some(300)), (pending, none)],
            "the entry is 500 hundredths and 1 of its 2 details have no amount",
        ),
        // One of forty: the entry's amount is not its own.
        (
            entry("5", "DBIT", "BOOK", Some(40), &[detail(1, "")]),
            vec![(pending, none)],
            "the entry is 500 hundredths and 1 of its 1 details have no amount",
        ),
    ];
    for (entry, answers, why) in cases {
        let file = read(&entry);
        assert_eq!(told(&file), answers, "{entry}");
        let [unread] = &file.unread[..] else { panic!("{entry}: {:?}", file.unread) };
        assert!(unread.record == 1 && unread.what.starts_with(why), "{unread:?}");
        assert!(unread.what.contains("expected"), "{unread:?}");
    }
}

#[test]
fn details_that_come_to_their_entry_or_cannot_be_judged_stand() {
    let debit = |amount: &str, details: &[String]| entry(amount, "DBIT", "BOOK", None, details);
    let opposite = detail(2, "<Amt Ccy=\"CNY\">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>");
    let dollars = detail(1, "<Amt Ccy=\"USD\">7.00</Amt>");
    let paid = |fen| (Said::Paid, Some(fen));
    let cases = [
        (debit("2", &[amount(1, "3"), opposite]), vec![paid(300), (Said::Credit, Some(100))]),
        (debit("5", &[detail(1, "")]), vec![paid(500)]),
        (entry("5", "DBIT", "BOOK", Some(1), &[detail(1, "")]), vec![paid(500)]),
        (debit("50", &[dollars]), vec![paid(700)]),
        // Two of three are in the file.
        (
            entry("9", "DBIT", "BOOK", Some(3), &[amount(1, "1"), amount(2, "2")]),
            vec![paid(100), paid(200)],
        ),
        // What is not booked is not believed anyhow.
        (entry("9", "DBIT", "PDNG", None, &[amount(1, "1")]), vec![(Said::Pending, Some(100))]),
    ];
    for (entry, answers) in cases {
        let file = read(&entry);
        assert_eq!(told(&file), answers, "{entry}");
        assert_eq!(file.unread, [], "{entry}");
    }
}

#[test]
fn joined_words_end_somewhere() {
    let piece = format!("<AddtlNtryInf>{}</AddtlNtryInf>", "退".repeat(300));
    let text = entry("1", "CRDT", "BOOK", None, &[]).replace("</Ntry>", &piece.repeat(9));
    let file = read(&format!("{text}</Ntry>"));
    // 300 characters, "; ", 197 and the mark.
    let expected = format!("{}; {}…", "退".repeat(300), "退".repeat(197));
    assert_eq!(*file.messages[0].answers[0].reason, expected);
    let short = text.replace(&piece.repeat(9), &"<AddtlNtryInf>a</AddtlNtryInf>".repeat(2));
    assert_eq!(&*read(&format!("{short}</Ntry>")).messages[0].answers[0].reason, "a; a");
}
