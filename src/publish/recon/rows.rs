//! Rows of a reconciliation as sheets.

use super::{Judged, Reconciliation};
use crate::domain::Date;
use crate::publish::sheet::{Sheet, Values};
use crate::publish::{delimited, money_files};
use crate::reconcile::{Class, Clearing, MatchRule, Standing};
use rayon::prelude::*;
use std::io::{self, Write};
use std::sync::Arc;

/// What a person does next about a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Nothing,
    AskBank,
    AwaitRest,
    PayAgain,
    InBatch,
    Recall,
    TellWhich,
    CheckAccount,
    FindOwner,
    Await,
    OtherPeriod,
    DeliverAgain,
}

impl Next {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "none",
            Self::AskBank => "ask_bank",
            Self::AwaitRest => "await_rest",
            Self::PayAgain => "pay_again",
            Self::InBatch => "in_correction_batch",
            Self::Recall => "recall_excess",
            Self::TellWhich => "tell_which",
            Self::CheckAccount => "check_account",
            Self::FindOwner => "find_owner",
            Self::Await => "await_answer",
            Self::OtherPeriod => "reconcile_period",
            Self::DeliverAgain => "deliver_again",
        }
    }

    fn of(standing: &Standing, claimed: i64, carried: bool) -> Self {
        match standing.class {
            _ if !standing.is_open(carried) => Self::Nothing,
            Class::Paid => Self::AskBank,
            _ if standing.contradicted && (carried || standing.failed() == 0) => Self::AskBank,
            Class::DuplicateBank | Class::AmountDiff => Self::Recall,
            Class::AccountDiff => Self::CheckAccount,
            _ if standing.failed() > claimed => Self::PayAgain,
            _ if standing.failed() > 0 => Self::InBatch,
            Class::PaidPartial => Self::AwaitRest,
            _ => Self::Await,
        }
    }
}

/// The class of an answer that was matched to nothing.
pub(super) const fn loose_class(rule: MatchRule) -> Class {
    match rule {
        MatchRule::Several => Class::DuplicateOurs,
        MatchRule::OtherPeriod => Class::OutOfPeriod,
        _ => Class::UnknownExternal,
    }
}

const fn loose_next(rule: MatchRule) -> Next {
    match rule {
        MatchRule::Several => Next::TellWhich,
        MatchRule::OtherPeriod => Next::OtherPeriod,
        _ => Next::FindOwner,
    }
}

/// One row, whatever it is about.
pub(super) struct Row<'a> {
    pub(super) run: &'a str,
    pub(super) name: Arc<str>,
    pub(super) payment_no: &'a str,
    pub(super) end_to_end_id: &'a str,
    pub(super) account_no: &'a str,
    pub(super) ours: Option<i64>,
    pub(super) bank: Option<i64>,
    pub(super) class: Class,
    pub(super) code: &'a str,
    pub(super) reason: &'a str,
    pub(super) bank_ref: &'a str,
    pub(super) bank_date: Option<Date>,
    pub(super) file: &'a str,
    pub(super) record: Option<i64>,
    pub(super) rule: &'static str,
    pub(super) next: Next,
    pub(super) carried_to: &'a str,
    pub(super) age: i32,
}

/// The row of a payment that was sent.
pub(super) fn of_payment<'a>(of: &'a Reconciliation<'_>, at: usize, judged: &Judged) -> Row<'a> {
    let payment = &of.book.payments[at];
    let run = &of.book.runs[of.book.run_of[at] as usize];
    let told = judged.by.map(|by| &of.told[by as usize]);
    let claim = of.claimed.get(&payment.payment);
    let text = |pick: fn(&crate::ledger::Told) -> &str| told.map_or("", pick);
    Row {
        run: &run.run_id,
        name: Arc::clone(&payment.institution_name),
        payment_no: &payment.payment_no,
        end_to_end_id: &payment.end_to_end_id,
        account_no: told.map_or("", |told| &told.account_no),
        ours: Some(payment.amount_fen),
        bank: Some(judged.standing.bank_fen),
        class: judged.standing.class,
        code: text(|told| &told.reason_code),
        reason: text(|told| &told.reason),
        bank_ref: text(|told| &told.bank_ref),
        bank_date: told.and_then(|told| told.bank_date),
        file: told.map_or("", |told| &of.messages[told.message as usize].file),
        record: told.map(|told| told.record.into()),
        rule: told.map_or("", |told| told.rule.word()),
        next: Next::of(&judged.standing, claim.map_or(0, |(fen, _)| *fen), of.carried[at]),
        carried_to: claim.map_or("", |(_, run)| run),
        age: of.ages[at],
    }
}

