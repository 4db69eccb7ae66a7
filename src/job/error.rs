//! What is wrong with a job file, with its place.

use std::fmt;

/// Why a job could not be read. Message order: place, found, expected, hint.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The job file cannot be opened.
    #[error("{file}: cannot be read; hint: check the path")]
    Unreadable {
        /// Path of the job file.
        file: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Something in the job file is wrong.
    #[error("{place}: {message}")]
    Wrong {
        /// Where.
        place: JobPlace,
        /// What was found, what is expected, a hint.
        message: String,
    },
    /// Neither the job file nor the command line says something that must be said.
    #[error("{file}: {key} is not set; hint: {hint}")]
    Unset {
        /// Path of the job file.
        file: String,
        /// Key.
        key: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// A folder or file the job needs is not there.
    #[error("{file}: {key} names {path}, which does not exist; hint: {hint}")]
    Missing {
        /// Path of the job file.
        file: String,
        /// Key.
        key: String,
        /// Path as the job has it.
        path: String,
        /// What to do.
        hint: &'static str,
    },
}

/// A place in a job file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobPlace {
    /// Path of the job file.
    pub file: String,
    /// Line, 1-based.
    pub line: usize,
    /// Column in characters, 1-based.
    pub column: usize,
    /// Byte range in the file, for a picture of the place.
    pub span: std::ops::Range<usize>,
}

impl fmt::Display for JobPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
