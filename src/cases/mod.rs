//! Cases of packs: small deliveries with what the law makes of them, written by hand from clauses.
//!
//! In: a pack folder with `cases/*.toml`, reference data. Out: [`CaseSaid`] by case ([`Desk::run`]),
//! figures no case notices ([`Desk::nudged`]). Order: after `settle` and `explain`. Never: computes
//! money of its own, writes, keeps a ledger.

mod cell;
mod desk;
mod error;
mod expected;
mod hold;
mod line;
mod nudge;
mod schema;
mod shape;
mod tables;
mod told;

pub use desk::Desk;
pub use error::CasesError;
pub use expected::{Expect, Fact, Found, Funded, Pay, Sum};
pub use hold::{CaseSaid, Difference, Facet, Held};
pub use nudge::{Nudged, Unnoticed};
pub use schema::case_schema;
pub use shape::{Case, CaseFile, Earlier, SetCells, Word, case_files, read_file};
pub use told::{render, render_nudged};
