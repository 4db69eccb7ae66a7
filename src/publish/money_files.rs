//! The files that carry money: `schedule`, `payments`, `funding`, `finance_detail`.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::labels::put;
use super::merkle::{self, Blinding, Hash};
use super::proof::OUTSIDE;
use super::register::{NOBODY, Register};
use super::sheet::{Sheet, Values, push_whole, yuan};
use super::tally::Tallies;
use super::{Publication, PublishError};
use crate::allocation::BudgetLine;
use crate::domain::{Month, hex};
use crate::schedule::{Payee, Payment, ScheduleLine};

fn shared<T>(rows: &[T], pick: impl Fn(&T) -> Arc<str>) -> Values {
    Values::Shared(rows.iter().map(pick).collect())
}

fn texts<T>(rows: &[T], pick: impl Fn(&T) -> String) -> Values {
    Values::Text(rows.iter().map(pick).collect())
}

/// Payment data by index; an index out of range is an empty payee, never a panic.
struct Parties<'a> {
    payees: &'a [Payee],
    budget_lines: &'a [BudgetLine],
    nobody: Payee,
    nothing: BudgetLine,
}

impl<'a> Parties<'a> {
    fn of(run: &'a Publication<'_>) -> Self {
        Self {
            payees: &run.schedule.payees,
            budget_lines: &run.schedule.budget_lines,
            nobody: Payee::default(),
            nothing: BudgetLine::default(),
        }
    }

    fn payee(&self, index: u32) -> &Payee {
        self.payees.get(index as usize).unwrap_or(&self.nobody)
    }

    fn budget(&self, index: u32) -> &BudgetLine {
        self.budget_lines.get(index as usize).unwrap_or(&self.nothing)
    }
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

/// `schedule.csv` 拨付计划 (FORMATS 3.1), and the Merkle root over its lines.
pub(super) fn schedule(run: &Publication<'_>) -> (Sheet, String) {
    let (lines, parties) = (&run.schedule.lines, Parties::of(run));
    let mut sheet = Sheet::new("schedule", lines.len());
    let schedule_no: Arc<str> = Arc::from(format!("{}-{}", run.job.id, run.job.period));
    let (run_id, period): (Arc<str>, Arc<str>) =
        (Arc::from(run.run_id), Arc::from(run.job.period.to_string()));
    put(&mut sheet, "run_id", shared(lines, |_| Arc::clone(&run_id)));
    put(&mut sheet, "period", shared(lines, |_| Arc::clone(&period)));
    put(&mut sheet, "schedule_no", shared(lines, |_| Arc::clone(&schedule_no)));
    put(&mut sheet, "line_no", Values::Int(lines.iter().map(|l| l.line_no.into()).collect()));
    put(
        &mut sheet,
        "institution_id",
        shared(lines, |l| Arc::clone(&parties.payee(l.payee).institution_id)),
    );
    put(
        &mut sheet,
        "institution_name",
        shared(lines, |l| Arc::clone(&parties.payee(l.payee).institution_name)),
    );
    for (name, pick) in ACCOUNT {
        put(&mut sheet, name, shared(lines, |l| Arc::clone(pick(parties.payee(l.payee)))));
    }
    let months = month_texts(lines);
    let kinds = Texts::of(lines.iter().map(|line| line.kind), |kind| kind.word().to_owned());
    put(&mut sheet, "line_kind", shared(lines, |l| kinds.text(l.kind)));
    put(&mut sheet, "source_period", shared(lines, |l| months.text(l.source_period)));
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
    for (name, pick) in BUDGET {
        let known = budget_texts(run, pick);
        let nothing: Arc<str> = Arc::from("");
        let of = |l: &ScheduleLine| known.get(l.budget_line as usize).unwrap_or(&nothing);
        put(&mut sheet, name, shared(lines, |l| Arc::clone(of(l))));
    }
    put(&mut sheet, "pay_on", Values::Date(lines.iter().map(|l| l.pay_on).collect()));
    put(
        &mut sheet,
        "hold_reason",
        shared(lines, |l| Arc::clone(&parties.payee(l.payee).hold_reason)),
    );
    put(&mut sheet, "rule_version", shared(lines, |l| Arc::clone(&l.rule_version)));
    put(
        &mut sheet,
        "payment_no",
        texts(lines, |l| {
            let payment = run.schedule.payments.get(l.payment as usize);
            payment.map_or_else(String::new, |p| p.payment_no.clone())
        }),
    );
    let hashes = row_hashes(&sheet);
    let root = root(run, &sheet, &hashes);
    // The first 16 digits.
    let shown = hashes.iter().map(|hash| hex(&hash[..8])).collect();
    put(&mut sheet, "row_hash", Values::Text(shown));
    (sheet, root)
}

/// The Merkle root over the lines, in hex.
fn root(run: &Publication<'_>, sheet: &Sheet, rows: &[Hash]) -> String {
    let columns = sheet.columns.iter().map(|column| &*column.name);
    let columns = columns.filter(|name| !OUTSIDE.contains(name));
    let context = merkle::context(run.run_id, columns);
    let blinding = Blinding::of(run.pseudonyms, run.run_id);
    hex(&merkle::root(merkle::leaves(&context, &blinding, rows)))
}

/// One text of every budget line, made once.
fn budget_texts(run: &Publication<'_>, pick: BudgetText) -> Vec<Arc<str>> {
    run.schedule.budget_lines.iter().map(|line| Arc::from(pick(line).as_str())).collect()
}

/// Texts of the few months, dates or kinds that occur, made once.
struct Texts<K>(BTreeMap<K, Arc<str>>);

impl<K: Ord + Copy> Texts<K> {
    fn of(keys: impl Iterator<Item = K>, text: impl Fn(K) -> String) -> Self {
        let mut texts = BTreeMap::new();
        for key in keys {
            texts.entry(key).or_insert_with(|| Arc::from(text(key)));
        }
        Self(texts)
    }

