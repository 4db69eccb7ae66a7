//! Words of `policy test`.

use super::args::{PolicyCommand, PolicyQuestion};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct LowTest {
    /// Pack folders; each is tested by its own cases, PACK/cases/*.toml
    #[arg(value_name = "PACK", required = true)]
    packs: Vec<PathBuf>,
    /// Only the case of this name
    #[arg(long = "case", value_name = "NAME")]
    only: Option<String>,
    /// Move every figure of the law a little, and name those that no case notices
    #[arg(long, conflicts_with = "only")]
    nudge: bool,
    /// Folder of calendars and codes
    #[arg(long, value_name = "DIR", default_value = "data/reference")]
    reference: PathBuf,
    /// Write the result as JSON
    #[arg(long)]
    json: bool,
}

/// Which cases are run, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CasesWords {
    /// Only the case of this name.
    pub only: Option<String>,
    /// Whether the figures of the law are moved under them.
    pub nudge: bool,
}

pub(super) fn test(low: LowTest) -> PolicyCommand {
    PolicyCommand {
        packs: low.packs,
        overlays: Vec::new(),
        reference: low.reference,
        json: low.json,
        question: PolicyQuestion::Test(CasesWords { only: low.only, nudge: low.nudge }),
    }
}
