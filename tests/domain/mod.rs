//! Tests of room `domain`.

mod calendar;
mod column;
mod ident;
mod money;
mod time;

use std::path::PathBuf;

/// A table of the shared reference data, or `None` with the reason printed: a plain clone has none.
fn shared_table(name: &str) -> Option<String> {
    let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/tables");
    match std::fs::read_to_string(shared.join(name)) {
        Ok(text) => Some(text),
        Err(error) => {
            println!("skipped: ../shared/data/tables/{name}: {error}");
            None
        }
    }
}
