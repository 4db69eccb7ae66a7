//! `pay.json` of a run folder: what the files of bank and treasury need beside `payments.csv`, so
//! that a release is made from the run folder and the ledger alone.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Publication;
use super::bank::BankError;
use crate::allocation::BudgetLine;
use crate::job::Pay;
use crate::ledger::SentPayment;
use crate::schedule::Schedule;

/// Its name in a run folder.
pub const PAY_FILE: &str = "pay.json";

/// The format of this file; a reader refuses a later one.
const FORMAT: u32 = 1;

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayFile {
    /// Format of this file.
    pub format: u32,
    /// Who pays, by which codes, in which files.
    pub pay: Pay,
    /// Currency code, ISO 4217.
    pub currency: String,
    /// Batch profiles the job names: name -> text of the file.
    pub profiles: BTreeMap<String, String>,
    /// Budget lines of the payments.
    pub budget_lines: Vec<PayBudgetLine>,
    /// Payments by their number.
    pub payments: BTreeMap<String, PayOf>,
}

/// The format alone, whatever else stands in a file.
#[derive(Deserialize)]
struct Told {
    format: u64,
}

/// What is told of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayOf {
    /// Name of the institution.
    pub institution_name: String,
    /// Place in [`PayFile::budget_lines`]; `None` where the money has none.
    pub budget_line: Option<usize>,
}

/// A budget line 指标.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayBudgetLine {
    /// 指标文号.
    pub budget_doc_no: String,
    /// Funding source.
    pub source: String,
    /// 功能分类.
    pub exp_func_code: String,
    /// 政府经济分类.
    pub gov_eco_code: String,
    /// 部门经济分类.
    pub dep_eco_code: String,
    /// 资金性质.
    pub fund_type_code: String,
    /// 项目代码.
    pub project_code: String,
    /// Fiscal year.
    pub fiscal_year: i32,
    /// Balance before this settlement, fen.
    pub balance_fen: i64,
    /// Amount of the indicator, fen, where it is told.
    #[serde(default)]
    pub amount_fen: Option<i64>,
}

impl PayFile {
    /// The file of a run; `None` where the job has no `[pay]`.
    ///
    /// # Errors
    /// When the packs count in a unit that is no currency.
    pub fn of(run: &Publication<'_>) -> Result<Option<Self>, BankError> {
        let Some(pay) = &run.job.pay else { return Ok(None) };
        let unit = run.packs.last().map_or("yuan", |pack| &*pack.currency);
        let (budget_lines, payments) = told(run.schedule);
        Ok(Some(Self {
            format: FORMAT,
            pay: pay.clone(),
            currency: currency(unit)?,
            profiles: run.profiles.batch.clone(),
            payments,
            budget_lines,
        }))
    }

    /// The file of a correction batch: paid as the settlement was, its own payments and budget lines.
    #[must_use]
    pub fn beside(&self, schedule: &Schedule) -> Self {
        let (budget_lines, payments) = told(schedule);
        Self { budget_lines, payments, ..self.clone() }
    }

    /// The budget line of a payment that went out: its own, else (for one of a batch) the first of its
    /// source and 指标文号.
    #[must_use]
    pub fn line_of(&self, sent: &SentPayment) -> Option<BudgetLine> {
        let own = self.payments.get(&*sent.payment_no).and_then(|of| of.budget_line);
        let same = |line: &&PayBudgetLine| {
            line.source == *sent.source && line.budget_doc_no == *sent.budget_doc_no
        };
        let own = own.and_then(|at| self.budget_lines.get(at)).filter(same);
        own.or_else(|| self.budget_lines.iter().find(same)).map(PayBudgetLine::line)
    }

    /// Reads the file of a run folder; `None` where it holds none.
    ///
    /// # Errors
    /// When it cannot be read, is another file or of a later format.
    pub fn read(run_folder: &Path) -> Result<Option<Self>, BankError> {
        let path = run_folder.join(PAY_FILE);
        let wrong = |reason: String| BankError::PayFile { path: path.clone(), reason };
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong(error.to_string())),
        };
        // First, so that a later format is not told by the first field that is new in it.
        let told = serde_json::from_slice(&bytes).ok();
        if let Some(Told { format }) = told.filter(|told: &Told| told.format > u64::from(FORMAT)) {
            return Err(wrong(format!("format {format} is later than {FORMAT}")));
        }
        serde_json::from_slice(&bytes).map(Some).map_err(|error| wrong(error.to_string()))
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        // Serialising texts and numbers to memory cannot fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// The budget lines of a schedule, and where each payment finds its own.
fn told(schedule: &Schedule) -> (Vec<PayBudgetLine>, BTreeMap<String, PayOf>) {
    let lines: Vec<PayBudgetLine> = schedule.budget_lines.iter().map(PayBudgetLine::of).collect();
    let payments = schedule.payments.iter().map(|payment| {
        let payee = schedule.payees.get(payment.payee as usize);
        let place = payment.budget_line as usize;
        let of = PayOf {
            institution_name: payee.map_or("", |of| &*of.institution_name).to_owned(),
            budget_line: (place < lines.len()).then_some(place),
        };
        (payment.payment_no.clone(), of)
    });
    let payments = payments.collect();
    (lines, payments)
}

impl PayBudgetLine {
    fn of(line: &BudgetLine) -> Self {
        Self {
            budget_doc_no: line.budget_doc_no.clone(),
            source: line.source.clone(),
            exp_func_code: line.exp_func_code.clone(),
            gov_eco_code: line.gov_eco_code.clone(),
            dep_eco_code: line.dep_eco_code.clone(),
            fund_type_code: line.fund_type_code.clone(),
            project_code: line.project_code.clone(),
            fiscal_year: line.fiscal_year,
            balance_fen: line.balance_fen,
            amount_fen: line.amount_fen,
        }
    }

    fn line(&self) -> BudgetLine {
        BudgetLine {
            budget_doc_no: self.budget_doc_no.clone(),
            source: self.source.clone(),
            exp_func_code: self.exp_func_code.clone(),
            gov_eco_code: self.gov_eco_code.clone(),
            dep_eco_code: self.dep_eco_code.clone(),
            fund_type_code: self.fund_type_code.clone(),
            project_code: self.project_code.clone(),
            balance_fen: self.balance_fen,
            amount_fen: self.amount_fen,
            fiscal_year: self.fiscal_year,
        }
    }
}

/// The currency code of a pack's money unit: `yuan` is CNY, a word of three letters its own code.
fn currency(unit: &str) -> Result<String, BankError> {
    match unit {
        "yuan" => Ok("CNY".to_owned()),
        _ if unit.len() == 3 && unit.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            Ok(unit.to_ascii_uppercase())
        }
        _ => Err(BankError::Currency { found: unit.to_owned() }),
    }
}
