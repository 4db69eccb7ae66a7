//! What institutions are allocated: their lines counted by kind, cut by caps, split over sources.
//!
//! The figures of an outcome are sums, so a line's kind says all there is to know of it: equal lines
//! bear equal parts of a cut but for the last fen, and which of two equal lines bears it changes no sum
//! of an item. Where it could change whether a line is paid at all, the general path decides.

use super::kinds::Kinds;
use super::place::Made;
use super::steps::Building;
use crate::allocation::{SplitShares, divide, split_weights};
use crate::domain::{Basis, Frame, Rounding, key_rows};
use crate::law::{CapRule, Law, SplitMethod, SplitScope};
use crate::settle::pinned::Trial;
use crate::subsidy::LineStatus;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An item that is paid in money.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) id: Arc<str>,
    /// Index among the items of the entitlements.
    pub(super) index: usize,
    /// Place among the splits.
    split: usize,
    /// The step that makes its lines; `None`: no scenario changes them.
    step: Option<usize>,
    /// Amounts of the kinds of lines no scenario changes.
    fixed: Vec<i64>,
    /// First of its kinds among the kinds of lines of all items.
    pub(super) first: usize,
}

/// The lines of an item, one entry a row of its basis.
#[derive(Debug)]
pub(super) struct Lines {
    /// Kind among those of all items; [`Frame::NO_ROW`] where no scenario pays.
    pub(super) kinds: Vec<u32>,
    /// Row of the institution, or [`Frame::NO_ROW`].
    pub(super) homes: Vec<u32>,
}

/// A cap by institution.
#[derive(Debug)]
struct Cap {
    at: usize,
    items: Vec<usize>,
    step: usize,
    kinds: Arc<Kinds>,
}

/// A split: its sources, the shares of each institution.
#[derive(Debug)]
struct Split {
    scope: SplitScope,
    sources: Vec<Arc<str>>,
    shares: Vec<SplitShares>,
    of: Vec<u32>,
}

/// The money of one month.
#[derive(Debug)]
pub(super) struct Money {
    pub(super) items: Vec<Item>,
    kinds: usize,
    institutions: usize,
    caps: Vec<Cap>,
    splits: Vec<Split>,
    /// Where the lines of an institution and item begin.
    starts: Vec<usize>,
    /// Kinds of lines, and how many.
    lines: Vec<(u32, u32)>,
    /// Lines in all.
    heads: i64,
}

/// What a scenario allocates.
#[derive(Debug)]
pub(super) struct Allocated {
    /// By institution and item.
    pub(super) fen: Vec<i64>,
    pub(super) by_source: BTreeMap<Arc<str>, i64>,
    /// Institutions whose lines under some caps are cut to nothing: the caps, one bit each.
    pub(super) nothing: Vec<(u32, u32)>,
}

/// The limit of an institution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    Without,
    Fen(i128),
    /// No value: the lines under it are refused.
    Missing,
}

