//! The ledger as books: a plain-text journal of what was released, which hledger balances.
//!
//! What stands where is told in `docs/ledger.md`. Every line and every payment is a pair of
//! postings; after each run the balances are asserted from other columns than those posted.

use super::read::{HEAD, RunHead, head, month};
use super::rows::keys;
use super::{Ledger, LedgerError, answers, chain};
use crate::domain::{Date, Fen, beijing_day};
use crate::schedule::LineKind;
use rusqlite::params;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Read as _, Write};
use std::path::{Path, PathBuf};

/// The first line of every journal: tells our file from somebody else's.
const FIRST: &str = "; Journal of released runs, made by tuoyu ledger journal.";

/// What a reader of a journal can check it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JournalTotals {
    /// Released runs.
    pub runs: i64,
    /// Schedule lines, zero lines among them.
    pub lines: i64,
    /// Sum of the lines' payable, fen.
    pub payable_fen: i64,
    /// Payments.
    pub payments: i64,
    /// Their sum, fen.
    pub payments_fen: i64,
    /// Of these, held: number.
    pub held: i64,
    /// Of these, held: fen.
    pub held_fen: i64,
}

/// Why the books were not written.
#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    /// The ledger does not hold, or cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No run of that job was ever posted here.
    #[error(
        "{path}: has no run of job {job_id}; hint: --job takes the `id` of the job file",
        path = path.display()
    )]
    JobUnknown {
        /// The ledger.
        path: PathBuf,
        /// The job.
        job_id: String,
    },
    /// A file stands in the place of the journal and is none.
    #[error(
        "{path}: is there already and is no journal; hint: name another file",
        path = path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The journal cannot be written.
    #[error("the journal cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// A release: what was let out, when and by whom.
struct Released {
    run: RunHead,
    /// Day of its transactions: never before that of the release before it.
    day: Date,
    at: String,
    by: String,
    seq: i64,
    hash: String,
}

impl Ledger {
    /// Writes the journal of the released runs, in order of release, after the whole ledger was
    /// verified. The same releases give the same bytes.
    ///
    /// # Errors
    /// When the ledger does not hold, has no run of that job, or `to` cannot be written.
    pub fn write_journal(
        &self,
        job_id: Option<&str>,
        to: &mut dyn Write,
    ) -> Result<JournalTotals, BooksError> {
        self.verify()?;
        self.know_job(job_id)?;
        let releases = self.releases(job_id)?;
        let mut journal = Journal {
            ledger: self,
            to,
            accounts: BTreeSet::new(),
            held: BTreeMap::new(),
            carried: BTreeMap::new(),
            totals: JournalTotals::default(),
        };
        journal.open(job_id)?;
        for released in &releases {
            journal.run(released)?;
        }
        journal.close()
    }

    /// [`Ledger::write_journal`] into a file, whole or not at all. A journal that stands there is
    /// replaced, any other file is not.
    ///
    /// # Errors
    /// As there, and [`BooksError::Foreign`].
    pub fn write_journal_file(
        &self,
        job_id: Option<&str>,
        path: &Path,
    ) -> Result<JournalTotals, BooksError> {
        if !is_free(path)? {
            return Err(BooksError::Foreign { path: path.to_owned() });
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".journal-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // less the umask
        let beside = builder.tempfile_in(folder)?;
        let mut to = BufWriter::new(beside.as_file());
        let totals = self.write_journal(job_id, &mut to)?;
        to.flush()?;
        drop(to);
        beside.as_file().sync_all()?;
        beside.persist(path).map_err(|late| late.error)?;
        File::open(folder)?.sync_all()?;
        Ok(totals)
    }

    /// Refuses a job that no run was ever posted of: a mistyped name is not an empty book.
    pub(super) fn know_job(&self, job_id: Option<&str>) -> Result<(), BooksError> {
        let Some(job_id) = job_id else { return Ok(()) };
        let sql = "SELECT 1 FROM runs WHERE job_id = ?1 LIMIT 1";
        let found: Vec<i64> = self.rows(sql, [job_id], |row| row.get(0))?;
        if found.is_empty() {
            let path = self.path.clone();
            return Err(BooksError::JobUnknown { path, job_id: job_id.to_owned() });
        }
        Ok(())
    }

    /// The releases in their order, by the chain of events.
    fn releases(&self, job_id: Option<&str>) -> Result<Vec<Released>, LedgerError> {
        let mut releases: Vec<Released> = Vec::new();
        let sql = format!("SELECT {HEAD} FROM runs WHERE run_no = ?1");
        chain::walk(&self.connection, &self.path, |event, hash| {
            if event.kind != chain::EventKind::Released.word() {
                return Ok(());
            }
            let run = self.rows(&sql, params![event.run_no], head)?.pop();
            let run = run.ok_or_else(|| event.broken(&self.path, "its run is missing"))?;
            let job = run.job_id.split('+').next().unwrap_or_default();
            if job_id.is_some_and(|id| id != job) {
                return Ok(());
            }
            let day = beijing_day(&event.at)
                .ok_or_else(|| event.broken(&self.path, "its time cannot be read"))?;
            // Acts may be entered later than they were done. Balances are asserted in the order
            // of events, and a reader of journals takes them in the order of days.
            let day = releases.last().map_or(day, |before| before.day.max(day));
            releases.push(Released {
                run,
                day,
                at: event.at.clone(),
                by: event.by.clone(),
                seq: event.seq,
                hash: hash.to_owned(),
            });
            Ok(())
        })?;
        Ok(releases)
    }
}

/// Whether nothing stands there, or a journal of ours.
fn is_free(path: &Path) -> io::Result<bool> {
    let mut first = String::new();
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
        Ok(file) => match file.take(FIRST.len() as u64).read_to_string(&mut first) {
            Ok(_) => {}
            // Not a text.
            Err(error) if error.kind() == ErrorKind::InvalidData => return Ok(false),
            Err(error) => return Err(error),
        },
    }
    Ok(first == FIRST)
}

