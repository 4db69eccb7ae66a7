//! Batch texts of banks, at their edges: cut lines, marks, lines to pass over, bytes that are no text.

use std::fmt::Write;
use tuoyu::domain::{AnswerFile, Said};
use tuoyu::intake::read_answer_bytes;
use tuoyu::job::BatchProfile;

/// A profile with these fields of the answer behind these keys of it; amounts are in fen.
fn profile(keys: &str, head: &str, fields: &[(&str, u32)]) -> BatchProfile {
    let separated = keys.contains("separator");
    let mut text = format!(
        "kind = \"batch\"\nid = \"b\"\ntitle = \"b\"\nseparator = \"|\"\nfile_name = \"b.txt\"\n{head}\
         [[detail]]\nfrom = \"account_no\"\n[answer]\n{keys}"
    );
    for (is, width) in fields {
        text += "[[answer.field]]\n";
        if !is.is_empty() {
            writeln!(text, "is = \"{is}\"").unwrap();
        }
        if !separated {
            writeln!(text, "width = {width}").unwrap();
        }
        if *is == "amount" {
            text += "unit = \"fen\"\n";
        }
    }
    text += "[answer.status]\n0 = \"paid\"\n1 = \"rejected\"\n";
    BatchProfile::parse("b.toml", &text).unwrap()
}

const PIPED: &str = "separator = \"|\"\n";
const PARTS: [(&str, u32); 3] = [("end_to_end_id", 4), ("amount", 6), ("status", 1)];
/// A control line of count and total.
const HEAD: &str = "[[head]]\nvalue = \"P\"\n[[head]]\nfrom = \"count\"\n[[head]]\nfrom = \"total\"\n\
                    unit = \"fen\"\n";

fn read(profile: &BatchProfile, bytes: &[u8]) -> AnswerFile {
    read_answer_bytes("b.txt", bytes, std::slice::from_ref(profile))
}

fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GBK.encode(text).0.into_owned()
}

fn ids(file: &AnswerFile) -> Vec<&str> {
    let answers = file.messages.iter().flat_map(|message| &message.answers);
    answers.map(|answer| &*answer.end_to_end_id).collect()
}

#[track_caller]
fn why(file: &AnswerFile) -> Vec<(u32, &str)> {
    file.unread.iter().map(|unread| (unread.record, &*unread.what)).collect()
}

#[test]
fn a_line_whose_last_figure_is_cut_is_unread() {
    let last = |is: &'static str, width| {
        let mut fields =
            vec![("end_to_end_id", 4), ("amount", 6), ("status", 1), ("account_no", 4)];
        fields.retain(|(known, _)| *known != is);
        fields.push((is, width));
        profile("", "", &fields)
    };
    // 012345 fen came as 0123.
    for (profile, good, cut) in [
        (last("amount", 6), "E1  00622012345", "E2  006220123"),
        (last("account_no", 4), "E1  01234500622", "E2  0123450062"),
        (last("end_to_end_id", 4), "01234500622E001", "01234500622E0"),
        (last("status", 2), "E1  01234506220 ", "E2  0123450622"),
    ] {
        let file = read(&profile, format!("{good}\n{cut}\n").as_bytes());
        let answers = &file.messages[0].answers;
        assert_eq!(answers.len(), 1, "{cut}");
        assert_eq!(answers[0].amount_fen, Some(12_345));
        let [(record, what)] = why(&file)[..] else { panic!("{:?}", file.unread) };
        assert!(record == 2 && what.contains("is cut off; expected"), "{what}");
    }
    // Words at the end may have lost their blanks.
    let file = read(&last("reason", 9), b"E1  01234500622no\n");
    assert_eq!((file.unread.len(), &*file.messages[0].answers[0].reason), (0, "no"));
}

#[test]
fn marks_are_compared_in_the_encoding_of_the_file() {
    let keys = format!("{PIPED}control = \"汇总\"\nend_mark = \"结束\"\n");
    let text = "汇总|1|100\nE1|100|0\n结束\n";
    let file = read(&profile(&keys, "", &PARTS), &gbk(text));
    assert_eq!((file.unread.len(), ids(&file)), (0, vec!["E1"]), "{:?}", file.unread);
}

#[test]
fn lines_to_pass_over_are_lines_of_the_file_and_one_control_line_is_one() {
    let skipping = profile(&format!("{PIPED}skip = 2\n"), "", &PARTS);
    // The second line is blank.
    let file = read(&skipping, "result\n\nE1|100|0\nE2|100|0\n".as_bytes());
    assert_eq!((file.unread.len(), ids(&file)), (0, vec!["E1", "E2"]));
    // P77 is an id; a second control line is a row of another shape.
    let control = profile(&format!("{PIPED}control = \"P\"\n"), HEAD, &PARTS);
    let file = read(&control, b"P|2|300\nP77|100|0\nE1|200|0\n");
    assert_eq!((file.unread.len(), ids(&file)), (0, vec!["P77", "E1"]));
    let file = read(&control, b"P|2|300\nE2|100|0\nE1|200|0\nP|1|5|x\n");
    assert_eq!(ids(&file), ["E2", "E1"]);
    let told = why(&file);
    assert!(told[0].0 == 3 && told[0].1.contains("4 fields; expected 3"), "{told:?}");
}

