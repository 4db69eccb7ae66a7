//! Answers in the books: what was sent, what banks said of it, what a correction batch pays again.

use super::chain::{self, EventKind};
use super::course::{deed, message, rest_of_posting};
use super::post::Pending;
use super::read::{HEAD, RunHead, date_number, head, month_number, standing};
use super::refusal::Refusal;
use super::rows::{ROWS_MAX, Texts, keys};
use super::seal::{AnswerRow, MessageRow, Seal};
use super::{Act, Ledger, LedgerError, RunState, acts, read};
use crate::domain::{AnswerKind, Date, Month, Said, SecretKey, beijing_day, moment, person};
use rusqlite::{Row, params};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::{Value, json};
use std::sync::Arc;

/// What an answer was matched by, in the order it is tried (FORMATS 4); or why it was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MatchRule {
    /// End-to-end id.
    EndToEnd,
    /// Instruction id: the number of the payment.
    Instruction,
    /// Voucher number with account and amount.
    Voucher,
    /// Account and amount within the days after the pay date, counted.
    AccountAmount,
    /// An entry whose sum is that of the payments of a batch.
    BatchSum,
    /// All payments of the message that was answered.
    Message,
    /// Not matched: several payments of ours fit.
    Several,
    /// Not matched: it is a payment of another period.
    OtherPeriod,
    /// Not matched: nothing of ours fits.
    Nothing,
}

impl MatchRule {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::EndToEnd,
        Self::Instruction,
        Self::Voucher,
        Self::AccountAmount,
        Self::BatchSum,
        Self::Message,
        Self::Several,
        Self::OtherPeriod,
        Self::Nothing,
    ];

    /// The word in the store and in outputs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::EndToEnd => "end_to_end_id",
            Self::Instruction => "instruction_id",
            Self::Voucher => "voucher_account_amount",
            Self::AccountAmount => "account_amount_date",
            Self::BatchSum => "batch_sum",
            Self::Message => "message",
            Self::Several => "several",
            Self::OtherPeriod => "other_period",
            Self::Nothing => "none",
        }
    }

    /// The rule of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.word() == word)
    }
}

/// A run whose payments went out: the settlement of a period, or a correction batch of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentRun {
    pub(super) run_no: i64,
    /// Run id.
    pub run_id: String,
    /// Job id; of a batch [`batch_job`].
    pub job_id: String,
    /// Where it stands.
    pub state: RunState,
    /// Day of the release, Beijing.
    pub released_on: Date,
    /// Number of the correction batch; 0 is the settlement itself.
    pub batch: u32,
}

/// A payment as it went out (or is held).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentPayment {
    /// Its key in this ledger.
    pub payment: i64,
    /// Number of the payment.
    pub payment_no: Box<str>,
    /// End-to-end id.
    pub end_to_end_id: Box<str>,
    /// Institution.
    pub institution_id: Arc<str>,
    /// Its name.
    pub institution_name: Arc<str>,
    /// Account.
    pub account_no: Arc<str>,
    /// Funding source.
    pub source: Arc<str>,
    /// 指标文号.
    pub budget_doc_no: Arc<str>,
    /// Pay date.
    pub pay_on: Option<Date>,
    /// Fen.
    pub amount_fen: i64,
    /// Why it is held, or empty.
    pub hold_reason: Arc<str>,
}

/// A message that was believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Kind.
    pub kind: AnswerKind,
    /// Its own id, or empty.
    pub message_id: Box<str>,
    /// SHA-256 of the file it came in.
    pub sha256: Box<str>,
    /// Name of that file.
    pub file: Box<str>,
}

/// What was said of a payment, or of none of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Place of its message in the list it stands beside.
    pub message: u32,
    /// Record in the file.
    pub record: u32,
    /// The payment, by its key in this ledger.
    pub payment: Option<i64>,
    /// What it was matched by.
    pub rule: MatchRule,
    /// What is said.
    pub said: Said,
    /// Fen; `None` is all of the payment.
    pub fen: Option<i64>,
    /// Day it was booked or decided.
    pub bank_date: Option<Date>,
    /// The bank's reference.
    pub bank_ref: Box<str>,
    /// Reason code.
    pub reason_code: Box<str>,
    /// Reason in words.
    pub reason: Box<str>,
    /// End-to-end id of an answer without payment.
    pub end_to_end_id: Box<str>,
    /// Account of an answer without payment, or where it is not the payee's.
    pub account_no: Box<str>,
}

