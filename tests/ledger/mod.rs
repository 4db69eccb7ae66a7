//! Tests of room `ledger`.
