//! Expressions compiled before: the same text under the same answers is the same tree.
//!
//! Laws under many overlays of the same packs differ in a few blocks. An expression is compiled
//! again only where something it asked for has another answer now; nothing depends on what is
//! remembered but the time it takes.

use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::sync::{Arc, PoisonError, RwLock};

use super::Compiler;
use crate::domain::Basis;
use crate::law::expr::{Expr, LookupTable};
use crate::law::model::{AggregateRule, LawPlace};
use crate::law::names::{Name, Names};
use crate::law::scope::Scope;

/// Trees kept of one text. A text that reads what overlays change has as many as there are values;
/// most texts read nothing of the kind.
const MOST_KEPT: usize = 4;

/// What was compiled of the packs of one job, shared by the laws under all its overlays.
#[derive(Debug, Default)]
pub(in crate::law) struct Memo(RwLock<FxHashMap<Text, Vec<Arc<Kept>>>>);

/// What is compiled: the pack that asks, the owner of what is lifted, the text.
type Text = (usize, String, String);

/// An expression to compile.
pub(super) struct Asked<'a> {
    pub(super) pack: usize,
    pub(super) text: &'a str,
    pub(super) owner: &'a str,
    pub(super) basis: &'a Basis,
    pub(super) place: &'a LawPlace,
}

/// One compilation: all it was told, and what came of it.
#[derive(Debug)]
struct Kept {
    basis: Basis,
    place: LawPlace,
    /// Aggregates lifted before.
    known: Vec<AggregateRule>,
    answers: Vec<Answer>,
    expr: Expr,
    /// Aggregates it lifted.
    fresh: Vec<AggregateRule>,
}

/// What the scope said. The currency and built-in bases are not noted: no overlay changes them.
#[derive(Debug)]
enum Answer {
    Name(Basis, String, Option<Name>),
    Table(String, Option<Arc<LookupTable>>),
    Item(String, Option<Basis>),
    Basis(String, Option<Basis>),
    Determines(Basis, Basis, bool),
}

impl Answer {
    fn holds(&self, scope: &Scope) -> bool {
        match self {
            Self::Name(basis, name, said) => scope.meaning(basis, name) == *said,
            Self::Table(id, said) => match (scope.table(id), said) {
                (Some(table), Some(said)) => Arc::ptr_eq(&table, said),
                (None, None) => true,
                _ => false,
            },
            Self::Item(id, said) => scope.item(id) == *said,
            Self::Basis(word, said) => scope.basis(word) == *said,
            Self::Determines(fine, coarse, said) => scope.determines(fine, coarse) == *said,
        }
    }

    /// Whether it answers the same question.
    fn same_question(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(basis, name, _), Self::Name(b, n, _)) => basis == b && name == n,
            (Self::Table(id, _), Self::Table(other, _))
            | (Self::Item(id, _), Self::Item(other, _))
            | (Self::Basis(id, _), Self::Basis(other, _)) => id == other,
            (Self::Determines(fine, coarse, _), Self::Determines(f, c, _)) => {
                fine == f && coarse == c
            }
            _ => false,
        }
    }
}

/// Whether another expression would find the same aggregates under the same names.
fn same_known(kept: &[AggregateRule], now: &[AggregateRule]) -> bool {
    let source = |expr: &Option<Expr>| expr.as_ref().map(|expr| expr.source().to_owned());
    kept.len() == now.len()
        && kept.iter().zip(now).all(|(a, b)| {
            // A name is made for one rule; one that was not compiled again is the very same.
            Arc::ptr_eq(&a.name, &b.name)
                || (a.name == b.name
                    && (&a.basis, &a.over, &a.function) == (&b.basis, &b.over, &b.function)
                    && source(&a.argument) == source(&b.argument)
                    && source(&a.filter) == source(&b.filter))
        })
}

impl Memo {
    /// What a compilation under the same answers came to.
    fn recall(
        &self,
        asked: &Asked<'_>,
        scope: &Scope,
        known: &[AggregateRule],
    ) -> Option<Arc<Kept>> {
        let text = (asked.pack, asked.owner.to_owned(), asked.text.to_owned());
        let kept = {
            let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
            all.get(&text)?.clone()
        };
        kept.into_iter().find(|kept| {
            kept.basis == *asked.basis
                && kept.place == *asked.place
                && same_known(&kept.known, known)
                && kept.answers.iter().all(|answer| answer.holds(scope))
        })
    }

    fn keep(&self, asked: &Asked<'_>, kept: Kept) {
        let text = (asked.pack, asked.owner.to_owned(), asked.text.to_owned());
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let list = all.entry(text).or_default();
        if list.len() < MOST_KEPT {
            list.push(Arc::new(kept));
        }
    }
}

/// A scope that notes what it says.
struct Noting<'a> {
    scope: &'a Scope,
    answers: RefCell<Vec<Answer>>,
}

impl Noting<'_> {
    fn note(&self, answer: Answer) {
        let mut answers = self.answers.borrow_mut();
        if !answers.iter().any(|other| other.same_question(&answer)) {
            answers.push(answer);
        }
    }
}

impl Names for Noting<'_> {
    fn name(&self, basis: &Basis, name: &str) -> Result<Name, Vec<String>> {
        let said = self.scope.name(basis, name);
        self.note(Answer::Name(basis.clone(), name.to_owned(), said.as_ref().ok().cloned()));
        said
    }

    fn table(&self, id: &str) -> Option<Arc<LookupTable>> {
        let said = self.scope.table(id);
        self.note(Answer::Table(id.to_owned(), said.clone()));
        said
    }

    fn item(&self, id: &str) -> Option<Basis> {
        let said = self.scope.item(id);
        self.note(Answer::Item(id.to_owned(), said.clone()));
        said
    }

    fn basis(&self, word: &str) -> Option<Basis> {
        let said = self.scope.basis(word);
        // Groupings come and go with their dates.
        if matches!(Basis::parse(word), Basis::Declared(_)) {
            self.note(Answer::Basis(word.to_owned(), said.clone()));
        }
        said
    }

    fn determines(&self, fine: &Basis, coarse: &Basis) -> bool {
        let said = self.scope.determines(fine, coarse);
        if matches!(fine, Basis::Declared(_)) || matches!(coarse, Basis::Declared(_)) {
            self.note(Answer::Determines(fine.clone(), coarse.clone(), said));
        }
        said
    }

    fn currency(&self) -> &str {
        self.scope.currency()
    }
}

impl Compiler<'_> {
    /// Compiles an expression, or remembers what it comes to. What it lifts is added to `lifted`.
    pub(super) fn compiled(
        &self,
        asked: &Asked<'_>,
        lifted: &mut Vec<AggregateRule>,
    ) -> Result<Expr, Vec<crate::law::expr::ExprError>> {
        let memo = &self.book.memo;
        if let Some(kept) = memo.recall(asked, &self.scope, lifted) {
            lifted.extend(kept.fresh.iter().cloned());
            return Ok(kept.expr.clone());
        }
        let names = Noting { scope: &self.scope, answers: RefCell::default() };
        let known = lifted.clone();
        let Asked { text, basis, owner, place, .. } = *asked;
        let expr = crate::law::expr::compile(text, basis, owner, place, &names, lifted)?;
        let kept = Kept {
            basis: basis.clone(),
            place: place.clone(),
            answers: names.answers.into_inner(),
            expr: expr.clone(),
            fresh: lifted[known.len()..].to_vec(),
            known,
        };
        memo.keep(asked, kept);
        Ok(expr)
    }
}
