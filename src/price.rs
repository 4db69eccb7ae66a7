//! Room `price` (being built).
