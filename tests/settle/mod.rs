//! Tests of room `settle`, and of the whole engine.

mod account;
mod allocation;
mod anything;
mod district;
mod killed;
mod real;
mod schedule;
mod whole;
