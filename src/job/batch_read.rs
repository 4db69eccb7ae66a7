//! The text of a batch profile -> [`BatchProfile`], with all its faults at once.

use super::batch_answer::{self, WireAnswer};
use super::batch_profile::{
    BatchFault, BatchField, BatchProfile, BatchProfileError, BatchValue, FieldSource,
};
use super::batch_shape::{Align, AmountShape, DatePattern, LineEnd, TextEncoding};
use crate::domain::Fen;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    kind: String,
    id: String,
    title: String,
    encoding: Option<String>,
    line_end: Option<String>,
    separator: Option<String>,
    #[serde(default)]
    head: Vec<WireField>,
    #[serde(default)]
    detail: Vec<WireField>,
    #[serde(default)]
    tail: Vec<WireField>,
    end_mark: Option<String>,
    rows_per_file: Option<i64>,
    amount_limit: Option<String>,
    file_name: String,
    answer: Option<WireAnswer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireField {
    name: Option<String>,
    from: Option<String>,
    value: Option<String>,
    width: Option<i64>,
    align: Option<String>,
    pad: Option<String>,
    #[serde(default)]
    codes: BTreeMap<String, String>,
    date: Option<String>,
    unit: Option<String>,
    point: Option<bool>,
    #[serde(default)]
    required: bool,
}

/// Most bytes of a field.
const WIDEST: i64 = 1000;
/// Most payments of a file, and most lines to pass over.
pub(super) const MOST_ROWS: i64 = 1_000_000;

pub(super) struct Faults<'n> {
    name: &'n str,
    found: Vec<BatchFault>,
}

impl Faults<'_> {
    pub(super) fn add(&mut self, place: &str, message: impl Into<String>) {
        let (name, place) = (self.name.to_owned(), place.to_owned());
        self.found.push(BatchFault { name, place, message: message.into() });
    }
}

pub(super) fn read(name: &str, text: &str) -> Result<BatchProfile, BatchProfileError> {
    let mut faults = Faults { name, found: Vec::new() };
    let wire: Wire = match toml::from_str(text) {
        Ok(wire) => wire,
        Err(cause) => {
            faults.add("", cause.to_string());
            return Err(BatchProfileError(faults.found));
        }
    };
    if wire.kind != "batch" {
        faults.add("kind", format!("{:?}; expected \"batch\"", wire.kind));
    }
    if !is_word(&wire.id) {
        faults.add("id", format!("{:?}; expected letters, digits, _ and -", wire.id));
    }
    let encoding = encoding(wire.encoding.as_deref(), "encoding", &mut faults).unwrap_or_default();
    let line_end = match wire.line_end.as_deref() {
        None | Some("crlf") => LineEnd::CrLf,
        Some("lf") => LineEnd::Lf,
        Some(found) => {
            faults.add("line_end", format!("{found:?}; expected \"crlf\" or \"lf\""));
            LineEnd::CrLf
        }
    };
    let separator = wire.separator;
    let separator = separated(separator.as_deref(), encoding, "separator", &mut faults);
    let mark = marked(wire.end_mark.as_deref(), encoding, "end_mark", &mut faults);
    let mut lines = [("head", wire.head), ("detail", wire.detail), ("tail", wire.tail)].map(
        |(line, fields)| {
            let mut read = Vec::with_capacity(fields.len());
            for (at, field) in fields.into_iter().enumerate() {
                let place = format!("{line} field {}", at + 1);
                let of_line =
                    Line { place, detail: line == "detail", separator: separator.as_deref() };
                read.extend(self::field(field, encoding, &of_line, &mut faults));
            }
            read
        },
    );
    let [head, detail, tail] = lines.each_mut().map(std::mem::take);
    if detail.is_empty() && faults.found.is_empty() {
        faults.add("detail", "no field; expected one [[detail]] a field of a payment's line");
    }
    let rows_per_file = wire.rows_per_file.and_then(|rows| {
        let legal = (1..=MOST_ROWS).contains(&rows);
        if !legal {
            let message = format!("{rows}; expected a whole number from 1 to {MOST_ROWS}");
            faults.add("rows_per_file", message);
        }
        legal.then(|| usize::try_from(rows).unwrap_or(usize::MAX))
    });
    let amount_limit = wire.amount_limit.and_then(|text| match Fen::parse(&text) {
        Ok(fen) if fen.0 > 0 => Some(fen),
        _ => {
            let message = format!("{text:?}; expected an amount in yuan as \"50000000.00\"");
            faults.add("amount_limit", message);
            None
        }
    });
    file_name(&wire.file_name, rows_per_file.is_some() || amount_limit.is_some(), &mut faults);
    let own = (encoding, separator.as_deref());
    let answer = wire.answer.map(|answer| batch_answer::read(answer, own, &mut faults));
    if !faults.found.is_empty() {
        return Err(BatchProfileError(faults.found));
    }
    Ok(BatchProfile {
        id: wire.id,
        title: wire.title,
        encoding,
        line_end,
        separator,
        head,
        detail,
        tail,
        end_mark: mark,
        rows_per_file,
        amount_limit,
        file_name: wire.file_name,
        answer,
    })
}

