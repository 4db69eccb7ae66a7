//! Exit codes: names scripts rely on, never reused.
//!
//! | code | name | meaning |
//! | --- | --- | --- |
//! | 0 | done | everything was done |
//! | 1 | world | the world failed: a file is missing, unreadable or not what it should be |
//! | 2 | usage | the command line or the job file is wrong |
//! | 3 | refused | done, and rows were refused; each has its reason |
//! | 4 | law | the law or the calendar is incomplete; nothing was written |
//! | 5 | open | differences are open (`reconcile`), figures no case notices (`policy test`) |
//! | 6 | differs | a rerun differs from what was archived, a case of a pack from what it expects |
//! | 7 | ledger | the ledger is busy, or its chain is broken |
//! | 8 | stopped | a person stopped it (`tune`); what was answered by then is written whole |
//! | 70 | bug | a control total does not tie: our bug |

use std::process::ExitCode;

/// What a run of the program comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Everything was done.
    Done = 0,
    /// The world failed.
    World = 1,
    /// The command line or the job file is wrong.
    Usage = 2,
    /// Done, with refused rows.
    Refused = 3,
    /// The law or the calendar is incomplete.
    Law = 4,
    /// Differences are open, or figures that no case notices.
    Open = 5,
    /// What was computed again differs: a rerun, a case of a pack.
    Differs = 6,
    /// The ledger is busy or its chain broken.
    Ledger = 7,
    /// A person stopped it; what was answered is written.
    Stopped = 8,
    /// Our bug.
    Bug = 70,
}

impl Exit {
    /// Every code.
    pub const ALL: [Self; 10] = [
        Self::Done,
        Self::World,
        Self::Usage,
        Self::Refused,
        Self::Law,
        Self::Open,
        Self::Differs,
        Self::Ledger,
        Self::Stopped,
        Self::Bug,
    ];

    /// The number the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
