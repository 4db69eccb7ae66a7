//! Children and families of a month: who gains and loses, what is left of a fee.

use super::bundles::Bundles;
use super::fees::Stretch;
use super::money::{Allocated, Lines, Money};
use crate::domain::{Basis, Frame};
use crate::settle::pinned::Trial;
use crate::tune::Measures;
use crate::tune::roll::Roll;
use std::collections::BTreeMap;

/// Owners of lines in order of the institution that their lines are at.
#[derive(Debug)]
struct Owners {
    bundles: Bundles,
    /// The owners in order.
    order: Vec<u32>,
    /// Bundle of each.
    of: Vec<u32>,
    /// Where those of an institution begin; those of none stand last.
    starts: Vec<usize>,
    /// Whether an owner of an institution has lines elsewhere too.
    shared: Vec<bool>,
}

/// Owners while their lines are told.
struct Telling {
    bundles: Bundles,
    of: Vec<u32>,
    home: Vec<u32>,
    shared: Vec<bool>,
}

impl Telling {
    fn new(owners: impl Iterator<Item = i64>, institutions: usize) -> Self {
        let (bundles, of) = Bundles::new(owners);
        let home = vec![Frame::NO_ROW; of.len()];
        Self { bundles, of, home, shared: vec![false; institutions] }
    }

    fn line(&mut self, owner: usize, line: u32, home: u32) {
        self.of[owner] = self.bundles.with(self.of[owner], line);
        let known = &mut self.home[owner];
        if *known == Frame::NO_ROW {
            *known = home;
        } else if *known != home {
            self.shared[*known as usize] = true;
            self.shared[home as usize] = true;
        }
    }

    fn finish(mut self, counts: impl Fn(usize) -> bool) -> Owners {
        self.bundles.close();
        let last = self.shared.len();
        let place = |owner: u32| (self.home[owner as usize] as usize).min(last);
        let mut starts = vec![0; last + 2];
        let owners = || (0_u32..).take(self.of.len()).filter(|owner| counts(*owner as usize));
        owners().for_each(|owner| starts[place(owner) + 1] += 1);
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        let mut next = starts.clone();
        let mut order = vec![0; starts[last + 1]];
        for owner in owners() {
            let slot = &mut next[place(owner)];
            order[*slot] = owner;
            *slot += 1;
        }
        let of = order.iter().map(|owner| self.of[*owner as usize]).collect();
        Owners { bundles: self.bundles, order, of, starts, shared: self.shared }
    }
}

/// The children and enrolments of a month.
#[derive(Debug)]
pub(super) struct People {
    children: Owners,
    /// Children of each bundle.
    counts: Vec<u64>,
    families: Owners,
    /// Fee of each family, in order of the families.
    fees: Vec<i64>,
    /// Group of each bundle of families.
    groups: Vec<u16>,
    /// Families of each bundle.
    heads: Vec<i64>,
    /// Sum of the fees of each group.
    fee_sums: Vec<i64>,
}

/// Changes of children: by how much, and how many.
pub(super) type Changes = Vec<(i64, u64)>;

/// Sums of lines by bundle, for those with all their lines and for those some caps leave nothing.
struct Sums {
    all: Vec<i64>,
    /// By caps, one bit each.
    without: BTreeMap<u32, Vec<i64>>,
}

impl Sums {
    fn of(
        bundles: &Bundles,
        money: &Money,
        amounts: &[i64],
        nothing: &BTreeMap<u32, u32>,
    ) -> Option<Self> {
        let mut without = BTreeMap::new();
        for caps in nothing.values() {
            if !without.contains_key(caps) {
                without.insert(*caps, bundles.sums(&money.without(amounts, *caps))?);
            }
        }
        Some(Self { all: bundles.sums(amounts)?, without })
    }
}

/// What lowers the fees of a month: for each bundle the sum of its lines, and its group.
#[derive(Debug)]
pub(super) struct Less {
    all: Vec<(i64, u16)>,
    without: BTreeMap<u32, Vec<(i64, u16)>>,
    /// Families that share a table: up to where, and whose lines some caps leave nothing.
    runs: Vec<(usize, u32)>,
}

impl People {
    /// Reads who has which lines in a settled month.
    pub(super) fn of(
        trial: &Trial,
        roll: &Roll,
        measures: &Measures,
        (money, by_item): (&Money, &[Lines]),
        (before, fees): (&[i64], &[Option<i64>]),
        groups: &[u16],
    ) -> Option<Self> {
        let frames = &trial.settled.frames;
        let institutions = frames.get(&Basis::Institution).map_or(0, |frame| frame.rows);
        let mut children = Telling::new(before.iter().copied(), institutions);
        let group = |group: &u32| groups.get(*group as usize).copied().map_or(0, i64::from);
        let mut families = Telling::new(roll.group.iter().map(group), institutions);
        for (item, lines) in money.items.iter().zip(by_item) {
            let basis = &trial.settled.entitlements.items[item.index].basis;
            let is_less = measures.to_family.as_ref().is_none_or(|items| items.contains(&item.id));
            let enrolment = |row: usize| roll.enrolment_on(basis, row);
            for (row, (kind, home)) in lines.kinds.iter().zip(&lines.homes).enumerate() {
                let enrolment = enrolment(row) as usize;
                let Some(child) = roll.child.get(enrolment) else { continue };
                if *kind == Frame::NO_ROW {
                    continue;
                }
                children.line(*child as usize, *kind, *home);
                if is_less {
                    families.line(enrolment, *kind, *home);
                }
            }
        }
        let children = children.finish(|_| true);
        let families = families.finish(|enrolment| fees[enrolment].is_some());
        let mut counts = vec![0; children.bundles.count()];
        children.of.iter().for_each(|bundle| counts[*bundle as usize] += 1);
        let fees = families.order.iter().map(|owner| fees[*owner as usize].unwrap_or(0)).collect();
        let groups: Option<Vec<u16>> = (0..families.bundles.count())
            .map(|bundle| u16::try_from(families.bundles.told(bundle)).ok())
            .collect();
        let mut heads = vec![0; families.bundles.count()];
        families.of.iter().for_each(|bundle| heads[*bundle as usize] += 1);
        let groups = groups?;
        let mut this =
            Self { children, counts, families, fees, groups, heads, fee_sums: Vec::new() };
        this.fee_sums = this.sums_of(&this.fees);
        Some(this)
    }

