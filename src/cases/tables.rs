//! The tables of a case: those of its file, its own in their place, rows added, cells changed.

use super::shape::SetCells;
use std::collections::BTreeMap;

type Texts = BTreeMap<String, String>;

/// A table of text: names, then rows of as many cells.
struct Grid {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// Lays a case's own tables over shared ones: `own` in their place, `add` below their rows, `set` into
/// their cells.
///
/// # Errors
/// What is wrong with a table, with its name.
pub(super) fn laid(
    shared: &Texts,
    own: Texts,
    add: &Texts,
    set: &[SetCells],
) -> Result<Texts, String> {
    let mut tables = shared.clone();
    tables.extend(own);
    for (table, text) in add {
        let Some(below) = tables.get(table) else {
            tables.insert(table.clone(), text.clone());
            continue;
        };
        let mut grid = Grid::read(table, below)?;
        grid.add(Grid::read(table, text)?);
        tables.insert(table.clone(), grid.text());
    }
    for set in set {
        let table = &set.table;
        let Some(text) = tables.get(table) else {
            return Err(format!("set: there is no table {table:?} to change"));
        };
        let mut grid = Grid::read(table, text)?;
        grid.set(set)?;
        tables.insert(table.clone(), grid.text());
    }
    Ok(tables)
}

impl Grid {
    fn read(table: &str, text: &str) -> Result<Self, String> {
        let wrong = |error: csv::Error| format!("table {table}: {error}");
        let mut reader = csv::ReaderBuilder::new().from_reader(text.trim_start().as_bytes());
        let names = reader.headers().map_err(wrong)?;
        let names = names.iter().map(|name| name.trim().to_owned()).collect();
        let row = |row: Result<csv::StringRecord, csv::Error>| {
            Ok(row.map_err(wrong)?.iter().map(str::to_owned).collect())
        };
        let rows = reader.records().map(row).collect::<Result<_, String>>()?;
        Ok(Self { names, rows })
    }

    /// The place of a column, which is added where it is not there.
    fn column(&mut self, name: &str) -> usize {
        self.names.iter().position(|own| own == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.rows.iter_mut().for_each(|row| row.push(String::new()));
            self.names.len() - 1
        })
    }

    /// Adds rows; a cell of a column that one side does not have is empty.
    fn add(&mut self, other: Self) {
        let places: Vec<usize> = other.names.iter().map(|name| self.column(name)).collect();
        for cells in other.rows {
            let mut row = vec![String::new(); self.names.len()];
            for (place, cell) in places.iter().zip(cells) {
                row[*place] = cell;
            }
            self.rows.push(row);
        }
    }

    fn set(&mut self, set: &SetCells) -> Result<(), String> {
        let mut wanted = Vec::new();
        for (name, text) in &set.place {
            let Some(place) = self.names.iter().position(|own| own == name) else {
                let names = self.names.join(", ");
                return Err(format!(
                    "set {}: no column {name:?}; expected one of {names}",
                    set.table
                ));
            };
            wanted.push((place, text.0.as_str()));
        }
        let new: Vec<(usize, &str)> =
            set.to.iter().map(|(name, text)| (self.column(name), text.0.as_str())).collect();
        let mut met = false;
        for row in &mut self.rows {
            if wanted.iter().all(|(place, text)| row[*place].trim() == *text) {
                met = true;
                for (place, text) in &new {
                    (*text).clone_into(&mut row[*place]);
                }
            }
        }
        if met { Ok(()) } else { Err(format!("set {}: no row is meant", set.table)) }
    }

    fn text(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in std::iter::once(&self.names).chain(&self.rows) {
            // Memory takes everything, and all rows have one length.
            let _ = writer.write_record(row);
        }
        let bytes = writer.into_inner().unwrap_or_default();
        String::from_utf8(bytes).unwrap_or_default()
    }
}
