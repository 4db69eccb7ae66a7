//! Why an act is refused: where the run stands, who asks, whose key it is, which month is first.

use super::course::ActKind;
use super::read::RunState;
use crate::domain::Month;

/// Why a person may not do this with a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The run stands elsewhere.
    #[error("is {}; expected {}", state.word(), kind.expected())]
    State {
        /// What was asked.
        kind: ActKind,
        /// Where the run stands.
        state: RunState,
    },
    /// A newer run of the period stands.
    #[error("was replaced by run {by}; expected the run that stands")]
    Replaced {
        /// That run.
        by: String,
    },
    /// Who made the run asks.
    #[error("was made by {name}; expected another person")]
    Maker {
        /// The name.
        name: String,
    },
    /// Who has approved it asks again.
    #[error("has the approval of {name}; expected one more person")]
    Twice {
        /// The name.
        name: String,
    },
    /// Who did what is to be undone asks.
    #[error("cannot be reopened by {name}, whose act it undoes; expected another person")]
    OwnAct {
        /// The name.
        name: String,
    },
    /// A reopening without a reason.
    #[error("is reopened without a reason; expected --reason TEXT")]
    NoReason,
    /// Signatures are demanded, and there is no key.
    #[error("demands signatures; expected the key of {name}; hint: name the key file with --key")]
    KeyMissing {
        /// The name.
        name: String,
    },
    /// Signatures are demanded of named persons only.
    #[error(
        "demands the signature of a person in the job's register of keys, which {name} is not; \
         hint: add the line of `tuoyu keys show` to the register and run the period again"
    )]
    NotInRegister {
        /// The name.
        name: String,
    },
    /// The key is somebody else's.
    #[error("demands the key of {name}, found {found}; expected the one in the register")]
    OtherKey {
        /// The name.
        name: String,
        /// The public half of the key.
        found: String,
    },
    /// A signature does not hold.
    #[error("bears a signature that does not hold")]
    BadSignature,
    /// An earlier period is not so far.
    #[error("follows {period}, which is {}; expected it {} first", state.word(), least.word())]
    EarlierOpen {
        /// That period.
        period: Month,
        /// Where it stands.
        state: RunState,
        /// Where it should stand.
        least: RunState,
    },
    /// A later period is too far.
    #[error(
        "comes before {period}, which is {} already; hint: what became known later enters the next \
         open period", state.word()
    )]
    LaterDone {
        /// That period.
        period: Month,
        /// Where it stands.
        state: RunState,
    },
    /// What was released has changed since it was settled.
    #[error(
        "was settled before an earlier period was released; expected a run that counts it; hint: \
         run the period again"
    )]
    Stale,
    /// A word that cannot stand in the books.
    #[error("cannot be acted on: found {found:?}; expected {expected}")]
    Word {
        /// The word.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// An act read back that contradicts itself.
    #[error("has an act that does not say what it did")]
    Unreadable,
}

impl ActKind {
    /// Which runs the act is for.
    const fn expected(self) -> &'static str {
        match self {
            Self::Approve => "a draft",
            Self::Release => "an approved run",
            Self::Answer => "a released run",
            Self::Close => "a released or answered run",
            Self::Reopen => {
                "an approved or closed run; hint: a released run is corrected in the next period"
            }
        }
    }
}
