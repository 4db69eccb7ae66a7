//! Tune: what if the price were otherwise. Scenarios are overlays over the law of a settle job.
//!
//! In: a tune job. Out: the figures of every scenario. Order: of the spine's consumers. Never: computes
//! money itself (the rooms of a settlement do), posts, changes a pack.

mod answers;
mod assume;
mod condensed;
mod desk;
mod error;
mod laws;
mod measure;
mod roll;
mod run;
mod scenarios;
mod solve;

pub use answers::Answered;
pub use desk::{Baseline, Desk, Scenario};
pub use error::TuneError;
pub use run::{Checked, TuneReport, check, run};

use std::sync::Arc;

/// What is measured, beside the money.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Measures {
    /// Items that lower what families pay; `None`: every item of a child that is paid in money.
    pub to_family: Option<Vec<Arc<str>>>,
    /// Which fees families are charged.
    pub fees: Fees,
}

/// Which fees families are charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fees {
    /// As the institutions filed them.
    #[default]
    AsFiled,
    /// As filed, but no more than the ceilings of the scenario: institutions follow the guide price.
    ToCeiling,
}