/// What of a failed payment a correction batch pays again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The payment that failed, by its key in this ledger.
    pub payment: i64,
    /// Fen.
    pub fen: i64,
}

/// The job id of a correction batch of a job: no job file can have it.
#[must_use]
pub fn batch_job(job_id: &str, batch: u32) -> String {
    format!("{job_id}+{batch}")
}

/// Whether a job id is that of a correction batch.
#[must_use]
pub fn is_batch(job_id: &str) -> bool {
    job_id.contains('+')
}

impl Ledger {
    /// The runs of a period whose payments went out: the settlement, then its correction batches in
    /// order; drafts and approvals are not among them.
    ///
    /// # Errors
    /// When the store fails or the chain does not hold.
    pub fn sent_runs(&self, job_id: &str, period: Month) -> Result<Vec<SentRun>, LedgerError> {
        let mut runs = Vec::new();
        for batch in 0_u32.. {
            let name = if batch == 0 { job_id.to_owned() } else { batch_job(job_id, batch) };
            let Some(head) = self.find(&name, period)? else { break };
            if head.state.is_released() {
                runs.push(self.sent_run(head, batch)?);
            }
        }
        Ok(runs)
    }

    /// A run as if it were sent now: the payments it would send.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] when there is no such run, else when the store fails.
    pub fn as_sent(&self, run_id: &str) -> Result<SentRun, LedgerError> {
        let head = self.run(run_id)?;
        self.sent_run(head, 0)
    }

    fn sent_run(&self, head: RunHead, batch: u32) -> Result<SentRun, LedgerError> {
        let course = self.course(&head.run_id)?;
        let day = course.release.as_ref().and_then(|done| beijing_day(&done.at));
        Ok(SentRun {
            run_no: head.run_no,
            released_on: day.unwrap_or(head.known_on),
            run_id: head.run_id,
            job_id: head.job_id,
            state: head.state,
            batch,
        })
    }

