//! Batch texts of banks that come back, by the `[answer]` of a profile.

use super::{Gathered, message, shown, without_success};
use crate::domain::{Answer, AnswerKind};
use crate::job::{
    AnswerField, AnswerPart, AnswerProfile, BatchField, BatchProfile, BatchValue, FieldSource,
    TextEncoding,
};
use encoding_rs::{GB18030, GBK};
use rayon::prelude::*;
use std::borrow::Cow;

/// Lines that are looked at to see whether a profile fits.
const SAMPLE: usize = 20;

/// The lines of a file, sorted by what they are.
struct Lines<'b> {
    control: Option<&'b [u8]>,
    rows: Vec<&'b [u8]>,
    /// Whether the end mark stands last, where the profile has one.
    ended: bool,
}

/// Lines behind those to pass over that hold something; line feeds are no part of a character in
/// any of the encodings.
fn filled(bytes: &[u8], skip: usize) -> impl Iterator<Item = &[u8]> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes
        .split(|byte| *byte == b'\n')
        .skip(skip)
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.trim_ascii().is_empty())
}

fn lines<'b>(answer: &AnswerProfile, bytes: &'b [u8]) -> Lines<'b> {
    let mut rows: Vec<&[u8]> = filled(bytes, answer.skip).collect();
    // A profile has no mark that its encoding has not.
    let encoded = |mark: &String| answer.encoding.encode(mark).ok();
    let mut ended = true;
    if let Some(mark) = answer.end_mark.as_ref().and_then(encoded) {
        ended = rows.last().is_some_and(|line| line.trim_ascii() == mark.trim_ascii());
        if ended {
            rows.pop();
        }
    }
    // One line is the control line; what begins like it behind is a row, and told where it is none.
    let control = answer.control.as_ref().and_then(encoded).and_then(|start| {
        let at = rows.iter().position(|line| line.starts_with(&start))?;
        Some(rows.remove(at))
    });
    Lines { control, rows, ended }
}

/// Whether the bytes have the shape of a profile's answers: its count of fields, or its width, in most
/// of the first rows, with an amount and a status that can be read in one of them. A file without rows
/// needs the control line and the end mark.
pub(super) fn fits(profile: &BatchProfile, bytes: &[u8]) -> bool {
    let Some(answer) = &profile.answer else { return false };
    let Lines { control, rows, ended } = lines(answer, bytes);
    let rows = rows.get(..SAMPLE).unwrap_or(&rows);
    if rows.is_empty() {
        return ended && control.is_some() && answer.end_mark.is_some();
    }
    let cut = rows.iter().filter(|row| fields(answer, row).is_ok()).count();
    2 * cut > rows.len() && rows.iter().any(|row| one(profile, answer, row).is_ok())
}

/// Reads the answers of a file that fits.
pub(super) fn read(profile: &BatchProfile, bytes: &[u8], gathered: &mut Gathered) {
    let Some(answer) = &profile.answer else { return };
    let Lines { control, rows, ended } = lines(answer, bytes);
    if !ended {
        let mark = answer.end_mark.as_deref().unwrap_or_default();
        let what = format!(
            "{}: {} rows and no end mark; expected {mark:?} as last line, the file is cut off and \
             unread as a whole; hint: ask for it again",
            profile.id,
            rows.len()
        );
        return gathered.tell(0, what);
    }
    let read: Vec<Result<Answer, String>> =
        rows.par_iter().map(|row| one(profile, answer, row)).collect();
    let mut sum = Some(0_i128);
    let mut found = message(AnswerKind::Batch);
    for outcome in read {
        let record = gathered.number();
        match outcome {
            Ok(mut answer) => {
                answer.record = record;
                // A row without an amount is in no sum, and then there is none.
                sum = sum.zip(answer.amount_fen).map(|(sum, fen)| sum + i128::from(fen));
                found.answers.push(answer);
            }
            Err(what) => {
                sum = None;
                gathered.tell(record, format!("{}: {what}", profile.id));
            }
        }
    }
    if let Some(control) = control {
        check(profile, answer, control, (rows.len(), sum), gathered);
    }
    gathered.messages.push(found);
}

/// Count and total of the control line, where it has the form of the head we send.
fn check(
    profile: &BatchProfile,
    answer: &AnswerProfile,
    line: &[u8],
    (count, sum): (usize, Option<i128>),
    gathered: &mut Gathered,
) {
    let Some(values) = head(profile, answer, line) else { return };
    for (field, text) in profile.head.iter().zip(&values) {
        let (told, found) = match field.source {
            FieldSource::Value(BatchValue::Count) => {
                (text.parse::<i128>().ok(), Some(count as i128))
            }
            FieldSource::Value(BatchValue::Total) => {
                (field.amount.read(text).map(|fen| i128::from(fen.0)), sum)
            }
            _ => continue,
        };
        // Rows that could not be read are told, others have no amount; their sum says nothing then.
        let Some(found) = found else { continue };
        if told != Some(found) {
            gathered.tell(0, format!(
                "{}: the control line says {} {:?}, the rows come to {found}; expected the same; \
                 hint: ask whether rows are missing",
                profile.id,
                field.name,
                shown(text)
            ));
        }
    }
}

/// The values of a control line; `None` where it has another form.
fn head(profile: &BatchProfile, answer: &AnswerProfile, line: &[u8]) -> Option<Vec<String>> {
    let widths = profile.head.iter().map(|field: &BatchField| field.width);
    let values = cut(answer, line, widths.collect()).ok()?;
    if values.iter().any(|text| broken(text)) {
        return None;
    }
    let constant = |(field, text): (&BatchField, &String)| match &field.source {
        FieldSource::Constant(wanted) => wanted == text,
        FieldSource::Value(_) => true,
    };
    profile.head.iter().zip(&values).all(constant).then_some(values)
}

