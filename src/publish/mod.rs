//! Room `publish` (being built).
