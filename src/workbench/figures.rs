//! The key figures of a scenario beside those of the law as it is.

use super::number::{NOTHING, change, change_of, count, mean, money, percent};
use crate::domain::texts::Catalogue;
use crate::domain::{NetFees, Outcome};
use serde::Serialize;
use std::sync::Arc;

/// One figure, as read and as counted.
#[derive(Debug, Serialize)]
pub(super) struct Figure {
    id: &'static str,
    label: String,
    base: String,
    now: String,
    change: String,
    /// −1, 0 or 1.
    sign: i64,
    /// The figure in whole fen, or a count.
    exact: String,
}

/// Key figures in order.
pub(super) fn told(base: &Outcome, now: &Outcome, texts: &Catalogue) -> Vec<Figure> {
    let label = |id: &str| texts.label(&format!("workbench.figure.{id}")).to_owned();
    let fen = |id, base: i64, now: i64| Figure {
        id,
        label: label(id),
        base: money(base),
        now: money(now),
        change: change(now - base),
        sign: (now - base).signum(),
        exact: now.to_string(),
    };
    let number = |id, base: u64, now: u64| Figure {
        id,
        label: label(id),
        base: count(base),
        now: count(now),
        change: change_of(now, base),
        sign: i64::from(now > base) - i64::from(now < base),
        exact: now.to_string(),
    };
    // What only a comparison has says nothing of the law as it is.
    let only_now = |id, now: u64| Figure {
        base: NOTHING.to_owned(),
        change: NOTHING.to_owned(),
        sign: 0,
        ..number(id, now, now)
    };
    let maybe = |id, base: Option<i64>, now: Option<i64>| match (base, now) {
        (Some(base), Some(now)) => fen(id, base, now),
        _ => Figure { base: NOTHING.to_owned(), now: NOTHING.to_owned(), ..only_now(id, 0) },
    };
    let breaches = |of: &Outcome| of.breaches.values().map(|of| of.over).sum();
    let overruns = |of: &Outcome| of.overruns.iter().map(|of| of.fen).sum();
    let average = |of: &Outcome| everybody(of).and_then(|fees| mean(fees.sum_fen, fees.children));
    let median = |of: &Outcome| everybody(of).map(|fees| fees.quantiles[2]);
    let mut figures = vec![
        fen("cost", base.cost_fen, now.cost_fen),
        Figure {
            now: percent(now.cost_fen, base.cost_fen),
            base: NOTHING.to_owned(),
            change: NOTHING.to_owned(),
            sign: 0,
            exact: String::new(),
            ..fen("cost_percent", base.cost_fen, now.cost_fen)
        },
        number("children", base.children_paid, now.children_paid),
        number("institutions", base.institutions_paid, now.institutions_paid),
        only_now("winners", now.children.winners),
        only_now("losers", now.children.losers),
        number("breaches", breaches(base), breaches(now)),
        maybe("net_fee", average(base), average(now)),
        maybe("net_fee_median", median(base), median(now)),
        maybe("per_slot", per_slot(base), per_slot(now)),
    ];
    if now.revenue.with_costs > 0 {
        figures.push(fen("margin", margin(base), margin(now)));
    }
    figures.push(fen("overruns", overruns(base), overruns(now)));
    figures
}

/// What families of all children pay; `None` where no fee is known.
pub(super) fn everybody(of: &Outcome) -> Option<&NetFees> {
    of.net_fees.get(&(Arc::from(""), Arc::from(""))).filter(|fees| fees.children > 0)
}

/// Revenue a slot and month, fen.
pub(super) fn per_slot(of: &Outcome) -> Option<i64> {
    mean(of.revenue.fen, u64::try_from(of.revenue.slots).ok()?)
}

/// What is left to the institutions whose costs are known, fen.
pub(super) const fn margin(of: &Outcome) -> i64 {
    of.revenue.with_costs_fen - of.revenue.costs_fen
}
