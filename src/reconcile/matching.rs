//! Which payment an answer is about, by the order of FORMATS 4: the end-to-end id; the number of the
//! payment; account and amount in the days after the pay date, counted; the sum of a batch.

use super::MatchRule;
use super::book::{Book, account, same_account};
use crate::domain::{Answer, AnswerKind, AnswerMessage, Date, Said, Scope};
use crate::ledger::{Message, Told};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Answers one thread matches at a time.
const PIECE: usize = 4096;

/// A message to be matched, with its place among the messages of the event.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// The message.
    pub message: &'a AnswerMessage,
    /// Its place.
    pub place: u32,
}

/// An answer that no id has matched.
struct Left<'a> {
    at: usize,
    answer: &'a Answer,
    kind: AnswerKind,
}

/// Matches what the messages say. `before` is what the books hold already, beside its messages;
/// `currency` is ours; an answer about a payment found by account and amount may be `days` after the
/// day it was due.
#[must_use]
pub fn matched(
    book: &Book,
    heard: &[Heard<'_>],
    before: (&[Message], &[Told]),
    currency: &str,
    days: i32,
) -> Vec<Told> {
    let mut told = Vec::new();
    let mut left = Vec::new();
    for Heard { message, place } in heard {
        let alone = |answer: &Answer| {
            let of = by_id(book, answer, currency);
            (answer.scope == Scope::Payment).then(|| say(book, answer, *place, of))
        };
        let said: Vec<Option<Told>> =
            message.answers.par_iter().with_min_len(PIECE).map(alone).collect();
        told.reserve(said.len());
        for (answer, said) in message.answers.iter().zip(said) {
            match said {
                Some(said) => {
                    if said.payment.is_none() && may_be_ours(answer, currency) {
                        left.push(Left { at: told.len(), answer, kind: message.kind });
                    }
                    told.push(said);
                }
                None => several(book, message, answer, *place, currency, &mut told),
            }
        }
    }
    by_account(book, &left, heard, before, days, &mut told);
    told
}

fn is_ours(answer: &Answer, currency: &str) -> bool {
    answer.currency.is_empty() || answer.currency.eq_ignore_ascii_case(currency)
}

/// Whether account and amount may tell: who names a payment of somebody else's means that one.
fn may_be_ours(answer: &Answer, currency: &str) -> bool {
    answer.end_to_end_id.is_empty()
        && !answer.account_no.is_empty()
        && answer.amount_fen.is_some()
        && answer.said != Said::Credit
        && !(answer.reversal && answer.said == Said::Paid)
        && is_ours(answer, currency)
}

fn by_id(book: &Book, answer: &Answer, currency: &str) -> Option<(usize, MatchRule)> {
    // A debit that takes a credit back is no payment, whatever it names.
    if !is_ours(answer, currency) || (answer.reversal && answer.said == Said::Paid) {
        return None;
    }
    if let Some(at) = book.of_id(&answer.end_to_end_id) {
        return Some((at, MatchRule::EndToEnd));
    }
    // A number is short and may be another's: account or amount is said beside it, and one of them
    // does not stand against it, be it by silence.
    let agrees = |at: &usize| {
        let ours = &book.payments[*at];
        let account =
            answer.account_no.is_empty() || same_account(&ours.account_no, &answer.account_no);
        let amount = answer.amount_fen.is_none_or(|fen| fen == ours.amount_fen);
        let said = !answer.account_no.is_empty() || answer.amount_fen.is_some();
        said && (account || amount)
    };
    if let Some(at) = book.of_number(&answer.instruction_id).filter(agrees) {
        return Some((at, MatchRule::Instruction));
    }
    let both = |at: &usize| {
        let ours = &book.payments[*at];
        same_account(&ours.account_no, &answer.account_no)
            && answer.amount_fen == Some(ours.amount_fen)
    };
    if let Some(at) = book.of_number(&answer.voucher_no).filter(both) {
        return Some((at, MatchRule::Voucher));
    }
    let number = &answer.voucher_no;
    let of_voucher = book.of_batch(number).or_else(|| book.around_part(number)).unwrap_or_default();
    let mut fitting = of_voucher.iter().map(|at| *at as usize).filter(both);
    // Two that fit are told apart by nothing.
    fitting.next().filter(|_| fitting.next().is_none()).map(|at| (at, MatchRule::Voucher))
}

/// What an answer says, of the payment it was matched to or of none.
fn say(book: &Book, answer: &Answer, message: u32, of: Option<(usize, MatchRule)>) -> Told {
    let mut told = Told {
        message,
        record: answer.record,
        payment: None,
        rule: MatchRule::Nothing,
        said: answer.said,
        fen: answer.amount_fen,
        bank_date: answer.bank_date,
        bank_ref: answer.bank_ref.clone(),
        reason_code: answer.reason_code.clone(),
        reason: answer.reason.clone(),
        end_to_end_id: Box::default(),
        account_no: Box::default(),
    };
    if told.reason_code.is_empty() && told.said == Said::Pending {
        told.reason_code = answer.status.clone();
    }
    if let Some((at, rule)) = of {
        matched_to(book, &mut told, answer, at, rule);
    } else {
        told.end_to_end_id = answer.end_to_end_id.clone();
        told.account_no = answer.account_no.clone();
    }
    told
}

fn matched_to(book: &Book, told: &mut Told, answer: &Answer, at: usize, rule: MatchRule) {
    let ours = &book.payments[at];
    told.payment = Some(ours.payment);
    told.rule = rule;
    told.end_to_end_id = Box::default();
    told.account_no = Box::default();
    // Money that comes in under the id of a payment of ours is that payment coming back.
    if told.said == Said::Credit {
        told.said = Said::Returned;
    }
    let names_payee = told.said != Said::Returned && !answer.account_no.is_empty();
    if names_payee && !same_account(&ours.account_no, &answer.account_no) {
        told.account_no = answer.account_no.clone();
    }
}

/// An answer about a batch or a whole message: one for each of its payments.
fn several(
    book: &Book,
    message: &AnswerMessage,
    answer: &Answer,
    place: u32,
    currency: &str,
    told: &mut Vec<Told>,
) {
    let run = book.of_message(&message.original_id);
    let found = match answer.scope {
        _ if !is_ours(answer, currency) => Err(MatchRule::Nothing),
        Scope::Message => run
            .map(|run| (book.sent_of(run).collect(), MatchRule::Message))
            .ok_or(MatchRule::Nothing),
        _ => batch(book, run, answer),
    };
    match found {
        Ok((places, rule)) => {
            for at in places {
                let payees = Answer { account_no: Box::default(), ..answer.clone() };
                let mut of = say(book, &payees, place, Some((at, rule)));
                of.fen = None;
                told.push(of);
            }
        }
        Err(rule) => told.push(Told { rule, ..say(book, answer, place, None) }),
    }
}

/// The payments of a batch: those that went out together and whose sum and number it states.
fn batch(
    book: &Book,
    run: Option<usize>,
    answer: &Answer,
) -> Result<(Vec<usize>, MatchRule), MatchRule> {
    if let Some(places) = book.of_batch(&answer.batch_ref) {
        let places: Vec<usize> = places.iter().map(|at| *at as usize).collect();
        let fits = answer.amount_fen.is_none_or(|fen| sum(book, &places) == i128::from(fen));
        return if fits { Ok((places, MatchRule::BatchSum)) } else { Err(MatchRule::Nothing) };
    }
    if book.around_part(&answer.batch_ref).is_some() {
        return Err(MatchRule::Several);
    }
    let Some(amount) = answer.amount_fen else { return Err(MatchRule::Nothing) };
    let mut fitting: Vec<Vec<usize>> = Vec::new();
    let runs: Vec<usize> = run.map_or_else(|| (0..book.runs.len()).collect(), |run| vec![run]);
    for run in runs {
        let all: Vec<usize> = book.sent_of(run).collect();
        let mut by_day: BTreeMap<Option<Date>, Vec<usize>> = BTreeMap::new();
        let mut by_line: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for at in &all {
            let of = &book.payments[*at];
            by_day.entry(of.pay_on).or_default().push(*at);
            let line = (of.pay_on, Arc::clone(&of.source), Arc::clone(&of.budget_doc_no));
            by_line.entry(line).or_default().push(*at);
        }
        let groups = std::iter::once(all).chain(by_day.into_values()).chain(by_line.into_values());
        for group in groups {
            if sum(book, &group) == i128::from(amount)
                && !group.is_empty()
                && !fitting.contains(&group)
            {
                fitting.push(group);
            }
        }
    }
    match fitting.len() {
        0 => Err(MatchRule::Nothing),
        1 => Ok((fitting.remove(0), MatchRule::BatchSum)),
        _ => Err(MatchRule::Several),
    }
}

fn sum(book: &Book, places: &[usize]) -> i128 {
    places.iter().map(|at| i128::from(book.payments[*at].amount_fen)).sum()
}

/// Answers of one kind that say the same of one account and amount.
type Groups<'g> = BTreeMap<(AnswerKind, Said, Arc<str>, i64), Vec<&'g Left<'g>>>;

/// What answers without any id of ours are about: as many answers as payments of that account and
/// amount, and they are matched one to one; else to none.
fn by_account(
    book: &Book,
    left: &[Left<'_>],
    heard: &[Heard<'_>],
    before: (&[Message], &[Told]),
    days: i32,
    told: &mut [Told],
) {
    if left.is_empty() {
        return;
    }
    let places = book.by_account();
    let mut taken = Taken::of(book, heard, before, told);
    let mut groups: Groups<'_> = BTreeMap::new();
    for of in left {
        if let Some(at) = taken.again(of) {
            matched_to(book, &mut told[of.at], of.answer, at, MatchRule::AccountAmount);
            continue;
        }
        let account: Arc<str> = Arc::from(&*account(&of.answer.account_no));
        let fen = of.answer.amount_fen.unwrap_or_default();
        groups.entry((of.kind, of.answer.said, account, fen)).or_default().push(of);
    }
    for ((kind, said, account, fen), answers) in groups {
        let near = |at: &usize| {
            let first = book.first_day(*at);
            let last = book.due_on(*at).plus_days(if said == Said::Returned {
                days.max(90)
            } else {
                days
            });
            answers.iter().all(|of| of.answer.bank_date.is_none_or(|on| first <= on && on <= last))
        };
        let ours: Vec<usize> = places
            .get(&(account, fen))
            .into_iter()
            .flatten()
            .map(|at| *at as usize)
            .filter(|at| !taken.told.contains(&(kind, said, *at)))
            .filter(near)
            .collect();
        if ours.len() == answers.len() {
            for (of, at) in answers.iter().zip(ours) {
                matched_to(book, &mut told[of.at], of.answer, at, MatchRule::AccountAmount);
                taken.told.insert((kind, said, at));
            }
        } else if !ours.is_empty() {
            for of in answers {
                told[of.at].rule = MatchRule::Several;
            }
        }
    }
}

/// What a kind of file has said of a payment already.
struct Taken {
    told: FxHashSet<(AnswerKind, Said, usize)>,
    refs: FxHashMap<(AnswerKind, Said, Box<str>), usize>,
}

impl Taken {
    fn of(
        book: &Book,
        heard: &[Heard<'_>],
        (messages, before): (&[Message], &[Told]),
        now: &[Told],
    ) -> Self {
        let mut this = Self { told: FxHashSet::default(), refs: FxHashMap::default() };
        let kinds: FxHashMap<u32, AnswerKind> =
            heard.iter().map(|of| (of.place, of.message.kind)).collect();
        let before = before.iter().map(|told| (messages[told.message as usize].kind, told));
        let now = now.iter().filter_map(|told| Some((*kinds.get(&told.message)?, told)));
        for (kind, told) in before.chain(now) {
            let Some(at) = told.payment.and_then(|key| book.place(key)) else { continue };
            this.told.insert((kind, told.said, at));
            if !told.bank_ref.is_empty() {
                this.refs.insert((kind, told.said, told.bank_ref.clone()), at);
            }
        }
        this
    }

    /// The payment of the same movement told before, by the bank's reference.
    fn again(&self, of: &Left<'_>) -> Option<usize> {
        let bank_ref = of.answer.bank_ref.clone();
        if bank_ref.is_empty() {
            return None;
        }
        self.refs.get(&(of.kind, of.answer.said, bank_ref)).copied()
    }
}
