//! Rules that make a column from the rows of a group: ranks, allowances, streaks, what is spread.

use super::types::{RuleHead, Ty};
use crate::domain::{Basis, Rounding};
use crate::law::expr::Expr;
use std::sync::Arc;

/// A column made from the rows that share one row of a coarser basis. Stored in the frame under its id.
#[derive(Debug, Clone)]
pub struct WithinRule {
    /// Head.
    pub head: RuleHead,
    /// Basis of the rows and of the column.
    pub basis: Basis,
    /// The coarser basis whose row the rows of one group share.
    pub within: Basis,
    /// Which rows take part; all where it is absent. A streak holds where it holds.
    pub when: Option<Expr>,
    /// The order of the rows; it ends in what tells them apart (S9).
    pub order: Vec<OrderTerm>,
    /// What is made of them.
    pub kind: WithinKind,
    /// Type of the column.
    pub ty: Ty,
}

/// One name of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderTerm {
    /// Basis the column stands on: that of the rows or a coarser one.
    pub basis: Basis,
    /// Column.
    pub column: Arc<str>,
    /// Whether the largest comes first.
    pub descending: bool,
}

/// What is made of the rows of a group.
#[derive(Debug, Clone)]
pub enum WithinKind {
    /// The place of the row, from 1.
    Rank,
    /// The part of the row's quantity that lies within a limit of the group.
    Allowance {
        /// On the rows.
        quantity: Expr,
        /// On the group.
        limit: Expr,
        /// The quantum of a limit that is shared in proportion; `None` where it is used up in order.
        quantum: Option<(i128, i128)>,
    },
    /// How many rows in sequence hold, up to this one.
    Streak {
        /// What two rows in sequence may lie apart.
        gap: Gap,
        /// What a row counts for; one where absent.
        sum: Option<Expr>,
    },
    /// Parts of an amount of the group.
    Spread {
        /// On the group.
        amount: Expr,
        /// How the amount is rounded before it is spread.
        round: Rounding,
        /// Who gets what.
        method: SpreadMethod,
    },
}

/// What separates two rows of a streak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// Nothing: rows in order are in sequence.
    Rows,
    /// More than a day.
    Days,
    /// A work day between them.
    WorkDays,
    /// A week between them, Monday to Sunday.
    Weeks,
    /// A month between them.
    Months,
    /// A whole number between them.
    Integer,
}

/// How an amount is spread.
#[derive(Debug, Clone)]
pub enum SpreadMethod {
    /// In proportion to a weight, by largest remainder.
    ProRata(Expr),
    /// In order, each row at most so much.
    Queue(Expr),
    /// All of it to the first row.
    One,
}

impl WithinRule {
    /// The figure of each row beside `when`: quantity, what a row counts for, weight or most.
    #[must_use]
    pub const fn of_row(&self) -> Option<&Expr> {
        match &self.kind {
            WithinKind::Rank => None,
            WithinKind::Allowance { quantity, .. } => Some(quantity),
            WithinKind::Streak { sum, .. } => sum.as_ref(),
            WithinKind::Spread { method, .. } => match method {
                SpreadMethod::ProRata(of) | SpreadMethod::Queue(of) => Some(of),
                SpreadMethod::One => None,
            },
        }
    }

    /// The figure of each group: limit or amount.
    #[must_use]
    pub const fn of_group(&self) -> Option<&Expr> {
        match &self.kind {
            WithinKind::Allowance { limit: of, .. } | WithinKind::Spread { amount: of, .. } => {
                Some(of)
            }
            WithinKind::Rank | WithinKind::Streak { .. } => None,
        }
    }

    /// [`Self::of_group`] as it is used: rounded where the rule says so.
    #[must_use]
    pub fn of_group_rounded(&self) -> Option<Expr> {
        match &self.kind {
            WithinKind::Spread { amount, round, .. } => Some(amount.rounded(*round)),
            _ => self.of_group().cloned(),
        }
    }

    /// Its expressions.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        self.when.iter().chain(self.of_row()).chain(self.of_group())
    }

    /// Columns its expressions and its order read, each with its basis.
    #[must_use]
    pub fn reads(&self) -> Vec<(Basis, Arc<str>)> {
        let order = self.order.iter().map(|term| (term.basis.clone(), Arc::clone(&term.column)));
        self.expressions().flat_map(Expr::reads).chain(order).collect()
    }

    /// The word of the block it is written in.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self.kind {
            WithinKind::Rank => "rank",
            WithinKind::Allowance { .. } => "allowance",
            WithinKind::Streak { .. } => "streak",
            WithinKind::Spread { .. } => "spread",
        }
    }
}