fn fields(answer: &AnswerProfile, line: &[u8]) -> Result<Vec<String>, String> {
    let values = cut(answer, line, answer.fields.iter().map(|field| field.width).collect())?;
    // Half a character, as names and reasons are cut, spoils no more than a hint.
    let hint = |is| matches!(is, None | Some(AnswerPart::AccountName | AnswerPart::Reason));
    let spoilt = |(field, text): (&AnswerField, &String)| !hint(field.is) && broken(text);
    if answer.fields.iter().zip(&values).any(spoilt) {
        return Err(format!("bytes that are not {}", answer.encoding.word()));
    }
    Ok(values)
}

/// Refuses a line that ends inside a last field that nobody may guess.
fn whole(answer: &AnswerProfile, line: &[u8]) -> Result<(), String> {
    let (None, Some(last)) = (&answer.separator, answer.fields.last()) else { return Ok(()) };
    let figure = match last.is {
        Some(
            part @ (AnswerPart::Amount
            | AnswerPart::Status
            | AnswerPart::EndToEndId
            | AnswerPart::PaymentNo
            | AnswerPart::AccountNo),
        ) => part.word(),
        _ => return Ok(()),
    };
    let widths = answer.fields.iter().filter_map(|field| field.width).sum::<usize>();
    if line.len() >= widths {
        return Ok(());
    }
    Err(format!("{} bytes, the {figure} at the end is cut off; expected {widths}", line.len()))
}

/// A line cut into so many trimmed values: by the separator, or by widths in bytes. What is no
/// character is U+FFFD in them.
fn cut(
    answer: &AnswerProfile,
    line: &[u8],
    widths: Vec<Option<usize>>,
) -> Result<Vec<String>, String> {
    if let Some(separator) = &answer.separator {
        // Cut as text: the second byte of a character may be that of the separator.
        let text = decoded(answer.encoding, line);
        let mut values: Vec<String> =
            text.split(&**separator).map(|value| value.trim().to_owned()).collect();
        if values.len() == widths.len() + 1 && values.last().is_some_and(String::is_empty) {
            values.pop();
        }
        if values.len() == widths.len() {
            return Ok(values);
        }
        return Err(format!("{} fields; expected {}", values.len(), widths.len()));
    }
    let widths: Vec<usize> = widths.into_iter().map(Option::unwrap_or_default).collect();
    let whole: usize = widths.iter().sum();
    // Blanks at the end of a line get lost on the way.
    let least = whole - widths.last().copied().unwrap_or(0);
    let beyond = line.get(whole..).unwrap_or_default();
    if line.len() < least || !beyond.trim_ascii().is_empty() {
        return Err(format!("{} bytes; expected {whole}", line.len()));
    }
    let mut values = Vec::with_capacity(widths.len());
    let mut from = 0;
    for width in widths {
        let until = (from + width).min(line.len());
        let value = line.get(from..until).unwrap_or_default();
        values.push(decoded(answer.encoding, value).trim().to_owned());
        from = until;
    }
    Ok(values)
}

fn decoded(encoding: TextEncoding, bytes: &[u8]) -> Cow<'_, str> {
    match encoding {
        TextEncoding::Gbk => GBK.decode_without_bom_handling(bytes).0,
        TextEncoding::Gb18030 => GB18030.decode_without_bom_handling(bytes).0,
        TextEncoding::Utf8 => String::from_utf8_lossy(bytes),
    }
}

fn broken(text: &str) -> bool {
    text.contains(char::REPLACEMENT_CHARACTER)
}

/// One row.
fn one(profile: &BatchProfile, answer: &AnswerProfile, line: &[u8]) -> Result<Answer, String> {
    whole(answer, line)?;
    let values = fields(answer, line)?;
    let mut row = Answer::default();
    for (field, text) in answer.fields.iter().zip(values) {
        match field.is {
            Some(AnswerPart::EndToEndId) => row.end_to_end_id = text.into(),
            Some(AnswerPart::PaymentNo) => row.instruction_id = text.into(),
            Some(AnswerPart::AccountNo) => row.account_no = text.into(),
            Some(AnswerPart::AccountName) => row.account_name = text.into(),
            Some(AnswerPart::Amount) if text.is_empty() => {}
            Some(AnswerPart::Amount) => {
                let fen = field.amount.read(&text).filter(|fen| fen.0 >= 0);
                let expected =
                    || format!("amount {:?}; expected one as in {}", shown(&text), profile.id);
                row.amount_fen = Some(fen.ok_or_else(expected)?.0);
            }
            Some(AnswerPart::Status) => {
                let expected = || {
                    let known: Vec<&str> = answer.status.keys().map(String::as_str).collect();
                    format!("status {:?}; expected one of {}", shown(&text), known.join(", "))
                };
                row.said = answer.said(&text).ok_or_else(expected)?;
                row.status = text.into();
            }
            Some(AnswerPart::ReasonCode) => row.reason_code = text.into(),
            Some(AnswerPart::Reason) => row.reason = text.into(),
            Some(AnswerPart::BankRef) => row.bank_ref = text.into(),
            Some(AnswerPart::Date) => row.bank_date = field.date.read(&text),
            None => {}
        }
    }
    without_success(&mut row);
    Ok(row)
}
