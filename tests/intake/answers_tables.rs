//! Answers as tables and as batch texts of banks.

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use tuoyu::domain::{Answer, AnswerFile, AnswerKind, Date, Said};
use tuoyu::intake::read_answer_bytes;
use tuoyu::job::BatchProfile;

fn read(bytes: &[u8]) -> AnswerFile {
    read_answer_bytes("a", bytes, &[])
}

fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GBK.encode(text).0.into_owned()
}

fn date(day: u32) -> Option<Date> {
    Date::from_ymd(2026, 10, day)
}

#[track_caller]
fn why(file: &AnswerFile) -> Vec<(u32, &str)> {
    file.unread.iter().map(|unread| (unread.record, &*unread.what)).collect()
}

#[test]
fn a_table_reads_alike_in_every_encoding_and_language() {
    let expected = [
        Answer {
            said: Said::Paid,
            status: "成功".into(),
            end_to_end_id: "X1".into(),
            instruction_id: "2026-09-000001".into(),
            account_no: "0622".into(),
            amount_fen: Some(123_450),
            bank_date: date(9),
            record: 1,
            ..Answer::default()
        },
        Answer {
            said: Said::Rejected,
            status: "失败".into(),
            end_to_end_id: "X2".into(),
            reason: "账号,户名\n不符".into(),
            record: 3,
            ..Answer::default()
        },
    ];
    let chinese = "端到端标识,支付编号,状态,金额,原因,日期,账号,别的\r\n\
                   X1,2026-09-000001,成功,\"1,234.50\",,2026/10/9,0622,x\r\n\
                   ,,,,,,,\r\n\
                   X2,,失败,,\"账号,户名\n不符\",,,\r\n";
    let titled = format!("代发结果\r\n制表：某行\r\n{chinese}");
    let english = chinese.replace(
        "端到端标识,支付编号,状态,金额,原因,日期,账号",
        "end_to_end_id,payment_no,status,Amount,reason,date,account_no",
    );
    let tabs = "端到端标识\t支付编号\t状态\t金额\t原因\t日期\t账号\n\
                X1\t2026-09-000001\t成功\t1234.5\t\t20261009\t0622\n\
                \t\t\t\t\t\t\n\
                X2\t\t失败\t\t\"账号,户名\n不符\"\t\t\n";
    let files = [
        ("UTF-8", chinese.as_bytes().to_vec()),
        ("UTF-8 with a mark", format!("\u{feff}{chinese}").into_bytes()),
        ("GBK", gbk(chinese)),
        ("a title above", gbk(&titled)),
        ("English", english.into_bytes()),
        ("tabs", gbk(tabs)),
    ];
    for (case, bytes) in files {
        let file = read(&bytes);
        assert_eq!(file.unread, [], "{case}");
        let [message] = &file.messages[..] else { panic!("{case}: {:?}", file.messages) };
        assert_eq!((message.kind, &*message.message_id), (AnswerKind::Table, ""), "{case}");
        assert_eq!(message.answers, expected, "{case}");
    }
}

#[test]
fn words_of_a_status() {
    let cases = [
        ("paid", Said::Paid),
        ("Success", Said::Paid),
        ("已支付", Said::Paid),
        ("交易成功", Said::Paid),
        ("ACSC", Said::Paid),
        ("拒付", Said::Rejected),
        ("FAILED", Said::Rejected),
        ("RJCT", Said::Rejected),
        ("退汇", Said::Returned),
        ("returned", Said::Returned),
        ("处理中", Said::Pending),
        ("ACSP", Said::Pending),
    ];
    for (word, said) in cases {
        let file = read(format!("end_to_end_id,status\nX1,{word}\n").as_bytes());
        assert_eq!(file.unread, [], "{word}");
        assert_eq!(file.messages[0].answers[0].said, said, "{word}");
    }
}

