//! What the law room hands on: types, dictionary entries, compiled rules, the law in force.

mod force;
mod money;
mod rules;
mod types;

pub use force::*;
pub use money::*;
pub use rules::*;
pub use types::*;
