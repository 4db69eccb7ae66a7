//! A settled trial in, the figures of its scenario out.

use super::assume::Group;
use super::roll::Roll;
use super::{Fees, Measures};
use crate::allocation::BudgetLine;
use crate::domain::{
    Basis, Breaches, ChildChanges, Column, Institution, Month, NetFees, Outcome, Overrun,
    QUANTILES, Revenue, key_rows,
};
use crate::publish::{PriceColumns, price_columns};
use crate::settle::pinned::Trial;
use crate::subsidy::{ItemLines, LineStatus};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What children of one month are entitled to, fen: of all items, by child; for comparisons.
pub(super) type Entitled = Vec<i64>;

/// Figures of a scenario and what a later one is compared with.
#[derive(Debug, Clone, Default)]
pub(super) struct Measured {
    pub(super) outcome: Outcome,
    /// By pinned month.
    pub(super) entitled: Vec<Entitled>,
}

/// Largest sum of all lines and fees that the figures are counted with: a half is left for differences.
const MOST: i128 = i64::MAX as i128 / 2;

/// Whether every sum of the figures fits: all lines and fees together do.
pub(super) fn fits(trials: &[Trial], rolls: &[Roll]) -> bool {
    let lines = trials.iter().flat_map(|trial| &trial.settled.entitlements.items);
    let lines = lines.flat_map(|lines| &lines.amount).copied();
    let fees = rolls.iter().flat_map(|roll| roll.fee.iter().flatten()).copied();
    fit(lines.chain(fees))
}

/// Whether the sizes of all amounts together fit.
pub(super) fn fit(amounts: impl Iterator<Item = i64>) -> bool {
    amounts.map(|fen| i128::from(fen).abs()).sum::<i128>() <= MOST
}

/// Measures the trials of all pinned months, in their order.
pub(super) fn measure(
    trials: &[Trial],
    rolls: &[Roll],
    institutions: &[Institution],
    measures: &Measures,
    baseline: Option<&[Entitled]>,
) -> Measured {
    let mut sums = Tally {
        outcome: Outcome { institutions: vec![0; institutions.len()], ..Outcome::default() },
        ..Tally::default()
    };
    let mut all = Vec::with_capacity(trials.len());
    for (at, (trial, roll)) in trials.iter().zip(rolls).enumerate() {
        sums.money(trial, roll, institutions);
        add_breaches(&mut sums.outcome.breaches, breaches(trial, roll));
        let told = of_children(trial, roll, measures);
        sums.fees(&told, roll);
        sums.revenue(&told, roll);
        if let Some(before) = baseline.and_then(|all| all.get(at)) {
            sums.compare(before, &told.entitled);
        }
        sums.outcome.children_paid += told.paid;
        all.push(told.entitled);
    }
    let mut outcome = sums.finish();
    let needs: Vec<_> = trials
        .iter()
        .map(|trial| (trial.settled.month, trial.settled.budget.as_slice(), &trial.needs))
        .collect();
    outcome.overruns = overruns(&needs);
    Measured { outcome, entitled: all }
}

/// What one month says of children.
struct OfChildren {
    /// By child, all items.
    entitled: Entitled,
    /// What the family of each enrolment pays, where a fee is known.
    net: Vec<Option<i64>>,
    /// The fee each enrolment is charged.
    charged: Vec<Option<i64>>,
    /// Children with an allocated line above zero.
    paid: u64,
    /// Allocated by institution.
    allocated: Vec<i64>,
}

/// Values of all months by group of children.
type Values = BTreeMap<(Arc<str>, Arc<str>), Vec<i64>>;

#[derive(Default)]
struct Tally {
    outcome: Outcome,
    net: Values,
    changes: Vec<i64>,
}