impl Money {
    /// Counts the lines of a settled month by kind; with the kind of every line, by item.
    pub(super) fn of(
        building: &Building<'_>,
        law: &Law,
        trial: &Trial,
    ) -> Option<(Self, Vec<Lines>)> {
        let frames = &*building.frames;
        let institutions = frames.get(&Basis::Institution).map_or(0, |frame| frame.rows);
        let mut this = Self {
            items: Vec::new(),
            kinds: 0,
            institutions,
            caps: Vec::new(),
            splits: Vec::new(),
            starts: Vec::new(),
            lines: Vec::new(),
            heads: 0,
        };
        let mut split_ids: Vec<Arc<str>> = Vec::new();
        let mut by_item: Vec<Lines> = Vec::new();
        for (index, lines) in trial.settled.entitlements.items.iter().enumerate() {
            let rule = lines.rules.iter().flatten().next()?;
            if rule.in_kind {
                continue;
            }
            let homes = key_rows(frames, &lines.basis, &Basis::Institution);
            let home = |row: usize| homes.as_ref().map_or(Frame::NO_ROW, |homes| homes.at(row));
            let changed = building.items.get(&lines.item);
            let mut fixed = Vec::new();
            let mut kinds: Vec<u32> = if let Some(item) = changed {
                let passes = |kind: u32| item.passes[kind as usize];
                let of = |kind: &u32| if passes(*kind) { *kind } else { Frame::NO_ROW };
                item.kinds.of.iter().map(of).collect()
            } else {
                let mut known: BTreeMap<i64, u32> = BTreeMap::new();
                let mut of = |(status, fen): (&LineStatus, &i64)| {
                    if *fen == 0 || *status == LineStatus::Refused {
                        return Frame::NO_ROW;
                    }
                    *known.entry(*fen).or_insert_with(|| {
                        fixed.push(*fen);
                        u32::try_from(fixed.len() - 1).unwrap_or(Frame::NO_ROW)
                    })
                };
                lines.status.iter().zip(&lines.amount).map(&mut of).collect()
            };
            let first = u32::try_from(this.kinds).ok()?;
            for (row, kind) in kinds.iter_mut().enumerate() {
                if *kind != Frame::NO_ROW {
                    // A line without an institution is refused.
                    *kind = if home(row) == Frame::NO_ROW { Frame::NO_ROW } else { *kind + first };
                }
            }
            let place = split_ids.iter().position(|id| *id == rule.funding);
            let split = place.unwrap_or_else(|| {
                split_ids.push(Arc::clone(&rule.funding));
                split_ids.len() - 1
            });
            this.items.push(Item {
                id: Arc::clone(&lines.item),
                index,
                split,
                step: changed.map(|item| item.step),
                first: this.kinds,
                fixed,
            });
            let item = &this.items[this.items.len() - 1];
            this.kinds += changed.map_or(item.fixed.len(), |item| item.kinds.count());
            let homes = (0..kinds.len()).map(home).collect();
            by_item.push(Lines { kinds, homes });
        }
        this.count(&by_item)?;
        for id in split_ids {
            let split = split(building, law, &id, institutions)?;
            this.splits.push(split);
        }
        this.weighed().then_some(())?;
        for (at, cap) in law.caps.iter().enumerate() {
            let cap = this.cap(building, at, cap)?;
            this.caps.push(cap);
        }
        Some((this, by_item))
    }

    fn cap(&self, building: &Building<'_>, at: usize, rule: &CapRule) -> Option<Cap> {
        let (step, kinds) = building.limits.get(&at)?;
        let capped = |place: &usize| rule.items.contains(&self.items[*place].id);
        let items = (0..self.items.len()).filter(capped).collect();
        Some(Cap { at, items, step: *step, kinds: Arc::clone(kinds) })
    }

    /// Counts equal lines of each institution and item.
    fn count(&mut self, by_item: &[Lines]) -> Option<()> {
        let width = self.items.len();
        let mut all: Vec<(u32, u32)> = Vec::new();
        for (item, lines) in by_item.iter().enumerate() {
            for (kind, home) in lines.kinds.iter().zip(&lines.homes) {
                if *kind != Frame::NO_ROW {
                    all.push((u32::try_from(*home as usize * width + item).ok()?, *kind));
                }
            }
        }
        all.sort_unstable();
        self.heads = i64::try_from(all.len()).ok()?;
        let mut starts = vec![0; self.institutions * width + 1];
        for alike in all.chunk_by(|a, b| a == b) {
            self.lines.push((alike[0].1, u32::try_from(alike.len()).ok()?));
            *starts.get_mut(alike[0].0 as usize + 1)? = self.lines.len();
        }
        for at in 1..starts.len() {
            starts[at] = starts[at].max(starts[at - 1]);
        }
        self.starts = starts;
        Some(())
    }

    /// Whether every institution with lines of an item has weights for its sources.
    fn weighed(&self) -> bool {
        (0..self.institutions).all(|institution| {
            self.items.iter().enumerate().all(|(place, item)| {
                self.lines(institution, place).is_empty()
                    || self.splits[item.split].of[institution] != Frame::NO_ROW
            })
        })
    }

    fn lines(&self, institution: usize, item: usize) -> &[(u32, u32)] {
        let at = institution * self.items.len() + item;
        &self.lines[self.starts[at]..self.starts[at + 1]]
    }

    /// Amounts of all kinds of lines under a scenario.
    pub(super) fn amounts(&self, made: &[Made]) -> Option<Vec<i64>> {
        let mut all = Vec::with_capacity(self.kinds);
        for item in &self.items {
            match item.step.map(|step| &made[step]) {
                None => all.extend_from_slice(&item.fixed),
                Some(Made::Lines { amount, .. }) => all.extend_from_slice(amount),
                Some(Made::Column(_)) => return None,
            }
        }
        Some(all)
    }

