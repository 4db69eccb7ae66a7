//! The law as data, compiled: policy files in, the law in force for a month out.
//!
//! In: pack folders, overlays. Out: [`LawBook`] (everything dated), [`Law`] (what is in force).
//! Order: after `domain`. Never: reads inputs, knows a child, rounds without a clause.

pub mod calendar;
pub mod dictionary;
pub mod expr;
pub mod inputs;
pub mod model;
pub mod names;

pub use model::*;
// STUB
/// x
#[derive(Debug)]
pub struct LawBook;
/// x
#[derive(Debug, thiserror::Error)]
#[error("law")]
pub struct LawErrors(pub Vec<String>);
/// x
pub fn load(
    _: &[std::path::PathBuf],
    _: &[std::path::PathBuf],
    _: &std::path::Path,
) -> Result<LawBook, LawErrors> {
    unimplemented!()
}
/// x
pub fn check(_: &LawBook) -> Vec<String> {
    unimplemented!()
}
/// x
pub fn errors_only(_: Vec<String>) -> Vec<String> {
    unimplemented!()
}
impl LawBook {
    /// x
    pub fn in_force(
        &self,
        _: crate::domain::Month,
        _: crate::domain::Date,
    ) -> Result<LawOfMonth, LawErrors> {
        unimplemented!()
    }
}