impl Tally {
    /// Money by every key, from the funding cells: in-kind items have none.
    fn money(&mut self, trial: &Trial, roll: &Roll, institutions: &[Institution]) {
        let settled = &trial.settled;
        let mut own = vec![0_i64; institutions.len()];
        let mut total = 0_i64;
        let outcome = &mut self.outcome;
        let mut items = vec![0_i64; settled.entitlements.items.len()];
        let mut sources = vec![0_i64; settled.allocation.sources.len()];
        for cell in &settled.allocation.cells {
            total += cell.fen;
            items[cell.item as usize] += cell.fen;
            sources[cell.source as usize] += cell.fen;
            let institution = roll.institution_of.get(cell.institution as usize).copied();
            if let Some(sum) = institution.and_then(|at| own.get_mut(at as usize)) {
                *sum += cell.fen;
            }
        }
        for (lines, fen) in settled.entitlements.items.iter().zip(items) {
            let kind = lines.rules.iter().flatten().next();
            if kind.is_some_and(|rule| !rule.in_kind) {
                *outcome.by_item.entry(Arc::clone(&lines.item)).or_default() += fen;
            }
        }
        for (source, fen) in settled.allocation.sources.iter().zip(sources) {
            *outcome.by_source.entry(Arc::clone(source)).or_default() += fen;
        }
        add_institutions(outcome, &own, institutions);
        outcome.cost_fen += total;
        outcome.by_month.push(total);
    }

    fn fees(&mut self, told: &OfChildren, roll: &Roll) {
        let mut by_group: Vec<Vec<i64>> = vec![Vec::new(); roll.groups.len()];
        for (net, group) in told.net.iter().zip(&roll.group) {
            if let (Some(net), Some(values)) = (net, by_group.get_mut(*group as usize)) {
                values.push(*net);
            }
        }
        for (name, values) in roll.groups.iter().zip(by_group) {
            self.net.entry(name.clone()).or_default().extend(values);
        }
    }

    fn revenue(&mut self, told: &OfChildren, roll: &Roll) {
        let mut takings = told.allocated.clone();
        for (fee, institution) in told.charged.iter().zip(&roll.institution) {
            if let (Some(fee), Some(sum)) = (fee, takings.get_mut(*institution as usize)) {
                *sum += fee;
            }
        }
        add_revenue(&mut self.outcome.revenue, &takings, roll);
    }

    fn compare(&mut self, before: &Entitled, now: &Entitled) {
        self.changes.extend(now.iter().zip(before).map(|(now, before)| now - before));
    }

    fn finish(self) -> Outcome {
        let Self { mut outcome, net, mut changes } = self;
        let everybody = net.values().flatten().copied().collect();
        outcome.net_fees.insert((Arc::from(""), Arc::from("")), net_fees(everybody));
        outcome.net_fees.extend(net.into_iter().map(|(name, values)| (name, net_fees(values))));
        let count = |of: fn(&&i64) -> bool| changes.iter().filter(of).count() as u64;
        let (winners, losers) = (count(|by| **by > 0), count(|by| **by < 0));
        let same = changes.len() as u64 - winners - losers;
        outcome.children =
            ChildChanges { winners, losers, same, quantiles: quantiles(&mut changes) };
        outcome
    }
}

/// Fees outside the guide prices.
pub(super) fn breaches(trial: &Trial, roll: &Roll) -> BTreeMap<Arc<str>, Breaches> {
    let mut all: BTreeMap<Arc<str>, Breaches> = BTreeMap::new();
    let settled = &trial.settled;
    for price in price_columns(&settled.law) {
        let told = all.entry(Arc::clone(&price.id)).or_default();
        let Some(frame) = settled.frames.get(&price.basis) else { continue };
        let of = |part: &str| frame.get(&format!("{}.{part}", price.id));
        let flags = |part: &str| match of(part).map(|stored| &stored.column) {
            Some(Column::Bool(values)) => Some(values),
            _ => None,
        };
        let Some(fee) = frame.get(&price.fee).or_else(|| of("fee")) else { continue };
        let (ceiling, floor) = (of("ceiling"), of("floor"));
        let homes = key_rows(&settled.frames, &price.basis, &Basis::Institution);
        let mut institutions = BTreeSet::new();
        for row in 0..frame.rows {
            let is = |flags: Option<&Vec<bool>>| flags.is_some_and(|values| values[row]);
            let apart = |other: Option<&crate::domain::Stored>| {
                Some(fee.whole(row)?.saturating_sub(other?.whole(row)?))
            };
            if is(flags("over")) {
                let by = apart(ceiling).unwrap_or(0);
                told.over += 1;
                told.over_fen += by;
                told.over_most_fen = told.over_most_fen.max(by);
                let home = homes.as_ref().map_or(u32::MAX, |homes| homes.at(row));
                if let Some(at) = roll.institution_of.get(home as usize) {
                    institutions.insert(*at);
                }
            }
            if is(flags("under")) {
                told.under += 1;
                told.under_fen -= apart(floor).unwrap_or(0);
            }
        }
        told.institutions += institutions.len() as u64;
    }
    all
}