/// A journal on its way out.
struct Journal<'a> {
    ledger: &'a Ledger,
    to: &'a mut dyn Write,
    /// Every account that was posted to.
    accounts: BTreeSet<String>,
    /// Payments held so far, fen by institution.
    held: BTreeMap<String, i64>,
    /// Carried so far: brought in less moved out, fen by institution.
    carried: BTreeMap<String, i64>,
    totals: JournalTotals,
}

impl Journal<'_> {
    fn open(&mut self, job_id: Option<&str>) -> io::Result<()> {
        writeln!(self.to, "{FIRST}")?;
        if let Some(job_id) = job_id {
            writeln!(self.to, "; job: {}", account_part(job_id))?;
        }
        writeln!(self.to, "\ndecimal-mark .\ncommodity 1000.00 CNY")
    }

    fn run(&mut self, released: &Released) -> Result<(), BooksError> {
        let Released { run, at, by, seq, hash, .. } = released;
        writeln!(
            self.to,
            "\n; run {}\n; job {}, period {}, released {at} by {}\n; event {seq} {hash}",
            run.run_id,
            account_part(&run.job_id),
            run.period,
            account_part(by),
        )?;
        self.claims(released)?;
        if answers::is_batch(&run.job_id) {
            // The lines of a batch were booked when they were settled, and its totals with them.
            let totals = self.totals;
            self.payments(released)?;
            self.totals = totals;
            return self.balances(released);
        }
        self.lines(released)?;
        self.payments(released)?;
        self.balances(released)?;
        self.totals.runs += 1;
        Ok(())
    }

    /// What failed before and is paid again: it came back (or, held, never went), and is payable again
    /// by a batch, or comes in with the lines of a settlement.
    fn claims(&mut self, released: &Released) -> Result<(), BooksError> {
        let batch = answers::is_batch(&released.run.job_id);
        let claims: Vec<([String; 6], i64)> = self.ledger.rows(
            "SELECT payment_no, institution_id, institution_name, hold_reason, sources.text,
                    budgets.text, fen
             FROM claims JOIN payments USING (payment)
             JOIN payees ON payees.payee = payments.payee
             JOIN texts AS sources ON sources.text_no = payments.source
             JOIN texts AS budgets ON budgets.text_no = payments.budget_doc_no
             WHERE claim BETWEEN ?1 AND ?2 ORDER BY claim",
            keys(released.run.run_no),
            |row| {
                let text = |at: usize| row.get::<_, String>(at);
                Ok(([text(0)?, text(1)?, text(2)?, text(3)?, text(4)?, text(5)?], row.get(6)?))
            },
        )?;
        for ([no, id, name, hold, source, document], fen) in claims {
            let institution = account_part(&id);
            let payable = format!("liabilities:payable:{institution}");
            self.transaction(released, &no, &id, &name, "failed before")?;
            if hold.is_empty() {
                let (source, document) = (account_part(&source), account_part(&document));
                self.posting(format!("assets:budget:{source}:{document}"), fen, "")?;
            } else {
                self.posting(payable.clone(), fen, "")?;
                *self.held.entry(id.clone()).or_default() -= fen;
            }
            if batch {
                self.posting(payable, -fen, "")?;
            } else {
                self.posting(format!("liabilities:carried:{institution}"), -fen, "")?;
                *self.carried.entry(id).or_default() -= fen;
            }
        }
        Ok(())
    }

    /// One transaction an institution, one pair of postings a line.
    fn lines(&mut self, released: &Released) -> Result<(), BooksError> {
        let (ledger, run) = (self.ledger, &released.run);
        let store = |source| ledger.store(source);
        let names: BTreeMap<String, String> = ledger
            .rows(
                "SELECT institution_id, institution_name FROM payees WHERE payee BETWEEN ?1 AND ?2",
                keys(run.run_no),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?
            .into_iter()
            .collect();
        let mut statement = ledger
            .connection
            .prepare_cached(
                "SELECT line_no, institution_id, line_kind, source_period, item, source,
                        payable_fen, carried_in_fen - carried_out_fen
                 FROM schedule_lines WHERE line BETWEEN ?1 AND ?2 ORDER BY line",
            )
            .map_err(store)?;
        let mut rows = statement.query(keys(run.run_no)).map_err(store)?;
        let mut open: Option<String> = None;
        while let Some(row) = rows.next().map_err(store)? {
            let text = |at: usize| row.get::<_, String>(at).map_err(store);
            let number = |at: usize| row.get::<_, i64>(at).map_err(store);
            let (line_no, id, kind) = (number(0)?, text(1)?, text(2)?);
            let (fen, carried) = (number(6)?, number(7)?);
            let institution = account_part(&id);
            if open.as_deref() != Some(&*id) {
                let name = names.get(&id).map_or("", String::as_str);
                self.transaction(released, &run.period.to_string(), &id, name, "schedule")?;
                open = Some(id.clone());
            }
            let moved = [LineKind::CarryIn, LineKind::CarryOut].iter().any(|k| k.word() == kind);
            let other = if moved {
                format!("liabilities:carried:{institution}")
            } else {
                format!("expenses:{}:{}", account_part(&text(4)?), account_part(&text(5)?))
            };
            let service = month(row, 3).map_err(store)?;
            let tags = format!("  ; line:{line_no}, source-period:{service}, kind:{kind}");
            self.posting(other, fen, &tags)?;
            self.posting(format!("liabilities:payable:{institution}"), -fen, "")?;
            *self.carried.entry(id).or_default() += carried;
            self.totals.lines += 1;
            self.totals.payable_fen += fen;
        }
        Ok(())
    }

    /// One transaction a payment that went out; a held one is told and stays payable.
    fn payments(&mut self, released: &Released) -> Result<(), BooksError> {
        let ledger = self.ledger;
        let store = |source| ledger.store(source);
        let mut statement = ledger
            .connection
            .prepare_cached(
                "SELECT payment_no, end_to_end_id, institution_id, institution_name, hold_reason,
                        sources.text, budgets.text, pay_on, amount_fen
                 FROM payments JOIN payees ON payees.payee = payments.payee
                 JOIN texts AS sources ON sources.text_no = payments.source
                 JOIN texts AS budgets ON budgets.text_no = payments.budget_doc_no
                 WHERE payment BETWEEN ?1 AND ?2 ORDER BY payment",
            )
            .map_err(store)?;
        let mut rows = statement.query(keys(released.run.run_no)).map_err(store)?;
        while let Some(row) = rows.next().map_err(store)? {
            let text = |at: usize| row.get::<_, String>(at).map_err(store);
            let (no, id, hold) = (text(0)?, text(2)?, text(4)?);
            let pay_on: Option<i64> = row.get(7).map_err(store)?;
            let fen: i64 = row.get(8).map_err(store)?;
            let institution = account_part(&id);
            self.totals.payments += 1;
            self.totals.payments_fen += fen;
            if !hold.is_empty() {
                let (no, hold) = (account_part(&no), account_part(&hold));
                writeln!(self.to, "\n; held: {no} {} CNY, {institution}, {hold}", Fen(fen))?;
                self.totals.held += 1;
                self.totals.held_fen += fen;
                *self.held.entry(id).or_default() += fen;
                continue;
            }
            self.transaction(released, &no, &id, &text(3)?, "payment")?;
            let mut tags = format!("    ; end-to-end-id:{}", text(1)?);
            if let Some(day) = pay_on {
                let (year, month, day) = (day / 10_000, day / 100 % 100, day % 100);
                let _ = write!(tags, ", pay-on:{year}-{month:02}-{day:02}");
            }
            writeln!(self.to, "{tags}")?;
            self.posting(format!("liabilities:payable:{institution}"), fen, "")?;
            let (source, document) = (account_part(&text(5)?), account_part(&text(6)?));
            self.posting(format!("assets:budget:{source}:{document}"), -fen, "")?;
        }
        Ok(())
    }

    /// Asserts what is left: payable are the payments held, carried what the lines say they moved.
    fn balances(&mut self, released: &Released) -> Result<(), BooksError> {
        let ids: Vec<String> = self.ledger.rows(
            "SELECT DISTINCT institution_id FROM payees WHERE payee BETWEEN ?1 AND ?2
             ORDER BY institution_id",
            keys(released.run.run_no),
            |row| row.get(0),
        )?;
        if ids.is_empty() {
            return Ok(());
        }
        let period = released.run.period.to_string();
        self.transaction(released, &period, "", "", "balances")?;
        for id in ids {
            let institution = account_part(&id);
            let held = self.held.get(&id).copied().unwrap_or(0);
            let tail = format!(" = {} CNY", Fen(-held));
            self.posting(format!("liabilities:payable:{institution}"), 0, &tail)?;
            let account = format!("liabilities:carried:{institution}");
            let carried = self.carried.get(&id).copied().unwrap_or(0);
            if carried != 0 || self.accounts.contains(&account) {
                self.posting(account, 0, &format!(" = {} CNY", Fen(carried)))?;
            }
        }
        Ok(())
    }

    /// Declares every account, so that hledger's strict check holds, and ends with the totals.
    fn close(self) -> Result<JournalTotals, BooksError> {
        writeln!(self.to)?;
        for account in &self.accounts {
            writeln!(self.to, "account {account}")?;
        }
        let JournalTotals { runs, lines, payable_fen, payments, payments_fen, held, held_fen } =
            self.totals;
        writeln!(self.to, "\n; runs: {runs}")?;
        writeln!(self.to, "; lines: {lines}, payable {} CNY", Fen(payable_fen))?;
        writeln!(self.to, "; payments: {payments}, {} CNY", Fen(payments_fen))?;
        writeln!(self.to, "; of these held: {held}, {} CNY", Fen(held_fen))?;
        self.to.flush()?;
        Ok(self.totals)
    }

    /// The head of a transaction: day, code, whom it is about, what it is, and the run.
    fn transaction(
        &mut self,
        released: &Released,
        code: &str,
        id: &str,
        name: &str,
        what: &str,
    ) -> io::Result<()> {
        let payee = if name.trim().is_empty() { id } else { name };
        let payee = if payee.is_empty() { "-".to_owned() } else { account_part(payee) };
        let run_id = &released.run.run_id;
        let day = released.day;
        writeln!(self.to, "\n{day} * ({}) {payee} | {what}", account_part(code))?;
        writeln!(self.to, "    ; run:{run_id}")
    }

    fn posting(&mut self, account: String, fen: i64, tail: &str) -> io::Result<()> {
        writeln!(self.to, "    {account}  {} CNY{tail}", Fen(fen))?;
        self.accounts.insert(account);
        Ok(())
    }
}

