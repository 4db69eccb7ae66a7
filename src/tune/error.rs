//! Why a tune job stops.

use crate::law::LawErrors;
use crate::settle::SettleError;

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum TuneError {
    /// Law or inputs of the baseline (exit codes as of a settlement).
    #[error(transparent)]
    Settle(#[from] SettleError),
    /// The job pins no period (exit 2).
    #[error("the job pins no period; expected periods = [\"YYYY-MM\"] or --period YYYY-MM")]
    NothingPinned,
    /// An overlay of the baseline job cannot be read (exit 1).
    #[error("{file}: {source}; expected the overlay that the baseline job names")]
    Overlay {
        /// File.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// The law of a scenario does not hold together (exit 4).
    #[error("scenario {scenario}: {errors}")]
    Scenario {
        /// Scenario.
        scenario: String,
        /// What is wrong, pointing into the overlay.
        errors: LawErrors,
    },
    /// A scenario's rules cannot be applied (exit 1).
    #[error("scenario {scenario}: {error}")]
    Rules {
        /// Scenario.
        scenario: String,
        /// Why.
        error: Box<SettleError>,
    },
}
