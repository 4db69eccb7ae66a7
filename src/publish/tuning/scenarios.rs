//! One row a scenario; its net fees, its overruns, its institutions.

use super::{ScenarioRow, Tuning};
use crate::domain::{CodeList, NetFees, Outcome, QUANTILES};
use crate::publish::parquet;
use crate::publish::sheet::{Sheet, Values};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Arc;

/// The baseline's row.
const BASELINE: &str = "baseline";

/// One row: scenario, how it was asked, its figures where it has any.
type Row<'a> = (&'a str, Option<&'a ScenarioRow>, Option<&'a Outcome>);

/// The baseline, then every scenario answered.
fn rows(of: &Tuning) -> Vec<Row<'_>> {
    let baseline = std::iter::once((BASELINE, None, Some(&of.baseline)));
    let scenarios =
        of.scenarios.iter().map(|row| (row.id.as_str(), Some(row), row.outcome.as_ref().ok()));
    baseline.chain(scenarios).collect()
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A sheet with one row a scenario, filled column by column.
struct Columns<'a> {
    rows: Vec<Row<'a>>,
    sheet: Sheet,
}

impl Columns<'_> {
    fn numbers(&self, pick: &dyn Fn(&Outcome) -> i64) -> Vec<Option<i64>> {
        self.rows.iter().map(|(_, _, outcome)| outcome.map(pick)).collect()
    }

    fn fen(&mut self, name: &str, label: &str, pick: &dyn Fn(&Outcome) -> i64) {
        let numbers = self.numbers(pick);
        self.sheet.put(name, label, Values::MaybeFen(numbers));
    }

    fn whole(&mut self, name: &str, label: &str, pick: &dyn Fn(&Outcome) -> i64) {
        let numbers = self.numbers(pick);
        self.sheet.put(name, label, Values::MaybeInt(numbers));
    }

    fn text(&mut self, name: &str, label: &str, pick: &dyn Fn(&ScenarioRow) -> String) {
        let of = |(_, row, _): &Row<'_>| row.map_or_else(String::new, pick);
        let texts = self.rows.iter().map(of).collect();
        self.sheet.put(name, label, Values::Text(texts));
    }

    /// Keys that any row has.
    fn keys(&self, of: fn(&Outcome) -> &BTreeMap<Arc<str>, i64>) -> BTreeSet<Arc<str>> {
        let outcomes = self.rows.iter().filter_map(|(_, _, outcome)| *outcome);
        outcomes.flat_map(|outcome| of(outcome).keys().cloned()).collect()
    }
}

/// `scenarios`.
pub(super) fn table(of: &Tuning) -> Sheet {
    let rows = rows(of);
    let sheet = Sheet::new("scenarios", rows.len());
    let mut columns = Columns { rows, sheet };
    let ids = columns.rows.iter().map(|(id, ..)| (*id).to_owned()).collect();
    columns.sheet.put("scenario", "方案", Values::Text(ids));
    columns.text("title", "说明", &|row| row.title.clone());
    columns.text("family", "方案组", &|row| row.family.clone());
    for family in &of.families {
        for (at, axis) in family.axes.iter().enumerate() {
            let value = |row: &ScenarioRow| {
                let of = &family.values[at];
                if row.family == family.id { of[row.places[at]].clone() } else { String::new() }
            };
            columns.text(&format!("at:{}:{axis}", family.id), axis, &value);
        }
    }
    money(of, &mut columns);
    breaches(of, &mut columns);
    families(&mut columns);
    institutions(&mut columns);
    columns.text("overlay", "参数叠加", &|row| row.overlay.trim_end().to_owned());
    columns.text("error", "未能计算", &|row| {
        row.outcome.as_ref().err().cloned().unwrap_or_default()
    });
    let assumed = vec![of.assumed_text(); columns.rows.len()];
    columns.sheet.put("assumptions", "假设", Values::Text(assumed));
    columns.sheet
}

/// Money by some key.
type Pick = fn(&Outcome) -> &BTreeMap<Arc<str>, i64>;

