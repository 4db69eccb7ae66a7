//! Why a tune job stops.

use crate::law::LawErrors;
use crate::publish::PublishError;
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
    /// The job chose what it does not ask for (exit 2).
    #[error("chosen is {name:?}; expected the id of a scenario or of a question of the job")]
    Chosen {
        /// Name.
        name: String,
    },
    /// The folder cannot be written (exit 1).
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// Threads cannot be had (exit 1).
    #[error("{threads} threads cannot be started: {reason}")]
    Threads {
        /// Asked for.
        threads: usize,
        /// Why.
        reason: String,
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

impl TuneError {
    /// What stopped a scenario.
    pub(super) fn of(scenario: &str, error: SettleError) -> Self {
        let scenario = scenario.to_owned();
        match error {
            SettleError::Law(errors) => Self::Scenario { scenario, errors },
            error => Self::Rules { scenario, error: Box::new(error) },
        }
    }
}
