//! `[answer]` of a batch profile: the text a bank sends back.

use super::batch_profile::{AnswerField, AnswerPart, AnswerProfile};
use super::batch_read::{Faults, MOST_ROWS, amount, date, encoding, marked, separated, width};
use super::batch_shape::TextEncoding;
use crate::domain::Said;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireAnswer {
    encoding: Option<String>,
    separator: Option<String>,
    #[serde(default)]
    skip: i64,
    control: Option<String>,
    end_mark: Option<String>,
    #[serde(default)]
    field: Vec<WireAnswerField>,
    #[serde(default)]
    status: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireAnswerField {
    is: Option<String>,
    width: Option<i64>,
    date: Option<String>,
    unit: Option<String>,
    point: Option<bool>,
}

/// Reads the section; encoding and separator are the profile's own where it states none.
pub(super) fn read(
    wire: WireAnswer,
    (own, own_separator): (TextEncoding, Option<&str>),
    faults: &mut Faults<'_>,
) -> AnswerProfile {
    let encoding = encoding(wire.encoding.as_deref(), "answer.encoding", faults).unwrap_or(own);
    let widths = wire.field.iter().any(|field| field.width.is_some());
    let stated = separated(wire.separator.as_deref(), encoding, "answer.separator", faults);
    let separator = stated.or_else(|| own_separator.filter(|_| !widths).map(str::to_owned));
    let control = marked(wire.control.as_deref(), encoding, "answer.control", faults);
    let end_mark = marked(wire.end_mark.as_deref(), encoding, "answer.end_mark", faults);
    if !(0..=MOST_ROWS).contains(&wire.skip) {
        faults.add("answer.skip", format!("{}; expected 0 to {MOST_ROWS} lines", wire.skip));
    }
    let mut fields: Vec<AnswerField> = Vec::with_capacity(wire.field.len());
    for (at, field) in wire.field.into_iter().enumerate() {
        let place = &*format!("answer field {}", at + 1);
        let is = field.is.as_deref().and_then(|word| {
            let found = AnswerPart::of(word);
            if found.is_none() {
                let known: Vec<&str> = AnswerPart::ALL.iter().map(|(known, _)| *known).collect();
                let known = known.join(", ");
                faults.add(place, format!("is {word:?}; expected one of: {known}"));
            }
            found
        });
        if is.is_some() && fields.iter().any(|earlier| earlier.is == is) {
            let word = field.is.as_deref().unwrap_or_default();
            faults.add(place, format!("is {word} as an earlier one; expected each once"));
        }
        let width = width(field.width, place, faults);
        if separator.is_none() && width.is_none() && field.width.is_none() {
            faults.add(place, "has no width; expected width = BYTES, or a separator");
        }
        let date = date(field.date.as_deref(), is == Some(AnswerPart::Date), place, faults);
        let of_amount = is == Some(AnswerPart::Amount);
        let amount = amount(field.unit.as_deref(), field.point, of_amount, place, faults);
        fields.push(AnswerField { is, width, amount, date });
    }
    let has = |part: AnswerPart| fields.iter().any(|field| field.is == Some(part));
    // A number of ours is short: account or amount has to agree with it.
    let (account, amount) = (has(AnswerPart::AccountNo), has(AnswerPart::Amount));
    let by_number = has(AnswerPart::PaymentNo) && (account || amount);
    let told = has(AnswerPart::EndToEndId) || by_number || account && amount;
    if !told {
        let expected =
            "end_to_end_id, payment_no with account_no or amount, or account_no with amount";
        faults.add("answer", format!("no field tells which payment; expected {expected}"));
    }
    if !has(AnswerPart::Status) {
        faults.add("answer", "no field is the status; expected is = \"status\" with its codes");
    }
    let mut status = BTreeMap::new();
    for (code, word) in wire.status {
        let said = match word.as_str() {
            "paid" => Said::Paid,
            "rejected" => Said::Rejected,
            "returned" => Said::Returned,
            "pending" => Said::Pending,
            _ => {
                let expected = "\"paid\", \"rejected\", \"returned\" or \"pending\"";
                faults.add("answer.status", format!("{code} = {word:?}; expected {expected}"));
                continue;
            }
        };
        status.insert(code, said);
    }
    if !status.values().any(|said| *said == Said::Paid) {
        let hint = "[answer.status] with a line CODE = \"paid\"";
        faults.add("answer.status", format!("no code means paid; expected one; hint: {hint}"));
    }
    let skip = usize::try_from(wire.skip).unwrap_or(0);
    AnswerProfile { encoding, separator, skip, control, end_mark, fields, status }
}