/// A word that may stand in a file name and is no way to another folder.
fn is_word(text: &str) -> bool {
    let legal = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    !text.is_empty() && text.chars().all(legal)
}

pub(super) fn encoding(
    word: Option<&str>,
    place: &str,
    faults: &mut Faults<'_>,
) -> Option<TextEncoding> {
    let word = word?;
    let found = TextEncoding::of(word);
    if found.is_none() {
        faults.add(place, format!("{word:?}; expected \"GBK\", \"GB18030\" or \"UTF-8\""));
    }
    found
}

pub(super) fn separated(
    text: Option<&str>,
    encoding: TextEncoding,
    place: &str,
    faults: &mut Faults<'_>,
) -> Option<String> {
    let text = text?;
    if text.is_empty() || text.contains(['\r', '\n']) {
        let hint = "for fields of a fixed width leave the key out and give each its width";
        let message = format!("{text:?}; expected one or more characters of a line; hint: {hint}");
        faults.add(place, message);
    }
    written(text, encoding, place, faults);
    Some(text.to_owned())
}

pub(super) fn marked(
    text: Option<&str>,
    encoding: TextEncoding,
    place: &str,
    faults: &mut Faults<'_>,
) -> Option<String> {
    let text = text?;
    if text.is_empty() || text.contains(['\r', '\n']) {
        faults.add(place, format!("{text:?}; expected the characters of one line"));
    }
    written(text, encoding, place, faults);
    Some(text.to_owned())
}

/// The length of a constant in bytes; a character the encoding does not have is a fault.
fn written(
    text: &str,
    encoding: TextEncoding,
    place: &str,
    faults: &mut Faults<'_>,
) -> Option<usize> {
    match encoding.encode(text) {
        Ok(bytes) => Some(bytes.len()),
        Err(found) => {
            let code = u32::from(found);
            let message =
                format!("{text:?} has {found:?} (U+{code:04X}), which {} has not", encoding.word());
            faults.add(place, message);
            None
        }
    }
}

pub(super) fn width(width: Option<i64>, place: &str, faults: &mut Faults<'_>) -> Option<usize> {
    let width = width?;
    if !(1..=WIDEST).contains(&width) {
        faults.add(place, format!("width {width}; expected 1 to {WIDEST} bytes"));
    }
    usize::try_from(width).ok()
}

/// The place of a field and what its line demands.
struct Line<'l> {
    place: String,
    detail: bool,
    separator: Option<&'l str>,
}

