//! Treasury vouchers that answer: 8207 filled in, and 2252.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tuoyu::domain::{Answer, AnswerFile, AnswerKind, Date, Said};
use tuoyu::intake::read_answer_bytes;

const OURS: &str = "0123456789ABCDEF0123456789ABCDEF";

fn read(bytes: &[u8]) -> AnswerFile {
    read_answer_bytes("v.xml", bytes, &[])
}

/// A batch of five: paid, paid in part, refused twice, not answered.
fn batch() -> String {
    let detail = |id: u32, asked: &str, more: &str| {
        format!(
            "<Detail><Id>2026-09-{id:06}</Id><OriVoucherNo>P8</OriVoucherNo><PayeeAcctNo>0622{id}</PayeeAcctNo>\
             <PayeeAcctName>园{id}</PayeeAcctName><PayAmt>{asked}</PayAmt>{more}</Detail>"
        )
    };
    let details = [
        detail(
            1,
            "100.00",
            &format!(
                "<XPayAmt>100.00</XPayAmt><XPayDate>20261010</XPayDate><XAgentBusinessNo>L1</XAgentBusinessNo>\
                 <XPayeeAcctNo>06221</XPayeeAcctNo><Hold1>{OURS}</Hold1>"
            ),
        ),
        detail(
            2,
            "50.00",
            "<XPayAmt>20.00</XPayAmt><XAddWordCode>07</XAddWordCode><XAddWord>限额</XAddWord>",
        ),
        detail(
            3,
            "7.00",
            "<XPayAmt/><XAddWordCode>01</XAddWordCode><XAddWord>账号不存在</XAddWord>",
        ),
        detail(
            4,
            "8.00",
            "<XPayAmt>0.00</XPayAmt><XAddWord>户名不符</XAddWord><Hold1>备注</Hold1>",
        ),
        detail(5, "9.00", "<XPayAmt></XPayAmt><XAddWordCode></XAddWordCode>"),
    ];
    format!(
        "<?xml version=\"1.0\" encoding=\"GBK\"?><Voucher><VtCode>8207</VtCode><VoucherNo>V7</VoucherNo>\
         <VouDate>20261009</VouDate><OriginalVtCode>5201</OriginalVtCode>\
         <OriginalVoucherNo>P8</OriginalVoucherNo><SumAmt>174.00</SumAmt><XSumAmt>120.00</XSumAmt>\
         <XPayDate>2026-10-11</XPayDate><DetailList>{}</DetailList></Voucher>",
        details.concat()
    )
}

fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GBK.encode(text).0.into_owned()
}

/// The voucher as it travels: base64 of GBK, broken into lines.
fn packed(voucher: &str, attributes: &str) -> String {
    let mut base64 = STANDARD.encode(gbk(voucher));
    for at in (0..base64.len()).rev().filter(|at| at % 76 == 0) {
        base64.insert_str(at, "\r\n  ");
    }
    format!(
        "<VoucherBody {attributes}><Voucher>{base64}</Voucher><Signature>x</Signature></VoucherBody>"
    )
}

fn mof(bodies: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"GBK\"?><MOF><VoucherCount>1</VoucherCount>{bodies}</MOF>"
    )
}

fn day(day: u32) -> Option<Date> {
    Date::from_ymd(2026, 10, day)
}

fn filled(id: u32) -> Answer {
    Answer {
        instruction_id: format!("2026-09-{id:06}").into(),
        voucher_no: "P8".into(),
        account_no: format!("0622{id}").into(),
        account_name: format!("园{id}").into(),
        bank_date: day(11),
        record: id,
        ..Answer::default()
    }
}

