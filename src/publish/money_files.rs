//! The files that carry money: `schedule`, `payments`, `funding`, `finance_detail`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::labels::put;
use super::merkle::{self, Blinding, Hash};
use super::proof::OUTSIDE;
use super::register::{NOBODY, Register};
use super::sheet::{Sheet, Values, push_whole, yuan};
use super::tally::Tallies;
use super::{Publication, PublishError};
use crate::allocation::BudgetLine;
use crate::domain::{Date, Month, hex};
use crate::schedule::{Payee, Payment, Schedule, ScheduleLine};

fn shared<T>(rows: &[T], pick: impl Fn(&T) -> Arc<str>) -> Values {
    Values::Shared(rows.iter().map(pick).collect())
}

fn texts<T>(rows: &[T], pick: impl Fn(&T) -> String) -> Values {
    Values::Text(rows.iter().map(pick).collect())
}

/// Columns of texts that many rows share: a row names a payee, a budget line or a payment by number.
struct Numbered(Arc<[u32]>);

impl Numbered {
    fn of<T>(rows: &[T], number: impl FnMut(&T) -> u32) -> Self {
        Self(rows.iter().map(number).collect())
    }

    fn texts(&self, texts: impl IntoIterator<Item = Arc<str>>) -> Values {
        Values::Numbered(Arc::clone(&self.0), texts.into_iter().collect())
    }

    /// One text of every payee.
    fn payees(&self, of: &Schedule, pick: PayeeText) -> Values {
        self.texts(of.payees.iter().map(|payee| Arc::clone(pick(payee))))
    }

    /// One text of every budget line.
    fn budget(&self, of: &Schedule, pick: BudgetText) -> Values {
        self.texts(of.budget_lines.iter().map(|line| Arc::from(pick(line).as_str())))
    }
}

/// A column of the few months, dates or kinds that occur; the text of each is made once.
fn few<T, K: Ord + Copy>(rows: &[T], key: impl Fn(&T) -> K, text: impl Fn(K) -> String) -> Values {
    let mut numbers: BTreeMap<K, u32> = BTreeMap::new();
    let mut texts: Vec<Arc<str>> = Vec::new();
    let of = Numbered::of(rows, |row| {
        let key = key(row);
        *numbers.entry(key).or_insert_with(|| {
            texts.push(Arc::from(text(key)));
            u32::try_from(texts.len() - 1).unwrap_or(u32::MAX)
        })
    });
    of.texts(texts)
}

type PayeeText = fn(&Payee) -> &Arc<str>;

/// Columns of the payee, as schedule and payments show them.
const ACCOUNT: [(&str, PayeeText); 4] = [
    ("account_name", |payee| &payee.account_name),
    ("account_no", |payee| &payee.account_no),
    ("bank_name", |payee| &payee.bank_name),
    ("bank_no", |payee| &payee.bank_no),
];

type BudgetText = fn(&BudgetLine) -> &String;

const BUDGET: [(&str, BudgetText); 6] = [
    ("budget_doc_no", |line| &line.budget_doc_no),
    ("exp_func_code", |line| &line.exp_func_code),
    ("gov_eco_code", |line| &line.gov_eco_code),
    ("dep_eco_code", |line| &line.dep_eco_code),
    ("fund_type_code", |line| &line.fund_type_code),
    ("project_code", |line| &line.project_code),
];

/// `schedule.csv` 拨付计划 (FORMATS 3.1) but for the hashes of its rows.
pub(super) fn schedule(run: &Publication<'_>) -> Sheet {
    schedule_of(run.schedule, run.run_id, &run.job.id, run.job.period)
}

