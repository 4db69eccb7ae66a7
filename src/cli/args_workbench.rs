//! Words of `workbench`: a page on this machine.

use super::args::{self, Changes, LowJob, UsageError};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct LowWorkbench {
    #[command(flatten)]
    job: LowJob,
    /// Port of 127.0.0.1; default: any that is free
    #[arg(long, value_name = "N")]
    port: Option<String>,
    /// Overlay to begin with, as the page writes it
    #[arg(long, value_name = "FILE")]
    overlay: Option<PathBuf>,
}

/// What the page is opened on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkbenchCommand {
    /// Job file: a settlement or a tune job.
    pub job: PathBuf,
    /// Changes.
    pub changes: Changes,
    /// Port; zero is any.
    pub port: u16,
    /// Overlay to begin with.
    pub overlay: Option<PathBuf>,
    /// Whether the address is written as JSON.
    pub json: bool,
}

pub(super) fn workbench(low: LowWorkbench) -> Result<WorkbenchCommand, UsageError> {
    let port = low.port.map_or(Ok(0), |word| {
        word.parse().ok().filter(|port| *port > 0).ok_or(UsageError {
            option: "--port",
            found: word,
            expected: "a number from 1 to 65535",
        })
    });
    let port = port?;
    let job = args::job(low.job)?;
    let (changes, json) = (job.changes, job.json);
    Ok(WorkbenchCommand { job: job.job, changes, port, overlay: low.overlay, json })
}
