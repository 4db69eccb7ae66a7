//! Answers 回单 that come back: files of banks and the treasury -> what they say of each payment.
//!
//! The format is told by the content, whatever the file is called. Read leniently, and nothing is
//! believed here: a document that breaks off is unread as a whole, an amount that is not whole
//! hundredths leaves its record unread, and what cannot be read is told with its record.

mod batch;
mod documents;
mod entry;
mod parts;
mod report;
mod statement;
mod table;
mod voucher;
mod xml;

use super::IntakeError;
use super::value::{self, Unread as Fault};
use crate::domain::{Answer, AnswerFile, AnswerKind, AnswerMessage, Date, Said, Unread, hex};
use crate::job::BatchProfile;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// What an answer may be, for those whose file is none.
const EXPECTED: &str = "expected an answer: pain.002, camt.052, camt.053, camt.054, a voucher 8207 or \
     2252, a batch text of a profile, or a table with the columns status and end_to_end_id";

/// Reads files of answers, in parallel inside the current rayon pool; in order of name, then hash.
///
/// `profiles` tell how batch texts of banks are to be read.
///
/// # Errors
/// When a file cannot be opened. What cannot be understood is in [`AnswerFile::unread`].
pub fn read_answers(
    paths: &[PathBuf],
    profiles: &[BatchProfile],
) -> Result<Vec<AnswerFile>, IntakeError> {
    let read = |path: &PathBuf| {
        let bytes = std::fs::read(path).map_err(|source| IntakeError::Unreadable {
            file: path.display().to_string(),
            source,
        })?;
        Ok(read_answer_bytes(&super::file_name(path), &bytes, profiles))
    };
    let mut files = paths.par_iter().map(read).collect::<Result<Vec<_>, IntakeError>>()?;
    files.sort_by(|a, b| (&a.name, &a.sha256).cmp(&(&b.name, &b.sha256)));
    Ok(files)
}

/// Reads one file of answers from its bytes. It never fails: what cannot be read is told in
/// [`AnswerFile::unread`], and a file without messages was refused.
#[must_use]
pub fn read_answer_bytes(name: &str, bytes: &[u8], profiles: &[BatchProfile]) -> AnswerFile {
    let (gathered, sha256) = rayon::join(
        || {
            let mut gathered = Gathered::default();
            gather(bytes, profiles, &mut gathered);
            gathered
        },
        || hex(&Sha256::digest(bytes)),
    );
    AnswerFile {
        name: name.to_owned(),
        sha256,
        bytes: bytes.len() as u64,
        messages: gathered.messages,
        unread: gathered.unread,
    }
}

/// The format is told by the first bytes, then by the header of a table or by the profiles; what is
/// both is neither.
fn gather(bytes: &[u8], profiles: &[BatchProfile], gathered: &mut Gathered) {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return gathered.refuse("an empty file");
    }
    for (mark, format) in [(super::XLSX, "XLSX"), (super::XLS, "XLS")] {
        if bytes.starts_with(mark) {
            return table::workbook(bytes, format, gathered);
        }
    }
    // Half a character is no text, and a profile may fit it all the same.
    let text = xml::text_of(bytes);
    let text = text
        .as_deref()
        .map(|text| text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}'));
    if let Ok(text) = text
        && text.starts_with('<')
    {
        return documents::read(text, gathered);
    }
    let fitting: Vec<&BatchProfile> =
        profiles.iter().filter(|profile| batch::fits(profile, bytes)).collect();
    let names = || {
        let names: Vec<&str> = fitting.iter().map(|profile| &*profile.id).collect();
        names.join(" and ")
    };
    // A profile that passes over the header of a table was made for files like it.
    let head = text.ok().and_then(table::head_lines);
    let knows = |profile: &BatchProfile| {
        let skip = profile.answer.as_ref().map_or(0, |answer| answer.skip);
        head.is_none_or(|head| skip >= head)
    };
    match (&fitting[..], text) {
        ([], Ok(text)) if head.is_some() => table::delimited(text, gathered),
        ([profile], _) if knows(profile) => batch::read(profile, bytes, gathered),
        (_, Ok(_)) if head.is_some() => {
            let what = format!(
                "a table of answers that {} fits alike; expected one; hint: give no profile, or \
                 one whose skip passes over the header",
                names()
            );
            gathered.tell(0, what);
        }
        ([], Err(found)) => gathered.refuse(&format!("no text: {found}")),
        ([], Ok(text)) if text.contains('\0') => gathered.refuse("bytes that are no text"),
        ([], Ok(_)) => {
            gathered.refuse("a text that is neither XML, nor a table of answers, nor of a profile");
        }
        _ => {
            let what = format!(
                "a text that {} fit alike; expected one; hint: give only the profile of the bank",
                names()
            );
            gathered.tell(0, what);
        }
    }
}

