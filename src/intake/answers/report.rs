//! pain.002, the status report on a message of ours: of payments, of a batch, or of all of it.
//!
//! The finest level speaks: the statuses of a batch and of the message are answers only where nothing
//! finer is told, and stand in for a transaction that has none of its own.

use super::parts::{Sum, account, coded, inner_sum, join, kept, name, named};
use super::xml::{Broken, Taken, Walk};
use super::{Gathered, day, message, said_of_status};
use crate::domain::{Answer, AnswerKind, AnswerMessage, Date, Scope};

/// A status with its reasons, of any level.
#[derive(Default)]
struct Status {
    code: Box<str>,
    reason_code: Box<str>,
    reason: String,
    day: Option<Date>,
}

impl Status {
    /// Puts it into an answer that says nothing itself.
    fn speak_in(&self, answer: &mut Answer) {
        answer.said = said_of_status(&self.code);
        answer.status = self.code.clone();
        if answer.reason_code.is_empty() && answer.reason.is_empty() {
            answer.reason_code = self.reason_code.clone();
            answer.reason = Box::from(&*self.reason);
        }
        answer.bank_date = answer.bank_date.or(self.day);
    }

    /// One `StsRsnInf`: the first code is kept, all words are joined.
    fn reason(&mut self, walk: &mut Walk<'_>) -> Taken {
        walk.children(|walk, element| {
            match element.name() {
                "Rsn" | "StsRsn" => {
                    let code = coded(walk)?;
                    if self.reason_code.is_empty() {
                        self.reason_code = code;
                    }
                }
                "AddtlInf" | "AddtlStsRsnInf" => {
                    join(&mut self.reason, &walk.text()?);
                }
                _ => walk.skip()?,
            }
            Ok(())
        })
    }
}

/// What a report has told so far, beside its answers.
#[derive(Default)]
struct Told {
    group: Status,
    /// Transactions and batches, unread ones included.
    finer: u32,
}

/// Reads one report.
pub(super) fn read(walk: &mut Walk<'_>, gathered: &mut Gathered) -> Taken {
    let mut report = message(AnswerKind::Pain002);
    let mut told = Told::default();
    let unread = gathered.unread.len();
    walk.children(|walk, element| match element.name() {
        "GrpHdr" => walk.children(|walk, element| match element.name() {
            "MsgId" => {
                report.message_id = kept(walk)?;
                Ok(())
            }
            _ => walk.skip(),
        }),
        "OrgnlGrpInfAndSts" => group(walk, &mut report, &mut told.group),
        "OrgnlPmtInfAndSts" => batch(walk, &mut report, &mut told, gathered),
        "TxInfAndSts" => {
            told.finer += 1;
            transaction(walk, &mut report, gathered)
        }
        _ => walk.skip(),
    })?;
    if told.finer == 0 && !told.group.code.is_empty() {
        let mut answer =
            Answer { scope: Scope::Message, record: gathered.number(), ..Answer::default() };
        told.group.speak_in(&mut answer);
        report.answers.push(answer);
    }
    report.answers.retain_mut(|answer| {
        if answer.status.is_empty() && !told.group.code.is_empty() {
            told.group.speak_in(answer);
        }
        if answer.status.is_empty() {
            let id = super::shown(&answer.end_to_end_id);
            let what =
                format!("transaction {id:?} without a status; expected TxSts, PmtInfSts or GrpSts");
            gathered.tell(answer.record, what);
        }
        !answer.status.is_empty()
    });
    if report.answers.is_empty() {
        if gathered.unread.len() == unread {
            let id = super::shown(&report.message_id);
            let what =
                format!("pain.002 {id:?} holds no status; expected GrpSts, PmtInfSts or TxSts");
            gathered.tell(0, what);
        }
        return Ok(());
    }
    gathered.messages.push(report);
    Ok(())
}

fn group(walk: &mut Walk<'_>, report: &mut AnswerMessage, status: &mut Status) -> Taken {
    walk.children(|walk, element| {
        match element.name() {
            "OrgnlMsgId" => report.original_id = kept(walk)?,
            "GrpSts" => status.code = kept(walk)?,
            "StsRsnInf" => status.reason(walk)?,
            _ => walk.skip()?,
        }
        Ok(())
    })
}