#[test]
fn a_row_that_cannot_be_read_is_told_and_the_rest_stands() {
    let text = "end_to_end_id,status,amount,account_no\n\
                X1,paid,1.005,1\n\
                X2,paid,-1.00,1\n\
                X3,returned,-1.00,1\n\
                X4,也许,1.00,1\n\
                X5,paid,1.00,6.22E+18\n\
                X6,paid,1.00,6222021234567890123.0\n\
                X7,paid,1.00\n\
                X8,,1.00,1\n\
                X9,paid,１．５０,1\n";
    let file = read(text.as_bytes());
    let read: Vec<_> = file.messages[0]
        .answers
        .iter()
        .map(|a| (a.record, &*a.end_to_end_id, a.amount_fen))
        .collect();
    assert_eq!(read, [(3, "X3", Some(100)), (9, "X9", Some(150))]);
    let expected = [
        (1, "amount \"1.005\""),
        (2, "amount -100 fen"),
        (4, "status \"也许\"; expected paid 成功"),
        (5, "account_no \"6.22E+18\" went through a float"),
        (6, "account_no \"6222021234567890123.0\" went through a float"),
        (7, "3 fields; expected 4"),
        (8, "status \"\""),
    ];
    let told = why(&file);
    assert_eq!(told.len(), expected.len(), "{told:?}");
    for ((record, what), (at, expected)) in told.into_iter().zip(expected) {
        assert!(record == at && what.starts_with(expected), "{record} {what}");
    }
}

#[test]
fn a_header_that_means_one_thing_twice_is_refused() {
    let file = read("端到端标识,状态,金额,实付金额\nX1,成功,1,2\n".as_bytes());
    assert_eq!(file.messages, []);
    assert!(
        why(&file)[0].1.contains("\"金额\" and \"实付金额\" mean the same"),
        "{:?}",
        file.unread
    );
    // Neither status nor which payment: no table of answers.
    for header in ["end_to_end_id,amount", "status,amount", "a,b", "payment_no,status"] {
        let file = read(format!("{header}\nX1,1\n").as_bytes());
        assert!(why(&file)[0].1.starts_with("a text that is neither XML"), "{header}");
    }
}

#[test]
fn rows_of_a_long_table_keep_their_numbers() {
    // Some pieces of a mebibyte each.
    let rows = 60_000_u32;
    let mut text = "payment_no,status,amount,reason\n".to_owned();
    for row in 1..=rows {
        let reason = if row % 1000 == 0 { "\"two\nlines\"" } else { "a reason that takes room" };
        let (yuan, fen) = (row / 100, row % 100);
        writeln!(text, "2026-09-{row:06},paid,{yuan}.{fen:02},{reason}").unwrap();
    }
    assert!(text.len() > 2 << 20);
    let file = read(text.as_bytes());
    assert_eq!(file.unread, []);
    let answers = &file.messages[0].answers;
    assert_eq!(answers.len(), rows as usize);
    for (number, answer) in (1_u32..).zip(answers) {
        assert_eq!((answer.record, answer.amount_fen), (number, Some(i64::from(number))));
    }
}

#[test]
fn a_workbook_of_answers() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write(0, 1, "代发结果").unwrap();
    for (column, header) in (1_u16..).zip(["端到端标识", "状态", "金额", "原因", "日期", "账号"])
    {
        sheet.write(2, column, header).unwrap();
    }
    let moment = Format::new().set_num_format("yyyy-mm-dd hh:mm");
    sheet.write(3, 1, "X1").unwrap();
    sheet.write(3, 2, "成功").unwrap();
    sheet.write_number(3, 3, 0.1 + 0.2).unwrap();
    let at = ExcelDateTime::parse_from_str("2026-10-09 13:45").unwrap();
    sheet.write_datetime_with_format(3, 5, &at, &moment).unwrap();
    sheet.write(3, 6, "6222021234567890123").unwrap();
    sheet.write(4, 1, "X2").unwrap();
    sheet.write(4, 2, "退汇").unwrap();
    sheet.write_number(4, 3, 1234.5).unwrap();
    sheet.write(4, 4, "账户已销户").unwrap();
    sheet.write(4, 5, "2026-10-10").unwrap();
    sheet.write_number(4, 6, 6_222_021_234_567_890_123.0).unwrap();
    sheet.write(6, 1, "X3").unwrap();
    sheet.write(6, 2, "处理中").unwrap();
    sheet.write_number(6, 6, 622_202.0).unwrap();
    let file = read(&book.save_to_buffer().unwrap());
    let told: Vec<_> = file.messages[0]
        .answers
        .iter()
        .map(|a| (a.record, &*a.end_to_end_id, a.said, a.amount_fen, a.bank_date, &*a.account_no))
        .collect();
    assert_eq!(
        told,
        [
            (1, "X1", Said::Paid, Some(30), date(9), "6222021234567890123"),
            (4, "X3", Said::Pending, None, None, "622202"),
        ]
    );
    let [(record, what)] = why(&file)[..] else { panic!("{:?}", file.unread) };
    assert!(record == 2 && what.contains("went through a float"), "{what}");
}