/// The row of an answer that is about none of our payments, by its place among them.
pub(super) fn of_loose<'a>(of: &'a Reconciliation<'_>, number: usize) -> Row<'a> {
    let told = &of.told[of.loose[number] as usize];
    let explained = of.explained(of.loose[number]);
    Row {
        run: "",
        name: Arc::from(""),
        payment_no: "",
        end_to_end_id: &told.end_to_end_id,
        account_no: &told.account_no,
        ours: None,
        bank: told.fen,
        class: loose_class(told.rule),
        code: &told.reason_code,
        reason: explained.map_or(&told.reason, |of| &of.reason),
        bank_ref: &told.bank_ref,
        bank_date: told.bank_date,
        file: &of.messages[told.message as usize].file,
        record: Some(told.record.into()),
        rule: told.rule.word(),
        next: if explained.is_some() { Next::Nothing } else { loose_next(told.rule) },
        carried_to: "",
        age: of.loose_ages[number],
    }
}

/// The row of what was not believed.
pub(super) fn of_refused<'a>(of: &'a Reconciliation<'_>, number: usize) -> Row<'a> {
    let refused = &of.refused[number];
    Row {
        run: "",
        name: Arc::from(""),
        payment_no: "",
        end_to_end_id: "",
        account_no: "",
        ours: None,
        bank: None,
        class: Class::Unreadable,
        code: "",
        reason: &refused.unread.what,
        bank_ref: "",
        bank_date: None,
        file: refused.file,
        record: Some(refused.unread.record.into()),
        rule: "",
        next: Next::DeliverAgain,
        carried_to: "",
        age: 0,
    }
}

/// The rows a person has to do something about, in their order.
pub(super) fn open<'a>(of: &'a Reconciliation<'_>) -> impl Iterator<Item = Row<'a>> {
    let payments = of.judged.iter().enumerate();
    let unexplained = (0..of.loose.len())
        .filter(|number| of.explained(of.loose[*number]).is_none())
        .map(|number| of_loose(of, number));
    payments
        .filter_map(|(at, judged)| Some((at, judged.as_ref()?)))
        .filter(|(at, judged)| judged.standing.is_open(of.carried[*at]))
        .map(|(at, judged)| of_payment(of, at, judged))
        .chain(unexplained)
        .chain((0..of.refused.len()).map(|number| of_refused(of, number)))
}

fn texts(rows: &[Row<'_>], pick: impl Fn(&Row<'_>) -> String) -> Values {
    Values::Text(rows.iter().map(pick).collect())
}

/// What the bank moved more than ours (above zero) or less.
pub(super) fn difference(row: &Row<'_>) -> Option<i64> {
    match (row.ours, row.bank) {
        (None, None) => None,
        (ours, bank) => bank.unwrap_or(0).checked_sub(ours.unwrap_or(0)),
    }
}

/// Rows of `recon.csv` that one thread makes at a time, and how many such pieces wait for the file.
const PIECE: usize = 4096;
const PIECES: usize = 16;

/// Writes `recon.csv`; gives the number of its rows.
///
/// # Errors
/// When `to` cannot be written.
pub(super) fn write_recon(of: &Reconciliation<'_>, mut to: impl Write) -> io::Result<usize> {
    let sent: Vec<usize> = (0..of.judged.len()).filter(|at| of.judged[*at].is_some()).collect();
    let (loose, refused) = (of.loose.len(), of.refused.len());
    let row = |number: usize| match sent.get(number) {
        Some(at) => of.judged[*at].as_ref().map(|judged| of_payment(of, *at, judged)),
        None if number < sent.len() + loose => Some(of_loose(of, number - sent.len())),
        None => Some(of_refused(of, number - sent.len() - loose)),
    };
    let rows = sent.len() + loose + refused;
    let piece = |first: usize| {
        let rows: Vec<Row<'_>> = (first..rows.min(first + PIECE)).filter_map(row).collect();
        delimited::body(&recon(of, &rows))
    };
    delimited::write(&recon(of, &[]), &mut to)?;
    for wave in (0..rows).step_by(PIECE * PIECES) {
        let end = rows.min(wave + PIECE * PIECES);
        let firsts: Vec<usize> = (wave..end).step_by(PIECE).collect();
        let made: io::Result<Vec<Vec<u8>>> = firsts.into_par_iter().map(piece).collect();
        for bytes in made? {
            to.write_all(&bytes)?;
        }
    }
    to.flush()?;
    Ok(rows)
}

