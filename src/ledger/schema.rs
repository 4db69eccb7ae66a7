//! The layout of the file, and opening it.
//!
//! A layout is never edited once released: a change is one more entry of `LAYOUTS`, applied in
//! order. Service months stand as YYYYMM and dates as YYYYMMDD, so that a person with any `SQLite`
//! reader can follow; the view `schedule_lines` joins the texts back.

use super::LedgerError;
use rusqlite::{Connection, TransactionBehavior};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `tuoy`: tells a ledger from any other `SQLite` file.
const APPLICATION_ID: i32 = 0x7475_6f79;

/// Bytes of a page: a province's posting is long rows in order, which few large pages take faster.
const PAGE_BYTES: i32 = 16 * 1024;

/// Kibibytes of pages held while posting, so that a province is written once and not spilled.
const CACHE_KIB: i32 = 32 * 1024;

/// Layouts in order; `user_version` counts those applied.
const LAYOUTS: &[&str] =
    &[include_str!("layout_1.sql"), include_str!("layout_2.sql"), include_str!("layout_3.sql")];

/// Opens the file, making it where there is none, checks that it is ours, applies missing layouts.
pub(super) fn open(path: &Path, wait: Duration) -> Result<Connection, LedgerError> {
    let store = |source| LedgerError::store(path, source);
    if !path.exists() {
        Made::beside(path)?.put(path)?;
    }
    let mut connection = Connection::open(path).map_err(store)?;
    connection.busy_timeout(wait).map_err(store)?;
    recognise(&connection, path)?;
    connection.pragma_update(None, "synchronous", "full").map_err(store)?;
    // The log is folded in once, when the ledger closes, not in the middle of a posting.
    connection.pragma_update(None, "wal_autocheckpoint", 0).map_err(store)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(store)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(store)?;
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// An empty ledger under another name, whole and on the disk: two first runs at once never see a
/// half-made file. Dropped without [`Made::put`] it is removed.
#[derive(Debug)]
pub(super) struct Made {
    beside: tempfile::TempPath,
    folder: PathBuf,
}

impl Made {
    /// Makes it beside its place.
    pub(super) fn beside(path: &Path) -> Result<Self, LedgerError> {
        let folder = folder_of(path);
        let world = |source| LedgerError::Folder { path: folder.to_owned(), source };
        let store = |source| LedgerError::store(path, source);
        std::fs::create_dir_all(folder).map_err(world)?;
        let beside = new_file(folder).map_err(world)?;
        let mut connection = Connection::open(beside.path()).map_err(store)?;
        connection.pragma_update(None, "page_size", PAGE_BYTES).map_err(store)?;
        // Nothing is worth a sync before the file has its name.
        connection.pragma_update(None, "synchronous", "off").map_err(store)?;
        migrate(&mut connection, path)?;
        // A reader never waits for a writer, and a commit is one sync of the write-ahead log.
        connection.pragma_update(None, "journal_mode", "wal").map_err(store)?;
        connection.close().map_err(|(_, source)| store(source))?;
        beside.as_file().sync_all().map_err(world)?;
        // Our own handle is closed before the file has its name: closing it later would drop the
        // locks of whoever has opened the ledger meanwhile.
        Ok(Self { beside: beside.into_temp_path(), folder: folder.to_owned() })
    }

    /// Moves it into place; whoever comes second takes the one that is there.
    pub(super) fn put(self, path: &Path) -> Result<(), LedgerError> {
        let Self { beside, folder } = self;
        let world = |source| LedgerError::Folder { path: folder.clone(), source };
        match beside.persist_noclobber(path) {
            Ok(()) => {
                std::fs::File::open(&folder).and_then(|folder| folder.sync_all()).map_err(world)
            }
            Err(late) if late.error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(late) => Err(world(late.error)),
        }
    }
}

/// The folder a ledger stands in.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A file with the rights any new file gets: a second person must be able to approve.
fn new_file(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".ledger-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // less the umask
    builder.tempfile_in(folder)
}

/// Refuses a file that belongs to somebody else (an empty one too) or to a later engine.
fn recognise(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let store = |source| LedgerError::store(path, source);
    let number = |name: &str| -> Result<i32, LedgerError> {
        connection.pragma_query_value(None, name, |row| row.get(0)).map_err(store)
    };
    if number("application_id")? != APPLICATION_ID {
        return Err(LedgerError::Foreign { path: path.to_owned() });
    }
    let (found, known) = (number("user_version")?, layouts_known());
    if found > known {
        return Err(LedgerError::Newer { path: path.to_owned(), found, known });
    }
    Ok(())
}

fn layouts_known() -> i32 {
    i32::try_from(LAYOUTS.len()).unwrap_or(i32::MAX)
}

/// Applies missing layouts, all or none. The version is read again under the lock: two runs may
/// have opened an older file at once.
fn migrate(connection: &mut Connection, path: &Path) -> Result<(), LedgerError> {
    let store = |source| LedgerError::store(path, source);
    let version = |connection: &Connection| -> Result<i32, LedgerError> {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(store)
    };
    if version(connection)? == layouts_known() {
        return Ok(());
    }
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(store)?;
    let applied = usize::try_from(version(&transaction)?).unwrap_or(0);
    for layout in LAYOUTS.iter().skip(applied) {
        transaction.execute_batch(layout).map_err(store)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(store)?;
    transaction.pragma_update(None, "user_version", layouts_known()).map_err(store)?;
    transaction.commit().map_err(store)
}

/// The statements that made the tables, indices, views and triggers of a file, in order of name.
pub(super) fn statements(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    connection
        .prepare("SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name")?
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// The same of a file with this engine's layout and nothing in it.
pub(super) fn statements_expected() -> rusqlite::Result<Vec<(String, String)>> {
    let connection = Connection::open_in_memory()?;
    for layout in LAYOUTS {
        connection.execute_batch(layout)?;
    }
    statements(&connection)
}