    /// The payments of a run, in order of their numbers.
    ///
    /// # Errors
    /// When the store fails.
    pub fn sent(&self, run: &SentRun) -> Result<Vec<SentPayment>, LedgerError> {
        type Payee = (Arc<str>, Arc<str>, Arc<str>, Arc<str>);
        let payees: Vec<Payee> = self.rows(
            "SELECT institution_id, account_no, hold_reason, institution_name FROM payees
             WHERE payee BETWEEN ?1 AND ?2 ORDER BY payee",
            keys(run.run_no),
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )?;
        let named: Vec<(i64, Arc<str>)> = self.rows(
            "SELECT text_no, text FROM texts WHERE text_no IN
                 (SELECT source FROM payments WHERE payment BETWEEN ?1 AND ?2
                  UNION SELECT budget_doc_no FROM payments WHERE payment BETWEEN ?1 AND ?2)",
            keys(run.run_no),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let texts: FxHashMap<i64, Arc<str>> = named.into_iter().collect();
        let none: Arc<str> = Arc::from("");
        let text = |number: i64| Arc::clone(texts.get(&number).unwrap_or(&none));
        let first = keys(run.run_no)[0];
        self.rows(
            "SELECT payment, payment_no, end_to_end_id, payee, source, budget_doc_no, pay_on,
                    amount_fen
             FROM payments WHERE payment BETWEEN ?1 AND ?2 ORDER BY payment",
            keys(run.run_no),
            |row| {
                let place = usize::try_from(row.get::<_, i64>(3)? - first).unwrap_or(usize::MAX);
                let payee = payees.get(place).cloned();
                let (institution_id, account_no, hold_reason, name) = payee.unwrap_or_else(|| {
                    let none = || Arc::clone(&none);
                    (none(), none(), Arc::from("account_missing"), none())
                });
                Ok(SentPayment {
                    payment: row.get(0)?,
                    payment_no: boxed(row, 1)?,
                    end_to_end_id: boxed(row, 2)?,
                    institution_id,
                    institution_name: name,
                    account_no,
                    source: text(row.get(4)?),
                    budget_doc_no: text(row.get(5)?),
                    pay_on: date(row, 6)?,
                    amount_fen: row.get(7)?,
                    hold_reason,
                })
            },
        )
    }

    /// What was said so far of the payments of a period, by the settlement's run: the messages and
    /// the answers in them, in the order they were taken in.
    ///
    /// # Errors
    /// When the store fails.
    pub fn told(&self, run: &SentRun) -> Result<(Vec<Message>, Vec<Told>), LedgerError> {
        let found: Vec<(i64, Message)> = self.rows(
            "SELECT message, kind, message_id, sha256, file FROM messages
             WHERE run_no = ?1 ORDER BY message",
            [run.run_no],
            |row| Ok((row.get(0)?, read_message(row)?)),
        )?;
        let mut places = FxHashMap::default();
        let mut messages = Vec::with_capacity(found.len());
        let mut events: Vec<i64> = Vec::new();
        for (place, (key, message)) in (0_u32..).zip(found) {
            places.insert(key, place);
            messages.push(message);
            events.push(key / ROWS_MAX);
        }
        events.dedup(); // messages stand in order of their keys
        let mut told = Vec::new();
        for event in events {
            told.extend(self.rows(
                "SELECT message, record, payment, rules.text, words.text, fen, bank_date, bank_ref,
                        reason_code, reason, end_to_end_id, account_no
                 FROM answers
                 JOIN texts AS rules ON rules.text_no = rule
                 JOIN texts AS words ON words.text_no = said
                 WHERE answer BETWEEN ?1 AND ?2 ORDER BY answer",
                keys(event),
                |row| read_told(row, &places),
            )?);
        }
        Ok((messages, told))
    }

    /// The correction batches of a period that stand, with their numbers, whatever their state.
    ///
    /// # Errors
    /// When the store fails.
    pub fn batches(&self, job_id: &str, period: Month) -> Result<Vec<(u32, RunHead)>, LedgerError> {
        let mut batches = Vec::new();
        for batch in 1_u32.. {
            let Some(head) = self.find(&batch_job(job_id, batch), period)? else { break };
            batches.push((batch, head));
        }
        Ok(batches)
    }

    /// What of the payments of these runs correction batches that stand have claimed, by payment:
    /// fen and the run that claimed last; `without` the batch of that run id.
    ///
    /// # Errors
    /// When the store fails.
    pub fn claimed(
        &self,
        runs: &[SentRun],
        without: Option<&str>,
    ) -> Result<FxHashMap<i64, (i64, String)>, LedgerError> {
        let mut claimed: FxHashMap<i64, (i64, String)> = FxHashMap::default();
        for run in runs {
            let rows: Vec<(i64, i64, String)> = self.rows(
                "SELECT payment, fen, run_id FROM claims JOIN runs USING (run_no)
                 WHERE payment BETWEEN ?1 AND ?2 AND superseded_by IS NULL ORDER BY claim",
                keys(run.run_no),
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )?;
            for (payment, fen, by) in rows {
                if without == Some(&*by) {
                    continue;
                }
                let of = claimed.entry(payment).or_default();
                // Checked below the payment's amount when it was claimed.
                *of = (of.0.saturating_add(fen), by);
            }
        }
        Ok(claimed)
    }

    /// What of the payments of these runs released settlements of later periods have carried in.
    ///
    /// # Errors
    /// When the store fails.
    pub fn carried_on(&self, runs: &[SentRun]) -> Result<Vec<Claim>, LedgerError> {
        let mut carried = Vec::new();
        for run in runs {
            carried.extend(self.rows(
                "SELECT payment, fen FROM claims JOIN runs USING (run_no)
                 WHERE payment BETWEEN ?1 AND ?2 AND superseded_by IS NULL
                     AND instr(job_id, '+') = 0
                     AND state IN ('released', 'answered', 'closed') ORDER BY claim",
                keys(run.run_no),
                |row| Ok(Claim { payment: row.get(0)?, fen: row.get(1)? }),
            )?);
        }
        Ok(carried)
    }

    /// The run a payment belongs to, by the payment's key.
    ///
    /// # Errors
    /// When there is none, or the store fails.
    pub fn run_of(&self, payment: i64) -> Result<RunHead, LedgerError> {
        let sql = format!("SELECT {HEAD} FROM runs WHERE run_no = ?1");
        let found = self.rows(&sql, [payment / ROWS_MAX], head)?.pop();
        found.ok_or_else(|| LedgerError::Unknown {
            path: self.path.clone(),
            run_id: format!("of payment {payment}"),
        })
    }

    /// Which of these end-to-end ids belong to payments that went out for other periods of the job.
    ///
    /// # Errors
    /// When the store fails.
    pub fn sent_elsewhere(
        &self,
        job_id: &str,
        period: Month,
        ids: &FxHashSet<Box<str>>,
    ) -> Result<FxHashMap<Box<str>, Month>, LedgerError> {
        let mut found = FxHashMap::default();
        if ids.is_empty() {
            return Ok(found);
        }
        let runs: Vec<(i64, Month)> = self.rows(
            "SELECT run_no, period FROM runs
             WHERE (job_id = ?1 OR job_id GLOB ?1 || '+*') AND period <> ?2
                 AND superseded_by IS NULL AND state IN ('released', 'answered', 'closed')",
            params![job_id, month_number(period)],
            |row| Ok((row.get(0)?, read::month(row, 1)?)),
        )?;
        for (run_no, of) in runs {
            let sent: Vec<Box<str>> = self.rows(
                "SELECT end_to_end_id FROM payments WHERE payment BETWEEN ?1 AND ?2",
                keys(run_no),
                |row| boxed(row, 0),
            )?;
            found.extend(sent.into_iter().filter(|id| ids.contains(id)).map(|id| (id, of)));
        }
        Ok(found)
    }

    /// The periods of a job whose settlement stands and is released, with those of its batches.
    ///
    /// # Errors
    /// When the store fails.
    pub fn released_periods(&self, job_id: &str) -> Result<Vec<Month>, LedgerError> {
        let runs = standing(&self.connection, job_id, i64::MAX).map_err(|e| self.store(e))?;
        Ok(runs.into_iter().filter(|run| run.state.is_released()).map(|run| run.period).collect())
    }
}

impl Pending<'_> {
    /// Takes in messages and what they say, as one event of the settlement's run. What they say counts
    /// its messages from `base`. `archived`: the archive keeps their files. `act` says by whom,
    /// when and with what key; its kind and reason are not read.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] when the run demands a key that is not there, else the store's
    /// reasons (a message that was taken in meanwhile among them). After an error nothing should be
    /// committed.
    pub fn reconcile(
        &mut self,
        run: &SentRun,
        messages: &[Message],
        (told, base): (&[Told], u32),
        (act, archived): (&Act<'_>, bool),
    ) -> Result<i64, LedgerError> {
        let refused =
            |refusal, period| LedgerError::Refused { run_id: run.run_id.clone(), period, refusal };
        let course = acts::course(&self.transaction, self.path, run.run_no)?;
        let by = act.by.trim();
        let word = |error: crate::domain::ActError| Refusal::Word {
            found: error.found,
            expected: error.expected,
        };
        moment(act.at).map_err(|error| refused(word(error), course.period))?;
        person(by).map_err(|error| refused(word(error), course.period))?;
        course
            .demand
            .allows(by, act.key.map(SecretKey::public).as_ref())
            .map_err(|refusal| refused(refusal, course.period))?;
        let seq = self.head.seq + 1;
        let seals = self
            .write_answers(seq, run.run_no, messages, (told, base))
            .map_err(|e| self.store(e))?;
        let mut body = json!({
            "archived": archived,
            "job_id": course.job_id,
            "period": course.period.to_string(),
            "run_id": run.run_id,
            "seals": seals,
        });
        if let Some(key) = act.key {
            let rest = rest_of_posting(&body);
            let words = (by, act.at, &*rest);
            let kind = EventKind::Reconciled;
            let text = message(kind, &run.run_id, &course.manifest_hash, words, &self.head.hash);
            body["key"] = key.public().text().into();
            body["signature"] = key.sign(&text).into();
        }
        let (kind, words) = (EventKind::Reconciled, (act.at, by));
        let event = chain::event(&self.head, kind, run.run_no, words, &body);
        let after = chain::append(&self.transaction, &event).map_err(|e| self.store(e))?;
        let done = deed(&event, &after.hash, &body);
        course
            .check_reconciled(&done, &body, &event.before)
            .map_err(|refusal| refused(refusal, course.period))?;
        self.head = after;
        Ok(self.head.seq)
    }

    fn write_answers(
        &self,
        seq: i64,
        run_no: i64,
        messages: &[Message],
        (told, base): (&[Told], u32),
    ) -> rusqlite::Result<Value> {
        let first = keys(seq)[0];
        let mut add = self.transaction.prepare_cached(
            "INSERT INTO messages (message, run_no, kind, message_id, sha256, file)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        let mut seal = Seal::new();
        for (of, message) in messages.iter().zip(first..) {
            let texts = [of.kind.word(), &*of.message_id, &*of.sha256, &*of.file];
            let [kind, id, hash, file] = texts;
            add.execute(params![message, run_no, kind, id, hash, file])?;
            seal.add(&MessageRow { message, run_no, texts });
        }
        let sealed = seal.finish();
        let mut add = self.transaction.prepare_cached(
            "INSERT INTO answers (answer, message, record, payment, rule, said, fen, bank_date,
                                  bank_ref, reason_code, reason, end_to_end_id, account_no)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?;
        let mut seal = Seal::new();
        let mut texts = Texts::new(&self.transaction)?;
        for (of, answer) in told.iter().zip(first..) {
            let row = AnswerRow {
                answer,
                message: first + i64::from(of.message - base),
                record: of.record.into(),
                payment: of.payment,
                words: [of.rule.word(), of.said.word()],
                fen: of.fen,
                bank_date: of.bank_date.map(date_number),
                texts: [
                    &of.bank_ref,
                    &of.reason_code,
                    &of.reason,
                    &of.end_to_end_id,
                    &of.account_no,
                ],
            };
            let [bank_ref, code, reason, id, account] = row.texts;
            add.execute(params![
                row.answer,
                row.message,
                row.record,
                row.payment,
                texts.number(row.words[0])?,
                texts.number(row.words[1])?,
                row.fen,
                row.bank_date,
                bank_ref,
                code,
                reason,
                id,
                account
            ])?;
            seal.add(&row);
        }
        Ok(json!({ "answers": seal.finish(), "messages": sealed }))
    }
}

fn boxed(row: &Row<'_>, column: usize) -> rusqlite::Result<Box<str>> {
    Ok(Box::from(row.get_ref(column)?.as_str()?))
}

fn date(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Date>> {
    let day: Option<i32> = row.get(column)?;
    Ok(day.and_then(|day| {
        let rest = (day % 10_000).unsigned_abs();
        Date::from_ymd(day / 10_000, rest / 100, rest % 100)
    }))
}

fn read_message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let kind = row.get_ref(1)?.as_str()?;
    let kind = AnswerKind::parse(kind).ok_or_else(|| read::unreadable(1, "kind", kind))?;
    let [message_id, sha256, file] = [boxed(row, 2)?, boxed(row, 3)?, boxed(row, 4)?];
    Ok(Message { kind, message_id, sha256, file })
}

fn read_told(row: &Row<'_>, places: &FxHashMap<i64, u32>) -> rusqlite::Result<Told> {
    let key: i64 = row.get(0)?;
    let place = places.get(&key).copied();
    let (rule, said) = (row.get_ref(3)?.as_str()?, row.get_ref(4)?.as_str()?);
    Ok(Told {
        message: place.ok_or_else(|| read::unreadable(0, "message", &key.to_string()))?,
        record: row.get(1)?,
        payment: row.get(2)?,
        rule: MatchRule::parse(rule).ok_or_else(|| read::unreadable(3, "rule", rule))?,
        said: Said::parse(said).ok_or_else(|| read::unreadable(4, "word", said))?,
        fen: row.get(5)?,
        bank_date: date(row, 6)?,
        bank_ref: boxed(row, 7)?,
        reason_code: boxed(row, 8)?,
        reason: boxed(row, 9)?,
        end_to_end_id: boxed(row, 10)?,
        account_no: boxed(row, 11)?,
    })
}
