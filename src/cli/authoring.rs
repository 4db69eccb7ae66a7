//! `tuoyu policy schema`: what a person needs who writes packs.

use super::args_authoring::SchemaOf;
use super::console::{Console, Outcome};
use super::exit::Exit;
use crate::job;
use crate::law;

/// Prints the schema of a kind of file.
///
/// # Errors
/// When the console cannot be written.
pub(super) fn schema(of: SchemaOf, console: &mut Console<'_>) -> Outcome {
    let schema = match of {
        SchemaOf::Pack => law::pack_schema(),
        SchemaOf::Job => job::job_schema(),
    };
    writeln!(console.out, "{schema:#}")?;
    Ok(Exit::Done)
}
