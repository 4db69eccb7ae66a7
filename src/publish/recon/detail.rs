//! `finance_detail.csv` 惠企利民发放明细 with 实发 filled in: the rows of the run folder, and what of each the
//! bank has paid, in the settlement's payment or in a batch that paid it again.

use super::Reconciliation;
use crate::domain::Fen;
use crate::publish::Profile;
use crate::publish::sheet::yuan;
use std::collections::BTreeMap;

/// The run folder's file, and the profile its columns are named by.
#[derive(Debug, Clone)]
pub struct Detail {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The profile.
    pub profile: Profile,
}

/// The file and its number of rows; `None` where the profile has no column for the number of the
/// payment, what is due or what was paid, or the file is not of this profile.
pub(super) fn text(of: &Reconciliation<'_>) -> Option<(Vec<u8>, usize)> {
    let detail = of.detail?;
    let mut reader = csv::Reader::from_reader(detail.bytes.as_slice());
    let header = reader.headers().ok()?.clone();
    let place = |field: &str| {
        let name = detail.profile.header_of(field)?;
        header.iter().position(|found| found == name)
    };
    let (number, due, paid) = (place("payment_no")?, place("payable")?, place("paid")?);
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().ok()?;
    let paid_of: BTreeMap<&str, (i64, i64)> = of
        .judged
        .iter()
        .enumerate()
        .filter(|(at, _)| of.book.run_of[*at] == 0)
        .map(|(at, judged)| {
            let payment = &of.book.payments[at];
            let own = judged.as_ref().map_or(0, |of| of.standing.paid);
            let paid = own.saturating_add(of.repaid[at]).min(payment.amount_fen);
            (&*payment.payment_no, (paid, payment.amount_fen))
        })
        .collect();
    // What was due of each payment in the rows before.
    let mut running: BTreeMap<&str, i128> = BTreeMap::new();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header).ok()?;
    for row in &rows {
        let (sum, amount) = paid_of.get(row.get(number)?).copied().unwrap_or((0, 0));
        let Fen(own) = Fen::parse(row.get(due)?).ok()?;
        let before = running.entry(row.get(number)?).or_default();
        let until = |due: i128| match i128::from(amount) {
            0 => 0,
            amount => (i128::from(sum) * due).div_euclid(amount),
        };
        let first = until(*before);
        *before += i128::from(own);
        let part = i64::try_from(until(*before) - first).ok()?;
        let cells = row
            .iter()
            .enumerate()
            .map(|(at, cell)| if at == paid { yuan(part) } else { cell.to_owned() });
        writer.write_record(cells).ok()?;
    }
    Some((writer.into_inner().ok()?, rows.len()))
}