    /// Whether sums fit however many lines have the largest amount; where they may not, the general
    /// path looks closely.
    pub(super) fn fits(&self, amounts: &[i64]) -> bool {
        let most = amounts.iter().map(|fen| i128::from(*fen).abs()).max().unwrap_or(0);
        most.checked_mul(i128::from(self.heads)).is_some_and(|all| all <= i128::from(i64::MAX / 4))
    }

    /// The same amounts without those of items whose lines are cut to nothing.
    pub(super) fn without(&self, amounts: &[i64], caps: u32) -> Vec<i64> {
        let mut left = amounts.to_vec();
        for (_, cap) in self.caps.iter().enumerate().filter(|(bit, _)| caps >> bit & 1 == 1) {
            for place in &cap.items {
                let until = self.items.get(place + 1).map_or(self.kinds, |next| next.first);
                left[self.items[*place].first..until].fill(0);
            }
        }
        left
    }

    /// Allocates; `rounding` tells how a cap of the scenario rounds its limit. `None` where only the
    /// general path can tell.
    pub(super) fn allocate(
        &self,
        amounts: &[i64],
        made: &[Made],
        rounding: &dyn Fn(usize) -> Option<Rounding>,
    ) -> Option<Allocated> {
        let width = self.items.len();
        let mut fen = vec![0_i64; self.institutions * width];
        for (sum, range) in fen.iter_mut().zip(self.starts.windows(2)) {
            for (kind, count) in &self.lines[range[0]..range[1]] {
                *sum = sum.checked_add(amounts[*kind as usize].checked_mul(i64::from(*count))?)?;
            }
        }
        // A source stands in the outcome as soon as an item it pays for has a line.
        let paid: Vec<bool> = (0..width)
            .map(|item| fen.iter().skip(item).step_by(width).any(|fen| *fen != 0))
            .collect();
        let mut nothing = Vec::new();
        let mut cutter = Cutter::default();
        for (bit, cap) in self.caps.iter().enumerate() {
            let limits = cap.limits(made, rounding(cap.at))?;
            for institution in 0..self.institutions {
                let own = &mut fen[institution * width..(institution + 1) * width];
                let sums = cap.items.iter().map(|item| own[*item]);
                let total = sums.into_iter().try_fold(0_i64, i64::checked_add)?;
                if total == 0 {
                    continue;
                }
                let left = match limits[cap.kinds.of[institution] as usize] {
                    Limit::Without => continue,
                    Limit::Missing => return None,
                    Limit::Fen(limit) => limit.max(0),
                };
                let Some(left) = i64::try_from(left).ok().filter(|left| *left < total) else {
                    continue;
                };
                if left == 0 {
                    cap.items.iter().for_each(|item| own[*item] = 0);
                    nothing.push((u32::try_from(institution).ok()?, 1 << bit));
                    continue;
                }
                cutter.cut(self, amounts, institution, (&cap.items, total, left), own)?;
            }
        }
        let by_source = self.by_source(&fen, &paid)?;
        Some(Allocated { fen, by_source, nothing })
    }

    /// Both margins of a split hold, so a source bears its part of an institution's sum.
    fn by_source(&self, fen: &[i64], paid: &[bool]) -> Option<BTreeMap<Arc<str>, i64>> {
        let width = self.items.len();
        let mut by_source: BTreeMap<Arc<str>, i64> = BTreeMap::new();
        let mut rests = Vec::new();
        for (place, split) in self.splits.iter().enumerate() {
            let own: Vec<usize> =
                (0..width).filter(|item| self.items[*item].split == place && paid[*item]).collect();
            if own.is_empty() {
                continue;
            }
            let mut sums = vec![0_i64; split.sources.len()];
            let mut parts = vec![0_i64; split.sources.len()];
            let mut whole = vec![0_i64; split.shares.len()];
            let mut add = |total: i64, shares: &SplitShares| {
                shares.split_into(total, &mut parts, &mut rests)?;
                for (sum, part) in sums.iter_mut().zip(&parts) {
                    *sum = sum.checked_add(*part)?;
                }
                Some(())
            };
            for institution in 0..self.institutions {
                let at = institution * width;
                let items = own.iter().map(|item| fen[at + item]);
                let total = items.into_iter().try_fold(0_i64, i64::checked_add)?;
                if total == 0 {
                    continue;
                }
                let shares = split.of[institution] as usize;
                if split.scope == SplitScope::Institution {
                    add(total, split.shares.get(shares)?)?;
                } else {
                    let sum = whole.get_mut(shares)?;
                    *sum = sum.checked_add(total)?;
                }
            }
            for (total, shares) in whole.into_iter().zip(&split.shares).filter(|(sum, _)| *sum != 0)
            {
                add(total, shares)?;
            }
            for (source, sum) in split.sources.iter().zip(sums) {
                let all = by_source.entry(Arc::clone(source)).or_default();
                *all = all.checked_add(sum)?;
            }
        }
        Some(by_source)
    }
}