/// [`schedule`] of any schedule: a settlement's, a correction batch's.
pub(super) fn schedule_of(of: &Schedule, run_id: &str, job: &str, period: Month) -> Sheet {
    let lines = &of.lines;
    let mut sheet = Sheet::new("schedule", lines.len());
    let same = Numbered::of(lines, |_| 0);
    let schedule_no = format!("{job}-{period}");
    put(&mut sheet, "run_id", same.texts([Arc::from(run_id)]));
    put(&mut sheet, "period", same.texts([Arc::from(period.to_string())]));
    put(&mut sheet, "schedule_no", same.texts([Arc::from(schedule_no)]));
    put(&mut sheet, "line_no", Values::Int(lines.iter().map(|l| l.line_no.into()).collect()));
    let payees = Numbered::of(lines, |l| l.payee);
    let payee = |pick: PayeeText| payees.payees(of, pick);
    put(&mut sheet, "institution_id", payee(|payee| &payee.institution_id));
    put(&mut sheet, "institution_name", payee(|payee| &payee.institution_name));
    for (name, pick) in ACCOUNT {
        put(&mut sheet, name, payee(pick));
    }
    put(&mut sheet, "line_kind", few(lines, |l| l.kind, |kind| kind.word().to_owned()));
    put(&mut sheet, "source_period", few(lines, |l| l.source_period, |m| m.to_string()));
    put(&mut sheet, "item", shared(lines, |l| Arc::clone(&l.item)));
    put(&mut sheet, "quantity", shared(lines, |l| Arc::clone(&l.quantity)));
    put(&mut sheet, "rate", Values::MaybeFen(lines.iter().map(|l| l.rate_fen).collect()));
    let fen = |pick: fn(&ScheduleLine) -> i64| Values::Fen(lines.iter().map(pick).collect());
    put(&mut sheet, "gross_fen", fen(|l| l.gross_fen));
    put(&mut sheet, "cut_fen", fen(|l| l.cut_fen));
    put(&mut sheet, "carried_in_fen", fen(|l| l.carried_in_fen));
    put(&mut sheet, "carried_out_fen", fen(|l| l.carried_out_fen));
    put(&mut sheet, "payable_fen", fen(|l| l.payable_fen));
    put(&mut sheet, "source", shared(lines, |l| Arc::clone(&l.source)));
    let budget = Numbered::of(lines, |l| l.budget_line);
    for (name, pick) in BUDGET {
        put(&mut sheet, name, budget.budget(of, pick));
    }
    put(&mut sheet, "pay_on", Values::Date(lines.iter().map(|l| l.pay_on).collect()));
    put(&mut sheet, "hold_reason", payee(|payee| &payee.hold_reason));
    put(&mut sheet, "rule_version", shared(lines, |l| Arc::clone(&l.rule_version)));
    let payments = of.payments.iter().map(|p| Arc::from(p.payment_no.as_str()));
    put(&mut sheet, "payment_no", Numbered::of(lines, |l| l.payment).texts(payments));
    sheet
}

/// The Merkle root over the lines, in hex, from the hashes of their rows.
pub(super) fn root(run: &Publication<'_>, schedule: &Sheet, rows: &[Hash]) -> String {
    let columns = schedule.columns.iter().map(|column| &*column.name);
    let columns = columns.filter(|name| !OUTSIDE.contains(name));
    let context = merkle::context(run.run_id, columns);
    let blinding = Blinding::of(run.pseudonyms, run.run_id);
    hex(&merkle::root(merkle::leaves(&context, &blinding, rows)))
}

/// `payments.csv` (FORMATS 3.1, S28).
pub(super) fn payments(of: &Schedule) -> Sheet {
    let payments = &of.payments;
    let mut sheet = Sheet::new("payments", payments.len());
    let payees = Numbered::of(payments, |p| p.payee);
    put(&mut sheet, "payment_no", texts(payments, |p| p.payment_no.clone()));
    put(&mut sheet, "end_to_end_id", texts(payments, |p| p.end_to_end_id.clone()));
    let institution = payees.payees(of, |payee| &payee.institution_id);
    put(&mut sheet, "institution_id", institution);
    for (name, pick) in ACCOUNT {
        put(&mut sheet, name, payees.payees(of, pick));
    }
    let budget = Numbered::of(payments, |p| p.budget_line);
    put(&mut sheet, "budget_doc_no", budget.budget(of, |line| &line.budget_doc_no));
    put(&mut sheet, "source", shared(payments, |p| Arc::clone(&p.source)));
    put(&mut sheet, "pay_on", Values::Date(payments.iter().map(|p| p.pay_on).collect()));
    let amounts = payments.iter().map(|p| p.amount_fen).collect();
    put(&mut sheet, "amount_fen", Values::Fen(amounts));
    put(&mut sheet, "lines", Values::Int(payments.iter().map(|p| p.lines.into()).collect()));
    put(&mut sheet, "hold_reason", payees.payees(of, |payee| &payee.hold_reason));
    sheet
}

