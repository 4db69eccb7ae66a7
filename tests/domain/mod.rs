//! Tests of room `domain`.