/// One part of an account name. Characters that hledger reads as more than a letter are written as
/// `%` and the two hex digits of each of their bytes: `:` `;` `|` `%` `)`, control characters, and
/// every space but a single one inside. A part without text is `-`. Two names are never one part.
fn account_part(name: &str) -> String {
    match name {
        "" => return "-".to_owned(),
        "-" => return "%2D".to_owned(),
        _ => {}
    }
    let mut part = String::with_capacity(name.len());
    let mut letters = name.chars().peekable();
    let mut after_letter = false;
    while let Some(letter) = letters.next() {
        let single = letter == ' '
            && after_letter
            && letters.peek().is_some_and(|next| !next.is_whitespace());
        let plain = !matches!(letter, ':' | ';' | '|' | '%' | ')')
            && !letter.is_control()
            && (single || !letter.is_whitespace());
        after_letter = !letter.is_whitespace();
        if plain {
            part.push(letter);
        } else {
            for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(part, "%{byte:02X}");
            }
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_as_parts_of_accounts() {
        for (name, part) in [
            ("child.operating", "child.operating"),
            ("示例财社指〔2026〕303号", "示例财社指〔2026〕303号"),
            ("", "-"),
            ("-", "%2D"),
            ("a:b;c|d%e)", "a%3Ab%3Bc%7Cd%25e%29"),
            ("a b", "a b"),
            ("a  b", "a%20%20b"),
            (" a ", "%20a%20"),
            ("甲\u{3000}乙", "甲%E3%80%80乙"),
            ("a \u{3000}b", "a%20%E3%80%80b"),
            ("a\tb\nc", "a%09b%0Ac"),
        ] {
            assert_eq!(account_part(name), part, "{name:?}");
        }
    }
}