fn profile(name: &str) -> BatchProfile {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/reference/profiles").join(name);
    BatchProfile::parse(name, &fs::read_to_string(path).unwrap()).unwrap()
}

fn batch(bytes: &[u8], profiles: &[BatchProfile]) -> AnswerFile {
    read_answer_bytes("b.txt", bytes, profiles)
}

const PIPES: &str = "P|3|30050\r\n\
                     1|0622|甲园|10000|E1|2026-09-000001|0||||\r\n\
                     2|0623|乙丨园|20000|E2|2026-09-000002|1|AC01|账号不存在||20261010\r\n\
                     3|0624|丙园|50|E3|2026-09-000003|9|||S3|\r\n\
                     ########\r\n";

#[test]
fn a_batch_text_is_read_by_the_profile_that_fits() {
    let profiles = [profile("payroll.toml"), profile("pipe_batch.toml")];
    let file = batch(&gbk(PIPES), &profiles);
    assert_eq!(file.unread, []);
    let [message] = &file.messages[..] else { panic!() };
    assert_eq!(message.kind, AnswerKind::Batch);
    let row = |record: u32, said, status: &str, name: &str, fen| Answer {
        said,
        status: status.into(),
        end_to_end_id: format!("E{record}").into(),
        instruction_id: format!("2026-09-{record:06}").into(),
        account_no: format!("062{}", record + 1).into(),
        account_name: name.into(),
        amount_fen: Some(fen),
        record,
        ..Answer::default()
    };
    let expected = [
        row(1, Said::Paid, "0", "甲园", 10_000),
        Answer {
            reason_code: "AC01".into(),
            reason: "账号不存在".into(),
            bank_date: date(10),
            ..row(2, Said::Rejected, "1", "乙丨园", 20_000)
        },
        Answer { bank_ref: "S3".into(), ..row(3, Said::Pending, "9", "丙园", 50) },
    ];
    assert_eq!(message.answers, expected);

    // A second byte of GBK may be that of the separator: 渱 is D0 7C.
    let tricky = PIPES.replace("甲园", "渱园");
    assert!(gbk("渱").contains(&b'|'));
    assert_eq!(&*batch(&gbk(&tricky), &profiles).messages[0].answers[0].account_name, "渱园");

    let fixed = |status: &str, reason: &str| {
        let mut line =
            format!("{:>6}{:<32}{:>015}{:<35}{status}", 1, "0622", 12_340, "E1").into_bytes();
        let mut reason = gbk(reason);
        reason.resize(60, b' ');
        line.extend(reason);
        line.extend(format!("{:<32}20261010", "S1").bytes());
        line
    };
    let text = [fixed("00", ""), fixed("02", "账户已销户")].join(&b"\r\n"[..]);
    let file = batch(&text, &profiles);
    assert_eq!(file.unread, []);
    let told: Vec<_> = file.messages[0]
        .answers
        .iter()
        .map(|a| (a.said, &*a.account_no, a.amount_fen, &*a.reason, &*a.bank_ref, a.bank_date))
        .collect();
    let row = |said, reason| (said, "0622", Some(12_340), reason, "S1", date(10));
    assert_eq!(told, [row(Said::Paid, ""), row(Said::Returned, "账户已销户")]);
}

