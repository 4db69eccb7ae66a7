//! Tests of room `settle`.