    fn text(&self, key: K) -> Arc<str> {
        self.0.get(&key).cloned().unwrap_or_else(|| Arc::from(""))
    }
}

fn month_texts(lines: &[ScheduleLine]) -> Texts<Month> {
    Texts::of(lines.iter().map(|line| line.source_period), |month| month.to_string())
}

/// SHA-256 of each row's machine texts, each followed by a line feed. The run id is left out: a line
/// that did not change keeps its hash over a rerun.
fn row_hashes(sheet: &Sheet) -> Vec<Hash> {
    (0..sheet.rows)
        .into_par_iter()
        .with_min_len(1024)
        .map_init(String::new, |text, row| {
            text.clear();
            for column in sheet.columns.iter().filter(|c| !OUTSIDE.contains(&&*c.name)) {
                column.values.text(row, text);
                text.push('\n');
            }
            Sha256::digest(text.as_bytes()).into()
        })
        .collect()
}

/// `payments.csv` (FORMATS 3.1, S28).
pub(super) fn payments(run: &Publication<'_>) -> Sheet {
    let (payments, parties) = (&run.schedule.payments, Parties::of(run));
    let mut sheet = Sheet::new("payments", payments.len());
    put(&mut sheet, "payment_no", texts(payments, |p| p.payment_no.clone()));
    put(&mut sheet, "end_to_end_id", texts(payments, |p| p.end_to_end_id.clone()));
    put(
        &mut sheet,
        "institution_id",
        shared(payments, |p| Arc::clone(&parties.payee(p.payee).institution_id)),
    );
    for (name, pick) in ACCOUNT {
        put(&mut sheet, name, shared(payments, |p| Arc::clone(pick(parties.payee(p.payee)))));
    }
    let budget = |p: &Payment| parties.budget(p.budget_line).budget_doc_no.clone();
    put(&mut sheet, "budget_doc_no", texts(payments, budget));
    put(&mut sheet, "source", shared(payments, |p| Arc::clone(&p.source)));
    put(&mut sheet, "pay_on", Values::Date(payments.iter().map(|p| p.pay_on).collect()));
    let amounts = payments.iter().map(|p| p.amount_fen).collect();
    put(&mut sheet, "amount_fen", Values::Fen(amounts));
    put(&mut sheet, "lines", Values::Int(payments.iter().map(|p| p.lines.into()).collect()));
    put(
        &mut sheet,
        "hold_reason",
        shared(payments, |p| Arc::clone(&parties.payee(p.payee).hold_reason)),
    );
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
    let mut cells: BTreeMap<(u32, usize, usize, String), i64> = BTreeMap::new();
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
            let key = (owner, item.unwrap_or(usize::MAX), place, budget);
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
        shared(&cells, |((owner, ..), _)| {
            institution(*owner).map_or_else(|| Arc::clone(&empty), |i| Arc::clone(&i.id))
        }),
    );
    sheet.put(
        "item",
        "补助项目",
        shared(&cells, |((_, item, ..), _)| {
            tallies.items.get(*item).map_or_else(|| Arc::clone(&empty), |f| Arc::clone(&f.id))
        }),
    );
    sheet.put(
        "source",
        "资金来源",
        shared(&cells, |((_, _, source, _), _)| Arc::clone(&sources[*source])),
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
    let parties = Parties::of(run);
    let mut sheet = Sheet::new("finance_detail", rows.len());
    let empty: Arc<str> = Arc::from("");
    let divisions: Vec<Arc<str>> = run
        .schedule
        .payees
        .iter()
        .map(|payee| {
            let place = register.find(&payee.institution_id);
            let institution = place.and_then(|index| register.institutions.get(index));
            institution.map_or_else(|| Arc::clone(&empty), |i| Arc::clone(&i.division_code))
        })
        .collect();
    let division = |row: &DetailRow<'_>| divisions.get(row.0.payee as usize).unwrap_or(&empty);
    sheet.put("division_code", "", shared(rows, |row| Arc::clone(division(row))));
    sheet.put("payment_no", "", texts(rows, |row| row.0.payment_no.clone()));
    sheet.put("end_to_end_id", "", texts(rows, |row| row.0.end_to_end_id.clone()));
    for (name, pick) in BUDGET {
        let known = budget_texts(run, pick);
        let of = |row: &DetailRow<'_>| known.get(row.0.budget_line as usize).unwrap_or(&empty);
        sheet.put(name, "", shared(rows, |row| Arc::clone(of(row))));
    }
    sheet.put("source", "", shared(rows, |row| Arc::clone(&row.0.source)));
    for (name, pick) in ACCOUNT {
        sheet.put(name, "", shared(rows, |row| Arc::clone(pick(parties.payee(row.0.payee)))));
    }
    let payee: [(&str, PayeeText); 3] = [
        ("institution_id", |payee| &payee.institution_id),
        ("institution_name", |payee| &payee.institution_name),
        ("hold_reason", |payee| &payee.hold_reason),
    ];
    for (name, pick) in payee {
        sheet.put(name, "", shared(rows, |row| Arc::clone(pick(parties.payee(row.0.payee)))));
    }
    sheet.put("items", "", texts(rows, |row| row.2.items.join("、")));
    sheet.put("payable", "", texts(rows, |row| yuan(row.2.payable)));
    sheet.put("allocated", "", texts(rows, |row| yuan(row.2.claimed)));
    sheet.put("paid", "", shared(rows, |_| Arc::clone(&empty)));
    let months = month_texts(&run.schedule.lines);
    sheet.put("source_period", "", shared(rows, |row| months.text(row.1)));
    let pay_months = Texts::of(rows.iter().map(|row| row.0.pay_on), |on| {
        on.map_or_else(String::new, |on| on.month().to_string())
    });
    sheet.put("pay_month", "", shared(rows, |row| pay_months.text(row.0.pay_on)));
    let notes: BTreeMap<Month, Arc<str>> = months
        .0
        .iter()
        .map(|(month, text)| (*month, Arc::from(format!("{text} {}", run.job.title))))
        .collect();
    sheet.put(
        "note",
        "",
        shared(rows, |row| notes.get(&row.1).map_or_else(|| Arc::clone(&empty), Arc::clone)),
    );
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
