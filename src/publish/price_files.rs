//! `fees.csv`: what institutions charge against the guide prices, for the price bureau.

use std::sync::Arc;

use super::register::{NOBODY, Register};
use super::sheet::{Sheet, Values};
use super::{MonthResult, Publication};
use crate::domain::{Basis, Column, Frame, Stored};
use crate::law::{LawOfMonth, Step};
use rayon::prelude::*;

/// Rows walked by one thread at a time.
const CHUNK: usize = 1 << 16;

/// Which columns of which frame hold a guide price and the fee it judges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceColumns {
    /// Guide price id; its ceiling stands in the frame as `ID.ceiling`, its floor as `ID.floor`.
    pub id: Arc<str>,
    /// Basis of the price.
    pub basis: Basis,
    /// Column of the fee as charged; `ID.fee` is read where the frame has none of that name.
    pub fee: Arc<str>,
    /// Clause.
    pub clause: Arc<str>,
}

/// The guide prices of a month's law.
#[must_use]
pub fn price_columns(law: &LawOfMonth) -> Vec<PriceColumns> {
    let mut made: Vec<PriceColumns> = Vec::new();
    for step in law.segments.iter().flat_map(|segment| &segment.steps) {
        let Step::Price(price) = step else { continue };
        if made.iter().all(|known| known.id != price.head.id) {
            made.push(PriceColumns {
                id: Arc::clone(&price.head.id),
                basis: price.basis.clone(),
                fee: Arc::from(price.fee.source().trim()),
                clause: Arc::clone(&price.head.clause),
            });
        }
    }
    made
}

/// Fees of one (month, institution, service, price).
#[derive(Debug, Clone, Copy)]
struct Fees {
    rows: i64,
    fee_low: i64,
    fee_high: i64,
    fee_sum: i64,
    ceiling_low: i64,
    ceiling_high: i64,
    margin_low: i64,
    over: i64,
    over_fen: i64,
    under: i64,
}

impl Fees {
    fn plus(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            fee_low: self.fee_low.min(other.fee_low),
            fee_high: self.fee_high.max(other.fee_high),
            fee_sum: self.fee_sum.saturating_add(other.fee_sum),
            ceiling_low: self.ceiling_low.min(other.ceiling_low),
            ceiling_high: self.ceiling_high.max(other.ceiling_high),
            margin_low: self.margin_low.min(other.margin_low),
            over: self.over + other.over,
            over_fen: self.over_fen.saturating_add(other.over_fen),
            under: self.under + other.under,
        }
    }
}

/// The columns one price reads.
struct View<'a> {
    frame: &'a Frame,
    fee: &'a Stored,
    ceiling: &'a Stored,
    floor: Option<&'a Stored>,
    over: Option<&'a Vec<bool>>,
    under: Option<&'a Vec<bool>>,
    service: Option<&'a Stored>,
}

impl<'a> View<'a> {
    fn of(month: &'a MonthResult<'_>, price: &PriceColumns) -> Option<Self> {
        let frame = month.frames.get(&price.basis)?;
        let of = |what: &str| frame.get(&format!("{}.{what}", price.id));
        let flags = |what: &str| match of(what).map(|stored| &stored.column) {
            Some(Column::Bool(values)) => Some(values),
            _ => None,
        };
        Some(Self {
            frame,
            fee: frame.get(&price.fee).or_else(|| of("fee"))?,
            ceiling: of("ceiling")?,
            floor: of("floor"),
            over: flags("over"),
            under: flags("under"),
            service: frame.get("service"),
        })
    }

    /// The row's fees, if it has a fee and a ceiling. Breaches are the engine's own flags, which
    /// compare exactly; a floor or ceiling shown here is rounded down to whole fen.
    fn row(&self, row: usize) -> Option<Fees> {
        let (fee, ceiling) = (self.fee.whole(row)?, self.ceiling.whole(row)?);
        let margin = ceiling.saturating_sub(fee);
        let over = self.over.map_or(margin < 0, |flags| flags[row]);
        let floor = self.floor.and_then(|floor| floor.whole(row));
        let below = floor.is_some_and(|floor| fee < floor);
        Some(Fees {
            rows: 1,
            fee_low: fee,
            fee_high: fee,
            fee_sum: fee,
            ceiling_low: ceiling,
            ceiling_high: ceiling,
            margin_low: margin,
            over: i64::from(over),
            over_fen: if over { margin.saturating_neg() } else { 0 },
            under: i64::from(self.under.map_or(below, |flags| flags[row])),
        })
    }

    /// Code of the row's service, or `u32::MAX`.
    fn service(&self, row: usize) -> u32 {
        match self.service {
            Some(stored) if !stored.is_null(row) => match &stored.column {
                Column::Code(codes) => codes.codes[row],
                _ => u32::MAX,
            },
            _ => u32::MAX,
        }
    }

    fn service_text(&self, code: u32) -> &str {
        match self.service.map(|stored| &stored.column) {
            Some(Column::Code(codes)) => codes.list.text(code),
            _ => "",
        }
    }
}

