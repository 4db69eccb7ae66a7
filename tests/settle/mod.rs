//! Tests of room `settle`.

mod allocation;
mod district;
mod schedule;