fn money(of: &Tuning, columns: &mut Columns<'_>) {
    let base = of.baseline.cost_fen;
    columns.fen("cost_fen", "总成本", &|o| o.cost_fen);
    columns.fen("cost_change_fen", "较基线", &|o| o.cost_fen - base);
    for (at, month) in of.months.iter().enumerate() {
        let pick = |o: &Outcome| o.by_month.get(at).copied().unwrap_or(0);
        columns.fen(&format!("month:{month}"), &month.to_string(), &pick);
    }
    let groups: [(&str, Pick); 4] = [
        ("source", |o| &o.by_source),
        ("item", |o| &o.by_item),
        ("street", |o| &o.by_street),
        ("kind", |o| &o.by_kind),
    ];
    for (what, group) in groups {
        for key in columns.keys(group) {
            let pick = |o: &Outcome| group(o).get(&key).copied().unwrap_or(0);
            columns.fen(&format!("{what}:{key}"), &key, &pick);
        }
    }
    columns.whole("children_paid", "受益儿童人月", &|o| count(o.children_paid));
    columns.whole("institutions_paid", "受益机构数", &|o| count(o.institutions_paid));
    let before = &of.baseline.institutions;
    let moved = |o: &Outcome, way: Ordering| {
        let both = o.institutions.iter().zip(before);
        count(both.filter(|(now, before)| now.cmp(before) == way).count() as u64)
    };
    columns.whole("institutions_up", "金额增加的机构", &|o| moved(o, Ordering::Greater));
    columns.whole("institutions_down", "金额减少的机构", &|o| moved(o, Ordering::Less));
    columns.whole("winners", "受益增加人月", &|o| count(o.children.winners));
    columns.whole("losers", "受益减少人月", &|o| count(o.children.losers));
    for (at, percent) in QUANTILES.iter().enumerate() {
        let name = format!("child_change_p{percent}_fen");
        columns.fen(&name, "儿童受益变化", &|o| o.children.quantiles[at]);
    }
    columns.whole("budget_lines_overrun", "超支指标数", &|o| {
        i64::try_from(o.overruns.len()).unwrap_or(i64::MAX)
    });
    columns.fen("overrun_fen", "超支合计", &|o| o.overruns.iter().map(|line| line.fen).sum());
}

fn breaches(of: &Tuning, columns: &mut Columns<'_>) {
    let outcomes = of.scenarios.iter().filter_map(|row| row.outcome.as_ref().ok());
    let outcomes = std::iter::once(&of.baseline).chain(outcomes);
    let prices: BTreeSet<Arc<str>> = outcomes.flat_map(|o| o.breaches.keys().cloned()).collect();
    for price in prices {
        let told = |o: &Outcome| o.breaches.get(&price).copied().unwrap_or_default();
        let name = |part: &str| format!("breach:{price}:{part}");
        columns.whole(&name("over"), "超上限人次", &|o| count(told(o).over));
        columns.fen(&name("over_fen"), "超收合计", &|o| told(o).over_fen);
        columns.fen(&name("over_most_fen"), "最高超收", &|o| told(o).over_most_fen);
        columns
            .whole(&name("institutions"), "超上限机构数", &|o| count(told(o).institutions));
        columns.whole(&name("under"), "低于下限人次", &|o| count(told(o).under));
        columns.fen(&name("under_fen"), "低于下限合计", &|o| told(o).under_fen);
    }
}

/// Net fees of all children; by class and service they stand in `net_fees`.
fn families(columns: &mut Columns<'_>) {
    let all = |o: &Outcome| -> NetFees {
        o.net_fees.get(&(Arc::from(""), Arc::from(""))).copied().unwrap_or_default()
    };
    columns.whole("net_fee_children", "有收费儿童人月", &|o| count(all(o).children));
    columns.fen("net_fee_sum_fen", "家庭净支出合计", &|o| all(o).sum_fen);
    for (at, percent) in QUANTILES.iter().enumerate() {
        let name = format!("net_fee_p{percent}_fen");
        columns.fen(&name, "家庭净支出", &|o| all(o).quantiles[at]);
    }
}

/// What institutions take in. A part of a fen is rounded half up.
fn institutions(columns: &mut Columns<'_>) {
    columns.fen("revenue_fen", "机构收入", &|o| o.revenue.fen);
    columns.whole("slots", "备案托位月", &|o| o.revenue.slots);
    let per_slot = columns
        .rows
        .iter()
        .map(|(_, _, outcome)| {
            let revenue = outcome.as_ref()?.revenue;
            (revenue.slots > 0)
                .then(|| (2 * revenue.fen + revenue.slots).div_euclid(2 * revenue.slots))
        })
        .collect();
    columns.sheet.put("revenue_per_slot_fen", "每托位月收入", Values::MaybeFen(per_slot));
    columns.whole("with_costs", "有成本机构月", &|o| count(o.revenue.with_costs));
    columns.fen("costs_fen", "机构成本", &|o| o.revenue.costs_fen);
    columns.fen("margin_fen", "机构结余", &|o| o.revenue.with_costs_fen - o.revenue.costs_fen);
}

