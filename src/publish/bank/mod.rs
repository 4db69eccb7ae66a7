//! The files that go out to bank and treasury at a release: payments in, bytes out (FORMATS 3.3 to 3.5,
//! `docs/pay.md`).
//!
//! In: [`Outgoing`]. Out: names and bytes. Order: at a release, from the run folder alone. Never: a
//! file that says something else than `payments.csv`; what does not fit is an error, and then none is
//! written.

mod batch;
mod error;
mod pain001;
mod voucher;
mod xml;

pub use error::{BankError, Place, Wide};

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::PayFile;
use super::folder::Contents;
use super::pay_file::PayBudgetLine;
use super::sheet::{Sheet, Values};
use crate::domain::{Date, Fen, Month, beijing_day};
use crate::job::{BatchProfile, PAIN001, VOUCHER_8207};
use crate::schedule::{BATCH_MOST, batch_number, batch_part, batch_stem};

/// Held payments, each with its reason.
const HELD: &str = "held.csv";

/// Other files of a release folder, which no file of a profile may replace.
const TAKEN: [&str; 4] = ["release.json", "payments.csv", "schedule.xlsx", HELD];

/// What goes out.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Run id.
    pub run_id: &'a str,
    /// Job id.
    pub job: &'a str,
    /// Period, `YYYY-MM`.
    pub period: &'a str,
    /// When the run was released, RFC 3339.
    pub at: &'a str,
    /// `pay.json` of the run.
    pub pay: &'a PayFile,
    /// Bytes of its `payments.csv`.
    pub payments: &'a [u8],
}

/// A file: its name, bytes, and rows and money it holds.
pub type BankFile = (String, Vec<u8>, Contents);

/// Makes every file the job names, and `held.csv`. The same run and time give the same bytes.
///
/// # Errors
/// The first payment and field that a file cannot say, or a profile that cannot be used.
pub fn bank_files(out: &Outgoing<'_>) -> Result<Vec<BankFile>, BankError> {
    let day = beijing_day(out.at).ok_or_else(|| BankError::Moment { found: out.at.to_owned() })?;
    let rows = rows(out.payments)?;
    let (held, due): (Vec<Row>, Vec<Row>) =
        rows.into_iter().partition(|row| !row.hold_reason.is_empty());
    let mut dues = Vec::with_capacity(due.len());
    for row in due.into_iter().filter(|row| row.amount_fen > 0) {
        dues.push(Due::of(row, day, out.pay)?);
    }
    let total = sum(dues.iter().map(|due| due.amount))?;
    let period =
        Month::parse(out.period).map_err(|error| BankError::Payments(error.to_string()))?;
    let stem = batch_stem(period, out.run_id);
    let batches = batches(out, period, &dues)?;
    let release = Release { out, day, total, stem, batches, dues: &dues };
    let mut files = vec![self::held(&held, out.pay)?];
    for name in &out.pay.pay.files {
        match name.as_str() {
            PAIN001 if dues.is_empty() => {}
            PAIN001 => files.push(pain001::file(&release)?),
            VOUCHER_8207 => files.extend(voucher::files(&release)?),
            _ => {
                let text = out.pay.profiles.get(name);
                let text = text.ok_or_else(|| BankError::NoProfile { name: name.clone() })?;
                let profile = BatchProfile::parse(name, text)?;
                files.extend(batch::files(&release, &profile)?);
            }
        }
    }
    let mut names: BTreeSet<String> = TAKEN.iter().map(|name| (*name).to_owned()).collect();
    for (name, ..) in files.iter().skip(1) {
        if !names.insert(name.to_lowercase()) {
            return Err(BankError::SameName { name: name.clone() });
        }
    }
    Ok(files)
}

/// A release on its way into files.
struct Release<'a> {
    out: &'a Outgoing<'a>,
    /// Day of the release in Beijing.
    day: Date,
    /// What is paid, fen.
    total: Fen,
    /// What the numbers of its batches begin with.
    stem: String,
    /// What is paid.
    dues: &'a [Due<'a>],
    /// The same by pay date and budget line.
    batches: Vec<Batch<'a>>,
}

/// A line of `payments.csv`.
#[derive(Debug, Deserialize)]
struct Row {
    payment_no: String,
    end_to_end_id: String,
    institution_id: String,
    account_name: String,
    account_no: String,
    bank_name: String,
    bank_no: String,
    budget_doc_no: String,
    source: String,
    pay_on: Option<String>,
    amount_fen: i64,
    hold_reason: String,
}

/// A payment that is to be made.
struct Due<'a> {
    row: Row,
    amount: Fen,
    pay_on: Date,
    institution_name: &'a str,
    line: Option<(usize, &'a PayBudgetLine)>,
}