#[test]
fn an_empty_amount_is_in_no_sum() {
    let control = profile(&format!("{PIPED}control = \"P\"\n"), HEAD, &PARTS);
    let file = read(&control, b"P|2|300\nE1|100|0\nE2||0\n");
    assert_eq!((file.unread.len(), ids(&file)), (0, vec!["E1", "E2"]), "{:?}", file.unread);
    // Rows are counted all the same.
    let file = read(&control, b"P|3|300\nE1|100|0\nE2||0\n");
    let told = why(&file);
    assert!(told.len() == 1 && told[0].1.contains("the rows come to 2"), "{told:?}");
}

#[test]
fn half_a_character_spoils_its_field_alone() {
    let fields =
        [("end_to_end_id", 4), ("amount", 6), ("status", 1), ("reason", 5), ("bank_ref", 4)];
    let profile = profile("", "", &fields);
    // 账号 and the first byte of 不: five bytes, and what follows is no second one.
    let half = [b"E1  0001001".to_vec(), gbk("账号不")[..5].to_vec(), b"\"S1 ".to_vec()].concat();
    let lost = [b"E2  0001001     ".to_vec(), gbk("号")[..1].to_vec(), b"\"S1".to_vec()].concat();
    let good = b"E3  0001000     S3".to_vec();
    let file = read(&profile, &[half, lost, good].join(&b"\n"[..]));
    let answer = &file.messages[0].answers[0];
    assert_eq!(ids(&file), ["E1", "E3"]);
    assert_eq!((answer.said, &*answer.reason), (Said::Rejected, "账号\u{fffd}"));
    let [(record, what)] = why(&file)[..] else { panic!("{:?}", file.unread) };
    assert!(record == 2 && what.contains("bytes that are not GBK"), "{what}");
    // Of no profile: no text.
    let file = read_answer_bytes("b", b"E1\xff\xff\n", &[]);
    assert!(why(&file)[0].1.starts_with("no text"), "{:?}", file.unread);
}

#[test]
fn a_table_that_a_profile_fits_as_well_is_not_read() {
    let mut fields = PARTS;
    fields.swap(1, 2);
    let profile = profile("separator = \",\"\n", "", &fields);
    // 12345 fen by the profile, 12345 yuan by the table.
    let text = b"end_to_end_id,status,amount\nE1,0,12345\n";
    let file = read(&profile, text);
    assert_eq!(file.messages, []);
    let [(record, what)] = why(&file)[..] else { panic!("{:?}", file.unread) };
    assert!(record == 0 && what.starts_with("a table of answers that b fits alike"), "{what}");
    // A profile that passes over the header was made for such files, and says what is in them.
    let file = read(&self::profile("separator = \",\"\nskip = 1\n", "", &fields), text);
    assert_eq!((file.unread.len(), file.messages[0].answers[0].amount_fen), (0, Some(12_345)));
    // No row of it fits the profile: it is a table.
    let file = read(&profile, b"end_to_end_id,status,amount\nE1,paid,12345\n");
    assert_eq!((file.unread.len(), file.messages[0].answers[0].amount_fen), (0, Some(1_234_500)));
}

#[test]
fn success_is_no_reason() {
    let fields = [PARTS[0], PARTS[1], PARTS[2], ("reason_code", 1), ("reason", 1)];
    let text = "E1|100|0|0000|交易成功\nE2|100|0|0000|限额\nE3|100|0||成功\nE4|100|1|00|成功\n";
    let file = read(&profile(PIPED, "", &fields), &gbk(text));
    let told: Vec<_> = file.messages[0]
        .answers
        .iter()
        .map(|answer| (answer.said, &*answer.reason_code, &*answer.reason))
        .collect();
    let (paid, rejected) = (Said::Paid, Said::Rejected);
    let expected =
        [(paid, "", ""), (paid, "0000", "限额"), (paid, "", ""), (rejected, "00", "成功")];
    assert_eq!(told, expected);
    let text = "end_to_end_id,status,amount,reason_code,reason\nE1,paid,1.00,00,交易成功\n";
    let file = read_answer_bytes("a.csv", text.as_bytes(), &[]);
    let answer = &file.messages[0].answers[0];
    assert_eq!((&*answer.reason_code, &*answer.reason), ("", ""));
}