#[test]
fn an_8207_says_paid_in_part_refused_or_nothing() {
    let expected = [
        Answer {
            said: Said::Paid,
            end_to_end_id: OURS.into(),
            amount_fen: Some(10_000),
            bank_ref: "L1".into(),
            bank_date: day(10),
            ..filled(1)
        },
        Answer {
            said: Said::Paid,
            status: "07".into(),
            amount_fen: Some(2_000),
            reason_code: "07".into(),
            reason: "限额".into(),
            ..filled(2)
        },
        Answer {
            said: Said::Rejected,
            status: "01".into(),
            amount_fen: Some(700),
            reason_code: "01".into(),
            reason: "账号不存在".into(),
            ..filled(3)
        },
        Answer {
            said: Said::Rejected,
            amount_fen: Some(800),
            reason: "户名不符".into(),
            ..filled(4)
        },
        Answer { amount_fen: Some(900), bank_date: None, ..filled(5) },
    ];
    let bare = batch();
    let lower = bare
        .replace("<Detail", "<detail")
        .replace("</Detail", "</detail")
        .replace("VoucherNo>", "VOUCHERNO>")
        .replace("XPayAmt", "xpayamt");
    let files = [
        ("bare, GBK", gbk(&bare)),
        ("bare, UTF-8", bare.replace("GBK", "UTF-8").into_bytes()),
        ("names in any case", gbk(&lower)),
        (
            "a prefix",
            gbk(&bare.replace("<Voucher>", "<v:Voucher>").replace("</Voucher>", "</v:Voucher>")),
        ),
        ("packed", mof(&packed(&bare, "VtCode='8207' VoucherNo='V7'")).into_bytes()),
        (
            "packed, the kind outside",
            mof(&packed(
                &bare.replace("<VtCode>8207</VtCode>", "").replace("<VoucherNo>V7</VoucherNo>", ""),
                "AdmDivCode=\"999999\" vtcode=\"8207\" voucherno=\"V7\"",
            ))
            .into_bytes(),
        ),
        ("no code, told by its fields", gbk(&bare.replace("<VtCode>8207</VtCode>", ""))),
    ];
    for (case, bytes) in files {
        let file = read(&bytes);
        assert_eq!(file.unread, [], "{case}");
        let [message] = &file.messages[..] else { panic!("{case}") };
        assert_eq!(message.kind, AnswerKind::Voucher8207, "{case}");
        assert_eq!((&*message.message_id, &*message.original_id), ("V7/20261009", "P8"), "{case}");
        assert_eq!(message.answers, expected, "{case}");
    }
}

#[test]
fn the_account_paid_to_is_the_one_told() {
    let text = batch().replace("<XPayeeAcctNo>06221<", "<XPayeeAcctNo>9999<");
    let file = read(&gbk(&text));
    assert_eq!(&*file.messages[0].answers[0].account_no, "9999");
}

#[test]
fn sums_that_do_not_tie_are_told_and_the_details_stand() {
    let text = batch().replace("<XSumAmt>120.00<", "<XSumAmt>121.00<");
    let file = read(&gbk(&text));
    assert_eq!(file.messages[0].answers.len(), 5);
    let [why] = &file.unread[..] else { panic!("{:?}", file.unread) };
    assert!(
        why.record == 0
            && why.what.contains("XSumAmt is 12100 hundredths, its details come to 12000"),
        "{why:?}"
    );
    // A detail that cannot be read: the sums say nothing, and that detail alone is missing.
    let text = batch().replace("<PayAmt>7.00<", "<PayAmt>7.001<");
    let file = read(&gbk(&text));
    let records: Vec<u32> = file.messages[0].answers.iter().map(|answer| answer.record).collect();
    assert_eq!(records, [1, 2, 4, 5]);
    let [why] = &file.unread[..] else { panic!("{:?}", file.unread) };
    assert!(why.record == 3 && why.what.contains("7.001"), "{why:?}");
}

fn refund(details: &str) -> String {
    format!(
        "<Voucher><Id>R3</Id><VouDate>2026-10-12</VouDate><OriBillNo>V7</OriBillNo>\
         <OriginalVoucherNo>P8</OriginalVoucherNo><PayAmt>-107.00</PayAmt><PayDate>20261013</PayDate>\
         <Remark>退款</Remark><DetailList>{details}</DetailList></Voucher>"
    )
}