fn field(
    wire: WireField,
    encoding: TextEncoding,
    line: &Line<'_>,
    faults: &mut Faults<'_>,
) -> Option<BatchField> {
    let place = &*match &wire.name {
        Some(name) => format!("{} ({name})", line.place),
        None => line.place.clone(),
    };
    let source = match (wire.from, wire.value) {
        (Some(word), None) => {
            let Some(value) = BatchValue::of(&word) else {
                let known: Vec<&str> = BatchValue::ALL.iter().map(|(known, _)| *known).collect();
                let known = known.join(", ");
                faults.add(place, format!("comes from {word:?}; expected one of: {known}"));
                return None;
            };
            if value.is_of_payment() && !line.detail {
                let hint = "put it into a [[detail]] field";
                let message = format!("{word} is of one payment; expected a value of the file");
                faults.add(place, format!("{message}; hint: {hint}"));
            }
            FieldSource::Value(value)
        }
        (None, Some(text)) => FieldSource::Constant(text),
        (from, _) => {
            let found = if from.is_some() { "both" } else { "neither" };
            faults.add(place, format!("has {found} of from and value; expected one of them"));
            return None;
        }
    };
    let value = match &source {
        FieldSource::Value(value) => Some(*value),
        FieldSource::Constant(_) => None,
    };
    let width = width(wire.width, place, faults);
    if width.is_none() && wire.width.is_none() && line.separator.is_none() {
        let hint = "or state a separator";
        faults.add(place, format!("has no width; expected width = BYTES; hint: {hint}"));
    }
    if let FieldSource::Constant(text) = &source {
        constant(text, width, encoding, line.separator, place, faults);
    }
    let figures = value.is_some_and(|value| value.is_amount() || value.is_number());
    for (code, text) in &wire.codes {
        let of = format!("{place}, code {code:?}");
        if figures || value.is_some_and(BatchValue::is_date) || value.is_none() {
            faults.add(&of, "codes stand for texts; expected from = a text of the payment");
        }
        constant(text, width, encoding, line.separator, &of, faults);
    }
    let align = match wire.align.as_deref() {
        None => {
            if figures {
                Align::Right
            } else {
                Align::Left
            }
        }
        Some("left") => Align::Left,
        Some("right") => Align::Right,
        Some(found) => {
            faults.add(place, format!("align {found:?}; expected \"left\" or \"right\""));
            Align::Left
        }
    };
    let mut pad = if figures { '0' } else { ' ' };
    if let Some(text) = &wire.pad {
        let mut found = text.chars();
        match (found.next(), found.next()) {
            (Some(one), None) if one == ' ' || one.is_ascii_graphic() => pad = one,
            _ => faults.add(place, format!("pad {text:?}; expected one ASCII character")),
        }
    }
    if figures && align == Align::Left && pad == '0' && line.separator.is_none() {
        let hint = "align = \"right\", or pad = \" \"";
        faults.add(place, format!("a number padded with zeros after it is another; hint: {hint}"));
    } else if line.separator.is_none() && value.is_some_and(|value| changes(value, align, pad)) {
        let zero = if figures { ", or \"0\" in front" } else { "" };
        let message = format!("pad {pad:?} makes another value of it; expected a blank{zero}");
        faults.add(place, message);
    }
    let date = date(wire.date.as_deref(), value.is_some_and(BatchValue::is_date), place, faults);
    let amount = value.is_some_and(BatchValue::is_amount);
    let amount = self::amount(wire.unit.as_deref(), wire.point, amount, place, faults);
    let name = wire.name.unwrap_or_else(|| match &source {
        FieldSource::Value(value) => value.word().to_owned(),
        FieldSource::Constant(text) => text.clone(),
    });
    let (codes, required) = (wire.codes, wire.required);
    Some(BatchField { name, source, width, align, pad, codes, date, amount, required })
}

