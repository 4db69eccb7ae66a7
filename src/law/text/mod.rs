//! Policy files as text: TOML in, blocks held against the grammar out.
//!
//! In: pack folders, overlay files. Out: [`Papers`]. Never: knows what an expression means.

mod block;
mod folder;
mod node;
mod overlay;
pub(super) mod schema;
mod shape;

pub(super) use block::number;
pub(super) use block::{Block, Dating, Notice};
pub(super) use folder::{PackText, Papers, read};
pub(super) use node::{Node, Value};
pub(super) use schema::BlockKind;
pub(super) use shape::share;
