//! Room `explain` (being built).
