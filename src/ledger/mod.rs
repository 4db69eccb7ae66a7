//! Room `ledger` (being built).
