//! Proving the books: the chain, the rows behind every event, and where the runs stand.

use super::acts;
use super::chain::{self, Event, EventKind};
use super::course::{ActKind, Course};
use super::order::{self, Other};
use super::read::{RunState, date_number, month_number};
use super::rows::{ROWS_MAX, keys};
use super::seal::{
    AnswerRow, ClaimRow, InstitutionRow, LineRow, MessageRow, PayeeRow, PaymentRow, Seal, TotalRow,
};
use super::{Ledger, LedgerError, Refusal, schema};
use crate::domain::{Date, Month};
use rusqlite::{Connection, Row};
use serde_json::Value;
use std::collections::BTreeMap;

/// What was proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Events in the chain.
    pub events: i64,
    /// Hash of the last event; a cut tail shows only against a copy of it kept elsewhere.
    pub head: String,
    /// Runs, replaced ones included.
    pub runs: usize,
}

/// Where the runs should stand, by the events so far.
#[derive(Default)]
struct Standing {
    /// By number: the course of the run, and what replaced it.
    runs: BTreeMap<i64, (Course, Option<i64>)>,
    /// The run that stands for each job and period.
    books: BTreeMap<(String, i64), i64>,
}

impl Ledger {
    /// Reads everything and checks it: the store's own structure, the layout, the chain, the hash
    /// of every row under the event that posted it, and that runs stand where the events put them.
    ///
    /// # Errors
    /// [`LedgerError::Broken`] names the first event that does not hold.
    pub fn verify(&self) -> Result<Verified, LedgerError> {
        self.verify_from(None)
    }

    /// [`Ledger::verify`]; a head kept elsewhere, if given, must be the hash of one of the events,
    /// so that a tail that was cut or written anew is found.
    ///
    /// # Errors
    /// As [`Ledger::verify`]; a missing head is told at the event after the last.
    pub fn verify_from(&self, kept: Option<&str>) -> Result<Verified, LedgerError> {
        let path = self.path.as_path();
        let connection = &self.connection;
        // One read transaction, so that a run posted meanwhile is seen wholly or not at all.
        let view = connection.unchecked_transaction().map_err(|source| self.store(source))?;
        let mut standing = Standing::default();
        let mut seen = kept.is_none();
        let head = chain::walk(&view, path, |event, hash| {
            seen |= kept == Some(hash);
            let checked = check_event(&view, event, hash, &mut standing);
            checked.map_err(|fault| event.broken(path, fault.text()))
        })?;
        let whole = |found: String| LedgerError::Broken {
            path: path.to_owned(),
            seq: 0,
            event: "the file".to_owned(),
            found,
        };
        check_whole(&view, &standing.runs).map_err(|fault| whole(fault.text()))?;
        if !seen {
            return Err(LedgerError::Broken {
                path: path.to_owned(),
                seq: head.seq + 1,
                event: "missing".to_owned(),
                found: format!(
                    "no event has the hash {} that was kept; the events end at {}",
                    kept.unwrap_or_default(),
                    head.seq
                ),
            });
        }
        Ok(Verified { events: head.seq, head: head.hash, runs: standing.runs.len() })
    }
}

/// Why a check failed: by what was found, or because a row could not be read at all.
enum Fault {
    Found(String),
    Unreadable(rusqlite::Error),
}

impl Fault {
    fn text(self) -> String {
        match self {
            Self::Found(found) => found,
            Self::Unreadable(error) => format!("a row cannot be read ({error})"),
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unreadable(error)
    }
}

fn found<T>(text: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Found(text.into()))
}

