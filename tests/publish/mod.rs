//! Tests of room `publish`.