fn split(building: &Building<'_>, law: &Law, id: &Arc<str>, institutions: usize) -> Option<Split> {
    if id.is_empty() {
        let whole = SplitShares::new(&[1], SplitMethod::LargestRemainder, 1)?;
        let (scope, sources) = (SplitScope::Institution, vec![Arc::from("")]);
        return Some(Split { scope, sources, shares: vec![whole], of: vec![0; institutions] });
    }
    let rule = law.splits.get(id)?;
    let mut known: BTreeMap<SplitShares, u32> = BTreeMap::new();
    let mut shares = Vec::new();
    let of = split_weights(building.frames, &building.steps.calendar, rule)
        .into_iter()
        .map(|found| {
            let Ok(found) = found else { return Frame::NO_ROW };
            *known.entry(found).or_insert_with_key(|found| {
                shares.push(found.clone());
                u32::try_from(shares.len() - 1).unwrap_or(Frame::NO_ROW)
            })
        })
        .collect();
    let sources = rule.parts.iter().map(|(source, _)| Arc::clone(source)).collect();
    Some(Split { scope: rule.scope, sources, shares, of })
}

impl Cap {
    /// Limits by kind of institution, floored to the fen.
    fn limits(&self, made: &[Made], round: Option<Rounding>) -> Option<Vec<Limit>> {
        let Made::Column(stored) = &made[self.step] else { return None };
        let limit = |kind: usize| {
            if stored.error(kind).is_some() {
                return Limit::Missing;
            }
            let Some(value) = stored.number(kind) else { return Limit::Without };
            let rounded = round.map_or(Some(value), |round| round.apply(value));
            rounded.map_or(Limit::Missing, |value| Limit::Fen(value.num.div_euclid(value.den)))
        };
        Some((0..self.kinds.count()).map(limit).collect())
    }
}

/// Room for sharing cuts, kept from one institution to the next.
#[derive(Debug, Default)]
struct Cutter {
    /// Remainder, place of the item among the items of the cap, number of lines.
    rests: Vec<(u64, usize, u32)>,
}

impl Cutter {
    /// Shares the cut of an institution over its lines by largest remainder; equal remainders fall to
    /// the item that stands first.
    fn cut(
        &mut self,
        money: &Money,
        amounts: &[i64],
        institution: usize,
        (items, total, left): (&[usize], i64, i64),
        own: &mut [i64],
    ) -> Option<()> {
        let (whole, most) = (u64::try_from(total).ok()?, u64::try_from(total - left).ok()?);
        self.rests.clear();
        let mut given = 0_u64;
        for (place, item) in items.iter().enumerate() {
            let mut parts = 0_u64;
            for (kind, count) in money.lines(institution, *item) {
                let fen = u64::try_from(amounts[*kind as usize]).ok()?;
                if fen == 0 {
                    continue;
                }
                let (part, rest) = divide(u128::from(most) * u128::from(fen), u128::from(whole));
                let (part, rest) = (u64::try_from(part).ok()?, u64::try_from(rest).ok()?);
                // A line that may be cut to nothing: which one it is decides who is paid.
                if part + u64::from(rest > 0) >= fen {
                    return None;
                }
                parts += part * u64::from(*count);
                if rest > 0 {
                    self.rests.push((rest, place, *count));
                }
            }
            given += parts;
            own[*item] -= i64::try_from(parts).ok()?;
        }
        let mut open = most - given;
        if open == 0 {
            return Some(());
        }
        if let [only] = items {
            own[*only] -= i64::try_from(open).ok()?;
            return Some(());
        }
        self.rests.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        for (_, place, count) in &self.rests {
            let more = open.min(u64::from(*count));
            own[items[*place]] -= i64::try_from(more).ok()?;
            open -= more;
            if open == 0 {
                break;
            }
        }
        Some(())
    }
}
