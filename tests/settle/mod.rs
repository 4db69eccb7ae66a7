//! Tests of room `settle`, and of the whole engine.

mod allocation;
mod anything;
mod district;
mod real;
mod schedule;
mod whole;
