//! Where an expression is evaluated once for all rows that are alike.

use super::kinds::Kinds;
use crate::domain::{Basis, Calendar, Frame, Frames, Stored};
use crate::law::PriceRule;
use crate::law::expr::Expr;
use crate::price;
use crate::subsidy::join;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows evaluated at once, as in a settlement.
const CHUNK: usize = 8192;

/// What a changed step comes to, one entry a kind.
#[derive(Debug, Clone)]
pub(super) enum Made {
    /// A value, a verdict, a ceiling, a limit.
    Column(Stored),
    /// The lines of an item: whether all gates pass, and the amount in fen.
    Lines { eligible: Vec<bool>, amount: Vec<i64> },
}

/// A column that a scenario changes: which entry of the step that makes it each row reads.
#[derive(Debug, Clone)]
pub(super) struct Fed {
    pub(super) basis: Basis,
    pub(super) column: Arc<str>,
    pub(super) step: usize,
    pub(super) rows: Vec<u32>,
}

/// The fee that counts under a changed ceiling.
#[derive(Debug, Clone)]
pub(super) struct Reduced {
    pub(super) rule: Arc<PriceRule>,
    pub(super) ceiling: Fed,
    pub(super) when: Stored,
    pub(super) fee: Stored,
}

/// A row of each kind with all that is read of it.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) basis: Basis,
    frames: Frames,
    rows: Vec<u32>,
    fed: Vec<Fed>,
    reduced: Vec<Reduced>,
}

/// A place while it is laid: every basis that is read has one row a kind.
pub(super) struct Laying<'f> {
    all: &'f Frames,
    kinds: &'f Kinds,
    own: Frame,
    others: BTreeMap<Basis, Frame>,
    fed: Vec<Fed>,
    reduced: Vec<Reduced>,
}

impl<'f> Laying<'f> {
    pub(super) fn new(all: &'f Frames, basis: &Basis, kinds: &'f Kinds) -> Self {
        let own = Frame::new(basis.clone(), kinds.count());
        Self { all, kinds, own, others: BTreeMap::new(), fed: Vec::new(), reduced: Vec::new() }
    }

    /// The row of a basis that each kind reads, [`Frame::NO_ROW`] where there is none.
    pub(super) fn rows(&mut self, basis: &Basis) -> Vec<u32> {
        if *basis == self.own.basis {
            return self.kinds.first.clone();
        }
        let frame = self.all.get(&self.own.basis);
        let links = frame.and_then(|frame| frame.links.get(basis));
        let linked = links.is_some() || *basis == Basis::Programme;
        let rows: Vec<u32> = match links {
            Some(links) => self.kinds.first.iter().map(|row| links[*row as usize]).collect(),
            None if linked => vec![0; self.kinds.count()],
            None => vec![Frame::NO_ROW; self.kinds.count()],
        };
        if linked {
            let own = |(at, row): (u32, &u32)| if *row == Frame::NO_ROW { *row } else { at };
            let links = (0_u32..).zip(&rows).map(own).collect();
            self.own.links.insert(basis.clone(), links);
        }
        rows
    }

    fn frame(&mut self, basis: &Basis) -> &mut Frame {
        if *basis == self.own.basis {
            return &mut self.own;
        }
        let rows = self.kinds.count();
        self.others.entry(basis.clone()).or_insert_with(|| Frame::new(basis.clone(), rows))
    }

    /// A column no scenario changes; one that was not delivered is left out.
    pub(super) fn fixed(&mut self, basis: &Basis, column: &Arc<str>) {
        let rows = self.rows(basis);
        let all = self.all;
        if let Some(stored) = all.get(basis).and_then(|frame| frame.get(column)) {
            self.frame(basis).put(column, stored.take(&rows));
        }
    }

    /// A column that a step makes; `kinds` are those of the step.
    pub(super) fn made(&mut self, basis: &Basis, column: &Arc<str>, step: usize, kinds: &Kinds) {
        let fed = self.reading(basis, column, step, kinds);
        self.frame(basis);
        self.fed.push(fed);
    }

    pub(super) fn reading(
        &mut self,
        basis: &Basis,
        column: &Arc<str>,
        step: usize,
        kinds: &Kinds,
    ) -> Fed {
        let of = |row: u32| kinds.of.get(row as usize).copied().unwrap_or(Frame::NO_ROW);
        let rows = self.rows(basis).into_iter().map(of).collect();
        Fed { basis: basis.clone(), column: Arc::clone(column), step, rows }
    }

    pub(super) fn reduced(&mut self, reduced: Reduced) {
        self.reduced.push(reduced);
    }

    pub(super) fn finish(self) -> Place {
        let basis = self.own.basis.clone();
        let rows = (0_u32..).take(self.own.rows).collect();
        let mut frames = Frames::default();
        self.others.into_values().for_each(|frame| frames.put(frame));
        frames.put(self.own);
        Place { basis, frames, rows, fed: self.fed, reduced: self.reduced }
    }
}

impl Made {
    /// The entries of a column that some rows read.
    pub(super) fn take(&self, rows: &[u32]) -> Option<Stored> {
        match self {
            Self::Column(stored) => Some(stored.take(rows)),
            Self::Lines { .. } => None,
        }
    }
}

impl Place {
    /// The frames with what the steps before have made.
    pub(super) fn with(&self, made: &[Made]) -> Frames {
        let mut frames = self.frames.clone();
        let mut put = |basis: &Basis, column: &str, stored: Stored| {
            if let Some(frame) = frames.get_mut(basis) {
                frame.put(column, stored);
            }
        };
        for fed in &self.fed {
            if let Some(stored) = made[fed.step].take(&fed.rows) {
                put(&fed.basis, &fed.column, stored);
            }
        }
        for of in &self.reduced {
            let Some(ceiling) = made[of.ceiling.step].take(&of.ceiling.rows) else { continue };
            let assessed = price::assess(&of.rule, &of.when, of.fee.clone(), ceiling, None);
            let fee = assessed.reduced.unwrap_or(assessed.fee);
            put(&of.ceiling.basis, &of.ceiling.column, fee);
        }
        frames
    }

    /// One entry a kind.
    pub(super) fn eval(&self, expr: &Expr, frames: &Frames, calendar: &Calendar) -> Stored {
        let of = |rows: &[u32]| expr.eval(frames, &self.basis, rows, calendar);
        if self.rows.is_empty() {
            return of(&[]);
        }
        join(self.rows.chunks(CHUNK).map(of).collect())
    }
}
