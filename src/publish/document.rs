//! A document for one reader, outside any run folder.

use crate::archive::new_file;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

/// Writes a document whole or not at all. What is there already is never replaced; a document of the
/// same bytes stays.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`] where something else is there, else the world's reasons.
pub fn write_document(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut beside = new_file(folder)?;
    beside.write_all(bytes)?;
    beside.as_file().sync_all()?;
    match beside.persist_noclobber(path) {
        Ok(_) => File::open(folder)?.sync_all(),
        Err(late) if late.error.kind() == ErrorKind::AlreadyExists => {
            if fs::read(path).is_ok_and(|found| found == bytes) { Ok(()) } else { Err(late.error) }
        }
        Err(late) => Err(late.error),
    }
}