/// A piece of `recon.csv`.
fn recon(of: &Reconciliation<'_>, rows: &[Row<'_>]) -> Sheet {
    let mut sheet = Sheet::new("recon", rows.len());
    let id: Arc<str> = Arc::from(of.recon_id);
    sheet.put("recon_id", "", Values::Shared(vec![id; rows.len()]));
    sheet.put("run_id", "", texts(rows, |row| row.run.to_owned()));
    sheet.put("payment_no", "", texts(rows, |row| row.payment_no.to_owned()));
    sheet.put("end_to_end_id", "", texts(rows, |row| row.end_to_end_id.to_owned()));
    sheet.put("our_fen", "", Values::MaybeFen(rows.iter().map(|r| r.ours).collect()));
    sheet.put("bank_fen", "", Values::MaybeFen(rows.iter().map(|r| r.bank).collect()));
    sheet.put("diff_fen", "", Values::MaybeFen(rows.iter().map(difference).collect()));
    sheet.put("class", "", texts(rows, |row| row.class.word().to_owned()));
    sheet.put("reason_code", "", texts(rows, |row| row.code.to_owned()));
    sheet.put("reason", "", texts(rows, |row| row.reason.to_owned()));
    sheet.put("bank_ref", "", texts(rows, |row| row.bank_ref.to_owned()));
    sheet.put("bank_date", "", Values::Date(rows.iter().map(|row| row.bank_date).collect()));
    sheet.put("file", "", texts(rows, |row| row.file.to_owned()));
    sheet.put("record", "", Values::MaybeInt(rows.iter().map(|r| r.record).collect()));
    sheet.put("match_rule", "", texts(rows, |row| row.rule.to_owned()));
    sheet.put("next_step", "", texts(rows, |row| row.next.word().to_owned()));
    sheet.put("carried_to", "", texts(rows, |row| row.carried_to.to_owned()));
    sheet
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn fen(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(i64::MAX)
}

/// One total of a budget line.
type Pick = fn(&Clearing) -> (u64, i128);

/// `clearing.csv`: what the treasury clears at the end of the month, as a 3507 totals it.
pub(super) fn clearing(of: &Reconciliation<'_>) -> Sheet {
    let lines = &of.totals.clearing;
    let mut sheet = Sheet::new("clearing", lines.len());
    let shared = |pick: fn(&Clearing) -> &Arc<str>| {
        Values::Shared(lines.iter().map(|line| Arc::clone(pick(line))).collect())
    };
    sheet.put("source", "资金来源", shared(|line| &line.source));
    sheet.put("budget_doc_no", "指标文号", shared(|line| &line.budget_doc_no));
    let columns: [(&str, &str, &str, &str, Pick); 4] = [
        ("sent_count", "发送笔数", "sent_fen", "发送金额", |line| line.sent),
        ("all_num", "已付笔数", "all_amt_fen", "已付金额", |line| line.paid),
        ("failed_count", "失败笔数", "failed_fen", "失败金额", |line| line.failed),
        ("pending_count", "未答复笔数", "pending_fen", "未答复金额", |line| line.pending),
    ];
    for (number, number_label, money, money_label, pick) in columns {
        let counts = lines.iter().map(|line| count(pick(line).0)).collect();
        sheet.put(number, number_label, Values::Int(counts));
        let sums = lines.iter().map(|line| fen(pick(line).1)).collect();
        sheet.put(money, money_label, Values::Fen(sums));
    }
    sheet
}

/// `correction_schedule.csv`: the lines of the batch that pays again what failed; none where nothing
/// is left to pay again.
pub(super) fn corrections(of: &Reconciliation<'_>) -> Sheet {
    let empty = crate::schedule::Schedule::default();
    let (run_id, number, schedule) =
        of.proposed.map_or(("", 0, &empty), |batch| (batch.run_id, batch.number, batch.schedule));
    let job = crate::ledger::batch_job(&of.job.settles, number);
    let mut sheet = money_files::schedule_of(schedule, run_id, &job, of.job.period);
    "correction_schedule".clone_into(&mut sheet.name);
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::texts::{Catalogue, Language};

    #[test]
    fn every_class_and_step_has_its_words() {
        let steps = [
            Next::Nothing,
            Next::AskBank,
            Next::AwaitRest,
            Next::PayAgain,
            Next::InBatch,
            Next::Recall,
            Next::TellWhich,
            Next::CheckAccount,
            Next::FindOwner,
            Next::Await,
            Next::OtherPeriod,
            Next::DeliverAgain,
        ];
        for language in [Language::Chinese, Language::English] {
            let texts = Catalogue::new(language);
            for class in Class::ALL {
                let key = format!("recon_class.{}", class.word());
                assert_ne!(texts.label(&key), key);
            }
            for next in steps {
                let key = format!("recon_next.{}", next.word());
                assert_ne!(texts.label(&key), key);
            }
        }
    }
}