/// One `OrgnlPmtInfAndSts`.
fn batch(
    walk: &mut Walk<'_>,
    report: &mut AnswerMessage,
    told: &mut Told,
    gathered: &mut Gathered,
) -> Taken {
    let mut status = Status::default();
    let mut batch_ref: Box<str> = Box::from("");
    let first = report.answers.len();
    let mut transactions = 0_u32;
    walk.children(|walk, element| {
        match element.name() {
            "OrgnlPmtInfId" => batch_ref = kept(walk)?,
            "PmtInfSts" => status.code = kept(walk)?,
            "StsRsnInf" => status.reason(walk)?,
            "TxInfAndSts" => {
                transactions += 1;
                transaction(walk, report, gathered)?;
            }
            _ => walk.skip()?,
        }
        Ok(())
    })?;
    told.finer += transactions;
    if transactions == 0 && !status.code.is_empty() {
        told.finer += 1;
        let record = gathered.number();
        let mut answer = Answer { scope: Scope::Batch, record, ..Answer::default() };
        status.speak_in(&mut answer);
        report.answers.push(answer);
    }
    for answer in report.answers.get_mut(first..).unwrap_or_default() {
        if answer.batch_ref.is_empty() {
            answer.batch_ref = batch_ref.clone();
        }
        if answer.status.is_empty() && !status.code.is_empty() {
            status.speak_in(answer);
        }
    }
    Ok(())
}

/// One `TxInfAndSts`; without a status of its own it waits for that of its batch or message.
fn transaction(walk: &mut Walk<'_>, report: &mut AnswerMessage, gathered: &mut Gathered) -> Taken {
    let mut answer = Answer { record: gathered.number(), ..Answer::default() };
    let mut status = Status::default();
    let mut sum = None;
    walk.children(|walk, element| {
        match element.name() {
            "OrgnlPmtInfId" => answer.batch_ref = kept(walk)?,
            "OrgnlInstrId" => answer.instruction_id = kept(walk)?,
            "OrgnlEndToEndId" => answer.end_to_end_id = named(&walk.text()?),
            "TxSts" => status.code = kept(walk)?,
            "StsRsnInf" => status.reason(walk)?,
            "AccptncDtTm" => status.day = day(&walk.text()?),
            "FctvIntrBkSttlmDt" => walk.children(|walk, _| {
                let settled = day(&walk.text()?);
                status.day = status.day.or(settled);
                Ok(())
            })?,
            "AcctSvcrRef" => answer.bank_ref = kept(walk)?,
            "OrgnlTxRef" => original(walk, &mut answer, &mut sum)?,
            _ => walk.skip()?,
        }
        Ok(())
    })?;
    answer.reason_code = std::mem::take(&mut status.reason_code);
    answer.reason = Box::from(&*std::mem::take(&mut status.reason));
    answer.bank_date = status.day;
    if !status.code.is_empty() {
        status.speak_in(&mut answer);
    }
    if let Some(Sum { currency, hundredths }) = sum {
        match hundredths {
            Ok(fen) => (answer.amount_fen, answer.currency) = (Some(fen), currency),
            Err(what) => {
                gathered.tell(answer.record, what);
                return Ok(());
            }
        }
    }
    report.answers.push(answer);
    Ok(())
}

/// What the bank repeats of our payment.
fn original(walk: &mut Walk<'_>, answer: &mut Answer, sum: &mut Option<Sum>) -> Result<(), Broken> {
    walk.children(|walk, element| match element.name() {
        "Amt" => walk.children(|walk, element| {
            match element.name() {
                "InstdAmt" => *sum = Some(Sum::read(walk, element)?),
                "EqvtAmt" => inner_sum(walk, sum)?,
                _ => walk.skip()?,
            }
            Ok(())
        }),
        "Cdtr" => name(walk, &mut answer.account_name),
        "CdtrAcct" => account(walk, &mut answer.account_no),
        _ => walk.skip(),
    })
}
