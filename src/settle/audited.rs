//! What an audit is told of earlier months: released lines as they were posted, and closed months
//! settled again.

use super::SettledMonth;
use crate::domain::Month;
use crate::retro::PastCut;

/// What a settled period rests on beside its own months.
#[derive(Debug, Default)]
pub struct Audited {
    /// Released runs of earlier periods that the archive holds, in order of periods.
    pub released: Vec<ReleasedRun>,
    /// Closed months that were settled again, in order.
    pub again: Vec<SettledAgain>,
}

/// The lines a released run left, byte for byte as the archive holds them.
#[derive(Debug)]
pub struct ReleasedRun {
    /// Run id.
    pub run_id: String,
    /// Service months it paid.
    pub months: Vec<Month>,
    /// `lines.parquet`.
    pub lines: Option<Vec<u8>>,
    /// `corrections.csv`.
    pub corrections: Option<Vec<u8>>,
}

/// A closed month settled as known now, without its budget step.
#[derive(Debug)]
pub struct SettledAgain {
    /// The month.
    pub month: SettledMonth,
    /// What becomes of fen that a short budget once took from its lines (S25).
    pub past_cut: PastCut,
    /// Whether its law or calendar is another than when it was last settled.
    pub by_law: bool,
}
