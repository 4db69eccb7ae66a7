//! Words of the `policy` commands for people who write packs: `schema`.

use super::args::{PolicyCommand, PolicyQuestion, UsageError};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct LowSchema {
    /// Which files it is of: pack or job
    #[arg(value_name = "pack|job", default_value = "pack")]
    of: String,
}

/// Which files a schema is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaOf {
    /// Files of a pack.
    Pack,
    /// Jobs.
    Job,
}

pub(super) fn schema(low: LowSchema) -> Result<PolicyCommand, UsageError> {
    let of = match low.of.as_str() {
        "pack" => SchemaOf::Pack,
        "job" => SchemaOf::Job,
        _ => {
            return Err(UsageError {
                option: "policy schema",
                found: low.of,
                expected: "pack or job",
            });
        }
    };
    Ok(alone(PolicyQuestion::Schema(of)))
}

/// A question that reads no pack.
fn alone(question: PolicyQuestion) -> PolicyCommand {
    PolicyCommand {
        packs: Vec::new(),
        overlays: Vec::new(),
        reference: PathBuf::new(),
        json: false,
        question,
    }
}