/// `funding.csv` 资金级次分摊表: each allocated fen by source and 指标文号, summed over the months.
///
/// # Errors
/// When a sum overflows.
pub(super) fn funding(
    run: &Publication<'_>,
    register: &Register,
    tallies: &Tallies,
) -> Result<Sheet, PublishError> {
    // The order of the cells: institution, item, source, budget line.
    let mut cells: BTreeMap<(u32, String, usize, usize, String), i64> = BTreeMap::new();
    // The fixed order of the splits, then whatever a later month adds.
    let mut sources: Vec<Arc<str>> = Vec::new();
    for source in run.months.iter().flat_map(|month| &month.allocation.sources) {
        if !sources.contains(source) {
            sources.push(Arc::clone(source));
        }
    }
    for (number, month) in run.months.iter().enumerate() {
        for cell in &month.allocation.cells {
            let owner = register.of_frame_row(number, cell.institution);
            let other = month.entitlements.other_payee(month.frames, cell.institution);
            let other = other.map(|other| other.id.to_string()).unwrap_or_default();
            let lines = month.entitlements.items.get(cell.item as usize);
            let item = lines.and_then(|l| tallies.items.iter().position(|f| f.id == l.item));
            let source = month.allocation.sources.get(cell.source as usize);
            let source = source.cloned().unwrap_or_else(|| Arc::from(""));
            let place = sources.iter().position(|known| *known == source).unwrap_or_else(|| {
                sources.push(source);
                sources.len() - 1
            });
            let budget = month.allocation.budget_lines.get(cell.budget_line as usize);
            let budget = budget.map_or_else(String::new, |line| line.budget_doc_no.clone());
            let key = (owner, other, item.unwrap_or(usize::MAX), place, budget);
            let sum = cells.entry(key).or_default();
            *sum = sum.checked_add(cell.fen).ok_or(PublishError::Overflow)?;
        }
    }
    let mut sheet = Sheet::new("funding", cells.len());
    let empty: Arc<str> = Arc::from("");
    let cells: Vec<_> = cells.into_iter().collect();
    let institution = |owner: u32| register.institutions.get(owner as usize);
    sheet.put(
        "institution_id",
        "统一社会信用代码",
        shared(&cells, |((owner, other, ..), _)| {
            institution(*owner).map_or_else(|| Arc::from(other.as_str()), |i| Arc::clone(&i.id))
        }),
    );
    sheet.put(
        "item",
        "补助项目",
        shared(&cells, |((_, _, item, ..), _)| {
            tallies.items.get(*item).map_or_else(|| Arc::clone(&empty), |f| Arc::clone(&f.id))
        }),
    );
    sheet.put(
        "source",
        "资金来源",
        shared(&cells, |((_, _, _, source, _), _)| Arc::clone(&sources[*source])),
    );
    sheet.put("budget_doc_no", "指标文号", texts(&cells, |((.., budget), _)| budget.clone()));
    sheet.put("amount_fen", "金额", Values::Fen(cells.iter().map(|(_, fen)| *fen).collect()));
    Ok(sheet)
}

/// `finance_detail.csv` 惠企利民发放明细 (FORMATS 3.2): one record per payment and service month, in
/// the columns of the job's profile. 实发 stays empty until a bank has answered.
///
/// # Errors
/// When a sum overflows.
pub(super) fn finance_detail(
    run: &Publication<'_>,
    register: &Register,
) -> Result<Sheet, PublishError> {
    let mut groups: BTreeMap<(u32, Month), Detail<'_>> = BTreeMap::new();
    for line in &run.schedule.lines {
        if run.schedule.payments.get(line.payment as usize).is_none() {
            continue;
        }
        let group = groups.entry((line.payment, line.source_period)).or_default();
        let sum = group.payable.checked_add(line.payable_fen);
        group.payable = sum.ok_or(PublishError::Overflow)?;
        let claimed = line.gross_fen.checked_sub(line.cut_fen).ok_or(PublishError::Overflow)?;
        group.claimed = group.claimed.checked_add(claimed).ok_or(PublishError::Overflow)?;
        if !group.items.contains(&&*line.item) {
            group.items.push(&line.item);
        }
    }
    let rows: Vec<DetailRow<'_>> = groups
        .into_iter()
        .map(|((at, month), detail)| (&run.schedule.payments[at as usize], month, detail))
        .collect();
    Ok(run.profiles.finance_detail.sheet(finance_fields(run, register, &rows)))
}

