//! What stops a delivery from being read at all. What is wrong inside a row is a finding instead.

/// A delivery that cannot be read: a file of the world is missing or has no usable header, or the
/// job asks for something the declared tables do not have.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The file cannot be opened or read.
    #[error("{file}: cannot be read; hint: check the path and the permissions")]
    Unreadable {
        /// Path as the job gave it.
        file: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A table of the job that neither the core nor a pack declares.
    #[error("inputs.{table}: no table of that name is declared; declared are {declared}")]
    TableUnknown {
        /// Name in the job.
        table: String,
        /// Declared names.
        declared: String,
    },
    /// Two specifications for one table.
    #[error("inputs.{table}: the table is specified twice; hint: list its files in one place")]
    TableTwice {
        /// Name in the job.
        table: String,
    },
    /// A column named by the job that the table does not have.
    #[error("inputs.{table}.{key}: {column:?} is not a column; the table has {declared}")]
    ColumnUnknown {
        /// Table.
        table: String,
        /// Key of the job: `headers`, `values`, `captures`, `constants`.
        key: &'static str,
        /// Name in the job.
        column: String,
        /// Declared names.
        declared: String,
    },
    /// A capture whose pattern is not a regular expression with exactly one group.
    #[error("inputs.{table}.captures.{column}: {reason}; expected a pattern with one group")]
    Pattern {
        /// Table.
        table: String,
        /// Column to be filled.
        column: String,
        /// What is wrong.
        reason: String,
    },
    /// A column that two headers, a capture or a constant would fill at once.
    #[error("{file}: column {column} is filled by {first} and by {second}; hint: ignore one")]
    ColumnTwice {
        /// File name.
        file: String,
        /// Column.
        column: String,
        /// First source.
        first: String,
        /// Second source.
        second: String,
    },
    /// The same header twice.
    #[error("{file}: the header {header:?} stands twice; expected each header once")]
    HeaderTwice {
        /// File name.
        file: String,
        /// Header.
        header: String,
    },
    /// No row that could be a header.
    #[error("{file}: no header row found; hint: is the file empty, or header_row too high?")]
    HeaderMissing {
        /// File name.
        file: String,
    },
    /// Mandatory columns nobody delivered.
    #[error(
        "{file}: no column for {missing}; the file has {found}; hint: map its headers with \
         inputs.{table}.headers"
    )]
    ColumnsMissing {
        /// File name.
        file: String,
        /// Table.
        table: String,
        /// Columns with their Chinese headers.
        missing: String,
        /// Headers found.
        found: String,
    },
    /// A sheet that the workbook does not have.
    #[error("{file}: no sheet {sheet:?}; the workbook has {found}")]
    SheetMissing {
        /// File name.
        file: String,
        /// Sheet asked for.
        sheet: String,
        /// Sheets found.
        found: String,
    },
    /// A workbook or Parquet file whose bytes cannot be understood.
    #[error("{file}: not a readable {format} file: {reason}; hint: save it again, or as CSV")]
    Damaged {
        /// File name.
        file: String,
        /// `XLSX`, `XLS` or `Parquet`.
        format: &'static str,
        /// What the reader said.
        reason: String,
    },
    /// More records than can be numbered.
    #[error("{file}: more than four thousand million records; hint: deliver it in parts")]
    TooLong {
        /// File name.
        file: String,
    },
}
