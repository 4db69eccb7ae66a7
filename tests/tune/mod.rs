//! Tests of room `tune`.

mod families;