#[test]
fn edges_of_a_batch_text() {
    let fixed = [profile("payroll.toml")];
    let line = |date: &str| {
        format!("{:>6}{:<32}{:>015}{:<35}99{:<60}{:<32}{date}", 1, "0622", 1, "E1", "", "")
    };
    // Blanks at the end get lost on the way; a line longer or much shorter has another shape.
    let file = batch(line("").trim_end().as_bytes(), &fixed);
    assert_eq!(file.messages, [], "the status would stand at the end of the line");
    let file = batch(line("").as_bytes(), &fixed);
    assert_eq!(file.unread, []);
    let answer = &file.messages[0].answers[0];
    assert_eq!((answer.said, answer.amount_fen, answer.bank_date), (Said::Pending, Some(1), None));
    let file = batch(line("20261010 x").as_bytes(), &fixed);
    assert_eq!(file.messages, []);

    let pipes = [profile("pipe_batch.toml")];
    // Nothing to answer: the control line and the end mark say so.
    let file = batch(b"P|0|0\n########\n", &pipes);
    assert_eq!((file.unread.len(), file.messages[0].answers.len()), (0, 0));
    // A control line of another form is not compared; a separator at the end is no field.
    let text = PIPES.replace("P|3|30050", "P|3|30050|x").replace("20261010\r", "20261010|\r");
    let file = batch(&gbk(&text), &pipes);
    assert_eq!((file.unread.len(), file.messages[0].answers.len()), (0, 3));
    // UTF-8 read as GBK: 乙丨园 and 账号不存在 have an odd count of bytes, and the last of each takes
    // the separator behind it for its second.
    let file = batch(PIPES.as_bytes(), &pipes);
    let ids: Vec<&str> = file.messages[0].answers.iter().map(|a| &*a.end_to_end_id).collect();
    assert_eq!(ids, ["E1", "E3"]);
    let [(record, what)] = why(&file)[..] else { panic!("{:?}", file.unread) };
    assert!(record == 2 && what.contains("9 fields; expected 11"), "{what}");
}

#[test]
fn a_batch_text_that_does_not_tie_or_breaks_off_is_told() {
    let profiles = [profile("payroll.toml"), profile("pipe_batch.toml")];
    let told = |text: &str| {
        let file = batch(&gbk(text), &profiles);
        let rows = file.messages.first().map_or(0, |message| message.answers.len());
        let why: Vec<(u32, String)> =
            file.unread.into_iter().map(|unread| (unread.record, unread.what)).collect();
        (rows, why)
    };
    let (rows, why) = told(&PIPES.replace("P|3|30050", "P|4|30051"));
    assert_eq!(rows, 3);
    assert!(why[0].1.contains("count \"4\", the rows come to 3"), "{why:?}");
    assert!(why[1].1.contains("total \"30051\", the rows come to 30050"), "{why:?}");
    assert_eq!((why.len(), why[0].0, why[1].0), (2, 0, 0));

    let (rows, why) = told(&PIPES.replace("########", ""));
    assert_eq!((rows, why.len()), (0, 1));
    assert!(why[0].1.contains("no end mark"), "{why:?}");

    let (rows, why) = told(&PIPES.replace("|9|||S3", "|7|||S3"));
    assert_eq!((rows, why.len()), (2, 1));
    assert!(
        why[0].0 == 3 && why[0].1.contains("status \"7\"; expected one of 0, 1, 2, 9"),
        "{why:?}"
    );

    let twins = [
        profile("pipe_batch.toml"),
        BatchProfile { id: "twin".to_owned(), ..profile("pipe_batch.toml") },
    ];
    let file = batch(&gbk(PIPES), &twins);
    assert_eq!(file.messages, []);
    assert!(file.unread[0].what.contains("pipe_batch and twin fit alike"), "{:?}", file.unread);
    let file = batch(&gbk(PIPES), &[]);
    assert!(file.unread[0].what.contains("nor of a profile"), "{:?}", file.unread);
}