#[test]
fn a_2252_brings_money_back() {
    let details = "<Detail><Id>2026-09-000001</Id><PayeeAcctNo>06221</PayeeAcctNo><PayeeAcctName>园1</PayeeAcctName>\
                   <PayAmt>-100.00</PayAmt><Remark>账户已销户</Remark></Detail>\
                   <Detail><Id>2026-09-000003</Id><PayAmt>-7.00</PayAmt></Detail>";
    let text = refund(details);
    for bytes in [gbk(&text), mof(&packed(&text, "VtCode='2252'")).into_bytes()] {
        let file = read(&bytes);
        assert_eq!(file.unread, []);
        let [message] = &file.messages[..] else { panic!() };
        assert_eq!(message.kind, AnswerKind::Return2252);
        assert_eq!((&*message.message_id, &*message.original_id), ("R3/2026-10-12", "P8"));
        let expected = [
            Answer {
                said: Said::Returned,
                account_no: "06221".into(),
                account_name: "园1".into(),
                amount_fen: Some(10_000),
                reason: "账户已销户".into(),
                ..returned("2026-09-000001", 1)
            },
            Answer {
                said: Said::Returned,
                amount_fen: Some(700),
                reason: "退款".into(),
                ..returned("2026-09-000003", 2)
            },
        ];
        assert_eq!(message.answers, expected);
    }
    let positive = details.replace("-7.00", "7.00");
    let file = read(refund(&positive).as_bytes());
    assert_eq!(file.messages[0].answers.len(), 1);
    assert!(
        file.unread[0].what.contains("expected an amount below zero in a 2252"),
        "{:?}",
        file.unread
    );
}

fn returned(id: &str, record: u32) -> Answer {
    Answer {
        instruction_id: id.into(),
        voucher_no: "P8".into(),
        bank_date: day(13),
        record,
        ..Answer::default()
    }
}

#[test]
fn several_vouchers_in_one_file_stand_alone() {
    let detail = "<Detail><Id>1</Id><PayAmt>-107.00</PayAmt></Detail>";
    let text = refund(detail);
    let broken = "<VoucherBody VtCode='2252' VoucherNo='BAD'><Voucher>!!!!</Voucher></VoucherBody>";
    let cut = packed(&text[..text.len() - 20], "VtCode='2252' VoucherNo='CUT'");
    let other = packed("<Voucher><VtCode>5201</VtCode><VoucherNo>P1</VoucherNo></Voucher>", "");
    let none = packed("<Voucher><VtCode>8207</VtCode><VoucherNo>E1</VoucherNo></Voucher>", "");
    let bodies = [&packed(&batch(), ""), broken, &cut, &other, &none, &packed(&text, "")]
        .map(ToString::to_string);
    let file = read(mof(&bodies.concat()).as_bytes());
    let kinds: Vec<&str> = file.messages.iter().map(|message| message.kind.word()).collect();
    assert_eq!(kinds, ["8207", "2252"]);
    assert_eq!(file.messages[1].answers[0].record, 6);
    let told: Vec<&str> = file.unread.iter().map(|unread| &*unread.what).collect();
    let expected = [
        "voucher \"BAD\" unread as a whole: its base64 is broken",
        "voucher \"CUT\" unread as a whole: inside, byte",
        "voucher \"P1\" of kind \"5201\"; expected VtCode 8207 or 2252",
        "voucher \"E1\" without details",
    ];
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}");
    }
    // Cut off inside the last one: those before it are whole.
    let whole = mof(&[packed(&batch(), ""), packed(&text, "")].concat());
    let file = read(&whole.as_bytes()[..whole.len() - 60]);
    assert_eq!(file.messages.len(), 1);
    assert!(file.unread[0].what.contains("(1 before it are read)"), "{:?}", file.unread);
}

#[test]
fn a_voucher_that_came_back_with_a_reason_is_told() {
    let packed = packed(&batch(), "")
        .replace("<Voucher>", "<Return_Reason>印章不符</Return_Reason><Voucher>");
    let bytes = gbk(&mof(&packed));
    let file = read(&bytes);
    // The four details that say something stand, and nobody guesses what the fifth is.
    assert_eq!(file.messages[0].answers[4].said, Said::Pending);
    let [why] = &file.unread[..] else { panic!("{:?}", file.unread) };
    assert!(
        why.record == 0 && why.what.contains("\"印章不符\", 1 of its details say nothing"),
        "{why:?}"
    );
}

