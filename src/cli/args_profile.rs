//! Words of the command that checks profiles.

use super::args::{UsageError, language};
use crate::domain::texts::Language;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum LowProfile {
    /// Say every fault of batch, column and form profiles; write nothing
    Check(LowProfileCheck),
}

#[derive(Debug, Args)]
pub(super) struct LowProfileCheck {
    /// Profile files, as data/reference/profiles/*.toml
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Language: zh-CN or en
    #[arg(long, value_name = "TAG")]
    lang: Option<String>,
    /// Write the result as JSON
    #[arg(long)]
    json: bool,
}

/// Which profiles are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileCommand {
    /// Files, at least one.
    pub files: Vec<PathBuf>,
    /// Language.
    pub language: Option<Language>,
    /// Whether the result is written as JSON.
    pub json: bool,
}

pub(super) fn profile(low: LowProfile) -> Result<ProfileCommand, UsageError> {
    let LowProfile::Check(LowProfileCheck { files, lang, json }) = low;
    Ok(ProfileCommand { files, language: lang.map(language).transpose()?, json })
}
