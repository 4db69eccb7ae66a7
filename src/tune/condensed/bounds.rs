//! How far a column counts: a fee beyond every rate a family of scenarios has is as good as the
//! greatest of these rates, so rows whose fees are beyond it are alike.

use super::kinds::{Codes, Kinds, Numbering};
use super::reads::{Column, reads_of};
use super::steps::Building;
use crate::domain::{Basis, Column as Values, NumColumn, Stored};
use crate::law::expr::{Capped, Expr};
use crate::subsidy::evaluate;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Most kinds whose bounds are sought: beyond it the search costs more than it saves.
const KINDS_MAX: usize = 1 << 16;

/// The greatest value of a column that counts, by kind of row, in counts of the column's denominator.
#[derive(Debug)]
pub(super) struct Bound {
    kinds: Kinds,
    most: Vec<i64>,
}

impl Building<'_> {
    /// The bounds of the columns that every version of a step reads up to a bound only.
    pub(super) fn bounds(
        &self,
        basis: &Basis,
        at: usize,
        exprs: &[Expr],
    ) -> Option<BTreeMap<Column, Bound>> {
        let capped: Vec<Vec<Capped>> = exprs.iter().map(Expr::capped).collect();
        let mut bounds = BTreeMap::new();
        let mine = |of: &&Capped| of.basis == *basis;
        for first in capped.first()?.iter().filter(mine) {
            let column = (first.basis.clone(), first.column.clone());
            let by_version: Option<Vec<Vec<Expr>>> = exprs
                .iter()
                .zip(&capped)
                .map(|(expr, capped)| {
                    let same = |of: &&Capped| of.basis == column.0 && of.column == column.1;
                    match capped.iter().find(same) {
                        Some(of) => Some(of.bounds.clone()),
                        None => (!expr.reads().contains(&column)).then(Vec::new),
                    }
                })
                .collect();
            let (Some(by_version), Some(leaf)) = (by_version, self.leaf(basis, &column)) else {
                continue;
            };
            let Values::Num(NumColumn { den, .. }) = leaf.column else { continue };
            if let Some(bound) = self.bound(basis, at, &by_version, den) {
                bounds.insert(column, bound);
            }
        }
        Some(bounds)
    }

    /// A column of the rows' own basis that holds what no scenario changes.
    fn leaf(&self, basis: &Basis, column: &Column) -> Option<Stored> {
        if self.known.made(column).is_some() || self.known.is_opaque(column) {
            return None;
        }
        let frame = self.frames.get(basis)?;
        match self.known.reduced(column) {
            Some((_, _, rule)) => {
                let rows: Vec<u32> = (0_u32..).take(frame.rows).collect();
                Some(evaluate(&rule.fee, self.frames, basis, &rows, &self.steps.calendar))
            }
            None => frame.get(&column.1).cloned(),
        }
    }

    fn bound(&self, basis: &Basis, at: usize, by_version: &[Vec<Expr>], den: i64) -> Option<Bound> {
        let all: Vec<Expr> = by_version.iter().flatten().cloned().collect();
        let reads = reads_of(&all);
        let mut numbering = Numbering::new(self.frames.get(basis)?.rows);
        for column in &reads {
            if self.known.reduced(column).is_some() {
                return None;
            }
            numbering.refine(&self.codes(basis, column)?);
        }
        let kinds = numbering.finish();
        if kinds.count() > KINDS_MAX {
            return None;
        }
        let place = self.place(basis, &reads, &kinds)?;
        let mut version = 0;
        let versions: Vec<usize> = self
            .deltas
            .iter()
            .map(|delta| {
                let own = delta.steps.contains_key(&at);
                version += usize::from(own);
                if own { version } else { 0 }
            })
            .collect();
        let none = || Some(vec![i64::MIN; kinds.count()]);
        let most = self
            .deltas
            .par_iter()
            .zip(versions)
            .map(|(delta, version)| {
                let made = self.steps.make(delta)?;
                let frames = place.with(&made);
                let mut most = none()?;
                for expr in &by_version[version] {
                    let stored = place.eval(expr, &frames, &self.steps.calendar);
                    for (kind, most) in most.iter_mut().enumerate() {
                        if let Some(value) = stored.number(kind) {
                            let count = value.num.checked_mul(i128::from(den))?;
                            let whole = -(-count).div_euclid(value.den);
                            *most = (*most).max(i64::try_from(whole).unwrap_or(i64::MAX));
                        }
                    }
                }
                Some(most)
            })
            .reduce(none, |one, two| {
                Some(one?.into_iter().zip(two?).map(|(one, two)| one.max(two)).collect())
            })?;
        Some(Bound { kinds, most })
    }

    /// Codes of a column on the rows of a basis: several where it stands for several things.
    pub(super) fn bounded_codes(
        &self,
        basis: &Basis,
        column: &Column,
        bound: Option<&Bound>,
    ) -> Option<Vec<Codes>> {
        let upto = |stored: Stored| match bound {
            Some(bound) => Codes::of(&bound.applied(stored)),
            None => Codes::of(&stored),
        };
        if let Some((_, kinds, rule)) = self.known.reduced(column) {
            if column.0 != *basis {
                return None;
            }
            let rows: Vec<u32> = (0_u32..).take(self.frames.get(basis)?.rows).collect();
            let when = evaluate(&rule.when, self.frames, basis, &rows, &self.steps.calendar);
            let ceiling = Codes { of: kinds.of.clone(), count: u32::try_from(kinds.count()).ok()? };
            return Some(vec![ceiling, Codes::of(&when), upto(self.leaf(basis, column)?)]);
        }
        if bound.is_some() {
            return Some(vec![upto(self.leaf(basis, column)?)]);
        }
        Some(vec![self.codes(basis, column)?])
    }
}

impl Bound {
    /// The column with what is beyond the bound brought down to it.
    fn applied(&self, stored: Stored) -> Stored {
        let Stored { mut column, nulls, errors } = stored;
        if let Values::Num(numbers) = &mut column {
            for (value, kind) in numbers.values.iter_mut().zip(&self.kinds.of) {
                *value = (*value).min(self.most[*kind as usize]);
            }
        }
        Stored { column, nulls, errors }
    }
}
