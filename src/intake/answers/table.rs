//! Answers as a table (`answers` 回单): CSV, XLSX or XLS with headers in English or Chinese.

use super::{Gathered, day, message, said_of_status, shown, without_success};
use crate::domain::{Answer, AnswerKind, Date, Said};
use crate::intake::found::Found;
use crate::intake::value::{self, Unread as Fault};
use crate::intake::workbook::{self, Refusal};
use crate::intake::{PIECE_BYTES, cut, delimited as text_file};
use calamine::Data;
use csv::ByteRecord;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Rows above the header, at most: a title, who made it, when.
const HEADER_WITHIN: u32 = 10;

/// Columns of a table, with the headers that mean them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Column {
    EndToEndId,
    PaymentNo,
    Status,
    Amount,
    ReasonCode,
    Reason,
    Date,
    AccountNo,
    AccountName,
    BankRef,
    Currency,
}

const HEADERS: &[(Column, &[&str])] = &[
    (Column::EndToEndId, &["end_to_end_id", "端到端标识", "端到端标识号", "端到端编号"]),
    (Column::PaymentNo, &["payment_no", "支付编号", "付款编号", "支付单号"]),
    (
        Column::Status,
        &["status", "状态", "支付状态", "付款状态", "交易状态", "处理状态", "支付结果", "处理结果"],
    ),
    (Column::Amount, &["amount", "金额", "支付金额", "付款金额", "交易金额", "实付金额"]),
    (Column::ReasonCode, &["reason_code", "原因代码", "原因码", "失败原因代码"]),
    (Column::Reason, &["reason", "原因", "失败原因", "退回原因", "退汇原因"]),
    (Column::Date, &["date", "日期", "支付日期", "付款日期", "交易日期", "处理日期"]),
    (Column::AccountNo, &["account_no", "账号", "帐号", "收款账号", "收款人账号"]),
    (Column::AccountName, &["account_name", "户名", "收款户名", "收款人户名", "收款人名称"]),
    (Column::BankRef, &["bank_ref", "银行流水号", "交易流水号", "流水号"]),
    (Column::Currency, &["currency", "币种"]),
];

const STATUSES: &[(Said, &[&str])] = &[
    (
        Said::Paid,
        &[
            "paid",
            "success",
            "successful",
            "成功",
            "支付成功",
            "付款成功",
            "交易成功",
            "已支付",
            "已付款",
        ],
    ),
    (
        Said::Rejected,
        &[
            "rejected",
            "refused",
            "failed",
            "失败",
            "支付失败",
            "付款失败",
            "交易失败",
            "拒付",
            "拒绝",
            "已拒绝",
        ],
    ),
    (Said::Returned, &["returned", "退回", "已退回", "退汇", "已退汇", "退票", "已退票"]),
    (
        Said::Pending,
        &["pending", "processing", "处理中", "待处理", "支付中", "付款中", "已受理", "在途"],
    ),
];

/// Statuses of ISO 20022 that a table may hold.
const ISO: &[&str] = &[
    "ACSC", "ACCC", "ACTC", "ACCP", "ACSP", "ACWC", "ACWP", "PDNG", "RCVD", "PATC", "RJCT", "CANC",
];

/// Where each column stands.
type Places = BTreeMap<Column, usize>;

/// Which columns a row of headers names; `None` where it is no header of answers.
fn places(headers: &[String]) -> Option<Result<Places, String>> {
    let mut places = Places::new();
    let mut twice = None;
    for (at, header) in headers.iter().enumerate() {
        let header = header.to_lowercase();
        let named = HEADERS.iter().find(|(_, names)| names.contains(&&*header));
        if let Some((column, _)) = named
            && let Some(before) = places.insert(*column, at)
        {
            twice.get_or_insert((before, at));
        }
    }
    let has = |column| places.contains_key(&column);
    // A number of ours is short: account or amount has to agree with it.
    let (account, amount) = (has(Column::AccountNo), has(Column::Amount));
    let tells_which = has(Column::EndToEndId)
        || has(Column::PaymentNo) && (account || amount)
        || account && amount;
    if !has(Column::Status) || !tells_which {
        return None;
    }
    Some(match twice {
        Some((one, other)) => Err(format!(
            "the columns {:?} and {:?} mean the same; expected one of them; hint: take one out",
            headers[one], headers[other]
        )),
        None => Ok(places),
    })
}