impl<'a> Due<'a> {
    fn of(row: Row, day: Date, pay: &'a PayFile) -> Result<Self, BankError> {
        let of = pay.payments.get(&row.payment_no);
        let unknown = || BankError::Unknown { payment_no: row.payment_no.clone() };
        let of = of.ok_or_else(unknown)?;
        let line = match of.budget_line {
            None => None,
            Some(at) => Some((at, pay.budget_lines.get(at).ok_or_else(unknown)?)),
        };
        let pay_on = match row.pay_on.as_deref().filter(|text| !text.is_empty()) {
            None => day,
            Some(text) => {
                Date::parse_iso(text).map_err(|error| BankError::Payments(error.to_string()))?
            }
        };
        let amount = Fen(row.amount_fen);
        Ok(Self { row, amount, pay_on, institution_name: &of.institution_name, line })
    }

    /// A field of it in messages.
    fn place(&self, field: &str) -> Place {
        Place { payment: Some(self.row.payment_no.clone()), field: field.to_owned() }
    }
}

/// Payments of one budget line and pay date: one voucher, one block of `pain.001`.
struct Batch<'a> {
    /// Number no other run has: period, run and place.
    number: String,
    pay_on: Date,
    line: Option<&'a PayBudgetLine>,
    dues: Vec<&'a Due<'a>>,
    total: Fen,
}

fn batches<'a>(
    out: &Outgoing<'_>,
    period: Month,
    dues: &'a [Due<'a>],
) -> Result<Vec<Batch<'a>>, BankError> {
    // In an order that whoever knows the payments alone can tell too. Lines of one source and 指标文号
    // that differ in their codes stand apart, as parts of one number: who knows the payments alone
    // cannot tell which is which.
    type Line<'l> = (Date, &'l str, &'l str);
    let mut groups: BTreeMap<Line<'_>, BTreeMap<usize, Vec<&Due<'_>>>> = BTreeMap::new();
    for due in dues {
        let line = due.line.map_or(usize::MAX, |(at, _)| at);
        let key = (due.pay_on, &*due.row.source, &*due.row.budget_doc_no);
        groups.entry(key).or_default().entry(line).or_default().push(due);
    }
    let mut batches = Vec::new();
    let mut at = 0;
    for lines in groups.values() {
        let count: usize = lines.values().map(Vec::len).sum();
        let pieces = lines.values().flat_map(|line| line.chunks(BATCH_MOST));
        for (part, piece) in pieces.enumerate() {
            let number = if lines.len() > 1 {
                batch_part(&batch_number(period, out.run_id, at), part)
            } else {
                batch_number(period, out.run_id, at + part)
            };
            batches.push(Batch {
                number,
                pay_on: piece.first().map_or_else(Date::default, |due| due.pay_on),
                line: piece.first().and_then(|due| due.line).map(|(_, line)| line),
                total: sum(piece.iter().map(|due| due.amount))?,
                dues: piece.to_vec(),
            });
        }
        at += count.div_ceil(BATCH_MOST);
    }
    Ok(batches)
}

fn sum(amounts: impl IntoIterator<Item = Fen>) -> Result<Fen, BankError> {
    let mut amounts = amounts.into_iter();
    amounts.try_fold(Fen(0), Fen::checked_add).ok_or(BankError::Overflow)
}

fn rows(bytes: &[u8]) -> Result<Vec<Row>, BankError> {
    let mut reader = csv::Reader::from_reader(bytes);
    let rows: Result<Vec<Row>, _> = reader.deserialize().collect();
    rows.map_err(|error| BankError::Payments(error.to_string()))
}

/// `held.csv`: what is not paid yet, and why. It stands there when nothing is held, too.
fn held(rows: &[Row], pay: &PayFile) -> Result<BankFile, BankError> {
    let mut sheet = Sheet::new("held", rows.len());
    let mut text = |name: &str, pick: &dyn Fn(&Row) -> String| {
        sheet.put(name, "", Values::Text(rows.iter().map(pick).collect()));
    };
    let name = |row: &Row| pay.payments.get(&row.payment_no).map(|of| of.institution_name.clone());
    text("payment_no", &|row| row.payment_no.clone());
    text("end_to_end_id", &|row| row.end_to_end_id.clone());
    text("institution_id", &|row| row.institution_id.clone());
    text("institution_name", &|row| name(row).unwrap_or_default());
    text("account_name", &|row| row.account_name.clone());
    text("account_no", &|row| row.account_no.clone());
    text("bank_name", &|row| row.bank_name.clone());
    text("bank_no", &|row| row.bank_no.clone());
    sheet.put("amount_fen", "", Values::Fen(rows.iter().map(|row| row.amount_fen).collect()));
    sheet.put(
        "hold_reason",
        "",
        Values::Text(rows.iter().map(|row| row.hold_reason.clone()).collect()),
    );
    let mut bytes = Vec::new();
    super::delimited::write(&sheet, &mut bytes).map_err(|e| BankError::Payments(e.to_string()))?;
    let fen = sum(rows.iter().map(|row| Fen(row.amount_fen)))?;
    Ok((HELD.to_owned(), bytes, contents(rows.len(), fen)))
}

fn contents(rows: usize, fen: Fen) -> Contents {
    Contents { rows: u64::try_from(rows).ok(), fen: Some(fen.0) }
}
