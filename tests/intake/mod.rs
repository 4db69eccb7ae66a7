//! Tests of room `intake`.
