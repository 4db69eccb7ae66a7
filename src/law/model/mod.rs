//! What the law room hands on: types, dictionary entries, compiled rules, the law in force.

mod force;
mod money;
mod paper;
mod rules;
mod types;
mod within;

pub use force::*;
pub use money::*;
pub use paper::*;
pub use rules::*;
pub use types::*;
pub use within::*;
