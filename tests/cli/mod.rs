//! Tests of room `cli`.
