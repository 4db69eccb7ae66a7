//! Room `facts` (being built).