/// Fees by (institution, service code), in the order of first sight. Rows stand by institution, so
/// only the last few groups are looked at; a group met again later is merged in the end.
#[derive(Default)]
struct Groups(Vec<((u32, u32), Fees)>);

impl Groups {
    fn add(mut self, key: (u32, u32), fees: Fees) -> Self {
        let near = self.0.iter_mut().rev().take_while(|(held, _)| held.0 == key.0);
        match near.into_iter().find(|(held, _)| *held == key) {
            Some((_, held)) => *held = held.plus(fees),
            None => self.0.push((key, fees)),
        }
        self
    }

    fn merged(mut self) -> Vec<((u32, u32), Fees)> {
        self.0.sort_by_key(|(key, _)| *key);
        self.0.dedup_by(|next, held| {
            let same = next.0 == held.0;
            if same {
                held.1 = held.1.plus(next.1);
            }
            same
        });
        self.0
    }
}

/// One row of the file.
struct FeeRow<'a> {
    period: Arc<str>,
    institution: u32,
    service: Arc<str>,
    price: &'a PriceColumns,
    fees: Fees,
}

/// The rows of one guide price in one month, in no order.
fn rows_of<'a>(
    number: usize,
    month: &'a MonthResult<'_>,
    price: &'a PriceColumns,
    register: &Register,
) -> Vec<FeeRow<'a>> {
    let Some(view) = View::of(month, price) else { return Vec::new() };
    let owners = register.owners(number, view.frame);
    let groups = (0..view.frame.rows)
        .into_par_iter()
        .with_min_len(CHUNK)
        .fold(Groups::default, |groups, row| {
            let owner = owners.of(row);
            match view.row(row).filter(|_| owner != NOBODY) {
                Some(fees) => groups.add((owner, view.service(row)), fees),
                None => groups,
            }
        })
        .reduce(Groups::default, |mut left, mut right| {
            left.0.append(&mut right.0);
            left
        });
    let period: Arc<str> = Arc::from(month.month.to_string());
    let row = |((institution, service), fees)| FeeRow {
        period: Arc::clone(&period),
        institution,
        service: Arc::from(view.service_text(service)),
        price,
        fees,
    };
    groups.merged().into_iter().map(row).collect()
}

/// `fees.csv`: per month, institution, service and guide price.
pub(super) fn fees(run: &Publication<'_>, register: &Register) -> Sheet {
    let mut rows: Vec<FeeRow<'_>> = Vec::new();
    for (number, month) in run.months.iter().enumerate() {
        for price in &month.prices {
            rows.extend(rows_of(number, month, price, register));
        }
    }
    rows.par_sort_by(|a, b| {
        let first = a.period.cmp(&b.period).then(a.institution.cmp(&b.institution));
        first.then_with(|| a.price.id.cmp(&b.price.id)).then_with(|| a.service.cmp(&b.service))
    });
    let mut sheet = Sheet::new("fees", rows.len());
    let institution = |row: &FeeRow<'_>| &register.institutions[row.institution as usize];
    let shared =
        |pick: &dyn Fn(&FeeRow<'_>) -> Arc<str>| Values::Shared(rows.iter().map(pick).collect());
    sheet.put("period", "所属期", shared(&|row| Arc::clone(&row.period)));
    sheet.put(
        "institution_id",
        "统一社会信用代码",
        shared(&|row| Arc::clone(&institution(row).id)),
    );
    sheet.put("institution_name", "机构名称", shared(&|row| Arc::clone(&institution(row).name)));
    sheet.put("service", "服务类型", shared(&|row| Arc::clone(&row.service)));
    sheet.put("price", "政府指导价", shared(&|row| Arc::clone(&row.price.id)));
    let numbers =
        |pick: fn(&Fees) -> i64| rows.iter().map(|row| pick(&row.fees)).collect::<Vec<_>>();
    sheet.put("rows", "收费记录数", Values::Int(numbers(|f| f.rows)));
    sheet.put("fee_min_fen", "最低收费", Values::Fen(numbers(|f| f.fee_low)));
    sheet.put("fee_max_fen", "最高收费", Values::Fen(numbers(|f| f.fee_high)));
    sheet.put("fee_sum_fen", "收费合计", Values::Fen(numbers(|f| f.fee_sum)));
    sheet.put("ceiling_min_fen", "最低上限", Values::Fen(numbers(|f| f.ceiling_low)));
    sheet.put("ceiling_max_fen", "最高上限", Values::Fen(numbers(|f| f.ceiling_high)));
    sheet.put("margin_min_fen", "最小余量", Values::Fen(numbers(|f| f.margin_low)));
    sheet.put("breaches", "超上限数", Values::Int(numbers(|f| f.over)));
    sheet.put("breach_fen", "超收合计", Values::Fen(numbers(|f| f.over_fen)));
    sheet.put("below_floor", "低于下限数", Values::Int(numbers(|f| f.under)));
    sheet.put("clause", "条款", shared(&|row| Arc::clone(&row.price.clause)));
    sheet
}
