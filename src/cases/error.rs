//! Why cases cannot be run at all.

use crate::law::LawErrors;

/// What stops the cases of a pack.
#[derive(Debug, thiserror::Error)]
pub enum CasesError {
    /// The pack does not pass its own checks (exit 4).
    #[error(transparent)]
    Law(#[from] LawErrors),
    /// A file or folder cannot be read (exit 1).
    #[error("{file}: {source}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file of cases is not written as one (exit 4).
    #[error("{file}:{line}: {message}")]
    Shape {
        /// The file.
        file: String,
        /// Line, 1-based.
        line: u32,
        /// Found and expected.
        message: String,
    },
    /// There is nothing to run (exit 2).
    #[error(
        "{pack}: no file in its folder cases; expected cases/*.toml; hint: docs/cases.md says how \
         a case is written"
    )]
    NoCases {
        /// The pack folder.
        pack: String,
    },
    /// No case has the name asked for (exit 2).
    #[error("--case: no case of the packs is named {found:?}; expected one of {expected}")]
    NoSuchCase {
        /// As typed.
        found: String,
        /// Names there are.
        expected: String,
    },
}