/// Checks an event against the rows it posted, or judges the act it records, and takes note of
/// where runs stand after it.
fn check_event(
    connection: &Connection,
    event: &Event,
    hash: &str,
    standing: &mut Standing,
) -> Result<(), Fault> {
    let Some(kind) = EventKind::parse(&event.kind) else {
        return found("its kind is unknown");
    };
    let Ok(body) = serde_json::from_str::<Value>(&event.body) else {
        return found("its text cannot be read");
    };
    let refused = |refusal: Refusal| Fault::Found(format!("its run {refusal}"));
    match kind {
        EventKind::Posted | EventKind::Replaced => {
            let book = check_run(connection, event.run_no, &body)?;
            check_seals(connection, event.run_no, &body["seals"])?;
            let mut course = None;
            acts::follow(&mut course, event, hash, &body).map_err(refused)?;
            let Some(course) = course else { return found("its text cannot be read") };
            if standing.runs.contains_key(&event.run_no) {
                return found("its run was posted before");
            }
            let old = standing.books.insert(book, event.run_no);
            let replaces = old.and_then(|old| standing.runs.get_mut(&old));
            let named = body["replaces"].as_str();
            if replaces.as_ref().map(|(old, _)| old.run_id.as_str()) != named {
                return found("it does not replace the run that stood");
            }
            if let Some((old, superseded_by)) = replaces {
                if old.state != RunState::Draft {
                    return found("it replaces a run that was no draft");
                }
                *superseded_by = Some(event.run_no);
            }
            standing.runs.insert(event.run_no, (course, None));
        }
        EventKind::Approved
        | EventKind::Released
        | EventKind::Answered
        | EventKind::Closed
        | EventKind::Reopened
        | EventKind::Reconciled => {
            check_order(event.run_no, kind, standing).map_err(refused)?;
            let Some((course, superseded_by)) = standing.runs.get_mut(&event.run_no) else {
                return found("its run was posted by no event before it");
            };
            if superseded_by.is_some() {
                return found("its run was replaced before");
            }
            let mut course = Some(course.clone());
            acts::follow(&mut course, event, hash, &body).map_err(refused)?;
            if let (Some(after), Some((course, _))) = (course, standing.runs.get_mut(&event.run_no))
            {
                *course = after;
            }
            if kind == EventKind::Reconciled {
                check_answers(connection, event.seq, &body["seals"])?;
            }
        }
    }
    Ok(())
}

/// Judges the order of periods as the act did, by where the runs stood before it.
fn check_order(run_no: i64, kind: EventKind, standing: &Standing) -> Result<(), Refusal> {
    let (Some((course, _)), Some(kind)) = (standing.runs.get(&run_no), ActKind::of(kind)) else {
        return Ok(());
    };
    let books = (course.job_id.clone(), i64::MIN)..=(course.job_id.clone(), i64::MAX);
    let others: Vec<Other<'_>> = standing
        .books
        .range(books)
        .filter(|(_, other)| **other != run_no)
        .filter_map(|(_, other)| standing.runs.get(other))
        .map(|(other, _)| Other { period: other.period, state: other.state, run_id: &other.run_id })
        .collect();
    order::check(course, kind, &others)
}

/// Compares the row of a run with its event; gives (job, period).
fn check_run(connection: &Connection, run_no: i64, body: &Value) -> Result<(String, i64), Fault> {
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let period = Month::parse(&text("period")).map(month_number);
    let known_on = Date::parse_iso(&text("known_on")).map(date_number);
    let (Ok(period), Ok(known_on)) = (period, known_on) else {
        return found("its period or date cannot be read");
    };
    let columns = ["run_id", "job_id", "calc_version", "law_hash", "manifest_hash"];
    let sql =
        format!("SELECT {}, period, known_on FROM runs WHERE run_no = ?1", columns.join(", "));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([run_no])?;
    let Some(row) = rows.next()? else { return found("its run is not in the ledger") };
    for (index, column) in columns.into_iter().enumerate() {
        if row.get::<_, String>(index)? != text(column) {
            return found(format!("runs.{column} differs from the event"));
        }
    }
    if (row.get::<_, i64>(5)?, row.get::<_, i64>(6)?) != (period, known_on) {
        return found("runs.period or runs.known_on differs from the event");
    }
    Ok((text("job_id"), period))
}

/// Seals the rows of a run again and compares.
fn check_seals(connection: &Connection, run_no: i64, seals: &Value) -> Result<(), Fault> {
    let tables: [(&str, &str, AddRow); 5] = [
        ("payees", PAYEES, add_payee),
        ("payments", PAYMENTS, add_payment),
        ("lines", LINES, add_line),
        ("totals", TOTALS, add_total),
        ("institutions", INSTITUTIONS, add_institution),
    ];
    check_tables(connection, run_no, &tables, seals)?;
    // A run before there were any, and one that is no correction batch, claims nothing.
    let claims = [("claims", CLAIMS, add_claim as AddRow)];
    match &seals["claims"] {
        Value::Null if connection.prepare_cached(CLAIMS)?.exists(keys(run_no))? => {
            found("its run claims payments and its event does not say so")
        }
        Value::Null => Ok(()),
        _ => check_tables(connection, run_no, &claims, seals),
    }
}

/// Seals the rows of each table again that are keyed by a number, and compares.
fn check_tables(
    connection: &Connection,
    number: i64,
    tables: &[(&str, &str, AddRow)],
    seals: &Value,
) -> Result<(), Fault> {
    for (table, sql, add) in tables {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(keys(number))?;
        let mut seal = Seal::new();
        while let Some(row) = rows.next()? {
            add(row, &mut seal)?;
        }
        if seal.finish() != seals[*table] {
            return found(format!("the {table} of its run are not those that were posted"));
        }
    }
    Ok(())
}

