//! The law as data, compiled: policy files in, the law in force for a month out.
//!
//! In: pack folders, overlays. Out: [`LawBook`] (everything dated), [`Law`] (what is in force).
//! Order: after `domain`. Never: reads inputs, knows a child, rounds without a clause.

pub mod calendar;
pub mod dictionary;
pub mod expr;
pub mod inputs;
pub mod model;
pub mod names;

pub use model::*;
