//! What goes to a bank together: payments of one pay date and budget line, and the number it bears.

use crate::domain::Month;

/// Most payments of one voucher and one block of `pain.001`: a treasury takes fewer than 500 details.
pub const BATCH_MOST: usize = 499;

/// What the numbers of a run's batches begin with: the period and six digits of the run id.
#[must_use]
pub fn batch_stem(period: Month, run_id: &str) -> String {
    let run: String = run_id.chars().take(6).collect();
    format!("{}{:02}{}", period.year(), period.number(), run.to_uppercase())
}

/// The id of the message that pays a run: `MsgId` of a pain.001, which has room for 35 characters.
#[must_use]
pub fn message_id(run_id: &str) -> &str {
    run_id.get(..32).unwrap_or(run_id)
}

/// The number of a batch, which no other batch of any run has: `PmtInfId` of a pain.001 and
/// `VoucherNo` of an 8207. `at` is its place from 0 in the order of pay date, funding source, 指标文号;
/// payments beyond [`BATCH_MOST`] are the next batch.
#[must_use]
pub fn batch_number(period: Month, run_id: &str, at: usize) -> String {
    format!("{}{:04}", batch_stem(period, run_id), at + 1)
}

/// The number of a part of a batch: of payments of one source and 指标文号 whose budget lines differ in
/// other codes. `part` is its place from 0.
#[must_use]
pub fn batch_part(number: &str, part: usize) -> String {
    format!("{number}{PART}{}", part + 1)
}

/// The number of the batch that a number is a part of, if it is one.
#[must_use]
pub fn batch_of_part(number: &str) -> Option<&str> {
    let (batch, part) = number.rsplit_once(PART)?;
    part.bytes().all(|byte| byte.is_ascii_digit()).then_some(batch)
}

/// No digit of a run id.
const PART: char = 'L';
