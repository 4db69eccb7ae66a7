//! Tests of room `settle`.

mod allocation;
mod schedule;
