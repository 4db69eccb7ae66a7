//! Policy files as text: TOML in, blocks held against the grammar out.
//!
//! In: pack folders, texts of overlays. Out: [`Papers`], blocks with overlays laid over them. Never:
//! knows what an expression means.

mod block;
mod folder;
mod node;
mod overlay;
mod relative;
pub(super) mod schema;
mod shape;
mod table_file;

pub(super) use block::number;
pub(super) use block::{Block, Dating, Notice, Written};
pub(super) use folder::{PackText, Papers, add_notice, file_name, read, read_text};
pub(super) use node::{Node, Value, parse};
pub(super) use overlay::{apply, assignments, unused};
pub(super) use schema::BlockKind;
pub(super) use shape::share;