/// Money of one payment and service month.
#[derive(Default)]
struct Detail<'a> {
    payable: i64,
    claimed: i64,
    items: Vec<&'a str>,
}

type DetailRow<'a> = (&'a Payment, Month, Detail<'a>);

/// All fields a profile may ask for, as columns.
fn finance_fields(run: &Publication<'_>, register: &Register, rows: &[DetailRow<'_>]) -> Sheet {
    let mut sheet = Sheet::new("finance_detail", rows.len());
    let empty: Arc<str> = Arc::from("");
    let payees = Numbered::of(rows, |row| row.0.payee);
    let divisions = run.schedule.payees.iter().map(|payee| {
        let place = register.find(&payee.institution_id);
        let institution = place.and_then(|index| register.institutions.get(index));
        institution.map_or_else(|| Arc::clone(&empty), |i| Arc::clone(&i.division_code))
    });
    sheet.put("division_code", "", payees.texts(divisions));
    sheet.put("payment_no", "", texts(rows, |row| row.0.payment_no.clone()));
    sheet.put("end_to_end_id", "", texts(rows, |row| row.0.end_to_end_id.clone()));
    let budget = Numbered::of(rows, |row| row.0.budget_line);
    for (name, pick) in BUDGET {
        sheet.put(name, "", budget.budget(run.schedule, pick));
    }
    sheet.put("source", "", shared(rows, |row| Arc::clone(&row.0.source)));
    for (name, pick) in ACCOUNT {
        sheet.put(name, "", payees.payees(run.schedule, pick));
    }
    let payee: [(&str, PayeeText); 3] = [
        ("institution_id", |payee| &payee.institution_id),
        ("institution_name", |payee| &payee.institution_name),
        ("hold_reason", |payee| &payee.hold_reason),
    ];
    for (name, pick) in payee {
        sheet.put(name, "", payees.payees(run.schedule, pick));
    }
    sheet.put("items", "", texts(rows, |row| row.2.items.join("、")));
    sheet.put("payable", "", texts(rows, |row| yuan(row.2.payable)));
    sheet.put("allocated", "", texts(rows, |row| yuan(row.2.claimed)));
    sheet.put("paid", "", Numbered::of(rows, |_| 0).texts([empty]));
    sheet.put("source_period", "", few(rows, |row| row.1, |month| month.to_string()));
    let pay_month = |on: Option<Date>| on.map_or_else(String::new, |on| on.month().to_string());
    sheet.put("pay_month", "", few(rows, |row| row.0.pay_on, pay_month));
    sheet.put("note", "", few(rows, |row| row.1, |month| format!("{month} {}", run.job.title)));
    sheet
}

/// Check sum over the accounts of all payments: the sum of the account numbers read as numbers,
/// other characters skipped, modulo 10^12. A changed or swapped account shows in it.
#[must_use]
pub(super) fn account_hash_total(payments: &Sheet) -> String {
    const MODULUS: u64 = 1_000_000_000_000;
    let sum = (0..payments.rows).fold(0, |sum, row| {
        let account = payments.cell(row, "account_no");
        let digits = account.bytes().filter(u8::is_ascii_digit);
        let number = digits.fold(0, |n, digit| (n * 10 + u64::from(digit - b'0')) % MODULUS);
        (sum + number) % MODULUS
    });
    let mut text = String::new();
    push_whole(i64::try_from(sum).unwrap_or(0), &mut text);
    format!("{text:0>12}")
}

/// Payable of the period by institution of the register; the last entry is of payees outside it.
///
/// # Errors
/// When a sum overflows.
pub(super) fn payable_by_institution(
    run: &Publication<'_>,
    register: &Register,
) -> Result<Vec<i64>, PublishError> {
    let places: Vec<u32> = run
        .schedule
        .payees
        .iter()
        .map(|payee| {
            let found = register.find(&payee.institution_id);
            found.and_then(|index| u32::try_from(index).ok()).unwrap_or(NOBODY)
        })
        .collect();
    let mut sums = vec![0_i64; register.len() + 1];
    for line in &run.schedule.lines {
        let owner = places.get(line.payee as usize).copied().unwrap_or(NOBODY) as usize;
        let sum = &mut sums[owner.min(register.len())];
        *sum = sum.checked_add(line.payable_fen).ok_or(PublishError::Overflow)?;
    }
    Ok(sums)
}