/// Whether a value with so many of a pad beside it reads as another one.
fn changes(value: BatchValue, align: Align, pad: char) -> bool {
    let figures = value.is_amount() || value.is_number();
    let name = matches!(
        value,
        BatchValue::EndToEndId
            | BatchValue::PaymentNo
            | BatchValue::InstitutionId
            | BatchValue::AccountNo
            | BatchValue::BankNo
            | BatchValue::BatchNo
            | BatchValue::PayerAccountNo
            | BatchValue::PayerBankNo
            | BatchValue::RunId
    );
    let sign = figures && matches!(pad, '+' | '-' | '.' | ',');
    let zeros = figures && align == Align::Right && pad == '0';
    let after = figures || name || align == Align::Left;
    sign || pad.is_ascii_alphanumeric() && after && !zeros
}

/// A text that every file or line of the profile has: it has to fit.
fn constant(
    text: &str,
    width: Option<usize>,
    encoding: TextEncoding,
    separator: Option<&str>,
    place: &str,
    faults: &mut Faults<'_>,
) {
    if text.contains(['\r', '\n']) || separator.is_some_and(|sign| text.contains(sign)) {
        let message = format!("{text:?} has the separator or a line end; expected a text without");
        faults.add(place, message);
    }
    let bytes = written(text, encoding, place, faults);
    if let (Some(width), Some(bytes)) = (width, bytes)
        && bytes > width
    {
        faults.add(place, format!("{text:?} has {bytes} bytes; expected at most {width}"));
    }
}

pub(super) fn date(
    pattern: Option<&str>,
    is_date: bool,
    place: &str,
    faults: &mut Faults<'_>,
) -> DatePattern {
    let Some(text) = pattern else { return DatePattern::default() };
    if !is_date {
        faults.add(place, "has date and is none; expected it on a date only");
    }
    let read = DatePattern::parse(text);
    if read.is_none() {
        let expected = "YYYY, MM and DD once each, as \"YYYY-MM-DD\"";
        faults.add(place, format!("date {text:?}; expected {expected}"));
    }
    read.unwrap_or_default()
}

pub(super) fn amount(
    unit: Option<&str>,
    point: Option<bool>,
    is_amount: bool,
    place: &str,
    faults: &mut Faults<'_>,
) -> AmountShape {
    if !is_amount && (unit.is_some() || point.is_some()) {
        faults.add(place, "has unit or point and is no amount; expected them on amounts only");
    }
    match (unit, point) {
        (Some("yuan"), None | Some(true)) => AmountShape::Yuan,
        (Some("yuan"), Some(false)) => AmountShape::YuanWithoutPoint,
        (Some("fen"), None | Some(false)) => AmountShape::Fen,
        (Some("fen"), Some(true)) => {
            faults.add(place, "fen have no decimals; expected point = false or unit = \"yuan\"");
            AmountShape::Fen
        }
        (None, _) => {
            if is_amount {
                faults.add(place, "has no unit; expected unit = \"yuan\" or \"fen\"");
            }
            AmountShape::Yuan
        }
        (Some(found), _) => {
            faults.add(place, format!("unit {found:?}; expected \"yuan\" or \"fen\""));
            AmountShape::Yuan
        }
    }
}

/// What a file name may ask for.
const IN_NAMES: [&str; 7] =
    ["{job}", "{period}", "{profile}", "{part}", "{parts}", "{date}", "{batch_no}"];

fn file_name(pattern: &str, split: bool, faults: &mut Faults<'_>) {
    let mut rest = pattern.to_owned();
    for known in IN_NAMES {
        rest = rest.replace(known, "0");
    }
    let legal = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if rest.is_empty() || rest.starts_with('.') || !rest.chars().all(legal) {
        let known = IN_NAMES.join(" ");
        let message = format!("{pattern:?}; expected letters, digits, _ - . and any of {known}");
        faults.add("file_name", message);
    }
    if split && !pattern.contains("{part}") && !pattern.contains("{batch_no}") {
        let hint = "rows_per_file and amount_limit make several files";
        let message = format!("{pattern:?} has no {{part}}; expected it; hint: {hint}");
        faults.add("file_name", message);
    }
}