/// Adds the breaches of one month to those of the months before.
pub(super) fn add_breaches(
    sums: &mut BTreeMap<Arc<str>, Breaches>,
    month: BTreeMap<Arc<str>, Breaches>,
) {
    for (id, of) in month {
        let sum = sums.entry(id).or_default();
        sum.over += of.over;
        sum.over_fen += of.over_fen;
        sum.over_most_fen = sum.over_most_fen.max(of.over_most_fen);
        sum.under += of.under;
        sum.under_fen += of.under_fen;
        sum.institutions += of.institutions;
    }
}

/// Adds what institutions are allocated in a month.
pub(super) fn add_institutions(outcome: &mut Outcome, own: &[i64], institutions: &[Institution]) {
    for ((institution, fen), sum) in institutions.iter().zip(own).zip(&mut outcome.institutions) {
        *sum += fen;
        if *fen != 0 {
            *outcome.by_street.entry(Arc::clone(&institution.street)).or_default() += fen;
            *outcome.by_kind.entry(Arc::clone(&institution.kind)).or_default() += fen;
        }
        outcome.institutions_paid += u64::from(*fen > 0);
    }
}

/// What the families of (institution, class, service) pay in all, fen, and their number.
pub(super) type Sums = BTreeMap<Group, (i64, i64)>;

/// What families pay in a month by group.
pub(super) fn paid_by(
    trial: &Trial,
    roll: &Roll,
    institutions: &[Institution],
    measures: &Measures,
) -> Sums {
    let told = of_children(trial, roll, measures);
    let mut sums = Sums::new();
    for ((net, institution), group) in told.net.iter().zip(&roll.institution).zip(&roll.group) {
        let (Some(net), Some(institution)) = (net, institutions.get(*institution as usize)) else {
            continue;
        };
        let (class, service) = &roll.groups[*group as usize];
        let group = (institution.id.to_string(), class.to_string(), service.to_string());
        let sum = sums.entry(group).or_default();
        *sum = (sum.0.saturating_add(*net), sum.1 + 1);
    }
    sums
}

/// Adds what institutions take in in a month.
pub(super) fn add_revenue(revenue: &mut Revenue, takings: &[i64], roll: &Roll) {
    for ((fen, slots), costs) in takings.iter().zip(&roll.slots).zip(&roll.costs) {
        revenue.fen += fen;
        revenue.slots += slots;
        if let Some(costs) = costs {
            revenue.with_costs += 1;
            revenue.with_costs_fen += fen;
            revenue.costs_fen += costs;
        }
    }
}

fn net_fees(mut values: Vec<i64>) -> NetFees {
    NetFees {
        children: values.len() as u64,
        sum_fen: values.iter().sum(),
        quantiles: quantiles(&mut values),
    }
}

/// The smallest values that so many percent of all do not exceed; zero of nothing.
pub(super) fn quantiles(values: &mut [i64]) -> [i64; 5] {
    values.sort_unstable();
    QUANTILES.map(|percent| {
        let place = (values.len() * percent as usize).div_ceil(100).saturating_sub(1);
        values.get(place).copied().unwrap_or(0)
    })
}

/// Whether an item's lines are a child's, and paid.
fn is_of_child(lines: &ItemLines) -> bool {
    let in_kind = lines.rules.iter().flatten().next().is_some_and(|rule| rule.in_kind);
    crate::subsidy::of_child(&lines.basis) && !in_kind
}

fn of_children(trial: &Trial, roll: &Roll, measures: &Measures) -> OfChildren {
    let settled = &trial.settled;
    let enrolments = roll.first_spell.len();
    let mut entitled = vec![0_i64; roll.children];
    let mut less = vec![0_i64; enrolments];
    let mut paid = vec![false; roll.children];
    for lines in settled.entitlements.items.iter().filter(|lines| is_of_child(lines)) {
        let to_family = measures.to_family.as_ref();
        let is_less = to_family.is_none_or(|items| items.contains(&lines.item));
        for (row, status) in lines.status.iter().enumerate() {
            if *status != LineStatus::Paid {
                continue;
            }
            let enrolment = roll.enrolment_on(&lines.basis, row);
            let Some(child) = roll.child.get(enrolment as usize) else { continue };
            entitled[*child as usize] += lines.amount[row];
            paid[*child as usize] |= lines.allocated[row] > 0;
            if is_less {
                less[enrolment as usize] += lines.amount[row];
            }
        }
    }
    let charged = charged(trial, roll, measures, &|_| true);
    let net = charged.iter().zip(less).map(|(fee, less)| fee.map(|fee| fee.saturating_sub(less)));
    let mut allocated = vec![0_i64; roll.slots.len()];
    for cell in &settled.allocation.cells {
        let institution = roll.institution_of.get(cell.institution as usize).copied();
        if let Some(sum) = institution.and_then(|at| allocated.get_mut(at as usize)) {
            *sum += cell.fen;
        }
    }
    OfChildren {
        entitled,
        net: net.collect(),
        paid: paid.iter().filter(|paid| **paid).count() as u64,
        charged,
        allocated,
    }
}

