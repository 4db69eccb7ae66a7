//! Tests of room `ledger`.

mod acts;
mod chain;
mod concurrency;
pub(crate) mod journal;
mod posting;
mod reading;
mod signing;

use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tuoyu::allocation::BudgetLine;
use tuoyu::domain::{Date, Month, SecretKey};
use tuoyu::job::Approval;
use tuoyu::ledger::{
    Act, ActKind, Acted, InstitutionMonth, Ledger, LedgerError, Posted, RunRecord,
};
use tuoyu::schedule::{LineKind, Payee, Payment, Schedule, ScheduleLine};

/// When and by whom, in tests that do not care.
const AT: &str = "2026-10-09T09:00:00+08:00";
const BY: &str = "张三";

/// A ledger in a folder of its own.
struct Books {
    folder: TempDir,
}

impl Books {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("var/ledger.db")
    }

    fn open(&self) -> Ledger {
        Ledger::open(&self.path()).unwrap()
    }

    /// The file without the ledger's care for it: as an intruder sees it.
    fn raw(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }
}

/// A settled period of two institutions, two items, two sources; three lines are paid, one is zero.
struct Month2 {
    run_id: String,
    period: Month,
    manifest_hash: String,
    schedule: Schedule,
    institutions: Vec<InstitutionMonth>,
    /// Released runs it was settled on.
    earlier: Vec<String>,
    /// Those of them whose closed months it corrects.
    closed: Vec<String>,
    approval: Approval,
    key: Option<SecretKey>,
}

fn month(text: &str) -> Month {
    Month::parse(text).unwrap()
}

/// The period with `fen` as the first line's amount; the other lines pay 200.00 and 55.05 yuan.
fn settled(run_id: &str, period: &str, fen: i64) -> Month2 {
    let period = month(period);
    let pay_on = Some(period.plus(1).first());
    let payee = |id: &str| Payee {
        institution_id: Arc::from(id),
        institution_name: Arc::from(format!("机构{id}")),
        account_name: Arc::from(format!("户名{id}")),
        account_no: Arc::from("6222020200112230"),
        bank_name: Arc::from("某行"),
        bank_no: Arc::from("313521000011"),
        hold_reason: Arc::from(""),
    };
    let budget_lines = ["财教〔2026〕1号", "财教〔2026〕2号"]
        .map(|doc| BudgetLine { budget_doc_no: doc.to_owned(), ..BudgetLine::default() });
    let line = |line_no, payee, item: &str, payable_fen, source: &str, budget_line, payment| {
        ScheduleLine {
            line_no,
            payee,
            kind: LineKind::Original,
            source_period: period,
            item: Arc::from(item),
            quantity: "3".into(),
            rate_fen: Some(30_000),
            gross_fen: payable_fen + 10,
            cut_fen: 10,
            carried_in_fen: 0,
            carried_out_fen: 0,
            payable_fen,
            source: Arc::from(source),
            budget_line,
            pay_on,
            rule_version: Arc::from("rate@2026-01-01/2025-12-20"),
            payment,
        }
    };
    let payment = |number, payee, source: &str, budget_line, amount_fen, lines| Payment {
        payment_no: format!("{period}-{number:06}"),
        end_to_end_id: format!("E{number:034}"),
        payee,
        budget_line,
        source: Arc::from(source),
        pay_on,
        amount_fen,
        lines,
    };
    let institution = |id: &str, headcount, amount_fen| InstitutionMonth {
        institution_id: Arc::from(id),
        headcount,
        slots: 20,
        amount_fen,
    };
    Month2 {
        run_id: run_id.to_owned(),
        period,
        manifest_hash: format!("manifest of {run_id}"),
        schedule: Schedule {
            payees: vec![payee("A"), payee("B")],
            budget_lines: budget_lines.to_vec(),
            lines: vec![
                line(1, 0, "care", fen, "省", 0, 0),
                line(2, 0, "rent", 20_000, "区", 1, 1),
                line(3, 1, "care", 5_505, "省", 0, 2),
                line(4, 1, "rent", 0, "区", u32::MAX, u32::MAX),
            ],
            payments: vec![
                payment(1, 0, "省", 0, fen, 1),
                payment(2, 0, "区", 1, 20_000, 1),
                payment(3, 1, "省", 0, 5_505, 1),
            ],
        },
        institutions: vec![
            institution("B", 7, 5_505),
            institution("A", 12, fen + 20_000),
            institution("C", 0, 0),
        ],
        earlier: Vec::new(),
        closed: Vec::new(),
        approval: Approval::default(),
        key: None,
    }
}

impl Month2 {
    fn record(&self) -> RunRecord<'_> {
        RunRecord {
            run_id: &self.run_id,
            job_id: "monthly",
            period: self.period,
            calc_version: "1",
            engine: "0123abc",
            law_hash: "law",
            manifest_hash: &self.manifest_hash,
            known_on: Date::parse_iso("2026-10-09").unwrap(),
            earlier: &self.earlier,
            closed: &self.closed,
            approval: &self.approval,
            key: self.key.as_ref(),
            schedule: &self.schedule,
            institutions: &self.institutions,
            claims: &[],
        }
    }

    fn post(&self, ledger: &mut Ledger) -> Result<Posted, LedgerError> {
        ledger.post(&self.record(), AT, BY)
    }

    /// Posts it as settled on what is released now, and lets it out.
    fn release(mut self, ledger: &mut Ledger) {
        let released = ledger.released("monthly", self.period).unwrap();
        self.earlier = released.into_iter().map(|run| run.run_id).collect();
        self.post(ledger).unwrap();
        act(ledger, &self.run_id, ActKind::Approve, "李四").unwrap();
        act(ledger, &self.run_id, ActKind::Release, "李四").unwrap();
    }
}

/// Does something with a run, without a key.
fn act(ledger: &mut Ledger, run_id: &str, kind: ActKind, by: &str) -> Result<Acted, LedgerError> {
    ledger.act(run_id, &Act { kind, by, at: AT, reason: "核对无误", key: None })
}
