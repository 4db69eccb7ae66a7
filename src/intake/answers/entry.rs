//! An entry of a statement and its details, as far as they are read.

use super::day;
use super::parts::{Sum, account, coded, inner_sum, join, kept, name, named};
use super::xml::{Broken, Taken, Walk};
use crate::domain::{Answer, Date};

/// Sub-family codes of credits that are returns: a payment returned, recalled, or returned by ACH.
const RETURNS: &[&str] = &["RRTN", "RPCR", "ARET"];

/// One `Ntry`.
#[derive(Default)]
pub(super) struct Entry {
    pub(super) sum: Option<Sum>,
    pub(super) credit: Option<bool>,
    pub(super) reversal: bool,
    pub(super) returned: bool,
    pub(super) status: Box<str>,
    pub(super) day: Option<Date>,
    pub(super) bank_ref: Box<str>,
    pub(super) words: String,
    pub(super) batch: Option<Batch>,
}

/// What `Btch` tells.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) count: Option<u32>,
    pub(super) reference: Box<str>,
    pub(super) message_id: Box<str>,
}

/// One `TxDtls`.
#[derive(Default)]
pub(super) struct Detail {
    pub(super) answer: Answer,
    pub(super) sum: Option<Sum>,
    /// What we had asked for, which may be in another currency.
    pub(super) instructed: Option<Sum>,
    pub(super) credit: Option<bool>,
    pub(super) returned: bool,
    pub(super) message_id: Box<str>,
    pub(super) debtor: Party,
    pub(super) creditor: Party,
    /// Words of a return, of the remitter, of the bank.
    pub(super) words: [String; 3],
}

impl Detail {
    /// The amount it tells of itself: its own, else what was asked for.
    fn own_sum(&self) -> Option<&Sum> {
        self.sum.as_ref().or(self.instructed.as_ref())
    }
}

#[derive(Default)]
pub(super) struct Party {
    pub(super) name: Box<str>,
    pub(super) account_no: Box<str>,
}

/// Credit or debit; `None` for another word.
pub(super) fn is_credit(word: &str) -> Option<bool> {
    match word {
        "CRDT" => Some(true),
        "DBIT" => Some(false),
        _ => None,
    }
}

/// Whether a bank transaction code is one of returns.
pub(super) fn code_returns(walk: &mut Walk<'_>, returned: &mut bool) -> Taken {
    walk.children(|walk, element| match element.name() {
        "Domn" => walk.children(|walk, element| match element.name() {
            "Fmly" => walk.children(|walk, element| {
                if element.name() == "SubFmlyCd" {
                    *returned |= RETURNS.contains(&&*walk.text()?);
                    return Ok(());
                }
                walk.skip()
            }),
            _ => walk.skip(),
        }),
        _ => walk.skip(),
    })
}

impl Entry {
    /// Its hundredths, and whether it is a credit.
    ///
    /// # Errors
    /// What is missing or cannot be read; then nothing of the entry can be placed.
    pub(super) fn read_sum(&self) -> Result<(i64, bool), String> {
        let sum = self.sum.as_ref().ok_or("no amount; expected Amt")?;
        let credit =
            self.credit.ok_or("neither debit nor credit; expected CdtDbtInd DBIT or CRDT")?;
        Ok((sum.hundredths.clone()?, credit))
    }
}

/// Why what a booked entry says of its details is not believed; `None` where they come to its
/// amount, or where nothing can be judged: in another currency, or with fewer of them than the file
/// counts.
///
/// The pair is the entry's amount and whether it is a credit; `count` is told of the batch.
pub(super) fn untied(
    details: &[Detail],
    entry: &Entry,
    (fen, credit): (i64, bool),
    count: Option<u32>,
) -> Option<String> {
    let currency = entry.sum.as_ref().map(|sum| &*sum.currency).unwrap_or_default();
    let (mut without, mut foreign, mut total) = (0_usize, false, 0_i128);
    for detail in details {
        match detail.own_sum().map(|sum| (&*sum.currency, &sum.hundredths)) {
            None | Some((_, Err(_))) => without += 1,
            Some((of, _)) if !of.is_empty() && of != currency => foreign = true,
            Some((_, Ok(of))) => {
                let with = detail.credit.is_none_or(|own| own == credit);
                total += i128::from(if with { *of } else { -*of });
            }
        }
    }
    let counted = count.and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
    let all = details.len();
    if without > 0 {
        return (all.max(counted) > 1).then(|| {
            format!(
                "the entry is {fen} hundredths and {without} of its {all} details have no amount; \
                 expected Amt in each, its details are not believed; hint: ask the bank for them"
            )
        });
    }
    (!foreign && all >= counted && total != i128::from(fen)).then(|| {
        format!(
            "the entry is {fen} hundredths and its details come to {total}; expected the same, its \
             details are not believed; hint: ask the bank for them"
        )
    })
}

