//! stub
use super::tree::*;
use crate::domain::{Basis, Frames};
/// q
#[derive(Debug)]
pub struct SqlQuery {
    /// t
    pub text: String,
}
/// v
#[derive(Debug)]
pub struct SqlView {
    /// t
    pub text: String,
}
/// p
#[must_use]
pub fn prelude() -> String {
    String::new()
}
/// v
#[must_use]
pub fn sql_view(_f: &Frames, _b: &Basis) -> SqlView {
    SqlView { text: String::new() }
}
pub(super) fn query(_t: &Tree, _r: NodeId, _v: &str, _c: &str) -> SqlQuery {
    SqlQuery { text: String::new() }
}
