//! The law as data, compiled: policy files in, the law in force for a month out.
//!
//! In: pack folders, overlays. Out: [`LawBook`] (all that is dated: [`load`], [`LawText::under`]),
//! [`LawOfMonth`] (what is in force: [`LawBook::in_force`]); [`check()`], [`show()`], [`diff()`].
//! Order: after `domain`. Never: reads inputs, knows a child, rounds without a clause.

mod book;
pub mod calendar;
mod cells;
mod check;
mod compile;
mod cover;
mod dating;

pub mod dictionary;
mod diff;
mod draft;
pub mod expr;
mod fault;
mod figures;
pub mod inputs;
pub(crate) mod json_schema;
mod levers;
pub(crate) mod links;
mod lookup;
pub mod model;
pub mod names;
mod order;
mod paper;
mod read;
mod rewritten;
mod said;
mod scope;
mod show;
mod side;
mod snapshot;
mod text;

pub use book::{LawBook, load};
pub use check::{check, examine};
pub use diff::{ChangeKind, DiffOf, LawChange, LawDiff, diff};
pub use draft::{Draft, DraftError, DraftHead, quoted};
pub use fault::{LawError, LawErrors, SourceText};
pub use figures::Figure;
pub use json_schema::pack_schema;
pub use levers::{Lever, LeverKind};
pub use model::*;
pub use read::{LawText, OverlayText, read, read_overlays, read_worded};
pub use rewritten::Rewritten;
pub use said::{said_key, said_word};
pub use show::show;
pub(crate) use side::found_name;
