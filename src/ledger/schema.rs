//! The layout of the file, and opening it.
//!
//! A layout is never edited once released: a change is one more entry of `LAYOUTS`, applied in
//! order. Service months stand as YYYYMM and dates as YYYYMMDD, so that a person with any `SQLite`
//! reader can follow; the view `schedule_lines` joins the texts back.

use super::LedgerError;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;
use std::time::Duration;

/// `tuoy`: tells a ledger from any other `SQLite` file.
const APPLICATION_ID: i32 = 0x7475_6f79;

/// Kibibytes of pages held while posting, so that a province is written once and not spilled.
const CACHE_KIB: i32 = 32 * 1024;

/// Layouts in order; `user_version` counts those applied.
const LAYOUTS: &[&str] = &[include_str!("layout_1.sql")];

/// Opens the file, checks that it is ours, applies missing layouts.
pub(super) fn open(path: &Path, wait: Duration) -> Result<Connection, LedgerError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|source| LedgerError::Folder { path: folder.to_owned(), source })?;
    }
    let store = |source| LedgerError::store(path, source);
    let mut connection = Connection::open(path).map_err(store)?;
    connection.busy_timeout(wait).map_err(store)?;
    recognise(&connection, path)?;
    // A reader never waits for a writer, and a commit is one sync of the write-ahead log.
    let mode: String =
        connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).map_err(store)?;
    if mode != "wal" {
        connection.pragma_update(None, "journal_mode", "wal").map_err(store)?;
    }
    connection.pragma_update(None, "synchronous", "full").map_err(store)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(store)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(store)?;
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// Refuses a file that belongs to somebody else or to a later engine.
fn recognise(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let store = |source| LedgerError::store(path, source);
    let number = |name: &str| -> Result<i32, LedgerError> {
        connection.pragma_query_value(None, name, |row| row.get(0)).map_err(store)
    };
    let tables: i32 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))
        .map_err(store)?;
    if tables > 0 && number("application_id")? != APPLICATION_ID {
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
/// have opened a new file at once.
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
