//! The command line as transcripts: what is typed, what is said, the exit code. Cases are files;
//! adding one takes no Rust. `UPDATE_GOLDEN=1` writes what the program says now.

mod args;
mod carry;
mod english;
mod exceptions;
mod explain;
mod guide;
mod journal;
mod lifecycle;
mod readme;
mod scaffold;
mod texts;
mod transcript;