/// The day of a `BookgDt`.
pub(super) fn booked(walk: &mut Walk<'_>, place: &mut Option<Date>) -> Taken {
    walk.children(|walk, _| {
        *place = day(&walk.text()?);
        Ok(())
    })
}

/// A `Btch`; of several in one entry the first reference stands.
pub(super) fn batch(walk: &mut Walk<'_>, batch: &mut Batch) -> Taken {
    walk.children(|walk, element| {
        match element.name() {
            "MsgId" if batch.message_id.is_empty() => batch.message_id = kept(walk)?,
            "PmtInfId" if batch.reference.is_empty() => batch.reference = kept(walk)?,
            "NbOfTxs" => {
                // Of several batches in one entry the numbers add up.
                let told: Option<u32> = walk.text()?.parse().ok();
                batch.count = match (batch.count, told) {
                    (Some(before), Some(more)) => before.checked_add(more),
                    (before, more) => before.or(more),
                };
            }
            _ => walk.skip()?,
        }
        Ok(())
    })
}

/// A `TxDtls`.
pub(super) fn detail(walk: &mut Walk<'_>) -> Result<Detail, Broken> {
    let mut detail = Detail::default();
    let Detail { answer, sum, instructed, credit, returned, message_id, debtor, creditor, words } =
        &mut detail;
    let [of_return, of_remitter, of_bank] = words;
    let mut transaction = None;
    walk.children(|walk, element| match element.name() {
        "Refs" => walk.children(|walk, element| {
            match element.name() {
                "EndToEndId" => answer.end_to_end_id = named(&walk.text()?),
                "InstrId" => answer.instruction_id = kept(walk)?,
                "PmtInfId" => answer.batch_ref = kept(walk)?,
                "AcctSvcrRef" => answer.bank_ref = kept(walk)?,
                "MsgId" => *message_id = kept(walk)?,
                _ => walk.skip()?,
            }
            Ok(())
        }),
        "Amt" => {
            *sum = Some(Sum::read(walk, element)?);
            Ok(())
        }
        "AmtDtls" => walk.children(|walk, element| match element.name() {
            "TxAmt" => inner_sum(walk, &mut transaction),
            "InstdAmt" => inner_sum(walk, instructed),
            _ => walk.skip(),
        }),
        "CdtDbtInd" => {
            *credit = is_credit(&walk.text()?);
            Ok(())
        }
        "BkTxCd" => code_returns(walk, returned),
        "RltdPties" => walk.children(|walk, element| match element.name() {
            "Cdtr" => name(walk, &mut creditor.name),
            "CdtrAcct" => account(walk, &mut creditor.account_no),
            "Dbtr" => name(walk, &mut debtor.name),
            "DbtrAcct" => account(walk, &mut debtor.account_no),
            _ => walk.skip(),
        }),
        "RtrInf" => {
            *returned = true;
            walk.children(|walk, element| {
                match element.name() {
                    "Rsn" => answer.reason_code = coded(walk)?,
                    "AddtlInf" => join(of_return, &walk.text()?),
                    _ => walk.skip()?,
                }
                Ok(())
            })
        }
        "RmtInf" => walk.children(|walk, element| {
            match element.name() {
                "Ustrd" => join(of_remitter, &walk.text()?),
                _ => walk.skip()?,
            }
            Ok(())
        }),
        "AddtlTxInf" => {
            join(of_bank, &walk.text()?);
            Ok(())
        }
        _ => walk.skip(),
    })?;
    detail.sum = detail.sum.or(transaction);
    Ok(detail)
}