/// What each enrolment is charged: as filed, or no more than the ceilings where that is assumed, of
/// those guide prices that `bounds` names.
pub(super) fn charged(
    trial: &Trial,
    roll: &Roll,
    measures: &Measures,
    bounds: &dyn Fn(&str) -> bool,
) -> Vec<Option<i64>> {
    let mut fees = roll.fee.clone();
    if measures.fees == Fees::AsFiled {
        return fees;
    }
    let judges = |price: &PriceColumns| {
        price.basis == Basis::Spell && &*price.fee == "fee_monthly" && bounds(&price.id)
    };
    let settled = &trial.settled;
    let spells = settled.frames.get(&Basis::Spell);
    for price in price_columns(&settled.law).iter().filter(|price| judges(price)) {
        let ceiling = spells.and_then(|spells| spells.get(&format!("{}.ceiling", price.id)));
        let Some(ceiling) = ceiling else { continue };
        for (fee, spell) in fees.iter_mut().zip(&roll.first_spell) {
            if let (Some(fee), Some(most)) = (fee.as_mut(), ceiling.whole(*spell as usize)) {
                *fee = most.min(*fee);
            }
        }
    }
    fees
}

/// A pinned month, its budget lines as delivered, and what it needs of each source.
pub(super) type Drawn<'a> = (Month, &'a [BudgetLine], &'a BTreeMap<Arc<str>, i64>);

/// Budget lines that are not enough: what each source needs is drawn from its lines in order of
/// 指标文号, each as it stood when a pinned month first told of it, over all pinned months of a
/// fiscal year. The last line of a source bears what is beyond all of them.
pub(super) fn overruns(months: &[Drawn<'_>]) -> Vec<Overrun> {
    let mut purses: BTreeMap<(i32, &str, &str), i64> = BTreeMap::new();
    let mut found: BTreeMap<(i32, &str, &str), Overrun> = BTreeMap::new();
    for (month, budget, needs) in months {
        let year = month.year();
        let mut told: BTreeMap<(i32, &str, &str), i64> = BTreeMap::new();
        for line in *budget {
            let key = (line.fiscal_year, line.source.as_str(), line.budget_doc_no.as_str());
            let sum = told.entry(key).or_default();
            *sum = sum.saturating_add(line.balance_fen);
        }
        for (key, balance) in told {
            purses.entry(key).or_insert(balance);
        }
        for (source, need) in *needs {
            let mut left = *need;
            let mut last = None;
            let from = (year, &**source, "");
            let own = purses.range_mut(from..);
            for (key, balance) in own.take_while(|(key, _)| key.0 == year && key.1 == &**source) {
                let give = left.min((*balance).max(0));
                *balance -= give;
                left -= give;
                last = Some(*key);
            }
            // A pack whose deliveries tell no budget of the source has nothing to overrun.
            if let Some(key) = last.filter(|_| left > 0) {
                let line = found.entry(key).or_insert_with(|| Overrun {
                    budget_doc_no: Arc::from(key.2),
                    source: Arc::clone(source),
                    month: *month,
                    fen: 0,
                });
                line.fen = line.fen.saturating_add(left);
            }
        }
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn sums_beyond_what_is_counted_with_are_seen() {
        // Ten thousand lines of ten trillion yuan, the most a line may be.
        let line = 1_000_000_000_000_000;
        assert!(fit(std::iter::repeat_n(line, 4_000)));
        assert!(!fit(std::iter::repeat_n(line, 10_000)));
        assert!(!fit(std::iter::repeat_n(-line, 10_000)));
    }
}
