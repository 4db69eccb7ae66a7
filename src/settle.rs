//! Room `settle` (being built).
