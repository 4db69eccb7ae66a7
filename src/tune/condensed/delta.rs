//! What the law of a scenario changes in the law of the baseline, as far as the condensed path
//! understands it.

use crate::domain::Basis;
use crate::law::{
    Apportion, Breach, CapRule, Law, LawOfMonth, RoundScope, SplitScope, Step, Window,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Steps and cap limits that differ from the baseline's.
#[derive(Debug, Clone, Default)]
pub(in crate::tune) struct Delta {
    /// By place among the steps of the law.
    pub(in crate::tune) steps: BTreeMap<usize, Step>,
    /// By place among its caps.
    pub(in crate::tune) caps: BTreeMap<usize, Arc<CapRule>>,
}

/// The one segment of a law whose money can be counted by kinds: no exclusions, no shortages, nothing
/// that runs over several months, no rows of a group that share, institutions paid, lines rounded each
/// by itself, caps on money by institution.
pub(in crate::tune) fn plain(law: &LawOfMonth) -> Option<&Law> {
    let [rules] = law.segments.as_slice() else { return None };
    let fits = rules.exclusions.is_empty()
        && rules.shortages.is_empty()
        && law.items_of_history().is_empty()
        && !rules.steps.iter().any(|step| matches!(step, Step::Within(_) | Step::Grouping(_)))
        && rules.items.iter().all(|item| {
            item.to_date.is_none()
                && item.payee.is_none()
                && item.round_scope == RoundScope::Line
                && !item.any_sign
        })
        && rules.caps.iter().enumerate().all(|(at, cap)| {
            cap.key == Some(Basis::Institution)
                && !cap.across
                && cap.window == Window::Month
                && cap.quantity.is_none()
                && cap.apportion == Apportion::LargestRemainder
                && rules.caps[..at]
                    .iter()
                    .all(|other| other.items.iter().all(|item| !cap.items.contains(item)))
        })
        && rules.splits.values().all(|split| split.scope != SplitScope::Line);
    fits.then_some(rules)
}

impl Delta {
    /// `None` where the laws differ in something else.
    pub(in crate::tune) fn between(base: &LawOfMonth, other: &LawOfMonth) -> Option<Self> {
        let (base, other) = (plain(base)?, plain(other)?);
        let same = base.steps.len() == other.steps.len()
            && base.caps.len() == other.caps.len()
            && same_items(base, other)
            && same_splits(base, other);
        if !same {
            return None;
        }
        let mut delta = Self::default();
        for (at, (old, new)) in base.steps.iter().zip(&other.steps).enumerate() {
            if !same_step(old, new)? {
                delta.steps.insert(at, new.clone());
            }
        }
        for (at, (old, new)) in base.caps.iter().zip(&other.caps).enumerate() {
            if old.head.id != new.head.id || old.items != new.items || old.stage != new.stage {
                return None;
            }
            if !old.limit.alike(&new.limit) || old.round != new.round {
                delta.caps.insert(at, Arc::clone(new));
            }
        }
        Some(delta)
    }
}

fn same_items(base: &Law, other: &Law) -> bool {
    base.items.len() == other.items.len()
        && base.items.iter().zip(&other.items).all(|(a, b)| a.head.id == b.head.id)
}

fn same_splits(base: &Law, other: &Law) -> bool {
    base.splits.len() == other.splits.len()
        && base.splits.iter().zip(&other.splits).all(|((id, a), (other, b))| {
            id == other
                && a.scope == b.scope
                && a.method == b.method
                && a.quantum == b.quantum
                && a.parts.len() == b.parts.len()
                && a.parts.iter().zip(&b.parts).all(|(a, b)| a.0 == b.0 && a.1.alike(&b.1))
        })
}

/// Whether two steps compute the same; `None` where they are not two versions of one step.
fn same_step(old: &Step, new: &Step) -> Option<bool> {
    match (old, new) {
        (Step::Value(a), Step::Value(b)) => (a.head.id == b.head.id && a.basis == b.basis)
            .then(|| a.expr.alike(&b.expr) && a.round == b.round),
        (Step::Aggregate(a), Step::Aggregate(b)) => {
            let alike = |a: &Option<crate::law::expr::Expr>, b: &Option<_>| match (a, b) {
                (None, None) => true,
                (Some(a), Some(b)) => a.alike(b),
                _ => false,
            };
            let same = a.name == b.name
                && a.basis == b.basis
                && a.over == b.over
                && a.function == b.function
                && alike(&a.argument, &b.argument)
                && alike(&a.filter, &b.filter);
            same.then_some(true)
        }
        (Step::Price(a), Step::Price(b)) => {
            let floor = match (&a.floor, &b.floor) {
                (None, None) => true,
                (Some(a), Some(b)) => a.alike(b),
                _ => false,
            };
            let same = a.head.id == b.head.id
                && a.basis == b.basis
                && a.breach == b.breach
                && floor
                && a.when.alike(&b.when)
                && a.fee.alike(&b.fee);
            let alike = a.ceiling.alike(&b.ceiling);
            let refuses = matches!(a.breach, Breach::RefuseChild | Breach::RefuseInstitution);
            (same && (alike || !refuses)).then_some(alike)
        }
        (Step::Gate(a), Step::Gate(b)) => {
            let same = a.head.id == b.head.id && a.basis == b.basis && a.warn == b.warn;
            same.then(|| a.require.alike(&b.require))
        }
        (Step::Item(a), Step::Item(b)) => {
            let same = a.head.id == b.head.id
                && a.basis == b.basis
                && a.gates == b.gates
                && a.funding == b.funding
                && a.in_kind == b.in_kind;
            same.then(|| a.amount.alike(&b.amount) && a.round == b.round)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{LawOfMonth, plain};
    use crate::domain::{Date, Month};
    use std::path::Path;

    fn law(pack: &str) -> LawOfMonth {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let packs = [root.join(pack)];
        let book = crate::law::load(&packs, &[], &root.join("data/reference")).unwrap();
        let (month, known) = ("2026-09", "2026-10-12");
        book.in_force(Month::parse(month).unwrap(), Date::parse_iso(known).unwrap()).unwrap()
    }

    #[test]
    fn a_law_whose_rows_share_a_group_is_settled_whole() {
        assert!(plain(&law("data/policy/bench")).is_some());
        assert!(plain(&law("tests/rules/packs/within")).is_none());
    }
}