/// Seals the answers of an event again and compares.
fn check_answers(connection: &Connection, seq: i64, seals: &Value) -> Result<(), Fault> {
    let tables: [(&str, &str, AddRow); 2] =
        [("messages", MESSAGES, add_message), ("answers", ANSWERS, add_answer)];
    check_tables(connection, seq, &tables, seals)
}

/// Adds a row read back to a seal.
type AddRow = fn(&Row<'_>, &mut Seal) -> Result<(), Fault>;

const PAYEES: &str =
    "SELECT payee, run_no, institution_id, institution_name, account_name, account_no,
        bank_name, bank_no, hold_reason, payable_fen
    FROM payees WHERE payee BETWEEN ?1 AND ?2 ORDER BY payee";

const PAYMENTS: &str = "SELECT payment, payment_no, end_to_end_id, payee, sources.text,
        budgets.text, pay_on, amount_fen, lines
    FROM payments
    LEFT JOIN texts AS sources ON sources.text_no = source
    LEFT JOIN texts AS budgets ON budgets.text_no = budget_doc_no
    WHERE payment BETWEEN ?1 AND ?2 ORDER BY payment";

const LINES: &str = "SELECT line, payee, kinds.text, source_period, items.text, quantity,
        rate_fen, gross_fen, cut_fen, carried_in_fen, carried_out_fen, payable_fen, sources.text,
        budgets.text, pay_on, rules.text, payment
    FROM lines
    LEFT JOIN texts AS kinds ON kinds.text_no = line_kind
    LEFT JOIN texts AS items ON items.text_no = item
    LEFT JOIN texts AS sources ON sources.text_no = source
    LEFT JOIN texts AS budgets ON budgets.text_no = budget_doc_no
    LEFT JOIN texts AS rules ON rules.text_no = rule_version
    WHERE line BETWEEN ?1 AND ?2 ORDER BY line";

const TOTALS: &str = "SELECT total, run_no, items.text, sources.text, budgets.text, payable_fen
    FROM totals
    LEFT JOIN texts AS items ON items.text_no = item
    LEFT JOIN texts AS sources ON sources.text_no = source
    LEFT JOIN texts AS budgets ON budgets.text_no = budget_doc_no
    WHERE total BETWEEN ?1 AND ?2 ORDER BY total";

const CLAIMS: &str = "SELECT claim, run_no, payment, fen FROM claims
    WHERE claim BETWEEN ?1 AND ?2 ORDER BY claim";

const MESSAGES: &str = "SELECT message, run_no, kind, message_id, sha256, file FROM messages
    WHERE message BETWEEN ?1 AND ?2 ORDER BY message";

const ANSWERS: &str = "SELECT answer, message, record, payment, rules.text, words.text, fen,
        bank_date, bank_ref, reason_code, reason, end_to_end_id, account_no
    FROM answers
    LEFT JOIN texts AS rules ON rules.text_no = rule
    LEFT JOIN texts AS words ON words.text_no = said
    WHERE answer BETWEEN ?1 AND ?2 ORDER BY answer";

const INSTITUTIONS: &str =
    "SELECT institution, run_no, institution_id, headcount, slots, amount_fen
    FROM institutions WHERE institution BETWEEN ?1 AND ?2 ORDER BY institution";

fn add_payee(row: &Row<'_>, seal: &mut Seal) -> Result<(), Fault> {
    let mut texts = [""; 7];
    for (index, place) in texts.iter_mut().enumerate() {
        *place = text(row, index + 2)?;
    }
    seal.add(&PayeeRow {
        payee: row.get(0)?,
        run_no: row.get(1)?,
        texts,
        payable_fen: row.get(9)?,
    });
    Ok(())
}

fn add_payment(row: &Row<'_>, seal: &mut Seal) -> Result<(), Fault> {
    seal.add(&PaymentRow {
        payment: row.get(0)?,
        payment_no: text(row, 1)?,
        end_to_end_id: text(row, 2)?,
        payee: row.get(3)?,
        source: text(row, 4)?,
        budget_doc_no: text(row, 5)?,
        pay_on: row.get(6)?,
        amount_fen: row.get(7)?,
        lines: row.get(8)?,
    });
    Ok(())
}

fn add_line(row: &Row<'_>, seal: &mut Seal) -> Result<(), Fault> {
    seal.add(&LineRow {
        line: row.get(0)?,
        payee: row.get(1)?,
        line_kind: text(row, 2)?,
        source_period: row.get(3)?,
        item: text(row, 4)?,
        quantity: text(row, 5)?,
        rate_fen: row.get(6)?,
        parts_fen: [row.get(7)?, row.get(8)?, row.get(9)?, row.get(10)?],
        payable_fen: row.get(11)?,
        source: text(row, 12)?,
        budget_doc_no: text(row, 13)?,
        pay_on: row.get(14)?,
        rule_version: text(row, 15)?,
        payment: row.get(16)?,
    });
    Ok(())
}

fn add_total(row: &Row<'_>, seal: &mut Seal) -> Result<(), Fault> {
    seal.add(&TotalRow {
        total: row.get(0)?,
        run_no: row.get(1)?,
        item: text(row, 2)?,
        source: text(row, 3)?,
        budget_doc_no: text(row, 4)?,
        payable_fen: row.get(5)?,
    });
    Ok(())
}

fn add_institution(row: &Row<'_>, seal: &mut Seal) -> Result<(), Fault> {
    seal.add(&InstitutionRow {
        institution: row.get(0)?,
        run_no: row.get(1)?,
        institution_id: text(row, 2)?,
        headcount: row.get(3)?,
        slots: row.get(4)?,
        amount_fen: row.get(5)?,
    });
    Ok(())
}

fn add_claim(row: &Row<'_>, seal: &mut Seal) -> Result<(), Fault> {
    seal.add(&ClaimRow {
        claim: row.get(0)?,
        run_no: row.get(1)?,
        payment: row.get(2)?,
        fen: row.get(3)?,
    });
    Ok(())
}

fn add_message(row: &Row<'_>, seal: &mut Seal) -> Result<(), Fault> {
    let texts = [text(row, 2)?, text(row, 3)?, text(row, 4)?, text(row, 5)?];
    seal.add(&MessageRow { message: row.get(0)?, run_no: row.get(1)?, texts });
    Ok(())
}

fn add_answer(row: &Row<'_>, seal: &mut Seal) -> Result<(), Fault> {
    let mut texts = [""; 5];
    for (index, place) in texts.iter_mut().enumerate() {
        *place = text(row, index + 8)?;
    }
    seal.add(&AnswerRow {
        answer: row.get(0)?,
        message: row.get(1)?,
        record: row.get(2)?,
        payment: row.get(3)?,
        words: [text(row, 4)?, text(row, 5)?],
        fen: row.get(6)?,
        bank_date: row.get(7)?,
        texts,
    });
    Ok(())
}

fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, Fault> {
    match row.get_ref(column)?.as_str() {
        Ok(text) => Ok(text),
        Err(error) => found(format!("a row cannot be read ({error})")),
    }
}

/// Checks what no event stands for: the store's structure, the layout, rows that nothing posted.
fn check_whole(
    connection: &Connection,
    standing: &BTreeMap<i64, (Course, Option<i64>)>,
) -> Result<(), Fault> {
    let mut statement = connection
        .prepare("SELECT run_no, run_id, state, superseded_by FROM runs ORDER BY run_no")?;
    let mut rows = statement.query(())?;
    let mut runs = 0;
    while let Some(row) = rows.next()? {
        let (run_no, run_id): (i64, String) = (row.get(0)?, row.get(1)?);
        let Some((course, superseded_by)) = standing.get(&run_no) else {
            return found(format!("run {run_id} was posted by no event"));
        };
        let state = course.state.word();
        if row.get::<_, String>(2)? != state {
            return found(format!("run {run_id} is not {state}, as the events say"));
        }
        if row.get::<_, Option<i64>>(3)? != *superseded_by {
            return found(format!("run {run_id} is not replaced as the events say"));
        }
        runs += 1;
    }
    if runs != standing.len() {
        return found("a run is missing");
    }
    for (table, key) in [("messages", "message"), ("answers", "answer")] {
        let sql = format!(
            "SELECT 1 FROM {table} WHERE {key} / {ROWS_MAX} NOT IN
             (SELECT seq FROM events WHERE kind = 'reconciled') LIMIT 1"
        );
        if connection.prepare(&sql)?.exists(())? {
            return found(format!("a row of {table} was taken in by no event"));
        }
    }
    let lost = "SELECT 1 FROM answers LEFT JOIN messages USING (message)
         LEFT JOIN payments USING (payment)
         WHERE messages.message IS NULL
             OR (answers.payment IS NOT NULL AND payments.payment IS NULL) LIMIT 1";
    if connection.prepare(lost)?.exists(())? {
        return found("an answer belongs to no message or payment");
    }
    let integrity: String =
        connection.query_row("PRAGMA integrity_check(1)", (), |row| row.get(0))?;
    if integrity != "ok" {
        return found(format!("the store says: {integrity}"));
    }
    if connection.prepare("PRAGMA foreign_key_check")?.exists(())? {
        return found("a row belongs to no run, payee, payment or text");
    }
    if schema::statements(connection)? != schema::statements_expected()? {
        return found("its tables or triggers are not those of a ledger");
    }
    Ok(())
}