/// `net_fees`: what families pay, by class and service.
pub(super) fn net_fees(of: &Tuning) -> Sheet {
    let mut found: Vec<(&str, &str, &str, NetFees)> = Vec::new();
    for (id, _, outcome) in rows(of) {
        let told = outcome.into_iter().flat_map(|o| &o.net_fees);
        found.extend(told.map(|((class, service), fees)| (id, &**class, &**service, *fees)));
    }
    let mut sheet = Sheet::new("net_fees", found.len());
    let texts = |pick: fn(&(&str, &str, &str, NetFees)) -> String| {
        Values::Text(found.iter().map(pick).collect())
    };
    sheet.put("scenario", "方案", texts(|row| row.0.to_owned()));
    sheet.put("age_class", "班型", texts(|row| row.1.to_owned()));
    sheet.put("service", "服务类型", texts(|row| row.2.to_owned()));
    let heads = found.iter().map(|row| count(row.3.children)).collect();
    sheet.put("children", "儿童人月", Values::Int(heads));
    sheet.put("sum_fen", "合计", Values::Fen(found.iter().map(|row| row.3.sum_fen).collect()));
    for (at, percent) in QUANTILES.iter().enumerate() {
        let values = found.iter().map(|row| row.3.quantiles[at]).collect();
        sheet.put(&format!("p{percent}_fen"), &format!("{percent}%分位"), Values::Fen(values));
    }
    sheet.put("assumptions", "假设", Values::Text(vec![of.assumed_text(); found.len()]));
    sheet
}

/// `overruns`: budget lines that are not enough.
pub(super) fn overruns(of: &Tuning) -> Sheet {
    let mut found = Vec::new();
    for (id, _, outcome) in rows(of) {
        found.extend(outcome.into_iter().flat_map(|o| &o.overruns).map(|line| (id, line)));
    }
    let mut sheet = Sheet::new("overruns", found.len());
    let ids = found.iter().map(|(id, _)| (*id).to_owned()).collect();
    sheet.put("scenario", "方案", Values::Text(ids));
    let docs = found.iter().map(|(_, line)| Arc::clone(&line.budget_doc_no)).collect();
    sheet.put("budget_doc_no", "指标文号", Values::Shared(docs));
    let sources = found.iter().map(|(_, line)| Arc::clone(&line.source)).collect();
    sheet.put("source", "资金来源", Values::Shared(sources));
    let months = found.iter().map(|(_, line)| line.month.to_string()).collect();
    sheet.put("month", "首次超支月份", Values::Text(months));
    sheet.put("overrun_fen", "超支", Values::Fen(found.iter().map(|(_, line)| line.fen).collect()));
    sheet.put("assumptions", "假设", Values::Text(vec![of.assumed_text(); found.len()]));
    sheet
}

/// `deltas.parquet`: what each scenario changes for each institution; one row group a scenario, an
/// institution whose money stays the same has no row.
pub(super) fn write_deltas(of: &Tuning, to: impl Write) -> io::Result<()> {
    let ids = Arc::new(CodeList::new(of.institutions.iter().map(|institution| &*institution.id)));
    let names: Vec<&str> = of.scenarios.iter().map(|row| row.id.as_str()).collect();
    let scenarios = Arc::new(CodeList::new(names));
    let assumed = Arc::new(CodeList::new([of.assumed_text().as_str()]));
    let base = &of.baseline.institutions;
    let group = |number: u32, outcome: Option<&Outcome>| {
        let told = outcome.map_or(&[][..], |outcome| &outcome.institutions);
        let changed: Vec<(u32, i64, i64)> = (0_u32..)
            .zip(base.iter().zip(told))
            .filter(|(_, (before, now))| before != now)
            .map(|(at, (before, now))| (at, *before, *now))
            .collect();
        let mut sheet = Sheet::new("deltas", changed.len());
        let same = |code| vec![code; changed.len()];
        sheet.put("scenario", "", Values::Coded(same(number), Arc::clone(&scenarios)));
        let places = changed.iter().map(|(at, ..)| *at).collect();
        sheet.put("institution_id", "", Values::Coded(places, Arc::clone(&ids)));
        let column = |pick: fn(&(u32, i64, i64)) -> i64| changed.iter().map(pick).collect();
        sheet.put("baseline_fen", "", Values::Fen(column(|row| row.1)));
        sheet.put("amount_fen", "", Values::Fen(column(|row| row.2)));
        sheet.put("change_fen", "", Values::Fen(column(|row| row.2 - row.1)));
        sheet.put("assumptions", "", Values::Coded(same(0), Arc::clone(&assumed)));
        sheet
    };
    let mut writer = parquet::Writer::new(to, &group(0, None))?;
    for (number, row) in (0_u32..).zip(&of.scenarios) {
        let sheet = group(number, row.outcome.as_ref().ok());
        if sheet.rows > 0 {
            writer.append(&parquet::encode(&sheet)?)?;
        }
    }
    writer.finish().map(drop)
}
