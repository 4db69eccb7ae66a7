//! `finance_detail.csv` 惠企利民发放明细 with 实发 filled in: the rows of the run folder, and what of each the
//! bank has paid, in the settlement's payment or in a batch that paid it again.

use super::Reconciliation;
use crate::domain::Fen;
use crate::publish::Profile;
use crate::publish::sheet::yuan;
use rustc_hash::FxHashMap;

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
    let numbers: FxHashMap<&str, usize> = of
        .book
        .payments
        .iter()
        .enumerate()
        .take_while(|(at, _)| of.book.run_of[*at] == 0)
        .map(|(at, payment)| (&*payment.payment_no, at))
        .collect();
    // What was due of each payment in the rows before.
    let mut running = vec![0_i128; numbers.len()];
    let mut writer = csv::Writer::from_writer(Vec::with_capacity(detail.bytes.len()));
    writer.write_record(&header).ok()?;
    let (mut row, mut rows) = (csv::StringRecord::new(), 0);
    while reader.read_record(&mut row).ok()? {
        let at = numbers.get(row.get(number)?).copied();
        let Fen(own) = Fen::parse(row.get(due)?).ok()?;
        let part = at.map_or(0, |at| {
            let amount = of.book.payments[at].amount_fen;
            let sum = of.judged[at].map_or(0, |of| of.standing.paid);
            let sum = sum.saturating_add(of.repaid[at]).min(amount);
            let until = |due: i128| match i128::from(amount) {
                0 => 0,
                amount => (i128::from(sum) * due).div_euclid(amount),
            };
            let before = until(running[at]);
            running[at] += i128::from(own);
            // A part is no larger than the payment.
            i64::try_from(until(running[at]) - before).unwrap_or_default()
        });
        let part = yuan(part);
        let cells = row.iter().enumerate();
        writer.write_record(cells.map(|(at, cell)| if at == paid { &part } else { cell })).ok()?;
        rows += 1;
    }
    Some((writer.into_inner().ok()?, rows))
}