/// What a file has given so far.
#[derive(Debug, Default)]
struct Gathered {
    messages: Vec<AnswerMessage>,
    unread: Vec<Unread>,
    /// Records so far.
    record: u32,
}

impl Gathered {
    /// The number of the next record; the last number stands for all behind it.
    const fn number(&mut self) -> u32 {
        self.record = self.record.saturating_add(1);
        self.record
    }

    /// A record that cannot be read; 0 is the whole file.
    fn tell(&mut self, record: u32, what: String) {
        self.unread.push(Unread { record, what });
    }

    /// A file that is no answer.
    fn refuse(&mut self, found: &str) {
        self.tell(0, format!("{found}; {EXPECTED}"));
    }
}

/// A message that says nothing yet.
fn message(kind: AnswerKind) -> AnswerMessage {
    AnswerMessage {
        kind,
        message_id: Box::from(""),
        original_id: Box::from(""),
        answers: Vec::new(),
        batches: Vec::new(),
        statement: None,
    }
}

/// A decimal amount in hundredths, exactly: `12`, `12.3`, `12.3400`, `1,234.50`.
///
/// # Errors
/// What was found where it is none or finer than hundredths; nothing is rounded.
fn hundredths(text: &str) -> Result<i64, String> {
    if let Some(fen) = value::plain_money(text.as_bytes()) {
        return Ok(fen);
    }
    let exact = value::decimal(text).and_then(|decimal| {
        let factor = match decimal.scale {
            0 => 100,
            1 => 10,
            2 => 1,
            _ => return Err(Fault::TooFine),
        };
        let hundredths = decimal.mantissa.checked_mul(factor).ok_or(Fault::TooLarge)?;
        i64::try_from(hundredths).map_err(|_| Fault::TooLarge)
    });
    exact.map_err(|fault| {
        let expected = match fault {
            Fault::TooFine => "expected no more than hundredths, nothing is rounded",
            Fault::TooLarge => "expected an amount that can be",
            _ => "expected digits with a decimal point",
        };
        format!("amount {:?}; {expected}", shown(text))
    })
}

/// The day of an `ISODate`, `ISODateTime` or a date as people write it; a time of day and its zone
/// are let go. `None` where there is no day to be read.
fn day(text: &str) -> Option<Date> {
    let first = text.get(..10).and_then(|day| value::plain_date(day.as_bytes()));
    first.or_else(|| {
        let date = text.split(['T', ' ']).next().unwrap_or_default();
        value::date(date).ok().map(|read| read.value)
    })
}

/// The beginning of a text, for a message.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Reasons that say that all went well.
const SUCCESS: &[&str] = &["交易成功", "成功", "0000", "000000", "00"];

/// Whether code and words of a reason say nothing but success.
fn only_success(code: &str, words: &str) -> bool {
    let one = |text: &str| text.is_empty() || SUCCESS.contains(&text);
    let said = !code.is_empty() || !words.is_empty();
    said && one(code) && one(words)
}

/// Takes such a reason from what was paid: beside a part of a payment it would refuse the rest.
fn without_success(answer: &mut Answer) {
    if answer.said == Said::Paid && only_success(&answer.reason_code, &answer.reason) {
        answer.reason_code = Box::from("");
        answer.reason = Box::from("");
    }
}

/// What a payment status of ISO 20022 says.
///
/// Only ACSC (settled on our account) and ACCC (settled on the payee's) are money that has left. ACSP
/// says that settlement goes on, ACTC, ACCP, ACWC and ACFC that a check was passed, and a bank may
/// still refuse behind each of them; whatever else a bank says decides nothing either.
fn said_of_status(code: &str) -> Said {
    match code {
        "ACSC" | "ACCC" => Said::Paid,
        "RJCT" | "CANC" => Said::Rejected,
        _ => Said::Pending,
    }
}
