//! Tests of room `settle`, and of the whole engine.

mod account;
mod allocation;
mod anything;
mod district;
mod killed;
mod months;
mod offsets;
mod real;
mod retro;
mod schedule;
pub(crate) mod whole;
mod yearly;