    /// Sum of fees of each group.
    fn sums_of(&self, fees: &[i64]) -> Vec<i64> {
        let most = self.groups.iter().max().map_or(0, |most| usize::from(*most) + 1);
        let mut sums = vec![0_i64; most];
        for (fee, bundle) in fees.iter().zip(&self.families.of) {
            sums[usize::from(self.groups[*bundle as usize])] += fee;
        }
        sums
    }

    /// Adds what the families of each group pay; `fees` where they are other than without any scenario.
    pub(super) fn add_sums(&self, less: &Less, fees: Option<&[i64]>, sums: &mut [i64]) {
        let own = fees.map(|fees| self.sums_of(fees));
        for (sum, fees) in sums.iter_mut().zip(own.as_ref().unwrap_or(&self.fee_sums)) {
            *sum += fees;
        }
        for ((less, group), heads) in less.all.iter().zip(&self.heads) {
            sums[usize::from(*group)] -= less * heads;
        }
        // Families whose lines are cut to nothing pay what they would have been spared.
        let mut from = 0;
        for (until, caps) in &less.runs {
            if let Some(without) = less.without.get(caps) {
                for bundle in &self.families.of[from..*until] {
                    let at = *bundle as usize;
                    sums[usize::from(less.all[at].1)] += less.all[at].0 - without[at].0;
                }
            }
            from = *until;
        }
    }

    /// Enrolments with a fee, in the order of the families.
    pub(super) fn enrolments(&self) -> &[u32] {
        &self.families.order
    }

    /// Fees as they are without any scenario, in the order of the families.
    pub(super) fn fees(&self) -> &[i64] {
        &self.fees
    }

    /// The caps that leave institutions nothing, one entry an institution; `None` where somebody has
    /// lines there and elsewhere.
    pub(super) fn nothing(&self, allocated: &Allocated) -> Option<BTreeMap<u32, u32>> {
        let mut nothing: BTreeMap<u32, u32> = BTreeMap::new();
        for (institution, caps) in &allocated.nothing {
            let at = *institution as usize;
            if self.children.shared[at] || self.families.shared[at] {
                return None;
            }
            *nothing.entry(*institution).or_default() |= caps;
        }
        Some(nothing)
    }

    /// Adds what changes for children; tells how many are paid.
    pub(super) fn changes(
        &self,
        money: &Money,
        amounts: &[i64],
        nothing: &BTreeMap<u32, u32>,
        changes: &mut Changes,
    ) -> Option<u64> {
        let bundles = &self.children.bundles;
        let sums = Sums::of(bundles, money, amounts, nothing)?;
        let mut counts = self.counts.clone();
        let mut paid = 0;
        let mut tell = |bundle: usize, sum: i64, count: u64| {
            paid += if sum > 0 { count } else { 0 };
            changes.push((sum - bundles.told(bundle), count));
        };
        for (institution, caps) in nothing {
            let at = *institution as usize;
            let without = sums.without.get(caps)?;
            for bundle in &self.children.of[self.children.starts[at]..self.children.starts[at + 1]]
            {
                let bundle = *bundle as usize;
                counts[bundle] -= 1;
                tell(bundle, without[bundle], 1);
            }
        }
        for (bundle, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            tell(bundle, sums.all[bundle], count);
        }
        Some(paid)
    }

    /// What lowers the fees of the families.
    pub(super) fn less(
        &self,
        money: &Money,
        amounts: &[i64],
        nothing: &BTreeMap<u32, u32>,
    ) -> Option<Less> {
        let sums = Sums::of(&self.families.bundles, money, amounts, nothing)?;
        let table = |sums: Vec<i64>| sums.into_iter().zip(self.groups.iter().copied()).collect();
        let starts = &self.families.starts;
        let mut runs = Vec::new();
        for (institution, caps) in nothing {
            let at = *institution as usize;
            runs.push((starts[at], 0));
            runs.push((starts[at + 1], *caps));
        }
        runs.push((self.families.of.len(), 0));
        let without = sums.without.into_iter().map(|(caps, sums)| (caps, table(sums))).collect();
        Some(Less { all: table(sums.all), without, runs })
    }

    /// Families with their fees and what lowers them, in stretches.
    pub(super) fn stretches<'s>(&'s self, less: &'s Less, fees: &'s [i64]) -> Vec<Stretch<'s>> {
        let mut from = 0;
        let stretch = |(until, caps): &(usize, u32)| {
            let range = from..*until;
            from = *until;
            let table = less.without.get(caps).unwrap_or(&less.all);
            Stretch { fees: &fees[range.clone()], bundles: &self.families.of[range], less: table }
        };
        less.runs.iter().map(stretch).collect()
    }
}