#[test]
fn fields_may_be_attributes() {
    let file = read(
        b"<Voucher VtCode=\"2252\" Id=\"R1\" PayAmt=\"-1.00\"><Detail Id=\"7\" PayAmt=\"-1.00\" Remark=\"a&amp;b\"/></Voucher>",
    );
    assert_eq!(file.unread, []);
    let answer = &file.messages[0].answers[0];
    assert_eq!(
        (&*answer.instruction_id, answer.amount_fen, &*answer.reason),
        ("7", Some(100), "a&b")
    );
}

fn of_8207(details: &str) -> AnswerFile {
    read(format!("<Voucher VtCode='8207' VoucherNo='V1'>{details}</Voucher>").as_bytes())
}

#[test]
fn a_reason_beside_a_full_payment_is_told() {
    let detail = |asked: &str, paid: &str, code: &str, words: &str| {
        format!(
            "<Detail Id='7' PayAmt='{asked}' XPayAmt='{paid}' XAddWordCode='{code}' \
             XAddWord='{words}'/>"
        )
    };
    let (paid, pending) = (Said::Paid, Said::Pending);
    for (text, said, fen, code, words) in [
        (detail("5.00", "5.00", "0000", "交易成功"), paid, 500, "", ""),
        (detail("5.00", "5.00", "", ""), paid, 500, "", ""),
        // In part, and no word of why: nothing says that the rest was refused.
        (detail("5.00", "3.00", "00", "成功"), paid, 300, "", ""),
        (detail("5.00", "3.00", "00", "限额"), paid, 300, "00", "限额"),
        // Success of nothing is none, and no refusal.
        (detail("5.00", "", "0000", "交易成功"), pending, 500, "", ""),
    ] {
        let file = of_8207(&text);
        assert_eq!(file.unread, [], "{text}");
        let answer = &file.messages[0].answers[0];
        let told = (answer.said, answer.amount_fen, &*answer.reason_code, &*answer.reason);
        assert_eq!(told, (said, Some(fen), code, words), "{text}");
    }
    let file = of_8207(&detail("5.00", "5.00", "07", "账号有误"));
    let answer = &file.messages[0].answers[0];
    assert_eq!((answer.said, answer.amount_fen, &*answer.reason), (paid, Some(500), ""));
    let [why] = &file.unread[..] else { panic!("{:?}", file.unread) };
    let expected = "detail \"7\": paid in full, 500 hundredths, with XAddWordCode \"07\" and XAddWord \
                    \"账号有误\"; expected";
    assert!(why.record == 1 && why.what.starts_with(expected), "{why:?}");
}

#[test]
fn details_before_the_kind_are_told() {
    let text = "<Voucher VoucherNo='V1'><Detail Id='1' PayAmt='1.00'/><Detail Id='2' PayAmt='2.00'/>\
                <SumAmt>6.00</SumAmt><Detail Id='3' PayAmt='3.00' XPayAmt='3.00'/></Voucher>";
    let file = read(text.as_bytes());
    assert_eq!(file.messages[0].answers.len(), 1);
    assert_eq!(file.messages[0].answers[0].amount_fen, Some(300));
    let [why] = &file.unread[..] else { panic!("{:?}", file.unread) };
    let expected = "voucher \"V1\": 2 details stand before what tells its kind, unread; expected";
    assert!(why.record == 0 && why.what.starts_with(expected), "{why:?}");
}

#[test]
fn a_reason_of_return_behind_the_voucher_is_told() {
    let packed = packed(&batch(), "VoucherNo='V7'").replace(
        "</Voucher><Signature>",
        "</Voucher><Return_Reason>印章不符</Return_Reason><Signature>",
    );
    let file = read(&gbk(&mof(&packed)));
    assert_eq!(file.messages[0].answers[4].said, Said::Pending);
    let [why] = &file.unread[..] else { panic!("{:?}", file.unread) };
    let expected = "voucher \"V7\" came back with Return_Reason \"印章不符\", 1 of its details say";
    assert!(why.record == 0 && why.what.starts_with(expected), "{why:?}");
}
