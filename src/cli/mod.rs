//! Room `cli` (being built).