/// The header of a delimited text.
struct Header {
    separator: u8,
    /// Columns of it.
    width: usize,
    /// Where the rows begin.
    start: usize,
    places: Result<Places, String>,
}

fn header(text: &[u8]) -> Option<Header> {
    (1..=HEADER_WITHIN).find_map(|row| {
        let separator = text_file::separator(text, Some(row));
        let (headers, start) = text_file::header(text, separator, Some(row))?;
        let places = places(&headers)?;
        Some(Header { separator, width: headers.len(), start, places })
    })
}

/// Lines of a delimited text up to where its answers begin; `None` where it is no table of answers.
pub(super) fn head_lines(text: &str) -> Option<usize> {
    let Header { start, .. } = header(text.as_bytes())?;
    Some(text.bytes().take(start).filter(|byte| *byte == b'\n').count())
}

/// Reads a delimited text that is one.
pub(super) fn delimited(text: &str, gathered: &mut Gathered) {
    let text = text.as_bytes();
    let Some(Header { separator, width, start, places }) = header(text) else { return };
    match places {
        Err(what) => gathered.tell(0, what),
        Ok(places) => {
            let body = text.get(start..).unwrap_or_default();
            records(body, separator, width, &places, gathered);
        }
    }
}

/// Rows of a piece: record number in it, and what was read.
type Rows = Vec<(u32, Result<Answer, String>)>;

fn records(body: &[u8], separator: u8, width: usize, places: &Places, gathered: &mut Gathered) {
    let pieces: Vec<(u32, Rows)> = cut::pieces(body, separator, PIECE_BYTES)
        .into_par_iter()
        .map(|range| {
            let piece = body.get(range).unwrap_or_default();
            let mut reader = text_file::reader(piece, separator);
            let (mut fields, mut record, mut rows) = (ByteRecord::new(), 0_u32, Vec::new());
            // Reading from memory with flexible lengths cannot fail.
            while reader.read_byte_record(&mut fields).unwrap_or(false) {
                record = record.saturating_add(1);
                if fields.iter().all(|field| field.trim_ascii().is_empty()) {
                    continue;
                }
                let read = if fields.len() == width {
                    answer(places, |at| Found::Text(fields.get(at).unwrap_or_default()))
                } else {
                    Err(format!("{} fields; expected {width}, as in the header", fields.len()))
                };
                rows.push((record, read));
            }
            (record, rows)
        })
        .collect();
    let mut rows = Vec::new();
    let mut before = 0_u32;
    for (count, piece) in pieces {
        rows.extend(piece.into_iter().map(|(at, read)| (before.saturating_add(at), read)));
        before = before.saturating_add(count);
    }
    close(rows, gathered);
}

fn close(rows: Rows, gathered: &mut Gathered) {
    let mut found = message(AnswerKind::Table);
    found.answers.reserve_exact(rows.len());
    for (record, read) in rows {
        gathered.record = record;
        match read {
            Ok(mut answer) => {
                answer.record = record;
                found.answers.push(answer);
            }
            Err(what) => gathered.tell(record, what),
        }
    }
    gathered.messages.push(found);
}

/// Reads the first sheet of a workbook.
pub(super) fn workbook(bytes: &[u8], format: &str, gathered: &mut Gathered) {
    let sheet = match workbook::opened(bytes, None, format) {
        Ok(sheet) => sheet,
        Err(Refusal::Damaged(reason)) => {
            return gathered.refuse(&format!("no readable {format} workbook: {reason}"));
        }
        Err(Refusal::NoSheet(_)) => return gathered.refuse("a workbook without sheets"),
    };
    for (header_row, cells) in sheet.iter().take(HEADER_WITHIN as usize) {
        let headers: Vec<String> = cells.values().map(workbook::header_text).collect();
        let columns: Vec<u32> = cells.keys().copied().collect();
        let places = match places(&headers) {
            None => continue,
            Some(Err(what)) => return gathered.tell(0, what),
            Some(Ok(places)) => places,
        };
        let mut rows = Vec::new();
        for (at, row) in sheet.range(header_row.saturating_add(1)..) {
            let cell = |place: usize| columns.get(place).and_then(|column| row.get(column));
            if places.values().all(|place| cell(*place).is_none_or(workbook::blank)) {
                continue;
            }
            let read = answer(&places, |place| match cell(place) {
                None => Found::Empty,
                Some(Data::DateTime(moment)) if !moment.is_duration() => {
                    // Unlike in a delivery the time of day is let go: a bank tells when it booked.
                    let (year, month, day, ..) = moment.to_ymd_hms_milli();
                    Date::from_ymd(i32::from(year), u32::from(month), u32::from(day))
                        .map_or(Found::Broken("date out of range"), Found::Date)
                }
                Some(cell) => workbook::found(cell),
            });
            rows.push((at - header_row, read));
        }
        return close(rows, gathered);
    }
    gathered.refuse("a workbook whose first sheet has no header of answers");
}

/// One row.
fn answer<'a>(places: &Places, cell: impl Fn(usize) -> Found<'a>) -> Result<Answer, String> {
    let found = |column: Column| places.get(&column).map_or(Found::Empty, |at| cell(*at));
    let words = |column| found(column).text().map(|text| clean(&text)).unwrap_or_default();
    let key = |column, what: &str| -> Result<Box<str>, String> {
        let cell = found(column);
        let lost = || {
            let shown = shown(&cell.told());
            format!("{what} {shown:?} went through a float; expected text; hint: format it as text")
        };
        let text = clean(&cell.text().ok_or_else(lost)?);
        let read = value::identifier(&text).map_err(|_| lost())?;
        Ok(Box::from(&*read.value))
    };
    let status = words(Column::Status);
    let said = said(&status).ok_or_else(|| {
        let expected = "paid 成功, rejected 失败, returned 退回 or pending 处理中";
        format!("status {:?}; expected {expected}", shown(&status))
    })?;
    let mut amount_fen = amount(found(Column::Amount))?;
    if let Some(fen) = amount_fen
        && fen < 0
    {
        // A return may be written as what it takes back.
        let back = (said == Said::Returned).then(|| fen.checked_neg()).flatten();
        let below = || format!("amount {fen} fen; expected none below zero but of a return");
        amount_fen = Some(back.ok_or_else(below)?);
    }
    let date = found(Column::Date);
    let mut answer = Answer {
        said,
        status: status.into(),
        end_to_end_id: key(Column::EndToEndId, "end_to_end_id")?,
        instruction_id: key(Column::PaymentNo, "payment_no")?,
        account_no: key(Column::AccountNo, "account_no")?,
        account_name: words(Column::AccountName).into(),
        amount_fen,
        currency: words(Column::Currency).into(),
        reason_code: words(Column::ReasonCode).into(),
        reason: words(Column::Reason).into(),
        bank_ref: key(Column::BankRef, "bank_ref")?,
        bank_date: match date {
            Found::Date(date) => Some(date),
            _ => date.text().and_then(|text| day(&clean(&text))),
        },
        ..Answer::default()
    };
    without_success(&mut answer);
    Ok(answer)
}

/// Trimmed, full-width forms narrowed.
fn clean(text: &str) -> String {
    value::trimmed(&value::half_width(text)).to_owned()
}

fn said(status: &str) -> Option<Said> {
    if ISO.contains(&status) {
        return Some(said_of_status(status));
    }
    let status = status.to_lowercase();
    STATUSES.iter().find(|(_, words)| words.contains(&&*status)).map(|(said, _)| *said)
}

/// An amount in yuan, in fen; `None` for an empty cell.
fn amount(found: Found<'_>) -> Result<Option<i64>, String> {
    let read = match found {
        Found::Empty => return Ok(None),
        Found::Text(raw) if raw.trim_ascii().is_empty() => return Ok(None),
        Found::Text(raw) => match value::plain_money(raw) {
            Some(fen) => Ok(fen),
            None => std::str::from_utf8(raw)
                .map_err(|_| Fault::Shape)
                .and_then(|text| value::money(&clean(text)))
                .map(|read| read.value),
        },
        Found::Int(whole) => whole.checked_mul(100).ok_or(Fault::TooLarge).and_then(value::bounded),
        Found::Float(float) => value::decimal_of_float(float)
            .ok_or(Fault::ThroughFloat)
            .and_then(|(yuan, _)| value::fen(yuan)),
        _ => Err(Fault::Shape),
    };
    read.map(Some).map_err(|_| {
        format!("amount {:?}; expected yuan with at most two decimals", shown(&found.told()))
    })
}
